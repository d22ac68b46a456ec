/* SPDX-License-Identifier: MIT */
/*
 * directory.h: the organisation's tree as pure decisions: who there is, which roles, under whom, who holds
 * them, and who owns what. No clock, no disk, no threads; time is an argument, and what happened comes out as
 * records (directory_events.h).
 *
 *     decide(directory, command, now) -> records and an answer
 *     fold(directory, record)         -> the next state; never fails, since decide reserved for it
 *
 * Place on a message's way: server's directory actor holds the only copy and asks it for every command to the
 * stream "organisation"; lookups (who may, which role, who owns a path) are answered from it. Its use is that
 * of role.h:
 *
 *     size_t before = batch.bytes.size;
 *     status = org_directory_decide(directory, &command, now_ms, &batch, &answer);
 *     if (status == TROUPE_OK)
 *         org_directory_fold_batch(directory, &batch, before);
 *     ...
 *     append the batch to the stream "organisation"; only after the commit answer, and configure the roles it
 *     changed. When the append fails, the directory is freed and read again.
 *
 * A role's own stream holds its messages and, for its decisions, a copy of its configuration: whenever a role
 * is activated or its place here has changed, org_directory_configure says what its ORG_CONFIGURE is to be.
 * The same again changes nothing there.
 *
 * Who may: only administrators change the tree; the first command of all makes the first of them, whoever
 * gives it, and the last of them stays one. A domain is transferred by the owner role's holders, its
 * supervisor's, or an administrator; a token is revoked by whose it is too. An actor's calendar is its own
 * and administrators'. `who.via`, when given, is whose right counts.
 *
 * Invariants
 *   1. Names are unique among actors, among roles and among domains; mail addresses, whatever their capitals,
 *      among actors.
 *   2. The roles form one tree; following supervisors from any role ends at the root. Both are at most
 *      ORG_DEPTH_MAX deep.
 *   3. Each domain has exactly one owner, a role that exists.
 *   4. Every actor has its personal role "@NAME", outside the tree, held by it alone, and by nobody when it
 *      has left. It can own a domain and be redirected to, but is nobody's parent or supervisor.
 *   5. Nothing is ever removed; what refers to a name finds it.
 *
 * A directory is used by one thread at a time. Views and texts are good until the next fold.
 */
#ifndef ORG_DIRECTORY_H
#define ORG_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/record.h"
#include "org/failure_rules.h"
#include "org/maintainers.h"
#include "org/notices.h"
#include "org/path_index.h"
#include "org/role.h"
#include <troupe/status.h>

enum { ORG_TOKEN_HASH_SIZE = 32 };

/** The organisation's tree. */
struct org_directory;

/* --- commands ----------------------------------------------------------------------------------- */

/** What can be commanded. */
enum org_directory_command_kind {
    ORG_SET_ACTOR,         /* make or change an actor */
    ORG_SET_ROLE,          /* make or change a role or team */
    ORG_SET_HOLDERS,       /* change a role's succession, and nothing else of it */
    ORG_CLAIM_DOMAIN,      /* make a domain or change its patterns; refused when another role owns it */
    ORG_TRANSFER_DOMAIN,   /* give a domain to another role */
    ORG_ADD_TOKEN,         /* let somebody in */
    ORG_REVOKE_TOKEN,      /* and no more */
    ORG_SET_CALENDAR,      /* when an actor works and is away */
    ORG_SET_PRESENCE,      /* it is away from now on, or is back */
    ORG_SET_NOTICES,       /* which notices it wants */
    ORG_NOTICE,            /* what waits for it is told to it, if that is due */
    ORG_IMPORT_ABSENCES,   /* absences from calendars kept elsewhere */
    ORG_LEAVE,             /* it leaves for good: each role goes to the next in its succession */
    ORG_IMPORT_MAINTAINERS /* a whole file: people, roles and domains under one team */
};

/** ORG_SET_ACTOR. */
struct org_set_actor {
    const char *name;
    const char *display; /* NULL: the name */
    const char *mail;    /* NULL for none */
    const char *team;    /* supervises the personal role; NULL for the root */
    enum org_holder_kind kind;
    uint32_t wip_limit; /* 0: ORG_WIP_LIMIT_DEFAULT */
    bool is_administrator;
};

/**
 * ORG_SET_ROLE. What is not said of an existing role (NULL, 0) becomes the default again. What is done about
 * a failure: what the role itself says of that kind (on_fail to on_overflow); else what the first fitting one
 * of its supervisor's `failure_rules` says; else the default.
 */
struct org_set_role {
    const char *name;
    const char *title;      /* for people; NULL for none */
    const char *parent;     /* NULL: the root; the first role of all is the root and has none */
    const char *supervisor; /* NULL: the parent */
    const char *const *holders;
    size_t holder_count;
    bool is_team; /* also one that has no children yet */
    uint32_t capacity;
    uint64_t bytes_max;
    int64_t lease_ms;
    int64_t ageing_ms;
    enum org_overflow overflow;
    const char *redirect_to;
    enum org_action on_fail;
    enum org_action on_lapse;
    enum org_action on_crash;
    enum org_action on_absent; /* from here on as in org_configure */
    enum org_action on_overflow;
    uint32_t refusals_max;
    int64_t refusals_period_ms;
    uint32_t failures_max;
    int64_t failures_period_ms;
    bool is_readable;
    const char *failure_rules; /* for those it supervises, as in failure_rules.h; NULL for none */
};

/** ORG_SET_HOLDERS. */
struct org_set_holders {
    const char *role;
    const char *const *holders;
    size_t holder_count;
};

/** ORG_CLAIM_DOMAIN. The lists of its rules are ignored: a domain's own CODEOWNERS rules form one list. */
struct org_claim_domain {
    const char *name;
    const char *title; /* NULL for none */
    const char *owner;
    const char *note; /* NULL for none */
    const struct org_rule *rules;
    size_t rule_count;
};

/** ORG_TRANSFER_DOMAIN. */
struct org_transfer_domain {
    const char *name;
    const char *owner;
};

/** ORG_ADD_TOKEN and ORG_REVOKE_TOKEN, which looks only at the hash. */
struct org_token_command {
    const char *actor;
    const char *scopes; /* NULL for all */
    const char *label;  /* NULL for none */
    int64_t expires_at; /* 0 for never */
    uint8_t hash[ORG_TOKEN_HASH_SIZE];
};

/** An absence; `until` 0: nobody knows. */
struct org_absence {
    int64_t from;
    int64_t until;
};

/** ORG_SET_CALENDAR: by the actor itself or an administrator. Replaces the whole of what was. */
struct org_set_calendar {
    const char *actor;
    const char *zone; /* a name of the system's zoneinfo; NULL for UTC */
    uint8_t days;     /* as in org_hours; 0: no hours are stated */
    uint32_t from_minute;
    uint32_t to_minute;
    const struct org_absence *absences;
    size_t absence_count;
};

/** ORG_SET_NOTICES: by the actor itself or an administrator. */
struct org_set_notices {
    const char *actor;
    enum org_notices kind;
    uint32_t digest_minute; /* with ORG_NOTICES_DIGEST, else 0 */
};

/**
 * An absence that came from outside. `source` is a number for what it came from; whoever imports makes it.
 */
struct org_imported_absence {
    int64_t from;
    int64_t until;
    uint64_t source;
};

/**
 * ORG_IMPORT_ABSENCES: by the actor itself or an administrator. What came from these sources before goes, and
 * these absences come: each has an end and is of one of them. Absences by hand and from other sources stay.
 */
struct org_import_absences {
    const char *actor;
    const uint64_t *sources; /* ascending, each once */
    size_t source_count;
    const struct org_imported_absence *absences;
    size_t absence_count; /* ORG_ABSENCES_IMPORTED_MAX of one actor in all, those that are over not counted */
};

/** ORG_SET_PRESENCE and, with the actor alone, ORG_LEAVE. */
struct org_set_presence {
    const char *actor;
    bool is_present;
    int64_t until;         /* away until then; 0: nobody knows */
    const uint64_t *keeps; /* messages it holds and keeps for itself: they are parked meanwhile */
    size_t keep_count;
};

/**
 * ORG_IMPORT_MAINTAINERS. The team is made under the root when it is not there, and a root called "root" when
 * there is none; whoever imports holds what is made so. A section NAME becomes the role and the domain
 * TEAM/NAME. A person who is known by the mail address, whatever its capitals, is that actor; the others are
 * made, in the order of the file, and called by the local part of the address or, when another actor has that
 * name, by the first free one of NAME-2, NAME-3...
 * The same file again changes nothing; another one changes holders, titles, notes and patterns, and takes
 * nothing away: a role keeps its settings and its place, a domain its owner. That only the lines have other
 * numbers is no change. A file with problems is refused.
 */
struct org_import {
    const struct org_maintainers *maintainers;
    const char *team;
};

/** A command. */
struct org_directory_command {
    enum org_directory_command_kind kind;
    bool is_create; /* SET_ACTOR, SET_ROLE, CLAIM_DOMAIN: TAKEN when it is there with another content */
    struct org_who who;
    union {
        struct org_set_actor actor;
        struct org_set_role role;
        struct org_set_holders holders;
        struct org_claim_domain claim;
        struct org_transfer_domain transfer;
        struct org_token_command token;
        struct org_set_calendar calendar;
        struct org_set_presence presence;
        struct org_set_notices notices;
        struct org_notice notice;
        struct org_import_absences absences;
        struct org_import import;
    };
};

/* --- answers ------------------------------------------------------------------------------------ */

/** Why something is refused: X(NAME, "text"). The text completes "refused: ...". */
#define ORG_DIRECTORY_REFUSAL_LIST(X)                                                                        \
    X(NOT_REFUSED, "it is not refused")                                                                      \
    X(FORBIDDEN, "only an administrator may")                                                                \
    X(NOT_OWNER, "only the domain's owner, its supervisor or an administrator may")                          \
    X(BAD_NAME, "a name is not a name")                                                                      \
    X(BAD_TEXT, "a text is too long or not UTF-8")                                                           \
    X(BAD_VALUE, "a value is out of its range")                                                              \
    X(NO_ACTOR, "there is no such actor")                                                                    \
    X(NO_ROLE, "there is no such role")                                                                      \
    X(NO_DOMAIN, "there is no such domain")                                                                  \
    X(NO_TOKEN, "there is no such token")                                                                    \
    X(NO_ROOT, "the first role must be the root, and there is only one")                                     \
    X(CYCLE, "it would stand under itself")                                                                  \
    X(DEPTH, "the tree would be deeper than the limit")                                                      \
    X(OWNED, "the domain has another owner")                                                                 \
    X(MAIL_TAKEN, "the mail address belongs to another actor")                                               \
    X(HOLDER_TWICE, "an actor is twice in the succession")                                                   \
    X(BAD_PATTERN, "a pattern cannot be used")                                                               \
    X(BAD_RULES, "what is done about failures is not rules, or they are too many")                           \
    X(TOKEN_TAKEN, "the token is there already")                                                             \
    X(PROBLEMS, "the file has problems")                                                                     \
    X(TOO_MANY, "a limit of the organisation is reached")                                                    \
    X(TAKEN, "the name is taken, with another content")                                                      \
    X(LAST_ADMINISTRATOR, "no administrator would be left")

/** The refusals. */
enum org_directory_refusal {
#define ORG_DIRECTORY_REFUSAL_ENUM(name, text) ORG_DIRECTORY_##name,
    ORG_DIRECTORY_REFUSAL_LIST(ORG_DIRECTORY_REFUSAL_ENUM)
#undef ORG_DIRECTORY_REFUSAL_ENUM
};

/** What an import found, and what it changed. */
struct org_import_counts {
    size_t domains; /* in the file */
    size_t roles;
    size_t people;
    size_t vacant;
    size_t patterns;
    size_t actors_made;
    size_t roles_made;
    size_t roles_changed;
    size_t domains_made;
    size_t domains_changed;
};

/** The answer. Texts live until the next fold, or are constant. */
struct org_directory_answer {
    bool is_refused;
    bool is_duplicate; /* everything was so already */
    enum org_directory_refusal refusal;
    const char *
        subject; /* what the refusal is about: the name that is unknown, the pattern; NULL when it is plain */
    const char *reason; /* BAD_PATTERN: why; OWNED: the role that owns it */
    struct org_import_counts import;
};

/* --- living ------------------------------------------------------------------------------------- */

/** Makes an empty directory; the key is random, and for its hash tables only. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status org_directory_new(const struct hash_key *key,
                                                  struct org_directory **ret_directory);

/**
 * Makes another directory with everything that this one has: to try many commands that shall all be done or
 * none of them. Everything decided must have been folded. TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_directory_clone(const struct org_directory *directory,
                                                    struct org_directory **ret_directory);

/** Frees a directory; NULL is good. */
void org_directory_free(struct org_directory *directory);

/**
 * Decides one command: adds its records to the batch, none when it is refused or changes nothing. The state
 * changes when they are folded, which must happen before the next decide. TROUPE_NO_MEMORY, and the errors of
 * record_batch_add; the batch is then as it was.
 */
TROUPE_MUST_CHECK troupe_status org_directory_decide(struct org_directory *directory,
                                                     const struct org_directory_command *command,
                                                     int64_t now_ms, struct record_batch *batch,
                                                     struct org_directory_answer *ret_answer);

/** Folds the records of a batch from byte `from` on: what the last decide added. Cannot fail. */
void org_directory_fold_batch(struct org_directory *directory, const struct record_batch *batch, size_t from);

/**
 * Folds one record from the journal. TROUPE_MALFORMED when its bytes are not a body of its type,
 * TROUPE_UNEXPECTED for a type or version not known here, TROUPE_CORRUPT when it contradicts what was before,
 * TROUPE_NO_MEMORY. After an error the directory is as it was.
 */
TROUPE_MUST_CHECK troupe_status org_directory_replay(struct org_directory *directory,
                                                     const struct record *record);

/* --- looking ------------------------------------------------------------------------------------ */

/** An actor. */
struct org_actor_view {
    const char *name;
    const char *display;
    const char *mail; /* "" for none */
    const char *team; /* the supervisor of its personal role; "" while there is no root */
    enum org_holder_kind kind;
    uint32_t wip_limit;
    bool is_administrator;
    size_t held_count; /* roles it is in the succession of, its personal one not counted */
};

/** A role of the tree, or a personal role. */
struct org_directory_role {
    const char *name;
    const char *title;
    const char *parent;     /* "" for the root and for personal roles */
    const char *supervisor; /* "" for the root */
    enum org_holder_kind holder_kind;
    size_t holder_count; /* 0: vacant */
    bool is_team;        /* it said so, or has children */
    bool is_personal;
    uint32_t capacity; /* the default where none was said */
    int64_t lease_ms;
};

/** A domain. */
struct org_domain_view {
    const char *name;
    const char *title;
    const char *owner;
    const char *note;
    const char *patterns; /* as in org_domain_set */
};

/** When an actor works. */
struct org_calendar_view {
    const char *zone; /* "" for UTC */
    uint8_t days;     /* 0: no hours are stated */
    uint16_t from_minute;
    uint16_t to_minute;
    const char *absences; /* by hand, as in org_calendar_set */
    const char *imported; /* from elsewhere, as in org_absences_imported */
    bool is_gone;
};

/** A token. */
struct org_token_view {
    const char *actor;
    const char *scopes;
    const char *label;
    int64_t created_at;
    int64_t expires_at; /* 0 for never */
    bool is_revoked;
};

/** How many there are. */
struct org_directory_counts {
    size_t actors;
    size_t roles; /* of the tree */
    size_t domains;
    size_t patterns;
    size_t tokens;
    size_t vacant; /* roles of the tree without a holder, teams not counted */
};

/** One owner of a path. */
struct org_owner {
    struct org_domain_view domain;
    struct org_directory_role role;
    const char *pattern; /* the rule that matched */
    enum org_pattern_kind kind;
};

/** The counts. */
struct org_directory_counts org_directory_counts(const struct org_directory *directory);

/**
 * Finds by name; false when there is none. Names of personal roles ("@ann") are found as roles too: the name
 * in such a view is the one that was given.
 */
bool org_directory_actor(const struct org_directory *directory, const char *name,
                         struct org_actor_view *ret_actor);
bool org_directory_role(const struct org_directory *directory, const char *name,
                        struct org_directory_role *ret_role);
bool org_directory_domain(const struct org_directory *directory, const char *name,
                          struct org_domain_view *ret_domain);

/** When an actor works; false when there is no such actor. One without a calendar has an empty one. */
bool org_directory_calendar(const struct org_directory *directory, const char *name,
                            struct org_calendar_view *ret_calendar);

/** Which notices an actor wants, without its hours; none for nobody known. */
struct org_notice_choice org_directory_notices(const struct org_directory *directory, const char *name);

/**
 * Until when an actor that is away at this time is away, absences that follow each other counted as one:
 * INT64_MAX when nobody knows, or it left; 0 when it is there.
 */
int64_t org_directory_away_until(const struct org_directory *directory, const char *name, int64_t at_ms);

/** Whether an actor is there at a time; nobody unknown is. */
bool org_directory_is_present(const struct org_directory *directory, const char *name, int64_t at_ms);

/**
 * The messages that an actor keeps for itself in the absence it has at this time, the id of one a line, and
 * until when that is, 0 when nobody knows; "" for none.
 */
const char *org_directory_kept(const struct org_directory *directory, const char *name, int64_t at_ms,
                               int64_t *ret_until);

/** Whether an absence of an actor begins or ends after one time and until another, however often. */
bool org_directory_comes_or_goes(const struct org_directory *directory, const char *name, int64_t after_ms,
                                 int64_t until_ms);

/** When somebody comes or goes next after a time; INT64_MAX for never. */
int64_t org_directory_presence_due(const struct org_directory *directory, int64_t after_ms);

/** Finds a token by its hash, also an expired or revoked one: the caller looks. */
bool org_directory_token(const struct org_directory *directory, const uint8_t *hash,
                         struct org_token_view *ret_token);

/** The root's name; NULL while there is none. */
const char *org_directory_root(const struct org_directory *directory);

/** The holder at a place of a role's succession, 0 the owner; NULL beyond the last, or for no such role. */
const char *org_directory_holder(const struct org_directory *directory, const char *role, size_t place);

/**
 * The role at a place among those an actor is in the succession of, in the order they came; NULL beyond the
 * last.
 */
const char *org_directory_held(const struct org_directory *directory, const char *actor, size_t place);

/** Things by their place, 0 and up, in the order they were made; false beyond the last. */
bool org_directory_actor_at(const struct org_directory *directory, size_t place,
                            struct org_actor_view *ret_actor);
bool org_directory_domain_at(const struct org_directory *directory, size_t place,
                             struct org_domain_view *ret_domain);

/**
 * The role of the tree after this one, parents before their children and siblings in the order they came;
 * NULL gives the root. NULL after the last.
 */
const char *org_directory_next_role(const struct org_directory *directory, const char *role);

/** Whether everybody may read the messages of a role; false also when there is none. */
bool org_directory_is_open(const struct org_directory *directory, const char *role);

/** The first role at `place` or after it that is open, and its place; NULL: no more. */
const char *org_directory_open_role(const struct org_directory *directory, size_t place, size_t *ret_place);

/** Whether an actor may change the tree. */
bool org_directory_is_administrator(const struct org_directory *directory, const char *actor);

/** A role's rules for those it supervises, as in failure_rules.h; "" for none, and when there is no role. */
const char *org_directory_failure_rules(const struct org_directory *directory, const char *role);

/** The kinds of failure, a bit for each org_failure, of which a role itself says what is done. */
unsigned org_directory_own_failures(const struct org_directory *directory, const char *role);

/**
 * What a role's ORG_CONFIGURE is to be, with what its supervisor's rules say of failures; false when there is
 * no such role. Nobody holds the personal role of an actor that left. `holders` has ORG_SUCCESSION_MAX
 * places, which `ret_configure` points to. The seed is left to the caller.
 */
bool org_directory_configure(const struct org_directory *directory, const char *role, const char **holders,
                             struct org_configure *ret_configure);

/**
 * What would set a role of the tree as it is, to change something of it; false when there is no such role.
 * `holders` has ORG_SUCCESSION_MAX places, which `ret_set` points to.
 */
bool org_directory_role_as_set(const struct org_directory *directory, const char *role, const char **holders,
                               struct org_set_role *ret_set);

/** The answer to "who owns this path", and room that is used again. All zeros is empty and ready. */
struct org_owners {
    struct org_owner *items;
    size_t count;
    size_t capacity;            /* private */
    struct org_matches matches; /* private */
};

/**
 * Finds the owners of a path, the most precise first. TROUPE_INVALID when it is no path, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_directory_owners(const struct org_directory *directory, const char *path,
                                                     struct org_owners *owners);

/** Frees what an answer holds. */
void org_owners_done(struct org_owners *owners);

/**
 * Whether an actor is in the succession of a role or of one below it in the tree. What one has to do is told
 * to others only of groups of ORG_FIGURES_GROUP_MIN people.
 */
bool org_directory_works_below(const struct org_directory *directory, const char *actor, const char *role);

/** What may trouble an organisation before anything has gone wrong. */
enum org_concern {
    ORG_CONCERN_VACANT,   /* a role that nobody holds */
    ORG_CONCERN_ALONE,    /* a role with one holder and no deputy: a bus factor of one. `other`: who it is */
    ORG_CONCERN_UNOWNED,  /* a domain whose owner is vacant. `other`: the owner */
    ORG_CONCERN_REDIRECT, /* a full role redirects, and back to itself. `other`: the next on that way */
    ORG_CONCERN_UNHEARD,  /* what `other` fails in a role can reach nobody above but `other` */
};

/** Called for each; the names live until the next fold. */
typedef void org_concern_found(void *context, enum org_concern concern, const char *name, const char *other);

/** Goes through the whole organisation and tells what there is of these. */
void org_directory_concerns(const struct org_directory *directory, org_concern_found *found, void *context);

/** Whether nobody holds a role: a team's may be empty, and a personal one is when its actor has left. */
bool org_directory_is_vacant(const struct org_directory *directory, const char *role);

/** Whether every invariant holds; what does not is named in `ret_reason`. Goes through everything. */
bool org_directory_check(const struct org_directory *directory, const char **ret_reason);

/** Whether a text may be a mail address: something, an "@", and something, without blanks. */
bool org_is_mail(const char *mail);

/** The text of a refusal in English, never NULL. */
const char *org_directory_refusal_text(enum org_directory_refusal refusal);

#endif

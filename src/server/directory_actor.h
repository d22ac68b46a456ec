/* SPDX-License-Identifier: MIT */
/*
 * directory_actor.h: the organisation's tree as an actor: the fold of the stream "organisation", and for each
 * role what its actor last said of its load. Everybody who looks something up asks here; whoever changes
 * something waits here until it is on the disk and every role it concerns is set up.
 *
 *   start --journal_read--> LOADING --journal_summaries--> SETTLING --role_load of those woken-->
 *   keeper_is_ready --> SERVING
 *
 *   change --decode, org_directory_decide, fold--> batch --one append--> durable
 *          --roles it concerns: made, role_configure--> all are set up --> answered
 *
 * A role is set up again when it first wakes after a start: a crash between the two appends (here, and in the
 * role's own stream) leaves nothing undone, and what is so already changes nothing there.
 *
 * Role actors are made here when somebody has something for the role (directory_wake.c), under the supervisor
 * of their team, and found by their names; this actor monitors none of them. Each says how loaded it is when
 * it wakes, when that changes, and when it goes to sleep; with it comes when time does something to it, and
 * this actor sees to it that it is awake then. A role whose actor failed comes back by its supervisor.
 *
 * Desks are made when somebody first shows a token, under #desks (directory_desks.c): they keep nothing that
 * a new one would miss, and go on when this actor is started again.
 *
 * Runs on any worker; nothing blocks. Large answers (the tree) are kept until something changes.
 *
 * Invariants
 *   1. entries has one entry for each role of the organisation, personal ones included, found by its name in
 *      entry_map.
 *   2. unsettled is the number of entries that are not is_settled.
 *      Every entry with something due, or owed, is in `due`.
 *   3. A change is answered when its append is durable and unsettled is 0, or when it is refused.
 *   4. version grows with everything that the tree shows.
 */
#ifndef SERVER_DIRECTORY_ACTOR_H
#define SERVER_DIRECTORY_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <troupe.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/record.h"
#include "org/directory.h"
#include "org/name.h"
#include "server/desk.h"
#include "server/directory_notices.h"
#include "server/ids.h"
#include "server/messages.h"
#include "server/problem.h"

#define DIRECTORY_MAILBOX_LEN_MAX (1u << 20)
#define DIRECTORY_MAILBOX_BYTES_MAX (256u << 20)
/** A batch of so many bytes is appended at once, so that there is room for an import behind it. */
#define DIRECTORY_BATCH_BYTES_MAX ((size_t)1 << 20)
/** Roles that are being set up at the same time, and messages of an import that are being sent. */
#define DIRECTORY_WINDOW 256
/** How long the tag of a tree is good at most, because the ages in it move on by themselves. */
#define TREE_TAG_MS 60000
/** A role that owes something to another is looked after again so much later. */
#define DIRECTORY_OWED_MS ((int64_t)1000)
/** While it is awake and says nothing, twice as long from one time to the next, so often at most. */
#define DIRECTORY_LOOKS_DOUBLED_MAX 4

/** The id of that team's supervisor: no role's name can be so. */
#define DIRECTORY_STRAYS "@"
/** Until a waking that came to nothing is tried again, if nobody asks before. */
#define DIRECTORY_WAKE_AGAIN_MS ((int64_t)50)

/** Tags of the directory's timers. */
enum directory_tag {
    DIRECTORY_TAG_RETRY = 0,
    DIRECTORY_TAG_ALARM,
    DIRECTORY_TAG_PRESENCE,
    DIRECTORY_TAG_NOTICE,
    DIRECTORY_TAG_READER,
};

/** What is known of one role's actor. */
struct directory_entry {
    char name[ORG_NAME_LEN_MAX + 1];
    troupe_ref ref;
    bool is_open;
    bool needs_configure;
    bool is_listed; /* in the directory's to_configure */
    struct directory_entry *next_to_configure;
    bool is_configuring;
    bool is_settled; /* no change waits for it */
    bool is_unsound;
    bool is_asleep;            /* it has no actor; its figures are those of its summary */
    bool is_wanted;            /* a change waits for it */
    bool has_new_rules;        /* for those it supervises, who are to be set up anew */
    bool is_waking;            /* an actor is being made for it */
    bool is_unproved;          /* has not been set up since this directory began: it is when it next wakes */
    uint32_t looks;            /* at it while it was awake and due, since it last told its load */
    uint64_t number;           /* in the order of their making */
    struct heap_node due_node; /* in the directory's `due` */
    struct directory_actor *directory;
    struct directory_entry *team;          /* under whose supervisor it was woken; NULL: it sleeps */
    struct directory_entry *next_for_team; /* in that one's team_waiting */
    struct directory_entry *team_waiting;  /* those that wait for `supervisor` to be there */
    troupe_ref supervisor;                 /* of the roles below it, as it was last known */
    struct directory_waker *wakers;        /* who is told when it is awake */
    uint32_t wake_tries;
    bool is_barred;    /* its actor refuses everything; the figures are those of before */
    uint64_t restarts; /* of its actors, since this directory began */
    role_load load;    /* the numbers of the last one; its texts are kept here: */
    char holder[ORG_ACTOR_NAME_LEN_MAX + 1];
    char reason[128];
};

/** Whoever showed a token, as it is to be told to who asked for it. */
struct directory_caller {
    troupe_asker asker;
    char through[ORG_ACTOR_NAME_LEN_MAX + 1];
    unsigned scopes;
    bool is_administrator;
};

struct directory_actor;
struct directory_desk;

/** A change that waits for its append, then for the roles, and, as an import, for its messages. */
struct directory_task {
    struct directory_task *next;
    struct directory_actor *directory;
    troupe_asker asker;
    uint64_t seq; /* what must be on the disk before it is answered */
    bool is_own;  /* answered with directory_owned */
    bool is_empty;
    uint32_t status;
    struct buffer json; /* the answer; without its closing brace while messages are to be counted */
    struct problem problem;
    json_t *document;       /* of an import: its messages lie in it */
    const json_t *messages; /* to be sent when the roles are there; NULL for none */
    size_t message_next;
    uint32_t messages_out;
    size_t messages_sent;
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1]; /* who imports */
};

/** An append under way. */
struct directory_flight {
    struct directory_flight *next;
    struct directory_actor *directory;
    uint64_t seq;
};

/** The actor's state. A spawner fills in `ids`. */
struct directory_actor {
    struct ids *ids;

    struct org_directory *org;
    bool is_loaded;
    bool is_ready;
    bool is_hurried;
    uint64_t seq; /* once every flight has landed */
    uint64_t seq_durable;
    struct record_batch batch;
    struct directory_flight *flights; /* oldest first */
    uint32_t flight_count;
    struct directory_task *tasks;   /* oldest first */
    struct directory_audit *audits; /* under way */
    struct directory_health_check *healths;
    bool is_retrying;
    bool has_new_rules;      /* some entry has, while a change is followed */
    int64_t presence_at;     /* who is present was last looked at then */
    int64_t presence_due;    /* and is to be looked at then; INT64_MAX: never */
    uint64_t presence_timer; /* 0: none */

    struct directory_entry **entries;
    size_t entry_count;
    size_t entry_capacity;
    struct map entry_map;
    struct directory_entry strays; /* no role, but the team DIRECTORY_STRAYS of personal roles in no team */
    struct hash_key hash_key;
    struct heap due; /* entries by when time does something to them, asleep or not */
    uint64_t alarm;  /* the timer for the first of them; 0: none */
    int64_t alarm_at;
    size_t unsettled;
    size_t configuring;
    struct directory_entry *to_configure; /* those that are open and wait for it, oldest first */
    struct directory_entry *to_configure_last;
    char changer[ORG_ACTOR_NAME_LEN_MAX + 1]; /* who made the last change, and so sets roles up */

    struct directory_desk **desks;
    size_t desk_count;
    size_t desk_capacity;
    struct map desk_map;

    struct directory_notices notices;

    uint64_t version;
    uint64_t alarms_version; /* of `alarms`; 0: none */
    size_t alarms;           /* roles that have one */
};

/** The behaviour. */
extern const troupe_behaviour directory_behaviour;

/* --- directory_roles.c: an actor for each role ------------------------------------------------ */

/**
 * Makes entries for all roles there are and reads their summaries. Those that have none, or owe something,
 * are woken; those whose actors are there already say how loaded they are; the others sleep.
 */
troupe_status directory_roles_start(troupe_self *self, struct directory_actor *directory);
/** Wakes the roles to which time does something now. */
void directory_wake_due(troupe_self *self, struct directory_actor *directory);
/** Sees to it that directory_wake_due runs at the next due moment. */
troupe_status directory_set_alarm(troupe_self *self, struct directory_actor *directory);
/** Sees to it that a role has an actor, and that it is set up anew. */
troupe_status directory_role_changed(troupe_self *self, struct directory_actor *directory, const char *name);
/** The entry of a role, or NULL. */
struct directory_entry *directory_entry_find(const struct directory_actor *directory, const char *name);
/** The same, made when it is missing; NULL when out of memory. */
struct directory_entry *directory_entry_of(struct directory_actor *directory, const char *name);
/** A role says how loaded it is. */
troupe_status directory_role_loaded(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message, const role_load *load);
/** A role says that its actor has failed and it is the next, or that it refuses everything. */
void directory_role_restarted(troupe_self *self, struct directory_actor *directory, const char *role);
troupe_status directory_role_barred(struct directory_actor *directory, const troupe_message *message,
                                    const role_barred *barred);
/** Sets up as many roles as the window lets. */
troupe_status directory_configure_some(troupe_self *self, struct directory_actor *directory);
/** Somebody has to be awake for it at this time; SUMMARY_NEVER: at none. */
troupe_status directory_note_due(struct directory_actor *directory, struct directory_entry *entry,
                                 int64_t due);
/** Frees all entries. */
void directory_roles_done(troupe_self *self, struct directory_actor *directory);

/* --- directory_wake.c: an actor for a role, under its team's supervisor ------------------------ */

/** Sees to it that a role has an actor, if it has none. That it failed is tried again by itself. */
troupe_status directory_wake(troupe_self *self, struct directory_entry *entry);
/** The same, and answers role_exists when it has, or refuses with TROUPE_NO_ACTOR: ask again. */
troupe_status directory_wake_for(troupe_self *self, struct directory_entry *entry, troupe_asker asker);
/** It is awake: whoever waits for that is told. */
void directory_woken(troupe_self *self, struct directory_entry *entry);
/** Tells whoever waits that the directory ends. */
void directory_wakers_done(troupe_self *self, struct directory_entry *entry);

/* --- directory_presence.c: who comes and goes -------------------------------------------------- */

/**
 * Sets up the roles of whoever came or went since the last look, and sees to it that it looks again in time.
 */
troupe_status directory_look_who_is_there(troupe_self *self, struct directory_actor *directory);
/** A calendar has changed: its actor's roles are set up anew, and the next look may be earlier. */
troupe_status directory_calendar_changed(troupe_self *self, struct directory_actor *directory,
                                         const char *actor);
/** Sees to it that every role an actor is in the succession of is set up anew. */
troupe_status directory_roles_of_actor_changed(troupe_self *self, struct directory_actor *directory,
                                               const char *actor);

/* --- directory_calendar.c: calendars that are kept elsewhere ------------------------------------ */

troupe_status directory_answer_person(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message, const calendar_person *asked);
troupe_status directory_begin_absences(troupe_self *self, struct directory_actor *directory,
                                       const troupe_message *message, const directory_absences *asked);

/* --- directory_view.c: answers from what is known --------------------------------------------- */

troupe_status directory_answer_caller(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message, const caller_check *check);
troupe_status directory_answer_who(troupe_self *self, struct directory_actor *directory,
                                   const troupe_message *message, const directory_who *who);
troupe_status directory_answer_roles_of(troupe_self *self, struct directory_actor *directory,
                                        const troupe_message *message, const roles_of *of);
/** What directory_readable.c answers. */
troupe_status directory_answer_readable(troupe_self *self, struct directory_actor *directory,
                                        const troupe_message *message, const directory_readable *asked);
/** What a role says of failures: of its own, and of those it supervises. */
troupe_status directory_answer_rules(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const failure_rules *asked);
troupe_status directory_answer_actors(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message);
troupe_status directory_answer_tree(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message, const directory_tree *asked);
troupe_status directory_answer_owner(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_owner *asked);
/** Says no. */
void directory_deny(troupe_self *self, troupe_asker asker, const struct problem *problem);

/* --- directory_desks.c: a desk for everybody who works here ------------------------------------ */

/** Answers caller_known for an actor when its desk is there, which is made when it is not. */
troupe_status directory_admit(troupe_self *self, struct directory_actor *directory, const char *actor,
                              const struct directory_caller *caller);
/** The server stops: nobody is kept waiting any longer. */
void directory_hurry_desks(troupe_self *self, struct directory_actor *directory);
/** Tells whoever waits that the directory ends, and forgets the desks. */
void directory_desks_done(troupe_self *self, struct directory_actor *directory);

/* --- directory_change.c: decoding and deciding changes ---------------------------------------- */

troupe_status directory_begin_change(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_change *asked);
troupe_status directory_begin_own(troupe_self *self, struct directory_actor *directory,
                                  const troupe_message *message, const directory_own *own);
/** Decides and folds one command; false with the problem stated when it is refused or cannot be decided. */
bool directory_decide(troupe_self *self, struct directory_actor *directory,
                      const struct org_directory_command *command, struct org_directory_answer *ret_answer,
                      struct problem *problem);
/** As directory_decide, but the roles do not hear of it before directory_follow. */
bool directory_try(troupe_self *self, struct directory_actor *directory,
                   const struct org_directory_command *command, struct org_directory_answer *ret_answer,
                   struct problem *problem);
/** Tells the roles of whatever the batch says from byte `from` on. */
troupe_status directory_follow(troupe_self *self, struct directory_actor *directory, size_t from);
/** A new task at the end of the others; NULL when out of memory: the asker has been refused then. */
struct directory_task *directory_task_new(troupe_self *self, struct directory_actor *directory,
                                          troupe_asker asker);
void directory_task_free(struct directory_task *task);
/** Answers, in order, the tasks whose time has come. */
void directory_settle_tasks(troupe_self *self, struct directory_actor *directory);
/** Asks for another look at what could not go on, a little later. */
troupe_status directory_try_later(troupe_self *self, struct directory_actor *directory);

/* --- directory_import.c: many at once --------------------------------------------------------- */

/** Decides an organisation's actors, roles and domains; its messages wait in the change. */
void directory_import_organisation(troupe_self *self, struct directory_actor *directory,
                                   struct directory_task *task, const struct org_who *who);
/** Sends what messages it has; true when none is left and the change can be answered. */
bool directory_import_send(troupe_self *self, struct directory_task *task);

/* --- directory_figures.c: how much people have to do --------------------------------------------- */

troupe_status directory_answer_figures(troupe_self *self, struct directory_actor *directory,
                                       const troupe_message *message, const directory_figures *asked);

/* --- directory_health.c: what troubles the organisation ---------------------------------------- */

troupe_status directory_begin_health(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_health *asked);
/** Ends all looks, because the directory ends. */
void directory_healths_done(troupe_self *self, struct directory_actor *directory);
/** Whether a role has an alarm: by itself, or because nobody holds it. */
bool directory_has_alarm(const struct directory_actor *directory, const struct directory_entry *entry);
/** How many have one. */
size_t directory_alarms(struct directory_actor *directory);

/* --- directory_check.c: is everything accounted for? ------------------------------------------ */

/** Ends all checks, because the directory ends. */
void directory_checks_done(troupe_self *self, struct directory_actor *directory);
troupe_status directory_begin_check(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message);

#endif

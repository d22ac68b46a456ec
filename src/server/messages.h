/* SPDX-License-Identifier: MIT */
/*
 * messages.h: what the actors of the server say to each other, in one place, so that a reader can follow a
 * request through them. What answers a question stands with it; each may also be answered with `denied`, or
 * end without an answer when an actor ends: whoever asks then asks again, and every command here may be
 * repeated without harm.
 *
 *   http --caller_check--> directory          http --role_send--> role         http --desk_*--> desk
 *   desk --desk_roles--> directory            desk --role_look, role_next, role_about--> role
 *   directory --role_configure--> role        role --role_deliver--> role      role --role_load--> directory
 *
 * Bytes that must be aligned come first among the fields that vary, in a struct whose size is a multiple of
 * 8.
 */
#ifndef SERVER_MESSAGES_H
#define SERVER_MESSAGES_H

#include <troupe.h>

/** Names of actors that are none of the organisation's: no role's name can begin like that. */
#define NAME_DIRECTORY "#directory"
#define NAME_JOURNAL "#journal"
#define NAME_HTTP "#http"
#define NAME_CALENDARS "#calendars"

/** The stream of the organisation's own events. */
#define STREAM_ORGANISATION "organisation"

/** What the name of a role's stream begins with. */
#define ROLE_STREAM_PREFIX "role/"

/**
 * The body of one message; smaller than what the organisation itself bears, so that a hundred fit a request.
 */
#define MESSAGE_BODY_MAX ((size_t)256 << 10)

/* --- answers ---------------------------------------------------------------------------------- */

/** No, and why: a problem (problem.h) on its way to the caller. */
#define DENIED(F) F(u64, retry_after_ms) F(u32, kind) F(text, detail)
TROUPE_MESSAGE(denied, DENIED)

/** Yes: an HTTP status and the JSON that goes with it. */
#define ANSWERED(F) F(bytes, json) F(u32, status)
TROUPE_MESSAGE(answered, ANSWERED)

/* --- to a role -------------------------------------------------------------------------------- */

/**
 * A new message from outside; answered with the receipt. `id` is fresh when it is first said, and the same
 * when it is repeated, by which the role knows the repetition.
 */
#define ROLE_SEND(F)                                                                                         \
    F(u64, id)                                                                                               \
    F(u64, thread)                                                                                           \
    F(u64, in_reply_to)                                                                                      \
    F(i64, deadline)                                                                                         \
    F(text, actor)                                                                                           \
    F(text, via)                                                                                             \
    F(text, sender)                                                                                          \
    F(text, key)                                                                                             \
    F(text, subject)                                                                                         \
    F(text, body)                                                                                            \
    F(text, attachments)                                                                                     \
    F(u8, message_class)                                                                                     \
    F(bool, is_person)                                                                                       \
    F(bool, is_insisted)
TROUPE_MESSAGE(role_send, ROLE_SEND)

/**
 * When the actor works, for leases and ageing: an org_hours, its zone by name; `days` 0: always. And what it
 * is: `worker` is 1 + its org_holder_kind, 0 where that is not known.
 */
#define WORKING_HOURS(F) F(text, zone) F(u32, from_minute) F(u32, to_minute) F(u8, days) F(u8, worker)

/**
 * The actor asks for work. Answer: role_took; `kind` is an org_answer_kind, `json` the message when one was
 * taken. The same `asking` again, unless it is 0, gets the message it was given, as long as it is held.
 */
#define ROLE_NEXT(F)                                                                                         \
    F(text, actor) F(text, via) F(u64, asking) F(u32, wip_limit) F(u32, held_elsewhere) WORKING_HOURS(F)
TROUPE_MESSAGE(role_next, ROLE_NEXT)
#define ROLE_TOOK(F) F(u64, id) F(i64, held_since) F(bytes, json) F(u32, kind)
TROUPE_MESSAGE(role_took, ROLE_TOOK)

/**
 * Done, decline, forward, renew and the like; `command` is an org_command_kind. Answered with the outcome.
 */
#define ROLE_ABOUT(F)                                                                                        \
    F(u64, id)                                                                                               \
    F(u64, awaits)                                                                                           \
    F(i64, until)                                                                                            \
    F(i64, after_ms)                                                                                         \
    F(i64, held_since)                                                                                       \
    F(u32, exit_status)                                                                                      \
    F(text, signal)                                                                                          \
    F(text, output)                                                                                          \
    F(u32, command)                                                                                          \
    F(u32, action)                                                                                           \
    F(text, actor)                                                                                           \
    F(text, via)                                                                                             \
    F(text, text)                                                                                            \
    F(text, to)                                                                                              \
    WORKING_HOURS(F)                                                                                         \
    F(bool, is_crash)                                                                                        \
    F(bool, is_administrator)
TROUPE_MESSAGE(role_about, ROLE_ABOUT)

/**
 * What the actor holds here and could take next. With `all` the whole queue counts, also what only others may
 * take. With `wants_wake` the asker is sent a role_stirred, once, when something new may be taken.
 */
#define ROLE_LOOK(F)                                                                                         \
    F(text, actor) F(u32, limit) WORKING_HOURS(F) F(bool, all) F(bool, with_json) F(bool, wants_wake)
TROUPE_MESSAGE(role_look, ROLE_LOOK)

/**
 * One message of a role_sight. `rank` is its class, one higher when it has aged; the JSON is at `offset` of
 * `json`.
 */
struct sight_entry {
    uint64_t id;
    int64_t at;
    int64_t held_since; /* 0: it is queued */
    uint64_t asking;    /* that it was given out for; 0: not known */
    uint32_t offset;
    uint32_t size;
    uint32_t rank;
    uint32_t is_held;
};

/**
 * The answer: an array of sight_entry, those held first, and their JSON. `total` counts all that wait, also
 * unlisted.
 */
#define ROLE_SIGHT(F) F(u64, total) F(bytes, entries) F(bytes, json)
TROUPE_MESSAGE(role_sight, ROLE_SIGHT)
TROUPE_MESSAGE_EMPTY(role_stirred)

/** Was this message ever here? Answer: role_knows. */
#define ROLE_WHERE(F) F(u64, id)
TROUPE_MESSAGE(role_where, ROLE_WHERE)
#define ROLE_KNOWS(F) F(bool, is_known)
TROUPE_MESSAGE(role_knows, ROLE_KNOWS)

/**
 * One message, for whoever may see it. Answered with it or, when it has ended, role_ended: its state, the
 * number of the stream's last record, and whether the actor may read everything that is here.
 */
#define ROLE_READ(F) F(u64, id) F(text, actor)
TROUPE_MESSAGE(role_read, ROLE_READ)
#define ROLE_ENDED(F) F(u64, last_seq) F(u32, state) F(bool, may_read)
TROUPE_MESSAGE(role_ended, ROLE_ENDED)

/**
 * What is the role like, as this actor may see it? Answered. The rest is what the directory knows of it: a
 * failure_rules_are.
 */
#define ROLE_DESCRIBE(F) F(text, actor) F(text, rules) F(bool, is_administrator) F(u8, own)
TROUPE_MESSAGE(role_describe, ROLE_DESCRIBE)

/**
 * An entry of the outbox of the stream `source`: an org_sent, flat. Answer: role_delivered; `refusal` is an
 * org_refusal.
 */
#define ROLE_DELIVER(F) F(bytes, sent) F(text, source)
TROUPE_MESSAGE(role_deliver, ROLE_DELIVER)
#define ROLE_DELIVERED(F) F(u64, id) F(u32, refusal)
TROUPE_MESSAGE(role_delivered, ROLE_DELIVERED)

/**
 * How the role is set up, whole; `holders` one a line, and `absent` those of them who are away now; `keeps`
 * what these keep for themselves meanwhile, of whatever role: the id of a message and until when (0: nobody
 * knows) a line. The same again changes nothing. Answered.
 */
#define ROLE_CONFIGURE(F)                                                                                    \
    F(u64, seed, 2)                                                                                          \
    F(u64, bytes_max)                                                                                        \
    F(i64, lease_ms)                                                                                         \
    F(i64, ageing_ms)                                                                                        \
    F(text, actor)                                                                                           \
    F(text, supervisor)                                                                                      \
    F(text, holders)                                                                                         \
    F(text, absent)                                                                                          \
    F(text, keeps)                                                                                           \
    F(text, redirect_to)                                                                                     \
    F(u32, capacity)                                                                                         \
    F(i64, refusals_period_ms)                                                                               \
    F(i64, failures_period_ms)                                                                               \
    F(u32, refusals_max)                                                                                     \
    F(u32, failures_max)                                                                                     \
    F(u8, holder_kind)                                                                                       \
    F(u8, overflow)                                                                                          \
    F(u8, on_fail)                                                                                           \
    F(u8, on_lapse)                                                                                          \
    F(u8, on_crash)                                                                                          \
    F(u8, on_absent)                                                                                         \
    F(u8, on_overflow)                                                                                       \
    F(bool, is_readable)
TROUPE_MESSAGE(role_configure, ROLE_CONFIGURE)

/** The counters of a role, in the order of conservation; see org_counts. */
#define ROLE_COUNTERS(F)                                                                                     \
    F(u64, accepted)                                                                                         \
    F(u64, queued)                                                                                           \
    F(u64, held)                                                                                             \
    F(u64, parked)                                                                                           \
    F(u64, quarantined)                                                                                      \
    F(u64, done)                                                                                             \
    F(u64, declined)                                                                                         \
    F(u64, forwarded)                                                                                        \
    F(u64, expired)                                                                                          \
    F(u64, shed)

/** To a role: go through everything. Answer: role_audited, with a reason when it does not hold. */
TROUPE_MESSAGE_EMPTY(role_audit)
#define ROLE_AUDITED(F) ROLE_COUNTERS(F) F(u64, owed) F(text, reason) F(bool, is_sound)
TROUPE_MESSAGE(role_audited, ROLE_AUDITED)

/**
 * To a role: which messages are beyond their deadline? Answered with a JSON array.
 */
TROUPE_MESSAGE_EMPTY(role_late)

/** To a role, from a directory that was started anew: say again how loaded you are. */
TROUPE_MESSAGE_EMPTY(role_report)

/**
 * To the directory, whenever it has changed, once when the role has read its stream, and when it goes to
 * sleep: how loaded it is. `due_at` is when time does something to it by itself, INT64_MAX for never;
 * `timed` how many messages could be late (role_late);
 * the next three are those of org_role_waiting.
 */
#define ROLE_LOAD(F)                                                                                         \
    ROLE_COUNTERS(F)                                                                                         \
    F(u64, owed)                                                                                             \
    F(u64, last_id)                                                                                          \
    F(i64, oldest_at)                                                                                        \
    F(i64, due_at)                                                                                           \
    F(u64, occupied)                                                                                         \
    F(u64, timed)                                                                                            \
    F(i64, waiting_at)                                                                                       \
    F(u64, urgent)                                                                                           \
    F(u64, urgent_last)                                                                                      \
    F(text, role)                                                                                            \
    F(text, holder)                                                                                          \
    F(text, reason) F(u32, capacity) F(bool, is_sound) F(bool, is_asleep) F(bool, has_alarm)
TROUPE_MESSAGE(role_load, ROLE_LOAD)

/** To the directory: a role's actor has failed, and this is the next one. */
#define ROLE_RESTARTED(F) F(text, role)
TROUPE_MESSAGE(role_restarted, ROLE_RESTARTED)

/** To the directory: the role refuses everything until then, for this reason. */
#define ROLE_BARRED(F) F(i64, until) F(text, role) F(text, reason)
TROUPE_MESSAGE(role_barred, ROLE_BARRED)

/** To the directory: is there a role of that name? It is awake when the answer comes. Answer: role_exists. */
#define ROLE_SEARCH(F) F(text, role)
TROUPE_MESSAGE(role_search, ROLE_SEARCH)
#define ROLE_EXISTS(F) F(bool, is_known)
TROUPE_MESSAGE(role_exists, ROLE_EXISTS)

/**
 * To the directory: what does it say of failures? Answer: its rules for those it supervises, as in
 * org/failure_rules.h, and a bit for each kind of which the role itself says what is done. "" and 0 when
 * there is no such role.
 */
#define FAILURE_RULES(F) F(text, role)
TROUPE_MESSAGE(failure_rules, FAILURE_RULES)
#define FAILURE_RULES_ARE(F) F(text, rules) F(u8, own)
TROUPE_MESSAGE(failure_rules_are, FAILURE_RULES_ARE)

/* --- to a desk -------------------------------------------------------------------------------- */

/**
 * Work, from any of the actor's roles or from the one named; waits up to `wait_ms` for some. With `is_end`
 * none is wanted any more: those requests that wait for the same are answered at once. Answered: 200 with the
 * messages, 204. `asking` is the same when it is asked again, and 0 when that will not be.
 */
#define DESK_NEXT(F)                                                                                         \
    F(text, via) F(text, role) F(u64, asking) F(u32, wait_ms) F(u32, wip_limit) F(bool, is_end)
TROUPE_MESSAGE(desk_next, DESK_NEXT)

/**
 * As role_about, for a message in whichever of the actor's roles it is; with `and_next` followed by a
 * desk_next. Answered.
 */
#define DESK_ABOUT(F)                                                                                        \
    F(u64, id)                                                                                               \
    F(u64, awaits)                                                                                           \
    F(i64, until)                                                                                            \
    F(i64, after_ms)                                                                                         \
    F(i64, held_since)                                                                                       \
    F(u32, exit_status)                                                                                      \
    F(text, signal)                                                                                          \
    F(text, output)                                                                                          \
    F(u32, command)                                                                                          \
    F(u32, action)                                                                                           \
    F(text, via)                                                                                             \
    F(text, text)                                                                                            \
    F(text, to)                                                                                              \
    F(u32, wip_limit)                                                                                        \
    F(u64, asking)                                                                                           \
    F(bool, is_crash)                                                                                        \
    F(bool, and_next)
TROUPE_MESSAGE(desk_about, DESK_ABOUT)

/** What is held, and what waits: in all of the actor's roles, or in the one named. Answered. */
#define DESK_INBOX(F) F(text, role) F(u32, limit)
TROUPE_MESSAGE(desk_inbox, DESK_INBOX)

/** The server stops: nobody is kept waiting any longer. */
TROUPE_MESSAGE_EMPTY(desk_hurry)

/* --- to the reader of calendars --------------------------------------------------------------- */

/**
 * An iCalendar file of somebody with this zone and address; `calendar` is its name, "" for the one it has
 * itself. Answer: calendar_absences, or denied with what is wrong in which line.
 */
#define CALENDAR_READ(F) F(bytes, file) F(text, zone) F(text, mail) F(text, calendar)
TROUPE_MESSAGE(calendar_read, CALENDAR_READ)
/** As in directory_absences. */
#define CALENDAR_ABSENCES(F)                                                                                 \
    F(bytes, sources) F(bytes, absences) F(text, calendar) F(u32, events) F(u32, away)
TROUPE_MESSAGE(calendar_absences, CALENDAR_ABSENCES)

/* --- to the directory ------------------------------------------------------------------------- */

/** What a directory_change changes. */
enum directory_change_kind {
    CHANGE_ACTOR = 0,
    CHANGE_TOKEN,
    CHANGE_ROLE,
    CHANGE_DOMAIN,
    CHANGE_HOLDERS,
    CHANGE_ROLE_AGAIN,
    CHANGE_TRANSFER,
    CHANGE_REVOKE,
    CHANGE_PRESENCE,
    CHANGE_CALENDAR,
    CHANGE_NOTICES,
    CHANGE_LEAVE,
    CHANGE_IMPORT_ORGANISATION,
    CHANGE_IMPORT_MAINTAINERS,
    CHANGE_KIND_COUNT,
};

/**
 * A change, mostly an administrator's: `body` is what was sent, JSON or, of MAINTAINERS, the file; `scopes`
 * are the caller's (scope.h). Answered.
 */
#define DIRECTORY_CHANGE(F)                                                                                  \
    F(bytes, body) F(text, actor) F(text, via) F(text, team) F(u32, kind) F(u8, scopes)
TROUPE_MESSAGE(directory_change, DIRECTORY_CHANGE)

/**
 * Whose calendar is to be brought along, in which zone is it, and what is its address? Answer:
 * calendar_person_is, or denied when `by` may not change that calendar.
 */
#define CALENDAR_PERSON(F) F(text, actor) F(text, by)
TROUPE_MESSAGE(calendar_person, CALENDAR_PERSON)
#define CALENDAR_PERSON_IS(F) F(text, zone) F(text, mail)
TROUPE_MESSAGE(calendar_person_is, CALENDAR_PERSON_IS)

/**
 * What a calendar said of the absences of `person`: `sources` has uint64_t, `absences` struct
 * org_imported_absence; `calendar` and the numbers are for the answer. Answered.
 */
#define DIRECTORY_ABSENCES(F)                                                                                \
    F(bytes, sources)                                                                                        \
    F(bytes, absences)                                                                                       \
    F(text, actor) F(text, via) F(text, person) F(text, calendar) F(u32, events) F(u32, away)
TROUPE_MESSAGE(directory_absences, DIRECTORY_ABSENCES)

/** Who is this, which roles has it, and what is the token good for? Answered. */
#define DIRECTORY_WHO(F) F(text, actor) F(u8, scopes)
TROUPE_MESSAGE(directory_who, DIRECTORY_WHO)

/** All actors. Answered. */
TROUPE_MESSAGE_EMPTY(directory_actors)

/**
 * The roles with their loads. Answer: directory_tree_is; with the tag it has now nothing else comes. Some
 * 60,000 roles are more than a body takes, so the JSON is a blob.
 */
#define DIRECTORY_TREE(F) F(text, tag)
TROUPE_MESSAGE(directory_tree, DIRECTORY_TREE)
#define DIRECTORY_TREE_IS(F) F(blob, json) F(text, tag) F(bool, is_same)
TROUPE_MESSAGE(directory_tree_is, DIRECTORY_TREE_IS)

/** Who owns a path? Answered. */
#define DIRECTORY_OWNER(F) F(text, path) F(bool, all)
TROUPE_MESSAGE(directory_owner, DIRECTORY_OWNER)

/** What troubles the organisation, or soon may, as this actor may know it? Answered. */
#define DIRECTORY_HEALTH(F) F(text, actor)
TROUPE_MESSAGE(directory_health, DIRECTORY_HEALTH)

/**
 * Which notices went out to this actor after the one with this number? Waits up to `wait_ms` for one.
 * Answered.
 */
#define DIRECTORY_NOTICES_AFTER(F) F(u64, after) F(text, actor) F(u32, wait_ms)
TROUPE_MESSAGE(directory_notices_after, DIRECTORY_NOTICES_AFTER)

/** How much this actor has to do or, together, the people of a team ("": of none)? Answered. */
#define DIRECTORY_FIGURES(F) F(text, actor) F(text, team)
TROUPE_MESSAGE(directory_figures, DIRECTORY_FIGURES)

/** Is every message accounted for, in every role? Answered. */
TROUPE_MESSAGE_EMPTY(directory_check)

/**
 * At the start: whoever has this token is an administrator; the actor is made when it is missing. Answer:
 * directory_owned.
 */
#define DIRECTORY_OWN(F) F(bytes, hash) F(text, actor)
TROUPE_MESSAGE(directory_own, DIRECTORY_OWN)

/** `is_empty`: there is nobody else, and no role. */
#define DIRECTORY_OWNED(F) F(bool, is_empty)
TROUPE_MESSAGE(directory_owned, DIRECTORY_OWNED)

/** The server stops: desks are to keep nobody waiting. */
TROUPE_MESSAGE_EMPTY(directory_hurry)

/**
 * In which roles' successions is the actor, and when does it work? Answer: roles_are, one a line, its
 * personal role among them; `quiet` has a character for each, in their order: ROLE_QUIET when it sleeps and
 * nothing waits or is held there, so that who looks for work need not wake it.
 */
#define ROLES_OF(F) F(text, actor)
TROUPE_MESSAGE(roles_of, ROLES_OF)
#define ROLES_ARE(F) F(text, roles) F(text, quiet) WORKING_HOURS(F)
#define ROLE_QUIET 'q'
#define ROLE_STIRRING 's'
TROUPE_MESSAGE(roles_are, ROLES_ARE)

/**
 * In which roles may the actor read every message? Answer: readable_are, their streams, one a line, in the
 * order of their bytes; of open roles the first READABLE_OPEN_MAX. With a `role`: that one, or none, and
 * `is_known` says whether there is such a role.
 */
#define DIRECTORY_READABLE(F) F(text, actor) F(text, role)
TROUPE_MESSAGE(directory_readable, DIRECTORY_READABLE)
#define READABLE_OPEN_MAX 4096
#define READABLE_ARE(F) F(text, streams) F(bool, is_known)
TROUPE_MESSAGE(readable_are, READABLE_ARE)

/**
 * Whose token has this hash, and may it act as `as` ("": as itself)? Answer: caller_known, with the token's
 * scopes (scope.h); the actor's desk (desk.h) is there then.
 */
#define CALLER_CHECK(F) F(bytes, hash) F(text, as)
TROUPE_MESSAGE(caller_check, CALLER_CHECK)
#define CALLER_KNOWN(F)                                                                                      \
    F(text, actor)                                                                                           \
    F(text, through)                                                                                         \
    F(u32, wip_limit) F(u8, scopes) F(bool, is_administrator) F(bool, is_program)
TROUPE_MESSAGE(caller_known, CALLER_KNOWN)

#endif

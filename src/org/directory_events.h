/* SPDX-License-Identifier: MIT */
/*
 * directory_events.h: what can happen to the organisation's tree, as flat messages of the stream
 * "organisation".
 *
 * Place: directory_decide writes them, the journal keeps them, directory_fold reads them. A type is never
 * renamed and its fields never change; what must change gets a new version, and both are read. `at` is Unix
 * milliseconds, `by` the actor who did it and `via` the administrator who did it for them, or "". Each "set"
 * holds the whole thing: it makes it or replaces it.
 */
#ifndef ORG_DIRECTORY_EVENTS_H
#define ORG_DIRECTORY_EVENTS_H

#include <troupe/message.h>

/** An actor, and with it its personal role, whose supervisor is `team`, or the root when that is "". */
#define ORG_ACTOR_SET(F)                                                                                     \
    F(i64, at)                                                                                               \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, name)                                                                                            \
    F(text, display)                                                                                         \
    F(text, mail)                                                                                            \
    F(text, team)                                                                                            \
    F(u32, wip_limit)                                                                                        \
    F(u8, kind)                                                                                              \
    F(bool, is_administrator)
TROUPE_MESSAGE(org_actor_set, ORG_ACTOR_SET)

/**
 * A role. The root has the parent "". `holders` are actors, one a line; zeros are the defaults of
 * org_role_configured.
 */
#define ORG_ROLE_SET(F)                                                                                      \
    F(i64, at)                                                                                               \
    F(u64, bytes_max)                                                                                        \
    F(i64, lease_ms)                                                                                         \
    F(i64, ageing_ms)                                                                                        \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, name)                                                                                            \
    F(text, title)                                                                                           \
    F(text, parent)                                                                                          \
    F(text, supervisor)                                                                                      \
    F(text, holders)                                                                                         \
    F(text, redirect_to)                                                                                     \
    F(u32, capacity)                                                                                         \
    F(u8, overflow)                                                                                          \
    F(u8, on_fail)                                                                                           \
    F(u8, on_lapse)                                                                                          \
    F(u8, on_crash)                                                                                          \
    F(bool, is_team)
TROUPE_MESSAGE(org_role_set, ORG_ROLE_SET)

/**
 * What else a role goes by, whole: trouble of it as a whole, as in org_role_rules, and whether everybody may
 * read what is in it. Zeros are the defaults.
 */
#define ORG_ROLE_RULED(F)                                                                                    \
    F(i64, at)                                                                                               \
    F(i64, refusals_period_ms)                                                                               \
    F(i64, failures_period_ms)                                                                               \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, name)                                                                                            \
    F(u32, refusals_max)                                                                                     \
    F(u32, failures_max) F(u8, on_absent) F(u8, on_overflow) F(bool, is_readable)
TROUPE_MESSAGE(org_role_ruled, ORG_ROLE_RULED)

/**
 * What a supervisor does about the failures of its children, whole: rules as in failure_rules.h, "" for none.
 * Without one: none.
 */
#define ORG_FAILURE_RULES_SET(F) F(i64, at) F(text, by) F(text, via) F(text, name) F(text, rules)
TROUPE_MESSAGE(org_failure_rules_set, ORG_FAILURE_RULES_SET)

/**
 * A domain and its owner. `patterns` has a rule a line: a letter for how it is written (F files, N name, O
 * owners), "!" when it excludes, the line it came from, and the pattern, with single spaces: "F 12
 * drivers/net/", "O! 0 docs/secret".
 */
#define ORG_DOMAIN_SET(F)                                                                                    \
    F(i64, at)                                                                                               \
    F(text, by) F(text, via) F(text, name) F(text, title) F(text, owner) F(text, note) F(text, patterns)
TROUPE_MESSAGE(org_domain_set, ORG_DOMAIN_SET)

/** A domain has another owner. */
#define ORG_DOMAIN_TRANSFERRED(F) F(i64, at) F(text, by) F(text, via) F(text, name) F(text, owner)
TROUPE_MESSAGE(org_domain_transferred, ORG_DOMAIN_TRANSFERRED)

/**
 * When an actor works and is away, whole. `days` 0: no hours are stated. `absences` has one a line: when it
 * begins and ends, in Unix milliseconds, 0 for an end that is not known. `is_gone`: it left for good.
 */
#define ORG_CALENDAR_SET(F)                                                                                  \
    F(i64, at)                                                                                               \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, actor)                                                                                           \
    F(text, zone) F(text, absences) F(u32, from_minute) F(u32, to_minute) F(u8, days) F(bool, is_gone)
TROUPE_MESSAGE(org_calendar_set, ORG_CALENDAR_SET)

/**
 * Messages that an actor keeps for itself during the absence that begins at this moment: `messages` has the
 * id of one a line. Each is parked by the role in which the actor holds it.
 */
#define ORG_KEPT(F) F(i64, at) F(text, by) F(text, via) F(text, actor) F(text, messages)
TROUPE_MESSAGE(org_kept, ORG_KEPT)

/** Which notices an actor wants: an org_notices, and the minute of the day of a digest. */
#define ORG_NOTICES_SET(F)                                                                                   \
    F(i64, at) F(text, by) F(text, via) F(text, actor) F(u32, digest_minute) F(u8, choice)
TROUPE_MESSAGE(org_notices_set, ORG_NOTICES_SET)

/**
 * A notice goes out to an actor: the `number`th, of this kind, an org_notices. `roles` has what waits, a role
 * a line: its name, how many messages wait, when the oldest of them came, how many are urgent, and up to
 * which number its urgent messages are told of by now. A role with no message is not told of; its line keeps
 * the last figure. `digest_at` is when the last digest went out, 0 for never.
 */
#define ORG_NOTICED(F)                                                                                       \
    F(i64, at)                                                                                               \
    F(i64, digest_at) F(u64, number) F(text, by) F(text, via) F(text, actor) F(text, roles) F(u8, kind)
TROUPE_MESSAGE(org_noticed, ORG_NOTICED)

/**
 * An actor's absences that came from calendars kept elsewhere, whole. One a line, as in org_calendar_set but
 * with an end, and after it the number of the source it came from, 16 hexadecimal digits.
 */
#define ORG_ABSENCES_IMPORTED(F) F(i64, at) F(text, by) F(text, via) F(text, actor) F(text, absences)
TROUPE_MESSAGE(org_absences_imported, ORG_ABSENCES_IMPORTED)

/** A token: only its hash. `expires_at` 0 is never. `scopes` are words separated by spaces, "" for all. */
#define ORG_TOKEN_ADDED(F)                                                                                   \
    F(i64, at)                                                                                               \
    F(i64, expires_at) F(text, by) F(text, via) F(text, actor) F(text, scopes) F(text, label) F(u8, hash, 32)
TROUPE_MESSAGE(org_token_added, ORG_TOKEN_ADDED)

/** A token is good no longer. */
#define ORG_TOKEN_REVOKED(F) F(i64, at) F(text, by) F(text, via) F(u8, hash, 32)
TROUPE_MESSAGE(org_token_revoked, ORG_TOKEN_REVOKED)

#endif

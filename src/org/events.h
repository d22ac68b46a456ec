/* SPDX-License-Identifier: MIT */
/*
 * events.h: what can happen in a role's stream, as flat messages. The stream is the truth: a role's state is
 * the fold of these records and nothing else, and any list, search or audit reads them too.
 *
 * Place: role_decide writes them, the journal keeps them, role_fold reads them; the server shows them. A type
 * is stored by its id (a hash of its name) and version, so a type is never renamed and its fields never
 * change: what must change gets a new version and both are read.
 *
 * In all of them: `at` is Unix milliseconds; `by` is the actor who did it ("" when the time did), `via` the
 * administrator who did it for them, or ""; `id` is a message of this stream. Addresses are role names
 * (name.h).
 *
 *     accepted -> taken -> done | declined | forwarded
 *                  |  \-> parked -> returned, quarantined, expired
 *                  \----> returned (to the queue) | quarantined -> returned, done, declined
 *     accepted -> expired | shed
 *     sent -> delivered                     what this role owes to another one, until that one has it
 *     opened, configured, rules, readable, presence   the role itself
 *     refused, reported -> troubled         what is counted, and what came of it
 *     handed_over                           a note for whoever holds the role next
 *     resolved                              what the supervisor answered, just before it is carried out
 */
#ifndef ORG_EVENTS_H
#define ORG_EVENTS_H

#include <troupe/message.h>

/** Where a message is in its life. Stored; the last five are final. */
enum org_state {
    ORG_QUEUED = 1,
    ORG_HELD = 2,
    ORG_PARKED = 3,
    ORG_QUARANTINED = 4,
    ORG_DONE = 5,
    ORG_DECLINED = 6,
    ORG_FORWARDED = 7,
    ORG_EXPIRED = 8,
    ORG_SHED = 9,
};

/** How soon a message is taken. Stored; a higher one goes first. */
enum org_class {
    ORG_BULK = 0,
    ORG_NORMAL = 1,
    ORG_URGENT = 2,
    ORG_CLASS_COUNT = 3,
};

/** What a message is. Stored. Only the first can be refused or shed, and only it has a final notice. */
enum org_kind {
    ORG_KIND_MESSAGE = 0,
    ORG_KIND_ANSWER = 1,     /* the final notice: `outcome` says how the message `origin` ended */
    ORG_KIND_ESCALATION = 2, /* a message of the role `origin`, which failed there, for its supervisor */
    ORG_KIND_RESOLUTION = 3, /* what the supervisor wants done with it; never waits in a queue */
    ORG_KIND_NOTICE = 4,     /* the role `origin` is in trouble as a whole: `outcome` is an org_trouble */
    ORG_KIND_REPORT = 5,     /* a message failed there and was seen to there; counted, never in a queue */
};

/** Why a message went back, or was set aside. Stored. */
enum org_cause {
    ORG_CAUSE_FAIL = 1,     /* its holder said so */
    ORG_CAUSE_LAPSE = 2,    /* the lease ended */
    ORG_CAUSE_CRASH = 3,    /* the program that held it died */
    ORG_CAUSE_DEFER = 4,    /* its holder put it off, to a date */
    ORG_CAUSE_WAKE = 5,     /* that date came, or a backoff is over */
    ORG_CAUSE_ABSENCE = 6,  /* its holder went away, or is in the succession no more */
    ORG_CAUSE_RESOLVED = 7, /* the supervisor said so */
};

/** What is done about a failure. Stored; 0 in a configuration means the default for that kind of failure. */
enum org_action {
    ORG_ACTION_RETRY = 1,
    ORG_ACTION_REASSIGN = 2,
    ORG_ACTION_ESCALATE = 3,
    ORG_ACTION_DECLINE = 4,
    ORG_ACTION_DONE = 5, /* only as a supervisor's answer */
};

/** What can be wrong with a role as a whole. Stored. */
enum org_trouble {
    ORG_TROUBLE_ABSENT = 1,    /* nobody in the succession is present, and messages wait */
    ORG_TROUBLE_OVERFLOW = 2,  /* too many senders were refused in a period */
    ORG_TROUBLE_INTENSITY = 3, /* too many failures in a period in the roles that it supervises */
};

/** What holds a role: people are asked and given days, programs are refused and given minutes. Stored. */
enum org_holder_kind {
    ORG_PERSON = 0,
    ORG_PROGRAM = 1,
};

/** What happens to a message that arrives at capacity. Stored. */
enum org_overflow {
    ORG_OVERFLOW_REFUSE = 0,
    ORG_OVERFLOW_REDIRECT = 1,
    ORG_OVERFLOW_SHED = 2,
};

/**
 * The role exists from here on. The seed keys its hashes; it comes from outside, since nothing here is
 * random.
 */
#define ORG_ROLE_OPENED(F) F(i64, at) F(text, by) F(text, via) F(text, role) F(u64, seed, 2)
TROUPE_MESSAGE(org_role_opened, ORG_ROLE_OPENED)

/**
 * How the role is set up, whole: it replaces what was. `holders` are actors, one a line, in the order of
 * succession.
 */
#define ORG_ROLE_CONFIGURED(F)                                                                               \
    F(i64, at)                                                                                               \
    F(u64, bytes_max)                                                                                        \
    F(i64, lease_ms)                                                                                         \
    F(i64, ageing_ms)                                                                                        \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, supervisor)                                                                                      \
    F(text, holders)                                                                                         \
    F(text, redirect_to)                                                                                     \
    F(u32, capacity)                                                                                         \
    F(u8, holder_kind)                                                                                       \
    F(u8, overflow)                                                                                          \
    F(u8, on_fail)                                                                                           \
    F(u8, on_lapse)                                                                                          \
    F(u8, on_crash)
TROUPE_MESSAGE(org_role_configured, ORG_ROLE_CONFIGURED)

/** How trouble of the role as a whole is met; whole, as org_role_configured is. Without one: the defaults. */
#define ORG_ROLE_RULES(F)                                                                                    \
    F(i64, at)                                                                                               \
    F(i64, refusals_period_ms)                                                                               \
    F(i64, failures_period_ms)                                                                               \
    F(text, by) F(text, via) F(u32, refusals_max) F(u32, failures_max) F(u8, on_absent) F(u8, on_overflow)
TROUPE_MESSAGE(org_role_rules, ORG_ROLE_RULES)

/**
 * Whether everybody may read what is in the mailbox, and not only who has to do with it. Without one: not.
 */
#define ORG_ROLE_READABLE(F) F(i64, at) F(text, by) F(text, via) F(bool, is_readable)
TROUPE_MESSAGE(org_role_readable, ORG_ROLE_READABLE)

/** A sender was told that the mailbox is full. */
#define ORG_REFUSED_EVENT(F) F(i64, at) F(text, by) F(text, via) F(u8, message_class)
TROUPE_MESSAGE(org_refused, ORG_REFUSED_EVENT)

/**
 * A message failed in a role that this one supervises: `cause` is an org_cause, `holder_kind` what holds that
 * role. `source` is "" when it came with an escalation, which is a record of its own.
 */
#define ORG_REPORTED(F)                                                                                      \
    F(i64, at)                                                                                               \
    F(u64, source_number) F(u64, origin_id) F(text, source) F(text, by) F(u8, cause) F(u8, holder_kind)
TROUPE_MESSAGE(org_reported, ORG_REPORTED)

/**
 * Trouble of the role as a whole, once for each time it occurs. The notice to the supervisor is that entry of
 * the outbox, 0 at the root or where the rule is not to tell. `count` is what there was of it.
 */
#define ORG_TROUBLED(F) F(i64, at) F(u64, sent_number) F(u64, count) F(u8, trouble) F(u8, holder_kind)
TROUPE_MESSAGE(org_troubled, ORG_TROUBLED)

/** What whoever holds the role next should know. */
#define ORG_HANDED_OVER(F) F(i64, at) F(text, by) F(text, via) F(text, note)
TROUPE_MESSAGE(org_handed_over, ORG_HANDED_OVER)

/** An actor came or went. */
#define ORG_PRESENCE(F) F(i64, at) F(text, by) F(text, via) F(text, actor) F(bool, is_present)
TROUPE_MESSAGE(org_presence, ORG_PRESENCE)

/**
 * A message is in the mailbox. `number` counts the role's messages from 1. `sender` is the address that gets
 * the final notice, "" for none. `origin_role` and `origin_id` name the message it goes back to: forwarded
 * from, answered, escalated. `source` and `source_number` name the entry of another stream's outbox it was
 * delivered from, "" for one that came from outside. `by` of an escalation is who failed, one a line, the
 * last first: the message, and escalations of it on the way here. A wait of -1 was not stated. `key` is the
 * sender's idempotency key.
 */
#define ORG_ACCEPTED(F)                                                                                      \
    F(i64, at)                                                                                               \
    F(u64, id)                                                                                               \
    F(u64, number)                                                                                           \
    F(i64, deadline)                                                                                         \
    F(u64, thread)                                                                                           \
    F(u64, in_reply_to)                                                                                      \
    F(i64, wait_median_ms)                                                                                   \
    F(i64, wait_p95_ms)                                                                                      \
    F(u64, origin_id)                                                                                        \
    F(u64, source_number)                                                                                    \
    F(u64, content_hash)                                                                                     \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, sender)                                                                                          \
    F(text, key)                                                                                             \
    F(text, origin_role)                                                                                     \
    F(text, source)                                                                                          \
    F(text, subject)                                                                                         \
    F(text, body)                                                                                            \
    F(text, note)                                                                                            \
    F(text, attachments)                                                                                     \
    F(u32, position)                                                                                         \
    F(u8, kind)                                                                                              \
    F(u8, message_class)                                                                                     \
    F(u8, outcome)                                                                                           \
    F(u8, hops)                                                                                              \
    F(bool, is_insisted)
TROUPE_MESSAGE(org_accepted, ORG_ACCEPTED)

/** `by` holds the message until the lease ends. */
#define ORG_TAKEN(F) F(i64, at) F(u64, id) F(i64, lease_until) F(text, by) F(text, via)
TROUPE_MESSAGE(org_taken, ORG_TAKEN)

/** The lease was made longer. */
#define ORG_RENEWED(F) F(i64, at) F(u64, id) F(i64, lease_until) F(text, by) F(text, via)
TROUPE_MESSAGE(org_renewed, ORG_RENEWED)

/**
 * Finished. The answer's text stands here when nobody is to be told (`answer_number` 0), else in that entry
 * of the outbox, which precedes this event. `command_hash` recognises the same command when it comes again; 0
 * when it was not a holder's.
 */
#define ORG_DONE_EVENT(F)                                                                                    \
    F(i64, at) F(u64, id) F(u64, answer_number) F(u64, command_hash) F(text, by) F(text, via) F(text, reply)
TROUPE_MESSAGE(org_done, ORG_DONE_EVENT)

/** Not done, with a reason; where the reason's text stands is as in org_done. */
#define ORG_DECLINED_EVENT(F)                                                                                \
    F(i64, at) F(u64, id) F(u64, answer_number) F(u64, command_hash) F(text, by) F(text, via) F(text, reason)
TROUPE_MESSAGE(org_declined, ORG_DECLINED_EVENT)

/** Goes on as a new message to another role, which is that entry of the outbox. */
#define ORG_FORWARDED_EVENT(F)                                                                               \
    F(i64, at)                                                                                               \
    F(u64, id) F(u64, sent_number) F(u64, command_hash) F(text, by) F(text, via) F(text, to) F(text, note)
TROUPE_MESSAGE(org_forwarded, ORG_FORWARDED_EVENT)

/** Set aside until a time; then it returns, first in its class when it was put off. */
#define ORG_PARKED_EVENT(F)                                                                                  \
    F(i64, at) F(u64, id) F(i64, until) F(text, by) F(text, via) F(text, reason) F(u8, cause) F(u8, attempts)
TROUPE_MESSAGE(org_parked, ORG_PARKED_EVENT)

/**
 * Its holder let a message go, by fail or defer; what became of it stands behind this. `command_hash`
 * recognises that command when it comes again. Of a program that died: its exit status, or 0, the name of the
 * signal that ended it, and the last lines that it wrote.
 */
#define ORG_LET_GO(F)                                                                                        \
    F(i64, at)                                                                                               \
    F(u64, id)                                                                                               \
    F(u64, command_hash) F(text, by) F(text, via) F(text, signal) F(text, output) F(u32, exit_status)
TROUPE_MESSAGE(org_let_go, ORG_LET_GO)

/** A parked message comes back when the message `awaits` ends, should that be earlier. */
#define ORG_AWAITING(F) F(i64, at) F(u64, id) F(u64, awaits)
TROUPE_MESSAGE(org_awaiting, ORG_AWAITING)

/** Back in the queue. `assigned` is the only actor who may take it, "" for whoever holds the role. */
#define ORG_RETURNED(F)                                                                                      \
    F(i64, at)                                                                                               \
    F(u64, id)                                                                                               \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, assigned)                                                                                        \
    F(text, reason)                                                                                          \
    F(u8, cause)                                                                                             \
    F(u8, attempts)                                                                                          \
    F(bool, is_first)
TROUPE_MESSAGE(org_returned, ORG_RETURNED)

/**
 * Nobody here may try again: its supervisor decides. The escalation is that entry of the outbox, 0 at the
 * root.
 */
#define ORG_QUARANTINED_EVENT(F)                                                                             \
    F(i64, at)                                                                                               \
    F(u64, id) F(u64, sent_number) F(text, by) F(text, via) F(text, reason) F(u8, cause) F(u8, attempts)
TROUPE_MESSAGE(org_quarantined, ORG_QUARANTINED_EVENT)

/** What the supervisor answered about a quarantined message, from the outbox of its stream. */
#define ORG_RESOLVED(F)                                                                                      \
    F(i64, at)                                                                                               \
    F(u64, id)                                                                                               \
    F(u64, source_number)                                                                                    \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, source)                                                                                          \
    F(u8, action)                                                                                            \
    F(bool, is_moot)
TROUPE_MESSAGE(org_resolved, ORG_RESOLVED)

/** Its deadline passed before anybody took it. */
#define ORG_EXPIRED_EVENT(F) F(i64, at) F(u64, id) F(u64, answer_number)
TROUPE_MESSAGE(org_expired, ORG_EXPIRED_EVENT)

/** Pushed out of a full mailbox by a message of a higher class, which is accepted right after. */
#define ORG_SHED_EVENT(F) F(i64, at) F(u64, id) F(u64, answer_number) F(u64, pushed_by)
TROUPE_MESSAGE(org_shed, ORG_SHED_EVENT)

/**
 * What this role owes to the role `to`, until it is delivered. `number` counts the entries of this outbox
 * from 1; `previous` is the entry to the same role that was still owed then, 0 for none. The rest becomes the
 * message there, as in org_accepted; for a resolution `action` says what to do with the message `origin_id`
 * of the role `to`. Of a failure told for the first time, as an escalation or a report, `outcome` is its
 * org_cause, `action` 1 and the kind of what holds the role: so it is counted there, once. Of an answer
 * `action` is 1 when the message was forwarded on its way.
 */
#define ORG_SENT(F)                                                                                          \
    F(i64, at)                                                                                               \
    F(u64, number)                                                                                           \
    F(u64, previous)                                                                                         \
    F(i64, deadline)                                                                                         \
    F(u64, thread)                                                                                           \
    F(u64, in_reply_to)                                                                                      \
    F(u64, origin_id)                                                                                        \
    F(text, by)                                                                                              \
    F(text, via)                                                                                             \
    F(text, to)                                                                                              \
    F(text, sender)                                                                                          \
    F(text, origin_role)                                                                                     \
    F(text, subject)                                                                                         \
    F(text, body)                                                                                            \
    F(text, note)                                                                                            \
    F(text, attachments)                                                                                     \
    F(u8, kind)                                                                                              \
    F(u8, message_class)                                                                                     \
    F(u8, outcome)                                                                                           \
    F(u8, action)                                                                                            \
    F(u8, hops)
TROUPE_MESSAGE(org_sent, ORG_SENT)

/**
 * The role it was for has it, as message `id` there (0 for a resolution), or can never have it, with a
 * reason.
 */
#define ORG_DELIVERED(F) F(i64, at) F(u64, number) F(u64, id) F(text, reason) F(bool, is_dead)
TROUPE_MESSAGE(org_delivered, ORG_DELIVERED)

#endif

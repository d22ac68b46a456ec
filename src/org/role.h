/* SPDX-License-Identifier: MIT */
/*
 * role.h: a role's mailbox as pure decisions. No clock, no disk, no threads: time and fresh ids are
 * arguments, and what happened comes out as records (events.h).
 *
 *     decide(role, command, now) -> records, and an answer for whoever asked
 *     fold(role, record)         -> the next state
 *
 * Place on a message's way: server's role actor -> org_role_decide -> journal -> org_role_fold -> the answer,
 * the same way back. How the actor uses it, for one command or for several in a row:
 *
 *     size_t before = batch.bytes.size;
 *     status = org_role_decide(role, &command, now_ms, &batch, &answer);   adds records, none when it refuses
 *     if (status == TROUPE_OK)
 *         org_role_fold_batch(role, &batch, before);                       cannot fail: memory is reserved
 *     ...
 *     append the batch to the stream "role/NAME"; only after the commit answer, and deliver the outbox
 *
 * The state may run ahead of the commit. When the append fails, the role is freed and read again from the
 * journal:
 *
 *     org_role_new(NAME, &role); for each stored record: org_role_replay(role, &record);
 *
 * Outgoing messages are events of this stream too (org_sent). After each commit, and after a replay, the
 * actor walks the outbox and hands each entry to the role it is for as an ORG_DELIVER command: entries for
 * one role one after the other, the next one when the one before is acknowledged; several roles at the same
 * time. The acknowledgement comes back as ORG_ACKNOWLEDGE. An entry may be handed over twice; the receiver
 * knows it by (stream, number) and answers the same. A receiver that would have to take entries out of order
 * refuses with ORG_REFUSED_ORDER, and nothing is lost.
 *
 * What is never refused or shed: whatever comes from an outbox. It was accepted once already.
 *
 * Invariants
 *   1. Conservation: accepted = queued + held + parked + quarantined + done + declined + forwarded + expired
 *      + shed. Every message is in exactly one of these states (org_role_check).
 *   2. An actor holds at most the wip limit given with its last ORG_NEXT, and no two actors hold the same
 *      message.
 *   3. The body of a message is in memory until it ends; afterwards only its id, its end and, with a key, its
 *      receipt are.
 *   4. A message of kind ORG_KIND_MESSAGE with a sender causes exactly one answer in this outbox, or goes on
 *      with its sender.
 *   5. Fold never fails and never allocates, given that decide (or replay) reserved for the records. A record
 *      that does not fit the state changes nothing and is counted in `misfits`, which org_role_check reports.
 *   6. An escalation is never given to whoever failed the message, or an escalation of it on its way; it and
 *      a notice go one supervisor higher when nobody else is present; supervisors form no circle, so they end
 *      at the root at the latest.
 *   7. What a key was answered once is answered again for ever. A refusal is not remembered: nothing was
 *      accepted.
 *
 * A role is used by one thread at a time. Texts in commands are borrowed during the call; texts in answers
 * and views live until the next decide or fold.
 */
#ifndef ORG_ROLE_H
#define ORG_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/record.h"
#include "org/events.h"
#include "org/hours.h"
#include "org/limits.h"
#include <troupe/status.h>

/** A role's mailbox. */
struct org_role;

/** Who commands: the actor, and the administrator who does it in the actor's name (NULL or "" for nobody). */
struct org_who {
    const char *actor;
    const char *via;
};

/** What can be commanded. */
enum org_command_kind {
    ORG_CONFIGURE,     /* set the role up; the first time this opens it */
    ORG_PRESENT,       /* an actor came or went */
    ORG_HAND_OVER,     /* a holder leaves a note for the next one */
    ORG_SEND,          /* a new message from outside */
    ORG_DELIVER,       /* an entry of another stream's outbox */
    ORG_NEXT,          /* the actor asks for work */
    ORG_RENEW,         /* a held message: longer */
    ORG_FINISH,        /* a held message: done, with a reply */
    ORG_DECLINE,       /* a held message: no, with a reason */
    ORG_FORWARD,       /* a held message: to another role */
    ORG_DEFER,         /* a held message: at a later time, or when another message has ended */
    ORG_FAIL,          /* a held message: it went wrong, with a reason */
    ORG_RESOLVE,       /* a held escalation: retry or reassign the original */
    ORG_SETTLE,        /* a quarantined message: decided by its holders at the root, or an administrator */
    ORG_ACKNOWLEDGE,   /* an entry of this outbox has arrived */
    ORG_UNDELIVERABLE, /* an entry of this outbox can never arrive */
    ORG_TICK,          /* time has passed: do what is due */
};

/** ORG_CONFIGURE. Zeros and NULLs stand for the defaults in limits.h. The whole configuration is replaced. */
struct org_configure {
    const char *supervisor; /* a role, NULL at the root */
    const char *const *holders;
    size_t holder_count;
    enum org_holder_kind holder_kind;
    uint32_t capacity;
    uint64_t bytes_max;
    int64_t lease_ms;
    int64_t ageing_ms;
    enum org_overflow overflow;
    const char *redirect_to; /* with ORG_OVERFLOW_REDIRECT */
    enum org_action on_fail;
    enum org_action on_lapse;
    enum org_action on_crash;
    enum org_action on_absent;   /* escalate (default), decline what waits, or retry: let it wait */
    enum org_action on_overflow; /* escalate (default), or retry: say nothing */
    uint32_t refusals_max;
    int64_t refusals_period_ms;
    uint32_t failures_max;      /* under this role, as a supervisor */
    int64_t failures_period_ms; /* 0: a day for people, five minutes for programs */
    bool is_readable;           /* everybody may read what is in the mailbox */
    uint64_t seed[2];           /* random, from the caller; taken when the role is opened */
};

/**
 * ORG_PRESENT. Presence of actors outside the succession is kept too. Whoever goes away may keep messages
 * that it holds: they are parked until it comes back, or until a time, and are its own again then.
 */
struct org_present {
    const char *actor;
    bool is_present;
    const uint64_t *keeps;
    size_t keep_count;
    int64_t until; /* when it means to be back; 0: it does not know */
};

/** ORG_SEND. */
struct org_send {
    uint64_t id;        /* fresh (org_id_next) */
    const char *sender; /* the address that gets the final notice; NULL when nobody wants one */
    const char *key;    /* idempotency key, NULL for none */
    enum org_class message_class;
    bool is_person; /* the sender is one, and may insist */
    bool is_insisted;
    int64_t deadline; /* 0 for none */
    uint64_t thread;  /* 0: it begins one */
    uint64_t in_reply_to;
    const char *subject;
    const char *body;
    const char *attachments; /* references, one a line */
};

/** ORG_DELIVER. */
struct org_deliver {
    uint64_t id;          /* fresh */
    const char *source;   /* the stream whose outbox it is */
    const org_sent *sent; /* the entry, as in that stream: flat, 8-byte aligned */
    size_t size;
};

/** ORG_NEXT. The limit is the actor's over all its roles, so the caller says what it holds in others. */
struct org_next {
    uint32_t wip_limit; /* 0: ORG_WIP_LIMIT_DEFAULT */
    uint32_t held_elsewhere;
    const struct org_hours *hours; /* the actor's, for its lease and for ageing; NULL: always */
    uint8_t worker;                /* 1 + its org_holder_kind; 0: as the role's are */
};

/** Everything about one message: ORG_RENEW, FINISH, DECLINE, FORWARD, DEFER, FAIL, RESOLVE, SETTLE. */
struct org_about {
    uint64_t id;
    const char *text;              /* the reply, the reason or the note; NULL for none */
    const char *to;                /* FORWARD: the role */
    int64_t until;                 /* DEFER: when it returns; 0 with `awaits`: as late as may be */
    int64_t after_ms;              /* DEFER: instead of that, so long from now; 0 for none */
    uint64_t awaits;               /* DEFER: it returns when this message has ended; 0 for none */
    const struct org_hours *hours; /* RENEW: as in org_next */
    uint8_t worker;                /* RENEW: the same */
    int64_t held_since;            /* only as held since then, and so safe to be repeated; 0: however held */
    bool is_crash;                 /* FAIL: the program died, rather than said so */
    uint32_t exit_status;          /* FAIL, a crash: with what; 0 when it is not known, or a signal did it */
    const char *signal;            /* FAIL, a crash: its name; NULL for none */
    const char *output;            /* FAIL, a crash: the last lines that it wrote; NULL for none */
    bool is_administrator;         /* SETTLE: whose right does not come from the role */
    enum org_action action;        /* RESOLVE: retry or reassign; SETTLE: also decline or done */
};

/** ORG_ACKNOWLEDGE and ORG_UNDELIVERABLE. */
struct org_acknowledge {
    uint64_t number; /* of the entry */
    uint64_t id;     /* the message it became there; for UNDELIVERABLE a fresh id, should it come back here */
    const char *reason; /* UNDELIVERABLE: why */
};

/** A command. */
struct org_command {
    enum org_command_kind kind;
    struct org_who who;
    union {
        struct org_configure configure;
        struct org_present present;
        struct org_send send;
        struct org_deliver deliver;
        struct org_next next;
        struct org_about about;
        struct org_acknowledge acknowledge;
    };
};

/** What the answer is. */
enum org_answer_kind {
    ORG_ANSWER_OK,         /* done, or was done by the same command before (is_duplicate) */
    ORG_ANSWER_ACCEPTED,   /* SEND, DELIVER: the receipt */
    ORG_ANSWER_REDIRECTED, /* SEND: send it to redirect_to instead */
    ORG_ANSWER_REFUSED,    /* nothing happened; `refusal` says why */
    ORG_ANSWER_TAKEN,      /* NEXT: the message `id` is held now */
    ORG_ANSWER_HELD,       /* NEXT: at the limit; what is held is org_role_held_by */
    ORG_ANSWER_NOTHING,    /* NEXT: nothing waits for this actor */
};

/** Why something is refused: X(NAME, "text"). The text completes "refused: ...". */
#define ORG_REFUSAL_LIST(X)                                                                                  \
    X(NONE, "it is not refused")                                                                             \
    X(FULL, "the mailbox is full")                                                                           \
    X(TOO_LARGE, "a text is longer than its limit")                                                          \
    X(MALFORMED, "a text is not UTF-8, or a name is not a name")                                             \
    X(KEY_REUSED, "the same key came before with another content")                                           \
    X(TIME, "the time is past or too far away")                                                              \
    X(HOPS, "it was forwarded too often")                                                                    \
    X(SAME_ROLE, "it is in that role already")                                                               \
    X(UNKNOWN, "there is no such message here")                                                              \
    X(ENDED, "the message has ended")                                                                        \
    X(NOT_HELD, "the message is not held")                                                                   \
    X(NOT_HOLDER, "somebody else holds the message")                                                         \
    X(NOT_ACTIVE, "somebody else is the active holder of the role")                                          \
    X(NOT_ESCALATED, "the message is no escalation")                                                         \
    X(NOT_QUARANTINED, "the message is not quarantined")                                                     \
    X(CONFIGURATION, "the configuration is not valid")                                                       \
    X(CLOSED, "the role is not set up yet")                                                                  \
    X(ORDER, "an earlier entry of the same outbox is missing")                                               \
    X(ID_TAKEN, "the id belongs to another message")                                                         \
    X(ACTION, "that cannot be done with it")                                                                 \
    X(NOT_IN_SUCCESSION, "only a holder or deputy of the role may")                                          \
    X(AWAITED, "the message to wait for has ended, or is the same one")                                      \
    X(HELD_ANEW, "the message was given back since, and taken again")                                        \
    X(SUPERVISED, "its supervisor decides what becomes of it")

/** The refusals. */
enum org_refusal {
#define ORG_REFUSAL_ENUM(name, text) ORG_REFUSED_##name,
    ORG_REFUSAL_LIST(ORG_REFUSAL_ENUM)
#undef ORG_REFUSAL_ENUM
};

/** Whether anybody is there to take what is sent. */
enum org_availability {
    ORG_AVAILABLE, /* the active holder is `holder` */
    ORG_ABSENT,    /* there are holders, all away */
    ORG_VACANT,    /* there are none */
};

/** The answer to a command. Members that say nothing about its kind are 0. */
struct org_answer {
    enum org_answer_kind kind;
    enum org_refusal refusal;
    bool is_duplicate;      /* the same as was answered before */
    uint64_t id;            /* of the message */
    enum org_state state;   /* of the message; refusals say here how it ended */
    uint64_t sent_number;   /* FORWARD: the entry of the outbox */
    uint32_t position;      /* receipt: its place in the queue, 1 is next */
    int64_t wait_median_ms; /* receipt: from acceptance to the end; -1 when it cannot be said yet */
    int64_t wait_p95_ms;
    int64_t lease_until; /* TAKEN, RENEW */
    int64_t retry_at;    /* FULL: when a place is expected; 0 when it cannot be known */
    uint32_t occupied;   /* FULL: messages that count against the capacity */
    uint32_t capacity;
    const char *redirect_to;
    const char *holder; /* receipt, and NOT_ACTIVE, NOT_HOLDER: who it is; NULL for nobody */
    enum org_availability availability;
};

/** A message that has not ended, as it is now. */
struct org_message {
    const org_accepted *accepted; /* what it is; texts by org_message_text */
    uint64_t id;
    enum org_state state;
    uint8_t attempts;
    enum org_cause cause; /* why it is parked or quarantined, or was last returned; 0 for never */
    const char *holder;   /* while held; else who held it last, NULL for nobody */
    const char *assigned; /* while queued: the only actor who may take it, NULL for whoever holds the role */
    int64_t held_since;
    int64_t lease_until;
    int64_t parked_until;
    uint64_t awaits; /* while parked: the message whose end brings it back earlier; 0 for none */
};

/** Counters of a role; the first ten are the equation of conservation. */
struct org_counts {
    uint64_t accepted;
    uint64_t queued;
    uint64_t held;
    uint64_t parked;
    uint64_t quarantined;
    uint64_t done;
    uint64_t declined;
    uint64_t forwarded;
    uint64_t expired;
    uint64_t shed;
    uint64_t insisted;
    uint64_t refused;  /* senders who were told that the mailbox is full */
    uint64_t reported; /* failures in the roles that this one supervises */
    uint64_t bytes;    /* of the texts of messages that have not ended */
    uint64_t occupied; /* messages that count against the capacity */
    uint64_t owed;     /* entries of the outbox that have not arrived */
    uint64_t dead;     /* entries that never could */
    uint64_t misfits;  /* records that did not fit the state; always 0 */
};

/** How a role is set up. */
struct org_role_view {
    const char *name;
    const char *supervisor; /* "" at the root, or before the role is opened */
    const char *holder;     /* the active one; NULL for nobody */
    enum org_availability availability;
    enum org_holder_kind holder_kind;
    size_t holder_count;
    uint32_t capacity;
    uint64_t bytes_max;
    int64_t lease_ms;
    int64_t ageing_ms;
    enum org_overflow overflow;
    const char *redirect_to; /* "" where it does not redirect */
    enum org_action on_fail; /* what is done, the defaults put in */
    enum org_action on_lapse;
    enum org_action on_crash;
    enum org_action on_absent;
    enum org_action on_overflow;
    uint32_t refusals_max;
    int64_t refusals_period_ms;
    uint32_t failures_max;
    int64_t failures_period_ms; /* of the kind that holds this role, where it is by kind */
    bool is_readable;
    bool is_open;
    /*
     * Something is quarantined, and there is no supervisor or an escalation never arrived; or at the root
     * something waits that nobody present may take.
     */
    bool has_alarm;
    const char *note;    /* the last hand-over note, "" for none */
    const char *note_by; /* who left it */
    int64_t note_at;
    int64_t oldest_at; /* when the oldest message that has not ended was accepted; 0 for none */
    uint64_t timed;    /* held or quarantined messages that have a deadline */
};

/** What waits in a role for its active holder, whom notices tell of it. */
struct org_role_waiting {
    int64_t oldest_at;    /* when the oldest message that is queued was accepted; 0: none is */
    uint64_t urgent;      /* queued urgent messages */
    uint64_t urgent_last; /* the newest of them that the active holder may take, by the order of acceptance */
};

/* --- living ------------------------------------------------------------------------------------- */

/** Makes an empty, unopened role. TROUPE_INVALID when the name is no address, TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status org_role_new(const char *name, struct org_role **ret_role);

/** Frees a role; NULL is good. */
void org_role_free(struct org_role *role);

/**
 * Decides one command. Adds the records to the batch (none when refused, repeated or nothing is to be done)
 * and fills in the answer. The state changes only when they are folded, which must happen before the next
 * decide. TROUPE_NO_MEMORY, and the errors of record_batch_add; the batch is then as it was.
 */
TROUPE_MUST_CHECK troupe_status org_role_decide(struct org_role *role, const struct org_command *command,
                                                int64_t now_ms, struct record_batch *batch,
                                                struct org_answer *ret_answer);

/** Folds the records of a batch from byte `from` on: what the last decide added. Cannot fail. */
void org_role_fold_batch(struct org_role *role, const struct record_batch *batch, size_t from);

/**
 * Folds one record from the journal: checks it, reserves, folds. TROUPE_MALFORMED when its bytes are not a
 * body of its type and version, TROUPE_UNEXPECTED for a type or version not known here (a newer program wrote
 * it), TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_role_replay(struct org_role *role, const struct record *record);

/** The version of the bytes that org_role_save writes; others are not restored. */
#define ORG_SNAPSHOT_VERSION 4u

/**
 * Adds the whole state to a buffer, at a multiple of 8: a snapshot, from which org_role_restore makes the
 * same role again. Everything decided must have been folded. TROUPE_NO_MEMORY, TROUPE_TOO_LARGE; the buffer
 * is then as it was.
 */
TROUPE_MUST_CHECK troupe_status org_role_save(const struct org_role *role, struct buffer *bytes);

/**
 * Makes a role from a snapshot; records that came after it are replayed on top. `bytes` lie at a multiple of
 * 8 and are not needed afterwards. TROUPE_UNEXPECTED when another version wrote it and TROUPE_MALFORMED when
 * it is none: the stream is to be read from its beginning then. TROUPE_NO_MEMORY, TROUPE_INVALID (the name).
 */
TROUPE_MUST_CHECK troupe_status org_role_restore(const char *name, const void *bytes, size_t size,
                                                 struct org_role **ret_role);

/** When the next ORG_TICK has something to do, in Unix milliseconds; 0 for at once, INT64_MAX for never. */
int64_t org_role_due_ms(const struct org_role *role);

/* --- looking ------------------------------------------------------------------------------------ */

/** How it is set up. */
struct org_role_view org_role_view(const struct org_role *role);

/** What waits; of what was taken before and came back, ORG_WAITING_LOOK_MAX messages are looked at. */
struct org_role_waiting org_role_waiting(const struct org_role *role);

/**
 * The holder at a place of the succession, 0 the owner; NULL beyond the last. `ret_is_absent` may be NULL.
 */
const char *org_role_holder(const struct org_role *role, size_t place, bool *ret_is_absent);

/** The counters. */
struct org_counts org_role_counts(const struct org_role *role);

/** A message that has not ended; NULL when it has, or never was. */
const struct org_message *org_role_find(const struct org_role *role, uint64_t id);

/** Where a message is in its life, also when it has ended; false when there is no such message here. */
bool org_role_state_of(const struct org_role *role, uint64_t id, enum org_state *ret_state);

/** What an actor holds here, oldest take first: at most `limit`; returns how many were written. */
size_t org_role_held_by(const struct org_role *role, const char *actor,
                        const struct org_message **ret_messages, size_t limit);

/**
 * Messages in one of the four states that are not final, at most `limit`; returns how many were written.
 * Queued ones come in the order in which they would be taken, as far as classes and age decide; the others
 * oldest first.
 */
size_t org_role_list(const struct org_role *role, enum org_state state, int64_t now_ms,
                     const struct org_message **ret_messages, size_t limit);

/**
 * Messages that are held or quarantined beyond their deadline, at most `limit`; returns how many were
 * written. What only waits ends at its deadline.
 */
size_t org_role_list_late(const struct org_role *role, int64_t now_ms,
                          const struct org_message **ret_messages, size_t limit);

/**
 * Queued messages that this actor may take now, in the order of taking, at most `limit`; returns how many
 * were written. `hours` as in org_next. `ret_total` is how many there are.
 */
size_t org_role_list_for(const struct org_role *role, const char *actor, const struct org_hours *hours,
                         int64_t now_ms, const struct org_message **ret_messages, size_t limit,
                         uint64_t *ret_total);

/** The class at which a queued message counts now: one higher when it has aged. */
enum org_class org_role_class_of(const struct org_role *role, const struct org_message *message,
                                 const struct org_hours *hours, int64_t now_ms);

/** The greatest id of all messages that ever were here; 0 for none. */
uint64_t org_role_last_id(const struct org_role *role);

/** The number of the last entry that the outbox ever had; 0 for none. */
uint64_t org_role_outbox_last(const struct org_role *role);

/** A text of a message. */
const char *org_message_text(const struct org_message *message, troupe_span span);

/**
 * The first entry of the outbox with a number above `after` that has not arrived; NULL for none. `ret_size`
 * is its flat size.
 */
const org_sent *org_role_outbox_after(const struct org_role *role, uint64_t after, size_t *ret_size);

/** Whether an earlier entry for the same role has not arrived yet, so that this one must wait. */
bool org_role_outbox_waits(const struct org_role *role, uint64_t number);

/**
 * Goes through the whole state and says whether every invariant holds; what does not is named in
 * `ret_reason`.
 */
bool org_role_check(const struct org_role *role, const char **ret_reason);

/**
 * Whether a role may be set up so: every value in its range, and every name one. Whether the names are there
 * is not known here.
 */
bool org_configure_is_valid(const char *role, const struct org_configure *configure);

/** Conservation alone, by the counters: cheap enough for every step. */
bool org_counts_are_conserved(const struct org_counts *counts);

/** The text of a refusal in English, never NULL. */
const char *org_refusal_text(enum org_refusal refusal);

/** The name of a state as the interfaces write it: "queued"; never NULL. */
const char *org_state_text(enum org_state state);

#endif

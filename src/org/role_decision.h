/* SPDX-License-Identifier: MIT */
/*
 * role_decision.h: one decision while it is being made. Private to the role_*.c files that decide.
 *
 * A decision reads the state and the command, adds records, and fills in the answer. The first failure of
 * memory stays in `status` and makes everything after it do nothing, so the rules below read as rules;
 * org_role_decide looks at it once. Records of a refusal are taken back there too.
 *
 * Invariants
 *   1. Nothing here changes the state; what is owed in this batch is therefore kept in `owed`, beside the
 *      outbox.
 *   2. Entries of the outbox come before the record of the transition that causes them.
 */
#ifndef ORG_ROLE_DECISION_H
#define ORG_ROLE_DECISION_H

#include "org/role_state.h"

/* Two entries of the outbox for each message that a tick moves, one for a shed message, three for notices. */
enum { DECISION_SENT_MAX = 2 * ORG_DUE_MAX + 4 };

/** An entry of the outbox that a decision adds. */
struct decision_owed {
    const char *to;
    uint64_t number;
};

/** One decision. */
struct decision {
    struct org_role *role;
    const struct org_command *command;
    const char *actor; /* who commands; "" when the time does */
    const char *via;
    int64_t now_ms;
    struct record_batch *batch;
    size_t begun; /* bytes of the batch that are of earlier decisions */
    struct org_answer *answer;
    troupe_status status;
    bool is_recorded;   /* the refusal is: its records stay */
    uint64_t sent_next; /* number of the next entry of the outbox */
    size_t owed_count;
    struct decision_owed *owed; /* room for DECISION_SENT_MAX */
};

/** Whether a tick may write more, or leaves what else is due to the next. */
static inline bool decision_has_room(const struct decision *d)
{
    return d->batch->bytes.size - d->begun < ORG_DUE_BYTES_MAX;
}

/* --- role_emit.c --------------------------------------------------------------------------------- */

/** Adds a record with these fields. */
void emit(struct decision *d, const troupe_type *type, const void *fields);

/** Adds an entry to the outbox: fills in `at`, `number` and `previous`, and gives the number. */
uint64_t emit_sent(struct decision *d, org_sent_fields *fields);

/**
 * Tells whoever is to be told how a message ended: its sender, or the role it was escalated from. Gives the
 * number of the entry, 0 when nobody is to be told.
 */
uint64_t emit_final(struct decision *d, const struct role_message *message, enum org_state outcome,
                    const char *text);

/** Tells the role that an escalation came from what to do with its message. Gives the number of the entry. */
uint64_t emit_resolution(struct decision *d, const struct role_message *message, enum org_action action,
                         const char *text);

/** Adds the record that a message has come into the mailbox, and fills in the answer as its receipt. */
void emit_accepted(struct decision *d, org_accepted_fields *fields);

/**
 * Adds the record that ends a message as done or declined, and before it the answer to whoever is to be told.
 */
void emit_done(struct decision *d, const struct role_message *message, const char *text,
               uint64_t command_hash);
void emit_declined(struct decision *d, const struct role_message *message, const char *text,
                   uint64_t command_hash);

/** Adds what brings back those that await the end of a message. */
void emit_wakes(struct decision *d, uint64_t ended);

/**
 * Adds the message, as another role gets it, to the outbox, and gives the number. A message goes on with its
 * sender; what stands for another one keeps its origin, and an escalation who failed.
 */
uint64_t emit_forward(struct decision *d, const struct role_message *message, const char *to,
                      const char *note);

/** Adds the record that a message goes back to the queue. `assigned` is "" for whoever holds the role. */
void emit_returned(struct decision *d, const struct role_message *message, enum org_cause cause,
                   uint8_t attempts, const char *assigned, const char *reason);

/* --- rules --------------------------------------------------------------------------------------- */

/** Makes the answer a refusal. */
void refuse(struct decision *d, enum org_refusal refusal);

/** Fills in who would take what is sent now. */
void answer_availability(struct decision *d);

/** Whether a text is within its limit and well formed; else the answer is a refusal. NULL counts as "". */
bool check_line(struct decision *d, const char *text, size_t len_max);
bool check_lines(struct decision *d, const char *text, size_t len_max);

/** The command's text, "" for NULL. */
const char *text_or_empty(const char *text);

/** role_send.c */
void decide_send(struct decision *d);
void decide_deliver(struct decision *d);

/** role_work.c */
void decide_next(struct decision *d);
void decide_renew(struct decision *d);
void decide_finish(struct decision *d);
void decide_decline(struct decision *d);
void decide_forward(struct decision *d);
void decide_defer(struct decision *d);
struct role_message *held_by_actor(struct decision *d);
/** The answer about a message that has ended: the same for the command that ended it, else a refusal. */
void answer_ended(struct decision *d, const struct role_entry *entry);
void emit_let_go(struct decision *d, const struct role_message *message);

/** role_supervise.c */
void decide_fail(struct decision *d);
void decide_resolve(struct decision *d);
void decide_settle(struct decision *d);
void decide_tick(struct decision *d);
void resolve_delivered(struct decision *d, const org_sent *sent);

/** role_trouble.c: what is wrong with the role as a whole, moving at most `limit` messages. */
void decide_trouble(struct decision *d, size_t limit);
void emit_counted(struct decision *d, const org_sent *sent, const char *source);

/** role_configure.c, role_presence.c */
void decide_configure(struct decision *d);
void decide_present(struct decision *d);
void decide_hand_over(struct decision *d);

/** role_outbox.c */
void decide_acknowledge(struct decision *d);
void decide_undeliverable(struct decision *d);

/** What recognises a command that ends a message when it comes again; never 0. */
uint64_t command_hash(const struct decision *d);

#endif

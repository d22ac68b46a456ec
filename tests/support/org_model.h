/* SPDX-License-Identifier: MIT */
/*
 * org_model.h: a second opinion on how a role behaves, for property tests. It is written from the
 * specification, not from src/org: a plain list of messages that is searched from end to end, with no
 * records, no memory to reserve and no order kept. It says what the answer to a command must be and in which
 * state every message is then. One thread.
 */
#ifndef TESTS_ORG_MODEL_H
#define TESTS_ORG_MODEL_H

#include "org/role.h"

enum {
    MODEL_ACTORS = 12, /* the last one is never in the succession */
    MODEL_MESSAGES_MAX = 2000,
    MODEL_KEYS = 4,
    MODEL_NOBODY = -1,
};

/** The names of the actors, and of the two senders. */
extern const char *const model_actors[MODEL_ACTORS];
extern const char *const model_senders[2];

/** A message as the model sees it. */
struct model_message {
    uint64_t id;
    int sender; /* who sent it */
    int key;    /* MODEL_NOBODY for none */
    int content;
    bool wants_answer;
    enum org_class message_class;
    int64_t accepted_at;
    int64_t deadline;
    enum org_state state;
    bool was_taken;
    bool is_first;
    int attempts;
    int holder; /* or who held it last */
    int assigned;
    uint64_t taken_order;
    int64_t lease_until;
    int64_t parked_until;
    enum org_cause parked_for;
    enum org_cause quarantined_for;
    bool is_resolved; /* queued because a supervisor said so */
    uint64_t awaits;
    uint32_t position;
    int64_t wait_median_ms;
    int64_t wait_p95_ms;
};

/** A role as the model sees it. */
struct model {
    struct model_message messages[MODEL_MESSAGES_MAX];
    size_t count;
    int holders[MODEL_ACTORS];
    int holder_count;
    bool is_absent[MODEL_ACTORS];
    bool has_supervisor;
    uint32_t capacity;
    enum org_overflow overflow;
    int64_t lease_ms;
    int64_t ageing_ms;
    enum org_action on_absent;
    enum org_action on_overflow;
    uint32_t refusals_max;
    int64_t refusals_period_ms;
    bool is_absence_told;
    bool is_overflow_due;
    bool is_overflow_told;
    int64_t refusals[MODEL_MESSAGES_MAX]; /* of the occurrence */
    size_t refusal_count;
    uint64_t refused; /* ever */
    uint64_t takes;
    uint64_t owed;                     /* entries that went to the outbox, ever */
    int64_t paces[MODEL_MESSAGES_MAX]; /* of each completion: since the one before, or since it came */
    size_t pace_count;
    int64_t ended_at; /* the last of them */
    int64_t now_ms;
};

/** What the model expects an answer to be. Members that the test does not compare are 0. */
struct expected {
    enum org_answer_kind kind;
    enum org_refusal refusal;
    bool is_duplicate;
    uint64_t id;
    const struct model_message *message; /* ACCEPTED: whose receipt it is */
};

/** A configuration with these holders, first the owner. */
struct expected model_configure(struct model *model, const int *holders, int count);

/** A message arrives. */
struct expected model_send(struct model *model, struct model_message message, bool is_person,
                           bool is_insisted);

/** An actor asks for work. */
struct expected model_next(struct model *model, int actor, int wip);

/**
 * An actor does something with a message it may or may not hold; `kind` is FINISH, DECLINE, FORWARD, RENEW,
 * DEFER or FAIL.
 */
struct expected model_about(struct model *model, enum org_command_kind kind, int actor, uint64_t id,
                            int64_t until, uint64_t awaits, bool is_crash);

/** A hand-over note. */
struct expected model_hand_over(struct model *model, int actor);

/** An administrator settles what is quarantined. */
struct expected model_settle(struct model *model, uint64_t id, enum org_action action);

/** An actor comes, or goes and keeps a message that it holds until a time; 0: none, or no time. */
struct expected model_present(struct model *model, int actor, bool is_present, uint64_t keeps, int64_t until);

/** One tick. */
void model_tick(struct model *model);

/** When the next tick has something to do; INT64_MAX for never. */
int64_t model_due(const struct model *model);

/** How many messages are in a state. */
uint64_t model_in(const struct model *model, enum org_state state);

#endif

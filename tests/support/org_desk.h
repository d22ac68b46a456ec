/* SPDX-License-Identifier: MIT */
/*
 * org_desk.h: roles for tests. A desk is one role with everything its actor would do around it: each command
 * is decided, its records are folded, kept as the journal would keep them, and replayed into a second role,
 * the mirror. After each step both are checked against every invariant and must look the same; now and then
 * the mirror is saved and goes on as what was restored, as after a sleep. Several desks
 * deliver their outboxes to each other. One thread.
 */
#ifndef TESTS_ORG_DESK_H
#define TESTS_ORG_DESK_H

#include "org/role.h"

/** A role, its mirror, its journal, its time, and the last answer. */
struct desk {
    struct org_role *role;
    struct org_role *mirror;
    struct record_batch journal;
    char stream[ORG_NAME_LEN_MAX + 8];
    int64_t now_ms;
    uint64_t last_id;
    struct org_answer answer;
    uint32_t commands;
    uint32_t records; /* how many the last command added */
};

/** Where the time of a desk begins. */
#define DESK_START_MS ((int64_t)1700000000000)

/** Makes a desk with an unopened role; its ids differ from those of desks with another `place`. */
void desk_init(struct desk *desk, const char *name, uint8_t place);

/**
 * As desk_init, and opens it: `holders` are names separated by spaces, the rest is the default for people.
 */
void desk_open(struct desk *desk, const char *name, uint8_t place, const char *holders);

/** Opens or configures; `holders` as in desk_open replaces those of `configure` when it is not NULL. */
void desk_configure(struct desk *desk, struct org_configure configure, const char *holders);

/** Frees a desk. */
void desk_done(struct desk *desk);

/** Does one command and checks everything; the answer is in the desk. */
const struct org_answer *desk_do(struct desk *desk, const struct org_command *command);

/** A fresh id. */
uint64_t desk_id(struct desk *desk);

/** Sends a message from the personal role of `actor`, and gives its id, 0 when it was not accepted. */
uint64_t desk_send(struct desk *desk, const char *actor, enum org_class message_class, const char *subject);

/** As desk_send, with everything said; `send.id` 0 stands for a fresh one. */
uint64_t desk_send_with(struct desk *desk, const char *actor, struct org_send send);

/** Takes the next message with a limit of `wip`, and gives its id, 0 for none. */
uint64_t desk_next(struct desk *desk, const char *actor, uint32_t wip);

/** Does something about a message: ORG_FINISH, ORG_DECLINE and so on. */
const struct org_answer *desk_about(struct desk *desk, enum org_command_kind kind, const char *actor,
                                    struct org_about about);

/** Lets time pass, with a tick at each moment something is due. */
void desk_wait(struct desk *desk, int64_t ms);

/** Tells that an actor came or went. */
void desk_present(struct desk *desk, const char *actor, bool is_present);

/** The state of a message; it must be known. */
enum org_state desk_state(const struct desk *desk, uint64_t id);

/** The counters. */
struct org_counts desk_counts(const struct desk *desk);

/**
 * Delivers everything that is owed between these desks, each entry twice, until nothing moves; what is owed
 * to a role that is none of them stays. Returns how many entries arrived.
 */
size_t desks_deliver(struct desk *const *desks, size_t count);

/** The only entry owed by a desk; fails the test when there is another number of them. */
const org_sent *desk_owed(const struct desk *desk);

/** The last entry owed by a desk that owes `count` of them. */
const org_sent *desk_owed_last(const struct desk *desk, size_t count);

/** A text of an entry. */
const char *owed_text(const org_sent *sent, troupe_span span);

/** How many records of a type the journal of a desk holds. */
size_t desk_recorded(const struct desk *desk, const troupe_type *type);

#endif

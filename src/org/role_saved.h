/* SPDX-License-Identifier: MIT */
/*
 * role_saved.h: what a snapshot of a role is made of. Private to role_snapshot.c, which writes it and says
 * how the parts lie, and role_restore.c, which reads it.
 */
#ifndef ORG_ROLE_SAVED_H
#define ORG_ROLE_SAVED_H

#include "org/role_state.h"

/** The beginning. */
struct saved_head {
    uint32_t version;
    uint32_t is_open;
    uint64_t key[2];
    struct org_counts counts;
    uint32_t name_count;
    uint32_t holder_count;
    uint64_t receipt_count;
    uint64_t source_count;
    uint64_t message_count;
    uint64_t outbox_first;
    uint64_t outbox_span; /* numbers from outbox_first on, arrived ones included */
    int64_t refusals_period_ms;
    int64_t failures_period_ms;
    uint32_t refusals_max;
    uint32_t failures_max;
    uint32_t on_absent;
    uint32_t on_overflow;
    uint32_t is_absence_told;
    uint32_t has_waits;
    uint32_t has_tally[TALLY_COUNT];
    uint32_t is_readable; /* where version 3 began it was a 0 that nobody read */
    uint32_t holders[ORG_SUCCESSION_MAX];
};

/** A name, and its text. */
struct saved_name {
    uint32_t size; /* with the NUL */
    uint16_t is_absent;
    uint16_t is_holder;
};

/** An entry. */
struct saved_entry {
    uint64_t id;
    uint64_t command_hash;
    uint64_t state;
};

/** A source, and its text. */
struct saved_source {
    uint64_t number;
    uint64_t id;
    uint64_t size; /* of the text, with the NUL */
};

/** A tally. */
struct saved_tally {
    int64_t at[ORG_TALLY_MAX + 1];
    uint32_t count;
    uint32_t next;
    uint32_t is_pending;
    uint32_t is_raised;
};

/** A message, and its body. */
struct saved_message {
    uint64_t number;
    uint64_t let_go_hash;
    uint64_t awaits;
    int64_t held_since;
    int64_t lease_until;
    int64_t parked_until;
    uint32_t holder_name;
    uint32_t assigned_name;
    uint8_t state;
    uint8_t attempts;
    uint8_t cause;
    uint8_t is_first;
    uint32_t size; /* of the body */
};

_Static_assert(sizeof(struct saved_message) == 64, "no hidden padding is written");

#endif

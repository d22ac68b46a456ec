/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the fingerprint of a simulated run: every start of an actor and every message taken out of a
 * mailbox is mixed into one number, with the worker, the actor by creation order and the virtual time. Two
 * runs with the same number did the same.
 */
#ifndef TROUPE_CORE_TRACE_H
#define TROUPE_CORE_TRACE_H

#include "core/system.h"

/* Mixes one value into a hash: the finalizer of SplitMix64 over a running sum. */
static inline uint64_t trace_mix(uint64_t hash, uint64_t value)
{
    struct random random = {hash ^ value};
    return random_next(&random);
}

/* Notes that `actor` begins. Only in simulation. */
void trace_start(struct worker *worker, const struct actor *actor);

/* Notes that `actor` takes `message`. Only in simulation. */
void trace_message(struct worker *worker, const struct actor *actor, const troupe_message *message);

#endif

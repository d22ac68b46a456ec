/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the fingerprint of a simulated run: every message taken out of a mailbox is mixed into one
 * number, with the worker, the actor by creation order and the virtual time. Two runs with the same number
 * did the same.
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

/* Notes that `actor` takes `message`. Costs one branch outside simulation. */
static inline void trace_message(struct worker *worker, const struct actor *actor,
                                 const troupe_message *message)
{
    struct troupe_system *system = worker->self.context.system;
    if (LIKELY(!system->env->is_simulated))
        return;
    uint64_t hash = trace_mix(system->sim_trace_hash, load_relaxed(&actor->created) << 8 | worker->index);
    hash = trace_mix(hash, (uint64_t)message->type << 32 | (uint32_t)message->flags << 24 | message->size);
    system->sim_trace_hash = trace_mix(hash, env_now_ns(system->env));
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * ids.c: moving the one number of ids.h forward. Relaxed order is enough: the number guards no other memory,
 * and the exchange alone decides who got which.
 */
#include "server/ids.h"

#include <stdatomic.h>

#include "base/atomic.h"
#include "org/id.h"

uint64_t ids_next(struct ids *ids, int64_t now_ms)
{
    uint64_t last = atomic_load_explicit(&ids->last, memory_order_relaxed);
    uint64_t next;
    do
        next = org_id_next(last, now_ms, IDS_PLACE);
    while (!atomic_compare_exchange_weak_explicit(&ids->last, &last, next, memory_order_relaxed,
                                                  memory_order_relaxed));
    return next;
}

uint64_t ids_asking(struct ids *ids)
{
    return fetch_add_relaxed(&ids->askings, 1) + 1; /* nothing else is told by it */
}

void ids_raise(struct ids *ids, uint64_t id)
{
    uint64_t last = atomic_load_explicit(&ids->last, memory_order_relaxed);
    while (last < id && !atomic_compare_exchange_weak_explicit(&ids->last, &last, id, memory_order_relaxed,
                                                               memory_order_relaxed)) {
    }
}

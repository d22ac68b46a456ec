/* SPDX-License-Identifier: MIT */
/*
 * slots.h: from refs to actors. Slots live in chunks, published once and never moved, so a look-up is two
 * loads and a compare and needs no lock. Each chunk belongs to one worker, which hands out its slots; a
 * slot that ended elsewhere is sent back there, so that memory does not drift to whoever ends most actors.
 *
 * Invariants
 *   1. generation is never 0 and grows by one at each beginning (to even) and at each end (to odd). A ref has
 *      half of it, which can only be that of a live actor: no ref, whatever its source, finds a free slot
 *   2. a slot that has used up its generations is never handed out again
 *   3. a free slot is on its chunk's owner's free list, or on its way there in `dealt`
 */
#ifndef TROUPE_CORE_SLOTS_H
#define TROUPE_CORE_SLOTS_H

#include <pthread.h>
#include <troupe.h>

#include "base/atomic.h"
#include "core/actor.h"

enum {
    SLOTS_CHUNK_BITS = 9,
    SLOTS_CHUNK_LEN = 1 << SLOTS_CHUNK_BITS,
    SLOTS_CHUNK_COUNT = 1 << (TROUPE_REF_SLOT_BITS - SLOTS_CHUNK_BITS),
    SLOTS_GENERATION_MAX = (2 << TROUPE_REF_GENERATION_BITS) - 1, /* the last end */
};

struct slots {
    struct actor *_Atomic
        *chunks;     /* SLOTS_CHUNK_COUNT, zero pages until used; written once each under `lock` */
    uint8_t *owners; /* worker of each chunk; written before the chunk is published */
    pthread_mutex_t lock;
    uint32_t chunk_count;
};

/* The slot that a ref names. */
static inline uint32_t slots_number(troupe_ref ref)
{
    return (uint32_t)ref.bits & ((1u << TROUPE_REF_SLOT_BITS) - 1);
}

/*
 * The generation that a slot has while the tenant that `ref` names lives; no slot's if `ref` is of elsewhere.
 */
static inline uint64_t slots_generation(troupe_ref ref)
{
    return ref.bits >> TROUPE_REF_SLOT_BITS << 1;
}

/* Makes room for all slots there can be (addresses, not memory). Errors: TROUPE_NO_MEMORY. */
troupe_status slots_init(struct slots *slots);
void slots_done(struct slots *slots);

/*
 * A new chunk for a worker: its first slot; the rest follow. All have generation 1, which is free, and home
 * `owner`. Errors: TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
troupe_status slots_chunk_new(struct slots *slots, uint32_t owner, struct actor **ret_first);

/* The actor in a slot by number, from `slots.chunks`; NULL when the chunk is not there. */
static inline struct actor *slots_at(struct actor *_Atomic *chunks, uint32_t slot)
{
    /* Pairs with store_release in slots_chunk_new. */
    struct actor *chunk = load_acquire(&chunks[slot >> SLOTS_CHUNK_BITS]);
    return chunk == NULL ? NULL : &chunk[slot & (SLOTS_CHUNK_LEN - 1)];
}

/* The worker that hands out this slot. */
uint32_t slots_owner(struct slots *slots, uint32_t slot);

#endif

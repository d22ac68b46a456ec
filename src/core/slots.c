/* SPDX-License-Identifier: MIT */
/* slots.c: see slots.h. Chunks are taken under a lock (once in 512 spawns) and published with release. */
#include "core/slots.h"

#include "base/assert.h"
#include "core/actor.h"
#include "env/env.h"

enum {
    SLOTS_PAGE = 64 * 1024,
};

static size_t whole_pages(size_t size)
{
    return (size + SLOTS_PAGE - 1) / SLOTS_PAGE * SLOTS_PAGE;
}

static const size_t table_size = sizeof(struct actor *) * SLOTS_CHUNK_COUNT;
static const size_t owners_size = SLOTS_CHUNK_COUNT;

static size_t chunk_size(void)
{
    return whole_pages(sizeof(struct actor) * SLOTS_CHUNK_LEN);
}

troupe_status slots_init(struct slots *slots)
{
    *slots = (struct slots){0};
    slots->chunks = env_pages_map(whole_pages(table_size));
    slots->owners = env_pages_map(whole_pages(owners_size));
    if (slots->chunks == NULL || slots->owners == NULL) {
        slots_done(slots);
        return TROUPE_NO_MEMORY;
    }
    pthread_mutex_init(&slots->lock, NULL);
    return TROUPE_OK;
}

void slots_done(struct slots *slots)
{
    for (uint32_t i = 0; i < slots->chunk_count; i++)
        env_pages_unmap(load_relaxed(&slots->chunks[i]), chunk_size());
    if (slots->chunks != NULL)
        env_pages_unmap(slots->chunks, whole_pages(table_size));
    if (slots->owners != NULL)
        env_pages_unmap(slots->owners, whole_pages(owners_size));
    *slots = (struct slots){0};
}

troupe_status slots_chunk_new(struct slots *slots, uint32_t owner, struct actor **ret_first)
{
    troupe_status status = TROUPE_OK;
    struct actor *chunk = NULL;
    pthread_mutex_lock(&slots->lock);
    if (slots->chunk_count == SLOTS_CHUNK_COUNT)
        status = TROUPE_LIMIT;
    else if ((chunk = env_pages_map(chunk_size())) == NULL)
        status = TROUPE_NO_MEMORY;
    else {
        uint32_t first = slots->chunk_count << SLOTS_CHUNK_BITS;
        for (uint32_t i = 0; i < SLOTS_CHUNK_LEN; i++) {
            chunk[i].slot = first + i;
            store_relaxed(&chunk[i].generation, 1); /* free */
            store_relaxed(&chunk[i].home, owner);
        }
        slots->owners[slots->chunk_count] = (uint8_t)owner;
        /* Pairs with load_acquire in slots_at: who sees the chunk sees its slots numbered. */
        store_release(&slots->chunks[slots->chunk_count++], chunk);
        *ret_first = chunk;
    }
    pthread_mutex_unlock(&slots->lock);
    return status;
}

uint32_t slots_owner(struct slots *slots, uint32_t slot)
{
    return slots->owners[slot >> SLOTS_CHUNK_BITS];
}

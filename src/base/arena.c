/* SPDX-License-Identifier: MIT */
/*
 * arena.c: many small texts that are freed together; arena.h says what for. Any one thread at a time.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the first block holds, and the most that one holds: each is twice the one before, so that an arena of
 * three names is small and one of a million names has few blocks. Something larger gets a block of its own.
 */
enum {
    ARENA_BLOCK_SIZE_FIRST = 256,
    ARENA_BLOCK_SIZE_MAX = 64 * 1024,
};

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_done(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    memset(arena, 0, sizeof(*arena));
}

static troupe_status add_block(struct arena *arena, size_t size)
{
    size_t block_size = arena->blocks == NULL ? ARENA_BLOCK_SIZE_FIRST : arena->blocks->size * 2;
    if (block_size > ARENA_BLOCK_SIZE_MAX)
        block_size = ARENA_BLOCK_SIZE_MAX;
    if (block_size < size)
        block_size = size;
    if (block_size > SIZE_MAX / 2)
        return TROUPE_NO_MEMORY;
    struct arena_block *block = malloc(sizeof(*block) + block_size);
    if (block == NULL)
        return TROUPE_NO_MEMORY;
    block->next = arena->blocks;
    block->size = block_size;
    arena->blocks = block;
    return TROUPE_OK;
}

/* Takes bytes without rounding up: `alignment` is that of the place, a power of two. */
static troupe_status take(struct arena *arena, size_t size, size_t alignment, void **ret_bytes)
{
    size_t start = (arena->used + alignment - 1) & ~(alignment - 1);
    if (arena->blocks == NULL || start > arena->blocks->size || size > arena->blocks->size - start) {
        troupe_status status = add_block(arena, size);
        if (status != TROUPE_OK)
            return status;
        start = 0;
    }
    *ret_bytes = arena->blocks->bytes + start;
    arena->used = start + size;
    arena->taken += size;
    return TROUPE_OK;
}

troupe_status arena_take(struct arena *arena, size_t size, void **ret_bytes)
{
    return take(arena, size, alignof(max_align_t), ret_bytes);
}

troupe_status arena_text(struct arena *arena, const char *text, size_t len, const char **ret_text)
{
    void *place;
    troupe_status status = take(arena, len + 1, 1, &place);
    if (status != TROUPE_OK)
        return status;
    char *copy = place;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    *ret_text = copy;
    return TROUPE_OK;
}

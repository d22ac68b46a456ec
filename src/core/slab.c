/* SPDX-License-Identifier: MIT */
/*
 * slab.c: see slab.h for the design. Classes: multiples of 16 to 256, then four steps to each doubling up
 * to SLAB_BLOCK_MAX, so that at most a fifth of a block is lost.
 */
#include "core/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "env/env.h"

/* The head of an arena: one stretch of SLAB_ARENA_PAGES pages; the first page begins with it. */
struct slab_arena {
    void *next;
};

enum {
    SLAB_PAGE_HEAD = 64,
};

_Static_assert(sizeof(struct slab_page) + sizeof(struct slab_arena) <= SLAB_PAGE_HEAD, "a page's head fits");
_Static_assert(SLAB_SMALL_COUNT + 4 * 5 == SLAB_CLASS_COUNT,
               "16 small classes, and 4 to each of the doublings 512 to 8192");
_Static_assert(SLAB_BLOCK_MAX == SLAB_SMALL_MAX << 5, "five doublings");

static uint32_t class_size(uint32_t class_index)
{
    if (class_index < SLAB_SMALL_COUNT)
        return (class_index + 1) * SLAB_SMALL_STEP;
    uint32_t step = class_index - SLAB_SMALL_COUNT;
    return ((uint32_t)SLAB_SMALL_MAX << (step / 4)) / 4 * (5 + step % 4);
}

void slab_init(struct slab *slab, uint64_t seed, double no_memory_probability)
{
    memset(slab, 0, sizeof *slab);
    slab->random.state = seed;
    slab_fail(slab, no_memory_probability);
}

void slab_fail(struct slab *slab, double no_memory_probability)
{
    slab->no_memory_probability = no_memory_probability;
    slab->is_faulty = no_memory_probability > 0;
}

void slab_done(struct slab *slab)
{
    while (slab->arenas != NULL) {
        void *arena = slab->arenas;
        struct slab_arena *head =
            (struct slab_arena *)(void *)((char *)arena + SLAB_PAGE_HEAD - sizeof *head);
        slab->arenas = head->next;
        env_pages_unmap(arena, (size_t)SLAB_PAGE_SIZE * SLAB_ARENA_PAGES);
    }
}

/* Cuts a new arena into pages. */
static struct slab_page *arena_new(struct slab *slab)
{
    char *arena = env_pages_map((size_t)SLAB_PAGE_SIZE * SLAB_ARENA_PAGES);
    if (arena == NULL)
        return NULL;
    struct slab_arena *head = (struct slab_arena *)(void *)(arena + SLAB_PAGE_HEAD - sizeof *head);
    head->next = slab->arenas;
    slab->arenas = arena;
    for (uint32_t i = SLAB_ARENA_PAGES; i-- > 0;) {
        struct slab_page *page = (struct slab_page *)(void *)(arena + (size_t)i * SLAB_PAGE_SIZE);
        page->owner = slab;
        page->next = slab->pages_free;
        slab->pages_free = page;
    }
    return slab->pages_free;
}

/* Takes back what others freed, all classes at once. */
static void returned_take(struct slab *slab)
{
    /* Pairs with cas_release in outgoing_hand_over: the blocks' links are visible. */
    struct slab_block *block = exchange_acquire(&slab->returned, NULL);
    while (block != NULL) {
        struct slab_block *next = block->next;
        uint32_t class_index = slab_page_of(block)->class_index;
        block->next = slab->free[class_index];
        slab->free[class_index] = block;
        block = next;
    }
}

static void *alloc_slow(struct slab *slab, uint32_t class_index)
{
    if (load_relaxed(&slab->returned) != NULL) {
        returned_take(slab);
        struct slab_block *block = slab->free[class_index];
        if (block != NULL) {
            slab->free[class_index] = block->next;
            return block;
        }
    }
    struct slab_page *page = slab->current[class_index];
    if (page == NULL || page->cut == page->limit) {
        page = slab->pages_free != NULL ? slab->pages_free : arena_new(slab);
        if (page == NULL)
            return NULL;
        slab->pages_free = page->next;
        page->class_index = class_index;
        page->block_size = class_size(class_index);
        page->cut = SLAB_PAGE_HEAD;
        page->limit =
            SLAB_PAGE_HEAD + (SLAB_PAGE_SIZE - SLAB_PAGE_HEAD) / page->block_size * page->block_size;
        slab->current[class_index] = page;
    }
    void *block = (char *)page + page->cut;
    page->cut += page->block_size;
    return block;
}

void *slab_alloc_hard(struct slab *slab, size_t size)
{
    if (UNLIKELY(slab->no_memory_probability > 0) &&
        random_chance(&slab->random, slab->no_memory_probability))
        return NULL;
    if (UNLIKELY(size > SLAB_BLOCK_MAX))
        return malloc(size);
    uint32_t class_index = slab_class(size);
    struct slab_block *block = slab->free[class_index];
    if (block == NULL)
        return alloc_slow(slab, class_index);
    slab->free[class_index] = block->next;
    return block;
}

/* Gives a batch to its owner: one successful compare-and-swap, however many blocks. */
static void outgoing_hand_over(struct slab_outgoing *outgoing)
{
    struct slab_block *head = load_relaxed(&outgoing->owner->returned);
    do {
        outgoing->last->next = head;
    } while (!cas_release(&outgoing->owner->returned, &head,
                          outgoing->first)); /* with exchange_acquire in returned_take */
    outgoing->owner = NULL;
    outgoing->count = 0;
}

static void free_foreign(struct slab *slab, struct slab *owner, struct slab_block *block)
{
    struct slab_outgoing *outgoing =
        &slab->outgoing[((uintptr_t)owner / sizeof *owner) % SLAB_OUTGOING_COUNT];
    if (outgoing->owner != owner && outgoing->owner != NULL)
        outgoing_hand_over(outgoing);
    if (outgoing->owner == NULL) {
        outgoing->owner = owner;
        outgoing->first = NULL;
        outgoing->last = block;
    }
    block->next = outgoing->first;
    outgoing->first = block;
    if (++outgoing->count >= SLAB_OUTGOING_BATCH)
        outgoing_hand_over(outgoing);
}

void slab_free_hard(struct slab *slab, void *memory, size_t size)
{
    struct slab_block *block = memory;
    if (size > SLAB_BLOCK_MAX)
        free(memory);
    else if (block != NULL)
        free_foreign(slab, slab_page_of(block)->owner, block);
}

void slab_flush(struct slab *slab)
{
    for (uint32_t i = 0; i < SLAB_OUTGOING_COUNT; i++)
        if (slab->outgoing[i].owner != NULL)
            outgoing_hand_over(&slab->outgoing[i]);
}

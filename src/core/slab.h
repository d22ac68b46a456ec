/* SPDX-License-Identifier: MIT */
/*
 * slab.h: memory for messages, state and bookkeeping: slabs by size class, one heap per worker, so that the
 * usual allocate and free are a few plain instructions on lines that stay in the worker's cache.
 *
 *   page (64 KiB, aligned) = header | block | block | ...      all blocks of a page have one size and one
 *   owner heap
 *
 * A block freed by another worker goes home: the freeing heap gathers such blocks by owner and hands them
 * over in one exchange per batch; the owner takes them all when its own list is empty. (The idea of
 * mimalloc's thread-delayed frees, Leijen, Zorn, de Moura 2019, at the grain of a heap.) Pages are kept and
 * used again: a fresh one costs a page fault per 4 KiB.
 *
 * Blocks over SLAB_BLOCK_MAX come from malloc.
 *
 * Threads: a heap belongs to the thread that runs its worker; only `returned` is touched by others.
 *
 * Invariants
 *   1. a block is on exactly one list: a free list of its owner, an outgoing batch of one heap, or its
 *      owner's `returned`
 *   2. the size given to slab_free is the size given to slab_alloc: blocks carry no header
 */
#ifndef TROUPE_CORE_SLAB_H
#define TROUPE_CORE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/random.h"

enum {
    SLAB_PAGE_SIZE = 64 * 1024,
    SLAB_ARENA_PAGES = 16,     /* pages taken from the system at once */
    SLAB_BLOCK_MAX = 8 * 1024, /* larger ones come from malloc */
    SLAB_SMALL_MAX = 256,
    SLAB_SMALL_STEP = 16,
    SLAB_SMALL_COUNT = SLAB_SMALL_MAX / SLAB_SMALL_STEP,
    SLAB_CLASS_COUNT = 36,
    SLAB_OUTGOING_COUNT = 8,  /* owners that freed blocks are gathered for at once */
    SLAB_OUTGOING_BATCH = 64, /* blocks gathered before they are handed over */
};

/* A free block. */
struct slab_block {
    struct slab_block *next;
};

struct slab;

/* Blocks on their way to one owner. */
struct slab_outgoing {
    struct slab *owner;
    struct slab_block *first;
    struct slab_block *last;
    uint32_t count;
};

/* The head of a page. Only the owner writes it after the page got its class. */
struct slab_page {
    struct slab *owner;
    struct slab_page *next;
    uint32_t class_index;
    uint32_t block_size;
    uint32_t cut;   /* offset of the first byte no block has been cut from */
    uint32_t limit; /* offset after the last whole block */
};

struct slab {
    /* by other threads: cas_release by slab_free of others, exchange_acquire by the owner */
    _Alignas(64) struct slab_block *_Atomic returned;
    /* by the owner */
    _Alignas(64) struct slab_block *free[SLAB_CLASS_COUNT];
    struct slab_page *current[SLAB_CLASS_COUNT]; /* the page that fresh blocks are cut from */
    struct slab_page *pages_free;                /* pages of no class yet */
    void *arenas;                                /* all memory taken, for slab_done */
    struct slab_outgoing outgoing[SLAB_OUTGOING_COUNT];
    struct random random;         /* for injected failures */
    bool is_faulty;               /* in simulation: allocations may fail */
    double no_memory_probability; /* 0 but in simulation */
};

/* Makes an empty slab; it takes no memory until used. The seed is for injected failures. */
void slab_init(struct slab *slab, uint64_t seed, double no_memory_probability);

/* From now on allocations fail so often; 0: only when there is no memory. */
void slab_fail(struct slab *slab, double no_memory_probability);

/* Gives all memory back. No block may be in use. */
void slab_done(struct slab *slab);

/* What the two below come to when it is not one list operation. */
void *slab_alloc_hard(struct slab *slab, size_t size);
void slab_free_hard(struct slab *slab, void *memory, size_t size);

static inline uint32_t slab_class(size_t size)
{
    if (size <= SLAB_SMALL_MAX)
        return size == 0 ? 0 : (uint32_t)((size - 1) / SLAB_SMALL_STEP);
    uint32_t top = 63u - (uint32_t)__builtin_clzll(size - 1); /* 8 for 257..512 */
    uint32_t quarter = (uint32_t)((size - 1) >> (top - 2)) & 3;
    return SLAB_SMALL_COUNT + (top - 8) * 4 + quarter;
}

static inline struct slab_page *slab_page_of(void *block)
{
    return (struct slab_page *)(void *)((char *)block - (uintptr_t)block % SLAB_PAGE_SIZE);
}

/* `size` bytes, 16-byte aligned, uninitialised; NULL when there is no memory. */
static inline void *slab_alloc(struct slab *slab, size_t size)
{
    if (UNLIKELY(size > SLAB_BLOCK_MAX || slab->is_faulty))
        return slab_alloc_hard(slab, size);
    uint32_t class_index = slab_class(size);
    struct slab_block *block = slab->free[class_index];
    if (UNLIKELY(block == NULL))
        return slab_alloc_hard(slab, size);
    slab->free[class_index] = block->next;
    return block;
}

/*
 * The same where it is one list operation, NULL otherwise: for whoever has another way. `size` at most
 * SLAB_SMALL_MAX, and not where allocations are made to fail.
 */
static inline void *slab_alloc_quick(struct slab *slab, size_t size)
{
    uint32_t class_index = (uint32_t)((size - 1) / SLAB_SMALL_STEP);
    struct slab_block *block = slab->free[class_index];
    if (LIKELY(block != NULL))
        slab->free[class_index] = block->next;
    return block;
}

/* Frees a block of any slab; `slab` is the caller's own. NULL is fine. */
static inline void slab_free(struct slab *slab, void *memory, size_t size)
{
    struct slab_block *block = memory;
    if (UNLIKELY(size > SLAB_BLOCK_MAX || block == NULL || slab_page_of(block)->owner != slab)) {
        slab_free_hard(slab, memory, size);
        return;
    }
    uint32_t class_index = slab_page_of(block)->class_index;
    block->next = slab->free[class_index];
    slab->free[class_index] = block;
}

/* Hands all gathered blocks to their owners: before a worker sleeps. */
void slab_flush(struct slab *slab);

#endif

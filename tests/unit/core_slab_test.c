/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/slab: blocks are as large as asked for and nobody else's, what is freed is used again,
 * also when another heap freed it, and no memory is lost on the way. One thread plays several heaps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/slab.h"

enum {
    MANY = 3000,
    HEAPS = 24, /* more than owners that are gathered for at once */
};

static struct slab *slab_new(void)
{
    struct slab *slab = aligned_alloc(64, (sizeof *slab + 63) / 64 * 64);
    assert_non_null(slab);
    slab_init(slab, 1, 0);
    return slab;
}

static void slab_delete(struct slab *slab)
{
    slab_done(slab);
    free(slab);
}

static void *alloc(struct slab *slab, size_t size)
{
    void *block = slab_alloc(slab, size);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    return block;
}

/* Two of each size, written to their ends: nobody wrote into another's. */
static void blocks_of_every_size_do_not_overlap(void **state)
{
    (void)state;
    enum { SIZES = SLAB_BLOCK_MAX + 64 };
    static unsigned char *blocks[SIZES][2];
    struct slab *slab = slab_new();
    for (size_t size = 0; size < SIZES; size++) {
        for (int i = 0; i < 2; i++) {
            blocks[size][i] = alloc(slab, size);
            memset(blocks[size][i], (int)(size * 2 + (size_t)i) & 255, size);
        }
    }
    for (size_t size = 0; size < SIZES; size++) {
        for (int i = 0; i < 2; i++) {
            for (size_t at = 0; at < size; at++)
                if (blocks[size][i][at] != ((size * 2 + (size_t)i) & 255))
                    fail_msg("block %d of %zu bytes was written to at %zu", i, size, at);
            slab_free(slab, blocks[size][i], size);
        }
    }
    slab_delete(slab);
}

/* The distance between two fresh blocks of a class is the size of its blocks. */
static void at_most_a_fifth_of_a_block_is_lost(void **state)
{
    (void)state;
    for (size_t size = 1; size <= SLAB_BLOCK_MAX; size++) {
        struct slab *slab = slab_new();
        char *first = alloc(slab, size);
        char *second = alloc(slab, size);
        size_t block = (size_t)(second - first);
        assert_true(block >= size);
        assert_true(size <= 256 ? block - size < 16 : (block - size) * 5 <= block);
        slab_delete(slab);
    }
}

static void freed_block_is_the_next_of_its_class(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        1, 16, 17, 48, 256, 257, 320, 321, 1024, 1025, SLAB_BLOCK_MAX - 1, SLAB_BLOCK_MAX};
    struct slab *slab = slab_new();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        void *one = alloc(slab, sizes[i]);
        void *two = alloc(slab, sizes[i]);
        slab_free(slab, one, sizes[i]);
        slab_free(slab, two, sizes[i]);
        assert_ptr_equal(alloc(slab, sizes[i]), two);
        assert_ptr_equal(alloc(slab, sizes[i]), one);
    }
    slab_free(slab, NULL, 0);
    slab_free(slab, NULL, 100);
    slab_delete(slab);
}

static void memory_is_used_again_and_not_taken_anew(void **state)
{
    (void)state;
    static void *blocks[MANY];
    struct slab *slab = slab_new();
    const void *arenas = NULL;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < MANY; i++)
            blocks[i] = alloc(slab, (size_t)i % 600);
        if (round == 0)
            arenas = slab->arenas;
        assert_ptr_equal(slab->arenas, arenas);
        for (int i = 0; i < MANY; i++)
            slab_free(slab, blocks[i], (size_t)i % 600);
    }
    slab_delete(slab);
}

/* -- frees of others ------------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;
    return x < y ? -1 : x > y;
}

static void blocks_freed_elsewhere_come_home(void **state)
{
    (void)state;
    static void *blocks[MANY];
    static void *again[MANY];
    struct slab *owner = slab_new();
    struct slab *other = slab_new();
    for (int i = 0; i < MANY; i++)
        blocks[i] = alloc(owner, 100);
    const void *arenas = owner->arenas;
    for (int i = 0; i < MANY; i++)
        slab_free(other, blocks[i], 100);
    slab_flush(other);
    assert_null(other->arenas); /* it kept nothing, and needed nothing */
    for (int i = 0; i < MANY; i++)
        again[i] = alloc(owner, 100);
    assert_ptr_equal(owner->arenas, arenas);
    qsort(blocks, MANY, sizeof blocks[0], by_address);
    qsort(again, MANY, sizeof again[0], by_address);
    assert_memory_equal(blocks, again, sizeof blocks);
    slab_delete(other);
    slab_delete(owner);
}

static uint32_t length_of(struct slab_block *block)
{
    uint32_t length = 0;
    for (; block != NULL; block = block->next)
        length++;
    return length;
}

static void full_batch_is_handed_over_and_a_flush_hands_over_the_rest(void **state)
{
    (void)state;
    struct slab *owner = slab_new();
    struct slab *other = slab_new();
    void *one_more = alloc(owner, 48);
    for (int i = 0; i < SLAB_OUTGOING_BATCH - 1; i++)
        slab_free(other, alloc(owner, 32), 32);
    assert_int_equal(length_of(load_relaxed(&owner->returned)), 0);
    slab_free(other, alloc(owner, 32), 32);
    assert_int_equal(length_of(load_relaxed(&owner->returned)), SLAB_OUTGOING_BATCH);
    slab_free(other, one_more, 48);
    slab_flush(other);
    assert_int_equal(length_of(load_relaxed(&owner->returned)), SLAB_OUTGOING_BATCH + 1);
    slab_flush(other); /* nothing is handed over twice */
    assert_int_equal(length_of(load_relaxed(&owner->returned)), SLAB_OUTGOING_BATCH + 1);
    slab_delete(other);
    slab_delete(owner);
}

/* One heap frees the blocks of many owners in turn: owners that share a place push each other out. */
static void blocks_of_many_owners_all_come_home(void **state)
{
    (void)state;
    struct slab *heaps[HEAPS];
    static void *blocks[HEAPS][100];
    const void *arenas[HEAPS];
    for (int h = 0; h < HEAPS; h++) {
        heaps[h] = slab_new();
        for (int i = 0; i < 100; i++)
            blocks[h][i] = alloc(heaps[h], 64);
        arenas[h] = heaps[h]->arenas;
    }
    for (int i = 0; i < 100; i++)
        for (int h = 1; h < HEAPS; h++)
            slab_free(heaps[0], blocks[h][i], 64);
    slab_flush(heaps[0]);
    for (int h = 1; h < HEAPS; h++) {
        assert_int_equal(length_of(load_relaxed(&heaps[h]->returned)), 100);
        for (int i = 0; i < 100; i++)
            alloc(heaps[h], 64);
        assert_null(load_relaxed(&heaps[h]->returned));
        assert_ptr_equal(heaps[h]->arenas, arenas[h]);
    }
    for (int h = 0; h < HEAPS; h++)
        slab_delete(heaps[h]);
}

/*
 * -- failures ----------------------------------------------------------------------------------------------
 */

static void injected_failures_come_as_often_as_asked(void **state)
{
    (void)state;
    static const double probabilities[] = {0, 0.25, 1};
    for (size_t i = 0; i < 3; i++) {
        struct slab *slab = slab_new();
        slab_init(slab, 7, probabilities[i]);
        uint32_t failures = 0;
        for (int n = 0; n < 10000; n++) {
            size_t size = n % 2 == 0 ? 64 : SLAB_BLOCK_MAX + 1;
            void *block = slab_alloc(slab, size);
            failures += block == NULL;
            slab_free(slab, block, size);
        }
        assert_in_range(failures, (uint32_t)(probabilities[i] * 9500), (uint32_t)(probabilities[i] * 10500));
        slab_delete(slab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_every_size_do_not_overlap),
        cmocka_unit_test(at_most_a_fifth_of_a_block_is_lost),
        cmocka_unit_test(freed_block_is_the_next_of_its_class),
        cmocka_unit_test(memory_is_used_again_and_not_taken_anew),
        cmocka_unit_test(blocks_freed_elsewhere_come_home),
        cmocka_unit_test(full_batch_is_handed_over_and_a_flush_hands_over_the_rest),
        cmocka_unit_test(blocks_of_many_owners_all_come_home),
        cmocka_unit_test(injected_failures_come_as_often_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/arena: many small texts that are freed together. One thread.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void texts_stay_where_they_are_and_as_they_were(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const char *texts[COUNT];
    struct arena arena = {0};
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "text %d", i);
        assert_int_equal(arena_text(&arena, text, (size_t)len, &texts[i]), TROUPE_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        snprintf(text, sizeof(text), "text %d", i);
        assert_string_equal(texts[i], text);
    }
    arena_done(&arena);
    assert_null(arena.blocks);
}

static void taken_bytes_are_aligned_for_any_type(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 1; i < 100; i++) {
        const char *text;
        void *bytes;
        assert_int_equal(arena_text(&arena, "x", 1, &text), TROUPE_OK);
        assert_int_equal(arena_take(&arena, i, &bytes), TROUPE_OK);
        assert_int_equal((uintptr_t)bytes % alignof(max_align_t), 0);
        memset(bytes, 0xff, i);
        assert_string_equal(text, "x");
    }
    arena_done(&arena);
}

static void what_is_larger_than_a_block_gets_one_of_its_own(void **state)
{
    (void)state;
    struct arena arena = {0};
    void *bytes;
    const char *before;
    assert_int_equal(arena_text(&arena, "before", 6, &before), TROUPE_OK);
    assert_int_equal(arena_take(&arena, 1000000, &bytes), TROUPE_OK);
    memset(bytes, 0, 1000000);
    assert_string_equal(before, "before");
    assert_int_equal(arena_take(&arena, SIZE_MAX - 64, &bytes), TROUPE_NO_MEMORY);
    arena_done(&arena);
}

static void part_of_a_text_becomes_a_whole_one(void **state)
{
    (void)state;
    struct arena arena = {0};
    const char *text;
    assert_int_equal(arena_text(&arena, "abcdef", 3, &text), TROUPE_OK);
    assert_string_equal(text, "abc");
    assert_int_equal(arena_text(&arena, NULL, 0, &text), TROUPE_OK);
    assert_string_equal(text, "");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_where_they_are_and_as_they_were),
        cmocka_unit_test(taken_bytes_are_aligned_for_any_type),
        cmocka_unit_test(what_is_larger_than_a_block_gets_one_of_its_own),
        cmocka_unit_test(part_of_a_text_becomes_a_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

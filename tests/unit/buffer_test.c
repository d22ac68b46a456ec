/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/buffer: growing bytes. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void buffer_starts_empty_and_allocates_nothing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.size, 0);
    buffer_done(&buffer);
}

static void buffer_keeps_what_was_appended_while_it_grows(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(buffer_append(&buffer, &i, sizeof(i)), TROUPE_OK);
    assert_int_equal(buffer.size, 10000 * sizeof(uint32_t));
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t value;
        memcpy(&value, buffer.bytes + i * sizeof(value), sizeof(value));
        assert_int_equal(value, i);
    }
    buffer_done(&buffer);
    assert_null(buffer.bytes);
}

static void buffer_clear_keeps_its_block(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abc", 3), TROUPE_OK);
    const unsigned char *block = buffer.bytes;
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer_append(&buffer, "de", 2), TROUPE_OK);
    assert_ptr_equal(buffer.bytes, block);
    assert_memory_equal(buffer.bytes, "de", 2);
    buffer_done(&buffer);
}

static void buffer_truncate_only_shortens(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abcdef", 6), TROUPE_OK);
    buffer_truncate(&buffer, 10);
    assert_int_equal(buffer.size, 6);
    buffer_truncate(&buffer, 2);
    assert_int_equal(buffer.size, 2);
    buffer_done(&buffer);
}

static void buffer_align_pads_with_zeros(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abcde", 5), TROUPE_OK);
    assert_int_equal(buffer_align(&buffer, 8), TROUPE_OK);
    assert_int_equal(buffer.size, 8);
    assert_memory_equal(buffer.bytes, "abcde\0\0\0", 8);
    assert_int_equal(buffer_align(&buffer, 8), TROUPE_OK);
    assert_int_equal(buffer.size, 8);
    buffer_done(&buffer);
}

static void buffer_terminate_adds_an_uncounted_nul(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abc", 3), TROUPE_OK);
    assert_int_equal(buffer_terminate(&buffer), TROUPE_OK);
    assert_int_equal(buffer.size, 3);
    assert_string_equal((const char *)buffer.bytes, "abc");
    buffer_done(&buffer);
}

static void buffer_refuses_to_run_away_and_stays_as_it_was(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_append(&buffer, "abc", 3), TROUPE_OK);
    assert_int_equal(buffer_reserve(&buffer, BUFFER_SIZE_MAX - 2), TROUPE_TOO_LARGE);
    assert_int_equal(buffer_reserve(&buffer, SIZE_MAX), TROUPE_TOO_LARGE);
    assert_int_equal(buffer.size, 3);
    assert_memory_equal(buffer.bytes, "abc", 3);
    buffer_done(&buffer);
}

static void buffer_gives_a_place_also_for_no_bytes(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    void *place = NULL;
    assert_int_equal(buffer_extend(&buffer, 0, &place), TROUPE_OK);
    assert_non_null(place);
    assert_int_equal(buffer.size, 0);
    assert_int_equal(buffer_append(&buffer, NULL, 0), TROUPE_OK);
    buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_starts_empty_and_allocates_nothing),
        cmocka_unit_test(buffer_keeps_what_was_appended_while_it_grows),
        cmocka_unit_test(buffer_clear_keeps_its_block),
        cmocka_unit_test(buffer_truncate_only_shortens),
        cmocka_unit_test(buffer_align_pads_with_zeros),
        cmocka_unit_test(buffer_terminate_adds_an_uncounted_nul),
        cmocka_unit_test(buffer_refuses_to_run_away_and_stays_as_it_was),
        cmocka_unit_test(buffer_gives_a_place_also_for_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

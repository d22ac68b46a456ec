/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/record: events as bytes that stay readable. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/record.h"

static void fill(struct record_batch *batch)
{
    assert_int_equal(record_batch_append(batch, 7, 1, "abc", 3), TROUPE_OK);
    assert_int_equal(record_batch_append(batch, 8, 2, NULL, 0), TROUPE_OK);
    assert_int_equal(record_batch_append(batch, 9, 3, "12345678", 8), TROUPE_OK);
}

static void batch_gives_back_its_records_in_order(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    fill(&batch);
    assert_int_equal(batch.count, 3);

    struct record_cursor cursor = record_cursor_of(&batch);
    struct record record;
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    assert_int_equal(record.type, 7);
    assert_int_equal(record.version, 1);
    assert_int_equal(record.flags, 0);
    assert_int_equal(record.size, 3);
    assert_memory_equal(record.body, "abc", 3);
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    assert_int_equal(record.type, 8);
    assert_int_equal(record.size, 0);
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    assert_int_equal(record.version, 3);
    assert_memory_equal(record.body, "12345678", 8);
    assert_int_equal(record_next(&cursor, &record), TROUPE_END);
    assert_int_equal(record_next(&cursor, &record), TROUPE_END);
    record_batch_done(&batch);
}

static void bodies_begin_at_multiples_of_eight(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    for (size_t size = 0; size < 40; size++) {
        void *body;
        assert_int_equal(record_batch_add(&batch, 1, 1, size, &body), TROUPE_OK);
        assert_int_equal((uintptr_t)body % RECORD_ALIGNMENT, 0);
        memset(body, 0xff, size);
    }
    struct record_cursor cursor = record_cursor_of(&batch);
    struct record record = {0};
    for (size_t size = 0; size < 40; size++) {
        assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
        assert_int_equal(record.size, size);
        assert_int_equal((uintptr_t)record.body % RECORD_ALIGNMENT, 0);
    }
    record_batch_done(&batch);
}

static void new_bodies_are_zeroed_also_in_a_used_block(void **state)
{
    (void)state;
    static const unsigned char zeros[64];
    struct record_batch batch = {0};
    void *body;
    assert_int_equal(record_batch_add(&batch, 1, 1, 64, &body), TROUPE_OK);
    memset(body, 0xff, 64);
    record_batch_clear(&batch);
    assert_int_equal(batch.count, 0);
    assert_int_equal(record_batch_add(&batch, 1, 1, 64, &body), TROUPE_OK);
    assert_memory_equal(body, zeros, 64);
    record_batch_done(&batch);
}

static void truncate_takes_back_the_last_records(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    assert_int_equal(record_batch_append(&batch, 1, 1, "kept", 4), TROUPE_OK);
    size_t size = batch.bytes.size;
    fill(&batch);
    record_batch_truncate(&batch, 1, size);
    assert_int_equal(batch.count, 1);

    struct record_cursor cursor = record_cursor_of(&batch);
    struct record record;
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    assert_memory_equal(record.body, "kept", 4);
    assert_int_equal(record_next(&cursor, &record), TROUPE_END);
    record_batch_done(&batch);
}

static void join_adds_all_records_of_another_batch(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    struct record_batch other = {0};
    fill(&batch);
    fill(&other);
    assert_int_equal(record_batch_join(&batch, &other), TROUPE_OK);
    assert_int_equal(batch.count, 6);
    size_t seen = 0;
    struct record_cursor cursor = record_cursor_of(&batch);
    struct record record;
    while (record_next(&cursor, &record) == TROUPE_OK)
        seen++;
    assert_int_equal(seen, 6);
    record_batch_done(&batch);
    record_batch_done(&other);
}

static void body_at_the_limit_is_taken_and_one_byte_more_is_refused(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    void *body;
    assert_int_equal(record_batch_add(&batch, 1, 1, RECORD_BODY_MAX, &body), TROUPE_OK);
    assert_int_equal(record_batch_add(&batch, 1, 1, RECORD_BODY_MAX + 1, &body), TROUPE_TOO_LARGE);
    assert_int_equal(batch.count, 1);
    record_batch_done(&batch);
}

static void count_at_the_limit_is_taken_and_one_more_is_refused(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    void *body;
    for (uint32_t i = 0; i < RECORD_COUNT_MAX; i++) {
        if (record_batch_add(&batch, 1, 1, 0, &body) != TROUPE_OK)
            fail();
    }
    assert_int_equal(record_batch_add(&batch, 1, 1, 0, &body), TROUPE_LIMIT);
    assert_int_equal(record_batch_join(&batch, &batch), TROUPE_LIMIT);
    assert_int_equal(batch.count, RECORD_COUNT_MAX);
    record_batch_done(&batch);
}

/*
 * Walks `size` bytes of a copy that is exactly as long, so that the address sanitizer sees a read past the
 * end.
 */
static troupe_status walk(const void *bytes, size_t size, size_t *ret_seen)
{
    unsigned char *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct record_cursor cursor = record_cursor_at(copy, size);
    struct record record;
    troupe_status status;
    *ret_seen = 0;
    while ((status = record_next(&cursor, &record)) == TROUPE_OK)
        (*ret_seen)++;
    assert_int_equal(record_next(&cursor, &record), status);
    free(copy);
    return status;
}

static void bytes_cut_short_anywhere_are_malformed_or_whole_records(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    fill(&batch);
    size_t first = record_stored_size(3);
    size_t second = first + record_stored_size(0);
    size_t third = second + record_stored_size(8);
    assert_int_equal(third, batch.bytes.size);
    for (size_t size = 0; size <= third; size++) {
        size_t seen;
        bool is_whole = size == 0 || size == first || size == second || size == third;
        assert_int_equal(walk(batch.bytes.bytes, size, &seen), is_whole ? TROUPE_END : TROUPE_MALFORMED);
        assert_int_equal(seen, (size_t)(size >= first) + (size >= second) + (size >= third));
    }
    record_batch_done(&batch);
}

static void damaged_sizes_and_padding_are_malformed(void **state)
{
    (void)state;
    enum { SIZE_AT = 8, ZERO_AT = 12, PADDING_AT = RECORD_HEADER_SIZE + 3 };
    static const size_t places[] = {SIZE_AT + 3, ZERO_AT, ZERO_AT + 3, PADDING_AT, PADDING_AT + 4};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct record_batch batch = {0};
        size_t seen;
        fill(&batch);
        batch.bytes.bytes[places[i]] ^= 0x7f;
        assert_int_equal(walk(batch.bytes.bytes, batch.bytes.size, &seen), TROUPE_MALFORMED);
        assert_int_equal(seen, 0);
        record_batch_done(&batch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_gives_back_its_records_in_order),
        cmocka_unit_test(bodies_begin_at_multiples_of_eight),
        cmocka_unit_test(new_bodies_are_zeroed_also_in_a_used_block),
        cmocka_unit_test(truncate_takes_back_the_last_records),
        cmocka_unit_test(join_adds_all_records_of_another_batch),
        cmocka_unit_test(body_at_the_limit_is_taken_and_one_byte_more_is_refused),
        cmocka_unit_test(count_at_the_limit_is_taken_and_one_more_is_refused),
        cmocka_unit_test(bytes_cut_short_anywhere_are_malformed_or_whole_records),
        cmocka_unit_test(damaged_sizes_and_padding_are_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/array: a plain array that grows. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"

static void array_keeps_its_things_while_it_grows(void **state)
{
    (void)state;
    uint64_t *things = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(array_reserve(&things, &capacity, i + 1, sizeof(*things)), TROUPE_OK);
        assert_true(capacity >= i + 1);
        things[i] = i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(things[i], i);
    free(things);
}

static void room_that_is_there_is_not_made_again(void **state)
{
    (void)state;
    uint64_t *things = NULL;
    size_t capacity = 0;
    assert_int_equal(array_reserve(&things, &capacity, 100, sizeof(*things)), TROUPE_OK);
    const uint64_t *first = things;
    size_t before = capacity;
    assert_int_equal(array_reserve(&things, &capacity, before, sizeof(*things)), TROUPE_OK);
    assert_ptr_equal(things, first);
    assert_int_equal(capacity, before);
    free(things);
}

static void array_larger_than_memory_is_refused_and_stays(void **state)
{
    (void)state;
    uint64_t *things = NULL;
    size_t capacity = 0;
    assert_int_equal(array_reserve(&things, &capacity, 1, sizeof(*things)), TROUPE_OK);
    const uint64_t *first = things;
    size_t before = capacity;
    assert_int_equal(array_reserve(&things, &capacity, SIZE_MAX / 8, sizeof(*things)), TROUPE_NO_MEMORY);
    assert_int_equal(array_reserve(&things, &capacity, SIZE_MAX, sizeof(*things)), TROUPE_NO_MEMORY);
    assert_ptr_equal(things, first);
    assert_int_equal(capacity, before);
    free(things);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_keeps_its_things_while_it_grows),
        cmocka_unit_test(room_that_is_there_is_not_made_again),
        cmocka_unit_test(array_larger_than_memory_is_refused_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

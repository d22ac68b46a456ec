/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/map: finding the place of a thing by its hash. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/map.h"

enum { THING_COUNT = 5000 };

/* The things are numbers; the thing at index i is names[i]. */
static uint64_t names[THING_COUNT];

static bool is_name(const void *context, uint32_t index, const void *key)
{
    const uint64_t *array = context;
    return array[index] == *(const uint64_t *)key;
}

static uint32_t find(const struct map *map, uint64_t hash, uint64_t name)
{
    return map_find(map, hash, is_name, names, &name);
}

static void empty_map_finds_nothing(void **state)
{
    (void)state;
    struct map map = {0};
    assert_int_equal(find(&map, 1, 1), MAP_NONE);
    assert_false(map_remove(&map, 1, 0));
    map_done(&map);
}

static void map_finds_each_thing_and_nothing_else(void **state)
{
    (void)state;
    struct map map = {0};
    for (uint32_t i = 0; i < THING_COUNT; i++) {
        names[i] = i * 3;
        assert_int_equal(map_add(&map, hash_number(names[i]), i), TROUPE_OK);
    }
    assert_int_equal(map.count, THING_COUNT);
    for (uint32_t i = 0; i < THING_COUNT; i++) {
        assert_int_equal(find(&map, hash_number(i * 3), i * 3), i);
        assert_int_equal(find(&map, hash_number(i * 3 + 1), i * 3 + 1), MAP_NONE);
    }
    map_done(&map);
}

static void things_with_the_same_hash_are_told_apart(void **state)
{
    (void)state;
    struct map map = {0};
    for (uint32_t i = 0; i < 10; i++) {
        names[i] = i;
        assert_int_equal(map_add(&map, 42, i), TROUPE_OK);
    }
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(find(&map, 42, i), i);
    assert_true(map_remove(&map, 42, 4));
    assert_int_equal(find(&map, 42, 4), MAP_NONE);
    assert_int_equal(find(&map, 42, 9), 9);
    map_done(&map);
}

/*
 * Hashes of few values make long runs that wrap around the end of the table; a plain array says what must be
 * found.
 */
static void map_agrees_with_an_array_under_random_adding_and_removing(void **state)
{
    (void)state;
    struct map map = {0};
    bool is_in[256] = {false};
    size_t count = 0;
    uint64_t random = 1;
    for (uint32_t i = 0; i < 256; i++)
        names[i] = i;
    for (int step = 0; step < 40000; step++) {
        random = hash_number(random + 0x9e3779b97f4a7c15u);
        uint32_t i = (uint32_t)(random >> 32) & 255;
        uint64_t hash = (i % 7) * 0x0fffffffu;
        if (is_in[i]) {
            assert_true(map_remove(&map, hash, i));
            count--;
        } else {
            assert_int_equal(map_add(&map, hash, i), TROUPE_OK);
            count++;
        }
        is_in[i] = !is_in[i];
        uint32_t other = (uint32_t)(random >> 16) & 255;
        assert_int_equal(find(&map, (other % 7) * 0x0fffffffu, other), is_in[other] ? other : MAP_NONE);
        assert_int_equal(map.count, count);
    }
    map_done(&map);
}

static void reserved_room_is_used_without_moving_the_slots(void **state)
{
    (void)state;
    struct map map = {0};
    assert_int_equal(map_reserve(&map, 1000), TROUPE_OK);
    const struct map_slot *slots = map.slots;
    for (uint32_t i = 0; i < 1000; i++) {
        names[i] = i;
        map_insert(&map, hash_number(i), i);
    }
    assert_ptr_equal(map.slots, slots);
    assert_int_equal(find(&map, hash_number(999), 999), 999);
    map_done(&map);
}

static void cleared_map_finds_nothing_and_keeps_its_slots(void **state)
{
    (void)state;
    struct map map = {0};
    names[0] = 5;
    assert_int_equal(map_add(&map, 5, 0), TROUPE_OK);
    const struct map_slot *slots = map.slots;
    map_clear(&map);
    assert_int_equal(find(&map, 5, 5), MAP_NONE);
    assert_int_equal(map_add(&map, 5, 0), TROUPE_OK);
    assert_ptr_equal(map.slots, slots);
    map_done(&map);
}

static void copied_map_finds_the_same_and_goes_its_own_way(void **state)
{
    (void)state;
    struct map map = {0};
    struct map copy = {0};
    assert_int_equal(map_copy(&map, &copy), TROUPE_OK);
    assert_int_equal(copy.count, 0);
    for (uint32_t i = 0; i < 100; i++) {
        names[i] = i;
        assert_int_equal(map_add(&map, hash_number(i), i), TROUPE_OK);
    }
    assert_int_equal(map_copy(&map, &copy), TROUPE_OK);
    assert_true(map_remove(&map, hash_number(7), 7));
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(find(&copy, hash_number(i), i), i);
    map_done(&map);
    map_done(&copy);
}

static void more_things_than_positions_are_refused(void **state)
{
    (void)state;
    struct map map = {0};
    assert_int_equal(map_reserve(&map, (size_t)1 << 31), TROUPE_LIMIT);
    assert_int_equal(map_reserve(&map, SIZE_MAX), TROUPE_LIMIT);
    assert_int_equal(map.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map_finds_nothing),
        cmocka_unit_test(map_finds_each_thing_and_nothing_else),
        cmocka_unit_test(things_with_the_same_hash_are_told_apart),
        cmocka_unit_test(map_agrees_with_an_array_under_random_adding_and_removing),
        cmocka_unit_test(reserved_room_is_used_without_moving_the_slots),
        cmocka_unit_test(cleared_map_finds_nothing_and_keeps_its_slots),
        cmocka_unit_test(copied_map_finds_the_same_and_goes_its_own_way),
        cmocka_unit_test(more_things_than_positions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

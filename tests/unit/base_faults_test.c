/* SPDX-License-Identifier: MIT */
/*
 * Facts about want of memory in the containers of src/base: whichever allocation fails, the call says
 * TROUPE_NO_MEMORY, what the container held before is still in it, the same call works when there is memory
 * again, and nothing leaks. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/buffer.h"
#include "base/heap.h"
#include "base/map.h"
#include "support/faults.h"

enum {
    THINGS = 200, /* several growths */
};

/* Whether it was done; otherwise it was for want of memory. */
static bool done(troupe_status status)
{
    assert_true(status == TROUPE_OK || (status == TROUPE_NO_MEMORY && faults_failed() > 0));
    return status == TROUPE_OK;
}

/* Runs `body` with another allocation failing each time, until none is left. */
static void each_fails(void (*body)(void))
{
    for (enum faults_mode mode = FAULTS_ONCE; mode < FAULTS_MODES; mode++) {
        uint64_t number = 0;
        do {
            int64_t held = faults_held();
            faults_arm(FAULTS_MEMORY, mode, ++number);
            body();
            faults_disarm();
            assert_int_equal(faults_held(), held);
        } while (faults_failed() > 0);
        assert_true(number > 1);
    }
}

static void array_body(void)
{
    uint32_t *numbers = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < THINGS; i++) {
        if (!done(array_reserve(&numbers, &capacity, i + 1, sizeof *numbers))) {
            faults_disarm();
            assert_int_equal(array_reserve(&numbers, &capacity, i + 1, sizeof *numbers), TROUPE_OK);
        }
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < THINGS; i++)
        assert_int_equal(numbers[i], i);
    free(numbers);
}

static void buffer_body(void)
{
    struct buffer buffer;
    buffer_init(&buffer);
    for (uint32_t i = 0; i < THINGS; i++) {
        if (!done(buffer_append(&buffer, &i, sizeof i))) {
            assert_int_equal(buffer.size, i * sizeof i);
            faults_disarm();
            assert_int_equal(buffer_append(&buffer, &i, sizeof i), TROUPE_OK);
        }
    }
    for (uint32_t i = 0; i < THINGS; i++)
        assert_memory_equal((const char *)buffer.bytes + i * sizeof i, &i, sizeof i);
    buffer_done(&buffer);
}

static bool is_number(const void *context, uint32_t index, const void *key)
{
    (void)context;
    return index == *(const uint32_t *)key;
}

static void map_body(void)
{
    struct map map = {0};
    for (uint32_t i = 0; i < THINGS; i++) {
        if (!done(map_add(&map, i * 31, i))) {
            assert_int_equal(map_find(&map, i * 31, is_number, NULL, &i), MAP_NONE);
            faults_disarm();
            assert_int_equal(map_add(&map, i * 31, i), TROUPE_OK);
        }
    }
    for (uint32_t i = 0; i < THINGS; i++)
        assert_int_equal(map_find(&map, i * 31, is_number, NULL, &i), i);
    map_done(&map);
}

static void heap_body(void)
{
    struct heap heap = {0};
    struct heap_node nodes[THINGS];
    for (uint32_t i = 0; i < THINGS; i++) {
        heap_node_init(&nodes[i]);
        if (!done(heap_reserve(&heap, 1))) {
            faults_disarm();
            assert_int_equal(heap_reserve(&heap, 1), TROUPE_OK);
        }
        heap_insert(&heap, &nodes[i], (int64_t)(THINGS - i), i);
        assert_ptr_equal(heap_first(&heap)->node, &nodes[i]);
    }
    heap_done(&heap);
}

static void arena_body(void)
{
    struct arena arena = {0};
    const char *texts[THINGS];
    char text[100] = "text";
    for (uint32_t i = 0; i < THINGS; i++) {
        if (!done(arena_text(&arena, text, sizeof text, &texts[i]))) {
            faults_disarm();
            assert_int_equal(arena_text(&arena, text, sizeof text, &texts[i]), TROUPE_OK);
        }
    }
    for (uint32_t i = 0; i < THINGS; i++)
        assert_string_equal(texts[i], "text");
    arena_done(&arena);
}

static void array_without_memory_keeps_what_it_holds(void **state)
{
    (void)state;
    each_fails(array_body);
}

static void buffer_without_memory_keeps_what_it_holds(void **state)
{
    (void)state;
    each_fails(buffer_body);
}

static void map_without_memory_keeps_what_it_holds(void **state)
{
    (void)state;
    each_fails(map_body);
}

static void heap_without_memory_keeps_what_it_holds(void **state)
{
    (void)state;
    each_fails(heap_body);
}

static void arena_without_memory_keeps_what_it_holds(void **state)
{
    (void)state;
    each_fails(arena_body);
}

static int teardown(void **state)
{
    (void)state;
    faults_disarm();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(array_without_memory_keeps_what_it_holds, teardown),
        cmocka_unit_test_teardown(buffer_without_memory_keeps_what_it_holds, teardown),
        cmocka_unit_test_teardown(map_without_memory_keeps_what_it_holds, teardown),
        cmocka_unit_test_teardown(heap_without_memory_keeps_what_it_holds, teardown),
        cmocka_unit_test_teardown(arena_without_memory_keeps_what_it_holds, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

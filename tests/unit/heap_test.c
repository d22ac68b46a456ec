/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/heap: what comes first. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/heap.h"

enum { NODE_COUNT = 300 };

struct thing {
    struct heap_node node;
    int64_t key;
};

static struct thing things[NODE_COUNT];
static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = hash_number(random_state + 0x9e3779b97f4a7c15u);
    return (uint32_t)(random_state >> 33) % limit;
}

static size_t thing_of(const struct heap_entry *entry)
{
    return (size_t)((struct thing *)entry->node - things);
}

/* Puts every thing into the heap; few different keys, so that most of them are equal to others. */
static void fill(struct heap *heap)
{
    random_state = 7;
    assert_int_equal(heap_reserve(heap, NODE_COUNT), TROUPE_OK);
    for (size_t i = 0; i < NODE_COUNT; i++) {
        heap_node_init(&things[i].node);
        things[i].key = random_below(20);
        heap_insert(heap, &things[i].node, things[i].key, i);
    }
}

/* The first thing by plain search: the smallest key, then the smallest index. */
static size_t first_by_search(void)
{
    size_t first = NODE_COUNT;
    for (size_t i = 0; i < NODE_COUNT; i++) {
        if (heap_has(&things[i].node) && (first == NODE_COUNT || things[i].key < things[first].key))
            first = i;
    }
    return first;
}

static void empty_heap_has_no_first(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct heap_entry entry;
    assert_null(heap_first(&heap));
    assert_int_equal(heap_peek_until(&heap, INT64_MAX, &entry, 1), 0);
    heap_done(&heap);
}

static void heap_gives_nodes_by_key_then_by_order(void **state)
{
    (void)state;
    struct heap heap = {0};
    fill(&heap);
    for (size_t i = 0; i < NODE_COUNT; i++) {
        size_t first = thing_of(heap_first(&heap));
        assert_int_equal(first, first_by_search());
        heap_remove(&heap, &things[first].node);
        assert_false(heap_has(&things[first].node));
    }
    assert_null(heap_first(&heap));
    heap_done(&heap);
}

static void any_node_can_leave_and_come_back(void **state)
{
    (void)state;
    struct heap heap = {0};
    fill(&heap);
    for (int step = 0; step < 20000; step++) {
        size_t i = random_below(NODE_COUNT);
        if (heap_has(&things[i].node)) {
            heap_remove(&heap, &things[i].node);
        } else {
            things[i].key = random_below(20);
            heap_insert(&heap, &things[i].node, things[i].key, i);
        }
        const struct heap_entry *first = heap_first(&heap);
        assert_int_equal(first == NULL ? NODE_COUNT : thing_of(first), first_by_search());
    }
    heap_done(&heap);
}

static void removing_a_node_that_is_outside_changes_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    struct thing one;
    heap_node_init(&one.node);
    heap_remove(&heap, &one.node);
    assert_int_equal(heap.count, 0);
    assert_int_equal(heap_reserve(&heap, 1), TROUPE_OK);
    heap_insert(&heap, &one.node, 1, 1);
    heap_remove(&heap, &one.node);
    heap_remove(&heap, &one.node);
    assert_int_equal(heap.count, 0);
    heap_done(&heap);
}

static void peek_gives_the_first_due_in_order_and_takes_nothing(void **state)
{
    (void)state;
    struct heap heap = {0};
    fill(&heap);
    for (int64_t until = -1; until <= 20; until++) {
        struct heap_entry due[NODE_COUNT];
        size_t all = heap_peek_until(&heap, until, due, NODE_COUNT);
        size_t expected = 0;
        for (size_t i = 0; i < NODE_COUNT; i++)
            expected += things[i].key <= until;
        assert_int_equal(all, expected);
        for (size_t i = 1; i < all; i++) {
            assert_true(due[i - 1].key < due[i].key ||
                        (due[i - 1].key == due[i].key && due[i - 1].order < due[i].order));
        }
        struct heap_entry few[7];
        size_t count = heap_peek_until(&heap, until, few, 7);
        assert_int_equal(count, all < 7 ? all : 7);
        for (size_t i = 0; i < count; i++)
            assert_ptr_equal(few[i].node, due[i].node);
        assert_int_equal(heap.count, NODE_COUNT);
    }
    heap_done(&heap);
}

static void reserved_room_is_used_without_moving_the_entries(void **state)
{
    (void)state;
    struct heap heap = {0};
    assert_int_equal(heap_reserve(&heap, NODE_COUNT), TROUPE_OK);
    const struct heap_entry *entries = heap.entries;
    fill(&heap);
    assert_ptr_equal(heap.entries, entries);
    heap_done(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_heap_has_no_first),
        cmocka_unit_test(heap_gives_nodes_by_key_then_by_order),
        cmocka_unit_test(any_node_can_leave_and_come_back),
        cmocka_unit_test(removing_a_node_that_is_outside_changes_nothing),
        cmocka_unit_test(peek_gives_the_first_due_in_order_and_takes_nothing),
        cmocka_unit_test(reserved_room_is_used_without_moving_the_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

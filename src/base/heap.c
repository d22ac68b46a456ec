/* SPDX-License-Identifier: MIT */
/*
 * heap.c: what comes first; heap.h has the design and the invariants. Any one thread at a time.
 */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

enum { HEAP_CAPACITY_FIRST = 16 };

static bool is_before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->key < b->key || (a->key == b->key && a->order < b->order);
}

static void put(struct heap *heap, size_t position, struct heap_entry entry)
{
    heap->entries[position] = entry;
    entry.node->position = position;
}

static void sift_up(struct heap *heap, size_t position, struct heap_entry entry)
{
    while (position > 0) {
        size_t parent = (position - 1) / 2;
        if (!is_before(&entry, &heap->entries[parent]))
            break;
        put(heap, position, heap->entries[parent]);
        position = parent;
    }
    put(heap, position, entry);
}

static void sift_down(struct heap *heap, size_t position, struct heap_entry entry)
{
    for (;;) {
        size_t child = position * 2 + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && is_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!is_before(&heap->entries[child], &entry))
            break;
        put(heap, position, heap->entries[child]);
        position = child;
    }
    put(heap, position, entry);
}

void heap_done(struct heap *heap)
{
    free(heap->entries);
    memset(heap, 0, sizeof(*heap));
}

troupe_status heap_reserve(struct heap *heap, size_t more)
{
    if (more <= heap->capacity - heap->count)
        return TROUPE_OK;
    size_t capacity = heap->capacity == 0 ? HEAP_CAPACITY_FIRST : heap->capacity;
    while (capacity - heap->count < more) {
        if (capacity > SIZE_MAX / sizeof(*heap->entries) / 2)
            return TROUPE_NO_MEMORY;
        capacity *= 2;
    }
    struct heap_entry *entries = realloc(heap->entries, capacity * sizeof(*entries));
    if (entries == NULL)
        return TROUPE_NO_MEMORY;
    heap->entries = entries;
    heap->capacity = capacity;
    return TROUPE_OK;
}

void heap_insert(struct heap *heap, struct heap_node *node, int64_t key, uint64_t order)
{
    heap->count++;
    sift_up(heap, heap->count - 1, (struct heap_entry){.key = key, .order = order, .node = node});
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (!heap_has(node))
        return;
    size_t position = node->position;
    struct heap_entry last = heap->entries[heap->count - 1];
    heap->count--;
    heap_node_init(node);
    if (last.node == node)
        return;
    /*
     * The last entry fills the hole. It came from another branch, so it may belong above the hole as well as
     * below.
     */
    if (position > 0 && is_before(&last, &heap->entries[(position - 1) / 2]))
        sift_up(heap, position, last);
    else
        sift_down(heap, position, last);
}

const struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? &heap->entries[0] : NULL;
}

/* Inserts into a sorted list of at most `limit`; what falls off the end is not among the first. */
static size_t keep_first(struct heap_entry *list, size_t count, size_t limit, const struct heap_entry *entry)
{
    if (count == limit && !is_before(entry, &list[count - 1]))
        return count;
    size_t at = count < limit ? count : count - 1;
    while (at > 0 && is_before(entry, &list[at - 1])) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = *entry;
    return count < limit ? count + 1 : count;
}

/*
 * Walks the tree depth first without a stack: down to a child while it can be among the results, else to the
 * next place in order. A subtree whose top is too late, or after the last of a full list, holds nothing for
 * us (invariant 1).
 */
size_t heap_peek_until(const struct heap *heap, int64_t until, struct heap_entry *ret_entries, size_t limit)
{
    size_t count = 0;
    size_t at = 0;
    if (limit == 0)
        return 0;
    for (;;) {
        bool is_wanted = at < heap->count && heap->entries[at].key <= until &&
                         (count < limit || is_before(&heap->entries[at], &ret_entries[count - 1]));
        if (is_wanted) {
            count = keep_first(ret_entries, count, limit, &heap->entries[at]);
            at = at * 2 + 1;
            continue;
        }
        while (at > 0 && at % 2 == 0) /* a right child: its parent is finished */
            at = (at - 1) / 2;
        if (at == 0)
            return count;
        at++; /* from a left child to its sibling */
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * heap.h: what comes first. A binary heap of nodes that live inside the caller's own structs, ordered by a
 * key and, among equal keys, by a second number, so that the order never depends on chance. Any node can be
 * taken out or moved in O(log n), because it knows its place.
 *
 * Place: a leaf; the due times and the returned messages of a role stand on it. Any one thread at a time.
 *
 * Invariants
 *   1. entries[i] is not before its parent entries[(i - 1) / 2].
 *   2. entries[node->position].node == node for each node inside; a node outside has the position
 *      HEAP_OUTSIDE.
 *   3. After heap_reserve(heap, n), n calls of heap_insert allocate nothing: a fold that must not fail relies
 *      on it.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/status.h>

/** The position of a node that is in no heap. */
#define HEAP_OUTSIDE SIZE_MAX

/** The caller embeds this; one node is in at most one heap. Begin with heap_node_init. */
struct heap_node {
    size_t position;
};

/** What the heap compares, beside the node, so that sifting does not fetch the callers' structs. */
struct heap_entry {
    int64_t key;
    uint64_t order;
    struct heap_node *node;
};

/** The heap. All zeros is empty and ready; the fields are read freely and written only here. */
struct heap {
    struct heap_entry *entries;
    size_t count;
    size_t capacity;
};

/** Makes a node that is in no heap. */
static inline void heap_node_init(struct heap_node *node)
{
    node->position = HEAP_OUTSIDE;
}

/** Whether a node is in a heap. */
static inline bool heap_has(const struct heap_node *node)
{
    return node->position != HEAP_OUTSIDE;
}

/** Frees the entries, not the nodes; the heap is empty and ready again. */
void heap_done(struct heap *heap);

/** Makes room for `more` further nodes. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status heap_reserve(struct heap *heap, size_t more);

/** Adds a node that is in no heap, for which room was reserved. Cannot fail. O(log n). */
void heap_insert(struct heap *heap, struct heap_node *node, int64_t key, uint64_t order);

/** Takes a node out; one that is outside stays outside. O(log n). */
void heap_remove(struct heap *heap, struct heap_node *node);

/** The first entry, or NULL when empty. O(1). */
const struct heap_entry *heap_first(const struct heap *heap);

/**
 * Writes the entries with key <= `until` into `ret_entries`, the first ones in order, at most `limit`, and
 * returns how many. Changes nothing, so a decision can look ahead. O(k^2) for k = limit, which is small.
 */
size_t heap_peek_until(const struct heap *heap, int64_t until, struct heap_entry *ret_entries, size_t limit);

#endif

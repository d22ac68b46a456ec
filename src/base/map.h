/* SPDX-License-Identifier: MIT */
/*
 * map.h: finds the place of a thing by its hash. The things themselves lie in an array of the caller; the map
 * holds only the lower 32 bits of each hash and the thing's index, 8 bytes a slot, so that a table of a
 * million messages costs 16 MB at most and a lookup touches one or two cache lines.
 *
 *     struct map map = {0};
 *     map_add(&map, hash, index)                      after checking with map_find that it is not there
 *     map_find(&map, hash, is_equal, context, key)    is_equal(context, index, key) compares with the array
 *
 * Open addressing with linear probing; removal shifts the followers back, so there are no tombstones and
 * lookups do not grow slower with churn. Place: a leaf. Any one thread at a time.
 *
 * Invariants
 *   1. capacity is 0 or a power of two; count <= 3/4 of capacity, so a probe always ends at an empty slot.
 *   2. Every slot between a thing's home (its hash modulo capacity) and its place is taken.
 *   3. After map_reserve(map, n), n calls of map_insert allocate nothing: a fold that must not fail relies on
 *      it.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/status.h>

/** The most things in one map; also the answer for "none". */
#define MAP_NONE UINT32_MAX

/** One slot; private to map.c. */
struct map_slot {
    uint32_t hash;
    uint32_t index;
};

/** The map. All zeros is empty and ready; the fields are read freely and written only here. */
struct map {
    struct map_slot *slots;
    size_t count;
    size_t capacity;
};

/** Whether the thing at `index` of the caller's array is the one that `key` names. */
typedef bool map_is_equal(const void *context, uint32_t index, const void *key);

/** Frees the slots; the map is empty and ready again. */
void map_done(struct map *map);

/** Fills an empty map with what another one has. TROUPE_NO_MEMORY: it is empty still. */
TROUPE_MUST_CHECK troupe_status map_copy(const struct map *map, struct map *ret_map);

/** Forgets all things and keeps the slots. */
void map_clear(struct map *map);

/** Makes room for `more` further things. TROUPE_NO_MEMORY, or TROUPE_LIMIT beyond MAP_NONE slots. */
TROUPE_MUST_CHECK troupe_status map_reserve(struct map *map, size_t more);

/** Adds a thing that is not in the map, for which room was reserved. Cannot fail. */
void map_insert(struct map *map, uint64_t hash, uint32_t index);

/** map_reserve of one, then map_insert. */
TROUPE_MUST_CHECK troupe_status map_add(struct map *map, uint64_t hash, uint32_t index);

/**
 * Begins to fetch the place of a hash, for whoever looks there a little later: in a large map nobody was
 * there lately, and it comes from far.
 */
static inline void map_prefetch(const struct map *map, uint64_t hash)
{
    if (map->capacity > 0)
        __builtin_prefetch(&map->slots[(uint32_t)hash & (map->capacity - 1)]);
}

/** The index of the thing with this hash for which is_equal holds, or MAP_NONE. */
uint32_t map_find(const struct map *map, uint64_t hash, map_is_equal *is_equal, const void *context,
                  const void *key);

/** Takes out the thing with this hash and index; whether it was there. */
bool map_remove(struct map *map, uint64_t hash, uint32_t index);

#endif

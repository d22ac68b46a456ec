/* SPDX-License-Identifier: MIT */
/*
 * map.c: finds the place of a thing by its hash; map.h has the design and the invariants. Any one thread at a
 * time.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { MAP_CAPACITY_FIRST = 16 };

/* Positions come from the 32 stored bits, so there are at most 2^31 slots. */
#define MAP_CAPACITY_MAX ((size_t)1 << 31)

_Static_assert(sizeof(struct map_slot) == 8, "a slot is 8 bytes");

static size_t slot_after(const struct map *map, size_t position)
{
    return (position + 1) & (map->capacity - 1);
}

/* The things that a capacity holds: invariant 1. */
static size_t capacity_limit(size_t capacity)
{
    return capacity / 4 * 3;
}

static void place(struct map *map, struct map_slot slot)
{
    size_t position = slot.hash & (map->capacity - 1);
    while (map->slots[position].index != MAP_NONE)
        position = slot_after(map, position);
    map->slots[position] = slot;
}

void map_done(struct map *map)
{
    free(map->slots);
    memset(map, 0, sizeof(*map));
}

troupe_status map_copy(const struct map *map, struct map *ret_map)
{
    if (map->capacity == 0)
        return TROUPE_OK;
    struct map_slot *slots = malloc(map->capacity * sizeof(*slots));
    if (slots == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(slots, map->slots, map->capacity * sizeof(*slots));
    *ret_map = (struct map){.slots = slots, .count = map->count, .capacity = map->capacity};
    return TROUPE_OK;
}

void map_clear(struct map *map)
{
    if (map->capacity > 0)
        memset(map->slots, 0xff, map->capacity * sizeof(*map->slots));
    map->count = 0;
}

troupe_status map_reserve(struct map *map, size_t more)
{
    if (more <= capacity_limit(map->capacity) - map->count)
        return TROUPE_OK;
    if (more > capacity_limit(MAP_CAPACITY_MAX) - map->count)
        return TROUPE_LIMIT;

    size_t capacity = map->capacity == 0 ? MAP_CAPACITY_FIRST : map->capacity;
    while (capacity_limit(capacity) - map->count < more)
        capacity *= 2;
    struct map_slot *slots = malloc(capacity * sizeof(*slots));
    if (slots == NULL)
        return TROUPE_NO_MEMORY;
    memset(slots, 0xff, capacity * sizeof(*slots)); /* every index MAP_NONE: all slots empty */

    struct map old = *map;
    map->slots = slots;
    map->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].index != MAP_NONE)
            place(map, old.slots[i]);
    }
    free(old.slots);
    return TROUPE_OK;
}

void map_insert(struct map *map, uint64_t hash, uint32_t index)
{
    place(map, (struct map_slot){.hash = (uint32_t)hash, .index = index});
    map->count++;
}

troupe_status map_add(struct map *map, uint64_t hash, uint32_t index)
{
    troupe_status status = map_reserve(map, 1);
    if (status == TROUPE_OK)
        map_insert(map, hash, index);
    return status;
}

uint32_t map_find(const struct map *map, uint64_t hash, map_is_equal *is_equal, const void *context,
                  const void *key)
{
    if (map->count == 0)
        return MAP_NONE;
    size_t position = (uint32_t)hash & (map->capacity - 1);
    for (; map->slots[position].index != MAP_NONE; position = slot_after(map, position)) {
        const struct map_slot *slot = &map->slots[position];
        if (slot->hash == (uint32_t)hash && is_equal(context, slot->index, key))
            return slot->index;
    }
    return MAP_NONE;
}

/*
 * Closes the gap at `position`: a follower moves into it unless it lies between its home and itself
 * (invariant 2).
 */
static void close_gap(struct map *map, size_t gap)
{
    size_t mask = map->capacity - 1;
    size_t position = slot_after(map, gap);
    for (; map->slots[position].index != MAP_NONE; position = slot_after(map, position)) {
        size_t home = map->slots[position].hash & mask;
        if (((position - home) & mask) >= ((position - gap) & mask)) {
            map->slots[gap] = map->slots[position];
            gap = position;
        }
    }
    map->slots[gap].index = MAP_NONE;
}

bool map_remove(struct map *map, uint64_t hash, uint32_t index)
{
    if (map->count == 0)
        return false;
    size_t position = (uint32_t)hash & (map->capacity - 1);
    while (map->slots[position].index != index) {
        if (map->slots[position].index == MAP_NONE)
            return false;
        position = slot_after(map, position);
    }
    close_gap(map, position);
    map->count--;
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * array.c: a plain array that grows; array.h says how it is used. Any one thread at a time.
 */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_CAPACITY_FIRST = 8 };

_Static_assert(sizeof(void *) == sizeof(char *), "object pointers have one representation");

troupe_status array_reserve(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return TROUPE_OK;
    if (needed > SIZE_MAX / 2 / size)
        return TROUPE_NO_MEMORY;
    size_t wanted = *capacity == 0 ? ARRAY_CAPACITY_FIRST : *capacity;
    while (wanted < needed)
        wanted *= 2;

    void *things;
    memcpy(&things, array,
           sizeof(things)); /* the caller's pointer has a type of its own, so it is copied, not cast */
    things = realloc(things, wanted * size);
    if (things == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(array, &things, sizeof(things));
    *capacity = wanted;
    return TROUPE_OK;
}

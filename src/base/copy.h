/* SPDX-License-Identifier: MIT */
/*
 * copy.h: copies of few bytes, whose number is known only when they are made. Most texts and runs of fields
 * in messages are shorter than what a call of memcpy costs; these are a handful of loads and stores, of
 * which the last may lie partly over the one before.
 *
 * Place: a leaf, for the writing of messages and of JSON. Pure functions: any thread.
 */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Up to so many bytes are copied in place; more by memcpy. */
enum { COPY_SHORT_MAX = 64 };

/* The first and the last `half` bytes: all of them when they are no more than twice that many. */
#define COPY_ENDS(to, from, size, half)                                                                      \
    (memcpy((to), (from), (half)),                                                                           \
     memcpy((char *)(to) + (size) - (half), (const char *)(from) + (size) - (half), (half)))

/** As memcpy, and `from` may be anything when size is 0. */
static inline void copy_bytes(void *to, const void *from, size_t size)
{
    if (size > COPY_SHORT_MAX) {
        memcpy(to, from, size);
    } else if (size > 32) {
        COPY_ENDS(to, from, size, 32);
    } else if (size > 16) {
        COPY_ENDS(to, from, size, 16);
    } else if (size >= 8) {
        COPY_ENDS(to, from, size, 8);
    } else if (size >= 4) {
        COPY_ENDS(to, from, size, 4);
    } else if (size > 0) {
        char *bytes = to;
        const char *given = from;
        bytes[0] = given[0];
        bytes[size / 2] = given[size / 2];
        bytes[size - 1] = given[size - 1];
    }
}

#endif

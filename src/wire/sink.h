/* SPDX-License-Identifier: MIT */
/*
 * sink.h: where text is put while it is written: a block of the caller's, and a count of what the text takes
 * whether it fits or not. With no block at all, writing is measuring, so the two cannot disagree.
 *
 * Invariants
 *   1. size is that of all the text put so far; the block holds it whole if it fits, else its beginning
 *   2. nothing is written at or beyond `capacity`
 *
 * Any one thread at a time.
 */
#ifndef TROUPE_WIRE_SINK_H
#define TROUPE_WIRE_SINK_H

#include <stddef.h>
#include <string.h>

/** Text being written. */
struct sink {
    char *bytes;
    size_t capacity;
    size_t size;
};

/** Puts bytes at the end. */
static inline void sink_put(struct sink *sink, const void *bytes, size_t size)
{
    /* What did not fit leaves no room for what comes after it, either. */
    size_t room = sink->size < sink->capacity ? sink->capacity - sink->size : 0;
    size_t fits = size < room ? size : room;
    if (fits > 0)
        memcpy(sink->bytes + sink->size, bytes, fits);
    sink->size += size;
}

/** Puts one character at the end. */
static inline void sink_put_char(struct sink *sink, char c)
{
    if (sink->size < sink->capacity)
        sink->bytes[sink->size] = c;
    sink->size++;
}

#endif

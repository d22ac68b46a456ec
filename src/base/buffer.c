/* SPDX-License-Identifier: MIT */
/*
 * buffer.c: bytes that grow; buffer.h has the design and the invariants. Any one thread at a time.
 */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* The first block: large enough that a handful of small records does not grow it twice. */
enum { BUFFER_CAPACITY_FIRST = 256 };

void buffer_init(struct buffer *buffer)
{
    memset(buffer, 0, sizeof(*buffer));
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->bytes);
    buffer_init(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

void buffer_truncate(struct buffer *buffer, size_t size)
{
    if (size < buffer->size)
        buffer->size = size;
}

troupe_status buffer_grow(struct buffer *buffer, size_t more)
{
    if (more > BUFFER_SIZE_MAX - buffer->size)
        return TROUPE_TOO_LARGE;

    size_t needed = buffer->size + more;
    size_t capacity = buffer->capacity == 0 ? BUFFER_CAPACITY_FIRST : buffer->capacity;
    while (capacity < needed)
        capacity *= 2; /* ends: needed <= BUFFER_SIZE_MAX, itself a power of two */

    unsigned char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return TROUPE_NO_MEMORY;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return TROUPE_OK;
}

troupe_status buffer_extend(struct buffer *buffer, size_t size, void **ret_bytes)
{
    /* One byte at least is reserved, so that the place given is never NULL. */
    troupe_status status = buffer_reserve(buffer, size == 0 ? 1 : size);
    if (status != TROUPE_OK)
        return status;
    *ret_bytes = buffer->bytes + buffer->size;
    buffer->size += size;
    return TROUPE_OK;
}

troupe_status buffer_align(struct buffer *buffer, size_t alignment)
{
    size_t over = buffer->size & (alignment - 1);
    if (over == 0)
        return TROUPE_OK;

    void *place;
    troupe_status status = buffer_extend(buffer, alignment - over, &place);
    if (status == TROUPE_OK)
        memset(place, 0, alignment - over);
    return status;
}

troupe_status buffer_terminate(struct buffer *buffer)
{
    troupe_status status = buffer_reserve(buffer, 1);
    if (status == TROUPE_OK)
        buffer->bytes[buffer->size] = '\0';
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * buffer.h: bytes that grow. One contiguous block, doubled when full, so that appending costs a constant on
 * average.
 *
 * Place: a leaf. The record batch, texts that are put together and everything else that needs "more bytes at
 * the end" stand on it. Any one thread at a time; nothing here blocks.
 *
 * Invariants
 *   1. size <= capacity <= BUFFER_SIZE_MAX; bytes is NULL only while capacity is 0.
 *   2. The block is aligned for any type, so an offset that is a multiple of 8 may be read as a uint64_t.
 *   3. A pointer into the block is good until the next call that may grow it.
 *   4. A call that fails leaves size and content as they were.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <string.h>

#include <troupe/status.h>

/** The largest a buffer grows: more is a runaway, and is refused with TROUPE_TOO_LARGE. */
#define BUFFER_SIZE_MAX ((size_t)1 << 30)

/**
 * Growing bytes. A buffer of all zeros is empty and ready; the fields are read freely and written only here.
 */
struct buffer {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
};

/** Makes an empty buffer. Allocates nothing. */
void buffer_init(struct buffer *buffer);

/** Frees the block. The buffer is empty and ready again. */
void buffer_done(struct buffer *buffer);

/** Forgets the content and keeps the block for the next use. */
void buffer_clear(struct buffer *buffer);

/** Cuts the content back to its first `size` bytes, which must not be more than there are. */
void buffer_truncate(struct buffer *buffer, size_t size);

/** buffer_reserve when there is not room: a block of twice the size or more. */
TROUPE_MUST_CHECK troupe_status buffer_grow(struct buffer *buffer, size_t more);

/** Makes room for `more` further bytes. TROUPE_NO_MEMORY, or TROUPE_TOO_LARGE beyond BUFFER_SIZE_MAX. */
TROUPE_MUST_CHECK static inline troupe_status buffer_reserve(struct buffer *buffer, size_t more)
{
    return more <= buffer->capacity - buffer->size ? TROUPE_OK : buffer_grow(buffer, more);
}

/**
 * Adds `size` bytes at the end and gives their place for the caller to write; they are not cleared. Errors of
 * reserve.
 */
TROUPE_MUST_CHECK troupe_status buffer_extend(struct buffer *buffer, size_t size, void **ret_bytes);

/** Adds a copy of `size` bytes at the end; `bytes` must not lie inside this buffer. Errors of reserve. */
TROUPE_MUST_CHECK static inline troupe_status buffer_append(struct buffer *buffer, const void *bytes,
                                                            size_t size)
{
    troupe_status status = buffer_reserve(buffer, size);
    if (status == TROUPE_OK && size > 0) {
        memcpy(buffer->bytes + buffer->size, bytes, size);
        buffer->size += size;
    }
    return status;
}

/** Adds zeros until the size is a multiple of `alignment`, a power of two. Errors of reserve. */
TROUPE_MUST_CHECK troupe_status buffer_align(struct buffer *buffer, size_t alignment);

/** Adds a NUL that does not count in the size, so that `bytes` can be read as C text. Errors of reserve. */
TROUPE_MUST_CHECK troupe_status buffer_terminate(struct buffer *buffer);

#endif

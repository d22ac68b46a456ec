/* SPDX-License-Identifier: MIT */
/*
 * record.h: events as bytes that stay readable. A record is one event: a type, a version, and a flat body; a
 * batch is the records of one decision, back to back in one block, which the journal appends as it is and all
 * or nothing.
 *
 * Place on a message's way: org decides and writes a batch -> the journal stores its bytes -> org folds the
 * same bytes. What is folded after a restart is byte for byte what was folded before it. Any one thread at a
 * time; nothing here blocks.
 *
 *     0        4         6        8        12       16                16 + size      padded to 8
 *     +--------+---------+--------+--------+--------+------------------+-------------+
 *     | type   | version | flags  | size   | zero   | body             | zeros       |
 *     +--------+---------+--------+--------+--------+------------------+-------------+
 *
 * The header is the machine's own order, which is little-endian: the static assert in record.c refuses any
 * other machine. The bodies are flat messages (troupe/message.h): they begin at a multiple of 8, so they are
 * read in place.
 *
 * Invariants
 *   1. A record begins at a multiple of RECORD_ALIGNMENT and takes a multiple of it; padding and the last
 *      header word are zero.
 *   2. size counts the body without padding, and is at most RECORD_BODY_MAX.
 *   3. batch.bytes.size is the sum of what the records take, and batch.count their number: always both or
 *      neither.
 *   4. flags belong to the journal and the wire; they are 0 in a batch that was just decided.
 *
 * How a caller walks bytes that come from anywhere, also from a damaged disk:
 *
 *     struct record_cursor cursor = record_cursor_at(bytes, size);
 *     struct record record;
 *     troupe_status status;
 *     while ((status = record_next(&cursor, &record)) == TROUPE_OK)
 *         fold(&record);
 *     if (status != TROUPE_END)
 *         ... TROUPE_MALFORMED: the bytes at cursor.offset are not a record
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include <troupe/status.h>

enum {
    RECORD_ALIGNMENT = 8,
    RECORD_HEADER_SIZE = 16,
};

_Static_assert(RECORD_ALIGNMENT == sizeof(uint64_t), "padding lies within the last word");

/** The largest body of one record: the largest message with its texts, with room to spare. */
#define RECORD_BODY_MAX ((size_t)4 << 20)

/** The most records in one batch: one decision, also the largest import, stays below it. */
#define RECORD_COUNT_MAX ((uint32_t)1 << 20)

/** What stands before each body. */
struct record_header {
    uint32_t type;
    uint16_t version;
    uint16_t flags;
    uint32_t size;
    uint32_t zero;
};

/** One record as read: the body lies in the bytes that were walked and lives as long as they do. */
struct record {
    uint32_t type;
    uint16_t version;
    uint16_t flags;
    uint32_t size;
    const void *body;
};

/**
 * The records of one decision. All zeros is empty and ready; the fields are read freely and written only
 * here.
 */
struct record_batch {
    struct buffer bytes;
    uint32_t count;
};

/** Where a walk stands. */
struct record_cursor {
    const unsigned char *bytes;
    size_t size;
    size_t offset;
};

/** What a record with a body of `size` bytes takes, header and padding included. */
static inline size_t record_stored_size(size_t size)
{
    return RECORD_HEADER_SIZE + ((size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1));
}

/** Makes an empty batch. Allocates nothing. */
void record_batch_init(struct record_batch *batch);

/** Frees the batch's block; it is empty and ready again. */
void record_batch_done(struct record_batch *batch);

/** Forgets the records and keeps the block: the next decision then allocates nothing. */
void record_batch_clear(struct record_batch *batch);

/**
 * Forgets what was added after the batch had `count` records in `size` bytes, for a decision that ends in a
 * refusal.
 */
void record_batch_truncate(struct record_batch *batch, uint32_t count, size_t size);

/**
 * Adds a record with a body of `size` zeroed bytes and gives the body's place to write; good until the next
 * call on the batch. TROUPE_NO_MEMORY, TROUPE_TOO_LARGE beyond RECORD_BODY_MAX, TROUPE_LIMIT beyond
 * RECORD_COUNT_MAX; the batch is then as it was.
 */
TROUPE_MUST_CHECK troupe_status record_batch_add(struct record_batch *batch, uint32_t type, uint16_t version,
                                                 size_t size, void **ret_body);

/** Adds a record whose body is a copy of `size` bytes. Errors of record_batch_add. */
TROUPE_MUST_CHECK troupe_status record_batch_append(struct record_batch *batch, uint32_t type,
                                                    uint16_t version, const void *body, size_t size);

/** Adds every record of another batch. Errors of record_batch_add. */
TROUPE_MUST_CHECK troupe_status record_batch_join(struct record_batch *batch,
                                                  const struct record_batch *other);

/** A walk over `size` bytes, which must begin at a multiple of 8 and outlive the walk. */
static inline struct record_cursor record_cursor_at(const void *bytes, size_t size)
{
    return (struct record_cursor){.bytes = (const unsigned char *)bytes, .size = size};
}

/** A walk over a batch, which must not change during it. */
static inline struct record_cursor record_cursor_of(const struct record_batch *batch)
{
    return record_cursor_at(batch->bytes.bytes, batch->bytes.size);
}

/**
 * The next record. TROUPE_END after the last one; TROUPE_MALFORMED where the bytes are no record (cut short,
 * a size beyond the limit, padding or the zero word not zero), and again at every further call. Here, since
 * each record is walked over some seven times on its way to the disk.
 */
TROUPE_MUST_CHECK static inline troupe_status record_next(struct record_cursor *cursor,
                                                          struct record *ret_record)
{
    size_t left = cursor->size - cursor->offset;
    if (left == 0)
        return TROUPE_END;
    if (left < RECORD_HEADER_SIZE)
        return TROUPE_MALFORMED;

    struct record_header header;
    const unsigned char *bytes = cursor->bytes + cursor->offset;
    memcpy(&header, bytes, sizeof(header));
    if (header.zero != 0 || header.size > RECORD_BODY_MAX)
        return TROUPE_MALFORMED;

    size_t stored = record_stored_size(header.size);
    if (stored > left)
        return TROUPE_MALFORMED;
    size_t padding = stored - RECORD_HEADER_SIZE - header.size;
    if (padding > 0) { /* the last bytes of the last word, which are its highest */
        uint64_t word;
        memcpy(&word, bytes + stored - sizeof(word), sizeof(word));
        if (word >> (sizeof(word) - padding) * 8 != 0)
            return TROUPE_MALFORMED;
    }

    *ret_record = (struct record){.type = header.type,
                                  .version = header.version,
                                  .flags = header.flags,
                                  .size = header.size,
                                  .body = bytes + RECORD_HEADER_SIZE};
    cursor->offset += stored;
    return TROUPE_OK;
}

#endif

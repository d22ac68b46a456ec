/* SPDX-License-Identifier: MIT */
/*
 * record.c: events as bytes that stay readable; record.h has the layout and the invariants. Any one thread at
 * a time.
 */
#include "base/record.h"

#include <string.h>

_Static_assert(sizeof(struct record_header) == RECORD_HEADER_SIZE, "the stored header has no hidden padding");
_Static_assert(RECORD_HEADER_SIZE % RECORD_ALIGNMENT == 0, "a body begins aligned");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored records are little-endian");
_Static_assert(RECORD_BODY_MAX <= UINT32_MAX, "the size of a body fits its field");

void record_batch_init(struct record_batch *batch)
{
    buffer_init(&batch->bytes);
    batch->count = 0;
}

void record_batch_done(struct record_batch *batch)
{
    buffer_done(&batch->bytes);
    batch->count = 0;
}

void record_batch_clear(struct record_batch *batch)
{
    buffer_clear(&batch->bytes);
    batch->count = 0;
}

void record_batch_truncate(struct record_batch *batch, uint32_t count, size_t size)
{
    if (count >= batch->count)
        return;
    buffer_truncate(&batch->bytes, size);
    batch->count = count;
}

troupe_status record_batch_add(struct record_batch *batch, uint32_t type, uint16_t version, size_t size,
                               void **ret_body)
{
    if (size > RECORD_BODY_MAX)
        return TROUPE_TOO_LARGE;
    if (batch->count >= RECORD_COUNT_MAX)
        return TROUPE_LIMIT;

    void *place;
    size_t stored = record_stored_size(size);
    troupe_status status = buffer_extend(&batch->bytes, stored, &place);
    if (status != TROUPE_OK)
        return status;

    struct record_header header = {.type = type, .version = version, .size = (uint32_t)size};
    unsigned char *bytes = place;
    memcpy(bytes, &header, sizeof(header));
    memset(bytes + RECORD_HEADER_SIZE, 0, stored - RECORD_HEADER_SIZE);
    batch->count++;
    *ret_body = bytes + RECORD_HEADER_SIZE;
    return TROUPE_OK;
}

troupe_status record_batch_append(struct record_batch *batch, uint32_t type, uint16_t version,
                                  const void *body, size_t size)
{
    void *place;
    troupe_status status = record_batch_add(batch, type, version, size, &place);
    if (status == TROUPE_OK && size > 0)
        memcpy(place, body, size);
    return status;
}

troupe_status record_batch_join(struct record_batch *batch, const struct record_batch *other)
{
    if (other->count > RECORD_COUNT_MAX - batch->count)
        return TROUPE_LIMIT;
    troupe_status status = buffer_append(&batch->bytes, other->bytes.bytes, other->bytes.size);
    if (status == TROUPE_OK)
        batch->count += other->count;
    return status;
}

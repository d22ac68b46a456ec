/* SPDX-License-Identifier: MIT */
/*
 * build.c: see troupe/build.h. A message that is being built is of kind BUILDING and in nobody's mailbox, so
 * the members of its header that only a mailbox uses hold what building needs:
 *
 *   next        its type
 *   generation  where the room that is left begins, in the body
 *
 * Invariants
 *   1. fixed members < generation <= size, and no span reaches beyond `generation`, but by the user's own
 *      doing
 *   2. the byte before the room is a NUL: the text that a member is which was not set
 *   3. a type with blobs has a ride with a place for each of them, in field order, from the beginning
 */
#include <string.h>
#include <troupe/build.h>

#include "base/assert.h"
#include "core/post.h"

static bool is_begun(const troupe_message *message)
{
    return message != NULL && message_kind(message) == MESSAGE_BUILDING;
}

static const troupe_type *type_of(const troupe_message *message)
{
    return (const troupe_type *)(const void *)message->next;
}

/* Makes every text, bytes and blob member one that holds nothing, at `end`. */
static void spans_clear(troupe_message *message, const troupe_type *type, uint32_t end)
{
    const troupe_span none = {end, 0};
    for (uint32_t i = 0; i < type->field_count; i++)
        if (type->fields[i].kind >= TROUPE_FIELD_text)
            memcpy((char *)(message + 1) + type->fields[i].offset, &none, sizeof none);
}

static void ride_clear(troupe_message *message, const troupe_type *type)
{
    struct ride *ride = ride_of(message);
    *ride = (struct ride){.count = type->blob_count};
    for (uint32_t i = 0; i < type->blob_count; i++)
        ride->blobs[i] = NULL;
    message->flags |= MESSAGE_RIDES;
}

troupe_status troupe_begin_message(troupe_context *from, const troupe_type *type, size_t room,
                                   troupe_message **ret_message)
{
    if (type->is_fixed && room > 0)
        return TROUPE_INVALID;
    size_t size = (size_t)type->size + !type->is_fixed;
    if (room > TROUPE_BODY_SIZE_MAX || size + room > TROUPE_BODY_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    size += room;
    size_t block_size = sizeof(troupe_message) + size;
    if (type->blob_count > 0)
        block_size = ride_block_size((uint32_t)size, type->blob_count);
    struct worker *worker = context_enter(from);
    troupe_message *message = slab_alloc(&worker->slab, block_size);
    context_leave(from);
    if (message == NULL)
        return TROUPE_NO_MEMORY;
    *message = (troupe_message){
        .next = (troupe_message *)(uintptr_t)type,
        .type = type->id,
        .version = type->version,
        .size = (uint32_t)size,
        .generation = (uint32_t)(size - room),
        .flags = MESSAGE_BUILDING,
    };
    memset(message + 1, 0, size - room);
    if (!type->is_fixed)
        spans_clear(message, type, type->size);
    if (type->blob_count > 0)
        ride_clear(message, type);
    *ret_message = message;
    return TROUPE_OK;
}

void *troupe_build_body(troupe_message *message, const troupe_type *type)
{
    ASSERT(is_begun(message) && type_of(message)->id == type->id);
    return message + 1;
}

/* Takes `size` bytes of the room, and puts where they are into a member. */
static troupe_status room_take(troupe_message *message, troupe_span *span, size_t size, uint32_t nul,
                               char **ret_at)
{
    ASSERT(is_begun(message));
    uint32_t end = message->generation;
    if (size > TROUPE_BODY_SIZE_MAX || size + nul > message->size - end)
        return TROUPE_LIMIT;
    *span = (troupe_span){end, (uint32_t)size};
    message->generation = end + (uint32_t)size + nul;
    *ret_at = (char *)(message + 1) + end;
    return TROUPE_OK;
}

troupe_status troupe_build_text(troupe_message *message, troupe_span *span, size_t size, char **ret_text)
{
    troupe_status status = room_take(message, span, size, 1, ret_text);
    if (status == TROUPE_OK)
        (*ret_text)[size] = '\0';
    return status;
}

troupe_status troupe_build_bytes(troupe_message *message, troupe_span *span, size_t size, void **ret_bytes)
{
    char *at;
    troupe_status status = room_take(message, span, size, 0, &at);
    if (status == TROUPE_OK)
        *ret_bytes = at;
    return status;
}

/* Which of the type's blobs a member is. */
static uint32_t blob_index(const troupe_message *message, const troupe_blob_span *span)
{
    const troupe_type *type = type_of(message);
    size_t offset = (size_t)((const char *)span - (const char *)(message + 1));
    uint32_t index = 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].kind != TROUPE_FIELD_blob)
            continue;
        if (type->fields[i].offset == offset)
            return index;
        index++;
    }
    ASSERT(false); /* it is no blob member of this message */
}

troupe_status troupe_build_blob(troupe_message *message, troupe_blob_span *span, troupe_blob *blob)
{
    ASSERT(is_begun(message));
    uint32_t index = blob_index(message, span);
    struct ride *ride = ride_of(message);
    size_t size = troupe_blob_bytes(blob).size;
    size_t weight = ride->weight - troupe_blob_bytes(ride->blobs[index]).size + size;
    if (weight > TROUPE_BLOB_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    troupe_blob_ref(blob); /* first: it may be the one that is there */
    troupe_blob_unref(&ride->blobs[index]);
    ride->blobs[index] = blob;
    ride->weight = (uint32_t)weight;
    size_t at = ride_offset(message->size) + sizeof *ride + index * sizeof blob;
    *span = (troupe_blob_span){(uint32_t)at, (uint32_t)size};
    if (blob == NULL)
        span->offset = type_of(message)->size;
    return TROUPE_OK;
}

troupe_status troupe_build_envelope(troupe_message *message, troupe_envelope envelope)
{
    ASSERT(is_begun(message));
    if (envelope.message_class > TROUPE_CLASS_URGENT || envelope.deadline_ms > TROUPE_DEADLINE_MS_MAX)
        return TROUPE_INVALID;
    message->message_class = (uint8_t)envelope.message_class;
    message->deadline_ms = envelope.deadline_ms;
    return TROUPE_OK;
}

troupe_status troupe_post_message(troupe_context *from, troupe_ref to, troupe_message **message_at)
{
    troupe_message *message = message_at == NULL ? NULL : *message_at;
    if (!is_begun(message))
        return TROUPE_INVALID;
    const troupe_type *type = type_of(message);
    bool is_good = ride_check(type, message) == TROUPE_OK;
    struct letter letter = {
        .to = to,
        .type = type,
        .built = message,
        .size = message->size,
        .message_class = message->message_class,
        .deadline_ms = message->deadline_ms,
    };
    if ((message->flags & MESSAGE_RIDES) != 0)
        letter.ride = (struct ride_load){.weight = ride_weight(message)};
    /* What is not used is not left as it was found: invariant 2 of flat.c. */
    memset((char *)(message + 1) + message->generation, 0, message->size - message->generation);
    struct worker *worker = context_enter(from);
    letter.sender = worker->self.ref; /* outside, no actor acts: none */
    troupe_status status = TROUPE_MALFORMED;
    if (is_good)
        status = post_letter(worker, &letter);
    else
        counter_add(&worker->counters.refused, 1);
    context_leave(from);
    if (status == TROUPE_OK)
        *message_at = NULL;
    return status;
}

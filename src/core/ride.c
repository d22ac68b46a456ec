/* SPDX-License-Identifier: MIT */
/*
 * ride.c: see ride.h. The order of the blobs in a ride is that of their fields; a field that was given none
 * has an empty span in the body and no place in the ride.
 */
#include "core/ride.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/flat.h"
#include "core/post.h"

_Static_assert(sizeof(struct ride) == sizeof(uint64_t) && sizeof(troupe_blob *) == sizeof(uint64_t),
               "the places of a ride are 8 bytes apart");

troupe_status ride_measure(const troupe_type *type, const void *fields, struct ride_load *ret_load)
{
    uint32_t count = 0;
    size_t weight = 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].kind != TROUPE_FIELD_blob)
            continue;
        troupe_blob *blob = flat_given_blob(&type->fields[i], fields);
        weight += troupe_blob_bytes(blob).size;
        if (weight > TROUPE_BLOB_SIZE_MAX)
            return TROUPE_TOO_LARGE;
        count += blob != NULL;
    }
    *ret_load = (struct ride_load){.count = count, .weight = (uint32_t)weight};
    return TROUPE_OK;
}

/* Puts the blobs of a letter's fields into the ride, and where they are into the body. */
static void blobs_board(troupe_message *message, const struct letter *letter)
{
    struct ride *ride = ride_of(message);
    uint32_t offset = (uint32_t)(ride_offset(message->size) + sizeof *ride);
    for (uint32_t i = 0; i < letter->type->field_count; i++) {
        const troupe_field *field = &letter->type->fields[i];
        troupe_blob *blob = field->kind == TROUPE_FIELD_blob ? flat_given_blob(field, letter->fields) : NULL;
        if (blob == NULL)
            continue;
        troupe_blob_span span = {offset, (uint32_t)troupe_blob_bytes(blob).size};
        memcpy((char *)(message + 1) + field->offset, &span, sizeof span);
        ride->blobs[ride->count++] = troupe_blob_ref(blob);
        offset += (uint32_t)sizeof blob;
    }
}

void ride_write(troupe_message *message, const struct letter *letter)
{
    message->flags |= MESSAGE_RIDES;
    struct ride *ride = ride_of(message);
    *ride = (struct ride){.weight = letter->ride.weight};
    if (letter->ride.origin == NULL) {
        flat_write(letter->type, letter->fields, message + 1, message->size, true);
        blobs_board(message, letter);
    } else {
        const struct ride *from = ride_of(letter->ride.origin);
        memcpy(message + 1, letter->ride.origin + 1, message->size);
        for (uint32_t i = 0; i < from->count; i++)
            ride->blobs[ride->count++] = troupe_blob_ref(from->blobs[i]);
    }
    ASSERT(ride->count == letter->ride.count);
}

size_t ride_release(troupe_message *message)
{
    struct ride *ride = ride_of(message);
    size_t size = ride_block_size(message->size, ride->count);
    for (uint32_t i = 0; i < ride->count; i++)
        troupe_blob_unref(&ride->blobs[i]);
    return size;
}

troupe_message *ride_copy(const troupe_message *message)
{
    bool rides = (message->flags & MESSAGE_RIDES) != 0;
    const struct ride *ride = ride_of(message);
    size_t size = rides ? ride_block_size(message->size, ride->count) : sizeof *message + message->size;
    troupe_message *copy = malloc(size);
    if (copy == NULL)
        return NULL;
    memcpy(copy, message, size);
    for (uint32_t i = 0; rides && i < ride->count; i++)
        troupe_blob_ref(ride->blobs[i]);
    return copy;
}

troupe_blob *troupe_blob_of(const troupe_message *message, troupe_blob_span span)
{
    if (span.offset <= message->size)
        return NULL;
    size_t first = ride_offset(message->size) + sizeof(struct ride);
    ASSERT((message->flags & MESSAGE_RIDES) != 0 && span.offset >= first); /* a span of another message */
    size_t index = (span.offset - first) / sizeof(troupe_blob *);
    ASSERT(index < ride_of(message)->count);
    return ride_of(message)->blobs[index];
}

troupe_status ride_check(const troupe_type *type, const troupe_message *message)
{
    if (message->type != type->id || message->version != type->version)
        return TROUPE_MALFORMED;
    bool rides = (message->flags & MESSAGE_RIDES) != 0;
    return flat_check(type, message + 1, message->size, rides ? ride_of(message)->count : 0);
}

/* --- to and from bytes ---------------------------------------------------------------------------------- */

/* What a text, bytes or blob field of a message holds. */
static troupe_bytes held_bytes(const troupe_message *message, const troupe_field *field)
{
    const char *body = (const char *)(message + 1);
    troupe_blob_span span;
    memcpy(&span, body + field->offset, sizeof span);
    if (field->kind == TROUPE_FIELD_blob)
        return troupe_blob_bytes_of(message, span);
    return (troupe_bytes){body + span.offset, span.size};
}

size_t troupe_message_flat_size(const troupe_type *type, const troupe_message *message)
{
    if (ride_check(type, message) != TROUPE_OK)
        return SIZE_MAX;
    if ((message->flags & MESSAGE_RIDES) == 0)
        return message->size;
    size_t size = type->size;
    for (uint32_t i = 0; i < type->field_count && size <= TROUPE_BODY_SIZE_MAX; i++) {
        const troupe_field *field = &type->fields[i];
        if (field->kind >= TROUPE_FIELD_text)
            size += held_bytes(message, field).size + (field->kind == TROUPE_FIELD_text);
    }
    return size > TROUPE_BODY_SIZE_MAX ? SIZE_MAX : size;
}

troupe_status troupe_message_flatten(const troupe_type *type, const troupe_message *message, void *body,
                                     size_t size)
{
    if (ride_check(type, message) != TROUPE_OK)
        return TROUPE_MALFORMED;
    if (size != troupe_message_flat_size(type, message))
        return TROUPE_INVALID;
    if ((message->flags & MESSAGE_RIDES) == 0) {
        memcpy(body, message + 1, size);
        return TROUPE_OK;
    }
    size_t end = type->size;
    memcpy(body, message + 1, end);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const troupe_field *field = &type->fields[i];
        if (field->kind < TROUPE_FIELD_text)
            continue;
        troupe_bytes bytes = held_bytes(message, field);
        troupe_span span = {(uint32_t)end, (uint32_t)bytes.size};
        memcpy((char *)body + field->offset, &span, sizeof span);
        memcpy((char *)body + end, bytes.data, bytes.size);
        end += bytes.size;
        if (field->kind == TROUPE_FIELD_text)
            ((char *)body)[end++] = '\0';
    }
    ASSERT(end == size);
    return TROUPE_OK;
}

/* Where the fields struct of a type ends. */
static size_t fields_size(const troupe_type *type)
{
    size_t end = sizeof(uint64_t) + sizeof(troupe_envelope);
    for (uint32_t i = 0; i < type->field_count; i++) {
        size_t field_end = type->fields[i].argument + sizeof(troupe_bytes);
        if (type->fields[i].kind < TROUPE_FIELD_text)
            field_end =
                type->fields[i].argument + flat_kind_size(type->fields[i].kind) * type->fields[i].count;
        end = field_end > end ? field_end : end;
    }
    return end;
}

/* One field of a fields struct, as it was given to make this body. */
static troupe_status field_restore(const troupe_field *field, const char *body, char *fields)
{
    const char *from = body + field->offset;
    char *to = fields + field->argument;
    if (field->kind < TROUPE_FIELD_text) {
        memcpy(to, from, flat_kind_size(field->kind) * field->count);
        return TROUPE_OK;
    }
    troupe_span span;
    memcpy(&span, from, sizeof span);
    troupe_bytes bytes = {body + span.offset, span.size};
    troupe_blob *blob = NULL;
    troupe_status status = TROUPE_OK;
    if (field->kind == TROUPE_FIELD_text) {
        memcpy(to, &bytes.data, sizeof bytes.data);
    } else if (field->kind == TROUPE_FIELD_bytes) {
        memcpy(to, &bytes, sizeof bytes);
    } else if (bytes.size > 0 && (status = troupe_blob_new(bytes.data, bytes.size, &blob)) == TROUPE_OK) {
        memcpy(to, &blob, sizeof blob);
    }
    return status;
}

troupe_status ride_fields(const troupe_type *type, const void *body, void **ret_fields)
{
    void *fields = calloc(1, fields_size(type));
    if (fields == NULL)
        return TROUPE_NO_MEMORY;
    for (uint32_t i = 0; i < type->field_count; i++) {
        troupe_status status = field_restore(&type->fields[i], body, fields);
        if (status != TROUPE_OK) {
            ride_fields_free(type, fields);
            return status;
        }
    }
    *ret_fields = fields;
    return TROUPE_OK;
}

void ride_fields_free(const troupe_type *type, void *fields)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (type->fields[i].kind != TROUPE_FIELD_blob)
            continue;
        troupe_blob *blob = flat_given_blob(&type->fields[i], fields);
        troupe_blob_unref(&blob);
    }
    free(fields);
}

/* SPDX-License-Identifier: MIT */
/*
 * flat.c: bodies of messages: their size, writing them from a fields struct, and checking those that come
 * from elsewhere.
 *
 *   body = the fixed members (the type's struct) | the bytes of each text (and its NUL), bytes and blob
 *   field, in field order
 *
 * In a message the bytes of blobs ride outside the body (ride.h); everywhere else they are in it.
 *
 * Invariants
 *   1. a written body passes the check
 *   2. every byte of a body is written, padding of the struct included (zeros), so that equal fields
 *      give equal bytes
 *
 * Pure functions: any thread.
 */
#include "core/flat.h"

#include <string.h>

#include "base/assert.h"
#include "core/ride.h"

static const uint8_t kind_size[] = {
    [TROUPE_FIELD_u8] = 1,   [TROUPE_FIELD_u16] = 2,   [TROUPE_FIELD_u32] = 4,  [TROUPE_FIELD_u64] = 8,
    [TROUPE_FIELD_i8] = 1,   [TROUPE_FIELD_i16] = 2,   [TROUPE_FIELD_i32] = 4,  [TROUPE_FIELD_i64] = 8,
    [TROUPE_FIELD_f32] = 4,  [TROUPE_FIELD_f64] = 8,   [TROUPE_FIELD_bool] = 1, [TROUPE_FIELD_ref] = 8,
    [TROUPE_FIELD_text] = 8, [TROUPE_FIELD_bytes] = 8, [TROUPE_FIELD_blob] = 8,
};

_Static_assert(sizeof(troupe_message) == 48, "the header is 48 bytes: 16 of body make a cache line");
_Static_assert(sizeof(troupe_envelope) + sizeof(uint64_t) == 16,
               "fields begin 16 bytes into a fields struct");
_Static_assert(sizeof(bool) == 1, "a bool is a byte");
_Static_assert(sizeof(troupe_blob_span) == sizeof(troupe_span), "every span is read as one");

size_t flat_kind_size(uint8_t kind)
{
    return kind_size[kind];
}

troupe_blob *flat_given_blob(const troupe_field *field, const void *fields)
{
    return *(troupe_blob *const *)(const void *)((const char *)fields + field->argument);
}

/* What a text, bytes or blob field was given: its bytes. */
static troupe_bytes given_bytes(const troupe_field *field, const void *fields)
{
    const char *given = (const char *)fields + field->argument;
    if (field->kind == TROUPE_FIELD_blob)
        return troupe_blob_bytes(flat_given_blob(field, fields));
    if (field->kind == TROUPE_FIELD_bytes)
        return *(const troupe_bytes *)(const void *)given;
    const char *text = *(const char *const *)(const void *)given;
    troupe_bytes bytes = {"", 0};
    if (text != NULL && *text != '\0') /* most optional texts are left out */
        bytes = (troupe_bytes){text, strlen(text)};
    return bytes;
}

static bool is_variable(const troupe_field *field)
{
    return field->kind >= TROUPE_FIELD_text;
}

size_t flat_size(const troupe_type *type, const void *fields, bool rides)
{
    size_t size = type->size;
    if (type->is_fixed)
        return size;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!is_variable(&type->fields[i]) || (rides && type->fields[i].kind == TROUPE_FIELD_blob))
            continue;
        size_t more = given_bytes(&type->fields[i], fields).size;
        if (more > TROUPE_BODY_SIZE_MAX)
            return SIZE_MAX;
        size += more + (type->fields[i].kind == TROUPE_FIELD_text);
        if (size > TROUPE_BODY_SIZE_MAX)
            return SIZE_MAX;
    }
    return size;
}

size_t troupe_flat_size(const troupe_type *type, const void *fields)
{
    return flat_size(type, fields, false);
}

/* The members of a field that varies not: one of 8 or 4 bytes, as most are, by a plain load and store. */
static inline void write_fixed(const troupe_field *field, const void *fields, char *at)
{
    const char *from = (const char *)fields + field->argument;
    size_t size = (size_t)kind_size[field->kind] * field->count;
    if (size == 8)
        memcpy(at, from, 8);
    else if (size == 4)
        memcpy(at, from, 4);
    else if (size == 1)
        *at = *from;
    else
        memcpy(at, from, size);
}

void flat_write(const troupe_type *type, const void *fields, void *body, size_t size, bool rides)
{
    size_t end = type->size;
    memset(body, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const troupe_field *field = &type->fields[i];
        char *at = (char *)body + field->offset;
        if (!is_variable(field)) {
            write_fixed(field, fields, at);
            continue;
        }
        troupe_bytes bytes = {"", 0};
        if (!rides || field->kind != TROUPE_FIELD_blob)
            bytes = given_bytes(field, fields);
        troupe_span span = {(uint32_t)end, (uint32_t)bytes.size};
        memcpy(at, &span, sizeof span);
        if (bytes.size > 0)
            memcpy((char *)body + end, bytes.data, bytes.size);
        end += bytes.size;
        if (field->kind == TROUPE_FIELD_text)
            ((char *)body)[end++] = '\0';
    }
    ASSERT(end == size);
}

void troupe_flat_write(const troupe_type *type, const void *fields, void *body, size_t size)
{
    flat_write(type, fields, body, size, false);
}

/* Whether a blob's span names one of those that ride behind the body. */
static bool ride_is_good(const troupe_field *field, troupe_span span, size_t size, uint32_t ride_count)
{
    size_t first = ride_offset((uint32_t)size) + sizeof(struct ride);
    return field->kind == TROUPE_FIELD_blob && span.offset >= first && (span.offset - first) % 8 == 0 &&
           (span.offset - first) / 8 < ride_count;
}

/* Whether a span lies after the fixed members and within the body, and a text has its one NUL at the end. */
static bool span_is_good(const troupe_type *type, const troupe_field *field, const char *body, size_t size,
                         uint32_t ride_count)
{
    troupe_span span;
    memcpy(&span, body + field->offset, sizeof span);
    if (ride_count > 0 && span.offset > size)
        return ride_is_good(field, span, size, ride_count);
    size_t with_nul = (size_t)span.size + (field->kind == TROUPE_FIELD_text);
    if (span.offset < type->size || span.offset > size || with_nul > size - span.offset)
        return false;
    return field->kind != TROUPE_FIELD_text ||
           memchr(body + span.offset, '\0', with_nul) == body + span.offset + span.size;
}

static bool bools_are_good(const troupe_field *field, const char *body)
{
    for (uint32_t i = 0; i < field->count; i++)
        if ((unsigned char)body[field->offset + i] > 1)
            return false;
    return true;
}

troupe_status flat_check(const troupe_type *type, const void *body, size_t size, uint32_t ride_count)
{
    if (size < type->size || size > TROUPE_BODY_SIZE_MAX || (type->is_fixed && size != type->size))
        return TROUPE_MALFORMED;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const troupe_field *field = &type->fields[i];
        if (is_variable(field) && !span_is_good(type, field, body, size, ride_count))
            return TROUPE_MALFORMED;
        if (field->kind == TROUPE_FIELD_bool && !bools_are_good(field, body))
            return TROUPE_MALFORMED;
    }
    return TROUPE_OK;
}

troupe_status troupe_flat_check(const troupe_type *type, const void *body, size_t size)
{
    return flat_check(type, body, size, 0);
}

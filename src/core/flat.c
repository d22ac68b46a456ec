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
#include "base/copy.h"
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

/* What a bytes or blob field was given: its bytes. */
static troupe_bytes given_bytes(const troupe_field *field, const void *fields)
{
    if (field->kind == TROUPE_FIELD_blob)
        return troupe_blob_bytes(flat_given_blob(field, fields));
    return *(const troupe_bytes *)(const void *)((const char *)fields + field->argument);
}

/* The texts given for a run of them: most optional ones are left out, so NULL and "" come first. */
static inline const char *const *given_texts(const troupe_field *run, const void *fields)
{
    return (const char *const *)(const void *)((const char *)fields + run->argument);
}

static bool is_variable(const troupe_field *field)
{
    return field->kind >= TROUPE_FIELD_text;
}

/* The fields of the run that begins here: one in a type made by hand, which nobody joined. */
static inline uint32_t run_count(const troupe_field *field)
{
    return field->run_count > 0 ? field->run_count : 1;
}

static inline size_t run_size(const troupe_field *field)
{
    return field->run_count > 0 ? field->run_size : (size_t)kind_size[field->kind] * field->count;
}

/* The bytes that a run of texts takes beyond its spans; more than TROUPE_BODY_SIZE_MAX when over that. */
static inline size_t texts_size(const char *const *texts, uint32_t count)
{
    size_t size = count; /* the NULs */
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i] == NULL || *texts[i] == '\0')
            continue;
        size += strlen(texts[i]);
        if (size > TROUPE_BODY_SIZE_MAX)
            break;
    }
    return size;
}

size_t flat_size(const troupe_type *type, const void *fields, bool rides)
{
    size_t size = type->size;
    if (type->is_fixed)
        return size;
    const troupe_field *field;
    for (uint32_t i = 0; i < type->field_count; i += run_count(field)) {
        field = &type->fields[i];
        if (!is_variable(field) || (rides && field->kind == TROUPE_FIELD_blob))
            continue;
        size_t more = field->kind == TROUPE_FIELD_text
                          ? texts_size(given_texts(field, fields), run_count(field))
                          : given_bytes(field, fields).size;
        if (more > TROUPE_BODY_SIZE_MAX || size + more > TROUPE_BODY_SIZE_MAX)
            return SIZE_MAX;
        size += more;
    }
    return size;
}

size_t troupe_flat_size(const troupe_type *type, const void *fields)
{
    return flat_size(type, fields, false);
}

/* Writes a run of texts, whose bytes begin at `end`; gives where they end. */
static inline size_t write_texts(const char *const *texts, uint32_t count, char *body, char *spans,
                                 size_t end)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *text = texts[i];
        troupe_span span = {(uint32_t)end, 0};
        if (text == NULL || *text == '\0') {
            body[end++] = '\0';
        } else {
            size_t size = strlen(text);
            span.size = (uint32_t)size;
            copy_bytes(body + end, text, size + 1);
            end += size + 1;
        }
        memcpy(spans + i * sizeof span, &span, sizeof span);
    }
    return end;
}

/* The same of one bytes or blob field. */
static inline size_t write_bytes(troupe_bytes bytes, char *body, char *at, size_t end)
{
    troupe_span span = {(uint32_t)end, (uint32_t)bytes.size};
    memcpy(at, &span, sizeof span);
    copy_bytes(body + end, bytes.data, bytes.size);
    return end + bytes.size;
}

void flat_write(const troupe_type *type, const void *fields, void *body, size_t size, bool rides)
{
    static const troupe_bytes none = {"", 0};
    size_t end = type->size;
    const troupe_field *field;
    memset(body, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i += run_count(field)) {
        field = &type->fields[i];
        char *at = (char *)body + field->offset;
        if (!is_variable(field))
            copy_bytes(at, (const char *)fields + field->argument, run_size(field));
        else if (field->kind == TROUPE_FIELD_text)
            end = write_texts(given_texts(field, fields), run_count(field), body, at, end);
        else if (rides && field->kind == TROUPE_FIELD_blob)
            end = write_bytes(none, body, at, end);
        else
            end = write_bytes(given_bytes(field, fields), body, at, end);
    }
    ASSERT(end == size);
}

void troupe_flat_write(const troupe_type *type, const void *fields, void *body, size_t size)
{
    flat_write(type, fields, body, size, false);
}

/* Whether a span lies after the fixed members and within the body, and a text has its one NUL at the end. */
static inline bool span_is_good(const troupe_type *type, const troupe_field *field, const char *body,
                                const char *at, size_t size)
{
    troupe_span span;
    memcpy(&span, at, sizeof span);
    bool is_text = field->kind == TROUPE_FIELD_text;
    size_t with_nul = (size_t)span.size + is_text;
    if (span.offset < type->size || span.offset > size || with_nul > size - span.offset)
        return false;
    if (!is_text || span.size == 0)
        return !is_text || body[span.offset] == '\0';
    return memchr(body + span.offset, '\0', with_nul) == body + span.offset + span.size;
}

/* The same of all spans of a run of texts, or the one of another field. */
static bool spans_are_good(const troupe_type *type, const troupe_field *run, const char *body, size_t size)
{
    const char *at = body + run->offset;
    for (const char *end = at + run_count(run) * sizeof(troupe_span); at < end; at += sizeof(troupe_span))
        if (!span_is_good(type, run, body, at, size))
            return false;
    return true;
}

/* Whether a blob's span names one of those that ride behind the body, or is one within it. */
static bool blob_is_good(const troupe_type *type, const troupe_field *field, const char *body, size_t size,
                         uint32_t ride_count)
{
    troupe_span span;
    memcpy(&span, body + field->offset, sizeof span);
    if (ride_count == 0 || span.offset <= size)
        return spans_are_good(type, field, body, size);
    size_t first = ride_offset((uint32_t)size) + sizeof(struct ride);
    return span.offset >= first && (span.offset - first) % 8 == 0 && (span.offset - first) / 8 < ride_count;
}

/* Whether the bools of a run are 0 or 1. */
static bool bools_are_good(const troupe_field *run, const char *body)
{
    for (const troupe_field *field = run; field < run + run_count(run); field++)
        for (uint32_t i = 0; field->kind == TROUPE_FIELD_bool && i < field->count; i++)
            if ((unsigned char)body[field->offset + i] > 1)
                return false;
    return true;
}

troupe_status flat_check(const troupe_type *type, const void *body, size_t size, uint32_t ride_count)
{
    if (size < type->size || size > TROUPE_BODY_SIZE_MAX || (type->is_fixed && size != type->size))
        return TROUPE_MALFORMED;
    const troupe_field *field;
    for (uint32_t i = 0; i < type->field_count; i += run_count(field)) {
        field = &type->fields[i];
        if (is_variable(field) &&
            !(field->kind == TROUPE_FIELD_blob ? blob_is_good(type, field, body, size, ride_count)
                                               : spans_are_good(type, field, body, size)))
            return TROUPE_MALFORMED;
        bool has_bools = field->run_has_bools || field->kind == TROUPE_FIELD_bool;
        if (has_bools && !bools_are_good(field, body))
            return TROUPE_MALFORMED;
    }
    return TROUPE_OK;
}

troupe_status troupe_flat_check(const troupe_type *type, const void *body, size_t size)
{
    return flat_check(type, body, size, 0);
}

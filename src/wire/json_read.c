/* SPDX-License-Identifier: MIT */
/*
 * json_read.c: JSON text as a body. troupe/json.h has the form of each kind and what is refused.
 *
 * Place on a message's way: where it comes in from a person, a file or a program in another language, before
 * anything trusts it. Reads the text, writes the caller's body, allocates nothing: any thread.
 *
 * Two walks, since texts lie in a body in field order but come in any:
 *   1. the text from end to end: fixed members are read into place. A text or bytes member is checked, and
 *      its span holds where its string begins in the JSON text, and how many bytes it makes
 *   2. the fields in order: each such string is read once more, now into its place, and its span made true
 *
 * Invariants
 *   1. between the walks a span's offset is a place in the JSON text, or 0 for a member that was left out: no
 *      string begins at 0, because the object does
 *   2. nothing is written at or beyond body_size
 *   3. the body equals, byte for byte, what troupe_flat_write makes of the same fields
 */
#include <string.h>
#include <troupe/json.h>

#include "base/assert.h"
#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/value.h"

enum { WORD_BITS = 64 };

_Static_assert(TROUPE_JSON_SIZE_MAX <= UINT32_MAX, "a span's offset holds a place in the text");

/* A text on its way into a body. */
struct reader {
    struct json_scan scan;
    const troupe_type *type;
    char *body;
    uint32_t next; /* the field expected next: members mostly come in order */
    uint64_t seen[TROUPE_JSON_FIELD_COUNT_MAX / WORD_BITS];
};

static troupe_status refuse(const struct reader *reader, size_t offset, const char *member, const char *why)
{
    return json_scan_fail(&reader->scan, offset, TROUPE_MALFORMED, member, why);
}

static troupe_status refuse_value(const struct reader *reader, size_t offset, const troupe_field *field)
{
    char why[TROUPE_JSON_ERROR_SIZE] = "expected ";
    size_t len = strlen(why);
    const char *expected = value_expected(field->kind);
    ASSERT(len + strlen(expected) < sizeof why);
    memcpy(why + len, expected, strlen(expected) + 1);
    return refuse(reader, offset, field->name, why);
}

/* --- strings -------------------------------------------------------------------------------------------- */

/*
 * Reads a string whose opening quote was taken, as text or as base64. With `into` it is written there, which
 * a first reading without has shown to be right.
 */
static troupe_status read_bytes(struct reader *reader, const troupe_field *field, char *into,
                                size_t *ret_size)
{
    size_t start = reader->scan.at - 1;
    struct base64_reader base64 = {0};
    struct json_piece piece;
    troupe_status status;
    size_t size = 0;
    while ((status = json_scan_piece(&reader->scan, &piece)) == TROUPE_OK) {
        if (field->kind == TROUPE_FIELD_text) {
            if (memchr(piece.bytes, '\0', piece.size) != NULL)
                return refuse(reader, start, field->name, "a text cannot hold a NUL");
            if (into != NULL)
                memcpy(into + size, piece.bytes, piece.size);
            size += piece.size;
            continue;
        }
        for (size_t i = 0; i < piece.size; i++) {
            bool has_byte;
            unsigned char byte;
            if (!base64_take(&base64, piece.bytes[i], &has_byte, &byte))
                return refuse_value(reader, start, field);
            if (has_byte && into != NULL)
                into[size] = (char)byte;
            size += has_byte;
        }
    }
    if (status != TROUPE_END)
        return status;
    if (!base64_is_complete(&base64))
        return refuse_value(reader, start, field);
    *ret_size = size;
    return TROUPE_OK;
}

/* Whether the string at `at`, which was found to be one, is this name. */
static bool is_name(const struct reader *reader, size_t at, const char *name)
{
    struct json_scan scan = reader->scan;
    struct json_piece piece;
    size_t left = strlen(name);
    scan.at = at;
    while (json_scan_piece(&scan, &piece) == TROUPE_OK) {
        if (piece.size > left || memcmp(piece.bytes, name, piece.size) != 0)
            return false;
        name += piece.size;
        left -= piece.size;
    }
    return left == 0;
}

/* --- values --------------------------------------------------------------------------------------------- */

static troupe_status read_span(struct reader *reader, const troupe_field *field, char *at)
{
    size_t start = reader->scan.at;
    size_t size;
    if (!json_scan_take(&reader->scan, '"'))
        return refuse_value(reader, start, field);
    troupe_status status = read_bytes(reader, field, NULL, &size);
    if (status != TROUPE_OK)
        return status;
    troupe_span span = {(uint32_t)start, (uint32_t)size};
    memcpy(at, &span, sizeof span);
    return TROUPE_OK;
}

static troupe_status read_element(struct reader *reader, const troupe_field *field, char *at)
{
    if (field->kind >= TROUPE_FIELD_text)
        return read_span(reader, field, at);
    size_t start = reader->scan.at;
    char string[VALUE_TEXT_SIZE];
    size_t size;
    bool is_read;
    troupe_status status;
    if (json_scan_take(&reader->scan, '"')) {
        status = json_scan_string(&reader->scan, string, sizeof string, &size);
        is_read = status == TROUPE_OK && size <= sizeof string &&
                  value_read(field->kind, VALUE_STRING, string, size, at);
    } else {
        status = json_scan_bare(&reader->scan, &size);
        is_read = status == TROUPE_OK && size > 0 &&
                  value_read(field->kind, VALUE_BARE, (const char *)reader->scan.text + start, size, at);
    }
    if (status != TROUPE_OK)
        return status;
    return is_read ? TROUPE_OK : refuse_value(reader, start, field);
}

static troupe_status read_array(struct reader *reader, const troupe_field *field, char *at)
{
    struct json_scan *scan = &reader->scan;
    size_t start = scan->at;
    if (!json_scan_take(scan, '['))
        return refuse(reader, start, field->name, "expected an array");
    for (uint32_t i = 0; i < field->count; i++) {
        json_scan_space(scan);
        if (scan->at < scan->size && scan->text[scan->at] == ']')
            return refuse(reader, scan->at, field->name, "an array of too few elements");
        if (i > 0) {
            if (!json_scan_take(scan, ','))
                return refuse(reader, scan->at, field->name, "expected ',' or ']'");
            json_scan_space(scan);
        }
        troupe_status status = read_element(reader, field, at + i * value_size(field->kind));
        if (status != TROUPE_OK)
            return status;
    }
    json_scan_space(scan);
    if (json_scan_take(scan, ']'))
        return TROUPE_OK;
    return refuse(reader, scan->at, field->name,
                  scan->at < scan->size && scan->text[scan->at] == ',' ? "an array of too many elements"
                                                                       : "expected ',' or ']'");
}

/* --- the object ----------------------------------------------------------------------------------------- */

/* The field of this name, whose string begins at `at`; field_count when there is none. */
static uint32_t find_field(struct reader *reader, size_t at)
{
    uint32_t count = reader->type->field_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = reader->next + i < count ? reader->next + i : reader->next + i - count;
        if (is_name(reader, at, reader->type->fields[index].name)) {
            reader->next = index + 1 < count ? index + 1 : 0;
            return index;
        }
    }
    return count;
}

static troupe_status read_member(struct reader *reader)
{
    struct json_scan *scan = &reader->scan;
    size_t start = scan->at;
    size_t size;
    if (!json_scan_take(scan, '"'))
        return refuse(reader, start, NULL, "expected the name of a member");
    troupe_status status = json_scan_string(scan, NULL, 0, &size);
    if (status != TROUPE_OK)
        return status;
    uint32_t index = find_field(reader, start + 1);
    if (index == reader->type->field_count)
        return refuse(reader, start, reader->type->name, "there is no member of this name");
    const troupe_field *field = &reader->type->fields[index];
    uint64_t bit = UINT64_C(1) << index % WORD_BITS;
    if ((reader->seen[index / WORD_BITS] & bit) != 0)
        return refuse(reader, start, field->name, "here for the second time");
    reader->seen[index / WORD_BITS] |= bit;
    json_scan_space(scan);
    if (!json_scan_take(scan, ':'))
        return refuse(reader, scan->at, field->name, "expected ':'");
    json_scan_space(scan);
    char *at = reader->body + field->offset;
    return field->count == 1 ? read_element(reader, field, at) : read_array(reader, field, at);
}

static troupe_status read_object(struct reader *reader)
{
    struct json_scan *scan = &reader->scan;
    json_scan_space(scan);
    if (!json_scan_take(scan, '{'))
        return refuse(reader, scan->at, NULL, "expected '{'");
    json_scan_space(scan);
    bool is_closed = json_scan_take(scan, '}');
    while (!is_closed) {
        troupe_status status = read_member(reader);
        if (status != TROUPE_OK)
            return status;
        json_scan_space(scan);
        is_closed = json_scan_take(scan, '}');
        if (!is_closed && !json_scan_take(scan, ','))
            return refuse(reader, scan->at, NULL, "expected ',' or '}'");
        if (!is_closed)
            json_scan_space(scan);
    }
    json_scan_space(scan);
    if (scan->at < scan->size)
        return refuse(reader, scan->at, NULL, "expected nothing after the object");
    return TROUPE_OK;
}

/* The second walk. `end` is where the body ends so far. */
static troupe_status place_span(struct reader *reader, const troupe_field *field, size_t body_size,
                                size_t *end)
{
    char *at = reader->body + field->offset;
    troupe_span span;
    memcpy(&span, at, sizeof span);
    size_t more = (size_t)span.size + (field->kind == TROUPE_FIELD_text);
    size_t limit = body_size < TROUPE_BODY_SIZE_MAX ? body_size : TROUPE_BODY_SIZE_MAX;
    if (more > limit - *end)
        return json_scan_fail(&reader->scan, span.offset, TROUPE_TOO_LARGE, field->name,
                              limit < TROUPE_BODY_SIZE_MAX ? "no room for the body"
                                                           : "the body is over the largest there is");
    if (span.size > 0) {
        size_t size;
        reader->scan.at = (size_t)span.offset + 1;
        troupe_status status = read_bytes(reader, field, reader->body + *end, &size);
        ASSERT(status == TROUPE_OK && size == span.size);
    }
    if (field->kind == TROUPE_FIELD_text)
        reader->body[*end + span.size] = '\0';
    span.offset = (uint32_t)*end;
    memcpy(at, &span, sizeof span);
    *end += more;
    return TROUPE_OK;
}

troupe_status troupe_flat_from_json(const troupe_type *type, const char *text, size_t text_size, void *body,
                                    size_t body_size, size_t *ret_size, troupe_json_error *error)
{
    struct reader reader = {
        .scan = {.text = (const unsigned char *)text, .size = text_size, .error = error},
        .type = type,
        .body = body,
    };
    if (type->field_count > TROUPE_JSON_FIELD_COUNT_MAX)
        return json_scan_fail(&reader.scan, 0, TROUPE_LIMIT, type->name, "a type of too many fields");
    if (text_size > TROUPE_JSON_SIZE_MAX)
        return json_scan_fail(&reader.scan, 0, TROUPE_TOO_LARGE, type->name, "the text is too long");
    if (type->size > body_size || type->size > TROUPE_BODY_SIZE_MAX)
        return json_scan_fail(&reader.scan, 0, TROUPE_TOO_LARGE, type->name, "no room for the body");
    if (type->size > 0)
        memset(body, 0, type->size);
    troupe_status status = read_object(&reader);
    size_t end = type->size;
    for (uint32_t i = 0; i < type->field_count && status == TROUPE_OK; i++)
        if (type->fields[i].kind >= TROUPE_FIELD_text)
            status = place_span(&reader, &type->fields[i], body_size, &end);
    if (status == TROUPE_OK)
        *ret_size = end;
    return status;
}

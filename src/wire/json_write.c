/* SPDX-License-Identifier: MIT */
/*
 * json_write.c: a body as JSON text. troupe/json.h has the form of each kind.
 *
 * Place on a message's way: after flat.c has checked it, on its way to a person, a file or a program in
 * another language. Reads the body, writes the caller's buffer, allocates nothing: any thread.
 *
 * Invariants
 *   1. the text is JSON that json_read.c reads back to an equal body
 *   2. the text is UTF-8, whatever the texts of the body are
 *   3. measuring and writing are one walk (sink.h)
 */
#include <string.h>
#include <troupe/json.h>

#include "base/utf8.h"
#include "wire/base64.h"
#include "wire/sink.h"
#include "wire/value.h"
#include "wire/view.h"

enum { ESCAPE_SIZE = 6 }; /* \u0000 */

static void put_escape(struct sink *sink, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[ESCAPE_SIZE] = {
        '\\',
        'u',
        digits[code >> 12 & 0xf],
        digits[code >> 8 & 0xf],
        digits[code >> 4 & 0xf],
        digits[code & 0xf],
    };
    sink_put(sink, escape, sizeof escape);
}

/* What cannot stand in a string as it is: a character below space, a quote, a backslash, no UTF-8. */
static void put_special(struct sink *sink, unsigned char byte)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* each with its letter */
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((unsigned char)shorts[i] == byte) {
            sink_put_char(sink, '\\');
            sink_put_char(sink, shorts[i + 1]);
            return;
        }
    }
    /* U+DC80 to U+DCFF stand for the bytes 80 to FF: no text has these surrogates for its own (PEP 383). */
    put_escape(sink, byte < 0x80 ? byte : 0xdc00u + byte);
}

/* How many bytes of the start of a text can stand in a string as they are. */
static size_t plain_size(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        unsigned char byte = bytes[at];
        uint32_t code;
        size_t len = 1;
        if (byte < ' ' || byte == '"' || byte == '\\')
            break;
        if (byte >= 0x80 && (len = utf8_read(bytes + at, size - at, &code)) == 0)
            break;
        at += len;
    }
    return at;
}

static void put_string(struct sink *sink, const void *text, size_t size)
{
    const unsigned char *bytes = text;
    sink_put_char(sink, '"');
    for (size_t at = 0; at < size;) {
        size_t plain = plain_size(bytes + at, size - at);
        sink_put(sink, bytes + at, plain);
        at += plain;
        if (at < size)
            put_special(sink, bytes[at++]);
    }
    sink_put_char(sink, '"');
}

static void put_base64(struct sink *sink, const unsigned char *bytes, size_t size)
{
    sink_put_char(sink, '"');
    for (size_t at = 0; at < size; at += BASE64_BYTES) {
        char letters[BASE64_LETTERS];
        base64_write(bytes + at, size - at < BASE64_BYTES ? size - at : BASE64_BYTES, letters);
        sink_put(sink, letters, sizeof letters);
    }
    sink_put_char(sink, '"');
}

static void put_element(struct sink *sink, const struct view *view, const troupe_field *field, const char *at)
{
    if (field->kind >= TROUPE_FIELD_text) {
        troupe_bytes bytes = view_bytes(view, field, at);
        if (field->kind == TROUPE_FIELD_text)
            put_string(sink, bytes.data, bytes.size);
        else
            put_base64(sink, bytes.data, bytes.size);
        return;
    }
    char text[VALUE_TEXT_SIZE];
    enum value_form form;
    size_t len = value_write(field->kind, at, text, &form);
    if (form == VALUE_STRING)
        sink_put_char(sink, '"');
    sink_put(sink, text, len);
    if (form == VALUE_STRING)
        sink_put_char(sink, '"');
}

static void put_member(struct sink *sink, const struct view *view, const troupe_field *field)
{
    put_string(sink, field->name, strlen(field->name));
    sink_put_char(sink, ':');
    const char *at = view->body + field->offset;
    if (field->count == 1) {
        put_element(sink, view, field, at);
        return;
    }
    for (uint32_t i = 0; i < field->count; i++) {
        sink_put_char(sink, i == 0 ? '[' : ',');
        put_element(sink, view, field, at + i * value_size(field->kind));
    }
    sink_put_char(sink, ']');
}

static troupe_status put_object(struct sink *sink, const struct view *view)
{
    const troupe_type *type = view->type;
    if (view_check(view) != TROUPE_OK)
        return TROUPE_MALFORMED;
    if (view->message != NULL && troupe_message_flat_size(type, view->message) == SIZE_MAX)
        return TROUPE_TOO_LARGE; /* the text could not be read back */
    sink_put_char(sink, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0)
            sink_put_char(sink, ',');
        put_member(sink, view, &type->fields[i]);
        /* Spans may share bytes, so a small body can make a text without end, as good as. */
        if (sink->size > TROUPE_JSON_SIZE_MAX)
            return TROUPE_TOO_LARGE;
    }
    sink_put_char(sink, '}');
    return sink->size > TROUPE_JSON_SIZE_MAX ? TROUPE_TOO_LARGE : TROUPE_OK;
}

static size_t measure(const struct view *view)
{
    struct sink sink = {NULL, 0, 0};
    return put_object(&sink, view) == TROUPE_OK ? sink.size : SIZE_MAX;
}

static troupe_status write_text(const struct view *view, char *buffer, size_t buffer_size, size_t *ret_size)
{
    struct sink sink = {buffer, buffer_size, 0};
    troupe_status status = put_object(&sink, view);
    if (status != TROUPE_OK)
        return status;
    if (sink.size >= buffer_size)
        return TROUPE_TOO_LARGE;
    buffer[sink.size] = '\0';
    *ret_size = sink.size;
    return TROUPE_OK;
}

size_t troupe_flat_json_size(const troupe_type *type, const void *body, size_t size)
{
    struct view view = {type, body, size, NULL};
    return measure(&view);
}

troupe_status troupe_flat_to_json(const troupe_type *type, const void *body, size_t size, char *buffer,
                                  size_t buffer_size, size_t *ret_size)
{
    struct view view = {type, body, size, NULL};
    return write_text(&view, buffer, buffer_size, ret_size);
}

size_t troupe_message_json_size(const troupe_type *type, const troupe_message *message)
{
    struct view view = view_message(type, message);
    return measure(&view);
}

troupe_status troupe_message_to_json(const troupe_type *type, const troupe_message *message, char *buffer,
                                     size_t buffer_size, size_t *ret_size)
{
    struct view view = view_message(type, message);
    return write_text(&view, buffer, buffer_size, ret_size);
}

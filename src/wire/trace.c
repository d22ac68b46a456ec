/* SPDX-License-Identifier: MIT */
/*
 * trace.c: a body as one short line for people.
 *
 *     greet name="world" times=1 samples=[1 2 3] key=<4: 00ff10ab> to=0000000000000007
 *
 * Place on a message's way: beside it, wherever somebody looks on. Reads the body, writes the caller's
 * buffer, allocates nothing and cannot fail: any thread.
 *
 * The line is put together from pieces that are shown whole or not at all, a character of a text, a number, a
 * name. The first that does not fit ends it.
 *
 * Invariants of a line
 *   1. keep <= size <= limit, and keep + 3 <= limit where limit >= 3: the dots have room after `keep`
 *   2. size and keep lie between pieces, so no character and no number is cut in two
 *   3. once is_cut, nothing more is put
 */
#include <stdio.h>
#include <string.h>
#include <troupe/json.h>

#include "base/utf8.h"
#include "wire/value.h"
#include "wire/view.h"

enum {
    DOTS_LEN = 3,
    PIECE_SIZE = 32,
};

/* A line being put together. */
struct line {
    char *bytes;
    size_t limit; /* without the NUL */
    size_t size;
    size_t keep; /* where it is cut if something does not fit */
    bool is_cut;
};

static void put(struct line *line, const void *piece, size_t size)
{
    if (line->is_cut || size > line->limit - line->size) {
        line->is_cut = true;
        return;
    }
    memcpy(line->bytes + line->size, piece, size);
    line->size += size;
    if (line->size + DOTS_LEN <= line->limit)
        line->keep = line->size;
}

static void put_word(struct line *line, const char *word)
{
    put(line, word, strlen(word));
}

/*
 * Whether a character could do anything but stand in the line: controls, line and paragraph separators, and
 * those that turn the direction of writing, with which a text could pose as the rest of the line.
 */
static bool is_unruly(uint32_t code)
{
    return code < ' ' || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* The character or the broken byte at the start of a text; gives how many bytes of the text it was. */
static size_t put_char(struct line *line, const unsigned char *bytes, size_t size)
{
    uint32_t code;
    size_t len = utf8_read(bytes, size, &code);
    char escape[PIECE_SIZE];
    if (len == 0) {
        snprintf(escape, sizeof escape, "\\x%02x", bytes[0]);
        put_word(line, escape);
        return 1;
    }
    if (code == '"' || code == '\\')
        snprintf(escape, sizeof escape, "\\%c", (char)code);
    else if (code == '\n' || code == '\t')
        snprintf(escape, sizeof escape, code == '\n' ? "\\n" : "\\t");
    else if (is_unruly(code))
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code);
    else
        escape[0] = '\0';
    if (escape[0] != '\0')
        put_word(line, escape);
    else
        put(line, bytes, len);
    return len;
}

static void put_text(struct line *line, const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    put_word(line, "\"");
    while (at < size && !line->is_cut) {
        uint32_t code;
        size_t len = utf8_read(bytes + at, size - at, &code);
        if (at + (len == 0 ? 1 : len) > TROUPE_TRACE_TEXT_LEN_MAX)
            break;
        at += put_char(line, bytes + at, size - at);
    }
    put_word(line, at < size ? "\"..." : "\"");
}

static void put_bytes(struct line *line, const unsigned char *bytes, size_t size)
{
    char piece[PIECE_SIZE];
    snprintf(piece, sizeof piece, "<%zu", size);
    put_word(line, piece);
    for (size_t i = 0; i < size && i < TROUPE_TRACE_BYTES_LEN_MAX; i++) {
        snprintf(piece, sizeof piece, "%s%02x", i == 0 ? ": " : "", bytes[i]);
        put_word(line, piece);
    }
    put_word(line, size > TROUPE_TRACE_BYTES_LEN_MAX ? "...>" : ">");
}

static void put_element(struct line *line, const struct view *view, const troupe_field *field, const char *at)
{
    if (field->kind >= TROUPE_FIELD_text) {
        troupe_bytes bytes = view_bytes(view, field, at);
        if (field->kind == TROUPE_FIELD_text)
            put_text(line, bytes.data, bytes.size);
        else
            put_bytes(line, bytes.data, bytes.size);
        return;
    }
    char text[VALUE_TEXT_SIZE];
    enum value_form form;
    put(line, text, value_write(field->kind, at, text, &form));
}

static void put_field(struct line *line, const struct view *view, const troupe_field *field)
{
    const char *at = view->body + field->offset;
    put_word(line, " ");
    put_word(line, field->name);
    put_word(line, "=");
    if (field->count == 1) {
        put_element(line, view, field, at);
        return;
    }
    for (uint32_t i = 0; i < field->count && i < TROUPE_TRACE_ELEMENT_COUNT_MAX; i++) {
        put_word(line, i == 0 ? "[" : " ");
        put_element(line, view, field, at + i * value_size(field->kind));
    }
    put_word(line, field->count > TROUPE_TRACE_ELEMENT_COUNT_MAX ? " ...]" : "]");
}

/* Ends the line with its NUL, and with dots if something did not fit. */
static size_t finish(struct line *line)
{
    if (line->is_cut) {
        line->size = line->keep;
        for (size_t i = 0; i < DOTS_LEN && line->size < line->limit; i++)
            line->bytes[line->size++] = '.';
    }
    line->bytes[line->size] = '\0';
    return line->size;
}

static size_t put_view(const struct view *view, char *buffer, size_t buffer_size)
{
    if (buffer_size == 0)
        return 0;
    size_t limit = buffer_size - 1 < TROUPE_TRACE_LEN_MAX ? buffer_size - 1 : TROUPE_TRACE_LEN_MAX;
    struct line line = {.bytes = buffer, .limit = limit};
    put_word(&line, view->type->name);
    if (view_check(view) != TROUPE_OK) {
        char piece[PIECE_SIZE];
        put_word(&line, " malformed, ");
        snprintf(piece, sizeof piece, "%zu bytes", view->size);
        put_word(&line, piece);
        return finish(&line);
    }
    for (uint32_t i = 0; i < view->type->field_count && !line.is_cut; i++)
        put_field(&line, view, &view->type->fields[i]);
    return finish(&line);
}

size_t troupe_flat_to_trace(const troupe_type *type, const void *body, size_t size, char *buffer,
                            size_t buffer_size)
{
    struct view view = {type, body, size, NULL};
    return put_view(&view, buffer, buffer_size);
}

size_t troupe_message_to_trace(const troupe_type *type, const troupe_message *message, char *buffer,
                               size_t buffer_size)
{
    struct view view = view_message(type, message);
    return put_view(&view, buffer, buffer_size);
}

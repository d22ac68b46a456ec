/* SPDX-License-Identifier: MIT */
/*
 * json_writer.c: the writer of json_writer.h. Escaping follows RFC 8259, 7; validity of UTF-8 RFC 3629, 4 (no
 * overlong forms, no surrogates, nothing above U+10FFFF). Also written as \u: U+2028 and U+2029, which end a
 * line in JavaScript, and "<", so that a text that is ever put into a page cannot close a script element.
 * Nothing blocks.
 */
#include "server/json_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"

/* The digits of the longest number. */
enum { DIGITS_MAX = 20 };

static void put(struct json_writer *writer, const void *bytes, size_t size)
{
    if (writer->status == TROUPE_OK && size > 0)
        writer->status = buffer_append(writer->buffer, bytes, size);
}

/* Room for so many bytes, which become part of the text; NULL after a failure. */
static char *take(struct json_writer *writer, size_t size)
{
    if (writer->status == TROUPE_OK)
        writer->status = buffer_reserve(writer->buffer, size);
    if (writer->status != TROUPE_OK)
        return NULL;
    char *place = (char *)writer->buffer->bytes + writer->buffer->size;
    writer->buffer->size += size;
    return place;
}

/* How many bytes the character at `text` has, 1 to 4; 0 when there is no whole and valid one. */
static size_t character_size(const unsigned char *text, size_t size)
{
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    size_t needed = first >= 0xC2 && first <= 0xDF   ? 2
                    : (first & 0xF0) == 0xE0         ? 3
                    : first >= 0xF0 && first <= 0xF4 ? 4
                                                     : 0;
    if (needed == 0 || needed > size)
        return 0;
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < needed; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return needed;
}

/* The escape of a character, or NULL when it stands for itself. `scratch` holds one that is made. */
static const char *escape_of(const unsigned char *text, size_t size, char scratch[8])
{
    switch (text[0]) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '<':
        return "\\u003c";
    default:
        break;
    }
    if (text[0] < 0x20 || text[0] == 0x7F) {
        snprintf(scratch, 8, "\\u%04x", text[0]);
        return scratch;
    }
    if (size == 3 && memcmp(text, "\xE2\x80\xA8", 3) == 0)
        return "\\u2028";
    if (size == 3 && memcmp(text, "\xE2\x80\xA9", 3) == 0)
        return "\\u2029";
    return NULL;
}

/* How many bytes at the start stand for themselves: all of most texts. */
static size_t plain_size(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word = plain_word(bytes + at);
        if ((plain_others(word) | plain_finds(word, '"') | plain_finds(word, '\\') |
             plain_finds(word, '<')) != 0)
            break;
    }
    while (at < size && plain_is(bytes[at]) && bytes[at] != '"' && bytes[at] != '\\' && bytes[at] != '<')
        at++;
    return at;
}

/* A text with something to escape after its first `plain` bytes. */
static void put_escaped(struct json_writer *writer, const char *text, size_t size, size_t plain)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t begin = 0; /* of the run that stands for itself and is not written yet */
    put(writer, "\"", 1);
    for (size_t at = plain; at < size; at += plain_size(bytes + at, size - at)) {
        char scratch[8];
        size_t step = character_size(bytes + at, size - at);
        const char *escape = step == 0 ? "\xEF\xBF\xBD" : escape_of(bytes + at, step, scratch);
        if (step == 0)
            step = 1;
        if (escape != NULL) {
            put(writer, text + begin, at - begin);
            put(writer, escape, strlen(escape));
            begin = at + step;
        }
        at += step;
    }
    put(writer, text + begin, size - begin);
    put(writer, "\"", 1);
}

static void put_quoted(struct json_writer *writer, const char *text, size_t size)
{
    size_t plain = size == 0 ? 0 : plain_size((const unsigned char *)text, size);
    if (plain < size) {
        put_escaped(writer, text, size, plain);
        return;
    }
    char *place = take(writer, size + 2);
    if (place == NULL)
        return;
    place[0] = '"';
    if (size > 0)
        memcpy(place + 1, text, size);
    place[size + 1] = '"';
}

/* What stands before a value. */
static void lead(struct json_writer *writer, const char *name)
{
    bool is_next = writer->needs_comma;
    writer->needs_comma = true;
    if (name == NULL) {
        put(writer, ",", is_next);
        return;
    }
    size_t name_len = strlen(name);
    char *place = take(writer, is_next + name_len + 3);
    if (place == NULL)
        return;
    if (is_next)
        *place++ = ',';
    place[0] = '"';
    memcpy(place + 1, name, name_len);
    place[name_len + 1] = '"';
    place[name_len + 2] = ':';
}

struct json_writer json_writer_to(struct buffer *buffer)
{
    struct json_writer writer = {.buffer = buffer, .status = TROUPE_OK};
    return writer;
}

troupe_status json_writer_end(const struct json_writer *writer)
{
    assert(writer->depth == 0);
    return writer->status;
}

void json_open(struct json_writer *writer, const char *name, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    lead(writer, name);
    put(writer, &bracket, 1);
    writer->depth++;
    writer->needs_comma = false;
}

void json_close(struct json_writer *writer, char bracket)
{
    assert((bracket == '}' || bracket == ']') && writer->depth > 0);
    put(writer, &bracket, 1);
    writer->depth--;
    writer->needs_comma = true;
}

void json_put_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL)
        json_put_raw(writer, name, "null", 4);
    else
        json_put_text_sized(writer, name, text, strlen(text));
}

void json_put_text_sized(struct json_writer *writer, const char *name, const char *text, size_t size)
{
    lead(writer, name);
    put_quoted(writer, text, size);
}

void json_put_number(struct json_writer *writer, const char *name, int64_t number)
{
    char text[DIGITS_MAX + 1];
    char *end = text + sizeof text;
    char *at = end;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    json_put_raw(writer, name, at, (size_t)(end - at));
}

void json_put_flag(struct json_writer *writer, const char *name, bool flag)
{
    json_put_raw(writer, name, flag ? "true" : "false", flag ? 4 : 5);
}

void json_put_raw(struct json_writer *writer, const char *name, const void *json, size_t size)
{
    lead(writer, name);
    put(writer, json, size);
}

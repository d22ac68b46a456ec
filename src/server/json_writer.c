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

#include "base/copy.h"
#include "base/plain.h"

enum {
    LEAD_SIZE = 4,    /* the comma, the quotes of a name and the colon */
    NUMBER_SIZE = 20, /* the longest number: 19 digits and a sign */
};

static void put(struct json_writer *writer, const void *bytes, size_t size)
{
    if (writer->status == TROUPE_OK && size > 0)
        writer->status = buffer_append(writer->buffer, bytes, size);
}

/*
 * Where a value begins, behind the comma and the name; there is room for `room` bytes of it. NULL after a
 * failure, else finish() says where it ended.
 */
static inline char *begin(struct json_writer *writer, const char *name, size_t name_len, size_t room)
{
    if (writer->status == TROUPE_OK)
        writer->status = buffer_reserve(writer->buffer, name_len + LEAD_SIZE + room);
    if (writer->status != TROUPE_OK)
        return NULL;
    char *place = (char *)writer->buffer->bytes + writer->buffer->size;
    *place = ',';
    place += writer->needs_comma;
    writer->needs_comma = true;
    if (name == NULL)
        return place;
    *place++ = '"';
    copy_bytes(place, name, name_len);
    place += name_len;
    *place++ = '"';
    *place++ = ':';
    return place;
}

static inline void finish(struct json_writer *writer, const char *end)
{
    writer->buffer->size = (size_t)((const unsigned char *)end - writer->buffer->bytes);
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
        if (plain_escaped(word) != 0)
            break;
    }
    while (at < size && plain_is(bytes[at]) && bytes[at] != '"' && bytes[at] != '\\' && bytes[at] != '<')
        at++;
    return at;
}

/* A text with something to escape, behind its first quote. */
static void put_escaped(struct json_writer *writer, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t run = 0; /* begins: bytes that stand for themselves and are not written yet */
    for (size_t at = plain_size(bytes, size); at < size; at += plain_size(bytes + at, size - at)) {
        char scratch[8];
        size_t step = character_size(bytes + at, size - at);
        const char *escape = step == 0 ? "\xEF\xBF\xBD" : escape_of(bytes + at, step, scratch);
        if (step == 0)
            step = 1;
        if (escape != NULL) {
            put(writer, text + run, at - run);
            put(writer, escape, strlen(escape));
            run = at + step;
        }
        at += step;
    }
    put(writer, text + run, size - run);
    put(writer, "\"", 1);
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

void json_writer_open(struct json_writer *writer, const char *name, size_t name_len, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    char *place = begin(writer, name, name_len, 1);
    if (place != NULL) {
        *place = bracket;
        finish(writer, place + 1);
    }
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

void json_writer_raw(struct json_writer *writer, const char *name, size_t name_len, const void *json,
                     size_t size)
{
    char *place = begin(writer, name, name_len, size);
    if (place == NULL)
        return;
    copy_bytes(place, json, size);
    finish(writer, place + size);
}

void json_writer_quoted(struct json_writer *writer, const char *name, size_t name_len, const char *text,
                        size_t size)
{
    char *place = begin(writer, name, name_len, size + 2);
    if (place == NULL)
        return;
    *place++ = '"';
    copy_bytes(place, text, size);
    place[size] = '"';
    finish(writer, place + size + 1);
}

void json_writer_text(struct json_writer *writer, const char *name, size_t name_len, const char *text,
                      size_t size)
{
    if (plain_all(text, size, true)) {
        json_writer_quoted(writer, name, name_len, text, size);
        return;
    }
    char *place = begin(writer, name, name_len, 1);
    if (place == NULL)
        return;
    *place = '"';
    finish(writer, place + 1);
    put_escaped(writer, text, size);
}

void json_writer_string(struct json_writer *writer, const char *name, size_t name_len, const char *text)
{
    if (text == NULL)
        json_writer_raw(writer, name, name_len, "null", 4);
    else
        json_writer_text(writer, name, name_len, text, strlen(text));
}

void json_writer_number(struct json_writer *writer, const char *name, size_t name_len, int64_t number)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char text[NUMBER_SIZE];
    char *end = text + sizeof text;
    char *at = end;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (; rest >= 10; rest /= 100)
        memcpy(at -= 2, pairs + rest % 100 * 2, 2);
    if (rest > 0 || at == end)
        *--at = (char)('0' + rest);
    if (number < 0)
        *--at = '-';
    json_writer_raw(writer, name, name_len, at, (size_t)(end - at));
}

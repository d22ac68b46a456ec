/* SPDX-License-Identifier: MIT */
/*
 * json_scan.c: the words of JSON text; json_scan.h has the invariants. Any thread.
 */
#include "wire/json_scan.h"

#include <stdio.h>
#include <string.h>

enum {
    HEX_COUNT = 4, /* of \u0000 */
    HIGH_FIRST = 0xd800,
    LOW_FIRST = 0xdc00,
    LOW_LAST = 0xdfff,
    BYTE_FIRST = 0xdc80, /* a byte that is not UTF-8, by PEP 383 */
    BYTE_LAST = 0xdcff,
    MEMBER_LEN_SHOWN = 40, /* of a member's name in an error */
};

troupe_status json_scan_fail(const struct json_scan *scan, size_t offset, troupe_status status,
                             const char *member, const char *why)
{
    troupe_json_error *error = scan->error;
    if (error != NULL) {
        error->offset = offset;
        snprintf(error->text, sizeof error->text, "%.*s%s%s", MEMBER_LEN_SHOWN, member == NULL ? "" : member,
                 member == NULL ? "" : ": ", why);
    }
    return status;
}

static troupe_status malformed(const struct json_scan *scan, size_t offset, const char *why)
{
    return json_scan_fail(scan, offset, TROUPE_MALFORMED, NULL, why);
}

/* The next byte, or a NUL, which stands for nothing in JSON, at the end. */
static unsigned char peek(const struct json_scan *scan)
{
    return scan->at < scan->size ? scan->text[scan->at] : '\0';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

void json_scan_space(struct json_scan *scan)
{
    for (unsigned char c = peek(scan); c == ' ' || c == '\n' || c == '\r' || c == '\t'; c = peek(scan))
        scan->at++;
}

bool json_scan_take(struct json_scan *scan, char c)
{
    if (scan->at == scan->size || scan->text[scan->at] != (unsigned char)c)
        return false;
    scan->at++;
    return true;
}

/* The four digits after \u, whose place is `at`. */
static bool take_hex(struct json_scan *scan, uint32_t *ret_code)
{
    uint32_t code = 0;
    if (scan->size - scan->at < HEX_COUNT)
        return false;
    for (size_t i = 0; i < HEX_COUNT; i++) {
        unsigned char c = scan->text[scan->at + i];
        unsigned char letter = c | 0x20;
        if (!is_digit(c) && (letter < 'a' || letter > 'f'))
            return false;
        code = code << 4 | (is_digit(c) ? c - (uint32_t)'0' : letter - (uint32_t)'a' + 10);
    }
    scan->at += HEX_COUNT;
    *ret_code = code;
    return true;
}

static troupe_status take_unicode_escape(struct json_scan *scan, size_t start, struct json_piece *piece)
{
    uint32_t code;
    if (!take_hex(scan, &code))
        return malformed(scan, start, "expected four hexadecimal digits after \\u");
    if (code >= BYTE_FIRST && code <= BYTE_LAST) {
        piece->escaped[0] = (unsigned char)(code - LOW_FIRST);
        piece->size = 1;
        return TROUPE_OK;
    }
    if (code >= HIGH_FIRST && code <= LOW_LAST) {
        uint32_t low;
        if (code >= LOW_FIRST)
            return malformed(scan, start, "a surrogate without the one before it");
        if (!json_scan_take(scan, '\\') || !json_scan_take(scan, 'u') || !take_hex(scan, &low) ||
            low < LOW_FIRST || low > LOW_LAST)
            return malformed(scan, start, "a surrogate without the one after it");
        code = 0x10000 + ((code - HIGH_FIRST) << 10) + (low - LOW_FIRST);
    }
    piece->size = utf8_write(code, piece->escaped);
    return TROUPE_OK;
}

static troupe_status take_escape(struct json_scan *scan, struct json_piece *piece)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    size_t start = scan->at++;
    piece->bytes = piece->escaped;
    piece->size = 1;
    if (json_scan_take(scan, 'u'))
        return take_unicode_escape(scan, start, piece);
    unsigned char letter = peek(scan);
    const char *found = letter == '\0' ? NULL : strchr(letters, letter);
    if (found == NULL)
        return malformed(scan, start, "a backslash that escapes nothing");
    piece->escaped[0] = (unsigned char)meanings[found - letters];
    scan->at++;
    return TROUPE_OK;
}

troupe_status json_scan_piece(struct json_scan *scan, struct json_piece *piece)
{
    size_t start = scan->at;
    while (scan->at < scan->size) {
        unsigned char byte = scan->text[scan->at];
        uint32_t code;
        size_t len = 1;
        if (byte == '"' || byte == '\\' || byte < ' ')
            break;
        if (byte >= 0x80 && (len = utf8_read(scan->text + scan->at, scan->size - scan->at, &code)) == 0)
            return malformed(scan, scan->at, "not UTF-8");
        scan->at += len;
    }
    if (scan->at > start) {
        piece->bytes = scan->text + start;
        piece->size = scan->at - start;
        return TROUPE_OK;
    }
    if (scan->at == scan->size)
        return malformed(scan, scan->at, "the text ends inside a string");
    if (json_scan_take(scan, '"'))
        return TROUPE_END;
    if (peek(scan) == '\\')
        return take_escape(scan, piece);
    return malformed(scan, scan->at, "a control character in a string; it must be escaped");
}

troupe_status json_scan_string(struct json_scan *scan, char *bytes, size_t capacity, size_t *ret_size)
{
    struct json_piece piece;
    troupe_status status;
    size_t size = 0;
    while ((status = json_scan_piece(scan, &piece)) == TROUPE_OK) {
        size_t room = size < capacity ? capacity - size : 0;
        size_t fits = piece.size < room ? piece.size : room;
        if (fits > 0)
            memcpy(bytes + size, piece.bytes, fits);
        size += piece.size;
    }
    if (status != TROUPE_END)
        return status;
    *ret_size = size;
    return TROUPE_OK;
}

/* At least one digit. */
static bool take_digits(struct json_scan *scan)
{
    size_t start = scan->at;
    while (is_digit(peek(scan)))
        scan->at++;
    return scan->at > start;
}

static troupe_status take_number(struct json_scan *scan)
{
    size_t start = scan->at;
    json_scan_take(scan, '-');
    if (!json_scan_take(scan, '0') && !take_digits(scan))
        return malformed(scan, start, "a minus sign without a number");
    if (is_digit(peek(scan)))
        return malformed(scan, start, "a number that begins with a zero it does not need");
    if (json_scan_take(scan, '.') && !take_digits(scan))
        return malformed(scan, start, "a decimal point without digits after it");
    if (json_scan_take(scan, 'e') || json_scan_take(scan, 'E')) {
        if (!json_scan_take(scan, '+'))
            json_scan_take(scan, '-');
        if (!take_digits(scan))
            return malformed(scan, start, "an exponent without digits");
    }
    if (scan->at - start > TROUPE_JSON_NUMBER_LEN_MAX)
        return malformed(scan, start, "a number of too many characters");
    return TROUPE_OK;
}

troupe_status json_scan_bare(struct json_scan *scan, size_t *ret_size)
{
    static const char *const names[] = {"true", "false", "null"};
    size_t start = scan->at;
    *ret_size = 0;
    if (peek(scan) == '-' || is_digit(peek(scan))) {
        troupe_status status = take_number(scan);
        if (status != TROUPE_OK)
            return status;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0] && scan->at == start; i++) {
        size_t len = strlen(names[i]);
        if (scan->size - start >= len && memcmp(scan->text + start, names[i], len) == 0)
            scan->at += len;
    }
    *ret_size = scan->at - start;
    return TROUPE_OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: well-formed UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
 *
 * Place: a leaf, for texts on their way to JSON, from it, and into traces. Pure functions: any
 * thread.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_CHAR_SIZE_MAX = 4 };

/**
 * How many bytes the character at the start of these bytes takes, 1 to 4, and which it is; 0 when they do not
 * begin with a well-formed character, and then `ret_code` is not written.
 */
static inline size_t utf8_read(const unsigned char *bytes, size_t size, uint32_t *ret_code)
{
    if (size == 0)
        return 0;
    if (bytes[0] < 0x80) {
        *ret_code = bytes[0];
        return 1;
    }
    /* C0 and C1 could only begin overlong forms, F5 and above only what is beyond U+10FFFF. */
    size_t len = bytes[0] < 0xc2 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : bytes[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > size)
        return 0;
    uint32_t code = bytes[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
        (len == 4 && (code < 0x10000 || code > 0x10ffff)))
        return 0;
    *ret_code = code;
    return len;
}

/** Writes a character, which must be one and no surrogate, and gives how many bytes it takes. */
static inline size_t utf8_write(uint32_t code, unsigned char bytes[UTF8_CHAR_SIZE_MAX])
{
    if (code < 0x80) {
        bytes[0] = (unsigned char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
    bytes[0] = (unsigned char)((0xf00u >> len) | code);
    return len;
}

#endif

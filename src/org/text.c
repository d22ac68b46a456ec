/* SPDX-License-Identifier: MIT */
/*
 * text.c: whether a text from outside can be kept and shown; text.h has the rule. Pure functions, any thread.
 */
#include "org/text.h"

#include <stdint.h>
#include <string.h>

#include "base/plain.h"

/* The bytes of the character at `at`, which is not ASCII; 0 when they are not UTF-8. */
static size_t sequence_size(const unsigned char *at, size_t left)
{
    uint32_t least;
    uint32_t value;
    size_t size;
    if ((at[0] & 0xe0) == 0xc0) {
        size = 2;
        least = 0x80;
        value = at[0] & 0x1fu;
    } else if ((at[0] & 0xf0) == 0xe0) {
        size = 3;
        least = 0x800;
        value = at[0] & 0x0fu;
    } else if ((at[0] & 0xf8) == 0xf0) {
        size = 4;
        least = 0x10000;
        value = at[0] & 0x07u;
    } else {
        return 0;
    }
    if (size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3fu);
    }
    bool is_control = value < 0xa0; /* C1, which some terminals obey */
    bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    return value < least || value > 0x10ffff || is_control || is_surrogate ? 0 : size;
}

static bool is_text(const char *bytes, size_t size, const char *allowed)
{
    if (plain_all(bytes, size, false))
        return true;
    const unsigned char *at = (const unsigned char *)bytes;
    size_t left = size;
    while (left > 0) {
        size_t step = plain_run(at, left);
        at += step;
        left -= step;
        if (left == 0)
            break;
        step = 1;
        if (*at >= 0x80)
            step = sequence_size(at, left);
        else if ((*at < 0x20 && (*at == '\0' || strchr(allowed, *at) == NULL)) || *at == 0x7f)
            return false;
        if (step == 0)
            return false;
        at += step;
        left -= step;
    }
    return true;
}

bool org_text_is_line(const char *bytes, size_t size)
{
    return is_text(bytes, size, "");
}

bool org_text_is_lines(const char *bytes, size_t size)
{
    return is_text(bytes, size, "\t\r\n");
}

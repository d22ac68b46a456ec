/* SPDX-License-Identifier: MIT */
/* json_text.c: see json_text.h. Pure: any thread. */
#include "base/json_text.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
    PIECE_SIZE = JSON_TEXT_GROWTH + 1,
};

size_t json_text(char *ret_bytes, size_t size, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text != NULL ? text : "");
    size_t left = strlen((const char *)at);
    size_t len = 0;
    while (left > 0) {
        char piece[PIECE_SIZE];
        uint32_t code;
        size_t taken = utf8_read(at, left, &code);
        size_t put = taken;
        if (taken == 0 || *at < ' ' || *at == 0x7f) {
            put = (size_t)snprintf(piece, sizeof piece, "\\u%04x", taken == 0 ? 0xfffdu : (unsigned)*at);
            taken = 1;
        } else if (*at == '"' || *at == '\\') {
            piece[0] = '\\';
            piece[1] = (char)*at;
            put = 2;
        } else {
            memcpy(piece, at, taken);
        }
        if (len + put >= size)
            break;
        memcpy(ret_bytes + len, piece, put);
        len += put;
        at += taken;
        left -= taken;
    }
    ret_bytes[len] = '\0';
    return len;
}

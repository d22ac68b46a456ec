/* SPDX-License-Identifier: MIT */
/*
 * base64.c: bytes as letters and back; base64.h has the form and the invariants. Strict: one text for given
 * bytes, so padding must be there and the bits it cuts off must be zero. Any thread.
 */
#include "wire/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum {
    LETTER_BITS = 6,
    NO_LETTER = 64,
};

_Static_assert(sizeof(alphabet) == NO_LETTER + 1, "six bits a letter");

void base64_write(const unsigned char *bytes, size_t size, char letters[BASE64_LETTERS])
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    if (size > 1)
        bits |= (uint32_t)bytes[1] << 8;
    if (size > 2)
        bits |= bytes[2];
    for (size_t i = 0; i < BASE64_LETTERS; i++)
        letters[i] = i > size ? '=' : alphabet[bits >> (LETTER_BITS * (3 - i)) & 0x3f];
}

static uint32_t value_of(unsigned char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26u;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52u;
    return letter == '+' ? 62 : letter == '/' ? 63 : NO_LETTER;
}

bool base64_take(struct base64_reader *reader, unsigned char letter, bool *ret_has_byte,
                 unsigned char *ret_byte)
{
    *ret_has_byte = false;
    size_t place = reader->letters % BASE64_LETTERS;
    if (letter == '=') {
        /* Padding stands in the third and fourth place, and cuts off no bit that is set. */
        if (place < 2 || reader->bits != 0)
            return false;
        reader->has_pad = true;
        reader->letters++;
        return true;
    }
    uint32_t value = value_of(letter);
    if (value == NO_LETTER || reader->has_pad)
        return false;
    /* Of a letter's six bits 0, 4, 2, 0 stay behind for the next byte, by place. */
    static const uint8_t left_by_place[BASE64_LETTERS] = {6, 4, 2, 0};
    uint32_t left = left_by_place[place];
    uint32_t all = reader->bits << LETTER_BITS | value;
    reader->letters++;
    *ret_has_byte = place > 0;
    *ret_byte = (unsigned char)(all >> left);
    reader->bits = all & ((1u << left) - 1);
    return true;
}

bool base64_is_complete(const struct base64_reader *reader)
{
    return reader->letters % BASE64_LETTERS == 0;
}

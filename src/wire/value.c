/* SPDX-License-Identifier: MIT */
/*
 * value.c: one element of a fixed kind as text and back; value.h has the invariants.
 *
 * Floats are written by printf with as few digits as read back to the same bits, and read by strtod, which
 * rounds right in glibc. Both follow the locale's decimal point, so what is written is put right afterwards,
 * and what is read is given without a point: 12.5e3 is read as 125e2. Bits move as integers: a float that
 * passes through a register could lose a signalling NaN.
 *
 * Any thread.
 */
#include "wire/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe/json.h>

#include "base/assert.h"

/* Integers that a double holds all of, and so does whoever reads JSON into one: up to 2^53 - 1. */
#define EXACT_MAX ((UINT64_C(1) << 53) - 1)

enum {
    HEX_DIGIT_BITS = 4,
    EXPONENT_MAX = 1000000, /* beyond it, a number of NUMBER_LEN_MAX digits is 0 or too large anyway */
    EXPONENT_TEXT_SIZE = 16,
};

/* What is to be known of a kind. An integer is from -below to above. */
struct kind {
    uint8_t size;
    uint64_t below;
    uint64_t above;
    const char *expected;
};

static const struct kind kinds[] = {
    [TROUPE_FIELD_u8] = {1, 0, UINT8_MAX, "an integer from 0 to 255"},
    [TROUPE_FIELD_u16] = {2, 0, UINT16_MAX, "an integer from 0 to 65535"},
    [TROUPE_FIELD_u32] = {4, 0, UINT32_MAX, "an integer from 0 to 4294967295"},
    [TROUPE_FIELD_u64] = {8, 0, UINT64_MAX, "an integer from 0 to 18446744073709551615, or a string of one"},
    [TROUPE_FIELD_i8] = {1, 1u << 7, INT8_MAX, "an integer from -128 to 127"},
    [TROUPE_FIELD_i16] = {2, 1u << 15, INT16_MAX, "an integer from -32768 to 32767"},
    [TROUPE_FIELD_i32] = {4, 1u << 31, INT32_MAX, "an integer from -2147483648 to 2147483647"},
    [TROUPE_FIELD_i64] = {8, UINT64_C(1) << 63, INT64_MAX,
                          "an integer from -2^63 to 2^63 - 1, or a string of one"},
    [TROUPE_FIELD_f32] = {4, 0, 0, "a number in the range of f32, or \"NaN\" or \"Infinity\""},
    [TROUPE_FIELD_f64] = {8, 0, 0, "a number in the range of f64, or \"NaN\" or \"Infinity\""},
    [TROUPE_FIELD_bool] = {1, 0, 1, "true or false"},
    [TROUPE_FIELD_ref] = {8, 0, 0, "a string of 16 hexadecimal digits"},
    [TROUPE_FIELD_text] = {8, 0, 0, "a string"},
    [TROUPE_FIELD_bytes] = {8, 0, 0, "a string in base64"},
    [TROUPE_FIELD_blob] = {8, 0, 0, "a string in base64"},
};

/* How a float of 4 or 8 bytes is made of bits, and the digits that decide whether two texts differ. */
struct float_form {
    uint64_t exponent; /* the bits of the exponent, all ones: the bits of infinity */
    uint64_t sign;
    uint64_t nan; /* the bits of the usual NaN */
    int digits_sure;
    int digits_max;
};

static const struct float_form form_f32 = {0x7f800000u, 0x80000000u, 0x7fc00000u, 6, 9};
static const struct float_form form_f64 = {UINT64_C(0x7ff0000000000000), UINT64_C(0x8000000000000000),
                                           UINT64_C(0x7ff8000000000000), 15, 17};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low bytes of an integer come first");

size_t value_size(uint8_t kind)
{
    return kinds[kind].size;
}

const char *value_expected(uint8_t kind)
{
    return kinds[kind].expected;
}

static uint64_t bits_at(uint8_t kind, const void *at)
{
    uint64_t bits = 0;
    memcpy(&bits, at, kinds[kind].size);
    return bits;
}

static void put_bits(uint8_t kind, uint64_t bits, void *at)
{
    memcpy(at, &bits, kinds[kind].size);
}

/* --- integers ------------------------------------------------------------------------------------------- */

static size_t write_integer(bool is_negative, uint64_t magnitude, char *text)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    size_t len = 0;
    if (is_negative)
        text[len++] = '-';
    while (count > 0)
        text[len++] = digits[--count];
    return len;
}

/* Reads -?(0|[1-9][0-9]*), all of it, within the range of the kind. "-0" is zero. */
static bool read_integer(uint8_t kind, const char *text, size_t size, void *at)
{
    bool is_negative = size > 0 && text[0] == '-';
    size_t start = is_negative;
    if (start == size || (text[start] == '0' && size - start > 1))
        return false;
    uint64_t magnitude = 0;
    for (size_t i = start; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (magnitude > (is_negative ? kinds[kind].below : kinds[kind].above))
        return false;
    put_bits(kind, is_negative ? 0 - magnitude : magnitude, at);
    return true;
}

/* --- hexadecimal ---------------------------------------------------------------------------------------- */

static size_t write_hex(uint64_t bits, size_t digits, char *text)
{
    for (size_t i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[bits >> (HEX_DIGIT_BITS * (digits - 1 - i)) & 0xf];
    return digits;
}

static bool read_hex(const char *text, size_t size, size_t digits, uint64_t *ret_bits)
{
    if (size != digits)
        return false;
    uint64_t bits = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        bits = bits << HEX_DIGIT_BITS | (uint64_t)digit;
    }
    *ret_bits = bits;
    return true;
}

/* --- floats --------------------------------------------------------------------------------------------- */

static const struct float_form *form_of(uint8_t kind)
{
    return kind == TROUPE_FIELD_f32 ? &form_f32 : &form_f64;
}

static uint64_t bits_of_number(uint8_t kind, const char *number)
{
    int errno_before = errno;
    uint64_t bits = 0;
    if (kind == TROUPE_FIELD_f32) {
        float value = strtof(number, NULL);
        memcpy(&bits, &value, sizeof value);
    } else {
        double value = strtod(number, NULL);
        memcpy(&bits, &value, sizeof value);
    }
    errno = errno_before;
    return bits;
}

/* The bits of a JSON number, infinity's when it is out of range. */
static uint64_t bits_of_json(uint8_t kind, const char *text, size_t size)
{
    char plain[TROUPE_JSON_NUMBER_LEN_MAX + EXPONENT_TEXT_SIZE];
    size_t len = 0;
    long fraction_digits = 0;
    bool is_fraction = false;
    size_t i = 0;
    ASSERT(size <= TROUPE_JSON_NUMBER_LEN_MAX);
    for (; i < size && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            is_fraction = true;
            continue;
        }
        fraction_digits += is_fraction;
        plain[len++] = text[i];
    }
    long exponent = 0;
    bool is_negative = i + 1 < size && text[i + 1] == '-';
    for (i++; i < size; i++)
        if (text[i] >= '0' && text[i] <= '9' && exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (text[i] - '0');
    snprintf(plain + len, sizeof plain - len, "e%ld", (is_negative ? -exponent : exponent) - fraction_digits);
    return bits_of_number(kind, plain);
}

size_t value_neaten_float(char *text, size_t len)
{
    size_t to = 0;
    size_t i = 0;
    for (; i < len && text[i] != 'e'; i++) {
        bool is_plain = text[i] == '-' || (text[i] >= '0' && text[i] <= '9');
        /* A decimal point may take several bytes. */
        if (is_plain)
            text[to++] = text[i];
        else if (text[to - 1] != '.')
            text[to++] = '.';
    }
    if (i < len) {
        text[to++] = text[i++];
        if (text[i] == '-')
            text[to++] = '-';
        while (text[i] == '-' || text[i] == '+' || (text[i] == '0' && i + 1 < len))
            i++;
        while (i < len)
            text[to++] = text[i++];
    } else if (to == 2 && text[0] == '-' && text[1] == '0') {
        /* As an integer, which is what many readers make of "-0", zero has no sign. */
        text[to++] = '.';
        text[to++] = '0';
    }
    return to;
}

static size_t write_finite(uint8_t kind, uint64_t bits, char text[VALUE_TEXT_SIZE])
{
    const struct float_form *form = form_of(kind);
    double value;
    if (kind == TROUPE_FIELD_f32) {
        uint32_t low = (uint32_t)bits;
        float narrow;
        memcpy(&narrow, &low, sizeof narrow);
        value = (double)narrow;
    } else {
        memcpy(&value, &bits, sizeof value);
    }
    /* Any number of digits_sure digits survives, so the first try shows the shortest; not below the normal
     * range, where fewer bits need fewer digits. */
    int digits = (bits & form->exponent) == 0 ? 1 : form->digits_sure;
    for (;; digits++) {
        int len = snprintf(text, VALUE_TEXT_SIZE, "%.*g", digits, value);
        ASSERT(len > 0 && len < VALUE_TEXT_SIZE - 2);
        size_t neat = value_neaten_float(text, (size_t)len);
        if (digits == form->digits_max || bits_of_json(kind, text, neat) == bits)
            return neat;
    }
}

static size_t put_word(const char *word, char *text)
{
    size_t len = strlen(word);
    memcpy(text, word, len);
    return len;
}

static size_t write_float(uint8_t kind, uint64_t bits, char text[VALUE_TEXT_SIZE], enum value_form *ret_form)
{
    const struct float_form *form = form_of(kind);
    if ((bits & form->exponent) != form->exponent)
        return write_finite(kind, bits, text);
    *ret_form = VALUE_STRING;
    if ((bits & ~form->sign) == form->exponent)
        return put_word((bits & form->sign) != 0 ? "-Infinity" : "Infinity", text);
    size_t len = put_word(bits == form->nan ? "NaN" : "NaN:", text);
    return bits == form->nan ? len : len + write_hex(bits, value_size(kind) * 2, text + len);
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* The names of what is not a number, and of nothing else. */
static bool read_float_name(uint8_t kind, const char *text, size_t size, void *at)
{
    const struct float_form *form = form_of(kind);
    uint64_t bits;
    if (is_word(text, size, "Infinity"))
        bits = form->exponent;
    else if (is_word(text, size, "-Infinity"))
        bits = form->exponent | form->sign;
    else if (is_word(text, size, "NaN"))
        bits = form->nan;
    else if (size <= 4 || memcmp(text, "NaN:", 4) != 0 ||
             !read_hex(text + 4, size - 4, value_size(kind) * 2, &bits) ||
             (bits & ~form->sign) <= form->exponent)
        return false;
    put_bits(kind, bits, at);
    return true;
}

static bool read_float(uint8_t kind, const char *text, size_t size, void *at)
{
    if (size == 0 || !(text[0] == '-' || (text[0] >= '0' && text[0] <= '9')))
        return false;
    uint64_t bits = bits_of_json(kind, text, size);
    if ((bits & ~form_of(kind)->sign) == form_of(kind)->exponent)
        return false;
    put_bits(kind, bits, at);
    return true;
}

/* --- any kind ------------------------------------------------------------------------------------------- */

size_t value_write(uint8_t kind, const void *at, char text[VALUE_TEXT_SIZE], enum value_form *ret_form)
{
    uint64_t bits = bits_at(kind, at);
    *ret_form = VALUE_BARE;
    switch (kind) {
    case TROUPE_FIELD_f32:
    case TROUPE_FIELD_f64:
        return write_float(kind, bits, text, ret_form);
    case TROUPE_FIELD_bool:
        return put_word(bits != 0 ? "true" : "false", text);
    case TROUPE_FIELD_ref:
        *ret_form = VALUE_STRING;
        return write_hex(bits, sizeof(bits) * 2, text);
    default:
        break;
    }
    uint64_t sign = kinds[kind].below; /* of two's complement */
    bool is_negative = (bits & sign) != 0;
    /* The higher bits are taken as ones, then all are turned round and one added, and only 63 are left. */
    uint64_t magnitude = is_negative ? 0 - (bits | ~(sign - 1)) : bits;
    if (magnitude > EXACT_MAX)
        *ret_form = VALUE_STRING;
    return write_integer(is_negative, magnitude, text);
}

bool value_read(uint8_t kind, enum value_form form, const char *text, size_t size, void *at)
{
    uint64_t bits;
    switch (kind) {
    case TROUPE_FIELD_u64:
    case TROUPE_FIELD_i64:
        return read_integer(kind, text, size, at);
    case TROUPE_FIELD_f32:
    case TROUPE_FIELD_f64:
        return form == VALUE_BARE ? read_float(kind, text, size, at) : read_float_name(kind, text, size, at);
    case TROUPE_FIELD_bool:
        bits = is_word(text, size, "true");
        if (form != VALUE_BARE || (bits == 0 && !is_word(text, size, "false")))
            return false;
        put_bits(kind, bits, at);
        return true;
    case TROUPE_FIELD_ref:
        if (form != VALUE_STRING || !read_hex(text, size, sizeof(bits) * 2, &bits))
            return false;
        put_bits(kind, bits, at);
        return true;
    default:
        return form == VALUE_BARE && read_integer(kind, text, size, at);
    }
}

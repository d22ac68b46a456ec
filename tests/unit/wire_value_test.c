/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/value, wire/utf8 and wire/base64: numbers, characters and bytes as text, and back. One
 * thread.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/utf8.h"
#include "wire/base64.h"
#include "wire/value.h"

enum { PATTERN_COUNT = 1 << 18 };

static void assert_written(uint8_t kind, const void *at, const char *expected, enum value_form expected_form)
{
    char text[VALUE_TEXT_SIZE + 1];
    enum value_form form;
    size_t len = value_write(kind, at, text, &form);
    assert_true(len <= VALUE_TEXT_SIZE);
    text[len] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(form, expected_form);
    unsigned char back[8] = {0};
    assert_true(value_read(kind, form, text, len, back));
    assert_memory_equal(back, at, value_size(kind));
}

#define WRITES(kind, ctype, value, text, form)                                                               \
    do {                                                                                                     \
        ctype it = (value);                                                                                  \
        assert_written(TROUPE_FIELD_##kind, &it, text, form);                                                \
    } while (0)

static bool reads(uint8_t kind, enum value_form form, const char *text)
{
    unsigned char at[8] = {0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a};
    static const unsigned char before[8] = {0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a};
    bool is_read = value_read(kind, form, text, strlen(text), at);
    if (!is_read)
        assert_memory_equal(at, before, sizeof at);
    assert_memory_equal(at + value_size(kind), before, sizeof at - value_size(kind));
    return is_read;
}

static void integers_are_written_and_read_at_both_ends_of_their_range(void **state)
{
    (void)state;
    WRITES(u8, uint8_t, 0, "0", VALUE_BARE);
    WRITES(u8, uint8_t, 255, "255", VALUE_BARE);
    WRITES(u16, uint16_t, 65535, "65535", VALUE_BARE);
    WRITES(u32, uint32_t, UINT32_MAX, "4294967295", VALUE_BARE);
    WRITES(i8, int8_t, -128, "-128", VALUE_BARE);
    WRITES(i8, int8_t, 127, "127", VALUE_BARE);
    WRITES(i8, int8_t, -1, "-1", VALUE_BARE);
    WRITES(i16, int16_t, INT16_MIN, "-32768", VALUE_BARE);
    WRITES(i16, int16_t, INT16_MAX, "32767", VALUE_BARE);
    WRITES(i32, int32_t, INT32_MIN, "-2147483648", VALUE_BARE);
    WRITES(i32, int32_t, INT32_MAX, "2147483647", VALUE_BARE);
    WRITES(u64, uint64_t, UINT64_MAX, "18446744073709551615", VALUE_STRING);
    WRITES(i64, int64_t, INT64_MIN, "-9223372036854775808", VALUE_STRING);
    WRITES(i64, int64_t, INT64_MAX, "9223372036854775807", VALUE_STRING);
}

static void integers_become_strings_where_a_double_would_round_them(void **state)
{
    (void)state;
    WRITES(u64, uint64_t, (UINT64_C(1) << 53) - 1, "9007199254740991", VALUE_BARE);
    WRITES(u64, uint64_t, UINT64_C(1) << 53, "9007199254740992", VALUE_STRING);
    WRITES(i64, int64_t, -(INT64_C(1) << 53) + 1, "-9007199254740991", VALUE_BARE);
    WRITES(i64, int64_t, -(INT64_C(1) << 53), "-9007199254740992", VALUE_STRING);
    assert_true(reads(TROUPE_FIELD_u64, VALUE_BARE, "18446744073709551615"));
    assert_true(reads(TROUPE_FIELD_u64, VALUE_STRING, "1"));
    assert_true(reads(TROUPE_FIELD_i64, VALUE_BARE, "-9223372036854775808"));
    assert_false(reads(TROUPE_FIELD_u32, VALUE_STRING, "1"));
}

static void integers_beyond_their_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t kind;
        const char *text;
    } beyond[] = {
        {TROUPE_FIELD_u8, "256"},
        {TROUPE_FIELD_u8, "-1"},
        {TROUPE_FIELD_u16, "65536"},
        {TROUPE_FIELD_u32, "4294967296"},
        {TROUPE_FIELD_u64, "18446744073709551616"},
        {TROUPE_FIELD_u64, "9999999999999999999999999999"},
        {TROUPE_FIELD_i8, "128"},
        {TROUPE_FIELD_i8, "-129"},
        {TROUPE_FIELD_i16, "32768"},
        {TROUPE_FIELD_i16, "-32769"},
        {TROUPE_FIELD_i32, "2147483648"},
        {TROUPE_FIELD_i32, "-2147483649"},
        {TROUPE_FIELD_i64, "9223372036854775808"},
        {TROUPE_FIELD_i64, "-9223372036854775809"},
    };
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++)
        assert_false(reads(beyond[i].kind, VALUE_BARE, beyond[i].text));
}

static void integers_have_one_form_but_for_minus_zero(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    "-",  "00", "01", "-01", "1.0",
                                        "1e2", "+1", " 1", "1 ", "0x1", "a"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(reads(TROUPE_FIELD_u64, VALUE_STRING, wrong[i]));
        assert_false(reads(TROUPE_FIELD_i32, VALUE_BARE, wrong[i]));
    }
    assert_true(reads(TROUPE_FIELD_u8, VALUE_BARE, "-0"));
}

static void floats_are_written_with_the_fewest_digits_that_keep_their_bits(void **state)
{
    (void)state;
    WRITES(f64, double, 0.0, "0", VALUE_BARE);
    WRITES(f64, double, -0.0, "-0.0", VALUE_BARE);
    WRITES(f64, double, 0.1, "0.1", VALUE_BARE);
    WRITES(f64, double, 0.1 + 0.2, "0.30000000000000004", VALUE_BARE);
    WRITES(f64, double, 100, "100", VALUE_BARE);
    WRITES(f64, double, 70.29, "70.29", VALUE_BARE); /* 70.29000000000001 in 16 digits */
    WRITES(f64, double, -1.5e300, "-1.5e300", VALUE_BARE);
    WRITES(f64, double, 1e-7, "1e-7", VALUE_BARE);
    WRITES(f64, double, 1e100, "1e100", VALUE_BARE);
    WRITES(f64, double, 9007199254740993.0, "9007199254740992", VALUE_BARE);
    WRITES(f64, double, DBL_MAX, "1.7976931348623157e308", VALUE_BARE);
    WRITES(f64, double, DBL_MIN, "2.2250738585072014e-308", VALUE_BARE);
    WRITES(f64, double, DBL_TRUE_MIN, "5e-324", VALUE_BARE);
    WRITES(f32, float, 0.1f, "0.1", VALUE_BARE);
    WRITES(f32, float, 16777216.0f, "16777216", VALUE_BARE);
    WRITES(f32, float, FLT_MAX, "3.4028235e38", VALUE_BARE);
    WRITES(f32, float, FLT_TRUE_MIN, "1e-45", VALUE_BARE);
    WRITES(f32, float, 1.0f / 3, "0.33333334", VALUE_BARE);
}

static void infinities_and_every_nan_have_names(void **state)
{
    (void)state;
    WRITES(f64, double, INFINITY, "Infinity", VALUE_STRING);
    WRITES(f64, double, -INFINITY, "-Infinity", VALUE_STRING);
    WRITES(f64, uint64_t, UINT64_C(0x7ff8000000000000), "NaN", VALUE_STRING);
    WRITES(f64, uint64_t, UINT64_C(0xfff8000000000000), "NaN:fff8000000000000", VALUE_STRING);
    WRITES(f64, uint64_t, UINT64_C(0x7ff0000000000001), "NaN:7ff0000000000001", VALUE_STRING);
    WRITES(f32, float, INFINITY, "Infinity", VALUE_STRING);
    WRITES(f32, float, -INFINITY, "-Infinity", VALUE_STRING);
    WRITES(f32, uint32_t, 0x7fc00000u, "NaN", VALUE_STRING);
    WRITES(f32, uint32_t, 0xff800001u, "NaN:ff800001", VALUE_STRING);
    static const char *const wrong[] = {
        "nan",          "inf",          "infinity",     "+Infinity",     "-NaN", "NaN:", "NaN:7fc0000",
        "NaN:7f800000", "NaN:00000000", "NaN:7fc0000g", "NaN:7fc000000", "1.5",  "1",    ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(reads(TROUPE_FIELD_f32, VALUE_STRING, wrong[i]));
}

/* Every 16,411th pattern of bits, so all exponents and both signs, NaNs included. */
static void any_bits_of_a_float_come_back(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < PATTERN_COUNT; i++) {
        uint32_t bits = (uint32_t)(i * 16411);
        uint32_t back = ~bits;
        char text[VALUE_TEXT_SIZE];
        enum value_form form;
        size_t len = value_write(TROUPE_FIELD_f32, &bits, text, &form);
        if (!value_read(TROUPE_FIELD_f32, form, text, len, &back) || back != bits)
            fail_msg("%08x was written %.*s", bits, (int)len, text);
    }
}

static void floats_read_are_rounded_to_the_nearest_once(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double f64;
        float f32;
    } numbers[] = {
        {"0.1", 0.1, 0.1f},
        {"1E5", 1e5, 1e5f},
        {"12.5e+3", 12500, 12500},
        {"0.00012e4", 1.2, 1.2f},
        {"-0", -0.0, -0.0f},
        {"1e-400", 0, 0},
        {"0e99999999999999999999999", 0, 0},
        {"1e-99999999999999999999999", 0, 0},
        {"2.2250738585072011e-308", 2.2250738585072011e-308, 0},
        /* Half-way in f32, and above it by less than an f64 shows: rounding twice would go down. */
        {"1.00000005960464477540", 1.0000000596046448, 1.00000012f},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *text = numbers[i].text;
        double f64;
        float f32;
        assert_true(value_read(TROUPE_FIELD_f64, VALUE_BARE, text, strlen(text), &f64));
        assert_true(value_read(TROUPE_FIELD_f32, VALUE_BARE, text, strlen(text), &f32));
        assert_memory_equal(&f64, &numbers[i].f64, sizeof f64);
        assert_memory_equal(&f32, &numbers[i].f32, sizeof f32);
    }
}

static void floats_beyond_their_range_are_refused_and_errno_stays(void **state)
{
    (void)state;
    errno = 0;
    assert_false(reads(TROUPE_FIELD_f64, VALUE_BARE, "1e309"));
    assert_false(reads(TROUPE_FIELD_f64, VALUE_BARE, "-1e99999999999999999999999"));
    assert_false(reads(TROUPE_FIELD_f32, VALUE_BARE, "3.5e38"));
    assert_true(reads(TROUPE_FIELD_f64, VALUE_BARE, "1.7976931348623158e308"));
    assert_true(reads(TROUPE_FIELD_f32, VALUE_BARE, "1e-60"));
    assert_false(reads(TROUPE_FIELD_f32, VALUE_BARE, "true"));
    assert_int_equal(errno, 0);
}

static void longest_number_counts_all_its_digits(void **state)
{
    (void)state;
    /* 1 and a half of the last place, and then a digit so far behind that only an exact reader sees it. */
    char text[TROUPE_JSON_NUMBER_LEN_MAX];
    static const char half[] = "1.00000000000000011102230246251565404236316680908203125";
    memset(text, '0', sizeof text);
    memcpy(text, half, sizeof half - 1);
    double value;
    assert_true(value_read(TROUPE_FIELD_f64, VALUE_BARE, text, sizeof text, &value));
    assert_true(value == 1.0);
    text[sizeof text - 1] = '1';
    assert_true(value_read(TROUPE_FIELD_f64, VALUE_BARE, text, sizeof text, &value));
    assert_true(value == 1.0 + DBL_EPSILON);
}

static void neat_float_has_a_point_whatever_the_locale_writes(void **state)
{
    (void)state;
    static const struct {
        const char *printed;
        const char *neat;
    } texts[] = {
        {"1.5", "1.5"},
        {"1,5", "1.5"},
        {"-1\xd9\xab"
         "5",
         "-1.5"},
        {"2,5e+20", "2.5e20"},
        {"1e-05", "1e-5"},
        {"1e+100", "1e100"},
        {"-0", "-0.0"},
        {"0", "0"},
        {"-0,5", "-0.5"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[VALUE_TEXT_SIZE] = {0};
        memcpy(text, texts[i].printed, strlen(texts[i].printed));
        size_t len = value_neaten_float(text, strlen(texts[i].printed));
        assert_int_equal(len, strlen(texts[i].neat));
        assert_memory_equal(text, texts[i].neat, len);
    }
}

static void bools_and_refs_have_one_form(void **state)
{
    (void)state;
    WRITES(bool, bool, true, "true", VALUE_BARE);
    WRITES(bool, bool, false, "false", VALUE_BARE);
    WRITES(ref, uint64_t, UINT64_C(0x0123456789abcdef), "0123456789abcdef", VALUE_STRING);
    assert_true(reads(TROUPE_FIELD_ref, VALUE_STRING, "0123456789ABCDEF"));
    assert_false(reads(TROUPE_FIELD_ref, VALUE_STRING, "123456789abcdef"));
    assert_false(reads(TROUPE_FIELD_ref, VALUE_STRING, "00123456789abcdef"));
    assert_false(reads(TROUPE_FIELD_ref, VALUE_STRING, "0123456789abcdeg"));
    assert_false(reads(TROUPE_FIELD_ref, VALUE_BARE, "1234567890123456"));
    assert_false(reads(TROUPE_FIELD_bool, VALUE_STRING, "true"));
    assert_false(reads(TROUPE_FIELD_bool, VALUE_BARE, "null"));
    assert_false(reads(TROUPE_FIELD_bool, VALUE_BARE, "1"));
    assert_false(reads(TROUPE_FIELD_u8, VALUE_BARE, "true"));
}

static void utf8_reads_back_every_character_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        unsigned char bytes[UTF8_CHAR_SIZE_MAX];
        uint32_t back;
        size_t len = utf8_write(code, bytes);
        if (utf8_read(bytes, sizeof bytes, &back) != len || back != code ||
            utf8_read(bytes, len - 1, &back) != 0)
            fail_msg("U+%04X", code);
    }
    static const char *const wrong[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xc3(",        "\xe2\x82(",        "\xe2(\xa1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t code;
        assert_int_equal(utf8_read((const unsigned char *)wrong[i], strlen(wrong[i]), &code), 0);
    }
}

static bool base64_reads(const char *letters, unsigned char *bytes, size_t *ret_size)
{
    struct base64_reader reader = {0};
    size_t size = 0;
    for (; *letters != '\0'; letters++) {
        bool has_byte;
        unsigned char byte = 0;
        if (!base64_take(&reader, (unsigned char)*letters, &has_byte, &byte))
            return false;
        if (has_byte)
            bytes[size++] = byte;
    }
    *ret_size = size;
    return base64_is_complete(&reader);
}

/* The examples of RFC 4648, section 10, and all six bits set. */
static void base64_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xef\xbe", "/+++"}, {"\xff\xff\xff", "////"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char letters[BASE64_LETTERS];
        unsigned char bytes[BASE64_BYTES];
        size_t size;
        base64_write((const unsigned char *)pairs[i][0], strlen(pairs[i][0]), letters);
        assert_memory_equal(letters, pairs[i][1], sizeof letters);
        assert_true(base64_reads(pairs[i][1], bytes, &size));
        assert_int_equal(size, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], size);
    }
}

static void base64_with_another_text_for_the_same_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Z",        "Zg",    "Zg=",   "Zh==",  "Zm9=", "=",
                                        "==",       "Z===",  "Zg==Z", "Zg===", "Z=g=", "Zg=a",
                                        "Zg==Zg==", "Zm9v ", "Zm 9v", "Zm9-",  "Zm9_", "\x80m9v"};
    unsigned char bytes[8];
    size_t size;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(base64_reads(wrong[i], bytes, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_and_read_at_both_ends_of_their_range),
        cmocka_unit_test(integers_become_strings_where_a_double_would_round_them),
        cmocka_unit_test(integers_beyond_their_range_are_refused),
        cmocka_unit_test(integers_have_one_form_but_for_minus_zero),
        cmocka_unit_test(floats_are_written_with_the_fewest_digits_that_keep_their_bits),
        cmocka_unit_test(infinities_and_every_nan_have_names),
        cmocka_unit_test(any_bits_of_a_float_come_back),
        cmocka_unit_test(floats_read_are_rounded_to_the_nearest_once),
        cmocka_unit_test(floats_beyond_their_range_are_refused_and_errno_stays),
        cmocka_unit_test(longest_number_counts_all_its_digits),
        cmocka_unit_test(neat_float_has_a_point_whatever_the_locale_writes),
        cmocka_unit_test(bools_and_refs_have_one_form),
        cmocka_unit_test(utf8_reads_back_every_character_and_nothing_else),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(base64_with_another_text_for_the_same_bytes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

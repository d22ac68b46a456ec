/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/base64: the published examples both ways, and that reading takes no other text for the
 * same bytes. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/base64.h"

enum {
    ROOM = 64,
};

static void write_all(const unsigned char *bytes, size_t size, char ret_text[ROOM])
{
    size_t len = 0;
    for (size_t i = 0; i < size; i += BASE64_BYTES, len += BASE64_LETTERS)
        base64_write(bytes + i, size - i < BASE64_BYTES ? size - i : BASE64_BYTES, ret_text + len);
    ret_text[len] = '\0';
}

/* Whether it is the text of some bytes, and which. */
static bool read_all(const char *text, unsigned char ret_bytes[ROOM], size_t *ret_size)
{
    struct base64_reader reader = {0};
    size_t size = 0;
    for (; *text != '\0'; text++) {
        bool has_byte;
        unsigned char byte;
        if (!base64_take(&reader, (unsigned char)*text, &has_byte, &byte))
            return false;
        if (has_byte)
            ret_bytes[size++] = byte;
    }
    *ret_size = size;
    return base64_is_complete(&reader);
}

static void expect_both_ways(const void *bytes, size_t size, const char *text)
{
    char written[ROOM];
    unsigned char read[ROOM];
    size_t read_size = SIZE_MAX;
    write_all(bytes, size, written);
    assert_string_equal(written, text);
    assert_true(read_all(text, read, &read_size));
    assert_int_equal(read_size, size);
    assert_memory_equal(read, bytes, size);
}

static void published_examples_come_out_both_ways(void **state)
{
    (void)state;
    /* RFC 4648, section 10. */
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t size = 0; size < sizeof texts / sizeof texts[0]; size++)
        expect_both_ways("foobar", size, texts[size]);
}

static void all_letters_are_used_in_their_order(void **state)
{
    (void)state;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bytes[48];
    size_t size = 0;
    for (uint32_t value = 0; value < 64; value += 4) {
        uint32_t bits = value << 18 | (value + 1) << 12 | (value + 2) << 6 | (value + 3);
        bytes[size++] = (unsigned char)(bits >> 16);
        bytes[size++] = (unsigned char)(bits >> 8);
        bytes[size++] = (unsigned char)bits;
    }
    char written[ROOM + 1];
    unsigned char read[ROOM];
    size_t read_size = 0;
    for (size_t i = 0; i < size; i += BASE64_BYTES)
        base64_write(bytes + i, BASE64_BYTES, written + i / BASE64_BYTES * BASE64_LETTERS);
    assert_memory_equal(written, letters, sizeof letters - 1);
    assert_true(read_all(letters, read, &read_size));
    assert_int_equal(read_size, size);
    assert_memory_equal(read, bytes, size);
}

static void nothing_but_its_letters_is_taken(void **state)
{
    (void)state;
    unsigned taken = 0;
    for (unsigned letter = 0; letter <= UINT8_MAX; letter++) {
        struct base64_reader reader = {0};
        bool has_byte = true;
        unsigned char byte;
        taken += base64_take(&reader, (unsigned char)letter, &has_byte, &byte);
        assert_false(has_byte);
    }
    assert_int_equal(taken, 64);
}

static void text_that_no_bytes_make_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "=",    "Z===",  "Zg=",   "Zg",       "Zm8", "Zm9vY", /* cut short, or padded too early */
        "Zh==", "Zm9=",                                       /* padding that cuts off a bit */
        "Zg=g", "Zm9v=", "Zg===", "Zg==Zg==",                 /* something behind the end */
        "Zm-v", "Zm_v",  "Zm 9v",                             /* letters of other alphabets */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        unsigned char read[ROOM];
        size_t size;
        if (read_all(texts[i], read, &size))
            fail_msg("%s was taken", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_examples_come_out_both_ways),
        cmocka_unit_test(all_letters_are_used_in_their_order),
        cmocka_unit_test(nothing_but_its_letters_is_taken),
        cmocka_unit_test(text_that_no_bytes_make_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

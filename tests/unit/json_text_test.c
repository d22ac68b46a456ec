/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/json_text: whatever the bytes, the result stands within a JSON string, and it ends between
 * two characters where room ends. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"

enum {
    ROOM = 64,
    GUARD = 0x5a,
};

static void expect(const char *text, const char *expected)
{
    char bytes[ROOM];
    assert_int_equal(json_text(bytes, sizeof bytes, text), strlen(expected));
    assert_string_equal(bytes, expected);
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    expect("", "");
    expect(NULL, "");
    expect("a/b 'c' ~", "a/b 'c' ~");
    expect("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

static void quotes_and_backslashes_are_escaped(void **state)
{
    (void)state;
    expect("a\"b\\c", "a\\\"b\\\\c");
}

static void every_control_character_is_written_by_its_number(void **state)
{
    (void)state;
    for (unsigned code = 1; code < 0x80; code++) {
        char text[] = {(char)code, '\0'};
        char number[JSON_TEXT_GROWTH + 1];
        snprintf(number, sizeof number, "\\u%04x", code);
        if (code < ' ' || code == 0x7f)
            expect(text, number);
        else if (code != '"' && code != '\\')
            expect(text, text);
    }
}

static void each_byte_that_is_not_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    expect("a\xff", "a\\ufffd");
    expect("\x80z", "\\ufffdz");
    expect("\xc0\xaf", "\\ufffd\\ufffd");            /* overlong */
    expect("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* a surrogate */
    expect("\xe2\x82", "\\ufffd\\ufffd");            /* the text ends within it */
    expect("\xe2\x82(", "\\ufffd\\ufffd(");
}

/* Every room there can be: the longest run of whole characters that it holds, and nothing behind the NUL. */
static void what_does_not_fit_is_left_out_in_whole_characters(void **state)
{
    (void)state;
    static const char text[] = "a\"\x01\xe2\x82\xac\xffz";
    static const char whole[] = "a\\\"\\u0001\xe2\x82\xac\\ufffdz";
    static const size_t ends[] = {0, 1, 3, 9, 12, 18, 19};
    for (size_t size = 1; size <= sizeof whole; size++) {
        unsigned char bytes[ROOM];
        size_t len = 0;
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            len = ends[i] < size ? ends[i] : len;
        memset(bytes, GUARD, sizeof bytes);
        assert_int_equal(json_text((char *)bytes, size, text), len);
        assert_memory_equal(bytes, whole, len);
        assert_int_equal(bytes[len], '\0');
        for (size_t i = size; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], GUARD);
    }
}

static void no_byte_grows_more_than_the_constant_says(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte <= UINT8_MAX; byte++) {
        char text[] = {(char)byte, '\0'};
        char bytes[ROOM];
        assert_in_range(json_text(bytes, sizeof bytes, text), 1, JSON_TEXT_GROWTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(quotes_and_backslashes_are_escaped),
        cmocka_unit_test(every_control_character_is_written_by_its_number),
        cmocka_unit_test(each_byte_that_is_not_utf8_becomes_the_replacement_character),
        cmocka_unit_test(what_does_not_fit_is_left_out_in_whole_characters),
        cmocka_unit_test(no_byte_grows_more_than_the_constant_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

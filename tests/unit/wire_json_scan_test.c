/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/json_scan: each word of JSON is taken as RFC 8259 says, in pieces that are the text itself
 * where nothing is escaped, and what is wrong is told with its place. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/json_scan.h"

enum {
    ROOM = 64,
};

static troupe_json_error error;

static struct json_scan scan_of(const char *text)
{
    memset(&error, 0, sizeof error);
    return (struct json_scan){.text = (const unsigned char *)text, .size = strlen(text), .error = &error};
}

/* The rest of a string, its closing quote included, is these bytes. */
static void string_reads(const char *text, const char *expected)
{
    struct json_scan scan = scan_of(text);
    char bytes[ROOM] = {0};
    size_t size = 0;
    assert_int_equal(json_scan_string(&scan, bytes, sizeof bytes, &size), TROUPE_OK);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(bytes, expected, size);
    assert_int_equal(scan.at, scan.size);
}

static void string_fails(const char *text, size_t offset, const char *why)
{
    struct json_scan scan = scan_of(text);
    char bytes[ROOM];
    size_t size = 0;
    assert_int_equal(json_scan_string(&scan, bytes, sizeof bytes, &size), TROUPE_MALFORMED);
    assert_string_equal(error.text, why);
    assert_int_equal(error.offset, offset);
}

static void space_and_punctuation_are_taken_when_they_are_next(void **state)
{
    (void)state;
    struct json_scan scan = scan_of(" \t\r\n{\v}");
    assert_false(json_scan_take(&scan, '{'));
    json_scan_space(&scan);
    assert_int_equal(scan.at, 4);
    assert_false(json_scan_take(&scan, '}'));
    assert_true(json_scan_take(&scan, '{'));
    json_scan_space(&scan); /* a vertical tab is none */
    assert_int_equal(scan.at, 5);
    scan.at = scan.size;
    json_scan_space(&scan);
    assert_false(json_scan_take(&scan, '\0'));
    assert_int_equal(scan.at, scan.size);
}

static void unescaped_pieces_are_the_text_itself(void **state)
{
    (void)state;
    struct json_scan scan = scan_of("caf\xc3\xa9\\nx\" rest");
    struct json_piece piece;
    assert_int_equal(json_scan_piece(&scan, &piece), TROUPE_OK);
    assert_ptr_equal(piece.bytes, scan.text);
    assert_int_equal(piece.size, 5);
    assert_int_equal(json_scan_piece(&scan, &piece), TROUPE_OK);
    assert_ptr_equal(piece.bytes, piece.escaped);
    assert_int_equal(piece.size, 1);
    assert_int_equal(piece.escaped[0], '\n');
    assert_int_equal(json_scan_piece(&scan, &piece), TROUPE_OK);
    assert_ptr_equal(piece.bytes, scan.text + 7);
    assert_int_equal(piece.size, 1);
    assert_int_equal(json_scan_piece(&scan, &piece), TROUPE_END);
    assert_int_equal(scan.at, 9);
}

static void every_escape_has_its_meaning(void **state)
{
    (void)state;
    string_reads("\"", "");
    string_reads("\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    string_reads("\\u0041\\u00e9\\u20AC\\uFfFf\"", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf");
    string_reads("\\ud83d\\ude00\\uDBFF\\uDFFF\"", "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
    string_reads("\\udc80\\udcff\"", "\x80\xff"); /* bytes that are not UTF-8 */
}

static void string_that_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    string_fails("ab", 2, "the text ends inside a string");
    string_fails("ab\n\"", 2, "a control character in a string; it must be escaped");
    string_fails("ab\xc0\xaf\"", 2, "not UTF-8");
    string_fails("ab\xe2\x82", 2, "not UTF-8");
    string_fails("a\\x\"", 1, "a backslash that escapes nothing");
    string_fails("a\\", 1, "a backslash that escapes nothing");
    string_fails("a\\u12g4\"", 1, "expected four hexadecimal digits after \\u");
    string_fails("a\\u123", 1, "expected four hexadecimal digits after \\u");
    string_fails("\\udd00\"", 0, "a surrogate without the one before it");
    string_fails("\\ud800\"", 0, "a surrogate without the one after it");
    string_fails("\\ud800\\n\"", 0, "a surrogate without the one after it");
    string_fails("\\ud800\\udbff\"", 0, "a surrogate without the one after it");
    string_fails("\\ud800\\ue000\"", 0, "a surrogate without the one after it");
}

static void string_over_its_room_is_cut_and_its_size_told(void **state)
{
    (void)state;
    struct json_scan scan = scan_of("ab\\u20ac!\"");
    char bytes[ROOM] = {0};
    size_t size = 0;
    assert_int_equal(json_scan_string(&scan, bytes, 3, &size), TROUPE_OK);
    assert_int_equal(size, 6);
    assert_string_equal(bytes, "ab\xe2");
}

static void bare_words_are_taken_in_their_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } words[] = {
        {"0", 1},     {"-0", 2},    {"12,", 2},   {"-3.25e+10 ", 9}, {"1E-2]", 4}, {"7.0}", 3},
        {"true,", 4}, {"false", 5}, {"null]", 4}, {"", 0},           {"tru", 0},   {"+1", 0},
        {".5", 0},    {"True", 0},  {"\"", 0},    {"[", 0},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct json_scan scan = scan_of(words[i].text);
        size_t size = SIZE_MAX;
        assert_int_equal(json_scan_bare(&scan, &size), TROUPE_OK);
        assert_int_equal(size, words[i].size);
        assert_int_equal(scan.at, size);
    }
}

static void numbers_that_are_none_are_told_why(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } numbers[] = {
        {"-", "a minus sign without a number"},
        {"-x", "a minus sign without a number"},
        {"01", "a number that begins with a zero it does not need"},
        {"1.", "a decimal point without digits after it"},
        {"1.e5", "a decimal point without digits after it"},
        {"1e", "an exponent without digits"},
        {"1e+", "an exponent without digits"},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct json_scan scan = scan_of(numbers[i].text);
        size_t size;
        assert_int_equal(json_scan_bare(&scan, &size), TROUPE_MALFORMED);
        assert_string_equal(error.text, numbers[i].why);
        assert_int_equal(error.offset, 0);
    }
}

static void number_is_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    char text[TROUPE_JSON_NUMBER_LEN_MAX + 2];
    size_t size = 0;
    memset(text, '7', sizeof text);
    text[TROUPE_JSON_NUMBER_LEN_MAX] = '\0';
    struct json_scan scan = scan_of(text);
    assert_int_equal(json_scan_bare(&scan, &size), TROUPE_OK);
    assert_int_equal(size, TROUPE_JSON_NUMBER_LEN_MAX);
    text[TROUPE_JSON_NUMBER_LEN_MAX] = '7';
    text[TROUPE_JSON_NUMBER_LEN_MAX + 1] = '\0';
    scan = scan_of(text);
    assert_int_equal(json_scan_bare(&scan, &size), TROUPE_MALFORMED);
    assert_string_equal(error.text, "a number of too many characters");
}

static void nothing_is_read_beyond_the_text(void **state)
{
    (void)state;
    static const char text[] = "true12\\u0041\"";
    size_t size;
    struct json_piece piece;
    struct json_scan scan = {.text = (const unsigned char *)text, .size = 3};
    assert_int_equal(json_scan_bare(&scan, &size), TROUPE_OK);
    assert_int_equal(size, 0);
    scan = (struct json_scan){.text = (const unsigned char *)text, .size = 5, .at = 4};
    assert_int_equal(json_scan_bare(&scan, &size), TROUPE_OK);
    assert_int_equal(size, 1);
    scan = (struct json_scan){.text = (const unsigned char *)text, .size = 11, .at = 6};
    assert_int_equal(json_scan_piece(&scan, &piece), TROUPE_MALFORMED);
    scan = (struct json_scan){.text = (const unsigned char *)text, .size = 12, .at = 12};
    assert_false(json_scan_take(&scan, '"'));
}

static void failure_is_said_with_the_members_name_or_to_nobody(void **state)
{
    (void)state;
    char name[ROOM];
    struct json_scan scan = scan_of("");
    assert_int_equal(json_scan_fail(&scan, 7, TROUPE_TOO_LARGE, "times", "too many"), TROUPE_TOO_LARGE);
    assert_string_equal(error.text, "times: too many");
    assert_int_equal(error.offset, 7);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(json_scan_fail(&scan, 0, TROUPE_MALFORMED, name, "no"), TROUPE_MALFORMED);
    assert_string_equal(error.text, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: no");
    scan.error = NULL;
    assert_int_equal(json_scan_fail(&scan, 0, TROUPE_LIMIT, NULL, "unsaid"), TROUPE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(space_and_punctuation_are_taken_when_they_are_next),
        cmocka_unit_test(unescaped_pieces_are_the_text_itself),
        cmocka_unit_test(every_escape_has_its_meaning),
        cmocka_unit_test(string_that_is_wrong_is_told_with_its_place),
        cmocka_unit_test(string_over_its_room_is_cut_and_its_size_told),
        cmocka_unit_test(bare_words_are_taken_in_their_length),
        cmocka_unit_test(numbers_that_are_none_are_told_why),
        cmocka_unit_test(number_is_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(nothing_is_read_beyond_the_text),
        cmocka_unit_test(failure_is_said_with_the_members_name_or_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

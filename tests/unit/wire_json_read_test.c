/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/json_read: JSON texts as bodies. Two lists of texts say what is taken, and as what, and
 * what is refused, where and why; they follow the categories of the JSON test suite (Seriot, "Parsing JSON is
 * a minefield"), for a reader that knows which type it reads. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#include "property/wire_types.h"

#define HALF_F(F) F(f64, x) F(bool, yes)
TROUPE_MESSAGE(half, HALF_F)
#define PAIR(F) F(i32, n, 2)
TROUPE_MESSAGE(pair, PAIR)
#define WIDE(F) F(u64, u) F(i64, i) F(ref, to)
TROUPE_MESSAGE(wide, WIDE)

enum { TEXT_SIZE = 4096 };

/* Reads from and into blocks exactly as long as said, so that the address sanitizer sees a byte beyond. */
static troupe_status read_text(const troupe_type *type, const char *text, size_t text_size, size_t body_size,
                               void **ret_body, size_t *ret_size, troupe_json_error *error)
{
    char *copy = malloc(text_size == 0 ? 1 : text_size);
    char *body = malloc(body_size == 0 ? 1 : body_size);
    assert_non_null(copy);
    assert_non_null(body);
    memcpy(copy, text, text_size);
    memset(body, 0x5a, body_size);
    troupe_status status = troupe_flat_from_json(type, copy, text_size, body, body_size, ret_size, error);
    free(copy);
    if (status == TROUPE_OK)
        assert_int_equal(troupe_flat_check(type, body, *ret_size), TROUPE_OK);
    if (status == TROUPE_OK && ret_body != NULL)
        *ret_body = body;
    else
        free(body);
    return status;
}

struct accepted {
    const troupe_type *type;
    const char *text;
    const char *written; /* by troupe_flat_to_json */
};

static const struct accepted accepted[] = {
    /* objects and white space */
    {&tick_type, "{}", "{}"},
    {&tick_type, " \t\r\n{ \t\r\n} \t\r\n", "{}"},
    {&level_type, "{\"level\":7}", "{\"level\":7}"},
    {&level_type, " { \"level\" : 7 } ", "{\"level\":7}"},
    {&level_type, "{}", "{\"level\":0}"},
    {&level_type, "{\"\\u006cevel\":7}", "{\"level\":7}"},
    {&level_type, "{\"l\\u0065v\\u0065l\":7}", "{\"level\":7}"},
    {&half_type, "{\"yes\":true,\"x\":1}", "{\"x\":1,\"yes\":true}"},
    {&pair_type, "{\"n\":[1,-2]}", "{\"n\":[1,-2]}"},
    {&pair_type, "{\"n\" : [ 1 , -2 ] }", "{\"n\":[1,-2]}"},
    {&letter_type, "{}",
     "{\"subject\":\"\",\"times\":0,\"seal\":\"\",\"words\":\"\",\"bits\":[0,0],\"tail\":\"\"}"},
    {&letter_type,
     "{\"tail\":\"Zg==\",\"words\":\"w\",\"subject\":\"s\",\"bits\":[1,2],\"seal\":\"Zm8=\",\"times\":9}",
     "{\"subject\":\"s\",\"times\":9,\"seal\":\"Zm8=\",\"words\":\"w\",\"bits\":[1,2],\"tail\":\"Zg==\"}"},
    /* numbers */
    {&level_type, "{\"level\":0}", "{\"level\":0}"},
    {&level_type, "{\"level\":-0}", "{\"level\":0}"},
    {&level_type, "{\"level\":255}", "{\"level\":255}"},
    {&half_type, "{\"x\":-0}", "{\"x\":-0.0,\"yes\":false}"},
    {&half_type, "{\"x\":0.5}", "{\"x\":0.5,\"yes\":false}"},
    {&half_type, "{\"x\":20e1}", "{\"x\":200,\"yes\":false}"},
    {&half_type, "{\"x\":0e+1}", "{\"x\":0,\"yes\":false}"},
    {&half_type, "{\"x\":1E22}", "{\"x\":1e22,\"yes\":false}"},
    {&half_type, "{\"x\":1e-2}", "{\"x\":0.01,\"yes\":false}"},
    {&half_type, "{\"x\":123.456e78}", "{\"x\":1.23456e80,\"yes\":false}"},
    {&half_type, "{\"x\":1e-9999}", "{\"x\":0,\"yes\":false}"},
    {&half_type, "{\"x\":\"Infinity\"}", "{\"x\":\"Infinity\",\"yes\":false}"},
    {&half_type, "{\"x\":\"-Infinity\"}", "{\"x\":\"-Infinity\",\"yes\":false}"},
    {&half_type, "{\"x\":\"NaN\"}", "{\"x\":\"NaN\",\"yes\":false}"},
    {&half_type, "{\"x\":\"\\u004eaN\"}", "{\"x\":\"NaN\",\"yes\":false}"},
    {&wide_type, "{\"u\":18446744073709551615,\"i\":-9223372036854775808}",
     "{\"u\":\"18446744073709551615\",\"i\":\"-9223372036854775808\",\"to\":\"0000000000000000\"}"},
    {&wide_type, "{\"u\":\"7\",\"i\":\"-7\",\"to\":\"00000000000000AB\"}",
     "{\"u\":7,\"i\":-7,\"to\":\"00000000000000ab\"}"},
    /* strings */
    {&note_type, "{\"text\":\"\"}", "{\"text\":\"\"}"},
    {&note_type, "{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"text\":\"\\\"\\\\/\\b\\f\\n\\r\\t\"}"},
    {&note_type, "{\"text\":\"\\u00e9\\u20AC\"}", "{\"text\":\"\xc3\xa9\xe2\x82\xac\"}"},
    {&note_type, "{\"text\":\"\\ud83c\\udfad\"}", "{\"text\":\"\xf0\x9f\x8e\xad\"}"},
    {&note_type, "{\"text\":\"\\ud800\\udc80\"}", "{\"text\":\"\xf0\x90\x82\x80\"}"},
    {&note_type, "{\"text\":\"\\uDBFF\\uDFFF\"}", "{\"text\":\"\xf4\x8f\xbf\xbf\"}"},
    {&note_type, "{\"text\":\"\\ufffe\\uffff\"}", "{\"text\":\"\xef\xbf\xbe\xef\xbf\xbf\"}"},
    {&note_type, "{\"text\":\"\\udc80\\udcff\"}", "{\"text\":\"\\udc80\\udcff\"}"},
    {&note_type, "{\"text\":\"\\udcc3\\udca9\"}", "{\"text\":\"\xc3\xa9\"}"},
    {&note_type, "{\"text\":\"\x7f\xe2\x80\xa8\xef\xbb\xbf\"}",
     "{\"text\":\"\x7f\xe2\x80\xa8\xef\xbb\xbf\"}"},
    {&note_type, "{\"text\":\"/* no */ , } ] : [ {\"}", "{\"text\":\"/* no */ , } ] : [ {\"}"},
    {&blob_type, "{\"data\":\"AP8A\\/w==\"}", "{\"data\":\"AP8A/w==\"}"},
    {&blob_type, "{\"data\":\"\\u0041P8A\"}", "{\"data\":\"AP8A\"}"},
};

static void texts_of_the_type_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        const struct accepted *it = &accepted[i];
        troupe_json_error error = {.text = ""};
        void *body;
        size_t size;
        char written[TEXT_SIZE];
        size_t text_size = strlen(it->text);
        size_t enough = troupe_flat_from_json_size_max(it->type, text_size);
        if (read_text(it->type, it->text, text_size, enough, &body, &size, &error) != TROUPE_OK)
            fail_msg("%s at %zu: %s", it->text, error.offset, error.text);
        assert_int_equal(troupe_flat_to_json(it->type, body, size, written, sizeof written, &text_size),
                         TROUPE_OK);
        assert_string_equal(written, it->written);
        free(body);
    }
}

struct refused {
    const troupe_type *type;
    const char *text;
    size_t offset;
    const char *why;
};

#define EXPECTED_U8 "level: expected an integer from 0 to 255"
#define EXPECTED_F64 "x: expected a number in the range of f64, or \"NaN\" or \"Infinity\""
#define EXPECTED_REF "to: expected a string of 16 hexadecimal digits"
#define EXPECTED_BASE64 "data: expected a string in base64"
#define MISSING_LOW "a surrogate without the one after it"

static const struct refused refused[] = {
    /* structure */
    {&tick_type, "", 0, "expected '{'"},
    {&tick_type, " ", 1, "expected '{'"},
    {&tick_type, "\xef\xbb\xbf{}", 0, "expected '{'"},
    {&tick_type, "[]", 0, "expected '{'"},
    {&tick_type, "null", 0, "expected '{'"},
    {&tick_type, "\v{}", 0, "expected '{'"},
    {&tick_type, "// no\n{}", 0, "expected '{'"},
    {&tick_type, "{", 1, "expected the name of a member"},
    {&tick_type, "{/**/}", 1, "expected the name of a member"},
    {&tick_type, "{,}", 1, "expected the name of a member"},
    {&tick_type, "{}}", 2, "expected nothing after the object"},
    {&tick_type, "{} {}", 3, "expected nothing after the object"},
    {&tick_type, "{}\f", 2, "expected nothing after the object"},
    {&tick_type, "{}//", 2, "expected nothing after the object"},
    {&level_type, "{\"level\":7", 10, "expected ',' or '}'"},
    {&level_type, "{\"level\":7]", 10, "expected ',' or '}'"},
    {&level_type, "{\"level\":7 8}", 11, "expected ',' or '}'"},
    {&level_type, "{\"level\":7,}", 11, "expected the name of a member"},
    {&level_type, "{\"level\":7,,}", 11, "expected the name of a member"},
    {&level_type, "{,\"level\":7}", 1, "expected the name of a member"},
    {&level_type, "{level:7}", 1, "expected the name of a member"},
    {&level_type, "{'level':7}", 1, "expected the name of a member"},
    {&level_type, "{1:7}", 1, "expected the name of a member"},
    {&level_type, "{\"level\"}", 8, "level: expected ':'"},
    {&level_type, "{\"level\"=7}", 8, "level: expected ':'"},
    {&level_type, "{\"level\":}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":", 9, EXPECTED_U8},
    {&level_type, "{\"level", 7, "the text ends inside a string"},
    /* members */
    {&level_type, "{\"Level\":7}", 1, "level: there is no member of this name"},
    {&level_type, "{\"levels\":7}", 1, "level: there is no member of this name"},
    {&level_type, "{\"leve\":7}", 1, "level: there is no member of this name"},
    {&level_type, "{\"\":7}", 1, "level: there is no member of this name"},
    {&level_type, "{\"level\\u0000\":7}", 1, "level: there is no member of this name"},
    {&tick_type, "{\"nothing\":0}", 1, "tick: there is no member of this name"},
    {&level_type, "{\"level\":7,\"level\":7}", 11, "level: here for the second time"},
    {&level_type, "{\"level\":7,\"\\u006cevel\":7}", 11, "level: here for the second time"},
    /* integers */
    {&level_type, "{\"level\":256}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":-1}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":1.0}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":1e1}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":\"7\"}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":null}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":true}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":[7]}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":{}}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":+7}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":.7}", 9, EXPECTED_U8},
    {&level_type, "{\"level\":07}", 9, "a number that begins with a zero it does not need"},
    {&level_type, "{\"level\":-07}", 9, "a number that begins with a zero it does not need"},
    {&level_type, "{\"level\":-}", 9, "a minus sign without a number"},
    {&level_type, "{\"level\":- 7}", 9, "a minus sign without a number"},
    {&level_type, "{\"level\":0x7}", 10, "expected ',' or '}'"},
    {&level_type, "{\"level\":7_0}", 10, "expected ',' or '}'"},
    {&wide_type, "{\"u\":18446744073709551616}", 5,
     "u: expected an integer from 0 to 18446744073709551615, or a string of one"},
    {&wide_type, "{\"u\":\"1.0\"}", 5,
     "u: expected an integer from 0 to 18446744073709551615, or a string of one"},
    {&wide_type, "{\"u\":\"00000000000000000000000000000000001\"}", 5,
     "u: expected an integer from 0 to 18446744073709551615, or a string of one"},
    {&wide_type, "{\"i\":9223372036854775808}", 5,
     "i: expected an integer from -2^63 to 2^63 - 1, or a string of one"},
    /* floats */
    {&half_type, "{\"x\":1.}", 5, "a decimal point without digits after it"},
    {&half_type, "{\"x\":1.e1}", 5, "a decimal point without digits after it"},
    {&half_type, "{\"x\":1e}", 5, "an exponent without digits"},
    {&half_type, "{\"x\":1e+}", 5, "an exponent without digits"},
    {&half_type, "{\"x\":1e+-1}", 5, "an exponent without digits"},
    {&half_type, "{\"x\":1e309}", 5, EXPECTED_F64},
    {&half_type, "{\"x\":NaN}", 5, EXPECTED_F64},
    {&half_type, "{\"x\":Infinity}", 5, EXPECTED_F64},
    {&half_type, "{\"x\":-Infinity}", 5, "a minus sign without a number"},
    {&half_type, "{\"x\":\"1\"}", 5, EXPECTED_F64},
    {&half_type, "{\"x\":1,5}", 7, "expected the name of a member"},
    /* bools, refs */
    {&half_type, "{\"yes\":1}", 7, "yes: expected true or false"},
    {&half_type, "{\"yes\":\"true\"}", 7, "yes: expected true or false"},
    {&half_type, "{\"yes\":True}", 7, "yes: expected true or false"},
    {&half_type, "{\"yes\":tru}", 7, "yes: expected true or false"},
    {&half_type, "{\"yes\":truee}", 11, "expected ',' or '}'"},
    {&wide_type, "{\"to\":7}", 6, EXPECTED_REF},
    {&wide_type, "{\"to\":\"000000000000000\"}", 6, EXPECTED_REF},
    {&wide_type, "{\"to\":\"00000000000000000\"}", 6, EXPECTED_REF},
    {&wide_type, "{\"to\":\"0x00000000000000\"}", 6, EXPECTED_REF},
    /* arrays */
    {&pair_type, "{\"n\":1}", 5, "n: expected an array"},
    {&pair_type, "{\"n\":[]}", 6, "n: an array of too few elements"},
    {&pair_type, "{\"n\":[1]}", 7, "n: an array of too few elements"},
    {&pair_type, "{\"n\":[1,2,3]}", 9, "n: an array of too many elements"},
    {&pair_type, "{\"n\":[1,2,]}", 9, "n: an array of too many elements"},
    {&pair_type, "{\"n\":[1,]}", 8, "n: expected an integer from -2147483648 to 2147483647"},
    {&pair_type, "{\"n\":[1 2]}", 8, "n: expected ',' or ']'"},
    {&pair_type, "{\"n\":[1,2}", 9, "n: expected ',' or ']'"},
    {&pair_type, "{\"n\":[[[[[[[[", 6, "n: expected an integer from -2147483648 to 2147483647"},
    /* strings */
    {&note_type, "{\"text\":7}", 8, "text: expected a string"},
    {&note_type, "{\"text\":null}", 8, "text: expected a string"},
    {&note_type, "{\"text\":'a'}", 8, "text: expected a string"},
    {&note_type, "{\"text\":\"a}", 11, "the text ends inside a string"},
    {&note_type, "{\"text\":\"a\\", 10, "a backslash that escapes nothing"},
    {&note_type, "{\"text\":\"\\x41\"}", 9, "a backslash that escapes nothing"},
    {&note_type, "{\"text\":\"\\'\"}", 9, "a backslash that escapes nothing"},
    {&note_type, "{\"text\":\"\\U0041\"}", 9, "a backslash that escapes nothing"},
    {&note_type, "{\"text\":\"\\\xc3\xa9\"}", 9, "a backslash that escapes nothing"},
    {&note_type, "{\"text\":\"\\u004\"}", 9, "expected four hexadecimal digits after \\u"},
    {&note_type, "{\"text\":\"\\u00g0\"}", 9, "expected four hexadecimal digits after \\u"},
    {&note_type, "{\"text\":\"\\u00", 9, "expected four hexadecimal digits after \\u"},
    {&note_type, "{\"text\":\"a\tb\"}", 10, "a control character in a string; it must be escaped"},
    {&note_type, "{\"text\":\"a\nb\"}", 10, "a control character in a string; it must be escaped"},
    {&note_type, "{\"text\":\"a\x1f\"}", 10, "a control character in a string; it must be escaped"},
    {&note_type, "{\"text\":\"a\\u0000b\"}", 8, "text: a text cannot hold a NUL"},
    {&note_type, "{\"text\":\"\\ud83c\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\ud83cx\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\ud83c\\n\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\ud83c\\ud83c\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\ud83c\\u0041\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\ud83c\\ue000\"}", 9, MISSING_LOW},
    {&note_type, "{\"text\":\"\\udc7f\"}", 9, "a surrogate without the one before it"},
    {&note_type, "{\"text\":\"\\udd00\"}", 9, "a surrogate without the one before it"},
    {&note_type, "{\"text\":\"\\udfff\"}", 9, "a surrogate without the one before it"},
    {&note_type, "{\"text\":\"ab\xff\"}", 11, "not UTF-8"},
    {&note_type, "{\"text\":\"\x80\"}", 9, "not UTF-8"},
    {&note_type, "{\"text\":\"\xc0\xaf\"}", 9, "not UTF-8"},
    {&note_type, "{\"text\":\"\xe0\x80\xaf\"}", 9, "not UTF-8"},
    {&note_type, "{\"text\":\"\xed\xa0\x80\"}", 9, "not UTF-8"},
    {&note_type, "{\"text\":\"\xf4\x90\x80\x80\"}", 9, "not UTF-8"},
    {&note_type, "{\"text\":\"\xe2\x82", 9, "not UTF-8"},
    {&note_type, "{\"te\xffxt\":\"\"}", 4, "not UTF-8"},
    {&blob_type, "{\"data\":\"Zg=\"}", 8, EXPECTED_BASE64},
    {&blob_type, "{\"data\":\"Zg\"}", 8, EXPECTED_BASE64},
    {&blob_type, "{\"data\":\"Zm 9v\"}", 8, EXPECTED_BASE64},
    {&blob_type, "{\"data\":\"Zm9-\"}", 8, EXPECTED_BASE64},
    {&blob_type, "{\"data\":[1,2]}", 8, EXPECTED_BASE64},
};

static void texts_of_another_form_are_refused_where_they_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct refused *it = &refused[i];
        troupe_json_error error = {.offset = SIZE_MAX, .text = "accepted"};
        size_t size = 99;
        size_t text_size = strlen(it->text);
        size_t enough = troupe_flat_from_json_size_max(it->type, text_size);
        troupe_status status = read_text(it->type, it->text, text_size, enough, NULL, &size, &error);
        if (status != TROUPE_MALFORMED || error.offset != it->offset || strcmp(error.text, it->why) != 0)
            fail_msg("%s: status %d at %zu: %s", it->text, status, error.offset, error.text);
        assert_int_equal(size, 99);
        assert_int_equal(read_text(it->type, it->text, text_size, enough, NULL, &size, NULL),
                         TROUPE_MALFORMED);
    }
}

static void nul_in_the_text_is_refused_wherever_it_is(void **state)
{
    (void)state;
    static const char whole[] = "{ \"text\" : \"ab\\n\" }";
    size_t text_size = sizeof whole - 1;
    for (size_t i = 0; i <= text_size; i++) {
        char text[sizeof whole];
        memcpy(text, whole, i);
        text[i] = '\0';
        memcpy(text + i + 1, whole + i, text_size - i);
        troupe_json_error error;
        size_t size;
        assert_int_equal(read_text(&note_type, text, sizeof text, 64, NULL, &size, &error), TROUPE_MALFORMED);
        assert_in_range(error.offset, 0, i);
    }
}

static void text_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"tail\":\"Zg==\",\"subject\":\"\\ud83c\\udfad\xc3\xa9\",\"bits\":[1,2],\"times\":9}";
    for (size_t cut = 0; cut + 1 < sizeof whole; cut++) {
        troupe_json_error error;
        size_t size;
        assert_int_equal(read_text(&letter_type, whole, cut, 256, NULL, &size, &error), TROUPE_MALFORMED);
        assert_in_range(error.offset, 0, cut);
    }
}

static void body_of_the_size_is_enough_and_one_byte_less_is_not(void **state)
{
    (void)state;
    static const char text[] = "{\"words\":\"ab\\u00e9\",\"seal\":\"Zm9v\"}";
    enum { NEEDED = sizeof(letter) + 1 + 3 + 5 };
    troupe_json_error error;
    size_t size;
    assert_int_equal(read_text(&letter_type, text, sizeof text - 1, NEEDED, NULL, &size, &error), TROUPE_OK);
    assert_int_equal(size, NEEDED);
    for (size_t room = 0; room < NEEDED; room++) {
        size = 99;
        assert_int_equal(read_text(&letter_type, text, sizeof text - 1, room, NULL, &size, &error),
                         TROUPE_TOO_LARGE);
        assert_non_null(strstr(error.text, "no room for the body"));
        assert_int_equal(size, 99);
    }
    assert_true(troupe_flat_from_json_size_max(&letter_type, sizeof text - 1) >= NEEDED);
    assert_int_equal(troupe_flat_from_json_size_max(&letter_type, SIZE_MAX / 2), TROUPE_BODY_SIZE_MAX);
}

static void body_read_equals_the_one_written_from_the_same_fields(void **state)
{
    (void)state;
    static const char text[] = "{\"tail\":\"Zg==\",\"words\":\"w\\u0021\",\"subject\":\"s\",\"times\":9}";
    const letter_fields *fields =
        TROUPE_FIELDS(letter, .subject = "s", .times = 9, .words = "w!", .tail = {"f", 1});
    uint64_t expected[16];
    size_t expected_size = troupe_flat_size(&letter_type, fields);
    assert_true(expected_size <= sizeof expected);
    troupe_flat_write(&letter_type, fields, expected, expected_size);
    void *body;
    size_t size;
    assert_int_equal(read_text(&letter_type, text, sizeof text - 1, sizeof expected, &body, &size, NULL),
                     TROUPE_OK);
    assert_int_equal(size, expected_size);
    assert_memory_equal(body, expected, size);
    free(body);
}

static void number_at_the_limit_is_read_and_one_longer_is_refused(void **state)
{
    (void)state;
    char text[TROUPE_JSON_NUMBER_LEN_MAX + 16];
    size_t size;
    for (size_t more = 0; more < 2; more++) {
        size_t len = TROUPE_JSON_NUMBER_LEN_MAX + more;
        memcpy(text, "{\"x\":", 5);
        memset(text + 5, '1', len);
        memcpy(text + 5 + 1, ".", 1);
        text[5 + len] = '}';
        troupe_json_error error;
        troupe_status status = read_text(&half_type, text, 5 + len + 1, sizeof(half), NULL, &size, &error);
        assert_int_equal(status, more == 0 ? TROUPE_OK : TROUPE_MALFORMED);
        if (more > 0)
            assert_string_equal(error.text, "a number of too many characters");
    }
}

static void text_at_the_limit_is_read_and_one_byte_longer_is_refused(void **state)
{
    (void)state;
    char *text = malloc(TROUPE_JSON_SIZE_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', TROUPE_JSON_SIZE_MAX + 1);
    memcpy(text, "{}", 2);
    troupe_json_error error;
    size_t size;
    char body[1];
    assert_int_equal(troupe_flat_from_json(&tick_type, text, TROUPE_JSON_SIZE_MAX, body, 0, &size, &error),
                     TROUPE_OK);
    assert_int_equal(
        troupe_flat_from_json(&tick_type, text, TROUPE_JSON_SIZE_MAX + 1, body, 0, &size, &error),
        TROUPE_TOO_LARGE);
    assert_string_equal(error.text, "tick: the text is too long");
    free(text);
}

static void body_at_the_limit_is_read_and_one_byte_larger_is_refused(void **state)
{
    (void)state;
    size_t len = TROUPE_BODY_SIZE_MAX - sizeof(note) - 1;
    char *text = malloc(len + 16);
    void *body = malloc(TROUPE_BODY_SIZE_MAX + 16);
    assert_non_null(text);
    assert_non_null(body);
    memset(text, 'x', len + 16);
    memcpy(text, "{\"text\":\"", 9);
    memcpy(text + 9 + len, "\"}", 2);
    size_t size;
    troupe_json_error error;
    assert_int_equal(
        troupe_flat_from_json(&note_type, text, len + 11, body, TROUPE_BODY_SIZE_MAX + 16, &size, &error),
        TROUPE_OK);
    assert_int_equal(size, TROUPE_BODY_SIZE_MAX);
    memcpy(text + 9 + len, "x\"}", 3);
    assert_int_equal(
        troupe_flat_from_json(&note_type, text, len + 12, body, TROUPE_BODY_SIZE_MAX + 16, &size, &error),
        TROUPE_TOO_LARGE);
    assert_string_equal(error.text, "text: the body is over the largest there is");
    assert_int_equal(error.offset, 8);
    free(text);
    free(body);
}

/*
 * A type made by hand, of as many fields as are allowed, each u8 and named by four letters; they come last
 * first.
 */
static void fields_at_the_limit_are_read_and_one_more_is_refused(void **state)
{
    (void)state;
    enum { MOST = TROUPE_JSON_FIELD_COUNT_MAX, NAME_SIZE = 5, MEMBER_SIZE = 9 };
    static troupe_field fields[MOST + 1];
    static char names[MOST + 1][NAME_SIZE];
    static char text[MOST * MEMBER_SIZE + 2];
    for (uint32_t i = 0; i <= MOST; i++) {
        snprintf(names[i], NAME_SIZE, "%04u", i);
        fields[i] = (troupe_field){.name = names[i], .kind = TROUPE_FIELD_u8, .count = 1, .offset = i};
    }
    troupe_type type = {
        .name = "many", .version = 1, .is_fixed = true, .size = MOST, .field_count = MOST, .fields = fields};
    size_t len = 0;
    for (uint32_t i = MOST; i-- > 0;)
        len += (size_t)snprintf(text + len, sizeof text - len, "%c\"%s\":%u", len == 0 ? '{' : ',', names[i],
                                i % 10);
    text[len++] = '}';
    void *body;
    size_t size;
    troupe_json_error error;
    assert_int_equal(read_text(&type, text, len, MOST, &body, &size, &error), TROUPE_OK);
    for (uint32_t i = 0; i < MOST; i++)
        assert_int_equal(((const uint8_t *)body)[i], i % 10);
    free(body);
    type.size = type.field_count = MOST + 1;
    assert_int_equal(read_text(&type, text, len, MOST + 1, NULL, &size, &error), TROUPE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_the_type_are_accepted),
        cmocka_unit_test(texts_of_another_form_are_refused_where_they_differ),
        cmocka_unit_test(nul_in_the_text_is_refused_wherever_it_is),
        cmocka_unit_test(text_cut_short_anywhere_is_refused),
        cmocka_unit_test(body_of_the_size_is_enough_and_one_byte_less_is_not),
        cmocka_unit_test(body_read_equals_the_one_written_from_the_same_fields),
        cmocka_unit_test(number_at_the_limit_is_read_and_one_longer_is_refused),
        cmocka_unit_test(text_at_the_limit_is_read_and_one_byte_longer_is_refused),
        cmocka_unit_test(body_at_the_limit_is_read_and_one_byte_larger_is_refused),
        cmocka_unit_test(fields_at_the_limit_are_read_and_one_more_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

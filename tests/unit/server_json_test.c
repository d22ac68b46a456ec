/* SPDX-License-Identifier: MIT */
/*
 * server_json_test.c: what is read from others is read strictly, and every error names the member; what is
 * written is valid whatever the texts are. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json.h"
#include "server/json_writer.h"

/* What one take of each kind made of a document. */
struct taken {
    const char *text;
    int64_t number;
    bool flag;
    unsigned choice;
    const json_t *array;
};

static json_t *document;

static struct problem take_all(const char *json, struct taken *taken)
{
    static const char *const classes[] = {"urgent", "normal", "bulk"};
    struct problem problem = {0};
    json_decref(document);
    document = json_parse(json, strlen(json), &problem);
    struct json_reader in = json_reader_of(document, "", &problem);
    json_take_text(&in, "text", JSON_REQUIRED, 1, 5, &taken->text);
    json_take_number(&in, "number", JSON_OPTIONAL, 0, 100, &taken->number);
    json_take_flag(&in, "flag", JSON_OPTIONAL, &taken->flag);
    json_take_choice(&in, "class", JSON_OPTIONAL, classes, 3, &taken->choice);
    json_take_array(&in, "array", JSON_OPTIONAL, 2, &taken->array);
    bool is_good = json_reader_end(&in);
    assert_int_equal(is_good, problem.kind == PROBLEM_NONE);
    return problem;
}

static void expect_problem(const char *json, enum problem_kind kind, const char *detail)
{
    struct taken taken = {0};
    struct problem problem = take_all(json, &taken);
    assert_int_equal(problem.kind, kind);
    assert_string_equal(problem.detail, detail);
}

static void members_of_every_kind_are_taken(void **state)
{
    (void)state;
    struct taken taken = {0};
    struct problem problem = take_all(
        "{\"text\":\"hello\",\"number\":100,\"flag\":true,\"class\":\"bulk\",\"array\":[1,2]}", &taken);
    assert_int_equal(problem.kind, PROBLEM_NONE);
    assert_string_equal(taken.text, "hello");
    assert_int_equal(taken.number, 100);
    assert_true(taken.flag);
    assert_int_equal(taken.choice, 2);
    assert_int_equal(json_array_size(taken.array), 2);
}

static void optional_members_may_be_absent_or_null(void **state)
{
    (void)state;
    struct taken taken = {.number = 7, .choice = 1};
    struct problem problem = take_all("{\"text\":\"a\",\"number\":null,\"class\":null}", &taken);
    assert_int_equal(problem.kind, PROBLEM_NONE);
    assert_int_equal(taken.number, 7);
    assert_int_equal(taken.choice, 1);
}

static void the_first_error_names_its_member(void **state)
{
    (void)state;
    expect_problem("{}", PROBLEM_MALFORMED, "\"text\" is missing");
    expect_problem("{\"text\":null}", PROBLEM_MALFORMED, "\"text\" is missing");
    expect_problem("{\"text\":5}", PROBLEM_MALFORMED, "\"text\" must be a text");
    expect_problem("{\"text\":\"\"}", PROBLEM_MALFORMED, "\"text\" must be a text that is not empty");
    expect_problem("{\"text\":\"123456\"}", PROBLEM_TOO_LARGE, "\"text\" has 6 bytes; 5 are the most");
    expect_problem("{\"text\":\"a\",\"number\":101}", PROBLEM_MALFORMED,
                   "\"number\" must be a whole number from 0 to 100");
    expect_problem("{\"text\":\"a\",\"number\":1.0}", PROBLEM_MALFORMED,
                   "\"number\" must be a whole number from 0 to 100");
    expect_problem("{\"text\":\"a\",\"flag\":1}", PROBLEM_MALFORMED, "\"flag\" must be true or false");
    expect_problem("{\"text\":\"a\",\"class\":\"Bulk\"}", PROBLEM_MALFORMED,
                   "\"class\" must be one of urgent, normal, bulk");
    expect_problem("{\"text\":\"a\",\"array\":[1,2,3]}", PROBLEM_TOO_LARGE,
                   "\"array\" has 3 elements; 2 are the most");
    expect_problem("{\"text\":\"a\",\"array\":{}}", PROBLEM_MALFORMED, "\"array\" must be an array");
}

static void a_member_nobody_asked_for_is_refused(void **state)
{
    (void)state;
    expect_problem("{\"text\":\"a\",\"dedline\":5}", PROBLEM_MALFORMED,
                   "\"dedline\" is not a member that is known here");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    expect_problem("[]", PROBLEM_MALFORMED, "the body must be a JSON object");
    expect_problem("[1]", PROBLEM_MALFORMED, "the body must be a JSON object");
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const broken[] = {"{",
                                         "{\"text\":\"a\"} x",
                                         "{\"text\":\"\xFF\"}",
                                         "{\"text\":\"a\\u0000\"}",
                                         "{\"text\":\"a\",\"text\":\"b\"}",
                                         "\"text\"",
                                         "5"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct problem problem = {0};
        assert_null(json_parse(broken[i], strlen(broken[i]), &problem));
        assert_int_equal(problem.kind, PROBLEM_MALFORMED);
        assert_non_null(strstr(problem.detail, "line 1"));
    }
    struct problem problem = {0};
    assert_null(json_parse("", 0, &problem));
    assert_string_equal(problem.detail, "the request has no body; a JSON object is expected");
}

static void a_detail_is_cut_between_characters(void **state)
{
    (void)state;
    char text[2 * PROBLEM_DETAIL_MAX];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_CONFLICT, "%s", text);
    assert_int_equal(strlen(problem.detail), PROBLEM_DETAIL_MAX - 1);
    problem_set(&problem, PROBLEM_CONFLICT, "x%s", text);
    assert_int_equal(strlen(problem.detail), PROBLEM_DETAIL_MAX);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void expect_text(const char *text, size_t size, const char *expected)
{
    struct buffer buffer = {0};
    struct json_writer out = json_writer_to(&buffer);
    json_put_text_sized(&out, NULL, text, size);
    assert_int_equal(json_writer_end(&out), TROUPE_OK);
    assert_int_equal(buffer.size, strlen(expected));
    assert_memory_equal(buffer.bytes, expected, buffer.size);
    buffer_done(&buffer);
}

static void what_is_written_nests_and_separates(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    struct json_writer out = json_writer_to(&buffer);
    json_open(&out, NULL, '{');
    json_put_text(&out, "a", "x");
    json_put_text(&out, "b", NULL);
    json_open(&out, "c", '[');
    json_put_number(&out, NULL, INT64_MIN);
    json_open(&out, NULL, '{');
    json_close(&out, '}');
    json_put_flag(&out, NULL, true);
    json_put_raw(&out, NULL, "[1]", 3);
    json_close(&out, ']');
    json_put_flag(&out, "d", false);
    json_close(&out, '}');
    assert_int_equal(json_writer_end(&out), TROUPE_OK);
    static const char expected[] =
        "{\"a\":\"x\",\"b\":null,\"c\":[-9223372036854775808,{},true,[1]],\"d\":false}";
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.bytes, expected, buffer.size);
    buffer_done(&buffer);
}

static void texts_are_escaped_and_made_valid(void **state)
{
    (void)state;
    expect_text("a\"b\\c\n\r\t\x01\x7F", 10, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\"");
    expect_text("</script>", 9, "\"\\u003c/script>\"");
    expect_text("\xE2\x80\xA8", 3, "\"\\u2028\"");
    expect_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xAD", 9, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xAD\"");
    expect_text("a\xFF"
                "b",
                3,
                "\"a\xEF\xBF\xBD"
                "b\"");
    expect_text("\xC3", 1, "\"\xEF\xBF\xBD\"");
}

/* jansson, which checks what it reads, is the judge: every pair and every triple that begins like UTF-8. */
static void any_bytes_become_json_that_a_strict_parser_takes(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            char bytes[4] = {(char)first, (char)second, (char)(0x80 | (second & 0x3F)),
                             (char)(first ^ second)};
            buffer_clear(&buffer);
            struct json_writer out = json_writer_to(&buffer);
            json_open(&out, NULL, '[');
            json_put_text_sized(&out, NULL, bytes, first % 4 + 1);
            json_close(&out, ']');
            assert_int_equal(json_writer_end(&out), TROUPE_OK);
            json_t *value = json_loadb((const char *)buffer.bytes, buffer.size, JSON_ALLOW_NUL, NULL);
            assert_non_null(value);
            json_decref(value);
        }
    }
    buffer_done(&buffer);
}

/* Texts are gone through eight bytes at a time: what is special is so at every place of the eight. */
static void a_byte_is_seen_wherever_it_stands(void **state)
{
    (void)state;
    enum { LEN = 19 };
    struct buffer buffer = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < LEN; place++) {
            char text[LEN];
            memset(text, 'a', LEN);
            text[place] = (char)byte;
            buffer_clear(&buffer);
            struct json_writer out = json_writer_to(&buffer);
            json_open(&out, NULL, '[');
            json_put_text_sized(&out, NULL, text, LEN);
            json_close(&out, ']');
            assert_int_equal(json_writer_end(&out), TROUPE_OK);
            assert_null(memchr(buffer.bytes, '<', buffer.size));
            assert_null(memchr(buffer.bytes, 0x7F, buffer.size));
            json_t *list = json_loadb((const char *)buffer.bytes, buffer.size, JSON_ALLOW_NUL, NULL);
            assert_non_null(list);
            const json_t *read = json_array_get(list, 0);
            assert_int_equal(json_string_length(read), byte < 0x80 ? LEN : LEN - 1 + strlen("\xEF\xBF\xBD"));
            if (byte < 0x80)
                assert_memory_equal(json_string_value(read), text, LEN);
            else
                assert_memory_equal(json_string_value(read) + place, "\xEF\xBF\xBD", 3);
            json_decref(list);
        }
    }
    buffer_done(&buffer);
}

static void numbers_are_written_to_their_ends(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 9, 10, -1, -10, 1767225600000, INT64_MAX, INT64_MIN + 1};
    struct buffer buffer = {0};
    struct json_writer out = json_writer_to(&buffer);
    json_open(&out, NULL, '[');
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_put_number(&out, NULL, numbers[i]);
    json_close(&out, ']');
    assert_int_equal(json_writer_end(&out), TROUPE_OK);
    static const char expected[] = "[0,9,10,-1,-10,1767225600000,9223372036854775807,-9223372036854775807]";
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.bytes, expected, buffer.size);
    buffer_done(&buffer);
}

/* At each power of ten a digit comes in. */
static void numbers_of_every_length_are_as_printf_has_them(void **state)
{
    (void)state;
    for (uint64_t power = 1, i = 0; i < 19; i++, power *= 10) {
        for (int64_t off = -1; off <= 1; off++) {
            for (int64_t sign = -1; sign <= 1; sign += 2) {
                struct buffer buffer = {0};
                struct json_writer out = json_writer_to(&buffer);
                char expected[32];
                int64_t number = sign * ((int64_t)power + off);
                json_put_number(&out, NULL, number);
                assert_int_equal(json_writer_end(&out), TROUPE_OK);
                assert_int_equal(buffer.size, snprintf(expected, sizeof expected, "%" PRId64, number));
                assert_memory_equal(buffer.bytes, expected, buffer.size);
                buffer_done(&buffer);
            }
        }
    }
}

static void names_and_words_stand_as_they_are(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    struct json_writer out = json_writer_to(&buffer);
    json_open(&out, NULL, '{');
    json_put_word(&out, "", "", 0);
    json_put_word(&out, "a name that is longer than sixteen bytes and than thirty-two", "queued", 6);
    json_put_text(&out, "t", "");
    json_close(&out, '}');
    assert_int_equal(json_writer_end(&out), TROUPE_OK);
    static const char expected[] =
        "{\"\":\"\",\"a name that is longer than sixteen bytes and than thirty-two\":\"queued\",\"t\":\"\"}";
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.bytes, expected, buffer.size);
    buffer_done(&buffer);
}

static int forget_document(void **state)
{
    (void)state;
    json_decref(document);
    document = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_every_kind_are_taken),
        cmocka_unit_test(optional_members_may_be_absent_or_null),
        cmocka_unit_test(the_first_error_names_its_member),
        cmocka_unit_test(a_member_nobody_asked_for_is_refused),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(a_detail_is_cut_between_characters),
        cmocka_unit_test(what_is_written_nests_and_separates),
        cmocka_unit_test(texts_are_escaped_and_made_valid),
        cmocka_unit_test(any_bytes_become_json_that_a_strict_parser_takes),
        cmocka_unit_test(a_byte_is_seen_wherever_it_stands),
        cmocka_unit_test(numbers_are_written_to_their_ends),
        cmocka_unit_test(numbers_of_every_length_are_as_printf_has_them),
        cmocka_unit_test(names_and_words_stand_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, forget_document);
}

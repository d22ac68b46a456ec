/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/trace: bodies as one line for people. One thread.
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

#include "base/utf8.h"
#include "property/wire_types.h"

static void trace_into(const troupe_type *type, const void *fields, char *line, size_t line_size)
{
    size_t size = troupe_flat_size(type, fields);
    uint64_t *body = calloc(1, size + sizeof(uint64_t));
    assert_non_null(body);
    troupe_flat_write(type, fields, body, size);
    size_t len = troupe_flat_to_trace(type, body, size, line, line_size);
    assert_int_equal(len, strlen(line));
    free(body);
}

static void assert_trace(const troupe_type *type, const void *fields, const char *expected)
{
    char line[TROUPE_TRACE_LEN_MAX + 1];
    trace_into(type, fields, line, sizeof line);
    assert_string_equal(line, expected);
}

static void line_has_the_type_and_each_field(void **state)
{
    (void)state;
    assert_trace(&tick_type, TROUPE_FIELDS(tick, .envelope = {0}), "tick");
    assert_trace(
        &letter_type,
        TROUPE_FIELDS(letter, .subject = "caf\xc3\xa9", .times = 3, .seal = {"\x00\xff", 2}, .bits = {1, 2}),
        "letter subject=\"caf\xc3\xa9\" times=3 seal=<2: 00ff> words=\"\" bits=[1 2] tail=<0>");
    assert_trace(
        &scalars_type, TROUPE_FIELDS(scalars, .b = UINT64_MAX, .f = true, .g = 1e-7, .i = {0xabc}, .l = -1),
        "scalars a=0 b=18446744073709551615 c=0 d=0 e=0 f=true g=1e-7 h=0 i=0000000000000abc j=0 k=0 l=-1");
}

static void text_cannot_leave_its_line_or_its_quotes(void **state)
{
    (void)state;
    assert_trace(&note_type, TROUPE_FIELDS(note, .text = "a\"\\\n\t\r\x1b[0m\x7f\xff"),
                 "note text=\"a\\\"\\\\\\n\\t\\u000d\\u001b[0m\\u007f\\xff\"");
    /* U+0085, U+2028, U+202E and U+2066; the euro sign stays. */
    assert_trace(&note_type,
                 TROUPE_FIELDS(note, .text = "\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xe2\x82\xac"),
                 "note text=\"\\u0085\\u2028\\u202e\\u2066\xe2\x82\xac\"");
}

static void long_text_ends_in_dots_behind_its_quote(void **state)
{
    (void)state;
    assert_trace(&note_type, TROUPE_FIELDS(note, .text = "0123456789012345678901234567890123456789"),
                 "note text=\"0123456789012345678901234567890123456789\"");
    assert_trace(&note_type, TROUPE_FIELDS(note, .text = "01234567890123456789012345678901234567890"),
                 "note text=\"0123456789012345678901234567890123456789\"...");
    /* The limit falls inside a character. */
    assert_trace(&note_type,
                 TROUPE_FIELDS(note, .text = "01234567890123456789012345678901234567\xe2\x82\xac"),
                 "note text=\"01234567890123456789012345678901234567\"...");
    _Static_assert(TROUPE_TRACE_TEXT_LEN_MAX == 40, "the texts above");
}

static void long_bytes_and_arrays_end_in_dots(void **state)
{
    (void)state;
    _Static_assert(TROUPE_TRACE_BYTES_LEN_MAX == 16 && TROUPE_TRACE_ELEMENT_COUNT_MAX == 8,
                   "the values below");
    assert_trace(&blob_type, TROUPE_FIELDS(blob, .data = {"0123456789abcdef", 16}),
                 "blob data=<16: 30313233343536373839616263646566>");
    assert_trace(&blob_type, TROUPE_FIELDS(blob, .data = {"0123456789abcdefg", 17}),
                 "blob data=<17: 30313233343536373839616263646566...>");
    char line[TROUPE_TRACE_LEN_MAX + 1];
    trace_into(&arrays_type, TROUPE_FIELDS(arrays, .a = {1, 2, 3}), line, sizeof line);
    assert_non_null(strstr(line, " j=[0 0 0 0 0 0 0 0 ...] "));
    assert_non_null(strstr(line, " f=[false false false false false false false] "));
}

static void line_is_cut_between_characters_at_any_length(void **state)
{
    (void)state;
    char whole[TROUPE_TRACE_LEN_MAX + 1];
    const letter_fields *fields = TROUPE_FIELDS(letter, .subject = "\xe2\x82\xac\xe2\x82\xac\n\xff",
                                                .times = 123456, .words = "caf\xc3\xa9", .seal = {"1234", 4});
    trace_into(&letter_type, fields, whole, sizeof whole);
    size_t whole_len = strlen(whole);
    for (size_t size = 1; size <= whole_len + 2; size++) {
        char *line = malloc(size);
        assert_non_null(line);
        trace_into(&letter_type, fields, line, size);
        size_t len = strlen(line);
        if (size > whole_len) {
            assert_string_equal(line, whole);
        } else {
            size_t dots = size - 1 < 3 ? size - 1 : 3;
            assert_memory_equal(line + len - dots, "...", dots);
            assert_memory_equal(line, whole, len - dots);
            for (size_t at = 0, step; at < len; at += step) {
                uint32_t code;
                step = utf8_read((const unsigned char *)line + at, len - at, &code);
                assert_true(step > 0);
            }
        }
        free(line);
    }
    assert_int_equal(troupe_flat_to_trace(&tick_type, NULL, 0, NULL, 0), 0);
}

static void line_stays_within_its_limit_in_a_larger_buffer(void **state)
{
    (void)state;
    /* Each shows 8 * 22 characters and more. */
    char line[2 * TROUPE_TRACE_LEN_MAX];
    trace_into(&arrays_type, TROUPE_FIELDS(arrays, .b = {UINT64_MAX, UINT64_MAX}, .j = {1}), line,
               sizeof line);
    size_t len = strlen(line);
    assert_in_range(len, TROUPE_TRACE_LEN_MAX - 40, TROUPE_TRACE_LEN_MAX);
    assert_string_equal(line + len - 3, "...");
}

static void malformed_body_says_so(void **state)
{
    (void)state;
    char line[TROUPE_TRACE_LEN_MAX + 1];
    uint64_t body[2] = {0};
    size_t len = troupe_flat_to_trace(&note_type, body, sizeof body, line, sizeof line);
    assert_string_equal(line, "note malformed, 16 bytes");
    assert_int_equal(len, strlen(line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_has_the_type_and_each_field),
        cmocka_unit_test(text_cannot_leave_its_line_or_its_quotes),
        cmocka_unit_test(long_text_ends_in_dots_behind_its_quote),
        cmocka_unit_test(long_bytes_and_arrays_end_in_dots),
        cmocka_unit_test(line_is_cut_between_characters_at_any_length),
        cmocka_unit_test(line_stays_within_its_limit_in_a_larger_buffer),
        cmocka_unit_test(malformed_body_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

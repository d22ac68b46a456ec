/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/json_write, bodies as JSON text, and about finding a type by its id. One thread.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#include "property/wire_types.h"

enum { TEXT_SIZE = 4096 };

/* The body that these fields make, and what it is as JSON. */
static void assert_json(const troupe_type *type, const void *fields, const char *expected)
{
    size_t size = troupe_flat_size(type, fields);
    uint64_t *body = calloc(1, size + sizeof(uint64_t));
    assert_non_null(body);
    troupe_flat_write(type, fields, body, size);
    char text[TEXT_SIZE];
    size_t text_size;
    assert_int_equal(troupe_flat_to_json(type, body, size, text, sizeof text, &text_size), TROUPE_OK);
    assert_string_equal(text, expected);
    assert_int_equal(text_size, strlen(expected));
    assert_int_equal(troupe_flat_json_size(type, body, size), text_size);
    free(body);
}

static void members_are_in_field_order_without_spaces(void **state)
{
    (void)state;
    assert_json(&tick_type, TROUPE_FIELDS(tick, .envelope = {0}), "{}");
    assert_json(&level_type, TROUPE_FIELDS(level, .level = 7), "{\"level\":7}");
    assert_json(
        &scalars_type,
        TROUPE_FIELDS(scalars, .a = 255, .b = UINT64_MAX, .c = 65535, .d = -128, .e = INT64_MIN, .f = true,
                      .g = 0.1, .h = -1, .i = {0xabc}, .j = 0.1f, .k = 4294967295, .l = INT32_MIN),
        "{\"a\":255,\"b\":\"18446744073709551615\",\"c\":65535,\"d\":-128,\"e\":\"-9223372036854775808\","
        "\"f\":true,\"g\":0.1,\"h\":-1,\"i\":\"0000000000000abc\",\"j\":0.1,\"k\":4294967295,"
        "\"l\":-2147483648}");
}

static void arrays_are_arrays_of_all_their_elements(void **state)
{
    (void)state;
    assert_json(
        &arrays_type,
        TROUPE_FIELDS(arrays, .a = {1, 2, 3}, .b = {1, UINT64_MAX}, .f = {true}, .g = {NAN, -INFINITY, -0.0},
                      .j = {1.5f}),
        "{\"a\":[1,2,3],\"b\":[1,\"18446744073709551615\"],\"c\":[0,0,0,0,0],\"d\":[0,0],\"e\":[0,0],"
        "\"f\":[true,false,false,false,false,false,false],\"g\":[\"NaN\",\"-Infinity\",-0.0],\"h\":[0,0],"
        "\"i\":[\"0000000000000000\",\"0000000000000000\"],\"j\":[1.5,0,0,0,0,0,0,0,0],\"k\":[0,0],"
        "\"l\":[0,0]}");
}

static void texts_are_escaped_only_where_json_asks_for_it(void **state)
{
    (void)state;
    assert_json(&note_type, TROUPE_FIELDS(note, .text = NULL), "{\"text\":\"\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "a\"b\\c/d\b\f\n\r\t"),
                "{\"text\":\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\x01\x1f \x7f"),
                "{\"text\":\"\\u0001\\u001f \x7f\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xad\xe2\x80\xa8"),
                "{\"text\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xad\xe2\x80\xa8\"}");
}

static void bytes_of_a_text_that_are_not_utf8_become_lone_surrogates(void **state)
{
    (void)state;
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "caf\xe9"), "{\"text\":\"caf\\udce9\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\x80\xff"), "{\"text\":\"\\udc80\\udcff\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"),
                "{\"text\":\"\\udcc0\\udcaf\\udced\\udca0\\udc80\\udcf4\\udc90\\udc80\\udc80\"}");
    /* A character that is cut off, and one that is whole behind a byte that is none. */
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\xe2\x82"), "{\"text\":\"\\udce2\\udc82\"}");
    assert_json(&note_type, TROUPE_FIELDS(note, .text = "\xe2\xc3\xa9"), "{\"text\":\"\\udce2\xc3\xa9\"}");
}

static void bytes_are_padded_base64(void **state)
{
    (void)state;
    assert_json(&blob_type, TROUPE_FIELDS(blob, .data = {NULL, 0}), "{\"data\":\"\"}");
    assert_json(&blob_type, TROUPE_FIELDS(blob, .data = {"f", 1}), "{\"data\":\"Zg==\"}");
    assert_json(&blob_type, TROUPE_FIELDS(blob, .data = {"fo", 2}), "{\"data\":\"Zm8=\"}");
    assert_json(&blob_type, TROUPE_FIELDS(blob, .data = {"foo", 3}), "{\"data\":\"Zm9v\"}");
    assert_json(&blob_type, TROUPE_FIELDS(blob, .data = {"\0\xff\0\xff", 4}), "{\"data\":\"AP8A/w==\"}");
}

static void buffer_of_the_size_and_a_nul_is_enough_and_one_less_is_not(void **state)
{
    (void)state;
    level body = {255};
    static const char expected[] = "{\"level\":255}";
    size_t size = 99;
    assert_int_equal(troupe_flat_json_size(&level_type, &body, sizeof body), sizeof expected - 1);
    for (size_t room = 0; room < sizeof expected; room++) {
        /* Exactly as long as it is said to be, so that the address sanitizer sees the first byte beyond. */
        char *text = malloc(room == 0 ? 1 : room);
        assert_non_null(text);
        assert_int_equal(troupe_flat_to_json(&level_type, &body, sizeof body, text, room, &size),
                         TROUPE_TOO_LARGE);
        assert_int_equal(size, 99);
        free(text);
    }
    char text[sizeof expected];
    assert_int_equal(troupe_flat_to_json(&level_type, &body, sizeof body, text, sizeof text, &size),
                     TROUPE_OK);
    assert_string_equal(text, expected);
}

static void malformed_body_is_refused(void **state)
{
    (void)state;
    struct {
        _Alignas(8) note fixed;
        char text[4];
    } body = {{{8, 3}}, "abc"};
    char text[64];
    size_t size;
    assert_int_equal(troupe_flat_to_json(&note_type, &body, 12, text, sizeof text, &size), TROUPE_OK);
    assert_int_equal(troupe_flat_to_json(&note_type, &body, 11, text, sizeof text, &size), TROUPE_MALFORMED);
    body.fixed.text.offset = 9;
    assert_int_equal(troupe_flat_to_json(&note_type, &body, 12, text, sizeof text, &size), TROUPE_MALFORMED);
    assert_int_equal(troupe_flat_json_size(&note_type, &body, 12), SIZE_MAX);
}

#define SHARED(F) F(text, a) F(text, b) F(text, c)
TROUPE_MESSAGE(shared, SHARED)

/*
 * Two spans that name the same bytes, so that a body unfolds beyond what it could be by itself: a and b are
 * controls, 6 bytes of JSON each, and c is what the limit leaves, in controls and then letters.
 */
static void text_at_the_limit_is_written_and_one_byte_longer_is_refused(void **state)
{
    (void)state;
    enum { SHARED_LEN = TROUPE_JSON_SIZE_MAX / 16, ESCAPE_LEN = 6 };
    size_t left = TROUPE_JSON_SIZE_MAX - strlen("{\"a\":\"\",\"b\":\"\",\"c\":\"\"}");
    left -= (size_t)2 * ESCAPE_LEN * SHARED_LEN;
    uint32_t letters = (uint32_t)(left % ESCAPE_LEN);
    uint32_t controls = (uint32_t)(left / ESCAPE_LEN);
    for (uint32_t more = 0; more < 2; more++) {
        troupe_span twice = {sizeof(shared), SHARED_LEN};
        troupe_span once = {twice.offset + SHARED_LEN + 1, controls + letters + more};
        shared fixed = {twice, twice, once};
        size_t size = once.offset + once.size + 1;
        char *body = calloc(1, size);
        assert_non_null(body);
        memcpy(body, &fixed, sizeof fixed);
        memset(body + twice.offset, 1, twice.size);
        memset(body + once.offset, 1, controls);
        memset(body + once.offset + controls, 'x', letters + more);
        char text[1];
        size_t text_size;
        assert_int_equal(troupe_flat_check(&shared_type, body, size), TROUPE_OK);
        assert_int_equal(troupe_flat_to_json(&shared_type, body, size, text, sizeof text, &text_size),
                         TROUPE_TOO_LARGE);
        assert_int_equal(troupe_flat_json_size(&shared_type, body, size),
                         more == 0 ? TROUPE_JSON_SIZE_MAX : SIZE_MAX);
        free(body);
    }
}

static void type_is_found_by_its_id_and_version(void **state)
{
    (void)state;
    assert_ptr_equal(troupe_type_find(wire_types, WIRE_TYPE_COUNT, troupe_type_id("letter"), 1),
                     &letter_type);
    assert_ptr_equal(troupe_type_find(wire_types, WIRE_TYPE_COUNT, tick_type.id, 1), &tick_type);
    assert_null(troupe_type_find(wire_types, WIRE_TYPE_COUNT, letter_type.id, 2));
    assert_null(troupe_type_find(wire_types, WIRE_TYPE_COUNT, troupe_type_id("nobody"), 1));
    assert_null(troupe_type_find(NULL, 0, letter_type.id, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_in_field_order_without_spaces),
        cmocka_unit_test(arrays_are_arrays_of_all_their_elements),
        cmocka_unit_test(texts_are_escaped_only_where_json_asks_for_it),
        cmocka_unit_test(bytes_of_a_text_that_are_not_utf8_become_lone_surrogates),
        cmocka_unit_test(bytes_are_padded_base64),
        cmocka_unit_test(buffer_of_the_size_and_a_nul_is_enough_and_one_less_is_not),
        cmocka_unit_test(malformed_body_is_refused),
        cmocka_unit_test(text_at_the_limit_is_written_and_one_byte_longer_is_refused),
        cmocka_unit_test(type_is_found_by_its_id_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

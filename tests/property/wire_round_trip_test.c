/* SPDX-License-Identifier: MIT */
/*
 * Any message of any type comes back from its JSON text byte for byte; the text means to another reader
 * (jansson) what it means here; and what is not quite such a text is refused, or is one.
 *
 * The values are random, with the edges of every kind far more often than chance would have them. The seed is
 * printed; TROUPE_SEED=n chooses it. One thread.
 */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/random.h"
#include "base/utf8.h"
#include "property/wire_types.h"
#include "support/seeds.h"
#include "wire/value.h"

enum {
    MESSAGES = 1500, /* of each type */
    DAMAGES = 20,    /* of each text */
    TEXT_LEN_MAX = 300,
    FIELDS_SIZE = 1024,
    BODY_SIZE = 8192,
    JSON_SIZE = 8 * BODY_SIZE,
    PARTS_MAX = 16,
};

static uint64_t seed = 1;
static struct random random_state;

static uint32_t below(uint32_t bound)
{
    return random_below(&random_state, bound);
}

/* --- random messages ------------------------------------------------------------------------------------ */

/* A message: what a sender fills in, where its texts are, and its body. */
struct sample {
    const troupe_type *type;
    _Alignas(8) unsigned char fields[FIELDS_SIZE];
    unsigned char texts[BODY_SIZE];
    size_t texts_size;
    _Alignas(8) unsigned char body[BODY_SIZE];
    size_t size;
    char json[JSON_SIZE];
    size_t json_size;
};

static uint64_t random_bits(uint8_t kind)
{
    static const uint64_t edges[] = {
        0,
        1,
        2,
        9,
        10,
        99,
        100,
        127,
        128,
        255,
        256,
        32767,
        32768,
        65535,
        INT32_MAX,
        UINT32_MAX,
        (UINT64_C(1) << 53) - 1,
        UINT64_C(1) << 53,
        INT64_MAX,
        UINT64_C(1) << 63,
        UINT64_MAX,
    };
    static const double doubles[] = {
        0.0,
        -0.0,
        0.1,
        0.3,
        1e22,
        1e23,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        1e15,
        1e16,
        1e17,
        123456789.125,
        INFINITY,
        -INFINITY,
    };
    uint64_t bits = random_next(&random_state);
    switch (below(4)) {
    case 0:
        bits = edges[below(sizeof edges / sizeof edges[0])];
        return below(2) == 0 ? bits : 0 - bits;
    case 1:
        return bits >> below(64);
    case 2: {
        double value = below(2) == 0 ? doubles[below(sizeof doubles / sizeof doubles[0])]
                                     : (double)(int64_t)bits / (double)(1u << below(31));
        float narrow = (float)value;
        memcpy(&bits, &value, sizeof value);
        if (kind == TROUPE_FIELD_f32)
            memcpy(&bits, &narrow, sizeof narrow);
        return bits;
    }
    default:
        return bits;
    }
}

/* Adds one character, or a byte that is none, and gives how many bytes that took. */
static size_t random_char(unsigned char *at, bool is_text)
{
    static const uint32_t firsts[] = {1,      0x20,   0x7f,   0x80,    0x7ff,   0x800,
                                      0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    switch (is_text ? below(5) : 4) {
    case 0:
        at[0] = (unsigned char)"\"\\/\b\f\n\r\t"[below(8)];
        return 1;
    case 1:
        return utf8_write(firsts[below(sizeof firsts / sizeof firsts[0])], at);
    case 2:
        return utf8_write(1 + below(0xd7ff), at);
    case 3:
        at[0] = (unsigned char)(' ' + below(95));
        return 1;
    default:
        at[0] = (unsigned char)(is_text ? 1 + below(255) : below(256));
        return 1;
    }
}

static troupe_bytes random_string(struct sample *sample, bool is_text)
{
    unsigned char *start = sample->texts + sample->texts_size;
    size_t len = below(3) == 0 ? below(TEXT_LEN_MAX) : below(12);
    size_t size = 0;
    while (size < len)
        size += random_char(start + size, is_text);
    start[size] = '\0';
    sample->texts_size += size + 1;
    return (troupe_bytes){start, size};
}

static void fill_field(struct sample *sample, const troupe_field *field)
{
    unsigned char *at = sample->fields + field->argument;
    if (field->kind >= TROUPE_FIELD_text) {
        troupe_bytes bytes = random_string(sample, field->kind == TROUPE_FIELD_text);
        troupe_blob *held = NULL;
        if (field->kind == TROUPE_FIELD_text) {
            memcpy(at, &bytes.data, sizeof bytes.data);
        } else if (field->kind == TROUPE_FIELD_bytes) {
            memcpy(at, &bytes, sizeof bytes);
        } else {
            assert_int_equal(troupe_blob_new(bytes.data, bytes.size, &held), TROUPE_OK);
            memcpy(at, &held, sizeof held);
        }
        return;
    }
    size_t size = value_size(field->kind);
    for (uint32_t i = 0; i < field->count; i++) {
        uint64_t bits = random_bits(field->kind);
        if (field->kind == TROUPE_FIELD_bool)
            bits &= 1;
        memcpy(at + i * size, &bits, size);
    }
}

/* Lets the blobs of the fields go, which nobody needs once the body is written. */
static void blobs_free(struct sample *sample)
{
    for (uint32_t i = 0; i < sample->type->field_count; i++) {
        const troupe_field *field = &sample->type->fields[i];
        troupe_blob *held;
        if (field->kind != TROUPE_FIELD_blob)
            continue;
        memcpy(&held, sample->fields + field->argument, sizeof held);
        troupe_blob_unref(&held);
    }
}

static void make_sample(struct sample *sample, const troupe_type *type)
{
    sample->type = type;
    sample->texts_size = 0;
    memset(sample->fields, 0, sizeof sample->fields);
    for (uint32_t i = 0; i < type->field_count; i++)
        fill_field(sample, &type->fields[i]);
    sample->size = troupe_flat_size(type, sample->fields);
    assert_true(sample->size <= sizeof sample->body);
    troupe_flat_write(type, sample->fields, sample->body, sample->size);
    blobs_free(sample);
    assert_int_equal(troupe_flat_to_json(type, sample->body, sample->size, sample->json, sizeof sample->json,
                                         &sample->json_size),
                     TROUPE_OK);
}

/* Calls this with MESSAGES messages of each type. */
static void for_each_sample(void (*check)(struct sample *sample))
{
    random_state.state = seed;
    struct sample *sample = malloc(sizeof *sample);
    assert_non_null(sample);
    for (size_t i = 0; i < WIRE_TYPE_COUNT; i++) {
        for (size_t n = 0; n < MESSAGES; n++) {
            make_sample(sample, wire_types[i]);
            check(sample);
        }
    }
    free(sample);
}

/* Reads a text into a body exactly as large as is said to be enough. */
static troupe_status read_back(const troupe_type *type, const char *text, size_t text_size, void **ret_body,
                               size_t *ret_size, troupe_json_error *error)
{
    size_t enough = troupe_flat_from_json_size_max(type, text_size);
    *ret_body = malloc(enough);
    assert_non_null(*ret_body);
    memset(*ret_body, 0xa5, enough);
    return troupe_flat_from_json(type, text, text_size, *ret_body, enough, ret_size, error);
}

static void assert_reads_as(const struct sample *sample, const char *text, size_t text_size)
{
    troupe_json_error error;
    void *body;
    size_t size;
    if (read_back(sample->type, text, text_size, &body, &size, &error) != TROUPE_OK)
        fail_msg("%.*s at %zu: %s", (int)text_size, text, error.offset, error.text);
    assert_int_equal(size, sample->size);
    assert_memory_equal(body, sample->body, size);
    free(body);
}

/* --- the properties ------------------------------------------------------------------------------------- */

static void check_round_trip(struct sample *sample)
{
    assert_int_equal(troupe_flat_json_size(sample->type, sample->body, sample->size), sample->json_size);
    assert_int_equal(strlen(sample->json), sample->json_size);
    assert_reads_as(sample, sample->json, sample->json_size);
}

static void any_message_comes_back_from_its_text_byte_for_byte(void **state)
{
    (void)state;
    for_each_sample(check_round_trip);
}

static size_t put_spaces(char *to)
{
    size_t count = below(3);
    for (size_t i = 0; i < count; i++)
        to[i] = " \t\n\r"[below(4)];
    return count;
}

/* Copies one member, with spaces between its tokens and every sixth letter of a string as \u00xx. */
static size_t put_member(char *to, const char *member, size_t size)
{
    char *start = to;
    bool is_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = member[i];
        if (is_string && c == '\\') {
            size_t len = member[i + 1] == 'u' ? 6 : 2;
            memcpy(to, member + i, len);
            to += len;
            i += len - 1;
        } else if (c == '"') {
            is_string = !is_string;
            *to++ = c;
        } else if (is_string && (unsigned char)c < 0x80 && below(6) == 0) {
            to += snprintf(to, 7, "\\u%04X", (unsigned)c);
        } else if (!is_string && strchr("[],:", c) != NULL) {
            to += put_spaces(to);
            *to++ = c;
            to += put_spaces(to);
        } else {
            *to++ = c;
        }
    }
    return (size_t)(to - start);
}

/* Where each member of an object begins, and behind the last one where the next would. */
static size_t find_members(const char *text, size_t size, size_t starts[PARTS_MAX])
{
    size_t count = 0;
    bool is_string = false;
    int depth = 0;
    for (size_t i = 0; i < size; i++) {
        if (is_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            is_string = !is_string;
        else if (!is_string && (text[i] == '[' || text[i] == ']'))
            depth += text[i] == '[' ? 1 : -1;
        else if (!is_string && depth == 0 && (text[i] == '{' || text[i] == ',' || text[i] == '}'))
            starts[count++] = i + 1;
    }
    return count - 1;
}

static void check_any_order(struct sample *sample)
{
    static char text[8 * JSON_SIZE];
    size_t starts[PARTS_MAX];
    size_t order[PARTS_MAX];
    size_t count = find_members(sample->json, sample->json_size, starts);
    size_t at = put_spaces(text);
    if (sample->type->field_count == 0)
        return;
    assert_int_equal(count, sample->type->field_count);
    text[at++] = '{';
    for (size_t i = 0; i < count; i++) {
        size_t other = below((uint32_t)i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < count; i++) {
        size_t start = starts[order[i]];
        if (i > 0)
            text[at++] = ',';
        at += put_spaces(text + at);
        at += put_member(text + at, sample->json + start, starts[order[i] + 1] - 1 - start);
        at += put_spaces(text + at);
    }
    text[at++] = '}';
    at += put_spaces(text + at);
    assert_reads_as(sample, text, at);
}

static void order_spaces_and_escapes_of_a_text_make_no_difference(void **state)
{
    (void)state;
    for_each_sample(check_any_order);
}

/* Whether the text stands for bytes that are not UTF-8, which other readers refuse. */
static bool has_lone_surrogate(const char *text)
{
    for (const char *at = text; (at = strchr(at, '\\')) != NULL; at += 2)
        if (at[1] == 'u' && (at[2] | 0x20) == 'd' && strchr("cdefCDEF", at[3]) != NULL)
            return true;
    return false;
}

static void check_number(uint8_t kind, const unsigned char *at, const json_t *value)
{
    double number = json_number_value(value);
    double expected;
    float narrow;
    uint64_t bits = 0;
    memcpy(&bits, at, value_size(kind));
    memcpy(&expected, at, sizeof expected);
    memcpy(&narrow, at, sizeof narrow);
    switch (kind) {
    case TROUPE_FIELD_f64:
        if (json_is_string(value))
            assert_true(isfinite(expected) == 0);
        else
            assert_memory_equal(&number, &expected, sizeof number);
        return;
    case TROUPE_FIELD_f32:
        if (json_is_string(value))
            assert_true(isfinite(narrow) == 0);
        else
            assert_true((float)number == narrow);
        return;
    case TROUPE_FIELD_bool:
        assert_true(json_is_boolean(value));
        assert_int_equal(json_is_true(value), bits);
        return;
    case TROUPE_FIELD_ref:
        assert_int_equal(strtoull(json_string_value(value), NULL, 16), bits);
        return;
    default:
        if (json_is_string(value)) {
            const char *digits = json_string_value(value);
            assert_int_equal(
                digits[0] == '-' ? (uint64_t)strtoll(digits, NULL, 10) : strtoull(digits, NULL, 10), bits);
        } else {
            uint64_t mask = UINT64_MAX >> (64 - 8 * value_size(kind));
            assert_true(json_is_integer(value));
            assert_int_equal((uint64_t)json_integer_value(value) & mask, bits);
        }
    }
}

static void check_member(const struct sample *sample, const troupe_field *field, const json_t *value)
{
    const unsigned char *at = sample->body + field->offset;
    size_t size = value_size(field->kind);
    if (field->kind >= TROUPE_FIELD_text) {
        troupe_span span;
        memcpy(&span, at, sizeof span);
        assert_true(json_is_string(value));
        if (field->kind != TROUPE_FIELD_text) {
            assert_int_equal(json_string_length(value), (span.size + 2) / 3 * 4);
            return;
        }
        assert_int_equal(json_string_length(value), span.size);
        assert_memory_equal(json_string_value(value), sample->body + span.offset, span.size);
        return;
    }
    if (field->count == 1) {
        check_number(field->kind, at, value);
        return;
    }
    assert_int_equal(json_array_size(value), field->count);
    for (uint32_t i = 0; i < field->count; i++)
        check_number(field->kind, at + i * size, json_array_get(value, i));
}

static void check_with_jansson(struct sample *sample)
{
    json_error_t error;
    if (has_lone_surrogate(sample->json))
        return;
    json_t *object = json_loadb(sample->json, sample->json_size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        fail_msg("%s at %d: %s", sample->json, error.position, error.text);
    assert_int_equal(json_object_size(object), sample->type->field_count);
    for (uint32_t i = 0; i < sample->type->field_count; i++)
        check_member(sample, &sample->type->fields[i], json_object_get(object, sample->type->fields[i].name));
    json_decref(object);
}

static void another_reader_finds_the_same_values_in_the_text(void **state)
{
    (void)state;
    for_each_sample(check_with_jansson);
}

static size_t damage(char *text, size_t size)
{
    size_t at = below((uint32_t)size);
    switch (below(4)) {
    case 0:
        text[at] = (char)below(256);
        return size;
    case 1:
        text[at] = "{}[]:,\"\\-+.eE0123456789 \nutfnad"[below(31)];
        return size;
    case 2:
        memmove(text + at, text + at + 1, size - at - 1);
        return size - 1;
    default:
        memmove(text + at + 1, text + at, size - at);
        text[at] = "{}[]:,\"\\-+.eE0123456789 \nutfnad"[below(31)];
        return size + 1;
    }
}

/* A damaged text is refused, or it is a text of the type: then it is JSON, and what was read round-trips. */
static void check_damaged(struct sample *sample)
{
    for (size_t n = 0; n < DAMAGES && sample->json_size > 2; n++) {
        char text[JSON_SIZE];
        memcpy(text, sample->json, sample->json_size);
        size_t text_size = damage(text, sample->json_size);
        text[text_size] = '\0';
        troupe_json_error error;
        void *body;
        size_t size;
        if (read_back(sample->type, text, text_size, &body, &size, &error) != TROUPE_OK) {
            assert_in_range(error.offset, 0, text_size);
            assert_in_range(strlen(error.text), 1, sizeof error.text - 1);
            free(body);
            continue;
        }
        json_error_t other;
        json_t *object =
            json_loadb(text, text_size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &other);
        if (object == NULL && !has_lone_surrogate(text))
            fail_msg("%s at %d: %s", text, other.position, other.text);
        json_decref(object);

        struct sample again = {.type = sample->type, .size = size};
        memcpy(again.body, body, size);
        free(body);
        assert_int_equal(troupe_flat_check(again.type, again.body, size), TROUPE_OK);
        assert_int_equal(
            troupe_flat_to_json(again.type, again.body, size, again.json, JSON_SIZE, &again.json_size),
            TROUPE_OK);
        assert_reads_as(&again, again.json, again.json_size);
    }
}

static void damaged_text_is_refused_or_is_another_message(void **state)
{
    (void)state;
    for_each_sample(check_damaged);
}

int main(void)
{
    seed = seeds_one("property_wire_round_trip_test", seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_message_comes_back_from_its_text_byte_for_byte),
        cmocka_unit_test(order_spaces_and_escapes_of_a_text_make_no_difference),
        cmocka_unit_test(another_reader_finds_the_same_values_in_the_text),
        cmocka_unit_test(damaged_text_is_refused_or_is_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

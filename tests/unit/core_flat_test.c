/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/flat: bodies of every kind of field are written and checked, and nothing malformed passes
 * the check. Pure functions. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#define ALL_FIELDS(F)                                                                                        \
    F(u8, a)                                                                                                 \
    F(u16, b)                                                                                                \
    F(u32, c)                                                                                                \
    F(u64, d)                                                                                                \
    F(i8, e) F(i16, f) F(i32, g) F(i64, h) F(f32, i) F(f64, j) F(bool, k) F(ref, l) F(text, m) F(bytes, n)
TROUPE_MESSAGE(flat_all, ALL_FIELDS)
#define ARRAY_FIELDS(F) F(u8, bytes3, 3) F(u32, words, 4) F(bool, flags, 5) F(ref, refs, 2) F(f64, reals, 2)
TROUPE_MESSAGE(flat_array, ARRAY_FIELDS)
#define TEXT_FIELDS(F) F(text, one) F(u8, between) F(text, two)
TROUPE_MESSAGE(flat_text, TEXT_FIELDS)
#define BLOB_FIELDS(F) F(bytes, blob)
TROUPE_MESSAGE(flat_blob, BLOB_FIELDS)
#define NARROW_FIELDS(F) F(u8, one) F(u64, eight) F(u16, two)
TROUPE_MESSAGE(flat_narrow, NARROW_FIELDS)
TROUPE_MESSAGE_VERSION(flat_later, 7, NARROW_FIELDS)
/* Runs that break where the body and the fields struct are padded otherwise, and where a text or blob is. */
#define RUN_FIELDS(F)                                                                                        \
    F(u32, head)                                                                                             \
    F(text, one)                                                                                             \
    F(u32, x)                                                                                                \
    F(i64, y)                                                                                                \
    F(text, two)                                                                                             \
    F(text, three)                                                                                           \
    F(text, four)                                                                                            \
    F(bytes, raw) F(blob, blob) F(text, five) F(u8, k) F(bool, flag) F(u8, m) F(bool, flags, 3) F(u16, tail)
TROUPE_MESSAGE(flat_runs, RUN_FIELDS)
/* More than a body may be, without its text. */
#define OVER_FIELDS(F) F(u8, much, TROUPE_BODY_SIZE_MAX - 4) F(text, one)
TROUPE_MESSAGE(flat_over, OVER_FIELDS)
TROUPE_MESSAGE_EMPTY(flat_empty)

enum {
    BUFFER_SIZE = 4096,
};

/* Writes a body into fresh memory of exactly its size, so that the sanitizer sees every step outside it. */
static void *written(const troupe_type *type, const void *fields, size_t *ret_size)
{
    *ret_size = troupe_flat_size(type, fields);
    assert_true(*ret_size <= TROUPE_BODY_SIZE_MAX);
    void *body = malloc(*ret_size + 1);
    assert_non_null(body);
    memset(body, 0xA5, *ret_size + 1);
    troupe_flat_write(type, fields, body, *ret_size);
    assert_int_equal(((unsigned char *)body)[*ret_size], 0xA5);
    return body;
}

static void type_has_the_id_of_its_name_and_its_version(void **state)
{
    (void)state;
    assert_string_equal(flat_all_type.name, "flat_all");
    assert_int_equal(troupe_type_id(""), 2166136261u); /* FNV-1a's test values */
    assert_int_equal(troupe_type_id("a"), 0xe40c292cu);
    assert_int_equal(troupe_type_id("foobar"), 0xbf9cf968u);
    assert_int_equal(flat_all_type.id, troupe_type_id("flat_all"));
    assert_int_equal(flat_all_type.version, 1);
    assert_int_equal(flat_later_type.version, 7);
    assert_int_equal(flat_all_type.field_count, 14);
    assert_int_equal(flat_empty_type.field_count, 0);
    assert_false(flat_all_type.is_fixed);
    assert_false(flat_blob_type.is_fixed);
    assert_true(flat_array_type.is_fixed);
    assert_true(flat_empty_type.is_fixed);
}

static void message_of_another_type_or_version_is_not_read(void **state)
{
    (void)state;
    troupe_message message = {.type = flat_narrow_type.id, .version = 1};
    assert_non_null(flat_narrow_of(&message));
    assert_null(flat_all_of(&message));
    message.version = 2;
    assert_null(flat_narrow_of(&message));
    message.type = flat_later_type.id;
    assert_null(flat_later_of(&message));
    message.version = 7;
    assert_non_null(flat_later_of(&message));
}

static void every_kind_is_written_and_read_back(void **state)
{
    (void)state;
    static const char blob[] = {0, 1, 2, 0, (char)255};
    size_t size;
    flat_all *m =
        written(&flat_all_type,
                TROUPE_FIELDS(flat_all, .a = 255, .b = 65535, .c = UINT32_MAX, .d = UINT64_MAX, .e = -128,
                              .f = INT16_MIN, .g = INT32_MIN, .h = INT64_MIN, .i = 0.5f, .j = -1e300,
                              .k = true, .l = {77}, .m = "h\xc3\xa9llo", .n = {blob, sizeof blob}),
                &size);
    assert_int_equal(troupe_flat_check(&flat_all_type, m, size), TROUPE_OK);
    assert_int_equal(m->a, 255);
    assert_int_equal(m->b, 65535);
    assert_int_equal(m->c, UINT32_MAX);
    assert_true(m->d == UINT64_MAX);
    assert_int_equal(m->e, -128);
    assert_int_equal(m->f, INT16_MIN);
    assert_int_equal(m->g, INT32_MIN);
    assert_true(m->h == INT64_MIN);
    assert_true(m->i == 0.5f && m->j == -1e300);
    assert_true(m->k);
    assert_int_equal(m->l.bits, 77);
    assert_string_equal(troupe_flat_text(m, m->m), "h\xc3\xa9llo");
    assert_int_equal(m->m.size, 6);
    assert_int_equal(troupe_flat_bytes(m, m->n).size, sizeof blob);
    assert_memory_equal(troupe_flat_bytes(m, m->n).data, blob, sizeof blob);
    assert_int_equal(size, sizeof(flat_all) + 7 + sizeof blob);
    free(m);
}

static void arrays_are_written_whole(void **state)
{
    (void)state;
    size_t size;
    flat_array *m = written(&flat_array_type,
                            TROUPE_FIELDS(flat_array, .bytes3 = {1, 2, 3}, .words = {4, 5, 6, 7},
                                          .flags = {true, false, true, false, true}, .refs = {{8}, {9}},
                                          .reals = {0.25, -0.25}),
                            &size);
    assert_int_equal(size, sizeof(flat_array));
    assert_int_equal(troupe_flat_check(&flat_array_type, m, size), TROUPE_OK);
    assert_int_equal(m->bytes3[2], 3);
    assert_int_equal(m->words[3], 7);
    assert_true(m->flags[4] && !m->flags[3]);
    assert_int_equal(m->refs[1].bits, 9);
    assert_true(m->reals[1] == -0.25);
    free(m);
}

static void missing_fields_are_zero_and_texts_empty(void **state)
{
    (void)state;
    size_t size;
    flat_all *m = written(&flat_all_type, TROUPE_FIELDS(flat_all, .a = 1), &size);
    assert_int_equal(troupe_flat_check(&flat_all_type, m, size), TROUPE_OK);
    assert_int_equal(m->d, 0);
    assert_string_equal(troupe_flat_text(m, m->m), "");
    assert_int_equal(m->m.size, 0);
    assert_int_equal(m->n.size, 0);
    assert_int_equal(size, sizeof(flat_all) + 1);
    free(m);
    m = written(&flat_empty_type, TROUPE_FIELDS(flat_empty, ), &size);
    assert_int_equal(size, 0);
    assert_int_equal(troupe_flat_check(&flat_empty_type, m, size), TROUPE_OK);
    free(m);
}

/* What stands between the members came from the stack. */
static void equal_fields_give_equal_bytes(void **state)
{
    (void)state;
    unsigned char bodies[2][sizeof(flat_narrow)];
    for (int i = 0; i < 2; i++) {
        flat_narrow_fields fields;
        memset(&fields, i == 0 ? 0x11 : 0xEE, sizeof fields);
        fields.one = 1;
        fields.eight = 8;
        fields.two = 2;
        memset(bodies[i], i == 0 ? 0x22 : 0xDD, sizeof bodies[i]);
        troupe_flat_write(&flat_narrow_type, &fields, bodies[i], sizeof bodies[i]);
    }
    assert_memory_equal(bodies[0], bodies[1], sizeof bodies[0]);
}

/* The same type as somebody makes it by hand, who knows nothing of runs. */
static troupe_type by_hand(const troupe_type *type, troupe_field *fields)
{
    troupe_type made = *type;
    for (uint32_t i = 0; i < type->field_count; i++) {
        fields[i] = type->fields[i];
        fields[i].run_size = 0;
        fields[i].run_count = 0;
        fields[i].run_has_bools = false;
    }
    made.fields = fields;
    return made;
}

static void runs_make_no_difference(void **state)
{
    (void)state;
    static const char *const texts[] = {NULL, "", "x", "seven..", "eight...", "sixteen and more than that"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    troupe_field fields[32];
    troupe_type plain = by_hand(&flat_runs_type, fields);
    assert_in_range(flat_runs_type.fields[4].run_count, 3, 3); /* two, three, four */
    for (unsigned seed = 0; seed < TEXTS * TEXTS * TEXTS; seed++) {
        flat_runs_fields given;
        memset(&given, 0x5A, sizeof given); /* what stands between the members */
        given.head = seed;
        given.one = texts[seed % TEXTS];
        given.x = ~seed;
        given.y = -(int64_t)seed;
        given.two = texts[seed / TEXTS % TEXTS];
        given.three = texts[seed / TEXTS / TEXTS];
        given.four = texts[(seed + 1) % TEXTS];
        given.raw = (troupe_bytes){"\0bytes", seed % 7};
        given.blob = NULL;
        given.five = texts[(seed + 2) % TEXTS];
        given.k = 1;
        given.flag = seed % 2 == 0;
        given.m = 3;
        for (int i = 0; i < 3; i++)
            given.flags[i] = (seed >> i) % 2 == 0;
        given.tail = 0x1234;
        size_t size;
        size_t plain_size;
        unsigned char *body = written(&flat_runs_type, &given, &size);
        unsigned char *plain_body = written(&plain, &given, &plain_size);
        assert_int_equal(size, plain_size);
        assert_memory_equal(body, plain_body, size);
        assert_int_equal(((flat_runs *)(void *)body)->tail, 0x1234);
        for (size_t i = 0; i < size; i++) { /* both refuse and let pass the same */
            body[i] ^= 2;
            assert_int_equal(troupe_flat_check(&flat_runs_type, body, size),
                             troupe_flat_check(&plain, body, size));
            body[i] ^= 2;
        }
        assert_int_equal(troupe_flat_check(&plain, body, size), TROUPE_OK);
        body[offsetof(flat_runs, flags) + 2] = 2;
        assert_int_equal(troupe_flat_check(&flat_runs_type, body, size), TROUPE_MALFORMED);
        free(body);
        free(plain_body);
    }
}

static void sizes_are_right_at_the_largest_body(void **state)
{
    (void)state;
    const size_t most = TROUPE_BODY_SIZE_MAX - sizeof(flat_blob);
    char *blob = malloc(most + 1);
    assert_non_null(blob);
    memset(blob, 'x', most + 1);
    size_t size;
    flat_blob *m = written(&flat_blob_type, TROUPE_FIELDS(flat_blob, .blob = {blob, most}), &size);
    assert_int_equal(size, TROUPE_BODY_SIZE_MAX);
    assert_int_equal(troupe_flat_check(&flat_blob_type, m, size), TROUPE_OK);
    assert_memory_equal(troupe_flat_bytes(m, m->blob).data, blob, most);
    free(m);
    assert_true(troupe_flat_size(&flat_blob_type, TROUPE_FIELDS(flat_blob, .blob = {blob, most + 1})) ==
                SIZE_MAX);
    assert_true(troupe_flat_size(&flat_blob_type, TROUPE_FIELDS(flat_blob, .blob = {blob, SIZE_MAX})) ==
                SIZE_MAX);
    blob[most] = '\0';
    blob[most - sizeof(flat_text)] = '\0'; /* two texts that fit one by one, not together */
    assert_true(troupe_flat_size(&flat_text_type, TROUPE_FIELDS(flat_text, .one = blob, .two = blob)) ==
                SIZE_MAX);
    free(blob);
    static const flat_over_fields over; /* its fixed members alone are too many */
    assert_true(troupe_flat_size(&flat_over_type, &over) == SIZE_MAX);
    assert_int_equal(troupe_flat_check(&flat_blob_type, "", TROUPE_BODY_SIZE_MAX + 1), TROUPE_MALFORMED);
}

/*
 * -- malformed ---------------------------------------------------------------------------------------------
 */

/* A good body, to be spoilt. */
static _Alignas(8) unsigned char good[BUFFER_SIZE];
static size_t good_size;

static void good_text_body(void)
{
    const void *fields = TROUPE_FIELDS(flat_text, .one = "one", .between = 9, .two = "second");
    good_size = troupe_flat_size(&flat_text_type, fields);
    troupe_flat_write(&flat_text_type, fields, good, good_size);
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_OK);
}

static void body_of_another_size_is_refused(void **state)
{
    (void)state;
    good_text_body();
    for (size_t size = 0; size < good_size; size++)
        assert_int_equal(troupe_flat_check(&flat_text_type, good, size), TROUPE_MALFORMED);
    memset(good, 0, sizeof good);
    for (size_t size = 0; size <= sizeof(flat_array) + 1; size++)
        assert_int_equal(troupe_flat_check(&flat_array_type, good, size),
                         size == sizeof(flat_array) ? TROUPE_OK : TROUPE_MALFORMED);
    assert_int_equal(troupe_flat_check(&flat_empty_type, good, 1), TROUPE_MALFORMED);
}

static void span_outside_the_body_is_refused(void **state)
{
    (void)state;
    static const troupe_span wrong[] = {
        {0, 0},                          /* into the members */
        {sizeof(flat_text) - 1, 4},      /* its first byte there */
        {UINT32_MAX, 0},                 /* far beyond */
        {sizeof(flat_text), UINT32_MAX}, /* longer than everything: offset + size + 1 wraps in 32 bits */
        {UINT32_MAX, UINT32_MAX},
        {sizeof(flat_text), 2}, /* not up to its NUL */
        {sizeof(flat_text), 4}, /* beyond it */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        good_text_body();
        ((flat_text *)(void *)good)->one = wrong[i];
        assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_MALFORMED);
    }
    good_text_body();
    troupe_span *last = &((flat_text *)(void *)good)->two;
    *last = (troupe_span){(uint32_t)good_size, 0}; /* at the end, where its NUL has no room */
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_MALFORMED);
    *last = (troupe_span){(uint32_t)good_size - 1, 0}; /* the NUL alone */
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_OK);
    *last = (troupe_span){(uint32_t)good_size - 1, 1};
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_MALFORMED);
}

static void text_without_its_nul_or_with_another_is_refused(void **state)
{
    (void)state;
    good_text_body();
    good[good_size - 1] = 'x';
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_MALFORMED);
    good_text_body();
    good[sizeof(flat_text) + 1] = '\0';
    assert_int_equal(troupe_flat_check(&flat_text_type, good, good_size), TROUPE_MALFORMED);
}

static void bytes_may_hold_anything_up_to_the_end(void **state)
{
    (void)state;
    flat_blob *m = (flat_blob *)(void *)good;
    memset(good, 0, sizeof good);
    m->blob = (troupe_span){sizeof *m, 5};
    assert_int_equal(troupe_flat_check(&flat_blob_type, m, sizeof *m + 5), TROUPE_OK);
    assert_int_equal(troupe_flat_check(&flat_blob_type, m, sizeof *m + 4), TROUPE_MALFORMED);
    m->blob = (troupe_span){sizeof *m, 0};
    assert_int_equal(troupe_flat_check(&flat_blob_type, m, sizeof *m), TROUPE_OK);
}

static void bool_other_than_0_or_1_is_refused(void **state)
{
    (void)state;
    memset(good, 0, sizeof good);
    for (size_t i = 0; i < 5; i++) {
        for (int value = 0; value < 256; value++) {
            good[offsetof(flat_array, flags) + i] = (unsigned char)value;
            assert_int_equal(troupe_flat_check(&flat_array_type, good, sizeof(flat_array)),
                             value <= 1 ? TROUPE_OK : TROUPE_MALFORMED);
        }
        good[offsetof(flat_array, flags) + i] = 1;
    }
}

/* Whatever the bytes: what passes can be read, every text to its NUL, every span within. */
static void whatever_passes_the_check_can_be_read(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    uint32_t passed = 0;
    for (int round = 0; round < 200000; round++) {
        good_text_body();
        for (int change = 0; change < 1 + round % 4; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            good[random % good_size] = (unsigned char)(random >> 32 & 63);
        }
        if (troupe_flat_check(&flat_text_type, good, good_size) != TROUPE_OK)
            continue;
        const flat_text *m = (const flat_text *)(void *)good;
        assert_int_equal(strlen(troupe_flat_text(m, m->one)), m->one.size);
        assert_int_equal(strlen(troupe_flat_text(m, m->two)), m->two.size);
        assert_true(m->two.offset + m->two.size < good_size);
        passed++;
    }
    assert_in_range(passed, 1000, 199000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_has_the_id_of_its_name_and_its_version),
        cmocka_unit_test(message_of_another_type_or_version_is_not_read),
        cmocka_unit_test(every_kind_is_written_and_read_back),
        cmocka_unit_test(arrays_are_written_whole),
        cmocka_unit_test(missing_fields_are_zero_and_texts_empty),
        cmocka_unit_test(equal_fields_give_equal_bytes),
        cmocka_unit_test(runs_make_no_difference),
        cmocka_unit_test(sizes_are_right_at_the_largest_body),
        cmocka_unit_test(body_of_another_size_is_refused),
        cmocka_unit_test(span_outside_the_body_is_refused),
        cmocka_unit_test(text_without_its_nul_or_with_another_is_refused),
        cmocka_unit_test(bytes_may_hold_anything_up_to_the_end),
        cmocka_unit_test(bool_other_than_0_or_1_is_refused),
        cmocka_unit_test(whatever_passes_the_check_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

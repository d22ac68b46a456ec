/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/ride: how blobs lie behind a body, who has a reference of them, and what a check finds
 * wrong. Messages in memory, without actors; blobs on their way: core_blob_test.c, core_blob_end_test.c.
 * One thread.
 */
#include "unit/core_probe.h"

#include <stdlib.h>

#include "core/post.h"

#define MIXED_FIELDS(F) F(blob, one) F(u32, number) F(text, words) F(blob, two) F(blob, three)
TROUPE_MESSAGE(mixed, MIXED_FIELDS)
#define PLAIN_FIELDS(F) F(u32, number) F(text, words)
TROUPE_MESSAGE(plain, PLAIN_FIELDS)

static uint32_t released;

static void count_release(void *bytes, size_t size, void *context)
{
    (void)bytes;
    (void)size;
    (void)context;
    released++;
}

static troupe_blob *blob_of(char *text)
{
    troupe_blob *blob = NULL;
    assert_int_equal(troupe_blob_adopt(text, strlen(text), count_release, NULL, &blob), TROUPE_OK);
    return blob;
}

static char first_bytes[] = "the first";
static char second_bytes[] = "and the second";

/* A message with two blobs, and a third field without, as a send makes it. */
static troupe_message *message_of(troupe_blob *one, troupe_blob *three)
{
    struct letter letter;
    const mixed_fields *fields =
        TROUPE_FIELDS(mixed, .one = one, .number = 7, .words = "words", .three = three);
    assert_int_equal(letter_init(&letter, troupe_ref_none(), &mixed_type, fields), TROUPE_OK);
    size_t size = ride_block_size(letter.size, letter.ride.count);
    troupe_message *message = malloc(size);
    assert_non_null(message);
    *message = (troupe_message){.type = mixed_type.id, .version = mixed_type.version, .size = letter.size};
    ride_write(message, &letter);
    return message;
}

static void message_free(troupe_message *message)
{
    (void)ride_release(message);
    free(message);
}

static void body_is_flat_and_the_blobs_lie_behind_it_in_order(void **state)
{
    (void)state;
    troupe_blob *one = blob_of(first_bytes);
    troupe_blob *three = blob_of(second_bytes);
    troupe_message *message = message_of(one, three);
    const mixed *m = mixed_of(message);
    assert_non_null(m);
    assert_int_equal(message->flags, MESSAGE_USER | MESSAGE_RIDES);
    assert_int_equal(message_kind(message), MESSAGE_USER);
    const struct ride *ride = ride_of(message);
    assert_int_equal((uintptr_t)ride % 8, 0);
    assert_true((const char *)ride >= (const char *)troupe_body(message) + message->size);
    assert_int_equal(ride->count, 2); /* a field that was given none has no place */
    assert_ptr_equal(ride->blobs[0], one);
    assert_ptr_equal(ride->blobs[1], three);
    assert_int_equal(ride->weight, strlen(first_bytes) + strlen(second_bytes));
    assert_int_equal(ride_weight(message), ride->weight);
    assert_int_equal(message_load_of(message), message_load(message->size) + ((uint64_t)ride->weight << 32));
    assert_int_equal(m->number, 7);
    assert_string_equal(troupe_text(message, m->words), "words");
    assert_ptr_equal(troupe_blob_of(message, m->one), one);
    assert_null(troupe_blob_of(message, m->two));
    assert_ptr_equal(troupe_blob_of(message, m->three), three);
    assert_int_equal(ride_check(&mixed_type, message), TROUPE_OK);
    message_free(message);
    troupe_blob_unref(&one);
    troupe_blob_unref(&three);
}

static void message_and_each_copy_have_one_reference_of_each_blob(void **state)
{
    (void)state;
    released = 0;
    troupe_blob *one = blob_of(first_bytes);
    troupe_blob *three = blob_of(second_bytes);
    troupe_message *message = message_of(one, three);
    troupe_blob_unref(&one);
    troupe_blob_unref(&three);
    assert_int_equal(released, 0);
    troupe_message *copy = ride_copy(message);
    assert_non_null(copy);
    assert_int_equal(ride_release(message), ride_block_size(message->size, 2));
    free(message);
    assert_int_equal(released, 0);
    assert_memory_equal(troupe_blob_bytes_of(copy, mixed_of(copy)->three).data, second_bytes,
                        sizeof second_bytes - 1);
    message_free(copy);
    assert_int_equal(released, 2);
}

static void forwarded_message_takes_the_blobs_of_its_origin(void **state)
{
    (void)state;
    released = 0;
    troupe_blob *one = blob_of(first_bytes);
    troupe_message *origin = message_of(one, NULL);
    const struct letter letter = {
        .type = &mixed_type, .size = origin->size, .ride = {1, ride_weight(origin), origin}};
    troupe_message *message = malloc(ride_block_size(origin->size, 1));
    assert_non_null(message);
    *message = (troupe_message){.type = mixed_type.id, .version = mixed_type.version, .size = origin->size};
    ride_write(message, &letter);
    message_free(origin);
    assert_ptr_equal(troupe_blob_of(message, mixed_of(message)->one), one);
    assert_string_equal(troupe_text(message, mixed_of(message)->words), "words");
    troupe_blob_unref(&one);
    assert_int_equal(released, 0);
    message_free(message);
    assert_int_equal(released, 1);
}

static void load_counts_blobs_and_their_bytes_each_time_they_are_given(void **state)
{
    (void)state;
    troupe_blob *one = blob_of(first_bytes);
    struct ride_load load = {.count = 9};
    assert_int_equal(ride_measure(&mixed_type, TROUPE_FIELDS(mixed, .number = 1), &load), TROUPE_OK);
    assert_int_equal(load.count, 0);
    assert_int_equal(load.weight, 0);
    assert_int_equal(ride_measure(&mixed_type, TROUPE_FIELDS(mixed, .one = one, .two = one), &load),
                     TROUPE_OK);
    assert_int_equal(load.count, 2);
    assert_int_equal(load.weight, 2 * strlen(first_bytes));
    assert_null(load.origin);
    troupe_blob_unref(&one);
}

static void check_finds_spans_that_name_no_blob_of_the_message(void **state)
{
    (void)state;
    troupe_blob *one = blob_of(first_bytes);
    troupe_message *message = message_of(one, NULL);
    mixed *m = (mixed *)(void *)(message + 1);
    const troupe_blob_span good = m->one;
    const uint32_t wrong[] = {good.offset + 8, good.offset - 8, good.offset + 1, message->size + 1,
                              UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        m->one.offset = wrong[i];
        assert_int_equal(ride_check(&mixed_type, message), TROUPE_MALFORMED);
    }
    m->one = good;
    message->flags = MESSAGE_USER; /* taken for a flat one, no pointer leaves in it: invariant 2 */
    assert_int_equal(ride_check(&mixed_type, message), TROUPE_MALFORMED);
    message->flags = MESSAGE_RIDES;
    message->version++;
    assert_int_equal(ride_check(&mixed_type, message), TROUPE_MALFORMED);
    message->version--;
    message->type++;
    assert_int_equal(ride_check(&mixed_type, message), TROUPE_MALFORMED);
    assert_int_equal(troupe_message_flat_size(&mixed_type, message), SIZE_MAX);
    message->type--;
    assert_int_equal(ride_check(&mixed_type, message), TROUPE_OK);
    message_free(message);
    troupe_blob_unref(&one);
}

static void message_without_blobs_is_as_flat_as_its_body(void **state)
{
    (void)state;
    const plain_fields *fields = TROUPE_FIELDS(plain, .number = 7, .words = "words");
    size_t size = troupe_flat_size(&plain_type, fields);
    troupe_message *message = malloc(sizeof *message + size);
    char *body = malloc(size);
    assert_non_null(message);
    assert_non_null(body);
    *message = (troupe_message){.type = plain_type.id, .version = plain_type.version, .size = (uint32_t)size};
    troupe_flat_write(&plain_type, fields, message + 1, size);
    assert_int_equal(troupe_message_flat_size(&plain_type, message), size);
    assert_int_equal(troupe_message_flatten(&plain_type, message, body, size), TROUPE_OK);
    assert_memory_equal(body, message + 1, size);
    free(body);
    free(message);
}

/* Out as plain bytes, back as fields with new blobs of the same bytes. */
static void bytes_of_a_message_give_its_fields_again(void **state)
{
    (void)state;
    troupe_blob *one = blob_of(first_bytes);
    troupe_blob *three = blob_of(second_bytes);
    troupe_message *message = message_of(one, three);
    size_t size = troupe_message_flat_size(&mixed_type, message);
    assert_true(size >= mixed_type.size + strlen(first_bytes) + strlen(second_bytes) + sizeof "words");
    char *body = malloc(size);
    void *given = NULL;
    assert_non_null(body);
    assert_int_equal(troupe_message_flatten(&mixed_type, message, body, size - 1), TROUPE_INVALID);
    assert_int_equal(troupe_message_flatten(&mixed_type, message, body, size), TROUPE_OK);
    message_free(message);
    assert_int_equal(troupe_flat_check(&mixed_type, body, size), TROUPE_OK);
    assert_int_equal(ride_fields(&mixed_type, body, &given), TROUPE_OK);
    const mixed_fields *fields = given;
    assert_int_equal(fields->number, 7);
    assert_string_equal(fields->words, "words");
    assert_null(fields->two);
    assert_ptr_not_equal(fields->one, one);
    assert_int_equal(troupe_blob_bytes(fields->one).size, strlen(first_bytes));
    assert_memory_equal(troupe_blob_bytes(fields->one).data, first_bytes, strlen(first_bytes));
    assert_memory_equal(troupe_blob_bytes(fields->three).data, second_bytes, strlen(second_bytes));
    ride_fields_free(&mixed_type, given);
    free(body);
    troupe_blob_unref(&one);
    troupe_blob_unref(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_flat_and_the_blobs_lie_behind_it_in_order),
        cmocka_unit_test(message_and_each_copy_have_one_reference_of_each_blob),
        cmocka_unit_test(forwarded_message_takes_the_blobs_of_its_origin),
        cmocka_unit_test(load_counts_blobs_and_their_bytes_each_time_they_are_given),
        cmocka_unit_test(check_finds_spans_that_name_no_blob_of_the_message),
        cmocka_unit_test(message_without_blobs_is_as_flat_as_its_body),
        cmocka_unit_test(bytes_of_a_message_give_its_fields_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

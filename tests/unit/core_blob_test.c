/* SPDX-License-Identifier: MIT */
/*
 * Facts about blobs, alone and in messages that are handled: nothing is copied, and what rides is bytes
 * wherever a message leaves memory. Virtual time; one thread.
 */
#include "core_shelf.h"

/* --- a blob alone --------------------------------------------------------------------------------------- */

static void blob_holds_a_copy_of_its_bytes(void **state)
{
    (void)state;
    char bytes[] = "bytes";
    troupe_blob *blob;
    assert_int_equal(troupe_blob_new(bytes, 5, &blob), TROUPE_OK);
    bytes[0] = 'X';
    assert_int_equal(troupe_blob_bytes(blob).size, 5);
    assert_memory_equal(troupe_blob_bytes(blob).data, "bytes", 5);
    troupe_blob_unref(&blob);
    assert_null(blob);
    troupe_blob_unref(&blob);
    troupe_blob_unref(NULL);
    assert_null(troupe_blob_ref(NULL));
    assert_int_equal(troupe_blob_bytes(NULL).size, 0);
    assert_int_equal(troupe_blob_new(NULL, 0, &blob), TROUPE_OK);
    assert_int_equal(troupe_blob_bytes(blob).size, 0);
    troupe_blob_unref(&blob);
}

static void adopted_memory_is_released_once_with_the_last_reference(void **state)
{
    (void)state;
    int releases;
    troupe_blob *blob = counted(sizeof memory, &releases);
    troupe_blob *second = troupe_blob_ref(blob);
    assert_ptr_equal(troupe_blob_bytes(second).data, memory);
    troupe_blob_unref(&blob);
    assert_int_equal(releases, 0);
    troupe_blob_unref(&second);
    assert_int_equal(releases, 1);
    assert_int_equal(troupe_blob_adopt(NULL, 1, NULL, NULL, &blob), TROUPE_INVALID);
    assert_int_equal(troupe_blob_adopt(memory, 3, NULL, NULL, &blob), TROUPE_OK);
    troupe_blob_unref(&blob);
}

static void draft_is_written_in_place_and_frozen_as_long_as_it_became(void **state)
{
    (void)state;
    troupe_blob_draft *draft;
    troupe_blob *blob = NULL;
    assert_int_equal(troupe_blob_draft_new(100, &draft), TROUPE_OK);
    char *at = troupe_blob_draft_bytes(draft);
    assert_int_equal((uintptr_t)at % 16, 0);
    memset(at, 'z', 100);
    assert_int_equal(troupe_blob_freeze(&draft, 101, &blob), TROUPE_INVALID);
    assert_non_null(draft);
    assert_int_equal(troupe_blob_freeze(&draft, 60, &blob), TROUPE_OK);
    assert_null(draft);
    assert_ptr_equal(troupe_blob_bytes(blob).data, at);
    assert_int_equal(troupe_blob_bytes(blob).size, 60);
    troupe_blob_unref(&blob);
    assert_int_equal(troupe_blob_draft_new(10, &draft), TROUPE_OK);
    troupe_blob_draft_free(&draft);
    assert_null(draft);
    troupe_blob_draft_free(&draft);
    troupe_blob_draft_free(NULL);
}

static void blob_has_the_size_of_the_limit_and_no_more(void **state)
{
    (void)state;
    int releases = 0;
    troupe_blob *blob = counted(TROUPE_BLOB_SIZE_MAX, &releases);
    assert_int_equal(troupe_blob_bytes(blob).size, TROUPE_BLOB_SIZE_MAX);
    troupe_blob_unref(&blob);
    assert_int_equal(releases, 1);
    assert_int_equal(
        troupe_blob_adopt(memory, (size_t)TROUPE_BLOB_SIZE_MAX + 1, count_release, &releases, &blob),
        TROUPE_TOO_LARGE);
    assert_int_equal(releases, 1); /* not taken */
    assert_int_equal(troupe_blob_new(memory, (size_t)TROUPE_BLOB_SIZE_MAX + 1, &blob), TROUPE_TOO_LARGE);
    troupe_blob_draft *draft;
    assert_int_equal(troupe_blob_draft_new((size_t)TROUPE_BLOB_SIZE_MAX + 1, &draft), TROUPE_TOO_LARGE);
}

/* --- in messages ---------------------------------------------------------------------------------------- */

static void receiver_reads_the_bytes_where_the_sender_put_them(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {0};
    troupe_system *system = probe_system(2);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_blob *blob = counted(10, &releases);
    troupe_bytes seal = {"wax", 3};
    assert_int_equal(
        troupe_send(system, to, parcel, .label = "fragile", .load = blob, .number = 7, .seal = seal),
        TROUPE_OK);
    troupe_blob_unref(&blob);
    assert_int_equal(releases, 0); /* the message has its own */
    settle(system);
    assert_int_equal(shelf.count, 1);
    assert_ptr_equal(shelf.data, memory);
    assert_int_equal(shelf.size, 10);
    assert_null(shelf.more);
    assert_string_equal(shelf.label, "fragile");
    assert_string_equal(shelf.seal, "wax");
    assert_int_equal(releases, 1);
    probe_system_stop(system);
}

static void what_rides_is_bytes_in_json_in_traces_and_in_flat_bodies(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {0};
    struct shelf again = {0};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_ref to_again = shelf_spawn(system, &again, NULL);
    troupe_blob *blob = counted(4, &releases);
    troupe_bytes seal = {"wax", 3};
    const void *fields = TROUPE_FIELDS(parcel, .label = "l", .load = blob, .number = 7, .seal = seal);
    assert_int_equal(troupe_send_fields(TROUPE_CONTEXT(system), to, &parcel_type, fields), TROUPE_OK);
    settle(system);
    assert_string_equal(
        shelf.json, "{\"label\":\"l\",\"load\":\"d2hhdA==\",\"number\":7,\"seal\":\"d2F4\",\"more\":\"\"}");
    assert_string_equal(shelf.trace,
                        "parcel label=\"l\" load=<4: 77686174> number=7 seal=<3: 776178> more=<0>");
    _Alignas(8) unsigned char flat[256];
    size_t size = troupe_flat_size(&parcel_type, fields);
    assert_int_equal(size, shelf.flat_size);
    troupe_flat_write(&parcel_type, fields, flat, size);
    assert_memory_equal(flat, shelf.flat, size);
    const parcel *body = (const parcel *)(const void *)flat;
    assert_memory_equal(troupe_flat_blob(body, body->load).data, "what", 4);
    /* And back: bytes that come from elsewhere ride again. */
    assert_int_equal(troupe_send_flat(TROUPE_CONTEXT(system), to_again, &parcel_type, flat, size), TROUPE_OK);
    settle(system);
    assert_int_equal(again.count, 1);
    assert_int_equal(again.size, 4);
    assert_string_equal(again.json, shelf.json);
    assert_memory_equal(again.flat, shelf.flat, size);
    troupe_blob_unref(&blob);
    probe_system_stop(system);
}

static void flat_bytes_that_lie_are_refused_and_counted(void **state)
{
    (void)state;
    struct shelf shelf = {0};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    crate body = {{sizeof body + 1, 0}};
    troupe_context *from = TROUPE_CONTEXT(system);
    settle(system);
    assert_int_equal(troupe_send_flat(from, to, &crate_type, &body, sizeof body), TROUPE_MALFORMED);
    body.load.offset = sizeof body + 16; /* where in a message the first blob would ride */
    body.load.size = 1;
    assert_int_equal(troupe_send_flat(from, to, &crate_type, &body, sizeof body), TROUPE_MALFORMED);
    assert_int_equal(troupe_send_flat(from, to, &crate_type, &body, sizeof body - 1), TROUPE_MALFORMED);
    assert_int_equal(probe_counters(system).refused, 3);
    settle(system);
    assert_int_equal(shelf.count, 0);
    probe_system_stop(system);
}

static void what_arrives_of_an_unknown_type_or_version_is_refused_and_counted(void **state)
{
    (void)state;
    static const troupe_type *const known[] = {&fetch_type, &crate_type};
    struct shelf shelf = {0};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_context *from = TROUPE_CONTEXT(system);
    crate body = {{sizeof body, 0}};
    uint32_t id = crate_type.id;
    settle(system);
    assert_int_equal(troupe_send_arrived(from, to, known, 2, id, 2, &body, sizeof body), TROUPE_UNEXPECTED);
    assert_int_equal(troupe_send_arrived(from, to, known, 2, id + 1, 1, &body, sizeof body),
                     TROUPE_UNEXPECTED);
    assert_int_equal(troupe_send_arrived(from, to, known, 1, id, 1, &body, sizeof body), TROUPE_UNEXPECTED);
    assert_int_equal(troupe_send_arrived(from, to, known, 2, id, 1, &body, 7), TROUPE_MALFORMED);
    assert_int_equal(probe_counters(system).refused, 4);
    assert_int_equal(troupe_send_arrived(from, to, known, 2, id, 1, &body, sizeof body), TROUPE_OK);
    settle(system);
    assert_int_equal(shelf.count, 1);
    probe_system_stop(system);
}

static void blob_of_no_bytes_and_no_blob_are_told_apart(void **state)
{
    (void)state;
    struct shelf shelf = {.keeps = true};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_blob *empty;
    assert_int_equal(troupe_blob_new(NULL, 0, &empty), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, crate, .load = NULL), TROUPE_OK);
    settle(system);
    assert_null(shelf.kept);
    assert_int_equal(shelf.size, 0);
    assert_int_equal(troupe_send(system, to, crate, .load = empty), TROUPE_OK);
    settle(system);
    assert_ptr_equal(shelf.kept, empty);
    troupe_blob_unref(&shelf.kept);
    troupe_blob_unref(&empty);
    probe_system_stop(system);
}

static void blob_is_kept_beyond_its_message_and_the_system(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {.keeps = true};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_blob *blob = counted(5, &releases);
    assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    probe_system_stop(system);
    assert_int_equal(releases, 0);
    assert_ptr_equal(troupe_blob_bytes(shelf.kept).data, memory);
    troupe_blob_unref(&shelf.kept);
    assert_int_equal(releases, 1);
}

static void broadcast_of_a_blob_copies_nothing(void **state)
{
    (void)state;
    int releases;
    struct shelf shelves[MEMBERS] = {0};
    troupe_system *system = probe_system(3);
    const troupe_spawn_options options = {.group = "shelves"};
    for (int i = 0; i < MEMBERS; i++)
        shelf_spawn(system, &shelves[i], &options);
    troupe_blob *blob = counted(sizeof memory, &releases);
    assert_int_equal(troupe_broadcast(system, "shelves", crate, .load = blob), MEMBERS);
    troupe_blob_unref(&blob);
    settle(system);
    for (int i = 0; i < MEMBERS; i++) {
        assert_int_equal(shelves[i].count, 1);
        assert_ptr_equal(shelves[i].data, memory);
    }
    assert_int_equal(releases, 1);
    probe_system_stop(system);
}

static void forwarded_message_shares_its_blobs(void **state)
{
    (void)state;
    int releases;
    struct shelf last = {0};
    troupe_system *system = probe_system(2);
    struct shelf first = {.pass_to = shelf_spawn(system, &last, NULL)};
    troupe_ref to = shelf_spawn(system, &first, NULL);
    troupe_blob *blob = counted(9, &releases);
    assert_int_equal(troupe_send(system, to, parcel, .label = "on", .load = blob, .more = blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    settle(system);
    assert_int_equal(last.count, 1);
    assert_ptr_equal(last.data, memory);
    assert_int_equal(last.size, 9);
    assert_non_null(last.more);
    assert_string_equal(last.label, "on");
    assert_int_equal(releases, 1);
    probe_system_stop(system);
}

static void replies_and_calls_carry_blobs(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {.keeps = true};
    troupe_system *system = probe_system(2);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_blob *blob = counted(9, &releases);
    assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(system, to, 1000, &reply, fetch), TROUPE_OK);
    const crate *m = crate_of(reply);
    assert_non_null(m);
    assert_ptr_equal(troupe_blob_bytes_of(reply, m->load).data, memory);
    troupe_blob_unref(&shelf.kept);
    probe_system_stop(system);
    assert_int_equal(releases, 0);
    assert_ptr_equal(troupe_blob_bytes_of(reply, m->load).data, memory);
    troupe_message_free(NULL, &reply);
    assert_int_equal(releases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_holds_a_copy_of_its_bytes),
        cmocka_unit_test(adopted_memory_is_released_once_with_the_last_reference),
        cmocka_unit_test(draft_is_written_in_place_and_frozen_as_long_as_it_became),
        cmocka_unit_test(blob_has_the_size_of_the_limit_and_no_more),
        cmocka_unit_test(receiver_reads_the_bytes_where_the_sender_put_them),
        cmocka_unit_test(what_rides_is_bytes_in_json_in_traces_and_in_flat_bodies),
        cmocka_unit_test(flat_bytes_that_lie_are_refused_and_counted),
        cmocka_unit_test(what_arrives_of_an_unknown_type_or_version_is_refused_and_counted),
        cmocka_unit_test(blob_of_no_bytes_and_no_blob_are_told_apart),
        cmocka_unit_test(blob_is_kept_beyond_its_message_and_the_system),
        cmocka_unit_test(broadcast_of_a_blob_copies_nothing),
        cmocka_unit_test(forwarded_message_shares_its_blobs),
        cmocka_unit_test(replies_and_calls_carry_blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

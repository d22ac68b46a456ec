/* SPDX-License-Identifier: MIT */
/*
 * Facts about messages with blobs: every reference a message took is let go once, however it ends; mailboxes
 * count the bytes; another version of a type is refused. Virtual time but where a test says otherwise.
 */
#include "core_shelf.h"

#include <semaphore.h>
#include <time.h>

/* --- every end of a message ----------------------------------------------------------------------------- */

/* Sends one crate, lets the reference go and gives the status. */
static troupe_status send_one(troupe_system *system, troupe_ref to, int *releases)
{
    troupe_blob *blob = counted(100, releases);
    troupe_status status = troupe_send(system, to, crate, .load = blob);
    troupe_blob_unref(&blob);
    return status;
}

static void blob_goes_with_a_message_that_is_not_handled(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {.answer = TROUPE_UNEXPECTED};
    troupe_system *system = probe_system(2);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    assert_int_equal(send_one(system, to, &releases), TROUPE_OK);
    settle(system);
    assert_int_equal(releases, 1);
    shelf.answer = TROUPE_STASHED;
    assert_int_equal(send_one(system, to, &releases), TROUPE_OK);
    settle(system);
    assert_int_equal(releases, 0);
    shelf.answer = TROUPE_FAILED; /* the actor ends over the next one, and the kept one with it */
    int others;
    assert_int_equal(send_one(system, to, &others), TROUPE_OK);
    settle(system);
    assert_int_equal(others, 1);
    assert_int_equal(releases, 1);
    assert_int_equal(send_one(system, to, &releases), TROUPE_NO_ACTOR);
    assert_int_equal(releases, 1);
    probe_system_stop(system);
}

static void blob_goes_with_a_message_that_lapsed(void **state)
{
    (void)state;
    int releases;
    uint64_t wait_ms;
    struct shelf shelf = {0};
    const troupe_options options = {.embedded = true};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_blob *blob = counted(3, &releases);
    assert_int_equal(troupe_send(system, to, crate, .load = blob, .envelope.deadline_ms = 1), TROUPE_OK);
    troupe_blob_unref(&blob);
    assert_int_equal(releases, 0);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* nothing is stepped meanwhile */
    assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
    assert_int_equal(releases, 1);
    assert_int_equal(shelf.count, 0);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_EXPIRED], 1);
    assert_int_equal(troupe_stop(&system), 0);
}

/* What a probe sends two crates to in one turn, and what came of it. */
static struct {
    troupe_ref to;
    int releases[2];
    troupe_status statuses[2];
} pair;

static troupe_status send_pair(troupe_self *self)
{
    for (int i = 0; i < 2; i++) {
        troupe_blob *blob = counted(100, &pair.releases[i]);
        pair.statuses[i] = troupe_send(self, pair.to, crate, .load = blob);
        troupe_blob_unref(&blob);
    }
    return TROUPE_OK;
}

static void blob_goes_with_a_message_that_a_full_mailbox_drops(void **state)
{
    (void)state;
    static const troupe_overflow policies[] = {TROUPE_OVERFLOW_REFUSE, TROUPE_OVERFLOW_DROP_OLDEST,
                                               TROUPE_OVERFLOW_DROP_NEWEST, TROUPE_OVERFLOW_SHED};
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        struct probe probe;
        struct shelf shelf = {0};
        troupe_system *system = probe_system(1);
        const troupe_spawn_options options = {.mailbox_len_max = 1, .overflow = policies[i]};
        pair.to = shelf_spawn(system, &shelf, &options);
        probe_spawn(system, &probe, NULL);
        probe_do(system, &probe, send_pair);
        assert_int_equal(pair.statuses[0], TROUPE_OK);
        assert_int_equal(pair.statuses[1], policies[i] == TROUPE_OVERFLOW_REFUSE ? TROUPE_FULL : TROUPE_OK);
        assert_int_equal(shelf.count, 1);
        assert_int_equal(pair.releases[0], 1);
        assert_int_equal(pair.releases[1], 1);
        assert_int_equal(probe_counters(system).dead_letters, policies[i] != TROUPE_OVERFLOW_REFUSE);
        probe_system_stop(system);
    }
}

static void blob_goes_with_a_message_left_when_the_system_stops(void **state)
{
    (void)state;
    int first, second;
    struct shelf shelf = {.answer = TROUPE_STASHED};
    troupe_options options = {.workers = 2, .drain_ms = 1, .simulate = {.seed = 3}};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    assert_int_equal(send_one(system, to, &first), TROUPE_OK);
    settle(system);
    assert_int_equal(send_one(system, to, &second), TROUPE_OK);
    assert_int_equal(first + second, 0);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(first, 1);
    assert_int_equal(second, 1);
}

static void send_without_memory_takes_no_reference(void **state)
{
    (void)state;
    int refused = 0;
    const troupe_options options = {.workers = 1, .simulate = {.seed = 11, .no_memory_probability = 0.3}};
    troupe_system *system;
    struct shelf shelf = {0};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref to = troupe_ref_none();
    while (troupe_ref_is_none(to))
        to = shelf_spawn(system, &shelf, NULL);
    for (int i = 0; i < 200; i++) {
        int releases;
        troupe_status status = send_one(system, to, &releases);
        assert_int_equal(releases, status == TROUPE_OK ? 0 : 1);
        refused += status == TROUPE_NO_MEMORY;
        settle(system);
        assert_int_equal(releases, 1);
    }
    assert_true(refused > 10);
    assert_int_equal(shelf.count, 200 - refused);
    assert_int_equal(troupe_stop(&system), 0);
}

/* --- bounds --------------------------------------------------------------------------------------------- */

static void mailbox_counts_the_bytes_of_blobs(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 2; workers++) {
        int releases, others;
        struct shelf shelf = {0};
        troupe_system *system = probe_system(workers);
        const troupe_spawn_options options = {.mailbox_bytes_max = 2 * CRATE_WEIGHT + 16 + 1000};
        troupe_ref to = shelf_spawn(system, &shelf, &options);
        troupe_blob *blob = counted(990, &releases);
        troupe_blob *small = counted(10, &others);
        assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_OK);
        assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_FULL);
        assert_int_equal(troupe_send(system, to, crate, .load = small), TROUPE_OK);
        assert_int_equal(troupe_send(system, to, crate, .load = small), TROUPE_FULL);
        settle(system);
        assert_int_equal(shelf.count, 2);
        assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_OK); /* room again */
        settle(system);
        assert_int_equal(shelf.count, 3);
        troupe_blob_unref(&blob);
        blob = counted(2 * CRATE_WEIGHT + 16 + 1000 - CRATE_WEIGHT, &releases);
        assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_OK);
        settle(system);
        troupe_blob_unref(&blob);
        assert_int_equal(releases, 1);
        blob = counted(2 * CRATE_WEIGHT + 16 + 1000 - CRATE_WEIGHT + 1, &releases);
        assert_int_equal(troupe_send(system, to, crate, .load = blob), TROUPE_TOO_LARGE);
        troupe_blob_unref(&blob);
        assert_int_equal(releases, 1);
        troupe_blob_unref(&small);
        probe_system_stop(system);
    }
}

static void blobs_of_a_message_hold_the_limit_together_and_no_more(void **state)
{
    (void)state;
    int releases, others;
    struct shelf shelf = {.answer = TROUPE_UNEXPECTED};
    troupe_system *system = probe_system(1);
    const troupe_spawn_options options = {.mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX,
                                          .overflow = TROUPE_OVERFLOW_DROP_NEWEST,
                                          .mailbox_len_max = 1};
    troupe_ref to = shelf_spawn(system, &shelf, &options);
    settle(system);
    assert_int_equal(troupe_send(system, to, fetch), TROUPE_OK); /* so that nobody reads what is not there */
    troupe_blob *large = counted(TROUPE_BLOB_SIZE_MAX - 1, &releases);
    troupe_blob *one = counted(1, &others);
    assert_int_equal(troupe_send(system, to, parcel, .load = large, .more = one), TROUPE_OK);
    troupe_blob *two = counted(2, &others);
    assert_int_equal(troupe_send(system, to, parcel, .load = large, .more = two), TROUPE_TOO_LARGE);
    troupe_blob_unref(&large);
    troupe_blob_unref(&one);
    troupe_blob_unref(&two);
    assert_int_equal(releases, 1);
    probe_system_stop(system);
}

#define STORE(F) F(ref, to)
TROUPE_MESSAGE(store, STORE)

static int parked_statuses[TROUPE_FULL + 1];

static troupe_status storer_receive(troupe_self *self, const troupe_message *message)
{
    const store *m = store_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    troupe_blob *blob = NULL;
    assert_int_equal(troupe_blob_adopt(memory, TROUPE_BLOB_SIZE_MAX, NULL, NULL, &blob), TROUPE_OK);
    troupe_status status = troupe_send(self, m->to, crate, .load = blob);
    assert_true(status == TROUPE_OK || status == TROUPE_FULL);
    parked_statuses[status]++;
    troupe_blob_unref(&blob);
    return TROUPE_OK;
}

static sem_t opens;

static troupe_status closed_receive(troupe_self *self, const troupe_message *message)
{
    uint32_t *count = *(uint32_t **)troupe_state(self);
    if (fetch_of(message) != NULL)
        sem_wait(&opens);
    else
        ++*count;
    return TROUPE_OK;
}

static void step_until_quiet(troupe_system *system)
{
    uint64_t wait_ms = 0;
    while (wait_ms == 0)
        assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
}

static void parked_senders_of_blobs_do_not_overflow_the_sum_of_bytes(void **state)
{
    (void)state;
    enum { STORERS = 12, FIT = 5 }; /* six blobs and their headers are over 1.5 GiB */
    static const troupe_behaviour storer = {.name = "storer", .receive = storer_receive};
    static const troupe_behaviour closed = {
        .name = "closed", .state_size = sizeof(uint32_t *), .receive = closed_receive};
    uint32_t count = 0;
    uint32_t *count_at = &count;
    const troupe_options embedded = {.embedded = true};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &embedded), TROUPE_OK);
    sem_init(&opens, 0, 0);
    const troupe_spawn_options options = {.mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX,
                                          .overflow = TROUPE_OVERFLOW_PARK,
                                          .own_thread = true,
                                          .state = &count_at};
    troupe_ref to = troupe_spawn(system, &closed, &options);
    assert_int_equal(troupe_send(system, to, fetch), TROUPE_OK);
    memset(parked_statuses, 0, sizeof parked_statuses);
    for (int i = 0; i < STORERS; i++) {
        troupe_ref from = troupe_spawn(system, &storer, NULL);
        assert_int_equal(troupe_send(system, from, store, .to = to), TROUPE_OK);
    }
    step_until_quiet(system);
    assert_int_equal(parked_statuses[TROUPE_OK], FIT);
    assert_int_equal(parked_statuses[TROUPE_FULL], STORERS - FIT);
    sem_post(&opens);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(count, FIT);
    sem_destroy(&opens);
}

/* --- versions ------------------------------------------------------------------------------------------- */

static void another_version_of_a_type_is_refused_and_counted(void **state)
{
    (void)state;
    int releases;
    struct shelf shelf = {.keeps = true, .answer = TROUPE_UNEXPECTED};
    troupe_system *system = probe_system(1);
    troupe_ref to = shelf_spawn(system, &shelf, NULL);
    troupe_type later = crate_type; /* as another program has it */
    later.version = 2;
    troupe_blob *blob = counted(3, &releases);
    const void *fields = TROUPE_FIELDS(crate, .load = blob);
    assert_int_equal(troupe_send_fields(TROUPE_CONTEXT(system), to, &later, fields), TROUPE_OK);
    settle(system);
    assert_null(shelf.kept); /* crate_of gave nothing */
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_UNEXPECTED], 1);
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call_fields(system, to, 1000, &reply, &later, fields), TROUPE_UNEXPECTED);
    assert_null(reply);
    troupe_blob_unref(&blob);
    assert_int_equal(releases, 1);
    assert_int_equal(crate_later_type.version, 2);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_goes_with_a_message_that_is_not_handled),
        cmocka_unit_test(blob_goes_with_a_message_that_lapsed),
        cmocka_unit_test(blob_goes_with_a_message_that_a_full_mailbox_drops),
        cmocka_unit_test(blob_goes_with_a_message_left_when_the_system_stops),
        cmocka_unit_test(send_without_memory_takes_no_reference),
        cmocka_unit_test(mailbox_counts_the_bytes_of_blobs),
        cmocka_unit_test(blobs_of_a_message_hold_the_limit_together_and_no_more),
        cmocka_unit_test(parked_senders_of_blobs_do_not_overflow_the_sum_of_bytes),
        cmocka_unit_test(another_version_of_a_type_is_refused_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

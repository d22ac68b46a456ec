/* SPDX-License-Identifier: MIT */
/*
 * Facts about want of memory in what an actor has beside messages: blobs and messages built in place,
 * resources, subscriptions to events, snapshots of the tree and signals. Whichever allocation fails, it is
 * said by a status, nothing leaks, each thing that was owned is released once, and the system goes on. See
 * core_faults.h for how. One thread.
 */
#include "core_faults.h"

#include <fcntl.h>

enum {
    THINGS = 9,          /* tables grow at 4 and 8 */
    PARCEL_SIZE = 10000, /* more than a slab holds */
};

static troupe_ref target;
static char parcel[PARCEL_SIZE];

/* -- blobs ----------------------------------------------------------------------------------------------- */

#define PARCEL_FIELDS(F) F(u64, number) F(blob, load)
TROUPE_MESSAGE(fault_parcel, PARCEL_FIELDS)

static int released;

static void release(void *bytes, size_t size, void *context)
{
    (void)bytes;
    (void)size;
    (void)context;
    released++;
}

/* One blob, made in one of three ways, or NULL. */
static troupe_blob *blob_make(int way)
{
    troupe_blob *blob = NULL;
    troupe_blob_draft *draft = NULL;
    if (way == 0)
        return done(troupe_blob_new(parcel, sizeof parcel, &blob)) ? blob : NULL;
    if (way == 1) {
        bool is_taken = done(troupe_blob_adopt(parcel, sizeof parcel, release, NULL, &blob));
        released += !is_taken; /* it stays the caller's */
        return blob;
    }
    released++;
    if (done(troupe_blob_draft_new(sizeof parcel, &draft)) &&
        !done(troupe_blob_freeze(&draft, sizeof parcel / 2, &blob)))
        troupe_blob_draft_free(&draft);
    return blob;
}

static void blobs_run(troupe_system *system)
{
    target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    released = 0;
    for (int way = 0; way < 3; way++) {
        troupe_blob *blob = blob_make(way);
        released += way == 0;
        if (blob == NULL)
            continue;
        if (!troupe_ref_is_none(target))
            (void)done(troupe_send(system, target, fault_parcel, .load = blob));
        troupe_message *message = NULL;
        if (done(troupe_begin(system, fault_parcel, 64, &message))) {
            fault_parcel *body = troupe_build_body(message, &fault_parcel_type);
            if (done(troupe_build_blob(message, &body->load, blob)) && !troupe_ref_is_none(target))
                (void)done(troupe_post_message(troupe_system_context(system), target, &message));
            troupe_message_free(system, &message);
        }
        troupe_blob_unref(&blob);
        troupe_sim_advance(system, 0);
    }
    assert_int_equal(released, 3);
}

/* -- resources ------------------------------------------------------------------------------------------- */

static int owned;
static int given_back;

static void give_back(void *pointer)
{
    (void)pointer;
    given_back++;
}

static void resources_do(troupe_self *self)
{
    for (size_t i = 0; i < THINGS; i++) {
        void *memory;
        if (done(troupe_alloc(self, i % 2 == 0 ? 64 : sizeof parcel, &memory)) && i % 3 == 0)
            troupe_free(self, memory);
        owned += done(troupe_own(self, &parcel[i], give_back));
        int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        if (!done(troupe_own_fd(self, fd)))
            close(fd);
    }
}

static void resources_run(troupe_system *system)
{
    owned = given_back = 0;
    troupe_ref ref = fault_do(system, resources_do);
    target = ref;
}

static void resources_finish(troupe_system *system)
{
    assert_int_equal(troupe_shutdown(system, target, TROUPE_SHUTDOWN), TROUPE_OK);
    troupe_sim_advance(system, 0);
    assert_int_equal(owned, given_back);
}

/* -- events, snapshots, signals -------------------------------------------------------------------------- */

static void events_do(troupe_self *self)
{
    const uint32_t all = TROUPE_EVENT_SPAWNED | TROUPE_EVENT_STARTED | TROUPE_EVENT_ENDED |
                         TROUPE_EVENT_OVERFLOW_BEGAN | TROUPE_EVENT_DEAD_LETTER;
    uint64_t first;
    if (done(troupe_subscribe(self, all, 4, &first)))
        (void)done(troupe_subscribe(self, TROUPE_EVENT_ENDED, 4, NULL));
}

static void events_run(troupe_system *system)
{
    fault_do(system, events_do);
    for (int i = 0; i < 3; i++) {
        target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){.mailbox_len_max = 1});
        if (!troupe_ref_is_none(target)) {
            fault_note_to(troupe_system_context(system), target, 13);
            tally.notes += troupe_send(system, target, fault_note, .value = 1) == TROUPE_OK;
        }
        troupe_sim_advance(system, 1);
    }
}

static void snapshots_run(troupe_system *system)
{
    static const troupe_child_spec child = {
        .id = "leaf", .behaviour = &fault_plain, .options = {.name = "leaf"}};
    const troupe_supervisor_spec spec = {.name = "root", .children = &child, .child_count = 1};
    troupe_snapshot *snapshot = NULL;
    troupe_status status;
    (void)troupe_supervisor_start(system, &spec, &status);
    (void)done(status);
    troupe_sim_advance(system, 1);
    if (done(troupe_snapshot_take(system, &snapshot))) {
        FILE *null = fopen("/dev/null", "w");
        assert_non_null(null);
        assert_true(snapshot->node_count <= 2);
        troupe_snapshot_print_json(snapshot, null);
        fclose(null);
    }
    troupe_snapshot_free(&snapshot);
}

static void signals_do(troupe_self *self)
{
    if (done(troupe_signal_watch(self, SIGUSR1)))
        troupe_signal_unwatch(self, SIGUSR1);
    (void)done(troupe_signal_watch(self, SIGUSR2));
}

static void signals_run(troupe_system *system)
{
    fault_do(system, signals_do);
    troupe_sim_advance(system, 1);
}

static const struct fault_scenario blobs = {"blobs", blobs_run, NULL, true};
static const struct fault_scenario resources = {"resources", resources_run, resources_finish, true};
static const struct fault_scenario events = {"events", events_run, NULL, true};
static const struct fault_scenario snapshots = {"snapshots", snapshots_run, NULL, true};
static const struct fault_scenario signals = {"signals", signals_run, NULL, true};

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(blobs_without_memory_are_released_once, &blobs),
        FAULT_TEST(resources_without_memory_stay_their_callers, &resources),
        FAULT_TEST(events_without_memory_are_missed_not_leaked, &events),
        FAULT_TEST(snapshots_without_memory_are_none, &snapshots),
        FAULT_TEST(signals_without_memory_say_so, &signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

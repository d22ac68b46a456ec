/* SPDX-License-Identifier: MIT */
/*
 * Facts about being found while coming and going, on real threads: actors whose names are looked up and sent
 * to by others before their spawn has returned, with and without a thread of their own; descriptors watched
 * by actors that move; and children with a thread of their own that end before their supervisor has turned
 * round.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "core/relief.h"
#include "core/scheduler.h"

enum {
    WORKERS = 6,
    NAMES = 4,
    ROUNDS = 400,
    SEEKERS = 3,
    MESSAGES_A_LIFE = 3,
    PIPES = 12,
    BYTES_A_PIPE = 400,
    WAIT_MS_MAX = 60000,
    NAME_SIZE = 8,
};

TROUPE_MESSAGE_EMPTY(race_hello)
#define WATCH_FIELDS(F) F(i32, fd)
TROUPE_MESSAGE(race_watch, WATCH_FIELDS)

static _Atomic uint64_t accepted;
static _Atomic uint64_t greeted;
static _Atomic uint64_t lives;
static _Atomic bool is_over;

static bool wait_for(troupe_system *system, bool (*is_reached)(troupe_system *system))
{
    for (int ms = 0; ms < WAIT_MS_MAX && !is_reached(system); ms++)
        usleep(1000);
    return is_reached(system);
}

static bool is_quiet(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    return counters.sent == counters.handled + counters.dead_letters;
}

/* -- names ----------------------------------------------------------------------------------------------- */

static troupe_status brief_receive(troupe_self *self, const troupe_message *message)
{
    uint32_t *count = troupe_state(self);
    ASSERT(race_hello_of(message) != NULL);
    fetch_add_relaxed(&greeted, 1);
    if (++*count == MESSAGES_A_LIFE)
        troupe_exit(self);
    return TROUPE_OK;
}

static void brief_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    fetch_add_relaxed(&lives, 1);
}

static const troupe_behaviour brief = {
    .name = "brief", .state_size = sizeof(uint32_t), .receive = brief_receive, .stop = brief_stop};

static void *spawn_named(void *context)
{
    troupe_system *system = context;
    for (uint32_t i = 0; i < ROUNDS;) {
        char name[NAME_SIZE];
        troupe_status status;
        snprintf(name, sizeof name, "n%u", i % NAMES);
        const troupe_spawn_options options = {.name = name, .own_thread = i % 8 == 0, .ret_status = &status};
        troupe_spawn(system, &brief, &options);
        ASSERT(status == TROUPE_OK || status == TROUPE_NAME_TAKEN);
        if (status == TROUPE_OK)
            i++;
        else
            usleep(10);
    }
    return NULL;
}

static void *seek_names(void *context)
{
    troupe_system *system = context;
    for (uint32_t i = 0; !load_relaxed(&is_over); i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "n%u", i % NAMES);
        troupe_ref ref = troupe_whereis(system, name);
        if (!troupe_ref_is_none(ref) && troupe_send(system, ref, race_hello) == TROUPE_OK)
            fetch_add_relaxed(&accepted, 1);
        if (i % 64 == 0)
            usleep(50);
    }
    return NULL;
}

static void named_actor_may_be_sent_to_before_its_spawn_has_returned(void **state)
{
    (void)state;
    const troupe_options options = {.workers = WORKERS};
    troupe_system *system;
    pthread_t spawner;
    pthread_t seekers[SEEKERS];
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    assert_int_equal(pthread_create(&spawner, NULL, spawn_named, system), 0);
    for (int i = 0; i < SEEKERS; i++)
        assert_int_equal(pthread_create(&seekers[i], NULL, seek_names, system), 0);
    pthread_join(spawner, NULL);
    for (int ms = 0; load_relaxed(&lives) < ROUNDS - NAMES && ms < WAIT_MS_MAX; ms++)
        usleep(1000);
    store_relaxed(&is_over, true);
    for (int i = 0; i < SEEKERS; i++)
        pthread_join(seekers[i], NULL);
    assert_true(wait_for(system, is_quiet));
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.actors_spawned, ROUNDS);
    assert_int_equal(counters.sent, load_relaxed(&accepted));
    assert_int_equal(counters.handled, load_relaxed(&greeted));
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(load_relaxed(&lives), ROUNDS);
}

/* -- descriptors ----------------------------------------------------------------------------------------- */

static _Atomic uint64_t bytes_read;

/* Reads all there is, and keeps moving about. */
static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    int *fd = troupe_state(self);
    char bytes[32];
    ssize_t count;
    if (race_watch_of(message) != NULL)
        *fd = race_watch_of(message)->fd;
    else
        ASSERT(troupe_ready_of(message) != NULL && troupe_ready_of(message)->fd == *fd);
    while ((count = read(*fd, bytes, sizeof bytes)) > 0)
        fetch_add_relaxed(&bytes_read, (uint64_t)count);
    {
        RUNTIME_SCOPE(self);
        scheduler_deal(worker);
    }
    ASSERT(troupe_watch(self, *fd, TROUPE_READY_READ) == TROUPE_OK);
    return TROUPE_OK;
}

static void reader_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    troupe_unwatch(self, *(int *)troupe_state(self));
}

static const troupe_behaviour reader = {
    .name = "reader", .state_size = sizeof(int), .receive = reader_receive, .stop = reader_stop};

static bool all_is_read(troupe_system *system)
{
    (void)system;
    return load_relaxed(&bytes_read) == (uint64_t)PIPES * BYTES_A_PIPE;
}

static void descriptors_of_moving_actors_are_reported(void **state)
{
    (void)state;
    const troupe_options options = {.workers = WORKERS};
    troupe_system *system;
    int fds[PIPES][2];
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    for (int i = 0; i < PIPES; i++) {
        assert_int_equal(pipe2(fds[i], O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(
            troupe_send(system, troupe_spawn(system, &reader, NULL), race_watch, .fd = fds[i][0]), TROUPE_OK);
    }
    for (int n = 0; n < BYTES_A_PIPE; n++) {
        for (int i = 0; i < PIPES; i++)
            assert_int_equal(write(fds[i][1], "x", 1), 1);
        if (n % 16 == 0)
            usleep(300);
    }
    assert_true(wait_for(system, all_is_read));
    assert_int_equal(troupe_stop(&system), 0);
    for (int i = 0; i < PIPES; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

/* -- children -------------------------------------------------------------------------------------------- */

static _Atomic uint32_t started;

static troupe_status quick_start(troupe_self *self)
{
    fetch_add_relaxed(&started, 1);
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour quick = {.name = "quick", .start = quick_start, .receive = brief_receive};

static bool all_have_started(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    return load_relaxed(&started) == ROUNDS && counters.actors_ended == ROUNDS && is_quiet(system);
}

/* A transient child that ended normally is not restarted, however soon it did. */
static void end_of_a_child_is_heard_with_its_reason_however_soon(void **state)
{
    (void)state;
    const troupe_options options = {.workers = 2};
    const troupe_supervisor_spec spec = {.intensity_none = true};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref supervisor = troupe_supervisor_start(system, &spec, NULL);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char id[NAME_SIZE];
        snprintf(id, sizeof id, "c%u", i);
        const troupe_child_spec child = {.id = id,
                                         .behaviour = &quick,
                                         .restart = TROUPE_RESTART_TRANSIENT,
                                         .options = {.own_thread = true}};
        assert_int_equal(troupe_supervisor_add(system, supervisor, &child), TROUPE_OK);
        for (int tenth_ms = 0; load_relaxed(&started) <= i && tenth_ms < WAIT_MS_MAX * 10; tenth_ms++)
            usleep(100);
    }
    assert_true(wait_for(system, all_have_started));
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(system, supervisor, &info), TROUPE_OK);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_actor_may_be_sent_to_before_its_spawn_has_returned),
        cmocka_unit_test(descriptors_of_moving_actors_are_reported),
        cmocka_unit_test(end_of_a_child_is_heard_with_its_reason_however_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about spawning and sending from many threads at once: every actor spawned runs, handles what was sent
 * to it in order, and ends; every outside thread's messages are handled once. Real threads; run under the
 * thread sanitizer it also shows that no access is unordered.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"

enum {
    WORKERS = 6,
    THREADS = 3,
    ACTORS_A_THREAD = 2000,
    MESSAGES_AN_ACTOR = 5,
    WAIT_MS_MAX = 60000,
};

#define STEP_FIELDS(F) F(u32, number)
TROUPE_MESSAGE(spawn_step, STEP_FIELDS)

static _Atomic uint64_t ended_count;
static _Atomic uint64_t handled_count;

/* Counts up to MESSAGES_AN_ACTOR and ends. */
static troupe_status counter_receive(troupe_self *self, const troupe_message *message)
{
    uint32_t *next = troupe_state(self);
    const spawn_step *m = spawn_step_of(message);
    ASSERT(m != NULL && m->number == *next);
    fetch_add_relaxed(&handled_count, 1);
    if (++*next == MESSAGES_AN_ACTOR)
        troupe_exit(self);
    return TROUPE_OK;
}

static void counter_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    ASSERT(reason == TROUPE_OK);
    fetch_add_relaxed(&ended_count, 1);
}

static const troupe_behaviour counter = {
    .name = "counter", .state_size = sizeof(uint32_t), .receive = counter_receive, .stop = counter_stop};

static void *spawn_many(void *context)
{
    troupe_system *system = context;
    for (int i = 0; i < ACTORS_A_THREAD; i++) {
        troupe_ref ref = troupe_spawn(system, &counter, NULL);
        ASSERT(!troupe_ref_is_none(ref));
        for (uint32_t number = 0; number < MESSAGES_AN_ACTOR; number++) {
            troupe_status status = troupe_send(system, ref, spawn_step, .number = number);
            ASSERT(status == TROUPE_OK);
        }
    }
    return NULL;
}

static void actors_spawned_from_many_threads_handle_all_and_end(void **state)
{
    (void)state;
    const troupe_options options = {.workers = WORKERS};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spawn_many, system), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const uint64_t actors = (uint64_t)THREADS * ACTORS_A_THREAD;
    for (int ms = 0; load_relaxed(&ended_count) < actors && ms < WAIT_MS_MAX; ms++)
        usleep(1000);
    assert_int_equal(load_relaxed(&ended_count), actors);
    assert_int_equal(load_relaxed(&handled_count), actors * MESSAGES_AN_ACTOR);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    assert_int_equal(counters.dead_letters, 0);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_spawned_from_many_threads_handle_all_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

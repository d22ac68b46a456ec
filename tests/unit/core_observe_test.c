/* SPDX-License-Identifier: MIT */
/* Facts about the counters of systems and workers. */
#include <unistd.h>

#include "base/atomic.h"
#include "core_probe.h"

enum {
    WORKERS = 3,
    ACTORS = 100,
    SLEEP_MS = 40,
    NS_PER_MS = 1000000,
    WAIT_MS_MAX = 20000,
};

static void add(troupe_counters *sum, const troupe_counters *counters)
{
    sum->actors_spawned += counters->actors_spawned;
    sum->sent += counters->sent;
    sum->handled += counters->handled;
    sum->dead_letters += counters->dead_letters;
    sum->activations += counters->activations;
    sum->moved += counters->moved;
}

static troupe_status once_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour once = {.name = "once", .receive = once_receive};

static void counters_of_all_workers_add_up_to_the_systems(void **state)
{
    (void)state;
    troupe_system *system = probe_system(WORKERS);
    for (uint32_t i = 0; i < ACTORS; i++) {
        troupe_ref to = troupe_spawn(system, &once, NULL);
        troupe_send(system, to, probe_value, .value = i);
    }
    settle(system);
    assert_int_equal(troupe_worker_count(system), WORKERS);
    troupe_counters sum = {0};
    troupe_worker_info info;
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(troupe_worker_counters(system, i, &info), TROUPE_OK);
        assert_false(info.is_own_thread);
        assert_true(info.counters.activations > 0);
        assert_true(info.counters.activations < ACTORS);
        add(&sum, &info.counters);
    }
    assert_int_equal(troupe_worker_counters(system, TROUPE_WORKER_OUTSIDE, &info), TROUPE_OK);
    assert_int_equal(info.counters.actors_spawned, ACTORS);
    assert_int_equal(info.counters.sent, ACTORS);
    assert_int_equal(info.counters.activations, 0);
    add(&sum, &info.counters);
    troupe_counters all = probe_counters(system);
    assert_int_equal(sum.actors_spawned, all.actors_spawned);
    assert_int_equal(sum.sent, all.sent);
    assert_int_equal(sum.handled, all.handled);
    assert_int_equal(sum.activations, all.activations);
    assert_int_equal(sum.moved, all.moved);
    assert_true(all.moved > 0);
    probe_system_stop(system);
}

static void worker_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    troupe_system *system = probe_system(WORKERS);
    troupe_worker_info info;
    assert_int_equal(troupe_worker_counters(system, WORKERS, &info), TROUPE_NOT_FOUND);
    assert_int_equal(troupe_worker_counters(system, TROUPE_WORKER_OUTSIDE - 1, &info), TROUPE_NOT_FOUND);
    probe_system_stop(system);
}

static void worker_of_one_actor_is_marked_as_such(void **state)
{
    (void)state;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    assert_false(
        troupe_ref_is_none(troupe_spawn(system, &once, &(troupe_spawn_options){.own_thread = true})));
    assert_int_equal(troupe_worker_count(system), 2);
    troupe_worker_info info;
    assert_int_equal(troupe_worker_counters(system, 1, &info), TROUPE_OK);
    assert_true(info.is_own_thread);
    assert_int_equal(troupe_stop(&system), 0);
}

static _Atomic bool is_busy;

static troupe_status busy_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    store_relaxed(&is_busy, true);
    while (load_relaxed(&is_busy)) {
    }
    return TROUPE_OK;
}

static uint64_t idle_of(troupe_system *system, uint64_t *ret_up_ns)
{
    troupe_worker_info info;
    assert_int_equal(troupe_worker_counters(system, 0, &info), TROUPE_OK);
    *ret_up_ns = info.up_ns;
    return info.idle_ns;
}

static void worker_is_idle_while_it_sleeps_and_busy_in_a_handler(void **state)
{
    (void)state;
    static const troupe_behaviour busy = {.name = "busy", .receive = busy_receive};
    troupe_system *system = NULL;
    uint64_t up_ns;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1, .handler_ms = 60000}), TROUPE_OK);
    for (int ms = 0; idle_of(system, &up_ns) == 0 && ms < WAIT_MS_MAX; ms++)
        usleep(1000);
    uint64_t idle_then_ns = idle_of(system, &up_ns);
    usleep(SLEEP_MS * 1000);
    assert_true(idle_of(system, &up_ns) >= idle_then_ns + SLEEP_MS * (uint64_t)NS_PER_MS);
    troupe_ref to = troupe_spawn(system, &busy, NULL);
    assert_int_equal(troupe_send(system, to, probe_value, .value = 1), TROUPE_OK);
    while (!load_relaxed(&is_busy)) {
    }
    idle_then_ns = idle_of(system, &up_ns);
    usleep(SLEEP_MS * 1000 / 4);
    uint64_t idle_now_ns = idle_of(system, &up_ns);
    store_relaxed(&is_busy, false);
    assert_int_equal(idle_now_ns, idle_then_ns);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_of_all_workers_add_up_to_the_systems),
        cmocka_unit_test(worker_that_is_not_there_is_not_found),
        cmocka_unit_test(worker_of_one_actor_is_marked_as_such),
        cmocka_unit_test(worker_is_idle_while_it_sleeps_and_busy_in_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/sim: each fault at its edges (0: never, 1: always, in between: as the seed says), that
 * faults can be switched off, and what of a machine's freedom the seed draws. Virtual time, but for what
 * there is without it.
 */
#include "unit/core_probe.h"

#include <math.h>

#include "core/scheduler.h"
#include "core/sim.h"

enum {
    SENDS = 100,
    SEEDS = 40,
    TIMERS = 3,
};

static struct probe probe;
static struct probe other;
static troupe_ref target;
static uint64_t timers_started_ns;

static troupe_system *start_with(uint32_t workers, troupe_simulation simulate)
{
    troupe_options options = {.workers = workers, .simulate = simulate};
    if (options.simulate.seed == 0)
        options.simulate.seed = 7;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static troupe_status started_with(troupe_simulation simulate)
{
    troupe_options options = {.workers = 1, .simulate = simulate};
    troupe_system *system = NULL;
    troupe_status status = troupe_start(&system, &options);
    assert_int_equal(troupe_stop(&system), 0);
    return status;
}

static void options_are_taken_up_to_their_edges_and_not_beyond(void **state)
{
    (void)state;
    static const size_t probabilities[] = {
        offsetof(troupe_simulation, refuse_probability),   offsetof(troupe_simulation, no_memory_probability),
        offsetof(troupe_simulation, crash_probability),    offsetof(troupe_simulation, delay_probability),
        offsetof(troupe_simulation, spurious_probability), offsetof(troupe_simulation, short_probability),
    };
    static const size_t times[] = {offsetof(troupe_simulation, delay_ms_max),
                                   offsetof(troupe_simulation, timer_late_ms_max)};
    static const double right[] = {0, 0.5, 1};
    const double wrong[] = {-0.001, 1.001, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof probabilities / sizeof probabilities[0]; i++) {
        troupe_simulation simulate = {.seed = 1};
        double *probability = (double *)(void *)((char *)&simulate + probabilities[i]);
        for (size_t j = 0; j < sizeof right / sizeof right[0]; j++) {
            *probability = right[j];
            assert_int_equal(started_with(simulate), TROUPE_OK);
        }
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++) {
            *probability = wrong[j];
            assert_int_equal(started_with(simulate), TROUPE_INVALID);
        }
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        troupe_simulation simulate = {.seed = 1};
        uint32_t *ms = (uint32_t *)(void *)((char *)&simulate + times[i]);
        *ms = TROUPE_SIM_MS_MAX;
        assert_int_equal(started_with(simulate), TROUPE_OK);
        *ms = TROUPE_SIM_MS_MAX + 1;
        assert_int_equal(started_with(simulate), TROUPE_INVALID);
    }
}

static bool is_never(void *context)
{
    (void)context;
    return false;
}

static troupe_system *under_test;

static troupe_status step_inside(troupe_self *self)
{
    uint64_t now_ns = troupe_now_ns(self);
    assert_int_equal(troupe_sim_run_until(under_test, is_never, NULL, 10), TROUPE_IN_HANDLER);
    troupe_sim_advance(under_test, 10);
    assert_int_equal(troupe_now_ns(self), now_ns);
    return TROUPE_OK;
}

static void handlers_do_not_step_the_system(void **state)
{
    (void)state;
    under_test = start_with(1, (troupe_simulation){0});
    probe_spawn(under_test, &probe, NULL);
    probe_do(under_test, &probe, step_inside);
    assert_int_equal(probe.stop_count, 0);
    probe_system_stop(under_test);
}

static void a_real_system_is_left_alone(void **state)
{
    (void)state;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    assert_int_equal(troupe_sim_run_until(system, is_never, NULL, 10), TROUPE_INVALID);
    troupe_sim_advance(system, 1000000);
    troupe_sim_faults(system, true);
    assert_int_equal(troupe_sim_trace_hash(system), 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static troupe_status timer_in_a_century(troupe_self *self)
{
    return troupe_timer_start(self, TROUPE_TIMER_MS_MAX, 0, 0, NULL);
}

static void time_goes_on_by_a_century_at_most_and_never_wraps(void **state)
{
    (void)state;
    troupe_system *system = start_with(1, (troupe_simulation){0});
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, timer_in_a_century);
    assert_int_equal(troupe_sim_run_until(system, is_never, NULL, TROUPE_TIMER_MS_MAX - 1), TROUPE_TIMEOUT);
    assert_int_equal(probe.timeout_count, 0);
    troupe_sim_advance(system, 2);
    assert_int_equal(probe.timeout_count, 1);
    uint64_t last_ns = troupe_now_ns(system);
    for (uint32_t i = 0; i < 10; i++) {
        troupe_sim_advance(system, UINT64_MAX);
        uint64_t now_ns = troupe_now_ns(system);
        assert_true(now_ns >= last_ns && now_ns - last_ns <= TROUPE_TIMER_MS_MAX * 1000000);
        last_ns = now_ns;
    }
    assert_int_equal(troupe_sim_run_until(system, is_never, NULL, UINT64_MAX), TROUPE_TIMEOUT);
    probe_system_stop(system);
}

static uint32_t refused_with(double probability)
{
    uint32_t refused = 0;
    troupe_system *system = start_with(1, (troupe_simulation){.refuse_probability = probability});
    probe_spawn(system, &probe, NULL);
    for (uint32_t i = 0; i < SENDS; i++)
        refused += troupe_send(system, probe.ref, probe_value, .value = i) == TROUPE_FULL;
    settle(system);
    assert_int_equal(probe.value_count, SENDS - refused);
    troupe_sim_faults(system, false);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 1), TROUPE_OK);
    probe_system_stop(system);
    return refused;
}

static void sends_are_refused_as_often_as_asked_for(void **state)
{
    (void)state;
    assert_int_equal(refused_with(0), 0);
    assert_int_equal(refused_with(1), SENDS);
    uint32_t refused = refused_with(0.3);
    assert_in_range(refused, 10, 50);
}

static void allocations_fail_until_faults_are_switched_off(void **state)
{
    (void)state;
    troupe_system *system = start_with(1, (troupe_simulation){.no_memory_probability = 1});
    troupe_status status = TROUPE_OK;
    const troupe_spawn_options options = {.ret_status = &status};
    assert_true(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &options)));
    assert_int_equal(status, TROUPE_NO_MEMORY);
    troupe_sim_faults(system, false);
    probe_spawn(system, &probe, NULL);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 1), TROUPE_OK);
    settle(system);
    troupe_sim_faults(system, true);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 2), TROUPE_NO_MEMORY);
    assert_int_equal(probe.value_count, 1);
    probe_system_stop(system);
}

/*
 * -- crashes -----------------------------------------------------------------------------------------------
 */

static void a_crash_lets_what_the_handler_did_stand_and_ends_the_actor(void **state)
{
    (void)state;
    troupe_system *system = start_with(1, (troupe_simulation){.crash_probability = 1});
    probe_spawn(system, &probe, NULL);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 5), TROUPE_OK);
    settle(system);
    assert_int_equal(probe.value_count, 1);
    assert_int_equal(probe.stop_count, 1);
    assert_int_equal(probe.reason, TROUPE_FAILED);
    troupe_sim_faults(system, false);
    probe_spawn(system, &probe, NULL);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 5), TROUPE_OK);
    settle(system);
    assert_int_equal(probe.stop_count, 0);
    probe_system_stop(system);
}

static void whoever_asked_is_told_of_the_crash(void **state)
{
    (void)state;
    troupe_system *system = start_with(1, (troupe_simulation){.crash_probability = 1});
    troupe_sim_faults(system, false);
    probe_spawn(system, &probe, NULL);
    troupe_sim_faults(system, true);
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(system, probe.ref, 1000, &reply, probe_question, .value = 1), TROUPE_FAILED);
    assert_null(reply);
    assert_true(troupe_now_ns(system) < UINT64_C(1000000)); /* not by the timeout */
    probe_system_stop(system);
}

static troupe_status watch_target(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor(self, target, &monitor);
}

static troupe_status timer_now(troupe_self *self)
{
    return troupe_timer_start(self, 5, 0, 0, NULL);
}

static void notices_make_an_actor_crash_too_and_say_why(void **state)
{
    (void)state;
    troupe_system *system = start_with(1, (troupe_simulation){.crash_probability = 1});
    troupe_sim_faults(system, false);
    target = probe_spawn(system, &probe, NULL);
    probe_spawn(system, &other, NULL);
    probe_do(system, &probe, timer_now);
    probe_do(system, &other, watch_target);
    troupe_sim_faults(system, true);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.timeout_count, 1);
    assert_int_equal(probe.reason, TROUPE_FAILED);
    assert_int_equal(other.down_count, 1); /* and fell over it */
    assert_string_equal(other.why, SIM_CRASH_TEXT);
    assert_int_equal(other.stop_count, 1);
    probe_system_stop(system);
}

static void supervisors_do_not_crash_and_bring_their_children_back(void **state)
{
    (void)state;
    troupe_system *system = start_with(2, (troupe_simulation){.crash_probability = 1});
    memset(&probe, 0, sizeof probe);
    struct probe *at = &probe;
    const troupe_child_spec child = {
        .id = "child", .behaviour = &probe_behaviour, .options = {.state = &at, .name = "child"}};
    const troupe_supervisor_spec spec = {.intensity = 10, .children = &child, .child_count = 1};
    troupe_ref supervisor = troupe_supervisor_start(system, &spec, NULL);
    settle(system);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(troupe_send(system, troupe_whereis(system, "child"), probe_value, .value = i),
                         TROUPE_OK);
        settle(system);
    }
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(system, supervisor, &info), TROUPE_OK);
    assert_int_equal(probe.stop_count, 5);
    assert_int_equal(probe_counters(system).restarts, 5);
    probe_system_stop(system);
}

/*
 * -- time --------------------------------------------------------------------------------------------------
 */

static troupe_status timers_start(troupe_self *self)
{
    timers_started_ns = troupe_now_ns(self);
    for (uint64_t i = 0; i < TIMERS; i++)
        assert_int_equal(troupe_timer_start(self, 10, 0, i, NULL), TROUPE_OK);
    return TROUPE_OK;
}

/* The order in which three timers of one instant fire under a seed, as a number of three digits. */
static uint32_t timers_order(uint64_t seed)
{
    troupe_system *system = start_with(1, (troupe_simulation){.seed = seed});
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, timers_start);
    troupe_sim_advance(system, 20);
    assert_int_equal(probe.timeout_count, TIMERS);
    uint32_t order = 0;
    for (uint32_t i = 0; i < TIMERS; i++)
        order = order * 10 + (uint32_t)probe.timeouts[i].tag;
    probe_system_stop(system);
    return order;
}

static void timers_due_at_once_fire_in_every_order_some_seed(void **state)
{
    (void)state;
    bool seen[1000] = {false};
    uint32_t orders = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint32_t order = timers_order(seed);
        assert_int_equal(timers_order(seed), order);
        orders += !seen[order];
        seen[order] = true;
    }
    assert_int_equal(orders, 6);
}

static void timers_are_late_by_the_most_allowed_and_never_early(void **state)
{
    (void)state;
    uint64_t least_ns = UINT64_MAX;
    uint64_t most_ns = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        troupe_system *system = start_with(1, (troupe_simulation){.seed = seed, .timer_late_ms_max = 5});
        probe_spawn(system, &probe, NULL);
        probe_do(system, &probe, timers_start);
        troupe_sim_advance(system, 30);
        assert_int_equal(probe.timeout_count, TIMERS);
        uint64_t after_ns = probe.timeouts_ns[0] - timers_started_ns;
        least_ns = after_ns < least_ns ? after_ns : least_ns;
        most_ns = after_ns > most_ns ? after_ns : most_ns;
        troupe_sim_faults(system, false);
        probe_do(system, &probe, timers_start);
        troupe_sim_advance(system, 30);
        assert_true(probe.timeouts_ns[TIMERS] - timers_started_ns < UINT64_C(11200000));
        probe_system_stop(system);
    }
    assert_in_range(least_ns, 10000000, 11500000);
    assert_in_range(most_ns, 14000000, 16200000);
}

/* Sends to the other's home worker, which is another one when the seed says so. */
static troupe_status send_to_target(troupe_self *self)
{
    return troupe_send(self, target, probe_value, .value = troupe_now_ns(self));
}

static uint32_t worker_of(troupe_system *system, troupe_ref who)
{
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(system, who, &info), TROUPE_OK);
    return info.worker;
}

static void messages_to_other_workers_are_late_and_all_come(void **state)
{
    (void)state;
    uint32_t late = 0;
    uint32_t apart = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        troupe_system *system =
            start_with(2, (troupe_simulation){.seed = seed, .delay_probability = 1, .delay_ms_max = 20});
        troupe_sim_faults(system, false);
        probe_spawn(system, &other, NULL);
        target = probe_spawn(system, &probe, NULL);
        for (uint32_t i = 0; i < 8; i++) /* so that one of them is given to the other worker */
            (void)troupe_send(system, i % 2 == 0 ? probe.ref : other.ref, probe_value, .value = 0);
        settle(system);
        uint32_t before = probe.value_count;
        bool is_apart = worker_of(system, probe.ref) != worker_of(system, other.ref);
        apart += is_apart;
        assert_int_equal(
            troupe_send(system, other.ref, probe_run, .function = (uint64_t)(uintptr_t)send_to_target),
            TROUPE_OK);
        while (other.ref.bits != 0 && probe.value_count == before && is_apart) {
            troupe_sim_faults(system, true);
            troupe_sim_advance(system, 1);
            late += probe.value_count == before;
        }
        troupe_sim_faults(system, false);
        troupe_sim_advance(system, 50);
        assert_int_equal(probe.value_count, before + 1);
        probe_system_stop(system);
    }
    assert_true(apart > 3);
    assert_true(late >= apart);
}

static void what_is_held_back_is_given_when_the_system_stops(void **state)
{
    (void)state;
    troupe_system *system =
        start_with(1, (troupe_simulation){.delay_probability = 1, .delay_ms_max = TROUPE_SIM_MS_MAX});
    memset(&probe, 0, sizeof probe);
    struct probe *at = &probe;
    troupe_spawn(system, &probe_behaviour, &(troupe_spawn_options){.state = &at});
    settle(system);
    assert_int_equal(troupe_send(system, probe.ref, probe_value, .value = 1), TROUPE_OK);
    settle(system);
    assert_int_equal(probe.value_count, 0);
    assert_int_equal(system->sim->held_count, 1);
    assert_int_equal(troupe_stop(&system), 0); /* its message is a dead letter: asan would see it otherwise */
}

/*
 * -- the fingerprint ---------------------------------------------------------------------------------------
 */

static uint64_t hash_of_starts(uint64_t seed, uint32_t actors)
{
    troupe_system *system = start_with(2, (troupe_simulation){.seed = seed});
    for (uint32_t i = 0; i < actors; i++) {
        static struct probe some;
        struct probe *at = &some;
        troupe_spawn(system, &probe_behaviour, &(troupe_spawn_options){.state = &at});
    }
    settle(system);
    uint64_t hash = troupe_sim_trace_hash(system);
    assert_int_equal(troupe_stop(&system), 0);
    return hash;
}

static void the_hash_knows_of_bare_starts(void **state)
{
    (void)state;
    assert_int_equal(hash_of_starts(1, 0), 0);
    assert_int_not_equal(hash_of_starts(1, 1), 0);
    assert_int_not_equal(hash_of_starts(1, 2), hash_of_starts(1, 1));
    assert_int_equal(hash_of_starts(1, 5), hash_of_starts(1, 5));
    assert_int_not_equal(hash_of_starts(1, 5), hash_of_starts(2, 5));
}

static void work_is_given_to_every_idle_worker_some_seed(void **state)
{
    (void)state;
    enum { WORKERS = 4 };
    uint32_t homes[WORKERS] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        troupe_system *system = start_with(WORKERS, (troupe_simulation){.seed = seed});
        troupe_ref refs[8];
        for (uint32_t i = 0; i < 8; i++) {
            static struct probe some;
            struct probe *at = &some;
            refs[i] = troupe_spawn(system, &probe_behaviour, &(troupe_spawn_options){.state = &at});
        }
        settle(system);
        for (uint32_t i = 0; i < 8; i++)
            homes[worker_of(system, refs[i])]++;
        assert_int_equal(troupe_stop(&system), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_true(homes[i] > 0);
}

static void a_turn_may_end_after_any_number_of_messages(void **state)
{
    (void)state;
    bool seen[ACTIVATION_MESSAGES_MAX + 2] = {false};
    troupe_system *system = start_with(1, (troupe_simulation){0});
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t batch = sim_batch(system->sim);
        assert_in_range(batch, 1, ACTIVATION_MESSAGES_MAX);
        seen[batch] = true;
    }
    for (uint32_t i = 1; i <= ACTIVATION_MESSAGES_MAX; i++)
        assert_true(seen[i]);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_up_to_their_edges_and_not_beyond),
        cmocka_unit_test(handlers_do_not_step_the_system),
        cmocka_unit_test(a_real_system_is_left_alone),
        cmocka_unit_test(time_goes_on_by_a_century_at_most_and_never_wraps),
        cmocka_unit_test(sends_are_refused_as_often_as_asked_for),
        cmocka_unit_test(allocations_fail_until_faults_are_switched_off),
        cmocka_unit_test(a_crash_lets_what_the_handler_did_stand_and_ends_the_actor),
        cmocka_unit_test(whoever_asked_is_told_of_the_crash),
        cmocka_unit_test(notices_make_an_actor_crash_too_and_say_why),
        cmocka_unit_test(supervisors_do_not_crash_and_bring_their_children_back),
        cmocka_unit_test(timers_due_at_once_fire_in_every_order_some_seed),
        cmocka_unit_test(timers_are_late_by_the_most_allowed_and_never_early),
        cmocka_unit_test(messages_to_other_workers_are_late_and_all_come),
        cmocka_unit_test(what_is_held_back_is_given_when_the_system_stops),
        cmocka_unit_test(the_hash_knows_of_bare_starts),
        cmocka_unit_test(work_is_given_to_every_idle_worker_some_seed),
        cmocka_unit_test(a_turn_may_end_after_any_number_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

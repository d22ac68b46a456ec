/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/system: its start, its limits, its way in for threads outside, and its end. Real threads
 * where threads are what is told of, virtual time elsewhere.
 */
#include "unit/core_probe.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "core/system.h"

enum {
    WAIT_MS_MAX = 20000,
};

static void system_starts_and_stops_with_any_number_of_workers(void **state)
{
    (void)state;
    static const uint32_t workers[] = {0, 1, 2, 7, TROUPE_WORKERS_MAX};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++) {
        const troupe_options options = {.workers = workers[i]};
        troupe_system *system = NULL;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        assert_non_null(system);
        assert_int_equal(troupe_stop(&system), 0);
        assert_null(system);
    }
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, NULL), TROUPE_OK);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(troupe_stop(NULL), 0);
}

static void options_over_their_limits_are_refused(void **state)
{
    (void)state;
    const troupe_options wrong[] = {
        {.workers = TROUPE_WORKERS_MAX + 1},
        {.actors_max = 1u << TROUPE_REF_SLOT_BITS},
        {.simulate = {.seed = 1, .refuse_probability = -0.1}},
        {.simulate = {.seed = 1, .refuse_probability = 1.1}},
        {.simulate = {.seed = 1, .no_memory_probability = -0.1}},
        {.simulate = {.seed = 1, .no_memory_probability = 1.1}},
        {.simulate = {.seed = 1, .no_memory_probability = (double)NAN}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        troupe_system *system = NULL;
        assert_int_equal(troupe_start(&system, &wrong[i]), TROUPE_INVALID);
        assert_null(system);
    }
    const troupe_options largest = {.workers = 1, .actors_max = (1u << TROUPE_REF_SLOT_BITS) - 1};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &largest), TROUPE_OK);
    assert_int_equal(troupe_stop(&system), 0);
}

/*
 * -- limits ------------------------------------------------------------------------------------------------
 */

static troupe_status spawn_one(troupe_self *self)
{
    troupe_status status;
    static struct probe other;
    struct probe *at = &other;
    const troupe_spawn_options options = {.state = &at, .ret_status = &status};
    troupe_ref ref = troupe_spawn(self, &probe_behaviour, &options);
    assert_true(troupe_ref_is_none(ref) == (status != TROUPE_OK));
    return status;
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status try_one(troupe_self *self)
{
    assert_int_equal(spawn_one(self), TROUPE_LIMIT);
    return TROUPE_OK;
}

static void actors_up_to_the_limit_live_and_not_one_more(void **state)
{
    (void)state;
    enum { ACTORS = 700 }; /* more than a chunk of slots */
    const troupe_options options = {.workers = 4, .actors_max = ACTORS, .simulate = {.seed = 2}};
    static struct probe probes[ACTORS];
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    for (uint32_t i = 0; i < ACTORS; i++)
        probe_spawn(system, &probes[i], NULL);
    troupe_status status = TROUPE_OK;
    const troupe_spawn_options more = {.ret_status = &status};
    for (int i = 0; i < 3; i++) {
        assert_true(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &more)));
        assert_int_equal(status, TROUPE_LIMIT);
    }
    probe_do(system, &probes[0], try_one); /* from a worker, too */
    for (uint32_t i = 1; i <= 2; i++)
        probe_do(system, &probes[i], exit_now);
    probe_do(system, &probes[0], spawn_one);
    probe_do(system, &probes[3], spawn_one);
    probe_do(system, &probes[3], try_one);
    assert_int_equal(probes[3].stop_count, 0);
    probe_system_stop(system);
}

/*
 * -- refs --------------------------------------------------------------------------------------------------
 */

/* Whatever 64 bits come as a ref, from another run or from nowhere: they find nobody or a live actor. */
static void ref_from_elsewhere_finds_nobody(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    struct probe probe;
    troupe_ref ref = probe_spawn(system, &probe, NULL);
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(system, ref, &info), TROUPE_OK);
    uint64_t found = 0;
    for (uint64_t slot = 0; slot < 1200; slot++) { /* also of chunks that are not there */
        for (uint64_t generation = 0; generation < 6; generation++) {
            for (uint64_t place = 0; place < 3; place++) {
                troupe_ref any = {place << 56 | generation << TROUPE_REF_SLOT_BITS | slot};
                bool is_found = troupe_send(system, any, probe_value, .value = 1) == TROUPE_OK;
                assert_true(!is_found || troupe_ref_equal(any, ref));
                assert_true(is_found == (troupe_actor_inspect(system, any, &info) == TROUPE_OK));
                found += is_found;
            }
        }
    }
    settle(system);
    assert_int_equal(found, 1);
    assert_int_equal(probe.value_count, 1);
    assert_int_equal(troupe_send(system, (troupe_ref){UINT64_MAX}, probe_value, .value = 1), TROUPE_NO_ACTOR);
    probe_system_stop(system);
}

static void two_systems_share_nothing(void **state)
{
    (void)state;
    troupe_system *one = probe_system(1);
    troupe_system *other = probe_system(1);
    struct probe probe;
    const troupe_spawn_options named = {.name = "here"};
    troupe_ref ref = probe_spawn(one, &probe, &named);
    assert_int_equal(troupe_send(other, ref, probe_value, .value = 1), TROUPE_NO_ACTOR);
    assert_true(troupe_ref_is_none(troupe_whereis(other, "here")));
    assert_true(troupe_ref_equal(troupe_whereis(one, "here"), ref));
    probe_system_stop(other);
    assert_int_equal(troupe_send(one, ref, probe_value, .value = 1), TROUPE_OK);
    probe_system_stop(one);
}

/*
 * -- own threads -------------------------------------------------------------------------------------------
 */

static _Atomic uint32_t blocked;
static _Atomic uint32_t released;
static _Atomic uint32_t ended;

static troupe_status block_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    fetch_add_relaxed(&blocked, 1);
    while (load_acquire(&released) == 0)
        usleep(100);
    troupe_exit(self);
    return TROUPE_OK;
}

static void block_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    fetch_add_relaxed(&ended, 1);
}

static const troupe_behaviour blocking = {.name = "blocking", .receive = block_receive, .stop = block_stop};

static bool wait_for(_Atomic uint32_t *count, uint32_t wanted)
{
    for (int ms = 0; ms < WAIT_MS_MAX && load_acquire(count) < wanted; ms++)
        usleep(1000);
    return load_acquire(count) == wanted;
}

static troupe_ref spawn_blocking(troupe_system *system, troupe_status *ret_status)
{
    const troupe_spawn_options options = {.own_thread = true, .ret_status = ret_status};
    return troupe_spawn(system, &blocking, &options);
}

static troupe_system *start_real(uint32_t workers)
{
    const troupe_options options = {.workers = workers};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    store_relaxed(&blocked, 0);
    store_relaxed(&ended, 0);
    atomic_store(&released, 0);
    return system;
}

static troupe_status quick_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_reply(self, troupe_asker_of(message), probe_answer, .value = 7);
}

static const troupe_behaviour quick = {.name = "quick", .receive = quick_receive};

static void actor_with_its_own_thread_may_block(void **state)
{
    (void)state;
    troupe_system *system = start_real(1);
    troupe_status status;
    for (uint32_t i = 0; i < 3; i++) {
        troupe_ref ref = spawn_blocking(system, &status);
        assert_int_equal(status, TROUPE_OK);
        troupe_send(system, ref, probe_value, .value = 1);
    }
    assert_true(wait_for(&blocked, 3));
    troupe_message *reply;
    troupe_ref ref = troupe_spawn(system, &quick, NULL);
    assert_int_equal(troupe_call(system, ref, WAIT_MS_MAX, &reply, probe_question, .value = 1), TROUPE_OK);
    troupe_message_free(system, &reply);
    atomic_store(&released, 1);
    assert_true(wait_for(&ended, 3));
    assert_int_equal(troupe_stop(&system), 0);
}

static void threads_of_the_ended_are_used_again(void **state)
{
    (void)state;
    troupe_system *system = start_real(1);
    atomic_store(&released, 1);
    for (uint32_t i = 1; i <= 2 * WORKERS_ALL_MAX; i++) {
        troupe_status status;
        troupe_ref ref = spawn_blocking(system, &status);
        assert_int_equal(status, TROUPE_OK);
        troupe_send(system, ref, probe_value, .value = 1);
        assert_true(wait_for(&ended, i));
    }
    assert_true(load_acquire(&system->worker_count_all) < 16);
    assert_int_equal(troupe_stop(&system), 0);
}

static void threads_up_to_the_limit_are_had_and_not_one_more(void **state)
{
    (void)state;
    const uint32_t workers = TROUPE_WORKERS_MAX;
    troupe_system *system = start_real(workers);
    troupe_status status = TROUPE_OK;
    uint32_t count = 0;
    while (count < WORKERS_ALL_MAX && !troupe_ref_is_none(spawn_blocking(system, &status)))
        count++;
    assert_int_equal(count, WORKERS_ALL_MAX - 1 - workers);
    assert_int_equal(status, TROUPE_LIMIT);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(load_relaxed(&ended), count);
}

/*
 * -- the end -----------------------------------------------------------------------------------------------
 */

static char order[64];

static void letter_stop(troupe_self *self, troupe_status reason)
{
    const char *letter = troupe_state(self);
    size_t len = strlen(order);
    assert_int_equal(reason, TROUPE_SHUTDOWN);
    snprintf(order + len, sizeof order - len, "%c", *letter);
    troupe_status status;
    const troupe_spawn_options options = {.ret_status = &status};
    assert_true(troupe_ref_is_none(troupe_spawn(self, &quick, &options)));
    assert_int_equal(status, TROUPE_STOPPING);
}

static troupe_status letter_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

static const troupe_behaviour letter = {
    .name = "letter", .state_size = 1, .receive = letter_receive, .stop = letter_stop};

static void stop_ends_the_youngest_first(void **state)
{
    (void)state;
    troupe_system *system = start_real(3);
    order[0] = '\0';
    for (char name = 'a'; name <= 'h'; name++) {
        const troupe_spawn_options options = {.state = &name};
        assert_false(troupe_ref_is_none(troupe_spawn(system, &letter, &options)));
    }
    assert_int_equal(troupe_stop(&system), 0);
    assert_string_equal(order, "hgfedcba");
}

static _Atomic uint64_t hops;

/* Sends itself on as often as the value says. */
static troupe_status hop_receive(troupe_self *self, const troupe_message *message)
{
    const probe_value *m = probe_value_of(message);
    fetch_add_relaxed(&hops, 1);
    if (m->value > 0)
        return troupe_send(self, troupe_self_ref(self), probe_value, .value = m->value - 1);
    return TROUPE_OK;
}

static const troupe_behaviour hopper = {.name = "hopper", .receive = hop_receive};

static void stop_lets_work_under_way_come_to_its_end(void **state)
{
    (void)state;
    troupe_system *system = start_real(2);
    store_relaxed(&hops, 0);
    troupe_send(system, troupe_spawn(system, &hopper, NULL), probe_value, .value = 100000);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(load_relaxed(&hops), 100001);
}

static void stop_does_not_wait_longer_than_it_was_told(void **state)
{
    (void)state;
    const troupe_options options = {.workers = 1, .drain_ms = 20};
    struct timespec then;
    struct timespec now;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_send(system, troupe_spawn(system, &hopper, NULL), probe_value, .value = UINT64_MAX);
    clock_gettime(CLOCK_MONOTONIC, &then);
    assert_int_equal(troupe_stop(&system), 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t waited_ms = (now.tv_sec - then.tv_sec) * 1000 + (now.tv_nsec - then.tv_nsec) / 1000000;
    assert_in_range(waited_ms, 20, WAIT_MS_MAX / 2);
}

/*
 * -- what a context tells ----------------------------------------------------------------------------------
 */

static uint64_t random_inside;

static troupe_status draw(troupe_self *self)
{
    random_inside = troupe_random(self);
    assert_ptr_equal(troupe_system_of(self), self->context.system);
    assert_int_equal(troupe_now_ns(self), troupe_now_ns(troupe_system_of(self)));
    assert_int_equal(troupe_unix_ms(self), troupe_unix_ms(troupe_system_of(self)));
    return TROUPE_OK;
}

static void simulated_time_and_randomness_come_from_the_seed(void **state)
{
    (void)state;
    uint64_t outside[2];
    uint64_t inside[2];
    for (int i = 0; i < 2; i++) {
        troupe_system *system = probe_system(2);
        struct probe probe;
        assert_int_equal(troupe_unix_ms(system), INT64_C(1767600000000)); /* 2026-01-05T08:00:00Z */
        assert_int_equal(troupe_now_ns(system), 0);
        probe_spawn(system, &probe, NULL);
        probe_do(system, &probe, draw);
        outside[i] = troupe_random(system);
        inside[i] = random_inside;
        uint64_t before_ns = troupe_now_ns(system);
        troupe_sim_advance(system, 90000);
        assert_int_equal(troupe_now_ns(system) - before_ns, UINT64_C(90000000000));
        assert_int_equal(troupe_unix_ms(system),
                         INT64_C(1767600000000) + (int64_t)(troupe_now_ns(system) / 1000000));
        probe_system_stop(system);
    }
    assert_int_equal(outside[0], outside[1]);
    assert_int_equal(inside[0], inside[1]);
    assert_int_not_equal(inside[0], outside[0]);
}

static void real_time_goes_on_and_randomness_differs(void **state)
{
    (void)state;
    uint64_t drawn[2];
    for (int i = 0; i < 2; i++) {
        troupe_system *system = start_real(1);
        uint64_t then_ns = troupe_now_ns(system);
        usleep(2000);
        assert_true(troupe_now_ns(system) - then_ns >= 2000000);
        assert_true(troupe_unix_ms(system) > INT64_C(1700000000000));
        drawn[i] = troupe_random(system);
        assert_int_not_equal(drawn[i], troupe_random(system));
        assert_int_equal(troupe_stop(&system), 0);
    }
    assert_int_not_equal(drawn[0], drawn[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_starts_and_stops_with_any_number_of_workers),
        cmocka_unit_test(options_over_their_limits_are_refused),
        cmocka_unit_test(actors_up_to_the_limit_live_and_not_one_more),
        cmocka_unit_test(ref_from_elsewhere_finds_nobody),
        cmocka_unit_test(two_systems_share_nothing),
        cmocka_unit_test(actor_with_its_own_thread_may_block),
        cmocka_unit_test(threads_of_the_ended_are_used_again),
        cmocka_unit_test(threads_up_to_the_limit_are_had_and_not_one_more),
        cmocka_unit_test(stop_ends_the_youngest_first),
        cmocka_unit_test(stop_lets_work_under_way_come_to_its_end),
        cmocka_unit_test(stop_does_not_wait_longer_than_it_was_told),
        cmocka_unit_test(simulated_time_and_randomness_come_from_the_seed),
        cmocka_unit_test(real_time_goes_on_and_randomness_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

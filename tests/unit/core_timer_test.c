/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/timer: timers fire in order, never early, and not after they were cancelled. Virtual time;
 * the wheel itself is compared with a sorted list in tests/property. One thread.
 */
#include "unit/core_probe.h"

#include "core/extras.h"
#include "core/system.h"

enum {
    NS_PER_MS = 1000000,
    MANY = 100000,
};

static struct probe probe;
static uint64_t timer;
static uint64_t after_ms;
static uint64_t every_ms;
static uint64_t asked_ns;

static troupe_status start_one(troupe_self *self)
{
    asked_ns = troupe_now_ns(self);
    assert_int_equal(troupe_timer_start(self, after_ms, every_ms, 77, &timer), TROUPE_OK);
    return TROUPE_OK;
}

static troupe_status cancel_one(troupe_self *self)
{
    troupe_timer_cancel(self, timer);
    return TROUPE_OK;
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static uint32_t handles;

static troupe_status count_handles(troupe_self *self)
{
    handles = self->actor->extras == NULL ? 0 : self->actor->extras->handle_count;
    return TROUPE_OK;
}

static uint32_t handle_count(troupe_system *system)
{
    probe_do(system, &probe, count_handles);
    return handles;
}

static troupe_system *start_with(uint64_t after, uint64_t every)
{
    troupe_system *system = probe_system(2);
    probe_spawn(system, &probe, NULL);
    after_ms = after;
    every_ms = every;
    probe_do(system, &probe, start_one);
    return system;
}

static void timer_fires_once_at_its_time_and_never_early(void **state)
{
    (void)state;
    /* Each level of the wheel, its edges, and a hundred years. */
    static const uint64_t delays_ms[] = {
        0,    1,      2,      63,       64,         65,      127,         4095,        4096,
        4097, 262143, 262144, 16777216, 1073741824, 1 << 20, 4294967295u, 4294967296u, TROUPE_TIMER_MS_MAX};
    for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
        troupe_system *system = start_with(delays_ms[i], 0);
        if (delays_ms[i] > 1) {
            troupe_sim_advance(system, delays_ms[i] - 1);
            assert_int_equal(probe.timeout_count, 0);
        }
        troupe_sim_advance(system, 3);
        assert_int_equal(probe.timeout_count, 1);
        assert_int_equal(probe.timeouts[0].timer, timer);
        assert_int_equal(probe.timeouts[0].tag, 77);
        uint64_t waited_ns = probe.timeouts_ns[0] - asked_ns;
        assert_true(waited_ns >= delays_ms[i] * NS_PER_MS);
        assert_true(waited_ns < (delays_ms[i] + 2) * NS_PER_MS);
        assert_int_equal(handle_count(system), 0);
        troupe_sim_advance(system, 100000);
        assert_int_equal(probe.timeout_count, 1);
        probe_system_stop(system);
    }
}

static troupe_status start_too_far(troupe_self *self)
{
    assert_int_equal(troupe_timer_start(self, TROUPE_TIMER_MS_MAX + 1, 0, 0, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_timer_start(self, 0, TROUPE_TIMER_MS_MAX + 1, 0, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_timer_start(self, UINT64_MAX, UINT64_MAX, 0, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_timer_start(self, 1, 0, 5, NULL), TROUPE_OK); /* its number is not wanted */
    return TROUPE_OK;
}

static void delay_over_the_limit_is_refused(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, start_too_far);
    assert_int_equal(handle_count(system), 1);
    troupe_sim_advance(system, 3);
    assert_int_equal(probe.timeout_count, 1);
    assert_int_equal(probe.timeouts[0].tag, 5);
    probe_system_stop(system);
}

/*
 * -- order
 * ---------------------------------------------------------------------------------------------------
 */

static troupe_status start_unordered(troupe_self *self)
{
    static const uint64_t delays_ms[] = {90, 5, 300, 5, 64, 70, 0, 5000, 90, 0};
    for (uint64_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++)
        assert_int_equal(troupe_timer_start(self, delays_ms[i], 0, i, NULL), TROUPE_OK);
    return TROUPE_OK;
}

static void timers_fire_in_order_of_time(void **state)
{
    (void)state;
    static const uint64_t delays_ms[] = {90, 5, 300, 5, 64, 70, 0, 5000, 90, 0};
    uint64_t last_ms = 0;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, start_unordered);
    troupe_sim_advance(system, 10000);
    assert_int_equal(probe.timeout_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t delay_ms = delays_ms[probe.timeouts[i].tag];
        assert_true(delay_ms >= last_ms);
        last_ms = delay_ms;
    }
    probe_system_stop(system);
}

/*
 * -- periodic
 * ------------------------------------------------------------------------------------------------
 */

static void periodic_timer_keeps_its_rhythm(void **state)
{
    (void)state;
    troupe_system *system = start_with(3, 10);
    troupe_sim_advance(system, 1000);
    assert_int_equal(probe.timeout_count, 100);
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t waited_ns = probe.timeouts_ns[i] - asked_ns;
        assert_int_equal(probe.timeouts[i].timer, timer);
        assert_true(waited_ns >= (3 + 10 * (uint64_t)i) * NS_PER_MS);
        assert_true(waited_ns < (3 + 10 * (uint64_t)i + 2) * NS_PER_MS); /* it does not drift */
    }
    assert_int_equal(handle_count(system), 1);
    probe_do(system, &probe, cancel_one);
    assert_int_equal(handle_count(system), 0);
    troupe_sim_advance(system, 1000);
    assert_int_equal(probe.timeout_count, 100);
    probe_system_stop(system);
}

/* Its owner cannot look for 95 ms: one notice waits, not nine. */
static uint32_t slow_count;

static troupe_status slow_receive(troupe_self *self, const troupe_message *message)
{
    if (troupe_timeout_of(message) == NULL)
        return troupe_timer_start(self, 10, 10, 0, &timer);
    slow_count++;
    return TROUPE_OK;
}

static const troupe_behaviour slow_behaviour = {.name = "slow", .receive = slow_receive};

static bool has_begun(void *context)
{
    (void)context;
    return slow_count > 0;
}

static void slow_owner_finds_one_notice_not_many(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    slow_count = 0;
    troupe_ref ref = troupe_spawn(system, &slow_behaviour, NULL);
    troupe_send(system, ref, probe_value, .value = 1);
    assert_int_equal(troupe_sim_run_until(system, has_begun, NULL, 100), TROUPE_OK);
    env_sim_advance_to(system->env,
                       troupe_now_ns(system) + UINT64_C(95) * NS_PER_MS); /* nobody ran meanwhile */
    settle(system);
    assert_int_equal(slow_count, 2);
    troupe_sim_advance(system, 100);
    assert_in_range(slow_count, 11, 13);
    probe_system_stop(system);
}

/*
 * -- cancelling
 * ----------------------------------------------------------------------------------------------
 */

static void cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    for (uint64_t every = 0; every < 20; every += 10) {
        troupe_system *system = start_with(50, every);
        troupe_sim_advance(system, 49);
        probe_do(system, &probe, cancel_one);
        assert_int_equal(handle_count(system), 0);
        troupe_sim_advance(system, 1000);
        assert_int_equal(probe.timeout_count, 0);
        probe_do(system, &probe, cancel_one); /* again: nobody minds */
        probe_system_stop(system);
    }
}

/* It has fired, and its notice waits in the mailbox when it is cancelled. */
static troupe_status wait_and_cancel(troupe_self *self)
{
    struct worker *worker = self->context.worker;
    asked_ns = troupe_now_ns(self);
    assert_int_equal(troupe_timer_start(self, 0, every_ms, 1, &timer), TROUPE_OK);
    wheel_advance(worker, asked_ns / NS_PER_MS + 2);
    assert_non_null(actor_lane(self->actor, TROUPE_CLASS_SYSTEM)->first);
    troupe_timer_cancel(self, timer);
    return TROUPE_OK;
}

static void timer_cancelled_after_it_fired_is_not_delivered(void **state)
{
    (void)state;
    for (every_ms = 0; every_ms < 20; every_ms += 10) {
        troupe_system *system = probe_system(1);
        probe_spawn(system, &probe, NULL);
        probe_do(system, &probe, wait_and_cancel);
        troupe_sim_advance(system, 100);
        assert_int_equal(probe.timeout_count, 0);
        assert_int_equal(probe_counters(system).dead_letters, 1);
        probe_system_stop(system);
    }
}

/* A handler that cancels its own timer, ends, or starts another. */
enum way {
    WAY_CANCEL,
    WAY_EXIT,
    WAY_FAIL,
    WAY_RESTART,
    WAY_UNEXPECTED,
    WAY_COUNT,
};

static enum way way;
static uint32_t own_count;

static troupe_status own_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout == NULL)
        return troupe_timer_start(self, 1, every_ms, 0, &timer);
    own_count++;
    assert_int_equal(troupe_asker_of(message).ask, 0);
    switch (way) {
    case WAY_CANCEL:
        troupe_timer_cancel(self, timeout->timer);
        return TROUPE_OK;
    case WAY_EXIT:
        troupe_exit(self);
        return TROUPE_OK;
    case WAY_FAIL:
        return TROUPE_FAILED;
    case WAY_RESTART:
        troupe_timer_cancel(self, timeout->timer);
        return own_count < 5 ? troupe_timer_start(self, 1, every_ms, 0, &timer) : TROUPE_OK;
    case WAY_UNEXPECTED:
        troupe_timer_cancel(self, timeout->timer);
        return TROUPE_UNEXPECTED;
    case WAY_COUNT:
        break;
    }
    return TROUPE_FAILED;
}

static const troupe_behaviour own = {.name = "own", .receive = own_receive};

static void handler_of_a_timer_may_cancel_it_end_or_start_another(void **state)
{
    (void)state;
    for (way = WAY_CANCEL; way < WAY_COUNT; way++) {
        for (every_ms = 0; every_ms < 20; every_ms += 10) {
            troupe_system *system = probe_system(2);
            own_count = 0;
            troupe_ref ref = troupe_spawn(system, &own, NULL);
            troupe_send(system, ref, probe_value, .value = 1);
            troupe_sim_advance(system, 1000);
            assert_int_equal(own_count, way == WAY_RESTART ? 5 : 1);
            assert_int_equal(probe_counters(system).actors_failed, way == WAY_FAIL);
            assert_int_equal(probe_counters(system).dead_letters, way == WAY_UNEXPECTED);
            probe_system_stop(system);
        }
    }
}

static void timers_end_with_their_owner(void **state)
{
    (void)state;
    for (uint64_t every = 0; every < 20; every += 10) {
        troupe_system *system = start_with(50, every);
        probe_do(system, &probe, start_one);
        probe_do(system, &probe, exit_now);
        uint64_t sent = probe_counters(system).sent;
        troupe_sim_advance(system, 1000);
        assert_int_equal(probe_counters(system).sent, sent);
        probe_system_stop(system);
    }
}

static void unknown_numbers_cancel_nothing(void **state)
{
    (void)state;
    troupe_system *system = start_with(50, 0);
    uint64_t first = timer;
    static const uint64_t wrong[] = {0, 1, UINT64_MAX, UINT64_C(1) << 32};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        timer = wrong[i];
        probe_do(system, &probe, cancel_one);
    }
    timer = first + (UINT64_C(1) << 32); /* the same place, another time */
    probe_do(system, &probe, cancel_one);
    troupe_sim_advance(system, 60);
    assert_int_equal(probe.timeout_count, 1);
    probe_system_stop(system);
}

/*
 * -- many
 * ----------------------------------------------------------------------------------------------------
 */

static uint64_t many_timers[MANY];
static uint64_t many_due_ms[MANY];
static uint32_t many_fired;
static uint64_t many_last_ms;

static troupe_status many_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_timeout *timeout = troupe_timeout_of(message);
    uint64_t now_ms = troupe_now_ns(self) / NS_PER_MS;
    if (timeout != NULL) {
        assert_int_equal(timeout->tag % 2, 0); /* the odd ones were cancelled */
        assert_true(now_ms >= many_due_ms[timeout->tag]);
        assert_true(many_due_ms[timeout->tag] >= many_last_ms);
        many_last_ms = many_due_ms[timeout->tag];
        many_fired++;
        return TROUPE_OK;
    }
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t delay_ms = troupe_random(self) >> (30 + troupe_random(self) % 33); /* of every magnitude */
        many_due_ms[i] = now_ms + delay_ms;
        assert_int_equal(troupe_timer_start(self, delay_ms, 0, i, &many_timers[i]), TROUPE_OK);
    }
    for (uint64_t i = 1; i < MANY; i += 2)
        troupe_timer_cancel(self, many_timers[i]);
    return TROUPE_OK;
}

static const troupe_behaviour many = {.name = "many", .receive = many_receive};

static bool all_have_fired(void *context)
{
    (void)context;
    return many_fired == MANY / 2;
}

static void a_hundred_thousand_timers_fire_in_order(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    many_fired = 0;
    many_last_ms = 0;
    troupe_ref ref = troupe_spawn(system, &many, NULL);
    troupe_send(system, ref, probe_value, .value = 1);
    assert_int_equal(troupe_sim_run_until(system, all_have_fired, NULL, UINT64_C(1) << 35), TROUPE_OK);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_fires_once_at_its_time_and_never_early),
        cmocka_unit_test(delay_over_the_limit_is_refused),
        cmocka_unit_test(timers_fire_in_order_of_time),
        cmocka_unit_test(periodic_timer_keeps_its_rhythm),
        cmocka_unit_test(slow_owner_finds_one_notice_not_many),
        cmocka_unit_test(cancelled_timer_does_not_fire),
        cmocka_unit_test(timer_cancelled_after_it_fired_is_not_delivered),
        cmocka_unit_test(handler_of_a_timer_may_cancel_it_end_or_start_another),
        cmocka_unit_test(timers_end_with_their_owner),
        cmocka_unit_test(unknown_numbers_cancel_nothing),
        cmocka_unit_test(a_hundred_thousand_timers_fire_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

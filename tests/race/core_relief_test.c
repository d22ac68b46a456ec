/* SPDX-License-Identifier: MIT */
/*
 * core_relief_test.c: handlers that do not come back in time, on real threads: everything else goes on, and
 * nothing is lost, doubled or out of order when they do come back. Under the thread sanitizer the handshake
 * itself is what is tested: handlers that call the runtime all the time while they are being relieved.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <troupe.h>

#include "core/system.h"

#define NUMBERED(F) F(u64, number)
TROUPE_MESSAGE(numbered, NUMBERED)
TROUPE_MESSAGE_EMPTY(begin)
TROUPE_MESSAGE_EMPTY(poke)

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Waits, ten seconds at most, until a counter has reached a number. */
static bool reaches(_Atomic uint64_t *counter, uint64_t number)
{
    double end = seconds_now() + 10;
    while (atomic_load(counter) < number && seconds_now() < end)
        sleep_ms(1);
    return atomic_load(counter) >= number;
}

static troupe_system *start(uint32_t workers, uint32_t handler_ms)
{
    troupe_system *system = NULL;
    troupe_options options = {.workers = workers, .handler_ms = handler_ms};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static troupe_counters counters_of(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    return counters;
}

static _Atomic bool is_held;
static _Atomic uint64_t came_back;
static _Atomic uint64_t handled_count;
static _Atomic uint64_t wrong_order;

/* Blocks until it is let go. */
static troupe_status blocker_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    if (begin_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    while (atomic_load(&is_held))
        sleep_ms(1);
    atomic_fetch_add(&came_back, 1);
    return TROUPE_OK;
}

static troupe_status counter_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t *last = troupe_state(self);
    const numbered *m = numbered_of(message);
    if (m == NULL)
        return poke_of(message) != NULL ? TROUPE_OK : TROUPE_UNEXPECTED;
    if (m->number != *last + 1)
        atomic_fetch_add(&wrong_order, 1);
    *last = m->number;
    atomic_fetch_add(&handled_count, 1);
    return TROUPE_OK;
}

/* Sends itself a message each time a timer fires, which needs the worker's wheel. */
static troupe_status ticker_start(troupe_self *self)
{
    return troupe_timer_start(self, 1, 1, 7, NULL);
}

static troupe_status ticker_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    if (troupe_timeout_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    atomic_fetch_add(&handled_count, 1);
    return TROUPE_OK;
}

static const troupe_behaviour blocker = {.name = "blocker", .receive = blocker_receive};
static const troupe_behaviour counter = {
    .name = "counter", .state_size = sizeof(uint64_t), .receive = counter_receive};
static const troupe_behaviour ticker = {.name = "ticker", .start = ticker_start, .receive = ticker_receive};

static void reset(void)
{
    atomic_store(&is_held, true);
    atomic_store(&came_back, 0);
    atomic_store(&handled_count, 0);
    atomic_store(&wrong_order, 0);
}

static void others_go_on_while_a_handler_blocks(void **state)
{
    (void)state;
    reset();
    troupe_system *system = start(1, 0);
    troupe_ref stuck = troupe_spawn(system, &blocker, NULL);
    troupe_ref other = troupe_spawn(system, &counter, NULL);
    assert_int_equal(troupe_send(system, other, poke), TROUPE_OK);
    assert_int_equal(troupe_send(system, stuck, begin), TROUPE_OK);
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(troupe_send(system, other, numbered, .number = i), TROUPE_OK);
    assert_true(reaches(&handled_count, 1000)); /* the only worker is blocked all this time */
    assert_int_equal(atomic_load(&came_back), 0);
    assert_int_equal(counters_of(system).relieved, 1);
    atomic_store(&is_held, false);
    assert_true(reaches(&came_back, 1));
    assert_int_equal(atomic_load(&wrong_order), 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void timers_of_a_blocked_worker_fire(void **state)
{
    (void)state;
    reset();
    troupe_system *system = start(1, 0);
    troupe_ref stuck = troupe_spawn(system, &blocker, NULL);
    troupe_spawn(system, &ticker, NULL);
    assert_true(reaches(&handled_count, 2));
    assert_int_equal(troupe_send(system, stuck, begin), TROUPE_OK);
    sleep_ms(5);
    uint64_t then = atomic_load(&handled_count);
    assert_true(reaches(&handled_count, then + 50));
    assert_int_equal(atomic_load(&came_back), 0);
    atomic_store(&is_held, false);
    assert_int_equal(troupe_stop(&system), 0);
}

/* Several block one after another, each holding a thread: as many spares, and all come back. */
static void as_many_as_block_are_relieved(void **state)
{
    (void)state;
    enum { BLOCKERS = 5 };
    reset();
    troupe_system *system = start(1, 0);
    troupe_ref stuck[BLOCKERS];
    for (int i = 0; i < BLOCKERS; i++) {
        stuck[i] = troupe_spawn(system, &blocker, NULL);
        assert_int_equal(troupe_send(system, stuck[i], begin), TROUPE_OK);
    }
    troupe_ref other = troupe_spawn(system, &counter, NULL);
    assert_int_equal(troupe_send(system, other, numbered, .number = 1), TROUPE_OK);
    assert_true(reaches(&handled_count, 1));
    assert_int_equal(counters_of(system).relieved, BLOCKERS);
    atomic_store(&is_held, false);
    assert_true(reaches(&came_back, BLOCKERS));
    for (int i = 0; i < BLOCKERS; i++) /* they are at home again, and still there */
        assert_int_equal(troupe_send(system, stuck[i], begin), TROUPE_OK);
    assert_true(reaches(&came_back, 2 * BLOCKERS));
    assert_int_equal(troupe_stop(&system), 0);
}

static void threads_of_the_relieved_are_the_next_spares(void **state)
{
    (void)state;
    reset();
    troupe_system *system = start(1, 0);
    troupe_ref stuck = troupe_spawn(system, &blocker, NULL);
    for (uint64_t i = 1; i <= 10; i++) {
        atomic_store(&is_held, true);
        assert_int_equal(troupe_send(system, stuck, begin), TROUPE_OK);
        double end = seconds_now() + 10;
        while (counters_of(system).relieved < i && seconds_now() < end)
            sleep_ms(1);
        assert_int_equal(counters_of(system).relieved, i);
        atomic_store(&is_held, false);
        assert_true(reaches(&came_back, i));
        sleep_ms(3); /* its thread goes back to the pool */
    }
    assert_true(load_acquire(&system->worker_count_all) <= 1 + 3);
    assert_int_equal(troupe_stop(&system), 0);
}

/* What a handler that is being relieved does all the time: everything that touches its worker. */
struct busy {
    troupe_ref sink;
    uint64_t number;
    uint64_t lap;
};

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    return TROUPE_OK;
}

static troupe_status mayfly_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour mayfly = {.name = "mayfly", .receive = mayfly_receive};

static troupe_status busy_receive(troupe_self *self, const troupe_message *message)
{
    struct busy *busy = troupe_state(self);
    if (poke_of(message) != NULL || troupe_timeout_of(message) != NULL || troupe_down_of(message) != NULL)
        return TROUPE_OK;
    if (begin_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    uint64_t end_ns = troupe_now_ns(self) + 15000000;
    while (troupe_now_ns(self) < end_ns) {
        uint64_t timer;
        uint64_t monitor;
        if (troupe_send(self, busy->sink, numbered, .number = busy->number + 1) == TROUPE_OK)
            busy->number++;
        if (busy->lap++ % 64 != 0)
            continue;
        (void)troupe_send(self, troupe_self_ref(self), poke);
        if (troupe_timer_start(self, 1, 0, 0, &timer) == TROUPE_OK && busy->lap % 3 != 0)
            troupe_timer_cancel(self, timer);
        if (troupe_monitor(self, busy->sink, &monitor) == TROUPE_OK)
            troupe_demonitor(self, monitor);
        troupe_ref child = troupe_spawn(self, &mayfly, NULL);
        (void)troupe_send(self, child, poke);
        if (troupe_ask(self, busy->sink, 1, on_reply, NULL, poke) != TROUPE_OK)
            continue;
        (void)troupe_random(self);
        if (troupe_join(self, "busy") == TROUPE_OK)
            troupe_leave(self, "busy");
    }
    atomic_fetch_add(&came_back, 1);
    return atomic_load(&is_held) ? troupe_send(self, troupe_self_ref(self), begin) : TROUPE_OK;
}

static const troupe_behaviour busy = {
    .name = "busy", .state_size = sizeof(struct busy), .receive = busy_receive};

static void handlers_that_call_the_runtime_are_relieved_unharmed(void **state)
{
    (void)state;
    enum { BUSY = 3, ROUNDS = 60 };
    reset();
    troupe_system *system = start(2, 1);
    for (int i = 0; i < BUSY; i++) {
        troupe_ref sink =
            troupe_spawn(system, &counter,
                         &(troupe_spawn_options){.mailbox_len_max = TROUPE_MAILBOX_LEN_MAX,
                                                 .mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX});
        struct busy one = {.sink = sink};
        troupe_ref who = troupe_spawn(
            system, &busy, &(troupe_spawn_options){.state = &one, .mailbox_len_max = TROUPE_MAILBOX_LEN_MAX});
        assert_int_equal(troupe_send(system, who, begin), TROUPE_OK);
    }
    assert_true(reaches(&came_back, ROUNDS));
    atomic_store(&is_held, false);
    assert_true(counters_of(system).relieved > 0);
    assert_int_equal(atomic_load(&wrong_order), 0);
    print_message("relieved %llu times in %llu rounds, %llu messages\n",
                  (unsigned long long)counters_of(system).relieved,
                  (unsigned long long)atomic_load(&came_back),
                  (unsigned long long)atomic_load(&handled_count));
    assert_int_equal(troupe_stop(&system), 0);
}

static troupe_status failing_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    while (atomic_load(&is_held))
        sleep_ms(1);
    return troupe_fail(self, TROUPE_IO, "it took too long");
}

static _Atomic uint64_t restarted;

static troupe_status failing_start(troupe_self *self)
{
    (void)self;
    atomic_fetch_add(&restarted, 1);
    return TROUPE_OK;
}

static const troupe_behaviour failing = {
    .name = "failing", .start = failing_start, .receive = failing_receive};

static void relieved_actor_that_fails_is_restarted(void **state)
{
    (void)state;
    reset();
    atomic_store(&restarted, 0);
    troupe_system *system = start(1, 0);
    troupe_child_spec child = {.id = "failing", .behaviour = &failing, .options = {.name = "failing"}};
    troupe_supervisor_spec spec = {.children = &child, .child_count = 1};
    assert_false(troupe_ref_is_none(troupe_supervisor_start(system, &spec, NULL)));
    assert_true(reaches(&restarted, 1));
    assert_int_equal(troupe_send(system, troupe_whereis(system, "failing"), poke), TROUPE_OK);
    double end = seconds_now() + 10;
    while (counters_of(system).relieved < 1 && seconds_now() < end)
        sleep_ms(1);
    assert_int_equal(counters_of(system).relieved, 1);
    assert_int_equal(atomic_load(&restarted), 1);
    atomic_store(&is_held, false);
    assert_true(reaches(&restarted, 2));
    assert_int_equal(troupe_stop(&system), 0);
}

static void system_that_stops_waits_for_a_relieved_handler(void **state)
{
    (void)state;
    reset();
    troupe_system *system = start(1, 0);
    troupe_ref stuck = troupe_spawn(system, &blocker, NULL);
    assert_int_equal(troupe_send(system, stuck, begin), TROUPE_OK);
    double end = seconds_now() + 10;
    while (counters_of(system).relieved < 1 && seconds_now() < end)
        sleep_ms(1);
    atomic_store(&is_held, false);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(atomic_load(&came_back), 1);
}

/* An idle system must be idle: its watchdog sleeps, too, and wakes up with the workers. */
static void watchdog_sleeps_with_the_workers(void **state)
{
    (void)state;
    reset();
    troupe_system *system = start(1, 1);
    double end = seconds_now() + 10;
    while (!load_relaxed(&system->watchdog.is_dormant) && seconds_now() < end)
        sleep_ms(1);
    assert_true(load_relaxed(&system->watchdog.is_dormant));
    troupe_ref stuck = troupe_spawn(system, &blocker, NULL);
    assert_int_equal(troupe_send(system, stuck, begin), TROUPE_OK);
    while (counters_of(system).relieved < 1 && seconds_now() < end)
        sleep_ms(1);
    assert_int_equal(counters_of(system).relieved, 1);
    atomic_store(&is_held, false);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_on_while_a_handler_blocks),
        cmocka_unit_test(timers_of_a_blocked_worker_fire),
        cmocka_unit_test(as_many_as_block_are_relieved),
        cmocka_unit_test(threads_of_the_relieved_are_the_next_spares),
        cmocka_unit_test(handlers_that_call_the_runtime_are_relieved_unharmed),
        cmocka_unit_test(relieved_actor_that_fails_is_restarted),
        cmocka_unit_test(system_that_stops_waits_for_a_relieved_handler),
        cmocka_unit_test(watchdog_sleeps_with_the_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

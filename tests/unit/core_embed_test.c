/* SPDX-License-Identifier: MIT */
/*
 * core_embed_test.c: a system stepped by a host's loop: work, timers and sends from another thread are all
 * told by the descriptor or the wait, and everything runs on the host's thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <troupe.h>

#define ITEM(F) F(u32, number)
TROUPE_MESSAGE(item, ITEM)
TROUPE_MESSAGE_EMPTY(alarm_after)
#define TOTAL(F) F(u32, sum)
TROUPE_MESSAGE(total, TOTAL)

enum {
    ITEMS = 1000,
    ALARM_MS = 30,
};

static uint32_t sum;
static uint32_t alarms;
static pthread_t ran_on;

static troupe_status adder_receive(troupe_self *self, const troupe_message *message)
{
    const item *m = item_of(message);
    ran_on = pthread_self();
    if (alarm_after_of(message) != NULL)
        return troupe_timer_start(self, ALARM_MS, 0, 0, NULL);
    if (troupe_timeout_of(message) != NULL) {
        alarms++;
        return TROUPE_OK;
    }
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    sum += m->number;
    return troupe_reply(self, troupe_asker_of(message), total, .sum = sum);
}

static const troupe_behaviour adder = {.name = "adder", .receive = adder_receive};

static troupe_system *begin(void)
{
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &(troupe_options){.embedded = true}), TROUPE_OK);
    sum = 0;
    alarms = 0;
    return system;
}

/* A host's loop: steps, then waits on the descriptor as long as it was told, until `*counter` is `goal`. */
static uint32_t host(troupe_system *system, const uint32_t *counter, uint32_t goal)
{
    uint32_t waits = 0;
    while (*counter < goal) {
        uint64_t wait_ms;
        assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
        if (*counter >= goal || wait_ms == 0)
            continue;
        struct pollfd watched = {.fd = troupe_poll_fd(system), .events = POLLIN};
        int got = poll(&watched, 1, wait_ms == TROUPE_STEP_FOREVER ? 5000 : (int)wait_ms);
        assert_true(got >= 0);
        if (wait_ms == TROUPE_STEP_FOREVER)
            assert_int_equal(got, 1); /* else what was sent has been missed */
        waits++;
    }
    return waits;
}

static void step_runs_actors_on_the_hosts_thread(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref to = troupe_spawn(system, &adder, NULL);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(troupe_send(system, to, item, .number = 1), TROUPE_OK);
    assert_int_equal(sum, 0);
    host(system, &sum, ITEMS);
    assert_true(pthread_equal(ran_on, pthread_self()));
    assert_int_equal(troupe_stop(&system), 0);
}

static void wait_ends_when_a_timer_is_due(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref to = troupe_spawn(system, &adder, NULL);
    assert_int_equal(troupe_send(system, to, alarm_after), TROUPE_OK);
    uint64_t then_ns = troupe_now_ns(system);
    uint32_t waits = host(system, &alarms, 1);
    assert_true(troupe_now_ns(system) - then_ns >= ALARM_MS * UINT64_C(1000000));
    assert_in_range(waits, 1, 10);
    assert_int_equal(troupe_stop(&system), 0);
}

struct outsider {
    troupe_system *system;
    troupe_ref to;
    uint64_t wait_ms;
    troupe_status step_status;
};

static void *send_slowly(void *context)
{
    struct outsider *outsider = context;
    for (uint32_t i = 0; i < 20; i++) {
        usleep(1000);
        troupe_send(outsider->system, outsider->to, item, .number = 1);
    }
    outsider->step_status = troupe_step(outsider->system, 1, &outsider->wait_ms);
    return NULL;
}

static void send_from_another_thread_wakes_the_host(void **state)
{
    (void)state;
    troupe_system *system = begin();
    struct outsider outsider = {.system = system, .to = troupe_spawn(system, &adder, NULL)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_slowly, &outsider), 0);
    host(system, &sum, 20);
    pthread_join(thread, NULL);
    assert_int_equal(outsider.step_status, TROUPE_INVALID);
    assert_int_equal(troupe_stop(&system), 0);
}

static void call_of_the_host_steps_until_the_answer(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref own = troupe_spawn(system, &adder, &(troupe_spawn_options){.own_thread = true});
    troupe_ref here = troupe_spawn(system, &adder, NULL);
    for (uint32_t i = 1; i <= 10; i++) {
        troupe_message *reply;
        assert_int_equal(troupe_call(system, i % 2 ? own : here, 5000, &reply, item, .number = 1), TROUPE_OK);
        assert_int_equal(total_of(reply)->sum, i);
        troupe_message_free(system, &reply);
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static void system_with_threads_is_not_stepped(void **state)
{
    (void)state;
    troupe_system *system;
    uint64_t wait_ms;
    assert_int_equal(troupe_start(&system, NULL), TROUPE_OK);
    assert_int_equal(troupe_step(system, 1, &wait_ms), TROUPE_INVALID);
    assert_int_equal(troupe_poll_fd(system), -1);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_runs_actors_on_the_hosts_thread),
        cmocka_unit_test(wait_ends_when_a_timer_is_due),
        cmocka_unit_test(send_from_another_thread_wakes_the_host),
        cmocka_unit_test(call_of_the_host_steps_until_the_answer),
        cmocka_unit_test(system_with_threads_is_not_stepped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

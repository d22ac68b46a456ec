/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel against a sorted list: random starts, cancels and steps of time, of every magnitude; after
 * each the wheel has fired what the list says, in the same order, and says no later time for the next. One
 * thread.
 *
 * The seed is printed; TROUPE_SEED=n chooses it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/random.h"
#include "core/scheduler.h"
#include "support/seeds.h"

enum {
    STEPS = 60000,
    PENDING_MAX = 3000,
    NS_PER_MS = 1000000,
};

/*
 * The model: timers in the order in which they are due, those of one millisecond in the order of their start.
 */
struct pending {
    uint64_t due_ms;
    uint64_t tag;
    struct timer *timer;
};

static struct pending list[PENDING_MAX];
static uint32_t list_len;
static uint64_t fired_count;
static struct random random_state;

static uint64_t magnitude(void)
{
    return random_next(&random_state) >> (28 + random_below(&random_state, 36));
}

static void list_add(uint64_t due_ms, uint64_t tag, struct timer *timer)
{
    uint32_t i = list_len++;
    for (; i > 0 && list[i - 1].due_ms > due_ms; i--)
        list[i] = list[i - 1];
    list[i] = (struct pending){due_ms, tag, timer};
}

static void list_remove(uint32_t at)
{
    list_len--;
    for (uint32_t i = at; i < list_len; i++)
        list[i] = list[i + 1];
}

/* The sink's mailbox is where the wheel's notices go: taken out by hand, so nothing runs. */
static void expect_fired(struct worker *worker, struct actor *sink, uint64_t now_ms)
{
    struct lane *lane = actor_lane(sink, TROUPE_CLASS_SYSTEM);
    while (lane->first != NULL) {
        struct timer *timer = (struct timer *)(void *)lane->first;
        lane->first = lane->first->next;
        assert_true(list_len > 0);
        assert_int_equal(timer->body.tag, list[0].tag);
        assert_true(list[0].due_ms <= now_ms);
        list_remove(0);
        fired_count++;
        slab_free(&worker->slab, timer, sizeof *timer);
    }
    assert_true(list_len == 0 || list[0].due_ms > now_ms);
    uint64_t next_ms = wheel_next_ms(&worker->wheel);
    if (list_len == 0)
        assert_true(next_ms == UINT64_MAX);
    else
        assert_true(next_ms <= list[0].due_ms && next_ms >= now_ms);
}

static troupe_status idle_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

static const troupe_behaviour idle = {.name = "idle", .receive = idle_receive};

static void timer_add(struct troupe_system *system, struct worker *worker, troupe_ref sink, uint64_t tag)
{
    struct timer *timer;
    uint64_t delay_ms = magnitude();
    uint64_t due_ms = (troupe_now_ns(system) + NS_PER_MS - 1) / NS_PER_MS + delay_ms;
    assert_int_equal(timer_new(worker, sink, 0, delay_ms, 0, tag, false, &timer), TROUPE_OK);
    list_add(due_ms, tag, timer);
}

static void time_goes_on(struct troupe_system *system, uint64_t ns)
{
    uint64_t now_ns = troupe_now_ns(system);
    if (now_ns + ns < UINT64_C(1) << 62) /* 146 years */
        env_sim_advance_to(system->env, now_ns + ns);
}

static void wheel_agrees_with_a_sorted_list(void **state)
{
    (void)state;
    const troupe_options options = {.workers = 1, .simulate = {.seed = 1}};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref ref = troupe_spawn(system, &idle, NULL);
    troupe_sim_advance(system, 0);
    struct worker *worker = system->workers[0];
    struct actor *sink = system_find(system, ref);
    worker_current = worker;
    worker->is_simulated = false; /* or the seed would shuffle what is due at once */
    sink->is_queued = 1;          /* nobody runs it */
    for (uint64_t step = 0; step < STEPS; step++) {
        uint32_t what = random_below(&random_state, 10);
        if (what < 5 && list_len < PENDING_MAX) {
            timer_add(system, worker, ref, step);
        } else if (what < 7 && list_len > 0) {
            uint32_t at = random_below(&random_state, list_len);
            timer_cancel(worker, list[at].timer);
            list_remove(at);
        } else {
            /* To just about the next one's time as often as anywhere. */
            bool is_near = list_len > 0 && random_below(&random_state, 2) == 0;
            uint64_t due_ns = is_near ? list[0].due_ms * NS_PER_MS : 0;
            uint64_t now_ns = troupe_now_ns(system);
            uint64_t ns = due_ns > now_ns ? due_ns - now_ns : magnitude() % 1000000 * 1000;
            time_goes_on(system, ns - random_below(&random_state, 2) % (ns + 1));
            wheel_advance(worker, troupe_now_ns(system) / NS_PER_MS);
        }
        wheel_advance(worker, troupe_now_ns(system) / NS_PER_MS);
        expect_fired(worker, sink, troupe_now_ns(system) / NS_PER_MS);
    }
    worker_current = NULL;
    sink->is_queued = 0;
    assert_true(fired_count > STEPS / 20);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    random_state.state = seeds_one("property_core_wheel_test", seeds_other());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_agrees_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

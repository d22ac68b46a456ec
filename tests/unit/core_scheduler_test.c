/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/scheduler: notices to workers and to the outside, and the order in which actors run.
 * One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

#include "core/mailbox.h"
#include "core/post.h"
#include "core/scheduler.h"

static troupe_system *start_simulated(uint32_t workers)
{
    const troupe_options options = {.workers = workers, .simulate = {.seed = 1}};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

/* A slot that is at home outside and free, with a message in it for a tenant that has ended. */
static void late_message_push(struct troupe_system *system, struct actor *slot)
{
    troupe_message *message = message_new(system->workers[0], &troupe_started_type, sizeof(troupe_started));
    assert_non_null(message);
    message->generation = 2;
    counter_add(&system->workers[0]->counters.sent, 1);
    mailbox_push_remote(system, slot, message);
}

static uint64_t dead_letters(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    return counters.dead_letters;
}

/* Whoever holds the lock may itself send to such a slot: it must not wait for itself. */
static void notice_for_a_slot_outside_waits_for_nobody(void **state)
{
    (void)state;
    troupe_system *system = start_simulated(1);
    struct actor *slot;
    struct worker *outside = context_enter(&system->context);
    assert_int_equal(worker_slot_take(outside, &slot), TROUPE_OK);
    late_message_push(system, slot);
    context_leave(&system->context);
    assert_int_equal(dead_letters(system), 1);
    late_message_push(system, slot);
    assert_int_equal(dead_letters(system), 2);
    worker_current = system->workers[0]; /* as from a handler */
    late_message_push(system, slot);
    context_enter(&system->context);
    late_message_push(system, slot);
    context_leave(&system->context);
    worker_current = NULL;
    assert_int_equal(dead_letters(system), 4);
    assert_int_equal(troupe_stop(&system), 0);
}

/*
 * -- moves, interleaved by hand: one thread plays two workers ----------------------------------------------
 */

#define STEP_FIELDS(F) F(u64, number)
TROUPE_MESSAGE(step, STEP_FIELDS)

static uint64_t seen[8];
static uint32_t seen_count;

static troupe_status see_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    seen[seen_count++] = step_of(message)->number;
    return TROUPE_OK;
}

static const troupe_behaviour seer = {.name = "seer", .receive = see_receive};

/* An idle actor at home at worker 0 of two. */
static troupe_system *start_two(struct actor **ret_actor, troupe_ref *ret_ref)
{
    troupe_system *system = start_simulated(2);
    *ret_ref = troupe_spawn(system, &seer, NULL);
    troupe_sim_advance(system, 0);
    *ret_actor = system_find(system, *ret_ref);
    seen_count = 0;
    if (load_relaxed(&(*ret_actor)->home) != 0) { /* as the seed had it */
        worker_deal(system->workers[0], *ret_actor);
        troupe_sim_advance(system, 0);
    }
    return system;
}

/* Sends as worker `from`. */
static void send_as(troupe_system *system, uint32_t from, troupe_ref to, uint64_t number)
{
    struct worker *worker = system->workers[from];
    worker_current = worker;
    assert_int_equal(
        troupe_send_fields(&worker->seat->context, to, &step_type, TROUPE_FIELDS(step, .number = number)),
        TROUPE_OK);
    worker_current = NULL;
}

/* The first message goes to the old home, the second finds the actor at its sender's own worker. */
static void order_is_kept_when_the_receiver_comes_home_between_two_sends(void **state)
{
    (void)state;
    for (int is_quick_way = 0; is_quick_way < 2; is_quick_way++) {
        struct actor *actor;
        troupe_ref ref;
        troupe_system *system = start_two(&actor, &ref);
        system->workers[1]->seat->context.is_quick = is_quick_way;
        send_as(system, 1, ref, 0);
        worker_deal(system->workers[1], actor);
        send_as(system, 1, ref, 1);
        system->workers[1]->seat->context.is_quick = false;
        troupe_sim_advance(system, 0);
        assert_int_equal(seen_count, 2);
        assert_int_equal(seen[0], 0);
        assert_int_equal(seen[1], 1);
        assert_int_equal(dead_letters(system), 0);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

/* The notice comes to the old home, after the actor has gone. */
static void notice_for_an_actor_that_has_moved_is_passed_on(void **state)
{
    (void)state;
    struct actor *actor;
    troupe_ref ref;
    troupe_system *system = start_two(&actor, &ref);
    send_as(system, 1, ref, 0);
    worker_deal(system->workers[1], actor);
    worker_current = system->workers[1];
    while (scheduler_step(system->workers[1])) { /* takes it in, and what has arrived with it */
    }
    worker_current = NULL;
    assert_ptr_equal(load_relaxed(&actor->arrived),
                     MAILBOX_NOTIFIED); /* the notice is still at the old home */
    assert_int_equal(seen_count, 1);
    send_as(system, 0, ref, 1); /* finds a notice under way, and sends none */
    troupe_sim_advance(system, 0);
    assert_int_equal(seen_count, 2);
    assert_null(load_relaxed(&actor->arrived));
    assert_int_equal(troupe_stop(&system), 0);
}

/* The new home hears of a message for the actor before it finds it in `dealt`. */
static void dealt_actor_is_queued_once_though_a_notice_finds_it_first(void **state)
{
    (void)state;
    struct actor *actor;
    troupe_ref ref;
    troupe_system *system = start_two(&actor, &ref);
    worker_deal(system->workers[1], actor);
    send_as(system, 0, ref, 0);
    assert_non_null(load_relaxed(&system->workers[1]->arrivals));
    assert_non_null(load_relaxed(&system->workers[1]->dealt));
    worker_current = system->workers[1];
    assert_true(scheduler_step(system->workers[1]));
    worker_current = NULL;
    assert_int_equal(seen_count, 1);
    assert_int_equal(system->workers[1]->ready.len, 0);
    assert_null(system->workers[1]->ready.first);
    assert_int_equal(actor->is_queued, 0);
    assert_int_equal(troupe_stop(&system), 0);
}

/*
 * -- order of running
 * ----------------------------------------------------------------------------------------
 */

static uint32_t turns[3];

/* Two that talk without end, and a third that waits. */
static troupe_status talk_receive(troupe_self *self, const troupe_message *message)
{
    const step *m = step_of(message);
    turns[m->number]++;
    if (m->number < 2)
        return troupe_send(self, message->sender, step, .number = 1 - m->number);
    return TROUPE_OK;
}

static const troupe_behaviour talker = {.name = "talker", .receive = talk_receive};

static troupe_status begin_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    troupe_ref other = troupe_spawn(self, &talker, NULL);
    troupe_ref third = troupe_spawn(self, &talker, NULL);
    assert_int_equal(troupe_become(self, &talker), TROUPE_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(troupe_send(self, third, step, .number = 2), TROUPE_OK);
    return troupe_send(self, other, step, .number = 0);
}

static const troupe_behaviour beginner = {.name = "beginner", .receive = begin_receive};

static bool third_has_run(void *context)
{
    (void)context;
    return turns[2] == 5;
}

static void pair_that_talks_without_end_starves_nobody(void **state)
{
    (void)state;
    troupe_system *system = start_simulated(1);
    memset(turns, 0, sizeof turns);
    troupe_ref ref = troupe_spawn(system, &beginner, NULL);
    assert_int_equal(troupe_send(system, ref, step, .number = 0), TROUPE_OK);
    assert_int_equal(troupe_sim_run_until(system, third_has_run, NULL, 10), TROUPE_OK);
    assert_true(turns[0] < 100 * FAIR_EVERY);
    system->drain_ms = 1; /* they would go on */
    assert_int_equal(troupe_stop(&system), 0);
}

/*
 * -- going to sleep
 * ----------------------------------------------------------------------------------------
 */

static void worker_looks_out_longer_when_sleeps_are_short(void **state)
{
    (void)state;
    uint64_t spin_ns = 0; /* as of a new worker */
    spin_ns = scheduler_spin_ns(spin_ns, SPIN_NS_MAX);
    assert_int_equal(spin_ns, SPIN_NS_MIN);
    assert_int_equal(scheduler_spin_ns(spin_ns, SPIN_NS_MAX), 2 * SPIN_NS_MIN);
    for (int i = 0; i < 10; i++)
        spin_ns = scheduler_spin_ns(spin_ns, 0);
    assert_int_equal(spin_ns, SPIN_NS_MAX); /* and no longer than a wake costs */
}

static void worker_looks_out_for_less_after_each_long_sleep(void **state)
{
    (void)state;
    uint64_t spin_ns = scheduler_spin_ns(SPIN_NS_MAX, SPIN_NS_MAX + 1);
    assert_int_equal(spin_ns, SPIN_NS_MAX / 2);
    for (int i = 0; i < 10; i++)
        spin_ns = scheduler_spin_ns(spin_ns, UINT64_MAX);
    assert_int_equal(spin_ns, SPIN_NS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notice_for_a_slot_outside_waits_for_nobody),
        cmocka_unit_test(order_is_kept_when_the_receiver_comes_home_between_two_sends),
        cmocka_unit_test(notice_for_an_actor_that_has_moved_is_passed_on),
        cmocka_unit_test(dealt_actor_is_queued_once_though_a_notice_finds_it_first),
        cmocka_unit_test(pair_that_talks_without_end_starves_nobody),
        cmocka_unit_test(worker_looks_out_longer_when_sleeps_are_short),
        cmocka_unit_test(worker_looks_out_for_less_after_each_long_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

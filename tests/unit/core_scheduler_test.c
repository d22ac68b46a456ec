/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/scheduler: notices to workers and to the outside, and the order in which actors run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notice_for_a_slot_outside_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

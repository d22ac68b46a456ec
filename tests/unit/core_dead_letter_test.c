/* SPDX-License-Identifier: MIT */
/*
 * Facts about dead letters: each way a message can end unhandled is counted under its own reason, and under
 * no other. Simulated, so every order is the seed's. One thread.
 */
#include "core_probe.h"

#include "core/system.h"

enum {
    BOUND = 2,
    ASK_MS = 50,
};

TROUPE_MESSAGE_EMPTY(dead_strange)

static struct probe first;
static struct probe second;

static troupe_system *begin(const troupe_spawn_options *options)
{
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    probe_spawn(system, &second, options);
    return system;
}

/* One dead letter, for this reason; then stops. */
static void expect_one(troupe_system *system, troupe_dead_reason reason)
{
    troupe_counters counters = probe_counters(system);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < TROUPE_DEAD_COUNT; i++)
        sum += counters.dead_letters_by[i];
    assert_int_equal(sum, counters.dead_letters);
    assert_int_equal(counters.dead_letters, 1);
    assert_int_equal(counters.dead_letters_by[reason], 1);
    probe_system_stop(system);
}

static troupe_class last_class;

static troupe_status fill_over(troupe_self *self)
{
    for (uint32_t i = 0; i <= BOUND; i++)
        assert_int_equal(troupe_send(self, second.ref, probe_value, .value = i,
                                     .envelope.message_class = i == BOUND ? last_class : TROUPE_CLASS_NORMAL),
                         TROUPE_OK);
    return TROUPE_OK;
}

static void notice_to_nobody_has_no_actor(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    troupe_shutdown(system, second.ref, TROUPE_SHUTDOWN);
    settle(system);
    troupe_shutdown(system, second.ref, TROUPE_SHUTDOWN);
    expect_one(system, TROUPE_DEAD_NO_ACTOR);
}

static void what_an_ended_actor_left_is_ended(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    troupe_shutdown(system, second.ref, TROUPE_SHUTDOWN);
    assert_int_equal(troupe_send(system, second.ref, probe_value, .value = 1), TROUPE_OK);
    settle(system);
    expect_one(system, TROUPE_DEAD_ENDED);
}

static void what_is_not_understood_is_unexpected(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    assert_int_equal(troupe_send(system, second.ref, dead_strange), TROUPE_OK);
    settle(system);
    expect_one(system, TROUPE_DEAD_UNEXPECTED);
}

static void policies_of_full_mailboxes_each_have_their_reason(void **state)
{
    (void)state;
    const struct {
        troupe_overflow overflow;
        troupe_class last_class;
        troupe_dead_reason reason;
    } cases[] = {
        {TROUPE_OVERFLOW_DROP_OLDEST, TROUPE_CLASS_NORMAL, TROUPE_DEAD_DROPPED_OLDEST},
        {TROUPE_OVERFLOW_DROP_NEWEST, TROUPE_CLASS_NORMAL, TROUPE_DEAD_DROPPED_NEWEST},
        {TROUPE_OVERFLOW_SHED, TROUPE_CLASS_NORMAL, TROUPE_DEAD_SHED},
        {TROUPE_OVERFLOW_SHED, TROUPE_CLASS_URGENT, TROUPE_DEAD_SHED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const troupe_spawn_options options = {.mailbox_len_max = BOUND, .overflow = cases[i].overflow};
        troupe_system *system = begin(&options);
        last_class = cases[i].last_class;
        probe_do(system, &first, fill_over);
        expect_one(system, cases[i].reason);
    }
}

/* Nobody else runs while this handler does: the clock is moved under what waits. */
static troupe_status hold_back(troupe_self *self)
{
    env_sim_advance_to(self->context.system->env, troupe_now_ns(self) + UINT64_C(100000000));
    return TROUPE_OK;
}

static void what_waited_beyond_its_deadline_is_expired(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    troupe_send(system, second.ref, probe_run, .function = (uint64_t)(uintptr_t)hold_back);
    troupe_send(system, second.ref, probe_value, .envelope.deadline_ms = 50);
    settle(system);
    expect_one(system, TROUPE_DEAD_EXPIRED);
}

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    return TROUPE_OK;
}

static troupe_status ask_second(troupe_self *self)
{
    return troupe_ask(self, second.ref, ASK_MS, on_answer, NULL, probe_question, .value = 1);
}

static troupe_status answer(troupe_self *self)
{
    return troupe_reply(self, second.asker, probe_answer, .value = 2);
}

static void answer_after_the_timeout_is_late(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    probe_do(system, &first, ask_second);
    troupe_sim_advance(system, ASK_MS * 2);
    probe_do(system, &second, answer);
    expect_one(system, TROUPE_DEAD_LATE);
}

static troupe_status watch_nobody_and_cancel(troupe_self *self)
{
    uint64_t monitor;
    assert_int_equal(troupe_monitor(self, troupe_ref_none(), &monitor), TROUPE_OK);
    troupe_demonitor(self, monitor);
    return TROUPE_OK;
}

static void notice_of_what_was_cancelled_is_cancelled(void **state)
{
    (void)state;
    troupe_system *system = begin(NULL);
    probe_do(system, &first, watch_nobody_and_cancel);
    troupe_counters counters = probe_counters(system);
    assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_CANCELLED], 1); /* the notice */
    assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_NO_ACTOR], 2);  /* both requests, to nobody */
    assert_int_equal(counters.dead_letters, 3);
    probe_system_stop(system);
}

static troupe_status keep_all(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_STASHED;
}

static void what_the_stash_cannot_hold_is_stash_full(void **state)
{
    (void)state;
    static const troupe_behaviour keeper = {.name = "keeper", .receive = keep_all};
    troupe_system *system = probe_system(1);
    troupe_ref to = troupe_spawn(system, &keeper, &(troupe_spawn_options){.mailbox_len_max = BOUND});
    for (uint32_t i = 0; i < BOUND + 1; i++) {
        assert_int_equal(troupe_send(system, to, probe_value, .value = i), TROUPE_OK);
        settle(system);
    }
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_STASH_FULL], 1);
    assert_int_equal(counters.dead_letters, 1);
    troupe_shutdown(system, to, TROUPE_SHUTDOWN);
    settle(system);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_ENDED], BOUND);
    probe_system_stop(system);
}

static troupe_status status_told;

static troupe_status note_status(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    (void)self;
    (void)reply;
    (void)context;
    status_told = status;
    return TROUPE_OK;
}

static troupe_status ask_noting(troupe_self *self)
{
    return troupe_ask(self, second.ref, ASK_MS, note_status, NULL, probe_question, .value = 1);
}

static void whoever_asked_is_told_the_status_of_the_reason(void **state)
{
    (void)state;
    const troupe_spawn_options dropping = {.mailbox_len_max = 1, .overflow = TROUPE_OVERFLOW_DROP_NEWEST};
    troupe_system *system = begin(&dropping);
    assert_int_equal(troupe_send(system, first.ref, probe_run,
                                 .function = (uint64_t)(uintptr_t)(probe_function)ask_noting),
                     TROUPE_OK);
    assert_int_equal(troupe_send(system, first.ref, probe_run,
                                 .function = (uint64_t)(uintptr_t)(probe_function)ask_noting),
                     TROUPE_OK);
    settle(system);
    assert_int_equal(status_told, TROUPE_FULL);
    troupe_counters counters = probe_counters(system);
    assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_DROPPED_NEWEST], 1);
    probe_system_stop(system);
}

static void reasons_have_texts_of_their_own(void **state)
{
    (void)state;
    for (int i = 0; i < TROUPE_DEAD_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(troupe_dead_text((troupe_dead_reason)i),
                                    troupe_dead_text((troupe_dead_reason)j));
    assert_string_equal(troupe_dead_text((troupe_dead_reason)TROUPE_DEAD_COUNT),
                        "a reason that is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notice_to_nobody_has_no_actor),
        cmocka_unit_test(what_an_ended_actor_left_is_ended),
        cmocka_unit_test(what_is_not_understood_is_unexpected),
        cmocka_unit_test(policies_of_full_mailboxes_each_have_their_reason),
        cmocka_unit_test(what_waited_beyond_its_deadline_is_expired),
        cmocka_unit_test(answer_after_the_timeout_is_late),
        cmocka_unit_test(notice_of_what_was_cancelled_is_cancelled),
        cmocka_unit_test(what_the_stash_cannot_hold_is_stash_full),
        cmocka_unit_test(whoever_asked_is_told_the_status_of_the_reason),
        cmocka_unit_test(reasons_have_texts_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/hold and core/waits: who holds for an answer handles nothing before it, and the hold that
 * would close a ring is refused with the path. Virtual time, one thread; with threads: race/core_hold_test.c.
 */
#include "unit/core_probe.h"

#include "core/system.h"
#include "core/waits.h"

enum {
    TIMEOUT_MS = 1000,
    RING_MAX = 40,
};

static struct probe a;
static struct probe b;
static struct probe c;
static struct probe *asked;       /* whom hold_now asks */
static troupe_status hold_status; /* what it was told */
static char path[4096];
static uint32_t ended_count;
static troupe_status ended_status;
static uint32_t seen_then; /* values that the holder had seen when its ask ended */

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct probe *probe = context;
    (void)self;
    (void)reply;
    ended_count++;
    ended_status = status;
    seen_then = probe->value_count;
    return TROUPE_OK;
}

static troupe_status hold_now(troupe_self *self)
{
    hold_status = troupe_ask_hold(self, asked->ref, TIMEOUT_MS, on_reply,
                                  *(struct probe **)troupe_state(self), probe_question, .value = 1);
    snprintf(path, sizeof path, "%s", troupe_wait_path(self));
    return TROUPE_OK;
}

static void hold(troupe_system *system, struct probe *who, struct probe *whom)
{
    asked = whom;
    probe_do(system, who, hold_now);
}

static struct probe *answering;

static troupe_status answer_now(troupe_self *self)
{
    return troupe_reply(self, answering->asker, probe_answer, .value = 2);
}

/* Answers the question that `who` has, as the actor `by`. */
static void answer(troupe_system *system, struct probe *by, struct probe *who)
{
    answering = who;
    probe_do(system, by, answer_now);
}

static troupe_system *start_three(void)
{
    troupe_system *system = probe_system(2);
    ended_count = 0;
    probe_spawn(system, &a, &(troupe_spawn_options){.name = "a"});
    probe_spawn(system, &b, &(troupe_spawn_options){.name = "b"});
    probe_spawn(system, &c, NULL);
    return system;
}

static void holder_handles_nothing_before_the_answer(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &b);
    assert_int_equal(hold_status, TROUPE_OK);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(troupe_send(system, a.ref, probe_value, .value = i,
                                     .envelope.message_class = i == 3 ? TROUPE_CLASS_URGENT : 0),
                         TROUPE_OK);
    settle(system);
    assert_int_equal(a.value_count, 0);
    answer(system, &b, &b);
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_status, TROUPE_OK);
    assert_int_equal(seen_then, 0);
    assert_int_equal(a.value_count, 3); /* all of them, in order */
    assert_int_equal(a.values[0], 3);
    assert_int_equal(a.values[1], 1);
    assert_int_equal(a.values[2], 2);
    probe_system_stop(system);
}

static troupe_status timer_then_hold(troupe_self *self)
{
    assert_int_equal(troupe_timer_start(self, 5, 0, 1, NULL), TROUPE_OK);
    uint64_t monitor;
    assert_int_equal(troupe_monitor(self, c.ref, &monitor), TROUPE_OK);
    assert_int_equal(
        troupe_ask(self, c.ref, TIMEOUT_MS, on_reply, *(struct probe **)troupe_state(self), probe_question),
        TROUPE_OK);
    return hold_now(self);
}

static void notices_wait_for_the_answer_too(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    asked = &b;
    probe_do(system, &a, timer_then_hold);
    assert_int_equal(hold_status, TROUPE_OK);
    troupe_shutdown(system, c.ref, TROUPE_KILLED); /* who was asked, and is watched */
    troupe_sim_advance(system, 50);
    assert_int_equal(ended_count, 0);
    assert_int_equal(a.timeout_count + a.down_count, 0);
    answer(system, &b, &b);
    assert_int_equal(ended_count, 2);
    assert_int_equal(a.timeout_count, 1);
    assert_int_equal(a.down_count, 1);
    probe_system_stop(system);
}

static void hold_ends_with_its_timeout_or_the_end_of_who_was_asked(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        troupe_system *system = start_three();
        hold(system, &a, &b);
        if (ends)
            troupe_shutdown(system, b.ref, TROUPE_KILLED);
        else
            troupe_sim_advance(system, TIMEOUT_MS + 5);
        settle(system);
        assert_int_equal(ended_count, 1);
        assert_int_equal(ended_status, ends ? TROUPE_NO_ACTOR : TROUPE_TIMEOUT);
        assert_int_equal(troupe_send(system, a.ref, probe_value, .value = 1), TROUPE_OK);
        settle(system);
        assert_int_equal(a.value_count, 1);
        probe_system_stop(system);
    }
}

static troupe_status link_c(troupe_self *self)
{
    return troupe_link(self, c.ref);
}

static void holder_can_be_killed_and_ended_by_a_link(void **state)
{
    (void)state;
    for (int links = 0; links < 2; links++) {
        troupe_system *system = start_three();
        probe_do(system, &a, link_c);
        hold(system, &a, &b);
        troupe_shutdown(system, a.ref, TROUPE_SHUTDOWN); /* waits like a message */
        settle(system);
        assert_int_equal(a.stop_count, 0);
        troupe_shutdown(system, links ? c.ref : a.ref, TROUPE_KILLED);
        settle(system);
        assert_int_equal(a.stop_count, 1);
        assert_int_equal(a.reason, TROUPE_KILLED);
        assert_int_equal(ended_count, 0);
        probe_system_stop(system);
    }
}

static void shutdown_comes_after_the_answer(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &b);
    troupe_shutdown(system, a.ref, TROUPE_SHUTDOWN);
    answer(system, &b, &b);
    assert_int_equal(ended_status, TROUPE_OK);
    assert_int_equal(a.reason, TROUPE_SHUTDOWN);
    probe_system_stop(system);
}

static troupe_status hold_twice(troupe_self *self)
{
    assert_int_equal(hold_now(self), TROUPE_OK);
    assert_int_equal(hold_status, TROUPE_OK);
    return hold_now(self);
}

static void second_hold_in_one_handler_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    asked = &b;
    probe_do(system, &a, hold_twice);
    assert_int_equal(hold_status, TROUPE_INVALID);
    answer(system, &b, &b);
    assert_int_equal(ended_count, 1);
    probe_system_stop(system);
}

static void hold_that_cannot_be_sent_is_none(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    struct probe gone = {.ref = troupe_ref_none()};
    hold(system, &a, &gone);
    assert_int_equal(hold_status, TROUPE_NO_ACTOR);
    hold(system, &b, &a); /* nothing is left of it: no ring, and a handles messages */
    assert_int_equal(hold_status, TROUPE_OK);
    answer(system, &a, &a);
    assert_int_equal(ended_status, TROUPE_OK);
    probe_system_stop(system);
}

/* -- rings ----------------------------------------------------------------------------------------------- */

static void hold_for_oneself_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &a);
    assert_int_equal(hold_status, TROUPE_DEADLOCK);
    assert_string_equal(path, "a -> a");
    probe_system_stop(system);
}

static void hold_that_closes_a_ring_is_refused_with_the_path(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &c);
    hold(system, &b, &a);
    assert_int_equal(hold_status, TROUPE_OK);
    hold(system, &c, &b);
    assert_int_equal(hold_status, TROUPE_DEADLOCK);
    assert_string_equal(path, "probe#3 -> b -> a -> probe#3");
    assert_int_equal(ended_count, 0);
    answer(system, &c, &c); /* so a goes on, and answers b */
    answer(system, &a, &a);
    assert_int_equal(ended_count, 2);
    probe_system_stop(system);
}

static troupe_status hold_and_return(troupe_self *self)
{
    return troupe_ask_hold(self, asked->ref, TIMEOUT_MS, on_reply, &a, probe_question, .value = 1);
}

static troupe_status monitor_b(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor(self, b.ref, &monitor);
}

static void path_is_the_text_of_the_failure(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    probe_do(system, &c, monitor_b);
    hold(system, &a, &b);
    asked = &a;
    probe_do(system, &b, hold_and_return);
    assert_int_equal(c.down_count, 1);
    assert_int_equal(c.downs[0].reason, TROUPE_DEADLOCK);
    assert_string_equal(c.why, "b -> a -> b");
    assert_int_equal(ended_status, TROUPE_NO_ACTOR); /* a's question was b's to answer */
    probe_system_stop(system);
}

/* The answer is on its way: a will go on, whatever it has not yet looked at. */
static troupe_status answer_then_hold(troupe_self *self)
{
    assert_int_equal(troupe_reply(self, b.asker, probe_answer, .value = 2), TROUPE_OK);
    return hold_now(self);
}

static void who_has_answered_may_hold_for_the_asker(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &b);
    asked = &a;
    probe_do(system, &b, answer_then_hold);
    assert_int_equal(hold_status, TROUPE_OK);
    answer(system, &a, &a);
    assert_int_equal(ended_count, 2);
    probe_system_stop(system);
}

static void plain_asks_close_no_ring(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    hold(system, &a, &b);
    asked = &a;
    assert_int_equal(troupe_send(system, b.ref, probe_value, .value = 1), TROUPE_OK);
    settle(system);
    assert_int_equal(b.value_count, 1); /* b waits for nobody, and can answer */
    answer(system, &b, &b);
    assert_int_equal(ended_status, TROUPE_OK);
    probe_system_stop(system);
}

/* -- handed on ------------------------------------------------------------------------------------------- */

static struct probe *pass_to;
static troupe_status pass_status;

static troupe_status passer_receive(troupe_self *self, const troupe_message *message)
{
    if (probe_question_of(message) == NULL)
        return probe_receive(self, message);
    pass_status = troupe_forward(self, pass_to->ref, message);
    snprintf(path, sizeof path, "%s", troupe_wait_path(self));
    return pass_status == TROUPE_OK ? TROUPE_OK : TROUPE_UNEXPECTED;
}

static const troupe_behaviour passer_behaviour = {.name = "passer",
                                                  .state_size = sizeof(struct probe *),
                                                  .start = probe_start,
                                                  .receive = passer_receive,
                                                  .stop = probe_stop};

static void spawn_passer(troupe_system *system, struct probe *probe)
{
    memset(probe, 0, sizeof *probe);
    troupe_spawn(system, &passer_behaviour, &(troupe_spawn_options){.state = &probe, .name = "passer"});
    settle(system);
}

static void wait_goes_with_a_question_that_is_handed_on(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    static struct probe front;
    spawn_passer(system, &front);
    pass_to = &c;
    hold(system, &a, &front);
    hold(system, &c, &a);
    assert_int_equal(hold_status, TROUPE_DEADLOCK); /* a waits for c, not for the passer */
    assert_string_equal(path, "probe#3 -> a -> probe#3");
    hold(system, &front, &a); /* which may hold for a */
    assert_int_equal(hold_status, TROUPE_OK);
    answer(system, &c, &c);
    answer(system, &a, &a);
    assert_int_equal(ended_count, 2);
    probe_system_stop(system);
}

static void handing_on_that_closes_a_ring_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    static struct probe front;
    spawn_passer(system, &front);
    pass_to = &c;
    hold(system, &c, &a); /* c waits for a, whose question it is to get */
    assert_int_equal(hold_status, TROUPE_OK);
    answering = &a;
    asked = &front;
    probe_do(system, &a, hold_now);
    assert_int_equal(pass_status, TROUPE_DEADLOCK);
    assert_string_equal(path, "a -> probe#3 -> a");
    assert_int_equal(ended_status, TROUPE_UNEXPECTED); /* as the passer refused it */
    answer(system, &a, &a);
    assert_int_equal(ended_count, 2);
    probe_system_stop(system);
}

/* -- parked and held, together --------------------------------------------------------------------------- */

static troupe_status fill_a(troupe_self *self)
{
    for (int i = 0; i < 3; i++)
        hold_status = troupe_send(self, a.ref, probe_value, .value = 1);
    return TROUPE_OK;
}

/* a holds for b; b would rest on a's full mailbox, which a does not empty before b has answered. */
static void rest_on_the_mailbox_of_who_holds_for_us_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    probe_spawn(system, &a, &(troupe_spawn_options){.mailbox_len_max = 2, .overflow = TROUPE_OVERFLOW_PARK});
    hold(system, &a, &b);
    probe_do(system, &b, fill_a);
    assert_int_equal(hold_status, TROUPE_FULL);
    answer(system, &b, &b); /* b is not parked */
    assert_int_equal(ended_status, TROUPE_OK);
    assert_int_equal(a.value_count, 2);
    probe_system_stop(system);
}

/* -- long rings ------------------------------------------------------------------------------------------ */

static void long_rings_are_found_and_their_text_is_cut(void **state)
{
    (void)state;
    static struct probe ring[RING_MAX];
    for (uint32_t len = 2; len <= RING_MAX; len += 19) {
        troupe_system *system = probe_system(3);
        for (uint32_t i = 0; i < len; i++)
            probe_spawn(system, &ring[i], NULL);
        for (uint32_t i = 0; i + 1 < len; i++) {
            hold(system, &ring[i], &ring[i + 1]);
            assert_int_equal(hold_status, TROUPE_OK);
        }
        hold(system, &ring[len - 1], &ring[0]);
        assert_int_equal(hold_status, TROUPE_DEADLOCK);
        uint32_t arrows = 0;
        for (const char *at = path; (at = strstr(at, " -> ")) != NULL; at++)
            arrows++;
        assert_int_equal(arrows, len < WAITS_NAMED_MAX ? len : WAITS_NAMED_MAX - 1);
        if (len == 40)
            assert_non_null(strstr(path, "(26 others)"));
        probe_system_stop(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holder_handles_nothing_before_the_answer),
        cmocka_unit_test(notices_wait_for_the_answer_too),
        cmocka_unit_test(hold_ends_with_its_timeout_or_the_end_of_who_was_asked),
        cmocka_unit_test(holder_can_be_killed_and_ended_by_a_link),
        cmocka_unit_test(shutdown_comes_after_the_answer),
        cmocka_unit_test(second_hold_in_one_handler_is_refused),
        cmocka_unit_test(hold_that_cannot_be_sent_is_none),
        cmocka_unit_test(hold_for_oneself_is_refused),
        cmocka_unit_test(hold_that_closes_a_ring_is_refused_with_the_path),
        cmocka_unit_test(path_is_the_text_of_the_failure),
        cmocka_unit_test(who_has_answered_may_hold_for_the_asker),
        cmocka_unit_test(plain_asks_close_no_ring),
        cmocka_unit_test(wait_goes_with_a_question_that_is_handed_on),
        cmocka_unit_test(handing_on_that_closes_a_ring_is_refused),
        cmocka_unit_test(rest_on_the_mailbox_of_who_holds_for_us_is_refused),
        cmocka_unit_test(long_rings_are_found_and_their_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

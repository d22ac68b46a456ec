/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/ask: a question ends once, with its reply or the reason why there is none. One thread.
 */
#include "unit/core_probe.h"

#include "core/extras.h"
#include "core/worker.h"

enum {
    TIMEOUT_MS = 1000,
    MANY = 500,
};

static struct probe asker;
static struct probe answerer;
static uint32_t ended_count;
static troupe_status ended_status;
static uint64_t ended_value;
static void *ended_context;
static uint64_t ended_ns;
static troupe_status continuation_returns;

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    ended_count++;
    ended_status = status;
    ended_context = context;
    ended_ns = troupe_now_ns(self);
    assert_true((status == TROUPE_OK) == (reply != NULL));
    if (reply != NULL) {
        ended_value = probe_answer_of(reply)->value;
        assert_int_equal(troupe_asker_of(reply).ask, 0); /* nobody asks with a reply */
        assert_true(troupe_ref_equal(reply->sender, answerer.ref));
    }
    return continuation_returns;
}

static troupe_status ask_now(troupe_self *self)
{
    return troupe_ask(self, answerer.ref, TIMEOUT_MS, on_reply, &asker, probe_question, .value = 1);
}

static troupe_status answer_now(troupe_self *self)
{
    return troupe_reply(self, answerer.asker, probe_answer, .value = 42);
}

/* Two actors, the first of which has asked the second and waits. */
static troupe_system *start_asking(void)
{
    troupe_system *system = probe_system(2);
    ended_count = 0;
    continuation_returns = TROUPE_OK;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, NULL);
    probe_do(system, &asker, ask_now);
    assert_int_equal(ended_count, 0);
    assert_true(troupe_ref_equal(answerer.asker.ref, asker.ref));
    assert_int_not_equal(answerer.asker.ask, 0);
    return system;
}

static void expect_end(troupe_status status)
{
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_status, status);
    assert_ptr_equal(ended_context, &asker);
}

/* Nothing is left of an ask that has ended: no handle, no timer that fires later. */
static void finish(troupe_system *system)
{
    troupe_counters before = probe_counters(system);
    troupe_sim_advance(system, 2 * TIMEOUT_MS);
    troupe_counters after = probe_counters(system);
    assert_int_equal(after.sent, before.sent);
    assert_int_equal(ended_count, 1);
    probe_system_stop(system);
}

static void reply_comes_to_the_continuation(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    probe_do(system, &answerer, answer_now);
    expect_end(TROUPE_OK);
    assert_int_equal(ended_value, 42);
    finish(system);
}

static troupe_status refuse_conflict(troupe_self *self)
{
    troupe_refuse(self, answerer.asker, TROUPE_CONFLICT);
    return TROUPE_OK;
}

static troupe_status refuse_timeout(troupe_self *self)
{
    troupe_refuse(self, answerer.asker, TROUPE_TIMEOUT);
    return TROUPE_OK;
}

static troupe_status refuse_ok(troupe_self *self)
{
    troupe_refuse(self, answerer.asker, TROUPE_OK);
    return TROUPE_OK;
}

static void refusal_comes_with_its_status(void **state)
{
    (void)state;
    static const struct {
        probe_function refuse;
        troupe_status status;
    } cases[] = {
        {refuse_conflict, TROUPE_CONFLICT}, {refuse_timeout, TROUPE_TIMEOUT}, {refuse_ok, TROUPE_FAILED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        troupe_system *system = start_asking();
        probe_do(system, &answerer, cases[i].refuse);
        expect_end(cases[i].status);
        finish(system);
    }
}

static void timeout_comes_in_time_and_never_early(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    uint64_t asked_ns = troupe_now_ns(system);
    troupe_sim_advance(system, TIMEOUT_MS - 1);
    assert_int_equal(ended_count, 0);
    troupe_sim_advance(system, 3);
    expect_end(TROUPE_TIMEOUT);
    assert_in_range(ended_ns - asked_ns, TIMEOUT_MS * UINT64_C(1000000) - 1000000,
                    TIMEOUT_MS * UINT64_C(1000000) + 2000000);
    probe_do(system, &answerer, answer_now); /* too late */
    assert_int_equal(ended_count, 1);
    assert_int_equal(probe_counters(system).dead_letters, 1);
    finish(system);
}

static troupe_status answer_twice(troupe_self *self)
{
    assert_int_equal(answer_now(self), TROUPE_OK);
    return answer_now(self);
}

static void second_reply_is_a_dead_letter(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    probe_do(system, &answerer, answer_twice);
    expect_end(TROUPE_OK);
    assert_int_equal(probe_counters(system).dead_letters, 1);
    finish(system);
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status ask_late(troupe_self *self)
{
    assert_int_equal(ask_now(self), TROUPE_NO_ACTOR);
    return TROUPE_OK;
}

static void question_to_one_who_has_ended_is_refused_at_once(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    probe_do(system, &answerer, answer_now);
    probe_do(system, &answerer, exit_now);
    probe_do(system, &asker, ask_late);
    expect_end(TROUPE_OK);
    finish(system);
}

static troupe_status send_away_and_ask(troupe_self *self)
{
    troupe_send(self, answerer.ref, probe_run, .function = (uint64_t)(uintptr_t)exit_now);
    return ask_now(self);
}

/* Ends before it comes to the question, which waits behind the exit. */
static void question_left_behind_is_answered_with_no_actor(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    ended_count = 0;
    continuation_returns = TROUPE_OK;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, NULL);
    probe_do(system, &asker, send_away_and_ask);
    expect_end(TROUPE_NO_ACTOR);
    finish(system);
}

/* Fails over a question, without having answered it. */
static troupe_status sour_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    return probe_question_of(message) != NULL ? TROUPE_CORRUPT : TROUPE_UNEXPECTED;
}

static const troupe_behaviour sour = {.name = "sour", .receive = sour_receive};

static troupe_status ask_value(troupe_self *self)
{
    return troupe_ask(self, answerer.ref, TIMEOUT_MS, on_reply, &asker, probe_value, .value = 1);
}

static void failure_over_a_question_is_its_answer(void **state)
{
    (void)state;
    static const probe_function asks[] = {ask_now, ask_value};
    static const troupe_status expected[] = {TROUPE_CORRUPT, TROUPE_UNEXPECTED};
    for (size_t i = 0; i < 2; i++) {
        troupe_system *system = probe_system(2);
        ended_count = 0;
        continuation_returns = TROUPE_OK;
        probe_spawn(system, &asker, NULL);
        answerer.ref = troupe_spawn(system, &sour, NULL);
        probe_do(system, &asker, asks[i]);
        expect_end(expected[i]);
        finish(system);
    }
}

static void continuation_of_an_asker_that_has_ended_is_not_called(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    probe_do(system, &asker, exit_now);
    probe_do(system, &answerer, answer_now);
    assert_int_equal(ended_count, 0);
    troupe_sim_advance(system, 2 * TIMEOUT_MS);
    assert_int_equal(ended_count, 0);
    assert_int_equal(probe_counters(system).dead_letters, 1);
    probe_system_stop(system);
}

static void continuation_is_judged_like_receive(void **state)
{
    (void)state;
    static const struct {
        troupe_status returned;
        uint32_t stop_count;
        uint64_t dead_letters;
    } cases[] = {{TROUPE_OK, 0, 0}, {TROUPE_UNEXPECTED, 0, 1}, {TROUPE_CORRUPT, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        troupe_system *system = start_asking();
        continuation_returns = cases[i].returned;
        probe_do(system, &answerer, answer_now);
        expect_end(TROUPE_OK);
        assert_int_equal(asker.stop_count, cases[i].stop_count);
        assert_int_equal(probe_counters(system).dead_letters, cases[i].dead_letters);
        if (asker.stop_count > 0)
            assert_int_equal(asker.reason, TROUPE_CORRUPT);
        finish(system);
    }
}

static troupe_status fill_and_wait(troupe_self *self)
{
    while (troupe_send(self, asker.ref, probe_value, .value = 0) == TROUPE_OK) {
    }
    assert_int_equal(troupe_send(self, asker.ref, probe_value, .value = 0), TROUPE_FULL);
    return answer_now(self);
}

static void full_mailbox_does_not_refuse_a_reply(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    const troupe_spawn_options small = {.mailbox_len_max = 3};
    ended_count = 0;
    continuation_returns = TROUPE_OK;
    probe_spawn(system, &asker, &small);
    probe_spawn(system, &answerer, NULL);
    probe_do(system, &asker, ask_now);
    probe_do(system, &answerer, fill_and_wait);
    expect_end(TROUPE_OK);
    assert_int_equal(asker.value_count, 3);
    finish(system);
}

static troupe_status reply_to_a_send(troupe_self *self)
{
    const troupe_asker nobody_waits = {.ref = asker.ref};
    for (uint64_t i = 0; i < 2; i++)
        assert_int_equal(troupe_reply(self, nobody_waits, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_reply(self, nobody_waits, probe_value, .value = 9), TROUPE_FULL);
    troupe_refuse(self, nobody_waits, TROUPE_CONFLICT); /* says nothing to nobody */
    return TROUPE_OK;
}

static void reply_to_a_plain_send_is_a_plain_send(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    const troupe_spawn_options small = {.mailbox_len_max = 2};
    probe_spawn(system, &asker, &small);
    probe_spawn(system, &answerer, NULL);
    probe_do(system, &answerer, reply_to_a_send);
    assert_int_equal(asker.value_count, 2);
    assert_int_equal(asker.values[1], 1);
    probe_system_stop(system);
}

static uint32_t handles_of(troupe_self *self)
{
    return self->actor->extras == NULL ? 0 : self->actor->extras->handle_count;
}

static troupe_status ask_badly(troupe_self *self)
{
    assert_int_equal(troupe_ask(self, answerer.ref, 1, NULL, NULL, probe_question, .value = 1),
                     TROUPE_INVALID);
    assert_int_equal(troupe_ask(self, answerer.ref, 1, on_reply, NULL, probe_question, .value = 1,
                                .envelope.message_class = TROUPE_CLASS_SYSTEM),
                     TROUPE_INVALID);
    assert_int_equal(troupe_ask(self, answerer.ref, 1, on_reply, NULL, probe_question, .value = 1,
                                .envelope.deadline_ms = TROUPE_DEADLINE_MS_MAX + 1),
                     TROUPE_INVALID);
    assert_int_equal(handles_of(self), 0);
    assert_int_equal(troupe_ask(self, answerer.ref, 1, on_reply, NULL, probe_question, .value = 1),
                     TROUPE_OK);
    assert_int_equal(handles_of(self), 1);
    assert_int_equal(troupe_ask(self, answerer.ref, 1, on_reply, NULL, probe_question, .value = 1),
                     TROUPE_FULL);
    assert_int_equal(handles_of(self), 1);
    return TROUPE_OK;
}

static void ask_that_is_not_taken_leaves_nothing(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    const troupe_spawn_options small = {.mailbox_len_max = 1};
    ended_count = 0;
    continuation_returns = TROUPE_OK;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, &small);
    probe_do(system, &asker, ask_badly);
    troupe_sim_advance(system, 10);
    assert_int_equal(ended_count, 1);
    assert_int_equal(ended_status, TROUPE_TIMEOUT);
    probe_system_stop(system);
}

/* -- many, and forwarded --------------------------------------------------------------------------------- */

static uint64_t many_sum;
static troupe_asker many_askers[MANY];
static uint32_t many_count;

static troupe_status on_one_of_many(troupe_self *self, troupe_status status, const troupe_message *reply,
                                    void *context)
{
    (void)self;
    assert_int_equal(status, TROUPE_OK);
    assert_int_equal(probe_answer_of(reply)->value, (uint64_t)(uintptr_t)context * 2);
    many_sum += (uint64_t)(uintptr_t)context;
    return TROUPE_OK;
}

static troupe_status ask_many(troupe_self *self)
{
    for (uint64_t i = 1; i <= MANY; i++)
        assert_int_equal(troupe_ask(self, answerer.ref, TIMEOUT_MS, on_one_of_many, (void *)(uintptr_t)i,
                                    probe_question, .value = i),
                         TROUPE_OK);
    return TROUPE_OK;
}

/* Keeps who asked, in the order of the values. */
static troupe_status keeper_receive(troupe_self *self, const troupe_message *message)
{
    const probe_question *question = probe_question_of(message);
    assert_non_null(question);
    many_askers[question->value - 1] = troupe_asker_of(message);
    if (++many_count < MANY)
        return TROUPE_OK;
    for (uint32_t i = 0; i < MANY; i++) { /* 7 and 500 have no common factor: each once, in a wild order */
        uint32_t which = i * 7 % MANY;
        assert_int_equal(troupe_reply(self, many_askers[which], probe_answer, .value = (which + 1) * 2),
                         TROUPE_OK);
    }
    return TROUPE_OK;
}

static const troupe_behaviour keeper = {.name = "keeper", .receive = keeper_receive};

static void answers_in_any_order_find_their_questions(void **state)
{
    (void)state;
    troupe_system *system = probe_system(3);
    many_sum = 0;
    many_count = 0;
    probe_spawn(system, &asker, NULL);
    answerer.ref = troupe_spawn(system, &keeper, NULL);
    for (uint64_t round = 1; round <= 3; round++) { /* the handles are used again */
        many_count = 0;
        probe_do(system, &asker, ask_many);
        assert_int_equal(many_sum, round * MANY * (MANY + 1) / 2);
    }
    probe_system_stop(system);
}

static troupe_status pass_on_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_forward(self, answerer.ref, message);
}

static const troupe_behaviour passer = {.name = "passer", .receive = pass_on_receive};
static troupe_ref passer_ref;

static troupe_status ask_the_passer(troupe_self *self)
{
    return troupe_ask(self, passer_ref, TIMEOUT_MS, on_reply, &asker, probe_question, .value = 1,
                      .envelope.message_class = TROUPE_CLASS_URGENT, .envelope.deadline_ms = 50);
}

static void forwarded_question_is_answered_to_who_asked(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    ended_count = 0;
    continuation_returns = TROUPE_OK;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, NULL);
    passer_ref = troupe_spawn(system, &passer, NULL);
    probe_do(system, &asker, ask_the_passer);
    assert_true(troupe_ref_equal(answerer.asker.ref, asker.ref));
    probe_do(system, &answerer, answer_now);
    expect_end(TROUPE_OK);
    finish(system);
}

static troupe_status on_reply_pass_on(troupe_self *self, troupe_status status, const troupe_message *reply,
                                      void *context)
{
    (void)context;
    assert_int_equal(status, TROUPE_OK);
    /* Nobody waits for an answer to a reply: its sender, who may ask something itself, is left alone. */
    troupe_refuse(self, troupe_asker_of(reply), TROUPE_CONFLICT);
    assert_int_equal(troupe_forward(self, passer_ref, reply), TROUPE_OK);
    ended_count++;
    return TROUPE_OK;
}

static troupe_status ask_and_pass_on(troupe_self *self)
{
    return troupe_ask(self, answerer.ref, TIMEOUT_MS, on_reply_pass_on, NULL, probe_question, .value = 1);
}

static uint32_t other_ended;

static troupe_status on_other(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    other_ended++;
    return TROUPE_OK;
}

static troupe_status ask_back(troupe_self *self)
{
    return troupe_ask(self, asker.ref, TIMEOUT_MS, on_other, NULL, probe_question, .value = 2);
}

static void reply_is_no_question_to_who_gave_it(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    ended_count = 0;
    other_ended = 0;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, NULL);
    passer_ref = troupe_spawn(system, &sour, NULL); /* refuses what is forwarded to it */
    probe_do(system, &answerer, ask_back);          /* its first ask, as the asker's is the asker's first */
    probe_do(system, &asker, ask_and_pass_on);
    probe_do(system, &answerer, answer_now);
    assert_int_equal(ended_count, 1);
    assert_int_equal(other_ended, 0);
    probe_system_stop(system);
}

/* -- calls from outside ---------------------------------------------------------------------------------- */

static troupe_status quick_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_reply(self, troupe_asker_of(message), probe_answer, .value = 7);
}

static const troupe_behaviour quick = {.name = "quick", .receive = quick_receive};

static void call_gives_the_reply_or_says_why_not(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    troupe_message *reply = NULL;
    troupe_ref ref = troupe_spawn(system, &quick, NULL);
    assert_int_equal(troupe_call(system, ref, TIMEOUT_MS, &reply, probe_question, .value = 1), TROUPE_OK);
    assert_int_equal(probe_answer_of(reply)->value, 7);
    troupe_message_free(system, &reply);
    assert_null(reply);
    troupe_message_free(system, &reply);
    probe_spawn(system, &answerer, NULL); /* who never answers */
    uint64_t then_ns = troupe_now_ns(system);
    assert_int_equal(troupe_call(system, answerer.ref, 10, &reply, probe_question, .value = 1),
                     TROUPE_TIMEOUT);
    assert_true(troupe_now_ns(system) - then_ns >= UINT64_C(10000000));
    assert_int_equal(troupe_call(system, troupe_ref_none(), 10, &reply, probe_question, .value = 1),
                     TROUPE_NO_ACTOR);
    ref = troupe_spawn(system, &sour, NULL);
    assert_int_equal(troupe_call(system, ref, 10, &reply, probe_question, .value = 1), TROUPE_CORRUPT);
    assert_null(reply);
    probe_system_stop(system);
}

static troupe_status call_inside(troupe_self *self)
{
    troupe_message *reply = NULL;
    troupe_system *system = troupe_system_of(self);
    assert_int_equal(troupe_call(system, answerer.ref, 10, &reply, probe_question, .value = 1),
                     TROUPE_IN_HANDLER);
    assert_int_equal(troupe_stop(&system), TROUPE_IN_HANDLER);
    assert_non_null(system);
    return TROUPE_OK;
}

static void call_inside_a_handler_is_refused(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &answerer, NULL);
    probe_do(system, &asker, call_inside);
    assert_int_equal(asker.stop_count, 0);
    probe_system_stop(system);
}

/* So many wait for their first turn that a call's time is over, by the clock, before it has even asked. */
static void call_into_a_busy_system_ends_all_the_same(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_ref ref = troupe_spawn(system, &quick, NULL);
    settle(system);
    for (int i = 0; i < 5000; i++)
        troupe_spawn(system, &quick, NULL);
    troupe_message *reply = NULL;
    troupe_status status = troupe_call(system, ref, 0, &reply, probe_question, .value = 1);
    assert_true(status == TROUPE_OK || status == TROUPE_TIMEOUT);
    troupe_message_free(system, &reply);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_comes_to_the_continuation),
        cmocka_unit_test(refusal_comes_with_its_status),
        cmocka_unit_test(timeout_comes_in_time_and_never_early),
        cmocka_unit_test(second_reply_is_a_dead_letter),
        cmocka_unit_test(question_to_one_who_has_ended_is_refused_at_once),
        cmocka_unit_test(question_left_behind_is_answered_with_no_actor),
        cmocka_unit_test(failure_over_a_question_is_its_answer),
        cmocka_unit_test(continuation_of_an_asker_that_has_ended_is_not_called),
        cmocka_unit_test(continuation_is_judged_like_receive),
        cmocka_unit_test(full_mailbox_does_not_refuse_a_reply),
        cmocka_unit_test(reply_to_a_plain_send_is_a_plain_send),
        cmocka_unit_test(ask_that_is_not_taken_leaves_nothing),
        cmocka_unit_test(answers_in_any_order_find_their_questions),
        cmocka_unit_test(forwarded_question_is_answered_to_who_asked),
        cmocka_unit_test(reply_is_no_question_to_who_gave_it),
        cmocka_unit_test(call_gives_the_reply_or_says_why_not),
        cmocka_unit_test(call_inside_a_handler_is_refused),
        cmocka_unit_test(call_into_a_busy_system_ends_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/debt: whoever asked an actor that kept the question and ended is told at once; questions
 * that were answered, by whomever, handed on or given up leave nothing behind. Virtual time, one thread.
 */
#include "unit/core_probe.h"

#include "core/debt.h"
#include "core/extras.h"
#include "core/system.h"

enum {
    TIMEOUT_MS = 1000,
    MANY = 300,
};

static struct probe asker;
static struct probe keeper;
static struct probe other;
static uint32_t ended_count;
static troupe_status ended_status;
static troupe_asker kept[MANY];
static uint32_t kept_count;

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)reply;
    (void)context;
    ended_count++;
    ended_status = status;
    return TROUPE_OK;
}

static troupe_status ask_keeper(troupe_self *self)
{
    return troupe_ask(self, keeper.ref, TIMEOUT_MS, on_reply, NULL, probe_question, .value = 1);
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status fail_now(troupe_self *self)
{
    return troupe_fail(self, TROUPE_IO, "as told");
}

static troupe_status answer_keepers(troupe_self *self)
{
    return troupe_reply(self, keeper.asker, probe_answer, .value = 1);
}

static troupe_status refuse_keepers(troupe_self *self)
{
    troupe_refuse(self, keeper.asker, TROUPE_CONFLICT);
    return TROUPE_OK;
}

static uint32_t debts_of(troupe_system *system, troupe_ref ref)
{
    const struct actor *actor = system_find(system, ref);
    assert_non_null(actor);
    return actor->extras == NULL || actor->extras->debts == NULL ? 0 : actor->extras->debts->count;
}

/* Three actors, the first of which has asked the second, who keeps the question. */
static troupe_system *start_asking(void)
{
    troupe_system *system = probe_system(2);
    ended_count = 0;
    probe_spawn(system, &asker, NULL);
    probe_spawn(system, &keeper, NULL);
    probe_spawn(system, &other, NULL);
    probe_do(system, &asker, ask_keeper);
    assert_int_equal(ended_count, 0);
    assert_int_equal(debts_of(system, keeper.ref), 1);
    return system;
}

static void finish(troupe_system *system)
{
    troupe_sim_advance(system, 2 * TIMEOUT_MS);
    assert_int_equal(ended_count, 1);
    probe_system_stop(system);
}

static void end_of_who_kept_a_question_is_heard_at_once(void **state)
{
    (void)state;
    static const probe_function ways[] = {exit_now, fail_now};
    for (size_t i = 0; i < 2; i++) {
        troupe_system *system = start_asking();
        probe_do(system, &keeper, ways[i]);
        assert_int_equal(ended_count, 1);
        assert_int_equal(ended_status, TROUPE_NO_ACTOR);
        finish(system);
    }
}

static void answered_or_refused_question_is_no_debt(void **state)
{
    (void)state;
    static const probe_function ways[] = {answer_keepers, refuse_keepers};
    for (size_t i = 0; i < 2; i++) {
        troupe_system *system = start_asking();
        probe_do(system, &keeper, ways[i]);
        assert_int_equal(ended_count, 1);
        assert_int_equal(debts_of(system, keeper.ref), 0);
        finish(system);
    }
}

static void question_answered_by_another_is_forgotten(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    probe_do(system, &other, answer_keepers);
    assert_int_equal(ended_status, TROUPE_OK);
    assert_int_equal(debts_of(system, keeper.ref), 0);
    finish(system);
}

static void question_that_timed_out_is_forgotten(void **state)
{
    (void)state;
    troupe_system *system = start_asking();
    troupe_sim_advance(system, TIMEOUT_MS + 10);
    assert_int_equal(ended_status, TROUPE_TIMEOUT);
    assert_int_equal(debts_of(system, keeper.ref), 0);
    finish(system);
}

static troupe_status quits_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour quits = {.name = "quits", .receive = quits_receive};

static void end_within_the_handler_of_a_question_is_its_answer(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    ended_count = 0;
    probe_spawn(system, &asker, NULL);
    keeper.ref = troupe_spawn(system, &quits, NULL);
    probe_do(system, &asker, ask_keeper);
    assert_int_equal(ended_status, TROUPE_NO_ACTOR);
    finish(system);
}

static troupe_status pass_on_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_forward(self, other.ref, message);
}

static const troupe_behaviour passer = {.name = "passer", .receive = pass_on_receive};

/* The debt goes with the question: to who has it, not to who had it. */
static void forwarded_question_is_the_debt_of_who_has_it(void **state)
{
    (void)state;
    for (int ends_other = 0; ends_other < 2; ends_other++) {
        troupe_system *system = probe_system(2);
        ended_count = 0;
        probe_spawn(system, &asker, NULL);
        probe_spawn(system, &other, NULL);
        troupe_ref front = keeper.ref = troupe_spawn(system, &passer, NULL);
        probe_do(system, &asker, ask_keeper);
        assert_int_equal(debts_of(system, front), 0);
        assert_int_equal(debts_of(system, other.ref), 1);
        troupe_shutdown(system, front, TROUPE_KILLED);
        settle(system);
        assert_int_equal(ended_count, 0);
        keeper.asker = other.asker;
        probe_do(system, &other, ends_other ? exit_now : answer_keepers);
        assert_int_equal(ended_status, ends_other ? TROUPE_NO_ACTOR : TROUPE_OK);
        finish(system);
    }
}

static void plain_message_is_forwarded_with_its_sender(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    probe_spawn(system, &other, NULL);
    troupe_ref front = troupe_spawn(system, &passer, NULL);
    assert_int_equal(troupe_send(system, front, probe_value, .value = 9), TROUPE_OK);
    settle(system);
    assert_int_equal(other.value_count, 1);
    assert_int_equal(other.values[0], 9);
    keeper.ref = front;
    probe_spawn(system, &asker, NULL);
    probe_do(system, &asker, ask_keeper);
    assert_true(troupe_ref_equal(other.asker.ref, asker.ref));
    probe_system_stop(system);
}

/* -- many ------------------------------------------------------------------------------------------------ */

static troupe_status hoard_receive(troupe_self *self, const troupe_message *message)
{
    const probe_value *value = probe_value_of(message);
    if (value == NULL) {
        kept[kept_count++] = troupe_asker_of(message);
        return TROUPE_OK;
    }
    for (uint32_t i = 0; i < value->value; i++) /* in a wild order: 7 and 300 have no common factor */
        assert_int_equal(troupe_reply(self, kept[i * 7 % MANY], probe_answer, .value = 1), TROUPE_OK);
    return TROUPE_OK;
}

static const troupe_behaviour hoarder = {.name = "hoarder", .receive = hoard_receive};

static troupe_status ask_many(troupe_self *self)
{
    for (int i = 0; i < MANY; i++)
        assert_int_equal(ask_keeper(self), TROUPE_OK);
    return TROUPE_OK;
}

static void each_of_many_kept_questions_ends_once(void **state)
{
    (void)state;
    static const uint32_t answered[] = {0, 1, 100, MANY - 1, MANY};
    for (size_t i = 0; i < sizeof answered / sizeof answered[0]; i++) {
        troupe_system *system = probe_system(2);
        ended_count = kept_count = 0;
        probe_spawn(system, &asker, NULL);
        keeper.ref = troupe_spawn(system, &hoarder, NULL);
        probe_do(system, &asker, ask_many);
        assert_int_equal(debts_of(system, keeper.ref), MANY);
        assert_int_equal(troupe_send(system, keeper.ref, probe_value, .value = answered[i]), TROUPE_OK);
        settle(system);
        assert_int_equal(ended_count, answered[i]);
        assert_int_equal(debts_of(system, keeper.ref), MANY - answered[i]);
        troupe_shutdown(system, keeper.ref, TROUPE_KILLED);
        settle(system);
        assert_int_equal(ended_count, MANY);
        probe_system_stop(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(end_of_who_kept_a_question_is_heard_at_once),
        cmocka_unit_test(answered_or_refused_question_is_no_debt),
        cmocka_unit_test(question_answered_by_another_is_forgotten),
        cmocka_unit_test(question_that_timed_out_is_forgotten),
        cmocka_unit_test(end_within_the_handler_of_a_question_is_its_answer),
        cmocka_unit_test(forwarded_question_is_the_debt_of_who_has_it),
        cmocka_unit_test(plain_message_is_forwarded_with_its_sender),
        cmocka_unit_test(each_of_many_kept_questions_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

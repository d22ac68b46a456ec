/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/actor and core/activation: how an actor begins, what its functions' answers mean, and how
 * it ends. Virtual time. One thread.
 */
#include "unit/core_probe.h"

#include "core/system.h"

static struct probe watcher;
static struct probe probe;

static troupe_status null_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

static void spawn_that_cannot_be_is_refused(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    static const troupe_behaviour without_receive = {.name = "none"};
    static const troupe_behaviour too_large = {.state_size = TROUPE_STATE_SIZE_MAX + 1,
                                               .receive = null_receive};
    static const troupe_behaviour largest = {.state_size = TROUPE_STATE_SIZE_MAX, .receive = null_receive};
    troupe_status status = TROUPE_OK;
    const troupe_spawn_options options = {.ret_status = &status};
    const troupe_spawn_options no_policy = {.ret_status = &status, .overflow = (troupe_overflow)99};
    assert_true(troupe_ref_is_none(troupe_spawn(system, NULL, &options)));
    assert_int_equal(status, TROUPE_INVALID);
    status = TROUPE_OK;
    assert_true(troupe_ref_is_none(troupe_spawn(system, &without_receive, &options)));
    assert_int_equal(status, TROUPE_INVALID);
    status = TROUPE_OK;
    assert_true(troupe_ref_is_none(troupe_spawn(system, &too_large, &options)));
    assert_int_equal(status, TROUPE_INVALID);
    status = TROUPE_OK;
    assert_true(troupe_ref_is_none(troupe_spawn(system, &largest, &no_policy)));
    assert_int_equal(status, TROUPE_INVALID);
    assert_false(troupe_ref_is_none(troupe_spawn(system, &largest, &options)));
    assert_int_equal(status, TROUPE_OK);
    assert_true(troupe_ref_is_none(troupe_spawn(system, &too_large, NULL))); /* the ref alone tells */
    settle(system);
    assert_int_equal(probe_counters(system).actors_spawned, 1);
    probe_system_stop(system);
}

/*
 * -- state
 * ---------------------------------------------------------------------------------------------------
 */

enum {
    STATE_SIZE = 1000,
};

static unsigned char wanted_state[STATE_SIZE];
static bool state_was_right;

static troupe_status state_start(troupe_self *self)
{
    const unsigned char *own = troupe_state(self);
    state_was_right = memcmp(own, wanted_state, STATE_SIZE) == 0 && (uintptr_t)own % 16 == 0;
    memset(troupe_state(self), 0xEE, STATE_SIZE); /* for whoever gets this memory next */
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour stateful = {
    .name = "stateful", .state_size = STATE_SIZE, .start = state_start, .receive = null_receive};

static void state_is_a_copy_of_the_given_one_or_zeros(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    for (int round = 0; round < 6; round++) {
        memset(wanted_state, round % 2 == 0 ? 0 : round, STATE_SIZE);
        const troupe_spawn_options given = {.state = wanted_state};
        state_was_right = false;
        troupe_spawn(system, &stateful, round % 2 == 0 ? NULL : &given);
        settle(system);
        assert_true(state_was_right);
    }
    probe_system_stop(system);
}

static troupe_status no_state_start(troupe_self *self)
{
    assert_null(troupe_state(self));
    state_was_right = true;
    return TROUPE_OK;
}

static const troupe_behaviour stateless = {
    .name = "stateless", .start = no_state_start, .receive = null_receive};

static void actor_without_state_has_none(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    state_was_right = false;
    troupe_spawn(system, &stateless, NULL);
    settle(system);
    assert_true(state_was_right);
    probe_system_stop(system);
}

/*
 * -- a life
 * --------------------------------------------------------------------------------------------------
 */

static char life[64];
static troupe_status start_answer;
static troupe_status receive_answer;
static troupe_status flush_answer;
static troupe_status stop_reason;

static void lived(char what)
{
    size_t len = strlen(life);
    snprintf(life + len, sizeof life - len, "%c", what);
}

static troupe_status life_start(troupe_self *self)
{
    (void)self;
    lived('s');
    return start_answer;
}

static troupe_status life_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    lived((char)('0' + probe_value_of(message)->value));
    return probe_value_of(message)->value == 9 ? receive_answer : TROUPE_OK;
}

static troupe_status life_flush(troupe_self *self)
{
    (void)self;
    lived('f');
    return flush_answer;
}

static void life_stop(troupe_self *self, troupe_status reason)
{
    assert_int_equal(troupe_send(self, troupe_self_ref(self), probe_value, .value = 8), TROUPE_OK);
    lived('x');
    stop_reason = reason;
}

static const troupe_behaviour living = {
    .name = "living", .start = life_start, .receive = life_receive, .flush = life_flush, .stop = life_stop};

/* Sends the digits as values before the actor has begun, and lets it live. */
static troupe_counters live(const char *digits, const char *expected)
{
    troupe_system *system = probe_system(1);
    life[0] = '\0';
    troupe_ref ref = troupe_spawn(system, &living, NULL);
    for (; *digits != '\0'; digits++)
        assert_int_equal(troupe_send(system, ref, probe_value, .value = (uint64_t)(*digits - '0')),
                         TROUPE_OK);
    settle(system);
    assert_string_equal(life, expected);
    troupe_counters counters = probe_counters(system);
    probe_system_stop(system);
    return counters;
}

static void answers_reset(void)
{
    start_answer = TROUPE_OK;
    receive_answer = TROUPE_OK;
    flush_answer = TROUPE_OK;
    stop_reason = TROUPE_END;
}

static void start_comes_before_the_first_message_and_flush_after_the_last(void **state)
{
    (void)state;
    answers_reset();
    assert_int_equal(live("", "sf").handled, 0);
    troupe_system *system = probe_system(1);
    life[0] = '\0';
    troupe_ref ref = troupe_spawn(system, &living, NULL);
    settle(system);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(troupe_send(system, ref, probe_value, .value = i), TROUPE_OK);
    settle(system);
    assert_string_equal(life, "sf123f");
    probe_system_stop(system);
    assert_int_equal(stop_reason, TROUPE_SHUTDOWN);
    assert_string_equal(life, "sf123fx");
}

static void failed_start_ends_without_stop_or_messages(void **state)
{
    (void)state;
    answers_reset();
    start_answer = TROUPE_UNEXPECTED; /* is a failure like others here */
    troupe_counters counters = live("12", "s");
    assert_int_equal(counters.dead_letters, 2);
    assert_int_equal(counters.actors_failed, 1);
    assert_int_equal(stop_reason, TROUPE_END);
}

static void failure_of_a_handler_ends_with_stop_and_its_reason(void **state)
{
    (void)state;
    answers_reset();
    receive_answer = TROUPE_CORRUPT;
    troupe_counters counters = live("192", "s19x");
    assert_int_equal(counters.handled, 2);      /* the one it failed over was handled */
    assert_int_equal(counters.dead_letters, 2); /* the next, and what stop sent */
    assert_int_equal(counters.actors_failed, 1);
    assert_int_equal(stop_reason, TROUPE_CORRUPT);
}

static void unexpected_message_is_a_dead_letter_and_life_goes_on(void **state)
{
    (void)state;
    answers_reset();
    receive_answer = TROUPE_UNEXPECTED;
    troupe_counters counters = live("192", "s192f");
    assert_int_equal(counters.handled, 2);
    assert_int_equal(counters.dead_letters, 1);
    assert_int_equal(counters.actors_failed, 0);
}

static void failure_of_flush_ends_the_actor(void **state)
{
    (void)state;
    static const troupe_status answers[] = {TROUPE_IO, TROUPE_UNEXPECTED};
    for (size_t i = 0; i < 2; i++) {
        answers_reset();
        flush_answer = answers[i];
        assert_int_equal(live("12", "s12fx").actors_failed, 1);
        assert_int_equal(stop_reason, answers[i]);
    }
}

/*
 * -- become
 * --------------------------------------------------------------------------------------------------
 */

static troupe_status second_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    ++*(uint64_t *)troupe_state(self);
    lived('b');
    return TROUPE_OK;
}

static void second_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    lived(*(uint64_t *)troupe_state(self) == 43 ? 'y' : 'n');
}

static const troupe_behaviour larger = {.name = "larger", .state_size = 9, .receive = null_receive};
static const troupe_behaviour second = {
    .name = "second", .state_size = 8, .receive = second_receive, .stop = second_stop};
static const troupe_behaviour wrong = {.name = "wrong"};

static troupe_status first_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    lived('a');
    *(uint64_t *)troupe_state(self) = 42;
    assert_int_equal(troupe_become(self, &larger), TROUPE_INVALID);
    assert_int_equal(troupe_become(self, &wrong), TROUPE_INVALID);
    assert_int_equal(troupe_become(self, NULL), TROUPE_INVALID);
    return troupe_become(self, &second);
}

static const troupe_behaviour first = {.name = "first", .state_size = 8, .receive = first_receive};

static void becoming_changes_the_behaviour_from_the_next_message_on(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_actor_info info;
    life[0] = '\0';
    troupe_ref ref = troupe_spawn(system, &first, NULL);
    for (int i = 0; i < 2; i++)
        troupe_send(system, ref, probe_value, .value = 1);
    assert_int_equal(troupe_actor_inspect(system, ref, &info), TROUPE_OK);
    assert_string_equal(info.behaviour, "first");
    settle(system);
    assert_string_equal(life, "ab");
    assert_int_equal(troupe_actor_inspect(system, ref, &info), TROUPE_OK);
    assert_string_equal(info.behaviour, "second");
    assert_int_equal(info.handled, 2);
    probe_system_stop(system);
    assert_string_equal(life, "aby"); /* its state came along, and its stop is the new one's */
}

/*
 * -- failing with a text
 * -------------------------------------------------------------------------------------
 */

static const char *fail_text;
static troupe_status fail_reason;
static troupe_status fail_answer;

static troupe_status fail_now(troupe_self *self)
{
    fail_answer = troupe_fail(self, fail_reason, fail_text);
    return fail_answer;
}

static troupe_status fail_quietly(troupe_self *self)
{
    (void)troupe_fail(self, fail_reason, fail_text);
    troupe_exit(self); /* the first reason stays */
    return TROUPE_OK;
}

static troupe_status monitor_probe(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor(self, probe.ref, &monitor);
}

static void fail_with(probe_function function, troupe_status reason, const char *text)
{
    troupe_system *system = probe_system(2);
    probe_spawn(system, &watcher, NULL);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &watcher, monitor_probe);
    fail_reason = reason;
    fail_text = text;
    probe_do(system, &probe, function);
    assert_int_equal(probe.stop_count, 1);
    assert_int_equal(watcher.down_count, 1);
    assert_int_equal(watcher.downs[0].reason, probe.reason);
    probe_system_stop(system);
}

static void failure_carries_its_reason_and_text(void **state)
{
    (void)state;
    char text[TROUPE_REASON_TEXT_MAX + 2];
    fail_with(fail_now, TROUPE_IO, "disk gone");
    assert_int_equal(probe.reason, TROUPE_IO);
    assert_int_equal(fail_answer, TROUPE_IO);
    assert_string_equal(watcher.why, "disk gone");
    fail_with(fail_now, TROUPE_OK, "ok is no reason to fail");
    assert_int_equal(probe.reason, TROUPE_FAILED);
    fail_with(fail_quietly, TROUPE_CORRUPT, "and then it exits");
    assert_int_equal(probe.reason, TROUPE_CORRUPT);
    assert_string_equal(watcher.why, "and then it exits");
    fail_with(fail_now, TROUPE_IO, NULL);
    assert_string_equal(watcher.why, "");
    memset(text, 't', sizeof text);
    text[TROUPE_REASON_TEXT_MAX] = '\0';
    fail_with(fail_now, TROUPE_IO, text);
    assert_string_equal(watcher.why, text); /* as long as can be */
    text[TROUPE_REASON_TEXT_MAX] = 't';
    text[TROUPE_REASON_TEXT_MAX + 1] = '\0';
    fail_with(fail_now, TROUPE_IO, text);
    assert_int_equal(strlen(watcher.why), TROUPE_REASON_TEXT_MAX); /* what is longer is cut */
}

/*
 * -- inspecting
 * ----------------------------------------------------------------------------------------------
 */

static void inspection_tells_the_order_of_creation(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_actor_info info;
    for (uint64_t i = 1; i <= 3; i++) {
        probe_spawn(system, &probe, NULL);
        assert_int_equal(troupe_actor_inspect(system, probe.ref, &info), TROUPE_OK);
        assert_int_equal(info.created, i);
        assert_int_equal(info.worker, 0);
        assert_string_equal(info.behaviour, "probe");
        troupe_send(system, probe.ref, probe_value, .value = 1);
        assert_int_equal(troupe_actor_inspect(system, probe.ref, &info), TROUPE_OK);
        assert_int_equal(info.depth, 1);
        settle(system);
        assert_int_equal(troupe_actor_inspect(system, probe.ref, &info), TROUPE_OK);
        assert_int_equal(info.handled, 1);
        assert_int_equal(info.depth, 0);
        fail_reason = TROUPE_OK;
        fail_text = "";
        if (i == 2) {
            probe_do(system, &probe, fail_now);
            assert_int_equal(troupe_actor_inspect(system, probe.ref, &info), TROUPE_NO_ACTOR);
        }
    }
    assert_int_equal(troupe_actor_inspect(system, troupe_ref_none(), &info), TROUPE_NO_ACTOR);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawn_that_cannot_be_is_refused),
        cmocka_unit_test(state_is_a_copy_of_the_given_one_or_zeros),
        cmocka_unit_test(actor_without_state_has_none),
        cmocka_unit_test(start_comes_before_the_first_message_and_flush_after_the_last),
        cmocka_unit_test(failed_start_ends_without_stop_or_messages),
        cmocka_unit_test(failure_of_a_handler_ends_with_stop_and_its_reason),
        cmocka_unit_test(unexpected_message_is_a_dead_letter_and_life_goes_on),
        cmocka_unit_test(failure_of_flush_ends_the_actor),
        cmocka_unit_test(becoming_changes_the_behaviour_from_the_next_message_on),
        cmocka_unit_test(failure_carries_its_reason_and_text),
        cmocka_unit_test(inspection_tells_the_order_of_creation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

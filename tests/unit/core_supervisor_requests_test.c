/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/supervisor_requests: what can be asked of a supervisor, from outside and from an actor,
 * and what comes of it. Virtual time, one thread.
 */
#include "unit/core_children.h"

enum {
    WAIT_MS = 1000,
};

static troupe_status end_of(troupe_status status, troupe_system *system, troupe_message **reply)
{
    if (status == TROUPE_OK)
        troupe_message_free(system, reply);
    return status;
}

static troupe_status terminate(troupe_system *system, troupe_ref ref, const char *id)
{
    troupe_message *reply;
    troupe_status status = troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .id = id);
    if (status == TROUPE_OK)
        assert_int_equal(troupe_child_of(reply)->phase, TROUPE_CHILD_DOWN);
    return end_of(status, system, &reply);
}

static troupe_status restart(troupe_system *system, troupe_ref ref, const char *id)
{
    troupe_message *reply;
    troupe_status status = troupe_call(system, ref, WAIT_MS, &reply, troupe_restart_child, .id = id);
    if (status == TROUPE_OK)
        assert_int_equal(troupe_child_of(reply)->phase, TROUPE_CHILD_UP);
    return end_of(status, system, &reply);
}

static troupe_status forget(troupe_system *system, troupe_ref ref, const char *id)
{
    troupe_message *reply;
    return end_of(troupe_call(system, ref, WAIT_MS, &reply, troupe_delete_child, .id = id), system, &reply);
}

static troupe_status start_child(troupe_system *system, troupe_ref ref, char id, troupe_restart type)
{
    troupe_child_spec spec = child(id);
    troupe_ref who;
    spec.restart = type;
    troupe_status status = troupe_call_start_child(system, ref, &spec, WAIT_MS, &who);
    if (status == TROUPE_OK)
        assert_true(troupe_ref_equal(who, refs[id - 'a']));
    return status;
}

/* The children, as "a:3 b:0", the number being the phase. */
static const char *listed(troupe_system *system, troupe_ref ref)
{
    static char text[LOG_SIZE];
    troupe_message *reply;
    troupe_child_entry entry;
    uint32_t cursor = 0;
    uint32_t count = 0;
    text[0] = '\0';
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_which_children), TROUPE_OK);
    for (; troupe_children_next(reply, &cursor, &entry); count++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s:%d", len > 0 ? " " : "", entry.id, (int)entry.phase);
        assert_true(troupe_ref_is_none(entry.who) == (entry.phase < TROUPE_CHILD_STARTING));
    }
    assert_int_equal(troupe_children_of(reply)->count, count);
    troupe_message_free(system, &reply);
    return text;
}

static void started_child_is_answered_when_it_has_started(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(start_child(system, ref, 'b', TROUPE_RESTART_PERMANENT), TROUPE_OK);
    expect(system, 1, "+a +b");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b +b");
    assert_string_equal(listed(system, ref), "a:3 b:3");
    stop(system);
}

static void start_that_was_asked_for_and_fails_is_the_answer(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_supervisor_spec spec = {.intensity_none = true};
    troupe_ref ref = supervise(system, &spec);
    for (troupe_restart type = TROUPE_RESTART_PERMANENT; type <= TROUPE_RESTART_TEMPORARY; type++) {
        start_failures[0] = 1;
        assert_int_equal(start_child(system, ref, 'a', type), TROUPE_IO);
        expect(system, 10, "!a");
        assert_string_equal(listed(system, ref), "");
    }
    assert_int_equal(restarts(system), 0);
    troupe_child_spec named = child('a');
    static const troupe_supervisor_spec holder = {.name = "taken"};
    troupe_ref who;
    supervise(system, &holder);
    expect(system, 1, "");
    named.options.name = "taken";
    assert_int_equal(troupe_call_start_child(system, ref, &named, WAIT_MS, &who), TROUPE_NAME_TAKEN);
    assert_string_equal(listed(system, ref), "");
    named.id = NULL;
    assert_int_equal(troupe_call_start_child(system, ref, &named, WAIT_MS, &who), TROUPE_INVALID);
    assert_int_equal(troupe_call_start_child(system, ref, NULL, WAIT_MS, &who), TROUPE_INVALID);
    stop(system);
}

static void id_of_a_child_that_is_there_is_taken_also_when_it_has_ended(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(start_child(system, ref, 'a', TROUPE_RESTART_PERMANENT), TROUPE_NAME_TAKEN);
    assert_int_equal(terminate(system, ref, "a"), TROUPE_OK);
    assert_int_equal(start_child(system, ref, 'a', TROUPE_RESTART_PERMANENT), TROUPE_NAME_TAKEN);
    assert_int_equal(forget(system, ref, "a"), TROUPE_OK);
    assert_int_equal(start_child(system, ref, 'a', TROUPE_RESTART_PERMANENT), TROUPE_OK);
    expect(system, 1, "+a -a +a");
    stop(system);
}

static void terminated_child_is_kept_until_it_is_deleted_or_restarted(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_REST_FOR_ONE, .children = children, .child_count = 3};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(restart(system, ref, "b"), TROUPE_RUNNING);
    assert_int_equal(forget(system, ref, "b"), TROUPE_RUNNING);
    assert_int_equal(terminate(system, ref, "b"), TROUPE_OK);
    expect(system, 1, "+a +b +c -b"); /* its group is left alone */
    assert_int_equal(stop_reasons[1], TROUPE_SHUTDOWN);
    assert_int_equal(terminate(system, ref, "b"), TROUPE_OK);
    assert_string_equal(listed(system, ref), "a:3 b:0 c:3");
    assert_int_equal(restart(system, ref, "b"), TROUPE_OK);
    expect(system, 1, "+b");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b -c +b +c"); /* it has its old place */
    assert_int_equal(terminate(system, ref, "b"), TROUPE_OK);
    assert_int_equal(forget(system, ref, "b"), TROUPE_OK);
    assert_string_equal(listed(system, ref), "a:3 c:3");
    assert_int_equal(restart(system, ref, "b"), TROUPE_NOT_FOUND);
    assert_int_equal(forget(system, ref, "b"), TROUPE_NOT_FOUND);
    assert_int_equal(terminate(system, ref, "b"), TROUPE_NOT_FOUND);
    assert_int_equal(terminate(system, ref, ""), TROUPE_NOT_FOUND);
    char id[TROUPE_CHILD_ID_LEN_MAX + 2];
    memset(id, 'a', sizeof id);
    id[TROUPE_CHILD_ID_LEN_MAX + 1] = '\0';
    assert_int_equal(terminate(system, ref, id), TROUPE_NOT_FOUND);
    assert_int_equal(restarts(system), 1);
    stop(system);
}

static void terminated_temporary_child_is_forgotten(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[0].restart = TROUPE_RESTART_TEMPORARY;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(terminate(system, ref, "a"), TROUPE_OK);
    assert_string_equal(listed(system, ref), "b:3");
    assert_int_equal(restart(system, ref, "a"), TROUPE_NOT_FOUND);
    stop(system);
}

static void requested_restart_that_fails_is_the_answer_and_not_tried_again(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.intensity_none = true, .children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(terminate(system, ref, "a"), TROUPE_OK);
    start_failures[0] = 1;
    assert_int_equal(restart(system, ref, "a"), TROUPE_IO);
    assert_string_equal(listed(system, ref), "a:0");
    assert_int_equal(restart(system, ref, "a"), TROUPE_OK);
    expect(system, 1, "+a -a !a +a");
    order(system, 'a', TROUPE_IO); /* from now on it is as any other's */
    expect(system, 1, "-a xTROUPE_INTENSITY");
    stop(system);
}

static void termination_calls_a_waiting_restart_off(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    for (uint32_t strategy = 0; strategy < 2; strategy++) {
        const troupe_supervisor_spec spec = {.strategy = (troupe_strategy)strategy,
                                             .backoff_min_ms = 100,
                                             .children = children,
                                             .child_count = 2};
        troupe_ref ref = supervise(system, &spec);
        expect(system, 1, "+a +b");
        order(system, 'a', TROUPE_IO);
        expect(system, 1, strategy == 0 ? "-a" : "-a -b");
        assert_string_equal(listed(system, ref), strategy == 0 ? "a:1 b:3" : "a:1 b:0");
        assert_int_equal(restart(system, ref, "a"), TROUPE_RUNNING);
        assert_int_equal(terminate(system, ref, "a"), TROUPE_OK);
        expect(system, 1000, strategy == 0 ? "" : "+b");
        assert_string_equal(listed(system, ref), "a:0 b:3");
        troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
        expect(system, 1, "-b xTROUPE_SHUTDOWN");
    }
    stop(system);
}

static void count_tells_specs_from_live_and_workers_from_supervisors(void **state)
{
    (void)state;
    troupe_system *system = start();
    static const troupe_supervisor_spec inner = {0};
    const troupe_child_spec children[] = {child('a'), {.id = "inner", .supervisor = &inner}, child('b')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 3};
    troupe_ref ref = supervise(system, &spec);
    assert_int_equal(terminate(system, ref, "a"), TROUPE_OK);
    troupe_message *reply;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_count_children), TROUPE_OK);
    const troupe_children_count *counts = troupe_children_count_of(reply);
    assert_int_equal(counts->specs, 3);
    assert_int_equal(counts->active, 2);
    assert_int_equal(counts->supervisors, 1);
    assert_int_equal(counts->workers, 2);
    troupe_message_free(system, &reply);
    stop(system);
}

static void spec_of_a_child_is_told_by_id_and_by_ref(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a')};
    children[0].restart = TROUPE_RESTART_TRANSIENT;
    children[0].shutdown_ms = 77;
    children[0].is_significant = true;
    const troupe_supervisor_spec spec = {
        .children = children, .child_count = 1, .auto_shutdown = TROUPE_AUTO_SHUTDOWN_ALL};
    troupe_ref ref = supervise(system, &spec);
    troupe_sim_advance(system, 1);
    troupe_message *reply;
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_get_childspec, .id = "a"),
                             TROUPE_OK);
        else
            assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_get_childspec, .who = refs[0]),
                             TROUPE_OK);
        const troupe_child *told = troupe_child_of(reply);
        assert_string_equal(troupe_text(reply, told->id), "a");
        assert_string_equal(troupe_text(reply, told->behaviour), "child");
        assert_true(troupe_ref_equal(told->who, refs[0]));
        assert_int_equal(told->restart, TROUPE_RESTART_TRANSIENT);
        assert_int_equal(told->shutdown_ms, 77);
        assert_true(told->is_significant && !told->is_supervisor && !told->is_killed);
        troupe_message_free(system, &reply);
    }
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_get_childspec, .who = ref),
                     TROUPE_NOT_FOUND);
    stop(system);
}

/* -- from an actor --------------------------------------------------------------------------------------- */

static troupe_ref asked_supervisor;
static uint32_t answers;
static troupe_status last_status;
static troupe_ref last_ref;

static troupe_status on_child(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)context;
    answers++;
    last_status = status;
    last_ref = reply == NULL ? troupe_ref_none() : troupe_child_of(reply)->who;
    return TROUPE_OK;
}

/* Asks for a child, for its end, and for a child again, all at once: they are done in that order. */
static troupe_status asking_start(troupe_self *self)
{
    const troupe_child_spec one = child('b');
    assert_int_equal(troupe_start_child(self, asked_supervisor, &one, WAIT_MS, on_child, NULL), TROUPE_OK);
    assert_int_equal(
        troupe_ask(self, asked_supervisor, WAIT_MS, on_child, NULL, troupe_terminate_child, .id = "b"),
        TROUPE_OK);
    assert_int_equal(
        troupe_ask(self, asked_supervisor, WAIT_MS, on_child, NULL, troupe_restart_child, .id = "b"),
        TROUPE_OK);
    assert_int_equal(troupe_start_child(self, asked_supervisor, &one, WAIT_MS, NULL, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_start_child(self, troupe_ref_none(), &one, WAIT_MS, on_child, NULL),
                     TROUPE_NO_ACTOR);
    troupe_ref who;
    assert_int_equal(troupe_call_start_child(troupe_system_of(self), asked_supervisor, &one, WAIT_MS, &who),
                     TROUPE_IN_HANDLER);
    return TROUPE_OK;
}

static troupe_status asking_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour asking = {.name = "asking", .start = asking_start, .receive = asking_receive};

static void requests_of_an_actor_are_done_in_order_without_blocking_it(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    asked_supervisor = supervise(system, &spec);
    answers = 0;
    last_status = TROUPE_FAILED;
    troupe_spawn(system, &asking, NULL);
    expect(system, 1, "+a +b -b +b");
    assert_int_equal(answers, 3);
    assert_int_equal(last_status, TROUPE_OK);
    assert_true(troupe_ref_equal(last_ref, refs[1]));
    stop(system);
}

/* OTP's supervisor does not look at its mailbox before a sequence is over. */
static void request_waits_until_the_sequence_is_over(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[1].shutdown_ms = 50;
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    assert_int_equal(troupe_send(system, refs[1], child_deafen), TROUPE_OK);
    order(system, 'a', TROUPE_IO);
    expect_within(system, 10, "-a"); /* b is not to be stopped before its deadline */
    uint64_t then_ms = troupe_now_ns(system) / 1000000;
    assert_string_equal(listed(system, ref), "a:3 b:3");
    assert_true(troupe_now_ns(system) / 1000000 - then_ms >= 38);
    expect(system, 1, "-b +a +b");
    assert_int_equal(stop_reasons[1], TROUPE_KILLED);
    stop(system);
}

static troupe_status start_and_wait(troupe_self *self)
{
    const troupe_child_spec one = child('c');
    assert_int_equal(troupe_start_child(self, asked_supervisor, &one, WAIT_MS, on_child, NULL), TROUPE_OK);
    return troupe_ask(self, asked_supervisor, WAIT_MS, on_child, NULL, troupe_which_children);
}

static const troupe_behaviour waiting = {
    .name = "waiting", .start = start_and_wait, .receive = asking_receive};

/* Requests that wait for the end of a sequence, when the supervisor ends with it. */
static void end_of_the_supervisor_is_the_answer_to_what_it_kept(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[1].shutdown_ms = 50;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = asked_supervisor = supervise(system, &spec);
    expect(system, 1, "+a +b");
    assert_int_equal(troupe_send(system, refs[1], child_deafen), TROUPE_OK);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect_within(system, 5, "");
    answers = 0;
    troupe_spawn(system, &waiting, NULL);
    expect_within(system, 5, "");
    assert_int_equal(answers, 0);
    expect_within(system, 100, "-b -a xTROUPE_SHUTDOWN");
    assert_int_equal(answers, 2);
    assert_int_equal(last_status, TROUPE_NO_ACTOR);
    stop(system);
}

static troupe_ref slow_ref;

static troupe_status slow_on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    return TROUPE_OK;
}

/* It has started, for its supervisor, when its start() has returned, though it handles nothing yet. */
static troupe_status slow_start(troupe_self *self)
{
    return troupe_ask_hold(self, slow_ref, WAIT_MS / 2, slow_on_reply, NULL, troupe_which_children);
}

static const troupe_behaviour slow = {.name = "slow", .start = slow_start, .receive = asking_receive};

static troupe_status deaf_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

static const troupe_behaviour deaf = {.name = "deaf", .receive = deaf_receive};

/* A child that holds for an answer takes its shutdown after it, or is killed at its deadline. */
static void child_that_holds_is_stopped_after_its_answer_or_killed(void **state)
{
    (void)state;
    for (uint32_t shutdown_ms = 100; shutdown_ms <= WAIT_MS; shutdown_ms += WAIT_MS - 100) {
        troupe_system *system = start();
        slow_ref = troupe_spawn(system, &deaf, NULL);
        const troupe_child_spec children[] = {{.id = "slow", .behaviour = &slow, .shutdown_ms = shutdown_ms}};
        const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
        troupe_ref ref = supervise(system, &spec);
        assert_string_equal(listed(system, ref), "slow:3");
        uint64_t then_ms = troupe_now_ns(system) / 1000000;
        assert_int_equal(terminate(system, ref, "slow"), TROUPE_OK);
        uint64_t took_ms = troupe_now_ns(system) / 1000000 - then_ms;
        assert_in_range(took_ms, shutdown_ms == 100 ? 99 : 450, shutdown_ms == 100 ? 110 : 510);
        stop(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(started_child_is_answered_when_it_has_started),
        cmocka_unit_test(start_that_was_asked_for_and_fails_is_the_answer),
        cmocka_unit_test(id_of_a_child_that_is_there_is_taken_also_when_it_has_ended),
        cmocka_unit_test(terminated_child_is_kept_until_it_is_deleted_or_restarted),
        cmocka_unit_test(terminated_temporary_child_is_forgotten),
        cmocka_unit_test(requested_restart_that_fails_is_the_answer_and_not_tried_again),
        cmocka_unit_test(termination_calls_a_waiting_restart_off),
        cmocka_unit_test(count_tells_specs_from_live_and_workers_from_supervisors),
        cmocka_unit_test(spec_of_a_child_is_told_by_id_and_by_ref),
        cmocka_unit_test(requests_of_an_actor_are_done_in_order_without_blocking_it),
        cmocka_unit_test(end_of_the_supervisor_is_the_answer_to_what_it_kept),
        cmocka_unit_test(child_that_holds_is_stopped_after_its_answer_or_killed),
        cmocka_unit_test(request_waits_until_the_sequence_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

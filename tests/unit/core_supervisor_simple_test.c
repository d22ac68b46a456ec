/* SPDX-License-Identifier: MIT */
/*
 * Facts about supervisors that shut themselves down, that are simple (many children of one spec), and that
 * stand one above the other. Virtual time, one thread.
 */
#include "unit/core_children.h"

#include <stdlib.h>

enum {
    WAIT_MS = 1000,
    MANY = 100000,
    DEPTH = 60,
};

/* -- auto_shutdown --------------------------------------------------------------------------------------- */

static troupe_supervisor_spec significant_spec(troupe_child_spec children[3], troupe_auto_shutdown how)
{
    for (char id = 'a'; id < 'd'; id++) {
        children[id - 'a'] = child(id);
        children[id - 'a'].restart = id == 'b' ? TROUPE_RESTART_TEMPORARY : TROUPE_RESTART_TRANSIENT;
        children[id - 'a'].is_significant = id != 'c';
    }
    return (troupe_supervisor_spec){
        .intensity = 5, .auto_shutdown = how, .children = children, .child_count = 3};
}

static void end_normally(troupe_system *system, char id)
{
    assert_int_equal(troupe_send(system, refs[id - 'a'], child_do, .ends = true), TROUPE_OK);
}

static void any_significant_end_shuts_the_supervisor_down(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[3];
    const troupe_supervisor_spec spec = significant_spec(children, TROUPE_AUTO_SHUTDOWN_ANY);
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    end_normally(system, 'c');     /* not significant */
    order(system, 'a', TROUPE_IO); /* not for good */
    expect(system, 1, "-c -a +a");
    order(system, 'b', TROUPE_IO); /* temporary: for good, however it ended */
    expect(system, 1, "-b -a xTROUPE_SHUTDOWN");
    stop(system);
}

static void last_significant_end_shuts_the_supervisor_down(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[3];
    const troupe_supervisor_spec spec = significant_spec(children, TROUPE_AUTO_SHUTDOWN_ALL);
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b");
    end_normally(system, 'a');
    expect(system, 1, "-a -c xTROUPE_SHUTDOWN");
    stop(system);
}

/* As in OTP: only an end of its own accord counts. */
static void terminated_significant_child_shuts_nobody_down(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[3];
    const troupe_supervisor_spec spec = significant_spec(children, TROUPE_AUTO_SHUTDOWN_ANY);
    troupe_ref ref = supervise(system, &spec);
    troupe_message *reply;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .id = "a"), TROUPE_OK);
    troupe_message_free(system, &reply);
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .id = "b"), TROUPE_OK);
    troupe_message_free(system, &reply);
    expect(system, 1, "+a +b +c -a -b");
    stop(system);
}

static void wrong_significance_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec spec = child('a');
    troupe_supervisor_spec supervisor = {
        .children = &spec, .child_count = 1, .auto_shutdown = TROUPE_AUTO_SHUTDOWN_ANY};
    troupe_status status;
    spec.is_significant = true;
    troupe_supervisor_start(system, &supervisor, &status); /* permanent */
    assert_int_equal(status, TROUPE_INVALID);
    spec.restart = TROUPE_RESTART_TRANSIENT;
    supervisor.auto_shutdown = TROUPE_AUTO_SHUTDOWN_NEVER;
    troupe_supervisor_start(system, &supervisor, &status);
    assert_int_equal(status, TROUPE_INVALID);
    supervisor.auto_shutdown = (troupe_auto_shutdown)3;
    troupe_supervisor_start(system, &supervisor, &status);
    assert_int_equal(status, TROUPE_INVALID);
    static const troupe_supervisor_spec empty = {0};
    troupe_ref who;
    troupe_ref ref = troupe_supervisor_start(system, &empty, NULL);
    assert_int_equal(troupe_call_start_child(system, ref, &spec, WAIT_MS, &who), TROUPE_INVALID);
    stop(system);
}

/* -- the end of children --------------------------------------------------------------------------------- */

static void brutal_child_is_killed_and_patient_one_waited_for(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[0].shutdown_ms = TROUPE_SHUTDOWN_MS_FOREVER;
    children[1].is_killed = true;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    assert_int_equal(troupe_send(system, refs[0], child_deafen), TROUPE_OK);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect_within(system, 20, "-b");
    assert_int_equal(stop_reasons[1], TROUPE_KILLED);
    troupe_shutdown(system, refs[0], TROUPE_KILLED);
    expect(system, 3, "-a xTROUPE_SHUTDOWN");
    stop(system);
}

/* It fails instead of stopping as it was told to: that is its end, and no restart. */
static void child_that_fails_while_it_is_stopped_counts_for_nothing(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[1].shutdown_ms = 20;
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .intensity = 1, .children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    order(system, 'a', TROUPE_IO);
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-a -b +a +b");
    assert_int_equal(restarts(system), 1);
    assert_int_equal(troupe_send(system, refs[1], child_deafen), TROUPE_OK);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect_within(system, 5, ""); /* b is not to be stopped before its deadline */
    order(system, 'a', TROUPE_CORRUPT);
    expect(system, 1, "-a -b xTROUPE_SHUTDOWN");
    assert_int_equal(restarts(system), 1);
    stop(system);
}

static troupe_status linker_start(troupe_self *self)
{
    return troupe_link(self, watched_ref);
}

static troupe_status linker_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_FAILED;
}

static const troupe_behaviour linker = {.name = "linker", .start = linker_start, .receive = linker_receive};

static void failure_of_who_is_linked_to_a_supervisor_does_not_end_it(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    supervise(system, &spec);
    expect(system, 1, "+a");
    troupe_ref ref = troupe_spawn(system, &linker, NULL);
    assert_int_equal(troupe_send(system, ref, child_deafen), TROUPE_OK);
    expect(system, 1, "");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a +a");
    stop(system);
}

/* -- nested ---------------------------------------------------------------------------------------------- */

/* A chain of supervisors with one child at the very end. */
static void chain_make(troupe_supervisor_spec specs[DEPTH], troupe_child_spec links[DEPTH])
{
    for (int i = DEPTH; i-- > 0;) {
        links[i] =
            i == DEPTH - 1 ? child('a') : (troupe_child_spec){.id = "inner", .supervisor = &specs[i + 1]};
        specs[i] = (troupe_supervisor_spec){.intensity_none = i > 0, .children = &links[i], .child_count = 1};
    }
}

static void failure_escalates_through_any_depth(void **state)
{
    (void)state;
    static troupe_supervisor_spec specs[DEPTH];
    static troupe_child_spec links[DEPTH];
    troupe_system *system = start();
    chain_make(specs, links);
    troupe_ref ref = supervise(system, &specs[0]);
    expect(system, 1, "+a");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a +a"); /* only the outermost bears a restart */
    assert_int_equal(restarts(system), 1);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.actors_failed, DEPTH);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 1, "-a xTROUPE_SHUTDOWN");
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.actors_spawned - counters.actors_ended, 1); /* the test's own watcher */
    stop(system);
}

static void failed_start_at_any_depth_ends_the_whole_chain(void **state)
{
    (void)state;
    static troupe_supervisor_spec specs[DEPTH];
    static troupe_child_spec links[DEPTH];
    troupe_system *system = start();
    chain_make(specs, links);
    start_failures[0] = 1;
    supervise(system, &specs[0]);
    expect(system, 1, "!a xTROUPE_IO");
    stop(system);
}

/* -- simple_one_for_one ---------------------------------------------------------------------------------- */

static uint64_t born;
static uint64_t gone;
static uint64_t value_sum;

static troupe_status session_start(troupe_self *self)
{
    const uint64_t *value = troupe_state(self);
    born++;
    value_sum += *value;
    return *value == UINT64_MAX ? TROUPE_CORRUPT : TROUPE_OK;
}

static troupe_status session_receive(troupe_self *self, const troupe_message *message)
{
    const child_do *order = child_do_of(message);
    if (order == NULL)
        return TROUPE_UNEXPECTED;
    if (order->ends)
        troupe_exit(self);
    return (troupe_status)order->status;
}

static void session_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    gone++;
}

static const troupe_behaviour session = {.name = "session",
                                         .state_size = sizeof(uint64_t),
                                         .start = session_start,
                                         .receive = session_receive,
                                         .stop = session_stop};

static troupe_ref start_simple(troupe_system *system, troupe_restart type, uint32_t intensity)
{
    static const uint64_t value = 1;
    const troupe_child_spec pattern = {.behaviour = &session, .restart = type, .options.state = &value};
    const troupe_supervisor_spec spec = {.strategy = TROUPE_SIMPLE_ONE_FOR_ONE,
                                         .intensity = intensity,
                                         .children = &pattern,
                                         .child_count = 1};
    born = gone = value_sum = 0;
    return supervise(system, &spec);
}

static troupe_children_count counted(troupe_system *system, troupe_ref ref)
{
    troupe_message *reply;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_count_children), TROUPE_OK);
    troupe_children_count counts = *troupe_children_count_of(reply);
    troupe_message_free(system, &reply);
    return counts;
}

static void simple_children_are_of_one_spec_but_for_their_options(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_ref ref = start_simple(system, TROUPE_RESTART_PERMANENT, 3);
    const uint64_t value = 100;
    troupe_child_spec own = {.behaviour = &session,
                             .options = {.state = &value, .name = "own", .group = "sessions"}};
    troupe_ref one;
    troupe_ref two;
    assert_int_equal(troupe_call_start_child(system, ref, NULL, WAIT_MS, &one), TROUPE_OK);
    assert_int_equal(troupe_call_start_child(system, ref, &own, WAIT_MS, &two), TROUPE_OK);
    assert_int_equal(value_sum, 101);
    assert_true(troupe_ref_equal(troupe_whereis(system, "own"), two));
    assert_int_equal(troupe_group_size(system, "sessions"), 1);
    assert_int_equal(troupe_send(system, two, child_do, .status = TROUPE_IO), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(value_sum, 201); /* its own options in each life */
    assert_false(troupe_ref_is_none(troupe_whereis(system, "own")));
    own.id = "ignored";
    own.options.name = NULL;
    assert_int_equal(troupe_supervisor_add(system, ref, &own), TROUPE_OK);
    assert_int_equal(troupe_supervisor_add(system, ref, NULL), TROUPE_OK);
    troupe_children_count counts = counted(system, ref);
    assert_int_equal(counts.specs, 1);
    assert_int_equal(counts.active, 4);
    assert_int_equal(counts.workers, 4);
    own.behaviour = &child_behaviour;
    assert_int_equal(troupe_call_start_child(system, ref, &own, WAIT_MS, &two), TROUPE_INVALID);
    const uint64_t bad = UINT64_MAX;
    own = (troupe_child_spec){.behaviour = &session, .options.state = &bad};
    assert_int_equal(troupe_call_start_child(system, ref, &own, WAIT_MS, &two), TROUPE_CORRUPT);
    assert_int_equal(counted(system, ref).active, 4);
    stop(system);
}

static void simple_child_is_terminated_by_ref_and_never_kept(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_ref ref = start_simple(system, TROUPE_RESTART_TRANSIENT, 3);
    troupe_ref children[3];
    troupe_message *reply;
    for (int i = 0; i < 3; i++)
        assert_int_equal(troupe_call_start_child(system, ref, NULL, WAIT_MS, &children[i]), TROUPE_OK);
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .who = children[1]),
                     TROUPE_OK);
    troupe_message_free(system, &reply);
    assert_int_equal(gone, 1);
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .who = children[1]),
                     TROUPE_NOT_FOUND);
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_restart_child, .who = children[0]),
                     TROUPE_INVALID);
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_delete_child, .who = children[0]),
                     TROUPE_INVALID);
    assert_int_equal(troupe_send(system, children[0], child_do, .ends = true), TROUPE_OK);
    troupe_sim_advance(system, 1);
    troupe_children_count counts = counted(system, ref);
    assert_int_equal(counts.active, 1);
    assert_int_equal(counts.workers, 1);
    stop(system);
}

static void simple_supervisor_over_its_intensity_stops_them_all(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_ref ref = start_simple(system, TROUPE_RESTART_PERMANENT, 2);
    troupe_ref children[5];
    for (int i = 0; i < 5; i++)
        assert_int_equal(troupe_call_start_child(system, ref, NULL, WAIT_MS, &children[i]), TROUPE_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(troupe_send(system, children[i], child_do, .status = TROUPE_IO), TROUPE_OK);
    expect(system, 1, "xTROUPE_INTENSITY");
    assert_int_equal(born, 7);
    assert_int_equal(gone, 7);
    stop(system);
}

static void hundred_thousand_simple_children_come_and_go(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_ref ref = start_simple(system, TROUPE_RESTART_TRANSIENT, TROUPE_INTENSITY_MAX);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(troupe_supervisor_add(system, ref, NULL), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(born, MANY);
    assert_int_equal(counted(system, ref).active, MANY);
    troupe_message *reply;
    troupe_child_entry entry;
    uint32_t cursor = 0;
    uint32_t count = 0;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_which_children), TROUPE_OK);
    for (; troupe_children_next(reply, &cursor, &entry); count++) /* every 20th fails, every 7th ends */
        (void)troupe_send(system, entry.who, child_do, .ends = count % 7 == 0,
                          .status = count % 20 == 0 ? TROUPE_IO : TROUPE_OK);
    troupe_message_free(system, &reply);
    assert_int_equal(count, MANY);
    troupe_sim_advance(system, 1);
    uint32_t ended = 0;
    uint32_t failed = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        failed += i % 20 == 0 && i % 7 != 0;
        ended += i % 7 == 0;
    }
    assert_int_equal(restarts(system), failed);
    assert_int_equal(counted(system, ref).active, MANY - ended);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 10, "xTROUPE_SHUTDOWN");
    assert_int_equal(born, MANY + failed);
    assert_int_equal(gone, born);
    stop(system);
}

static void deaf_simple_children_are_killed_together_at_the_deadline(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec pattern = child('a');
    pattern.shutdown_ms = 30;
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_SIMPLE_ONE_FOR_ONE, .children = &pattern, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    troupe_ref who;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(troupe_call_start_child(system, ref, NULL, WAIT_MS, &who), TROUPE_OK);
        assert_int_equal(troupe_send(system, who, child_deafen), TROUPE_OK);
    }
    expect_within(system, 1, "+a +a +a");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect_within(system, 25, "");
    expect(system, 10, "-a -a -a xTROUPE_SHUTDOWN");
    assert_int_equal(stop_reasons[0], TROUPE_KILLED);
    stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_significant_end_shuts_the_supervisor_down),
        cmocka_unit_test(last_significant_end_shuts_the_supervisor_down),
        cmocka_unit_test(terminated_significant_child_shuts_nobody_down),
        cmocka_unit_test(wrong_significance_is_refused),
        cmocka_unit_test(brutal_child_is_killed_and_patient_one_waited_for),
        cmocka_unit_test(child_that_fails_while_it_is_stopped_counts_for_nothing),
        cmocka_unit_test(failure_of_who_is_linked_to_a_supervisor_does_not_end_it),
        cmocka_unit_test(failure_escalates_through_any_depth),
        cmocka_unit_test(failed_start_at_any_depth_ends_the_whole_chain),
        cmocka_unit_test(simple_children_are_of_one_spec_but_for_their_options),
        cmocka_unit_test(simple_child_is_terminated_by_ref_and_never_kept),
        cmocka_unit_test(simple_supervisor_over_its_intensity_stops_them_all),
        cmocka_unit_test(hundred_thousand_simple_children_come_and_go),
        cmocka_unit_test(deaf_simple_children_are_killed_together_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/supervisor: how many restarts it bears and how soon they come, what becomes of children
 * that do not start or do not stop, and what the end of the system does. One thread.
 */
#include "unit/core_children.h"

#include "core/system.h"

/* One cause that takes several down is one restart. */
static void siblings_that_fail_while_all_are_restarted_do_not_count(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .intensity = 1, .children = children, .child_count = 3};
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    order(system, 'a', TROUPE_IO);
    order(system, 'b', TROUPE_IO);
    order(system, 'c', TROUPE_IO);
    troupe_sim_advance(system, 1);
    assert_string_equal(strstr(history, "+a"), "+a +b +c");
    assert_int_equal(restarts(system), 1);
    stop(system);
}

static void intensity_is_borne_and_one_more_is_not(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    const troupe_supervisor_spec spec = {
        .intensity = 3, .period_ms = 1000, .children = children, .child_count = 2};
    supervise(system, &spec);
    expect(system, 1, "+a +b");
    for (int i = 0; i < 3; i++) {
        order(system, 'b', TROUPE_IO);
        expect(system, 10, "-b +b");
    }
    order(system, 'b', TROUPE_IO);
    expect(system, 10, "-b -a xTROUPE_INTENSITY");
    assert_int_equal(restarts(system), 3);
    stop(system);
}

/* As in OTP, where a restart exactly one period ago still counts. */
static void restarts_leave_the_period_after_its_last_millisecond(void **state)
{
    (void)state;
    for (uint64_t more_ms = 0; more_ms < 2; more_ms++) {
        troupe_system *system = start();
        const troupe_child_spec children[] = {child('a')};
        const troupe_supervisor_spec spec = {.period_ms = 500, .children = children, .child_count = 1};
        supervise(system, &spec);
        troupe_sim_advance(system, 1);
        order(system, 'a', TROUPE_IO);
        troupe_sim_advance(system, 500 + more_ms);
        order(system, 'a', TROUPE_IO);
        troupe_sim_advance(system, 1);
        assert_string_equal(history, more_ms == 0 ? "+a -a +a -a xTROUPE_INTENSITY" : "+a -a +a -a +a");
        stop(system);
    }
}

static void no_intensity_bears_no_restart(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.intensity_none = true, .children = children, .child_count = 1};
    supervise(system, &spec);
    expect(system, 1, "+a");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a xTROUPE_INTENSITY");
    stop(system);
}

static void backoff_doubles_to_its_ceiling_and_begins_anew_after_a_good_time(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.intensity = 100,
                                         .period_ms = 1000,
                                         .backoff_min_ms = 10,
                                         .backoff_max_ms = 35,
                                         .children = children,
                                         .child_count = 1};
    static const uint64_t delays_ms[] = {10, 20, 35, 35};
    supervise(system, &spec);
    expect(system, 1, "+a");
    for (size_t i = 0; i < sizeof delays_ms / sizeof delays_ms[0]; i++) {
        order(system, 'a', TROUPE_IO);
        expect(system, delays_ms[i] - 1, "-a");
        expect(system, 2, "+a");
    }
    troupe_sim_advance(system, 1001);
    order(system, 'a', TROUPE_IO);
    expect(system, 9, "-a");
    expect(system, 2, "+a");
    stop(system);
}

static void nobody_is_started_before_the_backoff_is_over(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .backoff_min_ms = 100, .children = children, .child_count = 3};
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    order(system, 'b', TROUPE_IO);
    expect(system, 99, "-b -c -a");
    expect(system, 2, "+a +b +c");
    stop(system);
}

static void shutdown_does_not_wait_for_a_backoff(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    const troupe_supervisor_spec spec = {.backoff_min_ms = 1000, .children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 1, "-b xTROUPE_SHUTDOWN");
    expect(system, 2000, "");
    stop(system);
}

static void child_that_does_not_start_in_the_beginning_ends_the_supervisor(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {.intensity = 5, .children = children, .child_count = 3};
    start_failures[1] = 1;
    supervise(system, &spec);
    expect(system, 1, "+a !b -a xTROUPE_IO");
    assert_int_equal(restarts(system), 0);
    stop(system);
}

static void child_that_cannot_be_spawned_ends_the_supervisor(void **state)
{
    (void)state;
    troupe_system *system = start();
    static const troupe_supervisor_spec holder = {.name = "taken"};
    supervise(system, &holder);
    troupe_child_spec children[] = {child('a'), child('b')};
    children[0].options.name = "taken";
    const troupe_supervisor_spec first = {.children = children, .child_count = 2};
    supervise(system, &first);
    expect(system, 1, "xTROUPE_NAME_TAKEN");
    children[0].options.name = NULL;
    children[1].options.name = "taken";
    supervise(system, &first);
    expect(system, 1, "+a -a xTROUPE_NAME_TAKEN");
    stop(system);
}

static void start_that_fails_again_counts_as_a_restart(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    const troupe_supervisor_spec spec = {.intensity = 3, .children = children, .child_count = 2};
    supervise(system, &spec);
    expect(system, 1, "+a +b");
    start_failures[1] = 2;
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b !b !b +b");
    assert_int_equal(restarts(system), 3);
    start_failures[1] = 1;
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b -a xTROUPE_INTENSITY");
    stop(system);
}

static void start_that_fails_within_a_restart_of_all_begins_it_anew(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .intensity = 2, .children = children, .child_count = 3};
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    start_failures[1] = 1;
    order(system, 'c', TROUPE_IO);
    expect(system, 1, "-c -b -a +a !b -a +a +b +c");
    assert_int_equal(restarts(system), 2);
    stop(system);
}

static void deaf_child_is_killed_at_its_deadline(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[1].shutdown_ms = 5;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    assert_int_equal(troupe_send(system, refs[1], child_deafen), TROUPE_OK);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    uint64_t then_ms = troupe_now_ns(system) / 1000000;
    expect(system, 7, "-b -a xTROUPE_SHUTDOWN");
    assert_int_equal(stop_reasons[1], TROUPE_KILLED);
    assert_in_range(stop_ms[1] - then_ms, 5, 6);
    assert_int_equal(stop_reasons[0], TROUPE_SHUTDOWN);
    stop(system);
}

static void deadline_that_is_not_reached_kills_nobody(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 2 * TROUPE_SHUTDOWN_MS_DEFAULT, "-a xTROUPE_SHUTDOWN");
    assert_int_equal(stop_reasons[0], TROUPE_SHUTDOWN);
    stop(system);
}

static void system_stops_children_before_their_supervisor(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    supervise(system, &spec);
    expect(system, 1, "+a +b");
    stop(system);
    assert_string_equal(history, "-b -a");
}

/* Its memory is freed though it never ran; the address sanitizer sees to that. */
static void supervisor_that_never_ran_leaves_nothing(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    assert_false(troupe_ref_is_none(troupe_supervisor_start(system, &spec, NULL)));
    system->drain_ms = 0; /* not one step */
    stop(system);
    assert_string_equal(history, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siblings_that_fail_while_all_are_restarted_do_not_count),
        cmocka_unit_test(intensity_is_borne_and_one_more_is_not),
        cmocka_unit_test(restarts_leave_the_period_after_its_last_millisecond),
        cmocka_unit_test(no_intensity_bears_no_restart),
        cmocka_unit_test(backoff_doubles_to_its_ceiling_and_begins_anew_after_a_good_time),
        cmocka_unit_test(nobody_is_started_before_the_backoff_is_over),
        cmocka_unit_test(shutdown_does_not_wait_for_a_backoff),
        cmocka_unit_test(child_that_does_not_start_in_the_beginning_ends_the_supervisor),
        cmocka_unit_test(child_that_cannot_be_spawned_ends_the_supervisor),
        cmocka_unit_test(start_that_fails_again_counts_as_a_restart),
        cmocka_unit_test(start_that_fails_within_a_restart_of_all_begins_it_anew),
        cmocka_unit_test(deaf_child_is_killed_at_its_deadline),
        cmocka_unit_test(deadline_that_is_not_reached_kills_nobody),
        cmocka_unit_test(system_stops_children_before_their_supervisor),
        cmocka_unit_test(supervisor_that_never_ran_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/supervisor: who is started, restarted and stopped, and in which order. How often and when
 * is in core_supervisor_limits_test.c. One thread.
 */
#include "unit/core_children.h"

static void children_start_in_order_and_stop_in_reverse(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    const troupe_supervisor_spec spec = {.children = children, .child_count = 3};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 1, "-c -b -a xTROUPE_SHUTDOWN");
    assert_int_equal(stop_reasons[0], TROUPE_SHUTDOWN);
    stop(system);
}

static void supervisor_without_children_starts_and_stops(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_supervisor_spec spec = {.strategy = TROUPE_ONE_FOR_ALL};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "");
    troupe_shutdown(system, ref, TROUPE_OK);
    expect(system, 1, "xTROUPE_OK");
    stop(system);
}

static void each_strategy_restarts_whom_it_says(void **state)
{
    (void)state;
    static const char *const expected[] = {"-b +b", "-b -c -a +a +b +c", "-b -c +b +c"};
    for (uint32_t strategy = 0; strategy < 3; strategy++) {
        troupe_system *system = start();
        const troupe_child_spec children[] = {child('a'), child('b'), child('c')};
        const troupe_supervisor_spec spec = {
            .strategy = (troupe_strategy)strategy, .children = children, .child_count = 3};
        supervise(system, &spec);
        expect(system, 1, "+a +b +c");
        order(system, 'b', TROUPE_IO);
        expect(system, 1, expected[strategy]);
        assert_int_equal(stop_reasons[1], TROUPE_IO);
        assert_int_equal(restarts(system), 1);
        stop(system);
    }
}

/* As in OTP: all means all, also one that had ended normally, and rest_for_one the rest. */
static void restarting_all_brings_back_those_that_had_ended(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    children[0].restart = TROUPE_RESTART_TRANSIENT;
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .children = children, .child_count = 3};
    supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    assert_int_equal(troupe_send(system, refs[0], child_do, .ends = true), TROUPE_OK);
    expect(system, 1, "-a");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b -c +a +b +c");
    stop(system);
}

/* As in OTP: a temporary child is stopped with the others, and then forgotten. */
static void restarting_all_stops_temporary_children_for_good(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b'), child('c')};
    children[2].restart = TROUPE_RESTART_TEMPORARY;
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_ONE_FOR_ALL, .children = children, .child_count = 3};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b +c");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a -c -b +a +b");
    const troupe_child_spec again = child('c');
    assert_int_equal(troupe_supervisor_add(system, ref, &again), TROUPE_OK);
    expect(system, 1, "+c");
    stop(system);
}

static void restart_types_differ_by_how_the_child_ended(void **state)
{
    (void)state;
    static const struct {
        troupe_restart restart;
        troupe_status reason;
        const char *expected;
    } cases[] = {
        {TROUPE_RESTART_PERMANENT, TROUPE_OK, "-a +a"},
        {TROUPE_RESTART_PERMANENT, TROUPE_SHUTDOWN, "-a +a"},
        {TROUPE_RESTART_PERMANENT, TROUPE_FAILED, "-a +a"},
        {TROUPE_RESTART_TRANSIENT, TROUPE_OK, "-a"},
        {TROUPE_RESTART_TRANSIENT, TROUPE_SHUTDOWN, "-a"},
        {TROUPE_RESTART_TRANSIENT, TROUPE_FAILED, "-a +a"},
        {TROUPE_RESTART_TRANSIENT, TROUPE_KILLED, "-a +a"},
        {TROUPE_RESTART_TEMPORARY, TROUPE_OK, "-a"},
        {TROUPE_RESTART_TEMPORARY, TROUPE_SHUTDOWN, "-a"},
        {TROUPE_RESTART_TEMPORARY, TROUPE_FAILED, "-a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        troupe_system *system = start();
        troupe_child_spec children[] = {child('a')};
        children[0].restart = cases[i].restart;
        const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
        supervise(system, &spec);
        expect(system, 1, "+a");
        troupe_shutdown(system, refs[0], cases[i].reason);
        expect(system, 1, cases[i].expected);
        stop(system);
    }
}

static void forgotten_temporary_child_frees_its_id(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[0].restart = TROUPE_RESTART_TEMPORARY;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    assert_int_equal(troupe_supervisor_add(system, ref, &children[0]), TROUPE_OK);
    expect(system, 1, ""); /* its id is in use */
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a");
    assert_int_equal(troupe_supervisor_add(system, ref, &children[0]), TROUPE_OK);
    expect(system, 1, "+a");
    stop(system);
}

static void inner_supervisor_over_its_intensity_is_restarted_by_the_outer(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec inner_children[] = {child('b'), child('c')};
    const troupe_supervisor_spec inner = {.children = inner_children, .child_count = 2};
    const troupe_child_spec children[] = {child('a'), {.id = "inner", .supervisor = &inner}, child('d')};
    const troupe_supervisor_spec outer = {.children = children, .child_count = 3};
    troupe_ref ref = supervise(system, &outer);
    expect(system, 1, "+a +b +c +d");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b +b");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b -c +b +c");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 1, "-d -c -b -a xTROUPE_SHUTDOWN");
    stop(system);
}

/* The outer one waits for the inner one's children before it starts the next. */
static void failed_beginning_of_an_inner_supervisor_ends_the_outer(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec inner_children[] = {child('b'), child('c')};
    const troupe_supervisor_spec inner = {.children = inner_children, .child_count = 2};
    const troupe_child_spec children[] = {child('a'), {.id = "inner", .supervisor = &inner}, child('d')};
    const troupe_supervisor_spec outer = {.children = children, .child_count = 3};
    start_failures[2] = 1;
    supervise(system, &outer);
    expect(system, 1, "+a +b !c -b -a xTROUPE_IO");
    stop(system);
}

static void added_child_is_started_last_and_supervised(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {child('a'), child('b')};
    const troupe_supervisor_spec spec = {
        .strategy = TROUPE_REST_FOR_ONE, .children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    const troupe_child_spec added = child('c');
    assert_int_equal(troupe_supervisor_add(system, ref, &added), TROUPE_OK);
    expect(system, 1, "+a +b +c");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b -c +b +c");
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    expect(system, 1, "-c -b -a xTROUPE_SHUTDOWN");
    assert_int_equal(troupe_supervisor_add(system, ref, &added), TROUPE_NO_ACTOR);
    stop(system);
}

static void added_child_that_does_not_start_is_treated_by_its_type(void **state)
{
    (void)state;
    troupe_system *system = start();
    const troupe_supervisor_spec spec = {.intensity = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "");
    troupe_child_spec added = child('a');
    added.restart = TROUPE_RESTART_TEMPORARY;
    start_failures[0] = 1;
    assert_int_equal(troupe_supervisor_add(system, ref, &added), TROUPE_OK);
    expect(system, 1, "!a");
    added.restart = TROUPE_RESTART_PERMANENT;
    start_failures[0] = 2;
    assert_int_equal(troupe_supervisor_add(system, ref, &added), TROUPE_OK);
    expect(system, 1, "!a !a +a");
    stop(system);
}

static void child_added_to_whom_does_not_supervise_is_a_dead_letter(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a')};
    const troupe_spawn_options options = {.state = &states[0]};
    troupe_ref ref = troupe_spawn(system, &child_behaviour, &options);
    assert_int_equal(troupe_supervisor_add(system, ref, &children[0]), TROUPE_OK);
    expect(system, 1, "+a");
    stop(system);
}

static void child_that_ends_in_its_start_has_started(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    states[0].is_quick = true;
    children[0].restart = TROUPE_RESTART_TRANSIENT;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    supervise(system, &spec);
    expect(system, 1, "+a -a +b");
    assert_int_equal(restarts(system), 0);
    stop(system);
}

static void named_child_has_its_name_in_each_life(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a')};
    char name[] = "worker";
    children[0].options.name = name;
    const troupe_supervisor_spec spec = {.name = "boss", .children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    memset(name, 'x', sizeof name - 1); /* the spec was copied */
    expect(system, 1, "+a");
    assert_true(troupe_ref_equal(troupe_whereis(system, "boss"), ref));
    assert_true(troupe_ref_equal(troupe_whereis(system, "worker"), refs[0]));
    troupe_ref before = refs[0];
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a +a");
    assert_true(troupe_ref_equal(troupe_whereis(system, "worker"), refs[0]));
    assert_false(troupe_ref_equal(before, refs[0]));
    stop(system);
}

static troupe_status refusal_of(troupe_system *system, const troupe_supervisor_spec *spec)
{
    troupe_status status = TROUPE_OK;
    assert_true(troupe_ref_is_none(troupe_supervisor_start(system, spec, &status)));
    return status;
}

static void wrong_specs_are_refused(void **state)
{
    (void)state;
    troupe_system *system = start();
    static const troupe_supervisor_spec empty = {0};
    char id[TROUPE_CHILD_ID_LEN_MAX + 2];
    memset(id, 'i', sizeof id);
    id[TROUPE_CHILD_ID_LEN_MAX + 1] = '\0';
    const troupe_child_spec wrong[] = {
        {.id = NULL, .behaviour = &child_behaviour},
        {.id = "", .behaviour = &child_behaviour},
        {.id = id, .behaviour = &child_behaviour},
        {.id = "a"},
        {.id = "a", .behaviour = &child_behaviour, .supervisor = &empty},
        {.id = "a", .behaviour = &child_behaviour, .restart = (troupe_restart)3},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const troupe_supervisor_spec spec = {.children = &wrong[i], .child_count = 1};
        assert_int_equal(refusal_of(system, &spec), TROUPE_INVALID);
        troupe_ref ref = troupe_supervisor_start(system, &empty, NULL);
        assert_int_equal(troupe_supervisor_add(system, ref, &wrong[i]), TROUPE_INVALID);
    }
    id[TROUPE_CHILD_ID_LEN_MAX] = '\0';
    const troupe_child_spec longest = {
        .id = id, .behaviour = &child_behaviour, .options = {.state = &states[0]}};
    const troupe_supervisor_spec good = {
        .intensity = TROUPE_INTENSITY_MAX, .children = &longest, .child_count = 1};
    supervise(system, &good);
    const troupe_child_spec twins[] = {child('a'), child('a')};
    const troupe_supervisor_spec same_ids = {.children = twins, .child_count = 2};
    assert_int_equal(refusal_of(system, &same_ids), TROUPE_INVALID);
    const troupe_supervisor_spec others[] = {
        {.strategy = TROUPE_SIMPLE_ONE_FOR_ONE}, /* it has one pattern */
        {.strategy = (troupe_strategy)4},         {.intensity = TROUPE_INTENSITY_MAX + 1},
        {.intensity = 1, .intensity_none = true}, {.children = twins, .child_count = TROUPE_CHILDREN_MAX + 1},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(refusal_of(system, &others[i]), TROUPE_INVALID);
    stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_start_in_order_and_stop_in_reverse),
        cmocka_unit_test(supervisor_without_children_starts_and_stops),
        cmocka_unit_test(each_strategy_restarts_whom_it_says),
        cmocka_unit_test(restarting_all_brings_back_those_that_had_ended),
        cmocka_unit_test(restarting_all_stops_temporary_children_for_good),
        cmocka_unit_test(restart_types_differ_by_how_the_child_ended),
        cmocka_unit_test(forgotten_temporary_child_frees_its_id),
        cmocka_unit_test(inner_supervisor_over_its_intensity_is_restarted_by_the_outer),
        cmocka_unit_test(failed_beginning_of_an_inner_supervisor_ends_the_outer),
        cmocka_unit_test(added_child_is_started_last_and_supervised),
        cmocka_unit_test(added_child_that_does_not_start_is_treated_by_its_type),
        cmocka_unit_test(child_added_to_whom_does_not_supervise_is_a_dead_letter),
        cmocka_unit_test(child_that_ends_in_its_start_has_started),
        cmocka_unit_test(named_child_has_its_name_in_each_life),
        cmocka_unit_test(wrong_specs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

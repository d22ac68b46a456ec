/* SPDX-License-Identifier: MIT */
/*
 * The lives of one child: what it is told of those before, and what its supervisor keeps when the last one
 * has ended. In virtual time, on one thread.
 */
#include "core_children.h"

#define WAIT_MS 1000
#define PERIOD_MS 1000

/* How many children the supervisor knows, also those that are not live. */
static uint32_t known(troupe_system *system, troupe_ref supervisor)
{
    troupe_message *reply;
    assert_int_equal(troupe_call(system, supervisor, WAIT_MS, &reply, troupe_which_children), TROUPE_OK);
    uint32_t count = troupe_children_of(reply)->count;
    troupe_message_free(system, &reply);
    return count;
}

static void end_normally(troupe_system *system, char id)
{
    assert_int_equal(troupe_send(system, refs[id - 'a'], child_do, .status = TROUPE_OK, .ends = true),
                     TROUPE_OK);
}

static troupe_status add(troupe_system *system, troupe_ref supervisor, const troupe_child_spec *spec)
{
    troupe_ref who;
    return troupe_call_start_child(system, supervisor, spec, WAIT_MS, &who);
}

static void forgotten_child_is_restarted_when_it_fails_and_gone_when_it_ends(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    children[0].restart = TROUPE_RESTART_TRANSIENT;
    children[0].is_forgotten = true;
    children[1].restart = TROUPE_RESTART_TRANSIENT;
    const troupe_supervisor_spec spec = {.children = children, .child_count = 2};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a +b");
    order(system, 'a', TROUPE_IO);
    expect(system, 1, "-a +a");
    assert_int_equal(known(system, ref), 2);
    end_normally(system, 'a');
    end_normally(system, 'b');
    expect(system, 1, "-a -b");
    assert_int_equal(known(system, ref), 1); /* the other one's spec is kept */
    assert_int_equal(add(system, ref, &children[1]), TROUPE_NAME_TAKEN);
    assert_int_equal(add(system, ref, &children[0]), TROUPE_OK);
    expect(system, 1, "+a");
    assert_int_equal(known(system, ref), 2);
    stop(system);
}

static void forgotten_child_is_gone_when_it_is_terminated(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a')};
    children[0].is_forgotten = true; /* a permanent one too: what was asked for is no end by itself */
    const troupe_supervisor_spec spec = {.children = children, .child_count = 1};
    troupe_ref ref = supervise(system, &spec);
    expect(system, 1, "+a");
    troupe_message *reply;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_terminate_child, .id = "a"), TROUPE_OK);
    troupe_message_free(system, &reply);
    expect(system, 1, "-a");
    assert_int_equal(known(system, ref), 0);
    stop(system);
}

static void supervisor_of_forgotten_children_ends_with_the_last(void **state)
{
    (void)state;
    troupe_system *system = start();
    troupe_child_spec children[] = {child('a'), child('b')};
    for (int i = 0; i < 2; i++) {
        children[i].restart = TROUPE_RESTART_TRANSIENT;
        children[i].is_forgotten = children[i].is_significant = true;
    }
    const troupe_supervisor_spec spec = {
        .auto_shutdown = TROUPE_AUTO_SHUTDOWN_ALL, .children = children, .child_count = 2};
    supervise(system, &spec);
    expect(system, 1, "+a +b");
    end_normally(system, 'a');
    expect(system, 1, "-a");
    order(system, 'b', TROUPE_IO);
    expect(system, 1, "-b +b");
    end_normally(system, 'b');
    expect(system, 1, "-b xTROUPE_SHUTDOWN");
    stop(system);
}

static void id_may_be_as_long_as_a_name(void **state)
{
    (void)state;
    troupe_system *system = start();
    char id[TROUPE_NAME_LEN_MAX + 2];
    memset(id, 'i', sizeof id);
    id[TROUPE_NAME_LEN_MAX + 1] = '\0';
    const troupe_supervisor_spec spec = {.strategy = TROUPE_ONE_FOR_ONE};
    troupe_ref ref = supervise(system, &spec);
    troupe_child_spec named = child('a');
    named.id = id;
    assert_int_equal(add(system, ref, &named), TROUPE_INVALID);
    id[TROUPE_NAME_LEN_MAX] = '\0';
    assert_int_equal(add(system, ref, &named), TROUPE_OK);
    troupe_message *reply;
    assert_int_equal(troupe_call(system, ref, WAIT_MS, &reply, troupe_which_children), TROUPE_OK);
    uint32_t cursor = 0;
    troupe_child_entry entry;
    assert_true(troupe_children_next(reply, &cursor, &entry));
    assert_string_equal(entry.id, id);
    assert_false(troupe_children_next(reply, &cursor, &entry));
    troupe_message_free(system, &reply);
    stop(system);
}

/* --- what a life knows of those before --------------------------------------------------------- */

static uint32_t told[2]; /* troupe_restarts, troupe_restarts_in_row */

static troupe_status life_start(troupe_self *self)
{
    told[0] = troupe_restarts(self);
    told[1] = troupe_restarts_in_row(self);
    return TROUPE_OK;
}

static troupe_status life_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const child_do *order = child_do_of(message);
    return order == NULL ? TROUPE_UNEXPECTED : (troupe_status)order->status;
}

static void child_knows_how_often_it_was_restarted_and_how_often_in_a_row(void **state)
{
    static const troupe_behaviour life = {.name = "life", .start = life_start, .receive = life_receive};
    (void)state;
    troupe_system *system = start();
    const troupe_child_spec children[] = {
        {.id = "life", .behaviour = &life, .options = {.name = "life"}, .restart = TROUPE_RESTART_PERMANENT}};
    const troupe_supervisor_spec spec = {
        .intensity = 10, .period_ms = PERIOD_MS, .children = children, .child_count = 1};
    supervise(system, &spec);
    for (uint32_t i = 0; i < 3; i++) {
        troupe_sim_advance(system, 1);
        assert_int_equal(told[0], i);
        assert_int_equal(told[1], i);
        assert_int_equal(troupe_send(system, troupe_whereis(system, "life"), child_do, .status = TROUPE_IO),
                         TROUPE_OK);
    }
    troupe_sim_advance(system, PERIOD_MS + 1);
    assert_int_equal(troupe_send(system, troupe_whereis(system, "life"), child_do, .status = TROUPE_IO),
                     TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(told[0], 4);
    assert_int_equal(told[1], 1); /* it had been up for a period: a new row */
    told[0] = told[1] = 9;
    troupe_spawn(system, &life, NULL);
    troupe_sim_advance(system, 1);
    assert_int_equal(told[0] + told[1], 0); /* nobody supervises that one */
    stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgotten_child_is_restarted_when_it_fails_and_gone_when_it_ends),
        cmocka_unit_test(forgotten_child_is_gone_when_it_is_terminated),
        cmocka_unit_test(supervisor_of_forgotten_children_ends_with_the_last),
        cmocka_unit_test(id_may_be_as_long_as_a_name),
        cmocka_unit_test(child_knows_how_often_it_was_restarted_and_how_often_in_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

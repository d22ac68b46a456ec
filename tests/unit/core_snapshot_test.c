/* SPDX-License-Identifier: MIT */
/*
 * Facts about snapshots of the tree, in virtual time, where each figure is known exactly; with threads, what
 * only they have: workers that do not answer, and actors that may wait.
 */
#include <unistd.h>

#include "core/scheduler.h"
#include "core_probe.h"

enum {
    BOUND = 4,
    AGE_MS = 120,
    NS_PER_MS = 1000000,
    TEXT_SIZE = 16384,
};

TROUPE_MESSAGE_EMPTY(strange)

static struct probe first;
static struct probe second;

static troupe_snapshot *take(troupe_system *system)
{
    troupe_snapshot *snapshot = NULL;
    assert_int_equal(troupe_snapshot_take(system, &snapshot), TROUPE_OK);
    return snapshot;
}

/* The node of a ref, which must be there. */
static const troupe_snapshot_node *node_of(const troupe_snapshot *snapshot, troupe_ref ref)
{
    const troupe_snapshot_node *node = troupe_snapshot_find(snapshot, ref);
    assert_non_null(node);
    return node;
}

static troupe_status child_receive(troupe_self *self, const troupe_message *message)
{
    if (probe_value_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    return probe_value_of(message)->value == 0 ? troupe_fail(self, TROUPE_IO, "zero") : TROUPE_OK;
}

static const troupe_behaviour child = {.name = "teller", .receive = child_receive};

static const troupe_child_spec inner_children[] = {
    {.id = "deep", .behaviour = &child, .options = {.name = "deepest"}},
};
static const troupe_supervisor_spec inner = {.children = inner_children, .child_count = 1, .name = "inner"};
static const troupe_child_spec outer_children[] = {
    {.id = "one", .behaviour = &child, .options = {.name = "number one"}},
    {.id = "two", .supervisor = &inner},
    {.id = "three", .behaviour = &child},
};
static const troupe_supervisor_spec outer = {
    .children = outer_children, .child_count = 3, .name = "outer", .intensity = 5};

static void actors_stand_after_their_supervisors_in_the_order_of_the_tree(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    probe_spawn(system, &first, NULL);
    troupe_supervisor_start(system, &outer, NULL);
    settle(system);
    probe_spawn(system, &second, NULL);
    troupe_snapshot *snapshot = take(system);
    const struct {
        const char *child, *name, *behaviour;
        uint32_t parent, level;
    } expected[] = {
        {NULL, NULL, "probe", TROUPE_SNAPSHOT_NONE, 0},
        {NULL, "outer", "supervisor", TROUPE_SNAPSHOT_NONE, 0},
        {"one", "number one", "teller", 1, 1},
        {"two", "inner", "supervisor", 1, 1},
        {"deep", "deepest", "teller", 3, 2},
        {"three", NULL, "teller", 1, 1},
        {NULL, NULL, "probe", TROUPE_SNAPSHOT_NONE, 0},
    };
    assert_int_equal(snapshot->node_count, sizeof expected / sizeof expected[0]);
    assert_int_equal(snapshot->partial_count, 0);
    for (uint32_t i = 0; i < snapshot->node_count; i++) {
        const troupe_snapshot_node *node = &snapshot->nodes[i];
        assert_int_equal(node->parent, expected[i].parent);
        assert_int_equal(node->level, expected[i].level);
        assert_string_equal(node->behaviour, expected[i].behaviour);
        assert_string_equal(node->name == NULL ? "" : node->name,
                            expected[i].name == NULL ? "" : expected[i].name);
        assert_string_equal(node->child == NULL ? "" : node->child,
                            expected[i].child == NULL ? "" : expected[i].child);
        assert_int_equal(node->is_supervisor, strcmp(node->behaviour, "supervisor") == 0);
        assert_int_equal(node->state, TROUPE_ACTOR_RUNNING);
        assert_false(node->is_runnable);
    }
    assert_true(troupe_ref_equal(snapshot->nodes[4].ref, troupe_whereis(system, "deepest")));
    probe_system_stop(system);
    assert_string_equal(snapshot->nodes[3].name, "inner"); /* the memory is its own */
    troupe_snapshot_free(&snapshot);
    assert_null(snapshot);
    troupe_snapshot_free(&snapshot);
    troupe_snapshot_free(NULL);
}

static void system_without_actors_has_an_empty_snapshot(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(snapshot->node_count, 0);
    assert_null(troupe_snapshot_find(snapshot, troupe_ref_none()));
    troupe_snapshot_free(&snapshot);
    probe_system_stop(system);
}

static void actor_that_has_not_run_is_starting(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_ref ref = troupe_spawn(system, &child, NULL);
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(node_of(snapshot, ref)->state, TROUPE_ACTOR_STARTING);
    troupe_snapshot_free(&snapshot);
    probe_system_stop(system);
}

static troupe_snapshot *inside;

/* Sends three, lets time go by and looks, all in one turn: nothing is handled meanwhile. */
static troupe_status send_and_look(troupe_self *self)
{
    troupe_send(self, second.ref, probe_value, .value = 1);
    troupe_send(self, second.ref, probe_value, .value = 2, .envelope.message_class = TROUPE_CLASS_URGENT);
    troupe_send(self, second.ref, probe_value, .value = 3);
    env_sim_advance_to(self->context.system->env, troupe_now_ns(self) + AGE_MS * (uint64_t)NS_PER_MS);
    troupe_shutdown(self, second.ref, TROUPE_KILLED); /* in the system lane */
    inside = take(troupe_system_of(self));
    return TROUPE_OK;
}

static void waiting_messages_are_counted_by_class_and_their_age_is_known(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    probe_spawn(system, &second, NULL);
    probe_do(system, &first, send_and_look);
    const troupe_snapshot_node *node = node_of(inside, second.ref);
    assert_int_equal(node->depth, 3);
    assert_int_equal(node->depth_normal, 2);
    assert_int_equal(node->depth_urgent, 1);
    assert_int_equal(node->depth_system, 1);
    assert_int_equal(node->bytes, 3 * (sizeof(troupe_message) + sizeof(probe_value)));
    assert_in_range(node->oldest_ms, AGE_MS - 1, AGE_MS + 1);
    assert_true(node->is_runnable);
    assert_int_equal(node_of(inside, first.ref)->handled, 0); /* it is in its first message */
    assert_int_equal(node_of(inside, first.ref)->oldest_ms, 0);
    troupe_snapshot_free(&inside);
    probe_system_stop(system);
}

static void age_of_what_another_thread_left_is_known_too(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    troupe_send(system, first.ref, probe_value, .value = 1);
    env_sim_advance_to(system->env, troupe_now_ns(system) + AGE_MS * (uint64_t)NS_PER_MS);
    troupe_send(system, first.ref, probe_value, .value = 2);
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(node_of(snapshot, first.ref)->depth, 2);
    assert_in_range(node_of(snapshot, first.ref)->oldest_ms, AGE_MS - 1, AGE_MS + 1);
    troupe_snapshot_free(&snapshot);
    probe_system_stop(system);
}

/* A timer's notice is as old as its firing, a monitor's as the end, though their blocks are older. */
static troupe_status await_notices(troupe_self *self)
{
    uint64_t monitor;
    assert_int_equal(troupe_timer_start(self, AGE_MS, 0, 1, NULL), TROUPE_OK);
    return troupe_monitor(self, second.ref, &monitor);
}

static void age_of_a_notice_counts_from_what_it_tells(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    probe_spawn(system, &second, NULL);
    probe_do(system, &first, await_notices);
    env_sim_advance_to(system->env, troupe_now_ns(system) + 2 * AGE_MS * (uint64_t)NS_PER_MS);
    scheduler_housekeeping(system->workers[0]); /* the timer fires */
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(node_of(snapshot, first.ref)->depth_system, 1);
    assert_int_equal(node_of(snapshot, first.ref)->oldest_ms, 0);
    troupe_snapshot_free(&snapshot);
    settle(system);
    assert_int_equal(first.timeout_count, 1);
    probe_system_stop(system);
}

static void restarted_child_knows_how_often_and_why(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_supervisor_start(system, &outer, NULL);
    settle(system);
    for (int i = 0; i < 2; i++) {
        troupe_send(system, troupe_whereis(system, "number one"), probe_value, .value = 0);
        settle(system);
    }
    troupe_shutdown(system, troupe_whereis(system, "number one"), TROUPE_SHUTDOWN);
    settle(system);
    troupe_snapshot *snapshot = take(system);
    const troupe_snapshot_node *node = node_of(snapshot, troupe_whereis(system, "number one"));
    assert_int_equal(node->restarts, 3);
    assert_int_equal(node->failures, 2);
    assert_string_equal(node->child, "one");
    assert_int_equal(node_of(snapshot, troupe_whereis(system, "deepest"))->restarts, 0);
    troupe_snapshot_free(&snapshot);
    probe_system_stop(system);
}

static troupe_status keep_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    return probe_value_of(message) != NULL ? TROUPE_STASHED : TROUPE_UNEXPECTED;
}

static troupe_status no_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    return TROUPE_OK;
}

static troupe_status ask_twice(troupe_self *self)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(troupe_ask(self, second.ref, AGE_MS, no_answer, NULL, probe_question, .value = 1),
                         TROUPE_OK);
    return TROUPE_OK;
}

static void questions_stash_and_refusals_are_counted(void **state)
{
    (void)state;
    static const troupe_behaviour keeper = {.name = "keeper", .receive = keep_receive};
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    probe_spawn(system, &second, NULL);
    troupe_ref keeping = troupe_spawn(system, &keeper, NULL);
    for (int i = 0; i < 3; i++) {
        troupe_send(system, keeping, probe_value, .value = 1);
        troupe_send(system, keeping, strange);
    }
    probe_do(system, &first, ask_twice);
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(node_of(snapshot, keeping)->stash_len, 3);
    assert_int_equal(node_of(snapshot, keeping)->unexpected, 3);
    assert_int_equal(node_of(snapshot, first.ref)->asks, 2);
    troupe_snapshot_free(&snapshot);
    troupe_sim_advance(system, AGE_MS * 2);
    snapshot = take(system);
    assert_int_equal(node_of(snapshot, first.ref)->asks, 0);
    troupe_snapshot_free(&snapshot);
    troupe_shutdown(system, keeping, TROUPE_SHUTDOWN);
    probe_system_stop(system);
}

static troupe_status overfill(troupe_self *self)
{
    for (uint32_t i = 0; i <= BOUND; i++)
        assert_int_equal(troupe_send(self, second.ref, probe_value, .value = i), TROUPE_OK);
    return TROUPE_OK;
}

static troupe_status look_around(troupe_self *self, const troupe_message *message)
{
    if (inside == NULL && probe_value_of(message) != NULL)
        inside = take(troupe_system_of(self));
    return TROUPE_OK;
}

static void parked_actor_says_whom_it_waits_for(void **state)
{
    (void)state;
    static const troupe_behaviour looker = {.name = "looker", .receive = look_around};
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    second.ref = troupe_spawn(
        system, &looker, &(troupe_spawn_options){.mailbox_len_max = BOUND, .overflow = TROUPE_OVERFLOW_PARK});
    probe_do(system, &first, overfill);
    const troupe_snapshot_node *node = node_of(inside, first.ref);
    assert_int_equal(node->state, TROUPE_ACTOR_PARKED);
    assert_true(troupe_ref_equal(node->parked_on, second.ref));
    assert_false(node->is_runnable);
    assert_true(troupe_ref_is_none(node_of(inside, second.ref)->parked_on));
    assert_int_equal(node_of(inside, second.ref)->depth, BOUND);
    troupe_snapshot_free(&inside);
    troupe_snapshot *after = take(system);
    assert_int_equal(node_of(after, first.ref)->state, TROUPE_ACTOR_RUNNING);
    troupe_snapshot_free(&after);
    probe_system_stop(system);
}

static uint64_t hash_of_a_run(bool looks)
{
    troupe_system *system = probe_system(3);
    troupe_supervisor_start(system, &outer, NULL);
    probe_spawn(system, &first, NULL);
    for (int i = 0; i < 20; i++) {
        troupe_ref to = troupe_whereis(system, i % 2 == 0 ? "number one" : "deepest");
        troupe_send(system, to, probe_value, .value = (uint64_t)i % 7);
        if (looks) {
            troupe_snapshot *snapshot = take(system);
            troupe_snapshot_free(&snapshot);
        }
        troupe_sim_advance(system, 1);
    }
    uint64_t hash = troupe_sim_trace_hash(system);
    probe_system_stop(system);
    return hash;
}

static void simulated_run_goes_on_as_if_nobody_had_looked(void **state)
{
    (void)state;
    assert_int_equal(hash_of_a_run(true), hash_of_a_run(false));
}

static char *printed(const troupe_snapshot *snapshot, void (*print)(const troupe_snapshot *, FILE *))
{
    static char text[TEXT_SIZE];
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    print(snapshot, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void tree_is_printed_for_people_and_for_programs(void **state)
{
    (void)state;
    static const troupe_behaviour odd = {.name = "od\"d\x01\xff", .receive = child_receive};
    troupe_system *system = probe_system(1);
    troupe_supervisor_start(system, &outer, NULL);
    settle(system);
    troupe_ref ref = troupe_spawn(system, &odd, NULL);
    settle(system);
    troupe_send(system, ref, probe_value, .value = 1);
    troupe_snapshot *snapshot = take(system);
    assert_string_equal(
        printed(snapshot, troupe_snapshot_print),
        "outer (supervisor #1) running on 0, handled 3\n"
        "  number one (teller #2) running on 0\n"
        "  inner (supervisor #3) running on 0, handled 1\n"
        "    deepest (teller #4) running on 0\n"
        "  three (teller #5) running on 0\n"
        "od\\\"d\\u0001\\ufffd (od\\\"d\\u0001\\ufffd #6) running on 0, waiting 1, bytes 56\n");
    const char *json = printed(snapshot, troupe_snapshot_print_json);
    assert_non_null(strstr(json, "{\"at_ns\":"));
    assert_non_null(strstr(json, "\"parent\":null,\"name\":\"outer\",\"behaviour\":\"supervisor\""));
    assert_non_null(strstr(json, "\"parent\":2,\"name\":\"deepest\",\"child\":\"deep\","));
    assert_non_null(strstr(json, "\"behaviour\":\"od\\\"d\\u0001\\ufffd\",\"state\":\"running\""));
    assert_non_null(strstr(json, "\"depth\":1,\"depth_normal\":1,\"depth_urgent\":0"));
    troupe_snapshot_free(&snapshot);
    probe_system_stop(system);
}

/*
 * -- with threads -----------------------------------------------------------------------------------------
 */

static _Atomic bool is_blocked;
static _Atomic uint32_t status_inside;

static troupe_status block_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    if (probe_value_of(message)->value != 1)
        return TROUPE_OK;
    store_relaxed(&is_blocked, true);
    while (load_relaxed(&is_blocked))
        usleep(1000);
    return TROUPE_OK;
}

static void worker_that_does_not_answer_is_not_waited_for(void **state)
{
    (void)state;
    static const troupe_behaviour blocking = {.name = "blocking", .receive = block_receive};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 2}), TROUPE_OK);
    troupe_supervisor_start(system, &outer, NULL);
    troupe_ref ref =
        troupe_spawn(system, &blocking, &(troupe_spawn_options){.name = "stuck", .own_thread = true});
    troupe_send(system, ref, probe_value, .value = 1);
    troupe_send(system, ref, probe_value, .value = 2);
    troupe_counters counters = {0};
    while (!load_relaxed(&is_blocked) || counters.actors_spawned < 6) { /* until all children are there */
        usleep(100);
        troupe_system_counters(system, &counters);
    }
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(snapshot->partial_count, 1);
    assert_int_equal(snapshot->node_count, 6);
    const troupe_snapshot_node *node = node_of(snapshot, ref);
    assert_true(node->is_partial);
    assert_string_equal(node->behaviour, "blocking");
    assert_in_range(node->depth, 0, 1);
    assert_false(node_of(snapshot, troupe_whereis(system, "deepest"))->is_partial);
    troupe_snapshot_free(&snapshot);
    store_relaxed(&is_blocked, false);
    assert_int_equal(troupe_stop(&system), 0);
}

static troupe_status take_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    troupe_snapshot *snapshot = NULL;
    troupe_status status = troupe_snapshot_take(troupe_system_of(self), &snapshot);
    if (status == TROUPE_OK && (snapshot->partial_count != 0 || snapshot->node_count != 2))
        status = TROUPE_FAILED;
    troupe_snapshot_free(&snapshot);
    store_release(&status_inside, (uint32_t)status + 1);
    return TROUPE_OK;
}

static const troupe_behaviour taker = {.name = "taker", .receive = take_receive};

static troupe_status status_of_taking_inside(bool own_thread)
{
    troupe_system *system = NULL;
    store_relaxed(&status_inside, 0);
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    troupe_spawn(system, &child, NULL);
    troupe_ref ref = troupe_spawn(system, &taker, &(troupe_spawn_options){.own_thread = own_thread});
    troupe_send(system, ref, probe_value, .value = 1);
    while (load_acquire(&status_inside) == 0)
        usleep(100);
    assert_int_equal(troupe_stop(&system), 0);
    return (troupe_status)(load_relaxed(&status_inside) - 1);
}

static void only_actors_with_a_thread_of_their_own_may_wait_for_one(void **state)
{
    (void)state;
    assert_int_equal(status_of_taking_inside(false), TROUPE_IN_HANDLER);
    assert_int_equal(status_of_taking_inside(true), TROUPE_OK);
}

static void host_of_an_embedded_system_sees_it_between_steps(void **state)
{
    (void)state;
    troupe_system *system = NULL;
    uint64_t wait_ms;
    assert_int_equal(troupe_start(&system, &(troupe_options){.embedded = true}), TROUPE_OK);
    troupe_ref ref = troupe_spawn(system, &child, NULL);
    troupe_ref own = troupe_spawn(system, &child, &(troupe_spawn_options){.own_thread = true});
    troupe_snapshot *snapshot = take(system);
    assert_int_equal(node_of(snapshot, ref)->state, TROUPE_ACTOR_STARTING);
    assert_true(node_of(snapshot, own)->is_own_thread);
    assert_false(node_of(snapshot, own)->is_partial);
    troupe_snapshot_free(&snapshot);
    assert_int_equal(troupe_step(system, 10, &wait_ms), TROUPE_OK);
    snapshot = take(system);
    assert_int_equal(node_of(snapshot, ref)->state, TROUPE_ACTOR_RUNNING);
    troupe_snapshot_free(&snapshot);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_stand_after_their_supervisors_in_the_order_of_the_tree),
        cmocka_unit_test(system_without_actors_has_an_empty_snapshot),
        cmocka_unit_test(actor_that_has_not_run_is_starting),
        cmocka_unit_test(waiting_messages_are_counted_by_class_and_their_age_is_known),
        cmocka_unit_test(age_of_what_another_thread_left_is_known_too),
        cmocka_unit_test(age_of_a_notice_counts_from_what_it_tells),
        cmocka_unit_test(restarted_child_knows_how_often_and_why),
        cmocka_unit_test(questions_stash_and_refusals_are_counted),
        cmocka_unit_test(parked_actor_says_whom_it_waits_for),
        cmocka_unit_test(simulated_run_goes_on_as_if_nobody_had_looked),
        cmocka_unit_test(tree_is_printed_for_people_and_for_programs),
        cmocka_unit_test(worker_that_does_not_answer_is_not_waited_for),
        cmocka_unit_test(only_actors_with_a_thread_of_their_own_may_wait_for_one),
        cmocka_unit_test(host_of_an_embedded_system_sees_it_between_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

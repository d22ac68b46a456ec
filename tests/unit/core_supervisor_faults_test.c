/* SPDX-License-Identifier: MIT */
/*
 * Facts about supervision without memory: whichever allocation fails while a tree of supervisors starts,
 * restarts, takes in another child and stops, it is said by a status or is the end of somebody that a
 * supervisor hears of; the tree can be stopped with memory again; nobody is left behind, nothing leaks. See
 * core_faults.h for how. One thread.
 */
#include "core_faults.h"

enum {
    CHILDREN = 3,
};

static troupe_ref root;

static const char *const ids[CHILDREN] = {"a", "b", "c"};

static void child_blow(troupe_system *system, const char *name)
{
    troupe_ref ref = troupe_whereis(system, name);
    if (!troupe_ref_is_none(ref))
        fault_note_to(troupe_system_context(system), ref, 13);
    troupe_sim_advance(system, 1);
}

/* A supervisor of three named children and of a supervisor of one, through all that can happen to it. */
static void tree_live(troupe_system *system, troupe_strategy strategy)
{
    troupe_child_spec children[CHILDREN + 1];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = (troupe_child_spec){
            .id = ids[i],
            .behaviour = &fault_plain,
            .options = {.state = "", .name = ids[i], .group = "tree"},
        };
    static const troupe_child_spec leaf = {
        .id = "leaf", .behaviour = &fault_plain, .options = {.name = "leaf"}};
    static const troupe_supervisor_spec branch = {.children = &leaf, .child_count = 1};
    children[CHILDREN] = (troupe_child_spec){.id = "branch", .supervisor = &branch};
    const troupe_supervisor_spec spec = {.name = "root",
                                         .strategy = strategy,
                                         .intensity = 20,
                                         .backoff_min_ms = 5,
                                         .children = children,
                                         .child_count = CHILDREN + 1};
    troupe_status status;
    root = troupe_supervisor_start(system, &spec, &status);
    if (!done(status))
        return;
    troupe_sim_advance(system, 10);
    child_blow(system, "b");
    troupe_sim_advance(system, 100);
    child_blow(system, "leaf");
    child_blow(system, "leaf");
    const troupe_child_spec more = {.id = "d", .behaviour = &fault_plain, .options = {.name = "d"}};
    status = troupe_supervisor_add(system, root, &more);
    if (status != TROUPE_NO_ACTOR)
        (void)done(status);
    troupe_sim_advance(system, 100);
    child_blow(system, "d");
    (void)troupe_shutdown(system, root, TROUPE_SHUTDOWN);
}

static void finish(troupe_system *system)
{
    (void)troupe_shutdown(system, root, TROUPE_SHUTDOWN);
    troupe_sim_advance(system, FAULTS_SETTLE_MS);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.actors_spawned, counters.actors_ended);
    assert_int_equal(troupe_group_size(system, "tree"), 0);
    for (int i = 0; i < CHILDREN; i++)
        assert_true(troupe_ref_is_none(troupe_whereis(system, ids[i])));
}

static void one_for_one_run(troupe_system *system)
{
    tree_live(system, TROUPE_ONE_FOR_ONE);
}

static void one_for_all_run(troupe_system *system)
{
    tree_live(system, TROUPE_ONE_FOR_ALL);
}

static void rest_for_one_run(troupe_system *system)
{
    tree_live(system, TROUPE_REST_FOR_ONE);
}

/* What may be answered to a request, apart from that there was no memory for it. */
static bool was_done(troupe_status status)
{
    return status != TROUPE_NO_ACTOR && status != TROUPE_TIMEOUT && status != TROUPE_SHUTDOWN && done(status);
}

/* Equal children that are asked for one after the other, and questions about them. */
static void requests_run(troupe_system *system)
{
    static const troupe_child_spec pattern = {
        .id = "pattern", .behaviour = &fault_plain, .options = {.group = "tree"}, .shutdown_ms = 10};
    const troupe_supervisor_spec spec = {
        .name = "root", .strategy = TROUPE_SIMPLE_ONE_FOR_ONE, .children = &pattern, .child_count = 1};
    troupe_status status;
    root = troupe_supervisor_start(system, &spec, &status);
    if (!done(status))
        return;
    uint32_t started = 0;
    for (int i = 0; i < CHILDREN; i++) {
        troupe_ref ref = troupe_ref_none();
        bool is_up = was_done(troupe_call_start_child(system, root, NULL, 1000, &ref));
        assert_true(is_up != troupe_ref_is_none(ref));
        started += is_up;
    }
    troupe_message *reply = NULL;
    status = troupe_call(system, root, 1000, &reply, troupe_which_children);
    if (was_done(status)) {
        uint32_t cursor = 0;
        uint32_t count = 0;
        troupe_child_entry entry;
        while (troupe_children_next(reply, &cursor, &entry))
            count++;
        assert_true(count >= started);
    }
    troupe_message_free(system, &reply);
    (void)troupe_shutdown(system, root, TROUPE_SHUTDOWN);
}

static const struct fault_scenario one_for_one = {"one_for_one", one_for_one_run, finish, true};
static const struct fault_scenario one_for_all = {"one_for_all", one_for_all_run, finish, true};
static const struct fault_scenario rest_for_one = {"rest_for_one", rest_for_one_run, finish, true};
static const struct fault_scenario requests = {"requests", requests_run, finish, true};

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(one_for_one_without_memory_leaves_nobody, &one_for_one),
        FAULT_TEST(one_for_all_without_memory_leaves_nobody, &one_for_all),
        FAULT_TEST(rest_for_one_without_memory_leaves_nobody, &rest_for_one),
        FAULT_TEST(requests_without_memory_are_answered_so, &requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/snapshot_tree: sightings in any order come to stand as a tree, whatever they say of their
 * supervisors. Reports made by hand; no system. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/snapshot.h"

enum {
    DEEP = 20000, /* more than a stack would bear, if the walk used one */
};

static struct report report;

static void begin(void)
{
    memset(&report, 0, sizeof report);
    buffer_init(&report.sightings);
    buffer_init(&report.texts);
}

static void sight(uint64_t ref, uint64_t parent, uint64_t created)
{
    const struct sighting sighting = {.node = {.ref = {ref}, .created = created}, .parent = parent};
    assert_int_equal(buffer_append(&report.sightings, &sighting, sizeof sighting), TROUPE_OK);
}

static troupe_snapshot *build(void)
{
    troupe_snapshot *snapshot = NULL;
    assert_int_equal(snapshot_build(&report, 77, &snapshot), TROUPE_OK);
    report_done(&report);
    assert_int_equal(snapshot->at_ns, 77);
    return snapshot;
}

static void expect(const troupe_snapshot *snapshot, uint32_t index, uint64_t ref, uint32_t parent,
                   uint32_t level)
{
    assert_true(index < snapshot->node_count);
    assert_int_equal(snapshot->nodes[index].ref.bits, ref);
    assert_int_equal(snapshot->nodes[index].parent, parent);
    assert_int_equal(snapshot->nodes[index].level, level);
}

static void report_of_nobody_is_an_empty_snapshot(void **state)
{
    (void)state;
    begin();
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->node_count, 0);
    assert_null(troupe_snapshot_find(snapshot, (troupe_ref){1}));
    troupe_snapshot_free(&snapshot);
    assert_null(snapshot);
    troupe_snapshot_free(&snapshot);
    troupe_snapshot_free(NULL);
}

/* Ages are not in the order of the refs, and workers report in any order. */
static void children_stand_behind_their_supervisor_the_eldest_first(void **state)
{
    (void)state;
    begin();
    sight(10, 50, 6); /* a grandchild */
    sight(20, 0, 2);  /* another root */
    sight(30, 40, 5); /* the younger child */
    sight(40, 0, 1);  /* a root */
    sight(50, 40, 3); /* the elder child */
    sight(60, 20, 4);
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->node_count, 6);
    expect(snapshot, 0, 40, TROUPE_SNAPSHOT_NONE, 0);
    expect(snapshot, 1, 50, 0, 1);
    expect(snapshot, 2, 10, 1, 2);
    expect(snapshot, 3, 30, 0, 1);
    expect(snapshot, 4, 20, TROUPE_SNAPSHOT_NONE, 0);
    expect(snapshot, 5, 60, 4, 1);
    assert_ptr_equal(troupe_snapshot_find(snapshot, (troupe_ref){10}), &snapshot->nodes[2]);
    assert_null(troupe_snapshot_find(snapshot, (troupe_ref){11}));
    troupe_snapshot_free(&snapshot);
}

static void child_whose_supervisor_was_not_seen_is_a_root(void **state)
{
    (void)state;
    begin();
    sight(10, 99, 1);
    sight(20, 10, 2);
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->node_count, 2);
    expect(snapshot, 0, 10, TROUPE_SNAPSHOT_NONE, 0);
    expect(snapshot, 1, 20, 0, 1);
    troupe_snapshot_free(&snapshot);
}

/* What was read while it changed may say so; nobody may be lost for it, nor the walk go round for ever. */
static void supervisor_that_is_no_older_than_its_child_is_not_believed(void **state)
{
    (void)state;
    begin();
    sight(10, 10, 1); /* its own */
    sight(20, 30, 2); /* each other's */
    sight(30, 20, 3);
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->node_count, 3);
    expect(snapshot, 0, 10, TROUPE_SNAPSHOT_NONE, 0);
    expect(snapshot, 1, 20, TROUPE_SNAPSHOT_NONE, 0);
    expect(snapshot, 2, 30, 1, 1);
    troupe_snapshot_free(&snapshot);
}

static void tree_may_be_as_deep_as_it_is_large(void **state)
{
    (void)state;
    begin();
    for (uint64_t i = DEEP; i > 0; i--)
        sight(i, i - 1, i);
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->node_count, DEEP);
    for (uint32_t i = 0; i < DEEP; i++)
        expect(snapshot, i, i + 1, i == 0 ? TROUPE_SNAPSHOT_NONE : i - 1, i);
    troupe_snapshot_free(&snapshot);
}

static void texts_are_the_snapshots_own_and_partial_nodes_are_counted(void **state)
{
    (void)state;
    struct report one = {0};
    struct sighting named = {.node = {.ref = {10}, .created = 1, .is_partial = true}};
    begin();
    buffer_init(&one.sightings);
    buffer_init(&one.texts);
    assert_int_equal(buffer_append(&one.texts, "front\0desk", sizeof "front\0desk"), TROUPE_OK);
    named.name_at = 1;
    named.child_at = 1 + sizeof "front";
    assert_int_equal(buffer_append(&report.texts, "elsewhere", sizeof "elsewhere"), TROUPE_OK);
    report_copy(&report, &one, &named); /* its texts come to stand behind others */
    report_done(&one);
    sight(20, 10, 2);
    troupe_snapshot *snapshot = build();
    assert_int_equal(snapshot->partial_count, 1);
    assert_string_equal(snapshot->nodes[0].name, "front");
    assert_string_equal(snapshot->nodes[0].child, "desk");
    assert_null(snapshot->nodes[1].name);
    assert_null(snapshot->nodes[1].child);
    troupe_snapshot_free(&snapshot);
}

static void states_have_texts_and_so_has_what_is_none(void **state)
{
    (void)state;
    assert_string_equal(troupe_actor_state_text(TROUPE_ACTOR_STARTING), "starting");
    assert_string_equal(troupe_actor_state_text(TROUPE_ACTOR_RUNNING), "running");
    assert_string_equal(troupe_actor_state_text(TROUPE_ACTOR_PARKED), "parked");
    assert_string_equal(troupe_actor_state_text(TROUPE_ACTOR_ENDING), "ending");
    assert_string_equal(troupe_actor_state_text((troupe_actor_state)(TROUPE_ACTOR_ENDING + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_of_nobody_is_an_empty_snapshot),
        cmocka_unit_test(children_stand_behind_their_supervisor_the_eldest_first),
        cmocka_unit_test(child_whose_supervisor_was_not_seen_is_a_root),
        cmocka_unit_test(supervisor_that_is_no_older_than_its_child_is_not_believed),
        cmocka_unit_test(tree_may_be_as_deep_as_it_is_large),
        cmocka_unit_test(texts_are_the_snapshots_own_and_partial_nodes_are_counted),
        cmocka_unit_test(states_have_texts_and_so_has_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

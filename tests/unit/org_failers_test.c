/* SPDX-License-Identifier: MIT */
/*
 * org_failers_test.c: an escalation is never given to whoever failed the message, or an escalation of it, on
 * its way. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/name.h"
#include "support/org_team.h"

static const char *failers_of(const struct desk *desk)
{
    const struct org_message *list[1];
    assert_int_equal(org_role_list(desk->role, ORG_QUEUED, 0, list, 1), 1);
    return org_message_text(list[0], list[0]->accepted->by);
}

/* What ann failed, and of that an escalation that lea failed, is at the root now; its id there. */
static uint64_t escalate_twice(const char *root_holders)
{
    uint64_t id;
    desk_configure(&root, (struct org_configure){.seed = {3, 3}}, root_holders);
    uint64_t escalation = team_escalate(&id);
    team_fail(&lead, "lea", escalation, false);
    assert_int_equal(team_deliver(), 1);
    const struct org_message *list[1];
    assert_int_equal(org_role_list(root.role, ORG_QUEUED, 0, list, 1), 1);
    assert_string_equal(failers_of(&root), "lea\nann");
    return list[0]->id;
}

static void escalation_is_given_to_nobody_who_failed_on_its_way(void **state)
{
    (void)state;
    uint64_t higher = escalate_twice("ann lea ray");
    assert_true(desk_next(&root, "ann", 1) == 0);
    assert_true(desk_next(&root, "lea", 1) == 0);
    assert_true(desk_next(&root, "ray", 1) == higher);
    assert_false(org_role_view(root.role).has_alarm);
}

static void escalation_that_all_have_failed_raises_the_alarm_at_the_root(void **state)
{
    (void)state;
    (void)escalate_twice("ann lea");
    assert_true(desk_next(&root, "ann", 1) == 0);
    assert_true(desk_next(&root, "lea", 1) == 0);
    assert_true(org_role_view(root.role).has_alarm);
    desk_configure(&root, (struct org_configure){.seed = {3, 3}}, "ann lea ray");
    assert_false(org_role_view(root.role).has_alarm);
}

static void lapsed_escalation_is_reassigned_to_nobody_who_failed(void **state)
{
    (void)state;
    uint64_t higher = escalate_twice("ray ann lea rob");
    assert_true(desk_next(&root, "ray", 1) == higher);
    desk_wait(&root, ORG_LEASE_PERSON_MS);
    assert_string_equal(org_role_find(root.role, higher)->assigned, "rob");
}

static void the_last_who_failed_are_remembered_up_to_the_limit(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    team_fail(&team, "ann", id, false);
    for (int i = 1; i <= ORG_FAILERS_MAX; i++) { /* a circle, which no directory would configure */
        struct desk *desk = i % 2 == 1 ? &lead : &root;
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        desk_configure(desk, (struct org_configure){.supervisor = desk == &lead ? "root" : "team"}, name);
        assert_int_equal(team_deliver(), 1);
        assert_true(org_name_is_in("ann", failers_of(desk)));
        assert_int_equal(team_fail(desk, name, desk_next(desk, name, 1), false)->state, ORG_QUARANTINED);
    }
    const char *last = troupe_flat_text(desk_owed_last(&root, 1), desk_owed_last(&root, 1)->by);
    assert_int_equal(strncmp(last, "f16\nf15\n", 8), 0);
    assert_true(org_name_is_in("f1", last));
    assert_false(org_name_is_in("ann", last));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, team_open, team_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(escalation_is_given_to_nobody_who_failed_on_its_way),
        TEST(escalation_that_all_have_failed_raises_the_alarm_at_the_root),
        TEST(lapsed_escalation_is_reassigned_to_nobody_who_failed),
        TEST(the_last_who_failed_are_remembered_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

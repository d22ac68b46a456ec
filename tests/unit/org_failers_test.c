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
#include "support/org_desk.h"

/* A team of three roles under each other, and the one who sends. */
static struct desk team, lead, root, zoe;
static struct desk *const all[] = {&team, &lead, &root, &zoe};

static int open_desks(void **state)
{
    (void)state;
    desk_init(&team, "team/docs", 1);
    desk_init(&lead, "team", 2);
    desk_init(&root, "root", 3);
    desk_init(&zoe, "@zoe", 4);
    desk_configure(&team, (struct org_configure){.supervisor = "team", .seed = {1, 1}}, "ann ben cyd");
    desk_configure(&lead, (struct org_configure){.supervisor = "root", .seed = {2, 2}}, "lea lou");
    desk_configure(&root, (struct org_configure){.seed = {3, 3}}, "ray");
    desk_configure(&zoe, (struct org_configure){.seed = {4, 4}}, "zoe");
    return 0;
}

static int close_desks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        desk_done(all[i]);
    return 0;
}

static size_t deliver(void)
{
    return desks_deliver(all, sizeof(all) / sizeof(all[0]));
}

static uint64_t send_and_take(struct desk *desk, const char *holder)
{
    uint64_t id = desk_send(desk, "zoe", ORG_NORMAL, "work");
    assert_true(desk_next(desk, holder, 1) == id);
    return id;
}

static const struct org_answer *fail_it(struct desk *desk, const char *actor, uint64_t id, bool is_crash)
{
    return desk_about(desk, ORG_FAIL, actor,
                      (struct org_about){.id = id, .text = "it broke", .is_crash = is_crash});
}

static uint64_t escalate(uint64_t *ret_id)
{
    *ret_id = send_and_take(&team, "ann");
    assert_int_equal(fail_it(&team, "ann", *ret_id, false)->state, ORG_QUARANTINED);
    assert_int_equal(deliver(), 1);
    uint64_t escalation = desk_next(&lead, "lea", 1);
    assert_true(escalation != 0);
    return escalation;
}

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
    uint64_t escalation = escalate(&id);
    fail_it(&lead, "lea", escalation, false);
    assert_int_equal(deliver(), 1);
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
    uint64_t id = send_and_take(&team, "ann");
    fail_it(&team, "ann", id, false);
    for (int i = 1; i <= ORG_FAILERS_MAX; i++) { /* a circle, which no directory would configure */
        struct desk *desk = i % 2 == 1 ? &lead : &root;
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        desk_configure(desk, (struct org_configure){.supervisor = desk == &lead ? "root" : "team"}, name);
        assert_int_equal(deliver(), 1);
        assert_true(org_name_is_in("ann", failers_of(desk)));
        assert_int_equal(fail_it(desk, name, desk_next(desk, name, 1), false)->state, ORG_QUARANTINED);
    }
    const char *last = troupe_flat_text(desk_owed_last(&root, 1), desk_owed_last(&root, 1)->by);
    assert_int_equal(strncmp(last, "f16\nf15\n", 8), 0);
    assert_true(org_name_is_in("f1", last));
    assert_false(org_name_is_in("ann", last));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desks, close_desks)

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

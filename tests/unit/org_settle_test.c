/* SPDX-License-Identifier: MIT */
/*
 * org_settle_test.c: who decides about what failed where no supervisor does, how a role shows how it is set
 * up, and who may read it. One thread.
 */
#include "org_one_desk.h"

/* Docs, at the root or under the team, with a message that Ann failed. */
static uint64_t quarantined(const char *supervisor)
{
    desk_configure(&desk, (struct org_configure){.supervisor = supervisor}, "ann ben");
    uint64_t id = send("it fails");
    assert_true(desk_next(&desk, "ann", 1) == id);
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = id, .text = "no luck"});
    assert_int_equal(desk_state(&desk, id), ORG_QUARANTINED);
    return id;
}

static const struct org_answer *settle(const char *actor, bool is_administrator, uint64_t id)
{
    return desk_about(
        &desk, ORG_SETTLE, actor,
        (struct org_about){.id = id, .action = ORG_ACTION_DONE, .is_administrator = is_administrator});
}

static void at_the_root_whoever_is_in_the_succession_settles(void **state)
{
    (void)state;
    uint64_t id = quarantined(NULL);
    settle("zoe", false, id);
    expect_refusal(ORG_REFUSED_NOT_IN_SUCCESSION);
    assert_int_equal(settle("ben", false, id)->kind, ORG_ANSWER_OK);
    assert_int_equal(desk_state(&desk, id), ORG_DONE);
}

static void root_keeps_what_failed_under_an_alarm_until_it_is_settled(void **state)
{
    (void)state;
    uint64_t id = quarantined(NULL);
    struct org_about about = {.id = id, .action = ORG_ACTION_ESCALATE, .is_administrator = true};
    assert_int_equal(desk_counts(&desk).owed, 0);
    assert_true(org_role_view(desk.role).has_alarm);
    desk_about(&desk, ORG_SETTLE, "admin", about);
    expect_refusal(ORG_REFUSED_ACTION);
    about.action = ORG_ACTION_RETRY;
    desk_about(&desk, ORG_SETTLE, "admin", about);
    assert_int_equal(desk_state(&desk, id), ORG_QUEUED);
    assert_false(org_role_view(desk.role).has_alarm);
    assert_true(desk_about(&desk, ORG_SETTLE, "admin", about)->is_duplicate);
    assert_int_equal(desk.records, 0);
    about.action = ORG_ACTION_DONE;
    desk_about(&desk, ORG_SETTLE, "admin", about);
    expect_refusal(ORG_REFUSED_NOT_QUARANTINED);
    about.id++;
    desk_about(&desk, ORG_SETTLE, "admin", about);
    expect_refusal(ORG_REFUSED_UNKNOWN);
}

static void under_a_supervisor_its_holders_do_not_settle(void **state)
{
    (void)state;
    uint64_t id = quarantined("team");
    settle("ann", false, id);
    expect_refusal(ORG_REFUSED_SUPERVISED);
    assert_int_equal(desk_state(&desk, id), ORG_QUARANTINED);
}

static void an_administrator_settles_anywhere(void **state)
{
    (void)state;
    uint64_t id = quarantined("team");
    assert_int_equal(settle("zoe", true, id)->kind, ORG_ANSWER_OK);
    assert_int_equal(desk_state(&desk, id), ORG_DONE);
}

static void role_is_for_those_who_have_to_do_with_it_until_it_is_opened(void **state)
{
    (void)state;
    assert_false(org_role_view(desk.role).is_readable);
    desk_configure(&desk, (struct org_configure){.is_readable = true}, "ann ben");
    assert_int_equal(desk.records, 1);
    assert_true(org_role_view(desk.role).is_readable);
    desk_configure(&desk, (struct org_configure){.is_readable = true}, "ann ben");
    assert_true(desk.answer.is_duplicate);
    desk_configure(&desk, (struct org_configure){.is_readable = false}, "ann ben");
    assert_false(org_role_view(desk.role).is_readable);
}

static void view_of_a_role_has_the_defaults_put_in(void **state)
{
    (void)state;
    struct org_role_view view = org_role_view(desk.role);
    assert_int_equal(view.on_crash, ORG_ACTION_RETRY);
    assert_int_equal(view.on_lapse, ORG_ACTION_REASSIGN);
    assert_int_equal(view.on_fail, ORG_ACTION_ESCALATE);
    assert_int_equal(view.on_absent, ORG_ACTION_ESCALATE);
    assert_int_equal(view.on_overflow, ORG_ACTION_ESCALATE);
    assert_int_equal(view.refusals_max, ORG_REFUSALS_MAX);
    assert_int_equal(view.refusals_period_ms, ORG_REFUSALS_PERIOD_MS);
    assert_int_equal(view.failures_max, 5);
    assert_int_equal(view.failures_period_ms, ORG_DAY_MS);
    assert_int_equal(view.ageing_ms, 5 * ORG_DAY_MS);
    assert_int_equal(view.capacity, 20);
    desk_configure(&desk, (struct org_configure){.holder_kind = ORG_PROGRAM}, "bot");
    view = org_role_view(desk.role);
    assert_int_equal(view.failures_period_ms, 5 * ORG_MINUTE_MS);
    assert_int_equal(view.capacity, 1000);
    assert_int_equal(view.lease_ms, 10 * ORG_MINUTE_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(at_the_root_whoever_is_in_the_succession_settles),
        TEST(root_keeps_what_failed_under_an_alarm_until_it_is_settled),
        TEST(under_a_supervisor_its_holders_do_not_settle),
        TEST(an_administrator_settles_anywhere),
        TEST(role_is_for_those_who_have_to_do_with_it_until_it_is_opened),
        TEST(view_of_a_role_has_the_defaults_put_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

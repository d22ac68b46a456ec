/* SPDX-License-Identifier: MIT */
/*
 * Facts about commands that come twice, because whoever gave them was not told what came of them: they are
 * answered as before, and write nothing. One thread.
 */
#include "org_one_desk.h"

static uint64_t take(void)
{
    uint64_t id = send("work");
    assert_true(desk_next(&desk, "ann", 1) == id);
    return id;
}

/* The last command did nothing more, and was answered with this state. */
static void expect_repeated(enum org_state state)
{
    assert_int_equal(desk.answer.kind, ORG_ANSWER_OK);
    assert_true(desk.answer.is_duplicate);
    assert_int_equal(desk.answer.state, state);
    assert_int_equal(desk.records, 0);
}

static void failure_that_is_told_again_is_the_same_failure(void **state)
{
    (void)state;
    struct org_about about = {.id = take(), .text = "it broke", .is_crash = true};
    assert_int_equal(desk_about(&desk, ORG_FAIL, "ann", about)->state, ORG_PARKED);
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_repeated(ORG_PARKED);
    desk_about(&desk, ORG_FAIL, "ben", about); /* somebody else's is another one, */
    expect_refusal(ORG_REFUSED_NOT_HELD);
    about.is_crash = false; /* and so is one of another kind */
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
}

static void failure_of_what_was_taken_again_is_a_new_one(void **state)
{
    (void)state;
    struct org_about about = {.id = take(), .text = "it broke", .is_crash = true};
    desk_about(&desk, ORG_FAIL, "ann", about);
    desk_wait(&desk, ORG_HOUR_MS);
    assert_true(desk_next(&desk, "ann", 1) == about.id);
    desk_about(&desk, ORG_FAIL, "ann", about);
    assert_false(desk.answer.is_duplicate);
    assert_int_equal(org_role_find(desk.role, about.id)->attempts, 2);
}

static void quarantine_is_not_entered_twice(void **state)
{
    (void)state;
    struct org_about about = {.id = take(), .text = "it broke"};
    assert_int_equal(desk_about(&desk, ORG_FAIL, "ann", about)->state, ORG_QUARANTINED);
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_repeated(ORG_QUARANTINED);
}

static void failure_that_declines_is_recognised_too(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.on_fail = ORG_ACTION_DECLINE}, "ann ben");
    struct org_about about = {.id = take(), .text = "it broke"};
    assert_int_equal(desk_about(&desk, ORG_FAIL, "ann", about)->state, ORG_DECLINED);
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_repeated(ORG_DECLINED);
    about.text = "it broke otherwise";
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_refusal(ORG_REFUSED_ENDED);
}

static void deferral_that_is_told_again_is_the_same_deferral(void **state)
{
    (void)state;
    struct org_about about = {.id = take(), .until = desk.now_ms + ORG_HOUR_MS};
    assert_int_equal(desk_about(&desk, ORG_DEFER, "ann", about)->state, ORG_PARKED);
    desk_about(&desk, ORG_DEFER, "ann", about);
    expect_repeated(ORG_PARKED);
    about.until++; /* to another time it is not */
    desk_about(&desk, ORG_DEFER, "ann", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
    about.until = 0; /* nor to none */
    desk_about(&desk, ORG_DEFER, "ann", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
}

static void deferral_until_another_ends_is_recognised_by_that_one(void **state)
{
    (void)state;
    struct org_about about = {.id = take()};
    about.awaits = send("before that");
    assert_int_equal(desk_about(&desk, ORG_DEFER, "ann", about)->state, ORG_PARKED);
    desk_about(&desk, ORG_DEFER, "ann", about);
    expect_repeated(ORG_PARKED);
    about.awaits = send("something else");
    desk_about(&desk, ORG_DEFER, "ann", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
}

static void settlement_that_is_told_again_is_the_same(void **state)
{
    (void)state;
    static const struct {
        enum org_action action;
        enum org_state state;
    } cases[] = {{ORG_ACTION_RETRY, ORG_QUEUED},
                 {ORG_ACTION_REASSIGN, ORG_QUEUED},
                 {ORG_ACTION_DONE, ORG_DONE},
                 {ORG_ACTION_DECLINE, ORG_DECLINED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct org_about about = {.id = take(), .text = "it broke"};
        desk_about(&desk, ORG_FAIL, "ann", about);
        about.action = cases[i].action;
        about.is_administrator = true;
        assert_int_equal(desk_about(&desk, ORG_SETTLE, "admin", about)->state, cases[i].state);
        desk_about(&desk, ORG_SETTLE, "admin", about);
        expect_repeated(cases[i].state);
        if (cases[i].state == ORG_QUEUED) { /* out of the way of the next case */
            desk_next(&desk, "ann", 1);
            desk_next(&desk, "ben", 1);
            about.text = "done";
            desk_about(&desk, ORG_FINISH, org_role_find(desk.role, about.id)->holder, about);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failure_that_is_told_again_is_the_same_failure),
        TEST(failure_of_what_was_taken_again_is_a_new_one),
        TEST(quarantine_is_not_entered_twice),
        TEST(failure_that_declines_is_recognised_too),
        TEST(deferral_that_is_told_again_is_the_same_deferral),
        TEST(deferral_until_another_ends_is_recognised_by_that_one),
        TEST(settlement_that_is_told_again_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

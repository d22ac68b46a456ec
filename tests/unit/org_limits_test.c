/* SPDX-License-Identifier: MIT */
/*
 * Facts about limits of limits.h at their edges, of a role: those that no rule's own test stands at. One
 * thread.
 */
#include <string.h>

#include "org_one_desk.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

static void attachments_end_at_their_limit(void **state)
{
    (void)state;
    char text[ORG_ATTACHMENTS_LEN_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[ORG_ATTACHMENTS_LEN_MAX] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.attachments = text}) != 0);
    text[ORG_ATTACHMENTS_LEN_MAX] = 'x';
    text[ORG_ATTACHMENTS_LEN_MAX + 1] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.attachments = text}) == 0);
    expect_refusal(ORG_REFUSED_TOO_LARGE);
}

/* What was forwarded was accepted before and is not pushed out. Whether what came before so many of it is. */
static bool is_pushed_out_behind(int forwarded)
{
    struct desk other;
    struct desk *const both[] = {&other, &desk};
    struct org_configure configure = {.capacity = (uint32_t)forwarded + 1, .overflow = ORG_OVERFLOW_SHED};
    desk_open(&other, "other", 2, "ann");
    desk_done(&desk);
    desk_open(&desk, "docs", 1, "ann");
    desk_configure(&desk, configure, "ann");
    uint64_t bulk = desk_send(&desk, "zoe", ORG_BULK, "may be pushed out");
    for (int i = 0; i < forwarded; i++) {
        uint64_t id = desk_send(&other, "zoe", ORG_BULK, "elsewhere");
        assert_true(desk_next(&other, "ann", 1) == id);
        desk_about(&other, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "docs"});
    }
    desks_deliver(both, 2);
    assert_int_equal(desk_counts(&desk).occupied, forwarded + 1);
    bool is_accepted = desk_send(&desk, "zoe", ORG_NORMAL, "pushes") != 0;
    assert_int_equal(desk_state(&desk, bulk), is_accepted ? ORG_SHED : ORG_QUEUED);
    desk_done(&other);
    return is_accepted;
}

static void as_many_are_looked_at_for_one_to_push_out_as_the_limit_says(void **state)
{
    (void)state;
    assert_true(is_pushed_out_behind(ORG_SHED_LOOK_MAX - 1));
    assert_false(is_pushed_out_behind(ORG_SHED_LOOK_MAX));
}

static size_t lines_of(const char *text)
{
    size_t count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

static void notice_lists_so_many_of_those_that_wait(void **state)
{
    (void)state;
    char subject[ORG_SUBJECT_LEN_MAX + 1];
    memset(subject, 's', ORG_SUBJECT_LEN_MAX);
    subject[ORG_SUBJECT_LEN_MAX] = '\0';
    desk_configure(&desk, (struct org_configure){.supervisor = "team", .capacity = 100}, "ann");
    for (int i = 0; i < ORG_NOTICE_LIST_MAX; i++)
        send(subject);
    desk_present(&desk, "ann", false);
    desk_wait(&desk, 0);
    const org_sent *notice = desk_owed(&desk);
    assert_int_equal(lines_of(owed_text(notice, notice->body)), ORG_NOTICE_LIST_MAX);
    desk_present(&desk, "ann", true);
    send(subject);
    desk_present(&desk, "ann", false);
    desk_wait(&desk, 0);
    notice = desk_owed_last(&desk, 2);
    assert_int_equal(lines_of(owed_text(notice, notice->body)), ORG_NOTICE_LIST_MAX);
}

/* Lets so many messages fail, the last one `ms` after the first; whether that is told one higher. */
static bool is_too_much(struct desk *const *desks, int count, int64_t ms)
{
    struct desk *team = desks[1];
    uint64_t before = desk_counts(team).owed;
    for (int i = 0; i < count; i++) {
        if (i == count - 1) {
            desk_wait(team, ms);
            desk_wait(&desk, ms);
        }
        uint64_t id = send("work");
        assert_true(desk_next(&desk, "ann", 1) == id);
        desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = id, .text = "no"});
        desks_deliver(desks, 2);
    }
    desk_wait(team, 0);
    return desk_counts(team).owed > before;
}

static void failures_of_people_count_over_a_day_and_those_of_programs_over_minutes(void **state)
{
    (void)state;
    static const struct {
        enum org_holder_kind kind;
        int64_t period_ms;
    } cases[] = {{ORG_PERSON, ORG_FAILURES_PERIOD_PERSON_MS}, {ORG_PROGRAM, ORG_FAILURES_PERIOD_PROGRAM_MS}};
    for (size_t i = 0; i < 2; i++) {
        struct desk team;
        struct desk *const both[] = {&desk, &team};
        desk_open(&team, "team", 2, "lea");
        desk_done(&desk);
        desk_open(&desk, "docs", 1, "ann");
        desk_configure(&team, (struct org_configure){.supervisor = "root"}, "lea");
        desk_configure(&desk,
                       (struct org_configure){
                           .supervisor = "team", .holder_kind = cases[i].kind, .on_fail = ORG_ACTION_DECLINE},
                       "ann");
        assert_false(is_too_much(both, ORG_FAILURES_MAX + 1, cases[i].period_ms));
        desk_wait(&team, cases[i].period_ms);
        desk_wait(&desk, cases[i].period_ms);
        assert_false(is_too_much(both, ORG_FAILURES_MAX, 0));
        assert_true(is_too_much(both, 1, cases[i].period_ms - 1));
        desk_done(&team);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attachments_end_at_their_limit),
        TEST(as_many_are_looked_at_for_one_to_push_out_as_the_limit_says),
        TEST(notice_lists_so_many_of_those_that_wait),
        TEST(failures_of_people_count_over_a_day_and_those_of_programs_over_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about how a holder lets a message go: commands that name since when it is held, what is kept of how a
 * program died, what its supervisor gets to see of that, and what is kept by somebody who then leaves. One
 * thread.
 */
#include <string.h>

#include "org_one_desk.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

static uint64_t take(void)
{
    uint64_t id = send("work");
    assert_true(desk_next(&desk, "ann", 1) == id);
    return id;
}

static int64_t since(uint64_t id)
{
    return org_role_find(desk.role, id)->held_since;
}

static struct org_about crash_of(uint64_t id)
{
    return (struct org_about){.id = id,
                              .held_since = since(id),
                              .text = "exit status 3",
                              .is_crash = true,
                              .exit_status = 3,
                              .output = "line 1\nline 2"};
}

/* Says it once and once more: the second time nothing happens and the answer is the same. */
static void say_twice(enum org_command_kind kind, struct org_about about, enum org_state state)
{
    desk_about(&desk, kind, "ann", about);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_OK);
    assert_int_equal(desk.answer.state, state);
    assert_false(desk.answer.is_duplicate);
    assert_true(desk.records > 0);
    desk_about(&desk, kind, "ann", about);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_OK);
    assert_int_equal(desk.answer.state, state);
    assert_true(desk.answer.is_duplicate);
    assert_int_equal(desk.records, 0);
}

static void every_end_may_be_repeated_when_it_names_the_hold(void **state)
{
    (void)state;
    uint64_t id = take();
    say_twice(ORG_FINISH, (struct org_about){.id = id, .held_since = since(id), .text = "yes"}, ORG_DONE);
    id = take();
    say_twice(ORG_DECLINE, (struct org_about){.id = id, .held_since = since(id), .text = "no"}, ORG_DECLINED);
    id = take();
    say_twice(ORG_DEFER, (struct org_about){.id = id, .held_since = since(id), .after_ms = ORG_HOUR_MS},
              ORG_PARKED);
    id = take();
    say_twice(ORG_FAIL, (struct org_about){.id = id, .held_since = since(id), .text = "no key"},
              ORG_QUARANTINED);
    id = take();
    say_twice(ORG_FAIL, crash_of(id), ORG_PARKED);
}

static void failing_by_a_rule_that_declines_may_be_repeated(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.on_crash = ORG_ACTION_DECLINE}, "ann ben");
    uint64_t id = take();
    say_twice(ORG_FAIL, crash_of(id), ORG_DECLINED);
}

static void what_differs_is_no_repetition(void **state)
{
    (void)state;
    uint64_t id = take();
    struct org_about about = {.id = id, .held_since = since(id), .after_ms = ORG_HOUR_MS};
    desk_about(&desk, ORG_DEFER, "ann", about);
    struct org_about others[] = {about, about, about, about};
    others[0].after_ms++;
    others[1].text = "because";
    others[2].held_since++;
    others[3].awaits = id + 1;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        desk_about(&desk, ORG_DEFER, "ann", others[i]);
        expect_refusal(ORG_REFUSED_NOT_HELD);
    }
    desk_about(&desk, ORG_DEFER, "ben", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
}

static void a_crash_and_a_failure_with_the_same_reason_differ(void **state)
{
    (void)state;
    uint64_t id = take();
    struct org_about about = {.id = id, .held_since = since(id), .text = "it broke", .is_crash = true};
    desk_about(&desk, ORG_FAIL, "ann", about);
    about.is_crash = false;
    desk_about(&desk, ORG_FAIL, "ann", about);
    expect_refusal(ORG_REFUSED_NOT_HELD);
}

/*
 * As when the answer to a failure was lost, and the message is back in the same hands before it comes again.
 */
static void a_repeated_failure_counts_once_although_the_message_was_taken_again(void **state)
{
    (void)state;
    uint64_t id = take();
    struct org_about about = crash_of(id);
    desk_about(&desk, ORG_FAIL, "ann", about);
    desk_wait(&desk, ORG_BACKOFF_FIRST_MS);
    assert_true(desk_next(&desk, "ann", 1) == id);
    desk_about(&desk, ORG_FAIL, "ann", about);
    assert_true(desk.answer.is_duplicate);
    assert_int_equal(desk_state(&desk, id), ORG_HELD);
    assert_int_equal(org_role_find(desk.role, id)->attempts, 1);
}

static void a_hold_that_is_over_does_nothing_to_the_next_one(void **state)
{
    (void)state;
    uint64_t id = take();
    int64_t first = since(id);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .after_ms = ORG_HOUR_MS});
    desk_wait(&desk, ORG_HOUR_MS);
    assert_true(desk_next(&desk, "ann", 1) == id);
    static const enum org_command_kind kinds[] = {ORG_FINISH, ORG_DECLINE, ORG_FAIL, ORG_DEFER, ORG_RENEW};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        desk_about(&desk, kinds[i], "ann",
                   (struct org_about){.id = id, .held_since = first, .text = "late", .after_ms = 1});
        expect_refusal(ORG_REFUSED_HELD_ANEW);
    }
    desk_about(&desk, ORG_FINISH, "ann", (struct org_about){.id = id, .held_since = since(id)});
    assert_int_equal(desk_state(&desk, id), ORG_DONE);
}

/* The last record of the type in the desk's journal. */
static const org_let_go *last_let_go(void)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(&desk.journal);
    const org_let_go *found = NULL;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        if (record.type == org_let_go_type.id)
            found = record.body;
    }
    assert_non_null(found);
    return found;
}

static void how_a_program_died_is_kept(void **state)
{
    (void)state;
    uint64_t id = take();
    desk_about(&desk, ORG_FAIL, "ann", crash_of(id));
    const org_let_go *kept = last_let_go();
    assert_int_equal(kept->id, id);
    assert_int_equal(kept->exit_status, 3);
    assert_string_equal(troupe_flat_text(kept, kept->output), "line 1\nline 2");
    assert_string_equal(troupe_flat_text(kept, kept->signal), "");
    assert_string_equal(troupe_flat_text(kept, kept->by), "ann");
    desk_wait(&desk, ORG_BACKOFF_FIRST_MS);
    desk_next(&desk, "ann", 1);
    struct org_about about = {.id = id, .text = "killed", .is_crash = true, .signal = "SIGSEGV"};
    desk_about(&desk, ORG_FAIL, "ann", about);
    kept = last_let_go();
    assert_int_equal(kept->exit_status, 0);
    assert_string_equal(troupe_flat_text(kept, kept->signal), "SIGSEGV");
}

static void the_supervisor_reads_the_last_lines_below_the_reason(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.supervisor = "team", .on_crash = ORG_ACTION_ESCALATE},
                   "ann ben");
    desk_about(&desk, ORG_FAIL, "ann", crash_of(take()));
    assert_int_equal(desk.answer.state, ORG_QUARANTINED);
    const org_sent *sent = desk_owed(&desk);
    assert_string_equal(owed_text(sent, sent->note), "exit status 3\n\nline 1\nline 2");
}

static void how_a_program_died_has_limits_and_goes_with_a_crash_only(void **state)
{
    (void)state;
    uint64_t id = take();
    static char reason[ORG_REASON_LEN_MAX + 1], output[ORG_OUTPUT_LEN_MAX + 2], name[ORG_SIGNAL_LEN_MAX + 2];
    memset(reason, 'r', ORG_REASON_LEN_MAX);
    memset(output, 'x', ORG_OUTPUT_LEN_MAX + 1);
    memset(name, 'S', ORG_SIGNAL_LEN_MAX + 1);
    const struct org_about refused[] = {
        {.id = id, .exit_status = 1},
        {.id = id, .signal = "SIGTERM"},
        {.id = id, .output = "line"},
        {.id = id, .is_crash = true, .exit_status = ORG_EXIT_STATUS_MAX + 1},
        {.id = id, .is_crash = true, .signal = "two\nlines"},
        {.id = id, .is_crash = true, .output = "\x1b[2J"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        desk_about(&desk, ORG_FAIL, "ann", refused[i]);
        expect_refusal(ORG_REFUSED_MALFORMED);
    }
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = id, .is_crash = true, .output = output});
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = id, .is_crash = true, .signal = name});
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    output[ORG_OUTPUT_LEN_MAX] = '\0';
    name[ORG_SIGNAL_LEN_MAX] = '\0';
    desk_configure(&desk, (struct org_configure){.supervisor = "team", .on_crash = ORG_ACTION_ESCALATE},
                   "ann ben");
    desk_about(&desk, ORG_FAIL, "ann",
               (struct org_about){.id = id,
                                  .text = reason,
                                  .is_crash = true,
                                  .exit_status = ORG_EXIT_STATUS_MAX,
                                  .signal = name,
                                  .output = output});
    assert_int_equal(desk.answer.state, ORG_QUARANTINED);
    const org_sent *sent = desk_owed(&desk);
    assert_int_equal(strlen(owed_text(sent, sent->note)), ORG_REASON_LEN_MAX + 2 + ORG_OUTPUT_LEN_MAX);
}

static void what_somebody_kept_is_the_next_ones_when_they_leave_the_succession(void **state)
{
    (void)state;
    uint64_t kept = take();
    uint64_t later = send("not before tomorrow");
    assert_true(desk_next(&desk, "ann", 2) == later);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = later, .after_ms = ORG_DAY_MS});
    struct org_command away = {.kind = ORG_PRESENT,
                               .who = {"ann", NULL},
                               .present = {.actor = "ann", .keeps = &kept, .keep_count = 1}};
    desk_do(&desk, &away);
    desk_configure(&desk, (struct org_configure){.ageing_ms = ORG_DAY_MS}, "ann ben");
    assert_int_equal(desk_state(&desk, kept), ORG_PARKED); /* she is still in it */
    desk_configure(&desk, (struct org_configure){.ageing_ms = ORG_DAY_MS}, "ben");
    assert_int_equal(desk_state(&desk, kept), ORG_QUEUED);
    assert_int_equal(desk_state(&desk, later), ORG_PARKED); /* what was put off is the role's anyhow */
    assert_true(desk_next(&desk, "ben", 1) == kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_end_may_be_repeated_when_it_names_the_hold),
        TEST(failing_by_a_rule_that_declines_may_be_repeated),
        TEST(what_differs_is_no_repetition),
        TEST(a_crash_and_a_failure_with_the_same_reason_differ),
        TEST(a_repeated_failure_counts_once_although_the_message_was_taken_again),
        TEST(a_hold_that_is_over_does_nothing_to_the_next_one),
        TEST(how_a_program_died_is_kept),
        TEST(the_supervisor_reads_the_last_lines_below_the_reason),
        TEST(how_a_program_died_has_limits_and_goes_with_a_crash_only),
        TEST(what_somebody_kept_is_the_next_ones_when_they_leave_the_succession),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

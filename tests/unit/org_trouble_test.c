/* SPDX-License-Identifier: MIT */
/*
 * Trouble of a role as a whole, escalations on their way up, absence with messages kept, waiting for another
 * message, hand-over notes, and leases in working hours. Desks check every invariant after each command. One
 * thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/org_desk.h"

/* The team's role, its lead's, and the root. */
static struct desk team;
static struct desk lead;
static struct desk root;
static struct desk *const desks[] = {&team, &lead, &root};

static int set_up(void **state)
{
    (void)state;
    desk_init(&team, "team/docs", 1);
    desk_init(&lead, "team", 2);
    desk_init(&root, "root", 3);
    desk_configure(&team, (struct org_configure){.supervisor = "team", .seed = {1, 1}}, "ann ben");
    desk_configure(&lead, (struct org_configure){.supervisor = "root", .seed = {1, 2}}, "lea lou");
    desk_configure(&root, (struct org_configure){.seed = {1, 3}}, "ray");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        desk_done(desks[i]);
    return 0;
}

/* Everything that is due is done, and everything that is owed arrives. */
static void settle(void)
{
    do {
        for (size_t i = 0; i < 3; i++)
            desk_wait(desks[i], 0);
    } while (desks_deliver(desks, 3) > 0);
}

static void pass(int64_t ms)
{
    for (size_t i = 0; i < 3; i++)
        desk_wait(desks[i], ms);
}

static void expect_refusal(const struct desk *desk, enum org_refusal refusal)
{
    assert_int_equal(desk->answer.kind, ORG_ANSWER_REFUSED);
    assert_int_equal(desk->answer.refusal, refusal);
}

/* The only message that waits at a desk. */
static const struct org_message *only_queued(const struct desk *desk)
{
    const struct org_message *message;
    assert_int_equal(desk_counts(desk).queued, 1);
    assert_int_equal(org_role_list(desk->role, ORG_QUEUED, desk->now_ms, &message, 1), 1);
    return message;
}

static const char *subject_of(const struct org_message *message)
{
    return org_message_text(message, message->accepted->subject);
}

/* Sends to the team, takes it as `actor` and says that it failed. */
static uint64_t fail_one(const char *actor, bool is_crash)
{
    uint64_t id = desk_send(&team, "zoe", ORG_NORMAL, "work");
    assert_true(desk_next(&team, actor, 1) == id);
    desk_about(&team, ORG_FAIL, actor, (struct org_about){.id = id, .text = "no", .is_crash = is_crash});
    return id;
}

/* --- absence ------------------------------------------------------------------------------------- */

static void absence_is_told_once_and_lists_what_waits(void **state)
{
    (void)state;
    desk_send(&team, "zoe", ORG_NORMAL, "first");
    desk_send(&team, "zoe", ORG_NORMAL, "second");
    desk_present(&team, "ann", false);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 0); /* the deputy is there */
    desk_present(&team, "ben", false);
    assert_int_equal(org_role_due_ms(team.role), 0);
    settle();
    const struct org_message *notice = only_queued(&lead);
    assert_int_equal(notice->accepted->kind, ORG_KIND_NOTICE);
    assert_int_equal(notice->accepted->outcome, ORG_TROUBLE_ABSENT);
    assert_string_equal(subject_of(notice), "team/docs: nobody is present, and 2 messages wait");
    assert_non_null(strstr(org_message_text(notice, notice->accepted->body), "first\n"));
    assert_non_null(strstr(org_message_text(notice, notice->accepted->body), "second\n"));
    desk_send(&team, "zoe", ORG_NORMAL, "third");
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 1);
}

static void absence_is_told_again_after_somebody_was_there(void **state)
{
    (void)state;
    desk_send(&team, "zoe", ORG_NORMAL, "first");
    desk_present(&team, "ann", false);
    desk_present(&team, "ben", false);
    settle();
    desk_present(&team, "ben", true);
    settle();
    desk_present(&team, "ben", false);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 2);
}

static void absence_is_no_trouble_while_nothing_waits(void **state)
{
    (void)state;
    desk_present(&team, "ann", false);
    desk_present(&team, "ben", false);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 0);
}

static void vacant_role_declines_what_waits_when_its_rule_says_so(void **state)
{
    (void)state;
    uint64_t id = desk_send(&team, "zoe", ORG_NORMAL, "for whom");
    desk_configure(&team, (struct org_configure){.supervisor = "team", .on_absent = ORG_ACTION_DECLINE}, "");
    desk_wait(&team, 0);
    assert_int_equal(desk_state(&team, id), ORG_DECLINED);
    assert_int_equal(desk_owed(&team)->outcome, ORG_DECLINED);
    assert_int_equal(org_role_view(team.role).availability, ORG_VACANT);
}

static void messages_wait_for_an_absent_holder_when_the_rule_is_to_retry(void **state)
{
    (void)state;
    desk_configure(&team, (struct org_configure){.supervisor = "team", .on_absent = ORG_ACTION_RETRY}, "ann");
    desk_present(&team, "ann", false);
    desk_send(&team, "zoe", ORG_NORMAL, "wait");
    assert_true(org_role_due_ms(team.role) == INT64_MAX);
}

static void root_with_nobody_present_has_an_alarm_and_keeps_its_queue(void **state)
{
    (void)state;
    desk_send(&root, "zoe", ORG_NORMAL, "anybody");
    assert_false(org_role_view(root.role).has_alarm);
    desk_present(&root, "ray", false);
    settle();
    assert_true(org_role_view(root.role).has_alarm);
    assert_int_equal(desk_counts(&root).queued, 1);
    desk_present(&root, "ray", true);
    assert_false(org_role_view(root.role).has_alarm);
}

/* --- overflow ------------------------------------------------------------------------------------ */

static void refuse_some(int count)
{
    for (int i = 0; i < count; i++) {
        assert_true(desk_send(&team, "zoe", ORG_NORMAL, "too much") == 0);
        expect_refusal(&team, ORG_REFUSED_FULL);
    }
}

static void fill(uint32_t capacity)
{
    desk_configure(&team, (struct org_configure){.supervisor = "team", .capacity = capacity}, "ann ben");
    for (uint32_t i = 0; i < capacity; i++)
        desk_send(&team, "zoe", ORG_NORMAL, "fills");
}

static void overflow_is_told_beyond_its_limit_once_until_half_is_free(void **state)
{
    (void)state;
    fill(4);
    refuse_some(ORG_REFUSALS_MAX);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 0);
    refuse_some(1);
    settle();
    assert_int_equal(only_queued(&lead)->accepted->outcome, ORG_TROUBLE_OVERFLOW);
    refuse_some(ORG_REFUSALS_MAX + 5);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 1);
    assert_int_equal(desk_counts(&team).refused, 2 * ORG_REFUSALS_MAX + 6);
    for (int i = 0; i < 2; i++) {
        uint64_t id = desk_next(&team, "ann", 1);
        desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
    }
    desk_send(&team, "zoe", ORG_NORMAL, "fills");
    desk_send(&team, "zoe", ORG_NORMAL, "fills");
    refuse_some(ORG_REFUSALS_MAX + 1);
    settle();
    assert_int_equal(desk_counts(&lead).accepted, 2);
}

static void refusals_count_within_their_period_only(void **state)
{
    (void)state;
    fill(1);
    refuse_some(ORG_REFUSALS_MAX);
    pass(ORG_REFUSALS_PERIOD_MS);
    refuse_some(1);
    assert_true(org_role_due_ms(team.role) == INT64_MAX);
    refuse_some(ORG_REFUSALS_MAX);
    assert_int_equal(org_role_due_ms(team.role), 0);
}

/* --- intensity ----------------------------------------------------------------------------------- */

static void failures_beyond_the_limit_are_told_to_the_supervisors_supervisor(void **state)
{
    (void)state;
    for (int i = 0; i < ORG_FAILURES_MAX; i++) {
        fail_one("ann",
                 i % 2 == 0); /* crashes are tried again here, and reported; the others are escalated */
        settle();
    }
    assert_int_equal(desk_counts(&lead).reported, ORG_FAILURES_MAX);
    assert_int_equal(desk_counts(&root).accepted, 0);
    fail_one("ann", false);
    settle();
    const struct org_message *notice = only_queued(&root);
    assert_int_equal(notice->accepted->outcome, ORG_TROUBLE_INTENSITY);
    assert_string_equal(org_message_text(notice, notice->accepted->origin_role), "team");
    fail_one("ann", false);
    settle();
    assert_int_equal(desk_counts(&root).accepted, 1); /* counted from anew */
}

static void failures_of_programs_count_over_five_minutes(void **state)
{
    (void)state;
    desk_configure(&team,
                   (struct org_configure){
                       .supervisor = "team", .holder_kind = ORG_PROGRAM, .on_crash = ORG_ACTION_DECLINE},
                   "bot");
    for (int i = 0; i <= ORG_FAILURES_MAX; i++) {
        fail_one("bot", true);
        settle();
        pass(ORG_MINUTE_MS); /* six in five minutes are just not within them */
    }
    assert_int_equal(desk_counts(&root).accepted, 0);
    for (int i = 0; i < 2; i++)
        fail_one("bot", true);
    settle();
    assert_int_equal(only_queued(&root)->accepted->outcome, ORG_TROUBLE_INTENSITY);
}

/* --- escalations --------------------------------------------------------------------------------- */

static void escalation_never_goes_to_whoever_failed(void **state)
{
    (void)state;
    desk_configure(&team, (struct org_configure){.supervisor = "team"}, "lea");
    fail_one("lea", false);
    settle();
    uint64_t escalation = only_queued(&lead)->id;
    assert_true(desk_next(&lead, "lea", 1) == 0);
    assert_true(desk_next(&lead, "lou", 1) == escalation);
}

static void escalation_of_a_lapse_never_goes_to_whoever_let_it_lapse(void **state)
{
    (void)state;
    desk_configure(&team, (struct org_configure){.supervisor = "team", .on_lapse = ORG_ACTION_ESCALATE},
                   "lea");
    desk_send(&team, "zoe", ORG_NORMAL, "slow");
    desk_next(&team, "lea", 1);
    pass(ORG_LEASE_PERSON_MS);
    settle();
    assert_true(desk_next(&lead, "lea", 1) == 0);
    assert_true(desk_next(&lead, "lou", 1) != 0);
}

static void escalation_goes_up_when_only_whoever_failed_is_there(void **state)
{
    (void)state;
    desk_configure(&team, (struct org_configure){.supervisor = "team"}, "lea");
    desk_present(&lead, "lou", false);
    uint64_t original = fail_one("lea", false);
    settle();
    assert_int_equal(desk_counts(&lead).forwarded, 1);
    uint64_t escalation = desk_next(&root, "ray", 1);
    assert_true(escalation != 0);
    desk_about(&root, ORG_FINISH, "ray", (struct org_about){.id = escalation, .text = "here"});
    settle();
    assert_int_equal(desk_state(&team, original), ORG_DONE);
}

static void escalation_goes_up_when_nobody_is_there_also_if_they_leave_later(void **state)
{
    (void)state;
    fail_one("ann", false);
    settle();
    assert_int_equal(desk_counts(&lead).queued, 1);
    desk_present(&lead, "lea", false);
    settle();
    assert_int_equal(desk_counts(&lead).queued, 1);
    desk_present(&lead, "lou", false);
    settle();
    assert_int_equal(desk_counts(&lead).queued, 0);
    assert_int_equal(only_queued(&root)->accepted->kind, ORG_KIND_ESCALATION);
}

static void escalation_stays_at_the_root_under_an_alarm_when_nobody_may_take_it(void **state)
{
    (void)state;
    desk_configure(&team, (struct org_configure){.supervisor = "root"}, "ray");
    fail_one("ray", false);
    settle();
    assert_true(desk_next(&root, "ray", 1) == 0);
    assert_int_equal(desk_counts(&root).queued, 1);
    assert_true(org_role_view(root.role).has_alarm);
    desk_configure(&root, (struct org_configure){.seed = {0}}, "ray rob");
    assert_false(org_role_view(root.role).has_alarm);
    assert_true(desk_next(&root, "rob", 1) != 0);
}

static void forwarded_escalation_still_knows_who_failed(void **state)
{
    (void)state;
    fail_one("ann", false);
    settle();
    uint64_t escalation = desk_next(&lead, "lea", 1);
    desk_about(&lead, ORG_FORWARD, "lea", (struct org_about){.id = escalation, .to = "team/docs"});
    settle();
    assert_true(desk_next(&team, "ann", 1) == 0);
    assert_true(desk_next(&team, "ben", 1) != 0);
}

/* --- going away, and coming back ----------------------------------------------------------------- */

static void go_away_keeping(uint64_t id, int64_t until)
{
    struct org_command command = {.kind = ORG_PRESENT,
                                  .who = {"ann", NULL},
                                  .present = {.actor = "ann", .keeps = &id, .keep_count = 1, .until = until}};
    desk_do(&team, &command);
}

static void kept_message_is_parked_and_its_keepers_again_when_they_are_back(void **state)
{
    (void)state;
    uint64_t kept = desk_send(&team, "zoe", ORG_NORMAL, "mine");
    uint64_t other = desk_send(&team, "zoe", ORG_NORMAL, "anybody's");
    desk_next(&team, "ann", 2);
    desk_next(&team, "ann", 2);
    go_away_keeping(kept, 0);
    assert_int_equal(desk_state(&team, kept), ORG_PARKED);
    assert_true(desk_next(&team, "ben", 2) == other);
    assert_true(desk_next(&team, "ben", 2) == 0);
    desk_present(&team, "ann", true);
    assert_true(desk_next(&team, "ben", 2) == 0);
    assert_true(desk_next(&team, "ann", 2) == kept);
}

static void kept_message_is_anybodys_when_its_time_is_over(void **state)
{
    (void)state;
    uint64_t kept = desk_send(&team, "zoe", ORG_NORMAL, "mine");
    desk_next(&team, "ann", 1);
    go_away_keeping(kept, team.now_ms + ORG_HOUR_MS);
    pass(ORG_HOUR_MS);
    assert_true(desk_next(&team, "ben", 1) == kept);
}

static void only_held_messages_are_kept_and_until_a_time_ahead(void **state)
{
    (void)state;
    uint64_t id = desk_send(&team, "zoe", ORG_NORMAL, "mine");
    go_away_keeping(id, 0);
    expect_refusal(&team, ORG_REFUSED_NOT_HELD);
    go_away_keeping(12345, 0);
    expect_refusal(&team, ORG_REFUSED_UNKNOWN);
    desk_next(&team, "ann", 1);
    go_away_keeping(id, team.now_ms);
    expect_refusal(&team, ORG_REFUSED_TIME);
    go_away_keeping(id, team.now_ms + ORG_DEFER_MAX_MS + 1);
    expect_refusal(&team, ORG_REFUSED_TIME);
    go_away_keeping(id, team.now_ms + ORG_DEFER_MAX_MS);
    assert_int_equal(desk_state(&team, id), ORG_PARKED);
}

static void hand_over_note_is_for_whoever_is_next(void **state)
{
    (void)state;
    assert_string_equal(org_role_view(team.role).note, "");
    desk_about(&team, ORG_HAND_OVER, "ann", (struct org_about){.text = "the key is under the mat"});
    struct org_role_view view = org_role_view(team.role);
    assert_string_equal(view.note, "the key is under the mat");
    assert_string_equal(view.note_by, "ann");
    assert_true(view.note_at == team.now_ms);
    desk_about(&team, ORG_HAND_OVER, "zoe", (struct org_about){.text = "me too"});
    expect_refusal(&team, ORG_REFUSED_NOT_IN_SUCCESSION);
}

/* --- waiting for another message ----------------------------------------------------------------- */

static void deferred_message_comes_back_when_the_one_it_awaits_has_ended(void **state)
{
    (void)state;
    uint64_t first = desk_send(&team, "zoe", ORG_NORMAL, "first");
    uint64_t second = desk_send(&team, "zoe", ORG_NORMAL, "second");
    desk_send(&team, "zoe", ORG_NORMAL, "third");
    desk_next(&team, "ann", 2);
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = first, .awaits = second});
    assert_true(org_role_find(team.role, first)->awaits == second);
    assert_true(desk_next(&team, "ann", 2) == second);
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = second});
    assert_int_equal(desk_state(&team, first), ORG_QUEUED);
    assert_true(desk_next(&team, "ann", 2) == first); /* first in its class */
}

static void deferred_message_comes_back_when_the_one_it_awaits_goes_elsewhere(void **state)
{
    (void)state;
    uint64_t first = desk_send(&team, "zoe", ORG_NORMAL, "first");
    uint64_t second = desk_send(&team, "zoe", ORG_NORMAL, "second");
    desk_next(&team, "ann", 2);
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = first, .awaits = second});
    assert_true(desk_next(&team, "ann", 2) == second);
    desk_about(&team, ORG_FORWARD, "ann", (struct org_about){.id = second, .to = "team"});
    assert_int_equal(desk_state(&team, first), ORG_QUEUED);
}

static void answer_to_a_question_that_was_forwarded_brings_back_what_awaits_it(void **state)
{
    (void)state;
    uint64_t work = desk_send(&team, "zoe", ORG_NORMAL, "work");
    desk_next(&team, "ann", 1);
    uint64_t question =
        desk_send_with(&lead, "ann", (struct org_send){.sender = "team/docs", .subject = "may I"});
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = work, .awaits = question});
    desk_next(&lead, "lea", 1);
    desk_about(&lead, ORG_FORWARD, "lea", (struct org_about){.id = question, .to = "root"});
    settle();
    assert_int_equal(desk_state(&team, work), ORG_PARKED);
    uint64_t there = desk_next(&root, "ray", 1);
    desk_about(&root, ORG_FINISH, "ray", (struct org_about){.id = there, .text = "yes"});
    settle();
    assert_int_equal(desk_state(&team, work), ORG_QUEUED);
}

static void answer_to_a_question_brings_back_what_awaits_it(void **state)
{
    (void)state;
    uint64_t work = desk_send(&team, "zoe", ORG_NORMAL, "work");
    desk_next(&team, "ann", 1);
    uint64_t question =
        desk_send_with(&lead, "ann", (struct org_send){.sender = "team/docs", .subject = "may I"});
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = work, .awaits = question});
    assert_int_equal(desk_state(&team, work), ORG_PARKED);
    desk_next(&lead, "lea", 1);
    desk_about(&lead, ORG_FINISH, "lea", (struct org_about){.id = question, .text = "yes"});
    settle();
    assert_int_equal(desk_state(&team, work), ORG_QUEUED);
}

static void what_has_ended_or_is_the_same_cannot_be_awaited(void **state)
{
    (void)state;
    uint64_t first = desk_send(&team, "zoe", ORG_NORMAL, "first");
    uint64_t second = desk_send(&team, "zoe", ORG_NORMAL, "second");
    desk_next(&team, "ann", 2);
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = first});
    desk_next(&team, "ann", 2);
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = second, .awaits = first});
    expect_refusal(&team, ORG_REFUSED_AWAITED);
    desk_about(&team, ORG_DEFER, "ann", (struct org_about){.id = second, .awaits = second});
    expect_refusal(&team, ORG_REFUSED_AWAITED);
}

/* --- working hours ------------------------------------------------------------------------------- */

/* DESK_START_MS is Tuesday, 14 November 2023, 22:13:20 UTC. */
static const struct org_hours office = {.days = 0x1f, .from_minute = 540, .to_minute = 1020};

static void lease_of_three_working_days_ends_after_three_working_days(void **state)
{
    (void)state;
    desk_send(&team, "zoe", ORG_NORMAL, "work");
    struct org_command command = {.kind = ORG_NEXT, .who = {"ann", NULL}, .next = {.hours = &office}};
    desk_do(&team, &command);
    int64_t midnight = team.now_ms - team.now_ms % ORG_DAY_MS;
    assert_true(team.answer.lease_until == midnight + 3 * ORG_DAY_MS + 17 * ORG_HOUR_MS); /* Friday, 17:00 */
    desk_wait(&team, ORG_DAY_MS + 12 * ORG_HOUR_MS); /* Thursday, 10:13:20 */
    struct org_command renew = {
        .kind = ORG_RENEW, .who = {"ann", NULL}, .about = {.id = team.answer.id, .hours = &office}};
    desk_do(&team, &renew);
    assert_true(team.answer.lease_until ==
                team.now_ms + 5 * ORG_DAY_MS); /* Tuesday, with a week-end between */
}

static void message_ages_in_working_days(void **state)
{
    (void)state;
    uint64_t old = desk_send(&team, "zoe", ORG_BULK, "old");
    desk_wait(&team, 6 * ORG_DAY_MS);
    uint64_t normal = desk_send(&team, "zoe", ORG_NORMAL, "normal");
    struct org_command command = {
        .kind = ORG_NEXT, .who = {"ann", NULL}, .next = {.wip_limit = 9, .hours = &office}};
    desk_do(&team, &command); /* Wednesday to Monday were four working days */
    assert_true(team.answer.id == normal);
    desk_wait(&team, ORG_DAY_MS);
    desk_send(&team, "zoe", ORG_NORMAL, "normal");
    desk_do(&team, &command);
    assert_true(team.answer.id == old);
}

/* --- what a configuration may say ---------------------------------------------------------------- */

static void rules_end_at_their_limits(void **state)
{
    (void)state;
    const struct org_configure bad[] = {
        {.on_absent = ORG_ACTION_REASSIGN},
        {.on_overflow = ORG_ACTION_DECLINE},
        {.refusals_max = ORG_TALLY_MAX + 1},
        {.failures_max = ORG_TALLY_MAX + 1},
        {.refusals_period_ms = -1},
        {.refusals_period_ms = ORG_PERIOD_MAX_MS + 1},
        {.failures_period_ms = ORG_PERIOD_MAX_MS + 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        desk_configure(&team, bad[i], "ann");
        expect_refusal(&team, ORG_REFUSED_CONFIGURATION);
    }
    desk_configure(&team,
                   (struct org_configure){.supervisor = "team",
                                          .capacity = 1,
                                          .refusals_max = ORG_TALLY_MAX,
                                          .refusals_period_ms = ORG_PERIOD_MAX_MS},
                   "ann");
    desk_send(&team, "zoe", ORG_NORMAL, "fills");
    refuse_some(ORG_TALLY_MAX);
    assert_true(org_role_due_ms(team.role) == INT64_MAX);
    refuse_some(1);
    assert_int_equal(org_role_due_ms(team.role), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(absence_is_told_once_and_lists_what_waits),
        TEST(absence_is_told_again_after_somebody_was_there),
        TEST(absence_is_no_trouble_while_nothing_waits),
        TEST(vacant_role_declines_what_waits_when_its_rule_says_so),
        TEST(messages_wait_for_an_absent_holder_when_the_rule_is_to_retry),
        TEST(root_with_nobody_present_has_an_alarm_and_keeps_its_queue),
        TEST(overflow_is_told_beyond_its_limit_once_until_half_is_free),
        TEST(refusals_count_within_their_period_only),
        TEST(failures_beyond_the_limit_are_told_to_the_supervisors_supervisor),
        TEST(failures_of_programs_count_over_five_minutes),
        TEST(escalation_never_goes_to_whoever_failed),
        TEST(escalation_of_a_lapse_never_goes_to_whoever_let_it_lapse),
        TEST(escalation_goes_up_when_only_whoever_failed_is_there),
        TEST(escalation_goes_up_when_nobody_is_there_also_if_they_leave_later),
        TEST(escalation_stays_at_the_root_under_an_alarm_when_nobody_may_take_it),
        TEST(forwarded_escalation_still_knows_who_failed),
        TEST(kept_message_is_parked_and_its_keepers_again_when_they_are_back),
        TEST(kept_message_is_anybodys_when_its_time_is_over),
        TEST(only_held_messages_are_kept_and_until_a_time_ahead),
        TEST(hand_over_note_is_for_whoever_is_next),
        TEST(deferred_message_comes_back_when_the_one_it_awaits_has_ended),
        TEST(deferred_message_comes_back_when_the_one_it_awaits_goes_elsewhere),
        TEST(answer_to_a_question_that_was_forwarded_brings_back_what_awaits_it),
        TEST(answer_to_a_question_brings_back_what_awaits_it),
        TEST(what_has_ended_or_is_the_same_cannot_be_awaited),
        TEST(lease_of_three_working_days_ends_after_three_working_days),
        TEST(message_ages_in_working_days),
        TEST(rules_end_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

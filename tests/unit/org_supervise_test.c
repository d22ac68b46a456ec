/* SPDX-License-Identifier: MIT */
/*
 * Facts about failures, what supervisors decide, and what roles owe each other. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/org_team.h"

static void expect_refusal(const struct desk *desk, enum org_refusal refusal)
{
    assert_int_equal(desk->answer.kind, ORG_ANSWER_REFUSED);
    assert_int_equal(desk->answer.refusal, refusal);
}

static void settle(struct desk *desk, uint64_t id, enum org_action action)
{
    desk_about(desk, ORG_SETTLE, "admin",
               (struct org_about){.is_administrator = true, .id = id, .action = action});
}

/* --- leases -------------------------------------------------------------------------------------- */

static void lapsed_lease_gives_the_message_to_the_next_in_the_succession(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    assert_true(org_role_due_ms(team.role) == team.now_ms + ORG_LEASE_PERSON_MS);
    desk_wait(&team, ORG_LEASE_PERSON_MS - 1);
    assert_int_equal(desk_state(&team, id), ORG_HELD);
    desk_wait(&team, 1);
    const struct org_message *message = org_role_find(team.role, id);
    assert_int_equal(message->state, ORG_QUEUED);
    assert_int_equal(message->attempts, 1);
    assert_int_equal(message->cause, ORG_CAUSE_LAPSE);
    assert_string_equal(message->assigned, "ben");
    assert_string_equal(message->holder, "ann");
    assert_int_equal(desk_next(&team, "ann", 1), 0);
    assert_int_equal(team.answer.kind, ORG_ANSWER_NOTHING);
    assert_true(desk_next(&team, "ben", 1) == id);
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
    expect_refusal(&team, ORG_REFUSED_NOT_HOLDER);
}

static void absent_deputy_is_passed_over(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    desk_present(&team, "ben", false);
    desk_wait(&team, ORG_LEASE_PERSON_MS);
    assert_string_equal(org_role_find(team.role, id)->assigned, "cyd");
}

static void assignment_ends_when_its_actor_goes_away_or_leaves(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    desk_wait(&team, ORG_LEASE_PERSON_MS);
    assert_string_equal(org_role_find(team.role, id)->assigned, "ben");
    desk_present(&team, "ben", false);
    assert_null(org_role_find(team.role, id)->assigned);
    assert_true(desk_next(&team, "ann", 1) == id);
    desk_wait(&team, ORG_LEASE_PERSON_MS);
    assert_string_equal(org_role_find(team.role, id)->assigned, "cyd");
    desk_configure(&team, (struct org_configure){.supervisor = "team"}, "ann ben");
    assert_null(org_role_find(team.role, id)->assigned);
    assert_true(desk_next(&team, "ann", 1) == id);
}

static void lapse_of_the_last_deputy_goes_to_whoever_holds_the_role(void **state)
{
    (void)state;
    uint64_t id = team_take(&zoe, "zoe");
    desk_wait(&zoe, ORG_LEASE_PERSON_MS);
    assert_null(org_role_find(zoe.role, id)->assigned);
    assert_true(desk_next(&zoe, "zoe", 1) == id);
}

static void third_failure_quarantines_and_escalates_whatever_the_rule(void **state)
{
    (void)state;
    const char *const holders[] = {"ann", "ben", "cyd"};
    uint64_t id = desk_send(&team, "zoe", ORG_NORMAL, "cursed");
    for (int i = 0; i < ORG_ATTEMPTS_MAX; i++) {
        assert_true(desk_next(&team, holders[i], 1) == id);
        assert_int_equal(org_role_find(team.role, id)->attempts, i);
        desk_wait(&team, ORG_LEASE_PERSON_MS);
    }
    assert_int_equal(desk_state(&team, id), ORG_QUARANTINED);
    const org_sent *sent = desk_owed_last(&team, ORG_ATTEMPTS_MAX); /* a report of each, and this */
    assert_int_equal(sent->kind, ORG_KIND_ESCALATION);
    assert_string_equal(owed_text(sent, sent->to), "team");
    assert_string_equal(owed_text(sent, sent->origin_role), "team/docs");
    assert_string_equal(owed_text(sent, sent->subject), "cursed");
    assert_string_equal(owed_text(sent, sent->body), "body");
    assert_string_equal(owed_text(sent, sent->note), "the lease ended");
    assert_true(sent->origin_id == id);
    assert_false(org_role_view(team.role).has_alarm);
}

static void tick_moves_many_in_the_order_they_were_due_and_at_most_its_limit(void **state)
{
    (void)state;
    enum { COUNT = ORG_DUE_MAX + 10 };
    struct org_command tick = {.kind = ORG_TICK};
    desk_configure(&team, (struct org_configure){.capacity = 1000}, "ann");
    for (int i = 0; i < COUNT; i++)
        desk_send_with(
            &team, "zoe",
            (struct org_send){.sender = "@zoe", .deadline = team.now_ms + 1000 - i, .subject = "late"});
    team.now_ms += 1000;
    desk_do(&team, &tick);
    assert_int_equal(desk_counts(&team).expired, ORG_DUE_MAX);
    desk_do(&team, &tick);
    assert_int_equal(desk_counts(&team).expired, COUNT);
    desk_do(&team, &tick);
    assert_int_equal(team.records, 0);
    assert_int_equal(desk_counts(&team).owed, COUNT);
    /* all are owed to one role, so each names the one before it */
    size_t size;
    uint64_t number = 0;
    const org_sent *sent;
    while ((sent = org_role_outbox_after(team.role, number, &size)) != NULL) {
        assert_true(sent->previous == number);
        number = sent->number;
    }
    assert_int_equal(team_deliver(), COUNT);
}

/* --- rules --------------------------------------------------------------------------------------- */

static void crash_is_retried_after_a_backoff_that_doubles(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    assert_int_equal(team_fail(&team, "ann", id, true)->state, ORG_PARKED);
    assert_true(org_role_find(team.role, id)->parked_until == team.now_ms + ORG_BACKOFF_FIRST_MS);
    desk_wait(&team, ORG_BACKOFF_FIRST_MS);
    assert_true(desk_next(&team, "ann", 1) == id);
    team_fail(&team, "ann", id, true);
    assert_true(org_role_find(team.role, id)->parked_until == team.now_ms + 2 * ORG_BACKOFF_FIRST_MS);
    desk_wait(&team, 2 * ORG_BACKOFF_FIRST_MS);
    assert_true(desk_next(&team, "ann", 1) == id);
    assert_int_equal(team_fail(&team, "ann", id, true)->state, ORG_QUARANTINED);
}

static void failure_that_the_holder_tells_is_escalated_at_once(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    assert_int_equal(team_fail(&team, "ann", id, false)->state, ORG_QUARANTINED);
    assert_int_equal(org_role_find(team.role, id)->cause, ORG_CAUSE_FAIL);
    const org_sent *sent = desk_owed(&team);
    assert_string_equal(owed_text(sent, sent->note), "it broke");
    assert_string_equal(owed_text(sent, sent->by), "ann");
}

static void rules_of_a_role_replace_the_defaults(void **state)
{
    (void)state;
    desk_configure(&team,
                   (struct org_configure){.supervisor = "team",
                                          .on_fail = ORG_ACTION_DECLINE,
                                          .on_lapse = ORG_ACTION_ESCALATE,
                                          .on_crash = ORG_ACTION_REASSIGN},
                   "ann ben");
    uint64_t failed = team_take(&team, "ann");
    assert_int_equal(team_fail(&team, "ann", failed, false)->state, ORG_DECLINED);
    assert_int_equal(desk_owed_last(&team, 2)->outcome, ORG_DECLINED);
    uint64_t crashed = team_take(&team, "ann");
    assert_int_equal(team_fail(&team, "ann", crashed, true)->state, ORG_QUEUED);
    assert_string_equal(org_role_find(team.role, crashed)->assigned, "ben");
    uint64_t lapsed = team_take(&team, "ann");
    desk_wait(&team, ORG_LEASE_PERSON_MS);
    assert_int_equal(desk_state(&team, lapsed), ORG_QUARANTINED);
}

/* --- the supervisor ------------------------------------------------------------------------------ */

static void escalation_is_a_message_in_the_supervisors_mailbox_with_the_original(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    const struct org_message *message = org_role_find(lead.role, escalation);
    assert_int_equal(message->accepted->kind, ORG_KIND_ESCALATION);
    assert_string_equal(org_message_text(message, message->accepted->origin_role), "team/docs");
    assert_true(message->accepted->origin_id == id);
    assert_string_equal(org_message_text(message, message->accepted->subject), "work");
    assert_string_equal(org_message_text(message, message->accepted->note), "it broke");
    assert_int_equal(desk_counts(&lead).occupied,
                     0); /* it could not be refused, so it takes nobody's place */
}

static void done_escalation_ends_the_original_with_that_reply(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_FINISH, "lea", (struct org_about){.id = escalation, .text = "I did it"});
    assert_int_equal(team_deliver(), 2); /* the resolution, and the answer that follows from it */
    assert_int_equal(desk_state(&team, id), ORG_DONE);
    uint64_t answer = desk_next(&zoe, "zoe", 1);
    const struct org_message *message = org_role_find(zoe.role, answer);
    assert_int_equal(message->accepted->kind, ORG_KIND_ANSWER);
    assert_int_equal(message->accepted->outcome, ORG_DONE);
    assert_string_equal(org_message_text(message, message->accepted->body), "I did it");
    assert_string_equal(org_message_text(message, message->accepted->by), "lea");
    desk_about(&zoe, ORG_FINISH, "zoe", (struct org_about){.id = answer, .text = "thanks"});
    assert_int_equal(team_deliver(), 0); /* an answer has no answer */
}

static void declined_escalation_declines_the_original(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_DECLINE, "lea", (struct org_about){.id = escalation, .text = "leave it"});
    assert_int_equal(team_deliver(), 2);
    assert_int_equal(desk_state(&team, id), ORG_DECLINED);
    assert_int_equal(desk_counts(&zoe).queued, 1);
}

static void supervisor_may_have_it_tried_again_with_new_attempts(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_RESOLVE, "lea",
               (struct org_about){.id = escalation, .action = ORG_ACTION_RETRY, .text = "again"});
    assert_int_equal(lead.answer.state, ORG_DONE);
    assert_int_equal(team_deliver(), 1);
    assert_int_equal(desk_state(&lead, escalation), ORG_DONE);
    const struct org_message *message = org_role_find(team.role, id);
    assert_int_equal(message->state, ORG_QUEUED);
    assert_int_equal(message->attempts, 0);
    assert_null(message->assigned);
    assert_true(desk_next(&team, "ann", 1) == id);
    desk_about(&lead, ORG_RESOLVE, "lea",
               (struct org_about){.id = escalation, .action = ORG_ACTION_RETRY, .text = "again"});
    assert_true(lead.answer.is_duplicate);
}

static void supervisor_may_reassign_to_the_next_in_the_succession(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_RESOLVE, "lea",
               (struct org_about){.id = escalation, .action = ORG_ACTION_REASSIGN});
    team_deliver();
    assert_string_equal(org_role_find(team.role, id)->assigned, "ben");
}

static void only_escalations_are_resolved_and_only_by_retry_or_reassign(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_RESOLVE, "lea",
               (struct org_about){.id = escalation, .action = ORG_ACTION_ESCALATE});
    expect_refusal(&lead, ORG_REFUSED_ACTION);
    desk_about(&lead, ORG_RESOLVE, "lou", (struct org_about){.id = escalation, .action = ORG_ACTION_RETRY});
    expect_refusal(&lead, ORG_REFUSED_NOT_HOLDER);
    uint64_t plain = team_take(&team, "ann");
    desk_about(&team, ORG_RESOLVE, "ann", (struct org_about){.id = plain, .action = ORG_ACTION_RETRY});
    expect_refusal(&team, ORG_REFUSED_NOT_ESCALATED);
}

static void escalation_that_fails_goes_one_supervisor_higher(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    team_fail(&lead, "lea", escalation, false);
    assert_int_equal(desk_state(&lead, escalation), ORG_QUARANTINED);
    assert_int_equal(team_deliver(), 1);
    uint64_t higher = desk_next(&root, "ray", 1);
    desk_about(&root, ORG_FINISH, "ray", (struct org_about){.id = higher, .text = "settled"});
    assert_int_equal(team_deliver(), 3);
    assert_int_equal(desk_state(&lead, escalation), ORG_DONE);
    assert_int_equal(desk_state(&team, id), ORG_DONE);
    assert_int_equal(desk_counts(&zoe).queued, 1);
}

static void forwarded_escalation_is_resolved_by_whoever_gets_it(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    desk_about(&lead, ORG_FORWARD, "lea", (struct org_about){.id = escalation, .to = "root"});
    assert_int_equal(team_deliver(), 1);
    uint64_t there = desk_next(&root, "ray", 1);
    assert_int_equal(org_role_find(root.role, there)->accepted->kind, ORG_KIND_ESCALATION);
    desk_about(&root, ORG_RESOLVE, "ray", (struct org_about){.id = there, .action = ORG_ACTION_RETRY});
    assert_int_equal(team_deliver(), 1);
    assert_int_equal(desk_state(&team, id), ORG_QUEUED);
}

static void resolution_of_a_message_that_went_another_way_is_moot(void **state)
{
    (void)state;
    uint64_t id;
    uint64_t escalation = team_escalate(&id);
    settle(&team, id, ORG_ACTION_DONE);
    assert_int_equal(desk_state(&team, id), ORG_DONE);
    desk_about(&lead, ORG_FINISH, "lea", (struct org_about){.id = escalation});
    team_deliver();
    assert_int_equal(desk_recorded(&team, &org_resolved_type), 1);
    assert_int_equal(desk_counts(&team).done, 1);
    assert_int_equal(desk_counts(&zoe).accepted, 1);
}

/* --- the outbox ---------------------------------------------------------------------------------- */

static void answer_is_never_refused_by_a_full_mailbox(void **state)
{
    (void)state;
    desk_configure(&zoe, (struct org_configure){.capacity = 1}, "zoe");
    desk_send(&zoe, "ann", ORG_NORMAL, "fills it");
    assert_int_equal(desk_send(&zoe, "ann", ORG_NORMAL, "refused"), 0);
    uint64_t id = team_take(&team, "ann");
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id, .text = "yes"});
    assert_int_equal(team_deliver(), 1);
    assert_int_equal(desk_counts(&zoe).queued, 2);
    assert_int_equal(desk_counts(&zoe).occupied, 1);
}

static void forwarded_message_is_taken_by_a_full_mailbox_and_counts(void **state)
{
    (void)state;
    desk_configure(&lead,
                   (struct org_configure){.supervisor = "root", .capacity = 1, .overflow = ORG_OVERFLOW_SHED},
                   "lea");
    desk_send(&lead, "yan", ORG_BULK, "fills it");
    uint64_t id = team_take(&team, "ann");
    desk_about(&team, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "team"});
    assert_int_equal(team_deliver(), 1);
    assert_int_equal(desk_counts(&lead).occupied, 2);
    assert_int_equal(desk_counts(&lead).shed, 0);
    /* two over one: shedding one would not make room */
    assert_int_equal(desk_send(&lead, "zoe", ORG_URGENT, "refused"), 0);
    assert_int_equal(desk_counts(&lead).shed, 0);
}

static void entry_out_of_order_is_refused_until_the_one_before_has_come(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint64_t id = team_take(&team, "ann");
        desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id, .text = i == 0 ? "one" : "two"});
    }
    size_t size;
    const org_sent *first = org_role_outbox_after(team.role, 0, &size);
    assert_false(org_role_outbox_waits(team.role, first->number));
    assert_true(org_role_outbox_waits(team.role, first->number + 1));
    const org_sent *second = org_role_outbox_after(team.role, first->number, &size);
    struct org_command command = {
        .kind = ORG_DELIVER,
        .deliver = {.id = desk_id(&zoe), .source = team.stream, .sent = second, .size = size}};
    desk_do(&zoe, &command);
    expect_refusal(&zoe, ORG_REFUSED_ORDER);
    assert_int_equal(team_deliver(), 2);
    assert_int_equal(desk_counts(&zoe).accepted, 2);
    assert_null(org_role_outbox_after(team.role, 0, &size));
}

static void entry_owed_after_the_others_arrived_names_none_before_it(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        uint64_t id = team_take(&team, "ann");
        desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
        assert_int_equal(desk_owed(&team)->previous, 0);
        assert_int_equal(desk_owed(&team)->number, i + 1);
        assert_int_equal(team_deliver(), 1);
    }
}

static void acknowledgement_twice_is_one_and_of_nothing_is_refused(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
    struct org_command command = {.kind = ORG_ACKNOWLEDGE, .acknowledge = {.number = 1, .id = 9}};
    desk_do(&team, &command);
    assert_int_equal(desk_counts(&team).owed, 0);
    desk_do(&team, &command);
    assert_true(team.answer.is_duplicate);
    command.acknowledge.number = 2;
    desk_do(&team, &command);
    expect_refusal(&team, ORG_REFUSED_UNKNOWN);
    command.acknowledge.number = 0;
    desk_do(&team, &command);
    expect_refusal(&team, ORG_REFUSED_UNKNOWN);
}

static void entry_for_another_role_or_malformed_is_refused(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
    size_t size;
    const org_sent *sent = org_role_outbox_after(team.role, 0, &size);
    struct org_command command = {.kind = ORG_DELIVER,
                                  .deliver = {.id = 1, .source = team.stream, .sent = sent, .size = size}};
    desk_do(&lead, &command);
    expect_refusal(&lead, ORG_REFUSED_MALFORMED);
    command.deliver.size = size - 1;
    desk_do(&zoe, &command);
    expect_refusal(&zoe, ORG_REFUSED_MALFORMED);
    command.deliver.size = size;
    command.deliver.source = "";
    desk_do(&zoe, &command);
    expect_refusal(&zoe, ORG_REFUSED_MALFORMED);
}

static void forwarded_message_that_cannot_arrive_comes_back(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    desk_about(&team, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "nowhere"});
    uint64_t fresh = desk_id(&team);
    struct org_command command = {
        .kind = ORG_UNDELIVERABLE,
        .acknowledge = {.number = 1, .id = fresh, .reason = "there is no role nowhere"}};
    desk_do(&team, &command);
    assert_int_equal(team.answer.kind, ORG_ANSWER_ACCEPTED);
    desk_do(&team, &command);
    assert_true(team.answer.is_duplicate);
    assert_int_equal(desk_state(&team, id), ORG_FORWARDED);
    assert_true(desk_next(&team, "ann", 1) == fresh);
    const struct org_message *message = org_role_find(team.role, fresh);
    assert_string_equal(org_message_text(message, message->accepted->sender), "@zoe");
    assert_string_equal(org_message_text(message, message->accepted->note), "there is no role nowhere");
    assert_int_equal(desk_counts(&team).dead, 1);
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = fresh, .text = "after all"});
    assert_int_equal(team_deliver(), 1);
}

static void answer_that_cannot_arrive_is_counted_as_dead(void **state)
{
    (void)state;
    uint64_t id = desk_send(&team, "nobody", ORG_NORMAL, "x");
    desk_next(&team, "ann", 1);
    desk_about(&team, ORG_FINISH, "ann", (struct org_about){.id = id});
    struct org_command command = {.kind = ORG_UNDELIVERABLE, .acknowledge = {.number = 1, .reason = "gone"}};
    desk_do(&team, &command);
    assert_int_equal(desk_counts(&team).dead, 1);
    assert_int_equal(desk_counts(&team).owed, 0);
    assert_int_equal(desk_counts(&team).accepted, 1);
}

static void entry_after_one_that_could_not_arrive_is_taken(void **state)
{
    (void)state;
    struct desk late;
    struct desk *const both[] = {&team, &late};
    for (int i = 0; i < 3; i++) {
        uint64_t id = team_take(&team, "ann");
        desk_about(&team, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "late"});
    }
    struct org_command command = {.kind = ORG_UNDELIVERABLE,
                                  .acknowledge = {.number = 1, .reason = "not there yet"}};
    command.acknowledge.id = desk_id(&team);
    desk_do(&team, &command);
    desk_open(&late, "late", 5, "dan");
    assert_int_equal(desks_deliver(both, 2), 2);
    assert_int_equal(desk_counts(&late).accepted, 2);
    assert_int_equal(desk_counts(&team).owed, 0);
    desk_done(&late);
}

static void escalation_that_cannot_arrive_leaves_an_alarm(void **state)
{
    (void)state;
    uint64_t id = team_take(&team, "ann");
    team_fail(&team, "ann", id, false);
    assert_false(org_role_view(team.role).has_alarm);
    struct org_command command = {.kind = ORG_UNDELIVERABLE, .acknowledge = {.number = 1, .reason = "gone"}};
    desk_do(&team, &command);
    assert_int_equal(desk_state(&team, id), ORG_QUARANTINED);
    assert_true(org_role_view(team.role).has_alarm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, team_open, team_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lapsed_lease_gives_the_message_to_the_next_in_the_succession),
        TEST(absent_deputy_is_passed_over),
        TEST(assignment_ends_when_its_actor_goes_away_or_leaves),
        TEST(lapse_of_the_last_deputy_goes_to_whoever_holds_the_role),
        TEST(third_failure_quarantines_and_escalates_whatever_the_rule),
        TEST(tick_moves_many_in_the_order_they_were_due_and_at_most_its_limit),
        TEST(crash_is_retried_after_a_backoff_that_doubles),
        TEST(failure_that_the_holder_tells_is_escalated_at_once),
        TEST(rules_of_a_role_replace_the_defaults),
        TEST(escalation_is_a_message_in_the_supervisors_mailbox_with_the_original),
        TEST(done_escalation_ends_the_original_with_that_reply),
        TEST(declined_escalation_declines_the_original),
        TEST(supervisor_may_have_it_tried_again_with_new_attempts),
        TEST(supervisor_may_reassign_to_the_next_in_the_succession),
        TEST(only_escalations_are_resolved_and_only_by_retry_or_reassign),
        TEST(escalation_that_fails_goes_one_supervisor_higher),
        TEST(forwarded_escalation_is_resolved_by_whoever_gets_it),
        TEST(resolution_of_a_message_that_went_another_way_is_moot),
        TEST(answer_is_never_refused_by_a_full_mailbox),
        TEST(forwarded_message_is_taken_by_a_full_mailbox_and_counts),
        TEST(entry_out_of_order_is_refused_until_the_one_before_has_come),
        TEST(entry_owed_after_the_others_arrived_names_none_before_it),
        TEST(acknowledgement_twice_is_one_and_of_nothing_is_refused),
        TEST(entry_for_another_role_or_malformed_is_refused),
        TEST(forwarded_message_that_cannot_arrive_comes_back),
        TEST(answer_that_cannot_arrive_is_counted_as_dead),
        TEST(entry_after_one_that_could_not_arrive_is_taken),
        TEST(escalation_that_cannot_arrive_leaves_an_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

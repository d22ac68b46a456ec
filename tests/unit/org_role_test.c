/* SPDX-License-Identifier: MIT */
/*
 * Facts about serial work: taking messages and what is done with them. Admission is in org_admission_test.c,
 * failures are in org_supervise_test.c. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/org_one_desk.h"

/* --- next ---------------------------------------------------------------------------------------- */

static void next_is_the_highest_class_then_the_oldest(void **state)
{
    (void)state;
    uint64_t bulk = desk_send(&desk, "zoe", ORG_BULK, "bulk");
    uint64_t normal = desk_send(&desk, "zoe", ORG_NORMAL, "normal");
    uint64_t normal2 = desk_send(&desk, "zoe", ORG_NORMAL, "normal 2");
    uint64_t urgent = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    const uint64_t order[] = {urgent, normal, normal2, bulk};
    const struct org_message *list[8];
    assert_int_equal(org_role_list(desk.role, ORG_QUEUED, desk.now_ms, list, 8), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(list[i]->id == order[i]);
        assert_true(desk_next(&desk, "ann", 10) == order[i]);
        assert_true(desk.answer.lease_until == desk.now_ms + ORG_LEASE_PERSON_MS);
    }
    assert_int_equal(org_role_list(desk.role, ORG_QUEUED, desk.now_ms, list, 8), 0);
    assert_int_equal(org_role_list(desk.role, ORG_HELD, desk.now_ms, list, 3), 3);
    assert_int_equal(desk_next(&desk, "ann", 10), 0);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_NOTHING);
}

static void old_message_counts_one_class_higher(void **state)
{
    (void)state;
    uint64_t bulk = desk_send(&desk, "zoe", ORG_BULK, "bulk");
    desk_wait(&desk, 1);
    uint64_t normal = desk_send(&desk, "zoe", ORG_NORMAL, "normal");
    desk_wait(&desk, ORG_AGEING_MS - 2);
    uint64_t urgent = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    const struct org_message *list[3];
    /* one millisecond before: each in its class */
    assert_int_equal(org_role_list(desk.role, ORG_QUEUED, desk.now_ms, list, 3), 3);
    assert_true(list[0]->id == urgent && list[1]->id == normal && list[2]->id == bulk);
    /* the bulk one counts as normal now, and is older */
    desk_wait(&desk, 1);
    assert_int_equal(org_role_list(desk.role, ORG_QUEUED, desk.now_ms, list, 3), 3);
    assert_true(list[0]->id == urgent && list[1]->id == bulk && list[2]->id == normal);
    /* the normal one counts as urgent, and is older; bulk never counts twice */
    desk_wait(&desk, 1);
    assert_true(desk_next(&desk, "ann", 3) == normal);
    assert_true(desk_next(&desk, "ann", 3) == urgent);
    assert_true(desk_next(&desk, "ann", 3) == bulk);
}

static void holder_at_the_limit_gets_back_what_it_holds(void **state)
{
    (void)state;
    const struct org_message *held[4];
    uint64_t first = send("first");
    uint64_t second = send("second");
    send("third");
    assert_true(desk_next(&desk, "ann", 2) == first);
    assert_true(desk_next(&desk, "ann", 2) == second);
    assert_int_equal(desk_next(&desk, "ann", 2), 0);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_HELD);
    assert_true(desk.answer.id == first);
    assert_int_equal(org_role_held_by(desk.role, "ann", held, 4), 2);
    assert_true(held[0]->id == first && held[1]->id == second);
    assert_int_equal(desk_counts(&desk).held, 2);
}

static void limit_defaults_to_one_and_counts_other_roles(void **state)
{
    (void)state;
    send("first");
    struct org_command command = {
        .kind = ORG_NEXT, .who = {"ann", NULL}, .next = {.wip_limit = 3, .held_elsewhere = 3}};
    desk_do(&desk, &command);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_HELD);
    assert_int_equal(desk.answer.id, 0);
    command.next.held_elsewhere = 2;
    desk_do(&desk, &command);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_TAKEN);
    send("second");
    assert_int_equal(desk_next(&desk, "ann", 0), 0);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_HELD);
}

static void only_the_active_holder_gets_work(void **state)
{
    (void)state;
    uint64_t id = send("work");
    desk_next(&desk, "ben", 1);
    expect_refusal(ORG_REFUSED_NOT_ACTIVE);
    assert_string_equal(desk.answer.holder, "ann");
    desk_next(&desk, "stranger", 1);
    expect_refusal(ORG_REFUSED_NOT_ACTIVE);
    desk_present(&desk, "ann", false);
    desk_next(&desk, "ann", 1);
    expect_refusal(ORG_REFUSED_NOT_ACTIVE);
    assert_string_equal(desk.answer.holder, "ben");
    assert_true(desk_next(&desk, "ben", 1) == id);
}

/* --- what is done with a message ----------------------------------------------------------------- */

static void done_with_a_reply_answers_the_sender_once(void **state)
{
    (void)state;
    uint64_t id = send("question");
    desk_next(&desk, "ann", 1);
    assert_int_equal(finish(id, "the answer")->state, ORG_DONE);
    assert_int_equal(desk_state(&desk, id), ORG_DONE);
    assert_null(org_role_find(desk.role, id));
    const org_sent *told = desk_owed(&desk);
    assert_string_equal(owed_text(told, told->to), "@zoe");
    assert_string_equal(owed_text(told, told->body), "the answer");
    assert_string_equal(owed_text(told, told->subject), "question");
    assert_string_equal(owed_text(told, told->by), "ann");
    assert_string_equal(owed_text(told, told->origin_role), "docs");
    assert_string_equal(owed_text(told, told->sender), "");
    assert_int_equal(told->kind, ORG_KIND_ANSWER);
    assert_int_equal(told->outcome, ORG_DONE);
    assert_true(told->origin_id == id && told->in_reply_to == id && told->thread == id);
}

static void same_command_again_is_answered_and_does_nothing(void **state)
{
    (void)state;
    uint64_t id = send("question");
    desk_next(&desk, "ann", 1);
    finish(id, "the answer");
    assert_true(finish(id, "the answer")->is_duplicate);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_OK);
    assert_int_equal(desk.answer.state, ORG_DONE);
    finish(id, "another answer");
    expect_refusal(ORG_REFUSED_ENDED);
    assert_int_equal(desk.answer.state, ORG_DONE);
    desk_about(&desk, ORG_DECLINE, "ann", (struct org_about){.id = id, .text = "the answer"});
    expect_refusal(ORG_REFUSED_ENDED);
    desk_about(&desk, ORG_FINISH, "ben", (struct org_about){.id = id, .text = "the answer"});
    expect_refusal(ORG_REFUSED_ENDED);
    assert_int_equal(desk_counts(&desk).owed, 1);
}

static void declined_message_tells_the_sender_why(void **state)
{
    (void)state;
    uint64_t id = send("please");
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_DECLINE, "ann", (struct org_about){.id = id, .text = "No"});
    assert_int_equal(desk_state(&desk, id), ORG_DECLINED);
    const org_sent *told = desk_owed(&desk);
    assert_int_equal(told->outcome, ORG_DECLINED);
    assert_string_equal(owed_text(told, told->body), "No");
}

static void message_without_a_sender_owes_nobody_an_answer(void **state)
{
    (void)state;
    uint64_t id = desk_send_with(&desk, "zoe", (struct org_send){.subject = "fire and forget"});
    desk_next(&desk, "ann", 1);
    finish(id, "kept in the record");
    assert_int_equal(desk_counts(&desk).owed, 0);
    struct record record;
    struct record_cursor cursor = record_cursor_of(&desk.journal);
    while (record_next(&cursor, &record) == TROUPE_OK) {
        if (record.type == org_done_type.id) {
            const org_done *done = record.body;
            assert_string_equal(troupe_flat_text(done, done->reply), "kept in the record");
        }
    }
}

static void only_the_holder_can_end_a_message(void **state)
{
    (void)state;
    uint64_t id = send("work");
    finish(id, "");
    expect_refusal(ORG_REFUSED_NOT_HELD);
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_FINISH, "ben", (struct org_about){.id = id});
    expect_refusal(ORG_REFUSED_NOT_HOLDER);
    assert_string_equal(desk.answer.holder, "ann");
    finish(id + 1, "");
    expect_refusal(ORG_REFUSED_UNKNOWN);
}

static void answers_end_at_their_limits(void **state)
{
    (void)state;
    static char text[ORG_BODY_LEN_MAX + 2];
    uint64_t id = send("work");
    desk_next(&desk, "ann", 1);
    memset(text, 'x', ORG_BODY_LEN_MAX + 1);
    finish(id, text);
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    text[ORG_REASON_LEN_MAX + 1] = '\0';
    desk_about(&desk, ORG_DECLINE, "ann", (struct org_about){.id = id, .text = text});
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "ops", .text = text});
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    text[ORG_REASON_LEN_MAX] = '\0';
    desk_about(&desk, ORG_DECLINE, "ann", (struct org_about){.id = id, .text = text});
    assert_int_equal(desk_state(&desk, id), ORG_DECLINED);
}

static void forwarded_message_goes_on_with_its_sender_and_thread(void **state)
{
    (void)state;
    uint64_t id = desk_send_with(&desk, "zoe",
                                 (struct org_send){.sender = "@zoe",
                                                   .thread = 77,
                                                   .in_reply_to = 76,
                                                   .deadline = desk.now_ms + ORG_DAY_MS,
                                                   .message_class = ORG_URGENT,
                                                   .subject = "s",
                                                   .body = "b",
                                                   .attachments = "a"});
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "ops", .text = "yours"});
    assert_int_equal(desk_state(&desk, id), ORG_FORWARDED);
    assert_int_equal(desk.answer.sent_number, 1);
    const org_sent *sent = desk_owed(&desk);
    assert_string_equal(owed_text(sent, sent->to), "ops");
    assert_string_equal(owed_text(sent, sent->sender), "@zoe");
    assert_string_equal(owed_text(sent, sent->subject), "s");
    assert_string_equal(owed_text(sent, sent->body), "b");
    assert_string_equal(owed_text(sent, sent->attachments), "a");
    assert_string_equal(owed_text(sent, sent->note), "yours");
    assert_true(sent->thread == 77 && sent->in_reply_to == 76 && sent->origin_id == id);
    assert_true(sent->deadline == DESK_START_MS + ORG_DAY_MS);
    assert_int_equal(sent->message_class, ORG_URGENT);
    assert_int_equal(sent->hops, 1);
    assert_int_equal(sent->kind, ORG_KIND_MESSAGE);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "ops", .text = "yours"});
    assert_true(desk.answer.is_duplicate);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "ops2", .text = "yours"});
    expect_refusal(ORG_REFUSED_ENDED);
}

static void message_cannot_be_forwarded_to_where_it_is_or_to_no_address(void **state)
{
    (void)state;
    uint64_t id = send("work");
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "docs"});
    expect_refusal(ORG_REFUSED_SAME_ROLE);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "No Role"});
    expect_refusal(ORG_REFUSED_MALFORMED);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id});
    expect_refusal(ORG_REFUSED_MALFORMED);
}

static void message_is_forwarded_sixteen_times_and_no_more(void **state)
{
    (void)state;
    struct desk other;
    struct desk *const desks[] = {&desk, &other};
    desk_open(&other, "ops", 2, "ann");
    uint64_t id = send("hot potato");
    for (int hop = 0; hop < ORG_HOPS_MAX; hop++) {
        struct desk *here = desks[hop % 2];
        assert_true(desk_next(here, "ann", 1) != 0);
        desk_about(here, ORG_FORWARD, "ann",
                   (struct org_about){.id = here->answer.id, .to = hop % 2 == 0 ? "ops" : "docs"});
        assert_int_equal(here->answer.state, ORG_FORWARDED);
        assert_int_equal(desks_deliver(desks, 2), 1);
    }
    id = desk_next(&desk, "ann", 1);
    assert_true(id != 0);
    desk_about(&desk, ORG_FORWARD, "ann", (struct org_about){.id = id, .to = "ops"});
    expect_refusal(ORG_REFUSED_HOPS);
    finish(id, "caught");
    const org_sent *told = desk_owed(&desk);
    assert_string_equal(owed_text(told, told->to), "@zoe");
    desk_done(&other);
}

static void renewed_lease_is_whole_again(void **state)
{
    (void)state;
    uint64_t id = send("long work");
    desk_next(&desk, "ann", 1);
    desk_wait(&desk, ORG_DAY_MS);
    desk_about(&desk, ORG_RENEW, "ann", (struct org_about){.id = id});
    assert_true(desk.answer.lease_until == desk.now_ms + ORG_LEASE_PERSON_MS);
    assert_true(org_role_due_ms(desk.role) == desk.now_ms + ORG_LEASE_PERSON_MS);
    desk_wait(&desk, ORG_LEASE_PERSON_MS - 1);
    assert_int_equal(desk_state(&desk, id), ORG_HELD);
    desk_about(&desk, ORG_RENEW, "ben", (struct org_about){.id = id});
    expect_refusal(ORG_REFUSED_NOT_HOLDER);
}

/* How long Ann holds what she takes, and what she renews then, as `worker`; 0 where it was not so long. */
static int64_t lease_of(uint8_t worker)
{
    uint64_t id = send("mixed");
    desk_do(&desk, &(struct org_command){
                       .kind = ORG_NEXT, .who = {"ann", NULL}, .next = {.wip_limit = 1, .worker = worker}});
    int64_t lease_ms = desk.answer.lease_until - desk.now_ms;
    desk_about(&desk, ORG_RENEW, "ann", (struct org_about){.id = id, .worker = worker});
    bool is_same = desk.answer.lease_until - desk.now_ms == lease_ms;
    desk_about(&desk, ORG_FINISH, "ann", (struct org_about){.id = id});
    return is_same ? lease_ms : 0;
}

static void default_lease_is_that_of_who_works_and_not_of_the_roles_first(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.holder_kind = ORG_PROGRAM}, "robot ann");
    desk_present(&desk, "robot", false);
    assert_int_equal(lease_of(0), ORG_LEASE_PROGRAM_MS);
    assert_int_equal(lease_of(1 + ORG_PROGRAM), ORG_LEASE_PROGRAM_MS);
    assert_int_equal(lease_of(1 + ORG_PERSON), ORG_LEASE_PERSON_MS);
    desk_configure(&desk, (struct org_configure){.holder_kind = ORG_PROGRAM, .lease_ms = 7000}, "ann");
    assert_int_equal(lease_of(1 + ORG_PERSON), 7000);
    desk_configure(&desk, (struct org_configure){.holder_kind = ORG_PERSON}, "ann");
    assert_int_equal(lease_of(1 + ORG_PROGRAM), ORG_LEASE_PROGRAM_MS);
}

static void deferred_message_is_parked_and_comes_back_first_in_its_class(void **state)
{
    (void)state;
    uint64_t first = send("first");
    uint64_t second = send("second");
    uint64_t urgent = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    desk_next(&desk, "ann", 3);
    desk_next(&desk, "ann", 3);
    desk_next(&desk, "ann", 3);
    finish(urgent, "");
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = first, .is_crash = true});
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = second, .until = desk.now_ms + ORG_HOUR_MS});
    assert_int_equal(desk_state(&desk, second), ORG_PARKED);
    assert_true(org_role_find(desk.role, second)->parked_until == desk.now_ms + ORG_HOUR_MS);
    desk_wait(&desk, ORG_HOUR_MS - 1);
    assert_int_equal(desk_state(&desk, second), ORG_PARKED);
    assert_int_equal(desk_state(&desk, first), ORG_QUEUED);
    desk_wait(&desk, 1);
    assert_int_equal(desk_state(&desk, second), ORG_QUEUED);
    assert_true(desk_next(&desk, "ann", 3) == second);
    assert_true(desk_next(&desk, "ann", 3) == first);
    assert_int_equal(org_role_find(desk.role, second)->attempts, 0);
}

static void deferring_needs_a_time_within_its_limits(void **state)
{
    (void)state;
    uint64_t id = send("later");
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .until = desk.now_ms});
    expect_refusal(ORG_REFUSED_TIME);
    desk_about(&desk, ORG_DEFER, "ann",
               (struct org_about){.id = id, .until = desk.now_ms + ORG_DEFER_MAX_MS + 1});
    expect_refusal(ORG_REFUSED_TIME);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .after_ms = ORG_DEFER_MAX_MS + 1});
    expect_refusal(ORG_REFUSED_TIME);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .after_ms = -1});
    expect_refusal(ORG_REFUSED_TIME);
    desk_about(&desk, ORG_DEFER, "ann",
               (struct org_about){.id = id, .until = desk.now_ms + ORG_DEFER_MAX_MS});
    assert_int_equal(desk_state(&desk, id), ORG_PARKED);
}

static void deferring_for_a_time_from_now_is_that_time_later(void **state)
{
    (void)state;
    uint64_t id = send("later");
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .after_ms = ORG_DEFER_MAX_MS});
    assert_int_equal(desk_state(&desk, id), ORG_PARKED);
    assert_int_equal(org_role_find(desk.role, id)->parked_until, desk.now_ms + ORG_DEFER_MAX_MS);
}

static void parked_messages_count_against_capacity_only_beyond_as_many_again(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.capacity = 2}, "ann");
    for (int i = 0; i < 2; i++) {
        uint64_t id = send("to park");
        desk_next(&desk, "ann", 1);
        desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .until = desk.now_ms + ORG_DAY_MS});
    }
    assert_int_equal(desk_counts(&desk).occupied, 0);
    uint64_t third = send("third");
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = third, .until = desk.now_ms + ORG_DAY_MS});
    assert_int_equal(desk_counts(&desk).occupied, 1);
    assert_true(send("fourth") != 0);
    assert_int_equal(send("fifth"), 0);
    expect_refusal(ORG_REFUSED_FULL);
}

/* --- deadlines ----------------------------------------------------------------------------------- */

static void deadline_ends_what_waits_and_tells_the_sender(void **state)
{
    (void)state;
    uint64_t queued = desk_send_with(
        &desk, "zoe",
        (struct org_send){.sender = "@zoe", .subject = "in time", .deadline = desk.now_ms + ORG_HOUR_MS});
    assert_true(org_role_due_ms(desk.role) == desk.now_ms + ORG_HOUR_MS);
    desk_wait(&desk, ORG_HOUR_MS - 1);
    assert_int_equal(desk_state(&desk, queued), ORG_QUEUED);
    desk_wait(&desk, 1);
    assert_int_equal(desk_state(&desk, queued), ORG_EXPIRED);
    const org_sent *told = desk_owed(&desk);
    assert_int_equal(told->outcome, ORG_EXPIRED);
    assert_string_equal(owed_text(told, told->to), "@zoe");
}

static void deadline_does_not_end_what_is_held(void **state)
{
    (void)state;
    uint64_t id = desk_send_with(&desk, "zoe", (struct org_send){.deadline = desk.now_ms + ORG_HOUR_MS});
    desk_next(&desk, "ann", 1);
    desk_wait(&desk, 2 * ORG_HOUR_MS);
    assert_int_equal(desk_state(&desk, id), ORG_HELD);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = id, .until = desk.now_ms + ORG_HOUR_MS});
    desk_wait(&desk, 0);
    assert_int_equal(desk_state(&desk, id), ORG_EXPIRED);
}

/* --- presence ------------------------------------------------------------------------------------ */

static void going_away_returns_what_was_held_in_its_old_place(void **state)
{
    (void)state;
    uint64_t first = send("first");
    uint64_t second = send("second");
    assert_true(desk_next(&desk, "ann", 1) == first);
    desk_present(&desk, "ann", false);
    assert_int_equal(desk_state(&desk, first), ORG_QUEUED);
    assert_int_equal(org_role_find(desk.role, first)->cause, ORG_CAUSE_ABSENCE);
    assert_int_equal(org_role_find(desk.role, first)->attempts, 0);
    assert_true(desk_next(&desk, "ben", 2) == first);
    assert_true(desk_next(&desk, "ben", 2) == second);
    desk_present(&desk, "ann", false);
    assert_true(desk.answer.is_duplicate);
    desk_present(&desk, "ann", true);
    assert_string_equal(org_role_view(desk.role).holder, "ann");
    assert_int_equal(desk_state(&desk, first), ORG_HELD); /* the deputy goes on with what it holds */
}

static void leaving_the_succession_returns_what_was_held(void **state)
{
    (void)state;
    uint64_t id = send("work");
    desk_next(&desk, "ann", 1);
    desk_configure(&desk, (struct org_configure){.capacity = 5}, "ben");
    assert_int_equal(desk_state(&desk, id), ORG_QUEUED);
    assert_true(desk_next(&desk, "ben", 1) == id);
}

static void messages_keep_their_place_while_many_actors_come(void **state)
{
    (void)state;
    uint64_t held = send("held");
    uint64_t assigned = send("assigned");
    desk_next(&desk, "ann", 2);
    desk_next(&desk, "ann", 2);
    desk_about(&desk, ORG_RENEW, "ann", (struct org_about){.id = held});
    desk_configure(&desk, (struct org_configure){.on_crash = ORG_ACTION_REASSIGN}, "ann ben");
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = assigned, .is_crash = true});
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof(name), "visitor-%d", i);
        desk_present(&desk, name, false);
    }
    assert_true(desk_next(&desk, "ben", 1) == assigned);
    finish(held, "");
    assert_int_equal(desk_state(&desk, held), ORG_DONE);
}

/* --- the journal and memory ---------------------------------------------------------------------- */

static void records_of_other_types_and_versions_are_not_replayed(void **state)
{
    (void)state;
    struct org_role *role;
    struct record record;
    struct record_cursor cursor = record_cursor_of(&desk.journal);
    assert_int_equal(org_role_new("docs", &role), TROUPE_OK);
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    record.type ^= 1;
    assert_int_equal(org_role_replay(role, &record), TROUPE_UNEXPECTED);
    record.type ^= 1;
    record.version++;
    assert_int_equal(org_role_replay(role, &record), TROUPE_UNEXPECTED);
    record.version--;
    record.size -= 8;
    assert_int_equal(org_role_replay(role, &record), TROUPE_MALFORMED);
    record.size += 8;
    assert_int_equal(org_role_replay(role, &record), TROUPE_OK);
    org_role_free(role);
}

static void records_that_do_not_fit_are_told_and_change_nothing(void **state)
{
    (void)state;
    struct org_role *role;
    struct record record;
    const char *reason = "";
    uint64_t id = send("once");
    desk_next(&desk, "ann", 1);
    finish(id, "");
    struct record_cursor cursor = record_cursor_of(&desk.journal);
    assert_int_equal(org_role_new("docs", &role), TROUPE_OK);
    uint64_t expected = 0;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        assert_int_equal(org_role_replay(role, &record), TROUPE_OK);
        if (record.type == org_role_configured_type.id)
            continue; /* the same configuration again is no contradiction */
        assert_int_equal(org_role_replay(role, &record), TROUPE_OK);
        expected++;
    }
    assert_int_equal(org_role_counts(role).misfits, expected);
    assert_int_equal(org_role_counts(role).accepted, 1);
    assert_int_equal(org_role_counts(role).done, 1);
    assert_false(org_role_check(role, &reason));
    assert_string_equal(reason, "a record did not fit the state");
    org_role_free(role);
}

static void decision_that_is_not_folded_leaves_no_trace(void **state)
{
    (void)state;
    struct org_answer answer;
    struct org_command command = {
        .kind = ORG_SEND, .who = {"zoe", NULL}, .send = {.id = 5, .subject = "dropped"}};
    struct record_batch batch = {0};
    assert_int_equal(org_role_decide(desk.role, &command, desk.now_ms, &batch, &answer), TROUPE_OK);
    assert_int_equal(batch.count, 1);
    record_batch_done(&batch);
    assert_int_equal(desk_counts(&desk).accepted, 0);
    assert_true(send("kept") != 0);
    assert_int_equal(desk_counts(&desk).accepted, 1);
}

static void names_that_are_no_addresses_make_no_role(void **state)
{
    (void)state;
    struct org_role *role;
    assert_int_equal(org_role_new("Not A Role", &role), TROUPE_INVALID);
    assert_int_equal(org_role_new("", &role), TROUPE_INVALID);
    org_role_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(next_is_the_highest_class_then_the_oldest),
        TEST(old_message_counts_one_class_higher),
        TEST(holder_at_the_limit_gets_back_what_it_holds),
        TEST(limit_defaults_to_one_and_counts_other_roles),
        TEST(only_the_active_holder_gets_work),
        TEST(done_with_a_reply_answers_the_sender_once),
        TEST(same_command_again_is_answered_and_does_nothing),
        TEST(declined_message_tells_the_sender_why),
        TEST(message_without_a_sender_owes_nobody_an_answer),
        TEST(only_the_holder_can_end_a_message),
        TEST(answers_end_at_their_limits),
        TEST(forwarded_message_goes_on_with_its_sender_and_thread),
        TEST(message_cannot_be_forwarded_to_where_it_is_or_to_no_address),
        TEST(message_is_forwarded_sixteen_times_and_no_more),
        TEST(renewed_lease_is_whole_again),
        TEST(default_lease_is_that_of_who_works_and_not_of_the_roles_first),
        TEST(deferred_message_is_parked_and_comes_back_first_in_its_class),
        TEST(deferring_needs_a_time_within_its_limits),
        TEST(deferring_for_a_time_from_now_is_that_time_later),
        TEST(parked_messages_count_against_capacity_only_beyond_as_many_again),
        TEST(deadline_ends_what_waits_and_tells_the_sender),
        TEST(deadline_does_not_end_what_is_held),
        TEST(going_away_returns_what_was_held_in_its_old_place),
        TEST(leaving_the_succession_returns_what_was_held),
        TEST(messages_keep_their_place_while_many_actors_come),
        TEST(records_of_other_types_and_versions_are_not_replayed),
        TEST(records_that_do_not_fit_are_told_and_change_nothing),
        TEST(decision_that_is_not_folded_leaves_no_trace),
        TEST(names_that_are_no_addresses_make_no_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

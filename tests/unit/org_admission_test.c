/* SPDX-License-Identifier: MIT */
/*
 * Facts about setting a role up and about admission: what a sender is told. One thread.
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

static const char *subject_of(uint64_t id)
{
    const struct org_message *message = org_role_find(desk.role, id);
    assert_non_null(message);
    return org_message_text(message, message->accepted->subject);
}

/* --- setting up ---------------------------------------------------------------------------------- */

static void unopened_role_takes_nothing(void **state)
{
    (void)state;
    struct desk closed;
    desk_init(&closed, "docs", 1);
    desk_send(&closed, "zoe", ORG_NORMAL, "early");
    assert_int_equal(closed.answer.kind, ORG_ANSWER_REFUSED);
    assert_int_equal(closed.answer.refusal, ORG_REFUSED_CLOSED);
    desk_next(&closed, "ann", 1);
    assert_int_equal(closed.answer.refusal, ORG_REFUSED_CLOSED);
    assert_false(org_role_view(closed.role).is_open);
    desk_done(&closed);
}

static void first_configuration_opens_and_the_same_again_changes_nothing(void **state)
{
    (void)state;
    struct org_role_view view = org_role_view(desk.role);
    assert_true(view.is_open);
    assert_string_equal(view.name, "docs");
    assert_string_equal(view.supervisor, "");
    assert_string_equal(view.holder, "ann");
    assert_int_equal(view.holder_count, 2);
    assert_int_equal(view.capacity, ORG_CAPACITY_PERSON);
    assert_true(view.lease_ms == ORG_LEASE_PERSON_MS);
    assert_true(view.bytes_max == ORG_BYTES_DEFAULT);
    assert_string_equal(org_role_holder(desk.role, 1, NULL), "ben");
    assert_null(org_role_holder(desk.role, 2, NULL));
    desk_configure(&desk, (struct org_configure){.seed = {9, 9}}, "ann ben");
    assert_true(desk.answer.is_duplicate);
    assert_int_equal(desk.records, 0);
    desk_configure(&desk, (struct org_configure){.holder_kind = ORG_PROGRAM}, "bot");
    view = org_role_view(desk.role);
    assert_string_equal(view.holder, "bot");
    assert_int_equal(view.capacity, ORG_CAPACITY_PROGRAM);
    assert_true(view.lease_ms == ORG_LEASE_PROGRAM_MS);
    assert_int_equal(desk_recorded(&desk, &org_role_opened_type), 1);
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    const char *const twice[] = {"ann", "ann"};
    const char *const bad[] = {"Ann"};
    const char *many[ORG_SUCCESSION_MAX + 1];
    static char names[ORG_SUCCESSION_MAX + 1][8];
    for (size_t i = 0; i < ORG_SUCCESSION_MAX + 1; i++) {
        snprintf(names[i], sizeof(names[i]), "p%zu", i);
        many[i] = names[i];
    }
    const struct org_configure bads[] = {
        {.holders = twice, .holder_count = 2},
        {.holders = bad, .holder_count = 1},
        {.holders = many, .holder_count = ORG_SUCCESSION_MAX + 1},
        {.supervisor = "docs"},
        {.supervisor = "not a role"},
        {.overflow = ORG_OVERFLOW_REDIRECT},
        {.overflow = ORG_OVERFLOW_REDIRECT, .redirect_to = "docs"},
        {.redirect_to = "other"},
        {.overflow = (enum org_overflow)3},
        {.capacity = ORG_CAPACITY_MAX + 1},
        {.bytes_max = ORG_BYTES_MAX + 1},
        {.lease_ms = ORG_LEASE_MAX_MS + 1},
        {.lease_ms = -1},
        {.on_fail = ORG_ACTION_DONE},
        {.holder_kind = (enum org_holder_kind)2},
    };
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        desk_configure(&desk, bads[i], NULL);
        expect_refusal(ORG_REFUSED_CONFIGURATION);
    }
    desk_configure(&desk, (struct org_configure){.holders = many, .holder_count = ORG_SUCCESSION_MAX}, NULL);
    assert_int_equal(org_role_view(desk.role).holder_count, ORG_SUCCESSION_MAX);
}

static void actor_must_be_named_well(void **state)
{
    (void)state;
    desk_send(&desk, "Not A Name", ORG_NORMAL, "x");
    expect_refusal(ORG_REFUSED_MALFORMED);
    struct org_command command = {.kind = ORG_NEXT, .who = {NULL, NULL}};
    desk_do(&desk, &command);
    expect_refusal(ORG_REFUSED_MALFORMED);
    command.who = (struct org_who){"ann", "@admin"};
    desk_do(&desk, &command);
    expect_refusal(ORG_REFUSED_MALFORMED);
}

/* --- admission ----------------------------------------------------------------------------------- */

static void accepted_message_has_a_receipt_with_its_position(void **state)
{
    (void)state;
    uint64_t first = send("first");
    assert_true(first != 0);
    assert_int_equal(desk.answer.position, 1);
    assert_true(desk.answer.wait_median_ms == -1 && desk.answer.wait_p95_ms == -1);
    assert_string_equal(desk.answer.holder, "ann");
    assert_int_equal(desk.answer.availability, ORG_AVAILABLE);
    send("second");
    assert_int_equal(desk.answer.position, 2);
    desk_send(&desk, "zoe", ORG_URGENT, "third");
    assert_int_equal(desk.answer.position, 1);
    desk_send(&desk, "zoe", ORG_BULK, "fourth");
    assert_int_equal(desk.answer.position, 4);
    assert_int_equal(desk_state(&desk, first), ORG_QUEUED);
    assert_string_equal(subject_of(first), "first");
}

static void availability_says_whether_anybody_is_there(void **state)
{
    (void)state;
    desk_present(&desk, "ann", false);
    send("to ben");
    assert_string_equal(desk.answer.holder, "ben");
    desk_present(&desk, "ben", false);
    send("to nobody present");
    assert_null(desk.answer.holder);
    assert_int_equal(desk.answer.availability, ORG_ABSENT);
    desk_configure(&desk, (struct org_configure){.capacity = 20}, "");
    send("to nobody at all");
    assert_int_equal(desk.answer.availability, ORG_VACANT);
}

static void wait_is_stated_from_five_completions_on(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        uint64_t id = send("work");
        assert_true((desk.answer.wait_median_ms == -1) == (i <= 5));
        desk_next(&desk, "ann", 1);
        desk_wait(&desk, i * ORG_MINUTE_MS);
        finish(id, "");
    }
    send("and now");
    /* six waits of 1 to 6 minutes: the third is the median, the last the 95th percentile */
    assert_true(desk.answer.wait_median_ms == 3 * ORG_MINUTE_MS);
    assert_true(desk.answer.wait_p95_ms == 6 * ORG_MINUTE_MS);
}

static void full_mailbox_refuses_and_says_when_to_try_again(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        uint64_t id = send("quick");
        desk_next(&desk, "ann", 1);
        desk_wait(&desk, ORG_MINUTE_MS);
        finish(id, "");
    }
    for (int i = 0; i < ORG_CAPACITY_PERSON; i++)
        assert_true(send("fill") != 0);
    assert_int_equal(send("too much"), 0);
    expect_refusal(ORG_REFUSED_FULL);
    assert_int_equal(desk.answer.occupied, ORG_CAPACITY_PERSON);
    assert_int_equal(desk.answer.capacity, ORG_CAPACITY_PERSON);
    assert_true(desk.answer.retry_at == desk.now_ms + ORG_MINUTE_MS);
    desk_next(&desk, "ann", 1);
    assert_int_equal(send("held counts too"), 0);
}

static void ended_messages_make_room(void **state)
{
    (void)state;
    for (int i = 0; i < ORG_CAPACITY_PERSON; i++)
        send("fill");
    assert_int_equal(send("too much"), 0);
    uint64_t id = desk_next(&desk, "ann", 1);
    finish(id, "");
    assert_true(send("fits") != 0);
}

static void person_may_insist_and_a_program_may_not(void **state)
{
    (void)state;
    for (int i = 0; i < ORG_CAPACITY_PERSON; i++)
        send("fill");
    struct org_send insisting = {.subject = "must", .is_insisted = true};
    assert_int_equal(desk_send_with(&desk, "bot", insisting), 0);
    expect_refusal(ORG_REFUSED_FULL);
    insisting.is_person = true;
    uint64_t id = desk_send_with(&desk, "zoe", insisting);
    assert_true(id != 0);
    assert_true(org_role_find(desk.role, id)->accepted->is_insisted);
    assert_int_equal(desk_counts(&desk).insisted, 1);
}

static void insisting_is_recorded_only_when_it_was_needed(void **state)
{
    (void)state;
    uint64_t id = desk_send_with(&desk, "zoe",
                                 (struct org_send){.subject = "x", .is_person = true, .is_insisted = true});
    assert_false(org_role_find(desk.role, id)->accepted->is_insisted);
    assert_int_equal(desk_counts(&desk).insisted, 0);
}

static void bytes_are_bounded_like_messages(void **state)
{
    (void)state;
    char body[101];
    memset(body, 'x', 100);
    body[100] = '\0';
    desk_configure(&desk, (struct org_configure){.bytes_max = 250}, "ann");
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.body = body}) != 0);
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.body = body}) != 0);
    assert_int_equal(desk_counts(&desk).bytes, 200);
    assert_int_equal(desk_send_with(&desk, "zoe", (struct org_send){.body = body}), 0);
    expect_refusal(ORG_REFUSED_FULL);
    body[50] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.body = body}) != 0);
    uint64_t id = desk_next(&desk, "ann", 1);
    finish(id, "");
    assert_int_equal(desk_counts(&desk).bytes, 150);
}

static void message_larger_than_the_mailbox_is_refused_for_good(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.bytes_max = 10}, "ann");
    desk_send_with(&desk, "zoe",
                   (struct org_send){.body = "0123456789", .is_person = true, .is_insisted = true});
    assert_int_equal(desk.answer.kind, ORG_ANSWER_ACCEPTED);
    desk_send_with(&desk, "zoe",
                   (struct org_send){.body = "0123456789a", .is_person = true, .is_insisted = true});
    expect_refusal(ORG_REFUSED_TOO_LARGE);
}

static void redirecting_role_names_the_other_one(void **state)
{
    (void)state;
    desk_configure(
        &desk,
        (struct org_configure){.capacity = 1, .overflow = ORG_OVERFLOW_REDIRECT, .redirect_to = "spare"},
        "ann");
    assert_true(send("fits") != 0);
    assert_int_equal(send("does not"), 0);
    assert_int_equal(desk.answer.kind, ORG_ANSWER_REDIRECTED);
    assert_string_equal(desk.answer.redirect_to, "spare");
    assert_int_equal(desk.records, 0);
}

static void shedding_role_pushes_out_the_newest_of_the_lowest_class(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.capacity = 3, .overflow = ORG_OVERFLOW_SHED}, "ann");
    uint64_t old_bulk = desk_send(&desk, "zoe", ORG_BULK, "old bulk");
    uint64_t new_bulk = desk_send(&desk, "yan", ORG_BULK, "new bulk");
    uint64_t normal = desk_send(&desk, "zoe", ORG_NORMAL, "normal");
    assert_int_equal(desk_send(&desk, "zoe", ORG_BULK, "no lower class"), 0);
    expect_refusal(ORG_REFUSED_FULL);
    uint64_t urgent = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    assert_true(urgent != 0);
    assert_int_equal(desk_state(&desk, new_bulk), ORG_SHED);
    assert_int_equal(desk_state(&desk, old_bulk), ORG_QUEUED);
    const org_sent *told = desk_owed(&desk);
    assert_string_equal(owed_text(told, told->to), "@yan");
    assert_int_equal(told->outcome, ORG_SHED);
    assert_true(told->origin_id == new_bulk);
    desk_send(&desk, "zoe", ORG_NORMAL, "normal again");
    assert_int_equal(desk_state(&desk, old_bulk), ORG_SHED);
    desk_send(&desk, "zoe", ORG_URGENT, "urgent again");
    assert_true(desk_state(&desk, normal) == ORG_QUEUED); /* the newer normal one went */
    assert_int_equal(desk_counts(&desk).shed, 3);
}

static void texts_end_at_their_limits(void **state)
{
    (void)state;
    static char text[ORG_BODY_LEN_MAX + 2];
    memset(text, 'x', sizeof(text) - 1);
    text[ORG_BODY_LEN_MAX] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.body = text}) != 0);
    text[ORG_BODY_LEN_MAX] = 'x';
    assert_int_equal(desk_send_with(&desk, "zoe", (struct org_send){.body = text}), 0);
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    text[ORG_SUBJECT_LEN_MAX] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.subject = text}) != 0);
    text[ORG_SUBJECT_LEN_MAX] = 'x';
    text[ORG_SUBJECT_LEN_MAX + 1] = '\0';
    assert_int_equal(desk_send_with(&desk, "zoe", (struct org_send){.subject = text}), 0);
    expect_refusal(ORG_REFUSED_TOO_LARGE);
    text[ORG_KEY_LEN_MAX] = '\0';
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.key = text}) != 0);
    text[ORG_KEY_LEN_MAX] = 'x';
    text[ORG_KEY_LEN_MAX + 1] = '\0';
    assert_int_equal(desk_send_with(&desk, "zoe", (struct org_send){.key = text}), 0);
    expect_refusal(ORG_REFUSED_TOO_LARGE);
}

static void malformed_texts_are_refused(void **state)
{
    (void)state;
    const struct org_send bads[] = {
        {.subject = "two\nlines"}, {.subject = "\xff"},       {.body = "bell\a"},
        {.sender = "Not A Role"},  {.attachments = "\x1b[m"}, {.message_class = (enum org_class)3},
    };
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        assert_int_equal(desk_send_with(&desk, "zoe", bads[i]), 0);
        expect_refusal(ORG_REFUSED_MALFORMED);
    }
}

static void deadline_must_lie_ahead(void **state)
{
    (void)state;
    assert_int_equal(desk_send_with(&desk, "zoe", (struct org_send){.deadline = desk.now_ms}), 0);
    expect_refusal(ORG_REFUSED_TIME);
    assert_true(desk_send_with(&desk, "zoe", (struct org_send){.deadline = desk.now_ms + 1}) != 0);
}

static void id_of_another_message_is_refused(void **state)
{
    (void)state;
    uint64_t id = send("first");
    desk_send_with(&desk, "zoe", (struct org_send){.id = id, .subject = "second"});
    expect_refusal(ORG_REFUSED_ID_TAKEN);
}

/* --- the same key again -------------------------------------------------------------------------- */

static void same_key_with_the_same_content_gives_the_first_receipt_for_ever(void **state)
{
    (void)state;
    struct org_send keyed = {.key = "k1", .subject = "once", .body = "only"};
    send("before it");
    uint64_t id = desk_send_with(&desk, "zoe", keyed);
    assert_int_equal(desk.answer.position, 2);
    send("after it");
    assert_true(desk_send_with(&desk, "zoe", keyed) == id);
    assert_true(desk.answer.is_duplicate);
    assert_int_equal(desk.answer.position, 2);
    assert_int_equal(desk.answer.state, ORG_QUEUED);
    for (int i = 0; i < 3; i++)
        finish(desk_next(&desk, "ann", 1), "");
    desk_wait(&desk, 400 * ORG_DAY_MS);
    assert_true(desk_send_with(&desk, "zoe", keyed) == id);
    assert_int_equal(desk.answer.state, ORG_DONE);
    assert_int_equal(desk_counts(&desk).accepted, 3);
}

static void same_key_with_another_content_is_refused(void **state)
{
    (void)state;
    struct org_send keyed = {.key = "k1", .subject = "once", .body = "only"};
    uint64_t id = desk_send_with(&desk, "zoe", keyed);
    struct org_send others[] = {keyed, keyed, keyed, keyed, keyed, keyed, keyed};
    others[0].subject = "twice";
    others[1].body = "onl";
    others[2].message_class = ORG_URGENT;
    others[3].deadline = desk.now_ms + 5;
    others[4].sender = "@zoe";
    others[5].attachments = "a";
    others[6].subject = "onceo"; /* the same bytes in another place */
    others[6].body = "nly";
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(desk_send_with(&desk, "zoe", others[i]), 0);
        expect_refusal(ORG_REFUSED_KEY_REUSED);
        assert_true(desk.answer.id == id);
    }
}

static void key_belongs_to_its_sender(void **state)
{
    (void)state;
    struct org_send keyed = {.key = "k1", .subject = "mine"};
    uint64_t zoe = desk_send_with(&desk, "zoe", keyed);
    keyed.subject = "yours";
    uint64_t yan = desk_send_with(&desk, "yan", keyed);
    assert_true(yan != 0 && yan != zoe);
    /* "zo" with "ek1" is not "zoe" with "k1" */
    keyed.key = "ek1";
    assert_true(desk_send_with(&desk, "zo", keyed) != 0);
    assert_false(desk.answer.is_duplicate);
}

static void refusal_is_not_remembered_by_its_key(void **state)
{
    (void)state;
    struct org_send keyed = {.key = "k1", .subject = "again"};
    for (int i = 0; i < ORG_CAPACITY_PERSON; i++)
        send("fill");
    assert_int_equal(desk_send_with(&desk, "zoe", keyed), 0);
    finish(desk_next(&desk, "ann", 1), "");
    assert_true(desk_send_with(&desk, "zoe", keyed) != 0);
    assert_false(desk.answer.is_duplicate);
}

static void known_key_is_answered_also_when_the_mailbox_is_full(void **state)
{
    (void)state;
    struct org_send keyed = {.key = "k1", .subject = "in"};
    uint64_t id = desk_send_with(&desk, "zoe", keyed);
    for (int i = 1; i < ORG_CAPACITY_PERSON; i++)
        send("fill");
    assert_int_equal(send("no room"), 0);
    assert_true(desk_send_with(&desk, "zoe", keyed) == id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unopened_role_takes_nothing),
        TEST(first_configuration_opens_and_the_same_again_changes_nothing),
        TEST(bad_configurations_are_refused),
        TEST(actor_must_be_named_well),
        TEST(accepted_message_has_a_receipt_with_its_position),
        TEST(availability_says_whether_anybody_is_there),
        TEST(wait_is_stated_from_five_completions_on),
        TEST(full_mailbox_refuses_and_says_when_to_try_again),
        TEST(ended_messages_make_room),
        TEST(person_may_insist_and_a_program_may_not),
        TEST(insisting_is_recorded_only_when_it_was_needed),
        TEST(bytes_are_bounded_like_messages),
        TEST(message_larger_than_the_mailbox_is_refused_for_good),
        TEST(redirecting_role_names_the_other_one),
        TEST(shedding_role_pushes_out_the_newest_of_the_lowest_class),
        TEST(texts_end_at_their_limits),
        TEST(malformed_texts_are_refused),
        TEST(deadline_must_lie_ahead),
        TEST(id_of_another_message_is_refused),
        TEST(same_key_with_the_same_content_gives_the_first_receipt_for_ever),
        TEST(same_key_with_another_content_is_refused),
        TEST(key_belongs_to_its_sender),
        TEST(refusal_is_not_remembered_by_its_key),
        TEST(known_key_is_answered_also_when_the_mailbox_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * org_notices_test.c: who is told that something waits, and when; never in quiet hours or on days off.
 * One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"

/* Monday to Friday, nine to five, in UTC; ORG_START_MS is a Tuesday at 22:13:20. */
static const struct org_hours office = {.days = 0x1f, .from_minute = 540, .to_minute = 1020};
#define MIDNIGHT_MS (ORG_START_MS / ORG_DAY_MS * ORG_DAY_MS)

static int64_t at(enum org_notices kind, uint16_t minute, const struct org_hours *hours,
                  enum org_class message_class, int64_t now_ms)
{
    struct org_notice_choice choice = {.kind = kind, .digest_minute = minute, .hours = hours};
    return org_notice_at(&choice, message_class, now_ms);
}

static void nobody_is_told_who_did_not_choose_to(void **state)
{
    (void)state;
    assert_true(at(ORG_NOTICES_NONE, 0, NULL, ORG_URGENT, ORG_START_MS) == INT64_MAX);
    assert_int_equal(org_directory_notices(org.directory, "ben").kind, ORG_NOTICES_NONE);
    assert_int_equal(org_directory_notices(org.directory, "nobody").kind, ORG_NOTICES_NONE);
}

static void urgent_only_is_of_urgent_messages_at_once_or_when_hours_begin(void **state)
{
    (void)state;
    int64_t wednesday = MIDNIGHT_MS + ORG_DAY_MS;
    assert_true(at(ORG_NOTICES_URGENT, 0, &office, ORG_NORMAL, ORG_START_MS) == INT64_MAX);
    assert_true(at(ORG_NOTICES_URGENT, 0, NULL, ORG_URGENT, ORG_START_MS) == ORG_START_MS);
    assert_true(at(ORG_NOTICES_URGENT, 0, &office, ORG_URGENT, ORG_START_MS) == wednesday + 9 * ORG_HOUR_MS);
    int64_t noon = wednesday + 12 * ORG_HOUR_MS;
    assert_true(at(ORG_NOTICES_URGENT, 0, &office, ORG_URGENT, noon) == noon);
    int64_t friday_five = wednesday + 2 * ORG_DAY_MS + 17 * ORG_HOUR_MS;
    assert_true(at(ORG_NOTICES_URGENT, 0, &office, ORG_URGENT, friday_five) ==
                friday_five + 2 * ORG_DAY_MS + 16 * ORG_HOUR_MS);
}

static void digest_is_at_its_minute_of_the_next_working_day(void **state)
{
    (void)state;
    int64_t wednesday = MIDNIGHT_MS + ORG_DAY_MS;
    int64_t ten = 10 * ORG_HOUR_MS;
    assert_true(at(ORG_NOTICES_DIGEST, 600, &office, ORG_BULK, ORG_START_MS) == wednesday + ten);
    assert_true(at(ORG_NOTICES_DIGEST, 600, &office, ORG_BULK, wednesday + ten) == wednesday + ten);
    assert_true(at(ORG_NOTICES_DIGEST, 600, &office, ORG_URGENT, wednesday + ten + 1) ==
                wednesday + ten + ORG_DAY_MS);
    assert_true(at(ORG_NOTICES_DIGEST, 600, NULL, ORG_BULK, ORG_START_MS) == wednesday + ten);
}

static void digest_outside_the_hours_waits_for_them(void **state)
{
    (void)state;
    int64_t thursday = MIDNIGHT_MS + 2 * ORG_DAY_MS;
    int64_t saturday_ten = MIDNIGHT_MS + 4 * ORG_DAY_MS + 10 * ORG_HOUR_MS;
    assert_true(at(ORG_NOTICES_DIGEST, 20 * 60, &office, ORG_BULK, MIDNIGHT_MS + ORG_DAY_MS) ==
                thursday + 9 * ORG_HOUR_MS);
    assert_true(at(ORG_NOTICES_DIGEST, 600, &office, ORG_BULK, saturday_ten) ==
                saturday_ten + 2 * ORG_DAY_MS - ORG_HOUR_MS);
}

static void choose(const char *actor, enum org_notices kind, uint32_t minute)
{
    command((struct org_directory_command){
        .kind = ORG_SET_NOTICES, .notices = {.actor = actor, .kind = kind, .digest_minute = minute}});
}

static void choice_is_its_actors_and_administrators(void **state)
{
    (void)state;
    who.actor = "ben";
    choose("ben", ORG_NOTICES_DIGEST, 570);
    organisation_expect_done(&org, 1);
    assert_int_equal(org_directory_notices(org.directory, "ben").digest_minute, 570);
    assert_int_equal(org_directory_notices(org.mirror, "ben").kind, ORG_NOTICES_DIGEST);
    choose("ben", ORG_NOTICES_DIGEST, 570);
    organisation_expect_done(&org, 0);
    choose("cid", ORG_NOTICES_URGENT, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    who.actor = "ada";
    choose("ben", ORG_NOTICES_NONE, 0);
    organisation_expect_done(&org, 1);
    choose("cid", ORG_NOTICES_NONE, 0); /* as it is without a choice */
    organisation_expect_done(&org, 0);
    choose("nobody", ORG_NOTICES_NONE, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ACTOR);
}

static void choices_values_end_at_their_limits(void **state)
{
    (void)state;
    choose("ben", ORG_NOTICES_DIGEST, ORG_DAY_MINUTES - 1);
    organisation_expect_done(&org, 1);
    choose("ben", ORG_NOTICES_DIGEST, ORG_DAY_MINUTES);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    choose("ben", ORG_NOTICES_URGENT, 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    choose("ben", ORG_NOTICES_DIGEST + 1, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(nobody_is_told_who_did_not_choose_to),
        FACT(urgent_only_is_of_urgent_messages_at_once_or_when_hours_begin),
        FACT(digest_is_at_its_minute_of_the_next_working_day),
        FACT(digest_outside_the_hours_waits_for_them),
        FACT(choice_is_its_actors_and_administrators),
        FACT(choices_values_end_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

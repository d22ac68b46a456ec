/* SPDX-License-Identifier: MIT */
/*
 * Notices that go out: each is a record, tells of a message once, and is remembered by the number of the
 * newest message it told of. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"
#include "org/directory_notices.h"
#include "org/limits.h"

enum { NINE = 9 * 60 };

/* Monday to Friday, nine to five, in UTC; ORG_START_MS is a Tuesday at 22:13:20. */
static const struct org_hours office = {.days = 0x1f, .from_minute = NINE, .to_minute = 1020};
#define WEDNESDAY_MS ((ORG_START_MS / ORG_DAY_MS + 1) * ORG_DAY_MS)

static struct org_notice_role roles[ORG_NOTICE_ROLES_MAX + 1];
static size_t role_count;

static void choose(enum org_notices kind, uint32_t minute)
{
    command((struct org_directory_command){
        .kind = ORG_SET_NOTICES, .notices = {.actor = "ben", .kind = kind, .digest_minute = minute}});
    organisation_expect_done(&org, 1);
}

/* Ben holds docs, with a thousand messages before this one. */
static int open_docs(void **state)
{
    const char *holders[] = {"ben", "cid"};
    open_org(state);
    set_holders("docs", holders, 2);
    role_count = 1;
    roles[0] = (struct org_notice_role){"docs", 1, org.now_ms, 1, 1000};
    return 0;
}

static struct org_notice notice(void)
{
    return (struct org_notice){.actor = "ben", .hours = &office, .roles = roles, .role_count = role_count};
}

/* Commands the notice that would be due, and gives what went out. */
static enum org_notices tell(void)
{
    struct org_notice it = notice();
    struct org_notice_look look = org_directory_notice_look(org.directory, &it, org.now_ms);
    who.actor = "ben";
    command((struct org_directory_command){.kind = ORG_NOTICE, .notice = it});
    who.actor = "ada";
    organisation_expect_done(&org, look.due != ORG_NOTICES_NONE);
    return look.due;
}

static int64_t again_at(void)
{
    struct org_notice it = notice();
    struct org_notice_look look = org_directory_notice_look(org.directory, &it, org.now_ms);
    assert_int_equal(look.due, ORG_NOTICES_NONE);
    return look.again_at;
}

/* The notice with a number, in the organisation and its mirror. */
static struct org_notice_view told(uint64_t number)
{
    struct org_notice_view here;
    struct org_notice_view there;
    assert_true(org_directory_notice(org.directory, "ben", number - 1, &here));
    assert_true(org_directory_notice(org.mirror, "ben", number - 1, &there));
    assert_int_equal(here.number, number);
    assert_int_equal(there.number, number);
    assert_string_equal(here.roles, there.roles);
    return here;
}

static void expect_role(const char **cursor, const char *role, uint64_t queued, uint64_t urgent)
{
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role got;
    assert_true(org_notice_next_role(cursor, name, &got));
    assert_string_equal(name, role);
    assert_int_equal(got.queued, queued);
    assert_int_equal(got.urgent, urgent);
}

static void expect_no_more(const char *cursor)
{
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role got;
    assert_false(org_notice_next_role(&cursor, name, &got));
}

static void nobody_is_told_without_a_choice(void **state)
{
    (void)state;
    org.now_ms = WEDNESDAY_MS + 12 * ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    assert_int_equal(org_directory_notice_last(org.directory, "ben"), 0);
    choose(ORG_NOTICES_URGENT, 0);
    choose(ORG_NOTICES_NONE, 0);
    assert_int_equal(again_at(), INT64_MAX);
}

static void urgent_message_is_told_of_once(void **state)
{
    (void)state;
    choose(ORG_NOTICES_URGENT, 0);
    assert_int_equal(again_at(), WEDNESDAY_MS + NINE * ORG_MINUTE_MS);
    org.now_ms = WEDNESDAY_MS + NINE * ORG_MINUTE_MS - 1;
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    org.now_ms++;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    const char *cursor = told(1).roles;
    expect_role(&cursor, "docs", 1, 1);
    expect_no_more(cursor);
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    roles[0].queued = 2; /* a normal one */
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    roles[0].urgent = 2;
    roles[0].urgent_last = 1001;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    assert_int_equal(org_directory_notice_last(org.mirror, "ben"), 2);
    roles[0].urgent = 1;
    roles[0].urgent_last = 1000; /* the newer one was taken, and the first still waits */
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    roles[0].urgent_last = 1001; /* it came back */
    assert_int_equal(tell(), ORG_NOTICES_NONE);
}

static void what_was_told_is_kept_through_notices_of_other_roles(void **state)
{
    (void)state;
    choose(ORG_NOTICES_URGENT, 0);
    org.now_ms = WEDNESDAY_MS + 12 * ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    for (uint64_t i = 0; i < ORG_NOTICES_KEPT; i++) {
        roles[0] = (struct org_notice_role){"@ben", 1, org.now_ms, 1, i + 1};
        assert_int_equal(tell(), ORG_NOTICES_URGENT);
    }
    struct org_notice_view view;
    assert_true(org_directory_notice(org.directory, "ben", 0, &view));
    assert_int_equal(view.number, 2); /* the first is kept no more */
    const char *cursor = view.roles;
    expect_role(&cursor, "@ben", 1, 1);
    expect_no_more(cursor); /* docs is remembered there, but not told of */
    roles[0] = (struct org_notice_role){"docs", 1, org.now_ms, 1, 1000};
    assert_int_equal(tell(), ORG_NOTICES_NONE);
}

static void whoever_holds_a_role_no_more_forgets_what_was_told(void **state)
{
    (void)state;
    choose(ORG_NOTICES_URGENT, 0);
    org.now_ms = WEDNESDAY_MS + 12 * ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    const char *cid[] = {"cid"};
    set_holders("docs", cid, 1);
    roles[0] = (struct org_notice_role){"@ben", 1, org.now_ms, 1, 1};
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    const char *both[] = {"cid", "ben"};
    set_holders("docs", both, 2);
    roles[0] = (struct org_notice_role){"docs", 1, org.now_ms, 1, 1000};
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
}

static void digest_tells_of_all_roles_and_of_their_urgent_messages_too(void **state)
{
    (void)state;
    choose(ORG_NOTICES_DIGEST, 10 * 60);
    roles[1] = (struct org_notice_role){"@ben", 3, org.now_ms - 1, 0, 0};
    role_count = 2;
    org.now_ms = WEDNESDAY_MS + 10 * ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_DIGEST);
    const char *cursor = told(1).roles;
    expect_role(&cursor, "docs", 1, 1);
    expect_role(&cursor, "@ben", 3, 0);
    expect_no_more(cursor);
    assert_int_equal(again_at(), org.now_ms + ORG_DAY_MS);
    choose(ORG_NOTICES_URGENT, 0);
    assert_int_equal(tell(), ORG_NOTICES_NONE); /* the digest had told of it */
    roles[0].urgent_last++;
    org.now_ms += ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    cursor = told(2).roles;
    expect_role(&cursor, "docs", 1, 1);
    expect_no_more(cursor);
    choose(ORG_NOTICES_DIGEST, 12 * 60); /* there was one today */
    org.now_ms += 2 * ORG_HOUR_MS;
    assert_int_equal(again_at(), WEDNESDAY_MS + 36 * ORG_HOUR_MS);
}

static void digest_that_is_chosen_after_its_hour_begins_the_next_day(void **state)
{
    (void)state;
    org.now_ms = WEDNESDAY_MS + 10 * ORG_HOUR_MS + 1;
    choose(ORG_NOTICES_DIGEST, 10 * 60);
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    assert_int_equal(again_at(), WEDNESDAY_MS + 34 * ORG_HOUR_MS);
    role_count = 0;
    assert_int_equal(again_at(), INT64_MAX);
}

static void whoever_is_away_is_told_after_the_last_of_their_absences(void **state)
{
    (void)state;
    int64_t noon = WEDNESDAY_MS + 12 * ORG_HOUR_MS;
    struct org_absence absences[] = {{noon + ORG_HOUR_MS, noon + 2 * ORG_HOUR_MS},
                                     {noon, noon + ORG_HOUR_MS}};
    choose(ORG_NOTICES_URGENT, 0);
    command((struct org_directory_command){
        .kind = ORG_SET_CALENDAR, .calendar = {.actor = "ben", .absences = absences, .absence_count = 2}});
    organisation_expect_done(&org, 1);
    assert_int_equal(org_directory_away_until(org.directory, "ben", noon - 1), 0);
    assert_int_equal(org_directory_away_until(org.directory, "ben", noon), noon + 2 * ORG_HOUR_MS);
    assert_int_equal(org_directory_away_until(org.directory, "ben", noon + 2 * ORG_HOUR_MS), 0);
    assert_int_equal(org_directory_away_until(org.directory, "nobody", noon), INT64_MAX);
    org.now_ms = noon;
    assert_int_equal(tell(), ORG_NOTICES_NONE);
    assert_int_equal(again_at(), noon + 2 * ORG_HOUR_MS);
    org.now_ms = noon + 2 * ORG_HOUR_MS;
    assert_int_equal(tell(), ORG_NOTICES_URGENT);
    command((struct org_directory_command){.kind = ORG_SET_PRESENCE, .presence = {.actor = "ben"}});
    assert_int_equal(org_directory_away_until(org.directory, "ben", org.now_ms), INT64_MAX);
}

static void refuse(struct org_notice it, const char *by, enum org_directory_refusal refusal)
{
    who.actor = by;
    command((struct org_directory_command){.kind = ORG_NOTICE, .notice = it});
    organisation_expect_refusal(&org, refusal);
}

static void notices_that_are_none_are_refused(void **state)
{
    (void)state;
    static char names[ORG_NOTICE_ROLES_MAX + 1][8];
    choose(ORG_NOTICES_DIGEST, 10 * 60);
    org.now_ms = WEDNESDAY_MS + 10 * ORG_HOUR_MS;
    struct org_notice it = notice();
    refuse(it, "ada", ORG_DIRECTORY_FORBIDDEN);
    it.actor = "nobody";
    refuse(it, "nobody", ORG_DIRECTORY_NO_ACTOR);
    it.actor = "bot";
    refuse(it, "bot", ORG_DIRECTORY_BAD_VALUE); /* it does not hold docs */
    it.actor = "ben";
    roles[0].queued = 0;
    refuse(it, "ben", ORG_DIRECTORY_BAD_VALUE);
    who.actor = "ada";
    const char *ben[] = {"ben"};
    for (size_t i = 0; i <= ORG_NOTICE_ROLES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "r%zu", i);
        set_role((struct org_set_role){.name = names[i], .holders = ben, .holder_count = 1});
        roles[i] = (struct org_notice_role){names[i], 1, org.now_ms, 1, 1};
    }
    it.role_count = ORG_NOTICE_ROLES_MAX + 1;
    refuse(it, "ben", ORG_DIRECTORY_TOO_MANY);
    it.role_count--;
    command((struct org_directory_command){.kind = ORG_NOTICE, .notice = it});
    organisation_expect_done(&org, 1);
    assert_non_null(strstr(told(1).roles, "r255 "));
}

/* A record as a damaged journal may have it. */
static troupe_status replay(org_noticed_fields fields)
{
    struct record_batch batch = {0};
    void *body;
    size_t size = troupe_flat_size(&org_noticed_type, &fields);
    assert_int_equal(record_batch_add(&batch, org_noticed_type.id, org_noticed_type.version, size, &body),
                     TROUPE_OK);
    troupe_flat_write(&org_noticed_type, &fields, body, size);
    struct record_cursor cursor = record_cursor_of(&batch);
    struct record record;
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    troupe_status status = org_directory_replay(org.directory, &record);
    record_batch_done(&batch);
    return status;
}

static void records_that_are_no_notices_are_not_replayed(void **state)
{
    (void)state;
    const org_noticed_fields good = {
        .at = 1, .number = 1, .by = "ben", .via = "", .actor = "ben", .roles = "docs 1 2 3 4", .kind = 1};
    static const char *const damaged[] = {"docs",          "docs 1 2 3",   "docs 1 2 3 4 5",
                                          "docs 1 -2 3 4", "docs 1 x 3 4", "docs 1 2 3 99999999999999999999"};
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        org_noticed_fields bad = good;
        bad.roles = damaged[i];
        assert_int_equal(replay(bad), TROUPE_CORRUPT);
    }
    org_noticed_fields bad = good;
    bad.number = 2;
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    bad = good;
    bad.kind = 0;
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    bad.kind = ORG_NOTICES_DIGEST + 1;
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    bad = good;
    bad.actor = "nobody";
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    bad = good;
    bad.at = -1;
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    bad = good;
    bad.digest_at = ORG_TIME_MAX_MS + 1;
    assert_int_equal(replay(bad), TROUPE_CORRUPT);
    assert_int_equal(replay(good), TROUPE_OK);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_docs, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(nobody_is_told_without_a_choice),
        FACT(urgent_message_is_told_of_once),
        FACT(what_was_told_is_kept_through_notices_of_other_roles),
        FACT(whoever_holds_a_role_no_more_forgets_what_was_told),
        FACT(digest_tells_of_all_roles_and_of_their_urgent_messages_too),
        FACT(digest_that_is_chosen_after_its_hour_begins_the_next_day),
        FACT(whoever_is_away_is_told_after_the_last_of_their_absences),
        FACT(notices_that_are_none_are_refused),
        FACT(records_that_are_no_notices_are_not_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

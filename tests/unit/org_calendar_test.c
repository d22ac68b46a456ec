/* SPDX-License-Identifier: MIT */
/*
 * Calendars of actors: absences, working hours, and leaving for good. One thread.
 */
#include "org_directory_house.h"

#include "org/hours.h"

static void set_presence(const char *actor, bool is_present, int64_t until)
{
    command((struct org_directory_command){
        .kind = ORG_SET_PRESENCE, .presence = {.actor = actor, .is_present = is_present, .until = until}});
}

static void leave(const char *actor)
{
    command((struct org_directory_command){.kind = ORG_LEAVE, .presence = {.actor = actor}});
}

static void set_calendar(struct org_set_calendar calendar)
{
    command((struct org_directory_command){.kind = ORG_SET_CALENDAR, .calendar = calendar});
}

static bool is_present(const char *actor)
{
    bool is_there = org_directory_is_present(org.directory, actor, org.now_ms);
    assert_int_equal(org_directory_is_present(org.mirror, actor, org.now_ms), is_there);
    return is_there;
}

static void actor_is_away_from_now_until_it_says_otherwise(void **state)
{
    (void)state;
    assert_true(is_present("ben"));
    set_presence("ben", false, 0);
    organisation_expect_done(&org, 1);
    assert_false(is_present("ben"));
    org.now_ms += 366 * ORG_DAY_MS;
    assert_false(is_present("ben"));
    set_presence("ben", true, 0);
    organisation_expect_done(&org, 1);
    assert_true(is_present("ben"));
    set_presence("ben", true, 0);
    organisation_expect_done(&org, 0);
}

static void absence_until_a_time_ends_with_it(void **state)
{
    (void)state;
    int64_t until = org.now_ms + ORG_DAY_MS;
    set_presence("ben", false, until);
    assert_true(org_directory_presence_due(org.directory, org.now_ms) == until);
    org.now_ms = until - 1;
    assert_false(is_present("ben"));
    org.now_ms = until;
    assert_true(is_present("ben"));
    assert_true(org_directory_presence_due(org.directory, org.now_ms) == INT64_MAX);
}

static void coming_back_early_keeps_the_absences_ahead(void **state)
{
    (void)state;
    int64_t now = org.now_ms;
    const struct org_absence absences[] = {{now - 5, now + 100}, {now + 200, now + 300}};
    set_calendar((struct org_set_calendar){.actor = "ben", .absences = absences, .absence_count = 2});
    assert_false(is_present("ben"));
    set_presence("ben", true, 0);
    assert_true(is_present("ben"));
    assert_true(org_directory_presence_due(org.directory, now) == now + 200);
    org.now_ms = now + 250;
    assert_false(is_present("ben"));
}

static void calendar_is_its_actors_and_administrators(void **state)
{
    (void)state;
    who.actor = "ben";
    set_presence("ben", false, 0);
    organisation_expect_done(&org, 1);
    set_presence("cid", false, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    who.actor = "ada";
    set_presence("cid", false, 0);
    organisation_expect_done(&org, 1);
    set_presence("nobody", false, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ACTOR);
    assert_false(org_directory_is_present(org.directory, "nobody", org.now_ms));
}

static void hours_are_kept_and_seen(void **state)
{
    (void)state;
    struct org_calendar_view view;
    set_calendar((struct org_set_calendar){
        .actor = "ben", .zone = "Europe/Berlin", .days = 0x1f, .from_minute = 540, .to_minute = 1020});
    organisation_expect_done(&org, 1);
    assert_true(org_directory_calendar(org.mirror, "ben", &view));
    assert_string_equal(view.zone, "Europe/Berlin");
    assert_int_equal(view.days, 0x1f);
    assert_int_equal(view.from_minute, 540);
    assert_int_equal(view.to_minute, 1020);
    set_presence("ben", false, 0); /* keeps them */
    assert_true(org_directory_calendar(org.mirror, "ben", &view));
    assert_string_equal(view.zone, "Europe/Berlin");
    set_calendar((struct org_set_calendar){.actor = "ben"});
    assert_true(is_present("ben")); /* the whole is replaced */
}

static void calendars_values_end_at_their_limits(void **state)
{
    (void)state;
    struct org_absence absences[ORG_ABSENCES_MAX + 1];
    for (size_t i = 0; i <= ORG_ABSENCES_MAX; i++)
        absences[i] = (struct org_absence){org.now_ms + (int64_t)i, org.now_ms + (int64_t)i + 1};
    set_calendar((struct org_set_calendar){
        .actor = "ben", .absences = absences, .absence_count = ORG_ABSENCES_MAX + 1});
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    set_calendar(
        (struct org_set_calendar){.actor = "ben", .absences = absences, .absence_count = ORG_ABSENCES_MAX});
    organisation_expect_done(&org, 1);
    const struct org_set_calendar bad[] = {
        {.actor = "ben", .days = 0x80, .to_minute = 60},
        {.actor = "ben", .days = 1, .to_minute = ORG_DAY_MINUTES + 1},
        {.actor = "ben", .days = 1, .from_minute = 60, .to_minute = 60},
        {.actor = "ben", .to_minute = 60},
        {.actor = "ben", .zone = "../../etc/passwd"},
        {.actor = "ben", .zone = "/etc/passwd"},
        {.actor = "ben", .absences = &(struct org_absence){5, 5}, .absence_count = 1},
        {.actor = "ben", .absences = &(struct org_absence){-1, 5}, .absence_count = 1},
        {.actor = "ben", .absences = &(struct org_absence){1, ORG_TIME_MAX_MS + 1}, .absence_count = 1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_calendar(bad[i]);
        organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    }
}

static void whoever_leaves_gives_each_role_to_the_next(void **state)
{
    (void)state;
    const char *const first[] = {"ben", "cid"};
    const char *const alone[] = {"ben"};
    struct org_token_view view;
    set_holders("house", first, 2);
    set_holders("docs", alone, 1);
    token(ORG_ADD_TOKEN, "ben", 9);
    leave("ben");
    organisation_expect_done(&org, 4);
    assert_null(org_directory_held(org.directory, "ben", 0));
    assert_string_equal(org_directory_held(org.directory, "cid", 0), "house");
    struct org_directory_role role;
    assert_true(org_directory_role(org.directory, "docs", &role));
    assert_int_equal(role.holder_count, 0); /* vacant */
    const uint8_t hash[ORG_TOKEN_HASH_SIZE] = {9, 7};
    assert_true(org_directory_token(org.directory, hash, &view));
    assert_true(view.is_revoked);
    org.now_ms += 1000 * ORG_DAY_MS;
    assert_false(is_present("ben"));
    leave("ben");
    organisation_expect_done(&org, 0);
}

static size_t holders_of(const char *role)
{
    const char *holders[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    assert_true(org_directory_configure(org.directory, role, holders, &configure));
    return configure.holder_count;
}

static void personal_role_of_somebody_who_left_is_vacant_until_they_are_back(void **state)
{
    (void)state;
    assert_int_equal(holders_of("@ben"), 1);
    set_presence("ben", false, 0);
    assert_int_equal(holders_of("@ben"), 1); /* away, and still theirs */
    leave("ben");
    assert_int_equal(holders_of("@ben"), 0);
    assert_int_equal(holders_of("@cid"), 1);
    set_presence("ben", true, 0);
    assert_int_equal(holders_of("@ben"), 1);
}

static void only_an_administrator_lets_somebody_leave_or_come_again(void **state)
{
    (void)state;
    who.actor = "ben";
    leave("ben");
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    who.actor = "ada";
    leave("ben");
    organisation_expect_done(&org, 1);
    who.actor = "ben";
    set_presence("ben", true, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    who.actor = "ada";
    set_presence("ben", true, 0);
    organisation_expect_done(&org, 1);
    assert_true(is_present("ben"));
    leave("ada");
    organisation_expect_refusal(&org, ORG_DIRECTORY_LAST_ADMINISTRATOR);
}

static void go_away_keeping(const char *actor, int64_t until, size_t count)
{
    static uint64_t ids[ORG_KEEPS_MAX + 1];
    for (size_t i = 0; i < count; i++)
        ids[i] = (uint64_t)1000 + i;
    command((struct org_directory_command){
        .kind = ORG_SET_PRESENCE,
        .presence = {.actor = actor, .until = until, .keeps = ids, .keep_count = count}});
}

/* How many messages an actor keeps now; both directories must say the same. */
static size_t kept(const char *actor)
{
    int64_t until;
    int64_t mirrored_until;
    const char *ids = org_directory_kept(org.directory, actor, org.now_ms, &until);
    assert_string_equal(org_directory_kept(org.mirror, actor, org.now_ms, &mirrored_until), ids);
    assert_int_equal(until, mirrored_until);
    size_t count = *ids != '\0';
    for (; *ids != '\0'; ids++)
        count += *ids == '\n';
    return count;
}

static void what_is_kept_is_kept_for_that_absence_alone(void **state)
{
    (void)state;
    int64_t until = org.now_ms + ORG_DAY_MS;
    go_away_keeping("ben", until, 2);
    organisation_expect_done(&org, 2);
    int64_t told;
    assert_string_equal(org_directory_kept(org.directory, "ben", org.now_ms, &told),
                        "00000000000z8\n00000000000z9");
    assert_int_equal(told, until);
    org.now_ms += ORG_HOUR_MS;
    assert_int_equal(kept("ben"), 2);
    set_presence("ben", true, 0);
    assert_int_equal(kept("ben"), 0);
    org.now_ms += ORG_HOUR_MS;
    set_presence("ben", false, 0);
    assert_int_equal(kept("ben"), 0);
    org.now_ms += ORG_HOUR_MS;
    go_away_keeping("ben", org.now_ms + 1, 1);
    assert_int_equal(kept("ben"), 1);
    org.now_ms += 1;
    assert_int_equal(kept("ben"), 0);
    assert_int_equal(kept("nobody"), 0);
}

static void as_many_are_kept_as_the_limit_and_by_nobody_who_stays(void **state)
{
    (void)state;
    go_away_keeping("ben", 0, ORG_KEEPS_MAX + 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    go_away_keeping("ben", 0, ORG_KEEPS_MAX);
    organisation_expect_done(&org, 2);
    assert_int_equal(kept("ben"), ORG_KEEPS_MAX);
    uint64_t id = 7;
    command((struct org_directory_command){
        .kind = ORG_SET_PRESENCE,
        .presence = {.actor = "ben", .is_present = true, .keeps = &id, .keep_count = 1}});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    leave("ben");
    assert_int_equal(kept("ben"), 0);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)
    const struct CMUnitTest tests[] = {
        FACT(actor_is_away_from_now_until_it_says_otherwise),
        FACT(absence_until_a_time_ends_with_it),
        FACT(coming_back_early_keeps_the_absences_ahead),
        FACT(calendar_is_its_actors_and_administrators),
        FACT(hours_are_kept_and_seen),
        FACT(calendars_values_end_at_their_limits),
        FACT(what_is_kept_is_kept_for_that_absence_alone),
        FACT(as_many_are_kept_as_the_limit_and_by_nobody_who_stays),
        FACT(whoever_leaves_gives_each_role_to_the_next),
        FACT(personal_role_of_somebody_who_left_is_vacant_until_they_are_back),
        FACT(only_an_administrator_lets_somebody_leave_or_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Time zones and working hours, against instants that are known: the days on which the clocks of Berlin and
 * New York change, in the years that the files list and in those that only their rule covers. The files are
 * the system's. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/hours.h"
#include "org/limits.h"

enum { HOUR = 3600, FILE_SIZE_MAX = 65536 };

static unsigned char bytes[FILE_SIZE_MAX];

static size_t read_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return size;
}

static struct org_zone *zone_of(const char *name)
{
    struct org_zone *zone = NULL;
    assert_int_equal(org_zone_read(bytes, read_file(name), &zone), TROUPE_OK);
    return zone;
}

/* A date as if clocks showed UTC. */
static int64_t date(int year, int month, int day, int hour, int minute)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] + day - 1;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    days += month > 2 && is_leap;
    return days * 86400 + hour * HOUR + minute * 60;
}

static void expect_leap(const struct org_zone *zone, int64_t at, int before, int after)
{
    assert_int_equal(org_zone_offset_s(zone, at - 1), before * HOUR);
    assert_int_equal(org_zone_offset_s(zone, at), after * HOUR);
}

/* --- zones ---------------------------------------------------------------------------------------- */

static void clocks_of_berlin_change_at_one_utc_on_the_last_sundays(void **state)
{
    (void)state;
    struct org_zone *berlin = zone_of("Europe/Berlin");
    expect_leap(berlin, date(2024, 3, 31, 1, 0), 1, 2);
    expect_leap(berlin, date(2024, 10, 27, 1, 0), 2, 1);
    expect_leap(berlin, date(2026, 3, 29, 1, 0), 1, 2);
    expect_leap(berlin, date(2026, 10, 25, 1, 0), 2, 1);
    expect_leap(berlin, date(2090, 3, 26, 1, 0), 1, 2); /* beyond the list: by the rule */
    expect_leap(berlin, date(2090, 10, 29, 1, 0), 2, 1);
    org_zone_free(berlin);
}

static void clocks_of_new_york_change_at_two_local_on_their_sundays(void **state)
{
    (void)state;
    struct org_zone *york = zone_of("America/New_York");
    expect_leap(york, date(2025, 3, 9, 7, 0), -5, -4);
    expect_leap(york, date(2025, 11, 2, 6, 0), -4, -5);
    expect_leap(york, date(2006, 4, 2, 7, 0), -5, -4); /* the rule of then was another */
    expect_leap(york, date(2088, 3, 14, 7, 0), -5, -4);
    expect_leap(york, date(2088, 11, 7, 6, 0), -4, -5);
    org_zone_free(york);
}

static void zones_south_of_the_equator_have_summer_over_new_year(void **state)
{
    (void)state;
    struct org_zone *sydney = zone_of("Australia/Sydney");
    assert_int_equal(org_zone_offset_s(sydney, date(2080, 1, 1, 0, 0)), 11 * HOUR);
    assert_int_equal(org_zone_offset_s(sydney, date(2080, 7, 1, 0, 0)), 10 * HOUR);
    assert_int_equal(org_zone_offset_s(sydney, date(2080, 12, 31, 0, 0)), 11 * HOUR);
    org_zone_free(sydney);
}

static void zone_without_summer_keeps_its_offset(void **state)
{
    (void)state;
    struct org_zone *kolkata = zone_of("Asia/Kolkata");
    assert_int_equal(org_zone_offset_s(kolkata, date(2026, 7, 1, 0, 0)), 5 * HOUR + HOUR / 2);
    assert_int_equal(org_zone_offset_s(kolkata, date(2099, 1, 1, 0, 0)), 5 * HOUR + HOUR / 2);
    org_zone_free(kolkata);
    assert_int_equal(org_zone_offset_s(NULL, 0), 0);
}

static void local_time_that_is_shown_twice_is_the_first(void **state)
{
    (void)state;
    struct org_zone *berlin = zone_of("Europe/Berlin");
    assert_true(org_zone_instant_s(berlin, date(2026, 10, 25, 2, 30)) == date(2026, 10, 25, 0, 30));
    assert_true(org_zone_instant_s(berlin, date(2026, 10, 25, 3, 0)) == date(2026, 10, 25, 2, 0));
    org_zone_free(berlin);
}

static void local_time_that_is_leapt_over_is_the_leap(void **state)
{
    (void)state;
    struct org_zone *berlin = zone_of("Europe/Berlin");
    struct org_zone *york = zone_of("America/New_York");
    assert_true(org_zone_instant_s(berlin, date(2026, 3, 29, 2, 30)) == date(2026, 3, 29, 1, 0));
    assert_true(org_zone_instant_s(berlin, date(2026, 3, 29, 3, 0)) == date(2026, 3, 29, 1, 0));
    assert_true(org_zone_instant_s(york, date(2025, 3, 9, 2, 1)) == date(2025, 3, 9, 7, 0));
    org_zone_free(berlin);
    org_zone_free(york);
}

static void what_is_no_zone_is_refused(void **state)
{
    (void)state;
    struct org_zone *zone = NULL;
    size_t size = read_file("Europe/Berlin");
    assert_int_equal(org_zone_read(bytes, 0, &zone), TROUPE_MALFORMED);
    assert_int_equal(org_zone_read("TZif", 4, &zone), TROUPE_MALFORMED);
    for (size_t cut = 0; cut < size; cut++) /* wherever it is cut off */
        assert_int_equal(org_zone_read(bytes, cut, &zone), TROUPE_MALFORMED);
    assert_int_equal(org_zone_read(bytes, ORG_ZONE_FILE_SIZE_MAX + 1, &zone), TROUPE_TOO_LARGE);
    for (size_t at = 0; at < size; at++) { /* whatever byte is wrong: refused or read, never worse */
        bytes[at] ^= 0xff;
        if (org_zone_read(bytes, size, &zone) == TROUPE_OK) {
            (void)org_zone_offset_s(zone, date(2050, 6, 1, 0, 0));
            org_zone_free(zone);
        }
        bytes[at] ^= 0xff;
    }
}

/* --- hours ---------------------------------------------------------------------------------------- */

static struct org_hours office(const struct org_zone *zone)
{
    return (struct org_hours){.zone = zone, .days = 0x1f, .from_minute = 9 * 60, .to_minute = 17 * 60};
}

static void expect_span(const struct org_hours *hours, int64_t from_s, int64_t span_ms, int64_t to_s)
{
    assert_true(org_hours_after(hours, from_s * 1000, span_ms) == to_s * 1000);
    assert_true(org_hours_before(hours, to_s * 1000, span_ms) == from_s * 1000);
}

static void three_working_days_from_wednesday_are_monday(void **state)
{
    (void)state;
    struct org_hours hours = office(NULL);
    expect_span(&hours, date(2026, 11, 18, 14, 0), 3 * ORG_DAY_MS, date(2026, 11, 23, 14, 0));
    expect_span(&hours, date(2026, 11, 20, 16, 0), 2 * ORG_HOUR_MS, date(2026, 11, 23, 10, 0));
}

static void working_time_begins_with_the_next_working_hour(void **state)
{
    (void)state;
    struct org_hours hours = office(NULL);
    int64_t saturday = date(2026, 11, 21, 12, 0) * 1000;
    int64_t night = date(2026, 11, 18, 3, 0) * 1000;
    assert_true(org_hours_after(&hours, saturday, ORG_HOUR_MS) == date(2026, 11, 23, 10, 0) * 1000);
    assert_true(org_hours_after(&hours, night, ORG_HOUR_MS) == date(2026, 11, 18, 10, 0) * 1000);
    assert_true(org_hours_before(&hours, saturday, ORG_HOUR_MS) == date(2026, 11, 20, 16, 0) * 1000);
    assert_true(org_hours_after(&hours, saturday, 0) == saturday);
    assert_true(org_hours_after(NULL, saturday, ORG_HOUR_MS) == saturday + ORG_HOUR_MS);
}

static void working_days_keep_their_clock_when_it_changes(void **state)
{
    (void)state;
    struct org_zone *berlin = zone_of("Europe/Berlin");
    struct org_zone *york = zone_of("America/New_York");
    struct org_hours hours = office(berlin);
    /* Friday 14:00 at +1, Monday 14:00 at +2; and back in autumn. */
    expect_span(&hours, date(2026, 3, 27, 13, 0), ORG_DAY_MS, date(2026, 3, 30, 12, 0));
    expect_span(&hours, date(2026, 10, 23, 12, 0), ORG_DAY_MS, date(2026, 10, 26, 13, 0));
    hours = office(york);
    expect_span(&hours, date(2025, 3, 7, 19, 0), ORG_DAY_MS, date(2025, 3, 10, 18, 0));
    expect_span(&hours, date(2025, 10, 31, 18, 0), ORG_DAY_MS, date(2025, 11, 3, 19, 0));
    org_zone_free(berlin);
    org_zone_free(york);
}

static void shift_over_the_leap_is_as_long_as_it_is(void **state)
{
    (void)state;
    struct org_zone *berlin = zone_of("Europe/Berlin");
    struct org_hours night = {.zone = berlin, .days = ORG_ALL_DAYS, .from_minute = 0, .to_minute = 6 * 60};
    /* On the 29th of March 2026 from 0:00 to 6:00 pass five hours, on the 25th of October seven. */
    expect_span(&night, date(2026, 3, 28, 23, 0), 5 * ORG_HOUR_MS, date(2026, 3, 29, 4, 0));
    expect_span(&night, date(2026, 10, 24, 22, 0), 7 * ORG_HOUR_MS, date(2026, 10, 25, 5, 0));
    org_zone_free(berlin);
}

static void hours_are_open_from_their_first_minute_to_before_their_last(void **state)
{
    (void)state;
    struct org_hours hours = office(NULL);
    assert_false(org_hours_is_open(&hours, date(2026, 11, 18, 9, 0) * 1000 - 1));
    assert_true(org_hours_is_open(&hours, date(2026, 11, 18, 9, 0) * 1000));
    assert_true(org_hours_is_open(&hours, date(2026, 11, 18, 17, 0) * 1000 - 1));
    assert_false(org_hours_is_open(&hours, date(2026, 11, 18, 17, 0) * 1000));
    assert_false(org_hours_is_open(&hours, date(2026, 11, 22, 12, 0) * 1000));
    assert_true(org_hours_is_open(NULL, 0));
}

static void hours_need_a_day_and_some_time_of_it(void **state)
{
    (void)state;
    assert_true(org_hours_are_valid(&(struct org_hours){.days = 1, .from_minute = 0, .to_minute = 1440}));
    assert_false(org_hours_are_valid(&(struct org_hours){.days = 0, .from_minute = 0, .to_minute = 1440}));
    assert_false(org_hours_are_valid(&(struct org_hours){.days = 128, .from_minute = 0, .to_minute = 60}));
    assert_false(org_hours_are_valid(&(struct org_hours){.days = 1, .from_minute = 60, .to_minute = 60}));
    assert_false(org_hours_are_valid(&(struct org_hours){.days = 1, .from_minute = 0, .to_minute = 1441}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_of_berlin_change_at_one_utc_on_the_last_sundays),
        cmocka_unit_test(clocks_of_new_york_change_at_two_local_on_their_sundays),
        cmocka_unit_test(zones_south_of_the_equator_have_summer_over_new_year),
        cmocka_unit_test(zone_without_summer_keeps_its_offset),
        cmocka_unit_test(local_time_that_is_shown_twice_is_the_first),
        cmocka_unit_test(local_time_that_is_leapt_over_is_the_leap),
        cmocka_unit_test(what_is_no_zone_is_refused),
        cmocka_unit_test(three_working_days_from_wednesday_are_monday),
        cmocka_unit_test(working_time_begins_with_the_next_working_hour),
        cmocka_unit_test(working_days_keep_their_clock_when_it_changes),
        cmocka_unit_test(shift_over_the_leap_is_as_long_as_it_is),
        cmocka_unit_test(hours_are_open_from_their_first_minute_to_before_their_last),
        cmocka_unit_test(hours_need_a_day_and_some_time_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Absences from iCalendar files: what means "away", when that is, and how often. One thread.
 */
#include "server_icalendar_support.h"

static void expect_absence(size_t place, int64_t from, int64_t until)
{
    assert_in_range(place, 0, calendar.absence_count - 1);
    assert_int_equal((calendar.absences[place].from - from) / ORG_MINUTE_MS, 0);
    assert_int_equal((calendar.absences[place].until - until) / ORG_MINUTE_MS, 0);
}

static void expect_only(int64_t from, int64_t until)
{
    assert_int_equal(calendar.absence_count, 1);
    expect_absence(0, from, until);
}

static void expect_sample(const char *name)
{
    char path[1024];
    const char *source = getenv("TROUPE_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/icalendar/%s", source != NULL ? source : ".", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static char bytes[65536];
    size_t size = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[size] = '\0';
    expect_read(bytes);
}

/* --- files as programs write them --------------------------------------------------------------- */

static void outlooks_calendar_says_out_of_office(void **state)
{
    (void)state;
    expect_sample("outlook.ics");
    assert_string_equal(calendar.name, "Ann Miller");
    assert_int_equal(calendar.event_count, 5);
    assert_int_equal(calendar.away_count, 2);
    assert_int_equal(calendar.absence_count, 2);
    /* An afternoon in a zone that only the file knows, then whole days of the person's own zone. */
    expect_absence(0, utc(2026, 7, 6, 11, 0), utc(2026, 7, 6, 15, 0));
    expect_absence(1, utc(2026, 7, 12, 22, 0), utc(2026, 7, 24, 22, 0));
}

static void googles_calendar_repeats_moves_and_leaves_out(void **state)
{
    (void)state;
    reading.mail = "ann@example.org";
    expect_sample("google.ics");
    assert_string_equal(calendar.name, "ann@example.org");
    assert_int_equal(calendar.event_count, 7);
    assert_int_equal(calendar.away_count, 3); /* the series, its moved day, the week out of office */
    static const int days[][2] = {{6, 19}, {6, 26}, {7, 3}, {7, 10}, {7, 23}, {7, 31}};
    assert_int_equal(calendar.absence_count, 7);
    for (size_t i = 0; i < 6; i++)
        expect_absence(i, utc(2026, days[i][0], days[i][1] - 1, 22, 0),
                       utc(2026, days[i][0], days[i][1], 22, 0));
    expect_absence(6, utc(2026, 8, 3, 4, 0), utc(2026, 8, 8, 4, 0));
}

static void apples_calendar_has_days_and_journeys(void **state)
{
    (void)state;
    expect_sample("apple.ics");
    assert_string_equal(calendar.name, "Home, away");
    assert_int_equal(calendar.event_count, 3);
    assert_int_equal(calendar.absence_count, 2);
    expect_absence(0, utc(2026, 8, 30, 21, 0), utc(2026, 9, 2, 6, 0)); /* Auckland is 12 hours ahead */
    expect_absence(1, utc(2026, 12, 23, 23, 0), utc(2026, 12, 27, 23, 0));
}

/* --- what means "away" -------------------------------------------------------------------------- */

static void whole_day_is_an_absence_in_the_persons_zone(void **state)
{
    (void)state;
    expect_event("DTSTART;VALUE=DATE:20260706");
    expect_only(utc(2026, 7, 5, 22, 0), utc(2026, 7, 6, 22, 0));
    reading.zone = NULL;
    expect_event("DTSTART;VALUE=DATE:20260706\nDTEND;VALUE=DATE:20260708");
    expect_only(utc(2026, 7, 6, 0, 0), utc(2026, 7, 8, 0, 0));
    expect_event("DTSTART;VALUE=DATE:20260706\nDURATION:P1W");
    expect_only(utc(2026, 7, 6, 0, 0), utc(2026, 7, 13, 0, 0));
    expect_event("DTSTART;VALUE=DATE:20260706\nDTEND;VALUE=DATE:20260706"); /* as some programs end a day */
    expect_only(utc(2026, 7, 6, 0, 0), utc(2026, 7, 7, 0, 0));
}

static void meeting_is_no_absence_and_a_day_of_times_is_one(void **state)
{
    (void)state;
    expect_event("DTSTART:20260706T080000Z\nDTEND:20260706T170000Z");
    assert_int_equal(calendar.absence_count, 0);
    expect_event("DTSTART:20260706T080000Z\nDTEND:20260707T065900Z"); /* a minute short of 23 hours */
    assert_int_equal(calendar.absence_count, 0);
    expect_event("DTSTART:20260706T080000Z\nDTEND:20260707T070000Z");
    expect_only(utc(2026, 7, 6, 8, 0), utc(2026, 7, 7, 7, 0));
    expect_event("DTSTART:20260706T080000Z\nDURATION:P1DT2H");
    expect_only(utc(2026, 7, 6, 8, 0), utc(2026, 7, 7, 10, 0));
    expect_event("DTSTART:20260706T080000Z");
    assert_int_equal(calendar.absence_count, 0);
}

static void out_of_office_is_an_absence_however_short(void **state)
{
    (void)state;
    expect_event("DTSTART:20260706T080000Z\nDTEND:20260706T083000Z\nTRANSP:TRANSPARENT\n"
                 "X-MICROSOFT-CDO-BUSYSTATUS:OOF");
    expect_only(utc(2026, 7, 6, 8, 0), utc(2026, 7, 6, 8, 30));
}

static void what_takes_no_time_or_may_not_be_is_no_absence(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "TRANSP:TRANSPARENT",
        "STATUS:CANCELLED",
        "STATUS:tentative",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
        "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",
        "ATTENDEE;PARTSTAT=DECLINED:MAILTO:ann@example.org",
    };
    reading.mail = "Ann@example.org";
    char text[256];
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(text, sizeof text, "DTSTART;VALUE=DATE:20260706\n%s", lines[i]);
        expect_event(text);
        assert_int_equal(calendar.absence_count, 0);
    }
    expect_event("DTSTART;VALUE=DATE:20260706\nATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.org\n"
                 "X-MICROSOFT-CDO-BUSYSTATUS:BUSY\nSTATUS:CONFIRMED\nTRANSP:OPAQUE");
    assert_int_equal(calendar.absence_count, 1);
}

static void what_is_over_or_far_ahead_is_left_out(void **state)
{
    (void)state;
    expect_event("DTSTART;VALUE=DATE:20260613\nDTEND;VALUE=DATE:20260614");
    assert_int_equal(calendar.absence_count, 0);
    expect_event("DTSTART;VALUE=DATE:20260613\nDTEND;VALUE=DATE:20260616"); /* it goes on */
    expect_only(utc(2026, 6, 12, 22, 0), utc(2026, 6, 15, 22, 0));
    reading.zone = NULL; /* 400 days from 15 June 2026 are 20 July 2027 */
    expect_event("DTSTART;VALUE=DATE:20270720");
    assert_int_equal(calendar.absence_count, 1);
    expect_event("DTSTART;VALUE=DATE:20270721");
    assert_int_equal(calendar.absence_count, 0);
}

/* --- zones -------------------------------------------------------------------------------------- */

static void time_without_a_zone_is_the_persons(void **state)
{
    (void)state;
    expect_event("DTSTART:20260706T080000\nDTEND:20260707T080000");
    expect_only(utc(2026, 7, 6, 6, 0), utc(2026, 7, 7, 6, 0));
}

static void zone_of_the_system_comes_before_the_files_own(void **state)
{
    (void)state;
    /* What the file says of New York is wrong on purpose. */
    expect_read("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:America/New_York\nBEGIN:STANDARD\n"
                "DTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\n"
                "END:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=America/New_York:20260706T080000\n"
                "DTEND;TZID=Asia/Tokyo:20260708T080000\nEND:VEVENT\nEND:VCALENDAR\n");
    expect_only(utc(2026, 7, 6, 12, 0), utc(2026, 7, 7, 23, 0));
}

static void files_own_zone_may_stand_after_its_events(void **state)
{
    (void)state;
    expect_read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Here:20260706T080000\n"
                "DURATION:P2D\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\n"
                "DTSTART:19700101T000000\nTZOFFSETFROM:+0330\nTZOFFSETTO:+0330\nEND:STANDARD\n"
                "END:VTIMEZONE\nEND:VCALENDAR\n");
    expect_only(utc(2026, 7, 6, 4, 30), utc(2026, 7, 8, 4, 30));
}

static void every_week_at_midnight_is_midnight_in_summer_and_winter(void **state)
{
    (void)state;
    expect_event("DTSTART;TZID=Europe/Berlin:20261018T000000\nDTEND;TZID=Europe/Berlin:20261019T000000\n"
                 "RRULE:FREQ=WEEKLY;COUNT=3");
    assert_int_equal(calendar.absence_count, 3);
    expect_absence(0, utc(2026, 10, 17, 22, 0), utc(2026, 10, 18, 22, 0));
    /* Clocks go back on the 25th. A length given by an end stays exact. */
    expect_absence(1, utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 22, 0));
    expect_absence(2, utc(2026, 10, 31, 23, 0), utc(2026, 11, 1, 23, 0));
    /* A day given by its date, or by a duration, is the clock's. */
    expect_event("DTSTART;VALUE=DATE:20261025");
    expect_only(utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 23, 0));
    expect_event("DTSTART;TZID=Europe/Berlin:20261025T000000\nDURATION:P1D");
    expect_only(utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 23, 0));
    expect_event("DTSTART;VALUE=DATE:20270328");
    expect_only(utc(2027, 3, 27, 23, 0), utc(2027, 3, 28, 22, 0));
}

/* --- recurrence --------------------------------------------------------------------------------- */

static void rule_is_followed_to_the_horizon(void **state)
{
    (void)state;
    expect_event("DTSTART;VALUE=DATE:20200103\nRRULE:FREQ=WEEKLY;BYDAY=FR");
    assert_int_equal(calendar.absence_count, 57); /* the Fridays from 19 June 2026 to 16 July 2027 */
    expect_absence(0, utc(2026, 6, 18, 22, 0), utc(2026, 6, 19, 22, 0));
    expect_absence(56, utc(2027, 7, 15, 22, 0), utc(2027, 7, 16, 22, 0));
}

static void rule_ends_with_its_date_its_instant_or_its_count(void **state)
{
    (void)state;
    reading.zone = NULL;
    expect_event("DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=MONTHLY;UNTIL=20260901");
    assert_int_equal(calendar.absence_count, 3);
    expect_event("DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=MONTHLY;UNTIL=20260831");
    assert_int_equal(calendar.absence_count, 2);
    expect_event("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=MONTHLY;COUNT=4");
    assert_int_equal(calendar.absence_count, 2); /* two of the four are over */
    /* Nine in Berlin is seven in UTC. */
    expect_event("DTSTART;TZID=Europe/Berlin:20260701T090000\nDURATION:P1D\n"
                 "RRULE:FREQ=WEEKLY;UNTIL=20260715T070000Z");
    assert_int_equal(calendar.absence_count, 3);
    expect_event("DTSTART;TZID=Europe/Berlin:20260701T090000\nDURATION:P1D\n"
                 "RRULE:FREQ=WEEKLY;UNTIL=20260715T065959Z");
    assert_int_equal(calendar.absence_count, 2);
}

static void exceptions_leave_out_by_date_and_by_instant(void **state)
{
    (void)state;
    reading.zone = NULL;
    expect_event("DTSTART;TZID=Europe/Berlin:20260701T090000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;COUNT=5\n"
                 "EXDATE;TZID=Europe/Berlin:20260708T090000,20260715T090000\nEXDATE:20260722T070000Z");
    assert_int_equal(calendar.absence_count, 2);
    expect_absence(1, utc(2026, 7, 29, 7, 0), utc(2026, 7, 30, 7, 0));
    expect_event("DTSTART;TZID=Europe/Berlin:20260701T090000\nDURATION:P1D\nRRULE:FREQ=WEEKLY;COUNT=3\n"
                 "EXDATE;VALUE=DATE:20260701,20260708");
    expect_only(utc(2026, 7, 15, 7, 0), utc(2026, 7, 16, 7, 0));
}

static void further_dates_and_periods_are_absences_too(void **state)
{
    (void)state;
    reading.zone = NULL;
    expect_event("DTSTART;VALUE=DATE:20260701\nRDATE;VALUE=DATE:20260710,20260720\n"
                 "EXDATE;VALUE=DATE:20260720");
    assert_int_equal(calendar.absence_count, 2);
    expect_absence(1, utc(2026, 7, 10, 0, 0), utc(2026, 7, 11, 0, 0));
    expect_event("DTSTART:20260701T000000Z\nDTEND:20260702T000000Z\n"
                 "RDATE;VALUE=PERIOD:20260710T000000Z/PT36H,20260720T000000Z/20260723T000000Z");
    assert_int_equal(calendar.absence_count, 3);
    expect_absence(1, utc(2026, 7, 10, 0, 0), utc(2026, 7, 11, 12, 0));
    expect_absence(2, utc(2026, 7, 20, 0, 0), utc(2026, 7, 23, 0, 0));
}

static void occurrence_that_was_cancelled_or_moved_is_not_where_the_rule_says(void **state)
{
    (void)state;
    reading.zone = NULL;
    expect_read("BEGIN:VCALENDAR\n"
                "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE:20260708\nSTATUS:CANCELLED\nEND:VEVENT\n"
                "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE:20260715\nDTSTART;VALUE=DATE:20260716\n"
                "END:VEVENT\n"
                "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260701\nRRULE:FREQ=WEEKLY;COUNT=3\nEND:VEVENT\n"
                "END:VCALENDAR\n");
    assert_int_equal(calendar.absence_count, 2);
    expect_absence(0, utc(2026, 7, 1, 0, 0), utc(2026, 7, 2, 0, 0));
    expect_absence(1, utc(2026, 7, 16, 0, 0), utc(2026, 7, 17, 0, 0));
}

static void days_that_touch_are_one_absence(void **state)
{
    (void)state;
    reading.zone = NULL;
    expect_event("DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;COUNT=10");
    expect_only(utc(2026, 7, 1, 0, 0), utc(2026, 7, 11, 0, 0));
}

/* --- sources ------------------------------------------------------------------------------------ */

static void calendar_with_a_name_is_one_source(void **state)
{
    (void)state;
    static const char text[] = "BEGIN:VCALENDAR\nX-WR-CALNAME:Work\n"
                               "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260701\nEND:VEVENT\n"
                               "BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260711\nEND:VEVENT\n"
                               "END:VCALENDAR\n";
    expect_read(text);
    assert_int_equal(calendar.source_count, 1);
    assert_int_equal(calendar.absence_count, 2);
    uint64_t work = calendar.sources[0];
    assert_true(work == calendar.absences[0].source && work == calendar.absences[1].source);
    assert_true(work == 0x7190dc65b50cdd79u); /* journals have it: it never changes */
    reading.name = "Home";
    expect_read(text);
    assert_string_equal(calendar.name, "Home");
    assert_true(calendar.sources[0] != work);
}

static void file_without_a_name_has_a_source_for_each_uid(void **state)
{
    (void)state;
    expect_read("BEGIN:VCALENDAR\n"
                "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260701\nEND:VEVENT\n"
                "BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260711\nSTATUS:CANCELLED\nEND:VEVENT\n"
                "BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260712\nSTATUS:CANCELLED\nEND:VEVENT\n"
                "END:VCALENDAR\n");
    assert_int_equal(calendar.source_count, 2);
    assert_true(calendar.sources[0] < calendar.sources[1]);
    assert_int_equal(calendar.absence_count, 1);
}

static void occurrence_alone_does_not_stand_for_its_series(void **state)
{
    (void)state;
    expect_event("DTSTART;VALUE=DATE:20260701");
    uint64_t series = calendar.sources[0];
    expect_event("DTSTART;VALUE=DATE:20260708\nRECURRENCE-ID;VALUE=DATE:20260707");
    assert_int_equal(calendar.absence_count, 1);
    assert_int_equal(calendar.source_count, 1);
    assert_true(calendar.sources[0] != series);
    assert_true(calendar.absences[0].source == calendar.sources[0]);
}

static void cancelling_by_method_takes_away(void **state)
{
    (void)state;
    expect_read("BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n"
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20260701\nEND:VEVENT\n"
                "END:VCALENDAR\n");
    assert_int_equal(calendar.source_count, 2);
    assert_int_equal(calendar.absence_count, 1); /* the second calendar of the file cancels nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(outlooks_calendar_says_out_of_office),
        FACT(googles_calendar_repeats_moves_and_leaves_out),
        FACT(apples_calendar_has_days_and_journeys),
        FACT(whole_day_is_an_absence_in_the_persons_zone),
        FACT(meeting_is_no_absence_and_a_day_of_times_is_one),
        FACT(out_of_office_is_an_absence_however_short),
        FACT(what_takes_no_time_or_may_not_be_is_no_absence),
        FACT(what_is_over_or_far_ahead_is_left_out),
        FACT(time_without_a_zone_is_the_persons),
        FACT(zone_of_the_system_comes_before_the_files_own),
        FACT(files_own_zone_may_stand_after_its_events),
        FACT(every_week_at_midnight_is_midnight_in_summer_and_winter),
        FACT(rule_is_followed_to_the_horizon),
        FACT(rule_ends_with_its_date_its_instant_or_its_count),
        FACT(exceptions_leave_out_by_date_and_by_instant),
        FACT(further_dates_and_periods_are_absences_too),
        FACT(occurrence_that_was_cancelled_or_moved_is_not_where_the_rule_says),
        FACT(days_that_touch_are_one_absence),
        FACT(calendar_with_a_name_is_one_source),
        FACT(file_without_a_name_has_a_source_for_each_uid),
        FACT(occurrence_alone_does_not_stand_for_its_series),
        FACT(cancelling_by_method_takes_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

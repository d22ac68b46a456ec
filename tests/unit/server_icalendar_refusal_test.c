/* SPDX-License-Identifier: MIT */
/*
 * iCalendar files that are refused: what is wrong with one, in which line, and what one may have at most. One
 * thread.
 */
#include "server_icalendar_support.h"

/* Refuses a file for its line, with words that contain these. */
static void expect_refusal(const char *text, troupe_status status, uint32_t line, const char *words)
{
    assert_int_equal(read_text(text), status);
    assert_int_equal(problem.line, line);
    if (strstr(problem.reason, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problem.reason, words);
    assert_null(calendar.absences);
}

/* The same of an event with this line, which is the fifth. */
static void expect_bad_line(const char *bad, const char *words)
{
    char text[4096];
    snprintf(text, sizeof text,
             "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260706\n%s\nEND:VEVENT\n"
             "END:VCALENDAR\n",
             bad);
    expect_refusal(text, TROUPE_MALFORMED, 5, words);
}

/* --- what is wrong ------------------------------------------------------------------------------ */

static void bad_file_is_refused_with_its_line(void **state)
{
    (void)state;
    expect_refusal("", TROUPE_MALFORMED, 0, "no calendar");
    expect_refusal("Hello\n", TROUPE_MALFORMED, 1, "NAME:VALUE");
    expect_refusal("{\"a\": 1}\n", TROUPE_MALFORMED, 1, "NAME:VALUE");
    expect_refusal("UID:1\n", TROUPE_MALFORMED, 1, "begins with BEGIN:VCALENDAR");
    expect_refusal("BEGIN:VEVENT\n", TROUPE_MALFORMED, 1, "outside of a VCALENDAR");
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VCALENDAR\n", TROUPE_MALFORMED, 2, "within another");
    expect_refusal("BEGIN:VCALENDAR\n\nBEGIN:VEVENT\nUID:1\n", TROUPE_MALFORMED, 4, "ends within a VEVENT");
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", TROUPE_MALFORMED, 3,
                   "VEVENT has to end");
    expect_refusal("BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR\n", TROUPE_MALFORMED, 3, "not begun");
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n", TROUPE_MALFORMED, 2,
                   "no DTSTART");
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260701T000000Z\nEND:VEVENT\nEND:VCALENDAR\n",
                   TROUPE_MALFORMED, 2, "no UID");
}

static void bad_line_of_an_event_is_refused(void **state)
{
    (void)state;
    expect_bad_line("DTEND;VALUE=DATE:2026070", "DTEND cannot be \"2026070\"");
    expect_bad_line("DTEND;VALUE=DATE:20260231", "no date or time");
    expect_bad_line("DTEND;VALUE=DATE:20260705", "ends before it begins");
    expect_bad_line("DTEND:20260707T000000Z", "both be dates");
    expect_bad_line("DTSTART;VALUE=DATE:20260706", "there twice");
    expect_bad_line("DURATION:-P1D", "ends before it begins");
    expect_bad_line("DURATION:soon", "DURATION cannot be");
    expect_bad_line("RRULE:FREQ=WEEKLY;BYDAY=XX", "RRULE cannot be");
    expect_bad_line("RRULE:FREQ=WEEKLY;INTERVAL=0", "RRULE cannot be");
    expect_bad_line("RRULE:FREQ=HOURLY", "repeats daily, weekly");
    expect_bad_line("RRULE:FREQ=YEARLY;RSCALE=CHINESE", "RSCALE");
    expect_bad_line("EXRULE:FREQ=WEEKLY", "EXRULE");
    expect_bad_line("EXDATE;VALUE=DATE:20260706,x", "EXDATE cannot be");
    expect_bad_line("RDATE;TZID=Nowhere/Land:20260706T000000", "zone Nowhere/Land is neither known");
    expect_bad_line("RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260706", "RANGE");
    expect_bad_line("no colon here", "NAME:VALUE");
    expect_bad_line("DTEND:\xff\xfe", "DTEND cannot be \"…\"");
}

static void line_is_counted_where_it_begins_not_where_it_is_folded(void **state)
{
    (void)state;
    expect_refusal("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a\r\n b\r\n\tc\r\n\r\nDTSTART:20\r\n"
                   " 26\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                   TROUPE_MALFORMED, 8, "DTSTART cannot be \"2026\"");
}

static void zone_that_would_never_end_is_refused(void **state)
{
    (void)state;
    static const char *const rules[] = {"FREQ=SECONDLY", "FREQ=YEARLY;BYSECOND=1", "BYMONTH=3", ""};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
                 "RRULE:%s\n",
                 rules[i]);
        expect_refusal(text, TROUPE_MALFORMED, 6, "must be a yearly one");
    }
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Here:20260706T080000\nDURATION:P2D\n"
                   "END:VEVENT\nBEGIN:VTIMEZONE\nTZID:Here\nEND:VTIMEZONE\nEND:VCALENDAR\n",
                   TROUPE_MALFORMED, 7, "cannot be understood");
    expect_refusal("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nEND:VTIMEZONE\nEND:VCALENDAR\n", TROUPE_MALFORMED, 2,
                   "no TZID");
}

/* --- limits ------------------------------------------------------------------------------------- */

/* Puts `count` times a text, with its number in it, between two others. */
static char *repeated(const char *before, const char *format, int count, const char *after)
{
    size_t size = strlen(before) + strlen(after) + (size_t)count * (strlen(format) + 8) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    int len = snprintf(text, size, "%s", before);
    for (int i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        len += snprintf(text + len, size - (size_t)len, format, i);
#pragma GCC diagnostic pop
    }
    snprintf(text + len, size - (size_t)len, "%s", after);
    return text;
}

static void expect_edge(const char *before, const char *format, int most, const char *after, uint32_t line,
                        const char *words)
{
    char *text = repeated(before, format, most, after);
    expect_read(text);
    free(text);
    text = repeated(before, format, most + 1, after);
    expect_refusal(text, TROUPE_TOO_LARGE, line, words);
    free(text);
}

static void what_one_file_may_have_ends_at_its_limits(void **state)
{
    (void)state;
    expect_edge("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nUID:%d\nSTATUS:CANCELLED\nEND:VEVENT\n",
                ICALENDAR_EVENTS_MAX, "END:VCALENDAR\n", 2 + ICALENDAR_EVENTS_MAX * 4,
                "more than 50000 events");
    expect_edge("BEGIN:VCALENDAR\n", "BEGIN:VTIMEZONE\nTZID:%d\nEND:VTIMEZONE\n", ICALENDAR_ZONES_MAX,
                "END:VCALENDAR\n", 2 + ICALENDAR_ZONES_MAX * 3, "more than 200 time zones");
    expect_edge("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:1\nBEGIN:STANDARD\n", "RDATE:%d\n",
                ICALENDAR_ZONE_RULES_MAX, "END:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n",
                5 + ICALENDAR_ZONE_RULES_MAX, "more than 1000 rules");
    expect_edge("BEGIN:VCALENDAR\n",
                "BEGIN:VEVENT\nUID:%d\nDTSTART;VALUE=DATE:20260701\nRRULE:FREQ=YEARLY;COUNT=1\nEND:VEVENT\n",
                ICALENDAR_REPEATING_MAX, "END:VCALENDAR\n", 5, "more than 100 absences repeat");
    expect_edge("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nUID:%d\nDTSTART;VALUE=DATE:20260701\nEND:VEVENT\n",
                ORG_ABSENCES_IMPORTED_MAX, "END:VCALENDAR\n", 0, "513 absences ahead");
    expect_edge("BEGIN:VCALENDAR\n", "BEGIN:A%d\n", ICALENDAR_NESTING_MAX - 1,
                "END:A6\nEND:A5\nEND:A4\nEND:A3\nEND:A2\nEND:A1\nEND:A0\nEND:VCALENDAR\n",
                ICALENDAR_NESTING_MAX + 1, "nested deeper than 8");
}

static void occurrences_of_one_file_end_at_their_limit(void **state)
{
    (void)state;
    char line[200];
    snprintf(line, sizeof line, "DTSTART;VALUE=DATE:00010101\nRRULE:FREQ=DAILY;COUNT=%d",
             ICALENDAR_STEPS_MAX);
    expect_event(line);
    snprintf(line, sizeof line, "RRULE:FREQ=DAILY;COUNT=%d\nSTATUS:CONFIRMED", ICALENDAR_STEPS_MAX + 1);
    char text[512];
    snprintf(text, sizeof text,
             "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:00010101\n%s\nEND:VEVENT\n"
             "END:VCALENDAR\n",
             line);
    expect_refusal(text, TROUPE_TOO_LARGE, 5, "more than 200000 occurrences");
}

static void size_and_name_end_at_their_limits(void **state)
{
    (void)state;
    static const char head[] = "BEGIN:VCALENDAR\nEND:VCALENDAR\n";
    char *text = malloc(ICALENDAR_SIZE_MAX + 2);
    assert_non_null(text);
    memset(text, '\n', ICALENDAR_SIZE_MAX + 1);
    memcpy(text, head, sizeof head - 1);
    text[ICALENDAR_SIZE_MAX + 1] = '\0';
    expect_refusal(text, TROUPE_TOO_LARGE, 0, "4194305 bytes");
    text[ICALENDAR_SIZE_MAX] = '\0';
    expect_read(text);
    free(text);
    char name[ICALENDAR_NAME_LEN_MAX + 2];
    memset(name, 'n', sizeof name);
    name[ICALENDAR_NAME_LEN_MAX + 1] = '\0';
    reading.name = name;
    expect_refusal(head, TROUPE_TOO_LARGE, 0, "name has more than 256");
    name[ICALENDAR_NAME_LEN_MAX] = '\0';
    expect_read(head);
    assert_string_equal(calendar.name, name);
    reading.name = "two\nlines";
    expect_refusal(head, TROUPE_MALFORMED, 0, "not a line");
    reading.name = NULL;
    expect_refusal("BEGIN:VCALENDAR\nNAME:\xff\n", TROUPE_MALFORMED, 2, "not a line of UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(bad_file_is_refused_with_its_line),
        FACT(bad_line_of_an_event_is_refused),
        FACT(line_is_counted_where_it_begins_not_where_it_is_folded),
        FACT(zone_that_would_never_end_is_refused),
        FACT(what_one_file_may_have_ends_at_its_limits),
        FACT(occurrences_of_one_file_end_at_their_limit),
        FACT(size_and_name_end_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

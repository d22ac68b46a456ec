/* SPDX-License-Identifier: MIT */
/*
 * server_icalendar_support.h: reading calendars in tests. The person lives in Berlin; it is midnight UTC, 15
 * June 2026. One thread.
 */
#ifndef TESTS_SERVER_ICALENDAR_SUPPORT_H
#define TESTS_SERVER_ICALENDAR_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/icalendar.h"
#include "server/zones.h"

static struct icalendar calendar;
static struct icalendar_problem problem;
static struct icalendar_reading reading;

/** An instant of UTC. */
static inline int64_t utc(int year, int month, int day, int hour, int minute)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t days = (int64_t)(year - 1970) * 365 + (year - 1969) / 4 + before[month - 1] + day - 1;
    days += month > 2 && year % 4 == 0; /* no century's end comes near */
    return ((days * 24 + hour) * 60 + minute) * ORG_MINUTE_MS;
}

/** The person, and the time. */
static inline int set_up(void **state)
{
    (void)state;
    reading = (struct icalendar_reading){.now_ms = utc(2026, 6, 15, 0, 0), .find_zone = zones_find};
    assert_true(zones_find("Europe/Berlin", &reading.zone));
    return 0;
}

/** Frees what was read last. */
static inline int tear_down(void **state)
{
    (void)state;
    icalendar_done(&calendar);
    return 0;
}

/** Reads a file. */
static inline troupe_status read_text(const char *text)
{
    icalendar_done(&calendar);
    return icalendar_read(text, strlen(text), &reading, &calendar, &problem);
}

/** Reads a file that is good. */
static inline void expect_read(const char *text)
{
    troupe_status status = read_text(text);
    if (status != TROUPE_OK)
        fail_msg("line %u: %s (%s)", problem.line, problem.reason, troupe_status_text(status));
}

/** Reads one event with these lines, besides its UID. */
static inline void expect_event(const char *lines)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n%s\nEND:VEVENT\nEND:VCALENDAR\n", lines);
    assert_in_range(size, 1, sizeof text - 1);
    expect_read(text);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

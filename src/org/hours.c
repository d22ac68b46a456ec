/* SPDX-License-Identifier: MIT */
/*
 * hours.c: walking from working day to working day; hours.h says why. Each day's hours are two instants of
 * that day's own offset, so a day on which clocks change is as long as it is. Whole weeks are not leapt over:
 * a span has at most some hundred days.  Pure; any thread.
 */
#include "org/hours.h"

#include "org/limits.h"

enum { DAY_S = 86400 };

/* The longest span that is walked; a longer one ends as if all of what is beyond were worked. */
enum { DAYS_MAX = 7 * 400 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* The day on the wall, from 1970. */
static int64_t day_at(const struct org_hours *hours, int64_t at_ms)
{
    int64_t unix_s = floor_div(at_ms, 1000);
    return floor_div(unix_s + org_zone_offset_s(hours->zone, unix_s), DAY_S);
}

/* What of a day is worked, as instants; false for none. */
static bool day_hours(const struct org_hours *hours, int64_t day, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* from Monday; 1970 began on a Thursday */
    if ((hours->days >> weekday & 1) == 0)
        return false;
    *ret_from_ms = org_zone_instant_s(hours->zone, day * DAY_S + hours->from_minute * 60) * 1000;
    *ret_to_ms = org_zone_instant_s(hours->zone, day * DAY_S + hours->to_minute * 60) * 1000;
    return *ret_from_ms < *ret_to_ms;
}

bool org_hours_are_valid(const struct org_hours *hours)
{
    return (hours->days & ORG_ALL_DAYS) != 0 && hours->days <= ORG_ALL_DAYS &&
           hours->from_minute < hours->to_minute && hours->to_minute <= ORG_DAY_MINUTES;
}

bool org_hours_is_open(const struct org_hours *hours, int64_t at_ms)
{
    int64_t from, to;
    return hours == NULL ||
           (day_hours(hours, day_at(hours, at_ms), &from, &to) && at_ms >= from && at_ms < to);
}

/* A span in working time: its whole days are days as long as they are by the clock, the rest is as it is. */
static int64_t worked(const struct org_hours *hours, int64_t span_ms)
{
    int64_t day_ms = (int64_t)(hours->to_minute - hours->from_minute) * ORG_MINUTE_MS;
    return span_ms / ORG_DAY_MS * day_ms + span_ms % ORG_DAY_MS;
}

int64_t org_hours_after(const struct org_hours *hours, int64_t at_ms, int64_t span_ms)
{
    if (hours == NULL)
        return at_ms + span_ms;
    int64_t left = worked(hours, span_ms);
    int64_t day = day_at(hours, at_ms);
    for (int i = 0; i < DAYS_MAX && left > 0; i++, day++) {
        int64_t from, to;
        if (!day_hours(hours, day, &from, &to) || to <= at_ms)
            continue;
        if (from > at_ms)
            at_ms = from;
        if (left <= to - at_ms)
            return at_ms + left;
        left -= to - at_ms;
        at_ms = to;
    }
    return at_ms + left;
}

int64_t org_hours_before(const struct org_hours *hours, int64_t at_ms, int64_t span_ms)
{
    if (hours == NULL)
        return at_ms - span_ms;
    int64_t left = worked(hours, span_ms);
    int64_t day = day_at(hours, at_ms);
    for (int i = 0; i < DAYS_MAX && left > 0; i++, day--) {
        int64_t from, to;
        if (!day_hours(hours, day, &from, &to) || from >= at_ms)
            continue;
        if (to < at_ms)
            at_ms = to;
        if (left <= at_ms - from)
            return at_ms - left;
        left -= at_ms - from;
        at_ms = from;
    }
    return at_ms - left;
}

/* SPDX-License-Identifier: MIT */
/*
 * notices.c: from a choice and a time to the time of a notice; notices.h says why. Pure; any thread.
 */
#include "org/notices.h"

#include "org/limits.h"

enum { DAY_S = 86400 };

/* At once while the hours are open, else when they are next. */
static int64_t next_open(const struct org_hours *hours, int64_t at_ms)
{
    return org_hours_is_open(hours, at_ms) ? at_ms : org_hours_after(hours, at_ms, 1) - 1;
}

/* The next moment, this one included, at which the clock shows a minute of the day. */
static int64_t next_minute(const struct org_zone *zone, int64_t at_ms, uint16_t minute)
{
    int64_t at_s = at_ms / 1000;
    int64_t day = (at_s + org_zone_offset_s(zone, at_s)) / DAY_S;
    for (;; day++) {
        int64_t instant_ms = org_zone_instant_s(zone, day * DAY_S + minute * 60) * 1000;
        if (instant_ms >= at_ms)
            return instant_ms;
    }
}

int64_t org_notice_at(const struct org_notice_choice *choice, enum org_class message_class, int64_t at_ms)
{
    const struct org_zone *zone = choice->hours == NULL ? NULL : choice->hours->zone;
    switch (choice->kind) {
    case ORG_NOTICES_URGENT:
        return message_class == ORG_URGENT ? next_open(choice->hours, at_ms) : INT64_MAX;
    case ORG_NOTICES_DIGEST:
        return next_open(choice->hours, next_minute(zone, at_ms, choice->digest_minute));
    default:
        return INT64_MAX;
    }
}

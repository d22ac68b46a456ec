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

/* The day on the clock, from 1970. */
static int64_t day_of(const struct org_zone *zone, int64_t at_ms)
{
    return (at_ms / 1000 + org_zone_offset_s(zone, at_ms / 1000)) / DAY_S;
}

/* The next moment, this one included, at which the clock shows a minute of the day. */
static int64_t next_minute(const struct org_zone *zone, int64_t at_ms, uint16_t minute)
{
    for (int64_t day = day_of(zone, at_ms);; day++) {
        int64_t instant_ms = org_zone_instant_s(zone, day * DAY_S + minute * 60) * 1000;
        if (instant_ms >= at_ms)
            return instant_ms;
    }
}

int64_t org_notice_at(const struct org_notice_choice *choice, enum org_class message_class, int64_t at_ms)
{
    switch (choice->kind) {
    case ORG_NOTICES_URGENT:
        return message_class == ORG_URGENT ? next_open(choice->hours, at_ms) : INT64_MAX;
    case ORG_NOTICES_DIGEST:
        return next_open(choice->hours, next_minute(choice->zone, at_ms, choice->digest_minute));
    default:
        return INT64_MAX;
    }
}

/* --- looking -------------------------------------------------------------------------------------- */

/* When the next digest goes out after the last one, if nothing more comes. */
static int64_t digest_due(const struct org_notice_choice *choice, const struct org_notice_waiting *waiting,
                          int64_t digest_at)
{
    if (waiting->queued == 0)
        return INT64_MAX;
    if (digest_at == 0)
        return org_notice_at(choice, ORG_NORMAL, waiting->oldest_at);
    int64_t from = waiting->oldest_at > digest_at ? waiting->oldest_at : digest_at;
    int64_t at = org_notice_at(choice, ORG_NORMAL, from);
    int64_t day = day_of(choice->zone, digest_at);
    if (day_of(choice->zone, at) > day)
        return at;
    return org_notice_at(choice, ORG_NORMAL, org_zone_instant_s(choice->zone, (day + 1) * DAY_S) * 1000);
}

/* When the notice that was chosen goes out for what waits, looked at as if nobody was ever away. */
static int64_t notice_due(const struct org_notice_choice *choice, const struct org_notice_waiting *waiting,
                          int64_t digest_at)
{
    if (choice->kind == ORG_NOTICES_DIGEST)
        return digest_due(choice, waiting, digest_at);
    return waiting->urgent > 0 ? org_notice_at(choice, ORG_URGENT, waiting->urgent_at) : INT64_MAX;
}

struct org_notice_look org_notice_look(const struct org_notice_choice *choice,
                                       const struct org_notice_waiting *waiting, int64_t digest_at,
                                       int64_t away_until, int64_t now_ms)
{
    int64_t at = notice_due(choice, waiting, digest_at);
    int64_t from = away_until > now_ms ? away_until : now_ms;
    if (at == INT64_MAX || from == INT64_MAX)
        return (struct org_notice_look){ORG_NOTICES_NONE, INT64_MAX};
    if (at < from)
        at = next_open(choice->hours, from);
    if (at > now_ms)
        return (struct org_notice_look){ORG_NOTICES_NONE, at};
    struct org_notice_waiting told = *waiting;
    told.urgent = 0;
    return (struct org_notice_look){choice->kind, notice_due(choice, &told, now_ms)};
}

/* SPDX-License-Identifier: MIT */
/*
 * zone.c: reading TZif and reckoning with it; zone.h says what for. A file has a block with 32-bit times for
 * old readers, which is skipped, one with 64-bit times, and a footer: a rule as in the variable TZ of POSIX.
 * Pure; any thread.
 */
#include "org/zone.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 44, DAY_S = 86400, HOUR_S = 3600, OFFSET_MAX_S = 26 * HOUR_S };

/* One of the two days of a year at which clocks change. */
struct change {
    enum { CHANGE_WEEKDAY, CHANGE_JULIAN, CHANGE_DAY } kind;
    int month; /* 1 to 12 */
    int week;  /* 1 to 5, 5 the last */
    int day;   /* of the week from Sunday 0, or of the year */
    int32_t time_s;
};

struct transition {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

struct org_zone {
    int32_t first_offset_s; /* before the first transition */
    bool has_summer;
    int32_t standard_s; /* after the last transition */
    int32_t summer_s;
    struct change begin; /* of summer time, in standard time */
    struct change end;   /* in summer time */
    size_t count;
    struct transition transitions[];
};

/* --- the footer ----------------------------------------------------------------------------------- */

static bool read_number(const char **at, const char *end, int max, int *ret_number)
{
    int number = 0;
    const char *start = *at;
    while (*at < end && **at >= '0' && **at <= '9') {
        number = number * 10 + (**at - '0');
        if (number > max)
            return false;
        ++*at;
    }
    *ret_number = number;
    return *at > start;
}

static bool skip(const char **at, const char *end, char wanted)
{
    if (*at == end || **at != wanted)
        return false;
    ++*at;
    return true;
}

/* [+|-]hh[:mm[:ss]] */
static bool read_time(const char **at, const char *end, int32_t *ret_seconds)
{
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    bool is_negative = skip(at, end, '-');
    if (!is_negative)
        (void)skip(at, end, '+');
    if (!read_number(at, end, 167, &hours))
        return false;
    if (skip(at, end, ':') && !read_number(at, end, 59, &minutes))
        return false;
    if (skip(at, end, ':') && !read_number(at, end, 59, &seconds))
        return false;
    int32_t total = hours * HOUR_S + minutes * 60 + seconds;
    *ret_seconds = is_negative ? -total : total;
    return true;
}

/* A name: letters, or anything between angle brackets. It is not kept. */
static bool skip_name(const char **at, const char *end)
{
    const char *start = *at;
    if (skip(at, end, '<')) {
        while (*at < end && **at != '>')
            ++*at;
        return skip(at, end, '>');
    }
    while (*at < end && ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z')))
        ++*at;
    return *at - start >= 3;
}

static bool read_change(const char **at, const char *end, struct change *ret_change)
{
    bool is_good;
    struct change change = {.time_s = 2 * HOUR_S};
    if (!skip(at, end, ','))
        return false;
    if (skip(at, end, 'M')) {
        change.kind = CHANGE_WEEKDAY;
        is_good = read_number(at, end, 12, &change.month) && change.month >= 1 && skip(at, end, '.') &&
                  read_number(at, end, 5, &change.week) && change.week >= 1 && skip(at, end, '.') &&
                  read_number(at, end, 6, &change.day);
    } else if (skip(at, end, 'J')) {
        change.kind = CHANGE_JULIAN;
        is_good = read_number(at, end, 365, &change.day) && change.day >= 1;
    } else {
        change.kind = CHANGE_DAY;
        is_good = read_number(at, end, 365, &change.day);
    }
    if (is_good && skip(at, end, '/'))
        is_good = read_time(at, end, &change.time_s);
    *ret_change = change;
    return is_good;
}

/* Offsets in TZ are what is to be added to local time, so their sign is turned. */
static bool read_rule(struct org_zone *zone, const char *at, const char *end)
{
    int32_t west;
    if (!skip_name(&at, end) || !read_time(&at, end, &west))
        return false;
    zone->standard_s = -west;
    if (at == end)
        return true;
    if (!skip_name(&at, end))
        return false;
    zone->has_summer = true;
    zone->summer_s = zone->standard_s + HOUR_S;
    if (at < end && *at != ',') {
        if (!read_time(&at, end, &west))
            return false;
        zone->summer_s = -west;
    }
    return read_change(&at, end, &zone->begin) && read_change(&at, end, &zone->end) && at == end;
}

/* --- the file ------------------------------------------------------------------------------------- */

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t be64(const unsigned char *at)
{
    return (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

/* What a header says of the block behind it. */
struct block {
    uint32_t utc_count, wall_count, leap_count, time_count, type_count, name_size;
};

static bool read_header(const unsigned char *at, size_t size, struct block *ret_block)
{
    if (size < HEADER_SIZE || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    *ret_block = (struct block){be32(at + 20), be32(at + 24), be32(at + 28),
                                be32(at + 32), be32(at + 36), be32(at + 40)};
    return true;
}

static uint64_t block_size(const struct block *block, unsigned time_size)
{
    return (uint64_t)block->time_count * (time_size + 1) + (uint64_t)block->type_count * 6 +
           block->name_size + (uint64_t)block->leap_count * (time_size + 4) + block->wall_count +
           block->utc_count;
}

static bool read_offset(const unsigned char *types, uint32_t type_count, uint32_t type, int32_t *ret_offset)
{
    if (type >= type_count)
        return false;
    *ret_offset = (int32_t)be32(types + (size_t)type * 6);
    return *ret_offset > -OFFSET_MAX_S && *ret_offset < OFFSET_MAX_S;
}

static bool read_transitions(struct org_zone *zone, const unsigned char *at, const struct block *block)
{
    const unsigned char *indexes = at + (size_t)block->time_count * 8;
    const unsigned char *types = indexes + block->time_count;
    if (!read_offset(types, block->type_count, 0, &zone->first_offset_s))
        return false;
    for (uint32_t i = 0; i < block->time_count; i++) {
        struct transition *transition = &zone->transitions[i];
        transition->at_s = be64(at + (size_t)i * 8);
        if (!read_offset(types, block->type_count, indexes[i], &transition->offset_s) ||
            (i > 0 && transition->at_s <= zone->transitions[i - 1].at_s))
            return false;
    }
    zone->count = block->time_count;
    return true;
}

static bool read_footer(struct org_zone *zone, const char *at, size_t size)
{
    const char *end = size < 2 || at[0] != '\n' ? NULL : memchr(at + 1, '\n', size - 1);
    if (end == NULL)
        return false;
    if (end > at + 1)
        return read_rule(zone, at + 1, end);
    /* No rule: it stays as it was last. */
    zone->standard_s = zone->count == 0 ? zone->first_offset_s : zone->transitions[zone->count - 1].offset_s;
    return true;
}

troupe_status org_zone_read(const void *bytes, size_t size, struct org_zone **ret_zone)
{
    const unsigned char *at = bytes;
    struct block block;
    if (size > ORG_ZONE_FILE_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    if (!read_header(at, size, &block) || block_size(&block, 4) > size - HEADER_SIZE)
        return TROUPE_MALFORMED;
    size_t skipped = HEADER_SIZE + (size_t)block_size(&block, 4);
    at += skipped;
    size -= skipped;
    if (!read_header(at, size, &block) || block_size(&block, 8) > size - HEADER_SIZE)
        return TROUPE_MALFORMED;
    if (block.time_count > ORG_ZONE_TRANSITIONS_MAX)
        return TROUPE_TOO_LARGE;
    struct org_zone *zone = calloc(1, sizeof(*zone) + block.time_count * sizeof(struct transition));
    if (zone == NULL)
        return TROUPE_NO_MEMORY;
    size_t body = HEADER_SIZE + (size_t)block_size(&block, 8);
    if (!read_transitions(zone, at + HEADER_SIZE, &block) ||
        !read_footer(zone, (const char *)at + body, size - body)) {
        free(zone);
        return TROUPE_MALFORMED;
    }
    *ret_zone = zone;
    return TROUPE_OK;
}

void org_zone_free(struct org_zone *zone)
{
    free(zone);
}

/* --- years ---------------------------------------------------------------------------------------- */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to the first of a year. */
static int64_t year_begin(int64_t year)
{
    int64_t before = year - 1;
    return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

static int64_t year_of(int64_t unix_s)
{
    int64_t days = unix_s >= 0 ? unix_s / DAY_S : -((-unix_s + DAY_S - 1) / DAY_S);
    int64_t year = 1970 + days / 366;
    while (year_begin(year + 1) <= days)
        year++;
    while (year_begin(year) > days)
        year--;
    return year;
}

static int64_t month_begin(int64_t year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    return year_begin(year) + before[month - 1] + (month > 2 && is_leap(year));
}

/* The day of a change, from 1970. The first of January 1970 was a Thursday, day 4 of its week. */
static int64_t change_day(const struct change *change, int64_t year)
{
    if (change->kind == CHANGE_DAY)
        return year_begin(year) + change->day;
    if (change->kind == CHANGE_JULIAN) /* the 29th of February is never counted */
        return year_begin(year) + change->day - 1 + (is_leap(year) && change->day >= 60);
    int64_t first = month_begin(year, change->month);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
    int64_t next = change->month == 12 ? year_begin(year + 1) : month_begin(year, change->month + 1);
    return day < next ? day : day - 7;
}

static int32_t rule_offset(const struct org_zone *zone, int64_t unix_s)
{
    if (!zone->has_summer)
        return zone->standard_s;
    int64_t year = year_of(unix_s + zone->standard_s);
    int64_t begin = change_day(&zone->begin, year) * DAY_S + zone->begin.time_s - zone->standard_s;
    int64_t end = change_day(&zone->end, year) * DAY_S + zone->end.time_s - zone->summer_s;
    bool is_summer = begin < end ? unix_s >= begin && unix_s < end : unix_s >= begin || unix_s < end;
    return is_summer ? zone->summer_s : zone->standard_s;
}

/* --- reckoning ------------------------------------------------------------------------------------ */

int32_t org_zone_offset_s(const struct org_zone *zone, int64_t unix_s)
{
    if (zone == NULL)
        return 0;
    if (zone->count == 0 || unix_s < zone->transitions[0].at_s)
        return zone->count == 0 ? rule_offset(zone, unix_s) : zone->first_offset_s;
    if (unix_s >= zone->transitions[zone->count - 1].at_s)
        return rule_offset(zone, unix_s);
    size_t low = 0; /* the last transition that is not after it */
    size_t high = zone->count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].at_s <= unix_s)
            low = middle;
        else
            high = middle;
    }
    return zone->transitions[low].offset_s;
}

int64_t org_zone_instant_s(const struct org_zone *zone, int64_t local_s)
{
    /* The offsets of the day before and after are the only ones it can be: zones change once in two days. */
    int32_t before = org_zone_offset_s(zone, local_s - DAY_S);
    int32_t after = org_zone_offset_s(zone, local_s + DAY_S);
    if (org_zone_offset_s(zone, local_s - before) == before)
        return local_s - before;
    if (org_zone_offset_s(zone, local_s - after) == after)
        return local_s - after;
    /* Clocks leap over it: between these two instants lies the leap. */
    int64_t low = local_s - after - 1;
    int64_t high = local_s - before;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (org_zone_offset_s(zone, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

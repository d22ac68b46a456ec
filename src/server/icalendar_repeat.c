/* SPDX-License-Identifier: MIT */
/*
 * icalendar_repeat.c: from the events that mean "away" to absences: once, or as often as their rules and
 * lists say, until the horizon; without the occurrences that are excepted or stand somewhere else; joined
 * where they touch. Part of icalendar.h; one thread.
 *
 * Occurrences are followed on the clock on the wall, where "every Monday at nine" is nine in summer and in
 * winter, and each is turned into an instant by itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "server/icalendar_parts.h"

/* Further than any zone is from UTC, and than what clocks do within a week. */
#define SLACK_S ((int64_t)2 * ICALENDAR_DAY_S)

/* An occurrence of the series `uid` that does not take place as the series says. */
struct exception {
    uint64_t uid;
    int64_t at; /* an instant in milliseconds, or of a date its day from 1970 */
    bool is_date;
};

/* A series, or an event by itself: not what stands for an occurrence of another. */
struct master {
    uint64_t uid;
    bool is_away;
};

struct series {
    struct ical_reader *reader;
    const struct ical_event *event;
    struct ical_place place;
    uint64_t source;
    int64_t length_ms; /* exact, of one with an end */
};

struct making {
    struct ical_reader *reader;
    struct exception *exceptions;
    size_t exception_count;
    size_t exception_capacity;
    struct master *masters;
    size_t master_count;
    size_t steps;
    size_t repeating;
};

/* --- lists ------------------------------------------------------------------------------------ */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_exceptions(const void *a, const void *b)
{
    const struct exception *left = a;
    const struct exception *right = b;
    if (left->uid != right->uid)
        return compare_numbers(left->uid, right->uid);
    if (left->is_date != right->is_date)
        return left->is_date ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

/* Of two with one UID the one that is away comes first. */
static int compare_masters(const void *a, const void *b)
{
    const struct master *left = a;
    const struct master *right = b;
    if (left->uid != right->uid)
        return compare_numbers(left->uid, right->uid);
    return (int)right->is_away - (int)left->is_away;
}

static int compare_sources(const void *a, const void *b)
{
    return compare_numbers(*(const uint64_t *)a, *(const uint64_t *)b);
}

static int compare_absences(const void *a, const void *b)
{
    const struct org_imported_absence *left = a;
    const struct org_imported_absence *right = b;
    if (left->source != right->source)
        return compare_numbers(left->source, right->source);
    return left->from < right->from ? -1 : left->from > right->from;
}

static const struct master *find_master(const struct making *making, uint64_t uid)
{
    size_t low = 0;
    size_t high = making->master_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (making->masters[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < making->master_count && making->masters[low].uid == uid ? &making->masters[low] : NULL;
}

static bool is_excepted(const struct making *making, uint64_t uid, bool is_date, int64_t at)
{
    const struct exception wanted = {uid, at, is_date};
    return making->exception_count > 0 && bsearch(&wanted, making->exceptions, making->exception_count,
                                                  sizeof wanted, compare_exceptions) != NULL;
}

static bool make_masters(struct making *making)
{
    struct ical_reader *reader = making->reader;
    making->masters = calloc(reader->calendar->event_count + 1, sizeof *making->masters);
    if (making->masters == NULL) {
        ical_fail(reader, TROUPE_NO_MEMORY);
        return false;
    }
    for (const struct ical_event *event = reader->events; event != NULL; event = event->next) {
        if (event->recurrence.line == 0)
            making->masters[making->master_count++] = (struct master){event->uid, event->is_away};
    }
    qsort(making->masters, making->master_count, sizeof *making->masters, compare_masters);
    return true;
}

static int64_t day_of(int64_t local_s)
{
    return local_s / ICALENDAR_DAY_S - (local_s % ICALENDAR_DAY_S < 0);
}

static void add_exception(struct making *making, uint64_t uid, const struct ical_when *when)
{
    struct ical_reader *reader = making->reader;
    struct ical_place place;
    if (!ical_place_of(reader, when, &place))
        return;
    troupe_status status = array_reserve(&making->exceptions, &making->exception_capacity,
                                         making->exception_count + 1, sizeof *making->exceptions);
    if (status != TROUPE_OK) {
        ical_fail(reader, status);
        return;
    }
    int64_t local_s = ical_local_s(&when->at);
    bool is_date = when->at.is_date;
    making->exceptions[making->exception_count++] =
        (struct exception){uid, is_date ? day_of(local_s) : ical_instant_ms(&place, local_s), is_date};
}

/* Those of series that mean "away"; what is moved or cancelled in others does not matter. */
static void gather_exceptions(struct making *making)
{
    struct ical_reader *reader = making->reader;
    for (const struct ical_event *event = reader->events; event != NULL && reader->status == TROUPE_OK;
         event = event->next) {
        const struct master *master = find_master(making, event->uid);
        if (master == NULL || !master->is_away)
            continue;
        if (event->recurrence.line != 0)
            add_exception(making, event->uid, &event->recurrence);
        for (const struct ical_date *date = event->dates; date != NULL && reader->status == TROUPE_OK;
             date = date->next) {
            if (date->is_exception)
                add_exception(making, event->uid, &date->when);
        }
    }
    if (making->exception_count > 0) /* else there may be no array */
        qsort(making->exceptions, making->exception_count, sizeof *making->exceptions, compare_exceptions);
}

/* --- one occurrence --------------------------------------------------------------------------- */

static void add_absence(struct ical_reader *reader, int64_t from, int64_t until, uint64_t source)
{
    struct icalendar *calendar = reader->calendar;
    int64_t now = reader->reading->now_ms;
    if (until <= now || from > now + ICALENDAR_HORIZON_MS || until <= from || until > ORG_TIME_MAX_MS)
        return;
    troupe_status status = array_reserve(&calendar->absences, &reader->absence_capacity,
                                         calendar->absence_count + 1, sizeof *calendar->absences);
    if (status != TROUPE_OK) {
        ical_fail(reader, status);
        return;
    }
    calendar->absences[calendar->absence_count++] =
        (struct org_imported_absence){.from = from > 0 ? from : 0, .until = until, .source = source};
}

static int64_t duration_days(const struct icaldurationtype *duration)
{
    return (int64_t)duration->weeks * 7 + duration->days;
}

static int64_t duration_s(const struct icaldurationtype *duration)
{
    return (int64_t)duration->hours * 3600 + (int64_t)duration->minutes * 60 + duration->seconds;
}

/* When a duration from a time on the clock is over: its days are the clock's, the rest is exact. */
static int64_t after_duration_ms(const struct ical_place *place, int64_t local_s,
                                 const struct icaldurationtype *duration)
{
    return ical_instant_ms(place, local_s + duration_days(duration) * ICALENDAR_DAY_S) +
           duration_s(duration) * 1000;
}

/* How long the days of an all-day event are, on the clock. One without an end, or with none, has one. */
static int64_t whole_days_s(const struct ical_event *event)
{
    int64_t length_s = duration_days(&event->duration) * ICALENDAR_DAY_S + duration_s(&event->duration);
    if (event->end.line != 0)
        length_s = ical_local_s(&event->end.at) - ical_local_s(&event->start.at);
    int64_t days = (length_s + ICALENDAR_DAY_S - 1) / ICALENDAR_DAY_S;
    return (days > 0 ? days : 1) * ICALENDAR_DAY_S;
}

static void add_occurrence(struct making *making, const struct series *series, int64_t local_s)
{
    const struct ical_event *event = series->event;
    int64_t from = ical_instant_ms(&series->place, local_s);
    if (event->recurrence.line == 0 && (is_excepted(making, event->uid, true, day_of(local_s)) ||
                                        is_excepted(making, event->uid, false, from)))
        return;
    int64_t until;
    if (event->start.at.is_date)
        until = ical_instant_ms(&series->place, local_s + whole_days_s(event));
    else if (event->end.line != 0)
        until = from + series->length_ms;
    else
        until = after_duration_ms(&series->place, local_s, &event->duration);
    add_absence(making->reader, from, until, series->source);
}

/* A further date of the list, which may be a period with a length of its own. */
static void add_further(struct making *making, const struct series *series, const struct ical_date *date)
{
    struct ical_place place;
    struct ical_place end_place;
    int64_t local_s = ical_local_s(&date->when.at);
    if (!ical_place_of(making->reader, &date->when, &place))
        return;
    if (!date->has_duration && date->end.line == 0) {
        struct series further = *series;
        further.place = place;
        add_occurrence(making, &further, local_s);
        return;
    }
    int64_t from = ical_instant_ms(&place, local_s);
    if (is_excepted(making, series->event->uid, false, from))
        return;
    if (date->has_duration)
        add_absence(making->reader, from, after_duration_ms(&place, local_s, &date->duration),
                    series->source);
    else if (ical_place_of(making->reader, &date->end, &end_place))
        add_absence(making->reader, from, ical_instant_ms(&end_place, ical_local_s(&date->end.at)),
                    series->source);
}

/* --- a rule ----------------------------------------------------------------------------------- */

/* The last moment that a rule goes to, on the clock of the series: its own, or the horizon. */
static bool is_beyond(const struct series *series, const struct icaltimetype *until, int64_t local_s)
{
    int64_t horizon_s = (series->reader->reading->now_ms + ICALENDAR_HORIZON_MS) / 1000 + SLACK_S;
    if (local_s > horizon_s)
        return true;
    if (icaltime_is_null_time(*until))
        return false;
    int64_t until_s = ical_local_s(until);
    if (until->is_date)
        return day_of(local_s) > day_of(until_s);
    if (!icaltime_is_utc(*until))
        return local_s > until_s;
    if (local_s < until_s - SLACK_S || local_s > until_s + SLACK_S)
        return local_s > until_s;
    return ical_instant_ms(&series->place, local_s) > until_s * 1000;
}

static bool check_rule(struct making *making, const struct ical_event *event,
                       const struct icalrecurrencetype *rule)
{
    struct ical_reader *reader = making->reader;
    if (rule->freq < ICAL_DAILY_RECURRENCE || rule->freq > ICAL_YEARLY_RECURRENCE)
        ical_refuse(reader, event->rule_line, "an absence repeats daily, weekly, monthly or yearly");
    else if (++making->repeating > ICALENDAR_REPEATING_MAX)
        ical_too_large(reader, event->rule_line, "more than %d absences repeat by a rule",
                       ICALENDAR_REPEATING_MAX);
    return reader->status == TROUPE_OK;
}

static void follow(struct making *making, const struct series *series, struct icalrecurrencetype *rule)
{
    struct ical_reader *reader = making->reader;
    const struct ical_event *event = series->event;
    const struct icaltimetype until = rule->until;
    struct icaltimetype start = event->start.at;
    int64_t start_s = ical_local_s(&start);
    /*
     * Where it ends is found here, by instants; what libical is told keeps it from searching for centuries.
     */
    int64_t horizon_s = (reader->reading->now_ms + ICALENDAR_HORIZON_MS) / 1000 + SLACK_S;
    rule->until =
        rule->count == 0 ? icaltime_from_timet_with_zone((time_t)horizon_s, 1, NULL) : icaltime_null_time();
    start.zone = NULL;
    icalerror_clear_errno();
    icalrecur_iterator *iterator = icalrecur_iterator_new(*rule, start);
    if (iterator == NULL) {
        if (icalerrno == ICAL_NEWFAILED_ERROR)
            ical_fail(reader, TROUPE_NO_MEMORY);
        else
            ical_refuse(reader, event->rule_line, "the rule of the event cannot be followed");
        return;
    }
    struct icaltimetype at = icalrecur_iterator_next(iterator);
    for (; !icaltime_is_null_time(at) && reader->status == TROUPE_OK;
         at = icalrecur_iterator_next(iterator)) {
        int64_t local_s = ical_local_s(&at);
        if (is_beyond(series, &until, local_s))
            break;
        if (++making->steps > ICALENDAR_STEPS_MAX)
            ical_too_large(reader, event->rule_line, "the events of the file have more than %d occurrences",
                           ICALENDAR_STEPS_MAX);
        else if (local_s != start_s)
            add_occurrence(making, series, local_s);
    }
    icalrecur_iterator_free(iterator);
}

static void follow_rule(struct making *making, const struct series *series)
{
    const struct ical_event *event = series->event;
    if (strcasestr(event->rule, "RSCALE") != NULL) {
        ical_refuse(making->reader, event->rule_line, "a rule with RSCALE is not understood");
        return;
    }
    struct icalrecurrencetype rule = icalrecurrencetype_from_string(event->rule);
    if (check_rule(making, event, &rule))
        follow(making, series, &rule);
}

/* --- all -------------------------------------------------------------------------------------- */

/* What an event came from: the calendar; or itself; or itself as an occurrence of what is not in the file. */
static uint64_t source_of(const struct making *making, const struct ical_event *event)
{
    const char *name = making->reader->calendar->name;
    if (name[0] != '\0')
        return ical_source('c', name, strlen(name));
    if (event->recurrence.line == 0 || find_master(making, event->uid) != NULL)
        return event->uid;
    int64_t parts[2];
    memcpy(&parts[0], &event->uid, sizeof parts[0]);
    parts[1] = ical_local_s(&event->recurrence.at);
    return ical_source('o', (const char *)parts, sizeof parts);
}

static void add_event(struct making *making, const struct ical_event *event)
{
    struct ical_reader *reader = making->reader;
    struct series series = {.reader = reader, .event = event, .source = source_of(making, event)};
    struct ical_place end_place;
    if (!ical_place_of(reader, &event->start, &series.place))
        return;
    int64_t start_s = ical_local_s(&event->start.at);
    if (event->end.line != 0 && !event->end.at.is_date) {
        if (!ical_place_of(reader, &event->end, &end_place))
            return;
        series.length_ms = ical_instant_ms(&end_place, ical_local_s(&event->end.at)) -
                           ical_instant_ms(&series.place, start_s);
        if (series.length_ms < 0) {
            ical_refuse(reader, event->end.line, "the event ends before it begins");
            return;
        }
    }
    add_occurrence(making, &series, start_s);
    if (event->recurrence.line != 0)
        return; /* one occurrence is one */
    for (const struct ical_date *date = event->dates; date != NULL && reader->status == TROUPE_OK;
         date = date->next) {
        if (!date->is_exception)
            add_further(making, &series, date);
    }
    if (event->rule != NULL && reader->status == TROUPE_OK)
        follow_rule(making, &series);
}

/* Joins absences of one source that touch or overlap. */
static void join(struct ical_reader *reader)
{
    struct icalendar *calendar = reader->calendar;
    struct org_imported_absence *absences = calendar->absences;
    size_t kept = 0;
    if (calendar->absence_count == 0)
        return;
    qsort(absences, calendar->absence_count, sizeof *absences, compare_absences);
    for (size_t i = 1; i < calendar->absence_count; i++) {
        if (absences[i].source != absences[kept].source || absences[i].from > absences[kept].until)
            absences[++kept] = absences[i];
        else if (absences[i].until > absences[kept].until)
            absences[kept].until = absences[i].until;
    }
    calendar->absence_count = kept + 1;
    if (calendar->absence_count > ORG_ABSENCES_IMPORTED_MAX)
        ical_too_large(reader, 0, "the file has %zu absences ahead; %d are the most", calendar->absence_count,
                       ORG_ABSENCES_IMPORTED_MAX);
}

static void list_sources(struct making *making)
{
    struct ical_reader *reader = making->reader;
    struct icalendar *calendar = reader->calendar;
    uint64_t *sources = calloc(calendar->event_count + 1, sizeof *sources);
    if (sources == NULL) {
        ical_fail(reader, TROUPE_NO_MEMORY);
        return;
    }
    calendar->sources = sources;
    size_t count = 0;
    if (calendar->name[0] != '\0')
        sources[count++] = ical_source('c', calendar->name, strlen(calendar->name));
    for (const struct ical_event *event = reader->events; event != NULL && calendar->name[0] == '\0';
         event = event->next)
        sources[count++] = source_of(making, event);
    qsort(sources, count, sizeof *sources, compare_sources);
    for (size_t i = 0; i < count; i++) {
        if (calendar->source_count == 0 || sources[calendar->source_count - 1] != sources[i])
            sources[calendar->source_count++] = sources[i];
    }
}

void ical_make_absences(struct ical_reader *reader)
{
    struct making making = {.reader = reader};
    if (make_masters(&making)) {
        gather_exceptions(&making);
        for (const struct ical_event *event = reader->events; event != NULL && reader->status == TROUPE_OK;
             event = event->next) {
            if (event->is_away)
                add_event(&making, event);
        }
        if (reader->status == TROUPE_OK)
            join(reader);
        if (reader->status == TROUPE_OK)
            list_sources(&making);
    }
    free(making.masters);
    free(making.exceptions);
}

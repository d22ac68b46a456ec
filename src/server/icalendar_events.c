/* SPDX-License-Identifier: MIT */
/*
 * icalendar_events.c: one VEVENT of an iCalendar file: the lines of it that say when it is and how the person
 * stands to it, and what that means (icalendar.h has the rule). Lines that say nothing of that are not looked
 * at. Part of icalendar.h; one thread.
 */
#include <string.h>
#include <strings.h>

#include "server/icalendar_parts.h"

static bool says(const struct ical_reader *reader, const char *value)
{
    return strcasecmp(reader->lines.value, value) == 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void take_uid(struct ical_reader *reader, struct ical_event *event)
{
    event->uid = ical_source('u', reader->lines.value, strlen(reader->lines.value));
    event->has_uid = reader->lines.value[0] != '\0';
}

static void take_status(struct ical_reader *reader, struct ical_event *event)
{
    if (says(reader, "CANCELLED") || says(reader, "TENTATIVE"))
        event->is_certain = false;
}

static void take_transparency(struct ical_reader *reader, struct ical_event *event)
{
    event->is_transparent = says(reader, "TRANSPARENT");
}

/* What Outlook shows the time as. */
static void take_busy(struct ical_reader *reader, struct ical_event *event)
{
    if (says(reader, "OOF"))
        event->busy = ICAL_BUSY_AWAY;
    else if (says(reader, "FREE") || says(reader, "TENTATIVE") || says(reader, "WORKINGELSEWHERE"))
        event->busy = ICAL_BUSY_NOT_AWAY;
}

/* The person's own answer to an invitation. */
static void take_attendee(struct ical_reader *reader, struct ical_event *event)
{
    const char *mail = reader->reading->mail;
    char answer[32];
    if (mail != NULL && mail[0] != '\0' && strncasecmp(reader->lines.value, "mailto:", 7) == 0 &&
        strcasecmp(reader->lines.value + 7, mail) == 0 &&
        icalendar_line_parameter(&reader->lines, "PARTSTAT", answer, sizeof answer) &&
        strcasecmp(answer, "DECLINED") == 0)
        event->is_certain = false;
}

static void take_start(struct ical_reader *reader, struct ical_event *event)
{
    ical_take_one(reader, &event->start);
}

static void take_end(struct ical_reader *reader, struct ical_event *event)
{
    ical_take_one(reader, &event->end);
}

static void take_duration(struct ical_reader *reader, struct ical_event *event)
{
    event->duration_line = reader->lines.line;
    ical_take_duration(reader, &event->duration);
}

static void take_recurrence(struct ical_reader *reader, struct ical_event *event)
{
    char range[32];
    ical_take_one(reader, &event->recurrence);
    if (icalendar_line_parameter(&reader->lines, "RANGE", range, sizeof range))
        ical_refuse(reader, reader->lines.line, "RECURRENCE-ID with a RANGE is not understood");
}

/*
 * Looked at now, so that what is wrong is known by its line; followed at the end, from its text, since few
 * events matter then.
 */
static void take_rule(struct ical_reader *reader, struct ical_event *event)
{
    if (event->rule != NULL) {
        ical_refuse(reader, reader->lines.line, "a second RRULE of one event is not understood");
        return;
    }
    icalcomponent *component = ical_parse_line(reader);
    if (component == NULL)
        return;
    icalcomponent_free(component);
    event->rule_line = reader->lines.line;
    troupe_status status =
        arena_text(&reader->arena, reader->lines.value, strlen(reader->lines.value), &event->rule);
    if (status != TROUPE_OK)
        ical_fail(reader, status);
}

static void refuse_exclusion(struct ical_reader *reader, struct ical_event *event)
{
    (void)event;
    ical_refuse(reader, reader->lines.line, "EXRULE, which RFC 5545 has abolished, is not understood");
}

/* One date of a list: a date, a time, or a period of time. */
static void take_date(struct ical_reader *reader, struct ical_event *event, const icalvalue *value,
                      bool is_exception)
{
    void *room;
    troupe_status status = arena_take(&reader->arena, sizeof(struct ical_date), &room);
    if (status != TROUPE_OK) {
        ical_fail(reader, status);
        return;
    }
    struct ical_date *date = room;
    *date = (struct ical_date){.next = event->dates, .is_exception = is_exception};
    event->dates = date;
    if (icalvalue_isa(value) != ICAL_PERIOD_VALUE) {
        ical_take_when(reader, icalvalue_get_datetimedate(value), &date->when);
        return;
    }
    struct icalperiodtype period = icalvalue_get_period(value);
    ical_take_when(reader, period.start, &date->when);
    date->has_duration = icaltime_is_null_time(period.end);
    date->duration = period.duration;
    if (!date->has_duration)
        ical_take_when(reader, period.end, &date->end);
    else if (period.duration.is_neg)
        ical_refuse(reader, reader->lines.line, "the event ends before it begins");
}

static void take_dates(struct ical_reader *reader, struct ical_event *event, bool is_exception)
{
    icalcomponent *component = ical_parse_line(reader);
    if (component == NULL)
        return;
    for (icalproperty *property = icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY);
         property != NULL && reader->status == TROUPE_OK;
         property = icalcomponent_get_next_property(component, ICAL_ANY_PROPERTY))
        take_date(reader, event, icalproperty_get_value(property), is_exception);
    icalcomponent_free(component);
}

static void take_further_dates(struct ical_reader *reader, struct ical_event *event)
{
    take_dates(reader, event, false);
}

static void take_exceptions(struct ical_reader *reader, struct ical_event *event)
{
    take_dates(reader, event, true);
}

/* --- events ----------------------------------------------------------------------------------- */

void ical_event_begin(struct ical_reader *reader)
{
    void *room;
    troupe_status status = TROUPE_OK;
    if (reader->calendar->event_count == ICALENDAR_EVENTS_MAX)
        ical_too_large(reader, reader->lines.line, "the file has more than %d events", ICALENDAR_EVENTS_MAX);
    else if ((status = arena_take(&reader->arena, sizeof(struct ical_event), &room)) != TROUPE_OK)
        ical_fail(reader, status);
    if (reader->status != TROUPE_OK)
        return;
    reader->calendar->event_count++;
    reader->event = room;
    *reader->event = (struct ical_event){.line = reader->lines.line, .is_certain = true};
}

void ical_event_line(struct ical_reader *reader)
{
    static const struct {
        const char *name;
        void (*take)(struct ical_reader *reader, struct ical_event *event);
    } known[] = {
        {"UID", take_uid},
        {"DTSTART", take_start},
        {"DTEND", take_end},
        {"DURATION", take_duration},
        {"RRULE", take_rule},
        {"RDATE", take_further_dates},
        {"EXDATE", take_exceptions},
        {"EXRULE", refuse_exclusion},
        {"RECURRENCE-ID", take_recurrence},
        {"STATUS", take_status},
        {"TRANSP", take_transparency},
        {"ATTENDEE", take_attendee},
        {"X-MICROSOFT-CDO-BUSYSTATUS", take_busy},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (icalendar_line_is(&reader->lines, known[i].name)) {
            known[i].take(reader, reader->event);
            return;
        }
    }
}

/*
 * Roughly how long it takes, for the rule: what zones and clocks do to it is less than the day it is about.
 */
static int64_t length_ms(const struct ical_event *event)
{
    const struct icaldurationtype *duration = &event->duration;
    if (event->end.line != 0)
        return (ical_local_s(&event->end.at) - ical_local_s(&event->start.at)) * 1000;
    return ((int64_t)duration->weeks * 7 + duration->days) * ORG_DAY_MS + duration->hours * ORG_HOUR_MS +
           duration->minutes * ORG_MINUTE_MS + duration->seconds * ORG_SECOND_MS;
}

static bool means_away(const struct ical_reader *reader, const struct ical_event *event)
{
    if (!event->is_certain || reader->is_cancelled || event->busy == ICAL_BUSY_NOT_AWAY)
        return false;
    if (event->busy == ICAL_BUSY_AWAY)
        return true;
    return !event->is_transparent && (event->start.at.is_date || length_ms(event) >= ICALENDAR_TIMED_MIN_MS);
}

static void check_event(struct ical_reader *reader, const struct ical_event *event)
{
    bool is_over = !event->is_certain || reader->is_cancelled; /* which may leave out when it was */
    if (!event->has_uid)
        ical_refuse(reader, event->line, "the event has no UID");
    else if (event->start.line == 0 && !is_over)
        ical_refuse(reader, event->line, "the event has no DTSTART");
    else if (event->end.line != 0 && event->duration_line != 0)
        ical_refuse(reader, event->duration_line, "the event has a DTEND and a DURATION");
    else if (event->end.line != 0 && event->start.line != 0 &&
             event->end.at.is_date != event->start.at.is_date)
        ical_refuse(reader, event->end.line, "DTEND and DTSTART must both be dates, or both be times");
    else if (event->end.line != 0 && event->start.at.is_date && length_ms(event) < 0)
        ical_refuse(reader, event->end.line, "the event ends before it begins");
}

void ical_event_end(struct ical_reader *reader)
{
    struct ical_event *event = reader->event;
    check_event(reader, event);
    if (reader->status != TROUPE_OK)
        return;
    event->is_away = event->start.line != 0 && means_away(reader, event);
    reader->calendar->away_count += event->is_away;
    event->next = reader->events;
    reader->events = event;
}

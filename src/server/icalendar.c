/* SPDX-License-Identifier: MIT */
/*
 * icalendar.c: reading an iCalendar file from its first line to its last: which component a line belongs to,
 * what the file says of itself, and what is wrong. icalendar.h says what comes out. One thread.
 *
 *   outside --BEGIN:VCALENDAR--> calendar --BEGIN:VEVENT--> event (its own lines; what is in it is skipped)
 *                                   |  \----BEGIN:VTIMEZONE--> zone (all lines are kept)
 *                                   +--anything else is skipped
 */
#include "server/icalendar.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "org/text.h"
#include "server/icalendar_parts.h"

/* --- what is wrong ---------------------------------------------------------------------------- */

static troupe_status state_problem(struct ical_reader *reader, troupe_status status, uint32_t line,
                                   const char *format, va_list arguments)
{
    if (reader->status != TROUPE_OK)
        return reader->status;
    reader->status = status;
    reader->problem->line = line;
    vsnprintf(reader->problem->reason, sizeof reader->problem->reason, format, arguments);
    return status;
}

troupe_status ical_refuse(struct ical_reader *reader, uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    troupe_status status = state_problem(reader, TROUPE_MALFORMED, line, format, arguments);
    va_end(arguments);
    return status;
}

troupe_status ical_too_large(struct ical_reader *reader, uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    troupe_status status = state_problem(reader, TROUPE_TOO_LARGE, line, format, arguments);
    va_end(arguments);
    return status;
}

troupe_status ical_fail(struct ical_reader *reader, troupe_status status)
{
    if (reader->status == TROUPE_OK)
        reader->status = status;
    return reader->status;
}

/* --- the calendar ----------------------------------------------------------------------------- */

uint64_t ical_source(char kind, const char *text, size_t size)
{
    const struct hash_key key = {{(uint64_t)(unsigned char)kind, 0}};
    return hash_bytes(&key, text, size);
}

/* A name from the file: text, in which a backslash hides what follows (RFC 5545, 3.3.11). */
static void take_name(struct ical_reader *reader)
{
    char *name = reader->calendar->name;
    size_t len = 0;
    for (const char *at = reader->lines.value; *at != '\0' && len <= ICALENDAR_NAME_LEN_MAX; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        name[len++] = *at;
    }
    if (len > ICALENDAR_NAME_LEN_MAX) {
        name[0] = '\0';
        ical_too_large(reader, reader->lines.line, "the calendar's name has more than %d bytes",
                       ICALENDAR_NAME_LEN_MAX);
        return;
    }
    name[len] = '\0';
    if (org_text_is_line(name, len))
        return;
    name[0] = '\0';
    ical_refuse(reader, reader->lines.line, "the calendar's name is not a line of UTF-8");
}

/* A line of the calendar itself. */
static void calendar_line(struct ical_reader *reader)
{
    bool is_named = reader->reading->name != NULL && reader->reading->name[0] != '\0';
    if (icalendar_line_is(&reader->lines, "METHOD"))
        reader->is_cancelled = strcasecmp(reader->lines.value, "CANCEL") == 0;
    else if (!is_named && reader->calendar->name[0] == '\0' &&
             (icalendar_line_is(&reader->lines, "X-WR-CALNAME") || icalendar_line_is(&reader->lines, "NAME")))
        take_name(reader);
}

/* --- components ------------------------------------------------------------------------------- */

/* Whether the component at a depth, from 0, has this name. */
static bool is_in(const struct ical_reader *reader, size_t depth, const char *name)
{
    return reader->depth > depth && strcmp(reader->nesting[depth], name) == 0;
}

static void begin(struct ical_reader *reader)
{
    const char *name = reader->lines.value;
    uint32_t line = reader->lines.line;
    size_t len = strlen(name);
    if (reader->depth == ICALENDAR_NESTING_MAX)
        ical_too_large(reader, line, "components are nested deeper than %d", ICALENDAR_NESTING_MAX);
    else if (len == 0 || len >= sizeof reader->nesting[0] || !org_text_is_line(name, len))
        ical_refuse(reader, line, "there is no such component");
    if (reader->status != TROUPE_OK)
        return;
    char *nested = reader->nesting[reader->depth++];
    for (size_t i = 0; i <= len; i++)
        nested[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    if (reader->depth == 1 && strcmp(nested, "VCALENDAR") != 0)
        ical_refuse(reader, line, "%s stands outside of a VCALENDAR", nested);
    else if (reader->depth > 1 && strcmp(nested, "VCALENDAR") == 0)
        ical_refuse(reader, line, "a VCALENDAR stands within another");
    else if (reader->depth == 1) {
        reader->calendars++;
        reader->is_cancelled = false;
    } else if (is_in(reader, 1, "VTIMEZONE")) {
        if (reader->depth == 2)
            ical_zone_begin(reader);
        else
            ical_zone_line(reader);
    } else if (reader->depth == 2 && strcmp(nested, "VEVENT") == 0) {
        ical_event_begin(reader);
    }
}

static void end(struct ical_reader *reader)
{
    const char *name = reader->lines.value;
    uint32_t line = reader->lines.line;
    if (reader->depth == 0)
        ical_refuse(reader, line, "something ends that was not begun");
    else if (strcasecmp(reader->nesting[reader->depth - 1], name) != 0)
        ical_refuse(reader, line, "%s has to end here first", reader->nesting[reader->depth - 1]);
    if (reader->status != TROUPE_OK)
        return;
    if (is_in(reader, 1, "VTIMEZONE")) {
        if (reader->depth == 2)
            ical_zone_end(reader);
        else
            ical_zone_line(reader);
    } else if (reader->depth == 2 && is_in(reader, 1, "VEVENT")) {
        ical_event_end(reader);
    }
    reader->depth--;
}

static void content(struct ical_reader *reader)
{
    if (reader->depth == 0)
        ical_refuse(reader, reader->lines.line,
                    "this is not an iCalendar file: it begins with BEGIN:VCALENDAR");
    else if (reader->depth == 1)
        calendar_line(reader);
    else if (is_in(reader, 1, "VTIMEZONE"))
        ical_zone_line(reader);
    else if (reader->depth == 2 && is_in(reader, 1, "VEVENT"))
        ical_event_line(reader);
}

static void read_lines(struct ical_reader *reader)
{
    troupe_status status = TROUPE_OK;
    while (reader->status == TROUPE_OK && (status = icalendar_lines_next(&reader->lines)) == TROUPE_OK) {
        if (icalendar_line_is(&reader->lines, "BEGIN"))
            begin(reader);
        else if (icalendar_line_is(&reader->lines, "END"))
            end(reader);
        else
            content(reader);
    }
    if (status == TROUPE_MALFORMED)
        ical_refuse(reader, reader->lines.line, "this is no line of an iCalendar file: NAME:VALUE");
    else if (status != TROUPE_OK && status != TROUPE_END)
        ical_fail(reader, status);
    else if (reader->status == TROUPE_OK && reader->depth > 0)
        ical_refuse(reader, reader->lines.line, "the file ends within a %s",
                    reader->nesting[reader->depth - 1]);
    else if (reader->calendars == 0)
        ical_refuse(reader, 0, "there is no calendar in the file");
}

/* --- the whole -------------------------------------------------------------------------------- */

static void start(struct ical_reader *reader, const void *bytes, size_t size)
{
    const char *name = reader->reading->name;
    icalendar_lines_begin(&reader->lines, bytes, size);
    if (size > ICALENDAR_SIZE_MAX)
        ical_too_large(reader, 0, "the file has %zu bytes; %zu are the most", size, ICALENDAR_SIZE_MAX);
    if (name == NULL || name[0] == '\0')
        return;
    size_t len = strlen(name);
    if (len > ICALENDAR_NAME_LEN_MAX)
        ical_too_large(reader, 0, "the calendar's name has more than %d bytes", ICALENDAR_NAME_LEN_MAX);
    else if (!org_text_is_line(name, len))
        ical_refuse(reader, 0, "the calendar's name is not a line of UTF-8");
    else
        memcpy(reader->calendar->name, name, len + 1);
}

troupe_status icalendar_read(const void *bytes, size_t size, const struct icalendar_reading *reading,
                             struct icalendar *ret_calendar, struct icalendar_problem *ret_problem)
{
    *ret_calendar = (struct icalendar){0};
    *ret_problem = (struct icalendar_problem){0};
    struct ical_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return TROUPE_NO_MEMORY;
    reader->reading = reading;
    reader->calendar = ret_calendar;
    reader->problem = ret_problem;
    reader->status = TROUPE_OK;
    start(reader, bytes, size);
    if (reader->status == TROUPE_OK)
        read_lines(reader);
    if (reader->status == TROUPE_OK)
        ical_make_absences(reader);
    troupe_status status = reader->status;
    icalendar_lines_done(&reader->lines);
    ical_zones_done(&reader->zones);
    buffer_done(&reader->property);
    arena_done(&reader->arena);
    free(reader);
    if (status != TROUPE_OK)
        icalendar_done(ret_calendar);
    return status;
}

void icalendar_done(struct icalendar *calendar)
{
    free(calendar->absences);
    free(calendar->sources);
    *calendar = (struct icalendar){0};
}

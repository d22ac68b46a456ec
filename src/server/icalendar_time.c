/* SPDX-License-Identifier: MIT */
/*
 * icalendar_time.c: dates and times of an iCalendar file, and the zones they are in. A value is read by
 * libical, one line at a time, so that an error has its line. A zone by the name of the system's is the
 * system's, which knows what has changed since the file was written; another one is what the file's VTIMEZONE
 * says, and libical reckons with it. Part of icalendar.h; one thread.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "org/text.h"
#include "server/icalendar_parts.h"

/* The value of the line as it can be repeated in a sentence. */
static const char *quotable(const struct ical_reader *reader)
{
    const char *value = reader->lines.value;
    size_t len = strlen(value);
    for (size_t i = 0; i < len; i++) {
        if (value[i] < ' ' || value[i] > '~')
            return "…";
    }
    return len <= 60 ? value : "…";
}

icalcomponent *ical_parse_line(struct ical_reader *reader)
{
    static const char before[] = "BEGIN:VCALENDAR\r\n";
    static const char after[] = "\r\nEND:VCALENDAR\r\n";
    const struct icalendar_lines *lines = &reader->lines;
    buffer_clear(&reader->property);
    troupe_status status = buffer_append(&reader->property, before, sizeof before - 1);
    if (status == TROUPE_OK)
        status = buffer_append(&reader->property, lines->text, strlen(lines->text));
    if (status == TROUPE_OK)
        status = buffer_append(&reader->property, after, sizeof after);
    if (status != TROUPE_OK) {
        ical_fail(reader, status);
        return NULL;
    }
    icalerror_clear_errno();
    icalcomponent *component = icalparser_parse_string((const char *)reader->property.bytes);
    if (component == NULL && icalerrno == ICAL_NEWFAILED_ERROR) {
        ical_fail(reader, TROUPE_NO_MEMORY);
    } else if (component == NULL || icalcomponent_count_errors(component) > 0 ||
               icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY) == NULL) {
        ical_refuse(reader, lines->line, "%.*s cannot be \"%s\"", (int)lines->name_len, lines->text,
                    quotable(reader));
        if (component != NULL)
            icalcomponent_free(component);
        component = NULL;
    }
    return component;
}

static bool is_time(const struct icaltimetype *at)
{
    return at->year >= 1 && at->year <= 9999 && at->month >= 1 && at->month <= 12 && at->day >= 1 &&
           at->day <= icaltime_days_in_month(at->month, at->year) && at->hour >= 0 && at->hour <= 23 &&
           at->minute >= 0 && at->minute <= 59 && at->second >= 0 && at->second <= 60;
}

void ical_take_when(struct ical_reader *reader, struct icaltimetype at, struct ical_when *ret_when)
{
    char zone[256];
    if (!is_time(&at)) {
        ical_refuse(reader, reader->lines.line, "\"%s\" is no date or time", quotable(reader));
        return;
    }
    *ret_when = (struct ical_when){.at = at, .line = reader->lines.line};
    if (at.is_date || icaltime_is_utc(at) ||
        !icalendar_line_parameter(&reader->lines, "TZID", zone, sizeof zone))
        return;
    troupe_status status = arena_text(&reader->arena, zone, strlen(zone), &ret_when->zone);
    if (status != TROUPE_OK)
        ical_fail(reader, status);
}

void ical_take_one(struct ical_reader *reader, struct ical_when *ret_when)
{
    if (ret_when->line != 0) {
        ical_refuse(reader, reader->lines.line, "%.*s is there twice", (int)reader->lines.name_len,
                    reader->lines.text);
        return;
    }
    icalcomponent *component = ical_parse_line(reader);
    if (component == NULL)
        return;
    icalvalue *value = icalproperty_get_value(icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY));
    ical_take_when(reader, icalvalue_get_datetimedate(value), ret_when);
    icalcomponent_free(component);
}

void ical_take_duration(struct ical_reader *reader, struct icaldurationtype *ret_duration)
{
    icalcomponent *component = ical_parse_line(reader);
    if (component == NULL)
        return;
    *ret_duration = icalproperty_get_duration(icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY));
    if (ret_duration->is_neg)
        ical_refuse(reader, reader->lines.line, "the event ends before it begins");
    icalcomponent_free(component);
}

/* --- zones ------------------------------------------------------------------------------------ */

/*
 * libical follows a zone's rules for centuries. One that changes clocks every second would be followed every
 * second: only yearly rules, without times of their own, are let through.
 */
static bool is_rule_of_zone(const char *rule)
{
    static const char *const parts[] = {
        "FREQ=YEARLY", "BYMONTH=", "BYDAY=", "BYMONTHDAY=", "INTERVAL=", "UNTIL=", "COUNT=", "WKST=", NULL};
    bool has_frequency = false;
    while (*rule != '\0') {
        size_t i = 0;
        while (parts[i] != NULL && strncasecmp(rule, parts[i], strlen(parts[i])) != 0)
            i++;
        if (parts[i] == NULL)
            return false;
        has_frequency = has_frequency || i == 0;
        rule += strcspn(rule, ";");
        rule += *rule == ';';
    }
    return has_frequency;
}

static void append_line(struct ical_reader *reader)
{
    struct buffer *text = &reader->zones.text;
    troupe_status status = buffer_append(text, reader->lines.text, strlen(reader->lines.text));
    if (status == TROUPE_OK)
        status = buffer_append(text, "\r\n", 2);
    if (status != TROUPE_OK)
        ical_fail(reader, status);
}

void ical_zone_begin(struct ical_reader *reader)
{
    struct ical_zones *zones = &reader->zones;
    if (zones->count == ICALENDAR_ZONES_MAX)
        ical_too_large(reader, reader->lines.line, "the file defines more than %d time zones",
                       ICALENDAR_ZONES_MAX);
    buffer_clear(&zones->text);
    zones->line = reader->lines.line;
    zones->rules = 0;
    zones->id = NULL;
    append_line(reader);
}

void ical_zone_line(struct ical_reader *reader)
{
    struct ical_zones *zones = &reader->zones;
    const struct icalendar_lines *lines = &reader->lines;
    bool is_rule = icalendar_line_is(lines, "RRULE");
    if (is_rule && !is_rule_of_zone(lines->value))
        ical_refuse(reader, lines->line, "a rule of a time zone must be a yearly one");
    if (icalendar_line_is(lines, "RDATE")) {
        for (const char *comma = lines->value; comma != NULL; comma = strchr(comma + 1, ','))
            zones->rules++;
    }
    zones->rules += is_rule;
    if (zones->rules > ICALENDAR_ZONE_RULES_MAX)
        ical_too_large(reader, lines->line, "the time zone has more than %d rules", ICALENDAR_ZONE_RULES_MAX);
    if (icalendar_line_is(lines, "TZID")) {
        troupe_status status = arena_text(&reader->arena, lines->value, strlen(lines->value), &zones->id);
        if (status != TROUPE_OK)
            ical_fail(reader, status);
    }
    append_line(reader);
}

void ical_zone_end(struct ical_reader *reader)
{
    struct ical_zones *zones = &reader->zones;
    append_line(reader);
    if (reader->status == TROUPE_OK && zones->id == NULL)
        ical_refuse(reader, zones->line, "the time zone has no TZID");
    if (reader->status != TROUPE_OK)
        return;
    struct ical_zone zone = {.id = zones->id, .line = zones->line};
    troupe_status status =
        arena_text(&reader->arena, (const char *)zones->text.bytes, zones->text.size, &zone.text);
    if (status != TROUPE_OK)
        ical_fail(reader, status);
    else
        zones->items[zones->count++] = zone;
}

/* Has libical read a zone's text. */
static icaltimezone *make_zone(struct ical_reader *reader, const struct ical_zone *zone)
{
    icalerror_clear_errno();
    icalcomponent *component = icalparser_parse_string(zone->text);
    icaltimezone *made = component != NULL ? icaltimezone_new() : NULL;
    bool is_good = made != NULL && icalcomponent_count_errors(component) == 0 &&
                   (icalcomponent_get_first_component(component, ICAL_XSTANDARD_COMPONENT) != NULL ||
                    icalcomponent_get_first_component(component, ICAL_XDAYLIGHT_COMPONENT) != NULL) &&
                   icaltimezone_set_component(made, component) != 0; /* which takes the component over */
    if (is_good)
        return made;
    if (component != NULL)
        icalcomponent_free(component);
    if (made != NULL)
        icaltimezone_free(made, 1);
    if (icalerrno == ICAL_NEWFAILED_ERROR)
        ical_fail(reader, TROUPE_NO_MEMORY);
    else
        ical_refuse(reader, zone->line, "the time zone cannot be understood");
    return NULL;
}

void ical_zones_done(struct ical_zones *zones)
{
    for (size_t i = 0; i < zones->count; i++) {
        if (zones->items[i].zone != NULL)
            icaltimezone_free(zones->items[i].zone, 1);
    }
    buffer_done(&zones->text);
}

bool ical_place_of(struct ical_reader *reader, const struct ical_when *when, struct ical_place *ret_place)
{
    *ret_place = (struct ical_place){0};
    if (icaltime_is_utc(when->at) && !when->at.is_date)
        return true;
    if (when->zone == NULL) {
        ret_place->system = reader->reading->zone;
        return true;
    }
    if (when->zone[0] != '\0' && reader->reading->find_zone(when->zone, &ret_place->system))
        return true;
    for (size_t i = 0; i < reader->zones.count; i++) {
        struct ical_zone *zone = &reader->zones.items[i];
        if (strcmp(zone->id, when->zone) != 0)
            continue;
        if (zone->zone == NULL)
            zone->zone = make_zone(reader, zone);
        ret_place->own = zone->zone;
        return zone->zone != NULL;
    }
    bool is_line = org_text_is_line(when->zone, strlen(when->zone));
    ical_refuse(reader, when->line, "the time zone %.80s is neither known nor defined in the file",
                is_line ? when->zone : "…");
    return false;
}

/* --- reckoning -------------------------------------------------------------------------------- */

/* Days from 1970 of a date in the Gregorian calendar (H. Hinnant, "chrono-compatible date algorithms"). */
static int64_t day_of(const struct icaltimetype *at)
{
    int64_t year = at->year - (at->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (at->month + (at->month > 2 ? -3 : 9)) + 2) / 5 + at->day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t ical_local_s(const struct icaltimetype *at)
{
    int64_t day_s = day_of(at) * ICALENDAR_DAY_S;
    return at->is_date ? day_s : day_s + at->hour * 3600 + at->minute * 60 + at->second;
}

/* The date and time that a clock shows. */
static struct icaltimetype shown(int64_t local_s)
{
    int64_t day = local_s / ICALENDAR_DAY_S - (local_s % ICALENDAR_DAY_S < 0);
    int64_t second = local_s - day * ICALENDAR_DAY_S;
    int64_t shifted = day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct icaltimetype at = {0};
    at.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    at.month = (int)(month < 10 ? month + 3 : month - 9);
    at.year = (int)(year + era * 400 + (at.month <= 2));
    at.hour = (int)(second / 3600);
    at.minute = (int)(second / 60 % 60);
    at.second = (int)(second % 60);
    return at;
}

int64_t ical_instant_ms(const struct ical_place *place, int64_t local_s)
{
    if (place->own != NULL) {
        struct icaltimetype at = shown(local_s);
        int is_daylight = 0;
        return (local_s - icaltimezone_get_utc_offset(place->own, &at, &is_daylight)) * 1000;
    }
    return org_zone_instant_s(place->system, local_s) * 1000;
}

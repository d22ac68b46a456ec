/* SPDX-License-Identifier: MIT */
/*
 * icalendar_parts.h: what reading an iCalendar file is made of, between its source files. icalendar.h says
 * what is read, and how it goes on from file to file. Private to icalendar*.c; one thread.
 *
 * Invariants
 *   1. After the first error `status` is not TROUPE_OK and the problem is stated, or memory ran out; nothing
 *      more is read then.
 *   2. Events, dates and texts lie in the arena, and live as long as the reader.
 *   3. Zones and exceptions are resolved when the last line has been read: a file may define a zone after
 *      the events that use it, and move an occurrence before it says what repeats.
 */
#ifndef SERVER_ICALENDAR_PARTS_H
#define SERVER_ICALENDAR_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libical/ical.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "server/icalendar.h"
#include "server/icalendar_lines.h"

enum { ICALENDAR_DAY_S = 24 * 60 * 60 };

/** A date, or a date with a time, as it stands there. */
struct ical_when {
    struct icaltimetype at;
    const char *zone; /* its TZID; NULL for UTC, or the person's own zone */
    uint32_t line;    /* 0: it is not there */
};

/** A further date of a series (RDATE), or one that is none of it (EXDATE). */
struct ical_date {
    struct ical_date *next;
    struct ical_when when;
    struct ical_when end; /* of an RDATE that is a period and has one */
    struct icaldurationtype duration;
    bool is_exception;
    bool has_duration;
};

/** Where an event stands. */
enum ical_busy { ICAL_BUSY_UNSAID, ICAL_BUSY_AWAY, ICAL_BUSY_NOT_AWAY };

/** One VEVENT. */
struct ical_event {
    struct ical_event *next;
    uint32_t line;
    uint64_t uid; /* its hash; has_uid */
    struct ical_when start;
    struct ical_when end;
    struct ical_when recurrence; /* of one that stands for one occurrence of another */
    struct icaldurationtype duration;
    uint32_t duration_line; /* 0: none */
    const char *rule;       /* NULL: none */
    uint32_t rule_line;
    struct ical_date *dates;
    enum ical_busy busy;
    bool has_uid;
    bool is_certain;     /* neither cancelled nor tentative nor declined */
    bool is_transparent; /* it takes no time */
    bool is_away;        /* what all that means */
};

/** A zone that the file defines. */
struct ical_zone {
    const char *id;
    const char *text;
    uint32_t line;
    icaltimezone *zone; /* made when it is first needed */
};

/** Where a time is reckoned. */
struct ical_place {
    const struct org_zone *system; /* NULL and no own: UTC */
    icaltimezone *own;
};

/** The file's own zones, and one that is being read. */
struct ical_zones {
    struct ical_zone items[ICALENDAR_ZONES_MAX];
    size_t count;
    struct buffer text;
    uint32_t line;
    size_t rules;
    const char *id;
};

/** Reading one file. */
struct ical_reader {
    const struct icalendar_reading *reading;
    struct icalendar *calendar;
    struct icalendar_problem *problem;
    troupe_status status;
    struct icalendar_lines lines;
    struct arena arena;
    struct buffer property; /* what libical is given */
    char nesting[ICALENDAR_NESTING_MAX][16];
    size_t depth;
    size_t calendars;          /* VCALENDARs begun */
    bool is_cancelled;         /* METHOD:CANCEL of the one that is read */
    struct ical_event *event;  /* being read */
    struct ical_event *events; /* those that matter at the end, the last one first */
    struct ical_zones zones;
    size_t absence_capacity;
};

/** States what is wrong, once; gives TROUPE_MALFORMED back. */
troupe_status ical_refuse(struct ical_reader *reader, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for what is over a limit: TROUPE_TOO_LARGE. */
troupe_status ical_too_large(struct ical_reader *reader, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Notes an error that no line is to blame for. */
troupe_status ical_fail(struct ical_reader *reader, troupe_status status);

/** The number of a source: of a calendar by its name, of an event by its UID. Never changes: it is stored. */
uint64_t ical_source(char kind, const char *text, size_t size);

/* --- icalendar_events.c: one event after the other --------------------------------------------- */

void ical_event_begin(struct ical_reader *reader);
void ical_event_line(struct ical_reader *reader);
void ical_event_end(struct ical_reader *reader);

/* --- icalendar_time.c: when, and where ----------------------------------------------------------- */

/** Reads the line's values with libical; NULL after refusing. The caller frees the component. */
icalcomponent *ical_parse_line(struct ical_reader *reader);
/** Reads one value of a date or a time. */
void ical_take_when(struct ical_reader *reader, struct icaltimetype at, struct ical_when *ret_when);
/** The only value of the line, a date or a time; refuses a second such line of one event. */
void ical_take_one(struct ical_reader *reader, struct ical_when *ret_when);
/** Seconds of a duration that are exact, and its days, which are as long as they are. Refuses one below 0. */
void ical_take_duration(struct ical_reader *reader, struct icaldurationtype *ret_duration);

/** Lines of a VTIMEZONE, from its BEGIN to its END. */
void ical_zone_begin(struct ical_reader *reader);
void ical_zone_line(struct ical_reader *reader);
void ical_zone_end(struct ical_reader *reader);
void ical_zones_done(struct ical_zones *zones);

/** Where a time is reckoned; false after refusing. */
bool ical_place_of(struct ical_reader *reader, const struct ical_when *when, struct ical_place *ret_place);
/** Seconds from 1970 on the clock that shows it. */
int64_t ical_local_s(const struct icaltimetype *at);
/** The instant, in milliseconds from 1970. */
int64_t ical_instant_ms(const struct ical_place *place, int64_t local_s);

/* --- icalendar_repeat.c: how often, and the absences that come of it ---------------------------- */

void ical_make_absences(struct ical_reader *reader);

#endif

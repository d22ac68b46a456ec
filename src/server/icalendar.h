/* SPDX-License-Identifier: MIT */
/*
 * icalendar.h: when somebody is away, read from an iCalendar file (RFC 5545), as Outlook, Google, Apple and
 * others write them. Values, recurrence rules and time zones that a file brings along are libical's to
 * understand; which lines there are, and where one is wrong, is looked at here, because libical does not say
 * where.
 *
 * Place: the format stops here. What comes out are absences, and the numbers of what they came from, for the
 * organisation's rule (org_import_absences); calendars.c asks for it, on a thread of its own.
 *
 *   bytes -> lines (icalendar_lines.c) -> events (icalendar_events.c) -> which of them mean "away"
 *         -> when, in which zone (icalendar_time.c), how often (icalendar_repeat.c) -> absences
 *
 * What an event means
 *   - cancelled, tentative, or declined by the person (their address, PARTSTAT=DECLINED): not away;
 *   - Outlook says (X-MICROSOFT-CDO-BUSYSTATUS) OOF: away, however short; FREE, TENTATIVE, WORKINGELSEWHERE:
 *     not away;
 *   - else away when it blocks time (TRANSP is not TRANSPARENT) and is all day, or takes
 *     ICALENDAR_TIMED_MIN_MS at least. A meeting of two hours takes nobody's work away.
 * A day without a time, and a time without a zone, are those of the person's own zone. A zone is the system's
 * when it knows the name, else the one that the file defines.
 *
 * What an import stands for: a calendar with a name (from the caller, or the file's NAME or X-WR-CALNAME) is
 * one source, whole: what is no longer in it is gone. A file without a name is so many sources as it has
 * UIDs: each event replaces what came under its UID.
 *
 * A file that has an error is refused whole, with the line and what is wrong with it. Reading knows no clock;
 * one thread at a time, since libical has state of its own.
 */
#ifndef SERVER_ICALENDAR_H
#define SERVER_ICALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "org/directory.h"
#include "org/limits.h"
#include "org/zone.h"
#include <troupe/status.h>

/** The largest file. A calendar of ten busy years has some 3 MiB. */
#define ICALENDAR_SIZE_MAX ((size_t)4 << 20)
/** Absences that begin later than this are left for a later import; recurrence is followed so far. */
#define ICALENDAR_HORIZON_MS (400 * ORG_DAY_MS)
/** An event with times means "away" from this length on: a day, also the one of 23 hours. */
#define ICALENDAR_TIMED_MIN_MS (23 * ORG_HOUR_MS)

enum {
    ICALENDAR_NAME_LEN_MAX = 256,     /* a calendar's name */
    ICALENDAR_NESTING_MAX = 8,        /* components within components */
    ICALENDAR_EVENTS_MAX = 50 * 1000, /* of one file */
    ICALENDAR_REPEATING_MAX = 100,    /* of them with a rule, and away */
    ICALENDAR_STEPS_MAX = 200 * 1000, /* occurrences looked at, also those that are over */
    ICALENDAR_ZONES_MAX = 200,        /* time zones that one file defines */
    ICALENDAR_ZONE_RULES_MAX = 1000,  /* lines of RRULE and RDATE in one of them */
    ICALENDAR_REASON_SIZE = 200,
};

/** What has to be known to read one. */
struct icalendar_reading {
    const char *name;            /* the calendar's, from the caller; "" or NULL: the file's own */
    const char *mail;            /* the person's address; "" or NULL when it is not known */
    const struct org_zone *zone; /* the person's; NULL: UTC */
    int64_t now_ms;
    bool (*find_zone)(const char *name, const struct org_zone **ret_zone); /* the system's zones */
};

/** What is wrong with a file, and where; line 0: with the whole. */
struct icalendar_problem {
    uint32_t line;
    char reason[ICALENDAR_REASON_SIZE];
};

/** What was read. Freed with icalendar_done. */
struct icalendar {
    char name[ICALENDAR_NAME_LEN_MAX + 1]; /* "" for none */
    struct org_imported_absence *absences; /* in their order, those of one source apart from each other */
    size_t absence_count;
    uint64_t *sources; /* ascending, each once */
    size_t source_count;
    size_t event_count;
    size_t away_count; /* of the events, those that mean "away" */
};

/**
 * Reads a file. TROUPE_MALFORMED and TROUPE_TOO_LARGE with the problem stated; TROUPE_NO_MEMORY. After an
 * error `ret_calendar` is empty.
 */
TROUPE_MUST_CHECK troupe_status icalendar_read(const void *bytes, size_t size,
                                               const struct icalendar_reading *reading,
                                               struct icalendar *ret_calendar,
                                               struct icalendar_problem *ret_problem);

/** Frees what was read. */
void icalendar_done(struct icalendar *calendar);

#endif

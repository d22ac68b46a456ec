/* SPDX-License-Identifier: MIT */
/*
 * absences.h: an actor's absences as the text that its records keep: one a line, when it begins and when it
 * ends, in Unix milliseconds, 0 for an end that nobody knows; one that came from outside also has the number
 * of what it came from, 16 hexadecimal digits.
 *
 *     1767222000000 1767308400000
 *     1767222000000 1767308400000 00c0ffee00c0ffee
 *
 * Place: directory_calendar.c and directory_imported.c write it into records and read it from them. Pure; any
 * thread.
 */
#ifndef ORG_ABSENCES_H
#define ORG_ABSENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "org/directory.h"
#include "org/limits.h"

/** The longest line: two numbers, a source, the blanks between them and a line end. */
enum { ABSENCE_LINE_MAX = 64 };

/** Room for the text of all absences by hand, and one more; and for that of all imported ones. */
enum {
    ABSENCES_TEXT_MAX = (ORG_ABSENCES_MAX + 1) * ABSENCE_LINE_MAX + 1,
    ABSENCES_IMPORTED_TEXT_MAX = ORG_ABSENCES_IMPORTED_MAX * ABSENCE_LINE_MAX + 1,
};

/**
 * Reads the line at `*cursor` and moves on; false at the end, which `**cursor` then is, or where it is none.
 * A line without a source has the source 0.
 */
bool absences_next(const char **cursor, struct org_imported_absence *ret_absence);

/** Adds a line to a text of at most `size` bytes, in which it has room; `has_source` of an imported one. */
void absences_add(char *text, size_t size, const struct org_imported_absence *absence, bool has_source);

/** How many lines a text has; false when it is no such text, or one has a source where none should. */
bool absences_count(const char *text, bool has_source, size_t *ret_count);

/** Whether an absence covers an instant. */
static inline bool absences_covers(const struct org_imported_absence *absence, int64_t at_ms)
{
    return absence->from <= at_ms && (absence->until == 0 || at_ms < absence->until);
}

/** Whether the two ends of an absence are times, and in their order. */
static inline bool absences_is_valid(int64_t from, int64_t until)
{
    return from >= 0 && from <= ORG_TIME_MAX_MS && until <= ORG_TIME_MAX_MS && (until == 0 || until > from);
}

#endif

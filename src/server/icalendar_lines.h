/* SPDX-License-Identifier: MIT */
/*
 * icalendar_lines.h: the content lines of an iCalendar file (RFC 5545, 3.1): unfolded, cut into name,
 * parameters and value, and counted. Pure; any thread.
 */
#ifndef SERVER_ICALENDAR_LINES_H
#define SERVER_ICALENDAR_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include <troupe/status.h>

/** A walk over a file's lines. */
struct icalendar_lines {
    const char *bytes;
    size_t size;
    size_t offset;
    uint32_t next_line;
    /* The line that was read last: */
    uint32_t line;      /* where it began, from 1 */
    const char *text;   /* the whole, unfolded, as libical takes it */
    size_t name_len;    /* of the name at its beginning */
    const char *value;  /* what stands after the colon */
    struct buffer room; /* that `text` and `value` lie in */
};

/** Begins a walk; a byte order mark is passed over. */
void icalendar_lines_begin(struct icalendar_lines *lines, const void *bytes, size_t size);

/** Frees the room. */
void icalendar_lines_done(struct icalendar_lines *lines);

/**
 * Reads the next line that is not empty. TROUPE_END after the last, TROUPE_MALFORMED when it is no content
 * line, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status icalendar_lines_next(struct icalendar_lines *lines);

/** Whether the line has this name, whatever its capitals. */
bool icalendar_line_is(const struct icalendar_lines *lines, const char *name);

/**
 * The value of a parameter of the line, without its quotes, cut to the room it is given; false when it has no
 * such parameter.
 */
bool icalendar_line_parameter(const struct icalendar_lines *lines, const char *name, char *ret_value,
                              size_t size);

#endif

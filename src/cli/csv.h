/* SPDX-License-Identifier: MIT */
/*
 * csv.h: reads a CSV file record by record, strictly as RFC 4180 has it: commas, optional double quotes with
 * "" for a quote inside, line ends LF or CRLF, also within quotes. Everything else is refused with its line:
 * a quote in the middle of a bare field, text after a closing quote, a quote that never closes, a NUL byte, a
 * bare CR, a number of fields other than the header's.
 *
 * Place: the input of `troupe replay`. One thread; reads a file. At most one record is in memory.
 *
 * Invariants
 *   1. fields[0 .. field_count) point into `record`, each NUL-terminated, until the next call.
 *   2. line is that of the first byte of the last record read, counted from 1; an error names the line where
 *      it shows.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <troupe/status.h>

enum {
    CSV_FIELDS_MAX = 32,
    CSV_RECORD_MAX = 16384, /* bytes of one record, its line end not counted */
    CSV_TROUBLE_MAX = 128,
};

/** A file being read. */
struct csv {
    FILE *file;
    char record[CSV_RECORD_MAX + 1];
    const char *fields[CSV_FIELDS_MAX];
    size_t field_count;
    int64_t line;
    int64_t next_line;
    char trouble[CSV_TROUBLE_MAX];
};

/** Begins at the current place of `file`, which stays the caller's and outlives the reader. */
void csv_start(struct csv *csv, FILE *file);

/**
 * Reads the next record. TROUPE_END after the last; TROUPE_MALFORMED with `trouble` and `line` saying what
 * and where; TROUPE_IO with errno as the read left it. A blank line is a record of one empty field.
 */
TROUPE_MUST_CHECK troupe_status csv_next(struct csv *csv);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * patches.h: the rows that `troupe replay` sends: a CSV file whose header is
 * sent_unix,done_unix,sender,integrator,files,first_path, each row checked in full. The file is walked twice:
 * once to count and to find what is wrong before anything is sent, once to send.
 *
 * Place: the input of `troupe replay`, on csv.h. One thread.
 *
 * Invariants
 *   1. number counts rows from 1, the header not counted: with the file's name it is the row's idempotency
 *      key.
 *   2. A row that was given has sent_unix <= done_unix, both within [0, PATCHES_UNIX_MAX].
 */
#ifndef CLI_PATCHES_H
#define CLI_PATCHES_H

#include <stdint.h>
#include <stdio.h>

#include "cli/csv.h"
#include <troupe/status.h>

enum {
    PATCHES_ROWS_MAX = 1000000, /* the ledger keeps 16 bytes of each */
    PATCHES_FILES_MAX = 1000000000,
    PATCHES_NAME_MAX = 64,  /* bytes of a sender or an integrator */
    PATCHES_PATH_MAX = 400, /* bytes of a path: a subject holds it with what stands before it */
};

/** The latest time a row may name: the end of the year 9999. */
#define PATCHES_UNIX_MAX INT64_C(253402300799)

/** One row; the texts live until the next call. */
struct patch {
    int64_t number;
    int64_t sent_unix;
    int64_t done_unix;
    int64_t files;
    const char *sender;
    const char *integrator;
    const char *first_path;
};

/** A file being read. `csv.trouble` and `csv.line` say what was wrong and where. */
struct patches {
    struct csv csv;
    int64_t row_count;
};

/**
 * Begins at the beginning of `file` and reads the header. Errors of patches_next; a file without a header is
 * malformed.
 */
TROUPE_MUST_CHECK troupe_status patches_start(struct patches *patches, FILE *file);

/**
 * The next row. TROUPE_END after the last; TROUPE_MALFORMED, TROUPE_IO (errno); TROUPE_LIMIT beyond
 * PATCHES_ROWS_MAX.
 */
TROUPE_MUST_CHECK troupe_status patches_next(struct patches *patches, struct patch *ret_patch);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * transcript.h: a whole journal as text, one event a line (NDJSON), and back. What is read in is the same
 * organisation: the same streams with the same records. Where an event lies among those of other streams is
 * not kept, and snapshots and summaries are made anew.
 *
 *     {"troupe":"journal","format":2}
 *     {"stream":"role/docs","seq":1,"type":"org_role_opened","version":1,"body":{...}}
 *     {"troupe":"end","records":1}
 *
 * The last line is there so that a file that was cut off between two lines is not taken for whole. Format 1
 * had none; it is still read.
 *
 * "body" is last; a record of a type that this program does not know has "type" as a number, and as its body
 * a text of hexadecimal digits. Place: above the journal's port, for the command line. One thread; blocks.
 */
#ifndef SERVER_TRANSCRIPT_H
#define SERVER_TRANSCRIPT_H

#include <stdint.h>
#include <stdio.h>

#include "journal/journal.h"

enum {
    TRANSCRIPT_FORMAT_ENDLESS = 1, /* without a last line */
    TRANSCRIPT_FORMAT = 2,
};

/**
 * Writes everything. TROUPE_IO (`out` cannot be written: errno says why), TROUPE_CORRUPT and what else
 * reading answers; journal_error says more.
 */
TROUPE_MUST_CHECK troupe_status transcript_write(struct journal *journal, FILE *out, uint64_t *ret_records);

/**
 * Reads everything into an empty journal. TROUPE_MALFORMED with the line and what is wrong in `error`,
 * TROUPE_CONFLICT (the numbers of a stream have a gap, or the journal was not empty), TROUPE_IO.
 */
TROUPE_MUST_CHECK troupe_status transcript_read(struct journal *journal, FILE *in, uint64_t *ret_records,
                                                uint64_t *ret_line, struct journal_error *error);

#endif

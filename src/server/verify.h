/* SPDX-License-Identifier: MIT */
/*
 * verify.h: is what a journal holds whole, and does it make sense? And its projections, made anew. For the
 * command line, on a file that no server uses.
 *
 * Place: above the journal's port and the organisation's folds; no actors. One thread; blocks on the disk.
 */
#ifndef SERVER_VERIFY_H
#define SERVER_VERIFY_H

#include <stdint.h>

#include "journal/journal.h"

/** What was gone through, and what was found. */
struct verify_counts {
    uint64_t streams;
    uint64_t records;
    uint64_t roles;
    uint64_t messages; /* accepted, over all roles */
    uint64_t snapshots;
    uint64_t summaries;
    uint64_t findings;
};

/**
 * Checks everything and reports what is not right: the file (journal_verify), each stream's records against
 * what they may say, every message accounted for, each snapshot and summary against the events up to it.
 * TROUPE_OK when everything was gone through, whatever was found; else why it could not be.
 */
TROUPE_MUST_CHECK troupe_status verify_journal(struct journal *journal, journal_report *report, void *context,
                                               struct verify_counts *ret_counts);

/**
 * Makes snapshots and summaries of all roles anew from their events; a role that cannot be read is reported
 * and left as it is. Errors as verify_journal.
 */
TROUPE_MUST_CHECK troupe_status rebuild_journal(struct journal *journal, journal_report *report,
                                                void *context, struct verify_counts *ret_counts);

#endif

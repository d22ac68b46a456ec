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
 * what they may say, every message accounted for, each snapshot and summary against the events up to it, each
 * message in the lists and each word it is found by against the events (unless the file has no lists yet).
 * TROUPE_OK when everything was gone through, whatever was found; else why it could not be.
 */
TROUPE_MUST_CHECK troupe_status verify_journal(struct journal *journal, journal_report *report, void *context,
                                               struct verify_counts *ret_counts);

/**
 * Makes snapshots and summaries of all roles, and the lists of messages with their words, anew from the
 * events, in transactions of bounded size; a role that cannot be read is reported, and stands in the lists as
 * far as it could be. Interrupted, it can be begun again; the lists are not whole until then
 * (journal_has_cards). Errors as verify_journal.
 */
TROUPE_MUST_CHECK troupe_status rebuild_journal(struct journal *journal, journal_report *report,
                                                void *context, struct verify_counts *ret_counts);

#endif

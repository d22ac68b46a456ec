/* SPDX-License-Identifier: MIT */
/*
 * memory.h: what the memory driver can do beyond the port: fail on demand, and lose what a dead process would
 * have lost. For tests and for the simulated system, where the journal is the one thing that outlives a
 * server's crash. One thread at a time.
 */
#ifndef JOURNAL_MEMORY_H
#define JOURNAL_MEMORY_H

#include <stdint.h>

#include "journal/journal.h"

/** What can be told to fail: the calls at which a driver with a disk meets it. */
enum journal_memory_call {
    JOURNAL_MEMORY_COMMIT = 0,
    JOURNAL_MEMORY_APPEND,
    JOURNAL_MEMORY_KEEP,
    JOURNAL_MEMORY_READ, /**< journal_scan, journal_recall, journal_summaries and journal_list */
    JOURNAL_MEMORY_CALL_COUNT,
};

/**
 * The call of this kind that comes after `count` further good ones fails with TROUPE_IO, and with it the
 * journal, for ever. A commit fails as an fsync does: it may have stored its records (`is_stored`) or not; of
 * any other call's transaction nothing is stored. Each kind has one failure in waiting, the last that was
 * asked for; JOURNAL_MEMORY_NEVER takes it back.
 */
void journal_memory_fail(struct journal *journal, enum journal_memory_call call, uint64_t count,
                         bool is_stored);

/** For journal_memory_fail: the call does not fail. */
#define JOURNAL_MEMORY_NEVER UINT64_MAX

/**
 * As a crash and a new start: what was not committed is gone, and a failure is over. One in waiting stays.
 */
void journal_memory_restart(struct journal *journal);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * house_journal.h: the journal under a house, its failures and what a crash leaves of it. There are two:
 *
 *   in memory    the memory driver: what was committed is there, what was not is gone; calls of the port fail
 *   on a disk    the SQLite driver over the disk of disk_faults.h: calls of the disk fail. A crash ends the
 *                process or cuts the power, by the seed: unsynced writes are all there, all lost, or some of
 *                them are there, torn between sectors, in any order (journal_power.h).
 *
 * After a failure a journal must write and sync nothing more, which is checked here. One thread, and one
 * journal on a disk at a time.
 */
#ifndef TESTS_HOUSE_JOURNAL_H
#define TESTS_HOUSE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/journal.h"
#include "support/journal_support.h"

/**
 * What fails. On a disk a snapshot is a write like others: then every call fails, and half of a write is
 * done.
 */
enum house_failure {
    HOUSE_LOSES_COMMIT,   /**< the sync fails, and nothing was stored */
    HOUSE_TELLS_COMMIT,   /**< the sync fails, and everything was stored */
    HOUSE_LOSES_APPEND,   /**< no room */
    HOUSE_LOSES_SNAPSHOT, /**< see above */
    HOUSE_LOSES_READ,
    HOUSE_FAILURES,
};

/** For house_journal_fail: it does not. */
#define HOUSE_FAILS_NEVER UINT64_MAX

struct house_journal {
    struct journal *journal; /* NULL: the last try to open it has failed */
    bool is_on_disk;
    uint64_t seed;    /* of what crashes leave */
    uint64_t crashes; /* so far */
    enum house_failure failure;
    struct test_folder folder;
    char after[TEST_PATH_SIZE + 16]; /* where a crash leaves the files */
};

/** An empty one. */
void house_journal_open(struct house_journal *journal, bool is_on_disk, uint64_t seed);

/** Ends it. What is on a disk must then be whole, as `troupe verify` sees it. */
void house_journal_close(struct house_journal *journal);

/** The call that comes after `count` good ones fails, about; one failure is in waiting at a time. */
void house_journal_fail(struct house_journal *journal, enum house_failure failure, uint64_t count);

/** A crash, in two steps: from here on nothing is stored; */
void house_journal_cut(struct house_journal *journal);

/** and, nobody uses it any more, it is opened as it was left. `reads`: how many are good; then one fails. */
void house_journal_restart(struct house_journal *journal, uint64_t reads);

#endif

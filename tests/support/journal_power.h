/* SPDX-License-Identifier: MIT */
/*
 * journal_power.h: what is on a disk when the power fails. While it watches, every write that SQLite makes is
 * noted; a sync makes those to its file durable. At any moment the files can be made as a disk may hold them
 * then: all unsynced writes lost, all of them there, or some, in another order, torn between sectors. One
 * thread at a time; two files are known by the ends of their names, the database and its log.
 */
#ifndef SUPPORT_JOURNAL_POWER_H
#define SUPPORT_JOURNAL_POWER_H

#include <stdint.h>

/** What of the unsynced writes a disk kept. */
enum power_loss {
    POWER_LOSES_ALL,
    POWER_KEEPS_ALL,
    POWER_KEEPS_SOME, /**< sectors of them, by the seed, in any order */
};

/**
 * Watches the database at `path` and its log from here on, on the disk of disk_faults_install, under which
 * they were opened; what is in them is durable. `on_sync` runs at each sync, before it; the power may fail
 * there.
 */
void power_watch(const char *path, void (*on_sync)(void *context), void *context);

/** Ends watching and forgets everything. */
void power_unwatch(void);

/** Writes the database to `path`, and its log beside it, as they may be after the power failed now. */
void power_fail(enum power_loss loss, uint64_t seed, const char *path);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * disk_faults.h: a disk that fails at a chosen call. It takes the place of the real one behind env/disk.h,
 * passes every call on to it, counts those that a kind of fault can strike, and strikes the n-th.
 *
 *   disk_faults_install()               from here on everything goes through it; no file is open yet
 *   disk_faults_arm(kind, mode, n)      counts, and the n-th fails: it alone, all from it on, or each n-th
 *   disk_faults_remove()                the real disk again
 *
 * It also keeps accounts of open files, and can tell a watcher of every change before it is made. Any thread.
 */
#ifndef SUPPORT_DISK_FAULTS_H
#define SUPPORT_DISK_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/faults.h"

/** What goes wrong. */
enum disk_fault {
    DISK_IS_SOUND,
    DISK_IS_FULL,        /**< ENOSPC, of what may need room; nothing was done */
    DISK_IS_BROKEN,      /**< EIO, of every call; half of a write was done */
    DISK_HAS_NO_FILES,   /**< EMFILE, of opening */
    DISK_READ_FAILS,     /**< EIO, of pread */
    DISK_SYNC_FAILS,     /**< EIO, of fdatasync and fsync */
    DISK_WRITES_SHORT,   /**< half is written, and said so */
    DISK_READS_SHORT,    /**< half is read, and said so */
    DISK_IS_INTERRUPTED, /**< EINTR; nothing was done */
    DISK_FAULTS
};

/** Puts the failing disk in, sound; all accounts are zero. */
void disk_faults_install(void);

/** Makes the real disk the one again; open files stay good, since the descriptors are the system's. */
void disk_faults_remove(void);

/** Counts from here on and lets the n-th call of the kind fail; `n` 0: none. FAULTS_EVERY: each n-th. */
void disk_faults_arm(enum disk_fault kind, enum faults_mode mode, uint64_t n);

/** How many calls there were that could have failed, and how many did. */
uint64_t disk_faults_seen(void);
uint64_t disk_faults_failed(void);

/** What failed first: "pwrite"; "" when nothing did. */
const char *disk_faults_what(void);

/** Writes, truncations and syncs that were tried after one of them had failed. */
uint64_t disk_faults_changes_after(void);

/** Files that were opened through it and not closed. */
int64_t disk_faults_open_files(void);

/** Hears of changes before they are made; paths are as they were opened. */
struct disk_watcher {
    void (*write)(const char *path, const void *bytes, size_t size, uint64_t offset);
    void (*truncate)(const char *path, uint64_t size);
    void (*sync)(const char *path);
};

/** Tells a watcher of every change from here on; NULL: nobody. */
void disk_faults_watch(const struct disk_watcher *watcher);

#endif

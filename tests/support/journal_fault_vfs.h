/* SPDX-License-Identifier: MIT */
/*
 * journal_fault_vfs.h: a disk that fails once, at a chosen moment. It stands between SQLite and its real VFS
 * as the default one, counts what changes a file, and lets the n-th such call fail; a call that is tried
 * again would succeed, so that trying again is seen. One thread at a time.
 */
#ifndef SUPPORT_JOURNAL_FAULT_VFS_H
#define SUPPORT_JOURNAL_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Which calls count and fail, and how. */
enum fault_kind {
    FAULT_NONE,
    FAULT_WRITE, /**< xWrite answers SQLITE_IOERR_WRITE, having written half */
    FAULT_FULL,  /**< xWrite answers SQLITE_FULL, having written nothing */
    FAULT_SYNC,  /**< xSync answers SQLITE_IOERR_FSYNC, having synced nothing */
    FAULT_READ,  /**< xRead answers SQLITE_IOERR_READ */
};

/** Hears of what changes a file, before it is done; see fault_vfs_watch. */
struct fault_watcher {
    void (*write)(const char *path, const void *bytes, size_t size, uint64_t offset);
    void (*truncate)(const char *path, uint64_t size);
    void (*sync)(const char *path);
};

/** Tells a watcher of every change from here on; NULL: nobody. It must outlive the files that are open. */
void fault_vfs_watch(const struct fault_watcher *watcher);

/** Puts the disk in, all counters zero. The n-th call of the kind from here on fails, from 1. */
void fault_vfs_install(enum fault_kind kind, uint64_t fail_at);

/** Arms another failure: the n-th call of the kind from now on. */
void fault_vfs_arm(enum fault_kind kind, uint64_t fail_at);

/** Makes the real disk the default one again. Files that are open stay with the failing one. */
void fault_vfs_remove(void);

/** Whether the failure has happened. */
bool fault_vfs_is_fired(void);

/** How many writes, syncs and truncations there were since it happened. */
uint64_t fault_vfs_calls_after(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * vfs.h: SQLite on the disk of env/disk.h. It is SQLite's own unix VFS, with everything that it asks of the
 * system asked of env_disk() instead, and with the reason of a failure kept in the system's words, which
 * SQLite does not give.
 *
 * Place: below every connection that the journal opens: sqlite_open.c and backup.c name it. Any thread.
 */
#ifndef JOURNAL_VFS_H
#define JOURNAL_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "journal/journal.h"

/* A write-ahead log becomes longer by so many bytes at a time, filled with zeros. */
enum { VFS_LOG_GROWTH = 262144 };

/**
 * The name to open connections with; makes it known to SQLite at the first call. It replaces the system calls
 * of the unix VFS for the whole process, as SQLite has it. NULL: there is no memory for SQLite.
 */
const char *vfs_name(void);

/** Forgets the failure of before. To be called where a failure could not be of the work that begins. */
void vfs_forget(void);

/** Whether a call to the system has failed since. Some of SQLite's answers do not tell that from damage. */
bool vfs_has_failed(void);

/**
 * Says what could not be done, in the words of `format`, and why: SQLite's words, its extended code and, when
 * it was the disk, which call to the system failed, on which file and for what: "cannot commit: disk I/O
 * error (SQLite 1034): fdatasync of a.db-wal: Input/output error". `db` may be NULL: then memory was missing.
 */
__attribute__((format(printf, 3, 4))) void vfs_explain(sqlite3 *db, struct journal_error *ret_error,
                                                       const char *format, ...);

#endif

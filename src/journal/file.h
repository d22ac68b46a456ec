/* SPDX-License-Identifier: MIT */
/*
 * file.h: the little that a journal's file needs beside what SQLite does with it: a lock for the whole life
 * of a server, a look at what kind of file it is before anything touches it, and a file that appears complete
 * or not at all.
 *
 * Place: used by sqlite_open.c and backup.c. Any thread; calls may block on the disk. Every failure writes
 * its reason.
 */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

#include <stdint.h>

#include "journal/journal.h"

/**
 * The longest path of a journal's file in bytes: SQLite takes 512, made absolute and with its endings. A
 * relative path in a deep folder may be refused before this.
 */
#define FILE_PATH_LEN_MAX 480

/** A path with an ending. */
#define FILE_PATH_SIZE (FILE_PATH_LEN_MAX + 32)

/** What stands in the head of a file. */
struct file_kind {
    uint64_t size;           /**< 0: there is none, or it is empty */
    bool is_sqlite;          /**< it begins as a SQLite database does */
    uint32_t application_id; /**< as in its head; see PRAGMA application_id */
    uint32_t user_version;   /**< as in its head; see PRAGMA user_version */
};

/**
 * Takes the lock of the file at `path`: the file `path`.lock, which stays, holds the number of the process
 * that has it. The system drops it when the process ends, however it ends. TROUPE_CONFLICT: another process
 * has it. On TROUPE_OK `ret_lock` is given to file_unlock.
 */
TROUPE_MUST_CHECK troupe_status file_lock(const char *path, int *ret_lock, struct journal_error *error);

/** Gives a lock back. -1 is fine. */
void file_unlock(int lock);

/** Reads what kind of file there is, and changes nothing. */
TROUPE_MUST_CHECK troupe_status file_inspect(const char *path, struct file_kind *ret_kind,
                                             struct journal_error *error);

/** Removes a file; that there is none is fine. */
TROUPE_MUST_CHECK troupe_status file_remove(const char *path, struct journal_error *error);

/** Makes an empty file that only its owner may read, in the place of any that is there. */
TROUPE_MUST_CHECK troupe_status file_make_empty(const char *path, struct journal_error *error);

/** Gives a complete file its final name, and returns when the directory has that on the disk. */
TROUPE_MUST_CHECK troupe_status file_rename(const char *from, const char *to, struct journal_error *error);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * backup.c: copies a journal's file with SQLite's own means; backup.h says how far that goes. Any thread.
 *
 *   look at both, and for an old log -> FILE.new: all pages of one moment -> synced -> renamed
 */
#include "journal/backup.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "journal/file.h"
#include "journal/sqlite.h"
#include "journal/vfs.h"

static troupe_status check_source(const char *from, struct journal_error *error)
{
    struct file_kind kind;
    troupe_status status = file_inspect(from, &kind, error);
    if (status != TROUPE_OK)
        return status;
    if (kind.size == 0) {
        snprintf(error->text, sizeof(error->text), "there is no journal at %s", from);
        return TROUPE_NOT_FOUND;
    }
    if (!kind.is_sqlite || kind.application_id != SQLITE_APPLICATION_ID) {
        snprintf(error->text, sizeof(error->text), "%s is not a journal", from);
        return TROUPE_INVALID;
    }
    return TROUPE_OK;
}

/* There must be neither a file nor a log: SQLite would take an old one for the copy's, and its pages too. */
static troupe_status check_target(const char *to, struct journal_error *error)
{
    static const char *const endings[] = {"", "-wal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[FILE_PATH_SIZE];
        struct file_kind kind;
        snprintf(path, sizeof path, "%s%s", to, endings[i]);
        troupe_status status = file_inspect(path, &kind, error);
        if (status != TROUPE_OK)
            return status;
        if (kind.size > 0) {
            snprintf(error->text, sizeof error->text, "%s is there already%s", path,
                     endings[i][0] != '\0' ? ", the log of another file" : "");
            return TROUPE_CONFLICT;
        }
    }
    return TROUPE_OK;
}

static troupe_status fail(sqlite3 *db, const char *what, const char *path, struct journal_error *error)
{
    vfs_explain(db, error, "cannot %s %s", what, path);
    return TROUPE_IO;
}

/* All pages in one step: one read transaction, so one moment. */
static troupe_status copy(const char *from, const char *fresh, struct journal_error *error)
{
    sqlite3 *source = NULL;
    sqlite3 *target = NULL;
    troupe_status status = TROUPE_OK;
    const char *disk = vfs_name();
    vfs_forget();
    if (disk == NULL || sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, disk) != SQLITE_OK)
        status = fail(source, "open", from, error);
    else if (sqlite3_open_v2(fresh, &target, SQLITE_OPEN_READWRITE, disk) != SQLITE_OK)
        status = fail(target, "open", fresh, error);
    if (status == TROUPE_OK) {
        sqlite3_db_config(source, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_busy_timeout(source, SQLITE_BUSY_MS);
        sqlite3_exec(source, "PRAGMA wal_autocheckpoint=0; PRAGMA query_only=ON", NULL, NULL, NULL);
        sqlite3_exec(target, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
        sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
        int result = backup == NULL ? SQLITE_ERROR : sqlite3_backup_step(backup, -1);
        /* The target knows what went wrong when the copying has ended. */
        if (sqlite3_backup_finish(backup) != SQLITE_OK || result != SQLITE_DONE)
            status = fail(target, "write", fresh, error);
    }
    sqlite3_close(source);
    if (sqlite3_close(target) != SQLITE_OK && status == TROUPE_OK)
        status = fail(target, "close", fresh, error);
    return status;
}

troupe_status journal_backup(const char *from, const char *to, struct journal_error *error)
{
    char fresh[FILE_PATH_SIZE];
    if (strlen(from) > FILE_PATH_LEN_MAX || strlen(to) > FILE_PATH_LEN_MAX) {
        snprintf(error->text, sizeof(error->text), "the path of a journal has 1 to %d bytes",
                 FILE_PATH_LEN_MAX);
        return TROUPE_INVALID;
    }
    snprintf(fresh, sizeof(fresh), "%s.new", to);
    troupe_status status = check_source(from, error);
    if (status == TROUPE_OK)
        status = check_target(to, error);
    if (status == TROUPE_OK)
        status = file_make_empty(fresh, error);
    if (status != TROUPE_OK)
        return status;
    status = copy(from, fresh, error);
    if (status == TROUPE_OK)
        return file_rename(fresh, to, error);
    struct journal_error unused;
    (void)!file_remove(fresh, &unused);
    return status;
}

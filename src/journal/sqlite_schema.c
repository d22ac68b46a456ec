/* SPDX-License-Identifier: MIT */
/*
 * sqlite_schema.c: the tables of a journal's file, and the way from each version of them to the next.
 * sqlite.h says what they are for.
 *
 * A new file is made by all steps in a row, so that a file that was brought up to date and one that was made
 * today are the same. A step and the new version are one transaction: a crash leaves the old file or the new
 * one. Cards are not made by a step: they follow from what the records mean, which is not known here; the
 * file says that it has none (journal_has_cards), until somebody has made them. tests/data/journals has a
 * file of each version that ever was; all of them must open.
 *
 * Threads: as every call of the driver. Blocks on the disk.
 */
#include "journal/sqlite.h"

#include <inttypes.h>
#include <stdio.h>

#include "journal/vfs.h"

/*
 * From each version of the tables to the next, the first one from an empty file. Released steps never change.
 */
static const char *const steps[] = {
    "CREATE TABLE record (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " previous INTEGER NOT NULL, type INTEGER NOT NULL, version INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " body BLOB NOT NULL) STRICT;"
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last_seq INTEGER NOT NULL,"
    " last_position INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;"
    "CREATE TABLE mark (stream INTEGER NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (stream, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), heads_position INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL) STRICT;",

    "CREATE TABLE snapshot (stream INTEGER PRIMARY KEY, seq INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " body BLOB NOT NULL) STRICT;",

    "CREATE TABLE summary (stream INTEGER PRIMARY KEY, seq INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " body BLOB NOT NULL) STRICT;",

    "CREATE TABLE card (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, thread INTEGER NOT NULL,"
    " state INTEGER NOT NULL, kind INTEGER NOT NULL, rank INTEGER NOT NULL, made_at INTEGER NOT NULL,"
    " changed_at INTEGER NOT NULL, author TEXT NOT NULL, holder TEXT NOT NULL, title TEXT NOT NULL) STRICT;"
    "CREATE INDEX card_by_stream ON card(stream);"
    "CREATE INDEX card_by_author ON card(author);"
    "CREATE VIRTUAL TABLE card_text USING fts5(title, text, content='',"
    " tokenize='unicode61 remove_diacritics 2');"
    "ALTER TABLE state ADD COLUMN has_cards INTEGER NOT NULL DEFAULT 0;",
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == SQLITE_SCHEMA_VERSION, "a step for each version");

/* Why something could not be done, and what that makes of the file. */
static troupe_status fail(sqlite3 *db, const char *what, struct journal_error *error)
{
    int kind = sqlite3_extended_errcode(db) & 0xff;
    vfs_explain(db, error, "cannot %s", what);
    bool is_corrupt = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB ||
                      kind == SQLITE_ERROR; /* the last: the tables are not those we know */
    return is_corrupt ? TROUPE_CORRUPT : TROUPE_IO;
}

troupe_status sqlite_script(sqlite3 *db, const char *script, const char *what, struct journal_error *error)
{
    if (sqlite3_exec(db, script, NULL, NULL, NULL) == SQLITE_OK)
        return TROUPE_OK;
    return fail(db, what, error);
}

/* The steps after version `from`, within a transaction, and then the version. */
static troupe_status step_from(sqlite3 *db, int from, const char *what, struct journal_error *error)
{
    char script[64];
    troupe_status status = TROUPE_OK;
    for (int i = from; i < SQLITE_SCHEMA_VERSION && status == TROUPE_OK; i++)
        status = sqlite_script(db, steps[i], what, error);
    snprintf(script, sizeof(script), "PRAGMA user_version=%d", (int)SQLITE_SCHEMA_VERSION);
    return status == TROUPE_OK ? sqlite_script(db, script, what, error) : status;
}

troupe_status sqlite_schema_make(sqlite3 *db, struct journal_error *error)
{
    static const char *const what = "make the tables";
    char script[256];
    snprintf(script, sizeof(script),
             "INSERT INTO state VALUES(1, 0, %" PRId32 ", 1); PRAGMA application_id=%d; COMMIT;",
             (int32_t)sqlite_state_checksum(0), (int)SQLITE_APPLICATION_ID);
    troupe_status status = sqlite_script(db, "PRAGMA synchronous=FULL; BEGIN;", what, error);
    if (status == TROUPE_OK)
        status = step_from(db, 0, what, error);
    return status == TROUPE_OK ? sqlite_script(db, script, what, error) : status;
}

static troupe_status read_version(sqlite3 *db, const char *what, int *ret_version,
                                  struct journal_error *error)
{
    sqlite3_stmt *pragma = NULL;
    troupe_status status = TROUPE_OK;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &pragma, NULL) == SQLITE_OK &&
        sqlite3_step(pragma) == SQLITE_ROW)
        *ret_version = sqlite3_column_int(pragma, 0);
    else
        status = fail(db, what, error);
    sqlite3_finalize(pragma);
    return status;
}

troupe_status sqlite_schema_migrate(sqlite3 *db, struct journal_error *error)
{
    static const char *const what = "bring the tables up to date";
    int version = 0;
    troupe_status status = read_version(db, what, &version, error);
    if (status != TROUPE_OK || version == SQLITE_SCHEMA_VERSION)
        return status;
    if (version < 1 || version > SQLITE_SCHEMA_VERSION) {
        snprintf(error->text, sizeof(error->text), "cannot %s: their version is %d", what, version);
        return TROUPE_CORRUPT;
    }
    status = sqlite_script(db, "BEGIN IMMEDIATE", what, error);
    if (status == TROUPE_OK)
        status = step_from(db, version, what, error);
    return status == TROUPE_OK ? sqlite_script(db, "COMMIT", what, error) : status;
}

/* SPDX-License-Identifier: MIT */
/*
 * sqlite_open.c: the life of a SQLite file: made, locked, recognised, opened, closed. sqlite.h has the
 * format.
 *
 *   lock the path -> look at the file's head -> open -> bring the tables up to date -> find the ends of the
 *                       |            ^                                                 streams
 *                       +-- none ----+ make it aside, complete, and rename it
 *
 * A file that is not ours is refused by its head alone, before SQLite could roll back or checkpoint anything
 * in it. That the head can be trusted is why a new file gets its name last: there is never one of ours with a
 * half-made schema.
 *
 * Threads: as every call of the driver. Blocks on the disk.
 */
#include "journal/sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/env.h"
#include "journal/file.h"
#include "journal/vfs.h"

/*
 * cell_size_check makes SQLite notice some damage to a page before it reads it; trusted_schema=OFF keeps a
 * tampered schema harmless.
 */
static const char *const settings =
    "PRAGMA locking_mode=NORMAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-32768; PRAGMA mmap_size=0;"
    "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=OFF;";

static const char *const statement_texts[] = {
#define SQLITE_STATEMENT_TEXT(name, text) text,
    SQLITE_STATEMENTS(SQLITE_STATEMENT_TEXT)
#undef SQLITE_STATEMENT_TEXT
};

/*
 * SQLite counts its memory for the whole process under one lock, twice for each allocation. Nobody asks for
 * those figures. It can be said only before its first use; when somebody was earlier, it goes on counting.
 */
__attribute__((constructor)) static void count_no_memory(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static troupe_status open_database(const char *path, sqlite3 **ret_db, struct journal_error *error)
{
    sqlite3 *db = NULL;
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    const char *disk = vfs_name();
    vfs_forget();
    if (disk == NULL || sqlite3_open_v2(path, &db, flags, disk) != SQLITE_OK) {
        vfs_explain(db, error, "cannot open %s", path);
        sqlite3_close(db);
        return db == NULL ? TROUPE_NO_MEMORY : TROUPE_IO;
    }
    sqlite3_busy_timeout(db, SQLITE_BUSY_MS);
    /*
     * Closing never checkpoints by itself: after a failure nothing may be written, and without one
     * sqlite_close does it.
     */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    *ret_db = db;
    return TROUPE_OK;
}

/* Makes a complete, empty journal under another name, and renames it. */
static troupe_status make_file(const char *path, struct journal_error *error)
{
    char log[FILE_PATH_SIZE];
    struct file_kind log_kind;
    snprintf(log, sizeof(log), "%s-wal", path);
    troupe_status status = file_inspect(log, &log_kind, error);
    if (status == TROUPE_OK && log_kind.size > 0) {
        /* SQLite would take the old log for the new file's. */
        snprintf(error->text, sizeof(error->text),
                 "%s is missing but its log %s-wal is there: put the file back", path, path);
        return TROUPE_CORRUPT;
    }

    /* An earlier attempt may have left its rollback journal, which would be applied to this one. */
    char fresh[FILE_PATH_SIZE];
    char rest[FILE_PATH_SIZE];
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    snprintf(rest, sizeof(rest), "%s.new-journal", path);
    sqlite3 *db = NULL;
    if (status == TROUPE_OK)
        status = file_remove(rest, error);
    if (status == TROUPE_OK)
        status = file_make_empty(fresh, error);
    if (status == TROUPE_OK)
        status = open_database(fresh, &db, error);
    if (status != TROUPE_OK)
        return status;

    status = sqlite_schema_make(db, error);
    sqlite3_close(db);
    if (status == TROUPE_OK)
        status = file_rename(fresh, path, error);
    return status;
}

/* Makes the file when there is none; refuses what is not ours without touching it. */
static troupe_status recognise(const char *path, struct journal_error *error)
{
    struct file_kind kind;
    troupe_status status = file_inspect(path, &kind, error);
    if (status != TROUPE_OK)
        return status;
    if (kind.size == 0)
        return make_file(path, error);
    if (!kind.is_sqlite) {
        snprintf(error->text, sizeof(error->text), "%s is not a journal: it is no SQLite file", path);
        return TROUPE_INVALID;
    }
    if (kind.application_id != SQLITE_APPLICATION_ID) {
        snprintf(error->text, sizeof(error->text),
                 "%s belongs to another application (its application id is 0x%08" PRIx32
                 ", a journal's is 0x%08x)",
                 path, kind.application_id, (unsigned)SQLITE_APPLICATION_ID);
        return TROUPE_INVALID;
    }
    if (kind.user_version > SQLITE_SCHEMA_VERSION || kind.user_version == 0) {
        snprintf(error->text, sizeof(error->text),
                 "%s has format %" PRIu32 ", made by a newer version; this one reads up to %d", path,
                 kind.user_version, (int)SQLITE_SCHEMA_VERSION);
        return TROUPE_INVALID;
    }
    return TROUPE_OK;
}

static int note_log_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_journal *sqlite = context;
    sqlite->log_pages = (uint32_t)pages;
    return SQLITE_OK;
}

/*
 * Switches the write-ahead log on, and believes it only when the statement has ended well: the answer "wal"
 * comes before the head of the file is written, and a file system without shared memory answers another mode.
 */
static troupe_status switch_log_on(struct sqlite_journal *sqlite, struct journal_error *error)
{
    sqlite3_stmt *pragma = NULL;
    bool is_on = false;
    int result = sqlite3_prepare_v2(sqlite->db, "PRAGMA journal_mode=WAL", -1, &pragma, NULL);
    while (result == SQLITE_OK && sqlite3_step(pragma) == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(pragma, 0);
        is_on = mode != NULL && strcmp(mode, "wal") == 0;
    }
    if (result == SQLITE_OK)
        result = sqlite3_finalize(pragma);
    if (result == SQLITE_OK && is_on)
        return TROUPE_OK;
    if (result == SQLITE_OK)
        snprintf(error->text, sizeof error->text,
                 "cannot switch the write-ahead log on: the file system has no shared memory");
    else
        vfs_explain(sqlite->db, error, "cannot switch the write-ahead log on");
    return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB ? TROUPE_CORRUPT : TROUPE_IO;
}

static troupe_status prepare(struct sqlite_journal *sqlite, struct journal_error *error)
{
    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++) {
        int result = sqlite3_prepare_v3(sqlite->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &sqlite->statements[i], NULL);
        if (result != SQLITE_OK) {
            vfs_explain(sqlite->db, error, "cannot find a journal's tables");
            return (result & 0xff) == SQLITE_IOERR ? TROUPE_IO : TROUPE_CORRUPT;
        }
    }
    return TROUPE_OK;
}

/*
 * A damaged record is found when it is read, by its checksum; a damaged directory of names could make a
 * stream with records look like one that never was, and its owner would begin anew. So the table of streams
 * and its index are checked as a whole at each opening, against each other: 0.15 s for 100,000 streams.
 */
static troupe_status check_directory(struct sqlite_journal *sqlite, struct journal_error *error)
{
    sqlite3_stmt *check = NULL;
    vfs_forget();
    int result = sqlite3_prepare_v2(sqlite->db, "PRAGMA integrity_check(stream)", -1, &check, NULL);
    const char *said = NULL;
    if (result == SQLITE_OK && sqlite3_step(check) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(check, 0);
    bool is_right = said != NULL && strcmp(said, "ok") == 0;
    bool is_unread = said == NULL || (!is_right && vfs_has_failed());
    if (is_unread)
        vfs_explain(sqlite->db, error, "cannot check the table of streams");
    else if (!is_right)
        snprintf(error->text, sizeof(error->text), "the table of streams is damaged: %s", said);
    sqlite3_finalize(check);
    if (is_unread && vfs_has_failed())
        return TROUPE_IO;
    return is_right ? TROUPE_OK : TROUPE_CORRUPT;
}

/* Reads a row of two numbers; a NULL in one that may be NULL is 0. */
static troupe_status read_pair(struct sqlite_journal *sqlite, enum sqlite_statement statement,
                               sqlite3_int64 ret_pair[2])
{
    sqlite3_stmt *get = sqlite->statements[statement];
    int result = sqlite3_step(get);
    troupe_status status = TROUPE_OK;
    if (result == SQLITE_ROW) {
        ret_pair[0] = sqlite3_column_int64(get, 0);
        ret_pair[1] = sqlite3_column_int64(get, 1);
    } else {
        status = sqlite_check_end(sqlite, result, "read the state");
        if (status == TROUPE_OK)
            status = journal_explain(&sqlite->base, TROUPE_CORRUPT, "the row of the state is missing");
    }
    sqlite3_reset(get);
    return status;
}

/* One record that came after the ends were written down: it moves the end of its stream. */
static troupe_status recover_record(struct sqlite_journal *sqlite, const struct sqlite_row *row)
{
    if (row->position != sqlite->position + 1)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT, "the record at position %" PRIu64 " is missing",
                               sqlite->position + 1);
    struct head *head;
    troupe_status status = sqlite_find_head_by_id(sqlite, row->stream, &head);
    if (status != TROUPE_OK)
        return status;
    if (row->seq != head->seq + 1 || row->previous != head->position)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "the record at position %" PRIu64
                               " does not follow the end of stream %" PRIu64,
                               row->position, row->stream);
    head->seq = row->seq;
    head->position = row->position;
    head->is_dirty = true;
    sqlite->position = row->position;
    return TROUPE_OK;
}

/*
 * Finds the ends of the streams: those written down, moved by the records that came after. Invariants 1 and 3
 * of sqlite.h.
 */
static troupe_status recover(struct sqlite_journal *sqlite)
{
    sqlite3_int64 state[2];
    sqlite3_int64 last[2];
    troupe_status status = sqlite_check_streams(sqlite);
    if (status == TROUPE_OK)
        status = read_pair(sqlite, SQLITE_GET_STATE_STATEMENT, state);
    if (status == TROUPE_OK)
        status = read_pair(sqlite, SQLITE_GET_LAST_STATEMENT, last);
    if (status != TROUPE_OK)
        return status;
    if (state[1] != (int32_t)sqlite_state_checksum((uint64_t)state[0]))
        return journal_explain(&sqlite->base, TROUPE_CORRUPT, "the row of the state fails its checksum");

    sqlite->heads_position = (uint64_t)state[0];
    sqlite->position = (uint64_t)state[0];
    sqlite->stream_id = (uint64_t)last[1];
    sqlite3_stmt *list = sqlite->statements[SQLITE_LIST_RECORDS_STATEMENT];
    sqlite3_bind_int64(list, 1, state[0]);
    int result;
    while (status == TROUPE_OK && (result = sqlite3_step(list)) != SQLITE_DONE) {
        struct sqlite_row row;
        status = result == SQLITE_ROW ? sqlite_read_row(sqlite, list, &row)
                                      : sqlite_check_end(sqlite, result, "read the last records");
        if (status == TROUPE_OK)
            status = recover_record(sqlite, &row);
    }
    sqlite3_reset(list);
    if (status == TROUPE_OK && sqlite->position != (uint64_t)last[0])
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "the records after position %" PRIu64 " are missing", sqlite->position);
    return status;
}

/* Frees the handle; nothing is written. */
static void release(struct sqlite_journal *sqlite)
{
    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        sqlite3_finalize(sqlite->statements[i]);
    sqlite_drop_expected(sqlite);
    sqlite3_close(sqlite->db);
    heads_done(&sqlite->heads);
    buffer_done(&sqlite->body);
    buffer_done(&sqlite->kept);
    file_unlock(sqlite->lock);
    free(sqlite);
}

troupe_status sqlite_open(const char *where, struct journal **ret_journal, struct journal_error *error)
{
    if (where[0] == '\0' || strlen(where) > FILE_PATH_LEN_MAX) {
        snprintf(error->text, sizeof(error->text), "the path of a journal has 1 to %d bytes",
                 FILE_PATH_LEN_MAX);
        return TROUPE_INVALID;
    }
    struct sqlite_journal *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL)
        return TROUPE_NO_MEMORY;
    sqlite->base.driver = &journal_sqlite;
    sqlite->lock = -1;
    sqlite->checkpoint_pages = SQLITE_CHECKPOINT_PAGES;
    struct hash_key key;
    key.words[0] = env_entropy();
    key.words[1] = env_entropy();
    heads_init(&sqlite->heads, &key);

    troupe_status status = file_lock(where, &sqlite->lock, error);
    if (status == TROUPE_OK)
        status = recognise(where, error);
    if (status == TROUPE_OK)
        status = open_database(where, &sqlite->db, error);
    if (status == TROUPE_OK)
        status = switch_log_on(sqlite, error);
    if (status == TROUPE_OK)
        status = sqlite_script(sqlite->db, settings, "set up the database", error);
    if (status == TROUPE_OK) {
        sqlite3_wal_hook(sqlite->db, note_log_pages, sqlite);
        status = sqlite_schema_migrate(sqlite->db, error);
    }
    if (status == TROUPE_OK)
        status = prepare(sqlite, error);
    if (status == TROUPE_OK)
        status = check_directory(sqlite, error);
    if (status == TROUPE_OK) {
        status = recover(sqlite);
        if (status != TROUPE_OK)
            snprintf(error->text, sizeof(error->text), "%.*s: %.700s", FILE_PATH_LEN_MAX, where,
                     sqlite->base.error.text);
    }
    if (status != TROUPE_OK) {
        release(sqlite);
        return status;
    }
    vfs_forget();
    *ret_journal = &sqlite->base;
    return TROUPE_OK;
}

troupe_status sqlite_finish(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite->position != sqlite->heads_position) {
        troupe_status status = sqlite_write_heads(sqlite);
        if (status != TROUPE_OK)
            return status;
    }
    vfs_forget();
    int result = sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (result != SQLITE_OK && result != SQLITE_BUSY) /* busy: somebody reads, and the log stays */
        return sqlite_fail(sqlite, "empty the log");
    return TROUPE_OK;
}

void sqlite_close(struct journal *journal)
{
    release(sqlite_of(journal));
}

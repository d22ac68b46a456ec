/* SPDX-License-Identifier: MIT */
/*
 * sqlite_verify.c: goes through a whole file: every page, every record, every mark, every end of a stream,
 * each against the others. sqlite.h has the format and the invariants, which are what is checked here.
 *
 * Place: under journal.c, for `troupe verify`. One thread at a time; takes about 4 us a record.
 */
#include "journal/sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "journal/vfs.h"

/* Where a stream ended when its last record so far was seen. */
struct end {
    uint64_t seq;
    uint64_t position;
};

struct walk {
    struct sqlite_journal *sqlite;
    journal_report *report;
    void *context;
    struct end *ends; /* by the number of the stream */
    size_t count;
    size_t capacity;
    uint64_t position;
    uint64_t found;
};

__attribute__((format(printf, 2, 3))) static void report(struct walk *walk, const char *format, ...)
{
    char text[JOURNAL_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    walk->found++;
    walk->report(walk->context, text);
}

/* What SQLite itself finds wrong with its pages and indexes. */
static troupe_status check_pages(struct walk *walk)
{
    sqlite3_stmt *check = NULL;
    vfs_forget();
    int result = sqlite3_prepare_v2(walk->sqlite->db, "PRAGMA integrity_check", -1, &check, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(check)) == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(check, 0);
        if (said != NULL && strcmp(said, "ok") != 0 && !vfs_has_failed())
            report(walk, "the file is damaged: %s", said);
        result = SQLITE_OK;
    }
    sqlite3_finalize(check);
    if (vfs_has_failed()) /* SQLite reports pages that cannot be read as if they were damaged */
        return sqlite_fail(walk->sqlite, "check the file's pages");
    return sqlite_check_end(walk->sqlite, result, "check the file's pages");
}

/* What FTS5 finds wrong with the index of words: whether its lists are in order and fit each other. */
static troupe_status check_index(struct walk *walk)
{
    sqlite3 *db = walk->sqlite->db;
    int result =
        sqlite3_exec(db, "INSERT INTO card_text(card_text) VALUES('integrity-check')", NULL, NULL, NULL);
    if ((result & 0xff) == SQLITE_CORRUPT) {
        report(walk, "the index of words is damaged: %s", sqlite3_errmsg(db));
        return TROUPE_OK;
    }
    return sqlite_check_end(walk->sqlite, result, "check the index of words");
}

static troupe_status check_mark(struct walk *walk, const struct sqlite_row *row)
{
    sqlite3_stmt *get = walk->sqlite->statements[SQLITE_GET_MARK_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)row->stream);
    sqlite3_bind_int64(get, 2, (sqlite3_int64)row->seq);
    int result = sqlite3_step(get);
    bool is_right = result == SQLITE_ROW && (uint64_t)sqlite3_column_int64(get, 0) == row->seq &&
                    (uint64_t)sqlite3_column_int64(get, 1) == row->position;
    troupe_status status = TROUPE_OK;
    if (result != SQLITE_ROW)
        status = sqlite_check_end(walk->sqlite, result, "look up a mark");
    sqlite3_reset(get);
    if (status == TROUPE_OK && !is_right)
        report(walk, "the mark of record %" PRIu64 " of stream %" PRIu64 " is missing or wrong", row->seq,
               row->stream);
    return status;
}

static troupe_status check_row(struct walk *walk, const struct sqlite_row *row)
{
    if (row->position != walk->position + 1)
        report(walk, "the records from position %" PRIu64 " to %" PRIu64 " are missing", walk->position + 1,
               row->position - 1);
    walk->position = row->position;
    if (row->stream > walk->sqlite->stream_id) {
        report(walk, "the record at position %" PRIu64 " is of stream %" PRIu64 ", which there is not",
               row->position, row->stream);
        return TROUPE_OK;
    }
    struct end *end = &walk->ends[row->stream];
    if (row->seq != end->seq + 1 || row->previous != end->position)
        report(walk,
               "the record at position %" PRIu64 " is number %" PRIu64 " of stream %" PRIu64
               " and follows number %" PRIu64,
               row->position, row->seq, row->stream, end->seq);
    *end = (struct end){row->seq, row->position};
    return row->seq % SQLITE_MARK_EVERY == 0 ? check_mark(walk, row) : TROUPE_OK;
}

/* All records in their order. One that is damaged is told, and the walk goes on behind it. */
static troupe_status check_records(struct walk *walk)
{
    sqlite3_stmt *list = walk->sqlite->statements[SQLITE_LIST_RECORDS_STATEMENT];
    troupe_status status = TROUPE_OK;
    int result = SQLITE_ROW;
    sqlite3_bind_int64(list, 1, 0);
    while (status == TROUPE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
        struct sqlite_row row;
        status = sqlite_read_row(walk->sqlite, list, &row);
        if (status == TROUPE_CORRUPT) {
            report(walk, "%s", walk->sqlite->base.error.text);
            walk->position++;
            status = TROUPE_OK;
        } else if (status == TROUPE_OK) {
            status = check_row(walk, &row);
        }
    }
    if (status == TROUPE_OK)
        status = sqlite_check_end(walk->sqlite, result, "read the records");
    sqlite3_reset(list);
    if (status == TROUPE_OK && walk->position != walk->sqlite->position)
        report(walk, "there are records up to position %" PRIu64 ", and should be up to %" PRIu64,
               walk->position, walk->sqlite->position);
    return status;
}

static troupe_status check_ends(struct walk *walk)
{
    for (uint64_t id = 1; id <= walk->sqlite->stream_id; id++) {
        struct head *head;
        troupe_status status = sqlite_find_head_by_id(walk->sqlite, id, &head);
        if (status == TROUPE_CORRUPT)
            report(walk, "%s", walk->sqlite->base.error.text);
        else if (status != TROUPE_OK)
            return status;
        else if (head->seq != walk->ends[id].seq || head->position != walk->ends[id].position)
            report(walk, "stream %" PRIu64 " (%s) should end with number %" PRIu64 " and ends with %" PRIu64,
                   id, heads_name(&walk->sqlite->heads, head), head->seq, walk->ends[id].seq);
    }
    return TROUPE_OK;
}

troupe_status sqlite_verify(struct journal *journal, journal_report *report_to, void *context)
{
    struct walk walk = {.sqlite = sqlite_of(journal), .report = report_to, .context = context};
    troupe_status status =
        array_reserve(&walk.ends, &walk.capacity, (size_t)walk.sqlite->stream_id + 1, sizeof(*walk.ends));
    if (status != TROUPE_OK)
        return status;
    memset(walk.ends, 0, ((size_t)walk.sqlite->stream_id + 1) * sizeof(*walk.ends));
    status = check_pages(&walk);
    if (status == TROUPE_OK)
        status = check_index(&walk);
    if (status == TROUPE_OK)
        status = check_records(&walk);
    if (status == TROUPE_OK)
        status = check_ends(&walk);
    free(walk.ends);
    if (status == TROUPE_OK && walk.found > 0)
        return journal_explain(journal, TROUPE_CORRUPT, "%" PRIu64 " findings", walk.found);
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * sqlite_snapshot.c: the newest snapshot and summary of each stream, beside its records. Place: under
 * journal.c, which has checked every call. One thread at a time.
 *
 * A snapshot's checksum covers which stream it belongs to and which record it follows, so that one that was
 * moved or swapped fails it. What fails it is TROUPE_CORRUPT; the records are still there, and are read.
 */
#include "journal/sqlite.h"

#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"

/* What a checksum covers beside the bytes; no hidden padding. */
struct covered_snapshot {
    uint64_t stream;
    uint64_t seq;
    uint64_t size;
};

enum { SNAPSHOT_SEQ, SNAPSHOT_CHECKSUM, SNAPSHOT_BODY, SUMMARY_STREAM, SUMMARY_NAME };

static const enum sqlite_statement set_statements[JOURNAL_KEPT_COUNT] = {SQLITE_SET_SNAPSHOT_STATEMENT,
                                                                         SQLITE_SET_SUMMARY_STATEMENT};
static const enum sqlite_statement get_statements[JOURNAL_KEPT_COUNT] = {SQLITE_GET_SNAPSHOT_STATEMENT,
                                                                         SQLITE_GET_SUMMARY_STATEMENT};
static const char *const kept_names[JOURNAL_KEPT_COUNT] = {"snapshot", "summary"};

static uint32_t checksum_of(uint64_t stream, uint64_t seq, const void *bytes, size_t size)
{
    struct covered_snapshot covered = {stream, seq, size};
    return checksum_extend(checksum_extend(CHECKSUM_NONE, &covered, sizeof(covered)), bytes, size);
}

troupe_status sqlite_keep(struct journal *journal, const struct journal_snapshot *snapshot, uint64_t *ret_seq)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, snapshot->stream, snapshot->stream_len, &head);
    if (status != TROUPE_OK)
        return status;
    *ret_seq = head == NULL ? 0 : head->seq;
    if (head == NULL || head->seq != snapshot->seq)
        return TROUPE_CONFLICT;
    sqlite3_stmt *set = sqlite->statements[set_statements[snapshot->kind]];
    sqlite3_bind_int64(set, 1, (sqlite3_int64)head->id);
    sqlite3_bind_int64(set, 2, (sqlite3_int64)snapshot->seq);
    sqlite3_bind_int(set, 3, (int32_t)checksum_of(head->id, snapshot->seq, snapshot->bytes, snapshot->size));
    sqlite3_bind_blob(set, 4, snapshot->bytes, (int)snapshot->size, SQLITE_STATIC);
    if (sqlite_run(sqlite, set_statements[snapshot->kind]) != SQLITE_OK)
        return sqlite_fail(sqlite, "keep a snapshot");
    return TROUPE_OK;
}

/* The row that the statement stands on, borrowed until it moves, if it is what was kept. */
static troupe_status read_row(struct sqlite_journal *sqlite, sqlite3_stmt *get, enum journal_kept kind,
                              const struct head *head, struct journal_summary *ret_row)
{
    bool is_right = sqlite3_column_type(get, SNAPSHOT_SEQ) == SQLITE_INTEGER &&
                    sqlite3_column_type(get, SNAPSHOT_CHECKSUM) == SQLITE_INTEGER &&
                    sqlite3_column_type(get, SNAPSHOT_BODY) == SQLITE_BLOB;
    uint64_t seq = (uint64_t)sqlite3_column_int64(get, SNAPSHOT_SEQ);
    const void *body = is_right ? sqlite3_column_blob(get, SNAPSHOT_BODY) : NULL;
    size_t size = is_right ? (size_t)sqlite3_column_bytes(get, SNAPSHOT_BODY) : 0;
    if (is_right && size > 0 && body == NULL)
        return TROUPE_NO_MEMORY;
    if (!is_right || size == 0 || seq == 0 || seq > head->seq ||
        (int32_t)checksum_of(head->id, seq, body, size) != sqlite3_column_int64(get, SNAPSHOT_CHECKSUM))
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "the %s of stream %" PRIu64 " fails its checksum", kept_names[kind], head->id);
    *ret_row = (struct journal_summary){.place = head->id, .seq = seq, .bytes = body, .size = size};
    return TROUPE_OK;
}

troupe_status sqlite_recall(struct journal *journal, enum journal_kept kind, const char *stream,
                            size_t stream_len, struct buffer *bytes, uint64_t *ret_seq)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    struct journal_summary row = {0};
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, stream, stream_len, &head);
    if (status != TROUPE_OK || head == NULL)
        return status;
    sqlite3_stmt *get = sqlite->statements[get_statements[kind]];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)head->id);
    int result = sqlite3_step(get);
    status = result == SQLITE_ROW ? read_row(sqlite, get, kind, head, &row)
                                  : sqlite_check_end(sqlite, result, "look up a snapshot");
    if (status == TROUPE_OK && row.size > 0)
        status = buffer_append(bytes, row.bytes, row.size);
    if (status == TROUPE_OK)
        *ret_seq = row.seq;
    sqlite3_reset(get);
    return status;
}

/* The stream's end as it is now: in memory, or as the row says. */
static bool find_end(struct sqlite_journal *sqlite, sqlite3_stmt *list, const char *name,
                     struct head *ret_head)
{
    enum { SUMMARY_LAST_SEQ = SUMMARY_NAME + 1 };
    const struct head *known = heads_find(&sqlite->heads, name, strlen(name));
    ret_head->id = (uint64_t)sqlite3_column_int64(list, SUMMARY_STREAM);
    ret_head->seq = known != NULL ? known->seq : (uint64_t)sqlite3_column_int64(list, SUMMARY_LAST_SEQ);
    return known == NULL || known->id == ret_head->id;
}

troupe_status sqlite_summaries(struct journal *journal, uint64_t after, journal_visit_summary *visit,
                               void *context)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    sqlite3_stmt *list = sqlite->statements[SQLITE_LIST_SUMMARIES_STATEMENT];
    sqlite3_bind_int64(list, 1, (sqlite3_int64)after);
    troupe_status status = TROUPE_OK;
    int result = SQLITE_ROW;
    while (status == TROUPE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
        struct head head = {0};
        struct journal_summary row;
        const char *name = (const char *)sqlite3_column_text(list, SUMMARY_NAME);
        if (name == NULL || !find_end(sqlite, list, name, &head) ||
            read_row(sqlite, list, JOURNAL_SUMMARY, &head, &row) != TROUPE_OK)
            continue;
        row.stream = name;
        status = visit(context, &row);
    }
    if (status == TROUPE_OK)
        status = sqlite_check_end(sqlite, result, "list the summaries");
    sqlite3_reset(list);
    return status;
}

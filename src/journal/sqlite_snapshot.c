/* SPDX-License-Identifier: MIT */
/*
 * sqlite_snapshot.c: the newest snapshot of each stream, beside its records. Place: under journal.c, which
 * has checked every call. One thread at a time.
 *
 * A snapshot's checksum covers which stream it belongs to and which record it follows, so that one that was
 * moved or swapped fails it. What fails it is TROUPE_CORRUPT; the records are still there, and are read.
 */
#include "journal/sqlite.h"

#include <inttypes.h>

#include "base/checksum.h"

/* What a checksum covers beside the bytes; no hidden padding. */
struct covered_snapshot {
    uint64_t stream;
    uint64_t seq;
    uint64_t size;
};

enum { SNAPSHOT_SEQ, SNAPSHOT_CHECKSUM, SNAPSHOT_BODY };

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
    sqlite3_stmt *set = sqlite->statements[SQLITE_SET_SNAPSHOT_STATEMENT];
    sqlite3_bind_int64(set, 1, (sqlite3_int64)head->id);
    sqlite3_bind_int64(set, 2, (sqlite3_int64)snapshot->seq);
    sqlite3_bind_int(set, 3, (int32_t)checksum_of(head->id, snapshot->seq, snapshot->bytes, snapshot->size));
    sqlite3_bind_blob(set, 4, snapshot->bytes, (int)snapshot->size, SQLITE_STATIC);
    if (sqlite_run(sqlite, SQLITE_SET_SNAPSHOT_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "keep a snapshot");
    return TROUPE_OK;
}

/* The row that the statement stands on, if it is what was kept. */
static troupe_status read_row(struct sqlite_journal *sqlite, sqlite3_stmt *get, const struct head *head,
                              struct buffer *bytes, uint64_t *ret_seq)
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
                               "the snapshot of stream %" PRIu64 " fails its checksum", head->id);
    *ret_seq = seq;
    return buffer_append(bytes, body, size);
}

troupe_status sqlite_recall(struct journal *journal, const char *stream, size_t stream_len,
                            struct buffer *bytes, uint64_t *ret_seq)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, stream, stream_len, &head);
    if (status != TROUPE_OK || head == NULL)
        return status;
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_SNAPSHOT_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)head->id);
    int result = sqlite3_step(get);
    status = result == SQLITE_ROW ? read_row(sqlite, get, head, bytes, ret_seq)
                                  : sqlite_check_end(sqlite, result, "look up a snapshot");
    sqlite3_reset(get);
    return status;
}

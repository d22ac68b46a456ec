/* SPDX-License-Identifier: MIT */
/*
 * sqlite.c: appending to a SQLite file, and the driver itself. sqlite.h has the format and the invariants.
 *
 * Place: under journal.c, which has checked every call; sqlite_open.c made the handle. One thread at a time.
 *
 * In memory the ends of streams move when records are added, not when they are committed. That is right
 * because a transaction has only two ends: COMMIT, and a failure after which this handle does nothing any
 * more. There is no rollback.
 */
#include "journal/sqlite.h"

#include <string.h>

#include "base/assert.h"
#include "base/checksum.h"
#include "journal/vfs.h"

/* What a checksum covers beside the body; no hidden padding, so that it can be summed as it lies. */
struct covered_record {
    uint64_t position;
    uint64_t stream;
    uint64_t seq;
    uint64_t previous;
    uint32_t type;
    uint32_t version;
    uint64_t size;
};

struct covered_stream {
    uint64_t id;
    uint64_t last_seq;
    uint64_t last_position;
};

_Static_assert(sizeof(struct covered_record) == 48, "no hidden padding is summed");
_Static_assert(sizeof(struct covered_stream) == 24, "no hidden padding is summed");

uint32_t sqlite_record_checksum(const struct sqlite_row *row)
{
    struct covered_record covered = {
        .position = row->position,
        .stream = row->stream,
        .seq = row->seq,
        .previous = row->previous,
        .type = row->record.type,
        .version = row->record.version,
        .size = row->record.size,
    };
    uint32_t checksum = checksum_extend(CHECKSUM_NONE, &covered, sizeof(covered));
    return checksum_extend(checksum, row->record.body, row->record.size);
}

uint32_t sqlite_stream_checksum(uint64_t id, const char *name, size_t name_len, uint64_t last_seq,
                                uint64_t last_position)
{
    struct covered_stream covered = {id, last_seq, last_position};
    return checksum_extend(checksum_extend(CHECKSUM_NONE, &covered, sizeof(covered)), name, name_len);
}

uint32_t sqlite_state_checksum(uint64_t heads_position)
{
    return checksum_extend(CHECKSUM_NONE, &heads_position, sizeof(heads_position));
}

int sqlite_run(struct sqlite_journal *sqlite, enum sqlite_statement statement)
{
    sqlite3_stmt *prepared = sqlite->statements[statement];
    sqlite3_step(prepared);
    return sqlite3_reset(prepared); /* the result of the step, if that failed */
}

troupe_status sqlite_fail(struct sqlite_journal *sqlite, const char *what)
{
    struct journal_error why;
    vfs_explain(sqlite->db, &why, "cannot %s", what);
    return journal_fail(&sqlite->base, TROUPE_IO, "%s", why.text);
}

/* Checksums are kept as signed numbers, which SQLite stores in four bytes; unsigned ones would take six. */
static void bind_checksum(sqlite3_stmt *prepared, int column, uint32_t checksum)
{
    sqlite3_bind_int(prepared, column, (int32_t)checksum);
}

static void bind_number(sqlite3_stmt *prepared, int column, uint64_t number)
{
    sqlite3_bind_int64(prepared, column, (int64_t)number);
}

static troupe_status sqlite_begin(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    vfs_forget();
    if (sqlite_run(sqlite, SQLITE_BEGIN_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "begin a transaction");
    return TROUPE_OK;
}

static troupe_status add_stream(struct sqlite_journal *sqlite, const struct journal_batch *batch,
                                struct head **ret_head)
{
    struct head *head;
    troupe_status status = heads_add(&sqlite->heads, batch->stream, batch->stream_len, &head);
    if (status != TROUPE_OK)
        return status;
    head->id = ++sqlite->stream_id;

    sqlite3_stmt *add = sqlite->statements[SQLITE_ADD_STREAM_STATEMENT];
    bind_number(add, 1, head->id);
    sqlite3_bind_text(add, 2, batch->stream, (int)batch->stream_len, SQLITE_STATIC);
    bind_number(add, 3, 0);
    bind_number(add, 4, 0);
    bind_checksum(add, 5, sqlite_stream_checksum(head->id, batch->stream, batch->stream_len, 0, 0));
    if (sqlite_run(sqlite, SQLITE_ADD_STREAM_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "add a stream");
    *ret_head = head;
    return TROUPE_OK;
}

static troupe_status add_mark(struct sqlite_journal *sqlite, const struct head *head)
{
    sqlite3_stmt *add = sqlite->statements[SQLITE_ADD_MARK_STATEMENT];
    bind_number(add, 1, head->id);
    bind_number(add, 2, head->seq);
    bind_number(add, 3, head->position);
    if (sqlite_run(sqlite, SQLITE_ADD_MARK_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "add a mark");
    return TROUPE_OK;
}

/* Adds one record to the end of its stream, and moves the end. */
static troupe_status add_record(struct sqlite_journal *sqlite, struct head *head, const struct record *record)
{
    struct sqlite_row row = {
        .position = sqlite->position + 1,
        .stream = head->id,
        .seq = head->seq + 1,
        .previous = head->position,
        .record = *record,
    };
    sqlite3_stmt *add = sqlite->statements[SQLITE_ADD_RECORD_STATEMENT];
    bind_number(add, 1, row.position);
    bind_number(add, 2, row.stream);
    bind_number(add, 3, row.seq);
    bind_number(add, 4, row.previous);
    bind_number(add, 5, record->type);
    bind_number(add, 6, record->version);
    bind_checksum(add, 7, sqlite_record_checksum(&row));
    sqlite3_bind_blob(add, 8, record->body, (int)record->size, SQLITE_STATIC);
    if (sqlite_run(sqlite, SQLITE_ADD_RECORD_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "add a record");

    sqlite->position = row.position;
    head->seq = row.seq;
    head->position = row.position;
    head->is_dirty = true;
    return head->seq % SQLITE_MARK_EVERY == 0 ? add_mark(sqlite, head) : TROUPE_OK;
}

static troupe_status sqlite_append(struct journal *journal, const struct journal_batch *batch,
                                   uint64_t *ret_seq)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, batch->stream, batch->stream_len, &head);
    if (status != TROUPE_OK)
        return status;
    uint64_t last = head == NULL ? 0 : head->seq;
    if (last != batch->expected_seq) {
        *ret_seq = last;
        return TROUPE_CONFLICT;
    }
    if (head == NULL) {
        status = add_stream(sqlite, batch, &head);
        if (status != TROUPE_OK)
            return status;
    }

    /* From here on a failure is one for ever: part of the append is in the transaction. */
    struct record_cursor cursor = record_cursor_at(batch->records, batch->size);
    struct record record;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        status = add_record(sqlite, head, &record);
        if (status != TROUPE_OK)
            return status;
    }
    *ret_seq = head->seq;
    return TROUPE_OK;
}

static troupe_status sqlite_commit(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite_run(sqlite, SQLITE_COMMIT_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "commit");
    return TROUPE_OK;
}

static troupe_status set_stream(struct sqlite_journal *sqlite, const struct head *head)
{
    const char *name = heads_name(&sqlite->heads, head);
    sqlite3_stmt *set = sqlite->statements[SQLITE_SET_STREAM_STATEMENT];
    bind_number(set, 1, head->id);
    bind_number(set, 2, head->seq);
    bind_number(set, 3, head->position);
    bind_checksum(set, 4, sqlite_stream_checksum(head->id, name, head->name_len, head->seq, head->position));
    if (sqlite_run(sqlite, SQLITE_SET_STREAM_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "write down the end of a stream");
    return TROUPE_OK;
}

troupe_status sqlite_write_heads(struct sqlite_journal *sqlite)
{
    troupe_status status = sqlite_begin(&sqlite->base);
    for (uint32_t i = 0; i < sqlite->heads.count && status == TROUPE_OK; i++) {
        struct head *head = &sqlite->heads.list[i];
        if (head->is_dirty)
            status = set_stream(sqlite, head);
        head->is_dirty = false;
    }
    if (status != TROUPE_OK)
        return status;

    sqlite3_stmt *set = sqlite->statements[SQLITE_SET_STATE_STATEMENT];
    bind_number(set, 1, sqlite->position);
    bind_checksum(set, 2, sqlite_state_checksum(sqlite->position));
    if (sqlite_run(sqlite, SQLITE_SET_STATE_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "write down the ends of the streams");
    status = sqlite_commit(&sqlite->base);
    if (status != TROUPE_OK)
        return status;

    sqlite->heads_position = sqlite->position;
    if (sqlite->heads.count > SQLITE_HEADS_CACHED_MAX)
        heads_clear(&sqlite->heads);
    return TROUPE_OK;
}

static troupe_status sqlite_upkeep(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite->position - sqlite->heads_position >= SQLITE_HEADS_EVERY) {
        troupe_status status = sqlite_write_heads(sqlite);
        if (status != TROUPE_OK)
            return status;
    }
    if (sqlite->log_pages >= sqlite->checkpoint_pages) {
        /*
         * PASSIVE waits for nobody: whoever reads the file with a tool only makes the log grow for so long.
         */
        int in_log = 0;
        int copied = 0;
        vfs_forget();
        int result = sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
        if (result != SQLITE_OK && result != SQLITE_BUSY)
            return sqlite_fail(sqlite, "copy the log into the file");
        bool is_whole = result == SQLITE_OK && copied == in_log;
        sqlite->checkpoint_pages = (is_whole ? 0 : sqlite->log_pages) + SQLITE_CHECKPOINT_PAGES;
        sqlite->log_pages = 0;
    }
    return TROUPE_OK;
}

const struct journal_driver journal_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .begin = sqlite_begin,
    .append = sqlite_append,
    .keep = sqlite_keep,
    .put = sqlite_put,
    .move = sqlite_move,
    .forget_cards = sqlite_forget_cards,
    .complete_cards = sqlite_complete_cards,
    .has_cards = sqlite_has_cards,
    .compare_cards = sqlite_compare_cards,
    .find = sqlite_find,
    .commit = sqlite_commit,
    .recall = sqlite_recall,
    .summaries = sqlite_summaries,
    .read = sqlite_read,
    .streams = sqlite_streams,
    .verify = sqlite_verify,
    .upkeep = sqlite_upkeep,
    .finish = sqlite_finish,
    .close = sqlite_close,
};

/* SPDX-License-Identifier: MIT */
/*
 * sqlite_read.c: rows out of a SQLite file, none of them believed before it is checked. sqlite.h has the
 * format and the walk.
 *
 * Place: under journal.c for scans and lists; sqlite.c asks it for the ends of streams, sqlite_open.c for the
 * records that came last. One thread at a time.
 *
 * What a row is checked for, beside its checksum: that each column has the type it was written with (a
 * damaged type would let SQLite convert, and a NULL read as 0), and that it is the row that the mark, the end
 * or the next record points to. What fails is TROUPE_CORRUPT and ends that read; the journal goes on for
 * other streams. Only a read that the disk itself refuses fails the journal.
 */
#include "journal/sqlite.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "journal/vfs.h"

/* The columns of the statements in sqlite.h, in their order. */
enum {
    RECORD_POSITION,
    RECORD_STREAM,
    RECORD_SEQ,
    RECORD_PREVIOUS,
    RECORD_TYPE,
    RECORD_VERSION,
    RECORD_CHECKSUM,
    RECORD_BODY
};
enum { STREAM_ID, STREAM_NAME, STREAM_LAST_SEQ, STREAM_LAST_POSITION, STREAM_CHECKSUM };
enum { LINK_STREAM, LINK_SEQ, LINK_PREVIOUS };
enum { MARK_SEQ, MARK_POSITION };

/* A stretch of one stream that is read at once: from_seq to to_seq, which lies at to_position. */
struct stretch {
    uint64_t stream;
    uint64_t from_seq;
    uint64_t to_seq;
    uint64_t to_position;
};

troupe_status sqlite_check_end(struct sqlite_journal *sqlite, int result, const char *what)
{
    struct journal_error why;
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return TROUPE_OK;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        vfs_explain(sqlite->db, &why, "cannot %s", what);
        return journal_explain(&sqlite->base, TROUPE_CORRUPT, "%s", why.text);
    case SQLITE_NOMEM:
        return journal_explain(&sqlite->base, TROUPE_NO_MEMORY, "cannot %s: out of memory", what);
    default:
        return sqlite_fail(sqlite, what);
    }
}

/* Whether a column holds a number that fits `max`; then it is written to ret_number. */
static bool read_number(sqlite3_stmt *statement, int column, uint64_t max, uint64_t *ret_number)
{
    if (sqlite3_column_type(statement, column) != SQLITE_INTEGER)
        return false;
    sqlite3_int64 number = sqlite3_column_int64(statement, column);
    if (number < 0 || (uint64_t)number > max)
        return false;
    *ret_number = (uint64_t)number;
    return true;
}

static bool read_checksum(sqlite3_stmt *statement, int column, uint32_t *ret_checksum)
{
    if (sqlite3_column_type(statement, column) != SQLITE_INTEGER)
        return false;
    sqlite3_int64 number = sqlite3_column_int64(statement, column);
    if (number < INT32_MIN || number > INT32_MAX)
        return false;
    *ret_checksum = (uint32_t)(int32_t)number;
    return true;
}

/* Copies the body to where it is aligned. */
static troupe_status read_body(struct sqlite_journal *sqlite, sqlite3_stmt *statement, struct record *record)
{
    const void *bytes = sqlite3_column_blob(statement, RECORD_BODY);
    size_t size = (size_t)sqlite3_column_bytes(statement, RECORD_BODY);
    if (size > RECORD_BODY_MAX)
        return TROUPE_CORRUPT;
    if (size > 0 && bytes == NULL)
        return TROUPE_NO_MEMORY;
    buffer_clear(&sqlite->body);
    troupe_status status = buffer_reserve(&sqlite->body, size + 1);
    if (status == TROUPE_OK)
        status = buffer_append(&sqlite->body, bytes, size);
    record->body = sqlite->body.bytes;
    record->size = (uint32_t)size;
    return status;
}

troupe_status sqlite_read_row(struct sqlite_journal *sqlite, sqlite3_stmt *statement,
                              struct sqlite_row *ret_row)
{
    struct sqlite_row row = {0};
    uint64_t type = 0;
    uint64_t version = 0;
    uint32_t checksum = 0;
    bool is_right = read_number(statement, RECORD_POSITION, INT64_MAX, &row.position) &&
                    read_number(statement, RECORD_STREAM, INT64_MAX, &row.stream) &&
                    read_number(statement, RECORD_SEQ, INT64_MAX, &row.seq) &&
                    read_number(statement, RECORD_PREVIOUS, INT64_MAX, &row.previous) &&
                    read_number(statement, RECORD_TYPE, UINT32_MAX, &type) &&
                    read_number(statement, RECORD_VERSION, UINT16_MAX, &version) &&
                    read_checksum(statement, RECORD_CHECKSUM, &checksum) &&
                    sqlite3_column_type(statement, RECORD_BODY) == SQLITE_BLOB;
    troupe_status status = is_right ? read_body(sqlite, statement, &row.record) : TROUPE_CORRUPT;
    if (status != TROUPE_OK && status != TROUPE_CORRUPT)
        return status;
    row.record.type = (uint32_t)type;
    row.record.version = (uint16_t)version;
    if (status == TROUPE_OK && checksum == sqlite_record_checksum(&row)) {
        *ret_row = row;
        return TROUPE_OK;
    }
    return journal_explain(&sqlite->base, TROUPE_CORRUPT, "the record at position %lld fails its checksum",
                           (long long)sqlite3_column_int64(statement, RECORD_POSITION));
}

/* Reads the stream's row that the statement stands on. The name is borrowed until the statement moves. */
static troupe_status read_stream(struct sqlite_journal *sqlite, sqlite3_stmt *statement,
                                 struct head *ret_head, const char **ret_name)
{
    struct head head = {0};
    uint32_t checksum = 0;
    bool is_right = read_number(statement, STREAM_ID, INT64_MAX, &head.id) &&
                    read_number(statement, STREAM_LAST_SEQ, INT64_MAX, &head.seq) &&
                    read_number(statement, STREAM_LAST_POSITION, INT64_MAX, &head.position) &&
                    read_checksum(statement, STREAM_CHECKSUM, &checksum) &&
                    sqlite3_column_type(statement, STREAM_NAME) == SQLITE_TEXT;
    const char *name = is_right ? (const char *)sqlite3_column_text(statement, STREAM_NAME) : NULL;
    if (is_right && name == NULL)
        return TROUPE_NO_MEMORY;
    size_t name_len = is_right ? (size_t)sqlite3_column_bytes(statement, STREAM_NAME) : 0;
    if (!is_right || name_len > JOURNAL_STREAM_LEN_MAX ||
        checksum != sqlite_stream_checksum(head.id, name, name_len, head.seq, head.position))
        return journal_explain(&sqlite->base, TROUPE_CORRUPT, "the row of stream %lld fails its checksum",
                               (long long)sqlite3_column_int64(statement, STREAM_ID));
    head.name_len = (uint16_t)name_len;
    *ret_head = head;
    *ret_name = name;
    return TROUPE_OK;
}

troupe_status sqlite_check_streams(struct sqlite_journal *sqlite)
{
    sqlite3_stmt *list = sqlite->statements[SQLITE_CHECK_STREAMS_STATEMENT];
    troupe_status status = TROUPE_OK;
    uint64_t count = 0;
    int result = SQLITE_ROW;
    while (status == TROUPE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
        struct head head;
        const char *name;
        status = read_stream(sqlite, list, &head, &name);
        if (status == TROUPE_OK && head.id != ++count)
            status = journal_explain(&sqlite->base, TROUPE_CORRUPT,
                                     "the row of stream %" PRIu64 " is missing", count);
    }
    if (status == TROUPE_OK)
        status = sqlite_check_end(sqlite, result, "read the streams");
    sqlite3_reset(list);
    return status;
}

/*
 * For a statement that looks something up within a transaction. When SQLite is out of memory it rolls the
 * transaction back, also for one that only reads; what is staged after that would be committed by itself, and
 * follow records that are not there.
 */
static troupe_status check_transaction(struct sqlite_journal *sqlite, troupe_status status, const char *what)
{
    bool is_lost = sqlite->base.is_in_transaction && sqlite3_get_autocommit(sqlite->db) != 0;
    return is_lost ? sqlite_fail(sqlite, what) : status;
}

/*
 * Steps a statement that gives at most one stream, and remembers its head unless it is known; the statement
 * is then ready again.
 */
static troupe_status fetch_head(struct sqlite_journal *sqlite, sqlite3_stmt *statement,
                                struct head **ret_head)
{
    static const char *const what = "look up a stream";
    struct head read;
    const char *name;
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW) {
        *ret_head = NULL;
        troupe_status ended = sqlite_check_end(sqlite, result, what);
        sqlite3_reset(statement);
        return check_transaction(sqlite, ended, what);
    }
    troupe_status status = read_stream(sqlite, statement, &read, &name);
    if (status == TROUPE_OK) {
        struct head *head = heads_find(&sqlite->heads, name, read.name_len);
        if (head == NULL) {
            status = heads_add(&sqlite->heads, name, read.name_len, &head);
            if (status == TROUPE_OK) {
                head->id = read.id;
                head->seq = read.seq;
                head->position = read.position;
            }
        }
        *ret_head = head;
    }
    sqlite3_reset(statement);
    return check_transaction(sqlite, status, what);
}

troupe_status sqlite_find_head(struct sqlite_journal *sqlite, const char *name, size_t name_len,
                               struct head **ret_head)
{
    *ret_head = heads_find(&sqlite->heads, name, name_len);
    if (*ret_head != NULL)
        return TROUPE_OK;
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_STREAM_STATEMENT];
    sqlite3_bind_text(get, 1, name, (int)name_len, SQLITE_STATIC);
    return fetch_head(sqlite, get, ret_head);
}

troupe_status sqlite_find_head_by_id(struct sqlite_journal *sqlite, uint64_t id, struct head **ret_head)
{
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_STREAM_BY_ID_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)id);
    troupe_status status = fetch_head(sqlite, get, ret_head);
    if (status == TROUPE_OK && *ret_head == NULL)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT, "stream %" PRIu64 " has records and no row",
                               id);
    return status;
}

/* From a record of the stretch to the one before it. */
static troupe_status follow_link(struct sqlite_journal *sqlite, const struct stretch *stretch, uint64_t seq,
                                 uint64_t position, uint64_t *ret_previous)
{
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_LINK_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)position);
    int result = sqlite3_step(get);
    uint64_t stream = 0;
    uint64_t found = 0;
    bool is_right = result == SQLITE_ROW && read_number(get, LINK_STREAM, INT64_MAX, &stream) &&
                    stream == stretch->stream && read_number(get, LINK_SEQ, INT64_MAX, &found) &&
                    found == seq && read_number(get, LINK_PREVIOUS, INT64_MAX, ret_previous);
    troupe_status status = TROUPE_OK;
    if (result != SQLITE_ROW)
        status = sqlite_check_end(sqlite, result, "read a record");
    sqlite3_reset(get);
    if (status == TROUPE_OK && !is_right)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "position %" PRIu64 " does not hold record %" PRIu64 " of stream %" PRIu64,
                               position, seq, stretch->stream);
    return status;
}

/* A record that was read on the way back; `row.record.body` is where it lies in sqlite->kept. */
struct kept_record {
    struct sqlite_row row;
    size_t at;
    bool is_kept;
};

/*
 * As follow_link, and keeps the record when it is sound and there is room for it. What is not kept is read
 * again on the way forward, where damage ends the read after what came before it.
 */
static troupe_status keep_record(struct sqlite_journal *sqlite, const struct stretch *stretch, uint64_t seq,
                                 uint64_t position, struct kept_record *ret_kept)
{
    struct buffer *bodies = &sqlite->kept;
    ret_kept->is_kept = false;
    if (bodies->size > SQLITE_KEPT_MAX)
        return follow_link(sqlite, stretch, seq, position, &ret_kept->row.previous);
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_RECORD_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)position);
    int result = sqlite3_step(get);
    struct sqlite_row row = {0};
    troupe_status status = result == SQLITE_ROW ? sqlite_read_row(sqlite, get, &row)
                                                : sqlite_check_end(sqlite, result, "read a record");
    sqlite3_reset(get);
    if (result != SQLITE_ROW && status != TROUPE_OK)
        return status;
    size_t at = bodies->size;
    bool is_right = status == TROUPE_OK && row.position == position && row.stream == stretch->stream &&
                    row.seq == seq && buffer_reserve(bodies, row.record.size + 1) == TROUPE_OK &&
                    buffer_append(bodies, row.record.body, row.record.size) == TROUPE_OK &&
                    buffer_align(bodies, RECORD_ALIGNMENT) == TROUPE_OK;
    if (!is_right)
        return follow_link(sqlite, stretch, seq, position, &ret_kept->row.previous);
    *ret_kept = (struct kept_record){.row = row, .at = at, .is_kept = true};
    return TROUPE_OK;
}

static troupe_status visit_kept(struct sqlite_journal *sqlite, const struct kept_record *kept,
                                journal_visit_entry *visit, void *context)
{
    struct journal_entry entry = {
        .position = kept->row.position, .seq = kept->row.seq, .record = kept->row.record};
    entry.record.body = sqlite->kept.bytes + kept->at;
    return visit(context, &entry);
}

/* Gives one record to the visitor, after every check. */
static troupe_status visit_record(struct sqlite_journal *sqlite, const struct sqlite_row *expected,
                                  journal_visit_entry *visit, void *context)
{
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_RECORD_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)expected->position);
    int result = sqlite3_step(get);
    struct sqlite_row row = {0};
    troupe_status status = result == SQLITE_ROW ? sqlite_read_row(sqlite, get, &row)
                                                : sqlite_check_end(sqlite, result, "read a record");
    sqlite3_reset(get);
    if (status != TROUPE_OK)
        return status;
    if (row.position != expected->position || row.stream != expected->stream || row.seq != expected->seq ||
        row.previous != expected->previous)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "position %" PRIu64 " does not hold record %" PRIu64 " of stream %" PRIu64,
                               expected->position, expected->seq, expected->stream);
    struct journal_entry entry = {.position = row.position, .seq = row.seq, .record = row.record};
    return visit(context, &entry);
}

/* Walks a stretch back, noting the places and keeping the records, and then forward. */
static troupe_status read_stretch(struct sqlite_journal *sqlite, const struct stretch *stretch,
                                  journal_visit_entry *visit, void *context)
{
    struct kept_record records[SQLITE_MARK_EVERY];
    uint64_t count = stretch->to_seq - stretch->from_seq + 1;
    if (count > SQLITE_MARK_EVERY)
        return journal_explain(&sqlite->base, TROUPE_CORRUPT,
                               "stream %" PRIu64 " lacks a mark after record %" PRIu64, stretch->stream,
                               stretch->from_seq);

    uint64_t places[SQLITE_MARK_EVERY];
    uint64_t place = stretch->to_position;
    buffer_clear(&sqlite->kept);
    for (uint64_t i = count; i > 0; i--) {
        places[i - 1] = place;
        troupe_status status =
            keep_record(sqlite, stretch, stretch->from_seq + i - 1, place, &records[i - 1]);
        if (status != TROUPE_OK)
            return status;
        place = records[i - 1].row.previous;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct sqlite_row expected = {.position = places[i],
                                      .stream = stretch->stream,
                                      .seq = stretch->from_seq + i,
                                      .previous = records[i].row.previous};
        troupe_status status = records[i].is_kept ? visit_kept(sqlite, &records[i], visit, context)
                                                  : visit_record(sqlite, &expected, visit, context);
        if (status != TROUPE_OK)
            return status;
    }
    if (sqlite->kept.capacity > 2 * (size_t)SQLITE_KEPT_MAX) /* it grew for one large record */
        buffer_done(&sqlite->kept);
    return TROUPE_OK;
}

/* Where the stretch that begins at from_seq ends: at the next mark, or at the end of the stream. */
static troupe_status find_stretch(struct sqlite_journal *sqlite, const struct head *head, uint64_t from_seq,
                                  struct stretch *ret_stretch)
{
    struct stretch stretch = {head->id, from_seq, head->seq, head->position};
    sqlite3_stmt *get = sqlite->statements[SQLITE_GET_MARK_STATEMENT];
    sqlite3_bind_int64(get, 1, (sqlite3_int64)head->id);
    sqlite3_bind_int64(get, 2, (sqlite3_int64)from_seq);
    int result = sqlite3_step(get);
    troupe_status status = TROUPE_OK;
    if (result != SQLITE_ROW)
        status = sqlite_check_end(sqlite, result, "look up a mark");
    else if (!read_number(get, MARK_SEQ, head->seq, &stretch.to_seq) || stretch.to_seq < from_seq ||
             !read_number(get, MARK_POSITION, INT64_MAX, &stretch.to_position))
        status = journal_explain(&sqlite->base, TROUPE_CORRUPT, "a mark of stream %" PRIu64 " is damaged",
                                 head->id);
    sqlite3_reset(get);
    if (status == TROUPE_OK)
        *ret_stretch = stretch;
    return status;
}

static troupe_status read_from(struct sqlite_journal *sqlite, const struct head *head, uint64_t from_seq,
                               journal_visit_entry *visit, void *context)
{
    while (from_seq <= head->seq) {
        struct stretch stretch;
        troupe_status status = find_stretch(sqlite, head, from_seq, &stretch);
        if (status == TROUPE_OK)
            status = read_stretch(sqlite, &stretch, visit, context);
        if (status != TROUPE_OK)
            return status;
        from_seq = stretch.to_seq + 1;
    }
    return TROUPE_OK;
}

troupe_status sqlite_read(struct journal *journal, const char *stream, size_t stream_len, uint64_t from_seq,
                          journal_visit_entry *visit, void *context)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    /*
     * One transaction for the whole scan: alone, each statement would take and drop the file's locks. It ends
     * with ROLLBACK, which drops them also when a page was found malformed, where COMMIT would refuse.
     */
    if (sqlite_run(sqlite, SQLITE_BEGIN_READING_STATEMENT) != SQLITE_OK)
        return sqlite_fail(sqlite, "begin to read");
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, stream, stream_len, &head);
    if (status == TROUPE_OK && head != NULL)
        status = read_from(sqlite, head, from_seq, visit, context);
    bool is_over = sqlite3_get_autocommit(sqlite->db) != 0; /* SQLite has ended it: see check_transaction */
    if (!is_over && sqlite_run(sqlite, SQLITE_END_READING_STATEMENT) != SQLITE_OK &&
        !journal_is_failed(journal))
        return sqlite_fail(sqlite, "end reading");
    return status;
}

troupe_status sqlite_streams(struct journal *journal, const char *prefix, size_t prefix_len,
                             journal_visit_stream *visit, void *context)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    sqlite3_stmt *list = sqlite->statements[SQLITE_LIST_STREAMS_STATEMENT];
    sqlite3_bind_text(list, 1, prefix, (int)prefix_len, SQLITE_STATIC);
    troupe_status status = TROUPE_OK;
    int result = SQLITE_ROW;
    while (status == TROUPE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
        struct head read;
        const char *name;
        status = read_stream(sqlite, list, &read, &name);
        if (status != TROUPE_OK || strncmp(name, prefix, prefix_len) != 0)
            break;
        const struct head *known = heads_find(&sqlite->heads, name, read.name_len);
        struct journal_stream stream = {name, known == NULL ? read.seq : known->seq};
        status = visit(context, &stream);
    }
    if (status == TROUPE_OK && result != SQLITE_ROW)
        status = sqlite_check_end(sqlite, result, "list the streams");
    sqlite3_reset(list);
    return status;
}

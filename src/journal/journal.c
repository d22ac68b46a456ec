/* SPDX-License-Identifier: MIT */
/*
 * journal.c: what all drivers have in common: the states, the checks on an append, and that failed is for
 * ever. journal.h has the drawing and the invariants. One thread at a time.
 *
 * A driver is called only with a batch that is well-formed and within the limits, with a transaction open
 * where it needs one, and never after a failure; so none of them repeats these rules, and none can differ in
 * them.
 */
#include "journal/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

_Static_assert(JOURNAL_APPEND_SIZE_MAX >= RECORD_BODY_MAX + RECORD_HEADER_SIZE,
               "the largest record can be appended");
_Static_assert(JOURNAL_APPEND_SIZE_MAX < BUFFER_SIZE_MAX, "an append fits a buffer");

troupe_status journal_open(const struct journal_driver *driver, const char *where,
                           struct journal **ret_journal, struct journal_error *error)
{
    struct journal_error unread;
    if (error == NULL)
        error = &unread;
    error->text[0] = '\0';
    return driver->open(where, ret_journal, error);
}

/* Whether the journal may be written; the text of the failure is still in journal->error. */
static troupe_status check_usable(struct journal *journal)
{
    ASSERT(!journal->is_visiting);
    if (journal->failure != TROUPE_OK)
        return TROUPE_IO;
    journal->error.text[0] = '\0';
    return TROUPE_OK;
}

troupe_status journal_begin(struct journal *journal)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    status = journal->driver->begin(journal);
    journal->is_in_transaction = status == TROUPE_OK;
    journal->is_finished = false;
    return status;
}

static troupe_status check_name(struct journal *journal, const char *stream, size_t stream_len)
{
    if (stream_len == 0)
        return journal_explain(journal, TROUPE_INVALID, "the name of a stream is empty");
    if (stream_len > JOURNAL_STREAM_LEN_MAX)
        return journal_explain(journal, TROUPE_INVALID, "the name of a stream has %zu bytes, %d are the most",
                               stream_len, JOURNAL_STREAM_LEN_MAX);
    if (memchr(stream, '\0', stream_len) != NULL)
        return journal_explain(journal, TROUPE_INVALID, "the name of a stream holds a NUL");
    return TROUPE_OK;
}

/* Walks the batch once before anything is written, so that no driver meets a bad record half-way. */
static troupe_status check_records(struct journal *journal, struct journal_batch *batch)
{
    if (batch->size > JOURNAL_APPEND_SIZE_MAX)
        return journal_explain(journal, TROUPE_TOO_LARGE, "an append of %zu bytes, %zu are the most",
                               batch->size, JOURNAL_APPEND_SIZE_MAX);

    struct record_cursor cursor = record_cursor_at(batch->records, batch->size);
    struct record record;
    troupe_status status;
    while ((status = record_next(&cursor, &record)) == TROUPE_OK) {
        if (record.flags != 0)
            return journal_explain(journal, TROUPE_MALFORMED, "record %u of the append has flags",
                                   batch->count + 1);
        batch->count++;
    }
    if (status != TROUPE_END)
        return journal_explain(journal, status, "the append has no record at byte %zu", cursor.offset);
    if (batch->count == 0)
        return journal_explain(journal, TROUPE_INVALID, "an append without records");
    return TROUPE_OK;
}

troupe_status journal_stage(struct journal *journal, const char *stream, size_t stream_len,
                            uint64_t expected_seq, const void *records, size_t size, uint64_t *ret_seq)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(journal->is_in_transaction);

    struct journal_batch batch = {.stream = stream,
                                  .stream_len = stream_len,
                                  .expected_seq = expected_seq,
                                  .records = records,
                                  .size = size};
    status = check_name(journal, stream, stream_len);
    if (status == TROUPE_OK)
        status = check_records(journal, &batch);
    if (status == TROUPE_OK)
        status = journal->driver->append(journal, &batch, ret_seq);
    return status;
}

troupe_status journal_keep(struct journal *journal, enum journal_kept kind, const char *stream,
                           size_t stream_len, uint64_t seq, const void *bytes, size_t size, uint64_t *ret_seq)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(journal->is_in_transaction);
    status = check_name(journal, stream, stream_len);
    if (status != TROUPE_OK)
        return status;
    if (size == 0 || seq == 0)
        return journal_explain(journal, TROUPE_INVALID, "a snapshot of nothing");
    if (size > JOURNAL_SNAPSHOT_SIZE_MAX)
        return journal_explain(journal, TROUPE_TOO_LARGE, "a snapshot of %zu bytes, %zu are the most", size,
                               JOURNAL_SNAPSHOT_SIZE_MAX);
    struct journal_snapshot snapshot = {kind, stream, stream_len, seq, bytes, size};
    return journal->driver->keep(journal, &snapshot, ret_seq);
}

troupe_status journal_recall(struct journal *journal, enum journal_kept kind, const char *stream,
                             size_t stream_len, struct buffer *bytes, uint64_t *ret_seq)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    status = check_name(journal, stream, stream_len);
    if (status != TROUPE_OK)
        return status;
    size_t before = bytes->size;
    uint64_t seq = 0;
    status = journal->driver->recall(journal, kind, stream, stream_len, bytes, &seq);
    if (status == TROUPE_OK)
        *ret_seq = seq;
    else
        buffer_truncate(bytes, before);
    return status;
}

troupe_status journal_check_cards(const void *cards, size_t size)
{
    struct record_cursor cursor = record_cursor_at(cards, size);
    struct journal_card_put put;
    troupe_status status;
    while ((status = journal_card_next(&cursor, &put)) == TROUPE_OK)
        continue;
    return status == TROUPE_END ? TROUPE_OK : TROUPE_MALFORMED;
}

troupe_status journal_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                          size_t stream_len, const void *cards, size_t size)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(journal->is_in_transaction);
    status = check_name(journal, stream, stream_len);
    if (status != TROUPE_OK)
        return status;
    struct record_cursor cursor = record_cursor_at(cards, size);
    struct record record;
    bool is_conflict = false;
    while (record_next(&cursor, &record) == TROUPE_OK) { /* each is a card: they were checked */
        status = record.type == journal_card_moved_type.id
                     ? journal->driver->move(journal, shelf, stream, stream_len, record.body)
                     : journal->driver->put(journal, shelf, stream, stream_len, record.body);
        is_conflict = is_conflict || status == TROUPE_CONFLICT;
        if (status != TROUPE_OK && status != TROUPE_CONFLICT) /* the records are in the transaction already */
            return journal_fail(journal, status, "a card cannot be put: %s", troupe_status_text(status));
    }
    return is_conflict ? TROUPE_CONFLICT : TROUPE_OK;
}

/* What is done to the catalogue as a whole, within a transaction. */
static troupe_status change_cards(struct journal *journal, troupe_status (*change)(struct journal *journal))
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(journal->is_in_transaction);
    status = change(journal);
    return status == TROUPE_OK ? status : journal_fail(journal, status, "the cards cannot be made anew");
}

troupe_status journal_forget_cards(struct journal *journal)
{
    return change_cards(journal, journal->driver->forget_cards);
}

troupe_status journal_complete_cards(struct journal *journal)
{
    return change_cards(journal, journal->driver->complete_cards);
}

bool journal_has_cards(struct journal *journal)
{
    return journal->failure == TROUPE_OK && journal->driver->has_cards(journal);
}

troupe_status journal_compare_cards(struct journal *journal, journal_report_card *report, void *context)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    return journal->driver->compare_cards(journal, report, context);
}

troupe_status journal_find(struct journal *journal, const struct journal_query *query,
                           journal_visit_card *visit, void *context, uint64_t *ret_next)
{
    struct journal_words words = {0};
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    if (query->words != NULL && query->words[0] != '\0') {
        if (strlen(query->words) > JOURNAL_WORDS_SIZE_MAX)
            return journal_explain(journal, TROUPE_INVALID, "more than %d bytes to look for",
                                   JOURNAL_WORDS_SIZE_MAX);
        journal_cut_words(query->words, &words);
        if (words.count == 0)
            return journal_explain(journal, TROUPE_INVALID, "there is no word to look for");
    }
    journal->is_visiting = true;
    status = journal->driver->find(journal, query, &words, visit, context, ret_next);
    journal->is_visiting = false;
    return status;
}

troupe_status journal_commit(struct journal *journal)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(journal->is_in_transaction);
    status = journal->driver->commit(journal);
    journal->is_in_transaction = false;
    if (status != TROUPE_OK && journal->failure == TROUPE_OK)
        journal_fail(journal, status, "the commit failed");
    return status;
}

troupe_status journal_scan(struct journal *journal, const char *stream, size_t stream_len, uint64_t from_seq,
                           journal_visit_entry *visit, void *context)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    status = check_name(journal, stream, stream_len);
    if (status != TROUPE_OK)
        return status;
    journal->is_visiting = true;
    status = journal->driver->read(journal, stream, stream_len, from_seq == 0 ? 1 : from_seq, visit, context);
    journal->is_visiting = false;
    return status;
}

troupe_status journal_list(struct journal *journal, const char *prefix, journal_visit_stream *visit,
                           void *context)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    journal->is_visiting = true;
    status = journal->driver->streams(journal, prefix, strlen(prefix), visit, context);
    journal->is_visiting = false;
    return status;
}

troupe_status journal_summaries(struct journal *journal, uint64_t after, journal_visit_summary *visit,
                                void *context)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    journal->is_visiting = true;
    status = journal->driver->summaries(journal, after, visit, context);
    journal->is_visiting = false;
    return status;
}

troupe_status journal_verify(struct journal *journal, journal_report *report, void *context)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    return journal->driver->verify(journal, report, context);
}

troupe_status journal_upkeep(struct journal *journal)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    ASSERT(!journal->is_in_transaction);
    return journal->driver->upkeep(journal);
}

troupe_status journal_finish(struct journal *journal)
{
    troupe_status status = check_usable(journal);
    if (status != TROUPE_OK)
        return status;
    if (!journal->is_in_transaction && !journal->is_finished)
        status = journal->driver->finish(journal);
    journal->is_finished = status == TROUPE_OK;
    return status;
}

bool journal_is_failed(const struct journal *journal)
{
    return journal->failure != TROUPE_OK;
}

const char *journal_error(const struct journal *journal)
{
    return journal->error.text;
}

troupe_status journal_close(struct journal **journal)
{
    if (*journal == NULL)
        return TROUPE_OK;
    struct journal *closing = *journal;
    *journal = NULL;
    ASSERT(!closing->is_visiting);
    troupe_status status = closing->failure;
    if (status == TROUPE_OK)
        status = journal_finish(closing);
    closing->driver->close(closing);
    return status;
}

troupe_status journal_explain(struct journal *journal, troupe_status status, const char *format, ...)
{
    if (journal->failure != TROUPE_OK)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(journal->error.text, sizeof(journal->error.text), format, arguments);
    va_end(arguments);
    return status;
}

troupe_status journal_fail(struct journal *journal, troupe_status status, const char *format, ...)
{
    ASSERT(status != TROUPE_OK);
    if (journal->failure != TROUPE_OK)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(journal->error.text, sizeof(journal->error.text), format, arguments);
    va_end(arguments);
    journal->failure = status;
    return status;
}

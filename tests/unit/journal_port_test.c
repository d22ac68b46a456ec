/* SPDX-License-Identifier: MIT */
/*
 * Facts about the journal's port, each shown on every driver: what journal.h promises holds wherever the
 * records lie. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "journal/memory.h"
#include "support/journal_support.h"

static uint64_t count_of(struct journal *journal, const char *stream)
{
    struct test_seen seen;
    assert_int_equal(test_scan(journal, stream, 0, &seen), TROUPE_OK);
    return seen.count;
}

static void records_come_back_in_order_byte_for_byte(void **state)
{
    struct journal *journal = test_journal_of(state);
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(test_append(journal, "organisation", i * 3, 3), TROUPE_OK);
        assert_int_equal(test_append(journal, "role/payments/oncall", i, 1), TROUPE_OK);
    }
    assert_int_equal(count_of(journal, "organisation"), 150);
    assert_int_equal(count_of(journal, "role/payments/oncall"), 50);
    assert_int_equal(count_of(journal, "role/nobody"), 0);
}

static void scan_begins_at_any_number(void **state)
{
    struct journal *journal = test_journal_of(state);
    enum { COUNT = 200 };
    assert_int_equal(test_append(journal, "other", 0, 70), TROUPE_OK);
    assert_int_equal(test_append(journal, "stream", 0, COUNT), TROUPE_OK);
    for (uint64_t from = 1; from <= COUNT + 2; from++) {
        struct test_seen seen;
        assert_int_equal(test_scan(journal, "stream", from, &seen), TROUPE_OK);
        assert_int_equal(seen.count, from > COUNT ? 0 : COUNT - from + 1);
    }
}

static void stale_owner_gets_conflict_and_the_true_number(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct record_batch batch = {0};
    assert_int_equal(record_batch_append(&batch, 1, 1, "x", 1), TROUPE_OK);
    assert_int_equal(test_append(journal, "stream", 0, 5), TROUPE_OK);

    static const uint64_t wrong[] = {0, 4, 6, UINT64_MAX};
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint64_t seq = 99;
        assert_int_equal(
            journal_stage(journal, "stream", 6, wrong[i], batch.bytes.bytes, batch.bytes.size, &seq),
            TROUPE_CONFLICT);
        assert_int_equal(seq, 5);
    }
    uint64_t seq = 99;
    assert_int_equal(journal_stage(journal, "new", 3, 1, batch.bytes.bytes, batch.bytes.size, &seq),
                     TROUPE_CONFLICT);
    assert_int_equal(seq, 0);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(count_of(journal, "stream"), 5);
    assert_int_equal(count_of(journal, "new"), 0);
    record_batch_done(&batch);
}

static void appends_of_one_transaction_see_each_other(void **state)
{
    struct journal *journal = test_journal_of(state);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 0, 2), TROUPE_OK);
    assert_int_equal(test_stage(journal, "b", 0, 1), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 0, 2), TROUPE_CONFLICT);
    assert_int_equal(test_stage(journal, "a", 2, 2), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(count_of(journal, "a"), 4);
    assert_int_equal(count_of(journal, "b"), 1);
}

static void refused_appends_leave_nothing_and_the_transaction_goes_on(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct record_batch batch = {0};
    uint64_t seq = 0;
    char name[JOURNAL_STREAM_LEN_MAX + 1];
    memset(name, 'n', sizeof(name));
    assert_int_equal(record_batch_append(&batch, 1, 1, "abc", 3), TROUPE_OK);
    assert_int_equal(record_batch_append(&batch, 2, 1, "defghijklmnop", 13), TROUPE_OK);
    unsigned char *bytes = batch.bytes.bytes;
    size_t size = batch.bytes.size;

    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_stage(journal, "", 0, 0, bytes, size, &seq), TROUPE_INVALID);
    assert_int_equal(journal_stage(journal, "a\0b", 3, 0, bytes, size, &seq), TROUPE_INVALID);
    assert_int_equal(journal_stage(journal, name, JOURNAL_STREAM_LEN_MAX + 1, 0, bytes, size, &seq),
                     TROUPE_INVALID);
    assert_int_equal(journal_stage(journal, "s", 1, 0, bytes, 0, &seq), TROUPE_INVALID);
    assert_int_equal(journal_stage(journal, "s", 1, 0, bytes, size - 8, &seq), TROUPE_MALFORMED);
    assert_string_not_equal(journal_error(journal), "");
    bytes[6] = 1; /* the flags of the first record */
    assert_int_equal(journal_stage(journal, "s", 1, 0, bytes, size, &seq), TROUPE_MALFORMED);
    bytes[6] = 0;
    assert_int_equal(journal_stage(journal, name, JOURNAL_STREAM_LEN_MAX, 0, bytes, size, &seq), TROUPE_OK);
    assert_int_equal(seq, 2);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(count_of(journal, "s"), 0);
    record_batch_done(&batch);
}

static troupe_status count_bytes(void *context, const struct journal_entry *entry)
{
    *(size_t *)context += entry->record.size;
    return TROUPE_OK;
}

static void append_at_the_size_limit_is_taken_and_one_record_more_is_refused(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct record_batch batch = {0};
    void *body;
    uint64_t seq;
    size_t size = JOURNAL_APPEND_SIZE_MAX / 5 - RECORD_HEADER_SIZE;
    for (int i = 0; i < 5; i++)
        assert_int_equal(record_batch_add(&batch, 1, 1, size, &body), TROUPE_OK);
    assert_int_equal(batch.bytes.size, JOURNAL_APPEND_SIZE_MAX);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_stage(journal, "s", 1, 0, batch.bytes.bytes, batch.bytes.size, &seq), TROUPE_OK);
    assert_int_equal(record_batch_add(&batch, 1, 1, 0, &body), TROUPE_OK);
    assert_int_equal(journal_stage(journal, "s", 1, 5, batch.bytes.bytes, batch.bytes.size, &seq),
                     TROUPE_TOO_LARGE);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    size_t total = 0;
    assert_int_equal(journal_scan(journal, "s", 1, 0, count_bytes, &total), TROUPE_OK);
    assert_int_equal(total, size * 5);
    record_batch_done(&batch);
}

/* Larger than what a driver may keep while it looks for them. */
static troupe_status check_large(void *context, const struct journal_entry *entry)
{
    enum { LARGE = 20000 };
    const unsigned char *body = entry->record.body;
    assert_int_equal(entry->seq, ++*(uint64_t *)context);
    assert_int_equal(entry->record.size, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        assert_int_equal(body[i], (unsigned char)(entry->seq + i));
    return TROUPE_OK;
}

static void many_large_records_come_back_in_order(void **state)
{
    enum { LARGE = 20000, COUNT = 60 };
    struct journal *journal = test_journal_of(state);
    struct record_batch batch = {0};
    uint64_t seq = 0;
    for (size_t i = 1; i <= COUNT; i++) {
        void *body;
        assert_int_equal(record_batch_add(&batch, 1, 1, LARGE, &body), TROUPE_OK);
        for (size_t k = 0; k < LARGE; k++)
            ((unsigned char *)body)[k] = (unsigned char)(i + k);
    }
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_stage(journal, "s", 1, 0, batch.bytes.bytes, batch.bytes.size, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    record_batch_done(&batch);
    seq = 0;
    assert_int_equal(journal_scan(journal, "s", 1, 0, check_large, &seq), TROUPE_OK);
    assert_int_equal(seq, COUNT);
}

static troupe_status note_stream(void *context, const struct journal_stream *stream)
{
    char *text = context;
    size_t len = strlen(text);
    snprintf(text + len, 256 - len, "%s=%d ", stream->name, (int)stream->last_seq);
    return TROUPE_OK;
}

static void list_gives_names_by_prefix_in_order_with_their_last_number(void **state)
{
    struct journal *journal = test_journal_of(state);
    assert_int_equal(test_append(journal, "role/b", 0, 2), TROUPE_OK);
    assert_int_equal(test_append(journal, "role/a/x", 0, 3), TROUPE_OK);
    assert_int_equal(test_append(journal, "organisation", 0, 1), TROUPE_OK);
    assert_int_equal(test_append(journal, "role/a", 0, 4), TROUPE_OK);
    assert_int_equal(test_append(journal, "role", 0, 5), TROUPE_OK);
    assert_int_equal(test_append(journal, "roles", 0, 6), TROUPE_OK);

    char text[256] = "";
    assert_int_equal(journal_list(journal, "role/", note_stream, text), TROUPE_OK);
    assert_string_equal(text, "role/a=4 role/a/x=3 role/b=2 ");
    text[0] = '\0';
    assert_int_equal(journal_list(journal, "", note_stream, text), TROUPE_OK);
    assert_string_equal(text, "organisation=1 role=5 role/a=4 role/a/x=3 role/b=2 roles=6 ");
    text[0] = '\0';
    assert_int_equal(journal_list(journal, "z", note_stream, text), TROUPE_OK);
    assert_string_equal(text, "");
}

static troupe_status stop_at_third(void *context, const struct journal_entry *entry)
{
    *(uint64_t *)context = entry->seq;
    return entry->seq == 3 ? TROUPE_END : TROUPE_OK;
}

static troupe_status refuse_stream(void *context, const struct journal_stream *stream)
{
    (void)context;
    (void)stream;
    return TROUPE_LIMIT;
}

static void visitor_ends_a_scan_or_a_list_with_its_own_status(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t last = 0;
    assert_int_equal(test_append(journal, "stream", 0, 9), TROUPE_OK);
    assert_int_equal(journal_scan(journal, "stream", 6, 0, stop_at_third, &last), TROUPE_END);
    assert_int_equal(last, 3);
    assert_int_equal(journal_list(journal, "", refuse_stream, NULL), TROUPE_LIMIT);
    /* And the journal is none the worse for it. */
    assert_int_equal(test_append(journal, "stream", 9, 1), TROUPE_OK);
    assert_int_equal(count_of(journal, "stream"), 10);
}

static troupe_status keep(struct journal *journal, const char *stream, uint64_t seq, const char *text,
                          uint64_t *ret_seq)
{
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    troupe_status status =
        journal_keep(journal, JOURNAL_SNAPSHOT, stream, strlen(stream), seq, text, strlen(text), ret_seq);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    return status;
}

static void assert_recalls(struct journal *journal, const char *stream, uint64_t seq, const char *text)
{
    struct buffer bytes = {0};
    uint64_t found = 77;
    assert_int_equal(journal_recall(journal, JOURNAL_SNAPSHOT, stream, strlen(stream), &bytes, &found),
                     TROUPE_OK);
    assert_int_equal(found, seq);
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.bytes != NULL ? (const char *)bytes.bytes : "", text, bytes.size);
    buffer_done(&bytes);
}

static void the_newest_snapshot_of_a_stream_is_recalled(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t seq = 0;
    assert_recalls(journal, "a", 0, "");
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_recalls(journal, "a", 0, "");
    assert_int_equal(keep(journal, "a", 3, "three", &seq), TROUPE_OK);
    assert_int_equal(seq, 3);
    assert_int_equal(test_append(journal, "b", 0, 1), TROUPE_OK);
    assert_recalls(journal, "b", 0, "");
    assert_int_equal(test_append(journal, "a", 3, 2), TROUPE_OK);
    assert_recalls(journal, "a", 3, "three");
    assert_int_equal(keep(journal, "a", 5, "five and more", &seq), TROUPE_OK);
    assert_recalls(journal, "a", 5, "five and more");
    assert_int_equal(count_of(journal, "a"), 5);
}

static void a_snapshot_of_anything_but_the_end_is_a_conflict(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t seq = 0;
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_int_equal(keep(journal, "a", 2, "stale", &seq), TROUPE_CONFLICT);
    assert_int_equal(seq, 3);
    assert_int_equal(keep(journal, "a", 4, "ahead", &seq), TROUPE_CONFLICT);
    assert_int_equal(keep(journal, "nobody", 1, "x", &seq), TROUPE_CONFLICT);
    assert_int_equal(seq, 0);
    assert_int_equal(keep(journal, "a", 0, "none", &seq), TROUPE_INVALID);
    assert_int_equal(keep(journal, "a", 3, "", &seq), TROUPE_INVALID);
    assert_int_equal(keep(journal, "", 3, "x", &seq), TROUPE_INVALID);
    assert_recalls(journal, "a", 0, "");
    /* Within one transaction it sees the appends before it. */
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 2), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 5, "five", 4, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_recalls(journal, "a", 5, "five");
}

static void a_snapshot_at_the_size_limit_is_kept_and_a_larger_one_is_refused(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t seq = 0;
    char *bytes = calloc(1, JOURNAL_SNAPSHOT_SIZE_MAX + 1);
    struct buffer back = {0};
    assert_non_null(bytes);
    assert_int_equal(test_append(journal, "a", 0, 1), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(
        journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 1, bytes, JOURNAL_SNAPSHOT_SIZE_MAX + 1, &seq),
        TROUPE_TOO_LARGE);
    assert_int_equal(
        journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 1, bytes, JOURNAL_SNAPSHOT_SIZE_MAX, &seq),
        TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(journal_recall(journal, JOURNAL_SNAPSHOT, "a", 1, &back, &seq), TROUPE_OK);
    assert_int_equal(back.size, JOURNAL_SNAPSHOT_SIZE_MAX);
    buffer_done(&back);
    free(bytes);
}

static char listed[512];

static troupe_status note_summary(void *context, const struct journal_summary *summary)
{
    uint64_t *left = context;
    size_t size = strlen(listed);
    if (left != NULL && (*left)-- == 0)
        return TROUPE_END;
    snprintf(listed + size, sizeof(listed) - size, "%s@%d=%.*s;", summary->stream, (int)summary->seq,
             (int)summary->size, (const char *)summary->bytes);
    return TROUPE_OK;
}

static void summaries_are_kept_with_their_appends_and_listed(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t seq = 0;
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_int_equal(test_append(journal, "b", 0, 1), TROUPE_OK);
    assert_int_equal(test_append(journal, "c", 0, 2), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SUMMARY, "c", 1, 2, "cc", 2, &seq), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SUMMARY, "a", 1, 2, "x", 1, &seq), TROUPE_CONFLICT);
    assert_int_equal(journal_keep(journal, JOURNAL_SUMMARY, "a", 1, 3, "aaa", 3, &seq), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "b", 1, 1, "no summary", 10, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    listed[0] = '\0';
    assert_int_equal(journal_summaries(journal, 0, note_summary, NULL), TROUPE_OK);
    assert_string_equal(listed, "a@3=aaa;c@2=cc;");
    uint64_t one = 1;
    listed[0] = '\0';
    assert_int_equal(journal_summaries(journal, 1, note_summary, &one), TROUPE_OK);
    assert_string_equal(listed, "c@2=cc;");
    one = 0;
    assert_int_equal(journal_summaries(journal, 0, note_summary, &one), TROUPE_END);
}

static void memory_loses_a_snapshot_that_was_not_committed(void **state)
{
    struct journal *journal = test_journal_of(state);
    uint64_t seq = 0;
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 1), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 4, "four", 4, &seq), TROUPE_OK);
    journal_memory_restart(journal);
    assert_recalls(journal, "a", 0, "");

    /* And the one before it is still there, however the transaction ended. */
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 3, "three", 5, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, 0, false);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 1), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 4, "four", 4, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_IO);
    journal_memory_restart(journal);
    assert_recalls(journal, "a", 3, "three");
    assert_int_equal(count_of(journal, "a"), 3);
}

static void memory_loses_at_restart_what_was_not_committed(void **state)
{
    struct journal *journal = test_journal_of(state);
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 2), TROUPE_OK);
    assert_int_equal(test_stage(journal, "b", 0, 2), TROUPE_OK);
    journal_memory_restart(journal);
    assert_int_equal(count_of(journal, "a"), 3);
    assert_int_equal(count_of(journal, "b"), 0);
    assert_int_equal(test_append(journal, "a", 3, 2), TROUPE_OK);
    assert_int_equal(test_append(journal, "b", 0, 1), TROUPE_OK);
    assert_int_equal(count_of(journal, "a"), 5);
}

static void memory_fails_on_demand_for_ever_until_restart(void **state)
{
    struct journal *journal = test_journal_of(state);
    for (int is_stored = 0; is_stored < 2; is_stored++) {
        const char *stream = is_stored != 0 ? "stored" : "lost";
        journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, 1, is_stored != 0);
        assert_int_equal(test_append(journal, stream, 0, 1), TROUPE_OK);
        assert_int_equal(test_append(journal, stream, 1, 1), TROUPE_IO);
        assert_true(journal_is_failed(journal));
        assert_string_equal(journal_error(journal), "the commit was told to fail");
        assert_int_equal(journal_begin(journal), TROUPE_IO);
        assert_int_equal(journal_upkeep(journal), TROUPE_IO);
        assert_int_equal(journal_list(journal, "", refuse_stream, NULL), TROUPE_IO);
        journal_memory_restart(journal);
        assert_false(journal_is_failed(journal));
        assert_int_equal(count_of(journal, stream), is_stored != 0 ? 2 : 1);
    }
}

static void memory_fails_in_any_call_that_is_told_to(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct buffer bytes = {0};
    uint64_t seq = 0;
    assert_int_equal(test_append(journal, "a", 0, 2), TROUPE_OK);
    journal_memory_fail(journal, JOURNAL_MEMORY_APPEND, 1, true);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 2, 1), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 1), TROUPE_IO);
    assert_int_equal(journal_commit(journal), TROUPE_IO);
    journal_memory_restart(journal);
    assert_int_equal(count_of(journal, "a"), 2);

    journal_memory_fail(journal, JOURNAL_MEMORY_KEEP, 0, true);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 2, 1), TROUPE_OK);
    assert_int_equal(journal_keep(journal, JOURNAL_SUMMARY, "a", 1, 3, "x", 1, &seq), TROUPE_IO);
    assert_int_equal(journal_commit(journal), TROUPE_IO);
    journal_memory_restart(journal);
    assert_int_equal(count_of(journal, "a"), 2);

    for (int what = 0; what < 4; what++) {
        journal_memory_fail(journal, JOURNAL_MEMORY_READ, 0, false);
        assert_int_equal(what == 0   ? journal_recall(journal, JOURNAL_SNAPSHOT, "a", 1, &bytes, &seq)
                         : what == 1 ? journal_summaries(journal, 0, note_summary, NULL)
                         : what == 2 ? journal_list(journal, "", refuse_stream, NULL)
                                     : journal_scan(journal, "a", 1, 1, stop_at_third, &seq),
                         TROUPE_IO);
        assert_true(journal_is_failed(journal));
        assert_string_equal(journal_error(journal), "the read was told to fail");
        journal_memory_restart(journal);
    }
    journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, 0, false);
    journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, JOURNAL_MEMORY_NEVER, false);
    assert_int_equal(test_append(journal, "a", 2, 1), TROUPE_OK);
    buffer_done(&bytes);
}

#define ON_BOTH(test)                                                                                        \
    {"memory_" #test, test, test_journal_memory, test_journal_close, NULL},                                  \
    {                                                                                                        \
        "sqlite_" #test, test, test_journal_sqlite, test_journal_close, NULL                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(records_come_back_in_order_byte_for_byte),
        ON_BOTH(scan_begins_at_any_number),
        ON_BOTH(stale_owner_gets_conflict_and_the_true_number),
        ON_BOTH(appends_of_one_transaction_see_each_other),
        ON_BOTH(refused_appends_leave_nothing_and_the_transaction_goes_on),
        ON_BOTH(append_at_the_size_limit_is_taken_and_one_record_more_is_refused),
        ON_BOTH(many_large_records_come_back_in_order),
        ON_BOTH(list_gives_names_by_prefix_in_order_with_their_last_number),
        ON_BOTH(visitor_ends_a_scan_or_a_list_with_its_own_status),
        ON_BOTH(the_newest_snapshot_of_a_stream_is_recalled),
        ON_BOTH(a_snapshot_of_anything_but_the_end_is_a_conflict),
        ON_BOTH(a_snapshot_at_the_size_limit_is_kept_and_a_larger_one_is_refused),
        ON_BOTH(summaries_are_kept_with_their_appends_and_listed),
        cmocka_unit_test_setup_teardown(memory_loses_a_snapshot_that_was_not_committed, test_journal_memory,
                                        test_journal_close),
        cmocka_unit_test_setup_teardown(memory_loses_at_restart_what_was_not_committed, test_journal_memory,
                                        test_journal_close),
        cmocka_unit_test_setup_teardown(memory_fails_in_any_call_that_is_told_to, test_journal_memory,
                                        test_journal_close),
        cmocka_unit_test_setup_teardown(memory_fails_on_demand_for_ever_until_restart, test_journal_memory,
                                        test_journal_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

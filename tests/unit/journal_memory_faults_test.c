/* SPDX-License-Identifier: MIT */
/*
 * Facts about want of memory in the journal, on each driver: whichever allocation fails, ours or SQLite's,
 * every call answers; what was acknowledged is there, whole and in order, what was not is whole or is not
 * there; and nothing leaks. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/card.h"
#include "journal/journal.h"
#include "support/faults.h"
#include "support/journal_support.h"

enum {
    STREAMS = 3,
    ROUNDS = 4,
    RECORDS = 20, /* of an append */
    BODY_SIZE_MAX = 700,
};

static const char *const names[STREAMS] = {"organisation", "role/docs", "role/payments/oncall"};

/* What a life appends, made before anything fails: of each stream and round, and a card with it. */
static struct record_batch batches[STREAMS][ROUNDS];
static struct record_batch cards[STREAMS][ROUNDS];

static void make_content(void)
{
    static unsigned char body[BODY_SIZE_MAX];
    for (size_t s = 0; s < STREAMS; s++) {
        for (size_t r = 0; r < ROUNDS; r++) {
            for (size_t i = 0; i < RECORDS; i++) {
                memset(body, (int)(s * 16 + r), sizeof(body));
                assert_int_equal(record_batch_append(&batches[s][r], 1, 1, body, (i * 97 + s) % sizeof(body)),
                                 TROUPE_OK);
            }
            journal_card_fields card = {
                .id = 1 + s * ROUNDS + r, .author = names[s], .title = "a card", .text = "of words"};
            assert_int_equal(journal_card_add(&cards[s][r], &card), TROUPE_OK);
        }
    }
}

static void free_content(void)
{
    for (size_t s = 0; s < STREAMS; s++) {
        for (size_t r = 0; r < ROUNDS; r++) {
            record_batch_done(&batches[s][r]);
            record_batch_done(&cards[s][r]);
        }
    }
}

/* --- SQLite's memory -------------------------------------------------------------------------- */

static sqlite3_mem_methods real_memory;
static uint64_t sqlite_left = UINT64_MAX; /* good allocations of SQLite before those that fail */
static bool sqlite_has_failed;
static int64_t sqlite_held;

static bool sqlite_fails(void)
{
    if (sqlite_left == UINT64_MAX || sqlite_left-- > 0)
        return false;
    sqlite_left = UINT64_MAX; /* one alone */
    sqlite_has_failed = true;
    return true;
}

static void *sqlite_malloc(int size)
{
    void *memory = sqlite_fails() ? NULL : real_memory.xMalloc(size);
    sqlite_held += memory != NULL;
    return memory;
}

static void *sqlite_realloc(void *memory, int size)
{
    return sqlite_fails() ? NULL : real_memory.xRealloc(memory, size);
}

static void sqlite_free(void *memory)
{
    sqlite_held--;
    real_memory.xFree(memory);
}

static void stand_before_sqlite(void)
{
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), SQLITE_OK);
    sqlite3_mem_methods memory = real_memory;
    memory.xMalloc = sqlite_malloc;
    memory.xRealloc = sqlite_realloc;
    memory.xFree = sqlite_free;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory), SQLITE_OK);
}

static bool has_failed(void)
{
    return sqlite_has_failed || faults_failed() > 0;
}

/* --- a life ----------------------------------------------------------------------------------- */

/* The rounds of each stream that were acknowledged, in order. */
struct story {
    size_t rounds[STREAMS][ROUNDS];
    size_t count[STREAMS];
    size_t doubtful; /* the round whose commit was not acknowledged; ROUNDS: none */
};

/* Whether a call was done. What was not, was for want of memory, or of a journal that had failed for it. */
static bool done(troupe_status status)
{
    if (status != TROUPE_OK && !has_failed())
        fail_msg("status %d, and nothing had failed", (int)status);
    return status == TROUPE_OK;
}

static troupe_status see_card(void *context, const journal_card_fields *card)
{
    (void)context;
    (void)card;
    return TROUPE_OK;
}

static troupe_status see_summary(void *context, const struct journal_summary *summary)
{
    (void)context;
    (void)summary;
    return TROUPE_OK;
}

static troupe_status see_entry(void *context, const struct journal_entry *entry)
{
    (void)context;
    (void)entry;
    return TROUPE_OK;
}

/* One transaction of all streams; what was staged of it is in `staged`. */
static bool stage_round(struct journal *journal, const struct story *story, size_t round,
                        bool staged[STREAMS])
{
    static const char state[] = "a state, or the figures of one";
    uint64_t seq = 0;
    if (!done(journal_begin(journal)))
        return false;
    for (size_t s = 0; s < STREAMS && !journal_is_failed(journal); s++) {
        const struct record_batch *batch = &batches[s][round];
        size_t len = strlen(names[s]);
        staged[s] = done(journal_stage(journal, names[s], len, story->count[s] * RECORDS, batch->bytes.bytes,
                                       batch->bytes.size, &seq));
        if (!staged[s])
            continue;
        assert_int_equal(seq, (story->count[s] + 1) * RECORDS);
        (void)done(journal_keep(journal, JOURNAL_SUMMARY, names[s], len, seq, state, sizeof(state), &seq));
        (void)done(journal_keep(journal, JOURNAL_SNAPSHOT, names[s], len, seq, state, sizeof(state), &seq));
        (void)done(journal_put(journal, JOURNAL_CARDS, names[s], len, cards[s][round].bytes.bytes,
                               cards[s][round].bytes.size));
    }
    return done(journal_commit(journal));
}

/* Looks at everything in between; what is told of it is looked at when there is memory again. */
static void look(struct journal *journal)
{
    struct buffer bytes = {0};
    uint64_t next = 0;
    for (size_t s = 0; s < STREAMS; s++) {
        (void)done(journal_scan(journal, names[s], strlen(names[s]), 0, see_entry, NULL));
        (void)done(journal_recall(journal, JOURNAL_SNAPSHOT, names[s], strlen(names[s]), &bytes, &next));
    }
    (void)done(journal_summaries(journal, 0, see_summary, NULL));
    (void)done(journal_find(journal, &(struct journal_query){.words = "words"}, see_card, NULL, &next));
    (void)done(journal_upkeep(journal));
    buffer_done(&bytes);
}

/* False: the journal has failed. */
static bool live(struct journal *journal, struct story *story)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        bool staged[STREAMS] = {false};
        if (!stage_round(journal, story, round, staged)) {
            story->doubtful = round;
            return false;
        }
        for (size_t s = 0; s < STREAMS; s++) {
            if (staged[s])
                story->rounds[s][story->count[s]++] = round;
        }
        look(journal);
        if (journal_is_failed(journal))
            return false;
    }
    return true;
}

/* --- what is there ---------------------------------------------------------------------------- */

struct reading {
    const struct story *story;
    size_t stream;
    uint64_t count;
    size_t round;
    struct record_cursor cursor;
};

static troupe_status check_entry(void *context, const struct journal_entry *entry)
{
    struct reading *reading = context;
    const struct story *story = reading->story;
    struct record record;
    if (reading->count % RECORDS == 0) {
        size_t piece = reading->count / RECORDS;
        reading->round =
            piece < story->count[reading->stream] ? story->rounds[reading->stream][piece] : story->doubtful;
        assert_in_range(reading->round, 0, ROUNDS - 1);
        reading->cursor = record_cursor_of(&batches[reading->stream][reading->round]);
    }
    assert_int_equal(record_next(&reading->cursor, &record), TROUPE_OK);
    assert_int_equal(entry->seq, ++reading->count);
    assert_int_equal(entry->record.size, record.size);
    assert_memory_equal(entry->record.body, record.body, record.size);
    return TROUPE_OK;
}

static void check_story(struct journal *journal, const struct story *story)
{
    size_t doubtful = 0;
    for (size_t s = 0; s < STREAMS; s++) {
        struct reading reading = {.story = story, .stream = s};
        assert_int_equal(journal_scan(journal, names[s], strlen(names[s]), 0, check_entry, &reading),
                         TROUPE_OK);
        assert_int_equal(reading.count % RECORDS, 0);
        assert_in_range(reading.count / RECORDS, story->count[s], story->count[s] + 1);
        doubtful += reading.count / RECORDS - story->count[s];
    }
    assert_true(doubtful == 0 || story->doubtful < ROUNDS);
}

static void say_finding(void *context, const char *finding)
{
    (void)context;
    fail_msg("%s", finding);
}

static void check_file(const char *where, const struct story *story)
{
    struct journal *journal = test_open(&journal_sqlite, where);
    check_story(journal, story);
    assert_int_equal(journal_verify(journal, say_finding, NULL), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

static void live_and_check(const struct journal_driver *driver, const char *where)
{
    struct journal *journal = NULL;
    struct journal_error error = {""};
    struct story story = {.doubtful = ROUNDS};
    if (!done(journal_open(driver, where, &journal, &error)))
        return;
    bool lived = live(journal, &story);
    faults_disarm();
    sqlite_left = UINT64_MAX;
    if (lived)
        check_story(journal, &story);
    (void)journal_close(&journal);
    if (driver == &journal_sqlite)
        check_file(where, &story);
}

/* --- the facts -------------------------------------------------------------------------------- */

static void memory_driver_answers_whichever_allocation_fails(void **state)
{
    (void)state;
    for (enum faults_mode mode = FAULTS_ONCE; mode < FAULTS_MODES; mode++) {
        uint64_t number = 0;
        do {
            int64_t held = faults_held();
            faults_arm(FAULTS_MEMORY, mode, ++number);
            live_and_check(&journal_memory, "");
            faults_disarm();
            assert_int_equal(faults_held(), held);
        } while (faults_failed() > 0);
        assert_true(number > 30);
    }
}

static void remove_file(const struct test_folder *folder)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", ".new", ".new-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[TEST_PATH_SIZE + 16];
        snprintf(path, sizeof path, "%s%s", folder->journal, endings[i]);
        (void)unlink(path);
    }
}

static void sqlite_driver_answers_whichever_of_our_allocations_fails(void **state)
{
    struct test_folder *folder = *state;
    for (enum faults_mode mode = FAULTS_ONCE; mode < FAULTS_MODES; mode++) {
        uint64_t number = 0;
        do {
            int64_t held = faults_held();
            faults_arm(FAULTS_MEMORY, mode, ++number);
            live_and_check(&journal_sqlite, folder->journal);
            faults_disarm();
            assert_int_equal(faults_held(), held);
            remove_file(folder);
        } while (faults_failed() > 0);
        assert_true(number > 10);
    }
}

/* Those are thousands: near the beginning each one, further on every so many-th. */
static void sqlite_driver_answers_whichever_allocation_of_sqlite_fails(void **state)
{
    enum { SPARSE = 50 };
    struct test_folder *folder = *state;
    uint64_t runs = 0;
    faults_count(FAULTS_NONE);
    for (uint64_t number = 0;; number += 1 + number / SPARSE, runs++) {
        int64_t held = sqlite_held;
        sqlite_has_failed = false;
        sqlite_left = number;
        live_and_check(&journal_sqlite, folder->journal);
        sqlite_left = UINT64_MAX;
        assert_int_equal(sqlite_held, held);
        remove_file(folder);
        if (!sqlite_has_failed)
            break;
    }
    assert_true(runs > SPARSE);
}

/* SQLite rolls back when it is out of memory, also in a statement that only looks a stream up. */
static void transaction_that_sqlite_ended_is_not_gone_on_with(void **state)
{
    struct test_folder *folder = *state;
    uint64_t number = 0;
    faults_count(FAULTS_NONE);
    do {
        struct journal *journal = test_open(&journal_sqlite, folder->journal);
        struct story story = {.doubtful = 0};
        uint64_t seq;
        assert_int_equal(journal_begin(journal), TROUPE_OK);
        for (size_t s = 0; s < STREAMS && !journal_is_failed(journal); s++) {
            sqlite_has_failed = sqlite_has_failed && s > 1;
            sqlite_left = s == 1 ? number : UINT64_MAX;
            (void)done(journal_stage(journal, names[s], strlen(names[s]), 0, batches[s][0].bytes.bytes,
                                     batches[s][0].bytes.size, &seq));
        }
        sqlite_left = UINT64_MAX;
        (void)done(journal_commit(journal));
        (void)journal_close(&journal);
        check_file(folder->journal, &story);
        remove_file(folder);
        number++;
    } while (sqlite_has_failed);
    assert_true(number > 3);
}

static int make_folder(void **state)
{
    static struct test_folder folder;
    if (access("/dev/shm", W_OK) == 0) /* nothing here depends on a disk */
        setenv("TMPDIR", "/dev/shm", 0);
    test_folder_make(&folder);
    live_and_check(&journal_sqlite, folder.journal); /* what SQLite takes once and keeps */
    remove_file(&folder);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    test_folder_remove(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_driver_answers_whichever_allocation_fails),
        cmocka_unit_test_setup_teardown(sqlite_driver_answers_whichever_of_our_allocations_fails, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(sqlite_driver_answers_whichever_allocation_of_sqlite_fails,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(transaction_that_sqlite_ended_is_not_gone_on_with, make_folder,
                                        remove_folder),
    };
    stand_before_sqlite();
    make_content();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free_content();
    return failed;
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about the journal's writer: group commit, acknowledgement, failure, reading in pieces. Simulated
 * systems over the memory driver, so that each runs the same way every time; but for a group's age, which
 * needs real time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include <troupe.h>

#include "journal/journal.h"
#include "journal/memory.h"
#include "journal/writer.h"
#include "support/journal_actors.h"
#include "support/journal_support.h"

enum {
    SEEDS = 40,
};

/* --- a driver that counts, in front of the one in memory --- */

static uint64_t commits;

static troupe_status counting_commit(struct journal *journal)
{
    commits++;
    return journal_memory.commit(journal);
}

/* Each append takes longer than a group may wait. */
static troupe_status slow_append(struct journal *journal, const struct journal_batch *batch,
                                 uint64_t *ret_seq)
{
    usleep(JOURNAL_GROUP_US_MAX + 500);
    return journal_memory.append(journal, batch, ret_seq);
}

/* A journal in memory whose commits are counted. */
static struct journal *open_counting(struct journal_driver *driver)
{
    struct journal *journal = test_open(&journal_memory, "");
    *driver = journal_memory;
    driver->commit = counting_commit;
    journal->driver = driver;
    commits = 0;
    return journal;
}

static void close_counting(struct journal *journal)
{
    journal->driver = &journal_memory;
    journal_close(&journal);
}

/* --- an actor that asks once and notes the answers in the order in which they come --- */

struct note {
    char stream[32];
    uint64_t expected_seq;
    uint32_t count;
    bool is_read;
    uint32_t size_max;
    bool is_shutting_down; /* after it asked, it shuts the writer down */
    /* filled in: */
    uint32_t answer; /* the how-manieth answer of all; 0: none */
    troupe_status status;
    uint64_t seq;
    uint64_t read_count;
    bool is_end;
    char reason[64];
};

static uint32_t answers;

static troupe_status note_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    struct note *note = context;
    assert_int_equal(note->answer, 0);
    note->answer = ++answers;
    note->status = status;
    if (status == TROUPE_OK && note->is_read) {
        const journal_records *records = journal_records_of(reply);
        assert_non_null(records);
        troupe_bytes bytes = troupe_bytes_of(reply, records->records);
        assert_int_equal((uintptr_t)bytes.data % RECORD_ALIGNMENT, 0);
        struct record_cursor cursor = record_cursor_at(bytes.data, bytes.size);
        struct record record;
        while (record_next(&cursor, &record) == TROUPE_OK)
            note->read_count++;
        note->status = (troupe_status)records->status;
        note->seq = records->next_seq;
        note->is_end = records->is_end;
        snprintf(note->reason, sizeof(note->reason), "%s", troupe_text(reply, records->reason));
    } else if (status == TROUPE_OK) {
        const journal_appended *appended = journal_appended_of(reply);
        assert_non_null(appended);
        note->status = (troupe_status)appended->status;
        note->seq = appended->seq;
    }
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status once_start(troupe_self *self)
{
    struct note *note = *(struct note **)troupe_state(self);
    troupe_ref writer = troupe_whereis(self, JOURNAL_WRITER_NAME);
    troupe_status status =
        note->is_read
            ? troupe_ask(self, writer, TEST_TIMEOUT_MS, note_answer, note, journal_read,
                         .stream = note->stream, .from_seq = note->expected_seq, .size_max = note->size_max)
            : test_ask_append(self, note->stream, note->expected_seq, note->count, note_answer, note);
    if (status != TROUPE_OK) {
        note->answer = ++answers;
        note->status = status;
        troupe_exit(self);
    }
    if (note->is_shutting_down)
        troupe_shutdown(self, writer, TROUPE_SHUTDOWN);
    return TROUPE_OK;
}

static void ask_once(troupe_system *system, struct note *note)
{
    static const troupe_behaviour once = {
        .name = "once", .state_size = sizeof(struct note *), .start = once_start, .receive = test_refuse};
    troupe_spawn_options options = {.state = &note};
    assert_false(troupe_ref_is_none(troupe_spawn(system, &once, &options)));
}

/* Each asks to append `records` to a stream of its own, and is noted. */
static void ask_many(troupe_system *system, struct note *notes, size_t count, uint32_t records)
{
    memset(notes, 0, count * sizeof(*notes));
    answers = 0;
    for (size_t i = 0; i < count; i++) {
        notes[i].count = records;
        snprintf(notes[i].stream, sizeof(notes[i].stream), "s%zu", i);
        ask_once(system, &notes[i]);
    }
    troupe_sim_advance(system, 1000);
}

/* --- the facts --- */

static void queued_appends_share_one_commit_and_are_all_answered(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    struct journal_driver driver;
    struct journal *journal = open_counting(&driver);
    troupe_system *system = test_start_simulated(3);
    struct note notes[COUNT];
    test_spawn_writer(system, journal);
    troupe_sim_advance(system, 1);
    ask_many(system, notes, COUNT, 1);
    assert_int_equal(answers, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(notes[i].status, TROUPE_OK);
        assert_int_equal(notes[i].seq, 1);
    }
    /* How many groups there were is the scheduler's; that there were groups is not. */
    assert_in_range(commits, 1, COUNT / 2);
    troupe_stop(&system);
    close_counting(journal);
}

static void group_ends_at_its_cap_of_records(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    struct journal_driver driver;
    struct journal *journal = open_counting(&driver);
    troupe_system *system = test_start_simulated(5);
    struct note notes[COUNT];
    test_spawn_writer(system, journal);
    troupe_sim_advance(system, 1);
    ask_many(system, notes, COUNT, JOURNAL_GROUP_RECORDS_MAX);
    assert_int_equal(answers, COUNT);
    assert_int_equal(commits, COUNT);
    troupe_stop(&system);
    close_counting(journal);
}

static void group_ends_when_its_first_append_has_waited_long_enough(void **state)
{
    (void)state;
    enum { COUNT = 10 };
    struct journal_driver driver;
    struct journal *journal = open_counting(&driver);
    driver.append = slow_append;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, NULL), TROUPE_OK);
    troupe_ref writer = test_spawn_writer(system, journal);
    unsigned char record[RECORD_HEADER_SIZE] = {1};
    for (uint64_t i = 0; i < COUNT; i++)
        assert_int_equal(troupe_send(system, writer, journal_append, .stream = "s", .expected_seq = i,
                                     .records = {record, sizeof(record)}),
                         TROUPE_OK);
    troupe_stop(&system);
    assert_int_equal(commits, COUNT);
    close_counting(journal);
}

/* --- snapshots --- */

static struct {
    uint64_t snapshot_seq;
    uint64_t from_seq;
    uint64_t next_seq;
    size_t snapshot_size;
    bool is_end;
} woken;

static troupe_status woken_answered(troupe_self *self, troupe_status status, const troupe_message *reply,
                                    void *context)
{
    (void)context;
    assert_int_equal(status, TROUPE_OK);
    const journal_records *records = journal_records_of(reply);
    assert_non_null(records);
    assert_int_equal(records->status, TROUPE_OK);
    troupe_bytes snapshot = troupe_bytes_of(reply, records->snapshot);
    if (snapshot.size > 0)
        assert_int_equal((uintptr_t)snapshot.data % RECORD_ALIGNMENT, 0);
    woken.snapshot_seq = records->snapshot_seq;
    woken.snapshot_size = snapshot.size;
    woken.from_seq = records->from_seq;
    woken.next_seq = records->next_seq;
    woken.is_end = records->is_end;
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status sleeper_start(troupe_self *self)
{
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TEST_TIMEOUT_MS, woken_answered, NULL,
                      journal_read, .stream = "s", .with_snapshot = true);
}

static void wake(troupe_system *system)
{
    static const troupe_behaviour sleeper = {
        .name = "sleeper", .start = sleeper_start, .receive = test_refuse};
    memset(&woken, 0, sizeof(woken));
    assert_false(troupe_ref_is_none(troupe_spawn(system, &sleeper, NULL)));
    troupe_sim_advance(system, 1000);
    assert_true(woken.next_seq > 0);
}

static void who_wakes_gets_the_snapshot_and_the_records_after_it(void **state)
{
    (void)state;
    struct journal *journal = test_open(&journal_memory, "");
    troupe_system *system = test_start_simulated(3);
    troupe_ref writer = test_spawn_writer(system, journal);
    unsigned char record[RECORD_HEADER_SIZE] = {1};
    static unsigned char state_bytes[(4 << 20) + 8];
    const size_t sizes[] = {1000, sizeof(state_bytes)};
    wake(system);
    assert_int_equal(woken.snapshot_seq, 0);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(troupe_send(system, writer, journal_append, .stream = "s", .expected_seq = i,
                                     .records = {record, sizeof(record)}),
                         TROUPE_OK);
        if (i == 4 || i == 7)
            assert_int_equal(troupe_send(system, writer, journal_snapshot_kept, .stream = "s", .seq = i + 1,
                                         .state = {state_bytes, sizes[i == 7]}),
                             TROUPE_OK);
        if (i == 6)
            wake(system);
    }
    assert_int_equal(woken.snapshot_seq, 5);
    assert_int_equal(woken.snapshot_size, 1000);
    assert_int_equal(woken.from_seq, 6);
    assert_int_equal(woken.next_seq, 8);
    assert_true(woken.is_end);
    /* A large one comes alone, and the records are read on. */
    wake(system);
    assert_int_equal(woken.snapshot_seq, 8);
    assert_int_equal(woken.snapshot_size, sizeof(state_bytes));
    assert_int_equal(woken.next_seq, 9);
    assert_false(woken.is_end);
    troupe_stop(&system);
    journal_close(&journal);
}

/* Appends to its own stream again and again, each time when the last was answered. */
struct regular {
    char stream[32];
    uint64_t seq;
    uint64_t left;
};

static troupe_status regular_append(troupe_self *self);

static troupe_status regular_answered(troupe_self *self, troupe_status status, const troupe_message *reply,
                                      void *context)
{
    struct regular *regular = context;
    assert_int_equal(status, TROUPE_OK);
    const journal_appended *appended = journal_appended_of(reply);
    assert_non_null(appended);
    assert_int_equal(appended->status, TROUPE_OK);
    regular->seq = appended->seq;
    if (--regular->left > 0)
        return regular_append(self);
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status regular_append(troupe_self *self)
{
    struct regular *regular = *(struct regular **)troupe_state(self);
    return test_ask_append(self, regular->stream, regular->seq, 1, regular_answered, regular);
}

static uint64_t commits_of_regulars(size_t count, uint64_t times, uint64_t seed)
{
    static const troupe_behaviour behaviour = {.name = "regular",
                                               .state_size = sizeof(struct regular *),
                                               .start = regular_append,
                                               .receive = test_refuse};
    struct regular regulars[40];
    struct journal_driver driver;
    struct journal *journal = open_counting(&driver);
    troupe_system *system = test_start_simulated(seed);
    test_spawn_writer(system, journal);
    troupe_sim_advance(system, 1);
    for (size_t i = 0; i < count; i++) {
        struct regular *regular = &regulars[i];
        *regular = (struct regular){.left = times};
        snprintf(regular->stream, sizeof(regular->stream), "regular%zu", i);
        troupe_spawn_options options = {.state = &regular};
        assert_false(troupe_ref_is_none(troupe_spawn(system, &behaviour, &options)));
    }
    troupe_sim_advance(system, 1000);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(regulars[i].left, 0);
    troupe_stop(&system);
    close_counting(journal);
    return commits;
}

static void those_who_come_again_and_again_stay_in_one_group(void **state)
{
    (void)state;
    enum { COUNT = 40, TIMES = 20 };
    for (uint64_t seed = 1; seed <= 10; seed++) {
        /* The first groups are as the scheduler has it; once all are together they stay so. */
        assert_in_range(commits_of_regulars(COUNT, TIMES, seed), TIMES, TIMES + 8);
        assert_int_equal(commits_of_regulars(1, TIMES, seed), TIMES);
    }
}

static void what_is_refused_is_told_why_and_harms_nobody(void **state)
{
    (void)state;
    struct journal *journal = test_open(&journal_memory, "");
    troupe_system *system = test_start_simulated(7);
    struct note first = {.stream = "s", .count = 3};
    struct note stale = {.stream = "s", .expected_seq = 2, .count = 1};
    struct note empty = {.stream = "s", .expected_seq = 3, .count = 0};
    struct note nameless = {.stream = "", .count = 1};
    struct note next = {.stream = "s", .expected_seq = 3, .count = 1};
    answers = 0;
    test_spawn_writer(system, journal);
    ask_once(system, &first);
    troupe_sim_advance(system, 10);
    ask_once(system, &stale);
    ask_once(system, &empty);
    ask_once(system, &nameless);
    ask_once(system, &next);
    troupe_sim_advance(system, 10);
    assert_int_equal(answers, 5);
    assert_int_equal(first.status, TROUPE_OK);
    assert_int_equal(stale.status, TROUPE_CONFLICT);
    assert_int_equal(stale.seq == 3 || stale.seq == 4, true); /* before or after `next` */
    assert_int_equal(empty.status, TROUPE_INVALID);
    assert_int_equal(nameless.status, TROUPE_INVALID);
    assert_int_equal(next.status, TROUPE_OK);
    troupe_stop(&system);
    struct test_seen seen;
    assert_int_equal(test_scan(journal, "s", 0, &seen), TROUPE_OK);
    assert_int_equal(seen.count, 4);
    journal_close(&journal);
}

static void failed_commit_is_told_to_all_who_wait_and_ends_the_writer(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct journal *journal = test_open(&journal_memory, "");
    troupe_system *system = test_start_simulated(9);
    struct note notes[COUNT];
    memset(notes, 0, sizeof(notes));
    answers = 0;
    journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, 0, false);
    troupe_ref writer = test_spawn_writer(system, journal);
    for (size_t i = 0; i < COUNT; i++) {
        notes[i].count = 1;
        notes[i].is_read = i % 5 == 4;
        snprintf(notes[i].stream, sizeof(notes[i].stream), "s%zu", i);
        ask_once(system, &notes[i]);
    }
    troupe_sim_advance(system, 1000);
    assert_int_equal(answers, COUNT);
    size_t told = 0;
    for (size_t i = 0; i < COUNT; i++) {
        /* Whoever came when it had ended is told that. */
        assert_true(notes[i].status == TROUPE_IO || notes[i].status == TROUPE_NO_ACTOR);
        told += notes[i].status == TROUPE_IO;
    }
    assert_in_range(told, 1, COUNT);
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(system, writer, &info), TROUPE_NO_ACTOR);

    /* A restarted one does not start: it would acknowledge over a hole. */
    troupe_counters before;
    troupe_counters after;
    troupe_system_counters(system, &before);
    test_spawn_writer(system, journal);
    struct note late = {.stream = "late", .count = 1};
    ask_once(system, &late);
    troupe_sim_advance(system, 10);
    troupe_system_counters(system, &after);
    assert_int_equal(after.actors_failed, before.actors_failed + 1);
    assert_int_equal(late.status, TROUPE_NO_ACTOR);
    troupe_stop(&system);
    journal_close(&journal);
}

static void stopped_writer_settles_what_it_has_received(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct journal *journal = test_open(&journal_memory, "");
        troupe_system *system = test_start_simulated(seed);
        struct note note = {.stream = "s", .count = 2, .is_shutting_down = true};
        answers = 0;
        test_spawn_writer(system, journal);
        troupe_sim_advance(system, 1);
        ask_once(system, &note);
        troupe_sim_advance(system, 10);
        assert_int_equal(note.answer, 1);
        assert_int_equal(note.status, TROUPE_OK);
        struct test_seen seen;
        assert_int_equal(test_scan(journal, "s", 0, &seen), TROUPE_OK);
        assert_int_equal(seen.count, 2);
        troupe_stop(&system);
        journal_close(&journal);
    }
}

static void stream_is_read_in_pieces_up_to_its_end(void **state)
{
    (void)state;
    enum { COUNT = 500, SIZE = 2000 };
    struct journal *journal = test_open(&journal_memory, "");
    assert_int_equal(test_append(journal, "s", 0, COUNT), TROUPE_OK);
    troupe_system *system = test_start_simulated(11);
    test_spawn_writer(system, journal);
    uint64_t next = 0;
    uint64_t total = 0;
    uint32_t pieces = 0;
    bool is_end = false;
    while (!is_end) {
        struct note note = {.stream = "s", .expected_seq = next, .is_read = true, .size_max = SIZE};
        ask_once(system, &note);
        troupe_sim_advance(system, 10);
        assert_int_equal(note.status, TROUPE_OK);
        assert_in_range(note.read_count, 1, SIZE / RECORD_HEADER_SIZE);
        next = note.seq;
        total += note.read_count;
        is_end = note.is_end;
        pieces++;
    }
    assert_int_equal(total, COUNT);
    assert_int_equal(next, COUNT + 1);
    assert_in_range(pieces, COUNT * (RECORD_HEADER_SIZE + TEST_BODY_SIZE_MAX / 4) / SIZE, COUNT);

    struct note whole = {.stream = "s", .is_read = true};
    struct note none = {.stream = "nobody", .is_read = true};
    struct note single = {.stream = "s", .is_read = true, .size_max = 1};
    ask_once(system, &whole);
    ask_once(system, &none);
    ask_once(system, &single);
    troupe_sim_advance(system, 10);
    assert_int_equal(whole.read_count, COUNT);
    assert_true(whole.is_end);
    assert_int_equal(none.status, TROUPE_OK);
    assert_int_equal(none.read_count, 0);
    assert_int_equal(none.seq, 1);
    assert_true(none.is_end);
    assert_int_equal(single.read_count, 1);
    assert_false(single.is_end);
    troupe_stop(&system);
    journal_close(&journal);
}

static void piece_is_never_larger_than_the_limit(void **state)
{
    (void)state;
    enum { COUNT = 10, SIZE = 1 << 20 };
    struct journal *journal = test_open(&journal_memory, "");
    struct record_batch batch = {0};
    uint64_t seq;
    void *body;
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(record_batch_add(&batch, 1, 1, SIZE, &body), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_stage(journal, "s", 1, 0, batch.bytes.bytes, batch.bytes.size, &seq), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    record_batch_done(&batch);

    troupe_system *system = test_start_simulated(13);
    test_spawn_writer(system, journal);
    struct note largest = {.stream = "s", .is_read = true, .size_max = UINT32_MAX};
    ask_once(system, &largest);
    troupe_sim_advance(system, 10);
    assert_int_equal(largest.status, TROUPE_OK);
    assert_int_equal(largest.read_count, JOURNAL_READ_SIZE_MAX / (SIZE + RECORD_HEADER_SIZE));
    assert_false(largest.is_end);
    troupe_stop(&system);
    journal_close(&journal);
}

static void read_that_fails_says_why(void **state)
{
    (void)state;
    struct journal *journal = test_open(&journal_memory, "");
    troupe_system *system = test_start_simulated(17);
    struct note first = {.stream = "s", .count = 3};
    struct note good = {.stream = "s", .is_read = true};
    struct note failed = {.stream = "s", .is_read = true};
    answers = 0;
    test_spawn_writer(system, journal);
    ask_once(system, &first);
    troupe_sim_advance(system, 10);
    ask_once(system, &good);
    troupe_sim_advance(system, 10);
    assert_int_equal(good.read_count, 3);
    assert_string_equal(good.reason, "");
    journal_memory_fail(journal, JOURNAL_MEMORY_READ, 0, false);
    ask_once(system, &failed);
    troupe_sim_advance(system, 10);
    assert_int_equal(failed.status, TROUPE_IO);
    assert_string_equal(failed.reason, "the read was told to fail");
    troupe_stop(&system);
    journal_close(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_appends_share_one_commit_and_are_all_answered),
        cmocka_unit_test(group_ends_at_its_cap_of_records),
        cmocka_unit_test(who_wakes_gets_the_snapshot_and_the_records_after_it),
        cmocka_unit_test(those_who_come_again_and_again_stay_in_one_group),
        cmocka_unit_test(group_ends_when_its_first_append_has_waited_long_enough),
        cmocka_unit_test(what_is_refused_is_told_why_and_harms_nobody),
        cmocka_unit_test(failed_commit_is_told_to_all_who_wait_and_ends_the_writer),
        cmocka_unit_test(stopped_writer_settles_what_it_has_received),
        cmocka_unit_test(stream_is_read_in_pieces_up_to_its_end),
        cmocka_unit_test(piece_is_never_larger_than_the_limit),
        cmocka_unit_test(read_that_fails_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

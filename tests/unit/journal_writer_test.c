/* SPDX-License-Identifier: MIT */
/*
 * Facts about the journal's writer: group commit, acknowledgement, failure, reading in pieces. Simulated
 * systems over the memory driver, so that each runs the same way every time; the last tests run a real system
 * over SQLite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <troupe.h>

#include "journal/journal.h"
#include "journal/memory.h"
#include "journal/writer.h"
#include "support/journal_support.h"

enum {
    TIMEOUT_MS = 60000,
    OWNERS = 8,
    ROUNDS = 40,
    SEEDS = 40,
};

/* --- a driver that counts, in front of the one in memory --- */

static uint64_t commits;

static troupe_status counting_commit(struct journal *journal)
{
    commits++;
    return journal_memory.commit(journal);
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

static troupe_system *start_simulated(uint64_t seed)
{
    troupe_system *system = NULL;
    troupe_options options = {.simulate = {.seed = seed}};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static troupe_ref spawn_writer(troupe_system *system, struct journal *journal)
{
    struct journal_writer_state state = {.journal = journal};
    troupe_spawn_options options = journal_writer_options(&state);
    troupe_ref writer = troupe_spawn(system, &journal_writer, &options);
    assert_false(troupe_ref_is_none(writer));
    return writer;
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
    } else if (status == TROUPE_OK) {
        const journal_appended *appended = journal_appended_of(reply);
        assert_non_null(appended);
        note->status = (troupe_status)appended->status;
        note->seq = appended->seq;
    }
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status ask_append(troupe_self *self, troupe_ref writer, const char *stream,
                                uint64_t expected_seq, uint32_t count, troupe_reply_handler on_reply,
                                void *context)
{
    struct record_batch batch = {0};
    unsigned char body[TEST_BODY_SIZE_MAX];
    for (uint32_t i = 0; i < count; i++) {
        size_t size = test_body(stream, expected_seq + i + 1, body, sizeof(body));
        assert_int_equal(record_batch_append(&batch, TEST_RECORD_TYPE, 1, body, size), TROUPE_OK);
    }
    troupe_status status =
        troupe_ask(self, writer, TIMEOUT_MS, on_reply, context, journal_append, .stream = stream,
                   .expected_seq = expected_seq, .records = {batch.bytes.bytes, batch.bytes.size});
    record_batch_done(&batch);
    return status;
}

static troupe_status once_start(troupe_self *self)
{
    struct note *note = *(struct note **)troupe_state(self);
    troupe_ref writer = troupe_whereis(self, JOURNAL_WRITER_NAME);
    troupe_status status =
        note->is_read
            ? troupe_ask(self, writer, TIMEOUT_MS, note_answer, note, journal_read, .stream = note->stream,
                         .from_seq = note->expected_seq, .size_max = note->size_max)
            : ask_append(self, writer, note->stream, note->expected_seq, note->count, note_answer, note);
    if (status != TROUPE_OK) {
        note->answer = ++answers;
        note->status = status;
        troupe_exit(self);
    }
    if (note->is_shutting_down)
        troupe_shutdown(self, writer, TROUPE_SHUTDOWN);
    return TROUPE_OK;
}

static troupe_status refuse(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void ask_once(troupe_system *system, struct note *note)
{
    static const troupe_behaviour once = {
        .name = "once", .state_size = sizeof(struct note *), .start = once_start, .receive = refuse};
    troupe_spawn_options options = {.state = &note};
    assert_false(troupe_ref_is_none(troupe_spawn(system, &once, &options)));
}

/* --- the facts --- */

static void queued_appends_share_one_commit_and_are_all_answered(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    struct journal_driver driver;
    struct journal *journal = open_counting(&driver);
    troupe_system *system = start_simulated(3);
    struct note notes[COUNT];
    memset(notes, 0, sizeof(notes));
    answers = 0;
    spawn_writer(system, journal);
    troupe_sim_advance(system, 1);
    for (size_t i = 0; i < COUNT; i++) {
        notes[i].count = 1;
        snprintf(notes[i].stream, sizeof(notes[i].stream), "s%zu", i);
        ask_once(system, &notes[i]);
    }
    troupe_sim_advance(system, 1000);
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
    troupe_system *system = start_simulated(5);
    struct note notes[COUNT];
    memset(notes, 0, sizeof(notes));
    answers = 0;
    spawn_writer(system, journal);
    troupe_sim_advance(system, 1);
    for (size_t i = 0; i < COUNT; i++) {
        notes[i].count = JOURNAL_GROUP_RECORDS_MAX;
        snprintf(notes[i].stream, sizeof(notes[i].stream), "s%zu", i);
        ask_once(system, &notes[i]);
    }
    troupe_sim_advance(system, 1000);
    assert_int_equal(answers, COUNT);
    assert_int_equal(commits, COUNT);
    troupe_stop(&system);
    close_counting(journal);
}

static void what_is_refused_is_told_why_and_harms_nobody(void **state)
{
    (void)state;
    struct journal *journal = test_open(&journal_memory, "");
    troupe_system *system = start_simulated(7);
    struct note first = {.stream = "s", .count = 3};
    struct note stale = {.stream = "s", .expected_seq = 2, .count = 1};
    struct note empty = {.stream = "s", .expected_seq = 3, .count = 0};
    struct note nameless = {.stream = "", .count = 1};
    struct note next = {.stream = "s", .expected_seq = 3, .count = 1};
    answers = 0;
    spawn_writer(system, journal);
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
    troupe_system *system = start_simulated(9);
    struct note notes[COUNT];
    memset(notes, 0, sizeof(notes));
    answers = 0;
    journal_memory_fail_after(journal, 0, false);
    troupe_ref writer = spawn_writer(system, journal);
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
    spawn_writer(system, journal);
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
        troupe_system *system = start_simulated(seed);
        struct note note = {.stream = "s", .count = 2, .is_shutting_down = true};
        answers = 0;
        spawn_writer(system, journal);
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
    troupe_system *system = start_simulated(11);
    spawn_writer(system, journal);
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

/* --- owners that append again and again, over crashes --- */

struct owner {
    char stream[32];
    uint64_t seq;
    uint64_t
        acknowledged; /* the highest number that was; outlives the crash, as a client's memory of it does */
    uint32_t rounds;
    bool is_over;
};

static troupe_status owner_append(troupe_self *self, struct owner *owner);

static troupe_status owner_appended(troupe_self *self, troupe_status status, const troupe_message *reply,
                                    void *context)
{
    struct owner *owner = context;
    const journal_appended *appended = status == TROUPE_OK ? journal_appended_of(reply) : NULL;
    if (appended == NULL || appended->status != TROUPE_OK) {
        assert_true(appended == NULL || appended->status == TROUPE_IO);
        troupe_exit(self);
        return TROUPE_OK;
    }
    assert_true(appended->seq > owner->seq);
    owner->seq = appended->seq;
    owner->acknowledged = appended->seq;
    return owner_append(self, owner);
}

static troupe_status owner_append(troupe_self *self, struct owner *owner)
{
    if (owner->rounds == 0) {
        owner->is_over = true;
        troupe_exit(self);
        return TROUPE_OK;
    }
    owner->rounds--;
    uint32_t count = (uint32_t)(troupe_random(self) % 5 + 1);
    troupe_ref writer = troupe_whereis(self, JOURNAL_WRITER_NAME);
    if (ask_append(self, writer, owner->stream, owner->seq, count, owner_appended, owner) != TROUPE_OK)
        troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status owner_read(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct owner *owner = context;
    const journal_records *records = status == TROUPE_OK ? journal_records_of(reply) : NULL;
    if (records == NULL || records->status != TROUPE_OK) {
        troupe_exit(self);
        return TROUPE_OK;
    }
    owner->seq = records->next_seq - 1;
    if (records->is_end)
        return owner_append(self, owner);
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, owner_read, owner,
                      journal_read, .stream = owner->stream, .from_seq = records->next_seq, .size_max = 500);
}

static troupe_status owner_start(troupe_self *self)
{
    struct owner *owner = *(struct owner **)troupe_state(self);
    troupe_status status = troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, owner_read,
                                      owner, journal_read, .stream = owner->stream, .size_max = 500);
    if (status != TROUPE_OK)
        troupe_exit(self);
    return TROUPE_OK;
}

static void run_owners(struct owner *owners, uint64_t seed)
{
    static const troupe_behaviour behaviour = {
        .name = "owner", .state_size = sizeof(struct owner *), .start = owner_start, .receive = refuse};
    struct journal *journal = test_open(&journal_memory, "");
    for (uint64_t life = 0; life < 4; life++) {
        troupe_system *system = start_simulated(seed * 100 + life);
        if (life < 3)
            journal_memory_fail_after(journal, troupe_random(system) % 60, troupe_random(system) % 2 == 0);
        spawn_writer(system, journal);
        for (size_t i = 0; i < OWNERS; i++) {
            struct owner *owner = &owners[i];
            troupe_spawn_options options = {.state = &owner};
            if (!owner->is_over)
                troupe_spawn(system, &behaviour, &options);
        }
        troupe_sim_advance(system, 100000);
        troupe_stop(&system);
        journal_memory_restart(journal);
        for (size_t i = 0; i < OWNERS; i++) {
            struct test_seen seen; /* each record once, in order, with its body: test_scan asserts it */
            assert_int_equal(test_scan(journal, owners[i].stream, 0, &seen), TROUPE_OK);
            assert_true(seen.count >= owners[i].acknowledged);
        }
    }
    journal_close(&journal);
}

static void nothing_acknowledged_is_lost_over_failing_commits(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct owner owners[OWNERS];
        memset(owners, 0, sizeof(owners));
        for (size_t i = 0; i < OWNERS; i++) {
            owners[i].rounds = ROUNDS;
            snprintf(owners[i].stream, sizeof(owners[i].stream), "role/%zu", i);
        }
        run_owners(owners, seed);
        for (size_t i = 0; i < OWNERS; i++)
            assert_true(owners[i].is_over);
    }
}

/* --- a real system over SQLite --- */

static void real_writer_keeps_what_it_acknowledged_over_a_reopening(void **state)
{
    (void)state;
    enum { ROLES = 50, EACH = 20 };
    struct test_folder folder;
    test_folder_make(&folder);
    struct journal *journal = test_open(&journal_sqlite, folder.journal);
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, NULL), TROUPE_OK);
    troupe_ref writer = spawn_writer(system, journal);
    static const troupe_behaviour behaviour = {
        .name = "owner", .state_size = sizeof(struct owner *), .start = owner_start, .receive = refuse};
    struct owner owners[ROLES];
    memset(owners, 0, sizeof(owners));
    for (size_t i = 0; i < ROLES; i++) {
        struct owner *owner = &owners[i];
        owner->rounds = EACH;
        snprintf(owner->stream, sizeof(owner->stream), "role/%zu", i);
        troupe_spawn_options options = {.state = &owner};
        troupe_spawn(system, &behaviour, &options);
    }
    troupe_message *reply = NULL;
    assert_int_equal(
        troupe_call(system, writer, TIMEOUT_MS, &reply, journal_read, .stream = "role/0", .from_seq = 1),
        TROUPE_OK);
    assert_non_null(journal_records_of(reply));
    troupe_message_free(system, &reply);
    /* Stopping drains: it waits until nobody has work. */
    troupe_stop(&system);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    journal = test_open(&journal_sqlite, folder.journal);
    for (size_t i = 0; i < ROLES; i++) {
        struct test_seen seen;
        assert_int_equal(test_scan(journal, owners[i].stream, 0, &seen), TROUPE_OK);
        assert_true(seen.count >= owners[i].acknowledged);
        assert_true(owners[i].acknowledged > 0);
    }
    journal_close(&journal);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_appends_share_one_commit_and_are_all_answered),
        cmocka_unit_test(group_ends_at_its_cap_of_records),
        cmocka_unit_test(what_is_refused_is_told_why_and_harms_nobody),
        cmocka_unit_test(failed_commit_is_told_to_all_who_wait_and_ends_the_writer),
        cmocka_unit_test(stopped_writer_settles_what_it_has_received),
        cmocka_unit_test(stream_is_read_in_pieces_up_to_its_end),
        cmocka_unit_test(nothing_acknowledged_is_lost_over_failing_commits),
        cmocka_unit_test(real_writer_keeps_what_it_acknowledged_over_a_reopening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

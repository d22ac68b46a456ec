/* SPDX-License-Identifier: MIT */
/*
 * Facts about owners of streams who work through the journal's writer, over failures and new starts: what was
 * acknowledged to them is there in the next life. Simulated lives over the memory driver, and a real one over
 * SQLite.
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
#include "support/journal_actors.h"
#include "support/journal_support.h"

enum {
    OWNERS = 8,
    ROUNDS = 40,
    SEEDS = 40,
};

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
    if (test_ask_append(self, owner->stream, owner->seq, count, owner_appended, owner) != TROUPE_OK)
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
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TEST_TIMEOUT_MS, owner_read, owner,
                      journal_read, .stream = owner->stream, .from_seq = records->next_seq, .size_max = 500);
}

static troupe_status owner_start(troupe_self *self)
{
    struct owner *owner = *(struct owner **)troupe_state(self);
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TEST_TIMEOUT_MS, owner_read, owner,
                   journal_read, .stream = owner->stream, .size_max = 500);
    if (status != TROUPE_OK)
        troupe_exit(self);
    return TROUPE_OK;
}

static void spawn_owners(troupe_system *system, struct owner *owners, size_t count)
{
    static const troupe_behaviour behaviour = {
        .name = "owner", .state_size = sizeof(struct owner *), .start = owner_start, .receive = test_refuse};
    for (size_t i = 0; i < count; i++) {
        struct owner *owner = &owners[i];
        troupe_spawn_options options = {.state = &owner};
        if (!owner->is_over)
            troupe_spawn(system, &behaviour, &options);
    }
}

static void make_owners(struct owner *owners, size_t count, uint32_t rounds)
{
    memset(owners, 0, count * sizeof(*owners));
    for (size_t i = 0; i < count; i++) {
        owners[i].rounds = rounds;
        snprintf(owners[i].stream, sizeof(owners[i].stream), "role/%zu", i);
    }
}

static void run_owners(struct owner *owners, uint64_t seed)
{
    struct journal *journal = test_open(&journal_memory, "");
    for (uint64_t life = 0; life < 4; life++) {
        troupe_system *system = test_start_simulated(seed * 100 + life);
        if (life < 3)
            journal_memory_fail(journal, JOURNAL_MEMORY_COMMIT, troupe_random(system) % 60,
                                troupe_random(system) % 2 == 0);
        test_spawn_writer(system, journal);
        spawn_owners(system, owners, OWNERS);
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
        make_owners(owners, OWNERS, ROUNDS);
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
    troupe_ref writer = test_spawn_writer(system, journal);
    struct owner owners[ROLES];
    make_owners(owners, ROLES, EACH);
    spawn_owners(system, owners, ROLES);
    troupe_message *reply = NULL;
    assert_int_equal(
        troupe_call(system, writer, TEST_TIMEOUT_MS, &reply, journal_read, .stream = "role/0", .from_seq = 1),
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
        cmocka_unit_test(nothing_acknowledged_is_lost_over_failing_commits),
        cmocka_unit_test(real_writer_keeps_what_it_acknowledged_over_a_reopening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about the journal when the power fails: at every sync of a run of 500 commands, with checkpoints and
 * ends of streams written down in between, the disk is left as it may be then (unsynced writes lost, kept,
 * torn and in another order), and opened again. Nothing that was acknowledged is lost; the command under way
 * is there whole or not at all; done again, as its owner would, it is there once. TROUPE_SEED=N chooses what
 * is torn. One thread.
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

#include "base/hash.h"
#include "journal/journal.h"
#include "journal/sqlite.h"
#include "support/disk_faults.h"
#include "support/journal_power.h"
#include "support/journal_support.h"

enum {
    COMMANDS = 500,
    STREAMS = 7,
    CHECKPOINT_PAGES = 40, /* in place of 4,096: one about every ten commands */
    HEADS_EVERY = 60,
    KEEP_EVERY = 9,
};

static struct {
    uint64_t acknowledged[STREAMS];
    uint32_t staged; /* records of the command under way; 0: none */
    int stream;      /* and their stream */
    char path[TEST_PATH_SIZE + 16];
    uint64_t syncs;
    uint64_t found;   /* crashes after which the command under way was there */
    uint64_t missing; /* and after which it was not */
    uint64_t seed;
} run;

static const char *name_of(int stream)
{
    static char names[STREAMS][16];
    snprintf(names[stream], sizeof(names[stream]), "role/%d", stream);
    return names[stream];
}

static void fail_on_finding(void *context, const char *finding)
{
    (void)context;
    fail_msg("after sync %d: %s", (int)run.syncs, finding);
}

static uint64_t count_of(struct journal *journal, int stream)
{
    struct test_seen seen;
    assert_int_equal(test_scan(journal, name_of(stream), 0, &seen), TROUPE_OK);
    return seen.count;
}

/* The snapshot is that of a record which is there, and says which. */
static void check_snapshot(struct journal *journal, int stream, uint64_t count)
{
    struct buffer bytes = {0};
    uint64_t seq = 0;
    assert_int_equal(
        journal_recall(journal, JOURNAL_SNAPSHOT, name_of(stream), strlen(name_of(stream)), &bytes, &seq),
        TROUPE_OK);
    assert_true(seq <= count);
    if (seq > 0)
        assert_memory_equal(bytes.bytes, &seq, sizeof(seq));
    buffer_done(&bytes);
}

/* What a new process would find, and what its owner would do then. */
static void check_after(enum power_loss loss)
{
    power_fail(loss, run.seed + run.syncs * 1000003, run.path);
    struct journal *journal = test_open(&journal_sqlite, run.path);
    assert_int_equal(journal_verify(journal, fail_on_finding, NULL), TROUPE_OK);
    for (int i = 0; i < STREAMS; i++) {
        uint64_t count = count_of(journal, i);
        uint64_t staged = i == run.stream ? run.staged : 0;
        if (count != run.acknowledged[i] && count != run.acknowledged[i] + staged)
            fail_msg("after sync %d stream %d has %d records; %d were acknowledged, %d under way",
                     (int)run.syncs, i, (int)count, (int)run.acknowledged[i], (int)staged);
        check_snapshot(journal, i, count);
        if (staged == 0)
            continue;
        bool is_there = count > run.acknowledged[i];
        run.found += is_there;
        run.missing += !is_there;
        assert_int_equal(test_append(journal, name_of(i), run.acknowledged[i], run.staged),
                         is_there ? TROUPE_CONFLICT : TROUPE_OK);
        assert_int_equal(count_of(journal, i), run.acknowledged[i] + staged);
    }
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

static void on_sync(void *context)
{
    (void)context;
    run.syncs++;
    check_after(POWER_LOSES_ALL);
    check_after(POWER_KEEPS_SOME);
    if (run.syncs % 5 == 0)
        check_after(POWER_KEEPS_ALL);
}

static void command(struct journal *journal, int number)
{
    uint64_t unused;
    run.stream = (int)(hash_number((uint64_t)number) % STREAMS);
    run.staged = 1 + (uint32_t)(hash_number((uint64_t)number + 7777) % 3);
    uint64_t seq = run.acknowledged[run.stream] + run.staged;
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, name_of(run.stream), run.acknowledged[run.stream], run.staged),
                     TROUPE_OK);
    if (number % KEEP_EVERY == 0)
        assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, name_of(run.stream),
                                      strlen(name_of(run.stream)), seq, &seq, sizeof(seq), &unused),
                         TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    run.acknowledged[run.stream] = seq;
    run.staged = 0;
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite->checkpoint_pages > CHECKPOINT_PAGES)
        sqlite->checkpoint_pages = CHECKPOINT_PAGES;
    if (number % HEADS_EVERY == 0)
        assert_int_equal(sqlite_write_heads(sqlite), TROUPE_OK);
    assert_int_equal(journal_upkeep(journal), TROUPE_OK);
}

static void power_failing_at_any_sync_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    struct test_folder folder;
    const char *seed = getenv("TROUPE_SEED");
    run.seed = seed != NULL ? strtoull(seed, NULL, 10) : 1;
    /*
     * What a disk keeps is reckoned here, so the files themselves may lie in memory: it is ten times faster.
     */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    test_folder_make(&folder);
    snprintf(run.path, sizeof(run.path), "%s-crash", folder.journal);
    struct journal *journal = test_open(&journal_sqlite, folder.journal);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    disk_faults_install();
    journal = test_open(&journal_sqlite, folder.journal);
    power_watch(folder.journal, on_sync, NULL);
    for (int number = 1; number <= COMMANDS; number++)
        command(journal, number);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    power_unwatch();
    disk_faults_remove();

    /* One sync a command at least, checkpoints beside, and crashes of both kinds. */
    assert_true(run.syncs > COMMANDS + COMMANDS / 20);
    assert_true(run.missing >= COMMANDS);
    assert_true(run.found > 0);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_failing_at_any_sync_loses_nothing_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

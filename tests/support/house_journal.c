/* SPDX-License-Identifier: MIT */
/*
 * house_journal.c: the two journals of house_journal.h. The test's thread runs everything.
 *
 *   cut      the files are written aside as the crash leaves them, and the disk fails from here on
 *   restart  what uses the old files is closed, and those of the crash take their place
 */
#include "support/house_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "journal/memory.h"
#include "journal/sqlite.h"
#include "server/verify.h"
#include "support/disk_faults.h"
#include "support/journal_power.h"

enum {
    CHECKPOINT_PAGES = 400, /* in place of 4,096: some fall into every life of a house */
};

/* --- on a disk -------------------------------------------------------------------------------- */

/* A commit is some calls of the disk. */
static const struct {
    enum disk_fault fault;
    uint64_t calls; /* for each one of the port */
} disk_failures[HOUSE_FAILURES] = {
    [HOUSE_LOSES_COMMIT] = {DISK_SYNC_FAILS, 1}, [HOUSE_TELLS_COMMIT] = {DISK_SYNC_FAILS, 1},
    [HOUSE_LOSES_APPEND] = {DISK_IS_FULL, 5},    [HOUSE_LOSES_SNAPSHOT] = {DISK_IS_BROKEN, 20},
    [HOUSE_LOSES_READ] = {DISK_READ_FAILS, 1},
};

static void nothing_on_sync(void *context)
{
    (void)context;
}

static void open_file(struct house_journal *journal)
{
    struct journal_error error;
    troupe_status status = journal_open(&journal_sqlite, journal->folder.journal, &journal->journal, &error);
    if (status != TROUPE_OK && disk_faults_failed() == 0)
        fail_msg("the journal cannot be opened: %s", error.text);
    if (status == TROUPE_OK)
        sqlite_of(journal->journal)->checkpoint_pages = CHECKPOINT_PAGES;
    else
        journal->journal = NULL;
}

static void open_on_disk(struct house_journal *journal)
{
    /* What a disk keeps is reckoned in journal_power.c; the files themselves may lie in memory. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    test_folder_make(&journal->folder);
    snprintf(journal->after, sizeof journal->after, "%s-after", journal->folder.journal);
    disk_faults_install();
    open_file(journal);
    power_watch(journal->folder.journal, nothing_on_sync, NULL);
}

/* What a crash leaves: a failed sync says what is lost, and otherwise chance does. */
static enum power_loss loss_of(const struct house_journal *journal)
{
    static const enum power_loss losses[] = {POWER_LOSES_ALL, POWER_KEEPS_ALL, POWER_KEEPS_SOME};
    bool has_failed = disk_faults_failed() > 0;
    if (has_failed && journal->failure == HOUSE_LOSES_COMMIT)
        return POWER_LOSES_ALL;
    if (has_failed && journal->failure == HOUSE_TELLS_COMMIT)
        return POWER_KEEPS_ALL;
    return losses[hash_number(journal->seed + journal->crashes) % 3];
}

static void cut_disk(struct house_journal *journal)
{
    if (disk_faults_changes_after() > 0)
        fail_msg("after %s had failed the journal went on writing", disk_faults_what());
    power_fail(loss_of(journal), journal->seed * 1000003 + journal->crashes, journal->after);
    power_unwatch();
    disk_faults_arm(DISK_IS_BROKEN, FAULTS_ON, 1);
    journal->crashes++;
}

static void take_place(const struct house_journal *journal, const char *ending)
{
    char from[sizeof journal->after + 8];
    char to[sizeof journal->after + 8];
    snprintf(from, sizeof from, "%s%s", journal->after, ending);
    snprintf(to, sizeof to, "%s%s", journal->folder.journal, ending);
    (void)unlink(to);
    if (access(from, F_OK) == 0)
        assert_int_equal(rename(from, to), 0);
}

static void restart_disk(struct house_journal *journal, uint64_t reads)
{
    if (journal->journal != NULL) {
        (void)journal_close(&journal->journal); /* of a process that is no more: nothing comes of it */
        take_place(journal, "");
        take_place(journal, "-wal");
        take_place(journal, "-shm");
    }
    disk_faults_arm(DISK_IS_SOUND, FAULTS_ONCE, 0);
    if (reads != HOUSE_FAILS_NEVER)
        disk_faults_arm(DISK_READ_FAILS, FAULTS_ONCE, reads + 1);
    open_file(journal);
    power_watch(journal->folder.journal, nothing_on_sync, NULL);
}

static void tell_finding(void *context, const char *finding)
{
    (void)context;
    fail_msg("the file is not whole: %s", finding);
}

static void close_disk(struct house_journal *journal)
{
    struct verify_counts counts;
    assert_int_equal(journal_close(&journal->journal), TROUPE_OK);
    power_unwatch();
    open_file(journal);
    assert_int_equal(verify_journal(journal->journal, tell_finding, NULL, &counts), TROUPE_OK);
    assert_int_equal(journal_close(&journal->journal), TROUPE_OK);
    disk_faults_remove();
    test_folder_remove(&journal->folder);
}

/* --- either ----------------------------------------------------------------------------------- */

void house_journal_open(struct house_journal *journal, bool is_on_disk, uint64_t seed)
{
    struct journal_error error;
    *journal = (struct house_journal){.is_on_disk = is_on_disk, .seed = seed};
    if (is_on_disk)
        open_on_disk(journal);
    else
        assert_int_equal(journal_open(&journal_memory, "", &journal->journal, &error), TROUPE_OK);
}

void house_journal_close(struct house_journal *journal)
{
    if (journal->is_on_disk)
        close_disk(journal);
    else
        assert_int_equal(journal_close(&journal->journal), TROUPE_OK);
}

void house_journal_fail(struct house_journal *journal, enum house_failure failure, uint64_t count)
{
    static const enum journal_memory_call calls[HOUSE_FAILURES] = {
        [HOUSE_LOSES_COMMIT] = JOURNAL_MEMORY_COMMIT, [HOUSE_TELLS_COMMIT] = JOURNAL_MEMORY_COMMIT,
        [HOUSE_LOSES_APPEND] = JOURNAL_MEMORY_APPEND, [HOUSE_LOSES_SNAPSHOT] = JOURNAL_MEMORY_KEEP,
        [HOUSE_LOSES_READ] = JOURNAL_MEMORY_READ,
    };
    journal->failure = failure;
    if (journal->is_on_disk && count == HOUSE_FAILS_NEVER) {
        disk_faults_arm(DISK_IS_SOUND, FAULTS_ONCE, 0);
    } else if (journal->is_on_disk) {
        disk_faults_arm(disk_failures[failure].fault, FAULTS_ONCE, 1 + count * disk_failures[failure].calls);
    } else {
        for (int call = 0; call < JOURNAL_MEMORY_CALL_COUNT; call++)
            journal_memory_fail(journal->journal, (enum journal_memory_call)call, JOURNAL_MEMORY_NEVER,
                                false);
        journal_memory_fail(journal->journal, calls[failure], count, failure == HOUSE_TELLS_COMMIT);
    }
}

void house_journal_cut(struct house_journal *journal)
{
    if (!journal->is_on_disk)
        journal_memory_fail(journal->journal, JOURNAL_MEMORY_COMMIT, 0, false);
    else if (journal->journal != NULL)
        cut_disk(journal);
}

void house_journal_restart(struct house_journal *journal, uint64_t reads)
{
    if (journal->is_on_disk) {
        restart_disk(journal, reads);
        return;
    }
    journal_memory_restart(journal->journal);
    house_journal_fail(journal, HOUSE_LOSES_READ, reads);
}

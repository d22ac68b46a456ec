/* SPDX-License-Identifier: MIT */
/*
 * Facts about the SQLite driver on a disk that fails: at each write and each sync of a run in turn, from the
 * making of the file to its closing. Whatever fails, nothing that was acknowledged is lost, and after it
 * nothing is acknowledged, written or synced. One thread.
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
#include "journal/sqlite.h"
#include "support/journal_fault_vfs.h"
#include "support/journal_support.h"

enum {
    COMMITS = 12,
    EACH = 3,
    CALLS_MAX = 5000,
};

static const char *const names[2] = {"role/a", "role/b"};

/* What a run was told. */
struct told {
    bool is_open;
    uint64_t acknowledged[2]; /* the last number of each stream */
    uint64_t staged[2];       /* and what the commit that failed would have made it */
    bool is_closed_well;
};

/* After a failure: every further call is refused, with the reason. */
static void assert_dead(struct journal *journal)
{
    uint64_t seq;
    assert_true(journal_is_failed(journal));
    assert_string_not_equal(journal_error(journal), "");
    assert_int_equal(journal_begin(journal), TROUPE_IO);
    assert_int_equal(journal_stage(journal, "x", 1, 0, "", 0, &seq), TROUPE_IO);
    assert_int_equal(journal_commit(journal), TROUPE_IO);
    assert_int_equal(journal_upkeep(journal), TROUPE_IO);
    assert_string_not_equal(journal_error(journal), "");
}

static troupe_status run_commit(struct journal *journal, struct told *told)
{
    troupe_status status = journal_begin(journal);
    for (size_t i = 0; i < 2 && status == TROUPE_OK; i++) {
        status = test_stage(journal, names[i], told->acknowledged[i], EACH);
        told->staged[i] = told->acknowledged[i] + EACH;
    }
    if (status == TROUPE_OK)
        status = journal_commit(journal);
    if (status == TROUPE_OK)
        memcpy(told->acknowledged, told->staged, sizeof(told->acknowledged));
    return status;
}

/* Opens, commits, closes; stops at the first failure. */
static void run(const struct test_folder *folder, struct told *told)
{
    struct journal *journal = NULL;
    struct journal_error error;
    memset(told, 0, sizeof(*told));
    troupe_status status = journal_open(&journal_sqlite, folder->journal, &journal, &error);
    if (status != TROUPE_OK) {
        assert_string_not_equal(error.text, "");
        return;
    }
    told->is_open = true;
    for (int i = 0; i < COMMITS && status == TROUPE_OK; i++) {
        status = run_commit(journal, told);
        if (status == TROUPE_OK)
            status = journal_upkeep(journal);
    }
    if (status != TROUPE_OK) {
        assert_int_equal(status, TROUPE_IO);
        assert_dead(journal);
    }
    told->is_closed_well = journal_close(&journal) == TROUPE_OK;
}

/* On a disk that works again: everything acknowledged is there, and of the rest all or nothing. */
static void check_after(const struct test_folder *folder, const struct told *told)
{
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    bool is_all = false;
    for (size_t i = 0; i < 2; i++) {
        struct test_seen seen;
        assert_int_equal(test_scan(journal, names[i], 0, &seen), TROUPE_OK);
        if (i == 0)
            is_all = seen.count == told->staged[0];
        assert_int_equal(seen.count, is_all ? told->staged[i] : told->acknowledged[i]);
    }
    /* And it goes on. */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(test_append(journal, names[i], is_all ? told->staged[i] : told->acknowledged[i], 1),
                         TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

/* Lets the run fail at its first call of a kind, its second... until it does not fail any more. */
static uint64_t fail_at_each(enum fault_kind kind)
{
    for (uint64_t at = 1; at < CALLS_MAX; at++) {
        struct test_folder folder;
        struct told told;
        test_folder_make(&folder);
        fault_vfs_install(kind, at);
        run(&folder, &told);
        bool is_fired = fault_vfs_is_fired();
        if (is_fired && told.is_open) {
            assert_int_equal(fault_vfs_calls_after(), 0);
            assert_false(told.is_closed_well);
        }
        fault_vfs_remove();
        if (!is_fired)
            assert_true(told.is_closed_well && told.acknowledged[0] == (uint64_t)COMMITS * EACH);
        check_after(&folder, &told);
        test_folder_remove(&folder);
        if (!is_fired)
            return at - 1;
    }
    fail_msg("the run has more than %d calls", CALLS_MAX);
    return 0;
}

static void failing_write_anywhere_loses_nothing_acknowledged(void **state)
{
    (void)state;
    assert_in_range(fail_at_each(FAULT_WRITE), 50, CALLS_MAX);
}

static void full_disk_anywhere_loses_nothing_acknowledged(void **state)
{
    (void)state;
    assert_in_range(fail_at_each(FAULT_FULL), 50, CALLS_MAX);
}

static void failing_sync_anywhere_loses_nothing_acknowledged(void **state)
{
    (void)state;
    assert_in_range(fail_at_each(FAULT_SYNC), COMMITS, CALLS_MAX);
}

static void failing_checkpoint_stops_the_journal(void **state)
{
    (void)state;
    struct test_folder folder;
    test_folder_make(&folder);
    fault_vfs_install(FAULT_NONE, 0);
    struct journal *journal = test_open(&journal_sqlite, folder.journal);
    struct told told = {0};
    assert_int_equal(run_commit(journal, &told), TROUPE_OK);
    sqlite_of(journal)->checkpoint_pages = 1; /* due at once */
    fault_vfs_arm(FAULT_SYNC, 2);             /* the log, and then the file itself */
    assert_int_equal(journal_upkeep(journal), TROUPE_IO);
    assert_non_null(strstr(journal_error(journal), "cannot copy the log into the file"));
    assert_dead(journal);
    journal_close(&journal);
    assert_int_equal(fault_vfs_calls_after(), 0);
    fault_vfs_remove();
    check_after(&folder, &told);
    test_folder_remove(&folder);
}

static void disk_that_cannot_be_read_stops_the_journal(void **state)
{
    (void)state;
    struct test_folder folder;
    struct told told = {0};
    test_folder_make(&folder);
    struct journal *journal = test_open(&journal_sqlite, folder.journal);
    assert_int_equal(run_commit(journal, &told), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    fault_vfs_install(FAULT_NONE, 0);
    journal = test_open(&journal_sqlite, folder.journal);
    sqlite3_db_release_memory(sqlite_of(journal)->db);
    fault_vfs_arm(FAULT_READ, 1);
    struct test_seen seen;
    assert_int_equal(test_scan(journal, names[0], 0, &seen), TROUPE_IO);
    assert_true(fault_vfs_is_fired());
    assert_dead(journal);
    journal_close(&journal);
    fault_vfs_remove();
    check_after(&folder, &told);
    test_folder_remove(&folder);
}

static void reason_names_what_could_not_be_done(void **state)
{
    (void)state;
    struct test_folder folder;
    struct told told = {0};
    test_folder_make(&folder);
    fault_vfs_install(FAULT_NONE, 0);
    struct journal *journal = test_open(&journal_sqlite, folder.journal);
    assert_int_equal(run_commit(journal, &told), TROUPE_OK);
    fault_vfs_arm(FAULT_SYNC, 1);
    assert_int_equal(run_commit(journal, &told), TROUPE_IO);
    assert_string_equal(journal_error(journal), "cannot commit: disk I/O error (SQLite 1034)");
    assert_int_equal(journal_close(&journal), TROUPE_IO);
    fault_vfs_remove();
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_write_anywhere_loses_nothing_acknowledged),
        cmocka_unit_test(full_disk_anywhere_loses_nothing_acknowledged),
        cmocka_unit_test(failing_sync_anywhere_loses_nothing_acknowledged),
        cmocka_unit_test(failing_checkpoint_stops_the_journal),
        cmocka_unit_test(disk_that_cannot_be_read_stops_the_journal),
        cmocka_unit_test(reason_names_what_could_not_be_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

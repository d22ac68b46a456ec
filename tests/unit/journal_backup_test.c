/* SPDX-License-Identifier: MIT */
/*
 * Facts about copies of a journal's file: what a copy has, and what it is never made beside. One thread.
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

#include "journal/backup.h"
#include "journal/file.h"
#include "journal/sqlite.h"
#include "support/journal_support.h"

static void name_beside(const struct test_folder *folder, const char *name, char path[TEST_PATH_SIZE])
{
    int len = snprintf(path, TEST_PATH_SIZE, "%s/%s", folder->folder, name);
    assert_in_range(len, 1, TEST_PATH_SIZE - 1);
}

static void copy_has_what_was_committed_and_the_journal_goes_on(void **state)
{
    struct test_folder *folder = *state;
    struct journal_error error = {""};
    struct test_seen seen;
    char path[TEST_PATH_SIZE];
    name_beside(folder, "copy.db", path);
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 3, 2), TROUPE_OK);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    struct journal *copy = test_open(&journal_sqlite, path);
    assert_int_equal(test_scan(copy, "a", 0, &seen), TROUPE_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(journal_close(&copy), TROUPE_OK);
    assert_int_equal(test_scan(journal, "a", 0, &seen), TROUPE_OK);
    assert_int_equal(seen.count, 5);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

/*
 * A log whose file is gone: of a copy, say, that was looked into by somebody who was killed, and thrown away
 * since. SQLite would find its pages newer than those of the copy.
 */
static void copy_is_not_made_beside_the_log_of_another_file(void **state)
{
    struct test_folder *folder = *state;
    struct journal_error error = {""};
    char other[TEST_PATH_SIZE];
    char path[TEST_PATH_SIZE];
    char log[TEST_PATH_SIZE + 8];
    char kept[TEST_PATH_SIZE];
    name_beside(folder, "other.db", other);
    name_beside(folder, "copy.db", path);
    name_beside(folder, "kept", kept);
    snprintf(log, sizeof(log), "%s-wal", path);
    struct journal *journal = test_open(&journal_sqlite, path);
    assert_int_equal(test_append(journal, "old", 0, 3), TROUPE_OK);
    assert_int_equal(link(log, kept), 0); /* as it is while the file is open */
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(rename(kept, log), 0);

    struct journal *source = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(test_append(source, "new", 0, 3), TROUPE_OK);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_CONFLICT);
    assert_non_null(strstr(error.text, "copy.db-wal is there already"));
    assert_int_equal(test_file_size(path), 0);
    assert_int_equal(unlink(log), 0);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_OK);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_CONFLICT);
    assert_non_null(strstr(error.text, "copy.db is there already"));
    assert_int_equal(journal_close(&source), TROUPE_OK);
    (void)journal_close(&journal);
}

static void what_is_no_journal_is_not_copied(void **state)
{
    struct test_folder *folder = *state;
    struct journal_error error = {""};
    char path[TEST_PATH_SIZE];
    char long_path[FILE_PATH_LEN_MAX + 2];
    name_beside(folder, "copy.db", path);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_NOT_FOUND);
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(journal_backup(folder->journal, long_path, &error), TROUPE_INVALID);
    assert_int_equal(journal_backup(long_path, path, &error), TROUPE_INVALID);
    FILE *file = fopen(folder->journal, "w");
    assert_non_null(file);
    fputs("no journal", file);
    fclose(file);
    assert_int_equal(journal_backup(folder->journal, path, &error), TROUPE_INVALID);
    assert_int_equal(test_file_size(path), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(copy_has_what_was_committed_and_the_journal_goes_on),
        IN_FOLDER(copy_is_not_made_beside_the_log_of_another_file),
        IN_FOLDER(what_is_no_journal_is_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

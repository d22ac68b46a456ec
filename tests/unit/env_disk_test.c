/* SPDX-License-Identifier: MIT */
/*
 * Facts about env/disk.h: what goes on where one system call stops, and what is said when a disk does not do
 * as it is told. One thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/disk.h"
#include "support/disk_faults.h"
#include "support/journal_support.h"

#define TEXT "nothing acknowledged is ever lost"

static struct test_folder folder;

static int make_folder(void **state)
{
    (void)state;
    test_folder_make(&folder);
    disk_faults_install();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    assert_int_equal(disk_faults_open_files(), 0);
    disk_faults_remove();
    test_folder_remove(&folder);
    return 0;
}

static void write_text(void)
{
    int fd = env_file_create(folder.journal);
    assert_true(fd >= 0);
    assert_true(env_file_write(fd, TEXT, strlen(TEXT)));
    assert_true(env_file_sync(fd));
    assert_true(env_file_close(fd));
}

static void text_is_there(void)
{
    char text[100] = "";
    assert_int_equal(env_file_load(folder.journal, text, sizeof text - 1), strlen(TEXT));
    assert_string_equal(text, TEXT);
}

static void halves_and_interruptions_are_gone_on_from(void **state)
{
    static const enum disk_fault kinds[] = {DISK_WRITES_SHORT, DISK_READS_SHORT, DISK_IS_INTERRUPTED};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        /* Every write and read does half, down to the last byte; or every second call is interrupted. */
        disk_faults_arm(kinds[i], FAULTS_EVERY, kinds[i] == DISK_IS_INTERRUPTED ? 2 : 1);
        write_text();
        text_is_there();
        assert_true(disk_faults_failed() >= 2);
        disk_faults_arm(kinds[i], FAULTS_ONCE, 1);
        write_text();
        text_is_there();
        assert_int_equal(disk_faults_failed(), 1);
    }
}

static void full_disk_is_said_of_a_write(void **state)
{
    (void)state;
    int fd = env_file_create(folder.journal);
    disk_faults_arm(DISK_IS_FULL, FAULTS_ONCE, 1);
    assert_false(env_file_write(fd, TEXT, strlen(TEXT)));
    assert_int_equal(errno, ENOSPC);
    assert_true(env_file_close(fd));
    disk_faults_arm(DISK_IS_FULL, FAULTS_ONCE, 1);
    assert_int_equal(env_file_create(folder.journal), -1);
    assert_int_equal(errno, ENOSPC);
}

static void sync_that_failed_is_not_made_again(void **state)
{
    (void)state;
    int fd = env_file_create(folder.journal);
    disk_faults_arm(DISK_SYNC_FAILS, FAULTS_ONCE, 1);
    assert_false(env_file_sync(fd));
    assert_int_equal(errno, EIO);
    assert_int_equal(disk_faults_changes_after(), 0);
    assert_true(env_file_close(fd));
    disk_faults_arm(DISK_SYNC_FAILS, FAULTS_ONCE, 1);
    assert_false(env_folder_sync(folder.folder));
    assert_int_equal(errno, EIO);
    assert_int_equal(disk_faults_changes_after(), 0);
}

static void file_that_cannot_be_read_is_no_empty_one(void **state)
{
    (void)state;
    char text[100];
    write_text();
    for (uint64_t n = 1; n <= 2; n++) { /* open, read; closing is not missed */
        disk_faults_arm(DISK_IS_BROKEN, FAULTS_ONCE, n);
        assert_int_equal(env_file_load(folder.journal, text, sizeof text), -1);
        assert_int_equal(errno, EIO);
    }
    disk_faults_arm(DISK_HAS_NO_FILES, FAULTS_ONCE, 1);
    assert_null(env_file_stream(folder.journal));
    assert_int_equal(errno, EMFILE);
    FILE *stream = env_file_stream(folder.journal);
    assert_non_null(stream);
    disk_faults_arm(DISK_READ_FAILS, FAULTS_ONCE, 1);
    assert_int_equal(fread(text, 1, sizeof text, stream), 0);
    assert_true(ferror(stream));
    assert_int_equal(fclose(stream), 0);
}

static void stream_reads_what_was_written(void **state)
{
    (void)state;
    char text[100] = "";
    write_text();
    FILE *stream = env_file_stream(folder.journal);
    assert_non_null(stream);
    assert_int_equal(fread(text, 1, sizeof text - 1, stream), strlen(TEXT));
    assert_string_equal(text, TEXT);
    assert_true(feof(stream));
    assert_int_equal(fclose(stream), 0);
}

static void open_file_has_a_name_for_people(void **state)
{
    (void)state;
    char name[TEST_PATH_SIZE];
    int fd = env_file_create(folder.journal);
    env_disk()->name(fd, name, sizeof name);
    assert_string_equal(name, folder.journal);
    assert_true(env_file_close(fd));
    env_disk()->name(fd, name, sizeof name);
    assert_non_null(strstr(name, "descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(halves_and_interruptions_are_gone_on_from, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(full_disk_is_said_of_a_write, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(sync_that_failed_is_not_made_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(file_that_cannot_be_read_is_no_empty_one, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(stream_reads_what_was_written, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(open_file_has_a_name_for_people, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * journal_support.c: what the journal's tests share; journal_support.h lists it. One thread.
 */
#include "support/journal_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void test_folder_make(struct test_folder *folder)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder->folder, sizeof(folder->folder), "%s/troupe-journal-XXXXXX",
             base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(folder->folder));
    int len = snprintf(folder->journal, sizeof(folder->journal), "%s/journal.db", folder->folder);
    assert_in_range(len, 1, sizeof(folder->journal) - 1);
}

void test_folder_remove(struct test_folder *folder)
{
    DIR *directory = opendir(folder->folder);
    assert_non_null(directory);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        assert_int_equal(unlinkat(dirfd(directory), entry->d_name, 0), 0);
    }
    closedir(directory);
    assert_int_equal(rmdir(folder->folder), 0);
}

int test_folder_setup(void **state)
{
    struct test_folder *folder = calloc(1, sizeof(*folder));
    assert_non_null(folder);
    test_folder_make(folder);
    *state = folder;
    return 0;
}

int test_folder_teardown(void **state)
{
    test_folder_remove(*state);
    free(*state);
    return 0;
}

size_t test_file_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (size_t)about.st_size : 0;
}

struct journal *test_open(const struct journal_driver *driver, const char *where)
{
    struct journal *journal = NULL;
    struct journal_error error;
    troupe_status status = journal_open(driver, where, &journal, &error);
    if (status != TROUPE_OK)
        fail_msg("cannot open: %s (status %d)", error.text, (int)status);
    return journal;
}

size_t test_body(const char *stream, uint64_t seq, unsigned char *body, size_t size_max)
{
    uint64_t mix = seq * UINT64_C(0x9e3779b97f4a7c15);
    for (const char *at = stream; *at != '\0'; at++)
        mix = (mix ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    size_t size = mix % size_max;
    for (size_t i = 0; i < size; i++)
        body[i] = (unsigned char)(mix >> (i % 8 * 8));
    return size;
}

troupe_status test_stage(struct journal *journal, const char *stream, uint64_t expected_seq, uint32_t count)
{
    struct record_batch batch = {0};
    unsigned char body[TEST_BODY_SIZE_MAX];
    for (uint32_t i = 0; i < count; i++) {
        size_t size = test_body(stream, expected_seq + i + 1, body, sizeof(body));
        assert_int_equal(record_batch_append(&batch, TEST_RECORD_TYPE, 1, body, size), TROUPE_OK);
    }
    uint64_t seq = 0;
    troupe_status status = journal_stage(journal, stream, strlen(stream), expected_seq, batch.bytes.bytes,
                                         batch.bytes.size, &seq);
    if (status == TROUPE_OK)
        assert_int_equal(seq, expected_seq + count);
    record_batch_done(&batch);
    return status;
}

troupe_status test_append(struct journal *journal, const char *stream, uint64_t expected_seq, uint32_t count)
{
    troupe_status status = journal_begin(journal);
    if (status != TROUPE_OK)
        return status;
    troupe_status staged = test_stage(journal, stream, expected_seq, count);
    status = journal_commit(journal);
    return staged == TROUPE_OK ? status : staged;
}

static troupe_status check_entry(void *context, const struct journal_entry *entry)
{
    struct test_seen *seen = context;
    unsigned char body[TEST_BODY_SIZE_MAX];
    size_t size = test_body(seen->stream, entry->seq, body, sizeof(body));
    assert_int_equal(entry->seq, seen->from_seq + seen->count);
    assert_true(entry->position > seen->last_position);
    assert_int_equal(entry->record.type, TEST_RECORD_TYPE);
    assert_int_equal(entry->record.version, 1);
    assert_int_equal(entry->record.flags, 0);
    assert_int_equal(entry->record.size, size);
    assert_int_equal((uintptr_t)entry->record.body % RECORD_ALIGNMENT, 0);
    assert_memory_equal(entry->record.body, body, size);
    seen->count++;
    seen->last_position = entry->position;
    return TROUPE_OK;
}

troupe_status test_scan(struct journal *journal, const char *stream, uint64_t from_seq,
                        struct test_seen *seen)
{
    *seen = (struct test_seen){.stream = stream, .from_seq = from_seq == 0 ? 1 : from_seq};
    return journal_scan(journal, stream, strlen(stream), from_seq, check_entry, seen);
}

static int set_up(void **state, const struct journal_driver *driver)
{
    struct test_journal *test = calloc(1, sizeof(*test));
    test_folder_make(&test->folder);
    test->journal = test_open(driver, test->folder.journal);
    *state = test;
    return 0;
}

int test_journal_memory(void **state)
{
    return set_up(state, &journal_memory);
}

int test_journal_sqlite(void **state)
{
    return set_up(state, &journal_sqlite);
}

int test_journal_close(void **state)
{
    struct test_journal *test = *state;
    journal_close(&test->journal);
    test_folder_remove(&test->folder);
    free(test);
    return 0;
}

struct journal *test_journal_of(void **state)
{
    return ((struct test_journal *)*state)->journal;
}

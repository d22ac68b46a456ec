/* SPDX-License-Identifier: MIT */
/*
 * journal_support.h: what the journal's tests share: a folder of their own, appends in one line, and what a
 * scan saw. One thread.
 */
#ifndef SUPPORT_JOURNAL_SUPPORT_H
#define SUPPORT_JOURNAL_SUPPORT_H

#include <stdint.h>

#include "journal/journal.h"

enum {
    TEST_PATH_SIZE = 256,
    /** The type of every record that journal_test_append makes. */
    TEST_RECORD_TYPE = 77,
};

/** A folder of its own for one test, and the path of a journal in it. */
struct test_folder {
    char folder[TEST_PATH_SIZE];
    char journal[TEST_PATH_SIZE];
};

/** Makes an empty folder; the test fails when it cannot be. */
void test_folder_make(struct test_folder *folder);

/** Removes the folder and the files in it. */
void test_folder_remove(struct test_folder *folder);

/** The same as set-up and tear-down of one test, whose state is the folder. */
int test_folder_setup(void **state);
int test_folder_teardown(void **state);

/** The size of a file, 0 when there is none. */
size_t test_file_size(const char *path);

/** Opens, and fails the test with the journal's own words when that fails. */
struct journal *test_open(const struct journal_driver *driver, const char *where);

/**
 * Stages `count` records to the end of a stream, in the transaction that is open; bodies are as test_body
 * says.
 */
troupe_status test_stage(struct journal *journal, const char *stream, uint64_t expected_seq, uint32_t count);

/** A transaction with one append of `count` records. */
troupe_status test_append(struct journal *journal, const char *stream, uint64_t expected_seq, uint32_t count);

/** What a scan saw. */
struct test_seen {
    const char *stream;
    uint64_t from_seq;
    uint64_t count;
    uint64_t last_position;
};

/**
 * Scans a whole stream; each record must have its number, a higher place than the one before and the body
 * that test_stage gave it, or the test fails. `seen->count` counts also when the answer is not TROUPE_OK.
 */
troupe_status test_scan(struct journal *journal, const char *stream, uint64_t from_seq,
                        struct test_seen *seen);

/**
 * The body of a record that test_stage makes: some bytes, whose number and content follow from stream and
 * seq.
 */
size_t test_body(const char *stream, uint64_t seq, unsigned char *body, size_t size_max);

/** The largest body of test_body. */
#define TEST_BODY_SIZE_MAX 300

/** A folder and an open journal in it: the state of tests that run on each driver. */
struct test_journal {
    struct test_folder folder;
    struct journal *journal;
};

/** Set-ups and the tear-down of such a test, as cmocka has them. */
int test_journal_memory(void **state);
int test_journal_sqlite(void **state);
int test_journal_close(void **state);

/** The journal of the state. */
struct journal *test_journal_of(void **state);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Facts about a journal's file over time: a file of every version that ever was (tests/data/journals) opens,
 * reads as it read then, takes appends and has the same tables as one made today; a crash on the way leaves
 * the old file or the new one. One thread.
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
#include <sqlite3.h>

#include "base/checksum.h"
#include "journal/journal.h"
#include "journal/sqlite.h"
#include "support/journal_support.h"

/* What the file of each version holds: as many records, and the sum over all their bytes, by stream. */
static const struct {
    int version;
    uint64_t streams;
    uint64_t records;
    uint32_t checksum;
} files[] = {
    {1, 29, 112, 0x4a21dae4u},
    {2, 29, 194, 0x323b7f4du},
    {3, 14, 164, 0xa61912b4u},
    {4, 13, 195, 0x4fa48aa8u}, /* with an event of every type that there was then */
};

enum { FILE_COUNT = sizeof(files) / sizeof(files[0]), SCHEMA_TEXT_MAX = 8192 };

static void copy_file(int version, const char *to)
{
    char path[512];
    char block[4096];
    const char *source = getenv("TROUPE_SOURCE_DIR");
    snprintf(path, sizeof(path), "%s/tests/data/journals/schema-%d.db", source == NULL ? "." : source,
             version);
    FILE *in = fopen(path, "rb");
    FILE *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t size;
    while ((size = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(fwrite(block, 1, size, out), size);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* The tables as SQLite keeps them, in order. */
static void read_schema(const char *path, char text[SCHEMA_TEXT_MAX])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *list = NULL;
    size_t size = 0;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name || ': ' || sql FROM sqlite_schema ORDER BY 1", -1, &list, NULL),
        SQLITE_OK);
    while (sqlite3_step(list) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(list, 0);
        size += (size_t)snprintf(text + size, SCHEMA_TEXT_MAX - size, "%s\n", row == NULL ? "-" : row);
        assert_true(size < SCHEMA_TEXT_MAX);
    }
    sqlite3_finalize(list);
    sqlite3_close(db);
}

/* --- what is in a journal --- */

struct content {
    char names[64][JOURNAL_STREAM_LEN_MAX + 1];
    uint64_t streams;
    uint64_t records;
    uint32_t checksum;
};

static troupe_status note_stream(void *context, const struct journal_stream *stream)
{
    struct content *content = context;
    assert_true(content->streams < 64);
    snprintf(content->names[content->streams++], JOURNAL_STREAM_LEN_MAX + 1, "%s", stream->name);
    return TROUPE_OK;
}

static troupe_status note_entry(void *context, const struct journal_entry *entry)
{
    struct content *content = context;
    content->records++;
    content->checksum = checksum_extend(content->checksum, &entry->seq, sizeof(entry->seq));
    content->checksum = checksum_extend(content->checksum, &entry->record.type, sizeof(entry->record.type));
    content->checksum = checksum_extend(content->checksum, entry->record.body, entry->record.size);
    return TROUPE_OK;
}

static struct content read_content(struct journal *journal)
{
    struct content content = {0};
    assert_int_equal(journal_list(journal, "", note_stream, &content), TROUPE_OK);
    for (uint64_t i = 0; i < content.streams; i++)
        assert_int_equal(
            journal_scan(journal, content.names[i], strlen(content.names[i]), 0, note_entry, &content),
            TROUPE_OK);
    return content;
}

static int set_up(void **state)
{
    static struct test_folder folder;
    test_folder_make(&folder);
    *state = &folder;
    return 0;
}

static int tear_down(void **state)
{
    test_folder_remove(*state);
    return 0;
}

static void there_is_a_file_of_every_version(void **state)
{
    (void)state;
    assert_int_equal(FILE_COUNT, SQLITE_SCHEMA_VERSION);
    for (int version = 1; version <= SQLITE_SCHEMA_VERSION; version++)
        assert_int_equal(files[version - 1].version, version);
}

static void a_file_of_every_version_opens_and_reads_as_it_read_then(void **state)
{
    struct test_folder *folder = *state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        copy_file(files[i].version, folder->journal);
        for (int time = 0; time < 2; time++) { /* the second time it is of today's version */
            struct journal *journal = test_open(&journal_sqlite, folder->journal);
            struct content content = read_content(journal);
            assert_int_equal(content.streams, files[i].streams);
            assert_int_equal(content.records, files[i].records);
            assert_int_equal(content.checksum, files[i].checksum);
            assert_int_equal(journal_close(&journal), TROUPE_OK);
        }
        unlink(folder->journal);
    }
}

static void an_old_file_gets_the_tables_of_a_new_one_and_goes_on(void **state)
{
    struct test_folder *folder = *state;
    static char fresh[SCHEMA_TEXT_MAX];
    static char migrated[SCHEMA_TEXT_MAX];
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    read_schema(folder->journal, fresh);
    unlink(folder->journal);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        copy_file(files[i].version, folder->journal);
        journal = test_open(&journal_sqlite, folder->journal);
        assert_int_equal(test_append(journal, "fresh", 0, 3), TROUPE_OK);
        assert_int_equal(journal_close(&journal), TROUPE_OK);
        read_schema(folder->journal, migrated);
        assert_string_equal(migrated, fresh);
        journal = test_open(&journal_sqlite, folder->journal);
        assert_int_equal(read_content(journal).records, files[i].records + 3);
        assert_int_equal(journal_close(&journal), TROUPE_OK);
        unlink(folder->journal);
    }
}

static void an_old_file_says_that_it_has_no_cards_and_a_new_one_that_it_has(void **state)
{
    struct test_folder *folder = *state;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_true(journal_has_cards(journal));
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    unlink(folder->journal);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        copy_file(files[i].version, folder->journal);
        for (int time = 0; time < 3; time++) {
            journal = test_open(&journal_sqlite, folder->journal);
            assert_int_equal(journal_has_cards(journal), files[i].version >= 4 || time == 2);
            assert_int_equal(journal_begin(journal), TROUPE_OK);
            assert_int_equal(journal_complete_cards(journal), TROUPE_OK);
            if (time == 1) /* the first time nothing is committed */
                assert_int_equal(journal_commit(journal), TROUPE_OK);
            assert_int_equal(journal_close(&journal), TROUPE_OK);
        }
        unlink(folder->journal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_is_a_file_of_every_version),
        cmocka_unit_test_setup_teardown(a_file_of_every_version_opens_and_reads_as_it_read_then, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_old_file_says_that_it_has_no_cards_and_a_new_one_that_it_has,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_file_gets_the_tables_of_a_new_one_and_goes_on, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

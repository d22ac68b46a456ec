/* SPDX-License-Identifier: MIT */
/*
 * Facts about a journal's SQLite file: who may open it, what is refused untouched, how it is set up, and what
 * an opening after a crash finds. One thread; a crash is a child process that ends without closing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/disk.h"
#include "journal/file.h"
#include "journal/journal.h"
#include "journal/sqlite.h"
#include "journal/vfs.h"
#include "support/journal_support.h"

enum { CONTENT_SIZE_MAX = 1 << 16 };

static uint64_t count_of(struct journal *journal, const char *stream)
{
    struct test_seen seen;
    assert_int_equal(test_scan(journal, stream, 0, &seen), TROUPE_OK);
    return seen.count;
}

/* Runs `work` on the journal in a child that then ends without closing it. */
static void crash_after(const struct test_folder *folder, void (*work)(struct journal *journal))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = NULL;
        if (journal_open(&journal_sqlite, folder->journal, &journal, NULL) != TROUPE_OK)
            _exit(1);
        work(journal);
        _exit(0);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

/* Runs SQL on the file beside the driver; the first column of the last row, as a number. */
static sqlite3_int64 run_sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    sqlite3_int64 number = 0;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    while (*text != '\0') {
        int result = sqlite3_prepare_v2(db, text, -1, &statement, &text);
        while (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
            number = sqlite3_column_int64(statement, 0);
        if (result != SQLITE_OK || sqlite3_finalize(statement) != SQLITE_OK)
            fail_msg("%s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
    return number;
}

/* --- what a new opening finds --- */

static void closed_journal_opens_with_everything_and_no_log(void **state)
{
    struct test_folder *folder = *state;
    char log[TEST_PATH_SIZE + 8];
    snprintf(log, sizeof(log), "%s-wal", folder->journal);
    for (uint64_t life = 0; life < 4; life++) {
        struct journal *journal = test_open(&journal_sqlite, folder->journal);
        assert_int_equal(count_of(journal, "a"), life * 100);
        assert_int_equal(test_append(journal, "a", life * 100, 100), TROUPE_OK);
        assert_int_equal(test_append(journal, "b", life, 1), TROUPE_OK);
        assert_int_equal(journal_close(&journal), TROUPE_OK);
        assert_null(journal);
        assert_int_equal(test_file_size(log), 0);
    }
}

static void append_some(struct journal *journal)
{
    for (uint64_t i = 0; i < 30; i++) {
        if (test_append(journal, "a", i * 10, 10) != TROUPE_OK ||
            test_append(journal, "b", i, 1) != TROUPE_OK)
            _exit(2);
    }
    /* And something that was not committed. */
    if (journal_begin(journal) != TROUPE_OK || test_stage(journal, "a", 300, 5) != TROUPE_OK)
        _exit(3);
}

static void crashed_journal_opens_with_what_was_committed(void **state)
{
    struct test_folder *folder = *state;
    crash_after(folder, append_some);
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(count_of(journal, "a"), 300);
    assert_int_equal(count_of(journal, "b"), 30);
    assert_int_equal(test_append(journal, "a", 299, 1), TROUPE_CONFLICT);
    assert_int_equal(test_append(journal, "a", 300, 1), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

/*
 * Changes what a crash left, or a closed file, and sees that it is not opened; the folder is then a new one.
 */
static void assert_found_when_opening(struct test_folder *folder, const char *script)
{
    run_sql(folder->journal, script);
    struct journal *journal = NULL;
    struct journal_error error;
    troupe_status status = journal_open(&journal_sqlite, folder->journal, &journal, &error);
    if (status != TROUPE_CORRUPT)
        fail_msg("%s: nobody noticed", script);
    assert_non_null(strstr(error.text, folder->journal));
    test_folder_remove(folder);
    test_folder_make(folder);
}

static void damage_among_the_last_records_is_found_when_opening(void **state)
{
    static const char *const scripts[] = {
        "DELETE FROM record WHERE position = 40",
        "DELETE FROM record WHERE position = 329", /* the last one of its stream, not of all */
        "UPDATE record SET body = x'00' WHERE position = 40",
        "DELETE FROM stream WHERE name = 'b'",
        "UPDATE state SET heads_position = 4",
    };
    struct test_folder *folder = *state;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        crash_after(folder, append_some);
        assert_found_when_opening(folder, scripts[i]);
    }
}

static void end_that_the_last_records_do_not_follow_is_found_when_opening(void **state)
{
    /* A row that is whole in itself, as a write that reached the disk when another did not. */
    struct test_folder *folder = *state;
    char script[256];
    crash_after(folder, append_some);
    snprintf(script, sizeof(script),
             "UPDATE stream SET last_seq = 5, last_position = 5, checksum = %d WHERE name = 'a'",
             (int)(int32_t)sqlite_stream_checksum(1, "a", 1, 5, 5));
    assert_found_when_opening(folder, script);
}

static void end_of_a_closed_file_that_is_missing_is_found_when_opening(void **state)
{
    struct test_folder *folder = *state;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(test_append(journal, "a", 0, 9), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    assert_found_when_opening(folder, "DELETE FROM record WHERE position = 9");
}

static void append_past_heads(struct journal *journal)
{
    uint64_t seq = 0;
    while (seq < SQLITE_HEADS_EVERY + 100) {
        if (test_append(journal, "long", seq, 100) != TROUPE_OK || journal_upkeep(journal) != TROUPE_OK)
            _exit(2);
        seq += 100;
    }
}

static void upkeep_writes_the_ends_of_streams_down(void **state)
{
    struct test_folder *folder = *state;
    crash_after(folder, append_past_heads);
    sqlite3_int64 position = run_sql(folder->journal, "SELECT heads_position FROM state");
    assert_in_range(position, SQLITE_HEADS_EVERY, SQLITE_HEADS_EVERY + 100);
    assert_int_equal(run_sql(folder->journal, "SELECT last_seq FROM stream"), position);
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(sqlite_of(journal)->heads_position, position);
    assert_true(count_of(journal, "long") > SQLITE_HEADS_EVERY);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

static void ends_of_streams_beyond_the_cache_are_read_again(void **state)
{
    struct test_folder *folder = *state;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    struct record_batch batch = {0};
    assert_int_equal(record_batch_append(&batch, TEST_RECORD_TYPE, 1, "x", 1), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    for (int i = 0; i <= SQLITE_HEADS_CACHED_MAX; i++) {
        char name[32];
        uint64_t seq;
        int len = snprintf(name, sizeof(name), "s%d", i);
        if (journal_stage(journal, name, (size_t)len, 0, batch.bytes.bytes, batch.bytes.size, &seq) !=
            TROUPE_OK)
            fail();
    }
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(sqlite_of(journal)->heads.count, SQLITE_HEADS_CACHED_MAX + 1);
    assert_int_equal(journal_upkeep(journal), TROUPE_OK);
    assert_int_equal(sqlite_of(journal)->heads.count, 0);

    assert_int_equal(journal_begin(journal), TROUPE_OK);
    uint64_t seq = 0;
    assert_int_equal(journal_stage(journal, "s7", 2, 0, batch.bytes.bytes, batch.bytes.size, &seq),
                     TROUPE_CONFLICT);
    assert_int_equal(seq, 1);
    assert_int_equal(journal_stage(journal, "s7", 2, 1, batch.bytes.bytes, batch.bytes.size, &seq),
                     TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(sqlite_of(journal)->heads.count, 1);
    record_batch_done(&batch);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

static void log_is_copied_into_the_file_and_begins_anew(void **state)
{
    struct test_folder *folder = *state;
    enum { RECORD = 256 << 10, COUNT = 200 };
    char log[TEST_PATH_SIZE + 8];
    snprintf(log, sizeof(log), "%s-wal", folder->journal);
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    size_t most = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct record_batch batch = {0};
        void *body;
        uint64_t seq;
        assert_int_equal(record_batch_add(&batch, 1, 1, RECORD, &body), TROUPE_OK);
        assert_int_equal(journal_begin(journal), TROUPE_OK);
        assert_int_equal(journal_stage(journal, "s", 1, i, batch.bytes.bytes, batch.bytes.size, &seq),
                         TROUPE_OK);
        assert_int_equal(journal_commit(journal), TROUPE_OK);
        assert_int_equal(journal_upkeep(journal), TROUPE_OK);
        record_batch_done(&batch);
        size_t size = test_file_size(log);
        most = size > most ? size : most;
    }
    /* 50 MB were written; the log never had much more than 4,096 pages. */
    assert_in_range(most, (size_t)SQLITE_CHECKPOINT_PAGES * 4096,
                    (size_t)SQLITE_CHECKPOINT_PAGES * 4096 * 3 / 2);
    assert_in_range(test_file_size(folder->journal), (size_t)RECORD * COUNT / 2, SIZE_MAX);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

/* --- who may open it --- */

static int fstats;

static int counted_fstat(int fd, struct stat *ret_about)
{
    fstats++;
    return env_linux_disk.fstat(fd, ret_about);
}

/* Either makes the sync of a commit take up to twice as long: a log that becomes longer, a look at it. */
static void commits_neither_look_at_the_log_nor_make_it_longer_each_time(void **state)
{
    struct test_folder *folder = *state;
    static struct env_disk counting;
    char log[TEST_PATH_SIZE + 8];
    snprintf(log, sizeof(log), "%s-wal", folder->journal);
    counting = env_linux_disk;
    counting.fstat = counted_fstat;
    env_disk_set(&counting);
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(test_append(journal, "a", 0, 1), TROUPE_OK);
    assert_int_equal(test_file_size(log), VFS_LOG_GROWTH);
    fstats = 0;
    uint64_t count = 1;
    for (; count < 20; count++)
        assert_int_equal(test_append(journal, "a", count, 1), TROUPE_OK);
    assert_int_equal(fstats, 0);
    assert_int_equal(test_file_size(log), VFS_LOG_GROWTH);
    for (; test_file_size(log) == VFS_LOG_GROWTH; count++)
        assert_int_equal(test_append(journal, "a", count, 1), TROUPE_OK);
    assert_int_equal(test_file_size(log), 2 * VFS_LOG_GROWTH);
    assert_int_equal(fstats, 1);
    assert_int_equal(count_of(journal, "a"), count);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    env_disk_set(NULL);
}

static void second_server_is_refused_and_told_who_has_it(void **state)
{
    struct test_folder *folder = *state;
    struct journal *first = test_open(&journal_sqlite, folder->journal);
    struct journal *second = NULL;
    struct journal_error error;
    char expected[TEST_PATH_SIZE + 64];
    snprintf(expected, sizeof(expected), "%s is in use by another server (process %ld)", folder->journal,
             (long)getpid());

    assert_int_equal(journal_open(&journal_sqlite, folder->journal, &second, &error), TROUPE_CONFLICT);
    assert_string_equal(error.text, expected);
    pid_t child = fork();
    if (child == 0)
        _exit(journal_open(&journal_sqlite, folder->journal, &second, &error) == TROUPE_CONFLICT ? 0 : 1);
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);

    /* The first is none the worse for it, and after it the next one may. */
    assert_int_equal(test_append(first, "a", 0, 1), TROUPE_OK);
    assert_int_equal(journal_close(&first), TROUPE_OK);
    second = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(count_of(second, "a"), 1);
    assert_int_equal(journal_close(&second), TROUPE_OK);
}

static size_t read_file(const char *path, char *content)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(content, 1, CONTENT_SIZE_MAX, file);
    fclose(file);
    return size;
}

/*
 * Tries to open the file that is there; it must be refused with this text in the reason, and stay as it is.
 */
static void assert_refused(const struct test_folder *folder, troupe_status status, const char *text)
{
    static char before[CONTENT_SIZE_MAX];
    static char after[CONTENT_SIZE_MAX];
    char log[TEST_PATH_SIZE + 8];
    struct journal *journal = NULL;
    struct journal_error error;
    size_t size = read_file(folder->journal, before);
    assert_int_equal(journal_open(&journal_sqlite, folder->journal, &journal, &error), status);
    if (strstr(error.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, text);
    assert_int_equal(read_file(folder->journal, after), size);
    assert_memory_equal(before, after, size);
    snprintf(log, sizeof(log), "%s-wal", folder->journal);
    assert_int_not_equal(access(log, F_OK), 0);
}

static void file_of_another_kind_is_refused_untouched(void **state)
{
    struct test_folder *folder = *state;
    FILE *file = fopen(folder->journal, "w");
    fputs("my diary\n", file);
    fclose(file);
    assert_refused(folder, TROUPE_INVALID, "is not a journal: it is no SQLite file");
    unlink(folder->journal);

    run_sql(folder->journal, "CREATE TABLE recipe (name TEXT)");
    assert_refused(folder, TROUPE_INVALID,
                   "belongs to another application (its application id is 0x00000000");
    run_sql(folder->journal, "PRAGMA application_id = 0x47504b47");
    assert_refused(folder, TROUPE_INVALID,
                   "belongs to another application (its application id is 0x47504b47");
    run_sql(folder->journal, "PRAGMA journal_mode = WAL");
    unlink(folder->journal);
}

static void file_of_a_newer_version_is_refused_untouched(void **state)
{
    struct test_folder *folder = *state;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    char script[96];
    char expected[96];
    snprintf(script, sizeof(script), "PRAGMA journal_mode = DELETE; PRAGMA user_version = %d",
             SQLITE_SCHEMA_VERSION + 1);
    snprintf(expected, sizeof(expected), "has format %d, made by a newer version; this one reads up to %d",
             SQLITE_SCHEMA_VERSION + 1, SQLITE_SCHEMA_VERSION);
    run_sql(folder->journal, script);
    assert_refused(folder, TROUPE_INVALID, expected);
}

static void file_that_is_only_named_a_journal_is_corrupt(void **state)
{
    struct test_folder *folder = *state;
    run_sql(folder->journal,
            "PRAGMA application_id = 0x54525045; PRAGMA user_version = 1; CREATE TABLE x (y)");
    /* Whatever step fails first, nothing of it stays. */
    struct journal *journal = NULL;
    struct journal_error error;
    assert_int_equal(journal_open(&journal_sqlite, folder->journal, &journal, &error), TROUPE_CORRUPT);
    assert_non_null(strstr(error.text, "no such table: state"));
}

static void a_damaged_snapshot_is_corrupt_and_the_records_are_there(void **state)
{
    struct test_folder *folder = *state;
    static const char *const damages[] = {
        "UPDATE snapshot SET body = CAST('x' || substr(body, 2) AS BLOB)",
        "UPDATE snapshot SET seq = seq - 1", "UPDATE snapshot SET seq = seq + 1",
        "UPDATE snapshot SET stream = 3 - stream", "UPDATE snapshot SET checksum = checksum + 1"};
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct journal *journal = test_open(&journal_sqlite, folder->journal);
        struct test_seen seen;
        struct buffer bytes = {0};
        uint64_t seq = 0;
        uint64_t unused = 0;
        assert_int_equal(test_append(journal, "a", 0, 3), TROUPE_OK);
        assert_int_equal(test_append(journal, "b", 0, 3), TROUPE_OK);
        assert_int_equal(journal_begin(journal), TROUPE_OK);
        assert_int_equal(journal_keep(journal, JOURNAL_SNAPSHOT, "a", 1, 3, "state of a", 10, &unused),
                         TROUPE_OK);
        assert_int_equal(journal_commit(journal), TROUPE_OK);
        assert_int_equal(journal_close(&journal), TROUPE_OK);
        run_sql(folder->journal, damages[i]);
        journal = test_open(&journal_sqlite, folder->journal);
        const char *stream = i == 3 ? "b" : "a";
        assert_int_equal(journal_recall(journal, JOURNAL_SNAPSHOT, stream, 1, &bytes, &seq), TROUPE_CORRUPT);
        assert_int_equal(bytes.size, 0);
        assert_non_null(strstr(journal_error(journal), "fails its checksum"));
        assert_int_equal(test_scan(journal, stream, 0, &seen), TROUPE_OK);
        assert_int_equal(seen.count, 3);
        assert_int_equal(journal_close(&journal), TROUPE_OK);
        unlink(folder->journal);
        buffer_done(&bytes);
    }
}

static void log_without_its_file_is_not_written_over(void **state)
{
    struct test_folder *folder = *state;
    crash_after(folder, append_some);
    char log[TEST_PATH_SIZE + 8];
    snprintf(log, sizeof(log), "%s-wal", folder->journal);
    size_t size = test_file_size(log);
    assert_in_range(size, 1, SIZE_MAX);
    unlink(folder->journal);
    struct journal *journal = NULL;
    struct journal_error error;
    assert_int_equal(journal_open(&journal_sqlite, folder->journal, &journal, &error), TROUPE_CORRUPT);
    assert_non_null(strstr(error.text, "is missing but its log"));
    assert_int_equal(test_file_size(log), size);
}

static void path_that_cannot_be_is_refused_with_the_reason(void **state)
{
    struct test_folder *folder = *state;
    char path[TEST_PATH_SIZE + 32];
    struct journal *journal = NULL;
    struct journal_error error;
    snprintf(path, sizeof(path), "%s/nowhere/journal.db", folder->folder);
    assert_int_equal(journal_open(&journal_sqlite, path, &journal, &error), TROUPE_IO);
    assert_non_null(strstr(error.text, "No such file or directory"));
    assert_int_equal(journal_open(&journal_sqlite, "", &journal, &error), TROUPE_INVALID);
}

static void path_at_the_limit_is_taken_and_one_byte_more_is_refused(void **state)
{
    struct test_folder *folder = *state;
    char path[FILE_PATH_LEN_MAX + 2];
    char deep[3][FILE_PATH_LEN_MAX + 2];
    struct journal *journal = NULL;
    struct journal_error error;
    int len = snprintf(path, sizeof(path), "%s", folder->folder);
    for (size_t i = 0; i < 3; i++) {
        len += snprintf(path + len, sizeof(path) - (size_t)len, "/%0100d", (int)i);
        snprintf(deep[i], sizeof(deep[i]), "%s", path);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path + len, sizeof(path) - (size_t)len, "/%0*d", FILE_PATH_LEN_MAX - len, 0);
    assert_int_equal(strlen(path), FILE_PATH_LEN_MAX + 1);
    assert_int_equal(journal_open(&journal_sqlite, path, &journal, &error), TROUPE_INVALID);
    assert_non_null(strstr(error.text, "1 to 480 bytes"));
    path[FILE_PATH_LEN_MAX] = '\0';
    assert_int_equal(journal_open(&journal_sqlite, path, &journal, &error), TROUPE_OK);
    assert_int_equal(test_append(journal, "a", 0, 1), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    assert_int_equal(unlink(path), 0);
    static const char *const endings[] = {".lock", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char side[FILE_PATH_SIZE];
        snprintf(side, sizeof(side), "%s%s", path, endings[i]);
        unlink(side);
    }
    for (size_t i = 3; i > 0; i--)
        assert_int_equal(rmdir(deep[i - 1]), 0);
}

/* --- how it is set up --- */

static sqlite3_int64 setting(struct journal *journal, const char *pragma)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(sqlite_of(journal)->db, pragma, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    sqlite3_int64 number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static void new_file_is_set_up_for_durability(void **state)
{
    struct test_folder *folder = *state;
    enum { FULL = 2, WAL_FORMAT_AT = 18, WAL_FORMAT = 2 };
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(setting(journal, "PRAGMA synchronous"), FULL);
    assert_int_equal(setting(journal, "PRAGMA mmap_size"), 0);
    assert_int_equal(setting(journal, "PRAGMA application_id"), 0x54525045);
    assert_int_equal(setting(journal, "PRAGMA user_version"), SQLITE_SCHEMA_VERSION);
    assert_int_equal(
        setting(journal, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'record'"),
        0);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    static char content[CONTENT_SIZE_MAX];
    assert_in_range(read_file(folder->journal, content), 1, CONTENT_SIZE_MAX);
    assert_int_equal(content[WAL_FORMAT_AT], WAL_FORMAT);
    struct stat about;
    assert_int_equal(stat(folder->journal, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void rest_of_an_interrupted_making_is_no_obstacle(void **state)
{
    struct test_folder *folder = *state;
    static const char *const endings[] = {".new", ".new-journal"};
    for (size_t i = 0; i < 2; i++) {
        char path[TEST_PATH_SIZE + 16];
        snprintf(path, sizeof(path), "%s%s", folder->journal, endings[i]);
        FILE *file = fopen(path, "w");
        fputs("half a file", file);
        fclose(file);
    }
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    assert_int_equal(test_append(journal, "a", 0, 1), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    assert_int_equal(run_sql(folder->journal, "SELECT count(*) FROM record"), 1);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(closed_journal_opens_with_everything_and_no_log),
        IN_FOLDER(crashed_journal_opens_with_what_was_committed),
        IN_FOLDER(damage_among_the_last_records_is_found_when_opening),
        IN_FOLDER(end_that_the_last_records_do_not_follow_is_found_when_opening),
        IN_FOLDER(end_of_a_closed_file_that_is_missing_is_found_when_opening),
        IN_FOLDER(upkeep_writes_the_ends_of_streams_down),
        IN_FOLDER(ends_of_streams_beyond_the_cache_are_read_again),
        IN_FOLDER(log_is_copied_into_the_file_and_begins_anew),
        IN_FOLDER(commits_neither_look_at_the_log_nor_make_it_longer_each_time),
        IN_FOLDER(second_server_is_refused_and_told_who_has_it),
        IN_FOLDER(file_of_another_kind_is_refused_untouched),
        IN_FOLDER(file_of_a_newer_version_is_refused_untouched),
        IN_FOLDER(file_that_is_only_named_a_journal_is_corrupt),
        IN_FOLDER(a_damaged_snapshot_is_corrupt_and_the_records_are_there),
        IN_FOLDER(log_without_its_file_is_not_written_over),
        IN_FOLDER(path_that_cannot_be_is_refused_with_the_reason),
        IN_FOLDER(path_at_the_limit_is_taken_and_one_byte_more_is_refused),
        IN_FOLDER(new_file_is_set_up_for_durability),
        IN_FOLDER(rest_of_an_interrupted_making_is_no_obstacle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about the SQLite driver on a disk that fails, one call after the other: it is full, broken, out of
 * descriptors, interrupted, or does half of what it was asked for. Whichever call it is, from the making of
 * the file to its closing:
 *
 *   - what went wrong is TROUPE_IO, with the call, the file and the system's reason in words
 *   - after it nothing is acknowledged, written or synced any more
 *   - nothing that was acknowledged is lost once the disk works again, nothing is half there, and it goes on
 *   - every file is closed
 *   - an interrupted call, or half of one, is made again or finished, and nobody hears of it
 *
 * What fails alone and is an error fails at every call; the rest at every third, and under a sanitizer, which
 * looks for other things, at every seventh. TROUPE_FAULT=scenario/fault/mode/n runs any one. One thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/backup.h"
#include "journal/journal.h"
#include "journal/sqlite.h"
#include "support/disk_faults.h"
#include "support/journal_support.h"

enum {
    COMMITS = 3,
    EACH = 2,
    CALLS_MAX = 2000,
    LOCK_TEXT_SIZE = 512,
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif

static const char *const names[2] = {"role/a", "role/b"};

/* What a run was told. */
struct told {
    bool is_open;
    uint64_t acknowledged[2]; /* the last number of each stream */
    uint64_t staged[2];       /* and what the commit that failed would have made it */
    char text[JOURNAL_ERROR_SIZE];
};

struct scenario {
    const char *name;
    void (*prepare)(const struct test_folder *folder, struct told *told);
    troupe_status (*run)(const struct test_folder *folder, struct told *told);
    void (*check)(const struct test_folder *folder, const struct told *told, troupe_status status);
};

static struct {
    const char *scenario;
    const char *fault;
    const char *mode;
    uint64_t n;
} current;

/* -- what a run does ------------------------------------------------------------------------------------- */

static troupe_status note(struct told *told, troupe_status status, const char *text)
{
    if (status != TROUPE_OK && told->text[0] == '\0')
        snprintf(told->text, sizeof told->text, "%s", text);
    return status;
}

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

/* One card a commit, whose id is the number that the first stream ends with then. */
static troupe_status put_card(struct journal *journal, uint64_t id)
{
    struct record_batch cards = {0};
    journal_card_fields card = {.id = id, .state = 1, .title = "a card", .text = "nothing"};
    assert_int_equal(journal_card_add(&cards, &card), TROUPE_OK);
    troupe_status status =
        journal_put(journal, JOURNAL_CARDS, names[0], strlen(names[0]), cards.bytes.bytes, cards.bytes.size);
    record_batch_done(&cards);
    return status;
}

static troupe_status count_card(void *context, const journal_card_fields *card)
{
    (*(uint64_t *)context)++;
    return card->id % EACH == 0 ? TROUPE_OK : TROUPE_CORRUPT;
}

/* As many cards are found by a word as there were commits. */
static troupe_status find_cards(struct journal *journal, uint64_t last)
{
    const struct journal_query query = {.words = "nothing"};
    uint64_t found = 0;
    uint64_t next = 0;
    troupe_status status = journal_find(journal, &query, count_card, &found, &next);
    if (status == TROUPE_OK)
        assert_int_equal(found, last / EACH);
    return status;
}

/* A file of a version without a catalogue is given one. */
static troupe_status complete_cards(struct journal *journal)
{
    if (journal_has_cards(journal))
        return TROUPE_OK;
    troupe_status status = journal_begin(journal);
    if (status == TROUPE_OK)
        status = journal_forget_cards(journal);
    if (status == TROUPE_OK)
        status = journal_complete_cards(journal);
    return status == TROUPE_OK ? journal_commit(journal) : status;
}

static troupe_status run_commit(struct journal *journal, struct told *told)
{
    uint64_t unused;
    troupe_status status = journal_begin(journal);
    for (size_t i = 0; i < 2 && status == TROUPE_OK; i++) {
        status = test_stage(journal, names[i], told->acknowledged[i], EACH);
        told->staged[i] = told->acknowledged[i] + EACH;
    }
    if (status == TROUPE_OK)
        status = journal_keep(journal, JOURNAL_SNAPSHOT, names[0], strlen(names[0]), told->staged[0],
                              &told->staged[0], sizeof told->staged[0], &unused);
    if (status == TROUPE_OK)
        status = put_card(journal, told->staged[0]);
    if (status == TROUPE_OK)
        status = journal_commit(journal);
    if (status == TROUPE_OK)
        memcpy(told->acknowledged, told->staged, sizeof(told->acknowledged));
    return status;
}

static void ignore(void *context, const char *finding)
{
    (void)context;
    print_error("%s\n", finding);
}

/* Reads everything back, past the memory that SQLite has of it. */
static troupe_status read_back(struct journal *journal, const struct told *told)
{
    troupe_status status = TROUPE_OK;
    sqlite3_db_release_memory(sqlite_of(journal)->db);
    for (size_t i = 0; i < 2 && status == TROUPE_OK; i++) {
        struct test_seen seen;
        status = test_scan(journal, names[i], 0, &seen);
        if (status == TROUPE_OK)
            assert_int_equal(seen.count, told->acknowledged[i]);
    }
    if (status == TROUPE_OK)
        status = find_cards(journal, told->acknowledged[0]);
    if (status == TROUPE_OK)
        status = journal_verify(journal, ignore, NULL);
    return status;
}

/* A life: opens, commits and checkpoints, reads, closes; stops at the first failure. */
static troupe_status live(const struct test_folder *folder, struct told *told)
{
    struct journal *journal = NULL;
    struct journal_error error = {""};
    troupe_status status = journal_open(&journal_sqlite, folder->journal, &journal, &error);
    if (status != TROUPE_OK)
        return note(told, status, error.text);
    told->is_open = true;
    status = complete_cards(journal);
    for (int i = 0; i < COMMITS && status == TROUPE_OK; i++) {
        status = run_commit(journal, told);
        if (i == 1)
            sqlite_of(journal)->checkpoint_pages = 1; /* due at once */
        if (status == TROUPE_OK)
            status = journal_upkeep(journal);
    }
    if (status == TROUPE_OK)
        status = read_back(journal, told);
    if (status == TROUPE_OK)
        status = journal_finish(journal);
    note(told, status, journal_error(journal));
    if (status == TROUPE_IO)
        assert_dead(journal);
    troupe_status closed = journal_close(&journal);
    assert_int_equal(closed, status == TROUPE_CORRUPT ? TROUPE_OK : status);
    return status;
}

/* On a disk that works: everything acknowledged is there, and of the rest all or nothing. */
static void check_life(const struct test_folder *folder, const struct told *told, troupe_status status)
{
    (void)status;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    struct test_seen seen;
    bool is_all = false;
    assert_int_equal(journal_verify(journal, ignore, NULL), TROUPE_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(test_scan(journal, names[i], 0, &seen), TROUPE_OK);
        if (i == 0)
            is_all = seen.count == told->staged[0] && told->staged[0] > 0;
        assert_int_equal(seen.count, is_all ? told->staged[i] : told->acknowledged[i]);
    }
    assert_true(journal_has_cards(journal) || seen.count == 0);
    if (journal_has_cards(journal))
        assert_int_equal(find_cards(journal, is_all ? told->staged[0] : told->acknowledged[0]), TROUPE_OK);
    /* And it goes on. */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(test_append(journal, names[i], is_all ? told->staged[i] : told->acknowledged[i], 1),
                         TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

/* -- where it begins ------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    char block[4096];
    size_t size;
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    while ((size = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(fwrite(block, 1, size, out), size);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void nothing_is_there(const struct test_folder *folder, struct told *told)
{
    (void)folder;
    (void)told;
}

/* What a server leaves that was killed: a file, and a log with more. */
static void log_is_left(const struct test_folder *folder, struct told *told)
{
    struct test_folder other;
    char from[TEST_PATH_SIZE + 8];
    char to[TEST_PATH_SIZE + 8];
    test_folder_make(&other);
    struct journal *journal = test_open(&journal_sqlite, other.journal);
    assert_int_equal(run_commit(journal, told), TROUPE_OK);
    assert_int_equal(run_commit(journal, told), TROUPE_OK);
    copy_file(other.journal, folder->journal);
    snprintf(from, sizeof from, "%s-wal", other.journal);
    snprintf(to, sizeof to, "%s-wal", folder->journal);
    assert_true(test_file_size(from) > 0);
    copy_file(from, to);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    test_folder_remove(&other);
}

static void old_file_is_there(const struct test_folder *folder, struct told *told)
{
    char path[512];
    const char *source = getenv("TROUPE_SOURCE_DIR");
    (void)told;
    snprintf(path, sizeof(path), "%s/tests/data/journals/schema-1.db", source == NULL ? "." : source);
    copy_file(path, folder->journal);
}

/* -- backup ---------------------------------------------------------------------------------------------- */

static void name_backup(const struct test_folder *folder, char path[TEST_PATH_SIZE])
{
    int len = snprintf(path, TEST_PATH_SIZE, "%s/copy.db", folder->folder);
    assert_in_range(len, 1, TEST_PATH_SIZE - 1);
}

static troupe_status back_up(const struct test_folder *folder, struct told *told)
{
    char path[TEST_PATH_SIZE];
    struct journal_error error = {""};
    name_backup(folder, path);
    return note(told, journal_backup(folder->journal, path, &error), error.text);
}

/* A copy that was made has everything; one that was not made is not there, or is whole all the same. */
static void check_backup(const struct test_folder *folder, const struct told *told, troupe_status status)
{
    struct test_folder copy = *folder;
    name_backup(folder, copy.journal);
    if (status == TROUPE_OK || test_file_size(copy.journal) > 0)
        check_life(&copy, told, status);
    check_life(folder, told, status);
}

/* -- a lock ---------------------------------------------------------------------------------------------- */

static int other_lock;

static void somebody_has_the_lock(const struct test_folder *folder, struct told *told)
{
    char path[LOCK_TEXT_SIZE];
    (void)told;
    snprintf(path, sizeof path, "%s.lock", folder->journal);
    other_lock = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(other_lock >= 0);
    assert_int_equal(flock(other_lock, LOCK_EX), 0);
}

static troupe_status meet_the_lock(const struct test_folder *folder, struct told *told)
{
    struct journal *journal = NULL;
    struct journal_error error = {""};
    troupe_status status = journal_open(&journal_sqlite, folder->journal, &journal, &error);
    assert_true(status == TROUPE_CONFLICT || status == TROUPE_IO);
    assert_null(journal);
    if (status == TROUPE_CONFLICT)
        assert_non_null(strstr(error.text, "is in use by another server"));
    return status == TROUPE_CONFLICT ? TROUPE_OK : note(told, status, error.text);
}

static void check_lock(const struct test_folder *folder, const struct told *told, troupe_status status)
{
    assert_int_equal(test_file_size(folder->journal), 0);
    close(other_lock);
    check_life(folder, told, status);
}

static const struct scenario scenarios[] = {
    {"fresh", nothing_is_there, live, check_life},
    {"log", log_is_left, live, check_life},
    {"old", old_file_is_there, live, check_life},
    {"backup", log_is_left, back_up, check_backup},
    {"locked", somebody_has_the_lock, meet_the_lock, check_lock},
};

/* -- every call in turn ---------------------------------------------------------------------------------- */

struct fault {
    const char *name;
    enum disk_fault kind;
    int error;             /* 0: nobody hears of it */
    enum faults_mode mode; /* beside FAULTS_ONCE */
};

static const struct fault faults[] = {
    {"full", DISK_IS_FULL, ENOSPC, FAULTS_ON},
    {"broken", DISK_IS_BROKEN, EIO, FAULTS_ON},
    {"files", DISK_HAS_NO_FILES, EMFILE, FAULTS_ON},
    {"sync", DISK_SYNC_FAILS, EIO, FAULTS_ONCE},
    {"short-write", DISK_WRITES_SHORT, 0, FAULTS_EVERY},
    {"short-read", DISK_READS_SHORT, 0, FAULTS_EVERY},
    {"interrupted", DISK_IS_INTERRUPTED, 0, FAULTS_EVERY},
};

static const char *const mode_names[] = {
    [FAULTS_ONCE] = "once", [FAULTS_ON] = "on", [FAULTS_EVERY] = "every"};

/* What was said names the call that failed, the file and the reason. */
static void assert_clear(const struct test_folder *folder, const struct fault *fault, const char *text)
{
    if (strstr(text, folder->folder) == NULL || strstr(text, strerror(fault->error)) == NULL)
        fail_msg("after %s: %s", disk_faults_what(), text);
}

/* Runs a scenario with one fault. False: the run has no such call. */
static bool run_with(const struct scenario *scenario, const struct fault *fault, enum faults_mode mode,
                     uint64_t n)
{
    struct test_folder folder;
    struct told told = {0};
    current.scenario = scenario->name;
    current.fault = fault->name;
    current.mode = mode_names[mode];
    current.n = n;
    test_folder_make(&folder);
    disk_faults_install();
    scenario->prepare(&folder, &told);
    assert_int_equal(disk_faults_open_files(), 0);

    disk_faults_arm(fault->kind, mode, n);
    troupe_status status = scenario->run(&folder, &told);
    uint64_t failed = disk_faults_failed();
    if (status != TROUPE_OK) {
        if (failed == 0 || fault->error == 0 || status != TROUPE_IO)
            fail_msg("after %s: %s", disk_faults_what(), told.text);
        assert_clear(&folder, fault, told.text);
        if (told.is_open)
            assert_int_equal(disk_faults_changes_after(), 0);
    }
    assert_int_equal(disk_faults_open_files(), 0);
    disk_faults_remove();
    scenario->check(&folder, &told, status);
    test_folder_remove(&folder);
    return failed > 0;
}

static bool is_wanted(const struct scenario *scenario, const struct fault *fault, enum faults_mode mode,
                      uint64_t n)
{
    const char *given = getenv("TROUPE_FAULT");
    char words[128];
    snprintf(words, sizeof words, "%s/%s/%s/%" PRIu64, scenario->name, fault->name, mode_names[mode], n);
    return given == NULL || strcmp(given, words) == 0;
}

/* Whether the fault happens at this call. */
static bool is_due(const struct fault *fault, enum faults_mode mode, uint64_t n)
{
    if (mode == FAULTS_EVERY)
        return n > 1 && n < 8; /* every call for ever is no disk; every eighth is once and again */
    return IS_SANITIZED ? n % 7 == 1 : mode == FAULTS_ONCE && fault->error != 0 ? true : n % 3 == 1;
}

/* Every run of a scenario; answers up to which call. */
static uint64_t run_all(const struct scenario *scenario, const struct fault *fault, enum faults_mode mode)
{
    bool is_alone = getenv("TROUPE_FAULT") != NULL;
    for (uint64_t n = 1; n < CALLS_MAX; n++) {
        if (is_alone ? !is_wanted(scenario, fault, mode, n) : !is_due(fault, mode, n))
            continue;
        if (!run_with(scenario, fault, mode, n))
            return n - 1;
    }
    assert_true(mode == FAULTS_EVERY || is_alone);
    return 0;
}

static void run_fault(const struct fault *fault)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        uint64_t calls = run_all(&scenarios[i], fault, FAULTS_ONCE);
        print_message("%s/%s: %" PRIu64 "\n", scenarios[i].name, fault->name, calls);
        if (fault->mode != FAULTS_ONCE)
            (void)run_all(&scenarios[i], fault, fault->mode);
    }
}

static int say_how_to_replay(void **state)
{
    (void)state;
    if (current.scenario != NULL)
        print_error("replay: TROUPE_FAULT=%s/%s/%s/%" PRIu64 "\n", current.scenario, current.fault,
                    current.mode, current.n);
    disk_faults_remove();
    return 0;
}

static void every_fault_anywhere_loses_nothing_acknowledged(void **state)
{
    run_fault(*state);
    current.scenario = NULL;
}

/* SQLite asks for some things once in a process; the runs after it are all alike. */
static int live_once(void **state)
{
    const struct fault none = {.name = "none"};
    (void)state;
    (void)run_with(&scenarios[0], &none, FAULTS_ONCE, 0);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[sizeof faults / sizeof faults[0]];
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        tests[i] = (struct CMUnitTest){
            .name = faults[i].name,
            .test_func = every_fault_anywhere_loses_nothing_acknowledged,
            .teardown_func = say_how_to_replay,
            .initial_state = (void *)(uintptr_t)&faults[i],
        };
    /* What a disk does is made up here, so the files themselves may lie in memory: it is ten times faster. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    return cmocka_run_group_tests(tests, live_once, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * journal.c: how fast records become durable, and how fast streams are read back. Records of 256 bytes to
 * 1,000 streams, in groups of 1, 16 and 128:
 *
 *   driver     the journal's SQLite driver: one append a record, `group` appends a commit
 *   plain      the same rows by SQLite alone: the driver's columns and settings, without checksums, checks,
 *              ends of streams and marks
 *   indexed    the same with an index on (stream, seq), which is how a table of events is usually laid
 *   writer     through the writer actor: `group` owners, each of which sends when the last was answered
 *
 * and 60,000 records of 5,000 streams: the file opened, read stream by stream by the driver, and read by
 * 5,000 actors at once through the writer.
 *
 *   journal [--n N] [--rounds N] [--dir DIR] [--only appends|reads]
 *
 * prints one JSON object a line: the best of the rounds, in which the candidates take turns.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>
#include <troupe.h>

#include "journal/journal.h"
#include "journal/sqlite.h"
#include "journal/writer.h"

enum {
    BODY_SIZE = 256,
    STREAMS = 1000,
    WAKING_STREAMS = 5000,
    WAKING_EACH = 12,
    ROUNDS_MAX = 100,
    TIMEOUT_MS = 600000,
};

static const char *folder = ".";
static char path[4096];

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "journal: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void remove_files(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", "-journal"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char name[sizeof(path) + 16];
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

static void body_of(uint64_t number, unsigned char body[BODY_SIZE])
{
    uint64_t mix = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < BODY_SIZE; i += sizeof(mix)) {
        mix ^= mix << 13;
        mix ^= mix >> 7;
        mix ^= mix << 17;
        memcpy(body + i, &mix, sizeof(mix));
    }
}

/* The stream of each record, the same for everybody: not in turn, as life is not. */
static uint32_t stream_of(uint64_t number)
{
    return (uint32_t)((number * UINT64_C(0x9e3779b97f4a7c15) >> 40) % STREAMS);
}

/* Names are made once: nobody's time to print them is measured. */
static char names[WAKING_STREAMS][32];
static size_t name_lens[WAKING_STREAMS];

static void make_names(void)
{
    for (uint32_t i = 0; i < WAKING_STREAMS; i++)
        name_lens[i] = (size_t)snprintf(names[i], sizeof(names[i]), "role/team-%u/member-%u", i % 40, i);
}

/* --- the driver --- */

static uint64_t count_records(struct journal *journal);

static double run_driver(uint64_t n, uint32_t group)
{
    static uint64_t seqs[STREAMS];
    struct journal *journal = NULL;
    struct record_batch batch = {0};
    memset(seqs, 0, sizeof(seqs));
    must(journal_open(&journal_sqlite, path, &journal, NULL) == TROUPE_OK, "the journal does not open");
    double begun = now();
    for (uint64_t i = 0; i < n; i += group) {
        must(journal_begin(journal) == TROUPE_OK, journal_error(journal));
        for (uint32_t k = 0; k < group; k++) {
            void *body;
            uint32_t stream = stream_of(i + k);
            record_batch_clear(&batch);
            must(record_batch_add(&batch, 1, 1, BODY_SIZE, &body) == TROUPE_OK, "out of memory");
            body_of(i + k, body);
            must(journal_stage(journal, names[stream], name_lens[stream], seqs[stream], batch.bytes.bytes,
                               batch.bytes.size, &seqs[stream]) == TROUPE_OK,
                 "an append is refused");
        }
        must(journal_commit(journal) == TROUPE_OK, journal_error(journal));
        must(journal_upkeep(journal) == TROUPE_OK, journal_error(journal));
    }
    double seconds = now() - begun;
    must(count_records(journal) == n, "records are missing");
    must(journal_close(&journal) == TROUPE_OK, "the journal does not close");
    record_batch_done(&batch);
    return seconds;
}

/* --- SQLite alone --- */

static void sql(sqlite3 *db, const char *text)
{
    must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static double run_plain(uint64_t n, uint32_t group, bool is_indexed)
{
    static sqlite3_int64 seqs[STREAMS];
    static sqlite3_int64 last[STREAMS];
    sqlite3 *db = NULL;
    sqlite3_stmt *add = NULL;
    char text[128];
    unsigned char body[BODY_SIZE];
    memset(seqs, 0, sizeof(seqs));
    memset(last, 0, sizeof(last));
    must(sqlite3_open(path, &db) == SQLITE_OK, "SQLite does not open");
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;");
    snprintf(text, sizeof(text), "PRAGMA wal_autocheckpoint=%d", (int)SQLITE_CHECKPOINT_PAGES);
    sql(db, text);
    sql(db,
        "CREATE TABLE record (position INTEGER PRIMARY KEY, stream INTEGER, seq INTEGER, previous INTEGER,"
        " type INTEGER, version INTEGER, checksum INTEGER, body BLOB)");
    if (is_indexed)
        sql(db, "CREATE UNIQUE INDEX record_by_stream ON record (stream, seq)");
    must(sqlite3_prepare_v2(db, "INSERT INTO record VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", -1, &add, NULL) ==
             SQLITE_OK,
         sqlite3_errmsg(db));
    double begun = now();
    for (uint64_t i = 0; i < n; i += group) {
        sql(db, "BEGIN IMMEDIATE");
        for (uint32_t k = 0; k < group; k++) {
            sqlite3_int64 position = (sqlite3_int64)(i + k + 1);
            uint32_t stream = stream_of(i + k);
            body_of(i + k, body);
            sqlite3_bind_int64(add, 1, position);
            sqlite3_bind_int64(add, 2, stream);
            sqlite3_bind_int64(add, 3, ++seqs[stream]);
            sqlite3_bind_int64(add, 4, last[stream]);
            sqlite3_bind_int64(add, 5, 1);
            sqlite3_bind_int64(add, 6, 1);
            sqlite3_bind_int(add, 7, 0x12345678);
            sqlite3_bind_blob(add, 8, body, BODY_SIZE, SQLITE_STATIC);
            must(sqlite3_step(add) == SQLITE_DONE, sqlite3_errmsg(db));
            sqlite3_reset(add);
            last[stream] = position;
        }
        sql(db, "COMMIT");
    }
    double seconds = now() - begun;
    sqlite3_finalize(add);
    must(sqlite3_prepare_v2(db, "SELECT count(*) FROM record", -1, &add, NULL) == SQLITE_OK,
         sqlite3_errmsg(db));
    must(sqlite3_step(add) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(add, 0) == n, "rows are missing");
    sqlite3_finalize(add);
    must(sqlite3_close(db) == SQLITE_OK, "SQLite does not close");
    return seconds;
}

/* --- through the writer --- */

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t zero;
    uint64_t left;
};

static struct latch latch = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void latch_down(void)
{
    pthread_mutex_lock(&latch.lock);
    if (--latch.left == 0)
        pthread_cond_signal(&latch.zero);
    pthread_mutex_unlock(&latch.lock);
}

static void latch_wait(void)
{
    pthread_mutex_lock(&latch.lock);
    while (latch.left > 0)
        pthread_cond_wait(&latch.zero, &latch.lock);
    pthread_mutex_unlock(&latch.lock);
}

/* Owns every group-th stream, and appends to them in turn; or reads one stream. */
struct owner {
    uint32_t first;
    uint32_t step;
    uint32_t stream;
    uint64_t left;
    uint64_t seqs[STREAMS];
    uint64_t seen;
};

static troupe_status owner_append(troupe_self *self);

static troupe_status owner_appended(troupe_self *self, troupe_status status, const troupe_message *reply,
                                    void *context)
{
    struct owner *owner = context;
    must(status == TROUPE_OK, "an append was not answered");
    const journal_appended *appended = journal_appended_of(reply);
    must(appended != NULL && appended->status == TROUPE_OK, "an append was refused");
    owner->seqs[owner->stream] = appended->seq;
    owner->stream += owner->step;
    if (owner->stream >= STREAMS)
        owner->stream = owner->first;
    if (--owner->left > 0)
        return owner_append(self);
    latch_down();
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status owner_append(troupe_self *self)
{
    struct owner *owner = *(struct owner **)troupe_state(self);
    unsigned char bytes[RECORD_HEADER_SIZE + BODY_SIZE];
    struct record_header header = {.type = 1, .version = 1, .size = BODY_SIZE};
    memcpy(bytes, &header, sizeof(header));
    body_of(owner->left * STREAMS + owner->stream, bytes + sizeof(header));
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, owner_appended, owner,
                      journal_append, .stream = names[owner->stream],
                      .expected_seq = owner->seqs[owner->stream], .records = {bytes, sizeof(bytes)});
}

static troupe_status owner_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void start_writer(struct journal **ret_journal, troupe_system **ret_system)
{
    must(journal_open(&journal_sqlite, path, ret_journal, NULL) == TROUPE_OK, "the journal does not open");
    must(troupe_start(ret_system, NULL) == TROUPE_OK, "the system does not start");
    struct journal_writer_state state = {.journal = *ret_journal};
    troupe_spawn_options options = journal_writer_options(&state);
    must(!troupe_ref_is_none(troupe_spawn(*ret_system, &journal_writer, &options)),
         "the writer does not start");
}

static double run_writer(uint64_t n, uint32_t group)
{
    static const troupe_behaviour behaviour = {.name = "owner",
                                               .state_size = sizeof(struct owner *),
                                               .start = owner_append,
                                               .receive = owner_receive};
    struct journal *journal = NULL;
    troupe_system *system = NULL;
    struct owner *owners = calloc(group, sizeof(*owners));
    must(owners != NULL, "out of memory");
    start_writer(&journal, &system);
    latch.left = group;
    double begun = now();
    for (uint32_t i = 0; i < group; i++) {
        struct owner *owner = &owners[i];
        *owner = (struct owner){.first = i, .step = group, .stream = i, .left = n / group};
        troupe_spawn_options options = {.state = &owner};
        must(!troupe_ref_is_none(troupe_spawn(system, &behaviour, &options)), "an owner does not start");
    }
    latch_wait();
    double seconds = now() - begun;
    troupe_stop(&system);
    must(count_records(journal) == n / group * group, "records are missing");
    must(journal_close(&journal) == TROUPE_OK, "the journal does not close");
    free(owners);
    return seconds;
}

/* --- reading back --- */

static troupe_status count_entry(void *context, const struct journal_entry *entry)
{
    must(entry->record.size == BODY_SIZE, "a record has another size");
    (*(uint64_t *)context)++;
    return TROUPE_OK;
}

static uint64_t count_records(struct journal *journal)
{
    uint64_t count = 0;
    for (uint32_t stream = 0; stream < WAKING_STREAMS; stream++)
        must(journal_scan(journal, names[stream], name_lens[stream], 0, count_entry, &count) == TROUPE_OK,
             journal_error(journal));
    return count;
}

/* 5,000 streams, their records mixed as they would be after a day. */
static void fill_for_waking(void)
{
    struct journal *journal = NULL;
    must(journal_open(&journal_sqlite, path, &journal, NULL) == TROUPE_OK, "the journal does not open");
    must(journal_begin(journal) == TROUPE_OK, journal_error(journal));
    for (uint64_t round = 0; round < WAKING_EACH; round++) {
        for (uint32_t i = 0; i < WAKING_STREAMS; i++) {
            unsigned char bytes[RECORD_HEADER_SIZE + BODY_SIZE];
            uint64_t seq;
            struct record_header header = {.type = 1, .version = 1, .size = BODY_SIZE};
            memcpy(bytes, &header, sizeof(header));
            body_of(round * WAKING_STREAMS + i, bytes + sizeof(header));
            size_t stream = (i * UINT64_C(2654435761) + round) % WAKING_STREAMS;
            must(journal_stage(journal, names[stream], name_lens[stream], round, bytes, sizeof(bytes),
                               &seq) == TROUPE_OK,
                 "an append is refused");
        }
    }
    must(journal_commit(journal) == TROUPE_OK, journal_error(journal));
    must(journal_close(&journal) == TROUPE_OK, "the journal does not close");
}

static double run_open_and_scan(double *ret_open_seconds)
{
    struct journal *journal = NULL;
    double begun = now();
    must(journal_open(&journal_sqlite, path, &journal, NULL) == TROUPE_OK, "the journal does not open");
    double opened = now();
    must(count_records(journal) == (uint64_t)WAKING_STREAMS * WAKING_EACH, "records are missing");
    double seconds = now() - opened;
    *ret_open_seconds = opened - begun;
    must(journal_close(&journal) == TROUPE_OK, "the journal does not close");
    return seconds;
}

static troupe_status reader_read(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    struct owner *owner = context;
    must(status == TROUPE_OK, "a read was not answered");
    const journal_records *records = journal_records_of(reply);
    must(records != NULL && records->status == TROUPE_OK && records->is_end, "a read was refused");
    owner->seen = records->next_seq - 1;
    latch_down();
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status reader_start(troupe_self *self)
{
    struct owner *owner = *(struct owner **)troupe_state(self);
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, reader_read, owner,
                      journal_read, .stream = names[owner->stream]);
}

static double run_wake(void)
{
    static const troupe_behaviour behaviour = {.name = "reader",
                                               .state_size = sizeof(struct owner *),
                                               .start = reader_start,
                                               .receive = owner_receive};
    struct journal *journal = NULL;
    troupe_system *system = NULL;
    struct owner *owners = calloc(WAKING_STREAMS, sizeof(*owners));
    must(owners != NULL, "out of memory");
    start_writer(&journal, &system);
    latch.left = WAKING_STREAMS;
    double begun = now();
    for (uint32_t i = 0; i < WAKING_STREAMS; i++) {
        struct owner *owner = &owners[i];
        owner->stream = i;
        troupe_spawn_options options = {.state = &owner};
        must(!troupe_ref_is_none(troupe_spawn(system, &behaviour, &options)), "a reader does not start");
    }
    latch_wait();
    double seconds = now() - begun;
    troupe_stop(&system);
    for (uint32_t i = 0; i < WAKING_STREAMS; i++)
        must(owners[i].seen == WAKING_EACH, "records are missing");
    must(journal_close(&journal) == TROUPE_OK, "the journal does not close");
    free(owners);
    return seconds;
}

/* --- the report --- */

static void report(const char *what, uint32_t group, uint64_t n, double seconds)
{
    /* A run that lost or refused a record has ended the program: what is reported was checked. */
    printf("{\"kernel\": \"journal\", \"what\": \"%s\", \"group\": %" PRIu32 ", \"n\": %" PRIu64
           ", \"seconds\": %.3f, \"rate\": %.0f, \"unit\": \"records/s\", \"checked\": true}\n",
           what, group, n, seconds, (double)n / seconds);
    fflush(stdout);
}

static double run_one(int what, uint64_t n, uint32_t group)
{
    remove_files();
    double seconds = what == 0   ? run_driver(n, group)
                     : what == 1 ? run_plain(n, group, false)
                     : what == 2 ? run_plain(n, group, true)
                                 : run_writer(n, group);
    remove_files();
    return seconds;
}

static void measure_appends(uint64_t n, uint32_t rounds)
{
    static const char *const labels[] = {"driver", "plain", "indexed", "writer"};
    static const uint32_t groups[] = {1, 16, 128};
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        /*
         * A commit costs its fsync: small groups are given fewer records, so that each case takes about as
         * long.
         */
        uint64_t records = groups[g] == 1 ? n / 20 : groups[g] == 16 ? n / 4 : n;
        records = records / groups[g] * groups[g];
        double best[4] = {0};
        for (uint32_t round = 0; round < rounds; round++) {
            for (int what = 0; what < 4; what++) {
                double seconds = run_one(what, records, groups[g]);
                if (best[what] == 0 || seconds < best[what])
                    best[what] = seconds;
            }
        }
        for (int what = 0; what < 4; what++)
            report(labels[what], groups[g], records, best[what]);
    }
}

static void measure_reads(uint32_t rounds)
{
    double best[3] = {0};
    remove_files();
    fill_for_waking();
    for (uint32_t round = 0; round < rounds; round++) {
        double seconds[3];
        seconds[0] = run_open_and_scan(&seconds[2]);
        seconds[1] = run_wake();
        for (int i = 0; i < 3; i++)
            best[i] = best[i] == 0 || seconds[i] < best[i] ? seconds[i] : best[i];
    }
    remove_files();
    uint64_t n = (uint64_t)WAKING_STREAMS * WAKING_EACH;
    report("open", 0, n, best[2]);
    report("scan", 0, n, best[0]);
    report("wake", 0, n, best[1]);
}

int main(int argc, char **argv)
{
    uint64_t n = 128000;
    uint32_t rounds = 3;
    const char *only = "";
    for (int i = 1; i < argc; i += 2) {
        must(i + 1 < argc, "each option has a value");
        if (strcmp(argv[i], "--n") == 0)
            n = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0)
            folder = argv[i + 1];
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        else
            must(false, "usage: journal [--n N] [--rounds N] [--dir DIR] [--only appends|reads]");
    }
    must(n >= 2560, "--n is at least 2560");
    must(rounds >= 1 && rounds <= ROUNDS_MAX, "--rounds is 1 to 100");
    must((size_t)snprintf(path, sizeof(path), "%s/bench-journal-%ld.db", folder, (long)getpid()) <
             sizeof(path) - 16,
         "--dir is too long");
    make_names();
    if (strcmp(only, "reads") != 0)
        measure_appends(n, rounds);
    if (strcmp(only, "appends") != 0)
        measure_reads(rounds);
    return 0;
}

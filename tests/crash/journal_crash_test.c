/* SPDX-License-Identifier: MIT */
/*
 * Facts about the journal under kill -9: a child process runs the writer and owners that append as fast as
 * they are answered, and tells each acknowledged number through a pipe; the parent kills it at some moment,
 * two hundred times (TROUPE_KILLS=N: N times), twenty over one file, and each time finds every number that
 * was told, with its checksums and its bytes. A kill shows that nothing is acknowledged too early; what a
 * disk does when the power fails, it cannot show: journal_power_test.c does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <troupe.h>

#include "journal/journal.h"
#include "journal/writer.h"
#include "support/journal_support.h"

enum {
    KILLS_DEFAULT = 200,
    KILLS_A_FILE = 20,
    OWNERS = 24,
    RECORDS_MAX = 3,
    TIMEOUT_MS = 60000,
    LIFE_MS_MIN = 5,
    LIFE_MS_MAX = 60,
};

/* What the child tells: this stream is durable up to there. Small enough that a write to a pipe is whole. */
struct told {
    uint64_t owner;
    uint64_t seq;
};

struct owner {
    uint64_t number;
    char stream[32];
    uint64_t seq;
    int pipe;
};

static void name_stream(uint64_t number, char stream[32])
{
    snprintf(stream, 32, "role/owner-%d", (int)number);
}

/* --- the child --- */

static troupe_status append_more(troupe_self *self, struct owner *owner);

static troupe_status on_appended(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    struct owner *owner = context;
    const journal_appended *appended = status == TROUPE_OK ? journal_appended_of(reply) : NULL;
    if (appended == NULL || appended->status != TROUPE_OK)
        _exit(3);
    owner->seq = appended->seq;
    struct told told = {owner->number, owner->seq};
    if (write(owner->pipe, &told, sizeof(told)) != (ssize_t)sizeof(told))
        _exit(4);
    return append_more(self, owner);
}

static troupe_status append_more(troupe_self *self, struct owner *owner)
{
    struct record_batch batch = {0};
    unsigned char body[TEST_BODY_SIZE_MAX];
    uint64_t count = troupe_random(self) % RECORDS_MAX + 1;
    for (uint64_t i = 1; i <= count; i++) {
        size_t size = test_body(owner->stream, owner->seq + i, body, sizeof(body));
        if (record_batch_append(&batch, TEST_RECORD_TYPE, 1, body, size) != TROUPE_OK)
            _exit(5);
    }
    troupe_ref writer = troupe_whereis(self, JOURNAL_WRITER_NAME);
    troupe_status status =
        troupe_ask(self, writer, TIMEOUT_MS, on_appended, owner, journal_append, .stream = owner->stream,
                   .expected_seq = owner->seq, .records = {batch.bytes.bytes, batch.bytes.size});
    record_batch_done(&batch);
    return status;
}

static troupe_status on_read(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct owner *owner = context;
    const journal_records *records = status == TROUPE_OK ? journal_records_of(reply) : NULL;
    if (records == NULL || records->status != TROUPE_OK)
        _exit(6);
    owner->seq = records->next_seq - 1;
    if (records->is_end)
        return append_more(self, owner);
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, on_read, owner,
                      journal_read, .stream = owner->stream, .from_seq = records->next_seq);
}

static troupe_status owner_start(troupe_self *self)
{
    struct owner *owner = troupe_state(self);
    return troupe_ask(self, troupe_whereis(self, JOURNAL_WRITER_NAME), TIMEOUT_MS, on_read, owner,
                      journal_read, .stream = owner->stream);
}

static troupe_status owner_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

__attribute__((noreturn)) static void live(const char *path, int pipe)
{
    static const troupe_behaviour behaviour = {
        .name = "owner", .state_size = sizeof(struct owner), .start = owner_start, .receive = owner_receive};
    struct journal_writer_state state = {0};
    struct journal_error error;
    troupe_system *system = NULL;
    if (journal_open(&journal_sqlite, path, &state.journal, &error) != TROUPE_OK) {
        fprintf(stderr, "the child cannot open: %s\n", error.text);
        _exit(7);
    }
    if (troupe_start(&system, NULL) != TROUPE_OK)
        _exit(8);
    troupe_spawn_options options = journal_writer_options(&state);
    troupe_spawn(system, &journal_writer, &options);
    for (uint64_t i = 0; i < OWNERS; i++) {
        struct owner owner = {.number = i, .pipe = pipe};
        name_stream(i, owner.stream);
        troupe_spawn_options owner_options = {.state = &owner};
        troupe_spawn(system, &behaviour, &owner_options);
    }
    for (;;)
        pause();
}

/* --- the parent --- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes in what the child tells, once; false when it has ended. */
static bool hear(int pipe, int timeout_ms, uint64_t told_up_to[OWNERS], bool *ret_is_news)
{
    struct pollfd waiting = {.fd = pipe, .events = POLLIN};
    *ret_is_news = false;
    if (poll(&waiting, 1, timeout_ms) <= 0)
        return true;
    struct told told[OWNERS];
    ssize_t size = read(pipe, told, sizeof(told));
    if (size <= 0)
        return false;
    assert_int_equal((size_t)size % sizeof(told[0]), 0);
    for (size_t i = 0; i < (size_t)size / sizeof(told[0]); i++) {
        assert_in_range(told[i].owner, 0, OWNERS - 1);
        assert_true(told[i].seq > told_up_to[told[i].owner]);
        told_up_to[told[i].owner] = told[i].seq;
    }
    *ret_is_news = true;
    return true;
}

/*
 * Lets a child live for so long and kills it: at any moment, or, with `on_news`, in the moment in which it
 * tells something after that, when what was told too early would not be written yet.
 */
static void live_and_die(const struct test_folder *folder, int64_t for_ms, bool on_news,
                         uint64_t told_up_to[OWNERS])
{
    int ends[2];
    bool is_news = false;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        live(folder->journal, ends[1]);
    }
    close(ends[1]);
    int64_t end_ms = now_ms() + for_ms;
    for (int64_t left = for_ms; left > 0; left = end_ms - now_ms())
        assert_true(hear(ends[0], (int)left, told_up_to, &is_news));
    is_news = !on_news;
    while (!is_news)
        assert_true(hear(ends[0], -1, told_up_to, &is_news));
    assert_int_equal(kill(child, SIGKILL), 0);
    while (hear(ends[0], -1, told_up_to, &is_news))
        ;
    close(ends[0]);
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (!WIFSIGNALED(ended))
        fail_msg("the child ended by itself with %d", WEXITSTATUS(ended));
}

/*
 * Opens the file as a new start would; each stream must have all that was told. Answers how many there are.
 */
static uint64_t check(const struct test_folder *folder, const uint64_t told_up_to[OWNERS])
{
    uint64_t total = 0;
    struct journal *journal = test_open(&journal_sqlite, folder->journal);
    for (uint64_t i = 0; i < OWNERS; i++) {
        char stream[32];
        struct test_seen seen;
        name_stream(i, stream);
        assert_int_equal(test_scan(journal, stream, 0, &seen), TROUPE_OK);
        if (seen.count < told_up_to[i])
            fail_msg("%s: %d was acknowledged, %d are there", stream, (int)told_up_to[i], (int)seen.count);
        total += seen.count;
    }
    assert_int_equal(journal_close(&journal), TROUPE_OK);
    return total;
}

/* Kills one file's owners so many times; answers how many records were acknowledged. */
static uint64_t kill_over_one_file(int kills, uint64_t random)
{
    struct test_folder folder;
    uint64_t told_up_to[OWNERS] = {0};
    uint64_t total = 0;
    test_folder_make(&folder);
    for (int i = 0; i < kills; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int64_t life_ms = LIFE_MS_MIN + (int64_t)(random % (LIFE_MS_MAX - LIFE_MS_MIN));
        live_and_die(&folder, life_ms, i % 2 != 0, told_up_to);
        uint64_t found = check(&folder, told_up_to);
        assert_true(found >= total);
        total = found;
    }

    uint64_t told = 0;
    for (size_t i = 0; i < OWNERS; i++)
        told += told_up_to[i];
    assert_true(told <= total);
    test_folder_remove(&folder);
    return told;
}

static void every_acknowledged_record_survives_every_kill(void **state)
{
    (void)state;
    const char *asked = getenv("TROUPE_KILLS");
    int kills = asked != NULL ? (int)strtol(asked, NULL, 10) : KILLS_DEFAULT;
    uint64_t random = (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15) | 1;
    uint64_t told = 0;
    for (int done = 0; done < kills; done += KILLS_A_FILE) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        told += kill_over_one_file(kills - done < KILLS_A_FILE ? kills - done : KILLS_A_FILE, random | 1);
    }
    /* They did live: without acknowledged records this would show nothing. */
    assert_true(told >= (uint64_t)kills);
    print_message("%d kills, %d records acknowledged\n", kills, (int)told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_acknowledged_record_survives_every_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

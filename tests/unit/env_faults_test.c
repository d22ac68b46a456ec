/* SPDX-License-Identifier: MIT */
/*
 * Facts about system calls that fail, one after the other, under a real system: without descriptors or
 * threads it does not start, says TROUPE_IO and leaves nothing; while it runs, an interrupted wait, wake-up
 * or read changes nothing, and a descriptor or thread that cannot be had is TROUPE_IO to whoever wanted it
 * and to nobody else.
 *
 * TROUPE_FAULT=n runs with the n-th call alone.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/atomic.h"
#include "support/faults.h"

enum {
    WORKERS = 2,
    CALLS_MAX = 60, /* of one run that are made to fail */
    CALL_MS = 5000, /* never reached */
    TICKS = 3,
    WAIT_MS_MAX = 20000,
    DESCRIPTORS_MAX = 16, /* more than a system of two workers opens */
};

#define VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(env_question, VALUE_FIELDS)
TROUPE_MESSAGE(env_answer, VALUE_FIELDS)

static uint32_t entries_of(const char *folder)
{
    uint32_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

/* What a process holds that a system must give back. */
struct holdings {
    int64_t memory;
    uint32_t descriptors;
    uint32_t threads;
};

static struct holdings holdings_now(void)
{
    return (struct holdings){faults_held(), entries_of("/proc/self/fd"), entries_of("/proc/self/task")};
}

static void holdings_are(const struct holdings *then)
{
    struct holdings now = holdings_now();
    for (int ms = 0; now.threads != then->threads && ms < WAIT_MS_MAX; ms++) {
        usleep(1000); /* a thread that was joined may be listed a moment longer */
        now = holdings_now();
    }
    assert_int_equal(now.memory, then->memory);
    assert_int_equal(now.descriptors, then->descriptors);
    assert_int_equal(now.threads, then->threads);
}

/* Which calls fail: all of them one by one, or the one of TROUPE_FAULT. */
static bool is_wanted(uint64_t number)
{
    const char *given = getenv("TROUPE_FAULT");
    return given == NULL || strtoull(given, NULL, 10) == number;
}

static uint64_t number_now;

/* -- starting -------------------------------------------------------------------------------------------- */

static void system_that_cannot_start_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    const troupe_options both[] = {{.workers = WORKERS, .drain_ms = 1}, {.embedded = true, .drain_ms = 1}};
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
        uint32_t refusals = 0;
        for (uint64_t number = 1; number < CALLS_MAX; number++) {
            troupe_system *system = NULL;
            struct holdings then = holdings_now();
            if (!is_wanted(number))
                continue;
            number_now = number;
            faults_arm(FAULTS_CALL, FAULTS_ON, number);
            troupe_status status = troupe_start(&system, &both[i]);
            faults_disarm();
            assert_true(status == TROUPE_OK || status == TROUPE_IO);
            assert_true((status == TROUPE_OK) == (system != NULL));
            refusals += status == TROUPE_IO;
            assert_int_equal(troupe_stop(&system), 0);
            holdings_are(&then);
            if (status == TROUPE_OK)
                break;
        }
        number_now = 0;
        assert_true(refusals >= 4 || getenv("TROUPE_FAULT") != NULL); /* each poller takes three calls */
    }
}

static void system_without_descriptors_does_not_start(void **state)
{
    (void)state;
    const troupe_options options = {.workers = WORKERS, .drain_ms = 1};
    struct rlimit limit;
    struct holdings then = holdings_now();
    uint32_t open = then.descriptors - 3; /* without ".", ".." and the folder itself */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    troupe_status status = TROUPE_IO;
    for (uint32_t spare = 0; status == TROUPE_IO && spare < DESCRIPTORS_MAX; spare++) {
        troupe_system *system = NULL;
        const struct rlimit low = {.rlim_cur = open + spare, .rlim_max = limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        status = troupe_start(&system, &options);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_true(status == TROUPE_OK ? spare > 0 : status == TROUPE_IO);
        assert_int_equal(troupe_stop(&system), 0);
        holdings_are(&then);
    }
    assert_int_equal(status, TROUPE_OK);
}

/* -- running --------------------------------------------------------------------------------------------- */

static _Atomic uint64_t ticks;
static _Atomic uint64_t ready;
static _Atomic uint64_t ends;
static int fds[2];

static troupe_status worker_start(troupe_self *self)
{
    troupe_status status = troupe_timer_start(self, 1, 1, 0, NULL);
    if (status == TROUPE_OK)
        status = troupe_watch(self, fds[0], TROUPE_READY_READ);
    if (status == TROUPE_IO) /* what a program would do: try again */
        status = troupe_watch(self, fds[0], TROUPE_READY_READ);
    return status;
}

static troupe_status worker_receive(troupe_self *self, const troupe_message *message)
{
    char byte;
    if (troupe_timeout_of(message) != NULL)
        fetch_add_relaxed(&ticks, 1);
    if (troupe_ready_of(message) != NULL && read(fds[0], &byte, 1) == 1)
        fetch_add_relaxed(&ready, 1);
    else if (troupe_ready_of(message) != NULL && troupe_watch(self, fds[0], TROUPE_READY_READ) == TROUPE_IO)
        return troupe_watch(self, fds[0], TROUPE_READY_READ);
    if (env_question_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), env_answer,
                            .value = env_question_of(message)->value + 1);
    return TROUPE_OK;
}

static void worker_stop(troupe_self *self, troupe_status reason)
{
    assert_int_equal(reason, TROUPE_SHUTDOWN);
    troupe_unwatch(self, fds[0]);
    fetch_add_relaxed(&ends, 1);
}

static const troupe_behaviour worker = {
    .name = "worker", .start = worker_start, .receive = worker_receive, .stop = worker_stop};

static troupe_status echo_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_reply(self, troupe_asker_of(message), env_answer,
                        .value = env_question_of(message)->value + 1);
}

static const troupe_behaviour echo = {.name = "echo", .receive = echo_receive};

/* Asks from outside and compares the answer. */
static void answer_comes(troupe_system *system, troupe_ref to, uint64_t value)
{
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(system, to, CALL_MS, &reply, env_question, .value = value), TROUPE_OK);
    assert_int_equal(env_answer_of(reply)->value, value + 1);
    troupe_message_free(system, &reply);
}

/* A short life: ticks, a byte through a pipe, answers, a thread of an actor's own. */
static void life(troupe_system *system)
{
    troupe_status status;
    const troupe_spawn_options own = {.own_thread = true, .name = "own", .ret_status = &status};
    troupe_ref ref = troupe_spawn(system, &worker, NULL);
    assert_false(troupe_ref_is_none(ref));
    answer_comes(system, ref, 1);
    while (write(fds[1], "x", 1) != 1)
        assert_true(errno == EINTR || errno == EAGAIN);
    troupe_ref alone = troupe_spawn(system, &echo, &own);
    assert_true(status == TROUPE_OK || status == TROUPE_IO);
    assert_true(troupe_ref_equal(troupe_whereis(system, "own"), alone)); /* none and free, or its */
    if (status == TROUPE_IO)
        alone = troupe_spawn(system, &echo, &own);
    for (int i = 0; troupe_ref_is_none(alone) && i < CALLS_MAX; i++)
        alone = troupe_spawn(system, &echo, &own);
    answer_comes(system, alone, 2);
    for (int ms = 0; (load_relaxed(&ticks) < TICKS || load_relaxed(&ready) == 0) && ms < WAIT_MS_MAX; ms++) {
        answer_comes(system, ref, 3);
        usleep(500);
        answer_comes(system, alone, 4); /* it sleeps, and no timer wakes it */
    }
    assert_true(load_relaxed(&ticks) >= TICKS);
    assert_int_equal(load_relaxed(&ready), 1);
}

static void life_with(enum faults_kind kind, enum faults_mode mode, uint64_t number, bool embedded)
{
    const troupe_options options = {.workers = WORKERS, .embedded = embedded, .drain_ms = 1};
    struct holdings then = holdings_now();
    troupe_system *system = NULL;
    assert_int_equal(pipe(fds), 0);
    store_relaxed(&ticks, 0);
    store_relaxed(&ready, 0);
    store_relaxed(&ends, 0);
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    number_now = number;
    faults_arm(kind, mode, number);
    life(system);
    faults_disarm();
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(load_relaxed(&ends), 1);
    close(fds[0]);
    close(fds[1]);
    holdings_are(&then);
    number_now = 0;
}

static void running_system_bears_any_call_that_fails(void **state)
{
    (void)state;
    for (uint64_t number = 1; number < CALLS_MAX; number++) {
        if (!is_wanted(number))
            continue;
        life_with(FAULTS_CALL, FAULTS_ONCE, number, number % 2 == 0);
    }
}

static void running_system_bears_interrupted_calls_all_the_time(void **state)
{
    (void)state;
    for (uint64_t every = 2; every < 8; every++) {
        life_with(FAULTS_AGAIN, FAULTS_EVERY, every, false);
        life_with(FAULTS_AGAIN, FAULTS_EVERY, every, true);
    }
}

static int teardown(void **state)
{
    (void)state;
    faults_disarm();
    if (number_now != 0)
        print_message("%s failed; replay: TROUPE_FAULT=%llu ./test unit_env_faults_test\n",
                      faults_what() == NULL ? "nothing" : faults_what(), (unsigned long long)number_now);
    number_now = 0;
    return 0;
}

/* Whatever the process itself needs for threads, it has from now on. */
static int warm_up(void **state)
{
    const troupe_options options = {.workers = WORKERS, .drain_ms = 1};
    troupe_system *system;
    (void)state;
    return troupe_start(&system, &options) == TROUPE_OK ? troupe_stop(&system) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(system_that_cannot_start_says_so_and_leaves_nothing, teardown),
        cmocka_unit_test(system_without_descriptors_does_not_start),
        cmocka_unit_test_teardown(running_system_bears_any_call_that_fails, teardown),
        cmocka_unit_test_teardown(running_system_bears_interrupted_calls_all_the_time, teardown),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}

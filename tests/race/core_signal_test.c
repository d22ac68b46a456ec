/* SPDX-License-Identifier: MIT */
/*
 * Facts about signals on real threads: while threads of the host signal the process without a pause, actors
 * of two systems begin and end watching, and end themselves; nobody hears of what it does not watch, the
 * host's action holds whenever nobody does, and whoever still watches in the end is told.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"

enum {
    SYSTEMS = 2,
    EARS = 6, /* in each system */
    SIGNALLERS = 2,
    SIGNALS = 400, /* by each */
    TURNS = 60,    /* of watching and not, by each ear */
    WAIT_MS_MAX = 20000,
};

#define TURN(F) F(u32, left)
TROUPE_MESSAGE(ear_turn, TURN)

struct ear {
    bool watches;
    uint32_t after; /* signals seen since all turns are done */
};

static _Atomic uint32_t finished; /* ears that have had all their turns */
static _Atomic uint32_t told;     /* signals told to ears that were finished */
static _Atomic uint32_t host_count;

static void host_handler(int number)
{
    (void)number;
    fetch_add_relaxed(&host_count, 1);
}

static troupe_status ear_receive(troupe_self *self, const troupe_message *message)
{
    struct ear *ear = troupe_state(self);
    const ear_turn *turn = ear_turn_of(message);
    if (troupe_signal_of(message) != NULL) {
        ASSERT(ear->watches && troupe_signal_of(message)->number == SIGUSR1);
        fetch_add_relaxed(&told, ear->after);
        return TROUPE_OK;
    }
    if (turn == NULL)
        return TROUPE_UNEXPECTED;
    if (ear->watches && turn->left > 0)
        troupe_signal_unwatch(self, SIGUSR1);
    else
        ASSERT(troupe_signal_watch(self, SIGUSR1) == TROUPE_OK);
    ear->watches = !ear->watches || turn->left == 0;
    if (turn->left == 0) {
        ear->after = 1;
        fetch_add_relaxed(&finished, 1);
        return TROUPE_OK;
    }
    return troupe_send(self, troupe_self_ref(self), ear_turn, .left = turn->left - 1);
}

static void doze(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void *signaller_run(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < SIGNALS; i++) {
        ASSERT(kill(getpid(), SIGUSR1) == 0);
        if (i % 8 == 0)
            doze();
    }
    return NULL;
}

static void wait_for(_Atomic uint32_t *counter, uint32_t count)
{
    for (int ms = 0; ms < 5 * WAIT_MS_MAX && load_relaxed(counter) < count; ms++)
        doze();
    assert_true(load_relaxed(counter) >= count);
}

static void signals_meet_watchers_that_come_and_go(void **state)
{
    (void)state;
    static const troupe_behaviour behaviour = {
        .name = "ear", .state_size = sizeof(struct ear), .receive = ear_receive};
    struct sigaction host = {.sa_handler = host_handler};
    struct sigaction now;
    assert_int_equal(sigaction(SIGUSR1, &host, NULL), 0);
    troupe_system *systems[SYSTEMS];
    pthread_t signallers[SIGNALLERS];
    const troupe_options options = {.workers = 3};
    for (int i = 0; i < SYSTEMS; i++)
        assert_int_equal(troupe_start(&systems[i], &options), TROUPE_OK);
    for (int i = 0; i < SIGNALLERS; i++)
        assert_int_equal(pthread_create(&signallers[i], NULL, signaller_run, NULL), 0);
    for (uint32_t i = 0; i < SYSTEMS * EARS; i++) {
        troupe_ref ear = troupe_spawn(systems[i % SYSTEMS], &behaviour, NULL);
        assert_int_equal(troupe_send(systems[i % SYSTEMS], ear, ear_turn, .left = TURNS), TROUPE_OK);
    }
    for (int i = 0; i < SIGNALLERS; i++)
        pthread_join(signallers[i], NULL);
    wait_for(&finished, SYSTEMS * EARS);
    uint32_t before = load_relaxed(&told);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&told, before + SYSTEMS * EARS);
    for (int i = 0; i < SYSTEMS; i++)
        assert_int_equal(troupe_stop(&systems[i]), 0);
    assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
    assert_true(now.sa_handler == host_handler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_meet_watchers_that_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

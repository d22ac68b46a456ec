/* SPDX-License-Identifier: MIT */
/*
 * race.h: what every race test needs: the same body run with few and with many workers, a seed for what its
 * actors choose to do, waiting with a limit, and the line that says how to run it again.
 *
 *   TROUPE_SEED=n     what actors do; threads meet as they please
 *   TROUPE_WORKERS=n  only with so many workers
 */
#ifndef TROUPE_TESTS_RACE_H
#define TROUPE_TESTS_RACE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/random.h"
#include "core/relief.h"
#include "core/scheduler.h"

enum {
    RACE_WAIT_MS_MAX = 50000, /* a wait that takes so long hangs */
    RACE_QUIET_MS = 3,        /* how long counters must stand still */
};

/* The seed of this run: TROUPE_SEED, or another each time. */
static inline uint64_t race_seed(void)
{
    static uint64_t seed;
    const char *given = getenv("TROUPE_SEED");
    if (seed == 0)
        seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u;
    return seed;
}

/*
 * Gives work of this handler's worker to one that has none, so that actors move. Within the runtime, as every
 * function that a handler calls: the watchdog may have given the worker to a spare meanwhile.
 */
static inline void race_deal(troupe_self *self)
{
    RUNTIME_SCOPE(self);
    scheduler_deal(worker);
}

/* Runs a body with 2, 3 and 8 workers, or as many as TROUPE_WORKERS says. */
static inline void race_run(void (*body)(uint32_t workers))
{
    static const uint32_t counts[] = {2, 3, 8};
    const char *given = getenv("TROUPE_WORKERS");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint32_t workers = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : counts[i];
        print_message("replay: TROUPE_SEED=%llu TROUPE_WORKERS=%u ./test race_%s\n",
                      (unsigned long long)race_seed(), workers, program_invocation_short_name);
        body(workers);
        if (given != NULL)
            break;
    }
}

static inline troupe_system *race_start(uint32_t workers)
{
    const troupe_options options = {.workers = workers};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

/* Waits until a count has reached `wanted`; it is the test's failure when it does not, or goes beyond. */
static inline void race_wait(_Atomic uint64_t *count, uint64_t wanted)
{
    for (int ms = 0; load_relaxed(count) < wanted && ms < RACE_WAIT_MS_MAX; ms++)
        usleep(1000);
    assert_int_equal(load_relaxed(count), wanted);
}

/* Waits until everything that was sent is handled or a dead letter, and answers the counters. */
static inline troupe_counters race_settle(troupe_system *system)
{
    troupe_counters counters = {0};
    uint64_t sent = 0;
    int quiet_ms = 0;
    for (int ms = 0; ms < RACE_WAIT_MS_MAX && quiet_ms < RACE_QUIET_MS; ms++) {
        usleep(1000);
        troupe_system_counters(system, &counters);
        bool is_quiet = counters.sent == counters.handled + counters.dead_letters && counters.sent == sent;
        quiet_ms = is_quiet ? quiet_ms + 1 : 0;
        sent = counters.sent;
    }
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    assert_true(quiet_ms > 0);
    return counters;
}

/* Settles until so many actors live; one that has begun to end or to start counts as what it will be. */
static inline troupe_counters race_settle_actors(troupe_system *system, uint64_t live)
{
    troupe_counters counters = race_settle(system);
    for (int i = 0; counters.actors_spawned - counters.actors_ended != live && i < RACE_WAIT_MS_MAX / 4; i++)
        counters = race_settle(system);
    assert_int_equal(counters.actors_spawned - counters.actors_ended, live);
    return counters;
}

#endif

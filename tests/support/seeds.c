/* SPDX-License-Identifier: MIT */
/*
 * seeds.c: see seeds.h. A failed assertion of cmocka leaves seeds_run by a jump, so what is running is kept
 * here until seeds_tell has looked at it. One thread.
 */
#include "support/seeds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t *running;
static const int *running_step;

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

uint64_t seeds_one(const char *test, uint64_t otherwise)
{
    uint64_t seed = number_from("TROUPE_SEED", otherwise);
    print_message("replay: TROUPE_SEED=%llu ./test %s\n", (unsigned long long)seed, test);
    return seed;
}

uint64_t seeds_other(void)
{
    return (uint64_t)getpid() * 2654435761u;
}

void seeds_run(uint64_t count, uint64_t *seed, const int *step, void (*run)(void))
{
    uint64_t first = number_from("TROUPE_SEED", 1);
    uint64_t wanted = getenv("TROUPE_SEED") != NULL ? 1 : number_from("TROUPE_SEEDS", count);
    running = seed;
    running_step = step;
    for (*seed = first; *seed < first + wanted; ++*seed)
        run();
    running = NULL;
}

int seeds_tell(void **state)
{
    (void)state;
    if (running != NULL && running_step != NULL)
        print_message("it failed at step %d of TROUPE_SEED=%llu\n", *running_step,
                      (unsigned long long)*running);
    else if (running != NULL)
        print_message("it failed with TROUPE_SEED=%llu\n", (unsigned long long)*running);
    running = NULL;
    return 0;
}

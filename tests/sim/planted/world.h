/* SPDX-License-Identifier: MIT */
/*
 * world.h: a workload for the whole core, in scenes that live side by side in one simulated system, and the
 * oracles that watch it. Each scene is a few actors, the public interface only, and facts that must hold
 * whatever the seed does; a scene that sees one broken says so by the name of its oracle.
 *
 * A run: begin, some rounds of act with a little virtual time between them, faults off and time to settle,
 * check, end, and then everything must have drained (world.c). One thread.
 */
#ifndef TROUPE_TESTS_PLANTED_WORLD_H
#define TROUPE_TESTS_PLANTED_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <troupe.h>

#include "base/random.h"

enum {
    NS_PER_MS = 1000000,
    DELAY_MS = 5,      /* a notice is late by up to so much */
    LATE_MS = 3,       /* and a timer */
    PROMPT_MS = 25,    /* whatever can be handled is, by then */
    ROUND_MS_MAX = 12, /* between two rounds */
    ROUNDS = 8,
    SETTLE_MS = 2500,
    ASK_LONG_MS = 2000, /* longer than any answer takes */
    WHAT_SIZE = 160,
};

/* A part of the workload. Its memory is static; begin makes it as new. */
struct scene {
    const char *name;
    void (*begin)(void);
    void (*act)(uint32_t round);
    void (*check)(void);
    void (*end)(void); /* shuts its actors down */
};

extern const struct scene scene_traffic;
extern const struct scene scene_asks;
extern const struct scene scene_ends;
extern const struct scene scene_twins;
extern const struct scene scene_timers;
extern const struct scene scene_parking;
extern const struct scene scene_tree;

/* The run under way. */
struct world {
    troupe_system *system;
    struct random random; /* what the scenes draw outside handlers */
    const char *oracle;   /* the first fact found broken; NULL: none */
    char what[WHAT_SIZE];
};

extern struct world world;

/* Runs a seed; whether all facts held. What did not is in `world`. */
bool world_run(uint64_t seed, void *context, uint64_t *ret_trace_hash);

/* A fact does not hold: keeps the first. */
__attribute__((format(printf, 2, 3))) void world_found(const char *oracle, const char *format, ...);

#define MUST(condition, oracle, ...)                                                                         \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            world_found((oracle), __VA_ARGS__);                                                              \
    } while (0)

/* A number below `bound`, drawn outside handlers. */
static inline uint32_t draw(uint32_t bound)
{
    return random_below(&world.random, bound);
}

/* The same inside one. */
static inline uint32_t draw_in(troupe_self *self, uint32_t bound)
{
    return (uint32_t)(troupe_random(self) % bound);
}

static inline bool is_alive(troupe_ref ref)
{
    troupe_actor_info info;
    return troupe_actor_inspect(world.system, ref, &info) == TROUPE_OK;
}

#endif

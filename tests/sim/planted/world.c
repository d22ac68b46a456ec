/* SPDX-License-Identifier: MIT */
/* world.c: a run of all scenes that the seed chose, and what must hold of the whole. See world.h. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    WORKERS_MAX = 4,
};

struct world world;

void world_found(const char *oracle, const char *format, ...)
{
    if (world.oracle != NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world.what, sizeof world.what, format, arguments);
    va_end(arguments);
    world.oracle = oracle;
}

static void counters_check(void)
{
    troupe_counters counters;
    troupe_system_counters(world.system, &counters);
    MUST(counters.sent == counters.handled + counters.dead_letters, "conservation",
         "sent %llu, handled %llu, dead letters %llu", (unsigned long long)counters.sent,
         (unsigned long long)counters.handled, (unsigned long long)counters.dead_letters);
}

/* All actors have been told to end: then nobody is left. */
static void drain_check(void)
{
    troupe_counters counters;
    troupe_system_counters(world.system, &counters);
    MUST(counters.actors_spawned == counters.actors_ended, "drain", "%llu actors spawned, %llu ended",
         (unsigned long long)counters.actors_spawned, (unsigned long long)counters.actors_ended);
    counters_check();
}

static void scenes_run(const struct scene *const *scenes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        scenes[i]->begin();
    for (uint32_t round = 0; round < ROUNDS && world.oracle == NULL; round++) {
        for (uint32_t i = 0; i < count; i++)
            scenes[i]->act(round);
        troupe_sim_advance(world.system, draw(ROUND_MS_MAX));
    }
    troupe_sim_faults(world.system, false);
    troupe_sim_advance(world.system, SETTLE_MS);
    for (uint32_t i = 0; i < count && world.oracle == NULL; i++)
        scenes[i]->check();
    if (world.oracle == NULL)
        counters_check();
    for (uint32_t i = 0; i < count && world.oracle == NULL; i++)
        scenes[i]->end();
    troupe_sim_advance(world.system, SETTLE_MS);
    if (world.oracle == NULL)
        drain_check();
}

bool world_run(uint64_t seed, void *context, uint64_t *ret_trace_hash)
{
    static const struct scene *const all[] = {
        &scene_traffic, &scene_asks, &scene_ends, &scene_twins, &scene_timers, &scene_parking, &scene_tree,
    };
    const struct scene *chosen[sizeof all / sizeof all[0]];
    uint32_t count = 0;
    (void)context;
    memset(&world, 0, sizeof world);
    world.random.state = seed * 7919;
    for (uint32_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (draw(2) == 0)
            chosen[count++] = all[i];
    static const double delays[] = {0, 0.3, 0.8};
    const troupe_options options = {
        .workers = 1 + draw(WORKERS_MAX),
        .simulate =
            {
                .seed = seed,
                .delay_probability = delays[draw(3)],
                .delay_ms_max = DELAY_MS,
                .timer_late_ms_max = LATE_MS,
            },
    };
    if (troupe_start(&world.system, &options) != TROUPE_OK)
        return false;
    scenes_run(chosen, count);
    *ret_trace_hash = troupe_sim_trace_hash(world.system);
    troupe_stop(&world.system);
    return world.oracle == NULL;
}

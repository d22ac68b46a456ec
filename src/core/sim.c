/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the scheduler's other loop. One thread steps the workers in an order drawn from the seed, now and
 * then moves actors between them, and jumps from timer to timer when nobody has work. Everything below
 * scheduler_step is the same code as in production.
 *
 * Invariants
 *   1. nothing here or below reads a clock, an address or a count that differs between two runs of one seed
 *   2. time stands still during a step and moves on a little after it, so that timers and work interleave
 */
#include "core/sim.h"

#include "base/assert.h"
#include "core/scheduler.h"
#include "core/trace.h"

enum {
    NS_PER_MS = 1000000,
    SIM_STEP_NS_MAX = 2000, /* a step takes up to so long */
    SIM_DEAL_ONE_IN = 8,    /* steps between two moves of actors, on average */
};

void trace_message(struct worker *worker, const struct actor *actor, const troupe_message *message)
{
    struct troupe_system *system = worker->self.context.system;
    uint64_t hash = trace_mix(system->sim_trace_hash, load_relaxed(&actor->created) << 8 | worker->index);
    hash = trace_mix(hash, (uint64_t)message->type << 32 | (uint32_t)message->flags << 24 | message->size);
    system->sim_trace_hash = trace_mix(hash, env_now_ns(system->env));
}

static bool has_work(struct worker *worker)
{
    return worker->slot != NULL || worker->ready.len > 0 || worker->fresh.len > 0 ||
           load_relaxed(&worker->arrivals) != NULL || load_relaxed(&worker->dealt) != NULL;
}

/* One more than wanted: the workers that have nothing to do are hungry. */
static uint32_t busy_workers(struct troupe_system *system, struct worker **ret_busy)
{
    uint32_t count = 0;
    uint64_t hungry = 0;
    for (uint32_t i = 0; i < system->worker_count; i++) {
        if (has_work(system->workers[i]))
            ret_busy[count++] = system->workers[i];
        else
            hungry |= UINT64_C(1) << i;
    }
    store_relaxed(&system->hungry, hungry);
    return count;
}

bool sim_step(struct troupe_system *system)
{
    struct worker *busy[TROUPE_WORKERS_MAX];
    uint32_t count = busy_workers(system, busy);
    if (count == 0)
        return false;
    struct worker *worker = busy[random_below(&system->sim_random, count)];
    if (random_below(&system->sim_random, SIM_DEAL_ONE_IN) == 0)
        store_relaxed(&system->hungry,
                      ~(UINT64_C(1) << worker->index) & ((UINT64_C(2) << (system->worker_count - 1)) - 1));
    worker_current = worker;
    if (worker->ready.len + worker->fresh.len > 0)
        scheduler_deal(worker);
    scheduler_step(worker);
    worker_current = NULL;
    slab_flush(&worker->slab);
    uint64_t now_ns = env_now_ns(system->env) + random_below(&system->sim_random, SIM_STEP_NS_MAX);
    env_sim_advance_to(system->env, now_ns);
    return true;
}

/* Clocks, wheels and descriptors of all workers, in order. */
static void housekeeping(struct troupe_system *system)
{
    for (uint32_t i = 0; i < system->worker_count; i++) {
        worker_current = system->workers[i];
        scheduler_housekeeping(system->workers[i]);
        worker_current = NULL;
    }
}

static bool any_work(struct troupe_system *system)
{
    struct worker *busy[TROUPE_WORKERS_MAX];
    return busy_workers(system, busy) > 0;
}

/* When the next timer may be due, in ns, ENV_FOREVER for never. */
static uint64_t next_due_ns(struct troupe_system *system)
{
    uint64_t next_ms = UINT64_MAX;
    for (uint32_t i = 0; i < system->worker_count; i++) {
        uint64_t ms = wheel_next_ms(&system->workers[i]->wheel);
        next_ms = ms < next_ms ? ms : next_ms;
    }
    return next_ms == UINT64_MAX ? ENV_FOREVER : next_ms * NS_PER_MS;
}

static bool is_watching(struct troupe_system *system)
{
    for (uint32_t i = 0; i < system->worker_count; i++)
        if (load_relaxed(&system->workers[i]->watch_count) > 0)
            return true;
    return false;
}

/* Steps until reached, or the end of time `end_ns` when there is no more work before it. */
static troupe_status run(struct troupe_system *system, bool (*is_reached)(void *context), void *context,
                         uint64_t end_ns)
{
    ASSERT(system->env->is_simulated);
    for (;;) {
        if (is_reached != NULL && is_reached(context))
            return TROUPE_OK;
        uint64_t now_ns = env_now_ns(system->env);
        if (is_reached != NULL && now_ns >= end_ns)
            return TROUPE_TIMEOUT;
        if (sim_step(system))
            continue;
        housekeeping(system);
        if (any_work(system))
            continue;
        uint64_t next_ns = next_due_ns(system);
        if (next_ns > end_ns || (next_ns == ENV_FOREVER && !is_watching(system))) {
            if (is_reached == NULL || next_ns != ENV_FOREVER)
                env_sim_advance_to(system->env, now_ns > end_ns ? now_ns : end_ns);
            housekeeping(system);
            if (any_work(system))
                continue;
            return is_reached != NULL && is_reached(context) ? TROUPE_OK : TROUPE_TIMEOUT;
        }
        env_sim_advance_to(system->env, next_ns > now_ns ? next_ns : now_ns);
        housekeeping(system);
    }
}

void troupe_sim_advance(troupe_system *system, uint64_t ms)
{
    (void)run(system, NULL, NULL, env_now_ns(system->env) + ms * NS_PER_MS);
}

troupe_status troupe_sim_run_until(troupe_system *system, bool (*is_reached)(void *context), void *context,
                                   uint64_t ms)
{
    return run(system, is_reached, context, env_now_ns(system->env) + ms * NS_PER_MS);
}

uint64_t troupe_sim_trace_hash(troupe_system *system)
{
    return system->sim_trace_hash;
}

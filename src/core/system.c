/* SPDX-License-Identifier: MIT */
/*
 * system.c: the beginning and the end of a system, its workers and its way in for threads outside.
 *
 * The end: wait until it is quiet (at most drain_ms), join the threads, then the stopping thread acts for
 * every worker in turn and ends all actors, the youngest first, so that whoever was created by another goes
 * before it.
 */
#include "core/system.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/embed.h"
#include "core/relief.h"
#include "core/scheduler.h"
#include "core/sim.h"
#include "core/trace.h"
#include "core/tracer.h"

enum {
    NS_PER_MS = 1000000,
    DRAIN_MS_DEFAULT = 2000,
};

struct worker *context_enter(troupe_context *context)
{
    if (!context->is_outside)
        return runtime_enter((troupe_self *)(void *)context);
    struct worker *worker = context->worker;
    pthread_mutex_lock(&context->system->outside_lock);
    outside_is_held = true;
    worker->now_ms = (uint32_t)(env_now_ns(context->system->env) / NS_PER_MS); /* nobody else looks */
    return worker;
}

void context_leave(troupe_context *context)
{
    if (!context->is_outside) {
        runtime_leave((troupe_self *)(void *)context);
        return;
    }
    scheduler_outside_settle(context->worker);
    slab_flush(&context->worker->slab);
    outside_is_held = false;
    pthread_mutex_unlock(&context->system->outside_lock);
}

uint64_t troupe_context_now_ns(troupe_context *from)
{
    return env_now_ns(from->system->env);
}

int64_t troupe_context_unix_ms(troupe_context *from)
{
    return env_unix_ms(from->system->env);
}

uint64_t troupe_context_random(troupe_context *from)
{
    struct worker *worker = context_enter(from);
    uint64_t bits = random_next(&worker->random);
    context_leave(from);
    return bits;
}

troupe_system *troupe_system_of(troupe_self *self)
{
    return self->context.system;
}

/* Whether one more actor may live; counts it. */
static bool actors_has_room(struct troupe_system *system)
{
    if (system->actors_max == 0 || fetch_add_relaxed(&system->actors_live, 1) < system->actors_max)
        return true;
    fetch_sub_relaxed(&system->actors_live, 1);
    return false;
}

static troupe_status slot_find(struct worker *worker, struct actor **ret_actor)
{
    if (worker->slots_free == NULL && load_relaxed(&worker->dealt) != NULL)
        scheduler_dealt_take(worker);
    if (worker->slots_free != NULL) {
        *ret_actor = worker->slots_free;
        worker->slots_free = worker->slots_free->run_next;
        return TROUPE_OK;
    }
    if (worker->fresh_slots_left == 0) {
        struct troupe_system *system = worker->self.context.system;
        troupe_status status = slots_chunk_new(&system->slots, worker->index, &worker->fresh_slots);
        if (status != TROUPE_OK)
            return status;
        worker->fresh_slots_left = SLOTS_CHUNK_LEN;
    }
    *ret_actor = worker->fresh_slots++;
    worker->fresh_slots_left--;
    return TROUPE_OK;
}

troupe_status worker_slot_take(struct worker *worker, struct actor **ret_actor)
{
    struct troupe_system *system = worker->self.context.system;
    if (!actors_has_room(system))
        return TROUPE_LIMIT;
    troupe_status status = slot_find(worker, ret_actor);
    if (status != TROUPE_OK && system->actors_max != 0)
        fetch_sub_relaxed(&system->actors_live, 1);
    return status;
}

void worker_slot_return(struct worker *worker, struct actor *actor)
{
    struct troupe_system *system = worker->self.context.system;
    if (system->actors_max != 0)
        fetch_sub_relaxed(&system->actors_live, 1);
    if (load_relaxed(&actor->generation) >= SLOTS_GENERATION_MAX)
        return; /* used up: never handed out again */
    uint32_t owner = slots_owner(&system->slots, actor->slot);
    if (owner == worker->index) {
        actor->run_next = worker->slots_free;
        worker->slots_free = actor;
    } else {
        worker_deal(system->workers[owner], actor);
    }
}

/* Makes a worker without a thread. */
static troupe_status worker_new(struct troupe_system *system, uint32_t index, struct worker **ret_worker)
{
    struct worker *worker =
        aligned_alloc(CACHE_LINE, (sizeof *worker + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (worker == NULL)
        return TROUPE_NO_MEMORY;
    memset(worker, 0, sizeof *worker);
    worker->self.context =
        (struct troupe_context){.system = system, .worker = worker, .is_outside = index == OUTSIDE};
    worker->seat = &worker->first_seat;
    worker->seat->context = worker->self.context;
    worker->seat->context.is_quick = !system->env->is_simulated && index != OUTSIDE;
    store_relaxed(&worker->seat->in_runtime, 1);
    worker->index = index;
    worker->is_simulated = system->env->is_simulated;
    worker->is_noted = worker->is_simulated;
    worker->chunks = system->slots.chunks;
    worker->housekeeping_every = 1;
    worker->backlog_min = UINT32_MAX;
    worker->random.state = trace_mix(system->entropy, index + 1);
    slab_init(&worker->slab, trace_mix(system->entropy, index + 1001), 0);
    worker->now_ns = env_now_ns(system->env);
    worker->began_ns = worker->now_ns;
    worker->wheel.now_ms = worker->now_ns / NS_PER_MS;
    troupe_status status = system->env->ops->poller_new(system->env, &worker->poller);
    if (status != TROUPE_OK) {
        slab_done(&worker->slab);
        free(worker);
    } else {
        *ret_worker = worker;
    }
    return status;
}

static void worker_free(struct worker *worker)
{
    if (worker == NULL)
        return;
    wheel_done(worker);
    worker->self.context.system->env->ops->poller_free(worker->poller);
    slab_done(&worker->slab);
    free(worker);
}

/* Starts one more pinned worker. Under pinned_lock. */
static troupe_status pinned_new(struct troupe_system *system, struct worker **ret_worker)
{
    uint32_t index = load_relaxed(&system->worker_count_all);
    struct worker *worker = NULL;
    if (index == OUTSIDE)
        return TROUPE_LIMIT;
    troupe_status status = worker_new(system, index, &worker);
    if (status != TROUPE_OK)
        return status;
    worker->is_pinned = true;
    system->workers[index] = worker;
    status = env_thread_start(&worker->thread, "troupe-own", scheduler_run, worker);
    if (status == TROUPE_OK) {
        /* With load_acquire in system_stop and the counters. */
        store_release(&system->worker_count_all, index + 1);
        tracing_join(worker);
        *ret_worker = worker;
    } else {
        system->workers[index] = NULL;
        worker_free(worker);
    }
    return status;
}

troupe_status system_worker_pinned(struct troupe_system *system, struct worker **ret_worker)
{
    troupe_status status = TROUPE_OK;
    pthread_mutex_lock(&system->pinned_lock);
    if (load_relaxed(&system->is_stopping)) { /* a thread begun now would not be waited for */
        status = TROUPE_STOPPING;
    } else if (system->pinned_free != NULL) {
        *ret_worker = system->pinned_free;
        system->pinned_free = system->pinned_free->pinned_next;
    } else {
        status = pinned_new(system, ret_worker);
    }
    pthread_mutex_unlock(&system->pinned_lock);
    return status;
}

void system_worker_unpin(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    pthread_mutex_lock(&system->pinned_lock);
    worker->pinned_next = system->pinned_free;
    system->pinned_free = worker;
    pthread_mutex_unlock(&system->pinned_lock);
}

static void system_free(struct troupe_system *system)
{
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++)
        if (system->workers[i] != NULL)
            wheel_done(system->workers[i]);
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++)
        worker_free(system->workers[i]);
    relief_done(system);
    signals_done(&system->signals);
    watches_done(&system->watches);
    groups_done(&system->groups);
    events_done(&system->events);
    tracing_free(system->tracing);
    registry_done(&system->registry);
    slots_done(&system->slots);
    if (system->env != NULL)
        system->env->ops->free(system->env);
    free(system->sim);
    pthread_mutex_destroy(&system->outside_lock);
    pthread_mutex_destroy(&system->pinned_lock);
    free(system);
}

static troupe_status options_take(struct troupe_system *system, const troupe_options *options)
{
    static const troupe_options defaults = TROUPE_OPTIONS_DEFAULTS;
    const troupe_options *given = options != NULL ? options : &defaults;
    uint32_t workers = given->workers != 0 ? given->workers : env_processors();
    const troupe_simulation *simulate = &given->simulate;
    if (workers > TROUPE_WORKERS_MAX || given->actors_max >= 1u << TROUPE_REF_SLOT_BITS ||
        !sim_is_valid(simulate))
        return TROUPE_INVALID;
    system->is_embedded = given->embedded && simulate->seed == 0;
    system->host = pthread_self();
    system->worker_count = system->is_embedded ? 1 : workers;
    system->actors_max = given->actors_max;
    system->drain_ms = given->drain_ms != 0 ? given->drain_ms : DRAIN_MS_DEFAULT;
    system->handler_ms = given->handler_ms != 0 ? given->handler_ms : TROUPE_HANDLER_MS_DEFAULT;
    system->seed = simulate->seed;
    system->entropy = simulate->seed != 0 ? simulate->seed : env_entropy();
    troupe_status status =
        simulate->seed != 0 ? sim_new(simulate, &system->sim, &system->env) : env_linux_new(&system->env);
    if (status == TROUPE_OK)
        status = slots_init(&system->slots);
    if (status == TROUPE_OK)
        status = registry_init(&system->registry);
    return status != TROUPE_OK ? status : watches_init(&system->watches);
}

static void threads_stop(struct troupe_system *system)
{
    pthread_mutex_lock(&system->pinned_lock);
    store_seq_cst(&system->is_stopping, true); /* with is_called in worker_sleep */
    pthread_mutex_unlock(&system->pinned_lock);
    relief_stop(system);
    uint32_t count = load_acquire(&system->worker_count_all);
    for (uint32_t i = 0; i < count; i++)
        if (system->workers[i]->thread != NULL)
            system->env->ops->poller_wake(system->workers[i]->poller);
    for (uint32_t i = 0; i < count; i++) {
        env_thread_join(system->workers[i]->thread);
        system->workers[i]->thread = NULL;
    }
}

static troupe_status threads_start(struct troupe_system *system)
{
    for (uint32_t i = 0; i < system->worker_count; i++) {
        char name[] = "troupe-00";
        name[7] = (char)('0' + i / 10);
        name[8] = (char)('0' + i % 10);
        troupe_status status =
            env_thread_start(&system->workers[i]->thread, name, scheduler_run, system->workers[i]);
        if (status != TROUPE_OK) {
            threads_stop(system);
            return status;
        }
    }
    return TROUPE_OK;
}

troupe_status troupe_start(troupe_system **ret_system, const troupe_options *options)
{
    size_t size = (sizeof(struct troupe_system) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct troupe_system *system = aligned_alloc(CACHE_LINE, size);
    if (system == NULL)
        return TROUPE_NO_MEMORY;
    memset(system, 0, size);
    pthread_mutex_init(&system->outside_lock, NULL);
    pthread_mutex_init(&system->pinned_lock, NULL);
    groups_init(&system->groups);
    signals_init(&system->signals);
    events_init(&system->events);
    system->tracing = tracing_new();
    troupe_status status = options_take(system, options);
    for (uint32_t i = 0; i < system->worker_count && status == TROUPE_OK; i++)
        status = worker_new(system, i, &system->workers[i]);
    if (status == TROUPE_OK)
        status = worker_new(system, OUTSIDE, &system->workers[OUTSIDE]);
    if (status == TROUPE_OK) {
        system->outside = system->workers[OUTSIDE];
        system->context = system->outside->self.context;
        store_release(&system->worker_count_all, system->worker_count);
        if (system->seed != 0)
            troupe_sim_faults(system, true);
        else if (!system->is_embedded)
            status = threads_start(system);
    }
    if (status == TROUPE_OK && system->seed == 0 && !system->is_embedded) {
        status = relief_start(system);
        if (status != TROUPE_OK)
            threads_stop(system);
    }
    if (status == TROUPE_OK)
        *ret_system = system;
    else
        system_free(system);
    return status;
}

/*
 * Whether every worker sleeps with nothing pushed to it; `ret_activations` tells whether anything ran
 * between two looks.
 */
static bool is_quiet(struct troupe_system *system, uint64_t *ret_activations)
{
    uint32_t count = load_acquire(&system->worker_count_all);
    uint64_t activations = 0;
    bool is_all_asleep = true;
    for (uint32_t i = 0; i < count; i++) {
        struct worker *worker = system->workers[i];
        is_all_asleep = is_all_asleep && load_seq_cst(&worker->is_sleeping) != 0 &&
                        load_seq_cst(&worker->arrivals) == NULL && load_seq_cst(&worker->dealt) == NULL;
        activations += load_relaxed(&worker->counters.activations);
    }
    *ret_activations = activations;
    return is_all_asleep;
}

/* What an embedded system is stepped until, when it stops. */
struct draining {
    struct troupe_system *system;
    uint64_t end_ns;
    uint64_t activations;
    bool was_quiet;
};

static bool is_drained(void *context)
{
    struct draining *draining = context;
    uint64_t then = draining->activations;
    bool was_quiet = draining->was_quiet;
    draining->was_quiet = is_quiet(draining->system, &draining->activations);
    if (draining->was_quiet && !was_quiet)
        env_sleep_ms(1);
    return (draining->was_quiet && was_quiet && then == draining->activations) ||
           env_now_ns(draining->system->env) >= draining->end_ns;
}

static void drain(struct troupe_system *system)
{
    if (system->is_embedded) {
        struct draining draining = {
            .system = system, .end_ns = env_now_ns(system->env) + (uint64_t)system->drain_ms * NS_PER_MS};
        embed_run_until(system, is_drained, &draining);
        return;
    }
    if (system->env->is_simulated) {
        sim_drain(system, env_now_ns(system->env) + (uint64_t)system->drain_ms * NS_PER_MS);
        return;
    }
    uint64_t activations = 0;
    for (uint32_t waited_ms = 0; waited_ms < system->drain_ms; waited_ms++) {
        uint64_t then = activations;
        if (is_quiet(system, &activations) && waited_ms > 0 && then == activations)
            return;
        env_sleep_ms(1);
    }
}

static int younger_first(const void *a, const void *b)
{
    uint64_t created_a = load_relaxed(&(*(struct actor *const *)a)->created);
    uint64_t created_b = load_relaxed(&(*(struct actor *const *)b)->created);
    return created_a < created_b ? 1 : -1;
}

/*
 * Nobody runs any more, and whoever ends goes by the links of a run queue to where slots are free: it must be
 * in none when the next one is pushed.
 */
static void run_queues_forget(struct worker *worker)
{
    worker->slot = NULL;
    worker->ready = (struct run_queue){0};
    worker->fresh = (struct run_queue){0};
}

/*
 * Ends one actor on behalf of its home. What it tells others at its end makes them run, which they will not.
 */
static void end_one(struct troupe_system *system, struct actor *actor)
{
    struct worker *worker = system->workers[load_relaxed(&actor->home)];
    worker_current = worker;
    actor->is_queued = 1; /* its own word to itself does not queue it */
    actor_ending(actor, TROUPE_SHUTDOWN);
    actor_end(worker, actor);
    run_queues_forget(worker);
    worker_current = NULL;
}

/* All live actors, youngest first; without memory for the list, in slot order. */
static void actors_end(struct troupe_system *system)
{
    uint32_t slot_count = system->slots.chunk_count << SLOTS_CHUNK_BITS;
    struct actor **live = malloc((size_t)slot_count * sizeof *live + 1);
    uint32_t live_count = 0;
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++) {
        if (system->workers[i] != NULL)
            run_queues_forget(system->workers[i]);
    }
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        struct actor *actor = slots_at(system->slots.chunks, slot);
        if (actor->phase == ACTOR_FREE)
            continue;
        if (live != NULL)
            live[live_count++] = actor;
        else
            end_one(system, actor);
    }
    if (live_count > 0)
        qsort(live, live_count, sizeof *live, younger_first);
    for (uint32_t i = 0; i < live_count; i++)
        end_one(system, live[i]);
    free(live);
}

/* Takes in all that is on its way between workers; what is passed on by one may be for one before it. */
static void settle(struct troupe_system *system)
{
    bool is_settled = false;
    while (!is_settled) {
        is_settled = true;
        for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++) {
            struct worker *worker = system->workers[i];
            if (worker == NULL)
                continue;
            if (load_relaxed(&worker->arrivals) != NULL || load_relaxed(&worker->dealt) != NULL)
                is_settled = false;
            scheduler_arrivals_settle(worker);
        }
    }
}

int troupe_stop(troupe_system **system_at)
{
    if (system_at == NULL || *system_at == NULL)
        return 0;
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    struct troupe_system *system = *system_at;
    drain(system);
    threads_stop(system);
    /* Whoever came in before `is_stopping` is out again: what follows is this thread's alone. */
    pthread_mutex_lock(&system->outside_lock);
    pthread_mutex_unlock(&system->outside_lock);
    settle(system); /* so that the walk finds every slot at rest */
    actors_end(system);
    settle(system);
    tracing_end(system);
    system_free(system);
    *system_at = NULL;
    return 0;
}

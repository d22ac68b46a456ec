/* SPDX-License-Identifier: MIT */
/*
 * system.h: what the workers of one system share, and the way in for threads outside. Nearly all of it is
 * read only after the start; what is not has its own lock or is atomic and on its own cache line.
 */
#ifndef TROUPE_CORE_SYSTEM_H
#define TROUPE_CORE_SYSTEM_H

#include "core/events.h"
#include "core/group.h"
#include "core/registry.h"
#include "core/signal.h"
#include "core/watch.h"
#include "core/worker.h"

struct sim;

/* The thread that looks for stuck workers: relief.c. */
struct watchdog {
    struct env_thread *thread;
    struct env_poller *poller;
    _Atomic bool is_dormant; /* it sleeps until relief_rouse */
};

struct troupe_system {
    struct troupe_context context; /* must be first: a system is a context */
    struct env *env;
    uint32_t worker_count;             /* ordinary ones */
    _Atomic uint32_t worker_count_all; /* and pinned ones that have begun, in order of index */
    struct worker *workers
        [WORKERS_ALL_MAX]; /* index order; [OUTSIDE] is `outside`; pinned ones appear under pinned_lock */
    struct worker *outside;
    pthread_mutex_t outside_lock;
    pthread_mutex_t pinned_lock;
    struct worker *pinned_free; /* threads whose actor has ended, for the next one; under pinned_lock */
    uint32_t actors_max;        /* 0: as many as there are slots */
    struct slots slots;
    struct registry registry;
    struct groups groups;
    struct events events;
    struct tracing *tracing; /* see tracer.h */
    struct watches watches;
    struct signals signals;
    struct watchdog watchdog;
    uint32_t handler_ms; /* between two looks of the watchdog */
    uint32_t drain_ms;
    bool is_embedded; /* stepped by the thread `host` */
    pthread_t host;
    struct sim *sim; /* NULL but in simulation */
    uint64_t seed;
    uint64_t entropy;

    _Alignas(CACHE_LINE) _Atomic uint64_t hungry;  /* bit per ordinary worker that has nothing to do */
    _Atomic bool is_stopping;                      /* workers leave their loop */
    _Atomic uint32_t observed;                     /* TROUPE_EVENT_ bits that anybody listens to: events.h */
    _Alignas(CACHE_LINE) _Atomic uint64_t created; /* actors so far */
    _Alignas(CACHE_LINE) _Atomic uint32_t actors_live; /* counted when there is an actors_max */
};

/*
 * The live actor that a ref names, NULL when it is stale, and whether it is at home at `worker`. There it
 * stays alive while the worker does nothing else; elsewhere it may end at any moment.
 *
 * The home is looked at before the generation: in the other order the tenant could end elsewhere in
 * between and its slot come home, free, to be taken for a live actor of ours. It is not looked at again: a
 * message for which room was reserved as by a remote sender is pushed as by one, though the actor may have
 * come home meanwhile.
 */
static inline struct actor *system_find_at(struct troupe_system *system, const struct worker *worker,
                                           troupe_ref ref, bool *ret_is_local)
{
    struct actor *actor = slots_at(system->slots.chunks, slots_number(ref));
    if (UNLIKELY(actor == NULL))
        return NULL;
    /* Pairs with store_release in dealt_push: what its last home wrote is visible. */
    *ret_is_local = load_acquire(&actor->home) == worker->index;
    /* Pairs with store_release in generation_next. */
    return LIKELY(load_acquire(&actor->generation) == slots_generation(ref)) ? actor : NULL;
}

/* The same for those who do not mind where its home is. */
static inline struct actor *system_find(struct troupe_system *system, troupe_ref ref)
{
    bool is_local;
    return system_find_at(system, system->outside, ref, &is_local);
}

/*
 * The worker of an actor with its own thread: one whose actor has ended, or a new one. Errors:
 * TROUPE_NO_MEMORY, TROUPE_IO, TROUPE_LIMIT (as many live), TROUPE_STOPPING.
 */
troupe_status system_worker_pinned(struct troupe_system *system, struct worker **ret_worker);

/* The actor of a pinned worker has ended: its thread waits for the next one. */
void system_worker_unpin(struct worker *worker);

/* Whether anybody listens to one of these kinds. */
static inline bool system_observes(const struct troupe_system *system, uint32_t kinds)
{
    return UNLIKELY((load_relaxed(&system->observed) & kinds) != 0);
}

#endif

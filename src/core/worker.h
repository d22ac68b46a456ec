/* SPDX-License-Identifier: MIT */
/*
 * worker.h: a worker runs actors, one at a time, on one thread; a system is a set of them. Members are
 * grouped by who writes them. Three kinds share the struct:
 *
 *   ordinary   index 0 to workers - 1: run whatever is ready, give work away, take work over pinned
 *   index up to OUTSIDE - 1: the thread of one actor spawned with `own_thread` outside    index OUTSIDE: no
 *   thread; stands for all threads that are not workers, behind a mutex. No live actor is at home there
 */
#ifndef TROUPE_CORE_WORKER_H
#define TROUPE_CORE_WORKER_H

#include <pthread.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/random.h"
#include "core/actor.h"
#include "core/slab.h"
#include "core/slots.h"
#include "core/timer.h"
#include "env/env.h"

enum {
    WORKERS_ALL_MAX = 256, /* ordinary, pinned and outside */
    OUTSIDE = WORKERS_ALL_MAX - 1,
    CACHE_LINE = 64,
};

/* Who acts: what a troupe_self and a troupe_system begin with. */
struct troupe_context {
    struct troupe_system *system;
    struct worker *worker; /* `outside` for a system: to be locked. For a self: relief.h, invariant 1 */
    bool is_outside;
    bool is_quick; /* sends go the quick way of post.c: of a self, and not simulated */
};

/*
 * A worker has two: its own, which is never elsewhere, and the seat of the thread that runs it, which is what
 * handlers get.
 */
struct troupe_self {
    struct troupe_context context;
    struct actor *actor;
    troupe_ref ref;              /* the actor's */
    _Atomic uint32_t in_runtime; /* see relief.h; by the seat's thread */
    _Atomic bool is_revoked;     /* by a spare */
    troupe_asker paid;           /* debt.h: who was answered last */
};

/* Counters of one worker, of the same names as troupe_counters: written by it, read by anybody. */
struct worker_counters {
    _Atomic uint64_t actors_spawned, actors_ended, actors_failed, restarts, sent, handled, refused,
        activations, moved, sleeps, relieved;
    _Atomic uint64_t dead_letters_by[TROUPE_DEAD_COUNT];
};

/* Actors in order, doubly linked through run_next and run_previous. */
struct run_queue {
    struct actor *first;
    struct actor *last;
    uint32_t len;
};

struct worker {
    /* -- by other threads -- */
    _Alignas(
        CACHE_LINE) struct actor *_Atomic arrivals; /* actors with new messages, linked by arrival_next */
    struct actor *_Atomic dealt;  /* actors and free slots given to us, linked by run_next */
    _Atomic uint32_t is_sleeping; /* set by us before we sleep, cleared by whoever wakes us */

    /* -- ours, hot -- */
    _Alignas(CACHE_LINE) struct troupe_self self;
    struct troupe_self *seat; /* see relief.h */
    struct run_queue ready;   /* first in, first out */
    struct run_queue fresh;   /* newly spawned: the newest runs first */
    struct actor *slot;       /* woken last: runs next, while its messages are in the cache */
    uint32_t slot_left;       /* times in a row that the slot may still be taken */
    uint32_t index;
    bool is_simulated;
    bool is_noted;                 /* simulated, or traced */
    bool is_leaving;               /* the system stops: seen at a housekeeping */
    struct actor *_Atomic *chunks; /* the system's slots: slots.h */
    uint32_t fair_in;              /* turns of queues until the longest ready goes first */
    int32_t housekeeping_in;       /* messages until the clock is looked at */
    int32_t housekeeping_every;
    uint64_t now_ns; /* as of the last housekeeping */
    uint32_t now_ms;
    uint32_t backlog_min;      /* least actors left waiting at any step since the last housekeeping */
    uint32_t deal_votes;       /* housekeepings in a row that found work to give away */
    uint64_t spin_ns;          /* how long it looks out for work before it sleeps */
    uint64_t handled_then;     /* counters.handled at the last housekeeping */
    struct actor *slots_free;  /* linked by run_next */
    uint32_t fresh_slots_left; /* in fresh_slots, never used so far */
    struct actor *fresh_slots;
    struct slab slab;
    struct wheel wheel;
    struct env_poller *poller;
    _Atomic uint32_t watch_count; /* descriptors watched here; written under the lock of the watches */
    struct random random;
    struct tracer *tracer; /* while a trace is made: tracer.h; NULL */
    struct worker_counters counters;
    _Atomic uint64_t idle_ns;         /* asleep so far, all sleeps that are over */
    _Atomic uint64_t asleep_since_ns; /* 0: awake */

    /* -- set once -- */
    struct env_thread *thread;
    struct worker *pinned_next; /* in system->pinned_free, under pinned_lock */
    uint64_t began_ns;
    bool is_pinned;
    /* -- of a spare: relief.h -- */
    struct worker *_Atomic relieves; /* the worker it is called to, by the watchdog */
    uint64_t relieves_turn;          /* and the turn that is stuck; before `relieves` */
    struct worker *relieved;         /* where the actor goes home to that the thread is stuck with */
    bool is_returning;               /* free once its timers and descriptors are gone */
    _Alignas(CACHE_LINE) struct troupe_self first_seat; /* of the thread that was started for it */
    bool is_started;
};

/* The worker that runs on this thread, NULL on threads outside. */
extern _Thread_local struct worker *worker_current;

/* Whether this thread is between context_enter and context_leave of a system. */
extern _Thread_local bool outside_is_held;

/*
 * Pushes a list's worth of one actor on another worker's `arrivals` or `dealt` and wakes it. See
 * scheduler.c.
 */
void worker_notify(struct worker *to, struct actor *actor);
void worker_deal(struct worker *to, struct actor *actor);

/* Says which actor acts, to the runtime and to its handler. */
static inline void worker_act_for(struct worker *worker, struct actor *actor)
{
    troupe_ref ref = actor_ref(actor);
    worker->self.actor = actor;
    worker->self.ref = ref;
    worker->seat->actor = actor;
    worker->seat->ref = ref;
}

/* Locks the outside worker when `context` is a system, so that its worker may be used; unlocks it again. */
struct worker *context_enter(troupe_context *context);
void context_leave(troupe_context *context);

/* A free slot for a new actor at this worker. Errors: TROUPE_NO_MEMORY, TROUPE_LIMIT. */
troupe_status worker_slot_take(struct worker *worker, struct actor **ret_actor);

/* Gives back a slot whose tenant has ended at this worker. */
void worker_slot_return(struct worker *worker, struct actor *actor);

#endif

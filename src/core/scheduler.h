/* SPDX-License-Identifier: MIT */
/*
 * scheduler.h: which actor runs next, on which worker.
 *
 * Each worker has private queues; nobody else touches them, so queueing costs plain stores. Work moves by
 * being given, not taken (private deques, Acar, Chargueraud, Rainey, PPoPP 2013): a worker with nothing to
 * do sets its bit in `hungry`; a busy worker that has had a backlog for a whole housekeeping interval gives
 * half of it. So a pair that talks, which never leaves a backlog, stays together, and the only runnable
 * actor of a worker is never taken.
 *
 * Next to run: the slot (woken last; at most SLOT_RUNS_MAX times in a row), then the newest spawned, then
 * the longest ready; every FAIR_EVERYth look at the queues the longest ready goes first.
 *
 * Sleep and wake: see worker_sleep in scheduler.c, with the model of the protocol in tests/model.
 *
 * scheduler_step is the whole of it: threads loop over it, the simulator calls it for the worker of its
 * choice.
 */
#ifndef TROUPE_CORE_SCHEDULER_H
#define TROUPE_CORE_SCHEDULER_H

#include "core/system.h"

enum {
    ACTIVATION_MESSAGES_MAX = 100, /* one actor handles at most so many in a row */
    SLOT_RUNS_MAX = 3,
    FAIR_EVERY = 31,
    HOUSEKEEPING_MAX = 1024,  /* messages between two looks at the clock */
    SPINS_BETWEEN_LOOKS = 64, /* looks for work between two at the clock and the descriptors */
    SPIN_NS_MIN = 5000,
    SPIN_NS_MAX = 100000, /* about what it costs to wake a thread whose processor rests, in a guest */
    DEAL_MAX = 256,       /* actors given away at once */
};

/* Runs one actor for one activation; false when there was none. */
bool scheduler_step(struct worker *worker);

/* Appends to a run queue. */
static inline void run_queue_push(struct run_queue *queue, struct actor *actor)
{
    actor->run_next = NULL;
    actor->run_previous = queue->last;
    if (queue->last == NULL)
        queue->first = actor;
    else
        queue->last->run_next = actor;
    queue->last = actor;
    queue->len++;
}

/*
 * Makes an actor run: woken by a message (the slot), newly spawned (first of fresh), or again (last of
 * ready). The home's thread.
 */
static inline void scheduler_wake(struct worker *worker, struct actor *actor)
{
    actor->is_queued = 1;
    if (worker->slot != NULL)
        run_queue_push(&worker->ready, worker->slot);
    worker->slot = actor;
}
void scheduler_spawned(struct worker *worker, struct actor *actor);

/* After a turn: to the end of ready if messages are left, else the actor waits. */
void scheduler_yield(struct worker *worker, struct actor *actor);

/*
 * How many messages the coming turn may handle: up to the next look at the clock, about a millisecond; the
 * simulator varies it. When the worker is traced, the turn is noted from here on.
 */
uint32_t scheduler_batch(struct worker *worker, struct actor *actor);

/* Takes an actor out of any queue of a worker; NULL when all are empty. */
struct actor *scheduler_take(struct worker *worker);

/* Takes in actors and slots that were given to this worker. */
void scheduler_dealt_take(struct worker *worker);

/* Takes in what came for slots that are at home outside. Under the lock, before it is let go. */
void scheduler_outside_settle(struct worker *outside);

/* Takes in whatever other threads pushed, when all threads have stopped. */
void scheduler_arrivals_settle(struct worker *worker);

/* Gives half of what waits to a hungry worker, if there is one. */
void scheduler_deal(struct worker *worker);

/*
 * Looks at the clock, the wheel and the poller, and gives work away when there is a backlog and somebody
 * hungry.
 */
void scheduler_housekeeping(struct worker *worker);

/*
 * How long to look out for work before the next sleep, when the last one has lasted so long: twice as long
 * when looking longer would have spared it, else half. Never more than a wake costs, so that looking in vain
 * at most doubles the price of a sleep (Karlin, Li, Manasse, Owicki, SOSP 1991; Linux's haltpoll governor
 * learns the same way). Any thread.
 */
uint64_t scheduler_spin_ns(uint64_t spin_ns, uint64_t slept_ns);

/*
 * For a worker without a thread: it counts as asleep from a rest, which answers when its next timer is due,
 * until it rises. False: it is called at this moment, and does not rest.
 */
bool scheduler_rest(struct worker *worker, uint64_t *ret_deadline_ns);
void scheduler_rise(struct worker *worker);

/* The loop of a worker's thread; `context` is the worker. */
void scheduler_run(void *context);

#endif

/* SPDX-License-Identifier: MIT */
/* relief.c: see relief.h for who takes what from whom, and why nothing is touched by two. */
#include "core/relief.h"

#include "core/mailbox.h"
#include "core/scheduler.h"
#include "core/system.h"

enum {
    NS_PER_MS = 1000000,
    QUIET_LOOKS = 20, /* looks in a row that find all workers asleep before the watchdog sleeps, too */
};

void relief_await(troupe_self *seat)
{
    struct troupe_system *system = seat->context.system;
    pthread_mutex_lock(&system->pinned_lock);
    pthread_mutex_unlock(&system->pinned_lock);
}

/* Gives the stuck thread the spare's worker, and this thread, which runs the spare, the stuck one's. */
static void exchange(struct worker *spare, struct worker *worker, troupe_self *stuck)
{
    troupe_self *ours = spare->seat;
    struct env_thread *thread = spare->thread;
    spare->thread = worker->thread;
    worker->thread = thread;
    spare->self.actor = stuck->actor;
    spare->self.ref = stuck->ref;
    spare->seat = stuck;
    spare->relieved = worker;
    stuck->context.worker = spare;
    worker->seat = ours;
    ours->context.worker = worker;
    /*
     * Release, as in dealt_push: what was done to the actor at home is visible to whoever sees the new home.
     */
    store_release(&stuck->actor->home, spare->index);
    counter_add(&spare->counters.relieved, 1);
}

/* Under pinned_lock. False: it is not stuck any more, or not where it can be relieved. */
static bool take_over(struct worker *spare, struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    troupe_self *stuck = worker->seat;
    if (load_relaxed(&system->is_stopping))
        return false;
    store_relaxed(&stuck->is_revoked, true);
    env_barrier();                                           /* see the head of relief.h */
    bool is_stuck = load_acquire(&stuck->in_runtime) == 0 && /* with runtime_leave */
                    load_relaxed(&worker->counters.activations) == spare->relieves_turn;
    if (is_stuck)
        exchange(spare, worker, stuck);
    store_release(&stuck->is_revoked, false); /* with load_acquire in runtime_enter */
    return is_stuck;
}

void relief_serve(struct worker *spare)
{
    struct troupe_system *system = spare->self.context.system;
    struct worker *worker = exchange_acquire(&spare->relieves, NULL); /* with call_spare */
    if (worker == NULL) {
        bool is_free = spare->is_returning && wheel_next_ms(&spare->wheel) == UINT64_MAX &&
                       load_relaxed(&spare->watch_count) == 0;
        if (is_free) { /* no timer or descriptor of the relieved actor is left here */
            spare->is_returning = false;
            system_worker_unpin(spare);
        }
        return;
    }
    pthread_mutex_lock(&system->pinned_lock);
    bool is_relieved = take_over(spare, worker);
    pthread_mutex_unlock(&system->pinned_lock);
    if (!is_relieved)
        system_worker_unpin(spare);
}

void relief_return(struct worker *spare)
{
    struct troupe_system *system = spare->self.context.system;
    struct actor *actor;
    while ((actor = scheduler_take(spare)) != NULL)
        worker_deal(spare->relieved, actor);
    bool is_here;
    actor = system_find_at(system, spare, spare->self.ref, &is_here);
    if (actor != NULL && is_here) /* it waits or rests: no queue has it, so only its home changes */
        store_release(&actor->home, spare->relieved->index); /* with load_acquire in arrivals_take */
    spare->is_returning = true;
}

/* Has a spare look after a worker that is stuck in its `turn`th turn. */
static void call_spare(struct troupe_system *system, struct worker *worker, uint64_t turn)
{
    struct worker *spare;
    if (system_worker_pinned(system, &spare) != TROUPE_OK)
        return; /* as many threads as there may be are stuck: this one is waited for */
    spare->relieves_turn = turn;
    store_seq_cst(&spare->relieves, worker); /* with exchange_acquire in relief_serve, and is_called */
    system->env->ops->poller_wake(spare->poller);
}

/* One look at all workers; whether any is awake. `turns` are their turns at the last look, 0: asleep. */
static bool look(struct troupe_system *system, uint64_t *turns)
{
    bool is_any_awake = false;
    for (uint32_t i = 0; i < system->worker_count; i++) {
        struct worker *worker = system->workers[i];
        if (load_seq_cst(&worker->is_sleeping) != 0) { /* with relief_rouse */
            turns[i] = 0;
            continue;
        }
        uint64_t turn = load_relaxed(&worker->counters.activations);
        if (turn != 0 && turn == turns[i])
            call_spare(system, worker, turn);
        turns[i] = turn;
        is_any_awake = true;
    }
    return is_any_awake;
}

static void watch(void *context)
{
    struct troupe_system *system = context;
    struct watchdog *watchdog = &system->watchdog;
    uint64_t turns[TROUPE_WORKERS_MAX] = {0};
    uint32_t quiet = 0;
    while (!load_relaxed(&system->is_stopping)) {
        quiet = look(system, turns) ? 0 : quiet + 1;
        uint64_t until_ns = env_now_ns(system->env) + (uint64_t)system->handler_ms * NS_PER_MS;
        if (quiet > QUIET_LOOKS) {
            store_seq_cst(&watchdog->is_dormant, true); /* before the last look: see relief_rouse */
            quiet = 0;
            if (!look(system, turns) && !load_seq_cst(&system->is_stopping))
                until_ns = ENV_FOREVER;
        }
        struct env_ready ready[ENV_READY_MAX];
        system->env->ops->poller_wait(watchdog->poller, until_ns, ready);
        store_seq_cst(&watchdog->is_dormant, false);
    }
}

void relief_rouse(struct troupe_system *system)
{
    /*
     * The worker has stored is_sleeping = 0 before; the watchdog stores is_dormant before it loads
     * is_sleeping. All are sequentially consistent, so one sees the other (Dekker).
     */
    struct watchdog *watchdog = &system->watchdog;
    if (load_seq_cst(&watchdog->is_dormant) && exchange_seq_cst(&watchdog->is_dormant, false))
        system->env->ops->poller_wake(watchdog->poller);
}

troupe_status relief_start(struct troupe_system *system)
{
    if (!env_barrier_register())
        return TROUPE_OK;
    struct watchdog *watchdog = &system->watchdog;
    troupe_status status = system->env->ops->poller_new(system->env, &watchdog->poller);
    if (status == TROUPE_OK)
        status = env_thread_start(&watchdog->thread, "troupe-watchdog", watch, system);
    return status;
}

void relief_stop(struct troupe_system *system)
{
    struct watchdog *watchdog = &system->watchdog;
    if (watchdog->thread == NULL)
        return;
    system->env->ops->poller_wake(watchdog->poller);
    env_thread_join(watchdog->thread);
    watchdog->thread = NULL;
}

void relief_done(struct troupe_system *system)
{
    if (system->watchdog.poller != NULL)
        system->env->ops->poller_free(system->watchdog.poller);
    system->watchdog.poller = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * scheduler.c: see scheduler.h for the order in which actors run and how work moves.
 *
 * Going to sleep must not miss a notice. The notifier pushes, then looks at is_sleeping; the sleeper sets
 * is_sleeping, then looks at what was pushed. All four are sequentially consistent, so at least one of the
 * two sees the other (Dekker): either the sleeper stays awake or the notifier wakes it. The poller's
 * eventfd remembers a wake that comes before the wait.
 */
#include "core/scheduler.h"

#include "base/assert.h"
#include "base/plant.h"
#include "core/activation.h"
#include "core/errand.h"
#include "core/mailbox.h"
#include "core/relief.h"
#include "core/sim.h"
#include "core/tracer.h"

enum {
    NS_PER_MS = 1000000,
    HOUSEKEEPING_SLOW_NS = NS_PER_MS,     /* an interval over this is halved */
    HOUSEKEEPING_FAST_NS = NS_PER_MS / 8, /* one under this is doubled */
    DEAL_VOTES = 4,    /* housekeepings in a row that must find a reason to give work away */
    FOLLOW_STREAK = 4, /* notices in a row from one worker that make an idle actor follow its sender there */
    DEAL_COST_NS = 1500, /* a message that costs less is cheaper to handle here than apart from who sent it */
};

_Thread_local struct worker *worker_current;
_Thread_local bool outside_is_held;

static void queue_push_first(struct run_queue *queue, struct actor *actor)
{
    actor->run_previous = NULL;
    actor->run_next = queue->first;
    if (queue->first == NULL)
        queue->last = actor;
    else
        queue->first->run_previous = actor;
    queue->first = actor;
    queue->len++;
}

static struct actor *queue_pop_first(struct run_queue *queue)
{
    struct actor *actor = queue->first;
    if (actor == NULL)
        return NULL;
    queue->first = actor->run_next;
    if (queue->first == NULL)
        queue->last = NULL;
    else
        queue->first->run_previous = NULL;
    queue->len--;
    return actor;
}

static struct actor *queue_pop_last(struct run_queue *queue)
{
    struct actor *actor = queue->last;
    if (actor == NULL)
        return NULL;
    queue->last = actor->run_previous;
    if (queue->last == NULL)
        queue->first = NULL;
    else
        queue->last->run_next = NULL;
    queue->len--;
    return actor;
}

void scheduler_spawned(struct worker *worker, struct actor *actor)
{
    actor->is_queued = 1;
    queue_push_first(&worker->fresh, actor);
}

void scheduler_yield(struct worker *worker, struct actor *actor)
{
    if (mailbox_has_any(actor)) {
        run_queue_push(&worker->ready, actor);
        return;
    }
    /*
     * What arrives from now on finds no notice under way, or one that will queue us: mailbox.h, invariant
     * 1.
     */
    actor->is_queued = 0;
}

static uint32_t batch_left(const struct worker *worker)
{
    uint32_t left = (uint32_t)worker->housekeeping_in; /* at least 1: step has seen to it */
    return left < ACTIVATION_MESSAGES_MAX ? left : ACTIVATION_MESSAGES_MAX;
}

/* Of a worker of which more is noted than usual. */
__attribute__((noinline)) static uint32_t batch_noted(struct worker *worker, struct actor *actor)
{
    if (worker->tracer != NULL)
        tracer_turn_begin(worker, actor);
    return worker->is_simulated ? sim_batch(worker->self.context.system->sim) : batch_left(worker);
}

uint32_t scheduler_batch(struct worker *worker, struct actor *actor)
{
    return UNLIKELY(worker->is_noted) ? batch_noted(worker, actor) : batch_left(worker);
}

static void worker_wake(struct worker *worker)
{
    /*
     * Seq_cst load after the seq_cst push; see the head. The exchange makes one waker write to the eventfd,
     * not all.
     */
    if (load_seq_cst(&worker->is_sleeping) != 0 && exchange_seq_cst(&worker->is_sleeping, 0) != 0)
        worker->self.context.system->env->ops->poller_wake(worker->poller);
}

/*
 * Whether an idle actor should move to the worker that keeps sending to it: talking across costs ten times
 * what talking at home does, so it is not worth being apart unless this worker has heavy work to give away.
 * Only towards the lower index, or two that talk would change places for ever.
 */
static bool is_to_follow(struct worker *worker, struct actor *actor)
{
    struct troupe_system *system = worker->self.context.system;
    const struct lane *lane = &actor->normal;
    bool has_one = lane->first != NULL && !actor->is_pinned;
    struct actor *sender = has_one ? system_find(system, lane->last->sender) : NULL;
    uint32_t from = sender == NULL ? OUTSIDE : load_relaxed(&sender->home);
    if (from != actor->notices_from) {
        actor->notices_from = (uint8_t)from;
        actor->notices = 0;
        return false;
    }
    return from < worker->index && ++actor->notices >= FOLLOW_STREAK && worker->deal_votes == 0;
}

/*
 * Takes in `arrivals`: splices what is ours, passes on what has moved. The worker's thread, or outside under
 * its lock.
 */
static void arrivals_take(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    struct actor *actor = exchange_acquire(&worker->arrivals, NULL);
    struct actor *oldest = NULL;
    while (actor != NULL) {
        struct actor *next = actor->arrival_next;
        actor->arrival_next = oldest;
        oldest = actor;
        actor = next;
    }
    while (oldest != NULL) {
        actor = oldest;
        oldest = actor->arrival_next;
        uint32_t home = load_acquire(&actor->home); /* with the release in worker_deal */
        if (home != worker->index) {
            if (!TROUPE_PLANTED(notice_dropped))
                worker_notify(system->workers[home], actor);
            continue;
        }
        mailbox_splice(worker, actor, NULL);
        if (actor->phase == ACTOR_FREE || actor->is_queued)
            continue;
        if (!mailbox_has_any(actor))
            continue;
        if (is_to_follow(worker, actor)) {
            worker_deal(system->workers[actor->notices_from], actor);
            continue;
        }
        actor->is_queued = 1;
        run_queue_push(&worker->ready, actor);
    }
}

void scheduler_outside_settle(struct worker *outside)
{
    while (load_relaxed(&outside->arrivals) != NULL)
        arrivals_take(outside);
}

void worker_notify(struct worker *to, struct actor *actor)
{
    struct actor *head = load_relaxed(&to->arrivals);
    do {
        actor->arrival_next = head;
    } while (!cas_seq_cst(&to->arrivals, &head,
                          actor)); /* with exchange_acquire in arrivals_take, and worker_sleep */
    if (LIKELY(to->index != OUTSIDE)) {
        worker_wake(to);
    } else if (!outside_is_held) { /* who holds it looks before it lets go */
        context_enter(&to->self.context);
        context_leave(&to->self.context);
    }
}

/*
 * Pushes without waking. All our writes to the actor but run_next come before the new home is visible: from
 * then on a notice may make the new home splice, even before it finds the actor in `dealt`; is_queued keeps
 * it from queueing the actor twice.
 */
static void dealt_push(struct worker *to, struct actor *actor)
{
    actor->is_queued = actor->phase != ACTOR_FREE && !TROUPE_PLANTED(moved_twice);
    /* Release pairs with the acquire in arrivals_take and mailbox_push_remote. */
    store_release(&actor->home, to->index);
    struct actor *head = load_relaxed(&to->dealt);
    do {
        actor->run_next = head;
    } while (!cas_seq_cst(&to->dealt, &head, actor));
}

void worker_deal(struct worker *to, struct actor *actor)
{
    dealt_push(to, actor);
    if (to->index != OUTSIDE)
        worker_wake(to);
}

/* Takes in what was given to us: actors to run, slots of ours that are free again. */
void scheduler_dealt_take(struct worker *worker)
{
    struct actor *actor = exchange_acquire(&worker->dealt, NULL);
    struct actor *oldest = NULL;
    while (actor != NULL) {
        struct actor *next = actor->run_next;
        actor->run_next = oldest;
        oldest = actor;
        actor = next;
    }
    while (oldest != NULL) {
        actor = oldest;
        oldest = actor->run_next;
        if (actor->phase == ACTOR_FREE) {
            actor->run_next = worker->slots_free;
            worker->slots_free = actor;
        } else if (UNLIKELY(actor->phase == ACTOR_ERRAND)) {
            errand_run(worker, actor);
        } else {
            run_queue_push(&worker->ready, actor);
        }
    }
}

void scheduler_arrivals_settle(struct worker *worker)
{
    worker_current = worker;
    arrivals_take(worker);
    scheduler_dealt_take(worker);
    worker_current = NULL;
}

/* Gives half of what waits to one hungry worker. */
static void deal_to(struct worker *worker, struct worker *to)
{
    uint32_t count = (worker->ready.len + worker->fresh.len + 1) / 2;
    for (uint32_t i = 0; i < count && i < DEAL_MAX; i++) {
        struct actor *actor =
            worker->ready.len > 0 ? queue_pop_first(&worker->ready) : queue_pop_last(&worker->fresh);
        dealt_push(to, actor);
        counter_add(&worker->counters.moved, 1);
    }
    worker_wake(to);
}

void scheduler_deal(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    uint64_t hungry = load_relaxed(&system->hungry) & ~(UINT64_C(1) << worker->index);
    if (hungry == 0)
        return;
    uint32_t index = (uint32_t)__builtin_ctzll(hungry);
    uint64_t bit = UINT64_C(1) << index;
    if (fetch_and_seq_cst(&system->hungry, ~bit) & bit) /* one giver a hungry worker */
        deal_to(worker, system->workers[index]);
}

void scheduler_housekeeping(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    uint64_t now_ns = env_now_ns(system->env);
    uint64_t elapsed_ns = now_ns - worker->now_ns;
    uint64_t handled = load_relaxed(&worker->counters.handled);
    worker->now_ns = now_ns;
    worker->now_ms = (uint32_t)(now_ns / NS_PER_MS);
    if (elapsed_ns > HOUSEKEEPING_SLOW_NS && worker->housekeeping_every > 1)
        worker->housekeeping_every /= 2;
    else if (elapsed_ns < HOUSEKEEPING_FAST_NS && worker->housekeeping_every < HOUSEKEEPING_MAX)
        worker->housekeeping_every *= 2;
    worker->housekeeping_in = worker->housekeeping_every;
    wheel_advance(worker, now_ns / NS_PER_MS);
    if (load_relaxed(&worker->watch_count) > 0) {
        struct env_ready ready[ENV_READY_MAX];
        uint32_t count = system->env->ops->poller_wait(worker->poller, 0, ready);
        watch_report(worker, ready, count);
    }
    bool has_backlog = !worker->is_pinned && worker->backlog_min > 0 && worker->backlog_min != UINT32_MAX;
    bool is_heavy = elapsed_ns / (handled - worker->handled_then + 1) >= DEAL_COST_NS;
    worker->deal_votes = has_backlog && is_heavy ? worker->deal_votes + 1 : 0;
    if (worker->deal_votes >= DEAL_VOTES && load_relaxed(&system->hungry) != 0)
        scheduler_deal(worker);
    worker->handled_then = handled;
    worker->backlog_min = UINT32_MAX;
    worker->is_leaving = load_relaxed(&system->is_stopping);
}

/* The next actor to run when it is not the turn of the slot, as scheduler.h says. */
__attribute__((noinline)) static struct actor *pick(struct worker *worker)
{
    struct actor *actor = NULL;
    worker->slot_left = SLOT_RUNS_MAX;
    if (UNLIKELY(worker->fair_in-- == 0)) {
        worker->fair_in = FAIR_EVERY - 1;
        actor = queue_pop_first(&worker->ready);
    }
    if (actor == NULL)
        actor = queue_pop_first(&worker->fresh);
    if (actor == NULL)
        actor = queue_pop_first(&worker->ready);
    if (actor == NULL) {
        actor = worker->slot;
        worker->slot = NULL;
    }
    uint32_t backlog = worker->ready.len + worker->fresh.len;
    if (actor != NULL && backlog < worker->backlog_min)
        worker->backlog_min = backlog;
    return actor;
}

static inline bool step(struct worker *worker)
{
    if (UNLIKELY(--worker->housekeeping_in <= 0))
        scheduler_housekeeping(worker);
    if (UNLIKELY(load_relaxed(&worker->arrivals) != NULL))
        arrivals_take(worker);
    if (UNLIKELY(load_relaxed(&worker->dealt) != NULL))
        scheduler_dealt_take(worker);
    struct actor *actor = worker->slot;
    if (LIKELY(actor != NULL) && LIKELY(worker->slot_left > 0)) {
        worker->slot = NULL;
        worker->slot_left--;
    } else if ((actor = pick(worker)) == NULL) {
        return false;
    }
    activation_run(worker, actor);
    return true;
}

bool scheduler_step(struct worker *worker)
{
    return step(worker);
}

/* Whether something has been pushed to us, or we are to leave. Seq_cst: the sleeper's second look. */
static bool is_called(struct worker *worker)
{
    return load_seq_cst(&worker->arrivals) != NULL || load_seq_cst(&worker->dealt) != NULL ||
           load_seq_cst(&worker->relieves) != NULL || load_seq_cst(&worker->self.context.system->is_stopping);
}

uint64_t scheduler_spin_ns(uint64_t spin_ns, uint64_t slept_ns)
{
    uint64_t next_ns = slept_ns <= SPIN_NS_MAX ? spin_ns * 2 : spin_ns / 2;
    if (next_ns > SPIN_NS_MAX)
        return SPIN_NS_MAX;
    return next_ns < SPIN_NS_MIN ? SPIN_NS_MIN : next_ns;
}

bool scheduler_rest(struct worker *worker, uint64_t *ret_deadline_ns)
{
    slab_flush(&worker->slab);
    store_seq_cst(&worker->is_sleeping, 1); /* see the head */
    if (is_called(worker) && !TROUPE_PLANTED(lost_wakeup)) {
        store_seq_cst(&worker->is_sleeping, 0);
        return false;
    }
    store_relaxed(&worker->asleep_since_ns, env_now_ns(worker->self.context.system->env));
    uint64_t next_ms = wheel_next_ms(&worker->wheel);
    *ret_deadline_ns = next_ms == UINT64_MAX ? ENV_FOREVER : next_ms * NS_PER_MS + 1;
    return true;
}

void scheduler_rise(struct worker *worker)
{
    store_seq_cst(&worker->is_sleeping, 0);
    uint64_t since_ns = load_relaxed(&worker->asleep_since_ns);
    if (since_ns == 0)
        return;
    uint64_t slept_ns = env_now_ns(worker->self.context.system->env) - since_ns;
    worker->spin_ns = scheduler_spin_ns(worker->spin_ns, slept_ns);
    counter_add(&worker->idle_ns, slept_ns);
    store_relaxed(&worker->asleep_since_ns, 0);
}

/*
 * Looks out for something to do for as long as has been worth it lately; whether there was. Descriptors are
 * looked at too, and others who want this processor go first, as they may be who we wait for.
 */
static bool spin(struct worker *worker)
{
    struct env *env = worker->self.context.system->env;
    uint64_t begun_ns = env_now_ns(env);
    do {
        for (uint32_t i = 0; i < SPINS_BETWEEN_LOOKS; i++) {
            if (is_called(worker))
                return true;
            SPIN_PAUSE();
        }
        if (load_relaxed(&worker->watch_count) > 0) {
            struct env_ready ready[ENV_READY_MAX];
            uint32_t count = env->ops->poller_wait(worker->poller, 0, ready);
            watch_report(worker, ready, count);
            if (count > 0)
                return true;
        }
        env_yield();
    } while (env_now_ns(env) - begun_ns < worker->spin_ns);
    return false;
}

/* Waits until there is something to do. */
static void worker_sleep(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    uint64_t bit = worker->is_pinned ? 0 : UINT64_C(1) << worker->index;
    slab_flush(&worker->slab);
    fetch_or_seq_cst(&system->hungry, bit);
    if (spin(worker))
        goto awake;
    uint64_t deadline_ns;
    if (scheduler_rest(worker, &deadline_ns)) {
        struct env_ready ready[ENV_READY_MAX];
        counter_add(&worker->counters.sleeps, 1);
        uint32_t count = system->env->ops->poller_wait(worker->poller, deadline_ns, ready);
        scheduler_rise(worker);
        if (!worker->is_pinned)
            relief_rouse(system);
        watch_report(worker, ready, count);
    }
awake:
    fetch_and_seq_cst(&system->hungry, ~bit);
    scheduler_housekeeping(worker);
}

struct actor *scheduler_take(struct worker *worker)
{
    struct actor *actor = worker->slot;
    worker->slot = NULL;
    if (actor == NULL)
        actor = queue_pop_first(&worker->fresh);
    return actor != NULL ? actor : queue_pop_first(&worker->ready);
}

void scheduler_run(void *context)
{
    struct worker *worker = context;
    troupe_self *seat = worker->seat;
    worker_current = worker;
    while (!worker->is_leaving) {
        bool has_run = step(worker);
        if (UNLIKELY(seat->context.worker != worker)) { /* relieved: a spare from now on */
            worker = worker_current = seat->context.worker;
            relief_return(worker);
            continue;
        }
        if (has_run)
            continue;
        if (worker->is_pinned) {
            relief_serve(worker);
            if (seat->context.worker != worker) { /* it relieved another, which it is from now on */
                worker = worker_current = seat->context.worker;
                continue;
            }
        }
        worker_sleep(worker);
    }
    slab_flush(&worker->slab);
    worker_current = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the scheduler's other loop. One thread takes the workers' steps in an order drawn from the seed, and
 * jumps to the next moment at which something happens when nobody has a step to take. Everything below
 * scheduler_step is the same code as in production, and so is going to sleep: a worker that has found nothing
 * may be overtaken by others before it says that it sleeps, and once it sleeps only its deadline, its poller
 * or a wake-up that the protocol really sends gets it up again. A lost wake-up is lost here too.
 *
 *   AWAKE --scheduler_step found nothing--> DROWSY --scheduler_rest--> ASLEEP --woken, due--> AWAKE
 *     ^                                        \--it was called--> AWAKE
 *
 * Where a machine has a choice the seed makes it: which worker steps, how long a turn is, who is given work,
 * what fires first of what is due at once; and, as far as the options ask for it, what fails and what is
 * late.
 *
 * Invariants
 *   1. nothing here or below reads a clock, an address or a count that differs between two runs of one seed
 *   2. time stands still during a step and moves on a little after it, so that timers and work interleave
 *   3. a notice held back is given later, by whom ever its actor is then at home at: none is dropped
 */
#include "core/sim.h"

#include <stdlib.h>

#include "base/assert.h"
#include "core/scheduler.h"
#include "core/trace.h"

enum {
    NS_PER_MS = 1000000,
    SIM_STEP_NS_MAX = 2000, /* a step takes up to so long */
    SIM_DEAL_ONE_IN = 8,    /* steps between two moves of actors, on average */
    SIM_SHORT_TURN_MAX = 4, /* half of the turns end after so few messages at most */
    TRACE_START = 0xff,     /* in the place of a message's flags: an actor has begun */
};

static bool is_probability(double x)
{
    return x >= 0 && x <= 1;
}

bool sim_is_valid(const troupe_simulation *options)
{
    return is_probability(options->refuse_probability) && is_probability(options->no_memory_probability) &&
           is_probability(options->crash_probability) && is_probability(options->delay_probability) &&
           is_probability(options->spurious_probability) && is_probability(options->short_probability) &&
           options->delay_ms_max <= TROUPE_SIM_MS_MAX && options->timer_late_ms_max <= TROUPE_SIM_MS_MAX;
}

troupe_status sim_new(const troupe_simulation *options, struct sim **ret_sim, struct env **ret_env)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        return TROUPE_NO_MEMORY;
    sim->options = *options;
    if (options->delay_ms_max == 0)
        sim->options.delay_ms_max = TROUPE_SIM_DELAY_MS_DEFAULT;
    sim->random.state = trace_mix(options->seed, 0);
    troupe_status status = env_sim_new(trace_mix(options->seed, UINT64_MAX), ret_env);
    if (status == TROUPE_OK) {
        sim->env = *ret_env;
        *ret_sim = sim;
    } else {
        free(sim);
    }
    return status;
}

void troupe_sim_faults(troupe_system *system, bool are_on)
{
    struct sim *sim = system->sim;
    if (sim == NULL)
        return;
    const struct env_sim_faults faults = {
        .delay_probability = sim->options.delay_probability,
        .delay_ms_max = sim->options.delay_ms_max,
        .spurious_probability = sim->options.spurious_probability,
        .short_probability = sim->options.short_probability,
    };
    sim->has_faults = are_on;
    env_sim_faults(system->env, are_on ? &faults : NULL);
    for (uint32_t i = 0; i < system->worker_count; i++)
        slab_fail(&system->workers[i]->slab, are_on ? sim->options.no_memory_probability : 0);
    slab_fail(&system->outside->slab, are_on ? sim->options.no_memory_probability : 0);
}

static bool is_drawn(struct sim *sim, double probability)
{
    return sim->has_faults && probability > 0 && random_chance(&sim->random, probability);
}

bool sim_refuses(struct sim *sim)
{
    return is_drawn(sim, sim->options.refuse_probability);
}

bool sim_crashes(struct sim *sim)
{
    return is_drawn(sim, sim->options.crash_probability);
}

uint32_t sim_batch(struct sim *sim)
{
    bool is_short = random_below(&sim->random, 2) == 0;
    return 1 + random_below(&sim->random, is_short ? SIM_SHORT_TURN_MAX : ACTIVATION_MESSAGES_MAX);
}

/* One riffle backwards: each card to one of two piles, which are put one on the other. */
static struct timer *riffled(struct random *random, struct timer *timers)
{
    struct timer *first[2] = {NULL, NULL};
    struct timer **end[2] = {&first[0], &first[1]};
    for (struct timer *timer = timers; timer != NULL; timer = timer->next) {
        uint32_t pile = random_below(random, 2);
        *end[pile] = timer;
        end[pile] = &timer->next;
    }
    *end[1] = NULL;
    *end[0] = first[1];
    return first[0];
}

/* (The number of riffles is Bayer and Diaconis's, 1992: 3/2 log2 n, rounded up.) */
struct timer *sim_shuffled(struct sim *sim, struct timer *timers)
{
    uint32_t rounds = 2;
    for (struct timer *timer = timers; timer != NULL; timer = timer->next)
        rounds++;
    rounds = rounds < 4 ? rounds : 3 * (32 - (uint32_t)__builtin_clz(rounds)) / 2;
    for (uint32_t i = 0; i < rounds && timers != NULL; i++)
        timers = riffled(&sim->random, timers);
    return timers;
}

/* Less than so many milliseconds, at least 1, to the nanosecond. */
static uint64_t below_ms(struct sim *sim, uint32_t ms)
{
    return (uint64_t)random_below(&sim->random, ms) * NS_PER_MS + random_below(&sim->random, NS_PER_MS);
}

bool sim_holds(struct sim *sim, struct actor *actor)
{
    if (sim->held_count == SIM_HELD_MAX || !is_drawn(sim, sim->options.delay_probability))
        return false;
    uint64_t due_ns = env_now_ns(sim->env) + below_ms(sim, sim->options.delay_ms_max);
    if (random_below(&sim->random, 2) == 0) /* so that some end together */
        due_ns = due_ns / NS_PER_MS * NS_PER_MS;
    sim->held[sim->held_count++] = (struct sim_held){actor, due_ns};
    return true;
}

/* Gives the notices that are due by `now_ns`. */
static void held_give(struct troupe_system *system, uint64_t now_ns)
{
    struct sim *sim = system->sim;
    for (uint32_t i = 0; i < sim->held_count;) {
        struct actor *actor = sim->held[i].actor;
        if (sim->held[i].due_ns > now_ns) {
            i++;
            continue;
        }
        sim->held[i] = sim->held[--sim->held_count];
        worker_notify(system->workers[load_acquire(&actor->home)], actor); /* as in mailbox_push_remote */
    }
}

static uint64_t held_due_ns(const struct sim *sim)
{
    uint64_t due_ns = ENV_FOREVER;
    for (uint32_t i = 0; i < sim->held_count; i++)
        due_ns = sim->held[i].due_ns < due_ns ? sim->held[i].due_ns : due_ns;
    return due_ns;
}

static void trace(struct sim *sim, const struct worker *worker, const struct actor *actor, uint64_t what)
{
    uint64_t hash = trace_mix(sim->trace_hash, load_relaxed(&actor->created) << 8 | worker->index);
    sim->trace_hash = trace_mix(trace_mix(hash, what), env_now_ns(sim->env));
}

void trace_start(struct worker *worker, const struct actor *actor)
{
    trace(worker->self.context.system->sim, worker, actor, TRACE_START);
}

void trace_message(struct worker *worker, const struct actor *actor, const troupe_message *message)
{
    uint64_t what = (uint64_t)message->type << 32 | (uint32_t)message->flags << 24 | message->size;
    trace(worker->self.context.system->sim, worker, actor, what);
}

/* From when on a worker can take a step: 0 while it is up. */
static uint64_t worker_due_ns(struct troupe_system *system, uint32_t index)
{
    const struct sim_worker *state = &system->sim->workers[index];
    if (state->state != SIM_ASLEEP)
        return 0;
    uint64_t due_ns = env_sim_poller_due_ns(system->workers[index]->poller);
    return due_ns < state->deadline_ns ? due_ns : state->deadline_ns;
}

/*
 * The workers that can take a step now. One of the others is hungry: it will be given work, if any is given.
 * For want of others, now and then a busy one is, as when its last work has gone since it said so.
 */
static uint32_t able_workers(struct troupe_system *system, uint32_t *ret_able)
{
    struct sim *sim = system->sim;
    uint64_t now_ns = env_now_ns(system->env);
    uint32_t able_count = 0;
    uint32_t idle_count = 0;
    uint32_t hungry = random_below(&sim->random, system->worker_count);
    for (uint32_t i = 0; i < system->worker_count; i++) {
        if (worker_due_ns(system, i) <= now_ns)
            ret_able[able_count++] = i;
        if (sim->workers[i].state != SIM_AWAKE && random_below(&sim->random, ++idle_count) == 0)
            hungry = i;
    }
    bool is_any = idle_count > 0 || random_below(&sim->random, SIM_DEAL_ONE_IN) == 0;
    store_relaxed(&system->hungry, is_any ? UINT64_C(1) << hungry : 0);
    return able_count;
}

static void step_awake(struct sim *sim, struct sim_worker *state, struct worker *worker)
{
    if (worker->ready.len + worker->fresh.len > 0)
        scheduler_deal(worker);
    if (!scheduler_step(worker)) {
        state->state = SIM_DROWSY;
        return;
    }
    env_sim_advance_to(sim->env, env_now_ns(sim->env) + random_below(&sim->random, SIM_STEP_NS_MAX));
}

static void step_drowsy(struct sim *sim, struct sim_worker *state, struct worker *worker)
{
    uint64_t deadline_ns;
    if (!scheduler_rest(worker, &deadline_ns)) {
        state->state = SIM_AWAKE;
        scheduler_housekeeping(worker);
        return;
    }
    uint64_t next_ms = wheel_next_ms(&worker->wheel);
    state->state = SIM_ASLEEP;
    state->deadline_ns = next_ms == UINT64_MAX ? ENV_FOREVER : next_ms * NS_PER_MS;
    if (next_ms != UINT64_MAX && sim->has_faults && sim->options.timer_late_ms_max > 0)
        state->deadline_ns += below_ms(sim, sim->options.timer_late_ms_max);
}

static void step_asleep(struct sim_worker *state, struct worker *worker)
{
    struct env_ready ready[ENV_READY_MAX];
    uint32_t count = worker->self.context.system->env->ops->poller_wait(worker->poller, 0, ready);
    scheduler_rise(worker);
    watch_report(worker, ready, count);
    scheduler_housekeeping(worker);
    state->state = SIM_AWAKE;
}

bool sim_step(struct troupe_system *system)
{
    struct sim *sim = system->sim;
    uint32_t able[TROUPE_WORKERS_MAX];
    held_give(system, env_now_ns(system->env));
    uint32_t count = able_workers(system, able);
    if (count == 0)
        return false;
    uint32_t index = able[random_below(&sim->random, count)];
    struct worker *worker = system->workers[index];
    struct sim_worker *state = &sim->workers[index];
    worker_current = worker;
    if (state->state == SIM_AWAKE)
        step_awake(sim, state, worker);
    else if (state->state == SIM_DROWSY)
        step_drowsy(sim, state, worker);
    else
        step_asleep(state, worker);
    worker_current = NULL;
    slab_flush(&worker->slab);
    return true;
}

/* The next moment at which a step can be taken or a notice be given; ENV_FOREVER: none. */
static uint64_t next_ns(struct troupe_system *system)
{
    uint64_t next = held_due_ns(system->sim);
    for (uint32_t i = 0; i < system->worker_count; i++) {
        uint64_t ns = worker_due_ns(system, i);
        next = ns < next ? ns : next;
    }
    return next;
}

void sim_drain(struct troupe_system *system, uint64_t end_ns)
{
    while (env_now_ns(system->env) < end_ns) {
        if (sim_step(system))
            continue;
        uint64_t due_ns = held_due_ns(system->sim);
        if (due_ns >= end_ns)
            break;
        env_sim_advance_to(system->env, due_ns);
    }
    held_give(system, ENV_FOREVER);
}

/* When `ms` from now are over; the end of time is not reached. */
static uint64_t end_after(struct troupe_system *system, uint64_t ms)
{
    uint64_t now_ns = env_now_ns(system->env);
    uint64_t most_ms = (ENV_FOREVER - 1 - now_ns) / NS_PER_MS;
    ms = ms < TROUPE_TIMER_MS_MAX ? ms : TROUPE_TIMER_MS_MAX;
    return now_ns + (ms < most_ms ? ms : most_ms) * NS_PER_MS;
}

/* Steps until reached, or `ms` are over, when there is no more work before that. */
static troupe_status run(struct troupe_system *system, bool (*is_reached)(void *context), void *context,
                         uint64_t ms)
{
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    if (system->sim == NULL)
        return TROUPE_INVALID;
    uint64_t end_ns = end_after(system, ms);
    for (;;) {
        if (is_reached != NULL && is_reached(context))
            return TROUPE_OK;
        uint64_t now_ns = env_now_ns(system->env);
        if (is_reached != NULL && now_ns >= end_ns)
            return TROUPE_TIMEOUT;
        if (sim_step(system))
            continue;
        uint64_t next = next_ns(system);
        if (next > end_ns) {
            if (is_reached == NULL || next != ENV_FOREVER)
                env_sim_advance_to(system->env, now_ns > end_ns ? now_ns : end_ns);
            return is_reached != NULL && is_reached(context) ? TROUPE_OK : TROUPE_TIMEOUT;
        }
        env_sim_advance_to(system->env, next > now_ns ? next : now_ns);
    }
}

void troupe_sim_advance(troupe_system *system, uint64_t ms)
{
    (void)run(system, NULL, NULL, ms);
}

troupe_status troupe_sim_run_until(troupe_system *system, bool (*is_reached)(void *context), void *context,
                                   uint64_t ms)
{
    return run(system, is_reached, context, ms);
}

uint64_t troupe_sim_trace_hash(troupe_system *system)
{
    return system->sim == NULL ? 0 : system->sim->trace_hash;
}

/* SPDX-License-Identifier: MIT */
/*
 * sim.h: what of the simulator the rest of the core needs: its steps, and the questions that the seed answers
 * at the places where a machine could do one thing or another. See sim.c.
 */
#ifndef TROUPE_CORE_SIM_H
#define TROUPE_CORE_SIM_H

#include "core/system.h"

/* What a failure that the seed wanted says of itself. */
#define SIM_CRASH_TEXT "the simulator's seed had this handler fail"

enum {
    SIM_HELD_MAX = 1024, /* notices held back at once; more are not */
};

/* Where a worker is in its loop: what scheduler_run does in one go, in the steps that others come between. */
enum sim_worker_state {
    SIM_AWAKE = 0,
    SIM_DROWSY, /* has found nothing to do and is about to say that it sleeps */
    SIM_ASLEEP, /* until its deadline, a wake-up or a descriptor */
};

struct sim_worker {
    enum sim_worker_state state;
    uint64_t deadline_ns;
};

/* Word to an actor's home that something has arrived, on its way. */
struct sim_held {
    struct actor *actor;
    uint64_t due_ns;
};

struct sim {
    struct env *env;
    struct random random;
    troupe_simulation options;
    bool has_faults; /* as troupe_sim_faults said last */
    uint64_t trace_hash;
    struct sim_worker workers[TROUPE_WORKERS_MAX];
    uint32_t held_count;
    struct sim_held held[SIM_HELD_MAX];
};

/* Whether every member is in its range. */
bool sim_is_valid(const troupe_simulation *options);

/* Makes the simulator, still without faults, and its environment. Errors: TROUPE_NO_MEMORY. */
troupe_status sim_new(const troupe_simulation *options, struct sim **ret_sim, struct env **ret_env);

/* One step of one worker that can take one, chosen by the seed; false when none can at this moment. */
bool sim_step(struct troupe_system *system);

/* Steps until there is no work and no word on its way, or the time `end_ns`; then nothing is held back. */
void sim_drain(struct troupe_system *system, uint64_t end_ns);

/* Whether a bounded send is to be refused. */
bool sim_refuses(struct sim *sim);

/* Whether a handler is to fail. */
bool sim_crashes(struct sim *sim);

/* How many messages a turn may handle, 1 to ACTIVATION_MESSAGES_MAX: often few, so that turns are cut. */
uint32_t sim_batch(struct sim *sim);

/* Timers due at the same moment, in another order. */
struct timer *sim_shuffled(struct sim *sim, struct timer *timers);

/* sim_holds_notice, where there is a simulator. */
bool sim_holds(struct sim *sim, struct actor *actor);

/*
 * Whether word of a message for an actor is held back, as when a thread is interrupted between its push and
 * its notice: the simulator will give it. `sim` is NULL in a real system.
 */
static inline bool sim_holds_notice(struct sim *sim, struct actor *actor)
{
    return UNLIKELY(sim != NULL) && sim_holds(sim, actor);
}

#endif

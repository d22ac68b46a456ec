/* SPDX-License-Identifier: MIT */
/*
 * errand.h: work that somebody else wants done on a worker's thread, where that worker's actors stand still.
 * It travels as actors do that are given away: in `dealt`, which every worker looks at between two turns and
 * is woken for, whether threads, the simulator or a host's loop step it. So nobody pays for errands while
 * there are none.
 *
 *   errand_send --> dealt --scheduler_dealt_take--> run(worker, errand), which then owns it again
 *
 * It may also run in the middle of a turn, when the actor's handler spawns and the worker looks for free
 * slots: then the running actor is between two calls of the runtime, its mailbox and handles whole.
 */
#ifndef TROUPE_CORE_ERRAND_H
#define TROUPE_CORE_ERRAND_H

#include "core/worker.h"

struct errand {
    struct actor actor; /* of phase ERRAND; nobody's: what travels. First: the address is the errand's */
    void (*run)(struct worker *worker, struct errand *errand);
};

/* Makes an errand ready to be sent. Its memory must be aligned as an actor's. */
static inline void errand_init(struct errand *errand,
                               void (*run)(struct worker *worker, struct errand *errand))
{
    *errand = (struct errand){.actor = {.phase = ACTOR_ERRAND}, .run = run};
}

/* Sends an errand, which is the worker's until it runs. Any thread; not to the worker `outside`. */
static inline void errand_send(struct worker *to, struct errand *errand)
{
    worker_deal(to, &errand->actor);
}

/* What scheduler_dealt_take does with one. */
static inline void errand_run(struct worker *worker, struct actor *actor)
{
    struct errand *errand = (struct errand *)(void *)actor;
    errand->run(worker, errand);
}

#endif

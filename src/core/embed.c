/* SPDX-License-Identifier: MIT */
/*
 * embed.c: the third loop over scheduler_step, after the threads' and the simulator's. Between two steps
 * the one worker counts as asleep, so whoever sends from another thread writes to its poller's eventfd, and
 * that is what makes the descriptor readable.
 */
#include "core/embed.h"

#include "base/assert.h"
#include "core/scheduler.h"

enum {
    NS_PER_MS = 1000000,
    STEPS_AT_ONCE = 1000,
    LOOK_AGAIN_MS = 5, /* how often is_over is asked while nothing happens */
};

bool embed_is_host(struct troupe_system *system)
{
    return system->is_embedded && pthread_equal(system->host, pthread_self());
}

int troupe_poll_fd(troupe_system *system)
{
    return system->is_embedded ? system->env->ops->poller_fd(system->workers[0]->poller) : -1;
}

/* Takes in what the poller has, waiting for it until `deadline_ns`, 0 for not at all; empties the eventfd. */
static void poll_once(struct worker *worker, uint64_t deadline_ns)
{
    struct env_ready ready[ENV_READY_MAX];
    uint32_t count = worker->self.context.system->env->ops->poller_wait(worker->poller, deadline_ns, ready);
    watch_report(worker, ready, count);
}

/*
 * Runs turns until there are none, or enough; when none, the worker rests until the deadline. True: it
 * rests.
 */
static bool run(struct worker *worker, uint32_t steps_max, uint64_t *ret_deadline_ns)
{
    worker_current = worker;
    scheduler_rise(worker);
    poll_once(worker, 0);
    scheduler_housekeeping(worker);
    bool rests = false;
    for (uint32_t i = 0; i < steps_max && !rests; i++)
        rests = !scheduler_step(worker) && scheduler_rest(worker, ret_deadline_ns);
    worker_current = NULL;
    return rests;
}

troupe_status troupe_step(troupe_system *system, uint32_t steps_max, uint64_t *ret_wait_ms)
{
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    if (!embed_is_host(system))
        return TROUPE_INVALID;
    uint64_t deadline_ns = 0;
    uint64_t wait_ms = 0;
    if (run(system->workers[0], steps_max, &deadline_ns)) {
        uint64_t now_ns = env_now_ns(system->env);
        if (deadline_ns == ENV_FOREVER)
            wait_ms = TROUPE_STEP_FOREVER;
        else if (deadline_ns > now_ns)
            wait_ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    }
    *ret_wait_ms = wait_ms;
    return TROUPE_OK;
}

void embed_run_until(struct troupe_system *system, bool (*is_over)(void *context), void *context)
{
    struct worker *worker = system->workers[0];
    while (!is_over(context)) {
        uint64_t deadline_ns = 0;
        if (!run(worker, STEPS_AT_ONCE, &deadline_ns) || is_over(context))
            continue;
        uint64_t look_again_ns = env_now_ns(system->env) + LOOK_AGAIN_MS * NS_PER_MS;
        poll_once(worker, deadline_ns < look_again_ns ? deadline_ns : look_again_ns);
    }
}

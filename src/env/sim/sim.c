/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the simulated environment. Time is a number that only env_sim_advance_to moves, so a run takes as
 * long as its work and no longer. Nobody sleeps here: one thread steps every worker, a wait only looks.
 * Descriptors are real ones, looked at with poll in ascending order, so a run is repeatable as long as what
 * is on their other end is.
 */
#include "env/env.h"

#include <poll.h>
#include <stdlib.h>
#include <troupe/watch.h>

#include "base/assert.h"

/* Virtual time begins on a Monday morning: 2026-01-05T08:00:00Z. */
#define SIM_UNIX_MS_START INT64_C(1767600000000)

enum {
    NS_PER_MS = 1000000,
    SIM_WATCHES_MAX = 1024,
};

struct sim_env {
    struct env env;
    uint64_t now_ns;
};

struct env_poller {
    struct env *env;
    uint32_t watch_count;
    struct pollfd watches[SIM_WATCHES_MAX]; /* ascending by fd */
};

static uint64_t sim_now_ns(struct env *env)
{
    return ((struct sim_env *)env)->now_ns;
}

static int64_t sim_unix_ms(struct env *env)
{
    return SIM_UNIX_MS_START + (int64_t)(((struct sim_env *)env)->now_ns / NS_PER_MS);
}

static void sim_free(struct env *env)
{
    free(env);
}

static troupe_status poller_new(struct env *env, struct env_poller **ret_poller)
{
    struct env_poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL)
        return TROUPE_NO_MEMORY;
    poller->env = env;
    *ret_poller = poller;
    return TROUPE_OK;
}

static void poller_free(struct env_poller *poller)
{
    free(poller);
}

static void poller_unwatch(struct env_poller *poller, int fd)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < poller->watch_count; i++)
        if (poller->watches[i].fd != fd)
            poller->watches[kept++] = poller->watches[i];
    poller->watch_count = kept;
}

static uint32_t poller_wait(struct env_poller *poller, uint64_t deadline_ns, struct env_ready *ret_ready)
{
    (void)deadline_ns;
    if (poller->watch_count == 0 || poll(poller->watches, poller->watch_count, 0) <= 0)
        return 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < poller->watch_count && count < ENV_READY_MAX; i++) {
        short events = poller->watches[i].revents;
        if (events == 0)
            continue;
        ret_ready[count].fd = poller->watches[i].fd;
        ret_ready[count].events = (events & POLLIN ? TROUPE_READY_READ : 0u) |
                                  (events & POLLOUT ? TROUPE_READY_WRITE : 0u) |
                                  (events & POLLHUP ? TROUPE_READY_HANGUP : 0u) |
                                  (events & (POLLERR | POLLNVAL) ? TROUPE_READY_ERROR : 0u);
        count++;
    }
    for (uint32_t i = 0; i < count; i++)
        poller_unwatch(poller, ret_ready[i].fd);
    return count;
}

static int poller_fd(struct env_poller *poller)
{
    (void)poller;
    return -1;
}

static void poller_wake(struct env_poller *poller)
{
    (void)poller;
}

static troupe_status poller_watch(struct env_poller *poller, int fd, uint32_t events)
{
    struct pollfd watch = {.fd = fd};
    struct pollfd probe = {.fd = fd};
    if (fd < 0 || poll(&probe, 1, 0) < 0 || (probe.revents & POLLNVAL))
        return TROUPE_INVALID;
    poller_unwatch(poller, fd);
    if (poller->watch_count == SIM_WATCHES_MAX)
        return TROUPE_NO_MEMORY;
    watch.events =
        (short)((events & TROUPE_READY_READ ? POLLIN : 0) | (events & TROUPE_READY_WRITE ? POLLOUT : 0));
    uint32_t i = poller->watch_count++;
    for (; i > 0 && poller->watches[i - 1].fd > fd; i--)
        poller->watches[i] = poller->watches[i - 1];
    poller->watches[i] = watch;
    return TROUPE_OK;
}

troupe_status env_sim_new(struct env **ret_env)
{
    static const struct env_ops ops = {
        .now_ns = sim_now_ns,
        .unix_ms = sim_unix_ms,
        .free = sim_free,
        .poller_new = poller_new,
        .poller_free = poller_free,
        .poller_wait = poller_wait,
        .poller_fd = poller_fd,
        .poller_wake = poller_wake,
        .poller_watch = poller_watch,
        .poller_unwatch = poller_unwatch,
    };
    struct sim_env *env = calloc(1, sizeof *env);
    if (env == NULL)
        return TROUPE_NO_MEMORY;
    env->env.ops = &ops;
    env->env.is_simulated = true;
    *ret_env = &env->env;
    return TROUPE_OK;
}

void env_sim_advance_to(struct env *env, uint64_t now_ns)
{
    struct sim_env *sim = (struct sim_env *)env;
    ASSERT(env->is_simulated && now_ns >= sim->now_ns);
    sim->now_ns = now_ns;
}

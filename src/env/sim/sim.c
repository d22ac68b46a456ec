/* SPDX-License-Identifier: MIT */
/*
 * sim.c: the simulated environment. Time is a number that only env_sim_advance_to moves, so a run takes as
 * long as its work and no longer. Nobody sleeps here: one thread steps every worker, a wait only looks.
 *
 * Descriptors are real ones, looked at with poll in ascending order; the seed decides when what poll says is
 * reported, whether a report comes for nothing, and how much a read or write moves. So the kernel's own rules
 * (half-closed, broken, full) hold, and a run is repeatable as long as what is on the other ends is: both
 * ends of a pipe or socket pair in the same simulated program.
 *
 * A watch:  asked --seen ready, or the seed wants it for nothing--> due at a moment --that moment--> reported
 *
 * Invariant: a watch whose descriptor is ready is reported at most delay_ms_max after it was seen so.
 */
#include "env/env.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <troupe/watch.h>

#include "base/assert.h"
#include "base/random.h"

/* Virtual time begins on a Monday morning: 2026-01-05T08:00:00Z. */
#define SIM_UNIX_MS_START INT64_C(1767600000000)

enum {
    NS_PER_MS = 1000000,
    SIM_WATCHES_MAX = 1024,
};

struct sim_env {
    struct env env;
    uint64_t now_ns;
    struct random random;
    struct env_sim_faults faults;
    bool was_nothing; /* the last read or write was made to do nothing */
};

/* What is asked of one descriptor, and when the answer is due. */
struct sim_watch {
    uint32_t events;
    uint64_t ready_ns;    /* of what poll says; ENV_FOREVER: it says nothing yet */
    uint64_t spurious_ns; /* of an answer for nothing; ENV_FOREVER: there is none */
};

struct env_poller {
    struct sim_env *sim;
    bool is_woken;
    uint32_t watch_count;
    struct pollfd fds[SIM_WATCHES_MAX]; /* ascending by fd */
    struct sim_watch watches[SIM_WATCHES_MAX];
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
    poller->sim = (struct sim_env *)env;
    *ret_poller = poller;
    return TROUPE_OK;
}

static void poller_free(struct env_poller *poller)
{
    free(poller);
}

static bool is_drawn(struct sim_env *sim, double probability)
{
    return probability > 0 && random_chance(&sim->random, probability);
}

/* A moment after now, up to the longest delay. */
static uint64_t later_ns(struct sim_env *sim)
{
    uint64_t ms = 1 + random_below(&sim->random, sim->faults.delay_ms_max);
    return sim->now_ns + ms * NS_PER_MS;
}

static void watch_remove(struct env_poller *poller, uint32_t at)
{
    poller->watch_count--;
    for (uint32_t i = at; i < poller->watch_count; i++) {
        poller->fds[i] = poller->fds[i + 1];
        poller->watches[i] = poller->watches[i + 1];
    }
}

static void poller_unwatch(struct env_poller *poller, int fd)
{
    for (uint32_t i = poller->watch_count; i-- > 0;)
        if (poller->fds[i].fd == fd)
            watch_remove(poller, i);
}

/* Asks the kernel, and draws when what is new is due. */
static void look(struct env_poller *poller)
{
    struct sim_env *sim = poller->sim;
    if (poller->watch_count == 0 || poll(poller->fds, poller->watch_count, 0) < 0)
        return;
    for (uint32_t i = 0; i < poller->watch_count; i++) {
        struct sim_watch *watch = &poller->watches[i];
        if (poller->fds[i].revents == 0)
            watch->ready_ns = ENV_FOREVER; /* somebody else has taken what was there */
        else if (watch->ready_ns == ENV_FOREVER)
            watch->ready_ns = is_drawn(sim, sim->faults.delay_probability) ? later_ns(sim) : sim->now_ns;
    }
}

static uint64_t watch_due_ns(const struct sim_watch *watch)
{
    return watch->ready_ns < watch->spurious_ns ? watch->ready_ns : watch->spurious_ns;
}

uint64_t env_sim_poller_due_ns(struct env_poller *poller)
{
    if (poller->is_woken)
        return 0;
    look(poller);
    uint64_t due_ns = ENV_FOREVER;
    for (uint32_t i = 0; i < poller->watch_count; i++) {
        uint64_t ns = watch_due_ns(&poller->watches[i]);
        due_ns = ns < due_ns ? ns : due_ns;
    }
    return due_ns;
}

static uint32_t ready_events(short events)
{
    return (events & POLLIN ? TROUPE_READY_READ : 0u) | (events & POLLOUT ? TROUPE_READY_WRITE : 0u) |
           (events & POLLHUP ? TROUPE_READY_HANGUP : 0u) |
           (events & (POLLERR | POLLNVAL) ? TROUPE_READY_ERROR : 0u);
}

static uint32_t poller_wait(struct env_poller *poller, uint64_t deadline_ns, struct env_ready *ret_ready)
{
    (void)deadline_ns;
    poller->is_woken = false;
    look(poller);
    uint32_t count = 0;
    for (uint32_t i = 0; i < poller->watch_count && count < ENV_READY_MAX; i++) {
        if (watch_due_ns(&poller->watches[i]) > poller->sim->now_ns)
            continue;
        uint32_t events = ready_events(poller->fds[i].revents);
        ret_ready[count].fd = poller->fds[i].fd;
        ret_ready[count++].events = events != 0 ? events : poller->watches[i].events;
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
    poller->is_woken = true;
}

static troupe_status poller_watch(struct env_poller *poller, int fd, uint32_t events)
{
    struct sim_env *sim = poller->sim;
    struct stat file;
    /* What is always ready, the real poller does not take either. */
    if (fstat(fd, &file) != 0 || S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))
        return TROUPE_INVALID;
    poller_unwatch(poller, fd);
    if (poller->watch_count == SIM_WATCHES_MAX)
        return TROUPE_NO_MEMORY;
    uint32_t i = poller->watch_count++;
    for (; i > 0 && poller->fds[i - 1].fd > fd; i--) {
        poller->fds[i] = poller->fds[i - 1];
        poller->watches[i] = poller->watches[i - 1];
    }
    poller->fds[i] = (struct pollfd){
        .fd = fd,
        .events =
            (short)((events & TROUPE_READY_READ ? POLLIN : 0) | (events & TROUPE_READY_WRITE ? POLLOUT : 0)),
    };
    bool is_spurious = is_drawn(sim, sim->faults.spurious_probability);
    poller->watches[i] = (struct sim_watch){
        .events = events,
        .ready_ns = ENV_FOREVER,
        .spurious_ns = is_spurious ? later_ns(sim) : ENV_FOREVER,
    };
    return TROUPE_OK;
}

/* How much of `size` the seed lets through: all of it, a part, or nothing, but that never twice in a row. */
static size_t allowed(struct sim_env *sim, size_t size)
{
    size_t part = size;
    if (is_drawn(sim, sim->faults.short_probability))
        part = (size_t)(random_next(&sim->random) % size);
    if (part == 0 && sim->was_nothing)
        part = 1;
    sim->was_nothing = part == 0;
    return part;
}

static troupe_status sim_fd_read(struct env *env, int fd, void *buffer, size_t size, size_t *ret_size)
{
    size_t part = allowed((struct sim_env *)env, size);
    if (part > 0)
        return env_fd_read(fd, buffer, part, ret_size);
    *ret_size = 0;
    return TROUPE_OK;
}

static troupe_status sim_fd_write(struct env *env, int fd, const void *buffer, size_t size, size_t *ret_size)
{
    size_t part = allowed((struct sim_env *)env, size);
    if (part > 0)
        return env_fd_write(fd, buffer, part, ret_size);
    *ret_size = 0;
    return TROUPE_OK;
}

/* No signal of the process is a signal here: troupe_sim_signal makes them. One listener does for all. */
static troupe_status signals_new(struct env *env, struct env_signals **ret_signals)
{
    *ret_signals = (struct env_signals *)(void *)env;
    return TROUPE_OK;
}

static void signals_free(struct env_signals *signals)
{
    (void)signals;
}

static int signals_fd(struct env_signals *signals)
{
    (void)signals;
    return -1;
}

static troupe_status signals_listen(struct env_signals *signals, int number)
{
    (void)signals;
    return env_signal_is_catchable(number) ? TROUPE_OK : TROUPE_INVALID;
}

static void signals_unlisten(struct env_signals *signals, int number)
{
    (void)signals;
    (void)number;
}

static bool signals_read(struct env_signals *signals, struct env_signal *ret_signal)
{
    (void)signals;
    (void)ret_signal;
    return false;
}

troupe_status env_sim_new(uint64_t seed, struct env **ret_env)
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
        .fd_read = sim_fd_read,
        .fd_write = sim_fd_write,
        .signals_new = signals_new,
        .signals_free = signals_free,
        .signals_fd = signals_fd,
        .signals_listen = signals_listen,
        .signals_unlisten = signals_unlisten,
        .signals_read = signals_read,
    };
    struct sim_env *env = calloc(1, sizeof *env);
    if (env == NULL)
        return TROUPE_NO_MEMORY;
    env->env.ops = &ops;
    env->env.is_simulated = true;
    env->random.state = seed;
    *ret_env = &env->env;
    return TROUPE_OK;
}

void env_sim_faults(struct env *env, const struct env_sim_faults *faults)
{
    ASSERT(env->is_simulated);
    ((struct sim_env *)env)->faults = faults != NULL ? *faults : (struct env_sim_faults){0};
}

void env_sim_advance_to(struct env *env, uint64_t now_ns)
{
    struct sim_env *sim = (struct sim_env *)env;
    ASSERT(env->is_simulated && now_ns >= sim->now_ns);
    sim->now_ns = now_ns;
}

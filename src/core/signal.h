/* SPDX-License-Identifier: MIT */
/*
 * signal.h: which actor watches which signal. One list for the system, behind a lock: a signal comes up on
 * the first worker, whose poller waits for the environment's descriptor, and its watchers are anywhere.
 *
 *   env: a signal is noted --descriptor readable--> signal_report --a notice to each watcher--> the behaviour
 *
 * Invariants
 *   1. `env` exists exactly while there is a watch, and listens for exactly the numbers that are watched
 *   2. each watch is a HANDLE_SIGNAL of its actor: a notice that finds no handle is dropped
 *   3. a watch has a notice in reserve from its beginning, so that the first signal is told without memory
 */
#ifndef TROUPE_CORE_SIGNAL_H
#define TROUPE_CORE_SIGNAL_H

#include <pthread.h>
#include <troupe.h>

struct actor;
struct env_signals;
struct signal_watch;
struct worker;

struct signals {
    pthread_mutex_t lock;
    struct signal_watch *watches;
    uint32_t watch_count;
    struct env_signals *env; /* NULL: nobody watches */
    _Atomic int fd;          /* of `env`; -1: none. By whoever holds the lock; the first worker compares */
};

void signals_init(struct signals *signals);
void signals_done(struct signals *signals);

/* The environment's descriptor is ready. The first worker. */
void signal_report(struct worker *worker);

/* Ends a watch of a handle that is being dropped. */
void signal_end(struct worker *worker, struct actor *actor, uint64_t handle);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * watch.h: which actor waits for which descriptor. One table for the system, by descriptor number, behind a
 * lock: a report may come up on another worker than the one its owner has moved to. The notice's memory is
 * in the entry, one at a time, since a watch is one-shot.
 */
#ifndef TROUPE_CORE_WATCH_H
#define TROUPE_CORE_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <troupe.h>

struct actor;
struct env_ready;
struct worker;

struct watch_entry {
    troupe_ref owner; /* none: not watched */
    uint64_t handle;
    troupe_message *notice; /* NULL while it is on its way */
    uint32_t missed;        /* reported while the notice was on its way: sent when it is back */
    struct worker *worker;  /* whose poller */
};

struct watches {
    pthread_mutex_t lock;
    struct watch_entry *entries;
    uint32_t entry_count;
};

troupe_status watches_init(struct watches *watches);
void watches_done(struct watches *watches);

/* Turns what a poller found into notices. The poller's worker. */
void watch_report(struct worker *worker, const struct env_ready *ready, uint32_t ready_count);

/* Ends a watch of a handle that is being dropped. */
void watch_end(struct worker *worker, struct actor *actor, int fd);

/*
 * After a notice was handled, or dropped: keeps its memory for the next one if the watch is still there.
 * True: kept.
 */
bool watch_notice_back(struct worker *worker, troupe_message *message);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * ids.h: where the ids of messages come from. An id must be greater than every one that this place gave out
 * before (org/id.h), and many actors need them at once, so this is the one thing that they share: a single
 * number, moved forward by compare and exchange. An actor for it would cost each message a question and an
 * answer.
 *
 * After a start the number is what is greatest in the journal: the directory raises it by the roles'
 * summaries, and wakes those that have none; no id is asked for before that. Any thread; never blocks.
 */
#ifndef SERVER_IDS_H
#define SERVER_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/faults.h"

/** The place of this process, until there are several. */
#define IDS_PLACE 0

/** The source. All zeros is one that has given none. Beside it, what every role has to be told. */
struct ids {
    _Atomic uint64_t last;
    uint32_t sleep_max_ms; /**< the longest sleep, because the wall clock may be set; 0: IDS_SLEEP_MS */
    uint32_t role_idle_ms; /**< a role with nothing to do sleeps after so long; 0: ROLE_IDLE_MS */
    /** Failures on purpose of roles' actors and of desks. NULL: none; what they are outlives all actors. */
    struct faults *faults;
    struct faults *desk_faults;
    _Atomic uint64_t askings; /**< requests for work that were given a number */
    /** What they tell, each for itself: relaxed, nothing rests on it. */
    _Atomic uint64_t role_restarts; /**< actors of roles that were started again after a failure */
    _Atomic uint64_t desk_restarts; /**< the same of desks */
    _Atomic uint64_t roles_barred;  /**< roles that refuse everything now: role_guard.c */
};

/** The longest sleep of whoever waits for a moment of the wall clock, by default. */
#define IDS_SLEEP_MS 60000u

/** So long at most is slept until something that is due in `wait_ms`. */
static inline uint64_t ids_sleep_ms(const struct ids *ids, int64_t wait_ms)
{
    uint64_t most = ids->sleep_max_ms != 0 ? ids->sleep_max_ms : IDS_SLEEP_MS;
    uint64_t wait = wait_ms < 0 ? 0 : (uint64_t)wait_ms;
    return wait < most ? wait : most;
}

/** A fresh id at this time. */
uint64_t ids_next(struct ids *ids, int64_t now_ms);

/** A number for a request for work, by which it is known when it is asked again; never 0. Any thread. */
uint64_t ids_asking(struct ids *ids);

/** Takes note of an id that was given out before this process began. */
void ids_raise(struct ids *ids, uint64_t id);

#endif

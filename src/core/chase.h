/* SPDX-License-Identifier: MIT */
/*
 * chase.h: rings of plain asks. An actor with an open ask goes on with other messages, so it may have many,
 * none of which it waits for in the sense of waits.h, and nothing can be refused. But when an ask is about to
 * time out, it is worth saying if whoever was asked has asked somebody, who has asked somebody, who has asked
 * us. Open asks are an actor's own business, so the question travels: a chase goes along every open ask (and
 * to the mailbox an actor is parked on), and when it comes back to where it began the ring is told with the
 * timeout. This is Chandy, Misra and Haas's edge chasing (1983) in its OR-free form, with bounds.
 *
 *   ask --all but CHASE_AHEAD_MS of its time is over--> chase --> ... --back, the ask still open--> path kept
 *    \--ended before: no chase                            \--nobody asked, or a bound--> forgotten
 *
 * A quick ask pays nothing for it. A ring so found says who had asked whom, not that they could not have
 * answered; that is for the reader of the path.
 *
 * Invariants
 *   1. a chase visits no actor twice on one way, takes at most CHASE_HOPS_MAX hops, and all its branches are
 *      at most CHASE_BUDGET messages
 *   2. it is taken in on arrival, at once, by actors that rest or hold too
 */
#ifndef TROUPE_CORE_CHASE_H
#define TROUPE_CORE_CHASE_H

#include "core/worker.h"

enum {
    CHASE_AHEAD_MS = 20, /* before the timeout: time for the way round; half of a timeout if that is less */
    CHASE_HOPS_MAX = 24, /* a longer ring is not told */
    CHASE_BUDGET = 256,  /* messages of one chase */
    CHASE_ASKS_MAX = 16, /* open asks of one actor that are followed */
    CHASE_LOOKS_MAX = 4096, /* places for handles that are looked at in search of them */
};

/* The ask of `actor` to `to` is about to time out. */
void chase_begin(struct worker *worker, struct actor *actor, troupe_ref to, uint64_t ask);

/* A CHASE has come. Takes it. */
void chase_came(struct worker *worker, struct actor *actor, troupe_message *message);

#endif

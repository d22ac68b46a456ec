/* SPDX-License-Identifier: MIT */
/*
 * overflow.h: what happens to a bounded message that finds no room, by the policy of the mailbox it is for;
 * and parking, which is back-pressure: a sender that meets a full mailbox of policy PARK has its message
 * taken, one over the bound, and then rests until the mailbox is half empty.
 *
 *   RUNNING --send to a full mailbox--> PARKS (its handler goes on) --end of the turn--> PARKED
 *      ^                                   |                                                |
 *      +------------- UNPARK --------------+------------------------------------------------+
 *
 * The parked sender's block of memory waits in the target's extras as PARK and comes back as UNPARK, when
 * the target's mailbox is at most half full, when the target ends, or at once when there is no memory to
 * keep it: nobody rests for ever.
 *
 * Invariants
 *   1. a parked actor rests on exactly one target, named by parked_on, and is in no run queue
 *   2. there is no ring of parked actors: waits.h; who would close one is refused with FULL instead
 *   3. a mailbox of policy PARK exceeds its bound by at most one message for each actor parked on it
 * (The rule that a parked actor must not be waited on by what it waits for is ponyc's: libponyrt, actor.c,
 * issue 3382.)
 */
#ifndef TROUPE_CORE_OVERFLOW_H
#define TROUPE_CORE_OVERFLOW_H

#include "core/post.h"

/* How a message that found no room is taken. */
enum overflow_admission {
    OVERFLOW_REFUSED, /* not: FULL */
    OVERFLOW_DROPPED, /* it counts as sent, and as a dead letter at once */
    OVERFLOW_OVER,    /* over the bound, reserved; the home makes room, or keeps it as the sender parks */
};

/* The most bytes that a mailbox holds when it is over its bound, of all parked senders together. */
#define OVERFLOW_BYTES_MAX (UINT32_C(3) << 29)

/* Marks a message over the bound, in message_class, until the home has seen it. */
#define OVERFLOW_MARK 0x40

/*
 * Decides by the target's policy about a message of load `mine`. The sender is whoever runs on `worker`; for
 * PARK it is parked on the way.
 */
enum overflow_admission overflow_admit(struct worker *worker, struct actor *target, troupe_ref to,
                                       uint64_t mine, bool is_local);

/* A marked message is with its home: makes room for it by the policy, or drops it. Takes it. */
void overflow_settle(struct worker *worker, struct actor *actor, troupe_message *message);

/* A PARK or UNPARK has come to its home. Takes it. */
void overflow_control(struct worker *worker, struct actor *actor, troupe_message *message);

/* What overflow tells subscribers. */
#define OVERFLOW_EVENTS (TROUPE_EVENT_OVERFLOW_BEGAN | TROUPE_EVENT_OVERFLOW_ENDED)

/*
 * A sender has found no room and somebody listens: the mailbox's home is sent word, once until it has room
 * again. Only the home tells, so beginnings and ends come in turn.
 */
void overflow_crowded(struct worker *worker, struct actor *target, troupe_ref to);

/* After a turn: lets those parked on `actor` go if there is room again; `all`: in any case. */
void overflow_release(struct worker *worker, struct actor *actor, bool all);

/* A PARK found nobody: its sender goes on. Takes it. */
void overflow_bounce(struct worker *worker, troupe_message *block);

/* At the end of a turn: whether the actor is parked, and so to be left out of the queues. */
bool overflow_rests(struct actor *actor);

/* Ends the rest of a parked actor, if it is one. */
void overflow_unpark(struct worker *worker, struct actor *actor);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h: how messages get to an actor and in which order. Two ways in, one way out:
 *
 *   a sender on the actor's home worker ------------------------------> lanes[class] --> handler
 *   any other thread --> arrived --(the home splices, oldest first)-----^
 *
 * `lanes` are plain lists that only the home's thread touches: a push and a pop cost a few stores.
 * `arrived` is a Treiber stack taken whole and reversed (as CAF's LIFO inbox does), so it has no
 * half-linked state and needs no stub.
 *
 * `arrived` is also the notice to the home. Its states:
 *
 *   NULL --first push; the pusher puts the actor on home.arrivals--> messages --more pushes--> messages
 *     ^                                                                     |  ^
 *     |                                                   early splice by the home (invariant 2)
 *     |                                                                     v  |
 *     +------- the home takes the actor off `arrivals` and splices ------- NOTIFIED
 *
 * Invariants
 *   1. arrived != NULL exactly while the actor is on its home's `arrivals`, or its pusher is about to
 *      put it there
 *   2. order per sender: whatever is in `arrived` is spliced before anything newer is pushed to a lane
 *   3. the loads of bounded messages stay within the limit: a remote sender adds itself to arrived_load
 *      first and looks afterwards; the home adds to `load` before it takes off arrived_load, so a sender may
 *      see a message twice, never not at all
 *   4. a message whose generation is not the actor's came for an earlier tenant of the slot and is a
 *      dead letter
 */
#ifndef TROUPE_CORE_MAILBOX_H
#define TROUPE_CORE_MAILBOX_H

#include "core/post.h"
#include "core/scheduler.h"

/* The mark in `arrived` that a notice is under way but nothing has arrived. Never followed. */
#define MAILBOX_NOTIFIED ((troupe_message *)(uintptr_t)1)

/* Whether anything is in `arrived` beside a notice. */
static inline bool has_arrived(const troupe_message *arrived)
{
    return (uintptr_t)arrived > (uintptr_t)MAILBOX_NOTIFIED;
}

/* The top bit of both numbers of a load. */
#define LOAD_GUARDS UINT64_C(0x8000000080000000)

/*
 * Whether a load is within a limit, in both its numbers: all are under 2^31, so subtracting from a number
 * with its top bit set borrows from that bit if and only if the limit is the smaller.
 */
static inline bool load_fits(uint64_t load, uint64_t limit)
{
    return (((limit | LOAD_GUARDS) - load) & LOAD_GUARDS) == LOAD_GUARDS;
}

/* Whether one more bounded message of load `more` has no room, as seen by the home. */
static inline bool mailbox_is_full(struct actor *actor, uint64_t more)
{
    uint64_t load = load_relaxed(&actor->load) + load_relaxed(&actor->arrived_load);
    return !load_fits(load + more, load_relaxed(&actor->limit));
}

/*
 * Moves what has arrived to the lanes, in order. The home's thread; `left` is MAILBOX_NOTIFIED or NULL as
 * the diagram says.
 */
void mailbox_splice(struct worker *worker, struct actor *actor, troupe_message *left);

/* Appends to a lane. */
static inline void lane_push(struct lane *lane, troupe_message *message)
{
    message->next = NULL;
    if (lane->first == NULL)
        lane->first = message;
    else
        lane->last->next = message;
    lane->last = message;
}

/* Appends to the lane of its class. The home's thread. */
static inline void mailbox_lane_push(struct actor *actor, troupe_message *message)
{
    if (message->message_class != TROUPE_CLASS_NORMAL)
        actor->attention |= ATTENTION_LANES;
    lane_push(actor_lane(actor, message->message_class), message);
}

/* Counts bounded messages into the lanes, or out of them: modulo 2^64, a difference is a load like any. */
static inline void load_add(struct actor *actor, uint64_t load)
{
    store_relaxed(&actor->load, load_relaxed(&actor->load) + load);
}

/* Whether a lane has a message. The home's thread. */
static inline bool mailbox_has_any(const struct actor *actor)
{
    return actor->normal.first != NULL || actor->others[0].first != NULL || actor->others[1].first != NULL;
}

/* Puts a message in its lane and sees to it that the actor runs. The home's thread. Takes the message. */
void mailbox_push_local(struct worker *worker, struct actor *actor, troupe_message *message);

/* Puts a message in `arrived` and tells the home. Any thread. Takes the message. */
void mailbox_push_remote(struct troupe_system *system, struct actor *actor, troupe_message *message);

/* The oldest message of the first lane that has one: system, urgent, normal. */
troupe_message *mailbox_pop_lanes(struct actor *actor);

/* When the lanes are empty: splices what has arrived and pops from it. */
troupe_message *mailbox_pop_arrived(struct worker *worker, struct actor *actor);

/* The next message; NULL when there is none. The home's thread. */
static inline troupe_message *mailbox_pop(struct worker *worker, struct actor *actor)
{
    troupe_message *message = mailbox_pop_lanes(actor);
    return LIKELY(message != NULL) ? message : mailbox_pop_arrived(worker, actor);
}

#endif

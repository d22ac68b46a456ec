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
 *   3. len and bytes never exceed their bounds for bounded messages: a remote sender adds itself to
 *      arrived_load first and looks afterwards; the home adds to len before it takes off arrived_load, so a
 *      sender may see a message twice, never not at all
 *   4. a message whose generation is not the actor's came for an earlier tenant of the slot and is a
 *      dead letter
 */
#ifndef TROUPE_CORE_MAILBOX_H
#define TROUPE_CORE_MAILBOX_H

#include "core/system.h"

/* The mark in `arrived` that a notice is under way but nothing has arrived. Never followed. */
extern troupe_message mailbox_notified;
#define MAILBOX_NOTIFIED (&mailbox_notified)

/* Whether one more bounded message of `weight` bytes has no room, as seen by the home. */
static inline bool mailbox_is_full(struct actor *actor, uint32_t weight)
{
    uint64_t load = load_relaxed(&actor->arrived_load);
    uint64_t len = load_relaxed(&actor->len) + (load & UINT32_MAX);
    uint64_t bytes = load_relaxed(&actor->bytes) + (load >> 32);
    return len >= load_relaxed(&actor->len_max) || bytes + weight > load_relaxed(&actor->bytes_max);
}

/*
 * Moves what has arrived to the lanes, in order. The home's thread; `left` is MAILBOX_NOTIFIED or NULL as
 * the diagram says.
 */
void mailbox_splice(struct worker *worker, struct actor *actor, troupe_message *left);

/* Puts a message in its lane and sees to it that the actor runs. The home's thread. Takes the message. */
void mailbox_push_local(struct worker *worker, struct actor *actor, troupe_message *message);

/* Puts a message in `arrived` and tells the home. Any thread. Takes the message. */
void mailbox_push_remote(struct troupe_system *system, struct actor *actor, troupe_message *message);

/*
 * The next message, system lane first, then urgent, then normal; NULL when there is none. The home's
 * thread.
 */
troupe_message *mailbox_pop(struct worker *worker, struct actor *actor);

#endif

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

#include "core/post.h"
#include "core/scheduler.h"

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

/* Counts bounded messages into the lanes. */
static inline void len_add(struct actor *actor, uint32_t count, uint32_t weight)
{
    store_relaxed(&actor->len, load_relaxed(&actor->len) + count);
    store_relaxed(&actor->bytes, load_relaxed(&actor->bytes) + weight);
}

/* As mailbox_push_local, for a bounded message of normal class, which most are. */
static inline void mailbox_push_here(struct worker *worker, struct actor *actor, troupe_message *message)
{
    troupe_message *arrived = load_relaxed(&actor->arrived);
    if (UNLIKELY(arrived != NULL) && arrived != MAILBOX_NOTIFIED)
        mailbox_splice(worker, actor, MAILBOX_NOTIFIED); /* invariant 2 */
    len_add(actor, 1, message_weight(message->size));
    lane_push(&actor->lanes[TROUPE_CLASS_NORMAL], message);
    if (!actor->is_queued)
        scheduler_wake(worker, actor);
}

/* Puts a message in its lane and sees to it that the actor runs. The home's thread. Takes the message. */
void mailbox_push_local(struct worker *worker, struct actor *actor, troupe_message *message);

/* Puts a message in `arrived` and tells the home. Any thread. Takes the message. */
void mailbox_push_remote(struct troupe_system *system, struct actor *actor, troupe_message *message);

/* The oldest message of the first lane that has one: system, urgent, normal. */
static inline troupe_message *mailbox_pop_lanes(struct actor *actor)
{
    struct lane *lane = &actor->lanes[TROUPE_CLASS_SYSTEM];
    if (LIKELY(lane->first == NULL))
        lane = &actor->lanes[TROUPE_CLASS_URGENT];
    if (LIKELY(lane->first == NULL))
        lane = &actor->lanes[TROUPE_CLASS_NORMAL];
    troupe_message *message = lane->first;
    if (message == NULL)
        return NULL;
    lane->first = message->next;
    if (LIKELY(message_is_bounded(message)))
        len_add(actor, UINT32_MAX, 0u - message_weight(message->size)); /* one less, modulo 2^32 */
    return message;
}

/* When the lanes are empty: splices what has arrived and pops from it. */
troupe_message *mailbox_pop_arrived(struct worker *worker, struct actor *actor);

/* The next message; NULL when there is none. The home's thread. */
static inline troupe_message *mailbox_pop(struct worker *worker, struct actor *actor)
{
    troupe_message *message = mailbox_pop_lanes(actor);
    return LIKELY(message != NULL) ? message : mailbox_pop_arrived(worker, actor);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * events.h: telling subscribers what happens. Whoever makes something happen first looks at one word,
 * `observed`, that says what is listened to at all; only then are facts gathered and messages made. Any
 * worker, or outside within context_enter.
 *
 *   subscription:  FREE --troupe_subscribe--> LISTENS --unsubscribe, or the actor's end--> FREE
 *
 * Lock: events.lock guards the list and its counts, and is a leaf: messages are made and posted after it.
 *
 * Invariants
 *   1. observed is the union of what the subscriptions listen to, and a trace
 *   2. pending counts the events that were posted to a subscription and not yet taken out by its actor; it
 *      never exceeds pending_max
 *   3. an event that is dropped is no event: events about events would never end
 */
#ifndef TROUPE_CORE_EVENTS_H
#define TROUPE_CORE_EVENTS_H

#include <pthread.h>
#include <troupe/events.h>

#include "base/atomic.h"
#include "base/assert.h"

struct actor;
struct worker;
struct troupe_system;

struct subscription {
    uint64_t key;    /* unique in the system; 0: free */
    uint64_t handle; /* of the actor: the number that it knows */
    troupe_ref who;
    uint32_t kinds;
    uint32_t pending;
    uint32_t pending_max;
    uint64_t missed;
};

struct events {
    pthread_mutex_t lock;
    uint64_t last_key;
    uint32_t traced; /* kinds that a trace wants */
    struct subscription list[TROUPE_SUBSCRIPTIONS_MAX];
};

/* What happened to whom; texts may be NULL. */
struct occurrence {
    troupe_event_kind kind;
    troupe_status reason;
    troupe_ref who;
    troupe_ref supervisor;
    uint64_t created;
    const char *behaviour;
    const char *name;
    const char *child;
    const char *why;
};

void events_init(struct events *events);
void events_done(struct events *events);

/* What a trace wants to hear of, beside the subscriptions. */
void events_trace(struct troupe_system *system, uint32_t kinds);

/* Tells whoever listens. */
void events_tell(struct worker *worker, const struct occurrence *occurrence);

/*
 * The same of an actor that no other thread runs, from what it knows of itself; `ref`: it, also at its end.
 */
void events_tell_of(struct worker *worker, troupe_event_kind kind, struct actor *actor, troupe_ref ref,
                    troupe_status reason);

/* The same of a message that nobody handled. */
void events_tell_dead(struct worker *worker, troupe_ref to, const troupe_message *message,
                      troupe_dead_reason reason);

/* An event was taken out of its mailbox: one more may wait. `key` is the handle's. */
void events_taken(struct troupe_system *system, uint64_t key);

/* Ends a subscription. */
void events_forget(struct troupe_system *system, uint64_t key);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * events.h: hearing of what happens in a system, as messages to an actor: who is born, started, ends and why,
 * is started again; who gives up; whose mailbox is full; which messages nobody handled, and why.
 *
 *     static troupe_status warden_start(troupe_self *self)
 *     {
 *         return troupe_subscribe(self, TROUPE_EVENT_ENDED | TROUPE_EVENT_DEAD_LETTER, 0, NULL);
 *     }
 *
 * and in its receive: troupe_event_of(message), troupe_dead_letter_of(message).
 *
 * Nobody waits for a subscriber, and none can make the system grow: at most `pending_max` events wait for
 * it. What happens meanwhile is not told but counted, and the next event that is told has the count in
 * `missed`, so that after each event a subscriber knows whether it has heard of everything so far.
 *
 * Events come in the normal lane, beside the mailbox's bound: they are not refused and push nothing out. Of
 * one actor they come in the order in which they happened, of different ones in no particular order. They
 * cannot be stashed. While nobody subscribes to a kind, it costs a look at one word where it happens, and
 * nothing at all where messages are sent and handled.
 *
 * A subscriber hears of itself like of anybody, but not of its own end, nor of events that it left behind.
 */
#ifndef TROUPE_EVENTS_H
#define TROUPE_EVENTS_H

#include <troupe/dead_letter.h>
#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What happens: bits, to subscribe to any of them. */
typedef enum troupe_event_kind {
    TROUPE_EVENT_SPAWNED = 1,   /**< an actor was made */
    TROUPE_EVENT_STARTED = 2,   /**< its start has succeeded; a supervisor's: and those of its children */
    TROUPE_EVENT_ENDED = 4,     /**< it has ended, for `reason` and `why` */
    TROUPE_EVENT_RESTARTED = 8, /**< `who` was made in place of a child that had ended; after its SPAWNED */
    TROUPE_EVENT_GAVE_UP = 16,  /**< `who`, a supervisor, met its intensity and ends */
    /** `who` has a full mailbox: what is sent to it is refused, dropped or makes its sender rest */
    TROUPE_EVENT_OVERFLOW_BEGAN = 32,
    TROUPE_EVENT_OVERFLOW_ENDED = 64, /**< and is half empty again; not told when it ends before */
    /** a message was not handled: comes as a troupe_dead_letter. Not told of the runtime's own errands */
    TROUPE_EVENT_DEAD_LETTER = 128,
} troupe_event_kind;

/** Every kind. */
#define TROUPE_EVENT_ALL 255u

/** What happened, but for dead letters. */
#define TROUPE_EVENT_FIELDS(F)                                                                               \
    F(u32, kind)       /* a troupe_event_kind */                                                             \
    F(u32, reason)     /* ENDED, GAVE_UP: a troupe_status */                                                 \
    F(ref, who)        /* whom it happened to */                                                             \
    F(ref, supervisor) /* whose child that is; none */                                                       \
    F(u64, created)    /* the how-manieth actor of the system it is */                                       \
    F(u64, at_ns)      /* the system's clock */                                                              \
    F(u64, missed)     /* events not told since the last one that was */                                     \
    F(text, behaviour) /* its behaviour's name */                                                            \
    F(text, name)      /* registered, "" for none */                                                         \
    F(text, child)     /* its id under its supervisor, "" for none */                                        \
    F(text, why)       /* ENDED: what troupe_fail was told */
TROUPE_MESSAGE(troupe_event, TROUPE_EVENT_FIELDS)

/** How many subscriptions a system has at most. */
#define TROUPE_SUBSCRIPTIONS_MAX 64
/** How many events wait for a subscription: when `pending_max` is 0, and the most that can be asked for. */
#define TROUPE_EVENTS_PENDING_DEFAULT 1024u
#define TROUPE_EVENTS_PENDING_MAX 1048576u

/**
 * From now on this actor hears of `kinds`, TROUPE_EVENT_ bits. Writes the subscription's number, unique
 * within the actor; `ret_subscription` may be NULL. It ends with the actor. Errors: TROUPE_INVALID (no or
 * unknown kinds, pending_max over its limit), TROUPE_LIMIT, TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_subscribe(troupe_self *self, uint32_t kinds,
                                                            uint32_t pending_max, uint64_t *ret_subscription);

/** Ends a subscription. When it returns, no event of it will be delivered. Unknown numbers are fine. */
TROUPE_API void troupe_unsubscribe(troupe_self *self, uint64_t subscription);

/** The name of a kind, "spawned"; never NULL. Any thread. */
TROUPE_API const char *troupe_event_text(troupe_event_kind kind);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * timer.h: a hierarchical timing wheel per worker (Varghese and Lauck 1987; the level is chosen by the
 * highest bit in which due and now differ, as in the Linux kernel's and tokio's wheels). Insert, cancel and
 * fire cost the same for one timer and for a million. The tick is 1 ms; 8 levels of 64 slots reach 2^48 ms.
 *
 * A timer is its own notice: the block that hangs in the wheel begins with a troupe_message, which is what
 * the owner receives, so firing cannot run out of memory.
 *
 *   PENDING --due, by the wheel's worker--> FIRED --delivered--> freed, or PENDING again when periodic
 *      |                                      +--handle gone: cancelled meanwhile--> freed as a dead letter
 *      +--cancelled by the owner on another worker--> CANCELLED --due--> freed by the wheel's worker
 *      +--cancelled by the owner on the wheel's worker--> freed
 *
 * Threads: the wheel and the links are the wheel's worker's; `state` decides between it and an owner that
 * has moved away.
 */
#ifndef TROUPE_CORE_TIMER_H
#define TROUPE_CORE_TIMER_H

#include <troupe.h>

#include "base/atomic.h"

struct worker;
struct actor;
struct handle;

enum {
    WHEEL_LEVELS = 8,
    WHEEL_BITS = 6,
    WHEEL_SLOTS = 1 << WHEEL_BITS,
};

enum timer_state {
    TIMER_PENDING,
    TIMER_FIRED,
    TIMER_CANCELLED,
};

struct timer {
    troupe_message message; /* kind TIMER; `ask` is the handle id */
    troupe_timeout body;
    troupe_ref owner;
    struct timer *next;
    struct timer *previous;
    uint64_t due_ms;
    uint64_t every_ms;
    _Atomic uint32_t state; /* a timer_state */
    uint16_t worker;        /* whose wheel */
    uint8_t level;
    uint8_t slot;
    bool is_ask; /* the timeout of an ask: never reaches the behaviour */
};

struct wheel_slot {
    struct timer *first;
    struct timer *last;
};

struct wheel {
    uint64_t now_ms;
    uint64_t occupied[WHEEL_LEVELS]; /* bit per slot that has timers */
    struct wheel_slot slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

/*
 * Makes a timer of `owner` that the handle stands for: first after `after_ms`, then every `every_ms` (0:
 * once). `is_ask` as above. Errors: TROUPE_NO_MEMORY.
 */
troupe_status timer_new(struct worker *worker, troupe_ref owner, uint64_t handle, uint64_t after_ms,
                        uint64_t every_ms, uint64_t tag, bool is_ask, struct timer **ret_timer);

/* Ends a timer for its owner; the caller drops the handle. */
void timer_cancel(struct worker *worker, struct timer *timer);

/*
 * Hangs a periodic timer up again after its notice was handled. The owner's worker, which becomes the
 * wheel's.
 */
void timer_again(struct worker *worker, struct timer *timer);

/* Fires everything due at `now_ms`, in order of due time. The wheel's worker. */
void wheel_advance(struct worker *worker, uint64_t now_ms);

/*
 * When the wheel next has something to do, in ms; UINT64_MAX: never. May be early (a level to be spread),
 * never late.
 */
uint64_t wheel_next_ms(const struct wheel *wheel);

/* Frees what still hangs, when the system stops. */
void wheel_done(struct worker *worker);

#endif

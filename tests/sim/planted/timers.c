/* SPDX-License-Identifier: MIT */
/*
 * timers.c: actors that start timers for the same few moments and cancel them, also in the handler of another
 * one that was due at the same moment, also after having moved to another worker.
 *
 * Each has a periodic one as well, which must go on wherever its owner is.
 *
 * Oracle: timer (fires once, not before its time, not long after it, not when cancelled; none is forgotten; a
 * periodic one fires again and again).
 */
#include "world.h"

enum {
    CLOCKS = 3,
    TIMERS_MAX = 6,
    AFTER_MS_MAX = 4,
    PERIOD_MS = 7,
    PERIODIC_TAG = 1000,
    TIMER_SLACK_MS = LATE_MS + 10,
};

TROUPE_MESSAGE_EMPTY(planted_tick)
TROUPE_MESSAGE_EMPTY(planted_tock)

struct pending {
    uint64_t timer; /* 0: none */
    uint64_t due_ns;
};

struct clock {
    struct pending pending[TIMERS_MAX];
    uint64_t periodic;
    uint64_t fired_ns; /* when the periodic one was last heard of */
};

static troupe_ref clocks[CLOCKS];
static uint32_t started;
static uint32_t over; /* fired or cancelled */

static void cancel(troupe_self *self, struct pending *pending)
{
    if (pending->timer == 0)
        return;
    troupe_timer_cancel(self, pending->timer);
    *pending = (struct pending){0};
    over++;
}

static void start_or_cancel(troupe_self *self, struct clock *clock)
{
    uint32_t at = draw_in(self, TIMERS_MAX);
    struct pending *pending = &clock->pending[at];
    if (pending->timer != 0) {
        cancel(self, pending);
        return;
    }
    uint64_t after_ms = draw_in(self, AFTER_MS_MAX);
    if (troupe_timer_start(self, after_ms, 0, at, &pending->timer) != TROUPE_OK)
        return;
    pending->due_ns = troupe_now_ns(self) + after_ms * NS_PER_MS;
    started++;
}

/* The periodic one is heard of once a period, or nearly. */
static void periodic_check(troupe_self *self, const struct clock *clock)
{
    uint64_t silent_ms = (troupe_now_ns(self) - clock->fired_ns) / NS_PER_MS;
    MUST(silent_ms <= PERIOD_MS + TIMER_SLACK_MS, "timer", "a periodic one was silent for %llu ms",
         (unsigned long long)silent_ms);
}

static void fired(troupe_self *self, struct clock *clock, const troupe_timeout *timeout)
{
    uint64_t now_ns = troupe_now_ns(self);
    if (timeout->tag == PERIODIC_TAG) {
        MUST(timeout->timer == clock->periodic, "timer", "a periodic one fires after it was cancelled");
        periodic_check(self, clock);
        clock->fired_ns = now_ns;
        return;
    }
    struct pending *pending = &clock->pending[timeout->tag % TIMERS_MAX];
    MUST(pending->timer == timeout->timer, "timer", "fires after it was cancelled, or twice");
    MUST(pending->timer != timeout->timer || now_ns >= pending->due_ns, "timer", "fires early");
    MUST(pending->timer != timeout->timer || now_ns < pending->due_ns + TIMER_SLACK_MS * (uint64_t)NS_PER_MS,
         "timer", "fires late");
    if (pending->timer != timeout->timer)
        return;
    *pending = (struct pending){0};
    over++;
    cancel(self, &clock->pending[draw_in(self, TIMERS_MAX)]);
}

/* So that what is left is quiet, and a worker that was forgotten asleep is not woken by it. */
static void periodic_stop(troupe_self *self, struct clock *clock)
{
    periodic_check(self, clock);
    troupe_timer_cancel(self, clock->periodic);
    clock->periodic = 0;
}

static troupe_status clock_start(troupe_self *self)
{
    struct clock *clock = troupe_state(self);
    clock->fired_ns = troupe_now_ns(self);
    return troupe_timer_start(self, PERIOD_MS, PERIOD_MS, PERIODIC_TAG, &clock->periodic);
}

static troupe_status clock_receive(troupe_self *self, const troupe_message *message)
{
    struct clock *clock = troupe_state(self);
    if (troupe_timeout_of(message) != NULL)
        fired(self, clock, troupe_timeout_of(message));
    else if (planted_tock_of(message) != NULL)
        periodic_stop(self, clock);
    else if (planted_tick_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    for (uint32_t i = 0; i < 3 && planted_tick_of(message) != NULL; i++)
        start_or_cancel(self, clock);
    return TROUPE_OK;
}

static const troupe_behaviour clock_behaviour = {
    .name = "clock", .state_size = sizeof(struct clock), .start = clock_start, .receive = clock_receive};

static void begin(void)
{
    started = over = 0;
    for (uint32_t i = 0; i < CLOCKS; i++)
        clocks[i] = troupe_spawn(world.system, &clock_behaviour, NULL);
}

static void act(uint32_t round)
{
    for (uint32_t i = 0; i < CLOCKS; i++) {
        (void)troupe_send(world.system, clocks[i], planted_tick);
        if (round == ROUNDS - 1)
            (void)troupe_send(world.system, clocks[i], planted_tock);
    }
}

static void check(void)
{
    MUST(started == over, "timer", "%u started, %u fired or cancelled", started, over);
}

static void end(void)
{
    for (uint32_t i = 0; i < CLOCKS; i++)
        troupe_shutdown(world.system, clocks[i], TROUPE_SHUTDOWN);
}

const struct scene scene_timers = {.name = "timers", .begin = begin, .act = act, .check = check, .end = end};

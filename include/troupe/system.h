/* SPDX-License-Identifier: MIT */
/*
 * system.h: a system is a set of workers (threads), the actors that they run and the clock and randomness
 * those see. A process may have several; they share nothing.
 *
 *   (none) --troupe_start--> running --troupe_stop: drains, then stops the actors in order--> (none)
 */
#ifndef TROUPE_SYSTEM_H
#define TROUPE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <troupe/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A running system. Opaque; made by troupe_start, ended by troupe_stop. */
typedef struct troupe_system troupe_system;

/** The actor that is handling a message, as its own handler sees it. Opaque; valid during that call only. */
typedef struct troupe_self troupe_self;

/** Either of the two, see TROUPE_CONTEXT. Opaque. */
typedef struct troupe_context troupe_context;

/** The most workers a system may have. */
#define TROUPE_WORKERS_MAX 64

/** How long a handler may keep its worker, in milliseconds, when the options say 0. */
#define TROUPE_HANDLER_MS_DEFAULT 10u

/** How long a simulated delay may be, at most, in milliseconds; and when delay_ms_max is 0. */
#define TROUPE_SIM_MS_MAX 3600000u
#define TROUPE_SIM_DELAY_MS_DEFAULT 10u

/**
 * The simulated environment, see sim.h. A seed of 0 means: the real one. Every member but the seed is a fault
 * to be injected: a probability is from 0 (never) to 1 (always), and the moments come from the seed.
 * troupe_sim_faults switches all of them off and on during a run.
 */
typedef struct troupe_simulation {
    uint64_t seed;                /**< every choice of the run comes from it; 0 = not simulated */
    double refuse_probability;    /**< a bounded send is refused as FULL */
    double no_memory_probability; /**< an allocation of a message, a state or a handle fails */
    /** a handler's answer is replaced by TROUPE_FAILED: what it did stands, and the actor ends as failed */
    double crash_probability;
    /** what comes from elsewhere comes late: word of a message to another worker, or of a descriptor */
    double delay_probability;
    uint32_t delay_ms_max; /**< so late at most, to TROUPE_SIM_MS_MAX; default TROUPE_SIM_DELAY_MS_DEFAULT */
    /** a worker sleeps past its timers by up to so long, to TROUPE_SIM_MS_MAX; default: not at all */
    uint32_t timer_late_ms_max;
    double spurious_probability; /**< a watched descriptor is reported when nothing has come */
    double short_probability;    /**< troupe_fd_read and troupe_fd_write do only a part, or nothing now */
} troupe_simulation;

/** Options of troupe_start; zero means the default for every member. */
typedef struct troupe_options {
    uint32_t
        workers; /**< threads that run actors, 1 to TROUPE_WORKERS_MAX; default: the processors allowed */
    uint32_t actors_max; /**< the most live actors; default and most: 2^28 - 1 */
    /**
     * a handler that takes longer, to twice as long, is relieved: another thread takes over its worker and
     * all actors waiting there, and it goes on alone. Default TROUPE_HANDLER_MS_DEFAULT
     */
    uint32_t handler_ms;
    uint32_t drain_ms; /**< how long troupe_stop lets work go on before it stops actors; default 2000 */
    /** no worker threads: the thread that starts it steps it, see embed.h; `workers` is ignored */
    bool embedded;
    troupe_simulation simulate; /**< a seed makes the system simulated */
} troupe_options;

/** The defaults, for those who like to see them named. */
#define TROUPE_OPTIONS_DEFAULTS                                                                              \
    {                                                                                                        \
        0                                                                                                    \
    }

/**
 * Starts a system. `options` may be NULL. On TROUPE_OK the system belongs to the caller, who ends it with
 * troupe_stop. Errors: TROUPE_INVALID, TROUPE_NO_MEMORY, TROUPE_IO (a thread or descriptor could not be
 * had). May be called on any thread that is not a worker.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_start(troupe_system **ret_system,
                                                        const troupe_options *options);

/**
 * Ends a system: waits until no actor has work (at most `drain_ms`), stops the actors in the reverse order
 * of their creation, supervisors before their children's parents, frees everything and clears *system.
 * Threads outside may go on using the system while it drains; a troupe_call of theirs that has no answer by
 * then returns TROUPE_STOPPING, and none may begin another. Returns 0, so that main can return it, or
 * TROUPE_IN_HANDLER inside a handler (the system then stays). Blocks. NULL and a pointer to NULL are
 * accepted.
 */
TROUPE_API int troupe_stop(troupe_system **system);

/** Turns a `troupe_self *` or a `troupe_system *` into the context it is. Users seldom need it. */
static inline troupe_context *troupe_self_context(troupe_self *self)
{
    return TROUPE__CAST(troupe_context *, TROUPE__CAST(void *, self));
}

/** As troupe_self_context, for threads outside. */
static inline troupe_context *troupe_system_context(troupe_system *system)
{
    return TROUPE__CAST(troupe_context *, TROUPE__CAST(void *, system));
}

/** Monotonic time of the system in nanoseconds since its start (virtual when simulated). */
TROUPE_API uint64_t troupe_context_now_ns(troupe_context *from);

/**
 * The calendar's time in milliseconds since 1970 UTC (virtual when simulated: it begins at
 * 2026-01-05T08:00:00Z).
 */
TROUPE_API int64_t troupe_context_unix_ms(troupe_context *from);

/** 64 random bits, uniform; not for secrets. From the seed when simulated. */
TROUPE_API uint64_t troupe_context_random(troupe_context *from);

/** The system an actor runs in. */
TROUPE_API troupe_system *troupe_system_of(troupe_self *self);

#ifdef __cplusplus
}
/* The context of a self. */
static inline troupe_context *troupe__context_of(troupe_self *self)
{
    return troupe_self_context(self);
}
/* The context of a system. */
static inline troupe_context *troupe__context_of(troupe_system *system)
{
    return troupe_system_context(system);
}
/** The context of a self or a system. */
#define TROUPE_CONTEXT(from) troupe__context_of(from)
#else
/** The context of a self or a system. */
#define TROUPE_CONTEXT(from)                                                                                 \
    _Generic((from), troupe_self * : troupe_self_context, troupe_system * : troupe_system_context)(from)
#endif

/** Monotonic nanoseconds; `from` is a self or a system. */
#define troupe_now_ns(from) troupe_context_now_ns(TROUPE_CONTEXT(from))
/** Calendar milliseconds; `from` is a self or a system. */
#define troupe_unix_ms(from) troupe_context_unix_ms(TROUPE_CONTEXT(from))
/** Random bits; `from` is a self or a system. */
#define troupe_random(from) troupe_context_random(TROUPE_CONTEXT(from))

#endif

/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a simulated system runs the same library on the caller's thread, in virtual time. Which worker
 * steps next, which message meets a fault and what troupe_random says come from one seed, so that a run can
 * be repeated exactly: the same seed and the same calls give the same trace hash. Start with troupe_start
 * and a `simulate.seed` other than 0.
 *
 * Nothing runs between these calls, which must all come from one thread.
 */
#ifndef TROUPE_SIM_H
#define TROUPE_SIM_H

#include <stdbool.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Steps until no actor has work and virtual time has gone on by `ms`, firing what becomes due on the way,
 * in order.
 */
TROUPE_API void troupe_sim_advance(troupe_system *system, uint64_t ms);

/**
 * Steps until `is_reached(context)`, checked before every step, says so (TROUPE_OK), jumping to the next
 * timer when nobody has work; TROUPE_TIMEOUT when `ms` of virtual time have gone by first, or nothing can
 * happen any more.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_sim_run_until(troupe_system *system,
                                                                bool (*is_reached)(void *context),
                                                                void *context, uint64_t ms);

/** A hash of everything that was run so far: each step's worker, actor, message type and virtual time. */
TROUPE_API uint64_t troupe_sim_trace_hash(troupe_system *system);

#ifdef __cplusplus
}
#endif

#endif

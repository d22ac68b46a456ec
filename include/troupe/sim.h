/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a simulated system runs the same library on the caller's thread, in virtual time, from one seed, so
 * that a run can be repeated exactly: the same seed and the same calls give the same trace hash. Start with
 * troupe_start and a `simulate.seed` other than 0. docs/simulation.md shows how to test one's own actors.
 *
 * The seed says wherever a machine could do one thing or another: which worker steps next, how long a turn
 * is, which idle worker is given work, which of the timers due at once fires first, what troupe_random says.
 * And it says the moment of each fault that the options ask for (system.h: troupe_simulation).
 *
 * Nothing runs between these calls, which must all come from one thread, not from handlers, and do nothing to
 * a system that is not simulated. Times are at most TROUPE_TIMER_MS_MAX; longer ones count as that.
 * Descriptors are real ones; a run that uses them repeats as long as both ends are in the program: a pipe, a
 * socket pair.
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
 * timer when nobody has work. Errors: TROUPE_TIMEOUT (`ms` of virtual time have gone by first, or nothing can
 * happen any more), TROUPE_INVALID (not simulated), TROUPE_IN_HANDLER.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_sim_run_until(troupe_system *system,
                                                                bool (*is_reached)(void *context),
                                                                void *context, uint64_t ms);

/**
 * Switches the faults of the options off, so that a test can let the system settle and look whether it does,
 * or on again; they are on at first. What has already been delayed still comes when it was to come.
 */
TROUPE_API void troupe_sim_faults(troupe_system *system, bool are_on);

/**
 * A hash of everything that was run so far: each start of an actor and each message taken, with its worker
 * and its virtual time. 0 when nothing was.
 */
TROUPE_API uint64_t troupe_sim_trace_hash(troupe_system *system);

/**
 * One run of a test under one seed, which starts, drives and stops a simulated system. Answers whether all
 * was well; writes the run's troupe_sim_trace_hash.
 */
typedef bool (*troupe_sim_test)(uint64_t seed, void *context, uint64_t *ret_trace_hash);

/**
 * Runs a test under many seeds, each twice: the two must agree in their answer and in their hash, and no two
 * seeds may give the same hash. The program's arguments say which seeds: `--seeds M` for M of them instead of
 * `seeds`, `--seed N` to begin at N instead of 1 (alone: that seed only). Stops at the first seed that fails
 * and prints on standard error what failed and the command that replays it, also when the test ends the
 * process by abort(3), as assert(3) does. Returns what main should: 0 when all seeds passed, 1 when one
 * failed, 2 when the arguments are wrong. One thread of a process at a time; blocks.
 */
TROUPE_API int troupe_sim_seeds(int argc, char **argv, uint64_t seeds, troupe_sim_test test, void *context);

/**
 * Tells whoever watches this signal (signal.h) that it came, from the process `sender`. Errors:
 * TROUPE_NOT_FOUND (nobody watches it: the process might not have outlived it), TROUPE_INVALID (not
 * simulated). A thread outside.
 */
TROUPE_API troupe_status troupe_sim_signal(troupe_system *system, int number, int sender);

#ifdef __cplusplus
}
#endif

#endif

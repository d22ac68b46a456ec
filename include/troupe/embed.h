/* SPDX-License-Identifier: MIT */
/*
 * embed.h: a system without worker threads, stepped by a loop that the host program has already. Start it
 * with `.embedded = true`; then, in the host's loop:
 *
 *     wait until troupe_poll_fd(system) is readable, or as long as the last step said
 *     troupe_step(system, 100, &wait_ms)
 *
 * All actors run on the host's thread, inside troupe_step, but for those with a thread of their own. Sends
 * from other threads make the descriptor readable.
 */
#ifndef TROUPE_EMBED_H
#define TROUPE_EMBED_H

#include <stdint.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** "Until the descriptor is readable", for the wait that a step asks for. */
#define TROUPE_STEP_FOREVER UINT64_MAX

/**
 * Runs at most `steps_max` turns of actors and writes how many milliseconds the host may wait before the
 * next call if the descriptor stays quiet: 0 when there is more to do, TROUPE_STEP_FOREVER when only the
 * descriptor can bring work. Does not block. Always from the thread that started the system. Errors:
 * TROUPE_INVALID (not embedded, or another thread), TROUPE_IN_HANDLER.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_step(troupe_system *system, uint32_t steps_max,
                                                       uint64_t *ret_wait_ms);

/**
 * The descriptor to wait on for reading, for poll, select or epoll; -1 when the system is not embedded. Not
 * to be read or closed.
 */
TROUPE_API int troupe_poll_fd(troupe_system *system);

#ifdef __cplusplus
}
#endif

#endif

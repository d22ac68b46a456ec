/* SPDX-License-Identifier: MIT */
/*
 * timer.h: timers belong to the actor that started them and end with it. When one is due, its owner
 * receives a troupe_timeout in the system lane. Times are of the system's clock: virtual when simulated.
 * Timers due in the same millisecond fire in any order.
 */
#ifndef TROUPE_TIMER_H
#define TROUPE_TIMER_H

#include <troupe/message.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The notice: which timer, and the tag it was started with. */
#define TROUPE_TIMEOUT_FIELDS(F) F(u64, timer) F(u64, tag)
TROUPE_MESSAGE(troupe_timeout, TROUPE_TIMEOUT_FIELDS)

/** The longest delay or period, in milliseconds: a hundred years. */
#define TROUPE_TIMER_MS_MAX UINT64_C(3155760000000)

/**
 * Starts a timer: first after `after_ms`, then every `every_ms` (0: once). Never fires early; resolution 1
 * ms. A periodic timer whose owner is slow has at most one notice waiting. `ret_timer` may be NULL. Errors:
 * TROUPE_NO_MEMORY, TROUPE_INVALID.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_timer_start(troupe_self *self, uint64_t after_ms,
                                                              uint64_t every_ms, uint64_t tag,
                                                              uint64_t *ret_timer);

/**
 * Ends a timer of this actor. When it returns, no troupe_timeout for it will be delivered. Unknown numbers
 * are fine.
 */
TROUPE_API void troupe_timer_cancel(troupe_self *self, uint64_t timer);

#ifdef __cplusplus
}
#endif

#endif

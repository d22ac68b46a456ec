/* SPDX-License-Identifier: MIT */
/*
 * monitor.h: hearing of an actor's end. A monitor is one-way and one-shot, as in Erlang: the watcher
 * receives one troupe_down, in its system lane, also when the watched had ended before (reason
 * TROUPE_NO_ACTOR). The memory for the notice is taken when the monitor is made, so that the end of an
 * actor can always be told.
 */
#ifndef TROUPE_MONITOR_H
#define TROUPE_MONITOR_H

#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The notice: who ended, which monitor, why (a troupe_status), and the text given to troupe_fail. */
#define TROUPE_DOWN_FIELDS(F) F(ref, who) F(u64, monitor) F(u32, reason) F(text, why)
TROUPE_MESSAGE(troupe_down, TROUPE_DOWN_FIELDS)

/** Watches `who`. Writes the monitor's number, unique within the watcher. Errors: TROUPE_NO_MEMORY. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_monitor(troupe_self *self, troupe_ref who,
                                                          uint64_t *ret_monitor);

/**
 * Watches whoever holds the name now, and goes on to watch that actor, whatever becomes of the name. When
 * nobody holds it, a troupe_down with TROUPE_NO_ACTOR comes at once. Errors: TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_monitor_name(troupe_self *self, const char *name,
                                                               uint64_t *ret_monitor);

/**
 * Links two actors, both ways: when one ends with a reason other than TROUPE_OK, the other ends with the same
 * reason, unless it traps exits, and then it receives a troupe_down (whose `monitor` is 0). Linking to an
 * actor that has ended is its end with TROUPE_NO_ACTOR. A second link between the same two changes nothing.
 * Errors: TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_link(troupe_self *self, troupe_ref who);

/** Ends the link, both ways. When it returns, the other's end does not end this actor. */
TROUPE_API void troupe_unlink(troupe_self *self, troupe_ref who);

/**
 * Whether the end of linked actors comes as a troupe_down message instead of ending this one. At first it
 * does not.
 */
TROUPE_API void troupe_trap_exits(troupe_self *self, bool traps);

/** Ends a monitor. When it returns, no troupe_down for it will be delivered. Unknown numbers are fine. */
TROUPE_API void troupe_demonitor(troupe_self *self, uint64_t monitor);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * monitor.h: the block that asks to be told of an actor's end and later carries the news. It is made by the
 * watcher, waits with the watched, and comes back as a troupe_down, so that telling cannot run out of
 * memory.
 *
 *   watcher --MONITOR--> watched: extras.watchers --it ends--> DOWN --> watcher: handle still there?
 *   receive : dropped
 */
#ifndef TROUPE_CORE_MONITOR_H
#define TROUPE_CORE_MONITOR_H

#include "core/system.h"

/* Sends a MONITOR block back as DOWN. Takes it. `why` is kept if there is memory for it. */
void monitor_answer(struct worker *worker, troupe_message *message, troupe_status reason, const char *why);

/* A MONITOR or DEMONITOR has come to `actor`. Takes the message. */
void monitor_accept(struct worker *worker, struct actor *actor, troupe_message *message);
void monitor_forget(struct worker *worker, struct actor *actor, troupe_message *message);

/* A LINK or UNLINK has come. Takes the message. */
void monitor_link_accept(struct worker *worker, struct actor *actor, troupe_message *message);

/* Tells all who watch `actor`. */
void monitor_tell_all(struct worker *worker, struct actor *actor, troupe_status reason);

/* Watches on behalf of `actor`; see troupe_monitor. */
troupe_status monitor_start(struct worker *worker, struct actor *actor, troupe_ref who,
                            uint64_t *ret_monitor);

/* Ends what a MONITOR handle stands for at the other end. */
void monitor_end(struct worker *worker, struct actor *actor, uint64_t peer, uint64_t id);

#endif

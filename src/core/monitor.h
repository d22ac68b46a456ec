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

struct handle;

/* Sends a MONITOR block back as DOWN. Takes it. `why` is kept if there is memory for it. */
void monitor_answer(struct worker *worker, troupe_message *message, troupe_status reason, const char *why);

/* A MONITOR or DEMONITOR has come to `actor`. Takes the message. */
void monitor_accept(struct worker *worker, struct actor *actor, troupe_message *message);
void monitor_forget(struct worker *worker, struct actor *actor, troupe_message *message);

/*
 * Links. Each side keeps a handle for the other, and a block that tells the other of its own end; whoever
 * links makes both blocks, keeps one and sends the other as LINK. So its end, if it comes next, comes after
 * the LINK and with its reason.
 *
 * A LINK or UNLINK has come. Takes the message.
 */
void monitor_link_accept(struct worker *worker, struct actor *actor, troupe_message *message);

/* Forgets the link to `peer`, if there is one, on this side. */
void monitor_link_drop(struct worker *worker, struct actor *actor, troupe_ref peer);

/* What a notice is for: a monitor, or the link to who has ended. NULL: taken back meanwhile. */
struct handle *monitor_find(struct actor *actor, const troupe_down *down, uint64_t *ret_id);

/* The monitors that have come to an actor that is to end: whoever asked in time hears the reason. */
void monitor_accept_all(struct worker *worker, struct actor *actor);

/* Tells all who watch `actor`. */
void monitor_tell_all(struct worker *worker, struct actor *actor, troupe_status reason);

/* Watches on behalf of `actor`; see troupe_monitor. */
troupe_status monitor_start(struct worker *worker, struct actor *actor, troupe_ref who,
                            uint64_t *ret_monitor);

/*
 * The same for an actor that is about to be spawned: the block goes with the spawn (actor_options.watcher)
 * and is there before the actor runs, so that its watcher always hears the reason. Errors:
 * TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
troupe_status monitor_prepare(struct worker *worker, struct actor *actor, troupe_message **ret_message,
                              uint64_t *ret_monitor);

/* Leaves a prepared block with the new actor, which has its extras. Takes it. */
void monitor_attach(struct actor *actor, troupe_message *message);

/* Ends what a MONITOR handle stands for at the other end. */
void monitor_end(struct worker *worker, struct actor *actor, uint64_t peer, uint64_t id);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * troupe.h: the one header of libtroupe, an actor runtime for C.
 *
 * An actor has private state and a bounded mailbox, handles one message at a time, can create actors and
 * change its own behaviour, and has a supervisor that decides what happens when it fails. Whoever sends to
 * an actor holds a troupe_ref, a plain 64-bit value, and cannot tell where the actor lives.
 *
 * Reading order, one concept a file:
 *   troupe/status.h      every status code and its text
 *   troupe/ref.h         what names an actor
 *   troupe/message.h     declaring, sending and reading typed messages
 *   troupe/blob.h        large payloads that many messages share without copies
 *   troupe/build.h       a message written where it will lie
 *   troupe/json.h        a message as JSON text and back, and as a line for people
 *   troupe/system.h      starting and stopping a system, its options, time and randomness
 *   troupe/actor.h       behaviours, spawn, state, become, stop
 *   troupe/ask.h         request and reply
 *   troupe/monitor.h     hearing of an actor's end
 *   troupe/supervisor.h  child specs, restart strategies, intensity
 *   troupe/registry.h    names
 *   troupe/group.h       many actors under one name: broadcast, routers, pools
 *   troupe/timer.h       one-shot and periodic timers
 *   troupe/watch.h       readiness of file descriptors
 *   troupe/dead_letter.h messages that nobody handled, and why
 *   troupe/signal.h      signals of the process
 *   troupe/resource.h    memory and descriptors given back however an actor ends
 *   troupe/events.h      hearing of what happens: births, ends, restarts, full mailboxes, dead letters
 *   troupe/observe.h     counters
 *   troupe/trace.h       a file that Perfetto opens
 *   troupe/snapshot.h    who lives under whom, and how each is doing
 *   troupe/embed.h       a system that a host program's own loop steps
 *   troupe/sim.h         the same system on one thread, in virtual time, from one seed
 *
 * Contexts. Most calls begin with who acts: a `troupe_self *` inside a handler, or a `troupe_system *` on
 * any other thread. Such a parameter is written `from` and takes either. A troupe_self is valid only during
 * the call that received it.
 *
 * Errors. Fallible calls return a troupe_status that must be looked at, and write their `ret_` outputs only
 * on TROUPE_OK. The library never logs, never exits the process for the world's failures and never sets
 * errno for its own.
 */
#ifndef TROUPE_H
#define TROUPE_H

#include <troupe/actor.h>
#include <troupe/ask.h>
#include <troupe/blob.h>
#include <troupe/build.h>
#include <troupe/dead_letter.h>
#include <troupe/embed.h>
#include <troupe/events.h>
#include <troupe/group.h>
#include <troupe/json.h>
#include <troupe/message.h>
#include <troupe/monitor.h>
#include <troupe/observe.h>
#include <troupe/ref.h>
#include <troupe/registry.h>
#include <troupe/resource.h>
#include <troupe/signal.h>
#include <troupe/sim.h>
#include <troupe/snapshot.h>
#include <troupe/status.h>
#include <troupe/supervisor.h>
#include <troupe/system.h>
#include <troupe/timer.h>
#include <troupe/trace.h>
#include <troupe/watch.h>

#endif

/* SPDX-License-Identifier: MIT */
/*
 * signal.h: signals of the process as messages. While anybody watches a signal, what it would do to the
 * process does not happen; after the last watcher it is as it was before the first.
 *
 *     troupe_signal_watch(self, SIGTERM)
 *     const troupe_signal *m = troupe_signal_of(message);      m->number == SIGTERM, m->sender: whose process
 *
 * Several actors may watch one signal, and each is told. A watch ends with its actor. Like the signals
 * themselves, those of one number that come faster than they are handled may be told as fewer.
 *
 * Threads and their masks: whichever thread of the process the signal reaches, the host's own from before the
 * system included, it is only noted there, a few instructions that restart whatever system call they met. No
 * mask needs to be set, and none is changed. But a signal that every thread of the process blocks reaches
 * nobody. (A signalfd would hear only of signals that every thread blocks, and no thread can do that to
 * another: this is libuv's way, a handler that writes to a pipe.)
 *
 * In simulation no signal of the process is touched; troupe_sim_signal makes them.
 */
#ifndef TROUPE_SIGNAL_H
#define TROUPE_SIGNAL_H

#include <stdint.h>
#include <troupe/message.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The notice: which signal, and the process that sent it, for SIGCHLD the child; 0: none did. */
#define TROUPE_SIGNAL_FIELDS(F) F(i32, number) F(i32, sender)
TROUPE_MESSAGE(troupe_signal, TROUPE_SIGNAL_FIELDS)

/** The most watches of signals in one system, and systems in one process that watch any. */
#define TROUPE_SIGNAL_WATCHES_MAX 1024
#define TROUPE_SIGNAL_SYSTEMS_MAX 32

/**
 * From now on this actor is told of each signal of this number, in the system lane; watching again changes
 * nothing. Errors: TROUPE_INVALID (none that can be caught, or one of the process's own faults: SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL), TROUPE_NO_MEMORY, TROUPE_LIMIT, TROUPE_IO (no descriptor could be had).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_signal_watch(troupe_self *self, int number);

/** Ends a watch of this actor. A notice already in the mailbox is dropped. */
TROUPE_API void troupe_signal_unwatch(troupe_self *self, int number);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * watch.h: readiness of file descriptors as messages. A watch is one-shot: after its troupe_ready the owner
 * reads or writes as much as it likes and watches again. Watches end with their owner; the descriptor stays
 * the owner's to close, after unwatching it.
 */
#ifndef TROUPE_WATCH_H
#define TROUPE_WATCH_H

#include <troupe/message.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The notice: which descriptor, and the TROUPE_READY_ bits that hold. */
#define TROUPE_READY_FIELDS(F) F(i32, fd) F(u32, events)
TROUPE_MESSAGE(troupe_ready, TROUPE_READY_FIELDS)

/** What to wait for, and what has come. HANGUP and ERROR come unasked. */
enum {
    TROUPE_READY_READ = 1,
    TROUPE_READY_WRITE = 2,
    TROUPE_READY_HANGUP = 4,
    TROUPE_READY_ERROR = 8,
};

/**
 * Waits for any of `events` on `fd`, once; watching again replaces what was asked. One owner per
 * descriptor. Errors: TROUPE_INVALID (not a pollable descriptor, no events, or another actor's),
 * TROUPE_NO_MEMORY, TROUPE_IO.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_watch(troupe_self *self, int fd, uint32_t events);

/** Ends a watch of this actor, to be called before close(fd). A notice already in the mailbox is dropped. */
TROUPE_API void troupe_unwatch(troupe_self *self, int fd);

#ifdef __cplusplus
}
#endif

#endif

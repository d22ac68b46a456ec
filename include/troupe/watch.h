/* SPDX-License-Identifier: MIT */
/*
 * watch.h: readiness of file descriptors as messages. A watch is one-shot: after its troupe_ready the owner
 * reads or writes as much as it likes and watches again. Watches end with their owner; the descriptor stays
 * the owner's to close, after unwatching it.
 *
 * A report is a hint: by the time it is handled the descriptor may have nothing. Whoever reads and writes
 * with troupe_fd_read and troupe_fd_write meets that, and every other thing a descriptor may do, under a seed
 * too: sim.h.
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
 * Waits for any of `events` on `fd`, once; watching again replaces what was asked. One owner per descriptor.
 * Errors: TROUPE_INVALID (not a pollable descriptor: a file or a closed one; no events; or another actor's),
 * TROUPE_NO_MEMORY, TROUPE_IO.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_watch(troupe_self *self, int fd, uint32_t events);

/** Ends a watch of this actor, to be called before close(fd). A notice already in the mailbox is dropped. */
TROUPE_API void troupe_unwatch(troupe_self *self, int fd);

/**
 * Reads at most `size` bytes (at least 1) from a descriptor that does not block. TROUPE_OK writes how many
 * came; 0 means that there is nothing now: watch it. Errors: TROUPE_END (there will be no more),
 * TROUPE_INVALID (size 0), TROUPE_IO (errno says why).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_fd_read(troupe_self *self, int fd, void *buffer,
                                                          size_t size, size_t *ret_size);

/**
 * Writes at most `size` bytes (at least 1) to a descriptor that does not block. TROUPE_OK writes how many
 * were taken; 0 means that there is no room now: watch it. A socket whose other end is closed raises no
 * SIGPIPE. Errors: TROUPE_INVALID (size 0), TROUPE_IO (errno says why).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_fd_write(troupe_self *self, int fd, const void *buffer,
                                                           size_t size, size_t *ret_size);

#ifdef __cplusplus
}
#endif

#endif

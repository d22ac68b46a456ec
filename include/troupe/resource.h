/* SPDX-License-Identifier: MIT */
/*
 * resource.h: memory, descriptors and whatever else an actor holds outside its state, given back however it
 * ends: its own exit, a failure, in start() too, a shutdown, a kill, the end of the system. What a crash must
 * not leak is acquired here. (The idea is that of Erlang's ports, which close with their owner.)
 *
 *     troupe_own_fd(self, fd)     --the actor ends: stop() runs, then--> unwatched and closed
 *                                 --troupe_disown_fd-->                  the caller's again
 *
 * Order: the newest first, after stop() and before anybody is told of the end, so that a supervisor's next
 * child finds the port free.
 *
 * Cost: an actor that owns nothing pays nothing. Giving a descriptor or a pointer back before the end looks
 * for it from the newest on; memory is found at once.
 *
 * Threads: from a handler, start() or stop() of the owner.
 */
#ifndef TROUPE_RESOURCE_H
#define TROUPE_RESOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest block of troupe_alloc, in bytes. */
#define TROUPE_ALLOC_SIZE_MAX (1024u * 1024u * 1024u)

/** The most that one actor owns at a time: blocks, descriptors and pointers together. */
#define TROUPE_OWNED_MAX 1048576u

/**
 * Memory of this actor: `size` zeroed bytes, 16-byte aligned. Errors: TROUPE_NO_MEMORY, TROUPE_TOO_LARGE,
 * TROUPE_LIMIT (TROUPE_OWNED_MAX).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_alloc(troupe_self *self, size_t size, void **ret_memory);

/** Gives memory of troupe_alloc back before the end. NULL is fine; another actor's is a fatal error. */
TROUPE_API void troupe_free(troupe_self *self, void *memory);

/**
 * From now on `fd` is this actor's: at its end it is unwatched and closed. On an error it stays the caller's.
 * Errors: TROUPE_INVALID (not a descriptor, or owned already), TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_own_fd(troupe_self *self, int fd);

/** Takes a descriptor back, open; a watch of it goes on. Errors: TROUPE_NOT_FOUND (it is not owned). */
TROUPE_API troupe_status troupe_disown_fd(troupe_self *self, int fd);

/** Unwatches and closes an owned descriptor before the end. Errors: TROUPE_NOT_FOUND (it is not owned). */
TROUPE_API troupe_status troupe_close_fd(troupe_self *self, int fd);

/** Frees, closes or lets go what an actor owned. Runs inside the owner, once; it must not block. */
typedef void (*troupe_release)(void *pointer);

/**
 * At the end of this actor `release(pointer)` is called: for what other libraries give. On an error it is not
 * called. Errors: TROUPE_INVALID (NULL), TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_own(troupe_self *self, void *pointer,
                                                      troupe_release release);

/** Takes a pointer back, not released. Errors: TROUPE_NOT_FOUND (it is not owned). */
TROUPE_API troupe_status troupe_disown(troupe_self *self, void *pointer);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * build.h: a message written where it will lie. troupe_send copies what its fields say into the message,
 * once; who makes a large body piece by piece, reads it from a descriptor or computes it, can save that copy
 * too:
 *
 *     troupe_begin(self, page, size, &message)              room for its texts, with their NUL, and bytes
 *     page *m = troupe_build(message, page);                the members, all zero
 *     m->number = 7;
 *     troupe_build_bytes(message, &m->content, size, &at)   then read(fd, at, size)
 *     troupe_send_message(self, to, &message)               taken: message is NULL
 *
 *   begun --troupe_send_message, TROUPE_OK--> sent        any other status: still the caller's, to try again
 *      \--troupe_message_free--> freed
 *
 * What is sent is checked as what comes from elsewhere is: a body whose members lie is refused.
 *
 * Threads: a begun message belongs to whoever holds it, one thread at a time. It must be sent or freed before
 * its system ends.
 */
#ifndef TROUPE_BUILD_H
#define TROUPE_BUILD_H

#include <stddef.h>
#include <stdint.h>
#include <troupe/message.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** As troupe_begin, with the type given by its description. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_begin_message(troupe_context *from, const troupe_type *type,
                                                                size_t room, troupe_message **ret_message);

/** As troupe_build, with the type given by its description, which must be that of the message. */
TROUPE_API void *troupe_build_body(troupe_message *message, const troupe_type *type);

/**
 * Puts a text of `size` bytes into the room, and where it is into `span`, a text member of this message;
 * `ret_text` is where to write it, its NUL is there already. Errors: TROUPE_LIMIT (less room is left).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_build_text(troupe_message *message, troupe_span *span,
                                                             size_t size, char **ret_text);

/** The same for bytes, which are not set. Errors: TROUPE_LIMIT (less room is left). */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_build_bytes(troupe_message *message, troupe_span *span,
                                                              size_t size, void **ret_bytes);

/**
 * Puts a blob into a blob member of this message, in place of what is there; the message has a reference of
 * its own. NULL: none. Errors: TROUPE_TOO_LARGE (with the others, over TROUPE_BLOB_SIZE_MAX).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_build_blob(troupe_message *message, troupe_blob_span *span,
                                                             troupe_blob *blob);

/** Sets class and deadline, as `.envelope` does in troupe_send. Errors: TROUPE_INVALID (out of range). */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_build_envelope(troupe_message *message,
                                                                 troupe_envelope envelope);

/** As troupe_send_message, which is what users call. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_post_message(troupe_context *from, troupe_ref to,
                                                               troupe_message **message);

/**
 * troupe_begin(from, type, room, &message): a message of this type with room for so many bytes of texts, each
 * with a NUL, and bytes. What is not used of the room travels along. `from` is a self or a system. Errors:
 * TROUPE_NO_MEMORY, TROUPE_TOO_LARGE (the body over TROUPE_BODY_SIZE_MAX), TROUPE_INVALID (room in a type
 * without texts and bytes).
 */
#define troupe_begin(from, type, room, ret_message)                                                          \
    troupe_begin_message(TROUPE_CONTEXT(from), &type##_type, (room), (ret_message))

/** troupe_build(message, type): the members of a begun message of this type, to be written. */
#define troupe_build(message, type) ((type *)troupe_build_body((message), &type##_type))

/**
 * troupe_send_message(from, to, &message): sends a begun message, which is taken, and cleared, on TROUPE_OK
 * only. Otherwise as troupe_send. Errors: those of troupe_send, and TROUPE_MALFORMED (its members lie;
 * counted as refused), TROUPE_INVALID (it was not begun, or is NULL).
 */
#define troupe_send_message(from, to, message) troupe_post_message(TROUPE_CONTEXT(from), (to), (message))

#ifdef __cplusplus
}
#endif

#endif

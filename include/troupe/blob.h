/* SPDX-License-Identifier: MIT */
/*
 * blob.h: large payloads without copies. A blob is bytes that never change once it exists, counted by
 * reference: it may lie in many mailboxes at once, and is freed when the last of its references is gone.
 * Binaries over 64 bytes are the same thing in Erlang.
 *
 *     draft --troupe_blob_freeze--> blob (1 reference: yours) --the last troupe_blob_unref--> freed
 *        \--troupe_blob_draft_free--> freed
 *
 * A message type carries one in a field of kind blob:
 *
 *     #define FRAME(F) F(u32, number) F(blob, pixels)
 *     TROUPE_MESSAGE(frame, FRAME)
 *
 *     troupe_blob_new(bytes, size, &blob)
 *     troupe_send(self, to, frame, .number = 1, .pixels = blob);     as often as you like: nothing is copied
 *     troupe_blob_unref(&blob);
 *
 *     const frame *m = frame_of(message);
 *     troupe_bytes pixels = troupe_blob_bytes_of(message, m->pixels);     to read until the handler returns
 *     state->kept = troupe_blob_ref(troupe_blob_of(message, m->pixels));  to keep
 *
 * A send takes a reference of its own, which goes when the message is freed, however it ends: handled,
 * dropped, a dead letter, or at the end of the system. Outside memory, in JSON, a journal or another process,
 * a blob field is bytes like any other: troupe_flat_write, troupe_message_flatten.
 *
 * Bounds: in the byte bound of every mailbox it lies in, a blob counts with all its bytes. Each of those
 * mailboxes alone may be what keeps them in memory, and a mailbox's room must not depend on what other
 * mailboxes hold.
 *
 * Threads: any, for every call here, and a blob may be read by many at once. Blobs belong to no system and
 * may outlive it.
 */
#ifndef TROUPE_BLOB_H
#define TROUPE_BLOB_H

#include <stddef.h>
#include <troupe/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes somewhere in memory, borrowed. */
typedef struct troupe_bytes {
    const void *data;
    size_t size;
} troupe_bytes;

/** Immutable bytes shared by reference. Opaque. */
typedef struct troupe_blob troupe_blob;

/** The largest blob, and the most that the blobs of one message hold together, in bytes. */
#define TROUPE_BLOB_SIZE_MAX (256u * 1024u * 1024u)

/** A blob that is being written. Opaque; one thread at a time. */
typedef struct troupe_blob_draft troupe_blob_draft;

/**
 * Gives adopted memory back. Runs once, on the thread that let the last reference go, which may be a worker:
 * it must not block.
 */
typedef void (*troupe_blob_release)(void *bytes, size_t size, void *context);

/** A blob with a copy of these bytes. Errors: TROUPE_NO_MEMORY, TROUPE_TOO_LARGE. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_blob_new(const void *bytes, size_t size,
                                                           troupe_blob **ret_blob);

/**
 * A blob of memory that exists already and must not change from now on; `release`, which may be NULL for
 * memory that is never freed, is called when the last reference is gone. On an error the memory stays the
 * caller's. Errors: TROUPE_NO_MEMORY, TROUPE_TOO_LARGE, TROUPE_INVALID (NULL bytes with a size).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_blob_adopt(void *bytes, size_t size,
                                                             troupe_blob_release release, void *context,
                                                             troupe_blob **ret_blob);

/**
 * A blob to be written in place: up to `size` bytes, not yet set. Errors: TROUPE_NO_MEMORY, TROUPE_TOO_LARGE.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_blob_draft_new(size_t size, troupe_blob_draft **ret_draft);

/** Where to write: as many bytes as were asked for, 16-byte aligned. */
TROUPE_API void *troupe_blob_draft_bytes(troupe_blob_draft *draft);

/**
 * Makes the first `size` bytes of a draft a blob, without a copy, and clears the pointer to it. Errors:
 * TROUPE_INVALID (more than it has: the draft stays).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_blob_freeze(troupe_blob_draft **draft, size_t size,
                                                              troupe_blob **ret_blob);

/** Frees a draft that will be no blob, and clears the pointer. NULL is fine. */
TROUPE_API void troupe_blob_draft_free(troupe_blob_draft **draft);

/** One more reference, to be let go with troupe_blob_unref; gives back its argument. NULL is fine. */
TROUPE_API troupe_blob *troupe_blob_ref(troupe_blob *blob);

/** Lets a reference go and clears the pointer; frees the blob with the last one. NULL is fine. */
TROUPE_API void troupe_blob_unref(troupe_blob **blob);

/** The bytes of a blob, borrowed from it; none for NULL. */
TROUPE_API troupe_bytes troupe_blob_bytes(const troupe_blob *blob);

#ifdef __cplusplus
}
#endif

#endif

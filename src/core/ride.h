/* SPDX-License-Identifier: MIT */
/*
 * ride.h: how blobs travel with a message. The body stays flat and without pointers; the references ride
 * behind it in the same block, and the body's spans tell where:
 *
 *   troupe_message | body, `size` bytes | up to 8 | struct ride: count, weight, blob *, blob *, ...
 *                       span.offset ------------------------------------^
 *
 * Place on a message's way: built by post.c, let go when the message is freed (message_dispose_other), turned
 * into plain bytes where it leaves memory (troupe_message_flatten).
 *
 * Invariants
 *   1. MESSAGE_RIDES is in `flags` exactly when there is a struct ride behind the body, and then count >= 1
 *   2. a blob span's offset is above `size` exactly when it names a riding blob: so a riding body, taken for
 *      a flat one, does not pass the check, and no pointer leaves in it
 *   3. a message has one reference of each blob that rides with it, from its making to its freeing
 *
 * Any thread that has the message.
 */
#ifndef TROUPE_CORE_RIDE_H
#define TROUPE_CORE_RIDE_H

#include <stddef.h>
#include <troupe/blob.h>
#include <troupe/message.h>

struct letter;
struct worker;

/* What blobs add to a message; all zeros: there are none. */
struct ride_load {
    uint32_t count;
    uint32_t weight;              /* bytes of the blobs, which count in mailboxes */
    const troupe_message *origin; /* whose blobs they are: forwarded; NULL: those of the letter's fields */
};

/* What lies behind the body. */
struct ride {
    uint32_t count;
    uint32_t weight;
    troupe_blob *blobs[];
};

/* Where the ride of a message with a body of `size` bytes begins, from the start of the body. */
static inline size_t ride_offset(uint32_t size)
{
    return ((size_t)size + 7) / 8 * 8;
}

/* Bytes of the block of a message with a ride of `count` blobs. */
static inline size_t ride_block_size(uint32_t size, uint32_t count)
{
    return sizeof(troupe_message) + ride_offset(size) + sizeof(struct ride) + count * sizeof(troupe_blob *);
}

static inline struct ride *ride_of(const troupe_message *message)
{
    return (struct ride *)(void *)((char *)(uintptr_t)(message + 1) + ride_offset(message->size));
}

/* Bytes of the blobs of a message that has a ride. */
static inline uint32_t ride_weight(const troupe_message *message)
{
    return ride_of(message)->weight;
}

/* Counts the blobs of a fields struct. Errors: TROUPE_TOO_LARGE. */
troupe_status ride_measure(const troupe_type *type, const void *fields, struct ride_load *ret_load);

/* Writes the body and the ride of a message with room for both, of kind USER, and takes the references. */
void ride_write(troupe_message *message, const struct letter *letter);

/* Lets the references of a message go that has a ride; gives the size of its block. */
size_t ride_release(troupe_message *message);

/* A copy of any message, its blobs shared, in a block from malloc; NULL: no memory. */
troupe_message *ride_copy(const troupe_message *message);

/*
 * Checks a message as troupe_flat_check does a body: of this type and version, and every span where it may
 * be. Errors: TROUPE_MALFORMED.
 */
troupe_status ride_check(const troupe_type *type, const troupe_message *message);

/*
 * A fields struct from a flat body that passed the check, with a new blob for each that has bytes, to be
 * undone with ride_fields_free. Errors: TROUPE_NO_MEMORY, TROUPE_TOO_LARGE.
 */
troupe_status ride_fields(const troupe_type *type, const void *body, void **ret_fields);
void ride_fields_free(const troupe_type *type, void *fields);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * blob.c: see troupe/blob.h. A blob is a head with a count, and its bytes: behind the head where the runtime
 * made room for them, elsewhere where they were adopted. How blobs travel is in ride.h.
 *
 * Invariants
 *   1. references >= 1 from the making of a blob to its last unref; a draft has the one it will be frozen
 *      with
 *   2. nobody writes the bytes of a blob; those of a draft only whoever holds it
 *
 * Memory is from malloc, as the last reference may go on any thread and after the system has gone.
 */
#include <stdlib.h>
#include <string.h>
#include <troupe/blob.h>

#include "base/assert.h"
#include "base/atomic.h"

enum {
    BLOB_ALIGNMENT = 16,
};

struct troupe_blob {
    _Atomic uint64_t references; /* 64 bits: it cannot overflow */
    size_t size;
    void *bytes;
    troupe_blob_release release; /* of adopted bytes; NULL: nothing to do but to free the head */
    void *context;
    _Alignas(BLOB_ALIGNMENT) unsigned char inside[];
};

/* A draft is the blob it will be; another type, so that it cannot be sent. */
static troupe_blob *blob_of(troupe_blob_draft *draft)
{
    return (troupe_blob *)(void *)draft;
}

/* A blob with one reference and room for `inside` bytes behind its head. */
static troupe_status blob_make(size_t size, size_t inside, troupe_blob **ret_blob)
{
    if (size > TROUPE_BLOB_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    troupe_blob *blob = malloc(sizeof *blob + inside);
    if (blob == NULL)
        return TROUPE_NO_MEMORY;
    atomic_init(&blob->references, 1);
    blob->size = size;
    blob->bytes = blob->inside;
    blob->release = NULL;
    blob->context = NULL;
    *ret_blob = blob;
    return TROUPE_OK;
}

troupe_status troupe_blob_new(const void *bytes, size_t size, troupe_blob **ret_blob)
{
    troupe_status status = blob_make(size, size, ret_blob);
    if (status == TROUPE_OK && size > 0)
        memcpy((*ret_blob)->inside, bytes, size);
    return status;
}

troupe_status troupe_blob_adopt(void *bytes, size_t size, troupe_blob_release release, void *context,
                                troupe_blob **ret_blob)
{
    if (bytes == NULL && size > 0)
        return TROUPE_INVALID;
    troupe_status status = blob_make(size, 0, ret_blob);
    if (status != TROUPE_OK)
        return status;
    (*ret_blob)->bytes = bytes;
    (*ret_blob)->release = release;
    (*ret_blob)->context = context;
    return TROUPE_OK;
}

troupe_status troupe_blob_draft_new(size_t size, troupe_blob_draft **ret_draft)
{
    troupe_blob *blob;
    troupe_status status = blob_make(size, size, &blob);
    if (status == TROUPE_OK)
        *ret_draft = (troupe_blob_draft *)(void *)blob;
    return status;
}

void *troupe_blob_draft_bytes(troupe_blob_draft *draft)
{
    return blob_of(draft)->bytes;
}

troupe_status troupe_blob_freeze(troupe_blob_draft **draft, size_t size, troupe_blob **ret_blob)
{
    troupe_blob *blob = blob_of(*draft);
    if (size > blob->size)
        return TROUPE_INVALID;
    blob->size = size;
    *ret_blob = blob;
    *draft = NULL;
    return TROUPE_OK;
}

void troupe_blob_draft_free(troupe_blob_draft **draft)
{
    if (draft == NULL)
        return;
    free(*draft);
    *draft = NULL;
}

troupe_blob *troupe_blob_ref(troupe_blob *blob)
{
    /* Relaxed: whoever gives a reference has one, so the count cannot meet zero here. */
    if (blob != NULL)
        fetch_add_relaxed(&blob->references, 1);
    return blob;
}

void troupe_blob_unref(troupe_blob **blob_at)
{
    troupe_blob *blob = blob_at == NULL ? NULL : *blob_at;
    if (blob == NULL)
        return;
    *blob_at = NULL;
    /*
     * Pairs with itself on other threads: the release orders their reads of the bytes before the last one's
     * free, which its acquire comes before.
     */
    uint64_t references = fetch_sub_acq_rel(&blob->references, 1);
    ASSERT(references > 0);
    if (references > 1)
        return;
    if (blob->release != NULL)
        blob->release(blob->bytes, blob->size, blob->context);
    free(blob);
}

troupe_bytes troupe_blob_bytes(const troupe_blob *blob)
{
    troupe_bytes none = {"", 0};
    if (blob == NULL)
        return none;
    return (troupe_bytes){blob->bytes, blob->size};
}

/* SPDX-License-Identifier: MIT */
/*
 * catalogue.c: what is pending lies in one block, each with its stream's name and its bytes behind its head;
 * catalogue.h has the design. One thread.
 */
#include "server/catalogue.h"

#include <stdio.h>
#include <string.h>

/*
 * Before each thing that is pending; the name, with its NUL, and the bytes follow, each at a multiple of 8.
 */
struct pending {
    uint64_t seq;
    uint64_t size;
    uint32_t name_size;
    uint32_t kind;
};

_Static_assert(sizeof(struct pending) % RECORD_ALIGNMENT == 0, "what follows a head is aligned");

static size_t align(size_t size)
{
    return (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
}

troupe_status catalogue_add(struct catalogue *catalogue, enum catalogue_kind kind, const char *stream,
                            uint64_t seq, const void *bytes, size_t size)
{
    struct pending head = {seq, size, (uint32_t)strlen(stream) + 1, (uint32_t)kind};
    struct buffer *pending = &catalogue->pending;
    troupe_status status = TROUPE_OK;
    if (catalogue->count >= CATALOGUE_COUNT_MAX || pending->size >= CATALOGUE_BYTES_MAX)
        status = catalogue_flush(catalogue);
    if (status == TROUPE_OK)
        status = buffer_reserve(pending, sizeof head + align(head.name_size) + align(size));
    if (status == TROUPE_OK)
        status = buffer_append(pending, &head, sizeof head);
    if (status == TROUPE_OK)
        status = buffer_append(pending, stream, head.name_size);
    if (status == TROUPE_OK)
        status = buffer_align(pending, RECORD_ALIGNMENT);
    if (status == TROUPE_OK)
        status = buffer_append(pending, bytes, size);
    if (status == TROUPE_OK)
        status = buffer_align(pending, RECORD_ALIGNMENT);
    catalogue->count++;
    return status;
}

static troupe_status write_down(struct catalogue *catalogue, const struct pending *head, const char *stream,
                                const void *bytes)
{
    uint64_t unused;
    size_t len = head->name_size - 1;
    if (head->kind != CATALOGUE_CARDS)
        return journal_keep(catalogue->journal,
                            head->kind == CATALOGUE_SNAPSHOT ? JOURNAL_SNAPSHOT : JOURNAL_SUMMARY, stream,
                            len, head->seq, bytes, head->size, &unused);
    troupe_status status = journal_put(catalogue->journal, catalogue->shelf, stream, len, bytes, head->size);
    if (status != TROUPE_CONFLICT)
        return status;
    char text[JOURNAL_ERROR_SIZE];
    snprintf(text, sizeof text, "%s: a message of it has the id of another one", stream);
    catalogue->report(catalogue->context, text);
    return TROUPE_OK;
}

troupe_status catalogue_flush(struct catalogue *catalogue)
{
    const unsigned char *bytes = catalogue->pending.bytes;
    if (catalogue->pending.size == 0)
        return TROUPE_OK;
    troupe_status status = journal_begin(catalogue->journal);
    for (size_t at = 0; status == TROUPE_OK && at < catalogue->pending.size;) {
        const struct pending *head = (const struct pending *)(const void *)(bytes + at);
        const char *stream = (const char *)(head + 1);
        const void *body = stream + align(head->name_size);
        status = write_down(catalogue, head, stream, body);
        at += sizeof *head + align(head->name_size) + align(head->size);
    }
    if (status == TROUPE_OK)
        status = journal_commit(catalogue->journal);
    if (status == TROUPE_OK)
        status = journal_upkeep(catalogue->journal);
    buffer_clear(&catalogue->pending);
    catalogue->count = 0;
    return status;
}

void catalogue_done(struct catalogue *catalogue)
{
    buffer_done(&catalogue->pending);
    catalogue->count = 0;
}

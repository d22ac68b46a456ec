/* SPDX-License-Identifier: MIT */
/*
 * view.h: what is to become text: a flat body from anywhere, or a message, whose blobs ride outside its body.
 * The writers of JSON and of traces see both the same way.
 *
 * Invariant: view_check has passed before a field's bytes are asked for.
 *
 * Pure functions: any thread that may read what is viewed.
 */
#ifndef TROUPE_WIRE_VIEW_H
#define TROUPE_WIRE_VIEW_H

#include <string.h>
#include <troupe/blob.h>
#include <troupe/message.h>

#include "core/ride.h"

struct view {
    const troupe_type *type;
    const char *body;
    size_t size;
    const troupe_message *message; /* whose body it is; NULL: nobody's, and flat */
};

/* The view of a message. */
static inline struct view view_message(const troupe_type *type, const troupe_message *message)
{
    return (struct view){type, (const char *)troupe_body(message), message->size, message};
}

/* Whether it is of its type. Errors: TROUPE_MALFORMED. */
static inline troupe_status view_check(const struct view *view)
{
    if (view->message != NULL)
        return ride_check(view->type, view->message);
    return troupe_flat_check(view->type, view->body, view->size);
}

/* The bytes of the text, bytes or blob field whose span is at `at`. */
static inline troupe_bytes view_bytes(const struct view *view, const troupe_field *field, const char *at)
{
    troupe_blob_span span;
    memcpy(&span, at, sizeof span);
    if (view->message != NULL && field->kind == TROUPE_FIELD_blob)
        return troupe_blob_bytes_of(view->message, span);
    return troupe_flat_blob(view->body, span);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * flat.h: what flat.c has for ride.c beyond troupe/message.h: the same three functions for a body whose blobs
 * ride behind it, and so take no room in it. Pure functions: any thread.
 */
#ifndef TROUPE_CORE_FLAT_H
#define TROUPE_CORE_FLAT_H

#include <troupe/message.h>

/* Bytes of one element of a kind, in a body and in a fields struct alike, but for text, bytes and blob. */
size_t flat_kind_size(uint8_t kind);

/* The blob given for a field of that kind; NULL: none. */
troupe_blob *flat_given_blob(const troupe_field *field, const void *fields);

/* As troupe_flat_size; `rides`: without the bytes of blobs. */
size_t flat_size(const troupe_type *type, const void *fields, bool rides);

/* As troupe_flat_write; `rides`: the spans of blobs are empty. */
void flat_write(const troupe_type *type, const void *fields, void *body, size_t size, bool rides);

/* As troupe_flat_check, for a body behind which `ride_count` blobs ride. */
troupe_status flat_check(const troupe_type *type, const void *body, size_t size, uint32_t ride_count);

#endif

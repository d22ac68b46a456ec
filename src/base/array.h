/* SPDX-License-Identifier: MIT */
/*
 * array.h: a plain array that grows. The array, its count and its capacity stay ordinary fields of their
 * owner; this is the one call that makes room, doubling so that adding one costs a constant on average.
 *
 *     struct thing *things; size_t count; size_t capacity;
 *     status = array_reserve(&owner->things, &owner->capacity, owner->count + 1, sizeof(*owner->things));
 *
 * Place: a leaf. Any one thread at a time.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

#include <troupe/status.h>

/**
 * Makes an array hold at least `needed` things of `size` bytes. `array` is the address of the pointer to the
 * first of them, which is NULL while the capacity is 0. What was there stays, what is new is not cleared, and
 * the pointer may change. On TROUPE_NO_MEMORY nothing has changed.
 */
TROUPE_MUST_CHECK troupe_status array_reserve(void *array, size_t *capacity, size_t needed, size_t size);

#endif

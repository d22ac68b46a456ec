/* SPDX-License-Identifier: MIT */
/*
 * resource.h: what an actor owns beside its state, a list in its extras, the newest first. The head of an
 * entry lies before the memory of troupe_alloc, and alone for descriptors and pointers.
 *
 * Invariant: an entry is on the list of exactly one actor, from its making until it is given back or
 * released.
 *
 * The home's thread.
 */
#ifndef TROUPE_CORE_RESOURCE_H
#define TROUPE_CORE_RESOURCE_H

#include "core/worker.h"

/* The list of one actor. All zeros: it owns nothing. */
struct resources {
    struct resource *newest;
    uint32_t count;
};

/* Releases all that an actor owns, the newest first. For its end, after stop(). */
void resource_release_all(struct worker *worker, struct actor *actor);

#endif

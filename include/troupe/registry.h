/* SPDX-License-Identifier: MIT */
/*
 * registry.h: names for actors. A name has one holder; it is free the moment its holder has ended. An actor
 * has at most one name.
 */
#ifndef TROUPE_REGISTRY_H
#define TROUPE_REGISTRY_H

#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest name in bytes, without the ending NUL. */
#define TROUPE_NAME_LEN_MAX 128

/** As troupe_whereis, which is what users call. */
TROUPE_API troupe_ref troupe_context_whereis(troupe_context *from, const char *name);

/**
 * Gives this actor a name. Errors: TROUPE_NAME_TAKEN, TROUPE_INVALID (empty, too long, or the actor has
 * one), TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_register(troupe_self *self, const char *name);

/** Gives up this actor's name, if it has one. */
TROUPE_API void troupe_unregister(troupe_self *self);

/** Who holds the name now; troupe_ref_none() when nobody does. `from` is a self or a system. Any thread. */
#define troupe_whereis(from, name) troupe_context_whereis(TROUPE_CONTEXT(from), (name))

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * registry.h: names to refs: a hash table with chaining behind one lock. Names are taken and looked up when
 * things are set up, not for each message: whoever sends often keeps the ref.
 */
#ifndef TROUPE_CORE_REGISTRY_H
#define TROUPE_CORE_REGISTRY_H

#include <pthread.h>
#include <troupe.h>

struct registry_entry;

struct registry {
    pthread_mutex_t lock;
    struct registry_entry **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t entry_count;
};

troupe_status registry_init(struct registry *registry);
void registry_done(struct registry *registry);

/* Errors: TROUPE_INVALID (length), TROUPE_NAME_TAKEN, TROUPE_NO_MEMORY. */
troupe_status registry_add(struct registry *registry, const char *name, troupe_ref ref);

/* Frees the name if `ref` holds it. */
void registry_remove(struct registry *registry, const char *name, troupe_ref ref);

/* Copies the name that `ref` holds, cut to `size`; false: it has none. Looks at all names. */
bool registry_name_of(struct registry *registry, troupe_ref ref, char *ret_name, size_t size);

troupe_ref registry_find(struct registry *registry, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* registry.c: see registry.h. Grows by doubling when there are as many names as buckets. */
#include "core/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/extras.h"
#include "core/relief.h"
#include "core/system.h"

enum {
    REGISTRY_BUCKETS_FIRST = 64,
};

struct registry_entry {
    struct registry_entry *next;
    troupe_ref ref;
    uint32_t hash;
    char name[];
};

troupe_status registry_init(struct registry *registry)
{
    registry->buckets = calloc(REGISTRY_BUCKETS_FIRST, sizeof(struct registry_entry *));
    if (registry->buckets == NULL)
        return TROUPE_NO_MEMORY;
    registry->bucket_count = REGISTRY_BUCKETS_FIRST;
    registry->entry_count = 0;
    pthread_mutex_init(&registry->lock, NULL);
    return TROUPE_OK;
}

void registry_done(struct registry *registry)
{
    for (uint32_t i = 0; registry->buckets != NULL && i < registry->bucket_count; i++) {
        while (registry->buckets[i] != NULL) {
            struct registry_entry *entry = registry->buckets[i];
            registry->buckets[i] = entry->next;
            free(entry);
        }
    }
    free(registry->buckets);
    registry->buckets = NULL;
}

/* The link that points to the entry of this name, or to NULL where it would be. */
static struct registry_entry **link_of(struct registry *registry, const char *name, uint32_t hash)
{
    struct registry_entry **link = &registry->buckets[hash & (registry->bucket_count - 1)];
    while (*link != NULL && ((*link)->hash != hash || strcmp((*link)->name, name) != 0))
        link = &(*link)->next;
    return link;
}

/* Twice as many buckets; without memory it stays as it is, only slower. */
static void grow(struct registry *registry)
{
    uint32_t count = registry->bucket_count * 2;
    struct registry_entry **buckets = calloc(count, sizeof(struct registry_entry *));
    if (buckets == NULL)
        return;
    for (uint32_t i = 0; i < registry->bucket_count; i++) {
        while (registry->buckets[i] != NULL) {
            struct registry_entry *entry = registry->buckets[i];
            registry->buckets[i] = entry->next;
            entry->next = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
        }
    }
    free(registry->buckets);
    registry->buckets = buckets;
    registry->bucket_count = count;
}

troupe_status registry_add(struct registry *registry, const char *name, troupe_ref ref)
{
    size_t len = strnlen(name, TROUPE_NAME_LEN_MAX + 1);
    if (len == 0 || len > TROUPE_NAME_LEN_MAX)
        return TROUPE_INVALID;
    struct registry_entry *entry = malloc(sizeof *entry + len + 1);
    if (entry == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(entry->name, name, len + 1);
    entry->ref = ref;
    entry->hash = troupe_type_id(name);
    entry->next = NULL;
    troupe_status status = TROUPE_OK;
    pthread_mutex_lock(&registry->lock);
    if (registry->entry_count >= registry->bucket_count)
        grow(registry);
    struct registry_entry **link = link_of(registry, name, entry->hash);
    if (*link != NULL) {
        status = TROUPE_NAME_TAKEN;
        free(entry);
    } else {
        *link = entry;
        registry->entry_count++;
    }
    pthread_mutex_unlock(&registry->lock);
    return status;
}

void registry_remove(struct registry *registry, const char *name, troupe_ref ref)
{
    pthread_mutex_lock(&registry->lock);
    struct registry_entry **link = link_of(registry, name, troupe_type_id(name));
    struct registry_entry *entry = *link;
    if (entry != NULL && troupe_ref_equal(entry->ref, ref)) {
        *link = entry->next;
        registry->entry_count--;
        free(entry);
    }
    pthread_mutex_unlock(&registry->lock);
}

troupe_ref registry_find(struct registry *registry, const char *name)
{
    pthread_mutex_lock(&registry->lock);
    struct registry_entry *entry = *link_of(registry, name, troupe_type_id(name));
    troupe_ref ref = entry == NULL ? troupe_ref_none() : entry->ref;
    pthread_mutex_unlock(&registry->lock);
    return ref;
}

bool registry_name_of(struct registry *registry, troupe_ref ref, char *ret_name, size_t size)
{
    const struct registry_entry *found = NULL;
    pthread_mutex_lock(&registry->lock);
    for (uint32_t i = 0; i < registry->bucket_count && found == NULL; i++) {
        found = registry->buckets[i];
        while (found != NULL && !troupe_ref_equal(found->ref, ref))
            found = found->next;
    }
    if (found != NULL)
        snprintf(ret_name, size, "%s", found->name);
    pthread_mutex_unlock(&registry->lock);
    return found != NULL;
}

troupe_ref troupe_context_whereis(troupe_context *from, const char *name)
{
    return registry_find(&from->system->registry, name);
}

troupe_status troupe_register(troupe_self *self, const char *name)
{
    RUNTIME_SCOPE(self);
    struct extras *extras = extras_of(worker, self->actor);
    if (extras == NULL)
        return TROUPE_NO_MEMORY;
    if (extras->name != NULL)
        return TROUPE_INVALID;
    char *copy = strdup(name);
    if (copy == NULL)
        return TROUPE_NO_MEMORY;
    troupe_status status = registry_add(&self->context.system->registry, name, actor_ref(self->actor));
    if (status == TROUPE_OK)
        extras->name = copy;
    else
        free(copy);
    return status;
}

void troupe_unregister(troupe_self *self)
{
    struct extras *extras = self->actor->extras;
    if (extras == NULL || extras->name == NULL)
        return;
    registry_remove(&self->context.system->registry, extras->name, actor_ref(self->actor));
    free(extras->name);
    extras->name = NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * type_names.c: from the id of a message type to its name, for people: traces and dead letters know a message
 * only by its header. Every file that declares a type announces it when the program or library it is in is
 * loaded, so there is nothing to register by hand; names are copied, as a library may be unloaded again.
 *
 * Not on a message's way: a send and a receipt know their type already. Announcements take a lock, look-ups
 * none: an entry is written once and published by its name.
 *
 * Invariants
 *   1. an entry with a name never changes; entries are never taken back
 *   2. every entry between a type's home (its id modulo the table) and its place is taken
 */
#include <pthread.h>
#include <string.h>
#include <troupe.h>

#include "base/atomic.h"

enum {
    TABLE_LEN = 2 * TROUPE_TYPE_NAMES_MAX, /* a power of two; at most half full, so that probes are short */
};

_Static_assert((TABLE_LEN & (TABLE_LEN - 1)) == 0, "the home of an id is found by a mask");

struct entry {
    char *_Atomic name;
    uint32_t id; /* written before the name is */
};

static struct entry table[TABLE_LEN];
static uint32_t entry_count; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The entry of this id, or the free one where it would be. */
static struct entry *entry_of(uint32_t id)
{
    uint32_t at = id & (TABLE_LEN - 1);
    /* Acquire pairs with the release in announce: who sees the name sees the id. */
    while (load_acquire(&table[at].name) != NULL && table[at].id != id)
        at = (at + 1) & (TABLE_LEN - 1);
    return &table[at];
}

void troupe_type_announce(const troupe_type *type)
{
    pthread_mutex_lock(&lock);
    struct entry *entry = entry_of(type->id);
    if (load_relaxed(&entry->name) == NULL && entry_count < TROUPE_TYPE_NAMES_MAX) {
        char *copy = strdup(type->name);
        if (copy != NULL) {
            entry->id = type->id;
            store_release(&entry->name, copy); /* with load_acquire in entry_of */
            entry_count++;
        }
    }
    pthread_mutex_unlock(&lock);
}

const char *troupe_type_name(uint32_t id)
{
    return load_acquire(&entry_of(id)->name); /* with store_release in announce */
}

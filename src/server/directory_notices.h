/* SPDX-License-Identifier: MIT */
/*
 * directory_notices.h: what the directory actor keeps of those who are told that something waits, and of
 * those who read it. directory_notices.c has the design.
 *
 * Place: part of the directory's state; runs in the directory actor.
 */
#ifndef SERVER_DIRECTORY_NOTICES_H
#define SERVER_DIRECTORY_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe.h>

#include "base/heap.h"
#include "base/map.h"
#include "server/messages.h"

/** Readers that wait at the same time; a further one is told to come again. */
#define DIRECTORY_READERS_MAX 1024

struct directory_actor;
struct directory_entry;
struct directory_person;
struct directory_reader;

/** People who chose to be told, and readers. All zeros is empty and ready. */
struct directory_notices {
    struct directory_person **people;
    size_t count;
    size_t capacity;
    struct map map;
    struct heap due;
    uint64_t timer; /* for the first of them; 0: none */
    int64_t timer_at;
    struct directory_reader *readers;
    size_t reader_count;
    uint64_t patience; /* the timer for the first reader whose patience ends; 0: none */
    bool is_stirred;   /* readers are to be looked at */
};

/** The directory is loaded: everybody who chose to be told is known. */
troupe_status directory_notices_start(troupe_self *self, struct directory_actor *directory);
/** Somebody's choice or calendar has changed. */
troupe_status directory_notices_changed(troupe_self *self, struct directory_actor *directory,
                                        const char *actor);
/** A role says how loaded it is, and the entry still has what it said before. */
void directory_notices_load(struct directory_entry *entry, const role_load *load);
/** Before an append: what is due is decided. */
troupe_status directory_notices_decide(troupe_self *self, struct directory_actor *directory);
/** After a batch: readers are answered. */
troupe_status directory_notices_serve(troupe_self *self, struct directory_actor *directory);
/** One of its timers. */
void directory_notices_timed(struct directory_actor *directory, uint64_t tag);
/** Somebody wants to read. */
void directory_begin_reading(troupe_self *self, struct directory_actor *directory,
                             const troupe_message *message, const directory_notices_after *asked);
/** Ends it, because the directory ends. */
void directory_notices_done(troupe_self *self, struct directory_actor *directory);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * heads.h: where each stream ends. An append needs the last number of its stream to check it and the place of
 * the last record to point back to it; a table in memory answers both without touching the file.
 *
 * Place: inside a driver. The memory driver keeps all of its streams here; the SQLite driver those that
 * changed since it wrote the ends down, and as many others as it has room for. One thread at a time.
 *
 * Invariants
 *   1. A name is in the table at most once.
 *   2. A pointer to a head is good until the next heads_add or heads_clear; an index until heads_clear.
 */
#ifndef JOURNAL_HEADS_H
#define JOURNAL_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/map.h"
#include <troupe/status.h>

/** The end of one stream. `name_at` and `name_len` are written only by heads.c; the rest is its driver's. */
struct head {
    uint64_t id;       /**< the stream's number in the journal, from 1 */
    uint64_t seq;      /**< of its last record; 0: none */
    uint64_t position; /**< of its last record; 0: none */
    size_t name_at;
    uint16_t name_len;
    bool is_dirty; /**< differs from what is written down */
};

/** The table. */
struct heads {
    struct head *list;
    uint32_t count;
    size_t capacity;
    struct buffer names;
    struct map map;
    struct hash_key key;
};

/**
 * Makes an empty table. Names come from users: `key` keeps them from choosing where they fall. Allocates
 * nothing.
 */
void heads_init(struct heads *heads, const struct hash_key *key);

/** Frees everything. The table is empty and ready again. */
void heads_done(struct heads *heads);

/** Forgets all heads and keeps the memory. */
void heads_clear(struct heads *heads);

/** The head of a stream, or NULL. */
struct head *heads_find(const struct heads *heads, const char *name, size_t name_len);

/**
 * Adds a stream that is not in the table, all zeros but for its name. Errors: TROUPE_NO_MEMORY, TROUPE_LIMIT,
 * TROUPE_TOO_LARGE.
 */
TROUPE_MUST_CHECK troupe_status heads_add(struct heads *heads, const char *name, size_t name_len,
                                          struct head **ret_head);

/** The name of a stream, NUL-terminated; good until the next heads_add. */
const char *heads_name(const struct heads *heads, const struct head *head);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * arena.h: many small texts that are freed together. Memory is taken in blocks and handed out from the front;
 * nothing is given back before the end, so a text costs its bytes and nothing more, and stays where it is.
 *
 * Place: a leaf; the directory keeps its names in one. Any one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include <troupe/status.h>

/** Memory that is freed together. All zeros is empty and ready. */
struct arena {
    struct arena_block *blocks; /* private: the newest first */
    size_t used;                /* private: bytes of the newest block */
    size_t taken;               /* bytes handed out in all */
};

/** Frees everything; the arena is empty and ready again. */
void arena_done(struct arena *arena);

/** Gives `size` bytes aligned for any type, not cleared. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status arena_take(struct arena *arena, size_t size, void **ret_bytes);

/** Gives a copy of `len` bytes and a NUL. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status arena_text(struct arena *arena, const char *text, size_t len,
                                           const char **ret_text);

#endif

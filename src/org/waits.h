/* SPDX-License-Identifier: MIT */
/*
 * waits.h: how long it takes here, from the role's own recent completions. What is kept of each is its pace:
 * the time from the completion before, or from its own acceptance when that was later, to its end. Whoever
 * has so many before them waits for so many paces. Times from acceptance to end would not do: they lag behind
 * the queue, so that in a rising one too many wait longer than they were told. The last ORG_COMPLETIONS_KEPT
 * count, so a stated wait follows the role as it becomes faster or slower.
 *
 * Place: inside a role's state; folding a completion adds to it, a receipt reads it. Pure; any one thread.
 *
 * Invariants
 *   1. sorted[0..count) holds the same paces as paces[0..count), in order, so a median costs nothing when it
 *      is asked for; sum is their sum.
 *   2. The oldest completion is at `next` when the ring is full, else at 0.
 */
#ifndef ORG_WAITS_H
#define ORG_WAITS_H

#include <stdbool.h>
#include <stdint.h>

#include "org/limits.h"

/** The recent completions. All zeros is empty and ready. */
struct org_waits {
    uint32_t count;
    uint32_t next;
    int64_t sum;
    int64_t paces[ORG_COMPLETIONS_KEPT];
    int64_t ended[ORG_COMPLETIONS_KEPT];
    int64_t sorted[ORG_COMPLETIONS_KEPT];
};

/** Adds a completion. Times that run backwards count as no time at all. */
void org_waits_add(struct org_waits *waits, int64_t accepted_at, int64_t ended_at);

/**
 * The median and the 95th percentile of the time until the `place`th completion from now, 1 the next; false
 * with fewer than ORG_COMPLETIONS_MIN, and nothing is written.
 */
bool org_waits_expected(const struct org_waits *waits, uint64_t place, int64_t *ret_median_ms,
                        int64_t *ret_p95_ms);

/** When the next completion is to be expected, later than now; 0 with fewer than ORG_COMPLETIONS_MIN. */
int64_t org_waits_next_end(const struct org_waits *waits, int64_t now_ms);

#endif

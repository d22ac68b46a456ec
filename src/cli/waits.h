/* SPDX-License-Identifier: MIT */
/*
 * waits.h: how long messages waited, as a histogram that takes the same memory for ten and for ten million.
 * Buckets are WAITS_STEPS to each power of two, as in HDR histograms, so that a quantile is off by at most
 * one part in WAITS_STEPS; below WAITS_STEPS milliseconds every millisecond has its own.
 *
 * Place: the report of `troupe replay`. Pure. One thread.
 */
#ifndef CLI_WAITS_H
#define CLI_WAITS_H

#include <stdint.h>

enum {
    WAITS_STEPS = 128,
    WAITS_POWERS = 48, /* up to 2^47 ms: longer than anybody waits */
};

/** The histogram. All zeros is empty. */
struct waits {
    uint64_t buckets[WAITS_STEPS * WAITS_POWERS];
    uint64_t count;
};

/** Counts one wait; a negative one (clocks differ) counts as 0. */
void waits_add(struct waits *waits, int64_t wait_ms);

/** The smallest wait that at least `percent` of 100 waits do not exceed, 1 to 100; -1 when there are none. */
int64_t waits_quantile(const struct waits *waits, unsigned percent);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * waits.c: see waits.h. A wait of 2^k to 2^(k+1) lies in row k - 6 at one of WAITS_STEPS / 2 steps; the rows
 * overlap by half, which wastes half a row and keeps the arithmetic to shifts.
 */
#include "cli/waits.h"

#include <assert.h>
#include <stddef.h>

enum {
    STEP_BITS = 7,
};

_Static_assert(WAITS_STEPS == 1 << STEP_BITS, "a step is a bit pattern");

static size_t bucket_of(uint64_t wait)
{
    unsigned shift = 0;
    while (wait >> shift >= WAITS_STEPS && shift < WAITS_POWERS - 1)
        shift++;
    uint64_t step = wait >> shift;
    return shift * WAITS_STEPS + (size_t)(step < WAITS_STEPS ? step : WAITS_STEPS - 1);
}

void waits_add(struct waits *waits, int64_t wait_ms)
{
    waits->buckets[bucket_of(wait_ms > 0 ? (uint64_t)wait_ms : 0)]++;
    waits->count++;
}

int64_t waits_quantile(const struct waits *waits, unsigned percent)
{
    assert(percent >= 1 && percent <= 100);
    if (waits->count == 0)
        return -1;
    uint64_t wanted = (waits->count * percent + 99) / 100;
    uint64_t seen = 0;
    for (size_t i = 0; i < WAITS_STEPS * WAITS_POWERS; i++) {
        seen += waits->buckets[i];
        if (seen >= wanted)
            return (int64_t)(i % WAITS_STEPS) << (i / WAITS_STEPS);
    }
    return -1;
}

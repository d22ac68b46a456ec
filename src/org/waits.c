/* SPDX-License-Identifier: MIT */
/*
 * waits.c: how long it takes here; waits.h has the design. Pure; any one thread.
 */
#include "org/waits.h"

#include <stddef.h>
#include <string.h>

/* How many of the sorted waits are less than this one. */
static uint32_t rank_of(const struct org_waits *waits, int64_t wait)
{
    uint32_t low = 0;
    uint32_t high = waits->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (waits->sorted[middle] < wait)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(struct org_waits *waits, int64_t wait)
{
    uint32_t at = rank_of(waits, wait);
    waits->count--;
    memmove(&waits->sorted[at], &waits->sorted[at + 1], (waits->count - at) * sizeof(waits->sorted[0]));
}

void org_waits_add(struct org_waits *waits, int64_t accepted_at, int64_t ended_at)
{
    int64_t wait = ended_at > accepted_at ? ended_at - accepted_at : 0;
    if (waits->count == ORG_COMPLETIONS_KEPT)
        forget(waits, waits->waits[waits->next]);

    uint32_t at = rank_of(waits, wait);
    memmove(&waits->sorted[at + 1], &waits->sorted[at], (waits->count - at) * sizeof(waits->sorted[0]));
    waits->sorted[at] = wait;
    waits->count++;
    waits->waits[waits->next] = wait;
    waits->ended[waits->next] = ended_at;
    waits->next = (waits->next + 1) % ORG_COMPLETIONS_KEPT;
}

bool org_waits_expected(const struct org_waits *waits, int64_t *ret_median_ms, int64_t *ret_p95_ms)
{
    if (waits->count < ORG_COMPLETIONS_MIN)
        return false;
    *ret_median_ms = waits->sorted[(waits->count - 1) / 2];
    *ret_p95_ms = waits->sorted[(waits->count * 95 + 99) / 100 - 1];
    return true;
}

int64_t org_waits_next_end(const struct org_waits *waits, int64_t now_ms)
{
    if (waits->count < ORG_COMPLETIONS_MIN)
        return 0;
    uint32_t newest = (waits->next + ORG_COMPLETIONS_KEPT - 1) % ORG_COMPLETIONS_KEPT;
    uint32_t oldest = waits->count == ORG_COMPLETIONS_KEPT ? waits->next : 0;
    int64_t between = (waits->ended[newest] - waits->ended[oldest]) / (waits->count - 1);
    int64_t next = waits->ended[newest] + (between > 0 ? between : 0);
    return next > now_ms ? next : now_ms + 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * waits.c: how long it takes here; waits.h has the design. Pure; any one thread.
 */
#include "org/waits.h"

#include <stddef.h>
#include <string.h>

/* More than these counts as these, so that nothing overflows. */
#define PACE_MAX_MS (366 * ORG_DAY_MS)
#define PLACES_MAX ((uint64_t)100000)

/* How many of the sorted paces are less than this one. */
static uint32_t rank_of(const struct org_waits *waits, int64_t pace)
{
    uint32_t low = 0;
    uint32_t high = waits->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (waits->sorted[middle] < pace)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(struct org_waits *waits, int64_t pace)
{
    uint32_t at = rank_of(waits, pace);
    waits->count--;
    waits->sum -= pace;
    memmove(&waits->sorted[at], &waits->sorted[at + 1], (waits->count - at) * sizeof(waits->sorted[0]));
}

void org_waits_add(struct org_waits *waits, int64_t accepted_at, int64_t ended_at)
{
    uint32_t newest = (waits->next + ORG_COMPLETIONS_KEPT - 1) % ORG_COMPLETIONS_KEPT;
    int64_t from = accepted_at;
    if (waits->count > 0 && waits->ended[newest] > from)
        from = waits->ended[newest];
    int64_t pace = ended_at > from ? ended_at - from : 0;
    if (pace > PACE_MAX_MS)
        pace = PACE_MAX_MS;
    if (waits->count == ORG_COMPLETIONS_KEPT)
        forget(waits, waits->paces[waits->next]);

    uint32_t at = rank_of(waits, pace);
    memmove(&waits->sorted[at + 1], &waits->sorted[at], (waits->count - at) * sizeof(waits->sorted[0]));
    waits->sorted[at] = pace;
    waits->sum += pace;
    waits->count++;
    waits->paces[waits->next] = pace;
    waits->ended[waits->next] = ended_at;
    waits->next = (waits->next + 1) % ORG_COMPLETIONS_KEPT;
}

/* The root of a number, rounded down: bit by bit, from the highest that it can have. */
static uint64_t root_of(uint64_t number)
{
    uint64_t root = 0;
    if (number == 0)
        return 0;
    for (uint64_t bit = (uint64_t)1 << (63 - __builtin_clzll(number)) / 2; bit != 0; bit >>= 1) {
        if ((root | bit) * (root | bit) <= number)
            root |= bit;
    }
    return root;
}

/*
 * The sum of `place` paces that are as these were. Its mean is so many times their mean; what may come on top
 * grows with the root of their number, and with the number itself by as much as the mean is uncertain, being
 * taken from so few.
 */
bool org_waits_expected(const struct org_waits *waits, uint64_t place, int64_t *ret_median_ms,
                        int64_t *ret_p95_ms)
{
    enum { ROOT_ONE = 256 };
    if (waits->count < ORG_COMPLETIONS_MIN)
        return false;
    uint64_t n = place < PLACES_MAX ? place : PLACES_MAX;
    int64_t mean = waits->sum / waits->count;
    int64_t median = waits->sorted[(waits->count - 1) / 2];
    int64_t p95 = waits->sorted[(waits->count * 95 + 99) / 100 - 1];
    int64_t spread = (int64_t)root_of((n + n * (n - 1) / waits->count) * ROOT_ONE * ROOT_ONE);
    int64_t all = mean * (int64_t)(n - 1);
    *ret_median_ms = all + median;
    *ret_p95_ms = all + mean + (p95 > mean ? (p95 - mean) * spread / ROOT_ONE : 0);
    if (*ret_p95_ms < *ret_median_ms)
        *ret_p95_ms = *ret_median_ms;
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

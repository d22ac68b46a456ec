/* SPDX-License-Identifier: MIT */
/*
 * faults.c: which step fails; faults.h says what for. Any thread; never blocks. The counters are relaxed:
 * each step takes a number of its own, and nothing rests on their order.
 */
#include "server/faults.h"

#include "base/atomic.h"

/* SplitMix64's finish: neighbours get nothing of each other. */
static uint64_t scatter(uint64_t number)
{
    uint64_t bits = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

bool faults_hit(struct faults *faults, bool is_spared)
{
    uint64_t number = fetch_add_relaxed(&faults->steps, 1) + 1;
    bool is_hit = number == faults->fail_at || (faults->one_in > 0 && scatter(number) % faults->one_in == 0);
    if (!is_hit || is_spared)
        return false;
    fetch_add_relaxed(&faults->hits, 1);
    return true;
}

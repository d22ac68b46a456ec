/* SPDX-License-Identifier: MIT */
/*
 * random.h: a small fast generator, not for secrets: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). One word
 * of state makes it easy to give every user of randomness its own stream from one seed, which is what
 * replaying a run needs.
 */
#ifndef TROUPE_BASE_RANDOM_H
#define TROUPE_BASE_RANDOM_H

#include <stdint.h>

/** The state of one stream; any value is a good seed. */
struct random {
    uint64_t state;
};

/** The next 64 bits. */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/**
 * A number from 0 to bound - 1, bound at least 1; by multiplication (Lemire), so slightly uneven for huge
 * bounds.
 */
static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)(((random_next(random) >> 32) * bound) >> 32);
}

/** True with this probability, 0 to 1. */
static inline int random_chance(struct random *random, double probability)
{
    return (double)(random_next(random) >> 11) * 0x1p-53 < probability;
}

#endif

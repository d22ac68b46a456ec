/* SPDX-License-Identifier: MIT */
/*
 * seeds.h: which seeds a test with random input runs, and the line that says how to run a failed one again.
 *
 *   TROUPE_SEED=n     that seed, and no other
 *   TROUPE_SEEDS=n    so many seeds from 1, where a test runs many
 */
#ifndef TESTS_SUPPORT_SEEDS_H
#define TESTS_SUPPORT_SEEDS_H

#include <stdint.h>

/** The seed of a test that runs one: TROUPE_SEED, or `otherwise`. Prints how to run it again. */
uint64_t seeds_one(const char *test, uint64_t otherwise);

/** A seed that is another each time. */
uint64_t seeds_other(void);

/**
 * Calls `run` for each seed, `count` of them unless the environment says otherwise, with the number in
 * `seed`. `step` may be NULL, or is where the run keeps how far it is, for seeds_tell.
 */
void seeds_run(uint64_t count, uint64_t *seed, const int *step, void (*run)(void));

/** A teardown for cmocka: when seeds_run did not come to its end, says with which seed it failed. */
int seeds_tell(void **state);

#endif

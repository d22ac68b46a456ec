/* SPDX-License-Identifier: MIT */
/*
 * The virtual year of org_year.h for many seeds. TROUPE_SEED=N runs only that one, TROUPE_SEEDS=N that many;
 * tests/sim/soak runs any number. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/org_year.h"

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS_DEFAULT = 3 }; /* each takes ten times as long: the sanitizer is after other faults */
#else
enum { SEEDS_DEFAULT = 12 };
#endif

static uint64_t seed;

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static void year_loses_nothing_and_drains(void **state)
{
    (void)state;
    uint64_t first = number_from("TROUPE_SEED", 1);
    uint64_t count = number_from("TROUPE_SEEDS", getenv("TROUPE_SEED") != NULL ? 1 : SEEDS_DEFAULT);
    struct year_report sum = {0};
    for (seed = first; seed < first + count; seed++) {
        struct year_report report;
        year_live(seed, &report);
        sum.accepted += report.accepted;
        sum.refused += report.refused;
        sum.notices += report.notices;
        sum.crashes += report.crashes;
        sum.killed += report.killed;
        sum.failures += report.failures;
    }
    /* A year in which nothing happens proves nothing. */
    assert_true(sum.accepted > 100 * count && sum.notices == sum.accepted);
    assert_true(sum.refused > 0 && sum.failures > 0);
    assert_true(count < 10 || (sum.crashes > count && sum.killed > count));
    print_message(
        "%llu years: %llu accepted, %llu refused, %llu failures, %llu crashes, %llu actors killed\n",
        (unsigned long long)count, (unsigned long long)sum.accepted, (unsigned long long)sum.refused,
        (unsigned long long)sum.failures, (unsigned long long)sum.crashes, (unsigned long long)sum.killed);
    seed = 0;
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed != 0)
        print_message("it failed with TROUPE_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(year_loses_nothing_and_drains, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

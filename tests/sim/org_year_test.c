/* SPDX-License-Identifier: MIT */
/*
 * The virtual year of org_year.h for many seeds. TROUPE_SEED=N begins with that one and runs it alone,
 * TROUPE_SEEDS=M runs that many; ctest has several runs of this program, which together live 100 years, and
 * tests/sim/soak any number. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/org_year.h"
#include "support/org_year_notices.h"

enum {
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    FIRST_DEFAULT = YEAR_ON_DISK_EVERY - 1, /* and the next one, on a disk */
    SEEDS_DEFAULT = 2, /* each takes ten times as long: the sanitizers are after other faults */
#else
    FIRST_DEFAULT = 1,
    SEEDS_DEFAULT = 25,
#endif
    SEEDS_ALL_OCCURS = 20, /* so many years together have everything in them */
};

static uint64_t seed;

/* The first year, and the first one on a disk, to be compared with themselves. */
static struct {
    uint64_t seed;
    struct year_report report;
} lived[2];

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);
    return value == NULL ? otherwise : strtoull(value, NULL, 10);
}

static uint64_t failures_of_the_journal(const struct year_report *report)
{
    return report->lost_commits + report->told_commits + report->lost_appends + report->lost_snapshots +
           report->lost_reads + report->failed_starts;
}

/* A year in which nothing happens proves nothing: each has all of this. */
static void check_is_full(const struct year_report *report)
{
    assert_true(report->accepted > 300 && report->notices == report->accepted);
    assert_true(!year_has_notices(seed) || (report->told > 100 && report->due > 20));
    assert_true(report->refused > 0 && report->repeated > 0 && report->escalations > 0);
    assert_true(report->failures > 0 && report->storms > 0 && report->rushes > 0);
    assert_true(report->absences > 0 && report->leavers > 0 && report->arrivals > 0 && report->holders > 0);
    assert_true(report->crashes > 0 && failures_of_the_journal(report) > 0);
}

static void year_loses_nothing_and_drains(void **state)
{
    (void)state;
    uint64_t first = number_from("TROUPE_SEED", FIRST_DEFAULT);
    uint64_t count = number_from("TROUPE_SEEDS", getenv("TROUPE_SEED") != NULL ? 1 : SEEDS_DEFAULT);
    struct year_report sum = {0};
    for (seed = first; seed < first + count; seed++) {
        struct year_report report;
        year_live(seed, &report);
        check_is_full(&report);
        if (lived[year_is_on_disk(seed)].seed == 0) {
            lived[year_is_on_disk(seed)].seed = seed;
            lived[year_is_on_disk(seed)].report = report;
        }
#define ADD(name) sum.name += report.name;
        YEAR_REPORT(ADD)
#undef ADD
    }
    seed = 0;
    print_message("%llu years:\n", (unsigned long long)count);
#define PRINT(name) print_message("%10llu " #name "\n", (unsigned long long)sum.name);
    YEAR_REPORT(PRINT)
#undef PRINT
    if (count < SEEDS_ALL_OCCURS)
        return;
    assert_true(sum.killed > 0 && sum.role_faults > 0 && sum.lost_commits > 0 && sum.told_commits > 0 &&
                sum.lost_appends > 0);
    assert_true(sum.lost_snapshots > 0 && sum.lost_reads > 0 && sum.failed_starts > 0);
}

static void a_seed_gives_the_same_year_again(void **state)
{
    (void)state;
    if (getenv("TROUPE_SEED") != NULL)
        skip(); /* whoever looks for seeds has no time to live each twice */
    for (int i = 0; i < 2; i++) {
        struct year_report again;
        seed = lived[i].seed;
        if (seed == 0)
            continue;
        year_live(seed, &again);
        assert_memory_equal(&lived[i].report, &again, sizeof again);
    }
    seed = 0;
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed != 0)
        print_message("it failed; replay it with: TROUPE_SEED=%llu org_year_test\n",
                      (unsigned long long)seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(year_loses_nothing_and_drains, tell_seed),
        cmocka_unit_test_teardown(a_seed_gives_the_same_year_again, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

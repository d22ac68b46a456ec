/* SPDX-License-Identifier: MIT */
/*
 * main.c: whether the year of org_year.h finds the bugs of org/plant.h. For each of them the table says by
 * which seed it is found, the first one: that year is lived with the bug, which must be found; without it
 * nothing may be, which org_year_test shows for the seeds that it lives. Every year is lived in a process of
 * its own, since a bug may leave anything behind.
 *
 *   year_planted                     all of them
 *   year_planted BUG [SEED]          one by its name, telling what is found, by its seed or another
 *   year_planted --search [BUG]      seeds from 1 on, until one finds it: what to write into the table
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "org/plant.h"
#include "support/org_year.h"

enum {
    SEEDS_MAX = 1000,
    SEEDS_RIGHT = 100, /* org_year_test has lived so many, and found nothing */
    YEAR_SECONDS = 60, /* a year that takes longer does not end */
};

enum org_plant org_plant_chosen;

static const char *const names[] = {"none",
#define PLANT_NAME(name, text) #name,
                                    ORG_PLANT_LIST(PLANT_NAME)
#undef PLANT_NAME
};

/*
 * The seed that finds each. Whatever changes how many steps something takes makes other years of the seeds,
 * and then another one may: that is looked for among the first SEEDS_RIGHT, and said.
 */
static const uint64_t seeds[ORG_PLANT_COUNT] = {
    [ORG_PLANT_acknowledged_early] = 1,  [ORG_PLANT_outbox_forgotten] = 1,
    [ORG_PLANT_delivered_early] = 1,     [ORG_PLANT_claimed_twice] = 1,
    [ORG_PLANT_limit_per_role] = 1,      [ORG_PLANT_key_forgotten] = 1,
    [ORG_PLANT_source_forgotten] = 1,    [ORG_PLANT_parking_untimed] = 1,
    [ORG_PLANT_expiry_silent] = 1,       [ORG_PLANT_shedding_silent] = 1,
    [ORG_PLANT_resolution_moot] = 1,     [ORG_PLANT_decline_uncounted] = 1,
    [ORG_PLANT_order_ignored] = 6,       [ORG_PLANT_lease_forgotten] = 1,
    [ORG_PLANT_due_forgotten] = 1,       [ORG_PLANT_absence_ignored] = 1,
    [ORG_PLANT_escalated_to_failer] = 5, [ORG_PLANT_escalated_in_circle] = 1,
    [ORG_PLANT_notice_repeated] = 4,     [ORG_PLANT_notice_missing] = 4,
    [ORG_PLANT_quiet_hours_ignored] = 4,
};

static bool is_telling;

/* Whether something is found in the year of a seed. */
static bool is_found(enum org_plant plant, uint64_t seed)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("year_planted");
        exit(1);
    }
    if (child == 0) {
        struct year_report report;
        if (!is_telling &&
            (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL))
            _exit(2);
        alarm(YEAR_SECONDS);
        org_plant_chosen = plant;
        year_live(seed, &report);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        continue;
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* The first seed up to one that finds it; 0: none of them does. */
static uint64_t search(enum org_plant plant, uint64_t most)
{
    for (uint64_t seed = 1; seed <= most; seed++) {
        if (is_found(plant, seed))
            return seed;
    }
    return 0;
}

static bool check(enum org_plant plant, bool is_search)
{
    uint64_t most = is_search ? SEEDS_MAX : SEEDS_RIGHT;
    uint64_t seed = is_search || !is_found(plant, seeds[plant]) ? search(plant, most) : seeds[plant];
    bool is_right = seed != 0 && (seed <= SEEDS_RIGHT || !is_found(ORG_PLANT_none, seed));
    if (seed == 0)
        printf("%s is NOT FOUND within %llu seeds%s\n", names[plant], (unsigned long long)most,
               is_search ? "" : ": --search looks at more");
    else if (!is_right)
        printf("%s: something is found by seed %llu without it\n", names[plant], (unsigned long long)seed);
    else if (seed != seeds[plant])
        printf("    [ORG_PLANT_%s] = %llu, /* finds it now */\n", names[plant], (unsigned long long)seed);
    else
        printf("%-20s is found by seed %llu\n", names[plant], (unsigned long long)seed);
    return is_right;
}

int main(int argc, char **argv)
{
    bool is_search = argc > 1 && strcmp(argv[1], "--search") == 0;
    const char *only = argc > 1 + is_search ? argv[1 + is_search] : NULL;
    uint64_t seed = argc > 2 && !is_search ? strtoull(argv[2], NULL, 10) : 0;
    bool is_good = true;
    bool is_any = false;
    is_telling = only != NULL && !is_search;
    for (int plant = 1; plant < ORG_PLANT_COUNT; plant++) {
        if (only != NULL && strcmp(only, names[plant]) != 0)
            continue;
        is_any = true;
        is_good =
            (seed != 0 ? is_found((enum org_plant)plant, seed) : check((enum org_plant)plant, is_search)) &&
            is_good;
    }
    return is_good && is_any ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * main.c: whether the year of org_year.h finds the bugs of org/plant.h: each within SEEDS_MAX seeds, and none
 * where none is planted. Every year is lived in a process of its own, since a bug may leave anything behind.
 *
 *   year_planted [BUG]      all of them, or one by its name
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
    RIGHT_SEEDS = 3,    /* years of right code, that nothing may be found in */
    YEAR_SECONDS = 120, /* a year that takes longer does not end */
};

enum org_plant org_plant_chosen;

static const char *const names[] = {"none",
#define PLANT_NAME(name, text) #name,
                                    ORG_PLANT_LIST(PLANT_NAME)
#undef PLANT_NAME
};

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
        if (plant != ORG_PLANT_none &&
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

static bool check_plant(enum org_plant plant)
{
    for (uint64_t seed = 1; seed <= SEEDS_MAX; seed++) {
        if (!is_found(plant, seed))
            continue;
        printf("%-20s found by seed %llu\n", names[plant], (unsigned long long)seed);
        return true;
    }
    printf("%-20s NOT FOUND within %d seeds\n", names[plant], SEEDS_MAX);
    return false;
}

static bool check_right(void)
{
    for (uint64_t seed = 1; seed <= RIGHT_SEEDS; seed++) {
        if (is_found(ORG_PLANT_none, seed)) {
            printf("something is found in right code by seed %llu\n", (unsigned long long)seed);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    bool is_good = argc > 1 || check_right();
    for (int plant = 1; plant < ORG_PLANT_COUNT; plant++) {
        if (argc < 2 || strcmp(argv[1], names[plant]) == 0)
            is_good = check_plant((enum org_plant)plant) && is_good;
    }
    return is_good ? 0 : 1;
}

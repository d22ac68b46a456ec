/* SPDX-License-Identifier: MIT */
/*
 * planted.c: shows that the simulator finds bugs: for each that base/plant.h can put into the core, the first
 * of 1,000 seeds that finds it, and by which oracle; and that the right code passes all of them, each run
 * twice. Prints the table. Each bug has a process of its own, since some of them end it.
 *
 * --plant NAME [--seed N] [--seeds M] runs seeds with that bug; --seed N alone the right code.
 */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/plant.h"

enum {
    SEEDS = 1000,
    SECONDS_MAX = 2, /* of the processor's time for one run of a millisecond: it does not end any more */
};

enum plant plant_chosen;

static const char *const names[] = {"none",
#define PLANT_NAME(name, text) #name,
                                    PLANT_LIST(PLANT_NAME)};

static const char *const texts[] = {"the right code",
#define PLANT_TEXT(name, text) text,
                                    PLANT_LIST(PLANT_TEXT)};

/* What a process found; shared with it. */
struct finding {
    uint64_t seed; /* under way, or found */
    bool is_found;
    char oracle[32];
    char what[WHAT_SIZE];
};

static void hunt(struct finding *finding)
{
    const struct itimerval limit = {.it_value.tv_sec = SECONDS_MAX};
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(2);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t hash;
        finding->seed = seed;
        setitimer(ITIMER_VIRTUAL, &limit, NULL);
        if (world_run(seed, NULL, &hash))
            continue;
        finding->is_found = true;
        snprintf(finding->oracle, sizeof finding->oracle, "%s", world.oracle);
        snprintf(finding->what, sizeof finding->what, "%s", world.what);
        return;
    }
}

/* The first seed that finds the bug; false: none does. */
static bool bug_find(enum plant bug, struct finding *finding)
{
    memset(finding, 0, sizeof *finding);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        plant_chosen = bug;
        hunt(finding);
        _exit(0);
    }
    int status = 0;
    while (child < 0 || (waitpid(child, &status, 0) < 0 && errno == EINTR))
        if (child < 0)
            return false;
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        finding->is_found = true;
        snprintf(finding->oracle, sizeof finding->oracle, "%s", number == SIGVTALRM ? "hang" : "crash");
        snprintf(finding->what, sizeof finding->what, "%s", strsignal(number));
    }
    return finding->is_found;
}

/* Prints the table; how many bugs no seed found. */
static uint32_t table_print(struct finding *finding)
{
    uint32_t missed = 0;
    printf("%-20s %5s  %-12s %s\n", "bug", "seed", "oracle", "what it saw");
    for (int bug = 1; bug < PLANT_COUNT; bug++) {
        if (bug_find((enum plant)bug, finding)) {
            printf("%-20s %5llu  %-12s %s\n", names[bug], (unsigned long long)finding->seed, finding->oracle,
                   finding->what);
        } else {
            printf("%-20s  NONE of %d finds that %s\n", names[bug], SEEDS, texts[bug]);
            missed++;
        }
    }
    return missed;
}

static bool seed_run(uint64_t seed, void *context, uint64_t *ret_trace_hash)
{
    bool is_well = world_run(seed, context, ret_trace_hash);
    if (!is_well)
        fprintf(stderr, "%s: %s\n", world.oracle, world.what);
    return is_well;
}

/*
 * Which bug `--plant` names, and takes the two words out of the arguments; PLANT_COUNT: there is none such.
 */
static enum plant plant_take(int *argc, char **argv)
{
    if (*argc < 3 || strcmp(argv[1], "--plant") != 0)
        return PLANT_none;
    int bug = 0;
    while (bug < PLANT_COUNT && strcmp(names[bug], argv[2]) != 0)
        bug++;
    for (int i = 3; i <= *argc; i++)
        argv[i - 2] = argv[i];
    *argc -= 2;
    return (enum plant)bug;
}

int main(int argc, char **argv)
{
    bool is_one = argc > 1;
    plant_chosen = plant_take(&argc, argv);
    if (plant_chosen == PLANT_COUNT) {
        fprintf(stderr, "there is no bug of that name; src/base/plant.h lists them\n");
        return 2;
    }
    int result = troupe_sim_seeds(argc, argv, SEEDS, seed_run, NULL);
    if (is_one)
        return result;
    struct finding *finding =
        mmap(NULL, sizeof *finding, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (finding == MAP_FAILED)
        return 2;
    uint32_t missed = table_print(finding);
    printf("%d bugs, %u not found; the right code %s %d seeds\n", PLANT_COUNT - 1, missed,
           result == 0 ? "passes" : "FAILS", SEEDS);
    return result != 0 || missed > 0;
}

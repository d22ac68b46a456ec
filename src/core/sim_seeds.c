/* SPDX-License-Identifier: MIT */
/*
 * sim_seeds.c: the loop over seeds that tests of simulated systems share, so that each of them prints the
 * same line to replay a failure and none forgets to run its seeds twice. Runs on the test's thread, above
 * everything: it only calls the test. A test that fails by assert(3) takes the process with it; so the line
 * for the seed under way is made before its run, and a handler of SIGABRT, which can do no more than write,
 * writes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/sim.h>
#include <unistd.h>

enum {
    LINE_SIZE = 4096,
};

static char line[LINE_SIZE]; /* says what went wrong and how to replay it */
static volatile sig_atomic_t line_len;

/* Which seeds: `count` of them from `first` on. */
struct seeds {
    uint64_t first;
    uint64_t count;
};

/* A number from 1 to 2^64 - 1, in decimal. */
static bool number_of(const char *text, uint64_t *ret_number)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number == 0)
        return false;
    *ret_number = number;
    return true;
}

static bool arguments_take(int argc, char **argv, struct seeds *seeds)
{
    bool has_count = false;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool is_count = strcmp(argv[i], "--seeds") == 0;
        if ((!is_count && strcmp(argv[i], "--seed") != 0) ||
            !number_of(value, is_count ? &seeds->count : &seeds->first))
            return false;
        has_count = has_count || is_count;
        if (!is_count && !has_count)
            seeds->count = 1;
    }
    return seeds->count - 1 <= UINT64_MAX - seeds->first;
}

static void line_write(void)
{
    fflush(stderr);
    if (write(STDERR_FILENO, line, (size_t)line_len) < 0)
        return; /* nobody listens */
}

static void line_make(const char *program, uint64_t seed, const char *wrong)
{
    int len = snprintf(line, sizeof line, "seed %" PRIu64 " %s; replay it with:\n    %s --seed %" PRIu64 "\n",
                       seed, wrong, program, seed);
    line_len = len < LINE_SIZE ? len : LINE_SIZE - 1;
}

static void on_abort(int number)
{
    (void)number;
    if (write(STDERR_FILENO, line, (size_t)line_len) < 0)
        return;
}

/* Runs one seed twice; NULL: all was well. */
static const char *seed_run(uint64_t seed, troupe_sim_test test, void *context, uint64_t *ret_hash)
{
    uint64_t once = 0;
    uint64_t again = 0;
    bool is_well = test(seed, context, &once);
    bool is_well_again = test(seed, context, &again);
    *ret_hash = once;
    if (once != again || is_well != is_well_again)
        return "does not do the same again";
    return is_well ? NULL : "failed";
}

static int by_value(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t two = *(const uint64_t *)b;
    return one < two ? -1 : one > two;
}

/* Whether two hashes but those of runs in which nothing ran, 0, are the same. Sorts. */
static bool has_twins(uint64_t *hashes, size_t count)
{
    qsort(hashes, count, sizeof *hashes, by_value);
    for (size_t i = 1; i < count; i++)
        if (hashes[i] != 0 && hashes[i] == hashes[i - 1])
            return true;
    return false;
}

int troupe_sim_seeds(int argc, char **argv, uint64_t seeds, troupe_sim_test test, void *context)
{
    const char *program = argc > 0 && argv[0] != NULL ? argv[0] : "test";
    struct seeds which = {.first = 1, .count = seeds == 0 ? 1 : seeds};
    if (!arguments_take(argc, argv, &which)) {
        fprintf(stderr, "usage: %s [--seed N] [--seeds M]\n", program);
        return 2;
    }
    uint64_t *hashes = which.count <= SIZE_MAX / sizeof *hashes ? malloc(which.count * sizeof *hashes) : NULL;
    int result = 0;
    struct sigaction before;
    const struct sigaction action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGABRT, &action, &before);
    for (uint64_t i = 0; i < which.count && result == 0; i++) {
        uint64_t hash;
        line_make(program, which.first + i, "aborted");
        const char *wrong = seed_run(which.first + i, test, context, &hash);
        if (hashes != NULL) /* without memory for them they are not compared */
            hashes[i] = hash;
        if (wrong != NULL) {
            line_make(program, which.first + i, wrong);
            line_write();
            result = 1;
        }
    }
    sigaction(SIGABRT, &before, NULL);
    if (result == 0 && hashes != NULL && has_twins(hashes, (size_t)which.count)) {
        fprintf(stderr,
                "two seeds gave the same trace; replay them with:\n    %s --seed %" PRIu64 " --seeds %" PRIu64
                "\n",
                program, which.first, which.count);
        result = 1;
    }
    free(hashes);
    return result;
}

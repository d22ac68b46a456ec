/* SPDX-License-Identifier: MIT */
/*
 * bench.h: what every measuring program shares: its options, the clock, the memory it uses, and the line it
 * reports. A program is one kernel: it defines `kernel`, whose run() does the work with the runtime's
 * normal settings, validates the result and fills in what was done.
 *
 *   NAME [--workers N] [--n N] [--actors N]     prints one JSON object on one line
 */
#ifndef TROUPE_BENCH_H
#define TROUPE_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <troupe.h>
#include <unistd.h>

/* What a kernel is asked to do, and what it did. */
struct bench {
    uint32_t workers;
    uint64_t n;
    uint64_t actors;
    troupe_system *system;
    double seconds;         /* of the measured part; set by bench_begin and bench_end */
    double bytes_per_actor; /* 0: not measured */
    uint64_t done;          /* units of work */
    bool is_checked;        /* the result was validated */
    struct timespec begun;
};

/* A kernel: its name, the unit of its rate, its sizes when none are given, and the work. */
struct bench_kernel {
    const char *name;
    const char *unit;
    uint64_t n;
    uint64_t actors;
    void (*run)(struct bench *bench);
};

extern const struct bench_kernel kernel;

/* A gate that the last actor of a kernel opens and main waits at. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

__attribute__((unused)) static void gate_open(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.is_open = true;
    pthread_cond_signal(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
}

__attribute__((unused)) static void gate_wait(void)
{
    pthread_mutex_lock(&gate.lock);
    while (!gate.is_open)
        pthread_cond_wait(&gate.opened, &gate.lock);
    gate.is_open = false;
    pthread_mutex_unlock(&gate.lock);
}

/* Ends the program when a measured thing could not be done: a benchmark that skips work measures nothing. */
__attribute__((unused)) static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s\n", kernel.name, what);
    exit(1);
}

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

__attribute__((unused)) static void bench_begin(struct bench *bench)
{
    clock_gettime(CLOCK_MONOTONIC, &bench->begun);
}

__attribute__((unused)) static void bench_end(struct bench *bench)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bench->seconds =
        (double)(now.tv_sec - bench->begun.tv_sec) + (double)(now.tv_nsec - bench->begun.tv_nsec) / 1e9;
}

/* Waits, a second at most, until so many actors of the system have ended; whether they have. */
__attribute__((unused)) static bool have_ended(struct bench *bench, uint64_t actors)
{
    troupe_counters counters = {0};
    for (int ms = 0; ms < 1000; ms++) {
        troupe_system_counters(bench->system, &counters);
        if (counters.actors_ended >= actors)
            break;
        usleep(1000);
    }
    return counters.actors_ended == actors;
}

static uint64_t number_of(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    must(*text != '\0' && *end == '\0', "a number is expected after each option");
    return value;
}

int main(int argc, char **argv)
{
    struct bench bench = {.n = kernel.n, .actors = kernel.actors};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--workers") == 0)
            bench.workers = (uint32_t)number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--n") == 0)
            bench.n = number_of(argv[i + 1]);
        else if (strcmp(argv[i], "--actors") == 0)
            bench.actors = number_of(argv[i + 1]);
        else
            must(false, "options are --workers N, --n N, --actors N");
    }
    must(argc % 2 == 1, "an option lacks its number");
    troupe_options options = {.workers = bench.workers};
    must(troupe_start(&bench.system, &options) == TROUPE_OK, "the system does not start");
    kernel.run(&bench);
    printf("{\"kernel\": \"%s\", \"workers\": %u, \"n\": %llu, \"actors\": %llu, \"seconds\": %.4f, "
           "\"rate\": %.0f, \"unit\": \"%s\", \"rss_bytes\": %llu, \"bytes_per_actor\": %.1f, "
           "\"checked\": %s}\n",
           kernel.name, bench.workers, (unsigned long long)bench.n, (unsigned long long)bench.actors,
           bench.seconds, (double)bench.done / bench.seconds, kernel.unit,
           (unsigned long long)resident_bytes(), bench.bytes_per_actor, bench.is_checked ? "true" : "false");
    int failed = troupe_stop(&bench.system);
    return failed != 0 || !bench.is_checked;
}

#endif

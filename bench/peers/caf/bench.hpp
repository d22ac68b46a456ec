// SPDX-License-Identifier: MIT
//
// bench.hpp: what every program of the CAF side shares: its options, the clock, the memory it uses and the
// line it reports, which is the same as that of Troupe's measuring programs. A program is one kernel: it
// defines `kernel`, whose run() does the work, validates the result and fills in what was done.
//
//   NAME [--workers N] [--n N] [--actors N] [--sharing 0|1]     prints one JSON object on one line
//
// --sharing 1 takes CAF's other scheduler, one queue for all workers, instead of work stealing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <unistd.h>
#include <vector>

#include "caf/all.hpp"

using caf::actor;
using caf::behavior;
using caf::event_based_actor;

struct bench {
    caf::actor_system &system;
    uint64_t n;
    uint64_t actors;
    double seconds;
    double bytes_per_actor;
    uint64_t done;
    bool is_checked;
};

struct bench_kernel {
    const char *name;
    const char *unit;
    uint64_t n;
    uint64_t actors;
    void (*run)(bench &);
};

extern const bench_kernel kernel;

// Ends the program when a measured thing could not be done.
inline void must(bool holds, const char *what)
{
    if (holds)
        return;
    std::fprintf(stderr, "%s: %s\n", kernel.name, what);
    std::exit(1);
}

inline uint64_t resident_bytes()
{
    std::ifstream file("/proc/self/statm");
    uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Takes the time of the work.
template <class Work>
void measure(bench &bench, Work &&work)
{
    auto begun = std::chrono::steady_clock::now();
    work();
    bench.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Whether `holds` becomes true within a second.
template <class Holds>
bool await(Holds &&holds)
{
    for (int i = 0; i < 1000 && !holds(); i++)
        usleep(1000);
    return holds();
}

// A generator with the same quality and cost as the one that Troupe's programs use.
struct generator {
    uint64_t state;
    uint64_t below(uint64_t bound)
    {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % bound;
    }
};

int main(int argc, char **argv)
{
    uint64_t workers = 1, n = kernel.n, actors = kernel.actors, sharing = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        char *end = nullptr;
        uint64_t value = std::strtoull(argv[i + 1], &end, 10);
        must(*end == '\0', "a number is expected after each option");
        if (std::strcmp(argv[i], "--workers") == 0)
            workers = value;
        else if (std::strcmp(argv[i], "--n") == 0)
            n = value;
        else if (std::strcmp(argv[i], "--actors") == 0)
            actors = value;
        else if (std::strcmp(argv[i], "--sharing") == 0)
            sharing = value;
        else
            must(false, "options are --workers N, --n N, --actors N, --sharing 0|1");
    }
    must(argc % 2 == 1, "an option lacks its number");
    caf::actor_system_config config;
    config.set("scheduler.max-threads", workers);
    config.set("scheduler.policy", sharing ? caf::atom("sharing") : caf::atom("stealing"));
    caf::actor_system system{config};
    must(system.scheduler().num_workers() == workers, "the scheduler has another number of workers");
    bench bench{system, n, actors, 0, 0, 0, false};
    kernel.run(bench);
    std::printf("{\"kernel\": \"%s\", \"workers\": %zu, \"n\": %llu, \"actors\": %llu, \"seconds\": %.4f, "
                "\"rate\": %.0f, \"unit\": \"%s\", \"rss_bytes\": %llu, \"bytes_per_actor\": %.1f, "
                "\"checked\": %s}\n",
                kernel.name, system.scheduler().num_workers(), static_cast<unsigned long long>(n),
                static_cast<unsigned long long>(actors), bench.seconds,
                static_cast<double>(bench.done) / bench.seconds, kernel.unit,
                static_cast<unsigned long long>(resident_bytes()), bench.bytes_per_actor,
                bench.is_checked ? "true" : "false");
    std::fflush(stdout);
    // Leaving through the system's destructor would wait for actors that are still alive, which is all of
    // them in some kernels.
    std::_Exit(bench.is_checked ? 0 : 1);
}

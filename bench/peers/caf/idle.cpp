// SPDX-License-Identifier: MIT
//
// idle: n live actors with 16 bytes of state each, after each has handled one message: how much memory one
// takes while it waits.
#include "bench.hpp"

namespace {

using hello_atom = caf::atom_constant<caf::atom("hello")>;

std::atomic<uint64_t> greeted;

using idler_actor = caf::typed_actor<caf::reacts_to<hello_atom>>;

class idler : public idler_actor::base {
public:
    using idler_actor::base::base;

    behavior_type make_behavior() override
    {
        return {[this](hello_atom) {
            state_[0]++;
            greeted++;
        }};
    }

private:
    uint64_t state_[2] = {0, 0};
};

void run(bench &bench)
{
    std::vector<idler_actor> everybody;
    everybody.reserve(bench.n);
    uint64_t before = resident_bytes();
    measure(bench, [&] {
        for (uint64_t i = 0; i < bench.n; i++) {
            everybody.push_back(bench.system.spawn<idler, caf::lazy_init>());
            caf::anon_send(everybody.back(), hello_atom::value);
        }
        while (greeted < bench.n)
            usleep(1000);
    });
    // The vector keeps the actors alive; a program would, too, but its 8 bytes each are not counted.
    uint64_t after = resident_bytes() - bench.n * sizeof(idler_actor);
    bench.bytes_per_actor = static_cast<double>(after - before) / static_cast<double>(bench.n);
    bench.done = bench.n;
    bench.is_checked = greeted == bench.n;
}

} // namespace

const bench_kernel kernel = {"idle", "actors/s", 1000000, 1000000, run};

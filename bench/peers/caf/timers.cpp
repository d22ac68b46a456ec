// SPDX-License-Identifier: MIT
//
// timers: one actor starts n timers and cancels half of them before any is due: starts and cancels a second.
// Afterwards, unmeasured, the other half must come, and nothing else.
//
// A timer here is a delayed message. CAF 0.17 has no call that takes one back (its clock can cancel a
// request's timeout, but walks through all of the actor's to find it), so the actor does what a program
// would: it notes which it no longer wants and drops those when they come. That makes its cancels nearly
// free, and leaves the cancelled ones pending.
#include "bench.hpp"

namespace {

using start_atom = caf::atom_constant<caf::atom("start")>;
using due_atom = caf::atom_constant<caf::atom("due")>;
using begun_atom = caf::atom_constant<caf::atom("begun")>;
using ended_atom = caf::atom_constant<caf::atom("ended")>;

constexpr uint64_t lead_ms = 500;
constexpr uint64_t lead_us_each = 5;
constexpr uint64_t spread_ms = 500;

class keeper : public event_based_actor {
public:
    keeper(caf::actor_config &config, uint64_t n, uint64_t lead, actor main)
        : event_based_actor(config), n_(n), lead_(lead), main_(std::move(main)), is_cancelled_(n, false)
    {
    }

    behavior make_behavior() override
    {
        return {
            [this](start_atom) {
                generator random{1};
                for (uint64_t i = 0; i < n_; i++)
                    delayed_send(this, std::chrono::milliseconds(lead_ + random.below(spread_ms)),
                                 due_atom::value, i);
                for (uint64_t i = 0; i < n_; i += 2)
                    is_cancelled_[i] = true;
                send(main_, begun_atom::value);
            },
            [this](due_atom, uint64_t i) {
                came_++;
                if (!is_cancelled_[i]) {
                    fired_++;
                    sum_ += i;
                }
                if (came_ == n_)
                    send(main_, ended_atom::value, fired_, sum_);
            },
        };
    }

private:
    uint64_t n_;
    uint64_t lead_;
    actor main_;
    std::vector<bool> is_cancelled_;
    uint64_t came_ = 0;
    uint64_t fired_ = 0;
    uint64_t sum_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    uint64_t lead = lead_ms + bench.n * lead_us_each / 1000;
    auto one = bench.system.spawn<keeper, caf::lazy_init>(bench.n, lead, actor{self});
    measure(bench, [&] {
        self->send(one, start_atom::value);
        self->receive([](begun_atom) {});
    });
    must(bench.seconds * 1000 < static_cast<double>(lead), "timers were due before all had been started");
    uint64_t half = bench.n / 2;
    self->receive([&](ended_atom, uint64_t fired, uint64_t sum) {
        // The odd ones are left: 1 + 3 + 5 + ...
        bench.is_checked = fired == half && sum == half * half;
    });
    bench.done = bench.n + (bench.n + 1) / 2;
}

} // namespace

const bench_kernel kernel = {"timers", "starts and cancels/s", 1000000, 1, run};

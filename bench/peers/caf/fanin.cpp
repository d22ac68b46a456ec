// SPDX-License-Identifier: MIT
//
// fanin: `actors` producers send n messages each to one counter. As in counting, a producer has every 1,000
// messages confirmed before it sends more.
#include "bench.hpp"

namespace {

using add_atom = caf::atom_constant<caf::atom("add")>;
using go_on_atom = caf::atom_constant<caf::atom("go_on")>;
using counted_atom = caf::atom_constant<caf::atom("counted")>;

constexpr int sends_a_turn = 1000;

using counter_actor =
    caf::typed_actor<caf::reacts_to<add_atom, uint64_t>, caf::replies_to<go_on_atom>::with<go_on_atom>>;
using producer_actor = caf::typed_actor<caf::reacts_to<go_on_atom>>;

class counter : public counter_actor::base {
public:
    counter(caf::actor_config &config, uint64_t goal, actor main)
        : counter_actor::base(config), goal_(goal), main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        return {
            [this](add_atom, uint64_t amount) {
                sum_ += amount;
                if (sum_ == goal_)
                    anon_send(main_, counted_atom::value, sum_);
            },
            [](go_on_atom go_on) { return go_on; },
        };
    }

private:
    uint64_t goal_;
    actor main_;
    uint64_t sum_ = 0;
};

class producer : public producer_actor::base {
public:
    producer(caf::actor_config &config, counter_actor counter, uint64_t n)
        : producer_actor::base(config), counter_(std::move(counter)), left_(n)
    {
    }

    behavior_type make_behavior() override
    {
        send(this, go_on_atom::value);
        return {[this](go_on_atom go_on) {
            for (int i = 0; i < sends_a_turn && left_ > 0; i++, left_--)
                send(counter_, add_atom::value, uint64_t{1});
            if (left_ > 0)
                send(counter_, go_on);
            else
                quit();
        }};
    }

private:
    counter_actor counter_;
    uint64_t left_;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    uint64_t goal = bench.n * bench.actors;
    auto total = bench.system.spawn<counter, caf::lazy_init>(goal, actor{self});
    measure(bench, [&] {
        for (uint64_t i = 0; i < bench.actors; i++)
            bench.system.spawn<producer>(total, bench.n);
        self->receive([&](counted_atom, uint64_t counted) { bench.is_checked = counted == goal; });
    });
    bench.done = goal;
}

} // namespace

const bench_kernel kernel = {"fanin", "messages/s", 2000000, 8, run};

// SPDX-License-Identifier: MIT
//
// counting: one producer sends n messages to one counter, then asks it for its count. CAF bounds no mailbox,
// and a producer that never waits fills the memory, so this one has the counter confirm every 1,000 messages
// before it sends more. That is CAF's usual way to hold a producer back, and half as fast again as the plain
// loop: what was sent is still in the nearest cache when it is read.
#include "bench.hpp"

namespace {

using add_atom = caf::atom_constant<caf::atom("add")>;
using go_on_atom = caf::atom_constant<caf::atom("go_on")>;
using total_atom = caf::atom_constant<caf::atom("total")>;
using counted_atom = caf::atom_constant<caf::atom("counted")>;

constexpr int sends_a_turn = 1000;

using counter_actor =
    caf::typed_actor<caf::reacts_to<add_atom, uint64_t>, caf::replies_to<go_on_atom>::with<go_on_atom>,
                     caf::replies_to<total_atom>::with<uint64_t>>;
using producer_actor = caf::typed_actor<caf::reacts_to<go_on_atom>>;

class counter : public counter_actor::base {
public:
    using counter_actor::base::base;

    behavior_type make_behavior() override
    {
        return {
            [this](add_atom, uint64_t amount) { sum_ += amount; },
            [](go_on_atom go_on) { return go_on; },
            [this](total_atom) { return sum_; },
        };
    }

private:
    uint64_t sum_ = 0;
};

class producer : public producer_actor::base {
public:
    producer(caf::actor_config &config, counter_actor counter, uint64_t n, actor main)
        : producer_actor::base(config), counter_(std::move(counter)), left_(n), main_(std::move(main))
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
                request(counter_, std::chrono::seconds(60), total_atom::value).then([this](uint64_t sum) {
                    anon_send(main_, counted_atom::value, sum);
                });
        }};
    }

private:
    counter_actor counter_;
    uint64_t left_;
    actor main_;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    auto total = bench.system.spawn<counter, caf::lazy_init>();
    measure(bench, [&] {
        bench.system.spawn<producer>(total, bench.n, actor{self});
        self->receive([&](counted_atom, uint64_t counted) { bench.is_checked = counted == bench.n; });
    });
    bench.done = bench.n;
}

} // namespace

const bench_kernel kernel = {"counting", "messages/s", 20000000, 2, run};

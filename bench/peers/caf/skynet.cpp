// SPDX-License-Identifier: MIT
//
// skynet: a tree of actors, ten children each, a million leaves; every leaf answers its number and every node
// the sum of its children. n trees are built one after the other.
#include "bench.hpp"

namespace {

using sum_atom = caf::atom_constant<caf::atom("sum")>;

constexpr uint64_t children = 10;

class node : public event_based_actor {
public:
    node(caf::actor_config &config, actor parent, uint64_t number, uint64_t size)
        : event_based_actor(config), parent_(std::move(parent)), number_(number), size_(size)
    {
    }

    // A leaf has no behaviour, so it ends at once.
    behavior make_behavior() override
    {
        if (size_ == 1) {
            send(parent_, sum_atom::value, number_);
            return {};
        }
        uint64_t part = size_ / children;
        for (uint64_t i = 0; i < children; i++)
            spawn<node>(actor{this}, number_ + i * part, part);
        return {[this](sum_atom sum, uint64_t value) {
            total_ += value;
            if (++answers_ == children) {
                send(parent_, sum, total_);
                quit();
            }
        }};
    }

private:
    actor parent_;
    uint64_t number_;
    uint64_t size_;
    uint64_t total_ = 0;
    uint64_t answers_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    // Of a full tree of so many actors.
    uint64_t leaves = (bench.actors * (children - 1) + 1) / children;
    uint64_t expected = leaves * (leaves - 1) / 2;
    bench.is_checked = true;
    measure(bench, [&] {
        for (uint64_t i = 0; i < bench.n; i++) {
            bench.system.spawn<node>(actor{self}, uint64_t{0}, leaves);
            self->receive([&](sum_atom, uint64_t value) {
                bench.is_checked = bench.is_checked && value == expected;
            });
        }
    });
    bench.done = bench.n * bench.actors;
}

} // namespace

const bench_kernel kernel = {"skynet", "actors/s", 5, 1111111, run};

// SPDX-License-Identifier: MIT
//
// ring: actors in a circle pass one token on, n hops in all. Afterwards a second token adds up the hops that
// each has counted.
#include "bench.hpp"

namespace {

using token_atom = caf::atom_constant<caf::atom("token")>;
using next_is_atom = caf::atom_constant<caf::atom("next_is")>;
using sum_atom = caf::atom_constant<caf::atom("sum")>;
using hops_atom = caf::atom_constant<caf::atom("hops")>;

// A link's own type cannot be part of itself, so next_is carries a plain handle.
using link_type = caf::typed_actor<caf::reacts_to<token_atom, uint64_t>, caf::reacts_to<next_is_atom, actor>,
                                   caf::reacts_to<sum_atom, uint64_t, uint64_t>>;

class link_actor : public link_type::base {
public:
    link_actor(caf::actor_config &config, link_type next, actor main)
        : link_type::base(config), next_(std::move(next)), main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        return {
            [this](token_atom token, uint64_t left) {
                hops_++;
                if (left == 1)
                    anon_send(main_, token);
                else
                    send(next_, token, left - 1);
            },
            [this](next_is_atom, const actor &next) { next_ = caf::actor_cast<link_type>(next); },
            [this](sum_atom sum, uint64_t hops, uint64_t links_left) {
                if (links_left == 1)
                    anon_send(main_, hops_atom::value, hops + hops_);
                else
                    send(next_, sum, hops + hops_, links_left - 1);
            },
        };
    }

private:
    link_type next_;
    actor main_;
    uint64_t hops_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    link_type first = bench.system.spawn<link_actor, caf::lazy_init>(link_type{}, actor{self});
    link_type next = first;
    for (uint64_t i = 1; i < bench.actors; i++)
        next = bench.system.spawn<link_actor, caf::lazy_init>(next, actor{self});
    self->send(first, next_is_atom::value, caf::actor_cast<actor>(next));
    measure(bench, [&] {
        self->send(first, token_atom::value, bench.n);
        self->receive([](token_atom) {});
    });
    self->send(first, sum_atom::value, uint64_t{0}, bench.actors);
    self->receive([&](hops_atom, uint64_t hops) { bench.is_checked = hops == bench.n; });
    bench.done = bench.n;
}

} // namespace

const bench_kernel kernel = {"ring", "hops/s", 10000000, 503, run};

// SPDX-License-Identifier: MIT
//
// pingpong: two actors send one message back and forth, n round trips. The answer goes to the sender of the
// message.
#include "bench.hpp"

namespace {

using ball_atom = caf::atom_constant<caf::atom("ball")>;
using returned_atom = caf::atom_constant<caf::atom("returned")>;

using player = caf::typed_actor<caf::reacts_to<ball_atom, uint64_t>>;

class pong : public player::base {
public:
    using player::base::base;

    behavior_type make_behavior() override
    {
        return {[this](ball_atom ball, uint64_t left) {
            send(caf::actor_cast<player>(current_sender()), ball, left);
        }};
    }
};

class ping : public player::base {
public:
    ping(caf::actor_config &config, player other, uint64_t n, actor main)
        : player::base(config), other_(std::move(other)), n_(n), main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        send(other_, ball_atom::value, n_);
        return {[this](ball_atom ball, uint64_t left) {
            returned_++;
            if (left == 1)
                anon_send(main_, returned_atom::value, returned_);
            else
                send(caf::actor_cast<player>(current_sender()), ball, left - 1);
        }};
    }

private:
    player other_;
    uint64_t n_;
    actor main_;
    uint64_t returned_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    auto other = bench.system.spawn<pong, caf::lazy_init>();
    measure(bench, [&] {
        bench.system.spawn<ping>(other, bench.n, actor{self});
        self->receive([&](returned_atom, uint64_t returned) { bench.is_checked = returned == bench.n; });
    });
    bench.done = bench.n;
}

} // namespace

const bench_kernel kernel = {"pingpong", "round trips/s", 5000000, 2, run};

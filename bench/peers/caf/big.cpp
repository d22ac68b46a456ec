// SPDX-License-Identifier: MIT
//
// big: `actors` actors make n round trips each to others chosen at random, one at a time.
#include "bench.hpp"

namespace {

using question_atom = caf::atom_constant<caf::atom("question")>;
using answer_atom = caf::atom_constant<caf::atom("answer")>;
using begin_atom = caf::atom_constant<caf::atom("begin")>;
using answered_atom = caf::atom_constant<caf::atom("answered")>;

using talker_actor =
    caf::typed_actor<caf::reacts_to<question_atom, uint64_t>, caf::reacts_to<answer_atom, uint64_t>,
                     caf::reacts_to<begin_atom>>;

// Written before the first message, read by all.
std::vector<talker_actor> everybody;

class talker : public talker_actor::base {
public:
    talker(caf::actor_config &config, uint64_t number, uint64_t n, actor main)
        : talker_actor::base(config), left_(n), random_{number}, main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        return {
            [this](question_atom, uint64_t number) {
                send(caf::actor_cast<talker_actor>(current_sender()), answer_atom::value, number);
            },
            [this](answer_atom, uint64_t number) {
                done_ += number == left_;
                if (--left_ > 0)
                    ask();
                else
                    anon_send(main_, answered_atom::value, done_);
            },
            [this](begin_atom) { ask(); },
        };
    }

private:
    void ask()
    {
        send(everybody[random_.below(everybody.size())], question_atom::value, left_);
    }

    uint64_t left_;
    uint64_t done_ = 0;
    generator random_;
    actor main_;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    for (uint64_t i = 0; i < bench.actors; i++)
        everybody.push_back(bench.system.spawn<talker, caf::lazy_init>(i + 1, bench.n, actor{self}));
    uint64_t answered = 0;
    measure(bench, [&] {
        for (const talker_actor &one : everybody)
            self->send(one, begin_atom::value);
        uint64_t i = 0;
        self->receive_for(i, bench.actors)([&](answered_atom, uint64_t done) { answered += done; });
    });
    bench.done = bench.n * bench.actors;
    bench.is_checked = answered == bench.done;
}

} // namespace

const bench_kernel kernel = {"big", "round trips/s", 20000, 200, run};

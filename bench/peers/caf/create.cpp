// SPDX-License-Identifier: MIT
//
// create: one actor creates n others; each handles one message, answers it and ends. At most in_flight are
// alive at once.
#include "bench.hpp"

namespace {

using work_atom = caf::atom_constant<caf::atom("work")>;
using result_atom = caf::atom_constant<caf::atom("result")>;
using total_atom = caf::atom_constant<caf::atom("total")>;

constexpr uint64_t in_flight = 1000;

using worker_actor = caf::typed_actor<caf::reacts_to<work_atom, uint64_t>>;
using creator_actor = caf::typed_actor<caf::reacts_to<result_atom, uint64_t>>;

class short_lived : public worker_actor::base {
public:
    using worker_actor::base::base;

    behavior_type make_behavior() override
    {
        return {[this](work_atom, uint64_t number) {
            send(caf::actor_cast<creator_actor>(current_sender()), result_atom::value, number);
            quit();
        }};
    }
};

class creator : public creator_actor::base {
public:
    creator(caf::actor_config &config, uint64_t n, actor main)
        : creator_actor::base(config), n_(n), main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        for (uint64_t i = 0; i < in_flight && created_ < n_; i++)
            create_one();
        return {[this](result_atom, uint64_t number) {
            sum_ += number;
            answered_++;
            if (created_ < n_)
                create_one();
            else if (answered_ == n_)
                anon_send(main_, total_atom::value, sum_);
        }};
    }

private:
    void create_one()
    {
        send(spawn<short_lived, caf::lazy_init>(), work_atom::value, created_++);
    }

    uint64_t n_;
    actor main_;
    uint64_t created_ = 0;
    uint64_t answered_ = 0;
    uint64_t sum_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    uint64_t total = 0;
    measure(bench, [&] {
        bench.system.spawn<creator>(bench.n, actor{self});
        self->receive([&](total_atom, uint64_t sum) { total = sum; });
    });
    // Only the creator and this thread's actor are left.
    bool all_ended = await([&] { return bench.system.registry().running() <= 2; });
    bench.done = bench.n;
    bench.is_checked = total == bench.n * (bench.n - 1) / 2 && all_ended;
}

} // namespace

const bench_kernel kernel = {"create", "actors/s", 1000000, 1000000, run};

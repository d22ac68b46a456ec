// SPDX-License-Identifier: MIT
//
// bank: a teller moves money between accounts, n transfers: each is a withdrawal, its reply, a deposit, its
// reply, with in_flight transfers under way at once. The sum of all balances must stay what it was.
#include "bench.hpp"

namespace {

using withdraw_atom = caf::atom_constant<caf::atom("withdraw")>;
using deposit_atom = caf::atom_constant<caf::atom("deposit")>;
using withdrawn_atom = caf::atom_constant<caf::atom("withdrawn")>;
using deposited_atom = caf::atom_constant<caf::atom("deposited")>;
using balance_atom = caf::atom_constant<caf::atom("balance")>;
using completed_atom = caf::atom_constant<caf::atom("completed")>;

constexpr uint64_t in_flight = 10000;
constexpr int64_t opening = 1000;

using account_actor = caf::typed_actor<caf::reacts_to<withdraw_atom, uint64_t, int64_t>,
                                       caf::reacts_to<deposit_atom, uint64_t, int64_t>,
                                       caf::replies_to<balance_atom>::with<int64_t>>;
using teller_actor =
    caf::typed_actor<caf::reacts_to<withdrawn_atom, uint64_t>, caf::reacts_to<deposited_atom, uint64_t>>;

class account : public account_actor::base {
public:
    using account_actor::base::base;

    behavior_type make_behavior() override
    {
        return {
            [this](withdraw_atom, uint64_t transfer, int64_t amount) {
                amount_ -= amount;
                send(caf::actor_cast<teller_actor>(current_sender()), withdrawn_atom::value, transfer);
            },
            [this](deposit_atom, uint64_t transfer, int64_t amount) {
                amount_ += amount;
                send(caf::actor_cast<teller_actor>(current_sender()), deposited_atom::value, transfer);
            },
            [this](balance_atom) { return amount_; },
        };
    }

private:
    int64_t amount_ = opening;
};

class teller : public teller_actor::base {
public:
    teller(caf::actor_config &config, std::vector<account_actor> accounts, uint64_t n, actor main)
        : teller_actor::base(config), accounts_(std::move(accounts)), n_(n), random_{1},
          main_(std::move(main))
    {
    }

    behavior_type make_behavior() override
    {
        for (uint64_t i = 0; i < in_flight && begun_ < n_; i++)
            begin_one();
        return {
            [this](withdrawn_atom, uint64_t transfer) {
                send(choose(), deposit_atom::value, transfer, int64_t{1});
            },
            [this](deposited_atom, uint64_t) {
                ended_++;
                if (begun_ < n_)
                    begin_one();
                else if (ended_ == n_)
                    anon_send(main_, completed_atom::value, ended_);
            },
        };
    }

private:
    const account_actor &choose()
    {
        return accounts_[random_.below(accounts_.size())];
    }

    void begin_one()
    {
        begun_++;
        send(choose(), withdraw_atom::value, begun_, int64_t{1});
    }

    std::vector<account_actor> accounts_;
    uint64_t n_;
    generator random_;
    actor main_;
    uint64_t begun_ = 0;
    uint64_t ended_ = 0;
};

void run(bench &bench)
{
    caf::scoped_actor self{bench.system};
    std::vector<account_actor> accounts;
    for (uint64_t i = 0; i < bench.actors; i++)
        accounts.push_back(bench.system.spawn<account, caf::lazy_init>());
    uint64_t completed = 0;
    measure(bench, [&] {
        bench.system.spawn<teller>(accounts, bench.n, actor{self});
        self->receive([&](completed_atom, uint64_t ended) { completed = ended; });
    });
    int64_t sum = 0;
    for (const account_actor &one : accounts)
        self->request(one, std::chrono::seconds(10), balance_atom::value)
            .receive([&](int64_t amount) { sum += amount; },
                     [](const caf::error &) { must(false, "no balance"); });
    bench.done = bench.n;
    bench.is_checked = completed == bench.n && sum == opening * static_cast<int64_t>(bench.actors);
}

} // namespace

const bench_kernel kernel = {"bank", "transfers/s", 5000000, 1000, run};

/* SPDX-License-Identifier: MIT */
/*
 * bank.c: a teller moves money between accounts, n transfers: each is a withdrawal, its reply, a deposit,
 * its reply, with IN_FLIGHT transfers under way at once. The sum of all balances must stay what it was.
 */
#include "bench.h"

#define WITHDRAW(F) F(u64, transfer) F(i64, amount)
TROUPE_MESSAGE(withdraw, WITHDRAW)
#define DEPOSIT(F) F(u64, transfer) F(i64, amount)
TROUPE_MESSAGE(deposit, DEPOSIT)
#define DONE(F) F(u64, transfer) F(bool, is_deposit)
TROUPE_MESSAGE(done, DONE)
TROUPE_MESSAGE_EMPTY(balance_query)
#define BALANCE(F) F(i64, amount)
TROUPE_MESSAGE(balance, BALANCE)

enum {
    IN_FLIGHT = 10000,
    OPENING = 1000,
};

struct teller {
    troupe_ref *accounts;
    uint64_t account_count;
    uint64_t n;
    uint64_t begun;
    uint64_t ended;
    uint64_t random;
};

static uint64_t completed;

static troupe_status account_receive(troupe_self *self, const troupe_message *message)
{
    int64_t *amount = troupe_state(self);
    const withdraw *w = withdraw_of(message);
    if (w != NULL) {
        *amount -= w->amount;
        return troupe_send(self, message->sender, done, .transfer = w->transfer, .is_deposit = false);
    }
    const deposit *d = deposit_of(message);
    if (d != NULL) {
        *amount += d->amount;
        return troupe_send(self, message->sender, done, .transfer = d->transfer, .is_deposit = true);
    }
    if (balance_query_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), balance, .amount = *amount);
    return TROUPE_UNEXPECTED;
}

static uint64_t choose(struct teller *teller)
{
    teller->random = teller->random * 6364136223846793005u + 1442695040888963407u;
    return (teller->random >> 33) % teller->account_count;
}

static troupe_status begin_one(troupe_self *self, struct teller *teller)
{
    teller->begun++;
    return troupe_send(self, teller->accounts[choose(teller)], withdraw, .transfer = teller->begun,
                       .amount = 1);
}

static troupe_status teller_start(troupe_self *self)
{
    struct teller *teller = troupe_state(self);
    troupe_status status = TROUPE_OK;
    for (int i = 0; i < IN_FLIGHT && teller->begun < teller->n && status == TROUPE_OK; i++)
        status = begin_one(self, teller);
    return status;
}

static troupe_status teller_receive(troupe_self *self, const troupe_message *message)
{
    struct teller *teller = troupe_state(self);
    const done *m = done_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (!m->is_deposit)
        return troupe_send(self, teller->accounts[choose(teller)], deposit, .transfer = m->transfer,
                           .amount = 1);
    if (++teller->ended == teller->n) {
        completed = teller->ended;
        gate_open();
    }
    return teller->begun < teller->n ? begin_one(self, teller) : TROUPE_OK;
}

static const troupe_behaviour account = {
    .name = "account", .state_size = sizeof(int64_t), .receive = account_receive};
static const troupe_behaviour teller = {
    .name = "teller", .state_size = sizeof(struct teller), .start = teller_start, .receive = teller_receive};

static void run(struct bench *bench)
{
    const int64_t opening = OPENING;
    troupe_ref *accounts = calloc(bench->actors, sizeof *accounts);
    must(accounts != NULL, "out of memory");
    for (uint64_t i = 0; i < bench->actors; i++)
        accounts[i] = troupe_spawn(bench->system, &account, &(troupe_spawn_options){.state = &opening});
    struct teller state = {.accounts = accounts, .account_count = bench->actors, .n = bench->n, .random = 1};
    troupe_spawn_options options = {.state = &state, .mailbox_len_max = 2 * IN_FLIGHT};
    bench_begin(bench);
    troupe_spawn(bench->system, &teller, &options);
    gate_wait();
    bench_end(bench);
    int64_t sum = 0;
    for (uint64_t i = 0; i < bench->actors; i++) {
        troupe_message *reply;
        must(troupe_call(bench->system, accounts[i], 1000, &reply, balance_query) == TROUPE_OK, "no balance");
        sum += balance_of(reply)->amount;
        troupe_message_free(bench->system, &reply);
    }
    bench->done = bench->n;
    bench->is_checked = completed == bench->n && sum == OPENING * (int64_t)bench->actors;
    free(accounts);
}

const struct bench_kernel kernel = {"bank", "transfers/s", 5000000, 1000, run};

/* SPDX-License-Identifier: MIT */
/*
 * sim_bank.c: testing actors with a seed. A cashier keeps a customer's balance at the vault: it asks for
 * the balance, adds the deposit and writes the sum back. That is a lost update waiting to happen: two
 * deposits that ask before either has written both add to the same old balance. On threads it may hide for
 * months. Here the same actors run in virtual time, each seed another order of events. The first seed that
 * loses money is printed, on standard error, with the command that repeats its run to the last message.
 */
#include <stdio.h>
#include <troupe.h>

#define DEPOSIT(F) F(i64, amount)
TROUPE_MESSAGE(deposit, DEPOSIT)
TROUPE_MESSAGE_EMPTY(balance_query)
#define BALANCE(F) F(i64, amount)
TROUPE_MESSAGE(balance, BALANCE)
#define WRITE_BACK(F) F(i64, amount)
TROUPE_MESSAGE(write_back, WRITE_BACK)

enum {
    DEPOSITS = 3,
    AMOUNT = 10,
    SEEDS = 1000,
};

static troupe_status vault_receive(troupe_self *self, const troupe_message *message)
{
    int64_t *amount = troupe_state(self);
    const write_back *w = write_back_of(message);
    if (w != NULL) {
        *amount = w->amount;
        return TROUPE_OK;
    }
    if (balance_query_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    return troupe_reply(self, troupe_asker_of(message), balance, .amount = *amount);
}

static const troupe_behaviour vault = {
    .name = "vault", .state_size = sizeof(int64_t), .receive = vault_receive};

/* A cashier: the vault, and whether it serves one deposit at a time, which is the mended form. */
struct cashier {
    troupe_ref vault;
    bool is_careful;
    bool is_busy;
};

static troupe_status on_balance(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct cashier *cashier = context;
    if (status != TROUPE_OK)
        return status;
    cashier->is_busy = false;
    troupe_unstash(self);
    return troupe_send(self, cashier->vault, write_back, .amount = balance_of(reply)->amount + AMOUNT);
}

static troupe_status cashier_receive(troupe_self *self, const troupe_message *message)
{
    struct cashier *cashier = troupe_state(self);
    if (deposit_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    if (cashier->is_careful && cashier->is_busy)
        return TROUPE_STASHED;
    cashier->is_busy = true;
    return troupe_ask(self, cashier->vault, 1000, on_balance, cashier, balance_query);
}

static const troupe_behaviour cashier = {
    .name = "cashier", .state_size = sizeof(struct cashier), .receive = cashier_receive};

/* One run under one seed: whether the vault has every deposit at the end. */
static bool run(uint64_t seed, void *context, uint64_t *ret_trace_hash)
{
    const bool *is_careful = context;
    troupe_system *system;
    if (troupe_start(&system, &(troupe_options){.workers = 2, .simulate = {.seed = seed}}) != TROUPE_OK)
        return false;
    troupe_ref to_vault = troupe_spawn(system, &vault, NULL);
    struct cashier state = {.vault = to_vault, .is_careful = *is_careful};
    troupe_ref to = troupe_spawn(system, &cashier, &(troupe_spawn_options){.state = &state});
    for (int i = 0; i < DEPOSITS; i++) {
        troupe_send(system, to, deposit, .amount = AMOUNT);
        if (troupe_random(system) % 2 == 0) /* the next customer comes later, or at once */
            troupe_sim_advance(system, 1);
    }
    troupe_sim_advance(system, 10);
    int64_t amount = -1;
    troupe_message *reply;
    if (troupe_call(system, to_vault, 1000, &reply, balance_query) == TROUPE_OK) {
        amount = balance_of(reply)->amount;
        troupe_message_free(system, &reply);
    }
    *ret_trace_hash = troupe_sim_trace_hash(system);
    return troupe_stop(&system) == 0 && amount == DEPOSITS * AMOUNT;
}

/*
 * Without arguments: both cashiers under the same seeds. With `--seed N`, the careless one under that seed.
 */
int main(int argc, char **argv)
{
    bool is_careful = false;
    int careless_result = troupe_sim_seeds(argc, argv, SEEDS, run, &is_careful);
    if (argc > 1)
        return careless_result;
    printf("the careless cashier loses money: %s\n", careless_result == 1 ? "yes" : "no");
    is_careful = true;
    int careful_result = troupe_sim_seeds(argc, argv, SEEDS, run, &is_careful);
    printf("the careful cashier loses money: %s\n", careful_result == 1 ? "yes" : "no");
    return 0;
}

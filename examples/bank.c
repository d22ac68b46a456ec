/* SPDX-License-Identifier: MIT */
/*
 * bank.c: accounts as actors, and a teller that moves money between them by asking: first the withdrawal,
 * and only when it was granted the deposit. An account that would go below zero declines. In the end the
 * sum is what it was.
 */
#include <stdio.h>
#include <troupe.h>

#define WITHDRAW(F) F(i64, amount)
TROUPE_MESSAGE(withdraw, WITHDRAW)
#define DEPOSIT(F) F(i64, amount)
TROUPE_MESSAGE(deposit, DEPOSIT)
TROUPE_MESSAGE_EMPTY(balance_query)
#define BALANCE(F) F(i64, amount)
TROUPE_MESSAGE(balance, BALANCE)
#define TRANSFER(F) F(ref, from) F(ref, to) F(i64, amount)
TROUPE_MESSAGE(transfer, TRANSFER)
#define OUTCOME(F) F(bool, is_done) F(text, why)
TROUPE_MESSAGE(outcome, OUTCOME)

static troupe_status account_receive(troupe_self *self, const troupe_message *message)
{
    int64_t *amount = troupe_state(self);
    const withdraw *w = withdraw_of(message);
    const deposit *d = deposit_of(message);
    if (w != NULL && *amount < w->amount) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_LIMIT);
        return TROUPE_OK;
    }
    if (w != NULL)
        *amount -= w->amount;
    else if (d != NULL)
        *amount += d->amount;
    else if (balance_query_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    return troupe_reply(self, troupe_asker_of(message), balance, .amount = *amount);
}

static const troupe_behaviour account = {
    .name = "account", .state_size = sizeof(int64_t), .receive = account_receive};

/* One transfer at a time: what is under way, and who asked for it. */
struct teller {
    troupe_asker client;
    troupe_ref to;
    int64_t amount;
    bool is_busy;
};

static troupe_status finish(troupe_self *self, struct teller *teller, bool is_done, const char *why)
{
    teller->is_busy = false;
    troupe_unstash(self);
    return troupe_reply(self, teller->client, outcome, .is_done = is_done, .why = why);
}

static troupe_status on_deposit(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    (void)reply;
    return finish(self, context, status == TROUPE_OK, troupe_status_text(status));
}

static troupe_status on_withdrawal(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    struct teller *teller = context;
    (void)reply;
    if (status != TROUPE_OK)
        return finish(self, teller, false, status == TROUPE_LIMIT ? "not enough money" : "no such account");
    return troupe_ask(self, teller->to, 1000, on_deposit, teller, deposit, .amount = teller->amount);
}

static troupe_status teller_receive(troupe_self *self, const troupe_message *message)
{
    struct teller *teller = troupe_state(self);
    const transfer *m = transfer_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (teller->is_busy)
        return TROUPE_STASHED; /* the next client waits until this one is served */
    *teller = (struct teller){troupe_asker_of(message), m->to, m->amount, true};
    return troupe_ask(self, m->from, 1000, on_withdrawal, teller, withdraw, .amount = m->amount);
}

static const troupe_behaviour teller = {
    .name = "teller", .state_size = sizeof(struct teller), .receive = teller_receive};

static void move(troupe_system *system, troupe_ref to_teller, troupe_ref from, troupe_ref to, int64_t amount)
{
    troupe_message *reply;
    troupe_status status =
        troupe_call(system, to_teller, 1000, &reply, transfer, .from = from, .to = to, .amount = amount);
    if (status != TROUPE_OK) {
        printf("%lld: %s\n", (long long)amount, troupe_status_text(status));
        return;
    }
    const outcome *m = outcome_of(reply);
    printf("%lld: %s\n", (long long)amount, m->is_done ? "moved" : troupe_text(reply, m->why));
    troupe_message_free(system, &reply);
}

static int64_t balance_at(troupe_system *system, troupe_ref who)
{
    troupe_message *reply;
    if (troupe_call(system, who, 1000, &reply, balance_query) != TROUPE_OK)
        return -1;
    int64_t amount = balance_of(reply)->amount;
    troupe_message_free(system, &reply);
    return amount;
}

int main(void)
{
    const int64_t opening = 100;
    troupe_system *system;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_ref alice = troupe_spawn(system, &account, &(troupe_spawn_options){.state = &opening});
    troupe_ref bob = troupe_spawn(system, &account, &(troupe_spawn_options){.state = &opening});
    troupe_ref desk = troupe_spawn(system, &teller, NULL);
    move(system, desk, alice, bob, 70);
    move(system, desk, alice, bob, 70);
    move(system, desk, bob, alice, 150);
    printf("alice %lld, bob %lld\n", (long long)balance_at(system, alice),
           (long long)balance_at(system, bob));
    return troupe_stop(&system);
}

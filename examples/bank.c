/* SPDX-License-Identifier: MIT */
/*
 * bank.c: accounts as actors, and a teller that moves money between them by asking: first the withdrawal,
 * only when it was granted the deposit, and when that fails the money goes back. An account that would go
 * below zero declines. Whatever happens, the sum stays what it was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <troupe.h>

#define CHANGE(F) F(i64, amount)
TROUPE_MESSAGE(change, CHANGE) /* a deposit; below zero, a withdrawal; zero asks for the balance */
#define BALANCE(F) F(i64, amount)
TROUPE_MESSAGE(balance, BALANCE)
#define TRANSFER(F) F(ref, from) F(ref, to) F(i64, amount)
TROUPE_MESSAGE(transfer, TRANSFER)
#define OUTCOME(F) F(text, what)
TROUPE_MESSAGE(outcome, OUTCOME)

static troupe_status account_receive(troupe_self *self, const troupe_message *message)
{
    int64_t *amount = troupe_state(self);
    const change *m = change_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (*amount + m->amount < 0) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_LIMIT);
        return TROUPE_OK;
    }
    *amount += m->amount;
    return troupe_reply(self, troupe_asker_of(message), balance, .amount = *amount);
}

static const troupe_behaviour account = {
    .name = "account", .state_size = sizeof(int64_t), .receive = account_receive};

/* The transfer under way, and who asked for it. */
struct teller {
    troupe_asker client;
    transfer order;
};

static troupe_status finish(troupe_self *self, struct teller *teller, const char *what)
{
    return troupe_reply(self, teller->client, outcome, .what = what);
}

/*
 * Asks an account, and handles nothing else until the answer: the next client waits. What cannot even be
 * asked, as of nobody, goes the same way as what was asked and failed.
 */
static troupe_status ask(troupe_self *self, struct teller *teller, troupe_ref who, int64_t amount,
                         troupe_reply_handler on_reply)
{
    troupe_status status = troupe_ask_hold(self, who, 1000, on_reply, teller, change, .amount = amount);
    return status == TROUPE_OK ? TROUPE_OK : on_reply(self, status, NULL, teller);
}

static troupe_status on_refund(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *teller)
{
    (void)reply;
    return finish(self, teller, status == TROUPE_OK ? "nobody takes it: money back" : "to be looked into");
}

static troupe_status on_deposit(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct teller *teller = context;
    (void)reply;
    if (status == TROUPE_OK)
        return finish(self, teller, "moved");
    return ask(self, teller, teller->order.from, teller->order.amount, on_refund);
}

static troupe_status on_withdrawal(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    struct teller *teller = context;
    (void)reply;
    if (status != TROUPE_OK)
        return finish(self, teller, status == TROUPE_LIMIT ? "not enough money" : "no such account");
    return ask(self, teller, teller->order.to, teller->order.amount, on_deposit);
}

static troupe_status teller_receive(troupe_self *self, const troupe_message *message)
{
    struct teller *teller = troupe_state(self);
    const transfer *m = transfer_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    *teller = (struct teller){.client = troupe_asker_of(message), .order = *m};
    return ask(self, teller, m->from, -m->amount, on_withdrawal);
}

static const troupe_behaviour teller = {
    .name = "teller", .state_size = sizeof(struct teller), .receive = teller_receive};

static void move(troupe_system *system, troupe_ref desk, troupe_ref from, troupe_ref to, int64_t amount)
{
    troupe_message *reply;
    troupe_status status =
        troupe_call(system, desk, 1000, &reply, transfer, .from = from, .to = to, .amount = amount);
    printf("%" PRId64 ": %s\n", amount,
           status == TROUPE_OK ? troupe_text(reply, outcome_of(reply)->what) : troupe_status_text(status));
    if (status == TROUPE_OK)
        troupe_message_free(system, &reply);
}

static int64_t balance_at(troupe_system *system, troupe_ref who)
{
    troupe_message *reply;
    if (troupe_call(system, who, 1000, &reply, change, .amount = 0) != TROUPE_OK)
        return -1;
    int64_t amount = balance_of(reply)->amount;
    troupe_message_free(system, &reply);
    return amount;
}

int main(void)
{
    troupe_spawn_options opening = {.state = &(int64_t){100}};
    troupe_system *system;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_ref alice = troupe_spawn(system, &account, &opening);
    troupe_ref bob = troupe_spawn(system, &account, &opening);
    troupe_ref desk = troupe_spawn(system, &teller, NULL);
    move(system, desk, alice, bob, 70);
    move(system, desk, alice, bob, 70);
    move(system, desk, bob, alice, 150);
    move(system, desk, alice, troupe_ref_none(), 30);
    printf("alice %" PRId64 ", bob %" PRId64 "\n", balance_at(system, alice), balance_at(system, bob));
    return troupe_stop(&system);
}

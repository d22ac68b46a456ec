/* SPDX-License-Identifier: MIT */
/*
 * counter.c: private state and request and reply. Ten clients add to one counter and ask it for its total;
 * the counter needs no lock, since it handles one message at a time. main asks too, in the form for threads
 * outside, which waits.
 */
#include <stdio.h>
#include <troupe.h>

#define ADD(F) F(u64, amount)
TROUPE_MESSAGE(add, ADD)
TROUPE_MESSAGE_EMPTY(total_query)
#define TOTAL(F) F(u64, sum)
TROUPE_MESSAGE(total, TOTAL)

enum {
    CLIENTS = 10,
    ADDITIONS = 1000,
};

static troupe_status counter_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t *sum = troupe_state(self);
    const add *m = add_of(message);
    if (m != NULL) {
        *sum += m->amount;
        return TROUPE_OK;
    }
    if (total_query_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), total, .sum = *sum);
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour counter = {
    .name = "counter", .state_size = sizeof(uint64_t), .receive = counter_receive};

/* What the client does with the answer: it has added all it had to, so the total is at least that. */
static troupe_status client_on_total(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    (void)context;
    if (status != TROUPE_OK)
        return status;
    if (total_of(reply)->sum < ADDITIONS)
        return troupe_fail(self, TROUPE_FAILED, "my additions are lost");
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status client_start(troupe_self *self)
{
    troupe_ref *to = troupe_state(self);
    troupe_status status = TROUPE_OK;
    for (int i = 0; i < ADDITIONS && status == TROUPE_OK; i++)
        status = troupe_send(self, *to, add, .amount = 1);
    if (status != TROUPE_OK)
        return status;
    return troupe_ask(self, *to, 1000, client_on_total, NULL, total_query);
}

static troupe_status client_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour client = {
    .name = "client", .state_size = sizeof(troupe_ref), .start = client_start, .receive = client_receive};

int main(void)
{
    troupe_system *system;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_ref to = troupe_spawn(system, &counter, &(troupe_spawn_options){.mailbox_len_max = 20000});
    for (int i = 0; i < CLIENTS; i++)
        troupe_spawn(system, &client, &(troupe_spawn_options){.state = &to});
    uint64_t sum = 0;
    while (sum < CLIENTS * ADDITIONS) {
        troupe_message *reply;
        if (troupe_call(system, to, 1000, &reply, total_query) != TROUPE_OK)
            break;
        sum = total_of(reply)->sum;
        troupe_message_free(system, &reply);
    }
    troupe_counters counters;
    printf("total: %llu\n", (unsigned long long)sum);
    troupe_system_counters(system, &counters);
    printf("failed clients: %llu\n", (unsigned long long)counters.actors_failed);
    return troupe_stop(&system);
}

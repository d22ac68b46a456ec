/* SPDX-License-Identifier: MIT */
/*
 * counting.c: one producer sends n messages to one counter, then asks it for its count. The counter's
 * mailbox is bounded: when it is full the producer stops and goes on with its next turn.
 */
#include "bench.h"

#define ADD(F) F(u64, amount)
TROUPE_MESSAGE(add, ADD)
TROUPE_MESSAGE_EMPTY(go_on)
TROUPE_MESSAGE_EMPTY(total_query)
#define TOTAL(F) F(u64, sum)
TROUPE_MESSAGE(total, TOTAL)

enum {
    SENDS_A_TURN = 1000,
};

struct producer {
    troupe_ref counter;
    uint64_t left;
};

static uint64_t counted;

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

static troupe_status on_total(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)context;
    if (status == TROUPE_OK)
        counted = total_of(reply)->sum;
    gate_open();
    return TROUPE_OK;
}

static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    struct producer *producer = troupe_state(self);
    if (go_on_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    for (int i = 0; i < SENDS_A_TURN && producer->left > 0; i++) {
        if (troupe_send(self, producer->counter, add, .amount = 1) != TROUPE_OK)
            break;
        producer->left--;
    }
    if (producer->left > 0)
        return troupe_send(self, troupe_self_ref(self), go_on);
    troupe_status status = troupe_ask(self, producer->counter, 60000, on_total, NULL, total_query);
    return status == TROUPE_FULL ? troupe_send(self, troupe_self_ref(self), go_on) : status;
}

static const troupe_behaviour counter = {
    .name = "counter", .state_size = sizeof(uint64_t), .receive = counter_receive};
static const troupe_behaviour producer = {
    .name = "producer", .state_size = sizeof(struct producer), .receive = producer_receive};

static void run(struct bench *bench)
{
    struct producer state = {troupe_spawn(bench->system, &counter, NULL), bench->n};
    troupe_ref first = troupe_spawn(bench->system, &producer, &(troupe_spawn_options){.state = &state});
    bench_begin(bench);
    must(troupe_send(bench->system, first, go_on) == TROUPE_OK, "the start is refused");
    gate_wait();
    bench_end(bench);
    bench->done = bench->n;
    bench->is_checked = counted == bench->n;
}

const struct bench_kernel kernel = {"counting", "messages/s", 20000000, 2, run};

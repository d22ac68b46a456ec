/* SPDX-License-Identifier: MIT */
/*
 * fanin.c: `actors` producers send n messages each to one counter with a bounded mailbox; a producer that
 * is refused goes on in its next turn.
 */
#include <stdatomic.h>

#include "bench.h"

#define ADD(F) F(u64, amount)
TROUPE_MESSAGE(add, ADD)
TROUPE_MESSAGE_EMPTY(go_on)

enum {
    SENDS_A_TURN = 1000,
};

struct producer {
    troupe_ref counter;
    uint64_t left;
};

struct counter {
    uint64_t sum;
    uint64_t goal;
};

static _Atomic uint64_t counted;

static troupe_status counter_receive(troupe_self *self, const troupe_message *message)
{
    struct counter *counter = troupe_state(self);
    const add *m = add_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    counter->sum += m->amount;
    if (counter->sum < counter->goal)
        return TROUPE_OK;
    atomic_store_explicit(&counted, counter->sum, memory_order_relaxed);
    if (counter->sum == counter->goal) /* what is counted beyond it is seen when all is quiet */
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
    return producer->left > 0 ? troupe_send(self, troupe_self_ref(self), go_on) : TROUPE_OK;
}

static const troupe_behaviour counter = {
    .name = "counter", .state_size = sizeof(struct counter), .receive = counter_receive};
static const troupe_behaviour producer = {
    .name = "producer", .state_size = sizeof(struct producer), .receive = producer_receive};

/* Waits, a second at most, until nothing is under way: a message too many is counted by then. */
static void all_is_handled(struct bench *bench)
{
    troupe_counters counters;
    for (int ms = 0; ms < 1000; ms++) {
        troupe_system_counters(bench->system, &counters);
        if (counters.sent == counters.handled + counters.dead_letters)
            break;
        usleep(1000);
    }
}

static void run(struct bench *bench)
{
    struct counter total = {0, bench->n * bench->actors};
    troupe_ref to = troupe_spawn(bench->system, &counter, &(troupe_spawn_options){.state = &total});
    bench_begin(bench);
    for (uint64_t i = 0; i < bench->actors; i++) {
        struct producer state = {to, bench->n};
        troupe_ref one = troupe_spawn(bench->system, &producer, &(troupe_spawn_options){.state = &state});
        must(troupe_send(bench->system, one, go_on) == TROUPE_OK, "the start is refused");
    }
    gate_wait();
    bench_end(bench);
    bench->done = total.goal;
    all_is_handled(bench);
    bench->is_checked = atomic_load(&counted) == total.goal;
}

const struct bench_kernel kernel = {"fanin", "messages/s", 2000000, 8, run};

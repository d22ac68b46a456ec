/* SPDX-License-Identifier: MIT */
/*
 * core_park_test.c: producers on several threads that rest on full mailboxes, with consumers that end in
 * the middle. All producers finish, nothing is counted twice, and what each sends to one consumer arrives
 * in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/atomic.h"
#include <troupe.h>

#define ITEM(F) F(u32, producer) F(u32, number)
TROUPE_MESSAGE(item, ITEM)
TROUPE_MESSAGE_EMPTY(go_on)

enum {
    WORKERS = 4,
    PRODUCERS = 16,
    CONSUMERS = 3,
    EACH = 3000,
    BOUND = 8,
    MORTAL_HANDLES = 500, /* messages after which the mortal consumer ends */
};

static _Atomic uint64_t finished;
static _Atomic uint64_t out_of_order;
static troupe_ref consumers[CONSUMERS];

struct consumer {
    uint32_t last[PRODUCERS];
    uint32_t handled;
    uint32_t is_mortal;
};

static troupe_status consumer_receive(troupe_self *self, const troupe_message *message)
{
    struct consumer *consumer = troupe_state(self);
    const item *m = item_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (m->number <= consumer->last[m->producer])
        fetch_add_relaxed(&out_of_order, 1);
    consumer->last[m->producer] = m->number;
    if (consumer->is_mortal && ++consumer->handled == MORTAL_HANDLES)
        return TROUPE_FAILED;
    for (volatile int i = 0; i < 300; i++) { /* costly enough to be moved */
    }
    return TROUPE_OK;
}

static const troupe_behaviour consumer_behaviour = {
    .name = "consumer", .state_size = sizeof(struct consumer), .receive = consumer_receive};

struct producer {
    uint32_t index;
    uint32_t sent;
};

static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    struct producer *producer = troupe_state(self);
    if (go_on_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    troupe_status status = TROUPE_OK;
    while (producer->sent < EACH && status != TROUPE_FULL) {
        troupe_ref to = consumers[(producer->sent + producer->index) % CONSUMERS];
        status = troupe_send(self, to, item, .producer = producer->index, .number = producer->sent + 1);
        producer->sent += status != TROUPE_FULL; /* what a dead consumer would have got is not sent again */
    }
    if (producer->sent < EACH)
        return troupe_send(self, troupe_self_ref(self), go_on);
    fetch_add_relaxed(&finished, 1);
    return TROUPE_OK;
}

static const troupe_behaviour producer_behaviour = {
    .name = "producer", .state_size = sizeof(struct producer), .receive = producer_receive};

static void parked_producers_finish_on_real_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        troupe_system *system;
        assert_int_equal(troupe_start(&system, &(troupe_options){.workers = WORKERS}), TROUPE_OK);
        store_relaxed(&finished, 0);
        for (uint32_t i = 0; i < CONSUMERS; i++) {
            struct consumer consumer = {.is_mortal = i == 0};
            consumers[i] = troupe_spawn(system, &consumer_behaviour,
                                        &(troupe_spawn_options){.state = &consumer,
                                                                .mailbox_len_max = BOUND,
                                                                .overflow = TROUPE_OVERFLOW_PARK,
                                                                .own_thread = i == 1});
            assert_false(troupe_ref_is_none(consumers[i]));
        }
        for (uint32_t i = 0; i < PRODUCERS; i++) {
            struct producer producer = {.index = i};
            troupe_ref one =
                troupe_spawn(system, &producer_behaviour, &(troupe_spawn_options){.state = &producer});
            assert_int_equal(troupe_send(system, one, go_on), TROUPE_OK);
        }
        for (int ms = 0; load_relaxed(&finished) < PRODUCERS && ms < 30000; ms++)
            usleep(1000);
        assert_int_equal(load_relaxed(&finished), PRODUCERS);
        assert_int_equal(load_relaxed(&out_of_order), 0);
        troupe_counters counters = {.sent = 1};
        for (int ms = 0; counters.sent != counters.handled + counters.dead_letters && ms < 10000; ms++) {
            usleep(1000);
            troupe_system_counters(system, &counters);
        }
        assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parked_producers_finish_on_real_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The policies of a full mailbox, classes and deadlines against a model: one sender fills a mailbox of random
 * bounds and policy with messages of random class, size and deadline; then time goes by; then the receiver
 * sees exactly what the model has left, in the model's order, and what was told to the sender and counted as
 * dead is the model's too. One worker, so that nothing is under way when the model looks. (Senders on other
 * workers are in core_mailbox_test.c, parking in tests/race/core_park_test.c.)
 *
 * The seed is printed; TROUPE_SEED=n chooses it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/random.h"
#include "core/system.h"

enum {
    RUNS = 300,
    ROUNDS = 12,
    SENDS_MAX = 40, /* in a row */
    PAYLOAD_MAX = 200,
    DEADLINE_MAX = 10,
    QUEUE_MAX = ROUNDS * SENDS_MAX,
};

#define DATA_FIELDS(F) F(u64, number) F(bytes, payload)
TROUPE_MESSAGE(full_data, DATA_FIELDS)
TROUPE_MESSAGE_EMPTY(full_go)

struct model_message {
    uint64_t number;
    uint64_t weight;
    uint64_t deadline_ms; /* 0: none */
};

struct model_lane {
    struct model_message messages[QUEUE_MAX];
    uint32_t first;
    uint32_t end;
};

struct model {
    troupe_overflow policy;
    uint32_t len_max;
    uint64_t bytes_max;
    struct model_lane lanes[2];
    uint32_t len;
    uint64_t bytes;
    uint64_t dead;
    uint64_t expired;
    uint64_t dropped;
};

static struct model model;
static troupe_ref receiver_ref;
static struct random random_state;
static uint64_t next_number;
static uint32_t sends_left;
static char payload[PAYLOAD_MAX];
static uint64_t received[QUEUE_MAX];
static uint32_t received_count;

static uint32_t below(uint32_t bound)
{
    return random_below(&random_state, bound);
}

static bool model_is_full(uint64_t weight)
{
    return model.len >= model.len_max || model.bytes + weight > model.bytes_max;
}

static void model_drop_first(struct model_lane *lane)
{
    model.len--;
    model.bytes -= lane->messages[lane->first++].weight;
    model.dead++;
    model.dropped++;
}

/* What makes room for a message of this class: the lane that loses its oldest; NULL: the new one goes. */
static struct model_lane *model_victim(uint32_t message_class)
{
    struct model_lane *normal = &model.lanes[TROUPE_CLASS_NORMAL];
    struct model_lane *urgent = &model.lanes[TROUPE_CLASS_URGENT];
    if (model.policy == TROUPE_OVERFLOW_SHED)
        return message_class == TROUPE_CLASS_URGENT && normal->first < normal->end ? normal : NULL;
    if (model.policy != TROUPE_OVERFLOW_DROP_OLDEST)
        return NULL;
    return normal->first < normal->end ? normal : urgent->first < urgent->end ? urgent : NULL;
}

static troupe_status model_send(uint32_t message_class, struct model_message message)
{
    if (message.weight > model.bytes_max)
        return TROUPE_TOO_LARGE;
    if (model_is_full(message.weight) && model.policy == TROUPE_OVERFLOW_REFUSE)
        return TROUPE_FULL;
    while (model_is_full(message.weight)) {
        struct model_lane *victim = model_victim(message_class);
        if (victim == NULL) {
            model.dead++;
            model.dropped++;
            return TROUPE_OK;
        }
        model_drop_first(victim);
    }
    struct model_lane *lane = &model.lanes[message_class];
    lane->messages[lane->end++] = message;
    model.len++;
    model.bytes += message.weight;
    return TROUPE_OK;
}

/* What the receiver is to see now: the urgent ones, then the normal ones, without those that have expired. */
static void model_receive(uint64_t now_ms, uint64_t *ret_numbers, uint32_t *ret_count)
{
    *ret_count = 0;
    for (int i = TROUPE_CLASS_URGENT; i >= TROUPE_CLASS_NORMAL; i--) {
        struct model_lane *lane = &model.lanes[i];
        for (; lane->first < lane->end; lane->first++) {
            const struct model_message *message = &lane->messages[lane->first];
            bool has_expired = message->deadline_ms != 0 && now_ms > message->deadline_ms;
            model.dead += has_expired;
            model.expired += has_expired;
            if (!has_expired)
                ret_numbers[(*ret_count)++] = message->number;
        }
        lane->first = lane->end = 0;
    }
    model.len = 0;
    model.bytes = 0;
}

static void send_one(troupe_self *self)
{
    uint32_t message_class = below(4) == 0 ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL;
    size_t size = below(PAYLOAD_MAX + 1);
    uint32_t deadline_ms = below(3) == 0 ? 1 + below(DEADLINE_MAX) : 0;
    uint64_t now_ms = troupe_now_ns(self) / 1000000;
    const struct model_message message = {
        .number = ++next_number,
        .weight = sizeof(troupe_message) + sizeof(full_data) + size,
        .deadline_ms = deadline_ms == 0 ? 0 : now_ms + deadline_ms,
    };
    troupe_status status =
        troupe_send(self, receiver_ref, full_data, .number = message.number, .payload = {payload, size},
                    .envelope.message_class = message_class, .envelope.deadline_ms = deadline_ms);
    ASSERT(status == model_send(message_class, message));
    troupe_actor_info info;
    ASSERT(troupe_actor_inspect(troupe_system_of(self), receiver_ref, &info) == TROUPE_OK);
    ASSERT(info.depth == model.len && info.bytes == model.bytes);
}

static troupe_status sender_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(full_go_of(message) != NULL);
    for (; sends_left > 0; sends_left--)
        send_one(self);
    return TROUPE_OK;
}

static const troupe_behaviour sender = {.name = "sender", .receive = sender_receive};

static troupe_status receiver_receive(troupe_self *self, const troupe_message *message)
{
    const full_data *data = full_data_of(message);
    (void)self;
    ASSERT(data != NULL);
    received[received_count++] = data->number;
    return TROUPE_OK;
}

static const troupe_behaviour receiver = {.name = "receiver", .receive = receiver_receive};

static bool has_sent(void *context)
{
    (void)context;
    return sends_left == 0;
}

static void round_of(troupe_system *system, troupe_ref from)
{
    static uint64_t expected[QUEUE_MAX];
    uint32_t count;
    troupe_counters before;
    troupe_counters after;
    uint64_t dead_then = model.dead;
    troupe_system_counters(system, &before);
    sends_left = 1 + below(SENDS_MAX);
    received_count = 0;
    assert_int_equal(troupe_send(system, from, full_go), TROUPE_OK);
    assert_int_equal(troupe_sim_run_until(system, has_sent, NULL, 10), TROUPE_OK);
    uint64_t now_ms = troupe_now_ns(system) / 1000000 + below(DEADLINE_MAX + 3);
    uint64_t later_ns = now_ms * 1000000 + 500000; /* away from the edges of a millisecond */
    if (later_ns > troupe_now_ns(system))
        env_sim_advance_to(system->env, later_ns);
    troupe_sim_advance(system, 0);
    model_receive(now_ms, expected, &count);
    assert_int_equal(received_count, count);
    assert_memory_equal(received, expected, count * sizeof expected[0]);
    troupe_system_counters(system, &after);
    assert_int_equal(after.dead_letters - before.dead_letters, model.dead - dead_then);
    assert_int_equal(after.sent, after.handled + after.dead_letters);
}

static void run(uint64_t seed, troupe_overflow policy)
{
    const troupe_options options = {.workers = 1, .simulate = {.seed = seed}};
    troupe_system *system;
    model.policy = policy;
    model.len_max = 1 + below(25);
    model.bytes_max = 100 + below(4000); /* so small, sometimes, that a message is too large for it */
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    receiver_ref = troupe_spawn(system, &receiver,
                                &(troupe_spawn_options){.mailbox_len_max = model.len_max,
                                                        .mailbox_bytes_max = (uint32_t)model.bytes_max,
                                                        .overflow = policy});
    troupe_ref from = troupe_spawn(system, &sender, NULL);
    troupe_sim_advance(system, 1);
    for (int i = 0; i < ROUNDS; i++)
        round_of(system, from);
    assert_int_equal(troupe_stop(&system), 0);
}

static void full_mailbox_does_what_its_policy_says(void **state)
{
    (void)state;
    memset(&model, 0, sizeof model);
    for (uint64_t i = 0; i < RUNS; i++)
        run(1 + below(UINT32_MAX), (troupe_overflow)(i % TROUPE_OVERFLOW_PARK)); /* all but PARK */
    assert_true(model.dropped > RUNS * ROUNDS);
    assert_true(model.expired > RUNS * ROUNDS / 4);
}

int main(void)
{
    const char *given = getenv("TROUPE_SEED");
    random_state.state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u;
    print_message("replay: TROUPE_SEED=%llu ./test property_core_overflow_test\n",
                  (unsigned long long)random_state.state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_mailbox_does_what_its_policy_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

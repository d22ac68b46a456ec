/* SPDX-License-Identifier: MIT */
/*
 * A mailbox against a model: senders on several workers and outside send messages of random class and size to
 * one receiver that now and then fails and comes back, while actors move between workers. A send is taken
 * exactly when the model has room in messages and bytes; what is taken comes once, in order for its sender
 * and class; what is reported of the mailbox is what the model holds. Virtual time, one thread, so that
 * "exactly" has a meaning.
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

enum {
    RUNS = 60,
    ROUNDS = 150,
    SENDERS = 6, /* and one more outside */
    PAYLOAD_MAX = 300,
    SENDS_MAX = 12, /* in a row */
};

#define DATA_FIELDS(F) F(u32, from) F(u64, number) F(bytes, payload)
TROUPE_MESSAGE(mail_data, DATA_FIELDS)
#define GO_FIELDS(F) F(u32, count)
TROUPE_MESSAGE(mail_go, GO_FIELDS)
TROUPE_MESSAGE_EMPTY(mail_fail)

/* The model: what is under way, and the next number of each sender in each class, sent and handled. */
struct model {
    uint32_t len;
    uint64_t bytes;
    uint32_t len_max;
    uint64_t bytes_max;
    uint64_t sent[SENDERS + 1][2];
    uint64_t handled[SENDERS + 1][2];
    uint64_t taken;
    uint64_t refused;
};

static struct model model;
static troupe_ref receiver_ref;
static struct random random_state;
static char payload[PAYLOAD_MAX];

static uint64_t weight_of(size_t payload_size)
{
    return sizeof(troupe_message) + sizeof(mail_data) + payload_size;
}

/* One send, and what the model says to it. */
static void send_one(troupe_context *from, uint32_t index)
{
    uint32_t message_class = random_below(&random_state, 3) == 0;
    size_t size = random_below(&random_state, PAYLOAD_MAX + 1);
    uint64_t *next = &model.sent[index][message_class];
    bool has_room = model.len < model.len_max && model.bytes + weight_of(size) <= model.bytes_max;
    troupe_status status = troupe_send_fields(from, receiver_ref, &mail_data_type,
                                              TROUPE_FIELDS(mail_data, .from = index, .number = *next,
                                                            .payload = {payload, size},
                                                            .envelope.message_class = message_class));
    if (troupe_ref_is_none(receiver_ref))
        ASSERT(status == TROUPE_NO_ACTOR);
    else
        ASSERT(status == (has_room ? TROUPE_OK : TROUPE_FULL));
    if (status != TROUPE_OK) {
        model.refused++;
        return;
    }
    ++*next;
    model.taken++;
    model.len++;
    model.bytes += weight_of(size);
}

static troupe_status sender_receive(troupe_self *self, const troupe_message *message)
{
    const uint32_t *index = troupe_state(self);
    const mail_go *go = mail_go_of(message);
    ASSERT(go != NULL);
    for (uint32_t i = 0; i < go->count; i++)
        send_one(troupe_self_context(self), *index);
    return TROUPE_OK;
}

static const troupe_behaviour sender = {
    .name = "sender", .state_size = sizeof(uint32_t), .receive = sender_receive};

/* Its mailbox is empty and nobody has sent to it: what was under way to the last one is dead. */
static troupe_status receiver_start(troupe_self *self)
{
    receiver_ref = troupe_self_ref(self);
    model.len = 0;
    model.bytes = 0;
    memcpy(model.handled, model.sent, sizeof model.handled);
    return TROUPE_OK;
}

static troupe_status receiver_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const mail_data *data = mail_data_of(message);
    if (data == NULL) {
        ASSERT(mail_fail_of(message) != NULL);
        model.len--;
        model.bytes -= sizeof(troupe_message);
        return TROUPE_FAILED;
    }
    uint64_t *next = &model.handled[data->from][message->message_class];
    ASSERT(data->number == *next);
    ++*next;
    model.len--;
    model.bytes -= weight_of(data->payload.size);
    return TROUPE_OK;
}

static void receiver_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    receiver_ref = troupe_ref_none();
}

static const troupe_behaviour receiver = {
    .name = "receiver", .start = receiver_start, .receive = receiver_receive, .stop = receiver_stop};

static void receiver_fail(troupe_system *system)
{
    if (model.len < model.len_max && model.bytes + sizeof(troupe_message) <= model.bytes_max &&
        troupe_send(system, receiver_ref, mail_fail) == TROUPE_OK) {
        model.len++;
        model.bytes += sizeof(troupe_message);
    }
}

static void compare_report(troupe_system *system)
{
    troupe_actor_info info;
    if (troupe_actor_inspect(system, receiver_ref, &info) != TROUPE_OK)
        return;
    assert_int_equal(info.depth, model.len);
    assert_int_equal(info.bytes, model.bytes);
}

static bool is_never(void *context)
{
    uint32_t *steps = context;
    return (*steps)-- == 0;
}

static void run(uint64_t seed)
{
    const troupe_options options = {.workers = 1 + random_below(&random_state, 4),
                                    .simulate = {.seed = seed}};
    troupe_system *system;
    troupe_ref senders[SENDERS];
    memset(&model, 0, sizeof model);
    model.len_max = 1 + random_below(&random_state, 30);
    model.bytes_max = weight_of(PAYLOAD_MAX) + random_below(&random_state, 4000);
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    const troupe_child_spec child = {
        .id = "receiver",
        .behaviour = &receiver,
        .options = {.mailbox_len_max = model.len_max, .mailbox_bytes_max = (uint32_t)model.bytes_max}};
    const troupe_supervisor_spec spec = {
        .intensity = TROUPE_INTENSITY_MAX, .period_ms = 1, .children = &child, .child_count = 1};
    troupe_supervisor_start(system, &spec, NULL);
    for (uint32_t i = 0; i < SENDERS; i++) {
        const troupe_spawn_options spawn_options = {.state = &i};
        senders[i] = troupe_spawn(system, &sender, &spawn_options);
    }
    troupe_sim_advance(system, 1);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t count = random_below(&random_state, SENDS_MAX);
        uint32_t steps = random_below(&random_state, 10);
        (void)troupe_send(system, senders[random_below(&random_state, SENDERS)], mail_go, .count = count);
        if (random_below(&random_state, 3) == 0)
            send_one(troupe_system_context(system), SENDERS);
        if (random_below(&random_state, 40) == 0)
            receiver_fail(system);
        (void)!troupe_sim_run_until(system, is_never, &steps, 1); /* a few steps: the mailbox fills up */
        compare_report(system);
    }
    troupe_sim_advance(system, 10);
    assert_int_equal(model.len, 0);
    assert_int_equal(model.bytes, 0);
    assert_memory_equal(model.sent, model.handled, sizeof model.sent);
    assert_int_equal(troupe_stop(&system), 0);
}

static void mailbox_agrees_with_a_model(void **state)
{
    (void)state;
    uint64_t taken = 0;
    uint64_t refused = 0;
    for (uint64_t i = 0; i < RUNS; i++) {
        run(1 + random_below(&random_state, UINT32_MAX));
        taken += model.taken;
        refused += model.refused;
    }
    assert_true(taken > RUNS * ROUNDS);
    assert_true(refused > RUNS * ROUNDS / 20);
}

int main(void)
{
    const char *given = getenv("TROUPE_SEED");
    random_state.state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)getpid() * 2654435761u;
    print_message("replay: TROUPE_SEED=%llu ./test property_core_mailbox_test\n",
                  (unsigned long long)random_state.state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailbox_agrees_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

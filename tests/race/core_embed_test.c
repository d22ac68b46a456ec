/* SPDX-License-Identifier: MIT */
/*
 * Facts about an embedded system on real threads: while its host sleeps on the descriptor as long as each
 * step said, threads outside and actors with threads of their own send to it and call it; nothing waits for
 * a wake-up that does not come, and all of it is handled once and in order.
 */
#include <limits.h>
#include <poll.h>
#include <pthread.h>

#include "race/race.h"

enum {
    OUTSIDERS = 3,
    OWN_THREADS = 3,
    SENDERS = OUTSIDERS + OWN_THREADS,
    LETTERS = 2000, /* by each sender */
    CALL_EVERY = 20,
    CALL_MS = 100000,       /* never reached */
    HANGS_AFTER_MS = 20000, /* a poll that nothing ends */
    STEPS = 16,
};

#define LETTER_FIELDS(F) F(u32, sender) F(u32, number)
TROUPE_MESSAGE(embed_letter, LETTER_FIELDS)
#define VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(embed_question, VALUE_FIELDS)
TROUPE_MESSAGE(embed_answer, VALUE_FIELDS)
TROUPE_MESSAGE_EMPTY(embed_go)

static _Atomic uint64_t received;
static _Atomic uint64_t ticks;
static _Atomic uint64_t finished;
static troupe_ref sink_ref;

static troupe_status sink_start(troupe_self *self)
{
    return troupe_timer_start(self, 1, 1, 0, NULL);
}

static troupe_status sink_receive(troupe_self *self, const troupe_message *message)
{
    uint32_t *last = troupe_state(self);
    const embed_letter *letter = embed_letter_of(message);
    const embed_question *question = embed_question_of(message);
    if (question != NULL)
        return troupe_reply(self, troupe_asker_of(message), embed_answer, .value = question->value + 1);
    if (letter == NULL) {
        ASSERT(troupe_timeout_of(message) != NULL);
        fetch_add_relaxed(&ticks, 1);
        return TROUPE_OK;
    }
    ASSERT(letter->number == last[letter->sender] + 1);
    last[letter->sender] = letter->number;
    fetch_add_relaxed(&received, 1);
    return TROUPE_OK;
}

static const troupe_behaviour sink = {
    .name = "sink", .state_size = sizeof(uint32_t[SENDERS]), .start = sink_start, .receive = sink_receive};

struct sender {
    troupe_system *system;
    uint32_t index;
    uint32_t number;
};

static void *outsider_run(void *context)
{
    struct sender *me = context;
    while (me->number < LETTERS) {
        troupe_status status =
            troupe_send(me->system, sink_ref, embed_letter, .sender = me->index, .number = me->number + 1);
        ASSERT(status == TROUPE_OK || status == TROUPE_FULL);
        if (status == TROUPE_FULL) {
            usleep(50);
            continue;
        }
        if (++me->number % CALL_EVERY != 0)
            continue;
        troupe_message *reply = NULL;
        status = troupe_call(me->system, sink_ref, CALL_MS, &reply, embed_question, .value = me->number);
        ASSERT(status == TROUPE_OK || status == TROUPE_FULL);
        ASSERT(status == TROUPE_FULL || embed_answer_of(reply)->value == me->number + 1);
        troupe_message_free(me->system, &reply);
    }
    fetch_add_relaxed(&finished, 1);
    return NULL;
}

static troupe_status own_receive(troupe_self *self, const troupe_message *message)
{
    struct sender *me = troupe_state(self);
    ASSERT(embed_go_of(message) != NULL);
    troupe_status status =
        troupe_send(self, sink_ref, embed_letter, .sender = me->index, .number = me->number + 1);
    ASSERT(status == TROUPE_OK || status == TROUPE_FULL);
    me->number += status == TROUPE_OK;
    if (me->number < LETTERS)
        return troupe_send(self, troupe_self_ref(self), embed_go);
    fetch_add_relaxed(&finished, 1);
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour own = {
    .name = "own", .state_size = sizeof(struct sender), .receive = own_receive};

/* The host's loop: sleeps exactly as long as it was told. */
static void host_run(troupe_system *system)
{
    struct pollfd fd = {.fd = troupe_poll_fd(system), .events = POLLIN};
    uint64_t wait_ms = 0;
    while (load_relaxed(&finished) < SENDERS || load_relaxed(&received) < SENDERS * LETTERS) {
        bool is_forever = wait_ms > HANGS_AFTER_MS;
        int ready = poll(&fd, 1, is_forever ? HANGS_AFTER_MS : (int)wait_ms);
        assert_true(ready > 0 || !is_forever);
        assert_int_equal(troupe_step(system, STEPS, &wait_ms), TROUPE_OK);
    }
}

static void embedded_system_handles_what_comes_from_other_threads(void **state)
{
    (void)state;
    const troupe_options options = {.embedded = true};
    const troupe_spawn_options bounded = {.mailbox_len_max = 64};
    static struct sender senders[SENDERS];
    pthread_t threads[OUTSIDERS];
    troupe_system *system;
    print_message("replay: ./test race_%s\n", program_invocation_short_name);
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    sink_ref = troupe_spawn(system, &sink, &bounded);
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.system = system, .index = i};
        const troupe_spawn_options as = {.state = &senders[i], .own_thread = true};
        if (i < OUTSIDERS)
            assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, &senders[i]), 0);
        else
            assert_int_equal(troupe_send(system, troupe_spawn(system, &own, &as), embed_go), TROUPE_OK);
    }
    host_run(system);
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(load_relaxed(&received), SENDERS * LETTERS);
    assert_true(load_relaxed(&ticks) > 0);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded_system_handles_what_comes_from_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

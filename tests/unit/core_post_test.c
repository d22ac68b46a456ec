/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/post: what a letter may be, that every way of a send makes the same message, and what
 * becomes of one that nobody takes. Bounds of mailboxes: core_mailbox_test.c. One thread.
 */
#include "unit/core_probe.h"

#include <stdlib.h>

#include "core/post.h"

#define TEXT_FIELDS(F) F(text, text)
TROUPE_MESSAGE(post_text, TEXT_FIELDS)

static struct probe first;
static struct probe second;

static void letter_is_checked_at_the_edges_of_its_envelope(void **state)
{
    (void)state;
    static const struct {
        uint32_t message_class, deadline_ms;
        troupe_status status;
    } facts[] = {
        {TROUPE_CLASS_NORMAL, 0, TROUPE_OK},
        {TROUPE_CLASS_URGENT, TROUPE_DEADLINE_MS_MAX, TROUPE_OK},
        {TROUPE_CLASS_URGENT, TROUPE_DEADLINE_MS_MAX + 1, TROUPE_INVALID},
        {TROUPE_CLASS_SYSTEM, 0, TROUPE_INVALID}, /* the runtime's own */
        {TROUPE_CLASS_SYSTEM + 1, 0, TROUPE_INVALID},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct letter letter = {.ask = 77};
        probe_value_fields fields = {.value = 5};
        fields.envelope.message_class = (uint8_t)facts[i].message_class;
        fields.envelope.deadline_ms = facts[i].deadline_ms;
        assert_int_equal(letter_init(&letter, (troupe_ref){9}, &probe_value_type, &fields), facts[i].status);
        assert_int_equal(letter.ask, facts[i].status == TROUPE_OK ? 0 : 77); /* written only on success */
        if (facts[i].status != TROUPE_OK)
            continue;
        assert_int_equal(letter.to.bits, 9);
        assert_int_equal(letter.size, sizeof(probe_value));
        assert_int_equal(letter.message_class, facts[i].message_class);
        assert_int_equal(letter.deadline_ms, facts[i].deadline_ms);
        assert_int_equal(letter.ride.count, 0);
    }
}

static void body_of_a_letter_has_the_size_of_the_limit_and_no_more(void **state)
{
    (void)state;
    const size_t text_max = TROUPE_BODY_SIZE_MAX - sizeof(post_text) - 1;
    char *text = malloc(text_max + 2);
    struct letter letter;
    assert_non_null(text);
    memset(text, 't', text_max + 1);
    text[text_max + 1] = '\0';
    const post_text_fields fields = {.text = text};
    assert_int_equal(letter_init(&letter, troupe_ref_none(), &post_text_type, &fields), TROUPE_TOO_LARGE);
    text[text_max] = '\0';
    assert_int_equal(letter_init(&letter, troupe_ref_none(), &post_text_type, &fields), TROUPE_OK);
    assert_int_equal(letter.size, TROUPE_BODY_SIZE_MAX);
    free(text);
}

static troupe_message headers[8];
static uint64_t values[8];
static uint32_t header_count;
static troupe_ref keeper_ref;

static troupe_status keep_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    headers[header_count] = *message;
    values[header_count++] = probe_value_of(message) == NULL ? 0 : probe_value_of(message)->value;
    return TROUPE_OK;
}

static const troupe_behaviour keeper = {.name = "keeper", .receive = keep_receive};

static troupe_status send_every_way(troupe_self *self)
{
    const probe_value body = {.value = 5};
    const troupe_type *const types[] = {&probe_value_type};
    assert_int_equal(troupe_send(self, keeper_ref, probe_value, .value = 5), TROUPE_OK);
    assert_int_equal(troupe_send(self, keeper_ref, probe_value, .value = 5, .envelope.deadline_ms = 1000),
                     TROUPE_OK);
    assert_int_equal(
        troupe_send_flat(TROUPE_CONTEXT(self), keeper_ref, &probe_value_type, &body, sizeof body), TROUPE_OK);
    return troupe_send_arrived(TROUPE_CONTEXT(self), keeper_ref, types, 1, probe_value_type.id,
                               probe_value_type.version, &body, sizeof body);
}

/*
 * On an embedded system, where the first of them goes the quick way, once there are blocks of its size that
 * were freed; in simulation none does.
 */
static void every_way_of_a_send_makes_the_same_message(void **state)
{
    (void)state;
    for (uint32_t simulated = 0; simulated < 2; simulated++) {
        const troupe_options options = {.embedded = simulated == 0, .simulate = {.seed = 5 * simulated}};
        troupe_system *system = NULL;
        struct probe *at = &first;
        uint64_t wait_ms;
        header_count = 0;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        first.ref = troupe_spawn(system, &probe_behaviour, &(troupe_spawn_options){.state = &at});
        keeper_ref = troupe_spawn(system, &keeper, NULL);
        for (uint32_t round = 0; round < 2; round++) {
            assert_int_equal(
                troupe_send(system, first.ref, probe_run, .function = (uint64_t)(uintptr_t)send_every_way),
                TROUPE_OK);
            for (int i = 0; i < 3; i++) {
                if (simulated)
                    settle(system);
                else
                    assert_int_equal(troupe_step(system, 1000, &wait_ms), TROUPE_OK);
            }
        }
        assert_int_equal(header_count, 8);
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(values[i], 5);
            assert_true(troupe_ref_equal(headers[i].sender, first.ref));
            assert_int_equal(headers[i].type, probe_value_type.id);
            assert_int_equal(headers[i].version, probe_value_type.version);
            assert_int_equal(headers[i].size, sizeof(probe_value));
            assert_int_equal(headers[i].message_class, TROUPE_CLASS_NORMAL);
            assert_int_equal(headers[i].flags, MESSAGE_USER);
            assert_int_equal(headers[i].ask, 0);
            assert_int_equal(headers[i].generation, headers[0].generation);
            assert_true((headers[i].deadline_ms != 0) == (i % 4 == 1));
        }
        assert_int_equal(probe_counters(system).sent, 10);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

static void message_from_outside_has_no_sender(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    header_count = 0;
    keeper_ref = troupe_spawn(system, &keeper, NULL);
    assert_int_equal(troupe_send(system, keeper_ref, probe_value, .value = 6), TROUPE_OK);
    settle(system);
    assert_int_equal(header_count, 1);
    assert_true(troupe_ref_is_none(headers[0].sender));
    struct actor *actor = system_find(system, keeper_ref);
    assert_true(troupe_ref_equal(message_to(actor, &headers[0]), keeper_ref));
    probe_system_stop(system);
}

static troupe_status forward_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_forward(self, keeper_ref, message);
}

static const troupe_behaviour forwarder = {.name = "forwarder", .receive = forward_receive};
static troupe_ref forwarder_ref;

static troupe_status send_to_be_forwarded(troupe_self *self)
{
    return troupe_send(self, forwarder_ref, probe_value, .value = 7, .envelope.deadline_ms = 100,
                       .envelope.message_class = TROUPE_CLASS_URGENT);
}

/* It does not begin anew: whoever it is handed to has what is left of the time. */
static void forwarded_message_keeps_its_sender_class_and_deadline(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    header_count = 0;
    keeper_ref = troupe_spawn(system, &keeper, NULL);
    forwarder_ref = troupe_spawn(system, &forwarder, NULL);
    probe_spawn(system, &first, NULL);
    troupe_sim_advance(system, 50);
    uint64_t deadline_ms = troupe_now_ns(system) / 1000000 + 100;
    probe_do(system, &first, send_to_be_forwarded);
    assert_int_equal(header_count, 1);
    assert_int_equal(values[0], 7);
    assert_true(troupe_ref_equal(headers[0].sender, first.ref));
    assert_int_equal(headers[0].message_class, TROUPE_CLASS_URGENT);
    assert_in_range(headers[0].deadline_ms, deadline_ms, deadline_ms + 1);
    probe_system_stop(system);
}

static void notice_to_who_has_ended_is_counted_and_a_dead_letter(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    struct worker *worker = system->workers[0];
    probe_spawn(system, &first, NULL);
    troupe_shutdown(system, first.ref, TROUPE_OK);
    settle(system);
    troupe_counters before = probe_counters(system);
    for (int way = 0; way < 2; way++) {
        troupe_message *message = message_new(worker, &troupe_started_type, sizeof(troupe_started));
        assert_non_null(message);
        assert_int_equal(message_kind(message), MESSAGE_USER);
        message->flags = MESSAGE_STARTED;
        message->message_class = TROUPE_CLASS_SYSTEM;
        (way == 0 ? post_unbounded : post_aside)(worker, first.ref, message);
    }
    troupe_counters after = probe_counters(system);
    assert_int_equal(after.sent, before.sent + 2);
    assert_int_equal(after.dead_letters_by[TROUPE_DEAD_NO_ACTOR],
                     before.dead_letters_by[TROUPE_DEAD_NO_ACTOR] + 2);
    probe_system_stop(system);
}

static void dead_letter_refuses_the_question_in_it_and_nothing_else(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &second, NULL);
    for (uint64_t ask = 0; ask <= 1; ask++) {
        troupe_counters before = probe_counters(system);
        struct worker *worker = context_enter(&system->context);
        troupe_message *message = message_new(worker, &probe_value_type, sizeof(probe_value));
        assert_non_null(message);
        message->sender = second.ref;
        message->ask = ask;
        counter_add(&worker->counters.sent, 1);
        post_dead_letter(worker, troupe_ref_none(), message, TROUPE_DEAD_UNEXPECTED);
        context_leave(&system->context);
        settle(system);
        troupe_counters after = probe_counters(system);
        assert_int_equal(after.sent, before.sent + 1 + ask); /* the refusal, which finds no such question */
        assert_int_equal(after.dead_letters_by[TROUPE_DEAD_UNEXPECTED],
                         before.dead_letters_by[TROUPE_DEAD_UNEXPECTED] + 1);
        assert_int_equal(after.dead_letters_by[TROUPE_DEAD_LATE],
                         before.dead_letters_by[TROUPE_DEAD_LATE] + ask);
    }
    probe_system_stop(system);
}

/* One word holds both numbers, and neither runs into the other. */
static void load_is_messages_and_bytes_in_one_word(void **state)
{
    (void)state;
    assert_int_equal((uint32_t)message_load(0), 1);
    assert_int_equal(message_load(0) >> 32, sizeof(troupe_message));
    uint64_t sum = 0;
    for (int i = 0; i < 100; i++)
        sum += message_load(TROUPE_BODY_SIZE_MAX);
    assert_int_equal((uint32_t)sum, 100);
    assert_int_equal(sum >> 32, UINT64_C(100) * (sizeof(troupe_message) + TROUPE_BODY_SIZE_MAX));
    for (int i = 0; i < 100; i++)
        sum -= message_load(TROUPE_BODY_SIZE_MAX);
    assert_int_equal(sum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_is_checked_at_the_edges_of_its_envelope),
        cmocka_unit_test(body_of_a_letter_has_the_size_of_the_limit_and_no_more),
        cmocka_unit_test(every_way_of_a_send_makes_the_same_message),
        cmocka_unit_test(message_from_outside_has_no_sender),
        cmocka_unit_test(forwarded_message_keeps_its_sender_class_and_deadline),
        cmocka_unit_test(notice_to_who_has_ended_is_counted_and_a_dead_letter),
        cmocka_unit_test(dead_letter_refuses_the_question_in_it_and_nothing_else),
        cmocka_unit_test(load_is_messages_and_bytes_in_one_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

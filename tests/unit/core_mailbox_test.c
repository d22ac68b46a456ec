/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/mailbox and core/post: bounds at their edges, the order of the classes, deadlines, and
 * what counts. The other policies than refusing are in core_overflow_test.c. Virtual time. One thread.
 */
#include "unit/core_probe.h"

#include "core/mailbox.h"

enum {
    LEN = 5,
    MESSAGE_BYTES = sizeof(troupe_message) + sizeof(probe_value),
};

#define BLOB_FIELDS(F) F(bytes, blob)
TROUPE_MESSAGE(mail_blob, BLOB_FIELDS)

static struct probe sender;
static struct probe receiver;
static char big[TROUPE_MAILBOX_BYTES_DEFAULT];

/* From a worker: the receiver's own when there is one worker. */
static troupe_status fill_up(troupe_self *self)
{
    for (uint64_t i = 0; i < LEN; i++)
        assert_int_equal(troupe_send(self, receiver.ref, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_send(self, receiver.ref, probe_value, .value = 99), TROUPE_FULL);
    assert_int_equal(troupe_send(self, receiver.ref, probe_value, .value = 99,
                                 .envelope.message_class = TROUPE_CLASS_URGENT),
                     TROUPE_FULL); /* urgent ones have no room of their own */
    return TROUPE_OK;
}

static void expect_values(uint32_t count)
{
    assert_int_equal(receiver.value_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(receiver.values[i], i);
}

static void mailbox_takes_its_bound_of_messages_and_not_one_more(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers += 2) {
        troupe_system *system = probe_system(workers);
        const troupe_spawn_options options = {.mailbox_len_max = LEN};
        probe_spawn(system, &sender, NULL);
        probe_spawn(system, &receiver, &options);
        for (uint32_t round = 1; round <= 3; round++) { /* what was handled makes room again */
            probe_do(system, &sender, fill_up);
            expect_values(LEN);
            assert_int_equal(probe_counters(system).refused, 2 * round);
            receiver.value_count = 0;
        }
        probe_system_stop(system);
    }
}

/* Threads outside come the other way in: through `arrived`. */
static void bound_is_the_same_for_threads_outside(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    const troupe_spawn_options options = {.mailbox_len_max = LEN};
    troupe_actor_info info;
    probe_spawn(system, &receiver, &options);
    for (uint64_t i = 0; i < LEN; i++)
        assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = 9), TROUPE_FULL);
    assert_int_equal(troupe_actor_inspect(system, receiver.ref, &info), TROUPE_OK);
    assert_int_equal(info.depth, LEN);
    assert_int_equal(info.bytes, LEN * MESSAGE_BYTES);
    settle(system);
    expect_values(LEN);
    assert_int_equal(troupe_actor_inspect(system, receiver.ref, &info), TROUPE_OK);
    assert_int_equal(info.depth, 0);
    assert_int_equal(info.bytes, 0);
    probe_system_stop(system);
}

static void mailbox_takes_its_bound_of_bytes_and_not_one_more(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    for (uint32_t less = 0; less < 2; less++) {
        const troupe_spawn_options options = {.mailbox_bytes_max = 3 * MESSAGE_BYTES - less};
        probe_spawn(system, &receiver, &options);
        for (uint64_t i = 0; i < 3 - less; i++)
            assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = i), TROUPE_OK);
        assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = 9), TROUPE_FULL);
        settle(system);
        expect_values(3 - less);
    }
    /* One that can never fit is not refused as FULL, which would have its sender try again. */
    const troupe_spawn_options options = {.mailbox_bytes_max = MESSAGE_BYTES - 1};
    probe_spawn(system, &receiver, &options);
    assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = 9), TROUPE_TOO_LARGE);
    assert_int_equal(probe_counters(system).sent, 5);
    probe_system_stop(system);
}

static void default_bounds_are_those_of_the_header(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &receiver, NULL);
    for (uint64_t i = 0; i < TROUPE_MAILBOX_LEN_DEFAULT; i++)
        assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = 0), TROUPE_FULL);
    settle(system);
    assert_int_equal(receiver.value_count, TROUPE_MAILBOX_LEN_DEFAULT);
    const size_t most = TROUPE_MAILBOX_BYTES_DEFAULT - sizeof(troupe_message) - sizeof(mail_blob);
    assert_int_equal(troupe_send(system, receiver.ref, mail_blob, .blob = {big, most + 1}), TROUPE_TOO_LARGE);
    assert_int_equal(troupe_send(system, receiver.ref, mail_blob, .blob = {big, most}), TROUPE_OK);
    assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = 0), TROUPE_FULL);
    probe_system_stop(system);
}

static void bounds_over_their_limits_are_refused(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    struct probe *at = &receiver;
    troupe_status status = TROUPE_OK;
    const troupe_spawn_options wrong[] = {
        {.state = &at, .ret_status = &status, .mailbox_len_max = TROUPE_MAILBOX_LEN_MAX + 1},
        {.state = &at, .ret_status = &status, .mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX + 1},
    };
    for (size_t i = 0; i < 2; i++) {
        assert_true(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &wrong[i])));
        assert_int_equal(status, TROUPE_INVALID);
    }
    const troupe_spawn_options most = {.mailbox_len_max = TROUPE_MAILBOX_LEN_MAX,
                                       .mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX};
    probe_spawn(system, &receiver, &most);
    probe_system_stop(system);
}

/*
 * -- order -------------------------------------------------------------------------------------------------
 */

static uint64_t seen[64];
static uint32_t seen_count;

static troupe_status see_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    if (probe_value_of(message) != NULL)
        seen[seen_count++] = probe_value_of(message)->value;
    else if (troupe_timeout_of(message) != NULL)
        seen[seen_count++] = 1000;
    else
        return troupe_timer_start(self, 0, 0, 0, NULL);
    return TROUPE_OK;
}

static const troupe_behaviour seer = {.name = "seer", .receive = see_receive};
static troupe_ref seer_ref;

static troupe_status send_mixed(troupe_self *self)
{
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(
            troupe_send(self, seer_ref, probe_value, .value = i,
                        .envelope.message_class = i % 3 == 0 ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL),
            TROUPE_OK);
    return TROUPE_OK;
}

static void urgent_messages_go_first_each_class_in_order(void **state)
{
    (void)state;
    static const uint64_t order[] = {0, 3, 6, 9, 12, 15, 18, 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19};
    troupe_system *system = probe_system(1);
    seen_count = 0;
    probe_spawn(system, &sender, NULL);
    seer_ref = troupe_spawn(system, &seer, NULL);
    settle(system);
    probe_do(system, &sender, send_mixed);
    assert_int_equal(seen_count, 20);
    assert_memory_equal(seen, order, sizeof order);
    probe_system_stop(system);
}

/* From one worker to another: what overtakes is what arrived with the same splice. */
static void order_within_a_class_is_kept_on_every_way(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        const troupe_options options = {.workers = 3, .simulate = {.seed = seed}};
        troupe_system *system;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        seen_count = 0;
        probe_spawn(system, &sender, NULL);
        seer_ref = troupe_spawn(system, &seer, NULL);
        probe_do(system, &sender, send_mixed);
        uint64_t next[2] = {0, 0};
        assert_int_equal(seen_count, 20);
        for (uint32_t i = 0; i < seen_count; i++) {
            uint64_t *expected = &next[seen[i] % 3 == 0];
            assert_true(seen[i] >= *expected);
            *expected = seen[i] + 1;
        }
        probe_system_stop(system);
    }
}

static troupe_status fill_and_set_timer(troupe_self *self)
{
    assert_int_equal(troupe_send(self, seer_ref, probe_question, .value = 1), TROUPE_OK); /* starts a timer */
    for (uint64_t i = 0; i < LEN - 1; i++)
        assert_int_equal(troupe_send(self, seer_ref, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_send(self, seer_ref, probe_value, .value = 9), TROUPE_FULL);
    return TROUPE_OK;
}

static void system_lane_is_never_refused_and_goes_first(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    const troupe_spawn_options options = {.mailbox_len_max = LEN};
    seen_count = 0;
    probe_spawn(system, &sender, NULL);
    seer_ref = troupe_spawn(system, &seer, &options);
    probe_do(system, &sender, fill_and_set_timer);
    troupe_sim_advance(system, 2);
    assert_int_equal(seen_count, LEN);
    uint32_t timers = 0;
    for (uint32_t i = 0; i < seen_count; i++)
        timers += seen[i] == 1000;
    assert_int_equal(timers, 1);
    /* Full from outside, then asked to end: the request has room, and KILLED does not wait its turn. */
    for (uint64_t i = 0; i < LEN; i++)
        assert_int_equal(troupe_send(system, seer_ref, probe_value, .value = i), TROUPE_OK);
    assert_int_equal(troupe_send(system, seer_ref, probe_value, .value = 9), TROUPE_FULL);
    troupe_shutdown(system, seer_ref, TROUPE_KILLED);
    settle(system);
    assert_int_equal(seen_count, LEN);
    assert_int_equal(probe_counters(system).dead_letters, LEN);
    probe_system_stop(system);
}

static void shutdown_waits_for_what_was_queued_before(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &receiver, NULL);
    for (uint64_t i = 0; i < LEN; i++)
        assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = i), TROUPE_OK);
    troupe_shutdown(system, receiver.ref, TROUPE_SHUTDOWN);
    for (uint64_t i = LEN; i < 2 * LEN; i++)
        assert_int_equal(troupe_send(system, receiver.ref, probe_value, .value = i), TROUPE_OK);
    settle(system);
    expect_values(LEN);
    assert_int_equal(receiver.reason, TROUPE_SHUTDOWN);
    assert_int_equal(probe_counters(system).dead_letters, LEN);
    troupe_shutdown(system, receiver.ref, TROUPE_SHUTDOWN); /* finds nobody, and that is fine */
    probe_system_stop(system);
}

/*
 * -- deadlines ---------------------------------------------------------------------------------------------
 */

static troupe_status hold_back(troupe_self *self)
{
    /* Nobody else runs while this handler does: the clock is moved under the messages that wait. */
    env_sim_advance_to(self->context.system->env, troupe_now_ns(self) + UINT64_C(100000000));
    return TROUPE_OK;
}

static void expired_message_is_a_dead_letter(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &receiver, NULL);
    troupe_send(system, receiver.ref, probe_run, .function = (uint64_t)(uintptr_t)hold_back);
    troupe_send(system, receiver.ref, probe_value, .value = 1, .envelope.deadline_ms = 98); /* over by then */
    troupe_send(system, receiver.ref, probe_value, .value = 2, .envelope.deadline_ms = 102);
    troupe_send(system, receiver.ref, probe_value, .value = 3);
    troupe_send(system, receiver.ref, probe_value, .value = 4,
                .envelope.deadline_ms = TROUPE_DEADLINE_MS_MAX);
    troupe_send(system, receiver.ref, probe_value, .value = 5, .envelope.deadline_ms = 1);
    settle(system);
    assert_int_equal(receiver.value_count, 3);
    assert_int_equal(receiver.values[0], 2);
    assert_int_equal(receiver.values[2], 4);
    assert_int_equal(probe_counters(system).dead_letters, 2);
    assert_int_equal(
        troupe_send(system, receiver.ref, probe_value, .envelope.deadline_ms = TROUPE_DEADLINE_MS_MAX + 1),
        TROUPE_INVALID);
    probe_system_stop(system);
}

static troupe_status told_status;

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)reply;
    (void)context;
    told_status = status;
    return TROUPE_OK;
}

static troupe_status ask_with_deadline(troupe_self *self)
{
    troupe_send(self, receiver.ref, probe_run, .function = (uint64_t)(uintptr_t)hold_back);
    return troupe_ask(self, receiver.ref, 1000, on_reply, NULL, probe_question, .envelope.deadline_ms = 50);
}

static void expired_question_is_answered_so(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &sender, NULL);
    probe_spawn(system, &receiver, NULL);
    probe_do(system, &sender, ask_with_deadline);
    assert_int_equal(told_status, TROUPE_EXPIRED);
    assert_true(troupe_ref_is_none(receiver.asker.ref));
    probe_system_stop(system);
}

/* Deadlines are on a clock of 32 bits of milliseconds, which turns over after 49 days. */
static void deadlines_hold_when_the_clock_turns_over(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &receiver, NULL);
    env_sim_advance_to(system->env, (UINT64_C(1) << 32) * 1000000 - UINT64_C(50000000));
    settle(system);
    troupe_send(system, receiver.ref, probe_run, .function = (uint64_t)(uintptr_t)hold_back);
    troupe_send(system, receiver.ref, probe_value, .value = 1, .envelope.deadline_ms = 98);
    troupe_send(system, receiver.ref, probe_value, .value = 2, .envelope.deadline_ms = 102);
    troupe_send(system, receiver.ref, probe_value, .value = 3, .envelope.deadline_ms = 50); /* ends in 0 */
    settle(system);
    assert_int_equal(receiver.value_count, 1);
    assert_int_equal(receiver.values[0], 2);
    assert_int_equal(probe_counters(system).dead_letters, 2);
    probe_system_stop(system);
}

/*
 * -- sending what is not a struct of fields
 * -------------------------------------------------------------------
 */

static void flat_body_is_sent_as_it_is(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    const probe_value body = {.value = 12};
    troupe_context *from = troupe_system_context(system);
    probe_spawn(system, &receiver, NULL);
    assert_int_equal(troupe_send_flat(from, receiver.ref, &probe_value_type, &body, sizeof body), TROUPE_OK);
    assert_int_equal(troupe_send_flat(from, receiver.ref, &probe_value_type, &body, TROUPE_BODY_SIZE_MAX + 1),
                     TROUPE_TOO_LARGE);
    settle(system);
    assert_int_equal(receiver.value_count, 1);
    assert_int_equal(receiver.values[0], 12);
    assert_int_equal(troupe_send(system, receiver.ref, mail_blob, .blob = {big, TROUPE_BODY_SIZE_MAX}),
                     TROUPE_TOO_LARGE);
    assert_int_equal(
        troupe_send(system, receiver.ref, probe_value, .envelope.message_class = TROUPE_CLASS_SYSTEM),
        TROUPE_INVALID);
    assert_int_equal(troupe_send(system, receiver.ref, probe_value, .envelope.message_class = 77),
                     TROUPE_INVALID);
    probe_system_stop(system);
}

static troupe_message header;

static troupe_status header_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    header = *message;
    return TROUPE_OK;
}

static const troupe_behaviour header_keeper = {.name = "header", .receive = header_receive};

static troupe_status send_header(troupe_self *self)
{
    return troupe_send(self, seer_ref, probe_value, .value = 1,
                       .envelope.message_class = TROUPE_CLASS_URGENT);
}

static void header_tells_sender_class_and_time(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &sender, NULL);
    seer_ref = troupe_spawn(system, &header_keeper, NULL);
    troupe_sim_advance(system, 5000);
    probe_do(system, &sender, send_header);
    assert_true(troupe_ref_equal(header.sender, sender.ref));
    assert_int_equal(header.message_class, TROUPE_CLASS_URGENT);
    assert_int_equal(header.type, probe_value_type.id);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.size, sizeof(probe_value));
    assert_in_range(header.sent_ms, 5000, 5002);
    troupe_sim_advance(system, 5000);
    troupe_send(system, seer_ref, probe_value, .value = 1);
    settle(system);
    assert_true(troupe_ref_is_none(header.sender));
    assert_int_equal(header.message_class, TROUPE_CLASS_NORMAL);
    assert_in_range(header.sent_ms, 10000, 10003);
    probe_system_stop(system);
}

static troupe_status pass_on_receive(troupe_self *self, const troupe_message *message)
{
    return troupe_forward(self, seer_ref, message);
}

static const troupe_behaviour passer = {.name = "passer", .receive = pass_on_receive};

static void forwarded_message_keeps_sender_class_and_deadline(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    seer_ref = troupe_spawn(system, &header_keeper, NULL);
    troupe_ref ref = troupe_spawn(system, &passer, NULL);
    troupe_sim_advance(system, 1000);
    troupe_send(system, ref, probe_value, .value = 3, .envelope.deadline_ms = 500,
                .envelope.message_class = TROUPE_CLASS_URGENT);
    settle(system);
    assert_int_equal(header.message_class, TROUPE_CLASS_URGENT);
    assert_in_range(header.deadline_ms, 1499, 1502);
    assert_true(troupe_ref_is_none(header.sender));
    troupe_send(system, ref, probe_value, .value = 3);
    settle(system);
    assert_int_equal(header.message_class, TROUPE_CLASS_NORMAL);
    assert_int_equal(header.deadline_ms, 0);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailbox_takes_its_bound_of_messages_and_not_one_more),
        cmocka_unit_test(bound_is_the_same_for_threads_outside),
        cmocka_unit_test(mailbox_takes_its_bound_of_bytes_and_not_one_more),
        cmocka_unit_test(default_bounds_are_those_of_the_header),
        cmocka_unit_test(bounds_over_their_limits_are_refused),
        cmocka_unit_test(urgent_messages_go_first_each_class_in_order),
        cmocka_unit_test(order_within_a_class_is_kept_on_every_way),
        cmocka_unit_test(system_lane_is_never_refused_and_goes_first),
        cmocka_unit_test(shutdown_waits_for_what_was_queued_before),
        cmocka_unit_test(expired_message_is_a_dead_letter),
        cmocka_unit_test(expired_question_is_answered_so),
        cmocka_unit_test(deadlines_hold_when_the_clock_turns_over),
        cmocka_unit_test(flat_body_is_sent_as_it_is),
        cmocka_unit_test(header_tells_sender_class_and_time),
        cmocka_unit_test(forwarded_message_keeps_sender_class_and_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * core_overflow_test.c: what a full mailbox does by each policy, and parking: who rests, when it goes on,
 * and that nobody rests for ever. In a simulated system, so that the moments are exact. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <troupe.h>

#define ITEM(F) F(u32, number)
TROUPE_MESSAGE(item, ITEM)
TROUPE_MESSAGE_EMPTY(fill)
#define PEER(F) F(ref, who)
TROUPE_MESSAGE(peer, PEER)

enum {
    BOUND = 4,
    SEEN_MAX = 256,
};

/* What the receiver of a test was given, in order, and what the sends of one turn were told. */
static uint32_t seen[SEEN_MAX];
static uint32_t seen_count;
static troupe_status told[SEEN_MAX];
static uint32_t told_count;

static troupe_status receiver_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const item *m = item_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    assert_true(seen_count < SEEN_MAX);
    seen[seen_count++] = m->number;
    return TROUPE_OK;
}

static const troupe_behaviour receiver = {.name = "receiver", .receive = receiver_receive};

struct sender {
    troupe_ref to;
    uint32_t count; /* sends in one turn */
    uint32_t urgent_from;
    uint32_t turns;
};

static troupe_status sender_receive(troupe_self *self, const troupe_message *message)
{
    struct sender *sender = troupe_state(self);
    if (fill_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    sender->turns++;
    for (uint32_t i = 1; i <= sender->count; i++) {
        bool is_urgent = sender->urgent_from != 0 && i >= sender->urgent_from;
        told[told_count++] =
            troupe_send(self, sender->to, item, .number = i,
                        .envelope.message_class = is_urgent ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL);
    }
    return TROUPE_OK;
}

static const troupe_behaviour sender_behaviour = {
    .name = "sender", .state_size = sizeof(struct sender), .receive = sender_receive};

static troupe_system *begin(void)
{
    troupe_system *system = NULL;
    troupe_options options = {.workers = 1, .simulate = {.seed = 5}};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    seen_count = 0;
    told_count = 0;
    return system;
}

/* One sender sends `count` messages in one turn to a mailbox of BOUND with this policy; then all is run. */
static troupe_counters fill_one(troupe_overflow overflow, uint32_t count, uint32_t urgent_from)
{
    troupe_system *system = begin();
    troupe_spawn_options bounded = {.mailbox_len_max = BOUND, .overflow = overflow};
    struct sender state = {troupe_spawn(system, &receiver, &bounded), count, urgent_from, 0};
    troupe_ref sender = troupe_spawn(system, &sender_behaviour, &(troupe_spawn_options){.state = &state});
    assert_int_equal(troupe_send(system, sender, fill), TROUPE_OK);
    troupe_sim_advance(system, 10);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    assert_int_equal(troupe_stop(&system), 0);
    return counters;
}

static void assert_seen(const uint32_t *numbers, uint32_t count)
{
    assert_int_equal(seen_count, count);
    assert_memory_equal(seen, numbers, count * sizeof *numbers);
}

static void refuse_tells_full_at_the_bound(void **state)
{
    (void)state;
    fill_one(TROUPE_OVERFLOW_REFUSE, BOUND + 1, 0);
    assert_int_equal(told[BOUND - 1], TROUPE_OK);
    assert_int_equal(told[BOUND], TROUPE_FULL);
    assert_seen((uint32_t[]){1, 2, 3, 4}, BOUND);
}

static void drop_oldest_keeps_the_newest(void **state)
{
    (void)state;
    troupe_counters counters = fill_one(TROUPE_OVERFLOW_DROP_OLDEST, BOUND + 2, 0);
    assert_int_equal(told[BOUND + 1], TROUPE_OK);
    assert_seen((uint32_t[]){3, 4, 5, 6}, BOUND);
    assert_int_equal(counters.dead_letters, 2);
}

/* What is on its way from other threads is nobody's to drop yet; once it is taken in, there is room. */
static void drop_oldest_refuses_other_threads_while_a_bound_of_messages_is_on_its_way(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_spawn_options bounded = {.mailbox_len_max = BOUND, .overflow = TROUPE_OVERFLOW_DROP_OLDEST};
    troupe_ref to = troupe_spawn(system, &receiver, &bounded);
    troupe_sim_advance(system, 0);
    for (uint32_t i = 1; i <= BOUND; i++)
        assert_int_equal(troupe_send(system, to, item, .number = i), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, item, .number = BOUND + 1), TROUPE_FULL);
    troupe_sim_advance(system, 0);
    assert_int_equal(troupe_send(system, to, item, .number = BOUND + 1), TROUPE_OK);
    troupe_sim_advance(system, 0);
    assert_seen((uint32_t[]){1, 2, 3, 4, 5}, BOUND + 1);
    assert_int_equal(troupe_stop(&system), 0);
}

static void drop_newest_keeps_the_oldest(void **state)
{
    (void)state;
    troupe_counters counters = fill_one(TROUPE_OVERFLOW_DROP_NEWEST, BOUND + 2, 0);
    assert_int_equal(told[BOUND + 1], TROUPE_OK);
    assert_seen((uint32_t[]){1, 2, 3, 4}, BOUND);
    assert_int_equal(counters.dead_letters, 2);
}

static void shed_lets_urgent_push_out_normal(void **state)
{
    (void)state;
    troupe_counters counters = fill_one(TROUPE_OVERFLOW_SHED, BOUND + 2, BOUND + 1);
    assert_seen((uint32_t[]){5, 6, 3, 4}, BOUND);
    assert_int_equal(counters.dead_letters, 2);
}

static void shed_drops_what_is_no_higher(void **state)
{
    (void)state;
    fill_one(TROUPE_OVERFLOW_SHED, BOUND + 1, 0);
    assert_seen((uint32_t[]){1, 2, 3, 4}, BOUND);
}

static void park_takes_one_more_and_refuses_the_next(void **state)
{
    (void)state;
    fill_one(TROUPE_OVERFLOW_PARK, BOUND + 2, 0);
    assert_int_equal(told[BOUND], TROUPE_OK);
    assert_int_equal(told[BOUND + 1], TROUPE_FULL);
    assert_seen((uint32_t[]){1, 2, 3, 4, 5}, BOUND + 1);
}

static void too_heavy_for_the_mailbox_is_told_apart_from_full(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_spawn_options bounded = {.mailbox_bytes_max = 50};
    troupe_ref to = troupe_spawn(system, &receiver, &bounded);
    assert_int_equal(troupe_send(system, to, item, .number = 1), TROUPE_TOO_LARGE);
    assert_int_equal(troupe_stop(&system), 0);
}

static void thread_outside_is_refused_instead_of_parked(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_spawn_options bounded = {.mailbox_len_max = 1, .overflow = TROUPE_OVERFLOW_PARK};
    troupe_ref to = troupe_spawn(system, &receiver, &bounded);
    assert_int_equal(troupe_send(system, to, item, .number = 1), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, item, .number = 2), TROUPE_FULL);
    assert_int_equal(troupe_stop(&system), 0);
}

/* Many producers that send without end to one consumer, over seeds: all keep going, and the bound holds. */
struct stream {
    troupe_ref to;
    uint32_t left;
};

static uint32_t consumed;
static uint32_t depth_max;

static troupe_status consumer_receive(troupe_self *self, const troupe_message *message)
{
    if (item_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    troupe_actor_info info;
    assert_int_equal(troupe_actor_inspect(troupe_system_of(self), troupe_self_ref(self), &info), TROUPE_OK);
    depth_max = info.depth > depth_max ? info.depth : depth_max;
    consumed++;
    return TROUPE_OK;
}

static const troupe_behaviour consumer = {.name = "consumer", .receive = consumer_receive};

static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    struct stream *stream = troupe_state(self);
    if (fill_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    troupe_status status = TROUPE_OK;
    while (stream->left > 0 && status == TROUPE_OK) {
        status = troupe_send(self, stream->to, item, .number = stream->left);
        stream->left -= status == TROUPE_OK;
    }
    if (status == TROUPE_NO_ACTOR)
        return TROUPE_OK;
    return stream->left > 0 ? troupe_send(self, troupe_self_ref(self), fill) : TROUPE_OK;
}

static const troupe_behaviour producer = {
    .name = "producer", .state_size = sizeof(struct stream), .receive = producer_receive};

static void parked_producers_all_finish_within_the_bound(void **state)
{
    (void)state;
    enum { PRODUCERS = 5, EACH = 200 };
    for (uint64_t seed = 1; seed <= 50; seed++) {
        troupe_system *system;
        troupe_options options = {.workers = 3, .simulate = {.seed = seed}};
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        consumed = 0;
        depth_max = 0;
        troupe_spawn_options bounded = {.mailbox_len_max = BOUND, .overflow = TROUPE_OVERFLOW_PARK};
        struct stream stream = {troupe_spawn(system, &consumer, &bounded), EACH};
        for (int i = 0; i < PRODUCERS; i++) {
            troupe_ref one = troupe_spawn(system, &producer, &(troupe_spawn_options){.state = &stream});
            assert_int_equal(troupe_send(system, one, fill), TROUPE_OK);
        }
        troupe_sim_advance(system, 1000);
        if (consumed != PRODUCERS * EACH)
            fail_msg("seed %llu: %u of %u consumed", (unsigned long long)seed, consumed, PRODUCERS * EACH);
        assert_true(depth_max <= BOUND + PRODUCERS);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

/* Two actors that answer each message with two to the other would rest on each other for ever. */
struct quarreller {
    troupe_ref other;
    uint32_t handled;
};

static uint32_t quarrels;

static troupe_status quarreller_receive(troupe_self *self, const troupe_message *message)
{
    struct quarreller *quarreller = troupe_state(self);
    const peer *m = peer_of(message);
    if (m != NULL) {
        quarreller->other = m->who;
        return TROUPE_OK;
    }
    if (item_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    quarrels++;
    if (quarrels < 2000)
        for (int i = 0; i < 2; i++)
            (void)troupe_send(self, quarreller->other, item, .number = 1);
    return TROUPE_OK;
}

static const troupe_behaviour quarreller = {
    .name = "quarreller", .state_size = sizeof(struct quarreller), .receive = quarreller_receive};

static void two_that_would_rest_on_each_other_are_refused_instead(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        troupe_system *system;
        troupe_options options = {.workers = 2, .simulate = {.seed = seed}};
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        quarrels = 0;
        troupe_spawn_options bounded = {.mailbox_len_max = BOUND, .overflow = TROUPE_OVERFLOW_PARK};
        troupe_ref a = troupe_spawn(system, &quarreller, &bounded);
        troupe_ref b = troupe_spawn(system, &quarreller, &bounded);
        assert_int_equal(troupe_send(system, a, peer, .who = b), TROUPE_OK);
        assert_int_equal(troupe_send(system, b, peer, .who = a), TROUPE_OK);
        assert_int_equal(troupe_send(system, a, item, .number = 1), TROUPE_OK);
        troupe_sim_advance(system, 1000);
        if (quarrels < 2000)
            fail_msg("seed %llu: stuck after %u", (unsigned long long)seed, quarrels);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

/* A target that never gets to handle anything: it is told to end while its sender rests on it. */
static void parked_sender_goes_on_when_its_target_ends(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        troupe_system *system;
        troupe_options options = {.workers = 2, .simulate = {.seed = seed}};
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        troupe_spawn_options bounded = {.mailbox_len_max = 1, .overflow = TROUPE_OVERFLOW_PARK};
        struct stream stream = {troupe_spawn(system, &receiver, &bounded), 1000};
        troupe_ref one = troupe_spawn(system, &producer, &(troupe_spawn_options){.state = &stream});
        assert_int_equal(troupe_send(system, one, fill), TROUPE_OK);
        seen_count = 0;
        troupe_shutdown(system, stream.to, TROUPE_KILLED);
        troupe_sim_advance(system, 1);
        troupe_shutdown(system, one, TROUPE_SHUTDOWN);
        troupe_sim_advance(system, 1);
        troupe_actor_info info;
        assert_int_equal(troupe_actor_inspect(system, one, &info), TROUPE_NO_ACTOR);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuse_tells_full_at_the_bound),
        cmocka_unit_test(drop_oldest_keeps_the_newest),
        cmocka_unit_test(drop_oldest_refuses_other_threads_while_a_bound_of_messages_is_on_its_way),
        cmocka_unit_test(drop_newest_keeps_the_oldest),
        cmocka_unit_test(shed_lets_urgent_push_out_normal),
        cmocka_unit_test(shed_drops_what_is_no_higher),
        cmocka_unit_test(park_takes_one_more_and_refuses_the_next),
        cmocka_unit_test(too_heavy_for_the_mailbox_is_told_apart_from_full),
        cmocka_unit_test(thread_outside_is_refused_instead_of_parked),
        cmocka_unit_test(parked_producers_all_finish_within_the_bound),
        cmocka_unit_test(two_that_would_rest_on_each_other_are_refused_instead),
        cmocka_unit_test(parked_sender_goes_on_when_its_target_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about full mailboxes on real threads: whatever the overflow policy, what producers on several threads
 * were told was taken is handled once or is a dead letter, in the order of each producer and class; refusing
 * and parking lose nothing; shedding never loses an urgent message while a normal one waits. And about
 * stashes: what is kept and given back again and again is handled in order, each once.
 */
#include <pthread.h>

#include "race/race.h"

enum {
    OUTSIDERS = 2,
    INSIDERS = 4,
    PRODUCERS = OUTSIDERS + INSIDERS,
    LETTERS = 1500, /* by each producer */
    BOUND = 12,
    AT_ONCE = 8, /* letters of one turn of a producer */
    CLASSES = 2,
};

#define ITEM_FIELDS(F) F(u32, producer) F(u32, number)
TROUPE_MESSAGE(over_item, ITEM_FIELDS)
TROUPE_MESSAGE_EMPTY(over_go)

static _Atomic uint64_t accepted;
static _Atomic uint64_t received;
static _Atomic uint64_t finished;
static troupe_ref consumer_ref;

struct consumer {
    struct random random;
    bool stashes;
    bool is_closed; /* keeps everything */
    uint32_t last[PRODUCERS][CLASSES];
};

static troupe_status consumer_receive(troupe_self *self, const troupe_message *message)
{
    struct consumer *me = troupe_state(self);
    const over_item *item = over_item_of(message);
    if (troupe_timeout_of(message) != NULL) {
        me->is_closed = !me->is_closed;
        if (!me->is_closed)
            troupe_unstash(self);
        return TROUPE_OK;
    }
    ASSERT(item != NULL);
    if (me->is_closed)
        return TROUPE_STASHED;
    uint32_t *last = &me->last[item->producer][message->message_class == TROUPE_CLASS_URGENT];
    ASSERT(item->number > *last);
    *last = item->number;
    fetch_add_relaxed(&received, 1);
    if (random_below(&me->random, 32) == 0)
        race_deal(self);
    for (uint32_t i = random_below(&me->random, 64); i > 0; i--)
        SPIN_PAUSE();
    return TROUPE_OK;
}

static troupe_status consumer_start(troupe_self *self)
{
    struct consumer *me = troupe_state(self);
    return me->stashes ? troupe_timer_start(self, 1, 1, 0, NULL) : TROUPE_OK;
}

static const troupe_behaviour consumer = {.name = "consumer",
                                          .state_size = sizeof(struct consumer),
                                          .start = consumer_start,
                                          .receive = consumer_receive};

struct producer {
    troupe_system *system;
    uint32_t index;
    uint32_t number;
    struct random random;
};

/* Sends one more letter; false when it was refused. */
static bool produce(troupe_context *from, struct producer *me)
{
    uint32_t message_class = random_below(&me->random, 4) == 0 ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL;
    troupe_status status =
        troupe_send_fields(from, consumer_ref, &over_item_type,
                           TROUPE_FIELDS(over_item, .producer = me->index, .number = me->number + 1,
                                         .envelope.message_class = message_class));
    ASSERT(status == TROUPE_OK || status == TROUPE_FULL);
    if (status != TROUPE_OK)
        return false;
    fetch_add_relaxed(&accepted, 1);
    me->number++;
    return true;
}

static void *outsider_run(void *context)
{
    struct producer *me = context;
    while (me->number < LETTERS)
        if (!produce(troupe_system_context(me->system), me))
            usleep(20);
    fetch_add_relaxed(&finished, 1);
    return NULL;
}

static troupe_status insider_receive(troupe_self *self, const troupe_message *message)
{
    struct producer *me = troupe_state(self);
    ASSERT(over_go_of(message) != NULL);
    for (int i = 0; i < AT_ONCE && me->number < LETTERS; i++)
        if (!produce(troupe_self_context(self), me))
            break;
    if (random_below(&me->random, 8) == 0) /* what it sent as a stranger and what it sends at home */
        race_deal(self);
    if (me->number < LETTERS)
        return troupe_send(self, troupe_self_ref(self), over_go);
    fetch_add_relaxed(&finished, 1);
    return TROUPE_OK;
}

static const troupe_behaviour insider = {
    .name = "producer", .state_size = sizeof(struct producer), .receive = insider_receive};

/* All producers send to one consumer; what became of it is in the counts. */
static void produce_all(troupe_system *system, const troupe_spawn_options *options)
{
    static struct producer producers[PRODUCERS];
    pthread_t threads[OUTSIDERS];
    store_relaxed(&accepted, 0);
    store_relaxed(&received, 0);
    store_relaxed(&finished, 0);
    consumer_ref = troupe_spawn(system, &consumer, options);
    assert_false(troupe_ref_is_none(consumer_ref));
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.system = system, .index = i, .random = {race_seed() + i}};
        if (i < OUTSIDERS) {
            assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, &producers[i]), 0);
        } else {
            const troupe_spawn_options as = {.state = &producers[i], .own_thread = i == PRODUCERS - 1};
            assert_int_equal(troupe_send(system, troupe_spawn(system, &insider, &as), over_go), TROUPE_OK);
        }
    }
    for (uint32_t i = 0; i < OUTSIDERS; i++)
        pthread_join(threads[i], NULL);
    race_wait(&finished, PRODUCERS);
}

static void policies_with(uint32_t workers)
{
    for (uint32_t overflow = TROUPE_OVERFLOW_REFUSE; overflow <= TROUPE_OVERFLOW_PARK; overflow++) {
        troupe_system *system = race_start(workers);
        struct consumer state = {.random = {race_seed()}};
        const troupe_spawn_options options = {.state = &state,
                                              .mailbox_len_max = BOUND,
                                              .overflow = (troupe_overflow)overflow,
                                              .own_thread = race_seed() % 3 == 0};
        produce_all(system, &options);
        troupe_counters counters = race_settle(system);
        bool loses = overflow != TROUPE_OVERFLOW_REFUSE && overflow != TROUPE_OVERFLOW_PARK;
        assert_int_equal(load_relaxed(&accepted), PRODUCERS * LETTERS);
        assert_int_equal(load_relaxed(&accepted), load_relaxed(&received) + counters.dead_letters);
        assert_true(loses || counters.dead_letters == 0);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

static void full_mailbox_loses_only_what_its_policy_lets_go(void **state)
{
    (void)state;
    race_run(policies_with);
}

static void stash_with(uint32_t workers)
{
    troupe_system *system = race_start(workers);
    struct consumer state = {.random = {race_seed()}, .stashes = true};
    const troupe_spawn_options options = {.state = &state, .mailbox_len_max = PRODUCERS * LETTERS};
    produce_all(system, &options);
    race_wait(&received, PRODUCERS * LETTERS);
    assert_int_equal(load_relaxed(&accepted), PRODUCERS * LETTERS);
    assert_int_equal(troupe_stop(&system), 0);
}

static void what_is_stashed_and_given_back_is_handled_once_in_order(void **state)
{
    (void)state;
    race_run(stash_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_mailbox_loses_only_what_its_policy_lets_go),
        cmocka_unit_test(what_is_stashed_and_given_back_is_handled_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

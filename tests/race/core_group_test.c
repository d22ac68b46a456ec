/* SPDX-License-Identifier: MIT */
/*
 * Facts about groups on real threads: what is broadcast to members that join, leave and end meanwhile, and
 * what routers pass on to them, is handled once or is a dead letter, in the order in which each sender sent
 * it; a group whose members have all ended is empty.
 */
#include <pthread.h>
#include <string.h>

#include "race/race.h"

enum {
    OUTSIDERS = 2,
    SENDERS = OUTSIDERS + 2, /* two of them actors */
    MEMBERS = 16,
    CASTS = 300,    /* by each sender */
    LETTERS = 1500, /* by each sender through a router */
    MEMBER_LEN = 16,
    ROUTER_LEN = 64,
};

#define CAST_FIELDS(F) F(u64, sender) F(u64, number)
TROUPE_MESSAGE(group_cast, CAST_FIELDS)
TROUPE_MESSAGE_EMPTY(group_go)
TROUPE_MESSAGE_EMPTY(group_end)

struct member {
    uint32_t index;
    struct random random;
    uint64_t last[SENDERS];
    bool is_in;
};

static _Atomic uint64_t accepted;
static _Atomic uint64_t received;
static _Atomic uint64_t kicks;
static _Atomic uint64_t finished;
static _Atomic uint64_t members[MEMBERS];
static _Atomic uint8_t seen[SENDERS][LETTERS + 1];
static troupe_ref router;

static const troupe_behaviour member;

static troupe_ref member_spawn(troupe_context *from, uint32_t index, uint64_t seed)
{
    struct member state = {.index = index, .random = {seed}, .is_in = true};
    const troupe_spawn_options options = {
        .state = &state, .group = "herd", .mailbox_len_max = MEMBER_LEN, .own_thread = index == 0};
    troupe_ref ref = troupe_context_spawn(from, &member, &options);
    ASSERT(!troupe_ref_is_none(ref));
    return ref;
}

static troupe_status member_start(troupe_self *self)
{
    struct member *me = troupe_state(self);
    store_relaxed(&members[me->index], troupe_self_ref(self).bits);
    return TROUPE_OK;
}

/* Comes, goes, moves to another worker, or ends and leaves its place to another. */
static void member_act(troupe_self *self, struct member *me)
{
    uint32_t way = random_below(&me->random, 64);
    if (way < 8) {
        if (me->is_in)
            troupe_leave(self, "herd");
        else
            ASSERT(troupe_join(self, "herd") == TROUPE_OK);
        me->is_in = !me->is_in;
    } else if (way == 8) {
        member_spawn(troupe_self_context(self), me->index, random_next(&me->random));
        troupe_exit(self);
    } else if (way < 16) {
        race_deal(self);
    }
}

static troupe_status member_receive(troupe_self *self, const troupe_message *message)
{
    struct member *me = troupe_state(self);
    const group_cast *cast = group_cast_of(message);
    if (group_end_of(message) != NULL) {
        troupe_exit(self);
        return TROUPE_OK;
    }
    ASSERT(cast != NULL && cast->number > me->last[cast->sender]);
    me->last[cast->sender] = cast->number;
    fetch_add_relaxed(&received, 1);
    fetch_add_relaxed(&seen[cast->sender][cast->number], 1);
    member_act(self, me);
    return TROUPE_OK;
}

static const troupe_behaviour member = {
    .name = "member", .state_size = sizeof(struct member), .start = member_start, .receive = member_receive};

/* What a sender does in one go; false when there was no room. */
typedef bool (*send_one)(troupe_context *from, uint64_t sender, uint64_t number);

static bool send_to_all(troupe_context *from, uint64_t sender, uint64_t number)
{
    uint32_t taken = troupe_broadcast_fields(from, "herd", &group_cast_type,
                                             TROUPE_FIELDS(group_cast, .sender = sender, .number = number));
    ASSERT(taken <= MEMBERS);
    fetch_add_relaxed(&accepted, taken);
    return true;
}

static bool send_to_router(troupe_context *from, uint64_t sender, uint64_t number)
{
    troupe_status status = troupe_send_fields(from, router, &group_cast_type,
                                              TROUPE_FIELDS(group_cast, .sender = sender, .number = number));
    ASSERT(status == TROUPE_OK || status == TROUPE_FULL);
    fetch_add_relaxed(&accepted, status == TROUPE_OK);
    return status == TROUPE_OK;
}

struct sender {
    troupe_system *system;
    uint64_t index;
    uint64_t number;
    uint64_t count;
    send_one send;
};

static void *outsider_run(void *context)
{
    struct sender *me = context;
    for (uint64_t number = 1; number <= me->count;) {
        if (me->send(troupe_system_context(me->system), me->index, number))
            number++;
        else
            usleep(50);
    }
    fetch_add_relaxed(&finished, 1);
    return NULL;
}

static troupe_status sender_receive(troupe_self *self, const troupe_message *message)
{
    struct sender *me = troupe_state(self);
    ASSERT(group_go_of(message) != NULL);
    fetch_add_relaxed(&kicks, 1);
    if (me->send(troupe_self_context(self), me->index, me->number + 1) && ++me->number == me->count) {
        fetch_add_relaxed(&finished, 1);
        return TROUPE_OK;
    }
    return troupe_send(self, troupe_self_ref(self), group_go);
}

static const troupe_behaviour sender = {
    .name = "sender", .state_size = sizeof(struct sender), .receive = sender_receive};

/* Lets all senders send `count` each and waits until all of it has come to something. */
static troupe_counters send_all(troupe_system *system, send_one send, uint64_t count)
{
    struct sender senders[SENDERS];
    pthread_t threads[OUTSIDERS];
    for (uint64_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.system = system, .index = i, .count = count, .send = send};
        if (i < OUTSIDERS) {
            assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, &senders[i]), 0);
        } else {
            const troupe_spawn_options options = {.state = &senders[i]};
            troupe_ref ref = troupe_spawn(system, &sender, &options);
            assert_int_equal(troupe_send(system, ref, group_go), TROUPE_OK);
        }
    }
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(threads[i], NULL);
    race_wait(&finished, SENDERS);
    return race_settle(system);
}

static troupe_system *herd_start(uint32_t workers)
{
    troupe_system *system = race_start(workers);
    store_relaxed(&accepted, 0);
    store_relaxed(&received, 0);
    store_relaxed(&kicks, 0);
    store_relaxed(&finished, 0);
    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < MEMBERS; i++)
        member_spawn(troupe_system_context(system), i, race_seed() + i);
    return system;
}

/* Ends every member; the group ends with the last. */
static void herd_stop(troupe_system *system)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        assert_int_equal(troupe_send(system, (troupe_ref){load_relaxed(&members[i])}, group_end), TROUPE_OK);
    race_settle(system);
    for (int ms = 0; troupe_group_size(system, "herd") > 0 && ms < RACE_WAIT_MS_MAX; ms++)
        usleep(1000);
    assert_int_equal(troupe_group_size(system, "herd"), 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void broadcast_with(uint32_t workers)
{
    troupe_system *system = herd_start(workers);
    troupe_counters counters = send_all(system, send_to_all, CASTS);
    assert_int_equal(counters.sent, load_relaxed(&accepted) + load_relaxed(&kicks));
    assert_int_equal(counters.handled, load_relaxed(&received) + load_relaxed(&kicks));
    herd_stop(system);
}

static void what_is_broadcast_is_handled_once_by_each_who_took_it(void **state)
{
    (void)state;
    race_run(broadcast_with);
}

static void routers_with(uint32_t workers)
{
    for (troupe_routing routing = TROUPE_ROUTE_ROUND_ROBIN; routing <= TROUPE_ROUTE_HASH; routing++) {
        troupe_system *system = herd_start(workers);
        const troupe_router_spec spec = {.group = "herd", .routing = routing, .mailbox_len_max = ROUTER_LEN};
        router = troupe_router_start(system, &spec, NULL);
        troupe_counters counters = send_all(system, send_to_router, LETTERS);
        assert_int_equal(load_relaxed(&accepted), SENDERS * LETTERS);
        assert_int_equal(counters.dead_letters, load_relaxed(&accepted) - load_relaxed(&received));
        for (int i = 0; i < SENDERS; i++)
            for (int number = 1; number <= LETTERS; number++)
                assert_true(load_relaxed(&seen[i][number]) <= 1);
        assert_true(load_relaxed(&received) > 0);
        herd_stop(system);
    }
}

static void what_a_router_takes_is_passed_on_once_or_is_a_dead_letter(void **state)
{
    (void)state;
    race_run(routers_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_broadcast_is_handled_once_by_each_who_took_it),
        cmocka_unit_test(what_a_router_takes_is_passed_on_once_or_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about limits and names on real threads: with actors_max, threads and actors that spawn and end as
 * fast as they can never have more alive, and lose no place by it; a name that many want has one holder at a
 * time, however they take it and give it up.
 */
#include <pthread.h>

#include "race/race.h"

enum {
    ACTORS_MAX = 24,
    OUTSIDERS = 3,
    SPAWNS = 1500, /* by each outsider */
    RIVALS = 12,
    NAMES = 2,
    ROUNDS = 800, /* of each rival */
};

TROUPE_MESSAGE_EMPTY(limit_end)
TROUPE_MESSAGE_EMPTY(limit_go)

static _Atomic uint64_t accepted;
static _Atomic uint64_t received;
static _Atomic int live;
static _Atomic uint64_t begun;
static _Atomic uint64_t refused;

/* -- actors_max ------------------------------------------------------------------------------------------ */

static const troupe_behaviour mortal;

/* Spawns one more, tells it to end in one of three ways, and answers whether there was a place. */
static bool mortal_spawn(troupe_context *from, uint32_t way)
{
    troupe_status status;
    const troupe_spawn_options options = {.own_thread = way == 3, .ret_status = &status};
    troupe_ref ref = troupe_context_spawn(from, &mortal, &options);
    ASSERT(status == TROUPE_OK || status == TROUPE_LIMIT);
    if (status == TROUPE_LIMIT) {
        fetch_add_relaxed(&refused, 1);
        return false;
    }
    fetch_add_relaxed(&begun, 1);
    if (way == 0)
        troupe_context_shutdown(from, ref, TROUPE_KILLED);
    else if (troupe_send_fields(from, ref, &limit_end_type, TROUPE_FIELDS(limit_end, )) == TROUPE_OK)
        fetch_add_relaxed(&accepted, 1);
    return true;
}

static troupe_status mortal_start(troupe_self *self)
{
    int now = fetch_add_relaxed(&live, 1) + 1;
    ASSERT(now <= ACTORS_MAX);
    if (troupe_random(self) % 4 == 0)
        (void)mortal_spawn(troupe_self_context(self), 1);
    return TROUPE_OK;
}

static troupe_status mortal_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(limit_end_of(message) != NULL);
    fetch_add_relaxed(&received, 1);
    if (troupe_random(self) % 4 == 0)
        race_deal(self);
    if (troupe_random(self) % 2 == 0)
        return TROUPE_FAILED;
    troupe_exit(self);
    return TROUPE_OK;
}

static void mortal_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

static const troupe_behaviour mortal = {
    .name = "mortal", .start = mortal_start, .receive = mortal_receive, .stop = mortal_stop};

struct outsider {
    troupe_system *system;
    uint64_t seed;
    pthread_t thread;
};

static void *outsider_run(void *context)
{
    struct outsider *me = context;
    struct random random = {me->seed};
    for (uint32_t i = 0; i < SPAWNS; i++)
        if (!mortal_spawn(troupe_system_context(me->system), random_below(&random, 4)))
            usleep(50);
    return NULL;
}

static troupe_status sitter_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void actors_max_with(uint32_t workers)
{
    static const troupe_behaviour sitter = {.name = "sitter", .receive = sitter_receive};
    const troupe_options options = {.workers = workers, .actors_max = ACTORS_MAX};
    struct outsider outsiders[OUTSIDERS];
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    store_relaxed(&accepted, 0);
    store_relaxed(&received, 0);
    store_relaxed(&begun, 0);
    store_relaxed(&refused, 0);
    store_relaxed(&live, 0);
    for (uint64_t i = 0; i < OUTSIDERS; i++) {
        outsiders[i] = (struct outsider){.system = system, .seed = race_seed() + i};
        assert_int_equal(pthread_create(&outsiders[i].thread, NULL, outsider_run, &outsiders[i]), 0);
    }
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(outsiders[i].thread, NULL);
    troupe_counters counters = race_settle_actors(system, 0);
    assert_int_equal(counters.actors_spawned, load_relaxed(&begun));
    assert_true(load_relaxed(&received) <= load_relaxed(&accepted));
    assert_true(load_relaxed(&refused) > 0);
    assert_int_equal(load_relaxed(&live), 0);
    troupe_status status; /* no place was lost, and none is there twice */
    const troupe_spawn_options as = {.ret_status = &status};
    for (int i = 0; i <= ACTORS_MAX; i++) {
        troupe_spawn(system, &sitter, &as);
        assert_int_equal(status, i < ACTORS_MAX ? TROUPE_OK : TROUPE_LIMIT);
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static void actors_max_holds_and_loses_no_place(void **state)
{
    (void)state;
    race_run(actors_max_with);
}

/* -- names ----------------------------------------------------------------------------------------------- */

static const char *const names[NAMES] = {"crown", "sceptre"};
static _Atomic int holders[NAMES];
static _Atomic uint64_t held;
static _Atomic uint64_t finished;

struct rival {
    uint32_t rounds;
    uint32_t name; /* it has, plus one; 0: none */
};

/* Who holds a name now is this actor, and nobody else thinks so. */
static bool name_take(troupe_self *self, struct rival *me, uint32_t name)
{
    troupe_status status = troupe_register(self, names[name]);
    ASSERT(status == TROUPE_OK || status == TROUPE_NAME_TAKEN);
    if (status == TROUPE_NAME_TAKEN)
        return false;
    ASSERT(fetch_add_relaxed(&holders[name], 1) == 0);
    ASSERT(troupe_ref_equal(troupe_whereis(self, names[name]), troupe_self_ref(self)));
    ASSERT(troupe_register(self, names[name]) == TROUPE_INVALID);
    me->name = name + 1;
    fetch_add_relaxed(&held, 1);
    return true;
}

static void name_give_up(troupe_self *self, struct rival *me, bool ends)
{
    ASSERT(atomic_fetch_sub_explicit(&holders[me->name - 1], 1, memory_order_relaxed) == 1);
    me->name = 0;
    if (!ends)
        troupe_unregister(self);
}

static const troupe_behaviour rival;

static void rival_spawn(troupe_context *from, uint32_t rounds)
{
    struct rival state = {.rounds = rounds};
    const troupe_spawn_options options = {.state = &state};
    troupe_ref ref = troupe_context_spawn(from, &rival, &options);
    ASSERT(!troupe_ref_is_none(ref));
    ASSERT(troupe_send_fields(from, ref, &limit_go_type, TROUPE_FIELDS(limit_go, )) == TROUPE_OK);
}

static troupe_status rival_receive(troupe_self *self, const troupe_message *message)
{
    struct rival *me = troupe_state(self);
    ASSERT(limit_go_of(message) != NULL);
    uint64_t choice = troupe_random(self);
    if (me->name != 0 && choice % 2 == 0)
        name_give_up(self, me, false);
    else if (me->name == 0)
        (void)name_take(self, me, (uint32_t)(choice >> 32) % NAMES);
    if (choice % 5 == 0)
        race_deal(self);
    if (--me->rounds == 0) {
        fetch_add_relaxed(&finished, 1);
        troupe_exit(self);
    } else if (choice % 31 == 0) { /* its name is free as soon as it has ended */
        rival_spawn(troupe_self_context(self), me->rounds);
        troupe_exit(self);
    } else {
        return troupe_send(self, troupe_self_ref(self), limit_go);
    }
    return TROUPE_OK;
}

static void rival_stop(troupe_self *self, troupe_status reason)
{
    struct rival *me = troupe_state(self);
    (void)reason;
    if (me->name != 0)
        name_give_up(self, me, true);
}

static const troupe_behaviour rival = {
    .name = "rival", .state_size = sizeof(struct rival), .receive = rival_receive, .stop = rival_stop};

static void names_with(uint32_t workers)
{
    troupe_system *system = race_start(workers);
    store_relaxed(&finished, 0);
    store_relaxed(&held, 0);
    for (int i = 0; i < RIVALS; i++)
        rival_spawn(troupe_system_context(system), ROUNDS);
    race_wait(&finished, RIVALS);
    race_settle_actors(system, 0);
    assert_true(load_relaxed(&held) > 0);
    for (int i = 0; i < NAMES; i++) {
        assert_int_equal(load_relaxed(&holders[i]), 0);
        assert_true(troupe_ref_is_none(troupe_whereis(system, names[i])));
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static void name_has_one_holder_at_a_time(void **state)
{
    (void)state;
    race_run(names_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actors_max_holds_and_loses_no_place),
        cmocka_unit_test(name_has_one_holder_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

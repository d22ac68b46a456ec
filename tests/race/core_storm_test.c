/* SPDX-License-Identifier: MIT */
/*
 * Facts about supervision in a storm of failures on real threads: while threads outside and siblings make
 * children of every strategy fail, end, and be killed, no child ever lives twice, each failure is one
 * restart or one end of the supervisor, and when the storm is over every child is up again; a supervisor
 * over its intensity ends with all its children, and its own supervisor brings them back.
 */
#include <pthread.h>
#include <stdio.h>

#include "race/race.h"

enum {
    STRATEGIES = 3,
    CHILDREN = 6, /* of each supervisor */
    OUTSIDERS = 2,
    BLOWS = 250, /* by each outsider */
    HOUSES = 4,  /* supervisors that give up and are restarted */
};

/* How a child is to end. */
enum blow {
    BLOW_FAIL,
    BLOW_EXIT,
    BLOW_UNEXPECTED, /* it does not end */
    BLOW_COUNT,
};

#define BLOW_FIELDS(F) F(u32, blow)
TROUPE_MESSAGE(storm_blow, BLOW_FIELDS)

struct child {
    uint32_t family; /* a strategy, or a house */
    uint32_t index;
};

static _Atomic uint64_t refs[HOUSES][CHILDREN];
static _Atomic int alive[HOUSES][CHILDREN];
static _Atomic uint64_t starts;
static _Atomic uint64_t stops;

static troupe_status child_start(troupe_self *self)
{
    const struct child *me = troupe_state(self);
    ASSERT(fetch_add_relaxed(&alive[me->family][me->index], 1) == 0);
    store_relaxed(&refs[me->family][me->index], troupe_self_ref(self).bits);
    fetch_add_relaxed(&starts, 1);
    if (troupe_random(self) % 3 == 0)
        race_deal(self);
    return TROUPE_OK;
}

static troupe_status child_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(storm_blow_of(message) != NULL);
    switch ((enum blow)storm_blow_of(message)->blow) {
    case BLOW_FAIL:
        return troupe_fail(self, TROUPE_IO, "the storm");
    case BLOW_EXIT:
        troupe_exit(self);
        return TROUPE_OK;
    default:
        return TROUPE_UNEXPECTED;
    }
}

static void child_stop(troupe_self *self, troupe_status reason)
{
    const struct child *me = troupe_state(self);
    (void)reason;
    ASSERT(atomic_fetch_sub_explicit(&alive[me->family][me->index], 1, memory_order_relaxed) == 1);
    fetch_add_relaxed(&stops, 1);
}

static const troupe_behaviour child = {.name = "child",
                                       .state_size = sizeof(struct child),
                                       .start = child_start,
                                       .receive = child_receive,
                                       .stop = child_stop};

struct family {
    struct child states[CHILDREN];
    char ids[CHILDREN][8];
    troupe_child_spec specs[CHILDREN];
    troupe_supervisor_spec spec;
};

/* A supervisor of CHILDREN; the first child has a thread of its own. */
static void family_init(struct family *family, uint32_t index, troupe_strategy strategy, uint32_t intensity)
{
    for (uint32_t i = 0; i < CHILDREN; i++) {
        family->states[i] = (struct child){.family = index, .index = i};
        snprintf(family->ids[i], sizeof family->ids[i], "c%u", i);
        family->specs[i] =
            (troupe_child_spec){.id = family->ids[i],
                                .behaviour = &child,
                                .options = {.state = &family->states[i], .own_thread = i == 0 && index == 0},
                                .restart = TROUPE_RESTART_PERMANENT};
    }
    family->spec = (troupe_supervisor_spec){.strategy = strategy,
                                            .intensity = intensity,
                                            .period_ms = 100000,
                                            .children = family->specs,
                                            .child_count = CHILDREN};
}

struct blower {
    troupe_system *system;
    uint32_t families;
    uint64_t seed;
    pthread_t thread;
};

static void *blow(void *context)
{
    struct blower *me = context;
    struct random random = {me->seed};
    for (uint32_t i = 0; i < BLOWS; i++) {
        uint32_t family = random_below(&random, me->families);
        troupe_ref ref = {load_relaxed(&refs[family][random_below(&random, CHILDREN)])};
        if (random_below(&random, 8) == 0)
            troupe_shutdown(me->system, ref, TROUPE_KILLED);
        else
            (void)!troupe_send(me->system, ref, storm_blow, .blow = random_below(&random, BLOW_COUNT));
        if (i % 8 == 0)
            usleep(200);
    }
    return NULL;
}

static void storm(troupe_system *system, uint32_t families)
{
    struct blower blowers[OUTSIDERS];
    for (uint64_t i = 0; i < OUTSIDERS; i++) {
        blowers[i] = (struct blower){.system = system, .families = families, .seed = race_seed() + i};
        assert_int_equal(pthread_create(&blowers[i].thread, NULL, blow, &blowers[i]), 0);
    }
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(blowers[i].thread, NULL);
}

/* Waits until each child lives; one that was spawned may not have started yet. */
static void all_live(uint32_t families)
{
    uint32_t live = 0;
    for (int ms = 0; live < families * CHILDREN && ms < RACE_WAIT_MS_MAX; ms++) {
        live = 0;
        for (uint32_t i = 0; i < families * CHILDREN; i++)
            live += load_relaxed(&alive[i / CHILDREN][i % CHILDREN]) == 1;
        if (ms > 0)
            usleep(1000);
    }
    assert_int_equal(live, families * CHILDREN);
}

static void none_lives(void)
{
    for (uint32_t i = 0; i < HOUSES; i++)
        for (uint32_t k = 0; k < CHILDREN; k++)
            assert_int_equal(load_relaxed(&alive[i][k]), 0);
    assert_int_equal(load_relaxed(&starts), load_relaxed(&stops));
}

static void strategies_with(uint32_t workers)
{
    static struct family families[STRATEGIES];
    troupe_system *system = race_start(workers);
    store_relaxed(&starts, 0);
    store_relaxed(&stops, 0);
    for (uint32_t i = 0; i < STRATEGIES; i++) {
        family_init(&families[i], i, (troupe_strategy)i, TROUPE_INTENSITY_MAX);
        assert_false(troupe_ref_is_none(troupe_supervisor_start(system, &families[i].spec, NULL)));
    }
    all_live(STRATEGIES);
    storm(system, STRATEGIES);
    assert_true(race_settle_actors(system, STRATEGIES * (CHILDREN + 1)).restarts > 0);
    all_live(STRATEGIES);
    assert_int_equal(troupe_stop(&system), 0);
    none_lives();
}

static void children_are_all_up_again_after_a_storm(void **state)
{
    (void)state;
    race_run(strategies_with);
}

/* Each house bears one restart; the street brings it back. */
static void escalation_with(uint32_t workers)
{
    static struct family houses[HOUSES];
    static char ids[HOUSES][8];
    troupe_child_spec specs[HOUSES];
    troupe_system *system = race_start(workers);
    store_relaxed(&starts, 0);
    store_relaxed(&stops, 0);
    for (uint32_t i = 0; i < HOUSES; i++) {
        family_init(&houses[i], i, (troupe_strategy)(i % STRATEGIES), 1);
        snprintf(ids[i], sizeof ids[i], "h%u", i);
        specs[i] = (troupe_child_spec){.id = ids[i], .supervisor = &houses[i].spec};
    }
    const troupe_supervisor_spec street = {
        .intensity = TROUPE_INTENSITY_MAX, .period_ms = 100000, .children = specs, .child_count = HOUSES};
    assert_false(troupe_ref_is_none(troupe_supervisor_start(system, &street, NULL)));
    all_live(HOUSES);
    storm(system, HOUSES);
    race_settle_actors(system, 1 + HOUSES * (CHILDREN + 1));
    all_live(HOUSES);
    assert_int_equal(troupe_stop(&system), 0);
    none_lives();
}

static void supervisors_that_gave_up_come_back_with_their_children(void **state)
{
    (void)state;
    race_run(escalation_with);
}

/* The storm goes on while the supervisor is told to stop. */
static void shutdown_with(uint32_t workers)
{
    static struct family families[STRATEGIES];
    for (uint32_t strategy = 0; strategy < STRATEGIES; strategy++) {
        troupe_system *system = race_start(workers);
        struct blower blower = {.system = system, .families = 1, .seed = race_seed() + strategy};
        store_relaxed(&starts, 0);
        store_relaxed(&stops, 0);
        family_init(&families[strategy], 0, (troupe_strategy)strategy, TROUPE_INTENSITY_MAX);
        troupe_ref ref = troupe_supervisor_start(system, &families[strategy].spec, NULL);
        assert_int_equal(pthread_create(&blower.thread, NULL, blow, &blower), 0);
        usleep(5000);
        troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
        pthread_join(blower.thread, NULL);
        race_settle_actors(system, 0);
        none_lives();
        troupe_actor_info info;
        assert_int_equal(troupe_actor_inspect(system, ref, &info), TROUPE_NO_ACTOR);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

static void supervisor_told_to_stop_in_a_storm_leaves_nobody_behind(void **state)
{
    (void)state;
    race_run(shutdown_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_all_up_again_after_a_storm),
        cmocka_unit_test(supervisors_that_gave_up_come_back_with_their_children),
        cmocka_unit_test(supervisor_told_to_stop_in_a_storm_leaves_nobody_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

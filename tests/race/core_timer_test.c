/* SPDX-License-Identifier: MIT */
/*
 * Facts about timers on real threads, while their owners move between workers and end: each timer that was
 * started fires once, or was cancelled before and then never fires, or ends with its owner.
 */
#include <stdio.h>
#include <string.h>

#include "race/race.h"

enum {
    OWNERS = 16,
    LIVES = 12,  /* of each owner, one after the other */
    ROUNDS = 90, /* messages to itself in one life: several turns */
    TIMERS = 24, /* of one owner at once */
    STARTS_A_ROUND = 4,
    CANCELS_A_ROUND = 2,
    CANCELLED_KEPT = 64,
    GROUPS = TROUPE_GROUPS_OF_ACTOR_MAX, /* that each is in */
};

TROUPE_MESSAGE_EMPTY(owner_go)

struct owner {
    struct random random;
    uint32_t rounds;
    uint32_t lives;
    uint64_t timers[TIMERS]; /* 0: none */
    uint64_t ticker;         /* periodic */
    uint64_t cancelled[CANCELLED_KEPT];
    uint32_t cancelled_next;
};

static _Atomic uint64_t started_count;
static _Atomic uint64_t fired_count;
static _Atomic uint64_t cancelled_count;
static _Atomic uint64_t ended_count; /* timers that ended with their owners */
static _Atomic uint64_t ticks;
static _Atomic uint64_t finished;

static void timer_start(troupe_self *self, struct owner *me)
{
    uint32_t i = random_below(&me->random, TIMERS);
    if (me->timers[i] != 0)
        return;
    uint64_t after_ms = random_below(&me->random, 3);
    ASSERT(troupe_timer_start(self, after_ms, 0, i, &me->timers[i]) == TROUPE_OK);
    fetch_add_relaxed(&started_count, 1);
}

static void cancelled_note(struct owner *me, uint64_t timer)
{
    me->cancelled[me->cancelled_next++ % CANCELLED_KEPT] = timer;
}

static void timer_cancel_one(troupe_self *self, struct owner *me)
{
    uint32_t i = random_below(&me->random, TIMERS);
    if (me->timers[i] == 0)
        return;
    troupe_timer_cancel(self, me->timers[i]);
    cancelled_note(me, me->timers[i]);
    me->timers[i] = 0;
    fetch_add_relaxed(&cancelled_count, 1);
}

static void ticker_change(troupe_self *self, struct owner *me)
{
    if (me->ticker == 0) {
        ASSERT(troupe_timer_start(self, 1, 1, TIMERS, &me->ticker) == TROUPE_OK);
        return;
    }
    troupe_timer_cancel(self, me->ticker);
    cancelled_note(me, me->ticker);
    me->ticker = 0;
}

/* One that has come may cancel one whose notice is on its way. */
static void timer_fired(troupe_self *self, struct owner *me, const troupe_timeout *timeout)
{
    for (uint32_t i = 0; i < CANCELLED_KEPT; i++)
        ASSERT(me->cancelled[i] != timeout->timer);
    if (timeout->tag == TIMERS) {
        ASSERT(timeout->timer == me->ticker);
        fetch_add_relaxed(&ticks, 1);
        return;
    }
    ASSERT(timeout->tag < TIMERS && me->timers[timeout->tag] == timeout->timer);
    me->timers[timeout->tag] = 0;
    fetch_add_relaxed(&fired_count, 1);
    if (random_below(&me->random, 2) == 0)
        timer_cancel_one(self, me);
}

/* To leave them takes time, in which its timers fire for an owner whose ref is good no more. */
static void groups_join(troupe_self *self)
{
    for (int i = 0; i < GROUPS; i++) {
        char name[16];
        snprintf(name, sizeof name, "owners-%d", i);
        ASSERT(troupe_join(self, name) == TROUPE_OK);
    }
}

static void owner_spawn(troupe_context *from, uint64_t seed, uint32_t lives);

static troupe_status owner_receive(troupe_self *self, const troupe_message *message)
{
    struct owner *me = troupe_state(self);
    if (troupe_timeout_of(message) != NULL) {
        timer_fired(self, me, troupe_timeout_of(message));
        return TROUPE_OK;
    }
    ASSERT(owner_go_of(message) != NULL);
    if (me->rounds == 0)
        groups_join(self);
    for (int i = 0; i < STARTS_A_ROUND; i++)
        timer_start(self, me);
    for (int i = 0; i < CANCELS_A_ROUND; i++)
        timer_cancel_one(self, me);
    if (random_below(&me->random, 4) == 0)
        ticker_change(self, me);
    if (random_below(&me->random, 3) == 0)
        race_deal(self);
    for (uint32_t i = random_below(&me->random, 2000); i > 0; i--)
        SPIN_PAUSE(); /* so that timers become due while others run */
    if (++me->rounds < ROUNDS)
        return troupe_send(self, troupe_self_ref(self), owner_go);
    if (me->lives > 1)
        owner_spawn(troupe_self_context(self), random_next(&me->random), me->lives - 1);
    troupe_exit(self);
    return TROUPE_OK;
}

static void owner_stop(troupe_self *self, troupe_status reason)
{
    struct owner *me = troupe_state(self);
    ASSERT(reason == TROUPE_OK);
    for (uint32_t i = 0; i < TIMERS; i++)
        fetch_add_relaxed(&ended_count, me->timers[i] != 0);
    fetch_add_relaxed(&finished, 1);
}

static const troupe_behaviour owner = {
    .name = "owner", .state_size = sizeof(struct owner), .receive = owner_receive, .stop = owner_stop};

static void owner_spawn(troupe_context *from, uint64_t seed, uint32_t lives)
{
    struct owner state = {.random = {seed}, .lives = lives};
    const troupe_spawn_options options = {.state = &state, .own_thread = seed % 16 == 0};
    troupe_ref ref = troupe_context_spawn(from, &owner, &options);
    ASSERT(!troupe_ref_is_none(ref));
    ASSERT(troupe_send_fields(from, ref, &owner_go_type, TROUPE_FIELDS(owner_go, )) == TROUPE_OK);
}

static void timers_with(uint32_t workers)
{
    troupe_system *system = race_start(workers);
    store_relaxed(&started_count, 0);
    store_relaxed(&fired_count, 0);
    store_relaxed(&cancelled_count, 0);
    store_relaxed(&ended_count, 0);
    store_relaxed(&finished, 0);
    for (uint64_t i = 0; i < OWNERS; i++)
        owner_spawn(troupe_system_context(system), race_seed() + i, LIVES);
    race_wait(&finished, OWNERS * LIVES);
    race_settle(system);
    assert_int_equal(load_relaxed(&started_count), load_relaxed(&fired_count) +
                                                       load_relaxed(&cancelled_count) +
                                                       load_relaxed(&ended_count));
    assert_true(load_relaxed(&fired_count) > 0 && load_relaxed(&cancelled_count) > 0);
    assert_true(load_relaxed(&ticks) > 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void timer_fires_once_or_is_cancelled_or_ends_with_its_owner(void **state)
{
    (void)state;
    race_run(timers_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_fires_once_or_is_cancelled_or_ends_with_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A system that is stopped while its actors still have work: everybody ends once, and hears of others' ends
 * on the way out. Simulated, so that the moment of the stop is another with each seed. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <troupe.h>

enum {
    PLAYERS = 40,
    WATCHERS = 40, /* older, and so still there when players end */
    SEEDS = 200,
};

TROUPE_MESSAGE_EMPTY(busy_ball)
#define BUSY_WATCH(F) F(ref, who)
TROUPE_MESSAGE(busy_watch, BUSY_WATCH)

static troupe_ref players[PLAYERS];
static troupe_ref watchers[WATCHERS];
static uint32_t ended;

static troupe_status player_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    (void)troupe_send(self, players[troupe_random(self) % PLAYERS], busy_ball);
    return TROUPE_OK;
}

/* Has nothing to do until players end. */
static troupe_status watcher_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t monitor;
    const busy_watch *watch = busy_watch_of(message);
    return watch != NULL ? troupe_monitor(self, watch->who, &monitor) : TROUPE_OK;
}

static void player_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    ended++;
}

static const troupe_behaviour player = {.name = "player", .receive = player_receive, .stop = player_stop};
static const troupe_behaviour watcher = {.name = "watcher", .receive = watcher_receive, .stop = player_stop};

/* Spawns all of them, so that their slots are one worker's; who has work then moves to others. */
static troupe_status parent_start(troupe_self *self)
{
    for (uint32_t i = 0; i < WATCHERS; i++)
        watchers[i] = troupe_spawn(self, &watcher, NULL);
    for (uint32_t i = 0; i < PLAYERS; i++)
        players[i] = troupe_spawn(self, &player, NULL);
    for (uint32_t i = 0; i < WATCHERS; i++)
        assert_int_equal(troupe_send(self, watchers[i], busy_watch, .who = players[i]), TROUPE_OK);
    for (uint32_t i = 0; i < PLAYERS; i++)
        assert_int_equal(troupe_send(self, players[i], busy_ball), TROUPE_OK);
    return TROUPE_OK;
}

static const troupe_behaviour parent = {
    .name = "parent", .start = parent_start, .receive = player_receive, .stop = player_stop};

static void everybody_ends_once_when_a_busy_system_stops(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const troupe_options options = {
            .workers = 3, .drain_ms = 1, .simulate = {.seed = seed, .delay_probability = 0.1}};
        troupe_system *system;
        ended = 0;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        troupe_spawn(system, &parent, NULL);
        troupe_sim_advance(system, 1);
        troupe_stop(&system);
        assert_int_equal(ended, 1 + PLAYERS + WATCHERS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_ends_once_when_a_busy_system_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

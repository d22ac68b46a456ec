/* SPDX-License-Identifier: MIT */
/*
 * Players on several threads hold for each other at random, through several of them at once: any ring that
 * was not seen would stand until its timeouts. So every call must be answered in time, and some must have met
 * a ring. Real threads; the sanitizers watch.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"

enum {
    PLAYERS = 7,
    CALLERS = 3,
    CALLS = 400, /* of each */
    DEPTH = 6,
    TIMEOUT_MS = 20000,
};

#define TURN_FIELDS(F) F(u32, depth)
TROUPE_MESSAGE(player_turn, TURN_FIELDS)
TROUPE_MESSAGE_EMPTY(player_done)

static troupe_ref players[PLAYERS];
static _Atomic uint32_t deadlocks;
static _Atomic uint32_t bad;

static troupe_status player_on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    const troupe_asker *kept = context;
    (void)reply;
    if (status != TROUPE_OK)
        atomic_fetch_add(&bad, 1);
    return troupe_reply(self, *kept, player_done);
}

static troupe_status player_receive(troupe_self *self, const troupe_message *message)
{
    const player_turn *turn = player_turn_of(message);
    troupe_asker *kept = troupe_state(self);
    if (turn == NULL)
        return TROUPE_UNEXPECTED;
    troupe_ref next = players[troupe_random(self) % PLAYERS];
    if (turn->depth % 3 == 2 && troupe_random(self) % 2 == 0) /* some pass it on instead */
        if (troupe_forward(self, next, message) == TROUPE_OK)
            return TROUPE_OK;
    *kept = troupe_asker_of(message);
    troupe_status status = TROUPE_DEADLOCK;
    if (turn->depth > 0)
        status = troupe_ask_hold(self, next, TIMEOUT_MS, player_on_reply, kept, player_turn,
                                 .depth = turn->depth - 1);
    if (status == TROUPE_OK)
        return TROUPE_OK;
    if (turn->depth > 0)
        atomic_fetch_add(status == TROUPE_DEADLOCK ? &deadlocks : &bad, 1);
    return troupe_reply(self, *kept, player_done);
}

static const troupe_behaviour player = {
    .name = "player", .state_size = sizeof(troupe_asker), .receive = player_receive};

static void *call_many(void *context)
{
    troupe_system *system = context;
    for (uint32_t i = 0; i < CALLS; i++) {
        troupe_message *reply;
        troupe_ref to = players[troupe_random(system) % PLAYERS];
        if (troupe_call(system, to, TIMEOUT_MS, &reply, player_turn, .depth = DEPTH) != TROUPE_OK)
            atomic_fetch_add(&bad, 1);
        else
            troupe_message_free(system, &reply);
    }
    return NULL;
}

static void rings_of_holds_are_seen_on_whatever_threads_they_close(void **state)
{
    (void)state;
    troupe_system *system;
    const troupe_options options = {.workers = 3};
    pthread_t threads[CALLERS];
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    for (int i = 0; i < PLAYERS; i++) /* some with a thread of their own: they never share a worker */
        players[i] = troupe_spawn(system, &player, &(troupe_spawn_options){.own_thread = i < 3});
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_many, system), 0);
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    print_message("%u rings refused\n", atomic_load(&deadlocks));
    assert_int_equal(atomic_load(&bad), 0);
    assert_true(atomic_load(&deadlocks) > 0);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_of_holds_are_seen_on_whatever_threads_they_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

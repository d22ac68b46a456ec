/* SPDX-License-Identifier: MIT */
/*
 * core_pinned_test.c: actors with a thread of their own: they may block without holding up others, and
 * their threads are used again, so that one that is restarted for ever does not use up the system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <troupe.h>

TROUPE_MESSAGE_EMPTY(ping)
TROUPE_MESSAGE_EMPTY(pong)

enum {
    LIVES = 600, /* more than there can be threads */
    BLOCK_MS = 200,
};

static troupe_status pinger_receive(troupe_self *self, const troupe_message *message)
{
    if (ping_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    return troupe_reply(self, troupe_asker_of(message), pong);
}

static const troupe_behaviour pinger = {.name = "pinger", .receive = pinger_receive};

static troupe_status blocker_receive(troupe_self *self, const troupe_message *message)
{
    nanosleep(&(struct timespec){.tv_nsec = BLOCK_MS * 1000000L}, NULL);
    return pinger_receive(self, message);
}

static const troupe_behaviour blocker = {.name = "blocker", .receive = blocker_receive};

static void thread_of_an_ended_actor_serves_the_next(void **state)
{
    (void)state;
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    for (int i = 0; i < LIVES; i++) {
        troupe_status status;
        troupe_message *reply;
        troupe_spawn_options options = {.own_thread = true, .ret_status = &status};
        troupe_ref who = troupe_spawn(system, &pinger, &options);
        assert_int_equal(status, TROUPE_OK);
        assert_int_equal(troupe_call(system, who, 5000, &reply, ping), TROUPE_OK);
        troupe_message_free(system, &reply);
        troupe_shutdown(system, who, TROUPE_SHUTDOWN);
        troupe_actor_info info;
        while (troupe_actor_inspect(system, who, &info) == TROUPE_OK)
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static void blocked_actor_of_its_own_thread_holds_up_nobody(void **state)
{
    (void)state;
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    troupe_ref slow = troupe_spawn(system, &blocker, &(troupe_spawn_options){.own_thread = true});
    troupe_ref quick = troupe_spawn(system, &pinger, NULL);
    assert_int_equal(troupe_send(system, slow, ping), TROUPE_OK);
    uint64_t then_ns = troupe_now_ns(system);
    for (int i = 0; i < 20; i++) {
        troupe_message *reply;
        assert_int_equal(troupe_call(system, quick, 5000, &reply, ping), TROUPE_OK);
        troupe_message_free(system, &reply);
    }
    assert_true(troupe_now_ns(system) - then_ns < BLOCK_MS * UINT64_C(1000000));
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_of_an_ended_actor_serves_the_next),
        cmocka_unit_test(blocked_actor_of_its_own_thread_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

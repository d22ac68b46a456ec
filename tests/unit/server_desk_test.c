/* SPDX-License-Identifier: MIT */
/*
 * Desks and roles as actors in a simulated system: who gets which message, how many, and that nobody is told
 * "nothing" while something waits. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/server_house.h"

static const char organisation[] =
    "{\"actors\":[{\"name\":\"bot\",\"kind\":\"program\",\"wip_limit\":1000},"
    "{\"name\":\"ann\",\"kind\":\"person\"}],"
    "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
    "{\"name\":\"build\",\"holders\":[\"bot\",\"ann\"]},{\"name\":\"test\",\"holders\":[\"bot\"]}]}";

static void send_some(struct house *house, const char *role, int count)
{
    for (int i = 0; i < count; i++) {
        char subject[32];
        snprintf(subject, sizeof subject, "job %d", i);
        troupe_message *reply =
            house_ask(house, house_actor(house, role), role_send, .id = ids_next(&house->ids, 1700000000000),
                      .actor = "ann", .subject = subject, .message_class = 1);
        assert_int_equal(house_status(house, reply), 202);
    }
}

/* --- many who ask at once --------------------------------------------------------------------- */

/* An actor that asks for work many times at once, and counts the answers. */
struct crowd {
    troupe_ref desk;
    uint32_t count;
    uint32_t *served;
    uint32_t *nothing;
    uint32_t *answers;
    const char *role;
};

static troupe_status on_work(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    (void)self;
    struct crowd *crowd = context;
    const answered *yes = status == TROUPE_OK ? answered_of(reply) : NULL;
    ++*crowd->answers;
    *crowd->served += yes != NULL && yes->status == 200;
    *crowd->nothing += yes != NULL && yes->status == 204;
    return TROUPE_OK;
}

static troupe_status crowd_start(troupe_self *self)
{
    struct crowd *crowd = troupe_state(self);
    for (uint32_t i = 0; i < crowd->count; i++) {
        troupe_status status = troupe_ask(self, crowd->desk, HOUSE_TIMEOUT_MS, on_work, crowd, desk_next,
                                          .role = crowd->role, .wip_limit = 1000);
        if (status != TROUPE_OK)
            return status;
    }
    return TROUPE_OK;
}

static troupe_status crowd_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static bool is_answered(void *context)
{
    const struct crowd *crowd = context;
    return *crowd->answers == crowd->count;
}

/* Asks `count` times at once; gives how many got a message. */
static uint32_t ask_at_once(struct house *house, const char *role, uint32_t count, uint32_t *ret_nothing)
{
    static const troupe_behaviour behaviour = {
        .name = "crowd", .state_size = sizeof(struct crowd), .start = crowd_start, .receive = crowd_receive};
    uint32_t served = 0;
    uint32_t nothing = 0;
    uint32_t answers = 0;
    struct crowd crowd = {.desk = house_desk(house, "bot"),
                          .count = count,
                          .served = &served,
                          .nothing = &nothing,
                          .answers = &answers,
                          .role = role};
    troupe_status status;
    troupe_spawn(house->system, &behaviour,
                 (&(troupe_spawn_options){.state = &crowd, .ret_status = &status}));
    assert_int_equal(status, TROUPE_OK);
    assert_int_equal(troupe_sim_run_until(house->system, is_answered, &crowd, HOUSE_TIMEOUT_MS), TROUPE_OK);
    *ret_nothing = nothing;
    return served;
}

static void requests_beyond_one_look_get_what_waits(void **state)
{
    (void)state;
    struct house house;
    uint32_t nothing;
    house_open(&house, 1);
    house_import(&house, organisation);
    send_some(&house, "build", 150);
    assert_int_equal(ask_at_once(&house, "build", 170, &nothing), 150);
    assert_int_equal(nothing, 20);
    house_close(&house);
}

static void requests_beyond_one_look_get_what_waits_in_any_role(void **state)
{
    (void)state;
    struct house house;
    uint32_t nothing;
    house_open(&house, 2);
    house_import(&house, organisation);
    send_some(&house, "build", 120);
    send_some(&house, "test", 130);
    assert_int_equal(ask_at_once(&house, "", 260, &nothing), 250);
    assert_int_equal(nothing, 10);
    house_close(&house);
}

/* What is held for another actor hides nothing behind it. */
static void messages_for_another_actor_hide_nothing(void **state)
{
    (void)state;
    struct house house;
    uint32_t nothing;
    house_open(&house, 3);
    house_import(&house, organisation);
    send_some(&house, "build", 200);
    assert_int_equal(ask_at_once(&house, "build", 180, &nothing), 180);
    /* The leases of a program end after ten minutes: the 180 go to the deputy. */
    troupe_sim_advance(house.system, 11 * 60 * 1000);
    assert_int_equal(ask_at_once(&house, "build", 30, &nothing), 20);
    assert_int_equal(nothing, 10);
    house_close(&house);
}

/* --- sleeping roles --------------------------------------------------------------------------- */

static int next_of_bot(struct house *house, uint32_t wip_limit)
{
    return house_status(house, house_ask(house, house_desk(house, "bot"), desk_next, .wip_limit = wip_limit));
}

static bool sleeps(const struct house *house, const char *role)
{
    return troupe_ref_is_none(troupe_whereis(house->system, role));
}

static void who_looks_for_work_wakes_no_role_in_which_there_is_nothing(void **state)
{
    (void)state;
    struct house house;
    house_open(&house, 4);
    house_import(&house, organisation);
    troupe_sim_advance(house.system, 300000);
    assert_true(sleeps(&house, "build") && sleeps(&house, "test"));
    assert_int_equal(next_of_bot(&house, 1), 204);
    assert_true(sleeps(&house, "build") && sleeps(&house, "test"));

    send_some(&house, "test", 1);
    assert_false(sleeps(&house, "test"));
    troupe_sim_advance(house.system, 300000);
    assert_true(sleeps(&house, "test")); /* with something that waits */
    assert_int_equal(next_of_bot(&house, 1), 200);
    assert_true(sleeps(&house, "build"));
    troupe_sim_advance(house.system, 300000);
    assert_true(sleeps(&house, "test")); /* with something that is held */
    assert_int_equal(next_of_bot(&house, 1), 200);
    house_crash(&house, 1000); /* who starts anew knows it from the summaries */
    assert_int_equal(next_of_bot(&house, 2), 204);
    assert_int_equal(next_of_bot(&house, 1), 200);
    assert_true(sleeps(&house, "build"));
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_beyond_one_look_get_what_waits),
        cmocka_unit_test(requests_beyond_one_look_get_what_waits_in_any_role),
        cmocka_unit_test(messages_for_another_actor_hide_nothing),
        cmocka_unit_test(who_looks_for_work_wakes_no_role_in_which_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

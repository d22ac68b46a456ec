/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/chase: an ask that times out in a ring of open asks says so, with the path; any other does
 * not. Virtual time, one thread.
 */
#include "unit/core_probe.h"

#include "core/chase.h"

enum {
    TIMEOUT_MS = 1000,
    ACTORS = CHASE_HOPS_MAX + 4,
    ASKS_MANY = 40,
};

static struct probe actors[ACTORS];
static struct probe *asked;
static uint32_t timeout_ms;
static char paths[ACTORS][4096]; /* what each had at its last timeout */
static uint32_t timeouts[ACTORS];

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    size_t i = (size_t)((struct probe *)context - actors);
    (void)reply;
    if (status == TROUPE_TIMEOUT) {
        timeouts[i]++;
        snprintf(paths[i], sizeof paths[i], "%s", troupe_wait_path(self));
    }
    return TROUPE_OK;
}

static troupe_status ask_now(troupe_self *self)
{
    return troupe_ask(self, asked->ref, timeout_ms, on_reply, *(struct probe **)troupe_state(self),
                      probe_question, .value = 1);
}

static void ask(troupe_system *system, uint32_t from, uint32_t to)
{
    asked = &actors[to];
    probe_do(system, &actors[from], ask_now);
}

/* Actors named "0", "1", ... */
static troupe_system *begin(uint32_t count)
{
    troupe_system *system = probe_system(3);
    timeout_ms = TIMEOUT_MS;
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        probe_spawn(system, &actors[i], &(troupe_spawn_options){.name = name});
        snprintf(paths[i], sizeof paths[i], "no timeout");
        timeouts[i] = 0;
    }
    return system;
}

static void ask_that_times_out_in_a_ring_names_it(void **state)
{
    (void)state;
    for (timeout_ms = 3; timeout_ms <= TIMEOUT_MS; timeout_ms += TIMEOUT_MS - 3) {
        uint32_t wanted_ms = timeout_ms;
        troupe_system *system = begin(3);
        timeout_ms = wanted_ms;
        ask(system, 0, 1);
        ask(system, 1, 2);
        ask(system, 2, 0);
        troupe_sim_advance(system, timeout_ms + 5);
        assert_string_equal(paths[0], "0 -> 1 -> 2 -> 0"); /* the first to ask is the first to tell */
        assert_int_equal(timeouts[0] + timeouts[1] + timeouts[2], 3);
        probe_system_stop(system);
    }
}

static void ask_that_times_out_in_no_ring_has_no_path(void **state)
{
    (void)state;
    troupe_system *system = begin(4);
    ask(system, 0, 1);
    ask(system, 1, 2);
    ask(system, 2, 3);
    ask(system, 3, 1); /* a ring, but not one that 0 is in */
    troupe_sim_advance(system, TIMEOUT_MS + 5);
    assert_string_equal(paths[0], "");
    assert_string_equal(paths[1], "1 -> 2 -> 3 -> 1");
    probe_system_stop(system);
}

static void path_is_of_the_last_timeout(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    ask(system, 0, 1);
    ask(system, 1, 0);
    troupe_sim_advance(system, TIMEOUT_MS + 5);
    assert_string_equal(paths[0], "0 -> 1 -> 0");
    ask(system, 0, 2);
    troupe_sim_advance(system, TIMEOUT_MS + 5);
    assert_int_equal(timeouts[0], 2);
    assert_string_equal(paths[0], "");
    probe_system_stop(system);
}

static troupe_status answer_first(troupe_self *self)
{
    return troupe_reply(self, actors[1].asker, probe_answer, .value = 1);
}

static void ask_that_is_answered_in_time_starts_no_chase(void **state)
{
    (void)state;
    troupe_system *system = begin(2);
    ask(system, 0, 1);
    probe_do(system, &actors[1], answer_first);
    uint64_t sent = probe_counters(system).sent;
    troupe_sim_advance(system, 2 * TIMEOUT_MS);
    assert_int_equal(probe_counters(system).sent, sent);
    assert_int_equal(timeouts[0], 0);
    probe_system_stop(system);
}

static void answer_within_the_last_of_the_time_is_taken(void **state)
{
    (void)state;
    troupe_system *system = begin(2);
    ask(system, 0, 1);
    troupe_sim_advance(system, TIMEOUT_MS - CHASE_AHEAD_MS / 2);
    assert_int_equal(timeouts[0], 0);
    probe_do(system, &actors[1], answer_first);
    troupe_sim_advance(system, TIMEOUT_MS);
    assert_int_equal(timeouts[0], 0);
    probe_system_stop(system);
}

static void chase_ends_at_its_bounds(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) { /* as many others as there are hops, and one more */
        uint32_t count = CHASE_HOPS_MAX + 1 + more;
        troupe_system *system = begin(count);
        for (uint32_t i = 0; i < count; i++)
            ask(system, i, (i + 1) % count);
        troupe_sim_advance(system, TIMEOUT_MS + 5);
        assert_int_equal(paths[0][0] == '0', more == 0);
        probe_system_stop(system);
    }
}

/* Everybody has asked everybody: without a budget, a chase would take more messages than there are atoms. */
static void chase_among_many_open_asks_stays_within_its_budget(void **state)
{
    (void)state;
    troupe_system *system = begin(12);
    for (uint32_t i = 0; i < 12; i++)
        for (uint32_t k = 0; k < ASKS_MANY; k++)
            ask(system, i, (i + 1 + k) % 12);
    uint64_t sent = probe_counters(system).sent;
    troupe_sim_advance(system, TIMEOUT_MS + 5);
    uint64_t asks = 12 * ASKS_MANY;
    /* For each ask its chase, two firings of its timer, and word that it is over. */
    assert_true(probe_counters(system).sent - sent <= asks * (CHASE_BUDGET + 3));
    assert_int_equal(timeouts[0], ASKS_MANY);
    probe_system_stop(system);
}

static troupe_status fail_on_timeout(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    (void)self;
    (void)reply;
    (void)context;
    return status;
}

static troupe_status ask_and_fail(troupe_self *self)
{
    return troupe_ask(self, asked->ref, TIMEOUT_MS, fail_on_timeout, NULL, probe_question, .value = 1);
}

static troupe_status monitor_first(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor(self, actors[0].ref, &monitor);
}

static void path_is_the_text_of_a_failure_by_timeout(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    probe_do(system, &actors[2], monitor_first);
    asked = &actors[1];
    probe_do(system, &actors[0], ask_and_fail);
    ask(system, 1, 0);
    troupe_sim_advance(system, TIMEOUT_MS + 5);
    assert_int_equal(actors[2].downs[0].reason, TROUPE_TIMEOUT);
    assert_string_equal(actors[2].why, "0 -> 1 -> 0");
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_that_times_out_in_a_ring_names_it),
        cmocka_unit_test(ask_that_times_out_in_no_ring_has_no_path),
        cmocka_unit_test(path_is_of_the_last_timeout),
        cmocka_unit_test(ask_that_is_answered_in_time_starts_no_chase),
        cmocka_unit_test(answer_within_the_last_of_the_time_is_taken),
        cmocka_unit_test(chase_ends_at_its_bounds),
        cmocka_unit_test(chase_among_many_open_asks_stays_within_its_budget),
        cmocka_unit_test(path_is_the_text_of_a_failure_by_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

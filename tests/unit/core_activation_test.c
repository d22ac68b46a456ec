/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/activation: what one turn of an actor is, and that a message taken out is handled or a
 * dead letter, never both. Most of it on an embedded system, whose turns the simulator does not cut short.
 * One thread.
 */
#include "unit/core_probe.h"

#include "core/scheduler.h"
#include "core/system.h"

enum {
    BATCH = ACTIVATION_MESSAGES_MAX,
    TURNS_MAX = 16,
};

/* What a worker does writes here, turn by turn. */
static uint32_t handled_count;
static uint32_t turn_count;
static uint32_t turns[TURNS_MAX]; /* messages of each */
static uint32_t others_between;   /* messages of the other actor when the first one's second turn began */
static uint32_t others_count;
static troupe_status flush_status;
static troupe_status receive_status;
static bool exits;

static troupe_status worker_receive(troupe_self *self, const troupe_message *message)
{
    if (probe_value_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    if (turn_count == 1 && turns[1] == 0)
        others_between = others_count;
    turns[turn_count]++;
    handled_count++;
    if (exits)
        troupe_exit(self);
    return receive_status;
}

static troupe_status worker_flush(troupe_self *self)
{
    (void)self;
    turn_count++;
    return flush_status;
}

static uint32_t stop_count;

static void worker_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    stop_count++;
}

static const troupe_behaviour worker = {
    .name = "worker", .receive = worker_receive, .flush = worker_flush, .stop = worker_stop};

static troupe_status other_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    others_count++;
    return TROUPE_OK;
}

static const troupe_behaviour other = {.name = "other", .receive = other_receive};

static troupe_system *begin(void)
{
    const troupe_options options = {.embedded = true};
    troupe_system *system = NULL;
    handled_count = turn_count = others_between = others_count = stop_count = 0;
    flush_status = receive_status = TROUPE_OK;
    exits = false;
    memset(turns, 0, sizeof turns);
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static void run(troupe_system *system)
{
    uint64_t wait_ms;
    for (int i = 0; i < 3; i++)
        assert_int_equal(troupe_step(system, 100000, &wait_ms), TROUPE_OK);
}

static troupe_ref spawn(troupe_system *system, const troupe_behaviour *behaviour)
{
    troupe_ref ref = troupe_spawn(system, behaviour, NULL);
    assert_false(troupe_ref_is_none(ref));
    run(system);
    turn_count = 0; /* the one that it started in */
    return ref;
}

static void send_many(troupe_system *system, troupe_ref to, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(troupe_send(system, to, probe_value, .value = i), TROUPE_OK);
}

static troupe_counters end(troupe_system *system)
{
    run(system);
    troupe_counters counters = probe_counters(system);
    assert_int_equal(troupe_stop(&system), 0);
    return counters;
}

static void turn_is_a_batch_of_messages_and_not_one_more(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref ref = spawn(system, &worker);
    send_many(system, ref, 2 * BATCH + 1);
    run(system);
    assert_int_equal(handled_count, 2 * BATCH + 1);
    assert_true(turn_count >= 3);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < turn_count; i++) {
        assert_in_range(turns[i], 1, BATCH); /* and no turn of nothing */
        sum += turns[i];
    }
    assert_int_equal(sum, handled_count);
    assert_int_equal(end(system).handled, 2 * BATCH + 1);
}

static void others_have_their_turn_between_two_of_a_busy_actor(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref ref = spawn(system, &worker);
    troupe_ref second = spawn(system, &other);
    send_many(system, ref, 2 * BATCH);
    send_many(system, second, 1);
    run(system);
    assert_int_equal(handled_count, 2 * BATCH);
    assert_int_equal(others_between, 1);
    end(system);
}

static void turn_that_ends_an_actor_has_no_flush_and_no_further_message(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2; way++) {
        troupe_system *system = begin();
        troupe_ref ref = spawn(system, &worker);
        exits = way == 0;
        receive_status = way == 0 ? TROUPE_OK : TROUPE_IO;
        send_many(system, ref, 5);
        run(system);
        assert_int_equal(handled_count, 1);
        assert_int_equal(turn_count, 0);
        assert_int_equal(stop_count, 1);
        troupe_counters counters = end(system);
        assert_int_equal(counters.handled, 1); /* the one over which it ended was handled, */
        assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_ENDED], 4); /* the others were not */
        assert_int_equal(counters.actors_failed, way);
    }
}

static void refusal_is_a_dead_letter_and_not_handled(void **state)
{
    (void)state;
    troupe_system *system = begin();
    troupe_ref ref = spawn(system, &worker);
    send_many(system, ref, 1);
    assert_int_equal(troupe_send(system, ref, probe_question, .value = 1), TROUPE_OK);
    send_many(system, ref, 1);
    run(system);
    assert_int_equal(handled_count, 2); /* it goes on */
    troupe_counters counters = end(system);
    assert_int_equal(counters.handled, 2);
    assert_int_equal(counters.dead_letters_by[TROUPE_DEAD_UNEXPECTED], 1);
}

/* Of a flush it would mean nothing, so it is a failure there: invariant 3. */
static void unexpected_is_a_failure_from_anything_but_a_handler(void **state)
{
    (void)state;
    static const troupe_status answers[] = {TROUPE_UNEXPECTED, TROUPE_STASHED};
    for (size_t i = 0; i < 2; i++) {
        troupe_system *system = begin();
        troupe_ref ref = spawn(system, &worker);
        flush_status = answers[i];
        send_many(system, ref, 1);
        run(system);
        assert_int_equal(stop_count, 1);
        troupe_counters counters = end(system);
        assert_int_equal(counters.handled, 1);
        assert_int_equal(counters.actors_failed, 1);
    }
}

static struct probe late;

/* Deadlines are looked at when the message is taken out, and that millisecond is still in time. */
static void message_is_taken_up_to_its_deadline_and_not_after(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        troupe_system *system = probe_system(1);
        probe_spawn(system, &late, NULL);
        troupe_sim_advance(system, 7);
        uint64_t now_ms = troupe_now_ns(system) / 1000000;
        assert_int_equal(troupe_send(system, late.ref, probe_value, .value = 1, .envelope.deadline_ms = 5),
                         TROUPE_OK);
        env_sim_advance_to(system->env, (now_ms + 5 + more) * 1000000 + 1);
        settle(system);
        assert_int_equal(late.value_count, 1 - more);
        assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_EXPIRED], more);
        probe_system_stop(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turn_is_a_batch_of_messages_and_not_one_more),
        cmocka_unit_test(others_have_their_turn_between_two_of_a_busy_actor),
        cmocka_unit_test(turn_that_ends_an_actor_has_no_flush_and_no_further_message),
        cmocka_unit_test(refusal_is_a_dead_letter_and_not_handled),
        cmocka_unit_test(unexpected_is_a_failure_from_anything_but_a_handler),
        cmocka_unit_test(message_is_taken_up_to_its_deadline_and_not_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/relief that need no thread: what counts as being in the runtime, and each step of a relief
 * taken by hand, with two workers of a simulated system as the stuck one and its spare. Handlers that are
 * really stuck: race/core_relief_test.c. One thread.
 */
#include "unit/core_probe.h"

#include "core/relief.h"
#include "core/system.h"

static struct probe probe;
static troupe_system *system_now;
static struct worker *stuck;
static struct worker *spare;

/* Nobody is in a handler: this thread is between two steps of the simulation, and may play any worker. */
static void begin(void)
{
    system_now = probe_system(2);
    probe_spawn(system_now, &probe, NULL);
    uint32_t home = load_relaxed(&system_find(system_now, probe.ref)->home);
    stuck = system_now->workers[home];
    spare = system_now->workers[1 - home];
    assert_ptr_equal(stuck->seat->actor, system_find(system_now, probe.ref));
}

static void call(uint64_t turn)
{
    spare->relieves_turn = turn;
    store_seq_cst(&spare->relieves, stuck);
}

static uint64_t turn_of(const struct worker *worker)
{
    return load_relaxed(&worker->counters.activations);
}

/* Whether the spare is in the pool; takes it out. */
static bool is_given_back(void)
{
    bool is_it = system_now->pinned_free == spare;
    system_now->pinned_free = NULL;
    return is_it;
}

static uint32_t depth_then;

static void enter_inner(troupe_self *self, bool leaves_early)
{
    RUNTIME_SCOPE(self);
    assert_int_equal(load_relaxed(&self->in_runtime), depth_then + 2);
    if (leaves_early)
        return;
    assert_ptr_equal(worker, self->context.worker);
}

static void enter_twice(troupe_self *self, bool leaves_early)
{
    RUNTIME_SCOPE(self);
    assert_ptr_equal(worker, self->context.worker);
    assert_int_equal(load_relaxed(&self->in_runtime), depth_then + 1);
    enter_inner(self, leaves_early);
    assert_int_equal(load_relaxed(&self->in_runtime), depth_then + 1);
}

static void scopes_nest_and_end_however_their_block_ends(void **state)
{
    (void)state;
    begin();
    depth_then = load_relaxed(&stuck->seat->in_runtime);
    enter_twice(stuck->seat, false);
    assert_int_equal(load_relaxed(&stuck->seat->in_runtime), depth_then);
    enter_twice(stuck->seat, true);
    assert_int_equal(load_relaxed(&stuck->seat->in_runtime), depth_then);
    probe_system_stop(system_now);
}

static uint32_t in_start, in_receive, in_reply, in_flush, in_stop;

static troupe_status seen_start(troupe_self *self)
{
    in_start = load_relaxed(&self->in_runtime);
    return TROUPE_OK;
}

static troupe_status seen_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    (void)status;
    (void)reply;
    (void)context;
    in_reply = load_relaxed(&self->in_runtime);
    return TROUPE_OK;
}

static troupe_status seen_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    in_receive = load_relaxed(&self->in_runtime);
    troupe_status status = troupe_ask(self, probe.ref, 5, seen_reply, NULL, probe_question, .value = 1);
    assert_int_equal(load_relaxed(&self->in_runtime), in_receive); /* as before the call */
    return status;
}

static troupe_status seen_flush(troupe_self *self)
{
    in_flush = load_relaxed(&self->in_runtime);
    return TROUPE_OK;
}

static void seen_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    in_stop = load_relaxed(&self->in_runtime);
}

/* Invariant 3. */
static void only_start_handlers_continuations_and_flush_are_outside_the_runtime(void **state)
{
    (void)state;
    static const troupe_behaviour seen = {
        .name = "seen", .start = seen_start, .receive = seen_receive, .flush = seen_flush, .stop = seen_stop};
    begin();
    in_start = in_receive = in_reply = in_flush = 9;
    in_stop = 0;
    troupe_ref ref = troupe_spawn(system_now, &seen, NULL);
    assert_int_equal(troupe_send(system_now, ref, probe_value, .value = 1), TROUPE_OK);
    troupe_sim_advance(system_now, 10); /* the question times out */
    troupe_shutdown(system_now, ref, TROUPE_OK);
    settle(system_now);
    assert_int_equal(in_start, 0);
    assert_int_equal(in_receive, 0);
    assert_int_equal(in_reply, 0);
    assert_int_equal(in_flush, 0);
    assert_true(in_stop > 0);
    assert_true(load_relaxed(&stuck->seat->in_runtime) > 0); /* between two turns */
    probe_system_stop(system_now);
}

static void spare_that_nobody_called_does_nothing(void **state)
{
    (void)state;
    begin();
    relief_serve(spare);
    assert_false(is_given_back());
    assert_int_equal(probe_counters(system_now).relieved, 0);
    probe_system_stop(system_now);
}

static void expect_not_relieved(troupe_self *seat_then)
{
    relief_serve(spare);
    assert_true(is_given_back());
    assert_null(load_relaxed(&spare->relieves));
    assert_ptr_equal(stuck->seat, seat_then);
    assert_ptr_equal(seat_then->context.worker, stuck);
    assert_false(load_relaxed(&seat_then->is_revoked)); /* or it would wait for ever */
    assert_int_equal(probe_counters(system_now).relieved, 0);
}

static void spare_gives_back_a_worker_that_is_not_stuck_any_more(void **state)
{
    (void)state;
    if (!env_barrier_register())
        skip(); /* nobody is relieved where there is none */
    begin();
    troupe_self *seat = stuck->seat;
    uint32_t depth = load_relaxed(&seat->in_runtime);
    call(turn_of(stuck)); /* the same turn, but it is in the runtime */
    expect_not_relieved(seat);
    store_relaxed(&seat->in_runtime, 0);
    call(turn_of(stuck) - 1); /* in a handler, but of a later turn */
    expect_not_relieved(seat);
    call(turn_of(stuck)); /* the system stops: it is waited for */
    store_relaxed(&system_now->is_stopping, true);
    expect_not_relieved(seat);
    store_relaxed(&system_now->is_stopping, false);
    store_relaxed(&seat->in_runtime, depth);
    probe_system_stop(system_now);
}

/* From the call to the pool, on one thread that plays both. */
static void stuck_thread_keeps_its_actor_and_the_spares_has_the_rest(void **state)
{
    (void)state;
    static struct probe second;
    if (!env_barrier_register())
        skip(); /* nobody is relieved where there is none */
    begin();
    troupe_self *seat = stuck->seat;
    troupe_self *spares_seat = spare->seat;
    struct actor *actor = seat->actor;
    uint32_t depth = load_relaxed(&seat->in_runtime);
    store_relaxed(&seat->in_runtime, 0); /* as in a handler */
    call(turn_of(stuck));
    relief_serve(spare);
    assert_false(is_given_back());
    assert_ptr_equal(seat->context.worker, spare); /* what the handler calls goes there */
    assert_ptr_equal(spares_seat->context.worker, stuck);
    assert_ptr_equal(spare->seat, seat);
    assert_ptr_equal(stuck->seat, spares_seat);
    assert_int_equal(load_relaxed(&actor->home), spare->index);
    assert_int_equal(spare->self.ref.bits, probe.ref.bits);
    assert_false(load_relaxed(&seat->is_revoked));
    store_relaxed(&seat->in_runtime, depth); /* the handler comes back */
    relief_return(spare);
    assert_int_equal(load_relaxed(&actor->home), stuck->index);
    assert_true(spare->is_returning);
    store_relaxed(&spare->watch_count, 1); /* what it began to watch there ties the spare */
    relief_serve(spare);
    assert_false(is_given_back());
    store_relaxed(&spare->watch_count, 0);
    relief_serve(spare);
    assert_true(is_given_back());
    assert_false(spare->is_returning);
    relief_serve(spare);
    assert_false(is_given_back()); /* once */
    assert_int_equal(probe_counters(system_now).relieved, 1);
    assert_int_equal(troupe_send(system_now, probe.ref, probe_value, .value = 3), TROUPE_OK);
    probe_spawn(system_now, &second, NULL); /* all goes on, each worker with the other's seat */
    assert_int_equal(probe.value_count, 1);
    probe_system_stop(system_now);
}

static void watchdog_that_sleeps_is_roused_once(void **state)
{
    (void)state;
    begin();
    struct watchdog *watchdog = &system_now->watchdog;
    relief_stop(system_now); /* which was never started */
    relief_rouse(system_now);
    assert_false(load_relaxed(&watchdog->is_dormant));
    assert_int_equal(system_now->env->ops->poller_new(system_now->env, &watchdog->poller), TROUPE_OK);
    store_relaxed(&watchdog->is_dormant, true);
    relief_rouse(system_now);
    assert_false(load_relaxed(&watchdog->is_dormant));
    relief_done(system_now);
    assert_null(watchdog->poller);
    relief_done(system_now); /* twice is once */
    probe_system_stop(system_now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_nest_and_end_however_their_block_ends),
        cmocka_unit_test(only_start_handlers_continuations_and_flush_are_outside_the_runtime),
        cmocka_unit_test(spare_that_nobody_called_does_nothing),
        cmocka_unit_test(spare_gives_back_a_worker_that_is_not_stuck_any_more),
        cmocka_unit_test(stuck_thread_keeps_its_actor_and_the_spares_has_the_rest),
        cmocka_unit_test(watchdog_that_sleeps_is_roused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/extras: the table of handles, whose ids never find another's entry, and what goes with an
 * actor. The slot of a simulated system's actor, used by hand while it stands still. One thread.
 */
#include "unit/core_probe.h"

#include "core/extras.h"
#include "core/system.h"

enum {
    MANY = 1000,
};

static struct probe probe;
static troupe_system *system_now;
static struct worker *worker;
static struct actor *actor;

static void begin(void)
{
    system_now = probe_system(1);
    probe_spawn(system_now, &probe, NULL);
    actor = system_find(system_now, probe.ref);
    assert_non_null(actor);
    worker = system_now->workers[load_relaxed(&actor->home)];
}

static uint64_t new_handle(enum handle_kind kind)
{
    uint64_t id = 0;
    struct handle *handle;
    assert_int_equal(handle_new(worker, actor, kind, &id, &handle), TROUPE_OK);
    assert_ptr_equal(handle_find(actor, kind, id), handle);
    assert_int_equal(handle->kind, kind);
    return id;
}

static void actor_has_none_until_it_needs_some(void **state)
{
    (void)state;
    begin();
    assert_null(actor->extras);
    assert_null(handle_find(actor, HANDLE_TIMER, UINT64_C(1) << 32 | 1));
    struct extras *extras = extras_of(worker, actor);
    assert_non_null(extras);
    assert_ptr_equal(extras_of(worker, actor), extras);
    assert_int_equal(extras->handle_count, 0);
    assert_int_equal(extras->handle_capacity, 0);
    extras_free(worker, actor);
    assert_null(actor->extras);
    extras_free(worker, actor); /* nothing is fine */
    probe_system_stop(system_now);
}

static void handles_are_found_by_kind_and_id_as_the_table_grows(void **state)
{
    (void)state;
    static uint64_t ids[MANY];
    begin();
    for (uint32_t i = 0; i < MANY; i++) {
        ids[i] = new_handle(i % 2 == 0 ? HANDLE_MONITOR : HANDLE_WATCH);
        handle_find(actor, i % 2 == 0 ? HANDLE_MONITOR : HANDLE_WATCH, ids[i])->to = (troupe_ref){i};
    }
    assert_int_equal(actor->extras->handle_count, MANY);
    assert_int_equal(actor->extras->handle_counts[HANDLE_MONITOR], MANY / 2);
    assert_int_equal(actor->extras->handle_counts[HANDLE_WATCH], MANY / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        enum handle_kind kind = i % 2 == 0 ? HANDLE_MONITOR : HANDLE_WATCH;
        enum handle_kind other = i % 2 == 0 ? HANDLE_WATCH : HANDLE_MONITOR;
        assert_int_equal(handle_find(actor, kind, ids[i])->to.bits, i);
        assert_null(handle_find(actor, other, ids[i]));
        assert_null(handle_find(actor, kind, ids[i] + (UINT64_C(1) << 32)));
    }
    assert_null(handle_find(actor, HANDLE_MONITOR, 0));
    assert_null(handle_find(actor, HANDLE_MONITOR, UINT64_MAX));
    for (uint32_t i = 0; i < MANY; i++)
        handle_drop(actor, ids[i]);
    assert_int_equal(actor->extras->handle_count, 0);
    extras_free(worker, actor);
    probe_system_stop(system_now);
}

/* The place of a dropped handle is used again, under another id: cancelling is exact. */
static void id_of_a_dropped_handle_finds_nothing_ever_after(void **state)
{
    (void)state;
    static uint64_t ids[MANY];
    begin();
    for (uint32_t i = 0; i < MANY; i++) {
        ids[i] = new_handle(HANDLE_MONITOR);
        for (uint32_t j = 0; j < i; j++)
            assert_null(handle_find(actor, HANDLE_MONITOR, ids[j]));
        handle_drop(actor, ids[i]);
        assert_null(handle_find(actor, HANDLE_MONITOR, ids[i]));
    }
    assert_int_equal((uint32_t)ids[MANY - 1], (uint32_t)ids[0]);
    assert_int_equal(actor->extras->handle_capacity, 4); /* one at a time needs no more */
    assert_int_equal(actor->extras->handle_counts[HANDLE_MONITOR], 0);
    extras_free(worker, actor);
    probe_system_stop(system_now);
}

/* Zero would make the id of an entry one that was never given out. */
static void generation_comes_round_to_one(void **state)
{
    (void)state;
    begin();
    uint64_t id = new_handle(HANDLE_MONITOR);
    uint32_t index = (uint32_t)id - 1;
    actor->extras->handles[index].generation = UINT32_MAX;
    handle_drop(actor, (uint64_t)UINT32_MAX << 32 | (index + 1));
    assert_int_equal(new_handle(HANDLE_MONITOR), UINT64_C(1) << 32 | (index + 1));
    handle_drop(actor, UINT64_C(1) << 32 | (index + 1));
    extras_free(worker, actor);
    probe_system_stop(system_now);
}

static void new_handle_has_nothing_of_the_one_before(void **state)
{
    (void)state;
    begin();
    uint64_t id = new_handle(HANDLE_MONITOR);
    struct handle *handle = handle_find(actor, HANDLE_MONITOR, id);
    handle->is_link = handle->is_in_ring = true;
    handle->u.peer = UINT64_MAX;
    handle_drop(actor, id);
    id = new_handle(HANDLE_WATCH);
    assert_ptr_equal(handle_find(actor, HANDLE_WATCH, id), handle);
    assert_false(handle->is_link);
    assert_false(handle->is_in_ring);
    assert_int_equal(handle->u.peer, 0);
    handle_drop(actor, id);
    extras_free(worker, actor);
    probe_system_stop(system_now);
}

static uint64_t timer_id;
static uint64_t monitor_id;

static troupe_status begin_things(troupe_self *self)
{
    assert_int_equal(troupe_timer_start(self, 50, 50, 0, &timer_id), TROUPE_OK);
    return troupe_monitor(self, probe.asker.ref, &monitor_id);
}

/* Nothing comes of what an actor had under way to the next tenant of its slot. */
static void things_under_way_end_with_the_actor(void **state)
{
    (void)state;
    static struct probe watched;
    static struct probe next;
    begin();
    probe_spawn(system_now, &watched, NULL);
    probe.asker.ref = watched.ref;
    probe_do(system_now, &probe, begin_things);
    assert_int_equal(actor->extras->handle_counts[HANDLE_TIMER], 1);
    assert_int_equal(actor->extras->handle_counts[HANDLE_MONITOR], 1);
    troupe_shutdown(system_now, probe.ref, TROUPE_OK);
    settle(system_now);
    assert_null(actor->extras);
    probe_spawn(system_now, &next, NULL);
    assert_ptr_equal(system_find(system_now, next.ref), actor); /* the same slot */
    uint64_t dead = probe_counters(system_now).dead_letters;
    troupe_shutdown(system_now, watched.ref, TROUPE_OK);
    troupe_sim_advance(system_now, 200);
    assert_int_equal(next.timeout_count + next.down_count, 0);
    assert_int_equal(probe.timeout_count + probe.down_count, 0);
    assert_int_equal(probe_counters(system_now).dead_letters, dead);
    probe_system_stop(system_now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actor_has_none_until_it_needs_some),
        cmocka_unit_test(handles_are_found_by_kind_and_id_as_the_table_grows),
        cmocka_unit_test(id_of_a_dropped_handle_finds_nothing_ever_after),
        cmocka_unit_test(generation_comes_round_to_one),
        cmocka_unit_test(new_handle_has_nothing_of_the_one_before),
        cmocka_unit_test(things_under_way_end_with_the_actor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/monitor: each monitor tells of one end once, with its reason, and not after it was taken
 * back. Links are in core_stash_link_test.c. Virtual time. One thread.
 */
#include "unit/core_probe.h"

#include "core/extras.h"
#include "core/worker.h"

enum {
    MANY = 200,
};

static struct probe watcher;
static struct probe watched;
static uint64_t monitors[MANY];
static uint32_t wanted;

static troupe_status monitor_now(troupe_self *self)
{
    for (uint32_t i = 0; i < wanted; i++)
        assert_int_equal(troupe_monitor(self, watched.ref, &monitors[i]), TROUPE_OK);
    return TROUPE_OK;
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status fail_now(troupe_self *self)
{
    return troupe_fail(self, TROUPE_CORRUPT, "the disk says no");
}

static troupe_status return_failure(troupe_self *self)
{
    (void)self;
    return TROUPE_IO;
}

static troupe_system *start_watching(uint32_t count)
{
    troupe_system *system = probe_system(2);
    probe_spawn(system, &watcher, NULL);
    probe_spawn(system, &watched, NULL);
    wanted = count;
    probe_do(system, &watcher, monitor_now);
    return system;
}

static void expect_down(uint32_t count, troupe_status reason, const char *why)
{
    assert_int_equal(watcher.down_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(watcher.downs[i].reason, reason);
        assert_true(troupe_ref_equal(watcher.downs[i].who, watched.ref));
    }
    assert_string_equal(watcher.why, why);
}

static void down_tells_who_and_why(void **state)
{
    (void)state;
    static const struct {
        probe_function end;
        troupe_status reason;
        const char *why;
    } cases[] = {{exit_now, TROUPE_OK, ""},
                 {fail_now, TROUPE_CORRUPT, "the disk says no"},
                 {return_failure, TROUPE_IO, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        troupe_system *system = start_watching(1);
        assert_int_equal(watcher.down_count, 0);
        probe_do(system, &watched, cases[i].end);
        expect_down(1, cases[i].reason, cases[i].why);
        assert_int_equal(watcher.downs[0].monitor, monitors[0]);
        probe_system_stop(system);
    }
}

static void shutdown_gives_its_reason(void **state)
{
    (void)state;
    static const troupe_status reasons[] = {TROUPE_OK, TROUPE_SHUTDOWN, TROUPE_KILLED};
    for (size_t i = 0; i < 3; i++) {
        troupe_system *system = start_watching(1);
        troupe_shutdown(system, watched.ref, reasons[i]);
        settle(system);
        expect_down(1, reasons[i], "");
        probe_system_stop(system);
    }
}

static void one_who_has_ended_is_down_at_once(void **state)
{
    (void)state;
    troupe_system *system = start_watching(0);
    probe_do(system, &watched, exit_now);
    wanted = 1;
    probe_do(system, &watcher, monitor_now);
    expect_down(1, TROUPE_NO_ACTOR, "");
    watched.ref = troupe_ref_none();
    probe_do(system, &watcher, monitor_now);
    assert_int_equal(watcher.down_count, 2);
    assert_int_equal(watcher.downs[1].reason, TROUPE_NO_ACTOR);
    probe_system_stop(system);
}

static void each_monitor_of_one_actor_is_told(void **state)
{
    (void)state;
    troupe_system *system = start_watching(MANY);
    probe_do(system, &watched, fail_now);
    expect_down(MANY, TROUPE_CORRUPT, "the disk says no");
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t seen = 0;
        for (uint32_t n = 0; n < MANY; n++)
            seen += watcher.downs[n].monitor == monitors[i];
        assert_int_equal(seen, 1);
    }
    probe_system_stop(system);
}

static troupe_status demonitor_odd(troupe_self *self)
{
    for (uint32_t i = 1; i < wanted; i += 2)
        troupe_demonitor(self, monitors[i]);
    troupe_demonitor(self, 0); /* unknown numbers are fine */
    troupe_demonitor(self, UINT64_MAX);
    troupe_demonitor(self, monitors[1]);
    return TROUPE_OK;
}

static uint32_t watchers_of_watched;

static troupe_status count_watchers(troupe_self *self)
{
    watchers_of_watched = 0;
    const struct extras *extras = self->actor->extras;
    for (const troupe_message *m = extras == NULL ? NULL : extras->watchers; m != NULL; m = m->next)
        watchers_of_watched++;
    return TROUPE_OK;
}

static void monitor_taken_back_is_not_told(void **state)
{
    (void)state;
    troupe_system *system = start_watching(10);
    probe_do(system, &watched, count_watchers);
    assert_int_equal(watchers_of_watched, 10);
    probe_do(system, &watcher, demonitor_odd);
    probe_do(system, &watched, count_watchers);
    assert_int_equal(watchers_of_watched, 5); /* their memory is back */
    probe_do(system, &watched, exit_now);
    expect_down(5, TROUPE_OK, "");
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t odd = 1; odd < 10; odd += 2)
            assert_int_not_equal(watcher.downs[i].monitor, monitors[odd]);
    probe_system_stop(system);
}

/* The notice waits in the mailbox when its monitor is taken back. */
static troupe_status take_back_late(troupe_self *self)
{
    assert_int_equal(watcher.down_count, 0);
    for (uint32_t i = 0; i < wanted; i++)
        troupe_demonitor(self, monitors[i]);
    return TROUPE_OK;
}

static troupe_status end_other_and_wait(troupe_self *self)
{
    troupe_ref dead = watched.ref;
    assert_int_equal(troupe_monitor(self, dead, &monitors[0]), TROUPE_OK); /* its notice is under way now */
    return take_back_late(self);
}

static void monitor_taken_back_with_its_notice_under_way_is_not_told(void **state)
{
    (void)state;
    troupe_system *system = start_watching(0);
    probe_do(system, &watched, exit_now);
    wanted = 1;
    uint64_t before = probe_counters(system).dead_letters;
    probe_do(system, &watcher, end_other_and_wait);
    assert_int_equal(watcher.down_count, 0);
    assert_int_equal(probe_counters(system).dead_letters, before + 3); /* both requests, and the notice */
    probe_system_stop(system);
}

static void watcher_that_has_ended_is_forgotten(void **state)
{
    (void)state;
    troupe_system *system = start_watching(10);
    probe_do(system, &watcher, exit_now);
    probe_do(system, &watched, count_watchers);
    assert_int_equal(watchers_of_watched, 0);
    probe_do(system, &watched, exit_now);
    assert_int_equal(watcher.down_count, 0);
    probe_system_stop(system);
}

/*
 * -- the end of one who has not read its mail --------------------------------------------------------------
 */

static troupe_status start_fails(troupe_self *self)
{
    return troupe_fail(self, TROUPE_LIMIT, "no room");
}

static troupe_status start_exits(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour failing = {.name = "failing", .start = start_fails, .receive = probe_receive};
static const troupe_behaviour exiting = {.name = "exiting", .start = start_exits, .receive = probe_receive};
static const troupe_behaviour *to_spawn;

static troupe_status spawn_and_monitor(troupe_self *self)
{
    watched.ref = troupe_spawn(self, to_spawn, NULL);
    return troupe_monitor(self, watched.ref, &monitors[0]);
}

static void reason_of_a_start_is_told_to_who_asked_in_time(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &watcher, NULL);
    to_spawn = &failing;
    probe_do(system, &watcher, spawn_and_monitor);
    expect_down(1, TROUPE_LIMIT, "no room");
    probe_system_stop(system);
    system = probe_system(1);
    probe_spawn(system, &watcher, NULL);
    to_spawn = &exiting;
    probe_do(system, &watcher, spawn_and_monitor);
    expect_down(1, TROUPE_OK, "");
    probe_system_stop(system);
}

static troupe_status monitor_self_and_end(troupe_self *self)
{
    uint64_t monitor;
    assert_int_equal(troupe_monitor(self, troupe_self_ref(self), &monitor), TROUPE_OK);
    troupe_exit(self);
    return TROUPE_OK;
}

static void own_end_is_told_to_nobody(void **state)
{
    (void)state;
    troupe_system *system = start_watching(1);
    probe_do(system, &watched, monitor_self_and_end);
    expect_down(1, TROUPE_OK, "");
    assert_int_equal(watched.down_count, 0);
    probe_system_stop(system);
}

static void monitors_of_the_still_living_end_with_the_system(void **state)
{
    (void)state;
    troupe_system *system = start_watching(MANY);
    probe_system_stop(system);
    assert_int_equal(watched.stop_count, 1);
    assert_int_equal(watcher.down_count, 0);
}

/*
 * -- links: what core_stash_link_test.c leaves -------------------------------------------------------------
 */

static troupe_status link_and_exit(troupe_self *self)
{
    assert_int_equal(troupe_link(self, watched.ref), TROUPE_OK);
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status link_and_fail(troupe_self *self)
{
    assert_int_equal(troupe_link(self, watched.ref), TROUPE_OK);
    return troupe_fail(self, TROUPE_CORRUPT, "linked, and failed");
}

static troupe_status link_and_unlink(troupe_self *self)
{
    assert_int_equal(troupe_link(self, watched.ref), TROUPE_OK);
    assert_int_equal(troupe_link(self, watched.ref), TROUPE_OK); /* once is enough */
    troupe_unlink(self, watched.ref);
    return TROUPE_FAILED;
}

static uint32_t handles_of_watched;

static troupe_status count_all(troupe_self *self)
{
    const struct extras *extras = self->actor->extras;
    handles_of_watched = extras == NULL ? 0 : extras->handle_count;
    return count_watchers(self);
}

/* The link and the end are under way together, to an actor on any worker. */
static void end_right_after_a_link_has_its_own_reason(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        const troupe_options options = {.workers = 3, .simulate = {.seed = seed}};
        troupe_system *system;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        probe_spawn(system, &watched, NULL);
        for (int i = 0; i < 5; i++) {
            probe_spawn(system, &watcher, NULL);
            probe_do(system, &watcher, i % 2 == 0 ? link_and_exit : link_and_unlink);
            assert_int_equal(watched.stop_count, 0);
        }
        probe_do(system, &watched, count_all);
        assert_int_equal(watchers_of_watched, 0); /* nothing is left of them */
        assert_int_equal(handles_of_watched, 0);
        probe_spawn(system, &watcher, NULL);
        probe_do(system, &watcher, link_and_fail);
        assert_int_equal(watched.stop_count, 1);
        assert_int_equal(watched.reason, TROUPE_CORRUPT);
        probe_system_stop(system);
    }
}

static troupe_status link_now(troupe_self *self)
{
    return troupe_link(self, watched.ref);
}

static troupe_status trap_now(troupe_self *self)
{
    troupe_trap_exits(self, true);
    return TROUPE_OK;
}

static void both_sides_hear_of_a_link_that_both_made(void **state)
{
    (void)state;
    static struct probe both[2];
    troupe_system *system = probe_system(2);
    for (int i = 0; i < 2; i++)
        probe_spawn(system, &both[i], NULL);
    watched.ref = both[1].ref;
    probe_do(system, &both[0], trap_now);
    troupe_send(system, both[0].ref, probe_run, .function = (uint64_t)(uintptr_t)link_now);
    settle(system);
    watched.ref = both[0].ref;
    probe_do(system, &both[1], link_now);
    probe_do(system, &both[1], fail_now);
    assert_int_equal(both[0].down_count, 1);
    assert_int_equal(both[0].downs[0].reason, TROUPE_CORRUPT);
    assert_int_equal(both[0].downs[0].monitor, 0);
    assert_string_equal(both[0].why, "the disk says no");
    assert_int_equal(both[0].stop_count, 0);
    probe_do(system, &both[0], link_now); /* to itself: nothing */
    probe_do(system, &both[0], exit_now);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(down_tells_who_and_why),
        cmocka_unit_test(shutdown_gives_its_reason),
        cmocka_unit_test(one_who_has_ended_is_down_at_once),
        cmocka_unit_test(each_monitor_of_one_actor_is_told),
        cmocka_unit_test(monitor_taken_back_is_not_told),
        cmocka_unit_test(monitor_taken_back_with_its_notice_under_way_is_not_told),
        cmocka_unit_test(watcher_that_has_ended_is_forgotten),
        cmocka_unit_test(reason_of_a_start_is_told_to_who_asked_in_time),
        cmocka_unit_test(own_end_is_told_to_nobody),
        cmocka_unit_test(monitors_of_the_still_living_end_with_the_system),
        cmocka_unit_test(end_right_after_a_link_has_its_own_reason),
        cmocka_unit_test(both_sides_hear_of_a_link_that_both_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/watch: a watched descriptor is reported once for each time it is asked for. Pipes and
 * socket pairs, in virtual time; the last tests on real threads, where a poller sleeps.
 */
#include "unit/core_probe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/atomic.h"
#include "core/scheduler.h"

enum {
    WAIT_MS_MAX = 20000,
    ROUNDS = 200,
};

static struct probe probe;
static struct probe other;
static int pipe_fds[2];
static int wanted_fd;
static uint32_t wanted_events;
static troupe_status answer;

static troupe_status watch_now(troupe_self *self)
{
    answer = troupe_watch(self, wanted_fd, wanted_events);
    return TROUPE_OK;
}

static troupe_status unwatch_now(troupe_self *self)
{
    troupe_unwatch(self, wanted_fd);
    return TROUPE_OK;
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status watch_as(troupe_system *system, const struct probe *who, int fd, uint32_t events)
{
    wanted_fd = fd;
    wanted_events = events;
    probe_do(system, who, watch_now);
    return answer;
}

static troupe_system *start_piped(void)
{
    troupe_system *system = probe_system(2);
    assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
    probe_spawn(system, &probe, NULL);
    probe_spawn(system, &other, NULL);
    return system;
}

static void finish(troupe_system *system)
{
    for (int i = 0; i < 2; i++)
        if (pipe_fds[i] >= 0)
            close(pipe_fds[i]);
    probe_system_stop(system);
}

static void feed(void)
{
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
}

static void drain(void)
{
    char bytes[64];
    assert_true(read(pipe_fds[0], bytes, sizeof bytes) > 0);
}

static void descriptor_is_reported_once_when_it_is_ready(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 0);
    feed();
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(probe.readies[0].fd, pipe_fds[0]);
    assert_int_equal(probe.readies[0].events, TROUPE_READY_READ);
    feed();
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 1); /* not asked again */
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 2); /* it still is */
    drain();
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 2);
    finish(system);
}

static void watching_again_replaces_what_was_asked(void **state)
{
    (void)state;
    int pair[2];
    troupe_system *system = start_piped();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(watch_as(system, &probe, pair[0], TROUPE_READY_READ), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 0);
    assert_int_equal(watch_as(system, &probe, pair[0], TROUPE_READY_WRITE), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(probe.readies[0].events, TROUPE_READY_WRITE);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(watch_as(system, &probe, pair[0], TROUPE_READY_READ | TROUPE_READY_WRITE), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.readies[probe.ready_count - 1].events, TROUPE_READY_READ | TROUPE_READY_WRITE);
    close(pair[0]);
    close(pair[1]);
    finish(system);
}

static void hangup_comes_unasked(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    close(pipe_fds[1]);
    pipe_fds[1] = -1;
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 1);
    assert_true(probe.readies[0].events & TROUPE_READY_HANGUP);
    finish(system);
}

static void unwatched_descriptor_is_not_reported(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    probe_do(system, &probe, unwatch_now);
    feed();
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 0);
    probe_do(system, &probe, unwatch_now); /* again: nobody minds */
    wanted_fd = -1;
    probe_do(system, &probe, unwatch_now);
    wanted_fd = 1 << 20;
    probe_do(system, &probe, unwatch_now);
    assert_int_equal(watch_as(system, &other, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK); /* it is free */
    troupe_sim_advance(system, 10);
    assert_int_equal(other.ready_count, 1);
    finish(system);
}

/* The notice is in the mailbox, behind this very message, when the watch ends. */
static troupe_status unwatch_when_ready(troupe_self *self)
{
    assert_int_equal(troupe_watch(self, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    feed();
    worker_current = self->context.worker;
    scheduler_housekeeping(self->context.worker);
    assert_non_null(actor_lane(self->actor, TROUPE_CLASS_SYSTEM)->first);
    troupe_unwatch(self, pipe_fds[0]);
    return TROUPE_OK;
}

static troupe_status rewatch_when_ready(troupe_self *self)
{
    unwatch_when_ready(self);
    drain();
    return troupe_watch(self, pipe_fds[0], TROUPE_READY_READ);
}

static void notice_of_a_watch_that_has_ended_is_dropped(void **state)
{
    (void)state;
    static const probe_function functions[] = {unwatch_when_ready, rewatch_when_ready};
    for (size_t i = 0; i < 2; i++) {
        troupe_system *system = start_piped();
        probe_do(system, &probe, functions[i]);
        troupe_sim_advance(system, 10);
        assert_int_equal(probe.ready_count, 0);
        assert_int_equal(probe_counters(system).dead_letters, 1);
        if (functions[i] == rewatch_when_ready) { /* the new watch is not the old one */
            feed();
            troupe_sim_advance(system, 10);
            assert_int_equal(probe.ready_count, 1);
        }
        finish(system);
    }
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    int closed = dup(pipe_fds[0]);
    close(closed);
    assert_int_equal(watch_as(system, &probe, -1, TROUPE_READY_READ), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, 1 << 20, TROUPE_READY_READ), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, closed, TROUPE_READY_READ), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], 0), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_HANGUP), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ | 16), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(watch_as(system, &other, pipe_fds[0], TROUPE_READY_READ),
                     TROUPE_INVALID); /* another's */
    wanted_fd = pipe_fds[0];
    probe_do(system, &other, unwatch_now); /* does not end it either */
    feed();
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(other.ready_count, 0);
    finish(system);
}

static void watch_ends_with_its_owner(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    probe_do(system, &probe, exit_now);
    feed();
    troupe_sim_advance(system, 10);
    assert_int_equal(probe.ready_count, 0);
    assert_int_equal(watch_as(system, &other, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
    troupe_sim_advance(system, 10);
    assert_int_equal(other.ready_count, 1);
    finish(system);
}

static void descriptor_number_may_be_used_again(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    for (int round = 0; round < 3; round++) {
        assert_int_equal(watch_as(system, &probe, pipe_fds[0], TROUPE_READY_READ), TROUPE_OK);
        feed();
        troupe_sim_advance(system, 10);
        assert_int_equal(probe.ready_count, round + 1);
        int before = pipe_fds[0];
        probe_do(system, &probe, unwatch_now);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(pipe_fds[0], before);
    }
    finish(system);
}

/* A handler that answers it with UNEXPECTED is not told again either, and the watch goes on. */
static uint32_t refused;

static troupe_status refuse_receive(troupe_self *self, const troupe_message *message)
{
    if (troupe_ready_of(message) == NULL)
        return troupe_watch(self, pipe_fds[0], TROUPE_READY_READ);
    assert_int_equal(troupe_asker_of(message).ask, 0);
    refused++;
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour refusing = {.name = "refusing", .receive = refuse_receive};

static void refused_notice_is_a_dead_letter_and_the_watch_stays(void **state)
{
    (void)state;
    troupe_system *system = start_piped();
    refused = 0;
    troupe_ref ref = troupe_spawn(system, &refusing, NULL);
    for (uint32_t round = 1; round <= 3; round++) {
        troupe_send(system, ref, probe_value, .value = 1);
        settle(system);
        feed();
        troupe_sim_advance(system, 10);
        assert_int_equal(refused, round);
        assert_int_equal(probe_counters(system).dead_letters, round);
        drain();
    }
    finish(system);
}

/*
 * -- real threads
 * --------------------------------------------------------------------------------------------
 */

static _Atomic uint32_t bytes_read;

static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    char bytes[16];
    if (troupe_ready_of(message) != NULL) {
        ssize_t count;
        while ((count = read(pipe_fds[0], bytes, sizeof bytes)) > 0)
            fetch_add_relaxed(&bytes_read, (uint32_t)count);
    }
    return troupe_watch(self, pipe_fds[0], TROUPE_READY_READ);
}

static const troupe_behaviour reader = {.name = "reader", .receive = reader_receive};

static bool wait_for_bytes(uint32_t count)
{
    for (int tenth_ms = 0; tenth_ms < WAIT_MS_MAX * 10 && load_acquire(&bytes_read) < count; tenth_ms++)
        usleep(100);
    return load_acquire(&bytes_read) == count;
}

/* On a worker with nothing else to do, and on a thread of its own. */
static void sleeping_worker_is_woken_by_a_descriptor(void **state)
{
    (void)state;
    for (int own_thread = 0; own_thread < 2; own_thread++) {
        const troupe_options options = {.workers = 2};
        troupe_system *system = NULL;
        assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        store_relaxed(&bytes_read, 0);
        const troupe_spawn_options spawn_options = {.own_thread = own_thread};
        troupe_ref ref = troupe_spawn(system, &reader, &spawn_options);
        troupe_send(system, ref, probe_value, .value = 1);
        for (uint32_t round = 1; round <= ROUNDS; round++) {
            feed();
            if (round % 8 == 0)
                assert_true(wait_for_bytes(round));
        }
        assert_true(wait_for_bytes(ROUNDS));
        assert_int_equal(troupe_stop(&system), 0);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_is_reported_once_when_it_is_ready),
        cmocka_unit_test(watching_again_replaces_what_was_asked),
        cmocka_unit_test(hangup_comes_unasked),
        cmocka_unit_test(unwatched_descriptor_is_not_reported),
        cmocka_unit_test(notice_of_a_watch_that_has_ended_is_dropped),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
        cmocka_unit_test(watch_ends_with_its_owner),
        cmocka_unit_test(descriptor_number_may_be_used_again),
        cmocka_unit_test(refused_notice_is_a_dead_letter_and_the_watch_stays),
        cmocka_unit_test(sleeping_worker_is_woken_by_a_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

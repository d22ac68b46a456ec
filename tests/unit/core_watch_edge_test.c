/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/watch at its edges, on the real poller and on the simulated one alike: errors and
 * hang-ups, what cannot be watched, numbers that are closed and used again, owners that end. The real one is
 * stepped as an embedded system, so that one thread sees both.
 */
#include "core_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REAL_MS = 30, /* as long as a report that must not come is waited for */
};

static bool is_real;
static struct probe probe;
static struct probe other;
static int wanted_fd;
static uint32_t wanted_events;
static troupe_status answer;

/* Lets everything happen that can. */
static void run(troupe_system *system)
{
    uint64_t wait_ms;
    if (!is_real) {
        troupe_sim_advance(system, 10);
        return;
    }
    for (int i = 0; i < 3; i++) {
        struct pollfd fd = {.fd = troupe_poll_fd(system), .events = POLLIN};
        assert_int_equal(troupe_step(system, 1000, &wait_ms), TROUPE_OK);
        poll(&fd, 1, REAL_MS / 3);
    }
    assert_int_equal(troupe_step(system, 1000, &wait_ms), TROUPE_OK);
}

static void spawn(troupe_system *system, struct probe *who)
{
    memset(who, 0, sizeof *who);
    const troupe_spawn_options options = {.state = &who};
    assert_false(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &options)));
    run(system);
}

static troupe_system *begin(void)
{
    const troupe_options options = {.embedded = is_real, .workers = 2, .simulate = {.seed = is_real ? 0 : 5}};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    spawn(system, &probe);
    spawn(system, &other);
    return system;
}

static void order(troupe_system *system, const struct probe *who, probe_function function)
{
    assert_int_equal(troupe_send(system, who->ref, probe_run, .function = (uint64_t)(uintptr_t)function),
                     TROUPE_OK);
    run(system);
}

static troupe_status watch_now(troupe_self *self)
{
    answer = troupe_watch(self, wanted_fd, wanted_events);
    return TROUPE_OK;
}

static troupe_status watch_as(troupe_system *system, const struct probe *who, int fd, uint32_t events)
{
    wanted_fd = fd;
    wanted_events = events;
    order(system, who, watch_now);
    return answer;
}

static troupe_status unwatch_now(troupe_self *self)
{
    troupe_unwatch(self, wanted_fd);
    return TROUPE_OK;
}

static void unwatch_as(troupe_system *system, const struct probe *who, int fd)
{
    wanted_fd = fd;
    order(system, who, unwatch_now);
}

/* Runs a test on both pollers. */
static void on_both(void (*test)(troupe_system *system))
{
    for (int real = 0; real < 2; real++) {
        is_real = real;
        troupe_system *system = begin();
        test(system);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

static void pipe_new(int fds[2])
{
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
}

static void error_test(troupe_system *system)
{
    int fds[2];
    pipe_new(fds);
    while (write(fds[1], "full", 4) > 0)
        continue;
    assert_int_equal(watch_as(system, &probe, fds[1], TROUPE_READY_WRITE), TROUPE_OK);
    assert_int_equal(probe.ready_count, 0);
    close(fds[0]); /* nobody will read */
    run(system);
    assert_int_equal(probe.ready_count, 1);
    assert_true(probe.readies[0].events & TROUPE_READY_ERROR);
    run(system);
    assert_int_equal(probe.ready_count, 1); /* it still holds, and is told once */
    unwatch_as(system, &probe, fds[1]);
    close(fds[1]);
}

static void error_comes_unasked_and_once(void **state)
{
    (void)state;
    on_both(error_test);
}

static void half_closed_test(troupe_system *system)
{
    int pair[2];
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    assert_int_equal(watch_as(system, &probe, pair[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(probe.ready_count, 1);
    assert_true(probe.readies[0].events & TROUPE_READY_READ); /* what came before the end is there */
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(watch_as(system, &probe, pair[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(probe.ready_count, 2); /* the end can be read */
    assert_int_equal(read(pair[0], &byte, 1), 0);
    unwatch_as(system, &probe, pair[0]);
    close(pair[0]);
    close(pair[1]);
}

static void end_of_a_stream_is_ready_to_be_read(void **state)
{
    (void)state;
    on_both(half_closed_test);
}

static void regular_test(troupe_system *system)
{
    char path[] = "/tmp/troupe-watch-XXXXXX";
    int file = mkstemp(path);
    int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(file >= 0 && folder >= 0);
    unlink(path);
    assert_int_equal(watch_as(system, &probe, file, TROUPE_READY_READ), TROUPE_INVALID);
    assert_int_equal(watch_as(system, &probe, folder, TROUPE_READY_READ), TROUPE_INVALID);
    assert_int_equal(probe.ready_count, 0);
    close(file);
    close(folder);
}

static void files_that_are_always_ready_cannot_be_watched(void **state)
{
    (void)state;
    on_both(regular_test);
}

static void closed_test(troupe_system *system)
{
    int fds[2];
    int again[2];
    pipe_new(fds);
    assert_int_equal(watch_as(system, &probe, fds[0], TROUPE_READY_READ), TROUPE_OK);
    close(fds[0]); /* forgotten: not unwatched */
    close(fds[1]);
    run(system);
    pipe_new(again);
    assert_int_equal(again[0], fds[0]);
    uint32_t before = probe.ready_count;
    assert_int_equal(watch_as(system, &probe, again[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(write(again[1], "x", 1), 1);
    run(system);
    assert_int_equal(probe.ready_count, before + 1);
    assert_int_equal(probe.readies[before].events, TROUPE_READY_READ);
    unwatch_as(system, &probe, again[0]);
    unwatch_as(system, &probe, again[0]);
    close(again[0]);
    close(again[1]);
}

static void number_that_was_closed_unwatched_is_watched_anew(void **state)
{
    (void)state;
    on_both(closed_test);
}

static void twice_test(troupe_system *system)
{
    int fds[2];
    pipe_new(fds);
    int copy = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
    assert_true(copy >= 0);
    /* One pipe by two numbers: two watches, of two owners. */
    assert_int_equal(watch_as(system, &probe, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(watch_as(system, &probe, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(watch_as(system, &other, copy, TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(write(fds[1], "x", 1), 1);
    run(system);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(other.ready_count, 1);
    assert_int_equal(other.readies[0].fd, copy);
    unwatch_as(system, &probe, fds[0]);
    unwatch_as(system, &other, copy);
    close(copy);
    close(fds[0]);
    close(fds[1]);
}

static void same_number_is_watched_once_and_a_copy_by_itself(void **state)
{
    (void)state;
    on_both(twice_test);
}

static troupe_status fail_now(troupe_self *self)
{
    (void)self;
    return TROUPE_FAILED;
}

static void failed_test(troupe_system *system)
{
    int fds[2];
    pipe_new(fds);
    assert_int_equal(watch_as(system, &probe, fds[0], TROUPE_READY_READ), TROUPE_OK);
    order(system, &probe, fail_now);
    assert_int_equal(probe.stop_count, 1);
    assert_int_equal(write(fds[1], "x", 1), 1);
    run(system);
    assert_int_equal(watch_as(system, &other, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(probe.ready_count, 0);
    assert_int_equal(other.ready_count, 1);
    unwatch_as(system, &other, fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static void watch_of_an_actor_that_failed_is_gone(void **state)
{
    (void)state;
    on_both(failed_test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_comes_unasked_and_once),
        cmocka_unit_test(end_of_a_stream_is_ready_to_be_read),
        cmocka_unit_test(files_that_are_always_ready_cannot_be_watched),
        cmocka_unit_test(number_that_was_closed_unwatched_is_watched_anew),
        cmocka_unit_test(same_number_is_watched_once_and_a_copy_by_itself),
        cmocka_unit_test(watch_of_an_actor_that_failed_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

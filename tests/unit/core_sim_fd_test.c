/* SPDX-License-Identifier: MIT */
/*
 * Facts about watched descriptors in simulation, and about troupe_fd_read and troupe_fd_write: readiness
 * comes late and for nothing as the seed says, reads and writes do parts, and yet every byte of a stream
 * arrives once and in order. Real socket pairs, one thread, virtual time.
 */
#include "unit/core_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STREAM_SIZE = 20000,
    SEEDS = 60,
    PART_MAX = 4096,
};

/* Both ends of a stream: one actor writes `STREAM_SIZE` bytes, the other reads them. */
static int fds[2];
static size_t written;
static size_t received;
static uint32_t partial; /* reads and writes that did less than they were asked, but something */
static uint32_t nothing; /* and that did nothing */
static uint32_t reports;
static bool has_ended;
static struct probe probe;

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 131 >> 3);
}

static troupe_status writer_go(troupe_self *self)
{
    while (written < STREAM_SIZE) {
        unsigned char bytes[PART_MAX];
        size_t size = STREAM_SIZE - written < sizeof bytes ? STREAM_SIZE - written : sizeof bytes;
        size_t done;
        for (size_t i = 0; i < size; i++)
            bytes[i] = byte_at(written + i);
        assert_int_equal(troupe_fd_write(self, fds[0], bytes, size, &done), TROUPE_OK);
        written += done;
        partial += done > 0 && done < size;
        nothing += done == 0;
        if (done == 0)
            return troupe_watch(self, fds[0], TROUPE_READY_WRITE);
    }
    troupe_unwatch(self, fds[0]);
    close(fds[0]);
    return TROUPE_OK;
}

static troupe_status reader_go(troupe_self *self)
{
    unsigned char bytes[PART_MAX];
    size_t done;
    troupe_status status;
    while ((status = troupe_fd_read(self, fds[1], bytes, sizeof bytes, &done)) == TROUPE_OK && done > 0) {
        for (size_t i = 0; i < done; i++)
            assert_int_equal(bytes[i], byte_at(received + i));
        received += done;
        partial += done < sizeof bytes;
    }
    nothing += status == TROUPE_OK;
    if (status == TROUPE_OK)
        return troupe_watch(self, fds[1], TROUPE_READY_READ);
    assert_int_equal(status, TROUPE_END);
    has_ended = true;
    troupe_unwatch(self, fds[1]);
    close(fds[1]);
    return TROUPE_OK;
}

static troupe_status writer_receive(troupe_self *self, const troupe_message *message)
{
    reports += troupe_ready_of(message) != NULL;
    return writer_go(self);
}

static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    reports += troupe_ready_of(message) != NULL;
    return reader_go(self);
}

static const troupe_behaviour writer = {.name = "writer", .receive = writer_receive, .start = writer_go};
static const troupe_behaviour reader = {.name = "reader", .receive = reader_receive, .start = reader_go};

static bool stream_has_ended(void *context)
{
    (void)context;
    return has_ended;
}

static bool stream_run(uint64_t seed, void *context, uint64_t *ret_hash)
{
    troupe_options options = {.workers = 2, .simulate = *(const troupe_simulation *)context};
    options.simulate.seed = seed;
    troupe_system *system = NULL;
    written = received = 0;
    has_ended = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_spawn(system, &reader, NULL);
    troupe_spawn(system, &writer, NULL);
    assert_int_equal(troupe_sim_run_until(system, stream_has_ended, NULL, 1000000), TROUPE_OK);
    *ret_hash = troupe_sim_trace_hash(system);
    assert_int_equal(troupe_stop(&system), 0);
    return written == STREAM_SIZE && received == STREAM_SIZE;
}

static int stream_seeds(troupe_simulation simulate)
{
    partial = nothing = reports = 0;
    char name[] = "core_sim_fd_test";
    char *arguments[] = {name, NULL};
    return troupe_sim_seeds(1, arguments, SEEDS, stream_run, &simulate);
}

static void a_stream_arrives_whole_whatever_the_seed_does_to_it(void **state)
{
    (void)state;
    assert_int_equal(stream_seeds((troupe_simulation){
                         .delay_probability = 0.5, .spurious_probability = 0.3, .short_probability = 0.3}),
                     0);
    assert_true(partial > SEEDS);
    assert_true(nothing > SEEDS);
}

static void a_stream_arrives_when_every_operation_is_short(void **state)
{
    (void)state;
    assert_int_equal(stream_seeds((troupe_simulation){
                         .delay_probability = 1, .spurious_probability = 1, .short_probability = 1}),
                     0);
}

static troupe_status watch_reading(troupe_self *self)
{
    return troupe_watch(self, fds[0], TROUPE_READY_READ);
}

/* A probe that watches one end of a socket pair under these options. */
static troupe_system *watching(troupe_simulation simulate)
{
    troupe_system *system = NULL;
    simulate.seed = 3;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1, .simulate = simulate}), TROUPE_OK);
    troupe_sim_faults(system, simulate.delay_probability == 0); /* or the errand itself would be late */
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, watch_reading);
    troupe_sim_faults(system, true);
    return system;
}

static void watching_stop(troupe_system *system)
{
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(troupe_stop(&system), 0);
}

static void readiness_is_late_by_at_most_the_delay(void **state)
{
    (void)state;
    troupe_system *system = watching((troupe_simulation){.delay_probability = 1, .delay_ms_max = 10});
    assert_int_equal(write(fds[1], "x", 1), 1);
    settle(system);
    assert_int_equal(probe.ready_count, 0);
    troupe_sim_advance(system, 11);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(probe.readies[0].events, TROUPE_READY_READ);
    troupe_sim_faults(system, false);
    probe_do(system, &probe, watch_reading);
    assert_int_equal(probe.ready_count, 2);
    watching_stop(system);
}

static void a_watch_is_reported_for_nothing_when_the_seed_wants_it(void **state)
{
    (void)state;
    troupe_system *system = watching((troupe_simulation){.spurious_probability = 1, .delay_ms_max = 10});
    troupe_sim_advance(system, 11);
    assert_int_equal(probe.ready_count, 1);
    assert_int_equal(probe.readies[0].events, TROUPE_READY_READ);
    troupe_sim_advance(system, 50);
    assert_int_equal(probe.ready_count, 1); /* once for each time it is asked */
    troupe_sim_faults(system, false);
    probe_do(system, &probe, watch_reading);
    troupe_sim_advance(system, 50);
    assert_int_equal(probe.ready_count, 1);
    watching_stop(system);
}

/*
 * -- parts -------------------------------------------------------------------------------------------------
 */

enum {
    TRIES = 100,
    PIECE = 64,
};

/* What of so many writes, or reads, of a piece that there is room for was done whole, in part, or not. */
static uint32_t whole;
static bool is_reading;

static troupe_status pieces_move(troupe_self *self)
{
    whole = partial = nothing = 0;
    for (uint32_t i = 0; i < TRIES; i++) {
        char piece[PIECE] = "";
        size_t done = 0;
        if (is_reading) {
            assert_int_equal(write(fds[1], piece, sizeof piece), sizeof piece);
            assert_int_equal(troupe_fd_read(self, fds[0], piece, sizeof piece, &done), TROUPE_OK);
        } else {
            assert_int_equal(troupe_fd_write(self, fds[1], piece, sizeof piece, &done), TROUPE_OK);
        }
        whole += done == sizeof piece;
        partial += done > 0 && done < sizeof piece;
        nothing += done == 0;
        while (read(fds[0], piece, sizeof piece) > 0) {
        }
    }
    return TROUPE_OK;
}

static void reads_and_writes_do_parts_as_often_as_asked_for(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        is_reading = i == 1;
        troupe_system *system = watching((troupe_simulation){.short_probability = 1});
        probe_do(system, &probe, pieces_move);
        assert_int_equal(whole, 0);
        assert_true(partial > TRIES / 2);
        assert_true(nothing > 0);
        troupe_sim_faults(system, false);
        probe_do(system, &probe, pieces_move);
        assert_int_equal(whole, TRIES);
        watching_stop(system);
        system = watching((troupe_simulation){.short_probability = 0.3});
        probe_do(system, &probe, pieces_move);
        assert_in_range(whole, TRIES / 2, TRIES - TRIES / 8);
        watching_stop(system);
    }
}

/*
 * -- the real thing ----------------------------------------------------------------------------------------
 */

static troupe_status read_and_write_at_their_edges(troupe_self *self)
{
    char bytes[4] = "";
    size_t size = 99;
    assert_int_equal(troupe_fd_read(self, fds[0], bytes, 0, &size), TROUPE_INVALID);
    assert_int_equal(troupe_fd_write(self, fds[0], bytes, 0, &size), TROUPE_INVALID);
    assert_int_equal(size, 99);
    assert_int_equal(troupe_fd_read(self, fds[0], bytes, sizeof bytes, &size), TROUPE_OK);
    assert_int_equal(size, 0); /* nothing now */
    assert_int_equal(troupe_fd_write(self, fds[1], "abc", 3, &size), TROUPE_OK);
    assert_int_equal(size, 3);
    assert_int_equal(troupe_fd_read(self, fds[0], bytes, sizeof bytes, &size), TROUPE_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(troupe_fd_read(self, fds[0], bytes, sizeof bytes, &size), TROUPE_END);
    assert_int_equal(troupe_fd_write(self, fds[0], "x", 1, &size), TROUPE_IO); /* and no SIGPIPE */
    assert_int_equal(errno, EPIPE);
    assert_int_equal(troupe_fd_read(self, 1 << 19, bytes, 1, &size), TROUPE_IO);
    assert_int_equal(errno, EBADF);
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0); /* not a socket */
    while (troupe_fd_write(self, ends[1], bytes, sizeof bytes, &size) == TROUPE_OK && size > 0) {
    }
    assert_int_equal(size, 0); /* full, at the moment */
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    return TROUPE_OK;
}

static void reading_and_writing_hold_at_their_edges(void **state)
{
    for (int is_real = 0; is_real < 2; is_real++) {
        troupe_system *system = NULL;
        const troupe_options options = {
            .workers = 1, .simulate = {.seed = is_real ? 0 : 1}, .embedded = true};
        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        memset(&probe, 0, sizeof probe);
        struct probe *at = &probe;
        troupe_ref ref = troupe_spawn(system, &probe_behaviour, &(troupe_spawn_options){.state = &at});
        const uint64_t function = (uint64_t)(uintptr_t)read_and_write_at_their_edges;
        assert_int_equal(troupe_send(system, ref, probe_run, .function = function), TROUPE_OK);
        uint64_t wait_ms;
        if (is_real)
            assert_int_equal(troupe_step(system, 10, &wait_ms), TROUPE_OK);
        else
            settle(system);
        troupe_counters counters;
        troupe_system_counters(system, &counters);
        assert_int_equal(counters.handled, 1);
        close(fds[0]);
        assert_int_equal(troupe_stop(&system), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_arrives_whole_whatever_the_seed_does_to_it),
        cmocka_unit_test(a_stream_arrives_when_every_operation_is_short),
        cmocka_unit_test(readiness_is_late_by_at_most_the_delay),
        cmocka_unit_test(a_watch_is_reported_for_nothing_when_the_seed_wants_it),
        cmocka_unit_test(reads_and_writes_do_parts_as_often_as_asked_for),
        cmocka_unit_test(reading_and_writing_hold_at_their_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

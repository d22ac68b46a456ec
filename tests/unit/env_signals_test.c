/* SPDX-License-Identifier: MIT */
/*
 * Facts about env/linux/signals: what a listener reads of a real signal, whose action a signal has, and what
 * can be listened for. What actors make of it is in core_signal_test.c. One thread: raise() and kill() of the
 * own process return after the handler, as no other thread could take the signal.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe/signal.h>

#include "env/linux/signals.h"

enum {
    SIGNALS_OF_A_FLOOD = 20000,
    CHILD_IS_SILENT = 3,
};

static int host_heard;

static void host_handler(int number)
{
    host_heard = number;
}

static void host_sets(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    assert_int_equal(sigaction(number, &action, NULL), 0);
}

static struct env_signals *new_listener(int number)
{
    struct env_signals *signals = NULL;
    assert_int_equal(linux_signals_new(NULL, &signals), TROUPE_OK);
    if (number != 0)
        assert_int_equal(linux_signals_listen(signals, number), TROUPE_OK);
    return signals;
}

static bool is_readable(struct env_signals *signals)
{
    struct pollfd fd = {.fd = linux_signals_fd(signals), .events = POLLIN};
    int count = poll(&fd, 1, 0);
    assert_in_range(count, 0, 1);
    return count == 1;
}

static void expect_signal(struct env_signals *signals, int number, int sender)
{
    struct env_signal signal = {0};
    assert_true(is_readable(signals));
    assert_true(linux_signals_read(signals, &signal));
    assert_int_equal(signal.number, number);
    assert_int_equal(signal.sender, sender);
}

static void expect_silence(struct env_signals *signals)
{
    struct env_signal signal = {.number = -1};
    assert_false(is_readable(signals));
    assert_false(linux_signals_read(signals, &signal));
    assert_int_equal(signal.number, -1); /* written only on success */
}

static void signals_are_read_in_their_order_with_their_sender(void **state)
{
    (void)state;
    struct env_signals *signals = new_listener(SIGUSR1);
    assert_int_equal(linux_signals_listen(signals, SIGRTMAX), TROUPE_OK);
    expect_silence(signals);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(kill(getpid(), SIGRTMAX), 0);
    expect_signal(signals, SIGUSR1, getpid());
    expect_signal(signals, SIGRTMAX, getpid());
    expect_silence(signals);
    linux_signals_unlisten(signals, SIGUSR1);
    linux_signals_unlisten(signals, SIGRTMAX);
    linux_signals_free(signals);
}

static void each_listener_reads_only_what_it_listens_for(void **state)
{
    (void)state;
    struct env_signals *both = new_listener(SIGUSR1);
    struct env_signals *one = new_listener(SIGUSR2);
    assert_int_equal(linux_signals_listen(both, SIGUSR2), TROUPE_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    expect_signal(both, SIGUSR1, getpid());
    expect_signal(both, SIGUSR2, getpid());
    expect_signal(one, SIGUSR2, getpid());
    expect_silence(both);
    expect_silence(one);
    linux_signals_unlisten(both, SIGUSR2);
    assert_int_equal(raise(SIGUSR2), 0);
    expect_silence(both);
    expect_signal(one, SIGUSR2, getpid());
    linux_signals_unlisten(both, SIGUSR1);
    linux_signals_unlisten(one, SIGUSR2);
    linux_signals_free(both);
    linux_signals_free(one);
}

static void action_is_the_hosts_again_after_the_last_listener(void **state)
{
    (void)state;
    host_sets(SIGUSR1, host_handler);
    struct env_signals *first = new_listener(SIGUSR1);
    struct env_signals *last = new_listener(SIGUSR1);
    linux_signals_unlisten(first, SIGUSR1);
    host_heard = 0;
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(host_heard, 0);
    expect_signal(last, SIGUSR1, getpid());
    linux_signals_unlisten(last, SIGUSR1);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(host_heard, SIGUSR1);
    expect_silence(last);
    host_sets(SIGUSR1, SIG_DFL);
    linux_signals_free(first);
    linux_signals_free(last);
}

static void action_that_the_host_set_meanwhile_stays(void **state)
{
    (void)state;
    struct env_signals *signals = new_listener(SIGUSR1);
    host_sets(SIGUSR1, host_handler);
    linux_signals_unlisten(signals, SIGUSR1);
    host_heard = 0;
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(host_heard, SIGUSR1);
    host_sets(SIGUSR1, SIG_DFL);
    linux_signals_free(signals);
}

static void handler_keeps_errno(void **state)
{
    (void)state;
    struct env_signals *signals = new_listener(SIGUSR1);
    for (int i = 0; i < SIGNALS_OF_A_FLOOD; i++) { /* until the pipe is full, so that its write fails */
        errno = ERANGE;
        if (raise(SIGUSR1) != 0 || errno != ERANGE)
            fail_msg("errno is %d after signal %d", errno, i);
    }
    struct env_signal signal;
    int count = 0;
    while (linux_signals_read(signals, &signal))
        count += signal.number == SIGUSR1 && signal.sender == getpid();
    assert_in_range(count, 1, SIGNALS_OF_A_FLOOD - 1); /* the rest found it full, and none came in part */
    assert_int_equal(raise(SIGUSR1), 0);
    expect_signal(signals, SIGUSR1, getpid()); /* and it goes on */
    linux_signals_unlisten(signals, SIGUSR1);
    linux_signals_free(signals);
}

static void child_of_a_fork_writes_to_none_of_its_parents_listeners(void **state)
{
    (void)state;
    struct env_signals *signals = new_listener(SIGUSR1);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(raise(SIGUSR1) == 0 ? CHILD_IS_SILENT : 1);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == CHILD_IS_SILENT);
    expect_silence(signals);
    linux_signals_unlisten(signals, SIGUSR1);
    linux_signals_free(signals);
}

static void what_cannot_be_caught_is_refused(void **state)
{
    (void)state;
    static const int numbers[] = {-1, 0, 65, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct env_signals *signals = new_listener(0);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_false(env_signal_is_catchable(numbers[i]));
        assert_int_equal(linux_signals_listen(signals, numbers[i]), TROUPE_INVALID);
    }
    /* The C library keeps the first two real-time signals for its threads. */
    assert_int_equal(linux_signals_listen(signals, 32), TROUPE_INVALID);
    assert_true(env_signal_is_catchable(1));
    assert_true(env_signal_is_catchable(64));
    linux_signals_free(signals); /* asserts that it listens for nothing */
}

static void places_of_listeners_end_at_the_limit_and_come_back(void **state)
{
    (void)state;
    struct env_signals *all[TROUPE_SIGNAL_SYSTEMS_MAX];
    struct env_signals *more = NULL;
    for (size_t i = 0; i < TROUPE_SIGNAL_SYSTEMS_MAX; i++)
        all[i] = new_listener(i == TROUPE_SIGNAL_SYSTEMS_MAX - 1 ? SIGUSR1 : 0);
    assert_int_equal(linux_signals_new(NULL, &more), TROUPE_LIMIT);
    assert_null(more);
    linux_signals_free(all[0]);
    all[0] = new_listener(SIGUSR1);
    assert_int_equal(raise(SIGUSR1), 0);
    for (size_t i = 1; i < TROUPE_SIGNAL_SYSTEMS_MAX - 1; i++)
        expect_silence(all[i]);
    expect_signal(all[0], SIGUSR1, getpid());
    expect_signal(all[TROUPE_SIGNAL_SYSTEMS_MAX - 1], SIGUSR1, getpid());
    linux_signals_unlisten(all[0], SIGUSR1);
    linux_signals_unlisten(all[TROUPE_SIGNAL_SYSTEMS_MAX - 1], SIGUSR1);
    for (size_t i = 0; i < TROUPE_SIGNAL_SYSTEMS_MAX; i++)
        linux_signals_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_read_in_their_order_with_their_sender),
        cmocka_unit_test(each_listener_reads_only_what_it_listens_for),
        cmocka_unit_test(action_is_the_hosts_again_after_the_last_listener),
        cmocka_unit_test(action_that_the_host_set_meanwhile_stays),
        cmocka_unit_test(handler_keeps_errno),
        cmocka_unit_test(child_of_a_fork_writes_to_none_of_its_parents_listeners),
        cmocka_unit_test(what_cannot_be_caught_is_refused),
        cmocka_unit_test(places_of_listeners_end_at_the_limit_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

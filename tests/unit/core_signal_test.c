/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/signal: a signal of the process is told to each of its watchers whichever thread it
 * reached, and does to the process what it did before once nobody watches. Real signals on real threads, and
 * made ones in virtual time.
 */
#include "core_probe.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"

enum {
    WAIT_MS_MAX = 20000,
};

/* What a watcher heard, and what it is to do. */
struct ear {
    _Atomic uint32_t count;
    _Atomic int number;
    _Atomic int sender;
    _Atomic uint32_t done; /* orders carried out */
    _Atomic uint32_t status;
};

#define ORDER(F) F(i32, number) F(bool, ends) F(bool, exits)
TROUPE_MESSAGE(ear_order, ORDER)

static troupe_status ear_receive(troupe_self *self, const troupe_message *message)
{
    struct ear *ear = *(struct ear **)troupe_state(self);
    const troupe_signal *signal = troupe_signal_of(message);
    const ear_order *order = ear_order_of(message);
    if (signal != NULL) {
        store_relaxed(&ear->number, signal->number);
        store_relaxed(&ear->sender, signal->sender);
        store_release(&ear->count, load_relaxed(&ear->count) + 1);
        return TROUPE_OK;
    }
    if (order == NULL)
        return TROUPE_UNEXPECTED;
    if (order->exits)
        troupe_exit(self);
    else if (order->ends)
        troupe_signal_unwatch(self, order->number);
    else
        store_relaxed(&ear->status, (uint32_t)troupe_signal_watch(self, order->number));
    store_release(&ear->done, load_relaxed(&ear->done) + 1);
    return TROUPE_OK;
}

static const troupe_behaviour ear_behaviour = {
    .name = "ear", .state_size = sizeof(struct ear *), .receive = ear_receive};

static void doze(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void wait_for(_Atomic uint32_t *counter, uint32_t count)
{
    for (int ms = 0; ms < WAIT_MS_MAX && load_acquire(counter) < count; ms++)
        doze();
    assert_int_equal(load_acquire(counter), count);
}

static troupe_system *start(uint32_t workers)
{
    const troupe_options options = {.workers = workers};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static troupe_ref ear_spawn(troupe_system *system, struct ear *ear)
{
    memset(ear, 0, sizeof *ear);
    const troupe_spawn_options options = {.state = &ear};
    return troupe_spawn(system, &ear_behaviour, &options);
}

/* Watches a signal and gives what came of it. */
static troupe_status watch(troupe_system *system, troupe_ref who, struct ear *ear, int number)
{
    uint32_t done = load_acquire(&ear->done);
    assert_int_equal(troupe_send(system, who, ear_order, .number = number), TROUPE_OK);
    wait_for(&ear->done, done + 1);
    return (troupe_status)load_relaxed(&ear->status);
}

static void unwatch(troupe_system *system, troupe_ref who, struct ear *ear, int number)
{
    uint32_t done = load_acquire(&ear->done);
    assert_int_equal(troupe_send(system, who, ear_order, .number = number, .ends = true), TROUPE_OK);
    wait_for(&ear->done, done + 1);
}

static _Atomic uint32_t host_count; /* signals that the host's own handler got */

static void host_handler(int number)
{
    (void)number;
    atomic_fetch_add(&host_count, 1);
}

static void host_takes(int number)
{
    struct sigaction action = {.sa_handler = host_handler};
    assert_int_equal(sigaction(number, &action, NULL), 0);
    store_relaxed(&host_count, 0);
}

static void signal_is_told_with_its_number_and_its_sender(void **state)
{
    (void)state;
    struct ear ear;
    troupe_system *system = start(2);
    troupe_ref who = ear_spawn(system, &ear);
    assert_int_equal(watch(system, who, &ear, SIGUSR1), TROUPE_OK);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&ear.count, 1);
    assert_int_equal(ear.number, SIGUSR1);
    assert_int_equal(ear.sender, getpid());
    pid_t child = fork();
    if (child == 0) {
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    wait_for(&ear.count, 2);
    assert_int_equal(ear.sender, child);
    assert_int_equal(troupe_stop(&system), 0);
}

static void every_watcher_in_every_system_is_told_once(void **state)
{
    (void)state;
    struct ear ears[6];
    troupe_system *systems[2] = {start(2), start(1)};
    troupe_ref refs[6];
    for (int i = 0; i < 6; i++) {
        refs[i] = ear_spawn(systems[i % 2], &ears[i]);
        assert_int_equal(watch(systems[i % 2], refs[i], &ears[i], SIGUSR1), TROUPE_OK);
        assert_int_equal(watch(systems[i % 2], refs[i], &ears[i], SIGUSR1), TROUPE_OK); /* changes nothing */
        if (i >= 4)
            assert_int_equal(watch(systems[i % 2], refs[i], &ears[i], SIGUSR2), TROUPE_OK);
    }
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    for (int i = 0; i < 6; i++)
        wait_for(&ears[i].count, 1);
    unwatch(systems[0], refs[0], &ears[0], SIGUSR1);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    for (int i = 1; i < 6; i++)
        wait_for(&ears[i].count, 2);
    assert_int_equal(kill(getpid(), SIGUSR2), 0);
    for (int i = 4; i < 6; i++)
        wait_for(&ears[i].count, 3);
    assert_int_equal(troupe_stop(&systems[1]), 0); /* the other system still hears */
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&ears[2].count, 3);
    assert_int_equal(load_acquire(&ears[0].count), 1);
    assert_int_equal(load_acquire(&ears[1].count), 2);
    assert_int_equal(troupe_stop(&systems[0]), 0);
}

static void action_of_a_signal_is_the_hosts_again_after_the_last_watcher(void **state)
{
    (void)state;
    struct ear one, two;
    troupe_system *system = start(2);
    troupe_ref first = ear_spawn(system, &one);
    troupe_ref second = ear_spawn(system, &two);
    host_takes(SIGUSR1);
    assert_int_equal(watch(system, first, &one, SIGUSR1), TROUPE_OK);
    assert_int_equal(watch(system, second, &two, SIGUSR1), TROUPE_OK);
    unwatch(system, first, &one, SIGUSR1);
    unwatch(system, first, &one, SIGUSR1); /* it watches no more: nothing */
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&two.count, 1);
    assert_int_equal(load_relaxed(&host_count), 0);
    assert_int_equal(troupe_send(system, second, ear_order, .exits = true), TROUPE_OK);
    struct sigaction now = {0};
    for (int ms = 0; ms < WAIT_MS_MAX && now.sa_handler != host_handler; ms++) {
        doze();
        assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
    }
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&host_count, 1);
    assert_int_equal(watch(system, first, &one, SIGUSR1), TROUPE_OK);
    assert_int_equal(troupe_stop(&system), 0); /* with its watcher */
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&host_count, 2);
    assert_int_equal(load_relaxed(&one.count), 0);
}

static void action_that_the_host_sets_meanwhile_stays(void **state)
{
    (void)state;
    struct ear ear;
    troupe_system *system = start(1);
    troupe_ref who = ear_spawn(system, &ear);
    assert_int_equal(watch(system, who, &ear, SIGUSR2), TROUPE_OK);
    host_takes(SIGUSR2);
    unwatch(system, who, &ear, SIGUSR2);
    assert_int_equal(kill(getpid(), SIGUSR2), 0);
    wait_for(&host_count, 1);
    assert_int_equal(troupe_stop(&system), 0);
    signal(SIGUSR2, SIG_DFL);
}

static _Atomic bool sleeper_ends;

static void *sleeper_run(void *context)
{
    (void)context;
    while (!load_relaxed(&sleeper_ends))
        doze();
    return NULL;
}

static void threads_from_before_and_blocked_ones_make_no_difference(void **state)
{
    (void)state;
    struct ear ear;
    pthread_t sleeper;
    sigset_t mask, before;
    store_relaxed(&sleeper_ends, false);
    assert_int_equal(pthread_create(&sleeper, NULL, sleeper_run, NULL), 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &mask, &before), 0);
    troupe_system *system = start(2); /* its threads block it as this one does: only the sleeper is left */
    troupe_ref who = ear_spawn(system, &ear);
    assert_int_equal(watch(system, who, &ear, SIGTERM), TROUPE_OK);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    wait_for(&ear.count, 1);
    assert_int_equal(pthread_kill(sleeper, SIGTERM), 0);
    wait_for(&ear.count, 2);
    assert_int_equal(ear.number, SIGTERM);
    assert_int_equal(troupe_stop(&system), 0);
    store_relaxed(&sleeper_ends, true);
    pthread_join(sleeper, NULL);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static void child_of_a_fork_does_not_tell_its_parents_watchers(void **state)
{
    (void)state;
    struct ear ear;
    troupe_system *system = start(1);
    troupe_ref who = ear_spawn(system, &ear);
    assert_int_equal(watch(system, who, &ear, SIGUSR1), TROUPE_OK);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGUSR1);
        _exit(7);
    }
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 7);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    wait_for(&ear.count, 1);
    assert_int_equal(ear.sender, getpid()); /* and not the child's */
    assert_int_equal(troupe_stop(&system), 0);
}

static void embedded_system_hears_of_a_signal_when_stepped(void **state)
{
    (void)state;
    struct ear ear;
    uint64_t wait_ms;
    const troupe_options options = {.embedded = true};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref who = ear_spawn(system, &ear);
    assert_int_equal(troupe_send(system, who, ear_order, .number = SIGUSR1), TROUPE_OK);
    assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
    assert_int_equal(load_relaxed(&ear.status), TROUPE_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
    assert_int_equal(load_relaxed(&ear.count), 1);
    assert_int_equal(raise(SIGUSR1), 0); /* told again: the descriptor is waited for again */
    for (int i = 0; i < 10; i++)
        assert_int_equal(troupe_step(system, 100, &wait_ms), TROUPE_OK);
    assert_int_equal(load_relaxed(&ear.count), 2);
    assert_int_equal(troupe_stop(&system), 0);
}

static void signals_that_cannot_be_caught_are_refused(void **state)
{
    (void)state;
    static const int numbers[] = {0, -1, 65, 1000, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32};
    struct ear ear;
    troupe_system *system = start(1);
    troupe_ref who = ear_spawn(system, &ear);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(watch(system, who, &ear, numbers[i]), TROUPE_INVALID);
    assert_int_equal(watch(system, who, &ear, 64), TROUPE_OK);
    assert_int_equal(kill(getpid(), 64), 0);
    wait_for(&ear.count, 1);
    assert_int_equal(troupe_stop(&system), 0);
}

static void as_many_systems_may_listen_as_the_limit_says(void **state)
{
    (void)state;
    struct ear ears[TROUPE_SIGNAL_SYSTEMS_MAX + 1];
    troupe_system *systems[TROUPE_SIGNAL_SYSTEMS_MAX + 1];
    troupe_ref refs[TROUPE_SIGNAL_SYSTEMS_MAX + 1];
    for (int i = 0; i <= TROUPE_SIGNAL_SYSTEMS_MAX; i++) {
        systems[i] = start(1);
        refs[i] = ear_spawn(systems[i], &ears[i]);
        assert_int_equal(watch(systems[i], refs[i], &ears[i], SIGUSR1),
                         i < TROUPE_SIGNAL_SYSTEMS_MAX ? TROUPE_OK : TROUPE_LIMIT);
    }
    assert_int_equal(troupe_stop(&systems[0]), 0);
    int last = TROUPE_SIGNAL_SYSTEMS_MAX;
    assert_int_equal(watch(systems[last], refs[last], &ears[last], SIGUSR1), TROUPE_OK);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    for (int i = 1; i <= last; i++)
        wait_for(&ears[i].count, 1);
    for (int i = 1; i <= last; i++)
        assert_int_equal(troupe_stop(&systems[i]), 0);
}

/* --- in virtual time ------------------------------------------------------------------------------------ */

static void order(troupe_system *system, troupe_ref who, int number, bool ends)
{
    assert_int_equal(troupe_send(system, who, ear_order, .number = number, .ends = ends), TROUPE_OK);
    settle(system);
}

static void simulated_signals_reach_their_watchers_only(void **state)
{
    (void)state;
    struct ear one, two;
    troupe_system *system = probe_system(2);
    troupe_ref first = ear_spawn(system, &one);
    troupe_ref second = ear_spawn(system, &two);
    assert_int_equal(troupe_sim_signal(system, SIGTERM, 7), TROUPE_NOT_FOUND);
    order(system, first, SIGTERM, false);
    order(system, second, SIGINT, false);
    assert_int_equal(troupe_sim_signal(system, SIGTERM, 7), TROUPE_OK);
    settle(system);
    assert_int_equal(one.count, 1);
    assert_int_equal(one.number, SIGTERM);
    assert_int_equal(one.sender, 7);
    assert_int_equal(two.count, 0);
    struct sigaction now;
    assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL); /* the process's own are left alone */
    order(system, first, SIGKILL, false);
    assert_int_equal(one.status, TROUPE_INVALID);
    probe_system_stop(system);
}

static void watch_ends_with_its_actor(void **state)
{
    (void)state;
    struct ear ear;
    troupe_system *system = probe_system(1);
    troupe_ref who = ear_spawn(system, &ear);
    order(system, who, SIGTERM, false);
    assert_int_equal(troupe_send(system, who, ear_order, .exits = true), TROUPE_OK);
    settle(system);
    assert_int_equal(troupe_sim_signal(system, SIGTERM, 7), TROUPE_NOT_FOUND);
    settle(system);
    assert_int_equal(ear.count, 0);
    probe_system_stop(system);
}

static troupe_status signal_then_unwatch(troupe_self *self)
{
    assert_int_equal(troupe_signal_watch(self, SIGHUP), TROUPE_OK);
    /* As from another thread, while this handler runs. */
    assert_int_equal(troupe_sim_signal(troupe_system_of(self), SIGHUP, 1), TROUPE_OK);
    troupe_signal_unwatch(self, SIGHUP);
    return TROUPE_OK;
}

static void notice_of_a_watch_that_ended_is_not_seen(void **state)
{
    (void)state;
    struct probe probe;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &probe, NULL);
    uint64_t then = probe_counters(system).dead_letters_by[TROUPE_DEAD_CANCELLED];
    probe_do(system, &probe, signal_then_unwatch);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_CANCELLED], then + 1);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_UNEXPECTED], 0);
    probe_system_stop(system);
}

static void system_has_as_many_watches_as_the_limit_says(void **state)
{
    (void)state;
    static struct ear ears[TROUPE_SIGNAL_WATCHES_MAX + 1];
    troupe_system *system = probe_system(1);
    for (int i = 0; i <= TROUPE_SIGNAL_WATCHES_MAX; i++) {
        troupe_ref who = ear_spawn(system, &ears[i]);
        order(system, who, SIGTERM, false);
        assert_int_equal(ears[i].status, i < TROUPE_SIGNAL_WATCHES_MAX ? TROUPE_OK : TROUPE_LIMIT);
    }
    assert_int_equal(troupe_sim_signal(system, SIGTERM, 0), TROUPE_OK);
    settle(system);
    for (int i = 0; i < TROUPE_SIGNAL_WATCHES_MAX; i++)
        assert_int_equal(ears[i].count, 1);
    probe_system_stop(system);
}

static void first_signal_is_told_without_memory(void **state)
{
    (void)state;
    uint32_t failed = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const troupe_options options = {.workers = 1,
                                        .simulate = {.seed = seed, .no_memory_probability = 0.4}};
        troupe_system *system;
        struct ear ear;
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        troupe_ref who = ear_spawn(system, &ear);
        (void)!troupe_send(system, who, ear_order, .number = SIGTERM);
        settle(system);
        if (load_relaxed(&ear.done) == 1 && load_relaxed(&ear.status) == TROUPE_OK) {
            assert_int_equal(troupe_sim_signal(system, SIGTERM, 0), TROUPE_OK);
            settle(system);
            assert_int_equal(ear.count, 1);
        } else {
            failed++;
        }
        assert_int_equal(troupe_stop(&system), 0);
    }
    assert_true(failed > 20 && failed < 190);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_is_told_with_its_number_and_its_sender),
        cmocka_unit_test(every_watcher_in_every_system_is_told_once),
        cmocka_unit_test(action_of_a_signal_is_the_hosts_again_after_the_last_watcher),
        cmocka_unit_test(action_that_the_host_sets_meanwhile_stays),
        cmocka_unit_test(threads_from_before_and_blocked_ones_make_no_difference),
        cmocka_unit_test(child_of_a_fork_does_not_tell_its_parents_watchers),
        cmocka_unit_test(embedded_system_hears_of_a_signal_when_stepped),
        cmocka_unit_test(signals_that_cannot_be_caught_are_refused),
        cmocka_unit_test(as_many_systems_may_listen_as_the_limit_says),
        cmocka_unit_test(simulated_signals_reach_their_watchers_only),
        cmocka_unit_test(watch_ends_with_its_actor),
        cmocka_unit_test(notice_of_a_watch_that_ended_is_not_seen),
        cmocka_unit_test(system_has_as_many_watches_as_the_limit_says),
        cmocka_unit_test(first_signal_is_told_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

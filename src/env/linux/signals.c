/* SPDX-License-Identifier: MIT */
/*
 * signals.c: signals of the process. A handler on whatever thread the kernel chose writes the number and the
 * sender to the pipe of every listener of that number; the listener's poller finds it readable.
 *
 *   action of a number: the host's --first listener--> on_signal --last listener--> the host's again
 *
 * Invariants
 *   1. listened_count[n] listeners want the number n; on_signal is its action exactly while that is not 0
 *   2. a place's descriptor is written only between a handler's entry to `handlers` and its leaving; it is
 *      taken out of the place, and `handlers` seen at 0, before it is closed
 *
 * `lock` guards all but what the handler reads, which is atomic and lock-free.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <troupe/signal.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "env/linux/signals.h"

enum {
    SIGNAL_COUNT = 65, /* numbers 1 to 64, NSIG of Linux */
};

_Static_assert(SIGNAL_COUNT <= 65, "a bit for each number from 1 on");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "the handler takes no lock");

/* What the handler sees of a listener. */
struct place {
    _Atomic int fd;           /* the pipe's end to write to; -1: free */
    _Atomic uint64_t numbers; /* bit n - 1: wants the signal n */
};

struct env_signals {
    struct place *place;
    int read_fd;
    int write_fd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct place places[TROUPE_SIGNAL_SYSTEMS_MAX]; /* a place of fd 0 is free too: it was never used */
static uint32_t listened_count[SIGNAL_COUNT];
static struct sigaction actions_before[SIGNAL_COUNT];
static _Atomic uint32_t handlers; /* running now */
static _Atomic pid_t process;     /* a child made by fork must not write to its parent's pipes */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    int error = errno;
    bool has_sender = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE ||
                      number == SIGCHLD;
    struct env_signal signal = {number, has_sender ? info->si_pid : 0};
    fetch_add_seq_cst(&handlers, 1); /* with load_seq_cst in signals_free: invariant 2 */
    bool is_ours = getpid() == load_relaxed(&process);
    for (uint32_t i = 0; i < TROUPE_SIGNAL_SYSTEMS_MAX && is_ours; i++) {
        int fd = load_seq_cst(&places[i].fd);
        if (fd > 0 && (load_relaxed(&places[i].numbers) >> (number - 1) & 1) != 0) {
            ssize_t put = write(fd, &signal, sizeof signal);
            (void)put; /* full: it holds as much news as anybody could want */
        }
    }
    fetch_sub_release(&handlers, 1);
    errno = error;
}

bool env_signal_is_catchable(int number)
{
    return number > 0 && number < SIGNAL_COUNT && number != SIGKILL && number != SIGSTOP &&
           number != SIGSEGV && number != SIGBUS && number != SIGFPE && number != SIGILL;
}

/* A free place, under the lock; NULL: there is none. */
static struct place *place_find(void)
{
    for (uint32_t i = 0; i < TROUPE_SIGNAL_SYSTEMS_MAX; i++)
        if (load_relaxed(&places[i].fd) <= 0)
            return &places[i];
    return NULL;
}

troupe_status linux_signals_new(struct env *env, struct env_signals **ret_signals)
{
    int fds[2];
    (void)env;
    struct env_signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL)
        return TROUPE_NO_MEMORY;
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
        free(signals);
        return TROUPE_IO;
    }
    signals->read_fd = fds[0];
    signals->write_fd = fds[1];
    pthread_mutex_lock(&lock);
    store_relaxed(&process, getpid());
    signals->place = place_find();
    if (signals->place != NULL) {
        store_relaxed(&signals->place->numbers, 0);
        store_seq_cst(&signals->place->fd, signals->write_fd);
    }
    pthread_mutex_unlock(&lock);
    if (signals->place == NULL) {
        close(fds[0]);
        close(fds[1]);
        free(signals);
        return TROUPE_LIMIT;
    }
    *ret_signals = signals;
    return TROUPE_OK;
}

void linux_signals_free(struct env_signals *signals)
{
    ASSERT(load_relaxed(&signals->place->numbers) == 0);
    pthread_mutex_lock(&lock);
    store_seq_cst(&signals->place->fd, -1);
    while (load_seq_cst(&handlers) != 0) /* with fetch_add_seq_cst in on_signal: invariant 2 */
        SPIN_PAUSE();
    pthread_mutex_unlock(&lock);
    close(signals->read_fd);
    close(signals->write_fd);
    free(signals);
}

int linux_signals_fd(struct env_signals *signals)
{
    return signals->read_fd;
}

troupe_status linux_signals_listen(struct env_signals *signals, int number)
{
    if (!env_signal_is_catchable(number))
        return TROUPE_INVALID;
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    uint64_t numbers = load_relaxed(&signals->place->numbers);
    troupe_status status = TROUPE_OK;
    pthread_mutex_lock(&lock);
    store_relaxed(&signals->place->numbers, numbers | UINT64_C(1) << (number - 1));
    if (listened_count[number]++ == 0 && sigaction(number, &action, &actions_before[number]) != 0) {
        listened_count[number]--;
        store_relaxed(&signals->place->numbers, numbers);
        status = TROUPE_INVALID; /* one that the C library keeps for itself */
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void linux_signals_unlisten(struct env_signals *signals, int number)
{
    uint64_t numbers = load_relaxed(&signals->place->numbers);
    struct sigaction now;
    pthread_mutex_lock(&lock);
    store_relaxed(&signals->place->numbers, numbers & ~(UINT64_C(1) << (number - 1)));
    if (--listened_count[number] == 0) {
        int failed = sigaction(number, NULL, &now);
        /* If the host has set another action meanwhile, that is the one it wants. */
        if (!failed && (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_signal)
            failed = sigaction(number, &actions_before[number], NULL);
        ASSERT(!failed);
    }
    pthread_mutex_unlock(&lock);
}

bool linux_signals_read(struct env_signals *signals, struct env_signal *ret_signal)
{
    struct env_signal signal;
    ssize_t got = -1;
    do {
        got = read(signals->read_fd, &signal, sizeof signal);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof signal)
        return false;
    *ret_signal = signal;
    return true;
}

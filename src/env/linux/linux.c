/* SPDX-License-Identifier: MIT */
/*
 * linux.c: the real environment: CLOCK_MONOTONIC, epoll with an eventfd for wake-ups, pthreads, mmap.
 *
 * A poller is one epoll instance. Watches are EPOLLONESHOT: one report, then silence until asked again,
 * which is what makes a report a message. The eventfd is level-triggered and read empty on wake-up, so a
 * wake sent at any moment before the wait ends it.
 */
#include "env/env.h"

#include <errno.h>
#include <limits.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <troupe/watch.h>
#include <unistd.h>

#include "base/assert.h"
#include "env/linux/signals.h"

enum {
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
};

struct linux_env {
    struct env env;
    uint64_t origin_ns;
};

struct env_poller {
    struct env *env;
    int epoll_fd;
    int wake_fd;
};

struct env_thread {
    pthread_t thread;
    void (*run)(void *context);
    void *context;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    int failed = clock_gettime(clock, &time);
    ASSERT(!failed);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static uint64_t linux_now_ns(struct env *env)
{
    return clock_ns(CLOCK_MONOTONIC) - ((struct linux_env *)env)->origin_ns;
}

static int64_t linux_unix_ms(struct env *env)
{
    (void)env;
    return (int64_t)(clock_ns(CLOCK_REALTIME) / NS_PER_MS);
}

static void linux_free(struct env *env)
{
    free(env);
}

static void poller_free(struct env_poller *poller)
{
    if (poller == NULL)
        return;
    if (poller->epoll_fd >= 0)
        close(poller->epoll_fd);
    if (poller->wake_fd >= 0)
        close(poller->wake_fd);
    free(poller);
}

static troupe_status poller_new(struct env *env, struct env_poller **ret_poller)
{
    struct env_poller *poller = calloc(1, sizeof *poller);
    if (poller == NULL)
        return TROUPE_NO_MEMORY;
    poller->env = env;
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    poller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = poller->wake_fd};
    if (poller->epoll_fd < 0 || poller->wake_fd < 0 ||
        epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wake_fd, &event) != 0) {
        poller_free(poller);
        return TROUPE_IO;
    }
    *ret_poller = poller;
    return TROUPE_OK;
}

/* Milliseconds until the deadline, rounded up so that a timer is never looked for too early; -1 for ever. */
static int wait_ms(struct env_poller *poller, uint64_t deadline_ns)
{
    if (deadline_ns == ENV_FOREVER)
        return -1;
    uint64_t now_ns = deadline_ns == 0 ? 0 : linux_now_ns(poller->env);
    if (deadline_ns <= now_ns)
        return 0;
    uint64_t ms = (deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static uint32_t ready_events(uint32_t events)
{
    uint32_t ready = 0;
    ready |= events & EPOLLIN ? TROUPE_READY_READ : 0u;
    ready |= events & EPOLLOUT ? TROUPE_READY_WRITE : 0u;
    ready |= events & (EPOLLHUP | EPOLLRDHUP) ? TROUPE_READY_HANGUP : 0u;
    ready |= events & EPOLLERR ? TROUPE_READY_ERROR : 0u;
    return ready;
}

static uint32_t poller_wait(struct env_poller *poller, uint64_t deadline_ns, struct env_ready *ret_ready)
{
    struct epoll_event events[ENV_READY_MAX];
    int count = epoll_wait(poller->epoll_fd, events, ENV_READY_MAX, wait_ms(poller, deadline_ns));
    ASSERT(count >= 0 || errno == EINTR);
    uint32_t ready_count = 0;
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == poller->wake_fd) {
            uint64_t wakes;
            ssize_t got = read(poller->wake_fd, &wakes, sizeof wakes);
            ASSERT(got == (ssize_t)sizeof wakes || errno == EAGAIN || errno == EINTR);
            continue;
        }
        ret_ready[ready_count].fd = events[i].data.fd;
        ret_ready[ready_count++].events = ready_events(events[i].events);
    }
    return ready_count;
}

static int poller_fd(struct env_poller *poller)
{
    return poller->epoll_fd;
}

static void poller_wake(struct env_poller *poller)
{
    uint64_t one = 1;
    ssize_t put;
    do { /* a wake-up that is not written is lost; one that finds no room (EAGAIN) is there already */
        put = write(poller->wake_fd, &one, sizeof one);
    } while (put < 0 && errno == EINTR);
    ASSERT(put == (ssize_t)sizeof one || errno == EAGAIN);
}

static troupe_status poller_watch(struct env_poller *poller, int fd, uint32_t events)
{
    struct epoll_event event = {.events = EPOLLONESHOT | EPOLLRDHUP, .data.fd = fd};
    event.events |= events & TROUPE_READY_READ ? (uint32_t)EPOLLIN : 0u;
    event.events |= events & TROUPE_READY_WRITE ? (uint32_t)EPOLLOUT : 0u;
    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return TROUPE_OK;
    if (errno == ENOENT && epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return TROUPE_OK;
    if (errno == ENOMEM)
        return TROUPE_NO_MEMORY;
    return errno == EBADF || errno == EPERM || errno == EINVAL ? TROUPE_INVALID : TROUPE_IO;
}

static void poller_unwatch(struct env_poller *poller, int fd)
{
    /* It may be closed already, which has taken it out of the epoll set. */
    epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* What a count of bytes, or -1 and errno, come to. */
static troupe_status moved(ssize_t count, size_t *ret_size)
{
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return TROUPE_IO;
    *ret_size = count < 0 ? 0 : (size_t)count;
    return TROUPE_OK;
}

troupe_status env_fd_read(int fd, void *buffer, size_t size, size_t *ret_size)
{
    ssize_t count;
    do {
        count = read(fd, buffer, size);
    } while (count < 0 && errno == EINTR);
    return count == 0 ? TROUPE_END : moved(count, ret_size);
}

troupe_status env_fd_write(int fd, const void *buffer, size_t size, size_t *ret_size)
{
    ssize_t count;
    do {
        count = send(fd, buffer, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == ENOTSOCK)
            count = write(fd, buffer, size);
    } while (count < 0 && errno == EINTR);
    return moved(count, ret_size);
}

static troupe_status linux_fd_read(struct env *env, int fd, void *buffer, size_t size, size_t *ret_size)
{
    (void)env;
    return env_fd_read(fd, buffer, size, ret_size);
}

static troupe_status linux_fd_write(struct env *env, int fd, const void *buffer, size_t size,
                                    size_t *ret_size)
{
    (void)env;
    return env_fd_write(fd, buffer, size, ret_size);
}

troupe_status env_linux_new(struct env **ret_env)
{
    static const struct env_ops ops = {
        .now_ns = linux_now_ns,
        .unix_ms = linux_unix_ms,
        .free = linux_free,
        .poller_new = poller_new,
        .poller_free = poller_free,
        .poller_wait = poller_wait,
        .poller_fd = poller_fd,
        .poller_wake = poller_wake,
        .poller_watch = poller_watch,
        .poller_unwatch = poller_unwatch,
        .fd_read = linux_fd_read,
        .fd_write = linux_fd_write,
        .signals_new = linux_signals_new,
        .signals_free = linux_signals_free,
        .signals_fd = linux_signals_fd,
        .signals_listen = linux_signals_listen,
        .signals_unlisten = linux_signals_unlisten,
        .signals_read = linux_signals_read,
    };
    struct linux_env *env = calloc(1, sizeof *env);
    if (env == NULL)
        return TROUPE_NO_MEMORY;
    env->env.ops = &ops;
    env->origin_ns = clock_ns(CLOCK_MONOTONIC);
    *ret_env = &env->env;
    return TROUPE_OK;
}

void *env_pages_map(size_t size)
{
    const size_t alignment = (size_t)64 * 1024;
    char *pages = mmap(NULL, size + alignment, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    size_t before = (alignment - (uintptr_t)pages % alignment) % alignment;
    if (before > 0)
        munmap(pages, before);
    munmap(pages + before + size, alignment - before);
    return pages + before;
}

void env_pages_unmap(void *pages, size_t size)
{
    int failed = munmap(pages, size);
    ASSERT(!failed);
}

bool env_barrier_register(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void env_barrier(void)
{
    long failed = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    ASSERT(!failed); /* it was registered */
}

uint64_t env_entropy(void)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = clock_ns(CLOCK_MONOTONIC) ^ ((uint64_t)getpid() << 40);
    return bits;
}

uint32_t env_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}

static void *thread_main(void *argument)
{
    struct env_thread *thread = argument;
    thread->run(thread->context);
    return NULL;
}

troupe_status env_thread_start(struct env_thread **ret_thread, const char *name, void (*run)(void *context),
                               void *context)
{
    struct env_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return TROUPE_NO_MEMORY;
    thread->run = run;
    thread->context = context;
    *ret_thread = thread;
    if (pthread_create(&thread->thread, NULL, thread_main, thread) != 0) {
        free(thread);
        *ret_thread = NULL;
        return TROUPE_IO;
    }
    char kept[16];
    snprintf(kept, sizeof kept, "%s", name);
    pthread_setname_np(thread->thread, kept);
    return TROUPE_OK;
}

void env_thread_join(struct env_thread *thread)
{
    if (thread == NULL)
        return;
    int failed = pthread_join(thread->thread, NULL);
    ASSERT(!failed);
    free(thread);
}

void env_fd_close(int fd)
{
    /* Not again after EINTR: on Linux the number is free by then, and may be somebody else's. */
    close(fd);
}

void env_sleep_ms(uint32_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * NS_PER_MS};
    nanosleep(&time, NULL);
}

void env_yield(void)
{
    sched_yield();
}

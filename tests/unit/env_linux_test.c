/* SPDX-License-Identifier: MIT */
/*
 * Facts about the real environment: time goes on, a wait ends at its deadline and not before, with a wake-up
 * also when that came first, and with a descriptor that is ready, which is told once; pages are aligned and
 * empty; threads run and are joined. What happens when the system calls fail is in env_faults_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe/watch.h>

#include "base/atomic.h"
#include "env/env.h"

enum {
    NS_PER_MS = 1000000,
    PAGES_SIZE = 64 * 1024,
};

static struct env *env;
static struct env_poller *poller;
static struct env_ready ready[ENV_READY_MAX];

static int setup(void **state)
{
    (void)state;
    if (env_linux_new(&env) != TROUPE_OK)
        return -1;
    return env->ops->poller_new(env, &poller) == TROUPE_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    env->ops->poller_free(poller);
    env->ops->free(env);
    return 0;
}

static void wait_ends_at_its_deadline_and_not_before(void **state)
{
    (void)state;
    uint64_t deadline_ns = env_now_ns(env) + 5 * NS_PER_MS;
    assert_int_equal(env->ops->poller_wait(poller, deadline_ns, ready), 0);
    assert_true(env_now_ns(env) >= deadline_ns);
    uint64_t then_ns = env_now_ns(env);
    assert_int_equal(env->ops->poller_wait(poller, 0, ready), 0);       /* only looks */
    assert_int_equal(env->ops->poller_wait(poller, then_ns, ready), 0); /* over already */
    assert_false(env->is_simulated);
}

static void wake_before_the_wait_ends_it(void **state)
{
    (void)state;
    env->ops->poller_wake(poller);
    env->ops->poller_wake(poller);
    assert_int_equal(env->ops->poller_wait(poller, ENV_FOREVER, ready), 0);
    uint64_t deadline_ns = env_now_ns(env) + 2 * NS_PER_MS; /* both were taken by the first wait */
    assert_int_equal(env->ops->poller_wait(poller, deadline_ns, ready), 0);
    assert_true(env_now_ns(env) >= deadline_ns);
}

static void ready_descriptor_is_told_once_for_each_watch(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(env->ops->poller_watch(poller, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(env->ops->poller_wait(poller, 0, ready), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(env->ops->poller_wait(poller, ENV_FOREVER, ready), 1);
        assert_int_equal(ready[0].fd, fds[0]);
        assert_int_equal(ready[0].events, TROUPE_READY_READ);
        assert_int_equal(env->ops->poller_wait(poller, 0, ready), 0); /* until asked again */
        assert_int_equal(env->ops->poller_watch(poller, fds[0], TROUPE_READY_READ), TROUPE_OK);
    }
    env->ops->poller_unwatch(poller, fds[0]);
    assert_int_equal(env->ops->poller_wait(poller, 0, ready), 0);
    close(fds[1]);
    assert_int_equal(env->ops->poller_watch(poller, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(env->ops->poller_wait(poller, ENV_FOREVER, ready), 1);
    assert_true(ready[0].events & TROUPE_READY_HANGUP);
    close(fds[0]);
    env->ops->poller_unwatch(poller, fds[0]); /* closed already: nothing to do */
}

static void descriptor_that_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[1]);
    close(fds[0]);
    assert_int_equal(env->ops->poller_watch(poller, fds[0], TROUPE_READY_READ), TROUPE_INVALID);
    FILE *file = tmpfile(); /* always ready: epoll takes none */
    assert_non_null(file);
    assert_int_equal(env->ops->poller_watch(poller, fileno(file), TROUPE_READY_READ), TROUPE_INVALID);
    fclose(file);
}

static void calendar_is_that_of_the_machine(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL);
    int64_t now = env_unix_ms(env) / 1000;
    assert_true(now >= before - 1 && now <= (int64_t)time(NULL) + 1);
}

static void pages_are_aligned_and_empty(void **state)
{
    (void)state;
    static const char zeros[PAGES_SIZE];
    char *pages = env_pages_map((size_t)3 * PAGES_SIZE);
    assert_non_null(pages);
    assert_int_equal((uintptr_t)pages % PAGES_SIZE, 0);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(pages + i * PAGES_SIZE, zeros, PAGES_SIZE);
    memset(pages, 1, (size_t)3 * PAGES_SIZE);
    env_pages_unmap(pages, (size_t)3 * PAGES_SIZE);
    assert_null(env_pages_map(SIZE_MAX / 2 / PAGES_SIZE * PAGES_SIZE));
}

static _Atomic uint64_t runs;

static void run_once(void *context)
{
    fetch_add_relaxed(&runs, *(uint64_t *)context);
}

static void thread_runs_and_is_joined(void **state)
{
    (void)state;
    struct env_thread *thread;
    uint64_t five = 5;
    assert_int_equal(env_thread_start(&thread, "a name that is longer than it may be", run_once, &five),
                     TROUPE_OK);
    env_thread_join(thread);
    assert_int_equal(load_relaxed(&runs), 5);
    env_thread_join(NULL);
    assert_true(env_processors() >= 1);
    assert_int_not_equal(env_entropy(), env_entropy());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wait_ends_at_its_deadline_and_not_before, setup, teardown),
        cmocka_unit_test_setup_teardown(wake_before_the_wait_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(ready_descriptor_is_told_once_for_each_watch, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptor_that_cannot_be_watched_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(calendar_is_that_of_the_machine, setup, teardown),
        cmocka_unit_test(pages_are_aligned_and_empty),
        cmocka_unit_test(thread_runs_and_is_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

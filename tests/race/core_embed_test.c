/* SPDX-License-Identifier: MIT */
/*
 * Facts about an embedded system in a real host's loop: poll(2) on the system's descriptor beside one of the
 * host's own, waiting exactly as long as the last step said. Threads outside send, and write to descriptors
 * that actors watch, timers run, signals come, an actor has a thread of its own: all of it is told by the
 * descriptor or the wait, everything but that thread's actor runs on the host's thread, and nothing is lost.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"

enum {
    SENDERS = 3,
    ITEMS = 3000, /* by each */
    PIPES = 4,
    BYTES = 500, /* to each pipe */
    BEATS = 40,
    BEAT_MS = 2,
    SIGNALS = 20,
    STUCK_MS = 15000,
    ANSWER_MS = 60000,
};

#define ITEM(F) F(u32, sender) F(u32, number)
TROUPE_MESSAGE(item, ITEM)
TROUPE_MESSAGE_EMPTY(begin)

static pthread_t host;
static troupe_system *host_system;
static troupe_ref counter_ref;
static troupe_ref echo_ref;
static int host_pipe[2];
static int pipes[PIPES][2];

static _Atomic bool writer_is_done; /* from now on no signal comes that nobody watches */

/* By actors on the host's thread. */
static uint32_t next_number[SENDERS];
static uint32_t echoed;
static uint32_t bytes_read[PIPES];
static uint32_t beats;
static uint32_t signals_seen;

static troupe_status on_echo(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    (void)self;
    (void)context;
    ASSERT(pthread_equal(pthread_self(), host));
    ASSERT(status == TROUPE_OK && item_of(reply) != NULL);
    echoed++;
    return TROUPE_OK;
}

static troupe_status counter_receive(troupe_self *self, const troupe_message *message)
{
    const item *m = item_of(message);
    ASSERT(pthread_equal(pthread_self(), host));
    if (begin_of(message) != NULL)
        return troupe_signal_watch(self, SIGUSR1) == TROUPE_OK
                   ? troupe_timer_start(self, BEAT_MS, BEAT_MS, 0, NULL)
                   : TROUPE_FAILED;
    if (troupe_timeout_of(message) != NULL)
        beats++;
    if (troupe_signal_of(message) != NULL)
        signals_seen++;
    if (m == NULL)
        return TROUPE_OK;
    ASSERT(next_number[m->sender]++ == m->number); /* in order, none twice, none missing */
    if (m->number % 10 != 0)
        return TROUPE_OK;
    return troupe_ask(self, echo_ref, ANSWER_MS, on_echo, NULL, item, .number = m->number);
}

/* Has a thread of its own. */
static troupe_status echo_receive(troupe_self *self, const troupe_message *message)
{
    const item *m = item_of(message);
    ASSERT(!pthread_equal(pthread_self(), host));
    return troupe_reply(self, troupe_asker_of(message), item, .number = m->number);
}

static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    const uint32_t *index = troupe_state(self);
    int fd = pipes[*index][0];
    char bytes[7];
    size_t got = 0;
    ASSERT(pthread_equal(pthread_self(), host));
    if (troupe_ready_of(message) != NULL) {
        ASSERT(troupe_fd_read(self, fd, bytes, sizeof bytes, &got) == TROUPE_OK);
        bytes_read[*index] += (uint32_t)got;
    }
    return troupe_watch(self, fd, TROUPE_READY_READ);
}

static void doze(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void *sender_run(void *context)
{
    uint32_t sender = *(uint32_t *)context;
    for (uint32_t i = 0; i < ITEMS; i++) {
        while (troupe_send(host_system, counter_ref, item, .sender = sender, .number = i) != TROUPE_OK)
            doze(100000);
        if (i % 64 == 0)
            doze(200000); /* so that the host goes to sleep in between */
    }
    return NULL;
}

static void *writer_run(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < BYTES; i++) {
        for (int n = 0; n < PIPES; n++)
            ASSERT(write(pipes[n][1], "x", 1) == 1);
        if (i % 32 == 0) {
            ASSERT(write(host_pipe[1], "h", 1) == 1);
            doze(300000);
        }
    }
    for (int i = 0; i < SIGNALS; i++) {
        ASSERT(kill(getpid(), SIGUSR1) == 0);
        doze(500000);
    }
    store_release(&writer_is_done, true);
    return NULL;
}

static bool is_done(void)
{
    bool is = load_acquire(&writer_is_done) && beats >= BEATS && signals_seen > 0 &&
              echoed == SENDERS * (ITEMS / 10);
    for (int i = 0; i < SENDERS; i++)
        is = is && next_number[i] == ITEMS;
    for (int i = 0; i < PIPES; i++)
        is = is && bytes_read[i] == BYTES;
    return is;
}

/* The host's loop; gives how many bytes of its own it read meanwhile. */
static uint32_t host_loop(void)
{
    struct pollfd fds[2] = {{.fd = troupe_poll_fd(host_system), .events = POLLIN},
                            {.fd = host_pipe[0], .events = POLLIN}};
    uint32_t own = 0;
    while (!is_done()) {
        uint64_t wait_ms;
        char bytes[16];
        assert_int_equal(troupe_step(host_system, 50, &wait_ms), TROUPE_OK);
        int timeout_ms = wait_ms > STUCK_MS ? STUCK_MS : (int)wait_ms;
        int ready = poll(fds, 2, timeout_ms);
        assert_false(ready == 0 && timeout_ms == STUCK_MS); /* nothing came though not all is done: lost */
        if (ready > 0 && (fds[1].revents & POLLIN) != 0)
            own += (uint32_t)read(host_pipe[0], bytes, sizeof bytes);
    }
    return own;
}

static void everything_reaches_actors_in_a_hosts_loop(void **state)
{
    (void)state;
    static const troupe_behaviour counter = {.name = "counter", .receive = counter_receive};
    static const troupe_behaviour echo = {.name = "echo", .receive = echo_receive};
    static const troupe_behaviour reader = {
        .name = "reader", .state_size = sizeof(uint32_t), .receive = reader_receive};
    pthread_t threads[SENDERS + 1];
    uint32_t numbers[SENDERS];
    host = pthread_self();
    assert_int_equal(pipe2(host_pipe, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(troupe_start(&host_system, &(troupe_options){.embedded = true}), TROUPE_OK);
    counter_ref = troupe_spawn(host_system, &counter, &(troupe_spawn_options){.mailbox_len_max = 64});
    echo_ref = troupe_spawn(host_system, &echo,
                            &(troupe_spawn_options){.own_thread = true, .mailbox_len_max = SENDERS * ITEMS});
    assert_int_equal(troupe_send(host_system, counter_ref, begin), TROUPE_OK);
    for (uint32_t i = 0; i < PIPES; i++) {
        assert_int_equal(pipe2(pipes[i], O_NONBLOCK | O_CLOEXEC), 0);
        troupe_ref ref = troupe_spawn(host_system, &reader, &(troupe_spawn_options){.state = &i});
        assert_int_equal(troupe_send(host_system, ref, begin), TROUPE_OK);
    }
    uint64_t wait_ms = 0;
    while (wait_ms == 0) /* all watch before the first signal comes */
        assert_int_equal(troupe_step(host_system, 50, &wait_ms), TROUPE_OK);
    for (uint32_t i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, sender_run, &numbers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[SENDERS], NULL, writer_run, NULL), 0);
    uint32_t own = host_loop();
    for (int i = 0; i <= SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(own > 0);
    assert_int_equal(troupe_stop(&host_system), 0);
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    close(host_pipe[0]);
    close(host_pipe[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_reaches_actors_in_a_hosts_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

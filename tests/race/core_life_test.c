/* SPDX-License-Identifier: MIT */
/*
 * Facts about systems that begin and end on real threads: a stop lets what threads outside still do come to
 * its end and ends every call that waits; systems that live side by side do not meet; and after any number
 * of them no thread and no descriptor is left.
 */
#include <dirent.h>
#include <pthread.h>

#include "race/race.h"

enum {
    OUTSIDERS = 3,
    ROUNDS = 150, /* of each outsider */
    LIVES = 8,    /* systems one after the other */
    SIDE_BY_SIDE = 4,
    DRAIN_MS = 60000,
    CALL_MS = 100000, /* never reached */
};

#define VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(life_question, VALUE_FIELDS)
TROUPE_MESSAGE(life_answer, VALUE_FIELDS)
TROUPE_MESSAGE_EMPTY(life_go)

static _Atomic uint64_t begun;
static _Atomic uint64_t held; /* questions that are not answered */
static troupe_ref echo_ref;
static troupe_ref silent_ref;

static troupe_status echo_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(life_question_of(message) != NULL);
    return troupe_reply(self, troupe_asker_of(message), life_answer,
                        .value = life_question_of(message)->value + 1);
}

static const troupe_behaviour echo = {.name = "echo", .receive = echo_receive};

static troupe_status silent_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    ASSERT(life_question_of(message) != NULL);
    fetch_add_relaxed(&held, 1);
    return TROUPE_OK;
}

static const troupe_behaviour silent = {.name = "silent", .receive = silent_receive};

/* Has work until every outsider waits for an answer that does not come. */
static troupe_status busy_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(life_go_of(message) != NULL);
    if (load_relaxed(&held) == OUTSIDERS)
        return TROUPE_OK;
    return troupe_send(self, troupe_self_ref(self), life_go);
}

static const troupe_behaviour busy = {.name = "busy", .receive = busy_receive};

static troupe_status brief_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(life_go_of(message) != NULL);
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour brief = {.name = "brief", .receive = brief_receive};

static void *outsider_run(void *context)
{
    troupe_system *system = context;
    troupe_message *reply = NULL;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        const troupe_spawn_options options = {.own_thread = i % 64 == 0};
        troupe_ref ref = troupe_spawn(system, &brief, &options);
        ASSERT(troupe_send(system, ref, life_go) == TROUPE_OK);
        ASSERT(troupe_call(system, echo_ref, CALL_MS, &reply, life_question, .value = i) == TROUPE_OK);
        ASSERT(life_answer_of(reply)->value == i + 1);
        troupe_message_free(system, &reply);
        fetch_add_relaxed(&begun, 1);
    }
    ASSERT(troupe_call(system, silent_ref, CALL_MS, &reply, life_question, .value = 1) == TROUPE_STOPPING);
    ASSERT(reply == NULL);
    return NULL;
}

static void stop_with(uint32_t workers)
{
    const troupe_options options = {.workers = workers, .drain_ms = DRAIN_MS};
    for (int life = 0; life < LIVES; life++) {
        troupe_system *system;
        pthread_t threads[OUTSIDERS];
        store_relaxed(&begun, 0);
        store_relaxed(&held, 0);
        assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
        echo_ref = troupe_spawn(system, &echo, NULL);
        silent_ref = troupe_spawn(system, &silent, NULL);
        assert_int_equal(troupe_send(system, troupe_spawn(system, &busy, NULL), life_go), TROUPE_OK);
        troupe_system *same = system; /* troupe_stop clears the other */
        for (int i = 0; i < OUTSIDERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, same), 0);
        while (load_relaxed(&begun) < (uint64_t)life * OUTSIDERS)
            usleep(100);
        assert_int_equal(troupe_stop(&system), 0);
        for (int i = 0; i < OUTSIDERS; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(load_relaxed(&begun), OUTSIDERS * ROUNDS);
    }
}

static void stop_lets_outsiders_finish_and_ends_the_calls_that_wait(void **state)
{
    (void)state;
    race_run(stop_with);
}

static uint32_t entries_of(const char *folder)
{
    uint32_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    while (readdir(open) != NULL)
        count++;
    closedir(open);
    return count;
}

struct life {
    uint32_t workers;
    bool embedded;
    pthread_t thread;
};

/* A system with a bit of everything: a thread of an actor, a timer that never fires, a descriptor, a call. */
static troupe_status host_start(troupe_self *self)
{
    int *fds = troupe_state(self);
    ASSERT(pipe(fds) == 0);
    ASSERT(troupe_timer_start(self, 1000000, 0, 0, NULL) == TROUPE_OK);
    ASSERT(troupe_register(self, "host") == TROUPE_OK);
    return troupe_watch(self, fds[0], TROUPE_READY_READ);
}

static void host_stop(troupe_self *self, troupe_status reason)
{
    int *fds = troupe_state(self);
    (void)reason;
    troupe_unwatch(self, fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static const troupe_behaviour host = {.name = "host",
                                      .state_size = sizeof(int[2]),
                                      .start = host_start,
                                      .receive = echo_receive,
                                      .stop = host_stop};

static void *live(void *context)
{
    const struct life *me = context;
    for (uint64_t i = 0; i < LIVES; i++) {
        const troupe_options options = {.workers = me->workers, .embedded = me->embedded};
        const troupe_spawn_options own = {.own_thread = true};
        troupe_system *system;
        troupe_message *reply = NULL;
        ASSERT(troupe_start(&system, &options) == TROUPE_OK);
        troupe_ref ref = troupe_spawn(system, &host, NULL);
        ASSERT(troupe_send(system, troupe_spawn(system, &brief, &own), life_go) == TROUPE_OK);
        ASSERT(troupe_call(system, ref, CALL_MS, &reply, life_question, .value = i) == TROUPE_OK);
        ASSERT(life_answer_of(reply)->value == i + 1);
        troupe_message_free(system, &reply);
        if (i % 2 == 0)
            (void)troupe_spawn(system, &brief, &own); /* is there when the end comes */
        ASSERT(troupe_stop(&system) == 0);
    }
    return NULL;
}

static void lives_with(uint32_t workers)
{
    struct life lives[SIDE_BY_SIDE];
    for (uint32_t i = 0; i < SIDE_BY_SIDE; i++) {
        lives[i] = (struct life){.workers = workers, .embedded = i == 0};
        assert_int_equal(pthread_create(&lives[i].thread, NULL, live, &lives[i]), 0);
    }
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        pthread_join(lives[i].thread, NULL);
}

static void no_thread_and_no_descriptor_outlives_its_system(void **state)
{
    (void)state;
    race_run(lives_with); /* whatever the process itself needs, it has now */
    uint32_t threads = entries_of("/proc/self/task");
    uint32_t descriptors = entries_of("/proc/self/fd");
    race_run(lives_with);
    assert_int_equal(entries_of("/proc/self/task"), threads);
    assert_int_equal(entries_of("/proc/self/fd"), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_lets_outsiders_finish_and_ends_the_calls_that_wait),
        cmocka_unit_test(no_thread_and_no_descriptor_outlives_its_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

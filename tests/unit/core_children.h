/* SPDX-License-Identifier: MIT */
/*
 * core_children.h: supervised children that write what happens to them into a log, for the tests of the
 * supervisor: "+a" started, "!a" failed to start, "-a" stopped; a supervisor's end is "x" and its status.
 * Everything runs in virtual time, so that a millisecond more or less decides. One thread.
 */
#ifndef TROUPE_TESTS_CORE_CHILDREN_H
#define TROUPE_TESTS_CORE_CHILDREN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

enum {
    IDS = 16,
    LOG_SIZE = 4096,
};

#define DO_FIELDS(F) F(u32, status) F(bool, ends)
TROUPE_MESSAGE(child_do, DO_FIELDS)
TROUPE_MESSAGE_EMPTY(child_deafen)

static char history[LOG_SIZE];
static troupe_ref refs[IDS];            /* of the child with id 'a' + i, as it last started */
static uint32_t start_failures[IDS];    /* its next starts that fail */
static troupe_status stop_reasons[IDS]; /* of its last end */
static uint64_t stop_ms[IDS];           /* when that was */

static void note(char what, const char *who)
{
    size_t len = strlen(history);
    snprintf(history + len, sizeof history - len, "%s%c%s", len > 0 ? " " : "", what, who);
}

struct child_state {
    char id[2];
    bool is_quick; /* ends normally in start */
    uint32_t value;
};

static uint32_t index_of(const struct child_state *child)
{
    return (uint32_t)(child->id[0] - 'a');
}

static troupe_status child_start(troupe_self *self)
{
    struct child_state *child = troupe_state(self);
    assert_int_equal(child->value, 7); /* each life begins with the state of the spec */
    child->value = 8;
    if (start_failures[index_of(child)] > 0) {
        start_failures[index_of(child)]--;
        note('!', child->id);
        return TROUPE_IO;
    }
    refs[index_of(child)] = troupe_self_ref(self);
    note('+', child->id);
    if (child->is_quick)
        troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status child_receive(troupe_self *self, const troupe_message *message)
{
    const child_do *order = child_do_of(message);
    if (child_deafen_of(message) != NULL) /* busy for ever: a shutdown, which is normal, never has its turn */
        return troupe_send(self, troupe_self_ref(self), child_deafen,
                           .envelope.message_class = TROUPE_CLASS_URGENT);
    if (order == NULL)
        return TROUPE_UNEXPECTED;
    if (order->ends)
        troupe_exit(self);
    return (troupe_status)order->status;
}

static void child_stop(troupe_self *self, troupe_status reason)
{
    struct child_state *child = troupe_state(self);
    stop_reasons[index_of(child)] = reason;
    stop_ms[index_of(child)] = troupe_now_ns(self) / 1000000;
    note('-', child->id);
}

static const troupe_behaviour child_behaviour = {
    .name = "child",
    .state_size = sizeof(struct child_state),
    .start = child_start,
    .receive = child_receive,
    .stop = child_stop,
};

static const troupe_supervisor_spec *watched_spec;
static troupe_ref watched_ref;
static troupe_status watched_status;

/* Starts the supervisor that is wanted and monitors it before it runs. */
static troupe_status watcher_start(troupe_self *self)
{
    uint64_t monitor;
    watched_ref = troupe_supervisor_start(self, watched_spec, &watched_status);
    return troupe_monitor(self, watched_ref, &monitor);
}

static troupe_status watcher_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_down *down = troupe_down_of(message);
    (void)self;
    assert_non_null(down);
    note('x', troupe_status_name((troupe_status)down->reason));
    return TROUPE_OK;
}

static const troupe_behaviour watcher_behaviour = {
    .name = "watcher", .start = watcher_start, .receive = watcher_receive};

static struct child_state states[IDS];
static char ids[IDS][2];

static inline troupe_child_spec child(char id)
{
    uint32_t i = (uint32_t)(id - 'a');
    states[i] = (struct child_state){.id = {id, '\0'}, .value = 7};
    ids[i][0] = id;
    return (troupe_child_spec){.id = ids[i], .behaviour = &child_behaviour, .options = {.state = &states[i]}};
}

static inline troupe_system *start(void)
{
    const troupe_options options = {.workers = 2, .simulate = {.seed = 11}};
    troupe_system *system;
    memset(refs, 0, sizeof refs);
    memset(start_failures, 0, sizeof start_failures);
    memset(stop_reasons, 0, sizeof stop_reasons);
    history[0] = '\0';
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static bool is_supervised(void *context)
{
    (void)context;
    return !troupe_ref_is_none(watched_ref);
}

/* Starts a supervisor whose end is written down. Its children have not started yet. */
static inline troupe_ref supervise(troupe_system *system, const troupe_supervisor_spec *spec)
{
    watched_spec = spec;
    watched_ref = troupe_ref_none();
    troupe_spawn(system, &watcher_behaviour, NULL);
    assert_int_equal(troupe_sim_run_until(system, is_supervised, NULL, 1), TROUPE_OK);
    assert_int_equal(watched_status, TROUPE_OK);
    return watched_ref;
}

/* Lets `ms` go by and compares what has happened since the last time. */
static inline void expect(troupe_system *system, uint64_t ms, const char *what)
{
    troupe_sim_advance(system, ms);
    assert_string_equal(history, what);
    history[0] = '\0';
}

static bool is_never_reached(void *context)
{
    (void)context;
    return false;
}

/* The same while somebody is busy for ever: no longer than `ms`. */
static inline void expect_within(troupe_system *system, uint64_t ms, const char *what)
{
    assert_int_equal(troupe_sim_run_until(system, is_never_reached, NULL, ms), TROUPE_TIMEOUT);
    assert_string_equal(history, what);
    history[0] = '\0';
}

static inline void order(troupe_system *system, char id, troupe_status status)
{
    assert_int_equal(troupe_send(system, refs[id - 'a'], child_do, .status = (uint32_t)status, .ends = false),
                     TROUPE_OK);
}

static inline uint64_t restarts(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    return counters.restarts;
}

static inline void stop(troupe_system *system)
{
    assert_int_equal(troupe_stop(&system), 0);
}

#endif

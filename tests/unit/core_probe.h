/* SPDX-License-Identifier: MIT */
/*
 * core_probe.h: an actor that runs a function of the test inside itself and writes down every notice it gets,
 * for tests of the core in virtual time. One thread.
 */
#ifndef TROUPE_TESTS_CORE_PROBE_H
#define TROUPE_TESTS_CORE_PROBE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <troupe.h>

enum {
    NOTICES_KEPT = 256,
};

typedef troupe_status (*probe_function)(troupe_self *self);

#define PROBE_RUN_FIELDS(F) F(u64, function)
TROUPE_MESSAGE(probe_run, PROBE_RUN_FIELDS)
#define PROBE_VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(probe_value, PROBE_VALUE_FIELDS)
TROUPE_MESSAGE(probe_question, PROBE_VALUE_FIELDS)
TROUPE_MESSAGE(probe_answer, PROBE_VALUE_FIELDS)

/* What a probe has seen; the test's, beyond the actor's life. */
struct probe {
    troupe_ref ref;
    uint32_t timeout_count;
    troupe_timeout timeouts[NOTICES_KEPT];
    uint64_t timeouts_ns[NOTICES_KEPT];
    uint32_t down_count;
    troupe_down downs[NOTICES_KEPT];
    char why[TROUPE_REASON_TEXT_MAX + 1]; /* of the last */
    uint32_t ready_count;
    troupe_ready readies[NOTICES_KEPT];
    uint32_t value_count;
    uint64_t values[NOTICES_KEPT];
    uint32_t stop_count;
    troupe_status reason;
    troupe_asker asker; /* of the last question */
};

static struct probe *probe_of(troupe_self *self)
{
    return *(struct probe **)troupe_state(self);
}

static troupe_status probe_start(troupe_self *self)
{
    probe_of(self)->ref = troupe_self_ref(self);
    return TROUPE_OK;
}

static troupe_status probe_receive(troupe_self *self, const troupe_message *message)
{
    struct probe *probe = probe_of(self);
    if (probe_run_of(message) != NULL)
        return ((probe_function)(uintptr_t)probe_run_of(message)->function)(self);
    if (troupe_timeout_of(message) != NULL) {
        uint32_t i = probe->timeout_count++ % NOTICES_KEPT;
        probe->timeouts[i] = *troupe_timeout_of(message);
        probe->timeouts_ns[i] = troupe_now_ns(self);
    } else if (troupe_down_of(message) != NULL) {
        const troupe_down *down = troupe_down_of(message);
        probe->downs[probe->down_count++ % NOTICES_KEPT] = *down;
        snprintf(probe->why, sizeof probe->why, "%s", troupe_text(message, down->why));
    } else if (troupe_ready_of(message) != NULL) {
        probe->readies[probe->ready_count++ % NOTICES_KEPT] = *troupe_ready_of(message);
    } else if (probe_value_of(message) != NULL) {
        probe->values[probe->value_count++ % NOTICES_KEPT] = probe_value_of(message)->value;
    } else if (probe_question_of(message) != NULL) {
        probe->asker = troupe_asker_of(message);
    } else {
        return TROUPE_UNEXPECTED;
    }
    return TROUPE_OK;
}

static void probe_stop(troupe_self *self, troupe_status reason)
{
    probe_of(self)->stop_count++;
    probe_of(self)->reason = reason;
}

static const troupe_behaviour probe_behaviour = {
    .name = "probe",
    .state_size = sizeof(struct probe *),
    .start = probe_start,
    .receive = probe_receive,
    .stop = probe_stop,
};

/* Lets everybody work until nobody has any, in no time to speak of. */
static inline void settle(troupe_system *system)
{
    troupe_sim_advance(system, 0);
}

static inline troupe_system *probe_system(uint32_t workers)
{
    const troupe_options options = {.workers = workers, .simulate = {.seed = 5}};
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

/* Spawns an actor that writes into `probe`, with `options` but for their state (NULL: the defaults). */
static inline troupe_ref probe_spawn(troupe_system *system, struct probe *probe,
                                     const troupe_spawn_options *options)
{
    troupe_spawn_options all = {0};
    if (options != NULL)
        all = *options;
    memset(probe, 0, sizeof *probe);
    all.state = &probe;
    troupe_ref ref = troupe_spawn(system, &probe_behaviour, &all);
    assert_false(troupe_ref_is_none(ref));
    settle(system);
    return ref;
}

/* Runs `function` inside the probe's actor, and what comes of it. */
static inline void probe_do(troupe_system *system, const struct probe *probe, probe_function function)
{
    assert_int_equal(troupe_send(system, probe->ref, probe_run, .function = (uint64_t)(uintptr_t)function),
                     TROUPE_OK);
    settle(system);
}

/* The counters of a system with nothing under way: what was sent was handled or is a dead letter. */
static inline troupe_counters probe_counters(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    return counters;
}

static inline void probe_system_stop(troupe_system *system)
{
    settle(system);
    probe_counters(system);
    assert_int_equal(troupe_stop(&system), 0);
    assert_null(system);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * core_faults.h: runs a scenario in a simulated system as often as it has allocations, each time with
 * another one failing (alone, or with all that follow), and checks what must hold whichever it was:
 *
 *   - the system starts or says TROUPE_NO_MEMORY; what it answers later is TROUPE_OK or TROUPE_NO_MEMORY
 *   - what was told to be taken came to something: sent = handled + dead letters, and each ask, timer and
 *     monitor that was accepted ends once
 *   - afterwards, with memory, it goes on: a spawn, a send and an ask work
 *   - it stops, and every block is given back, to its slab and to the system
 *
 * A failure prints the words that run it again: TROUPE_FAULT=scenario/mode/n.
 */
#ifndef TROUPE_TESTS_CORE_FAULTS_H
#define TROUPE_TESTS_CORE_FAULTS_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "support/faults.h"

enum {
    FAULTS_RUNS_MAX = 5000, /* of one scenario: one that has more allocations is to be cut in two */
    FAULTS_SETTLE_MS = 600000,
    FAULTS_HANGS_AFTER_S = 100,
};

#define FAULT_VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(fault_note, FAULT_VALUE_FIELDS)
TROUPE_MESSAGE(fault_question, FAULT_VALUE_FIELDS)
TROUPE_MESSAGE(fault_answer, FAULT_VALUE_FIELDS)

struct fault_scenario {
    const char *name;
    void (*run)(troupe_system *system);
    void (*finish)(troupe_system *system); /* with memory again; NULL: nothing */
    bool stops_without_memory;             /* the n-th allocation of its stop fails, too */
};

/* What was accepted, and what came of it. The scenarios count. */
static struct {
    uint64_t notes, noted;
    uint64_t asks, ask_ends;
    uint64_t timers, timeouts;
    uint64_t monitors, downs;
} tally;

static struct {
    const char *scenario;
    enum faults_mode mode;
    uint64_t number;
} current_run;

static const char *const fault_modes[FAULTS_MODES] = {"once", "on"};

/* -- for scenarios --------------------------------------------------------------------------------------- */

/* Whether it was done; otherwise it must have been for want of memory, and there must have been one. */
static bool done(troupe_status status)
{
    if (status == TROUPE_OK)
        return true;
    if (status != TROUPE_NO_MEMORY || faults_failed() == 0)
        print_error("%s\n", troupe_status_name(status));
    assert_int_equal(status, TROUPE_NO_MEMORY);
    assert_true(faults_failed() > 0);
    return false;
}

static inline void fault_note_to(troupe_context *from, troupe_ref to, uint64_t value)
{
    troupe_status status =
        troupe_send_fields(from, to, &fault_note_type, TROUPE_FIELDS(fault_note, .value = value));
    tally.notes += status == TROUPE_NO_ACTOR ? 0 : done(status);
}

static troupe_status fault_on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    (void)self;
    (void)context;
    assert_true((reply != NULL) == (status == TROUPE_OK));
    tally.ask_ends++;
    return TROUPE_OK;
}

static inline void fault_ask(troupe_self *self, troupe_ref to, uint64_t value)
{
    troupe_status status = troupe_ask(self, to, 1000, fault_on_answer, NULL, fault_question, .value = value);
    tally.asks += status == TROUPE_NO_ACTOR ? 0 : done(status);
}

/* Counts what comes; answers even questions, refuses odd ones, fails over the value 13. */
static inline troupe_status fault_receive(troupe_self *self, const troupe_message *message)
{
    const fault_question *question = fault_question_of(message);
    tally.noted += fault_note_of(message) != NULL;
    tally.timeouts += troupe_timeout_of(message) != NULL;
    tally.downs += troupe_down_of(message) != NULL;
    if (question == NULL)
        return fault_note_of(message) != NULL && fault_note_of(message)->value == 13
                   ? troupe_fail(self, TROUPE_IO, "thirteen")
                   : TROUPE_OK;
    if (question->value == 13)
        return TROUPE_FAILED;
    if (question->value % 2 == 1)
        return TROUPE_UNEXPECTED;
    troupe_status status =
        troupe_reply(self, troupe_asker_of(message), fault_answer, .value = question->value + 1);
    if (!done(status)) /* with luck there is memory for less; if not, the timeout tells the asker */
        troupe_refuse(self, troupe_asker_of(message), status);
    return TROUPE_OK;
}

typedef void (*fault_function)(troupe_self *self);

static troupe_status doer_start(troupe_self *self)
{
    (*(fault_function *)troupe_state(self))(self);
    return TROUPE_OK;
}

/* An actor that runs `function` when it starts, and counts what comes to it. */
static inline troupe_ref fault_do(troupe_system *system, fault_function function)
{
    static const troupe_behaviour doer = {
        .name = "doer", .state_size = sizeof(fault_function), .start = doer_start, .receive = fault_receive};
    troupe_status status;
    const troupe_spawn_options options = {.state = &function, .ret_status = &status};
    troupe_ref ref = troupe_spawn(system, &doer, &options);
    assert_true(done(status) != troupe_ref_is_none(ref));
    troupe_sim_advance(system, 0);
    return ref;
}

static const troupe_behaviour fault_plain = {.name = "plain", .receive = fault_receive};

/* A plain actor, or none when there is no memory. */
static inline troupe_ref fault_spawn(troupe_context *from, troupe_spawn_options options)
{
    troupe_status status;
    options.ret_status = &status;
    troupe_ref ref = troupe_context_spawn(from, &fault_plain, &options);
    assert_true(done(status) != troupe_ref_is_none(ref));
    return ref;
}

/* -- the runs -------------------------------------------------------------------------------------------- */

static void run_print(void)
{
    if (current_run.scenario != NULL)
        fprintf(stderr, "%s failed; replay: TROUPE_FAULT=%s/%s/%llu ./test unit_%s\n",
                faults_what() == NULL ? "nothing" : faults_what(), current_run.scenario,
                fault_modes[current_run.mode], (unsigned long long)current_run.number,
                program_invocation_short_name);
}

static void run_broken(int signal_number)
{
    run_print();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* With memory again, everything works. */
static void system_goes_on(troupe_system *system)
{
    troupe_message *reply = NULL;
    troupe_ref ref = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    assert_int_equal(troupe_send(system, ref, fault_note, .value = 1), TROUPE_OK);
    assert_int_equal(troupe_call(system, ref, 1000, &reply, fault_question, .value = 2), TROUPE_OK);
    assert_int_equal(fault_answer_of(reply)->value, 3);
    troupe_message_free(system, &reply);
    troupe_sim_advance(system, 0);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
}

/* One run; answers whether the n-th allocation was reached. */
static bool run_once(const struct fault_scenario *scenario, enum faults_mode mode, uint64_t number)
{
    const troupe_options options = {.workers = 2, .actors_max = 1000, .simulate = {.seed = 7}};
    troupe_system *system = NULL;
    int64_t held = faults_held();
    bool was_reached = false;
    memset(&tally, 0, sizeof tally);
    current_run.scenario = scenario->name;
    current_run.mode = mode;
    current_run.number = number;
    faults_arm(FAULTS_MEMORY, mode, number);
    if (done(troupe_start(&system, &options))) {
        scenario->run(system);
        troupe_sim_advance(system, FAULTS_SETTLE_MS);
        assert_int_equal(tally.asks, tally.ask_ends);
        assert_int_equal(tally.timers, tally.timeouts);
        assert_int_equal(tally.monitors, tally.downs);
        assert_true(tally.noted <= tally.notes);
        faults_disarm();
        if (scenario->finish != NULL)
            scenario->finish(system);
        system_goes_on(system);
        was_reached = faults_failed() > 0;
        if (scenario->stops_without_memory)
            faults_arm(FAULTS_MEMORY, mode, number);
        assert_int_equal(troupe_stop(&system), 0);
        assert_int_equal(faults_slab_held(), 0);
    }
    faults_disarm();
    assert_int_equal(faults_held(), held);
    return was_reached || faults_failed() > 0;
}

/* Every run of a scenario, or the one that TROUPE_FAULT names. */
static inline void fault_runs(const struct fault_scenario *scenario)
{
    const char *given = getenv("TROUPE_FAULT");
    size_t len = strlen(scenario->name);
    signal(SIGABRT, run_broken);
    signal(SIGALRM, run_broken);
    alarm(FAULTS_HANGS_AFTER_S);
    if (given != NULL) {
        if (strncmp(given, scenario->name, len) != 0 || given[len] != '/')
            return;
        enum faults_mode mode = strncmp(given + len + 1, "once", 4) == 0 ? FAULTS_ONCE : FAULTS_ON;
        (void)run_once(scenario, mode, strtoull(strrchr(given, '/') + 1, NULL, 10));
        return;
    }
    uint64_t runs = 0;
    for (enum faults_mode mode = FAULTS_ONCE; mode < FAULTS_MODES; mode++) {
        uint64_t number = 0;
        while (run_once(scenario, mode, ++number))
            assert_true(++runs < FAULTS_RUNS_MAX);
        assert_true(number > 1);
    }
    current_run.scenario = NULL;
    print_message("%llu allocations of \"%s\" failed\n", (unsigned long long)runs, scenario->name);
}

/* The test of a scenario; its state is the scenario. */
static inline void fault_test(void **state)
{
    fault_runs(*state);
}

static inline int fault_teardown(void **state)
{
    (void)state;
    faults_disarm();
    run_print(); /* when it has not come to its end */
    current_run.scenario = NULL;
    return 0;
}

#define FAULT_TEST(name, scenario)                                                                           \
    {                                                                                                        \
#name, fault_test, NULL, fault_teardown, (void *)(uintptr_t)(scenario)                               \
    }

#endif

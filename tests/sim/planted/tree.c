/* SPDX-License-Identifier: MIT */
/*
 * tree.c: a supervisor of any strategy with three children of whom now and then one is made to fail, and a
 * small model of what must follow: who is stopped, in which order, who is started again, in which order, and
 * when it is too much. Failures come one at a time, each when the one before has been dealt with.
 *
 * Oracles: start-order (a child starts when those before it are up), stop-order (a child is stopped when
 * those after it are down), restart (after a failure the right children are new ones), intensity (the
 * supervisor bears as many restarts as it should and not one more), children (when it has ended, none of its
 * children is up), escalation (its own supervisor then starts it again).
 */
#include "world.h"

#include <stdio.h>

enum {
    CHILDREN = 3,
    PERIOD_MS = 100000, /* the whole run */
    INTENSITY_MAX = 4,
    NAME_SIZE = 16,
};

TROUPE_MESSAGE_EMPTY(planted_stumble)
TROUPE_MESSAGE_EMPTY(planted_leave)

struct child_state {
    uint32_t index;
};

static const char *const ids[CHILDREN] = {"tree-0", "tree-1", "tree-2"};
static troupe_ref supervisor; /* of the children */
static troupe_ref above;      /* its own, none in half of the runs */
static troupe_ref warden;
static bool is_transient; /* the children, and the supervisor */
static troupe_strategy strategy;
static uint32_t intensity;
static uint32_t failures; /* caused so far */
static uint32_t births[CHILDREN];
static uint32_t births_then[CHILDREN]; /* before the last failure */
static int32_t failed;                 /* who failed last, -1: nobody yet */
static bool is_up[CHILDREN];
static bool has_ended; /* the supervisor */
static struct child_state states[CHILDREN];
static troupe_child_spec children[CHILDREN];
static troupe_supervisor_spec nested; /* outlives its parent */
static troupe_status end_reason;

static uint32_t up_count(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CHILDREN; i++)
        count += is_up[i];
    return count;
}

static troupe_status child_start(troupe_self *self)
{
    const struct child_state *state = troupe_state(self);
    for (uint32_t i = 0; i < state->index; i++)
        MUST(is_up[i], "start-order", "child %u starts, and child %u is not up", state->index, i);
    MUST(!is_up[state->index], "restart", "child %u starts twice", state->index);
    is_up[state->index] = true;
    births[state->index]++;
    return TROUPE_OK;
}

static void child_stop(troupe_self *self, troupe_status reason)
{
    const struct child_state *state = troupe_state(self);
    for (uint32_t i = state->index + 1; i < CHILDREN && reason == TROUPE_SHUTDOWN; i++)
        MUST(!is_up[i], "stop-order", "child %u is stopped, and child %u is up", state->index, i);
    is_up[state->index] = false;
}

static troupe_status child_receive(troupe_self *self, const troupe_message *message)
{
    if (planted_leave_of(message) != NULL) {
        troupe_exit(self);
        return TROUPE_OK;
    }
    return planted_stumble_of(message) != NULL ? TROUPE_IO : TROUPE_UNEXPECTED;
}

static const troupe_behaviour child_behaviour = {
    .name = "child",
    .state_size = sizeof(struct child_state),
    .start = child_start,
    .receive = child_receive,
    .stop = child_stop,
};

/* The warden watches the supervisor. */
static troupe_status warden_start(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor(self, supervisor, &monitor);
}

static troupe_status warden_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_down *down = troupe_down_of(message);
    (void)self;
    if (down == NULL)
        return TROUPE_UNEXPECTED;
    has_ended = true;
    end_reason = (troupe_status)down->reason;
    MUST(up_count() == 0 || !troupe_ref_is_none(above), "children",
         "the supervisor has ended, and %u children are up", up_count());
    return TROUPE_OK;
}

static const troupe_behaviour warden_behaviour = {
    .name = "warden", .start = warden_start, .receive = warden_receive};

/* The supervisor of the children, under another one or not. */
static void supervisors_start(const troupe_supervisor_spec *spec)
{
    nested = *spec;
    above = troupe_ref_none();
    if (draw(2) == 0) {
        supervisor = troupe_supervisor_start(world.system, spec, NULL);
        return;
    }
    const troupe_child_spec child = {
        .id = "tree",
        .supervisor = &nested,
        .restart = is_transient ? TROUPE_RESTART_TRANSIENT : TROUPE_RESTART_PERMANENT,
    };
    const troupe_supervisor_spec top = {
        .intensity = 1, .period_ms = PERIOD_MS, .children = &child, .child_count = 1};
    above = troupe_supervisor_start(world.system, &top, NULL);
    troupe_sim_advance(world.system, PROMPT_MS);
    supervisor = troupe_whereis(world.system, "tree");
}

static void begin(void)
{
    strategy = (troupe_strategy)draw(3);
    intensity = 1 + draw(INTENSITY_MAX);
    is_transient = draw(2) == 0;
    failures = 0;
    failed = -1;
    has_ended = false;
    memset(births, 0, sizeof births);
    memset(is_up, 0, sizeof is_up);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        states[i].index = i;
        children[i] = (troupe_child_spec){
            .id = ids[i],
            .behaviour = &child_behaviour,
            .restart = is_transient ? TROUPE_RESTART_TRANSIENT : TROUPE_RESTART_PERMANENT,
            .options = {.state = &states[i], .name = ids[i]},
        };
    }
    supervisors_start(&(troupe_supervisor_spec){.name = "tree",
                                                .strategy = strategy,
                                                .intensity = intensity,
                                                .period_ms = PERIOD_MS,
                                                .children = children,
                                                .child_count = CHILDREN});
    warden = troupe_spawn(world.system, &warden_behaviour, NULL);
}

/* Whether a child is restarted with the one that failed. */
static bool is_concerned(uint32_t index)
{
    switch (strategy) {
    case TROUPE_ONE_FOR_ONE:
    case TROUPE_SIMPLE_ONE_FOR_ONE: /* not drawn: its children have no ids */
        return (int32_t)index == failed;
    case TROUPE_ONE_FOR_ALL:
        return true;
    case TROUPE_REST_FOR_ONE:
        return (int32_t)index >= failed;
    }
    return false;
}

/* What must have come of the last failure by now. */
static void outcome_check(void)
{
    bool is_too_much = failures > intensity;
    MUST(has_ended == is_too_much, "intensity", "%u failures, %u are borne, the supervisor %s", failures,
         intensity, has_ended ? "has ended" : "goes on");
    MUST(!has_ended || end_reason == TROUPE_INTENSITY, "intensity", "it ended with %s",
         troupe_status_name(end_reason));
    if (has_ended) {
        uint32_t expected = troupe_ref_is_none(above) ? 0 : CHILDREN;
        MUST(up_count() == expected, "escalation", "of its children %u are up, not %u", up_count(), expected);
        return;
    }
    MUST(up_count() == CHILDREN, "restart", "%u children are up", up_count());
    for (uint32_t i = 0; i < CHILDREN && failed >= 0; i++)
        MUST(births[i] == births_then[i] + is_concerned(i), "restart", "child %u: %u starts, then %u", i,
             births_then[i], births[i]);
}

static void child_trip(void)
{
    failed = (int32_t)draw(CHILDREN);
    memcpy(births_then, births, sizeof births);
    failures++;
    (void)troupe_send(world.system, troupe_whereis(world.system, ids[failed]), planted_stumble);
}

/* Every other round, when there was time enough. */
static void act(uint32_t round)
{
    if (has_ended || up_count() < CHILDREN || round % 2 == 0)
        return;
    troupe_sim_advance(world.system, PROMPT_MS);
    if (!has_ended)
        child_trip();
    troupe_sim_advance(world.system, 2 * PROMPT_MS);
    outcome_check();
}

/* One leaves in order: a transient child is then not started again. */
static void child_leave(void)
{
    uint32_t who = draw(CHILDREN);
    uint32_t births_before = births[who];
    (void)troupe_send(world.system, troupe_whereis(world.system, ids[who]), planted_leave);
    troupe_sim_advance(world.system, SETTLE_MS);
    MUST(!is_up[who] && births[who] == births_before, "restart", "child %u left and was started again", who);
}

static void check(void)
{
    outcome_check();
    if (has_ended)
        return;
    if (draw(2) == 0) {
        if (is_transient)
            child_leave();
        return;
    }
    while (!has_ended && failures <= intensity && world.oracle == NULL) {
        child_trip();
        troupe_sim_advance(world.system, SETTLE_MS);
        outcome_check();
    }
}

static void end(void)
{
    troupe_shutdown(world.system, troupe_ref_is_none(above) ? supervisor : above, TROUPE_SHUTDOWN);
    troupe_sim_advance(world.system, SETTLE_MS);
    MUST(has_ended && up_count() == 0, "children", "after the shutdown %u children are up", up_count());
    troupe_shutdown(world.system, warden, TROUPE_SHUTDOWN);
}

const struct scene scene_tree = {.name = "tree", .begin = begin, .act = act, .check = check, .end = end};

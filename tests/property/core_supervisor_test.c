/* SPDX-License-Identifier: MIT */
/*
 * Supervision against a small model of OTP's rules (stdlib, supervisor.erl), written from those and not from
 * ours: random specs, random ends of children and random requests (start, terminate, restart, delete); after
 * each, the children that were started and stopped, in which order, what the request was answered, and
 * whether the supervisor gave up or shut itself down, must be what the model says. Virtual time, one thread.
 *
 * The model acts at once where the supervisor waits for each child: that is the same as long as one thing
 * happens at a time. Siblings that fail together are in tests/unit/core_supervisor_limits_test.c.
 *
 * The seed is printed; TROUPE_SEED=n chooses it.
 */
#include "unit/core_children.h"

#include <stdlib.h>

#include "base/random.h"
#include "core/system.h"
#include "support/seeds.h"

enum {
    RUNS = 400,
    STEPS = 40,
    CHILDREN_MAX = 6,
    RESTARTS_KEPT = 64,
};

struct model_child {
    char id;
    troupe_restart restart;
    bool is_significant;
    bool is_up;
};

struct model {
    struct model_child children[CHILDREN_MAX];
    uint32_t child_count;
    troupe_strategy strategy;
    troupe_auto_shutdown auto_shutdown;
    uint32_t intensity;
    uint64_t period_ms;
    uint64_t restarts_ms[RESTARTS_KEPT];
    uint32_t restart_count;
    uint32_t failures[IDS]; /* next starts that fail */
    bool has_ended;
    char expected[LOG_SIZE];
};

static struct random random_state;

static uint32_t below(uint32_t bound)
{
    return random_below(&random_state, bound);
}

static void model_note(struct model *model, char what, char id)
{
    size_t len = strlen(model->expected);
    snprintf(model->expected + len, sizeof model->expected - len, "%s%c%c", len > 0 ? " " : "", what, id);
}

static void model_remove(struct model *model, uint32_t at)
{
    model->child_count--;
    for (uint32_t i = at; i < model->child_count; i++)
        model->children[i] = model->children[i + 1];
}

/* terminate_children: in reverse order; temporary ones are deleted. */
static void model_terminate(struct model *model, uint32_t first)
{
    for (uint32_t i = model->child_count; i-- > first;) {
        if (model->children[i].is_up)
            model_note(model, '-', model->children[i].id);
        model->children[i].is_up = false;
        if (model->children[i].restart == TROUPE_RESTART_TEMPORARY)
            model_remove(model, i);
    }
}

static void model_give_up(struct model *model, const char *why)
{
    model_terminate(model, 0);
    size_t len = strlen(model->expected);
    snprintf(model->expected + len, sizeof model->expected - len, " x%s", why);
    model->has_ended = true;
}

static bool model_start(struct model *model, struct model_child *child)
{
    uint32_t *failures = &model->failures[child->id - 'a'];
    child->is_up = *failures == 0;
    model_note(model, child->is_up ? '+' : '!', child->id);
    if (!child->is_up)
        --*failures;
    return child->is_up;
}

/* add_restart: more than `intensity` within the period is too much; one just a period ago counts. */
static bool model_add_restart(struct model *model, uint64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->restart_count; i++)
        if (model->restarts_ms[i] + model->period_ms >= now_ms)
            model->restarts_ms[kept++] = model->restarts_ms[i];
    model->restarts_ms[kept++] = now_ms;
    model->restart_count = kept;
    return kept <= model->intensity;
}

static uint32_t model_find(const struct model *model, char id)
{
    uint32_t i = 0;
    while (i < model->child_count && model->children[i].id != id)
        i++;
    return i;
}

/* restart/2, tried again until it works or is too much. */
static void model_restart(struct model *model, char id, uint64_t now_ms)
{
    for (;;) {
        if (!model_add_restart(model, now_ms)) {
            model_give_up(model, "TROUPE_INTENSITY");
            return;
        }
        uint32_t at = model_find(model, id);
        if (model->strategy == TROUPE_ONE_FOR_ONE) {
            if (model_start(model, &model->children[at]))
                return;
            continue;
        }
        model_terminate(model, model->strategy == TROUPE_ONE_FOR_ALL ? 0 : at);
        uint32_t i = model->strategy == TROUPE_ONE_FOR_ALL ? 0 : model_find(model, id);
        while (i < model->child_count && model_start(model, &model->children[i]))
            i++;
        if (i == model->child_count)
            return;
        id = model->children[i].id; /* {try_again, Id} */
    }
}

/* do_auto_shutdown: a significant child has ended by itself, for good. */
static void model_auto_shutdown(struct model *model)
{
    bool is_any_up = false;
    for (uint32_t i = 0; i < model->child_count; i++)
        is_any_up = is_any_up || (model->children[i].is_significant && model->children[i].is_up);
    if (model->auto_shutdown == TROUPE_AUTO_SHUTDOWN_ANY || !is_any_up)
        model_give_up(model, "TROUPE_SHUTDOWN");
}

/* restart_child/3: what a child's end leads to. */
static void model_ended(struct model *model, char id, troupe_status reason, uint64_t now_ms)
{
    uint32_t at = model_find(model, id);
    struct model_child child = model->children[at];
    bool is_normal = reason == TROUPE_OK || reason == TROUPE_SHUTDOWN;
    model_note(model, '-', id);
    model->children[at].is_up = false;
    if (child.restart == TROUPE_RESTART_PERMANENT ||
        (child.restart == TROUPE_RESTART_TRANSIENT && !is_normal)) {
        model_restart(model, id, now_ms);
        return;
    }
    if (child.restart == TROUPE_RESTART_TEMPORARY)
        model_remove(model, at);
    if (child.is_significant)
        model_auto_shutdown(model);
}

enum request {
    START,
    TERMINATE,
    RESTART,
    DELETE,
    REQUESTS,
};

/* handle_call: start_child, terminate_child, restart_child, delete_child. */
static troupe_status model_request(struct model *model, enum request request, struct model_child child)
{
    uint32_t at = model_find(model, child.id);
    bool is_there = at < model->child_count;
    if (request == START) {
        if (is_there)
            return TROUPE_NAME_TAKEN;
        model->children[model->child_count++] = child;
        if (model_start(model, &model->children[at]))
            return TROUPE_OK;
        model_remove(model, at);
        return TROUPE_IO;
    }
    if (!is_there)
        return TROUPE_NOT_FOUND;
    if (request == TERMINATE) {
        if (model->children[at].is_up)
            model_note(model, '-', child.id);
        model->children[at].is_up = false;
        if (model->children[at].restart == TROUPE_RESTART_TEMPORARY)
            model_remove(model, at);
        return TROUPE_OK;
    }
    if (model->children[at].is_up)
        return TROUPE_RUNNING;
    if (request == RESTART)
        return model_start(model, &model->children[at]) ? TROUPE_OK : TROUPE_IO;
    model_remove(model, at);
    return TROUPE_OK;
}

static bool significance(const struct model *model, troupe_restart type)
{
    return model->auto_shutdown != TROUPE_AUTO_SHUTDOWN_NEVER && type != TROUPE_RESTART_PERMANENT &&
           below(3) == 0;
}

/* The same random children for both. */
static troupe_ref begin(troupe_system *system, struct model *model)
{
    troupe_child_spec children[CHILDREN_MAX];
    *model = (struct model){
        .child_count = 1 + below(CHILDREN_MAX - 1),
        .strategy = (troupe_strategy)below(3),
        .auto_shutdown = (troupe_auto_shutdown)below(3),
        .intensity = below(9),
        .period_ms = 1 + below(40),
    };
    for (uint32_t i = 0; i < model->child_count; i++) {
        children[i] = child((char)('a' + i));
        children[i].restart = (troupe_restart)below(3);
        children[i].is_significant = significance(model, children[i].restart);
        model->children[i] =
            (struct model_child){(char)('a' + i), children[i].restart, children[i].is_significant, true};
        model_note(model, '+', (char)('a' + i));
    }
    const troupe_supervisor_spec spec = {
        .strategy = model->strategy,
        .auto_shutdown = model->auto_shutdown,
        .intensity = model->intensity,
        .intensity_none = model->intensity == 0,
        .period_ms = (uint32_t)model->period_ms,
        .children = children,
        .child_count = model->child_count,
    };
    return supervise(system, &spec);
}

static void compare(struct model *model, uint64_t run)
{
    if (strcmp(history, model->expected) != 0)
        fail_msg("run %llu: the supervisor did \"%s\", the model says \"%s\"", (unsigned long long)run,
                 history, model->expected);
    history[0] = '\0';
    model->expected[0] = '\0';
}

/* One request to both, and the same answer of both. */
static void request_one(troupe_system *system, struct model *model, troupe_ref ref)
{
    enum request request = (enum request)below(REQUESTS);
    troupe_child_spec spec = child((char)('a' + below(CHILDREN_MAX)));
    if (request == START && model->child_count == CHILDREN_MAX)
        return;
    spec.restart = (troupe_restart)below(3);
    spec.is_significant = significance(model, spec.restart);
    const struct model_child same = {spec.id[0], spec.restart, spec.is_significant, false};
    troupe_status expected = model_request(model, request, same);
    troupe_message *reply = NULL;
    troupe_ref who;
    troupe_status status = TROUPE_OK;
    if (request == START)
        status = troupe_call_start_child(system, ref, &spec, 1000, &who);
    else if (request == TERMINATE)
        status = troupe_call(system, ref, 1000, &reply, troupe_terminate_child, .id = spec.id);
    else if (request == RESTART)
        status = troupe_call(system, ref, 1000, &reply, troupe_restart_child, .id = spec.id);
    else
        status = troupe_call(system, ref, 1000, &reply, troupe_delete_child, .id = spec.id);
    assert_int_equal(status, expected);
    if (status == TROUPE_OK && request != START)
        troupe_message_free(system, &reply);
}

/* Somebody's next starts will fail. */
static void starts_fail(struct model *model)
{
    uint32_t i = below(CHILDREN_MAX);
    start_failures[i] = model->failures[i] = 1 + below(3);
}

static void end_one(troupe_system *system, struct model *model)
{
    static const troupe_status reasons[] = {TROUPE_OK, TROUPE_SHUTDOWN, TROUPE_IO, TROUPE_FAILED,
                                            TROUPE_KILLED};
    struct model_child *victim = &model->children[below(model->child_count)];
    if (!victim->is_up)
        return;
    char id = victim->id;
    troupe_status reason = reasons[below(5)];
    if (below(4) == 0)
        starts_fail(model);
    /* Time is taken before: the supervisor counts in whole milliseconds, so keep away from their edges. */
    uint64_t now_ms = troupe_now_ns(system) / 1000000;
    troupe_shutdown(system, refs[id - 'a'], reason);
    model_ended(model, id, reason, now_ms);
}

static void supervisor_agrees_with_a_model_of_otp(void **state)
{
    (void)state;
    uint64_t ended = 0;
    uint64_t steps = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct model model;
        troupe_system *system = start();
        troupe_ref ref = begin(system, &model);
        troupe_sim_advance(system, 1);
        compare(&model, run);
        for (int step = 0; step < STEPS && !model.has_ended; step++, steps++) {
            if (below(2) == 0) {
                if (below(8) == 0)
                    starts_fail(&model);
                request_one(system, &model, ref);
            } else if (model.child_count > 0) {
                end_one(system, &model);
            }
            /* To 0.2 ms after a whole one: what a step does is over long before the next. */
            troupe_sim_advance(system, 0);
            compare(&model, run);
            uint64_t next_ns = (troupe_now_ns(system) / 1000000 + 1 + below(12)) * 1000000 + 200000;
            env_sim_advance_to(system->env, next_ns);
        }
        ended += model.has_ended;
        stop(system);
    }
    assert_in_range(ended, RUNS / 20, RUNS - RUNS / 20); /* both happen often */
    assert_true(steps > RUNS * 5);
}

int main(void)
{
    random_state.state = seeds_one("property_core_supervisor_test", seeds_other());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(supervisor_agrees_with_a_model_of_otp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

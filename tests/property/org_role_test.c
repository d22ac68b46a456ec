/* SPDX-License-Identifier: MIT */
/*
 * A role against a second opinion: random commands go to a role and to the model of org_model.h, and after
 * each one the answer, the state of every message and all counters must agree; the desk around the role
 * checks every invariant, conservation first, and that a role read again from the records is the same. A
 * failure prints its seed; TROUPE_SEED=N runs only that one, TROUPE_SEEDS=N that many. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "org/id.h"
#include "support/org_desk.h"
#include "support/org_model.h"
#include "support/seeds.h"

enum {
    SEEDS_DEFAULT = 60,
    STEPS = 1000,
    TIME_GRAIN_MS = 100,
};

static struct model model;
static struct desk desk;
static uint64_t seed;
static uint64_t random_state;
static int step;
static char text[32]; /* of each command another one, so that none is taken for a repeated one */

static uint32_t below(uint32_t limit)
{
    random_state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash_number(random_state) >> 33) % limit;
}

/*
 * A span below `limit`. All times of the test are multiples of one grain, so that things often fall due at
 * once.
 */
static int64_t some_ms(uint32_t limit)
{
    return (int64_t)below(limit / TIME_GRAIN_MS) * TIME_GRAIN_MS;
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

/* --- agreement ----------------------------------------------------------------------------------- */

static void check_answer(struct expected expected)
{
    assert_int_equal(desk.answer.kind, expected.kind);
    assert_int_equal(desk.answer.refusal, expected.refusal);
    assert_int_equal(desk.answer.is_duplicate, expected.is_duplicate);
    assert_true(desk.answer.id == expected.id);
    if (expected.message != NULL) {
        assert_int_equal(desk.answer.position, expected.message->position);
        assert_true(desk.answer.wait_median_ms == expected.message->wait_median_ms);
        assert_true(desk.answer.wait_p95_ms == expected.message->wait_p95_ms);
    }
}

static const char *name_of(int actor)
{
    return actor == MODEL_NOBODY ? "" : model_actors[actor];
}

static void check_message(const struct model_message *expected)
{
    const struct org_message *message = org_role_find(desk.role, expected->id);
    assert_int_equal(desk_state(&desk, expected->id), expected->state);
    if (message == NULL) {
        assert_true(expected->state >= ORG_DONE);
        return;
    }
    assert_int_equal(message->attempts, expected->attempts);
    assert_string_equal(message->holder == NULL ? "" : message->holder, name_of(expected->holder));
    if (expected->state == ORG_QUEUED)
        assert_string_equal(message->assigned == NULL ? "" : message->assigned, name_of(expected->assigned));
    if (expected->state == ORG_HELD)
        assert_true(message->lease_until == expected->lease_until);
    if (expected->state == ORG_PARKED)
        assert_true(message->parked_until == expected->parked_until);
}

static void check_all(void)
{
    struct org_counts counts = desk_counts(&desk);
    assert_true(org_counts_are_conserved(&counts));
    assert_int_equal(counts.accepted, model.count);
    assert_int_equal(counts.queued, model_in(&model, ORG_QUEUED));
    assert_int_equal(counts.held, model_in(&model, ORG_HELD));
    assert_int_equal(counts.parked, model_in(&model, ORG_PARKED));
    assert_int_equal(counts.quarantined, model_in(&model, ORG_QUARANTINED));
    assert_int_equal(counts.done, model_in(&model, ORG_DONE));
    assert_int_equal(counts.declined, model_in(&model, ORG_DECLINED));
    assert_int_equal(counts.forwarded, model_in(&model, ORG_FORWARDED));
    assert_int_equal(counts.expired, model_in(&model, ORG_EXPIRED));
    assert_int_equal(counts.shed, model_in(&model, ORG_SHED));
    assert_int_equal(counts.owed, model.owed);
    assert_int_equal(counts.refused, model.refused);
    assert_true(org_role_due_ms(desk.role) == model_due(&model));
    for (size_t i = 0; i < model.count; i++)
        check_message(&model.messages[i]);
}

/* --- random commands ----------------------------------------------------------------------------- */

/* Some message: mostly one in the state that makes sense, now and then any, or one that never was. */
static uint64_t some_message(enum org_state state)
{
    for (int i = 0; i < 64 && model.count > 0; i++) {
        const struct model_message *message = &model.messages[below((uint32_t)model.count)];
        if (message->state == state || one_in(100))
            return message->id;
    }
    return one_in(20) ? 12345 : model.count == 0 ? 1 : model.messages[model.count - 1].id;
}

static void do_send(void)
{
    static const char *const contents[] = {"one", "two", "three"};
    static const char *const keys[MODEL_KEYS] = {"k0", "k1", "k2", "k3"};
    struct model_message message = {
        .id = desk_id(&desk),
        .sender = (int)below(2),
        .key = one_in(4) ? (int)below(MODEL_KEYS) : MODEL_NOBODY,
        .content = (int)below(3),
        .wants_answer = one_in(2),
        .message_class = below(ORG_CLASS_COUNT),
        .deadline = one_in(4) ? desk.now_ms + some_ms(5000) - TIME_GRAIN_MS : 0,
    };
    bool is_person = one_in(2);
    bool is_insisted = one_in(4);
    struct expected expected = model_send(&model, message, is_person, is_insisted);
    desk_send_with(&desk, model_senders[message.sender],
                   (struct org_send){.id = message.id,
                                     .sender = message.wants_answer ? "@somebody" : NULL,
                                     .key = message.key == MODEL_NOBODY ? NULL : keys[message.key],
                                     .message_class = message.message_class,
                                     .is_person = is_person,
                                     .is_insisted = is_insisted,
                                     .deadline = message.deadline,
                                     .subject = contents[message.content]});
    check_answer(expected);
}

static void do_next(void)
{
    int actor = (int)below(MODEL_ACTORS);
    int wip = 1 + (int)below(5);
    const char *holder = org_role_view(desk.role).holder;
    for (int i = 0; i < MODEL_ACTORS && holder != NULL && !one_in(4); i++) {
        if (strcmp(model_actors[i], holder) == 0)
            actor = i; /* mostly whoever would get something */
    }
    struct expected expected = model_next(&model, actor, wip);
    desk_next(&desk, model_actors[actor], (uint32_t)wip);
    check_answer(expected);
}

static void do_about(void)
{
    static const enum org_command_kind kinds[] = {ORG_RENEW, ORG_FINISH, ORG_FINISH, ORG_DECLINE, ORG_FORWARD,
                                                  ORG_DEFER, ORG_DEFER,  ORG_FAIL,   ORG_FAIL};
    enum org_command_kind kind = kinds[below(9)];
    uint64_t id = some_message(ORG_HELD);
    const struct org_message *message = org_role_find(desk.role, id);
    int actor = (int)below(MODEL_ACTORS);
    for (int i = 0; i < MODEL_ACTORS && message != NULL && message->holder != NULL && !one_in(5); i++) {
        if (strcmp(model_actors[i], message->holder) == 0)
            actor = i; /* mostly whoever has it */
    }
    uint64_t awaits = one_in(2) ? 0 : some_message(one_in(2) ? ORG_QUEUED : ORG_HELD);
    int64_t until = awaits != 0 && one_in(2) ? 0 : desk.now_ms + some_ms(3000) - TIME_GRAIN_MS;
    bool is_crash = !one_in(3);
    struct expected expected = model_about(&model, kind, actor, id, until, awaits, is_crash);
    struct org_about about = {.id = id, .text = text, .until = until, .awaits = awaits, .is_crash = is_crash};
    if (kind == ORG_FORWARD)
        about.to = "elsewhere";
    desk_about(&desk, kind, model_actors[actor], about);
    check_answer(expected);
}

static void do_settle(void)
{
    uint64_t id = some_message(ORG_QUARANTINED);
    enum org_action action = 1 + below(5);
    struct expected expected = model_settle(&model, id, action);
    desk_about(&desk, ORG_SETTLE, "admin",
               (struct org_about){.id = id, .text = text, .action = action, .is_administrator = true});
    check_answer(expected);
}

static void do_present(void)
{
    int actor = (int)below(MODEL_ACTORS);
    bool is_present = !one_in(3);
    uint64_t keeps = one_in(3) ? some_message(ORG_HELD) : 0;
    const struct org_message *kept = org_role_find(desk.role, keeps);
    for (int i = 0; i < MODEL_ACTORS && kept != NULL && kept->holder != NULL && !one_in(5); i++) {
        if (strcmp(model_actors[i], kept->holder) == 0)
            actor = i; /* mostly whoever has it, and who goes */
        is_present = is_present && one_in(5);
    }
    int64_t until = one_in(3) ? 0 : desk.now_ms + some_ms(3000) - TIME_GRAIN_MS;
    struct expected expected = model_present(&model, actor, is_present, keeps, until);
    struct org_command command = {.kind = ORG_PRESENT,
                                  .who = {model_actors[actor], NULL},
                                  .present = {.actor = model_actors[actor],
                                              .is_present = is_present,
                                              .keeps = &keeps,
                                              .keep_count = keeps != 0,
                                              .until = until}};
    desk_do(&desk, &command);
    check_answer(expected);
}

static void do_hand_over(void)
{
    int actor = (int)below(MODEL_ACTORS);
    struct expected expected = model_hand_over(&model, actor);
    desk_about(&desk, ORG_HAND_OVER, model_actors[actor], (struct org_about){.text = text});
    check_answer(expected);
    if (expected.kind == ORG_ANSWER_OK)
        assert_string_equal(org_role_view(desk.role).note, text);
}

static void configure(bool is_first)
{
    int holders[MODEL_ACTORS - 1];
    int count = 0;
    char names[64] = "";
    size_t len = 0;
    int turn = (int)below(MODEL_ACTORS - 1);
    for (int i = 0; i < MODEL_ACTORS - 1; i++) {
        int actor = (i + turn) % (MODEL_ACTORS - 1);
        if (is_first ? i > 2 : one_in(3))
            continue;
        holders[count++] = actor;
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? " " : "",
                                model_actors[actor]);
    }
    struct expected expected = model_configure(&model, holders, count);
    desk_configure(&desk,
                   (struct org_configure){.supervisor = model.has_supervisor ? "boss" : NULL,
                                          .capacity = model.capacity,
                                          .overflow = model.overflow,
                                          .lease_ms = model.lease_ms,
                                          .ageing_ms = model.ageing_ms,
                                          .on_absent = model.on_absent,
                                          .on_overflow = model.on_overflow,
                                          .refusals_max = model.refusals_max,
                                          .refusals_period_ms = model.refusals_period_ms,
                                          .seed = {seed, 1}},
                   names);
    check_answer(expected);
}

static void do_wait(void)
{
    desk.now_ms += some_ms(one_in(4) ? 4000 : 400);
    model.now_ms = desk.now_ms;
    struct org_command command = {.kind = ORG_TICK};
    model_tick(&model);
    desk_do(&desk, &command);
}

static void do_something(void)
{
    uint32_t dice = below(100);
    snprintf(text, sizeof(text), "step %d", step);
    if (dice < 25)
        do_send();
    else if (dice < 45)
        do_next();
    else if (dice < 75)
        do_about();
    else if (dice < 80)
        do_settle();
    else if (dice < 85)
        do_present();
    else if (dice < 86)
        do_hand_over();
    else if (dice < 88)
        configure(false);
    else
        do_wait();
}

/* --- seeds --------------------------------------------------------------------------------------- */

static void run_seed(void)
{
    random_state = hash_number(seed);
    memset(&model, 0, sizeof(model));
    desk_init(&desk, "role", 1);
    model.now_ms = desk.now_ms;
    model.holder_count = -1; /* nothing is configured yet */
    model.has_supervisor = one_in(2);
    model.capacity = 1 + below(one_in(2) ? 4 : 12);
    model.overflow = one_in(2) ? ORG_OVERFLOW_SHED : ORG_OVERFLOW_REFUSE;
    model.lease_ms = TIME_GRAIN_MS + some_ms(3000);
    model.ageing_ms = TIME_GRAIN_MS + some_ms(5000);
    model.on_absent = one_in(3) ? ORG_ACTION_DECLINE : one_in(3) ? ORG_ACTION_RETRY : 0;
    model.on_overflow = one_in(4) ? ORG_ACTION_RETRY : 0;
    model.refusals_max = 1 + below(5);
    model.refusals_period_ms = TIME_GRAIN_MS + some_ms(8000);
    configure(true);
    for (step = 0; step < STEPS; step++) {
        do_something();
        check_all();
    }
    desk_done(&desk);
}

static void role_agrees_with_the_model_under_random_commands(void **state)
{
    (void)state;
    seeds_run(SEEDS_DEFAULT, &seed, &step, run_seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(role_agrees_with_the_model_under_random_commands, seeds_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

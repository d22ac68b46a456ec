/* SPDX-License-Identifier: MIT */
/*
 * Facts about questions on real threads whose answerers answer, refuse, fail, end or are killed, at once or
 * later, and whose timeouts run out at that very moment: each ask ends exactly once, with its own answer or
 * with a reason; each call of a thread outside returns.
 */
#include <pthread.h>

#include "race/race.h"

enum {
    ASKERS = 6,
    ANSWERERS = 12,
    ASKS = 2000, /* by each asker */
    OPEN_MAX = 16,
    CALLERS = 3,
    CALLS = 300, /* by each caller */
    TIMEOUT_LONG_MS = 100000,
};

#define VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(ask_question, VALUE_FIELDS)
TROUPE_MESSAGE(ask_answer, VALUE_FIELDS)
TROUPE_MESSAGE_EMPTY(ask_go)

static _Atomic uint64_t refs[ANSWERERS];
static _Atomic uint64_t ended; /* asks that have */
static _Atomic uint64_t answered;
static _Atomic uint64_t finished;

/* -- those who answer ------------------------------------------------------------------------------------ */

struct answerer {
    uint32_t index;
    struct random random;
    troupe_asker kept; /* answered with a later message */
    uint64_t kept_value;
};

static const troupe_behaviour answerer;

static void answerer_spawn(troupe_context *from, uint32_t index, uint64_t seed)
{
    struct answerer state = {.index = index, .random = {seed}};
    const troupe_spawn_options options = {.state = &state, .own_thread = index == 0};
    troupe_ref ref = troupe_context_spawn(from, &answerer, &options);
    ASSERT(!troupe_ref_is_none(ref));
    store_relaxed(&refs[index], ref.bits);
}

static void kept_answer(troupe_self *self, struct answerer *me)
{
    if (me->kept.ask != 0)
        ASSERT(troupe_reply(self, me->kept, ask_answer, .value = me->kept_value + 1) == TROUPE_OK);
    me->kept = (troupe_asker){0};
}

static troupe_status answerer_receive(troupe_self *self, const troupe_message *message)
{
    struct answerer *me = troupe_state(self);
    const ask_question *question = ask_question_of(message);
    ASSERT(question != NULL);
    troupe_asker asker = troupe_asker_of(message);
    uint32_t other = random_below(&me->random, ANSWERERS);
    ASSERT(asker.ask != 0);
    kept_answer(self, me);
    switch (random_below(&me->random, 16)) {
    case 0:
        return troupe_fail(self, TROUPE_IO, "over a question");
    case 1: /* who ends without a failure has to say so itself */
        troupe_refuse(self, asker, TROUPE_CONFLICT);
        troupe_exit(self);
        return TROUPE_OK;
    case 2:
        return TROUPE_UNEXPECTED;
    case 3:
        troupe_refuse(self, asker, TROUPE_CONFLICT);
        return TROUPE_OK;
    case 4:
        troupe_shutdown(self, (troupe_ref){load_relaxed(&refs[other])}, TROUPE_KILLED);
        break;
    case 5:
        if (troupe_forward(self, (troupe_ref){load_relaxed(&refs[other])}, message) == TROUPE_OK)
            return TROUPE_OK;
        break;
    case 6:
        me->kept = asker;
        me->kept_value = question->value;
        return TROUPE_OK;
    case 7:
        race_deal(self);
        break;
    default:
        break;
    }
    return troupe_reply(self, asker, ask_answer, .value = question->value + 1);
}

/* Another takes its place; what it was asked and has not answered is refused. */
static void answerer_stop(troupe_self *self, troupe_status reason)
{
    struct answerer *me = troupe_state(self);
    troupe_refuse(self, me->kept, TROUPE_CONFLICT);
    if (reason != TROUPE_SHUTDOWN)
        answerer_spawn(troupe_self_context(self), me->index, random_next(&me->random));
}

static const troupe_behaviour answerer = {.name = "answerer",
                                          .state_size = sizeof(struct answerer),
                                          .receive = answerer_receive,
                                          .stop = answerer_stop};

/* -- those who ask --------------------------------------------------------------------------------------- */

struct asker {
    struct random random;
    uint64_t asked;
    uint64_t open;
    uint64_t values[OPEN_MAX]; /* asked for and not ended; 0: free */
};

static bool is_expected(troupe_status status)
{
    return status == TROUPE_OK || status == TROUPE_NO_ACTOR || status == TROUPE_UNEXPECTED ||
           status == TROUPE_IO || status == TROUPE_CONFLICT || status == TROUPE_TIMEOUT;
}

static void ask_more(troupe_self *self, struct asker *me);

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct asker *me = troupe_state(self);
    uint64_t *value = context;
    ASSERT(*value != 0 && is_expected(status) && (reply != NULL) == (status == TROUPE_OK));
    if (reply != NULL)
        ASSERT(ask_answer_of(reply)->value == *value + 1);
    fetch_add_relaxed(&answered, reply != NULL);
    fetch_add_relaxed(&ended, 1);
    *value = 0;
    me->open--;
    ask_more(self, me);
    return TROUPE_OK;
}

static void ask_more(troupe_self *self, struct asker *me)
{
    for (uint32_t i = 0; i < OPEN_MAX && me->asked < ASKS; i++) {
        uint64_t *value = &me->values[i];
        if (*value != 0)
            continue;
        troupe_ref to = {load_relaxed(&refs[random_below(&me->random, ANSWERERS)])};
        uint32_t timeout_ms =
            random_below(&me->random, 2) == 0 ? TIMEOUT_LONG_MS : random_below(&me->random, 3);
        *value = 1 + (random_next(&me->random) >> 1);
        troupe_status status =
            troupe_ask(self, to, timeout_ms, on_answer, value, ask_question, .value = *value);
        ASSERT(status == TROUPE_OK || status == TROUPE_NO_ACTOR);
        if (status != TROUPE_OK) {
            *value = 0;
            break; /* its successor is on its way: try again with the next message */
        }
        me->asked++;
        me->open++;
    }
    if (me->asked == ASKS && me->open == 0)
        fetch_add_relaxed(&finished, 1);
    else if (me->open == 0)
        ASSERT(troupe_send(self, troupe_self_ref(self), ask_go) == TROUPE_OK);
}

static troupe_status asker_receive(troupe_self *self, const troupe_message *message)
{
    ASSERT(ask_go_of(message) != NULL);
    ask_more(self, troupe_state(self));
    return TROUPE_OK;
}

static const troupe_behaviour asker = {
    .name = "asker", .state_size = sizeof(struct asker), .receive = asker_receive};

static void *caller_run(void *context)
{
    troupe_system *system = context;
    struct random random = {race_seed() ^ (uintptr_t)&random};
    for (uint64_t i = 1; i <= CALLS; i++) {
        troupe_ref to = {load_relaxed(&refs[random_below(&random, ANSWERERS)])};
        uint32_t timeout_ms = i % 3 == 0 ? random_below(&random, 3) : TIMEOUT_LONG_MS;
        troupe_message *reply = NULL;
        troupe_status status = troupe_call(system, to, timeout_ms, &reply, ask_question, .value = i);
        ASSERT(is_expected(status) && (reply != NULL) == (status == TROUPE_OK));
        if (reply != NULL)
            ASSERT(ask_answer_of(reply)->value == i + 1);
        troupe_message_free(system, &reply);
    }
    fetch_add_relaxed(&finished, 1);
    return NULL;
}

static void asks_with(uint32_t workers)
{
    troupe_system *system = race_start(workers);
    pthread_t callers[CALLERS];
    store_relaxed(&ended, 0);
    store_relaxed(&answered, 0);
    store_relaxed(&finished, 0);
    for (uint32_t i = 0; i < ANSWERERS; i++)
        answerer_spawn(troupe_system_context(system), i, race_seed() + i);
    for (uint64_t i = 0; i < ASKERS; i++) {
        struct asker state = {.random = {race_seed() - i}};
        const troupe_spawn_options options = {.state = &state};
        assert_int_equal(troupe_send(system, troupe_spawn(system, &asker, &options), ask_go), TROUPE_OK);
    }
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, caller_run, system), 0);
    /* A question that is kept is answered with the next one: these keep coming until nobody waits. */
    for (int ms = 0; load_relaxed(&finished) < ASKERS + CALLERS && ms < RACE_WAIT_MS_MAX; ms++) {
        for (uint32_t i = 0; i < ANSWERERS; i++) {
            troupe_message *reply = NULL;
            (void)!troupe_call(system, (troupe_ref){load_relaxed(&refs[i])}, 1, &reply, ask_question,
                               .value = 1);
            troupe_message_free(system, &reply);
        }
    }
    assert_int_equal(load_relaxed(&finished), ASKERS + CALLERS);
    assert_int_equal(load_relaxed(&ended), ASKERS * ASKS);
    assert_true(load_relaxed(&answered) > 0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    race_settle(system);
    assert_int_equal(troupe_stop(&system), 0);
}

static void ask_ends_once_however_its_answerer_ends(void **state)
{
    (void)state;
    race_run(asks_with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_ends_once_however_its_answerer_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Roles that work with each other, with everything that may go wrong between them: entries of outboxes arrive
 * late, twice, or are tried out of order, acknowledgements get lost, and any role is read again from its
 * records at any moment. Each role is checked after each step. When the load stops and everybody works, all
 * of it must drain, and each message that wanted an answer has exactly one, in its sender's mailbox and in
 * its thread. A failure prints its seed; TROUPE_SEED=N runs only that one, TROUPE_SEEDS=N that many. One
 * thread.
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
#include "org/role.h"
#include "support/seeds.h"

enum {
    SEEDS_DEFAULT = 40,
    STEPS = 1500,
    SENT_MAX = 1000,
    ROLES = 6,
    TRIES_MAX = 100000,
};

/* A tree of three roles under a root, and two personal ones that send. */
static const struct {
    const char *name;
    const char *supervisor;
    const char *holder;
} plan[ROLES] = {
    {"root", NULL, "ray"},       {"team", "root", "lea"}, {"team/docs", "team", "ann"},
    {"team/web", "team", "bob"}, {"@zoe", "root", "zoe"}, {"@yan", "root", "yan"},
};

struct place {
    struct org_role *role;
    struct record_batch journal;
    char stream[64];
};

/* A message that wants an answer: who gets it, and how many came. */
struct sent {
    uint64_t id;
    int sender; /* a place */
    int answers;
};

static struct place places[ROLES];
static struct sent sent[SENT_MAX];
static size_t sent_count;
static int64_t now_ms;
static uint64_t last_id;
static uint64_t seed;
static uint64_t random_state;
static int step;

static uint32_t below(uint32_t limit)
{
    random_state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash_number(random_state) >> 33) % limit;
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

static uint64_t fresh_id(void)
{
    last_id = org_id_next(last_id, now_ms, 1);
    return last_id;
}

/* --- a place ------------------------------------------------------------------------------------- */

static void check(const struct place *place)
{
    const char *reason = "";
    if (!org_role_check(place->role, &reason))
        fail_msg("%s: %s", place->stream, reason);
}

static struct org_answer do_command(struct place *place, const struct org_command *command)
{
    struct org_answer answer;
    size_t before = place->journal.bytes.size;
    assert_int_equal(org_role_decide(place->role, command, now_ms, &place->journal, &answer), TROUPE_OK);
    org_role_fold_batch(place->role, &place->journal, before);
    return answer;
}

/* The role is gone, and comes back from its records. */
static void read_again(struct place *place, const char *name)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(&place->journal);
    org_role_free(place->role);
    assert_int_equal(org_role_new(name, &place->role), TROUPE_OK);
    while (record_next(&cursor, &record) == TROUPE_OK)
        assert_int_equal(org_role_replay(place->role, &record), TROUPE_OK);
}

static struct place *place_named(const char *name)
{
    for (size_t i = 0; i < ROLES; i++) {
        if (strcmp(plan[i].name, name) == 0)
            return &places[i];
    }
    return NULL;
}

static void open_places(void)
{
    for (size_t i = 0; i < ROLES; i++) {
        struct org_command command = {
            .kind = ORG_CONFIGURE,
            .who = {"admin", NULL},
            .configure = {.supervisor = plan[i].supervisor,
                          .holders = &plan[i].holder,
                          .holder_count = 1,
                          .capacity = 8,
                          .overflow = one_in(2) ? ORG_OVERFLOW_SHED : ORG_OVERFLOW_REFUSE,
                          .lease_ms = 1000,
                          .seed = {seed, i}}};
        places[i] = (struct place){.role = NULL};
        snprintf(places[i].stream, sizeof(places[i].stream), "role/%s", plan[i].name);
        assert_int_equal(org_role_new(plan[i].name, &places[i].role), TROUPE_OK);
        assert_int_equal(do_command(&places[i], &command).kind, ORG_ANSWER_OK);
    }
}

static void close_places(void)
{
    for (size_t i = 0; i < ROLES; i++) {
        org_role_free(places[i].role);
        record_batch_done(&places[i].journal);
    }
}

/* --- between places ------------------------------------------------------------------------------ */

/* An answer arrived in somebody's mailbox, for the first time. */
static void note_answer(const struct place *place, uint64_t id)
{
    const struct org_message *message = org_role_find(place->role, id);
    assert_non_null(message);
    if (message->accepted->kind != ORG_KIND_ANSWER || message->accepted->hops > 0)
        return; /* something else, or an answer that its receiver passed on */
    for (size_t i = 0; i < sent_count; i++) {
        if (sent[i].id != message->accepted->thread)
            continue;
        assert_ptr_equal(&places[sent[i].sender], place);
        assert_int_equal(sent[i].answers, 0);
        sent[i].answers++;
        return;
    }
    fail_msg("an answer in no thread");
}

/* Hands one entry over, whether it is its turn or not; perhaps the acknowledgement gets lost. */
static bool hand_over(struct place *from, const org_sent *entry, size_t size, bool is_lossy)
{
    struct place *to = place_named(troupe_flat_text(entry, entry->to));
    struct org_command acknowledge = {.kind = ORG_ACKNOWLEDGE, .acknowledge = {.number = entry->number}};
    if (to == NULL) { /* nobody is there */
        acknowledge.kind = ORG_UNDELIVERABLE;
        acknowledge.acknowledge.id = fresh_id();
        acknowledge.acknowledge.reason = "there is no such role";
        do_command(from, &acknowledge);
        return true;
    }
    bool waits = org_role_outbox_waits(from->role, entry->number);
    bool is_no_message = entry->kind == ORG_KIND_RESOLUTION || entry->kind == ORG_KIND_REPORT;
    struct org_command command = {
        .kind = ORG_DELIVER,
        .deliver = {.id = fresh_id(), .source = from->stream, .sent = entry, .size = size}};
    struct org_answer answer = do_command(to, &command);
    if (answer.kind == ORG_ANSWER_REFUSED) {
        assert_int_equal(answer.refusal, ORG_REFUSED_ORDER);
        assert_true(waits);
        return false;
    }
    assert_int_equal(answer.kind, ORG_ANSWER_ACCEPTED);
    if (!answer.is_duplicate && !is_no_message)
        note_answer(to, answer.id);
    if (is_lossy && one_in(3))
        return false;
    acknowledge.acknowledge.id = answer.id;
    do_command(from, &acknowledge);
    return true;
}

/* Tries some entry of an outbox. */
static bool deliver_something(struct place *from, bool is_lossy)
{
    size_t size;
    uint64_t after = 0;
    const org_sent *entry = org_role_outbox_after(from->role, 0, &size);
    while (entry != NULL && is_lossy && one_in(2)) {
        after = entry->number;
        const org_sent *next = org_role_outbox_after(from->role, after, &size);
        if (next == NULL)
            break;
        entry = next;
    }
    entry = org_role_outbox_after(from->role, after, &size);
    return entry != NULL && hand_over(from, entry, size, is_lossy);
}

/* --- random work --------------------------------------------------------------------------------- */

static void send_something(void)
{
    int sender = 4 + (int)below(2);
    int to = (int)below(4);
    if (sent_count == SENT_MAX)
        return;
    struct org_command command = {.kind = ORG_SEND,
                                  .who = {plan[sender].holder, NULL},
                                  .send = {.id = fresh_id(),
                                           .sender = plan[sender].name,
                                           .message_class = below(ORG_CLASS_COUNT),
                                           .deadline = one_in(5) ? now_ms + 1 + below(3000) : 0,
                                           .subject = "work",
                                           .body = "to do"}};
    struct org_answer answer = do_command(&places[to], &command);
    if (answer.kind == ORG_ANSWER_ACCEPTED)
        sent[sent_count++] = (struct sent){.id = answer.id, .sender = sender};
}

/* What its holder does with a message. When the load has stopped it is finished. */
static void work_on(struct place *place, const char *actor, uint64_t id, bool is_final)
{
    const struct org_message *message = org_role_find(place->role, id);
    struct org_command command = {
        .kind = ORG_FINISH, .who = {actor, NULL}, .about = {.id = id, .text = "here"}};
    uint32_t dice = is_final ? 0 : below(12);
    if (dice == 4 || dice == 5) {
        command.kind = ORG_DECLINE;
    } else if (dice == 6 || dice == 7) {
        command.kind = ORG_FORWARD;
        command.about.to = one_in(8) ? "nowhere" : plan[below(4)].name;
    } else if (dice == 8) {
        command.kind = ORG_DEFER;
        command.about.until = now_ms + 1 + below(2000);
    } else if (dice == 9 || dice == 10) {
        command.kind = ORG_FAIL;
        command.about.is_crash = one_in(2);
    } else if (dice == 11 && message->accepted->kind == ORG_KIND_ESCALATION) {
        command.kind = ORG_RESOLVE;
        command.about.action = one_in(2) ? ORG_ACTION_RETRY : ORG_ACTION_REASSIGN;
    }
    do_command(place, &command);
}

static bool take_and_work(size_t i, bool is_final)
{
    struct org_command command = {.kind = ORG_NEXT, .who = {plan[i].holder, NULL}};
    struct org_answer answer = do_command(&places[i], &command);
    if (answer.id == 0 || answer.kind == ORG_ANSWER_REFUSED)
        return false;
    if (is_final || !one_in(4)) /* else it lies until its lease ends */
        work_on(&places[i], plan[i].holder, answer.id, is_final);
    return true;
}

static bool pass_time(struct place *place)
{
    struct org_command command = {.kind = ORG_TICK};
    bool was_due = org_role_due_ms(place->role) <= now_ms;
    do_command(place, &command);
    return was_due;
}

static bool settle_something(struct place *place)
{
    const struct org_message *message;
    if (!org_role_view(place->role).has_alarm ||
        org_role_list(place->role, ORG_QUARANTINED, now_ms, &message, 1) == 0)
        return false;
    struct org_command command = {
        .kind = ORG_SETTLE,
        .who = {"admin", NULL},
        .about = {.id = message->id, .action = ORG_ACTION_DONE, .text = "settled", .is_administrator = true}};
    assert_int_equal(do_command(place, &command).kind, ORG_ANSWER_OK);
    return true;
}

static void do_something(void)
{
    size_t i = below(ROLES);
    uint32_t dice = below(100);
    if (dice < 25)
        send_something();
    else if (dice < 55)
        take_and_work(i, false);
    else if (dice < 85)
        deliver_something(&places[i], true);
    else if (dice < 95)
        now_ms += below(500);
    else if (dice < 97)
        read_again(&places[i], plan[i].name);
    else
        settle_something(&places[i]);
    pass_time(&places[below(ROLES)]);
    check(&places[i]);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* Nothing new comes; everybody works, and what is owed is delivered, until nothing moves. */
static void drain(void)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        bool has_moved = false;
        int64_t due = INT64_MAX;
        for (size_t i = 0; i < ROLES; i++) {
            has_moved |= pass_time(&places[i]);
            has_moved |= take_and_work(i, true);
            has_moved |= deliver_something(&places[i], false);
            has_moved |= settle_something(&places[i]);
            due = org_role_due_ms(places[i].role) < due ? org_role_due_ms(places[i].role) : due;
        }
        if (!has_moved && due == INT64_MAX)
            return;
        if (!has_moved && due > now_ms)
            now_ms = due;
    }
    fail_msg("it does not drain");
}

static void check_end(void)
{
    for (size_t i = 0; i < ROLES; i++) {
        struct org_counts counts = org_role_counts(places[i].role);
        check(&places[i]);
        read_again(&places[i], plan[i].name);
        struct org_counts again = org_role_counts(places[i].role);
        assert_memory_equal(&counts, &again, sizeof(counts));
        assert_int_equal(counts.queued + counts.held + counts.parked + counts.quarantined, 0);
        assert_int_equal(counts.owed, 0);
        assert_int_equal(counts.bytes, 0);
    }
    for (size_t i = 0; i < sent_count; i++)
        assert_int_equal(sent[i].answers, 1);
}

static void run_seed(void)
{
    random_state = hash_number(seed);
    now_ms = 1700000000000;
    last_id = 0;
    sent_count = 0;
    open_places();
    for (step = 0; step < STEPS; step++)
        do_something();
    drain();
    check_end();
    assert_true(sent_count > 20);
    close_places();
}

static void each_message_has_exactly_one_answer_whatever_happens_on_the_way(void **state)
{
    (void)state;
    seeds_run(SEEDS_DEFAULT, &seed, &step, run_seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_message_has_exactly_one_answer_whatever_happens_on_the_way,
                                  seeds_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * org_year_people.c: what the people and programs of the year do, and the oracle that watches them. Each is
 * an actor in the house, whose memory is kept outside, so that it survives the house's crashes as a person
 * does: what was asked and not answered is asked again. The test's thread runs everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hash.h"
#include "org/id.h"
#include "org/limits.h"
#include "server/problem.h"
#include "server/role_summary.h"
#include "support/org_year_people.h"

struct house year_house;
struct person year_people[ALL];
struct year_report year_report;
bool year_is_final;

static struct seen seen[SEEN_MAX];
static uint64_t random_state;

void year_chance(uint64_t seed)
{
    random_state = hash_number(seed ^ 0x5eed);
}

void year_forget_all(void)
{
    memset(seen, 0, sizeof seen);
}

/* --- chance --------------------------------------------------------------------------------------- */

uint32_t year_below(uint32_t limit)
{
    random_state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash_number(random_state) >> 33) % limit;
}

bool year_one_in(uint32_t n)
{
    return year_below(n) == 0;
}

void year_role_name(int role, char *ret_name)
{
    if (role < TEAMS)
        snprintf(ret_name, 32, "t%d", role);
    else if (role < TEAMS + ROLES)
        snprintf(ret_name, 32, "t%d/r%d", role % TEAMS, role);
    else
        snprintf(ret_name, 32, "t%d/b%d", role % TEAMS, role);
}

/* --- the oracle ----------------------------------------------------------------------------------- */

static struct seen *seen_of(uint64_t id)
{
    size_t at = (size_t)hash_number(id) % SEEN_MAX;
    while (seen[at].id != 0 && seen[at].id != id)
        at = (at + 1) % SEEN_MAX;
    if (seen[at].id == 0)
        seen[at] = (struct seen){.id = id, .holder = -1, .ended_by = -1};
    return &seen[at];
}

void year_let_go(int who)
{
    for (size_t i = 0; i < SEEN_MAX; i++) {
        if (seen[i].id != 0 && seen[i].holder == who)
            seen[i].holder = -1;
    }
}

void year_let_all_go(void)
{
    for (size_t i = 0; i < SEEN_MAX; i++)
        seen[i].holder = -1;
}

static void note_taken(int who, const struct holding *holding, int64_t now_ms)
{
    struct seen *message = seen_of(holding->id);
    if (message->holder >= 0 && message->holder != who && message->lease_until > now_ms)
        fail_msg("%s and %s hold the same message", year_people[message->holder].name, year_people[who].name);
    if (message->ended_by >= 0)
        fail_msg("%s took what %s had ended", year_people[who].name, year_people[message->ended_by].name);
    message->holder = who;
    message->lease_until = holding->lease_until;
}

static void note_ended(int who, uint64_t id)
{
    struct seen *message = seen_of(id);
    if (message->ended_by >= 0 && message->ended_by != who)
        fail_msg("%s and %s both ended a message", year_people[message->ended_by].name,
                 year_people[who].name);
    message->ended_by = who;
    message->holder = -1;
}

/* The final notice of something that was sent, in its thread; taken for the first time. */
static void note_answer(int who, uint64_t thread, uint64_t id)
{
    if (seen_of(id)->is_noted)
        return; /* it was put back, and taken again */
    seen_of(id)->is_noted = true;
    for (uint32_t i = 0; i < year_people[who].letter_count; i++) {
        struct letter *letter = &year_people[who].letters[i];
        if (letter->id != thread || letter->state == LETTER_REFUSED)
            continue;
        if (++letter->notices > 1)
            fail_msg("%s was told twice how something ended", year_people[who].name);
        year_report.notices++;
        return;
    }
    fail_msg("%s was told of something it never sent", year_people[who].name);
}

/* --- what somebody does --------------------------------------------------------------------------- */

/* A persona: the actor of a person in one life of the year_house. */
struct persona {
    int who;
    troupe_ref desk;
};

static troupe_status on_told(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context);

static troupe_status later(troupe_self *self)
{
    uint32_t mean = year_is_final ? 48u * 3600u * 1000u : (uint32_t)ACT_MS;
    return troupe_timer_start(self, 1 + year_below(2 * mean), 0, 1, NULL);
}

static bool ask(troupe_self *self, struct persona *persona, troupe_ref who, const troupe_type *type,
                const void *fields)
{
    year_people[persona->who].is_asking =
        troupe_ask_fields(self, who, HOUSE_TIMEOUT_MS, on_told, persona, type, fields) == TROUPE_OK;
    return year_people[persona->who].is_asking;
}

static bool say_letter(troupe_self *self, struct persona *persona, int index);

/* The role that a letter is for slept: it is said now. */
static troupe_status on_woken(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct persona *persona = context;
    struct person *person = &year_people[persona->who];
    bool is_woken = status == TROUPE_OK && role_exists_of(reply) != NULL;
    person->is_asking = false;
    if (!is_woken || !say_letter(self, persona, person->letter_asked))
        person->letter_asked = -1;
    return TROUPE_OK;
}

static bool say_letter(troupe_self *self, struct persona *persona, int index)
{
    struct person *person = &year_people[persona->who];
    struct letter *letter = &person->letters[index];
    char role[32];
    char key[32];
    char sender[32];
    year_role_name(letter->role, role);
    snprintf(key, sizeof key, "key %d", index);
    snprintf(sender, sizeof sender, "@%.15s", person->name);
    person->letter_asked = index;
    role_send_fields fields = {.id = ids_next(&year_house.ids, troupe_unix_ms(self)),
                               .actor = person->name,
                               .sender = sender,
                               .key = key,
                               .subject = "work",
                               .deadline = letter->deadline,
                               .message_class = (uint8_t)(index % ORG_CLASS_COUNT),
                               .is_person = !person->is_program};
    troupe_ref to = troupe_whereis(self, role);
    if (!troupe_ref_is_none(to))
        return ask(self, persona, to, &role_send_type, &fields);
    person->is_asking = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), HOUSE_TIMEOUT_MS, on_woken,
                                   persona, role_search, .role = role) == TROUPE_OK;
    return person->is_asking;
}

static int64_t soon(troupe_self *self, uint32_t days)
{
    return troupe_unix_ms(self) + 1 + (int64_t)year_below(days * 24) * ORG_HOUR_MS;
}

/* What is to be done with a message, once and for all. */
static void decide(troupe_self *self, const struct person *person, struct holding *holding)
{
    uint32_t dice = year_is_final || person->is_root || holding->is_answer ? 0 : year_below(20);
    holding->is_decided = true;
    holding->command = ORG_FINISH;
    if (dice >= 10 && dice < 12) {
        holding->command = ORG_DECLINE;
    } else if (dice >= 12 && dice < 14) {
        holding->command = ORG_FORWARD;
        holding->to = (int)year_below(ALL_ROLES);
    } else if (dice >= 14 && dice < 16) {
        holding->command = ORG_DEFER;
        holding->until = soon(self, 30) + ORG_HOUR_MS;
    } else if (dice >= 16) {
        holding->command = ORG_FAIL;
        year_report.failures++;
    }
}

static bool say_about(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    struct holding *holding = &person->held[0];
    char role[32];
    year_role_name(holding->to, role);
    if (!holding->is_decided)
        decide(self, person, holding);
    desk_about_fields fields = {.id = holding->id,
                                .until = holding->until,
                                .command = (uint32_t)holding->command,
                                .text = "so it is",
                                .to = holding->command == ORG_FORWARD ? role : NULL,
                                .is_crash = person->is_program,
                                .wip_limit = person->limit};
    return ask(self, persona, persona->desk, &desk_about_type, &fields);
}

static bool write_letter(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    if (year_is_final || person->letter_count == SENDS_MAX)
        return false;
    person->letters[person->letter_count] = (struct letter){
        .role = year_one_in(3) ? (int)year_below(8)
                               : (int)year_below(ALL_ROLES), /* some get more than they can take */
        .deadline = year_one_in(5) ? soon(self, 20) : 0};
    return say_letter(self, persona, (int)person->letter_count++);
}

static int letter_unanswered(const struct person *person)
{
    for (uint32_t i = 0; i < person->letter_count; i++) {
        if (person->letters[i].state == LETTER_ASKED)
            return (int)i;
    }
    return -1;
}

static void act(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    if (person->is_asking || (person->is_gone && !year_is_final))
        return;
    int unanswered = letter_unanswered(person);
    bool is_done = false;
    if (unanswered >= 0)
        is_done = say_letter(self, persona, unanswered);
    else if (person->held_count > 0 && (year_is_final || person->held[0].is_decided ||
                                        !year_one_in(6))) /* else it lies until its lease ends */
        is_done = say_about(self, persona);
    else if (year_one_in(3))
        is_done = write_letter(self, persona);
    if (!is_done && !person->is_asking) {
        desk_next_fields fields = {.wip_limit = person->limit};
        (void)ask(self, persona, persona->desk, &desk_next_type, &fields);
    }
}

/* --- what it is told ------------------------------------------------------------------------------ */

static uint64_t id_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    uint64_t id = 0;
    assert_true(text != NULL && org_id_parse(text, &id) == TROUPE_OK);
    return id;
}

/* Forgets what it does not hold any more: the lease is over, or it was away. */
static void forget_stale(int who, int64_t now_ms)
{
    struct person *person = &year_people[who];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < person->held_count; i++) {
        const struct seen *message = seen_of(person->held[i].id);
        if (message->holder == who && message->lease_until > now_ms)
            person->held[kept++] = person->held[i];
    }
    person->held_count = kept;
}

static void take_messages(troupe_self *self, int who, const troupe_bytes *json)
{
    struct person *person = &year_people[who];
    json_t *document = json_loadb(json->data, json->size, 0, NULL);
    json_t *messages = json_object_get(document, "messages");
    assert_true(json_is_array(messages));
    size_t count = json_array_size(messages);
    if (count > person->limit)
        fail_msg("%s holds %zu messages; %u are its limit", person->name, count, person->limit);
    for (size_t i = 0; i < count; i++) {
        json_t *message = json_array_get(messages, i);
        const char *kind = json_string_value(json_object_get(message, "kind"));
        struct holding holding = {.id = id_of(message, "id"),
                                  .thread = id_of(message, "thread"),
                                  .lease_until =
                                      (int64_t)json_integer_value(json_object_get(message, "lease_until")),
                                  .is_answer = strcmp(kind, "answer") == 0};
        bool is_known = false;
        for (uint32_t j = 0; j < person->held_count; j++)
            is_known = is_known || person->held[j].id == holding.id;
        if (is_known)
            continue;
        note_taken(who, &holding, troupe_unix_ms(self));
        forget_stale(who, troupe_unix_ms(self));
        if (holding.is_answer)
            note_answer(who, holding.thread, holding.id);
        if (person->held_count == person->limit)
            fail_msg("%s was given more than its limit of %u", person->name, person->limit);
        person->held[person->held_count++] = holding;
    }
    json_decref(document);
}

static void drop_first(struct person *person)
{
    person->held_count--;
    memmove(person->held, person->held + 1, person->held_count * sizeof person->held[0]);
}

static void told_about(int who, const answered *yes, const denied *no)
{
    struct person *person = &year_people[who];
    struct holding *holding = &person->held[0];
    bool is_over = holding->command != ORG_DEFER && holding->command != ORG_FAIL;
    if (yes != NULL && is_over) {
        note_ended(who, holding->id);
    } else if (yes != NULL) {
        seen_of(holding->id)->holder = -1;
    } else if (no->kind == PROBLEM_UNAVAILABLE || no->kind == PROBLEM_FULL) {
        return; /* not known: it is said again */
    }
    drop_first(person); /* done, or not ours any more */
}

static void told_letter(int who, const troupe_message *reply, const answered *yes, const denied *no)
{
    struct person *person = &year_people[who];
    struct letter *letter = &person->letters[person->letter_asked];
    if (no != NULL && no->kind == PROBLEM_UNAVAILABLE)
        return;
    if (yes == NULL) {
        letter->state = LETTER_REFUSED;
        year_report.refused++;
        return;
    }
    troupe_bytes json = troupe_bytes_of(reply, yes->json);
    json_t *receipt = json_loadb(json.data, json.size, 0, NULL);
    letter->state = LETTER_ACCEPTED;
    letter->id = id_of(receipt, "id");
    json_decref(receipt);
    year_report.accepted++;
}

static troupe_status on_told(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct persona *persona = context;
    struct person *person = &year_people[persona->who];
    const answered *yes = status == TROUPE_OK ? answered_of(reply) : NULL;
    const denied *no = status == TROUPE_OK ? denied_of(reply) : NULL;
    bool is_letter = person->letter_asked >= 0;
    bool was_busy = person->held_count > 0;
    person->is_asking = false;
    if (yes != NULL || no != NULL) {
        troupe_bytes json = yes != NULL ? troupe_bytes_of(reply, yes->json) : (troupe_bytes){0};
        if (is_letter)
            told_letter(persona->who, reply, yes, no);
        else if (person->held_count > 0 && person->held[0].is_decided)
            told_about(persona->who, yes, no);
        else if (yes != NULL && yes->status == 200)
            take_messages(self, persona->who, &json);
    }
    person->letter_asked = -1;
    /* What it holds it works on within a day, at the top within hours, and having done so looks for more. */
    if ((person->held_count == 0 && !was_busy) || person->is_soon)
        return TROUPE_OK;
    person->is_soon = true;
    uint32_t within_h = person->is_root ? 2 : 24;
    return troupe_timer_start(self, 1 + year_below(within_h * 3600u * 1000u), 0, 2, NULL);
}

static troupe_status persona_start(troupe_self *self)
{
    return later(self);
}

static troupe_status persona_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout == NULL)
        return TROUPE_UNEXPECTED;
    if (timeout->tag == 2)
        year_people[((struct persona *)troupe_state(self))->who].is_soon = false;
    act(self, troupe_state(self));
    return timeout->tag == 1 ? later(self) : TROUPE_OK;
}

void year_move_in(void)
{
    static const troupe_behaviour behaviour = {.name = "persona",
                                               .state_size = sizeof(struct persona),
                                               .start = persona_start,
                                               .receive = persona_receive};
    for (int i = 0; i < ALL; i++) {
        struct persona persona = {.who = i, .desk = house_desk(&year_house, year_people[i].name)};
        troupe_status status;
        year_people[i].is_asking = false;
        year_people[i].is_soon = false;
        year_people[i].letter_asked = -1;
        troupe_spawn(year_house.system, &behaviour,
                     (&(troupe_spawn_options){.state = &persona, .ret_status = &status}));
        assert_int_equal(status, TROUPE_OK);
    }
}

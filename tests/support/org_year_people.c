/* SPDX-License-Identifier: MIT */
/*
 * org_year_people.c: what the people and programs of the year do. Each is an actor in the house, whose memory
 * is kept outside, so that it survives the house's crashes as a person does: what was asked and not answered
 * is asked again. What they are told, the oracle hears. The test's thread runs everything.
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
#include "server/desk.h"
#include "server/problem.h"
#include "server/role_summary.h"
#include "support/org_year_oracle.h"
#include "support/org_year_people.h"

struct house year_house;
struct person year_people[ALL];
struct year_report year_report;
bool year_is_final;
int64_t year_storm_until;

static uint64_t random_state;

void year_chance(uint64_t seed)
{
    random_state = hash_number(seed ^ 0x5eed);
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

/* --- what they hold --------------------------------------------------------------------------------- */

/* An answer that is under way may be older than what happened: it is not believed. */
static void doubt(int who)
{
    year_people[who].is_doubtful = year_people[who].asking != ASKING_NOTHING;
}

void year_let_go(int who)
{
    oracle_let_go(who);
    doubt(who);
}

void year_let_all_go(void)
{
    oracle_let_all_go();
    for (int i = 0; i < ALL; i++)
        doubt(i);
}

/* --- what somebody does --------------------------------------------------------------------------- */

/* To a persona: do what there is to do. */
TROUPE_MESSAGE_EMPTY(year_stirred)

/* A persona: the actor of a person in one life of the year_house. */
struct persona {
    int who;
    troupe_ref desk;
};

static troupe_status on_told(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context);

/* Whoever lives here is there also when memory is short. */
static troupe_status start_timer(troupe_self *self, uint32_t after_ms, uint64_t tag)
{
    troupe_status status = TROUPE_NO_MEMORY;
    for (int tries = 0; tries < 20 && status == TROUPE_NO_MEMORY; tries++)
        status = troupe_timer_start(self, after_ms, 0, tag, NULL);
    return status;
}

static troupe_status later(troupe_self *self)
{
    uint32_t mean = year_is_final ? 48u * 3600u * 1000u : (uint32_t)ACT_MS;
    return start_timer(self, 1 + year_below(2 * mean), 1);
}

static troupe_status on_desk(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct persona *persona = context;
    char name[DESK_NAME_SIZE];
    (void)reply;
    year_people[persona->who].asking = ASKING_NOTHING;
    desk_name(year_people[persona->who].name, name);
    if (status == TROUPE_OK)
        persona->desk = troupe_whereis(self, name);
    return TROUPE_OK;
}

/* The desk has ended for want of memory: there is another one, or will be soon. */
static void ask_for_desk(troupe_self *self, struct persona *persona)
{
    if (troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), HOUSE_TIMEOUT_MS, on_desk, persona,
                   caller_check, .hash = {house_token_hash, sizeof house_token_hash},
                   .as = year_people[persona->who].name) == TROUPE_OK)
        year_people[persona->who].asking = ASKING_DESK;
}

/* Asks, unless memory is short or nobody is there: then it does so another time. */
static void ask(troupe_self *self, struct persona *persona, enum asking what, troupe_ref who,
                const troupe_type *type, const void *fields)
{
    troupe_status status = troupe_ask_fields(self, who, HOUSE_TIMEOUT_MS, on_told, persona, type, fields);
    if (status == TROUPE_OK)
        year_people[persona->who].asking = what;
    else if (status == TROUPE_NO_ACTOR && troupe_ref_equal(who, persona->desk))
        ask_for_desk(self, persona);
}

static void say_letter(troupe_self *self, struct persona *persona, int index);

/* The role that a letter is for slept: it is said now. */
static troupe_status on_woken(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct persona *persona = context;
    struct person *person = &year_people[persona->who];
    person->asking = ASKING_NOTHING;
    if (status == TROUPE_OK && role_exists_of(reply) != NULL)
        say_letter(self, persona, person->letter_asked);
    return TROUPE_OK;
}

static void say_letter(troupe_self *self, struct persona *persona, int index)
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
        ask(self, persona, ASKING_LETTER, to, &role_send_type, &fields);
    else if (troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), HOUSE_TIMEOUT_MS, on_woken, persona,
                        role_search, .role = role) == TROUPE_OK)
        person->asking = ASKING_LETTER;
}

static int64_t soon(troupe_self *self, uint32_t days)
{
    return troupe_unix_ms(self) + 1 + (int64_t)year_below(days * 24) * ORG_HOUR_MS;
}

/* What is to be done with a message, once and for all. */
static void decide(troupe_self *self, const struct person *person, struct holding *holding)
{
    uint32_t dice = year_is_final || person->is_root || holding->is_answer ? 0 : year_below(20);
    if (dice != 0 && troupe_unix_ms(self) < year_storm_until)
        dice = 19;
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

static void say_about(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    struct holding *holding = &person->held[0];
    char role[32];
    year_role_name(holding->to, role);
    if (!holding->is_decided)
        decide(self, person, holding);
    if (holding->command == ORG_DEFER || holding->command == ORG_FAIL)
        oracle_returning(persona->who, holding->id);
    desk_about_fields fields = {.id = holding->id,
                                .until = holding->until,
                                .command = (uint32_t)holding->command,
                                .text = "so it is",
                                .to = holding->command == ORG_FORWARD ? role : NULL,
                                .is_crash = person->is_program,
                                .wip_limit = person->limit};
    ask(self, persona, ASKING_ABOUT, persona->desk, &desk_about_type, &fields);
}

static bool begin_letter(struct person *person, int role, int64_t deadline)
{
    if (year_is_final || person->letter_count == SENDS_MAX)
        return false;
    person->letters[person->letter_count++] = (struct letter){.role = role, .deadline = deadline};
    return true;
}

static void write_letter(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    int role = (int)year_below(year_one_in(3) ? 8 : ALL_ROLES); /* some get more than they can take */
    int64_t deadline = year_one_in(5) ? soon(self, 20) : 0;
    if (begin_letter(person, role, deadline))
        say_letter(self, persona, (int)person->letter_count - 1);
}

/* The same letter with the same key, however long ago: it must be known. */
static void repeat_letter(troupe_self *self, struct persona *persona)
{
    struct person *person = &year_people[persona->who];
    int index = person->letter_count > 0 ? (int)year_below(person->letter_count) : -1;
    if (index >= 0 && person->letters[index].state == LETTER_ACCEPTED)
        say_letter(self, persona, index);
}

static void ask_for_work(troupe_self *self, struct persona *persona)
{
    desk_next_fields fields = {.wip_limit = year_people[persona->who].limit};
    ask(self, persona, ASKING_NEXT, persona->desk, &desk_next_type, &fields);
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
    if (person->asking != ASKING_NOTHING || (person->is_gone && !year_is_final))
        return;
    int unanswered = letter_unanswered(person);
    if (unanswered >= 0)
        say_letter(self, persona, unanswered);
    else if (person->held_count > 0 && (year_is_final || person->held[0].is_decided ||
                                        !year_one_in(6))) /* else it lies until its lease ends */
        say_about(self, persona);
    else if (!year_is_final && year_one_in(3))
        write_letter(self, persona);
    else if (year_one_in(8))
        repeat_letter(self, persona);
    else
        ask_for_work(self, persona);
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
        if (oracle_may_hold(who, person->held[i].id, now_ms))
            person->held[kept++] = person->held[i];
    }
    person->held_count = kept;
}

static void take_message(int who, json_t *json, int64_t now_ms)
{
    struct person *person = &year_people[who];
    json_t *origin = json_object_get(json, "origin");
    struct oracle_message message = {.id = id_of(json, "id"),
                                     .thread = id_of(json, "thread"),
                                     .lease_until =
                                         (int64_t)json_integer_value(json_object_get(json, "lease_until")),
                                     .kind = json_string_value(json_object_get(json, "kind")),
                                     .role = json_string_value(json_object_get(json, "role")),
                                     .from = json_string_value(json_object_get(json, "from"))};
    bool is_escalation = strcmp(message.kind, "escalation") == 0;
    message.origin = is_escalation ? id_of(origin, "id") : 0;
    oracle_shown_one(who, &message, now_ms);
    for (uint32_t i = 0; i < person->held_count; i++) {
        if (person->held[i].id == message.id)
            return;
    }
    oracle_taken(who, &message, now_ms);
    forget_stale(who, now_ms);
    if (person->held_count == person->limit)
        fail_msg("%s was given more than its limit of %u", person->name, person->limit);
    person->held[person->held_count++] =
        (struct holding){.id = message.id, .is_answer = strcmp(message.kind, "answer") == 0};
}

static void take_messages(troupe_self *self, int who, const troupe_bytes *json)
{
    json_t *document = json_loadb(json->data, json->size, 0, NULL);
    json_t *messages = json_object_get(document, "messages");
    assert_true(json_is_array(messages));
    oracle_shown(who, json_array_size(messages));
    for (size_t i = 0; i < json_array_size(messages); i++)
        take_message(who, json_array_get(messages, i), troupe_unix_ms(self));
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
        oracle_ended(who, holding->id);
    } else if (yes != NULL) {
        oracle_returned(who, holding->id);
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
    if (yes == NULL && letter->state == LETTER_ACCEPTED)
        fail_msg("%s was refused what had been accepted from it: %s", year_people[who].name,
                 troupe_text(reply, no->detail));
    if (yes == NULL) {
        letter->state = LETTER_REFUSED;
        year_report.refused++;
        return;
    }
    troupe_bytes json = troupe_bytes_of(reply, yes->json);
    json_t *receipt = json_loadb(json.data, json.size, 0, NULL);
    oracle_accepted(who, person->letter_asked, id_of(receipt, "id"));
    json_decref(receipt);
}

static troupe_status on_told(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct persona *persona = context;
    struct person *person = &year_people[persona->who];
    const answered *yes = status == TROUPE_OK ? answered_of(reply) : NULL;
    const denied *no = status == TROUPE_OK ? denied_of(reply) : NULL;
    enum asking asked = person->asking;
    bool was_busy = person->held_count > 0;
    person->asking = ASKING_NOTHING;
    if (yes != NULL || no != NULL) {
        troupe_bytes json = yes != NULL ? troupe_bytes_of(reply, yes->json) : (troupe_bytes){0};
        if (asked == ASKING_LETTER)
            told_letter(persona->who, reply, yes, no);
        else if (asked == ASKING_ABOUT)
            told_about(persona->who, yes, no);
        else if (yes != NULL && yes->status == 200 && !person->is_doubtful)
            take_messages(self, persona->who, &json);
    }
    person->is_doubtful = false;
    /* What it holds it works on within a day, at the top within hours, and having done so looks for more. */
    if ((person->held_count == 0 && !was_busy) || person->is_soon)
        return TROUPE_OK;
    person->is_soon = true;
    uint32_t within_h = person->is_root ? 2 : 24;
    return start_timer(self, 1 + year_below(within_h * 3600u * 1000u), 2);
}

static troupe_status persona_start(troupe_self *self)
{
    return later(self);
}

static troupe_status persona_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (year_stirred_of(message) != NULL) {
        act(self, troupe_state(self));
        return TROUPE_OK;
    }
    if (timeout == NULL)
        return TROUPE_UNEXPECTED;
    if (timeout->tag == 2)
        year_people[((struct persona *)troupe_state(self))->who].is_soon = false;
    act(self, troupe_state(self));
    return timeout->tag == 1 ? later(self) : TROUPE_OK;
}

void year_move_in_one(int who)
{
    static const troupe_behaviour behaviour = {.name = "persona",
                                               .state_size = sizeof(struct persona),
                                               .start = persona_start,
                                               .receive = persona_receive};
    struct person *person = &year_people[who];
    struct persona persona = {.who = who, .desk = house_desk(&year_house, person->name)};
    troupe_status status;
    person->asking = ASKING_NOTHING;
    person->is_doubtful = false;
    person->is_soon = false;
    person->persona = troupe_spawn(year_house.system, &behaviour,
                                   (&(troupe_spawn_options){.state = &persona, .ret_status = &status}));
    assert_int_equal(status, TROUPE_OK);
}

void year_move_in(void)
{
    for (int i = 0; i < ALL; i++) {
        if (year_people[i].is_here)
            year_move_in_one(i);
    }
}

void year_stir(int who)
{
    if (year_people[who].is_here)
        (void)troupe_send(year_house.system, year_people[who].persona, year_stirred);
}

void year_write(int who, int role)
{
    if (year_people[who].is_here && !year_people[who].is_gone && begin_letter(&year_people[who], role, 0))
        year_stir(who);
}

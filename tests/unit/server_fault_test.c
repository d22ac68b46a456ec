/* SPDX-License-Identifier: MIT */
/*
 * Actors of roles, and desks, that are lost in the middle of what they do: a script of commands is played
 * once without a failure, and then once for each step at which an actor may be lost, with a failure there.
 * What everybody is told is the same each time; a counter tells that something was. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "org/id.h"
#include "org/limits.h"
#include "org/role.h"
#include "server/role_actor.h"
#include "support/server_house.h"

static const char organisation[] =
    "{\"actors\":[{\"name\":\"ann\",\"kind\":\"person\",\"wip_limit\":2},"
    "{\"name\":\"ben\",\"kind\":\"person\"},"
    "{\"name\":\"bot\",\"kind\":\"program\",\"wip_limit\":3}],"
    "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
    "{\"name\":\"docs\",\"holders\":[\"ann\",\"ben\"]},{\"name\":\"build\",\"holders\":[\"bot\"]},"
    "{\"name\":\"tiny\",\"holders\":[\"ben\"],\"capacity\":1}]}";

#define MINUTE_MS 60000
/* After a command, until everything that follows from it is there, also when somebody failed. */
#define SETTLE_MS 1000
#define TRANSCRIPT_SIZE (1u << 20)
#define IDS_MAX 256

/* One play: what everybody was told, with times left out and ids in the order of their appearance. */
struct play {
    struct house house;
    struct faults faults;
    struct faults desk_faults;
    char *transcript;
    size_t size;
    uint64_t ids[IDS_MAX];
    size_t id_count;
};

/* --- the transcript --------------------------------------------------------------------------- */

static void write_down(struct play *play, const char *what)
{
    size_t len = strlen(what);
    assert_true(play->size + len + 2 < TRANSCRIPT_SIZE);
    memcpy(play->transcript + play->size, what, len);
    memcpy(play->transcript + play->size + len, "\n", 2);
    play->size += len + 1;
}

static size_t number_of(struct play *play, uint64_t id)
{
    for (size_t i = 0; i < play->id_count; i++) {
        if (play->ids[i] == id)
            return i;
    }
    assert_true(play->id_count < IDS_MAX);
    play->ids[play->id_count] = id;
    return play->id_count++;
}

static bool is_time(const char *name)
{
    static const char *const names[] = {"sent",      "held_since", "lease_until", "parked_until",
                                        "oldest_ms", "deadline",   "wait",        "awake"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Replaces what differs from play to play. */
static void make_plain(struct play *play, json_t *value)
{
    const char *name;
    json_t *member;
    size_t index;
    uint64_t id;
    char text[32];
    if (json_is_array(value)) {
        json_array_foreach(value, index, member) make_plain(play, member);
        return;
    }
    void *next;
    json_object_foreach_safe(value, next, name, member)
    {
        if (is_time(name))
            json_object_set_new(value, name, json_integer(json_integer_value(member) != 0));
        else if (json_is_string(member) && json_string_length(member) == ORG_ID_TEXT_LEN &&
                 org_id_parse(json_string_value(member), &id) == TROUPE_OK) {
            snprintf(text, sizeof text, "#%zu", number_of(play, id));
            json_object_set_new(value, name, json_string(text));
        } else if (json_is_object(member) || json_is_array(member)) {
            make_plain(play, member);
        }
    }
}

/* Notes what an actor answered, and frees it. Gives the HTTP status, or the problem's kind below zero. */
static int note(struct play *play, const char *what, troupe_message *reply)
{
    char head[128];
    const answered *yes = answered_of(reply);
    const denied *no = denied_of(reply);
    assert_true(yes != NULL || no != NULL);
    int status = yes != NULL ? (int)yes->status : -(int)no->kind;
    snprintf(head, sizeof head, "%s: %d", what, status);
    write_down(play, head);
    if (yes != NULL && yes->json.size > 0) {
        troupe_bytes json = troupe_bytes_of(reply, yes->json);
        json_t *document = json_loadb(json.data, json.size, 0, NULL);
        assert_non_null(document);
        make_plain(play, document);
        char *text = json_dumps(document, JSON_SORT_KEYS);
        write_down(play, text);
        free(text);
        json_decref(document);
    } else if (no != NULL) {
        write_down(play, troupe_text(reply, no->detail));
    }
    troupe_message_free(play->house.system, &reply);
    troupe_sim_advance(play->house.system, SETTLE_MS);
    return status;
}

/* --- commands, as http gives them ------------------------------------------------------------- */

/* Asks a role until it is there to answer. */
static troupe_message *ask_role(struct play *play, const char *role, const troupe_type *type,
                                const void *fields)
{
    troupe_message *reply = NULL;
    for (int tries = 0; tries < 200; tries++) {
        troupe_ref who = troupe_whereis(play->house.system, role);
        troupe_status status = TROUPE_NO_ACTOR;
        if (!troupe_ref_is_none(who))
            status = troupe_call_fields(play->house.system, who, HOUSE_TIMEOUT_MS, &reply, type, fields);
        else if (troupe_call(play->house.system, troupe_whereis(play->house.system, NAME_DIRECTORY),
                             HOUSE_TIMEOUT_MS, &reply, role_search, .role = role) == TROUPE_OK)
            troupe_message_free(play->house.system, &reply);
        if (status == TROUPE_OK)
            return reply;
        assert_true(problem_will_pass(status));
        troupe_sim_advance(play->house.system, 50);
    }
    fail_msg("%s does not answer", role);
    return NULL;
}

/* Asks a desk, and the next one when it is lost. */
static troupe_message *ask_desk(struct play *play, const char *actor, const troupe_type *type,
                                const void *fields)
{
    troupe_message *reply = NULL;
    for (int tries = 0; tries < 200; tries++) {
        troupe_status status = troupe_call_fields(play->house.system, house_desk(&play->house, actor),
                                                  HOUSE_TIMEOUT_MS, &reply, type, fields);
        if (status == TROUPE_OK)
            return reply;
        assert_true(problem_will_pass(status));
        troupe_sim_advance(play->house.system, 50);
    }
    fail_msg("the desk of %s does not answer", actor);
    return NULL;
}

/* What a letter says beside its subject. */
struct letter {
    const char *key;
    int64_t in_ms; /* its deadline, from now; 0: none */
    bool is_urgent;
};

static uint64_t send(struct play *play, const char *from, const char *role, const char *subject,
                     const struct letter *letter)
{
    char what[128];
    char sender[64];
    int64_t now_ms = house_now(&play->house);
    uint64_t id = ids_next(&play->house.ids, now_ms);
    snprintf(what, sizeof what, "%s sends %s to %s", from, subject, role);
    snprintf(sender, sizeof sender, "@%s", from);
    role_send_fields fields = {.id = id,
                               .actor = from,
                               .sender = sender,
                               .subject = subject,
                               .key = letter->key,
                               .deadline = letter->in_ms != 0 ? now_ms + letter->in_ms : 0,
                               .message_class = letter->is_urgent ? ORG_URGENT : ORG_NORMAL};
    note(play, what, ask_role(play, role, &role_send_type, &fields));
    return id;
}

static uint64_t next(struct play *play, const char *actor, const char *role, uint32_t limit)
{
    char what[128];
    uint64_t id = 0;
    snprintf(what, sizeof what, "%s takes of %s", actor, role);
    desk_next_fields fields = {.role = role, .asking = ids_asking(&play->house.ids), .wip_limit = limit};
    troupe_message *reply = ask_desk(play, actor, &desk_next_type, &fields);
    const answered *yes = answered_of(reply);
    if (yes != NULL && yes->json.size > 0) {
        troupe_bytes json = troupe_bytes_of(reply, yes->json);
        json_t *document = json_loadb(json.data, json.size, 0, NULL);
        json_t *first = json_array_get(json_object_get(document, "messages"), 0);
        (void)!org_id_parse(json_string_value(json_object_get(first, "id")), &id);
        json_decref(document);
    }
    note(play, what, reply);
    return id;
}

static int about(struct play *play, const char *actor, enum org_command_kind command, desk_about_fields *more)
{
    char what[128];
    snprintf(what, sizeof what, "%s does %d", actor, (int)command);
    more->command = (uint32_t)command;
    more->text = "because";
    more->asking = ids_asking(&play->house.ids);
    return note(play, what, ask_desk(play, actor, &desk_about_type, more));
}

#define ABOUT(play, actor, command, ...)                                                                     \
    about((play), (actor), (command), &(desk_about_fields){.id = __VA_ARGS__})

static void look(struct play *play, const char *actor, const char *role)
{
    char what[128];
    snprintf(what, sizeof what, "%s looks at %s", actor, role);
    note(play, what,
         ask_desk(play, actor, &desk_inbox_type, &(desk_inbox_fields){.role = role, .limit = 100}));
}

/* --- the script ------------------------------------------------------------------------------- */

static void play_docs(struct play *play)
{
    uint64_t first = send(play, "ben", "docs", "one", &(struct letter){.key = "k"});
    send(play, "ben", "docs", "one", &(struct letter){.key = "k"});
    send(play, "ben", "docs", "other", &(struct letter){.key = "k"});
    send(play, "bot", "docs", "two", &(struct letter){0});
    send(play, "bot", "docs", "three", &(struct letter){.is_urgent = true});
    send(play, "bot", "docs", "four", &(struct letter){0});
    uint64_t urgent = next(play, "ann", "docs", 2);
    assert_int_equal(next(play, "ann", "", 2), first);
    next(play, "ann", "", 2);
    ABOUT(play, "ann", ORG_RENEW, urgent);
    ABOUT(play, "ann", ORG_FINISH, urgent, .and_next = true, .wip_limit = 2);
    ABOUT(play, "ann", ORG_DECLINE, first);
    ABOUT(play, "ann", ORG_DECLINE, first);
    uint64_t four = next(play, "ann", "", 2);
    ABOUT(play, "ann", ORG_FORWARD, four, .to = "build");
    look(play, "ann", "docs");
}

static void play_build(struct play *play)
{
    uint64_t id = next(play, "bot", "build", 3);
    ABOUT(play, "bot", ORG_DEFER, id, .until = house_now(&play->house) + 30 * MINUTE_MS);
    next(play, "bot", "build", 3);
    troupe_sim_advance(play->house.system, 31 * MINUTE_MS);
    id = next(play, "bot", "build", 3);
    ABOUT(play, "bot", ORG_FAIL, id, .is_crash = true);
    troupe_sim_advance(play->house.system, 60 * MINUTE_MS);
    id = next(play, "bot", "build", 3);
    troupe_sim_advance(play->house.system, 11 * MINUTE_MS); /* its lease ends */
    id = next(play, "bot", "build", 3);
    ABOUT(play, "bot", ORG_FAIL, id, .is_crash = false);
    uint64_t escalation = next(play, "root", "all", 1);
    ABOUT(play, "root", ORG_RESOLVE, escalation, .action = ORG_ACTION_RETRY);
    id = next(play, "bot", "build", 3);
    ABOUT(play, "bot", ORG_FINISH, id);
    look(play, "bot", "@bot");
}

static void play_tiny(struct play *play)
{
    send(play, "ann", "tiny", "soon", &(struct letter){.in_ms = 10 * MINUTE_MS});
    send(play, "ann", "tiny", "more", &(struct letter){0});
    troupe_sim_advance(play->house.system, 11 * MINUTE_MS); /* it expires */
    send(play, "ann", "tiny", "more", &(struct letter){0});
    next(play, "ben", "tiny", 1);
    look(play, "ann", "@ann");
    look(play, "ben", "@ben");
}

/*
 * Plays the whole, with a failure at that step of roles or of desks; 0: without. Gives how many there were.
 */
static uint64_t play_all(struct play *play, uint64_t fail_at, bool is_of_desks)
{
    char *transcript = play->transcript;
    memset(play, 0, sizeof *play);
    play->transcript = transcript;
    house_open(&play->house, 1);
    house_import(&play->house, organisation);
    house_desk(&play->house, "ann");
    struct faults *faults = is_of_desks ? &play->desk_faults : &play->faults;
    faults->fail_at = fail_at;
    play->house.ids.faults = &play->faults;
    play->house.ids.desk_faults = &play->desk_faults;
    troupe_sim_advance(play->house.system, 2 * ROLE_IDLE_MS); /* all sleep; who wakes from now on may fail */
    play_docs(play);
    play_build(play);
    play_tiny(play);
    note(play, "check",
         house_ask_fields(&play->house, house_actor(&play->house, NAME_DIRECTORY), &directory_check_type,
                          &(directory_check_fields){0}));
    uint64_t restarts = is_of_desks ? play->house.ids.desk_restarts : play->house.ids.role_restarts;
    uint64_t steps = faults->steps;
    assert_int_equal(play->faults.hits + play->desk_faults.hits, fail_at != 0);
    assert_int_equal(restarts, fail_at != 0);
    house_close(&play->house);
    return steps;
}

static void play_with_each_failure(bool is_of_desks)
{
    struct play clean = {.transcript = malloc(TRANSCRIPT_SIZE)};
    struct play hurt = {.transcript = malloc(TRANSCRIPT_SIZE)};
    uint64_t steps = play_all(&clean, 0, is_of_desks);
    if (getenv("TRANSCRIPT") != NULL)
        fputs(clean.transcript, stderr);
    assert_true(steps > 100);
    uint64_t wrong = 0;
    for (uint64_t step = 1; step <= steps; step++) {
        play_all(&hurt, step, is_of_desks);
        if (strcmp(clean.transcript, hurt.transcript) == 0)
            continue;
        wrong++;
        size_t at = 0;
        while (clean.transcript[at] == hurt.transcript[at])
            at++;
        while (at > 0 && clean.transcript[at - 1] != '\n')
            at--;
        print_message("step %d of %d:\n  %.*s\n  %.*s\n", (int)step, (int)steps,
                      (int)strcspn(clean.transcript + at, "\n"), clean.transcript + at,
                      (int)strcspn(hurt.transcript + at, "\n"), hurt.transcript + at);
    }
    assert_int_equal(wrong, 0);
    free(clean.transcript);
    free(hurt.transcript);
}

static void failure_at_any_step_is_invisible_but_for_a_counter(void **state)
{
    (void)state;
    play_with_each_failure(false);
}

static void failure_of_a_desk_at_any_step_is_invisible_but_for_a_counter(void **state)
{
    (void)state;
    play_with_each_failure(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_at_any_step_is_invisible_but_for_a_counter),
        cmocka_unit_test(failure_of_a_desk_at_any_step_is_invisible_but_for_a_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

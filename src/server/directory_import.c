/* SPDX-License-Identifier: MIT */
/*
 * directory_import.c: a whole organisation in one document: actors, roles, domains, and messages that wait in
 * its mailboxes. Part of the directory actor.
 *
 * The parts are decided in that order, each like the single call; at the first that is refused the import
 * ends, the problem says which one, and what came before it stays: the document, mended, can be sent again,
 * and what is there already is not there twice. Messages are sent when every role is set up, through the same
 * command as any other; their key is a hash of what they say, so that they too are there once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/directory_actor.h"
#include "server/directory_decode.h"
#include "server/json.h"
#include "server/json_writer.h"
#include "server/view.h"

#define PART_MAX 100000
#define SEND_TIMEOUT_MS 60000

/* --- what is decided -------------------------------------------------------------------------- */

typedef bool decode_part(const struct org_directory *directory, const json_t *value, const char *where,
                         struct decode_room *room, struct org_directory_command *ret_command,
                         struct problem *problem);

static bool an_actor(const struct org_directory *directory, const json_t *value, const char *where,
                     struct decode_room *room, struct org_directory_command *ret_command,
                     struct problem *problem)
{
    (void)room;
    return decode_actor(directory, value, where, ret_command, problem);
}

static bool a_role(const struct org_directory *directory, const json_t *value, const char *where,
                   struct decode_room *room, struct org_directory_command *ret_command,
                   struct problem *problem)
{
    (void)directory;
    return decode_role(value, where, room, ret_command, problem);
}

static bool a_domain(const struct org_directory *directory, const json_t *value, const char *where,
                     struct decode_room *room, struct org_directory_command *ret_command,
                     struct problem *problem)
{
    (void)directory;
    return decode_domain(value, where, room, ret_command, problem);
}

/* Decides each element of one array; false at the first that is wrong. */
static bool decide_part(troupe_self *self, struct directory_task *task, const struct org_who *who,
                        const json_t *array, const char *name, decode_part *decode)
{
    struct directory_actor *directory = task->directory;
    struct decode_room *room = malloc(sizeof *room);
    if (room == NULL)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
    for (size_t i = 0; task->problem.kind == PROBLEM_NONE && i < json_array_size(array); i++) {
        struct org_directory_command command = {.who = *who};
        struct org_directory_answer answer;
        char where[48];
        snprintf(where, sizeof where, "%s[%zu].", name, i);
        if (!decode(directory->org, json_array_get(array, i), where, room, &command, &task->problem) ||
            directory_decide(self, directory, &command, &answer, &task->problem))
            continue;
        struct problem refused = task->problem;
        problem_set(&task->problem, refused.kind, "%s[%zu]: %s", name, i, refused.detail);
    }
    free(room);
    return task->problem.kind == PROBLEM_NONE;
}

void directory_import_organisation(troupe_self *self, struct directory_actor *directory,
                                   struct directory_task *task, const struct org_who *who)
{
    (void)directory;
    const json_t *actors = NULL;
    const json_t *roles = NULL;
    const json_t *domains = NULL;
    struct json_reader in = json_reader_of(task->document, "", &task->problem);
    json_take_array(&in, "actors", JSON_OPTIONAL, PART_MAX, &actors);
    json_take_array(&in, "roles", JSON_OPTIONAL, PART_MAX, &roles);
    json_take_array(&in, "domains", JSON_OPTIONAL, PART_MAX, &domains);
    json_take_array(&in, "messages", JSON_OPTIONAL, PART_MAX, &task->messages);
    if (!json_reader_end(&in) || !decide_part(self, task, who, actors, "actors", an_actor) ||
        !decide_part(self, task, who, roles, "roles", a_role) ||
        !decide_part(self, task, who, domains, "domains", a_domain))
        return;
    snprintf(task->actor, sizeof task->actor, "%s",
             who->via != NULL && who->via[0] != '\0' ? who->via : who->actor);
    struct json_writer out = json_writer_to(&task->json);
    json_open(&out, NULL, '{');
    json_put_number(&out, "actors", (int64_t)json_array_size(actors));
    json_put_number(&out, "roles", (int64_t)json_array_size(roles));
    json_put_number(&out, "domains", (int64_t)json_array_size(domains));
    json_put_number(&out, "messages", (int64_t)json_array_size(task->messages));
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

/* --- messages --------------------------------------------------------------------------------- */

/* What a message says, as its key. */
static void make_key(char ret_key[ORG_KEY_LEN_MAX + 1], const char *const *texts, size_t count)
{
    unsigned char hash[16];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < count; i++) /* with its NUL, so that no two lists run into the same bytes */
        crypto_generichash_update(&state, (const unsigned char *)texts[i], strlen(texts[i]) + 1);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(ret_key, "import/", 7);
    sodium_bin2hex(ret_key + 7, ORG_KEY_LEN_MAX + 1 - 7, hash, sizeof hash);
}

static troupe_status on_sent(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    (void)self;
    struct directory_task *task = context;
    task->messages_out--;
    if (task->problem.kind != PROBLEM_NONE)
        return TROUPE_OK;
    if (status != TROUPE_OK)
        problem_from_status(&task->problem, status, "a role");
    else if (answered_of(reply) == NULL)
        problem_from_message(&task->problem, reply, "a role");
    return TROUPE_OK;
}

/* Sends one message of the document. */
static void send_one(troupe_self *self, struct directory_task *task, size_t index)
{
    struct directory_actor *directory = task->directory;
    const char *from = NULL;
    const char *to = NULL;
    const char *subject = NULL;
    const char *body = "";
    unsigned message_class = ORG_NORMAL;
    char where[48];
    snprintf(where, sizeof where, "messages[%zu].", index);
    struct json_reader in = json_reader_of(json_array_get(task->messages, index), where, &task->problem);
    json_take_text(&in, "from", JSON_REQUIRED, 1, ORG_ACTOR_NAME_LEN_MAX, &from);
    json_take_text(&in, "to", JSON_REQUIRED, 1, ORG_NAME_LEN_MAX, &to);
    json_take_text(&in, "subject", JSON_REQUIRED, 1, ORG_SUBJECT_LEN_MAX, &subject);
    json_take_text(&in, "body", JSON_OPTIONAL, 0, MESSAGE_BODY_MAX, &body);
    json_take_choice(&in, "class", JSON_OPTIONAL, view_classes, ORG_CLASS_COUNT, &message_class);
    if (!json_reader_end(&in))
        return;
    struct org_actor_view sender;
    const struct directory_entry *role = directory_entry_find(directory, to);
    if (!org_directory_actor(directory->org, from, &sender) || role == NULL) {
        problem_set(&task->problem, PROBLEM_NOT_FOUND, "messages[%zu]: there is no %s %s", index,
                    role == NULL ? "role" : "actor", role == NULL ? to : from);
        return;
    }
    char key[ORG_KEY_LEN_MAX + 1];
    char personal[ORG_NAME_LEN_MAX + 1];
    make_key(key, (const char *const[]){from, to, subject, body}, 4);
    org_name_personal(from, personal);
    troupe_status status = troupe_ask(self, role->ref, SEND_TIMEOUT_MS, on_sent, task, role_send,
                                      .id = ids_next(directory->ids, troupe_unix_ms(self)), .actor = from,
                                      .via = strcmp(from, task->actor) != 0 ? task->actor : "",
                                      .sender = personal, .key = key, .subject = subject, .body = body,
                                      .message_class = (uint8_t)message_class, .is_person = true);
    if (status == TROUPE_OK)
        task->messages_out++;
    else
        problem_from_status(&task->problem, status, "a role");
}

bool directory_import_send(troupe_self *self, struct directory_task *task)
{
    size_t count = json_array_size(task->messages);
    while (task->problem.kind == PROBLEM_NONE && task->message_next < count &&
           task->messages_out < DIRECTORY_WINDOW)
        send_one(self, task, task->message_next++);
    bool is_over = task->problem.kind != PROBLEM_NONE || task->message_next == count;
    return is_over && task->messages_out == 0;
}

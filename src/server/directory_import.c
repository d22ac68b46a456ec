/* SPDX-License-Identifier: MIT */
/*
 * directory_import.c: a whole organisation in one document: actors, roles, domains, and messages that wait in
 * its mailboxes. Part of the directory actor.
 *
 * All of it or nothing. The parts are decided in that order, each like the single call, on a copy of the
 * organisation; then the messages are looked at. At the first element that is refused the copy is thrown
 * away and the problem says which one; else the copy takes the place of the organisation, and its records are
 * appended together. What is there already is not there twice.
 *
 * Messages are sent when every role is set up, through the same command as any other; their key is a hash of
 * what they say, so that they too are there once. They are insisted on, so that a full mailbox does not make
 * half an import of it: what could be refused then has been looked at before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "server/directory_actor.h"
#include "server/directory_decode.h"
#include "server/json.h"
#include "server/members.h"
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
            directory_try(self, directory, &command, &answer, &task->problem))
            continue;
        struct problem refused = task->problem;
        problem_set(&task->problem, refused.kind, "%s[%zu]: %s", name, i, refused.detail);
    }
    free(room);
    return task->problem.kind == PROBLEM_NONE;
}

/* --- messages --------------------------------------------------------------------------------- */

/* One message of the document, whose texts lie there. */
struct import_message {
    const char *from;
    const char *to;
    const char *subject;
    const char *body;
    unsigned message_class;
};

static bool decode_message(const json_t *messages, size_t index, struct import_message *ret_message,
                           struct problem *problem)
{
    char where[48];
    snprintf(where, sizeof where, "messages[%zu].", index);
    *ret_message = (struct import_message){.body = "", .message_class = ORG_NORMAL};
    struct json_reader in = json_reader_of(json_array_get(messages, index), where, problem);
    member_take_actor(&in, "from", JSON_REQUIRED, &ret_message->from);
    member_take_role(&in, "to", JSON_REQUIRED, &ret_message->to);
    member_take_line(&in, "subject", JSON_REQUIRED, 1, ORG_SUBJECT_LEN_MAX, &ret_message->subject);
    member_take_lines(&in, "body", JSON_OPTIONAL, 0, MESSAGE_BODY_MAX, &ret_message->body);
    json_take_choice(&in, "class", JSON_OPTIONAL, view_classes, ORG_CLASS_COUNT, &ret_message->message_class);
    return json_reader_end(&in);
}

/* Whatever a role could refuse of a message that is insisted on. */
static bool check_message(const struct org_directory *org, const struct import_message *message, size_t index,
                          struct problem *problem)
{
    struct org_actor_view sender;
    struct org_configure configure;
    const char *holders[ORG_SUCCESSION_MAX];
    size_t subject_len = strlen(message->subject);
    size_t body_len = strlen(message->body);
    if (!org_directory_actor(org, message->from, &sender)) {
        problem_set(problem, PROBLEM_NOT_FOUND, "messages[%zu]: there is nobody called %s", index,
                    message->from);
        return false;
    }
    if (!org_directory_configure(org, message->to, holders, &configure)) {
        problem_set(problem, PROBLEM_NOT_FOUND, "messages[%zu]: there is no role %s", index, message->to);
        return false;
    }
    uint64_t bytes_max = configure.bytes_max != 0 ? configure.bytes_max : ORG_BYTES_DEFAULT;
    if (subject_len + body_len > bytes_max)
        problem_set(problem, PROBLEM_TOO_LARGE, "messages[%zu]: it has %zu bytes; %s takes %llu", index,
                    subject_len + body_len, message->to, (unsigned long long)bytes_max);
    return problem->kind == PROBLEM_NONE;
}

static bool check_messages(const struct directory_task *task, struct problem *problem)
{
    struct import_message message;
    for (size_t i = 0; i < json_array_size(task->messages); i++) {
        if (!decode_message(task->messages, i, &message, problem) ||
            !check_message(task->directory->org, &message, i, problem))
            return false;
    }
    return true;
}

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

/* Sends one message of the document, which has been looked at. */
static void send_one(troupe_self *self, struct directory_task *task, size_t index)
{
    struct directory_actor *directory = task->directory;
    struct import_message message;
    char key[ORG_KEY_LEN_MAX + 1];
    char personal[ORG_NAME_LEN_MAX + 1];
    if (!decode_message(task->messages, index, &message, &task->problem))
        return;
    make_key(key, (const char *const[]){message.from, message.to, message.subject, message.body}, 4);
    org_name_personal(message.from, personal);
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, message.to), SEND_TIMEOUT_MS, on_sent, task, role_send,
                   .id = ids_next(directory->ids, troupe_unix_ms(self)), .actor = message.from,
                   .via = strcmp(message.from, task->actor) != 0 ? task->actor : "", .sender = personal,
                   .key = key, .subject = message.subject, .body = message.body,
                   .message_class = (uint8_t)message.message_class, .is_person = true, .is_insisted = true);
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

/* --- the whole -------------------------------------------------------------------------------- */

static void write_counts(struct directory_task *task, const json_t *const *parts)
{
    struct json_writer out = json_writer_to(&task->json);
    json_open(&out, NULL, '{');
    json_put_number(&out, "actors", (int64_t)json_array_size(parts[0]));
    json_put_number(&out, "roles", (int64_t)json_array_size(parts[1]));
    json_put_number(&out, "domains", (int64_t)json_array_size(parts[2]));
    json_put_number(&out, "messages", (int64_t)json_array_size(task->messages));
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

/* Roles that are to get a message are awake when the task is settled: each is set up as it is, once more. */
static troupe_status wake_receivers(troupe_self *self, struct directory_task *task)
{
    troupe_status status = TROUPE_OK;
    for (size_t i = 0; i < json_array_size(task->messages) && status == TROUPE_OK; i++) {
        const char *to = json_string_value(json_object_get(json_array_get(task->messages, i), "to"));
        status = directory_role_changed(self, task->directory, to);
    }
    return status;
}

/* Decides all parts on a copy, which is the organisation when nothing was refused. */
static bool decide_whole(troupe_self *self, struct directory_task *task, const struct org_who *who,
                         const json_t *const *parts)
{
    struct directory_actor *directory = task->directory;
    struct org_directory *before = directory->org;
    uint32_t count = directory->batch.count;
    size_t size = directory->batch.bytes.size;
    if (org_directory_clone(before, &directory->org) != TROUPE_OK) {
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
        return false;
    }
    bool is_good = decide_part(self, task, who, parts[0], "actors", an_actor) &&
                   decide_part(self, task, who, parts[1], "roles", a_role) &&
                   decide_part(self, task, who, parts[2], "domains", a_domain) &&
                   check_messages(task, &task->problem);
    if (is_good) {
        org_directory_free(before);
    } else {
        record_batch_truncate(&directory->batch, count, size);
        org_directory_free(directory->org);
        directory->org = before;
    }
    return is_good;
}

void directory_import_organisation(troupe_self *self, struct directory_actor *directory,
                                   struct directory_task *task, const struct org_who *who)
{
    const json_t *parts[3] = {NULL, NULL, NULL};
    size_t from = directory->batch.bytes.size;
    struct json_reader in = json_reader_of(task->document, "", &task->problem);
    json_take_array(&in, "actors", JSON_OPTIONAL, PART_MAX, &parts[0]);
    json_take_array(&in, "roles", JSON_OPTIONAL, PART_MAX, &parts[1]);
    json_take_array(&in, "domains", JSON_OPTIONAL, PART_MAX, &parts[2]);
    json_take_array(&in, "messages", JSON_OPTIONAL, PART_MAX, &task->messages);
    if (!json_reader_end(&in) || !decide_whole(self, task, who, parts))
        return;
    snprintf(task->actor, sizeof task->actor, "%s",
             who->via != NULL && who->via[0] != '\0' ? who->via : who->actor);
    troupe_status status = directory_follow(self, directory, from);
    if (status == TROUPE_OK)
        status = wake_receivers(self, task);
    if (status == TROUPE_OK)
        write_counts(task, parts);
    else
        problem_from_status(&task->problem, status, "the directory");
}

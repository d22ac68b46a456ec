/* SPDX-License-Identifier: MIT */
/*
 * directory_change.c: an administrator's change, from the bytes that were sent to the organisation's
 * decision. Part of the directory actor. What is decided is answered when it is on the disk and every role
 * that it concerns is set up (directory_actor.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "journal/journal.h"
#include "org/directory_events.h"
#include "org/maintainers.h"
#include "server/directory_actor.h"
#include "server/directory_decode.h"
#include "server/json.h"
#include "server/json_writer.h"
#include "server/token.h"

/* The team that an import makes when it is not told. */
#define TEAM_DEFAULT "maintainers"

/* --- deciding --------------------------------------------------------------------------------- */

static enum problem_kind kind_of(enum org_directory_refusal refusal)
{
    switch (refusal) {
    case ORG_DIRECTORY_FORBIDDEN:
    case ORG_DIRECTORY_NOT_OWNER:
        return PROBLEM_FORBIDDEN;
    case ORG_DIRECTORY_BAD_NAME:
    case ORG_DIRECTORY_BAD_TEXT:
    case ORG_DIRECTORY_BAD_VALUE:
    case ORG_DIRECTORY_BAD_PATTERN:
    case ORG_DIRECTORY_BAD_RULES:
    case ORG_DIRECTORY_HOLDER_TWICE:
    case ORG_DIRECTORY_PROBLEMS:
        return PROBLEM_MALFORMED;
    case ORG_DIRECTORY_NO_ACTOR:
    case ORG_DIRECTORY_NO_ROLE:
    case ORG_DIRECTORY_NO_DOMAIN:
    case ORG_DIRECTORY_NO_TOKEN:
        return PROBLEM_NOT_FOUND;
    case ORG_DIRECTORY_TOO_MANY:
        return PROBLEM_TOO_LARGE;
    case ORG_DIRECTORY_NOT_REFUSED:
    case ORG_DIRECTORY_NO_ROOT:
    case ORG_DIRECTORY_CYCLE:
    case ORG_DIRECTORY_DEPTH:
    case ORG_DIRECTORY_OWNED:
    case ORG_DIRECTORY_MAIL_TAKEN:
    case ORG_DIRECTORY_TOKEN_TAKEN:
    case ORG_DIRECTORY_TAKEN:
    case ORG_DIRECTORY_LAST_ADMINISTRATOR:
        break;
    }
    return PROBLEM_CONFLICT;
}

static void state_refusal(const struct org_directory_answer *answer, struct problem *problem)
{
    const char *text = org_directory_refusal_text(answer->refusal);
    const char *subject = answer->subject != NULL ? answer->subject : "";
    const char *reason = answer->reason != NULL ? answer->reason : "";
    problem_set(problem, kind_of(answer->refusal), "%s%s%s%s%s", text, subject[0] != '\0' ? ": " : "",
                subject, reason[0] != '\0' ? ": " : "", reason);
}

/* Once there is a root, it supervises every personal role that has no team. */
static troupe_status root_changed(troupe_self *self, struct directory_actor *directory)
{
    struct org_actor_view actor;
    troupe_status status = TROUPE_OK;
    for (size_t i = 0; status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor); i++)
        status = directory_roles_of_actor_changed(self, directory, actor.name);
    return status;
}

/* A supervisor has other rules: they are those of its children from here on, once the records are read. */
static void note_new_rules(struct directory_actor *directory, const char *supervisor)
{
    struct directory_entry *entry = directory_entry_find(directory, supervisor);
    if (entry != NULL)
        entry->has_new_rules = directory->has_new_rules = true;
}

static bool has_new_rules(const struct directory_actor *directory, const char *supervisor)
{
    const struct directory_entry *entry = directory_entry_find(directory, supervisor);
    return entry != NULL && entry->has_new_rules;
}

/* One walk over everybody, however many supervisors have other rules. */
static troupe_status rules_changed(troupe_self *self, struct directory_actor *directory)
{
    struct org_directory_role role;
    struct org_actor_view actor;
    troupe_status status = TROUPE_OK;
    const char *name = NULL;
    while (status == TROUPE_OK && (name = org_directory_next_role(directory->org, name)) != NULL) {
        if (org_directory_role(directory->org, name, &role) && has_new_rules(directory, role.supervisor))
            status = directory_role_changed(self, directory, name);
    }
    for (size_t i = 0; status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor); i++) {
        char personal[ORG_NAME_LEN_MAX + 1];
        org_name_personal(actor.name, personal);
        if (has_new_rules(directory, actor.team))
            status = directory_role_changed(self, directory, personal);
    }
    for (size_t i = 0; i < directory->entry_count; i++)
        directory->entries[i]->has_new_rules = false;
    directory->has_new_rules = false;
    return status;
}

/* Whatever the records of the batch say from `from` on has to reach the roles. */
troupe_status directory_follow(troupe_self *self, struct directory_actor *directory, size_t from)
{
    struct record_cursor cursor = record_cursor_of(&directory->batch);
    struct record record;
    troupe_status status = TROUPE_OK;
    cursor.offset = from;
    while (status == TROUPE_OK && record_next(&cursor, &record) == TROUPE_OK) {
        if (record.type == org_actor_set_type.id) {
            const org_actor_set *set = record.body;
            status = directory_roles_of_actor_changed(self, directory, troupe_flat_text(set, set->name));
        } else if (record.type == org_calendar_set_type.id) {
            const org_calendar_set *set = record.body;
            status = directory_calendar_changed(self, directory, troupe_flat_text(set, set->actor));
        } else if (record.type == org_absences_imported_type.id) {
            const org_absences_imported *set = record.body;
            status = directory_calendar_changed(self, directory, troupe_flat_text(set, set->actor));
        } else if (record.type == org_notices_set_type.id) {
            const org_notices_set *set = record.body;
            status = directory_notices_changed(self, directory, troupe_flat_text(set, set->actor));
        } else if (record.type == org_role_set_type.id) {
            const org_role_set *set = record.body;
            status = directory_role_changed(self, directory, troupe_flat_text(set, set->name));
            if (status == TROUPE_OK && set->parent.size == 0)
                status = root_changed(self, directory);
        } else if (record.type == org_role_ruled_type.id) {
            const org_role_ruled *ruled = record.body;
            status = directory_role_changed(self, directory, troupe_flat_text(ruled, ruled->name));
        } else if (record.type == org_failure_rules_set_type.id) {
            const org_failure_rules_set *set = record.body;
            note_new_rules(directory, troupe_flat_text(set, set->name));
        }
    }
    if (status == TROUPE_OK && directory->has_new_rules)
        status = rules_changed(self, directory);
    directory->version++;
    return status;
}

bool directory_try(troupe_self *self, struct directory_actor *directory,
                   const struct org_directory_command *command, struct org_directory_answer *ret_answer,
                   struct problem *problem)
{
    uint32_t count = directory->batch.count;
    size_t from = directory->batch.bytes.size;
    troupe_status status =
        org_directory_decide(directory->org, command, troupe_unix_ms(self), &directory->batch, ret_answer);
    if (status != TROUPE_OK) {
        problem_set(problem,
                    status == TROUPE_TOO_LARGE || status == TROUPE_LIMIT ? PROBLEM_TOO_LARGE
                                                                         : PROBLEM_UNAVAILABLE,
                    "%s", troupe_status_text(status));
        return false;
    }
    if (ret_answer->is_refused) {
        state_refusal(ret_answer, problem);
        return false;
    }
    if (directory->batch.bytes.size > JOURNAL_APPEND_SIZE_MAX) { /* only an import is so large */
        record_batch_truncate(&directory->batch, count, from);
        problem_set(problem, PROBLEM_TOO_LARGE,
                    "the changes up to here are more than %zu MiB of events, the most at once",
                    JOURNAL_APPEND_SIZE_MAX >> 20);
        return false;
    }
    org_directory_fold_batch(directory->org, &directory->batch, from);
    return true;
}

bool directory_decide(troupe_self *self, struct directory_actor *directory,
                      const struct org_directory_command *command, struct org_directory_answer *ret_answer,
                      struct problem *problem)
{
    size_t from = directory->batch.bytes.size;
    if (!directory_try(self, directory, command, ret_answer, problem))
        return false;
    troupe_status status = directory_follow(self, directory, from);
    if (status == TROUPE_OK)
        return true;
    problem_from_status(problem, status,
                        "the directory"); /* and the directory ends, which directory_follow has seen to */
    return false;
}

/* --- one change ------------------------------------------------------------------------------- */

static void write_name(struct directory_task *task, const char *member, const char *name)
{
    struct json_writer out = json_writer_to(&task->json);
    json_open(&out, NULL, '{');
    json_put_text(&out, member, name);
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

static void change_one(troupe_self *self, struct directory_task *task, enum directory_change_kind kind,
                       const struct org_who *who)
{
    struct directory_actor *directory = task->directory;
    struct org_directory_command command = {.who = *who};
    struct decode_room room;
    struct org_directory_answer answer;
    bool is_there = false;
    const char *name = NULL;
    if (kind == CHANGE_ACTOR && decode_actor(directory->org, task->document, "", &command, &task->problem)) {
        name = command.actor.name;
        struct org_actor_view view;
        is_there = org_directory_actor(directory->org, name, &view);
    } else if (kind == CHANGE_ROLE && decode_role(task->document, "", &room, &command, &task->problem)) {
        name = command.role.name;
        struct org_directory_role view;
        is_there = org_directory_role(directory->org, name, &view);
    } else if (kind == CHANGE_DOMAIN && decode_domain(task->document, "", &room, &command, &task->problem)) {
        name = command.claim.name;
        struct org_domain_view view;
        is_there = org_directory_domain(directory->org, name, &view);
    }
    if (task->problem.kind == PROBLEM_NONE &&
        directory_decide(self, directory, &command, &answer, &task->problem)) {
        task->status = is_there ? 200 : 201;
        write_name(task, "name", name);
    }
}

/* Whether a time that was said is not past already; 0: it was not said. */
static bool lies_ahead(troupe_self *self, struct directory_task *task, const char *name, int64_t time_ms)
{
    if (time_ms == 0 || time_ms > troupe_unix_ms(self))
        return true;
    problem_set(&task->problem, PROBLEM_MALFORMED, "\"%s\" must lie ahead", name);
    return false;
}

/* Whoever goes away is asked for a note for each of its roles. */
static void write_hand_over(struct directory_task *task, const char *name)
{
    struct json_writer out = json_writer_to(&task->json);
    const char *role;
    json_open(&out, NULL, '{');
    json_put_text(&out, "name", name);
    json_open(&out, "hand_over", '[');
    for (size_t i = 0; (role = org_directory_held(task->directory->org, name, i)) != NULL; i++)
        json_put_text(&out, NULL, role);
    json_close(&out, ']');
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

/* What is changed of something that is there: answered with its name. */
static void change_existing(troupe_self *self, struct directory_task *task, enum directory_change_kind kind,
                            const struct org_who *who)
{
    struct org_directory_command command = {.who = *who};
    struct decode_room room;
    struct org_directory_answer answer;
    const char *name = NULL;
    const char *own = who->actor;
    if (kind == CHANGE_HOLDERS && decode_holders(task->document, &room, &command, &task->problem))
        name = command.holders.role;
    else if (kind == CHANGE_ROLE_AGAIN &&
             decode_role_again(task->directory->org, task->document, &room, &command, &task->problem))
        name = command.role.name;
    else if (kind == CHANGE_TRANSFER && decode_transfer(task->document, &command, &task->problem))
        name = command.transfer.name;
    else if (kind == CHANGE_PRESENCE && decode_presence(task->document, own, &room, &command, &task->problem))
        name = command.presence.actor;
    else if (kind == CHANGE_CALENDAR && decode_calendar(task->document, own, &room, &command, &task->problem))
        name = command.calendar.actor;
    else if (kind == CHANGE_NOTICES && decode_notices(task->document, own, &command, &task->problem))
        name = command.notices.actor;
    else if (kind == CHANGE_LEAVE && decode_leave(task->document, &command, &task->problem))
        name = command.presence.actor;
    if (kind == CHANGE_PRESENCE && task->problem.kind == PROBLEM_NONE)
        (void)lies_ahead(self, task, "until", command.presence.until);
    if (task->problem.kind != PROBLEM_NONE ||
        !directory_decide(self, task->directory, &command, &answer, &task->problem))
        return;
    if (kind == CHANGE_PRESENCE && !command.presence.is_present)
        write_hand_over(task, name);
    else
        write_name(task, "name", name);
}

static void revoke(troupe_self *self, struct directory_task *task, const struct org_who *who)
{
    struct org_directory_command command = {.kind = ORG_REVOKE_TOKEN, .who = *who};
    struct org_directory_answer answer;
    const char *token = NULL;
    if (!decode_revoke(task->document, &token, &task->problem))
        return;
    token_hash(token, strlen(token), command.token.hash);
    if (directory_decide(self, task->directory, &command, &answer, &task->problem))
        write_name(task, "revoked", who->actor);
}

static void change_token(troupe_self *self, struct directory_task *task, unsigned scopes,
                         const struct org_who *who)
{
    struct decode_room room;
    char token[TOKEN_TEXT_SIZE];
    struct org_directory_command command = {.who = *who};
    struct org_directory_answer answer;
    if (!decode_token(task->document, scopes, &room, &command, &task->problem) ||
        !lies_ahead(self, task, "expires_at", command.token.expires_at))
        return;
    token_make(token);
    token_hash(token, TOKEN_TEXT_LEN, command.token.hash);
    if (directory_decide(self, task->directory, &command, &answer, &task->problem)) {
        task->status = 201;
        write_name(task, "token", token);
    }
    sodium_memzero(token, sizeof token);
}

static void put_counts(struct directory_task *task, const struct org_import_counts *counts)
{
    struct json_writer out = json_writer_to(&task->json);
    json_open(&out, NULL, '{');
    json_put_number(&out, "domains", (int64_t)counts->domains);
    json_put_number(&out, "roles", (int64_t)counts->roles);
    json_put_number(&out, "people", (int64_t)counts->people);
    json_put_number(&out, "vacant", (int64_t)counts->vacant);
    json_put_number(&out, "patterns", (int64_t)counts->patterns);
    json_put_number(&out, "actors_made", (int64_t)counts->actors_made);
    json_put_number(&out, "roles_made", (int64_t)counts->roles_made);
    json_put_number(&out, "roles_changed", (int64_t)counts->roles_changed);
    json_put_number(&out, "domains_made", (int64_t)counts->domains_made);
    json_put_number(&out, "domains_changed", (int64_t)counts->domains_changed);
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

static void import_maintainers(troupe_self *self, struct directory_task *task, troupe_bytes file,
                               const char *team, const struct org_who *who)
{
    struct org_maintainers *maintainers = NULL;
    struct org_directory_answer answer;
    troupe_status status = org_maintainers_read(file.data, file.size, &maintainers);
    if (status != TROUPE_OK) {
        problem_set(&task->problem, status == TROUPE_TOO_LARGE ? PROBLEM_TOO_LARGE : PROBLEM_UNAVAILABLE,
                    "%s", troupe_status_text(status));
        return;
    }
    struct org_directory_command command = {
        .kind = ORG_IMPORT_MAINTAINERS,
        .who = *who,
        .import = {.maintainers = maintainers, .team = team[0] != '\0' ? team : TEAM_DEFAULT},
    };
    if (maintainers->problem_count > 0)
        problem_set(&task->problem, PROBLEM_MALFORMED, "line %u: %s (lines with problems: %zu)",
                    (unsigned)maintainers->problems[0].line, maintainers->problems[0].reason,
                    maintainers->problem_count + maintainers->problems_beyond);
    else if (maintainers->section_count == 0)
        problem_set(&task->problem, PROBLEM_MALFORMED, "the file has no sections");
    else if (directory_decide(self, task->directory, &command, &answer, &task->problem))
        put_counts(task, &answer.import);
    org_maintainers_free(maintainers);
}

troupe_status directory_begin_change(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_change *asked)
{
    struct directory_task *task = directory_task_new(self, directory, troupe_asker_of(message));
    if (task == NULL)
        return TROUPE_OK;
    const struct org_who who = {troupe_text(message, asked->actor), troupe_text(message, asked->via)};
    snprintf(directory->changer, sizeof directory->changer, "%s", who.actor);
    troupe_bytes body = troupe_bytes_of(message, asked->body);
    enum directory_change_kind kind = (enum directory_change_kind)asked->kind;
    if (kind != CHANGE_IMPORT_MAINTAINERS)
        task->document = json_parse(body.data, body.size, &task->problem);
    if (kind == CHANGE_IMPORT_MAINTAINERS)
        import_maintainers(self, task, body, troupe_text(message, asked->team), &who);
    else if (task->document != NULL && kind == CHANGE_IMPORT_ORGANISATION)
        directory_import_organisation(self, directory, task, &who);
    else if (task->document != NULL && kind == CHANGE_TOKEN)
        change_token(self, task, asked->scopes, &who);
    else if (task->document != NULL && kind == CHANGE_REVOKE)
        revoke(self, task, &who);
    else if (task->document != NULL && kind >= CHANGE_HOLDERS)
        change_existing(self, task, kind, &who);
    else if (task->document != NULL)
        change_one(self, task, kind, &who);
    task->seq = directory->seq + directory->batch.count;
    return TROUPE_OK;
}

/* --- the server's own user -------------------------------------------------------------------- */

/*
 * Any administrator: one who may make the server's user another. At the very first there is none, and it may
 * itself.
 */
static const char *some_administrator(const struct directory_actor *directory, const char *otherwise)
{
    struct org_actor_view actor;
    for (size_t i = 0; org_directory_actor_at(directory->org, i, &actor); i++) {
        if (actor.is_administrator)
            return actor.name;
    }
    return otherwise;
}

static void own(troupe_self *self, struct directory_task *task, const char *name, troupe_bytes hash)
{
    struct directory_actor *directory = task->directory;
    struct org_directory_answer answer;
    struct org_actor_view known = {.kind = ORG_PERSON};
    struct org_token_view token;
    if (org_directory_token(directory->org, hash.data, &token))
        return;
    bool is_known = org_directory_actor(directory->org, name, &known);
    struct org_directory_command command = {
        .kind = ORG_SET_ACTOR,
        .who = {.actor = some_administrator(directory, name)},
        .actor = {.name = name,
                  .display = is_known ? known.display : NULL,
                  .mail = is_known && known.mail[0] != '\0' ? known.mail : NULL,
                  .team = is_known ? decode_known_team(directory->org, &known) : NULL,
                  .kind = known.kind,
                  .wip_limit = known.wip_limit,
                  .is_administrator = true},
    };
    if (!directory_decide(self, directory, &command, &answer, &task->problem))
        return;
    command.kind = ORG_ADD_TOKEN;
    command.token = (struct org_token_command){.actor = name, .label = "the server's own user"};
    memcpy(command.token.hash, hash.data, sizeof command.token.hash);
    (void)directory_decide(self, directory, &command, &answer, &task->problem);
}

troupe_status directory_begin_own(troupe_self *self, struct directory_actor *directory,
                                  const troupe_message *message, const directory_own *asked)
{
    troupe_bytes hash = troupe_bytes_of(message, asked->hash);
    if (hash.size != ORG_TOKEN_HASH_SIZE)
        return TROUPE_UNEXPECTED;
    struct directory_task *task = directory_task_new(self, directory, troupe_asker_of(message));
    if (task == NULL)
        return TROUPE_OK;
    task->is_own = true;
    snprintf(directory->changer, sizeof directory->changer, "%s", troupe_text(message, asked->actor));
    own(self, task, troupe_text(message, asked->actor), hash);
    struct org_directory_counts counts = org_directory_counts(directory->org);
    task->is_empty = counts.roles == 0 && counts.actors <= 1;
    task->seq = directory->seq + directory->batch.count;
    return TROUPE_OK;
}

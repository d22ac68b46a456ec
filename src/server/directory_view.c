/* SPDX-License-Identifier: MIT */
/*
 * directory_view.c: what the directory tells: who a token belongs to, which roles somebody has, the tree, who
 * owns a path. Part of the directory actor; nothing here changes anything but the kept text of the tree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/directory_decode.h"
#include "server/json_writer.h"
#include "server/scope.h"
#include "server/token.h"
#include "server/zones.h"

_Static_assert(TOKEN_HASH_SIZE == ORG_TOKEN_HASH_SIZE, "a token's hash is what the organisation stores");

void directory_deny(troupe_self *self, troupe_asker asker, const struct problem *problem)
{
    desk_deny(self, asker, problem);
}

/* Ends a question with what was written, or with why it could not be. */
static troupe_status reply_written(troupe_self *self, troupe_asker asker, const struct json_writer *out,
                                   struct buffer *json)
{
    troupe_status status = json_writer_end(out);
    if (status == TROUPE_OK)
        status = troupe_reply(self, asker, answered, .status = 200, .json = {json->bytes, json->size});
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
    buffer_done(json);
    return TROUPE_OK;
}

/* --- who -------------------------------------------------------------------------------------- */

/* The owner of a good token, and its scopes. False: the problem says why there is none. */
static bool owner_of_token(troupe_self *self, const struct directory_actor *directory, troupe_bytes hash,
                           struct org_actor_view *ret_actor, unsigned *ret_scopes, struct problem *problem)
{
    struct org_token_view token = {.scopes = ""};
    if (hash.size != TOKEN_HASH_SIZE || !org_directory_token(directory->org, hash.data, &token) ||
        !org_directory_actor(directory->org, token.actor, ret_actor))
        problem_set(problem, PROBLEM_UNAUTHORIZED, "the token is not known");
    else if (token.is_revoked)
        problem_set(problem, PROBLEM_UNAUTHORIZED, "the token was revoked");
    else if (token.expires_at != 0 && token.expires_at <= troupe_unix_ms(self))
        problem_set(problem, PROBLEM_UNAUTHORIZED, "the token has expired");
    *ret_scopes = scope_of_words(token.scopes);
    return problem->kind == PROBLEM_NONE;
}

/* For whom it acts: itself or, if it is an administrator, anybody. */
static bool find_actor(const struct directory_actor *directory, const struct org_actor_view *owner,
                       unsigned scopes, const char *as, struct org_actor_view *ret_actor,
                       struct problem *problem)
{
    *ret_actor = *owner;
    if (as[0] == '\0' || strcmp(as, owner->name) == 0)
        return true;
    if (!owner->is_administrator)
        problem_set(problem, PROBLEM_FORBIDDEN, "only an administrator may act for somebody else");
    else if ((scopes & SCOPE_ADMIN) == 0)
        problem_set(problem, PROBLEM_FORBIDDEN,
                    "the token lacks the scope \"admin\", so it acts for nobody else");
    else if (!org_directory_actor(directory->org, as, ret_actor))
        problem_set(problem, PROBLEM_NOT_FOUND, "there is nobody called %s to act for", as);
    return problem->kind == PROBLEM_NONE;
}

troupe_status directory_answer_caller(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message, const caller_check *check)
{
    troupe_asker asker = troupe_asker_of(message);
    struct problem problem = {0};
    struct org_actor_view owner;
    struct org_actor_view actor;
    unsigned scopes;
    if (!owner_of_token(self, directory, troupe_bytes_of(message, check->hash), &owner, &scopes, &problem) ||
        !find_actor(directory, &owner, scopes, troupe_text(message, check->as), &actor, &problem)) {
        directory_deny(self, asker, &problem);
        return TROUPE_OK;
    }
    struct directory_caller caller = {
        .asker = asker, .scopes = scopes, .is_administrator = owner.is_administrator};
    if (strcmp(actor.name, owner.name) != 0)
        snprintf(caller.through, sizeof caller.through, "%s", owner.name);
    return directory_admit(self, directory, actor.name, &caller);
}

static const char *kind_text(enum org_holder_kind kind)
{
    return kind == ORG_PROGRAM ? "program" : "person";
}

static void put_actor(struct json_writer *out, const struct org_actor_view *actor, bool is_present)
{
    json_put_text(out, "kind", kind_text(actor->kind));
    json_put_text(out, "display", actor->display);
    json_put_flag(out, "administrator", actor->is_administrator);
    json_put_number(out, "wip_limit", actor->wip_limit);
    json_put_flag(out, "present", is_present);
}

/* Which notices an actor wants, and when the next digest would be, or the notice of something urgent now. */
static void put_notices(struct json_writer *out, const struct org_directory *org, const char *name,
                        int64_t now_ms)
{
    struct org_hours room;
    struct org_calendar_view calendar = {.zone = ""};
    struct org_notice_choice choice = org_directory_notices(org, name);
    (void)org_directory_calendar(org, name, &calendar);
    (void)zones_find(calendar.zone, &choice.zone);
    choice.hours = zones_hours(&room, calendar.zone, calendar.from_minute, calendar.to_minute, calendar.days);
    int64_t next_ms = org_notice_at(&choice, ORG_URGENT, now_ms);
    json_open(out, "notices", '{');
    json_put_text(out, "choice", decode_notice_words[choice.kind]);
    if (choice.kind == ORG_NOTICES_DIGEST) {
        char clock[8];
        snprintf(clock, sizeof clock, "%02u:%02u", choice.digest_minute / 60u % 24u,
                 choice.digest_minute % 60u);
        json_put_text(out, "at", clock);
    }
    if (next_ms != INT64_MAX && org_directory_is_present(org, name, next_ms))
        json_put_number(out, "next", next_ms);
    json_close(out, '}');
}

troupe_status directory_answer_who(troupe_self *self, struct directory_actor *directory,
                                   const troupe_message *message, const directory_who *who)
{
    struct org_actor_view actor;
    if (!org_directory_actor(directory->org, troupe_text(message, who->actor), &actor)) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NOT_FOUND);
        return TROUPE_OK;
    }
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    json_open(&out, NULL, '{');
    json_put_text(&out, "actor", actor.name);
    put_actor(&out, &actor, org_directory_is_present(directory->org, actor.name, troupe_unix_ms(self)));
    json_open(&out, "roles", '[');
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor.name, personal);
    const char *role;
    for (size_t i = 0; (role = org_directory_held(directory->org, actor.name, i)) != NULL; i++)
        json_put_text(&out, NULL, role);
    json_put_text(&out, NULL, personal);
    json_close(&out, ']');
    put_notices(&out, directory->org, actor.name, troupe_unix_ms(self));
    json_put_number(&out, "alarms", (int64_t)directory_alarms(directory));
    json_open(&out, "scopes", '[');
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if ((who->scopes & 1u << i) != 0)
            json_put_text(&out, NULL, scope_names[i]);
    }
    json_close(&out, ']');
    json_close(&out, '}');
    return reply_written(self, troupe_asker_of(message), &out, &json);
}

/* Adds a role's line, and whether it is quiet. */
static troupe_status list_role(const struct directory_actor *directory, const char *role,
                               struct buffer *lines, struct buffer *quiet)
{
    const struct directory_entry *entry = directory_entry_find(directory, role);
    bool is_quiet = entry != NULL && entry->is_asleep && entry->load.queued == 0 && entry->load.held == 0;
    troupe_status status = lines->size > 0 ? buffer_append(lines, "\n", 1) : TROUPE_OK;
    if (status == TROUPE_OK)
        status = buffer_append(lines, role, strlen(role));
    if (status == TROUPE_OK)
        status = buffer_append(quiet, is_quiet ? &(char){ROLE_QUIET} : &(char){ROLE_STIRRING}, 1);
    return status;
}

troupe_status directory_answer_roles_of(troupe_self *self, struct directory_actor *directory,
                                        const troupe_message *message, const roles_of *of)
{
    const char *actor = troupe_text(message, of->actor);
    struct org_calendar_view calendar = {.zone = ""};
    struct org_actor_view view;
    bool is_known = org_directory_actor(directory->org, actor, &view);
    struct buffer lines = {0};
    struct buffer quiet = {0};
    const char *role;
    (void)org_directory_calendar(directory->org, actor, &calendar);
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor, personal);
    troupe_status status = list_role(directory, personal, &lines, &quiet);
    for (size_t i = 0; status == TROUPE_OK && (role = org_directory_held(directory->org, actor, i)) != NULL;
         i++)
        status = list_role(directory, role, &lines, &quiet);
    if (status == TROUPE_OK)
        status = buffer_terminate(&lines);
    if (status == TROUPE_OK)
        status = buffer_terminate(&quiet);
    if (status == TROUPE_OK)
        status =
            troupe_reply(self, troupe_asker_of(message), roles_are, .roles = (const char *)lines.bytes,
                         .quiet = (const char *)quiet.bytes, .zone = calendar.zone,
                         .from_minute = calendar.from_minute, .to_minute = calendar.to_minute,
                         .days = calendar.days, .worker = is_known ? (uint8_t)(1 + view.kind) : (uint8_t)0);
    if (status != TROUPE_OK)
        troupe_refuse(self, troupe_asker_of(message), status);
    buffer_done(&lines);
    buffer_done(&quiet);
    return TROUPE_OK;
}

troupe_status directory_answer_rules(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const failure_rules *asked)
{
    const char *role = troupe_text(message, asked->role);
    return troupe_reply(self, troupe_asker_of(message), failure_rules_are,
                        .rules = org_directory_failure_rules(directory->org, role),
                        .own = (uint8_t)org_directory_own_failures(directory->org, role));
}

troupe_status directory_answer_actors(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message)
{
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    struct org_actor_view actor;
    json_open(&out, NULL, '{');
    json_open(&out, "actors", '[');
    for (size_t i = 0; org_directory_actor_at(directory->org, i, &actor); i++) {
        json_open(&out, NULL, '{');
        json_put_text(&out, "name", actor.name);
        put_actor(&out, &actor, org_directory_is_present(directory->org, actor.name, troupe_unix_ms(self)));
        json_close(&out, '}');
    }
    json_close(&out, ']');
    json_close(&out, '}');
    return reply_written(self, troupe_asker_of(message), &out, &json);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void put_or_null(struct json_writer *out, const char *name, const char *text)
{
    json_put_text(out, name, text[0] != '\0' ? text : NULL);
}

static void put_load(struct json_writer *out, const struct directory_entry *entry, int64_t now_ms)
{
    const role_load *load = &entry->load;
    json_put_number(out, "occupied", (int64_t)load->occupied);
    json_put_number(out, "queued", (int64_t)load->queued);
    json_put_number(out, "held", (int64_t)load->held);
    json_put_number(out, "parked", (int64_t)load->parked);
    json_put_number(out, "quarantined", (int64_t)load->quarantined);
    json_put_number(out, "done", (int64_t)load->done);
    if (load->oldest_at != 0)
        json_put_number(out, "oldest_ms", now_ms > load->oldest_at ? now_ms - load->oldest_at : 0);
}

static void put_role(struct json_writer *out, const struct directory_actor *directory, const char *name,
                     int64_t now_ms)
{
    struct org_directory_role role;
    const struct directory_entry *entry = directory_entry_find(directory, name);
    if (!org_directory_role(directory->org, name, &role) || entry == NULL)
        return;
    json_open(out, NULL, '{');
    json_put_text(out, "name", role.name);
    if (role.title[0] != '\0')
        json_put_text(out, "title", role.title);
    put_or_null(out, "parent", role.parent);
    put_or_null(out, "supervisor", role.supervisor);
    json_put_flag(out, "team", role.is_team);
    json_open(out, "holders", '[');
    for (size_t i = 0; i < role.holder_count; i++)
        json_put_text(out, NULL, org_directory_holder(directory->org, name, i));
    json_close(out, ']');
    put_or_null(out, "holder", entry->holder);
    json_put_flag(out, "vacant", role.holder_count == 0 && !role.is_team);
    json_put_number(out, "capacity", role.capacity);
    json_put_flag(out, "alarm", directory_has_alarm(directory, entry));
    put_load(out, entry, now_ms);
    if (entry->restarts > 0)
        json_put_number(out, "restarts", (int64_t)entry->restarts);
    if (entry->is_barred)
        json_put_text(out, "out_of_order", entry->reason);
    json_close(out, '}');
}

static void free_text(void *bytes, size_t size, void *context)
{
    (void)size;
    (void)context;
    free(bytes);
}

static troupe_status write_tree(const struct directory_actor *directory, int64_t now_ms,
                                troupe_blob **ret_json)
{
    const char *role = NULL;
    struct buffer text = {0};
    struct json_writer out = json_writer_to(&text);
    json_open(&out, NULL, '{');
    json_open(&out, "roles", '[');
    while ((role = org_directory_next_role(directory->org, role)) != NULL)
        put_role(&out, directory, role, now_ms);
    json_close(&out, ']');
    json_close(&out, '}');
    troupe_status status = json_writer_end(&out);
    if (status == TROUPE_OK)
        status = troupe_blob_adopt(text.bytes, text.size, free_text, NULL, ret_json);
    if (status != TROUPE_OK)
        buffer_done(&text);
    return status;
}

troupe_status directory_answer_tree(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message, const directory_tree *asked)
{
    /* Ages move on also when nothing else changes: a tag is good for a while, by the hour of the clock. */
    int64_t now_ms = troupe_unix_ms(self);
    char tag[64];
    snprintf(tag, sizeof tag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", directory->hash_key.words[0],
             directory->version, (uint64_t)(now_ms / TREE_TAG_MS));
    troupe_status status = TROUPE_OK;
    troupe_blob *json = NULL;
    bool is_same = strcmp(troupe_text(message, asked->tag), tag) == 0;
    if (!is_same)
        status = write_tree(directory, now_ms, &json);
    if (status == TROUPE_OK)
        status = troupe_reply(self, troupe_asker_of(message), directory_tree_is, .tag = tag,
                              .is_same = is_same, .json = json);
    if (status != TROUPE_OK)
        troupe_refuse(self, troupe_asker_of(message), status);
    troupe_blob_unref(&json);
    return TROUPE_OK;
}

/* --- owners ----------------------------------------------------------------------------------- */

static void put_owner(struct json_writer *out, const struct directory_actor *directory,
                      const struct org_owner *owner)
{
    static const char *const kinds[] = {"files", "name", "owners"};
    const struct directory_entry *entry = directory_entry_find(directory, owner->role.name);
    json_open(out, NULL, '{');
    json_put_text(out, "domain", owner->domain.name);
    if (owner->domain.title[0] != '\0')
        json_put_text(out, "title", owner->domain.title);
    json_put_text(out, "role", owner->role.name);
    put_or_null(out, "holder", entry != NULL ? entry->holder : "");
    json_open(out, "deputies", '[');
    for (size_t i = 1; i < owner->role.holder_count; i++)
        json_put_text(out, NULL, org_directory_holder(directory->org, owner->role.name, i));
    json_close(out, ']');
    json_put_text(out, "pattern", owner->pattern);
    json_put_text(out, "kind", kinds[owner->kind]);
    json_close(out, '}');
}

troupe_status directory_answer_owner(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_owner *asked)
{
    troupe_asker asker = troupe_asker_of(message);
    const char *path = troupe_text(message, asked->path);
    struct org_owners owners = {0};
    troupe_status status = org_directory_owners(directory->org, path, &owners);
    if (status == TROUPE_INVALID) {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_MALFORMED,
                    "\"path\" must be a relative path, without \".\" and \"..\"");
        directory_deny(self, asker, &problem);
    } else if (status != TROUPE_OK) {
        troupe_refuse(self, asker, status);
    } else {
        struct buffer json = {0};
        struct json_writer out = json_writer_to(&json);
        json_open(&out, NULL, '{');
        json_put_text(&out, "path", path);
        json_open(&out, "owners", '[');
        for (size_t i = 0; i < owners.count && (i == 0 || asked->all); i++)
            put_owner(&out, directory, &owners.items[i]);
        json_close(&out, ']');
        json_close(&out, '}');
        (void)reply_written(self, asker, &out, &json);
    }
    org_owners_done(&owners);
    return TROUPE_OK;
}

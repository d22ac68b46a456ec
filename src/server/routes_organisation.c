/* SPDX-License-Identifier: MIT */
/*
 * routes_organisation.c: asking the directory. The bodies of changes go there as they came: an import of
 * thousands of roles is then decoded by the actor that needs it, and not by the one that all others wait for.
 * Runs in the http actor.
 */
#include "server/routes_organisation.h"

#include <string.h>

#include "base/atomic.h"
#include "org/id.h"
#include "org/limits.h"
#include "org/name.h"
#include "server/desk.h"
#include "server/http.h"
#include "server/json.h"
#include "server/json_writer.h"
#include "server/messages.h"
#include "server/routes_members.h"

#define DIRECTORY_TIMEOUT_MS 30000
/* An import waits for thousands of roles to be set up. */
#define IMPORT_TIMEOUT_MS 300000

#define THE_DIRECTORY "the directory"

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    (void)self;
    call_end(context, status, reply, THE_DIRECTORY);
    return TROUPE_OK;
}

static void ask(troupe_self *self, struct call *call, uint32_t timeout_ms, troupe_reply_handler on_reply,
                const troupe_type *type, const void *fields)
{
    troupe_status status = troupe_ask_fields(self, troupe_whereis(self, NAME_DIRECTORY), timeout_ms, on_reply,
                                             call, type, fields);
    if (status != TROUPE_OK)
        call_end(call, status, NULL, THE_DIRECTORY);
}

/* --- looking ---------------------------------------------------------------------------------- */

void route_whoami(troupe_self *self, struct call *call)
{
    const struct caller *caller = &call->request->caller;
    directory_who_fields fields = {.actor = caller->actor, .scopes = caller->scopes};
    ask(self, call, DIRECTORY_TIMEOUT_MS, on_answer, &directory_who_type, &fields);
}

/* The tree carries a tag, so that a page that looks every few seconds costs nothing while nothing happens. */
static troupe_status on_tree(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    (void)self;
    struct call *call = context;
    const directory_tree_is *tree = status == TROUPE_OK ? directory_tree_is_of(reply) : NULL;
    if (tree == NULL) {
        call_end(call, status, reply, THE_DIRECTORY);
        return TROUPE_OK;
    }
    unsigned code = tree->is_same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    troupe_bytes json = troupe_blob_bytes_of(reply, tree->json);
    struct buffer body = {0};
    struct MHD_Response *response = NULL;
    if (tree->is_same || buffer_append(&body, json.data, json.size) == TROUPE_OK)
        response = request_json_response(&body, code, 0);
    if (response != NULL &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, troupe_text(reply, tree->tag)) != MHD_YES) {
        MHD_destroy_response(response);
        response = NULL;
    }
    call_respond(call, code, response);
    return TROUPE_OK;
}

void route_tree(troupe_self *self, struct call *call)
{
    directory_tree_fields fields = {.tag = call_known_tag(call)};
    ask(self, call, DIRECTORY_TIMEOUT_MS, on_tree, &directory_tree_type, &fields);
}

void route_owner(troupe_self *self, struct call *call)
{
    const char *path = call_argument(call, "path");
    const char *all = call_argument(call, "all");
    struct problem problem = {0};
    if (path == NULL || path[0] == '\0')
        problem_set(&problem, PROBLEM_MALFORMED, "\"path\" is missing");
    else if (strlen(path) > ORG_PATH_LEN_MAX)
        problem_set(&problem, PROBLEM_TOO_LARGE, "\"path\" has %zu bytes; %d are the most", strlen(path),
                    ORG_PATH_LEN_MAX);
    else if (all != NULL && strcmp(all, "0") != 0 && strcmp(all, "1") != 0)
        problem_set(&problem, PROBLEM_MALFORMED, "\"all\" must be 0 or 1");
    if (problem.kind != PROBLEM_NONE) {
        call_fail(call, &problem);
        return;
    }
    directory_owner_fields fields = {.path = path, .all = all != NULL && all[0] == '1'};
    ask(self, call, DIRECTORY_TIMEOUT_MS, on_answer, &directory_owner_type, &fields);
}

void route_actors(troupe_self *self, struct call *call)
{
    directory_actors_fields fields = {0};
    ask(self, call, DIRECTORY_TIMEOUT_MS, on_answer, &directory_actors_type, &fields);
}

void route_figures(troupe_self *self, struct call *call)
{
    const char *team;
    if (!argument_role(call, "team", &team))
        return;
    directory_figures_fields fields = {.actor = call->request->caller.actor, .team = team};
    ask(self, call, DIRECTORY_TIMEOUT_MS, on_answer, &directory_figures_type, &fields);
}

void route_check(troupe_self *self, struct call *call)
{
    directory_check_fields fields = {0};
    ask(self, call, IMPORT_TIMEOUT_MS, on_answer, &directory_check_type, &fields);
}

void route_organisation_health(troupe_self *self, struct call *call)
{
    directory_health_fields fields = {.actor = call->request->caller.actor};
    ask(self, call, IMPORT_TIMEOUT_MS, on_answer, &directory_health_type, &fields);
}

void route_health(troupe_self *self, struct call *call)
{
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    json_open(&out, NULL, '{');
    json_put_text(&out, "status", "ok");
    json_put_number(&out, "uptime_ms", (int64_t)(troupe_now_ns(self) / 1000000));
    const struct ids *ids = call->request->http->ids;
    json_put_number(&out, "role_restarts", (int64_t)load_relaxed(&ids->role_restarts));
    json_put_number(&out, "desk_restarts", (int64_t)load_relaxed(&ids->desk_restarts));
    json_put_number(&out, "roles_out_of_order", (int64_t)load_relaxed(&ids->roles_barred));
    json_close(&out, '}');
    call_answer_written(call, MHD_HTTP_OK, &out, &json);
}

/* --- changes ---------------------------------------------------------------------------------- */

static void change(troupe_self *self, struct call *call, enum directory_change_kind kind, const char *team)
{
    const struct caller *caller = &call->request->caller;
    const struct buffer *body = &call->request->body;
    directory_change_fields fields = {.kind = kind,
                                      .body = {body->bytes, body->size},
                                      .actor = caller->actor,
                                      .via = caller->through,
                                      .team = team,
                                      .scopes = caller->scopes};
    ask(self, call, IMPORT_TIMEOUT_MS, on_answer, &directory_change_type, &fields);
}

void route_new_actor(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_ACTOR, NULL);
}

void route_new_token(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_TOKEN, NULL);
}

void route_new_role(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_ROLE, NULL);
}

void route_new_domain(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_DOMAIN, NULL);
}

void route_holders(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_HOLDERS, NULL);
}

void route_role_again(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_ROLE_AGAIN, NULL);
}

void route_transfer(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_TRANSFER, NULL);
}

void route_revoke(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_REVOKE, NULL);
}

/* Whether a message is among those that are held. What is no id is for the directory to refuse. */
static bool is_held(const char *id_text, const json_t *held)
{
    uint64_t id;
    if (id_text == NULL || org_id_parse(id_text, &id) != TROUPE_OK)
        return true;
    for (size_t i = 0; i < json_array_size(held); i++) {
        uint64_t other;
        const char *text = json_string_value(json_object_get(json_array_get(held, i), "id"));
        if (text != NULL && org_id_parse(text, &other) == TROUPE_OK && other == id)
            return true;
    }
    return false;
}

/* The first of what is to be kept that is not held; the count when all are. */
static size_t first_not_held(const json_t *keeps, const json_t *held)
{
    size_t i = 0;
    while (i < json_array_size(keeps) && is_held(json_string_value(json_array_get(keeps, i)), held))
        i++;
    return i;
}

/* What is kept must be held: the caller's desk has said what is. */
static troupe_status on_held(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct call *call = context;
    const answered *yes = status == TROUPE_OK ? answered_of(reply) : NULL;
    if (yes == NULL) {
        if (problem_will_pass(status))
            call_again(self, call, status, "the mailbox");
        else
            call_end(call, status, reply, "the mailbox");
        return TROUPE_OK;
    }
    struct problem problem = {0};
    const json_t *keeps = json_object_get(call->body, "keeps");
    troupe_bytes json = troupe_bytes_of(reply, yes->json);
    json_t *inbox = json_parse(json.data, json.size, &problem);
    size_t place = inbox != NULL ? first_not_held(keeps, json_object_get(inbox, "held")) : 0;
    if (inbox != NULL && place < json_array_size(keeps))
        problem_set(&problem, PROBLEM_NOT_FOUND, "\"keeps[%zu]\": %s holds no message %.13s", place,
                    call->request->caller.actor, json_string_value(json_array_get(keeps, place)));
    json_decref(inbox);
    if (problem.kind != PROBLEM_NONE)
        call_fail(call, &problem);
    else
        change(self, call, CHANGE_PRESENCE, NULL);
    return TROUPE_OK;
}

void route_presence(troupe_self *self, struct call *call)
{
    size_t keeps = json_array_size(json_object_get(call->body, "keeps"));
    if (keeps == 0 || keeps > ORG_KEEPS_MAX) { /* which the directory refuses */
        change(self, call, CHANGE_PRESENCE, NULL);
        return;
    }
    char desk[DESK_NAME_SIZE];
    desk_name(call->request->caller.actor, desk);
    call->again = route_presence;
    troupe_status status = troupe_ask(self, troupe_whereis(self, desk), DIRECTORY_TIMEOUT_MS, on_held, call,
                                      desk_inbox, .limit = 0);
    if (status != TROUPE_OK)
        call_again(self, call, status, "the mailbox");
}

void route_calendar(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_CALENDAR, NULL);
}

void route_notices(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_NOTICES, NULL);
}

void route_leave(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_LEAVE, NULL);
}

void route_import_maintainers(troupe_self *self, struct call *call)
{
    const char *team = call_argument(call, "team");
    struct problem problem = {0};
    if (team == NULL || org_name_is_role(team)) {
        change(self, call, CHANGE_IMPORT_MAINTAINERS, team);
        return;
    }
    problem_set(&problem, PROBLEM_MALFORMED, "\"team\" must be the name of a role of the tree");
    call_fail(call, &problem);
}

void route_import_organisation(troupe_self *self, struct call *call)
{
    change(self, call, CHANGE_IMPORT_ORGANISATION, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * routes_role.c: asking one role. It may sleep: then the directory wakes it, or says that there is none of
 * that name, and it is asked again. Runs in the http actor; the only waiting is in continuations.
 */
#include "server/routes_role.h"

#include "org/role.h"
#include "server/http.h"
#include "server/messages.h"
#include "server/routes_message.h"
#include "server/routes_members.h"

#define ROLE_TIMEOUT_MS 30000
#define A_ROLE "the role"

/* What is asked of which role; the texts lie in the request. */
struct asking {
    const char *role;
    const troupe_type *type;
    union {
        role_read_fields read;
        role_describe_fields describe;
        role_about_fields about;
    };
};

_Static_assert(sizeof(struct asking) <= CALL_SCRATCH_SIZE, "a call has room for what a route keeps");

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct call *call = context;
    const struct asking *asking = (const struct asking *)(void *)call->scratch;
    const role_exists *exists = status == TROUPE_OK ? role_exists_of(reply) : NULL;
    const role_ended *ended = status == TROUPE_OK ? role_ended_of(reply) : NULL;
    if (ended != NULL)
        message_read_ended(self, call, asking->role, asking->read.id, ended);
    else if (exists != NULL && !exists->is_known) {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_NOT_FOUND, "there is no role %s", asking->role);
        call_fail(call, &problem);
    } else if (exists != NULL) {
        call_woken(self, call, true);
    } else if (problem_will_pass(status)) {
        call_again(self, call, TROUPE_NO_ACTOR, A_ROLE);
    } else {
        call_end(call, status, reply, A_ROLE);
    }
    return TROUPE_OK;
}

static void ask_now(troupe_self *self, struct call *call)
{
    const struct asking *asking = (const struct asking *)(void *)call->scratch;
    troupe_ref role = troupe_whereis(self, asking->role);
    troupe_status status;
    if (troupe_ref_is_none(role))
        status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), ROLE_TIMEOUT_MS, on_answer, call,
                            role_search, .role = asking->role);
    else
        status = troupe_ask_fields(self, role, ROLE_TIMEOUT_MS, on_answer, call, asking->type, &asking->read);
    if (status != TROUPE_OK)
        call_again(self, call, status, A_ROLE);
}

static void ask_role(troupe_self *self, struct call *call, const troupe_type *type)
{
    struct asking *asking = (struct asking *)(void *)call->scratch;
    asking->type = type;
    call->again = ask_now;
    ask_now(self, call);
}

static void argument_is_missing(struct call *call, const char *name)
{
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_MALFORMED, "\"%s\" is missing", name);
    call_fail(call, &problem);
}

/* --- looking ---------------------------------------------------------------------------------- */

void route_message(troupe_self *self, struct call *call)
{
    struct asking *asking = (struct asking *)(void *)call->scratch;
    struct problem problem = {0};
    const char *id = call_argument(call, "id");
    if (!argument_role(call, "role", &asking->role))
        return;
    if (asking->role == NULL || id == NULL) {
        argument_is_missing(call, asking->role == NULL ? "role" : "id");
    } else if (!member_parse_id("id", id, &asking->read.id, &problem)) {
        call_fail(call, &problem);
    } else {
        asking->read.actor = call->request->caller.actor;
        ask_role(self, call, &role_read_type);
    }
}

/* What only the directory knows of a role goes with the question to the role, which describes itself. */
static troupe_status on_rules(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct call *call = context;
    struct asking *asking = (struct asking *)(void *)call->scratch;
    const failure_rules_are *are = status == TROUPE_OK ? failure_rules_are_of(reply) : NULL;
    if (are == NULL) {
        if (problem_will_pass(status))
            call_again(self, call, status, A_ROLE);
        else
            call_end(call, status, reply, A_ROLE);
        return TROUPE_OK;
    }
    asking->describe.rules = troupe_text(reply, are->rules);
    asking->describe.own = are->own;
    ask_now(self, call);
    asking->describe.rules = NULL; /* it was the reply's */
    return TROUPE_OK;
}

static void describe_now(troupe_self *self, struct call *call)
{
    const struct asking *asking = (const struct asking *)(void *)call->scratch;
    troupe_status status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), ROLE_TIMEOUT_MS, on_rules,
                                      call, failure_rules, .role = asking->role);
    if (status != TROUPE_OK)
        call_again(self, call, status, A_ROLE);
}

void route_role(troupe_self *self, struct call *call)
{
    struct asking *asking = (struct asking *)(void *)call->scratch;
    const struct caller *caller = &call->request->caller;
    if (!argument_role(call, "name", &asking->role))
        return;
    if (asking->role == NULL) {
        argument_is_missing(call, "name");
        return;
    }
    asking->describe =
        (role_describe_fields){.actor = caller->actor, .is_administrator = caller->is_administrator};
    asking->type = &role_describe_type;
    call->again = describe_now;
    describe_now(self, call);
}

/* --- commands that name their role ------------------------------------------------------------ */

static void ask_about(troupe_self *self, struct call *call, struct json_reader *in,
                      enum org_command_kind command)
{
    struct asking *asking = (struct asking *)(void *)call->scratch;
    const struct caller *caller = &call->request->caller;
    if (!member_end(call, in))
        return;
    asking->about.command = command;
    asking->about.actor = caller->actor;
    asking->about.via = caller->through;
    asking->about.is_administrator = caller->is_administrator;
    ask_role(self, call, &role_about_type);
}

void route_hand_over(troupe_self *self, struct call *call)
{
    struct asking *asking = (struct asking *)(void *)call->scratch;
    struct problem problem = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_role(&in, "role", JSON_REQUIRED, &asking->role);
    member_take_lines(&in, "note", JSON_REQUIRED, 0, ORG_REASON_LEN_MAX, &asking->about.text);
    ask_about(self, call, &in, ORG_HAND_OVER);
}

void route_settle(troupe_self *self, struct call *call)
{
    static const char *const actions[] = {"retry", "reassign", "decline", "done"};
    static const enum org_action codes[] = {ORG_ACTION_RETRY, ORG_ACTION_REASSIGN, ORG_ACTION_DECLINE,
                                            ORG_ACTION_DONE};
    struct asking *asking = (struct asking *)(void *)call->scratch;
    struct problem problem = {0};
    unsigned action = 0;
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_role(&in, "role", JSON_REQUIRED, &asking->role);
    member_take_id(&in, "id", JSON_REQUIRED, &asking->about.id);
    json_take_choice(&in, "action", JSON_REQUIRED, actions, 4, &action);
    member_take_lines(&in, "reason", JSON_OPTIONAL, 0, ORG_REASON_LEN_MAX, &asking->about.text);
    asking->about.action = codes[action];
    ask_about(self, call, &in, ORG_SETTLE);
}

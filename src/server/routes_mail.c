/* SPDX-License-Identifier: MIT */
/*
 * routes_mail.c: decoding the members of each call about messages, and asking whoever carries it out. Runs in
 * the http actor; the only waiting is in continuations.
 *
 * A message that is sent gets its id here, so that sending can be tried again when a role was just being
 * started anew: the role knows the id, and takes the message in once.
 */
#include "server/routes_mail.h"

#include <stdlib.h>
#include <string.h>

#include "org/id.h"
#include "org/name.h"
#include "server/desk.h"
#include "server/http.h"
#include "server/json.h"
#include "server/messages.h"
#include "server/routes_members.h"
#include "server/view.h"

#define ROLE_TIMEOUT_MS 30000
/* A desk may try for some time; with a request for work its patience is added. */
#define DESK_TIMEOUT_MS 60000
#define INBOX_LIMIT_DEFAULT 100
#define INBOX_LIMIT_MAX 1000

#define A_ROLE "the role"
#define A_MAILBOX "the mailbox"

/* --- sending ---------------------------------------------------------------------------------- */

/* What is kept of a message while it is being sent; the texts lie in the request's document. */
struct sending {
    const char *to;
    role_send_fields fields;
    char sender[ORG_NAME_LEN_MAX + 1];
};

static troupe_status on_sent(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct call *call = context;
    if (problem_will_pass(status))
        call_again(self, call, status, A_ROLE);
    else
        call_end(call, status, reply, A_ROLE);
    return TROUPE_OK;
}

/* No actor has that name: is there no such role, or did it sleep? Then the directory has woken it. */
static troupe_status on_searched(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    struct call *call = context;
    const struct sending *sending = (const struct sending *)(void *)call->scratch;
    const role_exists *exists = status == TROUPE_OK ? role_exists_of(reply) : NULL;
    if (exists != NULL && !exists->is_known) {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_NOT_FOUND, "there is no role %s", sending->to);
        call_fail(call, &problem);
    } else {
        call_woken(self, call, exists != NULL);
    }
    return TROUPE_OK;
}

static void send_now(troupe_self *self, struct call *call)
{
    struct sending *sending = (struct sending *)(void *)call->scratch;
    troupe_ref role = troupe_whereis(self, sending->to);
    troupe_status status;
    if (troupe_ref_is_none(role))
        status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), ROLE_TIMEOUT_MS, on_searched, call,
                            role_search, .role = sending->to);
    else
        status =
            troupe_ask_fields(self, role, ROLE_TIMEOUT_MS, on_sent, call, &role_send_type, &sending->fields);
    if (status != TROUPE_OK)
        call_again(self, call, status, A_ROLE);
}

void route_send(troupe_self *self, struct call *call)
{
    _Static_assert(sizeof(struct sending) <= CALL_SCRATCH_SIZE, "a call has room for what a route keeps");
    struct sending *sending = (struct sending *)(void *)call->scratch;
    const struct caller *caller = &call->request->caller;
    role_send_fields *fields = &sending->fields;
    struct problem problem = {0};
    unsigned message_class = ORG_NORMAL;
    bool wants_reply = true;
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_role(&in, "to", JSON_REQUIRED, &sending->to);
    member_take_line(&in, "subject", JSON_REQUIRED, 1, ORG_SUBJECT_LEN_MAX, &fields->subject);
    member_take_lines(&in, "body", JSON_OPTIONAL, 0, MESSAGE_BODY_MAX, &fields->body);
    member_take_lines(&in, "attachments", JSON_OPTIONAL, 0, ORG_ATTACHMENTS_LEN_MAX, &fields->attachments);
    json_take_choice(&in, "class", JSON_OPTIONAL, view_classes, ORG_CLASS_COUNT, &message_class);
    member_take_time(&in, "deadline", JSON_OPTIONAL, &fields->deadline);
    member_take_id(&in, "in_reply_to", JSON_OPTIONAL, &fields->in_reply_to);
    member_take_id(&in, "thread", JSON_OPTIONAL, &fields->thread);
    member_take_line(&in, "key", JSON_OPTIONAL, 1, ORG_KEY_LEN_MAX, &fields->key);
    json_take_flag(&in, "insist", JSON_OPTIONAL, &fields->is_insisted);
    json_take_flag(&in, "reply", JSON_OPTIONAL, &wants_reply);
    if (!member_end(call, &in))
        return;
    if (fields->thread == 0)
        fields->thread = fields->in_reply_to;
    org_name_personal(caller->actor, sending->sender);
    fields->id = ids_next(call->request->http->ids, troupe_unix_ms(self));
    fields->actor = caller->actor;
    fields->via = caller->through;
    fields->sender = wants_reply ? sending->sender : NULL; /* nobody is told how it ends */
    fields->message_class = (uint8_t)message_class;
    fields->is_person = !caller->is_program;
    call->again = send_now;
    send_now(self, call);
}

/* --- the caller's desk ------------------------------------------------------------------------ */

/* What is asked of the desk; the texts lie in the request. */
struct errand {
    const troupe_type *type;
    union {
        desk_next_fields next;
        desk_about_fields about;
        desk_inbox_fields inbox;
    };
    uint32_t wait_ms;    /* for work */
    uint64_t started_ns; /* when it was first asked */
};

_Static_assert(sizeof(struct errand) <= CALL_SCRATCH_SIZE, "a call has room for what a route keeps");

/* A desk that was lost is started again, and asked again: the roles know what they have done already. */
static troupe_status on_desk(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    if (problem_will_pass(status))
        call_again(self, context, status, A_MAILBOX);
    else
        call_end(context, status, reply, A_MAILBOX);
    return TROUPE_OK;
}

static void ask_desk_now(troupe_self *self, struct call *call)
{
    struct errand *errand = (struct errand *)(void *)call->scratch;
    char name[DESK_NAME_SIZE];
    desk_name(call->request->caller.actor, name);
    if (errand->type == &desk_next_type) {
        uint64_t waited_ms = (troupe_now_ns(self) - errand->started_ns) / 1000000;
        errand->next.wait_ms = waited_ms < errand->wait_ms && !call->request->http->is_stopping
                                   ? errand->wait_ms - (uint32_t)waited_ms
                                   : 0;
    }
    troupe_status status =
        troupe_ask_fields(self, troupe_whereis(self, name), DESK_TIMEOUT_MS + errand->wait_ms, on_desk, call,
                          errand->type, &errand->next);
    if (status != TROUPE_OK)
        call_again(self, call, status, A_MAILBOX);
}

static void ask_desk(troupe_self *self, struct call *call, const troupe_type *type)
{
    struct errand *errand = (struct errand *)(void *)call->scratch;
    errand->type = type;
    errand->started_ns = troupe_now_ns(self);
    call->again = ask_desk_now;
    ask_desk_now(self, call);
}

void route_next(troupe_self *self, struct call *call)
{
    const struct caller *caller = &call->request->caller;
    struct problem problem = {0};
    const char *role = NULL;
    int64_t wait_ms = 0;
    bool is_end = false;
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_role(&in, "role", JSON_OPTIONAL, &role);
    json_take_number(&in, "wait_ms", JSON_OPTIONAL, 0, NEXT_WAIT_MAX_MS, &wait_ms);
    json_take_flag(&in, "end", JSON_OPTIONAL, &is_end);
    if (!member_end(call, &in))
        return;
    struct errand *errand = (struct errand *)(void *)call->scratch;
    errand->wait_ms = (uint32_t)wait_ms;
    errand->next = (desk_next_fields){.via = caller->through,
                                      .role = role,
                                      .asking = ids_asking(call->request->http->ids),
                                      .wip_limit = caller->wip_limit,
                                      .is_end = is_end};
    ask_desk(self, call, &desk_next_type);
}

/*
 * What the calls about one message have in common: its id first, since when it is held, the caller, the
 * command.
 */
static void ask_about(troupe_self *self, struct call *call, struct json_reader *in, desk_about_fields *fields,
                      enum org_command_kind command)
{
    member_take_id(in, "id", JSON_REQUIRED, &fields->id);
    member_take_time(in, "held_since", JSON_OPTIONAL, &fields->held_since);
    if (!member_end(call, in))
        return;
    fields->command = command;
    fields->via = call->request->caller.through;
    fields->wip_limit = call->request->caller.wip_limit;
    fields->asking = fields->and_next ? ids_asking(call->request->http->ids) : 0;
    ((struct errand *)(void *)call->scratch)->about = *fields;
    ask_desk(self, call, &desk_about_type);
}

void route_done(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_lines(&in, "reply", JSON_OPTIONAL, 0, MESSAGE_BODY_MAX, &fields.text);
    json_take_flag(&in, "next", JSON_OPTIONAL, &fields.and_next);
    ask_about(self, call, &in, &fields, ORG_FINISH);
}

void route_decline(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_lines(&in, "reason", JSON_REQUIRED, 1, ORG_REASON_LEN_MAX, &fields.text);
    ask_about(self, call, &in, &fields, ORG_DECLINE);
}

void route_forward(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_role(&in, "to", JSON_REQUIRED, &fields.to);
    member_take_lines(&in, "note", JSON_OPTIONAL, 0, ORG_REASON_LEN_MAX, &fields.text);
    ask_about(self, call, &in, &fields, ORG_FORWARD);
}

void route_renew(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    ask_about(self, call, &in, &fields, ORG_RENEW);
}

void route_defer(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_id(&in, "awaits", JSON_OPTIONAL, &fields.awaits);
    json_take_number(&in, "after_ms", JSON_OPTIONAL, 1, ORG_DEFER_MAX_MS, &fields.after_ms);
    bool is_said = fields.awaits != 0 || fields.after_ms != 0;
    member_take_time(&in, "until", is_said ? JSON_OPTIONAL : JSON_REQUIRED, &fields.until);
    if (fields.after_ms != 0 && fields.until != 0 && problem.kind == PROBLEM_NONE)
        problem_set(&problem, PROBLEM_MALFORMED, "\"until\" and \"after_ms\" cannot both be given");
    member_take_lines(&in, "reason", JSON_OPTIONAL, 0, ORG_REASON_LEN_MAX, &fields.text);
    ask_about(self, call, &in, &fields, ORG_DEFER);
}

/* How a program died; nothing of it without a crash. */
static void take_crash(struct json_reader *in, desk_about_fields *fields)
{
    int64_t exit_status = 0;
    json_take_number(in, "exit_status", JSON_OPTIONAL, 1, ORG_EXIT_STATUS_MAX, &exit_status);
    member_take_line(in, "signal", JSON_OPTIONAL, 1, ORG_SIGNAL_LEN_MAX, &fields->signal);
    member_take_lines(in, "output", JSON_OPTIONAL, 0, ORG_OUTPUT_LEN_MAX, &fields->output);
    fields->exit_status = (uint32_t)exit_status;
    bool has_report = exit_status != 0 || fields->signal != NULL || fields->output != NULL;
    if (has_report && !fields->is_crash && in->problem->kind == PROBLEM_NONE)
        problem_set(in->problem, PROBLEM_MALFORMED,
                    "\"exit_status\", \"signal\" and \"output\" are those of a \"crash\"");
}

void route_fail(troupe_self *self, struct call *call)
{
    struct problem problem = {0};
    desk_about_fields fields = {0};
    struct json_reader in = json_reader_of(call->body, "", &problem);
    member_take_lines(&in, "reason", JSON_REQUIRED, 1, ORG_REASON_LEN_MAX, &fields.text);
    json_take_flag(&in, "crash", JSON_OPTIONAL, &fields.is_crash);
    take_crash(&in, &fields);
    ask_about(self, call, &in, &fields, ORG_FAIL);
}

void route_resolve(troupe_self *self, struct call *call)
{
    static const char *const actions[] = {"retry", "reassign"};
    static const enum org_action codes[] = {ORG_ACTION_RETRY, ORG_ACTION_REASSIGN};
    struct problem problem = {0};
    desk_about_fields fields = {0};
    unsigned action = 0;
    struct json_reader in = json_reader_of(call->body, "", &problem);
    json_take_choice(&in, "action", JSON_REQUIRED, actions, 2, &action);
    member_take_lines(&in, "reason", JSON_OPTIONAL, 0, ORG_REASON_LEN_MAX, &fields.text);
    fields.action = codes[action];
    ask_about(self, call, &in, &fields, ORG_RESOLVE);
}

/* --- looking ---------------------------------------------------------------------------------- */

void route_inbox(troupe_self *self, struct call *call)
{
    const char *role;
    if (!argument_role(call, "role", &role))
        return;
    const char *limit_text = call_argument(call, "limit");
    unsigned long limit = INBOX_LIMIT_DEFAULT;
    if (limit_text != NULL) {
        char *rest;
        limit = strtoul(limit_text, &rest, 10);
        if (*rest != '\0' || rest == limit_text || limit > INBOX_LIMIT_MAX) {
            struct problem problem = {0};
            problem_set(&problem, PROBLEM_MALFORMED, "\"limit\" must be a whole number from 0 to %d",
                        INBOX_LIMIT_MAX);
            call_fail(call, &problem);
            return;
        }
    }
    ((struct errand *)(void *)call->scratch)->inbox =
        (desk_inbox_fields){.role = role, .limit = (uint32_t)limit};
    ask_desk(self, call, &desk_inbox_type);
}

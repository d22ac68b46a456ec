/* SPDX-License-Identifier: MIT */
/*
 * role_commands.c: from a message to the organisation's decision and back to an answer. Part of the role
 * actor; one function for each message that a role understands. Nothing blocks.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "org/id.h"
#include "org/name.h"
#include "org/plant.h"
#include "server/messages.h"
#include "server/role_actor.h"
#include "server/view.h"
#include "server/zones.h"

static const char *said(const troupe_message *message, troupe_span span)
{
    return span.size > 0 ? troupe_text(message, span) : NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void set_refusal(troupe_self *self, struct role_actor *actor, struct role_answer *answer,
                        const struct org_answer *refused)
{
    answer->kind = ROLE_ANSWER_PROBLEM;
    view_refusal(&answer->problem, actor->name, refused, role_now_ms(self, actor));
}

/* A time that is refused is a member of that name. */
static void name_time(struct role_answer *answer, const struct org_answer *refused, const char *name)
{
    char text[PROBLEM_DETAIL_MAX + 1];
    if (refused->refusal != ORG_REFUSED_TIME)
        return;
    memcpy(text, answer->problem.detail, sizeof text);
    problem_set(&answer->problem, answer->problem.kind, "\"%s\": %.200s", name, text);
}

/* --- what the organisation decides ------------------------------------------------------------ */

/*
 * The id is this request's own: whoever has it is this very request, that was taken in before and is said
 * again, and its answer is the one that was lost.
 */
static void answer_again(const struct role_actor *actor, struct org_answer *decided, uint64_t id)
{
    const struct org_message *message = org_role_find(actor->role, id);
    decided->kind = ORG_ANSWER_ACCEPTED;
    decided->id = id;
    decided->is_duplicate = false;
    if (message == NULL) /* it has ended since: nobody is before it any more */
        return;
    decided->position = message->accepted->position;
    decided->wait_median_ms = message->accepted->wait_median_ms;
    decided->wait_p95_ms = message->accepted->wait_p95_ms;
    decided->holder = org_role_view(actor->role).holder;
}

static void send_decided(troupe_self *self, struct role_actor *actor, struct role_answer *answer,
                         const role_send *send, struct org_answer *decided)
{
    bool is_repeated = decided->kind == ORG_ANSWER_REFUSED && decided->refusal == ORG_REFUSED_ID_TAKEN;
    if (decided->kind == ORG_ANSWER_REFUSED && !is_repeated) {
        set_refusal(self, actor, answer, decided);
        name_time(answer, decided, "deadline");
        return;
    }
    if (is_repeated)
        answer_again(actor, decided, send->id);
    else if (decided->kind == ORG_ANSWER_ACCEPTED && decided->id == send->id)
        decided->is_duplicate = false; /* the key is known by this very request */
    struct json_writer out = json_writer_to(&answer->json);
    view_receipt(&out, actor->name, decided);
    role_answer_json(answer, decided->kind == ORG_ANSWER_REDIRECTED ? 200 : 202, &out);
}

static troupe_status command_send(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                  const role_send *send)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    struct org_command command = {
        .kind = ORG_SEND,
        .who = {troupe_text(message, send->actor), said(message, send->via)},
        .send = {.id = send->id,
                 .sender = said(message, send->sender),
                 .key = said(message, send->key),
                 .message_class = (enum org_class)send->message_class,
                 .is_person = send->is_person,
                 .is_insisted = send->is_insisted,
                 .deadline = send->deadline,
                 .thread = send->thread,
                 .in_reply_to = send->in_reply_to,
                 .subject = troupe_text(message, send->subject),
                 .body = troupe_text(message, send->body),
                 .attachments = troupe_text(message, send->attachments)},
    };
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    if (status == TROUPE_OK)
        send_decided(self, actor, answer, send, &decision.answer);
    else
        role_answer_failure(answer, status);
    return TROUPE_OK;
}

/* What the very same asking was given, and still holds; NULL: nothing. */
static const struct org_message *taken_before(const struct role_actor *actor, const troupe_message *message,
                                              const role_next *next)
{
    uint64_t id = role_take_of(actor, next->asking);
    const struct org_message *taken = id != 0 ? org_role_find(actor->role, id) : NULL;
    bool is_held = taken != NULL && taken->state == ORG_HELD &&
                   strcmp(taken->holder, troupe_text(message, next->actor)) == 0;
    return is_held ? taken : NULL;
}

static void answer_taken(const struct role_actor *actor, struct role_answer *answer,
                         const struct org_message *taken)
{
    answer->kind = ROLE_ANSWER_TOOK;
    answer->status = ORG_ANSWER_TAKEN;
    answer->id = taken->id;
    answer->held_since = taken->held_since;
    struct json_writer out = json_writer_to(&answer->json);
    view_message(&out, actor->name, taken, true);
    if (json_writer_end(&out) != TROUPE_OK)
        role_answer_failure(answer, TROUPE_NO_MEMORY);
}

static troupe_status command_next(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                  const role_next *next)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    const struct org_message *taken = taken_before(actor, message, next);
    if (taken != NULL) {
        answer_taken(actor, answer, taken);
        return TROUPE_OK;
    }
    struct org_hours room;
    struct org_command command = {
        .kind = ORG_NEXT,
        .who = {troupe_text(message, next->actor), said(message, next->via)},
        .next = {.wip_limit = next->wip_limit,
                 .held_elsewhere = next->held_elsewhere,
                 .hours = zones_hours(&room, troupe_text(message, next->zone), next->from_minute,
                                      next->to_minute, next->days),
                 .worker = next->worker},
    };
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    if (status != TROUPE_OK) {
        role_answer_failure(answer, status);
        return TROUPE_OK;
    }
    if (decision.answer.kind == ORG_ANSWER_REFUSED) {
        set_refusal(self, actor, answer, &decision.answer);
        return TROUPE_OK;
    }
    answer->kind = ROLE_ANSWER_TOOK;
    answer->status = (uint32_t)decision.answer.kind;
    answer->id = decision.answer.id;
    taken = decision.answer.kind == ORG_ANSWER_TAKEN ? org_role_find(actor->role, decision.answer.id) : NULL;
    if (taken != NULL) {
        role_take_note(actor, next->asking, taken->id);
        answer_taken(actor, answer, taken);
    }
    return TROUPE_OK;
}

static troupe_status command_about(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                   const role_about *about)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    struct org_hours room;
    struct org_command command = {
        .kind = (enum org_command_kind)about->command,
        .who = {troupe_text(message, about->actor), said(message, about->via)},
        .about = {.id = about->id,
                  .text = said(message, about->text),
                  .to = said(message, about->to),
                  .until = about->until,
                  .after_ms = about->after_ms,
                  .held_since = about->held_since,
                  .exit_status = about->exit_status,
                  .signal = said(message, about->signal),
                  .output = said(message, about->output),
                  .awaits = about->awaits,
                  .hours = zones_hours(&room, troupe_text(message, about->zone), about->from_minute,
                                       about->to_minute, about->days),
                  .worker = about->worker,
                  .is_crash = about->is_crash,
                  .is_administrator = about->is_administrator,
                  .action = (enum org_action)about->action},
    };
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    if (status != TROUPE_OK) {
        role_answer_failure(answer, status);
    } else if (decision.answer.kind == ORG_ANSWER_REFUSED) {
        set_refusal(self, actor, answer, &decision.answer);
        name_time(answer, &decision.answer, "until");
    } else if (command.kind == ORG_HAND_OVER) {
        struct json_writer out = json_writer_to(&answer->json);
        json_open(&out, NULL, '{');
        json_put_text(&out, "role", actor->name);
        json_close(&out, '}');
        role_answer_json(answer, 200, &out);
    } else {
        struct json_writer out = json_writer_to(&answer->json);
        enum org_state state = decision.answer.state;
        (void)org_role_state_of(actor->role, about->id, &state);
        view_outcome(&out, actor->name, about->id, state, decision.answer.lease_until,
                     role_now_ms(self, actor), command.kind == ORG_FORWARD ? command.about.to : NULL);
        role_answer_json(answer, 200, &out);
    }
    return TROUPE_OK;
}

static troupe_status command_deliver(troupe_self *self, struct role_actor *actor,
                                     const troupe_message *message, const role_deliver *deliver)
{
    troupe_bytes sent = troupe_bytes_of(message, deliver->sent);
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    struct org_command command = {
        .kind = ORG_DELIVER,
        .deliver = {.id = ids_next(actor->ids, role_now_ms(self, actor)),
                    .source = troupe_text(message, deliver->source),
                    .sent = sent.data,
                    .size = sent.size},
    };
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    answer->kind = ROLE_ANSWER_DELIVERED;
    if (status != TROUPE_OK) {
        role_answer_failure(answer, status);
    } else {
        answer->status = (uint32_t)(decision.answer.kind == ORG_ANSWER_REFUSED ? decision.answer.refusal
                                                                               : ORG_REFUSED_NONE);
        answer->id = decision.answer.id;
        if (ORG_PLANTED(delivered_early) && answer->status == ORG_REFUSED_NONE)
            (void)troupe_reply(self, answer->asker, role_delivered, .id = answer->id);
    }
    return TROUPE_OK;
}

/* --- setting up ------------------------------------------------------------------------------- */

/* Cuts a list with one name a line; the names lie in `text`, whose line ends become NULs. */
static size_t cut_lines(char *text, const char **ret_names, size_t limit)
{
    size_t count = 0;
    while (*text != '\0' && count < limit) {
        ret_names[count++] = text;
        text += strcspn(text, "\n");
        if (*text == '\n')
            *text++ = '\0';
    }
    return count;
}

/*
 * Of what somebody keeps while away, the messages that it holds here; and until when, where that is as long
 * as anything is parked. What it holds no more, or in another role, is not kept here.
 */
static size_t find_kept(const struct role_actor *actor, const char *holder, const char *keeps, int64_t now_ms,
                        uint64_t *ret_ids, int64_t *ret_until)
{
    size_t count = 0;
    char id_text[ORG_ID_TEXT_LEN + 1];
    for (; strcspn(keeps, " ") == ORG_ID_TEXT_LEN && count < ORG_KEEPS_MAX;
         keeps += strcspn(keeps, "\n"), keeps += *keeps == '\n') {
        uint64_t id;
        memcpy(id_text, keeps, ORG_ID_TEXT_LEN);
        id_text[ORG_ID_TEXT_LEN] = '\0';
        const struct org_message *message =
            org_id_parse(id_text, &id) == TROUPE_OK ? org_role_find(actor->role, id) : NULL;
        if (message == NULL || message->state != ORG_HELD || strcmp(message->holder, holder) != 0)
            continue;
        int64_t until = strtoll(keeps + ORG_ID_TEXT_LEN + 1, NULL, 10);
        *ret_until = until > now_ms && until - now_ms <= ORG_DEFER_MAX_MS ? until : 0;
        ret_ids[count++] = id;
    }
    return count;
}

/* Who of the holders is there, after every change of them. What is so already writes nothing. */
static troupe_status set_presence(troupe_self *self, struct role_actor *actor,
                                  const struct org_configure *configure, const char *by, const char *absent,
                                  const char *keeps)
{
    troupe_status status = TROUPE_OK;
    uint64_t kept[ORG_KEEPS_MAX];
    for (size_t i = 0; i < configure->holder_count && status == TROUPE_OK; i++) {
        struct org_command command = {
            .kind = ORG_PRESENT,
            .who = {.actor = by},
            .present = {.actor = configure->holders[i],
                        .is_present = !org_name_is_in(configure->holders[i], absent),
                        .keeps = kept},
        };
        if (!command.present.is_present)
            command.present.keep_count = find_kept(actor, configure->holders[i], keeps,
                                                   role_now_ms(self, actor), kept, &command.present.until);
        struct role_decision decision;
        status = role_decide(self, actor, &command, &decision);
    }
    return status;
}

static troupe_status command_configure(troupe_self *self, struct role_actor *actor,
                                       const troupe_message *message, const role_configure *configure)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    char *lines = answer != NULL ? strdup(troupe_text(message, configure->holders)) : NULL;
    if (lines == NULL) {
        if (answer != NULL)
            role_answer_failure(answer, TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    const char *holders[ORG_SUCCESSION_MAX];
    struct org_command command = {
        .kind = ORG_CONFIGURE,
        .who = {.actor = troupe_text(message, configure->actor)},
        .configure = {.supervisor = said(message, configure->supervisor),
                      .holders = holders,
                      .holder_count = cut_lines(lines, holders, ORG_SUCCESSION_MAX),
                      .holder_kind = (enum org_holder_kind)configure->holder_kind,
                      .capacity = configure->capacity,
                      .bytes_max = configure->bytes_max,
                      .lease_ms = configure->lease_ms,
                      .ageing_ms = configure->ageing_ms,
                      .overflow = (enum org_overflow)configure->overflow,
                      .redirect_to = said(message, configure->redirect_to),
                      .on_fail = (enum org_action)configure->on_fail,
                      .on_lapse = (enum org_action)configure->on_lapse,
                      .on_crash = (enum org_action)configure->on_crash,
                      .on_absent = (enum org_action)configure->on_absent,
                      .on_overflow = (enum org_action)configure->on_overflow,
                      .refusals_max = configure->refusals_max,
                      .refusals_period_ms = configure->refusals_period_ms,
                      .failures_max = configure->failures_max,
                      .failures_period_ms = configure->failures_period_ms,
                      .is_readable = configure->is_readable,
                      .seed = {configure->seed[0], configure->seed[1]}},
    };
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    bool is_refused = status == TROUPE_OK && decision.answer.kind == ORG_ANSWER_REFUSED;
    if (status == TROUPE_OK && !is_refused)
        status =
            set_presence(self, actor, &command.configure, command.who.actor,
                         troupe_text(message, configure->absent), troupe_text(message, configure->keeps));
    answer->kind = ROLE_ANSWER_JSON;
    answer->status = 200;
    if (status != TROUPE_OK)
        role_answer_failure(answer, status);
    else if (is_refused)
        set_refusal(self, actor, answer, &decision.answer);
    free(lines);
    return TROUPE_OK;
}

/* The audit is made when the answer goes out: of what is on the disk by then. */
static troupe_status command_audit(troupe_self *self, struct role_actor *actor, const troupe_message *message)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer != NULL)
        answer->kind = ROLE_ANSWER_AUDITED;
    return TROUPE_OK;
}

troupe_status role_command(troupe_self *self, struct role_actor *actor, const troupe_message *message)
{
    const role_send *send = role_send_of(message);
    if (send != NULL)
        return command_send(self, actor, message, send);
    const role_next *next = role_next_of(message);
    if (next != NULL)
        return command_next(self, actor, message, next);
    const role_about *about = role_about_of(message);
    if (about != NULL)
        return command_about(self, actor, message, about);
    troupe_status status;
    if (role_looked(self, actor, message, &status))
        return status;
    const role_deliver *deliver = role_deliver_of(message);
    if (deliver != NULL)
        return command_deliver(self, actor, message, deliver);
    const role_configure *configure = role_configure_of(message);
    if (configure != NULL)
        return command_configure(self, actor, message, configure);
    if (role_report_of(message) != NULL) {
        actor->is_load_told = false;
        return TROUPE_OK;
    }
    if (role_audit_of(message) != NULL)
        return command_audit(self, actor, message);
    return TROUPE_UNEXPECTED;
}

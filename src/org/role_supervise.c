/* SPDX-License-Identifier: MIT */
/*
 * role_supervise.c: what follows when a message fails, and everything that time does. Any one thread at a
 * time.
 *
 * A failure is `fail` or `crash` (its holder, or the program's keeper, says so) or `lapse` (the lease ended).
 * The role's rule for it says what is done: retry after a backoff that doubles, reassign to the next in the
 * succession, escalate, or decline. At the third failure it is escalated whatever the rule.
 *
 *     child         held --failure--> quarantined, and an escalation is owed to the supervisor
 *     supervisor    the escalation is a message like others; at its end a resolution is owed to the child
 *     child         the resolution arrives: queued again with its attempts at 0, done, or declined
 *
 * An escalation that fails in its turn is escalated to the supervisor's supervisor. The root has none: there
 * the message stays quarantined, the role has an alarm, and ORG_SETTLE decides.
 */
#include <stdio.h>
#include <string.h>

#include "org/name.h"
#include "org/plant.h"
#include "org/role_decision.h"

enum {
    FULL_REASON_SIZE = ORG_REASON_LEN_MAX + 2 + ORG_OUTPUT_LEN_MAX + 1,
    FAILERS_SIZE = (ORG_FAILERS_MAX + 1) * (ORG_ACTOR_NAME_LEN_MAX + 1),
};

/* --- failures ------------------------------------------------------------------------------------ */

enum org_action role_action_for(const struct org_role *role, enum org_cause cause)
{
    const org_role_configured *configured = role_configured(role);
    switch (cause) {
    case ORG_CAUSE_LAPSE:
        return configured->on_lapse == 0 ? ORG_ACTION_REASSIGN : configured->on_lapse;
    case ORG_CAUSE_CRASH:
        return configured->on_crash == 0 ? ORG_ACTION_RETRY : configured->on_crash;
    default:
        return configured->on_fail == 0 ? ORG_ACTION_ESCALATE : configured->on_fail;
    }
}

/* Who failed: whoever says so, or held it when the time did. */
static const char *failer(const struct decision *d, const struct role_message *message)
{
    return *d->actor != '\0' ? d->actor : text_or_empty(message->seen.holder);
}

/*
 * Who failed, one a line, the last first: of an escalation also whoever failed below. Beyond
 * ORG_FAILERS_MAX the first ones are forgotten.
 */
static const char *failers(const struct decision *d, const struct role_message *message,
                           char ret_text[FAILERS_SIZE])
{
    const char *last = failer(d, message);
    const char *before = message_text(message, message_body(message)->by);
    if (message_body(message)->kind != ORG_KIND_ESCALATION || *before == '\0')
        return last;
    if (*last == '\0' || org_name_is_in(last, before))
        return before;
    size_t len = (size_t)snprintf(ret_text, FAILERS_SIZE, "%s\n%s", last, before);
    char *end = ret_text;
    for (int i = 0; i < ORG_FAILERS_MAX && end < ret_text + len; i++)
        end += strcspn(end, "\n") + 1;
    if (end < ret_text + len)
        end[-1] = '\0';
    return ret_text;
}

/* By this a failure is counted where it is told: once, however often it is handed on. */
static uint8_t counted_as(const struct decision *d)
{
    return (uint8_t)(1 + role_configured(d->role)->holder_kind);
}

/* Why it failed, for whoever has to decide: with the last lines of a program that died. */
static const char *full_reason(const struct decision *d, const char *reason, char ret_text[FULL_REASON_SIZE])
{
    bool is_crash = d->command->kind == ORG_FAIL && d->command->about.is_crash;
    const char *output = is_crash ? text_or_empty(d->command->about.output) : "";
    if (*output == '\0')
        return reason;
    snprintf(ret_text, FULL_REASON_SIZE, "%s\n\n%s", reason, output);
    return ret_text;
}

/* The original, as the supervisor gets it. Gives 0 at the root, where nobody can be told. */
static uint64_t emit_escalation(struct decision *d, const struct role_message *message, enum org_cause cause,
                                const char *reason)
{
    char full[FULL_REASON_SIZE];
    char failed[FAILERS_SIZE];
    const org_accepted *body = message_body(message);
    const char *supervisor = role_configured_text(d->role, role_configured(d->role)->supervisor);
    if (*supervisor == '\0')
        return 0;
    if (ORG_PLANTED(escalated_in_circle) && body->kind == ORG_KIND_ESCALATION)
        supervisor = message_text(message, body->origin_role);
    org_sent_fields fields = {
        .thread = body->thread,
        .in_reply_to = body->in_reply_to,
        .origin_id = body->id,
        .by = failers(d, message, failed),
        .via = d->via,
        .to = supervisor,
        .sender = message_text(message, body->sender),
        .origin_role = d->role->name,
        .subject = message_text(message, body->subject),
        .body = message_text(message, body->body),
        .note = full_reason(d, reason, full),
        .attachments = message_text(message, body->attachments),
        .kind = ORG_KIND_ESCALATION,
        .message_class = body->message_class,
        .outcome = (uint8_t)cause,
        .action = counted_as(d),
        .hops = body->hops,
    };
    return emit_sent(d, &fields);
}

/* What is seen to here is counted by the supervisor all the same. */
static void emit_report(struct decision *d, const struct role_message *message, enum org_cause cause)
{
    const char *supervisor = role_configured_text(d->role, role_configured(d->role)->supervisor);
    if (*supervisor == '\0')
        return;
    org_sent_fields fields = {
        .thread = message_body(message)->thread,
        .origin_id = message->seen.id,
        .by = failer(d, message),
        .to = supervisor,
        .origin_role = d->role->name,
        .kind = ORG_KIND_REPORT,
        .outcome = (uint8_t)cause,
        .action = counted_as(d),
    };
    (void)emit_sent(d, &fields);
}

static void quarantine(struct decision *d, const struct role_message *message, enum org_cause cause,
                       uint8_t attempts, const char *reason)
{
    uint64_t number = emit_escalation(d, message, cause, reason);
    org_quarantined_fields fields = {.at = d->now_ms,
                                     .id = message->seen.id,
                                     .sent_number = number,
                                     .by = d->actor,
                                     .via = d->via,
                                     .reason = reason,
                                     .cause = (uint8_t)cause,
                                     .attempts = attempts};
    emit(d, &org_quarantined_type, &fields);
    d->answer->state = ORG_QUARANTINED;
}

static void retry_later(struct decision *d, const struct role_message *message, enum org_cause cause,
                        uint8_t attempts, const char *reason)
{
    org_parked_fields fields = {.at = d->now_ms,
                                .id = message->seen.id,
                                .until = d->now_ms + ORG_BACKOFF_FIRST_MS * ((int64_t)1 << (attempts - 1)),
                                .by = d->actor,
                                .via = d->via,
                                .reason = reason,
                                .cause = (uint8_t)cause,
                                .attempts = attempts};
    emit(d, &org_parked_type, &fields);
    d->answer->state = ORG_PARKED;
}

/* To the next in the succession after whoever held it last; to whoever holds the role when there is none. */
static void reassign(struct decision *d, const struct role_message *message, enum org_cause cause,
                     uint8_t attempts, const char *reason)
{
    uint32_t next = role_next_present(d->role, message->holder_name);
    while (message_body(message)->kind == ORG_KIND_ESCALATION && next != MAP_NONE &&
           org_name_is_in(role_name_text(d->role, next), message_text(message, message_body(message)->by)))
        next = role_next_present(d->role, next); /* never to whoever failed */
    emit_returned(d, message, cause, attempts, text_or_empty(role_name_text(d->role, next)), reason);
    d->answer->state = ORG_QUEUED;
}

static void fail_message(struct decision *d, const struct role_message *message, enum org_cause cause,
                         const char *reason)
{
    uint8_t attempts = (uint8_t)(message->seen.attempts + 1);
    enum org_action action =
        attempts >= ORG_ATTEMPTS_MAX ? ORG_ACTION_ESCALATE : role_action_for(d->role, cause);
    bool is_escalated = action == 0 || action == ORG_ACTION_ESCALATE || action == ORG_ACTION_DONE;
    if (!is_escalated)
        emit_report(d, message, cause);
    switch (action) {
    case ORG_ACTION_RETRY:
        retry_later(d, message, cause, attempts, reason);
        break;
    case ORG_ACTION_REASSIGN:
        reassign(d, message, cause, attempts, reason);
        break;
    case ORG_ACTION_DECLINE:
        emit_declined(d, message, reason, d->command->kind == ORG_FAIL ? command_hash(d) : 0);
        d->answer->state = ORG_DECLINED;
        break;
    default:
        quarantine(d, message, cause, attempts, reason);
        break;
    }
}

/* How a program died goes with a crash only. */
static bool check_crash(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    bool has_report = about->exit_status != 0 || about->signal != NULL || about->output != NULL;
    if ((has_report && !about->is_crash) || about->exit_status > ORG_EXIT_STATUS_MAX) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return false;
    }
    return check_line(d, about->signal, ORG_SIGNAL_LEN_MAX) &&
           check_lines(d, about->output, ORG_OUTPUT_LEN_MAX);
}

void decide_fail(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX) || !check_crash(d))
        return;
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    emit_let_go(d, message);
    fail_message(d, message, about->is_crash ? ORG_CAUSE_CRASH : ORG_CAUSE_FAIL, text_or_empty(about->text));
}

/* --- what a supervisor decides ------------------------------------------------------------------- */

/*
 * Carries out a decision about a quarantined message. `hash` is that of the command that made it here, 0 when
 * it came from the supervisor.
 */
static void settle(struct decision *d, const struct role_message *message, enum org_action action,
                   const char *text, uint64_t hash)
{
    switch (action) {
    case ORG_ACTION_RETRY:
        emit_returned(d, message, ORG_CAUSE_RESOLVED, 0, "", text);
        d->answer->state = ORG_QUEUED;
        break;
    case ORG_ACTION_REASSIGN:
        reassign(d, message, ORG_CAUSE_RESOLVED, 0, text);
        break;
    case ORG_ACTION_DONE:
        emit_done(d, message, text, hash);
        d->answer->state = ORG_DONE;
        break;
    default:
        emit_declined(d, message, text, hash);
        d->answer->state = ORG_DECLINED;
        break;
    }
}

/* The resolution that came from the supervisor; moot when the message has gone another way meanwhile. */
void resolve_delivered(struct decision *d, const org_sent *sent)
{
    const struct role_message *message = role_live(d->role, sent->origin_id);
    bool is_moot = ORG_PLANTED(resolution_moot) || message == NULL || message->seen.state != ORG_QUARANTINED;
    d->actor = troupe_flat_text(sent, sent->by);
    d->via = troupe_flat_text(sent, sent->via);
    org_resolved_fields fields = {.at = d->now_ms,
                                  .id = sent->origin_id,
                                  .source_number = sent->number,
                                  .by = d->actor,
                                  .via = d->via,
                                  .source = d->command->deliver.source,
                                  .action = sent->action,
                                  .is_moot = is_moot};
    emit(d, &org_resolved_type, &fields);
    d->answer->kind = ORG_ANSWER_ACCEPTED;
    if (!is_moot)
        settle(d, message, sent->action, troupe_flat_text(sent, sent->body), 0);
}

/* The supervisor's side: the escalation is done, and the child is told to try again. */
void decide_resolve(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX))
        return;
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    const org_accepted *body = message_body(message);
    if (body->kind != ORG_KIND_ESCALATION) {
        refuse(d, ORG_REFUSED_NOT_ESCALATED);
        return;
    }
    if (about->action != ORG_ACTION_RETRY && about->action != ORG_ACTION_REASSIGN) {
        refuse(d, ORG_REFUSED_ACTION);
        return;
    }
    uint64_t number = emit_resolution(d, message, about->action, text_or_empty(about->text));
    org_done_fields fields = {.at = d->now_ms,
                              .id = message->seen.id,
                              .answer_number = number,
                              .command_hash = command_hash(d),
                              .by = d->actor,
                              .via = d->via};
    emit(d, &org_done_type, &fields);
    d->answer->state = ORG_DONE;
}

/* What nobody above can decide, whoever is in the succession does; an administrator may step in anywhere. */
static bool may_settle(struct decision *d)
{
    uint32_t name = role_name_find(d->role, d->actor);
    if (d->command->about.is_administrator)
        return true;
    if (name == MAP_NONE || !d->role->names[name]->is_holder) {
        refuse(d, ORG_REFUSED_NOT_IN_SUCCESSION);
        return false;
    }
    if (*role_configured_text(d->role, role_configured(d->role)->supervisor) != '\0') {
        refuse(d, ORG_REFUSED_SUPERVISED);
        return false;
    }
    return true;
}

void decide_settle(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    const struct role_message *message = role_live(d->role, about->id);
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX) || !may_settle(d))
        return;
    const struct role_entry *entry = role_entry_of(d->role, about->id);
    if (entry == NULL) {
        refuse(d, ORG_REFUSED_UNKNOWN);
        return;
    }
    if (message == NULL) {
        answer_ended(d, entry);
        return;
    }
    d->answer->id = message->seen.id;
    d->answer->state = message->seen.state;
    if (message->seen.state != ORG_QUARANTINED) {
        bool is_queued_again = about->action == ORG_ACTION_RETRY || about->action == ORG_ACTION_REASSIGN;
        d->answer->is_duplicate =
            is_queued_again && message->seen.state == ORG_QUEUED && message->seen.cause == ORG_CAUSE_RESOLVED;
        if (!d->answer->is_duplicate)
            refuse(d, ORG_REFUSED_NOT_QUARANTINED);
        return;
    }
    if (about->action != ORG_ACTION_RETRY && about->action != ORG_ACTION_REASSIGN &&
        about->action != ORG_ACTION_DECLINE && about->action != ORG_ACTION_DONE) {
        refuse(d, ORG_REFUSED_ACTION);
        return;
    }
    settle(d, message, about->action, text_or_empty(about->text), command_hash(d));
}

/* --- time ---------------------------------------------------------------------------------------- */

static void expire(struct decision *d, const struct role_message *message)
{
    uint64_t number = ORG_PLANTED(expiry_silent) ? 0 : emit_final(d, message, ORG_EXPIRED, "");
    org_expired_fields fields = {.at = d->now_ms, .id = message->seen.id, .answer_number = number};
    emit(d, &org_expired_type, &fields);
    emit_wakes(d, message->seen.id);
}

/* What somebody kept while away is theirs again, when they are there. */
static const char *keeper_of(const struct role_message *message)
{
    return message->seen.cause == ORG_CAUSE_ABSENCE ? text_or_empty(message->seen.holder) : "";
}

static void be_due(struct decision *d, const struct role_message *message)
{
    int64_t deadline = message_body(message)->deadline;
    if (message->seen.state == ORG_HELD)
        fail_message(d, message, ORG_CAUSE_LAPSE, "the lease ended");
    else if (deadline != 0 && deadline <= d->now_ms)
        expire(d, message);
    else if (message->seen.state == ORG_PARKED)
        emit_returned(d, message, ORG_CAUSE_WAKE, message->seen.attempts, keeper_of(message), "");
}

void decide_tick(struct decision *d)
{
    struct heap_entry due[ORG_DUE_MAX];
    size_t count = heap_peek_until(&d->role->due, d->now_ms, due, ORG_DUE_MAX);
    size_t moved = 0;
    for (; moved < count && decision_has_room(d); moved++)
        be_due(d, (struct role_message *)((char *)due[moved].node - offsetof(struct role_message, due_node)));
    decide_trouble(d, ORG_DUE_MAX - moved);
    d->answer->state = 0; /* of no message in particular */
}

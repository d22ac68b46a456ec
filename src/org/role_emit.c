/* SPDX-License-Identifier: MIT */
/*
 * role_emit.c: writing the records of a decision, and what the role owes to others because of them. Place:
 * called by the rules in role_send.c, role_work.c and role_supervise.c. Any one thread at a time.
 */
#include <string.h>

#include "org/role_decision.h"

void emit(struct decision *d, const troupe_type *type, const void *fields)
{
    void *body;
    if (d->status != TROUPE_OK)
        return;
    size_t size = troupe_flat_size(type, fields);
    d->status = size > RECORD_BODY_MAX ? TROUPE_TOO_LARGE
                                       : record_batch_add(d->batch, type->id, type->version, size, &body);
    if (d->status == TROUPE_OK)
        troupe_flat_write(type, fields, body, size);
}

/* The last entry owed to a role, in this batch or in the outbox. */
static uint64_t owed_last(const struct decision *d, const char *to)
{
    for (size_t i = d->owed_count; i > 0; i--) {
        if (strcmp(d->owed[i - 1].to, to) == 0)
            return d->owed[i - 1].number;
    }
    return role_owed_last(d->role, role_hash_text(d->role, to), to);
}

uint64_t emit_sent(struct decision *d, org_sent_fields *fields)
{
    fields->at = d->now_ms;
    fields->number = d->sent_next++;
    fields->previous = owed_last(d, fields->to);
    emit(d, &org_sent_type, fields);
    d->owed[d->owed_count++] = (struct decision_owed){.to = fields->to, .number = fields->number};
    return fields->number;
}

static uint64_t emit_answer(struct decision *d, const struct role_message *message, enum org_state outcome,
                            const char *text)
{
    const org_accepted *body = message_body(message);
    const char *sender = message_text(message, body->sender);
    if (*sender == '\0')
        return 0;
    org_sent_fields fields = {
        .thread = body->thread,
        .in_reply_to = body->id,
        .origin_id = body->id,
        .by = d->actor,
        .via = d->via,
        .to = sender,
        .origin_role = d->role->name,
        .subject = message_text(message, body->subject),
        .body = text,
        .kind = ORG_KIND_ANSWER,
        .message_class = body->message_class,
        .outcome = (uint8_t)outcome,
        .action = body->hops > 0,
    };
    return emit_sent(d, &fields);
}

uint64_t emit_resolution(struct decision *d, const struct role_message *message, enum org_action action,
                         const char *text)
{
    const org_accepted *body = message_body(message);
    org_sent_fields fields = {
        .thread = body->thread,
        .in_reply_to = body->id,
        .origin_id = body->origin_id,
        .by = d->actor,
        .via = d->via,
        .to = message_text(message, body->origin_role),
        .origin_role = d->role->name,
        .body = text,
        .kind = ORG_KIND_RESOLUTION,
        .message_class = body->message_class,
        .action = (uint8_t)action,
    };
    return emit_sent(d, &fields);
}

uint64_t emit_final(struct decision *d, const struct role_message *message, enum org_state outcome,
                    const char *text)
{
    switch (message_body(message)->kind) {
    case ORG_KIND_MESSAGE:
        return emit_answer(d, message, outcome, text);
    case ORG_KIND_ESCALATION:
        return emit_resolution(d, message, outcome == ORG_DONE ? ORG_ACTION_DONE : ORG_ACTION_DECLINE, text);
    default:
        return 0;
    }
}

void emit_accepted(struct decision *d, org_accepted_fields *fields)
{
    map_prefetch(&d->role->ids, hash_number(fields->id)); /* the fold will put it there */
    fields->at = d->now_ms;
    fields->number = d->role->counts.accepted + 1;
    fields->position = role_position(d->role, fields->message_class);
    fields->wait_median_ms = -1;
    fields->wait_p95_ms = -1;
    if (d->role->waits != NULL)
        (void)org_waits_expected(d->role->waits, fields->position + d->role->counts.held,
                                 &fields->wait_median_ms, &fields->wait_p95_ms);
    if (fields->thread == 0)
        fields->thread = fields->id;
    emit(d, &org_accepted_type, fields);

    d->answer->kind = ORG_ANSWER_ACCEPTED;
    d->answer->id = fields->id;
    d->answer->state = ORG_QUEUED;
    d->answer->position = fields->position;
    d->answer->wait_median_ms = fields->wait_median_ms;
    d->answer->wait_p95_ms = fields->wait_p95_ms;
    answer_availability(d);
}

/* What is due by itself now comes back by the tick. */
void emit_wakes(struct decision *d, uint64_t ended)
{
    if (d->role->awaiting == 0)
        return;
    for (const struct role_message *m = d->role->parked.first; m != NULL; m = m->next) {
        if (m->seen.awaits == ended && role_due_of(m) > d->now_ms)
            emit_returned(d, m, ORG_CAUSE_WAKE, m->seen.attempts, "", "");
    }
}

/*
 * The text of an ending stands in one place: in the outbox when somebody is told, else in the record itself.
 */
void emit_done(struct decision *d, const struct role_message *message, const char *text, uint64_t hash)
{
    uint64_t number = emit_final(d, message, ORG_DONE, text);
    org_done_fields fields = {.at = d->now_ms,
                              .id = message->seen.id,
                              .answer_number = number,
                              .command_hash = hash,
                              .by = d->actor,
                              .via = d->via,
                              .reply = number == 0 ? text : ""};
    emit(d, &org_done_type, &fields);
    emit_wakes(d, message->seen.id);
}

void emit_declined(struct decision *d, const struct role_message *message, const char *text, uint64_t hash)
{
    uint64_t number = emit_final(d, message, ORG_DECLINED, text);
    org_declined_fields fields = {.at = d->now_ms,
                                  .id = message->seen.id,
                                  .answer_number = number,
                                  .command_hash = hash,
                                  .by = d->actor,
                                  .via = d->via,
                                  .reason = number == 0 ? text : ""};
    emit(d, &org_declined_type, &fields);
    emit_wakes(d, message->seen.id);
}

void emit_returned(struct decision *d, const struct role_message *message, enum org_cause cause,
                   uint8_t attempts, const char *assigned, const char *reason)
{
    org_returned_fields fields = {
        .at = d->now_ms,
        .id = message->seen.id,
        .by = d->actor,
        .via = d->via,
        .assigned = assigned,
        .reason = reason,
        .cause = (uint8_t)cause,
        .attempts = attempts,
        .is_first = cause == ORG_CAUSE_WAKE &&
                    (message->seen.cause == ORG_CAUSE_DEFER || message->seen.cause == ORG_CAUSE_ABSENCE)};
    emit(d, &org_returned_type, &fields);
}

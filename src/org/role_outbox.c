/* SPDX-License-Identifier: MIT */
/*
 * role_outbox.c: what becomes of what is owed to other roles: it arrives, or it never can. Any one thread at
 * a time.
 *
 * What can never arrive (its role does not exist) is not lost when somebody waits for it: a message that was
 * forwarded comes back into this mailbox, as a new one, for its holder to decide again. An answer that nobody
 * can get stays in the stream, where its text is, and is counted as dead; so is an escalation, whose message
 * stays quarantined under an alarm.
 */
#include <string.h>

#include "org/role_decision.h"

static void emit_delivered(struct decision *d, bool is_dead)
{
    const struct org_acknowledge *acknowledge = &d->command->acknowledge;
    org_delivered_fields fields = {.at = d->now_ms,
                                   .number = acknowledge->number,
                                   .id = acknowledge->id,
                                   .reason = text_or_empty(acknowledge->reason),
                                   .is_dead = is_dead};
    emit(d, &org_delivered_type, &fields);
}

/* Whether an entry of the outbox is still owed; when it has gone before, the command came twice. */
static struct role_outgoing *owed_entry(struct decision *d)
{
    uint64_t number = d->command->acknowledge.number;
    struct role_outgoing *outgoing = role_outgoing(d->role, number);
    if (outgoing != NULL)
        return outgoing;
    if (number == 0 || number >= d->sent_next)
        refuse(d, ORG_REFUSED_UNKNOWN);
    else
        d->answer->is_duplicate = true;
    return NULL;
}

void decide_acknowledge(struct decision *d)
{
    if (owed_entry(d) != NULL)
        emit_delivered(d, false);
}

/*
 * Whether an entry is somebody's message on its way, and not something that this role said about one of its
 * own.
 */
static bool is_forwarded(const struct decision *d, const struct role_outgoing *outgoing)
{
    const org_sent *sent = outgoing_body(outgoing);
    const char *origin_role = troupe_flat_text(sent, sent->origin_role);
    return sent->kind == ORG_KIND_MESSAGE ||
           (sent->kind != ORG_KIND_RESOLUTION && strcmp(origin_role, d->role->name) != 0);
}

void decide_undeliverable(struct decision *d)
{
    const struct org_acknowledge *acknowledge = &d->command->acknowledge;
    if (!check_lines(d, acknowledge->reason, ORG_REASON_LEN_MAX))
        return;
    const struct role_outgoing *outgoing = owed_entry(d);
    if (outgoing == NULL)
        return;
    if (!is_forwarded(d, outgoing)) {
        emit_delivered(d, true);
        return;
    }
    if (acknowledge->id == 0 || role_entry_of(d->role, acknowledge->id) != NULL) {
        refuse(d, ORG_REFUSED_ID_TAKEN);
        return;
    }
    const org_sent *sent = outgoing_body(outgoing);
    emit_delivered(d, true);
    org_accepted_fields fields = {
        .id = acknowledge->id,
        .deadline = sent->deadline,
        .thread = sent->thread,
        .in_reply_to = sent->in_reply_to,
        .origin_id = sent->origin_id,
        .by = troupe_flat_text(sent, sent->by),
        .via = troupe_flat_text(sent, sent->via),
        .sender = troupe_flat_text(sent, sent->sender),
        .origin_role = troupe_flat_text(sent, sent->origin_role),
        .subject = troupe_flat_text(sent, sent->subject),
        .body = troupe_flat_text(sent, sent->body),
        .note = text_or_empty(acknowledge->reason),
        .attachments = troupe_flat_text(sent, sent->attachments),
        .kind = sent->kind,
        .message_class = sent->message_class,
        .outcome = sent->outcome,
        .hops = sent->hops,
    };
    emit_accepted(d, &fields);
}

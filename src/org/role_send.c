/* SPDX-License-Identifier: MIT */
/*
 * role_send.c: admission. What comes from outside is checked, recognised when it comes again, and accepted,
 * redirected or refused; what comes from another stream's outbox was accepted there and is only recognised.
 * Any one thread at a time.
 *
 *     send -> well formed? -> key known? the first receipt -> room? accepted
 *                                                      \-> insisted: accepted all the same
 *                                                      \-> policy: shed another, redirect, or refuse
 */
#include <string.h>

#include "org/name.h"
#include "org/plant.h"
#include "org/role_decision.h"

/* The longest name of a stream: a role's name and what the caller puts around it. */
enum { SOURCE_LEN_MAX = ORG_NAME_LEN_MAX + 32 };

/* --- what is sent -------------------------------------------------------------------------------- */

static bool check_send(struct decision *d, const struct org_send *send)
{
    if (!check_line(d, send->subject, ORG_SUBJECT_LEN_MAX) || !check_line(d, send->key, ORG_KEY_LEN_MAX) ||
        !check_lines(d, send->body, ORG_BODY_LEN_MAX) ||
        !check_lines(d, send->attachments, ORG_ATTACHMENTS_LEN_MAX))
        return false;
    if ((send->sender != NULL && *send->sender != '\0' && !org_name_is_address(send->sender)) ||
        send->id == 0 || (unsigned)send->message_class >= ORG_CLASS_COUNT) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return false;
    }
    return true;
}

/* Everything that makes two messages the same, each text hashed first so that its end makes a difference. */
static uint64_t content_hash(const struct decision *d, const struct org_send *send)
{
    uint64_t parts[] = {
        (uint64_t)send->message_class,
        (uint64_t)send->deadline,
        send->thread,
        send->in_reply_to,
        role_hash_text(d->role, text_or_empty(send->sender)),
        role_hash_text(d->role, text_or_empty(send->subject)),
        role_hash_text(d->role, text_or_empty(send->body)),
        role_hash_text(d->role, text_or_empty(send->attachments)),
    };
    return hash_bytes(&d->role->key, parts, sizeof(parts));
}

/*
 * Whether the key came before; then the answer is the first receipt, or a refusal when the content is another
 * one.
 */
static bool answer_known_key(struct decision *d, const struct org_send *send, uint64_t content)
{
    struct hash_wide key = role_hash_key(d->role, d->actor, send->key);
    const struct role_receipt *receipt = role_receipt_find(d->role, &key);
    if (receipt == NULL)
        return false;
    if (receipt->content != content)
        refuse(d, ORG_REFUSED_KEY_REUSED);
    else
        d->answer->kind = ORG_ANSWER_ACCEPTED;
    d->answer->is_duplicate = true;
    d->answer->id = d->role->entries[receipt->entry].id;
    (void)org_role_state_of(d->role, d->answer->id, &d->answer->state);
    d->answer->position = receipt->position;
    d->answer->wait_median_ms = receipt->wait_median_ms;
    d->answer->wait_p95_ms = receipt->wait_p95_ms;
    answer_availability(d);
    return true;
}

/* --- admission ----------------------------------------------------------------------------------- */

static uint64_t send_bytes(const struct org_send *send)
{
    return (uint64_t)strlen(text_or_empty(send->subject)) + strlen(text_or_empty(send->body)) +
           strlen(text_or_empty(send->attachments));
}

static void refuse_full(struct decision *d)
{
    refuse(d, ORG_REFUSED_FULL);
    org_refused_fields fields = {.at = d->now_ms,
                                 .by = d->actor,
                                 .via = d->via,
                                 .message_class = (uint8_t)d->command->send.message_class};
    emit(d, &org_refused_type, &fields);
    d->is_recorded = true;
    d->answer->occupied = (uint32_t)org_role_counts(d->role).occupied;
    d->answer->capacity = role_configured(d->role)->capacity;
    if (d->role->waits != NULL)
        d->answer->retry_at = org_waits_next_end(d->role->waits, d->now_ms);
    answer_availability(d);
}

/* Pushes out one message of a lower class, if there is one and then there is room; gives its id. */
static uint64_t shed_for(struct decision *d, const struct org_send *send, uint64_t bytes)
{
    struct role_message *message = role_choose_shed(d->role, send->message_class);
    if (message == NULL)
        return 0;
    const org_accepted *body = message_body(message);
    uint64_t freed =
        (uint64_t)body->subject.size + body->body.size + body->note.size + body->attachments.size;
    const org_role_configured *configured = role_configured(d->role);
    if (org_role_counts(d->role).occupied > configured->capacity ||
        d->role->counts.bytes - freed + bytes > configured->bytes_max)
        return 0;
    uint64_t number = ORG_PLANTED(shedding_silent) ? 0 : emit_final(d, message, ORG_SHED, "");
    org_shed_fields fields = {
        .at = d->now_ms, .id = message->seen.id, .answer_number = number, .pushed_by = send->id};
    emit(d, &org_shed_type, &fields);
    return message->seen.id;
}

/*
 * Whether there is room, or room is made by pushing out the message `ret_shed`; else the answer says what
 * becomes of this one.
 */
static bool admit(struct decision *d, const struct org_send *send, bool *ret_is_insisted, uint64_t *ret_shed)
{
    const org_role_configured *configured = role_configured(d->role);
    uint64_t bytes = send_bytes(send);
    *ret_is_insisted = false;
    *ret_shed = 0;
    if (bytes > configured->bytes_max) {
        refuse(d, ORG_REFUSED_TOO_LARGE);
        return false;
    }
    if (org_role_counts(d->role).occupied < configured->capacity &&
        d->role->counts.bytes + bytes <= configured->bytes_max)
        return true;
    if (send->is_person && send->is_insisted) {
        *ret_is_insisted = true;
        return true;
    }
    if (configured->overflow == ORG_OVERFLOW_SHED && (*ret_shed = shed_for(d, send, bytes)) != 0)
        return true;
    if (configured->overflow == ORG_OVERFLOW_REDIRECT) {
        d->answer->kind = ORG_ANSWER_REDIRECTED;
        d->answer->redirect_to = role_configured_text(d->role, configured->redirect_to);
        return false;
    }
    refuse_full(d);
    return false;
}

void decide_send(struct decision *d)
{
    const struct org_send *send = &d->command->send;
    bool has_key = send->key != NULL && *send->key != '\0';
    bool is_insisted;
    uint64_t shed;
    if (!check_send(d, send))
        return;
    uint64_t content = has_key ? content_hash(d, send) : 0;
    if (has_key && answer_known_key(d, send, content))
        return;
    if (role_entry_of(d->role, send->id) != NULL) {
        refuse(d, ORG_REFUSED_ID_TAKEN);
        return;
    }
    if (send->deadline != 0 && send->deadline <= d->now_ms) {
        refuse(d, ORG_REFUSED_TIME);
        return;
    }
    if (!admit(d, send, &is_insisted, &shed))
        return;
    org_accepted_fields fields = {
        .id = send->id,
        .deadline = send->deadline,
        .thread = send->thread,
        .in_reply_to = send->in_reply_to,
        .content_hash = content,
        .by = d->actor,
        .via = d->via,
        .sender = send->sender,
        .key = send->key,
        .subject = send->subject,
        .body = send->body,
        .attachments = send->attachments,
        .kind = ORG_KIND_MESSAGE,
        .message_class = (uint8_t)send->message_class,
        .is_insisted = is_insisted,
    };
    emit_accepted(d, &fields);
    if (shed != 0)
        emit_wakes(d, shed);
}

/* --- what another role owes us ------------------------------------------------------------------- */

static bool is_resolution(uint8_t action)
{
    return action == ORG_ACTION_RETRY || action == ORG_ACTION_REASSIGN || action == ORG_ACTION_DECLINE ||
           action == ORG_ACTION_DONE;
}

/* Whether an entry of another outbox is well formed and for us. */
static bool check_deliver(struct decision *d, const struct org_deliver *deliver)
{
    if (deliver->source == NULL || *deliver->source == '\0' || deliver->id == 0 ||
        troupe_flat_check(&org_sent_type, deliver->sent, deliver->size) != TROUPE_OK ||
        deliver->sent->message_class >= ORG_CLASS_COUNT || deliver->sent->kind > ORG_KIND_REPORT ||
        strcmp(troupe_flat_text(deliver->sent, deliver->sent->to), d->role->name) != 0 ||
        (deliver->sent->kind == ORG_KIND_RESOLUTION && !is_resolution(deliver->sent->action))) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return false;
    }
    return check_line(d, deliver->source, SOURCE_LEN_MAX);
}

void decide_deliver(struct decision *d)
{
    const struct org_deliver *deliver = &d->command->deliver;
    if (!check_deliver(d, deliver))
        return;
    const org_sent *sent = deliver->sent;
    const struct role_source *source = role_source_find(d->role, deliver->source);
    uint64_t last = source == NULL ? 0 : source->number;
    if (sent->number <= last) {
        d->answer->kind = ORG_ANSWER_ACCEPTED;
        d->answer->is_duplicate = true;
        d->answer->id = sent->number == last ? source->id : 0;
        return;
    }
    if (sent->previous > last && !ORG_PLANTED(order_ignored)) {
        refuse(d, ORG_REFUSED_ORDER);
        return;
    }
    if (sent->kind == ORG_KIND_RESOLUTION) {
        resolve_delivered(d, sent);
        return;
    }
    if (sent->kind == ORG_KIND_REPORT) {
        emit_counted(d, sent, deliver->source);
        d->answer->kind = ORG_ANSWER_ACCEPTED;
        return;
    }
    if (role_entry_of(d->role, deliver->id) != NULL) {
        refuse(d, ORG_REFUSED_ID_TAKEN);
        return;
    }
    org_accepted_fields fields = {
        .id = deliver->id,
        .deadline = sent->deadline,
        .thread = sent->thread,
        .in_reply_to = sent->in_reply_to,
        .origin_id = sent->origin_id,
        .source_number = sent->number,
        .by = troupe_flat_text(sent, sent->by),
        .via = troupe_flat_text(sent, sent->via),
        .sender = troupe_flat_text(sent, sent->sender),
        .origin_role = troupe_flat_text(sent, sent->origin_role),
        .source = deliver->source,
        .subject = troupe_flat_text(sent, sent->subject),
        .body = troupe_flat_text(sent, sent->body),
        .note = troupe_flat_text(sent, sent->note),
        .attachments = troupe_flat_text(sent, sent->attachments),
        .kind = sent->kind,
        .message_class = sent->message_class,
        .outcome = sent->outcome,
        .hops = sent->hops,
    };
    emit_accepted(d, &fields);
    if (sent->kind == ORG_KIND_ANSWER)
        emit_wakes(d, sent->origin_id);
    if (sent->kind == ORG_KIND_ANSWER && sent->action != 0 && sent->thread != sent->origin_id)
        emit_wakes(d, sent->thread); /* it has another id since it was forwarded; its thread is the same */
    if (sent->kind == ORG_KIND_ESCALATION && sent->action != 0)
        emit_counted(d, sent, "");
}

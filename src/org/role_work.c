/* SPDX-License-Identifier: MIT */
/*
 * role_work.c: serial work: taking the next message, and what its holder does with it. Any one thread at a
 * time.
 *
 *     next -> held -> done | declined | forwarded | parked (deferred)          renew: held for longer
 *
 * Asking twice is harmless: whoever is at the limit gets what it holds, and a command that ended a message,
 * put it off or failed it is recognised when it comes again and answered the same.
 */
#include <string.h>

#include "org/name.h"
#include "org/role_decision.h"

static int64_t default_lease(bool is_program)
{
    return is_program ? ORG_LEASE_PROGRAM_MS : ORG_LEASE_PERSON_MS;
}

/*
 * When the lease of whoever takes or renews now is over. Where the role has the default, that is the default
 * of who works: a person who stands in for a program has a person's days, not a program's minutes.
 */
static int64_t lease_end(const struct decision *d, const struct org_hours *hours, uint8_t worker)
{
    const org_role_configured *configured = role_configured(d->role);
    int64_t lease_ms = configured->lease_ms;
    if (worker != 0 && lease_ms == default_lease(configured->holder_kind == ORG_PROGRAM))
        lease_ms = default_lease(worker == 1 + ORG_PROGRAM);
    return org_hours_after(hours, d->now_ms, lease_ms);
}

/* --- next ---------------------------------------------------------------------------------------- */

static void take(struct decision *d, const struct role_message *message)
{
    org_taken_fields fields = {
        .at = d->now_ms,
        .id = message->seen.id,
        .lease_until = lease_end(d, d->command->next.hours, d->command->next.worker),
        .by = d->actor,
        .via = d->via,
    };
    emit(d, &org_taken_type, &fields);
    d->answer->kind = ORG_ANSWER_TAKEN;
    d->answer->id = message->seen.id;
    d->answer->state = ORG_HELD;
    d->answer->lease_until = fields.lease_until;
}

void decide_next(struct decision *d)
{
    const struct org_next *next = &d->command->next;
    uint64_t limit = next->wip_limit == 0 ? ORG_WIP_LIMIT_DEFAULT : next->wip_limit;
    uint32_t name = role_name_find(d->role, d->actor);
    uint32_t active = role_active(d->role);
    const struct role_message *held = name == MAP_NONE ? NULL : d->role->names[name]->held.first;
    uint64_t held_count = name == MAP_NONE ? 0 : d->role->names[name]->held_count;
    if (held_count + next->held_elsewhere >= limit) {
        d->answer->kind = ORG_ANSWER_HELD;
        d->answer->id = held == NULL ? 0 : held->seen.id;
        d->answer->state = held == NULL ? 0 : ORG_HELD;
        d->answer->lease_until = held == NULL ? 0 : held->seen.lease_until;
        return;
    }
    bool is_active = name != MAP_NONE && name == active;
    int64_t aged_at = role_aged_at(d->role, next->hours, d->now_ms);
    const struct role_message *message = role_choose(d->role, name, is_active, aged_at);
    if (message != NULL) {
        take(d, message);
    } else if (is_active) {
        d->answer->kind = ORG_ANSWER_NOTHING;
    } else {
        refuse(d, ORG_REFUSED_NOT_ACTIVE);
        answer_availability(d);
    }
}

/* --- what its holder does with a message --------------------------------------------------------- */

/* The answer about a message that has ended: the same again for the command that ended it, else a refusal. */
void answer_ended(struct decision *d, const struct role_entry *entry)
{
    d->answer->id = entry->id;
    d->answer->state = entry->state;
    if (entry->command_hash == command_hash(d))
        d->answer->is_duplicate = true;
    else
        refuse(d, ORG_REFUSED_ENDED);
}

/*
 * Whether what was done with a message last is what this command asks for, by the same actor: it is the same
 * command, come again, as long as nothing else happens to the message. Of a command that names the hold that
 * is known for certain, by its hash.
 */
static bool is_repeated(const struct decision *d, const struct org_message *seen)
{
    const struct org_about *about = &d->command->about;
    if (seen->holder == NULL || strcmp(seen->holder, d->actor) != 0)
        return false;
    if (d->command->kind == ORG_FAIL)
        return seen->cause == (about->is_crash ? ORG_CAUSE_CRASH : ORG_CAUSE_FAIL);
    bool is_as_late_as_may_be = about->until == 0 && about->after_ms == 0 && about->awaits != 0;
    return d->command->kind == ORG_DEFER && seen->state == ORG_PARKED && seen->cause == ORG_CAUSE_DEFER &&
           seen->awaits == about->awaits && (is_as_late_as_may_be || seen->parked_until == about->until);
}

struct role_message *held_by_actor(struct decision *d)
{
    const struct role_entry *entry = role_entry_of(d->role, d->command->about.id);
    if (entry == NULL) {
        refuse(d, ORG_REFUSED_UNKNOWN);
        return NULL;
    }
    if (entry->state >= ORG_DONE) {
        answer_ended(d, entry);
        return NULL;
    }
    struct role_message *message = entry->live;
    int64_t held_since = d->command->about.held_since;
    d->answer->id = message->seen.id;
    d->answer->state = message->seen.state;
    if (held_since != 0 && message->let_go_hash == command_hash(d)) {
        d->answer->is_duplicate = true;
        return NULL;
    }
    if (message->seen.state != ORG_HELD) {
        d->answer->is_duplicate = held_since == 0 && is_repeated(d, &message->seen);
        if (!d->answer->is_duplicate)
            refuse(d, ORG_REFUSED_NOT_HELD);
        return NULL;
    }
    if (strcmp(message->seen.holder, d->actor) != 0) {
        refuse(d, ORG_REFUSED_NOT_HOLDER);
        d->answer->holder = message->seen.holder;
        return NULL;
    }
    if (held_since != 0 && message->seen.held_since != held_since) {
        refuse(d, ORG_REFUSED_HELD_ANEW);
        return NULL;
    }
    return message;
}

void emit_let_go(struct decision *d, const struct role_message *message)
{
    const struct org_about *about = &d->command->about;
    if (about->held_since == 0 && !about->is_crash)
        return;
    org_let_go_fields fields = {.at = d->now_ms,
                                .id = message->seen.id,
                                .command_hash = about->held_since == 0 ? 0 : command_hash(d),
                                .by = d->actor,
                                .via = d->via,
                                .signal = text_or_empty(about->signal),
                                .output = text_or_empty(about->output),
                                .exit_status = about->exit_status};
    emit(d, &org_let_go_type, &fields);
}

void decide_renew(struct decision *d)
{
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    org_renewed_fields fields = {
        .at = d->now_ms,
        .id = message->seen.id,
        .lease_until = lease_end(d, d->command->about.hours, d->command->about.worker),
        .by = d->actor,
        .via = d->via,
    };
    emit(d, &org_renewed_type, &fields);
    d->answer->lease_until = fields.lease_until;
}

void decide_finish(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (!check_lines(d, about->text, ORG_BODY_LEN_MAX))
        return;
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    emit_done(d, message, text_or_empty(about->text), command_hash(d));
    d->answer->state = ORG_DONE;
}

void decide_decline(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX))
        return;
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    emit_declined(d, message, text_or_empty(about->text), command_hash(d));
    d->answer->state = ORG_DECLINED;
}

uint64_t emit_forward(struct decision *d, const struct role_message *message, const char *to,
                      const char *note)
{
    const org_accepted *body = message_body(message);
    bool is_message = body->kind == ORG_KIND_MESSAGE;
    org_sent_fields fields = {
        .deadline = body->deadline,
        .thread = body->thread,
        .in_reply_to = body->in_reply_to,
        .origin_id = is_message ? body->id : body->origin_id,
        .by = body->kind == ORG_KIND_ESCALATION ? message_text(message, body->by) : d->actor,
        .via = d->via,
        .to = to,
        .sender = message_text(message, body->sender),
        .origin_role = is_message ? d->role->name : message_text(message, body->origin_role),
        .subject = message_text(message, body->subject),
        .body = message_text(message, body->body),
        .note = note,
        .attachments = message_text(message, body->attachments),
        .kind = body->kind,
        .message_class = body->message_class,
        .outcome = body->outcome,
        .hops = (uint8_t)(body->hops + 1),
    };
    return emit_sent(d, &fields);
}

void decide_forward(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    const char *to = text_or_empty(about->to);
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX))
        return;
    if (!org_name_is_address(to)) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return;
    }
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    if (strcmp(to, d->role->name) == 0) {
        refuse(d, ORG_REFUSED_SAME_ROLE);
        return;
    }
    if (message_body(message)->hops >= ORG_HOPS_MAX) {
        refuse(d, ORG_REFUSED_HOPS);
        return;
    }
    uint64_t number = emit_forward(d, message, to, text_or_empty(about->text));
    org_forwarded_fields fields = {.at = d->now_ms,
                                   .id = message->seen.id,
                                   .sent_number = number,
                                   .command_hash = command_hash(d),
                                   .by = d->actor,
                                   .via = d->via,
                                   .to = to,
                                   .note = text_or_empty(about->text)};
    emit(d, &org_forwarded_type, &fields);
    emit_wakes(d, message->seen.id);
    d->answer->state = ORG_FORWARDED;
    d->answer->sent_number = number;
}

/* When a deferred message returns; a time that is past for one that cannot be. */
static int64_t deferred_until(const struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (about->after_ms != 0)
        return about->after_ms > 0 && about->after_ms <= ORG_DEFER_MAX_MS ? d->now_ms + about->after_ms : 0;
    return about->until == 0 && about->awaits != 0 ? d->now_ms + ORG_DEFER_MAX_MS : about->until;
}

void decide_defer(struct decision *d)
{
    const struct org_about *about = &d->command->about;
    if (!check_lines(d, about->text, ORG_REASON_LEN_MAX))
        return;
    const struct role_message *message = held_by_actor(d);
    if (message == NULL)
        return;
    int64_t until = deferred_until(d);
    if (until <= d->now_ms || until - d->now_ms > ORG_DEFER_MAX_MS) {
        refuse(d, ORG_REFUSED_TIME);
        return;
    }
    const struct role_entry *awaited = about->awaits == 0 ? NULL : role_entry_of(d->role, about->awaits);
    if (awaited != NULL && (about->awaits == about->id || awaited->state >= ORG_DONE)) {
        refuse(d, ORG_REFUSED_AWAITED);
        return;
    }
    emit_let_go(d, message);
    org_parked_fields fields = {.at = d->now_ms,
                                .id = message->seen.id,
                                .until = until,
                                .by = d->actor,
                                .via = d->via,
                                .reason = text_or_empty(about->text),
                                .cause = ORG_CAUSE_DEFER,
                                .attempts = message->seen.attempts};
    emit(d, &org_parked_type, &fields);
    if (about->awaits != 0) {
        org_awaiting_fields awaiting = {.at = d->now_ms, .id = message->seen.id, .awaits = about->awaits};
        emit(d, &org_awaiting_type, &awaiting);
    }
    d->answer->state = ORG_PARKED;
}

/* SPDX-License-Identifier: MIT */
/*
 * role_presence.c: coming, going, and handing over. Whoever goes away gives back what it holds, or keeps some
 * of it parked until it comes back; everything else stays where it is, because the mailbox is the role's. Any
 * one thread at a time.
 */
#include <string.h>

#include "org/name.h"
#include "org/role_decision.h"

static bool is_kept(const struct org_present *present, uint64_t id)
{
    for (size_t i = 0; i < present->keep_count; i++) {
        if (present->keeps[i] == id)
            return true;
    }
    return false;
}

/* Whoever goes away may keep what it holds, and nothing else. */
static bool may_keep(struct decision *d, const struct org_present *present, const char *actor)
{
    bool is_time =
        present->until == 0 || (present->until > d->now_ms && present->until - d->now_ms <= ORG_DEFER_MAX_MS);
    if (present->keep_count > 0 && (present->is_present || !is_time)) {
        refuse(d, ORG_REFUSED_TIME);
        return false;
    }
    for (size_t i = 0; i < present->keep_count; i++) {
        const struct role_message *message = role_live(d->role, present->keeps[i]);
        if (message == NULL || message->seen.state != ORG_HELD || strcmp(message->seen.holder, actor) != 0) {
            refuse(d, message == NULL ? ORG_REFUSED_UNKNOWN : ORG_REFUSED_NOT_HELD);
            d->answer->id = present->keeps[i];
            return false;
        }
    }
    return true;
}

static void go_away(struct decision *d, const struct org_present *present, const struct role_name *name)
{
    const struct role_message *message = name->held.first;
    for (; message != NULL; message = message->next) {
        if (!is_kept(present, message->seen.id)) {
            emit_returned(d, message, ORG_CAUSE_ABSENCE, message->seen.attempts, "", "");
            continue;
        }
        org_parked_fields fields = {
            .at = d->now_ms,
            .id = message->seen.id,
            .until = present->until != 0 ? present->until : d->now_ms + ORG_DEFER_MAX_MS,
            .by = d->actor,
            .via = d->via,
            .cause = ORG_CAUSE_ABSENCE,
            .attempts = message->seen.attempts,
        };
        emit(d, &org_parked_type, &fields);
    }
}

/* What it kept is its own again; what is due by itself now comes by the tick. */
static void come_back(struct decision *d, const struct role_name *name)
{
    for (const struct role_message *m = d->role->parked.first; m != NULL; m = m->next) {
        if (m->seen.cause == ORG_CAUSE_ABSENCE && m->seen.holder == name->text && role_due_of(m) > d->now_ms)
            emit_returned(d, m, ORG_CAUSE_WAKE, m->seen.attempts, name->text, "");
    }
}

void decide_present(struct decision *d)
{
    const struct org_present *present = &d->command->present;
    const char *actor = text_or_empty(present->actor);
    if (!org_name_is_actor(actor)) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return;
    }
    uint32_t name = role_name_find(d->role, actor);
    bool was_present = name == MAP_NONE || !d->role->names[name]->is_absent;
    if (was_present == present->is_present) {
        d->answer->is_duplicate = true;
        return;
    }
    if (!may_keep(d, present, actor))
        return;
    org_presence_fields fields = {
        .at = d->now_ms, .by = d->actor, .via = d->via, .actor = actor, .is_present = present->is_present};
    emit(d, &org_presence_type, &fields);
    if (name != MAP_NONE && present->is_present)
        come_back(d, d->role->names[name]);
    else if (name != MAP_NONE)
        go_away(d, present, d->role->names[name]);
}

void decide_hand_over(struct decision *d)
{
    const char *note = text_or_empty(d->command->about.text);
    if (!check_lines(d, note, ORG_REASON_LEN_MAX))
        return;
    uint32_t name = role_name_find(d->role, d->actor);
    if (name == MAP_NONE || !d->role->names[name]->is_holder) {
        refuse(d, ORG_REFUSED_NOT_IN_SUCCESSION);
        return;
    }
    org_handed_over_fields fields = {.at = d->now_ms, .by = d->actor, .via = d->via, .note = note};
    emit(d, &org_handed_over_type, &fields);
}

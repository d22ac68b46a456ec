/* SPDX-License-Identifier: MIT */
/*
 * role_decide.c: from a command to its decision: who may, what is checked alike for all, and the way to the
 * rule. role.h says how a caller goes on from here. Any one thread at a time.
 */
#include <string.h>

#include "org/name.h"
#include "org/role_decision.h"
#include "org/text.h"

enum {
    HASH_PARTS_MIN = 5,
    HASH_PARTS_MAX = 9,
};

const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

void refuse(struct decision *d, enum org_refusal refusal)
{
    d->answer->kind = ORG_ANSWER_REFUSED;
    d->answer->refusal = refusal;
}

void answer_availability(struct decision *d)
{
    d->answer->holder = role_name_text(d->role, role_active(d->role));
    d->answer->availability = d->role->holder_count == 0  ? ORG_VACANT
                              : d->answer->holder == NULL ? ORG_ABSENT
                                                          : ORG_AVAILABLE;
}

static bool check_text(struct decision *d, const char *text, size_t len_max,
                       bool (*is_text)(const char *, size_t))
{
    size_t len = text == NULL ? 0 : strnlen(text, len_max + 1);
    if (len > len_max) {
        refuse(d, ORG_REFUSED_TOO_LARGE);
        return false;
    }
    if (len > 0 && !is_text(text, len)) {
        refuse(d, ORG_REFUSED_MALFORMED);
        return false;
    }
    return true;
}

bool check_line(struct decision *d, const char *text, size_t len_max)
{
    return check_text(d, text, len_max, org_text_is_line);
}

bool check_lines(struct decision *d, const char *text, size_t len_max)
{
    return check_text(d, text, len_max, org_text_is_lines);
}

uint64_t command_hash(const struct decision *d)
{
    const struct org_about *about = &d->command->about;
    /* Stored: what stands here for a command must go on standing here for it. */
    uint64_t parts[HASH_PARTS_MAX] = {
        (uint64_t)d->command->kind,
        (uint64_t)about->action,
        role_hash_actor(d->role, d->actor),
        role_hash_text(d->role, text_or_empty(about->text)),
        role_hash_text(d->role, text_or_empty(about->to)),
    };
    size_t count = HASH_PARTS_MIN;
    if (about->held_since != 0)
        parts[count++] = (uint64_t)about->held_since;
    if (d->command->kind == ORG_FAIL) {
        parts[count++] = about->is_crash;
    } else if (d->command->kind == ORG_DEFER) {
        parts[count++] = (uint64_t)about->until;
        parts[count++] = (uint64_t)about->after_ms;
        parts[count++] = about->awaits;
    }
    uint64_t hash = hash_bytes(&d->role->key, parts, count * sizeof(*parts));
    return hash == 0 ? 1 : hash;
}

/* What needs a role that is set up, and whether an actor must be named. */
static const struct rule {
    void (*decide)(struct decision *d);
    bool is_for_open;
    bool is_by_actor;
} rules[] = {
    [ORG_CONFIGURE] = {decide_configure, false, true},
    [ORG_PRESENT] = {decide_present, true, true},
    [ORG_HAND_OVER] = {decide_hand_over, true, true},
    [ORG_SEND] = {decide_send, true, true},
    [ORG_DELIVER] = {decide_deliver, true, false},
    [ORG_NEXT] = {decide_next, true, true},
    [ORG_RENEW] = {decide_renew, true, true},
    [ORG_FINISH] = {decide_finish, true, true},
    [ORG_DECLINE] = {decide_decline, true, true},
    [ORG_FORWARD] = {decide_forward, true, true},
    [ORG_DEFER] = {decide_defer, true, true},
    [ORG_FAIL] = {decide_fail, true, true},
    [ORG_RESOLVE] = {decide_resolve, true, true},
    [ORG_SETTLE] = {decide_settle, true, true},
    [ORG_ACKNOWLEDGE] = {decide_acknowledge, true, false},
    [ORG_UNDELIVERABLE] = {decide_undeliverable, true, false},
    [ORG_TICK] = {decide_tick, true, false},
};

static void apply_rule(struct decision *d)
{
    const struct rule *rule = &rules[d->command->kind];
    if (rule->is_for_open && d->role->configuration == NULL)
        refuse(d, ORG_REFUSED_CLOSED);
    else if (rule->is_by_actor && !org_name_is_actor(d->actor))
        refuse(d, ORG_REFUSED_MALFORMED);
    else if (*d->via != '\0' && !org_name_is_actor(d->via))
        refuse(d, ORG_REFUSED_MALFORMED);
    else
        rule->decide(d);
}

/* Reserves memory for the fold of each record that was added after byte `from`. */
static troupe_status reserve_from(struct org_role *role, const struct record_batch *batch, size_t from)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(batch);
    troupe_status status = TROUPE_OK;
    cursor.offset = from;
    while (status == TROUPE_OK && record_next(&cursor, &record) == TROUPE_OK)
        status = role_reserve(role, &record);
    return status;
}

troupe_status org_role_decide(struct org_role *role, const struct org_command *command, int64_t now_ms,
                              struct record_batch *batch, struct org_answer *ret_answer)
{
    struct org_answer answer = {.kind = ORG_ANSWER_OK, .wait_median_ms = -1, .wait_p95_ms = -1};
    struct decision_owed owed[DECISION_SENT_MAX]; /* not cleared: 2 KB, of which most decisions use nothing */
    struct decision d = {
        .role = role,
        .command = command,
        .actor = text_or_empty(command->who.actor),
        .via = text_or_empty(command->who.via),
        .now_ms = now_ms,
        .batch = batch,
        .begun = batch->bytes.size,
        .answer = &answer,
        .status = TROUPE_OK,
        .sent_next = role->outbox_first + (role->outbox_end - role->outbox_head),
        .owed = owed,
    };
    uint32_t count = batch->count;
    role_drop_reserved(role); /* of a decision that was not folded */
    apply_rule(&d);
    bool is_kept = answer.kind != ORG_ANSWER_REFUSED || d.is_recorded;
    if (d.status == TROUPE_OK && is_kept)
        d.status = reserve_from(role, batch, d.begun);
    if (d.status != TROUPE_OK || !is_kept)
        record_batch_truncate(batch, count, d.begun);
    if (d.status != TROUPE_OK) {
        role_drop_reserved(role);
        return d.status;
    }
    *ret_answer = answer;
    return TROUPE_OK;
}

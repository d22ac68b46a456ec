/* SPDX-License-Identifier: MIT */
/*
 * role_check.c: the invariants of role.h and role_state.h as a walk over the whole state. Tests call it after
 * each step, the server when it starts. It costs time in proportion to all messages there ever were. Any one
 * thread at a time.
 */
#include <string.h>

#include "org/role_state.h"

/* What the walk counts, to be compared with what folding counted. */
struct tally {
    struct org_counts counts;
    uint64_t counted;
    uint64_t counted_parked;
    uint64_t queued[ORG_CLASS_COUNT];
    uint64_t queued_work;
    uint64_t awaiting;
    uint64_t timed;
    uint64_t due;
};

bool org_counts_are_conserved(const struct org_counts *counts)
{
    return counts->accepted == counts->queued + counts->held + counts->parked + counts->quarantined +
                                   counts->done + counts->declined + counts->forwarded + counts->expired +
                                   counts->shed;
}

static bool is_in_heap(const struct heap *heap, const struct heap_node *node)
{
    return node->position < heap->count && heap->entries[node->position].node == node;
}

static bool is_queued_well(const struct org_role *role, const struct role_message *message)
{
    enum org_class message_class = message_body(message)->message_class;
    if (message->queue == NULL && role_is_told(message))
        return message->chain == &role->told && message->assigned_name == MAP_NONE;
    if (message->queue == NULL)
        return message->chain == &role->fresh[message_class] && message->seen.cause == 0;
    const struct heap *expected =
        message->is_first ? &role->put_off[message_class] : &role->returned[message_class];
    if (message->assigned_name != MAP_NONE) {
        const struct role_name *name = role->names[message->assigned_name];
        if (!name->is_holder || name->is_absent)
            return false;
        expected = &name->assigned[message_class];
    }
    return message->queue == expected && message->chain == NULL && is_in_heap(expected, &message->queue_node);
}

/* Whether a live message is where its state says; adds it to the tally. */
static bool check_live(const struct org_role *role, const struct role_message *message, struct tally *tally)
{
    const org_accepted *body = message_body(message);
    bool is_well = false;
    switch (message->seen.state) {
    case ORG_QUEUED:
        tally->counts.queued++;
        tally->queued[body->message_class]++;
        tally->queued_work += body->kind == ORG_KIND_MESSAGE;
        is_well = is_queued_well(role, message);
        break;
    case ORG_HELD:
        tally->counts.held++;
        is_well = message->chain == &role->names[message->holder_name]->held;
        break;
    case ORG_PARKED:
        tally->counts.parked++;
        tally->awaiting += message->seen.awaits != 0;
        is_well = message->chain == &role->parked;
        break;
    case ORG_QUARANTINED:
        tally->counts.quarantined++;
        is_well = message->chain == &role->quarantined;
        break;
    default:
        return false;
    }
    tally->counts.bytes +=
        (uint64_t)body->subject.size + body->body.size + body->note.size + body->attachments.size;
    bool is_counted = body->kind == ORG_KIND_MESSAGE;
    tally->counted += is_counted && message->seen.state != ORG_PARKED;
    tally->counted_parked += is_counted && message->seen.state == ORG_PARKED;
    tally->timed +=
        body->deadline != 0 && (message->seen.state == ORG_HELD || message->seen.state == ORG_QUARANTINED);
    bool is_due = role_due_of(message) != INT64_MAX;
    tally->due += is_due;
    return is_well && is_due == is_in_heap(&role->due, &message->due_node) && message->seen.id == body->id;
}

static bool check_entries(const struct org_role *role, struct tally *tally, const char **ret_reason)
{
    for (uint64_t i = 0; i < role->counts.accepted; i++) {
        const struct role_entry *entry = &role->entries[i];
        if (role_entry_of(role, entry->id) != entry) {
            *ret_reason = "a message is not found by its id";
            return false;
        }
        tally->counts.done += entry->state == ORG_DONE;
        tally->counts.declined += entry->state == ORG_DECLINED;
        tally->counts.forwarded += entry->state == ORG_FORWARDED;
        tally->counts.expired += entry->state == ORG_EXPIRED;
        tally->counts.shed += entry->state == ORG_SHED;
        if (entry->state >= ORG_DONE)
            continue;
        if (i < role->first_live || entry->live->number != i + 1 || !check_live(role, entry->live, tally)) {
            *ret_reason = "a message is not where its state says";
            return false;
        }
    }
    return true;
}

static bool check_tally(const struct org_role *role, const struct tally *tally)
{
    const struct org_counts *a = &role->counts;
    const struct org_counts *b = &tally->counts;
    return a->queued == b->queued && a->held == b->held && a->parked == b->parked &&
           a->quarantined == b->quarantined && a->done == b->done && a->declined == b->declined &&
           a->forwarded == b->forwarded && a->expired == b->expired && a->shed == b->shed &&
           a->bytes == b->bytes && role->counted == tally->counted &&
           role->queued_work == tally->queued_work && role->awaiting == tally->awaiting &&
           role->timed == tally->timed && role->counted_parked == tally->counted_parked &&
           role->due.count == tally->due && memcmp(role->queued, tally->queued, sizeof(role->queued)) == 0;
}

static bool check_outbox(const struct org_role *role)
{
    uint64_t owed = 0;
    for (size_t i = role->outbox_head; i < role->outbox_end; i++) {
        const struct role_outgoing *outgoing = role->outbox[i];
        if (outgoing == NULL)
            continue;
        const org_sent *sent = outgoing_body(outgoing);
        owed++;
        if (sent->number != role->outbox_first + (i - role->outbox_head) || sent->previous >= sent->number ||
            role_owed_last(role, outgoing->hash, troupe_flat_text(sent, sent->to)) < sent->number)
            return false;
    }
    return owed == role->counts.owed && role->outbox_map.count <= owed;
}

bool org_role_check(const struct org_role *role, const char **ret_reason)
{
    struct tally tally = {.counts = {0}};
    struct org_counts counts = org_role_counts(role);
    if (counts.misfits > 0) {
        *ret_reason = "a record did not fit the state";
        return false;
    }
    if (!org_counts_are_conserved(&counts)) {
        *ret_reason = "messages are not conserved";
        return false;
    }
    if (!check_entries(role, &tally, ret_reason))
        return false;
    if (!check_tally(role, &tally)) {
        *ret_reason = "the counters are not what there is";
        return false;
    }
    if (!check_outbox(role)) {
        *ret_reason = "the outbox is not in order";
        return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * role_fold.c: from records to state. Each kind of record has one function, which takes the message out of
 * its place, changes it and puts it where it belongs now. Memory was reserved (role_reserve.c), so nothing
 * here can fail.
 *
 * A record that does not fit (another number than the next, a message that is not there or not in a state
 * from which this can happen) changes nothing but the count of misfits: what is on disk cannot be argued
 * with, and org_role_check tells it.
 *
 * Place: after decide, and when a stream is read again. Any one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "org/plant.h"
#include "org/role_fold.h"

/* --- messages ------------------------------------------------------------------------------------ */

static uint64_t text_bytes(const org_accepted *body)
{
    return (uint64_t)body->subject.size + body->body.size + body->note.size + body->attachments.size;
}

/* The live message with an id, if it is in one of these states; else a misfit. */
static struct role_message *expect(struct org_role *role, uint64_t id, unsigned states)
{
    struct role_message *message = role_live(role, id);
    if (message == NULL || (states & 1u << message->seen.state) == 0) {
        fold_misfit(role);
        return NULL;
    }
    return message;
}

/* The same, for a record that also says how often the message has failed. */
static struct role_message *expect_attempts(struct org_role *role, uint64_t id, unsigned states,
                                            uint8_t attempts)
{
    if (attempts <= ORG_ATTEMPTS_MAX)
        return expect(role, id, states);
    fold_misfit(role);
    return NULL;
}

enum {
    IN_QUEUED = 1 << ORG_QUEUED,
    IN_HELD = 1 << ORG_HELD,
    IN_PARKED = 1 << ORG_PARKED,
    IN_QUARANTINED = 1 << ORG_QUARANTINED,
};

/* Ends a message: its entry stays, its body goes. */
static void end_message(struct org_role *role, struct role_message *message, enum org_state state,
                        uint64_t command_hash)
{
    struct role_entry *entry = &role->entries[message->number - 1];
    role_displace(role, message);
    role->counts.bytes -= text_bytes(message_body(message));
    entry->state = (uint8_t)state;
    entry->command_hash = command_hash;
    while (role->first_live < role->counts.accepted && role->entries[role->first_live].state >= ORG_DONE)
        role->first_live++;
    free(message);
}

static void note_receipt(struct org_role *role, const org_accepted *body)
{
    const char *key = troupe_flat_text(body, body->key);
    if (*key == '\0')
        return;
    struct hash_wide hash = role_hash_key(role, troupe_flat_text(body, body->by), key);
    if (role_receipt_find(role, &hash) != NULL) {
        fold_misfit(role);
        return;
    }
    role->receipts[role->receipt_count] = (struct role_receipt){
        .key = hash,
        .content = body->content_hash,
        .wait_median_ms = body->wait_median_ms,
        .wait_p95_ms = body->wait_p95_ms,
        .entry = (uint32_t)(body->number - 1),
        .position = body->position,
    };
    map_insert(&role->receipt_map, hash.words[0], (uint32_t)role->receipt_count);
    role->receipt_count++;
}

void fold_source(struct org_role *role, const char *text, uint64_t number, uint64_t id)
{
    if (*text == '\0')
        return;
    struct role_source *source = (struct role_source *)role_source_find(role, text);
    if (number <= source->number) {
        fold_misfit(role);
        return;
    }
    if (ORG_PLANTED(source_forgotten) && role->is_replayed)
        return;
    source->number = number;
    source->id = id;
}

static void fold_accepted(struct org_role *role, const struct record *record)
{
    struct role_message *message = role_take_reserved(role);
    memset(message, 0, sizeof(*message));
    memcpy(message->body, record->body, record->size);
    const org_accepted *body = message_body(message);
    bool is_fit = role->configuration != NULL && body->number == role->counts.accepted + 1 &&
                  role_entry_of(role, body->id) == NULL && body->message_class < ORG_CLASS_COUNT &&
                  (body->kind <= ORG_KIND_ESCALATION || body->kind == ORG_KIND_NOTICE) &&
                  fold_is_time(body->at);
    if (!is_fit) {
        fold_misfit(role);
        free(message);
        return;
    }
    message->size = record->size;
    message->number = body->number;
    message->holder_name = MAP_NONE;
    message->assigned_name = MAP_NONE;
    heap_node_init(&message->queue_node);
    heap_node_init(&message->due_node);
    message->seen.accepted = body;
    message->seen.id = body->id;
    message->seen.state = ORG_QUEUED;

    role->entries[role->counts.accepted] =
        (struct role_entry){.id = body->id, .live = message, .state = ORG_QUEUED};
    map_insert(&role->ids, hash_number(body->id), (uint32_t)role->counts.accepted);
    role->last_id = body->id > role->last_id ? body->id : role->last_id;
    role->counts.accepted++;
    role->counts.insisted += body->is_insisted;
    role->counts.bytes += text_bytes(body);
    if (!ORG_PLANTED(key_forgotten) || !role->is_replayed)
        note_receipt(role, body);
    fold_source(role, troupe_flat_text(body, body->source), body->source_number, body->id);
    role_place(role, message);
}

static void fold_taken(struct org_role *role, const struct record *record)
{
    const org_taken *body = record->body;
    struct role_message *message = expect(role, body->id, IN_QUEUED);
    uint32_t name = role_name_find(role, troupe_flat_text(body, body->by));
    if (message == NULL || (ORG_PLANTED(claimed_twice) && role->is_replayed))
        return;
    if (name == MAP_NONE) {
        fold_misfit(role);
        return;
    }
    role_displace(role, message);
    message->holder_name = name;
    message->assigned_name = MAP_NONE;
    message->is_first = false;
    message->seen.state = ORG_HELD;
    message->seen.holder = role->names[name]->text;
    message->seen.assigned = NULL;
    message->seen.held_since = body->at;
    message->seen.lease_until = body->lease_until;
    role_place(role, message);
}

static void fold_renewed(struct org_role *role, const struct record *record)
{
    const org_renewed *body = record->body;
    struct role_message *message = expect(role, body->id, IN_HELD);
    if (message == NULL)
        return;
    message->seen.lease_until = body->lease_until;
    heap_remove(&role->due, &message->due_node);
    heap_insert(&role->due, &message->due_node, body->lease_until, message->number);
}

/* Only what people wait for says how long one waits. */
static void note_completion(struct org_role *role, const struct role_message *message, int64_t at)
{
    if (message_body(message)->kind == ORG_KIND_MESSAGE && fold_is_time(at))
        org_waits_add(role->waits, message_body(message)->at, at);
}

static void fold_done(struct org_role *role, const struct record *record)
{
    const org_done *body = record->body;
    struct role_message *message = expect(role, body->id, IN_HELD | IN_QUARANTINED);
    if (message == NULL)
        return;
    role->counts.done++;
    note_completion(role, message, body->at);
    end_message(role, message, ORG_DONE, body->command_hash);
}

static void fold_declined(struct org_role *role, const struct record *record)
{
    const org_declined *body = record->body;
    struct role_message *message = expect(role, body->id, IN_QUEUED | IN_HELD | IN_QUARANTINED);
    if (message == NULL)
        return;
    role->counts.declined += !ORG_PLANTED(decline_uncounted);
    if (message->seen.state != ORG_QUEUED) /* what nobody was there for says nothing of how long work takes */
        note_completion(role, message, body->at);
    end_message(role, message, ORG_DECLINED, body->command_hash);
}

static void fold_forwarded(struct org_role *role, const struct record *record)
{
    const org_forwarded *body = record->body;
    struct role_message *message = expect(role, body->id, IN_QUEUED | IN_HELD);
    if (message == NULL)
        return;
    role->counts.forwarded++;
    note_completion(role, message, body->at);
    end_message(role, message, ORG_FORWARDED, body->command_hash);
}

static void fold_expired(struct org_role *role, const struct record *record)
{
    const org_expired *body = record->body;
    struct role_message *message = expect(role, body->id, IN_QUEUED | IN_PARKED);
    if (message == NULL)
        return;
    role->counts.expired++;
    end_message(role, message, ORG_EXPIRED, 0);
}

static void fold_shed(struct org_role *role, const struct record *record)
{
    const org_shed *body = record->body;
    struct role_message *message = expect(role, body->id, IN_QUEUED);
    if (message == NULL)
        return;
    role->counts.shed++;
    end_message(role, message, ORG_SHED, 0);
}

static void fold_parked(struct org_role *role, const struct record *record)
{
    const org_parked *body = record->body;
    struct role_message *message = expect_attempts(role, body->id, IN_HELD, body->attempts);
    if (message == NULL)
        return;
    role_displace(role, message);
    message->seen.state = ORG_PARKED;
    message->seen.cause = body->cause;
    message->seen.attempts = body->attempts;
    message->seen.parked_until = body->until;
    role_place(role, message);
}

static void fold_awaiting(struct org_role *role, const struct record *record)
{
    const org_awaiting *body = record->body;
    struct role_message *message = expect(role, body->id, IN_PARKED);
    if (message == NULL)
        return;
    if (body->awaits == 0 || message->seen.awaits != 0) {
        fold_misfit(role);
        return;
    }
    message->seen.awaits = body->awaits;
    role->awaiting++;
}

static void fold_let_go(struct org_role *role, const struct record *record)
{
    const org_let_go *body = record->body;
    struct role_message *message = expect(role, body->id, IN_HELD);
    if (message != NULL)
        message->let_go_hash = body->command_hash;
}

static void fold_returned(struct org_role *role, const struct record *record)
{
    const org_returned *body = record->body;
    unsigned states = IN_HELD | IN_PARKED | IN_QUARANTINED;
    struct role_message *message = expect_attempts(role, body->id, states, body->attempts);
    if (message == NULL)
        return;
    if (body->cause == 0) { /* what was taken once never counts as fresh again */
        fold_misfit(role);
        return;
    }
    uint32_t assigned = role_name_find(role, troupe_flat_text(body, body->assigned));
    bool is_there =
        assigned != MAP_NONE && role->names[assigned]->is_holder && !role->names[assigned]->is_absent;
    role_displace(role, message);
    message->seen.state = ORG_QUEUED;
    message->seen.cause = body->cause;
    message->seen.attempts = body->attempts;
    message->is_first = body->is_first && !is_there; /* who has it assigned takes it anyhow */
    message->assigned_name = is_there ? assigned : MAP_NONE;
    message->seen.assigned = role_name_text(role, message->assigned_name);
    role_place(role, message);
}

static void fold_quarantined(struct org_role *role, const struct record *record)
{
    const org_quarantined *body = record->body;
    struct role_message *message = expect_attempts(role, body->id, IN_HELD, body->attempts);
    if (message == NULL)
        return;
    role_displace(role, message);
    message->seen.state = ORG_QUARANTINED;
    message->seen.cause = body->cause;
    message->seen.attempts = body->attempts;
    role_place(role, message);
}

/* What follows from it comes as records of its own; here is only noted that the entry has come. */
static void fold_resolved(struct org_role *role, const struct record *record)
{
    const org_resolved *body = record->body;
    fold_source(role, troupe_flat_text(body, body->source), body->source_number, 0);
}

/* --- the outbox ---------------------------------------------------------------------------------- */

static void fold_sent(struct org_role *role, const struct record *record)
{
    struct role_outgoing *outgoing = role_take_reserved(role);
    outgoing->size = record->size;
    memcpy(outgoing->body, record->body, record->size);
    const org_sent *body = outgoing_body(outgoing);
    const char *to = troupe_flat_text(body, body->to);
    uint64_t hash = role_hash_text(role, to);
    uint64_t previous = role_owed_last(role, hash, to);
    if (body->number != role->outbox_first + (role->outbox_end - role->outbox_head) ||
        body->previous != previous) {
        fold_misfit(role);
        free(outgoing);
        return;
    }
    struct role_outgoing *last = role_outgoing(role, previous);
    if (last != NULL) {
        map_remove(&role->outbox_map, hash, (uint32_t)outgoing_body(last)->number);
        last->later = outgoing;
    }
    map_insert(&role->outbox_map, hash, (uint32_t)body->number);
    outgoing->earlier = last;
    outgoing->later = NULL;
    outgoing->hash = hash;
    role->outbox[role->outbox_end++] = outgoing;
    role->counts.owed++;
}

/*
 * Takes an entry out of the chain of those for its role. When it was the last of them, the one before it is.
 */
static void unlink_outgoing(struct org_role *role, const struct role_outgoing *outgoing)
{
    if (outgoing->earlier != NULL)
        outgoing->earlier->later = outgoing->later;
    if (outgoing->later != NULL) {
        outgoing->later->earlier = outgoing->earlier;
        return;
    }
    map_remove(&role->outbox_map, outgoing->hash, (uint32_t)outgoing_body(outgoing)->number);
    if (outgoing->earlier != NULL)
        map_insert(&role->outbox_map, outgoing->hash, (uint32_t)outgoing_body(outgoing->earlier)->number);
}

static void fold_delivered(struct org_role *role, const struct record *record)
{
    const org_delivered *body = record->body;
    struct role_outgoing *outgoing = role_outgoing(role, body->number);
    if (outgoing == NULL) {
        fold_misfit(role);
        return;
    }
    if (body->is_dead && outgoing->later != NULL) {
        /* It will never be there for the next one to come after. */
        org_sent *later = (org_sent *)(void *)outgoing->later->body;
        later->previous = outgoing_body(outgoing)->previous;
    }
    unlink_outgoing(role, outgoing);
    role->outbox[role->outbox_head + (size_t)(body->number - role->outbox_first)] = NULL;
    free(outgoing);
    role->counts.owed--;
    role->counts.dead += body->is_dead;
    while (role->outbox_head < role->outbox_end && role->outbox[role->outbox_head] == NULL) {
        role->outbox_head++;
        role->outbox_first++;
    }
}

/* --- all ----------------------------------------------------------------------------------------- */

/* The most frequent first. */
static const struct {
    const troupe_type *type;
    void (*fold)(struct org_role *role, const struct record *record);
} folds[] = {
    {&org_accepted_type, fold_accepted},
    {&org_taken_type, fold_taken},
    {&org_done_type, fold_done},
    {&org_sent_type, fold_sent},
    {&org_delivered_type, fold_delivered},
    {&org_declined_type, fold_declined},
    {&org_forwarded_type, fold_forwarded},
    {&org_renewed_type, fold_renewed},
    {&org_parked_type, fold_parked},
    {&org_returned_type, fold_returned},
    {&org_quarantined_type, fold_quarantined},
    {&org_resolved_type, fold_resolved},
    {&org_expired_type, fold_expired},
    {&org_shed_type, fold_shed},
    {&org_reported_type, fold_reported},
    {&org_refused_type, fold_refused},
    {&org_awaiting_type, fold_awaiting},
    {&org_let_go_type, fold_let_go},
    {&org_troubled_type, fold_troubled},
    {&org_handed_over_type, fold_handed_over},
    {&org_presence_type, fold_presence},
    {&org_role_configured_type, fold_configured},
    {&org_role_rules_type, fold_rules},
    {&org_role_readable_type, fold_readable},
    {&org_role_opened_type, fold_opened},
};

enum { FOLD_COUNT = sizeof(folds) / sizeof(folds[0]) };

static size_t fold_index(const struct record *record)
{
    size_t i = 0;
    while (i < FOLD_COUNT && folds[i].type->id != record->type)
        i++;
    return i;
}

/* An occurrence of overflow is over when half of the mailbox is free. */
static void end_overflow(struct org_role *role)
{
    struct role_tally *tally = role->tallies[TALLY_REFUSALS];
    if (tally == NULL || !tally->is_raised || role->configuration == NULL ||
        org_role_counts(role).occupied > role_configured(role)->capacity / 2)
        return;
    tally->is_raised = false;
    tally->count = 0;
}

void role_fold(struct org_role *role, const struct record *record)
{
    size_t i = fold_index(record);
    if (i < FOLD_COUNT)
        folds[i].fold(role, record);
    else
        fold_misfit(role);
    end_overflow(role);
    if (role->reserved_count > 0)
        role->reserved_count--;
}

void org_role_fold_batch(struct org_role *role, const struct record_batch *batch, size_t from)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(batch);
    cursor.offset = from;
    while (record_next(&cursor, &record) == TROUPE_OK)
        role_fold(role, &record);
}

troupe_status org_role_replay(struct org_role *role, const struct record *record)
{
    size_t i = fold_index(record);
    if (i == FOLD_COUNT || record->version != folds[i].type->version)
        return TROUPE_UNEXPECTED;
    troupe_status status = troupe_flat_check(folds[i].type, record->body, record->size);
    if (status == TROUPE_OK)
        status = role_reserve(role, record);
    if (status != TROUPE_OK) {
        role_drop_reserved(role);
        return status;
    }
    role->is_replayed =
        ORG_PLANTED(key_forgotten) || ORG_PLANTED(source_forgotten) || ORG_PLANTED(claimed_twice);
    role_fold(role, record);
    role->is_replayed = false;
    return TROUPE_OK;
}

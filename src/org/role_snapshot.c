/* SPDX-License-Identifier: MIT */
/*
 * role_snapshot.c: a role's whole state as bytes, and (role_restore.c) back, so that waking up does not mean
 * reading a life's worth of records: state = snapshot + the records after it.
 *
 *     head | names | configuration | note | entries | receipts | sources | waits | tallies | messages |
 *     outbox
 *
 * every part at a multiple of 8. Messages stand in the order of their places (the chains' order is state: who
 * took first); heaps are ordered by what the messages say, so they are built anew.
 *
 * A snapshot is never the truth: one that was written by another version, or that does not fit, is refused,
 * and the stream is read from its beginning instead. So nothing here has to be readable for ever: when the
 * state changes, ORG_SNAPSHOT_VERSION changes with it. The assertions below fail when a struct of the state
 * gets another size and this file was not looked at.
 *
 * Place: saved by the role's actor after an append, restored before the rest of the stream is replayed. Pure;
 * any one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "org/role_saved.h"

/* Sizes of 64-bit machines; whoever changes one of these structs saves and restores the new field here. */
_Static_assert(sizeof(struct role_name) == 112, "role_name: save and restore what is new, then mend this");
_Static_assert(sizeof(struct role_message) - sizeof(struct org_message) == 88, "role_message: the same");
_Static_assert(sizeof(struct org_message) == 80, "org_message: the same");
_Static_assert(sizeof(struct role_entry) == 24, "role_entry: the same");
_Static_assert(sizeof(struct role_receipt) == 48, "role_receipt is saved as it lies, without padding");
_Static_assert(sizeof(struct org_counts) == 18 * sizeof(uint64_t), "org_counts is saved as it lies");

/* --- writing ------------------------------------------------------------------------------------- */

/* The first failure stays; what follows does nothing. */
struct saving {
    struct buffer *bytes;
    troupe_status status;
};

static void put(struct saving *saving, const void *bytes, size_t size)
{
    if (saving->status == TROUPE_OK && size > 0)
        saving->status = buffer_append(saving->bytes, bytes, size);
    if (saving->status == TROUPE_OK)
        saving->status = buffer_align(saving->bytes, sizeof(uint64_t));
}

static void save_message(struct saving *saving, const struct role_message *message)
{
    struct saved_message saved = {
        .number = message->number,
        .let_go_hash = message->let_go_hash,
        .awaits = message->seen.awaits,
        .held_since = message->seen.held_since,
        .lease_until = message->seen.lease_until,
        .parked_until = message->seen.parked_until,
        .holder_name = message->holder_name,
        .assigned_name = message->assigned_name,
        .state = (uint8_t)message->seen.state,
        .attempts = message->seen.attempts,
        .cause = (uint8_t)message->seen.cause,
        .is_first = message->is_first,
        .size = (uint32_t)message->size,
    };
    put(saving, &saved, sizeof(saved));
    put(saving, message->body, message->size);
}

static uint64_t save_chain(struct saving *saving, const struct role_chain *chain)
{
    uint64_t count = 0;
    for (const struct role_message *message = chain->first; message != NULL; message = message->next, count++)
        save_message(saving, message);
    return count;
}

/* Chains in their order, then whatever waits in a heap, which orders itself. */
static uint64_t save_messages(struct saving *saving, const struct org_role *role)
{
    uint64_t count = save_chain(saving, &role->parked) + save_chain(saving, &role->quarantined) +
                     save_chain(saving, &role->told);
    for (int i = 0; i < ORG_CLASS_COUNT; i++)
        count += save_chain(saving, &role->fresh[i]);
    for (size_t i = 0; i < role->name_count; i++)
        count += save_chain(saving, &role->names[i]->held);
    for (uint64_t i = role->first_live; i < role->counts.accepted; i++) {
        const struct role_entry *entry = &role->entries[i];
        if (entry->state < ORG_DONE && entry->live->chain == NULL) {
            save_message(saving, entry->live);
            count++;
        }
    }
    return count;
}

static void save_names(struct saving *saving, const struct org_role *role)
{
    for (size_t i = 0; i < role->name_count; i++) {
        const struct role_name *name = role->names[i];
        struct saved_name saved = {(uint32_t)strlen(name->text) + 1, name->is_absent, name->is_holder};
        put(saving, &saved, sizeof(saved));
        put(saving, name->text, saved.size);
    }
}

/* All messages that ever were: by far the most of a long life, so its room is made once. */
static void save_entries(struct saving *saving, const struct org_role *role)
{
    size_t size = (size_t)role->counts.accepted * sizeof(struct saved_entry);
    void *place = NULL;
    if (saving->status == TROUPE_OK)
        saving->status = buffer_extend(saving->bytes, size, &place);
    if (saving->status != TROUPE_OK)
        return;
    struct saved_entry *saved = place;
    for (uint64_t i = 0; i < role->counts.accepted; i++) {
        const struct role_entry *entry = &role->entries[i];
        bool is_live = entry->state < ORG_DONE;
        saved[i] = (struct saved_entry){entry->id, is_live ? 0 : entry->command_hash, entry->state};
    }
}

static void save_sources(struct saving *saving, const struct org_role *role)
{
    for (size_t i = 0; i < role->source_count; i++) {
        const struct role_source *source = &role->sources[i];
        struct saved_source saved = {source->number, source->id, strlen(source->text) + 1};
        put(saving, &saved, sizeof(saved));
        put(saving, source->text, saved.size);
    }
}

static void save_block(struct saving *saving, const void *body, uint64_t size)
{
    put(saving, &size, sizeof(size));
    put(saving, body, size);
}

static void save_tallies(struct saving *saving, const struct org_role *role)
{
    for (int i = 0; i < TALLY_COUNT; i++) {
        const struct role_tally *tally = role->tallies[i];
        if (tally == NULL)
            continue;
        struct saved_tally saved = {.count = tally->count,
                                    .next = tally->next,
                                    .is_pending = tally->is_pending,
                                    .is_raised = tally->is_raised};
        memcpy(saved.at, tally->at, sizeof(saved.at));
        put(saving, &saved, sizeof(saved));
    }
}

static struct saved_head head_of(const struct org_role *role)
{
    struct saved_head head = {
        .version = ORG_SNAPSHOT_VERSION,
        .is_open = role->is_open,
        .key = {role->key.words[0], role->key.words[1]},
        .counts = role->counts,
        .name_count = (uint32_t)role->name_count,
        .holder_count = role->holder_count,
        .receipt_count = role->receipt_count,
        .source_count = role->source_count,
        .outbox_first = role->outbox_first,
        .outbox_span = role->outbox_end - role->outbox_head,
        .refusals_period_ms = role->rules.refusals_period_ms,
        .failures_period_ms = role->rules.failures_period_ms,
        .refusals_max = role->rules.refusals_max,
        .failures_max = role->rules.failures_max,
        .on_absent = role->rules.on_absent,
        .on_overflow = role->rules.on_overflow,
        .is_absence_told = role->is_absence_told,
        .is_readable = role->is_readable,
        .has_waits = role->waits != NULL,
    };
    for (int i = 0; i < TALLY_COUNT; i++)
        head.has_tally[i] = role->tallies[i] != NULL;
    memcpy(head.holders, role->holders, role->holder_count * sizeof(head.holders[0]));
    return head;
}

troupe_status org_role_save(const struct org_role *role, struct buffer *bytes)
{
    size_t before = bytes->size;
    struct saving saving = {.bytes = bytes, .status = TROUPE_OK};
    struct saved_head head = head_of(role);
    put(&saving, &head, sizeof(head));
    save_names(&saving, role);
    const struct role_configuration *configuration = role->configuration;
    save_block(&saving, configuration != NULL ? configuration->body : NULL,
               configuration != NULL ? configuration->size : 0);
    save_block(&saving, role->note != NULL ? role->note->body : NULL,
               role->note != NULL ? role->note->size : 0);
    save_entries(&saving, role);
    put(&saving, role->receipts, role->receipt_count * sizeof(*role->receipts));
    save_sources(&saving, role);
    put(&saving, role->waits, role->waits != NULL ? sizeof(*role->waits) : 0);
    save_tallies(&saving, role);
    head.message_count = save_messages(&saving, role);
    for (size_t i = role->outbox_head; i < role->outbox_end; i++) {
        if (role->outbox[i] != NULL)
            save_block(&saving, role->outbox[i]->body, role->outbox[i]->size);
    }
    if (saving.status == TROUPE_OK)
        memcpy(bytes->bytes + before, &head, sizeof(head));
    else
        buffer_truncate(bytes, before);
    return saving.status;
}

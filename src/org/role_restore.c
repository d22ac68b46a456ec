/* SPDX-License-Identifier: MIT */
/*
 * role_restore.c: from a snapshot to a role. Nothing in it is trusted: what does not fit is refused, and the
 * stream is read from its beginning instead. role_snapshot.c says how its parts lie. Pure; any one thread at
 * a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "org/plant.h"
#include "org/role_saved.h"

/* Beyond this a snapshot is taken for damaged. */
#define OUTBOX_SPAN_MAX ((uint64_t)1 << 28)

/* --- reading ------------------------------------------------------------------------------------- */

struct reading {
    const unsigned char *bytes;
    size_t size;
    size_t at;
};

/* The next part, where it lies; NULL when there is not so much. */
static const void *take(struct reading *reading, uint64_t size)
{
    if (size > reading->size - reading->at)
        return NULL;
    const void *part = reading->bytes + reading->at;
    reading->at += (size_t)((size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t));
    if (reading->at > reading->size)
        reading->at = reading->size;
    return part;
}

/* The next text, which ends where its size says. */
static const char *take_text(struct reading *reading, uint64_t size)
{
    const char *text = size > 0 ? take(reading, size) : NULL;
    return text != NULL && memchr(text, '\0', (size_t)size) == text + size - 1 ? text : NULL;
}

/* The next flat body of a type, checked as one from a stream is. */
static const void *take_body(struct reading *reading, const troupe_type *type, uint64_t size)
{
    const void *body = take(reading, size);
    return body != NULL && troupe_flat_check(type, body, (size_t)size) == TROUPE_OK ? body : NULL;
}

static troupe_status read_names(struct org_role *role, struct reading *reading, const struct saved_head *head)
{
    for (uint32_t i = 0; i < head->name_count; i++) {
        const struct saved_name *saved = take(reading, sizeof(*saved));
        const char *text = saved != NULL ? take_text(reading, saved->size) : NULL;
        if (text == NULL || *text == '\0')
            return TROUPE_MALFORMED;
        troupe_status status = role_reserve_name(role, text);
        if (status != TROUPE_OK)
            return status;
        if (role->name_count != i + 1)
            return TROUPE_MALFORMED; /* the same name twice */
        role->names[i]->is_absent = saved->is_absent;
        role->names[i]->is_holder = saved->is_holder;
    }
    if (head->holder_count > ORG_SUCCESSION_MAX)
        return TROUPE_MALFORMED;
    for (uint32_t i = 0; i < head->holder_count; i++) {
        if (head->holders[i] >= role->name_count)
            return TROUPE_MALFORMED;
        role->holders[i] = head->holders[i];
    }
    role->holder_count = head->holder_count;
    return TROUPE_OK;
}

static troupe_status read_configuration(struct org_role *role, struct reading *reading)
{
    const uint64_t *size = take(reading, sizeof(*size));
    if (size == NULL || *size == 0)
        return size == NULL ? TROUPE_MALFORMED : TROUPE_OK;
    const void *body = take_body(reading, &org_role_configured_type, *size);
    if (body == NULL)
        return TROUPE_MALFORMED;
    role->configuration = malloc(sizeof(*role->configuration) + (size_t)*size);
    if (role->configuration == NULL)
        return TROUPE_NO_MEMORY;
    role->configuration->size = (size_t)*size;
    memcpy(role->configuration->body, body, (size_t)*size);
    return TROUPE_OK;
}

static troupe_status read_note(struct org_role *role, struct reading *reading)
{
    const uint64_t *size = take(reading, sizeof(*size));
    if (size == NULL || *size == 0)
        return size == NULL ? TROUPE_MALFORMED : TROUPE_OK;
    const void *body = take_body(reading, &org_handed_over_type, *size);
    if (body == NULL)
        return TROUPE_MALFORMED;
    role->note = malloc(sizeof(*role->note) + (size_t)*size);
    if (role->note == NULL)
        return TROUPE_NO_MEMORY;
    role->note->size = (size_t)*size;
    memcpy(role->note->body, body, (size_t)*size);
    return TROUPE_OK;
}

static troupe_status read_rules(struct org_role *role, const struct saved_head *head)
{
    if (head->refusals_max > ORG_TALLY_MAX || head->failures_max > ORG_TALLY_MAX)
        return TROUPE_MALFORMED;
    role->is_absence_told = head->is_absence_told != 0;
    role->is_readable = head->is_readable != 0;
    role->rules = (struct role_rules){.refusals_period_ms = head->refusals_period_ms,
                                      .failures_period_ms = head->failures_period_ms,
                                      .refusals_max = head->refusals_max,
                                      .failures_max = head->failures_max,
                                      .on_absent = (uint8_t)head->on_absent,
                                      .on_overflow = (uint8_t)head->on_overflow};
    return TROUPE_OK;
}

static troupe_status read_tallies(struct org_role *role, struct reading *reading,
                                  const struct saved_head *head)
{
    for (int i = 0; i < TALLY_COUNT; i++) {
        if (head->has_tally[i] == 0)
            continue;
        const struct saved_tally *saved = take(reading, sizeof(*saved));
        if (saved == NULL || saved->count > ORG_TALLY_MAX + 1 || saved->next > ORG_TALLY_MAX)
            return TROUPE_MALFORMED;
        struct role_tally *tally = calloc(1, sizeof(*tally));
        if (tally == NULL)
            return TROUPE_NO_MEMORY;
        memcpy(tally->at, saved->at, sizeof(tally->at));
        tally->count = saved->count;
        tally->next = saved->next;
        tally->is_pending = saved->is_pending != 0;
        tally->is_raised = saved->is_raised != 0;
        role->tallies[i] = tally;
    }
    return TROUPE_OK;
}

/* Entries of live messages say so, and get their message later. */
static troupe_status read_entries(struct org_role *role, struct reading *reading, uint64_t count)
{
    const struct saved_entry *saved =
        count < MAP_NONE ? take(reading, count * sizeof(struct saved_entry)) : NULL;
    if (saved == NULL)
        return TROUPE_MALFORMED;
    troupe_status status =
        array_reserve(&role->entries, &role->entry_capacity, (size_t)count, sizeof(*role->entries));
    if (status == TROUPE_OK)
        status = map_reserve(&role->ids, (size_t)count);
    if (status != TROUPE_OK)
        return status;
    for (uint64_t i = 0; i < count; i++) {
        bool is_live = saved[i].state < ORG_DONE;
        if (saved[i].state > ORG_SHED || saved[i].state == 0)
            return TROUPE_MALFORMED;
        role->entries[i] = (struct role_entry){.id = saved[i].id, .state = (uint8_t)saved[i].state};
        if (is_live)
            role->entries[i].live = NULL;
        else
            role->entries[i].command_hash = saved[i].command_hash;
        map_insert(&role->ids, hash_number(saved[i].id), (uint32_t)i);
        role->last_id = saved[i].id > role->last_id ? saved[i].id : role->last_id;
        role->counts.accepted++; /* one by one: what is counted is freed with the role */
    }
    return TROUPE_OK;
}

static troupe_status read_receipts(struct org_role *role, struct reading *reading, uint64_t count)
{
    const struct role_receipt *saved =
        count <= role->counts.accepted ? take(reading, count * sizeof(*saved)) : NULL;
    if (saved == NULL)
        return TROUPE_MALFORMED;
    troupe_status status =
        array_reserve(&role->receipts, &role->receipt_capacity, (size_t)count, sizeof(*role->receipts));
    if (status == TROUPE_OK)
        status = map_reserve(&role->receipt_map, (size_t)count);
    for (uint64_t i = 0; i < count && status == TROUPE_OK; i++) {
        if (saved[i].entry >= role->counts.accepted)
            return TROUPE_MALFORMED;
        role->receipts[i] = saved[i];
        map_insert(&role->receipt_map, saved[i].key.words[0], (uint32_t)i);
        role->receipt_count++;
    }
    return status;
}

static troupe_status read_sources(struct org_role *role, struct reading *reading, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct saved_source *saved = take(reading, sizeof(*saved));
        const char *text = saved != NULL ? take_text(reading, saved->size) : NULL;
        if (text == NULL || *text == '\0')
            return TROUPE_MALFORMED;
        troupe_status status = role_reserve_source(role, text);
        if (status != TROUPE_OK)
            return status;
        if (role->source_count != i + 1)
            return TROUPE_MALFORMED;
        role->sources[i].number = saved->number;
        role->sources[i].id = saved->id;
    }
    return TROUPE_OK;
}

static troupe_status read_waits(struct org_role *role, struct reading *reading)
{
    const struct org_waits *saved = take(reading, sizeof(*saved));
    if (saved == NULL || saved->count > ORG_COMPLETIONS_KEPT || saved->next >= ORG_COMPLETIONS_KEPT)
        return TROUPE_MALFORMED;
    role->waits = malloc(sizeof(*role->waits));
    if (role->waits == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(role->waits, saved, sizeof(*saved));
    return TROUPE_OK;
}

/* Room in every heap that this message may be put into. */
static troupe_status reserve_place(struct org_role *role, const struct role_message *message)
{
    enum org_class message_class = message_body(message)->message_class;
    troupe_status status = heap_reserve(&role->due, 1);
    if (status == TROUPE_OK && message->assigned_name != MAP_NONE)
        status = heap_reserve(&role->names[message->assigned_name]->assigned[message_class], 1);
    if (status == TROUPE_OK)
        status = heap_reserve(&role->put_off[message_class], 1);
    if (status == TROUPE_OK)
        status = heap_reserve(&role->returned[message_class], 1);
    return status;
}

static bool is_message_right(const struct org_role *role, const struct saved_message *saved,
                             const org_accepted *body)
{
    if (saved->number == 0 || saved->number > role->counts.accepted || body->number != saved->number)
        return false;
    const struct role_entry *entry = &role->entries[saved->number - 1];
    bool is_held = saved->state == ORG_HELD;
    return entry->state < ORG_DONE && entry->live == NULL && entry->id == body->id &&
           body->message_class < ORG_CLASS_COUNT && saved->state >= ORG_QUEUED && saved->state < ORG_DONE &&
           (saved->awaits == 0 || saved->state == ORG_PARKED) &&
           (saved->holder_name < role->name_count || (saved->holder_name == MAP_NONE && !is_held)) &&
           (saved->assigned_name < role->name_count || saved->assigned_name == MAP_NONE);
}

static troupe_status read_message(struct org_role *role, struct reading *reading)
{
    const struct saved_message *saved = take(reading, sizeof(*saved));
    const org_accepted *body = saved != NULL ? take_body(reading, &org_accepted_type, saved->size) : NULL;
    if (body == NULL || !is_message_right(role, saved, body))
        return TROUPE_MALFORMED;
    struct role_message *message = calloc(1, sizeof(*message) + saved->size);
    if (message == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(message->body, body, saved->size);
    message->size = saved->size;
    message->number = saved->number;
    message->holder_name = saved->holder_name;
    message->assigned_name = saved->assigned_name;
    message->is_first = saved->is_first;
    heap_node_init(&message->queue_node);
    heap_node_init(&message->due_node);
    message->seen = (struct org_message){
        .accepted = message_body(message),
        .id = body->id,
        .state = (enum org_state)saved->state,
        .attempts = saved->attempts,
        .cause = (enum org_cause)saved->cause,
        .holder = role_name_text(role, saved->holder_name),
        .assigned = role_name_text(role, saved->assigned_name),
        .held_since = saved->held_since,
        .lease_until = saved->lease_until,
        .parked_until = saved->parked_until,
        .awaits = saved->awaits,
    };
    message->let_go_hash = saved->let_go_hash;
    role->awaiting += saved->awaits != 0;
    role->entries[saved->number - 1].live = message; /* from here on it is freed with the role */
    troupe_status status = reserve_place(role, message);
    if (status == TROUPE_OK)
        role_place(role, message);
    if (ORG_PLANTED(lease_forgotten) && status == TROUPE_OK && message->seen.state == ORG_HELD)
        heap_remove(&role->due, &message->due_node);
    return status;
}

/* One more number at the end of the outbox; what had it has arrived, unless an entry is put there. */
static troupe_status add_place(struct org_role *role)
{
    troupe_status status =
        array_reserve(&role->outbox, &role->outbox_capacity, role->outbox_end + 1, sizeof(*role->outbox));
    if (status == TROUPE_OK)
        role->outbox[role->outbox_end++] = NULL;
    return status;
}

/* Puts an entry at the end of the outbox and of the chain of those for its role. */
static troupe_status add_outgoing(struct org_role *role, const org_sent *body, size_t size)
{
    const char *to = troupe_flat_text(body, body->to);
    uint64_t hash = role_hash_text(role, to);
    struct role_outgoing *last = role_outgoing(role, role_owed_last(role, hash, to));
    struct role_outgoing *outgoing = malloc(sizeof(*outgoing) + size);
    troupe_status status = outgoing == NULL ? TROUPE_NO_MEMORY : map_reserve(&role->outbox_map, 1);
    if (status == TROUPE_OK)
        status = add_place(role);
    if (status != TROUPE_OK) {
        free(outgoing);
        return status;
    }
    outgoing->size = size;
    memcpy(outgoing->body, body, size);
    outgoing->earlier = last;
    outgoing->later = NULL;
    outgoing->hash = hash;
    if (last != NULL) {
        map_remove(&role->outbox_map, hash, (uint32_t)outgoing_body(last)->number);
        last->later = outgoing;
    }
    role->outbox[role->outbox_end - 1] = outgoing;
    map_insert(&role->outbox_map, hash, (uint32_t)body->number);
    role->counts.owed++;
    return TROUPE_OK;
}

static troupe_status read_outbox(struct org_role *role, struct reading *reading,
                                 const struct saved_head *head)
{
    troupe_status status = TROUPE_OK;
    if (head->outbox_first == 0 || head->outbox_span > OUTBOX_SPAN_MAX)
        return TROUPE_MALFORMED;
    role->outbox_first = head->outbox_first;
    for (uint64_t owed = 0; owed < head->counts.owed && status == TROUPE_OK; owed++) {
        const uint64_t *size = take(reading, sizeof(*size));
        const org_sent *body = size != NULL ? take_body(reading, &org_sent_type, *size) : NULL;
        uint64_t place = body != NULL ? body->number - role->outbox_first : 0;
        if (body == NULL || place < role->outbox_end || place >= head->outbox_span)
            return TROUPE_MALFORMED;
        while (status == TROUPE_OK && role->outbox_end < place)
            status = add_place(role);
        if (status == TROUPE_OK)
            status = add_outgoing(role, body, (size_t)*size);
    }
    while (status == TROUPE_OK && role->outbox_end < head->outbox_span)
        status = add_place(role);
    return status;
}

static troupe_status restore(struct org_role *role, struct reading *reading, const struct saved_head *head)
{
    role->is_open = head->is_open != 0;
    role_set_key(role, &(struct hash_key){{head->key[0], head->key[1]}});
    troupe_status status = read_names(role, reading, head);
    if (status == TROUPE_OK)
        status = read_configuration(role, reading);
    if (status == TROUPE_OK)
        status = read_rules(role, head);
    if (status == TROUPE_OK)
        status = read_note(role, reading);
    if (status == TROUPE_OK)
        status = read_entries(role, reading, head->counts.accepted);
    if (status == TROUPE_OK)
        status = read_receipts(role, reading, head->receipt_count);
    if (status == TROUPE_OK)
        status = read_sources(role, reading, head->source_count);
    if (status == TROUPE_OK && head->has_waits != 0)
        status = read_waits(role, reading);
    if (status == TROUPE_OK)
        status = read_tallies(role, reading, head);
    for (uint64_t i = 0; i < head->message_count && status == TROUPE_OK; i++)
        status = read_message(role, reading);
    if (status == TROUPE_OK)
        status = read_outbox(role, reading, head);
    if (status != TROUPE_OK)
        return status;
    while (role->first_live < role->counts.accepted && role->entries[role->first_live].state >= ORG_DONE)
        role->first_live++;
    struct org_counts counts = head->counts;
    const struct org_counts *placed = &role->counts;
    bool is_same = counts.queued == placed->queued && counts.held == placed->held &&
                   counts.parked == placed->parked && counts.quarantined == placed->quarantined &&
                   counts.owed == placed->owed && org_counts_are_conserved(&counts);
    role->counts = counts;
    return is_same ? TROUPE_OK : TROUPE_MALFORMED;
}

troupe_status org_role_restore(const char *name, const void *bytes, size_t size, struct org_role **ret_role)
{
    struct reading reading = {.bytes = bytes, .size = size};
    const struct saved_head *head = take(&reading, sizeof(*head));
    if (head == NULL)
        return TROUPE_MALFORMED;
    if (head->version != ORG_SNAPSHOT_VERSION)
        return TROUPE_UNEXPECTED;
    struct org_role *role = NULL;
    troupe_status status = org_role_new(name, &role);
    if (status == TROUPE_OK)
        status = restore(role, &reading, head);
    if (status == TROUPE_OK) {
        *ret_role = role;
        return TROUPE_OK;
    }
    org_role_free(role);
    return status;
}

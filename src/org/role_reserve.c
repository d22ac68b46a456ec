/* SPDX-License-Identifier: MIT */
/*
 * role_reserve.c: memory for records before they are folded, so that a fold cannot fail. Whatever a fold
 * keeps in a block of its own (a message, an entry of the outbox, a configuration) is allocated here and
 * waits in the order of the records; whatever it adds to an array, a table or a heap has its place made here.
 * Names are entered here, where a name more does no harm.
 *
 * Place: after decide has written records, and before a stored record is folded. Any one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "org/role_state.h"

static troupe_status reserve_block(struct org_role *role, size_t size)
{
    struct role_block *block = malloc(size);
    if (block == NULL)
        return TROUPE_NO_MEMORY;
    block->next = NULL;
    *role->reserved_end = block;
    role->reserved_end = &block->next;
    return TROUPE_OK;
}

void *role_take_reserved(struct org_role *role)
{
    struct role_block *block = role->reserved;
    role->reserved = block->next;
    if (role->reserved == NULL)
        role->reserved_end = &role->reserved;
    return block;
}

void role_drop_reserved(struct org_role *role)
{
    while (role->reserved != NULL)
        free(role_take_reserved(role));
    role->reserved_count = 0;
}

troupe_status role_reserve_name(struct org_role *role, const char *text)
{
    const char *copy;
    void *name;
    if (text[0] == '\0' || role_name_find(role, text) != MAP_NONE)
        return TROUPE_OK;
    troupe_status status =
        array_reserve(&role->names, &role->name_capacity, role->name_count + 1, sizeof(*role->names));
    if (status == TROUPE_OK)
        status = map_reserve(&role->name_map, 1);
    if (status == TROUPE_OK)
        status = arena_text(&role->texts, text, strlen(text), &copy);
    if (status == TROUPE_OK)
        status = arena_take(&role->texts, sizeof(struct role_name), &name);
    if (status != TROUPE_OK)
        return status;
    role->names[role->name_count] = name;
    uint64_t hash = role_hash_text(role, copy);
    *role->names[role->name_count] = (struct role_name){.text = copy, .hash = hash};
    map_insert(&role->name_map, hash, (uint32_t)role->name_count);
    role->name_count++;
    return TROUPE_OK;
}

troupe_status role_reserve_source(struct org_role *role, const char *text)
{
    const char *copy;
    if (text[0] == '\0' || role_source_find(role, text) != NULL)
        return TROUPE_OK;
    troupe_status status =
        array_reserve(&role->sources, &role->source_capacity, role->source_count + 1, sizeof(*role->sources));
    if (status == TROUPE_OK)
        status = map_reserve(&role->source_map, 1);
    if (status == TROUPE_OK)
        status = arena_text(&role->texts, text, strlen(text), &copy);
    if (status != TROUPE_OK)
        return status;
    role->sources[role->source_count] = (struct role_source){.text = copy};
    map_insert(&role->source_map, role_hash_text(role, copy), (uint32_t)role->source_count);
    role->source_count++;
    return TROUPE_OK;
}

static troupe_status reserve_accepted(struct org_role *role, const struct record *record)
{
    const org_accepted *body = record->body;
    size_t more = role->reserved_count + 1;
    size_t count = (size_t)role->counts.accepted + more;
    troupe_status status = count < MAP_NONE ? TROUPE_OK : TROUPE_LIMIT;
    if (status == TROUPE_OK)
        status = array_reserve(&role->entries, &role->entry_capacity, count, sizeof(*role->entries));
    if (status == TROUPE_OK)
        status = map_reserve(&role->ids, more);
    if (status == TROUPE_OK && body->key.size > 0)
        status = array_reserve(&role->receipts, &role->receipt_capacity, role->receipt_count + more,
                               sizeof(*role->receipts));
    if (status == TROUPE_OK && body->key.size > 0)
        status = map_reserve(&role->receipt_map, more);
    if (status == TROUPE_OK)
        status = role_reserve_source(role, troupe_flat_text(body, body->source));
    if (status == TROUPE_OK)
        status = reserve_block(role, sizeof(struct role_message) + record->size);
    return status;
}

/* A place to be queued again in, whatever the class. */
static troupe_status reserve_return(struct org_role *role, const char *assigned)
{
    size_t more = role->reserved_count + 1;
    troupe_status status = role_reserve_name(role, assigned);
    uint32_t name = status == TROUPE_OK ? role_name_find(role, assigned) : MAP_NONE;
    for (int i = 0; i < ORG_CLASS_COUNT && status == TROUPE_OK; i++) {
        status = heap_reserve(&role->returned[i], more);
        if (status == TROUPE_OK)
            status = heap_reserve(&role->put_off[i], more);
        if (status == TROUPE_OK && name != MAP_NONE)
            status = heap_reserve(&role->names[name]->assigned[i], more);
    }
    return status;
}

/* Places for all that is assigned to anybody, should the assignment end. */
static troupe_status reserve_unassign(struct org_role *role)
{
    troupe_status status = TROUPE_OK;
    for (int i = 0; i < ORG_CLASS_COUNT && status == TROUPE_OK; i++) {
        size_t more = role->reserved_count + 1;
        for (size_t name = 0; name < role->name_count; name++)
            more += role->names[name]->assigned[i].count;
        status = heap_reserve(&role->returned[i], more);
    }
    return status;
}

/*
 * Takes the seed at once, because names of the same batch are entered under it. Names that are there already
 * come from an opening that was decided and not folded; nothing refers to them.
 */
static troupe_status reserve_opened(struct org_role *role, const org_role_opened *body)
{
    if (role->is_open)
        return TROUPE_OK;
    for (size_t i = 0; i < role->name_count; i++) {
        for (int c = 0; c < ORG_CLASS_COUNT; c++)
            heap_done(&role->names[i]->assigned[c]);
    }
    map_clear(&role->name_map);
    map_clear(&role->source_map);
    role->name_count = 0;
    role->source_count = 0;
    role_set_key(role, &(struct hash_key){{body->seed[0], body->seed[1]}});
    return TROUPE_OK;
}

static troupe_status reserve_configured(struct org_role *role, const struct record *record)
{
    const org_role_configured *body = record->body;
    const char *holders = troupe_flat_text(body, body->holders);
    troupe_status status = reserve_unassign(role);
    while (*holders != '\0' && status == TROUPE_OK) {
        char name[ORG_ACTOR_NAME_LEN_MAX + 1];
        size_t len = strcspn(holders, "\n");
        if (len >= sizeof(name))
            return TROUPE_MALFORMED;
        memcpy(name, holders, len);
        name[len] = '\0';
        status = role_reserve_name(role, name);
        holders += len + (holders[len] == '\n');
    }
    return status == TROUPE_OK ? reserve_block(role, sizeof(struct role_configuration) + record->size)
                               : status;
}

static troupe_status reserve_sent(struct org_role *role, const struct record *record)
{
    size_t more = role->reserved_count + 1;
    if (role->outbox_head > 0 && role->outbox_end + more > role->outbox_capacity) {
        size_t used = role->outbox_end - role->outbox_head;
        memmove(role->outbox, role->outbox + role->outbox_head, used * sizeof(*role->outbox));
        role->outbox_head = 0;
        role->outbox_end = used;
    }
    troupe_status status =
        array_reserve(&role->outbox, &role->outbox_capacity, role->outbox_end + more, sizeof(*role->outbox));
    if (status == TROUPE_OK)
        status = map_reserve(&role->outbox_map, more);
    if (status == TROUPE_OK)
        status = reserve_block(role, sizeof(struct role_outgoing) + record->size);
    return status;
}

static troupe_status reserve_waits(struct org_role *role)
{
    if (role->waits == NULL)
        role->waits = calloc(1, sizeof(*role->waits));
    return role->waits == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

static troupe_status reserve_tally(struct org_role *role, int which)
{
    if (role->tallies[which] == NULL)
        role->tallies[which] = calloc(1, sizeof(struct role_tally));
    return role->tallies[which] == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

static troupe_status reserve_reported(struct org_role *role, const org_reported *body)
{
    troupe_status status = role_reserve_source(role, troupe_flat_text(body, body->source));
    if (status != TROUPE_OK)
        return status;
    return reserve_tally(role,
                         body->holder_kind == ORG_PROGRAM ? TALLY_FAILURES_PROGRAM : TALLY_FAILURES_PERSON);
}

static troupe_status reserve(struct org_role *role, const struct record *record)
{
    const void *body = record->body;
    uint32_t type = record->type;
    if (type == org_accepted_type.id)
        return reserve_accepted(role, record);
    if (type == org_taken_type.id)
        return role_reserve_name(role, troupe_flat_text(body, ((const org_taken *)body)->by));
    if (type == org_sent_type.id)
        return reserve_sent(role, record);
    if (type == org_done_type.id || type == org_declined_type.id || type == org_forwarded_type.id)
        return reserve_waits(role);
    if (type == org_returned_type.id)
        return reserve_return(role, troupe_flat_text(body, ((const org_returned *)body)->assigned));
    if (type == org_role_opened_type.id)
        return reserve_opened(role, body);
    if (type == org_role_configured_type.id)
        return reserve_configured(role, record);
    if (type == org_resolved_type.id)
        return role_reserve_source(role, troupe_flat_text(body, ((const org_resolved *)body)->source));
    if (type == org_reported_type.id)
        return reserve_reported(role, body);
    if (type == org_refused_type.id)
        return reserve_tally(role, TALLY_REFUSALS);
    if (type == org_handed_over_type.id)
        return reserve_block(role, sizeof(struct role_note) + record->size);
    if (type == org_presence_type.id) {
        troupe_status status = reserve_unassign(role);
        return status == TROUPE_OK
                   ? role_reserve_name(role, troupe_flat_text(body, ((const org_presence *)body)->actor))
                   : status;
    }
    return TROUPE_OK;
}

troupe_status role_reserve(struct org_role *role, const struct record *record)
{
    troupe_status status =
        heap_reserve(&role->due, role->reserved_count + 1); /* any of them can make a message due */
    if (status == TROUPE_OK)
        status = reserve(role, record);
    if (status == TROUPE_OK)
        role->reserved_count++;
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * role.c: a role's beginning and end, and looking at it; role.h is its interface, role_state.h what it is
 * made of. Any one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "org/plant.h"
#include "org/name.h"
#include "org/role_state.h"

/* So many names are compared one by one. */
enum { NAMES_WALKED_MAX = 4 };

/* --- living -------------------------------------------------------------------------------------- */

troupe_status org_role_new(const char *name, struct org_role **ret_role)
{
    if (!org_name_is_address(name))
        return TROUPE_INVALID;
    struct org_role *role = calloc(1, sizeof(*role));
    if (role == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(role->name, name, strlen(name));
    role_set_key(role, &(struct hash_key){{0, 0}});
    role->outbox_first = 1;
    role->reserved_end = &role->reserved;
    role->rules = (struct role_rules){.refusals_period_ms = ORG_REFUSALS_PERIOD_MS,
                                      .refusals_max = ORG_REFUSALS_MAX,
                                      .failures_max = ORG_FAILURES_MAX};
    *ret_role = role;
    return TROUPE_OK;
}

static void free_names(struct org_role *role)
{
    for (size_t i = 0; i < role->name_count; i++) {
        for (int c = 0; c < ORG_CLASS_COUNT; c++)
            heap_done(&role->names[i]->assigned[c]);
    }
    free(role->names);
    map_done(&role->name_map);
    arena_done(&role->texts);
}

void org_role_free(struct org_role *role)
{
    if (role == NULL)
        return;
    role_drop_reserved(role);
    for (uint64_t i = role->first_live; i < role->counts.accepted; i++) {
        if (role->entries[i].state < ORG_DONE)
            free(role->entries[i].live);
    }
    for (size_t i = role->outbox_head; i < role->outbox_end; i++)
        free(role->outbox[i]);
    for (int c = 0; c < ORG_CLASS_COUNT; c++) {
        heap_done(&role->returned[c]);
        heap_done(&role->put_off[c]);
    }
    heap_done(&role->due);
    map_done(&role->ids);
    map_done(&role->receipt_map);
    map_done(&role->source_map);
    map_done(&role->outbox_map);
    free_names(role);
    free(role->entries);
    free(role->receipts);
    free(role->sources);
    free(role->outbox);
    for (int i = 0; i < TALLY_COUNT; i++)
        free(role->tallies[i]);
    free(role->waits);
    free(role->note);
    free(role->configuration);
    free(role);
}

/* --- names and holders --------------------------------------------------------------------------- */

void role_set_key(struct org_role *role, const struct hash_key *key)
{
    role->key = *key;
    role->hash_of_nothing = hash_bytes(key, "", 0);
}

uint64_t role_hash_text(const struct org_role *role, const char *text)
{
    return *text == '\0' ? role->hash_of_nothing : hash_bytes(&role->key, text, strlen(text));
}

uint64_t role_hash_actor(const struct org_role *role, const char *actor)
{
    uint32_t name = role_name_find(role, actor);
    return name == MAP_NONE ? role_hash_text(role, actor) : role->names[name]->hash;
}

static bool is_name(const void *context, uint32_t index, const void *key)
{
    const struct org_role *role = context;
    return strcmp(role->names[index]->text, key) == 0;
}

uint32_t role_name_find(const struct org_role *role, const char *text)
{
    if (role->name_count <=
        NAMES_WALKED_MAX) { /* cheaper than a hash, and most roles have one holder or two */
        for (uint32_t i = 0; i < role->name_count; i++) {
            if (strcmp(role->names[i]->text, text) == 0)
                return i;
        }
        return MAP_NONE;
    }
    return map_find(&role->name_map, role_hash_text(role, text), is_name, role, text);
}

const char *role_name_text(const struct org_role *role, uint32_t name)
{
    return name == MAP_NONE ? NULL : role->names[name]->text;
}

uint32_t role_active(const struct org_role *role)
{
    for (uint32_t i = 0; i < role->holder_count; i++) {
        if (!role->names[role->holders[i]]->is_absent || ORG_PLANTED(absence_ignored))
            return role->holders[i];
    }
    return MAP_NONE;
}

uint32_t role_next_present(const struct org_role *role, uint32_t name)
{
    uint32_t i = 0;
    while (i < role->holder_count && role->holders[i] != name)
        i++;
    for (i++; i < role->holder_count; i++) {
        if (!role->names[role->holders[i]]->is_absent)
            return role->holders[i];
    }
    return MAP_NONE;
}

/* --- messages, sources, receipts, entries of the outbox ------------------------------------------ */

static bool is_entry(const void *context, uint32_t index, const void *key)
{
    const struct org_role *role = context;
    return role->entries[index].id == *(const uint64_t *)key;
}

const struct role_entry *role_entry_of(const struct org_role *role, uint64_t id)
{
    if (id > role->last_id) /* as every new one is: nothing has to be fetched to say so */
        return NULL;
    uint32_t found = map_find(&role->ids, hash_number(id), is_entry, role, &id);
    return found == MAP_NONE ? NULL : &role->entries[found];
}

struct role_message *role_live(const struct org_role *role, uint64_t id)
{
    const struct role_entry *entry = role_entry_of(role, id);
    return entry == NULL || entry->state >= ORG_DONE ? NULL : entry->live;
}

static bool is_source(const void *context, uint32_t index, const void *key)
{
    const struct org_role *role = context;
    return strcmp(role->sources[index].text, key) == 0;
}

const struct role_source *role_source_find(const struct org_role *role, const char *text)
{
    if (role->source_count <= NAMES_WALKED_MAX) {
        for (size_t i = 0; i < role->source_count; i++) {
            if (strcmp(role->sources[i].text, text) == 0)
                return &role->sources[i];
        }
        return NULL;
    }
    uint32_t found = map_find(&role->source_map, role_hash_text(role, text), is_source, role, text);
    return found == MAP_NONE ? NULL : &role->sources[found];
}

struct hash_wide role_hash_key(const struct org_role *role, const char *by, const char *key)
{
    /* Both hashed first, so that where one text ends and the other begins makes a difference. */
    struct hash_wide parts[2] = {
        hash_bytes_wide(&role->key, by, strlen(by)),
        hash_bytes_wide(&role->key, key, strlen(key)),
    };
    return hash_bytes_wide(&role->key, parts, sizeof(parts));
}

static bool is_receipt(const void *context, uint32_t index, const void *key)
{
    const struct org_role *role = context;
    return memcmp(&role->receipts[index].key, key, sizeof(struct hash_wide)) == 0;
}

const struct role_receipt *role_receipt_find(const struct org_role *role, const struct hash_wide *key)
{
    uint32_t found = map_find(&role->receipt_map, key->words[0], is_receipt, role, key);
    return found == MAP_NONE ? NULL : &role->receipts[found];
}

struct role_outgoing *role_outgoing(const struct org_role *role, uint64_t number)
{
    uint64_t place = number - role->outbox_first;
    if (number < role->outbox_first || place >= role->outbox_end - role->outbox_head)
        return NULL;
    return role->outbox[role->outbox_head + (size_t)place];
}

/* The table holds the low 32 bits of a number; entries that are owed lie within 2^32 of the first one. */
static uint64_t whole_number(const struct org_role *role, uint32_t low)
{
    return role->outbox_first + (uint32_t)(low - (uint32_t)role->outbox_first);
}

static bool is_owed_to(const void *context, uint32_t index, const void *key)
{
    const struct org_role *role = context;
    const struct role_outgoing *outgoing = role_outgoing(role, whole_number(role, index));
    return outgoing != NULL &&
           strcmp(troupe_flat_text(outgoing->body, outgoing_body(outgoing)->to), key) == 0;
}

uint64_t role_owed_last(const struct org_role *role, uint64_t hash, const char *to)
{
    uint32_t found = map_find(&role->outbox_map, hash, is_owed_to, role, to);
    return found == MAP_NONE ? 0 : whole_number(role, found);
}

/* --- looking ------------------------------------------------------------------------------------- */

static enum org_action or_escalate(uint8_t action)
{
    return action == 0 ? ORG_ACTION_ESCALATE : (enum org_action)action;
}

static void view_rules(const struct org_role *role, struct org_role_view *view)
{
    view->on_fail = role_action_for(role, ORG_CAUSE_FAIL);
    view->on_lapse = role_action_for(role, ORG_CAUSE_LAPSE);
    view->on_crash = role_action_for(role, ORG_CAUSE_CRASH);
    view->on_absent = or_escalate(role->rules.on_absent);
    view->on_overflow = or_escalate(role->rules.on_overflow);
    view->refusals_max = role->rules.refusals_max;
    view->refusals_period_ms = role->rules.refusals_period_ms;
    view->failures_max = role->rules.failures_max;
    view->failures_period_ms = role_failures_period(role, view->holder_kind);
    view->is_readable = role->is_readable;
}

struct org_role_view org_role_view(const struct org_role *role)
{
    struct org_role_view view = {.name = role->name,
                                 .redirect_to = "",
                                 .supervisor = "",
                                 .availability = ORG_VACANT,
                                 .note = "",
                                 .note_by = "",
                                 .is_open = role->is_open};
    if (role->configuration == NULL)
        return view;
    const org_role_configured *configured = role_configured(role);
    view.supervisor = role_configured_text(role, configured->supervisor);
    view.holder = role_name_text(role, role_active(role));
    if (role->holder_count > 0)
        view.availability = view.holder == NULL ? ORG_ABSENT : ORG_AVAILABLE;
    view.holder_kind = configured->holder_kind;
    view.holder_count = role->holder_count;
    view.capacity = configured->capacity;
    view.bytes_max = configured->bytes_max;
    view.lease_ms = configured->lease_ms;
    view.ageing_ms = configured->ageing_ms;
    view.redirect_to = role_configured_text(role, configured->redirect_to);
    view.overflow = configured->overflow;
    view_rules(role, &view);
    bool is_root = *view.supervisor == '\0';
    view.has_alarm = (role->counts.quarantined > 0 && (is_root || role->counts.dead > 0)) ||
                     (is_root && ((view.holder == NULL && role->queued_work > 0) || role_has_stuck(role)));
    if (role->note != NULL) {
        const org_handed_over *note = (const org_handed_over *)(const void *)role->note->body;
        view.note = troupe_flat_text(note, note->note);
        view.note_by = troupe_flat_text(note, note->by);
        view.note_at = note->at;
    }
    view.timed = role->timed;
    if (role->first_live < role->counts.accepted)
        view.oldest_at = message_body(role->entries[role->first_live].live)->at;
    return view;
}

const char *org_role_holder(const struct org_role *role, size_t place, bool *ret_is_absent)
{
    if (place >= role->holder_count)
        return NULL;
    const struct role_name *name = role->names[role->holders[place]];
    if (ret_is_absent != NULL)
        *ret_is_absent = name->is_absent;
    return name->text;
}

struct org_counts org_role_counts(const struct org_role *role)
{
    struct org_counts counts = role->counts;
    counts.occupied = role->counted;
    uint64_t capacity = role->configuration == NULL ? 0 : role_configured(role)->capacity;
    if (role->counted_parked > capacity)
        counts.occupied += role->counted_parked - capacity;
    return counts;
}

const struct org_message *org_role_find(const struct org_role *role, uint64_t id)
{
    const struct role_message *message = role_live(role, id);
    return message == NULL ? NULL : &message->seen;
}

bool org_role_state_of(const struct org_role *role, uint64_t id, enum org_state *ret_state)
{
    const struct role_entry *entry = role_entry_of(role, id);
    if (entry == NULL)
        return false;
    *ret_state = entry->state < ORG_DONE ? entry->live->seen.state : (enum org_state)entry->state;
    return true;
}

static size_t list_chain(const struct role_chain *chain, const struct org_message **list, size_t count,
                         size_t limit)
{
    for (const struct role_message *m = chain->first; m != NULL && count < limit; m = m->next)
        list[count++] = &m->seen;
    return count;
}

size_t org_role_held_by(const struct org_role *role, const char *actor,
                        const struct org_message **ret_messages, size_t limit)
{
    uint32_t name = role_name_find(role, actor);
    return name == MAP_NONE ? 0 : list_chain(&role->names[name]->held, ret_messages, 0, limit);
}

size_t org_role_list(const struct org_role *role, enum org_state state, int64_t now_ms,
                     const struct org_message **ret_messages, size_t limit)
{
    size_t count = 0;
    switch (state) {
    case ORG_QUEUED:
        return role_list_queued(role, role_aged_at(role, NULL, now_ms), ret_messages, limit);
    case ORG_HELD:
        for (size_t i = 0; i < role->name_count; i++)
            count = list_chain(&role->names[i]->held, ret_messages, count, limit);
        return count;
    case ORG_PARKED:
        return list_chain(&role->parked, ret_messages, 0, limit);
    case ORG_QUARANTINED:
        return list_chain(&role->quarantined, ret_messages, 0, limit);
    default:
        return 0;
    }
}

static size_t list_late(const struct role_chain *chain, int64_t now_ms, const struct org_message **list,
                        size_t count, size_t limit)
{
    for (const struct role_message *message = chain->first; message != NULL && count < limit;
         message = message->next) {
        int64_t deadline = message_body(message)->deadline;
        if (deadline != 0 && deadline <= now_ms)
            list[count++] = &message->seen;
    }
    return count;
}

size_t org_role_list_late(const struct org_role *role, int64_t now_ms,
                          const struct org_message **ret_messages, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < role->name_count && role->timed > 0; i++)
        count = list_late(&role->names[i]->held, now_ms, ret_messages, count, limit);
    return role->timed > 0 ? list_late(&role->quarantined, now_ms, ret_messages, count, limit) : 0;
}

size_t org_role_list_for(const struct org_role *role, const char *actor, const struct org_hours *hours,
                         int64_t now_ms, const struct org_message **ret_messages, size_t limit,
                         uint64_t *ret_total)
{
    uint32_t name = role_name_find(role, actor);
    bool is_active = name != MAP_NONE && name == role_active(role);
    *ret_total = role_count_for(role, name, is_active);
    return role_list_for(role, name, is_active, role_aged_at(role, hours, now_ms), ret_messages, limit);
}

enum org_class org_role_class_of(const struct org_role *role, const struct org_message *message,
                                 const struct org_hours *hours, int64_t now_ms)
{
    return role_class_at((const struct role_message *)message, role_aged_at(role, hours, now_ms));
}

const char *org_message_text(const struct org_message *message, troupe_span span)
{
    return troupe_flat_text(message->accepted, span);
}

const org_sent *org_role_outbox_after(const struct org_role *role, uint64_t after, size_t *ret_size)
{
    uint64_t number = after < role->outbox_first ? role->outbox_first : after + 1;
    uint64_t end = role->outbox_first + (role->outbox_end - role->outbox_head);
    for (; number < end; number++) {
        const struct role_outgoing *outgoing = role_outgoing(role, number);
        if (outgoing != NULL) {
            *ret_size = outgoing->size;
            return outgoing_body(outgoing);
        }
    }
    return NULL;
}

uint64_t org_role_outbox_last(const struct org_role *role)
{
    return role->outbox_first + (role->outbox_end - role->outbox_head) - 1;
}

uint64_t org_role_last_id(const struct org_role *role)
{
    return role->last_id;
}

bool org_role_outbox_waits(const struct org_role *role, uint64_t number)
{
    const struct role_outgoing *outgoing = role_outgoing(role, number);
    return outgoing != NULL && outgoing->earlier != NULL;
}

int64_t org_role_due_ms(const struct org_role *role)
{
    if (role_is_in_trouble(role))
        return 0;
    const struct heap_entry *first = heap_first(&role->due);
    return first == NULL ? INT64_MAX : first->key;
}

const char *org_refusal_text(enum org_refusal refusal)
{
#define REFUSAL_TEXT(name, text) text,
    static const char *const texts[] = {ORG_REFUSAL_LIST(REFUSAL_TEXT)};
#undef REFUSAL_TEXT
    return (size_t)refusal < sizeof(texts) / sizeof(texts[0]) ? texts[refusal]
                                                              : "for a reason not known here";
}

const char *org_state_text(enum org_state state)
{
    static const char *const texts[] = {"unknown", "queued",   "held",      "parked",  "quarantined",
                                        "done",    "declined", "forwarded", "expired", "shed"};
    return (size_t)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : texts[0];
}

/* SPDX-License-Identifier: MIT */
/*
 * role_queue.c: who waits where, and who is next; role_state.h lists the places. Fold puts messages into them
 * and takes them out, decide only looks. Any one thread at a time.
 *
 * The order of taking: the higher class first; in it what was put off and is due again; then the oldest. A
 * message older than the role's ageing limit counts one class higher, so that nothing starves. No place has
 * to be searched for that: in each of them the oldest is in front, and when it does not count higher, nothing
 * behind it does. This is why what was put off waits in a place of its own.
 */
#include <string.h>

#include "org/name.h"
#include "org/plant.h"
#include "org/role_state.h"

/* --- chains -------------------------------------------------------------------------------------- */

static void chain_append(struct role_chain *chain, struct role_message *message)
{
    message->chain = chain;
    message->next = NULL;
    message->previous = chain->last;
    if (chain->last == NULL)
        chain->first = message;
    else
        chain->last->next = message;
    chain->last = message;
}

static void chain_remove(struct role_message *message)
{
    struct role_chain *chain = message->chain;
    if (message->previous == NULL)
        chain->first = message->next;
    else
        message->previous->next = message->next;
    if (message->next == NULL)
        chain->last = message->previous;
    else
        message->next->previous = message->previous;
    message->chain = NULL;
}

/* --- places -------------------------------------------------------------------------------------- */

struct role_message *role_queue_message(const struct heap_entry *entry)
{
    return (struct role_message *)((char *)entry->node - offsetof(struct role_message, queue_node));
}

static void queue_insert(struct heap *heap, struct role_message *message)
{
    message->queue = heap;
    heap_insert(heap, &message->queue_node, (int64_t)message->number, 0);
}

bool role_is_told(const struct role_message *message)
{
    return message_body(message)->kind == ORG_KIND_ESCALATION ||
           message_body(message)->kind == ORG_KIND_NOTICE;
}

/* Whether more than one have failed: the message, and escalations of it. */
static bool has_several_failers(const struct role_message *message)
{
    const org_accepted *body = message_body(message);
    return body->kind == ORG_KIND_ESCALATION && strchr(message_text(message, body->by), '\n') != NULL;
}

static void queue_up(struct org_role *role, struct role_message *message)
{
    enum org_class message_class = message_body(message)->message_class;
    if (message->assigned_name != MAP_NONE)
        queue_insert(&role->names[message->assigned_name]->assigned[message_class], message);
    else if (role_is_told(message)) {
        chain_append(&role->told, message);
        role->told_several += has_several_failers(message);
    } else if (message->seen.cause == 0)
        chain_append(&role->fresh[message_class], message);
    else if (message->is_first)
        queue_insert(&role->put_off[message_class], message);
    else
        queue_insert(&role->returned[message_class], message);
}

static void place_queued(struct org_role *role, struct role_message *message)
{
    role->counts.queued++;
    role->queued[message_body(message)->message_class]++;
    role->queued_work += message_body(message)->kind == ORG_KIND_MESSAGE;
    queue_up(role, message);
}

static void displace_queued(struct org_role *role, struct role_message *message)
{
    role->counts.queued--;
    role->queued[message_body(message)->message_class]--;
    role->queued_work -= message_body(message)->kind == ORG_KIND_MESSAGE;
    if (message->queue != NULL) {
        heap_remove(message->queue, &message->queue_node);
        message->queue = NULL;
    } else {
        role->told_several -= message->chain == &role->told && has_several_failers(message);
        chain_remove(message);
    }
}

int64_t role_due_of(const struct role_message *message)
{
    int64_t deadline = message_body(message)->deadline == 0 ? INT64_MAX : message_body(message)->deadline;
    switch (message->seen.state) {
    case ORG_QUEUED:
        return deadline;
    case ORG_HELD:
        return message->seen.lease_until;
    case ORG_PARKED:
        if (ORG_PLANTED(parking_untimed))
            return deadline;
        return deadline < message->seen.parked_until ? deadline : message->seen.parked_until;
    default:
        return INT64_MAX;
    }
}

/* Whether it counts against the capacity: what the role must take anyhow, as answers, does not. */
static bool is_counted(const struct role_message *message)
{
    return message_body(message)->kind == ORG_KIND_MESSAGE;
}

void role_place(struct org_role *role, struct role_message *message)
{
    struct role_name *holder;
    switch (message->seen.state) {
    case ORG_QUEUED:
        place_queued(role, message);
        break;
    case ORG_HELD:
        holder = role->names[message->holder_name];
        holder->held_count++;
        role->counts.held++;
        role->timed += message_body(message)->deadline != 0;
        chain_append(&holder->held, message);
        break;
    case ORG_PARKED:
        role->counts.parked++;
        chain_append(&role->parked, message);
        break;
    default:
        role->counts.quarantined++;
        role->timed += message_body(message)->deadline != 0;
        chain_append(&role->quarantined, message);
        break;
    }
    if (is_counted(message) && message->seen.state == ORG_PARKED)
        role->counted_parked++;
    else if (is_counted(message))
        role->counted++;
    int64_t due = role_due_of(message);
    if (due != INT64_MAX)
        heap_insert(&role->due, &message->due_node, due, message->number);
}

void role_displace(struct org_role *role, struct role_message *message)
{
    struct role_name *holder;
    switch (message->seen.state) {
    case ORG_QUEUED:
        displace_queued(role, message);
        break;
    case ORG_HELD:
        holder = role->names[message->holder_name];
        holder->held_count--;
        role->counts.held--;
        role->timed -= message_body(message)->deadline != 0;
        chain_remove(message);
        break;
    case ORG_PARKED:
        role->counts.parked--;
        role->awaiting -= message->seen.awaits != 0;
        message->seen.awaits = 0;
        chain_remove(message);
        break;
    default:
        role->counts.quarantined--;
        role->timed -= message_body(message)->deadline != 0;
        chain_remove(message);
        break;
    }
    if (is_counted(message) && message->seen.state == ORG_PARKED)
        role->counted_parked--;
    else if (is_counted(message))
        role->counted--;
    heap_remove(&role->due, &message->due_node);
}

void role_unassign(struct org_role *role, uint32_t name)
{
    for (int i = 0; i < ORG_CLASS_COUNT; i++) {
        struct heap *assigned = &role->names[name]->assigned[i];
        const struct heap_entry *first;
        while ((first = heap_first(assigned)) != NULL) {
            struct role_message *message = role_queue_message(first);
            heap_remove(assigned, &message->queue_node);
            message->assigned_name = MAP_NONE;
            message->seen.assigned = NULL;
            message->queue = NULL;
            queue_up(role, message);
        }
    }
}

/* --- who is next --------------------------------------------------------------------------------- */

int64_t role_aged_at(const struct org_role *role, const struct org_hours *hours, int64_t now_ms)
{
    return role->configuration == NULL ? -1
                                       : org_hours_before(hours, now_ms, role_configured(role)->ageing_ms);
}

enum org_class role_class_at(const struct role_message *message, int64_t aged_at)
{
    enum org_class message_class = message_body(message)->message_class;
    return message_body(message)->at <= aged_at && message_class < ORG_URGENT ? message_class + 1
                                                                              : message_class;
}

static bool goes_before(const struct role_message *a, const struct role_message *b, int64_t aged_at)
{
    enum org_class a_class = role_class_at(a, aged_at);
    enum org_class b_class = role_class_at(b, aged_at);
    if (a_class != b_class)
        return a_class > b_class;
    if (a->is_first != b->is_first)
        return a->is_first;
    return a->number < b->number;
}

/* The better one of two, either of which may be missing. */
static struct role_message *better(struct role_message *a, struct role_message *b, int64_t aged_at)
{
    if (a == NULL || (b != NULL && goes_before(b, a, aged_at)))
        return b;
    return a;
}

static struct role_message *heap_best(const struct heap *heap)
{
    const struct heap_entry *first = heap_first(heap);
    return first == NULL ? NULL : role_queue_message(first);
}

uint32_t role_taker(const struct org_role *role, const struct role_message *message)
{
    const org_accepted *body = message_body(message);
    bool is_escalation = body->kind == ORG_KIND_ESCALATION && !ORG_PLANTED(escalated_to_failer);
    const char *failed = is_escalation ? message_text(message, body->by) : "";
    for (uint32_t i = 0; i < role->holder_count; i++) {
        const struct role_name *name = role->names[role->holders[i]];
        bool has_failed = *failed != '\0' && org_name_is_in(name->text, failed);
        if (!name->is_absent && !has_failed)
            return role->holders[i];
    }
    return MAP_NONE;
}

struct role_message *role_choose(const struct org_role *role, uint32_t name, bool is_active, int64_t aged_at)
{
    struct role_message *best = NULL;
    for (int i = 0; i < ORG_CLASS_COUNT && name != MAP_NONE; i++)
        best = better(best, heap_best(&role->names[name]->assigned[i]), aged_at);
    for (int i = 0; i < ORG_CLASS_COUNT && is_active; i++) {
        best = better(best, heap_best(&role->put_off[i]), aged_at);
        best = better(best, heap_best(&role->returned[i]), aged_at);
        best = better(best, role->fresh[i].first, aged_at);
    }
    for (struct role_message *m = role->told.first; m != NULL && name != MAP_NONE; m = m->next) {
        if (role_taker(role, m) == name)
            best = better(best, m, aged_at);
    }
    return best;
}

uint32_t role_position(const struct org_role *role, enum org_class message_class)
{
    uint64_t before = 0;
    for (enum org_class i = message_class; i < ORG_CLASS_COUNT; i++)
        before += role->queued[i];
    return before < UINT32_MAX ? (uint32_t)before + 1 : UINT32_MAX;
}

struct role_message *role_choose_shed(const struct org_role *role, enum org_class message_class)
{
    int looked = 0;
    for (enum org_class i = ORG_BULK; i < message_class; i++) {
        struct role_message *message = role->fresh[i].last;
        for (; message != NULL && looked < ORG_SHED_LOOK_MAX; message = message->previous, looked++) {
            if (message_body(message)->kind == ORG_KIND_MESSAGE && message_body(message)->source.size == 0)
                return message;
        }
    }
    return NULL;
}

/* --- listing ------------------------------------------------------------------------------------- */

/*
 * Inserts into a list of at most `limit` in the order of taking; what falls off the end is not among the
 * first.
 */
static size_t list_insert(int64_t aged_at, const struct org_message **list, size_t count, size_t limit,
                          const struct role_message *message)
{
    if (limit == 0)
        return 0;
    size_t at = count < limit ? count : limit;
    while (at > 0 && goes_before(message, (const struct role_message *)list[at - 1], aged_at)) {
        if (at < limit)
            list[at] = list[at - 1];
        at--;
    }
    if (at == limit)
        return count;
    list[at] = &message->seen;
    return count < limit ? count + 1 : count;
}

static size_t list_heap(int64_t aged_at, const struct org_message **list, size_t count, size_t limit,
                        const struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        count = list_insert(aged_at, list, count, limit, role_queue_message(&heap->entries[i]));
    return count;
}

/* What waits for whoever holds the role. */
static size_t list_unassigned(const struct org_role *role, int64_t aged_at, const struct org_message **list,
                              size_t count, size_t limit)
{
    for (int i = 0; i < ORG_CLASS_COUNT; i++) {
        const struct role_message *message = role->fresh[i].first;
        for (size_t taken = 0; message != NULL && taken < limit; message = message->next, taken++)
            count = list_insert(aged_at, list, count, limit, message);
        count = list_heap(aged_at, list, count, limit, &role->put_off[i]);
        count = list_heap(aged_at, list, count, limit, &role->returned[i]);
    }
    return count;
}

/* What children told: all of it, or what one actor may take. */
static size_t list_told(const struct org_role *role, int64_t aged_at, const struct org_message **list,
                        size_t count, size_t limit, uint32_t taker)
{
    for (const struct role_message *message = role->told.first; message != NULL; message = message->next) {
        if (taker == MAP_NONE || role_taker(role, message) == taker)
            count = list_insert(aged_at, list, count, limit, message);
    }
    return count;
}

static size_t list_assigned(int64_t aged_at, const struct org_message **list, size_t count, size_t limit,
                            const struct role_name *name)
{
    for (int i = 0; i < ORG_CLASS_COUNT; i++)
        count = list_heap(aged_at, list, count, limit, &name->assigned[i]);
    return count;
}

size_t role_list_queued(const struct org_role *role, int64_t aged_at, const struct org_message **ret_messages,
                        size_t limit)
{
    size_t count = list_unassigned(role, aged_at, ret_messages, 0, limit);
    count = list_told(role, aged_at, ret_messages, count, limit, MAP_NONE);
    for (size_t name = 0; name < role->name_count; name++)
        count = list_assigned(aged_at, ret_messages, count, limit, role->names[name]);
    return count;
}

size_t role_list_for(const struct org_role *role, uint32_t name, bool is_active, int64_t aged_at,
                     const struct org_message **ret_messages, size_t limit)
{
    if (name == MAP_NONE)
        return 0;
    size_t count = is_active ? list_unassigned(role, aged_at, ret_messages, 0, limit) : 0;
    count = list_told(role, aged_at, ret_messages, count, limit, name);
    return list_assigned(aged_at, ret_messages, count, limit, role->names[name]);
}

uint64_t role_count_for(const struct org_role *role, uint32_t name, bool is_active)
{
    if (name == MAP_NONE)
        return 0;
    uint64_t apart = 0; /* not simply for whoever is active */
    uint64_t mine = 0;
    for (const struct role_message *message = role->told.first; message != NULL; message = message->next) {
        apart++;
        mine += role_taker(role, message) == name;
    }
    for (size_t i = 0; i < role->name_count; i++) {
        for (int c = 0; c < ORG_CLASS_COUNT; c++) {
            uint64_t assigned = role->names[i]->assigned[c].count;
            apart += assigned;
            mine += i == name ? assigned : 0;
        }
    }
    return is_active ? role->counts.queued - apart + mine : mine;
}

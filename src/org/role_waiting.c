/* SPDX-License-Identifier: MIT */
/*
 * role_waiting.c: what waits in a role for whoever may take it, as notices tell it: a few numbers that are
 * found at the heads of the places where messages wait (role_state.h), not by a walk through them.
 *
 * An urgent message is known by its number, which only ever grows: whoever was told of number n was told of
 * all before it. What waits fresh is in that order, so the newest is the last. What was taken before and came
 * back is in a heap with the oldest in front; the newest is looked for, but among so many only. Nothing else
 * is urgent often.
 *
 * Place: for the summary that a role's actor tells (server/role_summary.c). Any one thread at a time.
 */
#include "org/role_state.h"

static const struct role_message *head_of(const struct heap *heap)
{
    const struct heap_entry *first = heap_first(heap);
    return first == NULL ? NULL : role_queue_message(first);
}

static const struct role_message *older(const struct role_message *a, const struct role_message *b)
{
    return a == NULL || (b != NULL && b->number < a->number) ? b : a;
}

static const struct role_message *newer(const struct role_message *a, const struct role_message *b)
{
    return a == NULL || (b != NULL && b->number > a->number) ? b : a;
}

/* What is assigned to others may be older: they know of it. */
static const struct role_message *oldest(const struct org_role *role, uint32_t active)
{
    const struct role_message *found = role->told.first;
    for (int i = 0; i < ORG_CLASS_COUNT; i++) {
        found = older(found, role->fresh[i].first);
        found = older(found, head_of(&role->returned[i]));
        found = older(found, head_of(&role->put_off[i]));
        if (active != MAP_NONE)
            found = older(found, head_of(&role->names[active]->assigned[i]));
    }
    return found;
}

static const struct role_message *newest_of(const struct heap *heap, const struct role_message *found)
{
    for (size_t i = 0; i < heap->count && i < ORG_WAITING_LOOK_MAX; i++)
        found = newer(found, role_queue_message(&heap->entries[i]));
    return found;
}

static const struct role_message *newest_urgent(const struct org_role *role, uint32_t active)
{
    const struct role_message *found = role->fresh[ORG_URGENT].last;
    const struct role_message *told = role->told.last;
    found = newest_of(&role->returned[ORG_URGENT], found);
    found = newest_of(&role->put_off[ORG_URGENT], found);
    found = newest_of(&role->names[active]->assigned[ORG_URGENT], found);
    for (int i = 0; told != NULL && i < ORG_WAITING_LOOK_MAX; told = told->previous, i++) {
        if (message_body(told)->message_class == ORG_URGENT && role_taker(role, told) == active)
            found = newer(found, told);
    }
    return found;
}

struct org_role_waiting org_role_waiting(const struct org_role *role)
{
    struct org_role_waiting waiting = {.urgent = role->queued[ORG_URGENT]};
    if (role->counts.queued == 0)
        return waiting;
    uint32_t active = role_active(role);
    const struct role_message *first = oldest(role, active);
    if (first == NULL) /* all is assigned to others */
        first = role->entries[role->first_live].live;
    waiting.oldest_at = message_body(first)->at;
    const struct role_message *last =
        waiting.urgent > 0 && active != MAP_NONE ? newest_urgent(role, active) : NULL;
    waiting.urgent_last = last != NULL ? last->number : 0;
    return waiting;
}

/* SPDX-License-Identifier: MIT */
/* debt.c: see debt.h for the way of a question that is kept. All of it is the home worker's alone. */
#include "core/debt.h"

#include <stdlib.h>

#include "core/ask.h"
#include "core/extras.h"
#include "core/post.h"

enum {
    DEBTS_FIRST = 8,
};

static uint64_t hash_of(troupe_asker asker)
{
    uint64_t bits = (asker.ref.bits ^ (asker.ask << 17 | asker.ask >> 47)) * UINT64_C(0xbf58476d1ce4e5b9);
    return bits ^ (bits >> 31);
}

static bool asker_is_equal(troupe_asker a, troupe_asker b)
{
    return a.ask == b.ask && troupe_ref_equal(a.ref, b.ref);
}

static bool is_equal(const void *context, uint32_t index, const void *key)
{
    const struct debts *debts = context;
    const troupe_asker *asker = key;
    return asker_is_equal(debts->list[index], *asker);
}

/* The asker as a debt knows it: by the number of its ask alone. */
static troupe_asker plain(troupe_asker asker)
{
    asker.ask &= ASK_ID_MASK;
    return asker;
}

static troupe_status debt_add(struct worker *worker, struct actor *actor, troupe_asker asker)
{
    struct extras *extras = extras_of(worker, actor);
    if (extras == NULL)
        return TROUPE_NO_MEMORY;
    if (extras->debts == NULL)
        extras->debts = calloc(1, sizeof *extras->debts);
    struct debts *debts = extras->debts;
    if (debts == NULL)
        return TROUPE_NO_MEMORY;
    if (debts->count == debts->capacity) {
        uint32_t capacity = debts->capacity == 0 ? DEBTS_FIRST : debts->capacity * 2;
        troupe_asker *list =
            debts->capacity == DEBTS_MAX ? NULL : realloc(debts->list, capacity * sizeof *list);
        if (list == NULL)
            return TROUPE_LIMIT;
        debts->list = list;
        debts->capacity = capacity;
    }
    if (map_find(&debts->map, hash_of(asker), is_equal, debts, &asker) != MAP_NONE)
        return TROUPE_OK; /* the same question once more: somebody forwarded it in a circle */
    troupe_status status = map_add(&debts->map, hash_of(asker), debts->count);
    if (status == TROUPE_OK)
        debts->list[debts->count++] = asker;
    return status;
}

void debt_forget(struct actor *actor, troupe_asker asker)
{
    struct debts *debts = actor->extras == NULL ? NULL : actor->extras->debts;
    asker = plain(asker);
    if (debts == NULL || debts->count == 0)
        return;
    uint32_t index = map_find(&debts->map, hash_of(asker), is_equal, debts, &asker);
    if (index == MAP_NONE)
        return;
    (void)map_remove(&debts->map, hash_of(asker), index);
    troupe_asker last = debts->list[--debts->count];
    if (index == debts->count)
        return;
    (void)map_remove(&debts->map, hash_of(last), debts->count); /* the last one takes the free place */
    debts->list[index] = last;
    map_insert(&debts->map, hash_of(last), index);
}

void debt_pay(struct worker *worker, struct actor *actor, troupe_asker asker)
{
    worker->seat->paid = asker;
    if (actor->extras != NULL)
        debt_forget(actor, asker);
}

bool debt_is_paid(struct worker *worker, const troupe_message *question)
{
    bool is_paid = asker_is_equal(worker->seat->paid, troupe_asker_of(question));
    worker->seat->paid.ask = 0; /* a question that comes back is a new one */
    return is_paid;
}

void debt_consider(struct worker *worker, struct actor *actor, const troupe_message *question)
{
    if (!debt_is_paid(worker, question))
        (void)debt_add(worker, actor, plain(troupe_asker_of(question))); /* invariant 2 */
}

void debts_refuse(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    struct debts *debts = extras == NULL ? NULL : extras->debts;
    if (debts == NULL)
        return;
    extras->debts = NULL;
    for (uint32_t i = 0; i < debts->count; i++)
        post_refusal(worker, debts->list[i].ref, debts->list[i].ask, TROUPE_NO_ACTOR);
    map_done(&debts->map);
    free(debts->list);
    free(debts);
}

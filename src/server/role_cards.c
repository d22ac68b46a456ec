/* SPDX-License-Identifier: MIT */
/*
 * role_cards.c: one step notes which record says what of which message, the other puts what is said of one
 * message together; role_cards.h has the design.
 */
#include "server/role_cards.h"

#include <stdlib.h>

#include "journal/card.h"
#include "org/events.h"

/* What every record that moves a message begins with. */
struct moving {
    int64_t at;
    uint64_t id;
};

#define MOVES_ALIKE(type)                                                                                    \
    _Static_assert(offsetof(type, at) == offsetof(struct moving, at) &&                                      \
                       offsetof(type, id) == offsetof(struct moving, id),                                    \
                   "a message that moves is named at the same place by all")
MOVES_ALIKE(org_accepted);
MOVES_ALIKE(org_taken);
MOVES_ALIKE(org_done);
MOVES_ALIKE(org_declined);
MOVES_ALIKE(org_forwarded);
MOVES_ALIKE(org_parked);
MOVES_ALIKE(org_returned);
MOVES_ALIKE(org_quarantined);
MOVES_ALIKE(org_expired);
MOVES_ALIKE(org_shed);

/* That a record says something of a message. */
struct touch {
    uint64_t id;
    uint32_t order; /* of the record */
    uint32_t state;
    const void *body;
    bool is_accepted;
    bool is_taken;
};

/* The state that a record brings a message into; 0 when it brings none anywhere. */
static enum org_state state_after(uint32_t type)
{
    const struct {
        uint32_t type;
        enum org_state state;
    } moves[] = {
        {org_accepted_type.id, ORG_QUEUED},     {org_taken_type.id, ORG_HELD},
        {org_done_type.id, ORG_DONE},           {org_declined_type.id, ORG_DECLINED},
        {org_forwarded_type.id, ORG_FORWARDED}, {org_parked_type.id, ORG_PARKED},
        {org_returned_type.id, ORG_QUEUED},     {org_quarantined_type.id, ORG_QUARANTINED},
        {org_expired_type.id, ORG_EXPIRED},     {org_shed_type.id, ORG_SHED},
    };
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        if (moves[i].type == type)
            return moves[i].state;
    }
    return 0;
}

static troupe_status note_touches(struct role_cards *cards, const void *records, size_t size)
{
    struct record_cursor cursor = record_cursor_at(records, size);
    struct record record;
    troupe_status status = TROUPE_OK;
    for (uint32_t order = 0; status == TROUPE_OK && record_next(&cursor, &record) == TROUPE_OK; order++) {
        const struct moving *moving = record.body;
        enum org_state state = state_after(record.type);
        if (state == 0)
            continue;
        struct touch touch = {
            .id = moving->id,
            .order = order,
            .state = state,
            .body = record.body,
            .is_accepted = record.type == org_accepted_type.id,
            .is_taken = record.type == org_taken_type.id,
        };
        status = buffer_append(&cards->touched, &touch, sizeof touch);
    }
    return status;
}

static int compare_touches(const void *left, const void *right)
{
    const struct touch *a = left;
    const struct touch *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Whom it is from: the address that hears of its end, an actor's without the "@", or who did it. */
static const char *author_of(const org_accepted *accepted)
{
    const char *sender = troupe_flat_text(accepted, accepted->sender);
    if (accepted->kind == ORG_KIND_MESSAGE && sender[0] != '\0')
        return sender[0] == '@' ? sender + 1 : sender;
    return troupe_flat_text(accepted, accepted->by);
}

/*
 * Brings together what is said of each message. One message at a time is the rule, and is in order already.
 */
static void sort_touches(struct touch *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_touches(&list[i - 1], &list[i]) > 0) {
            qsort(list, count, sizeof *list, compare_touches);
            return;
        }
    }
}

/* The card of one message from all that is said of it, in order. */
static troupe_status add_card(struct record_batch *cards, const struct touch *touches, size_t count)
{
    const struct touch *last = &touches[count - 1];
    journal_card_fields card = {
        .id = last->id,
        .state = last->state,
        .changed_at = ((const struct moving *)last->body)->at,
    };
    for (size_t i = 0; i < count; i++) {
        if (touches[i].is_taken) {
            const org_taken *taken = touches[i].body;
            card.holder = troupe_flat_text(taken, taken->by);
        } else if (touches[i].is_accepted) {
            const org_accepted *accepted = touches[i].body;
            card.is_new = true;
            card.thread = accepted->thread != 0 ? accepted->thread : accepted->id;
            card.made_at = accepted->at;
            card.kind = accepted->kind;
            card.rank = accepted->message_class;
            card.author = author_of(accepted);
            card.title = troupe_flat_text(accepted, accepted->subject);
            card.text = troupe_flat_text(accepted, accepted->body);
        }
    }
    return journal_card_add(cards, &card);
}

troupe_status role_cards_make(struct role_cards *cards, const void *records, size_t size)
{
    buffer_clear(&cards->touched);
    record_batch_clear(&cards->cards);
    troupe_status status = note_touches(cards, records, size);
    struct touch *list = (struct touch *)(void *)cards->touched.bytes;
    size_t count = cards->touched.size / sizeof *list;
    sort_touches(list, count);
    for (size_t first = 0; first < count && status == TROUPE_OK;) {
        size_t end = first + 1;
        while (end < count && list[end].id == list[first].id)
            end++;
        status = add_card(&cards->cards, list + first, end - first);
        first = end;
    }
    return status;
}

void role_cards_done(struct role_cards *cards)
{
    record_batch_done(&cards->cards);
    buffer_done(&cards->touched);
}

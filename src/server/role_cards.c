/* SPDX-License-Identifier: MIT */
/*
 * role_cards.c: one step notes which record says what of which message, the other puts what is said of one
 * message together; role_cards.h has the design.
 */
#include "server/role_cards.h"

#include <string.h>

#include "base/hash.h"
#include "journal/card.h"
#include "org/events.h"
#include "org/name.h"

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

/* All that is said of one message. */
struct touch {
    uint64_t id;
    uint32_t state;
    int64_t changed_at;
    const org_accepted *accepted; /* NULL: it was there before */
    const org_taken *taken;       /* the last time; NULL: not */
};

/* The state that a record brings a message into; 0 when it brings none anywhere. The most frequent first. */
static enum org_state state_after(uint32_t type)
{
    if (type == org_accepted_type.id || type == org_returned_type.id)
        return ORG_QUEUED;
    if (type == org_taken_type.id)
        return ORG_HELD;
    if (type == org_done_type.id)
        return ORG_DONE;
    if (type == org_declined_type.id)
        return ORG_DECLINED;
    if (type == org_forwarded_type.id)
        return ORG_FORWARDED;
    if (type == org_parked_type.id)
        return ORG_PARKED;
    if (type == org_quarantined_type.id)
        return ORG_QUARANTINED;
    if (type == org_expired_type.id)
        return ORG_EXPIRED;
    return type == org_shed_type.id ? ORG_SHED : 0;
}

/*
 * An empty table that finds a message among those touched, and is never full: a record that moves one takes
 * RECORD_MIN bytes. A slot has the place of a touch, from 1.
 */
enum { RECORD_MIN = RECORD_HEADER_SIZE + sizeof(struct moving) };

static troupe_status clear_table(struct role_cards *cards, size_t size, size_t *ret_mask)
{
    size_t count = 2;
    while (count <= size / RECORD_MIN)
        count *= 2;
    void *slots;
    buffer_clear(&cards->table);
    troupe_status status = buffer_extend(&cards->table, count * sizeof(uint32_t), &slots);
    if (status == TROUPE_OK)
        memset(slots, 0, count * sizeof(uint32_t));
    *ret_mask = count - 1;
    return status;
}

/* What is said of a message so far: nothing, to begin with. NULL when out of memory. */
static struct touch *touch_of(struct role_cards *cards, size_t mask, uint64_t id)
{
    uint32_t *slots = (uint32_t *)(void *)cards->table.bytes;
    size_t slot = (size_t)hash_number(id) & mask;
    for (; slots[slot] != 0; slot = (slot + 1) & mask) {
        struct touch *touch = (struct touch *)(void *)cards->touched.bytes + (slots[slot] - 1);
        if (touch->id == id)
            return touch;
    }
    void *place;
    if (buffer_extend(&cards->touched, sizeof(struct touch), &place) != TROUPE_OK)
        return NULL;
    slots[slot] = (uint32_t)(cards->touched.size / sizeof(struct touch));
    struct touch *touch = place;
    *touch = (struct touch){.id = id};
    return touch;
}

static troupe_status note_touches(struct role_cards *cards, const void *records, size_t size)
{
    struct record_cursor cursor = record_cursor_at(records, size);
    struct record record;
    size_t mask;
    troupe_status status = clear_table(cards, size, &mask);
    while (status == TROUPE_OK && record_next(&cursor, &record) == TROUPE_OK) {
        const struct moving *moving = record.body;
        enum org_state state = state_after(record.type);
        if (state == 0)
            continue;
        struct touch *touch = touch_of(cards, mask, moving->id);
        if (touch == NULL)
            return TROUPE_NO_MEMORY;
        touch->state = state;
        touch->changed_at = moving->at;
        if (record.type == org_accepted_type.id)
            touch->accepted = record.body;
        else if (record.type == org_taken_type.id)
            touch->taken = record.body;
    }
    return status;
}

/*
 * Whom it is from: the address that hears of its end, an actor's without the "@", or who did it, or failed
 * last.
 */
static const char *author_of(const org_accepted *accepted, char ret_name[ORG_NAME_LEN_MAX + 1])
{
    const char *sender = troupe_flat_text(accepted, accepted->sender);
    if (accepted->kind == ORG_KIND_MESSAGE && sender[0] != '\0')
        return sender[0] == '@' ? sender + 1 : sender;
    org_name_first(troupe_flat_text(accepted, accepted->by), ret_name);
    return ret_name;
}

/* What is said of a message as a card, or as what changes of the one it has. */
static troupe_status add_card(struct record_batch *cards, const struct touch *touch)
{
    const org_accepted *accepted = touch->accepted;
    char author[ORG_NAME_LEN_MAX + 1];
    const char *holder = touch->taken != NULL ? troupe_flat_text(touch->taken, touch->taken->by) : "";
    if (accepted == NULL)
        return journal_card_move(cards, &(journal_card_moved_fields){.id = touch->id,
                                                                     .changed_at = touch->changed_at,
                                                                     .state = touch->state,
                                                                     .holder = holder});
    return journal_card_add(
        cards, &(journal_card_fields){.id = touch->id,
                                      .thread = accepted->thread != 0 ? accepted->thread : accepted->id,
                                      .made_at = accepted->at,
                                      .changed_at = touch->changed_at,
                                      .state = touch->state,
                                      .kind = accepted->kind,
                                      .rank = accepted->message_class,
                                      .author = author_of(accepted, author),
                                      .holder = holder,
                                      .title = troupe_flat_text(accepted, accepted->subject),
                                      .text = troupe_flat_text(accepted, accepted->body)});
}

troupe_status role_cards_make(struct role_cards *cards, const void *records, size_t size)
{
    buffer_clear(&cards->touched);
    record_batch_clear(&cards->cards);
    troupe_status status = note_touches(cards, records, size);
    const struct touch *list = (const struct touch *)(const void *)cards->touched.bytes;
    size_t count = cards->touched.size / sizeof *list;
    for (size_t i = 0; i < count && status == TROUPE_OK; i++)
        status = add_card(&cards->cards, &list[i]);
    return status;
}

void role_cards_done(struct role_cards *cards)
{
    record_batch_done(&cards->cards);
    buffer_done(&cards->touched);
    buffer_done(&cards->table);
}

/* SPDX-License-Identifier: MIT */
/*
 * role_cards.h: from a role's records to the cards of its messages (journal/card.h): what lists and search
 * know of a message without waking its role.
 *
 * Place on a message's way: org decides records -> role actor: role_cards_make -> one append with both ->
 * journal_find -> view_card. `troupe rebuild` and `troupe verify` make them from stored records by the same
 * function, a piece of a stream at a time.
 *
 *   card          of the message
 *   id, thread    its own; a message that begins a thread is in its own
 *   state, kind, rank        org_state, org_kind, org_class
 *   made_at, changed_at      when it was accepted, and last went from one state to another
 *   author        whom it is from, as lists show it
 *   holder        who has it or had it last
 *   title, text   subject and body
 *
 * A card is the fold of the records alone: how they are cut into appends or pieces makes no difference. What
 * changes neither state nor holder (a longer lease) is not in it.
 *
 * Pure but for allocation; one thread for each struct.
 */
#ifndef SERVER_ROLE_CARDS_H
#define SERVER_ROLE_CARDS_H

#include "base/buffer.h"
#include "base/record.h"

/** Cards under construction, and room that is used again. All zeros is empty and ready. */
struct role_cards {
    struct record_batch cards; /**< the result, until the next call */
    struct buffer touched;     /**< private */
    struct buffer table;       /**< private: finds what is touched by its id */
};

/** Frees everything; it is empty and ready again. */
void role_cards_done(struct role_cards *cards);

/**
 * Makes the cards of `size` bytes of records, which lie in a row in the role's stream and have been decided
 * or replayed: one for each message that they accept or change, in the order in which they first speak of
 * them. TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
TROUPE_MUST_CHECK troupe_status role_cards_make(struct role_cards *cards, const void *records, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * memory_cards.h: the catalogue of the memory driver: an array of cards by id, each with its words, which are
 * looked for by reading them. For tests and simulated runs, where some thousand cards are many.
 *
 * A word is found where it stands alone, ASCII letters of either case; SQLite's index also finds accented
 * letters without their accents. Place: inside memory.c. One thread at a time.
 *
 * A card is 80 bytes and its words. Names (of streams, authors, holders) are few and come again and again, so
 * each is kept once, for as long as the catalogue; the words of a shelf's cards go with the shelf.
 *
 * Invariants
 *   1. The cards of a shelf are in the order of their ids, which are unique.
 *   2. `undo` has what the open transaction changed, in order: undone from its end, the cards are those that
 *      were committed.
 *   3. Nothing was put in a transaction before it took all cards out: `forgotten` has all that were there.
 */
#ifndef JOURNAL_MEMORY_CARDS_H
#define JOURNAL_MEMORY_CARDS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"
#include "journal/journal.h"

/** Cards that come and go together. All zeros is empty. */
struct memory_shelf {
    struct memory_card *list;
    size_t count;
    size_t capacity;
    struct arena words;
};

/** Names that are looked at before the map: most puts are of a few roles and a few people. */
#define MEMORY_NAMES_RECENT 16

/** Names, each of them once. All zeros is empty. */
struct memory_names {
    const char **list;
    size_t count;
    size_t capacity;
    struct map map;
    struct arena texts;
    const char *recent[MEMORY_NAMES_RECENT]; /* found without a hash; NULL: none */
};

/** The catalogue. All zeros is empty, whole and ready. */
struct memory_cards {
    struct memory_shelf shelves[JOURNAL_SHELF_COUNT];
    struct memory_names names;
    struct buffer undo; /* struct undo */
    struct memory_shelf forgotten;
    bool has_forgotten;
    bool is_incomplete;  /* the cards were taken out, and not all put again */
    bool was_incomplete; /* before the open transaction */
};

/** Frees everything. */
void memory_cards_done(struct memory_cards *cards);

/** As the driver's calls of these names. */
troupe_status memory_cards_put(struct memory_cards *cards, enum journal_shelf shelf, const char *stream,
                               size_t stream_len, const journal_card *card);
troupe_status memory_cards_move(struct memory_cards *cards, enum journal_shelf shelf, const char *stream,
                                size_t stream_len, const journal_card_moved *moved);
void memory_cards_forget(struct memory_cards *cards);
troupe_status memory_cards_compare(struct memory_cards *cards, journal_report_card *report, void *context);
troupe_status memory_cards_find(const struct memory_cards *cards, const struct journal_query *query,
                                const struct journal_words *words, journal_visit_card *visit, void *context,
                                uint64_t *ret_next);

/** The transaction is stored, or lost: invariant 2. */
void memory_cards_commit(struct memory_cards *cards);
void memory_cards_drop(struct memory_cards *cards);

#endif

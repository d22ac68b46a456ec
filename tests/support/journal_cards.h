/* SPDX-License-Identifier: MIT */
/*
 * journal_cards.h: what the tests of cards share: seven cards of two streams, and what was found or reported,
 * as text. One thread.
 */
#ifndef SUPPORT_JOURNAL_CARDS_H
#define SUPPORT_JOURNAL_CARDS_H

#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

/** Puts one card, in the transaction that is open. */
troupe_status cards_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                        const journal_card_fields *card);

/** Says what changes of one card, in the transaction that is open. */
troupe_status cards_move(struct journal *journal, enum journal_shelf shelf, const char *stream,
                         const journal_card_moved_fields *moved);

/**
 * In a transaction: all seven cards but the one with the id `but`; into the catalogue with a record each for
 * the streams "a" and "b". Their ids are 10 to 70.
 */
void cards_fill(struct journal *journal, enum journal_shelf shelf, uint64_t but);

/**
 * The ids of what was found, as text: "70 60 ", at most `limit` unless that is 0; the last one, and its
 * stream, author, holder and title.
 */
struct cards_found {
    char ids[512];
    size_t size;
    uint32_t limit;
    uint32_t count;
    journal_card_fields last;
    char texts[4][64];
};

/** Notes a card in a struct cards_found. */
troupe_status cards_note(void *context, const journal_card_fields *card);

/** Fails the test unless exactly these are found, in this order, and nothing is left. */
void cards_assert_found(struct journal *journal, const struct journal_query *query, const char *ids);

/** The same, with the query's members. */
#define assert_finds(journal, ids, ...) cards_assert_found(journal, &(struct journal_query){__VA_ARGS__}, ids)

/** Fails the test unless a comparison reports exactly this: lines of stream, id and what. */
void cards_assert_reports(struct journal *journal, const char *lines);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * card.h: cards, as in a library's catalogue: one for each thing that a stream's records speak of and that
 * somebody may look for, with what lists show of it and the words that it is found by. The journal knows what
 * can be asked of a card, not what it stands for; in the server a card is a message.
 *
 * Place on a message's way: org decides -> server/role_cards makes cards of the records -> the writer puts
 * them in the transaction of the records -> journal_find, for lists and search.
 *
 *   records of a stream:   accepted 7   taken 7   accepted 8   done 7
 *   cards:                 new 7        7 moved   new 8        7 moved      the words never change
 *
 * Cards are a projection: they say nothing that the records do not, and can be made anew from them
 * (journal_forget_cards and journal_put for all streams), which gives the same ones.
 *
 * Invariants
 *   1. An id has at most one card, in one stream; the first that was put stays.
 *   2. What is found by its words is what the title and the text of the new card had.
 *   3. A card is durable with the records of its transaction, or not at all.
 *
 * Pure but for allocation; any one thread.
 */
#ifndef JOURNAL_CARD_H
#define JOURNAL_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe.h>

#include "base/record.h"

/** The most bytes and words of a search; what is longer is refused, and words after the last do not count. */
#define JOURNAL_WORDS_SIZE_MAX 256
#define JOURNAL_WORDS_MAX 16

/**
 * How many cards one call of journal_find looks at, those that do not fit included: what bounds how long it
 * keeps the writer from writing. Among 200,000 cards, on a busy machine, 4 ms for a list and 11 for a word.
 */
#define JOURNAL_LOOKED_MAX 1000

/**
 * A card. `id` is of no other one in any stream, and less than INT64_MAX. `text` is looked for and not kept.
 * What else there is is the owner's own to give a meaning; `stream` is the stream's name in what was found,
 * and empty in what is put.
 */
#define JOURNAL_CARD(F)                                                                                      \
    F(u64, id)                                                                                               \
    F(u64, thread)                                                                                           \
    F(i64, made_at)                                                                                          \
    F(i64, changed_at)                                                                                       \
    F(u32, state)                                                                                            \
    F(u32, kind)                                                                                             \
    F(u32, rank)                                                                                             \
    F(text, stream) F(text, author) F(text, holder) F(text, title) F(text, text)
TROUPE_MESSAGE(journal_card, JOURNAL_CARD)

/**
 * What changes of a card that is there, in the same stream; of any other it says nothing. A `holder` of "" is
 * none that is new. It is by far the most of what is put, so it has nothing else.
 */
#define JOURNAL_CARD_MOVED(F) F(u64, id) F(i64, changed_at) F(u32, state) F(text, holder)
TROUPE_MESSAGE(journal_card_moved, JOURNAL_CARD_MOVED)

/**
 * What to look for: every condition that is given holds for what is found, and who looks may see it. The
 * newest come first.
 */
struct journal_query {
    const char *words;  /**< all of them, in any order; NULL or "": any */
    const char *stream; /**< NULL or "": any */
    const char *author; /**< the same */
    const char *holder; /**< the same */
    uint64_t thread;    /**< 0: any */
    uint32_t state;     /**< 0: any */
    uint64_t before;    /**< only ids below this one; 0: from the newest */
    /**
     * Who looks sees the cards of these streams, one a line in the order of their bytes, and those whose
     * author or holder is `reader`; NULL: everything.
     */
    const char *readable;
    const char *reader;
};

/** The words of a search, cut out of what somebody typed. */
struct journal_words {
    uint32_t count;
    struct journal_word {
        const char *text; /**< borrowed, not ended by a NUL */
        size_t size;
        bool is_beginning; /**< a "*" follows: longer words that begin so count too */
    } list[JOURNAL_WORDS_MAX];
};

/**
 * Cuts a text into words: runs of ASCII letters and digits and of anything beyond ASCII. What lies between
 * them has no meaning, so nothing that is typed can be wrong.
 */
void journal_cut_words(const char *text, struct journal_words *ret_words);

/** Adds a new card to those of an append, or one to those that were found. Errors of record_batch_add. */
TROUPE_MUST_CHECK troupe_status journal_card_add(struct record_batch *cards, const journal_card_fields *card);

/** Adds what changes of a card to the cards of an append. Errors of record_batch_add. */
TROUPE_MUST_CHECK troupe_status journal_card_move(struct record_batch *cards,
                                                  const journal_card_moved_fields *moved);

/** What an append says of one card: exactly one of the two, borrowed. */
struct journal_card_put {
    const journal_card *card;        /**< a new one */
    const journal_card_moved *moved; /**< what changes of one */
};

/**
 * What an append says next. TROUPE_END after the last; TROUPE_MALFORMED when it is of no card, or its id is 0
 * or too large.
 */
TROUPE_MUST_CHECK troupe_status journal_card_next(struct record_cursor *cursor,
                                                  struct journal_card_put *ret_put);

/** Whether a card fits everything in a query but its words. `card` is as it was found. */
bool journal_card_fits(const journal_card_fields *card, const struct journal_query *query);

#endif

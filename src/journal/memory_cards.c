/* SPDX-License-Identifier: MIT */
/*
 * memory_cards.c: cards in memory; memory_cards.h has the design. One thread at a time.
 */
#include "journal/memory_cards.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct memory_card {
    uint64_t id;
    uint64_t thread;
    int64_t made_at;
    int64_t changed_at;
    uint32_t state;
    uint32_t kind;
    uint32_t rank;
    const char *stream; /* the beginning of a block that has the next three too */
    const char *author;
    const char *title;
    const char *text;
    char *holder; /* NULL: nobody yet */
};

/* How a card was before the transaction. Of a new one only the id counts. */
struct undo {
    uint64_t id;
    int64_t changed_at;
    char *holder; /* its own: freed when the transaction is stored; NULL also when it stayed the same */
    uint32_t state;
    bool was_new;
    bool has_holder_changed;
};

static struct memory_card *cards_of(const struct buffer *shelf)
{
    return (struct memory_card *)(void *)shelf->bytes;
}

static size_t count_of(const struct buffer *shelf)
{
    return shelf->size / sizeof(struct memory_card);
}

/* The place of the first card with this id or a greater one. New ones mostly have the greatest. */
static size_t place_of(const struct buffer *shelf, uint64_t id)
{
    const struct memory_card *list = cards_of(shelf);
    size_t low = 0;
    size_t high = count_of(shelf);
    if (high > 0 && list[high - 1].id < id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_card *find_card(const struct buffer *shelf, uint64_t id)
{
    size_t place = place_of(shelf, id);
    return place < count_of(shelf) && cards_of(shelf)[place].id == id ? &cards_of(shelf)[place] : NULL;
}

static void card_done(struct memory_card *card)
{
    free((void *)(uintptr_t)card->stream);
    free(card->holder);
}

static void shelf_done(struct buffer *shelf)
{
    for (size_t i = 0; i < count_of(shelf); i++)
        card_done(&cards_of(shelf)[i]);
    buffer_done(shelf);
}

void memory_cards_done(struct memory_cards *cards)
{
    memory_cards_commit(cards);
    for (int i = 0; i < JOURNAL_SHELF_COUNT; i++)
        shelf_done(&cards->shelves[i]);
    buffer_done(&cards->undo);
}

/* --- putting ---------------------------------------------------------------------------------- */

static const char *copy_text(char **at, const char *text, size_t size)
{
    char *copy = *at;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *at += size + 1;
    return copy;
}

static bool copy_card(struct memory_card *to, const char *stream, size_t stream_len, const journal_card *card)
{
    size_t size = stream_len + (size_t)card->author.size + card->title.size + card->text.size + 4;
    char *at = malloc(size);
    *to = (struct memory_card){
        .id = card->id,
        .thread = card->thread,
        .made_at = card->made_at,
        .changed_at = card->changed_at,
        .state = card->state,
        .kind = card->kind,
        .rank = card->rank,
        .holder = card->holder.size > 0 ? strdup(troupe_flat_text(card, card->holder)) : NULL,
    };
    if (at == NULL || (card->holder.size > 0 && to->holder == NULL)) {
        free(at);
        free(to->holder);
        return false;
    }
    to->stream = copy_text(&at, stream, stream_len);
    to->author = copy_text(&at, troupe_flat_text(card, card->author), card->author.size);
    to->title = copy_text(&at, troupe_flat_text(card, card->title), card->title.size);
    to->text = copy_text(&at, troupe_flat_text(card, card->text), card->text.size);
    return true;
}

static troupe_status add_card(struct buffer *shelf, const char *stream, size_t stream_len,
                              const journal_card *card)
{
    struct memory_card made;
    size_t place = place_of(shelf, card->id);
    size_t after = (count_of(shelf) - place) * sizeof made;
    if (after > 0 && cards_of(shelf)[place].id == card->id)
        return TROUPE_CONFLICT;
    if (buffer_reserve(shelf, sizeof made) != TROUPE_OK || !copy_card(&made, stream, stream_len, card))
        return TROUPE_NO_MEMORY;
    void *unused;
    troupe_status status = buffer_extend(shelf, sizeof made, &unused);
    ASSERT(status == TROUPE_OK);
    struct memory_card *slot = &cards_of(shelf)[place];
    memmove(slot + 1, slot, after);
    *slot = made;
    return TROUPE_OK;
}

/* The old holder, if there is a new one, goes to `undo`. */
static troupe_status change_card(struct memory_card *known, const journal_card *card, struct undo *undo)
{
    char *holder = NULL;
    if (card->holder.size > 0) {
        holder = strdup(troupe_flat_text(card, card->holder));
        if (holder == NULL)
            return TROUPE_NO_MEMORY;
    }
    *undo = (struct undo){.id = known->id,
                          .state = known->state,
                          .changed_at = known->changed_at,
                          .has_holder_changed = holder != NULL,
                          .holder = holder != NULL ? known->holder : NULL};
    known->state = card->state;
    known->changed_at = card->changed_at;
    if (holder != NULL)
        known->holder = holder;
    return TROUPE_OK;
}

troupe_status memory_cards_put(struct memory_cards *cards, enum journal_shelf shelf, const char *stream,
                               size_t stream_len, const journal_card *card)
{
    struct undo undo = {.id = card->id, .was_new = true};
    troupe_status status = buffer_reserve(&cards->undo, sizeof undo);
    if (status != TROUPE_OK)
        return status;
    if (card->is_new) {
        status = add_card(&cards->shelves[shelf], stream, stream_len, card);
    } else {
        struct memory_card *known = find_card(&cards->shelves[shelf], card->id);
        bool is_its_own = known != NULL && strncmp(known->stream, stream, stream_len) == 0 &&
                          known->stream[stream_len] == '\0';
        if (!is_its_own)
            return TROUPE_OK;
        status = change_card(known, card, &undo);
    }
    if (status == TROUPE_OK && shelf == JOURNAL_CARDS)
        status = buffer_append(&cards->undo, &undo, sizeof undo);
    else if (status == TROUPE_OK)
        free(undo.holder);
    return status;
}

void memory_cards_forget(struct memory_cards *cards)
{
    ASSERT(cards->undo.size == 0 && !cards->has_forgotten);
    cards->forgotten = cards->shelves[JOURNAL_CARDS];
    cards->shelves[JOURNAL_CARDS] = (struct buffer){0};
    cards->has_forgotten = true;
    cards->is_incomplete = true;
}

/* --- transactions ----------------------------------------------------------------------------- */

void memory_cards_commit(struct memory_cards *cards)
{
    const struct undo *list = (const struct undo *)(const void *)cards->undo.bytes;
    for (size_t i = 0; i < cards->undo.size / sizeof *list; i++)
        free(list[i].holder);
    buffer_clear(&cards->undo);
    shelf_done(&cards->forgotten);
    cards->has_forgotten = false;
    cards->was_incomplete = cards->is_incomplete;
}

static void undo_one(struct buffer *shelf, const struct undo *undo)
{
    struct memory_card *card = find_card(shelf, undo->id);
    ASSERT(card != NULL);
    if (undo->was_new) {
        size_t after = (size_t)(cards_of(shelf) + count_of(shelf) - (card + 1));
        card_done(card);
        memmove(card, card + 1, after * sizeof *card);
        buffer_truncate(shelf, shelf->size - sizeof *card);
        return;
    }
    card->state = undo->state;
    card->changed_at = undo->changed_at;
    if (undo->has_holder_changed) {
        free(card->holder);
        card->holder = undo->holder;
    }
}

void memory_cards_drop(struct memory_cards *cards)
{
    const struct undo *list = (const struct undo *)(const void *)cards->undo.bytes;
    for (size_t i = cards->undo.size / sizeof *list; i > 0; i--)
        undo_one(&cards->shelves[JOURNAL_CARDS], &list[i - 1]);
    buffer_clear(&cards->undo);
    if (cards->has_forgotten) {
        shelf_done(&cards->shelves[JOURNAL_CARDS]);
        cards->shelves[JOURNAL_CARDS] = cards->forgotten;
        cards->forgotten = (struct buffer){0};
        cards->has_forgotten = false;
    }
    cards->is_incomplete = cards->was_incomplete;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool is_same(const struct memory_card *a, const struct memory_card *b)
{
    return a->thread == b->thread && a->made_at == b->made_at && a->changed_at == b->changed_at &&
           a->state == b->state && a->kind == b->kind && a->rank == b->rank &&
           strcmp(a->stream, b->stream) == 0 && strcmp(a->author, b->author) == 0 &&
           strcmp(a->title, b->title) == 0 &&
           strcmp(a->holder != NULL ? a->holder : "", b->holder != NULL ? b->holder : "") == 0;
}

troupe_status memory_cards_compare(struct memory_cards *cards, journal_report_card *report, void *context)
{
    struct buffer *expected = &cards->shelves[JOURNAL_EXPECTED_CARDS];
    const struct buffer *kept = &cards->shelves[JOURNAL_CARDS];
    for (size_t i = 0; i < count_of(expected); i++) {
        const struct memory_card *card = &cards_of(expected)[i];
        const struct memory_card *found = find_card(kept, card->id);
        if (found == NULL)
            report(context, card->stream, card->id, "is missing");
        else if (!is_same(card, found))
            report(context, card->stream, card->id, "is not what the records say");
        else if (strcmp(card->text, found->text) != 0)
            report(context, card->stream, card->id, "is found by other words than it has");
    }
    for (size_t i = 0; i < count_of(kept); i++) {
        const struct memory_card *card = &cards_of(kept)[i];
        if (find_card(expected, card->id) == NULL)
            report(context, card->stream, card->id, "is of no record");
    }
    shelf_done(expected);
    return TROUPE_OK;
}

/* --- finding ---------------------------------------------------------------------------------- */

static char lower(char character)
{
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

static bool is_word_byte(char character)
{
    char small = lower(character);
    return (unsigned char)character >= 0x80 || (small >= 'a' && small <= 'z') ||
           (character >= '0' && character <= '9');
}

static bool has_word(const char *text, const struct journal_word *word)
{
    while (*text != '\0') {
        size_t size = 0;
        size_t same = 0;
        for (; is_word_byte(text[size]); size++) {
            if (same == size && same < word->size && lower(text[size]) == lower(word->text[same]))
                same++;
        }
        if (same == word->size && (size == same || word->is_beginning))
            return true;
        text += size > 0 ? size : 1;
    }
    return false;
}

static bool has_words(const struct memory_card *card, const struct journal_words *words)
{
    for (uint32_t i = 0; i < words->count; i++) {
        if (!has_word(card->title, &words->list[i]) && !has_word(card->text, &words->list[i]))
            return false;
    }
    return true;
}

troupe_status memory_cards_find(const struct memory_cards *cards, const struct journal_query *query,
                                const struct journal_words *words, journal_visit_card *visit, void *context,
                                uint64_t *ret_next)
{
    const struct buffer *shelf = &cards->shelves[JOURNAL_CARDS];
    size_t place = query->before == 0 ? count_of(shelf) : place_of(shelf, query->before);
    for (uint32_t looked = 0; place > 0; looked++, place--) {
        const struct memory_card *card = &cards_of(shelf)[place - 1];
        if (looked == JOURNAL_LOOKED_MAX) {
            *ret_next = card->id + 1;
            return TROUPE_OK;
        }
        journal_card_fields fields = {
            .id = card->id,
            .thread = card->thread,
            .made_at = card->made_at,
            .changed_at = card->changed_at,
            .state = card->state,
            .kind = card->kind,
            .rank = card->rank,
            .stream = card->stream,
            .author = card->author,
            .title = card->title,
            .holder = card->holder != NULL ? card->holder : "",
        };
        if (!journal_card_fits(&fields, query) || !has_words(card, words))
            continue;
        troupe_status status = visit(context, &fields);
        if (status == TROUPE_END) {
            *ret_next = card->id + 1;
            return TROUPE_OK;
        }
        if (status != TROUPE_OK)
            return status;
    }
    *ret_next = 0;
    return TROUPE_OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * memory_cards.c: cards in memory; memory_cards.h has the design. One thread at a time.
 */
#include "journal/memory_cards.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/assert.h"
#include "base/hash.h"

struct memory_card {
    uint64_t id;
    uint64_t thread;
    int64_t made_at;
    int64_t changed_at;
    uint32_t state;
    uint32_t kind;
    uint32_t rank;
    uint32_t title_size; /* with its NUL; the text stands behind it */
    const char *stream;  /* a name, and so are the next two: equal ones are one pointer */
    const char *author;
    const char *holder; /* "" for nobody yet */
    const char *title;
};

_Static_assert(sizeof(struct memory_card) == 80, "what the head says a card takes");

/* How a card was before the transaction. Of a new one only the id counts. */
struct undo {
    uint64_t id;
    int64_t changed_at;
    const char *holder;
    uint32_t state;
    bool was_new;
};

static const char *text_of(const struct memory_card *card)
{
    return card->title + card->title_size;
}

/*
 * The place of the first card with this id or a greater one. What is looked for is mostly among the newest,
 * so the steps back from the end are 1, 2, 4... until they have passed it, and then it is cut in halves.
 */
static size_t place_of(const struct memory_shelf *shelf, uint64_t id)
{
    size_t high = shelf->count;
    size_t step = 1;
    for (; step <= high && shelf->list[high - step].id >= id; step *= 2)
        high -= step;
    size_t low = step <= high ? high - step + 1 : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shelf->list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_card *find_card(const struct memory_shelf *shelf, uint64_t id)
{
    size_t place = place_of(shelf, id);
    return place < shelf->count && shelf->list[place].id == id ? &shelf->list[place] : NULL;
}

static void shelf_done(struct memory_shelf *shelf)
{
    free(shelf->list);
    arena_done(&shelf->words);
    *shelf = (struct memory_shelf){0};
}

void memory_cards_done(struct memory_cards *cards)
{
    memory_cards_commit(cards);
    for (int i = 0; i < JOURNAL_SHELF_COUNT; i++)
        shelf_done(&cards->shelves[i]);
    buffer_done(&cards->undo);
    free(cards->names.list);
    map_done(&cards->names.map);
    arena_done(&cards->names.texts);
}

/* --- names ------------------------------------------------------------------------------------ */

/* What map_find compares with. */
struct name {
    const char *text;
    size_t len;
};

static bool is_same_name(const char *known, const char *text, size_t len)
{
    return strncmp(known, text, len) == 0 && known[len] == '\0';
}

static bool is_name(const void *context, uint32_t index, const void *key)
{
    const struct memory_names *names = context;
    const struct name *name = key;
    return is_same_name(names->list[index], name->text, name->len);
}

static troupe_status find_or_add_name(struct memory_names *names, const char *text, size_t len,
                                      const char **ret_name)
{
    static const struct hash_key key = {{3, 4}}; /* as in memory.c: the same each time */
    struct name name = {text, len};
    uint64_t hash = hash_bytes(&key, text, len);
    uint32_t found = map_find(&names->map, hash, is_name, names, &name);
    if (found != MAP_NONE) {
        *ret_name = names->list[found];
        return TROUPE_OK;
    }
    troupe_status status =
        array_reserve(&names->list, &names->capacity, names->count + 1, sizeof *names->list);
    if (status == TROUPE_OK)
        status = map_reserve(&names->map, 1);
    if (status == TROUPE_OK)
        status = arena_text(&names->texts, text, len, ret_name);
    if (status != TROUPE_OK)
        return status;
    map_insert(&names->map, hash, (uint32_t)names->count);
    names->list[names->count++] = *ret_name;
    return TROUPE_OK;
}

/* The one copy of a name. */
static troupe_status keep_name(struct memory_names *names, const char *text, size_t len,
                               const char **ret_name)
{
    size_t place = len > 0 ? len + 3u * (unsigned char)text[0] + 5u * (unsigned char)text[len - 1] : 0;
    const char **recent = &names->recent[place % MEMORY_NAMES_RECENT];
    troupe_status status = TROUPE_OK;
    if (*recent == NULL || !is_same_name(*recent, text, len))
        status = find_or_add_name(names, text, len, recent);
    *ret_name = *recent;
    return status;
}

static troupe_status keep_span(struct memory_names *names, const void *body, troupe_span span,
                               const char **ret_name)
{
    return keep_name(names, troupe_flat_text(body, span), span.size, ret_name);
}

/* --- putting ---------------------------------------------------------------------------------- */

/* The title and the text, each with its NUL, in one piece. */
static troupe_status copy_words(struct memory_shelf *shelf, const journal_card *card, const char **ret_title)
{
    size_t title_size = (size_t)card->title.size + 1;
    size_t text_size = (size_t)card->text.size + 1;
    void *place;
    troupe_status status = arena_take(&shelf->words, title_size + text_size, &place);
    if (status != TROUPE_OK)
        return status;
    memcpy(place, troupe_flat_text(card, card->title), title_size);
    memcpy((char *)place + title_size, troupe_flat_text(card, card->text), text_size);
    *ret_title = place;
    return TROUPE_OK;
}

static troupe_status copy_card(struct memory_cards *cards, struct memory_shelf *shelf, const char *stream,
                               size_t stream_len, const journal_card *card, struct memory_card *ret_card)
{
    *ret_card = (struct memory_card){
        .id = card->id,
        .thread = card->thread,
        .made_at = card->made_at,
        .changed_at = card->changed_at,
        .state = card->state,
        .kind = card->kind,
        .rank = card->rank,
        .title_size = card->title.size + 1,
    };
    troupe_status status = keep_name(&cards->names, stream, stream_len, &ret_card->stream);
    if (status == TROUPE_OK)
        status = keep_span(&cards->names, card, card->author, &ret_card->author);
    if (status == TROUPE_OK)
        status = keep_span(&cards->names, card, card->holder, &ret_card->holder);
    return status == TROUPE_OK ? copy_words(shelf, card, &ret_card->title) : status;
}

static void note_undo(struct memory_cards *cards, enum journal_shelf which, const struct undo *undo)
{
    troupe_status status = TROUPE_OK;
    if (which == JOURNAL_CARDS)
        status = buffer_append(&cards->undo, undo, sizeof *undo);
    ASSERT(status == TROUPE_OK); /* its room was reserved */
}

troupe_status memory_cards_put(struct memory_cards *cards, enum journal_shelf which, const char *stream,
                               size_t stream_len, const journal_card *card)
{
    struct memory_shelf *shelf = &cards->shelves[which];
    struct memory_card made;
    size_t place = place_of(shelf, card->id);
    if (place < shelf->count && shelf->list[place].id == card->id)
        return TROUPE_CONFLICT;
    troupe_status status = buffer_reserve(&cards->undo, sizeof(struct undo));
    if (status == TROUPE_OK)
        status = array_reserve(&shelf->list, &shelf->capacity, shelf->count + 1, sizeof *shelf->list);
    if (status == TROUPE_OK)
        status = copy_card(cards, shelf, stream, stream_len, card, &made);
    if (status != TROUPE_OK)
        return status;
    memmove(&shelf->list[place + 1], &shelf->list[place], (shelf->count - place) * sizeof made);
    shelf->list[place] = made;
    shelf->count++;
    note_undo(cards, which, &(struct undo){.id = card->id, .was_new = true});
    return TROUPE_OK;
}

troupe_status memory_cards_move(struct memory_cards *cards, enum journal_shelf which, const char *stream,
                                size_t stream_len, const journal_card_moved *moved)
{
    struct memory_card *card = find_card(&cards->shelves[which], moved->id);
    bool is_its_own =
        card != NULL && strncmp(card->stream, stream, stream_len) == 0 && card->stream[stream_len] == '\0';
    if (!is_its_own)
        return TROUPE_OK;
    struct undo undo = {
        .id = card->id, .changed_at = card->changed_at, .holder = card->holder, .state = card->state};
    const char *holder = card->holder;
    troupe_status status = buffer_reserve(&cards->undo, sizeof undo);
    if (status == TROUPE_OK && moved->holder.size > 0)
        status = keep_span(&cards->names, moved, moved->holder, &holder);
    if (status != TROUPE_OK)
        return status;
    card->state = moved->state;
    card->changed_at = moved->changed_at;
    card->holder = holder;
    note_undo(cards, which, &undo);
    return TROUPE_OK;
}

void memory_cards_forget(struct memory_cards *cards)
{
    ASSERT(cards->undo.size == 0 && !cards->has_forgotten);
    cards->forgotten = cards->shelves[JOURNAL_CARDS];
    cards->shelves[JOURNAL_CARDS] = (struct memory_shelf){0};
    cards->has_forgotten = true;
    cards->is_incomplete = true;
}

/* --- transactions ----------------------------------------------------------------------------- */

void memory_cards_commit(struct memory_cards *cards)
{
    buffer_clear(&cards->undo);
    shelf_done(&cards->forgotten);
    cards->has_forgotten = false;
    cards->was_incomplete = cards->is_incomplete;
}

static void undo_one(struct memory_shelf *shelf, const struct undo *undo)
{
    struct memory_card *card = find_card(shelf, undo->id);
    ASSERT(card != NULL);
    if (undo->was_new) {
        size_t after = (size_t)(shelf->list + shelf->count - (card + 1));
        memmove(card, card + 1, after * sizeof *card);
        shelf->count--;
        return;
    }
    card->state = undo->state;
    card->changed_at = undo->changed_at;
    card->holder = undo->holder;
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
        cards->forgotten = (struct memory_shelf){0};
        cards->has_forgotten = false;
    }
    cards->is_incomplete = cards->was_incomplete;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool is_same(const struct memory_card *a, const struct memory_card *b)
{
    return a->thread == b->thread && a->made_at == b->made_at && a->changed_at == b->changed_at &&
           a->state == b->state && a->kind == b->kind && a->rank == b->rank && a->stream == b->stream &&
           a->author == b->author && a->holder == b->holder && strcmp(a->title, b->title) == 0;
}

troupe_status memory_cards_compare(struct memory_cards *cards, journal_report_card *report, void *context)
{
    struct memory_shelf *expected = &cards->shelves[JOURNAL_EXPECTED_CARDS];
    const struct memory_shelf *kept = &cards->shelves[JOURNAL_CARDS];
    for (size_t i = 0; i < expected->count; i++) {
        const struct memory_card *card = &expected->list[i];
        const struct memory_card *found = find_card(kept, card->id);
        if (found == NULL)
            report(context, card->stream, card->id, "is missing");
        else if (!is_same(card, found))
            report(context, card->stream, card->id, "is not what the records say");
        else if (strcmp(text_of(card), text_of(found)) != 0)
            report(context, card->stream, card->id, "is found by other words than it has");
    }
    for (size_t i = 0; i < kept->count; i++) {
        const struct memory_card *card = &kept->list[i];
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
        if (!has_word(card->title, &words->list[i]) && !has_word(text_of(card), &words->list[i]))
            return false;
    }
    return true;
}

troupe_status memory_cards_find(const struct memory_cards *cards, const struct journal_query *query,
                                const struct journal_words *words, journal_visit_card *visit, void *context,
                                uint64_t *ret_next)
{
    const struct memory_shelf *shelf = &cards->shelves[JOURNAL_CARDS];
    size_t place = query->before == 0 ? shelf->count : place_of(shelf, query->before);
    for (uint32_t looked = 0; place > 0; looked++, place--) {
        const struct memory_card *card = &shelf->list[place - 1];
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
            .holder = card->holder,
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

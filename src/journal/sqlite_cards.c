/* SPDX-License-Identifier: MIT */
/*
 * sqlite_cards.c: the catalogue in a SQLite file: the table `card`, and `card_text`, an FTS5 index over the
 * title and the text of each. Place: under journal.c, which has checked every call; sqlite_cards_compare.c
 * has the comparison with what should be there. One thread at a time.
 *
 *   card       id (the key, so that new ones go to the end), stream, thread, state, kind, rank, made_at,
 *              changed_at, author, holder, title; found by stream and by author without looking at others
 *   card_text  rowid = id; contentless
 *
 * Why contentless. The text lies in the records already, in bodies that SQL cannot read; an index with
 * content, its own or in `card`, would store every text a second time and write it to the log a second time.
 * What contentless cannot do is not needed: no text ever changes or goes, and what lists show is in `card`.
 *
 * Why no checksum. A card is never the truth, and who may see one is decided by it; a damaged page is found
 * by `troupe verify`, and so is any card or word that the records do not say.
 *
 * How long a look takes. Rows are stepped through from the greatest id down, and never more than
 * JOURNAL_LOOKED_MAX of them; FTS5 gives the ids of a word in that order without sorting. Only words that are
 * frequent and hardly ever together make it read more: their lists of ids, 2 bytes for each.
 */
#include "journal/sqlite.h"

#include <stdio.h>
#include <string.h>

/* The columns of the FIND statements in sqlite.h. */
enum {
    FOUND_ID,
    FOUND_STREAM,
    FOUND_THREAD,
    FOUND_STATE,
    FOUND_KIND,
    FOUND_RANK,
    FOUND_MADE_AT,
    FOUND_CHANGED_AT,
    FOUND_AUTHOR,
    FOUND_HOLDER,
    FOUND_TITLE,
};

/* Each word in quotes, with its star, and spaces between. */
enum { MATCH_SIZE = JOURNAL_WORDS_SIZE_MAX + JOURNAL_WORDS_MAX * 4 + 1 };

/* --- putting ---------------------------------------------------------------------------------- */

static void bind_span(sqlite3_stmt *prepared, int column, const void *body, troupe_span span)
{
    sqlite3_bind_text(prepared, column, troupe_flat_text(body, span), (int)span.size, SQLITE_STATIC);
}

static troupe_status add_card(struct sqlite_journal *sqlite, sqlite3_stmt *add, sqlite3_stmt *index,
                              uint64_t stream, const journal_card *card)
{
    sqlite3_bind_int64(add, 1, (sqlite3_int64)card->id);
    sqlite3_bind_int64(add, 2, (sqlite3_int64)stream);
    sqlite3_bind_int64(add, 3, (sqlite3_int64)card->thread);
    sqlite3_bind_int64(add, 4, card->state);
    sqlite3_bind_int64(add, 5, card->kind);
    sqlite3_bind_int64(add, 6, card->rank);
    sqlite3_bind_int64(add, 7, card->made_at);
    sqlite3_bind_int64(add, 8, card->changed_at);
    bind_span(add, 9, card, card->author);
    bind_span(add, 10, card, card->holder);
    bind_span(add, 11, card, card->title);
    sqlite3_step(add);
    if (sqlite3_reset(add) != SQLITE_OK)
        return sqlite_fail(sqlite, "add a card");
    if (sqlite3_changes(sqlite->db) == 0)
        return TROUPE_CONFLICT;
    sqlite3_bind_int64(index, 1, (sqlite3_int64)card->id);
    bind_span(index, 2, card, card->title);
    bind_span(index, 3, card, card->text);
    sqlite3_step(index);
    if (sqlite3_reset(index) != SQLITE_OK)
        return sqlite_fail(sqlite, "add the words of a card");
    return TROUPE_OK;
}

static troupe_status change_card(struct sqlite_journal *sqlite, sqlite3_stmt *change, uint64_t stream,
                                 const journal_card_moved *moved)
{
    sqlite3_bind_int64(change, 1, (sqlite3_int64)moved->id);
    sqlite3_bind_int64(change, 2, (sqlite3_int64)stream);
    sqlite3_bind_int64(change, 3, moved->state);
    sqlite3_bind_int64(change, 4, moved->changed_at);
    bind_span(change, 5, moved, moved->holder);
    sqlite3_step(change);
    if (sqlite3_reset(change) != SQLITE_OK)
        return sqlite_fail(sqlite, "change a card");
    return TROUPE_OK;
}

/* The statements of a shelf, and the number of a stream that is there. */
static troupe_status ready(struct sqlite_journal *sqlite, enum journal_shelf shelf, const char *stream,
                           size_t stream_len, sqlite3_stmt ***ret_put, uint64_t *ret_stream)
{
    struct head *head;
    troupe_status status = sqlite_find_head(sqlite, stream, stream_len, &head);
    if (status != TROUPE_OK)
        return status;
    if (head == NULL)
        return TROUPE_NOT_FOUND;
    *ret_stream = head->id;
    *ret_put = &sqlite->statements[SQLITE_ADD_CARD_STATEMENT];
    if (shelf == JOURNAL_CARDS)
        return TROUPE_OK;
    *ret_put = sqlite->expected;
    return sqlite_expect_cards(sqlite);
}

troupe_status sqlite_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                         size_t stream_len, const journal_card *card)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    sqlite3_stmt **put;
    uint64_t number;
    troupe_status status = ready(sqlite, shelf, stream, stream_len, &put, &number);
    return status == TROUPE_OK ? add_card(sqlite, put[SQLITE_PUT_ADD], put[SQLITE_PUT_WORDS], number, card)
                               : status;
}

troupe_status sqlite_move(struct journal *journal, enum journal_shelf shelf, const char *stream,
                          size_t stream_len, const journal_card_moved *moved)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    sqlite3_stmt **put;
    uint64_t number;
    troupe_status status = ready(sqlite, shelf, stream, stream_len, &put, &number);
    return status == TROUPE_OK ? change_card(sqlite, put[SQLITE_PUT_CHANGE], number, moved) : status;
}

troupe_status sqlite_forget_cards(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite3_exec(sqlite->db,
                     "UPDATE state SET has_cards=0; DELETE FROM card;"
                     "INSERT INTO card_text(card_text) VALUES('delete-all')",
                     NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, "take the cards out");
    return TROUPE_OK;
}

troupe_status sqlite_complete_cards(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    if (sqlite3_exec(sqlite->db, "UPDATE state SET has_cards=1", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, "complete the cards");
    return TROUPE_OK;
}

bool sqlite_has_cards(struct journal *journal)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    sqlite3_stmt *get = sqlite->statements[SQLITE_HAS_CARDS_STATEMENT];
    bool is_read = sqlite3_step(get) == SQLITE_ROW;
    bool has_cards = is_read && sqlite3_column_int(get, 0) == 1;
    if (!is_read) /* or whoever asks would make anew what is only not readable */
        (void)sqlite_fail(sqlite, "read whether there are cards");
    sqlite3_reset(get);
    return has_cards;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* In quotes nothing has a meaning to FTS5, and no word has a quote in it: card.h. */
static void write_match(const struct journal_words *words, char match[MATCH_SIZE])
{
    size_t at = 0;
    for (uint32_t i = 0; i < words->count; i++) {
        const struct journal_word *word = &words->list[i];
        at += (size_t)snprintf(match + at, MATCH_SIZE - at, "%s\"%.*s\"%s", at == 0 ? "" : " ",
                               (int)word->size, word->text, word->is_beginning ? "*" : "");
    }
}

/*
 * The statement that looks at the fewest cards, everything bound but the texts of `match`: the words decide,
 * then the stream, then the author. NULL: there is no such stream.
 */
static troupe_status choose(struct sqlite_journal *sqlite, const struct journal_query *query,
                            const struct journal_words *words, const char *match, sqlite3_stmt **ret_find)
{
    sqlite3_stmt *find = sqlite->statements[SQLITE_FIND_ALL_STATEMENT];
    if (words->count > 0) {
        find = sqlite->statements[SQLITE_FIND_WORDS_STATEMENT];
        sqlite3_bind_text(find, 2, match, -1, SQLITE_STATIC);
    } else if (query->stream != NULL && query->stream[0] != '\0') {
        struct head *head;
        troupe_status status = sqlite_find_head(sqlite, query->stream, strlen(query->stream), &head);
        if (status != TROUPE_OK || head == NULL) {
            *ret_find = NULL;
            return status;
        }
        find = sqlite->statements[SQLITE_FIND_STREAM_STATEMENT];
        sqlite3_bind_int64(find, 2, (sqlite3_int64)head->id);
    } else if (query->author != NULL && query->author[0] != '\0') {
        find = sqlite->statements[SQLITE_FIND_AUTHOR_STATEMENT];
        sqlite3_bind_text(find, 2, query->author, -1, SQLITE_STATIC);
    }
    bool is_bounded = query->before != 0 && query->before <= INT64_MAX;
    sqlite3_bind_int64(find, 1, is_bounded ? (sqlite3_int64)query->before : INT64_MAX);
    *ret_find = find;
    return TROUPE_OK;
}

/* Texts of a row; NULL (SQLite out of memory, or no text at all) is as "". */
static const char *text_of(sqlite3_stmt *find, int column)
{
    const char *text = (const char *)sqlite3_column_text(find, column);
    return text != NULL ? text : "";
}

static troupe_status see_row(sqlite3_stmt *find, const struct journal_query *query, journal_visit_card *visit,
                             void *context)
{
    journal_card_fields card = {
        .id = (uint64_t)sqlite3_column_int64(find, FOUND_ID),
        .thread = (uint64_t)sqlite3_column_int64(find, FOUND_THREAD),
        .made_at = sqlite3_column_int64(find, FOUND_MADE_AT),
        .changed_at = sqlite3_column_int64(find, FOUND_CHANGED_AT),
        .state = (uint32_t)sqlite3_column_int64(find, FOUND_STATE),
        .kind = (uint32_t)sqlite3_column_int64(find, FOUND_KIND),
        .rank = (uint32_t)sqlite3_column_int64(find, FOUND_RANK),
        .stream = text_of(find, FOUND_STREAM),
        .author = text_of(find, FOUND_AUTHOR),
        .holder = text_of(find, FOUND_HOLDER),
        .title = text_of(find, FOUND_TITLE),
    };
    return journal_card_fits(&card, query) ? visit(context, &card) : TROUPE_OK;
}

troupe_status sqlite_find(struct journal *journal, const struct journal_query *query,
                          const struct journal_words *words, journal_visit_card *visit, void *context,
                          uint64_t *ret_next)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    char match[MATCH_SIZE] = "";
    uint64_t next = 0;
    uint32_t looked = 0;
    sqlite3_stmt *find;
    write_match(words, match);
    troupe_status status = choose(sqlite, query, words, match, &find);
    if (status != TROUPE_OK)
        return status;
    int result = SQLITE_DONE;
    while (find != NULL && next == 0 && status == TROUPE_OK && (result = sqlite3_step(find)) == SQLITE_ROW) {
        uint64_t id = (uint64_t)sqlite3_column_int64(find, FOUND_ID);
        status = ++looked > JOURNAL_LOOKED_MAX ? TROUPE_END : see_row(find, query, visit, context);
        if (status == TROUPE_END) {
            next = id + 1;
            status = TROUPE_OK;
        }
    }
    if (status == TROUPE_OK && next == 0)
        status = sqlite_check_end(sqlite, result, "look for cards");
    if (find != NULL) {
        sqlite3_reset(find);
        sqlite3_clear_bindings(find);
    }
    if (status == TROUPE_OK)
        *ret_next = next;
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * card.c: cards as bytes, what fits a query, and the words of a search; card.h has the design. Any thread.
 */
#include "journal/card.h"

#include <string.h>

_Static_assert(_Alignof(journal_card) <= RECORD_ALIGNMENT && _Alignof(journal_card_moved) <= RECORD_ALIGNMENT,
               "a card is read where it lies in a batch");

static bool is_of_a_word(char character)
{
    unsigned char byte = (unsigned char)character;
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

void journal_cut_words(const char *text, struct journal_words *ret_words)
{
    ret_words->count = 0;
    while (*text != '\0' && ret_words->count < JOURNAL_WORDS_MAX) {
        size_t size = 0;
        while (is_of_a_word(text[size]))
            size++;
        if (size > 0)
            ret_words->list[ret_words->count++] =
                (struct journal_word){.text = text, .size = size, .is_beginning = text[size] == '*'};
        text += size > 0 ? size : 1;
    }
}

static troupe_status add(struct record_batch *cards, const troupe_type *type, const void *fields)
{
    size_t size = troupe_flat_size(type, fields);
    void *body;
    troupe_status status = record_batch_add(cards, type->id, type->version, size, &body);
    if (status == TROUPE_OK)
        troupe_flat_write(type, fields, body, size);
    return status;
}

troupe_status journal_card_add(struct record_batch *cards, const journal_card_fields *card)
{
    return add(cards, &journal_card_type, card);
}

troupe_status journal_card_move(struct record_batch *cards, const journal_card_moved_fields *moved)
{
    return add(cards, &journal_card_moved_type, moved);
}

static bool is_of(const struct record *record, const troupe_type *type)
{
    return record->type == type->id && record->version == type->version &&
           troupe_flat_check(type, record->body, record->size) == TROUPE_OK;
}

troupe_status journal_card_next(struct record_cursor *cursor, struct journal_card_put *ret_put)
{
    struct record record;
    troupe_status status = record_next(cursor, &record);
    if (status != TROUPE_OK)
        return status;
    struct journal_card_put put = {0};
    if (is_of(&record, &journal_card_moved_type))
        put.moved = record.body;
    else if (is_of(&record, &journal_card_type))
        put.card = record.body;
    else
        return TROUPE_MALFORMED;
    uint64_t id = put.card != NULL ? put.card->id : put.moved->id;
    if (id == 0 || id >= INT64_MAX)
        return TROUPE_MALFORMED;
    *ret_put = put;
    return TROUPE_OK;
}

/* Compares a text with the line that begins at `line`. */
static int compare_line(const char *line, const char *text)
{
    while (*line == *text && *line != '\0')
        line++, text++;
    return (*line == '\n' ? 0 : (unsigned char)*line) - (unsigned char)*text;
}

/* Whether a text is one of the lines, which are in order: by halves, since there may be thousands. */
static bool is_line_of(const char *lines, const char *wanted)
{
    size_t low = 0;
    size_t high = strlen(lines);
    while (low < high) {
        size_t begin = low + (high - low) / 2;
        while (begin > low && lines[begin - 1] != '\n')
            begin--;
        int order = compare_line(lines + begin, wanted);
        if (order == 0)
            return true;
        if (order > 0)
            high = begin;
        else
            low = begin + strcspn(lines + begin, "\n") + 1;
    }
    return false;
}

static bool is_wanted(const char *wanted, const char *text)
{
    return wanted == NULL || wanted[0] == '\0' || strcmp(wanted, text) == 0;
}

bool journal_card_fits(const journal_card_fields *card, const struct journal_query *query)
{
    if (!is_wanted(query->stream, card->stream) || !is_wanted(query->author, card->author) ||
        !is_wanted(query->holder, card->holder) || (query->thread != 0 && query->thread != card->thread) ||
        (query->state != 0 && query->state != card->state))
        return false;
    if (query->readable == NULL)
        return true;
    const char *reader = query->reader;
    return (reader != NULL && reader[0] != '\0' &&
            (strcmp(card->author, reader) == 0 || strcmp(card->holder, reader) == 0)) ||
           is_line_of(query->readable, card->stream);
}

/* SPDX-License-Identifier: MIT */
/*
 * card.c: cards as bytes, what fits a query, and the words of a search; card.h has the design. Any thread.
 */
#include "journal/card.h"

#include <string.h>

_Static_assert(_Alignof(journal_card) <= RECORD_ALIGNMENT, "a card is read where it lies in a batch");

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

troupe_status journal_card_add(struct record_batch *cards, const journal_card_fields *card)
{
    size_t size = troupe_flat_size(&journal_card_type, card);
    void *body;
    troupe_status status =
        record_batch_add(cards, journal_card_type.id, journal_card_type.version, size, &body);
    if (status == TROUPE_OK)
        troupe_flat_write(&journal_card_type, card, body, size);
    return status;
}

troupe_status journal_card_next(struct record_cursor *cursor, const journal_card **ret_card)
{
    struct record record;
    troupe_status status = record_next(cursor, &record);
    if (status != TROUPE_OK)
        return status;
    if (record.type != journal_card_type.id || record.version != journal_card_type.version ||
        troupe_flat_check(&journal_card_type, record.body, record.size) != TROUPE_OK)
        return TROUPE_MALFORMED;
    const journal_card *card = record.body;
    if (card->id == 0 || card->id >= INT64_MAX)
        return TROUPE_MALFORMED;
    *ret_card = card;
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

/* SPDX-License-Identifier: MIT */
/*
 * journal_cards.c: seven cards, and what the tests of cards do with them; journal_cards.h. One thread.
 */
#include "support/journal_cards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/journal_support.h"

troupe_status cards_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                        const journal_card_fields *card)
{
    struct record_batch cards = {0};
    assert_int_equal(journal_card_add(&cards, card), TROUPE_OK);
    troupe_status status =
        journal_put(journal, shelf, stream, strlen(stream), cards.bytes.bytes, cards.bytes.size);
    record_batch_done(&cards);
    return status;
}

troupe_status cards_move(struct journal *journal, enum journal_shelf shelf, const char *stream,
                         const journal_card_moved_fields *moved)
{
    struct record_batch cards = {0};
    assert_int_equal(journal_card_move(&cards, moved), TROUPE_OK);
    troupe_status status =
        journal_put(journal, shelf, stream, strlen(stream), cards.bytes.bytes, cards.bytes.size);
    record_batch_done(&cards);
    return status;
}

static const struct {
    const char *stream;
    journal_card_fields card;
} content[] = {
    {"a", {.id = 10, .author = "ada", .title = "The café menu", .text = "soup and bread"}},
    {"b", {.id = 20, .author = "ben", .title = "Invoice 4711", .text = "is wrong, the SOUP too"}},
    {"a", {.id = 30, .author = "ada", .title = "Invoices", .text = "of the week"}},
    {"b", {.id = 40, .author = "cleo", .title = "Not", .text = "NEAR AND OR title:x"}},
    {"b", {.id = 50, .author = "ada", .title = "Keys", .text = "", .state = 3, .thread = 20}},
    {"a", {.id = 60, .author = "ben", .title = "naïve", .text = "words", .holder = "cleo"}},
    {"b", {.id = 70, .author = "dan", .title = "", .text = "", .kind = 2, .rank = 1}},
};

void cards_fill(struct journal *journal, enum journal_shelf shelf, uint64_t but)
{
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    if (shelf == JOURNAL_CARDS) {
        assert_int_equal(test_stage(journal, "a", 0, 1), TROUPE_OK);
        assert_int_equal(test_stage(journal, "b", 0, 1), TROUPE_OK);
    }
    for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++) {
        if (content[i].card.id != but)
            assert_int_equal(cards_put(journal, shelf, content[i].stream, &content[i].card), TROUPE_OK);
    }
    assert_int_equal(journal_commit(journal), TROUPE_OK);
}

troupe_status cards_note(void *context, const journal_card_fields *card)
{
    struct cards_found *found = context;
    if (found->limit > 0 && found->count == found->limit)
        return TROUPE_END;
    found->count++;
    found->last = *card;
    snprintf(found->texts[0], 64, "%s", card->stream);
    snprintf(found->texts[1], 64, "%s", card->author);
    snprintf(found->texts[2], 64, "%s", card->holder);
    snprintf(found->texts[3], 64, "%s", card->title);
    if (found->size < sizeof found->ids - 24)
        found->size +=
            (size_t)snprintf(found->ids + found->size, sizeof found->ids - found->size, "%d ", (int)card->id);
    return TROUPE_OK;
}

void cards_assert_found(struct journal *journal, const struct journal_query *query, const char *ids)
{
    struct cards_found found = {0};
    uint64_t next = 1;
    assert_int_equal(journal_find(journal, query, cards_note, &found, &next), TROUPE_OK);
    assert_string_equal(found.ids, ids);
    assert_int_equal(next, 0);
}

struct reports {
    char lines[1024];
    size_t size;
};

static void note_report(void *context, const char *stream, uint64_t id, const char *what)
{
    struct reports *reports = context;
    reports->size += (size_t)snprintf(reports->lines + reports->size, sizeof reports->lines - reports->size,
                                      "%s %d %s\n", stream, (int)id, what);
}

void cards_assert_reports(struct journal *journal, const char *lines)
{
    struct reports reports = {0};
    assert_int_equal(journal_compare_cards(journal, note_report, &reports), TROUPE_OK);
    assert_string_equal(reports.lines, lines);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about cards: they are found by what they say and by their words, by whoever may see them, a page at a
 * time. Each shown on every driver. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "support/journal_cards.h"
#include "support/journal_support.h"

static void cards_are_found_by_what_they_say_the_newest_first(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_finds(journal, "70 60 50 40 30 20 10 ", .words = NULL);
    assert_finds(journal, "60 30 10 ", .stream = "a");
    assert_finds(journal, "50 30 10 ", .author = "ada");
    assert_finds(journal, "30 10 ", .author = "ada", .stream = "a");
    assert_finds(journal, "60 ", .holder = "cleo");
    assert_finds(journal, "50 ", .state = 3);
    assert_finds(journal, "50 ", .thread = 20);
    assert_finds(journal, "20 10 ", .before = 30);
    assert_finds(journal, "30 ", .author = "ada", .before = 50, .words = "invoices");
    assert_finds(journal, "", .stream = "c");
    assert_finds(journal, "", .before = 1);
}

static void a_card_comes_back_as_it_was_put(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct cards_found found = {0};
    uint64_t next;
    journal_card_fields card = {.id = INT64_MAX - 1,
                                .thread = 7,
                                .made_at = -5,
                                .changed_at = 9,
                                .state = 4,
                                .kind = UINT32_MAX,
                                .rank = 2,
                                .author = "ada",
                                .holder = "ben",
                                .title = "t"};
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 0, 1), TROUPE_OK);
    assert_int_equal(cards_put(journal, JOURNAL_CARDS, "a", &card), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(journal_find(journal, &(struct journal_query){0}, cards_note, &found, &next), TROUPE_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.last.id, INT64_MAX - 1);
    assert_int_equal(found.last.thread, 7);
    assert_int_equal(found.last.made_at, -5);
    assert_int_equal(found.last.changed_at, 9);
    assert_int_equal(found.last.state, 4);
    assert_int_equal(found.last.kind, UINT32_MAX);
    assert_int_equal(found.last.rank, 2);
    assert_string_equal(found.texts[0], "a");
    assert_string_equal(found.texts[1], "ada");
    assert_string_equal(found.texts[2], "ben");
    assert_string_equal(found.texts[3], "t");
}

static void a_change_leaves_the_rest_of_a_card_and_of_another_stream_changes_nothing(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct cards_found found = {0};
    uint64_t next;
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    journal_card_moved_fields taken = {.id = 10, .state = 2, .changed_at = 99, .holder = "eva"};
    journal_card_moved_fields ended = {.id = 10, .state = 5, .changed_at = 100};
    journal_card_moved_fields nobody = {.id = 11, .state = 5};
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &taken), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &ended), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "b", &taken), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &nobody), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(journal_find(journal, &(struct journal_query){.before = 20}, cards_note, &found, &next),
                     TROUPE_OK);
    assert_string_equal(found.ids, "10 ");
    assert_int_equal(found.last.state, 5);
    assert_int_equal(found.last.changed_at, 100);
    assert_string_equal(found.texts[2], "eva");
    assert_string_equal(found.texts[3], "The café menu");
    assert_finds(journal, "10 ", .words = "menu");
}

static void a_new_card_with_a_known_id_is_a_conflict_and_the_first_one_stays(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct record_batch cards = {0};
    journal_card_fields again = {.id = 10, .title = "again"};
    journal_card_fields fresh = {.id = 80, .title = "fresh"};
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_int_equal(journal_card_add(&cards, &again), TROUPE_OK);
    assert_int_equal(journal_card_add(&cards, &fresh), TROUPE_OK);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_put(journal, JOURNAL_CARDS, "b", 1, cards.bytes.bytes, cards.bytes.size),
                     TROUPE_CONFLICT);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    record_batch_done(&cards);
    assert_finds(journal, "10 ", .words = "menu", .stream = "a");
    assert_finds(journal, "", .words = "again");
    assert_finds(journal, "80 ", .words = "fresh", .stream = "b");
}

static void cards_that_come_in_no_order_are_kept_in_that_of_their_ids(void **state)
{
    enum { COUNT = 101 };
    struct journal *journal = test_journal_of(state);
    struct cards_found found = {0};
    uint64_t next;
    char ids[512] = "";
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 0, 1), TROUPE_OK);
    for (uint64_t i = 1; i < COUNT; i++) { /* 37, 74, 10...: each number up to 100 once */
        journal_card_fields card = {.id = i * 37 % COUNT, .author = "ada", .title = "a title"};
        assert_int_equal(cards_put(journal, JOURNAL_CARDS, "a", &card), TROUPE_OK);
    }
    for (uint64_t i = 1; i < COUNT; i++) {
        journal_card_moved_fields moved = {.id = i * 29 % COUNT, .changed_at = (int64_t)i, .state = 2};
        assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &moved), TROUPE_OK);
    }
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    for (int id = COUNT - 1; id > 0; id--)
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%d ", id);
    assert_finds(journal, ids, .state = 2);
    assert_int_equal(journal_find(journal, &(struct journal_query){.before = 30}, cards_note, &found, &next),
                     TROUPE_OK);
    assert_int_equal(found.count, 29);
    assert_int_equal(found.last.changed_at, 7); /* 7 * 29 = 2 * 101 + 1 */
}

static void what_are_no_cards_is_told(void **state)
{
    (void)state;
    struct record_batch cards = {0};
    journal_card_fields good = {.id = 90};
    journal_card_moved_fields moved = {.id = 90};
    const uint64_t bad_ids[] = {0, INT64_MAX};
    assert_int_equal(journal_check_cards(NULL, 0), TROUPE_OK);
    for (int i = 0; i < 6; i++) {
        record_batch_clear(&cards);
        assert_int_equal(journal_card_add(&cards, &good), TROUPE_OK);
        assert_int_equal(journal_card_move(&cards, &moved), TROUPE_OK);
        assert_int_equal(journal_check_cards(cards.bytes.bytes, cards.bytes.size), TROUPE_OK);
        moved.id = bad_ids[i % 2];
        if (i < 2)
            assert_int_equal(journal_card_add(&cards, &(journal_card_fields){.id = bad_ids[i]}), TROUPE_OK);
        else if (i < 4)
            assert_int_equal(journal_card_move(&cards, &moved), TROUPE_OK);
        else if (i == 4)
            assert_int_equal(record_batch_append(&cards, 5, 1, "no card.", 8), TROUPE_OK);
        moved.id = 90;
        size_t size = cards.bytes.size - (i == 5 ? 8 : 0);
        assert_int_equal(journal_check_cards(cards.bytes.bytes, size), TROUPE_MALFORMED);
    }
    record_batch_done(&cards);
}

/* --- words ------------------------------------------------------------------------------------ */

static void all_the_words_are_found_in_any_order_and_case_in_title_and_text(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_finds(journal, "20 10 ", .words = "soup");
    assert_finds(journal, "10 ", .words = "BREAD soup");
    assert_finds(journal, "20 ", .words = "soup invoice");
    assert_finds(journal, "20 ", .words = "invoice");
    assert_finds(journal, "30 20 ", .words = "invoice*");
    assert_finds(journal, "", .words = "sou");
    assert_finds(journal, "20 ", .words = "4711");
    assert_finds(journal, "10 ", .words = "café");
    assert_finds(journal, "", .words = "soup nowhere");
}

static void what_is_typed_is_never_an_error_of_syntax(void **state)
{
    struct journal *journal = test_journal_of(state);
    static const char *const typed[] = {
        "near and or not title x",
        "NEAR(and or)",
        "\"OR",
        "title:x",
        "-near",
        "^near",
        "near + and",
        "near AND NOT",
        "{title}:x",
        "(((x",
        "x'; --",
        "or*",
        "*or",
        "or**",
    };
    cards_fill(journal, JOURNAL_CARDS, 0);
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
        assert_finds(journal, "40 ", .words = typed[i], .before = 50);
}

static void a_search_without_a_word_or_with_too_much_is_refused_with_a_reason(void **state)
{
    struct journal *journal = test_journal_of(state);
    char words[JOURNAL_WORDS_SIZE_MAX + 2];
    struct cards_found found = {0};
    uint64_t next;
    cards_fill(journal, JOURNAL_CARDS, 0);
    static const char *const empty[] = {"\"", "*", " ", "-- !?", "()"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        assert_int_equal(
            journal_find(journal, &(struct journal_query){.words = empty[i]}, cards_note, &found, &next),
            TROUPE_INVALID);
        assert_string_equal(journal_error(journal), "there is no word to look for");
    }
    memset(words, ' ', sizeof(words));
    memcpy(words, "soup", 4);
    words[JOURNAL_WORDS_SIZE_MAX] = '\0';
    assert_finds(journal, "20 10 ", .words = words);
    words[JOURNAL_WORDS_SIZE_MAX] = ' ';
    words[JOURNAL_WORDS_SIZE_MAX + 1] = '\0';
    assert_int_equal(
        journal_find(journal, &(struct journal_query){.words = words}, cards_note, &found, &next),
        TROUPE_INVALID);
    assert_false(journal_is_failed(journal));
    /* Words after the sixteenth do not count. */
    assert_finds(journal, "20 10 ",
                 .words =
                     "soup soup soup soup soup soup soup soup soup soup soup soup soup soup soup soup no");
    assert_finds(journal, "",
                 .words = "soup soup soup soup soup soup soup soup soup soup soup soup soup soup soup no");
}

static void accented_letters_are_found_without_their_accents(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_finds(journal, "10 ", .words = "cafe");
    assert_finds(journal, "60 ", .words = "NAIVE");
}

/* --- who looks, and how much ------------------------------------------------------------------ */

static void a_reader_sees_the_cards_of_its_streams_and_its_own(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_finds(journal, "60 30 10 ", .readable = "a", .reader = "nobody");
    assert_finds(journal, "60 50 30 10 ", .readable = "a\nx\ny", .reader = "ada");
    assert_finds(journal, "50 30 10 ", .readable = "", .reader = "ada");
    assert_finds(journal, "60 40 ", .readable = "", .reader = "cleo");
    assert_finds(journal, "", .readable = "", .reader = "");
    assert_finds(journal, "", .readable = "aa", .reader = "x");
    assert_finds(journal, "70 50 40 20 ", .readable = "0\naa\nab\nb\nbb\nc", .reader = "x");
    assert_finds(journal, "70 50 40 20 ", .readable = "0\naa\nab\nb", .reader = "x");
    assert_finds(journal, "60 30 10 ", .readable = "0\na\naa\nab", .reader = "x");
    assert_finds(journal, "20 ", .readable = "", .reader = "ben", .words = "soup");
}

static void pages_follow_each_other_and_miss_nothing(void **state)
{
    struct journal *journal = test_journal_of(state);
    struct cards_found found = {.limit = 3};
    uint64_t next;
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_int_equal(journal_find(journal, &(struct journal_query){0}, cards_note, &found, &next), TROUPE_OK);
    assert_string_equal(found.ids, "70 60 50 ");
    found.limit = 6;
    assert_int_equal(
        journal_find(journal, &(struct journal_query){.before = next}, cards_note, &found, &next), TROUPE_OK);
    assert_string_equal(found.ids, "70 60 50 40 30 20 ");
    found.limit = 7;
    assert_int_equal(
        journal_find(journal, &(struct journal_query){.before = next}, cards_note, &found, &next), TROUPE_OK);
    assert_string_equal(found.ids, "70 60 50 40 30 20 10 ");
    assert_int_equal(next, 0);
}

static void one_call_looks_at_so_many_cards_and_says_where_to_go_on(void **state)
{
    struct journal *journal = test_journal_of(state);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(test_stage(journal, "a", 0, 1), TROUPE_OK);
    for (uint64_t id = 1; id <= JOURNAL_LOOKED_MAX + 1; id++) {
        journal_card_fields card = {.id = id, .author = id == 1 ? "first" : "other"};
        assert_int_equal(cards_put(journal, JOURNAL_CARDS, "a", &card), TROUPE_OK);
    }
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    struct cards_found found = {0};
    uint64_t next = 0;
    struct journal_query query = {.readable = "", .reader = "first"};
    assert_int_equal(journal_find(journal, &query, cards_note, &found, &next), TROUPE_OK);
    assert_int_equal(found.count, 0);
    assert_int_equal(next, 2);
    query.before = next;
    assert_int_equal(journal_find(journal, &query, cards_note, &found, &next), TROUPE_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(next, 0);
    found.count = 0;
    query = (struct journal_query){.before = JOURNAL_LOOKED_MAX + 1};
    assert_int_equal(journal_find(journal, &query, cards_note, &found, &next), TROUPE_OK);
    assert_int_equal(found.count, JOURNAL_LOOKED_MAX);
    assert_int_equal(next, 0);
}

#define ON_BOTH(test)                                                                                        \
    {"memory_" #test, test, test_journal_memory, test_journal_close, NULL},                                  \
    {                                                                                                        \
        "sqlite_" #test, test, test_journal_sqlite, test_journal_close, NULL                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(cards_are_found_by_what_they_say_the_newest_first),
        ON_BOTH(a_card_comes_back_as_it_was_put),
        ON_BOTH(a_change_leaves_the_rest_of_a_card_and_of_another_stream_changes_nothing),
        ON_BOTH(a_new_card_with_a_known_id_is_a_conflict_and_the_first_one_stays),
        ON_BOTH(cards_that_come_in_no_order_are_kept_in_that_of_their_ids),
        cmocka_unit_test(what_are_no_cards_is_told),
        ON_BOTH(all_the_words_are_found_in_any_order_and_case_in_title_and_text),
        ON_BOTH(what_is_typed_is_never_an_error_of_syntax),
        ON_BOTH(a_search_without_a_word_or_with_too_much_is_refused_with_a_reason),
        ON_BOTH(a_reader_sees_the_cards_of_its_streams_and_its_own),
        ON_BOTH(pages_follow_each_other_and_miss_nothing),
        ON_BOTH(one_call_looks_at_so_many_cards_and_says_where_to_go_on),
        cmocka_unit_test_setup_teardown(accented_letters_are_found_without_their_accents, test_journal_sqlite,
                                        test_journal_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

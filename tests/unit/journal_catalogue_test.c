/* SPDX-License-Identifier: MIT */
/*
 * Facts about the catalogue as a whole: it becomes durable with the records, can be made anew, and where it
 * differs from what it should be, that is told card by card. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "journal/journal.h"
#include "journal/memory.h"
#include "support/journal_cards.h"
#include "support/journal_support.h"

/* --- made anew, and compared ------------------------------------------------------------------ */

static void cards_that_were_taken_out_are_not_whole_until_they_are_completed(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    assert_true(journal_has_cards(journal));
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_forget_cards(journal), TROUPE_OK);
    assert_int_equal(
        cards_put(journal, JOURNAL_CARDS, "a", &(journal_card_fields){.id = 10, .title = "soup"}), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_false(journal_has_cards(journal));
    assert_finds(journal, "10 ", .words = NULL);
    assert_finds(journal, "10 ", .words = "soup");
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(
        cards_put(journal, JOURNAL_CARDS, "b", &(journal_card_fields){.id = 20, .title = "soup"}), TROUPE_OK);
    assert_int_equal(journal_complete_cards(journal), TROUPE_OK);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_true(journal_has_cards(journal));
    assert_finds(journal, "20 10 ", .words = "soup");
}

static void a_catalogue_that_is_not_as_expected_is_reported_card_by_card(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_assert_reports(journal, "");
    cards_fill(journal, JOURNAL_CARDS, 0);
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 0);
    cards_assert_reports(journal, "");
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 40);
    cards_assert_reports(journal, "b 40 is of no record\n");
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 0);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    journal_card_fields more = {.id = 15, .title = "more"};
    journal_card_moved_fields changed = {.id = 30, .state = 9};
    assert_int_equal(cards_put(journal, JOURNAL_EXPECTED_CARDS, "b", &more), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_EXPECTED_CARDS, "a", &changed), TROUPE_OK);
    assert_int_equal(
        cards_put(journal, JOURNAL_EXPECTED_CARDS, "b", &(journal_card_fields){.id = 10, .title = "soup"}),
        TROUPE_CONFLICT);
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    cards_assert_reports(journal, "b 15 is missing\na 30 is not what the records say\n");
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 0); /* what was expected before is forgotten */
    cards_assert_reports(journal, "");
    assert_finds(journal, "70 60 50 40 30 20 10 ", .words = NULL);
}

/* --- each driver ------------------------------------------------------------------------------ */

static void memory_loses_the_cards_that_were_not_committed(void **state)
{
    struct journal *journal = test_journal_of(state);
    cards_fill(journal, JOURNAL_CARDS, 0);
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 0);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    journal_card_fields fresh = {.id = 25, .title = "fresh"};
    journal_card_moved_fields taken = {.id = 60, .state = 2, .holder = "eva"};
    journal_card_moved_fields again = {.id = 60, .state = 5, .holder = "finn"};
    assert_int_equal(cards_put(journal, JOURNAL_CARDS, "a", &fresh), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &taken), TROUPE_OK);
    assert_int_equal(cards_move(journal, JOURNAL_CARDS, "a", &again), TROUPE_OK);
    journal_memory_restart(journal);
    cards_assert_reports(journal, "");
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    assert_int_equal(journal_forget_cards(journal), TROUPE_OK);
    assert_int_equal(cards_put(journal, JOURNAL_CARDS, "a", &fresh), TROUPE_OK);
    journal_memory_restart(journal);
    assert_true(journal_has_cards(journal));
    cards_fill(journal, JOURNAL_EXPECTED_CARDS, 0);
    cards_assert_reports(journal, "");
}

static void run_sql(const struct test_journal *fixture, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(fixture->folder.journal, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void reopen(struct test_journal *fixture)
{
    assert_int_equal(journal_close(&fixture->journal), TROUPE_OK);
    fixture->journal = test_open(&journal_sqlite, fixture->folder.journal);
}

static void sqlite_finds_cards_after_it_was_opened_again_and_not_those_of_a_lost_transaction(void **state)
{
    struct test_journal *fixture = *state;
    cards_fill(fixture->journal, JOURNAL_CARDS, 0);
    assert_int_equal(journal_begin(fixture->journal), TROUPE_OK);
    journal_card_fields fresh = {.id = 25, .title = "soup"};
    assert_int_equal(cards_put(fixture->journal, JOURNAL_CARDS, "a", &fresh), TROUPE_OK);
    reopen(fixture);
    assert_finds(fixture->journal, "20 10 ", .words = "soup");
    assert_finds(fixture->journal, "70 60 50 40 30 20 10 ", .words = NULL);
}

static void a_row_or_a_word_that_somebody_changed_in_the_file_is_reported(void **state)
{
    struct test_journal *fixture = *state;
    static const struct {
        const char *sql;
        const char *lines;
    } damages[] = {
        {"UPDATE card SET holder='eva' WHERE id=60", "a 60 is not what the records say\n"},
        {"UPDATE card SET holder='cleo', stream=2 WHERE id=60", "a 60 is not what the records say\n"},
        {"UPDATE card SET stream=1 WHERE id=60; DELETE FROM card WHERE id=20", "b 20 is missing\n"},
        {"INSERT INTO card VALUES(20,2,0,0,0,0,0,0,'ben','','Invoice 4711');"
         "INSERT INTO card_text(card_text, rowid, title, text) VALUES('delete', 10, 'The café menu',"
         " 'soup and bread')",
         "a 10 is not in the index of words\n"},
        {"INSERT INTO card_text(rowid, title, text) VALUES(10, 'The menu', 'soup and bread')",
         "a 10 is not found by its word \"cafe\"\n"},
        {"INSERT INTO card_text(rowid, title, text) VALUES(99, 'fish', '')",
         " 99 is not there, but in the index of words\na 10 is not found by its word \"cafe\"\n"},
        {"INSERT INTO card_text(card_text, rowid, title, text) VALUES('delete', 99, 'fish', '');"
         "INSERT INTO card_text(card_text, rowid, title, text) VALUES('delete', 10, 'The menu', 'soup and "
         "bread');"
         "INSERT INTO card_text(rowid, title, text) VALUES(10, 'The café menu', 'soup and bread, and fish')",
         "a 10 is found by the word \"and\", which it does not have there\n"},
    };
    cards_fill(fixture->journal, JOURNAL_CARDS, 0);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        assert_int_equal(journal_close(&fixture->journal), TROUPE_OK);
        run_sql(fixture, damages[i].sql);
        fixture->journal = test_open(&journal_sqlite, fixture->folder.journal);
        cards_fill(fixture->journal, JOURNAL_EXPECTED_CARDS, 0);
        cards_assert_reports(fixture->journal, damages[i].lines);
    }
}

static void note_finding(void *context, const char *finding)
{
    snprintf(context, JOURNAL_ERROR_SIZE, "%s", finding);
}

static void a_damaged_index_of_words_is_found_by_verify(void **state)
{
    struct test_journal *fixture = *state;
    char finding[JOURNAL_ERROR_SIZE] = "";
    cards_fill(fixture->journal, JOURNAL_CARDS, 0);
    assert_int_equal(journal_verify(fixture->journal, note_finding, finding), TROUPE_OK);
    assert_int_equal(journal_close(&fixture->journal), TROUPE_OK);
    run_sql(fixture, "UPDATE card_text_data SET block=zeroblob(length(block)) WHERE id > 100");
    fixture->journal = test_open(&journal_sqlite, fixture->folder.journal);
    assert_int_equal(journal_verify(fixture->journal, note_finding, finding), TROUPE_CORRUPT);
    assert_non_null(strstr(finding, "the index of words is damaged"));
}

#define ON_BOTH(test)                                                                                        \
    {"memory_" #test, test, test_journal_memory, test_journal_close, NULL},                                  \
    {                                                                                                        \
        "sqlite_" #test, test, test_journal_sqlite, test_journal_close, NULL                                 \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(cards_that_were_taken_out_are_not_whole_until_they_are_completed),
        ON_BOTH(a_catalogue_that_is_not_as_expected_is_reported_card_by_card),
        cmocka_unit_test_setup_teardown(memory_loses_the_cards_that_were_not_committed, test_journal_memory,
                                        test_journal_close),
        cmocka_unit_test_setup_teardown(
            sqlite_finds_cards_after_it_was_opened_again_and_not_those_of_a_lost_transaction,
            test_journal_sqlite, test_journal_close),
        cmocka_unit_test_setup_teardown(a_row_or_a_word_that_somebody_changed_in_the_file_is_reported,
                                        test_journal_sqlite, test_journal_close),
        cmocka_unit_test_setup_teardown(a_damaged_index_of_words_is_found_by_verify, test_journal_sqlite,
                                        test_journal_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

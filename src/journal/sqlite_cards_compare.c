/* SPDX-License-Identifier: MIT */
/*
 * sqlite_cards_compare.c: is the catalogue of a SQLite file what the records say? Place: as sqlite_cards.c,
 * for `troupe verify`. One thread at a time.
 *
 *   expected cards --> temp.expected_card, temp.expected_text: the same tables, made by the same statements
 *   then: rows that only one side has; and both indexes, word by word in order, side by side
 *
 * An index cannot be asked what a card was indexed with, but both can be read out whole, in the same order
 * (term, card, column, place), by FTS5's own view of them. So nothing is left to sampling: each word of each
 * text at each place is compared, in one pass. It takes about as long as indexing everything did.
 */
#include "journal/sqlite.h"

#include <stdio.h>
#include <string.h>

/* The tables beside the real ones: as in sqlite_schema.c, and what was reported already. */
static const char *const expected_tables =
    "CREATE TEMP TABLE expected_card (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL,"
    " thread INTEGER NOT NULL, state INTEGER NOT NULL, kind INTEGER NOT NULL, rank INTEGER NOT NULL,"
    " made_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, author TEXT NOT NULL, holder TEXT NOT NULL,"
    " title TEXT NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE temp.expected_text USING fts5(title, text, content='',"
    " tokenize='unicode61 remove_diacritics 2');"
    "CREATE VIRTUAL TABLE temp.card_word USING fts5vocab(main, card_text, instance);"
    "CREATE VIRTUAL TABLE temp.expected_word USING fts5vocab(temp, expected_text, instance);"
    "CREATE TEMP TABLE reported (id INTEGER PRIMARY KEY);";

static const char *const expected_gone = "DROP TABLE temp.card_word; DROP TABLE temp.expected_word;"
                                         "DROP TABLE temp.expected_text; DROP TABLE temp.expected_card;"
                                         "DROP TABLE temp.reported;";

static const char *const expected_put[SQLITE_PUT_COUNT] = {
    [SQLITE_PUT_ADD] = "INSERT OR IGNORE INTO temp.expected_card VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [SQLITE_PUT_WORDS] = "INSERT INTO temp.expected_text(rowid, title, text) VALUES(?1,?2,?3)",
    [SQLITE_PUT_CHANGE] =
        ("UPDATE temp.expected_card SET state=?3, changed_at=?4, holder=CASE ?5 WHEN '' THEN holder"
         " ELSE ?5 END WHERE id=?1 AND stream=?2"),
};

/* A walk over one side's words. */
struct side {
    sqlite3_stmt *list;
    int result;
};

struct comparison {
    struct sqlite_journal *sqlite;
    journal_report_card *report;
    void *context;
    sqlite3_stmt *note; /* that a card was reported: no row changes when it was before */
    sqlite3_stmt *name; /* of the stream of a card */
};

troupe_status sqlite_expect_cards(struct sqlite_journal *sqlite)
{
    if (sqlite->expected[0] != NULL)
        return TROUPE_OK;
    if (sqlite3_exec(sqlite->db, expected_tables, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(sqlite, "make room for expected cards");
    for (int i = 0; i < SQLITE_PUT_COUNT; i++) {
        if (sqlite3_prepare_v2(sqlite->db, expected_put[i], -1, &sqlite->expected[i], NULL) != SQLITE_OK)
            return sqlite_fail(sqlite, "make room for expected cards");
    }
    return TROUPE_OK;
}

void sqlite_drop_expected(struct sqlite_journal *sqlite)
{
    for (int i = 0; i < SQLITE_PUT_COUNT; i++) {
        sqlite3_finalize(sqlite->expected[i]);
        sqlite->expected[i] = NULL;
    }
}

/* Reports a card once, however much of it is wrong. */
static void report(struct comparison *comparison, uint64_t id, const char *what)
{
    sqlite3_bind_int64(comparison->note, 1, (sqlite3_int64)id);
    sqlite3_step(comparison->note);
    sqlite3_reset(comparison->note);
    if (sqlite3_changes(comparison->sqlite->db) == 0)
        return;
    sqlite3_bind_int64(comparison->name, 1, (sqlite3_int64)id);
    const char *stream = sqlite3_step(comparison->name) == SQLITE_ROW
                             ? (const char *)sqlite3_column_text(comparison->name, 0)
                             : NULL;
    comparison->report(comparison->context, stream != NULL ? stream : "", id, what);
    sqlite3_reset(comparison->name);
}

static troupe_status report_rows(struct comparison *comparison, const char *query, const char *what)
{
    sqlite3_stmt *list = NULL;
    int result = sqlite3_prepare_v2(comparison->sqlite->db, query, -1, &list, NULL);
    while (result == SQLITE_OK && (result = sqlite3_step(list)) == SQLITE_ROW) {
        report(comparison, (uint64_t)sqlite3_column_int64(list, 0), what);
        result = SQLITE_OK;
    }
    sqlite3_finalize(list);
    return sqlite_check_end(comparison->sqlite, result, "compare the cards");
}

static troupe_status compare_rows(struct comparison *comparison)
{
    troupe_status status = report_rows(
        comparison, "SELECT id FROM temp.expected_card WHERE id NOT IN (SELECT id FROM main.card)",
        "is missing");
    if (status == TROUPE_OK)
        status = report_rows(comparison,
                             "SELECT id FROM main.card WHERE id NOT IN (SELECT id FROM temp.expected_card)",
                             "is of no record");
    if (status == TROUPE_OK)
        status = report_rows(
            comparison, "SELECT id FROM (SELECT * FROM main.card EXCEPT SELECT * FROM temp.expected_card)",
            "is not what the records say");
    return status;
}

static bool has_word(const struct side *side)
{
    return side->result == SQLITE_ROW;
}

static int compare_numbers(sqlite3_int64 a, sqlite3_int64 b)
{
    return (a > b) - (a < b);
}

/* The order in which both sides are walked: term, card, column, place. */
static int compare_words(const struct side *a, const struct side *b)
{
    int size_a = sqlite3_column_bytes(a->list, 0);
    int size_b = sqlite3_column_bytes(b->list, 0);
    int shorter = size_a < size_b ? size_a : size_b;
    const void *term_a = sqlite3_column_blob(a->list, 0);
    const void *term_b = sqlite3_column_blob(b->list, 0);
    int order = shorter > 0 ? memcmp(term_a, term_b, (size_t)shorter) : 0;
    if (order == 0)
        order = compare_numbers(size_a, size_b);
    for (int column = 1; order == 0 && column <= 3; column++)
        order = compare_numbers(sqlite3_column_int64(a->list, column), sqlite3_column_int64(b->list, column));
    return order;
}

static void report_word(struct comparison *comparison, const struct side *side, const char *format)
{
    char what[JOURNAL_ERROR_SIZE];
    const char *term = (const char *)sqlite3_column_text(side->list, 0);
    snprintf(what, sizeof(what), format, term != NULL ? term : "");
    report(comparison, (uint64_t)sqlite3_column_int64(side->list, 1), what);
}

static void step(struct side *side)
{
    side->result = sqlite3_step(side->list);
}

static bool begin(struct comparison *comparison, struct side *side, const char *query)
{
    side->result = sqlite3_prepare_v2(comparison->sqlite->db, query, -1, &side->list, NULL);
    if (side->result == SQLITE_OK)
        step(side);
    return side->result == SQLITE_ROW || side->result == SQLITE_DONE;
}

static troupe_status compare_indexes(struct comparison *comparison)
{
    struct side kept = {0};
    struct side expected = {0};
    bool is_on =
        begin(comparison, &kept,
              "SELECT term, doc, CASE col WHEN 'title' THEN 0 ELSE 1 END, offset FROM temp.card_word") &&
        begin(comparison, &expected,
              "SELECT term, doc, CASE col WHEN 'title' THEN 0 ELSE 1 END, offset FROM temp.expected_word");
    while (is_on && (has_word(&kept) || has_word(&expected))) {
        int order = 0;
        if (!has_word(&expected))
            order = -1;
        else if (!has_word(&kept))
            order = 1;
        else
            order = compare_words(&kept, &expected);
        if (order < 0)
            report_word(comparison, &kept, "is found by the word \"%.100s\", which it does not have there");
        else if (order > 0)
            report_word(comparison, &expected, "is not found by its word \"%.100s\"");
        if (order <= 0)
            step(&kept);
        if (order >= 0)
            step(&expected);
        is_on = (has_word(&kept) || kept.result == SQLITE_DONE) &&
                (has_word(&expected) || expected.result == SQLITE_DONE);
    }
    int result = kept.result != SQLITE_DONE ? kept.result : expected.result;
    troupe_status status = sqlite_check_end(comparison->sqlite, result, "compare the words of the cards");
    sqlite3_finalize(kept.list);
    sqlite3_finalize(expected.list);
    return status;
}

/* The index says of each card how many words it has; one without any is there all the same. */
static troupe_status compare_sets(struct comparison *comparison)
{
    troupe_status status = report_rows(
        comparison, "SELECT id FROM main.card WHERE id NOT IN (SELECT id FROM main.card_text_docsize)",
        "is not in the index of words");
    if (status == TROUPE_OK)
        status = report_rows(
            comparison, "SELECT id FROM main.card_text_docsize WHERE id NOT IN (SELECT id FROM main.card)",
            "is not there, but in the index of words");
    return status;
}

troupe_status sqlite_compare_cards(struct journal *journal, journal_report_card *report_to, void *context)
{
    struct sqlite_journal *sqlite = sqlite_of(journal);
    struct comparison comparison = {.sqlite = sqlite, .report = report_to, .context = context};
    troupe_status status =
        sqlite_expect_cards(sqlite); /* when there is not a single one, the tables are not */
    if (status != TROUPE_OK)
        return status;
    if (sqlite3_prepare_v2(sqlite->db, "INSERT OR IGNORE INTO temp.reported VALUES(?1)", -1, &comparison.note,
                           NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(sqlite->db,
                           "SELECT name FROM main.stream WHERE id=coalesce((SELECT stream FROM"
                           " temp.expected_card WHERE id=?1), (SELECT stream FROM main.card WHERE id=?1))",
                           -1, &comparison.name, NULL) != SQLITE_OK)
        status = sqlite_fail(sqlite, "compare the cards");
    if (status == TROUPE_OK)
        status = compare_rows(&comparison);
    if (status == TROUPE_OK)
        status = compare_sets(&comparison);
    if (status == TROUPE_OK)
        status = compare_indexes(&comparison);
    sqlite3_finalize(comparison.note);
    sqlite3_finalize(comparison.name);
    sqlite_drop_expected(sqlite);
    if (sqlite3_exec(sqlite->db, expected_gone, NULL, NULL, NULL) != SQLITE_OK && status == TROUPE_OK)
        status = sqlite_fail(sqlite, "forget the expected cards");
    return status;
}

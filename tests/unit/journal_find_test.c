/* SPDX-License-Identifier: MIT */
/*
 * Facts about cards, and summaries, on their way through the writer: they come with the records of an append
 * and are durable with them, or neither, and whoever looks for cards is answered a page at a time. The test's
 * thread, and the writer's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/memory.h"
#include "support/journal_actors.h"
#include "support/journal_support.h"

struct fixture {
    struct journal *journal;
    troupe_system *system;
    troupe_ref writer;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->journal = test_open(&journal_memory, "");
    assert_int_equal(troupe_start(&fixture->system, NULL), TROUPE_OK);
    fixture->writer = test_spawn_writer(fixture->system, fixture->journal);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    troupe_stop(&fixture->system);
    journal_close(&fixture->journal);
    free(fixture);
    return 0;
}

/* Appends one record with these bytes as its cards and its summary. */
static troupe_status append_with(struct fixture *fixture, const char *stream, uint64_t expected_seq,
                                 troupe_bytes cards, troupe_bytes summary)
{
    static const unsigned char record[RECORD_HEADER_SIZE] = {1};
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(fixture->system, fixture->writer, TEST_TIMEOUT_MS, &reply, journal_append,
                                 .stream = stream, .expected_seq = expected_seq, .cards = cards,
                                 .summary = summary, .records = {record, sizeof(record)}),
                     TROUPE_OK);
    const journal_appended *appended = journal_appended_of(reply);
    assert_non_null(appended);
    troupe_status status = (troupe_status)appended->status;
    troupe_message_free(fixture->system, &reply);
    return status;
}

static troupe_status append(struct fixture *fixture, const char *stream, uint64_t expected_seq,
                            troupe_bytes cards)
{
    return append_with(fixture, stream, expected_seq, cards, (troupe_bytes){NULL, 0});
}

static troupe_status append_cards(struct fixture *fixture, const char *stream, uint64_t expected_seq,
                                  uint64_t first_id, uint32_t count)
{
    struct record_batch cards = {0};
    for (uint64_t id = first_id; id < first_id + count; id++)
        assert_int_equal(journal_card_add(&cards,
                                          &(journal_card_fields){
                                              .id = id, .author = "ada", .title = "a title", .text = stream}),
                         TROUPE_OK);
    troupe_status status =
        append(fixture, stream, expected_seq, (troupe_bytes){cards.bytes.bytes, cards.bytes.size});
    record_batch_done(&cards);
    return status;
}

/* What a search answered. */
struct answer {
    troupe_status status;
    uint64_t first;
    uint64_t last;
    uint64_t next;
    uint32_t count;
    char stream[32];
    char reason[128];
};

static struct answer find(struct fixture *fixture, const journal_find_ask_fields *fields)
{
    struct answer answer = {0};
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call_fields(fixture->system, fixture->writer, TEST_TIMEOUT_MS, &reply,
                                        &journal_find_ask_type, fields),
                     TROUPE_OK);
    const journal_found *found = journal_found_of(reply);
    assert_non_null(found);
    troupe_bytes cards = troupe_bytes_of(reply, found->cards);
    assert_int_equal((uintptr_t)cards.data % RECORD_ALIGNMENT, 0);
    struct record_cursor cursor = record_cursor_at(cards.data, cards.size);
    struct journal_card_put put;
    while (journal_card_next(&cursor, &put) == TROUPE_OK) {
        const journal_card *card = put.card;
        assert_non_null(card);
        answer.first = answer.count++ == 0 ? card->id : answer.first;
        answer.last = card->id;
        snprintf(answer.stream, sizeof(answer.stream), "%s", troupe_flat_text(card, card->stream));
    }
    assert_int_equal(answer.count, found->count);
    answer.status = (troupe_status)found->status;
    answer.next = found->next;
    snprintf(answer.reason, sizeof(answer.reason), "%s", troupe_text(reply, found->reason));
    troupe_message_free(fixture->system, &reply);
    return answer;
}

#define find(fixture, ...) find((fixture), &(journal_find_ask_fields){__VA_ARGS__})

static void cards_are_found_once_their_append_is_answered(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append_cards(fixture, "one", 0, 10, 3), TROUPE_OK);
    assert_int_equal(append_cards(fixture, "two", 0, 20, 1), TROUPE_OK);
    struct answer answer = find(fixture, .sees_all = true, .limit = 10);
    assert_int_equal(answer.status, TROUPE_OK);
    assert_int_equal(answer.count, 4);
    assert_int_equal(answer.first, 20);
    assert_int_equal(answer.last, 10);
    assert_int_equal(answer.next, 0);
    assert_string_equal(answer.stream, "one");
    assert_int_equal(find(fixture, .sees_all = true, .limit = 10, .words = "two").first, 20);
    assert_int_equal(find(fixture, .sees_all = true, .limit = 10, .stream = "one").count, 3);
}

static void who_does_not_see_all_sees_what_is_readable_and_its_own(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append_cards(fixture, "one", 0, 10, 3), TROUPE_OK);
    assert_int_equal(append_cards(fixture, "two", 0, 20, 1), TROUPE_OK);
    assert_int_equal(find(fixture, .limit = 10).count, 0);
    assert_int_equal(find(fixture, .limit = 10, .readable = "three\ntwo").count, 1);
    assert_int_equal(find(fixture, .limit = 10, .reader = "ada").count, 4);
    assert_int_equal(find(fixture, .limit = 10, .reader = "ben").count, 0);
}

static void an_answer_has_at_most_so_many_cards_and_says_where_to_go_on(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append_cards(fixture, "one", 0, 1, JOURNAL_FOUND_MAX + 1), TROUPE_OK);
    struct answer answer = find(fixture, .sees_all = true, .limit = 3);
    assert_int_equal(answer.count, 3);
    assert_int_equal(answer.next, answer.last);
    answer = find(fixture, .sees_all = true, .limit = UINT32_MAX);
    assert_int_equal(answer.count, JOURNAL_FOUND_MAX);
    assert_int_equal(answer.last, 2);
    answer = find(fixture, .sees_all = true, .limit = UINT32_MAX, .before = answer.next);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.next, 0);
}

static void a_search_without_a_word_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct answer answer = find(fixture, .sees_all = true, .limit = 10, .words = "?!");
    assert_int_equal(answer.status, TROUPE_INVALID);
    assert_string_equal(answer.reason, "there is no word to look for");
    assert_int_equal(append_cards(fixture, "one", 0, 10, 1), TROUPE_OK);
}

static void an_append_whose_cards_are_none_is_refused_whole(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append(fixture, "one", 0, (troupe_bytes){"not cards", 9}), TROUPE_MALFORMED);
    assert_int_equal(append_cards(fixture, "one", 0, 10, 1), TROUPE_OK);
    assert_int_equal(find(fixture, .sees_all = true, .limit = 10).count, 1);
}

static void an_append_that_is_refused_puts_no_cards(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append_cards(fixture, "one", 5, 10, 1), TROUPE_CONFLICT);
    assert_int_equal(find(fixture, .sees_all = true, .limit = 10).count, 0);
}

static void an_append_whose_summary_is_too_large_is_refused_whole(void **state)
{
    struct fixture *fixture = *state;
    char *summary = calloc(1, JOURNAL_SNAPSHOT_SIZE_MAX + 1);
    assert_non_null(summary);
    troupe_bytes none = {NULL, 0};
    troupe_bytes most = {summary, JOURNAL_SNAPSHOT_SIZE_MAX};
    troupe_bytes over = {summary, JOURNAL_SNAPSHOT_SIZE_MAX + 1};
    assert_int_equal(append_with(fixture, "one", 0, none, over), TROUPE_TOO_LARGE);
    assert_int_equal(append_with(fixture, "one", 0, none, most), TROUPE_OK); /* nothing of it was stored */
    assert_int_equal(append_with(fixture, "one", 1, none, over), TROUPE_TOO_LARGE);
    assert_int_equal(append_cards(fixture, "one", 1, 10, 1), TROUPE_OK);
    free(summary);
}

static void records_are_stored_also_when_the_catalogue_has_such_a_card(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(append_cards(fixture, "one", 0, 10, 1), TROUPE_OK);
    assert_int_equal(append_cards(fixture, "two", 0, 10, 1), TROUPE_OK);
    assert_int_equal(append_cards(fixture, "two", 1, 11, 1), TROUPE_OK);
    assert_int_equal(find(fixture, .sees_all = true, .limit = 10).count, 2);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(cards_are_found_once_their_append_is_answered),
        FACT(who_does_not_see_all_sees_what_is_readable_and_its_own),
        FACT(an_answer_has_at_most_so_many_cards_and_says_where_to_go_on),
        FACT(a_search_without_a_word_is_told_so),
        FACT(an_append_whose_cards_are_none_is_refused_whole),
        FACT(an_append_that_is_refused_puts_no_cards),
        FACT(an_append_whose_summary_is_too_large_is_refused_whole),
        FACT(records_are_stored_also_when_the_catalogue_has_such_a_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about the cards that are made of a role's records: what a card says of a message through its life,
 * that a message has one card an append, and that it makes no difference how the records are cut. The records
 * are decided by the organisation's own rules. One thread.
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
#include "org/role.h"
#include "server/role_cards.h"
#include "server/verify.h"
#include "support/server_house.h"

enum { START_MS = 1000 };

struct fixture {
    struct org_role *role;
    struct record_batch batch;
    struct role_cards made;
    const journal_card *cards[16];       /* NULL for what is not new */
    const journal_card_moved *moved[16]; /* NULL for what is new */
    size_t count;
    int64_t now_ms;
};

static struct org_answer decide(struct fixture *fixture, const struct org_command *command)
{
    struct org_answer answer;
    size_t before = fixture->batch.bytes.size;
    assert_int_equal(org_role_decide(fixture->role, command, fixture->now_ms++, &fixture->batch, &answer),
                     TROUPE_OK);
    assert_int_not_equal(answer.kind, ORG_ANSWER_REFUSED);
    org_role_fold_batch(fixture->role, &fixture->batch, before);
    return answer;
}

static int set_up(void **state)
{
    static const char *const holders[] = {"ann", "ben"};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->now_ms = START_MS;
    assert_int_equal(org_role_new("docs", &fixture->role), TROUPE_OK);
    decide(fixture, &(struct org_command){.kind = ORG_CONFIGURE,
                                          .who = {.actor = "root"},
                                          .configure = {.holders = holders, .holder_count = 2}});
    record_batch_clear(&fixture->batch);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    org_role_free(fixture->role);
    record_batch_done(&fixture->batch);
    role_cards_done(&fixture->made);
    free(fixture);
    return 0;
}

static void send(struct fixture *fixture, uint64_t id, const char *sender, uint64_t thread)
{
    decide(fixture, &(struct org_command){.kind = ORG_SEND,
                                          .who = {.actor = "cleo"},
                                          .send = {.id = id,
                                                   .sender = sender,
                                                   .thread = thread,
                                                   .message_class = ORG_URGENT,
                                                   .subject = "a subject",
                                                   .body = "a body"}});
}

static void take(struct fixture *fixture, const char *actor)
{
    struct org_answer answer =
        decide(fixture, &(struct org_command){.kind = ORG_NEXT, .who = {.actor = actor}});
    assert_int_equal(answer.kind, ORG_ANSWER_TAKEN);
}

static void about(struct fixture *fixture, enum org_command_kind kind, uint64_t id)
{
    decide(fixture, &(struct org_command){.kind = kind,
                                          .who = {.actor = "ann"},
                                          .about = {.id = id, .text = "so", .to = "all"}});
}

/* The cards of what was decided since they were made last. */
static void make(struct fixture *fixture)
{
    assert_int_equal(role_cards_make(&fixture->made, fixture->batch.bytes.bytes, fixture->batch.bytes.size),
                     TROUPE_OK);
    struct record_cursor cursor = record_cursor_of(&fixture->made.cards);
    struct journal_card_put put;
    fixture->count = 0;
    while (journal_card_next(&cursor, &put) == TROUPE_OK) {
        fixture->cards[fixture->count] = put.card;
        fixture->moved[fixture->count++] = put.moved;
    }
    record_batch_clear(&fixture->batch);
}

static void assert_text(const void *body, troupe_span span, const char *text)
{
    assert_string_equal(troupe_flat_text(body, span), text);
}

static void a_new_message_has_a_whole_card(void **state)
{
    struct fixture *fixture = *state;
    send(fixture, 7, "@cleo", 0);
    make(fixture);
    assert_int_equal(fixture->count, 1);
    const journal_card *card = fixture->cards[0];
    assert_non_null(card);
    assert_int_equal(card->id, 7);
    assert_int_equal(card->thread, 7);
    assert_int_equal(card->state, ORG_QUEUED);
    assert_int_equal(card->kind, ORG_KIND_MESSAGE);
    assert_int_equal(card->rank, ORG_URGENT);
    assert_int_equal(card->made_at, START_MS + 1);
    assert_int_equal(card->changed_at, START_MS + 1);
    assert_text(card, card->author, "cleo");
    assert_text(card, card->holder, "");
    assert_text(card, card->title, "a subject");
    assert_text(card, card->text, "a body");
}

static void its_author_is_who_hears_of_its_end_or_who_sent_it(void **state)
{
    struct fixture *fixture = *state;
    send(fixture, 7, NULL, 3);
    send(fixture, 8, "@dan", 0);
    send(fixture, 9, "payments", 0);
    make(fixture);
    assert_int_equal(fixture->count, 3);
    assert_text(fixture->cards[0], fixture->cards[0]->author, "cleo");
    assert_text(fixture->cards[1], fixture->cards[1]->author, "dan");
    assert_text(fixture->cards[2], fixture->cards[2]->author, "payments");
    assert_int_equal(fixture->cards[0]->thread, 3);
}

static void each_step_of_its_life_changes_the_card(void **state)
{
    static const struct {
        enum org_command_kind kind;
        enum org_state state;
    } ends[] = {{ORG_FINISH, ORG_DONE},
                {ORG_DECLINE, ORG_DECLINED},
                {ORG_FORWARD, ORG_FORWARDED},
                {ORG_FAIL, ORG_QUARANTINED}};
    struct fixture *fixture = *state;
    for (uint64_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        send(fixture, 10 + i, NULL, 0);
        make(fixture);
        int64_t taken_at = fixture->now_ms;
        take(fixture, "ann");
        make(fixture);
        assert_int_equal(fixture->count, 1);
        assert_non_null(fixture->moved[0]);
        assert_int_equal(fixture->moved[0]->state, ORG_HELD);
        assert_int_equal(fixture->moved[0]->changed_at, taken_at);
        assert_text(fixture->moved[0], fixture->moved[0]->holder, "ann");
        about(fixture, ends[i].kind, 10 + i);
        make(fixture);
        assert_int_equal(fixture->count, 1);
        assert_int_equal(fixture->moved[0]->id, 10 + i);
        assert_int_equal(fixture->moved[0]->state, ends[i].state);
        assert_text(fixture->moved[0], fixture->moved[0]->holder, "");
    }
}

static void what_moves_no_message_makes_no_card(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    assert_int_equal(fixture->count, 0);
    send(fixture, 7, NULL, 0);
    take(fixture, "ann");
    make(fixture);
    about(fixture, ORG_RENEW, 7);
    assert_int_equal(fixture->batch.count, 1);
    make(fixture);
    assert_int_equal(fixture->count, 0);
}

static void a_message_that_moves_often_in_one_append_has_one_card(void **state)
{
    struct fixture *fixture = *state;
    send(fixture, 9, NULL, 0);
    send(fixture, 7, NULL, 0);
    take(fixture, "ann"); /* the first that came */
    about(fixture, ORG_FINISH, 9);
    take(fixture, "ann");
    make(fixture);
    assert_int_equal(fixture->count, 2);
    assert_int_equal(fixture->cards[0]->id, 9);
    assert_int_equal(fixture->cards[0]->state, ORG_DONE);
    assert_int_equal(fixture->cards[0]->changed_at, START_MS + 4);
    assert_int_equal(fixture->cards[0]->made_at, START_MS + 1);
    assert_text(fixture->cards[0], fixture->cards[0]->holder, "ann");
    assert_int_equal(fixture->cards[1]->id, 7);
    assert_int_equal(fixture->cards[1]->state, ORG_HELD);
    assert_text(fixture->cards[1], fixture->cards[1]->holder, "ann");
}

/* --- a house ---------------------------------------------------------------------------------- */

static const char organisation[] =
    "{\"actors\":[{\"name\":\"bot\",\"kind\":\"program\",\"wip_limit\":1000},"
    "{\"name\":\"ann\",\"kind\":\"person\"}],"
    "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
    "{\"name\":\"build\",\"holders\":[\"bot\",\"ann\"]},{\"name\":\"test\",\"holders\":[\"bot\"]}]}";

static void fail_with(void *context, const char *finding)
{
    (void)context;
    fail_msg("%s", finding);
}

static void count_finding(void *context, const char *finding)
{
    (void)finding;
    ++*(uint32_t *)context;
}

static uint64_t last_held; /* in the role "build" */

static troupe_status count_card(void *context, const journal_card_fields *card)
{
    uint64_t *counts = context;
    counts[card->state]++;
    if (card->state == ORG_HELD && strcmp(card->stream, "role/build") == 0)
        last_held = card->id;
    return TROUPE_OK;
}

static void live(struct house *house, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        const char *role = i % 2 == 0 ? "build" : "test";
        (void)house_status(house,
                           house_ask(house, house_role(house, role), role_send,
                                     .id = ids_next(&house->ids, house_now(house)), .actor = "ann",
                                     .sender = "@ann", .subject = role, .message_class = (uint8_t)(i % 3)));
        if (i % 3 == 0)
            continue;
        troupe_message *reply =
            house_ask(house, house_role(house, role), role_next, .actor = "bot", .wip_limit = 1000);
        uint64_t id = role_took_of(reply)->id;
        troupe_message_free(house->system, &reply);
        static const uint32_t commands[] = {ORG_FINISH, ORG_DECLINE, ORG_FAIL, ORG_FORWARD};
        if (i % 5 != 0)
            (void)house_status(house, house_ask(house, house_role(house, role), role_about, .id = id,
                                                .command = commands[i / 3 % 4], .actor = "bot", .text = "so",
                                                .to = "all"));
    }
    troupe_sim_advance(house->system, 1000);
}

static void after_any_life_and_a_crash_the_cards_are_what_the_records_say(void **state)
{
    (void)state;
    struct house house;
    struct verify_counts verified = {0};
    house_open(&house, 7);
    house_import(&house, organisation);
    live(&house, 60);
    house_crash(&house, 1000);
    live(&house, 60);
    house_crash(&house, 1000);
    assert_int_equal(verify_journal(house.journal, fail_with, NULL, &verified), TROUPE_OK);
    assert_true(verified.messages > 150);
    uint64_t counts[16] = {0};
    uint64_t next;
    uint64_t cards = 0;
    assert_int_equal(journal_find(house.journal, &(struct journal_query){0}, count_card, counts, &next),
                     TROUPE_OK);
    for (int i = 0; i < 16; i++)
        cards += counts[i];
    assert_int_equal(cards, verified.messages);
    assert_true(counts[ORG_DONE] > 5 && counts[ORG_DECLINED] > 5 && counts[ORG_FORWARDED] > 5 &&
                counts[ORG_QUARANTINED] > 5 && counts[ORG_QUEUED] > 5 && counts[ORG_HELD] > 2);

    /* One that is changed is found, and made anew. */
    struct record_batch wrong = {0};
    uint32_t findings = 0;
    journal_card_moved_fields other = {.id = last_held, .state = ORG_EXPIRED};
    assert_int_equal(journal_card_move(&wrong, &other), TROUPE_OK);
    assert_int_equal(journal_begin(house.journal), TROUPE_OK);
    assert_int_equal(journal_put(house.journal, JOURNAL_CARDS, "role/build", strlen("role/build"),
                                 wrong.bytes.bytes, wrong.bytes.size),
                     TROUPE_OK);
    assert_int_equal(journal_commit(house.journal), TROUPE_OK);
    record_batch_done(&wrong);
    assert_int_equal(verify_journal(house.journal, count_finding, &findings, &verified), TROUPE_OK);
    assert_int_equal(findings, 1);
    assert_int_equal(rebuild_journal(house.journal, fail_with, NULL, &verified), TROUPE_OK);
    assert_true(journal_has_cards(house.journal));
    assert_int_equal(verify_journal(house.journal, fail_with, NULL, &verified), TROUPE_OK);
    house_close(&house);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(a_new_message_has_a_whole_card),
        FACT(its_author_is_who_hears_of_its_end_or_who_sent_it),
        FACT(each_step_of_its_life_changes_the_card),
        FACT(what_moves_no_message_makes_no_card),
        FACT(a_message_that_moves_often_in_one_append_has_one_card),
        cmocka_unit_test(after_any_life_and_a_crash_the_cards_are_what_the_records_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

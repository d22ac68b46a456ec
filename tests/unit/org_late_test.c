/* SPDX-License-Identifier: MIT */
/*
 * org_late_test.c: messages that are beyond their deadline and have not ended: what is held or failed; and
 * how much is done about what is due at once. One thread.
 */
#include "org_one_desk.h"

static size_t late(void)
{
    const struct org_message *list[8];
    size_t count = org_role_list_late(desk.role, desk.now_ms, list, 8);
    for (size_t i = 0; i < count; i++)
        assert_true(list[i]->accepted->deadline <= desk.now_ms);
    return count;
}

static uint64_t send_until(int64_t deadline)
{
    return desk_send_with(&desk, "zoe", (struct org_send){.subject = "soon", .deadline = deadline});
}

static void message_held_beyond_its_deadline_is_late(void **state)
{
    (void)state;
    int64_t deadline = desk.now_ms + ORG_HOUR_MS;
    uint64_t id = send_until(deadline);
    send_until(deadline); /* which ends by itself */
    assert_int_equal(org_role_view(desk.role).timed, 0);
    assert_true(desk_next(&desk, "ann", 1) == id);
    assert_int_equal(org_role_view(desk.role).timed, 1);
    desk_wait(&desk, ORG_HOUR_MS - 1);
    assert_int_equal(late(), 0);
    desk_wait(&desk, 1);
    assert_int_equal(late(), 1);
    finish(id, "at last");
    assert_int_equal(late(), 0);
    assert_int_equal(org_role_view(desk.role).timed, 0);
}

static void message_that_failed_is_late_too(void **state)
{
    (void)state;
    uint64_t id = send_until(desk.now_ms + ORG_HOUR_MS);
    desk_next(&desk, "ann", 1);
    desk_about(&desk, ORG_FAIL, "ann", (struct org_about){.id = id, .text = "no luck"});
    desk_wait(&desk, ORG_HOUR_MS);
    assert_int_equal(late(), 1);
}

static void message_without_a_deadline_is_never_late(void **state)
{
    (void)state;
    send("whenever");
    desk_next(&desk, "ann", 1);
    desk_wait(&desk, ORG_DAY_MS);
    assert_int_equal(late(), 0);
}

static void as_many_are_listed_as_there_is_room_for(void **state)
{
    (void)state;
    const struct org_message *list[2];
    for (int i = 0; i < 3; i++)
        send_until(desk.now_ms + ORG_HOUR_MS);
    for (int i = 0; i < 3; i++)
        desk_next(&desk, "ann", 3);
    desk_wait(&desk, ORG_HOUR_MS);
    assert_int_equal(org_role_list_late(desk.role, desk.now_ms, list, 2), 2);
    assert_int_equal(late(), 3);
}

/* Lets everything happen that is due: in more than one tick, none of which writes too much. */
static void tick_in_pieces(struct desk *ticked)
{
    struct org_command tick = {.kind = ORG_TICK};
    uint32_t ticks = 0;
    for (; org_role_due_ms(ticked->role) <= ticked->now_ms; ticks++) {
        size_t before = ticked->journal.bytes.size;
        desk_do(ticked, &tick);
        assert_in_range(ticked->journal.bytes.size - before, 1, ORG_DUE_BYTES_MAX + 2 * ORG_BODY_LEN_MAX);
    }
    assert_in_range(ticks, 2, ORG_DUE_MAX);
}

/* What goes up has its text with it: all at once they would be more than a journal takes. */
static void tick_sends_large_messages_up_a_few_at_a_time(void **state)
{
    (void)state;
    static char body[ORG_BODY_LEN_MAX + 1];
    struct org_configure to_team = {
        .supervisor = "team", .on_lapse = ORG_ACTION_ESCALATE, .lease_ms = ORG_HOUR_MS, .capacity = 100};
    memset(body, 'x', sizeof(body) - 1);
    desk_configure(&desk, to_team, "ann");
    for (int i = 0; i < ORG_DUE_MAX; i++) {
        desk_send_with(&desk, "zoe", (struct org_send){.sender = "@zoe", .subject = "large", .body = body});
        assert_true(desk_next(&desk, "ann", ORG_DUE_MAX) != 0);
    }
    desk.now_ms += ORG_HOUR_MS;
    tick_in_pieces(&desk);
    assert_int_equal(desk_counts(&desk).quarantined, ORG_DUE_MAX);

    /* Who failed is all there is above, so they go on to the next. */
    struct desk team;
    desk_open(&team, "team", 2, "ann");
    desk_configure(&team, (struct org_configure){.supervisor = "acme", .capacity = 100}, "ann");
    team.now_ms = desk.now_ms;
    assert_int_equal(desks_deliver((struct desk *const[]){&desk, &team}, 2), ORG_DUE_MAX);
    tick_in_pieces(&team);
    assert_int_equal(desk_counts(&team).forwarded, ORG_DUE_MAX);
    desk_done(&team);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(message_held_beyond_its_deadline_is_late),     TEST(message_that_failed_is_late_too),
        TEST(message_without_a_deadline_is_never_late),     TEST(as_many_are_listed_as_there_is_room_for),
        TEST(tick_sends_large_messages_up_a_few_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

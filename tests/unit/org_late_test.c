/* SPDX-License-Identifier: MIT */
/*
 * org_late_test.c: messages that are beyond their deadline and have not ended: what is held or failed.
 * One thread.
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(message_held_beyond_its_deadline_is_late),
        TEST(message_that_failed_is_late_too),
        TEST(message_without_a_deadline_is_never_late),
        TEST(as_many_are_listed_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a role says of what waits in it: when the oldest came, and which urgent message is the newest that its
 * holder may take. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "org/limits.h"
#include "unit/org_one_desk.h"

/* The desk's role, and what was saved and restored or replayed of it, say the same. */
static struct org_role_waiting waiting(void)
{
    struct org_role_waiting here = org_role_waiting(desk.role);
    struct org_role_waiting there = org_role_waiting(desk.mirror);
    assert_memory_equal(&here, &there, sizeof(here));
    return here;
}

static void expect(int64_t oldest_at, uint64_t urgent, uint64_t urgent_last)
{
    struct org_role_waiting got = waiting();
    assert_int_equal(got.oldest_at, oldest_at);
    assert_int_equal(got.urgent, urgent);
    assert_int_equal(got.urgent_last, urgent_last);
}

static void nothing_waits_in_an_empty_role(void **state)
{
    (void)state;
    expect(0, 0, 0);
}

static void oldest_is_of_what_is_queued_and_not_of_what_is_held(void **state)
{
    (void)state;
    int64_t first_at = desk.now_ms;
    uint64_t first = send("first");
    desk_wait(&desk, 1000);
    int64_t second_at = desk.now_ms;
    send("second");
    expect(first_at, 0, 0);
    assert_true(desk_next(&desk, "ann", 1) == first);
    expect(second_at, 0, 0);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = first, .until = desk.now_ms + 1000});
    expect(second_at, 0, 0);
    desk_wait(&desk, 1000); /* it is back: it came first */
    expect(first_at, 0, 0);
}

static void newest_urgent_message_is_known_by_its_number(void **state)
{
    (void)state;
    int64_t at = desk.now_ms;
    uint64_t one = desk_send(&desk, "zoe", ORG_URGENT, "one");
    expect(at, 1, 1);
    send("two");
    expect(at, 1, 1);
    uint64_t three = desk_send(&desk, "zoe", ORG_URGENT, "three");
    expect(at, 2, 3);
    assert_true(desk_next(&desk, "ann", 2) == one);
    expect(at, 1, 3);
    assert_true(desk_next(&desk, "ann", 2) == three);
    expect(at, 0, 0);
    desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = three, .until = desk.now_ms + 1});
    desk_wait(&desk, 1);
    expect(at, 1, 3); /* what comes back is as new as it was */
}

static void newest_that_came_back_is_found_wherever_it_waits(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    uint64_t ids[COUNT];
    int64_t at = desk.now_ms;
    for (int i = 0; i < COUNT; i++)
        ids[i] = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    for (int i = 0; i < COUNT; i++)
        assert_true(desk_next(&desk, "ann", COUNT) == ids[i]);
    expect(0, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = ids[i], .until = desk.now_ms + 1});
        desk_wait(&desk, 1);
        expect(at, (uint64_t)i + 1, (uint64_t)i + 1);
    }
    assert_true(desk_next(&desk, "ann", 1) == ids[0]);
    expect(at, COUNT - 1, COUNT);
}

/* Among more than are looked at, the newest may be missed; never is one found that there is not. */
static void as_many_that_came_back_are_looked_at_as_the_limit_says(void **state)
{
    (void)state;
    desk_configure(&desk, (struct org_configure){.capacity = 2 * ORG_WAITING_LOOK_MAX}, "ann ben");
    int64_t at = desk.now_ms;
    uint64_t ids[ORG_WAITING_LOOK_MAX + 1];
    for (int i = 0; i <= ORG_WAITING_LOOK_MAX; i++)
        ids[i] = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    for (int i = 0; i <= ORG_WAITING_LOOK_MAX; i++)
        assert_true(desk_next(&desk, "ann", ORG_WAITING_LOOK_MAX + 1) == ids[i]);
    for (int i = 0; i <= ORG_WAITING_LOOK_MAX; i++) {
        desk_about(&desk, ORG_DEFER, "ann", (struct org_about){.id = ids[i], .until = desk.now_ms + 1});
        desk_wait(&desk, 1);
        uint64_t newest = i < ORG_WAITING_LOOK_MAX ? (uint64_t)i + 1 : ORG_WAITING_LOOK_MAX;
        expect(at, (uint64_t)i + 1, newest);
    }
}

static void what_is_assigned_to_a_deputy_is_no_news_to_the_holder(void **state)
{
    (void)state;
    int64_t at = desk.now_ms;
    uint64_t id = desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    assert_true(desk_next(&desk, "ann", 1) == id);
    desk_wait(&desk, ORG_LEASE_PERSON_MS); /* it lapses, which reassigns it to ben */
    expect(at, 1, 0);
    desk_present(&desk, "ann", false); /* and then ben is the active holder */
    expect(at, 1, 1);
}

static void with_nobody_present_no_urgent_message_is_anybodys(void **state)
{
    (void)state;
    int64_t at = desk.now_ms;
    desk_present(&desk, "ann", false);
    desk_present(&desk, "ben", false);
    desk_send(&desk, "zoe", ORG_URGENT, "urgent");
    expect(at, 1, 0);
    desk_present(&desk, "ben", true);
    expect(at, 1, 1);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(nothing_waits_in_an_empty_role),
        FACT(oldest_is_of_what_is_queued_and_not_of_what_is_held),
        FACT(newest_urgent_message_is_known_by_its_number),
        FACT(newest_that_came_back_is_found_wherever_it_waits),
        FACT(as_many_that_came_back_are_looked_at_as_the_limit_says),
        FACT(what_is_assigned_to_a_deputy_is_no_news_to_the_holder),
        FACT(with_nobody_present_no_urgent_message_is_anybodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

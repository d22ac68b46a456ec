/* SPDX-License-Identifier: MIT */
/*
 * Whoever carries notices asks: which one is due, and when to look next? Once a day, once for a message, and
 * never in quiet hours, on days off or during an absence, also when clocks change. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "org/limits.h"
#include "org/notices.h"

/* Monday, 19 October 2026, midnight UTC. In Berlin clocks go back on the Sunday after it. */
#define MONDAY_MS ((int64_t)1792368000000)
#define NINE (9 * ORG_HOUR_MS)
#define NEVER INT64_MAX

static struct org_zone *berlin;
static struct org_hours office = {.days = 0x1f, .from_minute = 9 * 60, .to_minute = 17 * 60};
static struct org_notice_choice choice;

static int read_berlin(void **state)
{
    (void)state;
    static unsigned char bytes[65536];
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return org_zone_read(bytes, size, &berlin) == TROUPE_OK ? 0 : -1;
}

static int free_berlin(void **state)
{
    (void)state;
    org_zone_free(berlin);
    return 0;
}

/* A digest at ten in office hours, on clocks that show UTC. */
static int choose_digest(void **state)
{
    (void)state;
    office.zone = NULL;
    choice = (struct org_notice_choice){.kind = ORG_NOTICES_DIGEST, .digest_minute = 600, .hours = &office};
    return 0;
}

static struct org_notice_look look(struct org_notice_waiting waiting, int64_t digest_at, int64_t away_until,
                                   int64_t now_ms)
{
    return org_notice_look(&choice, &waiting, digest_at, away_until, now_ms);
}

static void expect(struct org_notice_look got, enum org_notices due, int64_t again_at)
{
    assert_int_equal(got.due, due);
    assert_int_equal(got.again_at, again_at);
}

static struct org_notice_waiting since(int64_t oldest_at)
{
    return (struct org_notice_waiting){.queued = 1, .oldest_at = oldest_at};
}

static struct org_notice_waiting urgent_since(int64_t at)
{
    return (struct org_notice_waiting){.queued = 1, .oldest_at = at, .urgent = 1, .urgent_at = at};
}

static void nothing_is_due_where_nothing_waits_or_nothing_was_chosen(void **state)
{
    (void)state;
    expect(look((struct org_notice_waiting){0}, 0, 0, MONDAY_MS + 10 * ORG_HOUR_MS), ORG_NOTICES_NONE, NEVER);
    choice.kind = ORG_NOTICES_NONE;
    expect(look(urgent_since(MONDAY_MS), 0, 0, MONDAY_MS + NINE), ORG_NOTICES_NONE, NEVER);
    choice.kind = ORG_NOTICES_URGENT;
    expect(look(since(MONDAY_MS), 0, 0, MONDAY_MS + NINE), ORG_NOTICES_NONE, NEVER);
}

static void digest_goes_out_at_its_hour_and_once_a_day(void **state)
{
    (void)state;
    int64_t ten = MONDAY_MS + 10 * ORG_HOUR_MS;
    expect(look(since(MONDAY_MS + NINE), 0, 0, ten - 1), ORG_NOTICES_NONE, ten);
    expect(look(since(MONDAY_MS + NINE), 0, 0, ten), ORG_NOTICES_DIGEST, ten + ORG_DAY_MS);
    expect(look(since(MONDAY_MS + NINE), ten, 0, ten), ORG_NOTICES_NONE, ten + ORG_DAY_MS);
    expect(look(since(MONDAY_MS + NINE), ten, 0, ten + ORG_DAY_MS), ORG_NOTICES_DIGEST, ten + 2 * ORG_DAY_MS);
}

static void what_comes_after_the_hour_waits_for_the_next_digest(void **state)
{
    (void)state;
    int64_t ten = MONDAY_MS + 10 * ORG_HOUR_MS;
    expect(look(since(ten + 1), 0, 0, ten + ORG_HOUR_MS), ORG_NOTICES_NONE, ten + ORG_DAY_MS);
    int64_t friday = ten + 4 * ORG_DAY_MS;
    expect(look(since(friday + 1), friday, 0, friday + 2), ORG_NOTICES_NONE,
           friday + 3 * ORG_DAY_MS - ORG_HOUR_MS); /* the hour of a day off is when the next one begins */
}

static void digest_that_is_late_goes_out_once_and_counts_for_its_day(void **state)
{
    (void)state;
    int64_t ten = MONDAY_MS + 10 * ORG_HOUR_MS;
    int64_t noon = MONDAY_MS + 12 * ORG_HOUR_MS;
    expect(look(since(MONDAY_MS + NINE), 0, 0, noon), ORG_NOTICES_DIGEST, ten + ORG_DAY_MS);
    int64_t evening = MONDAY_MS + 20 * ORG_HOUR_MS;
    int64_t tuesday_nine = MONDAY_MS + ORG_DAY_MS + NINE;
    expect(look(since(MONDAY_MS + NINE), 0, 0, evening), ORG_NOTICES_NONE, tuesday_nine);
    expect(look(since(MONDAY_MS + NINE), 0, 0, tuesday_nine), ORG_NOTICES_DIGEST, ten + 2 * ORG_DAY_MS);
}

static void urgent_message_is_told_of_at_once_in_the_hours_and_then_no_more(void **state)
{
    (void)state;
    choice.kind = ORG_NOTICES_URGENT;
    int64_t noon = MONDAY_MS + 12 * ORG_HOUR_MS;
    struct org_notice_waiting told = urgent_since(noon);
    expect(look(urgent_since(noon), 0, 0, noon), ORG_NOTICES_URGENT, NEVER);
    told.urgent = 0; /* it still waits */
    expect(look(told, 0, 0, noon + 1), ORG_NOTICES_NONE, NEVER);
    int64_t six = MONDAY_MS + 18 * ORG_HOUR_MS;
    expect(look(urgent_since(six), 0, 0, six), ORG_NOTICES_NONE, MONDAY_MS + ORG_DAY_MS + NINE);
    int64_t saturday = MONDAY_MS + 5 * ORG_DAY_MS + 12 * ORG_HOUR_MS;
    expect(look(urgent_since(saturday), 0, 0, saturday), ORG_NOTICES_NONE, MONDAY_MS + 7 * ORG_DAY_MS + NINE);
    choice.hours = NULL;
    expect(look(urgent_since(saturday), 0, 0, saturday), ORG_NOTICES_URGENT, NEVER);
}

static void whoever_is_away_is_told_when_they_are_back_in_their_hours(void **state)
{
    (void)state;
    choice.kind = ORG_NOTICES_URGENT;
    int64_t noon = MONDAY_MS + 12 * ORG_HOUR_MS;
    expect(look(urgent_since(noon), 0, NEVER, noon), ORG_NOTICES_NONE, NEVER);
    expect(look(urgent_since(noon), 0, noon + 1, noon), ORG_NOTICES_NONE, noon + 1);
    expect(look(urgent_since(noon), 0, noon + 1, noon + 1), ORG_NOTICES_URGENT, NEVER);
    expect(look(urgent_since(noon), 0, MONDAY_MS + 20 * ORG_HOUR_MS, noon), ORG_NOTICES_NONE,
           MONDAY_MS + ORG_DAY_MS + NINE);
    choice.kind = ORG_NOTICES_DIGEST;
    expect(look(since(MONDAY_MS), 0, noon, MONDAY_MS + 10 * ORG_HOUR_MS), ORG_NOTICES_NONE, noon);
    expect(look(since(MONDAY_MS), 0, 0, noon), ORG_NOTICES_DIGEST, MONDAY_MS + 34 * ORG_HOUR_MS);
}

static void digests_hour_is_that_of_the_clock_also_where_clocks_change(void **state)
{
    (void)state;
    choice = (struct org_notice_choice){.kind = ORG_NOTICES_DIGEST, .digest_minute = 600, .zone = berlin};
    int64_t saturday = MONDAY_MS + 5 * ORG_DAY_MS + 8 * ORG_HOUR_MS; /* ten in Berlin */
    struct org_notice_look first = look(since(MONDAY_MS), 0, 0, saturday);
    expect(first, ORG_NOTICES_DIGEST, saturday + 25 * ORG_HOUR_MS);
    expect(look(since(MONDAY_MS), saturday, 0, first.again_at - 1), ORG_NOTICES_NONE, first.again_at);
    expect(look(since(MONDAY_MS), saturday, 0, first.again_at), ORG_NOTICES_DIGEST,
           first.again_at + ORG_DAY_MS);
    /* Half past two comes twice that night; once is enough. */
    choice.digest_minute = 150;
    int64_t night = MONDAY_MS + 6 * ORG_DAY_MS + 30 * ORG_MINUTE_MS;
    expect(look(since(MONDAY_MS), 0, 0, night), ORG_NOTICES_DIGEST, night + 25 * ORG_HOUR_MS);
    expect(look(since(MONDAY_MS), night, 0, night + ORG_HOUR_MS), ORG_NOTICES_NONE, night + 25 * ORG_HOUR_MS);
}

static int64_t clock_day(int64_t at_ms)
{
    return (at_ms / 1000 + org_zone_offset_s(berlin, at_ms / 1000)) / 86400;
}

/* Whoever looks when it is told to, and now and then besides, tells once a day, in time, in the hours. */
static void year_of_digests_is_one_on_each_working_day(void **state)
{
    (void)state;
    office.zone = berlin;
    choice.zone = berlin;
    struct random random = {7};
    for (int round = 0; round < 20; round++) {
        choice.digest_minute = (uint16_t)(9 * 60 + random_below(&random, 8 * 60));
        int64_t digest_at = 0;
        int64_t now = MONDAY_MS;
        int count = 0;
        while (now < MONDAY_MS + 364 * ORG_DAY_MS) {
            struct org_notice_look seen = look(since(MONDAY_MS), digest_at, 0, now);
            assert_true(seen.again_at > now && seen.again_at != NEVER);
            if (seen.due != ORG_NOTICES_NONE) {
                assert_true(org_hours_is_open(&office, now));
                assert_true(digest_at == 0 || clock_day(now) > clock_day(digest_at));
                digest_at = now;
                count++;
            }
            int64_t early = now + (int64_t)random_below(&random, (uint32_t)(2 * ORG_DAY_MS));
            now = early < seen.again_at ? early : seen.again_at;
        }
        assert_int_equal(count, 52 * 5);
    }
}

#define FACT(name) cmocka_unit_test_setup(name, choose_digest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(nothing_is_due_where_nothing_waits_or_nothing_was_chosen),
        FACT(digest_goes_out_at_its_hour_and_once_a_day),
        FACT(what_comes_after_the_hour_waits_for_the_next_digest),
        FACT(digest_that_is_late_goes_out_once_and_counts_for_its_day),
        FACT(urgent_message_is_told_of_at_once_in_the_hours_and_then_no_more),
        FACT(whoever_is_away_is_told_when_they_are_back_in_their_hours),
        FACT(digests_hour_is_that_of_the_clock_also_where_clocks_change),
        FACT(year_of_digests_is_one_on_each_working_day),
    };
    return cmocka_run_group_tests(tests, read_berlin, free_berlin);
}

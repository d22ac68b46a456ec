/* SPDX-License-Identifier: MIT */
/*
 * Notices of the server's actors in virtual time: each goes out when it is due and once, whenever the server
 * is crashed, and readers follow them. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "journal/memory.h"
#include "org/id.h"
#include "org/limits.h"
#include "org/role.h"
#include "server/directory_notices.h"
#include "server/zones.h"
#include "support/server_house.h"

static const char organisation[] =
    "{\"actors\":[{\"name\":\"ann\",\"kind\":\"person\"},{\"name\":\"ben\",\"kind\":\"person\"}],"
    "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
    "{\"name\":\"docs\",\"holders\":[\"ann\",\"ben\"]}]}";

/* More steps than there are. */
#define STEPS_ALL 100000u

static struct house house;

static void open_it(uint64_t seed)
{
    house_open(&house, seed);
    house_import(&house, organisation);
}

static int change(const char *as, enum directory_change_kind kind, const char *json)
{
    troupe_message *reply = house_ask(&house, house_actor(&house, NAME_DIRECTORY), directory_change,
                                      .kind = kind, .body = {json, strlen(json)}, .actor = as);
    return house_status(&house, reply);
}

static void choose_urgent(const char *who)
{
    assert_int_equal(change(who, CHANGE_NOTICES, "{\"choice\":\"urgent\"}"), 200);
}

/* A digest in so many minutes, and then each day at that time; gives its first moment. */
static int64_t choose_digest(const char *who, int64_t minutes)
{
    char json[64];
    int64_t at = (house_now(&house) / ORG_MINUTE_MS + minutes) * ORG_MINUTE_MS;
    int minute = (int)(at / ORG_MINUTE_MS % (24 * 60));
    snprintf(json, sizeof json, "{\"choice\":\"digest\",\"at\":\"%02d:%02d\"}", minute / 60, minute % 60);
    assert_int_equal(change(who, CHANGE_NOTICES, json), 200);
    return at;
}

static role_send_fields message(enum org_class message_class)
{
    return (role_send_fields){.id = ids_next(&house.ids, house_now(&house)),
                              .actor = "root",
                              .sender = "@root",
                              .subject = "work",
                              .message_class = (uint8_t)message_class};
}

static void deliver(const char *role, const role_send_fields *fields)
{
    troupe_message *reply = house_ask_fields(&house, house_role(&house, role), &role_send_type, fields);
    assert_int_equal(house_status(&house, reply), 202);
}

static void send(const char *role, enum org_class message_class)
{
    role_send_fields fields = message(message_class);
    deliver(role, &fields);
}

/* What an actor reads after a number; the answer is to be let go. */
static json_t *notices_after(const char *who, uint64_t after, uint32_t wait_ms)
{
    troupe_message *reply = house_ask(&house, house_actor(&house, NAME_DIRECTORY), directory_notices_after,
                                      .actor = who, .after = after, .wait_ms = wait_ms);
    const answered *yes = answered_of(reply);
    assert_non_null(yes);
    troupe_bytes bytes = troupe_bytes_of(reply, yes->json);
    json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
    assert_non_null(json);
    troupe_message_free(house.system, &reply);
    return json;
}

/* How many notices went out to an actor. */
static size_t count_of(const char *who)
{
    json_t *json = notices_after(who, 0, 0);
    size_t count = json_array_size(json_object_get(json, "notices"));
    assert_int_equal(json_integer_value(json_object_get(json, "last")), count);
    json_decref(json);
    return count;
}

/* What the notice with this number says: its kind, when it went out, and one role with so many messages. */
static int64_t expect(const char *who, uint64_t number, const char *kind, const char *role, int queued,
                      int urgent)
{
    json_t *json = notices_after(who, number - 1, 0);
    const json_t *notice = json_array_get(json_object_get(json, "notices"), 0);
    const json_t *roles = json_object_get(notice, "roles");
    const json_t *first = json_array_get(roles, 0);
    assert_int_equal(json_integer_value(json_object_get(notice, "number")), number);
    assert_string_equal(json_string_value(json_object_get(notice, "kind")), kind);
    assert_int_equal(json_array_size(roles), 1);
    assert_string_equal(json_string_value(json_object_get(first, "role")), role);
    assert_int_equal(json_integer_value(json_object_get(first, "queued")), queued);
    assert_int_equal(json_integer_value(json_object_get(first, "urgent")), urgent);
    int64_t at = json_integer_value(json_object_get(notice, "at"));
    json_decref(json);
    return at;
}

/* --- crashes at any step ---------------------------------------------------------------------- */

/* Steps of the simulation, one for each time that it is asked whether this is over. */
struct steps {
    uint64_t taken;
    uint64_t most;
};

static bool are_taken(void *context)
{
    struct steps *steps = context;
    return steps->taken++ >= steps->most;
}

/* Runs so many steps, or for a while of virtual time when they are fewer; gives how many it were. */
static uint64_t take_steps(uint64_t most)
{
    struct steps steps = {.most = most};
    (void)!troupe_sim_run_until(house.system, are_taken, &steps, 50);
    return steps.taken;
}

/* An urgent message, and a crash after so many steps from its sending on. */
static uint64_t play_urgent(uint64_t crash_at)
{
    open_it(crash_at + 1);
    choose_urgent("ann");
    role_send_fields urgent = message(ORG_URGENT);
    assert_int_equal(troupe_send_fields(TROUPE_CONTEXT(house.system), house_role(&house, "docs"),
                                        &role_send_type, &urgent),
                     TROUPE_OK);
    uint64_t steps = take_steps(crash_at);
    house_crash(&house, 0);
    deliver("docs", &urgent); /* the sender heard nothing and sends it again */
    troupe_sim_advance(house.system, 1000);
    assert_int_equal(count_of("ann"), 1);
    assert_int_equal(count_of("ben"), 0);
    expect("ann", 1, "urgent", "docs", 1, 1);
    house_crash(&house, 0);
    troupe_sim_advance(house.system, ORG_DAY_MS);
    assert_int_equal(count_of("ann"), 1);
    house_close(&house);
    return steps;
}

static void urgent_message_is_told_of_once_wherever_the_server_crashes(void **state)
{
    (void)state;
    uint64_t steps = play_urgent(STEPS_ALL);
    assert_true(steps > 10 && steps < 1000);
    for (uint64_t step = 0; step < steps; step++)
        play_urgent(step);
}

/* A digest at its hour, and a crash after so many steps from just before it on; down for a while then. */
static uint64_t play_digest(uint64_t crash_at, int64_t down_ms)
{
    open_it(crash_at + 1);
    int64_t at = choose_digest("ann", 60);
    send("docs", ORG_NORMAL);
    send("docs", ORG_BULK);
    troupe_sim_advance(house.system, (uint64_t)(at - house_now(&house)) - 1);
    assert_int_equal(count_of("ann"), 0);
    uint64_t steps = take_steps(crash_at);
    house_crash(&house, down_ms);
    troupe_sim_advance(house.system, ORG_HOUR_MS);
    assert_int_equal(count_of("ann"), 1);
    int64_t went_out = expect("ann", 1, "digest", "docs", 2, 0);
    assert_true(went_out >= at && went_out <= at + down_ms + 1000);
    troupe_sim_advance(house.system, (uint64_t)(at + ORG_DAY_MS - house_now(&house)) - 1);
    assert_int_equal(count_of("ann"), 1);
    troupe_sim_advance(house.system, 1000);
    assert_int_equal(count_of("ann"), 2);
    house_close(&house);
    return steps;
}

static void digest_goes_out_once_wherever_the_server_crashes(void **state)
{
    (void)state;
    uint64_t steps = play_digest(STEPS_ALL, 0);
    assert_true(steps > 5 && steps < 1000);
    for (uint64_t step = 0; step < steps; step++)
        play_digest(step, 0);
    play_digest(0, 10 * ORG_MINUTE_MS); /* nobody was there at the hour */
}

static void notice_that_the_journal_lost_goes_out_with_the_next_directory(void **state)
{
    (void)state;
    for (uint32_t is_told = 0; is_told < 2; is_told++) {
        open_it(1);
        int64_t at = choose_digest("ann", 60);
        send("docs", ORG_NORMAL);
        troupe_sim_advance(house.system, (uint64_t)(at - house_now(&house)) - 1);
        /* The next commit is that of the notice: it fails, and is on the disk all the same, or is not. */
        journal_memory_fail(house.journal, JOURNAL_MEMORY_COMMIT, 0, is_told);
        troupe_message *reply = NULL;
        assert_int_not_equal(troupe_call(house.system, house_actor(&house, NAME_DIRECTORY), 5000, &reply,
                                         directory_notices_after, .actor = "ann", .wait_ms = 1000),
                             TROUPE_OK); /* who reads hears nothing that is not on the disk */
        house_crash(&house, 0);
        troupe_sim_advance(house.system, 1000);
        assert_int_equal(count_of("ann"), 1);
        house_close(&house);
    }
}

/* --- when ------------------------------------------------------------------------------------- */

static void nothing_goes_out_where_nothing_waits_any_more(void **state)
{
    (void)state;
    open_it(1);
    int64_t at = choose_digest("ann", 60);
    send("docs", ORG_NORMAL);
    assert_int_equal(house_status(&house, house_ask(&house, house_desk(&house, "ann"), desk_next, .role = "",
                                                    .wip_limit = 1)),
                     200);
    troupe_sim_advance(house.system, (uint64_t)(at - house_now(&house)) + ORG_HOUR_MS);
    assert_int_equal(count_of("ann"), 0);
    send("docs", ORG_NORMAL); /* one is held, and one waits */
    troupe_sim_advance(house.system, ORG_DAY_MS);
    assert_int_equal(count_of("ann"), 1);
    expect("ann", 1, "digest", "docs", 1, 0);
    house_close(&house);
}

static void whoever_did_not_choose_is_told_of_nothing(void **state)
{
    (void)state;
    open_it(1);
    send("docs", ORG_URGENT);
    troupe_sim_advance(house.system, ORG_DAY_MS);
    assert_int_equal(count_of("ann"), 0);
    choose_urgent("ann");
    troupe_sim_advance(house.system, 1000);
    assert_int_equal(count_of("ann"), 1);
    assert_int_equal(change("ann", CHANGE_NOTICES, "{\"choice\":\"none\"}"), 200);
    send("docs", ORG_URGENT);
    troupe_sim_advance(house.system, ORG_DAY_MS);
    assert_int_equal(count_of("ann"), 1);
    house_close(&house);
}

static void quiet_hours_are_waited_for(void **state)
{
    (void)state;
    char json[160];
    open_it(1);
    int64_t opens = (house_now(&house) / ORG_HOUR_MS + 3) * ORG_HOUR_MS;
    int hour = (int)(opens / ORG_HOUR_MS % 24);
    snprintf(json, sizeof json,
             "{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"],"
             "\"from\":\"%02d:00\",\"to\":\"%02d:30\"}",
             hour, hour);
    assert_int_equal(change("ann", CHANGE_CALENDAR, json), 200);
    choose_urgent("ann");
    send("docs", ORG_URGENT);
    troupe_sim_advance(house.system, (uint64_t)(opens - house_now(&house)) - 1);
    assert_int_equal(count_of("ann"), 0);
    house_crash(&house, 0);
    troupe_sim_advance(house.system, 1000);
    assert_int_equal(count_of("ann"), 1);
    assert_true(expect("ann", 1, "urgent", "docs", 1, 1) >= opens);
    house_close(&house);
}

static void whoever_is_away_is_not_told_but_their_deputy_is(void **state)
{
    (void)state;
    char json[80];
    open_it(1);
    choose_urgent("ann");
    choose_urgent("ben");
    int64_t back = house_now(&house) + ORG_HOUR_MS;
    snprintf(json, sizeof json, "{\"present\":false,\"until\":%lld}", (long long)back);
    assert_int_equal(change("ann", CHANGE_PRESENCE, json), 200);
    send("docs", ORG_URGENT);
    troupe_sim_advance(house.system, 1000);
    assert_int_equal(count_of("ben"), 1);
    assert_int_equal(count_of("ann"), 0);
    troupe_sim_advance(house.system, (uint64_t)(back - house_now(&house)) - 1);
    assert_int_equal(count_of("ann"), 0);
    troupe_sim_advance(house.system, 1000); /* it still waits, and is hers now */
    assert_int_equal(count_of("ann"), 1);
    assert_int_equal(count_of("ben"), 1);
    house_close(&house);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void readers_follow_each_at_their_own_place(void **state)
{
    (void)state;
    open_it(1);
    choose_urgent("ann");
    send("docs", ORG_URGENT);
    json_t *first = notices_after("ann", 0, 60000);
    assert_int_equal(json_integer_value(json_object_get(first, "last")), 1);
    json_decref(first);
    int64_t begun = house_now(&house);
    json_t *none = notices_after("ann", 1, 60000); /* nothing comes while it waits */
    assert_true(house_now(&house) >= begun + 60000);
    assert_int_equal(json_array_size(json_object_get(none, "notices")), 0);
    assert_int_equal(json_integer_value(json_object_get(none, "last")), 1);
    json_decref(none);
    json_t *ahead = notices_after("ann", 7, 0); /* its place is one that there is not */
    assert_int_equal(json_integer_value(json_object_get(ahead, "last")), 1);
    json_decref(ahead);
    begun = house_now(&house);
    send("docs", ORG_URGENT);
    json_t *second = notices_after("ann", 1, 60000);
    assert_true(house_now(&house) < begun + 1000);
    assert_int_equal(json_integer_value(json_object_get(second, "last")), 2);
    json_decref(second);
    assert_int_equal(count_of("ann"), 2);
    house_close(&house);
}

/*
 * The reader asks from a place that there is not, while a notice is on its way to the disk, and the server
 * crashes before it is there: its number is another notice's then.
 */
static void place_that_a_crash_takes_back_is_given_to_nobody(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < 40; step++) {
        open_it(step + 1);
        int64_t at = choose_digest("ann", 60);
        send("docs", ORG_NORMAL);
        troupe_sim_advance(house.system, (uint64_t)(at - house_now(&house)) - 1);
        journal_memory_fail(house.journal, JOURNAL_MEMORY_COMMIT, 0, false);
        take_steps(step);
        troupe_message *reply = NULL;
        uint64_t place = 0;
        if (troupe_call(house.system, house_actor(&house, NAME_DIRECTORY), 5000, &reply,
                        directory_notices_after, .actor = "ann", .after = 7) == TROUPE_OK) {
            troupe_bytes bytes = troupe_bytes_of(reply, answered_of(reply)->json);
            json_t *json = json_loadb(bytes.data, bytes.size, 0, NULL);
            place = (uint64_t)json_integer_value(json_object_get(json, "last"));
            json_decref(json);
            troupe_message_free(house.system, &reply);
        }
        house_crash(&house, 0);
        troupe_sim_advance(house.system, 1000);
        assert_int_equal(count_of("ann"), 1);
        json_t *json = notices_after("ann", place, 0);
        assert_int_equal(json_array_size(json_object_get(json, "notices")), 1);
        json_decref(json);
        house_close(&house);
    }
}

static void reader_is_told_of_a_notice_that_the_journal_had_no_room_for_at_first(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        open_it(seed);
        int64_t at = choose_digest("ann", 60);
        send("docs", ORG_NORMAL);
        house.faults = (troupe_simulation){.refuse_probability = 0.5};
        house_crash(&house, 0); /* the next life can refuse messages */
        troupe_sim_advance(house.system, (uint64_t)(at - house_now(&house)) - 1);
        troupe_sim_faults(house.system, true);
        troupe_message *reply = NULL;
        troupe_status status = TROUPE_FULL;
        while (status == TROUPE_FULL)
            status = troupe_call(house.system, house_actor(&house, NAME_DIRECTORY), 70000, &reply,
                                 directory_notices_after, .actor = "ann", .wait_ms = 60000);
        troupe_sim_faults(house.system, false);
        assert_int_equal(house_status(&house, reply), 200);
        assert_true(house_now(&house) < at + 2000);
        assert_int_equal(count_of("ann"), 1);
        house_close(&house);
    }
}

static void readers_beyond_the_limit_are_told_to_come_again(void **state)
{
    (void)state;
    open_it(1);
    troupe_ref directory = house_actor(&house, NAME_DIRECTORY);
    for (int i = 0; i < DIRECTORY_READERS_MAX; i++)
        assert_int_equal(
            troupe_send(house.system, directory, directory_notices_after, .actor = "ann", .wait_ms = 60000),
            TROUPE_OK);
    troupe_message *reply = NULL;
    assert_int_equal(
        troupe_call(house.system, directory, 1000, &reply, directory_notices_after, .actor = "ann"),
        TROUPE_FULL);
    troupe_sim_advance(house.system, 61000); /* their patience is over */
    assert_int_equal(count_of("ann"), 0);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urgent_message_is_told_of_once_wherever_the_server_crashes),
        cmocka_unit_test(digest_goes_out_once_wherever_the_server_crashes),
        cmocka_unit_test(notice_that_the_journal_lost_goes_out_with_the_next_directory),
        cmocka_unit_test(nothing_goes_out_where_nothing_waits_any_more),
        cmocka_unit_test(whoever_did_not_choose_is_told_of_nothing),
        cmocka_unit_test(quiet_hours_are_waited_for),
        cmocka_unit_test(whoever_is_away_is_not_told_but_their_deputy_is),
        cmocka_unit_test(readers_follow_each_at_their_own_place),
        cmocka_unit_test(place_that_a_crash_takes_back_is_given_to_nobody),
        cmocka_unit_test(reader_is_told_of_a_notice_that_the_journal_had_no_room_for_at_first),
        cmocka_unit_test(readers_beyond_the_limit_are_told_to_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

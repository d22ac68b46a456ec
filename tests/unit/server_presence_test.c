/* SPDX-License-Identifier: MIT */
/*
 * Coming, going and timed rules with the server's actors in virtual time: each is tried with the server
 * crashed before its moment, and with the crash lasting beyond it. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/id.h"
#include "org/role.h"
#include "org/limits.h"
#include "server/zones.h"
#include "support/server_house.h"

static const char organisation[] =
    "{\"actors\":[{\"name\":\"ann\",\"kind\":\"person\"},{\"name\":\"ben\",\"kind\":\"person\"},"
    "{\"name\":\"bot\",\"kind\":\"program\"}],"
    "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
    "{\"name\":\"docs\",\"holders\":[\"ann\",\"ben\"]},{\"name\":\"build\",\"holders\":[\"bot\"]}]}";

/* When the house is crashed relative to the moment of a rule: not at all, before it, or from before it on. */
enum crash { CRASH_NEVER, CRASH_BEFORE, CRASH_OVER, CRASH_COUNT };

static struct house house;
static uint64_t last_id;

static void open_it(uint64_t seed)
{
    house_open(&house, seed);
    house_import(&house, organisation);
}

/* Lets time pass with a crash in it. A simulated clock begins anew, so the house keeps the difference. */
static void pass(int64_t ms, enum crash crash)
{
    if (crash == CRASH_NEVER) {
        troupe_sim_advance(house.system, (uint64_t)ms + 1000);
        return;
    }
    int64_t half = ms / 2;
    troupe_sim_advance(house.system, (uint64_t)half);
    house_crash(&house, crash == CRASH_OVER ? ms - half : 0);
    if (crash == CRASH_BEFORE)
        troupe_sim_advance(house.system, (uint64_t)(ms - half));
    troupe_sim_advance(house.system, 1000);
}

static int change(const char *as, enum directory_change_kind kind, const char *json)
{
    troupe_message *reply = house_ask(&house, house_actor(&house, NAME_DIRECTORY), directory_change,
                                      .kind = kind, .body = {json, strlen(json)}, .actor = as);
    return house_status(&house, reply);
}

static uint64_t send(const char *role, int64_t deadline)
{
    last_id = ids_next(&house.ids, house_now(&house));
    troupe_message *reply =
        house_ask(&house, house_actor(&house, role), role_send, .id = last_id, .actor = "root",
                  .sender = "@root", .subject = "work", .message_class = 1, .deadline = deadline);
    assert_int_equal(house_status(&house, reply), 202);
    return last_id;
}

/* Takes what is next for an actor; 200, or 204 for nothing. */
static int next(const char *actor)
{
    return house_status(&house,
                        house_ask(&house, house_desk(&house, actor), desk_next, .role = "", .wip_limit = 1));
}

static int about(const char *actor, enum org_command_kind command, uint64_t id, int64_t until, bool is_crash)
{
    return house_status(&house, house_ask(&house, house_desk(&house, actor), desk_about, .id = id,
                                          .command = (uint32_t)command, .until = until, .text = "why",
                                          .is_crash = is_crash, .wip_limit = 1));
}

/* The counters of a role. */
static role_audited counts(const char *role)
{
    troupe_message *reply = house_ask_fields(&house, house_actor(&house, role), &role_audit_type,
                                             &(role_audit_fields){.troupe__begin = 0});
    const role_audited *audited = role_audited_of(reply);
    assert_non_null(audited);
    assert_true(audited->is_sound);
    role_audited copy = *audited;
    troupe_message_free(house.system, &reply);
    return copy;
}

static void whoever_is_away_is_passed_over_until_the_time_said(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        char json[64];
        open_it((uint64_t)crash + 1);
        snprintf(json, sizeof json, "{\"present\":false,\"until\":%lld}",
                 (long long)(house_now(&house) + ORG_HOUR_MS));
        assert_int_equal(change("ann", CHANGE_PRESENCE, json), 200);
        send("docs", 0);
        assert_int_equal(next("ann"), 204);
        pass(ORG_HOUR_MS, (enum crash)crash);
        assert_int_equal(next("ben"), 204);
        assert_int_equal(next("ann"), 200);
        house_close(&house);
    }
}

static void absence_ahead_begins_at_its_time_and_returns_what_is_held(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        char json[64];
        open_it((uint64_t)crash + 1);
        send("docs", 0);
        assert_int_equal(next("ann"), 200);
        snprintf(json, sizeof json, "{\"absences\":[{\"from\":%lld}]}",
                 (long long)(house_now(&house) + ORG_HOUR_MS));
        assert_int_equal(change("ann", CHANGE_CALENDAR, json), 200);
        assert_int_equal(next("ben"), 204);
        pass(ORG_HOUR_MS, (enum crash)crash);
        assert_int_equal(next("ben"), 200);
        house_close(&house);
    }
}

static void what_is_kept_is_parked_and_its_keepers_again(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        char json[128];
        char id[ORG_ID_TEXT_LEN + 1];
        open_it((uint64_t)crash + 1);
        uint64_t kept = send("docs", 0);
        assert_int_equal(next("ann"), 200);
        org_id_text(kept, id);
        snprintf(json, sizeof json, "{\"present\":false,\"until\":%lld,\"keeps\":[\"%s\"]}",
                 (long long)(house_now(&house) + ORG_HOUR_MS), id);
        assert_int_equal(change("ann", CHANGE_PRESENCE, json), 200);
        assert_int_equal(counts("docs").parked, 1);
        assert_int_equal(next("ben"), 204);
        pass(ORG_HOUR_MS, (enum crash)crash);
        assert_int_equal(counts("docs").parked, 0);
        assert_int_equal(next("ben"), 204); /* it waits for ann alone */
        assert_int_equal(next("ann"), 200);
        assert_int_equal(about("ann", ORG_FINISH, kept, 0, false), 200);
        house_close(&house);
    }
}

static void what_is_held_in_another_role_is_not_kept_here(void **state)
{
    (void)state;
    char json[128];
    char id[ORG_ID_TEXT_LEN + 1];
    open_it(1);
    uint64_t other = send("@ann", 0);
    send("docs", 0);
    org_id_text(other, id);
    assert_int_equal(next("ann"), 200);
    snprintf(json, sizeof json, "{\"present\":false,\"keeps\":[\"%s\"]}", id);
    assert_int_equal(change("ann", CHANGE_PRESENCE, json), 200);
    assert_int_equal(counts("@ann").parked, 1);
    assert_int_equal(counts("docs").parked, 0);
    assert_int_equal(change("ann", CHANGE_PRESENCE, "{\"present\":true}"), 200);
    assert_int_equal(counts("@ann").parked, 0);
    house_close(&house);
}

static void lease_ends_at_its_time(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        send("docs", 0);
        assert_int_equal(next("ann"), 200);
        pass(ORG_LEASE_PERSON_MS, (enum crash)crash);
        assert_int_equal(counts("docs").held, 0);
        assert_int_equal(next("ben"), 200); /* reassigned to the next in the succession */
        house_close(&house);
    }
}

static void deadline_ends_a_message_at_its_time(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        send("docs", house_now(&house) + ORG_HOUR_MS);
        pass(ORG_HOUR_MS, (enum crash)crash);
        assert_int_equal(counts("docs").expired, 1);
        assert_int_equal(counts("@root").queued, 1); /* its sender is told */
        house_close(&house);
    }
}

static void deferred_message_is_back_at_its_time(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        uint64_t id = send("docs", 0);
        assert_int_equal(next("ann"), 200);
        assert_int_equal(about("ann", ORG_DEFER, id, house_now(&house) + ORG_HOUR_MS, false), 200);
        assert_int_equal(next("ann"), 204);
        pass(ORG_HOUR_MS, (enum crash)crash);
        assert_int_equal(next("ann"), 200);
        house_close(&house);
    }
}

static void backoff_after_a_crash_is_over_at_its_time(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        uint64_t id = send("build", 0);
        assert_int_equal(next("bot"), 200);
        assert_int_equal(about("bot", ORG_FAIL, id, 0, true), 200);
        assert_int_equal(counts("build").parked, 1);
        pass(ORG_BACKOFF_FIRST_MS, (enum crash)crash);
        assert_int_equal(next("bot"), 200);
        house_close(&house);
    }
}

static void old_message_has_aged_at_its_time(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        last_id = ids_next(&house.ids, house_now(&house));
        uint64_t old = last_id;
        troupe_message *reply = house_ask(&house, house_actor(&house, "docs"), role_send, .id = old,
                                          .actor = "root", .subject = "old", .message_class = ORG_BULK);
        assert_int_equal(house_status(&house, reply), 202);
        pass(ORG_AGEING_MS, (enum crash)crash);
        send("docs", 0);
        assert_int_equal(next("ann"), 200);
        assert_int_equal(about("ann", ORG_FINISH, old, 0, false), 200); /* it was the one */
        house_close(&house);
    }
}

static void absence_of_all_is_told_to_the_supervisor_once(void **state)
{
    (void)state;
    for (int crash = CRASH_NEVER; crash < CRASH_COUNT; crash++) {
        open_it((uint64_t)crash + 1);
        send("docs", 0);
        assert_int_equal(change("ann", CHANGE_PRESENCE, "{\"present\":false}"), 200);
        assert_int_equal(change("ben", CHANGE_PRESENCE, "{\"present\":false}"), 200);
        pass(ORG_MINUTE_MS, (enum crash)crash);
        assert_int_equal(counts("all").queued, 1);
        house_close(&house);
    }
}

static void lease_is_of_working_days_in_the_holders_zone(void **state)
{
    (void)state;
    open_it(1);
    assert_int_equal(change("ann", CHANGE_CALENDAR,
                            "{\"zone\":\"Europe/Berlin\",\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\"],"
                            "\"from\":\"09:00\",\"to\":\"17:00\"}"),
                     200);
    struct org_hours hours;
    int64_t taken_at = house_now(&house);
    int64_t ends_at =
        org_hours_after(zones_hours(&hours, "Europe/Berlin", 540, 1020, 0x1f), taken_at, ORG_LEASE_PERSON_MS);
    assert_true(ends_at != taken_at + ORG_LEASE_PERSON_MS);
    send("docs", 0);
    assert_int_equal(next("ann"), 200);
    troupe_sim_advance(house.system, (uint64_t)(ends_at - house_now(&house) - 1000));
    assert_int_equal(counts("docs").held, 1);
    troupe_sim_advance(house.system, 3000);
    assert_int_equal(counts("docs").held, 0);
    house_close(&house);
}

static void absence_of_a_moment_leaves_nobody_absent(void **state)
{
    (void)state;
    char json[64];
    open_it(1);
    snprintf(json, sizeof json, "{\"present\":false,\"until\":%lld}", (long long)(house_now(&house) + 1));
    assert_int_equal(change("ann", CHANGE_PRESENCE, json), 200);
    troupe_sim_advance(house.system, 120000);
    send("docs", 0);
    assert_int_equal(next("ann"), 200);
    house_close(&house);
}

static void change_reaches_a_role_whose_actor_has_failed(void **state)
{
    (void)state;
    open_it(1);
    assert_int_equal(change("root", CHANGE_HOLDERS, "{\"role\":\"docs\",\"holders\":[\"ann\"]}"), 200);
    troupe_shutdown(house.system, house_actor(&house, "docs"), TROUPE_FAILED);
    assert_int_equal(change("root", CHANGE_HOLDERS, "{\"role\":\"docs\",\"holders\":[\"ben\"]}"), 200);
    send("docs", 0);
    assert_int_equal(next("ann"), 204);
    assert_int_equal(next("ben"), 200);
    house_close(&house);
}

static void whoever_leaves_hands_on_its_roles(void **state)
{
    (void)state;
    open_it(1);
    send("docs", 0);
    assert_int_equal(next("ann"), 200);
    assert_int_equal(change("root", CHANGE_LEAVE, "{\"actor\":\"ann\"}"), 200);
    assert_int_equal(next("ben"), 200);
    house_crash(&house, 0);
    assert_int_equal(counts("docs").held, 1);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_away_is_passed_over_until_the_time_said),
        cmocka_unit_test(absence_ahead_begins_at_its_time_and_returns_what_is_held),
        cmocka_unit_test(what_is_kept_is_parked_and_its_keepers_again),
        cmocka_unit_test(what_is_held_in_another_role_is_not_kept_here),
        cmocka_unit_test(lease_ends_at_its_time),
        cmocka_unit_test(deadline_ends_a_message_at_its_time),
        cmocka_unit_test(deferred_message_is_back_at_its_time),
        cmocka_unit_test(backoff_after_a_crash_is_over_at_its_time),
        cmocka_unit_test(old_message_has_aged_at_its_time),
        cmocka_unit_test(absence_of_all_is_told_to_the_supervisor_once),
        cmocka_unit_test(lease_is_of_working_days_in_the_holders_zone),
        cmocka_unit_test(absence_of_a_moment_leaves_nobody_absent),
        cmocka_unit_test(change_reaches_a_role_whose_actor_has_failed),
        cmocka_unit_test(whoever_leaves_hands_on_its_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * org_year.c: the year of org_year.h: the organisation, what happens to it, and its end. The test's thread
 * runs everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "org/limits.h"
#include "support/org_year_people.h"

/* --- the organisation ----------------------------------------------------------------------------- */

static json_t *role_json(int role)
{
    static const char *const overflows[] = {"refuse", "shed"};
    char name[32];
    year_role_name(role, name);
    json_t *holders = json_array();
    int first = role < TEAMS ? 3 + role : role < TEAMS + ROLES ? 20 + role : PEOPLE + role - TEAMS - ROLES;
    json_array_append_new(holders, json_string(year_people[first].name));
    for (uint32_t i = role < TEAMS + ROLES ? year_below(3) : 0; i > 0; i--)
        json_array_append_new(holders, json_string(year_people[60 + (role * 3 + (int)i) % 60].name));
    json_t *json = json_pack("{s:s, s:o, s:i, s:s}", "name", name, "holders", holders, "capacity",
                             (int)(2 + year_below(6)), "overflow", overflows[year_below(2)]);
    if (role >= TEAMS) {
        char parent[32];
        snprintf(parent, sizeof parent, "t%d", role % TEAMS);
        json_object_set_new(json, "parent", json_string(parent));
    }
    if (role >= TEAMS + ROLES)
        json_object_set_new(json, "lease_ms", json_integer(24 * 3600 * 1000));
    return json;
}

static void make_organisation(void)
{
    json_t *actors = json_array();
    json_t *roles = json_array();
    for (int i = 0; i < ALL; i++)
        json_array_append_new(actors, json_pack("{s:s, s:s, s:i}", "name", year_people[i].name, "kind",
                                                year_people[i].is_program ? "program" : "person", "wip_limit",
                                                (int)year_people[i].limit));
    json_array_append_new(roles, json_pack("{s:s, s:[s,s,s], s:I}", "name", "all", "holders",
                                           year_people[0].name, year_people[1].name, year_people[2].name,
                                           "lease_ms", (json_int_t)ORG_LEASE_MAX_MS));
    for (int i = 0; i < ALL_ROLES; i++)
        json_array_append_new(roles, role_json(i));
    json_t *document = json_pack("{s:o, s:o}", "actors", actors, "roles", roles);
    char *text = json_dumps(document, JSON_COMPACT);
    house_import(&year_house, text);
    free(text);
    json_decref(document);
}

/* --- what happens to them ------------------------------------------------------------------------- */

static int change(enum directory_change_kind kind, const char *json)
{
    return house_status(&year_house,
                        house_ask(&year_house, house_actor(&year_house, NAME_DIRECTORY), directory_change,
                                  .kind = kind, .body = {json, strlen(json)}, .actor = "root"));
}

/* Somebody is away for some time. What it holds is given back: it knows. */
static void go_away(void)
{
    char json[128];
    int who = (int)year_below(PEOPLE);
    if (year_people[who].is_root || year_people[who].is_gone)
        return;
    snprintf(json, sizeof json, "{\"actor\":\"%.15s\",\"present\":false,\"until\":%lld}",
             year_people[who].name,
             (long long)(house_now(&year_house) + 1 + (int64_t)year_below(20) * ORG_DAY_MS));
    assert_int_equal(change(CHANGE_PRESENCE, json), 200);
    year_let_go(who);
}

static void leave(void)
{
    char json[128];
    int who = 3 + (int)year_below(PEOPLE - 3);
    snprintf(json, sizeof json, "{\"actor\":\"%.15s\"}", year_people[who].name);
    if (year_people[who].is_gone)
        return;
    assert_int_equal(change(CHANGE_LEAVE, json), 200);
    year_people[who].is_gone = true;
    year_let_go(who);
}

static void change_holders(void)
{
    char role[32];
    char json[192];
    year_role_name(TEAMS + (int)year_below(ROLES), role);
    snprintf(json, sizeof json, "{\"role\":\"%s\",\"holders\":[\"%.15s\",\"%.15s\"]}", role,
             year_people[3 + year_below(90)].name, year_people[100 + year_below(90)].name);
    assert_int_equal(change(CHANGE_HOLDERS, json), 200);
    year_let_all_go();
}

static void kill_a_role(void)
{
    char role[32];
    year_role_name((int)year_below(ALL_ROLES), role);
    troupe_ref actor = house_actor(&year_house, role);
    if (troupe_ref_is_none(actor))
        return;
    troupe_shutdown(year_house.system, actor, TROUPE_FAILED);
    year_report.killed++;
}

static bool is_counted_down(void *context)
{
    uint32_t *steps = context;
    return (*steps)-- == 0;
}

/* Stops in the middle of whatever is going on. */
static void some_steps(void)
{
    uint32_t steps = year_below(400);
    (void)!troupe_sim_run_until(year_house.system, is_counted_down, &steps, 3600u * 1000u);
}

static void crash(void)
{
    some_steps();
    house_crash(&year_house, (int64_t)year_below(24) * ORG_HOUR_MS + 1);
    year_move_in();
    year_report.crashes++;
}

static void live_some_days(void)
{
    troupe_sim_advance(year_house.system, 1 + year_below(4 * 24 * 3600 * 1000u));
    uint32_t dice = year_below(100);
    if (dice < 30)
        go_away();
    else if (dice < 33)
        leave();
    else if (dice < 38)
        change_holders();
    else if (dice < 58)
        some_steps();
    else if (dice < 68)
        kill_a_role();
    else if (dice < 74)
        crash();
}

/* --- the end -------------------------------------------------------------------------------------- */

struct totals {
    uint64_t open;
    uint64_t owed;
    uint64_t queued, held, parked, quarantined;
    char role[32]; /* the last one with something in it */
};

static void audit(const char *role, struct totals *totals)
{
    troupe_message *reply = NULL;
    role_audit_fields fields = {0};
    troupe_status status = TROUPE_NO_ACTOR;
    for (int i = 0; i < 100 && status != TROUPE_OK; i++) /* it may be falling asleep just now */
        status = troupe_call_fields(year_house.system, house_role(&year_house, role), HOUSE_TIMEOUT_MS,
                                    &reply, &role_audit_type, &fields);
    assert_int_equal(status, TROUPE_OK);
    const role_audited *audited = role_audited_of(reply);
    assert_non_null(audited);
    if (!audited->is_sound)
        fail_msg("%s: %s", role, troupe_text(reply, audited->reason));
    totals->open += audited->queued + audited->held + audited->parked + audited->quarantined;
    if (audited->queued + audited->held + audited->parked + audited->quarantined + audited->owed > 0)
        snprintf(totals->role, sizeof totals->role, "%s", role);
    totals->queued += audited->queued;
    totals->held += audited->held;
    totals->parked += audited->parked;
    totals->quarantined += audited->quarantined;
    totals->owed += audited->owed;
    troupe_message_free(year_house.system, &reply);
}

static struct totals audit_all(void)
{
    struct totals totals = {0};
    char name[32];
    audit("all", &totals);
    for (int i = 0; i < ALL_ROLES; i++) {
        year_role_name(i, name);
        audit(name, &totals);
    }
    for (int i = 0; i < ALL; i++) {
        snprintf(name, sizeof name, "@%.15s", year_people[i].name);
        audit(name, &totals);
    }
    return totals;
}

/* Whether somebody has still to be told how something ended. */
static bool is_anything_awaited(void)
{
    for (int i = 0; i < ALL; i++) {
        for (uint32_t j = 0; j < year_people[i].letter_count; j++) {
            const struct letter *letter = &year_people[i].letters[j];
            if (letter->state == LETTER_ASKED || (letter->state == LETTER_ACCEPTED && letter->notices == 0))
                return true;
        }
    }
    return false;
}

/* Nothing new is sent; everybody is there, also who left, and does what there is to do. */
static void drain(void)
{
    struct totals totals = {.open = 1};
    year_is_final = true;
    for (int i = 0; i < ALL; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"actor\":\"%.15s\",\"present\":true}", year_people[i].name);
        assert_int_equal(change(CHANGE_PRESENCE, json), 200);
        year_people[i].is_gone = false;
    }
    for (int i = 0; i < ALL_ROLES; i++) { /* and every role has somebody */
        char role[32];
        char json[192];
        year_role_name(i, role);
        snprintf(json, sizeof json, "{\"role\":\"%s\",\"holders\":[\"%.15s\",\"%.15s\"]}", role,
                 year_people[3 + i % 100].name, year_people[110 + i % 80].name);
        assert_int_equal(change(CHANGE_HOLDERS, json), 200);
    }
    year_let_all_go();
    for (int day = 0; day < DRAIN_DAYS && (totals.open > 0 || totals.owed > 0); day += 8) {
        troupe_sim_advance(year_house.system, 8u * 24 * 3600 * 1000);
        if (!is_anything_awaited()) /* else it is too early to ask every role, which wakes it */
            totals = audit_all();
    }
    if (is_anything_awaited())
        totals = audit_all();
    if (totals.open > 0 || totals.owed > 0)
        fail_msg(
            "it does not drain, %s last: %llu queued, %llu held, %llu parked, %llu quarantined, %llu owed",
            totals.role, (unsigned long long)totals.queued, (unsigned long long)totals.held,
            (unsigned long long)totals.parked, (unsigned long long)totals.quarantined,
            (unsigned long long)totals.owed);
}

static void check_letters(void)
{
    for (int i = 0; i < ALL; i++) {
        for (uint32_t j = 0; j < year_people[i].letter_count; j++) {
            const struct letter *letter = &year_people[i].letters[j];
            if (letter->state == LETTER_ASKED)
                fail_msg("%s was never told what became of its letter", year_people[i].name);
            if (letter->state == LETTER_ACCEPTED && letter->notices != 1)
                fail_msg("%s was told %u times how letter %u ended", year_people[i].name, letter->notices, j);
        }
    }
}

void year_live(uint64_t seed, struct year_report *ret_report)
{
    year_chance(seed);
    year_forget_all();
    year_is_final = false;
    memset(&year_report, 0, sizeof year_report);
    memset(year_people, 0, sizeof year_people);
    for (int i = 0; i < ALL; i++) {
        year_people[i].is_program = i >= PEOPLE;
        year_people[i].is_root = i < 3;
        year_people[i].limit = year_people[i].is_program ? 1 + (uint32_t)i % HELD_MAX : 1;
        year_people[i].letter_asked = -1;
        snprintf(year_people[i].name, sizeof year_people[i].name, "%s%d",
                 year_people[i].is_program ? "bot" : "p", i);
    }
    house_open(&year_house, seed);
    year_house.ids.sleep_max_ms = 40u * 24 * 3600 * 1000;
    year_house.ids.role_idle_ms = year_one_in(2) ? 0 : 3600u * 1000u;
    make_organisation();
    year_move_in();
    int64_t end = house_now(&year_house) + YEAR_DAYS * ORG_DAY_MS;
    while (house_now(&year_house) < end)
        live_some_days();
    drain();
    check_letters();
    house_close(&year_house);
    *ret_report = year_report;
}

/* SPDX-License-Identifier: MIT */
/*
 * org_year.c: the year of org_year.h: the organisation, its beginning and its end. What happens to it is in
 * org_year_fate.c. The test's thread runs everything.
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
#include "support/org_year_notices.h"
#include "support/org_year_oracle.h"
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
    for (int i = 0; i < ALL; i++) {
        if (!year_people[i].is_here)
            continue;
        json_array_append_new(actors, json_pack("{s:s, s:s, s:i}", "name", year_people[i].name, "kind",
                                                year_people[i].is_program ? "program" : "person", "wip_limit",
                                                (int)year_people[i].limit));
    }
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
    year_end_faults();
    for (int i = 0; i < NEWCOMERS; i++)
        year_arrive();
    for (int i = 0; i < ALL; i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"actor\":\"%.15s\",\"present\":true}", year_people[i].name);
        assert_int_equal(year_change(CHANGE_PRESENCE, json), 200);
        year_people[i].is_gone = year_people[i].is_going = false;
        year_people[i].away_until = 0;
    }
    for (int i = 0; i < ALL_ROLES; i++) { /* and every role has somebody */
        char role[32];
        char json[192];
        year_role_name(i, role);
        snprintf(json, sizeof json, "{\"role\":\"%s\",\"holders\":[\"%.15s\",\"%.15s\"]}", role,
                 year_people[3 + i % 100].name, year_people[110 + i % 80].name);
        assert_int_equal(year_change(CHANGE_HOLDERS, json), 200);
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

bool year_is_on_disk(uint64_t seed)
{
    return seed % YEAR_ON_DISK_EVERY == 0 || getenv("TROUPE_YEAR_ON_DISK") != NULL;
}

void year_live(uint64_t seed, struct year_report *ret_report)
{
    year_chance(seed);
    oracle_begin();
    year_is_final = false;
    year_storm_until = 0;
    memset(&year_report, 0, sizeof year_report);
    memset(year_people, 0, sizeof year_people);
    for (int i = 0; i < ALL; i++) {
        year_people[i].is_program = i >= PEOPLE;
        year_people[i].is_root = i < 3;
        year_people[i].is_here = i < PEOPLE - NEWCOMERS || i >= PEOPLE;
        year_people[i].limit = year_people[i].is_program ? 1 + (uint32_t)i % HELD_MAX : 1;
        snprintf(year_people[i].name, sizeof year_people[i].name, "%s%d",
                 year_people[i].is_program ? "bot" : "p", i);
    }
    if (year_is_on_disk(seed))
        house_open_on_disk(&year_house, seed);
    else
        house_open(&year_house, seed);
    year_draw_faults();
    year_house.ids.sleep_max_ms = 40u * 24 * 3600 * 1000;
    year_house.ids.role_idle_ms = year_one_in(2) ? 0 : 3600u * 1000u;
    make_organisation();
    year_move_in();
    if (year_has_notices(seed))
        year_choose_notices();
    year_begin_faults();
    int64_t end = house_now(&year_house) + YEAR_DAYS * ORG_DAY_MS;
    while (house_now(&year_house) < end - YEAR_DAYS / 2 * ORG_DAY_MS)
        year_live_some_days();
    year_have_one_of_each();
    while (house_now(&year_house) < end)
        year_live_some_days();
    drain();
    oracle_check_letters();
    if (year_has_notices(seed))
        year_check_notices();
    house_close(&year_house);
    year_report.trace_hash = year_house.trace_hash;
    *ret_report = year_report;
}

/* SPDX-License-Identifier: MIT */
/*
 * org_year_fate.c: what happens to the people and programs of the year, and to the server under them. The
 * test's thread runs everything.
 *
 * A failure of the journal may come at any moment in which time goes on, also while a change is being made.
 * The server ends then, as server.c does when the writer has ended; it is started again, and whoever was told
 * nothing asks again, administrators included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/limits.h"
#include "server/faults.h"
#include "server/problem.h"
#include "support/org_year_oracle.h"
#include "support/org_year_people.h"

enum {
    STEPS_MAX = 600,          /* until a crash */
    FAILURE_CALLS_MAX = 3000, /* good ones before the one that fails, in one life of the server */
    FAILURE_CALLS_SOON = 50,
    START_READS_MAX = 30, /* the same, while it starts */
    CHANGE_TRIES_MAX = 1000,
    RUSH_LETTERS = 25,
    CRASH_BUSY = 10,   /* who are at work when the server crashes */
    ROLE_STEPS = 2000, /* of roles' actors (role_actor.h), of which one fails */
    STORM_HOURS = 48,
    DAY_MS = 24 * 3600 * 1000,
};

/* --- the server's lives --------------------------------------------------------------------------- */

static struct faults role_faults;
static uint32_t role_steps; /* of which one fails in this year; 0: none does */

/* The failure of the journal that is drawn for this life; most have none. */
static enum house_failure failure;

static void draw_failure_within(uint32_t calls_max)
{
    failure = (enum house_failure)year_below(HOUSE_FAILURES);
    if (year_is_final)
        return;
    house_journal_fail(&year_house.store, failure, year_below(calls_max));
    troupe_sim_faults(year_house.system, true);
    role_faults.one_in = role_steps;
}

static void draw_failure(void)
{
    draw_failure_within(FAILURE_CALLS_MAX);
}

static void take_failures_back(void)
{
    house_journal_fail(&year_house.store, failure, HOUSE_FAILS_NEVER);
    role_faults.one_in = 0;
}

static bool is_counted_down(void *context)
{
    uint32_t *steps = context;
    return (*steps)-- == 0;
}

/* Stops in the middle of whatever is going on. */
static void some_steps(void)
{
    uint32_t steps = year_below(STEPS_MAX);
    (void)!troupe_sim_run_until(year_house.system, is_counted_down, &steps, 3600u * 1000u);
}

/* The server is gone as it is, and comes back; now and then the journal fails while it starts. */
static void start_again(void)
{
    uint32_t before = year_house.failed_starts;
    if (!year_is_final && year_one_in(4))
        year_house.start_reads = year_below(START_READS_MAX);
    house_crash(&year_house, (int64_t)year_below(24) * ORG_HOUR_MS + 1);
    year_report.failed_starts += year_house.failed_starts - before;
    take_failures_back();
    year_move_in();
    draw_failure();
}

static void note_failure(void)
{
    if (!journal_is_failed(year_house.journal)) {
        year_report.gave_up++;
        return;
    }
    year_report.lost_commits += failure == HOUSE_LOSES_COMMIT;
    year_report.told_commits += failure == HOUSE_TELLS_COMMIT;
    year_report.lost_appends += failure == HOUSE_LOSES_APPEND;
    year_report.lost_snapshots += failure == HOUSE_LOSES_SNAPSHOT;
    year_report.lost_reads += failure == HOUSE_LOSES_READ;
}

/* A server whose journal has failed ends, a moment later. */
static bool recover(void)
{
    if (!year_house.has_failed)
        return false;
    note_failure();
    some_steps();
    start_again();
    return true;
}

static bool has_failed(void *context)
{
    (void)context;
    return year_house.has_failed;
}

void year_pass(uint64_t ms)
{
    int64_t end = house_now(&year_house) + (int64_t)ms;
    while (house_now(&year_house) < end) {
        (void)!troupe_sim_run_until(year_house.system, has_failed, NULL,
                                    (uint64_t)(end - house_now(&year_house)));
        (void)recover();
    }
}

/* In half of the years an actor of a role fails now and then in the middle of what it does. */
void year_begin_faults(void)
{
    role_steps = year_one_in(2) ? ROLE_STEPS : 0;
    draw_failure();
}

/* In half of the years memory is short now and then, mailboxes refuse, and word and timers come late. */
void year_draw_faults(void)
{
    role_faults = (struct faults){.is_sparing = true};
    role_steps = 0;
    year_house.ids.faults = &role_faults;
    if (year_one_in(2))
        year_house.faults = (troupe_simulation){.refuse_probability = 0.0005,
                                                .no_memory_probability = 0.0005,
                                                .delay_probability = 0.02,
                                                .timer_late_ms_max = 50};
}

void year_end_faults(void)
{
    (void)recover();
    take_failures_back();
    troupe_sim_faults(year_house.system, false);
    year_report.role_faults = role_faults.hits;
}

/* --- changes -------------------------------------------------------------------------------------- */

/* What was told by the directory, or 0 when nothing was. */
static int try_change(enum directory_change_kind kind, const char *json)
{
    troupe_message *reply = NULL;
    directory_change_fields fields = {.kind = kind, .body = {json, strlen(json)}, .actor = "root"};
    troupe_status status =
        troupe_call_fields(year_house.system, troupe_whereis(year_house.system, NAME_DIRECTORY),
                           HOUSE_TIMEOUT_MS, &reply, &directory_change_type, &fields);
    return status == TROUPE_OK ? house_status(&year_house, reply) : 0;
}

int year_change(enum directory_change_kind kind, const char *json)
{
    for (int tries = 0; tries < CHANGE_TRIES_MAX; tries++) {
        int status = try_change(kind, json);
        if (status != 0 && status != -(int)PROBLEM_UNAVAILABLE)
            return status;
        if (!recover())
            troupe_sim_advance(year_house.system, 1000);
    }
    fail_msg("a change is never made: %s", json);
    return 0;
}

/* One of those who are there and may go; few leave in a year, so there always is one. */
static int somebody(void)
{
    int who = 3 + (int)year_below(PEOPLE - 3);
    while (year_people[who].is_gone || !year_people[who].is_here)
        who = who + 1 < PEOPLE ? who + 1 : 3;
    return who;
}

/* Somebody is away for some time. What it holds is given back: it knows. */
static void go_away(void)
{
    char json[128];
    int who = somebody();
    struct person *person = &year_people[who];
    /* Still to come when the server had to be started again before it knew. */
    int64_t until = house_now(&year_house) + (3 + (int64_t)year_below(20)) * ORG_DAY_MS;
    snprintf(json, sizeof json, "{\"actor\":\"%.15s\",\"present\":false,\"until\":%lld}", person->name,
             (long long)until);
    person->is_going = true;
    assert_int_equal(year_change(CHANGE_PRESENCE, json), 200);
    person->is_going = false;
    person->away_until = until; /* in the place of an absence under way */
    year_let_go(who);
    year_report.absences++;
}

static void leave(void)
{
    char json[128];
    int who = somebody();
    snprintf(json, sizeof json, "{\"actor\":\"%.15s\"}", year_people[who].name);
    year_people[who].is_going = true;
    assert_int_equal(year_change(CHANGE_LEAVE, json), 200);
    year_people[who].is_going = false;
    year_people[who].is_gone = true;
    year_let_go(who);
    year_report.leavers++;
}

static void hold(int role, int first, int second)
{
    char name[32];
    char json[192];
    year_role_name(role, name);
    snprintf(json, sizeof json, "{\"role\":\"%s\",\"holders\":[\"%.15s\",\"%.15s\"]}", name,
             year_people[first].name, year_people[second].name);
    assert_int_equal(year_change(CHANGE_HOLDERS, json), 200);
    year_let_all_go();
    year_report.holders++;
}

static void change_holders(void)
{
    hold(TEAMS + (int)year_below(ROLES), 3 + (int)year_below(90), 100 + (int)year_below(90));
}

/* The next of those who were not there from the beginning, who takes a role over. */
void year_arrive(void)
{
    char json[128];
    int who = PEOPLE - NEWCOMERS;
    while (who < PEOPLE && year_people[who].is_here)
        who++;
    if (who == PEOPLE)
        return;
    snprintf(json, sizeof json, "{\"name\":\"%.15s\",\"kind\":\"person\",\"wip_limit\":1}",
             year_people[who].name);
    int status = year_change(CHANGE_ACTOR, json);
    assert_true(status == 200 || status == 201);
    year_people[who].is_here = true;
    year_end_faults(); /* whoever moves in is asked for once */
    year_move_in_one(who);
    draw_failure();
    hold(TEAMS + (int)year_below(ROLES), who, 3 + (int)year_below(90));
    year_report.arrivals++;
}

/* --- bad days ------------------------------------------------------------------------------------- */

/* Many write to one role at once. */
static void rush(void)
{
    int role = (int)year_below(ALL_ROLES);
    for (int i = 0; i < RUSH_LETTERS; i++)
        year_write(3 + (int)year_below(ALL - 3), role);
    year_report.rushes++;
}

/* For two days everything that is taken fails, and everybody is at work. */
static void storm(void)
{
    year_storm_until = house_now(&year_house) + STORM_HOURS * ORG_HOUR_MS;
    for (int i = 0; i < ALL; i++)
        year_stir(i);
    year_report.storms++;
}

/* The actor of a role fails, mostly while it is at something. */
static void kill_a_role(void)
{
    char name[32];
    int role = (int)year_below(ALL_ROLES);
    year_role_name(role, name);
    year_write(3 + (int)year_below(ALL - 3), role);
    some_steps();
    troupe_ref actor = troupe_whereis(year_house.system, name);
    if (troupe_ref_is_none(actor))
        return;
    troupe_shutdown(year_house.system, actor, TROUPE_FAILED);
    year_report.killed++;
}

/* While there is something to lose. */
static void crash(void)
{
    for (int i = 0; i < CRASH_BUSY; i++) {
        int who = 3 + (int)year_below(ALL - 3);
        if (year_one_in(2))
            year_write(who, (int)year_below(ALL_ROLES));
        else
            year_stir(who);
    }
    some_steps();
    if (recover())
        return;
    start_again();
    year_report.crashes++;
}

/* The journal fails soon, and not also later. */
static void fail_soon(void)
{
    take_failures_back();
    draw_failure_within(FAILURE_CALLS_SOON);
}

void year_have_one_of_each(void)
{
    static void (*const things[])(void) = {go_away, leave,       change_holders, year_arrive, rush,
                                           storm,   kill_a_role, crash,          fail_soon};
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        things[i]();
        year_pass(1 + year_below(DAY_MS));
    }
}

void year_live_some_days(void)
{
    year_pass(1 + year_below(4 * DAY_MS));
    uint32_t dice = year_below(100);
    if (dice < 30)
        go_away();
    else if (dice < 33)
        leave();
    else if (dice < 38)
        change_holders();
    else if (dice < 41)
        year_arrive();
    else if (dice < 44)
        rush();
    else if (dice < 46)
        storm();
    else if (dice < 62)
        some_steps();
    else if (dice < 72)
        kill_a_role();
    else if (dice < 78)
        crash();
}

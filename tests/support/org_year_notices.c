/* SPDX-License-Identifier: MIT */
/*
 * org_year_notices.c: the choices and the facts of org_year_notices.h. The hours here are whole ones in UTC,
 * so that they are held against the clock without the code that is tested. The test's thread runs everything.
 */
#include "support/org_year_notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/record.h"
#include "journal/writer.h"
#include "org/absences.h"
#include "org/directory_events.h"
#include "org/event_types.h"
#include "org/limits.h"
#include "org/notices.h"
#include "org/role.h"
#include "support/org_year_people.h"

enum {
    CHOOSERS_FIRST = 3, /* the first holders of teams and roles are among these */
    CHOOSERS_END = 60,
    HOURS_FROM = 8, /* of those who have any, Monday to Friday */
    HOURS_TO = 18,
};

/* So long something has waited when its holder must have been told: the server was down, and a weekend. */
#define PATIENCE_MS (5 * ORG_DAY_MS)
/* How old what the directory knew of a role may have been: the server is down for a day at most. */
#define STALE_MS (2 * ORG_DAY_MS)

/* --- choosing ----------------------------------------------------------------------------------- */

static bool is_chooser(int who)
{
    return who >= CHOOSERS_FIRST && who < CHOOSERS_END && who % 6 >= 4;
}

static enum org_notices choice_of(int who)
{
    return who % 6 == 4 ? ORG_NOTICES_URGENT : ORG_NOTICES_DIGEST;
}

static bool has_hours(int who)
{
    return who % 4 <= 1;
}

/* The hour of a digest: one in which everybody works. */
static int hour_of(int who)
{
    return HOURS_FROM + who % (HOURS_TO - HOURS_FROM);
}

void year_choose_notices(void)
{
    for (int i = CHOOSERS_FIRST; i < CHOOSERS_END; i++) {
        char json[192];
        const char *name = year_people[i].name;
        snprintf(json, sizeof json,
                 "{\"actor\":\"%s\",\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\"],\"from\":\"%02d:00\","
                 "\"to\":\"%02d:00\"}",
                 name, HOURS_FROM, HOURS_TO);
        if (is_chooser(i) && has_hours(i))
            assert_int_equal(year_change(CHANGE_CALENDAR, json), 200);
        if (!is_chooser(i))
            continue;
        if (choice_of(i) == ORG_NOTICES_URGENT)
            snprintf(json, sizeof json, "{\"actor\":\"%s\",\"choice\":\"urgent\"}", name);
        else
            snprintf(json, sizeof json, "{\"actor\":\"%s\",\"choice\":\"digest\",\"at\":\"%02d:00\"}", name,
                     hour_of(i));
        assert_int_equal(year_change(CHANGE_NOTICES, json), 200);
    }
}

/* --- the events ----------------------------------------------------------------------------------- */

/* A piece of a role's life in which nothing changed of what notices go by. */
struct span {
    int64_t from;
    int64_t to;
    int role; /* in `roles` */
    int holder;
    uint64_t queued;
    uint64_t urgent_last;
};

/* What one notice told of one role. */
struct told {
    int64_t at;
    int role;
    uint64_t urgent_last;
};

struct away {
    int64_t from;
    int64_t until;
};

/* Somebody who chose, and what the stream of the organisation says of them. */
struct chooser {
    int64_t chosen_at;
    int64_t digest_at;
    struct away *aways; /* all that there ever were, also those that ended before their time */
    size_t away_count;
    size_t away_capacity;
    char absences[ABSENCES_TEXT_MAX]; /* as they are now */
    bool is_gone;
    struct told *told;
    size_t told_count;
    size_t told_capacity;
    int64_t *digests;
    size_t digest_count;
    size_t digest_capacity;
};

static struct chooser choosers[CHOOSERS_END];
static char roles[1 + ALL_ROLES + ALL][ORG_NAME_LEN_MAX + 1];
static int role_count;
static struct span *spans;
static size_t span_count;
static size_t span_capacity;

static int chooser_of(const char *name)
{
    for (int i = CHOOSERS_FIRST; i < CHOOSERS_END; i++) {
        if (is_chooser(i) && strcmp(year_people[i].name, name) == 0)
            return i;
    }
    return 0;
}

static int role_of(const char *name)
{
    for (int i = 0; i < role_count; i++) {
        if (strcmp(roles[i], name) == 0)
            return i;
    }
    fail_msg("somebody was told of %s, which is no role", name);
    return 0;
}

/* Reads a stream whole, record by record. */
static void read_stream(const char *stream, void (*each)(const struct record *record, void *context),
                        void *context)
{
    uint64_t from = 1;
    for (bool is_end = false; !is_end;) {
        troupe_message *reply = house_ask(&year_house, house_actor(&year_house, NAME_JOURNAL), journal_read,
                                          .stream = stream, .from_seq = from);
        const journal_records *piece = journal_records_of(reply);
        assert_true(piece != NULL && piece->status == TROUPE_OK);
        troupe_bytes bytes = troupe_bytes_of(reply, piece->records);
        struct record_cursor cursor = record_cursor_at(bytes.data, bytes.size);
        struct record record;
        while (record_next(&cursor, &record) == TROUPE_OK)
            each(&record, context);
        is_end = piece->is_end;
        from = piece->next_seq;
        troupe_message_free(year_house.system, &reply);
    }
}

static int64_t time_of(const struct record *record)
{
    const troupe_type *type = org_event_type(record->type);
    int64_t at;
    assert_true(type != NULL && strcmp(type->fields[0].name, "at") == 0);
    memcpy(&at, (const char *)record->body + type->fields[0].offset, sizeof at);
    return at;
}

/* --- roles ---------------------------------------------------------------------------------------- */

static void note_span(const struct org_role *role, int index, int64_t at)
{
    struct org_role_waiting waiting = org_role_waiting(role);
    const char *holder = org_role_view(role).holder;
    struct span now = {.from = at,
                       .to = INT64_MAX,
                       .role = index,
                       .holder = holder == NULL ? 0 : chooser_of(holder),
                       .queued = org_role_counts(role).queued,
                       .urgent_last = waiting.urgent_last};
    struct span *last = span_count > 0 && spans[span_count - 1].role == index ? &spans[span_count - 1] : NULL;
    if (last != NULL && last->holder == now.holder && last->queued == now.queued &&
        last->urgent_last == now.urgent_last)
        return;
    if (last != NULL)
        last->to = at;
    assert_int_equal(array_reserve(&spans, &span_capacity, span_count + 1, sizeof *spans), TROUPE_OK);
    spans[span_count++] = now;
}

static void replay_role(const struct record *record, void *context)
{
    struct org_role *role = context;
    assert_int_equal(org_role_replay(role, record), TROUPE_OK);
    note_span(role, role_count - 1, time_of(record));
}

static void read_role(const char *name)
{
    char stream[ORG_NAME_LEN_MAX + sizeof ROLE_STREAM_PREFIX];
    struct org_role *role;
    snprintf(stream, sizeof stream, ROLE_STREAM_PREFIX "%s", name);
    snprintf(roles[role_count++], sizeof roles[0], "%s", name);
    assert_int_equal(org_role_new(name, &role), TROUPE_OK);
    read_stream(stream, replay_role, role);
    org_role_free(role);
}

static void read_roles(void)
{
    char name[ORG_NAME_LEN_MAX + 1];
    role_count = 0;
    span_count = 0;
    read_role("all");
    for (int i = 0; i < ALL_ROLES; i++) {
        year_role_name(i, name);
        read_role(name);
    }
    for (int i = CHOOSERS_FIRST; i < CHOOSERS_END; i++) {
        snprintf(name, sizeof name, "@%.15s", year_people[i].name);
        if (is_chooser(i))
            read_role(name);
    }
}

/* Whether something waited for somebody in a role shortly before. */
static bool has_waited(int who, int role, int64_t at)
{
    for (size_t i = 0; i < span_count; i++) {
        const struct span *span = &spans[i];
        if (span->role == role && span->holder == who && span->queued > 0 && span->from <= at &&
            span->to >= at - STALE_MS)
            return true;
    }
    return false;
}

/* --- notices -------------------------------------------------------------------------------------- */

static void note_calendar(struct chooser *chooser, const org_calendar_set *set)
{
    const char *cursor = troupe_flat_text(set, set->absences);
    struct org_imported_absence absence;
    snprintf(chooser->absences, sizeof chooser->absences, "%s", cursor);
    chooser->is_gone = set->is_gone;
    for (bool is_more = true; is_more;) {
        is_more = absences_next(&cursor, &absence);
        if (!is_more && !set->is_gone)
            return;
        struct away away = is_more ? (struct away){absence.from, absence.until} : (struct away){set->at, 0};
        assert_int_equal(array_reserve(&chooser->aways, &chooser->away_capacity, chooser->away_count + 1,
                                       sizeof *chooser->aways),
                         TROUPE_OK);
        chooser->aways[chooser->away_count++] = away;
    }
}

static void check_time(int who, const org_noticed *noticed)
{
    const struct chooser *chooser = &choosers[who];
    const char *cursor = chooser->absences;
    struct org_imported_absence absence;
    int64_t day = noticed->at / ORG_DAY_MS;
    int64_t hour = noticed->at / ORG_HOUR_MS % 24;
    int64_t weekday = (day + 3) % 7; /* 1970 began on a Thursday; 0 is Monday */
    if (has_hours(who) && (weekday > 4 || hour < HOURS_FROM || hour >= HOURS_TO))
        fail_msg("%s was told at %02d o'clock, on day %d of the week", year_people[who].name, (int)hour,
                 (int)weekday);
    if (chooser->is_gone)
        fail_msg("%s was told after it had left", year_people[who].name);
    while (absences_next(&cursor, &absence)) {
        if (absences_covers(&absence, noticed->at))
            fail_msg("%s was told while it was away", year_people[who].name);
    }
    if (noticed->kind != choice_of(who))
        fail_msg("%s was told what it did not choose", year_people[who].name);
    if (noticed->kind != ORG_NOTICES_DIGEST)
        return;
    if (chooser->digest_count > 0 && chooser->digests[chooser->digest_count - 1] / ORG_DAY_MS == day)
        fail_msg("%s was told twice on one day", year_people[who].name);
}

static void note_role(int who, const org_noticed *noticed, const struct org_notice_role *line)
{
    struct chooser *chooser = &choosers[who];
    struct told told = {.at = noticed->at, .role = role_of(line->role), .urgent_last = line->urgent_last};
    if (!has_waited(who, told.role, told.at))
        fail_msg("%s was told of %s, where nothing waited for it", year_people[who].name, line->role);
    for (size_t i = 0; noticed->kind == ORG_NOTICES_URGENT && i < chooser->told_count; i++) {
        if (chooser->told[i].role == told.role && chooser->told[i].urgent_last >= told.urgent_last)
            fail_msg("%s was told twice of a message in %s", year_people[who].name, line->role);
    }
    assert_int_equal(
        array_reserve(&chooser->told, &chooser->told_capacity, chooser->told_count + 1, sizeof told),
        TROUPE_OK);
    chooser->told[chooser->told_count++] = told;
}

static void note_notice(int who, const org_noticed *noticed)
{
    struct chooser *chooser = &choosers[who];
    const char *cursor = troupe_flat_text(noticed, noticed->roles);
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role line;
    check_time(who, noticed);
    while (org_notice_next_role(&cursor, name, &line))
        note_role(who, noticed, &line);
    if (noticed->kind == ORG_NOTICES_DIGEST) {
        assert_int_equal(array_reserve(&chooser->digests, &chooser->digest_capacity,
                                       chooser->digest_count + 1, sizeof *chooser->digests),
                         TROUPE_OK);
        chooser->digests[chooser->digest_count++] = noticed->at;
    }
    year_report.told++;
}

static void read_change(const struct record *record, void *context)
{
    (void)context;
    if (record->type == org_calendar_set_type.id) {
        const org_calendar_set *set = record->body;
        note_calendar(&choosers[chooser_of(troupe_flat_text(set, set->actor))], set);
    } else if (record->type == org_notices_set_type.id) {
        const org_notices_set *set = record->body;
        choosers[chooser_of(troupe_flat_text(set, set->actor))].chosen_at = set->at;
    } else if (record->type == org_noticed_type.id) {
        const org_noticed *noticed = record->body;
        int who = chooser_of(troupe_flat_text(noticed, noticed->actor));
        if (who == 0)
            fail_msg("somebody was told who did not choose to be");
        note_notice(who, noticed);
    }
}

/* --- what was due --------------------------------------------------------------------------------- */

static bool was_there(const struct chooser *chooser, int64_t from, int64_t to)
{
    for (size_t i = 0; i < chooser->away_count; i++) {
        const struct away *away = &chooser->aways[i];
        if (away->from <= to && (away->until == 0 || away->until >= from))
            return false;
    }
    return true;
}

/* Until when it went on so from a span on: the same holder, with something waiting, as urgent at least. */
static int64_t end_of(size_t first)
{
    int64_t end = spans[first].to;
    for (size_t i = first + 1; i < span_count && spans[i].role == spans[first].role; i++) {
        if (spans[i].holder != spans[first].holder || spans[i].queued == 0 ||
            spans[i].urgent_last < spans[first].urgent_last)
            break;
        end = spans[i].to;
    }
    return end;
}

static void check_urgent(const struct span *span, int64_t end)
{
    const struct chooser *chooser = &choosers[span->holder];
    int64_t due = span->from + PATIENCE_MS;
    if (span->urgent_last == 0 || end < due || !was_there(chooser, span->from - STALE_MS, due))
        return;
    year_report.due++;
    for (size_t i = 0; i < chooser->told_count; i++) {
        const struct told *told = &chooser->told[i];
        if (told->role == span->role && told->at <= due && told->urgent_last >= span->urgent_last)
            return;
    }
    fail_msg("%s was not told of an urgent message in %s", year_people[span->holder].name, roles[span->role]);
}

static void check_digest(const struct span *span, int64_t end)
{
    const struct chooser *chooser = &choosers[span->holder];
    int64_t due = span->from + PATIENCE_MS;
    if (end < due || !was_there(chooser, span->from - STALE_MS, due))
        return;
    year_report.due++;
    for (size_t i = 0; i < chooser->digest_count; i++) {
        if (chooser->digests[i] >= span->from && chooser->digests[i] <= due)
            return;
    }
    fail_msg("%s got no digest, and something waited in %s for days", year_people[span->holder].name,
             roles[span->role]);
}

static void forget(void)
{
    for (int i = 0; i < CHOOSERS_END; i++) {
        free(choosers[i].aways);
        free(choosers[i].told);
        free(choosers[i].digests);
    }
    memset(choosers, 0, sizeof choosers);
    free(spans);
    spans = NULL;
    span_capacity = 0;
}

void year_check_notices(void)
{
    int64_t now_ms = house_now(&year_house);
    read_roles();
    read_stream(STREAM_ORGANISATION, read_change, NULL);
    for (size_t i = 0; i < span_count; i++) {
        int64_t end = end_of(i);
        end = end < now_ms ? end : now_ms;
        if (spans[i].holder == 0 || spans[i].queued == 0 ||
            spans[i].from < choosers[spans[i].holder].chosen_at)
            continue;
        if (choice_of(spans[i].holder) == ORG_NOTICES_URGENT)
            check_urgent(&spans[i], end);
        else
            check_digest(&spans[i], end);
    }
    forget();
}

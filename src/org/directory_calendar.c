/* SPDX-License-Identifier: MIT */
/*
 * directory_calendar.c: when actors work and are away, and leaving for good. An absence makes an actor absent
 * in every role it is in the succession of; working hours do not: nobody's work is taken away overnight, but
 * leases and ageing go by them. The directory's actor looks who is present now, and when that changes next.
 * One thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "org/absences.h"
#include "org/directory_decision.h"
#include "org/hours.h"
#include "org/id.h"

/* --- looking -------------------------------------------------------------------------------------- */

static void view_of(const struct directory_actor *actor, struct org_calendar_view *ret_calendar)
{
    const org_calendar_set *set = actor_calendar(actor);
    const org_absences_imported *imported = actor_imported(actor);
    *ret_calendar = (struct org_calendar_view){.zone = "", .absences = "", .imported = ""};
    if (imported != NULL)
        ret_calendar->imported = troupe_flat_text(imported, imported->absences);
    if (set == NULL)
        return;
    ret_calendar->zone = troupe_flat_text(set, set->zone);
    ret_calendar->days = set->days;
    ret_calendar->from_minute = (uint16_t)set->from_minute;
    ret_calendar->to_minute = (uint16_t)set->to_minute;
    ret_calendar->absences = troupe_flat_text(set, set->absences);
    ret_calendar->is_gone = set->is_gone;
}

bool org_directory_calendar(const struct org_directory *directory, const char *name,
                            struct org_calendar_view *ret_calendar)
{
    uint32_t index = directory_find_actor(directory, name);
    if (index == MAP_NONE)
        return false;
    view_of(&directory->actors[index], ret_calendar);
    return true;
}

/* The next absence of a calendar, those by hand first; the view moves on. */
static bool next_of(struct org_calendar_view *calendar, struct org_imported_absence *ret_absence)
{
    return absences_next(&calendar->absences, ret_absence) || absences_next(&calendar->imported, ret_absence);
}

bool org_directory_is_present(const struct org_directory *directory, const char *name, int64_t at_ms)
{
    struct org_calendar_view calendar;
    struct org_imported_absence absence;
    if (!org_directory_calendar(directory, name, &calendar) || calendar.is_gone)
        return false;
    while (next_of(&calendar, &absence)) {
        if (absences_covers(&absence, at_ms))
            return false;
    }
    return true;
}

int64_t org_directory_away_until(const struct org_directory *directory, const char *name, int64_t at_ms)
{
    struct org_calendar_view calendar;
    struct org_imported_absence absence;
    int64_t until = at_ms;
    bool is_longer = true;
    if (!org_directory_calendar(directory, name, &calendar) || calendar.is_gone)
        return INT64_MAX;
    while (is_longer) { /* each walk but the last leaves at least one absence behind */
        struct org_calendar_view walk = calendar;
        is_longer = false;
        while (next_of(&walk, &absence)) {
            if (!absences_covers(&absence, until))
                continue;
            if (absence.until == 0)
                return INT64_MAX;
            until = absence.until;
            is_longer = true;
        }
    }
    return until > at_ms ? until : 0;
}

const char *org_directory_kept(const struct org_directory *directory, const char *name, int64_t at_ms,
                               int64_t *ret_until)
{
    struct org_calendar_view calendar;
    struct org_imported_absence absence;
    uint32_t index = directory_find_actor(directory, name);
    const org_kept *kept = index == MAP_NONE ? NULL : actor_kept(&directory->actors[index]);
    *ret_until = 0;
    if (kept == NULL || !org_directory_calendar(directory, name, &calendar) || calendar.is_gone)
        return "";
    while (absences_next(&calendar.absences, &absence)) {
        if (absence.from == kept->at && absences_covers(&absence, at_ms)) {
            *ret_until = absence.until;
            return troupe_flat_text(kept, kept->messages);
        }
    }
    return "";
}

struct org_notice_choice org_directory_notices(const struct org_directory *directory, const char *name)
{
    uint32_t index = directory_find_actor(directory, name);
    const org_notices_set *set = index == MAP_NONE ? NULL : actor_notices(&directory->actors[index]);
    if (set == NULL)
        return (struct org_notice_choice){.kind = ORG_NOTICES_NONE};
    return (struct org_notice_choice){.kind = (enum org_notices)set->choice,
                                      .digest_minute = (uint16_t)set->digest_minute};
}

bool org_directory_comes_or_goes(const struct org_directory *directory, const char *name, int64_t after_ms,
                                 int64_t until_ms)
{
    struct org_calendar_view calendar;
    struct org_imported_absence absence;
    if (!org_directory_calendar(directory, name, &calendar))
        return false;
    while (next_of(&calendar, &absence)) {
        if ((absence.from > after_ms && absence.from <= until_ms) ||
            (absence.until > after_ms && absence.until <= until_ms))
            return true;
    }
    return false;
}

int64_t org_directory_presence_due(const struct org_directory *directory, int64_t after_ms)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < directory->actor_count; i++) {
        struct org_calendar_view calendar;
        struct org_imported_absence absence;
        view_of(&directory->actors[i], &calendar);
        while (next_of(&calendar, &absence)) {
            if (absence.from > after_ms && absence.from < due)
                due = absence.from;
            if (absence.until > after_ms && absence.until < due)
                due = absence.until;
        }
    }
    return due;
}

bool directory_is_calendar_fit(const struct org_directory *directory, const void *body)
{
    const org_calendar_set *set = body;
    const char *absences = troupe_flat_text(set, set->absences);
    size_t count;
    return absences_count(absences, false, &count) && count <= ORG_ABSENCES_MAX &&
           set->days <= ORG_ALL_DAYS && set->to_minute <= ORG_DAY_MINUTES &&
           set->from_minute <= set->to_minute &&
           directory_find_actor(directory, troupe_flat_text(set, set->actor)) != MAP_NONE;
}

bool directory_is_kept_fit(const struct org_directory *directory, const void *body)
{
    const org_kept *kept = body;
    char line[ORG_ID_TEXT_LEN + 1];
    const char *messages = troupe_flat_text(kept, kept->messages);
    uint64_t id;
    while (directory_next_line(&messages, line, sizeof(line))) {
        if (org_id_parse(line, &id) != TROUPE_OK)
            return false;
    }
    return *messages == '\0' &&
           directory_find_actor(directory, troupe_flat_text(kept, kept->actor)) != MAP_NONE;
}

static bool are_notices_valid(uint32_t kind, uint32_t digest_minute)
{
    return kind == ORG_NOTICES_DIGEST ? digest_minute < ORG_DAY_MINUTES
                                      : kind <= ORG_NOTICES_DIGEST && digest_minute == 0;
}

bool directory_is_notices_fit(const struct org_directory *directory, const void *body)
{
    const org_notices_set *set = body;
    return are_notices_valid(set->choice, set->digest_minute) &&
           directory_find_actor(directory, troupe_flat_text(set, set->actor)) != MAP_NONE;
}

/* --- deciding ------------------------------------------------------------------------------------- */

uint32_t directory_actor_meant(struct directory_decision *d, const char *name, bool *ret_by_administrator)
{
    const char *right = *d->via != '\0' ? d->via : d->by;
    uint32_t index = directory_find_actor(d->directory, directory_text(name));
    *ret_by_administrator = org_directory_is_administrator(d->directory, right);
    if (index == MAP_NONE) {
        directory_refuse(d, ORG_DIRECTORY_NO_ACTOR, name);
        return MAP_NONE;
    }
    if (!*ret_by_administrator && strcmp(right, name) != 0) {
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, right);
        return MAP_NONE;
    }
    return index;
}

/* A name that stays below the folder of zones. */
static bool is_zone_name(const char *zone)
{
    size_t len = strlen(zone);
    return len <= ORG_ZONE_NAME_LEN_MAX && *zone != '/' && strstr(zone, "..") == NULL &&
           strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == len;
}

static bool check_calendar(struct directory_decision *d, const struct org_set_calendar *set)
{
    struct org_hours hours = {
        .days = set->days, .from_minute = (uint16_t)set->from_minute, .to_minute = (uint16_t)set->to_minute};
    bool is_good =
        set->from_minute <= ORG_DAY_MINUTES && set->to_minute <= ORG_DAY_MINUTES &&
        (set->days == 0 ? set->from_minute == 0 && set->to_minute == 0 : org_hours_are_valid(&hours)) &&
        is_zone_name(directory_text(set->zone));
    if (set->absence_count > ORG_ABSENCES_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, set->actor);
    for (size_t i = 0; i < set->absence_count; i++)
        is_good = is_good && absences_is_valid(set->absences[i].from, set->absences[i].until);
    return is_good || directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
}

void directory_decide_calendar(struct directory_decision *d)
{
    const struct org_set_calendar *set = &d->command->calendar;
    char absences[ABSENCES_TEXT_MAX] = "";
    bool by_administrator;
    uint32_t index = directory_actor_meant(d, set->actor, &by_administrator);
    if (index == MAP_NONE || !check_calendar(d, set))
        return;
    const org_calendar_set *old = actor_calendar(&d->directory->actors[index]);
    for (size_t i = 0; i < set->absence_count; i++) {
        struct org_imported_absence absence = {.from = set->absences[i].from,
                                               .until = set->absences[i].until};
        if (absence.until == 0 || absence.until > d->now_ms) /* what is past is dropped */
            absences_add(absences, sizeof(absences), &absence, false);
    }
    org_calendar_set_fields fields = {.at = d->now_ms,
                                      .by = d->by,
                                      .via = d->via,
                                      .actor = set->actor,
                                      .zone = directory_text(set->zone),
                                      .absences = absences,
                                      .from_minute = set->from_minute,
                                      .to_minute = set->to_minute,
                                      .days = set->days,
                                      .is_gone = old != NULL && old->is_gone};
    (void)directory_write(d, &org_calendar_set_type, &fields, old);
}

void directory_decide_notices(struct directory_decision *d)
{
    const struct org_set_notices *set = &d->command->notices;
    bool by_administrator;
    uint32_t index = directory_actor_meant(d, set->actor, &by_administrator);
    if (index == MAP_NONE)
        return;
    if (!are_notices_valid((uint32_t)set->kind, set->digest_minute)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
        return;
    }
    const org_notices_set *old = actor_notices(&d->directory->actors[index]);
    if (old == NULL && set->kind == ORG_NOTICES_NONE)
        return;
    org_notices_set_fields fields = {.at = d->now_ms,
                                     .by = d->by,
                                     .via = d->via,
                                     .actor = set->actor,
                                     .digest_minute = set->digest_minute,
                                     .choice = (uint8_t)set->kind};
    (void)directory_write(d, &org_notices_set_type, &fields, old);
}

/* The absences that are not over; without those that cover now, of which there are `ret_covering`. */
static size_t keep_absences(const struct directory_decision *d, const org_calendar_set *old, char *ret_text,
                            size_t *ret_covering)
{
    const char *cursor = old == NULL ? "" : troupe_flat_text(old, old->absences);
    struct org_imported_absence absence;
    size_t kept = 0;
    ret_text[0] = '\0';
    *ret_covering = 0;
    while (absences_next(&cursor, &absence)) {
        if (absences_covers(&absence, d->now_ms)) {
            ++*ret_covering;
        } else if (absence.from > d->now_ms) {
            absences_add(ret_text, ABSENCES_TEXT_MAX, &absence, false);
            kept++;
        }
    }
    return kept;
}

static void write_presence(struct directory_decision *d, uint32_t index, const char *absences, bool is_gone)
{
    const org_calendar_set *old = actor_calendar(&d->directory->actors[index]);
    org_calendar_set_fields fields = {.at = d->now_ms,
                                      .by = d->by,
                                      .via = d->via,
                                      .actor = actor_name(&d->directory->actors[index]),
                                      .zone = old == NULL ? "" : troupe_flat_text(old, old->zone),
                                      .absences = absences,
                                      .from_minute = old == NULL ? 0 : old->from_minute,
                                      .to_minute = old == NULL ? 0 : old->to_minute,
                                      .days = old == NULL ? 0 : old->days,
                                      .is_gone = is_gone};
    (void)directory_write(d, &org_calendar_set_type, &fields, old);
}

static bool check_keeps(struct directory_decision *d, const struct org_set_presence *set)
{
    if (set->keep_count > ORG_KEEPS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, set->actor);
    return (!set->is_present || set->keep_count == 0) ||
           directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
}

static void write_kept(struct directory_decision *d, const struct org_set_presence *set)
{
    char messages[ORG_KEEPS_MAX * (ORG_ID_TEXT_LEN + 1) + 1] = "";
    if (set->keep_count == 0)
        return;
    for (size_t i = 0; i < set->keep_count; i++) {
        char *line = messages + i * (ORG_ID_TEXT_LEN + 1);
        org_id_text(set->keeps[i], line);
        line[ORG_ID_TEXT_LEN] = i + 1 < set->keep_count ? '\n' : '\0';
    }
    org_kept_fields fields = {
        .at = d->now_ms, .by = d->by, .via = d->via, .actor = set->actor, .messages = messages};
    (void)directory_write(d, &org_kept_type, &fields, NULL);
}

void directory_decide_presence(struct directory_decision *d)
{
    const struct org_set_presence *set = &d->command->presence;
    char absences[ABSENCES_TEXT_MAX];
    struct org_imported_absence absence = {.from = d->now_ms, .until = set->until};
    size_t covering;
    bool by_administrator;
    uint32_t index = directory_actor_meant(d, set->actor, &by_administrator);
    if (index == MAP_NONE || !check_keeps(d, set))
        return;
    const org_calendar_set *old = actor_calendar(&d->directory->actors[index]);
    bool is_gone = old != NULL && old->is_gone;
    if (set->is_present ? set->until != 0 : !absences_is_valid(absence.from, absence.until)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
        return;
    }
    if (is_gone && !by_administrator) {
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, d->by);
        return;
    }
    if (set->is_present)
        directory_end_imported(d, index);
    size_t kept = keep_absences(d, old, absences, &covering);
    if (set->is_present && covering == 0 && !is_gone)
        return;
    if (!set->is_present && kept >= ORG_ABSENCES_MAX) {
        directory_refuse(d, ORG_DIRECTORY_TOO_MANY, set->actor);
        return;
    }
    if (!set->is_present)
        absences_add(absences, sizeof(absences), &absence, false);
    write_kept(d, set);
    write_presence(d, index, absences, is_gone && !set->is_present);
}

/* A role without one of its holders. */
static void give_up(struct directory_decision *d, uint32_t role, const char *actor)
{
    org_role_set_fields fields = directory_role_fields(&d->directory->roles[role]);
    char holders[ORG_SUCCESSION_MAX * (ORG_ACTOR_NAME_LEN_MAX + 1) + 1] = "";
    char name[ORG_ACTOR_NAME_LEN_MAX + 1];
    const char *cursor = fields.holders;
    size_t len = 0;
    while (directory_next_line(&cursor, name, sizeof(name))) {
        if (strcmp(name, actor) != 0)
            len += (size_t)snprintf(holders + len, sizeof(holders) - len, "%s%s", len > 0 ? "\n" : "", name);
    }
    fields.at = d->now_ms;
    fields.by = d->by;
    fields.via = d->via;
    fields.holders = holders;
    (void)directory_write(d, &org_role_set_type, &fields, d->directory->roles[role].set);
}

static void revoke_tokens(struct directory_decision *d, const char *actor)
{
    for (size_t i = 0; i < d->directory->token_count; i++) {
        const struct directory_token *token = &d->directory->tokens[i];
        if (token->is_revoked || strcmp(troupe_flat_text(token->added, token->added->actor), actor) != 0)
            continue;
        org_token_revoked_fields fields = {.at = d->now_ms, .by = d->by, .via = d->via};
        memcpy(fields.hash, token->added->hash, sizeof(fields.hash));
        (void)directory_write(d, &org_token_revoked_type, &fields, NULL);
    }
}

/* Its roles go to the next in their successions, its tokens are good no longer, and it is away for good. */
void directory_decide_leave(struct directory_decision *d)
{
    const char *name = d->command->presence.actor;
    char absences[ABSENCES_TEXT_MAX];
    size_t covering;
    bool by_administrator;
    uint32_t index = directory_actor_meant(d, name, &by_administrator);
    if (index == MAP_NONE)
        return;
    const struct directory_actor *actor = &d->directory->actors[index];
    const org_calendar_set *old = actor_calendar(actor);
    if (actor->set->is_administrator && d->directory->administrator_count <= 1) {
        directory_refuse(d, ORG_DIRECTORY_LAST_ADMINISTRATOR, name);
        return;
    }
    if (old != NULL && old->is_gone)
        return;
    for (const struct directory_link *link = actor->first_held; link != NULL; link = link->next)
        give_up(d, link->role, name);
    revoke_tokens(d, name);
    (void)keep_absences(d, old, absences, &covering);
    write_presence(d, index, absences, true);
}

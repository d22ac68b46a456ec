/* SPDX-License-Identifier: MIT */
/*
 * directory_calendar.c: when actors work and are away, and leaving for good. An absence makes an actor absent
 * in every role it is in the succession of; working hours do not: nobody's work is taken away overnight, but
 * leases and ageing go by them. The directory's actor looks who is present now, and when that changes next.
 * One thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "org/directory_decision.h"
#include "org/hours.h"
#include "org/id.h"

/* Two numbers, a blank and a line end. */
enum { ABSENCE_LINE_MAX = 44, ABSENCES_LEN_MAX = (ORG_ABSENCES_MAX + 1) * ABSENCE_LINE_MAX };

/* --- absences as text ----------------------------------------------------------------------------- */

/*
 * Reads the line at `*cursor` and moves on; false at the end, which `**cursor` then is, or where it is none.
 */
static bool next_absence(const char **cursor, struct org_absence *ret_absence)
{
    char *end;
    if (**cursor < '0' || **cursor > '9')
        return false;
    ret_absence->from = strtoll(*cursor, &end, 10);
    if (end[0] != ' ' || end[1] < '0' || end[1] > '9')
        return false;
    ret_absence->until = strtoll(end + 1, &end, 10);
    if (*end == '\n')
        end++;
    else if (*end != '\0')
        return false;
    *cursor = end;
    return true;
}

static void add_absence(char *text, const struct org_absence *absence)
{
    size_t len = strlen(text);
    snprintf(text + len, ABSENCES_LEN_MAX - len, "%s%lld %lld", len > 0 ? "\n" : "", (long long)absence->from,
             (long long)absence->until);
}

static bool is_covered(const struct org_absence *absence, int64_t at_ms)
{
    return absence->from <= at_ms && (absence->until == 0 || at_ms < absence->until);
}

/* --- looking -------------------------------------------------------------------------------------- */

bool org_directory_calendar(const struct org_directory *directory, const char *name,
                            struct org_calendar_view *ret_calendar)
{
    uint32_t index = directory_find_actor(directory, name);
    if (index == MAP_NONE)
        return false;
    const org_calendar_set *set = actor_calendar(&directory->actors[index]);
    *ret_calendar = (struct org_calendar_view){.zone = "", .absences = ""};
    if (set != NULL)
        *ret_calendar = (struct org_calendar_view){.zone = troupe_flat_text(set, set->zone),
                                                   .days = set->days,
                                                   .from_minute = (uint16_t)set->from_minute,
                                                   .to_minute = (uint16_t)set->to_minute,
                                                   .absences = troupe_flat_text(set, set->absences),
                                                   .is_gone = set->is_gone};
    return true;
}

bool org_directory_is_present(const struct org_directory *directory, const char *name, int64_t at_ms)
{
    struct org_calendar_view calendar;
    struct org_absence absence;
    if (!org_directory_calendar(directory, name, &calendar) || calendar.is_gone)
        return false;
    while (next_absence(&calendar.absences, &absence)) {
        if (is_covered(&absence, at_ms))
            return false;
    }
    return true;
}

const char *org_directory_kept(const struct org_directory *directory, const char *name, int64_t at_ms,
                               int64_t *ret_until)
{
    struct org_calendar_view calendar;
    struct org_absence absence;
    uint32_t index = directory_find_actor(directory, name);
    const org_kept *kept = index == MAP_NONE ? NULL : actor_kept(&directory->actors[index]);
    *ret_until = 0;
    if (kept == NULL || !org_directory_calendar(directory, name, &calendar) || calendar.is_gone)
        return "";
    while (next_absence(&calendar.absences, &absence)) {
        if (absence.from == kept->at && is_covered(&absence, at_ms)) {
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
    struct org_absence absence;
    if (!org_directory_calendar(directory, name, &calendar))
        return false;
    while (next_absence(&calendar.absences, &absence)) {
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
        const org_calendar_set *set = actor_calendar(&directory->actors[i]);
        const char *absences = set == NULL ? "" : troupe_flat_text(set, set->absences);
        struct org_absence absence;
        while (next_absence(&absences, &absence)) {
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
    struct org_absence absence;
    size_t count = 0;
    while (next_absence(&absences, &absence))
        count++;
    return *absences == '\0' && count <= ORG_ABSENCES_MAX && set->days <= ORG_ALL_DAYS &&
           set->to_minute <= ORG_DAY_MINUTES && set->from_minute <= set->to_minute &&
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

/* The actor meant, if whoever commands may; MAP_NONE after refusing. */
static uint32_t actor_meant(struct directory_decision *d, const char *name, bool *ret_by_administrator)
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

static bool is_absence(const struct org_absence *absence)
{
    return absence->from >= 0 && absence->from <= ORG_TIME_MAX_MS && absence->until <= ORG_TIME_MAX_MS &&
           (absence->until == 0 || absence->until > absence->from);
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
        is_good = is_good && is_absence(&set->absences[i]);
    return is_good || directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
}

void directory_decide_calendar(struct directory_decision *d)
{
    const struct org_set_calendar *set = &d->command->calendar;
    char absences[ABSENCES_LEN_MAX] = "";
    bool by_administrator;
    uint32_t index = actor_meant(d, set->actor, &by_administrator);
    if (index == MAP_NONE || !check_calendar(d, set))
        return;
    const org_calendar_set *old = actor_calendar(&d->directory->actors[index]);
    for (size_t i = 0; i < set->absence_count; i++) {
        if (set->absences[i].until == 0 || set->absences[i].until > d->now_ms) /* what is past is dropped */
            add_absence(absences, &set->absences[i]);
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
    uint32_t index = actor_meant(d, set->actor, &by_administrator);
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
    struct org_absence absence;
    size_t kept = 0;
    ret_text[0] = '\0';
    *ret_covering = 0;
    while (next_absence(&cursor, &absence)) {
        if (is_covered(&absence, d->now_ms)) {
            ++*ret_covering;
        } else if (absence.from > d->now_ms) {
            add_absence(ret_text, &absence);
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
    char absences[ABSENCES_LEN_MAX];
    struct org_absence absence = {.from = d->now_ms, .until = set->until};
    size_t covering;
    bool by_administrator;
    uint32_t index = actor_meant(d, set->actor, &by_administrator);
    if (index == MAP_NONE || !check_keeps(d, set))
        return;
    const org_calendar_set *old = actor_calendar(&d->directory->actors[index]);
    bool is_gone = old != NULL && old->is_gone;
    if (set->is_present ? set->until != 0 : !is_absence(&absence)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->actor);
        return;
    }
    if (is_gone && !by_administrator) {
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, d->by);
        return;
    }
    size_t kept = keep_absences(d, old, absences, &covering);
    if (set->is_present && covering == 0 && !is_gone)
        return;
    if (!set->is_present && kept >= ORG_ABSENCES_MAX) {
        directory_refuse(d, ORG_DIRECTORY_TOO_MANY, set->actor);
        return;
    }
    if (!set->is_present)
        add_absence(absences, &absence);
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
    char absences[ABSENCES_LEN_MAX];
    size_t covering;
    bool by_administrator;
    uint32_t index = actor_meant(d, name, &by_administrator);
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

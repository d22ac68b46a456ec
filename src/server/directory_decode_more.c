/* SPDX-License-Identifier: MIT */
/*
 * directory_decode_more.c: the decoders of directory_decode.h for changes of what is there already. What a
 * name or a number may be is the organisation's to say. Pure but for the look whether a time zone exists; any
 * one thread.
 */
#include <stdio.h>
#include <string.h>

#include "org/id.h"
#include "server/directory_decode.h"
#include "server/json.h"
#include "server/members.h"
#include "server/zones.h"

#define TEXT_MAX ((size_t)4096)

bool decode_holders(const json_t *value, struct decode_room *room, struct org_directory_command *ret_command,
                    struct problem *problem)
{
    struct org_set_holders *set = &ret_command->holders;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_HOLDERS;
    *set = (struct org_set_holders){.holders = room->holders};
    member_take_tree_role(&in, "role", JSON_REQUIRED, &set->role);
    set->holder_count =
        member_take_actors(&in, "holders", JSON_REQUIRED, ORG_SUCCESSION_MAX, room->holders, NULL);
    return json_reader_end(&in);
}

bool decode_transfer(const json_t *value, struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_transfer_domain *transfer = &ret_command->transfer;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_TRANSFER_DOMAIN;
    *transfer = (struct org_transfer_domain){0};
    member_take_tree_role(&in, "name", JSON_REQUIRED, &transfer->name);
    member_take_role(&in, "owner", JSON_REQUIRED, &transfer->owner);
    return json_reader_end(&in);
}

bool decode_revoke(const json_t *value, const char **ret_token, struct problem *problem)
{
    struct json_reader in = json_reader_of(value, "", problem);
    json_take_text(&in, "token", JSON_REQUIRED, 1, TEXT_MAX, ret_token);
    return json_reader_end(&in);
}

/* Messages that somebody keeps while away: one's own alone, since nobody else knows what they are. */
static void take_keeps(struct json_reader *in, const char *own, struct decode_room *room,
                       struct org_set_presence *set)
{
    const json_t *array = NULL;
    json_take_array(in, "keeps", JSON_OPTIONAL, ORG_KEEPS_MAX, &array);
    set->keeps = room->keeps;
    set->keep_count = array != NULL ? json_array_size(array) : 0;
    for (size_t i = 0; i < set->keep_count; i++) {
        const char *text = json_element_text(array, i, "keeps", TEXT_MAX, in->problem);
        if (text != NULL && org_id_parse(text, &room->keeps[i]) != TROUPE_OK)
            problem_set(in->problem, PROBLEM_MALFORMED,
                        "\"keeps[%zu]\" must be the id of a message, 13 characters", i);
    }
    if (in->problem->kind == PROBLEM_NONE && set->keep_count > 0 &&
        (set->is_present || strcmp(set->actor, own) != 0))
        problem_set(in->problem, PROBLEM_MALFORMED,
                    "\"keeps\" is for whoever goes away, and only by its own call");
}

bool decode_presence(const json_t *value, const char *own, struct decode_room *room,
                     struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_presence *set = &ret_command->presence;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_PRESENCE;
    *set = (struct org_set_presence){.actor = own};
    member_take_actor(&in, "actor", JSON_OPTIONAL, &set->actor);
    json_take_flag(&in, "present", JSON_REQUIRED, &set->is_present);
    member_take_time(&in, "until", JSON_OPTIONAL, &set->until);
    take_keeps(&in, own, room, set);
    if (set->is_present && set->until != 0 && problem->kind == PROBLEM_NONE)
        problem_set(problem, PROBLEM_MALFORMED, "\"until\" is for whoever goes away");
    return json_reader_end(&in);
}

bool decode_leave(const json_t *value, struct org_directory_command *ret_command, struct problem *problem)
{
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_LEAVE;
    ret_command->presence = (struct org_set_presence){0};
    member_take_actor(&in, "actor", JSON_REQUIRED, &ret_command->presence.actor);
    return json_reader_end(&in);
}

/* "09:30", as minutes of the day; 24:00 ends one. */
static bool read_clock(const char *text, uint32_t *ret_minutes)
{
    bool is_clock = strlen(text) == 5 && strspn(text, "0123456789") == 2 && text[2] == ':' &&
                    strspn(text + 3, "0123456789") == 2;
    if (!is_clock)
        return false;
    uint32_t hours = (uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0');
    uint32_t minutes = (uint32_t)(text[3] - '0') * 10 + (uint32_t)(text[4] - '0');
    *ret_minutes = hours * 60 + minutes;
    return minutes < 60 && *ret_minutes <= ORG_DAY_MINUTES;
}

static void take_clock(struct json_reader *in, const char *name, enum json_presence presence,
                       uint32_t *ret_minutes)
{
    const char *text = NULL;
    json_take_text(in, name, presence, 1, TEXT_MAX, &text);
    if (text != NULL && in->problem->kind == PROBLEM_NONE && !read_clock(text, ret_minutes))
        problem_set(in->problem, PROBLEM_MALFORMED, "\"%s\" must be a time of the day, as 09:30", name);
}

/* Days by their first three letters. */
static void take_days(struct json_reader *in, uint8_t *ret_days)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const json_t *array = NULL;
    json_take_array(in, "days", JSON_OPTIONAL, 7, &array);
    for (size_t i = 0; array != NULL && i < json_array_size(array); i++) {
        const char *text = json_element_text(array, i, "days", TEXT_MAX, in->problem);
        unsigned day = 0;
        while (text != NULL && day < 7 && strcmp(names[day], text) != 0)
            day++;
        if (text != NULL && day == 7)
            problem_set(in->problem, PROBLEM_MALFORMED, "\"days\" has mon, tue, wed, thu, fri, sat, sun");
        else
            *ret_days |= (uint8_t)(1u << day);
    }
}

static void take_absences(struct json_reader *in, struct decode_room *room, struct org_set_calendar *set)
{
    const json_t *array = NULL;
    json_take_array(in, "absences", JSON_OPTIONAL, ORG_ABSENCES_MAX, &array);
    set->absence_count = array != NULL ? json_array_size(array) : 0;
    for (size_t i = 0; i < set->absence_count; i++) {
        char where[32];
        snprintf(where, sizeof where, "absences[%zu].", i);
        struct json_reader one = json_reader_of(json_array_get(array, i), where, in->problem);
        room->absences[i] = (struct org_absence){0};
        member_take_time(&one, "from", JSON_REQUIRED, &room->absences[i].from);
        member_take_time(&one, "until", JSON_OPTIONAL, &room->absences[i].until);
        if (json_reader_end(&one) && room->absences[i].until != 0 &&
            room->absences[i].until <= room->absences[i].from)
            problem_set(in->problem, PROBLEM_MALFORMED, "\"%suntil\" must be later than \"from\"", where);
    }
}

bool decode_calendar(const json_t *value, const char *own, struct decode_room *room,
                     struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_calendar *set = &ret_command->calendar;
    const struct org_zone *zone;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_CALENDAR;
    *set = (struct org_set_calendar){.actor = own, .absences = room->absences};
    member_take_actor(&in, "actor", JSON_OPTIONAL, &set->actor);
    json_take_text(&in, "zone", JSON_OPTIONAL, 1, TEXT_MAX, &set->zone);
    take_days(&in, &set->days);
    take_clock(&in, "from", set->days != 0 ? JSON_REQUIRED : JSON_OPTIONAL, &set->from_minute);
    take_clock(&in, "to", set->days != 0 ? JSON_REQUIRED : JSON_OPTIONAL, &set->to_minute);
    take_absences(&in, room, set);
    if (!json_reader_end(&in))
        return false;
    if (set->days == 0 && (set->from_minute != 0 || set->to_minute != 0))
        problem_set(problem, PROBLEM_MALFORMED, "\"days\" is missing: which days are these hours of?");
    else if (set->days != 0 && set->from_minute >= set->to_minute)
        problem_set(problem, PROBLEM_MALFORMED, "\"to\" must be later than \"from\"");
    if (set->zone != NULL && !zones_find(set->zone, &zone))
        problem_set(problem, PROBLEM_MALFORMED, "\"zone\": there is no time zone %.64s", set->zone);
    return problem->kind == PROBLEM_NONE;
}

const char *const decode_notice_words[ORG_NOTICES_DIGEST + 1] = {"none", "urgent", "digest"};

bool decode_notices(const json_t *value, const char *own, struct org_directory_command *ret_command,
                    struct problem *problem)
{
    struct org_set_notices *set = &ret_command->notices;
    unsigned kind = ORG_NOTICES_NONE;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_NOTICES;
    *set = (struct org_set_notices){.actor = own};
    member_take_actor(&in, "actor", JSON_OPTIONAL, &set->actor);
    json_take_choice(&in, "choice", JSON_REQUIRED, decode_notice_words, ORG_NOTICES_DIGEST + 1, &kind);
    take_clock(&in, "at", kind == ORG_NOTICES_DIGEST ? JSON_REQUIRED : JSON_OPTIONAL, &set->digest_minute);
    set->kind = (enum org_notices)kind;
    if (problem->kind == PROBLEM_NONE &&
        (kind != ORG_NOTICES_DIGEST ? json_is_string(json_object_get(value, "at"))
                                    : set->digest_minute >= ORG_DAY_MINUTES))
        problem_set(problem, PROBLEM_MALFORMED, "\"at\" is the time of the day of a digest, before 24:00");
    return json_reader_end(&in);
}

/* SPDX-License-Identifier: MIT */
/*
 * directory_notices.c: notices that go out to actors: whether one is due, the record of each, and what the
 * last ones said. The choice itself is set in directory_calendar.c, and notices.h has the rule of time.
 *
 * A notice is a record of the organisation's stream before anybody hears of it, and it says up to which
 * message it told of each role. So it goes out once, whatever crashes: without the record it is due again,
 * with it it is not.
 *
 * Place: the directory's actor asks what is due when a role's load or the time says so. One thread.
 *
 * Invariants
 *   1. An actor's notices are numbered 1, 2, 3...; the last ORG_NOTICES_KEPT are kept, the newest first.
 *   2. The last one has a line for each role of which something was told and that its actor still may hold:
 *      what was told of stays told of, also when the notices that told it are not kept any more.
 */
#include "org/directory_notices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "org/directory_decision.h"
#include "org/hours.h"
#include "org/plant.h"

/* --- lines ---------------------------------------------------------------------------------------- */

enum {
    NUMBER_LEN_MAX = 20, /* digits of a 64-bit number */
    NUMBERS = 4,
    LINE_SIZE = ORG_NAME_LEN_MAX + NUMBERS * (NUMBER_LEN_MAX + 1) + 2,
};

static bool take_number(const char **cursor, uint64_t *ret_number)
{
    const char *at = *cursor;
    uint64_t number = 0;
    if (*at++ != ' ' || *at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (number > (UINT64_MAX - (uint64_t)(*at - '0')) / 10)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *cursor = at;
    *ret_number = number;
    return true;
}

/*
 * A line as it is kept, also of a role of which nothing is told; `urgent_last` is up to where it is told of.
 */
static bool next_line(const char **cursor, char *ret_name, struct org_notice_role *ret_role)
{
    char line[LINE_SIZE];
    const char *walk = *cursor;
    if (!directory_next_line(&walk, line, sizeof(line)))
        return false;
    size_t len = strcspn(line, " ");
    const char *at = line + len;
    uint64_t oldest;
    if (len > ORG_NAME_LEN_MAX || !take_number(&at, &ret_role->queued) || !take_number(&at, &oldest) ||
        !take_number(&at, &ret_role->urgent) || !take_number(&at, &ret_role->urgent_last) || *at != '\0' ||
        oldest > (uint64_t)ORG_TIME_MAX_MS)
        return false;
    memcpy(ret_name, line, len);
    ret_name[len] = '\0';
    ret_role->role = ret_name;
    ret_role->oldest_at = (int64_t)oldest;
    *cursor = walk;
    return true;
}

bool org_notice_next_role(const char **cursor, char *ret_name, struct org_notice_role *ret_role)
{
    while (next_line(cursor, ret_name, ret_role)) {
        if (ret_role->queued > 0)
            return true;
    }
    return false;
}

static const char *roles_of(const org_noticed *noticed)
{
    return noticed == NULL ? "" : troupe_flat_text(noticed, noticed->roles);
}

/* Up to which of its urgent messages a notice, and those before it, told of a role. */
static uint64_t told_of(const org_noticed *noticed, const char *role)
{
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role line;
    const char *cursor = roles_of(noticed);
    while (next_line(&cursor, name, &line)) {
        if (strcmp(name, role) == 0)
            return line.urgent_last;
    }
    return 0;
}

/* --- looking -------------------------------------------------------------------------------------- */

static const struct directory_actor *find(const struct org_directory *directory, const char *name)
{
    uint32_t index = directory_find_actor(directory, name);
    return index == MAP_NONE ? NULL : &directory->actors[index];
}

uint64_t org_directory_notice_last(const struct org_directory *directory, const char *name)
{
    const struct directory_actor *actor = find(directory, name);
    const org_noticed *noticed = actor == NULL ? NULL : actor_noticed(actor);
    return noticed == NULL ? 0 : noticed->number;
}

bool org_directory_notice(const struct org_directory *directory, const char *name, uint64_t after,
                          struct org_notice_view *ret_notice)
{
    const struct directory_actor *actor = find(directory, name);
    const org_noticed *found = NULL;
    for (const struct directory_block *block = actor == NULL ? NULL : actor->noticed; block != NULL;
         block = block->next) {
        const org_noticed *noticed = (const org_noticed *)(const void *)block->body;
        if (noticed->number <= after)
            break;
        found = noticed;
    }
    if (found == NULL)
        return false;
    *ret_notice = (struct org_notice_view){.number = found->number,
                                           .at = found->at,
                                           .kind = (enum org_notices)found->kind,
                                           .roles = roles_of(found)};
    return true;
}

/* Whether a role has an urgent message of which its holder was not told. */
static bool has_news(const org_noticed *told, const struct org_notice_role *role)
{
    return role->urgent > 0 &&
           (role->urgent_last > told_of(told, role->role) || ORG_PLANTED(notice_repeated));
}

struct org_notice_look org_directory_notice_look(const struct org_directory *directory,
                                                 const struct org_notice *notice, int64_t now_ms)
{
    const struct directory_actor *actor = find(directory, directory_text(notice->actor));
    struct org_notice_choice choice = org_directory_notices(directory, directory_text(notice->actor));
    struct org_notice_waiting waiting = {.oldest_at = INT64_MAX, .urgent_at = now_ms};
    if (actor == NULL || choice.kind == ORG_NOTICES_NONE)
        return (struct org_notice_look){ORG_NOTICES_NONE, INT64_MAX};
    const org_noticed *last = actor_noticed(actor);
    choice.hours = notice->hours;
    choice.zone = notice->zone;
    for (size_t i = 0; i < notice->role_count; i++) {
        const struct org_notice_role *role = &notice->roles[i];
        waiting.queued += role->queued;
        if (role->oldest_at < waiting.oldest_at)
            waiting.oldest_at = role->oldest_at;
        waiting.urgent += choice.kind == ORG_NOTICES_URGENT && has_news(last, role);
    }
    if (waiting.oldest_at < actor_notices(actor)->at) /* a digest that was not wanted then is not missing */
        waiting.oldest_at = actor_notices(actor)->at;
    return org_notice_look(&choice, &waiting, last == NULL ? 0 : last->digest_at,
                           org_directory_away_until(directory, notice->actor, now_ms), now_ms);
}

/* --- deciding ------------------------------------------------------------------------------------- */

static troupe_status add_line(struct buffer *roles, const struct org_notice_role *role)
{
    char line[LINE_SIZE];
    int len = snprintf(line, sizeof(line), "%s%s %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64,
                       roles->size == 0 ? "" : "\n", role->role, role->queued, role->oldest_at, role->urgent,
                       role->urgent_last);
    return buffer_append(roles, line, (size_t)len);
}

static bool is_among(const struct org_notice *notice, const char *role)
{
    for (size_t i = 0; i < notice->role_count; i++) {
        if (strcmp(notice->roles[i].role, role) == 0)
            return true;
    }
    return false;
}

/* What is told now; of urgent messages alone, where there are new ones. */
static troupe_status write_told(const struct org_notice *notice, enum org_notices kind,
                                const org_noticed *last, struct buffer *roles)
{
    troupe_status status = TROUPE_OK;
    for (size_t i = 0; i < notice->role_count && status == TROUPE_OK; i++) {
        const struct org_notice_role *role = &notice->roles[i];
        struct org_notice_role line = {.role = role->role, .urgent_last = told_of(last, role->role)};
        if (kind == ORG_NOTICES_DIGEST || has_news(last, role)) {
            line = *role;
            if (line.urgent_last < told_of(last, role->role))
                line.urgent_last = told_of(last, role->role);
        }
        if (line.queued > 0 || line.urgent_last > 0)
            status = add_line(roles, &line);
    }
    return status;
}

/* What was told of other roles before. */
static troupe_status write_kept(const struct org_directory *directory, const struct org_notice *notice,
                                const org_noticed *last, struct buffer *roles)
{
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role line;
    size_t count = notice->role_count;
    const char *cursor = roles_of(last);
    troupe_status status = TROUPE_OK;
    while (status == TROUPE_OK && count < ORG_NOTICE_ROLES_MAX && next_line(&cursor, name, &line)) {
        if (line.urgent_last == 0 || is_among(notice, name) ||
            !directory_is_holder(directory, name, notice->actor))
            continue;
        struct org_notice_role kept = {.role = name, .urgent_last = line.urgent_last};
        status = add_line(roles, &kept);
        count++;
    }
    return status;
}

static bool are_roles_valid(const struct org_directory *directory, const struct org_notice *notice)
{
    for (size_t i = 0; i < notice->role_count; i++) {
        const struct org_notice_role *role = &notice->roles[i];
        if (role->queued == 0 || role->oldest_at < 0 || role->oldest_at > ORG_TIME_MAX_MS ||
            !directory_is_holder(directory, role->role, notice->actor))
            return false;
    }
    return true;
}

void directory_decide_notice(struct directory_decision *d)
{
    const struct org_notice *notice = &d->command->notice;
    const struct directory_actor *actor = find(d->directory, directory_text(notice->actor));
    struct buffer roles = {0};
    if (actor == NULL)
        directory_refuse(d, ORG_DIRECTORY_NO_ACTOR, notice->actor);
    else if (strcmp(d->by, notice->actor) != 0)
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, d->by);
    else if (notice->role_count > ORG_NOTICE_ROLES_MAX)
        directory_refuse(d, ORG_DIRECTORY_TOO_MANY, notice->actor);
    else if (!are_roles_valid(d->directory, notice))
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, notice->actor);
    if (d->answer->is_refused)
        return;
    struct org_notice_look look = org_directory_notice_look(d->directory, notice, d->now_ms);
    if (look.due == ORG_NOTICES_NONE)
        return;
    const org_noticed *last = actor_noticed(actor);
    d->status = write_told(notice, look.due, last, &roles);
    if (d->status == TROUPE_OK)
        d->status = write_kept(d->directory, notice, last, &roles);
    if (d->status == TROUPE_OK)
        d->status = buffer_terminate(&roles);
    org_noticed_fields fields = {.at = d->now_ms,
                                 .digest_at = look.due == ORG_NOTICES_DIGEST ? d->now_ms
                                              : last == NULL                 ? 0
                                                                             : last->digest_at,
                                 .number = last == NULL ? 1 : last->number + 1,
                                 .by = d->by,
                                 .via = d->via,
                                 .actor = notice->actor,
                                 .roles = (const char *)roles.bytes,
                                 .kind = (uint8_t)look.due};
    (void)directory_write(d, &org_noticed_type, &fields, NULL);
    buffer_done(&roles);
}

/* --- folding -------------------------------------------------------------------------------------- */

bool directory_is_noticed_fit(const struct org_directory *directory, const void *body)
{
    const org_noticed *noticed = body;
    const char *actor = troupe_flat_text(noticed, noticed->actor);
    const char *cursor = roles_of(noticed);
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role line;
    size_t count = 0;
    while (next_line(&cursor, name, &line))
        count++;
    return *cursor == '\0' && count <= ORG_NOTICE_ROLES_MAX && find(directory, actor) != NULL &&
           noticed->number == org_directory_notice_last(directory, actor) + 1 && noticed->kind > 0 &&
           noticed->kind <= ORG_NOTICES_DIGEST && noticed->at >= 0 && noticed->at <= ORG_TIME_MAX_MS &&
           noticed->digest_at >= 0 && noticed->digest_at <= ORG_TIME_MAX_MS;
}

void directory_fold_noticed(struct org_directory *directory, struct directory_block *block)
{
    const org_noticed *noticed = (const org_noticed *)(const void *)block->body;
    uint32_t index = directory_find_actor(directory, troupe_flat_text(noticed, noticed->actor));
    ASSERT(index != MAP_NONE);
    block->next = directory->actors[index].noticed;
    directory->actors[index].noticed = block;
    for (int i = 1; i < ORG_NOTICES_KEPT && block->next != NULL; i++)
        block = block->next;
    directory_free_noticed(block->next);
    block->next = NULL;
}

void directory_free_noticed(struct directory_block *last)
{
    while (last != NULL) {
        struct directory_block *before = last->next;
        free(last);
        last = before;
    }
}

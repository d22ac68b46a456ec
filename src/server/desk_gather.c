/* SPDX-License-Identifier: MIT */
/*
 * desk_gather.c: one question to all roles of an actor at once, and their answers together. All of them or
 * none: with one role missing, what the actor holds would be counted too low. A role that is just being
 * started anew is asked again a little later; one that sleeps, with nothing waiting or held, is left asleep;
 * one that is out of order is left out.
 * Part of the desk; nothing blocks.
 *
 *   roles_of --directory--> names --role_look or role_where to each--> pending 0 --> on_done
 *      ^                                                                  |
 *      +------------------- DESK_RETRY_MS, DESK_TRIES_MAX times <---------+ one did not answer
 */
#include <stdlib.h>
#include <string.h>

#include "server/desk.h"
#include "server/messages.h"

#define DIRECTORY_TIMEOUT_MS 10000
#define LOOK_TIMEOUT_MS 10000

struct desk_gather *desk_gather_new(struct desk *desk)
{
    if (desk->gather_count >= DESK_REQUESTS_MAX)
        return NULL;
    struct desk_gather *gather = calloc(1, sizeof *gather);
    if (gather == NULL)
        return NULL;
    gather->desk = desk;
    gather->next = desk->gathers;
    desk->gathers = gather;
    desk->gather_count++;
    return gather;
}

static void forget_sights(struct desk_gather *gather)
{
    gather->barred = (struct problem){0};
    for (uint32_t i = 0; i < gather->count; i++) {
        buffer_done(&gather->sights[i].entries);
        buffer_done(&gather->sights[i].json);
    }
    free(gather->sights);
    free(gather->names);
    gather->sights = NULL;
    gather->names = NULL;
    gather->count = 0;
}

void desk_gather_free(struct desk_gather *gather)
{
    forget_sights(gather);
    free(gather);
}

/* Takes a gather out of the desk's list and ends it. */
static troupe_status finish(troupe_self *self, struct desk_gather *gather, troupe_status status)
{
    struct desk *desk = gather->desk;
    struct desk_gather **place = &desk->gathers;
    while (*place != gather)
        place = &(*place)->next;
    *place = gather->next;
    desk->gather_count--;
    status = gather->on_done(self, gather, status);
    desk_gather_free(gather);
    return status;
}

static troupe_status try_later(troupe_self *self, struct desk_gather *gather, troupe_status why)
{
    forget_sights(gather);
    if (++gather->tries < DESK_TRIES_MAX && !gather->desk->is_hurried &&
        troupe_timer_start(self, DESK_RETRY_MS, 0, (uint64_t)(uintptr_t)gather, NULL) == TROUPE_OK)
        return TROUPE_OK;
    return finish(self, gather, why);
}

static troupe_status answer_came(troupe_self *self, struct desk_gather *gather)
{
    if (--gather->pending > 0)
        return TROUPE_OK;
    return gather->has_failed ? try_later(self, gather, TROUPE_NO_ACTOR) : finish(self, gather, TROUPE_OK);
}

static bool keep_sight(struct desk_sight *sight, const troupe_message *reply, const role_sight *seen)
{
    troupe_bytes entries = troupe_bytes_of(reply, seen->entries);
    troupe_bytes json = troupe_bytes_of(reply, seen->json);
    sight->total = seen->total;
    return buffer_append(&sight->entries, entries.data, entries.size) == TROUPE_OK &&
           buffer_append(&sight->json, json.data, json.size) == TROUPE_OK;
}

/* The role is out of order (role_guard.c): what is in it cannot be had, the others can. */
static void note_barred(struct desk_sight *sight, const troupe_message *reply, const denied *no)
{
    struct desk_gather *gather = sight->gather;
    sight->is_barred = true;
    if (gather->barred.kind != PROBLEM_NONE)
        return;
    problem_set(&gather->barred, (enum problem_kind)no->kind, "%s", troupe_text(reply, no->detail));
    gather->barred.retry_after_ms = no->retry_after_ms;
}

static troupe_status on_seen(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct desk_sight *sight = context;
    const role_sight *seen = status == TROUPE_OK ? role_sight_of(reply) : NULL;
    const role_knows *knows = status == TROUPE_OK ? role_knows_of(reply) : NULL;
    const denied *no = status == TROUPE_OK ? denied_of(reply) : NULL;
    if (knows != NULL)
        sight->is_known = knows->is_known;
    else if (no != NULL)
        note_barred(sight, reply, no);
    else if (seen == NULL || !keep_sight(sight, reply, seen))
        sight->gather->has_failed = true;
    return answer_came(self, sight->gather);
}

/*
 * Whether there is nothing to see in a role, so that it need not be woken. What the directory knows of a
 * sleeping role is as it was when it fell asleep; one that has woken since has an actor, and is asked. Who
 * wants to be told when something comes has to ask in any case.
 */
static bool may_sleep_on(troupe_self *self, const struct desk_gather *gather, const struct desk_sight *sight)
{
    return sight->is_quiet && gather->search == 0 && !gather->wants_wake &&
           troupe_ref_is_none(troupe_whereis(self, sight->role));
}

static troupe_status ask_role(troupe_self *self, struct desk_gather *gather, uint32_t index);

/* It slept, and has an actor now: it is asked. */
static troupe_status on_woken(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct desk_sight *sight = context;
    struct desk_gather *gather = sight->gather;
    bool is_there = status == TROUPE_OK && role_exists_of(reply) != NULL &&
                    !troupe_ref_is_none(troupe_whereis(self, sight->role));
    if (is_there && ask_role(self, gather, (uint32_t)(sight - gather->sights)) == TROUPE_OK)
        return TROUPE_OK;
    gather->has_failed = true;
    return answer_came(self, gather);
}

/* Asks one role, which is woken first when it sleeps. */
static troupe_status ask_role(troupe_self *self, struct desk_gather *gather, uint32_t index)
{
    struct desk_sight *sight = &gather->sights[index];
    troupe_ref role = troupe_whereis(self, sight->role);
    const struct desk_hours *hours = &gather->desk->hours;
    sight->gather = gather;
    if (troupe_ref_is_none(role))
        return troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), LOOK_TIMEOUT_MS, on_woken, sight,
                          role_search, .role = sight->role);
    if (gather->search != 0)
        return troupe_ask(self, role, LOOK_TIMEOUT_MS, on_seen, sight, role_where, .id = gather->search);
    return troupe_ask(self, role, LOOK_TIMEOUT_MS, on_seen, sight, role_look, .actor = gather->desk->actor,
                      .limit = gather->limit, .all = gather->all, .with_json = gather->with_json,
                      .zone = hours->zone, .from_minute = hours->from_minute, .to_minute = hours->to_minute,
                      .days = hours->days, .wants_wake = gather->wants_wake);
}

/* Makes a sight for each name, or for the one that is asked for when it is among them. */
static bool cut_names(struct desk_gather *gather, const char *text, const char *quiet)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    gather->names = strdup(text);
    gather->sights = calloc(lines, sizeof *gather->sights);
    if (gather->names == NULL || gather->sights == NULL)
        return false;
    char *rest = gather->names;
    while (*rest != '\0') {
        char *name = rest;
        rest += strcspn(rest, "\n");
        if (*rest == '\n')
            *rest++ = '\0';
        bool is_quiet = *quiet == ROLE_QUIET;
        quiet += *quiet != '\0';
        if (gather->only[0] == '\0' || strcmp(gather->only, name) == 0)
            gather->sights[gather->count++] = (struct desk_sight){.role = name, .is_quiet = is_quiet};
    }
    return true;
}

static void note_hours(struct desk *desk, const troupe_message *reply, const roles_are *are)
{
    desk->hours = (struct desk_hours){.from_minute = are->from_minute,
                                      .to_minute = are->to_minute,
                                      .days = are->days,
                                      .worker = are->worker};
    if (are->zone.size <= ORG_ZONE_NAME_LEN_MAX)
        memcpy(desk->hours.zone, troupe_text(reply, are->zone), (size_t)are->zone.size + 1);
}

static troupe_status on_roles(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct desk_gather *gather = context;
    const roles_are *are = status == TROUPE_OK ? roles_are_of(reply) : NULL;
    if (are == NULL || !cut_names(gather, troupe_text(reply, are->roles), troupe_text(reply, are->quiet)))
        return try_later(self, gather, status == TROUPE_OK ? TROUPE_NO_MEMORY : status);
    note_hours(gather->desk, reply, are);
    gather->has_failed = false;
    gather->pending =
        1; /* ours, until all are asked: the first answer cannot come before the last question */
    for (uint32_t i = 0; i < gather->count; i++) {
        if (may_sleep_on(self, gather, &gather->sights[i]))
            continue;
        if (ask_role(self, gather, i) == TROUPE_OK)
            gather->pending++;
        else
            gather->has_failed = true;
    }
    return answer_came(self, gather);
}

troupe_status desk_gather_start(troupe_self *self, struct desk_gather *gather)
{
    troupe_status status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), DIRECTORY_TIMEOUT_MS,
                                      on_roles, gather, roles_of, .actor = gather->desk->actor);
    return status == TROUPE_OK ? TROUPE_OK : try_later(self, gather, status);
}

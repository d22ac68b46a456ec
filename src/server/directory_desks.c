/* SPDX-License-Identifier: MIT */
/*
 * directory_desks.c: a desk for everybody who shows a token, made under #desks when they first do. From then
 * on it is there, or about to be started again, and found by its name: who asked one that failed asks the
 * next. Part of the directory actor; nothing blocks.
 *
 *   caller_check --desk there?--yes--> caller_known
 *        |no
 *        +--> start it under #desks --> there --> caller_known to all who waited for it
 *                  |
 *                  +-- NAME_TAKEN: a directory before this one made it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/supervision.h"

/* How long the supervisor may take: it starts one child after another. */
#define DESK_TIMEOUT_MS 60000

/* Whoever waits for its desk. */
struct directory_waiting {
    struct directory_waiting *next;
    struct directory_caller caller;
};

struct directory_desk {
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];
    struct directory_actor *directory;
    bool is_there;
    struct directory_waiting *waiting; /* not empty: it is being started */
};

static bool is_desk(const void *context, uint32_t index, const void *key)
{
    const struct directory_actor *directory = context;
    return strcmp(directory->desks[index]->actor, key) == 0;
}

static struct directory_desk *desk_new(struct directory_actor *directory, const char *actor, uint64_t hash)
{
    if (array_reserve(&directory->desks, &directory->desk_capacity, directory->desk_count + 1,
                      sizeof *directory->desks) != TROUPE_OK)
        return NULL;
    struct directory_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL || map_add(&directory->desk_map, hash, (uint32_t)directory->desk_count) != TROUPE_OK) {
        free(desk);
        return NULL;
    }
    snprintf(desk->actor, sizeof desk->actor, "%s", actor);
    desk->directory = directory;
    directory->desks[directory->desk_count++] = desk;
    return desk;
}

static troupe_status answer(troupe_self *self, const struct directory_desk *desk,
                            const struct directory_caller *caller)
{
    struct org_actor_view actor;
    troupe_status status = TROUPE_NOT_FOUND;
    if (org_directory_actor(desk->directory->org, desk->actor, &actor))
        status = troupe_reply(self, caller->asker, caller_known, .actor = desk->actor,
                              .through = caller->through, .wip_limit = actor.wip_limit,
                              .scopes = (uint8_t)caller->scopes, .is_administrator = caller->is_administrator,
                              .is_program = actor.kind == ORG_PROGRAM);
    if (status != TROUPE_OK)
        troupe_refuse(self, caller->asker, status);
    return TROUPE_OK;
}

/* The desk is there, or cannot be had now: whoever waits for it is told. */
static troupe_status on_started(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct directory_desk *desk = context;
    struct directory_waiting *waiting = desk->waiting;
    (void)reply;
    desk->waiting = NULL;
    desk->is_there = status == TROUPE_OK || status == TROUPE_NAME_TAKEN;
    while (waiting != NULL) {
        struct directory_waiting *next = waiting->next;
        if (desk->is_there)
            (void)!answer(self, desk, &waiting->caller);
        else
            troupe_refuse(self, waiting->caller.asker, status);
        free(waiting);
        waiting = next;
    }
    return TROUPE_OK;
}

static troupe_status start_desk(troupe_self *self, struct directory_desk *desk)
{
    struct directory_actor *directory = desk->directory;
    char name[DESK_NAME_SIZE];
    struct desk initial = {.ids = directory->ids, .is_hurried = directory->is_hurried};
    desk_name(desk->actor, name);
    snprintf(initial.actor, sizeof initial.actor, "%s", desk->actor);
    troupe_child_spec spec = {
        .id = desk->actor, .behaviour = &desk_behaviour, .options = {.state = &initial, .name = name}};
    troupe_status status =
        troupe_start_child(self, troupe_whereis(self, NAME_DESKS), &spec, DESK_TIMEOUT_MS, on_started, desk);
    return status == TROUPE_OK ? TROUPE_OK : on_started(self, status, NULL, desk);
}

troupe_status directory_admit(troupe_self *self, struct directory_actor *directory, const char *actor,
                              const struct directory_caller *caller)
{
    uint64_t hash = hash_bytes(&directory->hash_key, actor, strlen(actor));
    uint32_t index = map_find(&directory->desk_map, hash, is_desk, directory, actor);
    struct directory_desk *desk =
        index != MAP_NONE ? directory->desks[index] : desk_new(directory, actor, hash);
    if (desk != NULL && desk->is_there)
        return answer(self, desk, caller);
    struct directory_waiting *waiting = desk != NULL ? malloc(sizeof *waiting) : NULL;
    if (waiting == NULL) {
        troupe_refuse(self, caller->asker, TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    bool is_under_way = desk->waiting != NULL;
    *waiting = (struct directory_waiting){desk->waiting, *caller};
    desk->waiting = waiting;
    return is_under_way ? TROUPE_OK : start_desk(self, desk);
}

void directory_hurry_desks(troupe_self *self, struct directory_actor *directory)
{
    char name[DESK_NAME_SIZE];
    directory->is_hurried = true;
    for (size_t i = 0; i < directory->desk_count; i++) {
        desk_name(directory->desks[i]->actor, name);
        (void)!troupe_send(self, troupe_whereis(self, name), desk_hurry);
    }
}

void directory_desks_done(troupe_self *self, struct directory_actor *directory)
{
    for (size_t i = 0; i < directory->desk_count; i++) {
        (void)!on_started(self, TROUPE_NO_ACTOR, NULL, directory->desks[i]);
        free(directory->desks[i]);
    }
    free(directory->desks);
    map_done(&directory->desk_map);
}

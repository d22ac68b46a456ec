/* SPDX-License-Identifier: MIT */
/*
 * directory_readable.c: in which roles may an actor read every message? In its own, those in whose succession
 * it is, and those that are open. Part of the directory actor; nothing blocks.
 *
 * What else it may read, what it sent or held, is not a matter of roles: the journal finds that by who is on
 * the card.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "org/name.h"
#include "server/directory_actor.h"
#include "server/messages.h"

/* The streams gathered so far, each with its NUL, and where each begins. */
struct gathering {
    struct buffer names;
    struct buffer places; /* uint32_t */
};

static troupe_status gather(struct gathering *gathering, const char *role)
{
    uint32_t place = (uint32_t)gathering->names.size;
    troupe_status status = buffer_append(&gathering->places, &place, sizeof place);
    if (status == TROUPE_OK)
        status = buffer_append(&gathering->names, ROLE_STREAM_PREFIX, strlen(ROLE_STREAM_PREFIX));
    return status == TROUPE_OK ? buffer_append(&gathering->names, role, strlen(role) + 1) : status;
}

static bool holds(const struct directory_actor *directory, const char *actor, const char *role)
{
    const char *held;
    for (size_t i = 0; (held = org_directory_held(directory->org, actor, i)) != NULL; i++) {
        if (strcmp(held, role) == 0)
            return true;
    }
    return false;
}

/* All of them, as far as there is room. */
static troupe_status gather_all(const struct directory_actor *directory, const char *actor,
                                struct gathering *gathering)
{
    const char *role;
    uint32_t open_count = 0;
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor, personal);
    troupe_status status = gather(gathering, personal);
    for (size_t i = 0; status == TROUPE_OK && (role = org_directory_held(directory->org, actor, i)) != NULL;
         i++)
        status = gather(gathering, role);
    for (size_t i = 0; status == TROUPE_OK && open_count < READABLE_OPEN_MAX &&
                       (role = org_directory_open_role(directory->org, i, &i)) != NULL;
         i++, open_count++)
        status = gather(gathering, role);
    return status;
}

static troupe_status gather_one(const struct directory_actor *directory, const char *actor, const char *role,
                                struct gathering *gathering)
{
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor, personal);
    bool is_readable = strcmp(role, personal) == 0 || org_directory_is_open(directory->org, role) ||
                       holds(directory, actor, role);
    return is_readable ? gather(gathering, role) : TROUPE_OK;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* One a line, in the order of their bytes, as the journal wants them. */
static troupe_status write_lines(const struct gathering *gathering, struct buffer *lines)
{
    const uint32_t *places = (const uint32_t *)(const void *)gathering->places.bytes;
    size_t count = gathering->places.size / sizeof *places;
    const char **names = calloc(count > 0 ? count : 1, sizeof *names);
    troupe_status status = names != NULL ? TROUPE_OK : TROUPE_NO_MEMORY;
    for (size_t i = 0; i < count && names != NULL; i++)
        names[i] = (const char *)gathering->names.bytes + places[i];
    if (names != NULL)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count && status == TROUPE_OK; i++) {
        status = i > 0 ? buffer_append(lines, "\n", 1) : TROUPE_OK;
        if (status == TROUPE_OK)
            status = buffer_append(lines, names[i], strlen(names[i]));
    }
    free(names);
    return status == TROUPE_OK ? buffer_terminate(lines) : status;
}

troupe_status directory_answer_readable(troupe_self *self, struct directory_actor *directory,
                                        const troupe_message *message, const directory_readable *asked)
{
    struct gathering gathering = {0};
    struct buffer lines = {0};
    const char *actor = troupe_text(message, asked->actor);
    const char *role = troupe_text(message, asked->role);
    bool is_known = role[0] == '\0' || directory_entry_find(directory, role) != NULL;
    troupe_status status = role[0] == '\0' ? gather_all(directory, actor, &gathering)
                                           : gather_one(directory, actor, role, &gathering);
    if (status == TROUPE_OK)
        status = write_lines(&gathering, &lines);
    if (status == TROUPE_OK)
        status = troupe_reply(self, troupe_asker_of(message), readable_are,
                              .streams = (const char *)lines.bytes, .is_known = is_known);
    if (status != TROUPE_OK)
        troupe_refuse(self, troupe_asker_of(message), status);
    buffer_done(&gathering.names);
    buffer_done(&gathering.places);
    buffer_done(&lines);
    return TROUPE_OK;
}

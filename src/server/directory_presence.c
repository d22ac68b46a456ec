/* SPDX-License-Identifier: MIT */
/*
 * directory_presence.c: who is there now, by the calendars. What a role knows of it is part of how it is set
 * up, so it reaches the role as every other change does, also after a restart at any moment. A timer looks
 * when the next absence begins or ends. Part of the directory actor; nothing blocks.
 */
#include "server/directory_actor.h"

troupe_status directory_roles_of_actor_changed(troupe_self *self, struct directory_actor *directory,
                                               const char *actor)
{
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor, personal);
    troupe_status status = directory_role_changed(self, directory, personal);
    const char *role;
    for (size_t i = 0; status == TROUPE_OK && (role = org_directory_held(directory->org, actor, i)) != NULL;
         i++)
        status = directory_role_changed(self, directory, role);
    return status;
}

static troupe_status set_timer(troupe_self *self, struct directory_actor *directory)
{
    int64_t now = troupe_unix_ms(self);
    directory->presence_due = org_directory_presence_due(directory->org, directory->presence_at);
    if (directory->presence_timer != 0)
        troupe_timer_cancel(self, directory->presence_timer);
    directory->presence_timer = 0;
    if (directory->presence_due == INT64_MAX)
        return TROUPE_OK;
    return troupe_timer_start(self, ids_sleep_ms(directory->ids, directory->presence_due - now), 0,
                              DIRECTORY_TAG_PRESENCE, &directory->presence_timer);
}

/* What happened while no server was there, the roles do not know: whoever has absences is told of again. */
static bool has_been_away(const struct directory_actor *directory, const char *actor)
{
    struct org_calendar_view calendar;
    return org_directory_calendar(directory->org, actor, &calendar) &&
           (calendar.is_gone || calendar.absences[0] != '\0' || calendar.imported[0] != '\0');
}

troupe_status directory_look_who_is_there(troupe_self *self, struct directory_actor *directory)
{
    int64_t now = troupe_unix_ms(self);
    int64_t before = directory->presence_at;
    troupe_status status = TROUPE_OK;
    struct org_actor_view actor;
    bool is_time = before == 0 || directory->presence_due <= now;
    for (size_t i = 0; is_time && status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor);
         i++) {
        /* Both may have come since: a role may know of the beginning alone. */
        bool may_differ = before == 0 ? has_been_away(directory, actor.name)
                                      : org_directory_comes_or_goes(directory->org, actor.name, before, now);
        if (may_differ)
            status = directory_roles_of_actor_changed(self, directory, actor.name);
    }
    directory->presence_at = now;
    return status == TROUPE_OK ? set_timer(self, directory) : status;
}

troupe_status directory_calendar_changed(troupe_self *self, struct directory_actor *directory,
                                         const char *actor)
{
    troupe_status status = directory_roles_of_actor_changed(self, directory, actor);
    if (status == TROUPE_OK)
        status = directory_notices_changed(self, directory, actor);
    return status == TROUPE_OK ? set_timer(self, directory) : status;
}

/* SPDX-License-Identifier: MIT */
/*
 * directory_concerns.c: what may trouble an organisation before anything has gone wrong there: roles that
 * nobody holds or only one actor, domains that nobody sees to, and circles. Supervisors form none
 * (directory.h), but mailboxes may redirect in one, and an escalation may find nobody above but whoever
 * failed: it would stay at the root, under an alarm.
 *
 * Place: asked by the directory's actor for `troupe health`. Changes nothing. One thread.
 */
#include "org/directory_state.h"

/* Redirections that are followed: more in a row, and nobody would come to an end of them either. */
enum { REDIRECTS_LOOK_MAX = 1000 };

bool org_directory_is_vacant(const struct org_directory *directory, const char *role)
{
    struct org_directory_role view;
    struct org_calendar_view calendar;
    if (role[0] == '@')
        return !org_directory_calendar(directory, role + 1, &calendar) || calendar.is_gone;
    return org_directory_role(directory, role, &view) && view.holder_count == 0 && !view.is_team;
}

bool org_directory_works_below(const struct org_directory *directory, const char *actor, const char *role)
{
    uint32_t index = directory_find_actor(directory, actor);
    uint32_t team = directory_find_role(directory, role);
    if (index == MAP_NONE || team == MAP_NONE)
        return false;
    const struct directory_link *link = directory->actors[index].first_held;
    for (; link != NULL; link = link->next) {
        uint32_t place = link->role;
        while (place != MAP_NONE && place != team)
            place = directory->roles[place].parent;
        if (place == team)
            return true;
    }
    return false;
}

/* Where a full mailbox sends on; MAP_NONE when it does not, or to a personal role. */
static uint32_t redirect_of(const struct org_directory *directory, uint32_t index)
{
    const struct directory_role *role = &directory->roles[index];
    return role->set->overflow == ORG_OVERFLOW_REDIRECT
               ? directory_find_role(directory, role_text(role, role->set->redirect_to))
               : MAP_NONE;
}

static bool is_in_circle(const struct org_directory *directory, uint32_t index)
{
    uint32_t next = redirect_of(directory, index);
    for (int i = 0; i < REDIRECTS_LOOK_MAX && next != MAP_NONE && next != index; i++)
        next = redirect_of(directory, next);
    return next == index;
}

/* Whether anybody but this actor holds something above a role. */
static bool is_heard(const struct org_directory *directory, uint32_t index, uint32_t actor)
{
    uint32_t above = directory_supervisor(directory, index);
    for (; above != MAP_NONE; above = directory_supervisor(directory, above)) {
        const struct directory_role *role = &directory->roles[above];
        for (uint32_t i = 0; i < role->holder_count; i++) {
            if (role->holders[i].actor != actor)
                return true;
        }
    }
    return false;
}

static void look_at_role(const struct org_directory *directory, uint32_t index, org_concern_found *found,
                         void *context)
{
    const struct directory_role *role = &directory->roles[index];
    const char *name = role_name(role);
    if (org_directory_is_vacant(directory, name))
        found(context, ORG_CONCERN_VACANT, name, "");
    if (role->holder_count == 1)
        found(context, ORG_CONCERN_ALONE, name, actor_name(&directory->actors[role->holders[0].actor]));
    if (redirect_of(directory, index) != MAP_NONE && is_in_circle(directory, index))
        found(context, ORG_CONCERN_REDIRECT, name, role_text(role, role->set->redirect_to));
    for (uint32_t i = 0; i < role->holder_count && directory_supervisor(directory, index) != MAP_NONE; i++) {
        uint32_t actor = role->holders[i].actor;
        if (!is_heard(directory, index, actor))
            found(context, ORG_CONCERN_UNHEARD, name, actor_name(&directory->actors[actor]));
    }
}

void org_directory_concerns(const struct org_directory *directory, org_concern_found *found, void *context)
{
    for (uint32_t i = 0; i < directory->role_count; i++)
        look_at_role(directory, i, found, context);
    for (size_t i = 0; i < directory->domain_count; i++) {
        const struct directory_domain *domain = &directory->domains[i];
        if (org_directory_holder(directory, domain->owner, 0) == NULL ||
            org_directory_is_vacant(directory, domain->owner))
            found(context, ORG_CONCERN_UNOWNED, domain_name(domain), domain->owner);
    }
}

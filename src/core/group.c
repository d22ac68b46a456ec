/* SPDX-License-Identifier: MIT */
/*
 * group.c: see group.h. Groups are few and looked up by walking the list; members are many and found by
 * place. Order of members: by joining, but a leaver's place is taken by the last.
 */
#include "core/group.h"

#include <stdlib.h>
#include <string.h>

#include "core/extras.h"
#include "core/relief.h"
#include "core/system.h"
#include "core/trace.h"

enum {
    MEMBERS_FIRST = 8,
};

struct group {
    struct group *next;
    troupe_ref *members;
    uint32_t member_count;
    uint32_t member_capacity;
    char name[TROUPE_NAME_LEN_MAX + 1];
};

void groups_init(struct groups *groups)
{
    groups->first = NULL;
    pthread_mutex_init(&groups->lock, NULL);
}

static void group_free(struct group *group)
{
    free(group->members);
    free(group);
}

void groups_done(struct groups *groups)
{
    while (groups->first != NULL) {
        struct group *group = groups->first;
        groups->first = group->next;
        group_free(group);
    }
}

/* Under the lock, as all below that take a group. */
static struct group *find(struct groups *groups, const char *name)
{
    struct group *group = groups->first;
    while (group != NULL && strcmp(group->name, name) != 0)
        group = group->next;
    return group;
}

/* Whether the actor is in the group, by its own list, which is short. */
static bool has_joined(const struct extras *extras, const char *name)
{
    for (uint32_t i = 0; i < extras->group_count; i++)
        if (strcmp(extras->groups[i], name) == 0)
            return true;
    return false;
}

static troupe_status member_add(struct group *group, troupe_ref ref)
{
    if (group->member_count == TROUPE_GROUP_MEMBERS_MAX)
        return TROUPE_LIMIT;
    if (group->member_count == group->member_capacity) {
        uint32_t capacity = group->member_capacity == 0 ? MEMBERS_FIRST : group->member_capacity * 2;
        troupe_ref *members = realloc(group->members, capacity * sizeof *members);
        if (members == NULL)
            return TROUPE_NO_MEMORY;
        group->members = members;
        group->member_capacity = capacity;
    }
    group->members[group->member_count++] = ref;
    return TROUPE_OK;
}

/* Takes out a member, and the group with its last. */
static void member_remove(struct groups *groups, const char *name, troupe_ref ref)
{
    struct group **link = &groups->first;
    while (*link != NULL && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    struct group *group = *link;
    if (group == NULL)
        return;
    for (uint32_t i = group->member_count; i-- > 0;) { /* the young end first, and together */
        if (troupe_ref_equal(group->members[i], ref)) {
            group->members[i] = group->members[--group->member_count];
            break;
        }
    }
    if (group->member_count == 0) {
        *link = group->next;
        group_free(group);
    }
}

static struct group *find_or_make(struct groups *groups, const char *name, size_t len)
{
    struct group *group = find(groups, name);
    if (group != NULL)
        return group;
    group = calloc(1, sizeof *group);
    if (group == NULL)
        return NULL;
    memcpy(group->name, name, len + 1);
    group->next = groups->first;
    groups->first = group;
    return group;
}

troupe_status group_join(struct worker *worker, struct actor *actor, const char *name)
{
    struct groups *groups = &worker->self.context.system->groups;
    size_t len = strnlen(name, TROUPE_NAME_LEN_MAX + 1);
    if (len == 0 || len > TROUPE_NAME_LEN_MAX)
        return TROUPE_INVALID;
    struct extras *extras = extras_of(worker, actor);
    char *copy = extras == NULL ? NULL : strdup(name);
    if (copy == NULL)
        return TROUPE_NO_MEMORY;
    troupe_ref ref = actor_ref(actor);
    troupe_status status = TROUPE_NO_MEMORY;
    bool is_member = has_joined(extras, name);
    pthread_mutex_lock(&groups->lock);
    struct group *group = find_or_make(groups, name, len);
    if (group != NULL) {
        status = is_member                                           ? TROUPE_OK
                 : extras->group_count == TROUPE_GROUPS_OF_ACTOR_MAX ? TROUPE_LIMIT
                                                                     : member_add(group, ref);
        if (group->member_count == 0)
            member_remove(groups, name, ref);
    }
    pthread_mutex_unlock(&groups->lock);
    extras->groups_ref = ref;
    if (status == TROUPE_OK && !is_member)
        extras->groups[extras->group_count++] = copy;
    else
        free(copy);
    return status;
}

troupe_status troupe_join(troupe_self *self, const char *group)
{
    RUNTIME_SCOPE(self);
    return group_join(worker, self->actor, group);
}

void troupe_leave(troupe_self *self, const char *group)
{
    struct extras *extras = self->actor->extras;
    struct groups *groups = &self->context.system->groups;
    for (uint32_t i = 0; extras != NULL && i < extras->group_count; i++) {
        if (strcmp(extras->groups[i], group) != 0)
            continue;
        pthread_mutex_lock(&groups->lock);
        member_remove(groups, group, self->ref);
        pthread_mutex_unlock(&groups->lock);
        free(extras->groups[i]);
        extras->groups[i] = extras->groups[--extras->group_count];
        return;
    }
}

void group_leave_all(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    struct groups *groups = &worker->self.context.system->groups;
    if (extras == NULL || extras->group_count == 0)
        return;
    /* The ref of the life that ends, whatever the generation is now: it was joined under it. */
    troupe_ref ref = extras->groups_ref;
    pthread_mutex_lock(&groups->lock);
    for (uint32_t i = 0; i < extras->group_count; i++)
        member_remove(groups, extras->groups[i], ref);
    pthread_mutex_unlock(&groups->lock);
    for (uint32_t i = 0; i < extras->group_count; i++)
        free(extras->groups[i]);
    extras->group_count = 0;
}

troupe_ref group_pick(struct groups *groups, const char *name, uint64_t index, uint32_t *ret_size)
{
    troupe_ref ref = troupe_ref_none();
    pthread_mutex_lock(&groups->lock);
    struct group *group = find(groups, name);
    *ret_size = group == NULL ? 0 : group->member_count;
    if (*ret_size > 0)
        ref = group->members[index % *ret_size];
    pthread_mutex_unlock(&groups->lock);
    return ref;
}

troupe_ref group_pick_hash(struct groups *groups, const char *name, uint64_t hash)
{
    troupe_ref best = troupe_ref_none();
    uint64_t highest = 0;
    pthread_mutex_lock(&groups->lock);
    const struct group *group = find(groups, name);
    for (uint32_t i = 0; group != NULL && i < group->member_count; i++) {
        uint64_t weight = trace_mix(trace_mix(0, hash), group->members[i].bits);
        if (weight >= highest) {
            highest = weight;
            best = group->members[i];
        }
    }
    pthread_mutex_unlock(&groups->lock);
    return best;
}

uint32_t group_copy(struct groups *groups, const char *name, troupe_ref *ret_members, uint32_t max)
{
    pthread_mutex_lock(&groups->lock);
    struct group *group = find(groups, name);
    uint32_t count = group == NULL ? 0 : group->member_count;
    count = count < max ? count : max;
    if (count > 0)
        memcpy(ret_members, group->members, count * sizeof *ret_members);
    pthread_mutex_unlock(&groups->lock);
    return count;
}

uint32_t troupe_context_group_size(troupe_context *from, const char *group)
{
    uint32_t size;
    (void)group_pick(&from->system->groups, group, 0, &size);
    return size;
}

uint32_t troupe_broadcast_fields(troupe_context *from, const char *group, const troupe_type *type,
                                 const void *fields)
{
    uint32_t room = troupe_context_group_size(from, group);
    troupe_ref *members = malloc((room + 1) * sizeof *members);
    if (members == NULL)
        return 0;
    uint32_t count = group_copy(&from->system->groups, group, members, room);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; i++)
        taken += troupe_send_fields(from, members[i], type, fields) == TROUPE_OK;
    free(members);
    return taken;
}

/* SPDX-License-Identifier: MIT */
/*
 * group.h: the system's groups: a list of names, each with an array of refs, behind one lock. Joining is
 * rare; a router or a broadcast copies out what it needs under the lock and sends without it.
 */
#ifndef TROUPE_CORE_GROUP_H
#define TROUPE_CORE_GROUP_H

#include <pthread.h>
#include <troupe.h>

struct actor;
struct worker;
struct group;

struct groups {
    pthread_mutex_t lock;
    struct group *first;
};

void groups_init(struct groups *groups);
void groups_done(struct groups *groups);

/* Makes an actor a member; see troupe_join. */
troupe_status group_join(struct worker *worker, struct actor *actor, const char *name);

/* Ends all memberships of an actor that ends. */
void group_leave_all(struct worker *worker, struct actor *actor);

/* Member `index` modulo the size, and the size; none and 0 for an empty group. */
troupe_ref group_pick(struct groups *groups, const char *name, uint64_t index, uint32_t *ret_size);

/* The member whose number mixed with the hash comes out highest, of all; none for an empty group. */
troupe_ref group_pick_hash(struct groups *groups, const char *name, uint64_t hash);

/* Copies at most `max` members; answers how many. */
uint32_t group_copy(struct groups *groups, const char *name, troupe_ref *ret_members, uint32_t max);

#endif

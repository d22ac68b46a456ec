/* SPDX-License-Identifier: MIT */
/*
 * directory_wake.c: giving a role an actor, under the supervisor of its team, which is made when it is not
 * there. Everybody who has something for a role that sleeps asks here (role_search), so that one place knows
 * which team it belongs to. Part of the directory actor; nothing blocks.
 *
 *   wake --team has a supervisor?--no--> start it under #teams --+
 *            |yes                                                |
 *            +--> start the role under it <----------------------+--> the wakers are answered
 *                     |
 *                     +-- NO_ACTOR: the team's last role just fell asleep, and it with it: again
 *                     +-- NAME_TAKEN: it is just ending, or about to be started again: a look follows
 *
 * A role stays under the team that it was woken under until it sleeps, also when it is moved meanwhile: two
 * supervisors must never both mean to start it.
 */
#include <stdlib.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/role_actor.h"
#include "server/supervision.h"

/* How long a supervisor may take: it starts one child after another. */
#define WAKE_TIMEOUT_MS 60000
/* How often in a row a team may be gone when its role is to be started. */
#define TEAM_TRIES_MAX 10

struct directory_waker {
    struct directory_waker *next;
    troupe_asker asker;
};

/* --- those who wait --------------------------------------------------------------------------- */

static struct directory_waker *take_wakers(struct directory_entry *entry)
{
    struct directory_waker *wakers = entry->wakers;
    entry->wakers = NULL;
    return wakers;
}

static void refuse_wakers(troupe_self *self, struct directory_entry *entry)
{
    for (struct directory_waker *waker = take_wakers(entry), *next; waker != NULL; waker = next) {
        next = waker->next;
        troupe_refuse(self, waker->asker, TROUPE_NO_ACTOR);
        free(waker);
    }
}

void directory_woken(troupe_self *self, struct directory_entry *entry)
{
    for (struct directory_waker *waker = take_wakers(entry), *next; waker != NULL; waker = next) {
        next = waker->next;
        if (troupe_reply(self, waker->asker, role_exists, .is_known = true) != TROUPE_OK)
            troupe_refuse(self, waker->asker, TROUPE_NO_MEMORY);
        free(waker);
    }
}

/*
 * It could not be started. When that is so because it is just ending, or its supervisor means to start it
 * again, whoever waits goes on waiting, else asks again; and somebody looks in any case.
 */
static troupe_status not_woken(troupe_self *self, struct directory_entry *entry, troupe_status why)
{
    entry->is_waking = false;
    if (why != TROUPE_NAME_TAKEN)
        refuse_wakers(self, entry);
    return directory_note_due(entry->directory, entry, troupe_unix_ms(self) + DIRECTORY_WAKE_AGAIN_MS);
}

/* --- starting --------------------------------------------------------------------------------- */

/* The team of a role: the role above it. The root's is its own, and actors in no team have one together. */
static struct directory_entry *team_of(struct directory_actor *directory, struct directory_entry *entry)
{
    struct org_directory_role role;
    if (!org_directory_role(directory->org, entry->name, &role))
        return entry;
    const char *above = role.parent[0] != '\0' ? role.parent : role.supervisor;
    struct directory_entry *team = above[0] != '\0' ? directory_entry_of(directory, above) : NULL;
    if (team != NULL)
        return team;
    return role.is_personal ? &directory->strays : entry;
}

static troupe_status find_team(troupe_self *self, struct directory_entry *entry);

static troupe_status on_role_started(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    struct directory_entry *entry = context;
    (void)reply;
    if (status == TROUPE_NO_ACTOR && ++entry->wake_tries < TEAM_TRIES_MAX) {
        entry->team->supervisor = troupe_ref_none();
        return find_team(self, entry);
    }
    if (status != TROUPE_OK)
        return not_woken(self, entry, status);
    entry->is_waking = false;
    directory_woken(self, entry);
    return TROUPE_OK;
}

static troupe_status start_role(troupe_self *self, struct directory_entry *entry)
{
    struct role_actor initial = {.ids = entry->directory->ids};
    memcpy(initial.name, entry->name, sizeof entry->name);
    troupe_child_spec spec = {
        .id = entry->name,
        .behaviour = &role_behaviour,
        .options = {.state = &initial,
                    .name = entry->name,
                    .mailbox_len_max = ROLE_MAILBOX_LEN_MAX,
                    .mailbox_bytes_max = ROLE_MAILBOX_BYTES_MAX},
        .restart = TROUPE_RESTART_TRANSIENT,
        .is_significant = true,
        .is_forgotten = true,
    };
    troupe_status status =
        troupe_start_child(self, entry->team->supervisor, &spec, WAKE_TIMEOUT_MS, on_role_started, entry);
    if (status == TROUPE_NO_ACTOR)
        return on_role_started(self, status, NULL, entry);
    return status == TROUPE_OK ? TROUPE_OK : not_woken(self, entry, status);
}

/* --- teams ------------------------------------------------------------------------------------ */

/* The team's supervisor is there, or cannot be had now: those who wait for it go on. */
static troupe_status team_found(troupe_self *self, struct directory_entry *team, troupe_ref supervisor)
{
    struct directory_entry *entry = team->team_waiting;
    troupe_status status = TROUPE_OK;
    team->supervisor = supervisor;
    team->team_waiting = NULL;
    while (entry != NULL) {
        struct directory_entry *next = entry->next_for_team;
        troupe_status done = troupe_ref_is_none(supervisor) ? not_woken(self, entry, TROUPE_NO_ACTOR)
                                                            : start_role(self, entry);
        status = status == TROUPE_OK ? done : status;
        entry = next;
    }
    return status;
}

static troupe_status on_team_known(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    const troupe_child *child = status == TROUPE_OK ? troupe_child_of(reply) : NULL;
    return team_found(self, context, child != NULL ? child->who : troupe_ref_none());
}

static troupe_status on_team_started(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    struct directory_entry *team = context;
    if (status != TROUPE_NAME_TAKEN)
        return on_team_known(self, status, reply, team);
    /* A directory before this one made it, or it gave up and was started again. */
    status = troupe_ask(self, troupe_whereis(self, NAME_TEAMS), WAKE_TIMEOUT_MS, on_team_known, team,
                        troupe_get_childspec, .id = team->name);
    return status == TROUPE_OK ? TROUPE_OK : team_found(self, team, troupe_ref_none());
}

/* Starts the role, its team before it. */
static troupe_status find_team(troupe_self *self, struct directory_entry *entry)
{
    struct directory_entry *team = entry->team;
    if (!troupe_ref_is_none(team->supervisor))
        return start_role(self, entry);
    bool is_under_way = team->team_waiting != NULL;
    entry->next_for_team = team->team_waiting;
    team->team_waiting = entry;
    if (is_under_way)
        return TROUPE_OK;
    troupe_child_spec spec = {.id = team->name,
                              .supervisor = &supervision_team,
                              .restart = TROUPE_RESTART_TRANSIENT,
                              .is_forgotten = true};
    troupe_status status = troupe_start_child(self, troupe_whereis(self, NAME_TEAMS), &spec, WAKE_TIMEOUT_MS,
                                              on_team_started, team);
    return status == TROUPE_OK ? TROUPE_OK : team_found(self, team, troupe_ref_none());
}

/* --- from the directory ----------------------------------------------------------------------- */

troupe_status directory_wake(troupe_self *self, struct directory_entry *entry)
{
    if (entry->is_waking)
        return TROUPE_OK;
    entry->is_waking = true;
    entry->wake_tries = 0;
    if (entry->team == NULL)
        entry->team = team_of(entry->directory, entry);
    return find_team(self, entry);
}

troupe_status directory_wake_for(troupe_self *self, struct directory_entry *entry, troupe_asker asker)
{
    struct directory_waker *waker = malloc(sizeof *waker);
    if (waker == NULL) {
        troupe_refuse(self, asker, TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    waker->asker = asker;
    waker->next = entry->wakers;
    entry->wakers = waker;
    return directory_wake(self, entry);
}

void directory_wakers_done(troupe_self *self, struct directory_entry *entry)
{
    refuse_wakers(self, entry);
}

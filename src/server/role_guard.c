/* SPDX-License-Identifier: MIT */
/*
 * role_guard.c: a role that cannot live: one whose actor failed so often in a row that its team would pay for
 * another try, or whose stream cannot be read. The failure ends here: the role refuses everything, with the
 * reason, and whoever looks at the organisation sees it. After a while the actor ends in order, and the next
 * one tries again from the beginning. Part of the role actor; nothing blocks.
 *
 *   start --restarted ROLE_RESTARTS_MAX times in a row--+
 *   LOADING --the stream cannot be read-----------------+--> BARRED --ROLE_BARRED_MS--> ends; the directory
 *                                                                                        wakes the next one
 *
 * And failures on purpose, by which tests show that one that is lost in the middle of a command is not
 * noticed outside: role_step stands at every point at which an actor may be lost with something half done.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "server/messages.h"
#include "server/role_actor.h"

/* --- restarts --------------------------------------------------------------------------------- */

troupe_status role_note_start(troupe_self *self, struct role_actor *actor)
{
    uint32_t restarts = troupe_restarts(self);
    if (restarts == 0)
        return TROUPE_OK;
    fetch_add_relaxed(&actor->ids->role_restarts, 1);
    /* That it is not told is borne: the sum counts it. */
    (void)!troupe_send(self, troupe_whereis(self, NAME_DIRECTORY), role_restarted, .role = actor->name);
    if (troupe_restarts_in_row(self) < ROLE_RESTARTS_MAX)
        return TROUPE_OK;
    char reason[sizeof actor->barred];
    snprintf(reason, sizeof reason, "it failed %u times in a row", troupe_restarts_in_row(self));
    return role_bar(self, actor, reason);
}

/* --- barred ----------------------------------------------------------------------------------- */

static void refuse(troupe_self *self, const struct role_actor *actor, troupe_asker asker)
{
    struct problem problem = {0};
    uint64_t now_ns = troupe_now_ns(self);
    uint64_t left_ms = now_ns < actor->barred_until_ns ? (actor->barred_until_ns - now_ns) / 1000000 : 0;
    problem_set(&problem, PROBLEM_UNAVAILABLE, "the mailbox of %s is out of order: %s", actor->name,
                actor->barred);
    if (troupe_reply(self, asker, denied, .kind = (uint32_t)problem.kind, .detail = problem.detail,
                     .retry_after_ms = left_ms) != TROUPE_OK)
        troupe_refuse(self, asker, TROUPE_NO_MEMORY);
}

/* Also to a directory that is new. */
static troupe_status tell(troupe_self *self, const struct role_actor *actor)
{
    uint64_t now_ns = troupe_now_ns(self);
    int64_t left_ms =
        now_ns < actor->barred_until_ns ? (int64_t)((actor->barred_until_ns - now_ns) / 1000000) : 0;
    return troupe_send(self, troupe_whereis(self, NAME_DIRECTORY), role_barred, .role = actor->name,
                       .reason = actor->barred, .until = troupe_unix_ms(self) + left_ms);
}

troupe_status role_bar(troupe_self *self, struct role_actor *actor, const char *reason)
{
    snprintf(actor->barred, sizeof actor->barred, "%s", reason);
    actor->barred_until_ns = troupe_now_ns(self) + (uint64_t)ROLE_BARRED_MS * 1000000;
    while (actor->kept != NULL) {
        struct role_kept *kept = actor->kept;
        actor->kept = kept->next;
        refuse(self, actor, troupe_asker_of((const troupe_message *)(const void *)kept->message));
        free(kept);
    }
    troupe_status status = tell(self, actor);
    if (status == TROUPE_OK)
        status = troupe_timer_start(self, ROLE_BARRED_MS, 0, ROLE_TAG_BARRED, NULL);
    if (status != TROUPE_OK)
        return troupe_fail(self, status, reason);
    actor->is_counted = true;
    fetch_add_relaxed(&actor->ids->roles_barred, 1);
    return TROUPE_OK;
}

troupe_status role_barred_receive(troupe_self *self, const struct role_actor *actor,
                                  const troupe_message *message)
{
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout != NULL && timeout->tag == ROLE_TAG_BARRED)
        troupe_exit(self); /* in order: its supervisor forgets it, and the row of failures with it */
    else if (role_report_of(message) != NULL)
        (void)!tell(self, actor);
    else if (timeout == NULL)
        refuse(self, actor, troupe_asker_of(message));
    return TROUPE_OK;
}

void role_unbar(const struct role_actor *actor)
{
    if (actor->is_counted)
        fetch_sub_relaxed(&actor->ids->roles_barred, 1);
}

/* --- failures on purpose ---------------------------------------------------------------------- */

troupe_status role_step_counted(troupe_self *self, struct role_actor *actor, enum role_step step)
{
    static const char *const texts[] = {
        [ROLE_STEP_READ] = "reading its stream",    [ROLE_STEP_COMMAND] = "at a command",
        [ROLE_STEP_DECIDED] = "having decided",     [ROLE_STEP_SENT] = "having sent an append",
        [ROLE_STEP_DURABLE] = "before its answers", [ROLE_STEP_ANSWERED] = "behind its answers",
        [ROLE_STEP_DELIVER] = "at a delivery",      [ROLE_STEP_DELIVERED] = "behind a delivery",
        [ROLE_STEP_TIME] = "when time came",        [ROLE_STEP_SLEEP] = "falling asleep",
    };
    bool is_spared = actor->faults->is_sparing && troupe_restarts_in_row(self) + 1 >= ROLE_RESTARTS_MAX;
    return faults_hit(actor->faults, is_spared) ? troupe_fail(self, TROUPE_FAILED, texts[step]) : TROUPE_OK;
}

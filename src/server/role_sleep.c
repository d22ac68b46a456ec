/* SPDX-License-Identifier: MIT */
/*
 * role_sleep.c: when a role's actor ends because it has nothing to do, and what it leaves behind, so that
 * memory grows with what happens and not with how many roles there are. Part of the role actor; nothing
 * blocks.
 *
 *   OPEN --ROLE_IDLE_MS without a command, nothing under way or owed--> snapshot and summary to the journal,
 *   role_load(is_asleep, due_at) to the directory --> ends
 */
#include "journal/writer.h"
#include "server/messages.h"
#include "server/role_actor.h"
#include "server/role_summary.h"

#define NS_PER_MS 1000000u

void role_tell_waiters(troupe_self *self, struct role_actor *actor)
{
    for (uint32_t i = 0; i < actor->waiter_count; i++)
        (void)troupe_send(self, actor->waiters[i], role_stirred); /* a desk that is full looks by itself */
    actor->waiter_count = 0;
}

static uint64_t idle_ms(const struct role_actor *actor)
{
    return actor->ids->role_idle_ms != 0 ? actor->ids->role_idle_ms : ROLE_IDLE_MS;
}

troupe_status role_sleep_later(troupe_self *self, const struct role_actor *actor)
{
    return troupe_timer_start(self, idle_ms(actor), 0, ROLE_TAG_IDLE, NULL);
}

/* Whether nothing is under way, so that an actor made later would know all that this one does. */
static bool is_drained(const struct role_actor *actor)
{
    return actor->is_open && actor->flights == NULL && actor->batch.count == 0 && actor->answers == NULL &&
           actor->delivery_count == 0 && !actor->is_retrying && org_role_counts(actor->role).owed == 0 &&
           org_role_view(actor->role).is_open;
}

/*
 * Leaves a snapshot and a summary behind, tells the directory when to wake it, and ends. Whoever asks
 * meanwhile is told that there is nobody, and asks again, which makes a new actor. Timed rules survive: the
 * directory keeps the due moments of all roles. The snapshot may get lost; then the next waking reads a
 * little more.
 */
static troupe_status sleep_now(troupe_self *self, struct role_actor *actor)
{
    struct buffer state = {0};
    struct buffer summary = {0};
    role_load_fields fields = role_summary_of(actor->role, actor->last_id);
    fields.is_asleep = true;
    troupe_status status = role_summary_write(&fields, &summary);
    if (status == TROUPE_OK && actor->seq > actor->snapshot_seq)
        status = org_role_save(actor->role, &state);
    if (status == TROUPE_OK && state.size <= JOURNAL_SNAPSHOT_SIZE_MAX)
        status = troupe_send(self, troupe_whereis(self, NAME_JOURNAL), journal_snapshot_kept,
                             .stream = actor->stream, .seq = actor->seq, .state = {state.bytes, state.size},
                             .summary = {summary.bytes, summary.size});
    if (status == TROUPE_OK)
        status = troupe_send_fields(TROUPE_CONTEXT(self), troupe_whereis(self, NAME_DIRECTORY),
                                    &role_load_type, &fields);
    buffer_done(&state);
    buffer_done(&summary);
    if (status == TROUPE_OK && (status = role_step(self, actor, ROLE_STEP_SLEEP)) != TROUPE_OK)
        return status;
    if (status == TROUPE_OK) {
        role_tell_waiters(self, actor); /* who still waits looks again, and wakes it */
        troupe_exit(self);
    }
    return status == TROUPE_OK ? TROUPE_OK : role_sleep_later(self, actor);
}

void role_note_activity(troupe_self *self, struct role_actor *actor)
{
    if (actor->is_active)
        actor->active_ns = troupe_now_ns(self);
    actor->is_active = false;
}

troupe_status role_sleep_if_idle(troupe_self *self, struct role_actor *actor)
{
    role_note_activity(self, actor);
    uint64_t quiet_ms = (troupe_now_ns(self) - actor->active_ns) / NS_PER_MS;
    if (quiet_ms >= idle_ms(actor) && is_drained(actor))
        return sleep_now(self, actor);
    uint64_t wait = quiet_ms < idle_ms(actor) ? idle_ms(actor) - quiet_ms : idle_ms(actor);
    return troupe_timer_start(self, wait, 0, ROLE_TAG_IDLE, NULL);
}

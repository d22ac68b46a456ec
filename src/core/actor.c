/* SPDX-License-Identifier: MIT */
/*
 * actor.c: the beginning and the end of an actor. Beginning: a slot, state, name, then it is given to its
 * home worker. End, in this order, so that whoever is told of the end finds it complete: stop(), what it
 * owns, the generation (no more sends), the name, handles, watchers, the mailbox, memory, the slot.
 */
#include "core/actor.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/plant.h"
#include "core/extras.h"
#include "core/mailbox.h"
#include "core/monitor.h"
#include "core/overflow.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/scheduler.h"
#include "core/supervisor.h"

troupe_ref actor_ref(const struct actor *actor)
{
    uint64_t generation = load_relaxed(&actor->generation) / 2;
    return (troupe_ref){generation << TROUPE_REF_SLOT_BITS | actor->slot};
}

static troupe_status options_check(struct troupe_system *system, const troupe_behaviour *behaviour,
                                   const troupe_spawn_options *options)
{
    if (behaviour == NULL || behaviour->receive == NULL || behaviour->state_size > TROUPE_STATE_SIZE_MAX ||
        options->overflow > TROUPE_OVERFLOW_PARK || options->mailbox_len_max > TROUPE_MAILBOX_LEN_MAX ||
        options->mailbox_bytes_max > TROUPE_MAILBOX_BYTES_MAX)
        return TROUPE_INVALID;
    return load_relaxed(&system->is_stopping) ? TROUPE_STOPPING : TROUPE_OK;
}

/*
 * From free to live, or back. Release pairs with the acquire in system_find: who finds the tenant sees its
 * slot filled; who still finds the last one pushed before our last splice, or to the next tenant.
 */
static void generation_next(struct actor *actor)
{
    uint32_t generation = load_relaxed(&actor->generation) + 1;
    if (TROUPE_PLANTED(generation_kept) && generation > 3 && generation % 2 == 0)
        generation -= 2;
    store_release(&actor->generation, generation);
}

/* Fills a free slot, all but the home. */
static troupe_status slot_fill(struct worker *worker, struct actor *actor, const troupe_behaviour *behaviour,
                               const struct actor_options *options)
{
    const troupe_spawn_options *user = &options->user;
    void *state = NULL;
    if (behaviour->state_size > 0) {
        state = slab_alloc(&worker->slab, behaviour->state_size);
        if (state == NULL)
            return TROUPE_NO_MEMORY;
        if (user->state != NULL)
            memcpy(state, user->state, behaviour->state_size);
        else
            memset(state, 0, behaviour->state_size);
    }
    uint32_t len_max = user->mailbox_len_max != 0 ? user->mailbox_len_max : TROUPE_MAILBOX_LEN_DEFAULT;
    uint32_t bytes_max =
        user->mailbox_bytes_max != 0 ? user->mailbox_bytes_max : TROUPE_MAILBOX_BYTES_DEFAULT;
    actor->normal = (struct lane){0};
    memset(actor->others, 0, sizeof actor->others);
    store_relaxed(&actor->load, 0);
    store_relaxed(&actor->limit, len_max | (uint64_t)bytes_max << 32);
    store_relaxed(&actor->behaviour, behaviour);
    actor->state = state;
    actor->state_size = (uint32_t)behaviour->state_size;
    store_relaxed(&actor->overflow, (uint8_t)user->overflow);
    actor->traps_exits = false;
    store_relaxed(&actor->parked_on, 0);
    store_relaxed(&actor->is_crowded, 0);
    actor->extras = NULL;
    store_relaxed(&actor->parent, options->parent.bits);
    store_relaxed(&actor->created, fetch_add_relaxed(&worker->self.context.system->created, 1) + 1);
    store_relaxed(&actor->handled, 0);
    actor->condition = 0;
    actor->phase = ACTOR_STARTING;
    actor->is_pinned = user->own_thread;
    actor->has_started = 0;
    actor->is_supervisor = options->is_supervisor;
    actor->reason = TROUPE_OK;
    return TROUPE_OK;
}

/* Undoes slot_fill and gives the slot back. */
static void slot_clear(struct worker *worker, struct actor *actor)
{
    slab_free(&worker->slab, actor->state, actor->state_size);
    actor->state = NULL;
    actor->phase = ACTOR_FREE;
    worker_slot_return(worker, actor);
}

static troupe_status name_take(struct worker *worker, struct actor *actor, const char *name)
{
    struct extras *extras = extras_of(worker, actor);
    char *copy = extras == NULL ? NULL : strdup(name);
    if (copy == NULL)
        return TROUPE_NO_MEMORY;
    troupe_status status = registry_add(&worker->self.context.system->registry, name, actor_ref(actor));
    if (status == TROUPE_OK)
        extras->name = copy;
    else
        free(copy);
    return status;
}

/* What a supervisor's child knows of itself. */
static troupe_status child_note(struct worker *worker, struct actor *actor,
                                const struct actor_options *options)
{
    struct extras *extras = extras_of(worker, actor);
    if (extras == NULL)
        return TROUPE_NO_MEMORY;
    extras->restarts = options->restarts;
    extras->failures = options->failures;
    extras->restarts_in_row = options->restarts_in_row;
    extras->child = options->child == NULL ? NULL : strdup(options->child); /* without memory it has no id */
    return TROUPE_OK;
}

uint32_t troupe_restarts(const troupe_self *self)
{
    const struct extras *extras = self->actor->extras;
    return extras == NULL ? 0 : extras->restarts;
}

uint32_t troupe_restarts_in_row(const troupe_self *self)
{
    const struct extras *extras = self->actor->extras;
    return extras == NULL ? 0 : extras->restarts_in_row;
}

/*
 * The worker a new actor is at home at: its own thread's, or the spawner's, or for spawns from outside the
 * first: who talk begin together, and a backlog moves them apart.
 */
static troupe_status home_choose(struct worker *worker, bool own_thread, struct worker **ret_home)
{
    struct troupe_system *system = worker->self.context.system;
    if (own_thread && !system->env->is_simulated)
        return system_worker_pinned(system, ret_home);
    *ret_home = worker->index < system->worker_count ? worker : system->workers[0];
    return TROUPE_OK;
}

troupe_status actor_spawn(troupe_context *from, const troupe_behaviour *behaviour,
                          const struct actor_options *options, troupe_ref *ret_ref)
{
    struct worker *worker = context_enter(from);
    struct actor *actor = NULL;
    struct worker *home = NULL;
    /* Within: a stop that has let the last thread out is seen by the next one to come in. */
    troupe_status status = options_check(from->system, behaviour, &options->user);
    if (status == TROUPE_OK)
        status = worker_slot_take(worker, &actor);
    if (status != TROUPE_OK)
        goto leave;
    status = slot_fill(worker, actor, behaviour, options);
    if (status != TROUPE_OK) {
        actor->state_size = 0;
        slot_clear(worker, actor);
        goto leave;
    }
    generation_next(actor);
    if (options->watcher != NULL)
        status = child_note(worker, actor, options);
    if (status == TROUPE_OK && options->user.name != NULL)
        status = name_take(worker, actor, options->user.name);
    if (status == TROUPE_OK && options->user.group != NULL)
        status = group_join(worker, actor, options->user.group);
    if (status == TROUPE_OK)
        status = home_choose(worker, options->user.own_thread, &home);
    if (status != TROUPE_OK)
        goto give_back;
    if (options->watcher != NULL)
        monitor_attach(actor, options->watcher);
    *ret_ref = actor_ref(actor);
    counter_add(&worker->counters.actors_spawned, 1);
    if (system_observes(from->system, TROUPE_EVENT_SPAWNED))
        events_tell_of(worker, TROUPE_EVENT_SPAWNED, actor, *ret_ref, TROUPE_OK);
    if (home == worker)
        scheduler_spawned(worker, actor);
    else
        worker_deal(home, actor);
    goto leave;
give_back:
    group_leave_all(worker, actor);
    if (actor->extras != NULL && actor->extras->name != NULL)
        registry_remove(&from->system->registry, actor->extras->name, actor_ref(actor));
    extras_free(worker, actor);
    generation_next(actor); /* the name may have told somebody the ref */
    slot_clear(worker, actor);
leave:
    context_leave(from);
    return status;
}

troupe_ref troupe_context_spawn(troupe_context *from, const troupe_behaviour *behaviour,
                                const troupe_spawn_options *options)
{
    struct actor_options all = {0};
    if (options != NULL)
        all.user = *options;
    troupe_ref ref = troupe_ref_none();
    troupe_status status = actor_spawn(from, behaviour, &all, &ref);
    if (all.user.ret_status != NULL)
        *all.user.ret_status = status;
    return ref;
}

void actor_started(struct worker *worker, struct actor *actor)
{
    troupe_ref parent = {load_relaxed(&actor->parent)};
    if (system_observes(worker->self.context.system, TROUPE_EVENT_STARTED))
        events_tell_of(worker, TROUPE_EVENT_STARTED, actor, actor_ref(actor), TROUPE_OK);
    if (troupe_ref_is_none(parent))
        return;
    troupe_message *message = message_new(worker, &troupe_started_type, sizeof(troupe_started));
    if (message == NULL) { /* a child that nobody knows of must not be: it fails instead */
        actor_ending(actor, TROUPE_NO_MEMORY);
        return;
    }
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_STARTED;
    ((troupe_started *)(void *)(message + 1))->who = actor_ref(actor);
    post_unbounded(worker, parent, message);
}

void actor_ending(struct actor *actor, troupe_status reason)
{
    if (actor->phase == ACTOR_ENDING)
        return;
    actor->phase = ACTOR_ENDING;
    actor->reason = (uint8_t)reason;
}

/*
 * What is left becomes dead letters. Kept as NOTIFIED if a notice is under way: its arrival finds the
 * slot's next tenant, or none.
 */
static void mailbox_empty(struct worker *worker, struct actor *actor)
{
    if (load_relaxed(&actor->arrived) != NULL)
        mailbox_splice(worker, actor,
                       MAILBOX_NOTIFIED); /* the generation is new: all of it is dead letters */
    for (uint32_t i = 0; i < LANE_COUNT; i++) {
        struct lane *lane = actor_lane(actor, i);
        while (lane->first != NULL) {
            troupe_message *message = lane->first;
            lane->first = message->next;
            post_dead_letter(worker, message_to(actor, message), message, TROUPE_DEAD_ENDED);
        }
    }
}

void actor_end(struct worker *worker, struct actor *actor)
{
    struct troupe_system *system = worker->self.context.system;
    troupe_status reason = (troupe_status)actor->reason;
    worker_act_for(worker, actor);
    bool is_pinned = actor->is_pinned;
    if (actor->has_started && load_relaxed(&actor->behaviour)->stop != NULL)
        load_relaxed(&actor->behaviour)->stop(worker->seat, reason);
    if (actor->is_supervisor)
        supervisor_done(worker, actor->state);
    resource_release_all(worker, actor);
    troupe_ref ref = actor_ref(actor);
    if (load_relaxed(&actor->arrived) != NULL)
        mailbox_splice(worker, actor, MAILBOX_NOTIFIED);
    if (actor_lane(actor, TROUPE_CLASS_SYSTEM)->first != NULL)
        monitor_accept_all(worker, actor);
    if (actor->extras != NULL)
        timers_end(worker, actor);
    generation_next(actor);
    if (actor->extras != NULL && actor->extras->name != NULL &&
        !(TROUPE_PLANTED(name_kept) && !actor->has_started))
        registry_remove(&system->registry, actor->extras->name, ref);
    if (!TROUPE_PLANTED(group_kept))
        group_leave_all(worker, actor);
    monitor_tell_all(worker, actor, reason);
    if (system_observes(system, TROUPE_EVENT_ENDED))
        events_tell_of(worker, TROUPE_EVENT_ENDED, actor, ref, reason);
    overflow_release(worker, actor, true);
    extras_free(worker, actor);
    mailbox_empty(worker, actor);
    counter_add(&worker->counters.actors_ended, 1);
    if (reason != TROUPE_OK && reason != TROUPE_SHUTDOWN)
        counter_add(&worker->counters.actors_failed, 1);
    slot_clear(worker, actor);
    if (is_pinned && worker->is_pinned)
        system_worker_unpin(worker);
}

troupe_ref troupe_self_ref(const troupe_self *self)
{
    return actor_ref(self->actor);
}

void *troupe_state(troupe_self *self)
{
    return self->actor->state;
}

troupe_status troupe_become(troupe_self *self, const troupe_behaviour *behaviour)
{
    if (behaviour == NULL || behaviour->receive == NULL || behaviour->state_size > self->actor->state_size)
        return TROUPE_INVALID;
    store_relaxed(&self->actor->behaviour, behaviour);
    return TROUPE_OK;
}

void troupe_exit(troupe_self *self)
{
    actor_ending(self->actor, TROUPE_OK);
}

troupe_status troupe_fail(troupe_self *self, troupe_status reason, const char *text)
{
    troupe_status status = reason == TROUPE_OK || reason == TROUPE_UNEXPECTED ? TROUPE_FAILED : reason;
    RUNTIME_SCOPE(self);
    struct extras *extras = extras_of(worker, self->actor);
    if (extras != NULL && text != NULL) {
        size_t len = strnlen(text, TROUPE_REASON_TEXT_MAX);
        memcpy(extras->why, text, len);
        extras->why[len] = '\0';
    }
    actor_ending(self->actor, status);
    return status;
}

troupe_message *actor_shutdown_new(struct worker *worker)
{
    return message_new(worker, &troupe_shutdown_request_type, sizeof(troupe_shutdown_request));
}

void actor_shutdown_post(struct worker *worker, troupe_ref who, troupe_status reason, troupe_message *message)
{
    message->message_class = reason == TROUPE_KILLED ? TROUPE_CLASS_SYSTEM : TROUPE_CLASS_NORMAL;
    message->flags = MESSAGE_SHUTDOWN;
    ((troupe_shutdown_request *)(void *)(message + 1))->reason = (uint32_t)reason;
    post_unbounded(worker, who, message);
}

troupe_status troupe_context_shutdown(troupe_context *from, troupe_ref who, troupe_status reason)
{
    struct worker *worker = context_enter(from);
    troupe_message *message = actor_shutdown_new(worker);
    if (message != NULL)
        actor_shutdown_post(worker, who, reason, message);
    context_leave(from);
    return message != NULL ? TROUPE_OK : TROUPE_NO_MEMORY;
}

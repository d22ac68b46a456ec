/* SPDX-License-Identifier: MIT */
/*
 * extras.c: see extras.h. The handle table grows by doubling; freed entries are chained and get a new
 * generation.
 */
#include "core/extras.h"

#include <stdlib.h>
#include <string.h>

#include "base/plant.h"
#include "core/debt.h"
#include "core/events.h"
#include "core/monitor.h"
#include "core/post.h"
#include "core/stash.h"

enum {
    HANDLES_FIRST = 4,
};

struct extras *extras_of(struct worker *worker, struct actor *actor)
{
    if (actor->extras != NULL)
        return actor->extras;
    struct extras *extras = slab_alloc(&worker->slab, sizeof *extras);
    if (extras == NULL)
        return NULL;
    memset(extras, 0, sizeof *extras);
    extras->handle_free = HANDLES_MAX;
    actor->extras = extras;
    return extras;
}

/* Doubles the table and chains the new half. */
static troupe_status handles_grow(struct worker *worker, struct extras *extras)
{
    uint32_t capacity = extras->handle_capacity == 0 ? HANDLES_FIRST : extras->handle_capacity * 2;
    if (extras->handle_capacity >= HANDLES_MAX)
        return TROUPE_LIMIT;
    struct handle *handles = slab_alloc(&worker->slab, capacity * sizeof *handles);
    if (handles == NULL)
        return TROUPE_NO_MEMORY;
    if (extras->handle_capacity > 0)
        memcpy(handles, extras->handles, extras->handle_capacity * sizeof *handles);
    for (uint32_t i = capacity; i-- > extras->handle_capacity;) {
        handles[i] = (struct handle){.generation = 1, .u.next_free = extras->handle_free};
        extras->handle_free = i;
    }
    slab_free(&worker->slab, extras->handles, extras->handle_capacity * sizeof *handles);
    extras->handles = handles;
    extras->handle_capacity = capacity;
    return TROUPE_OK;
}

troupe_status handle_new(struct worker *worker, struct actor *actor, enum handle_kind kind, uint64_t *ret_id,
                         struct handle **ret_handle)
{
    struct extras *extras = extras_of(worker, actor);
    if (extras == NULL)
        return TROUPE_NO_MEMORY;
    if (extras->handle_free == HANDLES_MAX) {
        troupe_status status = handles_grow(worker, extras);
        if (status != TROUPE_OK)
            return status;
    }
    uint32_t index = extras->handle_free;
    struct handle *handle = &extras->handles[index];
    extras->handle_free = handle->u.next_free;
    extras->handle_count++;
    extras->handle_counts[kind]++;
    handle->kind = kind;
    handle->is_link = handle->is_in_ring = false;
    memset(&handle->u, 0, sizeof handle->u);
    *ret_id = (uint64_t)handle->generation << 32 | (index + 1);
    *ret_handle = handle;
    return TROUPE_OK;
}

struct handle *handle_find(struct actor *actor, enum handle_kind kind, uint64_t id)
{
    struct extras *extras = actor->extras;
    uint32_t index = (uint32_t)id - 1;
    if (extras == NULL || index >= extras->handle_capacity)
        return NULL;
    struct handle *handle = &extras->handles[index];
    bool is_it = handle->generation == id >> 32 || TROUPE_PLANTED(handle_reused);
    return handle->kind == kind && is_it ? handle : NULL;
}

void handle_drop(struct actor *actor, uint64_t id)
{
    struct extras *extras = actor->extras;
    uint32_t index = (uint32_t)id - 1;
    struct handle *handle = &extras->handles[index];
    extras->handle_counts[handle->kind]--;
    handle->kind = HANDLE_FREE;
    handle->generation = handle->generation == UINT32_MAX ? 1 : handle->generation + 1;
    handle->u.next_free = extras->handle_free;
    extras->handle_free = index;
    extras->handle_count--;
}

static void handle_cancel(struct worker *worker, struct actor *actor, struct handle *handle, uint64_t id)
{
    switch ((enum handle_kind)handle->kind) {
    case HANDLE_FREE:
    case HANDLE_ASK: /* its timer: timers_end */
    case HANDLE_TIMER:
    case HANDLE_KINDS:
        break;
    case HANDLE_MONITOR:
        if (!handle->is_link) /* a link's other side hears of our end, and forgets it then */
            monitor_end(worker, actor, handle->u.peer, id);
        break;
    case HANDLE_SUBSCRIPTION:
        events_forget(worker->self.context.system, handle->u.peer);
        break;
    case HANDLE_WATCH:
        watch_end(worker, actor, handle->u.fd);
        break;
    case HANDLE_SIGNAL:
        signal_end(worker, actor, id);
        break;
    }
}

void timers_end(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    uint32_t left = extras->handle_counts[HANDLE_ASK] + extras->handle_counts[HANDLE_TIMER];
    for (uint32_t i = 0; left > 0; i++) {
        struct handle *handle = &extras->handles[i];
        if (handle->kind != HANDLE_ASK && handle->kind != HANDLE_TIMER)
            continue;
        timer_cancel(worker, handle->u.timer);
        left--;
    }
}

void extras_free(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    if (extras == NULL)
        return;
    for (uint32_t i = 0; i < extras->handle_capacity && extras->handle_count > 0; i++) {
        struct handle *handle = &extras->handles[i];
        if (handle->kind == HANDLE_FREE)
            continue;
        uint64_t id = (uint64_t)handle->generation << 32 | (i + 1);
        handle_cancel(worker, actor, handle, id);
        handle_drop(actor, id);
    }
    slab_free(&worker->slab, extras->handles, extras->handle_capacity * sizeof *extras->handles);
    if (!TROUPE_PLANTED(stash_lost))
        stash_bury(worker, actor);
    debts_refuse(worker, actor);
    free(extras->path);
    free(extras->name);
    free(extras->child);
    slab_free(&worker->slab, extras, sizeof *extras);
    actor->extras = NULL;
}

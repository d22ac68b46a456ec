/* SPDX-License-Identifier: MIT */
/* monitor.c: see monitor.h for the block's way. */
#include "core/monitor.h"

#include <string.h>

#include "base/plant.h"
#include "core/extras.h"
#include "core/mailbox.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/waits.h"

#define TROUPE_DEMONITOR_FIELDS(F) F(u64, monitor)
TROUPE_MESSAGE(troupe_demonitor_request, TROUPE_DEMONITOR_FIELDS)

enum {
    LINK_MONITOR = 0, /* what a link's block has for the number of a monitor: links go by who is linked */
    /* A troupe_down with an empty text. */
    DOWN_SIZE = sizeof(troupe_down) + 1,
};

static troupe_message *down_new(struct worker *worker, size_t text_size)
{
    troupe_message *message = message_new(worker, &troupe_down_type, (uint32_t)(DOWN_SIZE + text_size));
    if (message == NULL)
        return NULL;
    memset(message + 1, 0, message->size);
    troupe_down *down = (troupe_down *)(void *)(message + 1);
    down->why = (troupe_span){sizeof *down, (uint32_t)text_size};
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_MONITOR;
    return message;
}

void monitor_answer(struct worker *worker, troupe_message *message, troupe_status reason, const char *why)
{
    troupe_down *down = (troupe_down *)(void *)(message + 1);
    size_t text_size = strlen(why);
    troupe_message *larger = text_size > 0 ? down_new(worker, text_size) : NULL;
    if (larger != NULL) {
        troupe_down *copy = (troupe_down *)(void *)(larger + 1);
        copy->who = down->who;
        copy->monitor = down->monitor;
        memcpy((char *)copy + copy->why.offset, why, text_size);
        larger->sender = message->sender;
        message_dispose(worker, message);
        message = larger;
        down = copy;
    }
    troupe_ref watcher = message->sender;
    down->reason = (uint32_t)reason;
    message->flags = MESSAGE_DOWN;
    message->sender = down->who;
    message->sent_ms = worker->now_ms; /* the block is as old as the monitor */
    message->ask = 0;
    post_unbounded(worker, watcher, message);
}

void monitor_accept(struct worker *worker, struct actor *actor, troupe_message *message)
{
    struct extras *extras = extras_of(worker, actor);
    if (extras == NULL) {
        monitor_answer(worker, message, TROUPE_NO_MEMORY, "");
        return;
    }
    message->next = extras->watchers;
    extras->watchers = message;
}

void monitor_forget(struct worker *worker, struct actor *actor, troupe_message *message)
{
    uint64_t monitor = ((const troupe_demonitor_request *)troupe_body(message))->monitor;
    troupe_message **link = actor->extras == NULL ? NULL : &actor->extras->watchers;
    while (link != NULL && *link != NULL) {
        troupe_message *watcher = *link;
        const troupe_down *down = troupe_body(watcher);
        if (down->monitor == monitor && troupe_ref_equal(watcher->sender, message->sender)) {
            *link = watcher->next;
            message_dispose(worker, watcher);
            break;
        }
        link = &watcher->next;
    }
    message_dispose(worker, message);
}

void monitor_accept_all(struct worker *worker, struct actor *actor)
{
    struct lane *lane = actor_lane(actor, TROUPE_CLASS_SYSTEM);
    troupe_message *message = lane->first;
    *lane = (struct lane){0};
    while (message != NULL) {
        troupe_message *next = message->next;
        if (message->flags == MESSAGE_MONITOR || message->flags == MESSAGE_DEMONITOR ||
            message->flags == MESSAGE_LINK) {
            counter_add(&worker->counters.handled, 1);
            if (message->flags == MESSAGE_LINK)
                monitor_link_accept(worker, actor, message);
            else if (message->flags == MESSAGE_MONITOR)
                monitor_accept(worker, actor, message);
            else
                monitor_forget(worker, actor, message);
        } else {
            lane_push(lane, message);
        }
        message = next;
    }
}

void monitor_tell_all(struct worker *worker, struct actor *actor, troupe_status reason)
{
    struct extras *extras = actor->extras;
    if (extras == NULL)
        return;
    const char *why = waits_failure_text(actor, reason);
    troupe_message *message = extras->watchers;
    extras->watchers = NULL;
    while (message != NULL) {
        troupe_message *next = message->next;
        monitor_answer(worker, message, reason, why);
        message = next;
    }
}

troupe_status monitor_prepare(struct worker *worker, struct actor *actor, troupe_message **ret_message,
                              uint64_t *ret_monitor)
{
    troupe_message *message = down_new(worker, 0);
    if (message == NULL)
        return TROUPE_NO_MEMORY;
    struct handle *handle;
    troupe_status status = handle_new(worker, actor, HANDLE_MONITOR, ret_monitor, &handle);
    if (status != TROUPE_OK) {
        message_dispose(worker, message);
        return status;
    }
    ((troupe_down *)(void *)(message + 1))->monitor = *ret_monitor;
    message->sender = actor_ref(actor);
    *ret_message = message;
    return TROUPE_OK;
}

void monitor_attach(struct actor *actor, troupe_message *message)
{
    ((troupe_down *)(void *)(message + 1))->who = actor_ref(actor);
    message->next = actor->extras->watchers;
    actor->extras->watchers = message;
}

troupe_status monitor_start(struct worker *worker, struct actor *actor, troupe_ref who, uint64_t *ret_monitor)
{
    troupe_message *message;
    uint64_t id;
    troupe_status status = monitor_prepare(worker, actor, &message, &id);
    if (status != TROUPE_OK)
        return status;
    handle_find(actor, HANDLE_MONITOR, id)->u.peer = who.bits;
    ((troupe_down *)(void *)(message + 1))->who = who;
    post_unbounded(worker, who, message);
    *ret_monitor = id;
    return TROUPE_OK;
}

void monitor_end(struct worker *worker, struct actor *actor, uint64_t peer, uint64_t id)
{
    troupe_message *message =
        message_new(worker, &troupe_demonitor_request_type, sizeof(troupe_demonitor_request));
    if (message == NULL)
        return; /* the block stays with the watched until it ends; its notice will find no handle */
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_DEMONITOR;
    message->sender = actor_ref(actor);
    ((troupe_demonitor_request *)(void *)(message + 1))->monitor = id;
    post_unbounded(worker, (troupe_ref){peer}, message);
}

/* The actor's link to `peer`; NULL: none. */
static struct handle *link_find(struct actor *actor, troupe_ref peer, uint64_t *ret_id)
{
    struct extras *extras = actor->extras;
    for (uint32_t i = 0; extras != NULL && i < extras->handle_capacity; i++) {
        struct handle *handle = &extras->handles[i];
        if (handle->kind == HANDLE_MONITOR && handle->is_link && handle->u.peer == peer.bits) {
            *ret_id = (uint64_t)handle->generation << 32 | (i + 1);
            return handle;
        }
    }
    return NULL;
}

struct handle *monitor_find(struct actor *actor, const troupe_down *down, uint64_t *ret_id)
{
    *ret_id = down->monitor;
    if (down->monitor == LINK_MONITOR)
        return link_find(actor, down->who, ret_id);
    return handle_find(actor, HANDLE_MONITOR, down->monitor);
}

/* The block that tells `watcher` of the end of `watched`, to which it is linked. */
static troupe_message *link_block(struct worker *worker, troupe_ref watcher, troupe_ref watched)
{
    troupe_message *message = down_new(worker, 0);
    if (message == NULL)
        return NULL;
    troupe_down *down = (troupe_down *)(void *)(message + 1);
    down->monitor = LINK_MONITOR;
    down->who = watched;
    message->sender = watcher;
    return message;
}

/* This side's half: a handle, so that the other's end is heard. */
static troupe_status link_half(struct worker *worker, struct actor *actor, troupe_ref peer)
{
    uint64_t id;
    struct handle *handle;
    troupe_status status = handle_new(worker, actor, HANDLE_MONITOR, &id, &handle);
    if (status != TROUPE_OK)
        return status;
    handle->is_link = true;
    handle->u.peer = peer.bits;
    return TROUPE_OK;
}

void monitor_link_drop(struct worker *worker, struct actor *actor, troupe_ref peer)
{
    uint64_t id;
    if (link_find(actor, peer, &id) == NULL)
        return;
    handle_drop(actor, id);
    for (troupe_message **link = &actor->extras->watchers; *link != NULL; link = &(*link)->next) {
        troupe_message *block = *link;
        if (((const troupe_down *)troupe_body(block))->monitor == LINK_MONITOR &&
            troupe_ref_equal(block->sender, peer)) {
            *link = block->next;
            message_dispose(worker, block);
            return;
        }
    }
}

void monitor_link_accept(struct worker *worker, struct actor *actor, troupe_message *message)
{
    uint64_t id;
    troupe_ref peer = message->sender;
    if (message->flags == MESSAGE_UNLINK || link_find(actor, peer, &id) != NULL) {
        if (message->flags == MESSAGE_UNLINK)
            monitor_link_drop(worker, actor, peer);
        message_dispose(worker, message);
        return;
    }
    troupe_status status = link_half(worker, actor, peer);
    message->flags = MESSAGE_MONITOR;
    if (TROUPE_PLANTED(link_one_way))
        message_dispose(worker, message);
    else
        monitor_accept(worker, actor, message);
    if (status != TROUPE_OK) /* a link that holds one way only must not be */
        actor_ending(actor, status);
}

troupe_status troupe_link(troupe_self *self, troupe_ref who)
{
    RUNTIME_SCOPE(self);
    uint64_t id;
    if (troupe_ref_equal(who, self->ref) || link_find(self->actor, who, &id) != NULL)
        return TROUPE_OK;
    troupe_message *ours = link_block(worker, who, self->ref);
    troupe_message *theirs = link_block(worker, self->ref, who);
    troupe_status status = ours == NULL || theirs == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    if (status == TROUPE_OK)
        status = link_half(worker, self->actor, who);
    if (status != TROUPE_OK) {
        if (ours != NULL)
            message_dispose(worker, ours);
        if (theirs != NULL)
            message_dispose(worker, theirs);
        return status;
    }
    ours->next = self->actor->extras->watchers;
    self->actor->extras->watchers = ours;
    theirs->flags = MESSAGE_LINK;
    post_unbounded(worker, who, theirs);
    return TROUPE_OK;
}

void troupe_unlink(troupe_self *self, troupe_ref who)
{
    static const troupe_type type = {.name = "troupe_link", .id = 3, .version = 1, .is_fixed = true};
    RUNTIME_SCOPE(self);
    uint64_t id;
    if (link_find(self->actor, who, &id) == NULL)
        return;
    monitor_link_drop(worker, self->actor, who);
    troupe_message *message = message_new(worker, &type, 0);
    if (message == NULL)
        return; /* the other keeps its half, which nothing of ours will end */
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_UNLINK;
    message->sender = self->ref;
    post_unbounded(worker, who, message);
}

void troupe_trap_exits(troupe_self *self, bool traps)
{
    self->actor->traps_exits = traps;
}

troupe_status troupe_monitor(troupe_self *self, troupe_ref who, uint64_t *ret_monitor)
{
    RUNTIME_SCOPE(self);
    return monitor_start(worker, self->actor, who, ret_monitor);
}

troupe_status troupe_monitor_name(troupe_self *self, const char *name, uint64_t *ret_monitor)
{
    RUNTIME_SCOPE(self);
    return monitor_start(worker, self->actor, registry_find(&self->context.system->registry, name),
                         ret_monitor);
}

void troupe_demonitor(troupe_self *self, uint64_t monitor)
{
    RUNTIME_SCOPE(self);
    struct handle *handle = handle_find(self->actor, HANDLE_MONITOR, monitor);
    if (handle == NULL)
        return;
    uint64_t peer = handle->u.peer;
    handle_drop(self->actor, monitor);
    monitor_end(worker, self->actor, peer, monitor);
}

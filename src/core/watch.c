/* SPDX-License-Identifier: MIT */
/*
 * watch.c: see watch.h. Lock order: watches.lock is a leaf, nothing else is taken while it is held but
 * heaps of the own worker.
 */
#include "core/watch.h"

#include <stdlib.h>
#include <string.h>

#include "core/extras.h"
#include "core/post.h"
#include "core/relief.h"

enum {
    WATCHES_FIRST = 64,
    WATCHED_FD_MAX = 1 << 20, /* descriptors from here on cannot be watched */
};

troupe_status watches_init(struct watches *watches)
{
    watches->entries = NULL;
    watches->entry_count = 0;
    pthread_mutex_init(&watches->lock, NULL);
    return TROUPE_OK;
}

void watches_done(struct watches *watches)
{
    free(watches->entries);
    watches->entries = NULL;
}

/* The entry of a descriptor, the table grown to hold it; NULL: no memory. Under the lock. */
static struct watch_entry *entry_of(struct watches *watches, int fd)
{
    uint32_t count = watches->entry_count == 0 ? WATCHES_FIRST : watches->entry_count;
    while (count <= (uint32_t)fd)
        count *= 2;
    if (count > watches->entry_count) {
        struct watch_entry *entries = realloc(watches->entries, count * sizeof *entries);
        if (entries == NULL)
            return NULL;
        memset(entries + watches->entry_count, 0, (count - watches->entry_count) * sizeof *entries);
        watches->entries = entries;
        watches->entry_count = count;
    }
    return &watches->entries[fd];
}

/* A notice to be filled when the descriptor is ready. */
static troupe_message *notice_new(struct worker *worker, troupe_ref owner, uint64_t handle, int fd)
{
    troupe_message *notice = message_new(worker, &troupe_ready_type, sizeof(troupe_ready));
    if (notice == NULL)
        return NULL;
    notice->message_class = TROUPE_CLASS_SYSTEM;
    notice->flags = MESSAGE_READY;
    notice->ask = handle;
    notice->sender = owner; /* tells it from a notice of a later owner of the descriptor */
    ((troupe_ready *)(void *)(notice + 1))->fd = fd;
    return notice;
}

/* Makes a free entry the actor's. Under the lock. */
static troupe_status entry_claim(struct worker *worker, struct actor *actor, struct watch_entry *entry,
                                 int fd)
{
    uint64_t id;
    struct handle *handle;
    troupe_status status = handle_new(worker, actor, HANDLE_WATCH, &id, &handle);
    if (status != TROUPE_OK)
        return status;
    troupe_message *notice = notice_new(worker, actor_ref(actor), id, fd);
    if (notice == NULL) {
        handle_drop(actor, id);
        return TROUPE_NO_MEMORY;
    }
    handle->u.fd = fd;
    *entry =
        (struct watch_entry){.owner = actor_ref(actor), .handle = id, .notice = notice, .worker = worker};
    fetch_add_relaxed(&worker->watch_count, 1);
    return TROUPE_OK;
}

/* Makes the entry free. Under the lock. */
static void entry_clear(struct worker *worker, struct watch_entry *entry, int fd)
{
    const struct env_ops *ops = worker->self.context.system->env->ops;
    ops->poller_unwatch(entry->worker->poller, fd);
    fetch_sub_relaxed(&entry->worker->watch_count, 1);
    if (entry->notice != NULL)
        slab_free(&worker->slab, entry->notice, sizeof(troupe_message) + sizeof(troupe_ready));
    *entry = (struct watch_entry){0};
}

troupe_status troupe_watch(troupe_self *self, int fd, uint32_t events)
{
    RUNTIME_SCOPE(self);
    struct watches *watches = &worker->self.context.system->watches;
    if (fd < 0 || fd >= WATCHED_FD_MAX || events == 0 ||
        (events & ~(uint32_t)(TROUPE_READY_READ | TROUPE_READY_WRITE)))
        return TROUPE_INVALID;
    pthread_mutex_lock(&watches->lock);
    struct watch_entry *entry = entry_of(watches, fd);
    troupe_status status = entry == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    bool is_new = entry != NULL && troupe_ref_is_none(entry->owner);
    if (status == TROUPE_OK && is_new)
        status = entry_claim(worker, self->actor, entry, fd);
    else if (status == TROUPE_OK && !troupe_ref_equal(entry->owner, actor_ref(self->actor)))
        status = TROUPE_INVALID;
    if (status == TROUPE_OK) {
        status = worker->self.context.system->env->ops->poller_watch(entry->worker->poller, fd, events);
        if (status != TROUPE_OK && is_new) {
            handle_drop(self->actor, entry->handle);
            entry_clear(worker, entry, fd);
        }
    }
    pthread_mutex_unlock(&watches->lock);
    return status;
}

void troupe_unwatch(troupe_self *self, int fd)
{
    RUNTIME_SCOPE(self);
    struct watches *watches = &worker->self.context.system->watches;
    uint64_t id = 0;
    pthread_mutex_lock(&watches->lock);
    if (fd >= 0 && (uint32_t)fd < watches->entry_count &&
        troupe_ref_equal(watches->entries[fd].owner, actor_ref(self->actor))) {
        id = watches->entries[fd].handle;
        entry_clear(worker, &watches->entries[fd], fd);
    }
    pthread_mutex_unlock(&watches->lock);
    if (id != 0)
        handle_drop(self->actor, id);
}

void watch_end(struct worker *worker, struct actor *actor, int fd)
{
    struct watches *watches = &worker->self.context.system->watches;
    (void)actor;
    pthread_mutex_lock(&watches->lock);
    entry_clear(worker, &watches->entries[fd], fd);
    pthread_mutex_unlock(&watches->lock);
}

void watch_report(struct worker *worker, const struct env_ready *ready, uint32_t ready_count)
{
    struct watches *watches = &worker->self.context.system->watches;
    for (uint32_t i = 0; i < ready_count; i++) {
        troupe_message *notice = NULL;
        troupe_ref owner = troupe_ref_none();
        if (ready[i].fd == load_relaxed(&worker->self.context.system->signals.fd)) {
            signal_report(worker);
            continue;
        }
        pthread_mutex_lock(&watches->lock);
        struct watch_entry *entry =
            (uint32_t)ready[i].fd < watches->entry_count ? &watches->entries[ready[i].fd] : NULL;
        if (entry != NULL && !troupe_ref_is_none(entry->owner) && entry->worker == worker) {
            notice = entry->notice;
            owner = entry->owner;
            entry->notice = NULL;
            if (notice == NULL)
                entry->missed |= ready[i].events;
            else
                ((troupe_ready *)(void *)(notice + 1))->events = ready[i].events;
        }
        pthread_mutex_unlock(&watches->lock);
        if (notice != NULL) {
            notice->sent_ms = worker->now_ms; /* the block is as old as the watch */
            post_unbounded(worker, owner, notice);
        }
    }
}

bool watch_notice_back(struct worker *worker, troupe_message *message)
{
    struct watches *watches = &worker->self.context.system->watches;
    troupe_ready *body = (troupe_ready *)(void *)(message + 1);
    troupe_ref owner = troupe_ref_none();
    bool is_kept = false;
    pthread_mutex_lock(&watches->lock);
    struct watch_entry *entry = &watches->entries[body->fd];
    if (entry->handle == message->ask && troupe_ref_equal(entry->owner, message->sender)) {
        is_kept = true;
        if (entry->missed != 0) {
            owner = entry->owner;
            body->events = entry->missed;
            entry->missed = 0;
        } else {
            entry->notice = message;
        }
    }
    pthread_mutex_unlock(&watches->lock);
    if (!troupe_ref_is_none(owner)) {
        message->sent_ms = worker->now_ms;
        post_unbounded(worker, owner, message);
    }
    return is_kept;
}

troupe_status troupe_fd_read(troupe_self *self, int fd, void *buffer, size_t size, size_t *ret_size)
{
    struct env *env = self->context.system->env;
    return size == 0 ? TROUPE_INVALID : env->ops->fd_read(env, fd, buffer, size, ret_size);
}

troupe_status troupe_fd_write(troupe_self *self, int fd, const void *buffer, size_t size, size_t *ret_size)
{
    struct env *env = self->context.system->env;
    return size == 0 ? TROUPE_INVALID : env->ops->fd_write(env, fd, buffer, size, ret_size);
}

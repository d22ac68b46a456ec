/* SPDX-License-Identifier: MIT */
/*
 * signal.c: see signal.h. Lock order: signals.lock, then those that posting a notice takes. Notices are
 * posted under the lock, so that a watch that has ended is told nothing.
 */
#include "core/signal.h"

#include <stdlib.h>

#include "base/assert.h"
#include "core/extras.h"
#include "core/post.h"
#include "core/relief.h"

struct signal_watch {
    struct signal_watch *next;
    int number;
    troupe_ref owner;
    uint64_t handle;
    troupe_message *reserve; /* invariant 3; NULL once it was needed */
};

void signals_init(struct signals *signals)
{
    *signals = (struct signals){.fd = -1};
    pthread_mutex_init(&signals->lock, NULL);
}

void signals_done(struct signals *signals)
{
    ASSERT(signals->watches == NULL && signals->env == NULL);
    pthread_mutex_destroy(&signals->lock);
}

static const struct env_ops *ops_of(struct worker *worker)
{
    return worker->self.context.system->env->ops;
}

static bool is_watched(const struct signals *signals, int number)
{
    for (const struct signal_watch *watch = signals->watches; watch != NULL; watch = watch->next)
        if (watch->number == number)
            return true;
    return false;
}

/* Begins to hear of signals: invariant 1. Under the lock. */
static troupe_status open_env(struct worker *worker, struct signals *signals)
{
    struct troupe_system *system = worker->self.context.system;
    struct worker *first = system->workers[0];
    troupe_status status = ops_of(worker)->signals_new(system->env, &signals->env);
    if (status != TROUPE_OK)
        return status;
    int fd = ops_of(worker)->signals_fd(signals->env);
    if (fd < 0) /* simulated: nothing comes by itself */
        return TROUPE_OK;
    store_relaxed(&signals->fd, fd); /* before it can be reported; the poller orders the two */
    fetch_add_relaxed(&first->watch_count, 1);
    status = ops_of(worker)->poller_watch(first->poller, fd, TROUPE_READY_READ);
    if (status == TROUPE_OK)
        return TROUPE_OK;
    fetch_sub_relaxed(&first->watch_count, 1);
    store_relaxed(&signals->fd, -1);
    ops_of(worker)->signals_free(signals->env);
    signals->env = NULL;
    return status;
}

/* Hears of signals no more. Under the lock. */
static void close_env(struct worker *worker, struct signals *signals)
{
    struct worker *first = worker->self.context.system->workers[0];
    int fd = load_relaxed(&signals->fd);
    if (fd >= 0) {
        ops_of(worker)->poller_unwatch(first->poller, fd);
        fetch_sub_relaxed(&first->watch_count, 1);
        store_relaxed(&signals->fd, -1);
    }
    ops_of(worker)->signals_free(signals->env);
    signals->env = NULL;
}

static troupe_message *notice_new(struct worker *worker)
{
    troupe_message *notice = message_new(worker, &troupe_signal_type, sizeof(troupe_signal));
    if (notice != NULL) {
        notice->message_class = TROUPE_CLASS_SYSTEM;
        notice->flags = MESSAGE_SIGNAL;
    }
    return notice;
}

static void watch_free(struct worker *worker, struct signal_watch *watch)
{
    if (watch->reserve != NULL)
        message_dispose(worker, watch->reserve);
    free(watch);
}

/* Makes a watch that is on no list yet, and its handle. */
static troupe_status watch_new(struct worker *worker, struct actor *actor, int number,
                               struct signal_watch **ret_watch)
{
    struct signal_watch *watch = calloc(1, sizeof *watch);
    struct handle *handle;
    if (watch == NULL)
        return TROUPE_NO_MEMORY;
    watch->number = number;
    watch->owner = actor_ref(actor);
    watch->reserve = notice_new(worker);
    troupe_status status = watch->reserve == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    if (status == TROUPE_OK)
        status = handle_new(worker, actor, HANDLE_SIGNAL, &watch->handle, &handle);
    if (status == TROUPE_OK)
        *ret_watch = watch;
    else
        watch_free(worker, watch);
    return status;
}

/* Puts a watch on the list, and the environment to listen for it. Under the lock. */
static troupe_status watch_add(struct worker *worker, struct signals *signals, struct signal_watch *watch)
{
    troupe_status status = TROUPE_OK;
    if (signals->watch_count == TROUPE_SIGNAL_WATCHES_MAX)
        return TROUPE_LIMIT;
    if (signals->env == NULL)
        status = open_env(worker, signals);
    if (status == TROUPE_OK && !is_watched(signals, watch->number))
        status = ops_of(worker)->signals_listen(signals->env, watch->number);
    if (status == TROUPE_OK) {
        watch->next = signals->watches;
        signals->watches = watch;
        signals->watch_count++;
    } else if (signals->env != NULL && signals->watches == NULL) {
        close_env(worker, signals);
    }
    return status;
}

/* Takes a watch off the list and frees it. Under the lock. */
static void watch_remove(struct worker *worker, struct signals *signals, struct signal_watch **at)
{
    struct signal_watch *watch = *at;
    *at = watch->next;
    signals->watch_count--;
    if (!is_watched(signals, watch->number))
        ops_of(worker)->signals_unlisten(signals->env, watch->number);
    if (signals->watches == NULL)
        close_env(worker, signals);
    watch_free(worker, watch);
}

/* Where the list names this actor's watch of a number. Under the lock. */
static struct signal_watch **watch_find(struct signals *signals, troupe_ref owner, int number)
{
    struct signal_watch **at = &signals->watches;
    while (*at != NULL && ((*at)->number != number || !troupe_ref_equal((*at)->owner, owner)))
        at = &(*at)->next;
    return at;
}

troupe_status troupe_signal_watch(troupe_self *self, int number)
{
    RUNTIME_SCOPE(self);
    struct signals *signals = &self->context.system->signals;
    struct signal_watch *watch = NULL;
    troupe_status status = TROUPE_OK;
    pthread_mutex_lock(&signals->lock);
    if (*watch_find(signals, actor_ref(self->actor), number) == NULL) {
        status = watch_new(worker, self->actor, number, &watch);
        if (status == TROUPE_OK)
            status = watch_add(worker, signals, watch);
    }
    pthread_mutex_unlock(&signals->lock);
    if (status != TROUPE_OK && watch != NULL) {
        handle_drop(self->actor, watch->handle);
        watch_free(worker, watch);
    }
    return status;
}

void troupe_signal_unwatch(troupe_self *self, int number)
{
    RUNTIME_SCOPE(self);
    struct signals *signals = &self->context.system->signals;
    uint64_t handle = 0;
    pthread_mutex_lock(&signals->lock);
    struct signal_watch **at = watch_find(signals, actor_ref(self->actor), number);
    if (*at != NULL) {
        handle = (*at)->handle;
        watch_remove(worker, signals, at);
    }
    pthread_mutex_unlock(&signals->lock);
    if (handle != 0)
        handle_drop(self->actor, handle);
}

void signal_end(struct worker *worker, struct actor *actor, uint64_t handle)
{
    struct signals *signals = &worker->self.context.system->signals;
    pthread_mutex_lock(&signals->lock);
    struct signal_watch **at = &signals->watches;
    while ((*at)->handle != handle || !troupe_ref_equal((*at)->owner, actor_ref(actor)))
        at = &(*at)->next;
    watch_remove(worker, signals, at);
    pthread_mutex_unlock(&signals->lock);
}

/* Tells one watcher. Under the lock. */
static void tell(struct worker *worker, struct signal_watch *watch, struct env_signal signal)
{
    troupe_message *notice = notice_new(worker);
    if (notice == NULL) {
        notice = watch->reserve;
        watch->reserve = NULL;
    } else if (watch->reserve == NULL) {
        watch->reserve = notice_new(worker);
    }
    if (notice == NULL)
        return; /* told of an earlier one, it will see the state of things anyway */
    notice->ask = watch->handle;
    *(troupe_signal *)(void *)(notice + 1) = (troupe_signal){signal.number, signal.sender};
    post_unbounded(worker, watch->owner, notice);
}

static void deliver(struct worker *worker, struct signals *signals, struct env_signal signal)
{
    for (struct signal_watch *watch = signals->watches; watch != NULL; watch = watch->next)
        if (watch->number == signal.number)
            tell(worker, watch, signal);
}

void signal_report(struct worker *worker)
{
    struct signals *signals = &worker->self.context.system->signals;
    struct env_signal signal;
    pthread_mutex_lock(&signals->lock);
    while (signals->env != NULL && ops_of(worker)->signals_read(signals->env, &signal))
        deliver(worker, signals, signal);
    /* It was watched before, so this needs nothing that could be missing. */
    if (signals->env != NULL)
        (void)ops_of(worker)->poller_watch(worker->poller, load_relaxed(&signals->fd), TROUPE_READY_READ);
    pthread_mutex_unlock(&signals->lock);
}

troupe_status troupe_sim_signal(troupe_system *system, int number, int sender)
{
    if (!system->env->is_simulated)
        return TROUPE_INVALID;
    struct signals *signals = &system->signals;
    struct worker *worker = context_enter(&system->context);
    pthread_mutex_lock(&signals->lock);
    bool is_heard = is_watched(signals, number);
    if (is_heard)
        deliver(worker, signals, (struct env_signal){number, sender});
    pthread_mutex_unlock(&signals->lock);
    context_leave(&system->context);
    return is_heard ? TROUPE_OK : TROUPE_NOT_FOUND;
}

/* SPDX-License-Identifier: MIT */
/* events.c: see events.h. Nothing here is on a message's way while nobody listens. */
#include "core/events.h"

#include <string.h>

#include "core/extras.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/tracer.h"
#include "core/waits.h"

/* Who is to be told, and of how many missed. */
struct addressee {
    uint64_t key;
    uint64_t handle;
    troupe_ref who;
    uint64_t missed;
};

/* An event about to be told: its type and fields, which have a place for what was missed. */
struct telling {
    const troupe_type *type;
    void *fields;
    uint64_t *missed;
    troupe_ref about;
};

void events_init(struct events *events)
{
    pthread_mutex_init(&events->lock, NULL);
}

void events_done(struct events *events)
{
    pthread_mutex_destroy(&events->lock);
}

/* What all subscriptions listen to. Under the lock. */
static void observed_update(struct troupe_system *system)
{
    uint32_t kinds = system->events.traced;
    for (uint32_t i = 0; i < TROUPE_SUBSCRIPTIONS_MAX; i++)
        if (system->events.list[i].key != 0)
            kinds |= system->events.list[i].kinds;
    store_relaxed(&system->observed, kinds); /* who sees it late tells late */
}

void events_trace(struct troupe_system *system, uint32_t kinds)
{
    pthread_mutex_lock(&system->events.lock);
    system->events.traced = kinds;
    observed_update(system);
    pthread_mutex_unlock(&system->events.lock);
}

static struct subscription *find(struct events *events, uint64_t key)
{
    for (uint32_t i = 0; i < TROUPE_SUBSCRIPTIONS_MAX; i++)
        if (events->list[i].key == key)
            return &events->list[i];
    return NULL;
}

/* Picks out who listens and has room, and takes the room; the others have missed one more. */
static uint32_t addressees(struct events *events, uint32_t kind, troupe_ref about,
                           struct addressee ret_addressees[TROUPE_SUBSCRIPTIONS_MAX])
{
    uint32_t count = 0;
    pthread_mutex_lock(&events->lock);
    for (uint32_t i = 0; i < TROUPE_SUBSCRIPTIONS_MAX; i++) {
        struct subscription *subscription = &events->list[i];
        bool is_own_end = kind == TROUPE_EVENT_ENDED && troupe_ref_equal(subscription->who, about);
        if (subscription->key == 0 || (subscription->kinds & kind) == 0 || is_own_end)
            continue;
        if (subscription->pending == subscription->pending_max) {
            subscription->missed++;
            continue;
        }
        subscription->pending++;
        ret_addressees[count++] = (struct addressee){subscription->key, subscription->handle,
                                                     subscription->who, subscription->missed};
        subscription->missed = 0;
    }
    pthread_mutex_unlock(&events->lock);
    return count;
}

/* There was no memory to tell: the room is free again, and all of it is missed. */
static void not_told(struct events *events, const struct addressee *addressee)
{
    pthread_mutex_lock(&events->lock);
    struct subscription *subscription = find(events, addressee->key);
    if (subscription != NULL) {
        subscription->pending--;
        subscription->missed += addressee->missed + 1;
    }
    pthread_mutex_unlock(&events->lock);
}

static void tell(struct worker *worker, uint32_t kind, const struct telling *telling)
{
    struct events *events = &worker->self.context.system->events;
    struct addressee to[TROUPE_SUBSCRIPTIONS_MAX];
    uint32_t count = addressees(events, kind, telling->about, to);
    for (uint32_t i = 0; i < count; i++) {
        *telling->missed = to[i].missed;
        size_t size = troupe_flat_size(telling->type, telling->fields);
        troupe_message *message =
            size > TROUPE_BODY_SIZE_MAX ? NULL : message_new(worker, telling->type, (uint32_t)size);
        if (message == NULL) {
            not_told(events, &to[i]);
            continue;
        }
        troupe_flat_write(telling->type, telling->fields, message + 1, size);
        message->flags = MESSAGE_EVENT;
        message->ask = to[i].handle;
        post_aside(worker, to[i].who, message);
    }
}

void events_tell(struct worker *worker, const struct occurrence *occurrence)
{
    if (worker->tracer != NULL)
        tracer_happened(worker, occurrence);
    troupe_event_fields fields = {
        .kind = (uint32_t)occurrence->kind,
        .reason = (uint32_t)occurrence->reason,
        .who = occurrence->who,
        .supervisor = occurrence->supervisor,
        .created = occurrence->created,
        .at_ns = env_now_ns(worker->self.context.system->env),
        .behaviour = occurrence->behaviour,
        .name = occurrence->name,
        .child = occurrence->child,
        .why = occurrence->why,
    };
    const struct telling telling = {&troupe_event_type, &fields, &fields.missed, occurrence->who};
    tell(worker, occurrence->kind, &telling);
}

void events_tell_of(struct worker *worker, troupe_event_kind kind, struct actor *actor, troupe_ref ref,
                    troupe_status reason)
{
    const struct extras *extras = actor->extras;
    const struct occurrence occurrence = {
        .kind = kind,
        .reason = reason,
        .who = ref,
        .supervisor = {load_relaxed(&actor->parent)},
        .created = load_relaxed(&actor->created),
        .behaviour = load_relaxed(&actor->behaviour)->name,
        .name = extras == NULL ? NULL : extras->name,
        .child = extras == NULL ? NULL : extras->child,
        .why = waits_failure_text(actor, reason),
    };
    events_tell(worker, &occurrence);
}

/* Errands between the runtime's own parts that end in nothing are no loss to anybody. */
static bool is_told_of(const troupe_message *message)
{
    switch (message_kind(message)) {
    case MESSAGE_USER:
    case MESSAGE_REPLY:
    case MESSAGE_TIMER:
    case MESSAGE_READY:
    case MESSAGE_SIGNAL:
    case MESSAGE_DOWN:
    case MESSAGE_SHUTDOWN:
    case MESSAGE_STARTED:
    case MESSAGE_CHILD:
        return true;
    case MESSAGE_REFUSAL:
    case MESSAGE_MONITOR:
    case MESSAGE_DEMONITOR:
    case MESSAGE_LINK:
    case MESSAGE_UNLINK:
    case MESSAGE_EVENT: /* invariant 3 */
    case MESSAGE_PARK:
    case MESSAGE_UNPARK:
    case MESSAGE_CROWDED:
    case MESSAGE_FORGET:
    case MESSAGE_CHASE:
    case MESSAGE_BUILDING:
        break;
    }
    return false;
}

void events_tell_dead(struct worker *worker, troupe_ref to, const troupe_message *message,
                      troupe_dead_reason reason)
{
    if (!is_told_of(message))
        return;
    troupe_dead_letter_fields fields = {
        .reason = (uint32_t)reason,
        .type = message->type,
        .size = message->size,
        .message_class = message->message_class,
        .sender = message->sender,
        .target = to,
        .at_ns = env_now_ns(worker->self.context.system->env),
        .type_name = troupe_type_name(message->type),
    };
    const struct telling telling = {&troupe_dead_letter_type, &fields, &fields.missed, to};
    tell(worker, TROUPE_EVENT_DEAD_LETTER, &telling);
}

void events_taken(struct troupe_system *system, uint64_t key)
{
    pthread_mutex_lock(&system->events.lock);
    struct subscription *subscription = find(&system->events, key);
    ASSERT(subscription != NULL && subscription->pending > 0);
    subscription->pending--;
    pthread_mutex_unlock(&system->events.lock);
}

void events_forget(struct troupe_system *system, uint64_t key)
{
    pthread_mutex_lock(&system->events.lock);
    struct subscription *subscription = find(&system->events, key);
    if (subscription != NULL)
        *subscription = (struct subscription){0};
    observed_update(system);
    pthread_mutex_unlock(&system->events.lock);
}

/* Fills a free place; the key, or 0: there is none. */
static uint64_t listen(struct troupe_system *system, troupe_ref who, uint64_t handle, uint32_t kinds,
                       uint32_t pending_max)
{
    uint64_t key = 0;
    pthread_mutex_lock(&system->events.lock);
    struct subscription *subscription = find(&system->events, 0);
    if (subscription != NULL) {
        key = ++system->events.last_key;
        *subscription = (struct subscription){
            .key = key, .handle = handle, .who = who, .kinds = kinds, .pending_max = pending_max};
        observed_update(system);
    }
    pthread_mutex_unlock(&system->events.lock);
    return key;
}

troupe_status troupe_subscribe(troupe_self *self, uint32_t kinds, uint32_t pending_max,
                               uint64_t *ret_subscription)
{
    if (kinds == 0 || (kinds & ~TROUPE_EVENT_ALL) != 0 || pending_max > TROUPE_EVENTS_PENDING_MAX)
        return TROUPE_INVALID;
    RUNTIME_SCOPE(self);
    uint64_t id;
    struct handle *handle;
    troupe_status status = handle_new(worker, self->actor, HANDLE_SUBSCRIPTION, &id, &handle);
    if (status != TROUPE_OK)
        return status;
    uint32_t room = pending_max != 0 ? pending_max : TROUPE_EVENTS_PENDING_DEFAULT;
    handle->u.peer = listen(worker->self.context.system, actor_ref(self->actor), id, kinds, room);
    if (handle->u.peer == 0) {
        handle_drop(self->actor, id);
        return TROUPE_LIMIT;
    }
    if (ret_subscription != NULL)
        *ret_subscription = id;
    return TROUPE_OK;
}

void troupe_unsubscribe(troupe_self *self, uint64_t subscription)
{
    RUNTIME_SCOPE(self);
    struct handle *handle = handle_find(self->actor, HANDLE_SUBSCRIPTION, subscription);
    if (handle == NULL)
        return;
    events_forget(worker->self.context.system, handle->u.peer);
    handle_drop(self->actor, subscription);
}

const char *troupe_event_text(troupe_event_kind kind)
{
    switch (kind) {
    case TROUPE_EVENT_SPAWNED:
        return "spawned";
    case TROUPE_EVENT_STARTED:
        return "started";
    case TROUPE_EVENT_ENDED:
        return "ended";
    case TROUPE_EVENT_RESTARTED:
        return "restarted";
    case TROUPE_EVENT_GAVE_UP:
        return "gave up";
    case TROUPE_EVENT_OVERFLOW_BEGAN:
        return "overflow began";
    case TROUPE_EVENT_OVERFLOW_ENDED:
        return "overflow ended";
    case TROUPE_EVENT_DEAD_LETTER:
        return "dead letter";
    }
    return "unknown";
}

/* SPDX-License-Identifier: MIT */
/* chase.c: see chase.h for the way of a chase. Each step runs on the home worker of the actor it comes to. */
#include "core/chase.h"

#include "core/extras.h"
#include "core/post.h"
#include "core/waits.h"

/* What travels; the message's sender and ask are those of the ask that is about to time out. */
struct chase {
    uint32_t budget;
    uint32_t hops;
    uint64_t path[CHASE_HOPS_MAX]; /* whom it came through */
};

static const troupe_type chase_type = {.name = "troupe_chase", .id = 5, .version = 1, .is_fixed = true};

static void send(struct worker *worker, troupe_ref to, troupe_ref origin, uint64_t ask,
                 const struct chase *chase)
{
    bool is_there = system_find(worker->self.context.system, to) != NULL;
    troupe_message *message = is_there ? message_new(worker, &chase_type, sizeof *chase) : NULL;
    if (message == NULL)
        return; /* then the timeout comes without its path */
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_CHASE;
    message->sender = origin;
    message->ask = ask;
    *(struct chase *)(void *)(message + 1) = *chase;
    post_unbounded(worker, to, message);
}

void chase_begin(struct worker *worker, struct actor *actor, troupe_ref to, uint64_t ask)
{
    const struct chase chase = {.budget = CHASE_BUDGET};
    send(worker, to, actor_ref(actor), ask, &chase);
}

static bool has_ref(const uint64_t *refs, uint32_t count, uint64_t ref)
{
    for (uint32_t i = 0; i < count; i++)
        if (refs[i] == ref)
            return true;
    return false;
}

/* Whom the actor has asked, or rests on: each once. */
static uint32_t targets_of(const struct actor *actor, uint64_t ret_targets[CHASE_ASKS_MAX])
{
    const struct extras *extras = actor->extras;
    uint32_t looks = extras == NULL ? 0 : extras->handle_capacity;
    uint64_t parked_on = load_relaxed(&actor->parked_on);
    uint32_t count = 0;
    if (parked_on != 0)
        ret_targets[count++] = parked_on;
    looks = looks < CHASE_LOOKS_MAX ? looks : CHASE_LOOKS_MAX;
    for (uint32_t i = 0; i < looks && count < CHASE_ASKS_MAX; i++) {
        const struct handle *handle = &extras->handles[i];
        if (handle->kind == HANDLE_ASK && !has_ref(ret_targets, count, handle->to.bits))
            ret_targets[count++] = handle->to.bits;
    }
    return count;
}

/* It is back: the ring is kept for the timeout, if the ask is still open. */
static void back(struct worker *worker, struct actor *actor, const struct chase *chase, uint64_t ask)
{
    struct handle *handle = handle_find(actor, HANDLE_ASK, ask);
    if (handle == NULL)
        return;
    handle->is_in_ring = true;
    waits_path_keep(worker, actor, actor_ref(actor), chase->path, chase->hops);
}

/* One more hop, to all whom the actor has asked. */
static void pass_on(struct worker *worker, const struct actor *actor, struct chase *chase, troupe_ref origin,
                    uint64_t ask)
{
    uint64_t targets[CHASE_ASKS_MAX];
    uint32_t count = targets_of(actor, targets);
    chase->path[chase->hops++] = actor_ref(actor).bits;
    if (count == 0 || chase->budget < count)
        return;
    chase->budget = chase->budget / count - 1;
    for (uint32_t i = 0; i < count; i++)
        if (!has_ref(chase->path, chase->hops, targets[i]))
            send(worker, (troupe_ref){targets[i]}, origin, ask, chase);
}

void chase_came(struct worker *worker, struct actor *actor, troupe_message *message)
{
    struct chase chase = *(const struct chase *)troupe_body(message);
    troupe_ref origin = message->sender;
    uint64_t ask = message->ask;
    counter_add(&worker->counters.handled, 1);
    message_dispose(worker, message);
    if (troupe_ref_equal(origin, actor_ref(actor)))
        back(worker, actor, &chase, ask);
    else if (chase.hops < CHASE_HOPS_MAX)
        pass_on(worker, actor, &chase, origin, ask);
}

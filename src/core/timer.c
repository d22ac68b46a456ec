/* SPDX-License-Identifier: MIT */
/*
 * timer.c: see timer.h. A timer due at t hangs at the level of the highest bit group in which t and the
 * wheel's now differ, in the slot that t has there. So all of level 0 is due before anything of level 1,
 * and within a level the lowest occupied slot is next. When now reaches the beginning of a slot of a higher
 * level, its timers are hung again, lower. Lists are first in, first out, which the spreading keeps: timers
 * due in the same millisecond fire in the order they were started on one worker. That is no promise to users,
 * so the simulator shuffles them.
 */
#include "core/timer.h"

#include "base/assert.h"
#include "base/plant.h"
#include "core/extras.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/sim.h"

enum {
    NS_PER_MS = 1000000,
};

static void wheel_insert(struct wheel *wheel, struct timer *timer)
{
    uint64_t differ = timer->due_ms ^ wheel->now_ms;
    uint32_t level = differ == 0 ? 0 : (63u - (uint32_t)__builtin_clzll(differ)) / WHEEL_BITS;
    ASSERT(level < WHEEL_LEVELS);
    uint32_t slot = (uint32_t)(timer->due_ms >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
    struct wheel_slot *list = &wheel->slots[level][slot];
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)slot;
    timer->next = NULL;
    timer->previous = list->last;
    if (list->last == NULL)
        list->first = timer;
    else
        list->last->next = timer;
    list->last = timer;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

static void wheel_remove(struct wheel *wheel, struct timer *timer)
{
    struct wheel_slot *list = &wheel->slots[timer->level][timer->slot];
    if (timer->previous == NULL)
        list->first = timer->next;
    else
        timer->previous->next = timer->next;
    if (timer->next == NULL)
        list->last = timer->previous;
    else
        timer->next->previous = timer->previous;
    if (list->first == NULL)
        wheel->occupied[timer->level] &= ~(UINT64_C(1) << timer->slot);
}

/* The next occupied slot and when it begins; false when the wheel is empty. */
static bool wheel_next(const struct wheel *wheel, uint32_t *ret_level, uint32_t *ret_slot, uint64_t *ret_ms)
{
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] == 0)
            continue;
        uint32_t slot = (uint32_t)__builtin_ctzll(wheel->occupied[level]);
        uint64_t above = wheel->now_ms >> ((level + 1) * WHEEL_BITS) << ((level + 1) * WHEEL_BITS);
        *ret_level = level;
        *ret_slot = slot;
        *ret_ms = above + ((uint64_t)slot << (level * WHEEL_BITS));
        return true;
    }
    return false;
}

uint64_t wheel_next_ms(const struct wheel *wheel)
{
    uint32_t level;
    uint32_t slot;
    uint64_t ms;
    return wheel_next(wheel, &level, &slot, &ms) ? ms : UINT64_MAX;
}

/* Takes the whole list of a slot. */
static struct timer *slot_take(struct wheel *wheel, uint32_t level, uint32_t slot)
{
    struct timer *first = wheel->slots[level][slot].first;
    wheel->slots[level][slot] = (struct wheel_slot){0};
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    return first;
}

static void fire(struct worker *worker, struct timer *timer)
{
    uint32_t pending = TIMER_PENDING;
    /* Decides against timer_cancel on the owner's worker: one of the two gets PENDING. */
    if (!atomic_compare_exchange_strong(&timer->state, &pending, TIMER_FIRED)) {
        message_dispose(worker, &timer->message);
        return;
    }
    timer->message.sent_ms = worker->now_ms;
    post_unbounded(worker, timer->owner, &timer->message);
}

void wheel_advance(struct worker *worker, uint64_t now_ms)
{
    struct wheel *wheel = &worker->wheel;
    uint32_t level;
    uint32_t slot;
    uint64_t ms;
    while (wheel_next(wheel, &level, &slot, &ms) && ms <= now_ms) {
        wheel->now_ms = ms > wheel->now_ms ? ms : wheel->now_ms;
        struct timer *timer = slot_take(wheel, level, slot);
        if (UNLIKELY(worker->is_simulated) && level == 0)
            timer = sim_shuffled(worker->self.context.system->sim, timer);
        while (timer != NULL) {
            struct timer *next = timer->next;
            if (level == 0)
                fire(worker, timer);
            else
                wheel_insert(wheel, timer);
            timer = next;
        }
    }
    wheel->now_ms = now_ms > wheel->now_ms ? now_ms : wheel->now_ms;
}

/* When `after_ms` from this moment is over: rounded up, so never early. */
static uint64_t due_ms(struct worker *worker, uint64_t after_ms)
{
    uint64_t now_ns = env_now_ns(worker->self.context.system->env);
    uint64_t due = (now_ns + NS_PER_MS - 1) / NS_PER_MS + after_ms;
    return due > worker->wheel.now_ms ? due : worker->wheel.now_ms;
}

troupe_status timer_new(struct worker *worker, troupe_ref owner, uint64_t handle, uint64_t after_ms,
                        uint64_t every_ms, uint64_t tag, bool is_ask, struct timer **ret_timer)
{
    struct timer *timer = slab_alloc(&worker->slab, sizeof *timer);
    if (timer == NULL)
        return TROUPE_NO_MEMORY;
    *timer = (struct timer){
        .message =
            {
                .type = troupe_timeout_type.id,
                .version = troupe_timeout_type.version,
                .size = sizeof(troupe_timeout),
                .message_class = TROUPE_CLASS_SYSTEM,
                .flags = MESSAGE_TIMER,
                .ask = handle,
            },
        .body = {.timer = handle, .tag = tag},
        .owner = owner,
        .due_ms = due_ms(worker, after_ms),
        .every_ms = every_ms,
        .worker = (uint16_t)worker->index,
        .is_ask = is_ask,
    };
    wheel_insert(&worker->wheel, timer);
    *ret_timer = timer;
    return TROUPE_OK;
}

void timer_cancel(struct worker *worker, struct timer *timer)
{
    uint32_t pending = TIMER_PENDING;
    if (timer->worker != worker->index) {
        atomic_compare_exchange_strong(&timer->state, &pending, TIMER_CANCELLED); /* see fire */
        return;
    }
    if (load_relaxed(&timer->state) == TIMER_PENDING) {
        wheel_remove(&worker->wheel, timer);
        message_dispose(worker, &timer->message);
    }
}

void timer_again(struct worker *worker, struct timer *timer)
{
    uint64_t now_ms = due_ms(worker, 0);
    uint64_t due = timer->due_ms + timer->every_ms;
    if (TROUPE_PLANTED(periodic_stopped) && timer->worker != worker->index)
        due += TROUPE_TIMER_MS_MAX;
    timer->due_ms = due > now_ms ? due : now_ms;
    timer->worker = (uint16_t)worker->index;
    store_relaxed(&timer->state, TIMER_PENDING);
    wheel_insert(&worker->wheel, timer);
}

void wheel_done(struct worker *worker)
{
    uint32_t level;
    uint32_t slot;
    uint64_t ms;
    while (wheel_next(&worker->wheel, &level, &slot, &ms)) {
        struct timer *timer = slot_take(&worker->wheel, level, slot);
        while (timer != NULL) {
            struct timer *next = timer->next;
            message_dispose(worker, &timer->message);
            timer = next;
        }
    }
}

troupe_status troupe_timer_start(troupe_self *self, uint64_t after_ms, uint64_t every_ms, uint64_t tag,
                                 uint64_t *ret_timer)
{
    if (after_ms > TROUPE_TIMER_MS_MAX || every_ms > TROUPE_TIMER_MS_MAX)
        return TROUPE_INVALID;
    RUNTIME_SCOPE(self);
    uint64_t id;
    struct handle *handle;
    troupe_status status = handle_new(worker, self->actor, HANDLE_TIMER, &id, &handle);
    if (status != TROUPE_OK)
        return status;
    status = timer_new(worker, actor_ref(self->actor), id, after_ms, every_ms, tag, false, &handle->u.timer);
    if (status != TROUPE_OK)
        handle_drop(self->actor, id);
    else if (ret_timer != NULL)
        *ret_timer = id;
    return status;
}

void troupe_timer_cancel(troupe_self *self, uint64_t timer)
{
    RUNTIME_SCOPE(self);
    struct handle *handle = handle_find(self->actor, HANDLE_TIMER, timer);
    if (handle == NULL)
        return;
    timer_cancel(worker, handle->u.timer);
    handle_drop(self->actor, timer);
}

/* SPDX-License-Identifier: MIT */
/*
 * post.c: see post.h. The way of a send: check the letter, find the actor, see that there is room, build in
 * place, push.
 */
#include "core/post.h"

#include <string.h>

#include "base/plant.h"
#include "core/flat.h"
#include "core/ask.h"
#include "core/mailbox.h"
#include "core/monitor.h"
#include "core/overflow.h"
#include "core/relief.h"
#include "core/sim.h"
#include "core/supervisor.h"
#include "core/tracer.h"
#include "core/waits.h"

#define TROUPE_REFUSAL_FIELDS(F) F(u32, status)
TROUPE_MESSAGE(troupe_refusal, TROUPE_REFUSAL_FIELDS)

void message_dispose_other(struct worker *worker, troupe_message *message)
{
    if (message->flags == MESSAGE_READY && watch_notice_back(worker, message))
        return;
    if (message->flags == MESSAGE_CHILD)
        supervisor_spec_unref(*(struct child_spec **)(void *)(message + 1));
    size_t size = sizeof *message + message->size;
    if (message->flags == MESSAGE_TIMER)
        size = sizeof(struct timer);
    else if ((message->flags & MESSAGE_RIDES) != 0)
        size = ride_release(message);
    slab_free(&worker->slab, message, size);
}

enum {
    SEND_QUICK_MAX = SLAB_SMALL_MAX - sizeof(troupe_message), /* bodies up to here are copied in line */
    RESERVE_AT_ONCE_MAX = 1 << 19, /* messages of more bytes are reserved with care for the sum of all */
};

_Static_assert(OVERFLOW_BYTES_MAX + (uint64_t)RESERVE_AT_ONCE_MAX * WORKERS_ALL_MAX + sizeof(troupe_message) +
                       TROUPE_BODY_SIZE_MAX + TROUPE_BLOB_SIZE_MAX <
                   UINT64_C(1) << 31,
               "a full mailbox, what all threads try at once and the largest message are a load");

/* Puts a built message into the mailbox of an actor that was found. */
static void push(struct worker *worker, struct actor *actor, bool is_local, troupe_ref to,
                 troupe_message *message)
{
    message->generation = (uint32_t)slots_generation(to);
    counter_add(&worker->counters.sent, 1);
    if (UNLIKELY(worker->tracer != NULL))
        tracer_send(worker, message);
    if (LIKELY(is_local))
        mailbox_push_local(worker, actor, message);
    else
        mailbox_push_remote(worker->self.context.system, actor, message);
}

void post_unbounded(struct worker *worker, troupe_ref to, troupe_message *message)
{
    bool is_local;
    struct actor *actor = system_find_at(worker->self.context.system, worker, to, &is_local);
    if (actor != NULL) {
        push(worker, actor, is_local, to, message);
        return;
    }
    counter_add(&worker->counters.sent, 1);
    post_dead_letter(worker, to, message, TROUPE_DEAD_NO_ACTOR);
}

void post_aside(struct worker *worker, troupe_ref to, troupe_message *message)
{
    struct actor *actor = system_find(worker->self.context.system, to);
    if (actor != NULL) {
        push(worker, actor, false, to, message);
        return;
    }
    counter_add(&worker->counters.sent, 1);
    post_dead_letter(worker, to, message, TROUPE_DEAD_NO_ACTOR);
}

/*
 * Reserves room at an actor at home elsewhere for a large message: it is added only if it fits. A few of
 * them, added first and looked at afterwards, would make the sum of the bytes overflow.
 */
static bool reserve_large(struct actor *actor, uint64_t mine)
{
    uint64_t arrived = load_relaxed(&actor->arrived_load);
    do {
        if (!load_fits(load_relaxed(&actor->load) + arrived + mine, load_relaxed(&actor->limit)))
            return false;
        /* Acquire on success pairs with mailbox_splice: invariant 3. */
    } while (!cas_acq_rel(&actor->arrived_load, &arrived, arrived + mine));
    return true;
}

/* Whether there is room, reserving it when the actor is at home elsewhere (mailbox.h, invariant 3). */
static bool reserve(struct worker *worker, struct actor *actor, uint64_t mine, bool is_local)
{
    if (UNLIKELY(worker->is_simulated) && sim_refuses(worker->self.context.system->sim))
        return false;
    if (LIKELY(is_local))
        return !mailbox_is_full(actor, mine);
    if (UNLIKELY(mine >> 32 > RESERVE_AT_ONCE_MAX))
        return reserve_large(actor, mine);
    uint64_t arrived = fetch_add_acquire(&actor->arrived_load, mine); /* with mailbox_splice: invariant 3 */
    if (load_fits(load_relaxed(&actor->load) + arrived + mine, load_relaxed(&actor->limit)))
        return true;
    fetch_sub_relaxed(&actor->arrived_load, mine);
    return false;
}

/* A message that is not taken: the sender is told, or it is dropped. */
static troupe_status no_room(struct worker *worker, const struct letter *letter,
                             enum overflow_admission admission)
{
    if (admission == OVERFLOW_DROPPED) {
        const troupe_message unbuilt = {
            .sender = letter->sender,
            .ask = letter->ask,
            .type = letter->type->id,
            .size = letter->size,
            .message_class = (uint8_t)letter->message_class,
        };
        counter_add(&worker->counters.sent, 1);
        dead_letter_note(worker, letter->to, &unbuilt, TROUPE_DEAD_DROPPED_NEWEST);
        post_refusal(worker, letter->sender, letter->ask, dead_letter_status(TROUPE_DEAD_DROPPED_NEWEST));
        if (letter->built != NULL)
            message_dispose(worker, letter->built);
        return TROUPE_OK;
    }
    counter_add(&worker->counters.refused, 1);
    if (worker->index != OUTSIDE && worker->self.actor != NULL)
        worker->self.actor->attention |= ATTENTION_ENDS_TURN;
    return TROUPE_FULL;
}

/* The header of a message that is built already, which so far said how. */
static troupe_message *built_finish(struct worker *worker, const struct letter *letter)
{
    letter->built->flags &= MESSAGE_RIDES; /* kind USER */
    letter->built->sender = letter->sender;
    letter->built->sent_ms = worker->now_ms;
    letter->built->deadline_ms = 0;
    return letter->built;
}

/* Builds what a letter says, in place: all but the deadline. */
static inline troupe_message *build(struct worker *worker, const struct letter *letter)
{
    if (UNLIKELY(letter->built != NULL))
        return built_finish(worker, letter);
    size_t size = sizeof(troupe_message) + letter->size;
    if (UNLIKELY(letter->ride.count > 0))
        size = ride_block_size(letter->size, letter->ride.count);
    troupe_message *message = slab_alloc(&worker->slab, size);
    if (UNLIKELY(message == NULL))
        return NULL;
    *message = (troupe_message){
        .sender = letter->sender,
        .ask = letter->ask,
        .type = letter->type->id,
        .version = letter->type->version,
        .size = letter->size,
        .sent_ms = worker->now_ms,
        .message_class = (uint8_t)letter->message_class,
    };
    if (UNLIKELY(letter->ride.count > 0))
        ride_write(message, letter);
    else if (letter->body != NULL)
        memcpy(message + 1, letter->body, letter->size);
    else if (letter->type->is_fixed)
        memcpy(message + 1, (const char *)letter->fields + 16, letter->size);
    else
        flat_write(letter->type, letter->fields, message + 1, letter->size, true);
    return message;
}

troupe_message *letter_message(struct worker *worker, const struct letter *letter)
{
    return build(worker, letter);
}

troupe_status post_letter(struct worker *worker, const struct letter *letter)
{
    bool is_local;
    struct actor *actor = system_find_at(worker->self.context.system, worker, letter->to, &is_local);
    if (UNLIKELY(actor == NULL))
        return TROUPE_NO_ACTOR;
    uint64_t load = message_load(letter->size) + ((uint64_t)letter->ride.weight << 32);
    uint8_t mark = 0;
    if (UNLIKELY(!load_fits(load, load_relaxed(&actor->limit))))
        return TROUPE_TOO_LARGE;
    if (UNLIKELY(!reserve(worker, actor, load, is_local))) {
        if (system_observes(worker->self.context.system, OVERFLOW_EVENTS))
            overflow_crowded(worker, actor, letter->to);
        enum overflow_admission admission = overflow_admit(worker, actor, letter->to, load, is_local);
        if (admission != OVERFLOW_OVER)
            return no_room(worker, letter, admission);
        mark = OVERFLOW_MARK;
    }
    troupe_message *message = build(worker, letter);
    if (UNLIKELY(message == NULL)) {
        if (!is_local)
            fetch_sub_relaxed(&actor->arrived_load, load);
        return TROUPE_NO_MEMORY;
    }
    message->message_class |= mark;
    if (UNLIKELY(letter->deadline_ms != 0)) {
        uint64_t now_ms = troupe_context_now_ns(&worker->self.context) / 1000000;
        uint32_t deadline_ms = (uint32_t)(now_ms + letter->deadline_ms);
        message->deadline_ms = deadline_ms == 0 ? 1 : deadline_ms;
    }
    push(worker, actor, is_local, letter->to, message);
    return TROUPE_OK;
}

/* As troupe_flat_size, with blobs riding. */
static troupe_status body_measure(const troupe_type *type, const void *fields, size_t *ret_size,
                                  struct ride_load *ret_ride)
{
    *ret_size = flat_size(type, fields, true);
    return type->blob_count == 0 ? TROUPE_OK : ride_measure(type, fields, ret_ride);
}

troupe_status letter_init(struct letter *ret_letter, troupe_ref to, const troupe_type *type,
                          const void *fields)
{
    const troupe_envelope *envelope =
        (const troupe_envelope *)(const void *)((const char *)fields + sizeof(uint64_t));
    if (UNLIKELY(envelope->message_class > TROUPE_CLASS_URGENT ||
                 envelope->deadline_ms > TROUPE_DEADLINE_MS_MAX))
        return TROUPE_INVALID;
    size_t size = type->size;
    struct ride_load ride = {0};
    if (!type->is_fixed && body_measure(type, fields, &size, &ride) != TROUPE_OK)
        return TROUPE_TOO_LARGE;
    if (UNLIKELY(size > TROUPE_BODY_SIZE_MAX))
        return TROUPE_TOO_LARGE;
    *ret_letter = (struct letter){
        .to = to,
        .type = type,
        .fields = fields,
        .size = (uint32_t)size,
        .ride = ride,
        .message_class = envelope->message_class,
        .deadline_ms = envelope->deadline_ms,
    };
    return TROUPE_OK;
}

/* Outside, no actor acts: the ref stays none. */
static troupe_ref sender_of(troupe_context *from)
{
    return from->worker->self.ref;
}

/*
 * Copies a body of `size` bytes in words: both ends have room up to the next multiple of 8. By memcpy, as
 * the words are a sender's struct of any type, which may be written in line with this.
 */
static inline void body_copy(void *body, const void *fields, uint32_t size)
{
    const char *from = fields;
    char *to = body;
    const char *end = from + size;
    for (; from < end; from += sizeof(uint64_t), to += sizeof(uint64_t)) {
        memcpy(to, from, sizeof(uint64_t));
        __asm__("" : "+r"(from)); /* keeps a loop for few words from being made one for many */
    }
}

/*
 * The way of most messages: an actor sends fixed fields, without envelope, to an actor on the same worker.
 * The same steps as in post_letter, without what such a message cannot need. Everything is looked at before
 * anything is done, and nothing is called: what is not of this sort goes the other way (false), untouched.
 */
static inline bool send_quickly(struct worker *worker, troupe_ref to, const troupe_type *type,
                                const void *fields)
{
    const char *words = fields; /* begin, envelope, fields */
    uint64_t envelope;
    memcpy(&envelope, words + sizeof envelope, sizeof envelope);
    uint32_t size = type->size;
    if (UNLIKELY(envelope != 0) || UNLIKELY(!type->is_fixed) || UNLIKELY(size > SEND_QUICK_MAX))
        return false;
    struct actor *actor = slots_at(worker->chunks, slots_number(to));
    if (UNLIKELY(actor == NULL) || UNLIKELY(load_acquire(&actor->home) != worker->index) ||
        UNLIKELY(load_acquire(&actor->generation) != slots_generation(to)) || /* as in system_find_at */
        UNLIKELY(has_arrived(load_relaxed(&actor->arrived))))
        return false;
    uint64_t load = load_relaxed(&actor->load) + message_load(size);
    if (UNLIKELY(!load_fits(load + load_relaxed(&actor->arrived_load), load_relaxed(&actor->limit))))
        return false;
    troupe_message *message = slab_alloc_quick(&worker->slab, sizeof *message + size);
    if (UNLIKELY(message == NULL))
        return false;
    message_init(worker, message, type, size);
    message->sender = worker->self.ref;
    message->generation = (uint32_t)slots_generation(to);
    body_copy(message + 1, words + 2 * sizeof envelope, size);
    counter_add(&worker->counters.sent, 1);
    store_relaxed(&actor->load, load);
    lane_push(&actor->normal, message);
    if (!actor->is_queued)
        scheduler_wake(worker, actor);
    return true;
}

/* Every other way. */
__attribute__((noinline)) static troupe_status send_anywhere(troupe_context *from, troupe_ref to,
                                                             const troupe_type *type, const void *fields)
{
    struct letter letter;
    troupe_status status = letter_init(&letter, to, type, fields);
    if (status != TROUPE_OK)
        return status;
    struct worker *worker = context_enter(from);
    letter.sender = sender_of(from);
    status = post_letter(worker, &letter);
    context_leave(from);
    return status;
}

troupe_status troupe_send_fields(troupe_context *from, troupe_ref to, const troupe_type *type,
                                 const void *fields)
{
    if (LIKELY(from->is_quick)) {
        /* As runtime_enter and runtime_leave; but a relief that has begun is awaited the other way. */
        troupe_self *self = (troupe_self *)(void *)from;
        uint32_t in_runtime = load_relaxed(&self->in_runtime);
        store_relaxed(&self->in_runtime, in_runtime + 1);
        atomic_signal_fence(memory_order_seq_cst);
        bool is_sent =
            LIKELY(!load_acquire(&self->is_revoked)) && send_quickly(self->context.worker, to, type, fields);
        store_release(&self->in_runtime, in_runtime);
        if (LIKELY(is_sent))
            return TROUPE_OK;
    }
    return send_anywhere(from, to, type, fields);
}

/* The bytes of blobs become blobs: the body is taken apart and sent as its fields. */
static troupe_status send_flat_blobs(troupe_context *from, troupe_ref to, const troupe_type *type,
                                     const void *body)
{
    void *fields;
    troupe_status status = ride_fields(type, body, &fields);
    if (status != TROUPE_OK)
        return status;
    status = send_anywhere(from, to, type, fields);
    ride_fields_free(type, fields);
    return status;
}

troupe_status troupe_send_flat(troupe_context *from, troupe_ref to, const troupe_type *type, const void *body,
                               size_t size)
{
    if (size > TROUPE_BODY_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    bool is_good = troupe_flat_check(type, body, size) == TROUPE_OK;
    if (is_good && type->blob_count > 0)
        return send_flat_blobs(from, to, type, body);
    struct letter letter = {.to = to, .type = type, .body = body, .size = (uint32_t)size};
    struct worker *worker = context_enter(from);
    letter.sender = sender_of(from);
    troupe_status status = TROUPE_MALFORMED;
    if (is_good)
        status = post_letter(worker, &letter);
    else
        counter_add(&worker->counters.refused, 1);
    context_leave(from);
    return status;
}

troupe_status troupe_send_arrived(troupe_context *from, troupe_ref to, const troupe_type *const *types,
                                  size_t type_count, uint32_t id, uint16_t version, const void *body,
                                  size_t size)
{
    const troupe_type *type = troupe_type_find(types, type_count, id, version);
    if (type != NULL)
        return troupe_send_flat(from, to, type, body, size);
    struct worker *worker = context_enter(from);
    counter_add(&worker->counters.refused, 1);
    context_leave(from);
    return TROUPE_UNEXPECTED;
}

troupe_status troupe_forward(troupe_self *self, troupe_ref to, const troupe_message *message)
{
    const troupe_type type = {.id = message->type, .version = message->version};
    struct letter letter = {
        .to = to,
        .type = &type,
        .body = troupe_body(message),
        .size = message->size,
        .message_class =
            message->message_class == TROUPE_CLASS_URGENT ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL,
        .sender = TROUPE_PLANTED(reply_misdirected) ? self->ref : message->sender,
        .ask = message->ask,
    };
    if ((message->flags & MESSAGE_RIDES) != 0)
        letter.ride = (struct ride_load){ride_of(message)->count, ride_weight(message), message};
    if (message->deadline_ms != 0) {
        uint32_t now_ms = (uint32_t)(troupe_now_ns(self) / 1000000);
        int32_t left_ms = (int32_t)(message->deadline_ms - now_ms);
        letter.deadline_ms = left_ms > 0 ? (uint32_t)left_ms : 1; /* 0 would be none */
    }
    RUNTIME_SCOPE(self);
    if (letter.ask != 0)
        return ask_forward(self, &letter);
    return post_letter(worker, &letter);
}

void post_refusal(struct worker *worker, troupe_ref to, uint64_t ask, troupe_status status)
{
    if (ask == 0)
        return;
    waits_answered(worker->self.context.system, (troupe_asker){to, ask});
    troupe_message *message = message_new(worker, &troupe_refusal_type, sizeof(troupe_refusal));
    if (message == NULL)
        return; /* the asker's timeout tells it */
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_REFUSAL;
    message->ask = ask;
    ((troupe_refusal *)(void *)(message + 1))->status = (uint32_t)status;
    post_unbounded(worker, to, message);
}

void post_dead_letter(struct worker *worker, troupe_ref to, troupe_message *message,
                      troupe_dead_reason reason)
{
    dead_letter_note(worker, to, message, reason);
    troupe_status status = dead_letter_status(reason);
    if (message_is_bounded(message) || message->flags == MESSAGE_CHILD) {
        post_refusal(worker, message->sender, message->ask, status);
    } else if ((message->flags == MESSAGE_MONITOR && !TROUPE_PLANTED(down_lost)) ||
               message->flags == MESSAGE_LINK) {
        /* Whom it asked to watch is gone: the same block is the answer. */
        monitor_answer(worker, message, status, "");
        return;
    } else if (message->flags == MESSAGE_PARK) {
        overflow_bounce(worker, message);
        return;
    }
    message_dispose(worker, message);
}

/* SPDX-License-Identifier: MIT */
/*
 * activation.c: the end of a message's way. Every handler, continuation and callback of a user runs from
 * here, on the home worker of its actor, with `worker->self` naming it.
 *
 * Invariants
 *   1. is_queued is set during a turn, so what the actor sends to itself does not queue it again
 *   2. a message taken out is either handled (counted so) or a dead letter, never both, never neither
 *   3. a status other than OK from user code ends the actor, but for UNEXPECTED and STASHED from receive and
 *      from continuations
 */
#include "core/activation.h"

#include "core/extras.h"
#include "core/mailbox.h"
#include "core/monitor.h"
#include "core/overflow.h"
#include "core/post.h"
#include "core/scheduler.h"
#include "core/stash.h"
#include "core/trace.h"

/* What the user's code answered: goes on or ends. */
static void judge(struct actor *actor, troupe_status status)
{
    if (UNLIKELY(status != TROUPE_OK))
        actor_ending(actor, status);
}

/* A message that this actor will not handle. Takes it. */
static void bury(struct worker *worker, struct actor *actor, troupe_message *message,
                 troupe_dead_reason reason)
{
    post_dead_letter(worker, message_to(actor, message), message, reason);
}

static void handled(struct worker *worker, struct actor *actor)
{
    counter_add(&worker->counters.handled, 1);
    counter_add(&actor->handled, 1);
}

/* What a handler left that was not simply TROUPE_OK: a refusal, a failure or an end. */
__attribute__((noinline)) static void received_otherwise(struct worker *worker, struct actor *actor,
                                                         troupe_message *message, troupe_status status)
{
    if (status == TROUPE_UNEXPECTED) {
        bury(worker, actor, message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    if (status == TROUPE_STASHED) {
        stash_keep(worker, actor, message);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
    if (actor->reason != TROUPE_OK && message->flags == MESSAGE_USER) /* it failed over this question */
        post_refusal(worker, message->sender, message->ask, (troupe_status)actor->reason);
    message_dispose(worker, message);
}

/* A message for the behaviour, which is disposed of afterwards. */
static inline void receive(struct worker *worker, struct actor *actor, troupe_message *message)
{
    troupe_status status = load_relaxed(&actor->behaviour)->receive(&worker->self, message);
    if (UNLIKELY(status != TROUPE_OK) || UNLIKELY(actor->phase != ACTOR_RUNNING)) {
        received_otherwise(worker, actor, message, status);
        return;
    }
    handled(worker, actor);
    message_dispose(worker, message);
}

/*
 * The same for a notice that lives on: its memory stays with the timer or watch. A refusal is a dead letter
 * in the counters only.
 */
static void receive_kept(struct worker *worker, struct actor *actor, troupe_message *message)
{
    troupe_status status = load_relaxed(&actor->behaviour)->receive(&worker->self, message);
    if (status == TROUPE_UNEXPECTED || status == TROUPE_STASHED) {
        dead_letter_note(worker, message_to(actor, message), message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
}

static bool has_expired(struct worker *worker, const troupe_message *message)
{
    if (message->deadline_ms == 0)
        return false;
    uint32_t now_ms = (uint32_t)(env_now_ns(worker->self.context.system->env) / 1000000);
    return (int32_t)(now_ms - message->deadline_ms) > 0;
}

/* The end of an ask, with a reply, a refusal or the timeout. */
static void ask_end(struct worker *worker, struct actor *actor, troupe_message *message, troupe_status status)
{
    struct handle *handle = handle_find(actor, HANDLE_ASK, message->ask);
    if (handle == NULL) { /* it has ended already */
        bury(worker, actor, message, TROUPE_DEAD_LATE);
        return;
    }
    troupe_reply_handler on_reply = handle->on_reply;
    void *context = handle->context;
    if (message->flags != MESSAGE_TIMER)
        timer_cancel(worker, handle->u.timer);
    handle_drop(actor, message->ask);
    message->ask = 0; /* to whoever answered it would be the number of an ask of its own */
    status = on_reply(&worker->self, status, status == TROUPE_OK ? message : NULL, context);
    if (status == TROUPE_UNEXPECTED || status == TROUPE_STASHED) {
        bury(worker, actor, message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
    message_dispose(worker, message);
}

static void timer_due(struct worker *worker, struct actor *actor, troupe_message *message)
{
    struct timer *timer = (struct timer *)(void *)message;
    uint64_t id = message->ask;
    if (timer->is_ask) {
        ask_end(worker, actor, message, TROUPE_TIMEOUT);
        return;
    }
    if (handle_find(actor, HANDLE_TIMER, id) == NULL) { /* cancelled while it was on its way */
        bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    if (timer->every_ms == 0) {
        handle_drop(actor, id);
        message->ask = 0;
        receive(worker, actor, message);
        return;
    }
    message->ask = 0; /* the behaviour is not asked anything */
    receive_kept(worker, actor, message);
    message->ask = id;
    if (handle_find(actor, HANDLE_TIMER, id) != NULL)
        timer_again(worker, timer);
    else
        message_dispose(worker, message);
}

static void descriptor_ready(struct worker *worker, struct actor *actor, troupe_message *message)
{
    uint64_t id = message->ask;
    if (handle_find(actor, HANDLE_WATCH, id) == NULL) {
        bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    message->ask = 0; /* the behaviour is not asked anything */
    receive_kept(worker, actor, message);
    message->ask = id;
    message_dispose(worker, message);
}

static void down_came(struct worker *worker, struct actor *actor, troupe_message *message)
{
    const troupe_down *down = troupe_body(message);
    uint64_t id;
    struct handle *handle = monitor_find(actor, down, &id);
    if (handle == NULL) {
        bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    bool is_fatal = handle->is_link && !actor->traps_exits;
    if (handle->is_link)
        monitor_link_drop(worker, actor, down->who);
    else
        handle_drop(actor, id);
    if (is_fatal) {
        troupe_status reason = (troupe_status)down->reason;
        handled(worker, actor);
        if (reason != TROUPE_OK)
            actor_ending(actor, reason);
        message_dispose(worker, message);
        return;
    }
    receive(worker, actor, message);
}

/* Everything but a plain message without a deadline. */
__attribute__((noinline)) static void dispatch_other(struct worker *worker, struct actor *actor,
                                                     troupe_message *message)
{
    switch ((enum message_kind)message->flags) {
    case MESSAGE_USER:
        if (has_expired(worker, message))
            bury(worker, actor, message, TROUPE_DEAD_EXPIRED);
        else
            receive(worker, actor, message);
        break;
    case MESSAGE_REPLY:
        ask_end(worker, actor, message, TROUPE_OK);
        break;
    case MESSAGE_REFUSAL:
        ask_end(worker, actor, message, *(const troupe_status *)troupe_body(message));
        break;
    case MESSAGE_TIMER:
        timer_due(worker, actor, message);
        break;
    case MESSAGE_READY:
        descriptor_ready(worker, actor, message);
        break;
    case MESSAGE_MONITOR:
        handled(worker, actor);
        monitor_accept(worker, actor, message);
        break;
    case MESSAGE_DOWN:
        down_came(worker, actor, message);
        break;
    case MESSAGE_DEMONITOR:
        handled(worker, actor);
        monitor_forget(worker, actor, message);
        break;
    case MESSAGE_LINK:
    case MESSAGE_UNLINK:
        handled(worker, actor);
        monitor_link_accept(worker, actor, message);
        break;
    case MESSAGE_SHUTDOWN:
        if (actor->is_supervisor) {
            receive(worker, actor, message);
            break;
        }
        handled(worker, actor);
        actor_ending(actor, *(const troupe_status *)troupe_body(message));
        message_dispose(worker, message);
        break;
    case MESSAGE_PARK:
    case MESSAGE_UNPARK: /* never in a lane: mailbox.c */
        ASSERT(false);
    case MESSAGE_STARTED:
    case MESSAGE_CHILD:
        receive(worker, actor, message);
        break;
    }
}

/* The first turn: start(), and word to the parent. */
static void start(struct worker *worker, struct actor *actor)
{
    actor->phase = ACTOR_RUNNING;
    if (load_relaxed(&actor->behaviour)->start != NULL)
        judge(actor, load_relaxed(&actor->behaviour)->start(&worker->self));
    bool has_failed = actor->phase == ACTOR_ENDING && actor->reason != TROUPE_OK;
    actor->has_started = !has_failed;
    if (!has_failed && !actor->is_supervisor)
        actor_started(worker, actor);
}

void activation_run(struct worker *worker, struct actor *actor)
{
    worker->self.actor = actor;
    worker->self.ref = actor_ref(actor);
    counter_add(&worker->counters.activations, 1);
    uint32_t turns = scheduler_batch(worker);
    uint32_t done = 0;
    bool has_begun = actor->phase == ACTOR_STARTING;
    if (UNLIKELY(has_begun))
        start(worker, actor);
    while (done < turns && LIKELY(actor->phase == ACTOR_RUNNING)) {
        troupe_message *message = mailbox_pop(worker, actor);
        if (message == NULL)
            break;
        done++;
        if (UNLIKELY(worker->is_simulated))
            trace_message(worker, actor, message);
        if (LIKELY((message->flags | message->deadline_ms) == MESSAGE_USER))
            receive(worker, actor, message);
        else
            dispatch_other(worker, actor, message);
        if (UNLIKELY(worker->ends_turn)) /* trying again at once would only be refused again */
            break;
    }
    worker->ends_turn = false;
    if (load_relaxed(&actor->behaviour)->flush != NULL && actor->phase == ACTOR_RUNNING &&
        (done > 0 || has_begun)) {
        troupe_status status = load_relaxed(&actor->behaviour)->flush(&worker->self);
        judge(actor, status);
    }
    worker->housekeeping_in -= (int32_t)done;
    if (UNLIKELY(actor->phase == ACTOR_ENDING)) {
        actor_end(worker, actor);
        return;
    }
    if (UNLIKELY(actor->extras != NULL))
        overflow_release(worker, actor, false);
    if (UNLIKELY(overflow_rests(actor)))
        return; /* is_queued stays: nobody wakes it but UNPARK and SHUTDOWN */
    scheduler_yield(worker, actor);
}

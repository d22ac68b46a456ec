/* SPDX-License-Identifier: MIT */
/*
 * activation.c: the end of a message's way. Every handler, continuation and callback of a user runs from
 * here, on the home worker of its actor, with its thread's seat naming it.
 *
 * Invariants
 *   1. is_queued is set during a turn, so what the actor sends to itself does not queue it again
 *   2. a message taken out is either handled (counted so) or a dead letter, never both, never neither
 *   3. a status other than OK from user code ends the actor, but for UNEXPECTED and STASHED from receive and
 *      from continuations
 */
#include "core/activation.h"

#include "base/plant.h"
#include "core/ask.h"
#include "core/chase.h"
#include "core/debt.h"
#include "core/extras.h"
#include "core/hold.h"
#include "core/mailbox.h"
#include "core/monitor.h"
#include "core/overflow.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/scheduler.h"
#include "core/sim.h"
#include "core/stash.h"
#include "core/trace.h"
#include "core/tracer.h"
#include "core/waits.h"

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

/* What a handler left that was not simply TROUPE_OK: a question, a refusal, a failure or an end. */
__attribute__((noinline)) static void received_otherwise(struct worker *worker, struct actor *actor,
                                                         troupe_message *message, troupe_status status)
{
    if (status == TROUPE_UNEXPECTED) {
        struct extras *extras = extras_of(worker, actor);
        if (extras != NULL)
            extras->unexpected++;
        bury(worker, actor, message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    if (status == TROUPE_STASHED) {
        stash_keep(worker, actor, message);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
    if (message->ask != 0 && actor->phase != ACTOR_ENDING)
        debt_consider(worker, actor, message);
    else if (message->ask != 0 && !debt_is_paid(worker, message)) /* it ended over this question */
        post_refusal(worker, message->sender, message->ask,
                     actor->reason == TROUPE_OK ? TROUPE_NO_ACTOR : (troupe_status)actor->reason);
    message_dispose(worker, message);
}

/*
 * User's code begins, and has ended. It may have been relieved meanwhile: then the worker is another, which
 * is why the functions here that call it are given the seat.
 */
static inline void user_begin(troupe_self *seat)
{
    store_release(&seat->in_runtime, 0); /* as runtime_leave, from the outermost */
}

static inline struct worker *user_end(troupe_self *seat)
{
    store_relaxed(&seat->in_runtime, 1); /* as runtime_enter */
    atomic_signal_fence(memory_order_seq_cst);
    if (UNLIKELY(load_acquire(&seat->is_revoked)))
        relief_await(seat);
    return seat->context.worker;
}

/* Calls the behaviour with a message, which is disposed of; whether it was handled and all goes on. */
static inline bool receive_plain(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    user_begin(seat);
    troupe_status status = load_relaxed(&actor->behaviour)->receive(seat, message);
    struct worker *worker = user_end(seat);
    if (UNLIKELY(status != TROUPE_OK) || UNLIKELY(actor->phase != ACTOR_RUNNING) ||
        UNLIKELY(message->ask != 0)) {
        received_otherwise(worker, actor, message, status);
        return false;
    }
    message_dispose(worker, message);
    return true;
}

/* The same, counting what was handled. */
static void receive(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    if (receive_plain(seat, actor, message))
        handled(seat->context.worker, actor);
}

/*
 * The same for a notice that lives on: its memory stays with the timer or watch. A refusal is a dead letter
 * in the counters only.
 */
static void receive_kept(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    user_begin(seat);
    troupe_status status = load_relaxed(&actor->behaviour)->receive(seat, message);
    struct worker *worker = user_end(seat);
    if (status == TROUPE_UNEXPECTED || status == TROUPE_STASHED) {
        dead_letter_note(worker, message_to(actor, message), message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
}

static bool has_expired(struct worker *worker, const troupe_message *message)
{
    if (message->deadline_ms == 0 || TROUPE_PLANTED(expired_handled))
        return false;
    uint32_t now_ms = (uint32_t)(env_now_ns(worker->self.context.system->env) / 1000000);
    return (int32_t)(now_ms - message->deadline_ms) > 0;
}

/* The end of an ask, with a reply, a refusal or the timeout. */
static void ask_end(troupe_self *seat, struct actor *actor, troupe_message *message, troupe_status status)
{
    struct worker *worker = seat->context.worker;
    uint64_t id = message->ask & ASK_ID_MASK;
    struct handle *handle = handle_find(actor, HANDLE_ASK, id);
    if (handle == NULL) { /* it has ended already */
        bury(worker, actor, message, TROUPE_DEAD_LATE);
        return;
    }
    troupe_reply_handler on_reply = handle->on_reply;
    void *context = handle->context;
    bool is_timeout = message->flags == MESSAGE_TIMER;
    bool is_from_other = message_kind(message) == MESSAGE_REPLY && (message->ask & ASK_FORWARDED) == 0 &&
                         !troupe_ref_equal(message->sender, handle->to);
    if (!is_timeout)
        timer_cancel(worker, handle->u.timer);
    if (is_timeout && !handle->is_in_ring)
        waits_path_clear(actor);
    if (is_timeout || is_from_other) /* whoever was asked may have kept the question */
        ask_forget(worker, actor, handle->to, id);
    handle_drop(actor, id);
    hold_end(actor, id);
    message->ask = 0; /* to whoever answered it would be the number of an ask of its own */
    user_begin(seat);
    status = on_reply(seat, status, status == TROUPE_OK ? message : NULL, context);
    worker = user_end(seat);
    if (status == TROUPE_UNEXPECTED || status == TROUPE_STASHED) {
        bury(worker, actor, message, TROUPE_DEAD_UNEXPECTED);
        return;
    }
    handled(worker, actor);
    judge(actor, status);
    message_dispose(worker, message);
}

/* All but the last of an ask's time is over: the rest is for finding out why. */
static void ask_late(struct worker *worker, struct actor *actor, struct timer *timer)
{
    const struct handle *handle = handle_find(actor, HANDLE_ASK, timer->message.ask);
    if (handle == NULL) { /* it ended while the timer was on its way */
        bury(worker, actor, &timer->message, TROUPE_DEAD_LATE);
        return;
    }
    handled(worker, actor);
    timer_again(worker, timer);
    timer->every_ms = 0;
    chase_begin(worker, actor, handle->to, timer->message.ask);
}

static void timer_due(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    struct timer *timer = (struct timer *)(void *)message;
    uint64_t id = message->ask;
    if (timer->is_ask && timer->every_ms != 0) {
        ask_late(worker, actor, timer);
        return;
    }
    if (timer->is_ask) {
        ask_end(seat, actor, message, TROUPE_TIMEOUT);
        return;
    }
    if (handle_find(actor, HANDLE_TIMER, id) == NULL) { /* cancelled while it was on its way */
        if (TROUPE_PLANTED(timer_uncancelled))
            receive(seat, actor, message);
        else
            bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    if (timer->every_ms == 0) {
        handle_drop(actor, id);
        message->ask = 0;
        receive(seat, actor, message);
        return;
    }
    message->ask = 0; /* the behaviour is not asked anything */
    receive_kept(seat, actor, message);
    worker = seat->context.worker;
    message->ask = id;
    if (handle_find(actor, HANDLE_TIMER, id) != NULL)
        timer_again(worker, timer);
    else
        message_dispose(worker, message);
}

static void descriptor_ready(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    uint64_t id = message->ask;
    if (handle_find(actor, HANDLE_WATCH, id) == NULL) {
        bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    message->ask = 0; /* the behaviour is not asked anything */
    receive_kept(seat, actor, message);
    worker = seat->context.worker;
    message->ask = id;
    message_dispose(worker, message);
}

static void signal_came(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    if (handle_find(actor, HANDLE_SIGNAL, message->ask) == NULL) {
        bury(seat->context.worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    message->ask = 0; /* the behaviour is not asked anything */
    receive(seat, actor, message);
}

static void down_came(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    const troupe_down *down = troupe_body(message);
    uint64_t id;
    struct handle *handle = monitor_find(actor, down, &id);
    if (handle == NULL) { /* taken back while it was on its way */
        if (TROUPE_PLANTED(demonitor_deaf))
            receive(seat, actor, message);
        else
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
    receive(seat, actor, message);
}

static void event_came(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    const struct handle *handle = handle_find(actor, HANDLE_SUBSCRIPTION, message->ask);
    if (handle == NULL) {
        bury(worker, actor, message, TROUPE_DEAD_CANCELLED);
        return;
    }
    events_taken(worker->self.context.system, handle->u.peer);
    message->ask = 0; /* the behaviour is not asked anything */
    receive(seat, actor, message);
}

/* A message of any kind. */
__attribute__((noinline)) static void dispatch(troupe_self *seat, struct actor *actor,
                                               troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    switch (message_kind(message)) {
    case MESSAGE_USER:
        if (has_expired(worker, message))
            bury(worker, actor, message, TROUPE_DEAD_EXPIRED);
        else
            receive(seat, actor, message);
        break;
    case MESSAGE_REPLY:
        ask_end(seat, actor, message, TROUPE_OK);
        break;
    case MESSAGE_REFUSAL:
        ask_end(seat, actor, message, *(const troupe_status *)troupe_body(message));
        break;
    case MESSAGE_TIMER:
        timer_due(seat, actor, message);
        break;
    case MESSAGE_READY:
        descriptor_ready(seat, actor, message);
        break;
    case MESSAGE_SIGNAL:
        signal_came(seat, actor, message);
        break;
    case MESSAGE_MONITOR:
        handled(worker, actor);
        monitor_accept(worker, actor, message);
        break;
    case MESSAGE_DOWN:
        down_came(seat, actor, message);
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
            receive(seat, actor, message);
            break;
        }
        handled(worker, actor);
        actor_ending(actor, *(const troupe_status *)troupe_body(message));
        message_dispose(worker, message);
        break;
    case MESSAGE_EVENT:
        event_came(seat, actor, message);
        break;
    case MESSAGE_PARK:
    case MESSAGE_UNPARK:
    case MESSAGE_CROWDED:
    case MESSAGE_FORGET:
    case MESSAGE_CHASE: /* never in a lane: mailbox.c */
    case MESSAGE_BUILDING:
        ASSERT(false);
    case MESSAGE_STARTED:
    case MESSAGE_CHILD:
        receive(seat, actor, message);
        break;
    }
}

/*
 * Any message in simulation, where the seed may want its handler to fail: what the handler did stands, what
 * it answered does not.
 */
__attribute__((noinline)) static void dispatch_simulated(troupe_self *seat, struct actor *actor,
                                                         troupe_message *message)
{
    struct worker *worker = seat->context.worker;
    enum message_kind kind = message_kind(message);
    bool is_asked = kind == MESSAGE_USER;
    bool is_for_user = kind <= MESSAGE_SIGNAL || kind == MESSAGE_DOWN;
    trace_message(worker, actor, message);
    bool crashes = is_for_user && !actor->is_supervisor && sim_crashes(worker->self.context.system->sim);
    if (crashes && is_asked && !has_expired(worker, message)) {
        user_begin(seat);
        (void)load_relaxed(&actor->behaviour)->receive(seat, message);
        worker = user_end(seat);
        received_otherwise(worker, actor, message, troupe_fail(seat, TROUPE_FAILED, SIM_CRASH_TEXT));
        return;
    }
    uint64_t handled_then = load_relaxed(&actor->handled);
    dispatch(seat, actor, message);
    if (crashes && actor->phase == ACTOR_RUNNING && load_relaxed(&actor->handled) != handled_then)
        (void)troupe_fail(seat, TROUPE_FAILED, SIM_CRASH_TEXT);
}

static inline void dispatch_untraced(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    if (UNLIKELY(seat->context.worker->is_simulated))
        dispatch_simulated(seat, actor, message);
    else
        dispatch(seat, actor, message);
}

/* Any message in a turn that is traced. */
__attribute__((noinline)) static void dispatch_traced(troupe_self *seat, struct actor *actor,
                                                      troupe_message *message)
{
    struct trace_note note;
    tracer_take_begin(seat->context.worker, actor, message, &note);
    dispatch_untraced(seat, actor, message);
    tracer_take_end(seat->context.worker, &note);
}

static void dispatch_noted(troupe_self *seat, struct actor *actor, troupe_message *message)
{
    if (UNLIKELY((actor->attention & ATTENTION_TRACED) != 0))
        dispatch_traced(seat, actor, message);
    else
        dispatch_untraced(seat, actor, message);
}

/* The first turn: start(), and word to the parent. */
static void start(troupe_self *seat, struct actor *actor)
{
    if (UNLIKELY(seat->context.worker->is_simulated))
        trace_start(seat->context.worker, actor);
    actor->phase = ACTOR_RUNNING;
    if (load_relaxed(&actor->behaviour)->start != NULL) {
        user_begin(seat);
        troupe_status status = load_relaxed(&actor->behaviour)->start(seat);
        user_end(seat);
        judge(actor, status);
    }
    bool has_failed = actor->phase == ACTOR_ENDING && actor->reason != TROUPE_OK;
    actor->has_started = !has_failed;
    if (!has_failed && !actor->is_supervisor)
        actor_started(seat->context.worker, actor);
}

/* Word that a batch is over. */
__attribute__((noinline)) static void flush(troupe_self *seat, struct actor *actor)
{
    user_begin(seat);
    troupe_status status = load_relaxed(&actor->behaviour)->flush(seat);
    user_end(seat);
    judge(actor, status);
}

/*
 * The turn's next message when something is not as usual: it has waited in another lane, or elsewhere than
 * in a lane, or it is more than a plain message. False: the turn is over.
 */
__attribute__((noinline)) static bool dispatch_next(troupe_self *seat, struct actor *actor)
{
    struct worker *worker = seat->context.worker;
    if (actor->phase != ACTOR_RUNNING || (actor->attention & ATTENTION_ENDS_TURN) != 0)
        return false;
    troupe_message *message = mailbox_pop(worker, actor);
    if (message == NULL)
        return false;
    dispatch_noted(seat, actor, message);
    return true;
}

/*
 * The turn of an actor that starts, or holds: what it may see up to the end of its ask. Whether anything was
 * done.
 */
__attribute__((noinline)) static bool begin(troupe_self *seat, struct actor *actor)
{
    if (actor->phase == ACTOR_STARTING) {
        start(seat, actor);
        return true;
    }
    uint32_t done = 0;
    while (actor->phase == ACTOR_HOLDING) {
        troupe_message *message = hold_pop(seat->context.worker, actor);
        if (message == NULL)
            break;
        dispatch_noted(seat, actor, message);
        done++;
    }
    seat->context.worker->housekeeping_in -= (int32_t)done;
    return done > 0;
}

static void turn_settle(struct worker *worker, struct actor *actor)
{
    if (actor->phase == ACTOR_ENDING) {
        actor_end(worker, actor);
        return;
    }
    overflow_release(worker, actor, false);
    if (overflow_rests(actor))
        return; /* is_queued stays: nobody wakes it but UNPARK and SHUTDOWN */
    if (actor->phase != ACTOR_HOLDING)
        scheduler_yield(worker, actor);
    else if (hold_has_any(actor))
        run_queue_push(&worker->ready, actor);
    else
        actor->is_queued = 0; /* whatever comes wakes it, to look for its answer */
}

/* The end of a turn after which not all is as usual. */
__attribute__((noinline)) static void turn_end(struct worker *worker, struct actor *actor)
{
    bool is_traced = (actor->attention & ATTENTION_TRACED) != 0;
    actor->attention &= (uint8_t) ~(ATTENTION_ENDS_TURN | ATTENTION_TRACED);
    turn_settle(worker, actor);
    if (is_traced)
        tracer_turn_end(worker);
}

/*
 * Handles up to `turns` messages; how many. A plain message in the normal lane, while nothing else asks for
 * attention, is handled here; the rest elsewhere.
 */
static inline uint32_t messages_handle(troupe_self *seat, struct actor *actor, uint32_t turns)
{
    bool is_simulated = seat->context.worker->is_simulated;
    uint32_t others = 0;
    uint32_t done = 0;
    for (; done < turns; done++) {
        troupe_message *message = actor->normal.first;
        if (LIKELY(actor->condition == ACTOR_AT_WORK)) {
            if (message == NULL && !has_arrived(load_relaxed(&actor->arrived)))
                break;
            if (LIKELY(message != NULL) && LIKELY((message->flags | message->deadline_ms) == MESSAGE_USER) &&
                LIKELY(!is_simulated)) {
                actor->normal.first = message->next;
                load_add(actor, 0 - message_load(message->size));
                if (UNLIKELY(!receive_plain(seat, actor, message)))
                    others++;
                continue;
            }
        }
        if (!dispatch_next(seat, actor))
            break;
        others++;
    }
    counter_add(&seat->context.worker->counters.handled, done - others);
    counter_add(&actor->handled, done - others); /* the others were counted one by one */
    return done;
}

void activation_run(struct worker *worker, struct actor *actor)
{
    troupe_self *seat = worker->seat;
    worker_act_for(worker, actor);
    counter_add(&worker->counters.activations, 1);
    uint32_t turns = scheduler_batch(worker, actor);
    bool has_begun = UNLIKELY(actor->phase != ACTOR_RUNNING) && begin(seat, actor);
    uint32_t done = messages_handle(seat, actor, turns);
    if (UNLIKELY(load_relaxed(&actor->behaviour)->flush != NULL) && actor->phase != ACTOR_ENDING &&
        (done > 0 || has_begun))
        flush(seat, actor);
    worker = seat->context.worker;
    worker->housekeeping_in -= (int32_t)done;
    if (UNLIKELY(actor->condition != ACTOR_AT_WORK))
        turn_end(worker, actor);
    else if (actor->normal.first != NULL)
        run_queue_push(&worker->ready, actor);
    else
        actor->is_queued = 0; /* what arrives from now on finds no notice under way, or one that queues us */
}

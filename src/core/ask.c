/* SPDX-License-Identifier: MIT */
/*
 * ask.c: the asking and the answering side of request and reply; the end of an ask is in activation.c.
 *
 *   asker: handle ASK with its timeout --question, `ask` = handle id--> answerer asker: continuation
 *   <--REPLY or REFUSAL in the system lane, same id-- answerer, or whoever buries the question
 *
 * The handle is the reply's reserved place: it exists before the question is sent, and the system lane is
 * never full.
 */
#include "core/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/plant.h"
#include "core/chase.h"
#include "core/debt.h"
#include "core/embed.h"
#include "core/extras.h"
#include "core/mailbox.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/sim.h"
#include "core/waits.h"

troupe_status ask_begin(struct worker *worker, struct actor *actor, troupe_ref to, uint32_t timeout_ms,
                        troupe_reply_handler on_reply, void *context, uint64_t *ret_ask)
{
    uint64_t id;
    struct handle *handle;
    troupe_status status = handle_new(worker, actor, HANDLE_ASK, &id, &handle);
    if (status != TROUPE_OK)
        return status;
    handle->to = to;
    handle->on_reply = on_reply;
    handle->context = context;
    uint32_t ahead_ms = timeout_ms / 2 < CHASE_AHEAD_MS ? timeout_ms / 2 : CHASE_AHEAD_MS;
    status =
        timer_new(worker, actor_ref(actor), id, timeout_ms - ahead_ms, ahead_ms, 0, true, &handle->u.timer);
    if (status == TROUPE_OK)
        *ret_ask = id;
    else
        handle_drop(actor, id);
    return status;
}

void ask_undo(struct worker *worker, struct actor *actor, uint64_t ask)
{
    timer_cancel(worker, handle_find(actor, HANDLE_ASK, ask)->u.timer);
    handle_drop(actor, ask);
}

troupe_status troupe_ask_fields(troupe_self *self, troupe_ref to, uint32_t timeout_ms,
                                troupe_reply_handler on_reply, void *context, const troupe_type *type,
                                const void *fields)
{
    RUNTIME_SCOPE(self);
    struct letter letter;
    troupe_status status = on_reply == NULL ? TROUPE_INVALID : letter_init(&letter, to, type, fields);
    if (status != TROUPE_OK)
        return status;
    letter.sender = actor_ref(self->actor);
    status = ask_begin(worker, self->actor, to, timeout_ms, on_reply, context, &letter.ask);
    if (status != TROUPE_OK)
        return status;
    status = post_letter(worker, &letter);
    if (status != TROUPE_OK)
        ask_undo(worker, self->actor, letter.ask);
    return status;
}

/* Replies are not: the ask has reserved their place. */
static bool is_refused(struct worker *worker, troupe_ref asker, uint32_t size)
{
    if (!TROUPE_PLANTED(reply_refused))
        return false;
    struct actor *actor = system_find(worker->self.context.system, asker);
    return actor != NULL && mailbox_is_full(actor, message_load(size));
}

troupe_status troupe_reply_fields(troupe_self *self, troupe_asker asker, const troupe_type *type,
                                  const void *fields)
{
    RUNTIME_SCOPE(self);
    struct letter letter;
    troupe_status status = letter_init(&letter, asker.ref, type, fields);
    if (status != TROUPE_OK)
        return status;
    letter.sender = actor_ref(self->actor);
    if (asker.ask == 0) {
        status = post_letter(worker, &letter);
        return status == TROUPE_NO_ACTOR ? TROUPE_OK : status; /* nobody is left who would care */
    }
    letter.ask = asker.ask;
    troupe_message *message = letter_message(worker, &letter);
    if (message == NULL)
        return TROUPE_NO_MEMORY;
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags |= MESSAGE_REPLY;
    if (UNLIKELY((asker.ask & ASK_HELD) != 0))
        waits_answered(self->context.system, asker);
    debt_pay(worker, self->actor, asker);
    if (is_refused(worker, asker.ref, letter.size))
        message_dispose(worker, message);
    else
        post_unbounded(worker, asker.ref, message);
    return TROUPE_OK;
}

void troupe_refuse(troupe_self *self, troupe_asker asker, troupe_status status)
{
    if (asker.ask == 0)
        return;
    RUNTIME_SCOPE(self);
    debt_pay(worker, self->actor, asker);
    post_refusal(worker, asker.ref, asker.ask, status == TROUPE_OK ? TROUPE_FAILED : status);
}

troupe_status ask_forward(troupe_self *self, struct letter *letter)
{
    struct worker *worker = self->context.worker;
    struct troupe_system *system = self->context.system;
    const troupe_asker asker = {letter->sender, letter->ask};
    struct waits_chain ring;
    if (!waits_move(system, asker, self->ref, letter->to, &ring)) {
        waits_path_keep(worker, self->actor, asker.ref, ring.refs, ring.len);
        return TROUPE_DEADLOCK;
    }
    letter->ask |= ASK_FORWARDED;
    troupe_status status = post_letter(worker, letter);
    if (status == TROUPE_OK)
        debt_pay(worker, self->actor, asker);
    else
        (void)waits_move(system, asker, letter->to, self->ref, &ring);
    return status;
}

void ask_forget(struct worker *worker, struct actor *actor, troupe_ref to, uint64_t ask)
{
    static const troupe_type type = {.name = "troupe_forget", .id = 4, .version = 1, .is_fixed = true};
    bool is_there = system_find(worker->self.context.system, to) != NULL;
    troupe_message *message = is_there ? message_new(worker, &type, 0) : NULL;
    if (message == NULL)
        return; /* its answer will find no ask */
    message->message_class = TROUPE_CLASS_SYSTEM;
    message->flags = MESSAGE_FORGET;
    message->sender = actor_ref(actor);
    message->ask = ask;
    post_unbounded(worker, to, message);
}

static void complete(struct call **call, troupe_status status, const troupe_message *reply)
{
    struct call *done = *call;
    *call = NULL;
    if (reply != NULL) {
        done->reply = ride_copy(reply);
        if (done->reply == NULL)
            status = TROUPE_NO_MEMORY;
    }
    pthread_mutex_lock(&done->lock);
    done->status = status;
    done->is_complete = true;
    pthread_cond_signal(&done->is_over);
    pthread_mutex_unlock(&done->lock);
}

static troupe_status caller_on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                                     void *context)
{
    (void)context;
    complete(troupe_state(self), status, reply);
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status caller_start(troupe_self *self)
{
    struct call **call = troupe_state(self);
    troupe_status status = (*call)->ask(self, *call, caller_on_reply);
    if (status != TROUPE_OK) {
        complete(call, status, NULL);
        troupe_exit(self);
    }
    return TROUPE_OK;
}

static troupe_status caller_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void caller_stop(troupe_self *self, troupe_status reason)
{
    struct call **call = troupe_state(self);
    (void)reason;
    if (*call != NULL)
        complete(call, TROUPE_STOPPING, NULL);
}

static bool call_is_complete(void *context)
{
    return ((struct call *)context)->is_complete;
}

troupe_status call_run(troupe_system *system, struct call *call, troupe_message **ret_reply)
{
    static const troupe_behaviour caller = {
        .name = "caller",
        .state_size = sizeof(struct call *),
        .start = caller_start,
        .receive = caller_receive,
        .stop = caller_stop,
    };
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    troupe_status status;
    troupe_spawn_options options = {.state = &call, .ret_status = &status};
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->is_over, NULL);
    troupe_spawn(system, &caller, &options);
    if (status == TROUPE_OK && embed_is_host(system))
        embed_run_until(system, call_is_complete, call);
    if (status == TROUPE_OK && system->env->is_simulated) {
        /* The time begins when the caller has asked, which may be late in a busy system. */
        while (!call->is_complete)
            (void)!troupe_sim_run_until(system, call_is_complete, call, (uint64_t)call->timeout_ms + 1);
    }
    if (status == TROUPE_OK) {
        pthread_mutex_lock(&call->lock);
        while (!call->is_complete)
            pthread_cond_wait(&call->is_over, &call->lock);
        pthread_mutex_unlock(&call->lock);
        status = call->status;
    }
    pthread_cond_destroy(&call->is_over);
    pthread_mutex_destroy(&call->lock);
    if (status == TROUPE_OK)
        *ret_reply = call->reply;
    else
        free(call->reply);
    return status;
}

static troupe_status call_ask(troupe_self *self, const struct call *call, troupe_reply_handler on_reply)
{
    return troupe_ask_fields(self, call->to, call->timeout_ms, on_reply, NULL, call->type, call->fields);
}

troupe_status troupe_call_fields(troupe_system *system, troupe_ref to, uint32_t timeout_ms,
                                 troupe_message **ret_reply, const troupe_type *type, const void *fields)
{
    struct call call = {.ask = call_ask, .to = to, .timeout_ms = timeout_ms, .type = type, .fields = fields};
    return call_run(system, &call, ret_reply);
}

void troupe_message_free(troupe_system *system, troupe_message **message)
{
    if (message == NULL || *message == NULL)
        return;
    if (message_kind(*message) == MESSAGE_BUILDING) {
        struct worker *worker = context_enter(&system->context);
        message_dispose(worker, *message);
        context_leave(&system->context);
        *message = NULL;
        return;
    }
    if (((*message)->flags & MESSAGE_RIDES) != 0)
        ride_release(*message);
    free(*message);
    *message = NULL;
}

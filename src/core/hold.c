/* SPDX-License-Identifier: MIT */
/* hold.c: see hold.h. The asker's home worker only. */
#include "core/hold.h"

#include "core/ask.h"
#include "core/extras.h"
#include "core/mailbox.h"
#include "core/monitor.h"
#include "core/relief.h"
#include "core/waits.h"

/* Whether a message of the system lane is one that an actor which holds sees. */
static bool is_seen(struct actor *actor, const troupe_message *message)
{
    uint64_t id;
    switch (message_kind(message)) {
    case MESSAGE_REPLY:
    case MESSAGE_REFUSAL:
        return (message->ask & ASK_ID_MASK) == actor->extras->hold_ask;
    case MESSAGE_TIMER:
        return ((const struct timer *)(const void *)message)->is_ask &&
               message->ask == actor->extras->hold_ask;
    case MESSAGE_DOWN: {
        const struct handle *handle = monitor_find(actor, troupe_body(message), &id);
        return handle != NULL && handle->is_link && !actor->traps_exits;
    }
    case MESSAGE_MONITOR:
    case MESSAGE_DEMONITOR:
    case MESSAGE_LINK:
    case MESSAGE_UNLINK:
    case MESSAGE_SHUTDOWN: /* in this lane: killed */
        return true;
    default:
        return false;
    }
}

/* The first one seen in the system lane, and the one before it. */
static troupe_message *find(struct actor *actor, troupe_message **ret_before)
{
    *ret_before = NULL;
    troupe_message *message = actor_lane(actor, TROUPE_CLASS_SYSTEM)->first;
    while (message != NULL && !is_seen(actor, message)) {
        *ret_before = message;
        message = message->next;
    }
    return message;
}

bool hold_has_any(struct actor *actor)
{
    troupe_message *before;
    return find(actor, &before) != NULL;
}

troupe_message *hold_pop(struct worker *worker, struct actor *actor)
{
    struct lane *lane = actor_lane(actor, TROUPE_CLASS_SYSTEM);
    troupe_message *before;
    if (has_arrived(load_relaxed(&actor->arrived)))
        mailbox_splice(worker, actor, MAILBOX_NOTIFIED);
    troupe_message *message = find(actor, &before);
    if (message == NULL)
        return NULL;
    if (before == NULL)
        lane->first = message->next;
    else
        before->next = message->next;
    if (lane->last == message)
        lane->last = before;
    return message;
}

void hold_end(struct actor *actor, uint64_t ask)
{
    if (actor->phase != ACTOR_HOLDING || actor->extras->hold_ask != ask)
        return;
    actor->phase = ACTOR_RUNNING;
    actor->extras->hold_ask = 0;
    waits_end(actor);
}

troupe_status troupe_ask_hold_fields(troupe_self *self, troupe_ref to, uint32_t timeout_ms,
                                     troupe_reply_handler on_reply, void *context, const troupe_type *type,
                                     const void *fields)
{
    RUNTIME_SCOPE(self);
    struct actor *actor = self->actor;
    struct waits_chain ring;
    struct letter letter;
    if (on_reply == NULL || actor->phase != ACTOR_RUNNING)
        return TROUPE_INVALID;
    if (actor->park_state != 0)
        return TROUPE_FULL; /* it will rest on a full mailbox already */
    troupe_status status = letter_init(&letter, to, type, fields);
    if (status != TROUPE_OK)
        return status;
    if (!waits_begin(self->context.system, actor, to, true, &ring)) {
        waits_path_keep(worker, actor, self->ref, ring.refs, ring.len);
        return TROUPE_DEADLOCK;
    }
    letter.sender = self->ref;
    status = ask_begin(worker, actor, to, timeout_ms, on_reply, context, &letter.ask);
    if (status == TROUPE_OK) {
        uint64_t ask = letter.ask;
        letter.ask |= ASK_HELD | ASK_TAG(load_relaxed(&actor->waits_tag) & WAITS_TAG_COUNT);
        actor->phase = ACTOR_HOLDING; /* before the send: who holds does not park */
        actor->extras->hold_ask = ask;
        status = post_letter(worker, &letter);
        if (status == TROUPE_OK)
            return TROUPE_OK;
        ask_undo(worker, actor, ask);
        actor->phase = ACTOR_RUNNING;
        actor->extras->hold_ask = 0;
    }
    waits_end(actor);
    return status;
}

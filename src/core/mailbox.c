/* SPDX-License-Identifier: MIT */
/* mailbox.c: see mailbox.h for the states, the invariants and why order is kept. */
#include "core/mailbox.h"

#include "base/plant.h"
#include "core/chase.h"
#include "core/debt.h"
#include "core/overflow.h"
#include "core/sim.h"

/* What is done at once, also for an actor that rests. Takes it. */
static void control(struct worker *worker, struct actor *actor, troupe_message *message)
{
    if (message->flags == MESSAGE_CHASE) {
        chase_came(worker, actor, message);
        return;
    }
    if (message->flags != MESSAGE_FORGET) {
        overflow_control(worker, actor, message);
        return;
    }
    counter_add(&worker->counters.handled, 1);
    debt_forget(actor, troupe_asker_of(message));
    message_dispose(worker, message);
}

/* Takes a message into its lane, or does at once what it is for. */
static void admit(struct worker *worker, struct actor *actor, troupe_message *message)
{
    if (UNLIKELY(message->message_class >= OVERFLOW_MARK)) {
        overflow_settle(worker, actor, message);
        return;
    }
    if (UNLIKELY(message->flags >= MESSAGE_PARK) && (message->flags & MESSAGE_RIDES) == 0) {
        control(worker, actor, message);
        return;
    }
    if (UNLIKELY(message->flags == MESSAGE_SHUTDOWN))
        overflow_unpark(worker, actor); /* whoever is to end must not rest on others */
    if (message_is_bounded(message))
        load_add(actor, message_load_of(message));
    mailbox_lane_push(actor, message);
}

void mailbox_splice(struct worker *worker, struct actor *actor, troupe_message *left)
{
    /*
     * Acquire pairs with the release of the push: bodies are visible. Release pairs with the acquire of the
     * push that finds NULL: its pusher may write arrival_next, which we have read.
     */
    troupe_message *message = exchange_acq_rel(&actor->arrived, left);
    troupe_message *oldest = NULL;
    while (has_arrived(message)) {
        troupe_message *next = message->next;
        message->next = oldest;
        oldest = message;
        message = next;
    }
    uint64_t load = 0;
    uint32_t generation = load_relaxed(&actor->generation);
    while (oldest != NULL) {
        troupe_message *next = oldest->next;
        load += message_is_bounded(oldest) ? message_load_of(oldest) : 0;
        if (LIKELY(oldest->generation == generation))
            admit(worker, actor, oldest);
        else /* its sender still found who has ended since */
            post_dead_letter(worker, message_to(actor, oldest), oldest, TROUPE_DEAD_ENDED);
        oldest = next;
    }
    if (load > 0 && !TROUPE_PLANTED(room_leaked))      /* after actor.load: invariant 3 */
        fetch_sub_release(&actor->arrived_load, load); /* with reserve in post.c */
}

void mailbox_push_local(struct worker *worker, struct actor *actor, troupe_message *message)
{
    troupe_message *arrived = load_relaxed(&actor->arrived);
    if (UNLIKELY(has_arrived(arrived)) && !TROUPE_PLANTED(order_lost))
        mailbox_splice(worker, actor, MAILBOX_NOTIFIED); /* invariant 2 */
    admit(worker, actor, message);
    if (!actor->is_queued && mailbox_has_any(actor))
        scheduler_wake(worker, actor);
}

void mailbox_push_remote(struct troupe_system *system, struct actor *actor, troupe_message *message)
{
    troupe_message *head = load_relaxed(&actor->arrived);
    do {
        message->next = head;
        /* Acquire and release pair with the splice, see there. */
    } while (!cas_acq_rel(&actor->arrived, &head, message));
    if (head == NULL && !sim_holds_notice(system->sim, actor)) /* invariant 1: the notice is ours to send */
        worker_notify(system->workers[load_acquire(&actor->home)], actor);
}

troupe_message *mailbox_pop_lanes(struct actor *actor)
{
    struct lane *lane = &actor->normal;
    if (actor->attention & ATTENTION_LANES) {
        lane = actor_lane(actor, TROUPE_CLASS_SYSTEM);
        if (lane->first == NULL)
            lane = actor_lane(actor, TROUPE_CLASS_URGENT);
        if (lane->first == NULL) {
            actor->attention &= (uint8_t)~ATTENTION_LANES;
            lane = &actor->normal;
        }
    }
    troupe_message *message = lane->first;
    if (message == NULL)
        return NULL;
    lane->first = message->next;
    if (message_is_bounded(message))
        load_add(actor, 0 - message_load_of(message));
    return message;
}

troupe_message *mailbox_pop_arrived(struct worker *worker, struct actor *actor)
{
    troupe_message *arrived = load_relaxed(&actor->arrived);
    if (!has_arrived(arrived))
        return NULL;
    mailbox_splice(worker, actor, TROUPE_PLANTED(notice_unmarked) ? NULL : MAILBOX_NOTIFIED);
    return mailbox_pop_lanes(actor);
}

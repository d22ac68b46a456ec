/* SPDX-License-Identifier: MIT */
/* mailbox.c: see mailbox.h for the states, the invariants and why order is kept. */
#include "core/mailbox.h"

#include "core/overflow.h"

troupe_message mailbox_notified;

/* Takes a message into its lane, or does at once what it is for. */
static void admit(struct worker *worker, struct actor *actor, troupe_message *message)
{
    if (UNLIKELY(message->message_class >= OVERFLOW_MARK)) {
        overflow_settle(worker, actor, message);
        return;
    }
    if (UNLIKELY(message->flags >= MESSAGE_PARK)) {
        overflow_control(worker, actor, message);
        return;
    }
    if (UNLIKELY(message->flags == MESSAGE_SHUTDOWN))
        overflow_unpark(worker, actor); /* whoever is to end must not rest on others */
    if (message_is_bounded(message))
        len_add(actor, 1, message_weight(message->size));
    lane_push(&actor->lanes[message->message_class], message);
}

static bool has_any(const struct actor *actor)
{
    return actor->lanes[0].first != NULL || actor->lanes[1].first != NULL || actor->lanes[2].first != NULL;
}

void mailbox_splice(struct worker *worker, struct actor *actor, troupe_message *left)
{
    /*
     * Acquire pairs with the release of the push: bodies are visible. Release pairs with the acquire of the
     * push that finds NULL: its pusher may write arrival_next, which we have read.
     */
    troupe_message *message = exchange_acq_rel(&actor->arrived, left);
    troupe_message *oldest = NULL;
    while (message != NULL && message != MAILBOX_NOTIFIED) {
        troupe_message *next = message->next;
        message->next = oldest;
        oldest = message;
        message = next;
    }
    uint32_t count = 0;
    uint64_t weight = 0;
    uint32_t generation = load_relaxed(&actor->generation);
    while (oldest != NULL) {
        troupe_message *next = oldest->next;
        bool bounded = message_is_bounded(oldest);
        count += bounded;
        weight += bounded ? message_weight(oldest->size) : 0;
        if (LIKELY(oldest->generation == generation))
            admit(worker, actor, oldest);
        else /* its sender still found who has ended since */
            post_dead_letter(worker, message_to(actor, oldest), oldest, TROUPE_DEAD_ENDED);
        oldest = next;
    }
    if (count > 0)                                                               /* after len: invariant 3 */
        fetch_sub_release(&actor->arrived_load, (uint64_t)count | weight << 32); /* with reserve in post.c */
}

void mailbox_push_local(struct worker *worker, struct actor *actor, troupe_message *message)
{
    troupe_message *arrived = load_relaxed(&actor->arrived);
    if (UNLIKELY(arrived != NULL) && arrived != MAILBOX_NOTIFIED)
        mailbox_splice(worker, actor, MAILBOX_NOTIFIED); /* invariant 2 */
    admit(worker, actor, message);
    if (!actor->is_queued && has_any(actor))
        scheduler_wake(worker, actor);
}

void mailbox_push_remote(struct troupe_system *system, struct actor *actor, troupe_message *message)
{
    troupe_message *head = load_relaxed(&actor->arrived);
    do {
        message->next = head;
        /* Acquire and release pair with the splice, see there. */
    } while (!cas_acq_rel(&actor->arrived, &head, message));
    if (head == NULL) /* invariant 1: the notice is ours to send */
        worker_notify(system->workers[load_acquire(&actor->home)], actor);
}

troupe_message *mailbox_pop_arrived(struct worker *worker, struct actor *actor)
{
    troupe_message *arrived = load_relaxed(&actor->arrived);
    if (arrived == NULL || arrived == MAILBOX_NOTIFIED)
        return NULL;
    mailbox_splice(worker, actor, MAILBOX_NOTIFIED);
    return mailbox_pop_lanes(actor);
}

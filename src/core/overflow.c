/* SPDX-License-Identifier: MIT */
/* overflow.c: see overflow.h. All of it is off the common way of a message. */
#include "core/overflow.h"

#include "base/plant.h"
#include "core/extras.h"
#include "core/mailbox.h"
#include "core/waits.h"

enum park_state {
    PARK_NOT = 0,
    PARK_SOON,  /* its turn is not over */
    PARK_RESTS, /* in no queue */
};

static const troupe_type crowded_type = {.name = "troupe_crowded", .id = 4, .version = 1, .is_fixed = true};
static const troupe_type park_type = {.name = "troupe_park", .id = 2, .version = 1, .is_fixed = true};

/* Parks the running actor on `to`; false when it must not, or cannot. */
static bool park(struct worker *worker, troupe_ref to)
{
    struct actor *sender = worker->index == OUTSIDE ? NULL : worker->self.actor;
    if (sender == NULL || sender->park_state != PARK_NOT || sender->phase != ACTOR_RUNNING)
        return false;
    troupe_message *block = message_new(worker, &park_type, 0);
    if (block == NULL)
        return false;
    struct waits_chain ring;
    bool waits = waits_begin(worker->self.context.system, sender, to, false, &ring);
    if (!waits && !TROUPE_PLANTED(ring_closed)) {
        slab_free(&worker->slab, block, sizeof *block);
        return false;
    }
    block->flags = MESSAGE_PARK;
    block->message_class = TROUPE_CLASS_SYSTEM;
    block->sender = worker->self.ref;
    sender->park_state = PARK_SOON;
    sender->attention |= ATTENTION_ENDS_TURN;
    post_unbounded(worker, to, block);
    return true;
}

/*
 * Room over the bound for one more message of load `mine`, reserved when the sender is elsewhere: of senders
 * elsewhere never more than as many again, unless they park, and of all never more bytes than a load holds.
 */
static bool reserve_over(struct actor *target, uint64_t mine, bool is_local, bool parks)
{
    uint64_t arrived = load_relaxed(&target->arrived_load);
    do {
        if ((load_relaxed(&target->load) + arrived + mine) >> 32 > OVERFLOW_BYTES_MAX)
            return false;
        if (is_local)
            return true;
        if (!parks && (uint32_t)arrived >= (uint32_t)load_relaxed(&target->limit))
            return false;
        /* Acquire on success pairs with mailbox_splice: mailbox.h, invariant 3. */
    } while (!cas_acq_rel(&target->arrived_load, &arrived, arrived + mine));
    return true;
}

/* Parks the running actor with its message; false, and nothing is reserved: it cannot. */
static bool park_over(struct worker *worker, struct actor *target, troupe_ref to, uint64_t mine,
                      bool is_local)
{
    if (!reserve_over(target, mine, is_local, true))
        return false;
    if (park(worker, to))
        return true;
    if (!is_local)
        fetch_sub_relaxed(&target->arrived_load, mine);
    return false;
}

enum overflow_admission overflow_admit(struct worker *worker, struct actor *target, troupe_ref to,
                                       uint64_t mine, bool is_local)
{
    switch ((troupe_overflow)load_relaxed(&target->overflow)) {
    case TROUPE_OVERFLOW_REFUSE:
        break;
    case TROUPE_OVERFLOW_DROP_NEWEST:
        return OVERFLOW_DROPPED;
    case TROUPE_OVERFLOW_DROP_OLDEST:
    case TROUPE_OVERFLOW_SHED:
        return reserve_over(target, mine, is_local, false) ? OVERFLOW_OVER : OVERFLOW_REFUSED;
    case TROUPE_OVERFLOW_PARK:
        return park_over(worker, target, to, mine, is_local) ? OVERFLOW_OVER : OVERFLOW_REFUSED;
    }
    return OVERFLOW_REFUSED;
}

/* Takes the oldest bounded message out of a lane; NULL when it has none. */
static troupe_message *lane_victim(struct actor *actor, troupe_class message_class)
{
    troupe_message *before = NULL;
    struct lane *lane = actor_lane(actor, message_class);
    for (troupe_message *message = lane->first; message != NULL; before = message, message = message->next) {
        if (!message_is_bounded(message) && !TROUPE_PLANTED(system_shed))
            continue;
        if (before == NULL)
            lane->first = message->next;
        else
            before->next = message->next;
        if (lane->last == message)
            lane->last = before;
        load_add(actor, 0 - message_load_of(message));
        return message;
    }
    return NULL;
}

/* Who goes to make room for `message`: NULL is the message itself. */
static troupe_message *victim_of(struct actor *actor, const troupe_message *message)
{
    bool sheds = load_relaxed(&actor->overflow) == TROUPE_OVERFLOW_SHED;
    if (sheds && message->message_class != TROUPE_CLASS_URGENT)
        return NULL;
    troupe_message *victim = lane_victim(actor, TROUPE_CLASS_NORMAL);
    return victim != NULL || sheds ? victim : lane_victim(actor, TROUPE_CLASS_URGENT);
}

static bool lanes_are_full(const struct actor *actor, uint64_t more)
{
    return !load_fits(load_relaxed(&actor->load) + more, load_relaxed(&actor->limit));
}

void overflow_settle(struct worker *worker, struct actor *actor, troupe_message *message)
{
    uint64_t load = message_load_of(message);
    message->message_class &= (uint8_t)~OVERFLOW_MARK;
    while (load_relaxed(&actor->overflow) != TROUPE_OVERFLOW_PARK && lanes_are_full(actor, load)) {
        troupe_message *victim = victim_of(actor, message);
        troupe_message *dropped = victim != NULL ? victim : message;
        troupe_dead_reason reason = TROUPE_DEAD_DROPPED_OLDEST;
        if (load_relaxed(&actor->overflow) == TROUPE_OVERFLOW_SHED)
            reason = TROUPE_DEAD_SHED;
        else if (victim == NULL)
            reason = TROUPE_DEAD_DROPPED_NEWEST;
        post_dead_letter(worker, message_to(actor, dropped), dropped, reason);
        if (victim == NULL)
            return;
    }
    load_add(actor, load);
    mailbox_lane_push(actor, message);
}

/* Sends the block of a parked actor back to it. */
static void park_answer(struct worker *worker, troupe_message *block)
{
    troupe_ref sender = block->sender;
    block->flags = MESSAGE_UNPARK;
    post_unbounded(worker, sender, block);
}

static bool has_room(const struct actor *actor)
{
    uint64_t limit = load_relaxed(&actor->limit);
    uint64_t half = (limit >> 32) / 2 << 32 | (uint32_t)limit / 2;
    return load_fits(load_relaxed(&actor->load), half);
}

void overflow_unpark(struct worker *worker, struct actor *actor)
{
    uint8_t state = actor->park_state;
    if (state == PARK_NOT)
        return;
    actor->park_state = PARK_NOT;
    waits_end(actor);
    if (state == PARK_RESTS)
        run_queue_push(&worker->ready, actor);
}

void overflow_crowded(struct worker *worker, struct actor *target, troupe_ref to)
{
    if (exchange_acquire(&target->is_crowded, 1) != 0)
        return;
    troupe_message *message = message_new(worker, &crowded_type, 0);
    if (message != NULL) {
        message->flags = MESSAGE_CROWDED;
        message->message_class = TROUPE_CLASS_SYSTEM;
        post_aside(worker, to, message);
    }
    if (message == NULL || system_find(worker->self.context.system, to) == NULL)
        store_relaxed(&target->is_crowded, 0); /* nobody to tell, or the next tenant has not been told */
}

/* Tells subscribers that the mailbox is crowded, or is no more. */
static void crowd_tell(struct worker *worker, struct actor *actor, troupe_event_kind kind)
{
    if (system_observes(worker->self.context.system, (uint32_t)kind))
        events_tell_of(worker, kind, actor, actor_ref(actor), TROUPE_OK);
}

/* Word from a sender: by now there may be room again. */
static void crowd_begins(struct worker *worker, struct actor *actor)
{
    if (has_room(actor)) {
        store_relaxed(&actor->is_crowded, 0);
        return;
    }
    actor->attention |= ATTENTION_CROWD;
    crowd_tell(worker, actor, TROUPE_EVENT_OVERFLOW_BEGAN);
}

static void crowd_ends(struct worker *worker, struct actor *actor)
{
    actor->attention &= (uint8_t)~ATTENTION_CROWD;
    store_relaxed(&actor->is_crowded, 0);
    crowd_tell(worker, actor, TROUPE_EVENT_OVERFLOW_ENDED);
}

void overflow_control(struct worker *worker, struct actor *actor, troupe_message *message)
{
    counter_add(&worker->counters.handled, 1);
    if (message->flags == MESSAGE_CROWDED) {
        crowd_begins(worker, actor);
        slab_free(&worker->slab, message, sizeof *message);
        return;
    }
    if (message->flags == MESSAGE_UNPARK) {
        overflow_unpark(worker, actor);
        slab_free(&worker->slab, message, sizeof *message);
        return;
    }
    struct extras *extras = has_room(actor) ? NULL : extras_of(worker, actor);
    if (extras == NULL) {
        park_answer(worker, message);
        return;
    }
    message->next = extras->parked;
    extras->parked = message;
    actor->attention |= ATTENTION_GUESTS;
}

void overflow_release(struct worker *worker, struct actor *actor, bool all)
{
    struct extras *extras = actor->extras;
    if (UNLIKELY((actor->attention & ATTENTION_CROWD) != 0) && !all && has_room(actor))
        crowd_ends(worker, actor);
    bool is_time = all || (has_room(actor) && !TROUPE_PLANTED(parked_kept));
    if (extras == NULL || extras->parked == NULL || !is_time)
        return;
    troupe_message *block = extras->parked;
    extras->parked = NULL;
    actor->attention &= (uint8_t)~ATTENTION_GUESTS;
    while (block != NULL) {
        troupe_message *next = block->next;
        park_answer(worker, block);
        block = next;
    }
}

void overflow_bounce(struct worker *worker, troupe_message *block)
{
    park_answer(worker, block);
}

bool overflow_rests(struct actor *actor)
{
    if (actor->park_state == PARK_NOT)
        return false;
    actor->park_state = PARK_RESTS;
    return true;
}

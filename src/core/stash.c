/* SPDX-License-Identifier: MIT */
/*
 * stash.c: see stash.h. The stash is one list in the order of arrival; giving it back puts each message
 * before those of its class that came later, so the order per sender stands.
 */
#include "core/stash.h"

#include "core/mailbox.h"

void stash_keep(struct worker *worker, struct actor *actor, troupe_message *message)
{
    bool can_be_kept = message_is_bounded(message);
    struct extras *extras = can_be_kept ? extras_of(worker, actor) : NULL;
    if (extras == NULL || extras->stash_len >= (uint32_t)load_relaxed(&actor->limit)) {
        post_dead_letter(worker, message_to(actor, message), message,
                         !can_be_kept     ? TROUPE_DEAD_UNEXPECTED
                         : extras == NULL ? TROUPE_DEAD_NO_MEMORY
                                          : TROUPE_DEAD_STASH_FULL);
        return;
    }
    lane_push(&extras->stash, message);
    extras->stash_len++;
}

void stash_bury(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    while (extras->stash.first != NULL) {
        troupe_message *message = extras->stash.first;
        extras->stash.first = message->next;
        post_dead_letter(worker, message_to(actor, message), message, TROUPE_DEAD_ENDED);
    }
}

void troupe_unstash(troupe_self *self)
{
    struct actor *actor = self->actor;
    struct extras *extras = actor->extras;
    struct lane back[LANE_COUNT] = {0};
    if (extras == NULL)
        return;
    while (extras->stash.first != NULL) {
        troupe_message *message = extras->stash.first;
        extras->stash.first = message->next;
        load_add(actor, message_load_of(message));
        lane_push(&back[message->message_class], message);
    }
    extras->stash_len = 0;
    for (uint32_t i = 0; i < LANE_COUNT; i++) {
        struct lane *lane = actor_lane(actor, i);
        if (back[i].first == NULL)
            continue;
        back[i].last->next = lane->first;
        if (lane->first == NULL)
            lane->last = back[i].last;
        lane->first = back[i].first;
        if (i != TROUPE_CLASS_NORMAL)
            actor->attention |= ATTENTION_LANES;
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * role_outbox.c: what a role owes to other roles (answers, forwarded messages, escalations) is carried there
 * at least once; the receiver knows it by (stream, number) and takes it in once. Part of the role actor;
 * nothing blocks.
 *
 *   org_sent is on the disk --role_deliver--> the other role: on its disk --role_delivered--> org_delivered
 *                               ^                                   |
 *                               +--- again, a little later <--------+-- no answer, not in order, not set up
 *
 * Entries go out in the order of their numbers without waiting for each other, ROLE_DELIVERIES_MAX at most:
 * mailboxes keep the order between two actors, so the receiver sees them in a row. When one is lost on the
 * way (the receiver was started anew), those after it for the same role are refused as out of order, and all
 * of them go out again.
 */
#include <assert.h>
#include <stdlib.h>

#include "org/plant.h"
#include "server/messages.h"
#include "server/role_actor.h"

/* How long the other role may take, its own journal's commit included. */
#define DELIVER_TIMEOUT_MS 30000

/* Only what is gone through again may be under way already. */
static bool is_under_way(const struct role_actor *actor, uint64_t number)
{
    if (number > actor->again_upto)
        return false;
    for (uint32_t i = 0; i < ROLE_DELIVERIES_MAX; i++) {
        if (actor->deliveries[i].number == number)
            return true;
    }
    return false;
}

static bool make_deliveries(struct role_actor *actor)
{
    actor->deliveries = calloc(ROLE_DELIVERIES_MAX, sizeof *actor->deliveries);
    for (uint32_t i = 0; actor->deliveries != NULL && i < ROLE_DELIVERIES_MAX; i++) {
        actor->deliveries[i].next = actor->free_delivery;
        actor->free_delivery = &actor->deliveries[i];
    }
    return actor->deliveries != NULL;
}

static struct role_delivery *delivery_begin(struct role_actor *actor, uint64_t number)
{
    struct role_delivery *delivery = actor->free_delivery;
    assert(delivery != NULL);
    actor->free_delivery = delivery->next;
    delivery->actor = actor;
    delivery->number = number;
    actor->delivery_count++;
    return delivery;
}

static uint64_t delivery_end(struct role_delivery *delivery)
{
    uint64_t number = delivery->number;
    delivery->number = 0;
    delivery->next = delivery->actor->free_delivery;
    delivery->actor->free_delivery = delivery;
    delivery->actor->delivery_count--;
    return number;
}

static troupe_status note(troupe_self *self, struct role_actor *actor, enum org_command_kind kind,
                          uint64_t number, uint64_t id, const char *reason)
{
    struct org_command command = {.kind = kind,
                                  .acknowledge = {.number = number, .id = id, .reason = reason}};
    struct role_decision decision;
    troupe_status status = role_decide(self, actor, &command, &decision);
    return status == TROUPE_NO_MEMORY ? role_try_later(self, actor) : status;
}

static troupe_status give_up(troupe_self *self, struct role_actor *actor, uint64_t number, const char *reason)
{
    uint64_t id = ids_next(actor->ids, role_now_ms(self, actor));
    return note(self, actor, ORG_UNDELIVERABLE, number, id, reason);
}

static troupe_status on_delivered(troupe_self *self, troupe_status status, const troupe_message *message,
                                  void *context)
{
    struct role_delivery *delivery = context;
    struct role_actor *actor = delivery->actor;
    uint64_t number = delivery_end(delivery);
    const role_delivered *delivered = status == TROUPE_OK ? role_delivered_of(message) : NULL;
    if (delivered == NULL)
        return role_try_later(self, actor);
    status = role_step(self, actor, ROLE_STEP_DELIVERED);
    if (status != TROUPE_OK)
        return status;
    switch ((enum org_refusal)delivered->refusal) {
    case ORG_REFUSED_NONE:
        return note(self, actor, ORG_ACKNOWLEDGE, number, delivered->id, NULL);
    case ORG_REFUSED_ORDER:
    case ORG_REFUSED_CLOSED:
    case ORG_REFUSED_ID_TAKEN:
        return role_try_later(self, actor);
    default:
        return give_up(self, actor, number, org_refusal_text((enum org_refusal)delivered->refusal));
    }
}

/* Whether there is such a role at all, or it only slept. */
static troupe_status on_found(troupe_self *self, troupe_status status, const troupe_message *message,
                              void *context)
{
    struct role_delivery *delivery = context;
    struct role_actor *actor = delivery->actor;
    uint64_t number = delivery_end(delivery);
    const role_exists *exists = status == TROUPE_OK ? role_exists_of(message) : NULL;
    if (exists == NULL)
        return role_try_later(self, actor);
    if (exists->is_known) { /* it slept, and the directory has woken it */
        role_outbox_again(actor);
        return TROUPE_OK;
    }
    return give_up(self, actor, number, "there is no such role");
}

static troupe_status deliver(troupe_self *self, struct role_actor *actor, const org_sent *sent, size_t size)
{
    struct role_delivery *delivery = delivery_begin(actor, sent->number);
    const char *to = troupe_flat_text(sent, sent->to);
    troupe_ref role = troupe_whereis(self, to);
    troupe_status status = role_step(self, actor, ROLE_STEP_DELIVER);
    if (status != TROUPE_OK)
        return status;
    if (troupe_ref_is_none(role))
        status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), DELIVER_TIMEOUT_MS, on_found,
                            delivery, role_search, .role = to);
    else
        status = troupe_ask(self, role, DELIVER_TIMEOUT_MS, on_delivered, delivery, role_deliver,
                            .sent = {sent, size}, .source = actor->stream);
    if (status == TROUPE_OK)
        return TROUPE_OK;
    delivery_end(delivery);
    return role_try_later(self, actor);
}

troupe_status role_deliver_owed(troupe_self *self, struct role_actor *actor)
{
    while (actor->delivery_count < ROLE_DELIVERIES_MAX) {
        size_t size;
        const org_sent *sent = org_role_outbox_after(actor->role, actor->delivered_upto, &size);
        if (sent == NULL || sent->number > actor->committed_outbox)
            return TROUPE_OK;
        if (ORG_PLANTED(outbox_forgotten) && sent->number <= actor->read_outbox) {
            actor->delivered_upto = actor->read_outbox;
            continue;
        }
        if (actor->deliveries == NULL && !make_deliveries(actor))
            return role_try_later(self, actor);
        actor->delivered_upto = sent->number;
        if (is_under_way(actor, sent->number))
            continue;
        troupe_status status = deliver(self, actor, sent, size);
        if (status != TROUPE_OK)
            return status;
    }
    return TROUPE_OK;
}

void role_outbox_again(struct role_actor *actor)
{
    if (actor->delivered_upto > actor->again_upto)
        actor->again_upto = actor->delivered_upto;
    actor->delivered_upto = 0;
}

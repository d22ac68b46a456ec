/* SPDX-License-Identifier: MIT */
/*
 * router.c: an actor that passes each message on to one member of a group. It keeps nothing but its turn:
 * who is a member, the group knows. A member that is full is passed over for the next, at most TRIES_MAX
 * times.
 */
#include <stdlib.h>
#include <string.h>

#include "core/group.h"
#include "core/system.h"
#include "core/trace.h"

enum {
    TRIES_MAX = 8,
    HASH_MEMBERS_MAX = 1024, /* members that a hash is compared over; more are left out of it */
};

struct router {
    char group[TROUPE_NAME_LEN_MAX + 1];
    troupe_routing routing;
    uint64_t turn;
};

static uint32_t depth_of(troupe_self *self, troupe_ref who)
{
    troupe_actor_info info;
    return troupe_actor_inspect(troupe_system_of(self), who, &info) == TROUPE_OK ? info.depth : UINT32_MAX;
}

/* The shallower of two members chosen at random. */
static troupe_ref smallest(troupe_self *self, struct groups *groups, const char *name)
{
    uint32_t size;
    uint64_t bits = troupe_random(self);
    troupe_ref one = group_pick(groups, name, bits >> 32, &size);
    if (size < 2)
        return one;
    uint64_t other = (bits >> 32) % size + 1 + (bits & UINT32_MAX) % (size - 1);
    troupe_ref two = group_pick(groups, name, other, &size);
    return depth_of(self, two) < depth_of(self, one) ? two : one;
}

/* The member whose number mixed with the key comes out highest. */
static troupe_ref by_hash(struct groups *groups, const char *name, const troupe_message *message)
{
    troupe_ref members[HASH_MEMBERS_MAX];
    uint32_t count = group_copy(groups, name, members, HASH_MEMBERS_MAX);
    uint64_t key = 0;
    memcpy(&key, troupe_body(message), message->size < sizeof key ? message->size : sizeof key);
    troupe_ref best = troupe_ref_none();
    uint64_t highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t weight = trace_mix(trace_mix(0, key), members[i].bits);
        if (weight >= highest) {
            highest = weight;
            best = members[i];
        }
    }
    return best;
}

static troupe_ref choose(troupe_self *self, struct router *router, const troupe_message *message)
{
    struct groups *groups = &self->context.system->groups;
    uint32_t size;
    switch (router->routing) {
    case TROUPE_ROUTE_ROUND_ROBIN:
        return group_pick(groups, router->group, router->turn++, &size);
    case TROUPE_ROUTE_RANDOM:
        return group_pick(groups, router->group, troupe_random(self) >> 16, &size);
    case TROUPE_ROUTE_SMALLEST:
        return smallest(self, groups, router->group);
    case TROUPE_ROUTE_HASH:
        return by_hash(groups, router->group, message);
    }
    return troupe_ref_none();
}

static troupe_status router_receive(troupe_self *self, const troupe_message *message)
{
    struct router *router = troupe_state(self);
    uint32_t tries = router->routing == TROUPE_ROUTE_HASH ? 1 : TRIES_MAX;
    for (uint32_t i = 0; i < tries; i++) {
        troupe_ref to = choose(self, router, message);
        if (troupe_ref_is_none(to))
            break;
        if (troupe_forward(self, to, message) == TROUPE_OK)
            return TROUPE_OK;
    }
    return TROUPE_UNEXPECTED; /* nobody takes it: a dead letter, and whoever asked is told */
}

troupe_ref troupe_context_router(troupe_context *from, const troupe_router_spec *spec,
                                 troupe_status *ret_status)
{
    static const troupe_behaviour behaviour = {
        .name = "router",
        .state_size = sizeof(struct router),
        .receive = router_receive,
    };
    troupe_ref ref = troupe_ref_none();
    troupe_status status = TROUPE_INVALID;
    size_t len = spec->group == NULL ? 0 : strnlen(spec->group, TROUPE_NAME_LEN_MAX + 1);
    if (len > 0 && len <= TROUPE_NAME_LEN_MAX && spec->routing <= TROUPE_ROUTE_HASH) {
        struct router router = {.routing = spec->routing};
        memcpy(router.group, spec->group, len + 1);
        troupe_spawn_options options = {.state = &router,
                                        .name = spec->name,
                                        .mailbox_len_max = spec->mailbox_len_max,
                                        .overflow = spec->overflow,
                                        .ret_status = &status};
        ref = troupe_context_spawn(from, &behaviour, &options);
    }
    if (ret_status != NULL)
        *ret_status = status;
    return ref;
}

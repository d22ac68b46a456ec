/* SPDX-License-Identifier: MIT */
/*
 * router.c: an actor that passes each message on to one member of a group. It keeps nothing but its turn:
 * who is a member, the group knows. A member that is full is passed over for the next, at most TRIES_MAX
 * times.
 */
#include <stdlib.h>
#include <string.h>

#include "core/flat.h"
#include "core/group.h"
#include "core/system.h"

enum {
    TRIES_MAX = 8,
    KEY_OF_BODY_SIZE = 8,
};

/* Where the key of a message is. */
enum key_kind {
    KEY_OF_BODY, /* its first bytes */
    KEY_IN_PLACE,
    KEY_IN_SPAN, /* a text or bytes */
};

struct router {
    char group[TROUPE_NAME_LEN_MAX + 1];
    troupe_routing routing;
    uint64_t turn;
    enum key_kind key_kind;
    uint32_t type; /* whose field the key is */
    uint16_t type_version;
    uint32_t key_offset;
    size_t key_size;
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

/* The bytes that a message is routed by: the field that the spec names, or the first of the body. */
static troupe_bytes key_of(const struct router *router, const troupe_message *message)
{
    const char *body = troupe_body(message);
    if (router->key_kind == KEY_OF_BODY || message->type != router->type ||
        message->version != router->type_version)
        return (troupe_bytes){body, message->size < KEY_OF_BODY_SIZE ? message->size : KEY_OF_BODY_SIZE};
    if (router->key_kind == KEY_IN_PLACE)
        return (troupe_bytes){body + router->key_offset, router->key_size};
    troupe_span span;
    memcpy(&span, body + router->key_offset, sizeof span);
    return troupe_bytes_of(message, span);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(troupe_bytes bytes)
{
    const uint8_t *at = bytes.data;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
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
        return group_pick_hash(groups, router->group, hash_of(key_of(router, message)));
    }
    return troupe_ref_none();
}

static troupe_status router_receive(troupe_self *self, const troupe_message *message)
{
    struct router *router = troupe_state(self);
    uint32_t tries = router->routing == TROUPE_ROUTE_HASH ? 1 : TRIES_MAX;
    troupe_status status = TROUPE_NO_ACTOR;
    for (uint32_t i = 0; i < tries; i++) {
        troupe_ref to = choose(self, router, message);
        if (troupe_ref_is_none(to))
            break;
        status = troupe_forward(self, to, message);
        if (status == TROUPE_OK)
            return TROUPE_OK;
    }
    if (message->ask == 0)
        return TROUPE_UNEXPECTED; /* nobody takes it: a dead letter */
    troupe_refuse(self, troupe_asker_of(message), status);
    return TROUPE_OK;
}

/* Finds the field that is the key. False: the type has none of that name, or it is a blob. */
static bool key_find(struct router *router, const troupe_router_spec *spec)
{
    if (spec->key_type == NULL)
        return spec->key_field == NULL;
    for (uint32_t i = 0; i < spec->key_type->field_count && spec->key_field != NULL; i++) {
        const troupe_field *field = &spec->key_type->fields[i];
        if (strcmp(field->name, spec->key_field) != 0)
            continue;
        bool is_span = field->kind == TROUPE_FIELD_text || field->kind == TROUPE_FIELD_bytes;
        router->key_kind = is_span ? KEY_IN_SPAN : KEY_IN_PLACE;
        router->type = spec->key_type->id;
        router->type_version = spec->key_type->version;
        router->key_offset = field->offset;
        router->key_size = flat_kind_size(field->kind) * field->count;
        return field->kind != TROUPE_FIELD_blob;
    }
    return false;
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
        bool has_key = key_find(&router, spec);
        troupe_spawn_options options = {.state = &router,
                                        .name = spec->name,
                                        .mailbox_len_max = spec->mailbox_len_max,
                                        .overflow = spec->overflow,
                                        .ret_status = &status};
        if (has_key)
            ref = troupe_context_spawn(from, &behaviour, &options);
    }
    if (ret_status != NULL)
        *ret_status = status;
    return ref;
}

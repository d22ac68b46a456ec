/* SPDX-License-Identifier: MIT */
/*
 * group.h: many actors under one name. A group is the set of the live actors that joined it; a broadcast
 * goes to each of them; a router is an actor that passes each message on to one of them. A pool is a
 * supervisor whose children join a group (`.options.group`) and a router in front.
 */
#ifndef TROUPE_GROUP_H
#define TROUPE_GROUP_H

#include <troupe/actor.h>
#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The most members of one group, and the most groups that one actor is in. */
#define TROUPE_GROUP_MEMBERS_MAX 65536u
#define TROUPE_GROUPS_OF_ACTOR_MAX 16u

/**
 * Makes this actor a member; a group comes to be with its first. Joining twice changes nothing. Group names
 * are apart from actors' names, of the same length. It leaves by itself when it ends. Errors:
 * TROUPE_INVALID (the name), TROUPE_LIMIT, TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_join(troupe_self *self, const char *group);

/** Ends this actor's membership, if it is a member. */
TROUPE_API void troupe_leave(troupe_self *self, const char *group);

/** As troupe_group_size, which is what users call. */
TROUPE_API uint32_t troupe_context_group_size(troupe_context *from, const char *group);

/** How many members a group has now; 0 when there is none of that name. `from` is a self or a system. */
#define troupe_group_size(from, group) troupe_context_group_size(TROUPE_CONTEXT(from), (group))

/** As troupe_broadcast, with the fields given as a struct. */
TROUPE_API uint32_t troupe_broadcast_fields(troupe_context *from, const char *group, const troupe_type *type,
                                            const void *fields);

/**
 * Sends to every member, the sender too if it is one: troupe_broadcast(from, group, type, .field = value,
 * ...). Returns how many took it; a full mailbox refuses for itself alone.
 */
#define troupe_broadcast(from, group, ...) TROUPE__BROADCAST((from), (group), __VA_ARGS__, )
#define TROUPE__BROADCAST(from, group, type, ...)                                                            \
    troupe_broadcast_fields(TROUPE_CONTEXT(from), group, &type##_type, TROUPE_FIELDS(type, __VA_ARGS__))

/** How a router chooses. */
typedef enum troupe_routing {
    TROUPE_ROUTE_ROUND_ROBIN = 0, /**< each in turn */
    TROUPE_ROUTE_RANDOM,          /**< any, with equal chance */
    TROUPE_ROUTE_SMALLEST,        /**< the one with the fewest messages waiting, of two chosen at random */
    /** by a key in the message: equal ones to the same member while it lives; see key_field */
    TROUPE_ROUTE_HASH,
} troupe_routing;

/** What a router is; copied. */
typedef struct troupe_router_spec {
    const char *group; /**< whose members it passes messages on to */
    troupe_routing routing;
    const char *name;         /**< registered; NULL: none */
    uint32_t mailbox_len_max; /**< of the router itself; default TROUPE_MAILBOX_LEN_DEFAULT */
    /**
     * HASH: the key is this field, of any kind but blob, of messages of this type; NULL, and for messages of
     * other types, the first 8 bytes of the body (of a text there, that is not its bytes).
     */
    const troupe_type *key_type;
    const char *key_field;
    /** of the router itself; with PARK here and in the members, they hold back whoever sends to it */
    troupe_overflow overflow;
} troupe_router_spec;

/** As troupe_router_start, which is what users call. */
TROUPE_API troupe_ref troupe_context_router(troupe_context *from, const troupe_router_spec *spec,
                                            troupe_status *ret_status);

/**
 * troupe_router_start(from, spec, ret_status): starts a router. It passes on sender and ask, so answers go to
 * whoever asked. A message that no member takes (none there, or FULL at every try) becomes a dead letter;
 * whoever asked is told TROUPE_NO_ACTOR or TROUPE_FULL. Returns none, and the status where `ret_status` is
 * not NULL, when it cannot be: TROUPE_INVALID and those of troupe_spawn. (SMALLEST is the power of two
 * choices, Mitzenmacher 2001; HASH is rendezvous hashing, Thaler and Ravishankar 1998: when a member ends,
 * only its own messages go elsewhere.)
 */
#define troupe_router_start(from, ...) troupe_context_router(TROUPE_CONTEXT(from), __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif

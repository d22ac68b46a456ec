/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h: who lives in a running system, under whom, and how each is doing: the supervision tree with
 * queue lengths, ages and who waits for whom.
 *
 *     troupe_snapshot *snapshot;
 *     if (troupe_snapshot_take(system, &snapshot) == TROUPE_OK)
 *         troupe_snapshot_print(snapshot, stdout);
 *     troupe_snapshot_free(&snapshot);
 *
 * What a snapshot is. Each worker reports the actors that are its own between two of their turns, so what is
 * said of one actor holds for one instant, and nothing is stopped for it; different actors are seen at
 * different instants of the time that the taking lasts. An actor that lived before it began and still lives
 * when it ends is in it exactly once; one that is born or ends meanwhile may be. A worker that does not come
 * to the end of a handler in TROUPE_SNAPSHOT_WAIT_MS is not waited for: of its actors there is what can be
 * read from outside, marked by `is_partial`. In a simulated system, and for the host of an embedded one,
 * everything is seen at one instant, and what is simulated goes on as if nobody had looked.
 *
 * How old messages are costs senders nothing: a message has had the time of its sending in its header all
 * along, from its worker's cached clock, which a busy worker sets about every millisecond and never in the
 * middle of a handler. So `oldest_ms` is never too small, but for what it is rounded by (1 ms), and too large
 * by at most the time that the sender's turn had run then.
 */
#ifndef TROUPE_SNAPSHOT_H
#define TROUPE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How long a worker may go without a report before it is not waited for any longer, in milliseconds. */
#define TROUPE_SNAPSHOT_WAIT_MS 500

/** In place of the index of a node: there is none. */
#define TROUPE_SNAPSHOT_NONE UINT32_MAX

/** How far a walk through waiting messages goes: more than so many in a lane count as so many. */
#define TROUPE_SNAPSHOT_WALK_MAX 65536u

/** Where an actor is in its life. */
typedef enum troupe_actor_state {
    TROUPE_ACTOR_STARTING = 0, /**< its start has not run */
    TROUPE_ACTOR_RUNNING,      /**< handles messages, or waits for some */
    TROUPE_ACTOR_PARKED,       /**< rests until the mailbox of `parked_on` has room again */
    TROUPE_ACTOR_ENDING,       /**< its reason to end is known */
} troupe_actor_state;

/** One actor. */
typedef struct troupe_snapshot_node {
    troupe_ref ref;
    const char *name;         /**< registered; NULL: none */
    const char *child;        /**< its id under its supervisor; NULL: it has none */
    const char *behaviour;    /**< its behaviour's name; lives as long as the behaviour */
    uint32_t parent;          /**< the index of its supervisor, always lower; or TROUPE_SNAPSHOT_NONE */
    uint32_t level;           /**< supervisors above it */
    uint32_t worker;          /**< where it is at home */
    troupe_actor_state state; /**< of a partial one: RUNNING or PARKED, as far as can be told */
    bool is_partial;          /**< without name, unexpected, asks, stash, classes and age: see the head */
    bool is_supervisor;
    bool is_own_thread;
    bool is_runnable;      /**< in a turn, or waits for one */
    uint64_t created;      /**< the how-manieth actor of the system it is, from 1 */
    uint64_t handled;      /**< messages */
    uint64_t unexpected;   /**< messages that it refused as TROUPE_UNEXPECTED */
    uint32_t restarts;     /**< times its supervisor started this child again */
    uint32_t failures;     /**< of its ends before that, those by failure */
    uint32_t depth;        /**< messages waiting that were sent, of both classes */
    uint32_t depth_normal; /**< of those: normal; what other workers' senders just left counts as normal */
    uint32_t depth_urgent; /**< of those: urgent */
    uint32_t depth_system; /**< beside those: timers, exits, replies and other notices */
    uint32_t bytes;        /**< of messages waiting that were sent */
    uint32_t stash_len;    /**< messages that it keeps for later */
    uint32_t oldest_ms;    /**< age of the oldest message waiting, 0 when none is: see the head */
    uint32_t asks;         /**< questions of its own that it waits for the end of */
    troupe_ref parked_on;  /**< whose full mailbox it rests on; none */
} troupe_snapshot_node;

/** A snapshot. Its memory is its own: it stays as it is whatever becomes of the system. */
typedef struct troupe_snapshot {
    uint64_t at_ns; /**< the system's clock when it was begun */
    uint32_t node_count;
    uint32_t partial_count; /**< nodes that are partial */
    /** each after its supervisor and that one's older children, with all that are below those */
    const troupe_snapshot_node *nodes;
} troupe_snapshot;

/**
 * Takes a snapshot, which then belongs to the caller. Blocks until all workers have reported, which they do
 * between two turns. Threads outside, and actors with a thread of their own; within a handler of any other:
 * TROUPE_IN_HANDLER. Not while troupe_stop runs. Errors: TROUPE_NO_MEMORY.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_snapshot_take(troupe_system *system,
                                                                troupe_snapshot **ret_snapshot);

/** Frees a snapshot and clears the pointer. NULL is fine. */
TROUPE_API void troupe_snapshot_free(troupe_snapshot **snapshot);

/** The node of an actor; NULL when it is not there. Takes as long as looking at every node does. */
TROUPE_API const troupe_snapshot_node *troupe_snapshot_find(const troupe_snapshot *snapshot, troupe_ref ref);

/**
 * Writes the tree for people: a line an actor, indented by its level, with its name, its child id or else its
 * behaviour first, and only the numbers that are not 0. The file's own errors are left for ferror.
 */
TROUPE_API void troupe_snapshot_print(const troupe_snapshot *snapshot, FILE *file);

/**
 * Writes the tree as JSON: {"at_ns":..,"partial_count":..,"actors":[..]}, an object a node in the order of
 * `nodes`, its members named as those of troupe_snapshot_node; refs are strings of 16 hexadecimal digits, as
 * in messages, `parent` is null for a root, and texts and `parked_on` are left out when there are none.
 */
TROUPE_API void troupe_snapshot_print_json(const troupe_snapshot *snapshot, FILE *file);

/** The name of a state, "parked"; never NULL. */
TROUPE_API const char *troupe_actor_state_text(troupe_actor_state state);

#ifdef __cplusplus
}
#endif

#endif

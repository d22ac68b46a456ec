/* SPDX-License-Identifier: MIT */
/*
 * actor.h: behaviours and the life of an actor.
 *
 *   spawn --> starting --start() ok--> running --stop, exit, failure, shutdown--> stopping --stop()--> ended
 *                  \--start() fails: stop() is not called--> ended
 *
 * An actor runs on one worker at a time and is never re-entered: its state needs no locks. When it ends,
 * however it ends, its state is freed, its name is free, its timers and watches are gone, whoever monitors
 * it is told, and what is left in its mailbox becomes dead letters.
 */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include <stdbool.h>
#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bounds of a mailbox when the options do not say otherwise. */
#define TROUPE_MAILBOX_LEN_DEFAULT 4096u
#define TROUPE_MAILBOX_BYTES_DEFAULT (4u * 1024u * 1024u)
/** The largest bounds that can be asked for. */
#define TROUPE_MAILBOX_LEN_MAX 16777215u
#define TROUPE_MAILBOX_BYTES_MAX 1073741823u
/** The largest private state. */
#define TROUPE_STATE_SIZE_MAX (1u << 20)

/**
 * What an actor does. A constant that outlives its actors, shared by any number of them.
 * Each function runs on a worker, must not block, and may use `self` only until it returns.
 */
typedef struct troupe_behaviour {
    const char *name;  /**< for people: traces, trees */
    size_t state_size; /**< bytes of private state, at most TROUPE_STATE_SIZE_MAX; aligned for any type */

    /** Optional. Runs before the first message. A failure ends the actor with that reason. */
    troupe_status (*start)(troupe_self *self);

    /**
     * Handles one message, which is borrowed until return. TROUPE_UNEXPECTED refuses the message (it
     * becomes a dead letter and whoever asked is told) and the actor goes on; TROUPE_STASHED keeps it for
     * later (troupe_unstash); any other status but TROUPE_OK is a failure that ends the actor.
     */
    troupe_status (*receive)(troupe_self *self, const troupe_message *message);

    /**
     * Optional. Runs after the last message of each batch (the mailbox is empty or the batch limit is
     * reached) and after start: the place for work that is cheaper in groups, as one commit for many
     * appends. Statuses mean what they mean for receive, TROUPE_UNEXPECTED excepted, which is a failure
     * here.
     */
    troupe_status (*flush)(troupe_self *self);

    /** Optional. Runs once at the end if start succeeded. Sends are still possible. */
    void (*stop)(troupe_self *self, troupe_status reason);
} troupe_behaviour;

/**
 * What a mailbox at its bound does with one more message. Messages from other threads are on their way until
 * the actor's worker takes them in: while as many are as the bound allows, such a sender is told TROUPE_FULL
 * under DROP_OLDEST and SHED as well.
 */
typedef enum troupe_overflow {
    TROUPE_OVERFLOW_REFUSE = 0, /**< the sender is told TROUPE_FULL */
    /** the oldest message goes, normal before urgent; the sender is told TROUPE_OK */
    TROUPE_OVERFLOW_DROP_OLDEST,
    TROUPE_OVERFLOW_DROP_NEWEST, /**< the new one goes; the sender is told TROUPE_OK */
    TROUPE_OVERFLOW_SHED,        /**< an urgent one pushes out the oldest normal one; else the new one goes */
    /** the message is taken and the sender rests until the mailbox is half empty */
    TROUPE_OVERFLOW_PARK,
} troupe_overflow;

/** Options of troupe_spawn; zero means the default for every member. */
typedef struct troupe_spawn_options {
    const void *state;          /**< initial state, `state_size` bytes, copied; NULL: zeros */
    const char *name;           /**< registered before the first message; NULL: none */
    uint32_t mailbox_len_max;   /**< messages; default TROUPE_MAILBOX_LEN_DEFAULT */
    uint32_t mailbox_bytes_max; /**< headers, bodies and blobs; default TROUPE_MAILBOX_BYTES_DEFAULT */
    troupe_overflow overflow;   /**< default TROUPE_OVERFLOW_REFUSE; what is dropped becomes a dead letter */
    const char *group;          /**< joined before the first message; NULL: none. See group.h */
    bool own_thread;            /**< a thread of its own, so that it may block */
    troupe_status *ret_status;  /**< where the status goes; NULL: the ref alone tells */
} troupe_spawn_options;

/** As troupe_spawn, which is what users call. */
TROUPE_API troupe_ref troupe_context_spawn(troupe_context *from, const troupe_behaviour *behaviour,
                                           const troupe_spawn_options *options);

/**
 * troupe_spawn(from, behaviour, options): creates an actor and returns its ref at once; it starts when a
 * worker comes to it. Messages sent meanwhile wait. Returns troupe_ref_none() and writes
 * `*options->ret_status` when it cannot be done: TROUPE_NO_MEMORY, TROUPE_INVALID (behaviour without
 * receive, bounds over their limits), TROUPE_NAME_TAKEN, TROUPE_LIMIT (actors_max), TROUPE_STOPPING,
 * TROUPE_IO (no thread could be had). `options` may be NULL. The actor is temporary: nobody restarts it;
 * see supervisor.h.
 */
#define troupe_spawn(from, ...) troupe_context_spawn(TROUPE_CONTEXT(from), __VA_ARGS__)

/** The actor's own ref. */
TROUPE_API troupe_ref troupe_self_ref(const troupe_self *self);

/** The actor's private state: `state_size` bytes that nobody else touches; NULL when the size is 0. */
TROUPE_API void *troupe_state(troupe_self *self);

/**
 * From the next message on, the actor behaves so. The new behaviour's state_size must not be larger:
 * TROUPE_INVALID.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_become(troupe_self *self,
                                                         const troupe_behaviour *behaviour);

/**
 * Gives back what was stashed. A handler keeps the message it is handling for later by returning
 * TROUPE_STASHED: it is then neither handled nor refused. This puts all kept messages before those that
 * came later, in their order, to be handled next. At most as many as the mailbox's bound are kept; one more
 * is a dead letter. Only what was sent can be kept, not the runtime's notices.
 */
TROUPE_API void troupe_unstash(troupe_self *self);

/** Ends this actor, normally, when the handler has returned. The rest of the mailbox becomes dead letters. */
TROUPE_API void troupe_exit(troupe_self *self);

/**
 * Ends this actor as failed when the handler has returned, with a text that says why (copied, at most
 * TROUPE_REASON_TEXT_MAX bytes are kept). Returns `reason` (TROUPE_FAILED when that was TROUPE_OK) so that
 * a handler can `return troupe_fail(self, TROUPE_IO, "disk gone")`.
 */
TROUPE_API troupe_status troupe_fail(troupe_self *self, troupe_status reason, const char *text);

/** How much of the text of a failure is kept, in bytes without the ending NUL. */
#define TROUPE_REASON_TEXT_MAX 127

/** As troupe_shutdown, which is what users call. */
TROUPE_API troupe_status troupe_context_shutdown(troupe_context *from, troupe_ref who, troupe_status reason);

/**
 * troupe_shutdown(from, who, reason): asks an actor to end with `reason`. It handles what was queued before
 * (TROUPE_KILLED: it does not) and then ends. A ref that finds nobody is fine. Never refused; without memory
 * for the request nothing is asked: TROUPE_NO_MEMORY.
 */
#define troupe_shutdown(from, who, reason) troupe_context_shutdown(TROUPE_CONTEXT(from), (who), (reason))

#ifdef __cplusplus
}
#endif

#endif

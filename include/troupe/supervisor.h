/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h: actors that start, watch, restart and stop others: Erlang/OTP's supervisor. A supervisor is
 * itself an actor; it is started under another or from outside, and when it gives up (more than `intensity`
 * restarts within `period_ms`) it stops its children, youngest first, and ends with TROUPE_INTENSITY, which
 * its own supervisor treats like any failure: escalation.
 *
 * Strategies, when a child ends that is to be restarted (stdlib, supervisor(3)):
 *   ONE_FOR_ONE         that child is restarted
 *   ONE_FOR_ALL         all are stopped, youngest first, and started again
 *   REST_FOR_ONE        those started after it are stopped, youngest first, and then it and they are started
 *                       again
 *   SIMPLE_ONE_FOR_ONE  as ONE_FOR_ONE, for any number of children of one spec that have no ids and are
 *                       started when asked for: the way of a connection, a job, a session
 *
 * What happens when (OTP 25's rules, each with its test in tests/unit/core_supervisor*_test.c):
 *   a child's first start fails      the supervisor stops those that it had started, youngest first, and ends
 *                                    with the reason
 *   a restart's start fails          it is one more restart: counted, delayed by the backoff, tried again
 *   a start that somebody asked for  fails: the asker hears the reason, nothing is tried again; a child that
 *                                    was not there before is forgotten, a restarted one stays ended
 *   a child fails while it is being stopped, or its group is: that was expected; it counts for nothing
 *   a child does not stop in its time: it is killed
 *   more than `intensity` restarts within the period: the one too many is not made; all children are
 *                                    stopped, youngest first, and the supervisor ends with TROUPE_INTENSITY;
 *                                    the supervisor above restarts it, and counts that: escalation
 *   a shutdown while a restart waits for its backoff: the restart is called off, and not waited for
 *   a shutdown while a start is under way: the starting child is stopped like any other
 *   a shutdown while a request is under way: whoever asked hears TROUPE_NO_ACTOR
 *   the supervisor itself is ended out of order: its children are killed, as OTP's links do
 *
 * To ask a supervisor something, ask it: troupe_ask from an actor, troupe_call from a thread outside, with
 *   troupe_which_children, troupe_count_children   answered by troupe_children, troupe_children_count
 *   troupe_get_childspec, troupe_terminate_child, troupe_restart_child, troupe_delete_child
 *                                                  answered by troupe_child, as it is then, or refused
 * and troupe_start_child, troupe_call_start_child for what a message cannot carry. Requests wait while
 * children are being started or stopped, in order, but not for a backoff. `id` names the child, or, where
 * there is a `who` and `id` is "", its ref. Refusals, beside those of every ask:
 *   TROUPE_NOT_FOUND    no such child
 *   TROUPE_RUNNING      restart, delete: it runs, or waits to be restarted
 *   TROUPE_INVALID      restart, delete: a simple supervisor's child; what is not terminated is not kept
 *   TROUPE_NAME_TAKEN   start: a child of this id is there, running or not
 *   any other status    restart, start: why its start failed
 */
#ifndef TROUPE_SUPERVISOR_H
#define TROUPE_SUPERVISOR_H

#include <troupe/actor.h>
#include <troupe/ask.h>
#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest id of a child, in bytes, and the most children of one supervisor. */
#define TROUPE_CHILD_ID_LEN_MAX 128
#define TROUPE_CHILDREN_MAX (1u << 20)
/** The largest intensity. */
#define TROUPE_INTENSITY_MAX 10000u

/** Which ends of a child lead to a restart. */
typedef enum troupe_restart {
    TROUPE_RESTART_PERMANENT = 0, /**< every end */
    TROUPE_RESTART_TRANSIENT = 1, /**< every end but TROUPE_OK and TROUPE_SHUTDOWN */
    TROUPE_RESTART_TEMPORARY = 2, /**< none; its spec is forgotten at its end */
} troupe_restart;

/** What else is restarted with a child. */
typedef enum troupe_strategy {
    TROUPE_ONE_FOR_ONE = 0,
    TROUPE_ONE_FOR_ALL = 1,
    TROUPE_REST_FOR_ONE = 2,
    TROUPE_SIMPLE_ONE_FOR_ONE = 3,
} troupe_strategy;

/** Whether a supervisor ends by itself when its significant children have ended by themselves. */
typedef enum troupe_auto_shutdown {
    TROUPE_AUTO_SHUTDOWN_NEVER = 0,
    TROUPE_AUTO_SHUTDOWN_ANY = 1, /**< with the first; it stops the others and ends with TROUPE_SHUTDOWN */
    TROUPE_AUTO_SHUTDOWN_ALL = 2, /**< with the last */
} troupe_auto_shutdown;

/**
 * How long a child may take to stop, in milliseconds, when its spec says 0; and the defaults of a
 * supervisor.
 */
#define TROUPE_SHUTDOWN_MS_DEFAULT 5000u
#define TROUPE_INTENSITY_DEFAULT 1u
#define TROUPE_PERIOD_MS_DEFAULT 5000u
/** A `shutdown_ms` that never kills: OTP's infinity. */
#define TROUPE_SHUTDOWN_MS_FOREVER UINT32_MAX

/** A child: how to start it, when to start it again, how to stop it. Copied; `state` and the name too. */
typedef struct troupe_child_spec {
    const char *id;                    /**< unique under its supervisor, 1 to TROUPE_CHILD_ID_LEN_MAX bytes */
    const troupe_behaviour *behaviour; /**< what it runs; or NULL when `supervisor` is given */
    const struct troupe_supervisor_spec
        *supervisor;              /**< the child is a supervisor; must outlive its parent supervisor */
    troupe_spawn_options options; /**< as for troupe_spawn; `ret_status` is ignored */
    troupe_restart restart;
    uint32_t
        /** after this it is killed; 0: the default. Supervisors are given all the time they need */
        shutdown_ms;
    bool is_killed; /**< not asked to stop, but killed at once: OTP's brutal_kill */
    /**
     * When it ends by itself and is not restarted, `auto_shutdown` says what that means. Not for permanent
     * children, nor under a supervisor that never shuts itself down: TROUPE_INVALID.
     */
    bool is_significant;
    /**
     * When it ends and is not restarted, its spec is forgotten with it, as a temporary child's is: for
     * children that come and go under ids of their own, and are restarted only when they fail.
     */
    bool is_forgotten;
} troupe_child_spec;

/** A supervisor. Zero members take the defaults. */
typedef struct troupe_supervisor_spec {
    const char *name; /**< registered; NULL: none */
    troupe_strategy strategy;
    uint32_t
        /** this many restarts within the period are borne; 0 takes the default 1; see intensity_none */
        intensity;
    bool intensity_none; /**< no restart is borne: the first failure escalates */
    uint32_t period_ms;  /**< default 5000 */
    /** delay before a restart; doubles with each failure of a child until it was up for a period; 0: none */
    uint32_t backoff_min_ms;
    uint32_t backoff_max_ms; /**< default: 60 times the least */
    /** started in this order, each when the one before has; SIMPLE: one, the pattern, its id ignored */
    const troupe_child_spec *children;
    uint32_t child_count;
    troupe_auto_shutdown auto_shutdown;
} troupe_supervisor_spec;

/** As troupe_supervisor_start, which is what users call. */
TROUPE_API troupe_ref troupe_context_supervisor(troupe_context *from, const troupe_supervisor_spec *spec,
                                                troupe_status *ret_status);

/**
 * troupe_supervisor_start(from, spec, ret_status): starts a supervisor and, in order, its children. Returns
 * its ref at once, or none with the status in `ret_status` (which may be NULL): TROUPE_INVALID (a spec is
 * wrong), TROUPE_NO_MEMORY and those of troupe_spawn. A child that fails to start ends the supervisor, as
 * in OTP.
 */
#define troupe_supervisor_start(from, ...) troupe_context_supervisor(TROUPE_CONTEXT(from), __VA_ARGS__)

/** As troupe_supervisor_add, which is what users call. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_context_supervisor_add(troupe_context *from,
                                                                         troupe_ref supervisor,
                                                                         const troupe_child_spec *child);

/**
 * troupe_supervisor_add(from, supervisor, child): adds a child to a running supervisor and goes on: `child`
 * is copied, the supervisor starts it, after all its others, when it comes to it. A child whose id is in use
 * is dropped; one that fails to start is treated by its restart type. For a simple supervisor see
 * troupe_start_child. Errors: TROUPE_INVALID, TROUPE_NO_MEMORY, TROUPE_NO_ACTOR. `from` is a self or a
 * system. To hear what came of it, use troupe_start_child; to find the child, give it a name.
 */
#define troupe_supervisor_add(from, ...) troupe_context_supervisor_add(TROUPE_CONTEXT(from), __VA_ARGS__)

/** Where a child is in its life. */
typedef enum troupe_child_phase {
    TROUPE_CHILD_DOWN = 0,     /**< it ended, and is not to be restarted unless somebody asks for it */
    TROUPE_CHILD_WAITING = 1,  /**< for the end of the backoff before its restart */
    TROUPE_CHILD_STARTING = 2, /**< its start() has not answered */
    TROUPE_CHILD_UP = 3,
    TROUPE_CHILD_STOPPING = 4, /**< asked to stop, or killed */
} troupe_child_phase;

/** Asks for all children, see troupe_children. */
TROUPE_MESSAGE_EMPTY(troupe_which_children)
/** Asks how many there are, see troupe_children_count. */
TROUPE_MESSAGE_EMPTY(troupe_count_children)
/** Which child is meant: its id, or, when that is "", its ref. */
#define TROUPE_CHILD_NAMED_FIELDS(F) F(text, id) F(ref, who)
/** Asks what a child is. */
TROUPE_MESSAGE(troupe_get_childspec, TROUPE_CHILD_NAMED_FIELDS)
/**
 * Asks to stop a child, or to call its restart off. The spec is kept, unless it is_forgotten or temporary.
 */
TROUPE_MESSAGE(troupe_terminate_child, TROUPE_CHILD_NAMED_FIELDS)
/** Asks to start a child again that has ended. */
TROUPE_MESSAGE(troupe_restart_child, TROUPE_CHILD_NAMED_FIELDS)
/** Asks to forget a child that has ended. */
TROUPE_MESSAGE(troupe_delete_child, TROUPE_CHILD_NAMED_FIELDS)

/**
 * The answer about one child: its id ("" under a simple supervisor), its ref (none while it is DOWN or
 * WAITING), its phase (a troupe_child_phase), and what its spec says. `behaviour` is the behaviour's name,
 * "supervisor" for one.
 */
#define TROUPE_CHILD_FIELDS(F)                                                                               \
    F(text, id)                                                                                              \
    F(ref, who)                                                                                              \
    F(u32, phase)                                                                                            \
    F(u32, restart)                                                                                          \
    F(u32, shutdown_ms)                                                                                      \
    F(u32, failures)                                                                                         \
    F(bool, is_supervisor)                                                                                   \
    F(bool, is_significant)                                                                                  \
    F(bool, is_killed)                                                                                       \
    F(text, behaviour)
TROUPE_MESSAGE(troupe_child, TROUPE_CHILD_FIELDS)

/** OTP's four: all children (1 for a simple supervisor), those that are live, and how many are which. */
#define TROUPE_CHILDREN_COUNT_FIELDS(F) F(u32, specs) F(u32, active) F(u32, supervisors) F(u32, workers)
TROUPE_MESSAGE(troupe_children_count, TROUPE_CHILDREN_COUNT_FIELDS)

/**
 * All children in the order of starting, as troupe_children_next reads them. More than fit
 * TROUPE_BODY_SIZE_MAX (110,000 with the longest ids): the request is refused with TROUPE_TOO_LARGE.
 */
#define TROUPE_CHILDREN_FIELDS(F) F(u32, count) F(bytes, list)
TROUPE_MESSAGE(troupe_children, TROUPE_CHILDREN_FIELDS)

/** One of troupe_children. The id is borrowed from the message. */
typedef struct troupe_child_entry {
    troupe_ref who; /**< none while it is DOWN or WAITING */
    const char *id;
    troupe_child_phase phase;
    troupe_restart restart;
    bool is_supervisor;
} troupe_child_entry;

/**
 * Reads the next child of a troupe_children message: `*cursor` begins at 0. False at the end, or when the
 * message is none.
 */
TROUPE_API bool troupe_children_next(const troupe_message *message, uint32_t *cursor,
                                     troupe_child_entry *ret_entry);

/**
 * As troupe_supervisor_add, but the child is started as OTP's start_child does, and the continuation hears
 * what came of it: TROUPE_OK with a troupe_child when it has started, else why not; then nothing of it is
 * left. Under a simple supervisor `child` may be NULL, for one just like the pattern; else its behaviour (or
 * supervisor) must be the pattern's and only its options count: they are this child's, in each of its lives.
 * The continuation and errors are as in troupe_ask; TROUPE_INVALID also when the spec is wrong.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_start_child(troupe_self *self, troupe_ref supervisor,
                                                              const troupe_child_spec *child,
                                                              uint32_t timeout_ms,
                                                              troupe_reply_handler on_reply, void *context);

/**
 * The same from a thread outside: blocks until the child has started, and writes its ref. Inside a handler:
 * TROUPE_IN_HANDLER.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_call_start_child(troupe_system *system,
                                                                   troupe_ref supervisor,
                                                                   const troupe_child_spec *child,
                                                                   uint32_t timeout_ms, troupe_ref *ret_ref);

/**
 * How often this actor's supervisor has started it again: 0 in its first life, and for who has no supervisor.
 */
TROUPE_API uint32_t troupe_restarts(const troupe_self *self);

/**
 * Of those, how many in a row: since it was last up for longer than its supervisor's period. What fails again
 * and again can say so itself before the intensity is used up, and with it the supervisor.
 */
TROUPE_API uint32_t troupe_restarts_in_row(const troupe_self *self);

#ifdef __cplusplus
}
#endif

#endif

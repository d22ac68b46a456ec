/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h: actors that start, watch, restart and stop others: Erlang/OTP's supervisor. A supervisor is
 * itself an actor; it is started under another or from outside, and when it gives up (more than `intensity`
 * restarts within `period_ms`) it stops its children, youngest first, and ends with TROUPE_INTENSITY, which
 * its own supervisor treats like any failure: escalation.
 *
 * Strategies, when a child ends that is to be restarted (stdlib, supervisor(3)):
 *   ONE_FOR_ONE   that child is restarted
 *   ONE_FOR_ALL   all are stopped, youngest first, and started again
 *   REST_FOR_ONE  those started after it are stopped, youngest first, and then it and they are started again
 */
#ifndef TROUPE_SUPERVISOR_H
#define TROUPE_SUPERVISOR_H

#include <troupe/actor.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest id of a child, in bytes, and the most children of one supervisor. */
#define TROUPE_CHILD_ID_LEN_MAX 63
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
} troupe_strategy;

/**
 * How long a child may take to stop, in milliseconds, when its spec says 0; and the defaults of a
 * supervisor.
 */
#define TROUPE_SHUTDOWN_MS_DEFAULT 5000u
#define TROUPE_INTENSITY_DEFAULT 1u
#define TROUPE_PERIOD_MS_DEFAULT 5000u

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
    uint32_t backoff_max_ms;           /**< default: 60 times the least */
    const troupe_child_spec *children; /**< started in this order, each when the one before has started */
    uint32_t child_count;
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
 * troupe_supervisor_add(from, supervisor, child): adds a child to a running supervisor: `child` is copied,
 * the supervisor starts it, after all its others, when it comes to it. A child whose id is in use is
 * dropped; one that fails to start is treated by its restart type. Errors: TROUPE_INVALID,
 * TROUPE_NO_MEMORY, TROUPE_NO_ACTOR. `from` is a self or a system. To find the child, give it a name.
 */
#define troupe_supervisor_add(from, ...) troupe_context_supervisor_add(TROUPE_CONTEXT(from), __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif

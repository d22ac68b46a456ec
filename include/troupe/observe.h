/* SPDX-License-Identifier: MIT */
/*
 * observe.h: what a system counts. Counters are written by the worker they belong to and read by anybody: a
 * reading is never torn, but readings of several counters are not of one instant.
 */
#ifndef TROUPE_OBSERVE_H
#define TROUPE_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <troupe/dead_letter.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Counters of a system since its start. Once it is quiet: sent = handled + dead_letters, refused ones not
 * being sent.
 */
typedef struct troupe_counters {
    uint64_t actors_spawned;
    uint64_t actors_ended;
    uint64_t actors_failed; /**< of those that ended: by a failure */
    uint64_t restarts;      /**< by supervisors */
    uint64_t sent;          /**< accepted into a mailbox, system messages included */
    uint64_t handled;       /**< taken out of a mailbox by a handler or continuation */
    uint64_t refused;       /**< TROUPE_FULL */
    uint64_t dead_letters;  /**< accepted but never handled */
    uint64_t activations;   /**< times an actor was given a worker */
    uint64_t moved;         /**< actors handed from a busy worker to an idle one */
    uint64_t relieved;      /**< times a spare thread took over from a handler that did not come back */
    uint64_t sleeps;        /**< times a worker went to sleep */
    /** the dead letters by their troupe_dead_reason; they add up to `dead_letters` */
    uint64_t dead_letters_by[TROUPE_DEAD_COUNT];
} troupe_counters;

/** Adds up the counters of all workers. Any thread. */
TROUPE_API void troupe_system_counters(troupe_system *system, troupe_counters *ret_counters);

/** The number that stands for all threads that are not workers, for troupe_worker_counters. */
#define TROUPE_WORKER_OUTSIDE UINT32_MAX

/** What is known of one worker. */
typedef struct troupe_worker_info {
    troupe_counters counters; /**< of this worker alone; all workers' add up to the system's */
    bool is_own_thread;       /**< the thread of one actor that was spawned with own_thread */
    uint64_t up_ns;           /**< since it began */
    uint64_t idle_ns; /**< of those, asleep for want of work; looking for some is busy. 0 when simulated */
} troupe_worker_info;

/**
 * How many workers there are: the ordinary ones, from 0, and after them those with a thread of their own,
 * which stay for the next such actor. Any thread.
 */
TROUPE_API uint32_t troupe_worker_count(troupe_system *system);

/**
 * Reads the counters of one worker, 0 to troupe_worker_count - 1, or TROUPE_WORKER_OUTSIDE. Errors:
 * TROUPE_NOT_FOUND. Any thread.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_worker_counters(troupe_system *system, uint32_t worker,
                                                                  troupe_worker_info *ret_info);

/** What is known of one actor. */
typedef struct troupe_actor_info {
    const char *behaviour; /**< its behaviour's name; lives as long as the behaviour */
    uint64_t created;      /**< the how-manieth actor of the system it is, from 1 */
    uint64_t handled;      /**< messages */
    uint32_t depth;        /**< messages waiting */
    uint32_t bytes;        /**< of messages waiting */
    uint32_t worker;       /**< the worker it belongs to now */
} troupe_actor_info;

/**
 * Reads what is known of an actor. Errors: TROUPE_NO_ACTOR. Any thread; see the head for what a reading is.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_actor_inspect(troupe_system *system, troupe_ref who,
                                                                troupe_actor_info *ret_info);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * faults.h: failures of the server's actors on purpose, for tests: every point at which one may be lost with
 * something half done is a step, counted over all actors of a kind, and one step, or one in so many, fails.
 *
 * Place: ids.h hands them to the actors of roles (role_actor.h, enum role_step) and to desks (desk.h, enum
 * desk_step). Any thread.
 */
#ifndef SERVER_FAULTS_H
#define SERVER_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/** What is to fail. A spawner fills in the last three. */
struct faults {
    _Atomic uint64_t steps; /**< so far */
    _Atomic uint64_t hits;  /**< of those, that failed */
    uint64_t fail_at;       /**< the step that fails; 0: none */
    uint32_t one_in;        /**< one step in so many fails; 0: none */
    bool is_sparing;        /**< but none of an actor that has failed a few times in a row */
};

/** Counts a step; whether it is to fail. One that is spared is counted and does not. */
bool faults_hit(struct faults *faults, bool is_spared);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h: what a supervisor keeps of a child. The rules are in supervisor.c.
 *
 *   DOWN --child_start--> STARTING --STARTED notice--> UP --stop--> STOPPING --its end--> DOWN
 *    ^  \--backoff--> WAITING --timer--^      \--its end--> DOWN
 */
#ifndef TROUPE_CORE_SUPERVISOR_H
#define TROUPE_CORE_SUPERVISOR_H

#include <troupe.h>

enum child_phase {
    CHILD_DOWN = 0,
    CHILD_WAITING,
    CHILD_STARTING,
    CHILD_UP,
    CHILD_STOPPING,
};

/* A child: its spec, copied with everything it points to but behaviours and nested supervisor specs. */
struct child {
    char id[TROUPE_CHILD_ID_LEN_MAX + 1];
    troupe_child_spec spec;
    void *state;
    char *name;
    char *group;
    troupe_ref ref;
    uint64_t timer;    /* backoff, or the deadline of its stop */
    uint32_t failures; /* in a row, for the backoff */
    uint64_t up_ms;    /* since when, when it is UP */
    uint32_t phase;    /* a child_phase */
    bool is_wanted;    /* to be started when the sequence comes to it; when up, to be stopped before */
    bool is_leaving;   /* temporary: to be stopped with the others, not to be started again */
};

/* Checks and copies a spec. Errors: TROUPE_INVALID, TROUPE_NO_MEMORY. */
troupe_status supervisor_child_new(const troupe_child_spec *spec, struct child **ret_child);
void supervisor_child_free(struct child *child);

/* Frees what a supervisor keeps, at its end, also when it never began. `state` is its actor's state. */
void supervisor_done(void *state);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h: what a supervisor keeps. The rules are in supervisor.c, the children and how they are found
 * in supervisor_children.c, what others ask of a supervisor in supervisor_requests.c. All of it is the state
 * of one actor: only its home's thread touches it, but for specs on their way to it.
 *
 *   DOWN --child_start--> STARTING --STARTED notice--> UP --stop--> STOPPING --its end--> DOWN
 *    ^  \--backoff--> WAITING --timer--^      \--its end--> DOWN
 *
 * Invariants
 *   1. a child that is live (STARTING, UP, STOPPING) is in by_ref; one with an id is in by_id
 *   2. a child is on at most one agenda: `stops` (live, to be stopped, the youngest first) or `starts` (DOWN,
 *      to be started, the eldest first)
 *   3. live_count and waiting_count are the numbers of children in those phases
 */
#ifndef TROUPE_CORE_SUPERVISOR_H
#define TROUPE_CORE_SUPERVISOR_H

#include <troupe.h>

#include "base/map.h"

struct worker;

enum child_phase {
    CHILD_DOWN = TROUPE_CHILD_DOWN,
    CHILD_WAITING = TROUPE_CHILD_WAITING,
    CHILD_STARTING = TROUPE_CHILD_STARTING,
    CHILD_UP = TROUPE_CHILD_UP,
    CHILD_STOPPING = TROUPE_CHILD_STOPPING,
};

/* A spec, copied with everything it points to but behaviours and nested supervisor specs. */
struct child_spec {
    troupe_child_spec user; /* points to the copies below */
    uint32_t users;         /* children that have it: of a simple supervisor, any number */
    char *id;
    void *state;
    char *name;
    char *group;
};

struct agenda;

struct child {
    struct child *previous; /* in the order of starting */
    struct child *next;
    struct child *agenda_previous;
    struct child *agenda_next;
    struct agenda *agenda; /* the one it is on, or NULL */
    struct child_spec *spec;
    troupe_asker asker; /* who waits for its start or its end; `ask` 0: nobody */
    troupe_ref ref;
    troupe_message *reserve; /* a request to end, for when there is no memory; NULL: used, or not live */
    uint64_t timer;          /* backoff, or the deadline of its stop */
    uint64_t position;       /* grows along the order */
    uint64_t up_ms;          /* since when, when it is UP */
    uint32_t index;          /* in supervisor.places */
    uint32_t failures;       /* in a row, for the backoff */
    uint32_t starts;         /* so far, */
    uint32_t failures_ever;  /* and ends by failure */
    uint8_t phase;           /* a child_phase */
    bool is_wanted;    /* to be started when the sequence comes to it; when live, to be stopped before */
    bool is_leaving;   /* to be forgotten at its end */
    bool is_requested; /* somebody asked for this start: a failure is the answer, and not tried again */
    bool is_new;       /* and it was not there before: then it is forgotten */
    bool is_expected;  /* somebody asked for its end */
};

/* Children in an order of positions. */
struct agenda {
    struct child *first;
    struct child *last;
    bool is_descending;
};

enum supervisor_phase {
    SUPERVISOR_BEGINNING,
    SUPERVISOR_STEADY,
    SUPERVISOR_GIVING_UP,
};

struct request;

struct supervisor {
    troupe_supervisor_spec spec;
    struct child_spec *pattern; /* of a simple supervisor */
    struct child *first;        /* in the order of starting */
    struct child *last;
    struct child **places; /* by index: a child, or NULL */
    uint32_t *places_free; /* a stack of free indices */
    uint32_t place_count;  /* used so far */
    uint32_t place_free_count;
    uint32_t place_capacity;
    struct map by_id;
    struct map by_ref;
    uint64_t next_position;
    uint32_t child_count;
    uint32_t live_count;
    uint32_t waiting_count;
    struct agenda stops;
    struct agenda starts;
    struct child *starting; /* the one whose start is waited for; not in a simple supervisor */
    struct child *stopping;
    struct request *requests; /* what came while a sequence went on, oldest first */
    struct request *requests_last;
    uint64_t stop_timer;   /* simple: the one deadline of all */
    uint64_t *restarts_ms; /* ring of the last `intensity` + 1 restarts */
    uint32_t restart_next;
    uint32_t restart_count;
    uint32_t phase; /* a supervisor_phase */
    troupe_status reason;
};

static inline bool supervisor_is_simple(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == TROUPE_SIMPLE_ONE_FOR_ONE;
}

static inline bool child_is_live(const struct child *child)
{
    return child->phase >= CHILD_STARTING;
}

/* -- supervisor_children.c -- */

/*
 * Checks and copies a spec; without an id it is one for a simple supervisor. Errors: TROUPE_INVALID,
 * TROUPE_NO_MEMORY.
 */
troupe_status supervisor_spec_new(const troupe_child_spec *spec, bool has_id, struct child_spec **ret_spec);

/* One user less; the last one frees it. NULL is fine. */
void supervisor_spec_unref(struct child_spec *spec);

/*
 * Appends a child, DOWN. Takes the spec on success. Errors: TROUPE_NAME_TAKEN, TROUPE_INVALID (significant),
 * TROUPE_LIMIT, TROUPE_NO_MEMORY.
 */
troupe_status supervisor_child_append(struct supervisor *supervisor, struct child_spec *spec,
                                      struct child **ret_child);

/* Forgets a child that is not live. */
void supervisor_child_remove(struct supervisor *supervisor, struct child *child);

/* NULL: there is none. */
struct child *supervisor_child_by_id(const struct supervisor *supervisor, const char *id);
struct child *supervisor_child_by_ref(const struct supervisor *supervisor, troupe_ref ref);

/* Changes the phase, and the counts and the place in by_ref with it; `ref` is for phases that are live. */
void supervisor_child_phase(struct supervisor *supervisor, struct child *child, enum child_phase phase,
                            troupe_ref ref);

/* Puts a child on an agenda at its place, or takes it off the one it is on. */
void agenda_add(struct agenda *agenda, struct child *child);
void agenda_remove(struct child *child);

/* Copies a supervisor's spec with its defaults, its children with it. Errors as above. */
troupe_status supervisor_new(const troupe_supervisor_spec *spec, struct supervisor **ret_supervisor);

/*
 * Frees what a supervisor keeps, at its end, also when it never began. `state` is its actor's state, `worker`
 * whose thread this is (NULL: it never began).
 */
void supervisor_done(struct worker *worker, void *state);

/* Gives up the request that was kept for the end of a child that is not live any more. */
void supervisor_child_reserve_free(struct worker *worker, struct child *child);

/* -- supervisor.c -- */

/* Starts a child that is DOWN: at once, or when the sequence comes to it. */
void supervisor_child_want(troupe_self *self, struct supervisor *supervisor, struct child *child);

/* Stops a child on request, or calls its restart off. It is answered when that is done. */
void supervisor_child_terminate(troupe_self *self, struct supervisor *supervisor, struct child *child,
                                troupe_asker asker);

/* -- supervisor_requests.c -- */

/* A message from others: answered at once, or kept while `is_busy`. TROUPE_UNEXPECTED: it is no request. */
troupe_status supervisor_request(troupe_self *self, struct supervisor *supervisor,
                                 const troupe_message *message, bool is_busy);

/* Acts on the oldest request that was kept; false: there is none. */
bool supervisor_request_next(troupe_self *self, struct supervisor *supervisor);

/* Tells whoever waits for a child that it is as they wanted, or why not. */
void supervisor_child_answer(troupe_self *self, struct child *child, troupe_status status);

/* Frees the requests that were kept. */
void supervisor_requests_done(struct supervisor *supervisor);

#endif

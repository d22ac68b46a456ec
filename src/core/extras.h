/* SPDX-License-Identifier: MIT */
/*
 * extras.h: what few actors need and all should not pay for: a name, asks, timers, monitors, watches, who
 * monitors us, the text of a failure. Made at first use, freed with the actor.
 *
 * Whatever an actor has under way outside itself is a handle: a numbered entry that the notice, when it
 * comes, must find alive. That makes cancelling exact: a cancelled handle is gone, so a notice already in
 * the mailbox finds nothing and is dropped.
 *
 *   handle id = generation << 32 | index + 1
 */
#ifndef TROUPE_CORE_EXTRAS_H
#define TROUPE_CORE_EXTRAS_H

#include "core/resource.h"
#include "core/worker.h"

enum {
    HANDLES_MAX = 1 << 22, /* asks, timers, monitors, watches, signals of one actor at once */
};

/* What a handle stands for. */
enum handle_kind {
    HANDLE_FREE = 0,
    HANDLE_ASK,
    HANDLE_TIMER,
    HANDLE_MONITOR,
    HANDLE_WATCH,
    HANDLE_SIGNAL,
    HANDLE_SUBSCRIPTION,
    HANDLE_KINDS,
};

struct handle {
    uint32_t generation;
    bool is_link;    /* MONITOR: the end of the peer is ours */
    bool is_in_ring; /* ASK: extras->path is the ring that it is in: chase.h */
    uint32_t kind;   /* a handle_kind */
    union {
        struct timer *timer; /* TIMER: it; ASK: its timeout */
        uint64_t peer;       /* MONITOR: the bits of who is watched; SUBSCRIPTION: its key */
        uint32_t next_free;  /* FREE: index of the next, or HANDLES_MAX */
        int fd;              /* WATCH */
    } u;
    troupe_ref to;                 /* ASK: who was asked */
    troupe_reply_handler on_reply; /* ASK */
    void *context;                 /* ASK */
};

struct extras {
    char *name;                               /* in the registry too; NULL: none */
    char *child;                              /* our id under our supervisor; NULL: none */
    uint32_t restarts;                        /* times our supervisor started us again */
    uint32_t failures;                        /* of the ends before, those by failure */
    uint32_t restarts_in_row;                 /* without a period in which we stayed up */
    uint64_t unexpected;                      /* messages that we refused */
    char *groups[TROUPE_GROUPS_OF_ACTOR_MAX]; /* names of the groups joined */
    uint32_t group_count;
    troupe_ref groups_ref; /* as whom they were joined */
    char *path;            /* of the last ring that an ask met: waits.h; NULL: never any */
    uint64_t hold_ask;     /* the ask that it holds for, 0: none */
    struct debts *debts;   /* questions to be answered: debt.h; NULL: never any */
    struct handle *handles;
    uint32_t handle_count;
    uint32_t handle_counts[HANDLE_KINDS]; /* by kind */
    uint32_t handle_capacity;
    uint32_t handle_free; /* first free index, or HANDLES_MAX */
    struct lane stash;    /* kept messages, oldest first; stash.h */
    uint32_t stash_len;
    struct resources resources;
    troupe_message *parked;   /* PARK messages of who rests on our mailbox, to be sent back as UNPARK */
    troupe_message *watchers; /* MONITOR messages, to be sent back as DOWN */
    char why[TROUPE_REASON_TEXT_MAX + 1];
};

/* The actor's extras, made if need be; NULL: no memory. */
struct extras *extras_of(struct worker *worker, struct actor *actor);

/* A new handle. Errors: TROUPE_NO_MEMORY, TROUPE_LIMIT. The pointer is good until the next handle is made. */
troupe_status handle_new(struct worker *worker, struct actor *actor, enum handle_kind kind, uint64_t *ret_id,
                         struct handle **ret_handle);

/* The live handle of this kind with this id; NULL: it is gone. */
struct handle *handle_find(struct actor *actor, enum handle_kind kind, uint64_t id);

/* Ends a handle: its id finds nothing from now on. */
void handle_drop(struct actor *actor, uint64_t id);

/*
 * Cancels the timers of an actor that ends, before its generation changes: until then one that fires comes to
 * rest in the mailbox, and is still there to be looked at; after it, whoever fires it frees it.
 */
void timers_end(struct worker *worker, struct actor *actor);

/* Cancels every other handle and frees the extras, all but the watchers, which must have been told. */
void extras_free(struct worker *worker, struct actor *actor);

#endif

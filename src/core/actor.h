/* SPDX-License-Identifier: MIT */
/*
 * actor.h: what an actor is in memory, and the life of one. The struct is the slot: slots live in chunks
 * that are never given back while the system runs, so that a ref can be looked up without locks, counts or
 * hazard pointers: a stale sender may touch a slot that has a new tenant, but never other memory, and the
 * generation in the message tells the tenant that it is not meant (see mailbox.h, invariant 4).
 *
 *   FREE --actor_spawn--> STARTING --start() ok--> RUNNING --reason known--> ENDING --actor_end--> FREE,
 *   next generation
 *                                  \--start() fails--> ENDING
 *
 * Ownership: every slot, free or not, has one `home` worker. Only the home's thread touches the members
 * marked so; it may give the slot to another worker (scheduler.h), which is the only way `home` changes.
 */
#ifndef TROUPE_CORE_ACTOR_H
#define TROUPE_CORE_ACTOR_H

#include <stdbool.h>
#include <troupe.h>

#include "base/atomic.h"

struct worker;

/* Where an actor is in its life. */
enum actor_phase {
    ACTOR_FREE = 0,
    ACTOR_STARTING,
    ACTOR_RUNNING,
    ACTOR_ENDING,
    ACTOR_ERRAND,  /* not an actor: see errand.h */
    ACTOR_HOLDING, /* running, but closed until an answer: hold.h */
};

/* Messages of one class in order: a list threaded through troupe_message.next. */
struct lane {
    troupe_message *first;
    troupe_message *last;
};

enum {
    LANE_COUNT = 3, /* one a troupe_class */
};

/* What asks for more than the next normal message: bits of actor.attention. */
enum {
    ATTENTION_LANES = 1,     /* the urgent or the system lane may have a message */
    ATTENTION_GUESTS = 2,    /* senders are parked on this mailbox */
    ATTENTION_CROWD = 8,     /* the mailbox was full, and whoever listens is to hear when it has room */
    ATTENTION_TRACED = 16,   /* this turn is traced: tracer.h */
    ATTENTION_ENDS_TURN = 4, /* it met a full mailbox: whoever empties that goes first */
};

/*
 * Three cache lines. An actor that handles a normal message from its own worker and waits for the next
 * needs only the first two.
 */
struct actor {
    /* -- written by senders on any thread (mailbox.h) -- */
    _Alignas(64)
        troupe_message *_Atomic arrived; /* newest first; NULL, or a notice for the home is under way */
    _Atomic uint64_t arrived_load;       /* of the bounded ones among them, as `load` */
    struct actor *arrival_next;  /* in worker.arrivals; by whoever made `arrived` non-NULL, then the home */
    _Atomic uint32_t generation; /* by the home; senders compare. Even: live, odd: free */
    _Atomic uint32_t home;       /* by the home; senders read where to put notices */
    /* -- the home's -- */
    _Atomic uint64_t load;  /* of bounded messages in the lanes: see message_load; senders read it */
    _Atomic uint64_t limit; /* the most of each; senders read it, a late one that of the next tenant */
    struct lane normal;
    /* second line */
    union {
        struct {
            uint8_t phase;      /* an actor_phase */
            uint8_t attention;  /* ATTENTION_ bits */
            uint8_t park_state; /* see overflow.c */
            uint8_t is_queued;  /* in a run queue, or running */
        };
        uint32_t condition; /* all four at once: see ACTOR_AT_WORK */
    };
    uint32_t slot;
    const troupe_behaviour *_Atomic behaviour; /* relaxed: others read only its name */
    void *state;
    _Atomic uint64_t handled;
    struct actor *run_next; /* in a run queue, in worker.dealt, or in worker.slots_free */
    struct actor *run_previous;
    struct extras *extras;    /* what few actors need: extras.h; NULL until then */
    _Atomic uint8_t overflow; /* a troupe_overflow */
    uint8_t traps_exits;
    uint8_t is_pinned;     /* has a thread of its own: never given away */
    uint8_t has_started;   /* start() has succeeded: stop() is owed */
    uint8_t is_supervisor; /* gets shutdown requests as messages, and says itself when it has started */
    uint8_t notices_from; /* the worker that the last notices came from, and how many in a row: scheduler.c */
    uint8_t notices;
    uint8_t reason; /* a troupe_status, once ENDING */
    /* third line */
    struct lane others[LANE_COUNT - 1]; /* urgent, system; ATTENTION_LANES unless both are empty */
    _Atomic uint64_t parent;            /* bits of who is told when start() has succeeded; 0: nobody */
    _Atomic uint64_t created;           /* the how-manieth of the system */
    _Atomic uint64_t parked_on;         /* bits of the ref that we rest on, or hold for, 0: none; waits.h */
    uint32_t state_size;                /* as allocated: become may need less */
    _Atomic uint8_t is_crowded; /* by senders and the home: word of a full mailbox is on its way or there */
    _Atomic uint8_t waits_tag;  /* which wait parked_on is: waits.h */
};

/* The condition of a running actor during its turn when nothing asks for attention. */
static const union {
    struct {
        uint8_t phase, attention, park_state, is_queued;
    };
    uint32_t condition;
} actor_at_work = {.phase = ACTOR_RUNNING, .is_queued = 1};
#define ACTOR_AT_WORK (actor_at_work.condition)

/* The lane of a class. */
static inline struct lane *actor_lane(struct actor *actor, uint32_t message_class)
{
    return message_class == TROUPE_CLASS_NORMAL ? &actor->normal : &actor->others[message_class - 1];
}

_Static_assert(sizeof(struct actor) <= 192, "an idle actor costs at most 192 bytes plus its state");
_Static_assert(TROUPE_CLASS_NORMAL == 0 && TROUPE_CLASS_SYSTEM == LANE_COUNT - 1, "classes number lanes");

/* What a spawn needs beyond the public options. */
struct actor_options {
    troupe_spawn_options user;
    troupe_ref parent;       /* told by a STARTED notice when start() has succeeded; none: nobody */
    troupe_message *watcher; /* a prepared monitor (monitor.h), taken on success; NULL: none */
    bool is_supervisor;
    const char *child;        /* its id under its supervisor, copied; NULL: none */
    uint32_t restarts;        /* times that it was started again, */
    uint32_t failures;        /* and ended by failure before */
    uint32_t restarts_in_row; /* of them, since it was last up for a period */
};

/* The ref of the present tenant of a slot. */
troupe_ref actor_ref(const struct actor *actor);

/* Creates an actor, see troupe_spawn. `from` is a worker's self or the system. */
troupe_status actor_spawn(troupe_context *from, const troupe_behaviour *behaviour,
                          const struct actor_options *options, troupe_ref *ret_ref);

/* Marks an actor to end when its handler has returned. The first reason stays. */
void actor_ending(struct actor *actor, troupe_status reason);

/* Tells the parent, if there is one, that the actor has started. */
void actor_started(struct worker *worker, struct actor *actor);

/*
 * A request to end that is made before it is needed, and its sending, which takes it. NULL: no memory. Unsent
 * it is disposed of as any message is.
 */
troupe_message *actor_shutdown_new(struct worker *worker);
void actor_shutdown_post(struct worker *worker, troupe_ref who, troupe_status reason,
                         troupe_message *message);

/*
 * Ends an actor that is ENDING, on its home's thread: stop(), name, handles, monitors, mailbox, state,
 * slot.
 */
void actor_end(struct worker *worker, struct actor *actor);

#endif

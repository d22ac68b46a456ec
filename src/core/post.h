/* SPDX-License-Identifier: MIT */
/*
 * post.h: making, sending and disposing of messages: what lies between the public sends and the mailbox. A
 * message in memory is a troupe_message, then its body; what kind of errand it is on is in `flags`.
 */
#ifndef TROUPE_CORE_POST_H
#define TROUPE_CORE_POST_H

#include "core/dead_letter.h"
#include "core/ride.h"
#include "core/system.h"

/* Notices between the runtime's own parts. */
#define TROUPE_SHUTDOWN_FIELDS(F) F(u32, reason)
TROUPE_MESSAGE(troupe_shutdown_request, TROUPE_SHUTDOWN_FIELDS)
#define TROUPE_STARTED_FIELDS(F) F(ref, who)
TROUPE_MESSAGE(troupe_started, TROUPE_STARTED_FIELDS)

/* The errands: who takes the message out of the mailbox. */
enum message_kind {
    MESSAGE_USER = 0,  /* the behaviour */
    MESSAGE_REPLY,     /* the continuation of an ask */
    MESSAGE_REFUSAL,   /* the same, with a status instead of a reply */
    MESSAGE_TIMER,     /* a struct timer: the behaviour, if not cancelled */
    MESSAGE_READY,     /* a struct watch: the behaviour, if not unwatched */
    MESSAGE_SIGNAL,    /* a signal of the process: the same */
    MESSAGE_MONITOR,   /* a request to be told: kept by the watched until it ends */
    MESSAGE_DOWN,      /* the same block, on its way back */
    MESSAGE_DEMONITOR, /* forget a monitor */
    MESSAGE_LINK,      /* watch the sender as a link, as it does you */
    MESSAGE_UNLINK,    /* the other way */
    MESSAGE_SHUTDOWN,  /* end */
    MESSAGE_STARTED,   /* a supervisor's child has started */
    MESSAGE_CHILD,     /* a struct child_spec * for a supervisor; owns it until it is taken out */
    MESSAGE_EVENT,     /* what happened, for a subscriber: `ask` is its handle */
    MESSAGE_PARK,      /* the sender rests on this mailbox: overflow.h. From here on never in a lane */
    MESSAGE_UNPARK,    /* the same block, on its way back */
    MESSAGE_CROWDED,   /* a sender found this mailbox full, and somebody listens */
    MESSAGE_FORGET,    /* the sender does not wait for the answer any more: debt.h */
    MESSAGE_CHASE,     /* who has asked whom, before a timeout: chase.h */
    MESSAGE_BUILDING,  /* nobody: it is the user's, who is writing it: build.c */
};

enum {
    MESSAGE_RIDES = 0x80, /* in flags, beside USER, REPLY or BUILDING: blobs ride behind the body (ride.h) */
};

static inline enum message_kind message_kind(const troupe_message *message)
{
    return (enum message_kind)(message->flags & ~MESSAGE_RIDES);
}

/* Only what users send counts against the bounds of a mailbox. */
static inline bool message_is_bounded(const troupe_message *message)
{
    return message_kind(message) == MESSAGE_USER;
}

/*
 * What a bounded message with a body of `size`, and no blobs, adds to the load of its mailbox. A load is two
 * numbers in one word, messages | bytes << 32, so that both are added, taken off and compared at once.
 * Neither ever reaches 2^31.
 */
static inline uint64_t message_load(uint32_t size)
{
    return 1 | (uint64_t)(sizeof(troupe_message) + size) << 32;
}

/* What any bounded message adds: blobs count with all their bytes. */
static inline uint64_t message_load_of(const troupe_message *message)
{
    uint64_t load = message_load(message->size);
    return LIKELY(message->flags == MESSAGE_USER) ? load : load + ((uint64_t)ride_weight(message) << 32);
}

/* Fills in the header: kind USER, no sender, no ask. */
static inline void message_init(struct worker *worker, troupe_message *message, const troupe_type *type,
                                uint32_t size)
{
    *message = (troupe_message){
        .type = type->id,
        .version = type->version,
        .size = size,
        .sent_ms = worker->now_ms,
    };
}

/* A message with an unwritten body of `size` bytes and its header filled in. NULL: no memory. */
static inline troupe_message *message_new(struct worker *worker, const troupe_type *type, uint32_t size)
{
    troupe_message *message = slab_alloc(&worker->slab, sizeof *message + size);
    if (LIKELY(message != NULL))
        message_init(worker, message, type, size);
    return message;
}

/* Frees a message of a kind other than USER. */
void message_dispose_other(struct worker *worker, troupe_message *message);

/* Frees a message of any kind, with whatever memory its kind has around it. */
static inline void message_dispose(struct worker *worker, troupe_message *message)
{
    if (LIKELY(message->flags == MESSAGE_USER))
        slab_free(&worker->slab, message, sizeof *message + message->size);
    else
        message_dispose_other(worker, message);
}

/*
 * Delivers a message that is never refused (system lane, or any lane for kinds other than USER). Takes it:
 * if nobody is there it is a dead letter. Any worker, or outside within context_enter.
 */
void post_unbounded(struct worker *worker, troupe_ref to, troupe_message *message);

/*
 * The same as by a remote sender, also to who is at home here: for whoever may be in the middle of taking in
 * what has arrived for that very actor, where anything newer must not come before what is left.
 */
void post_aside(struct worker *worker, troupe_ref to, troupe_message *message);

/*
 * A bounded send of an unbuilt message; `sender` and `ask` go into the header. See troupe_send for the
 * errors.
 */
struct letter {
    troupe_ref to;
    const troupe_type *type;
    const void *fields;    /* as given by a sender, or NULL */
    const void *body;      /* flat already, or NULL */
    troupe_message *built; /* by build.c, or NULL; taken with TROUPE_OK */
    uint32_t size;         /* of the body */
    struct ride_load ride;
    uint32_t message_class;
    uint32_t deadline_ms;
    troupe_ref sender;
    uint64_t ask;
};
troupe_status post_letter(struct worker *worker, const struct letter *letter);

/* The message that a letter makes: body, blobs, sender and ask; kind USER. NULL: no memory. */
troupe_message *letter_message(struct worker *worker, const struct letter *letter);

/* Fills a letter from the public arguments and checks them. Errors: TROUPE_INVALID, TROUPE_TOO_LARGE. */
troupe_status letter_init(struct letter *ret_letter, troupe_ref to, const troupe_type *type,
                          const void *fields);

/* Whom a message that got as far as a slot was for: its tenant then. */
static inline troupe_ref message_to(const struct actor *actor, const troupe_message *message)
{
    return (troupe_ref){(uint64_t)message->generation / 2 << TROUPE_REF_SLOT_BITS | actor->slot};
}

/*
 * A message that will never be handled by `to`: noted, whoever asked is told the status of the reason,
 * memory freed.
 */
void post_dead_letter(struct worker *worker, troupe_ref to, troupe_message *message,
                      troupe_dead_reason reason);

/* Answers an ask with a status. `to.ask` 0: nothing. */
void post_refusal(struct worker *worker, troupe_ref to, uint64_t ask, troupe_status status);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * role_state.h: what a role is made of. Private to the role_*.c files; role.h is what others see.
 *
 *     role.c             living, and looking from outside
 *     role_decide.c      a command -> its rule
 *     role_send.c        admission: send, deliver
 *     role_work.c        next, done, decline, forward, defer
 *     role_supervise.c   failures, what supervisors decide, what time does
 *     role_trouble.c     trouble of the role as a whole; escalations on their way up
 *     role_presence.c    coming, going, handing over
 *     role_configure.c   setting it up
 *     role_outbox.c      what is owed arrives, or never can
 *     role_decision.h    one decision while it is made; role_emit.c writes its records
 *     role_reserve.c     memory for records, before they fold
 *     role_fold.c        records -> state: messages and the outbox; role_fold_role.c the role itself
 *     role_queue.c       who waits where, and who is next
 *     role_waiting.c     what waits, for notices
 *     role_check.c       the invariants, as a walk
 *     role_snapshot.c    the whole state as bytes, and back: whoever adds a field saves it there
 *
 * Where a message that has not ended is kept, beside `entries` (by number) and `ids` (by id):
 *
 *     queued, never taken          fresh[class], a chain in order of acceptance
 *     queued, put off and due      put_off[class], a heap, oldest first
 *     queued, taken before         returned[class], the same
 *     queued for one actor         that actor's assigned[class], the same
 *     queued, told by a child      escalations and notices not assigned: told, a chain that is walked
 *     held                         its holder's chain
 *     parked, quarantined          a chain each
 *     with anything timed          also in `due`: deadline, end of the lease, or end of the parking
 *
 * Invariants (org_role_check walks through them)
 *   1. entries[i] is message number i + 1; its id is in `ids` and in no other entry.
 *   2. A live message is in exactly one of the places above, the one its state says.
 *   3. A live message's due time is in `due`, or it has none.
 *   4. An actor who has assigned messages is present and in the succession.
 *   5. counts are what a walk over the entries finds.
 *   6. queued_work is the number of queued messages of kind ORG_KIND_MESSAGE; awaiting that of parked ones
 *      that await another.
 *   7. timed is the number of held and quarantined messages that have a deadline.
 *   8. The outbox holds entries first_number, first_number + 1...; one that has arrived is NULL.
 *   9. No entry has an id above last_id.
 */
#ifndef ORG_ROLE_STATE_H
#define ORG_ROLE_STATE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/map.h"
#include "org/role.h"
#include "org/waits.h"

/* The tallies of a role: what is counted over a period. */
enum { TALLY_REFUSALS, TALLY_FAILURES_PERSON, TALLY_FAILURES_PROGRAM, TALLY_COUNT };

/** Memory that was reserved for a record and waits for its fold; used as one of the blocks below then. */
struct role_block {
    struct role_block *next;
};

/** A message that has not ended. */
struct role_message {
    struct org_message seen; /* first: what others get is a pointer to it */
    struct role_message *next;
    struct role_message *previous;
    struct role_chain *chain;    /* the one it is in, NULL for none */
    struct heap *queue;          /* the heap it is queued in, NULL for none */
    struct heap_node queue_node; /* in `queue` */
    struct heap_node due_node;   /* in the role's `due` */
    uint64_t number;
    uint64_t let_go_hash; /* of the command by which it was last let go; 0 for none */
    uint32_t holder_name; /* who holds it or did last; MAP_NONE for nobody */
    uint32_t assigned_name;
    bool is_first; /* queued again before the others of its class */
    size_t size;   /* of the body */
    uint64_t body[];
};

/** Messages in a row. */
struct role_chain {
    struct role_message *first;
    struct role_message *last;
};

/** An actor that had to do with this role. */
struct role_name {
    const char *text;
    uint64_t hash; /* of the text */
    bool is_absent;
    bool is_holder; /* in the succession */
    uint32_t held_count;
    struct role_chain held;
    struct heap assigned[ORG_CLASS_COUNT];
};

/** What stays of every message for ever. */
struct role_entry {
    uint64_t id;
    union {
        struct role_message *live;
        uint64_t command_hash; /* of the command that ended it, 0 for none */
    };
    uint8_t state; /* an org_state */
};

/** A receipt that a key gets again. */
struct role_receipt {
    struct hash_wide key;
    uint64_t content;
    int64_t wait_median_ms;
    int64_t wait_p95_ms;
    uint32_t entry;
    uint32_t position;
};

/** What was last delivered from another stream. */
struct role_source {
    const char *text;
    uint64_t number;
    uint64_t id;
};

/** An entry of the outbox, in a chain with the others owed to the same role. */
struct role_outgoing {
    struct role_outgoing *earlier;
    struct role_outgoing *later;
    uint64_t hash; /* of the role it is for */
    size_t size;
    uint64_t body[]; /* an org_sent */
};

/** The last times at which something happened; made when it first does. */
struct role_tally {
    int64_t at[ORG_TALLY_MAX + 1];
    uint32_t count;  /* in `at`, at most all of it */
    uint32_t next;   /* place of the next one */
    bool is_pending; /* more than the limit in the period, and not told yet */
    bool is_raised;  /* told; the next occurrence begins when it is over */
};

/** The last hand-over note: the record's body. */
struct role_note {
    size_t size;
    uint64_t body[]; /* an org_handed_over */
};

/** How trouble of the role as a whole is met: org_role_rules without who and when. */
struct role_rules {
    int64_t refusals_period_ms;
    int64_t failures_period_ms; /* 0: by kind */
    uint32_t refusals_max;
    uint32_t failures_max;
    uint8_t on_absent; /* an org_action; 0: the default */
    uint8_t on_overflow;
};

/** How the role is set up: the record's body, and what follows from it. */
struct role_configuration {
    size_t size;
    uint64_t body[]; /* an org_role_configured */
};

/** The role. */
struct org_role {
    char name[ORG_NAME_LEN_MAX + 1];
    bool is_open;
    bool is_replayed; /* the record that is folded comes from the journal; only planted bugs look */
    struct hash_key key;
    uint64_t hash_of_nothing;                 /* of "" under it */
    struct role_configuration *configuration; /* NULL before it is opened */
    uint32_t holders[ORG_SUCCESSION_MAX];     /* names, in order */
    uint32_t holder_count;
    struct org_counts counts; /* `occupied` is not kept here but worked out */
    uint64_t counted;         /* messages queued, held or quarantined that count against the capacity */
    uint64_t counted_parked;

    struct role_entry *entries;
    size_t entry_capacity; /* counts.accepted of them are used */
    uint64_t first_live;   /* no entry before this index is live */
    uint64_t last_id;      /* the greatest of all entries: one that is greater is not there */
    struct map ids;
    struct role_chain fresh[ORG_CLASS_COUNT];
    struct heap returned[ORG_CLASS_COUNT];
    struct heap put_off[ORG_CLASS_COUNT];
    uint64_t queued[ORG_CLASS_COUNT];
    uint64_t queued_work;
    uint64_t awaiting;
    uint64_t timed; /* held or quarantined, with a deadline: what can be late */
    struct role_chain told;
    uint64_t told_several; /* of those, what more than one have failed */
    struct role_chain parked;
    struct role_chain quarantined;
    struct heap due;
    struct org_waits *waits; /* NULL until something ended */

    struct role_rules rules;
    bool is_readable;
    struct role_tally *tallies[TALLY_COUNT]; /* NULL until something was counted */
    bool is_absence_told;                    /* since somebody was present last */
    struct role_note *note;

    struct role_receipt *receipts;
    size_t receipt_count;
    size_t receipt_capacity;
    struct map receipt_map;

    struct arena texts;
    struct role_name **names; /* each stays where it is: messages point to its chain and heaps */
    size_t name_count;
    size_t name_capacity;
    struct map name_map;
    struct role_source *sources;
    size_t source_count;
    size_t source_capacity;
    struct map source_map;

    struct role_outgoing **outbox;
    uint64_t outbox_first; /* number of outbox[outbox_head] */
    size_t outbox_head;    /* places before it are used up */
    size_t outbox_end;
    size_t outbox_capacity;
    struct map outbox_map; /* the role it is for -> the low 32 bits of the last entry owed to it */

    struct role_block *reserved; /* in the order in which folding takes them */
    struct role_block **reserved_end;
    size_t reserved_count; /* records reserved for and not folded */
};

/* --- texts of bodies ----------------------------------------------------------------------------- */

static inline const org_accepted *message_body(const struct role_message *message)
{
    return (const org_accepted *)(const void *)message->body;
}

static inline const char *message_text(const struct role_message *message, troupe_span span)
{
    return troupe_flat_text(message->body, span);
}

static inline const org_sent *outgoing_body(const struct role_outgoing *outgoing)
{
    return (const org_sent *)(const void *)outgoing->body;
}

static inline const org_role_configured *role_configured(const struct org_role *role)
{
    return (const org_role_configured *)(const void *)role->configuration->body;
}

static inline const char *role_configured_text(const struct org_role *role, troupe_span span)
{
    return troupe_flat_text(role->configuration->body, span);
}

/* --- role_queue.c -------------------------------------------------------------------------------- */

/** Puts a message in the place that its state says, and counts it. */
void role_place(struct org_role *role, struct role_message *message);

/** Takes a message out of its place, and does not count it any more. */
void role_displace(struct org_role *role, struct role_message *message);

/** The message of an entry of one of the heaps in which messages are queued. */
struct role_message *role_queue_message(const struct heap_entry *entry);

/** When something happens to a message by itself; INT64_MAX for never. */
int64_t role_due_of(const struct role_message *message);

/**
 * The message that an actor would get next; NULL when none waits for it. Messages accepted at `aged_at` or
 * before count one class higher.
 */
struct role_message *role_choose(const struct org_role *role, uint32_t name, bool is_active, int64_t aged_at);

/** Whether a message stands for something a child told: an escalation or a notice. */
bool role_is_told(const struct role_message *message);

/** The first present holder who may take what a child told: not the one who failed. MAP_NONE for nobody. */
uint32_t role_taker(const struct org_role *role, const struct role_message *message);

/** The place in the queue of a message of this class that arrives now: 1 is next. */
uint32_t role_position(const struct org_role *role, enum org_class message_class);

/** The newest message of the lowest class below this one that may be pushed out; NULL for none. */
struct role_message *role_choose_shed(const struct org_role *role, enum org_class message_class);

/** Ends the assignment of messages to an actor: they wait for whoever holds the role. */
void role_unassign(struct org_role *role, uint32_t name);

/** Queued messages in the order of taking, at most `limit`. */
size_t role_list_queued(const struct org_role *role, int64_t aged_at, const struct org_message **ret_messages,
                        size_t limit);

/** The same, of those alone that this actor may take; and how many these are. */
size_t role_list_for(const struct org_role *role, uint32_t name, bool is_active, int64_t aged_at,
                     const struct org_message **ret_messages, size_t limit);
uint64_t role_count_for(const struct org_role *role, uint32_t name, bool is_active);

/** The class of a message, one higher when it was accepted at `aged_at` or before. */
enum org_class role_class_at(const struct role_message *message, int64_t aged_at);

/** What was accepted then or before has aged now, by these hours. */
int64_t role_aged_at(const struct org_role *role, const struct org_hours *hours, int64_t now_ms);

/* --- role_supervise.c ---------------------------------------------------------------------------- */

/** What is done about a kind of failure: the role's rule, or the default. */
enum org_action role_action_for(const struct org_role *role, enum org_cause cause);

/* --- role_trouble.c ------------------------------------------------------------------------------ */

/** Whether the next tick has to do something about the role as a whole. */
bool role_is_in_trouble(const struct org_role *role);

/** Whether a child told something that nobody present may take. */
bool role_has_stuck(const struct org_role *role);

/** Notes that something happened, and whether that was too much in the period. */
void role_tally_add(struct role_tally *tally, int64_t at, uint32_t limit, int64_t period_ms);

/** The period of failures in roles that this kind holds. */
int64_t role_failures_period(const struct org_role *role, enum org_holder_kind kind);

/* --- names, in role.c ---------------------------------------------------------------------------- */

/** The place of an actor's name; MAP_NONE when it never had to do with this role. */
uint32_t role_name_find(const struct org_role *role, const char *text);

/** The text at a place; NULL for MAP_NONE. */
const char *role_name_text(const struct org_role *role, uint32_t name);

/** The active holder; MAP_NONE for nobody. */
uint32_t role_active(const struct org_role *role);

/** The first present holder after this one in the succession; MAP_NONE for nobody. */
uint32_t role_next_present(const struct org_role *role, uint32_t name);

/** The live message with an id, NULL for none; and the entry of any message, NULL for none. */
struct role_message *role_live(const struct org_role *role, uint64_t id);
const struct role_entry *role_entry_of(const struct org_role *role, uint64_t id);

/** What was last delivered from a stream; NULL for nothing. */
const struct role_source *role_source_find(const struct org_role *role, const char *text);

/** An entry of the outbox that has not arrived; NULL for none. */
struct role_outgoing *role_outgoing(const struct org_role *role, uint64_t number);

/** The number of the last entry owed to a role, whose hash is given; 0 for none. */
uint64_t role_owed_last(const struct org_role *role, uint64_t hash, const char *to);

/** Takes the key under which texts are hashed; no name is known yet. */
void role_set_key(struct org_role *role, const struct hash_key *key);

/** Hashes of a text under the role's key, and of a key with its sender. */
uint64_t role_hash_text(const struct org_role *role, const char *text);
/** The same of an actor, who is mostly known. */
uint64_t role_hash_actor(const struct org_role *role, const char *actor);
struct hash_wide role_hash_key(const struct org_role *role, const char *by, const char *key);

/** The receipt of a key; NULL for none. */
const struct role_receipt *role_receipt_find(const struct org_role *role, const struct hash_wide *key);

/* --- role_reserve.c ------------------------------------------------------------------------------ */

/** Reserves what the fold of a record needs. TROUPE_NO_MEMORY, TROUPE_LIMIT. */
TROUPE_MUST_CHECK troupe_status role_reserve(struct org_role *role, const struct record *record);

/** Enters an actor's name, or a stream's, that may be there already. */
TROUPE_MUST_CHECK troupe_status role_reserve_name(struct org_role *role, const char *text);
TROUPE_MUST_CHECK troupe_status role_reserve_source(struct org_role *role, const char *text);

/** Takes the next reserved block. */
void *role_take_reserved(struct org_role *role);

/** Frees reserved blocks that were not folded. */
void role_drop_reserved(struct org_role *role);

/* --- role_fold.c --------------------------------------------------------------------------------- */

/** Folds one record for which memory is reserved. */
void role_fold(struct org_role *role, const struct record *record);

#endif

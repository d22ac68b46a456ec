/* SPDX-License-Identifier: MIT */
/*
 * waits.h: who waits for whom. An actor waits for another when it is parked on its mailbox (overflow.h) or
 * holds until it has answered (hold.h). It waits for at most one, and does nothing meanwhile: so a ring of
 * waits is exactly a deadlock, with no other kind of knot to look for (the single-resource model: Knapp,
 * "Deadlock detection in distributed databases", 1987).
 *
 * Chandy, Misra and Haas (1983) find such a ring by a probe that travels along the waits as a message, since
 * their processes share no memory, and find it some time after it has closed. Ours do share memory: each
 * publishes whom it waits for in its slot, so whoever is about to wait follows the others' words itself, on
 * any worker, and is refused the wait that would close the ring before it begins to. Nobody is stopped, no
 * lock is taken, and waits that close no ring cost one store and as many loads as the chain is long.
 * (Plain asks wait for nobody: their rings are found by chases, chase.h.)
 *
 *   nobody --waits_begin: published--> waits for `parked_on` --waits_end, or the answer is sent--> nobody
 *                  \--it would close a ring: taken back--> nobody
 *
 * Invariants
 *   1. of the actors that close a ring at the same moment at least one sees it: each publishes its own wait
 *      before it follows the others' (both sequentially consistent: the last one to publish sees them all)
 *   2. what is called a ring was one: it is followed twice and must be the same both times, tags included;
 *      a tag changes with each wait, so every wait of it lasted from the first look at it to the second, and
 *      all of them at once between the two (a double collect: Afek et al. 1993). A wait that ends and begins
 *      again in between 128 times over could be mistaken; it would be refused, not hang
 *   3. an answer ends its asker's wait when it is sent, not when it is received: who answers and then waits
 *      for the asker closes no ring
 */
#ifndef TROUPE_CORE_WAITS_H
#define TROUPE_CORE_WAITS_H

#include "core/system.h"

enum {
    WAITS_CHAIN_MAX = 1024, /* waits followed in search of a ring; a longer chain counts as one */
    WAITS_TAG_HELD = 0x80,  /* in waits_tag: until an answer; else parked */
    WAITS_TAG_COUNT = 0x7f, /* how many waits, modulo */
    WAITS_NAMED_MAX = 16,   /* actors named in the text of a path; of a longer one the rest are counted */
};

/* Whom the actor waits for, and so on. */
struct waits_chain {
    uint32_t len;
    uint64_t refs[WAITS_CHAIN_MAX];
    uint8_t tags[WAITS_CHAIN_MAX];
};

/* The actor will wait for `to`; false, and the ring, when that would close one: it does not wait then. */
bool waits_begin(struct troupe_system *system, struct actor *actor, troupe_ref to, bool is_held,
                 struct waits_chain *ret_ring);

/* It waits for nobody. */
void waits_end(struct actor *actor);

/* Somebody answers: if the asker waits for this answer, it does not any more. Any thread. */
void waits_answered(struct troupe_system *system, troupe_asker asker);

/*
 * A question is handed on from one to another: if the asker waits for its answer, it waits for `to` now.
 * False, and nothing is changed, when that would close a ring. Any thread.
 */
bool waits_move(struct troupe_system *system, troupe_asker asker, troupe_ref from, troupe_ref to,
                struct waits_chain *ret_ring);

/* Keeps "first -> ... -> last -> first" for troupe_wait_path. Refs that name nobody any more are skipped. */
void waits_path_keep(struct worker *worker, struct actor *actor, troupe_ref first, const uint64_t *refs,
                     uint32_t count);

/* No ring any more. */
void waits_path_clear(struct actor *actor);

/* The text of the actor's failure: what it said itself, or the path that was kept if that is the reason. */
const char *waits_failure_text(const struct actor *actor, troupe_status reason);

#endif

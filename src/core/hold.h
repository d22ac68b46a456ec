/* SPDX-License-Identifier: MIT */
/*
 * hold.h: asking and doing nothing else until the answer: Erlang's gen_server:call. The worker goes on with
 * other actors; this one's mailbox is closed but for what ends the ask, what would end the actor, and what
 * the runtime only notes down (monitors and links of others).
 *
 *   RUNNING --troupe_ask_hold--> HOLDING --answer, refusal, timeout: its continuation runs--> RUNNING
 *       \--it would close a ring: TROUPE_DEADLOCK   \--killed, linked end--> ENDING
 *
 * Invariants
 *   1. phase is HOLDING exactly while extras->hold_ask is the number of an open ask
 *   2. nothing that was in the mailbox changes its order by being passed over
 *   3. whoever holds is not parked, and the other way round: it waits for at most one (waits.h)
 */
#ifndef TROUPE_CORE_HOLD_H
#define TROUPE_CORE_HOLD_H

#include "core/worker.h"

/* The next message that an actor which holds may see; NULL: there is none. */
troupe_message *hold_pop(struct worker *worker, struct actor *actor);

/* Whether there is one in its lanes. */
bool hold_has_any(struct actor *actor);

/* An ask of the actor has ended: if it held for it, it does not any more. */
void hold_end(struct actor *actor, uint64_t ask);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * debt.h: the questions that an actor keeps to answer later. If it ends first, whoever asked is told at once
 * instead of at its timeout (Erlang's gen_server:call does this with a monitor for each question; here only
 * a question that outlives its handler costs anything).
 *
 *   question --handler returns, not answered--> debt --reply, refuse, forward--> paid
 *                                                \--the asker gave up, or was answered by another: FORGET--^
 *                                                 \--the actor ends--> refused with TROUPE_NO_ACTOR
 *
 * Invariants
 *   1. a debt is at most once in `list`, and in `map` exactly when it is in `list`
 *   2. a debt that could not be kept (DEBTS_MAX, no memory) is none: its asker hears its timeout
 */
#ifndef TROUPE_CORE_DEBT_H
#define TROUPE_CORE_DEBT_H

#include "base/map.h"
#include "core/worker.h"

enum {
    DEBTS_MAX = 1 << 20, /* questions of one actor to be answered */
};

struct debts {
    struct map map;
    troupe_asker *list;
    uint32_t count;
    uint32_t capacity;
};

/* What was answered, handed on or refused last on this worker, by the actor that runs. */
void debt_pay(struct worker *worker, struct actor *actor, troupe_asker asker);

/* The handler of a question has returned: it is a debt unless it was paid. */
void debt_consider(struct worker *worker, struct actor *actor, const troupe_message *question);

/* Whether the question that was just handled has been paid. To be asked once. */
bool debt_is_paid(struct worker *worker, const troupe_message *question);

/* Forgets a debt, if it is one. */
void debt_forget(struct actor *actor, troupe_asker asker);

/* The actor ends: refuses what it owes. */
void debts_refuse(struct worker *worker, struct actor *actor);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * ask.h: the asking side of request and reply, for questions that are not plain messages, and the way in for
 * threads that wait.
 */
#ifndef TROUPE_CORE_ASK_H
#define TROUPE_CORE_ASK_H

#include <pthread.h>

#include "core/post.h"
#include "core/worker.h"

/*
 * The number of an ask as it travels with the question and comes back: the handle's id, whose lower word
 * leaves bits 23 to 31 free, with what others must know of the ask.
 */
#define ASK_ID_MASK (~(UINT64_C(0x1ff) << 23))
#define ASK_HELD (UINT64_C(1) << 31)      /* its asker holds until the answer: waits.h */
#define ASK_FORWARDED (UINT64_C(1) << 30) /* it was handed on */
#define ASK_TAG(tag) ((uint64_t)(tag) << 23)
#define ASK_TAG_OF(ask) ((uint8_t)((ask) >> 23 & 0x7f))

/*
 * Reserves the place of a reply, with its timeout: the number goes with the question, to `to`. Errors:
 * TROUPE_NO_MEMORY, TROUPE_LIMIT.
 */
troupe_status ask_begin(struct worker *worker, struct actor *actor, troupe_ref to, uint32_t timeout_ms,
                        troupe_reply_handler on_reply, void *context, uint64_t *ret_ask);

/* The question could not be sent: nothing is left of it. */
void ask_undo(struct worker *worker, struct actor *actor, uint64_t ask);

/* Hands a question on, as a letter that is a copy of it; see troupe_forward. */
troupe_status ask_forward(troupe_self *self, struct letter *letter);

/* Whoever was asked need not answer any more: its debt, if it has one, is forgotten. */
void ask_forget(struct worker *worker, struct actor *actor, troupe_ref to, uint64_t ask);

/*
 * A thread outside that waits: a short-lived actor asks for it, as `ask` says. The call outlives the actor's
 * last use of it, since telling that it is complete is that use.
 */
struct call {
    troupe_status (*ask)(troupe_self *self, const struct call *call, troupe_reply_handler on_reply);
    troupe_ref to;
    uint32_t timeout_ms;
    const troupe_type *type;
    const void *fields;
    /* -- the rest is call_run's -- */
    pthread_mutex_t lock;
    pthread_cond_t is_over;
    bool is_complete;
    troupe_status status;
    troupe_message *reply; /* from malloc */
};

/* Blocks until the ask has ended. Errors: TROUPE_IN_HANDLER, those of troupe_spawn, what the ask came to. */
troupe_status call_run(troupe_system *system, struct call *call, troupe_message **ret_reply);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * relief.h: what happens when a handler does not come back. A watchdog thread looks at the workers every
 * handler_ms. When it finds one in the turn it was in at the last look, a spare thread takes the worker over,
 * with its queues, timers and descriptors, and the thread that is stuck keeps nothing but the actor that it
 * is in a handler of:
 *
 *   before:  thread T runs worker W, in a handler of actor A    thread S runs the spare W', which is idle
 *   after:   thread S runs worker W, with all its other actors   thread T runs W', where A is now at home
 *   later:   the handler comes back; T sends A home to W and is the next spare
 *
 * A spare is a worker like those of actors with a thread of their own, from the same pool. (Go hands a
 * processor's queue on in the same way when a call into the system does not return: runtime/proc.go,
 * handoffp.)
 *
 * The thread that is stuck may at any moment call the runtime, which would touch W. So it takes the worker
 * not from where it began the turn but from its seat, the troupe_self that the handler was given, and says
 * there when it is in the runtime:
 *
 *   T  in_runtime = 1; (*) if (is_revoked) wait for the lock; use seat.worker; in_runtime = 0
 *   S  under the lock: is_revoked = true; barrier in all threads; if (in_runtime == 0) seat.worker = W';
 *      is_revoked = false
 *
 * Either T's store comes before the barrier, then S sees it and leaves everything as it is, or T's load at
 * (*) comes after the barrier and sees S at work or done. The barrier is membarrier(2), so T pays for no
 * fence (asymmetric Dekker: Dice, Huang, Yang 2001). Where the kernel has none, nobody is relieved. The model
 * is tests/model/relief.pml.
 *
 * Invariants
 *   1. seat->context.worker changes only under the system's pinned_lock and while in_runtime is 0: whoever is
 *      in the runtime may hold on to the worker, but must take it anew after user's code has run
 *   2. a thread keeps its seat for life; a worker's seat is that of the thread that runs it
 *   3. only receive, continuations, flush and start are relieved: around all else in_runtime stays above 0
 */
#ifndef TROUPE_CORE_RELIEF_H
#define TROUPE_CORE_RELIEF_H

#include "core/worker.h"

/* Waits until a relief that has begun has ended, well or not. */
void relief_await(troupe_self *seat);

/* From here the seat's worker stays ours, until runtime_leave. Calls nest. */
static inline struct worker *runtime_enter(troupe_self *seat)
{
    store_relaxed(&seat->in_runtime, load_relaxed(&seat->in_runtime) + 1);
    atomic_signal_fence(memory_order_seq_cst); /* with the barrier in take_over: see the head */
    if (UNLIKELY(load_acquire(&seat->is_revoked)))
        relief_await(seat);
    return seat->context.worker;
}

static inline void runtime_leave(troupe_self *seat)
{
    /* Release pairs with load_acquire in take_over: what was done to the worker is visible. */
    store_release(&seat->in_runtime, load_relaxed(&seat->in_runtime) - 1);
}

static inline void runtime_scope_end(troupe_self **seat)
{
    runtime_leave(*seat);
}

/* For functions that a handler calls: `worker` is its worker until the block ends, however it ends. */
#define RUNTIME_SCOPE(self)                                                                                  \
    troupe_self *runtime_seat __attribute__((cleanup(runtime_scope_end))) = (self);                          \
    struct worker *worker = runtime_enter(runtime_seat)

/* Starts the watchdog of a system with threads. Errors: TROUPE_IO, TROUPE_NO_MEMORY. */
troupe_status relief_start(struct troupe_system *system);

/* Ends it: nobody is relieved any more. When the workers' threads have ended, too, frees what is left. */
void relief_stop(struct troupe_system *system);
void relief_done(struct troupe_system *system);

/* A worker has slept and has work again: the watchdog must not sleep. */
void relief_rouse(struct troupe_system *system);

/*
 * A spare worker has nothing to do: takes over the worker that it was called to, if it was and if that is
 * still stuck. Afterwards the thread goes on with its seat's worker.
 */
void relief_serve(struct worker *spare);

/* The thread of a spare worker is back from the handler it was stuck in: its actor goes home. */
void relief_return(struct worker *spare);

#endif

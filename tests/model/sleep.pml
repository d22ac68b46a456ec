/* SPDX-License-Identifier: MIT */
/*
 * sleep.pml: how a worker goes to sleep and is woken (src/core/scheduler.c: worker_sleep, spin, is_called,
 * worker_notify, worker_wake; the poller of src/env). Every step here is sequentially consistent there.
 *
 * The property: the worker handles everything that is pushed. A worker that waits for ever with something pushed is
 * found by spin as an invalid end state.
 *
 * Broken on purpose, each of which must be found:
 *   LOOK_BEFORE_SET    the sleeper looks at what was pushed before it says that it sleeps
 *   LOOK_BEFORE_PUSH   the notifier looks whether to wake before it pushes
 *   NO_SECOND_LOOK     the sleeper does not look again
 *   WAKE_FORGOTTEN     a wake that comes before the wait is lost: no eventfd, but a signal
 */
#define NOTIFIERS 3

byte arrivals;    /* pushed and not taken */
bit is_sleeping;  /* worker.is_sleeping */
bit eventfd;      /* the poller's memory of a wake */
byte handled;

inline push() {
    arrivals++ /* cas_seq_cst */
}

inline wake() {
    if
    :: is_sleeping -> /* load_seq_cst */
        atomic { /* exchange_seq_cst: one waker writes, not all */
            if
            :: is_sleeping -> is_sleeping = 0; woken = 1
            :: else -> woken = 0
            fi
        };
        if
        :: woken ->
#ifdef WAKE_FORGOTTEN
            atomic { if :: is_waiting -> eventfd = 1 :: else fi }
#else
            eventfd = 1
#endif
        :: else
        fi
    :: else
    fi
}

bit is_waiting;

proctype notifier() {
    bit woken;
#ifdef LOOK_BEFORE_PUSH
    bit sleeps = is_sleeping;
    push();
    if :: sleeps -> is_sleeping = 0; eventfd = 1 :: else fi
#else
    push();
    wake()
#endif
}

active proctype worker() {
    byte taken;
    do
    :: handled == NOTIFIERS -> break
    :: else ->
        atomic { taken = arrivals; arrivals = 0 }; /* exchange_acquire in arrivals_take */
        handled = handled + taken;
        if
        :: taken > 0
        :: else ->
            if
            :: handled == NOTIFIERS -> break
            :: else
            fi;
            do /* spin: it looks out, and its looks at the poller empty the eventfd of a wake that comes late */
            :: arrivals > 0 -> goto awake
            :: eventfd -> eventfd = 0
            :: break
            od;
#ifdef LOOK_BEFORE_SET
            if
            :: arrivals > 0 -> goto awake
            :: else
            fi;
            is_sleeping = 1;
#else
            is_sleeping = 1;
#ifndef NO_SECOND_LOOK
            if
            :: arrivals > 0 -> goto awake /* is_called */
            :: else
            fi;
#endif
#endif
            is_waiting = 1;
            atomic { eventfd -> eventfd = 0; is_waiting = 0 }; /* epoll_wait, and the read that empties it */
awake:
            is_sleeping = 0
        fi
    od
}

init {
    byte i;
    for (i : 1 .. NOTIFIERS) {
        run notifier()
    }
}

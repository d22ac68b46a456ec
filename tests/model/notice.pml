/* SPDX-License-Identifier: MIT */
/*
 * notice.pml: how the home of an actor hears of what arrives for it, while the actor moves (src/core/mailbox.h, the
 * states of `arrived`; scheduler.c: worker_notify, arrivals_take, dealt_push, scheduler_dealt_take, scheduler_yield).
 * One actor, two workers that deal it to each other, threads outside that send to it, and workers that do.
 *
 * Properties, asserted on the way:
 *   - the actor is linked at most once: in one worker's `arrivals` or in the hands of whoever is to put it there
 *   - the actor is in one place to run at most: a run queue, `dealt`, or running
 *   - only its home touches its lanes
 * and at the end: every message is handled. One left lying is found by spin as an invalid end state.
 *
 * Broken on purpose, each of which must be found:
 *   QUEUED_LATE      is_queued is not set when an actor is dealt: a notice finds it first and queues it again
 *   EARLY_NULL       the early splice leaves NULL, though a notice is under way
 *   NOTICE_KEPT      the splice for a notice leaves NOTIFIED, as if another were under way
 *   NOTICE_DROPPED   a notice that finds its actor moved is not passed on
 *   NOTIFIED_IS_NULL  a push that finds NOTIFIED tells the home, as if nothing were under way
 *   HOME_LATE        the home changes after the actor was put into the other's `dealt`
 */
#define OUTSIDERS 2
#define INSIDE 1 /* messages sent by each worker */
#define TOTAL (OUTSIDERS + 2 * INSIDE)
#define MOVES 2
#define NONE 255

short arrived = -1; /* -1 NULL, 0 NOTIFIED, n messages */
byte home;
byte lanes;
bit is_queued;
byte links[2];  /* in worker.arrivals */
byte carried;   /* notices in somebody's hands */
byte dealt[2];
byte queue[2];
byte running;
byte handled;
byte moves;
bit is_spawned;

#define LINKED_ONCE assert(links[0] + links[1] + carried <= 1)
#define RUNS_ONCE assert(dealt[0] + dealt[1] + queue[0] + queue[1] + running <= 1)

/* mailbox_push_remote and worker_notify */
inline push_remote() {
    atomic {
        if
        :: arrived == -1 -> arrived = 1; is_first = 1; carried++
#ifdef NOTIFIED_IS_NULL
        :: arrived == 0 -> arrived = 1; is_first = 1; carried++
        :: arrived > 0 -> arrived++; is_first = 0
#else
        :: else -> arrived++; is_first = 0
#endif
        fi;
        LINKED_ONCE
    };
    if
    :: is_first ->
        to = home; /* load_acquire */
        atomic { links[to]++; carried--; LINKED_ONCE }
    :: else
    fi
}

/* What the exchange of mailbox_splice took out goes to the lanes; `left` is what it leaves. */
inline splice(left) {
    atomic {
        got = (arrived > 0 -> arrived : 0);
        arrived = left
    };
    assert(home == me);
    lanes = lanes + got
}

inline deal() {
    atomic {
#ifndef QUEUED_LATE
        is_queued = 1;
#else
        is_queued = 0;
#endif
        moves++
    };
#ifdef HOME_LATE
    atomic { dealt[1 - me]++; queue[me]--; RUNS_ONCE };
    home = 1 - me
#else
    home = 1 - me; /* store_release */
    atomic { dealt[1 - me]++; queue[me]--; RUNS_ONCE } /* cas_seq_cst */
#endif
}

inline arrivals_take() {
    atomic { links[me]--; carried++ }; /* exchange_acquire */
    if
    :: home != me ->
#ifdef NOTICE_DROPPED
        carried--
#else
        to = home;
        atomic { links[to]++; carried--; LINKED_ONCE }
#endif
    :: else ->
        carried--; /* from here the notice is spent: the splice says so */
#ifdef NOTICE_KEPT
        splice(0);
#else
        splice(-1);
#endif
        if
        :: !is_queued && lanes > 0 -> is_queued = 1; atomic { queue[me]++; RUNS_ONCE }
        :: else
        fi
    fi
}

inline turn() {
    atomic { queue[me]--; running++; RUNS_ONCE };
    do
    :: lanes > 0 -> assert(home == me); lanes--; handled++
    :: lanes == 0 && arrived > 0 ->
#ifdef EARLY_NULL
        splice(-1)
#else
        splice(0)
#endif
    :: lanes == 0 && arrived <= 0 -> break
    :: lanes > 0 -> break /* the batch is over */
    od;
    if
    :: lanes > 0 -> atomic { running--; queue[me]++; RUNS_ONCE }
    :: else -> atomic { is_queued = 0; running-- }
    fi
}

/* mailbox_push_local, or the other way when the actor lives elsewhere */
inline send() {
    sent++;
    if
    :: home == me -> /* also when it is still in our `dealt` */
        if
        :: arrived > 0 -> splice(0)
        :: else
        fi;
        lanes++;
        if
        :: !is_queued -> is_queued = 1; atomic { queue[me]++; RUNS_ONCE }
        :: else
        fi
    :: else -> push_remote()
    fi
}

proctype worker(byte me) {
    byte sent;
    byte to;
    short got;
    bit is_first;
    do
    :: handled == TOTAL -> break
    :: handled < TOTAL && (links[me] > 0 || dealt[me] > 0 || queue[me] > 0 || (is_spawned && sent < INSIDE)) ->
        if
        :: is_spawned && sent < INSIDE -> send()
        :: queue[me] > 0 && moves < MOVES -> deal()
        :: else
        fi;
        if
        :: links[me] > 0 -> arrivals_take()
        :: else
        fi;
        if
        :: dealt[me] > 0 ->
            atomic { dealt[me]--; queue[me]++; RUNS_ONCE };
#ifdef QUEUED_LATE
            is_queued = 1
#endif
        :: else
        fi;
        if
        :: queue[me] > 0 -> turn()
        :: else
        fi
    od
}

proctype outsider() {
    byte to;
    bit is_first;
    is_spawned -> push_remote()
}

/* Spawned outside with a name: others may send to it before it is dealt to its first home. */
init {
    home = 0;
    is_spawned = 1;
#ifndef QUEUED_LATE
    is_queued = 1;
#endif
    dealt[0]++;
    byte i;
    atomic {
        run worker(0);
        run worker(1);
        for (i : 1 .. OUTSIDERS) {
            run outsider()
        }
    }
}

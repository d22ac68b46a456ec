/* SPDX-License-Identifier: MIT */
/*
 * relief.pml: how a spare takes a worker over from a thread whose handler does not come back
 * (src/core/relief.h, relief.c: runtime_enter, runtime_leave, take_over, exchange; activation.c: user_begin and
 * user_end, which are the same two steps). The stuck thread's stores go through a store buffer, first in, first
 * out, as on x86 and as the release of runtime_leave asks for elsewhere: it may load is_revoked before its own
 * store of in_runtime is seen by anybody. Only the spare's barrier, and the processor whenever it likes, empty
 * that buffer.
 *
 * The properties: a worker is never used by two threads; nobody waits for ever; once relieved, the stuck thread
 * uses nothing but the spare's worker.
 *
 * Broken on purpose, each of which must be found:
 *   NO_BARRIER          the spare does not make the other thread's stores visible before it looks
 *   NO_LOOK             the spare does not look whether the other is in the runtime
 *   NO_AWAIT            the stuck thread goes on though a relief is under way
 *   WORKER_KEPT         the stuck thread goes on with the worker from before its handler
 *   LOOK_BEFORE_REVOKE  the spare looks first, and says then that it comes
 */
#define CALLS 3 /* of the runtime by the handler */
#define TRIES 3 /* of the spare, each with a look whether it is stuck */
#define BUFFERED 4

#define OWN 0   /* W: the worker that the thread runs when the handler begins */
#define SPARE 1 /* W' */

bit in_runtime = 1; /* as others see it */
bit is_revoked;
bit lock;           /* pinned_lock */
byte seat_worker = OWN;
bool is_relieved;
byte users[2];      /* threads that are using each worker */
bit done;           /* the handler has come back */

/* The stuck thread's store buffer. */
bit buffer[BUFFERED];
byte buffered;

inline drain_one() {
    d_step {
        in_runtime = buffer[0];
        buffer[0] = buffer[1]; buffer[1] = buffer[2]; buffer[2] = buffer[3]; buffer[3] = 0;
        buffered--
    }
}

inline store_in_runtime(value) {
    atomic { buffered < BUFFERED -> buffer[buffered] = value; buffered++ }
}

/* The processor writes buffered stores back at any moment. */
active proctype processor() {
    do
    :: atomic { buffered > 0 -> drain_one() }
    :: atomic { buffered == 0 && done -> break }
    od
}

inline enter() {
    store_in_runtime(1);
#ifndef NO_AWAIT
    if
    :: is_revoked -> /* relief_await: the lock is had and given back at once */
        atomic { !lock -> skip }
    :: else
    fi;
#endif
    worker = seat_worker
}

inline use() {
    users[worker]++;
    assert(users[worker] == 1);
    assert(!is_relieved || worker == SPARE);
    users[worker]--
}

active proctype stuck() {
    byte worker = OWN;
    byte call;
    store_in_runtime(0); /* user_begin */
    do
    :: call == CALLS -> break
    :: else ->
        call++;
        enter();
        use();
        store_in_runtime(0)
    od;
#ifdef WORKER_KEPT
    byte before = OWN;
    enter();
    worker = before;
#else
    enter(); /* user_end */
#endif
    use();
    use();
    done = 1
}

active proctype spare() {
    byte tries;
    bit looked;
    do
    :: is_relieved || tries == TRIES -> break
    :: else ->
        tries++;
        atomic { !lock -> lock = 1 };
#ifdef LOOK_BEFORE_REVOKE
        atomic { buffered == 0 -> skip };
        looked = in_runtime;
        is_revoked = 1;
#else
        is_revoked = 1;
#ifndef NO_BARRIER
        do /* env_barrier: returns when the other has passed a barrier */
        :: atomic { buffered > 0 -> drain_one() }
        :: atomic { buffered == 0 -> break }
        od;
#endif
        looked = in_runtime;
#endif
#ifdef NO_LOOK
        looked = 0;
#endif
        if
        :: looked == 0 ->
            users[OWN]++;
            assert(users[OWN] == 1); /* exchange touches it */
            seat_worker = SPARE;
            is_relieved = 1;
            users[OWN]--;
        :: else
        fi;
        is_revoked = 0;
        lock = 0
    od;
    /* The spare runs what it took over. */
    if
    :: is_relieved ->
        users[OWN]++;
        assert(users[OWN] == 1);
        users[OWN]--
    :: else
    fi
}

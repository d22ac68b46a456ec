/* SPDX-License-Identifier: MIT */
/*
 * tracer.h: what a worker notes for a trace, while one is made; troupe/trace.h has the file's form.
 *
 *   worker: turn, message, send, birth --note--> its tracer's ring --the writer's thread--> trace_file.c
 *
 * `worker->tracer` is NULL unless a trace is made; it changes by an errand, on the worker's own thread. Turns
 * of a traced worker set ATTENTION_TRACED, which takes their messages off the quick way: so the quick way
 * does not know of tracing.
 *
 * Threads: head, notes and turn are the worker's; tail is the writer's. In simulation all are the one
 * thread's, and a full ring is written at once.
 *
 * Invariants
 *   1. tail <= head <= tail + TROUPE_TRACE_NOTES_MAX; what is between them is whole
 *   2. a tracer lives as long as its system: a worker in a long handler may note into one after the trace
 */
#ifndef TROUPE_CORE_TRACER_H
#define TROUPE_CORE_TRACER_H

#include <troupe/trace.h>

#include "core/errand.h"
#include "core/events.h"
#include "core/system.h"

enum {
    TRACE_NAME_SIZE = 32, /* more of an actor's registered name is not shown */
};

enum trace_kind {
    TRACE_TURN,
    TRACE_TAKE,    /* a message was taken out and handled */
    TRACE_SEND,    /* a message was posted */
    TRACE_HAPPENED /* an event: `type` is its kind */
};

struct trace_note {
    uint64_t begin_ns;
    uint64_t end_ns; /* TURN, TAKE */
    uint64_t order;  /* of notes of the same begin_ns */
    uint64_t ref;
    uint64_t created;
    uint64_t message; /* TAKE, SEND: its address, which is its own while it is under way, */
    uint32_t check;   /* and a hash of its header, as addresses are used again */
    uint32_t type;
    uint32_t reason;
    uint16_t worker;
    uint8_t kind; /* a trace_kind */
    const char *behaviour;
    char name[TRACE_NAME_SIZE];
};

struct tracer {
    struct errand gate; /* lets the worker join or leave; first, as it is aligned */
    struct worker *worker;
    _Atomic uint32_t is_on;                     /* whether the worker is to note */
    _Atomic uint32_t gate_pending;              /* 1 while the errand is on its way */
    struct trace_note *notes;                   /* a ring */
    _Alignas(CACHE_LINE) _Atomic uint64_t head; /* by the worker */
    _Atomic uint64_t lost;                      /* by the worker */
    struct trace_note turn;                     /* the one under way, by the worker */
    bool is_in_turn;
    _Alignas(CACHE_LINE) _Atomic uint64_t tail; /* by the writer */
};

/* One trace at a time. */
struct tracing {
    pthread_mutex_t lock; /* of all of it; after the outside lock and pinned_lock */
    bool is_on;
    bool is_ending; /* by one thread */
    _Atomic bool is_leaving;
    struct env_thread *thread;
    struct trace_file *file;
    struct tracer *tracers[WORKERS_ALL_MAX];
    uint64_t sim_last_ns; /* simulation: the last note's time */
    uint64_t order;
};

struct tracing *tracing_new(void);
void tracing_free(struct tracing *tracing);

/* A worker has come to be: it joins the trace that is being made, if one is. */
void tracing_join(struct worker *worker);

/* The system's threads have ended: ends the trace if there is one. */
void tracing_end(struct troupe_system *system);

/* A turn of a traced worker. */
void tracer_turn_begin(struct worker *worker, struct actor *actor);
void tracer_turn_end(struct worker *worker);

/* A message is about to be handled, and has been; the note is the caller's in between. */
void tracer_take_begin(struct worker *worker, const struct actor *actor, const troupe_message *message,
                       struct trace_note *ret_note);
void tracer_take_end(struct worker *worker, struct trace_note *note);

/* A message is about to be pushed. */
void tracer_send(struct worker *worker, const troupe_message *message);

/* Something happened: events.c. */
void tracer_happened(struct worker *worker, const struct occurrence *occurrence);

/* -- trace_file.c: one thread at a time -- */

struct trace_file;

/* Errors: TROUPE_IO, TROUPE_NO_MEMORY. */
troupe_status trace_file_new(const char *path, struct trace_file **ret_file);

/* Takes a note; they are written by trace_file_flush. */
void trace_file_add(struct trace_file *file, const struct trace_note *note);

/* Writes the notes that began by `until_ns`, in order of time: whatever led to them has been added, too. */
void trace_file_flush(struct trace_file *file, uint64_t until_ns);

/* Names a track. */
void trace_file_track(struct trace_file *file, uint32_t worker, const char *name);

/* Ends the file; `lost` notes were not added. Frees it. Errors: TROUPE_IO. */
troupe_status trace_file_end(struct trace_file *file, uint64_t lost, uint64_t *ret_lost);

#endif

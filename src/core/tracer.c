/* SPDX-License-Identifier: MIT */
/*
 * tracer.c: both ends of the rings that tracer.h describes: the workers that note, and the start, the
 * writer's thread and the end of a trace.
 *
 * The writer reads the clock, then all rings, and writes what began by then. A taking is noted at its end,
 * the send that led to it before the message could be taken: a send that the writer did not find yet was
 * noted after it read the clock, so its taking began later still, and is written next time.
 */
#include "core/tracer.h"

#include <stdlib.h>
#include <string.h>

#include "core/embed.h"
#include "core/extras.h"
#include "core/post.h"
#include "core/scheduler.h"
#include "core/trace.h"

enum {
    WRITE_EVERY_MS = 2,
    GATE_WAIT_MS = 500, /* how long a worker in a handler is waited for at the end */
    PAGE = 64 * 1024,
    TRACED_EVENTS = TROUPE_EVENT_SPAWNED | TROUPE_EVENT_ENDED | TROUPE_EVENT_RESTARTED | TROUPE_EVENT_GAVE_UP,
};

static size_t ring_size(void)
{
    return (TROUPE_TRACE_NOTES_MAX * sizeof(struct trace_note) + PAGE - 1) / PAGE * PAGE;
}

/*
 * -- noting: the worker's thread --------------------------------------------------------------------------
 */

static uint64_t clock_ns(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    uint64_t now_ns = env_now_ns(system->env);
    if (!worker->is_simulated)
        return now_ns;
    struct tracing *tracing = system->tracing;
    tracing->sim_last_ns = now_ns > tracing->sim_last_ns ? now_ns : tracing->sim_last_ns + 1;
    return tracing->sim_last_ns;
}

/* Takes out what a ring holds. The writer's side. */
static void ring_drain(struct tracing *tracing, struct tracer *tracer)
{
    uint64_t tail = load_relaxed(&tracer->tail);
    uint64_t head = load_acquire(&tracer->head); /* with store_release in note: the notes are whole */
    for (; tail < head; tail++)
        trace_file_add(tracing->file, &tracer->notes[tail % TROUPE_TRACE_NOTES_MAX]);
    store_release(&tracer->tail, tail); /* with load_acquire in note: we have read them */
}

static void drain_all(struct tracing *tracing)
{
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++)
        if (tracing->tracers[i] != NULL)
            ring_drain(tracing, tracing->tracers[i]);
}

static void note(struct worker *worker, struct trace_note *note)
{
    struct tracer *tracer = worker->tracer;
    struct tracing *tracing = worker->self.context.system->tracing;
    uint64_t head = load_relaxed(&tracer->head);
    note->worker = (uint16_t)worker->index;
    note->order = worker->is_simulated ? ++tracing->order : head;
    if (head - load_acquire(&tracer->tail) == TROUPE_TRACE_NOTES_MAX) {
        if (!worker->is_simulated) {
            counter_add(&tracer->lost, 1);
            return;
        }
        drain_all(tracing);
        trace_file_flush(tracing->file, UINT64_MAX); /* what led to any later note is among these */
    }
    tracer->notes[head % TROUPE_TRACE_NOTES_MAX] = *note;
    store_release(&tracer->head, head + 1); /* with load_acquire in ring_drain */
}

/* Who it is, in a note. */
static void note_actor(struct trace_note *note, const struct actor *actor)
{
    const struct extras *extras = actor->extras;
    note->ref = actor_ref(actor).bits;
    note->created = load_relaxed(&actor->created);
    note->behaviour = load_relaxed(&actor->behaviour)->name;
    note->name[0] = '\0';
    if (extras != NULL && extras->name != NULL) {
        size_t len = strnlen(extras->name, TRACE_NAME_SIZE - 1);
        memcpy(note->name, extras->name, len);
        note->name[len] = '\0';
    }
}

void tracer_turn_begin(struct worker *worker, struct actor *actor)
{
    struct tracer *tracer = worker->tracer;
    tracer->turn = (struct trace_note){.kind = TRACE_TURN};
    note_actor(&tracer->turn, actor);
    tracer->turn.begin_ns = clock_ns(worker);
    tracer->is_in_turn = true;
    actor->attention |= ATTENTION_TRACED;
}

void tracer_turn_end(struct worker *worker)
{
    struct tracer *tracer = worker->tracer;
    if (tracer == NULL || !tracer->is_in_turn) /* it left the trace meanwhile, or was relieved */
        return;
    tracer->is_in_turn = false;
    tracer->turn.end_ns = clock_ns(worker);
    note(worker, &tracer->turn);
}

/* What tells a message from another one at the same address. */
static uint32_t check_of(const troupe_message *message)
{
    uint64_t hash = trace_mix(message->sender.bits, message->ask);
    hash = trace_mix(hash, (uint64_t)message->type << 32 | message->size);
    return (uint32_t)trace_mix(hash, (uint64_t)message->sent_ms << 32 | message->generation);
}

void tracer_take_begin(struct worker *worker, const struct actor *actor, const troupe_message *message,
                       struct trace_note *ret_note)
{
    *ret_note = (struct trace_note){
        .kind = TRACE_TAKE,
        .message = (uintptr_t)message,
        .check = check_of(message),
        .type = message->type,
    };
    note_actor(ret_note, actor);
    ret_note->begin_ns = clock_ns(worker);
}

void tracer_take_end(struct worker *worker, struct trace_note *taken)
{
    if (worker->tracer == NULL)
        return;
    taken->end_ns = clock_ns(worker);
    note(worker, taken);
}

void tracer_send(struct worker *worker, const troupe_message *message)
{
    bool is_outside = worker->index == OUTSIDE;
    if ((message_kind(message) >= MESSAGE_PARK) || (!is_outside && !worker->tracer->is_in_turn))
        return; /* never taken by an actor, or with no slice that an arrow could begin in */
    struct trace_note sent = {
        .kind = TRACE_SEND,
        .message = (uintptr_t)message,
        .check = check_of(message),
        .type = message->type,
        .begin_ns = clock_ns(worker),
    };
    note(worker, &sent);
}

void tracer_happened(struct worker *worker, const struct occurrence *occurrence)
{
    if ((occurrence->kind & TRACED_EVENTS) == 0)
        return;
    struct trace_note happened = {
        .kind = TRACE_HAPPENED,
        .type = (uint32_t)occurrence->kind,
        .reason = (uint32_t)occurrence->reason,
        .ref = occurrence->who.bits,
        .created = occurrence->created,
        .behaviour = occurrence->behaviour,
        .begin_ns = clock_ns(worker),
    };
    const char *name = occurrence->name != NULL ? occurrence->name : "";
    memcpy(happened.name, name, strnlen(name, TRACE_NAME_SIZE - 1));
    note(worker, &happened);
}

/*
 * -- joining and leaving ----------------------------------------------------------------------------------
 */

/* On the worker's thread, between two turns or in one. */
static void gate(struct worker *worker, struct tracer *tracer)
{
    bool is_on = load_acquire(&tracer->is_on) != 0;
    bool was_on = worker->tracer != NULL;
    if (is_on && !was_on)
        tracer->is_in_turn = false;
    worker->tracer = is_on ? tracer : NULL;
    worker->is_noted = worker->is_simulated || is_on;
    if (!worker->is_simulated && worker->index != OUTSIDE)
        worker->seat->context.is_quick = !is_on; /* the quick way of a send does not know of tracing */
}

static void gate_run(struct worker *worker, struct errand *errand)
{
    struct tracer *tracer = (struct tracer *)(void *)errand;
    store_seq_cst(&tracer->gate_pending, 0); /* before is_on is read: with gate_send */
    gate(worker, tracer);
}

/* Has a worker look at is_on again. Within context_enter of the system: `outside` is this thread. */
static void gate_send(struct troupe_system *system, struct tracer *tracer)
{
    struct worker *worker = tracer->worker;
    bool is_ours = worker->index == OUTSIDE || system->env->is_simulated ||
                   (worker->index == 0 && embed_is_host(system));
    if (is_ours) {
        gate(worker, tracer);
    } else if (exchange_seq_cst(&tracer->gate_pending, 1) == 0) {
        errand_send(worker, &tracer->gate);
    }
}

/* The tracer of a worker, made at its first trace. Under the lock. */
static struct tracer *tracer_of(struct tracing *tracing, struct worker *worker)
{
    struct tracer **at = &tracing->tracers[worker->index];
    if (*at != NULL)
        return *at;
    struct tracer *tracer = aligned_alloc(CACHE_LINE, sizeof *tracer);
    struct trace_note *notes = tracer == NULL ? NULL : env_pages_map(ring_size());
    if (notes == NULL) {
        free(tracer);
        return NULL;
    }
    memset(tracer, 0, sizeof *tracer);
    errand_init(&tracer->gate, gate_run);
    tracer->worker = worker;
    tracer->notes = notes;
    *at = tracer;
    return tracer;
}

static const char *track_name(const struct worker *worker)
{
    if (worker->index == OUTSIDE)
        return "outside";
    return worker->is_pinned ? "own thread" : "worker";
}

/* Lets one worker join. Under the lock. */
static troupe_status join(struct troupe_system *system, struct worker *worker)
{
    struct tracer *tracer = tracer_of(system->tracing, worker);
    if (tracer == NULL)
        return TROUPE_NO_MEMORY;
    if (load_relaxed(&tracer->is_on) != 0)
        return TROUPE_OK;
    store_release(&tracer->tail, load_acquire(&tracer->head)); /* what an earlier trace left */
    store_relaxed(&tracer->lost, 0);
    trace_file_track(system->tracing->file, worker->index, track_name(worker));
    store_release(&tracer->is_on, 1); /* with load_acquire in gate */
    gate_send(system, tracer);
    return TROUPE_OK;
}

void tracing_join(struct worker *worker)
{
    struct troupe_system *system = worker->self.context.system;
    pthread_mutex_lock(&system->tracing->lock);
    if (system->tracing->is_on && !system->tracing->is_ending)
        (void)join(system, worker); /* without memory it is not in this trace */
    pthread_mutex_unlock(&system->tracing->lock);
}

/*
 * -- the trace --------------------------------------------------------------------------------------------
 */

struct tracing *tracing_new(void)
{
    struct tracing *tracing = calloc(1, sizeof *tracing);
    if (tracing != NULL)
        pthread_mutex_init(&tracing->lock, NULL);
    return tracing;
}

void tracing_free(struct tracing *tracing)
{
    if (tracing == NULL)
        return;
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++) {
        if (tracing->tracers[i] == NULL)
            continue;
        env_pages_unmap(tracing->tracers[i]->notes, ring_size());
        free(tracing->tracers[i]);
    }
    pthread_mutex_destroy(&tracing->lock);
    free(tracing);
}

/* The writer's thread. */
static void write_on(void *context)
{
    struct troupe_system *system = context;
    struct tracing *tracing = system->tracing;
    while (!load_acquire(&tracing->is_leaving)) { /* with store_release in end */
        pthread_mutex_lock(&tracing->lock);
        uint64_t until_ns = env_now_ns(system->env); /* before the rings are read: see the head */
        drain_all(tracing);
        trace_file_flush(tracing->file, until_ns);
        pthread_mutex_unlock(&tracing->lock);
        env_sleep_ms(WRITE_EVERY_MS);
    }
}

/* All workers that there are. Under the lock. */
static troupe_status join_all(struct troupe_system *system)
{
    uint32_t count = load_acquire(&system->worker_count_all);
    troupe_status status = join(system, system->outside);
    for (uint32_t i = 0; i < count && status == TROUPE_OK; i++)
        status = join(system, system->workers[i]);
    return status;
}

static bool gates_are_pending(struct tracing *tracing)
{
    bool any = false;
    pthread_mutex_lock(&tracing->lock);
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++)
        any = any || (tracing->tracers[i] != NULL && load_seq_cst(&tracing->tracers[i]->gate_pending) != 0);
    pthread_mutex_unlock(&tracing->lock);
    return any;
}

/* Lets all workers leave. */
static void leave_all(struct troupe_system *system)
{
    struct tracing *tracing = system->tracing;
    context_enter(&system->context);
    pthread_mutex_lock(&tracing->lock);
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++) {
        if (tracing->tracers[i] == NULL)
            continue;
        store_release(&tracing->tracers[i]->is_on, 0);
        gate_send(system, tracing->tracers[i]);
    }
    pthread_mutex_unlock(&tracing->lock);
    context_leave(&system->context);
}

/* Ends the trace, and writes the rest. */
static troupe_status end(struct troupe_system *system, bool has_threads, uint64_t *ret_lost)
{
    struct tracing *tracing = system->tracing;
    uint64_t lost = 0;
    events_trace(system, 0);
    if (has_threads)
        leave_all(system);
    for (uint32_t ms = 0; has_threads && gates_are_pending(tracing) && ms < GATE_WAIT_MS; ms++)
        env_sleep_ms(1);
    store_release(&tracing->is_leaving, true); /* with load_acquire in write_on */
    if (tracing->thread != NULL)
        env_thread_join(tracing->thread);
    tracing->thread = NULL;
    pthread_mutex_lock(&tracing->lock);
    drain_all(tracing);
    trace_file_flush(tracing->file, UINT64_MAX);
    for (uint32_t i = 0; i < WORKERS_ALL_MAX; i++)
        if (tracing->tracers[i] != NULL)
            lost += load_relaxed(&tracing->tracers[i]->lost);
    troupe_status status = trace_file_end(tracing->file, lost, ret_lost);
    tracing->file = NULL;
    tracing->is_on = tracing->is_ending = false;
    pthread_mutex_unlock(&tracing->lock);
    return status;
}

void tracing_end(struct troupe_system *system)
{
    uint64_t lost;
    if (system->tracing != NULL && system->tracing->is_on)
        (void)end(system, false, &lost); /* nobody is left to tell whether the file is whole */
}

troupe_status troupe_trace_start(troupe_system *system, const char *path)
{
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    struct tracing *tracing = system->tracing;
    bool has_failed = false;
    context_enter(&system->context); /* before our own lock, as a spawn from outside does */
    pthread_mutex_lock(&tracing->lock);
    troupe_status status = tracing->is_on ? TROUPE_CONFLICT : trace_file_new(path, &tracing->file);
    if (status == TROUPE_OK) {
        tracing->is_on = true;
        store_relaxed(&tracing->is_leaving, false);
        status = join_all(system);
        if (status == TROUPE_OK && !system->env->is_simulated)
            status = env_thread_start(&tracing->thread, "troupe-trace", write_on, system);
        has_failed = status != TROUPE_OK;
        tracing->is_ending = has_failed;
    }
    pthread_mutex_unlock(&tracing->lock);
    context_leave(&system->context);
    uint64_t lost;
    if (has_failed)
        (void)end(system, true, &lost);
    else if (status == TROUPE_OK)
        events_trace(system, TRACED_EVENTS);
    return status;
}

troupe_status troupe_trace_stop(troupe_system *system, uint64_t *ret_lost)
{
    uint64_t lost = 0;
    if (worker_current != NULL)
        return TROUPE_IN_HANDLER;
    pthread_mutex_lock(&system->tracing->lock);
    bool is_on = system->tracing->is_on && !system->tracing->is_ending;
    system->tracing->is_ending = system->tracing->is_ending || is_on;
    pthread_mutex_unlock(&system->tracing->lock);
    if (!is_on)
        return TROUPE_NOT_FOUND;
    troupe_status status = end(system, true, &lost);
    if (ret_lost != NULL)
        *ret_lost = lost;
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: the taking of a snapshot, on the caller's thread; see snapshot.h for the parts and
 * troupe/snapshot.h for what is promised.
 *
 *   round 1: every worker walks all slots and reports who is at home with it, a piece between two turns
 *   rounds 2 to ROUNDS_MAX: whoever lived before and was not seen has moved: all workers look again, for
 *            those only
 *   last: who still was not seen, or whose worker does not answer, is read from outside
 *
 * A request lives until its last errand has run, which for a worker in a long handler is after the taker has
 * gone.
 *
 *   part:  SENT --piece--> SENT again --last piece, or the taker has gone--> done, the request unref'd
 *
 * Invariants
 *   1. a part's report is its worker's until `is_done`, then the taker's
 *   2. a slot's present tenant is in the merged report at most once
 */
#include "core/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "core/embed.h"
#include "core/errand.h"
#include "core/scheduler.h"

enum {
    ROUNDS_MAX = 4,
    SLOTS_AT_ONCE = 2048, /* looked at between two turns */
    NO_SLOT = 0,          /* in seen_at; else the index of a sighting, plus one */
};

struct request;

/* What one worker is to do. */
struct part {
    struct errand errand; /* first: the errand's address is the part's */
    struct request *request;
    struct report report;
    _Atomic uint32_t next; /* how far it is; the taker looks for progress */
    _Atomic uint32_t is_done;
};

struct request {
    struct troupe_system *system;
    _Atomic uint32_t refs; /* the taker's and one a part */
    _Atomic bool is_abandoned;
    uint32_t *slots; /* those to look at; NULL: all */
    uint32_t slot_count;
    uint32_t part_count;
    struct part parts[];
};

static void request_unref(struct request *request)
{
    /* Acquire and release: the last sees what all did. */
    if (fetch_sub_acq_rel(&request->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < request->part_count; i++)
        report_done(&request->parts[i].report);
    free(request->slots);
    free(request);
}

/* Looks at the next slots; false when all have been. */
static bool part_step(struct worker *worker, struct part *part)
{
    struct request *request = part->request;
    uint64_t now_ns = env_now_ns(request->system->env);
    uint32_t from = load_relaxed(&part->next);
    uint32_t to = request->slot_count - from > SLOTS_AT_ONCE ? from + SLOTS_AT_ONCE : request->slot_count;
    for (uint32_t i = from; i < to; i++) {
        struct actor *actor =
            slots_at(request->system->slots.chunks, request->slots == NULL ? i : request->slots[i]);
        /* Only the home may look at the rest. Acquire pairs with the release in dealt_push. */
        if (load_acquire(&actor->home) == worker->index && actor->phase != ACTOR_FREE)
            report_actor(&part->report, worker, actor, now_ns);
    }
    store_relaxed(&part->next, to);
    return to < request->slot_count;
}

static void part_run(struct worker *worker, struct errand *errand)
{
    struct part *part = (struct part *)(void *)errand;
    if (!load_relaxed(&part->request->is_abandoned) && part_step(worker, part)) {
        errand_send(worker, errand);
        return;
    }
    store_release(&part->is_done, 1); /* with load_acquire in is_done: the report is whole */
    request_unref(part->request);
}

static uint32_t slots_in_use(struct slots *slots)
{
    pthread_mutex_lock(&slots->lock);
    uint32_t count = slots->chunk_count << SLOTS_CHUNK_BITS;
    pthread_mutex_unlock(&slots->lock);
    return count;
}

/* A request for these slots, which it takes; NULL: for all. */
static struct request *request_new(struct troupe_system *system, uint32_t **slots, uint32_t slot_count)
{
    uint32_t part_count = load_acquire(&system->worker_count_all);
    size_t size = sizeof(struct request) + part_count * sizeof(struct part);
    size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct request *request = aligned_alloc(CACHE_LINE, size);
    if (request == NULL)
        return NULL;
    memset(request, 0, size);
    request->system = system;
    request->part_count = part_count;
    request->slot_count = slot_count;
    if (slots != NULL) {
        request->slots = *slots;
        *slots = NULL;
    }
    store_relaxed(&request->refs, 1 + part_count);
    for (uint32_t i = 0; i < part_count; i++) {
        errand_init(&request->parts[i].errand, part_run);
        request->parts[i].request = request;
    }
    return request;
}

/* Whether this thread stands for the worker, which then cannot run anything meanwhile. */
static bool is_ours(struct troupe_system *system, struct worker *worker)
{
    return worker == worker_current || system->env->is_simulated ||
           (worker->index == 0 && embed_is_host(system));
}

/* Starts all parts; those of workers that are this thread run here, to their end. */
static void request_begin(struct request *request, const bool *is_silent)
{
    for (uint32_t i = 0; i < request->part_count; i++) {
        struct worker *worker = request->system->workers[i];
        struct part *part = &request->parts[i];
        if (!is_silent[i] && !is_ours(request->system, worker)) {
            errand_send(worker, &part->errand);
            continue;
        }
        while (!is_silent[i] && part_step(worker, part)) {
        }
        store_release(&part->is_done, 1);
        request_unref(request);
    }
}

static bool is_done(struct request *request, uint64_t *ret_progress)
{
    bool all = true;
    *ret_progress = 0;
    for (uint32_t i = 0; i < request->part_count; i++) {
        uint32_t done = load_acquire(&request->parts[i].is_done); /* with store_release in part_run */
        all = all && done != 0;
        *ret_progress += (uint64_t)load_relaxed(&request->parts[i].next) + done;
    }
    return all;
}

/* Waits for all, as long as anything goes on. */
static void request_wait(struct request *request)
{
    uint64_t progress = 0;
    uint64_t progress_then = UINT64_MAX;
    uint32_t quiet_ms = 0;
    while (!is_done(request, &progress) && quiet_ms < TROUPE_SNAPSHOT_WAIT_MS) {
        quiet_ms = progress == progress_then ? quiet_ms + 1 : 0;
        progress_then = progress;
        if (worker_current != NULL) /* another's snapshot must not wait for us */
            scheduler_dealt_take(worker_current);
        env_sleep_ms(1);
    }
    store_relaxed(&request->is_abandoned, true);
}

/* What the taker has so far. */
struct taking {
    struct troupe_system *system;
    struct report report;
    uint32_t *seen_at; /* by slot; see NO_SLOT */
    uint32_t slot_count;
    uint64_t created_max;            /* who is younger may be missing */
    bool is_silent[WORKERS_ALL_MAX]; /* did not answer, and is not asked again */
};

/* Adds what a part saw: of two tenants of a slot the younger, of one seen twice the later look. */
static void merge(struct taking *taking, const struct report *report)
{
    struct report *into = &taking->report;
    for (uint32_t i = 0; i < report_count(report); i++) {
        const struct sighting *sighting = report_at(report, i);
        uint32_t *at = &taking->seen_at[slots_number(sighting->node.ref)];
        if (*at != NO_SLOT && report_at(into, *at - 1)->node.created > sighting->node.created)
            continue;
        report_copy(into, report, sighting);
        if (into->status != TROUPE_OK)
            return;
        if (*at == NO_SLOT) {
            *at = report_count(into);
        } else {
            *report_at(into, *at - 1) = *report_at(into, report_count(into) - 1);
            buffer_truncate(&into->sightings, into->sightings.size - sizeof *sighting);
        }
    }
    if (report->status != TROUPE_OK)
        into->status = report->status;
}

/* One round of all workers. Takes `slots`. */
static troupe_status look(struct taking *taking, uint32_t **slots, uint32_t slot_count)
{
    struct request *request = request_new(taking->system, slots, slot_count);
    if (request == NULL)
        return TROUPE_NO_MEMORY;
    request_begin(request, taking->is_silent);
    request_wait(request);
    for (uint32_t i = 0; i < request->part_count; i++) {
        if (load_acquire(&request->parts[i].is_done) != 0) /* invariant 1 */
            merge(taking, &request->parts[i].report);
        else
            taking->is_silent[i] = true;
    }
    request_unref(request);
    return taking->report.status;
}

/* The ref of who lives in a slot and should have been seen, but was not; none. */
static troupe_ref missing_in(struct taking *taking, uint32_t slot)
{
    struct actor *actor = slots_at(taking->system->slots.chunks, slot);
    /* Acquire pairs with the release in generation_next: `created` is the tenant's. */
    uint64_t generation = load_acquire(&actor->generation);
    if (generation % 2 != 0 || load_relaxed(&actor->created) > taking->created_max)
        return troupe_ref_none();
    troupe_ref ref = {generation / 2 << TROUPE_REF_SLOT_BITS | slot};
    uint32_t at = taking->seen_at[slot];
    bool is_seen = at != NO_SLOT && troupe_ref_equal(report_at(&taking->report, at - 1)->node.ref, ref);
    return is_seen ? troupe_ref_none() : ref;
}

/*
 * The slots of those who should have been seen and are at home with a worker that answers, in an array that
 * the caller frees.
 */
static troupe_status missing(struct taking *taking, uint32_t **ret_slots, uint32_t *ret_count)
{
    uint32_t *slots = malloc((size_t)taking->slot_count * sizeof *slots + 1);
    uint32_t count = 0;
    if (slots == NULL)
        return TROUPE_NO_MEMORY;
    for (uint32_t slot = 0; slot < taking->slot_count; slot++) {
        uint32_t home = load_relaxed(&slots_at(taking->system->slots.chunks, slot)->home);
        if (!taking->is_silent[home] && !troupe_ref_is_none(missing_in(taking, slot)))
            slots[count++] = slot;
    }
    *ret_slots = slots;
    *ret_count = count;
    return TROUPE_OK;
}

/* Reads who is left from outside. */
static void read_rest(struct taking *taking)
{
    for (uint32_t slot = 0; slot < taking->slot_count; slot++) {
        troupe_ref ref = missing_in(taking, slot);
        if (troupe_ref_is_none(ref))
            continue;
        struct report one = {0};
        report_partial(&one, taking->system, ref);
        merge(taking, &one);
        report_done(&one);
    }
}

/* All rounds. */
static troupe_status look_all(struct taking *taking)
{
    troupe_status status = look(taking, NULL, taking->slot_count);
    for (uint32_t round = 2; round <= ROUNDS_MAX && status == TROUPE_OK; round++) {
        uint32_t *slots = NULL;
        uint32_t count = 0;
        status = missing(taking, &slots, &count);
        if (status == TROUPE_OK && count > 0)
            status = look(taking, &slots, count);
        free(slots);
        if (count == 0)
            break;
    }
    if (status == TROUPE_OK)
        read_rest(taking);
    return status == TROUPE_OK ? taking->report.status : status;
}

/* Whether this thread may wait for the workers. */
static bool may_wait(struct troupe_system *system)
{
    return worker_current == NULL || system->env->is_simulated || worker_current->is_pinned;
}

troupe_status troupe_snapshot_take(troupe_system *system, troupe_snapshot **ret_snapshot)
{
    if (!may_wait(system))
        return TROUPE_IN_HANDLER;
    struct taking taking = {.system = system, .slot_count = slots_in_use(&system->slots)};
    uint64_t at_ns = env_now_ns(system->env);
    taking.created_max = load_relaxed(&system->created);
    taking.seen_at = calloc((size_t)taking.slot_count + 1, sizeof *taking.seen_at);
    troupe_status status = taking.seen_at == NULL ? TROUPE_NO_MEMORY : look_all(&taking);
    if (status == TROUPE_OK)
        status = snapshot_build(&taking.report, at_ns, ret_snapshot);
    report_done(&taking.report);
    free(taking.seen_at);
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * snapshot_report.c: what is said of one actor in a snapshot. report_actor runs on the thread of the actor's
 * home and only reads: a simulated run must go on as if nobody had looked, so it does not even splice what
 * has arrived.
 */
#include <string.h>

#include "core/extras.h"
#include "core/mailbox.h"
#include "core/snapshot.h"

enum {
    NS_PER_MS = 1000000,
};

void report_done(struct report *report)
{
    buffer_done(&report->sightings);
    buffer_done(&report->texts);
}

static size_t text_add(struct report *report, const char *text)
{
    size_t at = report->texts.size + 1;
    if (text == NULL)
        return 0;
    if (buffer_append(&report->texts, text, strlen(text) + 1) == TROUPE_OK)
        return at;
    report->status = TROUPE_NO_MEMORY;
    return 0;
}

static void sighting_add(struct report *report, const struct sighting *sighting)
{
    if (buffer_append(&report->sightings, sighting, sizeof *sighting) != TROUPE_OK)
        report->status = TROUPE_NO_MEMORY;
}

/* How many wait in a lane, at most TROUPE_SNAPSHOT_WALK_MAX. */
static uint32_t lane_len(const struct lane *lane)
{
    uint32_t count = 0;
    for (const troupe_message *message = lane->first; message != NULL && count < TROUPE_SNAPSHOT_WALK_MAX;
         message = message->next)
        count++;
    return count;
}

static void age_up(uint32_t *oldest_ms, const troupe_message *message, uint32_t now_ms)
{
    if (message == NULL)
        return;
    int32_t age_ms = (int32_t)(now_ms - message->sent_ms); /* both modulo 2^32 */
    if (age_ms > 0 && (uint32_t)age_ms > *oldest_ms)
        *oldest_ms = (uint32_t)age_ms;
}

/* The oldest message of those that other threads pushed: the last of the stack. */
static const troupe_message *oldest_arrived(struct actor *actor)
{
    /* Acquire pairs with the release of the push: headers are visible. Only we, its home, take any out. */
    const troupe_message *message = load_acquire(&actor->arrived);
    if (message == NULL || message == MAILBOX_NOTIFIED)
        return NULL;
    for (uint32_t i = 0; i < TROUPE_SNAPSHOT_WALK_MAX && message->next != NULL; i++) {
        if (message->next == MAILBOX_NOTIFIED)
            break;
        message = message->next;
    }
    return message;
}

/* The age of the oldest message: lanes and the stack are each in order, so only ends are looked at. */
static uint32_t oldest_ms(struct actor *actor, uint64_t now_ns)
{
    uint32_t now_ms = (uint32_t)(now_ns / NS_PER_MS);
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < LANE_COUNT; i++)
        age_up(&oldest, actor_lane(actor, i)->first, now_ms);
    age_up(&oldest, oldest_arrived(actor), now_ms);
    return oldest;
}

static troupe_actor_state state_of(const struct actor *actor)
{
    switch ((enum actor_phase)actor->phase) {
    case ACTOR_STARTING:
        return TROUPE_ACTOR_STARTING;
    case ACTOR_ENDING:
        return TROUPE_ACTOR_ENDING;
    case ACTOR_FREE:
    case ACTOR_RUNNING:
    case ACTOR_HOLDING:
    case ACTOR_ERRAND:
        break;
    }
    return load_relaxed(&actor->parked_on) != 0 ? TROUPE_ACTOR_PARKED : TROUPE_ACTOR_RUNNING;
}

/* What is atomic, and so can be read by anybody. Acquire: before the generation is looked at again. */
static void read_shared(struct sighting *sighting, struct actor *actor)
{
    troupe_snapshot_node *node = &sighting->node;
    uint64_t load = load_acquire(&actor->load) + load_acquire(&actor->arrived_load);
    node->behaviour = load_acquire(&actor->behaviour)->name;
    node->created = load_acquire(&actor->created);
    node->handled = load_acquire(&actor->handled);
    node->depth = (uint32_t)load;
    node->bytes = (uint32_t)(load >> 32);
    node->worker = load_acquire(&actor->home);
    node->parked_on = (troupe_ref){load_acquire(&actor->parked_on)};
    sighting->parent = load_acquire(&actor->parent);
}

void report_actor(struct report *report, struct worker *worker, struct actor *actor, uint64_t now_ns)
{
    struct sighting sighting = {0};
    troupe_snapshot_node *node = &sighting.node;
    const struct extras *extras = actor->extras;
    read_shared(&sighting, actor);
    node->ref = actor_ref(actor);
    node->worker = worker->index;
    node->state = state_of(actor);
    node->is_supervisor = actor->is_supervisor;
    node->is_own_thread = actor->is_pinned;
    node->is_runnable = actor->is_queued && node->state != TROUPE_ACTOR_PARKED;
    node->depth_urgent = lane_len(actor_lane(actor, TROUPE_CLASS_URGENT));
    node->depth_system = lane_len(actor_lane(actor, TROUPE_CLASS_SYSTEM));
    node->depth_normal = node->depth > node->depth_urgent ? node->depth - node->depth_urgent : 0;
    node->oldest_ms = oldest_ms(actor, now_ns);
    if (extras != NULL) {
        node->unexpected = extras->unexpected;
        node->restarts = extras->restarts;
        node->failures = extras->failures;
        node->stash_len = extras->stash_len;
        node->asks = extras->handle_counts[HANDLE_ASK];
        sighting.name_at = text_add(report, extras->name);
        sighting.child_at = text_add(report, extras->child);
    }
    sighting_add(report, &sighting);
}

void report_partial(struct report *report, struct troupe_system *system, troupe_ref ref)
{
    struct sighting sighting = {.node = {.ref = ref, .is_partial = true}};
    struct actor *actor = system_find(system, ref);
    if (actor == NULL)
        return;
    read_shared(&sighting, actor);
    if (system_find(system, ref) == NULL) /* it ended meanwhile: what was read may be another's */
        return;
    sighting.node.depth_normal = sighting.node.depth;
    sighting.node.state =
        troupe_ref_is_none(sighting.node.parked_on) ? TROUPE_ACTOR_RUNNING : TROUPE_ACTOR_PARKED;
    sighting_add(report, &sighting);
}

void report_copy(struct report *report, const struct report *from, const struct sighting *sighting)
{
    struct sighting copy = *sighting;
    const char *texts = (const char *)from->texts.bytes;
    copy.name_at = sighting->name_at == 0 ? 0 : text_add(report, texts + sighting->name_at - 1);
    copy.child_at = sighting->child_at == 0 ? 0 : text_add(report, texts + sighting->child_at - 1);
    sighting_add(report, &copy);
}

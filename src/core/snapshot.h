/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h: the parts of a snapshot under way. The taker sends each worker an errand; each reports its own
 * actors into a report that nobody else touches until it is done; the taker merges the reports and puts them
 * in the order of the tree. Off the way of all messages.
 *
 *   snapshot.c         asks, waits, finds who slipped through by moving, reads the partial ones
 *   snapshot_report.c  what a worker says of one actor
 *   snapshot_tree.c    the order, and the memory that the caller gets
 */
#ifndef TROUPE_CORE_SNAPSHOT_H
#define TROUPE_CORE_SNAPSHOT_H

#include <troupe/snapshot.h>

#include "base/buffer.h"
#include "core/system.h"

/* One actor as reported. Texts are offsets into the texts of its report, plus one; 0 is none. */
struct sighting {
    troupe_snapshot_node node; /* all but the texts, parent and level */
    uint64_t parent;           /* bits of the ref of its supervisor; 0: none */
    size_t name_at;
    size_t child_at;
};

/* What has been seen so far: sightings, and the texts they name. */
struct report {
    struct buffer sightings;
    struct buffer texts;
    troupe_status status; /* NO_MEMORY: not all is there */
};

static inline uint32_t report_count(const struct report *report)
{
    return (uint32_t)(report->sightings.size / sizeof(struct sighting));
}

static inline struct sighting *report_at(const struct report *report, uint32_t index)
{
    return (struct sighting *)(void *)report->sightings.bytes + index;
}

void report_done(struct report *report);

/* Adds an actor at home at `worker`, on that worker's thread. */
void report_actor(struct report *report, struct worker *worker, struct actor *actor, uint64_t now_ns);

/* Adds what can be read of an actor from any thread, if `ref` still lives. */
void report_partial(struct report *report, struct troupe_system *system, troupe_ref ref);

/* Adds a sighting of another report, with its texts. */
void report_copy(struct report *report, const struct report *from, const struct sighting *sighting);

/* The snapshot of what is in a report, whose texts it takes. Errors: TROUPE_NO_MEMORY. */
troupe_status snapshot_build(struct report *report, uint64_t at_ns, troupe_snapshot **ret_snapshot);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * snapshot_tree.c: puts sightings in the order of the tree: each actor after its supervisor, children by age.
 * On the taker's thread, with nothing shared.
 *
 * Sightings are sorted by age; a second array, sorted by ref, finds supervisors. Then first_child and
 * next_sibling make the tree, and a walk without recursion numbers it: a tree may be as deep as it is large.
 */
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"

/* A snapshot with what it owns. */
struct whole {
    troupe_snapshot snapshot; /* first: what the caller has is the whole */
    struct buffer texts;
    troupe_snapshot_node nodes[];
};

/* A place in the tree while it is put together; numbers are of sightings by age. */
struct place {
    uint64_t ref;
    uint32_t parent;
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next_sibling;
};

struct by_ref {
    uint64_t ref;
    uint32_t number;
};

static int older_first(const void *a, const void *b)
{
    uint64_t created_a = ((const struct sighting *)a)->node.created;
    uint64_t created_b = ((const struct sighting *)b)->node.created;
    return created_a < created_b ? -1 : created_a > created_b;
}

static int lower_ref_first(const void *a, const void *b)
{
    uint64_t ref_a = ((const struct by_ref *)a)->ref;
    uint64_t ref_b = ((const struct by_ref *)b)->ref;
    return ref_a < ref_b ? -1 : ref_a > ref_b;
}

static uint32_t find(const struct by_ref *refs, uint32_t count, uint64_t ref)
{
    const struct by_ref key = {.ref = ref};
    const struct by_ref *found = ref == 0 ? NULL : bsearch(&key, refs, count, sizeof key, lower_ref_first);
    return found == NULL ? TROUPE_SNAPSHOT_NONE : found->number;
}

/* Hangs each under its supervisor, the oldest first. Who has none there is a root, which hang on nobody. */
static uint32_t hang(struct place *places, const struct by_ref *refs, const struct report *report,
                     uint32_t count)
{
    uint32_t first_root = TROUPE_SNAPSHOT_NONE;
    uint32_t last_root = TROUPE_SNAPSHOT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = find(refs, count, report_at(report, i)->parent);
        if (parent != TROUPE_SNAPSHOT_NONE && parent >= i) /* a supervisor is older than its children */
            parent = TROUPE_SNAPSHOT_NONE;
        uint32_t *first = parent == TROUPE_SNAPSHOT_NONE ? &first_root : &places[parent].first_child;
        uint32_t *last = parent == TROUPE_SNAPSHOT_NONE ? &last_root : &places[parent].last_child;
        places[i].parent = parent;
        places[i].first_child = places[i].last_child = places[i].next_sibling = TROUPE_SNAPSHOT_NONE;
        if (*first == TROUPE_SNAPSHOT_NONE)
            *first = i;
        else
            places[*last].next_sibling = i;
        *last = i;
    }
    return first_root;
}

/* Who comes after `at` in the order of the tree; `level` follows. */
static uint32_t next_of(const struct place *places, uint32_t at, uint32_t *level)
{
    if (places[at].first_child != TROUPE_SNAPSHOT_NONE) {
        ++*level;
        return places[at].first_child;
    }
    while (at != TROUPE_SNAPSHOT_NONE && places[at].next_sibling == TROUPE_SNAPSHOT_NONE) {
        at = places[at].parent;
        --*level; /* below the roots' it is not looked at again */
    }
    return at == TROUPE_SNAPSHOT_NONE ? at : places[at].next_sibling;
}

static const char *text_at(const struct buffer *texts, size_t at)
{
    return at == 0 ? NULL : (const char *)texts->bytes + at - 1;
}

/* Writes the nodes in the order of the tree. `numbers` is where each sighting came to stand. */
static void number(struct whole *whole, const struct report *report, const struct place *places,
                   uint32_t first_root, uint32_t *numbers)
{
    uint32_t level = 0;
    uint32_t count = 0;
    for (uint32_t at = first_root; at != TROUPE_SNAPSHOT_NONE; at = next_of(places, at, &level)) {
        const struct sighting *sighting = report_at(report, at);
        troupe_snapshot_node *node = &whole->nodes[count];
        *node = sighting->node;
        node->name = text_at(&whole->texts, sighting->name_at);
        node->child = text_at(&whole->texts, sighting->child_at);
        node->level = level;
        node->parent =
            places[at].parent == TROUPE_SNAPSHOT_NONE ? TROUPE_SNAPSHOT_NONE : numbers[places[at].parent];
        whole->snapshot.partial_count += node->is_partial;
        numbers[at] = count++;
    }
}

troupe_status snapshot_build(struct report *report, uint64_t at_ns, troupe_snapshot **ret_snapshot)
{
    uint32_t count = report_count(report);
    struct whole *whole = malloc(sizeof *whole + count * sizeof whole->nodes[0]);
    struct place *places = malloc((size_t)count * sizeof *places + 1);
    struct by_ref *refs = malloc((size_t)count * sizeof *refs + 1);
    uint32_t *numbers = malloc((size_t)count * sizeof *numbers + 1);
    troupe_status status = TROUPE_NO_MEMORY;
    if (whole != NULL && places != NULL && refs != NULL && numbers != NULL) {
        if (count > 0)
            qsort(report_at(report, 0), count, sizeof(struct sighting), older_first);
        for (uint32_t i = 0; i < count; i++)
            refs[i] = (struct by_ref){report_at(report, i)->node.ref.bits, i};
        qsort(refs, count, sizeof *refs, lower_ref_first);
        whole->snapshot = (troupe_snapshot){.at_ns = at_ns, .node_count = count, .nodes = whole->nodes};
        whole->texts = report->texts;
        buffer_init(&report->texts);
        uint32_t first_root = hang(places, refs, report, count);
        number(whole, report, places, first_root, numbers);
        *ret_snapshot = &whole->snapshot;
        whole = NULL;
        status = TROUPE_OK;
    }
    free(whole);
    free(places);
    free(refs);
    free(numbers);
    return status;
}

void troupe_snapshot_free(troupe_snapshot **snapshot)
{
    if (snapshot == NULL || *snapshot == NULL)
        return;
    struct whole *whole = (struct whole *)(void *)*snapshot;
    buffer_done(&whole->texts);
    free(whole);
    *snapshot = NULL;
}

const troupe_snapshot_node *troupe_snapshot_find(const troupe_snapshot *snapshot, troupe_ref ref)
{
    for (uint32_t i = 0; i < snapshot->node_count; i++)
        if (troupe_ref_equal(snapshot->nodes[i].ref, ref))
            return &snapshot->nodes[i];
    return NULL;
}

const char *troupe_actor_state_text(troupe_actor_state state)
{
    switch (state) {
    case TROUPE_ACTOR_STARTING:
        return "starting";
    case TROUPE_ACTOR_RUNNING:
        return "running";
    case TROUPE_ACTOR_PARKED:
        return "parked";
    case TROUPE_ACTOR_ENDING:
        return "ending";
    }
    return "unknown";
}

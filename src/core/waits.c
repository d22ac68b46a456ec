/* SPDX-License-Identifier: MIT */
/* waits.c: see waits.h for the graph and why what is found is true. */
#include "core/waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ask.h"
#include "core/extras.h"

enum {
    LOOKS_MAX = 8, /* at waits that change while they are followed */
    PATH_TEXT_SIZE = WAITS_NAMED_MAX * (TROUPE_NAME_LEN_MAX + 8) + 64,
};

/* Follows the waits from `to`; whether they come back to `own`, or go on for too long. */
static bool follow(struct troupe_system *system, uint64_t own, troupe_ref to, struct waits_chain *ret_chain)
{
    uint64_t next = to.bits;
    ret_chain->len = 0;
    while (next != 0 && next != own && ret_chain->len < WAITS_CHAIN_MAX) {
        struct actor *actor = system_find(system, (troupe_ref){next});
        if (actor == NULL)
            return false;
        ret_chain->refs[ret_chain->len] = next;
        ret_chain->tags[ret_chain->len++] = load_seq_cst(&actor->waits_tag);
        next = load_seq_cst(&actor->parked_on); /* with store_seq_cst in publish: invariant 1 */
    }
    return next != 0;
}

static bool is_same(const struct waits_chain *a, const struct waits_chain *b)
{
    return a->len == b->len && memcmp(a->refs, b->refs, a->len * sizeof a->refs[0]) == 0 &&
           memcmp(a->tags, b->tags, a->len) == 0;
}

/* Whether a wait of `own` for `to` closes a ring. One that keeps changing is taken for one. */
static bool closes_ring(struct troupe_system *system, uint64_t own, troupe_ref to,
                        struct waits_chain *ret_ring)
{
    struct waits_chain before;
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (!follow(system, own, to, &before) || !follow(system, own, to, ret_ring))
            return false;
        if (is_same(&before, ret_ring))
            return true;
    }
    return true;
}

bool waits_begin(struct troupe_system *system, struct actor *actor, troupe_ref to, bool is_held,
                 struct waits_chain *ret_ring)
{
    uint8_t count = (uint8_t)(load_relaxed(&actor->waits_tag) + 1) & WAITS_TAG_COUNT;
    store_seq_cst(&actor->waits_tag, (uint8_t)(count | (is_held ? WAITS_TAG_HELD : 0)));
    store_seq_cst(&actor->parked_on, to.bits); /* with load_seq_cst in follow: invariant 1 */
    if (!closes_ring(system, actor_ref(actor).bits, to, ret_ring))
        return true;
    waits_end(actor);
    return false;
}

void waits_end(struct actor *actor)
{
    store_seq_cst(&actor->parked_on, 0);
}

/* The asker, if it waits for the answer to this very ask. */
static struct actor *waiter(struct troupe_system *system, troupe_asker asker)
{
    struct actor *actor = (asker.ask & ASK_HELD) == 0 ? NULL : system_find(system, asker.ref);
    if (actor == NULL || load_seq_cst(&actor->waits_tag) != (WAITS_TAG_HELD | ASK_TAG_OF(asker.ask)))
        return NULL;
    return actor;
}

void waits_answered(struct troupe_system *system, troupe_asker asker)
{
    struct actor *actor = waiter(system, asker);
    uint64_t now = actor == NULL ? 0 : load_seq_cst(&actor->parked_on);
    while (now != 0 && !cas_seq_cst(&actor->parked_on, &now, 0)) {
    }
}

bool waits_move(struct troupe_system *system, troupe_asker asker, troupe_ref from, troupe_ref to,
                struct waits_chain *ret_ring)
{
    struct actor *actor = waiter(system, asker);
    uint64_t now = actor == NULL ? 0 : load_seq_cst(&actor->parked_on);
    if (now == 0)
        return true;
    while (!cas_seq_cst(&actor->parked_on, &now, to.bits))
        if (now == 0)
            return true;
    if (!closes_ring(system, asker.ref.bits, to, ret_ring))
        return true;
    now = to.bits;
    while (now == to.bits && !cas_seq_cst(&actor->parked_on, &now, from.bits)) {
    }
    return false;
}

/* What a person calls an actor: its name, or its behaviour's and which it is. False: it has ended. */
static bool name_of(struct troupe_system *system, troupe_ref ref, char *ret_name, size_t size)
{
    struct actor *actor = system_find(system, ref);
    if (actor == NULL)
        return false;
    if (registry_name_of(&system->registry, ref, ret_name, size))
        return true;
    const troupe_behaviour *behaviour = load_relaxed(&actor->behaviour);
    snprintf(ret_name, size, "%.*s#%llu", TROUPE_NAME_LEN_MAX / 2,
             behaviour == NULL || behaviour->name == NULL ? "actor" : behaviour->name,
             (unsigned long long)load_relaxed(&actor->created));
    return true;
}

void waits_path_keep(struct worker *worker, struct actor *actor, troupe_ref first, const uint64_t *refs,
                     uint32_t count)
{
    struct troupe_system *system = worker->self.context.system;
    struct extras *extras = extras_of(worker, actor);
    if (extras == NULL)
        return;
    if (extras->path == NULL)
        extras->path = malloc(PATH_TEXT_SIZE);
    if (extras->path == NULL)
        return; /* the status says it, if not the path */
    char name[TROUPE_NAME_LEN_MAX + 1];
    char *text = extras->path;
    size_t len = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i <= count + 1; i++) {
        bool is_left_out = count > WAITS_NAMED_MAX - 2 && i == WAITS_NAMED_MAX - 2;
        troupe_ref ref = i == 0 || i > count ? first : (troupe_ref){refs[i - 1]};
        if (is_left_out) {
            uint32_t others = count - i + 1;
            len += (size_t)snprintf(text + len, PATH_TEXT_SIZE - len, " -> (%u others)", others);
            i = count;
        } else if (name_of(system, ref, name, sizeof name)) {
            len += (size_t)snprintf(text + len, PATH_TEXT_SIZE - len, "%s%s", len > 0 ? " -> " : "", name);
        }
    }
}

void waits_path_clear(struct actor *actor)
{
    if (actor->extras != NULL && actor->extras->path != NULL)
        actor->extras->path[0] = '\0';
}

static const char *path_of(const struct actor *actor)
{
    return actor->extras == NULL || actor->extras->path == NULL ? "" : actor->extras->path;
}

const char *waits_failure_text(const struct actor *actor, troupe_status reason)
{
    bool is_of_ring = reason == TROUPE_DEADLOCK || reason == TROUPE_TIMEOUT;
    if (actor->extras == NULL)
        return "";
    return actor->extras->why[0] == '\0' && is_of_ring ? path_of(actor) : actor->extras->why;
}

const char *troupe_wait_path(const troupe_self *self)
{
    return path_of(self->actor);
}

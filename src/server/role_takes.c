/* SPDX-License-Identifier: MIT */
/*
 * role_takes.c: which asking a message was last given out for. A desk that is lost between a take and its
 * answer leaves whoever asked to ask again, of the next desk, which knows nothing; the role does, and gives
 * the same message again. Part of the role actor; lost with it, as a desk knows of takes that a role lost.
 */
#include <stdlib.h>

#include "server/role_actor.h"

/* Takes of one role that may be asked for again: more than that come together only of very many workers. */
#define TAKES_MAX 32u

struct role_takes {
    struct {
        uint64_t asking;
        uint64_t id;
    } last[TAKES_MAX]; /* a ring; a message that is taken again keeps its place, so it is there once */
    uint32_t next;
};

void role_take_note(struct role_actor *actor, uint64_t asking, uint64_t id)
{
    if (asking == 0)
        return;
    if (actor->takes == NULL)
        actor->takes = calloc(1, sizeof *actor->takes);
    if (actor->takes == NULL)
        return; /* it will be found among what is held */
    uint32_t place = 0;
    while (place < TAKES_MAX && actor->takes->last[place].id != id)
        place++;
    if (place == TAKES_MAX) {
        place = actor->takes->next;
        actor->takes->next = (place + 1) % TAKES_MAX;
    }
    actor->takes->last[place].asking = asking;
    actor->takes->last[place].id = id;
}

uint64_t role_take_of(const struct role_actor *actor, uint64_t asking)
{
    for (uint32_t i = 0; asking != 0 && actor->takes != NULL && i < TAKES_MAX; i++) {
        if (actor->takes->last[i].asking == asking)
            return actor->takes->last[i].id;
    }
    return 0;
}

uint64_t role_take_asking(const struct role_actor *actor, uint64_t id)
{
    for (uint32_t i = 0; actor->takes != NULL && i < TAKES_MAX; i++) {
        if (actor->takes->last[i].id == id)
            return actor->takes->last[i].asking;
    }
    return 0;
}

void role_takes_done(struct role_actor *actor)
{
    free(actor->takes);
}

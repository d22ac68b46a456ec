/* SPDX-License-Identifier: MIT */
/*
 * twins.c: pairs that are linked, of whom one is made to fail: early, late, or before the link has held.
 *
 * Oracle: link (when one has ended by a failure, so has the other).
 */
#include "world.h"

enum {
    PAIRS = ROUNDS,
};

TROUPE_MESSAGE_EMPTY(planted_fail)
#define LINK_FIELDS(F) F(ref, other)
TROUPE_MESSAGE(planted_link_to, LINK_FIELDS)

static troupe_ref twins[PAIRS][2];

static troupe_status twin_receive(troupe_self *self, const troupe_message *message)
{
    const planted_link_to *link = planted_link_to_of(message);
    if (link != NULL)
        return troupe_link(self, link->other);
    return planted_fail_of(message) != NULL ? TROUPE_CONFLICT : TROUPE_UNEXPECTED;
}

static const troupe_behaviour twin = {.name = "twin", .receive = twin_receive};

static void begin(void)
{
    memset(twins, 0, sizeof twins);
}

static void act(uint32_t round)
{
    for (uint32_t i = 0; i < 2; i++)
        twins[round][i] = troupe_spawn(world.system, &twin, NULL);
    if (draw(2) == 0)
        troupe_sim_advance(world.system, 1);
    (void)troupe_send(world.system, twins[round][0], planted_link_to, .other = twins[round][1]);
    if (draw(2) == 0)
        troupe_sim_advance(world.system, DELAY_MS);
    (void)troupe_send(world.system, twins[round][draw(2)], planted_fail);
}

static void check(void)
{
    for (uint32_t i = 0; i < PAIRS; i++)
        MUST(!is_alive(twins[i][0]) && !is_alive(twins[i][1]), "link", "of pair %u the %s lives on", i,
             is_alive(twins[i][0]) ? "first" : "second");
}

static void end(void)
{
    for (uint32_t i = 0; i < PAIRS; i++)
        for (uint32_t j = 0; j < 2; j++)
            troupe_shutdown(world.system, twins[i][j], TROUPE_KILLED);
}

const struct scene scene_twins = {.name = "twins", .begin = begin, .act = act, .check = check, .end = end};

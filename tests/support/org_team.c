/* SPDX-License-Identifier: MIT */
/*
 * org_team.c: a team, its lead and its root; org_team.h says who is who. One thread.
 */
#include "support/org_team.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct desk team, lead, root, zoe;
static struct desk *const all[] = {&team, &lead, &root, &zoe};

int team_open(void **state)
{
    (void)state;
    desk_init(&team, "team/docs", 1);
    desk_init(&lead, "team", 2);
    desk_init(&root, "root", 3);
    desk_init(&zoe, "@zoe", 4);
    desk_configure(&team, (struct org_configure){.supervisor = "team", .seed = {1, 1}}, "ann ben cyd");
    desk_configure(&lead, (struct org_configure){.supervisor = "root", .seed = {2, 2}}, "lea lou");
    desk_configure(&root, (struct org_configure){.seed = {3, 3}}, "ray");
    desk_configure(&zoe, (struct org_configure){.seed = {4, 4}}, "zoe");
    return 0;
}

int team_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        desk_done(all[i]);
    return 0;
}

size_t team_deliver(void)
{
    return desks_deliver(all, sizeof(all) / sizeof(all[0]));
}

uint64_t team_take(struct desk *desk, const char *holder)
{
    uint64_t id = desk_send(desk, "zoe", ORG_NORMAL, "work");
    assert_true(desk_next(desk, holder, 1) == id);
    return id;
}

const struct org_answer *team_fail(struct desk *desk, const char *actor, uint64_t id, bool is_crash)
{
    return desk_about(desk, ORG_FAIL, actor,
                      (struct org_about){.id = id, .text = "it broke", .is_crash = is_crash});
}

uint64_t team_escalate(uint64_t *ret_id)
{
    *ret_id = team_take(&team, "ann");
    assert_int_equal(team_fail(&team, "ann", *ret_id, false)->state, ORG_QUARANTINED);
    assert_int_equal(team_deliver(), 1);
    uint64_t escalation = desk_next(&lead, "lea", 1);
    assert_true(escalation != 0);
    return escalation;
}

/* SPDX-License-Identifier: MIT */
/*
 * org_team.h: three roles under each other for tests of supervision, and somebody who sends:
 *
 *     root (ray)  supervises  lead (lea lou)  supervises  team (ann ben cyd);  zoe has her personal role
 *
 * One thread, one test at a time.
 */
#ifndef TESTS_ORG_TEAM_H
#define TESTS_ORG_TEAM_H

#include "support/org_desk.h"

/** "team/docs", "team", "root" and "@zoe". */
extern struct desk team, lead, root, zoe;

/** Set-up and tear-down of one test. */
int team_open(void **state);
int team_close(void **state);

/** Delivers what they owe each other; how many entries. */
size_t team_deliver(void);

/** Zoe sends a message to a role, and a holder takes it; its id. */
uint64_t team_take(struct desk *desk, const char *holder);

/** Whoever holds a message says that it failed, or died of it. */
const struct org_answer *team_fail(struct desk *desk, const char *actor, uint64_t id, bool is_crash);

/** Escalates a message of the team by saying that it failed; gives the escalation as the lead holds it. */
uint64_t team_escalate(uint64_t *ret_id);

#endif

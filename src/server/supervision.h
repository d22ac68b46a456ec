/* SPDX-License-Identifier: MIT */
/*
 * supervision.h: who supervises whom in the server: one tree of libtroupe's supervisors, with the rules of
 * each. server.c starts it; so does whoever tests the server's actors without their sockets.
 *
 *   #server          one_for_one, bears nothing: its end is the process's end
 *   |- journal       a thread of its own; after a failed write only a new process knows what is on the disk
 *   `- #top          rest_for_one: who is started later rests on who was started before
 *      |- #teams     one_for_one: a supervisor for each team that has somebody awake
 *      |  |- payments   one_for_one: the roles of that team that are awake
 *      |  |  |- payments/oncall
 *      |  |  `- payments/refunds
 *      |  `- ...
 *      |- #desks     one_for_one: a desk for everybody who has shown a token
 *      |  `- ann ...
 *      |- directory  makes teams and roles when they are needed: directory_wake.c
 *      `- http       added last, when everything has been read and found sound
 *
 * What fails is met where it fails:
 *
 *   a role's actor    its team starts it again, after a moment that doubles; whoever asked it asks again
 *   a team            over TEAM_INTENSITY, which many roles at once are needed for: its roles end, and are
 *                     made again when they are next wanted
 *   a sleeping role   ends in order, and is forgotten; a team whose last role sleeps ends too. So memory is
 *                     that of who is awake
 *   a desk            is started again, after a moment that doubles; whoever asked it asks the next
 *   the directory     is started again, and http after it; the roles and the desks go on
 *   the journal       ends the server
 *
 * The keeper (keeper.h) stands outside: it tells the main thread of the end of the tree.
 */
#ifndef SERVER_SUPERVISION_H
#define SERVER_SUPERVISION_H

#include <troupe.h>

#include "journal/journal.h"
#include "server/ids.h"

/** Names of the supervisors. */
#define NAME_SERVER "#server"
#define NAME_TOP "#top"
#define NAME_TEAMS "#teams"
#define NAME_DESKS "#desks"

/** What a team bears: restarts of all its roles together within the period. */
#define TEAM_INTENSITY 100u
#define TEAM_PERIOD_MS 60000u
/** How long a role is down before it is started again; doubles with each failure in a row. */
#define TEAM_BACKOFF_MIN_MS 10u
#define TEAM_BACKOFF_MAX_MS 10000u
/** The same of a desk, and what all desks together bear. */
#define DESKS_INTENSITY 1000u
#define DESKS_PERIOD_MS 60000u
#define DESKS_BACKOFF_MIN_MS 10u
#define DESKS_BACKOFF_MAX_MS 2000u
/** What all teams together bear: teams that gave up within the period. */
#define TEAMS_INTENSITY 1000u
#define TEAMS_PERIOD_MS 60000u

/** Every team's: its children are added as they wake, and it ends with the last of them. */
extern const troupe_supervisor_spec supervision_team;

/**
 * Starts the tree without http: the journal's writer, then the rest, each when the one before has started.
 * The root is in `ret_root` also when a later one failed. From outside; blocks. Errors: as
 * troupe_call_start_child.
 */
troupe_status supervision_start(troupe_system *system, struct journal *journal, struct ids *ids,
                                troupe_ref *ret_root);

/** The behaviour and the options of an actor as a child of #top, permanent. */
troupe_status supervision_add(troupe_system *system, const troupe_child_spec *child);

#endif

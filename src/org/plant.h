/* SPDX-License-Identifier: MIT */
/*
 * plant.h: bugs on purpose in the organisation's rules and in the actors that carry them out, each at the
 * place where a program like this one would really have it. tests/sim/year_planted shows
 * that the simulated year finds each of them. In the program that is shipped ORG_PLANTED is the
 * constant false and leaves nothing.
 *
 * A build with ORG_PLANT defined has all of them, switched by org_plant_chosen, which that test defines.
 */
#ifndef ORG_PLANT_H
#define ORG_PLANT_H

#include <stdbool.h>

/** The list: X(name, "what is wrong"). */
#define ORG_PLANT_LIST(X)                                                                                    \
    X(acknowledged_early, "a command is answered before its records are on the disk")                        \
    X(outbox_forgotten, "what was owed before a restart is never delivered")                                 \
    X(delivered_early, "a delivery is acknowledged before it is on the disk")                                \
    X(claimed_twice, "that something was taken is forgotten in a restart")                                   \
    X(limit_per_role, "the limit of held messages is looked at in each role alone")                          \
    X(key_forgotten, "idempotency keys are not read again")                                                  \
    X(source_forgotten, "what was delivered before is not known after a restart")                            \
    X(parking_untimed, "what is put off never comes back by itself")                                         \
    X(expiry_silent, "the sender of an expired message is not told")                                         \
    X(shedding_silent, "the sender of a shed message is not told")                                           \
    X(resolution_moot, "what a supervisor decides is not carried out")                                       \
    X(decline_uncounted, "a declined message is not counted")                                                \
    X(order_ignored, "an entry that comes too early is taken for one that came")                             \
    X(lease_forgotten, "a lease in a snapshot never ends")                                                   \
    X(due_forgotten, "after a restart no sleeping role is woken when something is due in it")                \
    X(absence_ignored, "the first in the succession holds the role, present or not")                         \
    X(escalated_to_failer, "whoever failed may be given the escalation")                                     \
    X(escalated_in_circle, "an escalation that fails goes back to where it came from")                       \
    X(notice_repeated, "up to where somebody was told is not looked at")                                     \
    X(notice_missing, "an urgent message that comes makes nobody look whom to tell")                         \
    X(quiet_hours_ignored, "notices go out at any hour")

/** Their numbers; none is right code. */
enum org_plant {
    ORG_PLANT_none = 0,
#define ORG_PLANT_ENUM(name, text) ORG_PLANT_##name,
    ORG_PLANT_LIST(ORG_PLANT_ENUM)
#undef ORG_PLANT_ENUM
        ORG_PLANT_COUNT,
};

#ifdef ORG_PLANT
/** The one that is in the code now. */
extern enum org_plant org_plant_chosen;
/** Whether the code is to be wrong here. */
#define ORG_PLANTED(name) (org_plant_chosen == ORG_PLANT_##name)
#else
/** Whether the code is to be wrong here: never. */
#define ORG_PLANTED(name) false
#endif

#endif

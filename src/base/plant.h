/* SPDX-License-Identifier: MIT */
/*
 * plant.h: bugs on purpose. Each is one that a runtime like this one can really have, at the place where it
 * would have it; the test tests/sim/planted shows that the simulator finds every one of them, and none where
 * none is planted. In the library that is shipped TROUPE_PLANTED is the constant false and leaves nothing.
 *
 * A build with TROUPE_PLANT defined (CMake's option of that name makes such a library beside the real one)
 * has all of them, switched by plant_chosen, which that test defines.
 */
#ifndef TROUPE_BASE_PLANT_H
#define TROUPE_BASE_PLANT_H

#include <stdbool.h>

/** The list: X(name, "what is wrong"). */
#define PLANT_LIST(X)                                                                                        \
    X(lost_wakeup, "a worker falls asleep without a last look at what was pushed")                           \
    X(notice_dropped, "word for an actor that has moved is not passed on")                                   \
    X(notice_unmarked, "an early splice forgets that a notice is under way")                                 \
    X(order_lost, "a local send overtakes what has arrived")                                                 \
    X(room_leaked, "room reserved from another worker is not given back")                                    \
    X(moved_twice, "an actor given away is queued a second time")                                            \
    X(generation_kept, "a slot's next tenant has the same ref")                                              \
    X(handle_reused, "a handle's number is not told from its place's last one")                              \
    X(reply_refused, "a reply to a full mailbox is refused")                                                 \
    X(reply_misdirected, "a forwarded question is answered to who forwarded it")                             \
    X(expired_handled, "a message is handled after its deadline")                                            \
    X(stash_lost, "what was stashed vanishes with its actor")                                                \
    X(system_shed, "a full mailbox drops the runtime's own messages too")                                    \
    X(parked_kept, "a parked sender waits until its target ends, not until half")                            \
    X(ring_closed, "a ring of parked actors is let close")                                                   \
    X(timer_uncancelled, "a timer cancelled on its way is delivered")                                        \
    X(periodic_stopped, "a periodic timer ends when its owner has moved")                                    \
    X(name_kept, "a name stays with an actor whose start failed")                                            \
    X(group_kept, "a group keeps members that have ended")                                                   \
    X(down_lost, "a monitor of who has ended is never answered")                                             \
    X(demonitor_deaf, "an end is told though its monitor has been taken back")                               \
    X(link_one_way, "a link holds for the side that made it only")                                           \
    X(restart_uncounted, "restarts of several children do not count")                                        \
    X(transient_returns, "a transient child comes back from a normal end")                                   \
    X(escalation_lost, "a supervisor that gave up counts as one that ended in order")                        \
    X(siblings_misordered, "children are stopped oldest first")                                              \
    X(start_unawaited, "a child is started before the one before it has started")                            \
    X(children_left, "a supervisor that gives up leaves children behind")

/** Their numbers; none is right code. */
enum plant {
    PLANT_none = 0,
#define PLANT_ENUM(name, text) PLANT_##name,
    PLANT_LIST(PLANT_ENUM)
#undef PLANT_ENUM
        PLANT_COUNT,
};

#ifdef TROUPE_PLANT
/** The one that is in the code now. */
extern enum plant plant_chosen;
/** Whether the code is to be wrong here. */
#define TROUPE_PLANTED(name) (plant_chosen == PLANT_##name)
#else
/** Whether the code is to be wrong here: never. */
#define TROUPE_PLANTED(name) false
#endif

#endif

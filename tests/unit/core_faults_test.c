/* SPDX-License-Identifier: MIT */
/*
 * Facts about want of memory: whichever allocation of spawning, sending, asking, timers, monitors, links,
 * names, groups, routers, stashes, full mailboxes and descriptors fails, it is said by a status, nothing that
 * was accepted is lost, nothing leaks, and the system goes on. See core_faults.h for how. One thread.
 */
#include "core_faults.h"

#include <fcntl.h>

enum {
    NAMES = 70, /* the registry grows at 64 */
    GROUP_MEMBERS = 10,
    HANDLES = 9,         /* a table grows at 4 and 8 */
    LARGE_BYTES = 10000, /* more than a slab holds */
    WATCHED_FD = 70,     /* the table of watches begins with 64 */
};

/* -- spawns ---------------------------------------------------------------------------------------------- */

static void spawns_run(troupe_system *system)
{
    char state[64] = "state";
    static const troupe_behaviour stateful = {
        .name = "stateful", .state_size = sizeof state, .receive = fault_receive};
    troupe_status status;
    troupe_spawn_options options = {.state = state, .ret_status = &status};
    troupe_spawn(system, &stateful, &options);
    (void)done(status);
    for (int i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "name-%d", i);
        troupe_ref ref =
            fault_spawn(troupe_system_context(system), (troupe_spawn_options){.name = name, .group = "herd"});
        assert_true(troupe_ref_equal(troupe_whereis(system, name), ref)); /* also when both are none */
    }
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_true(troupe_group_size(system, "herd") <= counters.actors_spawned);
}

/* -- sends ----------------------------------------------------------------------------------------------- */

#define LARGE_FIELDS(F) F(bytes, body)
TROUPE_MESSAGE(fault_large, LARGE_FIELDS)

static troupe_ref target;
static char large[LARGE_BYTES];

static void sends_do(troupe_self *self)
{
    fault_note_to(troupe_self_context(self), target, 1);
    (void)done(troupe_send(self, target, fault_large, .body = {large, sizeof large}));
    tally.notes += done(troupe_send(self, target, fault_note, .value = 1,
                                    .envelope = {.message_class = TROUPE_CLASS_URGENT, .deadline_ms = 1000}));
    tally.notes += done(troupe_send_flat(troupe_self_context(self), target, &fault_note_type, large, 8));
    fault_note_to(troupe_self_context(self), target, 13);
    troupe_shutdown(self, troupe_self_ref(self), TROUPE_SHUTDOWN);
}

static troupe_status passer_receive(troupe_self *self, const troupe_message *message)
{
    troupe_status status = troupe_forward(self, target, message);
    bool has_ended = status == TROUPE_NO_ACTOR; /* over the value 13, when the seed has us run late */
    return !has_ended && done(status) ? TROUPE_OK : TROUPE_UNEXPECTED;
}

static void sends_run(troupe_system *system)
{
    static const troupe_behaviour passer = {.name = "passer", .receive = passer_receive};
    target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    if (troupe_ref_is_none(target))
        return;
    troupe_status status;
    const troupe_spawn_options options = {.ret_status = &status};
    troupe_ref ref = troupe_spawn(system, &passer, &options);
    if (done(status)) {
        fault_note_to(troupe_system_context(system), ref, 1);
        troupe_message *reply = NULL;
        status = troupe_call(system, ref, 1000, &reply, fault_question, .value = 2);
        (void)(status == TROUPE_UNEXPECTED || status == TROUPE_TIMEOUT || done(status));
        troupe_message_free(system, &reply);
    }
    fault_do(system, sends_do);
}

/* -- asks ------------------------------------------------------------------------------------------------ */

static void asks_do(troupe_self *self)
{
    for (uint64_t value = 2; value < 2 + HANDLES; value++)
        fault_ask(self, target, value);
    fault_ask(self, target, 13);
    fault_ask(self, target, 2); /* finds nobody, or a grave */
}

static void asks_run(troupe_system *system)
{
    target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    fault_do(system, asks_do);
    target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    for (uint64_t value = 1; value < 3 && !troupe_ref_is_none(target); value++) {
        troupe_message *reply = NULL;
        troupe_status status = troupe_call(system, target, 1000, &reply, fault_question, .value = value);
        (void)(status == TROUPE_UNEXPECTED || status == TROUPE_TIMEOUT || done(status));
        troupe_message_free(system, &reply);
    }
}

/* -- timers ---------------------------------------------------------------------------------------------- */

static void timers_do(troupe_self *self)
{
    uint64_t timers[HANDLES];
    for (uint64_t i = 0; i < HANDLES; i++) {
        bool is_on = done(troupe_timer_start(self, i, 0, i, &timers[i]));
        if (is_on && i % 3 == 0)
            troupe_timer_cancel(self, timers[i]);
        else
            tally.timers += is_on;
    }
}

static troupe_status ticker_receive(troupe_self *self, const troupe_message *message)
{
    uint32_t *ticks = troupe_state(self);
    if (fault_note_of(message) != NULL)
        return done(troupe_timer_start(self, 1, 1, 0, NULL)) ? TROUPE_OK : TROUPE_NO_MEMORY;
    if (++*ticks == 5)
        troupe_exit(self);
    return TROUPE_OK;
}

static void timers_run(troupe_system *system)
{
    static const troupe_behaviour ticker = {
        .name = "ticker", .state_size = sizeof(uint32_t), .receive = ticker_receive};
    troupe_status status;
    const troupe_spawn_options options = {.ret_status = &status};
    fault_do(system, timers_do);
    troupe_ref ref = troupe_spawn(system, &ticker, &options);
    if (done(status))
        (void)done(troupe_send(system, ref, fault_note));
}

/* -- monitors and links ---------------------------------------------------------------------------------- */

static troupe_ref mortals[HANDLES];

static void mortals_end(troupe_system *system)
{
    for (int i = 0; i < HANDLES; i++) {
        if (troupe_ref_is_none(mortals[i]))
            continue;
        if (i % 2 == 0)
            fault_note_to(troupe_system_context(system), mortals[i], 13); /* with a text */
        /* Without memory for that, it is asked to until it hears. */
        troupe_actor_info info;
        while (troupe_actor_inspect(system, mortals[i], &info) == TROUPE_OK) {
            if (troupe_shutdown(system, mortals[i], TROUPE_KILLED) != TROUPE_OK)
                faults_disarm();
            troupe_sim_advance(system, 0);
        }
    }
}

static void monitors_do(troupe_self *self)
{
    for (int i = 0; i < HANDLES; i++) {
        uint64_t monitor;
        mortals[i] = fault_spawn(troupe_self_context(self), (troupe_spawn_options){0});
        bool is_on = !troupe_ref_is_none(mortals[i]) && done(troupe_monitor(self, mortals[i], &monitor));
        if (is_on && i % 3 == 0)
            troupe_demonitor(self, monitor);
        else
            tally.monitors += is_on;
    }
}

static void monitors_run(troupe_system *system)
{
    memset(mortals, 0, sizeof mortals);
    fault_do(system, monitors_do);
    troupe_sim_advance(system, 1);
    mortals_end(system);
}

static void links_do(troupe_self *self)
{
    troupe_trap_exits(self, true);
    for (int i = 0; i < HANDLES; i++) {
        mortals[i] = fault_spawn(troupe_self_context(self), (troupe_spawn_options){0});
        bool is_on = !troupe_ref_is_none(mortals[i]) && done(troupe_link(self, mortals[i]));
        if (is_on && i % 3 == 0)
            troupe_unlink(self, mortals[i]);
        else
            tally.monitors += is_on;
    }
}

static void links_run(troupe_system *system)
{
    memset(mortals, 0, sizeof mortals);
    fault_do(system, links_do);
    troupe_sim_advance(system, 1);
    mortals_end(system);
}

/* -- names and groups ------------------------------------------------------------------------------------ */

static void names_do(troupe_self *self)
{
    for (int i = 0; i < 3; i++) {
        bool is_held = done(troupe_register(self, "crown"));
        assert_int_equal(troupe_ref_equal(troupe_whereis(self, "crown"), troupe_self_ref(self)), is_held);
        troupe_unregister(self);
        assert_true(troupe_ref_is_none(troupe_whereis(self, "crown")));
    }
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "group-%d", i);
        bool is_in = done(troupe_join(self, name));
        assert_int_equal(troupe_group_size(self, name), is_in);
        if (i == 1)
            troupe_leave(self, name);
    }
}

static void names_run(troupe_system *system)
{
    troupe_ref ref = fault_do(system, names_do);
    if (!troupe_ref_is_none(ref))
        assert_int_equal(troupe_group_size(system, "group-1"), 0);
}

static void groups_run(troupe_system *system)
{
    uint32_t members = 0;
    for (int i = 0; i < GROUP_MEMBERS; i++)
        members += !troupe_ref_is_none(
            fault_spawn(troupe_system_context(system), (troupe_spawn_options){.group = "herd"}));
    assert_int_equal(troupe_group_size(system, "herd"), members);
    uint32_t taken = troupe_broadcast(system, "herd", fault_note, .value = 1);
    assert_true(taken == members || faults_failed() > 0);
    tally.notes += taken;
    for (troupe_routing routing = TROUPE_ROUTE_ROUND_ROBIN; routing <= TROUPE_ROUTE_HASH; routing++) {
        const troupe_router_spec spec = {.group = "herd", .routing = routing};
        troupe_status status;
        troupe_ref router = troupe_router_start(system, &spec, &status);
        if (done(status))
            fault_note_to(troupe_system_context(system), router, 1);
        troupe_sim_advance(system, 0);
    }
}

/* -- stashes and full mailboxes -------------------------------------------------------------------------- */

static troupe_status stasher_receive(troupe_self *self, const troupe_message *message)
{
    bool *is_open = troupe_state(self);
    if (fault_note_of(message)->value == 2) {
        *is_open = true;
        troupe_unstash(self);
    }
    return *is_open ? fault_receive(self, message) : TROUPE_STASHED;
}

static void stash_run(troupe_system *system)
{
    static const troupe_behaviour stasher = {
        .name = "stasher", .state_size = sizeof(bool), .receive = stasher_receive};
    troupe_status status;
    const troupe_spawn_options options = {.ret_status = &status};
    troupe_ref ref = troupe_spawn(system, &stasher, &options);
    for (uint64_t value = 0; done(status) && value < 4; value++) {
        fault_note_to(troupe_system_context(system), ref, value);
        troupe_sim_advance(system, 0);
    }
    target = ref;
}

/* What is still kept comes to light with its end. */
static void stash_finish(troupe_system *system)
{
    assert_int_equal(troupe_shutdown(system, target, TROUPE_SHUTDOWN), TROUPE_OK);
    troupe_sim_advance(system, 0);
}

static void producer_do(troupe_self *self)
{
    for (uint64_t value = 0; value < 6 && !troupe_ref_is_none(target); value++) {
        troupe_status status = troupe_send(self, target, fault_note, .value = 1);
        tally.notes += status == TROUPE_FULL ? 0 : done(status);
        status =
            troupe_send(self, target, fault_note, .value = 1, .envelope.message_class = TROUPE_CLASS_URGENT);
        tally.notes += status == TROUPE_FULL ? 0 : done(status);
    }
}

static void overflow_run(troupe_system *system)
{
    for (uint32_t overflow = TROUPE_OVERFLOW_REFUSE; overflow <= TROUPE_OVERFLOW_PARK; overflow++) {
        target =
            fault_spawn(troupe_system_context(system),
                        (troupe_spawn_options){.mailbox_len_max = 3, .overflow = (troupe_overflow)overflow});
        fault_do(system, producer_do);
        fault_do(system, producer_do);
    }
}

/* -- descriptors ----------------------------------------------------------------------------------------- */

static int watched[2] = {-1, -1};

static void watches_do(troupe_self *self)
{
    int high = fcntl(watched[0], F_DUPFD_CLOEXEC, WATCHED_FD);
    for (int round = 0; round < 2; round++) {
        if (done(troupe_watch(self, watched[0], TROUPE_READY_READ)))
            troupe_unwatch(self, watched[0]);
        if (done(troupe_watch(self, high, TROUPE_READY_READ)))
            (void)done(troupe_watch(self, high, TROUPE_READY_READ));
        troupe_unwatch(self, high);
    }
    (void)done(troupe_watch(self, watched[0], TROUPE_READY_READ)); /* it ends with its owner */
    close(high);
}

static void watches_run(troupe_system *system)
{
    assert_int_equal(pipe(watched), 0);
    assert_int_equal(write(watched[1], "x", 1), 1);
    fault_do(system, watches_do);
    troupe_sim_advance(system, 10);
    close(watched[0]);
    close(watched[1]);
}

/* -- the end --------------------------------------------------------------------------------------------- */

/* Actors with all that an end has to undo are there when the system stops. */
static void stop_run(troupe_system *system)
{
    for (int i = 0; i < 3; i++) {
        target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){.group = "herd"});
        fault_do(system, timers_do);
        fault_do(system, links_do);
        tally.monitors = tally.downs; /* their ends are still to come */
    }
}

static const struct fault_scenario spawns = {"spawns", spawns_run, NULL, false};
static const struct fault_scenario sends = {"sends", sends_run, NULL, false};
static const struct fault_scenario asks = {"asks", asks_run, NULL, false};
static const struct fault_scenario timers = {"timers", timers_run, NULL, false};
static const struct fault_scenario monitors = {"monitors", monitors_run, NULL, false};
static const struct fault_scenario links = {"links", links_run, NULL, false};
static const struct fault_scenario names = {"names", names_run, NULL, false};
static const struct fault_scenario groups = {"groups", groups_run, NULL, false};
static const struct fault_scenario stash = {"stash", stash_run, stash_finish, false};
static const struct fault_scenario overflow = {"overflow", overflow_run, NULL, false};
static const struct fault_scenario watches = {"watches", watches_run, NULL, false};
static const struct fault_scenario stop = {"stop", stop_run, NULL, true};

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(spawns_without_memory_leave_nothing, &spawns),
        FAULT_TEST(sends_without_memory_say_so, &sends),
        FAULT_TEST(asks_without_memory_end_once, &asks),
        FAULT_TEST(timers_without_memory_fire_or_say_so, &timers),
        FAULT_TEST(monitors_without_memory_tell_of_every_end, &monitors),
        FAULT_TEST(links_without_memory_hold_both_ways_or_not, &links),
        FAULT_TEST(names_without_memory_stay_free, &names),
        FAULT_TEST(groups_without_memory_lose_no_member, &groups),
        FAULT_TEST(stash_without_memory_loses_only_to_dead_letters, &stash),
        FAULT_TEST(full_mailboxes_without_memory_park_nobody_for_ever, &overflow),
        FAULT_TEST(watches_without_memory_say_so, &watches),
        FAULT_TEST(stop_without_memory_ends_everybody, &stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

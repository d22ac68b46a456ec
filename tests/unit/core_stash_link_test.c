/* SPDX-License-Identifier: MIT */
/*
 * core_stash_link_test.c: messages kept for later, and actors whose ends are tied together. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <troupe.h>

#define ITEM(F) F(u32, number)
TROUPE_MESSAGE(item, ITEM)
TROUPE_MESSAGE_EMPTY(open_door)
TROUPE_MESSAGE_EMPTY(crash)
TROUPE_MESSAGE_EMPTY(leave)
#define TIE(F) F(ref, who) F(bool, traps)
TROUPE_MESSAGE(tie, TIE)
#define UNTIE(F) F(ref, who)
TROUPE_MESSAGE(untie, UNTIE)

static uint32_t seen[64];
static uint32_t seen_count;
static uint32_t downs;

static troupe_status door_open_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const item *m = item_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    seen[seen_count++] = m->number;
    return TROUPE_OK;
}

static const troupe_behaviour door_open = {.name = "open door", .receive = door_open_receive};

static troupe_status door_receive(troupe_self *self, const troupe_message *message)
{
    if (open_door_of(message) == NULL)
        return TROUPE_STASHED;
    troupe_unstash(self);
    return troupe_become(self, &door_open);
}

static const troupe_behaviour door = {.name = "door", .receive = door_receive};

static troupe_system *begin(uint64_t seed)
{
    troupe_system *system = NULL;
    troupe_options options = {.workers = 2, .simulate = {.seed = seed}};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    seen_count = 0;
    downs = 0;
    return system;
}

static void assert_conserved_and_stop(troupe_system *system)
{
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    assert_int_equal(troupe_stop(&system), 0);
}

static void stashed_messages_come_back_before_later_ones(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    troupe_ref to = troupe_spawn(system, &door, NULL);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(troupe_send(system, to, item, .number = i), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, open_door), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, item, .number = 4), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(seen_count, 4);
    assert_memory_equal(seen, ((uint32_t[]){1, 2, 3, 4}), 4 * sizeof(uint32_t));
    assert_conserved_and_stop(system);
}

static void stash_holds_as_many_as_the_mailbox(void **state)
{
    (void)state;
    troupe_system *system = begin(4);
    troupe_ref to = troupe_spawn(system, &door, &(troupe_spawn_options){.mailbox_len_max = 2});
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(troupe_send(system, to, item, .number = i), TROUPE_OK);
        troupe_sim_advance(system, 1);
    }
    assert_int_equal(troupe_send(system, to, open_door), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(seen_count, 2);
    assert_conserved_and_stop(system);
}

static void stash_of_an_ended_actor_becomes_dead_letters(void **state)
{
    (void)state;
    troupe_system *system = begin(5);
    troupe_ref to = troupe_spawn(system, &door, NULL);
    assert_int_equal(troupe_send(system, to, item, .number = 1), TROUPE_OK);
    troupe_sim_advance(system, 1);
    troupe_shutdown(system, to, TROUPE_SHUTDOWN);
    troupe_sim_advance(system, 1);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.dead_letters, 1);
    assert_conserved_and_stop(system);
}

static troupe_status tied_receive(troupe_self *self, const troupe_message *message)
{
    const tie *t = tie_of(message);
    const untie *u = untie_of(message);
    if (t != NULL) {
        troupe_trap_exits(self, t->traps);
        return troupe_link(self, t->who);
    }
    if (u != NULL) {
        troupe_unlink(self, u->who);
        return TROUPE_OK;
    }
    if (crash_of(message) != NULL)
        return TROUPE_FAILED;
    if (leave_of(message) != NULL) {
        troupe_exit(self);
        return TROUPE_OK;
    }
    if (troupe_down_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    downs++;
    return TROUPE_OK;
}

static const troupe_behaviour tied = {.name = "tied", .receive = tied_receive};

static bool is_alive(troupe_system *system, troupe_ref who)
{
    troupe_actor_info info;
    return troupe_actor_inspect(system, who, &info) == TROUPE_OK;
}

/* Two linked actors, of which `a` made the link. */
static troupe_system *two_tied(uint64_t seed, bool traps, troupe_ref *ret_a, troupe_ref *ret_b)
{
    troupe_system *system = begin(seed);
    *ret_a = troupe_spawn(system, &tied, NULL);
    *ret_b = troupe_spawn(system, &tied, NULL);
    assert_int_equal(troupe_send(system, *ret_a, tie, .who = *ret_b, .traps = traps), TROUPE_OK);
    troupe_sim_advance(system, 1);
    return system;
}

static void failure_ends_both_sides_of_a_link(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        troupe_ref a;
        troupe_ref b;
        troupe_system *system = two_tied(seed, false, &a, &b);
        assert_int_equal(troupe_send(system, seed % 2 ? a : b, crash), TROUPE_OK);
        troupe_sim_advance(system, 1);
        assert_false(is_alive(system, a));
        assert_false(is_alive(system, b));
        assert_conserved_and_stop(system);
    }
}

static void normal_end_leaves_the_other_alive(void **state)
{
    (void)state;
    troupe_ref a;
    troupe_ref b;
    troupe_system *system = two_tied(1, false, &a, &b);
    assert_int_equal(troupe_send(system, b, leave), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_true(is_alive(system, a));
    assert_conserved_and_stop(system);
}

static void trapped_exit_comes_as_a_message(void **state)
{
    (void)state;
    troupe_ref a;
    troupe_ref b;
    troupe_system *system = two_tied(2, true, &a, &b);
    assert_int_equal(troupe_send(system, b, crash), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_true(is_alive(system, a));
    assert_int_equal(downs, 1);
    assert_conserved_and_stop(system);
}

static void unlinked_actors_end_alone(void **state)
{
    (void)state;
    troupe_ref a;
    troupe_ref b;
    troupe_system *system = two_tied(3, false, &a, &b);
    assert_int_equal(troupe_send(system, a, untie, .who = b), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_send(system, b, crash), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_true(is_alive(system, a));
    assert_conserved_and_stop(system);
}

static void link_to_the_dead_ends_the_living(void **state)
{
    (void)state;
    troupe_ref a;
    troupe_ref b;
    troupe_system *system = two_tied(4, true, &a, &b);
    assert_int_equal(troupe_send(system, b, crash), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_send(system, a, tie, .who = b, .traps = false), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_false(is_alive(system, a));
    assert_conserved_and_stop(system);
}

static void stashed_messages_come_back_in_their_class(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    troupe_ref to = troupe_spawn(system, &door, NULL);
    for (uint32_t i = 1; i <= 4; i++) {
        troupe_class message_class = i % 2 == 0 ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL;
        assert_int_equal(troupe_send(system, to, item, .number = i, .envelope.message_class = message_class),
                         TROUPE_OK);
        troupe_sim_advance(system, 1);
    }
    assert_int_equal(troupe_send(system, to, open_door), TROUPE_OK);
    troupe_sim_advance(system, 1);
    static const uint32_t expected[] = {2, 4, 1, 3};
    assert_int_equal(seen_count, 4);
    assert_memory_equal(seen, expected, sizeof expected);
    assert_conserved_and_stop(system);
}

static void unstash_of_nothing_changes_nothing(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    troupe_ref to = troupe_spawn(system, &door, NULL);
    assert_int_equal(troupe_send(system, to, open_door), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, item, .number = 7), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0], 7);
    assert_conserved_and_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stashed_messages_come_back_before_later_ones),
        cmocka_unit_test(stashed_messages_come_back_in_their_class),
        cmocka_unit_test(unstash_of_nothing_changes_nothing),
        cmocka_unit_test(stash_holds_as_many_as_the_mailbox),
        cmocka_unit_test(stash_of_an_ended_actor_becomes_dead_letters),
        cmocka_unit_test(failure_ends_both_sides_of_a_link),
        cmocka_unit_test(normal_end_leaves_the_other_alive),
        cmocka_unit_test(trapped_exit_comes_as_a_message),
        cmocka_unit_test(unlinked_actors_end_alone),
        cmocka_unit_test(link_to_the_dead_ends_the_living),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/router at its edges: what cannot be a router, groups of nobody, short bodies and fields as
 * keys, and how often a full group is tried. How evenly it routes: core_group_test.c. One thread.
 */
#include "unit/core_probe.h"

enum {
    TRIES = 8, /* of router.c: members that are tried before a message is given up */
};

#define KEYED_FIELDS(F) F(text, first) F(u16, code) F(bytes, key) F(blob, attachment)
TROUPE_MESSAGE(keyed, KEYED_FIELDS)
#define TINY_FIELDS(F) F(u8, key)
TROUPE_MESSAGE(tiny, TINY_FIELDS)

/* Members count what they get, by which of them they are. */
static uint32_t got[TRIES];

static troupe_status member_start(troupe_self *self)
{
    return troupe_join(self, "members");
}

static troupe_status member_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    got[*(uint32_t *)troupe_state(self)]++;
    return TROUPE_OK;
}

static const troupe_behaviour member = {
    .name = "member", .state_size = sizeof(uint32_t), .start = member_start, .receive = member_receive};

static troupe_system *start_members(uint32_t count)
{
    troupe_system *system = probe_system(1);
    memset(got, 0, sizeof got);
    for (uint32_t i = 0; i < count; i++) {
        const troupe_spawn_options options = {.state = &i};
        assert_false(troupe_ref_is_none(troupe_spawn(system, &member, &options)));
    }
    settle(system);
    return system;
}

static troupe_ref router_of(troupe_system *system, troupe_router_spec spec)
{
    troupe_status status = TROUPE_INVALID;
    spec.group = "members";
    troupe_ref ref = troupe_router_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_OK);
    settle(system);
    return ref;
}

static uint32_t got_all(void)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof got / sizeof got[0]; i++)
        sum += got[i];
    return sum;
}

/* How many members got anything. */
static uint32_t got_any(void)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof got / sizeof got[0]; i++)
        count += got[i] > 0;
    return count;
}

static void router_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static char longest[TROUPE_NAME_LEN_MAX + 2];
    const troupe_router_spec wrong[] = {
        {.group = NULL},
        {.group = ""},
        {.group = longest},
        {.group = "members", .routing = TROUPE_ROUTE_HASH + 1},
        {.group = "members", .routing = TROUPE_ROUTE_HASH, .key_field = "key"}, /* of which type? */
        {.group = "members", .routing = TROUPE_ROUTE_HASH, .key_type = &keyed_type},
        {.group = "members", .routing = TROUPE_ROUTE_HASH, .key_type = &keyed_type, .key_field = "lock"},
        {.group = "members",
         .routing = TROUPE_ROUTE_HASH,
         .key_type = &keyed_type,
         .key_field = "attachment"},
    };
    troupe_system *system = probe_system(1);
    memset(longest, 'g', TROUPE_NAME_LEN_MAX + 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        troupe_status status = TROUPE_OK;
        assert_true(troupe_ref_is_none(troupe_router_start(system, &wrong[i], &status)));
        assert_int_equal(status, TROUPE_INVALID);
        assert_true(troupe_ref_is_none(troupe_router_start(system, &wrong[i], NULL)));
    }
    longest[TROUPE_NAME_LEN_MAX] = '\0'; /* as long as may be */
    assert_false(troupe_ref_is_none(troupe_router_start(system, &wrong[2], NULL)));
    const troupe_router_spec named = {.group = "members", .name = "the router"};
    assert_false(troupe_ref_is_none(troupe_router_start(system, &named, NULL)));
    troupe_status status = TROUPE_OK;
    assert_true(troupe_ref_is_none(troupe_router_start(system, &named, &status)));
    assert_int_equal(status, TROUPE_NAME_TAKEN); /* what the spawn says */
    probe_system_stop(system);
}

static troupe_status ended_status;
static troupe_ref asked;

static troupe_status on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    (void)self;
    (void)reply;
    (void)context;
    ended_status = status;
    return TROUPE_OK;
}

static troupe_status ask_now(troupe_self *self)
{
    return troupe_ask(self, asked, 1000, on_reply, NULL, probe_question, .value = 1);
}

static void message_for_a_group_of_nobody_is_a_dead_letter_and_its_asker_is_told(void **state)
{
    (void)state;
    struct probe asker;
    for (uint32_t routing = 0; routing <= TROUPE_ROUTE_HASH; routing++) {
        troupe_system *system = start_members(0);
        asked = router_of(system, (troupe_router_spec){.routing = (troupe_routing)routing});
        assert_int_equal(troupe_send(system, asked, probe_value, .value = 1), TROUPE_OK);
        settle(system);
        assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_UNEXPECTED], 1);
        probe_spawn(system, &asker, NULL);
        ended_status = TROUPE_OK;
        probe_do(system, &asker, ask_now);
        assert_int_equal(ended_status, TROUPE_NO_ACTOR);
        assert_int_equal(probe_counters(system).dead_letters, 1); /* the question was answered */
        probe_system_stop(system);
    }
}

static struct probe silent;
static struct probe members[TRIES + 1];

static troupe_status hold_now(troupe_self *self)
{
    return troupe_ask_hold(self, silent.ref, 1000, on_reply, NULL, probe_question, .value = 1);
}

/* Members that hold for an answer handle nothing meanwhile: with one message they are full. */
static void as_many_full_members_as_there_are_tries_are_passed_over(void **state)
{
    (void)state;
    for (uint32_t full = TRIES - 1; full <= TRIES; full++) {
        troupe_system *system = probe_system(1);
        const troupe_spawn_options options = {.mailbox_len_max = 1, .group = "members"};
        probe_spawn(system, &silent, NULL);
        for (uint32_t i = 0; i <= full; i++)
            probe_spawn(system, &members[i], &options);
        for (uint32_t i = 0; i < full; i++) {
            probe_do(system, &members[i], hold_now);
            assert_int_equal(troupe_send(system, members[i].ref, probe_value, .value = 1), TROUPE_OK);
        }
        troupe_ref ref = router_of(system, (troupe_router_spec){.routing = TROUPE_ROUTE_ROUND_ROBIN});
        assert_int_equal(troupe_send(system, ref, probe_value, .value = 2), TROUPE_OK);
        settle(system);
        assert_int_equal(members[full].value_count, full < TRIES ? 1 : 0);
        troupe_shutdown(system, silent.ref, TROUPE_OK); /* nobody holds any more */
        settle(system);
        assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_UNEXPECTED],
                         full < TRIES ? 0 : 1);
        for (uint32_t i = 0; i < full; i++)
            assert_int_equal(members[i].value_count, 1);
        assert_int_equal(troupe_send(system, ref, probe_value, .value = 3), TROUPE_OK);
        settle(system); /* its turn went on with each try */
        assert_int_equal(members[full].value_count, 1);
        probe_system_stop(system);
    }
}

static void key_of_a_body_is_no_longer_than_the_body(void **state)
{
    (void)state;
    troupe_system *system = start_members(TRIES);
    troupe_ref ref = router_of(system, (troupe_router_spec){.routing = TROUPE_ROUTE_HASH});
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(troupe_send(system, ref, tiny, .key = 3), TROUPE_OK);
    settle(system);
    assert_int_equal(got_all(), 20);
    assert_int_equal(got_any(), 1); /* what lies behind the one byte does not count */
    for (uint32_t i = 0; i < 250; i++)
        assert_int_equal(troupe_send(system, ref, tiny, .key = (uint8_t)i), TROUPE_OK);
    settle(system);
    assert_int_equal(got_any(), TRIES);
    probe_system_stop(system);
}

/* By one field, whatever the others say, and the same field by value. */
static void key_may_be_a_number_or_bytes_anywhere_in_the_message(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a", "somewhat longer", "long enough to move what is behind it"};
    for (uint32_t way = 0; way < 2; way++) {
        troupe_system *system = start_members(TRIES);
        troupe_ref ref = router_of(system, (troupe_router_spec){.routing = TROUPE_ROUTE_HASH,
                                                                .key_type = &keyed_type,
                                                                .key_field = way == 0 ? "code" : "key"});
        for (uint32_t i = 0; i < 16; i++) {
            uint32_t other = way == 0 ? i : 4000 + i;
            assert_int_equal(troupe_send(system, ref, keyed, .first = texts[i % 4],
                                         .code = (uint16_t)(way == 0 ? 99 : other),
                                         .key = {way == 0 ? (const void *)&other : "99", way == 0 ? 4 : 2}),
                             TROUPE_OK);
        }
        settle(system);
        assert_int_equal(got_all(), 16);
        assert_int_equal(got_any(), 1);
        for (uint32_t i = 0; i < 200; i++)
            assert_int_equal(
                troupe_send(system, ref, keyed, .first = "", .code = (uint16_t)i, .key = {&i, sizeof i}),
                TROUPE_OK);
        settle(system);
        assert_int_equal(got_any(), TRIES);
        probe_system_stop(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_that_cannot_be_is_refused),
        cmocka_unit_test(message_for_a_group_of_nobody_is_a_dead_letter_and_its_asker_is_told),
        cmocka_unit_test(as_many_full_members_as_there_are_tries_are_passed_over),
        cmocka_unit_test(key_of_a_body_is_no_longer_than_the_body),
        cmocka_unit_test(key_may_be_a_number_or_bytes_anywhere_in_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/registry: a name has one holder, and is free the moment its holder has ended. Virtual
 * time. One thread.
 */
#include "unit/core_probe.h"

#include "core/registry.h"

enum {
    MANY = 1000,
};

static struct probe one;
static struct probe other;
static const char *wanted;
static troupe_status answer;

static troupe_status register_now(troupe_self *self)
{
    answer = troupe_register(self, wanted);
    return TROUPE_OK;
}

static troupe_status unregister_now(troupe_self *self)
{
    troupe_unregister(self);
    return TROUPE_OK;
}

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status fail_now(troupe_self *self)
{
    return troupe_fail(self, TROUPE_IO, "as told");
}

static troupe_status register_as(troupe_system *system, const struct probe *probe, const char *name)
{
    wanted = name;
    probe_do(system, probe, register_now);
    return answer;
}

static troupe_system *start_two(void)
{
    troupe_system *system = probe_system(2);
    probe_spawn(system, &one, NULL);
    probe_spawn(system, &other, NULL);
    return system;
}

static void name_finds_its_holder(void **state)
{
    (void)state;
    troupe_system *system = start_two();
    assert_true(troupe_ref_is_none(troupe_whereis(system, "a")));
    assert_int_equal(register_as(system, &one, "a"), TROUPE_OK);
    assert_int_equal(register_as(system, &other, "b"), TROUPE_OK);
    assert_true(troupe_ref_equal(troupe_whereis(system, "a"), one.ref));
    assert_true(troupe_ref_equal(troupe_whereis(system, "b"), other.ref));
    assert_true(troupe_ref_is_none(troupe_whereis(system, "A")));
    assert_true(troupe_ref_is_none(troupe_whereis(system, "")));
    probe_system_stop(system);
}

static void taken_name_is_refused_and_so_is_a_second_one(void **state)
{
    (void)state;
    troupe_system *system = start_two();
    assert_int_equal(register_as(system, &one, "a"), TROUPE_OK);
    assert_int_equal(register_as(system, &other, "a"), TROUPE_NAME_TAKEN);
    assert_int_equal(register_as(system, &one, "a"), TROUPE_INVALID);
    assert_int_equal(register_as(system, &one, "b"), TROUPE_INVALID);
    assert_true(troupe_ref_is_none(troupe_whereis(system, "b")));
    assert_int_equal(register_as(system, &other, "b"), TROUPE_OK); /* the refusals left nothing */
    probe_system_stop(system);
}

static void names_of_1_to_128_bytes_are_taken(void **state)
{
    (void)state;
    troupe_system *system = start_two();
    char name[TROUPE_NAME_LEN_MAX + 2];
    memset(name, 'n', sizeof name);
    name[TROUPE_NAME_LEN_MAX + 1] = '\0';
    assert_int_equal(register_as(system, &one, ""), TROUPE_INVALID);
    assert_int_equal(register_as(system, &one, name), TROUPE_INVALID);
    assert_true(troupe_ref_is_none(troupe_whereis(system, name)));
    name[TROUPE_NAME_LEN_MAX] = '\0';
    assert_int_equal(register_as(system, &one, name), TROUPE_OK);
    assert_true(troupe_ref_equal(troupe_whereis(system, name), one.ref));
    assert_int_equal(register_as(system, &other, "n"), TROUPE_OK);
    probe_system_stop(system);
}

static void name_is_free_when_it_is_given_up_or_its_holder_ends(void **state)
{
    (void)state;
    static const probe_function ways[] = {unregister_now, exit_now, fail_now};
    for (size_t i = 0; i < 3; i++) {
        troupe_system *system = start_two();
        assert_int_equal(register_as(system, &one, "a"), TROUPE_OK);
        probe_do(system, &one, ways[i]);
        assert_true(troupe_ref_is_none(troupe_whereis(system, "a")));
        assert_int_equal(register_as(system, &other, "a"), TROUPE_OK);
        assert_true(troupe_ref_equal(troupe_whereis(system, "a"), other.ref));
        if (ways[i] == unregister_now) { /* it has none to give up, and takes nobody else's */
            probe_do(system, &one, unregister_now);
            assert_true(troupe_ref_equal(troupe_whereis(system, "a"), other.ref));
            assert_int_equal(register_as(system, &one, "b"), TROUPE_OK);
        }
        probe_system_stop(system);
    }
}

static void name_of_the_spawn_options_is_there_at_once(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    struct probe *at = &one;
    troupe_status status;
    const troupe_spawn_options options = {.state = &at, .name = "early", .ret_status = &status};
    memset(&one, 0, sizeof one);
    troupe_ref ref = troupe_spawn(system, &probe_behaviour, &options);
    assert_int_equal(status, TROUPE_OK);
    assert_true(troupe_ref_equal(troupe_whereis(system, "early"), ref)); /* before it ever ran */
    assert_true(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &options)));
    assert_int_equal(status, TROUPE_NAME_TAKEN);
    assert_true(
        troupe_ref_equal(troupe_whereis(system, "early"), ref)); /* the refused one took nothing along */
    settle(system);
    assert_int_equal(probe_counters(system).actors_spawned, 1);
    probe_do(system, &one, exit_now);
    assert_true(troupe_ref_is_none(troupe_whereis(system, "early")));
    char name[TROUPE_NAME_LEN_MAX + 2];
    memset(name, 'n', sizeof name);
    name[TROUPE_NAME_LEN_MAX + 1] = '\0';
    const troupe_spawn_options wrong = {.state = &at, .name = name, .ret_status = &status};
    assert_true(troupe_ref_is_none(troupe_spawn(system, &probe_behaviour, &wrong)));
    assert_int_equal(status, TROUPE_INVALID);
    probe_system_stop(system);
}

/* Who hears of an end finds the name free. */
static troupe_ref found_at_down;

static troupe_status find_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t monitor;
    if (troupe_down_of(message) == NULL)
        return troupe_monitor(self, one.ref, &monitor);
    found_at_down = troupe_whereis(self, "a");
    return troupe_register(self, "a");
}

static const troupe_behaviour finder = {.name = "finder", .receive = find_receive};

static void name_is_free_before_watchers_hear_of_the_end(void **state)
{
    (void)state;
    troupe_system *system = start_two();
    assert_int_equal(register_as(system, &one, "a"), TROUPE_OK);
    troupe_ref ref = troupe_spawn(system, &finder, NULL);
    troupe_send(system, ref, probe_value, .value = 1);
    settle(system);
    found_at_down = ref;
    probe_do(system, &one, fail_now);
    assert_true(troupe_ref_is_none(found_at_down));
    assert_true(troupe_ref_equal(troupe_whereis(system, "a"), ref));
    probe_system_stop(system);
}

static troupe_status monitor_name(troupe_self *self)
{
    uint64_t monitor;
    return troupe_monitor_name(self, "a", &monitor);
}

/* The monitor is of the actor that had the name, not of the name: another holder's end is not heard. */
static void monitor_of_a_name_is_of_its_holder(void **state)
{
    (void)state;
    troupe_system *system = start_two();
    static struct probe third;
    probe_spawn(system, &third, NULL);
    probe_do(system, &other, monitor_name);
    assert_int_equal(other.down_count, 1); /* nobody has it */
    assert_int_equal(other.downs[0].reason, TROUPE_NO_ACTOR);
    assert_int_equal(register_as(system, &one, "a"), TROUPE_OK);
    probe_do(system, &other, monitor_name);
    assert_int_equal(other.down_count, 1);
    probe_do(system, &one, unregister_now);
    assert_int_equal(register_as(system, &third, "a"), TROUPE_OK);
    probe_do(system, &third, exit_now);
    assert_int_equal(other.down_count, 1);
    probe_do(system, &one, fail_now);
    assert_int_equal(other.down_count, 2);
    assert_int_equal(other.downs[1].reason, TROUPE_IO);
    assert_true(troupe_ref_equal(other.downs[1].who, one.ref));
    probe_system_stop(system);
}

/*
 * The table itself: more names than buckets, names of the same hash, removal by whom it does not belong to.
 */
static void table_keeps_each_of_many_names_apart(void **state)
{
    (void)state;
    struct registry registry;
    char name[32];
    assert_int_equal(registry_init(&registry), TROUPE_OK);
    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "name-%llu", (unsigned long long)i);
        assert_int_equal(registry_add(&registry, name, (troupe_ref){i}), TROUPE_OK);
        assert_int_equal(registry_add(&registry, name, (troupe_ref){i + 1}), TROUPE_NAME_TAKEN);
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "name-%llu", (unsigned long long)i);
        registry_remove(&registry, name, (troupe_ref){i + 1}); /* not its holder */
        assert_int_equal(registry_find(&registry, name).bits, i);
        if (i % 3 == 0)
            registry_remove(&registry, name, (troupe_ref){i});
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "name-%llu", (unsigned long long)i);
        assert_int_equal(registry_find(&registry, name).bits, i % 3 == 0 ? 0 : i);
    }
    assert_int_equal(registry.entry_count, MANY - MANY / 3);
    registry_done(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_finds_its_holder),
        cmocka_unit_test(taken_name_is_refused_and_so_is_a_second_one),
        cmocka_unit_test(names_of_1_to_128_bytes_are_taken),
        cmocka_unit_test(name_is_free_when_it_is_given_up_or_its_holder_ends),
        cmocka_unit_test(name_of_the_spawn_options_is_there_at_once),
        cmocka_unit_test(name_is_free_before_watchers_hear_of_the_end),
        cmocka_unit_test(monitor_of_a_name_is_of_its_holder),
        cmocka_unit_test(table_keeps_each_of_many_names_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

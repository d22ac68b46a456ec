/* SPDX-License-Identifier: MIT */
/*
 * Facts about the names of message types: what a program declares is known by its id, what nobody declared is
 * not, and the limit holds. One thread.
 */
#include "core_probe.h"

enum {
    NAME_SIZE = 32,
};

static void declared_types_are_known_by_their_id(void **state)
{
    (void)state;
    assert_string_equal(troupe_type_name(probe_value_type.id), "probe_value");
    assert_string_equal(troupe_type_name(troupe_type_id("troupe_down")), "troupe_down");
}

static void types_nobody_declared_have_no_name(void **state)
{
    (void)state;
    assert_null(troupe_type_name(troupe_type_id("no_such_type_anywhere")));
}

static void names_are_copied_and_announced_once(void **state)
{
    (void)state;
    char name[NAME_SIZE] = "made_by_hand";
    const troupe_type type = {.name = name, .id = troupe_type_id(name), .version = 1};
    troupe_type_announce(&type);
    const char *known = troupe_type_name(type.id);
    name[0] = 'X';
    troupe_type_announce(&type);
    assert_ptr_equal(troupe_type_name(type.id), known);
    assert_string_equal(known, "made_by_hand");
}

static void types_beyond_the_limit_have_no_name(void **state)
{
    (void)state;
    uint32_t known = 0;
    for (uint32_t i = 0; i < TROUPE_TYPE_NAMES_MAX + 1; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "type_%u", (unsigned)i);
        const troupe_type type = {.name = name, .id = troupe_type_id(name), .version = 1};
        troupe_type_announce(&type);
        const char *found = troupe_type_name(type.id);
        if (found == NULL)
            break;
        assert_string_equal(found, name);
        known++;
    }
    assert_in_range(known, TROUPE_TYPE_NAMES_MAX - 200,
                    TROUPE_TYPE_NAMES_MAX - 1); /* the declared ones too */
    assert_string_equal(troupe_type_name(probe_value_type.id), "probe_value");
    assert_null(troupe_type_name(troupe_type_id("no_such_type_anywhere")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_types_are_known_by_their_id),
        cmocka_unit_test(types_nobody_declared_have_no_name),
        cmocka_unit_test(names_are_copied_and_announced_once),
        cmocka_unit_test(types_beyond_the_limit_have_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

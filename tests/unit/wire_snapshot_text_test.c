/* SPDX-License-Identifier: MIT */
/*
 * Facts about wire/snapshot_text: how each thing that a snapshot can hold is written for people and for
 * programs, from snapshots made by hand. What a system's own says is in core_snapshot_test.c. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <troupe/registry.h>
#include <troupe/snapshot.h>

enum {
    TEXT_SIZE = 8192,
};

static const char *printed(const troupe_snapshot *snapshot, void (*print)(const troupe_snapshot *, FILE *))
{
    static char text[TEXT_SIZE];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    print(snapshot, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* Every number differs, so that none can stand for another. */
static const troupe_snapshot_node full[] = {
    {.ref = {0xa},
     .name = "top",
     .behaviour = "supervisor",
     .parent = TROUPE_SNAPSHOT_NONE,
     .state = TROUPE_ACTOR_STARTING,
     .is_supervisor = true,
     .created = 1},
    {.ref = {0x123456789abcdef0},
     .child = "left",
     .behaviour = "clerk",
     .parent = 0,
     .level = 1,
     .worker = 2,
     .state = TROUPE_ACTOR_PARKED,
     .is_own_thread = true,
     .is_runnable = true,
     .created = 3,
     .handled = 4,
     .unexpected = 5,
     .restarts = 6,
     .failures = 7,
     .depth = 8,
     .depth_normal = 9,
     .depth_urgent = 10,
     .depth_system = 11,
     .bytes = 12,
     .stash_len = 13,
     .oldest_ms = 14,
     .asks = 15,
     .parked_on = {0xa}},
    {.ref = {0xb},
     .behaviour = "guest",
     .parent = TROUPE_SNAPSHOT_NONE,
     .state = TROUPE_ACTOR_ENDING,
     .is_partial = true,
     .created = 16,
     .parked_on = {0xdead}},
};
static const troupe_snapshot snapshot = {.at_ns = 17, .node_count = 3, .partial_count = 1, .nodes = full};

static void people_see_only_the_numbers_that_are_not_0(void **state)
{
    (void)state;
    assert_string_equal(
        printed(&snapshot, troupe_snapshot_print),
        "top (supervisor #1) starting on 0\n"
        "  left (clerk #3) parked on 2, handled 4, waiting 8, urgent 10, notices 11, "
        "bytes 12, oldest ms 14, stashed 13, asking 15, unexpected 5, restarts 6, failures 7, "
        "waits for top\n"
        "guest (guest #16) ending on 0, waits for one that has ended, does not answer\n");
}

static void programs_see_every_member_by_its_name(void **state)
{
    (void)state;
    assert_string_equal(
        printed(&snapshot, troupe_snapshot_print_json),
        "{\"at_ns\":17,\"partial_count\":1,\"actors\":[\n"
        "{\"ref\":\"000000000000000a\",\"parent\":null,\"name\":\"top\",\"behaviour\":\"supervisor\","
        "\"state\":\"starting\",\"created\":1,\"level\":0,\"worker\":0,\"handled\":0,\"unexpected\":0,"
        "\"restarts\":0,\"failures\":0,\"depth\":0,\"depth_normal\":0,\"depth_urgent\":0,\"depth_system\":0,"
        "\"bytes\":0,\"stash_len\":0,\"oldest_ms\":0,\"asks\":0,\"is_supervisor\":true,"
        "\"is_own_thread\":false,\"is_runnable\":false,\"is_partial\":false},\n"
        "{\"ref\":\"123456789abcdef0\",\"parent\":0,\"child\":\"left\",\"behaviour\":\"clerk\","
        "\"state\":\"parked\",\"created\":3,\"level\":1,\"worker\":2,\"handled\":4,\"unexpected\":5,"
        "\"restarts\":6,\"failures\":7,\"depth\":8,\"depth_normal\":9,\"depth_urgent\":10,"
        "\"depth_system\":11,\"bytes\":12,\"stash_len\":13,\"oldest_ms\":14,\"asks\":15,"
        "\"is_supervisor\":false,\"is_own_thread\":true,\"is_runnable\":true,\"is_partial\":false,"
        "\"parked_on\":\"000000000000000a\"},\n"
        "{\"ref\":\"000000000000000b\",\"parent\":null,\"behaviour\":\"guest\",\"state\":\"ending\","
        "\"created\":16,\"level\":0,\"worker\":0,\"handled\":0,\"unexpected\":0,\"restarts\":0,"
        "\"failures\":0,"
        "\"depth\":0,\"depth_normal\":0,\"depth_urgent\":0,\"depth_system\":0,\"bytes\":0,\"stash_len\":0,"
        "\"oldest_ms\":0,\"asks\":0,\"is_supervisor\":false,\"is_own_thread\":false,\"is_runnable\":false,"
        "\"is_partial\":true,\"parked_on\":\"000000000000dead\"}\n"
        "]}\n");
}

static void snapshot_of_nobody_is_empty(void **state)
{
    (void)state;
    static const troupe_snapshot empty = {.at_ns = 1};
    assert_string_equal(printed(&empty, troupe_snapshot_print), "");
    assert_string_equal(printed(&empty, troupe_snapshot_print_json),
                        "{\"at_ns\":1,\"partial_count\":0,\"actors\":[\n]}\n");
}

static void longest_name_of_the_worst_bytes_is_written_whole(void **state)
{
    (void)state;
    char name[TROUPE_NAME_LEN_MAX + 1];
    memset(name, '\x01', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const troupe_snapshot_node node = {.ref = {1}, .name = name, .behaviour = "b", .created = 1};
    const troupe_snapshot one = {.node_count = 1, .nodes = &node};
    const char *text = printed(&one, troupe_snapshot_print);
    for (size_t i = 0; i < TROUPE_NAME_LEN_MAX; i++, text += strlen("\\u0001"))
        assert_memory_equal(text, "\\u0001", strlen("\\u0001"));
    assert_string_equal(text, " (b #1) starting on 0\n");
    text = strstr(printed(&one, troupe_snapshot_print_json), "\"name\":\"") + strlen("\"name\":\"");
    text += strlen("\\u0001") * TROUPE_NAME_LEN_MAX;
    assert_memory_equal(text, "\",\"behaviour\":\"b\"", strlen("\",\"behaviour\":\"b\""));
}

static void indentation_ends_at_level_40(void **state)
{
    (void)state;
    const troupe_snapshot_node nodes[] = {
        {.ref = {1}, .behaviour = "b", .level = 39, .created = 1},
        {.ref = {2}, .behaviour = "b", .level = 40, .created = 2},
        {.ref = {3}, .behaviour = "b", .level = UINT32_MAX, .created = 3},
    };
    const troupe_snapshot deep = {.node_count = 3, .nodes = nodes};
    const char *text = printed(&deep, troupe_snapshot_print);
    for (size_t i = 0; i < deep.node_count; i++) {
        assert_int_equal(strspn(text, " "), i == 0 ? 78 : 80);
        text = strchr(text, '\n') + 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_see_only_the_numbers_that_are_not_0),
        cmocka_unit_test(programs_see_every_member_by_its_name),
        cmocka_unit_test(snapshot_of_nobody_is_empty),
        cmocka_unit_test(longest_name_of_the_worst_bytes_is_written_whole),
        cmocka_unit_test(indentation_ends_at_level_40),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

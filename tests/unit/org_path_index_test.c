/* SPDX-License-Identifier: MIT */
/*
 * Facts about org/path_index: to which domains a path belongs. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/path_index.h"

static const struct hash_key key = {{1, 2}};

static int make_index(void **state)
{
    struct org_path_index *index;
    if (org_path_index_new(&key, &index) != TROUPE_OK)
        return -1;
    *state = index;
    return 0;
}

static int free_index(void **state)
{
    org_path_index_free(*state);
    return 0;
}

static void add(struct org_path_index *index, uint32_t domain, enum org_pattern_kind kind, bool is_exclude,
                const char *text, uint32_t list)
{
    const char *reason;
    struct org_rule rule = {
        .kind = kind, .is_exclude = is_exclude, .text = text, .line = domain * 100, .list = list};
    assert_int_equal(org_path_index_add(index, domain, &rule, &reason), TROUPE_OK);
}

static void add_files(struct org_path_index *index, uint32_t domain, const char *text)
{
    add(index, domain, ORG_PATTERN_FILES, false, text, 0);
}

static void add_exclude(struct org_path_index *index, uint32_t domain, const char *text)
{
    add(index, domain, ORG_PATTERN_FILES, true, text, 0);
}

static void add_name(struct org_path_index *index, uint32_t domain, const char *text)
{
    add(index, domain, ORG_PATTERN_NAME, false, text, 0);
}

/* The domains that have a path, as "3 1 2". */
static void expect(const struct org_path_index *index, const char *path, const char *domains)
{
    struct org_matches matches = {0};
    char text[256] = "";
    size_t len = 0;
    assert_int_equal(org_path_index_find(index, path, &matches), TROUPE_OK);
    for (size_t i = 0; i < matches.count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i > 0 ? " " : "",
                                matches.items[i].domain);
    assert_string_equal(text, domains);
    org_matches_done(&matches);
}

static void path_of_nobody_has_an_empty_answer(void **state)
{
    struct org_path_index *index = *state;
    expect(index, "a/b", "");
    add_files(index, 1, "x/");
    expect(index, "a/b", "");
}

static void most_precise_pattern_comes_first(void **state)
{
    struct org_path_index *index = *state;
    add_files(index, 1, "*/");
    add_name(index, 2, "3c59x");
    add_files(index, 3, "drivers/net/");
    add_files(index, 4, "drivers/net/ethernet/3com/3c59x.c");
    add_files(index, 5, "drivers/*/ethernet/");
    expect(index, "drivers/net/ethernet/3com/3c59x.c", "4 5 3 1 2");
    expect(index, "drivers/net/loopback.c", "3 1");
}

static void equally_precise_patterns_come_in_the_order_they_were_added(void **state)
{
    struct org_path_index *index = *state;
    add_files(index, 7, "a/b/");
    add_files(index, 3, "a/b/");
    add_files(index, 5, "a/?/");
    expect(index, "a/b/c", "7 3 5");
}

static void domain_is_listed_once_with_its_most_precise_rule(void **state)
{
    struct org_path_index *index = *state;
    struct org_matches matches = {0};
    add_name(index, 1, "net");
    add_files(index, 1, "drivers/");
    add_files(index, 1, "drivers/net/a.c");
    add_files(index, 2, "drivers/net/");
    assert_int_equal(org_path_index_find(index, "drivers/net/a.c", &matches), TROUPE_OK);
    assert_int_equal(matches.count, 2);
    assert_int_equal(matches.items[0].domain, 1);
    assert_int_equal(matches.items[0].line, 100);
    assert_int_equal(matches.items[0].kind, ORG_PATTERN_FILES);
    assert_string_equal(org_pattern_text(matches.items[0].pattern), "drivers/net/a.c");
    assert_int_equal(matches.items[1].domain, 2);
    org_matches_done(&matches);
}

static void exclude_takes_out_of_its_own_domain_whatever_the_order(void **state)
{
    struct org_path_index *index = *state;
    add_exclude(index, 1, "drivers/char/agp/");
    add_files(index, 1, "drivers/char/");
    add_name(index, 1, "agp");
    add_files(index, 2, "drivers/");
    expect(index, "drivers/char/agp/x.c", "2");
    expect(index, "drivers/char/x.c", "1 2");
    expect(index, "x/agp", "1");
}

static void last_match_of_an_owners_list_decides(void **state)
{
    struct org_path_index *index = *state;
    add(index, 1, ORG_PATTERN_OWNERS, false, "*", 9);
    add(index, 2, ORG_PATTERN_OWNERS, false, "/docs/", 9);
    add(index, 3, ORG_PATTERN_OWNERS, false, "*.js", 9);
    add(index, 1, ORG_PATTERN_OWNERS, true, "/docs/secret/", 9);
    expect(index, "a.c", "1");
    expect(index, "docs/a.c", "2");
    expect(index, "docs/a.js", "3");
    expect(index, "docs/secret/a.js", "");
}

static void owners_lists_decide_each_for_itself(void **state)
{
    struct org_path_index *index = *state;
    add(index, 1, ORG_PATTERN_OWNERS, false, "/docs/", 1);
    add(index, 1, ORG_PATTERN_OWNERS, true, "*.tmp", 1);
    add(index, 2, ORG_PATTERN_OWNERS, false, "/docs/a/", 2);
    add_files(index, 3, "docs/");
    expect(index, "docs/a/b", "2 1 3");
    expect(index, "docs/a/b.tmp", "2 3");
}

static void removed_domain_has_no_paths_and_can_come_back(void **state)
{
    struct org_path_index *index = *state;
    for (int round = 0; round < 50; round++) {
        add_files(index, 1, "a/");
        add_files(index, 1, "a/b/");
        add_name(index, 1, "c");
        add_files(index, 2, "a/b/c");
        assert_int_equal(org_path_index_count(index), 4);
        expect(index, "a/b/c", "2 1");
        org_path_index_remove(index, 1);
        expect(index, "a/b/c", "2");
        org_path_index_remove(index, 2);
        org_path_index_remove(index, 2);
        org_path_index_remove(index, 77);
        assert_int_equal(org_path_index_count(index), 0);
        expect(index, "a/b/c", "");
    }
}

static void bad_rules_and_paths_are_refused(void **state)
{
    struct org_path_index *index = *state;
    struct org_matches matches = {0};
    const char *reason = NULL;
    struct org_rule rule = {.kind = ORG_PATTERN_FILES, .text = "/a"};
    assert_int_equal(org_path_index_add(index, 1, &rule, &reason), TROUPE_INVALID);
    assert_string_equal(reason, "it begins with a slash");
    assert_int_equal(org_path_index_count(index), 0);
    assert_int_equal(org_path_index_find(index, "../a", &matches), TROUPE_INVALID);
    assert_int_equal(org_path_index_find(index, "", &matches), TROUPE_INVALID);
    org_matches_done(&matches);
}

static void domain_holds_patterns_up_to_its_limit(void **state)
{
    struct org_path_index *index = *state;
    const char *reason;
    char text[32];
    for (int i = 0; i < ORG_DOMAIN_PATTERNS_MAX; i++) {
        snprintf(text, sizeof(text), "a/%d", i);
        add_files(index, 1, text);
    }
    struct org_rule rule = {.kind = ORG_PATTERN_FILES, .text = "b"};
    assert_int_equal(org_path_index_add(index, 1, &rule, &reason), TROUPE_LIMIT);
    add_files(index, 2, "b");
    expect(index, "a/4095", "1");
    expect(index, "b", "2");
}

static void answers_grow_to_as_many_domains_as_match(void **state)
{
    struct org_path_index *index = *state;
    struct org_matches matches = {0};
    for (uint32_t domain = 0; domain < 1000; domain++)
        add_files(index, domain, "a/");
    assert_int_equal(org_path_index_find(index, "a/b", &matches), TROUPE_OK);
    assert_int_equal(matches.count, 1000);
    for (uint32_t domain = 0; domain < 1000; domain++)
        assert_int_equal(matches.items[domain].domain, domain);
    assert_int_equal(org_path_index_find(index, "b", &matches), TROUPE_OK);
    assert_int_equal(matches.count, 0);
    org_matches_done(&matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(path_of_nobody_has_an_empty_answer, make_index, free_index),
        cmocka_unit_test_setup_teardown(most_precise_pattern_comes_first, make_index, free_index),
        cmocka_unit_test_setup_teardown(equally_precise_patterns_come_in_the_order_they_were_added,
                                        make_index, free_index),
        cmocka_unit_test_setup_teardown(domain_is_listed_once_with_its_most_precise_rule, make_index,
                                        free_index),
        cmocka_unit_test_setup_teardown(exclude_takes_out_of_its_own_domain_whatever_the_order, make_index,
                                        free_index),
        cmocka_unit_test_setup_teardown(last_match_of_an_owners_list_decides, make_index, free_index),
        cmocka_unit_test_setup_teardown(owners_lists_decide_each_for_itself, make_index, free_index),
        cmocka_unit_test_setup_teardown(removed_domain_has_no_paths_and_can_come_back, make_index,
                                        free_index),
        cmocka_unit_test_setup_teardown(bad_rules_and_paths_are_refused, make_index, free_index),
        cmocka_unit_test_setup_teardown(domain_holds_patterns_up_to_its_limit, make_index, free_index),
        cmocka_unit_test_setup_teardown(answers_grow_to_as_many_domains_as_match, make_index, free_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

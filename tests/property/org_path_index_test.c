/* SPDX-License-Identifier: MIT */
/*
 * The index of paths against asking each pattern: whatever rules there are, whatever was removed, a lookup
 * finds the same domains as a search through all of them; and the matcher of globs against one that tries
 * everything. A failure prints its seed; TROUPE_SEED=N runs only that one, TROUPE_SEEDS=N that many. One
 * thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "org/path_index.h"
#include "support/seeds.h"

enum {
    SEEDS_DEFAULT = 300,
    DOMAINS = 6,
    RULES_MAX = 60,
    PATHS = 60,
    LISTS = 3,
};

/* A rule as the test remembers it. */
struct remembered {
    bool is_there;
    uint32_t domain;
    struct org_rule rule;
    struct org_pattern *pattern; /* compiled on its own */
    bool is_match;               /* of the path that is looked at */
    char text[64];
};

static uint64_t seed;
static uint64_t random_state;
static struct remembered rules[RULES_MAX];

static uint32_t below(uint32_t limit)
{
    random_state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash_number(random_state) >> 33) % limit;
}

/* --- globs, by trying everything ----------------------------------------------------------------- */

/* Whether a glob of literal bytes, "*" and "?" matches a text; "*" stops at slashes, "**" does not. */
static bool tries(const char *glob, const char *path)
{
    if (*glob == '\0')
        return *path == '\0';
    if (glob[0] == '*' && glob[1] == '*')
        return tries(glob + 2, path) || (*path != '\0' && tries(glob, path + 1));
    if (*glob == '*')
        return tries(glob + 1, path) || (*path != '\0' && *path != '/' && tries(glob, path + 1));
    if (*glob == '?')
        return *path != '\0' && *path != '/' && tries(glob + 1, path + 1);
    return *glob == *path && tries(glob + 1, path + 1);
}

/* The meaning of F:, said again in other words: what pattern.h says, with "**" crossing slashes. */
static bool files_match(const char *pattern, const char *path)
{
    char glob[80];
    size_t len = strlen(pattern);
    if (pattern[len - 1] == '/') {
        snprintf(glob, sizeof(glob), "%s?**", pattern);
        return tries(glob, path);
    }
    if (tries(pattern, path))
        return true;
    snprintf(glob, sizeof(glob), "%s/?**", pattern);
    return strpbrk(pattern, "*?") == NULL && tries(glob, path);
}

/* --- random rules and paths ---------------------------------------------------------------------- */

/* A component of few letters, so that many match; with wildcards when `is_glob`. */
static size_t component(char *ret_text, bool is_glob)
{
    static const char letters[] = "ab*?";
    size_t len = 1 + below(3);
    for (size_t i = 0; i < len; i++) {
        ret_text[i] = letters[below(is_glob && below(3) == 0 ? 4 : 2)];
        if (i > 0 && ret_text[i] == '*' && ret_text[i - 1] == '*')
            ret_text[i] = 'a';
    }
    return len;
}

static void join(char *ret_text, size_t parts, bool is_glob, bool is_folder)
{
    size_t at = 0;
    for (size_t i = 0; i < parts; i++) {
        if (i > 0)
            ret_text[at++] = '/';
        at += component(ret_text + at, is_glob);
    }
    if (is_folder)
        ret_text[at++] = '/';
    ret_text[at] = '\0';
}

static void make_rule(struct remembered *one)
{
    enum org_pattern_kind kind = below(3);
    one->is_there = true;
    one->domain = below(DOMAINS);
    one->rule = (struct org_rule){.kind = kind,
                                  .is_exclude = below(5) == 0,
                                  .text = one->text,
                                  .line = below(1000),
                                  .list = kind == ORG_PATTERN_OWNERS ? below(LISTS) : 0};
    if (kind == ORG_PATTERN_NAME)
        snprintf(one->text, sizeof(one->text), "%s%c%s", below(2) == 0 ? "^" : "", 'a' + (char)below(2),
                 below(2) == 0 ? "b+" : "/a");
    else
        join(one->text, 1 + below(4), true, below(3) == 0);
}

/* --- the index, by asking everything ------------------------------------------------------------- */

/* Asks each pattern alone, and of globs the second opinion. */
static void ask_each(const struct org_path *path)
{
    for (size_t i = 0; i < RULES_MAX; i++) {
        struct remembered *one = &rules[i];
        one->is_match = org_pattern_matches(one->pattern, path);
        if (one->rule.kind == ORG_PATTERN_FILES && one->is_match != files_match(one->text, path->text))
            fail_msg("\"%s\" on \"%s\" gives %d", one->text, path->text, one->is_match);
    }
}

/* Whether a domain has a path; rules are in the order they were added. */
static bool has_domain(uint32_t domain)
{
    bool is_in = false;
    bool is_out = false;
    uint32_t last_domain[LISTS];
    bool last_exclude[LISTS];
    bool has_last[LISTS] = {false};
    for (size_t i = 0; i < RULES_MAX; i++) {
        const struct remembered *one = &rules[i];
        if (!one->is_there || !one->is_match)
            continue;
        if (one->rule.kind == ORG_PATTERN_OWNERS) {
            has_last[one->rule.list] = true;
            last_domain[one->rule.list] = one->domain;
            last_exclude[one->rule.list] = one->rule.is_exclude;
        } else if (one->domain == domain) {
            is_in = is_in || !one->rule.is_exclude;
            is_out = is_out || one->rule.is_exclude;
        }
    }
    bool is_found = is_in && !is_out;
    for (size_t i = 0; i < LISTS; i++)
        is_found = is_found || (has_last[i] && last_domain[i] == domain && !last_exclude[i]);
    return is_found;
}

static void check_path(const struct org_path_index *index, const char *text, struct org_matches *found)
{
    struct org_path path;
    size_t expected = 0;
    assert_int_equal(org_path_parse(text, &path), TROUPE_OK);
    assert_int_equal(org_path_index_find(index, text, found), TROUPE_OK);
    ask_each(&path);
    for (uint32_t domain = 0; domain < DOMAINS; domain++) {
        size_t times = 0;
        for (size_t i = 0; i < found->count; i++)
            times += found->items[i].domain == domain;
        assert_int_equal(times, has_domain(domain));
        expected += times;
    }
    assert_int_equal(found->count, expected);
    for (size_t i = 1; i < found->count; i++) {
        int compared = org_precision_compare(org_pattern_precision(found->items[i - 1].pattern),
                                             org_pattern_precision(found->items[i].pattern));
        assert_true(compared < 0 || (compared == 0 && found->items[i - 1].order < found->items[i].order));
    }
}

/* --- seeds --------------------------------------------------------------------------------------- */

static void run_seed(void)
{
    const struct hash_key key = {{seed, 1}};
    struct org_path_index *index;
    struct org_matches found = {0};
    const char *reason;
    random_state = hash_number(seed);
    assert_int_equal(org_path_index_new(&key, &index), TROUPE_OK);
    memset(rules, 0, sizeof(rules));
    for (size_t i = 0; i < RULES_MAX; i++) {
        make_rule(&rules[i]);
        assert_int_equal(org_path_index_add(index, rules[i].domain, &rules[i].rule, &reason), TROUPE_OK);
        assert_int_equal(org_pattern_new(rules[i].rule.kind, rules[i].text, &rules[i].pattern, &reason),
                         TROUPE_OK);
        if (below(20) == 0) {
            uint32_t domain = below(DOMAINS);
            org_path_index_remove(index, domain);
            for (size_t j = 0; j <= i; j++)
                rules[j].is_there = rules[j].is_there && rules[j].domain != domain;
        }
    }
    for (int i = 0; i < PATHS; i++) {
        char path[64];
        join(path, 1 + below(5), false, false);
        check_path(index, path, &found);
    }
    for (size_t i = 0; i < RULES_MAX; i++)
        org_pattern_free(rules[i].pattern);
    org_matches_done(&found);
    org_path_index_free(index);
}

static void index_finds_what_asking_each_pattern_finds(void **state)
{
    (void)state;
    seeds_run(SEEDS_DEFAULT, &seed, NULL, run_seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(index_finds_what_asking_each_pattern_finds, seeds_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about org/pattern and org/regex: which paths belong to a pattern. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "org/pattern.h"
#include "org/regex.h"

/* Whether one pattern has one path; both must be good. */
static bool has(enum org_pattern_kind kind, const char *text, const char *path_text)
{
    struct org_pattern *pattern;
    struct org_path path;
    const char *reason;
    assert_int_equal(org_pattern_new(kind, text, &pattern, &reason), TROUPE_OK);
    assert_int_equal(org_path_parse(path_text, &path), TROUPE_OK);
    bool is_match = org_pattern_matches(pattern, &path);
    assert_string_equal(org_pattern_text(pattern), text);
    org_pattern_free(pattern);
    return is_match;
}

static bool files(const char *text, const char *path)
{
    return has(ORG_PATTERN_FILES, text, path);
}

static bool owners(const char *text, const char *path)
{
    return has(ORG_PATTERN_OWNERS, text, path);
}

static bool name(const char *text, const char *path)
{
    return has(ORG_PATTERN_NAME, text, path);
}

static const char *refusal(enum org_pattern_kind kind, const char *text)
{
    struct org_pattern *pattern = NULL;
    const char *reason = NULL;
    assert_int_equal(org_pattern_new(kind, text, &pattern, &reason), TROUPE_INVALID);
    assert_null(pattern);
    assert_non_null(reason);
    return reason;
}

/* --- F: and X: ----------------------------------------------------------------------------------- */

static void trailing_slash_takes_everything_below(void **state)
{
    (void)state;
    assert_true(files("drivers/net/", "drivers/net/loopback.c"));
    assert_true(files("drivers/net/", "drivers/net/ethernet/3com/3c59x.c"));
    assert_false(files("drivers/net/", "drivers/net"));
    assert_false(files("drivers/net/", "drivers/netfs/a.c"));
    assert_false(files("drivers/net/", "x/drivers/net/a.c"));
}

static void star_takes_a_folder_but_not_what_is_below(void **state)
{
    (void)state;
    assert_true(files("drivers/net/*", "drivers/net/loopback.c"));
    assert_false(files("drivers/net/*", "drivers/net/ethernet/a.c"));
    assert_false(files("drivers/net/*", "drivers/net"));
    assert_true(files("*", "Makefile"));
    assert_false(files("*", "mm/zswap.c"));
    assert_true(files("*/", "mm/zswap.c"));
    assert_false(files("*/", "Makefile"));
}

static void star_does_not_cross_a_slash(void **state)
{
    (void)state;
    assert_true(files("*/net/*", "drivers/net/a.c"));
    assert_false(files("*/net/*", "drivers/x/net/a.c"));
    assert_false(files("drivers/*/a.c", "drivers/x/y/a.c"));
    assert_true(files("arch/*/include/asm/atomic*.h", "arch/arm/include/asm/atomic_ll.h"));
    assert_true(files("arch/*/include/asm/atomic*.h", "arch/arm/include/asm/atomic.h"));
    assert_false(files("arch/*/include/asm/atomic*.h", "arch/arm/include/asm/atomic/x.h"));
    assert_true(files("arch/arm/mach-*/", "arch/arm/mach-imx/a/b.c"));
    assert_false(files("arch/arm/mach-*/", "arch/arm/mach/a.c"));
    assert_true(files("lib/*audit.c", "lib/compat_audit.c"));
    assert_true(files("a*b*c", "aXbYbZc"));
    assert_false(files("a*b*c", "aXbYbZ"));
    assert_true(files("a***b", "ab"));
}

static void question_mark_is_one_character(void **state)
{
    (void)state;
    assert_true(files("drivers/*/pm8?\?\?-*", "drivers/mfd/pm8921-core.c"));
    assert_false(files("drivers/*/pm8?\?\?-*", "drivers/mfd/pm89-core.c"));
    assert_true(files("mm/sl?b*", "mm/slub.c"));
    assert_false(files("a?b", "a/b"));
    assert_true(files("caf?", "caf\xc3\xa9"));
    assert_false(files("caf??", "caf\xc3\xa9"));
}

static void class_is_one_of_its_characters(void **state)
{
    (void)state;
    assert_true(files("lib/locking*.[ch]", "lib/locking-selftest.c"));
    assert_true(files("lib/locking*.[ch]", "lib/locking-selftest.h"));
    assert_false(files("lib/locking*.[ch]", "lib/locking-selftest.S"));
    assert_true(files("[a-c]x", "bx"));
    assert_false(files("[!a-c]x", "bx"));
    assert_true(files("[^a-c]x", "dx"));
    assert_true(files("[]]x", "]x"));
    assert_true(files("[a-]x", "-x"));
    assert_true(files("[!a]x", "\xc3\xa9x"));
}

static void literal_without_slash_is_a_file_or_a_folder_with_all_below(void **state)
{
    (void)state;
    assert_true(files("drivers/char/random.c", "drivers/char/random.c"));
    assert_false(files("drivers/char/random.c", "drivers/char/random.cc"));
    assert_true(files("Documentation/locking", "Documentation/locking/a/b.rst"));
    assert_false(files("Documentation/lock*", "Documentation/locking/a.rst"));
    assert_false(files("*/locking", "Documentation/locking/a.rst"));
    assert_true(files("*/locking", "Documentation/locking"));
}

static void backslash_in_the_kernels_notation_is_itself(void **state)
{
    (void)state;
    assert_true(files("a\\b", "a\\b"));
    assert_string_equal(refusal(ORG_PATTERN_FILES, "a\\*"), "a backslash among wildcards");
}

/* --- N: ------------------------------------------------------------------------------------------ */

static void regular_expression_is_sought_anywhere_in_the_path(void **state)
{
    (void)state;
    assert_true(name("tegra", "drivers/clk/tegra/clk.c"));
    assert_true(name("[^a-z]tegra", "drivers/clk/tegra/clk.c"));
    assert_false(name("[^a-z]tegra", "drivers/integrator.c"));
    assert_true(name("sun[x456789]i", "arch/arm/boot/dts/sun8i-a23.dts"));
    assert_true(name("bcm[9]?47622", "dts/bcm947622.dts"));
    assert_true(name("bcm[9]?47622", "dts/bcm47622.dts"));
    assert_true(name("bcm283*", "dts/bcm28.dts"));
    assert_false(name("bcm283*", "dts/bcm2.dts"));
    assert_true(name("^mm/", "mm/slub.c"));
    assert_false(name("^mm/", "x/mm/slub.c"));
    assert_true(name("ab|cd", "x/cd"));
    assert_true(name("a(b|c){2}d", "abcd"));
    assert_false(name("a(b|c){2}d", "abd"));
}

static void perls_notation_is_translated(void **state)
{
    (void)state;
    assert_true(name("[^\\s]+\\.c$", "a/b.c"));
    assert_false(name("\\d\\d", "a1b2"));
    assert_true(name("\\d\\D\\d", "a1b2"));
    assert_true(name("(?:ab)+c", "xababc"));
    assert_true(name("a.*?c", "abbc"));
    assert_true(name("a\\/b", "a/b"));
    assert_false(name("a\\.b", "axb"));
    assert_true(name("[\\w\\-]x", "-x"));
    assert_true(name("[\\]x]y", "]y"));
    assert_true(name("[]^-]y", "^y"));
    assert_true(name("[\\^]y", "^y"));
    assert_true(name("[[:digit:]]y", "7y"));
    assert_true(name("[^[:alpha:]]y", "7y"));
    assert_true(name("a]}", "a]}"));
}

static void what_posix_has_no_word_for_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "(?=a)",   "(?<x>a)",   "(a)\\1",       "\\bfoo",     "a\\",     "[a",    "[z-a]", "(a",
        "a)",      "*a",        "(+a)",         "a**",        "a++",     "a{x}",  "{2}",   "a{65}",
        "a{2,65}", "(a{2}){3}", "((a{2})*){3}", "[[:nope:]]", "[[.a.]]", "[\\S]", "",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refusal(ORG_PATTERN_NAME, texts[i]);
    assert_true(name("a{64}|b", "b"));
}

static void groups_nest_to_their_limit(void **state)
{
    (void)state;
    char text[2 * ORG_PATTERN_NESTING_MAX + 4] = "";
    size_t len = 0;
    for (int i = 0; i < ORG_PATTERN_NESTING_MAX; i++)
        text[len++] = '(';
    text[len++] = 'a';
    for (int i = 0; i < ORG_PATTERN_NESTING_MAX; i++)
        text[len++] = ')';
    assert_true(name(text, "xay"));
    memmove(text + 1, text, len);
    text[len + 1] = ')';
    assert_string_equal(refusal(ORG_PATTERN_NAME, text), "groups are nested deeper than the limit");
}

static void literal_of_an_expression_is_what_every_match_contains(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *literal;
    } cases[] = {
        {"rockchip", "rockchip"},
        {"bcm[9]?47622", "47622"},
        {"bcm283*", "bcm28"},
        {"ab+cd", "ab"},
        {"a|bcd", ""},
        {"(abc)d", "d"},
        {"x{0,2}yz", "yz"},
        {"ab{2}c", "ab"},
        {"\\.dtsi", ".dtsi"},
        {"^mm/", "mm/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct org_regex *regex;
        const char *reason;
        assert_int_equal(org_regex_new(cases[i].text, &regex, &reason), TROUPE_OK);
        assert_string_equal(org_regex_literal(regex), cases[i].literal);
        org_regex_free(regex);
    }
}

/* --- CODEOWNERS ---------------------------------------------------------------------------------- */

static void owners_without_a_slash_match_at_any_depth(void **state)
{
    (void)state;
    assert_true(owners("*", "a"));
    assert_true(owners("*", "a/b/c"));
    assert_true(owners("*.js", "a.js"));
    assert_true(owners("*.js", "src/deep/a.js"));
    assert_false(owners("*.js", "a.jsx"));
    assert_true(owners("apps/", "x/apps/y/z"));
    assert_true(owners("apps/", "apps/y"));
    assert_false(owners("apps/", "x/apps"));
    assert_true(owners("logs", "x/logs/y"));
    assert_true(owners("logs", "logs"));
}

static void owners_with_a_slash_are_anchored_at_the_root(void **state)
{
    (void)state;
    assert_true(owners("/docs/", "docs/a/b.md"));
    assert_false(owners("/docs/", "x/docs/a.md"));
    assert_true(owners("/build/logs/", "build/logs/x"));
    assert_true(owners("build/logs", "build/logs/x/y"));
    assert_false(owners("build/logs", "x/build/logs"));
    assert_true(owners("/apps/github", "apps/github/x"));
    assert_true(owners("/*", "a"));
    assert_false(owners("/*", "a/b"));
}

static void owners_star_at_the_end_stays_in_its_folder(void **state)
{
    (void)state;
    assert_true(owners("docs/*", "docs/getting-started.md"));
    assert_false(owners("docs/*", "docs/build-app/troubleshooting.md"));
    assert_true(owners("**/docs/*", "x/docs/a"));
    assert_false(owners("**/docs/*", "x/docs/a/b"));
}

static void owners_two_stars_are_any_number_of_folders(void **state)
{
    (void)state;
    assert_true(owners("**/logs", "logs/a"));
    assert_true(owners("**/logs", "deeply/nested/logs/a"));
    assert_true(owners("a/**/b", "a/b"));
    assert_true(owners("a/**/b", "a/x/y/b"));
    assert_false(owners("a/**/b", "a/x/y/c"));
    assert_true(owners("a/**/b/**/c", "a/b/b/x/b/y/c"));
    assert_false(owners("a/**/b/**/c", "a/x/c/b"));
    assert_true(owners("a/**", "a/x/y"));
    assert_false(owners("a/**", "a"));
    assert_true(owners("**", "a"));
    assert_true(owners("**/**/a", "x/a"));
}

static void owners_backslash_takes_the_next_byte_as_it_is(void **state)
{
    (void)state;
    assert_true(owners("/a\\*", "a*"));
    assert_false(owners("/a\\*", "ab"));
    assert_true(owners("/a\\**", "a*bc"));
    assert_false(owners("/a\\**", "abc"));
    assert_true(owners("\\#x", "#x"));
    assert_string_equal(refusal(ORG_PATTERN_OWNERS, "a\\"), "a backslash with nothing behind it");
}

/* --- all ----------------------------------------------------------------------------------------- */

static void malformed_globs_are_refused_with_a_reason(void **state)
{
    (void)state;
    assert_string_equal(refusal(ORG_PATTERN_FILES, ""), "it is empty");
    assert_string_equal(refusal(ORG_PATTERN_FILES, "/a"), "it begins with a slash");
    assert_string_equal(refusal(ORG_PATTERN_FILES, "a//b"), "two slashes follow each other");
    assert_string_equal(refusal(ORG_PATTERN_FILES, "a[b"), "a [ without its ]");
    assert_string_equal(refusal(ORG_PATTERN_FILES, "a[]b"), "a [ without its ]");
    assert_string_equal(refusal(ORG_PATTERN_OWNERS, "/"), "it names nothing but the root");
    assert_string_equal(refusal(ORG_PATTERN_OWNERS, "a//"), "two slashes follow each other");
}

static void patterns_end_at_their_limits(void **state)
{
    (void)state;
    char text[ORG_PATTERN_LEN_MAX + 2];
    memset(text, 'a', sizeof(text));
    text[ORG_PATTERN_LEN_MAX] = '\0';
    assert_false(files(text, "b"));
    assert_false(name(text, "b"));
    text[ORG_PATTERN_LEN_MAX] = 'a';
    text[ORG_PATTERN_LEN_MAX + 1] = '\0';
    assert_string_equal(refusal(ORG_PATTERN_FILES, text), "it is longer than the limit");
    assert_string_equal(refusal(ORG_PATTERN_NAME, text), "it is longer than the limit");

    for (size_t i = 0; i < 2 * ORG_PATTERN_PARTS_MAX; i++)
        text[i] = i % 2 == 0 ? 'a' : '/';
    text[2 * ORG_PATTERN_PARTS_MAX] = '\0';
    assert_false(files(text, "b"));
    text[2 * ORG_PATTERN_PARTS_MAX] = 'a';
    text[2 * ORG_PATTERN_PARTS_MAX + 1] = '\0';
    assert_string_equal(refusal(ORG_PATTERN_FILES, text), "it has more components than the limit");
}

static void precision_counts_components_then_length_then_puts_regular_expressions_last(void **state)
{
    (void)state;
    /* Each is more precise than the next. */
    static const struct {
        enum org_pattern_kind kind;
        const char *text;
    } order[] = {
        {ORG_PATTERN_FILES, "drivers/net/ethernet/3com/3c59x.c"},
        {ORG_PATTERN_FILES, "drivers/net/ethernet/3com/"},
        {ORG_PATTERN_FILES, "drivers/net/*"},
        {ORG_PATTERN_FILES, "a/b/c"},
        {ORG_PATTERN_FILES, "drivers/net/"},
        {ORG_PATTERN_OWNERS, "**/drivers"},
        {ORG_PATTERN_FILES, "*/"},
        {ORG_PATTERN_FILES, "*"},
        {ORG_PATTERN_NAME, "/very/long/expression"},
        {ORG_PATTERN_NAME, "expression"},
        {ORG_PATTERN_NAME, "short"},
    };
    enum { COUNT = sizeof(order) / sizeof(order[0]) };
    struct org_precision precisions[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        struct org_pattern *pattern;
        const char *reason;
        assert_int_equal(org_pattern_new(order[i].kind, order[i].text, &pattern, &reason), TROUPE_OK);
        precisions[i] = org_pattern_precision(pattern);
        org_pattern_free(pattern);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int compared = org_precision_compare(precisions[i], precisions[j]);
            assert_true(i < j ? compared < 0 : i > j ? compared > 0 : compared == 0);
        }
    }
}

static void prefix_is_the_leading_components_without_wildcards(void **state)
{
    (void)state;
    static const struct {
        enum org_pattern_kind kind;
        const char *text;
        const char *prefix;
    } cases[] = {
        {ORG_PATTERN_FILES, "drivers/net/", "drivers/net"},
        {ORG_PATTERN_FILES, "drivers/net/*", "drivers/net"},
        {ORG_PATTERN_FILES, "arch/*/kernel/", "arch"},
        {ORG_PATTERN_FILES, "Makefile", "Makefile"},
        {ORG_PATTERN_FILES, "*/", ""},
        {ORG_PATTERN_OWNERS, "docs", ""},
        {ORG_PATTERN_OWNERS, "/a\\*b/c*", "a*b"},
        {ORG_PATTERN_NAME, "drivers", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct org_pattern *pattern;
        const char *reason;
        char prefix[ORG_PATTERN_LEN_MAX + 1];
        assert_int_equal(org_pattern_new(cases[i].kind, cases[i].text, &pattern, &reason), TROUPE_OK);
        assert_int_equal(org_pattern_prefix(pattern, prefix), strlen(cases[i].prefix));
        assert_string_equal(prefix, cases[i].prefix);
        org_pattern_free(pattern);
    }
}

static void paths_are_relative_and_have_no_empty_or_dotted_components(void **state)
{
    (void)state;
    struct org_path path;
    assert_int_equal(org_path_parse("a/b.c", &path), TROUPE_OK);
    assert_int_equal(path.part_count, 2);
    assert_int_equal(org_path_parse("a/b/", &path), TROUPE_OK);
    assert_int_equal(path.part_count, 3);
    static const char *const bad[] = {"", "/", "/a", "a//b", "./a", "a/../b", "a/.", "a//"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(org_path_parse(bad[i], &path), TROUPE_INVALID);
}

static void paths_end_at_their_limits(void **state)
{
    (void)state;
    struct org_path path;
    char text[ORG_PATH_LEN_MAX + 2];
    memset(text, 'a', sizeof(text));
    text[ORG_PATH_LEN_MAX] = '\0';
    assert_int_equal(org_path_parse(text, &path), TROUPE_OK);
    text[ORG_PATH_LEN_MAX] = 'a';
    text[ORG_PATH_LEN_MAX + 1] = '\0';
    assert_int_equal(org_path_parse(text, &path), TROUPE_INVALID);

    for (size_t i = 0; i < 2 * ORG_PATH_PARTS_MAX + 2; i++)
        text[i] = i % 2 == 0 ? 'a' : '/';
    text[2 * ORG_PATH_PARTS_MAX - 1] = '\0';
    assert_int_equal(org_path_parse(text, &path), TROUPE_OK);
    assert_int_equal(path.part_count, ORG_PATH_PARTS_MAX);
    text[2 * ORG_PATH_PARTS_MAX - 1] = '/';
    text[2 * ORG_PATH_PARTS_MAX] = '\0';
    assert_int_equal(org_path_parse(text, &path), TROUPE_INVALID);
}

static void folder_asked_with_a_slash_belongs_to_what_owns_things_in_it(void **state)
{
    (void)state;
    assert_true(files("drivers/net/", "drivers/net/"));
    assert_true(files("drivers/", "drivers/net/"));
    assert_true(files("drivers/net", "drivers/net/"));
    assert_false(files("drivers/net/a.c", "drivers/net/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trailing_slash_takes_everything_below),
        cmocka_unit_test(star_takes_a_folder_but_not_what_is_below),
        cmocka_unit_test(star_does_not_cross_a_slash),
        cmocka_unit_test(question_mark_is_one_character),
        cmocka_unit_test(class_is_one_of_its_characters),
        cmocka_unit_test(literal_without_slash_is_a_file_or_a_folder_with_all_below),
        cmocka_unit_test(backslash_in_the_kernels_notation_is_itself),
        cmocka_unit_test(regular_expression_is_sought_anywhere_in_the_path),
        cmocka_unit_test(perls_notation_is_translated),
        cmocka_unit_test(what_posix_has_no_word_for_is_refused_with_a_reason),
        cmocka_unit_test(groups_nest_to_their_limit),
        cmocka_unit_test(literal_of_an_expression_is_what_every_match_contains),
        cmocka_unit_test(owners_without_a_slash_match_at_any_depth),
        cmocka_unit_test(owners_with_a_slash_are_anchored_at_the_root),
        cmocka_unit_test(owners_star_at_the_end_stays_in_its_folder),
        cmocka_unit_test(owners_two_stars_are_any_number_of_folders),
        cmocka_unit_test(owners_backslash_takes_the_next_byte_as_it_is),
        cmocka_unit_test(malformed_globs_are_refused_with_a_reason),
        cmocka_unit_test(patterns_end_at_their_limits),
        cmocka_unit_test(precision_counts_components_then_length_then_puts_regular_expressions_last),
        cmocka_unit_test(prefix_is_the_leading_components_without_wildcards),
        cmocka_unit_test(paths_are_relative_and_have_no_empty_or_dotted_components),
        cmocka_unit_test(paths_end_at_their_limits),
        cmocka_unit_test(folder_asked_with_a_slash_belongs_to_what_owns_things_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

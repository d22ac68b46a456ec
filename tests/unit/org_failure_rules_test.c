/* SPDX-License-Identifier: MIT */
/*
 * Facts about a supervisor's rules: the first that fits counts, what none fits gets the default, what a role
 * says itself comes before them, and they reach all children and nobody else.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"
#include "org/failure_rules.h"

static struct org_configure configure_of(const char *role)
{
    static const char *holders[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    struct org_configure mirrored;
    assert_true(org_directory_configure(org.directory, role, holders, &configure));
    assert_true(org_directory_configure(org.mirror, role, holders, &mirrored));
    assert_int_equal(configure.on_fail, mirrored.on_fail);
    assert_int_equal(configure.on_overflow, mirrored.on_overflow);
    return configure;
}

/* --- as a text ---------------------------------------------------------------------------------- */

static void rules_are_read_as_they_were_written(void **state)
{
    (void)state;
    char text[ORG_FAILURE_RULES_SIZE] = "";
    struct org_failure_rule most = {.kinds = 1u << ORG_FAILURE_FAIL, .action = ORG_ACTION_DECLINE};
    memset(most.roles, 'a', ORG_NAME_LEN_MAX);
    const struct org_failure_rule rules[] = {
        {.kinds = 1u << ORG_FAILURE_FAIL | 1u << ORG_FAILURE_CRASH,
         .action = ORG_ACTION_REASSIGN,
         .roles = "docs/*"},
        {.kinds = (1u << ORG_FAILURE_COUNT) - 1, .action = ORG_ACTION_ESCALATE, .roles = "*"},
        most,
    };
    const char *cursor = text;
    struct org_failure_rule read;
    for (size_t i = 0; i < 3; i++)
        org_failure_rules_add(text, &rules[i]);
    assert_true(strncmp(text, "FC 2 docs/*\nFLCAO 3 *\nF 4 aaa", 29) == 0);
    assert_true(org_failure_rules_are_valid(text));
    for (size_t i = 0; i < 3; i++) {
        assert_true(org_failure_rules_next(&cursor, &read));
        assert_int_equal(read.kinds, rules[i].kinds);
        assert_int_equal(read.action, rules[i].action);
        assert_string_equal(read.roles, rules[i].roles);
    }
    assert_false(org_failure_rules_next(&cursor, &read));
    assert_int_equal(*cursor, '\0');
}

static void text_that_is_no_rule_is_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"X 1 *",          "FF 1 *", "CF 1 *",   " 1 *",       "F 1",
                                        "F  *",           "F 5 *",  "F 9 *",    "F 1 ",       "F 1 A",
                                        "F 1 a b",        "A 2 *",  "O 2 *",    "O 4 *",      "F 1 *\nF 1",
                                        "F 1 *\n\nF 1 *", "F 11 *", "F 1 a\tb", "FLCAO 1 *, "};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (org_failure_rules_are_valid(wrong[i]))
            fail_msg("it was taken: %s", wrong[i]);
    }
    assert_true(org_failure_rules_are_valid(""));
    assert_true(org_failure_rules_are_valid("A 1 *\nO 1 *")); /* wait, and ignore */
}

static void supervisor_has_so_many_rules_and_no_more(void **state)
{
    (void)state;
    char text[ORG_FAILURE_RULES_SIZE + 16] = "";
    struct org_failure_rule longest = {.kinds = (1u << ORG_FAILURE_COUNT) - 1, .action = ORG_ACTION_ESCALATE};
    memset(longest.roles, 'a', ORG_NAME_LEN_MAX);
    for (int i = 0; i < ORG_FAILURE_RULES_MAX; i++)
        org_failure_rules_add(text, &longest);
    assert_true(strlen(text) < ORG_FAILURE_RULES_SIZE);
    assert_true(org_failure_rules_are_valid(text));
    set_role((struct org_set_role){.name = "house", .failure_rules = text});
    organisation_expect_done(&org, 2);
    memcpy(text + strlen(text), "\nF 1 *", sizeof("\nF 1 *"));
    assert_false(org_failure_rules_are_valid(text));
    set_role((struct org_set_role){.name = "house", .failure_rules = text});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_RULES);
    char pattern[ORG_NAME_LEN_MAX + 2];
    memset(pattern, '*', sizeof(pattern));
    pattern[ORG_NAME_LEN_MAX + 1] = '\0';
    assert_false(org_failure_pattern_is_valid(pattern));
    assert_true(org_failure_pattern_is_valid(pattern + 1));
}

static void star_stands_for_any_run_of_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        const char *role;
        bool fits;
    } cases[] = {
        {"F 1 *", "docs", true},        {"F 1 docs", "docs", true},    {"F 1 docs", "docs/a", false},
        {"F 1 docs/*", "docs/a", true}, {"F 1 docs/*", "docs", false}, {"F 1 *s", "docs", true},
        {"F 1 *c*c*", "docs", false},   {"F 1 *o*s", "docs", true},    {"F 1 d*c*", "docs", true},
        {"F 1 a*ab", "aabaab", true},   {"F 1 a*ab", "aabaa", false},  {"F 1 @*", "@ann", true},
        {"F 1 @*", "docs", false},      {"F 1 **s**", "docs", true},   {"F 1 a*b*c", "a/x/b/b/c/c", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum org_action action = org_failure_rules_action(cases[i].rules, ORG_FAILURE_FAIL, cases[i].role);
        if ((action == ORG_ACTION_RETRY) != cases[i].fits)
            fail_msg("%s: %s", cases[i].rules, cases[i].role);
        assert_int_equal(org_failure_rules_action(cases[i].rules, ORG_FAILURE_LAPSE, cases[i].role), 0);
    }
}

/* --- of a supervisor ---------------------------------------------------------------------------- */

static void first_rule_that_fits_counts_and_none_is_the_default(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "docs/a", .parent = "docs"});
    set_role((struct org_set_role){.name = "docs/b", .parent = "docs"});
    set_role((struct org_set_role){.name = "docs", .failure_rules = "F 4 docs/a\nFC 2 *\nF 1 *\nA 1 docs/b"});
    organisation_expect_done(&org, 1);
    struct org_configure a = configure_of("docs/a");
    struct org_configure b = configure_of("docs/b");
    assert_int_equal(a.on_fail, ORG_ACTION_DECLINE);
    assert_int_equal(b.on_fail, ORG_ACTION_REASSIGN);
    assert_int_equal(a.on_crash, ORG_ACTION_REASSIGN);
    assert_int_equal(a.on_lapse, 0);
    assert_int_equal(a.on_absent, 0);
    assert_int_equal(b.on_absent, ORG_ACTION_RETRY);
    assert_int_equal(configure_of("docs").on_fail, 0); /* they are for those below, not for itself */
    assert_int_equal(configure_of("house").on_fail, 0);
}

static void what_role_says_itself_comes_before_its_supervisor(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "house", .failure_rules = "FLCAO 3 *"});
    set_role(
        (struct org_set_role){.name = "docs", .on_fail = ORG_ACTION_RETRY, .on_absent = ORG_ACTION_DECLINE});
    struct org_configure docs = configure_of("docs");
    assert_int_equal(docs.on_fail, ORG_ACTION_RETRY);
    assert_int_equal(docs.on_absent, ORG_ACTION_DECLINE);
    assert_int_equal(docs.on_crash, ORG_ACTION_ESCALATE);
    assert_int_equal(docs.on_overflow, ORG_ACTION_ESCALATE);
    assert_int_equal(org_directory_own_failures(org.directory, "docs"),
                     1u << ORG_FAILURE_FAIL | 1u << ORG_FAILURE_ABSENT);
    assert_int_equal(org_directory_own_failures(org.directory, "house"), 0);
    assert_int_equal(org_directory_own_failures(org.directory, "nowhere"), 0);
    const char *room[ORG_SUCCESSION_MAX];
    struct org_set_role as_it_is; /* which takes nothing over from above */
    assert_true(org_directory_role_as_set(org.directory, "docs", room, &as_it_is));
    set_role(as_it_is);
    organisation_expect_done(&org, 0);
    as_it_is.on_fail = 0;
    set_role(as_it_is);
    assert_int_equal(configure_of("docs").on_fail, ORG_ACTION_ESCALATE);
}

static void rules_are_of_whoever_supervises_and_reach_personal_roles(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "lab", .failure_rules = "F 1 *\nL 4 @*"});
    set_role((struct org_set_role){.name = "docs/a", .parent = "docs", .supervisor = "lab"});
    set_role((struct org_set_role){.name = "lab/a", .parent = "lab", .supervisor = "docs"});
    set_actor((struct org_set_actor){.name = "ben", .mail = "ben@example.org", .team = "lab"});
    assert_int_equal(configure_of("docs/a").on_fail, ORG_ACTION_RETRY);
    assert_int_equal(configure_of("docs/a").on_lapse, 0);
    assert_int_equal(configure_of("lab/a").on_fail, 0);
    assert_int_equal(configure_of("@ben").on_fail, ORG_ACTION_RETRY);
    assert_int_equal(configure_of("@ben").on_lapse, ORG_ACTION_DECLINE);
    assert_int_equal(configure_of("@cid").on_fail, 0);
    set_role((struct org_set_role){.name = "house", .is_team = true, .failure_rules = "F 2 *"});
    assert_int_equal(configure_of("@cid").on_fail, ORG_ACTION_REASSIGN); /* the root's */
}

static void same_rules_again_write_nothing_and_none_take_them_away(void **state)
{
    (void)state;
    struct org_set_role house = {.name = "house", .is_team = true, .failure_rules = "F 1 *"};
    set_role(house);
    organisation_expect_done(&org, 1);
    set_role(house);
    organisation_expect_done(&org, 0);
    assert_string_equal(org_directory_failure_rules(org.mirror, "house"), "F 1 *");
    const char *room[ORG_SUCCESSION_MAX];
    struct org_set_role as_it_is;
    assert_true(org_directory_role_as_set(org.directory, "house", room, &as_it_is));
    assert_string_equal(as_it_is.failure_rules, "F 1 *");
    set_role(as_it_is);
    organisation_expect_done(&org, 0);
    struct org_directory_command make = {.kind = ORG_SET_ROLE, .is_create = true, .role = house};
    make.role.failure_rules = "F 2 *";
    command(make);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TAKEN);
    house.failure_rules = NULL;
    set_role(house);
    organisation_expect_done(&org, 1);
    assert_string_equal(org_directory_failure_rules(org.mirror, "house"), "");
    assert_int_equal(configure_of("docs").on_fail, 0);
    assert_string_equal(org_directory_failure_rules(org.directory, "nowhere"), "");
}

/* A record as another program might have written it. */
static void stored_rules_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const org_failure_rules_set_fields wrong[] = {
        {.by = "ada", .via = "", .name = "nowhere", .rules = "F 1 *"},
        {.by = "ada", .via = "", .name = "docs", .rules = "F 1 *\nbad"},
    };
    for (int i = 0; i < 2; i++) {
        struct record_batch batch = {0};
        struct record record;
        void *body;
        const troupe_type *type = &org_failure_rules_set_type;
        size_t size = troupe_flat_size(type, &wrong[i]);
        assert_int_equal(record_batch_add(&batch, type->id, type->version, size, &body), 0);
        troupe_flat_write(type, &wrong[i], body, size);
        struct record_cursor cursor = record_cursor_of(&batch);
        assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
        assert_int_equal(org_directory_replay(org.mirror, &record), TROUPE_CORRUPT);
        record_batch_done(&batch);
    }
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(rules_are_read_as_they_were_written),
        FACT(text_that_is_no_rule_is_none),
        FACT(supervisor_has_so_many_rules_and_no_more),
        FACT(star_stands_for_any_run_of_bytes),
        FACT(first_rule_that_fits_counts_and_none_is_the_default),
        FACT(what_role_says_itself_comes_before_its_supervisor),
        FACT(rules_are_of_whoever_supervises_and_reach_personal_roles),
        FACT(same_rules_again_write_nothing_and_none_take_them_away),
        FACT(stored_rules_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * org_directory_concerns_test.c: what may trouble an organisation before anything has gone wrong there.
 * One thread.
 */
#include "org_directory_house.h"

/* What was found, a line each. */
static char found[4096];

static void find(void *context, enum org_concern concern, const char *name, const char *other)
{
    static const char *const kinds[] = {"vacant", "alone", "unowned", "redirect", "unheard"};
    size_t len = strlen(found);
    assert_ptr_equal(context, &org);
    snprintf(found + len, sizeof(found) - len, "%s %s%s%s\n", kinds[concern], name, *other != '\0' ? " " : "",
             other);
}

static void expect(const char *lines)
{
    found[0] = '\0';
    org_directory_concerns(org.directory, find, &org);
    assert_string_equal(found, lines);
    found[0] = '\0';
    org_directory_concerns(org.mirror, find, &org);
    assert_string_equal(found, lines);
}

static void hold(const char *role, const char *first, const char *second)
{
    const char *holders[] = {first, second};
    set_holders(role, holders, first == NULL ? 0 : second == NULL ? 1 : 2);
}

static void role_that_nobody_holds_is_vacant_and_an_empty_team_is_not(void **state)
{
    (void)state;
    expect("vacant docs\n");
    hold("docs", "ben", "cid");
    hold("house", "ada", "cid");
    expect("");
    assert_true(!org_directory_is_vacant(org.directory, "house"));
    assert_true(!org_directory_is_vacant(org.directory, "nowhere"));
}

static void role_with_one_holder_has_a_bus_factor_of_one(void **state)
{
    (void)state;
    hold("house", "ada", "cid");
    hold("docs", "ben", NULL);
    expect("alone docs ben\n");
}

static void domain_of_a_vacant_owner_is_nobodys(void **state)
{
    (void)state;
    hold("house", "ada", "cid");
    hold("docs", "ben", "cid");
    claim("texts", "docs", "/texts/");
    claim("mine", "@bot", "/mine/");
    claim("all", "house", "/all/");
    expect("");
    hold("docs", NULL, NULL);
    command((struct org_directory_command){.kind = ORG_LEAVE, .presence = {.actor = "bot"}});
    hold("house", NULL, NULL);
    expect("vacant docs\nunowned texts docs\nunowned mine @bot\nunowned all house\n");
}

static void mailboxes_that_redirect_in_a_circle_are_told(void **state)
{
    (void)state;
    hold("house", "ada", "cid");
    const char *holders[] = {"ben", "cid"};
    struct org_set_role set = {.holders = holders, .holder_count = 2, .overflow = ORG_OVERFLOW_REDIRECT};
    struct org_set_role plain = {.name = "b", .holders = holders, .holder_count = 2};
    set_role(plain);
    set.name = "a";
    set.redirect_to = "b";
    set_role(set);
    set.name = "docs";
    set.redirect_to = "a";
    set_role(set);
    expect(""); /* docs to a to b, which redirects no further */
    set.name = "b";
    set.redirect_to = "a";
    set_role(set);
    expect("redirect b a\nredirect a b\n"); /* docs leads there, and is in no circle itself */
    set.redirect_to = "@ben";
    set_role(set);
    expect("");
}

static void failure_that_only_whoever_failed_would_hear_of_is_told(void **state)
{
    (void)state;
    hold("house", "ada", NULL);
    hold("docs", "ada", "ben");
    expect("alone house ada\nunheard docs ada\n");
    hold("house", "ada", "ben");
    expect("");
    hold("house", NULL, NULL);
    expect("unheard docs ada\nunheard docs ben\n");
}

static void whoever_holds_something_below_a_team_works_there(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "lab", .parent = "docs"});
    set_role((struct org_set_role){.name = "shop"});
    hold("lab", "ben", "cid");
    hold("house", "ada", NULL);
    const char *working[][2] = {{"ben", "lab"}, {"cid", "docs"}, {"ben", "house"}, {"ada", "house"}};
    const char *not_working[][2] = {{"ada", "docs"},     {"ben", "shop"},    {"bot", "house"},
                                    {"nobody", "house"}, {"ben", "nowhere"}, {"ben", "@ben"}};
    for (size_t i = 0; i < sizeof(working) / sizeof(working[0]); i++)
        assert_true(org_directory_works_below(org.directory, working[i][0], working[i][1]));
    for (size_t i = 0; i < sizeof(not_working) / sizeof(not_working[0]); i++)
        assert_false(org_directory_works_below(org.mirror, not_working[i][0], not_working[i][1]));
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(role_that_nobody_holds_is_vacant_and_an_empty_team_is_not),
        FACT(role_with_one_holder_has_a_bus_factor_of_one),
        FACT(domain_of_a_vacant_owner_is_nobodys),
        FACT(mailboxes_that_redirect_in_a_circle_are_told),
        FACT(whoever_holds_something_below_a_team_works_there),
        FACT(failure_that_only_whoever_failed_would_hear_of_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about the organisation's tree: who may, actors and roles, each limit at its edge. Domains and tokens
 * are in org_directory_domain_test.c, importing and paths in org_directory_import_test.c. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"

/* --- who may -------------------------------------------------------------------------------------- */

static void first_command_makes_the_first_administrator_and_nothing_else(void **state)
{
    (void)state;
    organisation_done(&org);
    organisation_init(&org);
    who.actor = "zoe";
    set_role((struct org_set_role){.name = "house"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    set_actor((struct org_set_actor){.name = "zoe"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    set_actor((struct org_set_actor){.name = "zoe", .is_administrator = true});
    organisation_expect_done(&org, 1);
    who.actor = "yan";
    set_actor((struct org_set_actor){.name = "yan", .is_administrator = true});
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
}

static void only_an_administrator_changes_the_tree(void **state)
{
    (void)state;
    who.actor = "ben";
    set_role((struct org_set_role){.name = "mine"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    assert_string_equal(org.answer.subject, "ben");
    claim("mine", "docs", "*");
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    token(ORG_ADD_TOKEN, "ben", 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
}

static void right_of_who_acts_for_another_counts(void **state)
{
    (void)state;
    who = (struct org_who){.actor = "ben", .via = "ada"};
    set_role((struct org_set_role){.name = "mine"});
    organisation_expect_done(&org, 1);
    who = (struct org_who){.actor = "ada", .via = "ben"};
    set_role((struct org_set_role){.name = "yours"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
}

static void every_event_says_who_for_whom_and_when(void **state)
{
    (void)state;
    size_t before = org.journal.bytes.size;
    struct record record = {0};
    org.now_ms += 5;
    who = (struct org_who){.actor = "ben", .via = "ada"};
    set_role((struct org_set_role){.name = "mine"});
    struct record_cursor cursor = record_cursor_of(&org.journal);
    cursor.offset = before;
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    const org_role_set *set = record.body;
    assert_int_equal(set->at, ORG_START_MS + 5);
    assert_string_equal(troupe_flat_text(set, set->by), "ben");
    assert_string_equal(troupe_flat_text(set, set->via), "ada");
}

static void last_administrator_stays_one(void **state)
{
    (void)state;
    set_actor((struct org_set_actor){.name = "ada"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_LAST_ADMINISTRATOR);
    set_actor((struct org_set_actor){.name = "ben", .is_administrator = true});
    set_actor((struct org_set_actor){.name = "ada"});
    organisation_expect_done(&org, 1);
    assert_false(org_directory_is_administrator(org.directory, "ada"));
    assert_true(org_directory_is_administrator(org.directory, "ben"));
}

/* --- actors --------------------------------------------------------------------------------------- */

static void same_again_is_recognised_and_other_content_is_taken(void **state)
{
    (void)state;
    struct org_set_actor actor = {.name = "ben", .mail = "ben@example.org"};
    struct org_directory_command create = {.kind = ORG_SET_ACTOR, .is_create = true, .actor = actor};
    command(create);
    organisation_expect_done(&org, 0);
    create.actor.wip_limit = ORG_WIP_LIMIT_DEFAULT; /* as it is when nothing is said */
    command(create);
    organisation_expect_done(&org, 0);
    create.actor.wip_limit = 3;
    command(create);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TAKEN);
    create.is_create = false;
    command(create);
    organisation_expect_done(&org, 1);
    struct org_actor_view view;
    assert_true(org_directory_actor(org.directory, "ben", &view));
    assert_int_equal(view.wip_limit, 3);
    assert_string_equal(view.display, "ben");
}

static void actor_has_a_personal_role_outside_the_tree(void **state)
{
    (void)state;
    struct org_directory_role role = role_of("@ben");
    assert_true(role.is_personal);
    assert_int_equal(role.holder_count, 1);
    assert_string_equal(role.supervisor, "house");
    assert_string_equal(org_directory_holder(org.directory, "@ben", 0), "ben");
    assert_null(org_directory_holder(org.directory, "@ben", 1));
    assert_int_equal(org_directory_counts(org.directory).roles, 2);
    set_actor((struct org_set_actor){.name = "ben", .mail = "ben@example.org", .team = "docs"});
    assert_string_equal(role_of("@ben").supervisor, "docs");
    assert_false(org_directory_role(org.directory, "@nobody", &role));
}

static void mail_address_belongs_to_one_actor_whatever_its_capitals(void **state)
{
    (void)state;
    set_actor((struct org_set_actor){.name = "cid", .mail = "BEN@Example.org"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_MAIL_TAKEN);
    assert_string_equal(org.answer.reason, "ben");
    set_actor((struct org_set_actor){.name = "ben"});
    set_actor((struct org_set_actor){.name = "cid", .mail = "BEN@Example.org"});
    organisation_expect_done(&org, 1);
}

static void actors_values_end_at_their_limits(void **state)
{
    (void)state;
    char name[ORG_ACTOR_NAME_LEN_MAX + 2];
    char mail[ORG_MAIL_LEN_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[ORG_ACTOR_NAME_LEN_MAX] = '\0';
    memset(mail, 'm', sizeof(mail));
    mail[1] = '@';
    mail[ORG_MAIL_LEN_MAX] = '\0';
    set_actor((struct org_set_actor){.name = name, .mail = mail, .wip_limit = ORG_WIP_LIMIT_MAX});
    organisation_expect_done(&org, 1);
    set_actor((struct org_set_actor){.name = "dee", .wip_limit = ORG_WIP_LIMIT_MAX + 1});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    mail[ORG_MAIL_LEN_MAX] = 'm';
    mail[ORG_MAIL_LEN_MAX + 1] = '\0';
    set_actor((struct org_set_actor){.name = "dee", .mail = mail});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_TEXT);
    name[ORG_ACTOR_NAME_LEN_MAX] = 'a';
    name[ORG_ACTOR_NAME_LEN_MAX + 1] = '\0';
    set_actor((struct org_set_actor){.name = name});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_NAME);
    set_actor((struct org_set_actor){.name = "dee", .mail = "no address"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_TEXT);
    set_actor((struct org_set_actor){.name = "dee", .display = "two\nlines"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_TEXT);
    set_actor((struct org_set_actor){.name = "dee", .team = "nowhere"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
    char display[ORG_DISPLAY_LEN_MAX + 2];
    memset(display, 'd', sizeof(display));
    display[ORG_DISPLAY_LEN_MAX + 1] = '\0';
    set_actor((struct org_set_actor){.name = "dee", .display = display});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_TEXT);
    display[ORG_DISPLAY_LEN_MAX] = '\0';
    set_actor((struct org_set_actor){.name = "dee", .display = display});
    organisation_expect_done(&org, 1);
}

/* --- roles ---------------------------------------------------------------------------------------- */

static void first_role_is_the_root_and_there_is_only_one(void **state)
{
    (void)state;
    assert_string_equal(org_directory_root(org.directory), "house");
    assert_string_equal(role_of("docs").parent, "house");
    assert_string_equal(role_of("house").supervisor, "");
    set_role((struct org_set_role){.name = "house", .parent = "docs"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROOT);
    set_role((struct org_set_role){.name = "house", .supervisor = "docs"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROOT);
}

static void tree_is_walked_parents_before_children_in_the_order_they_came(void **state)
{
    (void)state;
    static const char *const order[] = {"house", "docs", "docs/b", "docs/a", "shop"};
    set_role((struct org_set_role){.name = "shop"});
    set_role((struct org_set_role){.name = "docs/b", .parent = "docs"});
    set_role((struct org_set_role){.name = "docs/a", .parent = "docs"});
    const char *role = NULL;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        role = org_directory_next_role(org.directory, role);
        assert_string_equal(role, order[i]);
    }
    assert_null(org_directory_next_role(org.directory, role));
    set_role((struct org_set_role){.name = "docs/b", .parent = "shop"});
    assert_string_equal(org_directory_next_role(org.directory, "docs"), "docs/a");
    assert_string_equal(org_directory_next_role(org.directory, "shop"), "docs/b");
}

static void nothing_stands_under_itself(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "a", .parent = "docs"});
    set_role((struct org_set_role){.name = "b", .parent = "a"});
    set_role((struct org_set_role){.name = "a", .parent = "b"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
    set_role((struct org_set_role){.name = "a", .parent = "a"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
    set_role((struct org_set_role){.name = "new", .parent = "new"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
    set_role((struct org_set_role){.name = "docs", .supervisor = "b"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
    set_role((struct org_set_role){.name = "b", .parent = "nowhere"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
}

static void chain_of_supervisors_has_no_circle_across_the_tree(void **state)
{
    (void)state;
    set_role((struct org_set_role){.name = "shop"});
    set_role((struct org_set_role){.name = "docs", .supervisor = "shop"});
    organisation_expect_done(&org, 1);
    assert_string_equal(role_of("docs").supervisor, "shop");
    set_role((struct org_set_role){.name = "shop", .supervisor = "docs"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
    set_role((struct org_set_role){.name = "shop", .parent = "docs"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_CYCLE);
}

static void tree_is_as_deep_as_its_limit(void **state)
{
    (void)state;
    char name[16];
    char parent[16] = "house";
    for (int depth = 1; depth <= ORG_DEPTH_MAX; depth++) {
        snprintf(name, sizeof(name), "d%d", depth);
        set_role((struct org_set_role){.name = name, .parent = parent});
        organisation_expect_done(&org, 1);
        memcpy(parent, name, sizeof(parent));
    }
    set_role((struct org_set_role){.name = "deep", .parent = parent});
    organisation_expect_refusal(&org, ORG_DIRECTORY_DEPTH);
    set_role((struct org_set_role){.name = "d1", .parent = "docs"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_DEPTH);
    set_role((struct org_set_role){.name = "d2", .parent = "docs"});
    organisation_expect_done(&org, 1);
}

static void kind_of_the_first_holder_gives_the_defaults(void **state)
{
    (void)state;
    const char *people[] = {"ben", "bot"};
    const char *programs[] = {"bot", "ben"};
    assert_int_equal(role_of("docs").capacity, ORG_CAPACITY_PERSON);
    set_holders("docs", people, 2);
    assert_int_equal(role_of("docs").holder_kind, ORG_PERSON);
    assert_int_equal(role_of("docs").lease_ms, ORG_LEASE_PERSON_MS);
    set_holders("docs", programs, 2);
    assert_int_equal(role_of("docs").holder_kind, ORG_PROGRAM);
    assert_int_equal(role_of("docs").capacity, ORG_CAPACITY_PROGRAM);
    assert_int_equal(role_of("docs").lease_ms, ORG_LEASE_PROGRAM_MS);
    assert_int_equal(role_of("@bot").capacity, ORG_CAPACITY_PROGRAM);
}

static void succession_keeps_its_order_and_is_seen_from_both_sides(void **state)
{
    (void)state;
    const char *holders[] = {"cid", "ben"};
    set_role((struct org_set_role){.name = "shop", .holders = holders, .holder_count = 2});
    set_holders("docs", holders, 1);
    assert_string_equal(org_directory_holder(org.directory, "shop", 0), "cid");
    assert_string_equal(org_directory_holder(org.directory, "shop", 1), "ben");
    assert_string_equal(org_directory_held(org.directory, "cid", 0), "shop");
    assert_string_equal(org_directory_held(org.directory, "cid", 1), "docs");
    assert_null(org_directory_held(org.directory, "cid", 2));
    set_holders("shop", NULL, 0);
    assert_string_equal(org_directory_held(org.directory, "cid", 0), "docs");
    assert_null(org_directory_held(org.directory, "ben", 0));
    assert_int_equal(org_directory_counts(org.directory).vacant, 1);
}

static void holders_are_known_different_and_not_too_many(void **state)
{
    (void)state;
    const char *unknown[] = {"ben", "nobody"};
    const char *twice[] = {"ben", "cid", "ben"};
    char names[ORG_SUCCESSION_MAX + 1][8];
    const char *many[ORG_SUCCESSION_MAX + 1];
    set_holders("docs", unknown, 2);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ACTOR);
    assert_string_equal(org.answer.subject, "nobody");
    set_holders("docs", twice, 3);
    organisation_expect_refusal(&org, ORG_DIRECTORY_HOLDER_TWICE);
    set_holders("nowhere", unknown, 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
    for (int i = 0; i <= ORG_SUCCESSION_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "p%d", i);
        many[i] = names[i];
        set_actor((struct org_set_actor){.name = names[i]});
    }
    set_holders("docs", many, ORG_SUCCESSION_MAX);
    organisation_expect_done(&org, 1);
    set_holders("docs", many, ORG_SUCCESSION_MAX + 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
}

static void changing_holders_keeps_the_rest_of_a_role(void **state)
{
    (void)state;
    const char *holders[] = {"ben"};
    set_role((struct org_set_role){.name = "docs", .title = "Words", .capacity = 9, .lease_ms = 5});
    set_holders("docs", holders, 1);
    organisation_expect_done(&org, 1);
    assert_string_equal(role_of("docs").title, "Words");
    assert_int_equal(role_of("docs").capacity, 9);
    assert_int_equal(role_of("docs").lease_ms, 5);
    set_holders("docs", holders, 1);
    organisation_expect_done(&org, 0);
}

static void roles_values_end_at_their_limits(void **state)
{
    (void)state;
    struct org_set_role good = {.name = "docs",
                                .capacity = ORG_CAPACITY_MAX,
                                .bytes_max = ORG_BYTES_MAX,
                                .lease_ms = ORG_LEASE_MAX_MS,
                                .overflow = ORG_OVERFLOW_REDIRECT,
                                .redirect_to = "@ben"};
    set_role(good);
    organisation_expect_done(&org, 1);
    struct org_set_role bad[] = {good, good, good, good, good, good};
    bad[0].capacity++;
    bad[1].bytes_max++;
    bad[2].lease_ms++;
    bad[3].redirect_to = NULL;
    bad[4].redirect_to = "docs";
    bad[5].on_fail = ORG_ACTION_DONE;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_role(bad[i]);
        organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    }
    good.redirect_to = "nowhere";
    set_role(good);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
}

static void names_end_at_their_limit(void **state)
{
    (void)state;
    char name[ORG_NAME_LEN_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[ORG_NAME_LEN_MAX] = '\0';
    set_role((struct org_set_role){.name = name});
    organisation_expect_done(&org, 1);
    claim(name, "docs", "*");
    organisation_expect_done(&org, 1);
    name[ORG_NAME_LEN_MAX] = 'a';
    name[ORG_NAME_LEN_MAX + 1] = '\0';
    set_role((struct org_set_role){.name = name});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_NAME);
    claim(name, "docs", "*");
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_NAME);
    set_role((struct org_set_role){.name = "@ben"});
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_NAME);
}

static void configuration_of_a_role_is_what_was_set(void **state)
{
    (void)state;
    const char *holders[] = {"ben", "cid"};
    const char *places[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    set_role((struct org_set_role){.name = "docs",
                                   .holders = holders,
                                   .holder_count = 2,
                                   .capacity = 3,
                                   .on_lapse = ORG_ACTION_ESCALATE});
    assert_true(org_directory_configure(org.directory, "docs", places, &configure));
    assert_string_equal(configure.supervisor, "house");
    assert_int_equal(configure.holder_count, 2);
    assert_string_equal(configure.holders[1], "cid");
    assert_int_equal(configure.capacity, 3);
    assert_int_equal(configure.on_lapse, ORG_ACTION_ESCALATE);
    assert_null(configure.redirect_to);
    assert_true(org_directory_configure(org.directory, "house", places, &configure));
    assert_null(configure.supervisor);
    assert_int_equal(configure.holder_count, 0);
    assert_true(org_directory_configure(org.directory, "@bot", places, &configure));
    assert_int_equal(configure.holder_kind, ORG_PROGRAM);
    assert_string_equal(configure.holders[0], "bot");
    assert_false(org_directory_configure(org.directory, "nowhere", places, &configure));
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)
    const struct CMUnitTest tests[] = {
        FACT(first_command_makes_the_first_administrator_and_nothing_else),
        FACT(only_an_administrator_changes_the_tree),
        FACT(right_of_who_acts_for_another_counts),
        FACT(every_event_says_who_for_whom_and_when),
        FACT(last_administrator_stays_one),
        FACT(same_again_is_recognised_and_other_content_is_taken),
        FACT(actor_has_a_personal_role_outside_the_tree),
        FACT(mail_address_belongs_to_one_actor_whatever_its_capitals),
        FACT(actors_values_end_at_their_limits),
        FACT(first_role_is_the_root_and_there_is_only_one),
        FACT(tree_is_walked_parents_before_children_in_the_order_they_came),
        FACT(nothing_stands_under_itself),
        FACT(chain_of_supervisors_has_no_circle_across_the_tree),
        FACT(tree_is_as_deep_as_its_limit),
        FACT(kind_of_the_first_holder_gives_the_defaults),
        FACT(succession_keeps_its_order_and_is_seen_from_both_sides),
        FACT(holders_are_known_different_and_not_too_many),
        FACT(changing_holders_keeps_the_rest_of_a_role),
        FACT(roles_values_end_at_their_limits),
        FACT(names_end_at_their_limit),
        FACT(configuration_of_a_role_is_what_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

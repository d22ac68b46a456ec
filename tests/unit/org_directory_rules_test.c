/* SPDX-License-Identifier: MIT */
/*
 * org_directory_rules_test.c: what an administrator sets of a role beyond its place and its holders: bounds,
 * what is done about trouble, and who may read what is in it. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"

/* Everything said, and nothing as its default. */
static const struct org_set_role full = {
    .name = "docs",
    .title = "Words",
    .parent = "house",
    .capacity = 7,
    .bytes_max = 1000,
    .lease_ms = 11,
    .ageing_ms = 12,
    .overflow = ORG_OVERFLOW_REDIRECT,
    .redirect_to = "@cid",
    .on_fail = ORG_ACTION_RETRY,
    .on_lapse = ORG_ACTION_ESCALATE,
    .on_crash = ORG_ACTION_DECLINE,
    .on_absent = ORG_ACTION_DECLINE,
    .on_overflow = ORG_ACTION_RETRY,
    .refusals_max = 3,
    .refusals_period_ms = 4,
    .failures_max = 5,
    .failures_period_ms = 6,
    .is_readable = true,
};

static struct org_configure configure_of(struct org_directory *directory)
{
    static const char *holders[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    assert_true(org_directory_configure(directory, "docs", holders, &configure));
    return configure;
}

static void every_rule_of_a_role_reaches_its_configuration(void **state)
{
    (void)state;
    set_role(full);
    organisation_expect_done(&org, 2);
    struct org_directory *both[] = {org.directory, org.mirror};
    for (int i = 0; i < 2; i++) {
        struct org_configure configure = configure_of(both[i]);
        assert_int_equal(configure.capacity, 7);
        assert_int_equal(configure.bytes_max, 1000);
        assert_int_equal(configure.lease_ms, 11);
        assert_int_equal(configure.ageing_ms, 12);
        assert_int_equal(configure.overflow, ORG_OVERFLOW_REDIRECT);
        assert_string_equal(configure.redirect_to, "@cid");
        assert_int_equal(configure.on_fail, ORG_ACTION_RETRY);
        assert_int_equal(configure.on_lapse, ORG_ACTION_ESCALATE);
        assert_int_equal(configure.on_crash, ORG_ACTION_DECLINE);
        assert_int_equal(configure.on_absent, ORG_ACTION_DECLINE);
        assert_int_equal(configure.on_overflow, ORG_ACTION_RETRY);
        assert_int_equal(configure.refusals_max, 3);
        assert_int_equal(configure.refusals_period_ms, 4);
        assert_int_equal(configure.failures_max, 5);
        assert_int_equal(configure.failures_period_ms, 6);
        assert_true(configure.is_readable);
    }
}

static void role_set_as_it_is_changes_nothing(void **state)
{
    (void)state;
    const char *holders[] = {"ben", "bot"};
    const char *room[ORG_SUCCESSION_MAX];
    struct org_set_role set = full;
    set.holders = holders;
    set.holder_count = 2;
    set.supervisor = "house";
    set_role(set);
    struct org_set_role as_it_is;
    assert_true(org_directory_role_as_set(org.directory, "docs", room, &as_it_is));
    assert_string_equal(as_it_is.supervisor, "house");
    assert_int_equal(as_it_is.holder_count, 2);
    set_role(as_it_is);
    organisation_expect_done(&org, 0);
    as_it_is.refusals_max = 4; /* one value of the second record */
    set_role(as_it_is);
    organisation_expect_done(&org, 1);
    as_it_is.title = "Texts"; /* and one of the first */
    set_role(as_it_is);
    organisation_expect_done(&org, 1);
    assert_false(org_directory_role_as_set(org.directory, "nowhere", room, &as_it_is));
    assert_false(org_directory_role_as_set(org.directory, "@ben", room, &as_it_is));
}

static void rules_are_defaults_again_when_they_are_not_said(void **state)
{
    (void)state;
    set_role(full);
    set_role((struct org_set_role){.name = "docs"});
    organisation_expect_done(&org, 2);
    struct org_configure configure = configure_of(org.directory);
    assert_int_equal(configure.on_absent, 0);
    assert_int_equal(configure.failures_max, 0);
    assert_false(configure.is_readable);
}

static void role_to_be_made_is_taken_when_only_its_rules_differ(void **state)
{
    (void)state;
    struct org_directory_command make = {.kind = ORG_SET_ROLE, .is_create = true, .role = full};
    command(make); /* docs is there, with nothing said of it */
    organisation_expect_refusal(&org, ORG_DIRECTORY_TAKEN);
    make.role.name = "texts";
    command(make);
    organisation_expect_done(&org, 2);
    command(make);
    organisation_expect_done(&org, 0);
    make.role.is_readable = false;
    command(make);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TAKEN);
    assert_true(configure_of(org.directory).capacity == 0);
}

static void rules_end_at_their_limits(void **state)
{
    (void)state;
    struct org_set_role at = full;
    at.ageing_ms = ORG_AGEING_MAX_MS;
    at.refusals_max = at.failures_max = ORG_TALLY_MAX;
    at.refusals_period_ms = at.failures_period_ms = ORG_PERIOD_MAX_MS;
    set_role(at);
    organisation_expect_done(&org, 2);
    struct org_set_role beyond[] = {at, at, at, at, at, at, at, at};
    beyond[0].ageing_ms++;
    beyond[1].refusals_max++;
    beyond[2].failures_max++;
    beyond[3].refusals_period_ms++;
    beyond[4].failures_period_ms++;
    beyond[5].on_absent = ORG_ACTION_REASSIGN;
    beyond[6].on_overflow = ORG_ACTION_DECLINE;
    beyond[7].refusals_period_ms = -1;
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        set_role(beyond[i]);
        organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    }
}

/* A record as another program might have written it. */
static void stored_rules_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    org_role_ruled_fields fields = {.at = 1, .by = "ada", .via = "", .name = "nowhere"};
    for (int i = 0; i < 2; i++) {
        struct record_batch batch = {0};
        struct record record;
        void *body;
        size_t size = troupe_flat_size(&org_role_ruled_type, &fields);
        assert_int_equal(
            record_batch_add(&batch, org_role_ruled_type.id, org_role_ruled_type.version, size, &body), 0);
        troupe_flat_write(&org_role_ruled_type, &fields, body, size);
        struct record_cursor cursor = record_cursor_of(&batch);
        assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
        assert_int_equal(org_directory_replay(org.mirror, &record), TROUPE_CORRUPT);
        record_batch_done(&batch);
        fields = (org_role_ruled_fields){.by = "ada", .via = "", .name = "docs", .on_absent = 77};
    }
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(every_rule_of_a_role_reaches_its_configuration),
        FACT(role_set_as_it_is_changes_nothing),
        FACT(rules_are_defaults_again_when_they_are_not_said),
        FACT(role_to_be_made_is_taken_when_only_its_rules_differ),
        FACT(rules_end_at_their_limits),
        FACT(stored_rules_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

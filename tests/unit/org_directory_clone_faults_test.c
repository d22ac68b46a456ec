/* SPDX-License-Identifier: MIT */
/*
 * Facts about cloning an organisation: the clone is the same and goes its own way, and whichever allocation
 * fails, nothing leaks and the original is as it was. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_notices.h"

#include "support/faults.h"

/* One of everything that a directory keeps. */
static void fill(void)
{
    const char *holders[] = {"ben", "bot", "cid"};
    struct org_absence absence = {.from = org.now_ms + 5, .until = org.now_ms + 9};
    set_role((struct org_set_role){.name = "docs",
                                   .holders = holders,
                                   .holder_count = 3,
                                   .on_absent = ORG_ACTION_DECLINE,
                                   .failure_rules = "C 2 *"});
    set_role(
        (struct org_set_role){.name = "lab", .holders = holders + 1, .holder_count = 2, .parent = "docs"});
    set_holders("docs", holders, 2); /* ben has docs behind lab now */
    claim("texts", "docs", "/texts/");
    claim("given", "docs", "/given/");
    transfer("given", "@cid");
    token(ORG_ADD_TOKEN, "ben", 1);
    token(ORG_ADD_TOKEN, "cid", 2);
    token(ORG_REVOKE_TOKEN, "cid", 2);
    static const uint64_t keeps[] = {7, 8};
    command((struct org_directory_command){.kind = ORG_SET_PRESENCE,
                                           .presence = {.actor = "cid", .keeps = keeps, .keep_count = 2}});
    command((struct org_directory_command){.kind = ORG_SET_NOTICES,
                                           .notices = {.actor = "cid", .kind = ORG_NOTICES_URGENT}});
    command((struct org_directory_command){
        .kind = ORG_SET_CALENDAR, .calendar = {.actor = "ben", .absences = &absence, .absence_count = 1}});
    organisation_expect_done(&org, 1);
    command((struct org_directory_command){.kind = ORG_SET_NOTICES,
                                           .notices = {.actor = "ben", .kind = ORG_NOTICES_URGENT}});
    who.actor = "ben";
    for (uint64_t i = 1; i <= 2; i++) {
        const struct org_notice_role waits = {"@ben", 1, org.now_ms, 1, i};
        command((struct org_directory_command){.kind = ORG_NOTICE,
                                               .notice = {.actor = "ben", .roles = &waits, .role_count = 1}});
        organisation_expect_done(&org, 1);
    }
    who.actor = "ada";
    const uint64_t source = 7;
    const struct org_imported_absence imported = {org.now_ms + 11, org.now_ms + 12, source};
    command((struct org_directory_command){.kind = ORG_IMPORT_ABSENCES,
                                           .absences = {.actor = "cid",
                                                        .sources = &source,
                                                        .source_count = 1,
                                                        .absences = &imported,
                                                        .absence_count = 1}});
    organisation_expect_done(&org, 1);
}

static void check_same(const struct org_directory *a, const struct org_directory *b)
{
    const char *reason = "";
    const char *actors[] = {"ada", "ben", "cid", "bot"};
    struct org_domain_view domain;
    struct org_token_view known;
    struct org_configure configure;
    const char *holders[ORG_SUCCESSION_MAX];
    if (!org_directory_check(b, &reason))
        fail_msg("%s", reason);
    struct org_directory_counts counts = org_directory_counts(a);
    struct org_directory_counts copied = org_directory_counts(b);
    assert_memory_equal(&counts, &copied, sizeof(counts));
    for (size_t i = 0; i < 4; i++) {
        const char *role;
        for (size_t j = 0; (role = org_directory_held(a, actors[i], j)) != NULL; j++)
            assert_string_equal(org_directory_held(b, actors[i], j), role);
        assert_null(org_directory_held(b, actors[i], 9));
    }
    assert_true(org_directory_domain(b, "given", &domain));
    assert_string_equal(domain.owner, "@cid");
    assert_true(org_directory_token(b, (const uint8_t[ORG_TOKEN_HASH_SIZE]){2, 7}, &known));
    assert_true(known.is_revoked);
    assert_int_equal(org_directory_presence_due(b, org.now_ms), org.now_ms + 5);
    assert_int_equal(org_directory_presence_due(b, org.now_ms + 9), org.now_ms + 11);
    assert_true(org_directory_configure(b, "docs", holders, &configure));
    assert_int_equal(configure.on_absent, ORG_ACTION_DECLINE);
    assert_string_equal(org_directory_failure_rules(b, "docs"), "C 2 *");
    assert_true(org_directory_is_administrator(b, "ada"));
    int64_t until;
    assert_string_equal(org_directory_kept(b, "cid", org.now_ms, &until),
                        org_directory_kept(a, "cid", org.now_ms, &until));
    assert_int_equal(org_directory_notices(b, "cid").kind, ORG_NOTICES_URGENT);
    struct org_notice_view notice;
    for (uint64_t i = 0; i < 2; i++) {
        assert_true(org_directory_notice(b, "ben", i, &notice));
        assert_int_equal(notice.number, i + 1);
    }
    assert_false(org_directory_notice(b, "ben", 2, &notice));
}

static void clone_is_the_same_and_goes_its_own_way(void **state)
{
    (void)state;
    struct org_directory *clone;
    struct org_owners owners = {0};
    fill();
    assert_int_equal(org_directory_clone(org.directory, &clone), TROUPE_OK);
    check_same(org.directory, clone);
    set_role((struct org_set_role){.name = "new"});
    struct org_directory_role role;
    assert_false(org_directory_role(clone, "new", &role));
    assert_int_equal(org_directory_owners(clone, "texts/a", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 1);
    org_owners_done(&owners);
    org_directory_free(clone);
}

static void empty_directory_has_an_empty_clone(void **state)
{
    (void)state;
    struct org_directory *empty;
    struct org_directory *clone;
    assert_int_equal(org_directory_new(&organisation_key, &empty), TROUPE_OK);
    assert_int_equal(org_directory_clone(empty, &clone), TROUPE_OK);
    assert_int_equal(org_directory_counts(clone).actors, 0);
    org_directory_free(empty);
    org_directory_free(clone);
}

static void clone_that_runs_out_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    fill();
    uint64_t number = 0;
    troupe_status status;
    do {
        struct org_directory *clone = NULL;
        int64_t held = faults_held();
        faults_arm(FAULTS_MEMORY, FAULTS_ONCE, ++number);
        status = org_directory_clone(org.directory, &clone);
        faults_disarm();
        if (status == TROUPE_OK)
            check_same(org.directory, clone);
        else
            assert_true(status == TROUPE_NO_MEMORY && clone == NULL);
        org_directory_free(clone);
        assert_int_equal(faults_held(), held);
    } while (status != TROUPE_OK);
    assert_true(number > 20);
    organisation_check(&org);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(clone_is_the_same_and_goes_its_own_way),
        FACT(empty_directory_has_an_empty_clone),
        FACT(clone_that_runs_out_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

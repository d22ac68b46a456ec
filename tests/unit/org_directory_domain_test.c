/* SPDX-License-Identifier: MIT */
/*
 * Facts about who owns what in the organisation, about its tokens, and about records that come from the
 * journal, each limit at its edge. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"

/* --- domains -------------------------------------------------------------------------------------- */

static void owned_domain_is_refused_and_its_owner_named(void **state)
{
    (void)state;
    claim("words", "docs", "*.md");
    organisation_expect_done(&org, 1);
    claim("words", "docs", "*.md");
    organisation_expect_done(&org, 0);
    claim("words", "house", "*.md");
    organisation_expect_refusal(&org, ORG_DIRECTORY_OWNED);
    assert_string_equal(org.answer.reason, "docs");
    claim("words", "docs", "*.txt");
    organisation_expect_done(&org, 1);
    claim("other", "nowhere", "*");
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
}

static void note_of_a_domain_ends_at_its_limit(void **state)
{
    (void)state;
    char note[ORG_NOTE_LEN_MAX + 2];
    struct org_directory_command noted = {.kind = ORG_CLAIM_DOMAIN,
                                          .claim = {.name = "words", .owner = "docs", .note = note}};
    memset(note, 'n', sizeof(note));
    note[ORG_NOTE_LEN_MAX + 1] = '\0';
    command(noted);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_TEXT);
    note[ORG_NOTE_LEN_MAX] = '\0';
    command(noted);
    organisation_expect_done(&org, 1);
}

static void domain_is_transferred_by_owner_supervisor_or_administrator(void **state)
{
    (void)state;
    const char *ben[] = {"ben"};
    const char *cid[] = {"cid"};
    struct org_domain_view domain;
    claim("words", "docs", "*.md");
    who.actor = "ben";
    transfer("words", "house");
    organisation_expect_refusal(&org, ORG_DIRECTORY_NOT_OWNER);
    assert_string_equal(org.answer.reason, "docs");

    who.actor = "ada";
    set_holders("docs", ben, 1);
    who.actor = "ben";
    transfer("words", "house");
    organisation_expect_done(&org, 1);
    assert_true(org_directory_domain(org.directory, "words", &domain));
    assert_string_equal(domain.owner, "house");
    transfer("words", "docs");
    organisation_expect_refusal(&org, ORG_DIRECTORY_NOT_OWNER);

    who.actor = "ada";
    transfer("words", "docs");
    organisation_expect_done(&org, 1);
    set_holders("docs", NULL, 0);
    set_holders("house", cid, 1);
    who.actor = "cid"; /* holds what supervises the owner */
    transfer("words", "@cid");
    organisation_expect_done(&org, 1);
    transfer("words", "@cid");
    organisation_expect_done(&org, 0);
    transfer("nothing", "docs");
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_DOMAIN);
    transfer("words", "nowhere");
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ROLE);
}

static void transferred_domain_claimed_by_its_new_owner_is_the_same(void **state)
{
    (void)state;
    claim("words", "docs", "*.md");
    transfer("words", "house");
    claim("words", "house", "*.md");
    organisation_expect_done(&org, 0);
    claim("words", "docs", "*.md");
    organisation_expect_refusal(&org, ORG_DIRECTORY_OWNED);
}

static void last_matching_rule_of_a_domain_decides(void **state)
{
    (void)state;
    struct org_rule rules[] = {
        {.kind = ORG_PATTERN_OWNERS, .text = "/docs/"},
        {.kind = ORG_PATTERN_OWNERS, .text = "/docs/secret/", .is_exclude = true},
    };
    struct org_owners owners = {0};
    command((struct org_directory_command){
        .kind = ORG_CLAIM_DOMAIN,
        .claim = {.name = "words", .owner = "docs", .rules = rules, .rule_count = 2}});
    assert_int_equal(org_directory_owners(org.directory, "docs/a", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 1);
    assert_string_equal(owners.items[0].role.name, "docs");
    assert_string_equal(owners.items[0].pattern, "/docs/");
    assert_int_equal(org_directory_owners(org.directory, "docs/secret/a", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 0);
    transfer("words", "@ben");
    assert_int_equal(org_directory_owners(org.directory, "docs/a", &owners), TROUPE_OK);
    assert_string_equal(owners.items[0].role.name, "@ben");
    assert_string_equal(org_directory_holder(org.directory, owners.items[0].role.name, 0), "ben");
    org_owners_done(&owners);
}

static void excluding_rule_is_another_rule_than_its_opposite(void **state)
{
    (void)state;
    struct org_rule rule = {.kind = ORG_PATTERN_FILES, .text = "docs/", .line = 1};
    struct org_directory_command words = {
        .kind = ORG_CLAIM_DOMAIN,
        .claim = {.name = "words", .owner = "docs", .rules = &rule, .rule_count = 1}};
    command(words);
    rule.line = 2;
    command(words);
    organisation_expect_done(&org, 0);
    rule.is_exclude = true;
    command(words);
    organisation_expect_done(&org, 1);
    rule.kind = ORG_PATTERN_OWNERS;
    command(words);
    organisation_expect_done(&org, 1);
}

static void rules_of_one_domain_do_not_overrule_those_of_another(void **state)
{
    (void)state;
    struct org_owners owners = {0};
    claim("words", "docs", "*.md");
    claim("guides", "house", "/guides/*.md");
    assert_int_equal(org_directory_owners(org.directory, "guides/a.md", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 2);
    assert_string_equal(owners.items[0].domain.name, "guides");
    assert_string_equal(owners.items[1].domain.name, "words");
    org_owners_done(&owners);
}

static void bad_pattern_is_refused_with_its_reason(void **state)
{
    (void)state;
    claim("words", "docs", "a//b");
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_PATTERN);
    assert_string_equal(org.answer.subject, "a//b");
    assert_non_null(org.answer.reason);
    claim("words", "docs", "a\nF 1 b");
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_PATTERN);
}

static void patterns_of_a_domain_end_at_their_limit(void **state)
{
    (void)state;
    struct org_rule *rules = calloc(ORG_DOMAIN_PATTERNS_MAX + 1, sizeof(*rules));
    struct org_owners owners = {0};
    assert_non_null(rules);
    for (size_t i = 0; i <= ORG_DOMAIN_PATTERNS_MAX; i++)
        rules[i] = (struct org_rule){.kind = ORG_PATTERN_FILES, .text = "a/b.c"};
    struct org_directory_command many = {
        .kind = ORG_CLAIM_DOMAIN,
        .claim = {.name = "words", .owner = "docs", .rules = rules, .rule_count = ORG_DOMAIN_PATTERNS_MAX}};
    command(many);
    organisation_expect_done(&org, 1);
    assert_int_equal(org_directory_owners(org.directory, "a/b.c", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 1);
    many.claim.rule_count++;
    command(many);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    org_owners_done(&owners);
    free(rules);
}

/* --- tokens --------------------------------------------------------------------------------------- */

static void token_is_found_by_its_hash_until_it_is_revoked(void **state)
{
    (void)state;
    const uint8_t hash[ORG_TOKEN_HASH_SIZE] = {1, 7};
    const uint8_t other[ORG_TOKEN_HASH_SIZE] = {1, 8};
    struct org_token_view view;
    token(ORG_ADD_TOKEN, "ben", 1);
    organisation_expect_done(&org, 1);
    assert_true(org_directory_token(org.directory, hash, &view));
    assert_string_equal(view.actor, "ben");
    assert_int_equal(view.created_at, ORG_START_MS);
    assert_int_equal(view.expires_at, 0);
    assert_false(view.is_revoked);
    assert_false(org_directory_token(org.directory, other, &view));
    token(ORG_ADD_TOKEN, "ben", 1);
    organisation_expect_done(&org, 0);
    token(ORG_ADD_TOKEN, "cid", 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOKEN_TAKEN);
    token(ORG_REVOKE_TOKEN, NULL, 1);
    organisation_expect_done(&org, 1);
    assert_true(org_directory_token(org.directory, hash, &view));
    assert_true(view.is_revoked);
    token(ORG_REVOKE_TOKEN, NULL, 1);
    organisation_expect_done(&org, 0);
    token(ORG_ADD_TOKEN, "ben", 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOKEN_TAKEN);
    token(ORG_REVOKE_TOKEN, NULL, 2);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_TOKEN);
    token(ORG_ADD_TOKEN, "nobody", 3);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ACTOR);
}

static void token_that_has_expired_already_is_refused(void **state)
{
    (void)state;
    struct org_directory_command add = {.kind = ORG_ADD_TOKEN,
                                        .token = {.actor = "ben", .expires_at = ORG_START_MS}};
    command(add);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    add.token.expires_at++;
    command(add);
    organisation_expect_done(&org, 1);
}

/* --- what comes from the journal -------------------------------------------------------------------- */

static void replay(const troupe_type *type, const void *fields, troupe_status expected)
{
    struct record_batch batch = {0};
    struct record record;
    void *body;
    size_t size = troupe_flat_size(type, fields);
    assert_int_equal(record_batch_add(&batch, type->id, type->version, size, &body), TROUPE_OK);
    troupe_flat_write(type, fields, body, size);
    struct record_cursor cursor = record_cursor_of(&batch);
    assert_int_equal(record_next(&cursor, &record), TROUPE_OK);
    assert_int_equal(org_directory_replay(org.directory, &record), expected);
    record.version = 99;
    assert_int_equal(org_directory_replay(org.directory, &record), TROUPE_UNEXPECTED);
    record.version = type->version;
    record.size = 3;
    assert_int_equal(org_directory_replay(org.directory, &record), TROUPE_MALFORMED);
    record_batch_done(&batch);
    organisation_check(&org);
}

static void record_that_contradicts_what_is_there_changes_nothing(void **state)
{
    (void)state;
    org_actor_set_fields actor = {.name = "cid", .mail = "ben@example.org", .wip_limit = 1};
    org_role_set_fields cycle = {.name = "docs", .parent = "docs"};
    org_role_set_fields nowhere = {.name = "new", .parent = "nowhere"};
    org_role_set_fields nobody = {.name = "new", .parent = "house", .holders = "ben\nnobody"};
    org_domain_set_fields owner = {.name = "words", .owner = "nowhere"};
    org_domain_set_fields patterns = {.name = "words", .owner = "docs", .patterns = "F 1 a\nQ 2 b"};
    org_domain_transferred_fields unknown = {.name = "words", .owner = "docs"};
    org_token_added_fields added = {.actor = "nobody"};
    org_token_revoked_fields revoked = {.hash = {9}};
    replay(&org_actor_set_type, &actor, TROUPE_CORRUPT);
    replay(&org_role_set_type, &cycle, TROUPE_CORRUPT);
    replay(&org_role_set_type, &nowhere, TROUPE_CORRUPT);
    replay(&org_role_set_type, &nobody, TROUPE_CORRUPT);
    replay(&org_domain_set_type, &owner, TROUPE_CORRUPT);
    replay(&org_domain_set_type, &patterns, TROUPE_CORRUPT);
    replay(&org_domain_transferred_type, &unknown, TROUPE_CORRUPT);
    replay(&org_token_added_type, &added, TROUPE_CORRUPT);
    replay(&org_token_revoked_type, &revoked, TROUPE_CORRUPT);
}

static void decision_that_is_not_folded_leaves_nothing(void **state)
{
    (void)state;
    struct record_batch batch = {0};
    struct org_directory_answer answer;
    struct org_directory_command add = {.kind = ORG_SET_ROLE, .who = who, .role = {.name = "shop"}};
    assert_int_equal(org_directory_decide(org.directory, &add, org.now_ms, &batch, &answer), TROUPE_OK);
    assert_int_equal(batch.count, 1);
    record_batch_done(&batch);
    organisation_check(&org);
    set_role((struct org_set_role){.name = "shop"});
    organisation_expect_done(&org, 1);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)
    const struct CMUnitTest tests[] = {
        FACT(owned_domain_is_refused_and_its_owner_named),
        FACT(note_of_a_domain_ends_at_its_limit),
        FACT(domain_is_transferred_by_owner_supervisor_or_administrator),
        FACT(transferred_domain_claimed_by_its_new_owner_is_the_same),
        FACT(last_matching_rule_of_a_domain_decides),
        FACT(excluding_rule_is_another_rule_than_its_opposite),
        FACT(rules_of_one_domain_do_not_overrule_those_of_another),
        FACT(bad_pattern_is_refused_with_its_reason),
        FACT(patterns_of_a_domain_end_at_their_limit),
        FACT(token_is_found_by_its_hash_until_it_is_revoked),
        FACT(token_that_has_expired_already_is_refused),
        FACT(record_that_contradicts_what_is_there_changes_nothing),
        FACT(decision_that_is_not_folded_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

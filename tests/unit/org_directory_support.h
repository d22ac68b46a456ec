/* SPDX-License-Identifier: MIT */
/*
 * org_directory_support.h: an organisation for the tests of the directory. Each command is decided and
 * folded, its records are replayed into a second directory, the mirror, and after each step both hold their
 * invariants and look the same; now and then the mirror goes on as its own clone. One thread.
 */
#ifndef TESTS_ORG_DIRECTORY_SUPPORT_H
#define TESTS_ORG_DIRECTORY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "org/directory.h"

/** When the tests happen. */
#define ORG_START_MS ((int64_t)1700000000000)

/** An organisation, its mirror, its journal, and the last answer. */
struct organisation {
    struct org_directory *directory;
    struct org_directory *mirror;
    struct record_batch journal;
    int64_t now_ms;
    struct org_directory_answer answer;
    uint32_t records; /* how many the last command added */
    uint32_t commands;
};

static const struct hash_key organisation_key = {{1, 2}};

/** Makes an empty organisation. */
static inline void organisation_init(struct organisation *org)
{
    *org = (struct organisation){.now_ms = ORG_START_MS};
    assert_int_equal(org_directory_new(&organisation_key, &org->directory), TROUPE_OK);
    assert_int_equal(org_directory_new(&organisation_key, &org->mirror), TROUPE_OK);
}

/** Frees it. */
static inline void organisation_done(struct organisation *org)
{
    org_directory_free(org->directory);
    org_directory_free(org->mirror);
    record_batch_done(&org->journal);
}

/** Asserts that both directories hold their invariants and have the same roles in the same order. */
static inline void organisation_check(const struct organisation *org)
{
    const char *reason = "";
    if (!org_directory_check(org->directory, &reason) || !org_directory_check(org->mirror, &reason))
        fail_msg("%s", reason);
    struct org_directory_counts counts = org_directory_counts(org->directory);
    struct org_directory_counts mirrored = org_directory_counts(org->mirror);
    assert_memory_equal(&counts, &mirrored, sizeof(counts));
    const char *role = org_directory_next_role(org->directory, NULL);
    const char *other = org_directory_next_role(org->mirror, NULL);
    size_t count = 0;
    while (role != NULL && other != NULL) {
        assert_string_equal(role, other);
        role = org_directory_next_role(org->directory, role);
        other = org_directory_next_role(org->mirror, other);
        count++;
    }
    assert_true(role == NULL && other == NULL);
    assert_int_equal(count, counts.roles);
}

/* What is checked of a clone is what is checked of the mirror from then on. */
static inline void organisation_clone_mirror(struct organisation *org)
{
    struct org_directory *clone;
    assert_int_equal(org_directory_clone(org->mirror, &clone), TROUPE_OK);
    org_directory_free(org->mirror);
    org->mirror = clone;
}

/** Commands, folds, replays into the mirror, and checks. */
static inline const struct org_directory_answer *organisation_do(struct organisation *org,
                                                                 const struct org_directory_command *command)
{
    size_t before = org->journal.bytes.size;
    uint32_t count = org->journal.count;
    struct record record;
    assert_int_equal(org_directory_decide(org->directory, command, org->now_ms, &org->journal, &org->answer),
                     TROUPE_OK);
    org_directory_fold_batch(org->directory, &org->journal, before);
    struct record_cursor cursor = record_cursor_of(&org->journal);
    cursor.offset = before;
    while (record_next(&cursor, &record) == TROUPE_OK)
        assert_int_equal(org_directory_replay(org->mirror, &record), TROUPE_OK);
    org->records = org->journal.count - count;
    if (org->commands++ % 8 == 0)
        organisation_clone_mirror(org);
    if (org->answer.is_refused)
        assert_int_equal(org->records, 0);
    organisation_check(org);
    return &org->answer;
}

/** Asserts that the last command wrote this many records. */
static inline void organisation_expect_done(const struct organisation *org, uint32_t records)
{
    if (org->answer.is_refused)
        fail_msg("refused: %s (%s)", org_directory_refusal_text(org->answer.refusal),
                 org->answer.subject == NULL ? "" : org->answer.subject);
    assert_int_equal(org->records, records);
    assert_int_equal(org->answer.is_duplicate, records == 0);
}

/** Asserts that the last command was refused so. */
static inline void organisation_expect_refusal(const struct organisation *org,
                                               enum org_directory_refusal refusal)
{
    assert_true(org->answer.is_refused);
    assert_string_equal(org_directory_refusal_text(org->answer.refusal), org_directory_refusal_text(refusal));
}

#endif

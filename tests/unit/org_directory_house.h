/* SPDX-License-Identifier: MIT */
/*
 * org_directory_house.h: the small organisation that the tests of the directory's rules command, and their
 * short forms of the commands. Ada is its administrator, ben and cid are people, bot is a program; house is
 * the root and docs stands under it, both vacant. One thread.
 */
#ifndef TESTS_ORG_DIRECTORY_HOUSE_H
#define TESTS_ORG_DIRECTORY_HOUSE_H

#include "org_directory_support.h"

static struct organisation org;

/* Everybody's commands are the administrator's, but where a test says otherwise. */
static struct org_who who = {.actor = "ada"};

/** Commands as `who`. */
static inline const struct org_directory_answer *command(struct org_directory_command what)
{
    what.who = who;
    return organisation_do(&org, &what);
}

/** One command each. */
static inline void set_actor(struct org_set_actor actor)
{
    command((struct org_directory_command){.kind = ORG_SET_ACTOR, .actor = actor});
}

static inline void set_role(struct org_set_role role)
{
    command((struct org_directory_command){.kind = ORG_SET_ROLE, .role = role});
}

static inline void set_holders(const char *role, const char *const *holders, size_t count)
{
    command((struct org_directory_command){
        .kind = ORG_SET_HOLDERS, .holders = {.role = role, .holders = holders, .holder_count = count}});
}

static inline void claim(const char *name, const char *owner, const char *pattern)
{
    struct org_rule rule = {.kind = ORG_PATTERN_OWNERS, .text = pattern};
    command((struct org_directory_command){
        .kind = ORG_CLAIM_DOMAIN,
        .claim = {.name = name, .owner = owner, .rules = &rule, .rule_count = pattern != NULL}});
}

static inline void transfer(const char *name, const char *owner)
{
    command((struct org_directory_command){.kind = ORG_TRANSFER_DOMAIN,
                                           .transfer = {.name = name, .owner = owner}});
}

static inline void token(enum org_directory_command_kind kind, const char *actor, uint8_t first)
{
    command((struct org_directory_command){.kind = kind, .token = {.actor = actor, .hash = {first, 7}}});
}

/** Makes the organisation. */
static inline int open_org(void **state)
{
    (void)state;
    who = (struct org_who){.actor = "ada"};
    organisation_init(&org);
    set_actor((struct org_set_actor){.name = "ada", .is_administrator = true});
    set_actor((struct org_set_actor){.name = "ben", .mail = "ben@example.org"});
    set_actor((struct org_set_actor){.name = "cid"});
    set_actor((struct org_set_actor){.name = "bot", .kind = ORG_PROGRAM});
    set_role((struct org_set_role){.name = "house", .is_team = true});
    set_role((struct org_set_role){.name = "docs"});
    organisation_expect_done(&org, 1);
    return 0;
}

/** Frees it. */
static inline int close_org(void **state)
{
    (void)state;
    organisation_done(&org);
    return 0;
}

/** A role that is there. */
static inline struct org_directory_role role_of(const char *name)
{
    struct org_directory_role role;
    assert_true(org_directory_role(org.directory, name, &role));
    return role;
}

#endif

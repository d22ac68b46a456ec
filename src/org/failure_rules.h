/* SPDX-License-Identifier: MIT */
/*
 * failure_rules.h: what a supervisor does about the failures of its children: rules in their order, each a
 * set of kinds of failure, for the roles whose names fit a pattern, and the action. The first that fits
 * counts; where none does, the defaults do.
 *
 * Place: an administrator sets them of a supervisor, the directory keeps them as a text with a rule a line
 * and, whenever it sets a role up, looks up what that role's supervisor says of each kind that the role does
 * not settle itself. Pure; any thread.
 *
 * A line is the kinds as letters (F fail, L lapse, C crash, A absent, O overflow), the number of the action
 * (org_action) and the pattern: "FC 1 *" tries again whatever failed or crashed. Names are those of the
 * supervisor's children; a star stands for any run of bytes, and "@*" is every personal role. Stored: the
 * letters and their meaning never change.
 */
#ifndef ORG_FAILURE_RULES_H
#define ORG_FAILURE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "org/events.h"
#include "org/limits.h"

/** The kinds of failure: of a message, then of a role as a whole. A set of them has a bit for each. */
enum org_failure {
    ORG_FAILURE_FAIL,
    ORG_FAILURE_LAPSE,
    ORG_FAILURE_CRASH,
    ORG_FAILURE_ABSENT,
    ORG_FAILURE_OVERFLOW,
    ORG_FAILURE_COUNT
};

/** A rule. */
struct org_failure_rule {
    unsigned kinds; /* a bit for each org_failure, one at least */
    enum org_action action;
    char roles[ORG_NAME_LEN_MAX + 1]; /* the pattern */
};

/** The longest line, with its end, and the room for all rules of one supervisor. */
#define ORG_FAILURE_RULE_SIZE ((size_t)ORG_FAILURE_COUNT + 3 + ORG_NAME_LEN_MAX + 1)
#define ORG_FAILURE_RULES_SIZE (ORG_FAILURE_RULES_MAX * ORG_FAILURE_RULE_SIZE)

/**
 * Whether that can be done about that kind of failure. Nobody is there to be given what fails as a whole:
 * there, ORG_ACTION_RETRY is to let it be.
 */
bool org_failure_may(enum org_failure kind, enum org_action action);

/** Whether a text is a pattern of names: 1 to ORG_NAME_LEN_MAX bytes of names, "@", "/" and "*". */
bool org_failure_pattern_is_valid(const char *pattern);

/** Whether a rule is one: its kinds, its pattern, and that its action can be done about each kind. */
bool org_failure_rule_is_valid(const struct org_failure_rule *rule);

/** Whether a text is rules, ORG_FAILURE_RULES_MAX at most; "" is. */
bool org_failure_rules_are_valid(const char *rules);

/** Adds a valid rule to a text of rules that has room for it, which ORG_FAILURE_RULES_SIZE is for all. */
void org_failure_rules_add(char *rules, const struct org_failure_rule *rule);

/** Reads the rule at `*cursor` and moves on; false at the end, which `**cursor` then is, or at no rule. */
bool org_failure_rules_next(const char **cursor, struct org_failure_rule *ret_rule);

/** What the first rule that fits says of a kind of failure of a role; 0: none does. */
enum org_action org_failure_rules_action(const char *rules, enum org_failure kind, const char *role);

#endif

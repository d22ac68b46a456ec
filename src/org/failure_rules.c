/* SPDX-License-Identifier: MIT */
/*
 * failure_rules.c: a supervisor's rules as a text and one by one; failure_rules.h has their form. Pure
 * functions, any thread.
 */
#include "org/failure_rules.h"

#include <string.h>

#include "base/assert.h"

static const char letters[ORG_FAILURE_COUNT + 1] = "FLCAO";

_Static_assert(ORG_FAILURE_FAIL == 0 && ORG_FAILURE_LAPSE == 1 && ORG_FAILURE_CRASH == 2 &&
                   ORG_FAILURE_ABSENT == 3 && ORG_FAILURE_OVERFLOW == 4,
               "the letters of stored rules stand in this order");
_Static_assert(ORG_ACTION_RETRY >= 1 && ORG_ACTION_DECLINE <= 9, "an action is written as one digit");

bool org_failure_may(enum org_failure kind, enum org_action action)
{
    switch (action) {
    case ORG_ACTION_RETRY:
    case ORG_ACTION_ESCALATE:
        return true;
    case ORG_ACTION_REASSIGN:
        return kind != ORG_FAILURE_ABSENT && kind != ORG_FAILURE_OVERFLOW;
    case ORG_ACTION_DECLINE:
        return kind != ORG_FAILURE_OVERFLOW; /* whoever was refused has been told */
    default:
        return false;
    }
}

bool org_failure_pattern_is_valid(const char *pattern)
{
    size_t len = strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789-_./@*");
    return len > 0 && len <= ORG_NAME_LEN_MAX && pattern[len] == '\0';
}

bool org_failure_rule_is_valid(const struct org_failure_rule *rule)
{
    if (rule->kinds == 0 || rule->kinds >= 1u << ORG_FAILURE_COUNT ||
        !org_failure_pattern_is_valid(rule->roles))
        return false;
    for (unsigned kind = 0; kind < ORG_FAILURE_COUNT; kind++) {
        if ((rule->kinds & 1u << kind) != 0 && !org_failure_may((enum org_failure)kind, rule->action))
            return false;
    }
    return true;
}

void org_failure_rules_add(char *rules, const struct org_failure_rule *rule)
{
    size_t at = strlen(rules);
    size_t len = strlen(rule->roles);
    ASSERT(org_failure_rule_is_valid(rule));
    if (at > 0)
        rules[at++] = '\n';
    for (unsigned kind = 0; kind < ORG_FAILURE_COUNT; kind++) {
        if ((rule->kinds & 1u << kind) != 0)
            rules[at++] = letters[kind];
    }
    rules[at++] = ' ';
    rules[at++] = (char)('0' + rule->action);
    rules[at++] = ' ';
    memcpy(rules + at, rule->roles, len + 1);
}

bool org_failure_rules_next(const char **cursor, struct org_failure_rule *ret_rule)
{
    const char *at = *cursor;
    struct org_failure_rule rule = {0};
    const char *letter;
    for (; *at != '\0' && (letter = strchr(letters, *at)) != NULL; at++) {
        if (rule.kinds >= 1u << (letter - letters)) /* twice, or in another order */
            return false;
        rule.kinds |= 1u << (letter - letters);
    }
    if (at[0] != ' ' || at[1] < '1' || at[1] > '9' || at[2] != ' ')
        return false;
    rule.action = (enum org_action)(at[1] - '0');
    at += 3;
    size_t len = strcspn(at, "\n");
    if (len > ORG_NAME_LEN_MAX)
        return false;
    memcpy(rule.roles, at, len);
    if (!org_failure_rule_is_valid(&rule))
        return false;
    *ret_rule = rule;
    *cursor = at + len + (at[len] == '\n');
    return true;
}

bool org_failure_rules_are_valid(const char *rules)
{
    struct org_failure_rule rule;
    size_t count = 0;
    while (count < ORG_FAILURE_RULES_MAX && org_failure_rules_next(&rules, &rule))
        count++;
    return *rules == '\0';
}

/* Where a byte does not fit, the last star takes one more; no star before it can help. */
static bool fits(const char *pattern, const char *name)
{
    const char *star = NULL;
    const char *from = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

enum org_action org_failure_rules_action(const char *rules, enum org_failure kind, const char *role)
{
    struct org_failure_rule rule;
    while (org_failure_rules_next(&rules, &rule)) {
        if ((rule.kinds & 1u << kind) != 0 && fits(rule.roles, role))
            return rule.action;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * role_words.c: the words of role_words.h. Pure; any one thread.
 */
#include "server/role_words.h"

#include <stdio.h>
#include <string.h>

#include "server/members.h"

/* Room for the place of a rule in errors: "roles[99999].rules[31].". */
#define RULE_WHERE_SIZE ((size_t)64)

static const char *const overflows[] = {"refuse", "redirect", "shed"};

/* Kinds of failure, by org_failure. */
static const char *const kinds[ORG_FAILURE_COUNT] = {"fail", "lapse", "crash", "absent", "overflow"};
static const char *const settings[ORG_FAILURE_COUNT] = {"on_fail", "on_lapse", "on_crash", "on_absent",
                                                        "on_overflow"};

/*
 * Actions by their words; each kind has its own. Nothing can be tried again where the role as a whole is in
 * trouble: to let it be has a word for each.
 */
static const struct action_word {
    const char *word;
    enum org_action action;
    unsigned kinds; /* a bit for each org_failure */
} action_words[] = {
    {"retry", ORG_ACTION_RETRY, 1u << ORG_FAILURE_FAIL | 1u << ORG_FAILURE_LAPSE | 1u << ORG_FAILURE_CRASH},
    {"wait", ORG_ACTION_RETRY, 1u << ORG_FAILURE_ABSENT},
    {"ignore", ORG_ACTION_RETRY, 1u << ORG_FAILURE_OVERFLOW},
    {"reassign", ORG_ACTION_REASSIGN,
     1u << ORG_FAILURE_FAIL | 1u << ORG_FAILURE_LAPSE | 1u << ORG_FAILURE_CRASH},
    {"escalate", ORG_ACTION_ESCALATE, (1u << ORG_FAILURE_COUNT) - 1},
    {"decline", ORG_ACTION_DECLINE,
     1u << ORG_FAILURE_FAIL | 1u << ORG_FAILURE_LAPSE | 1u << ORG_FAILURE_CRASH | 1u << ORG_FAILURE_ABSENT},
};
enum { ACTION_WORD_COUNT = sizeof action_words / sizeof action_words[0] };

/* The words that can be done about all of a set of kinds; there is room for all. */
static size_t words_for(unsigned set, const char **ret_words)
{
    size_t count = 0;
    for (size_t i = 0; i < ACTION_WORD_COUNT; i++) {
        if ((set & ~action_words[i].kinds) == 0)
            ret_words[count++] = action_words[i].word;
    }
    return count;
}

static enum org_action action_of(const char *word)
{
    size_t i = 0;
    while (i < ACTION_WORD_COUNT && strcmp(action_words[i].word, word) != 0)
        i++;
    return i < ACTION_WORD_COUNT ? action_words[i].action : 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void take_action(struct json_reader *in, enum org_failure kind, enum org_action *ret_action)
{
    const char *words[ACTION_WORD_COUNT + 1];
    size_t count = words_for(1u << kind, words);
    words[count++] = "supervisor";
    unsigned index = (unsigned)count;
    json_take_choice(in, settings[kind], JSON_OPTIONAL, words, count, &index);
    if (index < count)
        *ret_action = action_of(words[index]);
}

static void take_u32(struct json_reader *in, const char *name, int64_t min, int64_t max, uint32_t *ret_number)
{
    int64_t number = *ret_number;
    json_take_number(in, name, JSON_OPTIONAL, min, max, &number);
    *ret_number = (uint32_t)number;
}

void role_words_take_bounds(struct json_reader *in, int64_t min, struct org_set_role *role)
{
    int64_t bytes_max = (int64_t)role->bytes_max;
    unsigned overflow = role->overflow;
    take_u32(in, "capacity", min, ORG_CAPACITY_MAX, &role->capacity);
    json_take_number(in, "bytes_max", JSON_OPTIONAL, min, (int64_t)ORG_BYTES_MAX, &bytes_max);
    json_take_number(in, "lease_ms", JSON_OPTIONAL, min, ORG_LEASE_MAX_MS, &role->lease_ms);
    json_take_number(in, "ageing_ms", JSON_OPTIONAL, min, ORG_AGEING_MAX_MS, &role->ageing_ms);
    json_take_choice(in, "overflow", JSON_OPTIONAL, overflows, 3, &overflow);
    if (overflow != ORG_OVERFLOW_REDIRECT)
        role->redirect_to = NULL;
    member_take_role(in, "redirect_to", JSON_OPTIONAL, &role->redirect_to);
    role->bytes_max = (uint64_t)bytes_max;
    role->overflow = (enum org_overflow)overflow;
    if (in->problem->kind == PROBLEM_NONE &&
        (overflow == ORG_OVERFLOW_REDIRECT) != (role->redirect_to != NULL))
        problem_set(in->problem, PROBLEM_MALFORMED,
                    "\"%sredirect_to\" goes with \"overflow\": \"redirect\", and only with that", in->where);
}

void role_words_take_rules(struct json_reader *in, int64_t min, struct org_set_role *role)
{
    take_action(in, ORG_FAILURE_FAIL, &role->on_fail);
    take_action(in, ORG_FAILURE_LAPSE, &role->on_lapse);
    take_action(in, ORG_FAILURE_CRASH, &role->on_crash);
    take_action(in, ORG_FAILURE_ABSENT, &role->on_absent);
    take_action(in, ORG_FAILURE_OVERFLOW, &role->on_overflow);
    take_u32(in, "refusals_max", min, ORG_TALLY_MAX, &role->refusals_max);
    json_take_number(in, "refusals_period_ms", JSON_OPTIONAL, min, ORG_PERIOD_MAX_MS,
                     &role->refusals_period_ms);
    take_u32(in, "failures_max", min, ORG_TALLY_MAX, &role->failures_max);
    json_take_number(in, "failures_period_ms", JSON_OPTIONAL, min, ORG_PERIOD_MAX_MS,
                     &role->failures_period_ms);
    json_take_flag(in, "open", JSON_OPTIONAL, &role->is_readable);
}

/* The kinds of one rule. */
static unsigned take_kinds(struct json_reader *in)
{
    const json_t *array = NULL;
    unsigned set = 0;
    char where[RULE_WHERE_SIZE + sizeof "on"];
    snprintf(where, sizeof where, "%son", in->where);
    json_take_array(in, "on", JSON_REQUIRED, ORG_FAILURE_COUNT, &array);
    for (size_t i = 0; array != NULL && i < json_array_size(array); i++) {
        const char *text = json_element_text(array, i, where, ORG_NAME_LEN_MAX, in->problem);
        unsigned kind = 0;
        while (text != NULL && kind < ORG_FAILURE_COUNT && strcmp(kinds[kind], text) != 0)
            kind++;
        if (text != NULL && kind == ORG_FAILURE_COUNT)
            problem_set(in->problem, PROBLEM_MALFORMED,
                        "\"%s[%zu]\" must be one of fail, lapse, crash, absent, overflow", where, i);
        else if (text != NULL && (set & 1u << kind) != 0)
            problem_set(in->problem, PROBLEM_MALFORMED, "\"%s[%zu]\": %s is there twice", where, i, text);
        if (in->problem->kind != PROBLEM_NONE)
            return 0;
        set |= 1u << kind;
    }
    if (set == 0)
        problem_set(in->problem, PROBLEM_MALFORMED, "\"%s\" must name at least one kind of failure", where);
    return set;
}

static bool take_failure_rule(const json_t *value, const char *where, struct org_failure_rule *ret_rule,
                              struct problem *problem)
{
    const char *words[ACTION_WORD_COUNT];
    const char *roles = "*";
    struct json_reader in = json_reader_of(value, where, problem);
    *ret_rule = (struct org_failure_rule){.kinds = take_kinds(&in)};
    size_t count = words_for(ret_rule->kinds, words);
    unsigned index = 0;
    json_take_choice(&in, "do", JSON_REQUIRED, words, count, &index);
    json_take_text(&in, "roles", JSON_OPTIONAL, 1, ORG_NAME_LEN_MAX, &roles);
    if (problem->kind == PROBLEM_NONE && !org_failure_pattern_is_valid(roles))
        problem_set(problem, PROBLEM_MALFORMED,
                    "\"%sroles\" must be a name of a-z 0-9 - _ . / and @, with * for any run of them", where);
    if (!json_reader_end(&in))
        return false;
    ret_rule->action = action_of(words[index]);
    memcpy(ret_rule->roles, roles, strlen(roles) + 1);
    return true;
}

void role_words_take_failure_rules(struct json_reader *in, char *room, struct org_set_role *role)
{
    const json_t *array = NULL;
    json_take_array(in, "rules", JSON_OPTIONAL, ORG_FAILURE_RULES_MAX, &array);
    if (array == NULL)
        return;
    room[0] = '\0';
    for (size_t i = 0; i < json_array_size(array); i++) {
        char where[RULE_WHERE_SIZE];
        struct org_failure_rule rule;
        snprintf(where, sizeof where, "%srules[%zu].", in->where, i);
        if (!take_failure_rule(json_array_get(array, i), where, &rule, in->problem))
            return;
        org_failure_rules_add(room, &rule);
    }
    role->failure_rules = room;
}

/* --- writing ---------------------------------------------------------------------------------- */

static const char *word_of(enum org_action action, unsigned set)
{
    for (size_t i = 0; i < ACTION_WORD_COUNT; i++) {
        if (action_words[i].action == action && (action_words[i].kinds & set) != 0)
            return action_words[i].word;
    }
    return "escalate";
}

void role_words_put_failures(struct json_writer *out, const char *name, unsigned set)
{
    json_open(out, name, '[');
    for (unsigned kind = 0; kind < ORG_FAILURE_COUNT; kind++) {
        if ((set & 1u << kind) != 0)
            json_put_text(out, NULL, kinds[kind]);
    }
    json_close(out, ']');
}

void role_words_put_failure_rules(struct json_writer *out, const char *rules)
{
    struct org_failure_rule rule;
    if (*rules == '\0')
        return;
    json_open(out, "rules", '[');
    while (org_failure_rules_next(&rules, &rule)) {
        json_open(out, NULL, '{');
        role_words_put_failures(out, "on", rule.kinds);
        json_put_text(out, "do", word_of(rule.action, rule.kinds));
        if (strcmp(rule.roles, "*") != 0)
            json_put_text(out, "roles", rule.roles);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void role_words_put(struct json_writer *out, const struct org_role_view *view)
{
    json_put_number(out, "capacity", view->capacity);
    json_put_number(out, "bytes_max", (int64_t)view->bytes_max);
    json_put_number(out, "lease_ms", view->lease_ms);
    json_put_number(out, "ageing_ms", view->ageing_ms);
    json_put_text(out, "overflow", overflows[view->overflow]);
    if (view->overflow == ORG_OVERFLOW_REDIRECT)
        json_put_text(out, "redirect_to", view->redirect_to);
    json_put_text(out, "on_fail", word_of(view->on_fail, 1u << ORG_FAILURE_FAIL));
    json_put_text(out, "on_lapse", word_of(view->on_lapse, 1u << ORG_FAILURE_LAPSE));
    json_put_text(out, "on_crash", word_of(view->on_crash, 1u << ORG_FAILURE_CRASH));
    json_put_text(out, "on_absent", word_of(view->on_absent, 1u << ORG_FAILURE_ABSENT));
    json_put_text(out, "on_overflow", word_of(view->on_overflow, 1u << ORG_FAILURE_OVERFLOW));
    json_put_number(out, "refusals_max", view->refusals_max);
    json_put_number(out, "refusals_period_ms", view->refusals_period_ms);
    json_put_number(out, "failures_max", view->failures_max);
    json_put_number(out, "failures_period_ms", view->failures_period_ms);
    json_put_flag(out, "open", view->is_readable);
}

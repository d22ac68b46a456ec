/* SPDX-License-Identifier: MIT */
/*
 * Any commands whatever, from a seed: after each one the tree and its mirror, which was read from the records
 * alone, hold their invariants and look the same (org_directory_support.h), and an independent model agrees
 * on who stands under whom, who holds what, what is done when a message fails, and who owns which domain. One
 * thread.
 */
#include "../unit/org_directory_support.h"

enum { ACTORS = 6, ROLES = 12, DOMAINS = 5, COMMANDS = 400, SEEDS = 25, NAME_SIZE = 8 };

/* What the model knows, by the number in the name; -1 is none. */
struct model {
    bool has_actor[ACTORS];
    bool is_administrator[ACTORS];
    bool has_role[ROLES];
    int parent[ROLES];
    int holder[ROLES]; /* each role has one or none */
    int rules[ROLES];  /* which of the texts below; 0: none */
    enum org_action on_fail[ROLES];
    int owner[DOMAINS];
    int role_count;
    int root;
};

/* What a supervisor does about the failures of those below it. */
static const char *const rule_texts[] = {NULL, "F 1 *", "LC 3 *\nF 4 r1\nF 2 *", "A 1 *\nF 3 r1*"};
enum { RULE_TEXTS = sizeof(rule_texts) / sizeof(rule_texts[0]) };

static struct organisation org;
static struct model model;
static uint64_t random_state;

static int draw(int below)
{
    random_state += 0x9e3779b97f4a7c15u;
    return (int)(hash_number(random_state) % (uint64_t)below);
}

static const char *name_of(char letter, int number, char *ret_name)
{
    snprintf(ret_name, NAME_SIZE, "%c%d", letter, number);
    return ret_name;
}

/* Whether `role` is `above` or stands under it. */
static bool is_under(int role, int above)
{
    for (; role >= 0; role = model.parent[role]) {
        if (role == above)
            return true;
    }
    return false;
}

static int administrators(void)
{
    int count = 0;
    for (int i = 0; i < ACTORS; i++)
        count += model.is_administrator[i];
    return count;
}

static bool may_set_actor(int by, int actor, bool is_administrator)
{
    bool is_empty = administrators() == 0;
    bool is_last = model.is_administrator[actor] && administrators() == 1;
    return is_empty ? is_administrator : model.is_administrator[by] && (is_administrator || !is_last);
}

static void step_actor(int by)
{
    char names[2][NAME_SIZE];
    int actor = draw(ACTORS);
    bool is_administrator = draw(2) == 0;
    bool is_allowed = may_set_actor(by, actor, is_administrator);
    struct org_directory_command command = {
        .kind = ORG_SET_ACTOR,
        .who = {.actor = name_of('a', by, names[0])},
        .actor = {.name = name_of('a', actor, names[1]), .is_administrator = is_administrator}};
    organisation_do(&org, &command);
    assert_int_equal(org.answer.is_refused, !is_allowed);
    if (!is_allowed)
        return;
    model.has_actor[actor] = true;
    model.is_administrator[actor] = is_administrator;
}

static bool may_set_role(int by, int role, int parent, int holder)
{
    if (!model.is_administrator[by] || (holder >= 0 && !model.has_actor[holder]))
        return false;
    if (model.role_count == 0 || model.root == role)
        return parent < 0;
    return parent < 0 || (model.has_role[parent] && !is_under(parent, role));
}

static void step_role(int by)
{
    char names[4][NAME_SIZE];
    int role = draw(ROLES);
    int parent = draw(ROLES + 1) - 1;
    int holder = draw(ACTORS + 1) - 1;
    const char *holders[] = {holder < 0 ? NULL : name_of('a', holder, names[2])};
    int rules = draw(RULE_TEXTS);
    enum org_action on_fail = (enum org_action)(draw(3) == 0 ? draw(ORG_ACTION_DECLINE + 1) : 0);
    bool is_allowed = may_set_role(by, role, parent, holder);
    struct org_directory_command command = {
        .kind = ORG_SET_ROLE,
        .who = {.actor = name_of('a', by, names[0])},
        .role = {.name = name_of('r', role, names[1]),
                 .parent = parent < 0 ? NULL : name_of('r', parent, names[3]),
                 .holders = holders,
                 .holder_count = holder >= 0,
                 .on_fail = on_fail,
                 .failure_rules = rule_texts[rules]}};
    organisation_do(&org, &command);
    assert_int_equal(org.answer.is_refused, !is_allowed);
    if (!is_allowed)
        return;
    if (model.role_count == 0)
        model.root = role;
    model.role_count += !model.has_role[role];
    model.has_role[role] = true;
    model.parent[role] = role == model.root ? -1 : parent < 0 ? model.root : parent;
    model.holder[role] = holder;
    model.rules[role] = rules;
    model.on_fail[role] = on_fail;
}

/* What is done when a message fails in a role, as the model says. */
static enum org_action action_in(int role)
{
    int rules = model.parent[role] < 0 ? 0 : model.rules[model.parent[role]];
    if (model.on_fail[role] != 0 || rules == 0)
        return model.on_fail[role];
    if (rules == 1)
        return ORG_ACTION_RETRY;
    if (rules == 2)
        return role == 1 ? ORG_ACTION_DECLINE : ORG_ACTION_REASSIGN;
    return role == 1 || role >= 10 ? ORG_ACTION_ESCALATE : 0;
}

static void step_domain(int by)
{
    char names[3][NAME_SIZE];
    int domain = draw(DOMAINS);
    int owner = draw(ROLES);
    struct org_rule rule = {.kind = ORG_PATTERN_OWNERS, .text = draw(2) == 0 ? "*.c" : "*.h"};
    bool is_allowed = model.is_administrator[by] && model.has_role[owner] &&
                      (model.owner[domain] < 0 || model.owner[domain] == owner);
    struct org_directory_command command = {.kind = ORG_CLAIM_DOMAIN,
                                            .who = {.actor = name_of('a', by, names[0])},
                                            .claim = {.name = name_of('d', domain, names[1]),
                                                      .owner = name_of('r', owner, names[2]),
                                                      .rules = &rule,
                                                      .rule_count = 1}};
    organisation_do(&org, &command);
    assert_int_equal(org.answer.is_refused, !is_allowed);
    if (is_allowed)
        model.owner[domain] = owner;
}

static void step_transfer(int by)
{
    char names[3][NAME_SIZE];
    int domain = draw(DOMAINS);
    int owner = draw(ROLES);
    int old = model.owner[domain];
    bool is_by_owner = old >= 0 && (model.holder[old] == by ||
                                    (model.parent[old] >= 0 && model.holder[model.parent[old]] == by));
    bool is_allowed = old >= 0 && model.has_role[owner] && (model.is_administrator[by] || is_by_owner);
    struct org_directory_command command = {
        .kind = ORG_TRANSFER_DOMAIN,
        .who = {.actor = name_of('a', by, names[0])},
        .transfer = {.name = name_of('d', domain, names[1]), .owner = name_of('r', owner, names[2])}};
    organisation_do(&org, &command);
    assert_int_equal(org.answer.is_refused, !is_allowed);
    if (is_allowed)
        model.owner[domain] = owner;
}

static void compare(void)
{
    char name[NAME_SIZE];
    char other[NAME_SIZE];
    struct org_directory_role role;
    struct org_domain_view domain;
    struct org_configure configure;
    const char *holders[ORG_SUCCESSION_MAX];
    for (int i = 0; i < ROLES; i++) {
        bool is_there = org_directory_role(org.mirror, name_of('r', i, name), &role);
        assert_int_equal(is_there, model.has_role[i]);
        if (!is_there)
            continue;
        assert_string_equal(role.parent, model.parent[i] < 0 ? "" : name_of('r', model.parent[i], other));
        assert_int_equal(role.holder_count, model.holder[i] >= 0);
        assert_true(org_directory_configure(org.mirror, name, holders, &configure));
        assert_int_equal(configure.on_fail, action_in(i));
        if (model.holder[i] >= 0)
            assert_string_equal(org_directory_holder(org.mirror, name, 0),
                                name_of('a', model.holder[i], other));
    }
    for (int i = 0; i < DOMAINS; i++) {
        bool is_there = org_directory_domain(org.mirror, name_of('d', i, name), &domain);
        assert_int_equal(is_there, model.owner[i] >= 0);
        if (is_there)
            assert_string_equal(domain.owner, name_of('r', model.owner[i], other));
    }
}

static void any_commands_leave_the_tree_whole_and_as_the_model_says(void **state)
{
    (void)state;
    static void (*const steps[])(int by) = {step_actor, step_role, step_role, step_domain, step_transfer};
    int owned = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        random_state = seed;
        model = (struct model){.root = -1};
        for (int i = 0; i < DOMAINS; i++)
            model.owner[i] = -1;
        organisation_init(&org);
        for (int i = 0; i < COMMANDS; i++) {
            steps[draw((int)(sizeof(steps) / sizeof(steps[0])))](draw(ACTORS));
            compare();
        }
        for (int i = 0; i < DOMAINS; i++)
            owned += model.owner[i] >= 0;
        organisation_done(&org);
    }
    assert_true(owned > SEEDS); /* the seeds come as far as domains */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_commands_leave_the_tree_whole_and_as_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

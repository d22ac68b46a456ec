/* SPDX-License-Identifier: MIT */
/*
 * directory_view.c: what others see of the organisation's tree, and who owns a path. The index of all
 * patterns is made when the first path after a change is asked for, so that an import of thousands of domains
 * makes it once. One thread.
 */
#include <stdlib.h>

#include "base/array.h"
#include "org/directory_state.h"

/* --- views ---------------------------------------------------------------------------------------- */

static struct org_actor_view view_actor(const struct org_directory *directory, uint32_t index)
{
    const struct directory_actor *actor = &directory->actors[index];
    const char *team = actor_text(actor, actor->set->team);
    if (*team == '\0' && directory->role_count > 0)
        team = role_name(&directory->roles[0]);
    return (struct org_actor_view){
        .name = actor_name(actor),
        .display = actor_text(actor, actor->set->display),
        .mail = actor_text(actor, actor->set->mail),
        .team = team,
        .kind = (enum org_holder_kind)actor->set->kind,
        .wip_limit = actor->set->wip_limit,
        .is_administrator = actor->set->is_administrator,
        .held_count = actor->held_count,
    };
}

/* People or programs: as the first of the succession is, and people where nobody is. */
static enum org_holder_kind holder_kind_of(const struct org_directory *directory,
                                           const struct directory_role *role)
{
    return role->holder_count == 0
               ? ORG_PERSON
               : (enum org_holder_kind)directory->actors[role->holders[0].actor].set->kind;
}

static uint32_t capacity_of(uint32_t said, enum org_holder_kind kind)
{
    return said != 0 ? said : kind == ORG_PROGRAM ? ORG_CAPACITY_PROGRAM : ORG_CAPACITY_PERSON;
}

static int64_t lease_of(int64_t said, enum org_holder_kind kind)
{
    return said != 0 ? said : kind == ORG_PROGRAM ? ORG_LEASE_PROGRAM_MS : ORG_LEASE_PERSON_MS;
}

static struct org_directory_role view_role(const struct org_directory *directory, uint32_t index)
{
    const struct directory_role *role = &directory->roles[index];
    enum org_holder_kind kind = holder_kind_of(directory, role);
    uint32_t supervisor = directory_supervisor(directory, index);
    return (struct org_directory_role){
        .name = role_name(role),
        .title = role_text(role, role->set->title),
        .parent = role_text(role, role->set->parent),
        .supervisor = supervisor == MAP_NONE ? "" : role_name(&directory->roles[supervisor]),
        .holder_kind = kind,
        .holder_count = role->holder_count,
        .is_team = role->set->is_team || role->first_child != MAP_NONE,
        .capacity = capacity_of(role->set->capacity, kind),
        .lease_ms = lease_of(role->set->lease_ms, kind),
    };
}

/* The name of a personal role, "@ann", whose actor has the name behind the "@": `address` itself. */
static struct org_directory_role view_personal(const struct org_directory *directory, uint32_t index,
                                               const char *address)
{
    struct org_actor_view actor = view_actor(directory, index);
    return (struct org_directory_role){
        .name = address,
        .title = actor.display,
        .parent = "",
        .supervisor = actor.team,
        .holder_kind = actor.kind,
        .holder_count = 1,
        .is_personal = true,
        .capacity = capacity_of(0, actor.kind),
        .lease_ms = lease_of(0, actor.kind),
    };
}

static struct org_domain_view view_domain(const struct org_directory *directory, uint32_t index)
{
    const struct directory_domain *domain = &directory->domains[index];
    return (struct org_domain_view){
        .name = domain_name(domain),
        .title = domain_text(domain, domain->set->title),
        .owner = domain->owner,
        .note = domain_text(domain, domain->set->note),
        .patterns = domain_text(domain, domain->set->patterns),
    };
}

bool org_directory_actor(const struct org_directory *directory, const char *name,
                         struct org_actor_view *ret_actor)
{
    uint32_t index = directory_find_actor(directory, name);
    if (index == MAP_NONE)
        return false;
    *ret_actor = view_actor(directory, index);
    return true;
}

bool org_directory_role(const struct org_directory *directory, const char *name,
                        struct org_directory_role *ret_role)
{
    bool is_personal = name[0] == '@';
    uint32_t index =
        is_personal ? directory_find_actor(directory, name + 1) : directory_find_role(directory, name);
    if (index == MAP_NONE)
        return false;
    *ret_role = is_personal ? view_personal(directory, index, name) : view_role(directory, index);
    return true;
}

bool org_directory_domain(const struct org_directory *directory, const char *name,
                          struct org_domain_view *ret_domain)
{
    uint32_t index = directory_find_domain(directory, name);
    if (index == MAP_NONE)
        return false;
    *ret_domain = view_domain(directory, index);
    return true;
}

bool org_directory_token(const struct org_directory *directory, const uint8_t *hash,
                         struct org_token_view *ret_token)
{
    uint32_t index = directory_find_token(directory, hash);
    if (index == MAP_NONE)
        return false;
    const struct directory_token *token = &directory->tokens[index];
    *ret_token = (struct org_token_view){
        .actor = troupe_flat_text(token->added, token->added->actor),
        .scopes = troupe_flat_text(token->added, token->added->scopes),
        .label = troupe_flat_text(token->added, token->added->label),
        .created_at = token->added->at,
        .expires_at = token->added->expires_at,
        .is_revoked = token->is_revoked,
    };
    return true;
}

const char *org_directory_root(const struct org_directory *directory)
{
    return directory->role_count == 0 ? NULL : role_name(&directory->roles[0]);
}

const char *org_directory_holder(const struct org_directory *directory, const char *role, size_t place)
{
    if (role[0] == '@') {
        uint32_t actor = directory_find_actor(directory, role + 1);
        return actor == MAP_NONE || place > 0 ? NULL : actor_name(&directory->actors[actor]);
    }
    uint32_t index = directory_find_role(directory, role);
    if (index == MAP_NONE || place >= directory->roles[index].holder_count)
        return NULL;
    return actor_name(&directory->actors[directory->roles[index].holders[place].actor]);
}

const char *org_directory_held(const struct org_directory *directory, const char *actor, size_t place)
{
    uint32_t index = directory_find_actor(directory, actor);
    if (index == MAP_NONE)
        return NULL;
    const struct directory_link *link = directory->actors[index].first_held;
    for (; link != NULL && place > 0; place--)
        link = link->next;
    return link == NULL ? NULL : role_name(&directory->roles[link->role]);
}

bool org_directory_actor_at(const struct org_directory *directory, size_t place,
                            struct org_actor_view *ret_actor)
{
    if (place >= directory->actor_count)
        return false;
    *ret_actor = view_actor(directory, (uint32_t)place);
    return true;
}

bool org_directory_domain_at(const struct org_directory *directory, size_t place,
                             struct org_domain_view *ret_domain)
{
    if (place >= directory->domain_count)
        return false;
    *ret_domain = view_domain(directory, (uint32_t)place);
    return true;
}

const char *org_directory_next_role(const struct org_directory *directory, const char *role)
{
    if (role == NULL)
        return org_directory_root(directory);
    uint32_t index = directory_find_role(directory, role);
    if (index == MAP_NONE)
        return NULL;
    if (directory->roles[index].first_child != MAP_NONE)
        return role_name(&directory->roles[directory->roles[index].first_child]);
    while (index != MAP_NONE && directory->roles[index].next == MAP_NONE)
        index = directory->roles[index].parent;
    return index == MAP_NONE ? NULL : role_name(&directory->roles[directory->roles[index].next]);
}

bool org_directory_is_administrator(const struct org_directory *directory, const char *actor)
{
    uint32_t index = directory_find_actor(directory, actor);
    return index != MAP_NONE && directory->actors[index].set->is_administrator;
}

struct org_directory_counts org_directory_counts(const struct org_directory *directory)
{
    struct org_directory_counts counts = {
        .actors = directory->actor_count,
        .roles = directory->role_count,
        .domains = directory->domain_count,
        .patterns = directory->pattern_count,
        .tokens = directory->token_count,
    };
    for (size_t i = 0; i < directory->role_count; i++) {
        const struct directory_role *role = &directory->roles[i];
        counts.vacant += role->holder_count == 0 && !role->set->is_team && role->first_child == MAP_NONE;
    }
    return counts;
}

/* --- a role's configuration ----------------------------------------------------------------------- */

static const char *text_or_null(const char *text)
{
    return *text == '\0' ? NULL : text;
}

/* What a role of the tree says of itself. */
static void put_own_settings(const struct directory_role *role, struct org_configure *configure)
{
    const org_role_set *set = role->set;
    const org_role_ruled *rules = role_rules(role);
    configure->capacity = set->capacity;
    configure->bytes_max = set->bytes_max;
    configure->lease_ms = set->lease_ms;
    configure->ageing_ms = set->ageing_ms;
    configure->overflow = (enum org_overflow)set->overflow;
    configure->redirect_to = text_or_null(role_text(role, set->redirect_to));
    configure->on_fail = (enum org_action)set->on_fail;
    configure->on_lapse = (enum org_action)set->on_lapse;
    configure->on_crash = (enum org_action)set->on_crash;
    if (rules == NULL)
        return;
    configure->on_absent = (enum org_action)rules->on_absent;
    configure->on_overflow = (enum org_action)rules->on_overflow;
    configure->refusals_max = rules->refusals_max;
    configure->refusals_period_ms = rules->refusals_period_ms;
    configure->failures_max = rules->failures_max;
    configure->failures_period_ms = rules->failures_period_ms;
    configure->is_readable = rules->is_readable;
}

const char *org_directory_failure_rules(const struct org_directory *directory, const char *role)
{
    uint32_t index = directory_find_role(directory, role);
    const org_failure_rules_set *set =
        index == MAP_NONE ? NULL : role_failure_rules(&directory->roles[index]);
    return set == NULL ? "" : troupe_flat_text(set, set->rules);
}

/* Where a configuration says what is done about each kind of failure. */
static void failure_actions(struct org_configure *configure, enum org_action *ret_actions[ORG_FAILURE_COUNT])
{
    ret_actions[ORG_FAILURE_FAIL] = &configure->on_fail;
    ret_actions[ORG_FAILURE_LAPSE] = &configure->on_lapse;
    ret_actions[ORG_FAILURE_CRASH] = &configure->on_crash;
    ret_actions[ORG_FAILURE_ABSENT] = &configure->on_absent;
    ret_actions[ORG_FAILURE_OVERFLOW] = &configure->on_overflow;
}

unsigned org_directory_own_failures(const struct org_directory *directory, const char *role)
{
    struct org_configure own = {0};
    enum org_action *actions[ORG_FAILURE_COUNT];
    uint32_t index = directory_find_role(directory, role);
    unsigned kinds = 0;
    if (index != MAP_NONE)
        put_own_settings(&directory->roles[index], &own);
    failure_actions(&own, actions);
    for (unsigned kind = 0; kind < ORG_FAILURE_COUNT; kind++)
        kinds |= (unsigned)(*actions[kind] != 0) << kind;
    return kinds;
}

bool org_directory_configure(const struct org_directory *directory, const char *role, const char **holders,
                             struct org_configure *ret_configure)
{
    struct org_directory_role view;
    enum org_action *actions[ORG_FAILURE_COUNT];
    if (!org_directory_role(directory, role, &view))
        return false;
    if (view.is_personal && org_directory_is_vacant(directory, role)) /* its actor left for good */
        view.holder_count = 0;
    *ret_configure = (struct org_configure){
        .supervisor = text_or_null(view.supervisor),
        .holders = holders,
        .holder_count = view.holder_count,
        .holder_kind = view.holder_kind,
    };
    for (size_t i = 0; i < view.holder_count; i++)
        holders[i] = org_directory_holder(directory, role, i);
    if (!view.is_personal)
        put_own_settings(&directory->roles[directory_find_role(directory, role)], ret_configure);
    const char *rules = org_directory_failure_rules(directory, view.supervisor);
    failure_actions(ret_configure, actions);
    for (unsigned kind = 0; kind < ORG_FAILURE_COUNT && *rules != '\0'; kind++) {
        if (*actions[kind] == 0)
            *actions[kind] = org_failure_rules_action(rules, (enum org_failure)kind, role);
    }
    return true;
}

static bool is_open(const struct directory_role *role)
{
    const org_role_ruled *rules = role_rules(role);
    return rules != NULL && rules->is_readable;
}

bool org_directory_is_open(const struct org_directory *directory, const char *role)
{
    uint32_t index = directory_find_role(directory, role);
    return index != MAP_NONE && is_open(&directory->roles[index]);
}

const char *org_directory_open_role(const struct org_directory *directory, size_t place, size_t *ret_place)
{
    for (; place < directory->role_count; place++) {
        if (is_open(&directory->roles[place])) {
            *ret_place = place;
            return role_name(&directory->roles[place]);
        }
    }
    return NULL;
}

bool org_directory_role_as_set(const struct org_directory *directory, const char *role, const char **holders,
                               struct org_set_role *ret_set)
{
    struct org_configure configure = {0};
    uint32_t index = directory_find_role(directory, role);
    if (index == MAP_NONE)
        return false;
    const struct directory_role *found = &directory->roles[index];
    put_own_settings(found, &configure);
    for (size_t i = 0; i < found->holder_count; i++)
        holders[i] = org_directory_holder(directory, role, i);
    *ret_set = (struct org_set_role){
        .name = role_name(found),
        .title = text_or_null(role_text(found, found->set->title)),
        .parent = text_or_null(role_text(found, found->set->parent)),
        .supervisor = text_or_null(role_text(found, found->set->supervisor)),
        .holders = holders,
        .holder_count = found->holder_count,
        .is_team = found->set->is_team,
        .capacity = configure.capacity,
        .bytes_max = configure.bytes_max,
        .lease_ms = configure.lease_ms,
        .ageing_ms = configure.ageing_ms,
        .overflow = configure.overflow,
        .redirect_to = configure.redirect_to,
        .on_fail = configure.on_fail,
        .on_lapse = configure.on_lapse,
        .on_crash = configure.on_crash,
        .on_absent = configure.on_absent,
        .on_overflow = configure.on_overflow,
        .refusals_max = configure.refusals_max,
        .refusals_period_ms = configure.refusals_period_ms,
        .failures_max = configure.failures_max,
        .failures_period_ms = configure.failures_period_ms,
        .is_readable = configure.is_readable,
        .failure_rules = text_or_null(org_directory_failure_rules(directory, role)),
    };
    return true;
}

/* --- who owns a path ------------------------------------------------------------------------------ */

static troupe_status add_rules(const struct org_directory *directory, struct org_path_index *paths,
                               uint32_t index)
{
    const struct directory_domain *domain = &directory->domains[index];
    char text[ORG_PATTERN_LEN_MAX + 1];
    struct org_rule rule;
    const char *reason;
    const char *cursor = domain_text(domain, domain->set->patterns);
    troupe_status status = TROUPE_OK;
    while (status == TROUPE_OK && directory_next_rule(&cursor, text, &rule)) {
        rule.list = index;
        status = org_path_index_add(paths, index, &rule, &reason);
    }
    return status;
}

static troupe_status refresh_index(const struct org_directory *directory)
{
    struct directory_index *index = directory->index;
    struct org_path_index *paths;
    if (index->is_current)
        return TROUPE_OK;
    troupe_status status = org_path_index_new(&directory->key, &paths);
    if (status != TROUPE_OK)
        return status;
    for (uint32_t i = 0; i < directory->domain_count && status == TROUPE_OK; i++)
        status = add_rules(directory, paths, i);
    if (status != TROUPE_OK) {
        org_path_index_free(paths);
        return status == TROUPE_NO_MEMORY ? status : TROUPE_CORRUPT;
    }
    org_path_index_free(index->paths);
    index->paths = paths;
    index->is_current = true;
    return TROUPE_OK;
}

troupe_status org_directory_owners(const struct org_directory *directory, const char *path,
                                   struct org_owners *owners)
{
    owners->count = 0;
    troupe_status status = refresh_index(directory);
    if (status == TROUPE_OK)
        status = org_path_index_find(directory->index->paths, path, &owners->matches);
    if (status == TROUPE_OK && owners->matches.count > 0)
        status =
            array_reserve(&owners->items, &owners->capacity, owners->matches.count, sizeof(*owners->items));
    if (status != TROUPE_OK)
        return status;
    for (size_t i = 0; i < owners->matches.count; i++) {
        const struct org_match *match = &owners->matches.items[i];
        struct org_owner *owner = &owners->items[owners->count++];
        *owner = (struct org_owner){
            .domain = view_domain(directory, match->domain),
            .pattern = org_pattern_text(match->pattern),
            .kind = match->kind,
        };
        bool is_there = org_directory_role(directory, owner->domain.owner, &owner->role);
        ASSERT(is_there);
    }
    return TROUPE_OK;
}

void org_owners_done(struct org_owners *owners)
{
    free(owners->items);
    org_matches_done(&owners->matches);
    memset(owners, 0, sizeof(*owners));
}

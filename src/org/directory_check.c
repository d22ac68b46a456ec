/* SPDX-License-Identifier: MIT */
/*
 * directory_check.c: the invariants of directory.h and directory_state.h, looked at one by one. For tests,
 * and for the server when it has read everything. It goes through all things. One thread.
 */
#include "org/directory_state.h"

static bool are_actors_good(const struct org_directory *directory, const char **ret_reason)
{
    size_t administrators = 0;
    size_t mails = 0;
    for (uint32_t i = 0; i < directory->actor_count; i++) {
        const struct directory_actor *actor = &directory->actors[i];
        const char *mail = actor_text(actor, actor->set->mail);
        size_t held = 0;
        administrators += actor->set->is_administrator;
        mails += *mail != '\0';
        if (directory_find_actor(directory, actor_name(actor)) != i) {
            *ret_reason = "an actor is not found by its name";
            return false;
        }
        if (*mail != '\0' && directory_find_mail(directory, mail) != i) {
            *ret_reason = "an actor is not found by its mail address";
            return false;
        }
        for (const struct directory_link *link = actor->first_held; link != NULL; link = link->next) {
            if (link->actor != i || (link->next == NULL) != (link == actor->last_held))
                break;
            held++;
        }
        if (held != actor->held_count) {
            *ret_reason = "an actor's list of roles is broken";
            return false;
        }
    }
    if (administrators != directory->administrator_count ||
        (administrators == 0 && directory->actor_count > 0)) {
        *ret_reason = "the administrators are not counted right, or there is none";
        return false;
    }
    if (directory->actor_map.count != directory->actor_count || directory->mail_map.count != mails) {
        *ret_reason = "there are more names or mail addresses than actors have";
        return false;
    }
    return true;
}

static bool are_children_good(const struct org_directory *directory, uint32_t role, size_t *ret_count)
{
    uint32_t last = MAP_NONE;
    uint32_t child = directory->roles[role].first_child;
    for (; child != MAP_NONE; child = directory->roles[child].next) {
        if (directory->roles[child].parent != role || ++*ret_count > directory->role_count)
            return false;
        last = child;
    }
    return last == directory->roles[role].last_child;
}

static bool is_chain_good(const struct org_directory *directory, uint32_t role, bool is_by_parent)
{
    uint32_t len = 0;
    while (role != 0) {
        role = is_by_parent ? directory->roles[role].parent : directory_supervisor(directory, role);
        if (role == MAP_NONE || ++len > ORG_DEPTH_MAX)
            return false;
    }
    return directory->roles[0].parent == MAP_NONE && directory_supervisor(directory, 0) == MAP_NONE;
}

static bool are_roles_good(const struct org_directory *directory, const char **ret_reason)
{
    size_t children = 0;
    for (uint32_t i = 0; i < directory->role_count; i++) {
        const struct directory_role *role = &directory->roles[i];
        if (directory_find_role(directory, role_name(role)) != i) {
            *ret_reason = "a role is not found by its name";
            return false;
        }
        if (!is_chain_good(directory, i, true) || !is_chain_good(directory, i, false)) {
            *ret_reason = "the way up from a role does not end at the root";
            return false;
        }
        if (!are_children_good(directory, i, &children)) {
            *ret_reason = "a role's list of children is broken";
            return false;
        }
        for (uint32_t j = 0; j < role->holder_count; j++) {
            if (role->holders[j].role != i) {
                *ret_reason = "a role's succession is broken";
                return false;
            }
        }
    }
    if (directory->role_count > 0 && children != directory->role_count - 1) {
        *ret_reason = "a role is in no list of children, or in two";
        return false;
    }
    return true;
}

static bool are_domains_good(const struct org_directory *directory, const char **ret_reason)
{
    size_t patterns = 0;
    for (uint32_t i = 0; i < directory->domain_count; i++) {
        const struct directory_domain *domain = &directory->domains[i];
        patterns += domain->pattern_count;
        if (directory_find_domain(directory, domain_name(domain)) != i) {
            *ret_reason = "a domain is not found by its name";
            return false;
        }
        if (!directory_has_address(directory, domain->owner)) {
            *ret_reason = "the owner of a domain is no role";
            return false;
        }
    }
    if (patterns != directory->pattern_count) {
        *ret_reason = "the patterns are not counted right";
        return false;
    }
    return true;
}

static bool are_tokens_good(const struct org_directory *directory, const char **ret_reason)
{
    for (uint32_t i = 0; i < directory->token_count; i++) {
        const org_token_added *added = directory->tokens[i].added;
        if (directory_find_token(directory, added->hash) != i ||
            directory_find_actor(directory, troupe_flat_text(added, added->actor)) == MAP_NONE) {
            *ret_reason = "a token is not found by its hash, or is nobody's";
            return false;
        }
    }
    return true;
}

bool org_directory_check(const struct org_directory *directory, const char **ret_reason)
{
    return are_actors_good(directory, ret_reason) && are_roles_good(directory, ret_reason) &&
           are_domains_good(directory, ret_reason) && are_tokens_good(directory, ret_reason);
}

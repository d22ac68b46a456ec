/* SPDX-License-Identifier: MIT */
/*
 * directory_clone.c: a directory once more. Blocks are copied, and whatever points into a block of the old
 * one is made to point into its copy; indexes and tables of names stay as they are.
 *
 * Place: before many commands that shall all be done or none of them. One thread.
 */
#include <stdlib.h>

#include "org/directory_state.h"

/* A block with its links, whose pointers are still those of the original; NULL stays NULL. */
static bool copy_block(const struct directory_block *block, size_t links, struct directory_block **ret_block)
{
    *ret_block = NULL;
    if (block == NULL)
        return true;
    size_t size = directory_block_size(block->size, links);
    *ret_block = malloc(size);
    if (*ret_block == NULL)
        return false;
    memcpy(*ret_block, block, size);
    return true;
}

/* The last notices of an actor, in their order; half a copy can be freed. */
static bool copy_noticed(const struct directory_block *from, struct directory_block **to)
{
    *to = NULL;
    for (; from != NULL; from = from->next, to = &(*to)->next) {
        if (!copy_block(from, 0, to))
            return false;
        (*to)->next = NULL;
    }
    return true;
}

/* Room for as many things as there are; an array of none stays NULL. */
static bool make_room(size_t count, size_t size, void *ret_array, size_t *ret_capacity)
{
    void *array = count == 0 ? NULL : calloc(count, size);
    memcpy(ret_array, &array, sizeof(array));
    *ret_capacity = array == NULL ? 0 : count;
    return count == 0 || array != NULL;
}

/* In each of these the count grows with what is whole, so that half a copy can be freed. */

static bool copy_actors(const struct org_directory *from, struct org_directory *to)
{
    if (!make_room(from->actor_count, sizeof(*to->actors), &to->actors, &to->actor_capacity))
        return false;
    for (; to->actor_count < from->actor_count; to->actor_count++) {
        const struct directory_actor *old = &from->actors[to->actor_count];
        struct directory_actor *actor = &to->actors[to->actor_count];
        if (!copy_block(old->block, 0, &actor->block))
            return false;
        if (!copy_block(old->calendar, 0, &actor->calendar) || !copy_block(old->kept, 0, &actor->kept) ||
            !copy_block(old->notices, 0, &actor->notices) || !copy_noticed(old->noticed, &actor->noticed) ||
            !copy_block(old->imported, 0, &actor->imported)) {
            directory_free_noticed(actor->noticed);
            free(actor->notices);
            free(actor->kept);
            free(actor->calendar);
            free(actor->block);
            return false;
        }
        actor->set = (const org_actor_set *)(const void *)actor->block->body;
    }
    return true;
}

static bool copy_roles(const struct org_directory *from, struct org_directory *to)
{
    if (!make_room(from->role_count, sizeof(*to->roles), &to->roles, &to->role_capacity))
        return false;
    for (; to->role_count < from->role_count; to->role_count++) {
        const struct directory_role *old = &from->roles[to->role_count];
        struct directory_role *role = &to->roles[to->role_count];
        struct directory_block *block;
        if (!copy_block(old->block, old->holder_count, &block))
            return false;
        *role = *old;
        role->block = block;
        role->set = (const org_role_set *)(const void *)block->body;
        role->holders = directory_block_links(block);
        if (!copy_block(old->rules, 0, &role->rules) ||
            !copy_block(old->failure_rules, 0, &role->failure_rules)) {
            free(role->rules);
            free(block);
            return false;
        }
    }
    return true;
}

static bool copy_domains(const struct org_directory *from, struct org_directory *to)
{
    if (!make_room(from->domain_count, sizeof(*to->domains), &to->domains, &to->domain_capacity))
        return false;
    for (; to->domain_count < from->domain_count; to->domain_count++) {
        const struct directory_domain *old = &from->domains[to->domain_count];
        struct directory_domain *domain = &to->domains[to->domain_count];
        if (!copy_block(old->block, 0, &domain->block))
            return false;
        if (!copy_block(old->transfer, 0, &domain->transfer)) {
            free(domain->block);
            return false;
        }
        domain->set = (const org_domain_set *)(const void *)domain->block->body;
        domain->owner = domain_text(domain, domain->set->owner);
        if (domain->transfer != NULL) {
            const org_domain_transferred *event =
                (const org_domain_transferred *)(const void *)domain->transfer->body;
            domain->owner = troupe_flat_text(event, event->owner);
        }
        domain->pattern_count = old->pattern_count;
    }
    return true;
}

static bool copy_tokens(const struct org_directory *from, struct org_directory *to)
{
    if (!make_room(from->token_count, sizeof(*to->tokens), &to->tokens, &to->token_capacity))
        return false;
    for (; to->token_count < from->token_count; to->token_count++) {
        const struct directory_token *old = &from->tokens[to->token_count];
        struct directory_token *token = &to->tokens[to->token_count];
        if (!copy_block(old->block, 0, &token->block))
            return false;
        token->added = (const org_token_added *)(const void *)token->block->body;
        token->is_revoked = old->is_revoked;
    }
    return true;
}

/* Each actor's list goes through the same places of the same roles. */
static void link_held(const struct org_directory *from, struct org_directory *to)
{
    for (size_t i = 0; i < to->actor_count; i++) {
        struct directory_actor *actor = &to->actors[i];
        for (const struct directory_link *old = from->actors[i].first_held; old != NULL; old = old->next) {
            struct directory_link *link = &to->roles[old->role].holders[old - from->roles[old->role].holders];
            link->previous = actor->last_held;
            link->next = NULL;
            if (actor->last_held == NULL)
                actor->first_held = link;
            else
                actor->last_held->next = link;
            actor->last_held = link;
            actor->held_count++;
        }
    }
}

static troupe_status copy_maps(const struct org_directory *from, struct org_directory *to)
{
    troupe_status status = map_copy(&from->actor_map, &to->actor_map);
    if (status == TROUPE_OK)
        status = map_copy(&from->mail_map, &to->mail_map);
    if (status == TROUPE_OK)
        status = map_copy(&from->role_map, &to->role_map);
    if (status == TROUPE_OK)
        status = map_copy(&from->domain_map, &to->domain_map);
    if (status == TROUPE_OK)
        status = map_copy(&from->token_map, &to->token_map);
    return status;
}

troupe_status org_directory_clone(const struct org_directory *directory, struct org_directory **ret_directory)
{
    struct org_directory *clone;
    troupe_status status = org_directory_new(&directory->key, &clone);
    if (status != TROUPE_OK)
        return status;
    if (!copy_actors(directory, clone) || !copy_roles(directory, clone) || !copy_domains(directory, clone) ||
        !copy_tokens(directory, clone) || copy_maps(directory, clone) != TROUPE_OK) {
        org_directory_free(clone);
        return TROUPE_NO_MEMORY;
    }
    link_held(directory, clone);
    clone->administrator_count = directory->administrator_count;
    clone->pattern_count = directory->pattern_count;
    *ret_directory = clone;
    return TROUPE_OK;
}

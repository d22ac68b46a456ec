/* SPDX-License-Identifier: MIT */
/*
 * directory_fold.c: from records to the tree. First memory is reserved for all records of a batch: a block
 * for each body, places in the arrays and maps. Then each is folded, and nothing can fail.
 *
 * A record from the journal is checked before: its bytes against its type, and what it says against what is
 * there. What decide wrote needs no check.
 *
 * Place: after decide, and when the stream is read again. directory_state.h has the invariants. One thread.
 */
#include <stdlib.h>

#include "base/array.h"
#include "org/directory_state.h"

/* --- reserving ------------------------------------------------------------------------------------ */

static size_t padded(size_t size)
{
    return (size + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

size_t directory_block_size(size_t size, size_t links)
{
    return sizeof(struct directory_block) + padded(size) + links * sizeof(struct directory_link);
}

struct directory_link *directory_block_links(struct directory_block *block)
{
    return (struct directory_link *)(void *)((char *)block->body + padded(block->size));
}

static size_t links_of(const struct record *record)
{
    if (record->type != org_role_set_type.id)
        return 0;
    const org_role_set *set = record->body;
    return directory_line_count(troupe_flat_text(set, set->holders));
}

static troupe_status reserve_block(struct org_directory *directory, const struct record *record)
{
    struct directory_block *block = malloc(directory_block_size(record->size, links_of(record)));
    if (block == NULL)
        return TROUPE_NO_MEMORY;
    block->next = NULL;
    block->size = record->size;
    *directory->reserved_end = block;
    directory->reserved_end = &block->next;
    return TROUPE_OK;
}

/* How many things of each sort a batch makes at most. */
struct needs {
    size_t actors;
    size_t roles;
    size_t domains;
    size_t tokens;
};

static struct needs count_needs(struct record_cursor cursor)
{
    struct needs needs = {0};
    struct record record;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        needs.actors += record.type == org_actor_set_type.id;
        needs.roles += record.type == org_role_set_type.id;
        needs.domains += record.type == org_domain_set_type.id;
        needs.tokens += record.type == org_token_added_type.id;
    }
    return needs;
}

static troupe_status reserve_places(struct org_directory *directory, const struct needs *needs)
{
    troupe_status status = array_reserve(&directory->actors, &directory->actor_capacity,
                                         directory->actor_count + needs->actors, sizeof(*directory->actors));
    if (status == TROUPE_OK)
        status = array_reserve(&directory->roles, &directory->role_capacity,
                               directory->role_count + needs->roles, sizeof(*directory->roles));
    if (status == TROUPE_OK)
        status = array_reserve(&directory->domains, &directory->domain_capacity,
                               directory->domain_count + needs->domains, sizeof(*directory->domains));
    if (status == TROUPE_OK)
        status = array_reserve(&directory->tokens, &directory->token_capacity,
                               directory->token_count + needs->tokens, sizeof(*directory->tokens));
    if (status == TROUPE_OK)
        status = map_reserve(&directory->actor_map, needs->actors);
    if (status == TROUPE_OK)
        status = map_reserve(&directory->mail_map, needs->actors);
    if (status == TROUPE_OK)
        status = map_reserve(&directory->role_map, needs->roles);
    if (status == TROUPE_OK)
        status = map_reserve(&directory->domain_map, needs->domains);
    if (status == TROUPE_OK)
        status = map_reserve(&directory->token_map, needs->tokens);
    return status;
}

troupe_status directory_reserve(struct org_directory *directory, struct record_cursor cursor)
{
    struct needs needs = count_needs(cursor);
    struct record record;
    directory_drop_reserved(directory);
    troupe_status status = reserve_places(directory, &needs);
    while (status == TROUPE_OK && record_next(&cursor, &record) == TROUPE_OK)
        status = reserve_block(directory, &record);
    if (status != TROUPE_OK)
        directory_drop_reserved(directory);
    return status;
}

static struct directory_block *take_reserved(struct org_directory *directory)
{
    struct directory_block *block = directory->reserved;
    ASSERT(block != NULL);
    directory->reserved = block->next;
    if (directory->reserved == NULL)
        directory->reserved_end = &directory->reserved;
    return block;
}

void directory_drop_reserved(struct org_directory *directory)
{
    while (directory->reserved != NULL)
        free(take_reserved(directory));
}

/* --- folding -------------------------------------------------------------------------------------- */

static void enter_mail(struct org_directory *directory, uint32_t index, const org_actor_set *set,
                       bool is_entered)
{
    char folded[ORG_MAIL_LEN_MAX + 1];
    directory_fold_mail(troupe_flat_text(set, set->mail), folded);
    if (*folded == '\0')
        return;
    if (is_entered)
        map_insert(&directory->mail_map, directory_hash(directory, folded), index);
    else
        map_remove(&directory->mail_map, directory_hash(directory, folded), index);
}

static void fold_actor(struct org_directory *directory, struct directory_block *block)
{
    const org_actor_set *set = (const org_actor_set *)(const void *)block->body;
    const char *name = troupe_flat_text(set, set->name);
    uint32_t index = directory_find_actor(directory, name);
    if (index == MAP_NONE) {
        index = (uint32_t)directory->actor_count++;
        directory->actors[index] = (struct directory_actor){0};
        map_insert(&directory->actor_map, directory_hash(directory, name), index);
    } else {
        directory->administrator_count -= directory->actors[index].set->is_administrator;
        enter_mail(directory, index, directory->actors[index].set, false);
        free(directory->actors[index].block);
    }
    directory->actors[index].block = block;
    directory->actors[index].set = set;
    directory->administrator_count += set->is_administrator;
    enter_mail(directory, index, set, true);
}

static void unlink_holders(struct org_directory *directory, const struct directory_role *role)
{
    for (uint32_t i = 0; i < role->holder_count; i++) {
        struct directory_link *link = &role->holders[i];
        struct directory_actor *actor = &directory->actors[link->actor];
        if (link->previous == NULL)
            actor->first_held = link->next;
        else
            link->previous->next = link->next;
        if (link->next == NULL)
            actor->last_held = link->previous;
        else
            link->next->previous = link->previous;
        actor->held_count--;
    }
}

static void link_holders(struct org_directory *directory, uint32_t index)
{
    struct directory_role *role = &directory->roles[index];
    char name[ORG_ACTOR_NAME_LEN_MAX + 1];
    const char *cursor = role_text(role, role->set->holders);
    role->holders = directory_block_links(role->block);
    role->holder_count = 0;
    while (directory_next_line(&cursor, name, sizeof(name))) {
        struct directory_link *link = &role->holders[role->holder_count++];
        uint32_t actor_index = directory_find_actor(directory, name);
        ASSERT(actor_index != MAP_NONE);
        struct directory_actor *actor = &directory->actors[actor_index];
        *link = (struct directory_link){.previous = actor->last_held, .role = index, .actor = actor_index};
        if (actor->last_held == NULL)
            actor->first_held = link;
        else
            actor->last_held->next = link;
        actor->last_held = link;
        actor->held_count++;
    }
}

static void remove_child(struct org_directory *directory, uint32_t child)
{
    uint32_t parent = directory->roles[child].parent;
    if (parent == MAP_NONE)
        return;
    uint32_t before = MAP_NONE;
    uint32_t place = directory->roles[parent].first_child;
    for (; place != child; place = directory->roles[place].next)
        before = place;
    if (before == MAP_NONE)
        directory->roles[parent].first_child = directory->roles[child].next;
    else
        directory->roles[before].next = directory->roles[child].next;
    if (directory->roles[parent].last_child == child)
        directory->roles[parent].last_child = before;
}

static void add_child(struct org_directory *directory, uint32_t child, uint32_t parent)
{
    directory->roles[child].parent = parent;
    directory->roles[child].next = MAP_NONE;
    if (parent == MAP_NONE)
        return;
    uint32_t last = directory->roles[parent].last_child;
    if (last == MAP_NONE)
        directory->roles[parent].first_child = child;
    else
        directory->roles[last].next = child;
    directory->roles[parent].last_child = child;
}

static void fold_role(struct org_directory *directory, struct directory_block *block)
{
    const org_role_set *set = (const org_role_set *)(const void *)block->body;
    const char *name = troupe_flat_text(set, set->name);
    uint32_t parent = directory_find_role(directory, troupe_flat_text(set, set->parent));
    uint32_t index = directory_find_role(directory, name);
    if (index == MAP_NONE) {
        index = (uint32_t)directory->role_count++;
        directory->roles[index] = (struct directory_role){.first_child = MAP_NONE, .last_child = MAP_NONE};
        map_insert(&directory->role_map, directory_hash(directory, name), index);
        add_child(directory, index, parent);
    } else {
        unlink_holders(directory, &directory->roles[index]);
        free(directory->roles[index].block);
        if (directory->roles[index].parent != parent) {
            remove_child(directory, index);
            add_child(directory, index, parent);
        }
    }
    directory->roles[index].block = block;
    directory->roles[index].set = set;
    directory->roles[index].supervisor =
        directory_find_role(directory, troupe_flat_text(set, set->supervisor));
    link_holders(directory, index);
}

static void fold_ruled(struct org_directory *directory, struct directory_block *block)
{
    const org_role_ruled *ruled = (const org_role_ruled *)(const void *)block->body;
    uint32_t index = directory_find_role(directory, troupe_flat_text(ruled, ruled->name));
    ASSERT(index != MAP_NONE);
    free(directory->roles[index].rules);
    directory->roles[index].rules = block;
}

static void fold_failure_rules(struct org_directory *directory, struct directory_block *block)
{
    const org_failure_rules_set *set = (const org_failure_rules_set *)(const void *)block->body;
    uint32_t index = directory_find_role(directory, troupe_flat_text(set, set->name));
    ASSERT(index != MAP_NONE);
    free(directory->roles[index].failure_rules);
    directory->roles[index].failure_rules = block;
}

static void fold_domain(struct org_directory *directory, struct directory_block *block)
{
    const org_domain_set *set = (const org_domain_set *)(const void *)block->body;
    const char *name = troupe_flat_text(set, set->name);
    uint32_t index = directory_find_domain(directory, name);
    if (index == MAP_NONE) {
        index = (uint32_t)directory->domain_count++;
        map_insert(&directory->domain_map, directory_hash(directory, name), index);
    } else {
        directory->pattern_count -= directory->domains[index].pattern_count;
        free(directory->domains[index].block);
        free(directory->domains[index].transfer);
    }
    directory->domains[index] = (struct directory_domain){
        .block = block,
        .set = set,
        .owner = troupe_flat_text(set, set->owner),
        .pattern_count = directory_line_count(troupe_flat_text(set, set->patterns)),
    };
    directory->pattern_count += directory->domains[index].pattern_count;
    directory->index->is_current = false;
}

static void fold_transfer(struct org_directory *directory, struct directory_block *block)
{
    const org_domain_transferred *event = (const org_domain_transferred *)(const void *)block->body;
    uint32_t index = directory_find_domain(directory, troupe_flat_text(event, event->name));
    ASSERT(index != MAP_NONE);
    free(directory->domains[index].transfer);
    directory->domains[index].transfer = block;
    directory->domains[index].owner = troupe_flat_text(event, event->owner);
}

static void fold_token(struct org_directory *directory, struct directory_block *block)
{
    const org_token_added *added = (const org_token_added *)(const void *)block->body;
    uint32_t index = (uint32_t)directory->token_count++;
    directory->tokens[index] = (struct directory_token){.block = block, .added = added};
    map_insert(&directory->token_map, hash_bytes(&directory->key, added->hash, sizeof(added->hash)), index);
}

static void fold_revoked(struct org_directory *directory, struct directory_block *block)
{
    const org_token_revoked *event = (const org_token_revoked *)(const void *)block->body;
    uint32_t index = directory_find_token(directory, event->hash);
    ASSERT(index != MAP_NONE);
    directory->tokens[index].is_revoked = true;
    free(block);
}

static void fold_calendar(struct org_directory *directory, struct directory_block *block)
{
    const org_calendar_set *set = (const org_calendar_set *)(const void *)block->body;
    uint32_t index = directory_find_actor(directory, troupe_flat_text(set, set->actor));
    ASSERT(index != MAP_NONE);
    free(directory->actors[index].calendar);
    directory->actors[index].calendar = block;
}

static void fold_kept(struct org_directory *directory, struct directory_block *block)
{
    const org_kept *kept = (const org_kept *)(const void *)block->body;
    uint32_t index = directory_find_actor(directory, troupe_flat_text(kept, kept->actor));
    ASSERT(index != MAP_NONE);
    free(directory->actors[index].kept);
    directory->actors[index].kept = block;
}

static void fold_notices(struct org_directory *directory, struct directory_block *block)
{
    const org_notices_set *set = (const org_notices_set *)(const void *)block->body;
    uint32_t index = directory_find_actor(directory, troupe_flat_text(set, set->actor));
    ASSERT(index != MAP_NONE);
    free(directory->actors[index].notices);
    directory->actors[index].notices = block;
}

static void fold_imported(struct org_directory *directory, struct directory_block *block)
{
    const org_absences_imported *set = (const org_absences_imported *)(const void *)block->body;
    uint32_t index = directory_find_actor(directory, troupe_flat_text(set, set->actor));
    ASSERT(index != MAP_NONE);
    free(directory->actors[index].imported);
    directory->actors[index].imported = block;
}

/* --- checking what comes from the journal ----------------------------------------------------------- */

static bool is_actor_fit(const struct org_directory *directory, const void *body)
{
    const org_actor_set *set = body;
    const char *name = troupe_flat_text(set, set->name);
    const char *mail = troupe_flat_text(set, set->mail);
    if (!org_name_is_actor(name) || strlen(mail) > ORG_MAIL_LEN_MAX)
        return false;
    const char *team = troupe_flat_text(set, set->team);
    if (*team != '\0' && directory_find_role(directory, team) == MAP_NONE)
        return false;
    uint32_t known = *mail == '\0' ? MAP_NONE : directory_find_mail(directory, mail);
    return known == MAP_NONE || known == directory_find_actor(directory, name);
}

static bool are_holders_fit(const struct org_directory *directory, const char *holders)
{
    char name[ORG_ACTOR_NAME_LEN_MAX + 1];
    const char *cursor = holders;
    while (directory_next_line(&cursor, name, sizeof(name))) {
        if (directory_find_actor(directory, name) == MAP_NONE)
            return false;
    }
    return *cursor == '\0' && directory_line_count(holders) <= ORG_SUCCESSION_MAX;
}

static bool is_role_fit(const struct org_directory *directory, const void *body)
{
    const org_role_set *set = body;
    const char *name = troupe_flat_text(set, set->name);
    const char *parent = troupe_flat_text(set, set->parent);
    const char *supervisor = troupe_flat_text(set, set->supervisor);
    uint32_t index = directory_find_role(directory, name);
    bool is_root = directory->role_count == 0 || index == 0;
    return org_name_is_role(name) &&
           (is_root ? *parent == '\0' : directory_find_role(directory, parent) != MAP_NONE) &&
           (*supervisor == '\0' || (!is_root && directory_find_role(directory, supervisor) != MAP_NONE)) &&
           (index == MAP_NONE ||
            directory_chains_fit(directory, index, directory_find_role(directory, parent),
                                 directory_find_role(directory, supervisor)) == DIRECTORY_CHAINS_FIT) &&
           are_holders_fit(directory, troupe_flat_text(set, set->holders));
}

static bool is_ruled_fit(const struct org_directory *directory, const void *body)
{
    const org_role_ruled *ruled = body;
    const struct org_configure configure = {
        .on_absent = (enum org_action)ruled->on_absent,
        .on_overflow = (enum org_action)ruled->on_overflow,
        .refusals_max = ruled->refusals_max,
        .refusals_period_ms = ruled->refusals_period_ms,
        .failures_max = ruled->failures_max,
        .failures_period_ms = ruled->failures_period_ms,
    };
    const char *name = troupe_flat_text(ruled, ruled->name);
    return directory_find_role(directory, name) != MAP_NONE && org_configure_is_valid(name, &configure);
}

static bool are_failure_rules_fit(const struct org_directory *directory, const void *body)
{
    const org_failure_rules_set *set = body;
    return directory_find_role(directory, troupe_flat_text(set, set->name)) != MAP_NONE &&
           org_failure_rules_are_valid(troupe_flat_text(set, set->rules));
}

static bool is_domain_fit(const struct org_directory *directory, const void *body)
{
    const org_domain_set *set = body;
    char text[ORG_PATTERN_LEN_MAX + 1];
    struct org_rule rule;
    const char *cursor = troupe_flat_text(set, set->patterns);
    while (directory_next_rule(&cursor, text, &rule))
        continue;
    return *cursor == '\0' && org_name_is_role(troupe_flat_text(set, set->name)) &&
           directory_has_address(directory, troupe_flat_text(set, set->owner));
}

static bool is_transfer_fit(const struct org_directory *directory, const void *body)
{
    const org_domain_transferred *event = body;
    return directory_find_domain(directory, troupe_flat_text(event, event->name)) != MAP_NONE &&
           directory_has_address(directory, troupe_flat_text(event, event->owner));
}

static bool is_token_fit(const struct org_directory *directory, const void *body)
{
    const org_token_added *event = body;
    return directory_find_token(directory, event->hash) == MAP_NONE &&
           directory_find_actor(directory, troupe_flat_text(event, event->actor)) != MAP_NONE;
}

static bool is_revoked_fit(const struct org_directory *directory, const void *body)
{
    const org_token_revoked *event = body;
    return directory_find_token(directory, event->hash) != MAP_NONE;
}

/* --- one record ------------------------------------------------------------------------------------- */

static const struct folding {
    const troupe_type *type;
    bool (*is_fit)(const struct org_directory *directory, const void *body);
    void (*fold)(struct org_directory *directory, struct directory_block *block);
} foldings[] = {
    {&org_actor_set_type, is_actor_fit, fold_actor},
    {&org_role_set_type, is_role_fit, fold_role},
    {&org_role_ruled_type, is_ruled_fit, fold_ruled},
    {&org_failure_rules_set_type, are_failure_rules_fit, fold_failure_rules},
    {&org_domain_set_type, is_domain_fit, fold_domain},
    {&org_domain_transferred_type, is_transfer_fit, fold_transfer},
    {&org_token_added_type, is_token_fit, fold_token},
    {&org_token_revoked_type, is_revoked_fit, fold_revoked},
    {&org_calendar_set_type, directory_is_calendar_fit, fold_calendar},
    {&org_kept_type, directory_is_kept_fit, fold_kept},
    {&org_notices_set_type, directory_is_notices_fit, fold_notices},
    {&org_noticed_type, directory_is_noticed_fit, directory_fold_noticed},
    {&org_absences_imported_type, directory_is_imported_fit, fold_imported},
};

static const struct folding *folding_of(const struct record *record)
{
    for (size_t i = 0; i < sizeof(foldings) / sizeof(foldings[0]); i++) {
        if (foldings[i].type->id == record->type && foldings[i].type->version == record->version)
            return &foldings[i];
    }
    return NULL;
}

static void fold(struct org_directory *directory, const struct record *record)
{
    const struct folding *folding = folding_of(record);
    struct directory_block *block = take_reserved(directory);
    ASSERT(folding != NULL && block->size == record->size);
    memcpy(block->body, record->body, record->size);
    folding->fold(directory, block);
}

void org_directory_fold_batch(struct org_directory *directory, const struct record_batch *batch, size_t from)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(batch);
    cursor.offset = from;
    while (record_next(&cursor, &record) == TROUPE_OK)
        fold(directory, &record);
}

troupe_status org_directory_replay(struct org_directory *directory, const struct record *record)
{
    const struct folding *folding = folding_of(record);
    if (folding == NULL)
        return TROUPE_UNEXPECTED;
    troupe_status status = troupe_flat_check(folding->type, record->body, record->size);
    if (status != TROUPE_OK)
        return status;
    if (!folding->is_fit(directory, record->body))
        return TROUPE_CORRUPT;
    struct needs needs = {.actors = 1, .roles = 1, .domains = 1, .tokens = 1};
    directory_drop_reserved(directory);
    status = reserve_places(directory, &needs);
    if (status == TROUPE_OK)
        status = reserve_block(directory, record);
    if (status == TROUPE_OK)
        fold(directory, record);
    return status;
}

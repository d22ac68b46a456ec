/* SPDX-License-Identifier: MIT */
/*
 * directory.c: making and freeing a directory, and how its things are found by name. directory_state.h has
 * the invariants; the rules are in directory_decide.c. One thread.
 */
#include "org/directory.h"

#include <stdlib.h>

#include "org/directory_state.h"

/* --- living --------------------------------------------------------------------------------------- */

troupe_status org_directory_new(const struct hash_key *key, struct org_directory **ret_directory)
{
    struct org_directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL)
        return TROUPE_NO_MEMORY;
    directory->key = *key;
    directory->reserved_end = &directory->reserved;
    directory->index = calloc(1, sizeof(*directory->index));
    if (directory->index == NULL) {
        org_directory_free(directory);
        return TROUPE_NO_MEMORY;
    }
    *ret_directory = directory;
    return TROUPE_OK;
}

void org_directory_free(struct org_directory *directory)
{
    if (directory == NULL)
        return;
    directory_drop_reserved(directory);
    for (size_t i = 0; i < directory->actor_count; i++) {
        free(directory->actors[i].notices);
        directory_free_noticed(directory->actors[i].noticed);
        free(directory->actors[i].kept);
        free(directory->actors[i].calendar);
        free(directory->actors[i].imported);
        free(directory->actors[i].block);
    }
    for (size_t i = 0; i < directory->role_count; i++) {
        free(directory->roles[i].rules);
        free(directory->roles[i].failure_rules);
        free(directory->roles[i].block);
    }
    for (size_t i = 0; i < directory->domain_count; i++) {
        free(directory->domains[i].block);
        free(directory->domains[i].transfer);
    }
    for (size_t i = 0; i < directory->token_count; i++)
        free(directory->tokens[i].block);
    free(directory->actors);
    free(directory->roles);
    free(directory->domains);
    free(directory->tokens);
    map_done(&directory->actor_map);
    map_done(&directory->mail_map);
    map_done(&directory->role_map);
    map_done(&directory->domain_map);
    map_done(&directory->token_map);
    if (directory->index != NULL)
        org_path_index_free(directory->index->paths);
    free(directory->index);
    free(directory);
}

/* --- finding -------------------------------------------------------------------------------------- */

static bool is_actor(const void *context, uint32_t index, const void *key)
{
    const struct org_directory *directory = context;
    return strcmp(actor_name(&directory->actors[index]), key) == 0;
}

static bool is_mail(const void *context, uint32_t index, const void *key)
{
    const struct org_directory *directory = context;
    const struct directory_actor *actor = &directory->actors[index];
    char folded[ORG_MAIL_LEN_MAX + 1];
    directory_fold_mail(actor_text(actor, actor->set->mail), folded);
    return strcmp(folded, key) == 0;
}

static bool is_role(const void *context, uint32_t index, const void *key)
{
    const struct org_directory *directory = context;
    return strcmp(role_name(&directory->roles[index]), key) == 0;
}

static bool is_domain(const void *context, uint32_t index, const void *key)
{
    const struct org_directory *directory = context;
    return strcmp(domain_name(&directory->domains[index]), key) == 0;
}

static bool is_token(const void *context, uint32_t index, const void *key)
{
    const struct org_directory *directory = context;
    return memcmp(directory->tokens[index].added->hash, key, ORG_TOKEN_HASH_SIZE) == 0;
}

uint32_t directory_find_actor(const struct org_directory *directory, const char *name)
{
    return map_find(&directory->actor_map, directory_hash(directory, name), is_actor, directory, name);
}

void directory_fold_mail(const char *mail, char *ret_folded)
{
    size_t len = 0;
    for (; mail[len] != '\0' && len < ORG_MAIL_LEN_MAX; len++)
        ret_folded[len] = mail[len] >= 'A' && mail[len] <= 'Z' ? (char)(mail[len] - 'A' + 'a') : mail[len];
    ret_folded[len] = '\0';
}

uint32_t directory_find_mail(const struct org_directory *directory, const char *mail)
{
    char folded[ORG_MAIL_LEN_MAX + 1];
    directory_fold_mail(mail, folded);
    return map_find(&directory->mail_map, directory_hash(directory, folded), is_mail, directory, folded);
}

uint32_t directory_find_role(const struct org_directory *directory, const char *name)
{
    return map_find(&directory->role_map, directory_hash(directory, name), is_role, directory, name);
}

uint32_t directory_find_domain(const struct org_directory *directory, const char *name)
{
    return map_find(&directory->domain_map, directory_hash(directory, name), is_domain, directory, name);
}

uint32_t directory_find_token(const struct org_directory *directory, const uint8_t *hash)
{
    return map_find(&directory->token_map, hash_bytes(&directory->key, hash, ORG_TOKEN_HASH_SIZE), is_token,
                    directory, hash);
}

bool directory_has_address(const struct org_directory *directory, const char *address)
{
    return address[0] == '@' ? directory_find_actor(directory, address + 1) != MAP_NONE
                             : directory_find_role(directory, address) != MAP_NONE;
}

bool directory_is_holder(const struct org_directory *directory, const char *address, const char *actor)
{
    if (address[0] == '@')
        return strcmp(address + 1, actor) == 0;
    uint32_t index = directory_find_role(directory, address);
    if (index == MAP_NONE)
        return false;
    const struct directory_role *role = &directory->roles[index];
    for (uint32_t i = 0; i < role->holder_count; i++) {
        if (strcmp(actor_name(&directory->actors[role->holders[i].actor]), actor) == 0)
            return true;
    }
    return false;
}

/* --- the tree ------------------------------------------------------------------------------------- */

uint32_t directory_supervisor(const struct org_directory *directory, uint32_t role)
{
    uint32_t supervisor = directory->roles[role].supervisor;
    return supervisor == MAP_NONE ? directory->roles[role].parent : supervisor;
}

static uint32_t parent_of(const struct org_directory *directory, uint32_t role)
{
    return directory->roles[role].parent;
}

/* How far it is from `from` up to `end` (MAP_NONE: beyond the root); UINT32_MAX when it is never met. */
static uint32_t chain_len(const struct org_directory *directory, uint32_t from, uint32_t end,
                          uint32_t (*above)(const struct org_directory *, uint32_t))
{
    uint32_t len = 0;
    for (; from != end; from = above(directory, from)) {
        if (from == MAP_NONE || len > ORG_DEPTH_MAX)
            return UINT32_MAX;
        len++;
    }
    return len;
}

/* What happens to the chains that go through a role when the next above it is another. */
static enum directory_chains chain_fits(const struct org_directory *directory, uint32_t role, uint32_t next,
                                        uint32_t (*above)(const struct org_directory *, uint32_t))
{
    if (role != MAP_NONE && next != MAP_NONE && chain_len(directory, next, role, above) != UINT32_MAX)
        return DIRECTORY_CHAINS_CYCLE;
    uint32_t len = chain_len(directory, next, MAP_NONE, above);
    if (len > ORG_DEPTH_MAX)
        return DIRECTORY_CHAINS_DEEP;
    if (role == MAP_NONE || above(directory, role) == next)
        return DIRECTORY_CHAINS_FIT;
    for (uint32_t i = 0; i < directory->role_count; i++) {
        uint32_t below = chain_len(directory, i, role, above);
        if (below != UINT32_MAX && below + len > ORG_DEPTH_MAX)
            return DIRECTORY_CHAINS_DEEP;
    }
    return DIRECTORY_CHAINS_FIT;
}

enum directory_chains directory_chains_fit(const struct org_directory *directory, uint32_t role,
                                           uint32_t parent, uint32_t supervisor)
{
    enum directory_chains fit = chain_fits(directory, role, parent, parent_of);
    if (fit == DIRECTORY_CHAINS_FIT)
        fit = chain_fits(directory, role, supervisor == MAP_NONE ? parent : supervisor, directory_supervisor);
    return fit;
}

/* --- texts of many lines -------------------------------------------------------------------------- */

size_t directory_line_count(const char *lines)
{
    size_t count = *lines != '\0';
    for (; *lines != '\0'; lines++)
        count += *lines == '\n';
    return count;
}

bool directory_next_line(const char **cursor, char *ret_line, size_t size)
{
    size_t len = strcspn(*cursor, "\n");
    if (len == 0 || len >= size)
        return false;
    memcpy(ret_line, *cursor, len);
    ret_line[len] = '\0';
    *cursor += len + ((*cursor)[len] == '\n');
    return true;
}

bool directory_next_rule(const char **cursor, char *ret_text, struct org_rule *ret_rule)
{
    static const char letters[] = "FNO";
    const char *at = *cursor;
    const char *letter = *at == '\0' ? NULL : strchr(letters, *at);
    if (letter == NULL)
        return false;
    *ret_rule = (struct org_rule){.kind = (enum org_pattern_kind)(letter - letters), .text = ret_text};
    at++;
    ret_rule->is_exclude = *at == '!';
    at += ret_rule->is_exclude;
    if (*at++ != ' ' || *at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        ret_rule->line = ret_rule->line * 10 + (uint32_t)(*at - '0');
    if (*at++ != ' ' || !directory_next_line(&at, ret_text, ORG_PATTERN_LEN_MAX + 1))
        return false;
    *cursor = at;
    return true;
}

_Static_assert(ORG_PATTERN_FILES == 0 && ORG_PATTERN_NAME == 1 && ORG_PATTERN_OWNERS == 2,
               "the letters of a domain's patterns stand in this order");

const char *org_directory_refusal_text(enum org_directory_refusal refusal)
{
    static const char *const texts[] = {
#define ORG_DIRECTORY_REFUSAL_TEXT(name, text) [ORG_DIRECTORY_##name] = text,
        ORG_DIRECTORY_REFUSAL_LIST(ORG_DIRECTORY_REFUSAL_TEXT)
#undef ORG_DIRECTORY_REFUSAL_TEXT
    };
    return (size_t)refusal < sizeof(texts) / sizeof(texts[0]) ? texts[refusal] : "it is refused";
}

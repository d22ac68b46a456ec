/* SPDX-License-Identifier: MIT */
/*
 * directory_state.h: what a directory is made of. Private to the directory*.c files.
 *
 * Each thing keeps the body of the record that last set it, in a block of its own, and points into it: names,
 * texts and numbers are never copied out. Things are in arrays in the order they were made, are found by
 * their names through maps, and refer to each other by their index.
 *
 *     org_actor_set -> directory_actor   held roles: a list through the links in the blocks of those roles
 *     org_role_set  -> directory_role    children: a list through `next`; holders: links in its block
 *     org_role_ruled -> its rules, org_failure_rules_set -> its failure_rules, for those it supervises
 *     org_domain_set, org_domain_transferred -> directory_domain      org_token_added -> directory_token
 *
 * Place: between directory.h and directory*.c. One thread at a time.
 *
 * Invariants (org_directory_check)
 *   1. Every name is in its map, once, under its index; a mail address under its small letters.
 *   2. A role's links are in the lists of the actors they name, and those lists hold no others.
 *   3. A role but the root is in its parent's list of children, and only there.
 *   4. `reserved` holds one block for each record that was decided and is not folded, in their order.
 *   5. index->is_current: the path index holds the patterns of all domains, and no others.
 */
#ifndef ORG_DIRECTORY_STATE_H
#define ORG_DIRECTORY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/record.h"
#include "org/directory.h"
#include "org/directory_events.h"
#include "org/name.h"

/** One place of a succession, in the list of the actor who has it. */
struct directory_link {
    struct directory_link *previous;
    struct directory_link *next;
    uint32_t role;
    uint32_t actor;
};

/** The body of a record; after that of a role, padded to 8, its links. */
struct directory_block {
    struct directory_block *next; /* while reserved; of a notice, the one before */
    size_t size;                  /* of the body */
    uint64_t body[];
};

struct directory_actor {
    struct directory_block *block;
    const org_actor_set *set;
    struct directory_link *first_held;
    struct directory_link *last_held;
    size_t held_count;
    struct directory_block *calendar; /* an org_calendar_set; NULL for none */
    struct directory_block *kept;     /* an org_kept; NULL for none */
    struct directory_block *notices;  /* an org_notices_set; NULL for none */
    struct directory_block *noticed; /* the last org_noticed, and through `next` some before; NULL for none */
    struct directory_block *imported; /* an org_absences_imported; NULL for none */
};

struct directory_role {
    struct directory_block *block;
    const org_role_set *set;
    struct directory_block *rules;         /* an org_role_ruled; NULL for the defaults */
    struct directory_block *failure_rules; /* an org_failure_rules_set; NULL for none */
    struct directory_link *holders;
    uint32_t holder_count;
    uint32_t parent;     /* MAP_NONE at the root */
    uint32_t supervisor; /* MAP_NONE: the parent */
    uint32_t first_child;
    uint32_t last_child;
    uint32_t next; /* of the same parent */
};

struct directory_domain {
    struct directory_block *block;
    const org_domain_set *set;
    struct directory_block *transfer; /* the last one since it was set; NULL for none */
    const char *owner;
    size_t pattern_count;
};

struct directory_token {
    struct directory_block *block;
    const org_token_added *added;
    bool is_revoked;
};

/** The patterns of all domains, made when a path is asked for. */
struct directory_index {
    struct org_path_index *paths;
    bool is_current;
};

struct org_directory {
    struct hash_key key;
    struct directory_actor *actors;
    size_t actor_count;
    size_t actor_capacity;
    struct map actor_map;
    struct map mail_map; /* small letters -> actor */
    size_t administrator_count;
    struct directory_role *roles; /* of the tree; the first one is the root */
    size_t role_count;
    size_t role_capacity;
    struct map role_map;
    struct directory_domain *domains;
    size_t domain_count;
    size_t domain_capacity;
    struct map domain_map;
    size_t pattern_count;
    struct directory_token *tokens;
    size_t token_count;
    size_t token_capacity;
    struct map token_map;
    struct directory_index *index;
    struct directory_block *reserved;
    struct directory_block **reserved_end;
    char subject[2 * ORG_NAME_LEN_MAX + 2]; /* of an answer, when it is put together */
};

/** Whose texts are meant: a thing's own record. */
static inline const char *actor_text(const struct directory_actor *actor, troupe_span span)
{
    return troupe_flat_text(actor->set, span);
}

static inline const char *role_text(const struct directory_role *role, troupe_span span)
{
    return troupe_flat_text(role->set, span);
}

static inline const char *domain_text(const struct directory_domain *domain, troupe_span span)
{
    return troupe_flat_text(domain->set, span);
}

static inline const org_calendar_set *actor_calendar(const struct directory_actor *actor)
{
    return actor->calendar == NULL ? NULL : (const org_calendar_set *)(const void *)actor->calendar->body;
}

static inline const org_notices_set *actor_notices(const struct directory_actor *actor)
{
    return actor->notices == NULL ? NULL : (const org_notices_set *)(const void *)actor->notices->body;
}

static inline const org_noticed *actor_noticed(const struct directory_actor *actor)
{
    return actor->noticed == NULL ? NULL : (const org_noticed *)(const void *)actor->noticed->body;
}

static inline const org_kept *actor_kept(const struct directory_actor *actor)
{
    return actor->kept == NULL ? NULL : (const org_kept *)(const void *)actor->kept->body;
}

static inline const org_role_ruled *role_rules(const struct directory_role *role)
{
    return role->rules == NULL ? NULL : (const org_role_ruled *)(const void *)role->rules->body;
}

static inline const org_failure_rules_set *role_failure_rules(const struct directory_role *role)
{
    return role->failure_rules == NULL
               ? NULL
               : (const org_failure_rules_set *)(const void *)role->failure_rules->body;
}

static inline const org_absences_imported *actor_imported(const struct directory_actor *actor)
{
    return actor->imported == NULL ? NULL
                                   : (const org_absences_imported *)(const void *)actor->imported->body;
}

static inline const char *actor_name(const struct directory_actor *actor)
{
    return actor_text(actor, actor->set->name);
}

static inline const char *role_name(const struct directory_role *role)
{
    return role_text(role, role->set->name);
}

static inline const char *domain_name(const struct directory_domain *domain)
{
    return domain_text(domain, domain->set->name);
}

/** The keyed hash of a name. */
static inline uint64_t directory_hash(const struct org_directory *directory, const char *text)
{
    return hash_bytes(&directory->key, text, strlen(text));
}

/** Writes a mail address in small letters; `ret_folded` has ORG_MAIL_LEN_MAX + 1 bytes. */
void directory_fold_mail(const char *mail, char *ret_folded);

/** The index of a thing, or MAP_NONE. */
uint32_t directory_find_actor(const struct org_directory *directory, const char *name);
uint32_t directory_find_mail(const struct org_directory *directory, const char *mail);
uint32_t directory_find_role(const struct org_directory *directory, const char *name);
uint32_t directory_find_domain(const struct org_directory *directory, const char *name);
uint32_t directory_find_token(const struct org_directory *directory, const uint8_t *hash);

/** Whether an address is that of a role of the tree or of an actor. */
bool directory_has_address(const struct org_directory *directory, const char *address);

/** Who supervises a role of the tree; MAP_NONE at the root. */
uint32_t directory_supervisor(const struct org_directory *directory, uint32_t role);

/** Whether an actor is in the succession of a role or, by its address, has the personal one. */
bool directory_is_holder(const struct org_directory *directory, const char *address, const char *actor);

/** How many names a text of one a line has. */
size_t directory_line_count(const char *lines);

/**
 * Copies the line at `*cursor` to `ret_line`, of `size` bytes, and moves on; false at the end, and where one
 * is too long.
 */
bool directory_next_line(const char **cursor, char *ret_line, size_t size);

/**
 * Reads the rule at `*cursor` of a domain's patterns and moves on; its text is in `ret_text`, of
 * ORG_PATTERN_LEN_MAX + 1 bytes. False at the end, which `**cursor` then is, and where it is none.
 */
bool directory_next_rule(const char **cursor, char *ret_text, struct org_rule *ret_rule);

/** Reserves for the records that a walk still has. TROUPE_NO_MEMORY; nothing is reserved then. */
troupe_status directory_reserve(struct org_directory *directory, struct record_cursor cursor);

/** Bytes of a block with a body of `size` bytes and, behind it, `links` places of a succession. */
size_t directory_block_size(size_t size, size_t links);

/** Where the links of a role's block begin. */
struct directory_link *directory_block_links(struct directory_block *block);

/** Forgets what was reserved and not folded. */
void directory_drop_reserved(struct org_directory *directory);

/** directory_calendar.c: whether a record of a calendar is one. */
bool directory_is_calendar_fit(const struct org_directory *directory, const void *body);

/** The same of a choice of notices. */
bool directory_is_notices_fit(const struct org_directory *directory, const void *body);

/** directory_notices.c: the same of a notice; it becomes the last of its actor; and all of an actor go. */
bool directory_is_noticed_fit(const struct org_directory *directory, const void *body);
void directory_fold_noticed(struct org_directory *directory, struct directory_block *block);
void directory_free_noticed(struct directory_block *last);

/** The same of a record of messages that are kept. */
bool directory_is_kept_fit(const struct org_directory *directory, const void *body);

/** directory_imported.c: whether a record of imported absences is one. */
bool directory_is_imported_fit(const struct org_directory *directory, const void *body);

/** What a change of place would do to the tree. */
enum directory_chains {
    DIRECTORY_CHAINS_FIT,
    DIRECTORY_CHAINS_CYCLE,
    DIRECTORY_CHAINS_DEEP, /* beyond ORG_DEPTH_MAX */
};

/**
 * Whether the tree stays one, and no deeper than it may be, when a role (MAP_NONE: a new one) gets this
 * parent and this supervisor (MAP_NONE: the parent).
 */
enum directory_chains directory_chains_fit(const struct org_directory *directory, uint32_t role,
                                           uint32_t parent, uint32_t supervisor);

#endif

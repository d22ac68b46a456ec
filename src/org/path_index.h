/* SPDX-License-Identifier: MIT */
/*
 * path_index.h: to which domains does a path belong? All patterns of all domains, kept so that the answer
 * does not look at most of them.
 *
 * Rules are grouped by the leading components that have no wildcard: "drivers/net/phy/bcm*.[ch]" stands under
 * "drivers/net/phy". A path can only match rules under its own leading folders, so a lookup asks a hash table
 * once per folder and tries the few rules it finds there. Regular expressions stand in a list of their own
 * and are all tried (regex.h makes that cheap).
 *
 * What decides together:
 * - Kinds FILES and NAME: a domain has the path when one of its rules matches and none of its excluding rules
 *   does, in whatever order they were added.
 * - Kind OWNERS: the last rule of a list that matches decides, as in a CODEOWNERS file; when it excludes,
 *   nobody of that list has the path. A list can span domains (one file) or be one domain's own; its number
 *   is the caller's choice.
 *
 * Several domains can have one path. They come in the order of precision (pattern.h), each with its most
 * precise rule; what is equally precise comes in the order it was added.
 *
 * Place: the directory keeps one beside its domains. Adding and removing: one thread. Finding changes nothing
 * in the index, so any number of threads may find while nobody adds.
 *
 * Invariants
 *   1. A rule is in exactly one chain of a bucket (or of the regular expressions) and in its domain's chain,
 *      or in the free chain.
 *   2. A bucket's prefix is org_pattern_prefix of each rule in it.
 *   3. Orders are distinct and grow with each rule added.
 */
#ifndef ORG_PATH_INDEX_H
#define ORG_PATH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "org/pattern.h"
#include <troupe/status.h>

/** All rules of all domains. */
struct org_path_index;

/** One rule as its author wrote it. */
struct org_rule {
    enum org_pattern_kind kind;
    bool is_exclude;  /* X:, or a "!" before a line of a CODEOWNERS list */
    const char *text; /* the pattern alone */
    uint32_t line;    /* where it stands in the file it came from; 0 for none */
    uint32_t list;    /* for ORG_PATTERN_OWNERS: the list in which the last match decides */
};

/** One domain that has the path. */
struct org_match {
    uint32_t domain;
    uint32_t line;
    enum org_pattern_kind kind;
    const struct org_pattern *pattern; /* its most precise matching rule; lives until its domain is removed */
    uint64_t order;
};

/** The answer, and room to work in that is used again. All zeros is empty and ready. */
struct org_matches {
    struct org_match *items;
    size_t count;
    struct org_hit *hits; /* private */
    size_t capacity;      /* private: of both */
};

/** Makes an empty index. The key is for its hash table. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status org_path_index_new(const struct hash_key *key,
                                                   struct org_path_index **ret_index);

/** Frees the index and its patterns; NULL is good. */
void org_path_index_free(struct org_path_index *index);

/**
 * Adds a rule to a domain. TROUPE_INVALID with a constant reason (org_pattern_new), TROUPE_LIMIT beyond
 * ORG_DOMAIN_PATTERNS_MAX rules of one domain, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_path_index_add(struct org_path_index *index, uint32_t domain,
                                                   const struct org_rule *rule, const char **ret_reason);

/** Takes out all rules of a domain. */
void org_path_index_remove(struct org_path_index *index, uint32_t domain);

/** How many rules there are. */
size_t org_path_index_count(const struct org_path_index *index);

/**
 * Finds the domains that have a path, the most precise first; none is an empty answer. TROUPE_INVALID when
 * the text is no path (org_path_parse), TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_path_index_find(const struct org_path_index *index, const char *path,
                                                    struct org_matches *matches);

/** Frees what an answer holds; it is empty and ready again. */
void org_matches_done(struct org_matches *matches);

#endif

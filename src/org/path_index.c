/* SPDX-License-Identifier: MIT */
/*
 * path_index.c: to which domains does a path belong; path_index.h has the design and the invariants. One
 * thread changes, any thread finds.
 */
#include "org/path_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/map.h"

enum {
    BUCKET_ROOT = 0,  /* rules that begin with a wildcard */
    BUCKET_NAMES = 1, /* regular expressions */
    BUCKET_FIRST_FREE = 2,
};

struct rule {
    struct org_pattern *pattern;
    uint64_t order;
    uint32_t domain;
    uint32_t line;
    uint32_t list;
    uint32_t bucket;
    uint32_t next_in_bucket; /* MAP_NONE at the end; also the free chain */
    uint32_t next_in_domain;
    enum org_pattern_kind kind;
    bool is_owners;
    bool is_exclude;
};

struct bucket {
    char *prefix;
    size_t prefix_len;
    uint32_t first;
};

struct domain {
    uint32_t first;
    uint32_t count;
};

struct org_path_index {
    struct hash_key key;
    struct map bucket_map; /* prefix -> bucket; the two special buckets are not in it */
    struct bucket *buckets;
    size_t bucket_count;
    size_t bucket_capacity;
    struct rule *rules;
    size_t rule_count; /* used or once used */
    size_t rule_capacity;
    uint32_t rule_free;
    size_t live_count;
    struct domain *domains;
    size_t domain_count;
    uint64_t order_last;
};

/* A rule that matches, before it is known which of them count. */
struct org_hit {
    const struct rule *rule;
};

/* --- buckets ------------------------------------------------------------------------------------- */

struct prefix {
    const char *text;
    size_t len;
};

static bool is_bucket(const void *context, uint32_t index, const void *key)
{
    const struct org_path_index *path_index = context;
    const struct bucket *bucket = &path_index->buckets[index];
    const struct prefix *prefix = key;
    return bucket->prefix_len == prefix->len && memcmp(bucket->prefix, prefix->text, prefix->len) == 0;
}

static uint32_t bucket_find(const struct org_path_index *index, struct prefix prefix)
{
    return map_find(&index->bucket_map, hash_bytes(&index->key, prefix.text, prefix.len), is_bucket, index,
                    &prefix);
}

/* Adds an empty bucket; only named ones go into the table. */
static troupe_status bucket_add(struct org_path_index *index, struct prefix prefix, uint32_t *ret_bucket)
{
    troupe_status status = array_reserve(&index->buckets, &index->bucket_capacity, index->bucket_count + 1,
                                         sizeof(*index->buckets));
    if (status == TROUPE_OK)
        status = map_reserve(&index->bucket_map, 1);
    if (status != TROUPE_OK)
        return status;
    char *copy = malloc(prefix.len + 1);
    if (copy == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(copy, prefix.text, prefix.len);
    copy[prefix.len] = '\0';

    uint32_t bucket = (uint32_t)index->bucket_count++;
    index->buckets[bucket] = (struct bucket){.prefix = copy, .prefix_len = prefix.len, .first = MAP_NONE};
    if (bucket >= BUCKET_FIRST_FREE)
        map_insert(&index->bucket_map, hash_bytes(&index->key, copy, prefix.len), bucket);
    *ret_bucket = bucket;
    return TROUPE_OK;
}

static troupe_status bucket_for(struct org_path_index *index, const struct org_pattern *pattern,
                                uint32_t *ret_bucket)
{
    char text[ORG_PATTERN_LEN_MAX + 1];
    struct prefix prefix = {.text = text};
    if (org_pattern_precision(pattern).is_name) {
        *ret_bucket = BUCKET_NAMES;
        return TROUPE_OK;
    }
    prefix.len = org_pattern_prefix(pattern, text);
    if (prefix.len == 0) {
        *ret_bucket = BUCKET_ROOT;
        return TROUPE_OK;
    }
    uint32_t found = bucket_find(index, prefix);
    if (found == MAP_NONE)
        return bucket_add(index, prefix, ret_bucket);
    *ret_bucket = found;
    return TROUPE_OK;
}

/* --- rules --------------------------------------------------------------------------------------- */

troupe_status org_path_index_new(const struct hash_key *key, struct org_path_index **ret_index)
{
    struct org_path_index *index = calloc(1, sizeof(*index));
    if (index == NULL)
        return TROUPE_NO_MEMORY;
    index->key = *key;
    index->rule_free = MAP_NONE;
    for (int i = 0; i < BUCKET_FIRST_FREE; i++) {
        uint32_t bucket;
        troupe_status status = bucket_add(index, (struct prefix){.text = ""}, &bucket);
        if (status != TROUPE_OK) {
            org_path_index_free(index);
            return status;
        }
    }
    *ret_index = index;
    return TROUPE_OK;
}

void org_path_index_free(struct org_path_index *index)
{
    if (index == NULL)
        return;
    for (size_t i = 0; i < index->rule_count; i++)
        org_pattern_free(index->rules[i].pattern);
    for (size_t i = 0; i < index->bucket_count; i++)
        free(index->buckets[i].prefix);
    map_done(&index->bucket_map);
    free(index->buckets);
    free(index->rules);
    free(index->domains);
    free(index);
}

/* Makes sure that there is a place for one more rule and for this domain. */
static troupe_status make_room(struct org_path_index *index, uint32_t domain)
{
    size_t capacity = index->domain_count;
    troupe_status status =
        array_reserve(&index->domains, &capacity, (size_t)domain + 1, sizeof(*index->domains));
    if (status != TROUPE_OK)
        return status;
    for (; index->domain_count < capacity; index->domain_count++)
        index->domains[index->domain_count] = (struct domain){.first = MAP_NONE};
    if (index->domains[domain].count >= ORG_DOMAIN_PATTERNS_MAX)
        return TROUPE_LIMIT;
    if (index->rule_free != MAP_NONE)
        return TROUPE_OK;
    if (index->rule_count >= MAP_NONE)
        return TROUPE_LIMIT;
    return array_reserve(&index->rules, &index->rule_capacity, index->rule_count + 1, sizeof(*index->rules));
}

static uint32_t take_place(struct org_path_index *index)
{
    uint32_t place = index->rule_free;
    if (place == MAP_NONE)
        return (uint32_t)index->rule_count++;
    index->rule_free = index->rules[place].next_in_bucket;
    return place;
}

troupe_status org_path_index_add(struct org_path_index *index, uint32_t domain, const struct org_rule *rule,
                                 const char **ret_reason)
{
    struct org_pattern *pattern;
    uint32_t bucket;
    troupe_status status = make_room(index, domain);
    if (status == TROUPE_OK)
        status = org_pattern_new(rule->kind, rule->text, &pattern, ret_reason);
    if (status != TROUPE_OK)
        return status;
    status = bucket_for(index, pattern, &bucket);
    if (status != TROUPE_OK) {
        org_pattern_free(pattern);
        return status;
    }
    uint32_t place = take_place(index);
    index->rules[place] = (struct rule){
        .pattern = pattern,
        .order = ++index->order_last,
        .domain = domain,
        .line = rule->line,
        .list = rule->list,
        .bucket = bucket,
        .next_in_bucket = index->buckets[bucket].first,
        .next_in_domain = index->domains[domain].first,
        .kind = rule->kind,
        .is_owners = rule->kind == ORG_PATTERN_OWNERS,
        .is_exclude = rule->is_exclude,
    };
    index->buckets[bucket].first = place;
    index->domains[domain].first = place;
    index->domains[domain].count++;
    index->live_count++;
    return TROUPE_OK;
}

static void unlink_from_bucket(struct org_path_index *index, uint32_t place)
{
    uint32_t *link = &index->buckets[index->rules[place].bucket].first;
    while (*link != place)
        link = &index->rules[*link].next_in_bucket;
    *link = index->rules[place].next_in_bucket;
}

void org_path_index_remove(struct org_path_index *index, uint32_t domain)
{
    if (domain >= index->domain_count)
        return;
    uint32_t place = index->domains[domain].first;
    while (place != MAP_NONE) {
        struct rule *rule = &index->rules[place];
        uint32_t next = rule->next_in_domain;
        unlink_from_bucket(index, place);
        org_pattern_free(rule->pattern);
        *rule = (struct rule){.next_in_bucket = index->rule_free};
        index->rule_free = place;
        index->live_count--;
        place = next;
    }
    index->domains[domain] = (struct domain){.first = MAP_NONE};
}

size_t org_path_index_count(const struct org_path_index *index)
{
    return index->live_count;
}

/* --- finding ------------------------------------------------------------------------------------- */

static troupe_status matches_room(struct org_matches *matches, size_t needed)
{
    size_t capacity = matches->capacity;
    troupe_status status = array_reserve(&matches->hits, &capacity, needed, sizeof(*matches->hits));
    if (status == TROUPE_OK && capacity > matches->capacity) {
        size_t item_capacity = matches->capacity;
        status = array_reserve(&matches->items, &item_capacity, needed, sizeof(*matches->items));
        if (status == TROUPE_OK)
            matches->capacity = capacity;
    }
    return status;
}

static troupe_status collect(const struct org_path_index *index, uint32_t bucket, const struct org_path *path,
                             struct org_matches *matches, size_t *count)
{
    uint32_t place = index->buckets[bucket].first;
    for (; place != MAP_NONE; place = index->rules[place].next_in_bucket) {
        const struct rule *rule = &index->rules[place];
        if (!org_pattern_matches(rule->pattern, path))
            continue;
        troupe_status status = matches_room(matches, *count + 1);
        if (status != TROUPE_OK)
            return status;
        matches->hits[(*count)++].rule = rule;
    }
    return TROUPE_OK;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_precision(const struct rule *a, const struct rule *b)
{
    int compared =
        org_precision_compare(org_pattern_precision(a->pattern), org_pattern_precision(b->pattern));
    return compared != 0 ? compared : compare_numbers(a->order, b->order);
}

/*
 * Brings together what decides together, and puts the one that decides first: of a list the last one added,
 * of a domain an excluding one or else the most precise.
 */
static int compare_hits(const void *first, const void *second)
{
    const struct rule *a = ((const struct org_hit *)first)->rule;
    const struct rule *b = ((const struct org_hit *)second)->rule;
    if (a->is_owners != b->is_owners)
        return a->is_owners ? 1 : -1;
    if (a->is_owners) {
        int compared = compare_numbers(a->list, b->list);
        return compared != 0 ? compared : compare_numbers(b->order, a->order);
    }
    if (a->domain != b->domain)
        return compare_numbers(a->domain, b->domain);
    if (a->is_exclude != b->is_exclude)
        return a->is_exclude ? -1 : 1;
    return compare_precision(a, b);
}

static bool decide_together(const struct rule *a, const struct rule *b)
{
    return a->is_owners == b->is_owners && (a->is_owners ? a->list == b->list : a->domain == b->domain);
}

static int compare_match_precision(const struct org_match *a, const struct org_match *b)
{
    int compared =
        org_precision_compare(org_pattern_precision(a->pattern), org_pattern_precision(b->pattern));
    return compared != 0 ? compared : compare_numbers(a->order, b->order);
}

static int compare_matches_by_domain(const void *first, const void *second)
{
    const struct org_match *a = first;
    const struct org_match *b = second;
    return a->domain != b->domain ? compare_numbers(a->domain, b->domain) : compare_match_precision(a, b);
}

static int compare_matches(const void *first, const void *second)
{
    return compare_match_precision(first, second);
}

/* From the hits, sorted, to one match per domain, sorted. */
static void settle(struct org_matches *matches, size_t hit_count)
{
    size_t count = 0;
    for (size_t i = 0; i < hit_count; i++) {
        const struct rule *rule = matches->hits[i].rule;
        bool is_decided = i > 0 && decide_together(matches->hits[i - 1].rule, rule);
        if (!is_decided && !rule->is_exclude)
            matches->items[count++] = (struct org_match){.domain = rule->domain,
                                                         .line = rule->line,
                                                         .kind = rule->kind,
                                                         .pattern = rule->pattern,
                                                         .order = rule->order};
    }
    qsort(matches->items, count, sizeof(*matches->items), compare_matches_by_domain);
    for (size_t i = 0; i < count; i++) {
        if (matches->count == 0 || matches->items[matches->count - 1].domain != matches->items[i].domain)
            matches->items[matches->count++] = matches->items[i];
    }
    qsort(matches->items, matches->count, sizeof(*matches->items), compare_matches);
}

troupe_status org_path_index_find(const struct org_path_index *index, const char *path,
                                  struct org_matches *matches)
{
    struct org_path parsed;
    size_t hit_count = 0;
    troupe_status status = org_path_parse(path, &parsed);
    if (status != TROUPE_OK)
        return status;
    status = collect(index, BUCKET_ROOT, &parsed, matches, &hit_count);
    if (status == TROUPE_OK)
        status = collect(index, BUCKET_NAMES, &parsed, matches, &hit_count);
    for (size_t parts = 1; parts <= parsed.part_count && status == TROUPE_OK; parts++) {
        struct prefix prefix = {.text = path, .len = (size_t)parsed.starts[parts] - 1};
        uint32_t bucket = bucket_find(index, prefix);
        if (bucket != MAP_NONE)
            status = collect(index, bucket, &parsed, matches, &hit_count);
    }
    if (status != TROUPE_OK)
        return status;
    matches->count = 0;
    if (hit_count > 0) {
        qsort(matches->hits, hit_count, sizeof(*matches->hits), compare_hits);
        settle(matches, hit_count);
    }
    return TROUPE_OK;
}

void org_matches_done(struct org_matches *matches)
{
    free(matches->items);
    free(matches->hits);
    memset(matches, 0, sizeof(*matches));
}

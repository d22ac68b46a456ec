/* SPDX-License-Identifier: MIT */
/*
 * heads.c: where each stream ends; heads.h has the invariants. The heads lie in one array, their names in one
 * block, and the map finds a name's index. One thread at a time.
 */
#include "journal/heads.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* What map_find compares with. */
struct name {
    const char *text;
    size_t len;
};

void heads_init(struct heads *heads, const struct hash_key *key)
{
    memset(heads, 0, sizeof(*heads));
    heads->key = *key;
}

void heads_done(struct heads *heads)
{
    struct hash_key key = heads->key;
    free(heads->list);
    buffer_done(&heads->names);
    map_done(&heads->map);
    heads_init(heads, &key);
}

void heads_clear(struct heads *heads)
{
    heads->count = 0;
    buffer_clear(&heads->names);
    map_clear(&heads->map);
}

const char *heads_name(const struct heads *heads, const struct head *head)
{
    return (const char *)heads->names.bytes + head->name_at;
}

static bool is_named(const void *context, uint32_t index, const void *key)
{
    const struct heads *heads = context;
    const struct head *head = &heads->list[index];
    const struct name *name = key;
    return head->name_len == name->len && memcmp(heads_name(heads, head), name->text, name->len) == 0;
}

struct head *heads_find(const struct heads *heads, const char *name, size_t name_len)
{
    struct name key = {name, name_len};
    uint32_t index = map_find(&heads->map, hash_bytes(&heads->key, name, name_len), is_named, heads, &key);
    return index == MAP_NONE ? NULL : &heads->list[index];
}

troupe_status heads_add(struct heads *heads, const char *name, size_t name_len, struct head **ret_head)
{
    size_t name_at = heads->names.size;
    void *place;
    troupe_status status =
        array_reserve(&heads->list, &heads->capacity, (size_t)heads->count + 1, sizeof(*heads->list));
    if (status == TROUPE_OK)
        status = map_reserve(&heads->map, 1);
    if (status == TROUPE_OK)
        status = buffer_extend(&heads->names, name_len + 1, &place);
    if (status != TROUPE_OK)
        return status;

    char *copy = place;
    memcpy(copy, name, name_len);
    copy[name_len] = '\0';
    struct head *head = &heads->list[heads->count];
    *head = (struct head){.name_at = name_at, .name_len = (uint16_t)name_len};
    map_insert(&heads->map, hash_bytes(&heads->key, name, name_len), heads->count);
    heads->count++;
    *ret_head = head;
    return TROUPE_OK;
}

/* SPDX-License-Identifier: MIT */
/*
 * Any pattern on any path: the input is a byte for the notation, a pattern, a line feed, and a path. Neither
 * compiling nor matching reads where it must not, an index answers as the pattern alone, and nothing takes
 * long. One thread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "org/path_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text of exactly its bytes, so that the address sanitizer sees a read past its end. */
static char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static void check(enum org_pattern_kind kind, const char *text, const char *path_text)
{
    static const struct hash_key key = {{1, 2}};
    struct org_path_index *index;
    struct org_pattern *pattern;
    struct org_path path;
    struct org_matches found = {0};
    const char *reason = NULL;
    char prefix[ORG_PATTERN_LEN_MAX + 1];
    struct org_rule rule = {.kind = kind, .text = text};
    troupe_status status = org_pattern_new(kind, text, &pattern, &reason);
    if (status != TROUPE_OK) {
        ASSERT(status == TROUPE_NO_MEMORY || reason != NULL);
        return;
    }
    ASSERT(org_path_index_new(&key, &index) == TROUPE_OK);
    ASSERT(org_path_index_add(index, 0, &rule, &reason) == TROUPE_OK);
    ASSERT(org_pattern_prefix(pattern, prefix) == strlen(prefix));
    if (org_path_parse(path_text, &path) == TROUPE_OK) {
        ASSERT(org_path_index_find(index, path_text, &found) == TROUPE_OK);
        ASSERT(found.count == org_pattern_matches(pattern, &path));
    }
    org_matches_done(&found);
    org_path_index_free(index);
    org_pattern_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const uint8_t *line = memchr(data + 1, '\n', size - 1);
    size_t len = line == NULL ? size - 1 : (size_t)(line - data) - 1;
    char *text = text_of(data + 1, len);
    char *path = line == NULL ? text_of(data, 0) : text_of(line + 1, size - len - 2);
    check(data[0] % 3, text, path);
    free(text);
    free(path);
    return 0;
}

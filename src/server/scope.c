/* SPDX-License-Identifier: MIT */
/*
 * scope.c: sets of scopes and their words; scope.h says what they mean. Pure; any thread.
 */
#include "server/scope.h"

#include <stdio.h>
#include <string.h>

const char *const scope_names[SCOPE_COUNT] = {"read", "send", "work", "admin"};

_Static_assert(SCOPE_ALL == (1u << SCOPE_COUNT) - 1, "each scope has a name");

static unsigned scope_of_word(const char *word, size_t len)
{
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if (strlen(scope_names[i]) == len && memcmp(scope_names[i], word, len) == 0)
            return 1u << i;
    }
    return 0;
}

unsigned scope_of_words(const char *words)
{
    unsigned scopes = 0;
    if (*words == '\0')
        return SCOPE_ALL;
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        scopes |= scope_of_word(words, len);
        words += len;
        words += *words == ' ';
    }
    return scopes;
}

/* The names of a set, with a text between them and a quote around each ("" for none). */
static void join(unsigned scopes, const char *between, const char *quote, char *ret_text)
{
    size_t len = 0;
    ret_text[0] = '\0';
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if ((scopes & 1u << i) != 0)
            len += (size_t)snprintf(ret_text + len, SCOPE_TEXT_SIZE - len, "%s%s%s%s", len > 0 ? between : "",
                                    quote, scope_names[i], quote);
    }
}

void scope_to_words(unsigned scopes, char *ret_words)
{
    join(scopes == SCOPE_ALL ? 0 : scopes, " ", "", ret_words);
}

void scope_to_text(unsigned scopes, char *ret_text)
{
    join(scopes, " or ", "\"", ret_text);
}

/* SPDX-License-Identifier: MIT */
/*
 * absences.c: reading and writing the lines of absences.h. Pure; any thread.
 */
#include "org/absences.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { SOURCE_DIGITS = 16 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool absences_next(const char **cursor, struct org_imported_absence *ret_absence)
{
    char *end;
    if (!is_digit(**cursor))
        return false;
    ret_absence->from = strtoll(*cursor, &end, 10);
    if (end[0] != ' ' || !is_digit(end[1]))
        return false;
    ret_absence->until = strtoll(end + 1, &end, 10);
    ret_absence->source = 0;
    if (*end == ' ') {
        const char *source = end + 1;
        if (strspn(source, "0123456789abcdef") != SOURCE_DIGITS)
            return false;
        ret_absence->source = strtoull(source, &end, 16);
    }
    if (*end == '\n')
        end++;
    else if (*end != '\0')
        return false;
    *cursor = end;
    return true;
}

void absences_add(char *text, size_t size, const struct org_imported_absence *absence, bool has_source)
{
    size_t len = strlen(text);
    int added = snprintf(text + len, size - len, "%s%" PRId64 " %" PRId64, len > 0 ? "\n" : "", absence->from,
                         absence->until);
    ASSERT(added > 0 && (size_t)added < size - len);
    if (!has_source)
        return;
    len += (size_t)added;
    added = snprintf(text + len, size - len, " %016" PRIx64, absence->source);
    ASSERT((size_t)added < size - len);
}

bool absences_count(const char *text, bool has_source, size_t *ret_count)
{
    struct org_imported_absence absence;
    const char *line = text;
    *ret_count = 0;
    while (absences_next(&text, &absence)) {
        size_t blanks = 0;
        for (; line < text; line++)
            blanks += *line == ' ';
        if (blanks != (has_source ? 2u : 1u))
            return false;
        ++*ret_count;
    }
    return *text == '\0';
}

/* SPDX-License-Identifier: MIT */
/*
 * Reading a registry of ownership from any bytes: never past their end, and nothing dropped in silence: every
 * line of the file is empty, a title, an entry, part of a note, or a problem. One thread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "org/maintainers.h"
#include "org/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_section(const struct org_maintainers *read, const struct org_maintainers_section *section)
{
    ASSERT(org_name_is_role(section->name));
    ASSERT(section->first_line + section->line_count <= read->line_count);
    for (uint32_t i = 0; i < section->line_count; i++) {
        const struct org_maintainers_line *line = &read->lines[section->first_line + i];
        ASSERT(line->line > section->line);
        ASSERT(strlen(line->value) <= ORG_MAINTAINERS_LINE_LEN_MAX);
        ASSERT(line->person == ORG_PERSON_NONE || line->person < read->person_count);
        ASSERT(line->person == ORG_PERSON_NONE || line->letter == 'M' || line->letter == 'R');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct org_maintainers *read;
    if (org_maintainers_read((const char *)data, size, &read) != TROUPE_OK)
        return 0;
    uint32_t lines = 0;
    for (size_t i = 0; i < read->section_count; i++) {
        check_section(read, &read->sections[i]);
        lines += read->sections[i].line_count;
        for (size_t j = 0; j < i; j++)
            ASSERT(strcmp(read->sections[i].name, read->sections[j].name) != 0);
    }
    ASSERT(lines == read->line_count);
    for (size_t i = 0; i < read->person_count; i++) {
        ASSERT(org_name_is_actor(read->people[i].name));
        ASSERT(strchr(read->people[i].mail, '@') != NULL);
        for (size_t j = 0; j < i; j++)
            ASSERT(strcmp(read->people[i].name, read->people[j].name) != 0);
    }
    org_maintainers_free(read);
    return 0;
}

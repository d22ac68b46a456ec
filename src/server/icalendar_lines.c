/* SPDX-License-Identifier: MIT */
/*
 * icalendar_lines.c: the walk of icalendar_lines.h. Lines may end with a line feed alone, and the last one
 * with nothing, since files are like that. Pure; any thread.
 */
#include "server/icalendar_lines.h"

#include <string.h>
#include <strings.h>

void icalendar_lines_begin(struct icalendar_lines *lines, const void *bytes, size_t size)
{
    *lines = (struct icalendar_lines){.bytes = bytes, .size = size, .next_line = 1};
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        lines->offset = 3;
}

void icalendar_lines_done(struct icalendar_lines *lines)
{
    buffer_done(&lines->room);
}

/* Adds the physical line that begins here, without its end. */
static troupe_status add_physical(struct icalendar_lines *lines)
{
    const char *from = lines->bytes + lines->offset;
    size_t left = lines->size - lines->offset;
    const char *feed = memchr(from, '\n', left);
    size_t len = feed != NULL ? (size_t)(feed - from) : left;
    lines->offset += len + (feed != NULL ? 1 : 0);
    lines->next_line++;
    if (len > 0 && from[len - 1] == '\r')
        len--;
    return buffer_append(&lines->room, from, len);
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Finds the name, and the colon that no quotes are around. */
static bool cut(struct icalendar_lines *lines)
{
    const char *at = lines->text;
    bool is_quoted = false;
    while (is_name_character(*at))
        at++;
    lines->name_len = (size_t)(at - lines->text);
    if (lines->name_len == 0 || (*at != ':' && *at != ';'))
        return false;
    for (; *at != '\0' && (*at != ':' || is_quoted); at++) {
        if (*at == '"')
            is_quoted = !is_quoted;
    }
    lines->value = at + 1;
    return *at == ':';
}

troupe_status icalendar_lines_next(struct icalendar_lines *lines)
{
    buffer_clear(&lines->room);
    while (lines->room.size == 0) {
        if (lines->offset >= lines->size)
            return TROUPE_END;
        lines->line = lines->next_line;
        troupe_status status = add_physical(lines);
        while (status == TROUPE_OK && lines->room.size > 0 && lines->offset < lines->size &&
               (lines->bytes[lines->offset] == ' ' || lines->bytes[lines->offset] == '\t')) {
            lines->offset++;
            status = add_physical(lines);
        }
        if (status != TROUPE_OK)
            return status;
    }
    troupe_status status = buffer_terminate(&lines->room);
    if (status != TROUPE_OK)
        return status;
    lines->text = (const char *)lines->room.bytes;
    return memchr(lines->text, '\0', lines->room.size) == NULL && cut(lines) ? TROUPE_OK : TROUPE_MALFORMED;
}

bool icalendar_line_is(const struct icalendar_lines *lines, const char *name)
{
    return strlen(name) == lines->name_len && strncasecmp(lines->text, name, lines->name_len) == 0;
}

/* Where the value of the parameter at `*cursor` ends; the cursor moves behind it. */
static size_t value_len(const char **cursor)
{
    const char *from = *cursor;
    bool is_quoted = false;
    for (; (**cursor != ';' && **cursor != ':') || is_quoted; ++*cursor) {
        if (**cursor == '"')
            is_quoted = !is_quoted;
    }
    return (size_t)(*cursor - from);
}

bool icalendar_line_parameter(const struct icalendar_lines *lines, const char *name, char *ret_value,
                              size_t size)
{
    const char *cursor = lines->text + lines->name_len;
    size_t name_len = strlen(name);
    while (*cursor == ';') {
        const char *parameter = ++cursor;
        size_t len = value_len(&cursor);
        if (len <= name_len || strncasecmp(parameter, name, name_len) != 0 || parameter[name_len] != '=')
            continue;
        const char *value = parameter + name_len + 1;
        len -= name_len + 1;
        if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
            value++;
            len -= 2;
        }
        if (len >= size)
            len = size - 1;
        memcpy(ret_value, value, len);
        ret_value[len] = '\0';
        return true;
    }
    return false;
}

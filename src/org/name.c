/* SPDX-License-Identifier: MIT */
/*
 * name.c: what things are called; name.h has the rule. Pure functions, any thread.
 */
#include "org/name.h"

#include <stdint.h>
#include <string.h>

_Static_assert(ORG_ACTOR_NAME_LEN_MAX + 1 == ORG_NAME_LEN_MAX, "\"@\" and an actor's name are a name");

/* The characters of names, a bit for each of ASCII: "-", ".", "0" to "9", "_" and "a" to "z". */
static const uint64_t name_bytes[2] = {UINT64_C(0x03ff600000000000), UINT64_C(0x07fffffe80000000)};

/* By hand and not by ctype: the rule does not depend on a locale. */
static bool is_name_byte(char byte)
{
    unsigned char place = (unsigned char)byte;
    return place < 0x80 && (name_bytes[place >> 6] >> (place & 63) & 1) != 0;
}

/* The length of the part at the start of `text`, or 0 when it is not a good one. */
static size_t part_len(const char *text)
{
    size_t len = 0;
    bool is_only_dots = true;
    for (; is_name_byte(text[len]); len++)
        is_only_dots = is_only_dots && text[len] == '.';
    return is_only_dots ? 0 : len;
}

bool org_name_is_role(const char *text)
{
    if (strnlen(text, ORG_NAME_LEN_MAX + 1) > ORG_NAME_LEN_MAX)
        return false;
    for (;;) {
        size_t len = part_len(text);
        if (len == 0)
            return false;
        text += len;
        if (*text == '\0')
            return true;
        if (*text != '/')
            return false;
        text++;
    }
}

bool org_name_is_actor(const char *text)
{
    size_t len = part_len(text);
    return len > 0 && len <= ORG_ACTOR_NAME_LEN_MAX && text[len] == '\0';
}

bool org_name_is_address(const char *text)
{
    return text[0] == '@' ? org_name_is_actor(text + 1) : org_name_is_role(text);
}

size_t org_name_slug(const char *text, size_t len_max, char *ret_slug)
{
    size_t len = 0;
    bool is_gap = false;
    bool is_only_dots = true;
    for (; *text != '\0' && len < len_max; text++) {
        char byte = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (!is_name_byte(byte) || byte == '-') {
            is_gap = len > 0;
            continue;
        }
        if (is_gap) {
            if (len + 1 >= len_max)
                break; /* the gap would be the end */
            ret_slug[len++] = '-';
            is_gap = false;
        }
        ret_slug[len++] = byte;
        is_only_dots = is_only_dots && byte == '.';
    }
    if (is_only_dots)
        len = 0;
    ret_slug[len] = '\0';
    return len;
}

void org_name_personal(const char *actor, char *ret_name)
{
    size_t len = strnlen(actor, ORG_ACTOR_NAME_LEN_MAX);
    ret_name[0] = '@';
    memcpy(ret_name + 1, actor, len);
    ret_name[len + 1] = '\0';
}

bool org_name_is_in(const char *name, const char *lines)
{
    size_t len = strlen(name);
    for (const char *at = lines; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == '\n'))
            return true;
    }
    return false;
}

void org_name_first(const char *lines, char *ret_name)
{
    size_t len = strcspn(lines, "\n");
    len = len < ORG_NAME_LEN_MAX ? len : ORG_NAME_LEN_MAX;
    memcpy(ret_name, lines, len);
    ret_name[len] = '\0';
}

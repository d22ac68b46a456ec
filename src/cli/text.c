/* SPDX-License-Identifier: MIT */
/*
 * text.c: see text.h. Widths come from wcwidth, whose table depends on the locale that main sets; where the
 * locale knows only ASCII, every other character counts as one column.
 */
#include "cli/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "cli/exit.h"

enum {
    ESCAPE_MAX = 8, /* bytes of the longest escape, "\u202e", with room */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    WEEK_MS = 7 * DAY_MS,
    AGO_DAYS_MAX = 30,
};

/* Relative deadlines beyond ten years are a slip of the finger. */
#define RELATIVE_MAX ((int64_t)10 * 365 * DAY_MS)

void *text_must(void *pointer)
{
    if (pointer == NULL) {
        fputs("troupe: out of memory\n", stderr);
        exit(CLI_FAILED);
    }
    return pointer;
}

/*
 * One character of `text`; its length in bytes, or 0 where the bytes are not UTF-8 (overlong and surrogates
 * included).
 */
static size_t decode(const char *text, uint32_t *ret_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80       ? 1
                    : bytes[0] >> 5 == 6  ? 2
                    : bytes[0] >> 4 == 14 ? 3
                    : bytes[0] >> 3 == 30 ? 4
                                          : 0;
    if (length == 0)
        return 0;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] >> 6 != 2)
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (character < least[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret_character = character;
    return length;
}

bool text_is_utf8(const char *text)
{
    while (*text != '\0') {
        uint32_t character;
        size_t length = decode(text, &character);
        if (length == 0)
            return false;
        text += length;
    }
    return true;
}

/* Characters that act on a terminal or on the order of what is read, instead of being seen. */
static bool is_hidden(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x200e ||
           character == 0x200f || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0x2028 || character == 0x2029 ||
           character == 0xfeff;
}

char *text_clean(const char *text, bool keep_lines)
{
    char *clean = text_must(malloc(strlen(text) * ESCAPE_MAX + 1));
    char *end = clean;
    while (*text != '\0') {
        uint32_t character = 0;
        size_t length = decode(text, &character);
        if (length == 0) {
            end += snprintf(end, ESCAPE_MAX, "\\x%02x", (unsigned char)*text);
            text++;
            continue;
        }
        if (character == '\n' || character == '\t')
            *end++ = keep_lines ? *text : ' ';
        else if (!is_hidden(character))
            end = mempcpy(end, text, length);
        else if (!(keep_lines && character == '\r' && text[1] == '\n'))
            end += snprintf(end, ESCAPE_MAX, character < 0x100 ? "\\x%02x" : "\\u%04x", character);
        text += length;
    }
    *end = '\0';
    return clean;
}

static size_t character_width(uint32_t character)
{
    int width = wcwidth((wchar_t)character);
    return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        uint32_t character = 0;
        size_t length = decode(text, &character);
        width += length == 0 ? 1 : character_width(character);
        text += length == 0 ? 1 : length;
    }
    return width;
}

size_t text_fitting(const char *text, size_t width)
{
    size_t at = 0;
    while (text[at] != '\0') {
        uint32_t character = 0;
        size_t length = decode(text + at, &character);
        size_t wide = length == 0 ? 1 : character_width(character);
        if (wide > width)
            break;
        width -= wide;
        at += length == 0 ? 1 : length;
    }
    return at;
}

const char *text_duration(int64_t duration_ms, char ret_text[TEXT_TIME_MAX])
{
    static const struct {
        int64_t unit_ms;
        const char *name;
    } units[] = {{DAY_MS, "d"}, {HOUR_MS, "h"}, {MINUTE_MS, "min"}, {SECOND_MS, "s"}, {1, "ms"}};
    if (duration_ms < 0)
        duration_ms = 0;
    size_t i = 0;
    while (units[i].unit_ms > 1 && duration_ms < units[i].unit_ms)
        i++;
    snprintf(ret_text, TEXT_TIME_MAX, "%" PRId64 " %s", duration_ms / units[i].unit_ms, units[i].name);
    return ret_text;
}

/*
 * What is still to come, rounded to the unit below the one that will be shown: somebody who wrote "2 days"
 * and looks a second later reads "in 2 d", not "in 1 d".
 */
static int64_t rounded(int64_t distance_ms)
{
    static const int64_t steps[][2] = {
        {DAY_MS, HOUR_MS}, {HOUR_MS, MINUTE_MS}, {MINUTE_MS, SECOND_MS}, {SECOND_MS, SECOND_MS}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (distance_ms + steps[i][1] / 2 >= steps[i][0])
            return (distance_ms + steps[i][1] / 2) / steps[i][1] * steps[i][1];
    return distance_ms;
}

const char *text_ago(int64_t now_ms, int64_t then_ms, char ret_text[TEXT_TIME_MAX])
{
    char length[TEXT_TIME_MAX];
    int64_t distance = then_ms > now_ms ? then_ms - now_ms : now_ms - then_ms;
    if (distance > (int64_t)AGO_DAYS_MAX * DAY_MS) {
        time_t seconds = (time_t)(then_ms / SECOND_MS);
        struct tm day;
        if (localtime_r(&seconds, &day) == NULL || strftime(ret_text, TEXT_TIME_MAX, "%Y-%m-%d", &day) == 0)
            snprintf(ret_text, TEXT_TIME_MAX, "%" PRId64 " ms", then_ms);
    } else if (distance < SECOND_MS) {
        snprintf(ret_text, TEXT_TIME_MAX, "now");
    } else if (then_ms > now_ms) {
        snprintf(ret_text, TEXT_TIME_MAX, "in %s", text_duration(rounded(distance), length));
    } else {
        snprintf(ret_text, TEXT_TIME_MAX, "%s ago", text_duration(distance, length));
    }
    return ret_text;
}

const char *text_number(int64_t number, char ret_text[TEXT_TIME_MAX])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRId64, number);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        ret_text[at++] = digits[i];
        int left = count - 1 - i;
        if (left > 0 && left % 3 == 0 && isdigit((unsigned char)digits[i]))
            ret_text[at++] = ',';
    }
    ret_text[at] = '\0';
    return ret_text;
}

bool text_read_number(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_relative(const char *text, int64_t now_ms, int64_t *ret_time_ms)
{
    static const struct {
        const char *name;
        int64_t unit_ms;
    } units[] = {{"s", SECOND_MS}, {"m", MINUTE_MS}, {"min", MINUTE_MS},
                 {"h", HOUR_MS},   {"d", DAY_MS},    {"w", WEEK_MS}};
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (errno == 0 && strcmp(end, units[i].name) == 0 && number <= RELATIVE_MAX / units[i].unit_ms) {
            *ret_time_ms = now_ms + number * units[i].unit_ms;
            return true;
        }
    return false;
}

/*
 * "", "Z" or "+hh:mm" after a time of day: whether it is one, whether it is there, and the seconds east of
 * Greenwich.
 */
static bool read_zone(const char *text, bool *ret_is_local, int *ret_east_s)
{
    *ret_is_local = *text == '\0';
    *ret_east_s = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0)
        return true;
    int hours, minutes, end = 0;
    if ((text[0] != '+' && text[0] != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2)
        return false;
    if (end != 5 || text[6] != '\0' || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return false;
    *ret_east_s = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
    return true;
}

/*
 * True when `text` matches `pattern`, in which 9 stands for a digit and ? for 'T' or a space, as far as the
 * pattern goes.
 */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; text++, pattern++) {
        bool same = *pattern == '9'   ? isdigit((unsigned char)*text) != 0
                    : *pattern == '?' ? *text == 'T' || *text == ' '
                                      : *text == *pattern;
        if (!same)
            return false;
    }
    return true;
}

bool text_read_time(const char *text, int64_t now_ms, int64_t *ret_time_ms)
{
    if (read_relative(text, now_ms, ret_time_ms))
        return true;
    if (!looks_like(text, "9999-99-99"))
        return false;
    struct tm given = {.tm_isdst = -1, .tm_hour = 23, .tm_min = 59, .tm_sec = 59};
    bool is_local = true;
    int east_s = 0;
    sscanf(text, "%4d-%2d-%2d", &given.tm_year, &given.tm_mon, &given.tm_mday);
    given.tm_year -= 1900;
    given.tm_mon -= 1;
    if (text[10] != '\0') {
        if (!looks_like(text + 10, "?99:99"))
            return false;
        sscanf(text + 11, "%2d:%2d", &given.tm_hour, &given.tm_min);
        given.tm_sec = 0;
        const char *rest = text + 16;
        if (looks_like(rest, ":99")) {
            sscanf(rest, ":%2d", &given.tm_sec);
            rest += 3;
        }
        if (!read_zone(rest, &is_local, &east_s))
            return false;
    }
    struct tm kept = given;
    time_t seconds = is_local ? mktime(&kept) : timegm(&kept);
    /* mktime turns the 31st of April into the 1st of May; a person who wrote that meant neither. */
    if (kept.tm_mday != given.tm_mday || kept.tm_mon != given.tm_mon || kept.tm_hour != given.tm_hour ||
        kept.tm_min != given.tm_min || kept.tm_sec != given.tm_sec)
        return false;
    *ret_time_ms = ((int64_t)seconds - east_s) * SECOND_MS;
    return true;
}

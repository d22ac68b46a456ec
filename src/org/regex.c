/* SPDX-License-Identifier: MIT */
/*
 * regex.c: regular expressions on paths; regex.h has the rules. One pass over the expression translates it
 * for libc, refuses what must not get there, and collects the longest text that every match contains. Pure,
 * any thread.
 *
 * The literal text. A run is a stretch of plain characters outside groups; a character that a repetition
 * makes optional ends the run before itself, one that must occur at least once ends it after itself. With an
 * alternative outside groups nothing is certain and there is no literal.
 */
#include "org/regex.h"

#include <ctype.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "org/limits.h"

enum { BYTE_COUNT = 256 };

struct org_regex {
    bool is_plain; /* the literal is all there is to it; `compiled` is unused */
    regex_t compiled;
    char literal[ORG_PATTERN_LEN_MAX + 1];
};

/* The one pass. `at` moves on; everything else is what it has found so far. */
struct translation {
    const char *at;
    const char *reason;   /* set when the expression is refused */
    struct buffer output; /* for regcomp */
    size_t depth;         /* open groups */
    bool has_atom;        /* something stands before, so a repetition may follow */
    bool has_repetition[ORG_PATTERN_NESTING_MAX +
                        1];     /* {n} seen, by depth: the group around must not be repeated by {n} too */
    bool closed_has_repetition; /* the atom just closed was a group with {n} inside */
    bool has_operator;          /* anything but plain characters was seen */
    bool has_alternative;       /* "|" outside groups */
    size_t run_len;
    char run[ORG_PATTERN_LEN_MAX + 1];
    size_t literal_len;
    char literal[ORG_PATTERN_LEN_MAX + 1];
};

/* Why an expression is refused. */
static const char reason_back_reference[] =
    "back-references have no counterpart in POSIX regular expressions";
static const char reason_look_around[] =
    "groups that begin with (? have no counterpart in POSIX regular expressions, except (?: )";
static const char reason_escape[] = "an escape that has no counterpart in POSIX regular expressions";
static const char reason_bracket_open[] = "a [ without its ]";
static const char reason_bracket_class[] = "a class in brackets that is not known";
static const char reason_bracket_range[] = "a range in brackets that runs backwards";
static const char reason_bracket_empty[] = "brackets that hold no character";
static const char reason_group_open[] = "a ( without its )";
static const char reason_group_close[] = "a ) without its (";
static const char reason_group_depth[] = "groups are nested deeper than the limit";
static const char reason_nothing_to_repeat[] = "a repetition with nothing before it";
static const char reason_repeated_twice[] = "two repetitions in a row";
static const char reason_braces[] = "a { that begins no repetition {n}, {n,} or {n,m}";
static const char reason_braces_limit[] = "a repetition {n} beyond the limit";
static const char reason_braces_nested[] = "a repetition {n} of something that already holds one";
static const char reason_len[] = "longer than the limit";
static const char reason_empty[] = "an empty expression matches every path";
static const char reason_libc[] = "it is not a POSIX extended regular expression";

/* --- the literal text ---------------------------------------------------------------------------- */

static void run_end(struct translation *t)
{
    if (t->run_len > t->literal_len) {
        memcpy(t->literal, t->run, t->run_len);
        t->literal_len = t->run_len;
    }
    t->run_len = 0;
}

static void run_operator(struct translation *t)
{
    t->has_operator = true;
    run_end(t);
}

/* --- output -------------------------------------------------------------------------------------- */

static troupe_status put(struct translation *t, const char *text)
{
    return buffer_append(&t->output, text, strlen(text));
}

static troupe_status put_byte(struct translation *t, char byte)
{
    return buffer_append(&t->output, &byte, 1);
}

static troupe_status refuse(struct translation *t, const char *reason)
{
    t->reason = reason;
    return TROUPE_INVALID;
}

/* One character that stands for itself. */
static troupe_status put_literal(struct translation *t, char byte)
{
    troupe_status status = TROUPE_OK;
    if (strchr(".[\\()*+?{|^$", byte) != NULL)
        status = put_byte(t, '\\');
    if (status == TROUPE_OK)
        status = put_byte(t, byte);
    t->has_atom = true;
    t->closed_has_repetition = false;
    if (t->depth == 0)
        t->run[t->run_len++] = byte;
    return status;
}

/* --- brackets ------------------------------------------------------------------------------------ */

struct byte_set {
    bool has[BYTE_COUNT];
};

static void set_add_range(struct byte_set *set, unsigned char first, unsigned char last)
{
    for (unsigned byte = first; byte <= last; byte++)
        set->has[byte] = true;
}

static bool set_add_class(struct byte_set *set, const char *name, size_t len)
{
    static const struct {
        const char *name;
        int (*is_in)(int);
    } classes[] = {{"alpha", isalpha}, {"digit", isdigit}, {"alnum", isalnum},
                   {"upper", isupper}, {"lower", islower}, {"space", isspace},
                   {"punct", ispunct}, {"blank", isblank}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strlen(classes[i].name) != len || memcmp(classes[i].name, name, len) != 0)
            continue;
        for (int byte = 0; byte < BYTE_COUNT / 2; byte++) {
            if (classes[i].is_in(byte))
                set->has[byte] = true;
        }
        return true;
    }
    return false;
}

/* \d, \s or \w. Whether the letter is one of them. */
static bool set_add_escape(struct byte_set *set, char letter)
{
    if (letter == 'w')
        set->has['_'] = true;
    return letter == 'd'   ? set_add_class(set, "digit", 5)
           : letter == 's' ? set_add_class(set, "space", 5)
           : letter == 'w' ? set_add_class(set, "alnum", 5)
                           : false;
}

/*
 * Writes a set as a POSIX bracket expression: "]" first, "[" before something that makes no class of it, "^"
 * and "-" last. Without a locale the bytes from 128 on are characters like any other.
 */
static troupe_status put_set(struct translation *t, const struct byte_set *set)
{
    size_t count = 0;
    for (int byte = 1; byte < BYTE_COUNT; byte++)
        count += set->has[byte];
    if (count == 0)
        return refuse(t, reason_bracket_empty);
    if (count == 1 && set->has['^'])
        return put(t, "\\^");

    troupe_status status = put(t, set->has[']'] ? "[]" : "[");
    for (int byte = 1; byte < BYTE_COUNT && status == TROUPE_OK; byte++) {
        if (!set->has[byte] || strchr("]-[^", byte) != NULL)
            continue;
        int last = byte;
        while (last + 1 < BYTE_COUNT && set->has[last + 1] && strchr("]-[^", last + 1) == NULL)
            last++;
        status = put_byte(t, (char)byte);
        if (status == TROUPE_OK && last > byte + 1)
            status = put_byte(t, '-');
        if (status == TROUPE_OK && last > byte)
            status = put_byte(t, (char)last);
        byte = last;
    }
    if (status == TROUPE_OK && set->has['['])
        status = put_byte(t, '[');
    if (status == TROUPE_OK && set->has['^'])
        status = put_byte(t, '^');
    if (status == TROUPE_OK && set->has['-'])
        status = put_byte(t, '-');
    return status == TROUPE_OK ? put_byte(t, ']') : status;
}

/*
 * One thing inside brackets that can begin or end a range; -1 when it was a class, which is then in the set.
 */
static troupe_status read_bracket_item(struct translation *t, struct byte_set *set, int *ret_byte)
{
    if (t->at[0] == '\0')
        return refuse(t, reason_bracket_open);
    if (t->at[0] == '[' && t->at[1] == ':') {
        const char *end = strstr(t->at + 2, ":]");
        if (end == NULL || !set_add_class(set, t->at + 2, (size_t)(end - t->at) - 2))
            return refuse(t, reason_bracket_class);
        t->at = end + 2;
        *ret_byte = -1;
        return TROUPE_OK;
    }
    if (t->at[0] == '[' && (t->at[1] == '.' || t->at[1] == '='))
        return refuse(t, reason_bracket_class);
    if (t->at[0] != '\\') {
        *ret_byte = (unsigned char)*t->at++;
        return TROUPE_OK;
    }
    char escaped = t->at[1];
    t->at += escaped == '\0' ? 1 : 2;
    if (set_add_escape(set, escaped)) {
        *ret_byte = -1;
        return TROUPE_OK;
    }
    if (escaped == '\0' || isalnum((unsigned char)escaped))
        return refuse(t, reason_escape);
    *ret_byte = (unsigned char)escaped;
    return TROUPE_OK;
}

static troupe_status read_bracket(struct translation *t)
{
    struct byte_set set = {{false}};
    t->at++;
    bool is_negated = *t->at == '^';
    t->at += is_negated;
    for (bool is_first = true; is_first || *t->at != ']'; is_first = false) {
        int first;
        int last;
        troupe_status status = read_bracket_item(t, &set, &first);
        if (status != TROUPE_OK)
            return status;
        if (first < 0)
            continue;
        last = first;
        if (t->at[0] == '-' && t->at[1] != ']' && t->at[1] != '\0') {
            t->at++;
            status = read_bracket_item(t, &set, &last);
            if (status != TROUPE_OK)
                return status;
            if (last < first)
                return refuse(t, reason_bracket_range);
        }
        set_add_range(&set, (unsigned char)first, (unsigned char)last);
    }
    t->at++;
    if (is_negated) {
        for (int byte = 1; byte < BYTE_COUNT; byte++)
            set.has[byte] = !set.has[byte];
    }
    run_operator(t);
    t->has_atom = true;
    t->closed_has_repetition = false;
    return put_set(t, &set);
}

/* --- everything else ----------------------------------------------------------------------------- */

static troupe_status read_escape(struct translation *t)
{
    char escaped = t->at[1];
    if (escaped == '\0')
        return refuse(t, reason_escape);
    t->at += 2;
    if (strchr("dswDSW", escaped) != NULL) {
        struct byte_set set = {{false}};
        set_add_escape(&set, (char)tolower((unsigned char)escaped));
        for (int byte = 1; byte < BYTE_COUNT && isupper((unsigned char)escaped); byte++)
            set.has[byte] = !set.has[byte];
        run_operator(t);
        t->has_atom = true;
        t->closed_has_repetition = false;
        return put_set(t, &set);
    }
    if (isdigit((unsigned char)escaped))
        return refuse(t, reason_back_reference);
    if (isalpha((unsigned char)escaped))
        return refuse(t, reason_escape);
    return put_literal(t, escaped);
}

static troupe_status read_group_open(struct translation *t)
{
    run_operator(t);
    if (t->depth == ORG_PATTERN_NESTING_MAX)
        return refuse(t, reason_group_depth);
    if (t->at[1] == '?' && t->at[2] != ':')
        return refuse(t, reason_look_around);
    t->at += t->at[1] == '?' ? 3 : 1;
    t->depth++;
    t->has_repetition[t->depth] = false;
    t->has_atom = false;
    return put_byte(t, '(');
}

static troupe_status read_group_close(struct translation *t)
{
    if (t->depth == 0)
        return refuse(t, reason_group_close);
    t->at++;
    t->closed_has_repetition = t->has_repetition[t->depth];
    t->depth--;
    t->has_repetition[t->depth] = t->has_repetition[t->depth] || t->closed_has_repetition;
    t->has_atom = true;
    return put_byte(t, ')');
}

/* A number of at most four digits; -1 for none. */
static int read_number(struct translation *t)
{
    int number = -1;
    for (int i = 0; i < 4 && isdigit((unsigned char)*t->at); i++)
        number = (number < 0 ? 0 : number * 10) + (*t->at++ - '0');
    return number;
}

/* {n}, {n,} or {n,m}; gives n and copies it as it is. */
static troupe_status read_braces(struct translation *t, int *ret_least)
{
    const char *begin = t->at++;
    int least = read_number(t);
    int most = least;
    if (*t->at == ',') {
        t->at++;
        most = read_number(t);
    }
    if (*t->at != '}' || least < 0)
        return refuse(t, reason_braces);
    t->at++;
    if (least > ORG_PATTERN_REPEAT_MAX || most > ORG_PATTERN_REPEAT_MAX)
        return refuse(t, reason_braces_limit);
    if (t->closed_has_repetition)
        return refuse(t, reason_braces_nested);
    t->has_repetition[t->depth] = true;
    *ret_least = least;
    return buffer_append(&t->output, begin, (size_t)(t->at - begin));
}

static troupe_status read_repetition(struct translation *t)
{
    troupe_status status;
    int least = *t->at == '+' ? 1 : 0;
    if (!t->has_atom)
        return refuse(t, reason_nothing_to_repeat);
    if (*t->at == '{') {
        status = read_braces(t, &least);
    } else {
        status = put_byte(t, *t->at);
        t->at++;
    }
    if (status != TROUPE_OK)
        return status;
    if (least == 0 && t->run_len > 0)
        t->run_len--;
    run_operator(t);
    if (*t->at == '?')
        t->at++; /* "as few as possible" matches the same paths */
    if (*t->at != '\0' && strchr("*+?{", *t->at) != NULL)
        return refuse(t, reason_repeated_twice);
    return TROUPE_OK;
}

static troupe_status read_operator(struct translation *t)
{
    char byte = *t->at++;
    run_operator(t);
    t->closed_has_repetition = false;
    t->has_atom = byte == '.';
    if (byte == '|' && t->depth == 0)
        t->has_alternative = true;
    return put_byte(t, byte);
}

static troupe_status read_one(struct translation *t)
{
    switch (*t->at) {
    case '\\':
        return read_escape(t);
    case '[':
        return read_bracket(t);
    case '(':
        return read_group_open(t);
    case ')':
        return read_group_close(t);
    case '*':
    case '+':
    case '?':
    case '{':
        return read_repetition(t);
    case '.':
    case '^':
    case '$':
    case '|':
        return read_operator(t);
    default:
        return put_literal(t, *t->at++);
    }
}

static troupe_status translate(struct translation *t)
{
    if (*t->at == '\0')
        return refuse(t, reason_empty);
    if (strnlen(t->at, ORG_PATTERN_LEN_MAX + 1) > ORG_PATTERN_LEN_MAX)
        return refuse(t, reason_len);
    while (*t->at != '\0') {
        troupe_status status = read_one(t);
        if (status != TROUPE_OK)
            return status;
    }
    if (t->depth > 0)
        return refuse(t, reason_group_open);
    run_end(t);
    if (t->has_alternative)
        t->literal_len = 0;
    return buffer_terminate(&t->output);
}

static troupe_status compile(struct translation *t, struct org_regex *regex)
{
    memcpy(regex->literal, t->literal, t->literal_len);
    regex->literal[t->literal_len] = '\0';
    regex->is_plain = !t->has_operator;
    if (regex->is_plain)
        return TROUPE_OK;
    int error = regcomp(&regex->compiled, (const char *)t->output.bytes, REG_EXTENDED | REG_NOSUB);
    if (error == REG_ESPACE)
        return TROUPE_NO_MEMORY;
    return error == 0 ? TROUPE_OK : refuse(t, reason_libc);
}

troupe_status org_regex_new(const char *text, struct org_regex **ret_regex, const char **ret_reason)
{
    struct translation translation = {.at = text};
    struct org_regex *regex = malloc(sizeof(*regex));
    troupe_status status = regex == NULL ? TROUPE_NO_MEMORY : translate(&translation);
    if (status == TROUPE_OK)
        status = compile(&translation, regex);
    buffer_done(&translation.output);
    if (status != TROUPE_OK) {
        free(regex);
        if (status == TROUPE_INVALID)
            *ret_reason = translation.reason;
        return status;
    }
    *ret_regex = regex;
    return TROUPE_OK;
}

void org_regex_free(struct org_regex *regex)
{
    if (regex == NULL)
        return;
    if (!regex->is_plain)
        regfree(&regex->compiled);
    free(regex);
}

/*
 * Out of memory inside libc's matcher counts as no match; it has no other way to say so that a caller could
 * act on.
 */
bool org_regex_matches(const struct org_regex *regex, const char *text)
{
    if (regex->is_plain)
        return strstr(text, regex->literal) != NULL;
    if (regex->literal[0] != '\0' && strstr(text, regex->literal) == NULL)
        return false;
    return regexec(&regex->compiled, text, 0, NULL, 0) == 0;
}

const char *org_regex_literal(const struct org_regex *regex)
{
    return regex->literal;
}

/* SPDX-License-Identifier: MIT */
/*
 * pattern.c: which paths belong to a domain; pattern.h has the three notations and what they mean. Pure, any
 * thread.
 *
 * Both glob notations are compiled to the same list of parts, so one matcher serves them. It goes through
 * parts and path together and remembers only the last "**": when something fails, that one takes a component
 * more. This is enough (an earlier "**" that took more could not help, since the last one can take the same
 * components), and it keeps the time within parts times components. The same holds for "*" within a
 * component.
 */
#include "org/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "org/regex.h"

enum part_kind {
    PART_LITERAL,
    PART_GLOB,
    PART_ANY,     /* "*": one component, whatever it is */
    PART_FOLDERS, /* "**": any number of components */
};

struct part {
    uint8_t kind;
    uint16_t start; /* in the pattern's bytes */
    uint16_t len;
};

/* Parts that the compiler may add to the written ones: "**" in front, "*" and "**" behind. */
enum { PARTS_ADDED = 3 };

struct org_pattern {
    struct org_regex *regex; /* only for ORG_PATTERN_NAME */
    struct org_precision precision;
    uint16_t part_count;
    char *text;          /* as written */
    char *bytes;         /* what the parts point into: literals freed of backslashes */
    struct part parts[]; /* behind them lie the text and the bytes */
};

_Static_assert(ORG_PATTERN_LEN_MAX <= UINT16_MAX, "places in a pattern fit 16 bits");
_Static_assert(ORG_PATH_LEN_MAX + 1 <= UINT16_MAX, "places in a path fit 16 bits, the one after its end too");

/* --- one component ------------------------------------------------------------------------------- */

/*
 * The bytes of the character at the start of a non-empty text: UTF-8, where what is malformed counts byte by
 * byte.
 */
static size_t character_len(const char *text, size_t len)
{
    size_t size = 1;
    if (((unsigned char)text[0] & 0xc0) == 0xc0) {
        while (size < len && size < 4 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size++;
    }
    return size;
}

/* Where the class that begins at glob[0] == '[' ends: the place of its "]"; `len` when it has none. */
static size_t class_end(const char *glob, size_t len)
{
    size_t at = 1;
    if (at < len && (glob[at] == '!' || glob[at] == '^'))
        at++;
    if (at < len && glob[at] == ']')
        at++;
    while (at < len && glob[at] != ']')
        at++;
    return at;
}

static bool class_has(const char *glob, size_t end, char byte)
{
    size_t at = 1;
    bool is_negated = glob[at] == '!' || glob[at] == '^';
    bool is_in = false;
    at += is_negated;
    while (at < end) {
        unsigned char first = (unsigned char)glob[at];
        unsigned char last = first;
        if (at + 2 < end && glob[at + 1] == '-') {
            last = (unsigned char)glob[at + 2];
            at += 2;
        }
        is_in = is_in || ((unsigned char)byte >= first && (unsigned char)byte <= last);
        at++;
    }
    return is_in != is_negated;
}

/*
 * Matches what stands at the start of `glob`, not a "*", with the start of `text`. Whether it does, and how
 * far both go.
 */
static bool match_step(const char *glob, size_t glob_len, const char *text, size_t len, size_t *ret_glob,
                       size_t *ret_text)
{
    *ret_glob = 1;
    *ret_text = 1;
    if (glob[0] == '?') {
        *ret_text = character_len(text, len);
        return true;
    }
    if (glob[0] == '[') {
        size_t end = class_end(glob, glob_len);
        *ret_glob = end + 1;
        *ret_text = character_len(text, len);
        return class_has(glob, end, text[0]);
    }
    if (glob[0] == '\\') { /* never the last byte: the compiler refuses that */
        *ret_glob = 2;
        return glob[1] == text[0];
    }
    return glob[0] == text[0];
}

static bool match_component(const char *glob, size_t glob_len, const char *text, size_t len)
{
    size_t at = 0;
    size_t glob_at = 0;
    size_t star = SIZE_MAX; /* after the last "*" in the glob, and where the text went on from it */
    size_t star_text = 0;
    while (at < len) {
        size_t glob_step;
        size_t step;
        if (glob_at < glob_len && glob[glob_at] == '*') {
            star = ++glob_at;
            star_text = at;
        } else if (glob_at < glob_len &&
                   match_step(glob + glob_at, glob_len - glob_at, text + at, len - at, &glob_step, &step)) {
            glob_at += glob_step;
            at += step;
        } else if (star != SIZE_MAX) {
            glob_at = star;
            at = ++star_text;
        } else {
            return false;
        }
    }
    while (glob_at < glob_len && glob[glob_at] == '*')
        glob_at++;
    return glob_at == glob_len;
}

/* --- compiling ----------------------------------------------------------------------------------- */

/* What the compiler has found. The pattern is allocated when its size is known. */
struct compilation {
    const char *reason;
    bool is_owners;
    bool has_wildcard; /* in any component */
    struct org_precision precision;
    size_t bytes_len;
    size_t part_count;
    char bytes[ORG_PATTERN_LEN_MAX + 1];
    struct part parts[ORG_PATTERN_PARTS_MAX + PARTS_ADDED];
};

static void add_part(struct compilation *c, enum part_kind kind, size_t start, size_t len)
{
    bool is_repeated =
        kind == PART_FOLDERS && c->part_count > 0 && c->parts[c->part_count - 1].kind == PART_FOLDERS;
    if (!is_repeated)
        c->parts[c->part_count++] =
            (struct part){.kind = (uint8_t)kind, .start = (uint16_t)start, .len = (uint16_t)len};
}

static bool refuse(struct compilation *c, const char *reason)
{
    c->reason = reason;
    return false;
}

/* Copies one written component to the bytes and adds its part. A literal is freed of its backslashes. */
static bool compile_component(struct compilation *c, const char *text, size_t len)
{
    bool has_wildcard = false;
    bool has_backslash = false; /* in the kernel's notation, where it means nothing */
    if (len == 0)
        return refuse(c, "two slashes follow each other");
    if (c->part_count >= ORG_PATTERN_PARTS_MAX)
        return refuse(c, "it has more components than the limit");
    if (c->is_owners && len == 2 && memcmp(text, "**", 2) == 0) {
        add_part(c, PART_FOLDERS, 0, 0);
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && c->is_owners) {
            if (++i == len)
                return refuse(c, "a backslash with nothing behind it");
        } else if (text[i] == '\\') {
            has_backslash = true;
        } else if (text[i] == '[') {
            size_t end = class_end(text + i, len - i);
            if (end == len - i)
                return refuse(c, "a [ without its ]");
            has_wildcard = true;
            i += end;
        } else if (text[i] == '*' || text[i] == '?') {
            has_wildcard = true;
        }
    }
    if (has_backslash && has_wildcard)
        return refuse(c, "a backslash among wildcards");
    c->precision.parts++;
    c->has_wildcard = c->has_wildcard || has_wildcard;
    if (len == 1 && text[0] == '*') {
        add_part(c, PART_ANY, 0, 0);
        return true;
    }
    size_t start = c->bytes_len;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && c->is_owners && !has_wildcard)
            i++; /* the literal is what stands behind it */
        c->bytes[c->bytes_len++] = text[i];
    }
    add_part(c, has_wildcard ? PART_GLOB : PART_LITERAL, start, c->bytes_len - start);
    return true;
}

/* Cuts the text at its slashes, first and last slash already taken off. */
static bool compile_components(struct compilation *c, const char *text, size_t len)
{
    size_t start = 0;
    for (size_t at = 0; at <= len; at++) {
        if (at < len && text[at] != '/')
            continue;
        if (!compile_component(c, text + start, at - start))
            return false;
        start = at + 1;
    }
    return true;
}

static bool compile_glob(struct compilation *c, const char *text)
{
    size_t len = strlen(text);
    bool is_folder = text[len - 1] == '/';
    bool is_rooted = !c->is_owners || text[0] == '/';
    if (text[0] == '/') {
        if (!c->is_owners)
            return refuse(c, "it begins with a slash");
        text++;
        len--;
    }
    if (is_folder && len > 0)
        len--;
    if (len == 0)
        return refuse(c, "it names nothing but the root");
    if (!is_rooted && memchr(text, '/', len) == NULL)
        add_part(c, PART_FOLDERS, 0, 0);
    if (!compile_components(c, text, len))
        return false;

    enum part_kind last = c->parts[c->part_count - 1].kind;
    bool is_everything = last == PART_ANY && c->part_count == 2 && c->parts[0].kind == PART_FOLDERS;
    bool reaches_below = !c->has_wildcard;
    if (c->is_owners) /* also "*.js", which can be a folder; but a "*" in docs is only what lies in docs */
        reaches_below = last != PART_ANY || is_everything;
    if (is_folder || (last == PART_FOLDERS && c->part_count > 1))
        add_part(c, PART_ANY, 0, 0);
    if (is_folder || reaches_below)
        add_part(c, PART_FOLDERS, 0, 0);
    return true;
}

/* Makes a pattern of what was found. */
static struct org_pattern *pattern_alloc(const struct compilation *c, const char *text)
{
    size_t len = strlen(text);
    size_t parts_size = c->part_count * sizeof(c->parts[0]);
    struct org_pattern *pattern = malloc(sizeof(*pattern) + parts_size + len + 1 + c->bytes_len);
    if (pattern == NULL)
        return NULL;
    pattern->regex = NULL;
    pattern->precision = c->precision;
    pattern->precision.len = (uint16_t)len;
    pattern->part_count = (uint16_t)c->part_count;
    memcpy(pattern->parts, c->parts, parts_size);
    pattern->text = (char *)pattern->parts + parts_size;
    memcpy(pattern->text, text, len + 1);
    pattern->bytes = pattern->text + len + 1;
    memcpy(pattern->bytes, c->bytes, c->bytes_len);
    return pattern;
}

static troupe_status compile_name(struct compilation *c, const char *text, struct org_regex **ret_regex)
{
    c->precision.is_name = true;
    c->precision.parts = 1;
    for (const char *at = text; *at != '\0'; at++)
        c->precision.parts = (uint16_t)(c->precision.parts + (*at == '/'));
    return org_regex_new(text, ret_regex, &c->reason);
}

static troupe_status compile(struct compilation *c, enum org_pattern_kind kind, const char *text,
                             struct org_regex **ret_regex)
{
    if (text[0] == '\0') {
        c->reason = "it is empty";
        return TROUPE_INVALID;
    }
    if (strnlen(text, ORG_PATTERN_LEN_MAX + 1) > ORG_PATTERN_LEN_MAX) {
        c->reason = "it is longer than the limit";
        return TROUPE_INVALID;
    }
    if (kind == ORG_PATTERN_NAME)
        return compile_name(c, text, ret_regex);
    c->is_owners = kind == ORG_PATTERN_OWNERS;
    return compile_glob(c, text) ? TROUPE_OK : TROUPE_INVALID;
}

troupe_status org_pattern_new(enum org_pattern_kind kind, const char *text, struct org_pattern **ret_pattern,
                              const char **ret_reason)
{
    struct compilation c = {.reason = NULL};
    struct org_regex *regex = NULL;
    troupe_status status = compile(&c, kind, text, &regex);
    if (status != TROUPE_OK) {
        if (status == TROUPE_INVALID)
            *ret_reason = c.reason;
        return status;
    }
    struct org_pattern *pattern = pattern_alloc(&c, text);
    if (pattern == NULL) {
        org_regex_free(regex);
        return TROUPE_NO_MEMORY;
    }
    pattern->regex = regex;
    *ret_pattern = pattern;
    return TROUPE_OK;
}

void org_pattern_free(struct org_pattern *pattern)
{
    if (pattern == NULL)
        return;
    org_regex_free(pattern->regex);
    free(pattern);
}

/* --- matching ------------------------------------------------------------------------------------ */

static bool match_part(const struct org_pattern *pattern, const struct part *part,
                       const struct org_path *path, size_t i)
{
    const char *text = path->text + path->starts[i];
    size_t len = (size_t)(path->starts[i + 1] - path->starts[i]) - 1;
    const char *bytes = pattern->bytes + part->start;
    switch (part->kind) {
    case PART_LITERAL:
        return part->len == len && memcmp(bytes, text, len) == 0;
    case PART_GLOB:
        return match_component(bytes, part->len, text, len);
    default:
        return true;
    }
}

bool org_pattern_matches(const struct org_pattern *pattern, const struct org_path *path)
{
    if (pattern->regex != NULL)
        return org_regex_matches(pattern->regex, path->text);

    size_t at = 0;
    size_t part = 0;
    size_t folders = SIZE_MAX; /* after the last "**", and where the path went on from it */
    size_t folders_at = 0;
    while (at < path->part_count) {
        const struct part *next = &pattern->parts[part];
        if (part < pattern->part_count && next->kind == PART_FOLDERS) {
            folders = ++part;
            folders_at = at;
            if (folders == pattern->part_count)
                return true;
        } else if (part < pattern->part_count && match_part(pattern, next, path, at)) {
            part++;
            at++;
        } else if (folders != SIZE_MAX) {
            part = folders;
            at = ++folders_at;
        } else {
            return false;
        }
    }
    if (part < pattern->part_count && pattern->parts[part].kind == PART_FOLDERS)
        part++;
    return part == pattern->part_count;
}

const char *org_pattern_text(const struct org_pattern *pattern)
{
    return pattern->text;
}

struct org_precision org_pattern_precision(const struct org_pattern *pattern)
{
    return pattern->precision;
}

int org_precision_compare(struct org_precision a, struct org_precision b)
{
    if (a.is_name != b.is_name)
        return a.is_name ? 1 : -1;
    if (a.parts != b.parts)
        return a.parts > b.parts ? -1 : 1;
    if (a.len != b.len)
        return a.len > b.len ? -1 : 1;
    return 0;
}

size_t org_pattern_prefix(const struct org_pattern *pattern, char *ret_prefix)
{
    size_t len = 0;
    for (size_t i = 0; i < pattern->part_count && pattern->parts[i].kind == PART_LITERAL; i++) {
        const struct part *part = &pattern->parts[i];
        if (len > 0)
            ret_prefix[len++] = '/';
        memcpy(ret_prefix + len, pattern->bytes + part->start, part->len);
        len += part->len;
    }
    ret_prefix[len] = '\0';
    return len;
}

/* Whether a component is empty, "." or "..". */
static bool is_bad_component(const char *text, size_t len)
{
    return len == 0 || (len == 1 && text[0] == '.') || (len == 2 && text[0] == '.' && text[1] == '.');
}

troupe_status org_path_parse(const char *text, struct org_path *ret_path)
{
    size_t len = strnlen(text, ORG_PATH_LEN_MAX + 1);
    size_t count = 0;
    size_t start = 0;
    if (len == 0 || len > ORG_PATH_LEN_MAX)
        return TROUPE_INVALID;
    for (size_t at = 0; at <= len; at++) {
        if (at < len && text[at] != '/')
            continue;
        bool is_folder_end = at == len && start == len && count > 0;
        if (count == ORG_PATH_PARTS_MAX || (!is_folder_end && is_bad_component(text + start, at - start)))
            return TROUPE_INVALID;
        ret_path->starts[count++] = (uint16_t)start;
        start = at + 1;
    }
    ret_path->starts[count] = (uint16_t)(len + 1);
    ret_path->text = text;
    ret_path->len = (uint16_t)len;
    ret_path->part_count = (uint16_t)count;
    return TROUPE_OK;
}

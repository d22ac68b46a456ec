/* SPDX-License-Identifier: MIT */
/*
 * maintainers.c: reads the kernel's MAINTAINERS file; maintainers.h has the format and what becomes of it.
 * One pass over the lines; texts point into one copy of the file, in which the ends of values are turned into
 * NULs. Any one thread.
 *
 *     between sections --title--> open --"X: value"--> open --empty line--> between sections
 *     between sections --".. "--> note --empty line--> between sections
 */
#include "org/maintainers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/map.h"
#include "org/name.h"
#include "org/pattern.h"
#include "org/text.h"

enum {
    SUFFIX_LEN_MAX = 8, /* "-" and a number that ORG_MAINTAINERS_SECTIONS_MAX bounds */
    NAME_SLUG_LEN_MAX = ORG_ACTOR_NAME_LEN_MAX - SUFFIX_LEN_MAX,
};

_Static_assert(ORG_MAINTAINERS_SECTIONS_MAX < 10000000, "a suffix has room for the number of any section");

/* The result first, so that a pointer to it is one to the whole. */
struct reading {
    struct org_maintainers result;
    char *text; /* the copy of the file */
    struct arena names;
    size_t section_capacity;
    size_t line_capacity;
    size_t person_capacity;
    size_t problem_capacity;
    struct map section_map; /* name -> section */
    struct map person_map;  /* name -> person */
    struct map mail_map;    /* address in small letters -> person */
    uint32_t line;          /* the number of the line that is being read */
    uint32_t open_lines;    /* of the open section, also those with problems */
    bool is_open;           /* a section is */
    bool is_note;
};

/*
 * The tables live as long as one reading of one file, so a fixed key does: a bad file only slows down its own
 * reading.
 */
static const struct hash_key table_key = {{0x6d61696e7461696eu, 0x6572732066696c65u}};

static uint64_t hash_text(const char *text)
{
    return hash_bytes(&table_key, text, strlen(text));
}

/* Notes a problem; only running out of memory is a failure. */
static troupe_status problem(struct reading *r, uint32_t line, const char *reason)
{
    struct org_maintainers *result = &r->result;
    if (result->problem_count == ORG_MAINTAINERS_PROBLEMS_MAX) {
        result->problems_beyond++;
        return TROUPE_OK;
    }
    troupe_status status = array_reserve(&result->problems, &r->problem_capacity, result->problem_count + 1,
                                         sizeof(*result->problems));
    if (status == TROUPE_OK)
        result->problems[result->problem_count++] =
            (struct org_maintainers_problem){.line = line, .reason = reason};
    return status;
}

/* --- names --------------------------------------------------------------------------------------- */

static bool is_section_name(const void *context, uint32_t index, const void *key)
{
    const struct reading *r = context;
    return strcmp(r->result.sections[index].name, key) == 0;
}

static bool is_person_name(const void *context, uint32_t index, const void *key)
{
    const struct reading *r = context;
    return strcmp(r->result.people[index].name, key) == 0;
}

/*
 * Makes the first free name of SLUG, SLUG-2, SLUG-3... and enters it for `index`, whose thing may not be
 * there yet. The search goes through all numbers, so many sections of one title are slow to read; there are
 * few.
 */
static troupe_status unique_name(struct reading *r, struct map *map, map_is_equal *is_equal, const char *slug,
                                 uint32_t index, const char **ret_name)
{
    char name[NAME_SLUG_LEN_MAX + SUFFIX_LEN_MAX + 1];
    int len = snprintf(name, sizeof(name), "%s", slug);
    for (unsigned number = 2; map_find(map, hash_text(name), is_equal, r, name) != MAP_NONE; number++)
        len = snprintf(name, sizeof(name), "%s-%u", slug, number);
    troupe_status status = map_reserve(map, 1);
    if (status == TROUPE_OK)
        status = arena_text(&r->names, name, (size_t)len, ret_name);
    if (status == TROUPE_OK)
        map_insert(map, hash_text(name), index);
    return status;
}

/* --- people -------------------------------------------------------------------------------------- */

static bool is_mail(const char *mail)
{
    const char *at = strchr(mail, '@');
    return at != NULL && at != mail && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
           strlen(mail) <= ORG_MAIL_LEN_MAX && strpbrk(mail, " \t<>(),;:\"") == NULL;
}

/* The address as it is compared: in small letters. */
static void fold_mail(const char *mail, char *ret_folded)
{
    size_t i = 0;
    for (; mail[i] != '\0'; i++)
        ret_folded[i] = mail[i] >= 'A' && mail[i] <= 'Z' ? (char)(mail[i] - 'A' + 'a') : mail[i];
    ret_folded[i] = '\0';
}

static bool is_person_mail(const void *context, uint32_t index, const void *key)
{
    const struct reading *r = context;
    char folded[ORG_MAIL_LEN_MAX + 1];
    fold_mail(r->result.people[index].mail, folded);
    return strcmp(folded, key) == 0;
}

static troupe_status add_person(struct reading *r, const char *display, const char *mail, uint64_t mail_hash,
                                uint32_t *ret_person)
{
    struct org_maintainers *result = &r->result;
    char slug[NAME_SLUG_LEN_MAX + 1];
    char local[ORG_MAIL_LEN_MAX + 1];
    const char *name;
    uint32_t person = (uint32_t)result->person_count;
    troupe_status status = array_reserve(&result->people, &r->person_capacity, result->person_count + 1,
                                         sizeof(*result->people));
    if (status == TROUPE_OK)
        status = map_reserve(&r->mail_map, 1);
    snprintf(local, sizeof(local), "%.*s", (int)strcspn(mail, "@"), mail);
    if (org_name_slug(local, NAME_SLUG_LEN_MAX, slug) == 0)
        snprintf(slug, sizeof(slug), "person");
    if (status == TROUPE_OK)
        status = unique_name(r, &r->person_map, is_person_name, slug, person, &name);
    if (status != TROUPE_OK)
        return status;
    map_insert(&r->mail_map, mail_hash, person);
    result->people[result->person_count++] =
        (struct org_maintainers_person){.name = name, .display = display, .mail = mail, .line = r->line};
    *ret_person = person;
    return TROUPE_OK;
}

/*
 * Cuts "Display Name <mail>" or "mail", perhaps with a remark in parentheses behind it; NULL when it is
 * neither.
 */
static const char *cut_person(const char *text, const char **ret_display, const char **ret_mail)
{
    const char *open = strchr(text, '<');
    const char *close = open == NULL ? NULL : strchr(open, '>');
    size_t display_len = open == NULL ? 0 : (size_t)(open - text);
    size_t mail_len = close == NULL ? strcspn(text, " \t") : (size_t)(close - open) - 1;
    const char *mail = close == NULL ? text : open + 1;
    const char *rest = mail + mail_len + (close != NULL);
    rest += strspn(rest, " \t");
    if ((open != NULL && close == NULL) || (*rest != '\0' && *rest != '('))
        return NULL;
    while (display_len > 0 && strchr(" \t\"", text[display_len - 1]) != NULL)
        display_len--;
    if (display_len > 0 && *text == '"') {
        text++;
        display_len--;
    }
    *ret_display = text;
    *ret_mail = mail;
    return text + display_len;
}

/* Finds or adds the person that the value of M: or R: names. */
static troupe_status read_person(struct reading *r, const char *value, uint32_t *ret_person)
{
    const char *display_start;
    const char *mail_start;
    const char *display;
    const char *mail;
    char folded[ORG_MAIL_LEN_MAX + 1];
    const char *display_end = cut_person(value, &display_start, &mail_start);
    if (display_end == NULL)
        return problem(r, r->line, "not a person: NAME <ADDRESS>");
    size_t mail_len = strcspn(mail_start, "> \t");
    size_t display_len = (size_t)(display_end - display_start);
    if (display_len > ORG_DISPLAY_LEN_MAX)
        return problem(r, r->line, "the person's name is longer than the limit");
    troupe_status status = arena_text(&r->names, mail_start, mail_len, &mail);
    if (status != TROUPE_OK)
        return status;
    if (!is_mail(mail))
        return problem(r, r->line, "not a mail address");

    fold_mail(mail, folded);
    uint64_t mail_hash = hash_text(folded);
    uint32_t found = map_find(&r->mail_map, mail_hash, is_person_mail, r, folded);
    if (found != MAP_NONE) {
        *ret_person = found;
        return TROUPE_OK;
    }
    display = mail;
    if (display_len > 0)
        status = arena_text(&r->names, display_start, display_len, &display);
    return status == TROUPE_OK ? add_person(r, display, mail, mail_hash, ret_person) : status;
}

/* --- sections and their lines -------------------------------------------------------------------- */

static struct org_maintainers_section *open_section(struct reading *r)
{
    return &r->result.sections[r->result.section_count - 1];
}

static troupe_status read_title(struct reading *r, const char *title)
{
    struct org_maintainers *result = &r->result;
    char slug[NAME_SLUG_LEN_MAX + 1];
    const char *name;
    if (result->section_count == ORG_MAINTAINERS_SECTIONS_MAX)
        return problem(r, r->line, "more sections than the limit");
    troupe_status status = TROUPE_OK;
    if (strlen(title) > ORG_DISPLAY_LEN_MAX)
        status = problem(r, r->line, "the title is longer than the limit");
    if (status == TROUPE_OK && org_name_slug(title, NAME_SLUG_LEN_MAX, slug) == 0) {
        snprintf(slug, sizeof(slug), "section");
        status = problem(r, r->line, "the title has nothing that can stand in a name");
    }
    if (status == TROUPE_OK)
        status = array_reserve(&result->sections, &r->section_capacity, result->section_count + 1,
                               sizeof(*result->sections));
    if (status == TROUPE_OK)
        status =
            unique_name(r, &r->section_map, is_section_name, slug, (uint32_t)result->section_count, &name);
    if (status != TROUPE_OK)
        return status;
    result->sections[result->section_count++] = (struct org_maintainers_section){
        .title = title,
        .name = name,
        .status = "",
        .line = r->line,
        .first_line = (uint32_t)result->line_count,
        .is_vacant = true, /* until an owner is read, and again when the status is Orphan: close_section */
    };
    r->is_open = true;
    r->open_lines = 0;
    return TROUPE_OK;
}

static troupe_status close_section(struct reading *r)
{
    struct org_maintainers_section *section = open_section(r);
    r->is_open = false;
    for (uint32_t i = 0; i < section->line_count; i++) {
        const struct org_maintainers_line *line = &r->result.lines[section->first_line + i];
        if (line->letter == 'M' && line->person != ORG_PERSON_NONE)
            section->is_vacant = false;
    }
    if (strncmp(section->status, "Orphan", strlen("Orphan")) == 0)
        section->is_vacant = true;
    return r->open_lines > 0 ? TROUPE_OK
                             : problem(r, section->line, "a section with a title and nothing else");
}

static troupe_status check_pattern(struct reading *r, char letter, const char *value)
{
    struct org_pattern *pattern;
    const char *reason;
    enum org_pattern_kind kind = letter == 'N' ? ORG_PATTERN_NAME : ORG_PATTERN_FILES;
    troupe_status status = org_pattern_new(kind, value, &pattern, &reason);
    if (status == TROUPE_INVALID)
        return problem(r, r->line, reason);
    if (status == TROUPE_OK)
        org_pattern_free(pattern);
    return status;
}

/*
 * One line "X: value" of the open section. A line with a problem is kept too: the section shows what was
 * written.
 */
static troupe_status read_entry(struct reading *r, char letter, const char *value)
{
    struct org_maintainers *result = &r->result;
    struct org_maintainers_section *section = open_section(r);
    uint32_t person = ORG_PERSON_NONE;
    troupe_status status = TROUPE_OK;
    if (*value == '\0')
        status = problem(r, r->line, "nothing behind the colon");
    else if (letter == 'M' || letter == 'R')
        status = read_person(r, value, &person);
    else if (letter == 'F' || letter == 'X' || letter == 'N')
        status = check_pattern(r, letter, value);
    else if (strchr("SLKBCPQTW", letter) == NULL)
        status = problem(r, r->line, "a letter that has no meaning in this format");
    if (status == TROUPE_OK)
        status =
            array_reserve(&result->lines, &r->line_capacity, result->line_count + 1, sizeof(*result->lines));
    if (status != TROUPE_OK)
        return status;
    if (letter == 'S' && section->status[0] == '\0')
        section->status = value;
    result->lines[result->line_count++] =
        (struct org_maintainers_line){.letter = letter, .line = r->line, .person = person, .value = value};
    section->line_count++;
    return TROUPE_OK;
}

static bool is_entry(const char *line)
{
    return line[0] >= 'A' && line[0] <= 'Z' && line[1] == ':' &&
           (line[2] == ' ' || line[2] == '\t' || line[2] == '\0');
}

/* One line, without the spaces at its end. Tabs within it become spaces: the kernel's own list has a few. */
static troupe_status read_line(struct reading *r, char *line, size_t len)
{
    if (len == 0) {
        r->is_note = false;
        return r->is_open ? close_section(r) : TROUPE_OK;
    }
    if (r->is_note)
        return TROUPE_OK;
    if (r->is_open)
        r->open_lines++;
    if (len > ORG_MAINTAINERS_LINE_LEN_MAX)
        return problem(r, r->line, "longer than the limit");
    bool has_entry = is_entry(line);
    bool is_indented = *line == ' ' || *line == '\t';
    for (char *tab = line; (tab = strchr(tab, '\t')) != NULL;)
        *tab = ' ';
    const char *value = has_entry ? line + 2 + strspn(line + 2, " ") : line;
    if (!org_text_is_line(line, len))
        return problem(r, r->line, "bytes that are not text in UTF-8");
    if (has_entry)
        return r->is_open ? read_entry(r, line[0], value) : problem(r, r->line, "it belongs to no section");
    if (r->is_open)
        return problem(r, r->line, "neither \"X: value\" nor the empty line that ends a section");
    if (strncmp(line, ".. ", 3) == 0) {
        r->is_note = true;
        return TROUPE_OK;
    }
    if (is_indented)
        return problem(r, r->line, "a title that begins with a space");
    return read_title(r, line);
}

/* --- the file ------------------------------------------------------------------------------------ */

/* Ends the line at `at` with a NUL, without the spaces before it; gives where the next one begins. */
static size_t cut_line(char *text, size_t at, size_t size, size_t *ret_len)
{
    const char *end = memchr(text + at, '\n', size - at);
    size_t next = end == NULL ? size : (size_t)(end - text);
    size_t len = next - at;
    while (len > 0 && strchr(" \t\r", text[at + len - 1]) != NULL && text[at + len - 1] != '\0')
        len--;
    text[at + len] = '\0';
    *ret_len = len;
    return next + 1;
}

/*
 * Whether there is a line "Maintainers List" with an underline, before which the file only explains itself.
 */
static bool has_preface(const char *text)
{
    return strstr(text, "\nMaintainers List\n--") != NULL || strncmp(text, "Maintainers List\n--", 19) == 0;
}

static troupe_status read_file(struct reading *r, size_t size)
{
    bool is_preface = has_preface(r->text);
    bool is_underline = false;
    troupe_status status = TROUPE_OK;
    for (size_t at = 0; at < size && status == TROUPE_OK;) {
        size_t len;
        char *line = r->text + at;
        at = cut_line(r->text, at, size, &len);
        r->line++;
        if (is_preface) {
            is_underline = strcmp(line, "Maintainers List") == 0;
            is_preface = !is_underline;
        } else if (is_underline) {
            is_underline = false;
        } else {
            status = read_line(r, line, len);
        }
    }
    if (status == TROUPE_OK && r->is_open)
        status = close_section(r);
    map_done(&r->section_map);
    map_done(&r->person_map);
    map_done(&r->mail_map);
    return status;
}

troupe_status org_maintainers_read(const char *bytes, size_t size, struct org_maintainers **ret_maintainers)
{
    if (size > ORG_MAINTAINERS_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    struct reading *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return TROUPE_NO_MEMORY;
    troupe_status status = TROUPE_NO_MEMORY;
    r->text = malloc(size + 1);
    if (r->text != NULL) {
        if (size > 0)
            memcpy(r->text, bytes, size);
        r->text[size] = '\0';
        status = read_file(r, size);
    }
    if (status != TROUPE_OK) {
        org_maintainers_free(&r->result);
        return status;
    }
    *ret_maintainers = &r->result;
    return TROUPE_OK;
}

void org_maintainers_free(struct org_maintainers *maintainers)
{
    if (maintainers == NULL)
        return;
    struct reading *r = (struct reading *)maintainers;
    free(r->result.sections);
    free(r->result.lines);
    free(r->result.people);
    free(r->result.problems);
    arena_done(&r->names);
    free(r->text);
    free(r);
}

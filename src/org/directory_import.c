/* SPDX-License-Identifier: MIT */
/*
 * directory_import.c: a whole MAINTAINERS file as one decision. What is there already is looked up in the
 * directory; what this import makes is not there yet, so the names it gives are kept beside it until the end.
 *
 *     root, team (when missing) -> people, in the order of the file -> for each section its role, its domain
 *
 * Names. Two people of one file never have one name (maintainers.h). Those whose mail address is known keep
 * the name of that actor; then each other one gets its name of the file or, when an actor or somebody of this
 * import has it, the first free one of NAME-2, NAME-3... Since everybody imported is known by the address
 * from then on, the same file gives the same names again.
 *
 * That the patterns can be used is seen to by maintainers.c, which calls each other one a problem.
 *
 * Place: called by directory_decide.c. One thread.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "org/directory_decision.h"

/* An import on its way. */
struct importing {
    struct directory_decision *d;
    const struct org_maintainers *file;
    const char *team;
    struct org_import_counts *counts;
    const char **names; /* of the people, by their index in the file */
    struct map taken;   /* names given here: hash -> person */
    struct arena texts;
    struct buffer holders;
    struct buffer note;
    struct buffer patterns;
    char name[ORG_NAME_LEN_MAX + 1]; /* of the role and the domain of a section */
};

/* --- people --------------------------------------------------------------------------------------- */

static bool is_name(const void *context, uint32_t index, const void *key)
{
    const struct importing *import = context;
    return strcmp(import->names[index], key) == 0;
}

static bool is_free(const struct importing *import, const char *name)
{
    const struct org_directory *directory = import->d->directory;
    return directory_find_actor(directory, name) == MAP_NONE &&
           map_find(&import->taken, directory_hash(directory, name), is_name, import, name) == MAP_NONE;
}

/* The name of somebody who is new; NULL out of memory. */
static const char *make_name(struct importing *import, const char *wanted)
{
    char name[ORG_ACTOR_NAME_LEN_MAX + 1];
    const char *copy;
    snprintf(name, sizeof(name), "%s", wanted);
    for (unsigned number = 2; !is_free(import, name); number++) {
        char suffix[16];
        int len = snprintf(suffix, sizeof(suffix), "-%u", number);
        snprintf(name, sizeof(name), "%.*s%s", ORG_ACTOR_NAME_LEN_MAX - len, wanted, suffix);
    }
    if (arena_text(&import->texts, name, strlen(name), &copy) != TROUPE_OK)
        return NULL;
    return copy;
}

static bool import_person(struct importing *import, uint32_t index)
{
    struct directory_decision *d = import->d;
    const struct org_maintainers_person *person = &import->file->people[index];
    if (import->names[index] != NULL)
        return true;
    if (d->directory->actor_count + import->taken.count >= ORG_ACTORS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
    if (!directory_check_line(d, person->display, ORG_DISPLAY_LEN_MAX) ||
        !directory_check_line(d, person->mail, ORG_MAIL_LEN_MAX))
        return false;
    const char *name = make_name(import, person->name);
    if (name == NULL) {
        d->status = TROUPE_NO_MEMORY;
        return false;
    }
    import->names[index] = name;
    d->status = map_add(&import->taken, directory_hash(d->directory, name), index);
    org_actor_set_fields fields = {
        .at = d->now_ms,
        .by = d->by,
        .via = d->via,
        .name = name,
        .display = person->display,
        .mail = person->mail,
        .wip_limit = ORG_WIP_LIMIT_DEFAULT,
        .kind = ORG_PERSON,
    };
    import->counts->actors_made++;
    return directory_write(d, &org_actor_set_type, &fields, NULL) == DIRECTORY_MADE;
}

static bool import_people(struct importing *import)
{
    const struct org_directory *directory = import->d->directory;
    for (size_t i = 0; i < import->file->person_count; i++) {
        uint32_t known = directory_find_mail(directory, import->file->people[i].mail);
        if (known != MAP_NONE)
            import->names[i] = actor_name(&directory->actors[known]);
    }
    for (uint32_t i = 0; i < import->file->person_count; i++) {
        if (!import_person(import, i))
            return false;
    }
    return true;
}

/* --- the team ------------------------------------------------------------------------------------- */

static bool make_team(struct importing *import, const char *name, const char *parent)
{
    struct directory_decision *d = import->d;
    bool is_known = directory_find_actor(d->directory, d->by) != MAP_NONE;
    org_role_set_fields fields = {
        .at = d->now_ms,
        .by = d->by,
        .via = d->via,
        .name = name,
        .parent = parent,
        .holders = is_known ? d->by : "",
        .is_team = true,
    };
    import->counts->roles_made++;
    return directory_write(d, &org_role_set_type, &fields, NULL) == DIRECTORY_MADE;
}

static bool import_team(struct importing *import)
{
    static const char root_name[] = "root";
    const char *root = org_directory_root(import->d->directory);
    uint32_t known = directory_find_role(import->d->directory, import->team);
    if (known != MAP_NONE) {
        if (directory_chains_fit(import->d->directory, MAP_NONE, known, MAP_NONE) != DIRECTORY_CHAINS_FIT)
            return directory_refuse(import->d, ORG_DIRECTORY_DEPTH, import->team);
        return true;
    }
    if (root == NULL && strcmp(import->team, root_name) == 0)
        return make_team(import, root_name, "");
    if (root == NULL && !make_team(import, root_name, ""))
        return false;
    return make_team(import, import->team, root == NULL ? root_name : root);
}

/* --- sections ------------------------------------------------------------------------------------- */

static bool append(struct importing *import, struct buffer *buffer, const char *separator, const char *text)
{
    troupe_status status = TROUPE_OK;
    if (buffer->size > 0)
        status = buffer_append(buffer, separator, strlen(separator));
    if (status == TROUPE_OK)
        status = buffer_append(buffer, text, strlen(text));
    if (status == TROUPE_OK)
        status = buffer_terminate(buffer);
    import->d->status = status;
    return status == TROUPE_OK;
}

static const char *text_of(const struct buffer *buffer)
{
    return buffer->size == 0 ? "" : (const char *)buffer->bytes;
}

/* Whether a person is in an earlier M: line of the same section. */
static bool is_repeated(const struct org_maintainers_line *lines, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].letter == 'M' && lines[i].person == lines[count].person)
            return true;
    }
    return false;
}

/* Collects the succession of a section: owner, then deputies. */
static bool collect_holders(struct importing *import, const struct org_maintainers_section *section)
{
    const struct org_maintainers_line *lines = &import->file->lines[section->first_line];
    size_t count = 0;
    buffer_clear(&import->holders);
    for (uint32_t i = 0; i < section->line_count && !section->is_vacant; i++) {
        if (lines[i].letter != 'M' || lines[i].person == ORG_PERSON_NONE || is_repeated(lines, i))
            continue;
        if (++count > ORG_SUCCESSION_MAX)
            return directory_refuse(import->d, ORG_DIRECTORY_TOO_MANY, section->title);
        if (!append(import, &import->holders, "\n", import->names[lines[i].person]))
            return false;
    }
    return true;
}

static bool import_role(struct importing *import, const struct org_maintainers_section *section)
{
    struct directory_decision *d = import->d;
    uint32_t known = directory_find_role(d->directory, import->name);
    const struct directory_role *role = known == MAP_NONE ? NULL : &d->directory->roles[known];
    if (!collect_holders(import, section))
        return false;
    org_role_set_fields fields = {.name = import->name, .parent = import->team};
    if (role != NULL)
        fields = directory_role_fields(role);
    fields.at = d->now_ms;
    fields.by = d->by;
    fields.via = d->via;
    fields.title = section->title;
    fields.holders = text_of(&import->holders);
    enum directory_written written =
        directory_write(d, &org_role_set_type, &fields, role == NULL ? NULL : role->set);
    import->counts->roles_made += written == DIRECTORY_MADE;
    import->counts->roles_changed += written == DIRECTORY_CHANGED;
    return written != DIRECTORY_NOT;
}

/* Reads a line of patterns, "F:", "X:" or "N:"; false for any other. */
static bool read_rule(const struct org_maintainers_line *line, struct org_rule *ret_rule)
{
    if (line->letter != 'F' && line->letter != 'X' && line->letter != 'N')
        return false;
    *ret_rule = (struct org_rule){
        .kind = line->letter == 'N' ? ORG_PATTERN_NAME : ORG_PATTERN_FILES,
        .is_exclude = line->letter == 'X',
        .text = line->value,
        .line = line->line,
    };
    return true;
}

/* Collects what a section's domain says: its status and lists as a note, and its patterns. */
static bool collect_domain(struct importing *import, const struct org_maintainers_section *section)
{
    struct directory_decision *d = import->d;
    const struct org_maintainers_line *lines = &import->file->lines[section->first_line];
    struct org_rule rule;
    size_t count = 0;
    buffer_clear(&import->note);
    buffer_clear(&import->patterns);
    for (uint32_t i = 0; i < section->line_count; i++) {
        char head[] = {lines[i].letter, ':', ' ', '\0'};
        if (lines[i].letter == 'S' || lines[i].letter == 'L') {
            if (!append(import, &import->note, "\n", head) ||
                !append(import, &import->note, "", lines[i].value))
                return false;
        } else if (read_rule(&lines[i], &rule)) {
            if (++count > ORG_DOMAIN_PATTERNS_MAX)
                return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, section->title);
            d->status = directory_add_rule(&import->patterns, &rule);
            if (d->status != TROUPE_OK)
                return false;
        }
    }
    import->counts->patterns += count;
    return directory_check_lines(d, text_of(&import->note), ORG_NOTE_LEN_MAX);
}

static bool import_domain(struct importing *import, const struct org_maintainers_section *section)
{
    struct directory_decision *d = import->d;
    uint32_t known = directory_find_domain(d->directory, import->name);
    const struct directory_domain *domain = known == MAP_NONE ? NULL : &d->directory->domains[known];
    if (!collect_domain(import, section))
        return false;
    org_domain_set_fields fields = {
        .at = d->now_ms,
        .by = d->by,
        .via = d->via,
        .name = import->name,
        .title = section->title,
        .owner = domain == NULL ? import->name : domain->owner,
        .note = text_of(&import->note),
        .patterns = text_of(&import->patterns),
    };
    enum directory_written written =
        directory_write(d, &org_domain_set_type, &fields, domain == NULL ? NULL : domain->set);
    import->counts->domains_made += written == DIRECTORY_MADE;
    import->counts->domains_changed += written == DIRECTORY_CHANGED;
    return written != DIRECTORY_NOT;
}

static bool import_section(struct importing *import, const struct org_maintainers_section *section)
{
    struct directory_decision *d = import->d;
    int len = snprintf(import->name, sizeof(import->name), "%s/%s", import->team, section->name);
    if (len < 0 || len > ORG_NAME_LEN_MAX)
        return directory_refuse(d, ORG_DIRECTORY_BAD_NAME, section->name);
    if (d->directory->role_count + import->counts->roles_made >= ORG_ROLES_MAX ||
        d->directory->domain_count + import->counts->domains_made >= ORG_DOMAINS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
    if (!directory_check_line(d, section->title, ORG_DISPLAY_LEN_MAX))
        return false;
    import->counts->domains++;
    import->counts->roles++;
    import->counts->vacant += section->is_vacant;
    return import_role(import, section) && import_domain(import, section);
}

/* --- the whole ------------------------------------------------------------------------------------ */

static void import_all(struct importing *import)
{
    import->counts->people = import->file->person_count;
    if (!import_team(import) || !import_people(import))
        return;
    for (size_t i = 0; i < import->file->section_count; i++) {
        if (!import_section(import, &import->file->sections[i]))
            return;
    }
}

void directory_decide_import(struct directory_decision *d)
{
    struct importing import = {
        .d = d,
        .file = d->command->import.maintainers,
        .team = directory_text(d->command->import.team),
        .counts = &d->answer->import,
    };
    if (!org_name_is_role(import.team)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, d->command->import.team);
        return;
    }
    if (import.file->problem_count > 0) {
        snprintf(d->directory->subject, sizeof(d->directory->subject), "line %u",
                 import.file->problems[0].line);
        directory_refuse(d, ORG_DIRECTORY_PROBLEMS, d->directory->subject);
        d->answer->reason = import.file->problems[0].reason;
        return;
    }
    import.names = calloc(import.file->person_count + 1, sizeof(*import.names));
    if (import.names == NULL)
        d->status = TROUPE_NO_MEMORY;
    else
        import_all(&import);
    free(import.names);
    map_done(&import.taken);
    arena_done(&import.texts);
    buffer_done(&import.holders);
    buffer_done(&import.note);
    buffer_done(&import.patterns);
}

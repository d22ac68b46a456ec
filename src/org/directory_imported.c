/* SPDX-License-Identifier: MIT */
/*
 * directory_imported.c: absences that came from outside, from calendars kept elsewhere. They count as those
 * by hand do, and stand beside them: setting a calendar by hand leaves them, and importing leaves what was
 * set by hand. Each has the number of the source it came from; an import names the sources it speaks for and
 * replaces what came from them, so that the same one again changes nothing. One thread.
 */
#include <stdlib.h>
#include <string.h>

#include "org/absences.h"
#include "org/directory_decision.h"

/* The absences that there will be. */
struct imported {
    struct org_imported_absence items[ORG_ABSENCES_IMPORTED_MAX];
    size_t count;
    char text[ABSENCES_IMPORTED_TEXT_MAX];
};

bool directory_is_imported_fit(const struct org_directory *directory, const void *body)
{
    const org_absences_imported *set = body;
    size_t count;
    return absences_count(troupe_flat_text(set, set->absences), true, &count) &&
           count <= ORG_ABSENCES_IMPORTED_MAX &&
           directory_find_actor(directory, troupe_flat_text(set, set->actor)) != MAP_NONE;
}

static int compare_sources(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static int compare_absences(const void *a, const void *b)
{
    const struct org_imported_absence *left = a;
    const struct org_imported_absence *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    if (left->until != right->until)
        return left->until < right->until ? -1 : 1;
    return compare_sources(&left->source, &right->source);
}

static bool are_ascending(const uint64_t *sources, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (sources[i - 1] >= sources[i])
            return false;
    }
    return true;
}

static bool is_among(const uint64_t *sources, size_t count, uint64_t source)
{
    return count > 0 && bsearch(&source, sources, count, sizeof(*sources), compare_sources) != NULL;
}

static bool add(struct directory_decision *d, struct imported *imported,
                const struct org_imported_absence *absence, const char *actor)
{
    if (imported->count == ORG_ABSENCES_IMPORTED_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, actor);
    imported->items[imported->count++] = *absence;
    return true;
}

/* In the order of time, so that the same absences are the same text. */
static void write_imported(struct directory_decision *d, uint32_t index, struct imported *imported)
{
    const struct directory_actor *actor = &d->directory->actors[index];
    qsort(imported->items, imported->count, sizeof(*imported->items), compare_absences);
    imported->text[0] = '\0';
    for (size_t i = 0; i < imported->count; i++)
        absences_add(imported->text, sizeof(imported->text), &imported->items[i], true);
    org_absences_imported_fields fields = {
        .at = d->now_ms, .by = d->by, .via = d->via, .actor = actor_name(actor), .absences = imported->text};
    const org_absences_imported *old = actor_imported(actor);
    if (old != NULL || imported->count > 0)
        (void)directory_write(d, &org_absences_imported_type, &fields, old);
}

/* What is not over, of other sources; and all that is new. */
static bool gather(struct directory_decision *d, uint32_t index, struct imported *ret_imported)
{
    const struct org_import_absences *import = &d->command->absences;
    const org_absences_imported *old = actor_imported(&d->directory->actors[index]);
    const char *cursor = old == NULL ? "" : troupe_flat_text(old, old->absences);
    struct org_imported_absence absence;
    while (absences_next(&cursor, &absence)) {
        if (absence.until > d->now_ms && !is_among(import->sources, import->source_count, absence.source) &&
            !add(d, ret_imported, &absence, import->actor))
            return false;
    }
    for (size_t i = 0; i < import->absence_count; i++) {
        absence = import->absences[i];
        if (absence.until == 0 || !absences_is_valid(absence.from, absence.until) ||
            !is_among(import->sources, import->source_count, absence.source))
            return directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, import->actor);
        if (absence.until > d->now_ms && !add(d, ret_imported, &absence, import->actor))
            return false;
    }
    return true;
}

void directory_decide_import_absences(struct directory_decision *d)
{
    const struct org_import_absences *import = &d->command->absences;
    bool by_administrator;
    uint32_t index = directory_actor_meant(d, import->actor, &by_administrator);
    if (index == MAP_NONE)
        return;
    if (!are_ascending(import->sources, import->source_count)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, import->actor);
        return;
    }
    struct imported *imported = malloc(sizeof(*imported));
    if (imported == NULL) {
        d->status = TROUPE_NO_MEMORY;
        return;
    }
    imported->count = 0;
    if (gather(d, index, imported))
        write_imported(d, index, imported);
    free(imported);
}

void directory_end_imported(struct directory_decision *d, uint32_t index)
{
    const org_absences_imported *old = actor_imported(&d->directory->actors[index]);
    const char *cursor = old == NULL ? "" : troupe_flat_text(old, old->absences);
    struct org_imported_absence absence;
    bool is_covered = false;
    struct imported *imported = malloc(sizeof(*imported));
    if (imported == NULL) {
        d->status = TROUPE_NO_MEMORY;
        return;
    }
    imported->count = 0;
    while (absences_next(&cursor, &absence)) {
        if (absences_covers(&absence, d->now_ms))
            is_covered = true;
        else if (absence.until > d->now_ms)
            (void)add(d, imported, &absence, NULL);
    }
    if (is_covered)
        write_imported(d, index, imported);
    free(imported);
}

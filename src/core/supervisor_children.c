/* SPDX-License-Identifier: MIT */
/*
 * supervisor_children.c: the children that a supervisor keeps: their specs, their order, how they are found
 * by id and by ref, and the agendas. Each of these costs the same for ten children and for a hundred
 * thousand. No rule of supervision is here; see supervisor.h for the invariants.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/post.h"
#include "core/supervisor.h"

enum {
    BACKOFF_MAX_TIMES = 60, /* the default ceiling of the backoff, in times of its least */
    PLACES_FIRST = 8,
};

void supervisor_spec_unref(struct child_spec *spec)
{
    if (spec == NULL || --spec->users > 0)
        return;
    free(spec->id);
    free(spec->state);
    free(spec->name);
    free(spec->group);
    free(spec);
}

static bool spec_is_valid(const troupe_child_spec *spec, bool has_id)
{
    if (has_id) {
        size_t id_len = spec->id == NULL ? 0 : strnlen(spec->id, TROUPE_CHILD_ID_LEN_MAX + 1);
        if (id_len == 0 || id_len > TROUPE_CHILD_ID_LEN_MAX)
            return false;
    }
    return (spec->behaviour == NULL) != (spec->supervisor == NULL) &&
           spec->restart <= TROUPE_RESTART_TEMPORARY &&
           !(spec->is_significant && spec->restart == TROUPE_RESTART_PERMANENT) &&
           (spec->behaviour == NULL || spec->behaviour->state_size <= TROUPE_STATE_SIZE_MAX);
}

/* A copy of a text, if there is one; false: no memory. */
static bool text_copy(const char *text, char **ret_copy)
{
    *ret_copy = text == NULL ? NULL : strdup(text);
    return text == NULL || *ret_copy != NULL;
}

troupe_status supervisor_spec_new(const troupe_child_spec *user, bool has_id, struct child_spec **ret_spec)
{
    if (!spec_is_valid(user, has_id))
        return TROUPE_INVALID;
    struct child_spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL)
        return TROUPE_NO_MEMORY;
    spec->users = 1;
    spec->user = *user;
    bool is_whole = text_copy(has_id ? user->id : NULL, &spec->id) &&
                    text_copy(user->options.name, &spec->name) &&
                    text_copy(user->options.group, &spec->group);
    if (user->behaviour != NULL && user->options.state != NULL && is_whole) {
        spec->state = malloc(user->behaviour->state_size + 1);
        is_whole = spec->state != NULL;
        if (is_whole)
            memcpy(spec->state, user->options.state, user->behaviour->state_size);
    }
    if (!is_whole) {
        supervisor_spec_unref(spec);
        return TROUPE_NO_MEMORY;
    }
    spec->user.id = spec->id;
    spec->user.options.state = spec->state;
    spec->user.options.name = spec->name;
    spec->user.options.group = spec->group;
    spec->user.options.ret_status = NULL;
    *ret_spec = spec;
    return TROUPE_OK;
}

static uint64_t id_hash(const char *id)
{
    return troupe_type_id(id);
}

/* SplitMix64's finish: slots are dense numbers, and the map takes the lower bits. */
static uint64_t ref_hash(troupe_ref ref)
{
    uint64_t bits = (ref.bits ^ (ref.bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

static bool id_is_equal(const void *context, uint32_t index, const void *key)
{
    const struct supervisor *supervisor = context;
    return strcmp(supervisor->places[index]->spec->id, key) == 0;
}

static bool ref_is_equal(const void *context, uint32_t index, const void *key)
{
    const struct supervisor *supervisor = context;
    const troupe_ref *ref = key;
    return troupe_ref_equal(supervisor->places[index]->ref, *ref);
}

struct child *supervisor_child_by_id(const struct supervisor *supervisor, const char *id)
{
    uint32_t index = map_find(&supervisor->by_id, id_hash(id), id_is_equal, supervisor, id);
    return index == MAP_NONE ? NULL : supervisor->places[index];
}

struct child *supervisor_child_by_ref(const struct supervisor *supervisor, troupe_ref ref)
{
    uint32_t index = map_find(&supervisor->by_ref, ref_hash(ref), ref_is_equal, supervisor, &ref);
    return index == MAP_NONE ? NULL : supervisor->places[index];
}

/* Room for one more place; as many free ones fit the stack as there are places. */
static troupe_status places_grow(struct supervisor *supervisor)
{
    if (supervisor->place_count < supervisor->place_capacity)
        return TROUPE_OK;
    uint32_t capacity = supervisor->place_capacity == 0 ? PLACES_FIRST : supervisor->place_capacity * 2;
    struct child **places = realloc(supervisor->places, capacity * sizeof(struct child *));
    if (places == NULL)
        return TROUPE_NO_MEMORY;
    supervisor->places = places;
    uint32_t *places_free = realloc(supervisor->places_free, capacity * sizeof *places_free);
    if (places_free == NULL)
        return TROUPE_NO_MEMORY;
    supervisor->places_free = places_free;
    supervisor->place_capacity = capacity;
    return TROUPE_OK;
}

troupe_status supervisor_child_append(struct supervisor *supervisor, struct child_spec *spec,
                                      struct child **ret_child)
{
    if (supervisor->child_count == TROUPE_CHILDREN_MAX)
        return TROUPE_LIMIT;
    if (spec->id != NULL && supervisor_child_by_id(supervisor, spec->id) != NULL)
        return TROUPE_NAME_TAKEN;
    if (spec->user.is_significant && supervisor->spec.auto_shutdown == TROUPE_AUTO_SHUTDOWN_NEVER)
        return TROUPE_INVALID;
    troupe_status status = supervisor->place_free_count > 0 ? TROUPE_OK : places_grow(supervisor);
    if (status == TROUPE_OK) /* once and for all: a start must not fail for want of a slot here */
        status = map_reserve(&supervisor->by_ref, supervisor->child_count + 1 - supervisor->by_ref.count);
    if (status == TROUPE_OK && spec->id != NULL)
        status = map_reserve(&supervisor->by_id, 1);
    struct child *child = status == TROUPE_OK ? calloc(1, sizeof *child) : NULL;
    if (child == NULL)
        return status == TROUPE_OK ? TROUPE_NO_MEMORY : status;
    child->index = supervisor->place_free_count > 0 ? supervisor->places_free[--supervisor->place_free_count]
                                                    : supervisor->place_count++;
    child->spec = spec;
    child->position = supervisor->next_position++;
    child->previous = supervisor->last;
    if (supervisor->last == NULL)
        supervisor->first = child;
    else
        supervisor->last->next = child;
    supervisor->last = child;
    supervisor->places[child->index] = child;
    supervisor->child_count++;
    if (spec->id != NULL)
        map_insert(&supervisor->by_id, id_hash(spec->id), child->index);
    *ret_child = child;
    return TROUPE_OK;
}

void supervisor_child_reserve_free(struct worker *worker, struct child *child)
{
    if (child->reserve != NULL)
        message_dispose(worker, child->reserve);
    child->reserve = NULL;
}

void supervisor_child_remove(struct supervisor *supervisor, struct child *child)
{
    ASSERT(!child_is_live(child) && child->reserve == NULL);
    supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
    agenda_remove(child);
    if (child->spec->id != NULL)
        map_remove(&supervisor->by_id, id_hash(child->spec->id), child->index);
    if (child->previous == NULL)
        supervisor->first = child->next;
    else
        child->previous->next = child->next;
    if (child->next == NULL)
        supervisor->last = child->previous;
    else
        child->next->previous = child->previous;
    supervisor->places[child->index] = NULL;
    supervisor->places_free[supervisor->place_free_count++] = child->index;
    supervisor->child_count--;
    supervisor_spec_unref(child->spec);
    free(child);
}

void supervisor_child_phase(struct supervisor *supervisor, struct child *child, enum child_phase phase,
                            troupe_ref ref)
{
    bool was_live = child_is_live(child);
    supervisor->waiting_count -= child->phase == CHILD_WAITING;
    child->phase = (uint8_t)phase;
    supervisor->waiting_count += phase == CHILD_WAITING;
    bool is_live = child_is_live(child);
    if (was_live && !is_live) {
        map_remove(&supervisor->by_ref, ref_hash(child->ref), child->index);
        child->ref = troupe_ref_none();
        supervisor->live_count--;
    } else if (!was_live && is_live) {
        child->ref = ref;
        map_insert(&supervisor->by_ref, ref_hash(ref), child->index);
        supervisor->live_count++;
    }
}

/* Whether `one` comes before `other` on this agenda. */
static bool is_before(const struct agenda *agenda, const struct child *one, const struct child *other)
{
    return (one->position < other->position) != agenda->is_descending;
}

void agenda_add(struct agenda *agenda, struct child *child)
{
    ASSERT(child->agenda == NULL);
    struct child *before = agenda->last; /* sequences add in order: the place is mostly at the end */
    while (before != NULL && is_before(agenda, child, before))
        before = before->agenda_previous;
    struct child *after = before == NULL ? agenda->first : before->agenda_next;
    child->agenda = agenda;
    child->agenda_previous = before;
    child->agenda_next = after;
    if (before == NULL)
        agenda->first = child;
    else
        before->agenda_next = child;
    if (after == NULL)
        agenda->last = child;
    else
        after->agenda_previous = child;
}

void agenda_remove(struct child *child)
{
    struct agenda *agenda = child->agenda;
    if (agenda == NULL)
        return;
    if (child->agenda_previous == NULL)
        agenda->first = child->agenda_next;
    else
        child->agenda_previous->agenda_next = child->agenda_next;
    if (child->agenda_next == NULL)
        agenda->last = child->agenda_previous;
    else
        child->agenda_next->agenda_previous = child->agenda_previous;
    child->agenda = NULL;
    child->agenda_previous = child->agenda_next = NULL;
}

static void supervisor_free(struct worker *worker, struct supervisor *supervisor)
{
    if (supervisor == NULL)
        return;
    supervisor_requests_done(supervisor);
    while (supervisor->first != NULL) {
        struct child *child = supervisor->first;
        supervisor->first = child->next;
        supervisor_child_reserve_free(worker, child);
        supervisor_spec_unref(child->spec);
        free(child);
    }
    supervisor_spec_unref(supervisor->pattern);
    map_done(&supervisor->by_id);
    map_done(&supervisor->by_ref);
    free(supervisor->places);
    free(supervisor->places_free);
    free(supervisor->restarts_ms);
    free(supervisor);
}

void supervisor_done(struct worker *worker, void *state)
{
    supervisor_free(worker, *(struct supervisor **)state);
}

static bool is_valid(const troupe_supervisor_spec *spec)
{
    bool is_simple = spec->strategy == TROUPE_SIMPLE_ONE_FOR_ONE;
    return spec->strategy <= TROUPE_SIMPLE_ONE_FOR_ONE && spec->intensity <= TROUPE_INTENSITY_MAX &&
           spec->child_count <= TROUPE_CHILDREN_MAX && !(spec->intensity_none && spec->intensity != 0) &&
           spec->auto_shutdown <= TROUPE_AUTO_SHUTDOWN_ALL && (!is_simple || spec->child_count == 1);
}

static void defaults_fill(troupe_supervisor_spec *spec)
{
    if (spec->intensity == 0 && !spec->intensity_none)
        spec->intensity = TROUPE_INTENSITY_DEFAULT;
    if (spec->period_ms == 0)
        spec->period_ms = TROUPE_PERIOD_MS_DEFAULT;
    if (spec->backoff_max_ms == 0) {
        uint64_t max_ms = (uint64_t)spec->backoff_min_ms * BACKOFF_MAX_TIMES;
        spec->backoff_max_ms = max_ms < UINT32_MAX ? (uint32_t)max_ms : UINT32_MAX;
    }
}

/* One of the children that the spec names; of a simple supervisor it is the pattern of all. */
static troupe_status first_child_add(struct supervisor *supervisor, const troupe_child_spec *user)
{
    bool is_simple = supervisor_is_simple(supervisor);
    struct child_spec *spec;
    troupe_status status = supervisor_spec_new(user, !is_simple, &spec);
    if (status != TROUPE_OK)
        return status;
    if (is_simple) {
        supervisor->pattern = spec;
        bool is_never = supervisor->spec.auto_shutdown == TROUPE_AUTO_SHUTDOWN_NEVER;
        return user->is_significant && is_never ? TROUPE_INVALID : TROUPE_OK;
    }
    struct child *child;
    status = supervisor_child_append(supervisor, spec, &child);
    if (status == TROUPE_OK) {
        child->is_wanted = true;
        agenda_add(&supervisor->starts, child);
    } else {
        supervisor_spec_unref(spec);
    }
    return status == TROUPE_NAME_TAKEN ? TROUPE_INVALID : status;
}

troupe_status supervisor_new(const troupe_supervisor_spec *spec, struct supervisor **ret_supervisor)
{
    if (!is_valid(spec))
        return TROUPE_INVALID;
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    if (supervisor == NULL)
        return TROUPE_NO_MEMORY;
    supervisor->spec = *spec;
    supervisor->stops.is_descending = true;
    defaults_fill(&supervisor->spec);
    supervisor->restarts_ms = calloc(supervisor->spec.intensity + 1, sizeof(uint64_t));
    troupe_status status = supervisor->restarts_ms == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    for (uint32_t i = 0; i < spec->child_count && status == TROUPE_OK; i++)
        status = first_child_add(supervisor, &spec->children[i]);
    supervisor->spec.children = NULL; /* the caller's */
    if (status == TROUPE_OK)
        *ret_supervisor = supervisor;
    else
        supervisor_free(NULL, supervisor); /* nobody has started */
    return status;
}

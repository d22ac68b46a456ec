/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/supervisor_children: copies of specs, children found by id and by ref, counts by phase,
 * and agendas in order. A supervisor's state without its actor; no system. What the rules of supervision do
 * with it: core_supervisor_test.c. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/supervisor.h"

enum {
    MANY = 500,
    ID_SIZE = 16,
};

static troupe_status receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour behaviour = {.name = "child", .state_size = 4, .receive = receive};

static struct supervisor *supervisor_of(const troupe_supervisor_spec *spec)
{
    struct supervisor *supervisor = NULL;
    assert_int_equal(supervisor_new(spec, &supervisor), TROUPE_OK);
    return supervisor;
}

static struct child *append(struct supervisor *supervisor, const char *id)
{
    const troupe_child_spec user = {.id = id, .behaviour = &behaviour};
    struct child_spec *spec;
    struct child *child;
    assert_int_equal(supervisor_spec_new(&user, true, &spec), TROUPE_OK);
    assert_int_equal(supervisor_child_append(supervisor, spec, &child), TROUPE_OK);
    return child;
}

static void spec_is_copied_with_all_it_points_to(void **state)
{
    (void)state;
    char id[] = "one";
    char name[] = "front";
    char group[] = "desks";
    uint32_t value = 7;
    troupe_status told = TROUPE_OK;
    const troupe_child_spec user = {
        .id = id,
        .behaviour = &behaviour,
        .options = {.state = &value, .name = name, .group = group, .ret_status = &told},
    };
    struct child_spec *spec;
    assert_int_equal(supervisor_spec_new(&user, true, &spec), TROUPE_OK);
    id[0] = name[0] = group[0] = 'X';
    value = 8;
    assert_string_equal(spec->user.id, "one");
    assert_string_equal(spec->user.options.name, "front");
    assert_string_equal(spec->user.options.group, "desks");
    assert_int_equal(*(const uint32_t *)spec->user.options.state, 7);
    assert_null(spec->user.options.ret_status); /* whoever it points to is not there any more */
    spec->users++;
    supervisor_spec_unref(spec);
    assert_string_equal(spec->id, "one"); /* somebody else has it still */
    supervisor_spec_unref(spec);
    supervisor_spec_unref(NULL);
}

static void spec_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const troupe_behaviour heavy = {
        .name = "heavy", .state_size = TROUPE_STATE_SIZE_MAX + 1, .receive = receive};
    static const troupe_supervisor_spec nested = {.child_count = 0};
    static char longest[TROUPE_CHILD_ID_LEN_MAX + 2];
    const troupe_child_spec wrong[] = {
        {.behaviour = &behaviour},
        {.id = "", .behaviour = &behaviour},
        {.id = longest, .behaviour = &behaviour},
        {.id = "a"},
        {.id = "a", .behaviour = &behaviour, .supervisor = &nested},
        {.id = "a", .behaviour = &behaviour, .restart = TROUPE_RESTART_TEMPORARY + 1},
        {.id = "a", .behaviour = &behaviour, .restart = TROUPE_RESTART_PERMANENT, .is_significant = true},
        {.id = "a", .behaviour = &heavy},
    };
    struct child_spec *spec = NULL;
    memset(longest, 'i', TROUPE_CHILD_ID_LEN_MAX + 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(supervisor_spec_new(&wrong[i], true, &spec), TROUPE_INVALID);
    assert_null(spec);
    longest[TROUPE_CHILD_ID_LEN_MAX] = '\0'; /* as long as may be */
    assert_int_equal(supervisor_spec_new(&wrong[2], true, &spec), TROUPE_OK);
    supervisor_spec_unref(spec);
    assert_int_equal(supervisor_spec_new(&wrong[0], false, &spec), TROUPE_OK); /* a pattern needs no id */
    assert_null(spec->id);
    supervisor_spec_unref(spec);
}

static void child_is_found_by_its_id_until_it_is_removed(void **state)
{
    (void)state;
    static char ids[MANY][ID_SIZE];
    struct supervisor *supervisor = supervisor_of(&(troupe_supervisor_spec){.child_count = 0});
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "child %u", i);
        append(supervisor, ids[i]);
    }
    for (uint32_t i = 0; i < MANY; i += 2)
        supervisor_child_remove(supervisor, supervisor_child_by_id(supervisor, ids[i]));
    assert_int_equal(supervisor->child_count, MANY / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        const struct child *child = supervisor_child_by_id(supervisor, ids[i]);
        assert_true((child != NULL) == (i % 2 == 1));
        if (child != NULL)
            assert_string_equal(child->spec->id, ids[i]);
    }
    uint32_t i = 1;
    for (const struct child *child = supervisor->first; child != NULL; child = child->next, i += 2)
        assert_string_equal(child->spec->id, ids[i]); /* the order of the rest stands */
    assert_int_equal(i, MANY + 1);
    for (i = 0; i < MANY; i += 2)
        append(supervisor, ids[i]);
    assert_int_equal(supervisor->place_count, MANY); /* the places of the removed were used again */
    assert_string_equal(supervisor->last->spec->id, ids[MANY - 2]);
    supervisor_done(NULL, &supervisor);
}

static void second_child_of_an_id_is_refused_and_its_spec_stays_the_callers(void **state)
{
    (void)state;
    struct supervisor *supervisor = supervisor_of(&(troupe_supervisor_spec){.child_count = 0});
    struct child *first = append(supervisor, "a");
    const troupe_child_spec again = {.id = "a", .behaviour = &behaviour};
    const troupe_child_spec significant = {
        .id = "b", .behaviour = &behaviour, .restart = TROUPE_RESTART_TEMPORARY, .is_significant = true};
    struct child_spec *spec;
    struct child *child = NULL;
    assert_int_equal(supervisor_spec_new(&again, true, &spec), TROUPE_OK);
    assert_int_equal(supervisor_child_append(supervisor, spec, &child), TROUPE_NAME_TAKEN);
    assert_int_equal(spec->users, 1);
    supervisor_spec_unref(spec);
    assert_int_equal(supervisor_spec_new(&significant, true, &spec), TROUPE_OK); /* for auto_shutdown only */
    assert_int_equal(supervisor_child_append(supervisor, spec, &child), TROUPE_INVALID);
    supervisor_spec_unref(spec);
    assert_null(child);
    assert_int_equal(supervisor->child_count, 1);
    assert_ptr_equal(supervisor_child_by_id(supervisor, "a"), first);
    supervisor_done(NULL, &supervisor);
}

/* Invariants 1 and 3 of supervisor.h, along a child's life. */
static void counts_and_the_ref_go_with_the_phase(void **state)
{
    (void)state;
    static const struct {
        enum child_phase phase;
        uint32_t live, waiting;
    } life[] = {
        {CHILD_STARTING, 1, 0}, {CHILD_UP, 1, 0},   {CHILD_STOPPING, 1, 0}, {CHILD_DOWN, 0, 0},
        {CHILD_WAITING, 0, 1},  {CHILD_DOWN, 0, 0}, {CHILD_STARTING, 1, 0}, {CHILD_WAITING, 0, 1},
    };
    const troupe_ref ref = {12345};
    struct supervisor *supervisor = supervisor_of(&(troupe_supervisor_spec){.child_count = 0});
    struct child *child = append(supervisor, "a");
    append(supervisor, "b");
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        supervisor_child_phase(supervisor, child, life[i].phase, ref);
        assert_int_equal(supervisor->live_count, life[i].live);
        assert_int_equal(supervisor->waiting_count, life[i].waiting);
        assert_ptr_equal(supervisor_child_by_ref(supervisor, ref), life[i].live == 1 ? child : NULL);
        assert_int_equal(child->ref.bits, life[i].live == 1 ? ref.bits : 0);
    }
    supervisor_child_remove(supervisor, child); /* while it waits */
    assert_int_equal(supervisor->waiting_count, 0);
    supervisor_done(NULL, &supervisor);
}

static void agenda_is_in_order_however_it_was_filled(void **state)
{
    (void)state;
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    static const uint32_t adding[] = {2, 4, 0, 3, 1};
    struct child *children[5];
    struct supervisor *supervisor = supervisor_of(&(troupe_supervisor_spec){.child_count = 0});
    for (uint32_t i = 0; i < 5; i++)
        children[i] = append(supervisor, ids[i]);
    for (int descending = 0; descending <= 1; descending++) {
        struct agenda *agenda = descending ? &supervisor->stops : &supervisor->starts;
        for (uint32_t i = 0; i < 5; i++)
            agenda_add(agenda, children[adding[i]]);
        const struct child *child = agenda->first;
        for (uint32_t i = 0; i < 5; i++, child = child->agenda_next)
            assert_ptr_equal(child, children[descending ? 4 - i : i]);
        assert_null(child);
        agenda_remove(children[2]); /* in the middle, at both ends */
        agenda_remove(children[0]);
        agenda_remove(children[4]);
        agenda_remove(children[4]); /* it is on none: nothing */
        assert_ptr_equal(agenda->first, children[descending ? 3 : 1]);
        assert_ptr_equal(agenda->last, children[descending ? 1 : 3]);
        assert_ptr_equal(agenda->first->agenda_next, agenda->last);
        assert_ptr_equal(agenda->last->agenda_previous, agenda->first);
        agenda_remove(children[1]);
        agenda_remove(children[3]);
        assert_null(agenda->first);
        assert_null(agenda->last);
    }
    supervisor_done(NULL, &supervisor);
}

static void removed_child_is_on_no_agenda(void **state)
{
    (void)state;
    struct supervisor *supervisor = supervisor_of(&(troupe_supervisor_spec){.child_count = 0});
    struct child *a = append(supervisor, "a");
    struct child *b = append(supervisor, "b");
    agenda_add(&supervisor->starts, a);
    agenda_add(&supervisor->starts, b);
    supervisor_child_remove(supervisor, a);
    assert_ptr_equal(supervisor->starts.first, b);
    assert_null(b->agenda_previous);
    supervisor_done(NULL, &supervisor);
}

static void new_supervisor_wants_its_children_and_has_the_defaults(void **state)
{
    (void)state;
    const troupe_child_spec children[] = {{.id = "a", .behaviour = &behaviour},
                                          {.id = "b", .behaviour = &behaviour}};
    const troupe_child_spec twins[] = {children[0], children[0]};
    struct supervisor *supervisor =
        supervisor_of(&(troupe_supervisor_spec){.children = children, .child_count = 2, .backoff_min_ms = 5});
    assert_int_equal(supervisor->spec.intensity, TROUPE_INTENSITY_DEFAULT);
    assert_int_equal(supervisor->spec.period_ms, TROUPE_PERIOD_MS_DEFAULT);
    assert_int_equal(supervisor->spec.backoff_max_ms, 5 * 60);
    assert_null(supervisor->spec.children);
    assert_string_equal(supervisor->starts.first->spec->id, "a");
    assert_string_equal(supervisor->starts.last->spec->id, "b");
    assert_true(supervisor->starts.first->is_wanted);
    supervisor_done(NULL, &supervisor);
    supervisor = supervisor_of(&(troupe_supervisor_spec){
        .intensity_none = true, .backoff_min_ms = UINT32_MAX, .child_count = 0}); /* no product overflows */
    assert_int_equal(supervisor->spec.intensity, 0);
    assert_int_equal(supervisor->spec.backoff_max_ms, UINT32_MAX);
    supervisor_done(NULL, &supervisor);
    supervisor = NULL;
    assert_int_equal(
        supervisor_new(&(troupe_supervisor_spec){.children = twins, .child_count = 2}, &supervisor),
        TROUPE_INVALID);
    assert_int_equal(supervisor_new(&(troupe_supervisor_spec){.children = children,
                                                              .child_count = 2,
                                                              .strategy = TROUPE_SIMPLE_ONE_FOR_ONE},
                                    &supervisor),
                     TROUPE_INVALID); /* of a simple one there is one pattern */
    assert_int_equal(
        supervisor_new(&(troupe_supervisor_spec){.intensity = 1, .intensity_none = true}, &supervisor),
        TROUPE_INVALID);
    assert_null(supervisor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec_is_copied_with_all_it_points_to),
        cmocka_unit_test(spec_that_cannot_be_is_refused),
        cmocka_unit_test(child_is_found_by_its_id_until_it_is_removed),
        cmocka_unit_test(second_child_of_an_id_is_refused_and_its_spec_stays_the_callers),
        cmocka_unit_test(counts_and_the_ref_go_with_the_phase),
        cmocka_unit_test(agenda_is_in_order_however_it_was_filled),
        cmocka_unit_test(removed_child_is_on_no_agenda),
        cmocka_unit_test(new_supervisor_wants_its_children_and_has_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

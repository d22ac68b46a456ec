/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/snapshot_report: what is said of an actor by its home, what anybody can say of it, and
 * that saying it changes nothing. Reports of a simulated system's actors, made by hand between two steps of
 * it; whole snapshots are in core_snapshot_test.c. One thread.
 */
#include "unit/core_probe.h"

#include "core/extras.h"
#include "core/mailbox.h"
#include "core/snapshot.h"

enum {
    NS_IN_MS = 1000000,
    WAITING = 5,
};

static struct probe first;
static struct probe second;
static struct report report;

static void begin(void)
{
    memset(&report, 0, sizeof report);
    buffer_init(&report.sightings);
    buffer_init(&report.texts);
}

static const struct sighting *report_home(troupe_system *system, troupe_ref ref)
{
    struct actor *actor = system_find(system, ref);
    assert_non_null(actor);
    report_actor(&report, system->workers[load_relaxed(&actor->home)], actor, troupe_now_ns(system));
    assert_int_equal(report.status, TROUPE_OK);
    return report_at(&report, report_count(&report) - 1);
}

static const char *text_of(size_t at)
{
    assert_true(at > 0);
    return (const char *)report.texts.bytes + at - 1;
}

static void idle_actor_has_its_names_and_numbers_and_zeros(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, &(troupe_spawn_options){.name = "front"});
    probe_spawn(system, &second, NULL);
    const struct sighting *sighting = report_home(system, first.ref);
    const troupe_snapshot_node *node = &sighting->node;
    assert_true(troupe_ref_equal(node->ref, first.ref));
    assert_string_equal(node->behaviour, "probe");
    assert_string_equal(text_of(sighting->name_at), "front");
    assert_int_equal(sighting->child_at, 0);
    assert_int_equal(sighting->parent, 0);
    assert_int_equal(node->created, 1);
    assert_int_equal(node->state, TROUPE_ACTOR_RUNNING);
    assert_int_equal(node->depth + node->depth_system + node->bytes + node->oldest_ms, 0);
    assert_false(node->is_partial || node->is_supervisor || node->is_own_thread || node->is_runnable);
    sighting = report_home(system, second.ref);
    assert_int_equal(sighting->name_at, 0); /* it has none */
    assert_int_equal(sighting->node.created, 2);
    assert_int_equal(report_count(&report), 2);
    report_done(&report);
    probe_system_stop(system);
}

/* A simulated run goes on as if nobody had looked: what arrived stays where it is, and is counted. */
static void what_has_arrived_is_counted_but_not_taken_in(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, NULL);
    struct actor *actor = system_find(system, first.ref);
    for (uint64_t i = 0; i < WAITING; i++)
        assert_int_equal(troupe_send(system, first.ref, probe_value, .value = i), TROUPE_OK);
    const troupe_message *arrived = load_relaxed(&actor->arrived);
    uint64_t arrived_load = load_relaxed(&actor->arrived_load);
    const troupe_snapshot_node *node = &report_home(system, first.ref)->node;
    assert_int_equal(node->depth, WAITING);
    assert_int_equal(node->depth_normal, WAITING);
    assert_int_equal(node->depth_urgent, 0);
    assert_int_equal(node->bytes, WAITING * (sizeof(troupe_message) + sizeof(probe_value)));
    assert_int_equal(node->handled, 0);
    assert_ptr_equal(load_relaxed(&actor->arrived), arrived);
    assert_int_equal(load_relaxed(&actor->arrived_load), arrived_load);
    assert_null(actor->normal.first);
    settle(system);
    node = &report_home(system, first.ref)->node;
    assert_int_equal(node->handled, WAITING);
    assert_int_equal(node->depth, 0);
    report_done(&report);
    probe_system_stop(system);
}

static void phase_and_wait_are_told_as_a_state(void **state)
{
    (void)state;
    static const struct {
        enum actor_phase phase;
        troupe_actor_state alone, waiting;
    } facts[] = {
        {ACTOR_STARTING, TROUPE_ACTOR_STARTING, TROUPE_ACTOR_STARTING},
        {ACTOR_RUNNING, TROUPE_ACTOR_RUNNING, TROUPE_ACTOR_PARKED},
        {ACTOR_HOLDING, TROUPE_ACTOR_RUNNING, TROUPE_ACTOR_PARKED},
        {ACTOR_ENDING, TROUPE_ACTOR_ENDING, TROUPE_ACTOR_ENDING},
    };
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, NULL);
    probe_spawn(system, &second, NULL);
    struct actor *actor = system_find(system, first.ref);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        actor->phase = (uint8_t)facts[i].phase;
        actor->is_queued = 1;
        const troupe_snapshot_node *node = &report_home(system, first.ref)->node;
        assert_int_equal(node->state, facts[i].alone);
        assert_true(node->is_runnable);
        store_relaxed(&actor->parked_on, second.ref.bits);
        node = &report_home(system, first.ref)->node;
        assert_int_equal(node->state, facts[i].waiting);
        assert_true(troupe_ref_equal(node->parked_on, second.ref));
        assert_true(node->is_runnable == (facts[i].waiting != TROUPE_ACTOR_PARKED));
        store_relaxed(&actor->parked_on, 0);
    }
    actor->phase = ACTOR_RUNNING;
    actor->is_queued = 0;
    report_done(&report);
    probe_system_stop(system);
}

static void what_extras_know_is_told(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, NULL);
    struct actor *actor = system_find(system, first.ref);
    struct extras *extras = extras_of(system->workers[0], actor);
    assert_non_null(extras);
    extras->unexpected = 3;
    extras->restarts = 5;
    extras->failures = 4;
    extras->child = strdup("desk 7");
    const struct sighting *sighting = report_home(system, first.ref);
    assert_int_equal(sighting->node.unexpected, 3);
    assert_int_equal(sighting->node.restarts, 5);
    assert_int_equal(sighting->node.failures, 4);
    assert_string_equal(text_of(sighting->child_at), "desk 7");
    assert_int_equal(sighting->name_at, 0);
    report_done(&report);
    probe_system_stop(system);
}

/* The clock of messages is 32 bits of milliseconds, and one from the future is no age. */
static void age_is_that_of_the_oldest_and_survives_the_clock_coming_round(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, NULL);
    struct actor *actor = system_find(system, first.ref);
    assert_int_equal(troupe_send(system, first.ref, probe_value, .value = 1), TROUPE_OK);
    assert_int_equal(troupe_send(system, first.ref, probe_value, .value = 2), TROUPE_OK);
    troupe_message *newest = load_relaxed(&actor->arrived);
    troupe_message *oldest = newest->next;
    const uint64_t now_ms = (UINT64_C(1) << 32) + 10; /* it has just come round */
    oldest->sent_ms = UINT32_MAX - 19;
    newest->sent_ms = 3;
    report_actor(&report, system->workers[0], actor, now_ms * NS_IN_MS);
    assert_int_equal(report_at(&report, 0)->node.oldest_ms, 30);
    oldest->sent_ms = 15;
    report_actor(&report, system->workers[0], actor, now_ms * NS_IN_MS);
    assert_int_equal(report_at(&report, 1)->node.oldest_ms, 0);
    report_done(&report);
    probe_system_stop(system);
}

static void partial_report_has_what_is_shared_and_says_so(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    begin();
    probe_spawn(system, &first, &(troupe_spawn_options){.name = "front"});
    assert_int_equal(troupe_send(system, first.ref, probe_value, .value = 1), TROUPE_OK);
    report_partial(&report, system, first.ref);
    assert_int_equal(report_count(&report), 1);
    const struct sighting *sighting = report_at(&report, 0);
    assert_true(sighting->node.is_partial);
    assert_int_equal(sighting->name_at, 0); /* which only its home may read */
    assert_int_equal(sighting->node.depth, 1);
    assert_int_equal(sighting->node.depth_normal, 1);
    assert_int_equal(sighting->node.state, TROUPE_ACTOR_RUNNING);
    store_relaxed(&system_find(system, first.ref)->parked_on, first.ref.bits);
    report_partial(&report, system, first.ref);
    assert_int_equal(report_at(&report, 1)->node.state, TROUPE_ACTOR_PARKED);
    store_relaxed(&system_find(system, first.ref)->parked_on, 0);
    troupe_shutdown(system, first.ref, TROUPE_OK);
    settle(system);
    report_partial(&report, system, first.ref); /* it has ended: nothing is said of whoever comes there */
    assert_int_equal(report_count(&report), 2);
    report_done(&report);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_actor_has_its_names_and_numbers_and_zeros),
        cmocka_unit_test(what_has_arrived_is_counted_but_not_taken_in),
        cmocka_unit_test(phase_and_wait_are_told_as_a_state),
        cmocka_unit_test(what_extras_know_is_told),
        cmocka_unit_test(age_is_that_of_the_oldest_and_survives_the_clock_coming_round),
        cmocka_unit_test(partial_report_has_what_is_shared_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

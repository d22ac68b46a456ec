/* SPDX-License-Identifier: MIT */
/*
 * Facts about snapshots of a system at work: while actors are born, die, talk, park and move between workers,
 * each snapshot holds everybody who lived all along exactly once, in the order of the tree. Real threads; run
 * under the thread sanitizer it also shows that no access is unordered.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "core/errand.h"
#include "core/system.h"

enum {
    WORKERS = 4,
#if defined __SANITIZE_THREAD__
    IDLE_ACTORS = 20000, /* unordered accesses show among fewer, too; plain builds have them all */
#else
    IDLE_ACTORS = 100000,
#endif
    TAKERS = 2,
    SNAPSHOTS_A_TAKER = 5,
    CHURN_THREADS = 2,
    CHURN_LIFE = 3,
    CHURN_LIVING_MAX = 2000, /* about so many of them live at once */
    TALKERS = 64,
    SHUTTLES = 32,
    TALKER_BOUND = 8,
};

#define NUMBER_FIELDS(F) F(u64, number)
TROUPE_MESSAGE(hop, NUMBER_FIELDS)
TROUPE_MESSAGE(step, NUMBER_FIELDS)

static _Atomic bool is_over;
static troupe_ref talkers[TALKERS];
static uint8_t *is_old; /* by creation number: lives through every snapshot */
static uint64_t old_max;
static uint32_t old_count;

static troupe_status idle_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

/* Passes each message on to two others now and then, so that mailboxes fill and senders park. */
static troupe_status talk_receive(troupe_self *self, const troupe_message *message)
{
    const hop *m = hop_of(message);
    if (m == NULL || load_relaxed(&is_over))
        return TROUPE_OK;
    uint64_t random = troupe_random(self);
    troupe_send(self, talkers[random % TALKERS], hop, .number = m->number + 1);
    if (random >> 62 == 0)
        troupe_send(self, talkers[(random >> 8) % TALKERS], hop, .number = m->number + 1);
    return TROUPE_OK;
}

static troupe_status mortal_receive(troupe_self *self, const troupe_message *message)
{
    if (step_of(message)->number == CHURN_LIFE)
        troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status failing_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    return troupe_fail(self, TROUPE_IO, "on purpose");
}

static const troupe_behaviour idle = {.name = "idle", .receive = idle_receive};
static const troupe_behaviour talker = {.name = "talker", .receive = talk_receive};
static const troupe_behaviour mortal = {.name = "mortal", .receive = mortal_receive};
static const troupe_behaviour failing = {.name = "failing", .receive = failing_receive};

static void *churn(void *context)
{
    troupe_system *system = context;
    for (;;) {
        troupe_counters counters;
        troupe_system_counters(system, &counters);
        if (load_relaxed(&is_over))
            break;
        if (counters.actors_spawned - counters.actors_ended > old_max + CHURN_LIVING_MAX) {
            usleep(1000);
            continue;
        }
        troupe_ref ref = troupe_spawn(system, &mortal, NULL);
        for (uint64_t i = 0; i <= CHURN_LIFE; i++)
            (void)troupe_send(system, ref, step, .number = i);
        (void)troupe_send(system, troupe_whereis(system, "failing"), step, .number = 1);
    }
    return NULL;
}

/* Moves one idle actor on to the next worker, and itself after it, as often as it can. */
struct shuttle {
    struct errand errand;
    struct actor *actor;
};

static struct shuttle shuttles[SHUTTLES];
static _Atomic uint32_t shuttles_over;

static void shuttle_run(struct worker *worker, struct errand *errand)
{
    struct shuttle *shuttle = (struct shuttle *)(void *)errand;
    struct troupe_system *system = worker->self.context.system;
    uint32_t home = load_relaxed(&shuttle->actor->home);
    if (load_relaxed(&is_over)) {
        fetch_add_relaxed(&shuttles_over, 1);
        return;
    }
    if (home == worker->index && !shuttle->actor->is_queued) {
        home = (home + 1) % WORKERS;
        worker_deal(system->workers[home], shuttle->actor);
    }
    errand_send(system->workers[home], errand);
}

static void shuttles_begin(troupe_system *system, const troupe_ref *refs)
{
    for (uint32_t i = 0; i < SHUTTLES; i++) {
        errand_init(&shuttles[i].errand, shuttle_run);
        shuttles[i].actor = system_find(system, refs[i]);
        errand_send(system->workers[i % WORKERS], &shuttles[i].errand);
    }
}

static void check(const troupe_snapshot *snapshot, uint8_t *seen)
{
    uint32_t old_seen = 0;
    memset(seen, 0, old_max + 1);
    for (uint32_t i = 0; i < snapshot->node_count; i++) {
        const troupe_snapshot_node *node = &snapshot->nodes[i];
        if (node->parent == TROUPE_SNAPSHOT_NONE) {
            ASSERT(node->level == 0);
        } else {
            ASSERT(node->parent < i);
            ASSERT(node->level == snapshot->nodes[node->parent].level + 1);
            ASSERT(snapshot->nodes[node->parent].is_supervisor || snapshot->nodes[node->parent].is_partial);
        }
        ASSERT(node->behaviour != NULL && node->created > 0);
        ASSERT(node->state != TROUPE_ACTOR_PARKED || !troupe_ref_is_none(node->parked_on));
        if (node->created > old_max)
            continue;
        ASSERT(!seen[node->created]);
        seen[node->created] = 1;
        old_seen += is_old[node->created];
    }
    ASSERT(old_seen == old_count);
}

static void *take_many(void *context)
{
    troupe_system *system = context;
    uint8_t *seen = malloc(old_max + 1);
    ASSERT(seen != NULL);
    for (int i = 0; i < SNAPSHOTS_A_TAKER; i++) {
        troupe_snapshot *snapshot = NULL;
        troupe_status status = troupe_snapshot_take(system, &snapshot);
        ASSERT(status == TROUPE_OK);
        check(snapshot, seen);
        troupe_snapshot_free(&snapshot);
    }
    free(seen);
    return NULL;
}

/* Remembers who lives now and will to the end: all but the child that fails. */
static void note_old(troupe_system *system)
{
    troupe_snapshot *snapshot = NULL;
    assert_int_equal(troupe_snapshot_take(system, &snapshot), TROUPE_OK);
    for (uint32_t i = 0; i < snapshot->node_count; i++)
        if (snapshot->nodes[i].created > old_max)
            old_max = snapshot->nodes[i].created;
    is_old = calloc(old_max + 1, 1);
    assert_non_null(is_old);
    for (uint32_t i = 0; i < snapshot->node_count; i++) {
        if (strcmp(snapshot->nodes[i].behaviour, "failing") == 0)
            continue;
        is_old[snapshot->nodes[i].created] = 1;
        old_count++;
    }
    troupe_snapshot_free(&snapshot);
}

static void each_snapshot_holds_who_lived_all_along_exactly_once(void **state)
{
    (void)state;
    static const troupe_child_spec child = {
        .id = "failing", .behaviour = &failing, .options = {.name = "failing"}};
    static const troupe_supervisor_spec spec = {
        .children = &child, .child_count = 1, .intensity = 10000, .period_ms = 1};
    const troupe_options options = {.workers = WORKERS};
    const troupe_spawn_options small = {.mailbox_len_max = TALKER_BOUND, .overflow = TROUPE_OVERFLOW_PARK};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref shuttled[SHUTTLES];
    for (int i = 0; i < IDLE_ACTORS; i++) {
        troupe_ref ref = troupe_spawn(system, &idle, NULL);
        assert_false(troupe_ref_is_none(ref));
        if (i % (IDLE_ACTORS / SHUTTLES) == 0 && i / (IDLE_ACTORS / SHUTTLES) < SHUTTLES)
            shuttled[i / (IDLE_ACTORS / SHUTTLES)] = ref;
    }
    for (int i = 0; i < TALKERS; i++)
        talkers[i] = troupe_spawn(system, &talker, &small);
    assert_false(troupe_ref_is_none(troupe_supervisor_start(system, &spec, NULL)));
    note_old(system);
    assert_true(old_count >= IDLE_ACTORS + TALKERS + 1);
    shuttles_begin(system, shuttled);
    pthread_t threads[CHURN_THREADS + TAKERS];
    for (int i = 0; i < CHURN_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, system), 0);
    for (uint64_t i = 0; i < TALKERS; i++)
        (void)troupe_send(system, talkers[i], hop, .number = 0);
    for (int i = CHURN_THREADS; i < CHURN_THREADS + TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, system), 0);
    for (int i = CHURN_THREADS; i < CHURN_THREADS + TAKERS; i++)
        pthread_join(threads[i], NULL);
    store_relaxed(&is_over, true);
    for (int i = 0; i < CHURN_THREADS; i++)
        pthread_join(threads[i], NULL);
    while (load_relaxed(&shuttles_over) < SHUTTLES)
        usleep(1000);
    assert_int_equal(troupe_stop(&system), 0);
    free(is_old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_snapshot_holds_who_lived_all_along_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

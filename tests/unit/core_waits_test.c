/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/waits: what is published, what counts as a ring, and the texts of paths. Actors of a
 * simulated system stand still meanwhile; this thread says who waits for whom. What holders and parked
 * senders make of it: core_hold_test.c, core_overflow_test.c. One thread.
 */
#include "unit/core_probe.h"

#include "core/ask.h"
#include "core/extras.h"
#include "core/waits.h"

enum {
    CHAIN_LEN = WAITS_CHAIN_MAX + 2,
};

static struct probe a;
static struct probe b;
static struct probe c;
static struct waits_chain ring;

static troupe_system *start_three(void)
{
    troupe_system *system = probe_system(1);
    probe_spawn(system, &a, &(troupe_spawn_options){.name = "a"});
    probe_spawn(system, &b, &(troupe_spawn_options){.name = "b"});
    probe_spawn(system, &c, NULL);
    return system;
}

static struct actor *actor_of(troupe_system *system, troupe_ref ref)
{
    struct actor *actor = system_find(system, ref);
    assert_non_null(actor);
    return actor;
}

static bool wait(troupe_system *system, const struct probe *who, const struct probe *whom)
{
    return waits_begin(system, actor_of(system, who->ref), whom->ref, true, &ring);
}

static void end(troupe_system *system, const struct probe *who)
{
    waits_end(actor_of(system, who->ref));
}

static uint64_t waits_for(troupe_system *system, const struct probe *who)
{
    return load_relaxed(&actor_of(system, who->ref)->parked_on);
}

/* `who` as the asker that it waits as: the tag of its wait is in the number of the ask. */
static troupe_asker asker_of(troupe_system *system, const struct probe *who)
{
    uint8_t tag = load_relaxed(&actor_of(system, who->ref)->waits_tag) & WAITS_TAG_COUNT;
    return (troupe_asker){who->ref, ASK_HELD | ASK_TAG(tag) | 1};
}

static void wait_is_published_until_it_ends(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    assert_int_equal(waits_for(system, &a), 0);
    assert_true(wait(system, &a, &b));
    assert_int_equal(waits_for(system, &a), b.ref.bits);
    end(system, &a);
    assert_int_equal(waits_for(system, &a), 0);
    probe_system_stop(system);
}

static void wait_that_closes_a_ring_is_taken_back_and_the_ring_is_told(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    assert_true(wait(system, &a, &b));
    assert_true(wait(system, &b, &c));
    assert_false(wait(system, &c, &a));
    assert_int_equal(waits_for(system, &c), 0);
    assert_int_equal(ring.len, 2); /* the others of it, in the order of the waits */
    assert_int_equal(ring.refs[0], a.ref.bits);
    assert_int_equal(ring.refs[1], b.ref.bits);
    end(system, &b);
    assert_true(wait(system, &c, &a)); /* no ring any more */
    end(system, &c);
    assert_false(wait(system, &a, &a)); /* the shortest */
    assert_int_equal(ring.len, 0);
    probe_system_stop(system);
}

/* Who waits for a ring is not of it; and who has ended keeps nobody waiting. */
static void chain_that_ends_closes_no_ring(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    assert_true(wait(system, &a, &b));
    assert_true(wait(system, &b, &c));
    end(system, &a);
    troupe_shutdown(system, c.ref, TROUPE_OK);
    settle(system);
    assert_true(wait(system, &a, &b));
    end(system, &a);
    end(system, &b);
    probe_system_stop(system);
}

static void each_wait_has_a_tag_of_its_own_and_says_its_kind(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    struct actor *actor = actor_of(system, a.ref);
    uint8_t last = load_relaxed(&actor->waits_tag);
    for (uint32_t i = 0; i < 2 * WAITS_TAG_HELD; i++) { /* the count comes round */
        bool is_held = i % 3 == 0;
        assert_true(waits_begin(system, actor, b.ref, is_held, &ring));
        uint8_t tag = load_relaxed(&actor->waits_tag);
        assert_int_equal(tag & WAITS_TAG_COUNT, (last + 1) & WAITS_TAG_COUNT);
        assert_int_equal(tag & WAITS_TAG_HELD, is_held ? WAITS_TAG_HELD : 0);
        waits_end(actor);
        last = tag;
    }
    probe_system_stop(system);
}

static void answer_ends_the_wait_for_it_and_no_other(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    assert_true(wait(system, &a, &b));
    troupe_asker first = asker_of(system, &a);
    waits_answered(system, (troupe_asker){a.ref, first.ask & ~ASK_HELD}); /* of an ask it does not hold for */
    assert_int_equal(waits_for(system, &a), b.ref.bits);
    end(system, &a);
    assert_true(wait(system, &a, &c));
    waits_answered(system, first); /* late: it was about the wait before */
    assert_int_equal(waits_for(system, &a), c.ref.bits);
    waits_answered(system, asker_of(system, &a));
    assert_int_equal(waits_for(system, &a), 0);
    waits_answered(system, asker_of(system, &a)); /* twice is once */
    assert_int_equal(waits_for(system, &a), 0);
    probe_system_stop(system);
}

static void wait_moves_with_its_question_unless_that_closes_a_ring(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    assert_true(wait(system, &a, &b));
    assert_true(waits_move(system, asker_of(system, &a), b.ref, c.ref, &ring));
    assert_int_equal(waits_for(system, &a), c.ref.bits);
    assert_true(wait(system, &b, &a));
    assert_false(waits_move(system, asker_of(system, &a), c.ref, b.ref, &ring));
    assert_int_equal(waits_for(system, &a), c.ref.bits); /* as it was */
    assert_int_equal(ring.len, 1);
    assert_int_equal(ring.refs[0], b.ref.bits);
    troupe_asker over = asker_of(system, &a);
    end(system, &a);
    assert_true(waits_move(system, over, c.ref, b.ref, &ring)); /* nobody waits: nothing to move */
    assert_int_equal(waits_for(system, &a), 0);
    end(system, &b);
    probe_system_stop(system);
}

/* A chain is followed so far and no further: one as long as that ends, one that is longer is refused. */
static void chain_over_its_limit_counts_as_a_ring(void **state)
{
    (void)state;
    static const troupe_behaviour link = {.name = "link", .receive = probe_receive};
    static troupe_ref refs[CHAIN_LEN];
    troupe_system *system = probe_system(1);
    for (uint32_t i = 0; i < CHAIN_LEN; i++)
        refs[i] = troupe_spawn(system, &link, NULL);
    settle(system);
    for (uint32_t i = 1; i < CHAIN_LEN; i++) { /* the first waits for nobody, each other for the one before */
        bool is_within = i <= WAITS_CHAIN_MAX;
        assert_true(waits_begin(system, actor_of(system, refs[i]), refs[i - 1], true, &ring) == is_within);
    }
    for (uint32_t i = 1; i < CHAIN_LEN; i++)
        waits_end(actor_of(system, refs[i]));
    probe_system_stop(system);
}

static void path_names_who_is_there_and_is_cleared(void **state)
{
    (void)state;
    troupe_system *system = start_three();
    struct actor *actor = actor_of(system, a.ref);
    struct worker *worker = system->workers[load_relaxed(&actor->home)];
    assert_string_equal(waits_failure_text(actor, TROUPE_DEADLOCK), "");
    waits_path_keep(worker, actor, a.ref, (const uint64_t[]){b.ref.bits, c.ref.bits}, 2);
    assert_string_equal(waits_failure_text(actor, TROUPE_DEADLOCK), "a -> b -> probe#3 -> a");
    assert_string_equal(waits_failure_text(actor, TROUPE_TIMEOUT), "a -> b -> probe#3 -> a");
    assert_string_equal(waits_failure_text(actor, TROUPE_FAILED), ""); /* which has to do with no ring */
    troupe_shutdown(system, b.ref, TROUPE_OK);
    settle(system);
    waits_path_keep(worker, actor, a.ref, (const uint64_t[]){b.ref.bits, c.ref.bits}, 2);
    assert_string_equal(waits_failure_text(actor, TROUPE_DEADLOCK), "a -> probe#3 -> a");
    snprintf(actor->extras->why, sizeof actor->extras->why, "my own words");
    assert_string_equal(waits_failure_text(actor, TROUPE_DEADLOCK), "my own words");
    actor->extras->why[0] = '\0';
    waits_path_clear(actor);
    assert_string_equal(waits_failure_text(actor, TROUPE_DEADLOCK), "");
    waits_path_clear(actor_of(system, c.ref)); /* which never had one */
    probe_system_stop(system);
}

static void long_path_counts_whom_it_does_not_name(void **state)
{
    (void)state;
    static uint64_t refs[WAITS_NAMED_MAX + 1];
    troupe_system *system = start_three();
    struct actor *actor = actor_of(system, a.ref);
    struct worker *worker = system->workers[load_relaxed(&actor->home)];
    for (uint32_t i = 0; i < WAITS_NAMED_MAX + 1; i++)
        refs[i] = b.ref.bits;
    waits_path_keep(worker, actor, a.ref, refs,
                    WAITS_NAMED_MAX - 2); /* with both ends the most that are named */
    assert_null(strstr(waits_failure_text(actor, TROUPE_DEADLOCK), "others"));
    waits_path_keep(worker, actor, a.ref, refs, WAITS_NAMED_MAX + 1);
    const char *text = waits_failure_text(actor, TROUPE_DEADLOCK);
    uint32_t named = 0;
    for (const char *at = text; (at = strstr(at, "-> b")) != NULL; at++)
        named++;
    assert_int_equal(named, WAITS_NAMED_MAX - 3);
    assert_non_null(strstr(text, "-> (4 others) -> a"));
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_is_published_until_it_ends),
        cmocka_unit_test(wait_that_closes_a_ring_is_taken_back_and_the_ring_is_told),
        cmocka_unit_test(chain_that_ends_closes_no_ring),
        cmocka_unit_test(each_wait_has_a_tag_of_its_own_and_says_its_kind),
        cmocka_unit_test(answer_ends_the_wait_for_it_and_no_other),
        cmocka_unit_test(wait_moves_with_its_question_unless_that_closes_a_ring),
        cmocka_unit_test(chain_over_its_limit_counts_as_a_ring),
        cmocka_unit_test(path_names_who_is_there_and_is_cleared),
        cmocka_unit_test(long_path_counts_whom_it_does_not_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/slots and what of core/system hands them out: a ref finds its actor or nobody, however
 * often its slot was used again. Virtual time, one thread.
 */
#include "unit/core_probe.h"

#include "core/system.h"

enum {
    ROUNDS = 300,
};

static troupe_status exit_now(troupe_self *self)
{
    troupe_exit(self);
    return TROUPE_OK;
}

static uint32_t slot_of(troupe_ref ref)
{
    return (uint32_t)ref.bits & ((1u << TROUPE_REF_SLOT_BITS) - 1);
}

static void chunks_are_numbered_and_belong_to_their_worker(void **state)
{
    (void)state;
    struct slots slots;
    assert_int_equal(slots_init(&slots), TROUPE_OK);
    assert_null(slots_at(slots.chunks, 0));
    for (uint32_t chunk = 0; chunk < 5; chunk++) {
        struct actor *first = NULL;
        assert_int_equal(slots_chunk_new(&slots, 10 + chunk, &first), TROUPE_OK);
        for (uint32_t i = 0; i < SLOTS_CHUNK_LEN; i++) {
            uint32_t slot = chunk * SLOTS_CHUNK_LEN + i;
            assert_ptr_equal(slots_at(slots.chunks, slot), first + i);
            assert_int_equal(first[i].slot, slot);
            assert_int_equal(load_relaxed(&first[i].home), 10 + chunk);
            assert_int_equal(load_relaxed(&first[i].generation) % 2, 1); /* free */
            assert_int_equal(slots_owner(&slots, slot), 10 + chunk);
        }
    }
    assert_null(slots_at(slots.chunks, 5 * SLOTS_CHUNK_LEN));
    assert_null(slots_at(slots.chunks, (1u << TROUPE_REF_SLOT_BITS) - 1));
    slots_done(&slots);
}

static void stale_refs_find_nobody_however_often_a_slot_is_used(void **state)
{
    (void)state;
    troupe_system *system = probe_system(3);
    static struct probe probes[ROUNDS];
    uint32_t same_slot = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        probe_spawn(system, &probes[i], NULL);
        same_slot += slot_of(probes[i].ref) == slot_of(probes[0].ref);
        for (uint32_t old = 0; old < i; old++)
            assert_int_equal(troupe_send(system, probes[old].ref, probe_value, .value = 1), TROUPE_NO_ACTOR);
        assert_int_equal(troupe_send(system, probes[i].ref, probe_value, .value = i), TROUPE_OK);
        settle(system);
        assert_int_equal(probes[i].value_count, 1);
        assert_int_equal(probes[i].values[0], i);
        probe_do(system, &probes[i], exit_now);
    }
    assert_true(same_slot > ROUNDS / 2); /* it was used again indeed */
    assert_int_equal(system->slots.chunk_count, 1);
    probe_system_stop(system);
}

/* Its last tenant's ref has the largest generation there is. */
static void used_up_slot_is_never_handed_out_again(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    static struct probe probes[4];
    probe_spawn(system, &probes[0], NULL);
    uint32_t slot = slot_of(probes[0].ref);
    probe_do(system, &probes[0], exit_now);
    store_relaxed(&slots_at(system->slots.chunks, slot)->generation, SLOTS_GENERATION_MAX - 2);
    probe_spawn(system, &probes[1], NULL);
    assert_int_equal(slot_of(probes[1].ref), slot);
    assert_int_equal(probes[1].ref.bits >> TROUPE_REF_SLOT_BITS, (1u << TROUPE_REF_GENERATION_BITS) - 1);
    probe_do(system, &probes[1], exit_now);
    for (uint32_t i = 2; i < 4; i++) {
        probe_spawn(system, &probes[i], NULL);
        assert_int_not_equal(slot_of(probes[i].ref), slot);
    }
    assert_int_equal(troupe_send(system, probes[0].ref, probe_value, .value = 1), TROUPE_NO_ACTOR);
    assert_int_equal(troupe_send(system, probes[1].ref, probe_value, .value = 1), TROUPE_NO_ACTOR);
    probe_system_stop(system);
}

static void slots_go_back_to_the_worker_they_came_from(void **state)
{
    (void)state;
    troupe_system *system = probe_system(4);
    static struct probe probes[600];
    for (int round = 0; round < 5; round++) { /* spawned outside, run and ended anywhere */
        for (uint32_t i = 0; i < 600; i++)
            probe_spawn(system, &probes[i], NULL);
        for (uint32_t i = 0; i < 600; i++)
            probe_do(system, &probes[i], exit_now);
    }
    assert_int_equal(system->slots.chunk_count, 2); /* 600 at once need two, and it stays at that */
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_numbered_and_belong_to_their_worker),
        cmocka_unit_test(stale_refs_find_nobody_however_often_a_slot_is_used),
        cmocka_unit_test(used_up_slot_is_never_handed_out_again),
        cmocka_unit_test(slots_go_back_to_the_worker_they_came_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

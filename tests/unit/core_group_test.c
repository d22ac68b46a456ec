/* SPDX-License-Identifier: MIT */
/*
 * core_group_test.c: membership, broadcast, each way of routing, and a pool whose worker fails and comes
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <troupe.h>

#define JOB(F) F(u64, key)
TROUPE_MESSAGE(job, JOB)
#define RESULT(F) F(ref, who)
TROUPE_MESSAGE(result, RESULT)
TROUPE_MESSAGE_EMPTY(crash)
#define MEMBERSHIP(F) F(text, group) F(bool, joins)
TROUPE_MESSAGE(membership, MEMBERSHIP)

static troupe_status worker_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t *jobs = troupe_state(self);
    const membership *m = membership_of(message);
    if (m != NULL) {
        const char *group = troupe_text(message, m->group);
        if (m->joins)
            return troupe_join(self, group);
        troupe_leave(self, group);
        return TROUPE_OK;
    }
    if (crash_of(message) != NULL)
        return TROUPE_FAILED;
    if (job_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    ++*jobs;
    return troupe_reply(self, troupe_asker_of(message), result, .who = troupe_self_ref(self));
}

static const troupe_behaviour worker = {
    .name = "worker", .state_size = sizeof(uint64_t), .receive = worker_receive};

/* Sends jobs, one each time it runs, and counts the refused ones and the results. */
struct source {
    troupe_ref to;
    uint32_t sent;
    uint32_t refused;
    uint32_t results;
};

enum {
    SOURCE_JOBS = 200,
};

TROUPE_MESSAGE_EMPTY(pump)
TROUPE_MESSAGE_EMPTY(tally_query)
#define TALLY(F) F(u32, results) F(u32, refused)
TROUPE_MESSAGE(tally, TALLY)

static troupe_status source_receive(troupe_self *self, const troupe_message *message)
{
    struct source *source = troupe_state(self);
    if (result_of(message) != NULL)
        source->results++;
    if (tally_query_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), tally, .results = source->results,
                            .refused = source->refused);
    if (pump_of(message) == NULL)
        return TROUPE_OK;
    if (source->sent == SOURCE_JOBS)
        return TROUPE_OK;
    if (troupe_send(self, source->to, job, .key = source->sent++) != TROUPE_OK)
        source->refused++;
    return troupe_send(self, troupe_self_ref(self), pump);
}

static troupe_system *begin(uint64_t seed)
{
    troupe_system *system = NULL;
    troupe_options options = {.workers = 2, .simulate = {.seed = seed}};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

static void spawn_members(troupe_system *system, troupe_ref *members, uint32_t count, const char *group)
{
    for (uint32_t i = 0; i < count; i++)
        members[i] = troupe_spawn(system, &worker, &(troupe_spawn_options){.group = group});
}

static uint64_t jobs_of(troupe_system *system, troupe_ref who)
{
    troupe_actor_info info;
    return troupe_actor_inspect(system, who, &info) == TROUPE_OK ? info.handled : UINT64_MAX;
}

static void members_come_and_go(void **state)
{
    (void)state;
    troupe_system *system = begin(1);
    troupe_ref one = troupe_spawn(system, &worker, NULL);
    assert_int_equal(troupe_group_size(system, "g"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(troupe_send(system, one, membership, .group = "g", .joins = true), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "g"), 1);
    assert_int_equal(troupe_send(system, one, membership, .group = "g", .joins = false), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "g"), 0);
    assert_int_equal(troupe_send(system, one, membership, .group = "g", .joins = true), TROUPE_OK);
    assert_int_equal(troupe_send(system, one, crash), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "g"), 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void group_name_over_its_limit_fails_the_spawn(void **state)
{
    (void)state;
    troupe_system *system = begin(1);
    char name[TROUPE_NAME_LEN_MAX + 2];
    troupe_status status;
    memset(name, 'x', sizeof name);
    name[TROUPE_NAME_LEN_MAX + 1] = '\0';
    troupe_spawn(system, &worker, &(troupe_spawn_options){.group = name, .ret_status = &status});
    assert_int_equal(status, TROUPE_INVALID);
    name[TROUPE_NAME_LEN_MAX] = '\0';
    troupe_spawn(system, &worker, &(troupe_spawn_options){.group = name, .ret_status = &status});
    assert_int_equal(status, TROUPE_OK);
    assert_int_equal(troupe_group_size(system, name), 1);
    assert_int_equal(troupe_stop(&system), 0);
}

static void broadcast_reaches_every_member_once(void **state)
{
    (void)state;
    troupe_system *system = begin(2);
    troupe_ref members[20];
    spawn_members(system, members, 20, "all");
    assert_int_equal(troupe_broadcast(system, "all", job, .key = 1), 20);
    assert_int_equal(troupe_broadcast(system, "none", job, .key = 1), 0);
    troupe_sim_advance(system, 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(jobs_of(system, members[i]), 1);
    assert_int_equal(troupe_stop(&system), 0);
}

/* Sends `count` jobs with the keys 0, 1, 2... through a router. */
static void route(troupe_system *system, troupe_routing routing, uint32_t count, uint64_t keys)
{
    troupe_status status;
    troupe_router_spec spec = {.group = "pool", .routing = routing};
    troupe_ref router = troupe_router_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_OK);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(troupe_send(system, router, job, .key = i % keys), TROUPE_OK);
        troupe_sim_advance(system, 1);
    }
}

static void round_robin_gives_each_the_same(void **state)
{
    (void)state;
    troupe_system *system = begin(3);
    troupe_ref members[5];
    spawn_members(system, members, 5, "pool");
    route(system, TROUPE_ROUTE_ROUND_ROBIN, 50, 50);
    for (int i = 0; i < 5; i++)
        assert_int_equal(jobs_of(system, members[i]), 10);
    assert_int_equal(troupe_stop(&system), 0);
}

static void random_routing_leaves_nobody_out(void **state)
{
    (void)state;
    troupe_system *system = begin(4);
    troupe_ref members[4];
    spawn_members(system, members, 4, "pool");
    route(system, TROUPE_ROUTE_RANDOM, 400, 400);
    for (int i = 0; i < 4; i++)
        assert_in_range(jobs_of(system, members[i]), 60, 140);
    assert_int_equal(troupe_stop(&system), 0);
}

static void hash_routing_keeps_a_key_with_its_member(void **state)
{
    (void)state;
    troupe_system *system = begin(5);
    troupe_ref members[4];
    spawn_members(system, members, 4, "pool");
    route(system, TROUPE_ROUTE_HASH, 100, 1);
    uint64_t most = 0;
    for (int i = 0; i < 4; i++)
        most = jobs_of(system, members[i]) > most ? jobs_of(system, members[i]) : most;
    assert_int_equal(most, 100);
    assert_int_equal(troupe_stop(&system), 0);
}

static void smallest_routing_never_takes_the_deeper_of_two(void **state)
{
    (void)state;
    troupe_system *system = begin(6);
    troupe_ref members[2];
    spawn_members(system, members, 2, "pool");
    troupe_sim_advance(system, 1);
    troupe_router_spec spec = {.group = "pool", .routing = TROUPE_ROUTE_SMALLEST};
    troupe_ref router = troupe_router_start(system, &spec, NULL);
    for (int i = 0; i < 30; i++)
        assert_int_equal(troupe_send(system, members[0], job, .key = 0), TROUPE_OK);
    assert_int_equal(troupe_send(system, router, job, .key = 0), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(jobs_of(system, members[0]) + jobs_of(system, members[1]), 31);
    assert_int_equal(troupe_stop(&system), 0);
}

static void answer_of_a_pool_goes_to_whoever_asked(void **state)
{
    (void)state;
    troupe_system *system = begin(7);
    troupe_ref member;
    spawn_members(system, &member, 1, "pool");
    troupe_router_spec spec = {.group = "pool", .name = "front"};
    troupe_ref router = troupe_router_start(system, &spec, NULL);
    assert_true(troupe_ref_equal(troupe_whereis(system, "front"), router));
    troupe_message *reply;
    assert_int_equal(troupe_call(system, router, 1000, &reply, job, .key = 1), TROUPE_OK);
    assert_true(troupe_ref_equal(result_of(reply)->who, member));
    troupe_message_free(system, &reply);
    troupe_shutdown(system, member, TROUPE_SHUTDOWN);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_call(system, router, 1000, &reply, job, .key = 1), TROUPE_UNEXPECTED);
    assert_int_equal(troupe_stop(&system), 0);
}

static void failed_worker_of_a_pool_comes_back(void **state)
{
    (void)state;
    troupe_system *system = begin(8);
    const troupe_child_spec children[] = {
        {.id = "1", .behaviour = &worker, .options = {.group = "pool"}},
        {.id = "2", .behaviour = &worker, .options = {.group = "pool"}},
    };
    const troupe_supervisor_spec spec = {.intensity = 5, .children = children, .child_count = 2};
    troupe_status status;
    troupe_supervisor_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_OK);
    troupe_router_spec front = {.group = "pool"};
    troupe_ref router = troupe_router_start(system, &front, NULL);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "pool"), 2);
    assert_int_equal(troupe_send(system, router, crash), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "pool"), 2);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.restarts, 1);
    assert_int_equal(troupe_stop(&system), 0);
}

static void parking_holds_senders_back_through_a_router(void **state)
{
    (void)state;
    static const troupe_behaviour source = {
        .name = "source", .state_size = sizeof(struct source), .receive = source_receive};
    troupe_system *system = begin(9);
    troupe_spawn_options options = {.group = "pool", .mailbox_len_max = 2, .overflow = TROUPE_OVERFLOW_PARK};
    for (int i = 0; i < 3; i++)
        troupe_spawn(system, &worker, &options);
    troupe_router_spec front = {.group = "pool", .mailbox_len_max = 2, .overflow = TROUPE_OVERFLOW_PARK};
    struct source from = {.to = troupe_router_start(system, &front, NULL)};
    troupe_ref to = troupe_spawn(system, &source, &(troupe_spawn_options){.state = &from});
    assert_int_equal(troupe_send(system, to, pump), TROUPE_OK);
    troupe_sim_advance(system, 10);
    troupe_message *reply;
    assert_int_equal(troupe_call(system, to, 1000, &reply, tally_query), TROUPE_OK);
    assert_int_equal(tally_of(reply)->results, SOURCE_JOBS);
    assert_int_equal(tally_of(reply)->refused, 0);
    troupe_message_free(system, &reply);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    assert_int_equal(counters.dead_letters, 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void router_of_an_unknown_overflow_is_refused(void **state)
{
    (void)state;
    troupe_system *system = begin(10);
    troupe_status status;
    troupe_router_spec spec = {.group = "pool", .overflow = (troupe_overflow)(TROUPE_OVERFLOW_PARK + 1)};
    assert_true(troupe_ref_is_none(troupe_router_start(system, &spec, &status)));
    assert_int_equal(status, TROUPE_INVALID);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_and_go),
        cmocka_unit_test(group_name_over_its_limit_fails_the_spawn),
        cmocka_unit_test(broadcast_reaches_every_member_once),
        cmocka_unit_test(round_robin_gives_each_the_same),
        cmocka_unit_test(random_routing_leaves_nobody_out),
        cmocka_unit_test(hash_routing_keeps_a_key_with_its_member),
        cmocka_unit_test(smallest_routing_never_takes_the_deeper_of_two),
        cmocka_unit_test(answer_of_a_pool_goes_to_whoever_asked),
        cmocka_unit_test(failed_worker_of_a_pool_comes_back),
        cmocka_unit_test(parking_holds_senders_back_through_a_router),
        cmocka_unit_test(router_of_an_unknown_overflow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

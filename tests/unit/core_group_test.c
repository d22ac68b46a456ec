/* SPDX-License-Identifier: MIT */
/*
 * core_group_test.c: membership, broadcast, each way of routing, and a pool whose worker fails and comes
 * back. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <troupe.h>

enum {
    MEMBERS_MANY = 1500,
    KEYS = 60,
};

#define JOB(F) F(u64, key)
TROUPE_MESSAGE(job, JOB)
#define RESULT(F) F(ref, who)
TROUPE_MESSAGE(result, RESULT)
TROUPE_MESSAGE_EMPTY(crash)
#define ORDER(F) F(u64, number) F(text, customer)
TROUPE_MESSAGE(order, ORDER)
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
    if (job_of(message) == NULL && order_of(message) == NULL)
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

static troupe_ref routed_to(troupe_system *system, troupe_ref router, uint64_t key)
{
    troupe_message *reply;
    assert_int_equal(troupe_call(system, router, 1000, &reply, job, .key = key), TROUPE_OK);
    troupe_ref who = result_of(reply)->who;
    troupe_message_free(system, &reply);
    return who;
}

/* Rendezvous hashing: only the keys of who ended go elsewhere. And no member is left out, however many. */
static void hash_routing_moves_only_the_keys_of_who_ended(void **state)
{
    (void)state;
    static troupe_ref members[MEMBERS_MANY];
    troupe_ref before[KEYS];
    troupe_system *system = begin(5);
    spawn_members(system, members, MEMBERS_MANY, "pool");
    troupe_router_spec spec = {.group = "pool", .routing = TROUPE_ROUTE_HASH};
    troupe_ref router = troupe_router_start(system, &spec, NULL);
    bool is_late_used = false;
    for (uint64_t key = 0; key < KEYS; key++) {
        before[key] = routed_to(system, router, key);
        for (uint32_t i = MEMBERS_MANY / 2; i < MEMBERS_MANY; i++)
            is_late_used = is_late_used || troupe_ref_equal(members[i], before[key]);
    }
    assert_true(is_late_used);
    troupe_ref ended = before[7];
    troupe_shutdown(system, ended, TROUPE_SHUTDOWN);
    troupe_sim_advance(system, 1);
    for (uint64_t key = 0; key < KEYS; key++) {
        troupe_ref now = routed_to(system, router, key);
        assert_true(troupe_ref_equal(now, before[key]) != troupe_ref_equal(ended, before[key]));
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static troupe_ref routed_by_text(troupe_system *system, troupe_ref router, uint64_t number, const char *who)
{
    troupe_message *reply;
    assert_int_equal(troupe_call(system, router, 1000, &reply, order, .number = number, .customer = who),
                     TROUPE_OK);
    troupe_ref ref = result_of(reply)->who;
    troupe_message_free(system, &reply);
    return ref;
}

static void hash_routing_goes_by_the_field_it_is_told(void **state)
{
    (void)state;
    troupe_ref members[16];
    troupe_system *system = begin(6);
    spawn_members(system, members, 16, "pool");
    troupe_status status;
    troupe_router_spec spec = {
        .group = "pool", .routing = TROUPE_ROUTE_HASH, .key_type = &order_type, .key_field = "customer"};
    troupe_ref router = troupe_router_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_OK);
    char name[16];
    uint32_t differing = 0;
    troupe_ref first = routed_by_text(system, router, 0, "c-0");
    for (uint64_t i = 0; i < 40; i++) { /* all names are of one length: it is their bytes that count */
        snprintf(name, sizeof name, "c-%02llu", (unsigned long long)i);
        troupe_ref ref = routed_by_text(system, router, i, name);
        assert_true(troupe_ref_equal(ref, routed_by_text(system, router, i + 1000, name)));
        differing += !troupe_ref_equal(ref, first);
    }
    assert_true(differing > 20);
    spec.key_field = "number";
    router = troupe_router_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_OK);
    assert_true(
        troupe_ref_equal(routed_by_text(system, router, 3, "a"), routed_by_text(system, router, 3, "b")));
    static const char *const wrong[] = {"nobody", NULL};
    for (size_t i = 0; i < 2; i++) {
        spec.key_field = wrong[i];
        troupe_router_start(system, &spec, &status);
        assert_int_equal(status, TROUPE_INVALID);
    }
    spec = (troupe_router_spec){.group = "pool", .key_field = "customer"};
    troupe_router_start(system, &spec, &status);
    assert_int_equal(status, TROUPE_INVALID);
    assert_int_equal(troupe_stop(&system), 0);
}

/* -- members that are full ------------------------------------------------------------------------------- */

/* Keeps every job and handles no other: its mailbox fills up. */
static troupe_status idler_on_reply(troupe_self *self, troupe_status status, const troupe_message *reply,
                                    void *context)
{
    (void)self;
    (void)status;
    (void)reply;
    (void)context;
    return TROUPE_OK;
}

static troupe_ref silent_ref;

static troupe_status idler_start(troupe_self *self)
{
    return troupe_ask_hold(self, silent_ref, 100000, idler_on_reply, NULL, job, .key = 0);
}

static const troupe_behaviour idler = {
    .name = "idler", .state_size = sizeof(uint64_t), .start = idler_start, .receive = worker_receive};

static troupe_status silent_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_OK;
}

static const troupe_behaviour silent = {.name = "silent", .receive = silent_receive};

static void full_member_is_passed_over_and_all_full_is_told(void **state)
{
    (void)state;
    troupe_system *system = begin(9);
    silent_ref = troupe_spawn(system, &silent, NULL);
    for (int i = 0; i < 2; i++)
        troupe_spawn(system, &idler, &(troupe_spawn_options){.group = "pool", .mailbox_len_max = 1});
    troupe_ref able;
    spawn_members(system, &able, 1, "pool");
    troupe_router_spec spec = {.group = "pool", .routing = TROUPE_ROUTE_ROUND_ROBIN};
    troupe_ref router = troupe_router_start(system, &spec, NULL);
    for (int i = 0; i < 20; i++)
        assert_int_equal(troupe_send(system, router, job, .key = 1), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(jobs_of(system, able), 18); /* all but the two that fill the others */
    troupe_shutdown(system, able, TROUPE_KILLED);
    troupe_sim_advance(system, 1);
    troupe_message *reply;
    assert_int_equal(troupe_call(system, router, 1000, &reply, job, .key = 1), TROUPE_FULL);
    assert_int_equal(troupe_stop(&system), 0);
}

/* -- limits ---------------------------------------------------------------------------------------------- */

static void actor_is_in_16_groups_and_no_more(void **state)
{
    (void)state;
    troupe_system *system = begin(1);
    troupe_ref one = troupe_spawn(system, &worker, NULL);
    char name[16];
    for (uint32_t i = 0; i < TROUPE_GROUPS_OF_ACTOR_MAX; i++) {
        snprintf(name, sizeof name, "g%u", i);
        assert_int_equal(troupe_send(system, one, membership, .group = name, .joins = true), TROUPE_OK);
    }
    assert_int_equal(troupe_send(system, one, membership, .group = "g0", .joins = true), TROUPE_OK);
    troupe_sim_advance(system, 1);
    assert_int_equal(troupe_group_size(system, "g15"), 1);
    assert_int_equal(troupe_group_size(system, "g0"), 1); /* it was in it already */
    assert_int_equal(troupe_send(system, one, membership, .group = "g16", .joins = true), TROUPE_OK);
    troupe_sim_advance(system, 1); /* which fails it: the handler answers with the status */
    assert_int_equal(troupe_group_size(system, "g16"), 0);
    assert_int_equal(troupe_group_size(system, "g0"), 0);
    assert_int_equal(troupe_stop(&system), 0);
}

static void group_has_65536_members_and_no_more(void **state)
{
    (void)state;
    troupe_system *system = begin(1);
    troupe_status status;
    for (uint32_t i = 0; i <= TROUPE_GROUP_MEMBERS_MAX; i++) {
        troupe_spawn(system, &worker, &(troupe_spawn_options){.group = "crowd", .ret_status = &status});
        assert_int_equal(status, i < TROUPE_GROUP_MEMBERS_MAX ? TROUPE_OK : TROUPE_LIMIT);
    }
    assert_int_equal(troupe_group_size(system, "crowd"), TROUPE_GROUP_MEMBERS_MAX);
    assert_int_equal(troupe_broadcast(system, "crowd", job, .key = 1), TROUPE_GROUP_MEMBERS_MAX);
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
    assert_int_equal(troupe_call(system, router, 1000, &reply, job, .key = 1), TROUPE_NO_ACTOR);
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
        cmocka_unit_test(hash_routing_moves_only_the_keys_of_who_ended),
        cmocka_unit_test(hash_routing_goes_by_the_field_it_is_told),
        cmocka_unit_test(full_member_is_passed_over_and_all_full_is_told),
        cmocka_unit_test(actor_is_in_16_groups_and_no_more),
        cmocka_unit_test(group_has_65536_members_and_no_more),
        cmocka_unit_test(smallest_routing_never_takes_the_deeper_of_two),
        cmocka_unit_test(answer_of_a_pool_goes_to_whoever_asked),
        cmocka_unit_test(failed_worker_of_a_pool_comes_back),
        cmocka_unit_test(parking_holds_senders_back_through_a_router),
        cmocka_unit_test(router_of_an_unknown_overflow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

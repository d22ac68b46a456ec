/* SPDX-License-Identifier: MIT */
/*
 * pool.c: back-pressure through a pool of workers. Producers make jobs as fast as they can, the workers are
 * slow, and every mailbox between them is bounded and parks whoever finds it full: a worker's parks the
 * router, the router's parks the producers. Nothing is refused, nothing is lost, and what waits stays within
 * bounds.
 *
 *   4 producers --> router --> 3 workers --> tally, which main asks
 */
#include <stdio.h>
#include <time.h>
#include <troupe.h>

#define JOB(F) F(bytes, payload)
TROUPE_MESSAGE(job, JOB)
TROUPE_MESSAGE_EMPTY(produce)
#define DONE(F) F(u32, waiting_bytes)
TROUPE_MESSAGE(done, DONE)
TROUPE_MESSAGE_EMPTY(report_query)
#define REPORT(F) F(u32, jobs) F(u32, most_bytes)
TROUPE_MESSAGE(report, REPORT)

enum { WORKERS = 3, PRODUCERS = 4, JOBS_EACH = 500, JOB_SIZE = 1000, JOB_NS = 20000, MAILBOX = 8 };

static troupe_status worker_receive(troupe_self *self, const troupe_message *message)
{
    troupe_actor_info info;
    if (job_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    nanosleep(&(struct timespec){.tv_nsec = JOB_NS}, NULL); /* it has a thread of its own, so it may */
    troupe_status status = troupe_actor_inspect(troupe_system_of(self), troupe_self_ref(self), &info);
    if (status != TROUPE_OK)
        return status;
    return troupe_send(self, troupe_whereis(self, "tally"), done, .waiting_bytes = info.bytes);
}

static const troupe_behaviour worker = {.name = "worker", .receive = worker_receive};

struct producer {
    troupe_ref to;
    uint32_t sent;
};

static troupe_status producer_start(troupe_self *self)
{
    return troupe_send(self, troupe_self_ref(self), produce);
}

/* Sends until it is parked, and goes on where it was when it runs again. */
static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    static const char payload[JOB_SIZE];
    struct producer *producer = troupe_state(self);
    if (produce_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    for (; producer->sent < JOBS_EACH; producer->sent++)
        if (troupe_send(self, producer->to, job, .payload = {payload, sizeof payload}) != TROUPE_OK)
            return troupe_send(self, troupe_self_ref(self), produce);
    return TROUPE_OK;
}

static const troupe_behaviour producer = {.name = "producer",
                                          .state_size = sizeof(struct producer),
                                          .start = producer_start,
                                          .receive = producer_receive};

/* Counts the jobs; answers whoever asks when all are done, and not before. */
struct tally {
    troupe_asker asker;
    uint32_t jobs;
    uint32_t most_bytes;
};

static troupe_status tally_receive(troupe_self *self, const troupe_message *message)
{
    struct tally *tally = troupe_state(self);
    const done *m = done_of(message);
    if (m != NULL) {
        tally->jobs++;
        if (m->waiting_bytes > tally->most_bytes)
            tally->most_bytes = m->waiting_bytes;
    } else if (report_query_of(message) != NULL) {
        tally->asker = troupe_asker_of(message);
    } else {
        return TROUPE_UNEXPECTED;
    }
    if (tally->jobs < PRODUCERS * JOBS_EACH || tally->asker.ask == 0)
        return TROUPE_OK;
    return troupe_reply(self, tally->asker, report, .jobs = tally->jobs, .most_bytes = tally->most_bytes);
}

static const troupe_behaviour tally = {
    .name = "tally", .state_size = sizeof(struct tally), .receive = tally_receive};

int main(void)
{
    static const char *const ids[] = {"w1", "w2", "w3", "p1", "p2", "p3", "p4"};
    troupe_child_spec children[WORKERS + PRODUCERS];
    troupe_system *system;
    troupe_message *reply;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_ref to_tally = troupe_spawn(system, &tally, &(troupe_spawn_options){.name = "tally"});
    troupe_router_spec routing = {
        .group = "workers", .mailbox_len_max = MAILBOX, .overflow = TROUPE_OVERFLOW_PARK};
    struct producer state = {.to = troupe_router_start(system, &routing, NULL)};
    for (int i = 0; i < WORKERS + PRODUCERS; i++) { /* the workers start before the producers */
        troupe_spawn_options slow = {.group = "workers",
                                     .mailbox_len_max = MAILBOX,
                                     .overflow = TROUPE_OVERFLOW_PARK,
                                     .own_thread = true};
        bool is_worker = i < WORKERS;
        children[i] =
            (troupe_child_spec){.id = ids[i],
                                .behaviour = is_worker ? &worker : &producer,
                                .options = is_worker ? slow : (troupe_spawn_options){.state = &state}};
    }
    troupe_supervisor_start(
        system, &(troupe_supervisor_spec){.children = children, .child_count = WORKERS + PRODUCERS}, NULL);
    if (troupe_call(system, to_tally, 30000, &reply, report_query) == TROUPE_OK) {
        const report *m = report_of(reply);
        printf("jobs done: %u, %u bytes in all\n", m->jobs, m->jobs * JOB_SIZE);
        printf("bytes waiting at a worker were at most 10000: %s\n", m->most_bytes <= 10000 ? "yes" : "no");
        troupe_message_free(system, &reply);
    }
    return troupe_stop(&system);
}

/* SPDX-License-Identifier: MIT */
/*
 * pool.c: back-pressure. Four fast producers feed one slow consumer whose mailbox holds 16. When it is
 * full, the producer that meets it is parked: it rests until the mailbox is half empty. Nothing is refused,
 * nothing is lost, and memory stays bounded, however fast the producers are.
 */
#include <stdio.h>
#include <time.h>
#include <troupe.h>

#define JOB(F) F(u32, number)
TROUPE_MESSAGE(job, JOB)
TROUPE_MESSAGE_EMPTY(produce)
TROUPE_MESSAGE_EMPTY(report_query)
#define REPORT(F) F(u32, jobs) F(u32, deepest)
TROUPE_MESSAGE(report, REPORT)

enum {
    PRODUCERS = 4,
    JOBS_EACH = 250,
    MAILBOX = 16,
    JOB_NS = 20000,
};

struct consumer {
    uint32_t jobs;
    uint32_t deepest;
};

static troupe_status consumer_receive(troupe_self *self, const troupe_message *message)
{
    struct consumer *consumer = troupe_state(self);
    if (report_query_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), report, .jobs = consumer->jobs,
                            .deepest = consumer->deepest);
    if (job_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    troupe_actor_info info;
    if (troupe_actor_inspect(troupe_system_of(self), troupe_self_ref(self), &info) == TROUPE_OK &&
        info.depth > consumer->deepest)
        consumer->deepest = info.depth;
    consumer->jobs++;
    nanosleep(&(struct timespec){.tv_nsec = JOB_NS}, NULL); /* it has a thread of its own, so it may */
    return TROUPE_OK;
}

static const troupe_behaviour consumer = {
    .name = "consumer", .state_size = sizeof(struct consumer), .receive = consumer_receive};

struct producer {
    troupe_ref to;
    uint32_t sent;
};

/* Sends until it is parked, and goes on where it was when it runs again. */
static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    struct producer *producer = troupe_state(self);
    if (produce_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    while (producer->sent < JOBS_EACH) {
        if (troupe_send(self, producer->to, job, .number = producer->sent) != TROUPE_OK)
            return troupe_send(self, troupe_self_ref(self), produce);
        producer->sent++;
    }
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour producer = {
    .name = "producer", .state_size = sizeof(struct producer), .receive = producer_receive};

int main(void)
{
    troupe_system *system;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_spawn_options options = {
        .mailbox_len_max = MAILBOX, .overflow = TROUPE_OVERFLOW_PARK, .own_thread = true};
    struct producer state = {.to = troupe_spawn(system, &consumer, &options)};
    for (int i = 0; i < PRODUCERS; i++)
        troupe_send(system, troupe_spawn(system, &producer, &(troupe_spawn_options){.state = &state}),
                    produce);
    uint32_t jobs = 0;
    uint32_t deepest = 0;
    while (jobs < PRODUCERS * JOBS_EACH) {
        troupe_message *reply;
        troupe_status status = troupe_call(system, state.to, 1000, &reply, report_query);
        if (status == TROUPE_FULL)
            continue; /* a thread outside is not parked but told */
        if (status != TROUPE_OK)
            break;
        jobs = report_of(reply)->jobs;
        deepest = report_of(reply)->deepest;
        troupe_message_free(system, &reply);
    }
    printf("jobs done: %u\n", jobs);
    printf("never more waiting than the mailbox and one for each producer: %s\n",
           deepest <= MAILBOX + PRODUCERS + 1 ? "yes" : "no");
    return troupe_stop(&system);
}

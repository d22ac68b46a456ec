/* SPDX-License-Identifier: MIT */
/*
 * create.c: one actor creates n others, one after the other; each handles one message, answers it and ends.
 * At most IN_FLIGHT are alive at once, as with a server's requests.
 */
#include "bench.h"

#define WORK(F) F(u64, number)
TROUPE_MESSAGE(work, WORK)
#define RESULT(F) F(u64, number)
TROUPE_MESSAGE(result, RESULT)

enum {
    IN_FLIGHT = 1000,
};

struct creator {
    uint64_t n;
    uint64_t created;
    uint64_t answered;
    uint64_t sum;
};

static uint64_t total;

static troupe_status short_lived_receive(troupe_self *self, const troupe_message *message)
{
    const work *m = work_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    troupe_exit(self);
    return troupe_send(self, message->sender, result, .number = m->number);
}

static const troupe_behaviour short_lived = {
    .name = "short-lived", .state_size = 16, .receive = short_lived_receive};

static troupe_status create_one(troupe_self *self, struct creator *creator)
{
    troupe_ref one = troupe_spawn(self, &short_lived, NULL);
    return troupe_send(self, one, work, .number = creator->created++);
}

static troupe_status creator_start(troupe_self *self)
{
    struct creator *creator = troupe_state(self);
    troupe_status status = TROUPE_OK;
    for (int i = 0; i < IN_FLIGHT && creator->created < creator->n && status == TROUPE_OK; i++)
        status = create_one(self, creator);
    return status;
}

static troupe_status creator_receive(troupe_self *self, const troupe_message *message)
{
    struct creator *creator = troupe_state(self);
    const result *m = result_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    creator->sum += m->number;
    if (++creator->answered == creator->n) {
        total = creator->sum;
        gate_open();
    }
    return creator->created < creator->n ? create_one(self, creator) : TROUPE_OK;
}

static const troupe_behaviour creator = {.name = "creator",
                                         .state_size = sizeof(struct creator),
                                         .start = creator_start,
                                         .receive = creator_receive};

static void run(struct bench *bench)
{
    struct creator state = {.n = bench->n};
    bench_begin(bench);
    troupe_spawn(bench->system, &creator, &(troupe_spawn_options){.state = &state});
    gate_wait();
    bench_end(bench);
    bench->done = bench->n;
    bench->is_checked = total == bench->n * (bench->n - 1) / 2 && have_ended(bench, bench->n);
}

const struct bench_kernel kernel = {"create", "actors/s", 1000000, 1000000, run};

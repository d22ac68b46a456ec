/* SPDX-License-Identifier: MIT */
/*
 * timers.c: one actor starts n timers, due one to two hours from now, and cancels half of them: starts and
 * cancels a second.
 */
#include "bench.h"

struct keeper {
    uint64_t n;
};

static uint64_t started;
static uint64_t cancelled;

static troupe_status keeper_start(troupe_self *self)
{
    struct keeper *keeper = troupe_state(self);
    uint64_t *timers = malloc(keeper->n * sizeof *timers);
    if (timers == NULL)
        return TROUPE_NO_MEMORY;
    uint64_t random = 1;
    for (uint64_t i = 0; i < keeper->n; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        started +=
            troupe_timer_start(self, 3600000 + (random >> 33) % 3600000, 0, i, &timers[i]) == TROUPE_OK;
    }
    for (uint64_t i = 0; i < keeper->n; i += 2) {
        troupe_timer_cancel(self, timers[i]);
        cancelled++;
    }
    free(timers);
    gate_open();
    return TROUPE_OK;
}

static troupe_status keeper_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour keeper = {
    .name = "keeper", .state_size = sizeof(struct keeper), .start = keeper_start, .receive = keeper_receive};

static void run(struct bench *bench)
{
    struct keeper state = {.n = bench->n};
    bench_begin(bench);
    troupe_spawn(bench->system, &keeper, &(troupe_spawn_options){.state = &state});
    gate_wait();
    bench_end(bench);
    bench->done = started + cancelled;
    bench->is_checked = started == bench->n && cancelled == (bench->n + 1) / 2;
}

const struct bench_kernel kernel = {"timers", "starts and cancels/s", 1000000, 1, run};

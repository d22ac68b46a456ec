/* SPDX-License-Identifier: MIT */
/*
 * timers.c: one actor starts n timers and cancels half of them before any is due: starts and cancels a
 * second. Afterwards, unmeasured, the other half must come, each once, and none of the cancelled.
 *
 * The first is due LEAD_US_EACH microseconds a timer after the start, so that none comes while the time is
 * taken; a run that is slower than that ends with an error.
 */
#include "bench.h"

enum {
    LEAD_MS = 500,
    LEAD_US_EACH = 5,
    SPREAD_MS = 500,
};

/* After the last one is due: long enough for one that was cancelled, and comes all the same, to be seen. */
static const uint64_t settle_ms = 200;

struct keeper {
    uint64_t n;
    uint64_t lead_ms;
    uint64_t settle_timer;
    bool *is_wanted; /* by tag: started, not cancelled, not come yet */
};

static uint64_t started;
static uint64_t cancelled;
static uint64_t came;
static uint64_t came_unwanted;

static troupe_status keeper_start(troupe_self *self)
{
    struct keeper *keeper = troupe_state(self);
    uint64_t *timers = malloc(keeper->n * sizeof(*timers));
    if (timers == NULL)
        return TROUPE_NO_MEMORY;
    uint64_t random = 1;
    for (uint64_t i = 0; i < keeper->n; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t after_ms = keeper->lead_ms + (random >> 33) % SPREAD_MS;
        keeper->is_wanted[i] = troupe_timer_start(self, after_ms, 0, i, &timers[i]) == TROUPE_OK;
        started += keeper->is_wanted[i];
    }
    for (uint64_t i = 0; i < keeper->n; i += 2) {
        troupe_timer_cancel(self, timers[i]);
        keeper->is_wanted[i] = false;
        cancelled++;
    }
    free(timers);
    gate_open();
    troupe_status status = troupe_timer_start(self, keeper->lead_ms + SPREAD_MS + settle_ms, 0, keeper->n,
                                              &keeper->settle_timer);
    must(status == TROUPE_OK, "the last timer cannot be started");
    return TROUPE_OK;
}

static troupe_status keeper_receive(troupe_self *self, const troupe_message *message)
{
    struct keeper *keeper = troupe_state(self);
    const troupe_timeout *m = troupe_timeout_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (m->timer == keeper->settle_timer) {
        gate_open();
        return TROUPE_OK;
    }
    came++;
    came_unwanted += m->tag >= keeper->n || !keeper->is_wanted[m->tag];
    if (m->tag < keeper->n)
        keeper->is_wanted[m->tag] = false;
    return TROUPE_OK;
}

static const troupe_behaviour keeper = {
    .name = "keeper", .state_size = sizeof(struct keeper), .start = keeper_start, .receive = keeper_receive};

static void run(struct bench *bench)
{
    struct keeper state = {.n = bench->n, .lead_ms = LEAD_MS + bench->n * LEAD_US_EACH / 1000};
    state.is_wanted = calloc(bench->n, sizeof(*state.is_wanted));
    must(state.is_wanted != NULL, "out of memory");
    bench_begin(bench);
    troupe_spawn(bench->system, &keeper, &(troupe_spawn_options){.state = &state});
    gate_wait();
    bench_end(bench);
    must(bench->seconds * 1000 < (double)state.lead_ms, "timers were due before all had been started");
    gate_wait();
    bench->done = started + cancelled;
    bench->is_checked = started == bench->n && came == bench->n / 2 && came_unwanted == 0;
    free(state.is_wanted);
}

const struct bench_kernel kernel = {"timers", "starts and cancels/s", 1000000, 1, run};

/* SPDX-License-Identifier: MIT */
/*
 * idle.c: n live actors with 16 bytes of state each, after each has handled one message: how much memory
 * one takes while it waits.
 */
#include <stdatomic.h>

#include "bench.h"

TROUPE_MESSAGE_EMPTY(hello)

static _Atomic uint64_t greeted;

static troupe_status idler_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t *state = troupe_state(self);
    if (hello_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    state[0]++;
    atomic_fetch_add(&greeted, 1);
    return TROUPE_OK;
}

static const troupe_behaviour idler = {.name = "idler", .state_size = 16, .receive = idler_receive};

static void run(struct bench *bench)
{
    uint64_t before = resident_bytes();
    bench_begin(bench);
    for (uint64_t i = 0; i < bench->n; i++) {
        troupe_ref one = troupe_spawn(bench->system, &idler, NULL);
        must(troupe_send(bench->system, one, hello) == TROUPE_OK, "an actor cannot be greeted");
    }
    while (atomic_load(&greeted) < bench->n)
        usleep(1000);
    bench_end(bench);
    bench->done = bench->n;
    bench->bytes_per_actor = (double)(resident_bytes() - before) / (double)bench->n;
    bench->is_checked = atomic_load(&greeted) == bench->n && have_ended(bench, 0);
}

const struct bench_kernel kernel = {"idle", "actors/s", 1000000, 1000000, run};

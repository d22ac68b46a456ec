/* SPDX-License-Identifier: MIT */
/*
 * ring.c: actors in a circle pass one token on, n hops in all. With 503 actors it all fits in the nearest
 * cache; with 100,000 it does not.
 */
#include "bench.h"

#define TOKEN(F) F(u64, left)
TROUPE_MESSAGE(token, TOKEN)
#define NEXT_IS(F) F(ref, next)
TROUPE_MESSAGE(next_is, NEXT_IS)

static uint64_t hops;

static troupe_status link_receive(troupe_self *self, const troupe_message *message)
{
    troupe_ref *next = troupe_state(self);
    const token *m = token_of(message);
    if (m == NULL) {
        const next_is *set = next_is_of(message);
        if (set == NULL)
            return TROUPE_UNEXPECTED;
        *next = set->next;
        return TROUPE_OK;
    }
    hops++;
    if (m->left == 1) {
        gate_open();
        return TROUPE_OK;
    }
    return troupe_send(self, *next, token, .left = m->left - 1);
}

static const troupe_behaviour link_behaviour = {
    .name = "link", .state_size = sizeof(troupe_ref), .receive = link_receive};

static void run(struct bench *bench)
{
    troupe_ref first = troupe_spawn(bench->system, &link_behaviour, NULL);
    troupe_ref next = first;
    for (uint64_t i = 1; i < bench->actors; i++) {
        next = troupe_spawn(bench->system, &link_behaviour, &(troupe_spawn_options){.state = &next});
        must(!troupe_ref_is_none(next), "no more actors");
    }
    must(troupe_send(bench->system, first, next_is, .next = next) == TROUPE_OK, "the circle is not closed");
    bench_begin(bench);
    must(troupe_send(bench->system, first, token, .left = bench->n) == TROUPE_OK, "the token is refused");
    gate_wait();
    bench_end(bench);
    bench->done = bench->n;
    bench->is_checked = hops == bench->n;
}

const struct bench_kernel kernel = {"ring", "hops/s", 10000000, 503, run};

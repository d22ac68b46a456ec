/* SPDX-License-Identifier: MIT */
/*
 * big.c: `actors` actors make n round trips each to others chosen at random, one at a time (the "big"
 * benchmark of Erlang's bencherl).
 */
#include <stdatomic.h>

#include "bench.h"

#define QUESTION(F) F(u64, number)
TROUPE_MESSAGE(question, QUESTION)
#define ANSWER(F) F(u64, number)
TROUPE_MESSAGE(answer, ANSWER)
TROUPE_MESSAGE_EMPTY(begin)

static troupe_ref *everybody;
static uint64_t actor_count;
static _Atomic uint64_t finished;
static _Atomic uint64_t answered;

struct talker {
    uint64_t left;
    uint64_t done;
    uint64_t random;
};

static troupe_status ask_somebody(troupe_self *self, struct talker *talker)
{
    talker->random = talker->random * 6364136223846793005u + 1442695040888963407u;
    troupe_ref to = everybody[(talker->random >> 33) % actor_count];
    return troupe_send(self, to, question, .number = talker->left);
}

static troupe_status talker_receive(troupe_self *self, const troupe_message *message)
{
    struct talker *talker = troupe_state(self);
    const question *q = question_of(message);
    if (q != NULL)
        return troupe_send(self, message->sender, answer, .number = q->number);
    const answer *a = answer_of(message);
    if (a == NULL)
        return begin_of(message) != NULL ? ask_somebody(self, talker) : TROUPE_UNEXPECTED;
    talker->done += a->number == talker->left;
    if (--talker->left > 0)
        return ask_somebody(self, talker);
    atomic_fetch_add(&answered, talker->done);
    if (atomic_fetch_add(&finished, 1) + 1 == actor_count)
        gate_open();
    return TROUPE_OK;
}

static const troupe_behaviour talker = {
    .name = "talker", .state_size = sizeof(struct talker), .receive = talker_receive};

static void run(struct bench *bench)
{
    actor_count = bench->actors;
    everybody = calloc(bench->actors, sizeof *everybody);
    must(everybody != NULL, "out of memory");
    for (uint64_t i = 0; i < bench->actors; i++) {
        struct talker state = {.left = bench->n, .random = i + 1};
        everybody[i] = troupe_spawn(bench->system, &talker, &(troupe_spawn_options){.state = &state});
    }
    bench_begin(bench);
    for (uint64_t i = 0; i < bench->actors; i++)
        must(troupe_send(bench->system, everybody[i], begin) == TROUPE_OK, "the start is refused");
    gate_wait();
    bench_end(bench);
    bench->done = bench->n * bench->actors;
    bench->is_checked = atomic_load(&answered) == bench->done;
    free(everybody);
}

const struct bench_kernel kernel = {"big", "round trips/s", 20000, 200, run};

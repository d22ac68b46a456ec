/* SPDX-License-Identifier: MIT */
/*
 * pingpong.c: two actors send one message back and forth, n round trips. The answer goes to the sender's
 * ref, as it would in a program.
 */
#include "bench.h"

#define BALL(F) F(u64, left)
TROUPE_MESSAGE(ball, BALL)

static uint64_t returned;

static troupe_status pong_receive(troupe_self *self, const troupe_message *message)
{
    const ball *m = ball_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    return troupe_send(self, message->sender, ball, .left = m->left);
}

static troupe_status ping_receive(troupe_self *self, const troupe_message *message)
{
    troupe_ref *other = troupe_state(self);
    const ball *m = ball_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (troupe_ref_is_none(message->sender)) /* the serve */
        return troupe_send(self, *other, ball, .left = m->left);
    returned++;
    if (m->left == 1) {
        gate_open();
        return TROUPE_OK;
    }
    return troupe_send(self, message->sender, ball, .left = m->left - 1);
}

static const troupe_behaviour pong = {.name = "pong", .receive = pong_receive};
static const troupe_behaviour ping = {
    .name = "ping", .state_size = sizeof(troupe_ref), .receive = ping_receive};

static void run(struct bench *bench)
{
    troupe_ref other = troupe_spawn(bench->system, &pong, NULL);
    troupe_ref first = troupe_spawn(bench->system, &ping, &(troupe_spawn_options){.state = &other});
    bench_begin(bench);
    must(troupe_send(bench->system, first, ball, .left = bench->n) == TROUPE_OK, "the serve is refused");
    gate_wait();
    bench_end(bench);
    bench->done = bench->n;
    bench->is_checked = returned == bench->n;
}

const struct bench_kernel kernel = {"pingpong", "round trips/s", 5000000, 2, run};

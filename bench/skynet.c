/* SPDX-License-Identifier: MIT */
/*
 * skynet.c: a tree of actors, ten children each, a million leaves; every leaf answers its number and every
 * node the sum of its children. n trees are built one after the other. With --actors, the largest full tree
 * of at most so many.
 */
#include "bench.h"

#define SUM(F) F(u64, value)
TROUPE_MESSAGE(sum, SUM)

enum {
    CHILDREN = 10,
};

struct node {
    troupe_ref parent;
    uint64_t number;
    uint64_t size;
    uint64_t total;
    uint64_t answers;
};

static uint64_t result;

static troupe_status node_answer(troupe_self *self, const struct node *node)
{
    troupe_exit(self);
    if (!troupe_ref_is_none(node->parent))
        return troupe_send(self, node->parent, sum, .value = node->total);
    result = node->total;
    gate_open();
    return TROUPE_OK;
}

static troupe_status node_start(troupe_self *self);
static troupe_status node_receive(troupe_self *self, const troupe_message *message);
static const troupe_behaviour node_behaviour = {
    .name = "node", .state_size = sizeof(struct node), .start = node_start, .receive = node_receive};

static troupe_status node_start(troupe_self *self)
{
    struct node *node = troupe_state(self);
    if (node->size == 1) {
        node->total = node->number;
        return node_answer(self, node);
    }
    uint64_t size = node->size / CHILDREN;
    for (uint64_t i = 0; i < CHILDREN; i++) {
        struct node child = {troupe_self_ref(self), node->number + i * size, size, 0, 0};
        if (troupe_ref_is_none(troupe_spawn(self, &node_behaviour, &(troupe_spawn_options){.state = &child})))
            return TROUPE_NO_MEMORY;
    }
    return TROUPE_OK;
}

static troupe_status node_receive(troupe_self *self, const troupe_message *message)
{
    struct node *node = troupe_state(self);
    const sum *m = sum_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    node->total += m->value;
    return ++node->answers == CHILDREN ? node_answer(self, node) : TROUPE_OK;
}

static void run(struct bench *bench)
{
    must(bench->actors > 0, "a tree has at least one actor");
    uint64_t leaves = 1;
    uint64_t actors = 1;
    while (actors + leaves * CHILDREN <= bench->actors) {
        leaves *= CHILDREN;
        actors += leaves;
    }
    bench->actors = actors;
    const uint64_t expected = leaves * (leaves - 1) / 2;
    bench->is_checked = true;
    bench_begin(bench);
    for (uint64_t i = 0; i < bench->n; i++) {
        struct node root = {troupe_ref_none(), 0, leaves, 0, 0};
        troupe_spawn(bench->system, &node_behaviour, &(troupe_spawn_options){.state = &root});
        gate_wait();
        bench->is_checked = bench->is_checked && result == expected;
    }
    bench_end(bench);
    bench->is_checked = bench->is_checked && have_ended(bench, bench->n * actors);
    bench->done = bench->n * bench->actors;
}

const struct bench_kernel kernel = {"skynet", "actors/s", 5, 1111111, run};

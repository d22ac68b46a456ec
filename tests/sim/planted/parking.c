/* SPDX-License-Identifier: MIT */
/*
 * parking.c: producers that rest on the mailbox of a consumer which is often full, and pairs that flood each
 * other, which must not end up resting on each other.
 *
 * Oracle: park (what was accepted is handled, everybody hears what it is told, nobody rests for long).
 */
#include "world.h"

enum {
    PRODUCERS = 3,
    LEN_MAX = 4,
    GOODS = 12,
    DUEL_LEN_MAX = 2,
    BLOWS = 4,
};

#define GO_FIELDS(F) F(u32, count) F(u64, sent_ns)
TROUPE_MESSAGE(planted_produce, GO_FIELDS)
TROUPE_MESSAGE(planted_strike, GO_FIELDS)
TROUPE_MESSAGE_EMPTY(planted_good)
TROUPE_MESSAGE_EMPTY(planted_blow)

static troupe_ref producers[PRODUCERS];
static troupe_ref consumer;
static troupe_ref duellists[2];
static uint64_t told;
static uint64_t heard;
static uint64_t accepted;
static uint64_t handled;

static void hear(troupe_self *self, uint64_t sent_ns)
{
    uint64_t age_ms = (troupe_now_ns(self) - sent_ns) / NS_PER_MS;
    MUST(age_ms <= 2 * PROMPT_MS, "park", "an actor rested for %llu ms", (unsigned long long)age_ms);
    heard++;
}

static troupe_status producer_receive(troupe_self *self, const troupe_message *message)
{
    const planted_produce *produce = planted_produce_of(message);
    if (produce == NULL)
        return TROUPE_UNEXPECTED;
    hear(self, produce->sent_ns);
    for (uint32_t i = 0; i < produce->count; i++)
        accepted += troupe_send(self, consumer, planted_good) == TROUPE_OK;
    return TROUPE_OK;
}

static troupe_status consumer_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    if (planted_good_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    handled++;
    return TROUPE_OK;
}

static troupe_status duellist_receive(troupe_self *self, const troupe_message *message)
{
    const planted_strike *strike = planted_strike_of(message);
    if (planted_blow_of(message) != NULL) {
        handled++;
        return TROUPE_OK;
    }
    if (strike == NULL)
        return TROUPE_UNEXPECTED;
    hear(self, strike->sent_ns);
    troupe_ref self_ref = troupe_self_ref(self);
    troupe_ref other = duellists[troupe_ref_equal(self_ref, duellists[0])];
    for (uint32_t i = 0; i < strike->count; i++)
        accepted += troupe_send(self, other, planted_blow) == TROUPE_OK;
    return TROUPE_OK;
}

static const troupe_behaviour producer = {.name = "producer", .receive = producer_receive};
static const troupe_behaviour consumer_behaviour = {.name = "consumer", .receive = consumer_receive};
static const troupe_behaviour duellist = {.name = "duellist", .receive = duellist_receive};

static void begin(void)
{
    const troupe_spawn_options parking = {.mailbox_len_max = LEN_MAX, .overflow = TROUPE_OVERFLOW_PARK};
    const troupe_spawn_options duel = {.mailbox_len_max = DUEL_LEN_MAX, .overflow = TROUPE_OVERFLOW_PARK};
    told = heard = accepted = handled = 0;
    consumer = troupe_spawn(world.system, &consumer_behaviour, &parking);
    for (uint32_t i = 0; i < PRODUCERS; i++)
        producers[i] = troupe_spawn(world.system, &producer, NULL);
    for (uint32_t i = 0; i < 2; i++)
        duellists[i] = troupe_spawn(world.system, &duellist, &duel);
}

static void act(uint32_t round)
{
    (void)round;
    for (uint32_t i = 0; i < PRODUCERS; i++)
        told += troupe_send(world.system, producers[i], planted_produce, .count = GOODS,
                            .sent_ns = troupe_now_ns(world.system)) == TROUPE_OK;
    for (uint32_t i = 0; i < 2; i++)
        told += troupe_send(world.system, duellists[i], planted_strike, .count = BLOWS,
                            .sent_ns = troupe_now_ns(world.system)) == TROUPE_OK;
}

static void check(void)
{
    MUST(told == heard, "park", "%llu were told something, %llu have heard", (unsigned long long)told,
         (unsigned long long)heard);
    MUST(accepted == handled, "park", "%llu accepted, %llu handled", (unsigned long long)accepted,
         (unsigned long long)handled);
}

static void end(void)
{
    troupe_shutdown(world.system, consumer, TROUPE_SHUTDOWN);
    for (uint32_t i = 0; i < PRODUCERS; i++)
        troupe_shutdown(world.system, producers[i], TROUPE_SHUTDOWN);
    for (uint32_t i = 0; i < 2; i++)
        troupe_shutdown(world.system, duellists[i], TROUPE_SHUTDOWN);
}

const struct scene scene_parking = {
    .name = "parking", .begin = begin, .act = act, .check = check, .end = end};

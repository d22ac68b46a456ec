/* SPDX-License-Identifier: MIT */
/*
 * traffic.c: peers that send numbered notes to each other through small mailboxes, refused ones not being
 * sent; and sinks that are told to end in the middle of a flood.
 *
 * Oracles: order (of one sender's notes of one class, without gaps where nothing is dropped), delivery (what
 * was accepted is handled, once), promptness, address (a note reaches whom it is for), deadline (nothing is
 * handled after its own), room (an empty mailbox takes a message), bound (no mailbox holds more than it may),
 * shutdown (a request to end is not dropped with what users sent).
 */
#include "world.h"

enum {
    PEERS = 5,
    DROPPING = 1, /* the last so many drop instead of refusing */
    LEN_MAX = 6,
    HOPS = 6,
    KICKS = 3,
    PERISH_MS = 2,
    FLOOD = 6,
    CLASSES = 2,
};

#define NOTE_FIELDS(F) F(u32, from) F(u32, hops) F(u64, to) F(u64, number) F(u64, sent_ns)
TROUPE_MESSAGE(planted_note, NOTE_FIELDS)
#define PERISHABLE_FIELDS(F) F(u64, sent_ns)
TROUPE_MESSAGE(planted_perishable, PERISHABLE_FIELDS)
#define FLOOD_FIELDS(F) F(ref, to)
TROUPE_MESSAGE(planted_flood, FLOOD_FIELDS)

static troupe_ref peers[PEERS];
static troupe_ref sinks[ROUNDS];
static uint64_t accepted[PEERS + 1][PEERS][CLASSES]; /* from whom (last: the test), to whom */
static uint64_t next_number[PEERS + 1][PEERS][CLASSES];
static uint64_t received[PEERS + 1][PEERS][CLASSES];

static bool drops(uint32_t peer)
{
    return peer >= PEERS - DROPPING;
}

static void note_sent(troupe_status status, uint32_t from, uint32_t to, uint32_t message_class)
{
    MUST(status == TROUPE_OK || status == TROUPE_FULL, "delivery", "a send to a live peer says %s",
         troupe_status_name(status));
    accepted[from][to][message_class] += status == TROUPE_OK;
}

static void pass_on(troupe_self *self, uint32_t from, uint32_t to, uint32_t hops)
{
    uint32_t message_class = draw_in(self, 4) == 0;
    troupe_status status =
        troupe_send(self, peers[to], planted_note, .from = from, .hops = hops, .to = peers[to].bits,
                    .number = accepted[from][to][message_class], .sent_ns = troupe_now_ns(self),
                    .envelope.message_class = message_class);
    note_sent(status, from, to, message_class);
    if (draw_in(self, 4) == 0)
        (void)troupe_send(self, peers[to], planted_perishable, .sent_ns = troupe_now_ns(self),
                          .envelope.deadline_ms = PERISH_MS);
}

static void note_check(troupe_self *self, uint32_t me, const planted_note *note, uint32_t message_class)
{
    uint64_t *next = &next_number[note->from][me][message_class];
    uint64_t age_ms = (troupe_now_ns(self) - note->sent_ns) / NS_PER_MS;
    MUST(note->to == troupe_self_ref(self).bits, "address", "peer %u has a note for another", me);
    MUST(drops(me) ? note->number >= *next : note->number == *next, "order",
         "peer %u has note %llu of %u, expects %llu", me, (unsigned long long)note->number, note->from,
         (unsigned long long)*next);
    MUST(age_ms <= PROMPT_MS, "promptness", "a note is %llu ms old", (unsigned long long)age_ms);
    *next = note->number + 1;
    received[note->from][me][message_class]++;
}

static troupe_status peer_receive(troupe_self *self, const troupe_message *message)
{
    const uint32_t *me = troupe_state(self);
    const planted_note *note = planted_note_of(message);
    const planted_perishable *perishable = planted_perishable_of(message);
    const planted_flood *flood = planted_flood_of(message);
    if (perishable != NULL) {
        uint64_t age_ms = (troupe_now_ns(self) - perishable->sent_ns) / NS_PER_MS;
        MUST(age_ms <= PERISH_MS + 1, "deadline", "handled at the age of %llu ms",
             (unsigned long long)age_ms);
        return TROUPE_OK;
    }
    if (flood != NULL) {
        for (uint32_t i = 0; i < FLOOD; i++)
            (void)troupe_send(self, flood->to, planted_perishable, .sent_ns = troupe_now_ns(self));
        return TROUPE_OK;
    }
    if (note == NULL)
        return TROUPE_UNEXPECTED;
    note_check(self, *me, note, message->message_class);
    uint32_t copies = note->hops == 0 ? 0 : 1 + (draw_in(self, 4) == 0);
    for (uint32_t i = 0; i < copies; i++)
        pass_on(self, *me, draw_in(self, PEERS), note->hops - 1);
    return TROUPE_OK;
}

/* Takes anything, for as long as it is there. */
static troupe_status sink_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    return planted_perishable_of(message) != NULL ? TROUPE_OK : TROUPE_UNEXPECTED;
}

static const troupe_behaviour sink = {.name = "sink", .receive = sink_receive};
static const troupe_behaviour peer = {
    .name = "peer", .state_size = sizeof(uint32_t), .receive = peer_receive};

static void begin(void)
{
    memset(accepted, 0, sizeof accepted);
    memset(next_number, 0, sizeof next_number);
    memset(received, 0, sizeof received);
    for (uint32_t i = 0; i < PEERS; i++) {
        const troupe_spawn_options options = {
            .state = &i,
            .mailbox_len_max = drops(i) ? 2 : LEN_MAX,
            .overflow = !drops(i)      ? TROUPE_OVERFLOW_REFUSE
                        : draw(2) == 0 ? TROUPE_OVERFLOW_DROP_OLDEST
                                       : TROUPE_OVERFLOW_SHED,
        };
        peers[i] = troupe_spawn(world.system, &peer, &options);
    }
}

static void kick(uint32_t to, uint32_t hops)
{
    troupe_status status =
        troupe_send(world.system, peers[to], planted_note, .from = PEERS, .hops = hops, .to = peers[to].bits,
                    .number = accepted[PEERS][to][0], .sent_ns = troupe_now_ns(world.system));
    note_sent(status, PEERS, to, 0);
}

/* A sink that drops what it has no room for is told to end while the peers flood it. */
static void sink_drown(uint32_t round)
{
    const troupe_spawn_options options = {.mailbox_len_max = 2, .overflow = TROUPE_OVERFLOW_DROP_OLDEST};
    sinks[round] = troupe_spawn(world.system, &sink, &options);
    if (draw(2) == 0)
        troupe_shutdown(world.system, sinks[round], TROUPE_SHUTDOWN);
    for (uint32_t i = 0; i < PEERS; i++)
        (void)troupe_send(world.system, peers[i], planted_flood, .to = sinks[round]);
    troupe_shutdown(world.system, sinks[round], TROUPE_SHUTDOWN);
}

static void act(uint32_t round)
{
    sink_drown(round);
    for (uint32_t i = 0; i < KICKS; i++)
        kick(draw(PEERS), HOPS);
    for (uint32_t i = 0; i < PEERS; i++) {
        troupe_actor_info info;
        uint32_t bound = drops(i) ? 2 : LEN_MAX;
        MUST(troupe_actor_inspect(world.system, peers[i], &info) == TROUPE_OK, "delivery",
             "peer %u has ended", i);
        MUST(info.depth <= 2 * bound, "bound", "peer %u has %u messages, may have %u", i, info.depth, bound);
    }
}

static void check(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++)
        MUST(!is_alive(sinks[i]), "shutdown", "sink %u was told to end and lives", i);
    for (uint32_t to = 0; to < PEERS; to++)
        for (uint32_t from = 0; from <= PEERS && !drops(to); from++)
            for (uint32_t c = 0; c < CLASSES; c++)
                MUST(accepted[from][to][c] == received[from][to][c], "delivery",
                     "of %u to %u: %llu accepted, %llu handled", from, to,
                     (unsigned long long)accepted[from][to][c], (unsigned long long)received[from][to][c]);
    for (uint32_t to = 0; to < PEERS; to++) {
        uint64_t before = accepted[PEERS][to][0];
        kick(to, 0);
        MUST(accepted[PEERS][to][0] > before, "room", "peer %u has nothing waiting and is full", to);
    }
    troupe_sim_advance(world.system, PROMPT_MS);
}

static void end(void)
{
    for (uint32_t i = 0; i < PEERS; i++)
        troupe_shutdown(world.system, peers[i], TROUPE_SHUTDOWN);
}

const struct scene scene_traffic = {
    .name = "traffic", .begin = begin, .act = act, .check = check, .end = end};

/* SPDX-License-Identifier: MIT */
/*
 * Facts about small random systems under 200 seeds, in virtual time. Players under supervisors of every
 * strategy send, ask, watch, link, park, stash, set timers, spawn helpers, fail and are shut down; in half of
 * the runs sends are refused and allocations fail as the seed says.
 *
 * The oracle: sent = handled + dead letters; order per sender and class; an ask ends once; when all have
 * ended not one block of memory is in use. And each seed gives the same trace twice, other seeds give other
 * traces.
 *
 * --seed N runs that seed alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/random.h"
#include "core/system.h"

enum {
    SEEDS = 200,
    PLAYERS = 9,
    KICKS = 120,
    ASKS_MAX = 6,
    WATCHED_MAX = 4,
    ASK_TIMEOUT_MS = 500,
    SETTLE_MS = 20000, /* longer than every timer */
    PAGE_HEAD = 64,    /* of a slab's page: slab.c */
};

#define NOTE_FIELDS(F) F(u32, from) F(u32, hops) F(u64, instance) F(u64, number)
TROUPE_MESSAGE(sim_note, NOTE_FIELDS)
#define VALUE_FIELDS(F) F(u64, value) F(text, padding)
TROUPE_MESSAGE(sim_question, VALUE_FIELDS)
TROUPE_MESSAGE(sim_answer, VALUE_FIELDS)

struct track {
    uint64_t who;
    uint64_t next[2];
};

struct player {
    uint32_t index;
    uint64_t instance;
    struct track from[PLAYERS];
    struct track to[PLAYERS];
    uint64_t asks[ASKS_MAX];
    uint64_t monitors[WATCHED_MAX];
    uint64_t timer;
    uint64_t cancelled;
    troupe_asker kept;
    uint32_t stashed;
};

/* What happened in all runs together, so that they are known to be worth something. */
struct total {
    uint64_t restarts;
    uint64_t moved;
};

static troupe_ref refs[PLAYERS];
static uint64_t instances;
static uint64_t asks_begun;
static uint64_t asks_ended;
static uint64_t asks_abandoned; /* their asker ended first */
static uint64_t events;
static bool is_faulty;

static void event(uint64_t value)
{
    struct random random = {events ^ value};
    events = random_next(&random);
}

static uint32_t below(troupe_self *self, uint32_t bound)
{
    return (uint32_t)(troupe_random(self) % bound);
}

static bool is_send_status(troupe_status status)
{
    return status == TROUPE_OK || status == TROUPE_FULL || status == TROUPE_NO_ACTOR ||
           (is_faulty && status == TROUPE_NO_MEMORY);
}

static void note_send(troupe_self *self, struct player *player, uint32_t to, uint32_t hops)
{
    struct track *track = &player->to[to];
    uint32_t message_class = below(self, 4) == 0;
    if (track->who != refs[to].bits)
        *track = (struct track){.who = refs[to].bits};
    troupe_status status = troupe_send(self, refs[to], sim_note, .from = player->index, .hops = hops,
                                       .instance = player->instance, .number = track->next[message_class],
                                       .envelope.message_class = message_class);
    ASSERT(is_send_status(status));
    track->next[message_class] += status == TROUPE_OK;
}

/* Refused or dropped ones leave gaps where the mailbox drops; nothing comes twice or out of order. */
static void note_check(struct player *player, const troupe_message *message, const sim_note *note)
{
    struct track *track = &player->from[note->from];
    if (note->instance < track->who)
        return;
    if (note->instance > track->who)
        *track = (struct track){.who = note->instance};
    ASSERT(note->number >= track->next[message->message_class]);
    track->next[message->message_class] = note->number + 1;
}

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    uint64_t *slot = context;
    ASSERT(*slot != 0);
    ASSERT(status != TROUPE_OK || sim_answer_of(reply)->value == *slot + 1);
    event(*slot << 8 | (uint64_t)status);
    *slot = 0;
    asks_ended++;
    return below(self, 50) == 0 ? TROUPE_UNEXPECTED : TROUPE_OK;
}

static void ask(troupe_self *self, struct player *player, troupe_ref whom)
{
    uint64_t *slot = &player->asks[below(self, ASKS_MAX)];
    if (*slot != 0)
        return;
    *slot = 1 + below(self, 1000);
    troupe_status status = troupe_ask(self, whom, ASK_TIMEOUT_MS, on_answer, slot, sim_question,
                                      .value = *slot, .padding = "some bytes more");
    ASSERT(is_send_status(status));
    if (status == TROUPE_OK)
        asks_begun++;
    else
        *slot = 0;
}

/*
 * -- helpers -----------------------------------------------------------------------------------------------
 */

static troupe_status helper_receive(troupe_self *self, const troupe_message *message)
{
    const sim_question *question = sim_question_of(message);
    if (question == NULL)
        return sim_note_of(message) != NULL ? (below(self, 2) == 0 ? TROUPE_IO : TROUPE_OK)
                                            : TROUPE_UNEXPECTED;
    if (question->value % 5 == 0)
        return TROUPE_FAILED;
    (void)troupe_reply(self, troupe_asker_of(message), sim_answer, .value = question->value + 1);
    troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour helper = {.name = "helper", .state_size = 24, .receive = helper_receive};

static void helper_use(troupe_self *self, struct player *player)
{
    uint64_t *monitor = &player->monitors[below(self, WATCHED_MAX)];
    if (*monitor != 0) {
        troupe_demonitor(self, *monitor);
        *monitor = 0;
        return;
    }
    troupe_ref ref = troupe_spawn(self, &helper, NULL);
    ASSERT(is_faulty || !troupe_ref_is_none(ref));
    troupe_status status = troupe_monitor(self, ref, monitor);
    ASSERT(status == TROUPE_OK || (is_faulty && status == TROUPE_NO_MEMORY));
    if (status != TROUPE_OK)
        *monitor = 0;
    if (below(self, 3) == 0)
        (void)!troupe_link(self, ref);
    ask(self, player, ref);
    if (below(self, 2) == 0)
        (void)troupe_send(self, ref, sim_note, .hops = 0);
    troupe_shutdown(self, ref, below(self, 3) == 0 ? TROUPE_KILLED : TROUPE_SHUTDOWN);
}

/*
 * -- players -----------------------------------------------------------------------------------------------
 */

static void timer_use(troupe_self *self, struct player *player)
{
    if (player->timer != 0) {
        troupe_timer_cancel(self, player->timer);
        player->cancelled = player->timer;
        player->timer = 0;
        return;
    }
    uint64_t every_ms = below(self, 2) == 0 ? 0 : 1 + below(self, 40);
    if (troupe_timer_start(self, below(self, 100), every_ms, every_ms, &player->timer) != TROUPE_OK)
        player->timer = 0;
}

static troupe_status timer_fired(struct player *player, const troupe_timeout *timeout)
{
    ASSERT(timeout->timer != player->cancelled);
    ASSERT(timeout->timer == player->timer);
    event(timeout->timer);
    if (timeout->tag == 0)
        player->timer = 0;
    return TROUPE_OK;
}

static troupe_status question_answer(troupe_self *self, struct player *player, const troupe_message *message,
                                     const sim_question *question)
{
    troupe_asker asker = troupe_asker_of(message);
    switch (below(self, 6)) {
    case 0:
        troupe_refuse(self, asker, TROUPE_TIMEOUT);
        return TROUPE_OK;
    case 1:
        player->kept = asker; /* perhaps never answered */
        return TROUPE_OK;
    case 2:
        (void)troupe_forward(self, refs[below(self, PLAYERS)], message);
        return TROUPE_OK;
    case 3:
        player->stashed++;
        return TROUPE_STASHED;
    default:
        (void)troupe_reply(self, asker, sim_answer, .value = question->value + 1, .padding = "yes");
        return TROUPE_OK;
    }
}

static troupe_status note_act(troupe_self *self, struct player *player, const sim_note *note)
{
    if (note->hops > 0)
        note_send(self, player, below(self, PLAYERS), note->hops - 1);
    switch (below(self, 12)) {
    case 0:
        helper_use(self, player);
        break;
    case 1:
        ask(self, player, refs[below(self, PLAYERS)]);
        break;
    case 2:
        timer_use(self, player);
        break;
    case 3:
        if (player->stashed > 0)
            troupe_unstash(self);
        player->stashed = 0;
        break;
    case 4:
        return below(self, 4) == 0 ? troupe_fail(self, TROUPE_IO, "a player fails as it is told to")
                                   : TROUPE_OK;
    case 5:
        if (below(self, 8) == 0)
            troupe_shutdown(self, refs[below(self, PLAYERS)], TROUPE_KILLED);
        break;
    default:
        break;
    }
    return TROUPE_OK;
}

static troupe_status player_receive(troupe_self *self, const troupe_message *message)
{
    struct player *player = troupe_state(self);
    const sim_note *note = sim_note_of(message);
    const troupe_down *down = troupe_down_of(message);
    event((uint64_t)player->index << 32 | message->type);
    if (note != NULL) {
        note_check(player, message, note);
        return note_act(self, player, note);
    }
    if (sim_question_of(message) != NULL)
        return question_answer(self, player, message, sim_question_of(message));
    if (troupe_timeout_of(message) != NULL)
        return timer_fired(player, troupe_timeout_of(message));
    ASSERT(down != NULL);
    for (uint32_t i = 0; i < WATCHED_MAX; i++)
        if (player->monitors[i] == down->monitor)
            player->monitors[i] = 0;
    return TROUPE_OK;
}

static troupe_status player_start(troupe_self *self)
{
    struct player *player = troupe_state(self);
    player->instance = ++instances;
    troupe_trap_exits(self, player->index % 2 == 0);
    refs[player->index] = troupe_self_ref(self);
    return below(self, 40) == 0 ? TROUPE_LIMIT : TROUPE_OK;
}

static void asks_abandon(struct player *player)
{
    for (uint32_t i = 0; i < ASKS_MAX; i++)
        asks_abandoned += player->asks[i] != 0;
}

static void player_stop(troupe_self *self, troupe_status reason)
{
    struct player *player = troupe_state(self);
    event((uint64_t)reason);
    if (player->kept.ask != 0)
        troupe_refuse(self, player->kept, TROUPE_CONFLICT);
    asks_abandon(player);
}

static const troupe_behaviour player_behaviour = {
    .name = "player",
    .state_size = sizeof(struct player),
    .start = player_start,
    .receive = player_receive,
    .stop = player_stop,
};

/*
 * -- a run -------------------------------------------------------------------------------------------------
 */

/* Blocks of the slabs that are neither on a free list nor on their way to one. */
static int64_t blocks_in_use(troupe_system *system)
{
    int64_t count = 0;
    for (uint32_t w = 0; w < WORKERS_ALL_MAX; w++) {
        if (system->workers[w] == NULL)
            continue;
        struct slab *slab = &system->workers[w]->slab;
        slab_flush(slab);
        for (char *arena = slab->arenas; arena != NULL;
             arena = *(void **)(void *)(arena + PAGE_HEAD - sizeof(void *)))
            for (uint32_t i = 0; i < SLAB_ARENA_PAGES; i++) {
                const struct slab_page *page = (const void *)(arena + (size_t)i * SLAB_PAGE_SIZE);
                count += page->block_size == 0 ? 0 : (page->cut - PAGE_HEAD) / page->block_size;
            }
        for (uint32_t i = 0; i < SLAB_CLASS_COUNT; i++)
            for (const struct slab_block *block = slab->free[i]; block != NULL; block = block->next)
                count--;
    }
    for (uint32_t w = 0; w < WORKERS_ALL_MAX; w++)
        for (const struct slab_block *block =
                 system->workers[w] == NULL ? NULL : load_relaxed(&system->workers[w]->slab.returned);
             block != NULL; block = block->next)
            count--;
    return count;
}

static void supervisors_start(troupe_system *system, struct random *random, troupe_ref *ret_supervisors)
{
    static char ids[PLAYERS][4];
    struct player states[PLAYERS];
    troupe_child_spec children[PLAYERS];
    memset(states, 0, sizeof states);
    for (uint32_t i = 0; i < PLAYERS; i++) {
        snprintf(ids[i], sizeof ids[i], "p%u", i % 10);
        states[i].index = i;
        children[i] = (troupe_child_spec){
            .id = ids[i],
            .behaviour = &player_behaviour,
            .restart = (troupe_restart)(random_below(random, 5) / 2 % 3),
            .shutdown_ms = 100,
            .options = {.state = &states[i],
                        .mailbox_len_max = 4 + random_below(random, 12),
                        .overflow = (troupe_overflow)random_below(random, 5)},
        };
    }
    for (uint32_t i = 0; i < 3; i++) {
        const troupe_supervisor_spec spec = {
            .strategy = (troupe_strategy)i,
            .intensity = 1 + random_below(random, 200),
            .period_ms = 1 + random_below(random, 50),
            .backoff_min_ms = random_below(random, 3),
            .children = &children[i * (PLAYERS / 3)],
            .child_count = PLAYERS / 3,
        };
        ret_supervisors[i] = troupe_supervisor_start(system, &spec, NULL);
    }
}

static void kick(troupe_system *system, struct random *random)
{
    for (uint32_t i = 0; i < KICKS; i++) {
        uint32_t to = random_below(random, PLAYERS);
        const sim_note_fields fields = {.from = 0, .hops = 6, .instance = 0, .number = i};
        (void)troupe_send_fields(troupe_system_context(system), refs[to], &sim_note_type, &fields);
        if (random_below(random, 3) == 0)
            troupe_sim_advance(system, random_below(random, 30));
    }
    troupe_sim_advance(system, 2 * ASK_TIMEOUT_MS);
}

static bool is_conserved(const troupe_counters *counters)
{
    if (counters->sent == counters->handled + counters->dead_letters)
        return true;
    fprintf(stderr, "sent %llu, handled %llu, dead letters %llu\n", (unsigned long long)counters->sent,
            (unsigned long long)counters->handled, (unsigned long long)counters->dead_letters);
    return false;
}

static bool all_end(troupe_system *system, const troupe_ref *supervisors)
{
    for (uint32_t round = 0; round < 50; round++) { /* without memory a request may not go out: again */
        for (uint32_t i = 0; i < 3; i++)
            troupe_shutdown(system, supervisors[i], TROUPE_SHUTDOWN);
        for (uint32_t slot = 0; slot < system->slots.chunk_count << SLOTS_CHUNK_BITS; slot++) {
            struct actor *actor = slots_at(system->slots.chunks, slot);
            if (actor->phase != ACTOR_FREE && !actor->is_supervisor)
                troupe_shutdown(system, actor_ref(actor), TROUPE_KILLED);
        }
        troupe_sim_advance(system, 200);
    }
    troupe_sim_advance(system, SETTLE_MS);
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    bool is_all = counters.actors_spawned == counters.actors_ended && blocks_in_use(system) == 0;
    if (!is_all)
        fprintf(stderr, "%llu spawned, %llu ended, %lld blocks in use\n",
                (unsigned long long)counters.actors_spawned, (unsigned long long)counters.actors_ended,
                (long long)blocks_in_use(system));
    return is_conserved(&counters) && is_all;
}

static bool run(uint64_t seed, void *context, uint64_t *ret_trace_hash)
{
    struct total *total = context;
    struct random random = {seed * 7919};
    troupe_options options = {.workers = 1 + random_below(&random, 4), .simulate = {.seed = seed}};
    is_faulty = seed % 2 == 0;
    if (is_faulty) {
        options.simulate.refuse_probability = 0.02;
        options.simulate.no_memory_probability = 0.02;
    }
    if (seed % 3 != 0) {
        options.simulate.delay_probability = 0.2;
        options.simulate.timer_late_ms_max = 5;
    }
    if (seed % 5 == 0)
        options.simulate.crash_probability = 0.01;
    troupe_system *system;
    troupe_ref supervisors[3];
    memset(refs, 0, sizeof refs);
    instances = 0;
    asks_begun = 0;
    asks_ended = 0;
    asks_abandoned = 0;
    events = seed;
    if (troupe_start(&system, &options) != TROUPE_OK)
        return false;
    supervisors_start(system, &random, supervisors);
    troupe_sim_advance(system, 1);
    kick(system, &random);
    bool is_well = all_end(system, supervisors);
    if (asks_begun != asks_ended + asks_abandoned) {
        fprintf(stderr, "%llu asks begun, %llu ended, %llu abandoned\n", (unsigned long long)asks_begun,
                (unsigned long long)asks_ended, (unsigned long long)asks_abandoned);
        is_well = false;
    }
    troupe_counters counters;
    troupe_system_counters(system, &counters);
    total->restarts += counters.restarts;
    total->moved += counters.moved;
    struct random mixed = {troupe_sim_trace_hash(system) ^ events};
    *ret_trace_hash = random_next(&mixed); /* with what the players saw */
    return troupe_stop(&system) == 0 && is_well;
}

int main(int argc, char **argv)
{
    struct total total = {0};
    int result = troupe_sim_seeds(argc, argv, SEEDS, run, &total);
    if (result == 0 && argc == 1 && (total.restarts == 0 || total.moved == 0)) {
        fprintf(stderr, "no actor was restarted, or none was moved: the runs show nothing\n");
        return 1;
    }
    return result;
}

/* SPDX-License-Identifier: MIT */
/*
 * Facts about a whole system under heavy traffic on real threads. Players under three supervisors (one for
 * each strategy) and threads outside send each other numbered messages of both classes, ask, spawn helpers,
 * monitor and stop them, run timers, fail and come back, while actors are dealt between more workers than
 * there are processors.
 *
 * What is checked on the way: no actor is entered twice at a time; what one sender sent to one receiver in a
 * class arrives in order, each once, without a gap; nobody gets a message that was sent to an earlier tenant
 * of its slot; an ask ends once and with its own answer; a cancelled timer or monitor says nothing. What is
 * checked when it is quiet: sent = handled + dead letters; no ask, monitor or timer is still open.
 *
 * The seed is printed; TROUPE_SEED=n chooses it. It decides what players do, not how threads meet.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/random.h"
#include "core/relief.h"
#include "core/scheduler.h"
#include "support/seeds.h"

enum {
    WORKERS = 8,
    PLAYERS = 36,
    OUTSIDERS = 3,
    SENDERS = PLAYERS + OUTSIDERS,
    GOES = 500,         /* kicks by each outsider */
    NOTES_A_GO = 4,     /* and plain notes with each */
    HOPS = 8,           /* how often a note is passed on */
    ASKS_MAX = 16,      /* open at once, of one player */
    WATCHED_MAX = 8,    /* helpers monitored at once, of one player */
    TIMERS_MAX = 4,     /* one-shot, at once, of one player */
    CANCELLED_KEPT = 8, /* timers remembered as cancelled */
    GRAVES = 64,        /* refs of the ended */
    MAILBOX_LEN = 24,
    ASK_TIMEOUT_MS = 120000, /* never reached: a timeout is a lost answer */
    QUIET_MS_MAX = 120000,
};

#define POISON UINT32_MAX

#define NOTE_FIELDS(F) F(u32, from) F(u32, hops) F(u64, instance) F(u64, number)
TROUPE_MESSAGE(race_note, NOTE_FIELDS)
#define GO_FIELDS(F) F(u32, count)
TROUPE_MESSAGE(race_go, GO_FIELDS)
#define VALUE_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(race_question, VALUE_FIELDS)
TROUPE_MESSAGE(race_answer, VALUE_FIELDS)
TROUPE_MESSAGE_EMPTY(race_report)
#define OPEN_FIELDS(F) F(u32, asks) F(u32, monitors) F(u32, timers)
TROUPE_MESSAGE(race_open, OPEN_FIELDS)

/* What a receiver knows of a sender, and a sender of a receiver: the next number in each class. */
struct track {
    uint64_t who; /* instance of the sender, or ref of the receiver */
    uint64_t next[2];
};

struct player {
    uint32_t index;
    _Atomic uint32_t inside; /* 1 while a handler runs */
    uint64_t instance;
    struct random random;
    struct track from[SENDERS];
    struct track to[PLAYERS];
    uint64_t asks[ASKS_MAX]; /* values asked for; 0: free */
    uint64_t monitors[WATCHED_MAX];
    troupe_ref helpers[WATCHED_MAX];
    uint64_t demonitored; /* the last one */
    uint64_t timers[TIMERS_MAX];
    uint64_t ticker;
    uint64_t cancelled[CANCELLED_KEPT];
    uint32_t cancelled_next;
    troupe_asker kept; /* to be answered later */
    uint64_t kept_value;
};

static _Atomic uint64_t refs[PLAYERS];
static _Atomic uint64_t graves[GRAVES];
static _Atomic uint64_t instances;
static _Atomic uint64_t accepted;
static _Atomic uint64_t received;
static _Atomic bool is_over;
static uint64_t seed;

static bool chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

static void enter(struct player *player)
{
    ASSERT(atomic_fetch_add_explicit(&player->inside, 1, memory_order_relaxed) == 0);
}

static troupe_status leave(struct player *player, troupe_status status)
{
    atomic_fetch_sub_explicit(&player->inside, 1, memory_order_relaxed);
    return status;
}

/*
 * -- numbered notes
 * ------------------------------------------------------------------------------------------------
 */

/* Sends one note and takes its number only when it was accepted. */
static void note_send(troupe_context *from, struct track *track, uint32_t index, uint64_t instance,
                      uint32_t to, uint32_t hops, uint32_t message_class)
{
    troupe_ref ref = {load_relaxed(&refs[to])};
    if (track->who != ref.bits)
        *track = (struct track){.who = ref.bits};
    troupe_status status = troupe_send_fields(
        from, ref, &race_note_type,
        TROUPE_FIELDS(race_note, .from = index, .hops = hops, .instance = instance,
                      .number = track->next[message_class], .envelope.message_class = message_class));
    ASSERT(status == TROUPE_OK || status == TROUPE_FULL || status == TROUPE_NO_ACTOR);
    if (status == TROUPE_OK) {
        track->next[message_class]++;
        fetch_add_relaxed(&accepted, 1);
    }
}

/*
 * Its number is the next of that sender. A sender that failed and came back counts from 0; what its former
 * instance had sent may still come.
 */
static void note_check(struct player *player, const troupe_message *message, const race_note *note)
{
    ASSERT(note->from != POISON && note->from < SENDERS);
    fetch_add_relaxed(&received, 1);
    struct track *track = &player->from[note->from];
    if (note->instance < track->who)
        return;
    if (note->instance > track->who)
        *track = (struct track){.who = note->instance};
    ASSERT(track->next[message->message_class] == note->number);
    track->next[message->message_class]++;
}

/* To somebody who has ended: it must not be handled by whoever has the slot now. */
static void poison_send(troupe_self *self, struct player *player)
{
    troupe_ref ref = {load_relaxed(&graves[random_below(&player->random, GRAVES)])};
    if (!troupe_ref_is_none(ref) && troupe_send(self, ref, race_note, .from = POISON) == TROUPE_OK)
        fetch_add_relaxed(&accepted, 1);
}

static void bury(troupe_self *self)
{
    store_relaxed(&graves[troupe_self_ref(self).bits % GRAVES], troupe_self_ref(self).bits);
}

/*
 * -- helpers
 * -------------------------------------------------------------------------------------------------------
 */

/* Answers, fails over, or refuses a question; ends with the first note. */
static troupe_status helper_receive(troupe_self *self, const troupe_message *message)
{
    const race_question *question = race_question_of(message);
    if (question == NULL) {
        const race_note *note = race_note_of(message);
        ASSERT(note != NULL && note->from != POISON);
        fetch_add_relaxed(&received, 1);
        if (note->hops % 2 == 0)
            troupe_exit(self);
        else
            return troupe_fail(self, TROUPE_IO, "a helper fails");
        return TROUPE_OK;
    }
    if (question->value % 5 == 0)
        return TROUPE_FAILED;
    if (question->value % 7 == 0)
        return TROUPE_UNEXPECTED;
    return troupe_reply(self, troupe_asker_of(message), race_answer, .value = question->value + 1);
}

static void helper_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    bury(self);
}

static const troupe_behaviour helper = {.name = "helper", .receive = helper_receive, .stop = helper_stop};

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct player *player = troupe_state(self);
    uint64_t *slot = context;
    enter(player);
    ASSERT(*slot != 0);
    if (status == TROUPE_OK)
        ASSERT(race_answer_of(reply) != NULL && race_answer_of(reply)->value == *slot + 1);
    else
        ASSERT(reply == NULL && (status == TROUPE_NO_ACTOR || status == TROUPE_UNEXPECTED ||
                                 status == TROUPE_FAILED || status == TROUPE_CONFLICT));
    *slot = 0;
    return leave(player, TROUPE_OK);
}

static void ask(troupe_self *self, struct player *player, troupe_ref whom)
{
    uint64_t *slot = &player->asks[random_below(&player->random, ASKS_MAX)];
    if (*slot != 0)
        return;
    *slot = 1 + random_below(&player->random, 1000);
    troupe_status status =
        troupe_ask(self, whom, ASK_TIMEOUT_MS, on_answer, slot, race_question, .value = *slot);
    ASSERT(status == TROUPE_OK || status == TROUPE_FULL || status == TROUPE_NO_ACTOR);
    if (status != TROUPE_OK)
        *slot = 0;
}

/* A helper that is watched, asked, and sent away in one of four ways. */
static void helper_use(troupe_self *self, struct player *player)
{
    uint32_t i = random_below(&player->random, WATCHED_MAX);
    if (player->monitors[i] != 0) {
        if (chance(&player->random, 30)) {
            troupe_demonitor(self, player->monitors[i]);
            player->demonitored = player->monitors[i];
            player->monitors[i] = 0;
        }
        return;
    }
    troupe_ref ref = troupe_spawn(self, &helper, NULL);
    ASSERT(!troupe_ref_is_none(ref));
    player->helpers[i] = ref;
    ASSERT(troupe_monitor(self, ref, &player->monitors[i]) == TROUPE_OK);
    ask(self, player, ref);
    uint32_t way = random_below(&player->random, 4);
    if (way < 2 && troupe_send(self, ref, race_note, .from = 0, .hops = way) == TROUPE_OK)
        fetch_add_relaxed(&accepted, 1);
    else
        troupe_shutdown(self, ref, way == 2 ? TROUPE_SHUTDOWN : TROUPE_KILLED);
}

static void helper_down(struct player *player, const troupe_down *down)
{
    ASSERT(down->monitor != player->demonitored);
    for (uint32_t i = 0; i < WATCHED_MAX; i++) {
        if (player->monitors[i] == down->monitor) {
            ASSERT(troupe_ref_equal(player->helpers[i], down->who));
            player->monitors[i] = 0;
            return;
        }
    }
    ASSERT(false && "a troupe_down for no monitor of ours");
}

/*
 * -- players
 * -------------------------------------------------------------------------------------------------------
 */

static void timers_use(troupe_self *self, struct player *player)
{
    uint64_t *timer = &player->timers[random_below(&player->random, TIMERS_MAX)];
    if (*timer == 0) {
        ASSERT(troupe_timer_start(self, random_below(&player->random, 3), 0, 1, timer) == TROUPE_OK);
        return;
    }
    troupe_timer_cancel(self, *timer);
    player->cancelled[player->cancelled_next++ % CANCELLED_KEPT] = *timer;
    *timer = 0;
}

static void timer_fired(troupe_self *self, struct player *player, const troupe_timeout *timeout)
{
    for (uint32_t i = 0; i < CANCELLED_KEPT; i++)
        ASSERT(player->cancelled[i] != timeout->timer);
    if (timeout->timer == player->ticker) {
        ASSERT(timeout->tag == 2);
        if (load_relaxed(&is_over)) {
            troupe_timer_cancel(self, player->ticker);
            player->ticker = 0;
        }
        return;
    }
    ASSERT(timeout->tag == 1);
    for (uint32_t i = 0; i < TIMERS_MAX; i++) {
        if (player->timers[i] == timeout->timer) {
            player->timers[i] = 0;
            return;
        }
    }
    ASSERT(false && "a troupe_timeout for no timer of ours");
}

static void question_answer(troupe_self *self, struct player *player, const troupe_message *message,
                            const race_question *question)
{
    troupe_asker asker = troupe_asker_of(message);
    ASSERT(asker.ask != 0);
    uint32_t way = random_below(&player->random, 4);
    if (way == 0) {
        troupe_refuse(self, asker, TROUPE_CONFLICT);
    } else if (way == 1 && player->kept.ask == 0 && player->ticker != 0) { /* answered with a later message */
        player->kept = asker;
        player->kept_value = question->value;
    } else if (way == 2) {
        troupe_ref to = {load_relaxed(&refs[random_below(&player->random, PLAYERS)])};
        if (troupe_forward(self, to, message) != TROUPE_OK)
            troupe_refuse(self, asker, TROUPE_CONFLICT);
    } else {
        ASSERT(troupe_reply(self, asker, race_answer, .value = question->value + 1) == TROUPE_OK);
        if (chance(&player->random, 10)) /* a second answer is a dead letter */
            ASSERT(troupe_reply(self, asker, race_answer, .value = 0) == TROUPE_OK);
    }
}

static void kept_answer(troupe_self *self, struct player *player)
{
    if (player->kept.ask == 0)
        return;
    ASSERT(troupe_reply(self, player->kept, race_answer, .value = player->kept_value + 1) == TROUPE_OK);
    player->kept = (troupe_asker){0};
}

static void spin(uint32_t turns)
{
    for (uint32_t i = 0; i < turns; i++)
        SPIN_PAUSE();
}

static void note_pass_on(troupe_self *self, struct player *player, uint32_t hops)
{
    uint32_t to = random_below(&player->random, PLAYERS);
    note_send(troupe_self_context(self), &player->to[to], player->index, player->instance, to, hops,
              chance(&player->random, 20) ? TROUPE_CLASS_URGENT : TROUPE_CLASS_NORMAL);
}

static troupe_status note_act(troupe_self *self, struct player *player, const race_note *note)
{
    if (note->hops > 0)
        note_pass_on(self, player, note->hops - 1);
    if (chance(&player->random, 10))
        helper_use(self, player);
    if (chance(&player->random, 10))
        ask(self, player, (troupe_ref){load_relaxed(&refs[random_below(&player->random, PLAYERS)])});
    if (chance(&player->random, 10))
        timers_use(self, player);
    if (chance(&player->random, 10))
        poison_send(self, player);
    if (chance(&player->random, 10)) {
        RUNTIME_SCOPE(self);
        scheduler_deal(worker);
    }
    if (chance(&player->random, 5))
        spin(2000);
    if (random_below(&player->random, 300) == 0 && !load_relaxed(&is_over))
        return troupe_fail(self, TROUPE_FAILED, "a player fails");
    return TROUPE_OK;
}

static troupe_status report(troupe_self *self, struct player *player, const troupe_message *message)
{
    uint32_t asks = 0;
    uint32_t monitors = 0;
    uint32_t timers = player->ticker != 0;
    for (uint32_t i = 0; i < ASKS_MAX; i++)
        asks += player->asks[i] != 0;
    for (uint32_t i = 0; i < WATCHED_MAX; i++)
        monitors += player->monitors[i] != 0;
    for (uint32_t i = 0; i < TIMERS_MAX; i++)
        timers += player->timers[i] != 0;
    return troupe_reply(self, troupe_asker_of(message), race_open, .asks = asks, .monitors = monitors,
                        .timers = timers);
}

static troupe_status player_receive(troupe_self *self, const troupe_message *message)
{
    struct player *player = troupe_state(self);
    const race_note *note = race_note_of(message);
    const race_go *go = race_go_of(message);
    troupe_status status = TROUPE_OK;
    enter(player);
    if (note != NULL) {
        note_check(player, message, note);
        kept_answer(self, player);
        status = note_act(self, player, note);
    } else if (go != NULL) {
        for (uint32_t i = 0; i < go->count; i++)
            note_pass_on(self, player, HOPS);
    } else if (race_question_of(message) != NULL) {
        question_answer(self, player, message, race_question_of(message));
    } else if (troupe_down_of(message) != NULL) {
        helper_down(player, troupe_down_of(message));
    } else if (troupe_timeout_of(message) != NULL) {
        timer_fired(self, player, troupe_timeout_of(message));
        kept_answer(self, player);
    } else if (race_report_of(message) != NULL) {
        status = report(self, player, message);
    } else {
        ASSERT(false && "a message of a type nobody sends");
    }
    return leave(player, status);
}

static troupe_status player_start(troupe_self *self)
{
    struct player *player = troupe_state(self);
    enter(player);
    player->instance = fetch_add_relaxed(&instances, 1) + 1;
    player->random.state = seed + player->instance * 1000003;
    ASSERT(troupe_timer_start(self, 1, 1, 2, &player->ticker) == TROUPE_OK);
    store_relaxed(&refs[player->index], troupe_self_ref(self).bits);
    return leave(player, TROUPE_OK);
}

static void player_stop(troupe_self *self, troupe_status reason)
{
    struct player *player = troupe_state(self);
    (void)reason;
    enter(player);
    kept_answer(self, player);
    bury(self);
    leave(player, TROUPE_OK);
}

static const troupe_behaviour player_behaviour = {
    .name = "player",
    .state_size = sizeof(struct player),
    .start = player_start,
    .receive = player_receive,
    .stop = player_stop,
};

/*
 * -- the run
 * -------------------------------------------------------------------------------------------------------
 */

/* A third of the players under each strategy. */
static void supervisors_start(troupe_system *system)
{
    static struct player states[PLAYERS];
    static char ids[PLAYERS][8];
    static troupe_child_spec children[PLAYERS];
    const uint32_t third = PLAYERS / 3;
    for (uint32_t i = 0; i < PLAYERS; i++) {
        states[i].index = i;
        snprintf(ids[i], sizeof ids[i], "p%u", i);
        children[i] = (troupe_child_spec){
            .id = ids[i],
            .behaviour = &player_behaviour,
            .options = {.state = &states[i], .mailbox_len_max = MAILBOX_LEN},
            .shutdown_ms = ASK_TIMEOUT_MS,
        };
    }
    for (uint32_t i = 0; i < 3; i++) {
        const troupe_supervisor_spec spec = {
            .strategy = (troupe_strategy)i,
            .intensity = TROUPE_INTENSITY_MAX,
            .period_ms = 1,
            .children = &children[i * third],
            .child_count = third,
        };
        troupe_status status;
        troupe_supervisor_start(system, &spec, &status);
        assert_int_equal(status, TROUPE_OK);
    }
}

struct outsider {
    troupe_system *system;
    uint32_t index;
    struct random random;
    struct track to[PLAYERS];
};

static void *outsider_run(void *context)
{
    struct outsider *me = context;
    for (uint32_t i = 0; i < GOES; i++) {
        for (uint32_t n = 0; n < NOTES_A_GO; n++) {
            uint32_t to = random_below(&me->random, PLAYERS);
            note_send(troupe_system_context(me->system), &me->to[to], PLAYERS + me->index, 1, to, HOPS,
                      n % 2 == 0 ? TROUPE_CLASS_NORMAL : TROUPE_CLASS_URGENT);
        }
        troupe_ref ref = {load_relaxed(&refs[random_below(&me->random, PLAYERS)])};
        (void)troupe_send(me->system, ref, race_go, .count = 2);
        if (chance(&me->random, 10)) {
            troupe_message *answer = NULL;
            troupe_status status =
                troupe_call(me->system, ref, ASK_TIMEOUT_MS, &answer, race_question, .value = i);
            ASSERT(status != TROUPE_TIMEOUT &&
                   (status != TROUPE_OK || race_answer_of(answer)->value == i + 1));
            troupe_message_free(me->system, &answer);
        }
        if (i % 16 == 0)
            usleep(500);
    }
    return NULL;
}

static void wait_until_quiet(troupe_system *system)
{
    troupe_counters counters;
    uint64_t sent = 0;
    uint32_t quiet_ms = 0;
    for (int ms = 0; ms < QUIET_MS_MAX && quiet_ms < 50; ms++) {
        troupe_system_counters(system, &counters);
        bool is_quiet = counters.sent == counters.handled + counters.dead_letters && counters.sent == sent;
        quiet_ms = is_quiet ? quiet_ms + 1 : 0;
        sent = counters.sent;
        usleep(1000);
    }
    assert_int_equal(counters.sent, counters.handled + counters.dead_letters);
    assert_true(quiet_ms > 0);
    assert_true(counters.moved > 0);
    assert_true(counters.restarts > 0);
    uint64_t lost = load_relaxed(&accepted) - load_relaxed(&received);
    assert_true(lost <= counters.dead_letters);
    print_message("sent %llu, dead letters %llu, refused %llu, moved %llu, restarts %llu\n",
                  (unsigned long long)counters.sent, (unsigned long long)counters.dead_letters,
                  (unsigned long long)counters.refused, (unsigned long long)counters.moved,
                  (unsigned long long)counters.restarts);
}

/* Asks, monitors and timers that players still wait for. */
static uint32_t open_count(troupe_system *system)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PLAYERS; i++) {
        troupe_message *reply;
        troupe_ref ref = {load_relaxed(&refs[i])};
        assert_int_equal(troupe_call(system, ref, ASK_TIMEOUT_MS, &reply, race_report), TROUPE_OK);
        const race_open *open = race_open_of(reply);
        assert_non_null(open);
        count += open->asks + open->monitors + open->timers;
        troupe_message_free(system, &reply);
    }
    return count;
}

static void traffic_is_conserved_ordered_and_never_shared(void **state)
{
    (void)state;
    const troupe_options options = {.workers = WORKERS};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    supervisors_start(system);
    static struct outsider outsiders[OUTSIDERS];
    pthread_t threads[OUTSIDERS];
    for (uint32_t i = 0; i < OUTSIDERS; i++) {
        outsiders[i] = (struct outsider){.system = system, .index = i, .random = {seed + i}};
        assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, &outsiders[i]), 0);
    }
    for (uint32_t i = 0; i < OUTSIDERS; i++)
        pthread_join(threads[i], NULL);
    store_relaxed(&is_over, true);
    wait_until_quiet(system);
    /* A worker that the machine keeps waiting may have looked quiet with a tick to come. */
    uint32_t open = 1;
    for (int ms = 0; ms < QUIET_MS_MAX && open > 0; ms++) {
        usleep(1000);
        open = open_count(system);
    }
    assert_int_equal(open, 0);
    assert_int_equal(troupe_stop(&system), 0);
}

int main(void)
{
    seed = seeds_one("race_core_traffic_test", seeds_other());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traffic_is_conserved_ordered_and_never_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

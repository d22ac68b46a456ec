/* SPDX-License-Identifier: MIT */
/*
 * asks.c: clients with tiny mailboxes that others keep full, and servers that answer at once, late, by
 * another server, or after having put the question aside; and hermits, who put everything aside and end.
 *
 * Oracles: ask (each ends once, the long ones with an answer), answer (it is the one to this question), stash
 * (whoever asked somebody who ended is told at once).
 */
#include "world.h"

enum {
    CLIENTS = 3,
    SERVERS = 2,
    HERMITS = 2,
    ASKS_MAX = 4,
    KEPT_MAX = 32,
    SHORT_MS = 3,
    LATER_MS = 8,
};

#define QUESTION_FIELDS(F) F(u64, value)
TROUPE_MESSAGE(planted_question, QUESTION_FIELDS)
TROUPE_MESSAGE(planted_answer, QUESTION_FIELDS)
TROUPE_MESSAGE_EMPTY(planted_ask_go)
TROUPE_MESSAGE_EMPTY(planted_noise)

struct open_ask {
    uint64_t value; /* 0: none */
    uint64_t begun_ns;
    bool is_long;
    bool is_hermit;
};

struct client {
    struct open_ask asks[ASKS_MAX];
};

struct server {
    uint32_t index;
    uint32_t kept_count;
    troupe_asker kept[KEPT_MAX];
    uint64_t values[KEPT_MAX];
};

static troupe_ref clients[CLIENTS];
static troupe_ref servers[SERVERS];
static troupe_ref hermits[HERMITS];
static uint64_t values;
static uint64_t begun;
static uint64_t ended;

static troupe_status on_answer(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct open_ask *ask = context;
    uint64_t age_ms = (troupe_now_ns(self) - ask->begun_ns) / NS_PER_MS;
    MUST(ask->value != 0, "ask", "an ask has ended twice");
    if (status == TROUPE_OK) {
        const planted_answer *answer = planted_answer_of(reply);
        MUST(answer != NULL && answer->value == ask->value, "answer", "question %llu has another's answer",
             (unsigned long long)ask->value);
    }
    if (ask->is_hermit)
        MUST(status == TROUPE_NO_ACTOR, "stash", "asked who ended, told %s after %llu ms",
             troupe_status_name(status), (unsigned long long)age_ms);
    else if (ask->is_long)
        MUST(status == TROUPE_OK, "ask", "an ask ended with %s after %llu ms", troupe_status_name(status),
             (unsigned long long)age_ms);
    else
        MUST(status == TROUPE_OK || status == TROUPE_TIMEOUT, "ask", "a short ask ended with %s",
             troupe_status_name(status));
    *ask = (struct open_ask){0};
    ended++;
    return TROUPE_OK;
}

static void ask_one(troupe_self *self, struct open_ask *ask)
{
    bool is_hermit = draw_in(self, 4) == 0;
    troupe_ref whom = is_hermit ? hermits[draw_in(self, HERMITS)] : servers[draw_in(self, SERVERS)];
    bool is_long = is_hermit || draw_in(self, 2) == 0;
    *ask = (struct open_ask){
        .value = ++values, .begun_ns = troupe_now_ns(self), .is_long = is_long, .is_hermit = is_hermit};
    troupe_status status = troupe_ask(self, whom, is_long ? ASK_LONG_MS : SHORT_MS, on_answer, ask,
                                      planted_question, .value = ask->value);
    begun += status == TROUPE_OK;
    if (status != TROUPE_OK)
        *ask = (struct open_ask){0};
}

static troupe_status client_receive(troupe_self *self, const troupe_message *message)
{
    struct client *client = troupe_state(self);
    if (planted_noise_of(message) != NULL)
        return TROUPE_OK;
    if (planted_ask_go_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    for (uint32_t i = 0; i < ASKS_MAX; i++)
        if (client->asks[i].value == 0)
            ask_one(self, &client->asks[i]);
    return TROUPE_OK;
}

static troupe_status answer_kept(troupe_self *self, struct server *server)
{
    for (uint32_t i = 0; i < server->kept_count; i++)
        (void)troupe_reply(self, server->kept[i], planted_answer, .value = server->values[i]);
    server->kept_count = 0;
    troupe_unstash(self);
    return TROUPE_OK;
}

static troupe_status server_receive(troupe_self *self, const troupe_message *message)
{
    struct server *server = troupe_state(self);
    const planted_question *question = planted_question_of(message);
    if (troupe_timeout_of(message) != NULL)
        return answer_kept(self, server);
    if (question == NULL)
        return TROUPE_UNEXPECTED;
    uint32_t what = draw_in(self, 6);
    if (what == 0 && server->kept_count < KEPT_MAX) {
        server->kept[server->kept_count] = troupe_asker_of(message);
        server->values[server->kept_count++] = question->value;
        return troupe_timer_start(self, draw_in(self, LATER_MS), 0, 0, NULL);
    }
    if (what == 1 && troupe_forward(self, servers[1 - server->index], message) == TROUPE_OK)
        return TROUPE_OK;
    if (what == 2 && troupe_timer_start(self, draw_in(self, LATER_MS), 0, 0, NULL) == TROUPE_OK)
        return TROUPE_STASHED;
    uint32_t noises = draw_in(self, 4);
    for (uint32_t i = 0; i < noises; i++) /* so that the reply finds a full mailbox */
        (void)troupe_send(self, troupe_asker_of(message).ref, planted_noise);
    return troupe_reply(self, troupe_asker_of(message), planted_answer, .value = question->value);
}

static troupe_status hermit_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    return planted_question_of(message) != NULL ? TROUPE_STASHED : TROUPE_UNEXPECTED;
}

static const troupe_behaviour client = {
    .name = "client", .state_size = sizeof(struct client), .receive = client_receive};
static const troupe_behaviour server = {
    .name = "server", .state_size = sizeof(struct server), .receive = server_receive};
static const troupe_behaviour hermit = {.name = "hermit", .receive = hermit_receive};

static void begin(void)
{
    values = begun = ended = 0;
    for (uint32_t i = 0; i < SERVERS; i++) {
        const struct server state = {.index = i};
        servers[i] = troupe_spawn(world.system, &server, &(troupe_spawn_options){.state = &state});
    }
    for (uint32_t i = 0; i < CLIENTS; i++)
        clients[i] = troupe_spawn(world.system, &client, &(troupe_spawn_options){.mailbox_len_max = 2});
    for (uint32_t i = 0; i < HERMITS; i++)
        hermits[i] = troupe_spawn(world.system, &hermit, NULL);
}

static void act(uint32_t round)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)troupe_send(world.system, clients[i], planted_ask_go);
        for (uint32_t n = draw(3); n > 0; n--)
            (void)troupe_send(world.system, clients[i], planted_noise);
    }
    if (round == ROUNDS / 2)
        troupe_shutdown(world.system, hermits[0], TROUPE_SHUTDOWN);
    if (round == ROUNDS - 1)
        troupe_shutdown(world.system, hermits[1], TROUPE_KILLED);
}

static void check(void)
{
    MUST(begun == ended, "ask", "%llu asks have begun, %llu have ended", (unsigned long long)begun,
         (unsigned long long)ended);
}

static void end(void)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        troupe_shutdown(world.system, clients[i], TROUPE_SHUTDOWN);
    for (uint32_t i = 0; i < SERVERS; i++)
        troupe_shutdown(world.system, servers[i], TROUPE_SHUTDOWN);
}

const struct scene scene_asks = {.name = "asks", .begin = begin, .act = act, .check = check, .end = end};

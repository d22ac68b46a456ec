/* SPDX-License-Identifier: MIT */
/*
 * roles.c: how many messages the roles of an organisation work off: send, next and done through the role
 * actors, the journal's writer and its memory driver, as a server does it under its HTTP interface.
 *
 *   roles [--n N] [--actors N] [--workers N] [--only told|untold]
 *
 *   client --role_send--> role, accepted    --role_next--> role, held    --role_about--> role, done
 *     ^  each is asked when the one before was answered; answers come when their records are committed    |
 *     +------------------------- LANES of these are under way in each client ------------------------------+
 *
 *   role --role_deliver--> the sender's own role, --role_delivered--> role: the final notice, once
 *
 * A cycle is one message: sent and accepted (202 and the receipt), taken (its whole text as JSON), done with
 * a reply (200). Two lines are printed:
 *
 *   told     the sender has a role: the final notice is delivered into it, acknowledged, and both are in the
 *            journal. Six records a cycle; the notices stay queued there. The time ends when the last one is
 *            acknowledged.
 *   untold   the sender has no role, so nobody is told: three records a cycle
 *
 * N messages (--n), to --actors roles, from as many clients. What is checked: every answer, by its kind, id
 * and state; at the end each role's own audit, what was accepted, done, owed and told; and the journal, which
 * is counted record by record.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <troupe.h>

#include "journal/journal.h"
#include "journal/writer.h"
#include "org/events.h"
#include "org/id.h"
#include "server/ids.h"
#include "server/messages.h"
#include "server/role_actor.h"

enum {
    LANES = 64, /* messages under way in each client */
    ROLES_MAX = 256,
    TIMEOUT_MS = 600000,
};

static struct ids ids;
static uint32_t role_count = 4;
static uint32_t worker_count;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "roles: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- the house: journal, writer, and who is told of loads --- */

struct house {
    struct journal *journal;
    troupe_system *system;
};

/* What the directory knows of the roles; the main thread waits until it says that all has come to rest. */
static uint64_t done_of[ROLES_MAX];
static uint64_t owed_of[ROLES_MAX];

static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const role_load *load = role_load_of(message);
    if (load == NULL)
        return TROUPE_UNEXPECTED;
    const char *name = troupe_text(message, load->role);
    if (name[0] == '@')
        return TROUPE_OK;
    uint32_t index = (uint32_t)strtoul(strchr(name, '-') + 1, NULL, 10);
    must(index < ROLES_MAX, "a role has another name");
    /* Relaxed: the main thread waits for both to be final, and looks at nothing else. */
    __atomic_store_n(&owed_of[index], load->owed, __ATOMIC_RELAXED);
    __atomic_store_n(&done_of[index], load->done, __ATOMIC_RELAXED);
    return TROUPE_OK;
}

static void open_house(struct house *house)
{
    static const troupe_behaviour listener = {.name = "listener", .receive = listener_receive};
    troupe_options options = {.workers = worker_count};
    must(journal_open(&journal_memory, "", &house->journal, NULL) == TROUPE_OK, "the journal does not open");
    must(troupe_start(&house->system, &options) == TROUPE_OK, "the system does not start");
    struct journal_writer_state state = {.journal = house->journal};
    troupe_spawn_options writer = journal_writer_options(&state);
    writer.name = NAME_JOURNAL;
    must(!troupe_ref_is_none(troupe_spawn(house->system, &journal_writer, &writer)), "no writer");
    troupe_spawn_options told = {.name = NAME_DIRECTORY, .mailbox_len_max = 1u << 20};
    must(!troupe_ref_is_none(troupe_spawn(house->system, &listener, &told)), "no listener");
}

#define CALL(house, to, ret_reply, ...)                                                                      \
    must(troupe_call((house)->system, (to), TIMEOUT_MS, (ret_reply), __VA_ARGS__) == TROUPE_OK, "no answer")

/* A role with one holder, a program that may hold all that is under way. */
static void open_role(struct house *house, const char *name, const char *holder, uint64_t seed)
{
    troupe_message *reply = NULL;
    struct role_actor role = {.ids = &ids};
    snprintf(role.name, sizeof(role.name), "%s", name);
    troupe_spawn_options options = {.state = &role,
                                    .name = role.name,
                                    .mailbox_len_max = ROLE_MAILBOX_LEN_MAX,
                                    .mailbox_bytes_max = ROLE_MAILBOX_BYTES_MAX};
    troupe_ref ref = troupe_spawn(house->system, &role_behaviour, &options);
    must(!troupe_ref_is_none(ref), "a role is not spawned");
    CALL(house, ref, &reply, role_configure, .actor = "admin", .holders = holder, .holder_kind = ORG_PROGRAM,
         .capacity = LANES * ROLES_MAX, .seed = {seed, 1});
    const answered *answer = answered_of(reply);
    must(answer != NULL && answer->status == 200, "a role cannot be set up");
    troupe_message_free(house->system, &reply);
}

static void name_role(uint32_t index, char ret_name[32])
{
    snprintf(ret_name, 32, "team/role-%" PRIu32, index);
}

static void name_sender(uint32_t index, char ret_name[32])
{
    snprintf(ret_name, 32, "@client-%" PRIu32, index);
}

/* --- clients --- */

/* Sends a message to one role after the other, and works off one there. */
struct lane {
    struct client *client;
    uint32_t role;
    uint64_t id; /* of what was sent, then of what was taken */
};

struct client {
    uint32_t index;
    bool is_told; /* has a role of its own */
    uint64_t left;
    uint32_t lanes;
    char sender[32];
    struct lane lane[LANES];
};

static uint32_t clients_left;
static char role_names[ROLES_MAX][32];

static troupe_status lane_send(troupe_self *self, struct lane *lane);

/* Whether the JSON begins with this message, in this role, and that state. */
static bool says(troupe_bytes json, uint64_t id, uint32_t role, const char *state)
{
    static const char begin[] = "{\"id\":\"";
    static const char middle[] = "\",\"role\":\"";
    const char *at = json.data;
    char text[ORG_ID_TEXT_LEN + 1];
    size_t role_len = strlen(role_names[role]);
    size_t state_len = strlen(state);
    org_id_text(id, text);
    if (json.size < strlen(begin) + ORG_ID_TEXT_LEN + strlen(middle) + role_len + state_len)
        return false;
    return memcmp(at, begin, strlen(begin)) == 0 && memcmp(at += strlen(begin), text, ORG_ID_TEXT_LEN) == 0 &&
           memcmp(at += ORG_ID_TEXT_LEN, middle, strlen(middle)) == 0 &&
           memcmp(at += strlen(middle), role_names[role], role_len) == 0 &&
           memcmp(at += role_len, state, state_len) == 0;
}

static troupe_status on_done(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct lane *lane = context;
    const answered *done = status == TROUPE_OK ? answered_of(reply) : NULL;
    must(done != NULL && done->status == 200 &&
             says(troupe_bytes_of(reply, done->json), lane->id, lane->role, "\",\"state\":\"done\""),
         "a message is not done");
    return lane_send(self, lane);
}

static troupe_status on_took(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct lane *lane = context;
    const role_took *took = status == TROUPE_OK ? role_took_of(reply) : NULL;
    must(took != NULL && took->kind == ORG_ANSWER_TAKEN &&
             says(troupe_bytes_of(reply, took->json), took->id, lane->role, "\",\"state\":\"held\""),
         "a message is not taken");
    lane->id = took->id;
    return troupe_ask(self, troupe_whereis(self, role_names[lane->role]), TIMEOUT_MS, on_done, lane,
                      role_about, .id = lane->id, .command = ORG_FINISH, .actor = "worker",
                      .text = "It was the second valve; replaced and tested.");
}

static troupe_status on_sent(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct lane *lane = context;
    const answered *sent = status == TROUPE_OK ? answered_of(reply) : NULL;
    must(sent != NULL && sent->status == 202 &&
             says(troupe_bytes_of(reply, sent->json), lane->id, lane->role, "\",\"state\":\"accepted\""),
         "a message is not accepted");
    return troupe_ask(self, troupe_whereis(self, role_names[lane->role]), TIMEOUT_MS, on_took, lane,
                      role_next, .actor = "worker", .wip_limit = LANES * ROLES_MAX);
}

static troupe_status lane_send(troupe_self *self, struct lane *lane)
{
    static const char body[] =
        "What is written here is about as long as a short message between people: it says "
        "what happened, where, and what should be done about it, and no more than that.";
    struct client *client = lane->client;
    if (client->left == 0) {
        if (--client->lanes == 0) {
            /* Release: what this client saw is before what the main thread does then. */
            __atomic_sub_fetch(&clients_left, 1, __ATOMIC_RELEASE);
            troupe_exit(self);
        }
        return TROUPE_OK;
    }
    client->left--;
    lane->role = (lane->role + 1) % role_count;
    lane->id = ids_next(&ids, troupe_unix_ms(self));
    return troupe_ask(self, troupe_whereis(self, role_names[lane->role]), TIMEOUT_MS, on_sent, lane,
                      role_send, .id = lane->id, .actor = "eve",
                      .sender = client->is_told ? client->sender : "", .subject = "a subject",
                      .message_class = ORG_NORMAL, .body = body);
}

static troupe_status client_start(troupe_self *self)
{
    struct client *client = *(struct client **)troupe_state(self);
    troupe_status status = TROUPE_OK;
    client->lanes = LANES;
    for (uint32_t i = 0; i < LANES && status == TROUPE_OK; i++) {
        client->lane[i] = (struct lane){.client = client, .role = client->index + i};
        status = lane_send(self, &client->lane[i]);
    }
    return status;
}

static troupe_status client_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

/* --- what is there at the end --- */

static void audit(struct house *house, const char *name, role_audited *ret_audited)
{
    troupe_message *reply = NULL;
    CALL(house, troupe_whereis(house->system, name), &reply, role_audit);
    const role_audited *audited = role_audited_of(reply);
    must(audited != NULL && audited->is_sound, "a role is not sound");
    *ret_audited = *audited;
    troupe_message_free(house->system, &reply);
}

/* Each role by its own audit: all that was sent is done, and who sent it was told once. */
static void check_roles(struct house *house, uint64_t n, bool is_told)
{
    uint64_t done = 0;
    uint64_t told = 0;
    role_audited audited;
    for (uint32_t i = 0; i < role_count; i++) {
        char sender[32];
        audit(house, role_names[i], &audited);
        must(audited.accepted == audited.done && audited.owed == 0, "a message is not done");
        done += audited.done;
        name_sender(i, sender);
        if (!is_told)
            continue;
        audit(house, sender, &audited);
        must(audited.accepted == audited.queued && audited.owed == 0, "a notice is not there");
        told += audited.accepted;
    }
    must(done == n, "a message is missing");
    must(told == (is_told ? n : 0), "a notice is missing");
}

/* What the records are. */
struct tally {
    uint64_t accepted, taken, done, sent, delivered, others;
};

static troupe_status tally_entry(void *context, const struct journal_entry *entry)
{
    struct tally *tally = context;
    uint32_t type = entry->record.type;
    uint64_t *counter = type == org_accepted_type.id    ? &tally->accepted
                        : type == org_taken_type.id     ? &tally->taken
                        : type == org_done_type.id      ? &tally->done
                        : type == org_sent_type.id      ? &tally->sent
                        : type == org_delivered_type.id ? &tally->delivered
                                                        : &tally->others;
    (*counter)++;
    return TROUPE_OK;
}

static void tally_stream(struct house *house, const char *name, struct tally *tally)
{
    char stream[64];
    size_t len = (size_t)snprintf(stream, sizeof(stream), "role/%s", name);
    must(journal_scan(house->journal, stream, len, 0, tally_entry, tally) == TROUPE_OK,
         "the journal cannot be read");
}

static void check_journal(struct house *house, uint64_t n, bool is_told)
{
    struct tally tally = {0};
    struct tally notices = {0};
    for (uint32_t i = 0; i < role_count; i++) {
        char sender[32];
        tally_stream(house, role_names[i], &tally);
        name_sender(i, sender);
        tally_stream(house, sender, &notices);
    }
    must(tally.accepted == n && tally.taken == n && tally.done == n, "events are missing in the journal");
    must(tally.sent == (is_told ? n : 0) && tally.delivered == tally.sent && notices.accepted == tally.sent,
         "notices are missing in the journal");
}

/* --- measuring --- */

static bool is_at_rest(uint64_t n)
{
    uint64_t done = 0;
    uint64_t owed = 0;
    for (uint32_t i = 0; i < role_count; i++) {
        done += __atomic_load_n(&done_of[i], __ATOMIC_RELAXED);
        owed += __atomic_load_n(&owed_of[i], __ATOMIC_RELAXED);
    }
    return done == n && owed == 0;
}

static double work_off(struct house *house, struct client *clients, uint64_t n, bool is_told)
{
    static const troupe_behaviour behaviour = {.name = "client",
                                               .state_size = sizeof(struct client *),
                                               .start = client_start,
                                               .receive = client_receive};
    clients_left = role_count;
    double begun = now();
    for (uint32_t i = 0; i < role_count; i++) {
        struct client *client = &clients[i];
        *client =
            (struct client){.index = i, .is_told = is_told, .left = n / role_count + (i < n % role_count)};
        name_sender(i, client->sender);
        troupe_spawn_options options = {.state = &client};
        must(!troupe_ref_is_none(troupe_spawn(house->system, &behaviour, &options)), "no client");
    }
    while (__atomic_load_n(&clients_left, __ATOMIC_ACQUIRE) > 0 || !is_at_rest(n))
        usleep(1000);
    return now() - begun;
}

static void measure(uint64_t n, bool is_told)
{
    struct house house;
    struct client *clients = calloc(role_count, sizeof(*clients));
    must(clients != NULL, "out of memory");
    memset(done_of, 0, sizeof(done_of));
    memset(owed_of, 0, sizeof(owed_of));
    open_house(&house);
    for (uint32_t i = 0; i < role_count; i++) {
        char sender[32];
        name_role(i, role_names[i]);
        open_role(&house, role_names[i], "worker", 2 * i + 1);
        name_sender(i, sender);
        if (is_told)
            open_role(&house, sender, sender + 1, 2 * i + 2);
    }
    double seconds = work_off(&house, clients, n, is_told);
    check_roles(&house, n, is_told);
    must(troupe_stop(&house.system) == 0, "an actor failed");
    check_journal(&house, n, is_told);
    must(journal_close(&house.journal) == TROUPE_OK, "the journal does not close");
    free(clients);
    printf("{\"kernel\": \"roles\", \"what\": \"%s\", \"workers\": %" PRIu32 ", \"n\": %" PRIu64
           ", \"actors\": %" PRIu32 ", \"seconds\": %.4f, \"rate\": %.0f, \"unit\": \"cycles/s\", "
           "\"checked\": true}\n",
           is_told ? "told" : "untold", worker_count, n, role_count, seconds, (double)n / seconds);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint64_t n = 300000;
    const char *only = "";
    for (int i = 1; i < argc; i += 2) {
        must(i + 1 < argc, "each option has a value");
        if (strcmp(argv[i], "--n") == 0)
            n = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--actors") == 0)
            role_count = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--workers") == 0)
            worker_count = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        else
            must(false, "usage: roles [--n N] [--actors N] [--workers N] [--only told|untold]");
    }
    must(n >= 1 && role_count >= 1 && role_count <= ROLES_MAX, "--n is at least 1, --actors 1 to 256");
    if (strcmp(only, "untold") != 0)
        measure(n, true);
    if (strcmp(only, "told") != 0)
        measure(n, false);
    return 0;
}

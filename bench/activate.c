/* SPDX-License-Identifier: MIT */
/*
 * activate.c: how long it takes to wake a role: its actor is spawned, reads its snapshot and what came after
 * it from the journal's file through the writer, folds, and answers its first question.
 *
 *   activate [--n N] [--actors N] [--dir DIR]
 *
 * N roles (--actors) of N events (--n) each, made by their own actors beforehand, so their snapshots are
 * where a server leaves them. Prints one JSON object a line: roles that are woken one after the other, and
 * all at once;
 *
 *   lost     they were awake when the server ended, so records lie behind their snapshots
 *   asleep   they had fallen asleep, as nearly all roles of an organisation are, and left one then
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
#include "server/ids.h"
#include "server/messages.h"
#include "server/role_actor.h"

enum {
    EVENTS_PER_MESSAGE = 3, /* accepted, taken, done */
    TIMEOUT_MS = 600000,
    ROLES_MAX = 100000,
};

static char path[4096];
static struct ids ids;
static uint32_t asleep_count; /* roles that have said that they fall asleep */

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "activate: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void remove_files(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", "-journal"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char name[sizeof(path) + 16];
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

/* --- a system on the file --- */

struct house {
    struct journal *journal;
    troupe_system *system;
};

/* What a directory is to a role here: somebody who hears of its load. */
static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const role_load *load = role_load_of(message);
    if (load != NULL && load->is_asleep) /* release: what it left behind is on its way to the journal */
        __atomic_add_fetch(&asleep_count, 1, __ATOMIC_RELEASE);
    return load != NULL ? TROUPE_OK : TROUPE_UNEXPECTED;
}

static void open_house(struct house *house)
{
    static const troupe_behaviour listener = {.name = "listener", .receive = listener_receive};
    must(journal_open(&journal_sqlite, path, &house->journal, NULL) == TROUPE_OK,
         "the journal does not open");
    must(troupe_start(&house->system, NULL) == TROUPE_OK, "the system does not start");
    struct journal_writer_state state = {.journal = house->journal};
    troupe_spawn_options options = journal_writer_options(&state);
    options.name = NAME_JOURNAL;
    must(!troupe_ref_is_none(troupe_spawn(house->system, &journal_writer, &options)), "no writer");
    troupe_spawn_options told = {.name = NAME_DIRECTORY, .mailbox_len_max = 1u << 20};
    must(!troupe_ref_is_none(troupe_spawn(house->system, &listener, &told)), "no listener");
}

static void close_house(struct house *house)
{
    troupe_stop(&house->system);
    must(journal_close(&house->journal) == TROUPE_OK, "the journal does not close");
}

static troupe_ref wake(struct house *house, uint32_t index)
{
    struct role_actor role = {.ids = &ids};
    snprintf(role.name, sizeof(role.name), "team-%u/role-%u", index % 40, index);
    troupe_spawn_options options = {.state = &role,
                                    .name = role.name,
                                    .mailbox_len_max = ROLE_MAILBOX_LEN_MAX,
                                    .mailbox_bytes_max = ROLE_MAILBOX_BYTES_MAX};
    troupe_ref ref = troupe_spawn(house->system, &role_behaviour, &options);
    must(!troupe_ref_is_none(ref), "a role is not spawned");
    return ref;
}

#define CALL(house, to, ret_reply, ...)                                                                      \
    must(troupe_call((house)->system, (to), TIMEOUT_MS, (ret_reply), __VA_ARGS__) == TROUPE_OK, "no answer")

/* The first question, the cheapest there is. */
static void ask_first(struct house *house, troupe_ref role)
{
    troupe_message *reply = NULL;
    CALL(house, role, &reply, role_where, .id = 1);
    must(role_knows_of(reply) != NULL, "a role does not answer");
    troupe_message_free(house->system, &reply);
}

static uint64_t accepted_of(struct house *house, troupe_ref role)
{
    troupe_message *reply = NULL;
    CALL(house, role, &reply, role_audit);
    const role_audited *audited = role_audited_of(reply);
    must(audited != NULL && audited->is_sound, "a role is not sound");
    uint64_t accepted = audited->accepted;
    troupe_message_free(house->system, &reply);
    return accepted;
}

/* --- filling --- */

/* Sends, takes and finishes one message after the other; what is in the middle of it is what is counted. */
struct filler {
    uint64_t left;
    troupe_ref role;
    uint32_t step;
    uint64_t id;
};

static uint32_t fillers_left;

static troupe_status fill_on(troupe_self *self, struct filler *filler);

static troupe_status on_step(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct filler *filler = context;
    must(status == TROUPE_OK && denied_of(reply) == NULL, "a role refuses");
    const role_took *took = role_took_of(reply);
    if (took != NULL)
        filler->id = took->id;
    filler->step++;
    if (--filler->left > 0)
        return fill_on(self, filler);
    __atomic_sub_fetch(&fillers_left, 1, __ATOMIC_RELEASE);
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status fill_on(troupe_self *self, struct filler *filler)
{
    static const char body[] =
        "What is written here is about as long as a short message between people: it says "
        "what happened, where, and what should be done about it, and no more than that.";
    if (filler->step % EVENTS_PER_MESSAGE == 0)
        return troupe_ask(self, filler->role, TIMEOUT_MS, on_step, filler, role_send,
                          .id = ids_next(&ids, troupe_unix_ms(self)), .actor = "eve", .subject = "a subject",
                          .message_class = 1, .body = body, .key = "");
    if (filler->step % EVENTS_PER_MESSAGE == 1)
        return troupe_ask(self, filler->role, TIMEOUT_MS, on_step, filler, role_next, .actor = "ann",
                          .wip_limit = 1);
    return troupe_ask(self, filler->role, TIMEOUT_MS, on_step, filler, role_about, .id = filler->id,
                      .command = ORG_FINISH, .actor = "ann");
}

static troupe_status filler_start(troupe_self *self)
{
    return fill_on(self, *(struct filler **)troupe_state(self));
}

static troupe_status filler_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void fill(uint32_t roles, uint64_t events)
{
    static const troupe_behaviour behaviour = {.name = "filler",
                                               .state_size = sizeof(struct filler *),
                                               .start = filler_start,
                                               .receive = filler_receive};
    struct house house;
    struct filler *fillers = calloc(roles, sizeof(*fillers));
    must(fillers != NULL, "out of memory");
    open_house(&house);
    fillers_left = roles;
    for (uint32_t i = 0; i < roles; i++) {
        troupe_message *reply = NULL;
        struct filler *filler = &fillers[i];
        *filler = (struct filler){.left = events - 2, .role = wake(&house, i)}; /* opened, configured */
        CALL(&house, filler->role, &reply, role_configure, .actor = "admin", .holders = "ann\nbob",
             .seed = {i, 1});
        must(denied_of(reply) == NULL, "a role cannot be set up");
        troupe_message_free(house.system, &reply);
        troupe_spawn_options options = {.state = &filler};
        must(!troupe_ref_is_none(troupe_spawn(house.system, &behaviour, &options)), "no filler");
    }
    while (__atomic_load_n(&fillers_left, __ATOMIC_ACQUIRE) > 0)
        usleep(1000);
    close_house(&house);
    free(fillers);
}

/* --- waking --- */

static void report(const char *what, uint32_t roles, uint64_t events, double seconds)
{
    printf("{\"kernel\": \"activate\", \"what\": \"%s\", \"n\": %" PRIu64 ", \"actors\": %" PRIu32
           ", \"seconds\": %.4f, \"rate\": %.1f, \"unit\": \"us a role\", \"checked\": true}\n",
           what, events, roles, seconds, seconds * 1e6 / roles);
    fflush(stdout);
}

/* After the time was taken: does each role have everything? */
static void check_all(struct house *house, const troupe_ref *refs, uint32_t roles, uint64_t events)
{
    uint64_t expected = (events - 2 + EVENTS_PER_MESSAGE - 1) / EVENTS_PER_MESSAGE;
    for (uint32_t i = 0; i < roles; i++)
        must(accepted_of(house, refs[i]) == expected, "messages are missing");
}

static void measure(const char *what, bool is_together, uint32_t roles, uint64_t events)
{
    struct house house;
    troupe_ref *refs = calloc(roles, sizeof(*refs));
    must(refs != NULL, "out of memory");
    open_house(&house);
    double begun = now();
    for (uint32_t i = 0; i < roles; i++) {
        refs[i] = wake(&house, i);
        if (!is_together)
            ask_first(&house, refs[i]);
    }
    for (uint32_t i = 0; i < roles && is_together; i++)
        ask_first(&house, refs[i]);
    double seconds = now() - begun;
    check_all(&house, refs, roles, events);
    close_house(&house);
    free(refs);
    report(what, roles, events, seconds);
}

/* Wakes all roles and lets them fall asleep again. */
static void put_to_sleep(uint32_t roles)
{
    struct house house;
    ids.role_idle_ms = 1;
    open_house(&house);
    for (uint32_t i = 0; i < roles; i++)
        wake(&house, i);
    while (__atomic_load_n(&asleep_count, __ATOMIC_ACQUIRE) < roles)
        usleep(1000);
    close_house(&house);
    ids.role_idle_ms = 0;
}

int main(int argc, char **argv)
{
    uint64_t events = 1000;
    uint32_t roles = 200;
    const char *folder = ".";
    for (int i = 1; i < argc; i += 2) {
        must(i + 1 < argc, "each option has a value");
        if (strcmp(argv[i], "--n") == 0)
            events = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--actors") == 0)
            roles = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0)
            folder = argv[i + 1];
        else
            must(false, "usage: activate [--n N] [--actors N] [--dir DIR]");
    }
    must(events >= 10 && roles >= 1 && roles <= ROLES_MAX, "--n is at least 10, --actors 1 to 100000");
    must((size_t)snprintf(path, sizeof(path), "%s/bench-activate-%ld.db", folder, (long)getpid()) <
             sizeof(path) - 16,
         "--dir is too long");
    remove_files();
    fill(roles, events);
    measure("lost one by one", false, roles, events);
    measure("lost together", true, roles, events);
    put_to_sleep(roles);
    measure("asleep one by one", false, roles, events);
    measure("asleep together", true, roles, events);
    remove_files();
    return 0;
}

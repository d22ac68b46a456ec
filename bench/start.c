/* SPDX-License-Identifier: MIT */
/*
 * start.c: how long a server takes from its exec until it serves, on a file with many roles and events.
 *
 *   start [--actors ROLES] [--n EVENTS] [--dir DIR] [--program TROUPE] [--keep yes]
 *
 * makes a data folder in DIR with that many roles and that many events over all of them, valid ones, decided
 * by the organisation's own rules (messages that are sent, taken and finished, one in ten still waiting),
 * starts the program on it three times, and prints one JSON object with the best time and the memory it took.
 * With --keep the folder stays, for other measurements.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "journal/journal.h"
#include "org/directory.h"
#include "org/id.h"
#include "org/role.h"
#include "server/role_cards.h"
#include "server/role_summary.h"

enum { HOLDERS = 200, STARTS = 3, PATH_SIZE = 2048, ROLES_A_TRANSACTION = 50, ORGANISATION_PIECE = 1 << 20 };

static const int64_t start_ms = 1700000000000;
static char folder[PATH_SIZE];
static uint64_t last_id;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "start: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- filling ---------------------------------------------------------------------------------- */

struct filler {
    struct journal *journal;
    struct org_directory *directory;
    struct record_batch batch;
    struct role_cards cards;
    uint64_t organisation_seq;
    uint64_t events;
};

static void role_name(uint32_t index, char name[64])
{
    snprintf(name, 64, "role-%" PRIu32, index);
}

static void append(struct filler *filler, const char *stream, uint64_t *seq)
{
    if (filler->batch.count == 0)
        return;
    filler->events += filler->batch.count;
    must(journal_stage(filler->journal, stream, strlen(stream), *seq, filler->batch.bytes.bytes,
                       filler->batch.bytes.size, seq) == TROUPE_OK,
         journal_error(filler->journal));
    record_batch_clear(&filler->batch);
}

static void commit(struct filler *filler)
{
    must(journal_commit(filler->journal) == TROUPE_OK, journal_error(filler->journal));
    must(journal_upkeep(filler->journal) == TROUPE_OK, journal_error(filler->journal));
}

static void direct(struct filler *filler, const struct org_directory_command *command)
{
    struct org_directory_answer answer;
    size_t before = filler->batch.bytes.size;
    must(org_directory_decide(filler->directory, command, start_ms, &filler->batch, &answer) == TROUPE_OK,
         "the organisation cannot be made");
    must(answer.refusal == ORG_DIRECTORY_NOT_REFUSED, "the organisation refuses");
    org_directory_fold_batch(filler->directory, &filler->batch, before);
    if (filler->batch.bytes.size > ORGANISATION_PIECE)
        append(filler, "organisation", &filler->organisation_seq);
}

static void fill_organisation(struct filler *filler, uint32_t roles)
{
    char name[64];
    must(journal_begin(filler->journal) == TROUPE_OK, "no transaction");
    for (uint32_t i = 0; i < HOLDERS; i++) {
        snprintf(name, sizeof name, "holder-%" PRIu32, i);
        direct(filler, &(struct org_directory_command){.kind = ORG_SET_ACTOR,
                                                       .who = {.actor = "holder-0"},
                                                       .actor = {.name = name, .is_administrator = i == 0}});
    }
    for (uint32_t i = 0; i < roles; i++) {
        char holder[64];
        const char *holders[] = {holder};
        role_name(i, name);
        snprintf(holder, sizeof holder, "holder-%" PRIu32, i % HOLDERS);
        direct(filler, &(struct org_directory_command){.kind = ORG_SET_ROLE,
                                                       .who = {.actor = "holder-0"},
                                                       .role = {.name = name,
                                                                .holders = holders,
                                                                .holder_count = 1,
                                                                .capacity = 100000,
                                                                .is_team = i == 0}});
    }
    append(filler, "organisation", &filler->organisation_seq);
    commit(filler);
}

static struct org_answer decide(struct filler *filler, struct org_role *role,
                                const struct org_command *command)
{
    struct org_answer answer;
    size_t before = filler->batch.bytes.size;
    must(org_role_decide(role, command, start_ms, &filler->batch, &answer) == TROUPE_OK, "no memory");
    must(answer.kind != ORG_ANSWER_REFUSED, org_refusal_text(answer.refusal));
    org_role_fold_batch(role, &filler->batch, before);
    return answer;
}

static void live(struct filler *filler, struct org_role *role, const char *holder, uint64_t events)
{
    static const char body[] = "What is written here is about as long as a short message between people: it "
                               "says what happened, where, and what should be done about it.";
    for (uint64_t message = 1; filler->batch.count + 3 <= events; message++) {
        last_id = org_id_next(last_id, start_ms, 0);
        decide(
            filler, role,
            &(struct org_command){
                .kind = ORG_SEND,
                .who = {.actor = "holder-1"},
                .send = {.id = last_id, .message_class = ORG_NORMAL, .subject = "a subject", .body = body}});
        if (message % 10 == 0)
            continue;
        struct org_answer taken = decide(
            filler, role,
            &(struct org_command){.kind = ORG_NEXT, .who = {.actor = holder}, .next = {.wip_limit = 1}});
        decide(
            filler, role,
            &(struct org_command){.kind = ORG_FINISH, .who = {.actor = holder}, .about = {.id = taken.id}});
    }
}

static void keep(struct filler *filler, struct org_role *role, const char *stream, uint64_t seq)
{
    struct buffer summary = {0};
    struct buffer state = {0};
    uint64_t unused;
    role_load_fields fields = role_summary_of(role, last_id);
    fields.is_asleep = true;
    must(role_summary_write(&fields, &summary) == TROUPE_OK && org_role_save(role, &state) == TROUPE_OK &&
             journal_keep(filler->journal, JOURNAL_SUMMARY, stream, strlen(stream), seq, summary.bytes,
                          summary.size, &unused) == TROUPE_OK &&
             journal_keep(filler->journal, JOURNAL_SNAPSHOT, stream, strlen(stream), seq, state.bytes,
                          state.size, &unused) == TROUPE_OK,
         "a role's state cannot be kept");
    buffer_done(&summary);
    buffer_done(&state);
}

static void fill_role(struct filler *filler, uint32_t index, uint64_t events)
{
    char name[64];
    char stream[80];
    const char *holders[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    struct org_role *role = NULL;
    uint64_t seq = 0;
    role_name(index, name);
    snprintf(stream, sizeof stream, "role/%s", name);
    must(org_role_new(name, &role) == TROUPE_OK &&
             org_directory_configure(filler->directory, name, holders, &configure),
         "a role cannot be made");
    configure.seed[0] = index;
    decide(
        filler, role,
        &(struct org_command){.kind = ORG_CONFIGURE, .who = {.actor = "holder-0"}, .configure = configure});
    live(filler, role, configure.holders[0], events);
    must(role_cards_make(&filler->cards, filler->batch.bytes.bytes, filler->batch.bytes.size) == TROUPE_OK,
         "no memory");
    append(filler, stream, &seq);
    must(journal_put(filler->journal, JOURNAL_CARDS, stream, strlen(stream), filler->cards.cards.bytes.bytes,
                     filler->cards.cards.bytes.size) == TROUPE_OK,
         journal_error(filler->journal));
    keep(filler, role, stream, seq);
    org_role_free(role);
}

static uint64_t fill(uint32_t roles, uint64_t events)
{
    struct filler filler = {0};
    struct hash_key key = {{1, 2}};
    char path[PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/troupe.db", folder);
    must(mkdir(folder, 0700) == 0, "the folder is there already, or cannot be made");
    must(journal_open(&journal_sqlite, path, &filler.journal, NULL) == TROUPE_OK, "no journal");
    must(org_directory_new(&key, &filler.directory) == TROUPE_OK, "no memory");
    fill_organisation(&filler, roles);
    for (uint32_t i = 0; i < roles; i++) {
        if (i % ROLES_A_TRANSACTION == 0)
            must(journal_begin(filler.journal) == TROUPE_OK, "no transaction");
        fill_role(&filler, i, events / roles);
        if ((i + 1) % ROLES_A_TRANSACTION == 0 || i + 1 == roles)
            commit(&filler);
    }
    must(journal_close(&filler.journal) == TROUPE_OK, "the journal does not close");
    org_directory_free(filler.directory);
    record_batch_done(&filler.batch);
    role_cards_done(&filler.cards);
    return filler.events;
}

/* --- starting --------------------------------------------------------------------------------- */

static uint64_t rss_of(pid_t pid)
{
    char name[64];
    char line[256];
    uint64_t kilobytes = 0;
    snprintf(name, sizeof name, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        (void)!sscanf(line, "VmRSS: %" SCNu64, &kilobytes);
    if (file != NULL)
        fclose(file);
    return kilobytes * 1024;
}

/* Processor time so far, user and system: what is left of a start when the machine is busy with others. */
static double cpu_of(pid_t pid)
{
    char name[64];
    unsigned long user = 0;
    unsigned long kernel = 0;
    snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(name, "r");
    if (file != NULL) {
        (void)!fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
        fclose(file);
    }
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double start_once(const char *program, uint64_t *ret_rss, double *ret_cpu)
{
    int ends[2];
    char line[256] = "";
    must(pipe(ends) == 0, "no pipe");
    double begun = now();
    pid_t pid = fork();
    must(pid >= 0, "no process");
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "serve", "--data", folder, "--listen", "127.0.0.1:0", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    must(said != NULL && fgets(line, sizeof line, said) != NULL && strstr(line, "serves") != NULL,
         "the server does not start");
    double seconds = now() - begun;
    int status = 1;
    *ret_rss = rss_of(pid);
    *ret_cpu = cpu_of(pid);
    kill(pid, SIGTERM);
    must(waitpid(pid, &status, 0) == pid && status == 0, "the server does not end in order");
    fclose(said);
    return seconds;
}

static void remove_folder(void)
{
    static const char *const names[] = {"troupe.db", "troupe.db-wal", "troupe.db-shm", "troupe.db.lock",
                                        "token"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_SIZE + 32];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(int argc, char **argv)
{
    uint64_t events = 100000;
    uint32_t roles = 1000;
    bool is_kept = false;
    char program[PATH_SIZE];
    const char *parent = ".";
    const char *slash = strrchr(argv[0], '/');
    snprintf(program, sizeof program, "%.*s/../troupe", slash != NULL ? (int)(slash - argv[0]) : 1,
             slash != NULL ? argv[0] : ".");
    for (int i = 1; i < argc; i += 2) {
        must(i + 1 < argc, "each option has a value");
        if (strcmp(argv[i], "--n") == 0)
            events = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--actors") == 0)
            roles = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0)
            parent = argv[i + 1];
        else if (strcmp(argv[i], "--program") == 0)
            snprintf(program, sizeof program, "%s", argv[i + 1]);
        else if (strcmp(argv[i], "--keep") == 0)
            is_kept = strcmp(argv[i + 1], "yes") == 0;
        else
            must(false,
                 "usage: start [--actors ROLES] [--n EVENTS] [--dir DIR] [--program TROUPE] [--keep yes]");
    }
    must(roles >= 1 && events / roles >= 10, "at least ten events a role");
    snprintf(folder, sizeof folder, "%s/bench-start-%ld", parent, (long)getpid());
    uint64_t made = fill(roles, events);
    double best = 0;
    double cpu = 0;
    uint64_t rss = 0;
    for (int i = 0; i < STARTS; i++) {
        double once = 0;
        double seconds = start_once(program, &rss, &once);
        cpu = cpu == 0 || once < cpu ? once : cpu;
        best = best == 0 || seconds < best ? seconds : best;
    }
    if (!is_kept)
        remove_folder();
    printf("{\"kernel\": \"start\", \"n\": %" PRIu64 ", \"actors\": %" PRIu32
           ", \"seconds\": %.3f, \"cpu_seconds\": %.2f, \"rate\": %.3f, \"unit\": \"s a start\", "
           "\"rss_bytes\": %" PRIu64 ", \"checked\": true}\n",
           made, roles, best, cpu, best, rss);
    return 0;
}

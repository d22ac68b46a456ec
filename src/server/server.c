/* SPDX-License-Identifier: MIT */
/*
 * server.c: the main thread of `troupe serve`: it starts the actors, waits, and stops them. It decides
 * nothing else.
 *
 *   data folder, address, journal file            plain calls, before there is any actor
 *   |
 *   system --+-- #keeper      tells this thread when to go on
 *            `-- #server      the tree of supervision.h: its end, or the journal's, is the process's end
 *
 * The order of the end is the reverse: nobody new is let in, what is under way is answered, then the actors
 * stop, then the file is closed.
 *
 * Runs on the main thread, with the signals of the whole process blocked: they are read as messages by the
 * keeper.
 */
#include "server/server.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sodium.h>
#include <troupe.h>

#include "base/buffer.h"
#include "env/disk.h"
#include "journal/journal.h"
#include "org/limits.h"
#include "org/name.h"
#include "server/address.h"
#include "server/calendars.h"
#include "server/datadir.h"
#include "server/directory_actor.h"
#include "server/http.h"
#include "server/ids.h"
#include "server/keeper.h"
#include "server/messages.h"
#include "server/verify.h"
#include "server/supervision.h"

#define WHY_SIZE (DATADIR_WHY_SIZE + JOURNAL_ERROR_SIZE)
/* How long the directory may take for the sample: it waits for its roles. */
#define IMPORT_TIMEOUT_MS 300000
/* And http for what is under way. */
#define STOP_TIMEOUT_MS (HTTP_STOP_MS + 2000)

struct server {
    const struct server_options *options;
    struct datadir datadir;
    struct ids ids;
    struct faults faults;
    struct faults desk_faults;
    char owner[ORG_ACTOR_NAME_LEN_MAX + 1];
    char url[ADDRESS_TEXT_SIZE];
    char why[WHY_SIZE];
    int listen_fd;
    int signal_fd;
    sigset_t signals_before;
    struct journal *journal;
    troupe_system *system;
    troupe_ref keeper;
};

/* --- before there are actors ------------------------------------------------------------------ */

static troupe_status take_signals(struct server *server)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGUSR1);
    /* Threads take over the mask of whoever makes them, so no worker is ever interrupted. */
    if (pthread_sigmask(SIG_BLOCK, &signals, &server->signals_before) == 0) {
        signal(SIGPIPE, SIG_IGN);
        server->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    if (server->signal_fd >= 0)
        return TROUPE_OK;
    snprintf(server->why, sizeof server->why, "signals cannot be received: %s", strerror(errno));
    return TROUPE_IO;
}

static void note_finding(void *context, const char *finding)
{
    (void)context;
    fprintf(stderr, "troupe serve: %s\n", finding);
}

/*
 * A file of an older version has no lists, and one whose rebuild was cut short not all of them: they are made
 * before anybody is let in. A role that cannot be read is the directory's to tell of, as ever.
 */
static troupe_status make_lists(struct server *server)
{
    struct verify_counts counts;
    if (journal_has_cards(server->journal))
        return TROUPE_OK;
    if (!journal_is_failed(server->journal))
        fprintf(stderr, "troupe serve: making the lists of messages anew, once\n");
    troupe_status status = rebuild_journal(server->journal, note_finding, NULL, &counts);
    if (status != TROUPE_OK)
        snprintf(server->why, sizeof server->why, "the lists of messages: %s",
                 journal_is_failed(server->journal) ? journal_error(server->journal)
                                                    : troupe_status_text(status));
    return status;
}

static troupe_status open_journal(struct server *server)
{
    struct journal_error error;
    troupe_status status =
        journal_open(&journal_sqlite, server->datadir.journal_path, &server->journal, &error);
    if (status != TROUPE_OK)
        snprintf(server->why, sizeof server->why, "%s", error.text);
    return status == TROUPE_OK ? make_lists(server) : status;
}

/* The name of the server's own user, as an actor is called. */
static void name_owner(struct server *server)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char texts[1024];
    if (getpwuid_r(geteuid(), &entry, texts, sizeof texts, &found) != 0 || found == NULL ||
        org_name_slug(found->pw_name, ORG_ACTOR_NAME_LEN_MAX, server->owner) == 0)
        snprintf(server->owner, sizeof server->owner, "admin");
}

static troupe_status prepare(struct server *server)
{
    const char *listen = server->options->listen != NULL ? server->options->listen : SERVER_LISTEN_DEFAULT;
    if (sodium_init() < 0) {
        snprintf(server->why, sizeof server->why, "libsodium cannot be used here");
        return TROUPE_IO;
    }
    name_owner(server);
    troupe_status status = datadir_open(server->options->data_dir, &server->datadir, server->why);
    if (status == TROUPE_OK)
        status = address_listen(listen, &server->listen_fd, server->url, server->why);
    if (status == TROUPE_OK)
        status = take_signals(server);
    if (status == TROUPE_OK)
        status = open_journal(server);
    return status;
}

/* --- the actors ------------------------------------------------------------------------------- */

static troupe_status watch(struct server *server, troupe_ref who, const char *name)
{
    return troupe_send(server->system, server->keeper, keeper_watch, .who = who, .name = name);
}

/* Failures on purpose, for tests of clients and of the server itself: docs/observing.md. */
static struct faults *faults_of(const char *variable, struct faults *room, const char *what)
{
    const char *one_in = getenv(variable);
    unsigned long number = one_in != NULL ? strtoul(one_in, NULL, 10) : 0;
    if (number == 0 || number > UINT32_MAX)
        return NULL;
    *room = (struct faults){.one_in = (uint32_t)number, .is_sparing = true};
    fprintf(stderr, "troupe serve: %s is set: one step in %lu of %s fails\n", variable, number, what);
    return room;
}

static troupe_status start_actors(struct server *server)
{
    troupe_options options = {.workers = server->options->workers};
    troupe_status status = troupe_start(&server->system, &options);
    if (status != TROUPE_OK)
        return status;
    struct keeper keeper = {.signal_fd = server->signal_fd};
    server->keeper =
        troupe_spawn(server->system, &keeper_behaviour,
                     (&(troupe_spawn_options){.state = &keeper, .name = NAME_KEEPER, .ret_status = &status}));
    if (status != TROUPE_OK)
        return status;
    server->ids.role_idle_ms = server->options->role_idle_ms;
    server->ids.faults = faults_of("TROUPE_ROLE_FAULTS", &server->faults, "a role's actor");
    server->ids.desk_faults = faults_of("TROUPE_DESK_FAULTS", &server->desk_faults, "a desk");
    troupe_ref root = troupe_ref_none();
    status = supervision_start(server->system, server->journal, &server->ids, &root);
    if (status == TROUPE_OK)
        status = watch(server, troupe_whereis(server->system, NAME_JOURNAL), "the journal failed");
    if (status == TROUPE_OK)
        status = watch(server, root, "too much failed");
    return status;
}

/* Who lives in the server, under whom: this thread is the only one that may wait for that. */
static void show_tree(struct server *server)
{
    troupe_snapshot *snapshot = NULL;
    if (troupe_snapshot_take(server->system, &snapshot) == TROUPE_OK)
        troupe_snapshot_print(snapshot, stderr);
    troupe_snapshot_free(&snapshot);
    fflush(stderr);
}

/* Asks the keeper once; `ret_is_to_show` says that nothing is reached, but somebody wants to see the tree. */
static troupe_status await_once(struct server *server, enum keeper_stage stage, bool *ret_is_to_show)
{
    troupe_message *reply = NULL;
    troupe_status status = troupe_call(server->system, server->keeper, TROUPE_ASK_TIMEOUT_MS_MAX, &reply,
                                       keeper_await, .stage = (uint32_t)stage);
    *ret_is_to_show = false;
    if (status != TROUPE_OK)
        return status;
    const keeper_told *told = keeper_told_of(reply);
    status = told != NULL ? (troupe_status)told->status : TROUPE_UNEXPECTED;
    *ret_is_to_show = told != NULL && told->is_to_show;
    snprintf(server->why, sizeof server->why, "%s", told != NULL ? troupe_text(reply, told->why) : "");
    troupe_message_free(server->system, &reply);
    return status;
}

/* Waits until a stage is reached; the answer is how the server is then. */
static troupe_status await(struct server *server, enum keeper_stage stage)
{
    troupe_status status;
    bool is_to_show;
    do {
        status = await_once(server, stage, &is_to_show);
        if (is_to_show)
            show_tree(server);
    } while (is_to_show || status == TROUPE_TIMEOUT);
    return status;
}

/* --- what there is at the start --------------------------------------------------------------- */

/* Puts what the directory said no to into words. */
static troupe_status refused(struct server *server, const troupe_message *reply, const char *what)
{
    const denied *no = denied_of(reply);
    snprintf(server->why, sizeof server->why, "%s: %s", what,
             no != NULL ? troupe_text(reply, no->detail) : "the directory gave no usable answer");
    return TROUPE_INVALID;
}

static troupe_status own(struct server *server, bool *ret_is_empty)
{
    unsigned char hash[TOKEN_HASH_SIZE];
    troupe_message *reply = NULL;
    token_hash(server->datadir.token, strlen(server->datadir.token), hash);
    troupe_status status =
        troupe_call(server->system, troupe_whereis(server->system, NAME_DIRECTORY), IMPORT_TIMEOUT_MS, &reply,
                    directory_own, .hash = {hash, sizeof hash}, .actor = server->owner);
    if (status != TROUPE_OK)
        return status;
    const directory_owned *owned = directory_owned_of(reply);
    if (owned != NULL)
        *ret_is_empty = owned->is_empty;
    else
        status = refused(server, reply, "the token of the server's user");
    troupe_message_free(server->system, &reply);
    return status;
}

static troupe_status read_sample(struct server *server, struct buffer *ret_bytes)
{
    FILE *file = env_file_stream(server->options->sample);
    troupe_status status = file != NULL ? TROUPE_OK : TROUPE_IO;
    char piece[4096];
    size_t size;
    while (status == TROUPE_OK && (size = fread(piece, 1, sizeof piece, file)) > 0) {
        status = buffer_append(ret_bytes, piece, size);
        if (ret_bytes->size > REQUEST_BODY_MAX)
            status = TROUPE_TOO_LARGE;
    }
    if (status == TROUPE_OK && ferror(file))
        status = TROUPE_IO;
    if (status != TROUPE_OK)
        snprintf(server->why, sizeof server->why, "the sample %s: %s", server->options->sample,
                 status == TROUPE_IO ? strerror(errno) : troupe_status_text(status));
    if (file != NULL)
        fclose(file);
    return status;
}

static troupe_status load_sample(struct server *server)
{
    struct buffer bytes = {0};
    troupe_message *reply = NULL;
    troupe_status status = read_sample(server, &bytes);
    if (status == TROUPE_OK)
        status = troupe_call(server->system, troupe_whereis(server->system, NAME_DIRECTORY),
                             IMPORT_TIMEOUT_MS, &reply, directory_change, .kind = CHANGE_IMPORT_ORGANISATION,
                             .body = {bytes.bytes, bytes.size}, .actor = server->owner);
    if (status == TROUPE_OK && answered_of(reply) == NULL)
        status = refused(server, reply, "the sample");
    troupe_message_free(server->system, &reply);
    buffer_done(&bytes);
    return status;
}

static troupe_status open_doors(struct server *server)
{
    struct http http = {.ids = &server->ids, .listen_fd = server->listen_fd};
    troupe_child_spec spec = {.id = "http",
                              .behaviour = &http_behaviour,
                              .options = {.state = &http,
                                          .name = NAME_HTTP,
                                          .mailbox_len_max = HTTP_MAILBOX_LEN_MAX,
                                          .mailbox_bytes_max = HTTP_MAILBOX_BYTES_MAX}};
    troupe_child_spec calendars = {
        .id = "calendars", .behaviour = &calendars_behaviour, .options = calendars_options()};
    troupe_status status = supervision_add(server->system, &calendars);
    return status == TROUPE_OK ? supervision_add(server->system, &spec) : status;
}

static void announce(const struct server *server)
{
    printf("Troupe serves %s\n", server->url);
    /* On a terminal its own user may have the token in the link; a log file must not have it. */
    if (isatty(STDOUT_FILENO))
        printf("Sign in as %s: %s/#token=%s\n", server->owner, server->url, server->datadir.token);
    else
        printf("Sign in as %s with the token in %s\n", server->owner, server->datadir.token_path);
    fflush(stdout);
}

/* --- the whole -------------------------------------------------------------------------------- */

static troupe_status serve(struct server *server)
{
    bool is_empty = false;
    troupe_status status = prepare(server);
    if (status == TROUPE_OK)
        status = start_actors(server);
    if (status == TROUPE_OK)
        status = await(server, KEEPER_READY);
    if (status == TROUPE_OK)
        status = own(server, &is_empty);
    if (status == TROUPE_OK && is_empty && server->options->sample != NULL)
        status = load_sample(server);
    if (status == TROUPE_OK)
        status = open_doors(server);
    if (status != TROUPE_OK)
        return status;
    announce(server);
    return await(server, KEEPER_ENDED);
}

/* Lets nobody in any more and gives what is under way its time. */
static void close_doors(struct server *server)
{
    troupe_message *reply = NULL;
    troupe_ref directory = troupe_whereis(server->system, NAME_DIRECTORY);
    troupe_ref http = troupe_whereis(server->system, NAME_HTTP);
    (void)troupe_send(server->system, directory, directory_hurry);
    if (troupe_call(server->system, http, STOP_TIMEOUT_MS, &reply, http_stop) == TROUPE_OK)
        troupe_message_free(server->system, &reply);
}

static troupe_status end(struct server *server, troupe_status status)
{
    if (server->system != NULL) {
        if (status == TROUPE_OK)
            close_doors(server);
        (void)troupe_stop(&server->system);
    }
    if (server->journal != NULL && (status == TROUPE_OK || journal_is_failed(server->journal))) {
        /* What the writer ended with is cut short, and whoever waited for it may have been told first. */
        status = journal_finish(server->journal);
        if (status != TROUPE_OK)
            snprintf(server->why, sizeof server->why, "the journal failed: %s",
                     journal_error(server->journal));
    }
    (void)journal_close(&server->journal);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    if (server->signal_fd >= 0) {
        close(server->signal_fd);
        pthread_sigmask(SIG_SETMASK, &server->signals_before, NULL);
    }
    sodium_memzero(server->datadir.token, sizeof server->datadir.token);
    return status;
}

troupe_status server_run(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return TROUPE_NO_MEMORY;
    server->options = options;
    server->listen_fd = -1;
    server->signal_fd = -1;
    troupe_status status = serve(server);
    if (status == TROUPE_SHUTDOWN) /* told to end before it had begun: that is in order too */
        status = TROUPE_OK;
    status = end(server, status);
    if (status != TROUPE_OK)
        fprintf(stderr, "troupe serve: %s\n",
                server->why[0] != '\0' ? server->why : troupe_status_text(status));
    free(server);
    return status;
}

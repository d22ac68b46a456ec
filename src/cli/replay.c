/* SPDX-License-Identifier: MIT */
/*
 * replay.c: `troupe replay`: the verb, the loop that turns the three pumps, and what happens when the
 * connection is lost. replay.h draws the whole.
 */
#include "cli/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/text.h"
#include "env/disk.h"

enum {
    REPLAY_ROLE,
    REPLAY_SPEED,
    REPLAY_PROGRAM,
    REPLAY_PATIENCE,
    REPLAY_COUNT,
};

enum {
    STEP_WAIT_MS = 100,    /* how long the loop sleeps at most */
    RECOVER_WAIT_MS = 100, /* between two looks whether the server is back */
    PATIENCE_S_DEFAULT = 60,
    PATIENCE_S_MAX = 24 * 3600,
};

static const struct cli_option options[] = {
    [REPLAY_ROLE] = {"role", 'r', "ROLE", "the role to send to; made, with its program, when there is none"},
    [REPLAY_SPEED] = {"speed", 0, "max|FACTOR", "as fast as it goes, or FACTOR times the recorded pace"},
    [REPLAY_PROGRAM] = {"program", 0, "NAME", "the program's name, when the role is made"},
    [REPLAY_PATIENCE] = {"patience", 0, "SECONDS", "how long to wait for a lost server; 60"},
    [REPLAY_COUNT] = {0},
};

int64_t replay_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void replay_end(struct replay *replay, enum cli_exit ending, const char *format, ...)
{
    char text[TRANSFER_TROUBLE_MAX];
    if (replay->ending != CLI_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    replay->ending = cli_fail(replay->cli, ending, "%s", text);
}

bool replay_is_answered(struct replay *replay, const struct client_answer *answer)
{
    if (answer->outcome == CLI_OK && answer->status >= 200 && answer->status < 300)
        return true;
    if (answer->outcome == CLI_UNREACHABLE || answer->status == 503) {
        replay->is_lost = true;
    } else if (answer->outcome != CLI_OK) {
        replay_end(replay, answer->outcome, "%s", answer->trouble);
    } else {
        char text[CLI_PROBLEM_MAX];
        enum cli_exit ending = cli_explain_problem(answer->json, answer->status, text);
        replay_end(replay, ending, "%s", text);
    }
    return false;
}

bool replay_is_item_good(struct replay *replay, const json_t *item, const char *what)
{
    long status = (long)json_integer_value(json_object_get(item, "status"));
    if (status >= 200 && status < 300)
        return true;
    if (status == 503) {
        replay->is_lost = true;
    } else if (status < 400) {
        replay_end(replay, CLI_PROTOCOL, "%s: an item of the answer has no usable \"status\"", what);
    } else {
        char text[CLI_PROBLEM_MAX];
        enum cli_exit ending = cli_explain_problem(json_object_get(item, "answer"), status, text);
        replay_end(replay, ending, "%s: %s", what, text);
    }
    return false;
}

void replay_ask(struct replay *replay, const struct client_request *request, struct client_answer *ret_answer)
{
    CURL *easy = transfer_begin(replay->transfer, request);
    transfer_end(replay->transfer, curl_easy_perform(easy), ret_answer);
}

static void sleep_ms(int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

/*
 * The connection was lost: everything under way is forgotten, since nobody knows what became of it. When the
 * server answers again, what is held is asked from it, and what was being sent is sent again: its keys make
 * that harmless.
 */
static void recover(struct replay *replay)
{
    int64_t lost_ms = replay_now_ms();
    int64_t end_ms = lost_ms + replay->patience_ms;
    int64_t left;
    fleet_forget(replay->fleet);
    replay->counts.outages++;
    for (;;) {
        replay->is_lost = false;
        replay_feed_restart(replay);
        replay_take_restart(replay);
        if (replay->phase == REPLAY_VERIFYING)
            replay_verify_start(replay);
        if (replay_take_sweep(replay, &left) || replay->ending != CLI_OK)
            break;
        if (replay_now_ms() >= end_ms) {
            replay_end(replay, CLI_UNREACHABLE,
                       "%s does not come back within %" PRId64 " s; %" PRId64 " of %" PRId64
                       " rows are handled, and the same command goes on from there",
                       replay->settings.url, replay->patience_ms / 1000, replay->counts.handled,
                       replay->ledger.row_count);
            return;
        }
        sleep_ms(RECOVER_WAIT_MS);
    }
    /* The outage had its own patience; that it is over is not yet progress. */
    replay->progress_ms += replay_now_ms() - lost_ms;
}

/* Goes on to the next phase where the present one is over. */
static void advance(struct replay *replay)
{
    int64_t left = 0;
    bool is_quiet = fleet_busy(replay->fleet) == 0 && replay_take_is_idle(replay);
    switch (replay->phase) {
    case REPLAY_RUNNING:
        if (replay_feed_is_over(replay))
            replay->phase = REPLAY_DRAINING;
        break;
    case REPLAY_DRAINING:
        if (is_quiet && replay->progress_ms == replay->swept_ms)
            sleep_ms(STEP_WAIT_MS); /* the last sweep brought nothing that could be finished */
        replay->swept_ms = is_quiet ? replay->progress_ms : replay->swept_ms;
        if (is_quiet && replay_take_sweep(replay, &left) && left == 0) {
            replay->phase = REPLAY_VERIFYING;
            replay_verify_start(replay);
        }
        break;
    case REPLAY_VERIFYING:
        if (!replay_verify_is_over(replay))
            break;
        if (replay->verify.open_count > 0)
            sleep_ms(STEP_WAIT_MS);
        replay->phase = replay->verify.open_count > 0 ? REPLAY_DRAINING : REPLAY_FINISHED;
        break;
    case REPLAY_FINISHED:
        break;
    }
}

/* Ends a run in which nothing has moved for too long, such as a mailbox that stays full. */
static void watch_progress(struct replay *replay)
{
    int64_t now_ms = replay_now_ms();
    bool is_quiet = fleet_busy(replay->fleet) == 0 && replay_take_is_idle(replay);
    /* At a recorded pace there are times without a row. */
    if (replay->factor != 0 && is_quiet && !replay_feed_has_rows(replay))
        replay->progress_ms = now_ms;
    if (now_ms - replay->progress_ms > replay->patience_ms)
        replay_end(replay, CLI_AGAIN,
                   "nothing has moved for %" PRId64 " s; %" PRId64 " of %" PRId64 " rows are handled",
                   replay->patience_ms / 1000, replay->counts.handled, replay->ledger.row_count);
}

static void run_loop(struct replay *replay)
{
    int64_t left;
    /* An earlier run may have left messages in hand or in the mailbox. */
    replay->is_lost = !replay_take_sweep(replay, &left);
    replay->progress_ms = replay_now_ms();
    while (replay->phase != REPLAY_FINISHED && replay->ending == CLI_OK) {
        if (replay->is_lost)
            recover(replay);
        int64_t now_ms = replay_now_ms();
        int64_t next_ms = now_ms + STEP_WAIT_MS;
        if (replay->phase == REPLAY_RUNNING)
            next_ms = replay_feed_step(replay, now_ms, STEP_WAIT_MS);
        if (replay->phase == REPLAY_VERIFYING)
            replay_verify_step(replay);
        else
            replay_take_step(replay);
        fleet_run(replay->fleet, next_ms > now_ms ? (int)(next_ms - now_ms) : 0);
        if (!replay->is_lost)
            advance(replay);
        watch_progress(replay);
        replay_show_progress(replay);
    }
}

/* Walks the whole file, so that nothing is sent of one that is wrong somewhere. */
static enum cli_exit count_rows(struct replay *replay, FILE *file)
{
    struct patches *patches = &replay->patches;
    struct patch patch;
    troupe_status status = patches_start(patches, file);
    while (status == TROUPE_OK)
        status = patches_next(patches, &patch);
    switch (status) {
    case TROUPE_END:
        ledger_init(&replay->ledger, patches->row_count);
        status = patches_start(patches, file);
        return status == TROUPE_OK
                   ? CLI_OK
                   : cli_fail(replay->cli, CLI_INPUT, "%s cannot be read twice", replay->path);
    case TROUPE_MALFORMED:
        return cli_fail(replay->cli, CLI_DATA, "%s:%" PRId64 ": %s", replay->path, patches->csv.line,
                        patches->csv.trouble);
    case TROUPE_LIMIT:
        return cli_fail(replay->cli, CLI_DATA, "%s:%" PRId64 ": more than %d rows", replay->path,
                        patches->csv.line, PATCHES_ROWS_MAX);
    default:
        return cli_fail(replay->cli, CLI_INPUT, "%s: %s", replay->path, strerror(errno));
    }
}

static enum cli_exit read_speed(struct replay *replay, const char *speed)
{
    if (speed == NULL || strcmp(speed, "max") == 0)
        return CLI_OK;
    char *end;
    errno = 0;
    replay->factor = strtod(speed, &end);
    if (errno != 0 || end == speed || *end != '\0' || !isnormal(replay->factor) || replay->factor <= 0)
        return cli_fail(replay->cli, CLI_USAGE,
                        "--speed '%s': write max, or how many times the recorded pace", speed);
    return CLI_OK;
}

static enum cli_exit read_options(struct replay *replay, struct cli *cli)
{
    int64_t patience_s = PATIENCE_S_DEFAULT;
    const char *patience = cli->values[REPLAY_PATIENCE];
    const char *program = cli->values[REPLAY_PROGRAM];
    const char *slash = strrchr(cli->operands[0], '/');
    replay->cli = cli;
    replay->path = cli->operands[0];
    replay->file_name = slash != NULL ? slash + 1 : replay->path;
    replay->role = cli->values[REPLAY_ROLE];
    if (replay->role == NULL)
        return cli_fail(cli, CLI_USAGE, "--role ROLE is missing");
    if (strlen(replay->role) > ROLE_NAME_MAX)
        return cli_fail(cli, CLI_USAGE, "the role's name is longer than %d bytes", ROLE_NAME_MAX);
    if (program != NULL && strlen(program) > ROLE_NAME_MAX)
        return cli_fail(cli, CLI_USAGE, "the program's name is longer than %d bytes", ROLE_NAME_MAX);
    if (strlen(replay->file_name) > FILE_NAME_MAX || !text_is_utf8(replay->file_name))
        return cli_fail(cli, CLI_USAGE,
                        "the file's name is part of each row's key: at most %d bytes, and in UTF-8",
                        FILE_NAME_MAX);
    if (patience != NULL && !text_read_number(patience, 1, PATIENCE_S_MAX, &patience_s))
        return cli_fail(cli, CLI_USAGE, "--patience '%s': write whole seconds, 1 to %d", patience,
                        PATIENCE_S_MAX);
    snprintf(replay->program, sizeof(replay->program), "%s", program != NULL ? program : "");
    replay->patience_ms = patience_s * 1000;
    return read_speed(replay, cli->values[REPLAY_SPEED]);
}

static enum cli_exit replay_file(struct replay *replay, FILE *file)
{
    enum cli_exit ending = count_rows(replay, file);
    if (ending != CLI_OK)
        return ending;
    replay->transfer = transfer_new(&replay->settings);
    replay->fleet = fleet_new(&replay->settings);
    replay_take_restart(replay);
    replay->start_ms = replay_now_ms();
    ending = replay_setup(replay);
    if (ending == CLI_OK) {
        run_loop(replay);
        if (isatty(STDERR_FILENO))
            fputs("\r\033[K", stderr);
        ending = replay->ending == CLI_OK ? replay_report(replay) : replay->ending;
    }
    fleet_free(replay->fleet);
    transfer_free(replay->transfer);
    replay_feed_done(replay);
    ledger_done(&replay->ledger);
    return ending;
}

static enum cli_exit run(struct cli *cli)
{
    struct replay *replay = text_must(calloc(1, sizeof(*replay)));
    enum cli_exit ending = read_options(replay, cli);
    if (ending == CLI_OK)
        ending = settings_read(cli, &replay->settings);
    FILE *file = ending == CLI_OK ? env_file_stream(replay->path) : NULL;
    if (file != NULL) {
        ending = replay_file(replay, file);
        fclose(file);
    } else if (ending == CLI_OK) {
        ending = cli_fail(cli, CLI_INPUT, "%s: %s", replay->path, strerror(errno));
    }
    free(replay);
    return ending;
}

const struct cli_verb verb_replay = {
    .name = "replay",
    .operands = "FILE",
    .summary = "send recorded messages through one mailbox, and handle them",
    .details =
        "FILE is CSV: sent_unix,done_unix,sender,integrator,files,first_path. Each row is sent to\n"
        "ROLE as one message and, at the same time, taken and finished as the program that holds ROLE.\n"
        "Refused rows are sent again after the wait that the server states. The same command again goes\n"
        "on where an earlier one ended. Exit status 1: a row was not handled exactly once.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * work.c: `troupe work`: makes a command an actor. It takes one message of a role at a time, gives it to the
 * command, and tells the server what came of it.
 *
 *     what is held from before, one by one
 *     then: ask (long poll) -> run the command, its lease renewed -> judge its end -> tell the server -> ...
 *
 * Place: beside the server, as the program that holds a role; everything that it knows of a message is in
 * the server, so it may be killed at any moment: the message is still held and is taken up again by the next
 * one that works as the same program, or comes back when its lease ends. One thread.
 *
 * Invariants
 *   1. One command runs at a time, and none while nothing is held for it.
 *   2. An end is told until the server has answered. Whatever the server says then counts: a message that
 *      was lost meanwhile is somebody else's.
 */
#include "cli/work.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/work_verdict.h"

extern char **environ;

enum {
    WORK_TIMEOUT,
    WORK_GRACE,
    WORK_ONCE,
    WORK_COUNT,
};

enum {
    SECONDS_MAX = 7 * 24 * 3600,
    GRACE_S_DEFAULT = 10,
    MS_PER_S = 1000,
    BLOCKED_MS = 5000,              /* what is held elsewhere stands in the way: how often to look */
    DELAY_FIRST_MS = 60 * MS_PER_S, /* a command that defers and does not say until when; doubled each time */
    DELAY_MAX_MS = 3600 * MS_PER_S,
    DELAYS_KEPT = 64, /* messages of which that is known */
    ID_SIZE = 32,
    VARIABLE_SIZE = 256,
    VARIABLE_COUNT = 4,
};

static const struct cli_option options[] = {
    [WORK_TIMEOUT] = {"timeout", 't', "SECONDS", "end a command that takes longer; without it none does"},
    [WORK_GRACE] = {"grace", 0, "SECONDS", "how long it may take to end when it is told to; 10"},
    [WORK_ONCE] = {"once", 0, NULL, "take one message, and end"},
    [WORK_COUNT] = {0},
};

/* How long a message was deferred the last time. */
struct delay {
    char id[ID_SIZE];
    int64_t ms;
};

static struct delay delays[DELAYS_KEPT];
static size_t delay_next;

/* --- how long to defer -------------------------------------------------------------------------- */

static struct delay *find_delay(const char *id)
{
    for (size_t i = 0; i < DELAYS_KEPT; i++) {
        if (strcmp(delays[i].id, id) == 0)
            return &delays[i];
    }
    return NULL;
}

/* A message that is deferred again and again is deferred for longer each time. */
static int64_t next_delay(const char *id)
{
    const struct delay *delay = find_delay(id);
    if (delay == NULL)
        return DELAY_FIRST_MS;
    return delay->ms * 2 < DELAY_MAX_MS ? delay->ms * 2 : DELAY_MAX_MS;
}

static void note_delay(const char *id, int64_t ms)
{
    struct delay *delay = find_delay(id);
    if (delay == NULL)
        delay = &delays[delay_next++ % DELAYS_KEPT];
    snprintf(delay->id, sizeof(delay->id), "%s", id);
    delay->ms = ms;
}

/* --- the environment of a command --------------------------------------------------------------- */

static const char *const variable_names[VARIABLE_COUNT] = {
    "TROUPE_MESSAGE_ID=", "TROUPE_ROLE=", "TROUPE_THREAD=", "TROUPE_ATTEMPT="};

static bool is_variable(const char *entry)
{
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        if (strncmp(entry, variable_names[i], strlen(variable_names[i])) == 0)
            return true;
    }
    return false;
}

/* Ours, and what the message adds; the caller frees the array. */
static char **environment_of(const struct work *work, const struct work_letter *letter,
                             char variables[VARIABLE_COUNT][VARIABLE_SIZE])
{
    const char *thread = json_string_value(json_object_get(letter->message, "thread"));
    char attempt[TEXT_TIME_MAX];
    snprintf(attempt, sizeof(attempt), "%lld", (long long)letter->attempts + 1);
    const char *const values[VARIABLE_COUNT] = {letter->id, work->role, thread != NULL ? thread : "",
                                                attempt};
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **whole = text_must(calloc(count + VARIABLE_COUNT + 1, sizeof(*whole)));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_variable(environ[i]))
            whole[kept++] = environ[i];
    }
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        snprintf(variables[i], VARIABLE_SIZE, "%s%s", variable_names[i], values[i]);
        whole[kept++] = variables[i];
    }
    return whole;
}

/* --- one message -------------------------------------------------------------------------------- */

/* Runs the command to its end; false: it could not be started, errno says why. */
static bool run_command(struct work *work, const struct work_letter *letter, struct child *child)
{
    char variables[VARIABLE_COUNT][VARIABLE_SIZE];
    char **environment = environment_of(work, letter, variables);
    char *input = text_must(json_dumps(letter->message, JSON_COMPACT));
    size_t size = strlen(input);
    input[size] = '\n'; /* in place of the NUL, which nobody needs */
    const struct child_spec spec = {
        .file = work->file,
        .arguments = work->cli->command,
        .environment = environment,
        .input = input,
        .input_size = size + 1,
        .timeout_ms = work->timeout_ms,
        .grace_ms = work->grace_ms,
    };
    troupe_status status = child_start(child, &spec, work_now_ms(work));
    int why = errno;
    free(input);
    free(environment);
    errno = why;
    if (status != TROUPE_OK)
        return false;
    work->child = child;
    work_lease_begin(work, letter);
    while (!child_is_over(child))
        work_pump(work, INT64_MAX);
    work->child = NULL;
    work_lease_end(work);
    return true;
}

/* A line about a message that was seen to, or the server's answer with --json. */
static void report(const struct work *work, const char *id, const struct work_answer *answer,
                   const struct work_verdict *verdict)
{
    const char *state = json_string_value(json_object_get(answer->json, "state"));
    if (work->cli->json) {
        cli_print_json(answer->json);
    } else {
        output_cleaned(OUTPUT_STRONG, id);
        output_cleaned(OUTPUT_PLAIN, " ");
        output_cleaned(verdict->is_failure ? OUTPUT_ALARM : OUTPUT_PLAIN, state != NULL ? state : "seen to");
        output_cleaned(OUTPUT_PLAIN, verdict->words[0] != '\0' ? ": " : "");
        output_cleaned(OUTPUT_PLAIN, verdict->words);
        putchar('\n');
    }
    fflush(stdout);
}

/*
 * Tells the server what came of a message, until it has answered; releases the verdict's body. It is told of
 * this hold alone: should the message be somebody's again meanwhile, nothing happens to it.
 */
static void tell(struct work *work, const struct work_letter *letter, struct work_verdict *verdict)
{
    const char *id = letter->id;
    unsigned stops = work->stops < 2 ? 2 : work->stops + 1;
    struct work_patience patience = {
        .stops_asking = stops,
        .stops_waiting = stops,
        .end_ms = work->stops < 2 ? INT64_MAX : work_now_ms(work) + WORK_GIVE_BACK_MS,
    };
    struct work_answer answer;
    struct client_request request = {.method = "POST", .path = verdict->path, .body = verdict->body};
    json_object_set_new(verdict->body, "held_since", json_integer(letter->held_since));
    bool is_answered = work_ask(work, &request, &patience, &answer);
    bool is_unfit = is_answered && (answer.status == 400 || answer.status == 413) &&
                    strcmp(verdict->path, "/v1/fail") != 0;
    json_decref(verdict->body);
    verdict->body = NULL;
    if (is_unfit) {
        json_decref(answer.json);
        *verdict = work_judge_unfit(id, answer.detail);
        tell(work, letter, verdict);
        return;
    }
    if (!is_answered) {
        cli_say(work->cli,
                "%s: the server was not told; it is held until its lease ends, or somebody works "
                "as the same program",
                id);
        return;
    }
    if (answer.status < 300)
        report(work, id, &answer, verdict);
    else
        cli_say(work->cli, "%s: what came of it is refused: %s", id, answer.detail);
    json_decref(answer.json);
}

static void work_on(struct work *work, const struct work_letter *letter)
{
    struct child child;
    struct work_verdict verdict;
    bool has_run = run_command(work, letter, &child);
    int why = errno;
    if (has_run && work->lost[0] != '\0') {
        cli_say(work->cli, "%s: it is held no longer, and the command was ended: %s", letter->id, work->lost);
        child_done(&child);
        return;
    }
    int64_t delay_ms = next_delay(letter->id);
    if (has_run)
        verdict = work_judge(letter->id, &child, env_unix_ms(work->env), delay_ms);
    else
        verdict = work_judge_unstarted(letter->id, why);
    if (verdict.uses_delay)
        note_delay(letter->id, delay_ms);
    child_done(&child);
    tell(work, letter, &verdict);
    if (verdict.is_hopeless && !work->is_over)
        work_end(work, cli_fail(work->cli, CLI_FAILED, "%s: %s; the message was given back",
                                work->cli->command[0], verdict.words));
    if (verdict.is_failure && work->cli->values[WORK_ONCE] != NULL && !work->is_over)
        work->ending = CLI_FAILED;
}

/* --- which message ------------------------------------------------------------------------------ */

/* Reads a message; false: it is none that can be worked on, and that has been said. */
static bool read_letter(struct work *work, const json_t *message, bool is_fresh,
                        struct work_letter *ret_letter)
{
    struct fields fields = {0};
    int64_t held_since = fields_number(&fields, message, "held_since");
    int64_t lease_until = fields_number(&fields, message, "lease_until");
    *ret_letter = (struct work_letter){.message = message,
                                       .id = fields_text(&fields, message, "id"),
                                       .held_since = held_since,
                                       .attempts = fields_number(&fields, message, "attempts"),
                                       .lease_ms = is_fresh ? lease_until - held_since : 0};
    enum cli_exit ending = fields_check(work->cli, &fields);
    if (ending != CLI_OK)
        work_end(work, ending);
    return ending == CLI_OK;
}

static bool is_of_role(const struct work *work, const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    return role != NULL && strcmp(role, work->role) == 0;
}

/* Works on each message of the role; how many there were. What came after the first is not fresh any more. */
static size_t work_on_all(struct work *work, const json_t *messages, bool is_fresh)
{
    size_t worked = 0;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        struct work_letter letter;
        if (!is_of_role(work, message))
            continue;
        if (work->is_over || !read_letter(work, message, is_fresh && worked == 0, &letter))
            break;
        worked++;
        if (work->stops > 0) {
            struct work_verdict verdict = work_judge_stopped(letter.id);
            tell(work, &letter, &verdict);
            continue;
        }
        work_on(work, &letter);
        if (work->cli->values[WORK_ONCE] != NULL)
            break;
    }
    return worked;
}

/* A refusal of a request for work: nothing can be done here about it. */
static bool is_refused(struct work *work, const struct work_answer *answer)
{
    if (answer->status < 400)
        return false;
    enum cli_exit ending = answer->status == 403 ? CLI_NOT_ALLOWED : CLI_FAILED;
    work_end(work, cli_fail(work->cli, ending, "%s", answer->detail));
    return true;
}

/* What an earlier one held when it was killed, or what an answer brought that was lost. */
static size_t take_up_held(struct work *work)
{
    static const struct work_patience patience = {.stops_asking = 2, .stops_waiting = 1, .end_ms = INT64_MAX};
    struct work_answer answer;
    char *path = transfer_path("/v1/inbox", "role", work->role, "limit", "0", NULL);
    bool is_answered =
        work_ask(work, &(struct client_request){.method = "GET", .path = path}, &patience, &answer);
    free(path);
    if (!is_answered)
        return 0;
    work->is_doubtful = false;
    size_t worked =
        is_refused(work, &answer) ? 0 : work_on_all(work, json_object_get(answer.json, "held"), false);
    json_decref(answer.json);
    return worked;
}

/* The next one, as long as there is none. */
static size_t take_next(struct work *work)
{
    static const struct work_patience patience = {
        .stops_asking = 2, .stops_waiting = 1, .end_ms = INT64_MAX, .has_end_of_wait = true};
    struct work_answer answer;
    json_t *body = text_must(json_pack("{s:s, s:i}", "role", work->role, "wait_ms", WORK_POLL_MS));
    struct client_request request = {
        .method = "POST", .path = "/v1/next", .body = body, .wait_ms = WORK_POLL_MS};
    bool is_answered = work_ask(work, &request, &patience, &answer);
    json_decref(body);
    if (!is_answered)
        return 0;
    const json_t *messages = json_object_get(answer.json, "messages");
    size_t worked = is_refused(work, &answer) ? 0 : work_on_all(work, messages, true);
    if (worked == 0 && json_array_size(messages) > 0 && work->stops == 0 && !work->is_over) {
        int64_t until_ms = work_now_ms(work) + BLOCKED_MS;
        cli_say(work->cli, "nothing more can be taken: messages of other roles are held");
        while (work_now_ms(work) < until_ms && work->stops == 0)
            work_pump(work, until_ms);
    }
    json_decref(answer.json);
    return worked;
}

static void work_all(struct work *work)
{
    bool is_once = work->cli->values[WORK_ONCE] != NULL;
    work->is_doubtful = true;
    while (work->stops == 0 && !work->is_over) {
        size_t worked = work->is_doubtful ? take_up_held(work) : take_next(work);
        if (is_once && worked > 0)
            return;
    }
}

/* --- the verb ----------------------------------------------------------------------------------- */

static enum cli_exit read_seconds(const struct cli *cli, int option, int64_t *ret_ms)
{
    int64_t seconds;
    if (cli->values[option] == NULL)
        return CLI_OK;
    if (!text_read_number(cli->values[option], 1, SECONDS_MAX, &seconds))
        return cli_fail(cli, CLI_USAGE, "--%s '%s': write whole seconds, 1 to %d", options[option].name,
                        cli->values[option], SECONDS_MAX);
    *ret_ms = seconds * MS_PER_S;
    return CLI_OK;
}

static enum cli_exit find_command(const struct cli *cli, char *ret_file)
{
    const char *path = getenv("PATH");
    troupe_status status =
        env_process_find(cli->command[0], path != NULL ? path : "/usr/local/bin:/usr/bin:/bin", ret_file);
    if (status == TROUPE_OK)
        return CLI_OK;
    const char *why = status == TROUPE_TOO_LARGE ? "its name is too long"
                      : errno == ENOENT          ? "there is no such command"
                                                 : strerror(errno);
    return cli_fail(cli, CLI_USAGE, "%s: %s", cli->command[0], why);
}

/* Signals that mean "stop", and the end of a command. */
static const int heard[] = {SIGTERM, SIGINT, SIGCHLD};
enum { HEARD_COUNT = sizeof(heard) / sizeof(*heard) };

/* False only where the program is about to end. One that says that nobody reads is in the way. */
static bool begin_hearing(struct work *work)
{
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || env_linux_new(&work->env) != TROUPE_OK)
        return false;
    if (work->env->ops->signals_new(work->env, &work->signals) != TROUPE_OK)
        return false;
    for (int i = 0; i < HEARD_COUNT; i++) {
        if (work->env->ops->signals_listen(work->signals, heard[i]) != TROUPE_OK)
            return false;
    }
    return true;
}

static void end_hearing(struct work *work)
{
    for (int i = 0; i < HEARD_COUNT; i++)
        work->env->ops->signals_unlisten(work->signals, heard[i]);
    work->env->ops->signals_free(work->signals);
    work->env->ops->free(work->env);
}

static enum cli_exit run(struct cli *cli)
{
    struct work *work = text_must(calloc(1, sizeof(*work)));
    work->cli = cli;
    work->role = cli->operands[0];
    work->grace_ms = GRACE_S_DEFAULT * MS_PER_S;
    work->ending = read_seconds(cli, WORK_TIMEOUT, &work->timeout_ms);
    if (work->ending == CLI_OK)
        work->ending = read_seconds(cli, WORK_GRACE, &work->grace_ms);
    if (work->ending == CLI_OK)
        work->ending = find_command(cli, work->file);
    if (work->ending == CLI_OK)
        work->ending = settings_read(cli, &work->settings);
    if (work->ending == CLI_OK && !begin_hearing(work))
        work->ending = cli_fail(cli, CLI_FAILED, "signals cannot be listened for");
    if (work->ending == CLI_OK) {
        work->fleet = fleet_new(&work->settings);
        work_all(work);
        fleet_free(work->fleet);
        end_hearing(work);
    }
    enum cli_exit ending = work->ending;
    free(work);
    return ending;
}

const struct cli_verb verb_work = {
    .name = "work",
    .operands = "ROLE",
    .summary = "give each message of a role to a command",
    .details = "The command gets the message as one JSON object on standard input. How it ends says what\n"
               "came of it: 0 done (standard output is the reply), 65 declined, 75 deferred; anything else,\n"
               "or a signal, is a crash. One message at a time. SIGTERM and SIGINT end it when the command\n"
               "has ended; a second one ends the command and gives the message back.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .takes_command = true,
    .run = run,
};

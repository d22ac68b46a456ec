/* SPDX-License-Identifier: MIT */
/*
 * work_ask.c: see work.h: waiting, asking, and keeping a lease alive while a command runs.
 *
 *     ask -> under way -> answered: 2xx and refusals -> the caller
 *             ^               |
 *             +-- backoff <---+ no answer, 429, 503
 *
 *     lease:  a third of it passes -> renew -> answered: so long again | refused: the command is ended
 *                                        ^ no answer: soon again, while the command goes on
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/text.h"
#include "cli/work.h"

enum {
    FDS_MAX = 3,
    NS_PER_MS = 1000000,
    LEASE_PARTS = 3,        /* it is renewed when one of them has passed */
    RENEW_AGAIN_PARTS = 12, /* and tried again after so much of it when there was no answer */
    RENEW_AGAIN_MS_MIN = 50,
    RENEW_AGAIN_MS_MAX = 5000,
    LEASE_UNKNOWN_MS = 10000, /* of which to try again, as long as nobody has said how long it is */
};

int64_t work_now_ms(const struct work *work)
{
    return (int64_t)(env_now_ns(work->env) / NS_PER_MS);
}

void work_end(struct work *work, enum cli_exit ending)
{
    work->is_over = true;
    work->ending = ending;
}

/* --- waiting ------------------------------------------------------------------------------------ */

static void add_fd(struct curl_waitfd *fds, unsigned *count, int fd)
{
    if (fd >= 0)
        fds[(*count)++] = (struct curl_waitfd){.fd = fd, .events = CURL_WAIT_POLLIN};
}

static void read_signals(struct work *work)
{
    struct env_signal signal;
    while (work->env->ops->signals_read(work->signals, &signal)) {
        if (signal.number == SIGCHLD)
            continue; /* the next step of the child sees it */
        if (work->stops++ == 0 && work->child != NULL)
            cli_say(work->cli, "stopping when the command has ended; again to end it now");
        if (work->stops == 2 && work->child != NULL)
            child_stop(work->child, CHILD_STOPPED, work_now_ms(work));
    }
}

static void renew(struct work *work);

void work_pump(struct work *work, int64_t until_ms)
{
    struct curl_waitfd fds[FDS_MAX];
    unsigned count = 0;
    int64_t now_ms = work_now_ms(work);
    add_fd(fds, &count, work->env->ops->signals_fd(work->signals));
    if (work->child != NULL) {
        add_fd(fds, &count, work->child->output_fd);
        add_fd(fds, &count, work->child->errors_fd);
        until_ms = work->child->due_ms < until_ms ? work->child->due_ms : until_ms;
    }
    if (work->held != NULL && !work->is_renewing)
        until_ms = work->renew_ms < until_ms ? work->renew_ms : until_ms;
    int64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    fleet_run_beside(work->fleet, fds, count, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
    read_signals(work);
    if (work->child != NULL)
        child_step(work->child, work_now_ms(work));
    if (work->held != NULL && !work->is_renewing && work_now_ms(work) >= work->renew_ms)
        renew(work);
}

/* --- asking ------------------------------------------------------------------------------------- */

static void on_answer(void *context, const struct client_answer *answer)
{
    struct work *work = context;
    work->asked = *answer;
    json_incref(work->asked.json);
    work->is_asking = false;
}

/* Says that the server is away, and that it is back, once each. */
static void note_away(struct work *work, bool is_away, const char *trouble)
{
    if (is_away && !work->is_away)
        cli_say(work->cli, "%s; trying again until it answers", trouble);
    else if (!is_away && work->is_away)
        cli_say(work->cli, "the server answers again");
    work->is_away = is_away;
    work->is_doubtful = work->is_doubtful || is_away;
}

/* What came of a request: true when that is an answer. */
static bool judge(struct work *work, struct work_answer *ret_answer)
{
    const struct client_answer *asked = &work->asked;
    *ret_answer = (struct work_answer){.status = asked->status, .json = asked->json};
    work->is_doubtful = work->is_doubtful || asked->is_new_connection;
    if (asked->outcome == CLI_UNREACHABLE) {
        note_away(work, true, asked->trouble);
        return false;
    }
    if (asked->outcome != CLI_OK) {
        work_end(work, cli_fail(work->cli, asked->outcome, "%s", asked->trouble));
        return false;
    }
    if (asked->status >= 400)
        (void)cli_explain_problem(asked->json, asked->status, ret_answer->detail);
    if (asked->status == 401) {
        work_end(work, cli_fail(work->cli, CLI_NOT_ALLOWED, "%s", ret_answer->detail));
        return false;
    }
    bool is_later = asked->status == 429 || asked->status == 503;
    note_away(work, is_later, ret_answer->detail);
    return !is_later;
}

static void on_end_of_wait(void *context, const struct client_answer *answer)
{
    (void)context;
    (void)answer; /* what counts is the answer to the request that waits */
}

static void end_wait(struct work *work)
{
    json_t *body = text_must(json_pack("{s:s, s:b}", "role", work->role, "end", 1));
    fleet_start(work->fleet, &(struct client_request){.method = "POST", .path = "/v1/next", .body = body},
                on_end_of_wait, work);
    json_decref(body);
}

/* Puts a request and waits for what comes of it; false: given up. */
static bool ask_once(struct work *work, const struct client_request *request,
                     const struct work_patience *patience)
{
    bool has_ended_wait = !patience->has_end_of_wait;
    work->is_asking = true;
    fleet_start(work->fleet, request, on_answer, work);
    while (work->is_asking && work->stops < patience->stops_asking && work_now_ms(work) < patience->end_ms) {
        if (work->stops > 0 && !has_ended_wait) {
            has_ended_wait = true;
            end_wait(work);
        }
        work_pump(work, patience->end_ms);
    }
    if (!work->is_asking)
        return true;
    fleet_forget(work->fleet);
    work->is_asking = false;
    work->is_renewing = false;
    return false;
}

bool work_ask(struct work *work, const struct client_request *request, const struct work_patience *patience,
              struct work_answer *ret_answer)
{
    int64_t backoff_ms = WORK_BACKOFF_FIRST_MS;
    while (ask_once(work, request, patience)) {
        if (judge(work, ret_answer))
            return true;
        json_decref(ret_answer->json);
        ret_answer->json = NULL;
        int64_t again_ms = work_now_ms(work) + backoff_ms;
        backoff_ms = backoff_ms * 2 < WORK_BACKOFF_MAX_MS ? backoff_ms * 2 : WORK_BACKOFF_MAX_MS;
        while (!work->is_over && work->stops < patience->stops_waiting && work_now_ms(work) < again_ms)
            work_pump(work, again_ms);
        if (work->is_over || work->stops >= patience->stops_waiting || work_now_ms(work) >= patience->end_ms)
            return false;
    }
    return false;
}

/* --- the lease ---------------------------------------------------------------------------------- */

/* It is not ours any more: what the command does is in vain, and perhaps done by somebody else already. */
static void lose(struct work *work, const struct client_answer *answer)
{
    (void)cli_explain_problem(answer->json, answer->status, work->lost);
    work->renew_ms = INT64_MAX;
    if (work->child != NULL)
        child_stop(work->child, CHILD_STOPPED, work_now_ms(work));
}

static void on_renewed(void *context, const struct client_answer *answer)
{
    struct work *work = context;
    bool is_answer = answer->outcome == CLI_OK && answer->status != 429 && answer->status != 503;
    const json_t *left = json_object_get(answer->json, "lease_ms");
    work->is_renewing = false;
    if (is_answer && answer->status == 200 && json_is_integer(left)) {
        work->lease_ms = json_integer_value(left);
        work->renew_ms = work_now_ms(work) + work->lease_ms / LEASE_PARTS;
        return;
    }
    if (is_answer && answer->status >= 400 && answer->status != 401) {
        lose(work, answer);
        return;
    }
    int64_t again_ms = (work->lease_ms > 0 ? work->lease_ms : LEASE_UNKNOWN_MS) / RENEW_AGAIN_PARTS;
    again_ms = again_ms > RENEW_AGAIN_MS_MIN ? again_ms : RENEW_AGAIN_MS_MIN;
    work->renew_ms = work_now_ms(work) + (again_ms < RENEW_AGAIN_MS_MAX ? again_ms : RENEW_AGAIN_MS_MAX);
}

static void renew(struct work *work)
{
    json_t *body = text_must(
        json_pack("{s:s, s:I}", "id", work->held->id, "held_since", (json_int_t)work->held->held_since));
    work->is_renewing = true;
    fleet_start(work->fleet, &(struct client_request){.method = "POST", .path = "/v1/renew", .body = body},
                on_renewed, work);
    json_decref(body);
}

void work_lease_begin(struct work *work, const struct work_letter *letter)
{
    work->held = letter;
    work->lease_ms = letter->lease_ms;
    work->lost[0] = '\0';
    work->renew_ms = work_now_ms(work) + letter->lease_ms / LEASE_PARTS;
}

void work_lease_end(struct work *work)
{
    if (work->is_renewing)
        fleet_forget(work->fleet);
    work->is_renewing = false;
    work->held = NULL;
}

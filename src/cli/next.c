/* SPDX-License-Identifier: MIT */
/*
 * next.c: `troupe next`: takes the next message and prints it, or prints what is held already.
 */
#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/letter.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    NEXT_WAIT,
    NEXT_COUNT,
};

enum {
    REQUEST_WAIT_MS_MAX = 60000, /* the server's limit of one long poll */
    WAIT_S_MAX = 7 * 24 * 3600,
    NAME_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [NEXT_WAIT] = {"wait", 'w', "SECONDS", "wait so long for one to come"},
    [NEXT_COUNT] = {0},
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One long poll after the other, until there is an answer or the time is over; *ret_answer is NULL then. */
static enum cli_exit take(struct cli *cli, json_t *body, int64_t wait_ms, json_t **ret_answer)
{
    int64_t end_ms = clock_ms() + wait_ms;
    int64_t left_ms = wait_ms;
    for (;;) {
        int64_t poll_ms = left_ms < REQUEST_WAIT_MS_MAX ? left_ms : REQUEST_WAIT_MS_MAX;
        if (poll_ms > 0)
            json_object_set_new(body, "wait_ms", json_integer(poll_ms));
        struct client_request request = {
            .method = "POST", .path = "/v1/next", .body = body, .wait_ms = poll_ms};
        enum cli_exit ending = cli_call(cli, &request, ret_answer);
        if (ending != CLI_OK || *ret_answer != NULL)
            return ending;
        left_ms = end_ms - clock_ms();
        if (left_ms <= 0)
            return CLI_OK;
    }
}

static enum cli_exit run(struct cli *cli)
{
    int64_t wait_s = 0;
    const char *wait = cli->values[NEXT_WAIT];
    if (wait != NULL && !text_read_number(wait, 0, WAIT_S_MAX, &wait_s))
        return cli_fail(cli, CLI_USAGE, "--wait '%s': write whole seconds, at most %d", wait, WAIT_S_MAX);
    json_t *body = text_must(json_object());
    json_t *answer = NULL;
    enum cli_exit ending =
        cli_set_text(cli, body, "role", "the role", cli->operands[0], false, NAME_SIZE_MAX);
    if (ending == CLI_OK)
        ending = take(cli, body, wait_s * 1000, &answer);
    json_decref(body);
    if (ending != CLI_OK)
        return ending;
    if (answer != NULL)
        return cli_show(cli, answer, letter_print_all);
    if (cli->json)
        puts("{\"messages\":[]}");
    else
        puts("nothing waits");
    return CLI_EMPTY;
}

const struct cli_verb verb_next = {
    .name = "next",
    .operands = "[ROLE]",
    .summary = "take the next message",
    .details = "Takes the next message of ROLE, or of all the roles you hold: urgent before normal before\n"
               "bulk, then the oldest. Who already holds as many as they may gets those back instead.\n"
               "Exit status 3: nothing waits.",
    .options = options,
    .operand_count_max = 1,
    .run = run,
};

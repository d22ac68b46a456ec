/* SPDX-License-Identifier: MIT */
/*
 * done.c: `troupe done`: finishes a held message, with a reply to its sender or without.
 */
#include "cli/answer.h"
#include "cli/text.h"

#include <string.h>

enum {
    DONE_MESSAGE,
    DONE_NEXT,
    DONE_COUNT,
};

static const struct cli_option options[] = {
    [DONE_MESSAGE] = {"message", 'm', "REPLY", "the reply, in Markdown; - reads it from standard input"},
    [DONE_NEXT] = {"next", 0, NULL, "take the next message as well"},
    [DONE_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const char *reply = cli->values[DONE_MESSAGE];
    const char *dash = cli->operands[1];
    if (dash != NULL && strcmp(dash, "-") != 0)
        return cli_fail(cli, CLI_USAGE, "'%s' stands where only - may stand; a reply goes after -m", dash);
    if (dash != NULL && reply != NULL)
        return cli_fail(cli, CLI_USAGE, "one reply: after -m or with -, not both");
    const struct cli_text text = {"reply", "the reply", dash != NULL ? dash : reply, true, CLI_BODY_MAX};
    json_t *body = text_must(json_object());
    if (cli->values[DONE_NEXT] != NULL)
        json_object_set_new(body, "next", json_true());
    return answer_post(cli, "/v1/done", body, &text, 1);
}

const struct cli_verb verb_done = {
    .name = "done",
    .operands = "ID [-]",
    .summary = "finish a message you hold, with a reply or without",
    .details = "The sender gets the reply in the same thread. - reads the reply from standard input.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 2,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * decline.c: `troupe decline`: says no to a held message, with the reason.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    DECLINE_MESSAGE,
    DECLINE_COUNT,
};

static const struct cli_option options[] = {
    [DECLINE_MESSAGE] = {"message", 'm', "REASON", "why not; - reads it from standard input"},
    [DECLINE_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const char *reason = cli->values[DECLINE_MESSAGE];
    if (reason == NULL)
        return cli_fail(cli, CLI_USAGE, "-m REASON is missing");
    const struct cli_text text = {"reason", "the reason", reason, true, CLI_NOTE_MAX};
    return answer_post(cli, "/v1/decline", text_must(json_object()), &text, 1);
}

const struct cli_verb verb_decline = {
    .name = "decline",
    .operands = "ID",
    .summary = "say no to a message you hold, with the reason",
    .details = "The sender is told the reason in the same thread.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

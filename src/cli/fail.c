/* SPDX-License-Identifier: MIT */
/*
 * fail.c: `troupe fail`: says that a held message went wrong; its supervisor's rule says what follows.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    FAIL_MESSAGE,
    FAIL_COUNT,
};

static const struct cli_option options[] = {
    [FAIL_MESSAGE] = {"message", 'm', "REASON", "what went wrong; - reads it from standard input"},
    [FAIL_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const char *reason = cli->values[FAIL_MESSAGE];
    if (reason == NULL)
        return cli_fail(cli, CLI_USAGE, "-m REASON is missing");
    const struct cli_text text = {"reason", "the reason", reason, true, CLI_NOTE_MAX};
    return answer_post(cli, "/v1/fail", text_must(json_object()), &text, 1);
}

const struct cli_verb verb_fail = {
    .name = "fail",
    .operands = "ID",
    .summary = "say that a message you hold went wrong",
    .details = "What follows is its supervisor's rule: to tell the supervisor, where there is no other. To\n"
               "tell the sender no, use `troupe decline`.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

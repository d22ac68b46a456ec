/* SPDX-License-Identifier: MIT */
/*
 * settle.c: `troupe settle`: decides what becomes of a message that failed where no supervisor does.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    SETTLE_MESSAGE,
    SETTLE_COUNT,
};

enum {
    NAME_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [SETTLE_MESSAGE] = {"message", 'm', "TEXT", "the reply or the reason; - reads it from standard input"},
    [SETTLE_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const struct cli_text texts[] = {
        {"role", "the role", cli->operands[0], false, NAME_SIZE_MAX},
        {"id", "the message's id", cli->operands[1], false, NAME_SIZE_MAX},
        {"action", "the action", cli->operands[2], false, NAME_SIZE_MAX},
        {"reason", "the text", cli->values[SETTLE_MESSAGE], true, CLI_NOTE_MAX},
    };
    return cli_post(cli, "/v1/settle", text_must(json_object()), texts, sizeof texts / sizeof *texts,
                    answer_print);
}

const struct cli_verb verb_settle = {
    .name = "settle",
    .operands = "ROLE ID retry|reassign|decline|done",
    .summary = "decide what becomes of a message that failed",
    .details =
        "Where no supervisor does: at the root by those in its succession, anywhere by an administrator.\n"
        "`troupe health` shows such a role as an alarm.",
    .options = options,
    .operand_count_min = 3,
    .operand_count_max = 3,
    .run = run,
};

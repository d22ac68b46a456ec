/* SPDX-License-Identifier: MIT */
/*
 * forward.c: `troupe forward`: hands a held message to another role, as a new message in the same thread.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    FORWARD_MESSAGE,
    FORWARD_COUNT,
};

enum {
    ROLE_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [FORWARD_MESSAGE] = {"message", 'm', "NOTE", "a note that goes with it; - reads it from standard input"},
    [FORWARD_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const struct cli_text texts[] = {
        {"to", "the role", cli->operands[1], false, ROLE_SIZE_MAX},
        {"note", "the note", cli->values[FORWARD_MESSAGE], true, CLI_NOTE_MAX},
    };
    return answer_post(cli, "/v1/forward", text_must(json_object()), texts, sizeof texts / sizeof *texts);
}

const struct cli_verb verb_forward = {
    .name = "forward",
    .operands = "ID ROLE",
    .summary = "hand a message you hold to another role",
    .details =
        "It becomes a new message to ROLE in the same thread; one thread is forwarded at most 16 times.",
    .options = options,
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = run,
};

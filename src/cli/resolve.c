/* SPDX-License-Identifier: MIT */
/*
 * resolve.c: `troupe resolve`: what failed below is to be tried again there, by the same or by a deputy.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    RESOLVE_MESSAGE,
    RESOLVE_COUNT,
};

enum {
    WORD_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [RESOLVE_MESSAGE] = {"message", 'm', "REASON", "why, for the record; - reads it from standard input"},
    [RESOLVE_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const struct cli_text texts[] = {
        {"action", "the action", cli->operands[1], false, WORD_SIZE_MAX},
        {"reason", "the reason", cli->values[RESOLVE_MESSAGE], true, CLI_NOTE_MAX},
    };
    return answer_post(cli, "/v1/resolve", text_must(json_object()), texts, sizeof texts / sizeof *texts);
}

const struct cli_verb verb_resolve = {
    .name = "resolve",
    .operands = "ID retry|reassign",
    .summary = "send what failed below back to be tried again",
    .details =
        "ID is an escalation that you hold. retry puts the message that failed back into its mailbox,\n"
        "reassign gives it to a deputy there. `troupe done` and `troupe decline` of the escalation\n"
        "answer the sender instead.",
    .options = options,
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * renew.c: `troupe renew`: holds a message for longer.
 */
#include "cli/answer.h"
#include "cli/text.h"

static enum cli_exit run(struct cli *cli)
{
    return answer_post(cli, "/v1/renew", text_must(json_object()), NULL, 0);
}

const struct cli_verb verb_renew = {
    .name = "renew",
    .operands = "ID",
    .summary = "hold a message for longer",
    .details = "Its time begins anew. What is neither finished nor renewed in time goes to a deputy, or as\n"
               "its supervisor has it.",
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * give.c: `troupe give`: a domain gets another owner.
 */
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"

enum {
    NAME_SIZE_MAX = 128,
};

static enum cli_exit print_given(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, answer, "name");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, name);
    output_print(OUTPUT_PLAIN, " is now of ");
    output_cleaned(OUTPUT_PLAIN, cli->operands[1]);
    output_print(OUTPUT_PLAIN, "\n");
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct cli_text texts[] = {
        {"name", "the domain", cli->operands[0], false, NAME_SIZE_MAX},
        {"owner", "the role", cli->operands[1], false, NAME_SIZE_MAX},
    };
    return cli_post(cli, "/v1/domains/transfer", text_must(json_object()), texts,
                    sizeof texts / sizeof *texts, print_given);
}

const struct cli_verb verb_give = {
    .name = "give",
    .operands = "DOMAIN ROLE",
    .summary = "give a domain to another role",
    .details = "From those who hold the domain's owner or what supervises it, and from administrators.",
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * back.c: `troupe back`: the end of an absence; what was kept is yours again.
 */
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"

static enum cli_exit print_back(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, answer, "name");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, name);
    output_print(OUTPUT_PLAIN, " is back\n");
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    json_t *body = text_must(json_pack("{s:b}", "present", 1));
    return cli_post(cli, "/v1/presence", body, NULL, 0, print_back);
}

const struct cli_verb verb_back = {
    .name = "back",
    .operands = "",
    .summary = "be back: what you kept is yours again",
    .details = "The reverse of `troupe away`, also before the time that was said there.",
    .run = run,
};

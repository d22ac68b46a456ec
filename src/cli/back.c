/* SPDX-License-Identifier: MIT */
/*
 * back.c: `troupe back`: the end of an absence; what was kept is yours again.
 */
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

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
    json_t *answer = NULL;
    json_t *body = text_must(json_pack("{s:b}", "present", 1));
    enum cli_exit ending = cli_call(
        cli, &(struct client_request){.method = "POST", .path = "/v1/presence", .body = body}, &answer);
    json_decref(body);
    return ending == CLI_OK ? cli_show(cli, answer, print_back) : ending;
}

const struct cli_verb verb_back = {
    .name = "back",
    .operands = "",
    .summary = "be back: what you kept is yours again",
    .details = "The reverse of `troupe away`, also before the time that was said there.",
    .run = run,
};

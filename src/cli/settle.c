/* SPDX-License-Identifier: MIT */
/*
 * settle.c: `troupe settle`: decides what becomes of a message that failed where no supervisor does.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

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

static enum cli_exit print_state(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *id = fields_text(&fields, answer, "id");
    const char *state = fields_text(&fields, answer, "state");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, id);
    putchar(' ');
    output_cleaned(OUTPUT_PLAIN, state);
    putchar('\n');
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct {
        const char *name;
        const char *what;
        const char *text;
        bool may_read;
        size_t size_max;
    } texts[] = {
        {"role", "the role", cli->operands[0], false, NAME_SIZE_MAX},
        {"id", "the message's id", cli->operands[1], false, NAME_SIZE_MAX},
        {"action", "the action", cli->operands[2], false, NAME_SIZE_MAX},
        {"reason", "the text", cli->values[SETTLE_MESSAGE], true, CLI_NOTE_MAX},
    };
    json_t *body = text_must(json_object());
    json_t *answer = NULL;
    enum cli_exit ending = CLI_OK;
    for (size_t i = 0; ending == CLI_OK && i < sizeof texts / sizeof *texts; i++)
        ending = cli_set_text(cli, body, texts[i].name, texts[i].what, texts[i].text, texts[i].may_read,
                              texts[i].size_max);
    if (ending == CLI_OK)
        ending = cli_call(cli, &(struct client_request){.method = "POST", .path = "/v1/settle", .body = body},
                          &answer);
    json_decref(body);
    return ending == CLI_OK ? cli_show(cli, answer, print_state) : ending;
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

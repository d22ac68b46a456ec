/* SPDX-License-Identifier: MIT */
/*
 * note.c: `troupe note`: what whoever holds a role next should know; and, without a text, what the last one
 * left.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    NOTE_MESSAGE,
    NOTE_COUNT,
};

enum {
    ROLE_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [NOTE_MESSAGE] = {"message", 'm', "NOTE",
                      "leave this note, \"\" for none; - reads it from standard input"},
    [NOTE_COUNT] = {0},
};

static enum cli_exit print_left(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *role = fields_text(&fields, answer, "role");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_print(OUTPUT_PLAIN, "noted for ");
    output_cleaned(OUTPUT_STRONG, role);
    putchar('\n');
    return CLI_OK;
}

static enum cli_exit print_note(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const json_t *note = json_object_get(answer, "note");
    if (note == NULL) {
        output_print(OUTPUT_PLAIN, "no note\n");
        return CLI_OK;
    }
    char time[TEXT_TIME_MAX];
    const char *text = fields_text(&fields, note, "text");
    const char *by = fields_text(&fields, note, "by");
    text_ago(cli->now_ms, fields_number(&fields, note, "at"), time);
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, by);
    output_print(OUTPUT_FAINT, ", %s\n", time);
    output_body(text);
    return CLI_OK;
}

static enum cli_exit leave(struct cli *cli)
{
    const struct cli_text texts[] = {
        {"role", "the role", cli->operands[0], false, ROLE_SIZE_MAX},
        {"note", "the note", cli->values[NOTE_MESSAGE], true, CLI_NOTE_MAX},
    };
    return cli_post(cli, "/v1/handover", text_must(json_object()), texts, sizeof texts / sizeof *texts,
                    print_left);
}

static enum cli_exit run(struct cli *cli)
{
    if (cli->values[NOTE_MESSAGE] != NULL)
        return leave(cli);
    char *path = transfer_path("/v1/role", "name", cli->operands[0], NULL);
    json_t *answer = NULL;
    enum cli_exit ending = cli_call(cli, &(struct client_request){.method = "GET", .path = path}, &answer);
    free(path);
    return ending == CLI_OK ? cli_show(cli, answer, print_note) : ending;
}

const struct cli_verb verb_note = {
    .name = "note",
    .operands = "ROLE",
    .summary = "leave a note for whoever holds a role next, or read it",
    .details = "With -m, from one in the role's succession; the last note stays. Without, the note that is "
               "there,\nfor those in the succession.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

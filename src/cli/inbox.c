/* SPDX-License-Identifier: MIT */
/*
 * inbox.c: `troupe inbox`: what is held and what waits, of one role or of all the roles one holds. Reads;
 * takes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/alarms.h"
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

static const struct output_column columns[] = {
    {"ID", false}, {"CLASS", false}, {"ROLE", false}, {"FROM", false}, {"SENT", false}, {"SUBJECT", false},
};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
};

static struct output_table *read_table(const struct cli *cli, struct fields *fields, const json_t *messages)
{
    struct output_table *table = output_table_new(columns, COLUMN_COUNT);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        char time[TEXT_TIME_MAX];
        const char *message_class = fields_text(fields, message, "class");
        const char *cells[COLUMN_COUNT] = {
            fields_text(fields, message, "id"),
            message_class,
            fields_text(fields, message, "role"),
            fields_text(fields, message, "from"),
            text_ago(cli->now_ms, fields_number(fields, message, "sent"), time),
            fields_text(fields, message, "subject"),
        };
        output_table_add(table, strcmp(message_class, "urgent") == 0 ? OUTPUT_ALARM : OUTPUT_PLAIN, cells);
    }
    return table;
}

static enum cli_exit print_inbox(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    char shown[TEXT_TIME_MAX];
    char total_shown[TEXT_TIME_MAX];
    const json_t *held = fields_list(&fields, answer, "held");
    const json_t *queued = fields_list(&fields, answer, "queued");
    int64_t total = fields_number(&fields, answer, "total");
    struct output_table *held_table = read_table(cli, &fields, held);
    struct output_table *queued_table = read_table(cli, &fields, queued);
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK) {
        output_table_free(held_table);
        output_table_free(queued_table);
        return ending;
    }
    text_number((int64_t)json_array_size(queued), shown);
    text_number(total, total_shown);
    output_print(OUTPUT_STRONG, json_array_size(held) > 0 ? "held\n" : "nothing held\n");
    output_table_end(held_table);
    if (total == 0)
        output_print(OUTPUT_STRONG, "nothing waits\n");
    else if (strcmp(shown, total_shown) == 0)
        output_print(OUTPUT_STRONG, "%s waiting\n", total_shown);
    else
        output_print(OUTPUT_STRONG, "%s waiting, the first %s\n", total_shown, shown);
    output_table_end(queued_table);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    char *path = transfer_path("/v1/inbox", "role", cli->operands[0], NULL);
    json_t *answer = NULL;
    enum cli_exit ending = cli_call(cli, &(struct client_request){.method = "GET", .path = path}, &answer);
    free(path);
    if (ending == CLI_OK)
        ending = cli_show(cli, answer, print_inbox);
    return ending == CLI_OK ? alarms_print(cli) : ending;
}

const struct cli_verb verb_inbox = {
    .name = "inbox",
    .operands = "[ROLE]",
    .summary = "show what is held and what waits",
    .details = "Of ROLE, or of all the roles you hold. Nothing is taken: that is what `troupe next` does.",
    .operand_count_max = 1,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * away.c: `troupe away`: whoever is away is passed over. What it holds goes back to the queue, but for the
 * messages it names, which are parked until it is back.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"

enum {
    AWAY_UNTIL,
    AWAY_COUNT,
};

enum {
    KEEPS_MAX = 16, /* messages that are kept */
};

static const struct cli_option options[] = {
    [AWAY_UNTIL] = {"until", 'u', "WHEN", "when you mean to be back: 2h, 3d, 2026-01-31, 2026-01-31T17:00"},
    [AWAY_COUNT] = {0},
};

static enum cli_exit print_away(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, answer, "name");
    const json_t *roles = fields_list(&fields, answer, "hand_over");
    for (size_t i = 0; i < json_array_size(roles); i++) {
        if (!json_is_string(json_array_get(roles, i)))
            fields.wrong = "hand_over";
    }
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, name);
    output_print(OUTPUT_PLAIN, " is away\n");
    for (size_t i = 0; i < json_array_size(roles); i++) {
        output_print(OUTPUT_PLAIN, i == 0 ? "leave a note for whoever comes next: troupe note "
                                          : "                                      troupe note ");
        output_cleaned(OUTPUT_PLAIN, json_string_value(json_array_get(roles, i)));
        output_print(OUTPUT_PLAIN, " -m NOTE\n");
    }
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const char *when = cli->values[AWAY_UNTIL];
    int64_t until_ms = 0;
    if (when != NULL && !text_read_time(when, cli->now_ms, &until_ms))
        return cli_fail(cli, CLI_USAGE, "--until '%s': write 45m, 2h, 3d, 1w, 2026-01-31 or 2026-01-31T17:00",
                        when);
    json_t *keeps = text_must(json_array());
    for (int i = 0; i < cli->operand_count; i++) {
        json_t *id = json_string(cli->operands[i]);
        if (id == NULL) {
            json_decref(keeps);
            return cli_fail(cli, CLI_USAGE, "'%s' is no message's id", cli->operands[i]);
        }
        json_array_append_new(keeps, id);
    }
    json_t *body = text_must(json_pack("{s:b, s:o}", "present", 0, "keeps", keeps));
    if (when != NULL)
        json_object_set_new(body, "until", json_integer(until_ms));
    return cli_post(cli, "/v1/presence", body, NULL, 0, print_away);
}

const struct cli_verb verb_away = {
    .name = "away",
    .operands = "[ID]...",
    .summary = "be away: deputies take over",
    .details = "You are passed over in every succession. What you hold goes back to the queue, but for the\n"
               "messages ID (at most 16), which are parked and yours again when you are back.",
    .options = options,
    .operand_count_max = KEEPS_MAX,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/*
 * defer.c: `troupe defer`: puts a held message off, until a time or until another message has ended.
 */
#include "cli/answer.h"
#include "cli/text.h"

enum {
    DEFER_UNTIL,
    DEFER_AWAITS,
    DEFER_MESSAGE,
    DEFER_COUNT,
};

enum {
    ID_SIZE_MAX = 128,
};

static const struct cli_option options[] = {
    [DEFER_UNTIL] = {"until", 'u', "WHEN", "when it comes back: 2h, 3d, 2026-01-31, 2026-01-31T17:00"},
    [DEFER_AWAITS] = {"awaits", 'a', "ID", "come back when this message has ended, if that is earlier"},
    [DEFER_MESSAGE] = {"message", 'm', "REASON", "why; - reads it from standard input"},
    [DEFER_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const char *when = cli->values[DEFER_UNTIL];
    int64_t until_ms = 0;
    if (when == NULL && cli->values[DEFER_AWAITS] == NULL)
        return cli_fail(cli, CLI_USAGE, "--until WHEN or --awaits ID is missing");
    if (when != NULL && !text_read_time(when, cli->now_ms, &until_ms))
        return cli_fail(cli, CLI_USAGE, "--until '%s': write 45m, 2h, 3d, 1w, 2026-01-31 or 2026-01-31T17:00",
                        when);
    const struct cli_text texts[] = {
        {"awaits", "--awaits", cli->values[DEFER_AWAITS], false, ID_SIZE_MAX},
        {"reason", "the reason", cli->values[DEFER_MESSAGE], true, CLI_NOTE_MAX},
    };
    json_t *body = text_must(json_object());
    if (when != NULL)
        json_object_set_new(body, "until", json_integer(until_ms));
    return answer_post(cli, "/v1/defer", body, texts, sizeof texts / sizeof *texts);
}

const struct cli_verb verb_defer = {
    .name = "defer",
    .operands = "ID",
    .summary = "put a message you hold off",
    .details =
        "It is parked, and the first of its class when it comes back: at that time, or when the other\n"
        "message has ended.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

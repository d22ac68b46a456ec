/* SPDX-License-Identifier: MIT */
/*
 * backup.c: `troupe backup`: a copy of the journal as it is now, while the server goes on. One thread.
 */
#include "journal/backup.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/storage.h"
#include "cli/text.h"

enum {
    BACKUP_DATA,
    BACKUP_COUNT,
};

static const struct cli_option options[] = {
    [BACKUP_DATA] = {"data", 'd', "DIR", "the data folder; $TROUPE_DATA, or ./data, when not given"},
    [BACKUP_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    char path[PATH_MAX];
    struct journal_error error = {""};
    enum cli_exit ending = storage_path(cli, NULL, cli->values[BACKUP_DATA], path);
    if (ending != CLI_OK)
        return ending;
    if (journal_backup(path, cli->operands[0], &error) != TROUPE_OK)
        return cli_fail(cli, CLI_FAILED, "%s", error.text);
    if (cli->json) {
        json_t *answer = text_must(json_pack("{s:s}", "backup", cli->operands[0]));
        cli_print_json(answer);
        json_decref(answer);
    } else {
        printf("%s\n", cli->operands[0]);
    }
    return CLI_OK;
}

const struct cli_verb verb_backup = {
    .name = "backup",
    .operands = "FILE",
    .summary = "copy the journal, while the server goes on",
    .details =
        "FILE must not exist; it appears whole or not at all, and has everything that was acknowledged\n"
        "before. To go back to it, stop the server and put it in the place of DIR/troupe.db, without\n"
        "the files troupe.db-wal and troupe.db-shm beside it.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};

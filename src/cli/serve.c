/* SPDX-License-Identifier: MIT */
/*
 * serve.c: `troupe serve`: the one verb that does not ask a server but is one. Everything is server_run's;
 * here only the command line becomes its options.
 */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/settings.h"
#include "server/server.h"

enum { IDLE_MS_MAX = 86400000 };

enum {
    SERVE_DATA,
    SERVE_LISTEN,
    SERVE_SAMPLE,
    SERVE_IDLE,
    SERVE_COUNT,
};

static const struct cli_option options[] = {
    [SERVE_DATA] = {"data", 'd', "DIR", "where everything is kept; $TROUPE_DATA, or ./data, when not given"},
    [SERVE_LISTEN] = {"listen", 'l', "ADDRESS:PORT",
                      "where to listen; " SERVER_LISTEN_DEFAULT " when not given"},
    [SERVE_SAMPLE] = {"sample", 0, "FILE", "an organisation to begin with, if there is none yet"},
    [SERVE_IDLE] = {"idle", 0, "MS", "put a role to sleep when it had nothing to do for so long; 30000"},
    [SERVE_COUNT] = {0},
};

static enum cli_exit run(struct cli *cli)
{
    const char *data = cli->values[SERVE_DATA];
    struct server_options serve = {
        .data_dir = data != NULL ? data : settings_data_folder(),
        .listen = cli->values[SERVE_LISTEN],
        .sample = cli->values[SERVE_SAMPLE],
    };
    if (cli->values[SERVE_IDLE] != NULL) {
        char *end = NULL;
        long idle = strtol(cli->values[SERVE_IDLE], &end, 10);
        if (*end != '\0' || idle < 1 || idle > IDLE_MS_MAX)
            return cli_fail(cli, CLI_USAGE, "--idle takes 1 to %d milliseconds", IDLE_MS_MAX);
        serve.role_idle_ms = (uint32_t)idle;
    }
    /* What went wrong has been said on standard error. */
    return server_run(&serve) == TROUPE_OK ? CLI_OK : CLI_FAILED;
}

const struct cli_verb verb_serve = {
    .name = "serve",
    .operands = "",
    .summary = "serve an organisation from a data folder",
    .details =
        "Makes the folder when it is missing, prints the address and how to sign in, and serves until\n"
        "it is told to end (SIGTERM or SIGINT). The folder's token is that of its own user, an\n"
        "administrator. The sample is JSON as for `troupe import organisation`.",
    .options = options,
    .run = run,
};

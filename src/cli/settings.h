/* SPDX-License-Identifier: MIT */
/*
 * settings.h: which server, and as whom. $TROUPE_URL, or http://127.0.0.1:7373; $TROUPE_TOKEN, or the token
 * that `troupe serve` leaves in its data folder for its own user: DIR/token, where DIR is $TROUPE_DATA or
 * ./data.
 *
 * Place: read once by a verb that talks to the server. One thread; reads a file.
 *
 * Invariants
 *   1. The token of ./data, which nobody named, is sent to this machine only; to another one it takes
 *      TROUPE_TOKEN or TROUPE_DATA. A wrong TROUPE_URL then gives nothing away.
 *   2. A token is printable ASCII without spaces: nothing in it can end the header that carries it.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>

#include "cli/cli.h"

enum {
    SETTINGS_NAME_MAX = 128,
    SETTINGS_TOKEN_MAX = 512,
    SETTINGS_URL_MAX = 1024,
};

/** Where requests go and as whom. */
struct settings {
    char url[SETTINGS_URL_MAX];
    char token[SETTINGS_TOKEN_MAX];
    const char *as;
    bool is_local;
};

/** Reads them; what is wrong has been said: CLI_USAGE for an address, CLI_NOT_ALLOWED for a token. */
enum cli_exit settings_read(const struct cli *cli, struct settings *ret_settings);

/** The data folder: $TROUPE_DATA, or "data". */
const char *settings_data_folder(void);

#endif

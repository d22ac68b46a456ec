/* SPDX-License-Identifier: MIT */
/*
 * args.h: the command line of one verb, read by its table of options. The usual conventions: `--name VALUE`,
 * `--name=VALUE`, `-n VALUE`, `-nVALUE`, options and operands in any order, `--` ends the options, `-` alone
 * is an operand; for a verb that takes a command, `--` begins it and ends everything else. Names are not
 * abbreviated, so that a script written today means the same when options are added. An option is given at
 * most once.
 *
 * Every verb also has --json, --as NAME and --help; those are here, not in the tables.
 *
 * Place: between main and a verb. No input or output: the caller says what went wrong. One thread.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>

#include "cli/cli.h"

enum {
    ARGS_TROUBLE_MAX = 256, /* bytes of the text that says what is wrong */
};

/** The options that every verb has, ended by a NULL name. */
extern const struct cli_option args_shared_options[];

/**
 * Reads `count` arguments (those after the verb) into cli->values, operands, command, json and as; cli->verb
 * is set by the caller. CLI_OK, or CLI_USAGE with the reason in `ret_trouble` (ARGS_TROUBLE_MAX bytes).
 * `ret_help` tells whether --help was given; the number of operands is then not checked.
 */
enum cli_exit args_read(struct cli *cli, int count, char *const *arguments, bool *ret_help,
                        char *ret_trouble);

#endif

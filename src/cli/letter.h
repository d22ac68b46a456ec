/* SPDX-License-Identifier: MIT */
/*
 * letter.h: a message as a person reads it: a few lines of who, when and what, then the body. Used by every
 * verb that hands out messages.
 *
 * Place: between an answer and standard output. One thread.
 */
#ifndef CLI_LETTER_H
#define CLI_LETTER_H

#include <jansson.h>

#include "cli/cli.h"

/**
 * Prints every message of the answer's member "messages". CLI_OK, or CLI_PROTOCOL, then nothing was printed.
 */
enum cli_exit letter_print_all(const struct cli *cli, const json_t *answer);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * alarms.h: the line below what a verb shows of the organisation while some role has an alarm, so that nobody
 * who looks misses it. Place: the end of a verb's readable form; with --json there is none. One thread; may
 * block.
 */
#ifndef CLI_ALARMS_H
#define CLI_ALARMS_H

#include "cli/cli.h"

/** Says that so many roles have an alarm, unless none has. */
void alarms_print_count(int64_t alarms);

/** Asks how many roles have an alarm and, unless there are none or with --json, says so. */
enum cli_exit alarms_print(const struct cli *cli);

#endif

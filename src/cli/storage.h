/* SPDX-License-Identifier: MIT */
/*
 * storage.h: the journal's file as the verbs that work on it directly see it: verify, rebuild, backup,
 * export, and restore. They are the only ones besides serve that touch the data folder; a file that a server
 * uses is refused, except by backup, which only reads. One thread; blocks on the disk.
 */
#ifndef CLI_STORAGE_H
#define CLI_STORAGE_H

#include <limits.h>

#include "cli/cli.h"
#include "journal/journal.h"

/** The file that the verb is about: the operand, when there is one, else the data folder's. */
enum cli_exit storage_path(const struct cli *cli, const char *operand, const char *data_folder,
                           char ret_path[PATH_MAX]);

/** Opens an existing journal; what is wrong has been said. CLI_OK: the caller closes it. */
enum cli_exit storage_open(const struct cli *cli, const char *path, struct journal **ret_journal);

/** Closes it, and says why when what was written may not be there. */
enum cli_exit storage_close(const struct cli *cli, struct journal **journal, enum cli_exit ending);

#endif

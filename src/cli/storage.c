/* SPDX-License-Identifier: MIT */
/*
 * storage.c: finding, opening and closing a journal's file for the verbs that work on it; storage.h. One
 * thread.
 */
#include "cli/storage.h"

#include <stdio.h>
#include <sys/stat.h>

#include "cli/settings.h"
#include "env/disk.h"

enum cli_exit storage_path(const struct cli *cli, const char *operand, const char *data_folder,
                           char ret_path[PATH_MAX])
{
    const char *folder = data_folder != NULL ? data_folder : settings_data_folder();
    int size = operand != NULL ? snprintf(ret_path, PATH_MAX, "%s", operand)
                               : snprintf(ret_path, PATH_MAX, "%s/troupe.db", folder);
    if (size < 0 || size >= PATH_MAX)
        return cli_fail(cli, CLI_USAGE, "the path is too long");
    return CLI_OK;
}

enum cli_exit storage_open(const struct cli *cli, const char *path, struct journal **ret_journal)
{
    struct journal_error error = {""};
    struct stat about;
    if (env_disk()->stat(path, &about) != 0)
        return cli_fail(cli, CLI_INPUT, "there is no journal at %s", path);
    if (journal_open(&journal_sqlite, path, ret_journal, &error) == TROUPE_OK)
        return CLI_OK;
    return cli_fail(cli, CLI_FAILED, "%s", error.text[0] != '\0' ? error.text : "out of memory");
}

enum cli_exit storage_close(const struct cli *cli, struct journal **journal, enum cli_exit ending)
{
    if (ending == CLI_OK && journal_finish(*journal) != TROUPE_OK)
        ending = cli_fail(cli, CLI_FAILED, "%s", journal_error(*journal));
    (void)journal_close(journal);
    return ending;
}

/* SPDX-License-Identifier: MIT */
/*
 * export.c: `troupe export` and `troupe restore`: everything as text, one event a line, and back into an
 * empty data folder. server/transcript.h has the format. One thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/storage.h"
#include "cli/text.h"
#include "env/disk.h"
#include "journal/file.h"
#include "server/transcript.h"
#include "server/verify.h"

enum {
    EXPORT_DATA,
    EXPORT_COUNT,
};

static const struct cli_option options[] = {
    [EXPORT_DATA] = {"data", 'd', "DIR", "the data folder; $TROUPE_DATA, or ./data, when not given"},
    [EXPORT_COUNT] = {0},
};

/* The journal's own words for a failure, if it has any. */
static const char *reason_of(const struct journal *journal, troupe_status status)
{
    return journal_error(journal)[0] != '\0' ? journal_error(journal) : troupe_status_text(status);
}

static enum cli_exit run_export(struct cli *cli)
{
    char path[PATH_MAX];
    struct journal *journal = NULL;
    uint64_t records = 0;
    enum cli_exit ending = storage_path(cli, cli->operands[0], cli->values[EXPORT_DATA], path);
    if (ending == CLI_OK)
        ending = storage_open(cli, path, &journal);
    if (ending != CLI_OK)
        return ending;
    troupe_status status = transcript_write(journal, stdout, &records);
    if (status == TROUPE_IO && !journal_is_failed(journal))
        ending = cli_fail(cli, CLI_FAILED, "cannot write: %s", strerror(errno));
    else if (status != TROUPE_OK)
        ending = cli_fail(cli, CLI_FAILED, "%s", reason_of(journal, status));
    return storage_close(cli, &journal, ending);
}

/* Removes what a restore has made on its way, or one before it that was killed. */
static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[PATH_MAX + 8];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)env_disk()->unlink(name);
    }
}

static void say_nothing(void *context, const char *finding)
{
    (void)context;
    fprintf(stderr, "%s\n", finding);
}

static enum cli_exit read_in(struct cli *cli, FILE *in, const char *path, uint64_t *ret_records)
{
    struct journal *journal = NULL;
    struct journal_error error = {""};
    struct verify_counts counts = {0};
    uint64_t records = 0;
    uint64_t line = 0;
    const char *name = cli_input_name(cli->operands[0]);
    if (journal_open(&journal_sqlite, path, &journal, &error) != TROUPE_OK)
        return cli_fail(cli, CLI_FAILED, "%s", error.text[0] != '\0' ? error.text : "out of memory");
    enum cli_exit ending = CLI_OK;
    troupe_status status = transcript_read(journal, in, &records, &line, &error);
    if (status == TROUPE_OK)
        status = rebuild_journal(journal, say_nothing, NULL, &counts);
    else if (error.text[0] != '\0')
        ending = cli_fail(cli, CLI_DATA, "%s:%" PRIu64 ": %s", name, line, error.text);
    if (status == TROUPE_OK && counts.findings > 0)
        ending = cli_fail(cli, CLI_DATA, "%s: what the events say makes no sense", name);
    else if (status != TROUPE_OK && ending == CLI_OK)
        ending = cli_fail(cli, CLI_FAILED, "%s", reason_of(journal, status));
    *ret_records = records;
    return storage_close(cli, &journal, ending);
}

/*
 * Makes the journal beside its place and gives it its name when it is whole: one that was cut short, however
 * that came, is never served. The lock of its place is held.
 */
static enum cli_exit make(struct cli *cli, FILE *in, const char *path)
{
    char fresh[PATH_MAX + 16];
    struct journal_error error = {""};
    struct stat about;
    uint64_t records = 0;
    snprintf(fresh, sizeof fresh, "%s.restoring", path);
    if (env_disk()->stat(path, &about) == 0)
        return cli_fail(cli, CLI_FAILED, "%s is there already", path);
    remove_files(fresh);
    enum cli_exit ending = read_in(cli, in, fresh, &records);
    if (ending == CLI_OK && file_rename(fresh, path, &error) != TROUPE_OK)
        ending = cli_fail(cli, CLI_FAILED, "%s", error.text);
    remove_files(fresh);
    if (ending == CLI_OK && cli->json)
        printf("{\"records\":%" PRIu64 "}\n", records);
    else if (ending == CLI_OK)
        printf("%" PRIu64 " records\n", records);
    return ending;
}

static enum cli_exit run_restore(struct cli *cli)
{
    char path[PATH_MAX];
    struct journal_error error = {""};
    struct stat about;
    int lock = -1;
    enum cli_exit ending = storage_path(cli, NULL, cli->values[EXPORT_DATA], path);
    if (ending != CLI_OK)
        return ending;
    if (env_disk()->stat(path, &about) == 0)
        return cli_fail(cli, CLI_FAILED, "%s is there already", path);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    if (env_disk()->mkdir(path, 0700) != 0 && errno != EEXIST)
        return cli_fail(cli, CLI_FAILED, "cannot make %s: %s", path, strerror(errno));
    *slash = '/';
    bool is_stdin = strcmp(cli->operands[0], "-") == 0;
    FILE *in = is_stdin ? stdin : env_file_stream(cli->operands[0]);
    if (in == NULL)
        return cli_fail(cli, CLI_INPUT, "%s: %s", cli->operands[0], strerror(errno));
    if (file_lock(path, &lock, &error) == TROUPE_OK)
        ending = make(cli, in, path);
    else
        ending = cli_fail(cli, CLI_FAILED, "%s", error.text);
    file_unlock(lock);
    if (!is_stdin)
        fclose(in);
    return ending;
}

const struct cli_verb verb_export = {
    .name = "export",
    .operands = "[FILE]",
    .summary = "print every event of a journal, one a line",
    .details =
        "JSON lines, which `troupe restore` reads. FILE is a journal, as a backup; the data folder's when\n"
        "not given. No server may be using the file.",
    .options = options,
    .operand_count_max = 1,
    .run = run_export,
};

const struct cli_verb verb_restore = {
    .name = "restore",
    .operands = "FILE",
    .summary = "make a journal from what export printed",
    .details =
        "FILE - reads standard input. The data folder must have no journal; when anything is wrong with\n"
        "FILE it has none afterwards either.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run_restore,
};

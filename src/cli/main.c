/* SPDX-License-Identifier: MIT */
/*
 * main.c: the `troupe` program: finds the verb, reads its command line, runs it, and sees to it that what was
 * printed has really been written.
 *
 * Place: the first and the last thing that runs; one thread. Each verb is a file of its own beside this one,
 * entered in the table in verbs.c.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"

static enum cli_exit run_verb(struct cli *cli, int count, char *const *arguments)
{
    char trouble[ARGS_TROUBLE_MAX];
    bool has_help;
    if (args_read(cli, count, arguments, &has_help, trouble) != CLI_OK) {
        cli_fail(cli, CLI_USAGE, "%s", trouble);
        fprintf(stderr, "usage: troupe %s%s%s [OPTION]...%s; `troupe help %s` says more\n", cli->verb->name,
                *cli->verb->operands != '\0' ? " " : "", cli->verb->operands, cli_command_usage(cli->verb),
                cli->verb->name);
        return CLI_USAGE;
    }
    if (has_help) {
        cli_print_verb_help(cli->verb);
        return CLI_OK;
    }
    return cli->verb->run(cli);
}

static enum cli_exit run(struct cli *cli, int count, char *const *arguments)
{
    const char *first = count > 0 ? arguments[0] : "";
    if (strcmp(first, "--version") == 0) {
        puts("troupe " TROUPE_VERSION);
        return CLI_OK;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        first = "help";
    if (count == 0) {
        fputs("troupe: which verb? `troupe help` lists them\n", stderr);
        return CLI_USAGE;
    }
    cli->verb = cli_find_verb(first);
    if (cli->verb == NULL)
        return cli_fail(cli, CLI_USAGE, "there is no verb '%s'; `troupe help` lists them", first);
    return run_verb(cli, count - 1, arguments + 1);
}

int main(int argument_count, char **arguments)
{
    struct timespec now;
    struct cli cli = {0};
    setlocale(LC_ALL, "");
    clock_gettime(CLOCK_REALTIME, &now);
    cli.now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    output_start();
    enum cli_exit ending = run(&cli, argument_count - 1, arguments + 1);
    /* A full disk or a closed pipe is found out here at the latest. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "troupe: standard output: %s\n", strerror(errno));
        ending = ending == CLI_OK ? CLI_FAILED : ending;
    }
    return (int)ending;
}

/* SPDX-License-Identifier: MIT */
/*
 * help.c: `troupe help`: the verbs, one verb's options, and the exit statuses, all printed from the tables
 * that the program itself works by.
 */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/text.h"

static const struct {
    int status;
    const char *text;
} endings[] = {
#define HELP_ENDING(name, number, text) {number, text},
    CLI_EXIT_LIST(HELP_ENDING)
#undef HELP_ENDING
};

static void print_option(const struct cli_option *option)
{
    char left[64];
    char letter[5] = "    ";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    printf("  %-26s %s\n", left, option->help);
}

const char *cli_command_usage(const struct cli_verb *verb)
{
    return verb->takes_command ? " -- COMMAND [ARGUMENT]..." : "";
}

void cli_print_verb_help(const struct cli_verb *verb)
{
    printf("usage: troupe %s%s%s [OPTION]...%s\n\n", verb->name, *verb->operands != '\0' ? " " : "",
           verb->operands, cli_command_usage(verb));
    printf("%c%s.\n", verb->summary[0] - 'a' + 'A', verb->summary + 1);
    if (verb->details != NULL)
        printf("%s\n", verb->details);
    putchar('\n');
    for (const struct cli_option *option = verb->options; option != NULL && option->name != NULL; option++)
        print_option(option);
    for (const struct cli_option *option = args_shared_options; option->name != NULL; option++)
        print_option(option);
}

void cli_print_help(void)
{
    printf("usage: troupe VERB [OPERAND | OPTION]...\n\n");
    for (size_t i = 0; cli_verbs[i] != NULL; i++)
        printf("  %-8s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
    printf("\n`troupe help VERB` says more about one; `troupe --version` says which troupe this is.\n\n");
    printf("environment\n");
    printf("  TROUPE_URL    where the server is; http://127.0.0.1:7373 when not set\n");
    printf("  TROUPE_TOKEN  who asks; when not set, the token that `troupe serve` left in its data folder\n");
    printf("  TROUPE_DATA   the data folder; ./data when not set\n");
    printf("  NO_COLOR      no colours, also on a terminal\n\n");
    printf("exit status\n");
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        printf("  %2d  %s\n", endings[i].status, endings[i].text);
}

static json_t *option_json(const struct cli_option *option)
{
    char letter[2] = {option->letter, '\0'};
    return json_pack("{s:s, s:s*, s:s*, s:s}", "name", option->name, "letter",
                     option->letter != 0 ? letter : NULL, "argument", option->argument, "help", option->help);
}

/* The same tables for programs: completion in a shell, the test of the manual pages. */
static void print_json(const struct cli_verb *only)
{
    json_t *verbs = text_must(json_array());
    json_t *statuses = text_must(json_array());
    for (size_t i = 0; cli_verbs[i] != NULL; i++) {
        const struct cli_verb *verb = cli_verbs[i];
        if (only != NULL && only != verb)
            continue;
        json_t *list = text_must(json_array());
        for (const struct cli_option *option = verb->options; option != NULL && option->name != NULL;
             option++)
            json_array_append_new(list, option_json(option));
        for (const struct cli_option *option = args_shared_options; option->name != NULL; option++)
            json_array_append_new(list, option_json(option));
        json_array_append_new(verbs, json_pack("{s:s, s:s, s:s, s:o}", "name", verb->name, "operands",
                                               verb->operands, "summary", verb->summary, "options", list));
    }
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
        json_array_append_new(statuses,
                              json_pack("{s:i, s:s}", "status", endings[i].status, "text", endings[i].text));
    json_t *document = text_must(json_pack("{s:o, s:o}", "verbs", verbs, "exit_statuses", statuses));
    cli_print_json(document);
    json_decref(document);
}

static enum cli_exit run(struct cli *cli)
{
    const char *name = cli->operands[0];
    const struct cli_verb *verb = name != NULL ? cli_find_verb(name) : NULL;
    if (name != NULL && verb == NULL)
        return cli_fail(cli, CLI_USAGE, "there is no verb '%s'; `troupe help` lists them", name);
    if (cli->json)
        print_json(verb);
    else if (verb != NULL)
        cli_print_verb_help(verb);
    else
        cli_print_help();
    return CLI_OK;
}

const struct cli_verb verb_help = {
    .name = "help",
    .operands = "[VERB]",
    .summary = "list the verbs, or say more about one",
    .operand_count_max = 1,
    .run = run,
};

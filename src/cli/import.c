/* SPDX-License-Identifier: MIT */
/*
 * import.c: `troupe import`: reads an organisation in from a file: Linux's MAINTAINERS, or our own JSON form.
 * The same file again changes nothing, so one that was refused half-way is mended and sent again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    IMPORT_TEAM,
    IMPORT_COUNT,
};

static const struct cli_option options[] = {
    [IMPORT_TEAM] = {"team", 't', "NAME", "maintainers: the team that the roles belong to"},
    [IMPORT_COUNT] = {0},
};

/* What a count is of: the member's name, but for those whose word is not one that people are told. */
static const char *words_of(const char *name)
{
    static const struct {
        const char *name;
        const char *words;
    } others[] = {{"actors", "people and programs"}, {"actors_made", "people made"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i].name) == 0)
            return others[i].words;
    }
    return name;
}

/* "2,614 domains, 2,614 roles, ..." in the order of the answer. */
static enum cli_exit print_counts(const struct cli *cli, const json_t *answer)
{
    (void)cli;
    const char *before = "";
    const char *name;
    json_t *count;
    json_object_foreach((json_t *)answer, name, count)
    {
        char number[TEXT_TIME_MAX];
        if (!json_is_integer(count))
            continue;
        printf("%s%s ", before, text_number(json_integer_value(count), number));
        char *words = text_clean(words_of(name), false);
        for (const char *at = words; *at != '\0'; at++)
            putchar(*at == '_' ? ' ' : *at);
        free(words);
        before = ", ";
    }
    putchar('\n');
    return CLI_OK;
}

static enum cli_exit import_maintainers(struct cli *cli, const char *bytes, size_t size, json_t **ret_answer)
{
    char *path = transfer_path("/v1/import/maintainers", "team", cli->values[IMPORT_TEAM], NULL);
    struct client_request request = {.method = "POST", .path = path, .text = bytes, .text_size = size};
    enum cli_exit ending = cli_call(cli, &request, ret_answer);
    free(path);
    return ending;
}

static enum cli_exit import_organisation(struct cli *cli, const char *bytes, size_t size, json_t **ret_answer)
{
    json_error_t error;
    if (cli->values[IMPORT_TEAM] != NULL)
        return cli_fail(cli, CLI_USAGE, "--team is for maintainers; an organisation names its teams itself");
    json_t *organisation = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    if (organisation == NULL)
        return cli_fail(cli, CLI_DATA, "%s:%d:%d: %s", cli_input_name(cli->operands[1]), error.line,
                        error.column, error.text);
    struct client_request request = {
        .method = "POST", .path = "/v1/import/organisation", .body = organisation};
    enum cli_exit ending = cli_call(cli, &request, ret_answer);
    json_decref(organisation);
    return ending;
}

static enum cli_exit run(struct cli *cli)
{
    static const struct {
        const char *name;
        enum cli_exit (*import)(struct cli *cli, const char *bytes, size_t size, json_t **ret_answer);
    } forms[] = {{"maintainers", import_maintainers}, {"organisation", import_organisation}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(cli->operands[0], forms[i].name) != 0)
            continue;
        char *bytes;
        size_t size;
        json_t *answer = NULL;
        enum cli_exit ending = cli_read_input(cli, cli->operands[1], CLI_INPUT_MAX, &bytes, &size);
        if (ending != CLI_OK)
            return ending;
        ending = forms[i].import(cli, bytes, size, &answer);
        free(bytes);
        return ending == CLI_OK ? cli_show(cli, answer, print_counts) : ending;
    }
    return cli_fail(cli, CLI_USAGE, "'%s' is not maintainers or organisation", cli->operands[0]);
}

const struct cli_verb verb_import = {
    .name = "import",
    .operands = "maintainers|organisation FILE",
    .summary = "read roles, people and domains from a file",
    .details = "maintainers: the format of Linux's MAINTAINERS; each section becomes a domain and its role.\n"
               "organisation: JSON with actors, roles, domains and messages, as docs/http-api.md describes.\n"
               "FILE - reads standard input. The same file again changes nothing.",
    .options = options,
    .operand_count_min = 2,
    .operand_count_max = 2,
    .run = run,
};
